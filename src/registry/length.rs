//! Lengths of time: windows, offsets and limits, as people write them.

use super::diagnostic::{Sink, did_you_mean};
use super::raw::RawOffset;
use super::read::MapOr;
use super::yaml::Text;
use crate::model::{Calendar, CalendarTable, Grain, Offset, TimeRange, Window};

/// Whether a text is a bare length such as `28 days`, which is no time range.
pub(crate) fn is_length(text: &Text) -> bool {
    matches!(parts(&text.value), Some((Some(_), word)) if Grain::from_word(word).is_some())
}

/// `28 days`, `trailing 3 months`, `quarter_to_date`, `all_time`.
pub(crate) fn window(
    text: &Text,
    calendar: Option<&CalendarTable>,
    sink: &mut Sink,
) -> Option<Window> {
    let length = text.value.trim().strip_prefix("trailing ");
    if let Some((number, word)) = parts(length.unwrap_or(&text.value))
        && let Some(grain) = Grain::from_word(word)
    {
        let n = number_of(number, text, sink)?;
        return Some(Window::Trailing(n, grain));
    }
    // A day so far, or an hour, is a window but no time range.
    let so_far = text.value.trim().strip_suffix("_to_date");
    if let Some(period) = calendar.and_then(|table| table.periods.get(so_far?)) {
        return Some(Window::ToDateOf(period.name.clone()));
    }
    if let Some(grain) = so_far.and_then(Grain::from_word) {
        return Some(Window::ToDate(grain));
    }
    match text.value.parse::<TimeRange>() {
        Ok(TimeRange::AllTime) => Some(Window::AllTime),
        Ok(TimeRange::ToDate(grain)) => Some(Window::ToDate(grain)),
        Ok(_) | Err(_) => {
            let message = format!("'{}' is not the window of a cumulative metric", text.value);
            let hint =
                "write a length such as 28 days, or day_to_date, week_to_date, month_to_date, \
                        quarter_to_date, year_to_date, all_time, or a period of the calendar table to date"
                    .to_owned();
            sink.error(
                "invalid_value",
                text.place,
                &text.value,
                message,
                Some(hint),
            );
            None
        }
    }
}

/// `7 days`, `36 hours`.
pub(crate) fn limit(text: &Text, sink: &mut Sink) -> Option<(u32, Grain)> {
    let length =
        parts(&text.value).and_then(|(number, word)| Some((number, Grain::from_word(word)?)));
    let Some((number, grain)) = length else {
        not_a_length(text, None, sink);
        return None;
    };
    Some((number_of(number, text, sink)?, grain))
}

/// `1 month`, `2 weeks`, `1 fiscal_quarter`, `{to: month}`.
pub(crate) fn offset(
    raw: &MapOr<RawOffset, Text>,
    owner: &Text,
    calendar: &Calendar,
    sink: &mut Sink,
) -> Option<Offset> {
    let text = match raw {
        MapOr::Short(text) => text,
        MapOr::Map(RawOffset { to: Some(to) }) => {
            let table = calendar.table.as_ref();
            if let Some(period) = table.and_then(|table| table.periods.get(&to.value)) {
                return Some(Offset::StartOfPeriod(period.name.clone()));
            }
            let grain = Grain::ALL.iter().find(|grain| grain.word() == to.value);
            let Some(grain) = grain.filter(|grain| **grain >= Grain::Hour) else {
                let message =
                    "an offset leads to the start of an hour, day, week, month, quarter or year";
                let grains = Grain::ALL.iter().filter(|grain| **grain >= Grain::Hour);
                let grains = grains.map(|grain| -> &str { grain.word() });
                let periods = table.into_iter().flat_map(|table| table.periods.keys());
                let known = periods.map(String::as_str).chain(grains);
                let hint = did_you_mean(&to.value, known);
                let hint = hint.or(Some("write {to: month}".to_owned()));
                sink.error("invalid_value", to.place, &to.value, message, hint);
                return None;
            };
            return Some(Offset::StartOf(*grain));
        }
        MapOr::Map(RawOffset { to: None }) => {
            let message = format!("the offset of '{}' says nothing", owner.value);
            let hint = Some("write offset: 1 month, or offset: {to: month}".to_owned());
            sink.error("missing_key", owner.place, "offset", message, hint);
            return None;
        }
    };
    let periods: Vec<&str> = calendar
        .table
        .iter()
        .flat_map(|table| table.periods.keys().map(String::as_str))
        .collect();
    let Some((number, word)) = parts(&text.value) else {
        not_a_length(text, None, sink);
        return None;
    };
    // A period of the calendar table takes the place of a grain of the same name.
    let singular = word.strip_suffix('s').unwrap_or(word);
    let named = |word: &str| periods.iter().find(|name| name.eq_ignore_ascii_case(word));
    let period = named(word).or_else(|| named(singular));
    if period.is_none() && Grain::from_word(word).is_none() {
        let grains = Grain::ALL.iter().map(|grain| -> &str { grain.word() });
        let known = periods.iter().copied().chain(grains);
        not_a_length(text, did_you_mean(word, known), sink);
        return None;
    }
    let n = number_of(number, text, sink)?;
    match period {
        Some(period) => Some(Offset::AgoCustom(n, (*period).to_owned())),
        None => Grain::from_word(word).map(|grain| Offset::Ago(n, grain)),
    }
}

/// A number and a word: `28 days`. The number is `None` where it is too large to mean anything.
fn parts(text: &str) -> Option<(Option<u32>, &str)> {
    let (number, word) = text.trim().split_once(char::is_whitespace)?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (number.parse().ok(), word.trim_start()))
}

fn number_of(number: Option<u32>, text: &Text, sink: &mut Sink) -> Option<u32> {
    match number {
        Some(0) => {
            let message = format!("'{}' is no time at all", text.value);
            let hint = Some("a length is at least 1".to_owned());
            sink.error("invalid_value", text.place, &text.value, message, hint);
            None
        }
        None => {
            let message = format!("'{}' is longer than any calendar", text.value);
            sink.error(
                "invalid_value",
                text.place,
                &text.value,
                message,
                Some("write fewer, or all_time where everything counts".to_owned()),
            );
            None
        }
        number => number,
    }
}

fn not_a_length(text: &Text, hint: Option<String>, sink: &mut Sink) {
    let message = format!("'{}' is not a length of time", text.value);
    let hint = hint.unwrap_or_else(|| "write it like 1 month or 28 days".to_owned());
    sink.error(
        "invalid_value",
        text.place,
        &text.value,
        message,
        Some(hint),
    );
}
