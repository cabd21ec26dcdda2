//! What there is to say about a state that was not said before.

use crate::session;
use crate::session::cell::{sanitize, thousands};
use crate::tui::action::{self, Action};
use crate::tui::keys::Chord;
use crate::tui::message::Notice;
use crate::tui::offers::page_text;
use crate::tui::popup::{Choice, Picker, PickerKind, Popup, Reader};
use crate::tui::state::{Phase, State};
use crate::tui::widgets::fuzzy_list::{Item, Mark};

/// Lines of a list, or rows, that are read out at once.
const PAGE: usize = 20;

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
#[derive(Debug, Default)]
pub(super) struct Said {
    query: String,
    run: u64,
    selected: Option<(usize, usize)>,
    listed: Listed,
    /// Where the list that is open, or the rows, are to be read on.
    from: usize,
    wants: Wants,
}

/// What is to be said though it is not new.
#[derive(Debug, Default, PartialEq, Eq)]
enum Wants {
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

/// The entries of a list that make sense without a screen, in order.
pub(super) fn numbered(picker: &Picker) -> impl Iterator<Item = &Item> {
    let needs_screen = |item: &Item| {
        let choice = picker.choices.get(&item.key);
        picker.kind == PickerKind::Palette
            && matches!(choice, Some(Choice::Action(action)) if is_of_screen(*action))
    };
    picker.list.found().filter(move |item| !needs_screen(item))
}

/// Whether an action is about the screen and nothing else.
fn is_of_screen(action: Action) -> bool {
    matches!(
        action,
        Action::Redraw
            | Action::Menu
            | Action::Dates
            | Action::Author
            | Action::SideBySide
            | Action::Mouse
            | Action::Suspend
            | Action::Theme
            | Action::NextPane
            | Action::PreviousPane
            | Action::Pane(_)
            | Action::Palette
            | Action::Back
            | Action::Interrupt
            | Action::Wider
            | Action::Narrower
            | Action::Freeze
            | Action::FindInResult
            | Action::NextMatch
            | Action::PreviousMatch
            | Action::EditLine
            | Action::Ask
            | Action::FindMetric
            | Action::Editor
    )
}

impl Said {
    /// What a number stands for.
    pub(super) fn listed(&self) -> Listed {
        self.listed
    }

    /// The next page is wanted.
    pub(super) fn more(&mut self) {
        self.wants = Wants::More;
    }

    /// The metrics that were found are wanted.
    pub(super) fn list_metrics(&mut self) {
        self.start_anew();
        self.wants = Wants::Metrics;
    }

    /// All of the selected row is wanted.
    pub(super) fn whole_row(&mut self) {
        self.wants = Wants::Row;
    }

    /// What the selected metric is, is wanted.
    pub(super) fn card(&mut self) {
        self.wants = Wants::Card;
    }

    /// What is listed is read from its start.
    pub(super) fn start_anew(&mut self) {
        self.from = 0;
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
        let query = state.query.to_string();
        if query != self.query {
            let runs = if state.result.query == state.query {
                ""
            } else {
                " (F5 runs it)"
            };
            lines.push(match query.is_empty() {
                true => "Query: nothing".to_owned(),
                false => format!("Query: {query}{runs}"),
            });
            self.query = query;
        }
        if state.popups.is_empty() {
            self.result(state, &wants, &mut lines);
            match wants {
                Wants::Metrics => self.metrics(state, &mut lines),
                Wants::Card => lines.extend(card_lines(state)),
                Wants::More if self.listed == Listed::Metrics => self.metrics(state, &mut lines),
                _ => {}
            }
        }
        while let Some(Popup::Reader(reader)) = state.popups.last() {
            lines.extend(text_of(state, reader));
            state.popups.pop();
        }
        match state.popups.last() {
            None => lines.extend(following(state)),
            Some(Popup::Picker(picker)) => self.list(picker, &wants, &mut lines),
            Some(Popup::Question(question)) => lines.push(format!("{} y or n", question.text)),
            Some(Popup::File(dialog)) => {
                let name = dialog.input.text();
                lines.push(format!(
                    "File name, whose ending says the format; an empty line takes {name}; . goes back."
                ));
            }
            Some(Popup::Naming(naming)) => {
                lines.extend(naming.trouble.clone());
                let name = naming.name.text();
                lines.push(format!(
                    "Name for the query; an empty line takes '{name}'; . goes back."
                ));
            }
            // Nothing can be said about the others.
            Some(_) => {
                lines.push("This needs the explorer with a screen.".to_owned());
                state.popups.pop();
            }
        }
        lines.retain(|line| !line.is_empty());
        lines
    }

    fn list(&mut self, picker: &Picker, wants: &Wants, lines: &mut Vec<String>) {
        if *wants != Wants::More {
            self.from = 0;
        }
        let count = numbered(picker).count();
        lines.push(format!("{}: {}.", picker.title, counted(count, "choice")));
        lines.extend(picker.note.clone());
        if let Some((words, _)) = &picker.typed {
            lines.push(format!("  0. {words}"));
        }
        let marks: Vec<(&str, Mark)> = picker.list.marks().collect();
        let page = numbered(picker).enumerate().skip(self.from).take(PAGE);
        lines.extend(page.map(|(index, item)| item_line(index, item, &marks)));
        self.from += PAGE;
        let hint = match picker.kind {
            PickerKind::Values { .. } => "number includes, -number excludes, ok applies",
            PickerKind::Dimensions { filter: true } => {
                "number opens its values, words search, . goes back"
            }
            PickerKind::Dimensions { .. } => {
                "number takes it or leaves it, words search, . goes back"
            }
            _ => "number chooses, words search, . goes back",
        };
        let more = match count.saturating_sub(self.from) {
            0 => String::new(),
            left => format!("; {left} more on an empty line"),
        };
        lines.push(format!("({hint}{more})"));
    }

