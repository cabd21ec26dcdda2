//! Tests of metrics: the query of each is run, and its rows are held against what is expected.

use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use futures_util::StreamExt as _;
use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use super::cell::{cell_text, raw_json, raw_text};
use super::run::all_rows;
use super::{Catalog, Failure, Session, SessionError};
use crate::compile::{Compiled, Role};
use crate::model::{
    Direction, Expectation, Filter, Grain, GroupBy, Metric, MetricQuery, MetricTest, OrderBy,
    Period, TimeRange,
};
use crate::warehouse::Warehouse;

/// Statements that run at the same time.
const AT_ONCE: usize = 4;

/// Rows that a failure names.
const NAMED: usize = 3;

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is as expected.
    Passed,
    /// What is not as expected, a sentence each.
    Failed(Vec<String>),
    /// Why the query could not be run.
    Error(String),
}

/// A test that was run.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// The metric.
    pub metric: String,
    /// The name of the test, or what it says.
    pub title: String,
    /// The query.
    pub query: String,
    /// Where it is declared: file and line.
    pub at: String,
    /// How it ended.
    pub verdict: Verdict,
    /// How long it took.
    pub elapsed: Duration,
}

impl TestResult {
    /// Whether everything is as expected.
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    /// What is wrong, a sentence each.
    pub fn reasons(&self) -> &[String] {
        match &self.verdict {
            Verdict::Passed => &[],
            Verdict::Failed(reasons) => reasons,
            Verdict::Error(reason) => std::slice::from_ref(reason),
        }
    }
}

impl Session {
    /// Runs the tests of metrics, by name or alias, or of all of them for none, on the connection in use. `progress` hears
    /// how many of how many are done.
    ///
    /// # Errors
    /// A metric is unknown, the connection fails, it was cancelled. A test that fails is a result.
    pub async fn test(
        &self,
        metrics: &[String],
        cancel: &CancellationToken,
        mut progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Vec<TestResult>, SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let named = metrics.iter().map(|name| {
            let metric = registry.metric(name);
            metric.ok_or_else(|| SessionError::unknown_metric(registry, name))
        });
        let mut chosen = named.collect::<Result<Vec<&Metric>, _>>()?;
        if metrics.is_empty() {
            chosen.extend(registry.metrics.values());
        }
        let tests = chosen.into_iter();
        let tests = tests.flat_map(|metric| metric.tests.iter().map(move |test| (metric, test)));
        let tests: Vec<_> = tests.collect();
        if tests.is_empty() {
            return Ok(Vec::new());
        }
        let run = Run {
            session: self,
            catalog: &catalog,
            warehouse: self.warehouse(&self.connection())?,
            row_cap: self.current()?.row_cap,
            cancel,
        };
        let mut all = Vec::with_capacity(tests.len());
        for (metric, test) in &tests {
            all.push(run.test(metric, test));
        }
        let mut running = futures_util::stream::iter(all).buffered(AT_ONCE);
        let mut results = Vec::with_capacity(tests.len());
        while let Some(result) = running.next().await {
            results.push(result?);
            progress(results.len(), tests.len());
        }
        Ok(results)
    }
}

/// What tests are run with.
struct Run<'a> {
    session: &'a Session,
    catalog: &'a Catalog,
    warehouse: Warehouse,
    row_cap: u64,
    cancel: &'a CancellationToken,
}

/// One row of a result.
struct Row {
    /// What it is of: the values that it is grouped by.
    of: String,
    number: Number,
}

/// What stands in the column of the metric.
enum Number {
    None,
    Some(f64),
    /// Something that is no number, such as a date.
    Other(String),
}

/// Why a test says nothing about the numbers.
enum Trouble {
    /// It cannot be run.
    Test(String),
    /// Nothing can.
    All(SessionError),
}

impl From<SessionError> for Trouble {
    fn from(error: SessionError) -> Self {
        match error.failure {
            Failure::Query | Failure::Usage => Self::Test(match error.hint() {
                Some(hint) => format!("{} — {hint}", error.message),
                None => error.message,
            }),
            Failure::Connection | Failure::Interrupted | Failure::Expensive => Self::All(error),
        }
    }
}

