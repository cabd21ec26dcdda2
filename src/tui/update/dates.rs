//! The calendar: a first day, then a last one, by arrows or typed.

use crossterm::event::{KeyCode, KeyEvent};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::query;
use crate::model::{Period, TimeRange};
use crate::tui::action::Action;
use crate::tui::message::{Effect, Notice};
use crate::tui::popup::{DatePicker, Popup};
use crate::tui::state::State;

/// Opens the calendar where the time range starts.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let today = state.setting.today;
    let week_start = state.catalog.registry.calendar.week_start;
    let time = state
        .query
        .time
        .map(|time| time.resolve(today, week_start).start);
    state.popups.push(Popup::Dates(Box::new(DatePicker {
        cursor: time.flatten().unwrap_or(today),
        from: None,
        input: Default::default(),
    })));
    Vec::new()
}

fn top(state: &mut State) -> Option<&mut DatePicker> {
    match state.popups.last_mut() {
        Some(Popup::Dates(picker)) => Some(picker),
        _ => None,
    }
}

/// First and last day of what is typed: a day, a month, a quarter, a year.
fn period(text: &str) -> Option<(Date, Date)> {
    let (first, end) = Period::parse(text.trim())?.days()?;
    Some((first, end.saturating_sub(1.day())))
}

/// A key that moves to another day.
pub(super) fn step(state: &mut State, action: Action) {
    let Some(picker) = top(state) else { return };
    let day = picker.cursor;
    let span = match action {
        Action::Left => -1.day(),
        Action::Right => 1.day(),
        Action::Up => -1.week(),
        Action::Down => 1.week(),
        Action::PageUp => -1.month(),
        Action::PageDown => 1.month(),
        Action::First => (1 - day.day()).days(),
        Action::Last => (day.days_in_month() - day.day()).days(),
        _ => return,
    };
    picker.cursor = day.saturating_add(span);
    picker.input.set("");
}

/// A key that is typed; Backspace in the empty text goes back to the first day.
pub(super) fn key(state: &mut State, event: KeyEvent) {
    let Some(picker) = top(state) else { return };
    if event.code == KeyCode::Backspace && picker.input.is_empty() {
        picker.cursor = picker.from.take().unwrap_or(picker.cursor);
    } else if picker.input.key(event) {
        typed(picker);
    }
}

/// A text that is pasted.
pub(super) fn paste(state: &mut State, text: &str) {
    if let Some(picker) = top(state) {
        picker.input.paste(text);
        typed(picker);
    }
}

/// The cursor follows what is typed.
fn typed(picker: &mut DatePicker) {
    if let Some((first, last)) = period(picker.input.text()) {
        picker.cursor = match picker.from {
            None => first,
            Some(_) => last,
        };
    }
}

/// Takes the day: as the first one, then as the last one of the range.
pub(super) fn choose(state: &mut State) -> Vec<Effect> {
    let Some(picker) = top(state) else {
        return Vec::new();
    };
    let text = picker.input.text().trim().to_owned();
    let typed = period(&text);
    if typed.is_none() && !text.is_empty() {
        let text = format!("'{text}' is no day; write 2026-03-31, 2026-03 or 2026Q1");
        state.notice = Some(Notice::Error(text));
        return Vec::new();
    }
    let Some(from) = picker.from else {
        picker.from = Some(picker.cursor);
        // A month that was typed is taken as a whole by a second Enter.
        picker.cursor = typed.map_or(picker.cursor, |(_, last)| last);
        picker.input.set("");
        return Vec::new();
    };
    let (first, last) = (from.min(picker.cursor), from.max(picker.cursor));
    state.popups.pop();
    let mut changed = state.query.clone();
    let days = (Some(Period::Day(first)), Some(Period::Day(last)));
    changed.time = Some(TimeRange::Span(days.0, days.1));
    query::set(state, changed)
}

/// A day was clicked: the first time the cursor goes there, then it is taken.
pub(super) fn click(state: &mut State, day: Date) -> Vec<Effect> {
    match top(state) {
        Some(picker) if picker.cursor != day => {
            picker.cursor = day;
            picker.input.set("");
            Vec::new()
        }
        _ => choose(state),
    }
}
