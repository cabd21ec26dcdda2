//! One time, named: "Nov 2025", "Q3", "3rd of November", "2025-W45", "FY25", "week of 3 Nov", "last month".

use jiff::civil::Date;

use super::TimeSetting;
use super::cursor::Cursor;
use super::names::{month, month_name, ordinal, short_weekday, weekday, weekday_name};
use super::period::{Recurring, fiscal_year, periods, span};
use super::relative;
use super::span::longest;
use crate::model::{Grain, Period, TimeRange};

/// A time: known, or known but for the year.
#[derive(Debug, Clone)]
pub(super) enum When {
    Fixed(TimeRange, Option<String>),
    Recurring(Recurring),
}

impl From<TimeRange> for When {
    fn from(range: TimeRange) -> Self {
        Self::Fixed(range, None)
    }
}

/// How an ambiguous number was read; two ends of a range are read alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Any,
    /// 03/04/2025 is in April.
    DayFirst,
    /// 03/04/2025 is in March.
    MonthFirst,
    /// "nov 25" is a day.
    DayNumber,
    /// "nov 25" is in 2025.
    YearNumber,
}

/// What was said, in all its readings, or why it is no time.
pub(super) type Said = Result<Vec<(Style, When)>, String>;

pub(super) fn certain(range: TimeRange) -> Said {
    fixed(range, None)
}

pub(super) fn fixed(range: TimeRange, note: Option<String>) -> Said {
    Ok(vec![(Style::Any, When::Fixed(range, note))])
}

pub(super) fn alternatives<const N: usize>(readings: [When; N]) -> Said {
    Ok(readings.map(|when| (Style::Any, when)).to_vec())
}

fn recurring(what: Recurring) -> Said {
    Ok(vec![(Style::Any, When::Recurring(what))])
}

fn one(period: Period) -> Option<When> {
    Some(span((period, period))?.into())
}

/// What `what` is in `year`, or that there is none.
fn in_year(what: Recurring, year: i16, setting: &TimeSetting<'_>) -> Said {
    match what.at(year, setting).and_then(span) {
        Some(range) => {
            let note = matches!(what, Recurring::FiscalQuarter(_))
                .then(|| super::period::days(range, setting));
            fixed(range, note)
        }
        None => Err(format!("there is no {} in {year}", what.name())),
    }
}

type Way<'t> = Option<(Said, Cursor<'t>)>;

/// The longest time at the cursor.
pub(super) fn read<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let cursor = cursor.skip(&["the"]);
    longest([
        relative::read(cursor, setting),
        iso(cursor, setting),
        numeric(cursor, setting),
        month_first(cursor, setting),
        day_first(cursor, setting),
        quarter(cursor, setting),
        half(cursor, setting),
        fiscal(cursor, setting),
        week(cursor, setting),
        week_of(cursor, setting),
        on_weekday(cursor, setting),
        year_to_date(cursor, setting),
        calendar_year(cursor, setting),
        inexact(cursor, setting),
    ])
}

/// A year that cannot be anything else: `2025`, `'25`, "of last year".
pub(super) fn year<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(i16, Cursor<'t>)> {
    let plain = |cursor: Cursor<'t>| {
        let (year, digits, next) = cursor.digits()?;
        (digits == 4 && year > 0).then_some((i16::try_from(year).ok()?, next))
    };
    if cursor.is_glued()
        && let Some(found) = cursor.any(&["-", "/", "."]).and_then(plain)
    {
        return Some(found);
    }
    let cursor = cursor.skip(&["of", "in"]).skip(&["the"]);
    if let Some(next) = cursor.any(&["'"]) {
        return short(next, setting, 0..=99).map(|(year, next)| (year, next));
    }
    let current = setting.today.year();
    let relative = [
        (
            ["this year", "current year", "the current year"].as_slice(),
            0,
        ),
        (
            &["last year", "previous year", "prior year", "past year"],
            -1,
        ),
        (&["next year"], 1),
        (&["year before last"], -2),
    ];
    let relative = relative
        .into_iter()
        .find_map(|(words, offset)| Some((current.checked_add(offset)?, cursor.longest(words)?)));
    plain(cursor).or(relative)
}

