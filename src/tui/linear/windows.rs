//! Windows on top, in words: lists with numbers, texts, questions, what is to be typed.

use ratatui::text::Line;

use super::meaning::choice_only_on_screen;
use super::rows::page;
use super::say::{PAGE, Said, Wants, counted};
use crate::session::cell::sanitize;
use crate::session::plot::Charset;
use crate::session::why::State as Stand;
use crate::tui::action::Action;
use crate::tui::files::FileDialog;
use crate::tui::offers::page_text;
use crate::tui::popup::{Behind, DatePicker, Naming, Picker, PickerKind, Popup, Reader};
use crate::tui::reviewing::Reviewing;
use crate::tui::spread::SpreadWindow;
use crate::tui::state::{Phase, State};
use crate::tui::view::{behind_part, behind_sum, review_lines, why_lines};
use crate::tui::why::WhyPane;
use crate::tui::widgets::fuzzy_list::{Item, Mark};

/// Columns of a drawing.
const COLUMNS: usize = 80;

/// The entries of a list that make sense without a screen, in order.
pub(super) fn numbered(picker: &Picker) -> impl Iterator<Item = &Item> {
    // The help is on all keys.
    let is_left_out = |item: &Item| {
        let choice = picker.choices.get(&item.key);
        picker.kind != PickerKind::Help && choice.and_then(choice_only_on_screen).is_some()
    };
    picker.list.found().filter(move |item| !is_left_out(item))
}

impl Said {
    /// What is on top. Texts are read and closed.
    pub(super) fn windows(&mut self, state: &mut State, wants: Wants, lines: &mut Vec<String>) {
        loop {
            let text = match state.popups.last() {
                Some(Popup::Reader(reader)) => text_of(state, reader),
                Some(Popup::Tree(tree)) => text(&tree.title, &tree.tree.value()),
                Some(Popup::Menu(_)) => vec!["? lists everything that the menus hold.".to_owned()],
                _ => break,
            };
            self.read_out(text, lines);
            state.popups.pop();
        }
        let is_author = |popup: &Popup| matches!(popup, Popup::Author(_));
        if !state.popups.iter().any(is_author) {
            let closed = self.author.take();
            lines.extend(closed.map(|told| format!("{} is closed.", told.path)));
        }
        match state.popups.last() {
            Some(Popup::Picker(picker)) => self.list(state, picker, wants, lines),
            Some(Popup::Question(question)) => lines.push(format!("{} y or n", question.text)),
            Some(Popup::File(dialog)) => lines.extend(file(state, dialog)),
            Some(Popup::Naming(naming)) => lines.extend(name(naming)),
            Some(Popup::Dates(dates)) => lines.push(day(dates)),
            Some(Popup::Behind(behind)) => self.behind(state, behind, wants, lines),
            Some(Popup::Spread(window)) => self.spread(state, window, lines),
            Some(Popup::Review(open)) => lines.extend(review(state, open)),
            Some(Popup::Why(open)) => lines.extend(why(state, open)),
            Some(Popup::Author(author)) => self.author(state, author, wants, lines),
            Some(Popup::Reader(_) | Popup::Tree(_) | Popup::Menu(_) | Popup::Define(_)) | None => {}
        }
    }

