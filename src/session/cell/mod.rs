//! One cell of a result: its text for people ([`cell_text`]) and for machines ([`raw_text`], [`raw_json`]).

mod number;
mod printable;

use std::fmt::Write;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_schema::{DataType, TimeUnit};
use jiff::civil::{Date, DateTime, Time, date};
use jiff::{Span, ToSpan};

use crate::compile::{OutputColumn, Role};
use crate::model::{ColumnType, Format, FormatKind, Grain, Weekday};

pub use printable::{push_printable, sanitize};

/// What stands in the place of a NULL; faces draw it in a style of its own, so that it differs from the text.
pub const NULL: &str = "NULL";

/// A cell as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellText {
    /// One line that is safe to print: control characters and bidi overrides are escaped. [`NULL`] for a NULL.
    pub text: String,
    /// Whether the value is NULL.
    pub is_null: bool,
    /// Whether the column reads better aligned to the right, which does not depend on the row.
    pub align_right: bool,
}

/// The cell for people. The rules, none of which depends on other rows:
///
/// - A number has the decimals of its format, else 2 (none for integers, 1 for percent, ISO 4217's for money), so that
///   the points of a column line up; only a value too small for them gets more, so that nothing but zero reads zero.
///   From 1e15 on it is written `1.5e18`.
/// - Integers that group are names (a year, an id) unless they have a format: `2025`, not `2,025`.
/// - Changes carry their sign.
/// - A date at the start of its period is the period (`2025-11`, `2025 Q3`, `2025-W45`, `2025`), else the day.
///
/// A row that does not exist reads as NULL.
pub fn cell_text(array: &dyn Array, row: usize, column: &OutputColumn) -> CellText {
    let mut text = String::new();
    let is_null = write_cell(&mut text, array, row, column);
    CellText {
        text,
        is_null,
        align_right: aligns_right(column),
    }
}

/// Whether a column reads better aligned to the right: numbers do.
pub fn aligns_right(column: &OutputColumn) -> bool {
    matches!(column.ty, ColumnType::Integer | ColumnType::Number)
}

/// Digits after the decimal point.
pub(super) fn decimals(format: &Format) -> u8 {
    format
        .decimals
        .unwrap_or_else(|| number::usual_decimals(format))
}

/// A number as its format writes it; `signed` puts a `+` before what is above zero. Where the format does not say, whole and
/// large numbers have no decimals.
pub fn number_text(value: f64, format: &Format, signed: bool) -> String {
    let mut text = String::new();
    let is_plain = format.kind == FormatKind::Number && format.decimals.is_none();
    let is_whole = value.fract() == 0.0 || value.abs() >= 100.0;
    let format = Format {
        decimals: if is_plain && is_whole {
            Some(0)
        } else {
            format.decimals
        },
        ..format.clone()
    };
    number::float(&mut text, value, &format, signed);
    text
}

/// A count with a comma between thousands.
pub fn thousands(count: usize) -> String {
    crate::model::thousands(u64::try_from(count).unwrap_or(u64::MAX))
}

/// A count with its noun, in the plural where it takes one.
pub fn counted(count: usize, noun: &str) -> String {
    crate::model::counted(u64::try_from(count).unwrap_or(u64::MAX), noun)
}

/// Appends [`cell_text`]'s text to `out`, for callers that look at many cells; returns whether the value is NULL.
pub fn write_cell(out: &mut String, array: &dyn Array, row: usize, column: &OutputColumn) -> bool {
    let value = Value::read(array, row);
    match &value {
        Value::Null => out.push_str(NULL),
        Value::Text(text) => push_printable(out, text),
        Value::Integer(n) if is_name(column) => push(out, format_args!("{n}")),
        Value::Integer(n) => number::integer(out, *n, &column.format, is_change(column)),
        Value::Number(x) if is_name(column) => out.push_str(&number::raw(*x)),
        Value::Number(x) => number::float(out, *x, &column.format, is_change(column)),
        Value::Boolean(b) => push(out, format_args!("{b}")),
        Value::Date(day) => period(out, day.at(0, 0, 0, 0), column.grain.unwrap_or(Grain::Day)),
        Value::Timestamp(at) => match column.grain {
            Some(grain) => period(out, *at, grain),
            None => push(out, format_args!("{} {}", at.date(), at.time())),
        },
        Value::Unknown(what) => out.push_str(what),
    }
    matches!(value, Value::Null)
}