/// A year of two digits out of `years`.
fn short<'t>(
    cursor: Cursor<'t>,
    setting: &TimeSetting<'_>,
    years: std::ops::RangeInclusive<i16>,
) -> Option<(i16, Cursor<'t>)> {
    let (year, digits, next) = cursor.digits()?;
    let year = i16::try_from(year).ok()?;
    let century = setting.today.year() / 100 * 100;
    (digits == 2 && years.contains(&year)).then_some((century + year, next))
}

/// Years of two digits that people write of data: a decade back, two years ahead.
fn usual(setting: &TimeSetting<'_>) -> std::ops::RangeInclusive<i16> {
    let now = setting.today.year() % 100;
    (now - 10).max(0)..=(now + 2).min(99)
}

/// A year, also of two digits after a space or a sign: for places where no day can stand.
fn any_year<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(i16, Cursor<'t>)> {
    year(cursor, setting).or_else(|| {
        let cursor = if cursor.is_glued() {
            cursor.skip(&["-", "/"])
        } else {
            cursor
        };
        short(cursor, setting, usual(setting))
    })
}

/// What recurs, with the year that may follow it.
fn with_year<'t>(
    what: Recurring,
    next: Cursor<'t>,
    setting: &TimeSetting<'_>,
) -> (Said, Cursor<'t>) {
    if let Some((year, next)) = any_year(next, setting) {
        return (in_year(what, year, setting), next);
    }
    // "first half of November": the half of a year is not what was meant.
    if let Some(of) = next.any(&["of", "in"])
        && let Some((_, end)) = read(of, setting)
    {
        let reason = format!(
            "{} is a part of a year: name the days that are meant, as in 1 to 15 November",
            what.name()
        );
        return (Err(reason), end);
    }
    (recurring(what), next)
}

/// `2025-11-03`, `2025/11`, `2025-W45`, `2025Q3`, `2025 Nov`, `2025`
fn iso<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let (number, digits, next) = cursor.digits()?;
    let year = i16::try_from(number).ok().filter(|_| digits == 4)?;
    if next.is_glued()
        && let Some(after) = next.any(&["-", "/", "."])
        && let Some((month, 1..=2, after)) = after.digits()
    {
        let month = i8::try_from(month).ok()?;
        let said = |period: Option<When>, what: String| match period {
            Some(when) => Ok(vec![(Style::Any, when)]),
            None => Err(format!("there is no {what}")),
        };
        if after.is_glued()
            && let Some(last) = after.any(&["-", "/", "."])
            && let Some((day, 1..=2, last)) = last.digits()
        {
            let day = i8::try_from(day).ok()?;
            let when = Date::new(year, month, day)
                .ok()
                .and_then(|day| one(Period::Day(day)));
            return Some((said(when, format!("{year}-{month:02}-{day:02}")), last));
        }
        return Some((
            said(
                one(Period::Month(year, month)),
                format!("{year}-{month:02}"),
            ),
            after,
        ));
    }
    let after = next.hyphen();
    let sub = |what: Option<(Recurring, Cursor<'t>)>| {
        let (what, next) = what?;
        Some((in_year(what, year, setting), next))
    };
    let fiscal = after
        .longest(&["fiscal year", "fy", "financial year"])
        .and_then(|next| Some((fiscal_said(year, setting)?, next)));
    let found = longest([
        sub(quarter_name(after)),
        sub(half_name(after)),
        sub(week_name(after)),
        sub(after
            .take(month)
            .map(|(month, next)| (Recurring::Month(month), next))),
        fiscal,
    ]);
    found.or_else(|| {
        (1900..=2199).contains(&year).then_some(())?;
        Some((Ok(vec![(Style::Any, one(Period::Year(year))?)]), next))
    })
}

/// "year 2025", "calendar 2025", "cy25"
fn calendar_year<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let next = cursor.longest(&["year", "the year", "calendar year", "calendar", "cy"])?;
    let two = || short(next, setting, 0..=99).filter(|_| next.is_glued());
    let (year, next) = year(next, setting).or_else(two)?;
    Some((Ok(vec![(Style::Any, one(Period::Year(year))?)]), next))
}

