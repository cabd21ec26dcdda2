//! The rows behind a number, and the number explained: what `metrex rows`, the explorer and agents show of it.

use tokio_util::sync::CancellationToken;

use super::cell::{cell_text, raw_text};
use super::run::total_row;
use super::{MetricCard, Session, SessionError};
use crate::compile::{
    self, Behind, CompileError, CompileOptions, NumberOf, OutputColumn, Passes, Reason, Role,
    RowsOf,
};
use crate::model::{DateRange, MetricQuery, NoValues, ValueLookup};

/// Everything there is to say about one number.
#[derive(Debug, Clone)]
pub struct NumberCard {
    /// The query it is in, with the defaults that applied.
    pub line: String,
    /// Its column.
    pub column: OutputColumn,
    /// Its row: groupings with their values.
    pub at: Vec<(String, Option<String>)>,
    /// Its metric.
    pub metric: MetricCard,
    /// The days it is for.
    pub range: DateRange,
    /// The days it is compared with.
    pub prior: Option<DateRange>,
    /// Why the SQL is as it is, each with its definition as `file:line`.
    pub reasons: Vec<(Reason, Option<String>)>,
    /// The aggregations it is computed from; or why no rows can be shown for it.
    pub parts: Result<Vec<PartCard>, SessionError>,
}

/// An aggregation, over the rows behind one number.
#[derive(Debug, Clone, PartialEq)]
pub struct PartCard {
    /// Its name.
    pub name: String,
    /// What it is: "sum of amount over orders".
    pub reading: String,
    /// Its value, for people.
    pub value: String,
    /// Its value, for machines; `None` is NULL.
    pub raw: Option<String>,
    /// How many rows it is of.
    pub rows: u64,
    /// A time of the rows: its name, the first one and the last one.
    pub time: Option<(String, String, String)>,
    /// The SQL of just this number.
    pub sql: String,
}

/// The metric that a column is of: its comparison and its figures follow it.
pub fn metric_of(columns: &[OutputColumn], at: usize) -> Option<&str> {
    let column = columns.get(at)?;
    if matches!(column.role, Role::Group | Role::Bound) {
        return None;
    }
    let mut before = columns.get(..=at)?.iter().rev();
    let metric = before.find(|column| column.role == Role::Metric)?;
    Some(&metric.name)
}

impl Session {
    /// The rows behind a number of a query, compiled for the current connection. Touches no warehouse.
    ///
    /// # Errors
    /// Why there are none to show.
    pub fn behind(&self, query: &MetricQuery, number: &NumberOf) -> Result<Behind, CompileError> {
        let connection = self.connection();
        let version = self.version();
        let index = self.index(&connection);
        let values: &dyn ValueLookup = match &index {
            Some(index) => index.as_ref(),
            None => &NoValues,
        };
        let options = CompileOptions {
            dialect: self.dialect_of(&connection),
            today: self.today(),
            values,
            passes: Passes::NONE,
        };
        let catalog = &version.catalog;
        compile::behind(
            &catalog.registry,
            &catalog.reach,
            &version.templates,
            query,
            number,
            &options,
        )
    }

    /// Asks the warehouse for an aggregation of a number, and for how many rows it is of.
    ///
    /// # Errors
    /// The warehouse fails, or is cancelled.
    pub async fn part(
        &self,
        part: &RowsOf,
        cancel: &CancellationToken,
    ) -> Result<PartCard, SessionError> {
        let totals = part.compiled.total();
        let totals =
            totals.ok_or_else(|| SessionError::usage("no_total", "rows without a total"))?;
        let warehouse = self.warehouse(&self.connection())?;
        let row = total_row(&warehouse, totals, cancel).await?;
        let cell = |name: &str| {
            let at = totals
                .columns
                .iter()
                .position(|column| column.name == name)?;
            let column = totals.columns.get(at)?;
            Some((row.as_ref()?.columns().get(at)?.as_ref(), column))
        };
        let text = |name: &str| cell(name).map(|(array, column)| cell_text(array, 0, column).text);
        let raw = |name: &str| cell(name).and_then(|(array, _)| raw_text(array, 0));
        let [first, last] = compile::TIMES.map(raw);
        Ok(PartCard {
            name: part.name.clone(),
            reading: part.reading.clone(),
            value: text(&part.name).unwrap_or_default(),
            raw: raw(&part.name),
            rows: raw(compile::ROWS)
                .and_then(|rows| rows.parse().ok())
                .unwrap_or(0),
            time: part
                .time
                .clone()
                .zip(first)
                .zip(last)
                .map(|((name, first), last)| (name, first, last)),
            sql: totals.sql.clone(),
        })
    }

