//! Missing rows: days with far fewer of them than such a weekday usually has.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::noise::{Usual, median};
use super::windows::Window;

/// A day with less than this share of its usual rows may be incomplete.
const SPARSE: f64 = 0.6;

/// And its rows are so many spreads below what is usual.
const FAR: f64 = 4.0;

/// Weeks whose same weekdays say what is usual.
const WEEKS: i32 = 8;

/// The spread of a day's rows is at least this share of them.
const LEAST_SPREAD: f64 = 0.05;

/// A day of a dataset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DayRows {
    /// The day.
    pub day: Date,
    /// Its rows.
    pub rows: f64,
}

/// Days of a period whose rows are missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missing {
    /// The days, in order.
    pub days: Vec<Date>,
    /// Rows they have.
    pub rows: f64,
    /// Rows such days usually have.
    pub usual: f64,
    /// Whether they are the last ones of what there is, as when a load is late; else the gap is closed.
    pub is_last: bool,
}

/// The days of `window` whose rows are missing; none where every day is as usual. `known` has the days before it, too; a
/// day that is not in it has no rows. Nothing is said of days from `today` on.
pub fn missing(known: &[DayRows], window: Window, today: Date) -> Option<Missing> {
    let rows_on = |day: Date| {
        let found = known.iter().find(|one| one.day == day);
        found.map_or(0.0, |one| one.rows)
    };
    let first = known.iter().map(|one| one.day).min()?;
    let is_known = |day: Date| first <= day && day < today;
    let before = |day: Date| -> Vec<Date> {
        let weeks = (1..=WEEKS * 3)
            .map(|weeks| day.saturating_sub(jiff::Span::new().weeks(i64::from(weeks))));
        weeks
            .filter(|day| is_known(*day) && !window.holds(*day))
            .take(usize::try_from(WEEKS).unwrap_or(8))
            .collect()
    };
    let usual = |day: Date| {
        let same = before(day);
        (same.len() >= 4).then(|| median(same.into_iter().map(rows_on)))?
    };
    let days = |from: Date, to: Date| {
        std::iter::successors(Some(from), |day| day.tomorrow().ok())
            .take_while(move |day| *day < to)
    };
    let share = |day: Date| {
        let usual = usual(day).filter(|usual| *usual > 0.0)?;
        Some(rows_on(day) / usual)
    };
    let earlier = window
        .start
        .saturating_sub(jiff::Span::new().weeks(i64::from(WEEKS)));
    let history: Vec<f64> = days(earlier, window.start).filter_map(share).collect();
    let spread = Usual::of(&history, LEAST_SPREAD)?.sigma;
    let end = window.end.min(today);
    let is_sparse =
        |day: &Date| share(*day).is_some_and(|share| share < SPARSE && 1.0 - share > FAR * spread);
    let sparse: Vec<Date> = days(window.start, end).filter(is_sparse).collect();
    let last = known
        .iter()
        .filter(|one| one.rows > 0.0)
        .map(|one| one.day)
        .max()?;
    // A load that is late ends what there is: after its days there is nothing, or nothing complete.
    let after: Vec<Date> = days(end, today.min(last.tomorrow().unwrap_or(last))).collect();
    let is_last = sparse
        .last()
        .is_some_and(|day| day.tomorrow().ok() == Some(end))
        && after.iter().all(is_sparse);
    (!sparse.is_empty() && (sparse.len() as i32) < window.days()).then(|| Missing {
        rows: sparse.iter().copied().map(rows_on).sum(),
        usual: sparse.iter().filter_map(|day| usual(*day)).sum(),
        days: sparse,
        is_last,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    /// Twenty weeks of days with a weekend that is twice as large.
    fn days() -> Vec<DayRows> {
        let first = date(2026, 6, 1);
        let day = |n: i32| first.checked_add(i64::from(n).days()).unwrap();
        let rows = |n: i32| {
            let wave = f64::from((n * 7919) % 13) - 6.0;
            (if n % 7 >= 5 { 200.0 } else { 100.0 }) + wave
        };
        (0..153)
            .map(|n| DayRows {
                day: day(n),
                rows: rows(n),
            })
            .collect()
    }

    const OCTOBER: Window = Window {
        start: date(2026, 10, 1),
        end: date(2026, 11, 1),
    };

    #[test]
    fn usual_days_miss_nothing() {
        assert_eq!(missing(&days(), OCTOBER, date(2026, 11, 1)), None);
    }

    #[test]
    fn the_last_days_of_a_late_load_are_missing() {
        let mut known = days();
        for one in &mut known {
            if one.day >= date(2026, 10, 30) {
                one.rows = (one.rows * 0.1).round();
            }
        }
        let found = missing(&known, OCTOBER, date(2026, 11, 1)).unwrap();
        assert_eq!(found.days, [date(2026, 10, 30), date(2026, 10, 31)]);
        assert!(found.is_last && found.usual > 290.0 && found.rows < 31.0);
        // The same where the next day has come and is complete: a gap, and no load that is late.
        known.push(DayRows {
            day: date(2026, 11, 1),
            rows: 200.0,
        });
        assert!(!missing(&known, OCTOBER, date(2026, 11, 2)).unwrap().is_last);
    }

    #[test]
    fn a_whole_month_that_is_lower_is_no_late_load() {
        let mut known = days();
        for one in &mut known {
            if OCTOBER.holds(one.day) {
                one.rows *= 0.5;
            }
        }
        assert_eq!(missing(&known, OCTOBER, date(2026, 11, 1)), None);
    }

    #[test]
    fn a_day_without_any_row_is_missing() {
        let mut known = days();
        known.retain(|one| one.day != date(2026, 10, 14));
        let found = missing(&known, OCTOBER, date(2026, 11, 1)).unwrap();
        assert_eq!(
            (found.days, found.rows, found.is_last),
            (vec![date(2026, 10, 14)], 0.0, false)
        );
    }
}