/// `03/04/2025`, `25/11`, `11/2025`
fn numeric<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let (a, 1..=2, next) = cursor.digits()? else {
        return None;
    };
    let sign = ["/", "-", "."]
        .into_iter()
        .find(|sign| next.any(&[sign]).is_some())?;
    let glued = |cursor: Cursor<'t>| cursor.is_glued().then(|| cursor.any(&[sign])).flatten();
    let next = glued(next)?;
    let (b, digits, next) = next.digits()?;
    let small = |n: u32| i8::try_from(n).ok();
    if digits == 4 {
        let (month, year) = (small(a)?, i16::try_from(b).ok()?);
        return Some(match one(Period::Month(year, month)) {
            Some(when) => (Ok(vec![(Style::Any, when)]), next),
            None => (Err(format!("there is no month {a}")), next),
        });
    }
    let (a, b) = (small(a)?, small(b)?);
    let third = glued(next).and_then(Cursor::digits);
    let (year, next) = match third {
        Some((year, 4, next)) => (Some(i16::try_from(year).ok()?), next),
        Some((_, 2, next)) => {
            let reason = "a date in short numbers may be several days: write it like 2025-11-03";
            return Some((Err(reason.to_owned()), next));
        }
        Some(_) => return None,
        None if sign == "/" => (None, next),
        None => return None,
    };
    let read = |style: Style, month: i8, day: i8| {
        let when = match year {
            Some(year) => one(Period::Day(Date::new(year, month, day).ok()?))?,
            None => {
                let what = Recurring::Day(month, day);
                what.latest(setting.today, setting)?;
                When::Recurring(what)
            }
        };
        Some((style, when))
    };
    let readings = if a == b {
        vec![read(Style::Any, a, b)]
    } else {
        vec![read(Style::DayFirst, b, a), read(Style::MonthFirst, a, b)]
    };
    let readings: Vec<_> = readings.into_iter().flatten().collect();
    if readings.is_empty() {
        return Some((Err(format!("there is no day {a}{sign}{b}")), next));
    }
    Some((Ok(readings), next))
}

/// "November 2025", "Nov 3rd", "Nov 3, 2025", "November"
fn month_first<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let cursor = cursor.words("month of").unwrap_or(cursor);
    let (month, next) = cursor.take(month)?;
    let what = Recurring::Month(month);
    if let Some((year, after)) = year(next, setting) {
        return Some((in_year(what, year, setting), after));
    }
    let number = next.hyphen().skip(&["the"]);
    let Some((day, digits, after)) = number.digits().filter(|(day, ..)| (1..=99).contains(day))
    else {
        return Some((recurring(what), next));
    };
    let day = i8::try_from(day).ok()?;
    if let Some((_, after)) = ordinal(number) {
        return Some(dated(month, day, after, setting));
    }
    if day > 31 {
        return Some((recurring(what), next));
    }
    if let Some((year, end)) = year(after, setting)
        && after.used().is_some()
    {
        return Some((in_year(Recurring::Day(month, day), year, setting), end));
    }
    let now = setting.today.year() % 100;
    let may_be_year = digits == 2 && (now - 5..=now + 1).contains(&i16::from(day));
    let of_year = what
        .at(setting.today.year() / 100 * 100 + i16::from(day), setting)
        .and_then(span)
        .filter(|_| may_be_year);
    let (said, end) = dated(month, day, after, setting);
    Some(match (said, of_year) {
        (Ok(readings), Some(year)) => {
            let mut readings: Vec<_> = readings
                .into_iter()
                .map(|(_, when)| (Style::DayNumber, when))
                .collect();
            readings.push((Style::YearNumber, year.into()));
            (Ok(readings), end)
        }
        (said, _) => (said, end),
    })
}

/// "3 Nov", "3rd of November 2025"
fn day_first<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let (day, next) = ordinal(cursor).or_else(|| {
        let (day, 1..=2, next) = cursor.digits()? else {
            return None;
        };
        Some((i8::try_from(day).ok()?, next.hyphen()))
    })?;
    let next = next.skip(&["of"]);
    let (month, next) = next.take(month)?;
    Some(match any_year(next, setting) {
        Some((year, next)) => (in_year(Recurring::Day(month, day), year, setting), next),
        None => dated(month, day, next, setting),
    })
}

