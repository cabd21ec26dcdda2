//! A configuration that changed: what of it is in force at once, and a word about the rest.

use super::theme;
use crate::registry::{Diagnostic, Severity};
use crate::tui::action::Action;
use crate::tui::message::{Effect, Notice, Preferences};
use crate::tui::state::State;
use crate::tui::theme::{Depth, Theme};

/// Takes what the configurations say now; `problems` are those of the project's files.
pub(super) fn take(state: &mut State, now: Preferences, problems: &[Diagnostic]) -> Option<Effect> {
    let before = std::mem::replace(&mut state.setting.preferences, now);
    let now = &state.setting.preferences;
    let (is_theme, are_files) = (before.theme != now.theme, before.themes != now.themes);
    let mut changed = Vec::new();
    if before.keymap != now.keymap {
        state.first_key = None;
        changed.push("keys");
    }
    if before.clipboard != now.clipboard {
        changed.push("clipboard");
    }
    let wrong = |found: &&Diagnostic| !before.problems.contains(found);
    let wrong = now.problems.iter().filter(wrong).count();
    let known = &state.catalog.diagnostics;
    // What is used after a restart only; errors have their banner.
    let is_later = |found: &&Diagnostic| {
        found.file == "metrex.yaml" && found.severity == Severity::Warning && !known.contains(found)
    };
    let later = problems.iter().find(is_later);
    let later = later.map(|found| found.message.clone());

    let (mut effect, mut refusal) = (None, None);
    if is_theme {
        effect = ask_background(state);
        refusal = theme::configure(state).err();
    } else if are_files {
        refusal = theme::read_again(state).err();
    }
    if (is_theme || are_files) && refusal.is_none() {
        changed.push("theme");
    }

    let mut said = Vec::new();
    if !changed.is_empty() {
        said.push(format!("configuration read again: {}", changed.join(", ")));
    }
    let is_wrong = wrong > 0 || refusal.is_some();
    if wrong > 0 {
        let (plural, key) = (
            if wrong == 1 { "" } else { "s" },
            state.key(Action::Problems),
        );
        said.push(format!("{wrong} problem{plural}, {key} lists them"));
    }
    said.extend(refusal);
    said.extend(later);
    if !said.is_empty() {
        let said = said.join("; ");
        state.notice = Some(match is_wrong {
            true => Notice::Error(said),
            false => Notice::Info(said),
        });
    }
    effect
}

/// The question to the terminal, where `auto` needs an answer that is not known yet.
fn ask_background(state: &State) -> Option<Effect> {
    let setting = &state.setting;
    let is_auto = setting.preferences.theme.as_deref() == Some(Theme::AUTO);
    let unknown = setting.is_light.is_none() && setting.depth != Depth::None;
    (is_auto && unknown).then_some(Effect::AskBackground)
}