/// Appends the cell with a number as `1.2M` where that is shorter; returns whether the value is NULL.
pub fn write_short(out: &mut String, array: &dyn Array, row: usize, column: &OutputColumn) -> bool {
    let signed = is_change(column);
    match Value::read(array, row) {
        Value::Integer(n) if !is_name(column) => {
            number::short(out, n as f64, &column.format, signed)
                || write_plain(out, array, row, column)
        }
        Value::Number(x) if !is_name(column) => {
            number::short(out, x, &column.format, signed) || write_plain(out, array, row, column)
        }
        _ => return write_cell(out, array, row, column),
    };
    false
}

fn write_plain(out: &mut String, array: &dyn Array, row: usize, column: &OutputColumn) -> bool {
    write_cell(out, array, row, column);
    true
}

/// Characters of the longest number that [`write_short`] writes for a column.
pub fn widest_short(column: &OutputColumn, is_negative: bool) -> usize {
    let widest = |x: f64| {
        let mut text = String::new();
        if !number::short(&mut text, x, &column.format, false) {
            number::float(&mut text, x, &column.format, false);
        }
        text.chars().count()
    };
    let signs = usize::from(is_negative || is_change(column));
    widest(999_900.0).max(widest(999.0)) + signs
}

/// Characters from the decimal point on in what [`write_short`] writes: `.2M`.
pub fn short_tail(column: &OutputColumn) -> usize {
    match column.ty {
        ColumnType::Integer => 3,
        _ => number::decimals(&column.format).map_or(3, |decimals| 3.max(decimals + 1)),
    }
}

/// The cell with all that a cell viewer can say: the full value, the unit, the first day of a week.
/// Line breaks of a text are kept; everything else that could harm a terminal is escaped.
pub fn cell_detail(array: &dyn Array, row: usize, column: &OutputColumn) -> String {
    let CellText { text, is_null, .. } = cell_text(array, row, column);
    if is_null {
        return text;
    }
    match Value::read(array, row) {
        Value::Text(text) => text.lines().map(sanitize).collect::<Vec<_>>().join("\n"),
        Value::Integer(_) | Value::Number(_) => {
            let mut detail = text.clone();
            if let Some(unit) = &column.format.unit {
                push(&mut detail, format_args!(" {}", sanitize(unit)));
            }
            let raw = raw_text(array, row).unwrap_or_default();
            if raw != text {
                push(&mut detail, format_args!(" ({raw})"));
            }
            detail
        }
        Value::Date(day) if text != day.to_string() => format!("{text} (from {day})"),
        Value::Timestamp(at)
            if column.grain > Some(Grain::Hour) && text != at.date().to_string() =>
        {
            format!("{text} (from {})", at.date())
        }
        _ => text,
    }
}

/// The cell for machines: all digits, ISO 8601 dates, text as it is. `None` is NULL, `Some("")` the empty text.
pub fn raw_text(array: &dyn Array, row: usize) -> Option<String> {
    Some(match Value::read(array, row) {
        Value::Null => return None,
        Value::Text(text) => text.to_owned(),
        Value::Integer(n) => n.to_string(),
        Value::Number(x) => number::raw(x),
        Value::Boolean(b) => b.to_string(),
        Value::Date(day) => day.to_string(),
        Value::Timestamp(at) => at.to_string(),
        Value::Unknown(what) => what,
    })
}

/// [`raw_text`] as a field of separated values after RFC 4180: NULL is nothing, the empty text is `""`.
pub fn csv_field(text: Option<String>, separator: char) -> String {
    match text {
        None => String::new(),
        Some(text) if text.is_empty() || text.contains(['"', '\n', '\r', separator]) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Some(text) => text,
    }
}