/// A day and month, with the year that may follow.
fn dated<'t>(
    month: i8,
    day: i8,
    next: Cursor<'t>,
    setting: &TimeSetting<'_>,
) -> (Said, Cursor<'t>) {
    let what = Recurring::Day(month, day);
    if let Some((year, next)) = year(next, setting) {
        return (in_year(what, year, setting), next);
    }
    if what.latest(setting.today, setting).is_none() {
        return (
            Err(format!("there is no {day} {}", month_name(month))),
            next,
        );
    }
    (recurring(what), next)
}

/// `q3`, `3q`, "third quarter"
fn quarter_name(cursor: Cursor<'_>) -> Option<(Recurring, Cursor<'_>)> {
    let (at, next) = part_name(cursor, "q", &["quarter", "qtr"], 4)?;
    Some((Recurring::Quarter(at), next))
}

/// `h1`, `1h`, "first half"
fn half_name(cursor: Cursor<'_>) -> Option<(Recurring, Cursor<'_>)> {
    let (at, next) = part_name(cursor, "h", &["half"], 2)?;
    Some((Recurring::Half(at), next))
}

fn part_name<'t>(
    cursor: Cursor<'t>,
    letter: &str,
    names: &[&str],
    most: i8,
) -> Option<(i8, Cursor<'t>)> {
    let number = |cursor: Cursor<'t>| {
        let (n, 1, next) = cursor.digits()? else {
            return None;
        };
        Some((i8::try_from(n).ok()?, next))
    };
    let glued = |cursor: Cursor<'t>| cursor.is_glued().then_some(cursor);
    let letter_first = || number(glued(cursor.any(&[letter])?)?);
    let number_first = || {
        let (n, next) = number(cursor)?;
        Some((n, glued(next)?.any(&[letter])?))
    };
    let named = || number(cursor.any(names)?.hyphen());
    let in_words = || {
        let (n, next) = ordinal(cursor)?;
        Some((n, next.any(names)?))
    };
    letter_first()
        .or_else(number_first)
        .or_else(named)
        .or_else(in_words)
        .filter(|(n, _)| (1..=most).contains(n))
}

/// `w45`, "week 45", "cw 45"
fn week_name(cursor: Cursor<'_>) -> Option<(Recurring, Cursor<'_>)> {
    let next = match cursor.any(&["week", "wk", "cw", "kw", "isoweek"]) {
        Some(next) => next.hyphen(),
        None => cursor.any(&["w"]).filter(|next| next.is_glued())?,
    };
    let (week, 1..=2, next) = next.digits()? else {
        return None;
    };
    let week = i8::try_from(week)
        .ok()
        .filter(|week| (1..=53).contains(week))?;
    Some((Recurring::Week(week), next))
}

fn quarter<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    if let Some(found) = relative_part(cursor, quarter_name, setting) {
        return Some(found);
    }
    let fiscal_first = cursor.any(&["fiscal", "financial", "f"]);
    let (what, next) =
        quarter_name(fiscal_first.unwrap_or(cursor)).or_else(|| fiscal_ordinal(cursor))?;
    let Recurring::Quarter(at) = what else {
        let Recurring::FiscalQuarter(_) = what else {
            return None;
        };
        return Some(with_fiscal_year(what, next, setting));
    };
    let fiscal = Recurring::FiscalQuarter(at);
    let spaced = next.skip(&["of"]).skip(&["the"]);
    if let Some((year, next)) = fiscal_number(spaced.hyphen(), setting) {
        return Some((in_year(fiscal, year, setting), next));
    }
    if fiscal_first.is_some() {
        return Some(with_fiscal_year(fiscal, next, setting));
    }
    let (mut said, next) = with_year(what, next, setting);
    if setting.calendar.fiscal_year_start != 1
        && let Ok(readings) = &mut said
    {
        for (_, when) in readings {
            if let When::Fixed(_, note) = when {
                *note = Some("the quarter of the calendar year, not of the fiscal year".to_owned());
            }
        }
    }
    Some((said, next))
}