impl Run<'_> {
    async fn test(&self, metric: &Metric, test: &MetricTest) -> Result<TestResult, SessionError> {
        let started = Instant::now();
        let verdict = match self.reasons(test).await {
            Ok(reasons) if reasons.is_empty() => Verdict::Passed,
            Ok(reasons) => Verdict::Failed(reasons),
            Err(Trouble::Test(reason)) => Verdict::Error(reason),
            Err(Trouble::All(error)) => return Err(error),
        };
        Ok(TestResult {
            metric: metric.name.clone(),
            title: test.title(),
            query: test.query.to_string(),
            at: self.catalog.registry.at(test.place),
            verdict,
            elapsed: started.elapsed(),
        })
    }

    /// What is not as expected.
    async fn reasons(&self, test: &MetricTest) -> Result<Vec<String>, Trouble> {
        let mut reasons = Vec::new();
        let of_rows = |one: &&Expectation| !matches!(one, Expectation::FreshWithin(..));
        if test.expected.iter().any(|one| of_rows(&one)) {
            let rows = self.rows(&test.query).await?;
            if rows.is_empty() {
                reasons.push("the query has no rows".to_owned());
                return Ok(reasons);
            }
            for expected in test.expected.iter().filter(of_rows) {
                reasons.extend(self.held_against(&rows, expected).await?);
            }
        }
        for expected in &test.expected {
            if let Expectation::FreshWithin(count, grain) = expected {
                reasons.extend(self.stale(&test.query, *count, *grain).await?);
            }
        }
        Ok(reasons)
    }

    async fn held_against(
        &self,
        rows: &[Row],
        expected: &Expectation,
    ) -> Result<Option<String>, Trouble> {
        Ok(match expected {
            Expectation::Equals { value, tolerance } => match rows {
                [row] => match &row.number {
                    Number::Some(found) if tolerance.allows(*value, *found) => None,
                    Number::Some(found) => Some(apart(*found, *value, &value.to_string())),
                    number => Some(format!("{number}, expected {value}")),
                },
                rows => Some(format!(
                    "the query has {} rows, and one number is expected",
                    rows.len()
                )),
            },
            Expectation::Range { low, high } => {
                let below = |x: f64| low.is_some_and(|low| x < low);
                let above = |x: f64| high.is_some_and(|high| x > high);
                let is_outside = |x: f64| below(x) || above(x) || x.is_nan();
                outside(rows, is_outside, &expected.to_string())
            }
            Expectation::Positive => outside(rows, |x| x <= 0.0 || x.is_nan(), "is positive"),
            Expectation::NotNull => {
                let empty = rows.iter().filter(|row| matches!(row.number, Number::None));
                let empty: Vec<String> = empty.map(|row| row.of.clone()).collect();
                let count = empty.len();
                let named = listed(empty).map(|named| format!(": {named}"));
                (count > 0).then(|| {
                    format!(
                        "{count} of {} rows have no number{}",
                        rows.len(),
                        named.unwrap_or_default()
                    )
                })
            }
            Expectation::SumsTo { query, tolerance } => {
                let other = self.rows(query).await?;
                match (sum(rows), sum(&other)) {
                    (Ok(found), Ok(expected)) => {
                        let what = format!("the {expected} of {query}");
                        (!tolerance.allows(expected, found)).then(|| apart(found, expected, &what))
                    }
                    (Err(reason), _) => Some(reason),
                    (_, Err(reason)) => Some(format!("{query}: {reason}")),
                }
            }
            Expectation::FreshWithin(..) => None,
        })
    }

    /// Why the numbers of a query are not as young as they should be.
    async fn stale(
        &self,
        query: &MetricQuery,
        count: u32,
        grain: Grain,
    ) -> Result<Option<String>, Trouble> {
        let span = grain.day_span(count);
        let oldest = self.session.today().saturating_sub(span);
        let mut refused = None;
        // A snippet may have rows of whole months only.
        let grains = [
            Grain::Day,
            Grain::Week,
            Grain::Month,
            Grain::Quarter,
            Grain::Year,
        ];
        for by in grains {
            let start = by.floor(oldest, self.catalog.registry.calendar.week_start);
            let compiled = self.compile(&by_time(query, by, Some(start)));
            match compiled {
                Ok(compiled) => {
                    let rows = self.rows_of(&compiled).await?;
                    let has_number = |row: &Row| !matches!(row.number, Number::None);
                    if rows.iter().any(has_number) {
                        return Ok(None);
                    }
                    let latest = self.rows(&latest(query, by)).await?;
                    return Ok(Some(match latest.first() {
                        Some(row) => format!(
                            "the latest number is of {}, expected {oldest} or later",
                            row.of
                        ),
                        None => "there is no number at all".to_owned(),
                    }));
                }
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    fn compile(&self, query: &MetricQuery) -> Result<Compiled, Trouble> {
        Ok(self.session.compile_in(self.catalog, query)?)
    }

    async fn rows(&self, query: &MetricQuery) -> Result<Vec<Row>, Trouble> {
        self.rows_of(&self.compile(query)?).await
    }

    async fn rows_of(&self, compiled: &Compiled) -> Result<Vec<Row>, Trouble> {
        let cap = Some(self.row_cap);
        let run = all_rows(&self.warehouse, &compiled.main, cap, self.cancel);
        let (batches, truncated) = run.await.map_err(SessionError::from)?;
        if truncated {
            let message = format!("it has more than the {} rows that are read", self.row_cap);
            return Err(Trouble::Test(message));
        }
        let rows = batches.iter().flat_map(|batch| {
            let row = |at| row(compiled, batch, at);
            (0..batch.num_rows()).map(row)
        });
        Ok(rows.collect())
    }
}

/// The same metric and conditions by a grain of time, from a day on.
fn by_time(query: &MetricQuery, grain: Grain, start: Option<Date>) -> MetricQuery {
    MetricQuery {
        group_by: Some(vec![GroupBy::Grain { grain, of: None }]),
        time: Some(match start {
            Some(start) => TimeRange::Span(Some(Period::Day(start)), None),
            None => TimeRange::AllTime,
        }),
        // Periods without rows would be rows.
        every_period: Some(false),
        order: Vec::new(),
        limit: None,
        limit_per: Vec::new(),
        others: false,
        ..query.clone()
    }
}

/// The latest period that has a number.
fn latest(query: &MetricQuery, grain: Grain) -> MetricQuery {
    let has_number = query.metrics.first().map(|metric| Filter::IsNull {
        field: metric.clone(),
        negated: true,
    });
    let filters = match (query.filters.clone(), has_number) {
        (Some(own), Some(more)) => Some(own.and(more)),
        (own, more) => own.or(more),
    };
    MetricQuery {
        filters,
        order: vec![OrderBy {
            column: grain.word().to_owned(),
            direction: Direction::Descending,
        }],
        limit: Some(1),
        ..by_time(query, grain, None)
    }
}

fn row(compiled: &Compiled, batch: &RecordBatch, at: usize) -> Row {
    let columns = compiled.main.columns.iter().zip(batch.columns());
    let mut of = Vec::new();
    let mut number = Number::None;
    let mut seen = false;
    for (column, values) in columns {
        match column.role {
            Role::Group => of.push(cell_text(values.as_ref(), at, column).text),
            Role::Metric if !seen => {
                seen = true;
                number = match raw_json(values.as_ref(), at).as_f64() {
                    Some(value) => Number::Some(value),
                    None => raw_text(values.as_ref(), at).map_or(Number::None, Number::Other),
                };
            }
            _ => {}
        }
    }
    Row {
        of: of.join(" · "),
        number,
    }
}

/// Why some rows lie outside of what is allowed; those without a number do not, but one at least has one.
fn outside(rows: &[Row], is_outside: impl Fn(f64) -> bool, allowed: &str) -> Option<String> {
    if rows.iter().all(|row| matches!(row.number, Number::None)) {
        return Some("no row has a number".to_owned());
    }
    let is_wrong = |row: &&Row| match row.number {
        Number::None => false,
        Number::Some(x) => is_outside(x),
        Number::Other(_) => true,
    };
    let wrong: Vec<&Row> = rows.iter().filter(is_wrong).collect();
    let named = |row: &&Row| match row.of.as_str() {
        "" => row.number.to_string(),
        of => format!("{of} {}", row.number),
    };
    if let ([row], [_]) = (wrong.as_slice(), rows) {
        let allowed = allowed.trim_start_matches("is ");
        return Some(format!("{}, expected {allowed}", row.number));
    }
    let listed = listed(wrong.iter().map(named).collect())?;
    Some(format!("not every number {allowed}: {listed}"))
}

/// The first few, and how many more there are; nothing where they say nothing.
fn listed(all: Vec<String>) -> Option<String> {
    let more = all.len().saturating_sub(NAMED);
    let mut named = all;
    named.truncate(NAMED);
    named.retain(|one| !one.is_empty());
    let text = named.join(", ");
    (!text.is_empty()).then(|| match more {
        0 => text,
        more => format!("{text} and {more} more"),
    })
}

fn sum(rows: &[Row]) -> Result<f64, String> {
    let mut found = None;
    for row in rows {
        match &row.number {
            Number::None => {}
            Number::Some(x) => found = Some(found.unwrap_or(0.0) + x),
            Number::Other(text) => return Err(format!("'{text}' is no number")),
        }
    }
    found.ok_or_else(|| "no row has a number".to_owned())
}

/// How far a number is from the expected one.
fn apart(found: f64, expected: f64, what: &str) -> String {
    let distance = found - expected;
    let percent = match expected {
        0.0 => String::new(),
        expected => format!(", {:+.2}%", distance / expected.abs() * 100.0),
    };
    // More digits than engines agree on would hide the difference.
    let distance = format!("{distance:+.6}");
    let distance = distance.trim_end_matches('0').trim_end_matches('.');
    format!("is {found}, expected {what} ({distance}{percent})")
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("there is no number"),
            Self::Some(value) => write!(f, "is {value}"),
            Self::Other(text) => write!(f, "is '{text}', which is no number"),
        }
    }
}
