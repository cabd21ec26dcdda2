//! What a range is compared with: "vs last year", "yoy", "compared to the same week last year", "versus October".

use super::cursor::Cursor;
use super::names::{capital, count, counted, unit};
use super::period::{bounds, days};
use super::point::Meant;
use super::span;
use super::{Found, Phrase, TimeSetting};
use crate::model::{Comparison, DateRange, Grain, Period, TimeRange};

/// What is said, before the compared range is looked at.
#[derive(Debug, Clone)]
enum Said {
    /// "the previous period"
    PreviousPeriod,
    /// One unit before the range: "the previous month", "mom", "the month before".
    Back(u32, Grain),
    /// "3 months ago": so far before the range, or before today.
    Ago(u32, Grain),
    /// "last month": one month back, or the calendar month.
    Last(Grain),
    /// "the previous 3 months"
    LastSeveral(u32, Grain),
    /// "same week last year"
    SameWeek,
    /// A time of its own.
    Range(span::Ranges),
}

/// What a comparison may be, or why it is none.
type Meaning = Result<Vec<(Comparison, String)>, String>;

pub(super) fn read(
    cursor: Cursor<'_>,
    setting: &TimeSetting<'_>,
    main: Option<TimeRange>,
) -> Option<Phrase<Comparison>> {
    let (said, end) = said(cursor, setting)?;
    let used = end.used()?;
    Some(match meaning(said, setting, main) {
        Err(reason) => Phrase::Impossible { used, reason },
        Ok(mut readings) => match (readings.pop(), readings.is_empty()) {
            (Some((meaning, note)), true) => Phrase::Found(Found {
                meaning,
                used,
                note: (!note.is_empty()).then_some(note),
            }),
            (Some(last), false) => {
                readings.push(last);
                Phrase::Ambiguous { used, readings }
            }
            (None, _) => return None,
        },
    })
}