/// "third fiscal quarter"
fn fiscal_ordinal(cursor: Cursor<'_>) -> Option<(Recurring, Cursor<'_>)> {
    let (at, next) = ordinal(cursor)?;
    let next = next.longest(&["fiscal quarter", "financial quarter"])?;
    (1..=4)
        .contains(&at)
        .then_some((Recurring::FiscalQuarter(at), next))
}

fn with_fiscal_year<'t>(
    what: Recurring,
    next: Cursor<'t>,
    setting: &TimeSetting<'_>,
) -> (Said, Cursor<'t>) {
    let of = next.skip(&["of"]).skip(&["the"]);
    let named = fiscal_number(of, setting).or_else(|| any_year(next, setting));
    match named {
        Some((year, next)) => (in_year(what, year, setting), next),
        None => (recurring(what), next),
    }
}

fn half<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    if let Some(found) = relative_part(cursor, half_name, setting) {
        return Some(found);
    }
    let (what, next) = half_name(cursor)?;
    Some(with_year(what, next, setting))
}

/// "last Q3", "this March", "next H1", "last November"
fn relative_part<'t>(
    cursor: Cursor<'t>,
    name: fn(Cursor<'t>) -> Option<(Recurring, Cursor<'t>)>,
    setting: &TimeSetting<'_>,
) -> Way<'t> {
    let which = |word: &str| match word {
        "last" | "past" | "previous" => Some(-1),
        "this" => Some(0),
        "next" => Some(1),
        _ => None,
    };
    let (which, next) = cursor.take(which)?;
    let (what, next) = name(next)?;
    if year(next, setting).is_some() {
        return None;
    }
    let today = setting.today;
    let (found, which) = match which {
        -1 => (
            what.latest_complete(today, setting),
            "the latest one that is over",
        ),
        0 => (what.at(today.year(), setting), "the one of this year"),
        _ => (what.first(today.tomorrow().ok()?, setting), "the next one"),
    };
    let range = span(found?)?;
    Some((
        fixed(range, Some(format!("{}, {which}", super::phrase(range)))),
        next,
    ))
}

/// "fy25", "fiscal 2025", "fy 2024-25"
fn fiscal<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let (year, next) = fiscal_number(cursor, setting)?;
    if let Some((Recurring::Quarter(at), next)) = quarter_name(next.hyphen()) {
        return Some((in_year(Recurring::FiscalQuarter(at), year, setting), next));
    }
    Some((fiscal_said(year, setting)?, next))
}

fn fiscal_said(year: i16, setting: &TimeSetting<'_>) -> Option<Said> {
    let (from, to) = fiscal_year(year, setting)?;
    let (start, end) = (from.days()?.0, to.days()?.1.yesterday().ok()?);
    let name = |day: Date| {
        let month: String = month_name(day.month()).chars().take(3).collect();
        format!("{month} {}", day.year())
    };
    let note = format!("FY{:02} is {} to {}", year % 100, name(start), name(end));
    Some(fixed(span((from, to))?, Some(note)))
}

fn fiscal_number<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Option<(i16, Cursor<'t>)> {
    let names = [
        "fy",
        "fiscal",
        "fiscal year",
        "fiscal years",
        "financial year",
    ];
    let next = cursor.longest(&names)?.hyphen();
    let next = next.skip(&["'"]);
    let (first, after) = year(next, setting).or_else(|| short(next, setting, 0..=99))?;
    // "2024/25" is the one that ends in 2025
    let second = after
        .is_glued()
        .then(|| after.any(&["/", "-"]))
        .flatten()
        .and_then(|next| year(next, setting).or_else(|| short(next, setting, 0..=99)))
        .filter(|(second, _)| *second == first.saturating_add(1));
    Some(second.unwrap_or((first, after)))
}

fn week<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let (what, next) = week_name(cursor)?;
    Some(with_year(what, next, setting))
}

