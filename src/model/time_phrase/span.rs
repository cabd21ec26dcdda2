//! Ranges put together from times: "since March", "between 3 and 9 Nov", "from Jan to Mar 2025", "in the last week".

use super::cursor::Cursor;
use super::names::unit;
use super::period::{Recurring, bounds, days, periods, span};
use super::point::{self, Meant, Said, Style, When, resolve};
use super::relative;
use super::{Found, Phrase, TimeSetting};
use crate::model::{Grain, Period, TimeRange};

/// What a range may be, or why it is none.
pub(super) type Ranges = Result<Vec<Meant>, String>;

type Way<'t, T> = Option<(T, Cursor<'t>)>;

/// The way that goes furthest; the first of equals.
pub(super) fn longest<'t, T, const N: usize>(ways: [Way<'t, T>; N]) -> Way<'t, T> {
    ways.into_iter()
        .flatten()
        .reduce(|best, way| if way.1.is_beyond(best.1) { way } else { best })
}

pub(super) fn read(cursor: Cursor<'_>, setting: &TimeSetting<'_>) -> Option<Phrase<TimeRange>> {
    let (ranges, end) = range(cursor, setting)?;
    Some(settle(ranges, end.used()?, setting))
}

/// One meaning, several, or none.
fn settle(ranges: Ranges, used: usize, setting: &TimeSetting<'_>) -> Phrase<TimeRange> {
    let ranges = match ranges {
        Ok(ranges) => ranges,
        Err(reason) => return Phrase::Impossible { used, reason },
    };
    let mut distinct: Vec<Meant> = Vec::new();
    for meant in ranges {
        let resolved = |range: TimeRange| range.resolve(setting.today, setting.calendar.week_start);
        if !distinct
            .iter()
            .any(|other| resolved(other.range) == resolved(meant.range))
        {
            distinct.push(meant);
        }
    }
    match distinct.pop() {
        None => Phrase::Impossible {
            used,
            reason: "the range ends before it starts".to_owned(),
        },
        Some(meant) if distinct.is_empty() => Phrase::Found(Found {
            meaning: meant.range,
            used,
            note: meant.note,
        }),
        Some(last) => Phrase::Ambiguous {
            used,
            readings: distinct
                .into_iter()
                .chain([last])
                .map(|meant| (meant.range, named(meant.range, setting)))
                .collect(),
        },
    }
}

/// A range with its days, for people.
fn named(range: TimeRange, setting: &TimeSetting<'_>) -> String {
    let days = days(range, setting);
    format!("{} ({days})", super::phrase(range))
}

/// The longest range that ends between two words.
pub(super) fn range<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t, Ranges> {
    let whole = |way: Way<'t, Ranges>| way.filter(|(_, end)| end.used().is_some());
    longest([
        whole(all_time(cursor)),
        whole(since(cursor, setting)),
        whole(after(cursor, setting)),
        whole(until(cursor, setting)),
        whole(between(cursor, setting)),
        whole(from(cursor, setting)),
        whole(several(cursor, setting)),
        whole(plain(cursor, setting)),
    ])
}

