//! What there is to say about a state that was not said before.

use super::author::Told;
use super::rows::View;
use crate::registry::Severity;
pub(super) use crate::session::cell::counted;
use crate::session::cell::thousands;
use crate::tui::action::{self, Action};
use crate::tui::charting::Shown;
use crate::tui::keys::Chord;
use crate::tui::message::Notice;
use crate::tui::state::{Focus, State};

/// Lines of a list, or rows, that are read out at once.
pub(super) const PAGE: usize = 20;

/// What a number stands for while nothing is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Listed {
    /// Nothing.
    #[default]
    Nothing,
    /// Metrics that were found.
    Metrics,
    /// Rows of the result.
    Rows,
}

/// What was said.
#[derive(Default)]
pub(super) struct Said {
    /// Whether anything was printed since this was last looked at.
    pub(super) has_spoken: bool,
    pub(super) listed: Listed,
    pub(super) run: u64,
    pub(super) view: View,
    pub(super) selected: Option<(usize, usize)>,
    pub(super) marked: (usize, usize),
    pub(super) chart: (Shown, String),
    pub(super) author: Option<Told>,
    /// The look behind a number.
    pub(super) behind: u64,
    /// Where rows or metrics are to be read on.
    pub(super) from: usize,
    /// Where the window on top is to be read on.
    pub(super) from_in_window: usize,
    query: String,
    tab: (usize, usize),
    errors: usize,
    /// Lines that are read on by themselves.
    pub(super) rest: Vec<String>,
    wants: Wants,
}

/// What is to be said though it is not new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Wants {
    #[default]
    Nothing,
    /// The next page of what is listed.
    More,
    /// The metrics that were found.
    Metrics,
    /// All of the selected row.
    Row,
    /// What the selected metric is.
    Card,
    /// What a pane shows.
    Pane(Focus),
    /// What is under the cursor.
    Here,
}

/// The first lines.
pub(super) fn greeting(state: &State) -> String {
    let setting = &state.setting;
    format!(
        "metrex, project {}, connection {}, {}.\n\
         Type a query line or a question; /words finds metrics; ? lists what can be done; q quits.\n\
         A number chooses from the last list, an empty line reads on, . goes back.",
        setting.project, state.connection, setting.today
    )
}

/// What is being waited for.
pub(super) fn waiting(state: &State) -> String {
    match (&state.preparing, &state.saving) {
        (Some(step), _) => step.clone(),
        (None, Some(saving)) => format!("Writing: {}.", saving.words()),
        (None, None) => "Running; Ctrl+C cancels.".to_owned(),
    }
}

impl Said {
    /// Something is to be said though it is not new.
    pub(super) fn want(&mut self, wants: Wants) {
        self.wants = wants;
    }

    /// What is listed is read from its start.
    pub(super) fn start_anew(&mut self) {
        self.from = 0;
        self.from_in_window = 0;
    }

    /// What is new, line by line.
    pub(super) fn news(&mut self, state: &mut State) -> Vec<String> {
        let wants = std::mem::take(&mut self.wants);
        let mut lines = Vec::new();
        if state.popups.is_empty() {
            let remarks = state.remarks().into_iter();
            lines.extend(remarks.map(|remark| remark.text.trim_start_matches("! ").to_owned()));
        }
        match state.notice.take() {
            Some(Notice::Info(text)) => lines.push(text),
            Some(Notice::Error(text)) => lines.push(format!("Not possible: {text}")),
            None => {}
        }
        self.whole(state, &mut lines);
        let rest = std::mem::take(&mut self.rest);
        if wants == Wants::More && !rest.is_empty() {
            self.read_out(rest, &mut lines);
            return lines;
        }
        if state.popups.is_empty() {
            self.result(state, wants, &mut lines);
            self.chart(state, &mut lines);
            self.panes(state, wants, &mut lines);
        }
        self.windows(state, wants, &mut lines);
        if state.popups.is_empty() {
            lines.extend(following(state));
            lines.extend(field(state).map(str::to_owned));
        }
        lines.retain(|line| !line.trim().is_empty());
        lines
    }

    /// Reads the first lines out; an empty line reads on.
    pub(super) fn read_out(&mut self, mut text: Vec<String>, lines: &mut Vec<String>) {
        let rest = text.split_off(text.len().min(PAGE));
        lines.append(&mut text);
        if !rest.is_empty() {
            lines.push(more(rest.len()));
        }
        self.rest = rest;
    }

    /// What is true of the explorer as a whole: the tab, the query, the definitions.
    fn whole(&mut self, state: &State, lines: &mut Vec<String>) {
        let tab = (state.tabs.at() + 1, state.tabs.len());
        let is_other_tab = tab != self.tab && (tab.1 > 1 || self.tab.1 > 1);
        if is_other_tab {
            lines.push(format!("Tab {} of {}.", tab.0, tab.1));
        }
        self.tab = tab;
        let query = state.query.to_string();
        if query != self.query || is_other_tab {
            let runs = match state.result.query == state.query {
                true => String::new(),
                false => format!(" ({} runs it)", state.key(Action::Run)),
            };
            lines.push(match query.is_empty() {
                true => "Query: nothing".to_owned(),
                false => format!("Query: {query}{runs}"),
            });
            self.query = query;
        }
        let is_error = |problem: &&crate::registry::Diagnostic| problem.severity == Severity::Error;
        let errors = state.problems.iter().filter(is_error).count();
        if errors != self.errors {
            let key = state.key(Action::Problems);
            lines.push(match errors {
                0 => "The definitions have no errors any more.".to_owned(),
                _ => format!(
                    "The definitions have {}; {key} lists them.",
                    counted(errors, "error")
                ),
            });
            self.errors = errors;
        }
    }
}

/// What may follow the first of two keys.
fn following(state: &State) -> Vec<String> {
    let Some(first) = state.first_key else {
        return Vec::new();
    };
    let keymap = state.keymap();
    let following = keymap.following(action::contexts(state), first).into_iter();
    let line = |(entry, keys): (&action::Entry, Vec<Chord>)| {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        format!("  {}, {}", keys.join(" or "), entry.title)
    };
    std::iter::once(format!("{first}, and then:"))
        .chain(following.map(line))
        .collect()
}

/// What is to be typed about the rows.
fn field(state: &State) -> Option<&'static str> {
    match &state.result {
        result if result.finding => Some("Words to search in the rows; . goes back."),
        result if result.filtering => Some(
            "Show only rows with a text, or a condition such as gmv > 1K; an empty line shows all; . goes back.",
        ),
        _ => None,
    }
}

/// What is not read yet.
pub(super) fn more(left: usize) -> String {
    format!("({} more on an empty line)", thousands(left))
}
