//! Literals against the known values: a literal that does not occur in its column answers another question, in silence.

use jiff::civil::{Date, DateTime, Time};

use super::finding::Code;
use super::known::Entry;
use super::meaning::{Base, Constant, ConstantKind, Fold};
use super::walk::{Comparison, How, Walk};
use crate::model::{ColumnState, DimensionType, ValueLookup};

/// Columns with no more values than this are listed whole.
const FEW: u64 = 20;
/// How many near values are listed otherwise.
const NEAR: usize = 5;

/// Characters of a value that are shown.
const SHOWN: usize = 64;

/// What is known of a literal in one column.
enum Knowledge {
    Occurs,
    /// Not in the data, with the index's entry that says so.
    Unknown(Entry, u64),
    /// Why nobody can tell.
    Unchecked(String),
}

/// Looks up every literal that the walk met beside a column.
pub(super) fn check(walk: &mut Walk, values: &dyn ValueLookup) {
    for comparison in std::mem::take(&mut walk.comparisons) {
        let Comparison {
            with,
            constant,
            how,
        } = &comparison;
        if constant.kind == ConstantKind::Other || walk.is_full() {
            continue;
        }
        let found: Vec<Knowledge> = with
            .bases
            .iter()
            .map(|base| look(walk, &comparison, base, values))
            .collect();
        if bad_date(walk, &comparison) {
            continue;
        }
        if found.iter().any(|one| matches!(one, Knowledge::Occurs)) {
            continue;
        }
        let spelled =
            |own: &Constant| with.fold.apply(&own.text) == with.fold.apply(&constant.text);
        if with.constants.iter().any(spelled) {
            continue;
        }
        let unchecked = found.iter().find_map(|one| match one {
            Knowledge::Unchecked(why) => Some(why.clone()),
            _ => None,
        });
        if let Some(why) = unchecked {
            unchecked_note(walk, constant, &why);
        } else if with.open || (with.bases.is_empty() && *how != How::Equal) {
            if constant.kind == ConstantKind::Text {
                unchecked_note(walk, constant, "it is compared with something computed");
            }
        } else if let Some(Knowledge::Unknown(entry, distinct)) = found.into_iter().next() {
            unknown(walk, &comparison, &entry, distinct, values);
        } else {
            not_a_result(walk, &comparison);
        }
    }
}

fn unchecked_note(walk: &mut Walk, constant: &Constant, why: &str) {
    walk.note(
        Code::UncheckedValue,
        &constant.text,
        constant.at,
        format!("'{}' was not looked up: {why}", constant.text),
    );
}

/// What the index says of a literal in a column, or in one of the same dimension that the query reads.
fn look(walk: &Walk, comparison: &Comparison, base: &Base, values: &dyn ValueLookup) -> Knowledge {
    let column = walk.known.written(base);
    let mut entries = walk.known.entries(base).iter();
    let Some(first) = entries.next() else {
        return match comparison.constant.kind {
            ConstantKind::Text => Knowledge::Unchecked(format!("{column} is no dimension")),
            // Numbers of columns that nobody filters by are amounts.
            _ => Knowledge::Occurs,
        };
    };
    let mut result = look_in(comparison, first, &column, values);
    for entry in entries {
        result = match (result, look_in(comparison, entry, &column, values)) {
            (Knowledge::Occurs, _) | (_, Knowledge::Occurs) => return Knowledge::Occurs,
            (Knowledge::Unknown(..), other) => other,
            (unchecked, _) => unchecked,
        };
    }
    if let Knowledge::Unknown(entry, distinct) = result {
        return elsewhere(walk, comparison, &entry, values)
            .unwrap_or(Knowledge::Unknown(entry, distinct));
    }
    result
}

/// A value that another table of the query has under the same dimension is a value: there are just no rows of it here.
fn elsewhere(
    walk: &Walk,
    comparison: &Comparison,
    missing: &Entry,
    values: &dyn ValueLookup,
) -> Option<Knowledge> {
    let tables = walk
        .read
        .iter()
        .filter_map(|table| walk.known.tables.get(table));
    let mut others = tables
        .flat_map(|table| table.columns.values())
        .flat_map(|column| &column.entries)
        .filter(|entry| entry.dimension == missing.dimension && **entry != *missing);
    others
        .any(|entry| matches!(look_in(comparison, entry, "", values), Knowledge::Occurs))
        .then(|| Knowledge::Unchecked(format!("{} has no rows with it", missing.table)))
}

fn look_in(
    comparison: &Comparison,
    entry: &Entry,
    column: &str,
    values: &dyn ValueLookup,
) -> Knowledge {
    let Comparison {
        with,
        constant,
        how,
    } = comparison;
    let text = constant.text.as_str();
    if entry.kind.is_time() {
        return match constant.kind {
            ConstantKind::Text => Knowledge::Unchecked(format!("{column} holds dates")),
            _ => Knowledge::Occurs,
        };
    }
    if entry.kind == DimensionType::Boolean {
        return Knowledge::Occurs;
    }
    match how {
        How::Equal => {}
        How::Range if constant.kind == ConstantKind::Number => return Knowledge::Occurs,
        How::Range => return Knowledge::Unchecked("it is the end of a range".to_owned()),
        How::Pattern => return Knowledge::Unchecked("it is a pattern".to_owned()),
    }
    let state = match entry.pii {
        true => ColumnState::Pii,
        false => values.state(&entry.table, &entry.column),
    };
    let distinct = match state {
        ColumnState::Indexed { distinct } => distinct,
        ColumnState::Wide { distinct } => {
            return Knowledge::Unchecked(format!("{column} has too many values ({distinct})"));
        }
        ColumnState::Pii => return Knowledge::Unchecked(format!("{column} is personal data")),
        ColumnState::Missing => {
            return Knowledge::Unchecked(format!("{column} is not indexed yet (metrex reindex)"));
        }
    };
    if entry.kind == DimensionType::Number {
        return Knowledge::Unchecked(format!("{column} holds numbers"));
    }
    let contains = |text: &str| values.contains(&entry.table, &entry.column, text);
    let folded = with.fold.apply(text);
    let occurs = match with.fold {
        Fold::Exact if with.trimmed => {
            contains(text) || nearest(entry, text, values).is_some_and(|near| near.trim() == text)
        }
        Fold::Exact => contains(text),
        // lower(x) = 'BR' never holds.
        Fold::Lower | Fold::Upper if folded != text => false,
        fold => {
            contains(text)
                || nearest(entry, text, values)
                    .is_some_and(|near| fold.apply(near.trim()) == folded)
        }
    };
    match occurs {
        true => Knowledge::Occurs,
        false => Knowledge::Unknown(entry.clone(), distinct),
    }
}