fn all_time(cursor: Cursor<'_>) -> Way<'_, Ranges> {
    let texts = [
        "all time",
        "all of time",
        "of all time",
        "ever",
        "all history",
        "since launch",
        "since the launch",
        "since inception",
        "since the beginning",
        "since the start",
        "since the very beginning",
        "since the beginning of time",
        "from the beginning",
        "from the start",
        "since day one",
        "for all time",
        "over all time",
        "in all time",
        "alltime",
    ];
    let next = cursor.longest(&texts)?;
    // "since the beginning of March" is another thing.
    let goes_on = next.any(&["of", "on"]).is_some();
    (!goes_on).then_some((Ok(vec![TimeRange::AllTime.into()]), next))
}

/// Each reading of what was said, turned into ranges.
fn each(said: Said, turn: impl Fn(When) -> Vec<Meant>) -> Ranges {
    Ok(said?.into_iter().flat_map(|(_, when)| turn(when)).collect())
}

/// From the first day of what was said on.
fn open_end(when: When, setting: &TimeSetting<'_>) -> Option<Meant> {
    let meant = resolve(when, setting)?;
    let (from, _) = bounds(meant.range, setting)?;
    let start = from.days()?.0;
    let is_relative = !matches!(
        meant.range,
        TimeRange::Span(..) | TimeRange::This(Grain::Day)
    );
    let note = if is_relative {
        Some(format!("from {start} on"))
    } else {
        meant.note
    };
    Some(Meant {
        range: TimeRange::Span(Some(from), None),
        note,
        ..meant
    })
}

fn since<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t, Ranges> {
    let since = cursor.longest(&[
        "since",
        "ever since",
        "starting",
        "starting from",
        "starting in",
        "starting on",
        "from",
    ])?;
    let is_from = cursor.any(&["from"]).is_some();
    let next = since.longest(&[
        "the beginning of",
        "the start of",
        "beginning of",
        "start of",
    ]);
    let (said, end) = match next {
        Some(next) => current(next).or_else(|| point::read(next, setting))?,
        None => point::read(since, setting)?,
    };
    let on = end.longest(&[
        "on",
        "onward",
        "onwards",
        "until now",
        "till now",
        "to date",
        "up to now",
    ]);
    if is_from && on.is_none() {
        return None;
    }
    let end = on.unwrap_or(end);
    let mut ranges = each(said, |when| open_end(when, setting).into_iter().collect());
    // "since 2 weeks ago" may mean that week or that day.
    if let Ok(ranges) = &mut ranges
        && let Some(day) = relative::day_ago(since, setting)
    {
        ranges.push(TimeRange::Span(Some(day), None).into());
    }
    Some((ranges, end))
}

/// "the year", where only the current one can be meant
fn current(cursor: Cursor<'_>) -> Way<'_, Said> {
    let next = cursor.any(&["the"])?;
    match unit(next)? {
        ((1, grain), next) => Some((point::certain(TimeRange::This(grain)), next)),
        _ => None,
    }
}

fn after<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t, Ranges> {
    let next = cursor.longest(&["after", "later than", "after the end of"])?;
    let (said, end) = point::read(next, setting)?;
    let turn = |when: When| {
        let meant = resolve(when, setting)?;
        let (_, to) = bounds(meant.range, setting)?;
        Some(Meant {
            range: TimeRange::Span(Some(following(to)?), None),
            ..meant
        })
    };
    Some((each(said, |when| turn(when).into_iter().collect()), end))
}

/// The period of the same kind that begins where this one ends.
fn following(period: Period) -> Option<Period> {
    let (_, start) = period.days()?;
    let grain = match period {
        Period::Day(_) => Grain::Day,
        Period::Week(..) => Grain::Week,
        Period::Month(..) => Grain::Month,
        Period::Quarter(..) => Grain::Quarter,
        Period::Year(_) => Grain::Year,
    };
    let (period, _) = periods(start, start.checked_add(grain.span(1)).ok()?)?;
    Some(period)
}

/// "until March", "before March"
fn until<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t, Ranges> {
    let before = cursor.longest(&["before", "prior to", "earlier than", "until before"]);
    let until = [
        "until",
        "till",
        "til",
        "up to",
        "up until",
        "through",
        "thru",
        "up to and including",
        "ending",
        "until the end of",
        "up to the end of",
        "through the end of",
        "until end of",
    ];
    let next = before.or_else(|| cursor.longest(&until))?;
    let (said, end) = point::read(next, setting)?;
    let end_at = |meant: Meant| {
        let (from, to) = bounds(meant.range, setting)?;
        let last = match before {
            Some(_) => Period::Day(from.days()?.0.yesterday().ok()?),
            None => to,
        };
        Some(Meant {
            range: TimeRange::Span(None, Some(last)),
            ..meant
        })
    };
    let turn = |when: When| {
        // Late in the year, "until December" may be the one to come.
        let coming = match &when {
            When::Recurring(what) => coming_this_year(*what, setting).map(Meant::from),
            When::Fixed(..) => None,
        };
        let readings = coming.into_iter().chain(resolve(when, setting));
        readings.filter_map(end_at).collect()
    };
    Some((each(said, turn), end))
}

fn coming_this_year(what: Recurring, setting: &TimeSetting<'_>) -> Option<TimeRange> {
    let (from, to) = what.first(setting.today.tomorrow().ok()?, setting)?;
    let start = from.days()?.0;
    (start.year() == setting.today.year()).then(|| span((from, to)))?
}

const TO: [&str; 9] = [
    "to", "until", "till", "til", "through", "thru", "-", "up to", "and",
];

fn between<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t, Ranges> {
    let next = cursor.skip(&["in", "for", "during"]).any(&["between"])?;
    let next = next.skip(&["the"]);
    ends(next, &TO, setting)
}

/// "from A to B"; "from A" alone where A is a time of its own ("orders from last week").
fn from<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t, Ranges> {
    let next = cursor.any(&["from", "since"])?.skip(&["the"]);
    let to = TO.split_last().map(|(_, to)| to).unwrap_or_default();
    let pair = ends(next, to, setting);
    if pair.is_some() || cursor.any(&["since"]).is_some() {
        return pair;
    }
    let (said, end) = point::read(next, setting)?;
    let turn = |when: When| {
        let is_relative = matches!(
            when,
            When::Fixed(
                TimeRange::This(_)
                    | TimeRange::Last(..)
                    | TimeRange::Rolling(..)
                    | TimeRange::ToDate(_),
                _
            )
        );
        let inside = resolve(when.clone(), setting);
        let open = if is_relative {
            None
        } else {
            open_end(when, setting)
        };
        inside.into_iter().chain(open).collect()
    };
    Some((each(said, turn), end))
}

/// "A to B", "A and B" (which is not one range), "1-15 nov"
fn several<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t, Ranges> {
    let start = lead(cursor).0;
    let to = TO.split_last().map(|(_, to)| to).unwrap_or_default();
    if let Some(found) = ends(start, to, setting) {
        return Some(found);
    }
    let (_, next) = point::read(start, setting)?;
    let and = next
        .any(&["and", "or", "&", "+"])
        .filter(|_| next.used().is_some())?;
    let (_, end) = point::read(lead(and).0, setting)?;
    let reason = "one range at a time: join them with 'to', or compare them with 'vs'";
    Some((Err(reason.to_owned()), end))
}

/// Behind the preposition, and which one it is.
fn lead(cursor: Cursor<'_>) -> (Cursor<'_>, Option<Style>) {
    if let Some(next) = cursor.any(&["on"]) {
        return (next, Some(Style::DayNumber));
    }
    if let Some(next) = cursor.any(&["in"]) {
        return (next, Some(Style::YearNumber));
    }
    let others = [
        "for",
        "during",
        "within",
        "over",
        "of",
        "at",
        "throughout",
        "across",
    ];
    (cursor.skip(&others), None)
}

fn plain<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t, Ranges> {
    let (next, style) = lead(cursor);
    let next = next
        .skip(&["the"])
        .skip(&["all", "whole", "entire"])
        .skip(&["of"]);
    let (said, end) = point::read(next, setting)?;
    // "in nov 25" is the year, "on nov 25" the day.
    let said = said.map(|mut readings| {
        if let Some(style) = style
            && readings.iter().any(|(this, _)| *this == style)
        {
            readings.retain(|(this, _)| *this == style);
        }
        readings
    });
    Some((
        each(said, |when| resolve(when, setting).into_iter().collect()),
        end,
    ))
}

/// Two ends with one of `to` between them.
fn ends<'t>(cursor: Cursor<'t>, to: &[&str], setting: &TimeSetting<'_>) -> Way<'t, Ranges> {
    let separator = |next: Cursor<'t>| {
        next.longest(to)
            .or_else(|| next.any(&[".."]))
            .map(|next| next.skip(&["including"]).skip(&["the"]))
    };
    // "1 to 15 Nov": the month stands behind
    let month_behind = || {
        let (first, next) = day_number(cursor)?;
        let (said, end) = point::read(separator(next)?, setting)?;
        let turn = |when: When| {
            let pair = || Some(pair(&same_month(&when, first)?, &when, setting));
            pair().unwrap_or_default()
        };
        let ranges = match said {
            Ok(readings) => readings
                .into_iter()
                .flat_map(|(_, when)| turn(when))
                .collect::<Vec<_>>(),
            Err(reason) => return Some((Err(reason), end)),
        };
        (!ranges.is_empty()).then_some((Ok(ranges), end))
    };
    let (left, next) = match point::read(cursor, setting) {
        Some(found) => found,
        None => return month_behind(),
    };
    let behind = separator(next);
    // "Nov 1 to 15": the month stands before
    let month_before = || {
        let (last, end) = day_number(behind?)?;
        let year = super::dates::year(end, setting);
        let turn = |when: When| {
            let pair = || {
                let (from, to) = match year {
                    Some((year, _)) => {
                        let from = with_year(&when, year, setting)?;
                        (from.clone(), same_month(&from, last)?)
                    }
                    None => (when.clone(), same_month(&when, last)?),
                };
                Some(pair(&from, &to, setting))
            };
            pair().unwrap_or_default()
        };
        let end = year.map_or(end, |(_, end)| end);
        let ranges = each(left.clone(), turn).ok()?;
        (!ranges.is_empty()).then_some((Ok(ranges), end))
    };
    let two_points = || {
        let (right, end) = point::read(behind?, setting)?;
        Some((both(left.clone(), right, setting), end))
    };
    longest([month_behind(), two_points(), month_before()])
}

/// A day of a month that is said elsewhere.
fn day_number(cursor: Cursor<'_>) -> Option<(i8, Cursor<'_>)> {
    let (day, digits, next) = cursor.digits()?;
    let day = i8::try_from(day)
        .ok()
        .filter(|day| (1..=31).contains(day) && digits <= 2)?;
    let suffix = next
        .is_glued()
        .then(|| next.any(&["st", "nd", "rd", "th"]))
        .flatten();
    Some((day, suffix.unwrap_or(next)))
}

/// The `number`th of the month that a day lies in.
fn same_month(when: &When, number: i8) -> Option<When> {
    match when {
        When::Recurring(Recurring::Day(month, _)) => {
            Some(When::Recurring(Recurring::Day(*month, number)))
        }
        When::Fixed(TimeRange::Span(Some(Period::Day(day)), Some(Period::Day(same))), _)
            if day == same =>
        {
            let day = Period::Day(jiff::civil::Date::new(day.year(), day.month(), number).ok()?);
            Some(When::from(span((day, day))?))
        }
        _ => None,
    }
}

fn with_year(when: &When, year: i16, setting: &TimeSetting<'_>) -> Option<When> {
    match when {
        When::Recurring(what @ Recurring::Day(..)) => {
            Some(When::from(span(what.at(year, setting)?)?))
        }
        _ => None,
    }
}

/// All readings of two ends that are read alike.
fn both(left: Said, right: Said, setting: &TimeSetting<'_>) -> Ranges {
    let (left, right) = (left?, right?);
    let is_day = |when: &When| match when {
        When::Recurring(what) => matches!(what, Recurring::Day(..) | Recurring::Weekday(_)),
        When::Fixed(range, _) => {
            let days = range.resolve(setting.today, setting.calendar.week_start);
            days.days() == Some(1)
        }
    };
    let mut pairs = Vec::new();
    for (one, from) in &left {
        for (other, to) in &right {
            let alike = *one == Style::Any || *other == Style::Any || one == other;
            if alike {
                pairs.push((is_day(from) == is_day(to), from, to));
            }
        }
    }
    // "nov 25 to dec 2025" is from month to month, where that can be.
    if pairs.iter().any(|(same_kind, ..)| *same_kind) {
        pairs.retain(|(same_kind, ..)| *same_kind);
    }
    Ok(pairs
        .into_iter()
        .flat_map(|(_, from, to)| pair(from, to, setting))
        .collect())
}

/// From one time through another; a year that only one of them has belongs to both.
fn pair(from: &When, to: &When, setting: &TimeSetting<'_>) -> Vec<Meant> {
    let start = |periods: (Period, Period)| periods.0.days().map(|(start, _)| start);
    let join = |from: Option<(Period, Period)>, to: Option<(Period, Period)>| {
        let range = span((from?.0, to?.1))?;
        Some(Meant {
            range,
            note: Some(days(range, setting)),
            is_latest: false,
        })
    };
    let fixed = |when: &When| match when {
        When::Fixed(range, _) => bounds(*range, setting),
        When::Recurring(_) => None,
    };
    let found = match (from, to) {
        (When::Fixed(one, _), When::Fixed(other, _)) => {
            let is_said = matches!((one, other), (TimeRange::Span(..), TimeRange::Span(..)));
            let joined = join(fixed(from), fixed(to));
            return joined
                .map(|meant| Meant {
                    note: meant.note.filter(|_| !is_said),
                    ..meant
                })
                .into_iter()
                .collect();
        }
        (When::Recurring(what), When::Fixed(..)) => {
            let last = fixed(to);
            let first = last
                .and_then(start)
                .and_then(|day| what.latest(day, setting));
            join(first, last)
        }
        (When::Fixed(..), When::Recurring(what)) => {
            let first = fixed(from);
            let last = first
                .and_then(start)
                .and_then(|day| what.first(day, setting));
            // "Oct 2025 to Oct" is through the October that was last.
            let last = if first == last {
                what.latest(setting.today, setting)
            } else {
                last
            };
            join(first, last)
        }
        (When::Recurring(one), When::Recurring(other)) => {
            let first = one.latest(setting.today, setting);
            let last = first
                .and_then(start)
                .and_then(|day| other.first(day, setting));
            let begun = join(first, last);
            // "Nov to Feb", asked in November: the winter that begins, or the last one.
            let reaches_next_year = last
                .and_then(|(_, to)| to.days())
                .is_some_and(|(start, _)| {
                    start > setting.today && start.year() > setting.today.year()
                });
            if reaches_next_year {
                let last = other.latest(setting.today, setting);
                let first = last
                    .and_then(start)
                    .and_then(|day| one.latest(day, setting));
                return join(first, last).into_iter().chain(begun).collect();
            }
            begun.map(|meant| Meant {
                is_latest: true,
                ..meant
            })
        }
    };
    found.into_iter().collect()
}
