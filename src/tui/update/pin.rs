//! Pinning a number: asked about first, then written as a test of its metric.

use crate::tui::message::{Effect, Notice};
use crate::tui::pin::pin_here;
use crate::tui::popup::{Answered, Popup, Question};
use crate::tui::state::State;

/// Asks whether the number under the cursor is to be a test.
pub(super) fn ask(state: &mut State) -> Vec<Effect> {
    let pin = match pin_here(state) {
        Ok(pin) => pin,
        Err(reason) => {
            state.notice = Some(Notice::Error(reason.into_owned()));
            return Vec::new();
        }
    };
    let registry = &state.catalog.registry;
    let metric = registry.metrics.get(&pin.metric);
    let file = metric.map_or("", |metric| registry.file(metric.place));
    let text = format!("Pin as a test in {file}: {}?", pin.said());
    state.popups.push(Popup::Question(Question {
        text,
        yes: Answered::Pin(Box::new(pin)),
    }));
    Vec::new()
}
