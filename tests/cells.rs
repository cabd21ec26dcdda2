//! How the values of a result read: for people, and for machines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use jiff::civil::{Date, DateTime, date};
use metrex::compile::{OutputColumn, Role};
use metrex::model::{ColumnType, Format, FormatKind, Grain};
use metrex::session::cell::{NULL, cell_detail, cell_text, raw_json, raw_text, thousands};
use proptest::prelude::*;

fn metric(ty: ColumnType, format: Format) -> OutputColumn {
    OutputColumn {
        name: "m".into(),
        label: "M".into(),
        role: Role::Metric,
        ty,
        format,
        grain: None,
        additive: true,
    }
}

fn group(ty: ColumnType, grain: Option<Grain>) -> OutputColumn {
    OutputColumn {
        role: Role::Group,
        grain,
        ..metric(ty, Format::default())
    }
}

fn kind(kind: FormatKind) -> Format {
    Format {
        kind,
        ..Format::default()
    }
}

fn currency(code: &str) -> Format {
    Format {
        currency: Some(code.into()),
        ..kind(FormatKind::Currency)
    }
}

fn number(x: f64, format: Format) -> String {
    let array = Float64Array::from(vec![x]);
    cell_text(&array, 0, &metric(ColumnType::Number, format)).text
}

fn integer(n: i64, format: Format) -> String {
    let array = Int64Array::from(vec![n]);
    cell_text(&array, 0, &metric(ColumnType::Integer, format)).text
}

fn day(day: Date) -> Date32Array {
    let days = (day - date(1970, 1, 1)).get_days();
    Date32Array::from(vec![days])
}

fn moment(at: DateTime) -> TimestampMicrosecondArray {
    let micros = at
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap()
        .timestamp()
        .as_microsecond();
    TimestampMicrosecondArray::from(vec![micros])
}

fn at_grain(day_: Date, grain: Grain) -> String {
    cell_text(&day(day_), 0, &group(ColumnType::Date, Some(grain))).text
}

#[test]
fn integers_have_thousands_separators_and_no_decimals() {
    assert_eq!(integer(0, Format::default()), "0");
    assert_eq!(integer(999, Format::default()), "999");
    assert_eq!(integer(-1_234_567, Format::default()), "-1,234,567");
    assert_eq!(
        integer(i64::MIN, Format::default()),
        "-9,223,372,036,854,775,808"
    );
    assert_eq!(
        integer(
            5,
            Format {
                decimals: Some(2),
                ..Format::default()
            }
        ),
        "5.00"
    );
    assert_eq!(thousands(1_000_000), "1,000,000");
}

#[test]
fn numbers_have_two_decimals_so_that_points_line_up() {
    assert_eq!(number(1234.5, Format::default()), "1,234.50");
    assert_eq!(number(999.996, Format::default()), "1,000.00");
    assert_eq!(number(3.0, Format::default()), "3.00");
    assert_eq!(number(-0.0, Format::default()), "0.00");
    assert_eq!(
        number(
            1234.5,
            Format {
                decimals: Some(0),
                ..Format::default()
            }
        ),
        "1,234"
    );
    assert_eq!(
        number(
            2.0,
            Format {
                decimals: Some(3),
                ..Format::default()
            }
        ),
        "2.000"
    );
}

#[test]
fn only_zero_reads_zero() {
    assert_eq!(number(0.006, Format::default()), "0.0060");
    assert_eq!(number(-0.001, Format::default()), "-0.0010");
    assert_eq!(number(0.000_042, kind(FormatKind::Percent)), "0.0042%");
    assert_eq!(number(1e-9, Format::default()), "1.0e-9");
    assert_eq!(
        number(
            -0.3,
            Format {
                decimals: Some(0),
                ..Format::default()
            }
        ),
        "0"
    );
}

#[test]
fn numbers_beyond_all_sense_are_written_short() {
    assert_eq!(number(1.5e18, Format::default()), "1.5e18");
    assert_eq!(number(f64::NAN, Format::default()), "NaN");
    assert_eq!(
        number(f64::NEG_INFINITY, kind(FormatKind::Percent)),
        "-Infinity"
    );
}