    fn list(&mut self, state: &State, picker: &Picker, wants: Wants, lines: &mut Vec<String>) {
        let marks: Vec<(&str, Mark)> = picker.list.marks().collect();
        if wants == Wants::Here {
            let here = picker.list.selected().map(|item| item.key.as_str());
            let mut all = numbered(picker).enumerate();
            let found = all.find(|(_, item)| Some(item.key.as_str()) == here);
            lines.extend(found.map(|(index, item)| item_line(index, item, &marks)));
            return;
        }
        if wants != Wants::More {
            self.from_in_window = 0;
        }
        let count = numbered(picker).count();
        lines.push(format!("{}: {}.", picker.title, counted(count, "choice")));
        lines.extend(picker.note.clone());
        if let Some((words, _)) = &picker.typed {
            lines.push(format!("  0. {words}"));
        }
        let from = self.from_in_window;
        let page = numbered(picker).enumerate().skip(from).take(PAGE);
        lines.extend(page.map(|(index, item)| item_line(index, item, &marks)));
        self.from_in_window += PAGE;
        let hint = match picker.kind {
            PickerKind::Values { .. } => "number includes, -number excludes, ok applies",
            PickerKind::Dimensions { filter: true } => {
                "number opens its values, words search, . goes back"
            }
            PickerKind::Dimensions { .. } => {
                "number takes it or leaves it, words search, . goes back"
            }
            PickerKind::History | PickerKind::Views => {
                let [runs, opens, copies, deletes] = [
                    Action::RunKept,
                    Action::OpenKept,
                    Action::CopyKept,
                    Action::DeleteKept,
                ]
                .map(|action| state.key(action));
                &format!(
                    "number takes it, 2 {runs} runs it, 2 {opens} opens it in a tab, 2 {copies} copies it, 2 {deletes} deletes it, words search, . goes back"
                )
            }
            _ => "number chooses, words search, . goes back",
        };
        let more = match count.saturating_sub(self.from_in_window) {
            0 => String::new(),
            left => format!("; {left} more on an empty line"),
        };
        lines.push(format!("({hint}{more})"));
    }

    /// How a metric is spread; the outlier that is selected is said last.
    fn spread(&mut self, state: &State, window: &SpreadWindow, lines: &mut Vec<String>) {
        if let Phase::Failed(error) = &window.phase {
            let across = window.dimension();
            lines.push(format!("Across {across}: {}", sanitize(&error.message)));
            lines.extend(error.hint().map(|hint| sanitize(hint).into_owned()));
        }
        if let Some(spread) = &window.spread {
            if window.generation != self.behind {
                self.behind = window.generation;
                let text = spread.text(COLUMNS, Charset::Ascii);
                lines.extend(text.lines().map(|line| sanitize(line).into_owned()));
                lines.extend(spread.notes.iter().map(|note| sanitize(note).into_owned()));
            }
            let selected = window.outlier().map(|one| spread.name(one));
            lines.extend(selected.map(|name| format!("Selected: {}", sanitize(&name))));
        }
        let next = match window.across.len() {
            0 | 1 => String::new(),
            _ => format!(
                "{} goes to the next dimension, ",
                state.key(Action::NextPart)
            ),
        };
        let takes = match window.outlier() {
            Some(_) => "Enter restricts the query to the outlier, ",
            None => "",
        };
        lines.push(format!("({next}{takes}. goes back)"));
    }

    /// The rows behind a number.
    fn behind(&mut self, state: &State, behind: &Behind, wants: Wants, lines: &mut Vec<String>) {
        let is_new = behind.generation != self.behind;
        if is_new {
            self.behind = behind.generation;
            self.from_in_window = 0;
            lines.push(format!("{}:", sanitize(&behind.title)));
            lines.push(words(&behind_part(state, behind)));
        }
        if let (Phase::Failed(error), None) = (&behind.phase, &behind.grid) {
            lines.push(format!("No rows: {}", sanitize(&error.message)));
            lines.extend(error.hint().map(|hint| sanitize(hint).into_owned()));
        }
        if let Some(grid) = &behind.grid {
            if is_new || wants == Wants::More {
                page(grid, &mut self.from_in_window, lines);
            }
            if is_new {
                lines.push(words(&behind_sum(state, behind)));
            }
        }
        let part = match behind.parts.len() {
            0 | 1 => String::new(),
            _ => format!("{} goes to the next part, ", state.key(Action::NextPart)),
        };
        let copies = state.key(Action::CopyBehind);
        lines.push(format!("({part}{copies} copies the rows, . goes back)"));
    }
}

