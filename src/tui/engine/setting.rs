//! What the explorer knows from the start.

use crate::registry::UserConfig;
use crate::session::Session;
use crate::tui::keymap::Keymap;
use crate::tui::message::Setting;
use crate::tui::theme::Depth;
use crate::tui::widgets::chart::Glyphs;

/// What the explorer knows from the start.
pub fn setting(session: &Session, user: &UserConfig, depth: Depth) -> Setting {
    let project = session.project();
    let (keymap, problems) = Keymap::read(&user.keys, &project.config.keys);
    let configured = project.config.warnings.iter().chain(&user.problems);
    let themes = project
        .files()
        .themes
        .into_iter()
        .map(|file| (file.path, file.text))
        .collect();
    Setting {
        project: project.name.clone(),
        root: project.root.clone(),
        today: session.today(),
        connections: session.connections(),
        clipboard: user.clipboard.unwrap_or(project.config.clipboard),
        themes,
        folder: std::env::current_dir().unwrap_or_default(),
        depth,
        problems: configured.cloned().chain(problems).collect(),
        keymap,
        glyphs: Glyphs::default(),
    }
}