    fn metrics(&mut self, state: &State, lines: &mut Vec<String>) {
        self.listed = Listed::Metrics;
        let hits = &state.finder.hits;
        if self.from == 0 {
            lines.push(format!("{}.", counted(hits.len(), "metric")));
        }
        for (index, hit) in hits.iter().enumerate().skip(self.from).take(PAGE) {
            let metric = state.catalog.registry.metrics.get(&hit.metric);
            let label = metric.map_or("", |metric| &metric.label);
            lines.push(format!(
                "  {}. {}, {}",
                index + 1,
                hit.metric,
                sanitize(label)
            ));
        }
        self.from += PAGE;
    }

    fn result(&mut self, state: &State, wants: &Wants, lines: &mut Vec<String>) {
        let result = &state.result;
        let is_new = result.generation != self.run && !result.is_running();
        if is_new {
            self.run = result.generation;
            self.from = 0;
            self.listed = Listed::Rows;
        }
        match (&result.phase, &result.grid) {
            (Phase::Failed(error), _) if is_new => {
                lines.push(format!("The run failed: {}", sanitize(&error.message)));
                lines.extend(error.hint().map(|hint| sanitize(hint).into_owned()));
            }
            (Phase::Done(run), Some(grid)) if is_new => {
                let names = grid
                    .table()
                    .columns()
                    .iter()
                    .map(|column| column.name.as_str());
                let names: Vec<&str> = names.collect();
                let cut = if run.truncated {
                    ", cut: there are more"
                } else {
                    ""
                };
                let rows = counted(grid.table().rows(), "row");
                lines.push(format!("{rows}{cut}. Columns: {}.", names.join(", ")));
            }
            _ => {}
        }
        let Some(grid) = &result.grid else { return };
        let is_more = *wants == Wants::More && self.listed == Listed::Rows;
        let rows = grid.table().rows();
        if is_new || is_more {
            let page = self.from..rows.min(self.from + PAGE);
            lines.extend(page.map(|row| row_line(state, row)));
            self.from += PAGE;
            match rows.saturating_sub(self.from) {
                0 if is_more => lines.push("These are all rows.".to_owned()),
                0 => {}
                left => lines.push(format!("({} more on an empty line)", thousands(left))),
            }
        }
        if is_new {
            lines.extend(total_line(state));
            let compiled = result.compiled.as_deref();
            lines.extend(compiled.map(session::notes).unwrap_or_default());
            self.selected = grid.selected();
        }
        if *wants == Wants::Row {
            self.selected = grid.selected();
            lines.extend(grid.selected().map(|(row, _)| row_line(state, row)));
        } else if grid.selected() != self.selected {
            self.selected = grid.selected();
            let here = grid.selected().zip(grid.selected_detail());
            lines.extend(here.map(|((row, _), (column, text))| {
                format!("Row {}, {}: {text}", row + 1, column.name)
            }));
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

/// A number with its noun, in the plural where it takes one.
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

/// What a metric is.
fn card_lines(state: &State) -> Vec<String> {
    let Some(Ok(card)) = &state.details.card else {
        return Vec::new();
    };
    let means = card.formula.as_str();
    let mut lines = vec![
        card.label.clone(),
        card.description.clone(),
        means.to_owned(),
    ];
    lines.extend(card.business_rules.iter().cloned());
    let lines = lines.iter().filter(|line| !line.is_empty());
    lines.map(|line| format!("  {}", sanitize(line))).collect()
}

fn text_of(state: &State, reader: &Reader) -> Vec<String> {
    let text = page_text(state, &reader.page);
    let mut lines = vec![format!("{}:", reader.title)];
    lines.extend(text.lines().map(|line| format!("  {}", sanitize(line))));
    lines
}

fn item_line(index: usize, item: &Item, marks: &[(&str, Mark)]) -> String {
    let mut line = format!("  {}. {}", index + 1, item.label);
    for more in [&item.detail, &item.right] {
        if !more.is_empty() {
            line.push_str(", ");
            line.push_str(more);
        }
    }
    match marks.iter().find(|(key, _)| *key == item.key) {
        Some((_, Mark::Include)) => line.push_str(", chosen"),
        Some((_, Mark::Exclude)) => line.push_str(", excluded"),
        None => {}
    }
    if let Some(reason) = &item.disabled {
        line.push_str(": not possible, ");
        line.push_str(reason);
    }
    line
}

/// A row with the name before each value, since nobody hears which column a number stands in.
fn row_line(state: &State, row: usize) -> String {
    let mut line = format!("  {}.", row + 1);
    let Some(grid) = &state.result.grid else {
        return line;
    };
    let mut text = String::new();
    let mut comma = "";
    for &at in grid.shown_columns() {
        grid.table().read(row, at, &mut text);
        let column = grid.table().columns().get(at);
        let name = column.map_or("", |column| &column.name);
        line.push_str(&format!("{comma} {} {text}", sanitize(name)));
        if grid.is_partial(row, at) {
            line.push_str(" (not complete)");
        }
        comma = ",";
    }
    line
}

fn total_line(state: &State) -> Option<String> {
    let row = state.result.totals.as_ref()?;
    let columns = &state
        .result
        .compiled
        .as_ref()?
        .totals
        .as_ref()
        .ok()?
        .columns;
    let cells = session::files::cells(columns, row, 0).into_iter();
    let cells: Vec<String> = cells
        .zip(columns)
        .map(|(text, column)| format!("{} {text}", sanitize(&column.name)))
        .collect();
    Some(format!("Total: {}", cells.join(", ")))
}
