//! Pure edits of a query's time: its grain, its window, what it is compared with.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday as CivilWeekday};

use super::action::Reason;
use crate::model::{
    Comparison, Direction, Grain, GroupBy, MetricQuery, OrderBy, Period, TimeRange, Weekday,
};

/// The finest grain that is offered; a query line can say finer ones.
const FINEST: Grain = Grain::Hour;

/// The query by the next finer (coarser) grain of time. `groups` are the groupings in force.
///
/// # Errors
/// There is no such grain, in words for people.
pub fn regrained(
    query: &MetricQuery,
    groups: &[GroupBy],
    finer: bool,
    adds: &str,
) -> Result<MetricQuery, Reason> {
    let times = groups.iter().enumerate();
    let mut times = times.filter_map(|(at, group)| match group {
        GroupBy::Grain { grain, of } => Some((at, *grain, of.clone())),
        GroupBy::Dimension(_) | GroupBy::Part { .. } => None,
    });
    let Some((at, grain, of)) = times.next() else {
        return Err(format!("nothing is grouped by time; {adds} adds a grain").into());
    };
    let next = match finer {
        true => Grain::ALL.into_iter().rev().find(|other| *other < grain),
        false => Grain::ALL.into_iter().find(|other| *other > grain),
    };
    let Some(next) = next.filter(|next| *next >= FINEST) else {
        let end = if finer { "finest" } else { "coarsest" };
        return Err(format!("{grain} is the {end} grain").into());
    };
    let old: Vec<GroupBy> = groups.get(at).into_iter().cloned().collect();
    let new = GroupBy::Grain { grain: next, of };
    if groups.contains(&new) {
        return Err(format!("it is grouped by {new} already").into());
    }
    let mut changed = query.clone();
    for per in changed.limit_per.iter_mut().filter(|per| old.contains(per)) {
        *per = new.clone();
    }
    let old: Vec<String> = old.iter().map(ToString::to_string).collect();
    for key in &mut changed.order {
        if old.contains(&key.column) {
            key.column = new.to_string();
        }
    }
    let mut groups = groups.to_vec();
    groups.splice(at..=at, [new]);
    changed.group_by = Some(groups);
    Ok(changed)
}

/// The window of the same length right before (after) this one.
///
/// # Errors
/// It has no length, or lies in the future.
pub fn shifted(
    time: TimeRange,
    (today, week_start): (Date, Weekday),
    later: bool,
    chooses: &str,
) -> Result<TimeRange, Reason> {
    let range = time.resolve(today, week_start);
    let (Some(start), Some(end)) = (range.start, range.end) else {
        return Err(format!("{time} has no window to shift; {chooses} chooses one").into());
    };
    let (n, unit) = length(time, start, end);
    let by = unit.span(n);
    let (from, to) = match (time, later) {
        // What runs up to a day of its period does so in the other one.
        (TimeRange::ToDate(_), true) => (start.saturating_add(by), end.saturating_add(by)),
        (TimeRange::ToDate(_), false) => (start.saturating_sub(by), end.saturating_sub(by)),
        (_, true) => (end, end.saturating_add(by)),
        (_, false) => (start.saturating_sub(by), start),
    };
    if from > today {
        return Err("the window would lie in the future".into());
    }
    if from >= to || !(1..=9998).contains(&from.year()) {
        return Err("the calendar ends there".into());
    }
    let (first, last) = periods(from, to, unit);
    Ok(TimeRange::Span(Some(first), Some(last)))
}

/// The first and the last period of some days, of which the end is not included: days, where they are no whole periods.
pub fn periods(from: Date, to: Date, unit: Grain) -> (Period, Period) {
    let last = to.saturating_sub(1.day());
    match (period(from, unit), period(to, unit)) {
        (Some(first), Some(_)) => (first, of(last, unit)),
        _ => (Period::Day(from), Period::Day(last)),
    }
}

/// How many units a range is long.
pub fn length(time: TimeRange, start: Date, end: Date) -> (i32, Grain) {
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let days = start.until(end).map_or(1, |span| span.get_days());
    let months = (i32::from(end.year()) - i32::from(start.year())) * 12 + i32::from(end.month())
        - i32::from(start.month());
    let (n, unit) = match time {
        TimeRange::This(grain) | TimeRange::ToDate(grain) => (1, grain),
        TimeRange::Last(n, grain) | TimeRange::Rolling(n, grain) => (count(n), grain),
        TimeRange::Span(Some(from), Some(to)) => match (from, to) {
            (Period::Month(..), Period::Month(..)) => (months, Grain::Month),
            (Period::Quarter(..), Period::Quarter(..)) => (months / 3, Grain::Quarter),
            (Period::Year(_), Period::Year(_)) => (months / 12, Grain::Year),
            (Period::Week(..), Period::Week(..)) => (days / 7, Grain::Week),
            _ => (days, Grain::Day),
        },
        TimeRange::AllTime | TimeRange::Span(..) => (days, Grain::Day),
    };
    // Ranges are whole days.
    (n, unit.max(Grain::Day))
}

