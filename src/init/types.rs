//! The type of a CSV column, from all of its values; never from a sample.

use std::collections::HashSet;

use jiff::civil::{Date, DateTime};
use xxhash_rust::xxh3::xxh3_64;

use super::words;
use crate::model::ColumnType;
use crate::warehouse::Cell;

/// Texts that stand for "no value" in columns of numbers, dates and flags. In a column of texts they stay what they are.
const NULL_WORDS: [&str; 10] = [
    "NULL", "null", "\\N", "NA", "N/A", "n/a", "NaN", "nan", "None", "#N/A",
];

/// How the values of one column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The type.
    pub(super) ty: ColumnType,
    /// Times carry an offset and are turned into UTC.
    pub(super) zoned: bool,
}

/// What has been seen of one column.
#[derive(Debug)]
pub(super) struct Inference {
    /// Named like a flag (`is_food`, `has_coupon`, `vip_flag`): 0 and 1 mean no and yes.
    flag: bool,
    candidates: Vec<Reading>,
    values: u64,
    empty: u64,
    null_words: u64,
    /// Hashes of the values, while no value came twice.
    unique: Option<HashSet<u64>>,
    sample: String,
}

impl Inference {
    pub(super) fn new(name: &str) -> Self {
        let plain = |ty| Reading { ty, zoned: false };
        Self {
            flag: is_flag(name),
            // In order of preference; the first that fits every value is taken.
            candidates: vec![
                plain(ColumnType::Boolean),
                plain(ColumnType::Integer),
                plain(ColumnType::Number),
                plain(ColumnType::Date),
                plain(ColumnType::Timestamp),
                Reading {
                    ty: ColumnType::Timestamp,
                    zoned: true,
                },
            ],
            values: 0,
            empty: 0,
            null_words: 0,
            unique: Some(HashSet::new()),
            sample: String::new(),
        }
    }

    /// Takes one value into account.
    pub(super) fn see(&mut self, text: &str) {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            self.empty += 1;
            return;
        }
        if let Some(seen) = &mut self.unique
            && !seen.insert(xxh3_64(trimmed.as_bytes()))
        {
            self.unique = None;
        }
        if NULL_WORDS.contains(&trimmed) {
            self.null_words += 1;
            return;
        }
        self.values += 1;
        if self.sample.is_empty() {
            trimmed.clone_into(&mut self.sample);
        }
        let flag = self.flag;
        self.candidates
            .retain(|reading| cell(trimmed, *reading, flag).is_some());
    }

    /// How to read the column; text where nothing stricter fits.
    pub(super) fn reading(&self) -> Reading {
        let text = Reading {
            ty: ColumnType::Text,
            zoned: false,
        };
        if self.values == 0 {
            text
        } else {
            self.candidates.first().copied().unwrap_or(text)
        }
    }

    /// Values that are read as NULL.
    pub(super) fn nulls(&self) -> u64 {
        let words = if self.reading().ty == ColumnType::Text {
            0
        } else {
            self.null_words
        };
        self.empty + words
    }

    /// How many `N/A` and the like are read as NULL.
    pub(super) fn null_words(&self) -> u64 {
        self.nulls() - self.empty
    }

    /// Whether every row has a value and no value comes twice.
    pub(super) fn is_unique(&self) -> bool {
        self.nulls() == 0 && self.unique.as_ref().is_some_and(|seen| !seen.is_empty())
    }

    /// What the values look like, where they stay text although a reader would call them dates or amounts.
    pub(super) fn looks_like(&self) -> Option<String> {
        let text = &self.sample;
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let only = |others: &str| {
            text.chars()
                .all(|c| c.is_ascii_digit() || others.contains(c))
        };
        if self.reading().ty != ColumnType::Text || digits == 0 {
            None
        } else if (6..=8).contains(&digits) && only("/.") && text.matches(['/', '.']).count() == 2 {
            Some(format!(
                "'{text}' looks like a date: write dates as 2025-01-31"
            ))
        } else if only(" .,$€£¥%") && text.contains(['$', '€', '£', '¥', '%', ',']) {
            Some(format!(
                "'{text}' looks like a number: write numbers as 1234.5"
            ))
        } else {
            None
        }
    }
}

