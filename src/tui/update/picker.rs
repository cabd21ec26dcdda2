//! Lists to choose from: filled, searched, and what a choice does to the query.

use std::collections::HashMap;

use ratatui::layout::Rect;

use super::{act, analyses, ask, attempt, chart, dates, drill, prompt, query, result, theme};
use crate::compile::DimensionChoice;
use crate::model::query_line::print_literal;
use crate::model::{CompareOp, DimensionType, Filter};
use crate::session::{RememberedChoice, ValueList};
use crate::tui::action::Action;
use crate::tui::charting;
use crate::tui::commands;
use crate::tui::edit::{self, Picked};
use crate::tui::layout;
use crate::tui::message::{Earlier, Effect, Lookup, Notice};
use crate::tui::offers;
use crate::tui::parts::{Part, PartKind};
use crate::tui::popup::{Choice, Picker, PickerKind, Popup};
use crate::tui::state::State;
use crate::tui::times;
use crate::tui::widgets::fuzzy_list::{FuzzyList, Item, Mark};

/// Opens a list.
pub(super) fn open(state: &mut State, kind: PickerKind) -> Vec<Effect> {
    let (title, offered, effects) = match &kind {
        PickerKind::Dimensions { filter } => {
            let title = match (*filter, state.query.metrics.is_empty()) {
                (true, _) => "Filter by",
                (false, false) => "Group by",
                (false, true) => "Distinct values of",
            };
            let metrics = state.query.metrics.clone();
            (
                title.to_owned(),
                Vec::new(),
                vec![state.ask(Lookup::Dimensions(metrics))],
            )
        }
        PickerKind::Values { field, .. } => {
            let lookup = Lookup::Values {
                metrics: state.query.metrics.clone(),
                dimension: field.clone(),
            };
            (
                format!("Values of {field}"),
                Vec::new(),
                vec![state.ask(lookup)],
            )
        }
        PickerKind::Time => ("Time range".to_owned(), offers::times(state), Vec::new()),
        PickerKind::Compare => ("Compare with".to_owned(), offers::comparisons(), Vec::new()),
        PickerKind::Order => (
            "Order, limit and total".to_owned(),
            offers::orders(state),
            Vec::new(),
        ),
        PickerKind::Palette => ("Commands".to_owned(), commands::palette(state), Vec::new()),
        PickerKind::Help => ("Help".to_owned(), commands::help(state), Vec::new()),
        PickerKind::History => (
            "Earlier queries and questions".to_owned(),
            Vec::new(),
            vec![state.ask(Lookup::History)],
        ),
        PickerKind::Choices => (
            "Forget what words were chosen to mean".to_owned(),
            Vec::new(),
            vec![state.ask(Lookup::Choices)],
        ),
        PickerKind::Views => ("Saved queries".to_owned(), offers::views(state), Vec::new()),
        PickerKind::Analyses => ("Analyses".to_owned(), offers::analyses(state), Vec::new()),
        PickerKind::Connections => (
            "Connections".to_owned(),
            offers::connections(state),
            Vec::new(),
        ),
        PickerKind::Meanings(unsure) => (
            format!("'{}'", unsure.words),
            offers::meanings(state, unsure),
            Vec::new(),
        ),
        PickerKind::Copies => ("Copy".to_owned(), offers::copies(state), Vec::new()),
        PickerKind::Themes => ("Themes".to_owned(), offers::themes(state), Vec::new()),
        PickerKind::Cell => ("This cell".to_owned(), drill::offers(state), Vec::new()),
        PickerKind::Charts => ("Chart".to_owned(), charting::offers(state), Vec::new()),
        PickerKind::Verdict => (
            "Is this answer right?".to_owned(),
            offers::verdicts(),
            Vec::new(),
        ),
    };
    let mut picker = Picker {
        kind,
        title,
        input: Default::default(),
        list: FuzzyList::default(),
        choices: HashMap::new(),
        typed: None,
        note: None,
        is_marked: false,
    };
    if picker.kind == PickerKind::Verdict {
        picker.note = Some("or type what is wrong; after `right`, what is right".to_owned());
    }
    if let PickerKind::Meanings(unsure) = &picker.kind {
        picker.note = Some(unsure.message.clone());
    }
    fill(&mut picker, offered);
    if picker.kind == PickerKind::Themes {
        picker.list.select(&state.theme_name);
    }
    state.popups.push(Popup::Picker(Box::new(picker)));
    effects
}

