//! Times that depend on the current day: "yesterday", "last 6 months", "2 weeks ago", "month to date".

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

use super::TimeSetting;
use super::cursor::Cursor;
use super::names::{MAX_COUNT, count, counted, short_weekday, unit};
use super::period::{self, Recurring, fiscal_year, fiscal_year_of, span};
use super::point::{Said, When, alternatives, certain, fixed};
use crate::model::{Grain, Period, TimeRange};

const LAST: [&str; 4] = ["last", "past", "previous", "prior"];
const THIS: [&str; 3] = ["this", "current", "the current"];
const NEXT: [&str; 3] = ["next", "coming", "upcoming"];
const ROLLING: [&str; 5] = ["rolling", "trailing", "running", "moving", "last rolling"];

/// The longest relative time at the cursor.
pub(super) fn read<'t>(
    cursor: Cursor<'t>,
    setting: &TimeSetting<'_>,
) -> Option<(Said, Cursor<'t>)> {
    let ways = [
        named_day(cursor, setting),
        to_date(cursor, setting),
        this(cursor, setting),
        last(cursor, setting),
        rolling(cursor),
        next(cursor, setting),
        ago(cursor, setting),
        before_last(cursor, setting),
    ];
    super::span::longest(ways)
}

/// The period of a grain that lies `n` periods before the current one, or after it where `n` is negative.
pub(super) fn back(n: i64, grain: Grain, setting: &TimeSetting<'_>) -> Option<TimeRange> {
    let count = i32::try_from(n).ok()?;
    let now = grain.floor(setting.today, setting.calendar.week_start);
    let start = now.checked_sub(grain.span(count)).ok()?;
    let end = start.checked_add(grain.span(1)).ok()?;
    span(period::periods(start, end)?)
}

fn day(today: Date, days: i64) -> Option<TimeRange> {
    let day = Period::Day(today.checked_add(Span::new().days(days)).ok()?);
    span((day, day))
}

fn named_day<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(Said, Cursor<'t>)> {
    if let Some(next) = cursor.any(&["today"]) {
        return Some((certain(TimeRange::This(Grain::Day)), next));
    }
    if let Some(next) = cursor.any(&["yesterday"]) {
        return Some((certain(TimeRange::Last(1, Grain::Day)), next));
    }
    let days = [
        ("day before yesterday", -2),
        ("tomorrow", 1),
        ("day after tomorrow", 2),
    ];
    days.into_iter().find_map(|(words, days)| {
        let next = cursor.words(words)?;
        Some((certain(day(setting.today, days)?), next))
    })
}

fn to_date<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(Said, Cursor<'t>)> {
    let grain = |word: &str| match word {
        "wtd" => Some(Grain::Week),
        "mtd" => Some(Grain::Month),
        "qtd" => Some(Grain::Quarter),
        "ytd" => Some(Grain::Year),
        _ => None,
    };
    let fiscal = [
        "fytd",
        "fiscal ytd",
        "fiscal year to date",
        "financial year to date",
    ];
    if let Some(next) = cursor.longest(&fiscal) {
        return Some((certain(fiscal_to_date(setting)?), next));
    }
    if let Some((grain, next)) = cursor.take(grain) {
        return Some((certain(TimeRange::ToDate(grain)), next));
    }
    if let Some(next) = cursor
        .words("so far today")
        .or(cursor.words("today so far"))
    {
        return Some((certain(TimeRange::This(Grain::Day)), next));
    }
    let one = |cursor: Cursor<'t>| match unit(cursor)? {
        ((1, grain), next) => Some((grain, next)),
        _ => None,
    };
    if let Some(next) = cursor.words("so far") {
        let next = next.skip(&["in", "during"]).any(&THIS)?;
        let (grain, next) = one(next)?;
        return Some((certain(TimeRange::ToDate(grain)), next));
    }
    let running = cursor.any(&THIS);
    let earlier = cursor.any(&LAST);
    let (grain, next) = one(running.or(earlier).unwrap_or(cursor).hyphen())?;
    let next = next.hyphen().longest(&[
        "to date",
        "so far",
        "till now",
        "until now",
        "up to now",
        "up to today",
    ])?;
    if earlier.is_none() {
        let range = match grain {
            Grain::Day => TimeRange::This(Grain::Day),
            grain => TimeRange::ToDate(grain),
        };
        return Some((certain(range), next));
    }
    // "last year to date": up to the same day of last year, or from its start until today.
    let start = back(1, grain, setting)?;
    let (from, _) = period::bounds(start, setting)?;
    let first = from.days()?.0;
    let same_day = setting.today.checked_sub(grain.span(1)).ok()?;
    Some((
        alternatives(
            [
                TimeRange::Span(Some(Period::Day(first)), Some(Period::Day(same_day))),
                TimeRange::Span(Some(Period::Day(first)), Some(Period::Day(setting.today))),
            ]
            .map(When::from),
        ),
        next,
    ))
}

