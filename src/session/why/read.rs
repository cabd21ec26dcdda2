//! Reads the numbers of an investigation: query lines through the session, rows into the periods that are compared.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use arrow_array::Array;
use indexmap::IndexMap;
use jiff::ToSpan;
use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use super::anatomy::Anatomy;
use crate::compile::Role;
use crate::investigate::{Amount, Budget, DayRows, History, Pair, Segment, Slice, Window};
use crate::model::{Filter, Grain, GroupBy, MetricQuery, Period, TimeRange};
use crate::session::cell::{cell_text, raw_json, raw_text};
use crate::session::{Answer, Failure, Session, SessionError};

/// Reads within a budget.
pub(super) struct Reader {
    pub(super) connection: String,
    pub(super) cancel: CancellationToken,
    pub(super) queries: usize,
    budget: Budget,
    started: Instant,
}

/// A value of a dimension as a row has it, and as people read it.
type Value = (Option<String>, String);

/// A budget that is used up, as an error that ends the investigation where it is.
const USED_UP: &str = "budget";

impl Reader {
    pub(super) fn new(session: &Session, budget: Budget, cancel: CancellationToken) -> Self {
        Self {
            connection: session.connection(),
            cancel,
            queries: 0,
            budget,
            started: Instant::now(),
        }
    }

    /// Whether an error ends the investigation, rather than one node of it.
    pub(super) fn is_end(error: &SessionError) -> bool {
        matches!(error.failure, Failure::Interrupted | Failure::Connection)
            || error.code() == USED_UP
    }

    /// Whether an error says that a budget is used up.
    pub(super) fn is_used_up(error: &SessionError) -> bool {
        error.code() == USED_UP
    }

    /// Runs a query, unless a budget is used up.
    pub(super) async fn ask(
        &mut self,
        session: &Session,
        query: &MetricQuery,
    ) -> Result<Answer, SessionError> {
        if self.cancel.is_cancelled() {
            return Err(SessionError::interrupted());
        }
        let limit = Duration::from_secs(self.budget.seconds);
        let spent = match (
            self.queries >= self.budget.queries,
            self.started.elapsed() >= limit,
        ) {
            (true, _) => Some(format!("{} queries", self.budget.queries)),
            (_, true) => Some(format!("{} seconds", self.budget.seconds)),
            _ => None,
        };
        if let Some(spent) = spent {
            let message = format!("the budget of {spent} is used up");
            return Err(SessionError::usage(USED_UP, message));
        }
        self.queries += 1;
        // In a box: what asks in several places would otherwise hold room for each of them.
        let asking = session.answer_beside(query, &self.connection, self.cancel.clone());
        let answer = Box::pin(asking).await?;
        if answer.truncated {
            let message = format!("it has more than {} rows", answer.rows);
            return Err(SessionError::new(Failure::Query, "too_many_rows", message));
        }
        Ok(answer)
    }

    /// The amounts of a metric in every period of a history: of each value of a dimension, or of all together.
    pub(super) async fn amounts(
        &mut self,
        anatomy: &Anatomy,
        dimension: Option<&str>,
        conditions: Option<Filter>,
        history: &History,
    ) -> Result<Vec<Segment>, SessionError> {
        let mut metrics: Vec<String> = Vec::new();
        for part in &anatomy.parts {
            if !metrics.contains(part) {
                metrics.push(part.clone());
            }
        }
        let places = anatomy.parts.each_ref().map(|part| {
            let place = metrics.iter().position(|metric| metric == part);
            place.unwrap_or_default()
        });
        self.table(
            &anatomy.session,
            &metrics,
            places,
            dimension,
            conditions,
            history,
        )
        .await
    }