/// Opens the values that a question lists; they are those of these metrics, or of all.
pub(super) fn open_listed(
    state: &mut State,
    field: String,
    kind: DimensionType,
    metrics: Vec<String>,
) -> Vec<Effect> {
    let lookup = Lookup::Values {
        metrics,
        dimension: field.clone(),
    };
    open(state, PickerKind::Values { field, kind });
    vec![state.ask(lookup)]
}

pub(super) fn fill(picker: &mut Picker, offered: Vec<(Item, Choice)>) {
    let (items, choices): (Vec<_>, Vec<_>) = offered
        .into_iter()
        .map(|(item, choice)| (item.clone(), (item.key, choice)))
        .unzip();
    picker.choices = choices.into_iter().collect();
    picker.list.set_items(items);
}

pub(super) fn top(state: &mut State) -> Option<&mut Picker> {
    match state.popups.last_mut() {
        Some(Popup::Picker(picker)) => Some(picker),
        _ => None,
    }
}

/// The search words changed.
pub(super) fn typed(state: &mut State) -> Vec<Effect> {
    let setting = (
        state.setting.today,
        state.catalog.registry.calendar.week_start,
    );
    if let Some(picker) = top(state) {
        let text = picker.input.text().trim().to_owned();
        picker.list.set_query(&text);
        picker.typed = offers::typed(picker, &text, setting);
    }
    Vec::new()
}

/// Text was pasted: search words, or values, each on a line of its own, that are to be included.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(picker) = top(state) else {
        return Vec::new();
    };
    let mut values = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_list = values.clone().nth(1).is_some();
    if !is_list || !matches!(picker.kind, PickerKind::Values { .. }) {
        picker.input.paste(text);
        return typed(state);
    }
    if picker.list.items().is_empty() {
        // What no index knows is taken as it is written.
        let values: Vec<_> = values.map(print_literal).collect();
        picker.input.set(&format!("in ({})", values.join(", ")));
        return typed(state);
    }
    let known: HashMap<String, String> = picker
        .list
        .items()
        .iter()
        .map(|item| (item.key.to_lowercase(), item.key.clone()))
        .collect();
    let found = |value: &str| known.get(&value.to_lowercase()).cloned();
    let included: Vec<String> = values.clone().filter_map(found).collect();
    let unknown: Vec<&str> = values
        .by_ref()
        .filter(|value| found(value).is_none())
        .collect();
    let marks = picker
        .list
        .marks()
        .map(|(key, mark)| (key.to_owned(), mark));
    let marks: Vec<_> = marks
        .chain(included.iter().map(|key| (key.clone(), Mark::Include)))
        .collect();
    picker.list.set_marks(marks);
    let taken = format!("{} pasted values included", included.len());
    state.notice = Some(match unknown.as_slice() {
        [] => Notice::Info(taken),
        [first, others @ ..] => Notice::Error(match others.len() {
            0 => format!("{taken}; there is no '{first}'"),
            count => format!("{taken}; there is no '{first}', and {count} more are unknown"),
        }),
    });
    Vec::new()
}

/// Dimensions have come.
pub(super) fn dimensions(state: &mut State, choices: &[DimensionChoice]) {
    if top(state).is_some_and(|picker| picker.kind == PickerKind::Cell) {
        let offered = drill::dimensions(state, choices);
        if let Some(picker) = top(state) {
            fill(picker, offered);
        }
        return;
    }
    let filter = matches!(
        top(state).map(|picker| &picker.kind),
        Some(PickerKind::Dimensions { filter: true })
    );
    let offered = offers::dimensions(state, choices, filter);
    let marks = if filter {
        Vec::new()
    } else {
        group_marks(state)
    };
    if let Some(picker) =
        top(state).filter(|picker| matches!(picker.kind, PickerKind::Dimensions { .. }))
    {
        fill(picker, offered);
        picker.list.set_marks(marks);
    }
}

