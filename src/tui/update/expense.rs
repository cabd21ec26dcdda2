//! What looks expensive: asked about, and run or not.

use super::{author, behind, beside, files, result};
use crate::session::SessionError;
use crate::tui::message::Effect;
use crate::tui::popup::{Answered, Expensive, Popup, Question};
use crate::tui::state::State;

/// Asks whether to run it; until then nothing runs.
pub(super) fn ask(state: &mut State, error: &SessionError, what: Expensive) {
    state.popups.push(Popup::Question(Question {
        text: format!("{error} Run it?"),
        yes: Answered::Anyway(what),
    }));
}

/// Runs what was asked about.
pub(super) fn anyway(state: &mut State, what: Expensive) -> Vec<Effect> {
    match what {
        Expensive::Run(fresh) => {
            // Another query was not asked about.
            let anyway = state.query == state.result.query;
            result::start(state, fresh, anyway)
        }
        Expensive::Beside(wanted) => beside::ask(state, wanted, true),
        Expensive::Look(look) => behind::again(state, *look),
        Expensive::Change(dimension) => author::measure(state, dimension, true),
        Expensive::File(replace) => files::write(state, replace, true),
    }
}