/// "week of 3 Nov", "week ending 9 Nov"
fn week_of<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let week = cursor.any(&["week", "wk"])?;
    let next = week.longest(&[
        "of",
        "starting",
        "beginning",
        "commencing",
        "from",
        "ending",
        "starting on",
        "ending on",
        "that starts on",
    ])?;
    let (said, next) = read(next.skip(&["on"]), setting)?;
    let whole = |when: When| {
        let (range, _) = resolve(when, setting)?;
        let day = range.resolve(setting.today, setting.calendar.week_start);
        (day.days() == Some(1)).then_some(())?;
        let start = Grain::Week.floor(day.start?, setting.calendar.week_start);
        let range = span(periods(
            start,
            start.checked_add(Grain::Week.span(1)).ok()?,
        )?)?;
        let note = super::period::days(range, setting);
        Some(When::Fixed(range, Some(note)))
    };
    let said = match said {
        Ok(readings) => {
            let readings: Vec<_> = readings
                .into_iter()
                .filter_map(|(style, when)| Some((style, whole(when)?)))
                .collect();
            (!readings.is_empty()).then_some(Ok(readings))?
        }
        Err(reason) => Err(reason),
    };
    Some((said, next))
}

/// "on Tuesday", "Monday 3 Nov", "last March"
fn on_weekday<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let months = |cursor: Cursor<'t>| {
        let (month, next) = cursor.take(month)?;
        Some((Recurring::Month(month), next))
    };
    if let Some(found) = relative_part(cursor, months, setting) {
        return Some(found);
    }
    let dated = cursor.take(short_weekday).and_then(|(day, next)| {
        let found = longest([
            month_first(next, setting),
            day_first(next.skip(&["the"]), setting),
            iso(next, setting),
            numeric(next, setting),
        ]);
        Some((day, found?))
    });
    if let Some((day, (said, next))) = dated {
        let readings = match said {
            Ok(readings) => readings,
            Err(reason) => return Some((Err(reason), next)),
        };
        let fits: Vec<_> = readings
            .into_iter()
            .filter_map(|(_, when)| {
                let (range, _) = resolve(when, setting)?;
                let days = range.resolve(setting.today, setting.calendar.week_start);
                let is_day = days.days() == Some(1) && days.start?.weekday() == day;
                is_day.then_some((Style::Any, When::from(range)))
            })
            .collect();
        let said = if fits.is_empty() {
            Err(format!("that day is no {}", weekday_name(day)))
        } else {
            Ok(fits)
        };
        return Some((said, next));
    }
    let (day, next) = cursor.take(weekday)?;
    Some((recurring(Recurring::Weekday(day)), next))
}

/// "2025 YTD", "YTD 2025": up to the same day of that year.
fn year_to_date<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let ytd = ["ytd", "year to date"];
    let (year, next) = match cursor.longest(&ytd) {
        Some(next) => year(next, setting)?,
        None => {
            let (year, next) = year(cursor, setting)?;
            (year, next.longest(&ytd)?)
        }
    };
    if year == setting.today.year() {
        return Some((certain(TimeRange::ToDate(Grain::Year)), next));
    }
    let years = i32::from(setting.today.year()) - i32::from(year);
    let same_day = setting.today.checked_sub(Grain::Year.span(years)).ok()?;
    let range = span((
        Period::Day(Date::new(year, 1, 1).ok()?),
        Period::Day(same_day),
    ))?;
    let note = format!("up to the same day of {year}");
    Some((fixed(range, Some(note)), next))
}

/// "early November", "end of 2025": no exact days.
fn inexact<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let words = [
        "early",
        "late",
        "mid",
        "middle of",
        "end of",
        "beginning of",
        "start of",
        "around",
        "about",
        "early in",
        "late in",
        "end of the",
        "the end of",
    ];
    let next = cursor.longest(&words)?.hyphen();
    let (_, next) = read(next, setting)?;
    let reason = "has no exact first and last day: name the days, as in 1 to 10 November";
    Some((Err(reason.to_owned()), next))
}

/// The range of a time, where the year is not said the latest one that has begun.
pub(super) fn resolve(
    when: When,
    setting: &TimeSetting<'_>,
) -> Option<(TimeRange, Option<String>)> {
    match when {
        When::Fixed(range, note) => Some((range, note)),
        When::Recurring(what) => {
            let range = span(what.latest(setting.today, setting)?)?;
            let text = super::phrase(range);
            let days = super::period::days(range, setting);
            let note = match what {
                Recurring::FiscalQuarter(_) => format!("{days}, the latest one that has begun"),
                _ => format!("{text}, the latest one that has begun"),
            };
            Some((range, Some(note)))
        }
    }
}