/// The period that begins on a day.
fn period(start: Date, unit: Grain) -> Option<Period> {
    // Weeks that are written out begin on Monday.
    let begins = match unit {
        Grain::Week => start.weekday() == CivilWeekday::Monday,
        unit => unit.floor(start, Weekday::Monday) == start,
    };
    begins.then(|| of(start, unit))
}

/// The period that a day lies in.
fn of(day: Date, unit: Grain) -> Period {
    match unit {
        Grain::Second | Grain::Minute | Grain::Hour | Grain::Day => Period::Day(day),
        Grain::Week => {
            let week = day.iso_week_date();
            Period::Week(week.year(), week.week())
        }
        Grain::Month => Period::Month(day.year(), day.month()),
        Grain::Quarter => Period::Quarter(day.year(), (day.month() + 2) / 3),
        Grain::Year => Period::Year(day.year()),
    }
}

/// What the columns of a comparison have after the name of their metric.
pub const OF_COMPARISON: [&str; 3] = ["_prior", "_change", "_change_pct"];

/// Compares with this, or with nothing any more; what was sorted by the comparison is no longer.
pub fn set_comparison(query: &mut MetricQuery, compare: Option<Comparison>) {
    query.compare = compare;
    if compare.is_none() {
        query.order.retain(|key| !is_of_comparison(&key.column));
    }
}

fn is_of_comparison(column: &str) -> bool {
    OF_COMPARISON.iter().any(|end| column.ends_with(end))
}

/// Sorted by a column: the largest first, then the smallest, then as it was.
pub fn sorted_by(query: &MetricQuery, column: &str) -> MetricQuery {
    let next = match query.order.first() {
        Some(key) if key.column == column => match key.direction {
            Direction::Descending => Some(Direction::Ascending),
            Direction::Ascending => None,
        },
        _ => Some(Direction::Descending),
    };
    let key = |direction| OrderBy {
        column: column.to_owned(),
        direction,
    };
    MetricQuery {
        order: next.map(key).into_iter().collect(),
        ..query.clone()
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn moved(time: &str, later: bool) -> String {
        let day = (date(2026, 11, 20), Weekday::Monday);
        let time: TimeRange = time.parse().unwrap();
        match shifted(time, day, later, "t") {
            Ok(time) => time.to_string(),
            Err(reason) => format!("! {reason}"),
        }
    }

    #[test]
    fn a_window_moves_by_its_own_length() {
        for (time, before) in [
            ("today", "2026-11-19"),
            ("this month", "2026-10"),
            ("last 6 months", "2025-11..2026-04"),
            ("last quarter", "2026Q2"),
            ("last year", "2024"),
            ("last week", "2026-W45"),
            ("last 90 days", "2026-05-24..2026-08-21"),
            ("mtd", "2026-10-01..2026-10-20"),
            ("rolling 30 days", "2026-09-22..2026-10-21"),
            ("2026-03..2026-05", "2025-12..2026-02"),
            ("2026-03-05..2026-03-07", "2026-03-02..2026-03-04"),
            (
                "all time",
                "! all time has no window to shift; t chooses one",
            ),
            (
                "since 2026-03",
                "! since 2026-03 has no window to shift; t chooses one",
            ),
        ] {
            assert_eq!(moved(time, false), before, "{time}");
            if !before.starts_with('!') && time.starts_with("2026") {
                assert_eq!(moved(before, true), time);
            }
        }
        assert_eq!(moved("2026-10", true), "2026-11");
        assert_eq!(
            moved("this month", true),
            "! the window would lie in the future"
        );
    }

    #[test]
    fn windows_that_are_moved_follow_each_other_without_a_gap() {
        let day = (date(2026, 3, 31), Weekday::Sunday);
        for time in [
            "last week",
            "this week",
            "last 2 weeks",
            "rolling month",
            "rolling 3 months",
            "last 3 quarters",
            "2024-02",
            "2026-W03",
        ] {
            let time: TimeRange = time.parse().unwrap();
            let before = shifted(time, day, false, "t").unwrap();
            let (own, earlier) = (time.resolve(day.0, day.1), before.resolve(day.0, day.1));
            assert_eq!(earlier.end, own.start, "{time}: {before}");
        }
    }

    #[test]
    fn a_grain_takes_its_order_along() {
        let query: MetricQuery = "gmv by market, month order by month".parse().unwrap();
        let groups = query.group_by.clone().unwrap();
        let finer = regrained(&query, &groups, true, "g").unwrap();
        assert_eq!(finer.to_string(), "gmv by market, week order by week");
        let coarser = regrained(&query, &groups, false, "g").unwrap();
        assert_eq!(
            coarser.to_string(),
            "gmv by market, quarter order by quarter"
        );
        let year: MetricQuery = "gmv by year".parse().unwrap();
        let none = regrained(&year, year.group_by.as_deref().unwrap(), false, "g");
        assert_eq!(none.unwrap_err(), "year is the coarsest grain");
        let none = regrained(&query, &[], false, "g");
        assert_eq!(
            none.unwrap_err(),
            "nothing is grouped by time; g adds a grain"
        );
    }
}