#[test]
fn percent_money_and_durations() {
    assert_eq!(number(0.1234, kind(FormatKind::Percent)), "12.3%");
    assert_eq!(number(12.5, kind(FormatKind::Percent)), "1,250.0%");
    assert_eq!(number(1234.5, currency("USD")), "$1,234.50");
    assert_eq!(number(-1234.5, currency("EUR")), "-€1,234.50");
    assert_eq!(number(1234.5, currency("BRL")), "BRL 1,234.50");
    assert_eq!(number(1234.5, currency("VND")), "VND 1,234");
    assert_eq!(integer(1234, currency("GBP")), "£1,234");
    assert_eq!(number(1234.5, kind(FormatKind::Currency)), "1,234.50");
    let durations = [
        (0.0, "0s"),
        (0.25, "250ms"),
        (12.5, "12.5s"),
        (59.97, "1m 00s"),
        (62.0, "1m 02s"),
        (3_720.0, "1h 02m"),
        (-7_200.0, "-2h 00m"),
        (183_600.0, "2d 03h"),
    ];
    for (seconds, text) in durations {
        assert_eq!(number(seconds, kind(FormatKind::Duration)), text);
    }
}

#[test]
fn changes_carry_their_sign() {
    let change = |x: f64| {
        let column = OutputColumn {
            role: Role::Change,
            ..metric(ColumnType::Number, Format::default())
        };
        cell_text(&Float64Array::from(vec![x]), 0, &column).text
    };
    assert_eq!(change(12.0), "+12.00");
    assert_eq!(change(-12.0), "-12.00");
    assert_eq!(change(0.0), "0.00");
}

#[test]
fn an_integer_that_groups_is_a_name() {
    let array = Int64Array::from(vec![2025]);
    assert_eq!(
        cell_text(&array, 0, &group(ColumnType::Integer, None)).text,
        "2025"
    );
}

#[test]
fn dates_read_as_their_period() {
    assert_eq!(at_grain(date(2025, 11, 3), Grain::Day), "2025-11-03");
    assert_eq!(at_grain(date(2025, 11, 3), Grain::Week), "2025-W45");
    assert_eq!(at_grain(date(2025, 12, 29), Grain::Week), "2026-W01");
    assert_eq!(at_grain(date(2025, 11, 1), Grain::Month), "2025-11");
    assert_eq!(at_grain(date(2025, 7, 1), Grain::Quarter), "2025 Q3");
    assert_eq!(at_grain(date(2025, 1, 1), Grain::Year), "2025");
    let hour = moment(date(2025, 11, 3).at(14, 0, 0, 0));
    assert_eq!(
        cell_text(&hour, 0, &group(ColumnType::Timestamp, Some(Grain::Hour))).text,
        "2025-11-03 14:00"
    );
    let before_1970 = moment(date(1969, 12, 31).at(23, 59, 59, 500_000_000));
    assert_eq!(
        cell_text(&before_1970, 0, &group(ColumnType::Timestamp, None)).text,
        "1969-12-31 23:59:59.5"
    );
    let month = moment(date(2025, 11, 1).at(0, 0, 0, 0));
    assert_eq!(
        cell_text(&month, 0, &group(ColumnType::Timestamp, Some(Grain::Month))).text,
        "2025-11"
    );
}

#[test]
fn a_day_that_does_not_begin_a_period_is_never_shown_as_the_period() {
    assert_eq!(at_grain(date(2025, 11, 2), Grain::Week), "2025-11-02");
    assert_eq!(at_grain(date(2025, 11, 2), Grain::Month), "2025-11-02");
}

#[test]
fn null_is_not_the_empty_text() {
    let array = StringArray::from(vec![None, Some(""), Some("NULL")]);
    let column = group(ColumnType::Text, None);
    let cells: Vec<_> = (0..4).map(|row| cell_text(&array, row, &column)).collect();
    assert_eq!((cells[0].text.as_str(), cells[0].is_null), (NULL, true));
    assert_eq!((cells[1].text.as_str(), cells[1].is_null), ("", false));
    assert_eq!((cells[2].text.as_str(), cells[2].is_null), ("NULL", false));
    assert!(cells[3].is_null, "a row that does not exist");
    assert_eq!(raw_text(&array, 0), None);
    assert_eq!(raw_text(&array, 1), Some(String::new()));
}

