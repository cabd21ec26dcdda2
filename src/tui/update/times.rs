//! The time of the query by one key each: its grain, its window, what it is compared with, the order by change.

use super::attempt;
use crate::compile::Role;
use crate::model::{Comparison, MetricQuery, TimeRange};
use crate::session::metric_of;
use crate::tui::action::{Action, Reason};
use crate::tui::message::{Effect, Notice};
use crate::tui::state::State;
use crate::tui::times;

/// Why there is no finer (coarser) grain.
pub fn can_regrain(state: &State, finer: bool) -> Result<(), Reason> {
    regrained(state, finer).map(drop)
}

/// By the next finer (coarser) grain.
pub(super) fn regrain(state: &mut State, finer: bool) -> Vec<Effect> {
    let changed = regrained(state, finer);
    take(state, changed)
}

fn regrained(state: &State, finer: bool) -> Result<MetricQuery, Reason> {
    let key = state.key(Action::Group);
    times::regrained(&state.query, &state.groups(), finer, &key)
}

/// Why the window cannot be shifted.
pub fn can_shift(state: &State, later: bool) -> Result<(), Reason> {
    window(state, later).map(drop)
}

/// Shifts the time window by its own length.
pub(super) fn shift(state: &mut State, later: bool) -> Vec<Effect> {
    let changed = window(state, later).map(|time| MetricQuery {
        time: Some(time),
        ..state.query.clone()
    });
    take(state, changed)
}

fn window(state: &State, later: bool) -> Result<TimeRange, Reason> {
    let Some(time) = time(state) else {
        let key = state.key(Action::Time);
        return Err(format!("no time range is known yet; {key} chooses one").into());
    };
    let week_start = state.catalog.registry.calendar.week_start;
    let key = state.key(Action::Time);
    times::shifted(time, (state.setting.today, week_start), later, &key)
}

/// The time range in force, also where the query names none.
pub fn time(state: &State) -> Option<TimeRange> {
    let compiled = state.preview.current();
    let compiled = compiled.filter(|_| state.preview.query == state.query);
    let default = compiled.and_then(|compiled| compiled.query.time);
    state.query.time.or(default)
}

/// Why it cannot be compared with this: it is already.
pub fn can_compare(state: &State, with: Option<Comparison>) -> Result<(), Reason> {
    match with {
        _ if state.query.metrics.is_empty() => Err("choose a metric first".into()),
        None if state.query.compare.is_none() => Err("nothing is compared".into()),
        Some(with) if state.query.compare == Some(with) => {
            let key = state.key(Action::NoComparison);
            Err(format!("compared with the {with} already; {key} ends it").into())
        }
        _ => Ok(()),
    }
}

/// Compares with this, or with nothing.
pub(super) fn compare(state: &mut State, with: Option<Comparison>) -> Vec<Effect> {
    let mut changed = state.query.clone();
    times::set_comparison(&mut changed, with);
    attempt::make(state, changed)
}

/// Why nothing can be sorted by change.
pub fn can_sort_by_change(state: &State) -> Result<(), Reason> {
    if state.query.compare.is_some() {
        Ok(())
    } else {
        let (period, year) = (
            state.key(Action::PreviousPeriod),
            state.key(Action::YearAgo),
        );
        Err(format!(
            "nothing is compared: {period} takes the previous period, {year} the year before"
        )
        .into())
    }
}

/// Sorts by the change of the metric under the cursor, or of the first one.
pub(super) fn sort_by_change(state: &mut State) -> Vec<Effect> {
    let Some(column) = change_column(state) else {
        return Vec::new();
    };
    let changed = times::sorted_by(&state.query, &column);
    attempt::make(state, changed)
}

fn change_column(state: &State) -> Option<String> {
    let first = state.query.metrics.first()?;
    let first = state.catalog.registry.metric(first)?.name.clone();
    let grid = state.result.grid.as_ref();
    let here = grid.and_then(|grid| {
        let columns = grid.table().columns();
        let at = columns
            .iter()
            .position(|column| Some(column) == grid.selected_column())?;
        metric_of(columns, at).map(|metric| (metric, grid.selected_column()))
    });
    // Another result may be shown than that of the query.
    let here = here.filter(|(metric, _)| {
        let mut own = state.query.metrics.iter();
        let registry = &state.catalog.registry;
        own.any(|name| {
            registry
                .metric(name)
                .is_some_and(|own| own.name == **metric)
        })
    });
    Some(match here {
        Some((metric, Some(column))) if column.role == Role::ChangePercent => {
            format!("{metric}_change_pct")
        }
        Some((metric, _)) => format!("{metric}_change"),
        None => format!("{first}_change"),
    })
}

fn take(state: &mut State, changed: Result<MetricQuery, Reason>) -> Vec<Effect> {
    match changed {
        Ok(changed) => attempt::make(state, changed),
        Err(reason) => {
            state.notice = Some(Notice::Error(reason.into_owned()));
            Vec::new()
        }
    }
}
