//! Comparisons: which earlier days are meant, and how far away they are.

use jiff::civil::Date;
use metrex::model::{Comparison, DatePart, DateRange, Grain, GroupBy, Period, TimeRange};

use super::time::Shift;
use super::{Answered, refuse};

/// The compared days, and the distance from them to the current ones.
#[derive(Debug, Clone, Copy)]
pub struct Prior {
    pub range: DateRange,
    pub by: Shift,
}

/// What a range is compared with.
pub fn prior(
    comparison: Comparison,
    time: TimeRange,
    range: DateRange,
    today: Date,
    groups: &[GroupBy],
) -> Answered<Prior> {
    let (prior, months) = earlier(comparison, time, range, today)?;
    let by = lined_up(prior.by, months, groups)?;
    Ok(Prior { by, ..prior })
}

/// The earlier days, and how many months before they are where they are whole months.
fn earlier(
    comparison: Comparison,
    time: TimeRange,
    range: DateRange,
    today: Date,
) -> Answered<(Prior, Option<i32>)> {
    let (Some(start), Some(end)) = (range.start, range.end) else {
        return refuse("a comparison needs a range with two ends");
    };
    // A period that still runs is compared with the same days of the other one.
    let tomorrow = today.tomorrow().unwrap();
    let runs = start <= today && tomorrow < end;
    let upto = if runs { tomorrow } else { end };
    let to_date = runs || matches!(time, TimeRange::ToDate(_));
    let back = |by: Shift| DateRange {
        start: Some(by.back().apply(start)),
        end: Some(end_before(upto, by, to_date)),
    };
    let (range, by) = match comparison {
        Comparison::PreviousYear => (back(Shift::Months(12)), Shift::Months(12)),
        Comparison::Ago(n, grain) => (back(Shift::of(n, grain)), Shift::of(n, grain)),
        Comparison::PreviousPeriod => {
            let by = length(time, range);
            match by {
                // Just before: it ends where the range starts.
                Shift::Months(_) if !to_date => {
                    let before = DateRange {
                        start: Some(by.back().apply(start)),
                        end: Some(start),
                    };
                    (before, by)
                }
                _ => (back(by), by),
            }
        }
        Comparison::Range(from, to) => {
            let (from, to) = (from.days().unwrap().0, to.days().unwrap().1);
            let days = |from: Date, to: Date| (to - from).get_days();
            let months = months_between(start, end);
            if (months.is_none() || months != months_between(from, to))
                && days(start, end) != days(from, to)
            {
                return refuse("the ranges are not equally long");
            }
            let by =
                months_between(from, start).map_or(Shift::Days(days(from, start)), Shift::Months);
            let to = if runs {
                to.min(end_before(upto, by, true))
            } else {
                to
            };
            let range = DateRange {
                start: Some(from),
                end: Some(to),
            };
            (range, by)
        }
    };
    // Days before may be months before too, where both ends are the same day of a month.
    let months = months_between(range.start.unwrap(), start).filter(|months| {
        start.day() == 1 && months_between(range.end.unwrap(), upto) == Some(*months)
    });
    Ok((Prior { range, by }, months))
}

/// What an input so far away reads: as in a comparison; a range without an end ends today.
pub fn offset(
    n: u32,
    grain: Grain,
    time: TimeRange,
    range: DateRange,
    today: Date,
    groups: &[GroupBy],
) -> Answered<Prior> {
    let range = DateRange {
        end: range.end.or(today.tomorrow().ok()),
        ..range
    };
    let by = Shift::of(n, grain);
    let prior = if range.start.is_some() && range.end.is_some() {
        earlier(Comparison::Ago(n, grain), time, range, today)?.0
    } else {
        let range = DateRange {
            start: range.start.map(|start| by.back().apply(start)),
            end: range.end.map(|end| end_before(end, by, false)),
        };
        Prior { range, by }
    };
    // Days count for the day they are moved to, whatever period that is in; months are periods.
    let by = match by {
        Shift::Days(_) => by,
        Shift::Months(_) => lined_up(by, None, groups)?,
    };
    Ok(Prior { by, ..prior })
}

/// The end of the other range: the day after its last day where the range ends within a month, else a month's end too.
fn end_before(end: Date, by: Shift, to_date: bool) -> Date {
    if matches!(by, Shift::Months(_)) && (to_date || end.day() != 1) {
        by.back()
            .apply(end.yesterday().unwrap())
            .tomorrow()
            .unwrap()
    } else {
        by.back().apply(end)
    }
}

/// How long a range is, in its own units.
fn length(time: TimeRange, range: DateRange) -> Shift {
    let (start, end) = (range.start.unwrap(), range.end.unwrap());
    let unit = |period: Period| match period {
        Period::Month(..) => Some(1),
        Period::Quarter(..) => Some(3),
        Period::Year(_) => Some(12),
        Period::Day(_) | Period::Week(..) => None,
    };
    match time {
        TimeRange::This(grain) | TimeRange::ToDate(grain) => Shift::of(1, grain),
        TimeRange::Last(n, grain) | TimeRange::Rolling(n, grain) => Shift::of(n, grain),
        TimeRange::Span(Some(from), Some(to)) if unit(from).is_some() && unit(from) == unit(to) => {
            Shift::Months(months_between(start, end).unwrap())
        }
        _ => Shift::Days((end - start).get_days()),
    }
}

pub fn months_between(from: Date, to: Date) -> Option<i32> {
    let months = |day: Date| i32::from(day.year()) * 12 + i32::from(day.month());
    (from.day() == to.day()).then(|| months(to) - months(from))
}

/// Periods that stand side by side must be of the same kind and length.
fn lined_up(by: Shift, months: Option<i32>, groups: &[GroupBy]) -> Answered<Shift> {
    let mut by = by;
    for group in groups {
        let (grain, of) = match group {
            GroupBy::Grain { grain, of } => (*grain, of),
            GroupBy::Part { part, of } => match part {
                DatePart::MonthOfYear => (Grain::Month, of),
                DatePart::QuarterOfYear => (Grain::Quarter, of),
                DatePart::YearNumber => (Grain::Year, of),
                _ => continue,
            },
            GroupBy::Dimension(_) => continue,
        };
        if of.is_some() {
            return refuse("only periods of the default time are compared");
        }
        let unit = match grain {
            Grain::Second | Grain::Minute | Grain::Hour => match by {
                Shift::Days(_) => continue,
                Shift::Months(_) => return refuse("months have different hours"),
            },
            Grain::Day => continue,
            Grain::Week => match by {
                Shift::Days(days) if days % 7 == 0 => continue,
                _ => return refuse("weeks do not line up"),
            },
            Grain::Month => 1,
            Grain::Quarter => 3,
            Grain::Year => 12,
        };
        let months = match by {
            Shift::Months(months) => Some(months),
            Shift::Days(_) => months,
        };
        match months {
            Some(months) if months % unit == 0 => by = Shift::Months(months),
            _ => return refuse("the periods do not line up"),
        }
    }
    Ok(by)
}
