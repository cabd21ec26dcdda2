//! The number under the cursor as a test of its metric: what it is of, written so that it means the same tomorrow.

use super::action::Reason;
use super::drill;
use super::state::State;
use super::times;
use crate::compile::Role;
use crate::model::{Grain, MetricQuery, TimeRange};
use crate::session::{Pin, metric_of, shown_within};

/// The pin of the number under the cursor; of a grouping, of the first number of its row.
///
/// # Errors
/// Why there can be none, in words for people.
pub fn pin_here(state: &State) -> Result<Pin, Reason> {
    let number = drill::number_here(state)?;
    let none = || drill::no_row(state);
    let row = drill::row_here(state).ok_or_else(none)?;
    let columns = &row.drill.compiled.main.columns;
    let is_named = |column: &str| number.of.column.as_deref() == Some(column);
    let at = columns.iter().position(|column| is_named(&column.name));
    let at = at.ok_or_else(none)?;
    let column = columns.get(at).ok_or_else(none)?;
    if column.role != Role::Metric {
        let what = "a test is about the number of a metric, not about one that is compared with it";
        return Err(what.into());
    }
    let metric = metric_of(columns, at).ok_or("this cell is no number")?;
    let shown = number.shown.ok_or("there is no number here to pin")?;
    let value: f64 = shown
        .parse()
        .map_err(|_| Reason::from(format!("'{shown}' is no number")))?;
    let query = row.drill.only(&row.values, Some(metric))?;
    let registry = &state.catalog.registry;
    let metric = registry.metric(metric).ok_or_else(none)?.name.clone();
    let time = past(state, &query)?;
    Ok(Pin {
        query: MetricQuery {
            metrics: vec![metric.clone()],
            group_by: Some(Vec::new()),
            time: Some(time),
            compare: None,
            ..query
        },
        metric,
        value,
        tolerance: shown_within(column, value),
    })
}

/// The time of a query as days that do not move; refused where it is not over.
fn past(state: &State, query: &MetricQuery) -> Result<TimeRange, Reason> {
    let today = state.setting.today;
    let week_start = state.catalog.registry.calendar.week_start;
    let key = state.key(super::action::Action::Time);
    let time = query.time.unwrap_or(TimeRange::AllTime);
    let days = time.resolve(today, week_start);
    let Some(end) = days.end else {
        let why = format!(
            "a number of {time} changes with every new row; {key} chooses a time that is over"
        );
        return Err(why.into());
    };
    if end > today {
        let why = format!("{time} is not over, its number changes; {key} chooses a time that is");
        return Err(why.into());
    }
    Ok(match (time, days.start) {
        (TimeRange::Span(..), _) | (_, None) => time,
        (_, Some(start)) => {
            let (first, last) = times::periods(start, end, Grain::Month);
            TimeRange::Span(Some(first), Some(last))
        }
    })
}
