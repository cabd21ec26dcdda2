//! Tabs: opened, switched, closed, put side by side, and filtered alike.

use super::{act, beside, finder, query, result, steps};
use crate::model::Filter;
use crate::tui::action::Action;
use crate::tui::message::{Effect, Notice, RunNews};
use crate::tui::state::{Focus, Phase, Results, State};

/// Opens an empty tab, ready to find a metric.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let blank = state.blank();
    let index = state.insert_tab(blank);
    let mut effects = enter(state, index);
    effects.extend(act::focus(state, Focus::Catalog));
    state.finder.typing = true;
    if !state.finder.input.is_empty() {
        state.finder.input.set("");
        effects.extend(finder::typed(state));
    }
    effects
}

/// Opens a tab with the same query and the same rows, and shows it.
pub(super) fn duplicate(state: &mut State) -> Vec<Effect> {
    let index = copy(state);
    let mut effects = enter(state, index);
    effects.extend(beside::regroup(state));
    effects
}

/// Puts a copy of the tab behind it; its index.
fn copy(state: &mut State) -> usize {
    let mut tab = state.blank();
    tab.focus = state.focus;
    tab.query = state.query.clone();
    tab.origin = state.origin.clone();
    tab.part = state.part;
    if !state.result.is_running() {
        tab.result = Results {
            generation: 0,
            ..state.result.apart()
        };
    }
    state.insert_tab(tab)
}

/// Shows the tab at an index.
pub(super) fn switch(state: &mut State, index: usize) -> Vec<Effect> {
    let (focus, was_beside) = (state.focus, state.tabs.beside() == Some(index));
    let mut effects = enter(state, index);
    if was_beside && !state.prompt.typing {
        // Both are on the screen: what changes is only which one takes the keys.
        effects.extend(act::focus(state, focus));
    }
    effects
}

fn enter(state: &mut State, index: usize) -> Vec<Effect> {
    let typing = state.finder.typing;
    if !state.enter_tab(index) {
        return Vec::new();
    }
    state.finder.typing = typing && state.focus == Focus::Catalog;
    state.result.unseen = false;
    query::arrived(state)
}

/// The tab so many places on, round and round.
pub(super) fn cycle(state: &mut State, by: isize) -> Vec<Effect> {
    let count = state.tabs.len();
    let at = (state.tabs.at() + count).saturating_add_signed(by) % count.max(1);
    switch(state, at)
}

/// Closes the tab and cancels its run.
pub(super) fn close(state: &mut State) -> Vec<Effect> {
    let mut effects = result::cancel(state);
    if state.result.is_running() {
        // Its news reach nobody any more.
        state.result.phase = Phase::Idle;
    }
    effects.extend(super::ask::stop(state));
    let index = state.tabs.at();
    state.remove_tab(index);
    state.result.unseen = false;
    effects.extend(query::arrived(state));
    effects
}

/// Opens the tab again that was closed last.
pub(super) fn reopen(state: &mut State) -> Vec<Effect> {
    let Some(tab) = state.closed_tab() else {
        return Vec::new();
    };
    let index = state.insert_tab(tab);
    enter(state, index)
}

/// Shows the results of two tabs side by side: this one and the next one, or a copy of this one where it is the only
/// one; or only one again.
pub(super) fn side_by_side(state: &mut State) -> Vec<Effect> {
    if state.tabs.beside().is_some() {
        state.tabs.set_pair(None);
        return Vec::new();
    }
    let at = state.tabs.at();
    let other = match state.tabs.len() {
        1 => copy(state),
        count if at + 1 < count => at + 1,
        _ => at.saturating_sub(1),
    };
    state.tabs.set_pair(Some((at, other)));
    act::focus(state, Focus::Result)
}

/// Lets both sides filter alike, as this one does, or each on its own.
pub(super) fn toggle_sharing(state: &mut State) -> Vec<Effect> {
    let said = if state.tabs.shared.take().is_some() {
        "each side has its own filters".to_owned()
    } else {
        // The other side takes them over when everything is settled.
        state.tabs.shared = Some(None);
        hand_over(state);
        let key = state.key(Action::Run);
        format!("both sides have the filters of this one; {key} runs both")
    };
    state.notice = Some(Notice::Info(said));
    Vec::new()
}

/// Keeps the filters of both sides alike, where they share them.
pub(super) fn share_filters(state: &mut State) {
    let is_new = |shared: &Option<Filter>| *shared != state.query.filters;
    if state.tabs.beside().is_some() && state.tabs.shared.as_ref().is_some_and(is_new) {
        hand_over(state);
    }
}

fn hand_over(state: &mut State) {
    let Some(beside) = state.tabs.beside() else {
        return;
    };
    let filters = state.query.filters.clone();
    state.tabs.shared = Some(filters.clone());
    state.in_tab(beside, |state| {
        if state.query.filters != filters && !state.query.is_empty() {
            steps::remember(state);
            state.query.filters = filters;
        }
    });
}

/// Runs the query, and that of the other side too where both filter alike.
pub(super) fn run(state: &mut State, fresh: bool) -> Vec<Effect> {
    let mut effects = result::run(state, fresh);
    if let Some(beside) = state.tabs.beside().filter(|_| state.tabs.shared.is_some()) {
        effects.extend(state.in_tab(beside, |state| {
            if state.query.is_empty() {
                Vec::new()
            } else {
                result::run(state, fresh)
            }
        }));
    }
    effects.extend(state.workspace().map(Effect::Keep));
    effects
}

/// Takes news of a run for the tab it is of.
pub(super) fn run_news(state: &mut State, generation: u64, news: RunNews) -> Vec<Effect> {
    let Some(tab) = state.find_tab(|tab| tab.result.generation == generation) else {
        return Vec::new();
    };
    let is_seen = tab == state.tabs.at() || Some(tab) == state.tabs.beside();
    let has_ended = matches!(news, RunNews::Ended(_));
    state.in_tab(tab, |state| {
        let effects = result::news(state, generation, news);
        state.result.unseen |= has_ended && !is_seen;
        effects
    })
}
