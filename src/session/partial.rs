//! Says where the first or the last period of a trend is not complete, which makes it look smaller than the others.

use jiff::civil::Date;

use super::Session;
use crate::compile::Compiled;
use crate::model::{DateRange, Grain, GroupBy, Weekday};

impl Session {
    /// What a reader should know of the periods a query groups by; nothing where all are complete, or none is grouped by.
    pub fn partial_periods(&self, compiled: &Compiled) -> Option<String> {
        let groups = compiled.query.group_by.iter().flatten();
        let grain = groups
            .filter_map(|group| match group {
                GroupBy::Grain { grain, of: None } => Some(*grain),
                _ => None,
            })
            .next()?;
        let week_start = self.catalog().registry.calendar.week_start;
        partial(compiled.range, grain, week_start, self.today())
    }
}

/// The first days of the periods that are not complete: cut by the range, or not over yet.
pub fn partial_starts(
    range: DateRange,
    grain: Grain,
    week_start: Weekday,
    today: Date,
) -> Vec<Date> {
    if grain.is_sub_day() {
        return Vec::new();
    }
    let floor = |day: Date| grain.floor(day, week_start);
    let holds = |day: Date| {
        range.start.is_none_or(|start| start <= day) && range.end.is_none_or(|end| end > day)
    };
    let first = range.start.filter(|&start| floor(start) != start);
    let last = range.end.filter(|&end| floor(end) != end);
    let now = Some(today).filter(|&today| holds(today));
    let mut days: Vec<Date> = [first, last, now]
        .into_iter()
        .flatten()
        .map(floor)
        .collect();
    days.sort();
    days.dedup();
    days
}

fn partial(range: DateRange, grain: Grain, week_start: Weekday, today: Date) -> Option<String> {
    let is_border = |day: Date| grain.floor(day, week_start) == day;
    let first = range.start.is_some_and(|start| !is_border(start));
    let is_cut = range.end.is_some_and(|end| !is_border(end));
    let runs =
        range.start.is_none_or(|start| start <= today) && range.end.is_none_or(|end| end > today);
    Some(match (first, is_cut, runs) {
        (false, false, false) => return None,
        (false, _, true) => format!("the {grain} of {today} is not over yet"),
        (true, _, true) => format!(
            "the first {grain} is only partly in the range, and the {grain} of {today} is not over yet"
        ),
        (true, true, false) => {
            format!("the first and the last {grain} are only partly in the range")
        }
        (true, false, false) => format!("the first {grain} is only partly in the range"),
        (false, true, false) => format!("the last {grain} is only partly in the range"),
    })
}
