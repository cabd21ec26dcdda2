//! Parts of a year: quarters, halves, weeks, and the fiscal year with its quarters.

use jiff::civil::Date;

use super::TimeSetting;
use super::cursor::Cursor;
use super::dates::{any_year, short, year};
use super::names::{month_name, ordinal};
use super::period::{Recurring, fiscal_year, span};
use super::point::{self, Said, Way, When, fixed, in_year, recurring};

/// What recurs, with the year that may follow it.
pub(super) fn with_year<'t>(
    what: Recurring,
    next: Cursor<'t>,
    setting: &TimeSetting<'_>,
) -> (Said, Cursor<'t>) {
    if let Some((year, next)) = any_year(next, setting) {
        return (in_year(what, year, setting), next);
    }
    // "first half of November": the half of a year is not what was meant.
    if let Some(of) = next.any(&["of", "in"])
        && let Some((_, end)) = point::read(of, setting)
    {
        let reason = format!(
            "{} is a part of a year: name the days that are meant, as in 1 to 15 November",
            what.name()
        );
        return (Err(reason), end);
    }
    (recurring(what), next)
}

/// `q3`, `3q`, "third quarter"
pub(super) fn quarter_name(cursor: Cursor<'_>) -> Option<(Recurring, Cursor<'_>)> {
    let (at, next) = part_name(cursor, "q", &["quarter", "qtr"], 4)?;
    Some((Recurring::Quarter(at), next))
}

/// `h1`, `1h`, "first half"
pub(super) fn half_name(cursor: Cursor<'_>) -> Option<(Recurring, Cursor<'_>)> {
    let (at, next) = part_name(cursor, "h", &["half"], 2)?;
    Some((Recurring::Half(at), next))
}

pub(super) fn part_name<'t>(
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
pub(super) fn week_name(cursor: Cursor<'_>) -> Option<(Recurring, Cursor<'_>)> {
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

pub(super) fn quarter<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
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
pub(super) fn fiscal_ordinal(cursor: Cursor<'_>) -> Option<(Recurring, Cursor<'_>)> {
    let (at, next) = ordinal(cursor)?;
    let next = next.longest(&["fiscal quarter", "financial quarter"])?;
    (1..=4)
        .contains(&at)
        .then_some((Recurring::FiscalQuarter(at), next))
}

pub(super) fn with_fiscal_year<'t>(
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

pub(super) fn half<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    if let Some(found) = relative_part(cursor, half_name, setting) {
        return Some(found);
    }
    let (what, next) = half_name(cursor)?;
    Some(with_year(what, next, setting))
}

/// "last Q3", "this March", "next H1", "last November"
pub(super) fn relative_part<'t>(
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
pub(super) fn fiscal<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let (year, next) = fiscal_number(cursor, setting)?;
    if let Some((Recurring::Quarter(at), next)) = quarter_name(next.hyphen()) {
        return Some((in_year(Recurring::FiscalQuarter(at), year, setting), next));
    }
    Some((fiscal_said(year, setting)?, next))
}

pub(super) fn fiscal_said(year: i16, setting: &TimeSetting<'_>) -> Option<Said> {
    let (from, to) = fiscal_year(year, setting)?;
    let (start, end) = (from.days()?.0, to.days()?.1.yesterday().ok()?);
    let name = |day: Date| {
        let month: String = month_name(day.month()).chars().take(3).collect();
        format!("{month} {}", day.year())
    };
    let note = format!("FY{:02} is {} to {}", year % 100, name(start), name(end));
    Some(fixed(span((from, to))?, Some(note)))
}

pub(super) fn fiscal_number<'t>(
    cursor: Cursor<'t>,
    setting: &TimeSetting<'_>,
) -> Option<(i16, Cursor<'t>)> {
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

pub(super) fn week<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let (what, next) = week_name(cursor)?;
    Some(with_year(what, next, setting))
}