    /// Everything about a number of a query.
    ///
    /// # Errors
    /// The query is refused, it has no such number, or the warehouse fails.
    pub async fn explain_number(
        &self,
        query: &MetricQuery,
        number: &NumberOf,
        cancel: &CancellationToken,
    ) -> Result<NumberCard, SessionError> {
        let compiled = self.compile(query).map_err(|error| self.refusal(error))?;
        let columns = &compiled.main.columns;
        let is_it = |column: &OutputColumn| match &number.column {
            None => column.role == Role::Metric,
            Some(name) => column.name.eq_ignore_ascii_case(name),
        };
        let found = columns.iter().position(is_it);
        let found = found.and_then(|at| columns.get(at).zip(metric_of(columns, at)));
        let Some((column, metric)) = found else {
            let name = number.column.as_deref().unwrap_or("number");
            return Err(SessionError::usage(
                "invalid_clause",
                format!("the query has no number '{name}'"),
            ));
        };
        let registry = &self.catalog().registry;
        let place = |reason: &Reason| reason.place.map(|place| registry.at(place));
        let parts = match self.behind(query, number) {
            Err(error) => Err(self.refusal(error)),
            Ok(behind) => {
                let mut parts = Vec::new();
                for part in &behind.parts {
                    parts.push(self.part(part, cancel).await?);
                }
                Ok(parts)
            }
        };
        Ok(NumberCard {
            line: compiled.query.to_string(),
            column: column.clone(),
            at: number.at.clone(),
            metric: self.describe(metric)?,
            range: compiled.range,
            prior: compiled.prior,
            reasons: compiled
                .reasons
                .iter()
                .map(|reason| (reason.clone(), place(reason)))
                .collect(),
            parts,
        })
    }
}

/// One of the aggregations that a number is computed from, by its name; else the first.
///
/// # Errors
/// There is none of this name.
pub fn part_of(parts: Vec<RowsOf>, wanted: Option<&str>) -> Result<RowsOf, SessionError> {
    let names: Vec<String> = parts.iter().map(|part| part.name.clone()).collect();
    let mut parts = parts.into_iter();
    let found = match wanted {
        None => parts.next(),
        Some(wanted) => parts.find(|part| part.name == wanted),
    };
    found.ok_or_else(|| {
        let wanted = wanted.unwrap_or_default();
        let error =
            SessionError::usage("bad_argument", format!("the number has no part '{wanted}'"));
        error.with_hint(format!("parts: {}", names.join(", ")))
    })
}

/// A value of a grouping as people write it: `market=ID`, or `market is null`.
///
/// # Errors
/// It is neither, in words for people.
pub fn parse_at(text: &str) -> Result<(String, Option<String>), String> {
    if let Some((name, value)) = text.split_once('=') {
        return Ok((name.trim().to_owned(), Some(value.trim().to_owned())));
    }
    let is_null = text.trim().to_ascii_lowercase();
    match is_null
        .strip_suffix(" is null")
        .and_then(|name| text.trim().get(..name.len()))
    {
        Some(name) => Ok((name.trim().to_owned(), None)),
        None => Err("write market=ID, or 'market is null'".to_owned()),
    }
}