/// The value most like `text`; the same but for case comes first.
fn nearest(entry: &Entry, text: &str, values: &dyn ValueLookup) -> Option<String> {
    let near = values.nearest(&entry.table, &entry.column, text, 1);
    near.into_iter().next()
}

fn unknown(
    walk: &mut Walk,
    comparison: &Comparison,
    entry: &Entry,
    distinct: u64,
    values: &dyn ValueLookup,
) {
    let Comparison { with, constant, .. } = comparison;
    let column = with
        .bases
        .first()
        .map(|base| walk.known.written(base))
        .unwrap_or_default();
    let limit = usize::try_from(distinct.min(FEW)).unwrap_or(NEAR);
    let limit = if distinct <= FEW { limit } else { NEAR };
    let mut listed = values.nearest(&entry.table, &entry.column, &constant.text, limit);
    let near = listed.first().cloned();
    if with.fold != Fold::Exact {
        for value in &mut listed {
            *value = with.fold.apply(value);
        }
    }
    let listed: Vec<String> = listed.iter().map(|value| quoted(value)).collect();
    let what = match distinct <= FEW {
        true => "values",
        false => "nearest values",
    };
    let is_case = near.is_some_and(|near| near.to_lowercase() == constant.text.to_lowercase());
    let why = match (is_case, with.fold) {
        (true, _) => "case matters; ",
        (false, _) => "",
    };
    let hint = match listed.is_empty() {
        true => format!("{column} has no values"),
        false => format!(
            "{why}{what} of {column}: {}; write one of them, or leave this one out",
            listed.join(", ")
        ),
    };
    let message = format!("{} does not occur in {column}", quoted(&constant.text));
    walk.block(
        Code::UnknownValue,
        &constant.text,
        constant.at,
        message,
        Some(hint),
    );
}

/// A value in quotes, without what a reader does not see.
fn quoted(value: &str) -> String {
    let seen = value
        .chars()
        .filter(|c| !super::text::is_hidden(*c) && !c.is_control());
    let shown: String = seen.take(SHOWN).collect();
    format!("'{shown}'")
}

/// A literal that an expression of literals, such as a CASE, cannot come to.
fn not_a_result(walk: &mut Walk, comparison: &Comparison) {
    let Comparison { with, constant, .. } = comparison;
    if with
        .constants
        .iter()
        .any(|own| own.kind == ConstantKind::Number)
        || constant.kind == ConstantKind::Number
    {
        return;
    }
    let results: Vec<String> = with
        .constants
        .iter()
        .filter(|own| own.kind == ConstantKind::Text)
        .map(|own| quoted(&own.text))
        .collect();
    if results.is_empty() {
        return;
    }
    walk.block(
        Code::UnknownValue,
        &constant.text,
        constant.at,
        format!(
            "{} is never the result of this expression",
            quoted(&constant.text)
        ),
        Some(format!("it gives {}", results.join(", "))),
    );
}

/// A text that is compared with dates and is none: as texts, '2026-4-1' and '2026-04-01' sort apart.
fn bad_date(walk: &mut Walk, comparison: &Comparison) -> bool {
    let Comparison {
        with,
        constant,
        how,
    } = comparison;
    let is_time = |base: &Base| {
        let entries = walk.known.entries(base);
        !entries.is_empty() && entries.iter().all(|entry| entry.kind.is_time())
    };
    let compares_dates = !with.open && !with.bases.is_empty() && with.bases.iter().all(is_time);
    if constant.kind != ConstantKind::Text
        || *how == How::Pattern
        || !compares_dates
        || is_date(&constant.text)
    {
        return false;
    }
    let column = with.bases.first().map(|base| walk.known.written(base));
    let message = format!(
        "'{}' is no date, and is compared with {}",
        constant.text,
        column.unwrap_or_default()
    );
    walk.block(
        Code::BadDate,
        &constant.text,
        constant.at,
        message,
        Some("write '2026-04-01' or '2026-04-01 12:30:00'".to_owned()),
    );
    true
}

/// `2026-04-01`, `2026-04-01 12:30`, `2026-04-01T12:30:00.5`, with a zone or without.
fn is_date(text: &str) -> bool {
    let day = |text: &str| text.len() == 10 && text.parse::<Date>().is_ok();
    let Some((date, time)) = text.split_once(['T', ' ']) else {
        return day(text);
    };
    let time = time.trim_end_matches('Z');
    let zone = time.find(['+', '-']).unwrap_or(time.len());
    let clock = time.get(..zone).unwrap_or_default();
    day(date)
        && (clock.parse::<Time>().is_ok() || format!("{date}T{clock}").parse::<DateTime>().is_ok())
}