fn group_marks(state: &State) -> Vec<(String, Mark)> {
    state
        .groups()
        .iter()
        .map(|group| (group.to_string(), Mark::Include))
        .collect()
}

/// Values have come.
pub(super) fn values(state: &mut State, values: ValueList) {
    let today = state.setting.today;
    let Some(picker) = top(state) else { return };
    let PickerKind::Values { field, .. } = &picker.kind else {
        return;
    };
    let field = field.clone();
    let picked = edit::picked(&state.query, &field);
    let Some(picker) = top(state) else { return };
    picker.note = Some(offers::values_note(&values, today));
    picker.list.set_items(offers::values(&values, &picked));
    let marks = |values: Vec<String>, mark| values.into_iter().map(move |value| (value, mark));
    picker.list.set_marks(
        marks(picked.include, Mark::Include).chain(marks(picked.exclude, Mark::Exclude)),
    );
}

/// Earlier queries have come: for the list, and for Up and Down in the prompt.
pub(super) fn history(state: &mut State, entries: Vec<Earlier>) {
    let offered = offers::history(&entries);
    for entry in entries {
        if !state.prompt.history.contains(&entry.text) {
            state.prompt.history.push(entry.text);
        }
    }
    if let Some(picker) = top(state).filter(|picker| picker.kind == PickerKind::History) {
        fill(picker, offered);
    }
}

/// What was chosen for words has come.
pub(super) fn choices(state: &mut State, remembered: &[RememberedChoice]) {
    if let Some(picker) = top(state).filter(|picker| picker.kind == PickerKind::Choices) {
        if remembered.is_empty() {
            picker.note = Some("nothing was chosen yet".to_owned());
        }
        fill(picker, offers::choices(remembered));
    }
}

/// Opens the list of what can be copied; from a window of text, that text.
pub(super) fn copy(state: &mut State) -> Vec<Effect> {
    match state.popups.last() {
        Some(Popup::Reader(reader)) => vec![Effect::Copy(offers::page_text(state, &reader.page))],
        _ => open(state, PickerKind::Copies),
    }
}

/// Takes what is selected.
pub(super) fn choose(state: &mut State) -> Vec<Effect> {
    let Some(picker) = top(state) else {
        return Vec::new();
    };
    let filter = matches!(picker.kind, PickerKind::Dimensions { filter: true });
    if let PickerKind::Values { .. } = picker.kind
        && picker.typed.is_none()
    {
        return apply_values(state);
    }
    if picker.typed.is_none()
        && let Some(reason) = picker
            .list
            .selected()
            .and_then(|item| item.disabled.clone())
    {
        state.notice = Some(Notice::Error(reason));
        return Vec::new();
    }
    let Some(choice) = picker.choice().cloned() else {
        return Vec::new();
    };
    if let Choice::Dimension { .. } = choice {
        return if filter {
            open_values(state)
        } else {
            group(state)
        };
    }
    state.popups.pop();
    let mut changed = state.query.clone();
    match choice {
        Choice::Condition(condition) => {
            // The list of dimensions below it has done its work.
            state.popups.clear();
            edit::add_condition(&mut changed, condition);
        }
        Choice::Time(time) => changed.time = time,
        Choice::Dates => return dates::open(state),
        Choice::Compare(compare) => times::set_comparison(&mut changed, compare),
        Choice::Order(key) => changed.order = key.into_iter().collect(),
        Choice::Limit(limit) => edit::set_limit(&mut changed, limit),
        Choice::Total(total) => changed.total = total,
        Choice::Line(line) => return take_line(state, &line),
        Choice::Analysis(view) => return analyses::take(state, &view),
        Choice::Forget(words) => return vec![Effect::Forget(words)],
        Choice::Meaning(words, meaning) => return ask::choose(state, words, meaning),
        Choice::Action(action) => {
            commands::remember(state, action);
            return act::perform_if_enabled(state, action);
        }
        Choice::Elsewhere(context) => {
            let text = format!("a key of another place: {}", context.title());
            state.notice = Some(Notice::Info(text));
            return Vec::new();
        }
        Choice::Step(words, query) => return attempt::step(state, words, *query),
        Choice::Connection(name) => return vec![Effect::Connect(name)],
        Choice::Verdict(thumb, words) => {
            let line = state
                .result
                .compiled
                .as_ref()
                .map(|compiled| compiled.query.to_string());
            let effect = line.map(|line| Effect::Feedback { line, thumb, words });
            return effect.into_iter().collect();
        }
        Choice::Copy(kind) => return result::copy(state, kind),
        Choice::Chart(choice) => return chart::choose(state, choice),
        Choice::Theme(name) => {
            theme::choose(state, name);
            return Vec::new();
        }
        Choice::Dimension { .. } => {}
    }
    query::set(state, changed)
}

