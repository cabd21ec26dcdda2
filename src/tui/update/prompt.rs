//! The prompt, for a query line or a question: typed, completed, recalled, taken.

use super::{act, ask, query};
use crate::model::MetricQuery;
use crate::tui::action::Action;
use crate::tui::layout::Layout;
use crate::tui::message::{Effect, Lookup};
use crate::tui::question;
use crate::tui::state::{Focus, State};

/// Starts typing in the line.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let mut effects = act::focus(state, Focus::Query);
    if !state.prompt.typing {
        let line = state.query.to_string();
        let prompt = &mut state.prompt;
        prompt.typing = true;
        prompt.asks = false;
        prompt.anew = false;
        prompt
            .input
            .set(&if line.is_empty() { line } else { line + " " });
        prompt.error = None;
        prompt.recalled = None;
        prompt.completions.clear();
        effects.extend(complete(state));
    }
    effects
}

/// Stops typing; the line shows the query again.
pub(super) fn close(state: &mut State) -> Vec<Effect> {
    let mut effects = ask::stop(state);
    done(state);
    state.prompt.input.set(&state.query.to_string());
    effects.extend(query::ask_sql(state));
    effects
}

/// Nothing is typed any more.
pub(super) fn done(state: &mut State) {
    let prompt = &mut state.prompt;
    prompt.typing = false;
    prompt.error = None;
    prompt.heard = None;
    prompt.completions.clear();
    prompt.selected = None;
}

/// A key was typed into the line; whether the text changed.
pub(super) fn typed(state: &mut State, changed: bool) -> Vec<Effect> {
    let mut effects = complete(state);
    if changed {
        state.prompt.recalled = None;
        // What is wrong is said when the line is taken, not while a word is half typed.
        state.prompt.error = None;
        // What is asked no longer stands here.
        effects.extend(ask::stop(state));
        effects.extend(ask::read(state));
        effects.extend(query::ask_sql(state));
    }
    effects
}

fn complete(state: &mut State) -> Vec<Effect> {
    let (line, cursor) = (
        state.prompt.input.text().to_owned(),
        state.prompt.input.cursor(),
    );
    let before = line.get(..cursor).unwrap_or_default();
    let words = before
        .rfind(char::is_whitespace)
        .and_then(|at| before.get(..at));
    let lookup = if question::may_be_line(words.unwrap_or_default()) {
        Lookup::Complete(line, cursor)
    } else {
        Lookup::CompleteWord(line, cursor)
    };
    vec![state.ask(lookup)]
}

/// Puts the selected completion, or the first one, in place of the word at the cursor.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let prompt = &mut state.prompt;
    let Some(chosen) = prompt
        .completions
        .get(prompt.selected.unwrap_or(0))
        .cloned()
    else {
        return Vec::new();
    };
    let line = prompt.input.text();
    let (Some(before), Some(after)) = (
        line.get(..chosen.replace.start),
        line.get(chosen.replace.end..),
    ) else {
        return Vec::new();
    };
    let blank = if after.starts_with(' ') { "" } else { " " };
    let at = before.len() + chosen.text.len() + 1;
    let line = format!("{before}{}{blank}{after}", chosen.text);
    prompt.input.set(&line);
    prompt.input.move_to(at);
    prompt.completions.clear();
    prompt.selected = None;
    typed(state, true)
}

/// Takes the line as the query and runs it; a line that is no query stays, and says why.
pub(super) fn apply(state: &mut State) -> Vec<Effect> {
    if state.prompt.selected.is_some() {
        return accept(state);
    }
    let text = state.prompt.input.text();
    let is_line = question::query_line(&state.catalog.registry, text).is_ok();
    if is_line && !(state.prompt.asks && text.trim().is_empty()) {
        take_line(state)
    } else {
        ask::apply(state)
    }
}

/// Takes the text as a query line.
pub(super) fn take_line(state: &mut State) -> Vec<Effect> {
    match state.prompt.input.text().parse::<MetricQuery>() {
        Err(error) => {
            state.prompt.heard = None;
            state.prompt.input.move_to(error.range.start);
            state.prompt.error = Some(error);
            state.prompt.completions.clear();
            Vec::new()
        }
        Ok(query) => {
            done(state);
            let mut effects = query::replace(state, query, None);
            effects.extend(act::perform_if_enabled(state, Action::Run));
            effects
        }
    }
}

/// Starts a new line of text.
pub(super) fn break_line(state: &mut State) -> Vec<Effect> {
    let changed = state.prompt.input.break_line();
    typed(state, changed)
}

/// Keeps a line or a question for Up and Down, the latest first.
pub(super) fn recall(state: &mut State, text: &str) {
    let history = &mut state.prompt.history;
    history.retain(|earlier| earlier != text);
    history.insert(0, text.to_owned());
}

/// Up and down: through the completions, the rows of the text, or through earlier lines.
pub(super) fn step(state: &mut State, down: bool) -> Vec<Effect> {
    let width = Layout::of(state).prompt_width();
    let prompt = &mut state.prompt;
    if prompt.selected.is_none() && prompt.recalled.is_none() && prompt.input.move_row(width, down)
    {
        return complete(state);
    }
    if prompt.recalled.is_none() && (prompt.selected.is_some() || down) {
        let count = prompt.completions.len();
        prompt.selected = match (prompt.selected, down) {
            (None, _) => (count > 0).then_some(0),
            (Some(at), true) => Some((at + 1).min(count.saturating_sub(1))),
            (Some(at), false) => at.checked_sub(1),
        };
        return Vec::new();
    }
    earlier(state, down)
}

fn earlier(state: &mut State, newer: bool) -> Vec<Effect> {
    let prompt = &mut state.prompt;
    let next = match &prompt.recalled {
        None => Some(0),
        Some((at, _)) if newer => at.checked_sub(1),
        Some((at, _)) => Some(at + 1),
    };
    let typed = match prompt.recalled.take() {
        Some((_, typed)) => typed,
        None => prompt.input.text().to_owned(),
    };
    match next {
        None => prompt.input.set(&typed),
        Some(at) => {
            let at = at.min(prompt.history.len().saturating_sub(1));
            let Some(line) = prompt.history.get(at) else {
                return Vec::new();
            };
            prompt.input.set(line);
            prompt.recalled = Some((at, typed));
        }
    }
    prompt.completions.clear();
    prompt.error = None;
    let mut effects = ask::stop(state);
    effects.extend(ask::read(state));
    effects.extend(query::ask_sql(state));
    effects
}
