//! What is to be done outside the state.

use super::Lookup;
use crate::model::MetricQuery;
use crate::session::{
    AskOptions, ChangeRequest, Judging, Meaning, Pin, SavedQuery, Thumb, Workspace,
};
use crate::tui::beside::BesideJob;
use crate::tui::define::DefineJob;
use crate::tui::files::FileJob;
use crate::tui::look::Look;
use crate::tui::question::Written;

/// Something to be done outside the state.
#[derive(Debug)]
pub enum Effect {
    /// Ask the session.
    Lookup {
        /// Returned with the answer.
        generation: u64,
        /// The tab that asks; it drops what it asked of the same kind before.
        tab: u64,
        /// The question.
        lookup: Lookup,
    },
    /// Run a query.
    Run {
        /// Returned with the news.
        generation: u64,
        /// The query.
        query: MetricQuery,
        /// SQL that is not compiled from the query.
        written: Option<Written>,
        /// Past the cache.
        fresh: bool,
        /// However expensive it looks.
        anyway: bool,
    },
    /// Ask for something that belongs to the rows.
    Beside {
        /// Returned with the outcome.
        generation: u64,
        /// What.
        job: BesideJob,
        /// However expensive it looks.
        anyway: bool,
    },
    /// Cancel what was started for this generation.
    Cancel(u64),
    /// Write a file.
    WriteFile {
        /// Returned with the news.
        generation: u64,
        /// The work.
        job: Box<FileJob>,
        /// However expensive it looks.
        anyway: bool,
    },
    /// Write it no more.
    StopWriting,
    /// Compute what a draft does to the numbers.
    Measure {
        /// Returned with the numbers.
        generation: u64,
        /// The draft.
        request: ChangeRequest,
        /// However expensive it looks.
        anyway: bool,
    },
    /// Do something for the form that defines a metric.
    Define {
        /// Returned with the news.
        generation: u64,
        /// What.
        job: DefineJob,
    },
    /// Compute what a reviewer wants to know: the numbers before and after, and the checks.
    Weigh {
        /// Returned with the outcome.
        generation: u64,
        /// The change.
        request: Box<ChangeRequest>,
        /// However expensive it looks.
        anyway: bool,
    },
    /// Judge a definition, and write that down.
    Judge {
        /// Returned with the outcome.
        generation: u64,
        /// The judgement.
        judging: Box<Judging>,
    },
    /// Answer a question in plain words.
    Ask {
        /// Returned with the news.
        generation: u64,
        /// The question.
        question: String,
        /// How to answer it.
        options: AskOptions,
        /// What was chosen for words of it, to be remembered first.
        chosen: Option<(String, Meaning)>,
    },
    /// Look behind a number.
    Look {
        /// Returned with the news.
        generation: u64,
        /// What to look at.
        look: Look,
        /// However expensive it looks.
        anyway: bool,
    },
    /// Forget what was chosen for words.
    Forget(String),
    /// Forget a line or a question of the history.
    ForgetLine(String),
    /// Save a query in the project.
    SaveView {
        /// The query.
        view: SavedQuery,
        /// Also in the place of one of the same name.
        replace: bool,
    },
    /// Delete a saved query of the project.
    DeleteView(String),
    /// Note whether the answer to a query is right.
    Feedback {
        /// Its query line.
        line: String,
        /// Whether it is.
        thumb: Thumb,
        /// A word about it.
        words: Option<String>,
    },
    /// Note that the answer to a query line was of use.
    Reused(String),
    /// Keep a number as a test of its metric.
    Pin(Box<Pin>),
    /// Keep what is open for the next start.
    Keep(Workspace),
    /// Keep what is typed in a file of definitions until it is saved.
    KeepDraft {
        /// The file.
        path: String,
        /// Its text when it was opened.
        saved: String,
        /// What is typed.
        text: String,
    },
    /// Forget what was typed in a file of definitions.
    DropDraft(String),
    /// Read the registry and the configurations again.
    Reload,
    /// Switch the connection.
    Connect(String),
    /// Copy to the clipboard, the way the project says.
    Copy(String),
    /// Copy to the clipboard of the user's terminal, for the reason that nothing else took it.
    CopyByTerminal(String, String),
    /// Open a file of the project in an editor at a line.
    Edit(String, u32),
    /// Capture the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Ask the terminal for its background.
    AskBackground,
    /// Suspend to the shell.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Leave.
    Quit,
}