fn fiscal_to_date(setting: &TimeSetting<'_>) -> Option<TimeRange> {
    if setting.calendar.fiscal_year_start == 1 {
        return Some(TimeRange::ToDate(Grain::Year));
    }
    let (from, _) = fiscal_year(fiscal_year_of(setting.today, setting), setting)?;
    Some(TimeRange::Span(
        Some(from),
        Some(Period::Day(setting.today)),
    ))
}

fn this<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(Said, Cursor<'t>)> {
    let next = cursor.any(&THIS)?.hyphen();
    if let Some(found) = fiscal(next, 0, setting) {
        return Some(found);
    }
    if let Some(((1, grain), next)) = unit(next) {
        return Some((certain(TimeRange::This(grain)), next));
    }
    if let Some(next) = next.words("weekend") {
        let weekend = weekend(setting.today, 0)?;
        let note = format!("Saturday and Sunday: {}", period::days(weekend, setting));
        return Some((fixed(weekend, Some(note)), next));
    }
    if let Some(next) = next.any(&["half"]) {
        return Some((certain(half(0, setting)?), next));
    }
    if let Some((weekday, next)) = next.take(short_weekday) {
        let week = Grain::Week.floor(setting.today, setting.calendar.week_start);
        let (day, _) = Recurring::Weekday(weekday).first(week, setting)?;
        let range = span((day, day))?;
        let note = format!(
            "the {} of this week: {day}",
            super::names::weekday_name(weekday)
        );
        return Some((fixed(range, Some(note)), next));
    }
    None
}

fn last<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(Said, Cursor<'t>)> {
    let next = cursor.any(&LAST)?.hyphen();
    if let Some(found) = fiscal(next, 1, setting) {
        return Some(found);
    }
    if let Some(next) = next.words("weekend") {
        let weekend = weekend(setting.today, 1)?;
        let note = format!("Saturday and Sunday: {}", period::days(weekend, setting));
        return Some((fixed(weekend, Some(note)), next));
    }
    if let Some(next) = next.longest(&["half year", "half"]) {
        let readings = [half(1, setting)?, TimeRange::Last(6, Grain::Month)].map(When::from);
        return Some((alternatives(readings), next));
    }
    if let Some((weekday, next)) = next.take(short_weekday) {
        let yesterday = setting.today.yesterday().ok()?;
        let (day, _) = Recurring::Weekday(weekday).latest(yesterday, setting)?;
        let name = super::names::weekday_name(weekday);
        let note = format!("the latest {name} before today: {day}");
        return Some((fixed(span((day, day))?, Some(note)), next));
    }
    let (n, next) = amount(next)?;
    let (n, grain, next) = match n {
        Ok(n) => units(n, next)?,
        Err(reason) => return Some((Err(reason), inexact_unit(next)?)),
    };
    let (n, grain) = match grain {
        Ok(grain) => (n, grain),
        Err(reason) => return Some((Err(reason), next)),
    };
    let with_today = [
        "including today",
        "incl today",
        "inclusive of today",
        "up to today",
        "until today",
        "through today",
    ];
    if let Some(next) = next.longest(&with_today) {
        return Some((rolled(n, grain), next));
    }
    let without = [
        "excluding today",
        "without today",
        "up to yesterday",
        "until yesterday",
        "through yesterday",
    ];
    // Of longer units, "through yesterday" is an end of its own, and not this one's.
    let next = next
        .longest(&without)
        .filter(|_| grain == Grain::Day)
        .unwrap_or(next);
    let range = TimeRange::Last(n, grain);
    let note = match (n, grain) {
        (1, Grain::Day) => None,
        (_, Grain::Day) => Some("complete days, without today"),
        (1, Grain::Week) => Some("the complete week before this one"),
        (1, Grain::Month) => Some("the complete month before this one"),
        (1, Grain::Quarter) => Some("the complete quarter before this one"),
        (1, _) => Some("the complete year before this one"),
        (_, Grain::Week) => Some("complete weeks, without this one"),
        (_, Grain::Month) => Some("complete months, without this one"),
        (_, Grain::Quarter) => Some("complete quarters, without this one"),
        (_, _) => Some("complete years, without this one"),
    };
    let note = note.map(|note| format!("{note}: {}", period::days(range, setting)));
    Some((fixed(range, note), next))
}

