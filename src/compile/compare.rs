//! Comparisons: which earlier range is meant, and how its periods line up with the current ones.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use super::{CompileError, ErrorCode};
use crate::model::{Comparison, DateRange, Grain, GroupBy, Period, TimeRange};
use crate::warehouse::Shift;

/// The compared range and what must be added to its dates to get the current ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shifted {
    pub(super) range: DateRange,
    /// Distance forward in time, from the compared range to the current one.
    pub(super) by: Shift,
    /// Addition to the reason shown to the reader; empty or starts with a comma.
    pub(super) remark: String,
}

pub(super) fn shift(
    comparison: Comparison,
    time: TimeRange,
    range: DateRange,
    today: Date,
    groups: &[GroupBy],
) -> Result<Shifted, CompileError> {
    let (mut shifted, current) = earlier(comparison, time, range, today)?;
    let by = aligned(shifted.by, shifted.range, current, groups, comparison)?;
    remark_uneven(&mut shifted, by, groups);
    Ok(Shifted { by, ..shifted })
}

/// The earlier range, and the current one as far as it goes.
fn earlier(
    comparison: Comparison,
    time: TimeRange,
    range: DateRange,
    today: Date,
) -> Result<(Shifted, DateRange), CompileError> {
    let (Some(start), Some(end)) = (range.start, range.end) else {
        return Err(CompileError::new(
            ErrorCode::InvalidTime,
            format!("a comparison needs a time range with a start and an end, not {range}"),
        )
        .hint("for instance: last 6 months vs previous year"));
    };
    let mut remark = String::new();
    // A period that still runs is compared with the same days of the earlier one, not with all of it.
    let tomorrow = today.saturating_add(1.day());
    let whole = end;
    let running = start <= today && tomorrow < end;
    let end = if running {
        remark = format!(", the same days as {start} to {today}");
        tomorrow
    } else {
        end
    };
    let to_date = running || matches!(time, TimeRange::ToDate(_));
    let back = |by: Shift| DateRange {
        start: Some(step(start, by, -1)),
        end: Some(step_end(end, by, to_date)),
    };
    let (prior, by) = match comparison {
        Comparison::PreviousYear => (back(Shift::Months(12)), Shift::Months(12)),
        Comparison::Ago(n, grain) => {
            let by = units(n, grain);
            (back(by), by)
        }
        Comparison::PreviousPeriod => match own_length(time) {
            Some((n, grain)) => {
                let by = units(n, grain);
                let prior = match time {
                    TimeRange::ToDate(_) => back(by),
                    _ if running => back(by),
                    _ => DateRange {
                        start: Some(step(start, by, -1)),
                        end: Some(start),
                    },
                };
                (prior, by)
            }
            None => {
                let by = Shift::Days(range.days().unwrap_or_default());
                (back(by), by)
            }
        },
        Comparison::Range(from, to) => {
            let (from, to) = from
                .days()
                .zip(to.days())
                .map(|((from, _), (_, to))| (from, to))
                .ok_or_else(|| {
                    CompileError::new(
                        ErrorCode::InvalidTime,
                        format!("the compared range {comparison} does not exist"),
                    )
                    .hint("write two periods of the calendar, such as 2024-01..2024-03")
                })?;
            same_length((start, whole), (from, to))?;
            let by = distance(from, start);
            let to = if running {
                to.min(step_end(end, by, to_date))
            } else {
                to
            };
            (
                DateRange {
                    start: Some(from),
                    end: Some(to),
                },
                by,
            )
        }
    };
    let current = DateRange {
        start: Some(start),
        end: Some(end),
    };
    let shifted = Shifted {
        range: prior,
        by,
        remark,
    };
    Ok((shifted, current))
}

fn remark_uneven(shifted: &mut Shifted, by: Shift, groups: &[GroupBy]) {
    let day = |group: &GroupBy| {
        matches!(
            group,
            GroupBy::Grain {
                grain: Grain::Day,
                ..
            }
        )
    };
    if matches!(by, Shift::Months(_)) && groups.iter().any(day) {
        let text = ", days without a counterpart in the other month are left out of it";
        shifted.remark.push_str(text);
    }
}

