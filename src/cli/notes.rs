//! What a reader should know beside the data; on stderr.

use std::io::stderr;

use super::style::Style;
use crate::compile::Compiled;
use crate::demo::HORIZON;
use crate::registry::Severity;
pub use crate::session::cell::counted;
use crate::session::cell::sanitize;
use crate::session::{self, Session};

/// One line on stderr.
pub fn note(text: &str) {
    say!("{} {}", Style::of(&stderr()).bold("note:"), sanitize(text));
}

/// What is not as it should be with the session itself.
pub fn about_session(session: &Session) {
    if let Some(notice) = session.state().notice() {
        note(notice);
    }
    if session.explores_demo() && session.today() > HORIZON {
        note(&format!("the demo's data end on {HORIZON}"));
    }
    let catalog = session.catalog();
    let errors = catalog
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .count();
    if errors > 0 {
        let errors = counted(errors, "error");
        note(&format!(
            "the definitions have {errors}; what is wrong is left out, see `metrex check`"
        ));
    }
}

/// That nothing new can be learned from, where queries are not recorded.
pub fn about_recording(session: &Session) {
    if !session.project().config.usage.track {
        note("queries are not recorded in this project (`usage: {track: false}` in metrex.yaml)");
    }
}

/// What is worth knowing of a query, such as values that could not be checked.
pub fn about_query(compiled: &Compiled) {
    session::notes(compiled).iter().for_each(|text| note(text));
}