    /// Some metrics by a dimension and period; `places` says which of them are numerator, denominator and rows.
    async fn table(
        &mut self,
        session: &Session,
        metrics: &[String],
        places: [usize; 3],
        dimension: Option<&str>,
        conditions: Option<Filter>,
        history: &History,
    ) -> Result<Vec<Segment>, SessionError> {
        let time = GroupBy::Grain {
            grain: history.grain,
            of: None,
        };
        let group = dimension.map(|name| GroupBy::Dimension(name.to_owned()));
        let query = MetricQuery {
            metrics: metrics.to_vec(),
            group_by: Some(group.into_iter().chain([time]).collect()),
            filters: conditions,
            time: history.span().and_then(range),
            every_period: Some(false),
            ..MetricQuery::default()
        };
        let answer = self.ask(session, &query).await?;
        let mut found: IndexMap<Value, Vec<Pair>> = IndexMap::new();
        for row in rows(&answer) {
            let (value, day) = match (dimension.is_some(), row.groups.as_slice()) {
                (true, [value, (Some(day), _)]) => (value.clone(), day),
                (false, [(Some(day), _)]) => ((None, String::new()), day),
                _ => continue,
            };
            let Some(day) = date(day) else { continue };
            let number = |place: usize| row.numbers.get(place).copied().flatten().unwrap_or(0.0);
            let [num, den, rows] = places.map(number);
            let amount = Amount { num, den, rows };
            let pairs = found
                .entry(value)
                .or_insert_with(|| vec![Pair::default(); history.pairs.len()]);
            for (pair, compared) in pairs.iter_mut().zip(&history.pairs) {
                if compared.before.holds(day) {
                    pair.before = pair.before.plus(amount);
                }
                if compared.after.holds(day) {
                    pair.after = pair.after.plus(amount);
                }
            }
        }
        let segments = found.into_iter().map(|((value, label), pairs)| Segment {
            value,
            label,
            pairs,
        });
        Ok(segments.collect())
    }

    /// The values of a metric that does not add up, in every period of a history whose windows are one period each: of each
    /// value of a dimension, or of all together. They are counted as if they were sums.
    pub(super) async fn plain(
        &mut self,
        session: &Session,
        metric: &str,
        dimension: Option<&str>,
        conditions: Option<Filter>,
        history: &History,
    ) -> Result<Vec<Segment>, SessionError> {
        let metrics = [metric.to_owned()];
        let places = [0, 0, 0];
        self.table(session, &metrics, places, dimension, conditions, history)
            .await
    }

    /// The values of some metrics in a window, of all rows together.
    pub(super) async fn values(
        &mut self,
        session: &Session,
        metrics: &[String],
        conditions: Option<Filter>,
        window: Window,
    ) -> Result<Vec<Option<f64>>, SessionError> {
        let query = MetricQuery {
            metrics: metrics.to_vec(),
            group_by: Some(Vec::new()),
            filters: conditions,
            time: range(window),
            ..MetricQuery::default()
        };
        let answer = self.ask(session, &query).await?;
        let first = rows(&answer).next();
        Ok(first.map_or_else(|| vec![None; metrics.len()], |row| row.numbers))
    }

    /// The values of one metric in each window of a history by its own grain, where every window is one period.
    pub(super) async fn by_period(
        &mut self,
        session: &Session,
        metric: &str,
        conditions: Option<Filter>,
        history: &History,
    ) -> Result<BTreeMap<Date, f64>, SessionError> {
        let query = MetricQuery {
            metrics: vec![metric.to_owned()],
            group_by: Some(vec![GroupBy::Grain {
                grain: history.grain,
                of: None,
            }]),
            filters: conditions,
            time: history.span().and_then(range),
            every_period: Some(false),
            ..MetricQuery::default()
        };
        let answer = self.ask(session, &query).await?;
        let known = rows(&answer).filter_map(|row| {
            let (day, _) = row.groups.first()?;
            Some((
                date(day.as_deref()?)?,
                row.numbers.first().copied().flatten()?,
            ))
        });
        Ok(known.collect())
    }