/// The range an offset leads to: as for a comparison. A range without a start stays so. Days and less are moved row by
/// row, so that they need not be whole periods; months are periods.
pub(super) fn back(
    comparison: Comparison,
    time: TimeRange,
    range: DateRange,
    today: Date,
    groups: &[GroupBy],
) -> Result<Shifted, CompileError> {
    let by = match comparison {
        Comparison::Ago(n, grain) => units(n, grain),
        _ => Shift::Months(12),
    };
    let open = Shifted {
        range: moved(range, by),
        by,
        remark: String::new(),
    };
    let is_bounded = range.start.is_some() && range.end.is_some();
    let (mut shifted, current) = if matches!(by, Shift::Seconds(_)) {
        return Ok(open);
    } else if is_bounded && time != TimeRange::AllTime {
        earlier(comparison, time, range, today)?
    } else {
        let epoch = range.start.or(range.end).unwrap_or(today).first_of_year();
        let current = DateRange {
            start: Some(epoch),
            end: None,
        };
        (open, current)
    };
    if !matches!(by, Shift::Months(_)) {
        return Ok(Shifted { by, ..shifted });
    }
    let by = aligned(by, moved(current, by), current, groups, comparison)?;
    remark_uneven(&mut shifted, by, groups);
    Ok(Shifted { by, ..shifted })
}

/// A distance beside another one.
pub(super) fn further(outer: Option<&Shifted>, inner: Shifted) -> Result<Shifted, CompileError> {
    let by = match (outer.map(|outer| outer.by), inner.by) {
        (None, by) => by,
        (Some(Shift::Months(a)), Shift::Months(b)) => Shift::Months(a.saturating_add(b)),
        (Some(Shift::Days(a)), Shift::Days(b)) => Shift::Days(a.saturating_add(b)),
        (Some(Shift::Seconds(a)), Shift::Seconds(b)) => Shift::Seconds(a.saturating_add(b)),
        (Some(_), _) => {
            return Err(CompileError::new(
                ErrorCode::InvalidTime,
                "a distance in months and one in days do not add up to one distance",
            )
            .hint("compare by the unit of the metric's own offset"));
        }
    };
    Ok(Shifted { by, ..inner })
}

/// The end of a range as far back.
pub(super) fn moved_end(end: Date, by: Shift) -> Date {
    step_end(end, by, false)
}

/// The range as far back.
pub(super) fn moved(range: DateRange, by: Shift) -> DateRange {
    DateRange {
        start: range.start.map(|start| step(start, by, -1)),
        end: range.end.map(|end| step_end(end, by, false)),
    }
}

/// Two ranges are as long as each other in whole months, or in days.
fn same_length(one: (Date, Date), other: (Date, Date)) -> Result<(), CompileError> {
    let months = |(start, end): (Date, Date)| months_between(start, end);
    let days = |(start, end): (Date, Date)| start.until(end).map(|span| span.get_days()).ok();
    if (months(one).is_some() && months(one) == months(other)) || days(one) == days(other) {
        return Ok(());
    }
    let text = |(start, end): (Date, Date)| {
        DateRange {
            start: Some(start),
            end: Some(end),
        }
        .to_string()
    };
    Err(CompileError::new(
        ErrorCode::InvalidTime,
        format!("{} is not as long as {}", text(other), text(one)),
    )
    .hint("compare ranges of the same length"))
}

fn units(n: u32, grain: Grain) -> Shift {
    let n = i32::try_from(n).unwrap_or(i32::MAX);
    match grain {
        Grain::Second => Shift::Seconds(n.into()),
        Grain::Minute => Shift::Seconds(i64::from(n) * 60),
        Grain::Hour => Shift::Seconds(i64::from(n) * 3600),
        Grain::Day => Shift::Days(n),
        Grain::Week => Shift::Days(n.saturating_mul(7)),
        Grain::Month => Shift::Months(n),
        Grain::Quarter => Shift::Months(n.saturating_mul(3)),
        Grain::Year => Shift::Months(n.saturating_mul(12)),
    }
}