/// Whether a column of this name says yes or no.
pub(super) fn is_flag(name: &str) -> bool {
    let parts = words::words(name);
    let first = parts.first().copied().unwrap_or_default();
    parts.len() > 1
        && (["is", "has", "was", "are", "had", "can", "did", "should"].contains(&first)
            || parts.last() == Some(&"flag"))
}

/// The value of `text` under a reading, or NULL for an empty text; `None` where it does not fit.
pub(super) fn read<'a>(text: &'a str, reading: Reading, name_is_flag: bool) -> Option<Cell<'a>> {
    let trimmed = text.trim();
    if trimmed.is_empty() || reading.ty != ColumnType::Text && NULL_WORDS.contains(&trimmed) {
        return Some(Cell::Null);
    }
    if reading.ty == ColumnType::Text {
        return Some(Cell::Text(text));
    }
    cell(trimmed, reading, name_is_flag)
}

fn cell<'a>(text: &'a str, reading: Reading, flag: bool) -> Option<Cell<'a>> {
    match reading.ty {
        ColumnType::Text => Some(Cell::Text(text)),
        ColumnType::Boolean => boolean(text, flag).map(Cell::Boolean),
        ColumnType::Integer => integer(text).map(Cell::Integer),
        ColumnType::Number => number(text).map(Cell::Number),
        ColumnType::Date => date(text).map(Cell::Date),
        ColumnType::Timestamp => timestamp(text, reading.zoned).map(Cell::Timestamp),
    }
}

fn boolean(text: &str, flag: bool) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        "1" | "t" | "yes" | "y" if flag => Some(true),
        "0" | "f" | "no" | "n" if flag => Some(false),
        _ => None,
    }
}

/// Digits without a leading zero: `007` and `+49` are codes, not numbers.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (plain && (text == "0" || !digits.starts_with('0'))).then(|| text.parse().ok())?
}

/// Digits with an optional fraction and exponent. An integer too long for 64 bits is an identifier: as a float it
/// would lose digits.
fn number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(exponent) = exponent
        && !digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
    {
        return None;
    }
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole_fits = whole == "0"
        || digits(whole) && !whole.starts_with('0')
        || whole.is_empty() && fraction.is_some();
    if !whole_fits || !fraction.is_none_or(digits) {
        return None;
    }
    if fraction.is_none() && exponent.is_none() && integer(text).is_none() {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// `2025-01-31`
fn date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| {
            if at == 4 || at == 7 {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
    shape.then(|| text.parse().ok())?
}

/// `2025-01-31 08:30`, with a `T` or a space and optional seconds; a plain date is midnight. With `zoned`, `Z` or an
/// offset such as `+02:00` must follow, and the time is turned into UTC.
fn timestamp(text: &str, zoned: bool) -> Option<DateTime> {
    let day = date(text.get(..10)?)?;
    let Some(rest) = text.get(10..).filter(|rest| !rest.is_empty()) else {
        return (!zoned).then(|| day.into());
    };
    let time = rest.strip_prefix([' ', 'T'])?;
    if !time.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let end = time
        .find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.')
        .unwrap_or(time.len());
    let (clock, offset) = time.split_at_checked(end)?;
    let clock: jiff::civil::Time = (clock.len() >= 5).then(|| clock.parse().ok())??;
    let local = day.to_datetime(clock);
    match (zoned, offset_seconds(offset.trim_start())) {
        (false, None) if offset.is_empty() => Some(local),
        (true, Some(seconds)) => local
            .checked_sub(jiff::SignedDuration::from_secs(seconds))
            .ok(),
        _ => None,
    }
}

/// `Z`, `UTC`, `+02`, `+0200`, `+02:00`
fn offset_seconds(text: &str) -> Option<i64> {
    if text == "Z" || text == "UTC" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.strip_prefix(['+', '-'])?.replace(':', "");
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits
        .get(2..)
        .filter(|rest| !rest.is_empty())
        .map_or(Ok(0), str::parse)
        .ok()?;
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}
