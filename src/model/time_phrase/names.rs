//! The words for months, weekdays, numbers and units.

use jiff::civil::Weekday;

use super::cursor::Cursor;
use crate::model::Grain;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];
const NUMBERS: [&str; 12] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
];
const ORDINALS: [&str; 4] = ["first", "second", "third", "fourth"];

/// Ranges count up to here, as query lines do.
pub(super) const MAX_COUNT: u32 = 9_999;

/// The number of a month, from its name or the first letters of it in lower case (`november`, `nov`, `sept`).
pub fn month(word: &str) -> Option<i8> {
    let is_name = |name: &str| {
        word == name
            || word.len() == 3 && name.starts_with(word)
            || word == "sept" && name == "september"
    };
    let at = MONTHS.iter().position(|name| is_name(name))?;
    i8::try_from(at + 1).ok()
}

/// The name of a month, 1 to 12, with a capital letter.
pub(super) fn month_name(month: i8) -> String {
    let at = usize::try_from(month - 1).unwrap_or_default();
    capital(MONTHS.get(at).copied().unwrap_or_default())
}

/// A word with a capital letter.
pub(super) fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// A weekday by its whole name.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    WEEKDAYS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, day)| *day)
}

/// A weekday, also by its first letters; for places where nothing else can stand ("last mon", "on tue").
pub(super) fn short_weekday(word: &str) -> Option<Weekday> {
    let letters = match word {
        "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun" => word,
        "tues" => "tue",
        "weds" => "wed",
        "thur" | "thurs" => "thu",
        _ => return weekday(word),
    };
    WEEKDAYS
        .iter()
        .find(|(name, _)| name.starts_with(letters))
        .map(|(_, day)| *day)
}

/// The name of a weekday, with a capital letter.
pub(super) fn weekday_name(day: Weekday) -> String {
    let name = WEEKDAYS.iter().find(|(_, this)| *this == day);
    capital(name.map(|(name, _)| *name).unwrap_or_default())
}

/// A count: `7`, `seven`, `a`, `a couple of`.
pub(super) fn count(cursor: Cursor<'_>) -> Option<(u32, Cursor<'_>)> {
    if let Some((n, _, next)) = cursor.digits() {
        return (1..=MAX_COUNT).contains(&n).then_some((n, next.hyphen()));
    }
    if let Some(next) = cursor.longest(&["a couple of", "couple of", "a couple", "couple"]) {
        return Some((2, next));
    }
    if let Some(next) = cursor.any(&["a", "an"]) {
        return Some((1, next));
    }
    let written = |word: &str| NUMBERS.iter().position(|name| *name == word);
    let (at, next) = cursor.take(written)?;
    Some((u32::try_from(at + 1).ok()?, next.hyphen()))
}

/// Which one of up to four: `3rd`, `third`.
pub(super) fn ordinal(cursor: Cursor<'_>) -> Option<(i8, Cursor<'_>)> {
    if let Some((n, _, next)) = cursor.digits() {
        let next = next
            .is_glued()
            .then(|| next.any(&["st", "nd", "rd", "th"]))
            .flatten()?;
        return Some((i8::try_from(n).ok()?, next.hyphen()));
    }
    let written = |word: &str| ORDINALS.iter().position(|name| *name == word);
    let (at, next) = cursor.take(written)?;
    Some((i8::try_from(at + 1).ok()?, next.hyphen()))
}

/// A unit of time, and how many of its grain it is: a fortnight is two weeks.
pub(super) fn unit(cursor: Cursor<'_>) -> Option<((u32, Grain), Cursor<'_>)> {
    let is_glued = cursor.is_glued();
    cursor.take(|word| {
        Some(match word {
            "day" | "days" => (1, Grain::Day),
            "week" | "weeks" | "wk" | "wks" => (1, Grain::Week),
            "fortnight" | "fortnights" => (2, Grain::Week),
            "month" | "months" | "mo" | "mos" | "mth" | "mths" => (1, Grain::Month),
            "quarter" | "quarters" | "qtr" | "qtrs" => (1, Grain::Quarter),
            "year" | "years" | "yr" | "yrs" => (1, Grain::Year),
            // "30d", "12m"
            "d" if is_glued => (1, Grain::Day),
            "w" if is_glued => (1, Grain::Week),
            "m" if is_glued => (1, Grain::Month),
            "q" if is_glued => (1, Grain::Quarter),
            "y" if is_glued => (1, Grain::Year),
            _ => return None,
        })
    })
}

/// "1 day", "3 weeks".
pub(super) fn counted(n: u32, grain: Grain) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {grain}{plural}")
}