/// How many of its own units a range is long.
fn own_length(time: TimeRange) -> Option<(u32, Grain)> {
    match time {
        TimeRange::This(grain) | TimeRange::ToDate(grain) => Some((1, grain)),
        TimeRange::Last(n, grain) | TimeRange::Rolling(n, grain) => Some((n, grain)),
        TimeRange::Span(Some(from), Some(to)) => {
            let grain = match (from, to) {
                (Period::Day(_), Period::Day(_)) => return None,
                (Period::Week(..), Period::Week(..)) => return None,
                (Period::Month(..), Period::Month(..)) => Grain::Month,
                (Period::Quarter(..), Period::Quarter(..)) => Grain::Quarter,
                (Period::Year(_), Period::Year(_)) => Grain::Year,
                _ => return None,
            };
            let (start, end) = (from.days()?.0, to.days()?.1);
            let months = months_between(start, end)?;
            let per = match grain {
                Grain::Quarter => 3,
                Grain::Year => 12,
                _ => 1,
            };
            Some((u32::try_from(months / per).ok()?, grain))
        }
        TimeRange::AllTime | TimeRange::Span(..) => None,
    }
}

fn step(day: Date, by: Shift, sign: i32) -> Date {
    let span = match by {
        Shift::Months(n) => Span::new().months(i64::from(n.clamp(-100_000, 100_000) * sign)),
        Shift::Days(n) => Span::new().days(i64::from(n.clamp(-3_000_000, 3_000_000) * sign)),
        // Ranges are whole days.
        Shift::Seconds(_) => Span::new(),
    };
    day.saturating_add(span)
}

/// The end of the compared range. The end of whole months stays a month's end; where the period still runs (or ends
/// within a month), its last day is moved as a day: 1 to 29 February is compared with 1 to 29 January.
fn step_end(end: Date, by: Shift, to_date: bool) -> Date {
    match by {
        Shift::Months(_) if to_date || end.day() != 1 => {
            step(end.saturating_sub(1.day()), by, -1).saturating_add(1.day())
        }
        _ => step(end, by, -1),
    }
}

fn months_between(from: Date, to: Date) -> Option<i32> {
    (from.day() == to.day()).then(|| {
        (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month())
            - i32::from(from.month())
    })
}

fn distance(from: Date, to: Date) -> Shift {
    match months_between(from, to) {
        Some(months) => Shift::Months(months),
        None => Shift::Days(
            from.until(to)
                .map(|span| span.get_days())
                .unwrap_or_default(),
        ),
    }
}

/// The months between two ranges that both start with a month and end with the same day of one.
fn whole_months(prior: DateRange, current: DateRange) -> Option<i32> {
    let (from, to) = (prior.start?, current.start?);
    let months = months_between(from, to).filter(|_| from.day() == 1)?;
    match (prior.end, current.end) {
        (Some(from), Some(to)) => (months_between(from, to) == Some(months)).then_some(months),
        _ => Some(months),
    }
}

/// Periods of the two ranges must be the same length, or the rows that are put side by side would not belong together.
fn aligned(
    by: Shift,
    prior: DateRange,
    current: DateRange,
    groups: &[GroupBy],
    comparison: Comparison,
) -> Result<Shift, CompileError> {
    let mut by = by;
    for group in groups {
        let (grain, of) = match group {
            GroupBy::Grain { grain, of } => (*grain, of),
            GroupBy::Part { part, of } => match part.period() {
                Some(grain) => (grain, of),
                None => continue,
            },
            GroupBy::Dimension(_) => continue,
        };
        let refuse = |hint: &str| {
            Err(CompileError::new(
                ErrorCode::InvalidTime,
                format!("{group} periods do not line up with {comparison}"),
            )
            .hint(hint.to_owned())
            .word(group.to_string()))
        };
        if of.is_some() {
            return refuse("compare at a grain of the default time dimension");
        }
        match (grain, by) {
            (grain, Shift::Months(_)) if grain.is_sub_day() => {
                return refuse("months differ in hours: compare by days or weeks ago");
            }
            (Grain::Second | Grain::Minute | Grain::Hour | Grain::Day, _) => {}
            (Grain::Week, Shift::Days(days)) if days % 7 == 0 => {}
            (Grain::Week, _) => return refuse("compare whole weeks: vs 52 weeks ago"),
            (Grain::Month | Grain::Quarter | Grain::Year, _) => {
                let months = match by {
                    Shift::Months(months) => Some(months),
                    Shift::Days(_) | Shift::Seconds(_) => whole_months(prior, current),
                };
                let per = match grain {
                    Grain::Quarter => 3,
                    Grain::Year => 12,
                    _ => 1,
                };
                match months {
                    Some(months) if months % per == 0 => by = Shift::Months(months),
                    _ => {
                        return refuse(
                            "compare by whole months, quarters or years, or group by a finer grain",
                        );
                    }
                }
            }
        }
    }
    Ok(by)
}