/// An earlier line becomes the line being typed, or else the query.
pub(super) fn take_line(state: &mut State, line: &str) -> Vec<Effect> {
    if state.prompt.typing {
        state.prompt.input.set(line);
        return prompt::typed(state, true);
    }
    match line.parse() {
        Ok(earlier) => query::replace(state, earlier, None),
        // A question is looked at before it is asked again.
        Err(_) => {
            let mut effects = ask::open(state);
            state.prompt.input.set(line);
            effects.extend(prompt::typed(state, true));
            effects
        }
    }
}

/// Takes the entry at an index.
pub(super) fn take_candidate(state: &mut State, index: usize) -> Vec<Effect> {
    let Some(picker) = top(state) else {
        return Vec::new();
    };
    let Some(key) = picker.list.items().get(index).map(|item| item.key.clone()) else {
        return Vec::new();
    };
    picker.list.set_query("");
    picker.list.select(&key);
    choose(state)
}

/// Groups by the selected dimension, or no longer, and closes the list; where something was marked and nothing typed
/// since, that is all that was wanted.
fn group(state: &mut State) -> Vec<Effect> {
    let is_done = top(state).is_some_and(|picker| picker.is_marked && picker.input.is_empty());
    let effects = if is_done { Vec::new() } else { toggle(state) };
    state.popups.pop();
    effects
}

/// A mark was set: the next one is searched anew.
fn marked(picker: &mut Picker) {
    picker.is_marked = true;
    let key = picker.list.selected().map(|item| item.key.clone());
    picker.input.set("");
    picker.list.set_query("");
    if let Some(key) = key {
        picker.list.select(&key);
    }
}

/// Groups by the selected dimension, or no longer.
pub(super) fn toggle(state: &mut State) -> Vec<Effect> {
    let groups = state.groups();
    let Some(picker) = top(state) else {
        return Vec::new();
    };
    let Some(Choice::Dimension { group, .. }) = picker.selected().cloned() else {
        return Vec::new();
    };
    picker.list.toggle(Mark::Include);
    marked(picker);
    let mut changed = state.query.clone();
    edit::toggle_group(&mut changed, &groups, &group);
    // A first grouping brings the total row with it, and the last one takes it away.
    let grouped = changed
        .group_by
        .as_ref()
        .is_some_and(|groups| !groups.is_empty());
    if grouped == groups.is_empty() && !changed.metrics.is_empty() {
        changed.total = grouped;
    }
    query::set(state, changed)
}