#[test]
fn machines_get_all_digits_and_iso_dates() {
    let raw = |array: ArrayRef| raw_text(&array, 0).unwrap();
    assert_eq!(
        raw(Arc::new(Float64Array::from(vec![0.1 + 0.2]))),
        "0.30000000000000004"
    );
    assert_eq!(
        raw(Arc::new(Float64Array::from(vec![1_234_567.0]))),
        "1234567"
    );
    assert_eq!(raw(Arc::new(Float64Array::from(vec![1e300]))), "1e300");
    assert_eq!(
        raw(Arc::new(Int64Array::from(vec![-1_234_567]))),
        "-1234567"
    );
    assert_eq!(raw(Arc::new(BooleanArray::from(vec![true]))), "true");
    assert_eq!(raw(Arc::new(day(date(2025, 11, 3)))), "2025-11-03");
    assert_eq!(
        raw(Arc::new(moment(date(2025, 11, 3).at(14, 5, 0, 0)))),
        "2025-11-03T14:05:00"
    );
    assert_eq!(
        raw(Arc::new(StringArray::from(vec!["two\nlines"]))),
        "two\nlines"
    );
}

#[test]
fn json_keeps_types_and_has_no_invalid_numbers() {
    let floats = Float64Array::from(vec![Some(1.5), Some(f64::NAN), None]);
    assert_eq!(raw_json(&floats, 0), 1.5);
    assert_eq!(raw_json(&floats, 1), "NaN");
    assert!(raw_json(&floats, 2).is_null());
    assert_eq!(raw_json(&Int64Array::from(vec![7]), 0), 7);
    assert_eq!(raw_json(&BooleanArray::from(vec![false]), 0), false);
    assert_eq!(raw_json(&day(date(2025, 11, 3)), 0), "2025-11-03");
}

#[test]
fn the_cell_viewer_says_everything() {
    let users = Format {
        unit: Some("users".into()),
        ..Format::default()
    };
    let array = Float64Array::from(vec![1234.5678]);
    assert_eq!(
        cell_detail(&array, 0, &metric(ColumnType::Number, users)),
        "1,234.57 users (1234.5678)"
    );
    let week = group(ColumnType::Date, Some(Grain::Week));
    assert_eq!(
        cell_detail(&day(date(2025, 11, 3)), 0, &week),
        "2025-W45 (from 2025-11-03)"
    );
    let note = StringArray::from(vec!["two\nlines\u{1b}[2J"]);
    assert_eq!(
        cell_detail(&note, 0, &group(ColumnType::Text, None)),
        "two\nlines\\u{1b}[2J"
    );
}

#[test]
fn only_numbers_lean_to_the_right() {
    let right = |ty| cell_text(&StringArray::from(vec!["x"]), 0, &group(ty, None)).align_right;
    assert!(right(ColumnType::Integer) && right(ColumnType::Number));
    assert!(!right(ColumnType::Text) && !right(ColumnType::Date) && !right(ColumnType::Boolean));
}

proptest! {
    #[test]
    fn a_raw_number_reads_back_as_itself(x in any::<f64>()) {
        let text = raw_text(&Float64Array::from(vec![x]), 0).unwrap();
        let back: f64 = text.parse().unwrap();
        prop_assert!(back == x || (back.is_nan() && x.is_nan()));
    }

    #[test]
    fn a_shown_number_is_the_number(x in -1e8_f64..1e8) {
        let text = number(x, Format::default()).replace(',', "");
        let shown: f64 = text.parse().unwrap();
        prop_assert!((shown - x).abs() <= 0.005_000_1);
        prop_assert_eq!(shown == 0.0, x == 0.0);
    }

    #[test]
    fn any_moment_and_any_date_can_be_shown(micros in any::<i64>(), days in any::<i32>()) {
        for grain in Grain::ALL {
            let moment = TimestampMicrosecondArray::from(vec![micros]);
            prop_assert!(!cell_text(&moment, 0, &group(ColumnType::Timestamp, Some(grain))).text.is_empty());
            let date = Date32Array::from(vec![days]);
            prop_assert!(!cell_text(&date, 0, &group(ColumnType::Date, Some(grain))).text.is_empty());
        }
    }
}