/// The cell as JSON: numbers and booleans as such, dates as ISO 8601 texts, NaN and infinities (which JSON lacks) as texts.
pub fn raw_json(array: &dyn Array, row: usize) -> serde_json::Value {
    match Value::read(array, row) {
        Value::Integer(n) => n.into(),
        Value::Number(x) if x.is_finite() => x.into(),
        Value::Boolean(b) => b.into(),
        _ => raw_text(array, row).into(),
    }
}

/// What a cell holds.
pub(super) enum Value<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Date(Date),
    Timestamp(DateTime),
    /// Something no warehouse of ours returns, named rather than hidden.
    Unknown(String),
}

impl<'a> Value<'a> {
    pub(super) fn read(array: &'a dyn Array, row: usize) -> Self {
        if row >= array.len() || array.is_null(row) {
            return Self::Null;
        }
        match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string::<i32>().value(row)),
            DataType::Int64 => Self::Integer(array.as_primitive::<Int64Type>().value(row)),
            DataType::Float64 => Self::Number(array.as_primitive::<Float64Type>().value(row)),
            DataType::Boolean => Self::Boolean(array.as_boolean().value(row)),
            DataType::Date32 => {
                let days = array.as_primitive::<Date32Type>().value(row);
                day(i64::from(days))
                    .map(Self::Date)
                    .unwrap_or_else(|| Self::Unknown(format!("day {days} from {EPOCH}")))
            }
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                timestamp(micros)
                    .map(Self::Timestamp)
                    .unwrap_or_else(|| Self::Unknown(format!("microsecond {micros} from {EPOCH}")))
            }
            DataType::Null => Self::Null,
            other => Self::Unknown(format!("a value of type {other}")),
        }
    }
}

const EPOCH: Date = date(1970, 1, 1);
const MICROS_PER_DAY: i64 = 86_400_000_000;

fn day(days: i64) -> Option<Date> {
    EPOCH.checked_add(Span::new().try_days(days).ok()?).ok()
}

fn timestamp(micros: i64) -> Option<DateTime> {
    day(micros.div_euclid(MICROS_PER_DAY))?
        .to_datetime(Time::midnight())
        .checked_add(micros.rem_euclid(MICROS_PER_DAY).microseconds())
        .ok()
}

/// A week that does not begin on Monday has no ISO number, and a day within a period is not the period.
fn period(out: &mut String, at: DateTime, grain: Grain) {
    let day = at.date();
    let starts = grain.floor(day, Weekday::Monday) == day && at.time() == Time::midnight();
    match grain {
        Grain::Second | Grain::Minute => {
            push(out, format_args!("{day} {}", at.strftime("%H:%M:%S")))
        }
        Grain::Hour => push(out, format_args!("{day} {}", at.strftime("%H:%M"))),
        _ if at.time() != Time::midnight() => push(out, format_args!("{day} {}", at.time())),
        Grain::Week if starts => {
            let week = day.iso_week_date();
            push(out, format_args!("{}-W{:02}", week.year(), week.week()));
        }
        Grain::Month if starts => push(out, format_args!("{:04}-{:02}", day.year(), day.month())),
        Grain::Quarter if starts => {
            push(
                out,
                format_args!("{:04} Q{}", day.year(), (day.month() + 2) / 3),
            );
        }
        Grain::Year if starts => push(out, format_args!("{:04}", day.year())),
        _ => push(out, format_args!("{day}")),
    }
}

/// Whether numbers of a column are names: a year, an id.
pub(super) fn is_name(column: &OutputColumn) -> bool {
    let Format {
        kind,
        decimals,
        unit,
        ..
    } = &column.format;
    matches!(column.role, Role::Group | Role::Bound)
        && *kind == FormatKind::Number
        && decimals.is_none()
        && unit.is_none()
}

fn is_change(column: &OutputColumn) -> bool {
    matches!(column.role, Role::Change | Role::ChangePercent)
}

/// Writing to a `String` cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