fn rolling<'t>(cursor: Cursor<'t>) -> Option<(Said, Cursor<'t>)> {
    if let Some(next) = cursor.any(&["ttm", "t12m"]) {
        return Some((rolled(12, Grain::Month), next));
    }
    let next = cursor.longest(&ROLLING)?.hyphen();
    let (n, next) = amount(next)?;
    let n = match n {
        Ok(n) => n,
        Err(reason) => return Some((Err(reason), inexact_unit(next)?)),
    };
    let (n, grain, next) = units(n, next)?;
    Some(match grain {
        Ok(grain) => (rolled(n, grain), next),
        Err(reason) => (Err(reason), next),
    })
}

/// A rolling range says itself what it is, except that the current day belongs to it.
fn rolled(n: u32, grain: Grain) -> Said {
    let note = format!("{} that end today", counted(n, grain));
    fixed(TimeRange::Rolling(n, grain), Some(note))
}

fn next<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(Said, Cursor<'t>)> {
    let next = cursor.any(&NEXT)?.hyphen();
    if let Some(found) = fiscal(next, -1, setting) {
        return Some(found);
    }
    if let Some(next) = next.any(&["half"]) {
        return Some((certain(half(-1, setting)?), next));
    }
    if let Some(next) = next.words("weekend") {
        let coming = weekend(setting.today, 0)?;
        let after = weekend(setting.today, -1)?;
        let is_now = setting.today.weekday().to_monday_zero_offset() >= 5;
        let said = if is_now {
            certain(after)
        } else {
            alternatives([coming, after].map(When::from))
        };
        return Some((said, next));
    }
    if let Some((weekday, next)) = next.take(short_weekday) {
        let tomorrow = setting.today.tomorrow().ok()?;
        let (coming, _) = Recurring::Weekday(weekday).first(tomorrow, setting)?;
        let Period::Day(date) = coming else {
            return None;
        };
        let after = Period::Day(date.checked_add(1.week()).ok()?);
        let this_week = Grain::Week.floor(setting.today, setting.calendar.week_start);
        let in_this_week = Grain::Week.floor(date, setting.calendar.week_start) == this_week;
        let (coming, after) = (span((coming, coming))?, span((after, after))?);
        let said = if in_this_week {
            alternatives([coming, after].map(When::from))
        } else {
            certain(coming)
        };
        return Some((said, next));
    }
    let (n, next) = amount(next)?;
    let (n, grain, next) = units(n.ok()?, next)?;
    let grain = match grain {
        Ok(grain) => grain,
        Err(reason) => return Some((Err(reason), next)),
    };
    let week_start = setting.calendar.week_start;
    let now = grain.floor(setting.today, week_start);
    let start = now.checked_add(grain.span(1)).ok()?;
    let end = start.checked_add(grain.span(i32::try_from(n).ok()?)).ok()?;
    let range = span(period::periods(start, end)?)?;
    let note = format!(
        "after the current {grain}: {}",
        period::days(range, setting)
    );
    Some((fixed(range, Some(note)), next))
}

fn ago<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(Said, Cursor<'t>)> {
    let (n, next) = count(cursor)?;
    let (n, grain, next) = units(n, next)?;
    let next = next.any(&["ago"])?;
    let grain = match grain {
        Ok(grain) => grain,
        Err(reason) => return Some((Err(reason), next)),
    };
    let range = back(i64::from(n), grain, setting)?;
    let note = match grain {
        Grain::Day => None,
        grain => Some(format!(
            "that whole {grain}: {}",
            period::days(range, setting)
        )),
    };
    Some((fixed(range, note), next))
}

/// The day that "2 weeks ago" is, where no whole week is meant.
pub(super) fn day_ago(cursor: Cursor<'_>, setting: &TimeSetting<'_>) -> Option<Period> {
    let (n, next) = count(cursor)?;
    let (n, grain, next) = units(n, next)?;
    next.any(&["ago"])?;
    let span = grain.ok()?.span(i32::try_from(n).ok()?);
    Some(Period::Day(setting.today.checked_sub(span).ok()?))
}

/// "month before last"
fn before_last<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(Said, Cursor<'t>)> {
    let ((n, grain), next) = unit(cursor)?;
    let next = next.words("before last")?;
    (n == 1).then_some(())?;
    Some((certain(back(2, grain, setting)?), next))
}