/// Opens the values of the selected dimension.
pub(super) fn open_values(state: &mut State) -> Vec<Effect> {
    let Some(picker) = top(state) else {
        return Vec::new();
    };
    match picker.selected().cloned() {
        Some(Choice::Dimension {
            field: Some((field, kind)),
            ..
        }) => open(state, PickerKind::Values { field, kind }),
        Some(Choice::Dimension { field: None, .. }) => {
            let key = state.key(Action::Time);
            state.notice = Some(Notice::Info(format!(
                "a time grain has no values; {key} chooses the time range"
            )));
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Includes (excludes) the selected value, or no longer.
pub(super) fn mark(state: &mut State, include: bool) -> Vec<Effect> {
    if let Some(picker) = top(state) {
        picker.list.toggle(if include {
            Mark::Include
        } else {
            Mark::Exclude
        });
        if picker.input.is_empty() {
            picker.list.move_by(1);
        } else if picker.list.selected().is_some() {
            marked(picker);
        }
    }
    Vec::new()
}

/// Makes the marked values a condition; without any mark, the selected value alone.
fn apply_values(state: &mut State) -> Vec<Effect> {
    let Some(picker) = top(state) else {
        return Vec::new();
    };
    let PickerKind::Values { field, .. } = picker.kind.clone() else {
        return Vec::new();
    };
    if state.query.is_empty() {
        state.notice = Some(Notice::Error(
            "choose a metric first, or a grouping, then filter".to_owned(),
        ));
        return Vec::new();
    }
    let Some(picker) = top(state) else {
        return Vec::new();
    };
    let mut picked = Picked::default();
    for (value, mark) in picker.list.marks() {
        match mark {
            Mark::Include => picked.include.push(value.to_owned()),
            Mark::Exclude => picked.exclude.push(value.to_owned()),
        }
    }
    let had_marks = !edit::picked(&state.query, &field).is_empty();
    let Some(picker) = top(state) else {
        return Vec::new();
    };
    // What was searched and not marked is meant too.
    let is_searched = !picker.input.is_empty();
    if is_searched || picked.is_empty() && !had_marks {
        let found = picker.list.selected().map(|item| item.key.clone());
        let is_new = |key: &String| !picked.include.contains(key) && !picked.exclude.contains(key);
        let found = found.filter(is_new);
        picked.include.extend(found);
    }
    state.popups.clear();
    let mut changed = state.query.clone();
    edit::set_picked(&mut changed, &field, picked);
    query::set(state, changed)
}

/// Opens what edits a condition: the values of its dimension, or the line where it is no plain pick.
pub(super) fn edit_condition(state: &mut State, part: &Part) -> Vec<Effect> {
    let PartKind::Condition(index) = part.kind else {
        return Vec::new();
    };
    match edit::conditions(&state.query).get(index) {
        None => act::perform(state, Action::Filter),
        Some(
            Filter::Compare {
                field,
                op: CompareOp::Eq | CompareOp::Ne,
                ..
            }
            | Filter::In { field, .. },
        ) => {
            let (field, kind) = (field.clone(), DimensionType::Text);
            open(state, PickerKind::Values { field, kind })
        }
        Some(_) => prompt::open(state),
    }
}

/// A row was clicked: the first time it is selected, then it is taken.
pub(super) fn click(state: &mut State, column: u16, row: u16) -> Vec<Effect> {
    let size = state.size;
    let area = Rect {
        x: 0,
        y: 0,
        ..match top(state) {
            Some(picker) => layout::picker_list(size, &picker.kind),
            None => return Vec::new(),
        }
    };
    let Some(picker) = top(state) else {
        return Vec::new();
    };
    let Some(key) = picker.list.key_at(column, row, area).map(str::to_owned) else {
        return Vec::new();
    };
    if picker.list.selected().is_some_and(|item| item.key == key) {
        return choose(state);
    }
    picker.list.select(&key);
    Vec::new()
}

/// Moves in the list.
pub(super) fn step(state: &mut State, action: Action) {
    if let Some(picker) = top(state) {
        match action {
            Action::PageUp => picker.list.page(-1),
            Action::PageDown => picker.list.page(1),
            other => picker.list.move_by(act::rows(other, 0)),
        }
    }
}