fn said<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(Said, Cursor<'t>)> {
    let leads = [
        "vs",
        "v",
        "versus",
        "compared to",
        "compared with",
        "compared against",
        "compare to",
        "compare with",
        "comparing to",
        "comparing with",
        "against",
        "relative to",
        "in comparison to",
        "in comparison with",
        "as compared to",
        "as compared with",
        "as against",
        "with respect to",
        "than",
        "than in",
    ];
    let whole = |way: Option<(Said, Cursor<'t>)>| way.filter(|(_, end)| end.used().is_some());
    let led = cursor.longest(&leads).and_then(|next| {
        span::longest([
            whole(relation(next.skip(&["in", "on", "at"]), setting)),
            whole(span::range(next, setting).map(|(ranges, end)| (Said::Range(ranges), end))),
        ])
    });
    let over = cursor
        .any(&["over", "on"])
        .and_then(|next| whole(unmistakable(next)));
    span::longest([led, over, whole(abbreviation(cursor)), whole(same(cursor))])
}

/// "yoy", "y/y", "month over month"
fn abbreviation(cursor: Cursor<'_>) -> Option<(Said, Cursor<'_>)> {
    let short = |word: &str| match word {
        "dod" => Some(Grain::Day),
        "wow" => Some(Grain::Week),
        "mom" => Some(Grain::Month),
        "qoq" => Some(Grain::Quarter),
        "yoy" => Some(Grain::Year),
        _ => None,
    };
    if let Some((grain, next)) = cursor.take(short) {
        return Some((Said::Back(1, grain), next));
    }
    let letter = |word: &str| match word {
        "d" => Some(Grain::Day),
        "w" => Some(Grain::Week),
        "m" => Some(Grain::Month),
        "q" => Some(Grain::Quarter),
        "y" => Some(Grain::Year),
        _ => None,
    };
    if let Some((grain, next)) = cursor.take(letter)
        && let Some(next) = next
            .any(&["/"])
            .or_else(|| next.hyphen().any(&["o"]).map(Cursor::hyphen))
        && next.take(letter).is_some_and(|(other, _)| other == grain)
    {
        let (_, next) = next.take(letter)?;
        return Some((Said::Back(1, grain), next));
    }
    let ((1, grain), next) = unit(cursor)? else {
        return None;
    };
    let next = next.hyphen().any(&["over", "on"])?.hyphen();
    let ((1, other), next) = unit(next)? else {
        return None;
    };
    (grain == other).then_some((Said::Back(1, grain), next))
}

/// "same month last year", "the same period of the previous year"
fn same(cursor: Cursor<'_>) -> Option<(Said, Cursor<'_>)> {
    let next = cursor
        .skip(&["in", "on", "at"])
        .skip(&["the"])
        .words("same")?;
    let (what, next) = match unit(next) {
        Some(((1, grain), next)) => (Some(grain), next),
        Some(_) => return None,
        None => (
            None,
            next.any(&["period", "time", "days", "dates", "range", "weekday"])?,
        ),
    };
    let next = next.skip(&["of", "in"]).skip(&["the", "a"]);
    let last = next
        .any(&["last", "previous", "prior"])
        .and_then(|next| unit(next));
    let ago = || {
        let (grain, next) = unit(next.skip(&["one"]))?;
        Some((grain, next.any(&["ago", "earlier", "before", "prior"])?))
    };
    let ((1, back), next) = last.or_else(ago)? else {
        return None;
    };
    let said = match (what, back) {
        (Some(Grain::Week), Grain::Year) => Said::SameWeek,
        (Some(what), back) if what >= back => return None,
        _ => Said::Back(1, back),
    };
    Some((said, next))
}

/// Relations that are nothing but comparisons, also after "over".
fn unmistakable(cursor: Cursor<'_>) -> Option<(Said, Cursor<'_>)> {
    if let Some(found) = same(cursor) {
        return Some(found);
    }
    let next = cursor.skip(&["the", "a"]);
    let periods = [
        "previous period",
        "prior period",
        "preceding period",
        "period before",
        "last period",
        "period prior",
        "one before",
    ];
    if let Some(next) = next.longest(&periods) {
        return Some((Said::PreviousPeriod, next));
    }
    if let Some(before) = next.any(&["previous", "prior", "preceding"])
        && let Some((said, next)) = several(before, |n, grain| match n {
            1 => Said::Back(1, grain),
            n => Said::LastSeveral(n, grain),
        })
    {
        return Some((said, next));
    }
    if let Some(((1, grain), next)) = unit(next)
        && let Some(next) = next.any(&["before", "prior", "earlier", "previously"])
    {
        return Some((Said::Back(1, grain), next.skip(&["that"])));
    }
    let (n, next) = count(cursor)?;
    let ((each, grain), next) = unit(next)?;
    let n = n.checked_mul(each)?;
    match next.any(&["ago"]) {
        Some(next) => Some((Said::Ago(n, grain), next)),
        None => Some((
            Said::Back(n, grain),
            next.any(&["earlier", "before", "prior"])?,
        )),
    }
}

/// Relations to the compared range, after "vs".
fn relation<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(Said, Cursor<'t>)> {
    if let Some(found) = unmistakable(cursor) {
        return Some(found);
    }
    let next = cursor.skip(&["the"]);
    if let Some(next) = next.any(&["yesterday"])
        && setting.today.yesterday().is_ok()
    {
        return Some((Said::Last(Grain::Day), next));
    }
    if let Some(last) = next.any(&["last", "past"]) {
        return several(last, |n, grain| match n {
            1 => Said::Last(grain),
            n => Said::LastSeveral(n, grain),
        });
    }
    None
}

/// A count and a unit; one where no count is written.
fn several(cursor: Cursor<'_>, said: impl Fn(u32, Grain) -> Said) -> Option<(Said, Cursor<'_>)> {
    let (n, next) = count(cursor).unwrap_or((1, cursor));
    let ((each, grain), next) = unit(next)?;
    Some((said(n.checked_mul(each)?, grain), next))
}

fn one(comparison: Comparison, note: impl Into<String>) -> Meaning {
    Ok(vec![(comparison, note.into())])
}

/// The comparison that lies `n` units back.
fn back(n: u32, grain: Grain) -> Comparison {
    match (n, grain) {
        (1, Grain::Year) => Comparison::PreviousYear,
        _ => Comparison::Ago(n, grain),
    }
}

fn meaning(said: Said, setting: &TimeSetting<'_>, main: Option<TimeRange>) -> Meaning {
    match said {
        Said::PreviousPeriod => one(Comparison::PreviousPeriod, ""),
        Said::Back(n, grain) => relative(n, grain, setting, main),
        Said::Ago(n, grain) => ago(n, grain, setting, main),
        Said::Last(grain) => last(grain, setting, main),
        Said::LastSeveral(n, grain) => match main {
            Some(main) if length(main, setting) == Some((n, grain)) => {
                one(Comparison::PreviousPeriod, "")
            }
            _ => Err(format!(
                "{} can be compared with {} only: say which range is meant, as in last {}",
                counted(n, grain),
                counted(n, grain),
                counted(n, grain),
            )),
        },
        Said::SameWeek => match main.and_then(|main| bounds(main, setting)) {
            Some((Period::Week(year, week), Period::Week(last_year, last_week)))
                if (year, week) == (last_year, last_week) =>
            {
                let same = Period::Week(year.saturating_sub(1), week);
                match same.days() {
                    Some(_) => one(Comparison::Range(same, same), format!("ISO week {same}")),
                    None => Err(format!("there was no week {week} in the year before")),
                }
            }
            _ => one(
                Comparison::Ago(52, Grain::Week),
                "52 weeks before, the same weekdays",
            ),
        },
        Said::Range(ranges) => ranges?
            .into_iter()
            .map(|meant| against_range(meant, setting, main))
            .collect::<Result<Vec<_>, _>>()
            .map(|readings| readings.concat()),
    }
}

/// How many whole units of which grain a range is.
fn length(range: TimeRange, setting: &TimeSetting<'_>) -> Option<(u32, Grain)> {
    match range {
        TimeRange::This(grain) | TimeRange::ToDate(grain) => Some((1, grain)),
        TimeRange::Last(n, grain) | TimeRange::Rolling(n, grain) => Some((n, grain)),
        TimeRange::AllTime => None,
        TimeRange::Span(..) => {
            let (from, to) = bounds(range, setting)?;
            let (start, end) = (from.days()?.0, to.days()?.1);
            let grain = match (from, to) {
                (Period::Year(_), Period::Year(_)) => Grain::Year,
                (Period::Quarter(..), Period::Quarter(..)) => Grain::Quarter,
                (Period::Month(..), Period::Month(..)) => Grain::Month,
                (Period::Week(..), Period::Week(..)) => Grain::Week,
                _ => Grain::Day,
            };
            let n = (1_u32..=400).find(|n| {
                let n = i32::try_from(*n).unwrap_or(i32::MAX);
                start.saturating_add(grain.span(n)) == end
            })?;
            // Seven days from the first day of a week on are a week, wherever weeks start.
            let is_week = (n, grain) == (7, Grain::Day)
                && Grain::Week.floor(start, setting.calendar.week_start) == start;
            Some(if is_week {
                (1, Grain::Week)
            } else {
                (n, grain)
            })
        }
    }
}

fn approximate_days(n: u32, grain: Grain) -> u64 {
    let each = match grain {
        Grain::Second | Grain::Minute | Grain::Hour | Grain::Day => 1,
        Grain::Week => 7,
        Grain::Month => 30,
        Grain::Quarter => 91,
        Grain::Year => 365,
    };
    u64::from(n) * each
}

/// `n` units before the range, where that is a range as people compare it.
fn relative(n: u32, grain: Grain, setting: &TimeSetting<'_>, main: Option<TimeRange>) -> Meaning {
    let meaning = back(n, grain);
    let Some((count, own)) = main.and_then(|main| length(main, setting)) else {
        return one(meaning, "");
    };
    if grain <= own || n > 1 {
        return one(meaning, "");
    }
    match (own, grain) {
        (Grain::Week, Grain::Year) => one(
            meaning,
            "the same dates a year before; 'vs 52 weeks ago' compares the same weekdays",
        ),
        (Grain::Week, _) => Err(format!(
            "weeks and {grain}s do not line up: compare with the previous week, or with 4 weeks ago"
        )),
        (Grain::Day, Grain::Week) => one(meaning, ""),
        _ if approximate_days(count, own) < approximate_days(1, grain) => {
            one(meaning, format!("the same dates a {grain} before"))
        }
        _ => one(meaning, ""),
    }
}

/// "3 months ago" beside a month that is over may be counted from that month, or from today.
fn ago(n: u32, grain: Grain, setting: &TimeSetting<'_>, main: Option<TimeRange>) -> Meaning {
    let from_range = relative(n, grain, setting, main)?;
    let Some(main) =
        main.filter(|main| length(*main, setting).is_some_and(|(_, own)| own == grain))
    else {
        return Ok(from_range);
    };
    let days_of = main.resolve(setting.today, setting.calendar.week_start);
    let is_over = days_of.end.is_some_and(|end| end <= setting.today);
    let from_today = super::relative::back(i64::from(n), grain, setting)
        .filter(|_| is_over)
        .and_then(|range| Some((range, bounds(range, setting)?)));
    let Some((range, (from, to))) = from_today else {
        return Ok(from_range);
    };
    let before = (
        back(n, grain),
        format!("{} before {days_of}", counted(n, grain)),
    );
    let that = (Comparison::Range(from, to), days(range, setting));
    Ok(vec![before, that])
}

/// "vs last month": one month before the range, or the calendar month before this one.
fn last(grain: Grain, setting: &TimeSetting<'_>, main: Option<TimeRange>) -> Meaning {
    let Some(main) = main else {
        return one(back(1, grain), "");
    };
    let literal = TimeRange::Last(1, grain);
    let resolved = |range: TimeRange| range.resolve(setting.today, setting.calendar.week_start);
    let days_of = resolved(main);
    let Some((n, own)) = length(main, setting) else {
        return one(back(1, grain), "");
    };
    let is_one = n == 1 && own == grain;
    if is_one {
        // Beside the current period it is the one before; beside itself, the one before that.
        let current = resolved(TimeRange::This(grain));
        let beside = days_of.start == current.start || days_of == resolved(literal);
        let previous = days_of.start.and_then(|start| {
            let before = start.checked_sub(grain.span(1)).ok()?;
            Some(DateRange {
                start: Some(before),
                end: Some(start),
            })
        });
        if beside || previous == Some(resolved(literal)) {
            return one(back(1, grain), "");
        }
        let (from, to) = bounds(literal, setting).ok_or("that range does not exist")?;
        let calendar = (
            Comparison::Range(from, to),
            format!(
                "the last complete {grain} before today: {}",
                days(literal, setting)
            ),
        );
        let before = (back(1, grain), format!("the {grain} before {days_of}"));
        return Ok(vec![before, calendar]);
    }
    if own > grain || (own == grain && n > 1) {
        return Err(format!(
            "{} is longer than one {grain}: compare with the previous period or the previous year",
            capital(&super::phrase(main)),
        ));
    }
    let (long, unit) = (approximate_days(n, own), approximate_days(1, grain));
    if grain == Grain::Month && (28..=31).contains(&long) && own == Grain::Day {
        return Ok(vec![
            (
                Comparison::PreviousPeriod,
                format!("the {} before", counted(n, own)),
            ),
            (back(1, grain), format!("the same dates a {grain} before")),
        ]);
    }
    if long > unit {
        return Err(format!(
            "{} is longer than one {grain}: compare with the previous period or the previous year",
            capital(&super::phrase(main)),
        ));
    }
    relative(1, grain, setting, Some(main))
}

/// "vs October", "vs Q3 2024", "vs this month"
fn against_range(meant: Meant, setting: &TimeSetting<'_>, main: Option<TimeRange>) -> Meaning {
    let (from, to) = bounds(meant.range, setting)
        .ok_or("a range to compare with needs a start and an end, as in Q3 2024")?;
    let meaning = Comparison::Range(from, to);
    let resolved = |range: TimeRange| range.resolve(setting.today, setting.calendar.week_start);
    if main.is_some_and(|main| resolved(main) == resolved(meant.range)) {
        return Err(format!(
            "{} would be compared with itself",
            days(meant.range, setting)
        ));
    }
    // "Nov 2024 vs Dec": the year that is not said is that of the range, or the latest one.
    let year = main
        .and_then(|main| match main {
            TimeRange::Span(Some(first), Some(_)) => first.days(),
            _ => None,
        })
        .map(|(start, _)| start.year());
    if let Some(year) = year
        && meant.is_latest
        && let Some((from_there, to_there)) = in_year_of(from, to, year)
        && from_there != from
    {
        let there = Comparison::Range(from_there, to_there);
        return Ok(vec![
            (there, there.to_string()),
            (meaning, meaning.to_string()),
        ]);
    }
    one(meaning, meant.note.unwrap_or_default())
}

/// The same months, quarters or days of another year.
fn in_year_of(from: Period, to: Period, year: i16) -> Option<(Period, Period)> {
    let offset = year.checked_sub(from.days()?.0.year())?;
    let moved = |period: Period| {
        let moved = match period {
            Period::Day(day) => Period::Day(
                jiff::civil::Date::new(day.year().checked_add(offset)?, day.month(), day.day())
                    .ok()?,
            ),
            Period::Week(year, week) => Period::Week(year.checked_add(offset)?, week),
            Period::Month(year, month) => Period::Month(year.checked_add(offset)?, month),
            Period::Quarter(year, quarter) => Period::Quarter(year.checked_add(offset)?, quarter),
            Period::Year(_) => return None,
        };
        moved.days().map(|_| moved)
    };
    Some((moved(from)?, moved(to)?))
}
