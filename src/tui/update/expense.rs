//! Runs that look expensive: asked about, and run or not.

use super::result;
use crate::session::Expense;
use crate::tui::message::Effect;
use crate::tui::popup::{Answered, Popup, Question};
use crate::tui::state::{Phase, State};

/// Asks whether to run it; until then nothing runs.
pub(super) fn ask(state: &mut State, expense: &Expense, fresh: bool) {
    state.result.phase = Phase::Idle;
    state.popups.push(Popup::Question(Question {
        text: format!("{expense} Run it?"),
        yes: Answered::RunAnyway(fresh),
    }));
}

/// Runs what was asked about.
pub(super) fn run_anyway(state: &mut State, fresh: bool) -> Vec<Effect> {
    // Another query was not asked about.
    let anyway = state.query == state.result.query;
    result::start(state, fresh, anyway)
}
