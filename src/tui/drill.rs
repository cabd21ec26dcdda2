//! From a row of a result into it: its values become conditions, and the query is grouped otherwise.

use jiff::civil::Date;

use super::action::{Action, Reason};
use super::edit::{self, Picked};
use super::state::State;
use super::times;
use crate::compile::{Compiled, NumberOf, OTHERS, OutputColumn, Role};
use crate::model::{
    CompareOp, Comparison, Filter, Grain, GroupBy, MetricQuery, Period, Registry, TimeRange,
};
use crate::session::cell::raw_text;
use crate::session::metric_of;

/// Why figures over the rows of a result are of no row alone.
const OF_ALL_ROWS: &str = "shares, ranks and running sums come from all rows of the result";

/// A grouping of a row, with its value there; `None` is NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The grouping.
    pub group: GroupBy,
    /// The name of its column.
    pub column: String,
    /// The value, all digits and ISO 8601.
    pub value: Option<String>,
}

/// A result that its rows lead into.
#[derive(Clone, Copy)]
pub struct Drill<'a> {
    /// The definitions.
    pub registry: &'a Registry,
    /// The query as it was run.
    pub query: &'a MetricQuery,
    /// What was run.
    pub compiled: &'a Compiled,
}

impl Drill<'_> {
    /// The query of this value of a grouping alone.
    ///
    /// # Errors
    /// No condition says so, in words for people.
    pub fn keep(&self, value: &Value) -> Result<MetricQuery, Reason> {
        let mut query = self.query.clone();
        self.narrow(&mut query, value)?;
        Ok(query)
    }

    /// The query of all values of a grouping but this one; rows without a value stay.
    ///
    /// # Errors
    /// No condition says so, in words for people.
    pub fn leave_out(&self, value: &Value) -> Result<MetricQuery, Reason> {
        let mut query = self.query.clone();
        let field = self.field(value)?;
        let Some(text) = &value.value else {
            edit::add_condition(&mut query, is_null(field, true));
            return Ok(query);
        };
        let mut picked = edit::picked(&query, field);
        if picked.include.is_empty() {
            leave_out(&mut query, field, text);
            return Ok(query);
        }
        picked.include.retain(|other| other != text);
        if picked.include.is_empty() {
            return Err(format!("nothing but {text} is asked for").into());
        }
        edit::set_picked(&mut query, field, picked);
        Ok(query)
    }

    /// The query of a row alone, by another grouping.
    ///
    /// # Errors
    /// No conditions say what the row is of, in words for people.
    pub fn into_row(&self, row: &[Value], by: &GroupBy) -> Result<MetricQuery, Reason> {
        let mut query = self.query.clone();
        for value in row {
            self.narrow(&mut query, value)?;
        }
        self.forget_rest(&mut query);
        query.group_by = Some(vec![by.clone()]);
        Ok(query)
    }

    /// The query of a row alone, grouped as it is; of all of its metrics, or of one.
    ///
    /// # Errors
    /// No conditions say what the row is of, or its numbers would be others, in words for people.
    pub fn only(&self, row: &[Value], metric: Option<&str>) -> Result<MetricQuery, Reason> {
        // With the defaults that applied, which may not be those of a single metric.
        let mut query = self.compiled.query.clone();
        match metric {
            Some(metric) => query.metrics = vec![metric.to_owned()],
            None if !query.show.is_empty() => {
                return Err(OF_ALL_ROWS.into());
            }
            None => {}
        }
        for value in row {
            if query.others && value.value.as_deref() == Some(OTHERS) {
                return Err("the row of the others is of many values".into());
            }
            self.narrow(&mut query, value)?;
        }
        self.forget_rest(&mut query);
        query.show.clear();
        query.total = false;
        Ok(query)
    }

    /// Drops what chose and ordered the rows of the result.
    fn forget_rest(&self, query: &mut MetricQuery) {
        // Conditions on a metric were about the groups as they were.
        let is_figure = |field: &str| {
            let columns = &self.compiled.main.columns;
            let mut figures = columns.iter().filter(|column| column.role != Role::Group);
            figures.any(|column| column.name.eq_ignore_ascii_case(field))
                || self.registry.metric(field).is_some()
        };
        let all = edit::conditions(query).iter();
        let kept = all.filter(|part| !part.fields().into_iter().any(is_figure));
        let kept = kept.cloned().collect();
        edit::set_conditions(query, kept);
        query.order.clear();
        edit::set_limit(query, None);
        query.every_period = None;
    }

    fn narrow(&self, query: &mut MetricQuery, value: &Value) -> Result<(), Reason> {
        match &value.group {
            GroupBy::Grain { grain, of } if !self.is_custom(&value.group) => {
                let (start, end) = days(*grain, &value.column, value.value.as_deref())?;
                match of {
                    None => self.narrow_time(query, *grain, (start, end)),
                    Some(field) => {
                        edit::add_condition(
                            query,
                            within(field, times::periods(start, end, *grain)),
                        );
                    }
                }
            }
            _ => {
                let field = self.field(value)?;
                match &value.value {
                    None => edit::add_condition(query, is_null(field, false)),
                    Some(text) => {
                        let include = vec![text.clone()];
                        let picked = Picked {
                            include,
                            ..Picked::default()
                        };
                        edit::set_picked(query, field, picked);
                    }
                }
            }
        }
        Ok(())
    }

    /// The dimension (or the period of the calendar table) that a condition can be on.
    fn field<'v>(&self, value: &'v Value) -> Result<&'v str, Reason> {
        let columns = &self.compiled.main.columns;
        let has_grain =
            |column: &OutputColumn| column.name == value.column && column.grain.is_some();
        match &value.group {
            // A grain that is written as dbt writes it.
            GroupBy::Dimension(_) if columns.iter().any(has_grain) => Err(format!(
                "{} is a period: group by its grain to go into it",
                value.column
            )
            .into()),
            GroupBy::Dimension(name) => Ok(name),
            GroupBy::Grain { .. } if self.is_custom(&value.group) => Ok(&value.column),
            GroupBy::Grain { .. } => {
                Err("a single period is not left out; [ ] and t change the time range".into())
            }
            GroupBy::Part { part, .. } => Err(format!(
                "a query has no condition on the {}",
                part.word().replace('_', " ")
            )
            .into()),
        }
    }

    /// Whether a grain is a period of the calendar table.
    fn is_custom(&self, group: &GroupBy) -> bool {
        let table = self.registry.calendar.table.as_ref();
        table.is_some_and(|table| table.named(&group.to_string()).is_some())
    }

    /// Only these days of the time range; what is compared with them stays what it was.
    fn narrow_time(&self, query: &mut MetricQuery, grain: Grain, (start, end): (Date, Date)) {
        let range = self.compiled.range;
        let from = range.start.map_or(start, |first| first.max(start));
        let to = range.end.map_or(end, |last| last.min(end));
        if query.compare == Some(Comparison::PreviousPeriod)
            && let (Some(time), Some(first), Some(last)) =
                (self.compiled.query.time, range.start, range.end)
        {
            let (n, unit) = times::length(time, first, last);
            let n = u32::try_from(n).unwrap_or(1);
            query.compare = Some(Comparison::Ago(n, unit));
        }
        let (first, last) = times::periods(from, to, grain);
        query.time = Some(TimeRange::Span(Some(first), Some(last)));
    }
}

