//! What the explorer knows from the start, and what the configurations prefer at any time.

use crate::registry::UserConfig;
use crate::session::Session;
use crate::tui::keymap::Keymap;
use crate::tui::message::{Preferences, Setting};
use crate::tui::theme::Depth;
use crate::tui::widgets::chart::Glyphs;

/// What the explorer knows from the start.
pub fn setting(session: &Session, user: &UserConfig, depth: Depth) -> Setting {
    let project = session.project();
    Setting {
        project: project.name.clone(),
        today: session.today(),
        connections: session.connections(),
        folder: std::env::current_dir().unwrap_or_default(),
        depth,
        is_light: None,
        preferences: preferences(session, user),
        glyphs: Glyphs::default(),
    }
}

/// What the configurations prefer, the user's before the project's as it is now.
pub fn preferences(session: &Session, user: &UserConfig) -> Preferences {
    let config = session.configuration();
    let (keymap, problems) = Keymap::read(&user.keys, &config.keys);
    let configured = config.warnings.iter().chain(&user.problems);
    let themes = session.project().files().themes.into_iter();
    Preferences {
        theme: user.theme.clone().or_else(|| config.theme.clone()),
        themes: themes.map(|file| (file.path, file.text)).collect(),
        clipboard: user.clipboard.unwrap_or(config.clipboard),
        problems: configured.cloned().chain(problems).collect(),
        keymap,
    }
}
