//! Which rows count for which day of an answer: what accumulates, looks back, closes a period, or follows something.

use std::collections::{BTreeMap, HashMap};

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::by_hand::{Key, Question};
use super::rows::Row;

/// The rows that count for a period.
#[derive(Clone, Copy)]
pub enum Window {
    /// Its own.
    Own,
    /// Those of a year before.
    YearLater,
    /// Those of so many days that end with it.
    Days(i64),
    /// Those of the month so far that it ends in.
    Month,
}

/// The days of the answer that a row counts for.
pub fn days(window: Window, row: &Row, question: &Question) -> Vec<Date> {
    let day: Date = row.day().parse().unwrap();
    let ends = |counts: &dyn Fn(Date) -> bool| {
        let ends = question.ends.iter().copied();
        ends.filter(|end| day <= *end && counts(*end)).collect()
    };
    let shown = |day: Date| {
        let within = |(first, last)| (first..=last).contains(&day);
        question.range.is_none_or(within)
    };
    match window {
        Window::Own => Vec::from_iter(Some(day).filter(|day| shown(*day))),
        Window::YearLater => Vec::from_iter(Some(day + 1.year()).filter(|day| shown(*day))),
        Window::Days(days) => ends(&|end| end < day + days.days()),
        Window::Month => ends(&|end| end.first_of_month() <= day),
    }
}

/// The rows of the last day with any, in each period.
pub fn last_snapshots<'w>(rows: Vec<(Row<'w>, Date)>, question: &Question) -> Vec<(Row<'w>, Date)> {
    let mut last: BTreeMap<Key, String> = BTreeMap::new();
    for (row, day) in &rows {
        let known = last.entry((question.period)(row, *day)).or_default();
        *known = row.day().max(known.clone());
    }
    let is_last = |(row, day): &(Row, Date)| last[&(question.period)(row, *day)] == row.day();
    rows.into_iter().filter(is_last).collect()
}

/// Conversions by the group of the event that each of them follows: the latest one of the same user, less than `within`
/// days before.
pub fn converted<'w>(
    events: impl Iterator<Item = Row<'w>>,
    conversions: impl Iterator<Item = Row<'w>>,
    within: i64,
    question: &Question,
) -> BTreeMap<Key, f64> {
    let mut of_user: HashMap<String, Vec<(DateTime, Key, Row)>> = HashMap::new();
    for event in events {
        let at = event.moment();
        let key = (question.key)(&event, at.date());
        let known = of_user.entry(event.value("user_id").key()).or_default();
        known.push((at, key, event));
    }
    let mut found: BTreeMap<Key, f64> = BTreeMap::new();
    for conversion in conversions {
        let at = conversion.moment();
        let events = of_user.get(&conversion.value("user_id").key());
        let before = events.into_iter().flatten().filter(|event| event.0 <= at);
        let latest = before.max_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        let Some((since, key, event)) = latest else {
            continue;
        };
        let asked = (question.keep)(event) && !days(Window::Own, event, question).is_empty();
        if asked && at < *since + within.days() {
            *found.entry(key.clone()).or_default() += 1.0;
        }
    }
    found
}