/// The days of a period, by its first one.
fn days(grain: Grain, column: &str, value: Option<&str>) -> Result<(Date, Date), Reason> {
    let Some(value) = value else {
        return Err(format!("no time range has the rows without a {column}").into());
    };
    if grain.is_sub_day() {
        return Err(format!("time ranges are whole days, not a {grain}").into());
    }
    let day: Option<Date> = value.get(..10).and_then(|day| day.parse().ok());
    let day = day.ok_or_else(|| Reason::from(format!("'{value}' is no day")))?;
    Ok((day, day.saturating_add(grain.span(1))))
}

/// The condition that a time lies in some periods.
fn within(field: &str, (low, high): (Period, Period)) -> Filter {
    let field = field.to_owned();
    if low == high {
        return Filter::Compare {
            field,
            op: CompareOp::Eq,
            value: low.to_string(),
        };
    }
    Filter::Between {
        field,
        low: low.to_string(),
        high: high.to_string(),
        negated: false,
    }
}

fn is_null(field: &str, negated: bool) -> Filter {
    Filter::IsNull {
        field: field.to_owned(),
        negated,
    }
}

/// Adds a value to those that are left out; rows without a value, of which `!=` is never true, stay.
fn leave_out(query: &mut MetricQuery, field: &str, value: &str) {
    let mut all = edit::conditions(query).to_vec();
    let mut values = Vec::new();
    let known = all.iter().position(|part| {
        let Filter::Or(parts) = part else {
            return false;
        };
        let [out, null] = parts.as_slice() else {
            return false;
        };
        let out = edit::excluded(out, field).filter(|_| *null == is_null(field, false));
        values.extend(out.unwrap_or_default().iter().cloned());
        out.is_some()
    });
    values.push(value.to_owned());
    let Some(out) = edit::condition(field, values, true) else {
        return;
    };
    let out = Filter::Or(vec![out, is_null(field, false)]);
    match known.and_then(|at| all.get_mut(at)) {
        Some(known) => *known = out,
        None => all.push(out),
    }
    edit::set_conditions(query, all);
}

/// A row of the result, to be led into.
pub struct Row<'a> {
    /// The result.
    pub drill: Drill<'a>,
    /// Its groupings with their values.
    pub values: Vec<Value>,
    /// Which of them is under the cursor.
    pub selected: Option<usize>,
}

impl Value {
    /// The period that a value is the first day of, as a query writes it: `2026-08`.
    fn period(&self, value: &str) -> Option<String> {
        let GroupBy::Grain { grain, .. } = &self.group else {
            return None;
        };
        let (start, end) = days(*grain, &self.column, Some(value)).ok()?;
        let (first, last) = times::periods(start, end, *grain);
        (first == last).then(|| first.to_string())
    }