/// The review screen: the list, what there is to know about the selected one, and what is to be typed.
fn why(state: &State, open: &WhyPane) -> Vec<String> {
    let rows = open.rows();
    let mut said = vec![format!("Why: {}.", counted(rows.len(), "hypothesis"))];
    said.extend(rows.iter().enumerate().map(|(at, (depth, node))| {
        let here = if at == open.selected { ">" } else { " " };
        let stands = match node.state {
            Stand::Waiting => "waits",
            Stand::Done => node.verdict.word(),
        };
        format!(
            "{here} {}{} ({stands})",
            "  ".repeat(*depth),
            node.hypothesis
        )
    }));
    said.extend(why_lines(state, open, usize::MAX).iter().map(words));
    let runs = state.key_here(Action::WhyRun);
    said.push(format!(
        "(Up and Down select, {runs} runs its query, . goes back)"
    ));
    said
}

fn review(state: &State, open: &Reviewing) -> Vec<String> {
    if let Some(wording) = &open.wording {
        return vec![format!(
            "{}; an empty line for nothing; . goes back.",
            wording.question()
        )];
    }
    let rows = open.list.as_deref().unwrap_or_default();
    let mut said = vec![format!("Review: {}.", counted(rows.len(), "metric"))];
    said.extend(rows.iter().map(|one| {
        let here = Some(&one.name) == open.selected.as_ref();
        let sign = if here { ">" } else { " " };
        format!("{sign} {}, {}", one.name, one.stage.words())
    }));
    said.extend(review_lines(state, open, usize::MAX).iter().map(words));
    let keys = [
        (Action::ReviewNumbers, "computes the numbers"),
        (Action::ReviewApprove, "approves"),
        (Action::ReviewReject, "rejects"),
        (Action::ReviewPublish, "publishes"),
        (Action::ReviewCertify, "certifies"),
        (Action::ReviewDeprecate, "deprecates"),
        (Action::ReviewAll, "lists everything"),
    ];
    let keys = keys.map(|(action, does)| format!("{} {does}", state.key_here(action)));
    said.push(format!(
        "(Up and Down select, {}, . goes back)",
        keys.join(", ")
    ));
    said
}

/// A line of the screen without its looks.
pub(super) fn words(line: &Line<'_>) -> String {
    line.spans
        .iter()
        .map(|span| span.content.as_ref())
        .collect()
}

fn text_of(state: &State, reader: &Reader) -> Vec<String> {
    text(&reader.title, &page_text(state, &reader.page))
}

fn text(title: &str, text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| format!("  {}", sanitize(line)));
    std::iter::once(format!("{title}:")).chain(lines).collect()
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

fn file(state: &State, dialog: &FileDialog) -> Vec<String> {
    let name = dialog.input.text();
    let key = state.key(Action::AllRows);
    let rows = match (&state.result.phase, dialog.all) {
        (Phase::Done(run), true) if run.truncated => Some(format!(
            "All rows are taken from the warehouse; {key} writes only those that are here."
        )),
        (Phase::Done(run), false) if run.truncated => Some(format!(
            "Only a part of the rows is here; {key} takes all of them from the warehouse."
        )),
        _ => None,
    };
    let ask = format!(
        "File name, whose ending says the format; an empty line takes {name}; . goes back."
    );
    rows.into_iter().chain([ask]).collect()
}

fn name(naming: &Naming) -> Vec<String> {
    let (what, now) = match naming.in_description {
        false => ("Name for the query", naming.name.text()),
        true => ("What it shows, in plain words", naming.description.text()),
    };
    let ask = match now.is_empty() {
        true => format!("{what}; an empty line for none; . goes back."),
        false => format!("{what}; an empty line takes '{now}'; . goes back."),
    };
    let trouble = naming.trouble.iter().filter(|_| !naming.in_description);
    let trouble = trouble.map(|why| {
        let again = if naming.taken() {
            "; the same name again replaces it"
        } else {
            ""
        };
        format!("Not saved: {why}{again}")
    });
    trouble.chain([ask]).collect()
}

fn day(dates: &DatePicker) -> String {
    let day = dates.cursor;
    match dates.from {
        None => format!(
            "First day, such as 2026-03-31, 2026-03 or 2026Q1; an empty line takes {day}; . goes back."
        ),
        Some(from) => {
            format!("From {from}. Last day; an empty line takes {day}; . goes back.")
        }
    }
}
