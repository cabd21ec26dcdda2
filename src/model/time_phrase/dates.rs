//! Dates, months and years as people write them: "3 Nov", "November 2025", `2025-11-03`, `03/04/2025`, "2025".

use jiff::civil::Date;

use super::TimeSetting;
use super::cursor::Cursor;
use super::names::{month, month_name, ordinal};
use super::parts::{fiscal_said, half_name, quarter_name, week_name};
use super::period::{Recurring, span};
use super::point::{Said, Style, Way, When, certain, fixed, in_year, one, recurring};
use super::span::longest;
use crate::model::{Grain, Period, TimeRange};

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
        return short(next, setting, 0..=99);
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
pub(super) fn short<'t>(
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
pub(super) fn usual(setting: &TimeSetting<'_>) -> std::ops::RangeInclusive<i16> {
    let now = setting.today.year() % 100;
    (now - 10).max(0)..=(now + 2).min(99)
}

/// A year, also of two digits after a space or a sign: for places where no day can stand.
pub(super) fn any_year<'t>(
    cursor: Cursor<'t>,
    setting: &TimeSetting<'_>,
) -> Option<(i16, Cursor<'t>)> {
    year(cursor, setting).or_else(|| {
        let cursor = if cursor.is_glued() {
            cursor.skip(&["-", "/"])
        } else {
            cursor
        };
        short(cursor, setting, usual(setting))
    })
}

/// `2025-11-03`, `2025/11`, `2025-W45`, `2025Q3`, `2025 Nov`, `2025`
pub(super) fn iso<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
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
pub(super) fn calendar_year<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let next = cursor.longest(&["year", "the year", "calendar year", "calendar", "cy"])?;
    let two = || short(next, setting, 0..=99).filter(|_| next.is_glued());
    let (year, next) = year(next, setting).or_else(two)?;
    Some((Ok(vec![(Style::Any, one(Period::Year(year))?)]), next))
}

/// `03/04/2025`, `25/11`, `11/2025`
pub(super) fn numeric<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
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
pub(super) fn month_first<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
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
pub(super) fn day_first<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
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
pub(super) fn dated<'t>(
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

/// "2025 YTD", "YTD 2025": up to the same day of that year.
pub(super) fn year_to_date<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
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