    /// The value in words: `market ID`, `no channel`.
    pub fn said(&self) -> String {
        match self.value.as_deref() {
            None => format!("no {}", self.column),
            Some("") => format!("{} (empty)", self.column),
            Some(value) => {
                let period = self.period(value);
                format!("{} {}", self.column, period.as_deref().unwrap_or(value))
            }
        }
    }
}

/// Why no row is under the cursor, in words for people.
pub fn no_row(state: &State) -> Reason {
    match &state.result.grid {
        Some(grid) if grid.is_pivoted() => {
            "a row of a pivoted result is of many rows: go to one of its numbers".into()
        }
        _ => {
            let key = state.key(Action::Run);
            format!("there is no number here; {key} runs the query").into()
        }
    }
}

/// The row under the cursor.
pub fn row_here(state: &State) -> Option<Row<'_>> {
    let grid = state.result.grid.as_ref()?;
    let compiled = state.result.compiled.as_deref()?;
    let (row, at) = grid.selected()?;
    let (table, row, at) = grid.behind(row, at)?;
    let groups = compiled.query.group_by.iter().flatten();
    let columns = compiled.main.columns.iter();
    let columns = columns.filter(|column| column.role == Role::Group);
    let mut values = Vec::new();
    let mut selected = None;
    for (group, column) in groups.zip(columns) {
        let mut own = table.columns().iter();
        let index = own.position(|own| own.name == column.name)?;
        let Some((array, row)) = table.cell(row, index) else {
            // A subtotal is of all groups of those that it leaves out.
            if table.is_subtotal(row) {
                continue;
            }
            return None;
        };
        if index == at {
            selected = Some(values.len());
        }
        values.push(Value {
            group: group.clone(),
            column: column.name.clone(),
            value: raw_text(array, row),
        });
    }
    Some(Row {
        drill: Drill {
            registry: &state.catalog.registry,
            query: &state.result.query,
            compiled,
        },
        values,
        selected,
    })
}

/// The query of the row under the cursor alone.
///
/// # Errors
/// There is none, in words for people.
pub fn query_of_row(state: &State) -> Result<MetricQuery, Reason> {
    let row = read_row(state)?;
    row.drill.only(&row.values, None)
}

/// The query of the cell under the cursor alone: of a number, its metric in its row; of a grouping, its value.
///
/// # Errors
/// There is none, in words for people.
pub fn query_of_cell(state: &State) -> Result<MetricQuery, Reason> {
    let row = read_row(state)?;
    if let Some(value) = row.selected.and_then(|at| row.values.get(at)) {
        return row.drill.keep(value);
    }
    let grid = state.result.grid.as_ref();
    let here = grid.and_then(|grid| grid.behind(grid.selected()?.0, grid.selected()?.1));
    let (table, _, at) = here.ok_or_else(|| no_row(state))?;
    match table.columns().get(at).map(|column| column.role) {
        Some(Role::Figure(_)) => Err(OF_ALL_ROWS.into()),
        _ => {
            let metric = metric_of(table.columns(), at).ok_or("this cell is no number")?;
            row.drill.only(&row.values, Some(metric))
        }
    }
}

fn read_row(state: &State) -> Result<Row<'_>, Reason> {
    if state.written(&state.result.query).is_some() {
        return Err("its SQL was written by a model: no query says the same".into());
    }
    row_here(state).ok_or_else(|| no_row(state))
}

/// A number of the result.
pub struct Number {
    /// The query as it was run.
    pub query: MetricQuery,
    /// Which number.
    pub of: NumberOf,
    /// The number as it was shown, all digits; `None` is NULL.
    pub shown: Option<String>,
    /// What it is of, in words: `gmv · market ID`.
    pub title: String,
}

/// The number under the cursor; of a grouping, the first number of its row.
///
/// # Errors
/// There is none, in words for people.
pub fn number_here(state: &State) -> Result<Number, Reason> {
    let none = || no_row(state);
    let grid = state.result.grid.as_ref().ok_or_else(none)?;
    if state.written(&state.result.query).is_some() {
        return Err("its SQL was written by a model: nobody knows its rows".into());
    }
    let row = row_here(state).ok_or_else(none)?;
    let (at, column) = grid.selected().ok_or_else(none)?;
    let (table, at, column) = grid.behind(at, column).ok_or_else(none)?;
    let columns = table.columns();
    let is_number = |column: &OutputColumn| !matches!(column.role, Role::Group | Role::Bound);
    let column = match columns.get(column) {
        Some(own) if is_number(own) => Some(column),
        _ => columns.iter().position(is_number),
    };
    let column = column.ok_or("this result has no numbers: it has no metric")?;
    let name = columns
        .get(column)
        .map(|column| column.name.clone())
        .ok_or_else(none)?;
    let cell = table.cell(at, column);
    let said = row.values.iter().map(Value::said);
    let title: Vec<String> = std::iter::once(name.clone()).chain(said).collect();
    let at = row
        .values
        .iter()
        .map(|value| (value.column.clone(), value.value.clone()));
    Ok(Number {
        query: state.result.query.clone(),
        of: NumberOf {
            at: at.collect(),
            column: Some(name),
        },
        shown: cell.and_then(|(array, row)| raw_text(array, row)),
        title: title.join(" · "),
    })
}