    /// The rows of a dataset by day, and the amounts of a metric on those days.
    pub(super) async fn by_day(
        &mut self,
        anatomy: &Anatomy,
        rows_metric: &str,
        window: Window,
    ) -> Result<Vec<DayRows>, SessionError> {
        let query = MetricQuery {
            metrics: vec![rows_metric.to_owned()],
            group_by: Some(vec![GroupBy::Grain {
                grain: Grain::Day,
                of: None,
            }]),
            time: range(window),
            every_period: Some(false),
            ..MetricQuery::default()
        };
        let answer = self.ask(&anatomy.session, &query).await?;
        let days = rows(&answer).filter_map(|row| {
            let (day, _) = row.groups.first()?;
            Some(DayRows {
                day: date(day.as_deref()?)?,
                rows: row.numbers.first().copied().flatten().unwrap_or(0.0),
            })
        });
        Ok(days.collect())
    }

    /// A query that compares, by at most one dimension: each value with the numbers before and after of each metric.
    pub(super) async fn side_by_side(
        &mut self,
        session: &Session,
        query: &MetricQuery,
    ) -> Result<Vec<Beside>, SessionError> {
        let answer = self.ask(session, query).await?;
        let priors: Vec<Vec<Option<f64>>> = numbers_in(&answer, Role::Prior).collect();
        let all = rows(&answer).zip(priors).map(|(row, before)| {
            let (_, label) = row.groups.into_iter().next().unwrap_or_default();
            let numbers = before.into_iter().zip(row.numbers).collect();
            Beside { label, numbers }
        });
        Ok(all.collect())
    }
}

/// A row of a comparison.
pub(super) struct Beside {
    /// The value of the dimension, as people read it.
    pub(super) label: String,
    /// Before and after, metric by metric.
    pub(super) numbers: Vec<(Option<f64>, Option<f64>)>,
}

/// The conditions of a question and of a slice together.
pub(super) fn conditions(asked: Option<&Filter>, slice: &[Slice]) -> Option<Filter> {
    let all = asked
        .cloned()
        .into_iter()
        .chain(slice.iter().map(Slice::filter));
    all.reduce(Filter::and)
}

/// Days as a time range.
pub(super) fn range(window: Window) -> Option<TimeRange> {
    let last = window.end.saturating_sub(1.day());
    Some(TimeRange::Span(
        Some(Period::Day(window.start)),
        Some(Period::Day(last)),
    ))
}

/// A row of an answer.
struct Read {
    groups: Vec<Value>,
    numbers: Vec<Option<f64>>,
}

fn rows(answer: &Answer) -> impl Iterator<Item = Read> {
    let groups: Vec<Vec<Value>> = groups_in(answer);
    let numbers = numbers_in(answer, Role::Metric);
    groups
        .into_iter()
        .zip(numbers)
        .map(|(groups, numbers)| Read { groups, numbers })
}

fn groups_in(answer: &Answer) -> Vec<Vec<Value>> {
    let columns = answer.columns.iter().enumerate();
    let groups: Vec<_> = columns
        .filter(|(_, column)| column.role == Role::Group)
        .collect();
    let mut all = Vec::new();
    for batch in &answer.batches {
        for row in 0..batch.num_rows() {
            let value = |(at, column): &(usize, &crate::compile::OutputColumn)| {
                let array: &dyn Array = batch.columns().get(*at)?.as_ref();
                Some((raw_text(array, row), cell_text(array, row, column).text))
            };
            all.push(groups.iter().filter_map(value).collect());
        }
    }
    all
}

fn numbers_in(answer: &Answer, role: Role) -> impl Iterator<Item = Vec<Option<f64>>> {
    let columns = answer.columns.iter().enumerate();
    let places: Vec<usize> = columns
        .filter(|(_, column)| column.role == role)
        .map(|(at, _)| at)
        .collect();
    let mut all = Vec::new();
    for batch in &answer.batches {
        for row in 0..batch.num_rows() {
            let number = |at: &usize| {
                let array = batch.columns().get(*at)?;
                raw_json(array.as_ref(), row).as_f64()
            };
            all.push(places.iter().map(number).collect());
        }
    }
    all.into_iter()
}

fn date(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}
