//! The query behind an alert on a day: the latest period that is over, and the earlier ones that it is compared with.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::model::{
    Alert, Comparison, Grain, GroupBy, MetricQuery, Period, TimeRange, Weekday, When, seasons,
};

/// What is asked for an alert.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    /// The query.
    pub(super) query: MetricQuery,
    /// The first days of the periods, the one that is judged first; none for a threshold.
    pub(super) periods: Vec<Date>,
    /// The length of a period.
    pub(super) grain: Option<Grain>,
    /// Periods from one to the next that it is compared with.
    pub(super) seasons: usize,
}

impl Question {
    /// For an alert when the current day is `today`. A period that still runs is not looked at.
    pub(super) fn of(alert: &Alert, today: Date, week_start: Weekday) -> Self {
        let whole = Self {
            query: alert.query.clone(),
            periods: Vec::new(),
            grain: alert.period(),
            seasons: 1,
        };
        let (Some(grain), Some(step)) = (alert.period(), alert.when.step()) else {
            return whole;
        };
        let apart = seasons(grain, step).unwrap_or(1);
        let running = grain.floor(today, week_start);
        let start = |back: u32| running.saturating_sub(grain.day_span(back));
        let groups = alert.query.group_by.iter().flatten();
        let mut groups: Vec<GroupBy> = groups
            .filter(|group| matches!(group, GroupBy::Dimension(_)))
            .cloned()
            .collect();
        let back = match alert.when {
            When::Unusual(_, _, count, _) => count.saturating_mul(apart),
            _ => 0,
        };
        if back > 0 {
            groups.push(GroupBy::Grain { grain, of: None });
        }
        Self {
            query: MetricQuery {
                group_by: Some(groups),
                time: Some(days(start(back + 1), running)),
                compare: (back == 0).then_some(Comparison::Ago(1, step)),
                // Which periods have no rows is told from those that have.
                every_period: (back > 0).then_some(false),
                ..alert.query.clone()
            },
            periods: (1..=back + 1).map(start).collect(),
            seasons: apart as usize,
            ..whole
        }
    }
}

/// The days from one up to another, which is not in it.
fn days(start: Date, end: Date) -> TimeRange {
    let last = end.saturating_sub(1.day());
    TimeRange::Span(Some(Period::Day(start)), Some(Period::Day(last)))
}