/// A number or none (which is one); `Err` with the reason for words that are no number that ranges can have.
fn amount(cursor: Cursor<'_>) -> Option<(Result<u32, String>, Cursor<'_>)> {
    if let Some(next) = cursor.longest(&["few", "several", "couple few", "some"]) {
        let reason = "'few' is no number: say how many, as in last 3 months".to_owned();
        return Some((Err(reason), next));
    }
    if let Some((n, _, next)) = cursor.digits()
        && !(1..=MAX_COUNT).contains(&n)
    {
        let reason = format!("a range has 1 to {MAX_COUNT} days, weeks, months, quarters or years");
        return Some((Err(reason), next.hyphen()));
    }
    Some(match count(cursor) {
        Some((n, next)) => (Ok(n), next.skip(&["of"])),
        None => (Ok(1), cursor),
    })
}

/// What is counted; `Err` for units that ranges of whole days do not have.
fn units(n: u32, cursor: Cursor<'_>) -> Option<(u32, Result<Grain, String>, Cursor<'_>)> {
    if let Some(next) = inexact_unit(cursor)
        && unit(cursor).is_none()
    {
        let reason = "time ranges are whole days, weeks, months, quarters or years".to_owned();
        return Some((n, Err(reason), next));
    }
    let cursor = cursor.skip(&["complete", "full", "whole", "calendar"]);
    let ((each, grain), next) = unit(cursor)?;
    Some((n.checked_mul(each)?, Ok(grain), next))
}

fn inexact_unit(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let others = [
        "hour",
        "hours",
        "hr",
        "hrs",
        "h",
        "minute",
        "minutes",
        "min",
        "mins",
        "second",
        "seconds",
        "business day",
        "business days",
        "working day",
        "working days",
        "workday",
        "workdays",
        "weekday",
        "weekdays",
        "weekends",
        "decade",
        "decades",
    ];
    cursor
        .longest(&others)
        .or_else(|| unit(cursor).map(|(_, next)| next))
}

/// "fiscal year", "fiscal quarter", "fy": the current one, or `n` before it.
fn fiscal<'t>(cursor: Cursor<'t>, n: i16, setting: &TimeSetting<'_>) -> Option<(Said, Cursor<'t>)> {
    let starts_in_january = setting.calendar.fiscal_year_start == 1;
    let relative = |grain| match n {
        0 => Some(TimeRange::This(grain)),
        1 => Some(TimeRange::Last(1, grain)),
        n => back(i64::from(n), grain, setting),
    };
    let explained = |range| {
        let note = period::days(range, setting);
        fixed(range, Some(note))
    };
    if let Some(next) = cursor.longest(&["fiscal quarter", "financial quarter"]) {
        let range = if starts_in_january {
            relative(Grain::Quarter)?
        } else {
            let current = Recurring::FiscalQuarter(fiscal_quarter_of(setting));
            let (from, _) = current.latest(setting.today, setting)?;
            let months = Span::new().months(3 * i64::from(n));
            let start = from.days()?.0.checked_sub(months).ok()?;
            span(period::periods(start, start.checked_add(3.months()).ok()?)?)?
        };
        return Some((explained(range), next));
    }
    let next = cursor.longest(&["fy", "fiscal year", "financial year", "fiscal"])?;
    let range = if starts_in_january {
        relative(Grain::Year)?
    } else {
        let year = fiscal_year_of(setting.today, setting).checked_sub(n)?;
        span(fiscal_year(year, setting)?)?
    };
    Some((explained(range), next))
}

fn fiscal_quarter_of(setting: &TimeSetting<'_>) -> i8 {
    let months = (12 + setting.today.month() - setting.calendar.fiscal_year_start) % 12;
    months / 3 + 1
}

/// The current half of the year, or `n` halves before it.
fn half(n: i64, setting: &TimeSetting<'_>) -> Option<TimeRange> {
    let month = if setting.today.month() <= 6 { 1 } else { 7 };
    let start = Date::new(setting.today.year(), month, 1).ok()?;
    let start = start.checked_sub(Span::new().months(6 * n)).ok()?;
    span(period::periods(start, start.checked_add(6.months()).ok()?)?)
}

/// The weekend that runs or comes next, or `n` weekends before it.
fn weekend(today: Date, n: i64) -> Option<TimeRange> {
    let saturday = match today.weekday() {
        Weekday::Sunday => today.yesterday().ok()?,
        day => today
            .checked_add(Span::new().days(i64::from(5 - day.to_monday_zero_offset())))
            .ok()?,
    };
    let saturday = saturday.checked_sub(Span::new().weeks(n)).ok()?;
    span((
        Period::Day(saturday),
        Period::Day(saturday.tomorrow().ok()?),
    ))
}
