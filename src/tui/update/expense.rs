//! What looks expensive: asked about, and run or not.

use super::{author, behind, beside, files, result};
use crate::session::SessionError;
use crate::tui::author::Shows;
use crate::tui::message::{Effect, Notice};
use crate::tui::popup::{Answered, Expensive, Popup, Question};
use crate::tui::state::{Focus, State};

/// Asks whether to run it; until then nothing runs. Somebody who types something else by now could say yes without
/// seeing the question, and is only told.
pub(super) fn ask(state: &mut State, error: &SessionError, what: Expensive) {
    if is_typing(state) {
        state.notice = Some(Notice::Error(format!("not run: {error}")));
        return;
    }
    state.popups.push(Popup::Question(Question {
        text: format!("{error} Run it?"),
        yes: Answered::Anyway(what),
    }));
}

fn is_typing(state: &State) -> bool {
    match state.popups.last() {
        Some(Popup::Picker(_) | Popup::Naming(_) | Popup::Dates(_)) => true,
        // Typing leads away from the numbers.
        Some(Popup::Author(author)) => author.typing && author.shows == Shows::Meaning,
        Some(Popup::Review(open)) => open.wording.is_some(),
        Some(_) => false,
        None => match state.focus {
            Focus::Catalog => state.finder.typing,
            Focus::Query => state.prompt.typing,
            Focus::Result => state.result.finding || state.result.filtering,
            Focus::Details | Focus::Preview => false,
        },
    }
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
