//! Dates and times as SQLite keeps them: ISO 8601 text, with an offset counted as UTC like SQLite's own functions do.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, civil};

const EPOCH_DAY: Date = civil::date(1970, 1, 1);
const EPOCH: DateTime = EPOCH_DAY.at(0, 0, 0, 0);

/// Days since 1970-01-01, as Arrow's `Date32` counts them.
pub(super) fn days(date: Date) -> i32 {
    let hours = date.duration_since(EPOCH_DAY).as_hours();
    i32::try_from(hours / 24).unwrap_or(i32::MAX)
}

/// Microseconds since 1970-01-01 00:00, as Arrow's `Timestamp(Microsecond)` counts them.
pub(super) fn micros(at: DateTime) -> i64 {
    i64::try_from(at.duration_since(EPOCH).as_micros()).unwrap_or(i64::MAX)
}

/// The time that is so many microseconds after 1970-01-01 00:00; `None` outside of the years -9999 to 9999.
pub(super) fn at(micros: i64) -> Option<DateTime> {
    EPOCH.checked_add(SignedDuration::from_micros(micros)).ok()
}

/// The day that is so many days after 1970-01-01; `None` outside of the years -9999 to 9999.
pub(super) fn on(days: i32) -> Option<Date> {
    EPOCH_DAY
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()
}

/// Reads `YYYY-MM-DD`, or `YYYY-MM-DD HH:MM[:SS[.fraction]]` with `T` allowed as separator and `Z` or `±HH:MM` after it.
pub(super) fn parse(text: &str) -> Option<DateTime> {
    let bytes = text.as_bytes();
    let date = Date::new(
        i16::try_from(number(bytes, 0..4)?).ok()?,
        after(bytes, 4, b'-', 5..7)?,
        after(bytes, 7, b'-', 8..10)?,
    )
    .ok()?;
    if bytes.len() == 10 {
        return Some(date.to_datetime(Time::midnight()));
    }
    if !matches!(bytes.get(10), Some(b' ' | b'T')) {
        return None;
    }
    let hour = i8::try_from(number(bytes, 11..13)?).ok()?;
    let minute = after(bytes, 13, b':', 14..16)?;
    let mut end = 16;
    let (mut second, mut nanos) = (0, 0);
    if bytes.get(end) == Some(&b':') {
        second = after(bytes, 16, b':', 17..19)?;
        end = 19;
        if bytes.get(end) == Some(&b'.') {
            let digits = bytes
                .get(20..)?
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            end = 20 + digits;
            let shown = digits.min(9);
            let scale = 10_i32.pow(u32::try_from(9 - shown).ok()?);
            nanos = i32::try_from(number(bytes, 20..20 + shown)?)
                .ok()?
                .checked_mul(scale)?;
        }
    }
    let at = date.to_datetime(Time::new(hour, minute, second, nanos).ok()?);
    match bytes.get(end..)? {
        [] | [b'Z'] => Some(at),
        [sign @ (b'+' | b'-'), zone @ ..] if zone.len() == 5 => {
            let minutes =
                i64::from(number(zone, 0..2)?) * 60 + i64::from(after(zone, 2, b':', 3..5)?);
            let offset = SignedDuration::from_mins(if *sign == b'+' { minutes } else { -minutes });
            at.checked_sub(offset).ok()
        }
        _ => None,
    }
}

fn number(bytes: &[u8], range: std::ops::Range<usize>) -> Option<u32> {
    let digits = bytes.get(range).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0_u32, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum.wrapping_mul(10).wrapping_add(u32::from(byte - b'0')))
    })
}

fn after(bytes: &[u8], at: usize, separator: u8, range: std::ops::Range<usize>) -> Option<i8> {
    (bytes.get(at) == Some(&separator)).then_some(())?;
    i8::try_from(number(bytes, range)?).ok()
}
