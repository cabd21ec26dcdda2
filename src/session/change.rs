//! What a change of definitions does to the numbers: every metric whose SQL differs, before and after, as a whole and by a
//! dimension.

use std::sync::Arc;

use arrow_array::{Float64Array, Int64Array, RecordBatch};
use indexmap::IndexMap;
use tokio_util::sync::CancellationToken;

use super::cell::{cell_text, raw_json, raw_text};
use super::meaning::{Touches, differences};
use super::run::all_rows;
use super::{Catalog, Session, SessionError, Sides};
use crate::compile::{Compiled, DimensionChoice, OutputColumn, Role};
use crate::model::{ColumnState, ColumnType, DimensionType, GroupBy, MetricQuery};
use crate::warehouse::{Warehouse, WarehouseErrorKind};

/// Most metrics that are computed; the others are named.
const MOST_METRICS: usize = 8;

/// Most values of the dimension that are compared.
const MOST_VALUES: u64 = 1_000;

/// A dimension with more values tells little at a glance.
const FEW_VALUES: u64 = 60;

/// Two versions of the definitions to be compared by their numbers.
#[derive(Clone)]
pub struct Versions {
    /// The definitions.
    pub catalogs: Sides<Arc<Catalog>>,
    /// The metric that is shown in any case, and first.
    pub metric: Option<String>,
    /// The dimension to compare by; `None` takes one with few values, for each metric.
    pub dimension: Option<String>,
    /// Most metrics that are computed.
    pub most: usize,
}

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRequest {
    /// The metric that is changed.
    pub metric: String,
    /// The file, relative to the project.
    pub path: String,
    /// Its text before and after.
    pub text: Sides<String>,
    /// The dimension to compare by; `None` takes one with few values.
    pub dimension: Option<String>,
    /// A file that comes with it, and its text: the snippet of a complex metric.
    pub beside: Option<(String, String)>,
}

/// What a change does.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The metrics that were computed, the changed one first.
    pub figures: Vec<Figure>,
    /// Further metrics whose SQL changes.
    pub further: Vec<String>,
    /// Metrics that have no SQL any more, with the reason.
    pub broken: Vec<(String, String)>,
    /// The dimension that was compared by.
    pub dimension: Option<String>,
    /// All that it may be compared by.
    pub dimensions: Vec<String>,
}

/// A metric before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The metric.
    pub metric: String,
    /// The query of the total.
    pub line: String,
    /// The total, or why there is none.
    pub total: Sides<Result<Option<f64>, String>>,
    /// Whether there is nothing to compare with: it is new, or stays as it is.
    pub is_alone: bool,
    /// The values of the dimension that change, the largest change first; all of them where there is nothing to compare with.
    pub parts: Vec<Part>,
    /// How many values do not change.
    pub same: usize,
    /// Why there are no parts.
    pub note: Option<String>,
    /// The dimension that it was compared by.
    pub by: Option<String>,
    column: Option<OutputColumn>,
}

/// A value of the dimension before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The value.
    pub label: String,
    /// Its figures; none where there are no rows.
    pub value: Sides<Option<f64>>,
}

impl Figure {
    /// A number as the metric's format writes it.
    pub fn number(&self, value: Option<f64>) -> String {
        match (value, &self.column) {
            (None, _) => "none".to_owned(),
            (Some(value), Some(column))
                if column.ty == ColumnType::Integer && value.fract() == 0.0 =>
            {
                cell_text(&Int64Array::from(vec![value as i64]), 0, column).text
            }
            (Some(value), Some(column)) => {
                cell_text(&Float64Array::from(vec![value]), 0, column).text
            }
            (Some(value), None) => value.to_string(),
        }
    }
}

impl Sides<Option<f64>> {
    /// The change in percent of what was before; `None` where that says nothing.
    pub fn percent(&self) -> Option<f64> {
        let (before, after) = (self.before?, self.after?);
        (before != 0.0).then(|| (after - before) / before.abs() * 100.0)
    }

    /// Whether nothing changes that a reader could see.
    pub fn is_same(&self) -> bool {
        match (self.before, self.after) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            (before, after) => before == after,
        }
    }

    fn difference(&self) -> f64 {
        (self.after.unwrap_or(0.0) - self.before.unwrap_or(0.0)).abs()
    }
}

/// The values of the dimension, each with its label and its figure; NULL and a text that reads like it are two.
type Values = IndexMap<Option<String>, (String, Option<f64>)>;

/// What is to be run for one metric.
struct Job {
    metric: String,
    line: String,
    by: Option<String>,
    is_alone: bool,
    total: Sides<Result<Compiled, String>>,
    /// A side without a metric has none.
    parts: Sides<Option<Compiled>>,
}

impl Session {
    /// Computes what a change does, on the connection in use. Nothing is written, and the query log does not hear of it.
    ///
    /// # Errors
    /// It was cancelled. What fails for one metric is told with that metric.
    pub async fn change(
        &self,
        request: ChangeRequest,
        cancel: CancellationToken,
    ) -> Result<Change, SessionError> {
        let session = match &request.beside {
            Some((path, text)) => self.as_if(&[(path, Some(text))]),
            None => self.clone(),
        };
        let planned = tokio::task::spawn_blocking(move || session.plan_change(request));
        let planned = planned.await.map_err(|_| SessionError::interrupted())?;
        self.computed(planned, cancel).await
    }

    /// Computes what differs between two versions of the definitions: every metric whose SQL is not the same.
    ///
    /// # Errors
    /// As for [`Session::change`].
    pub async fn compare(
        &self,
        versions: Versions,
        cancel: CancellationToken,
    ) -> Result<Change, SessionError> {
        let session = self.clone();
        let planned = tokio::task::spawn_blocking(move || session.plan_versions(&versions));
        let planned = planned.await.map_err(|_| SessionError::interrupted())?;
        self.computed(planned, cancel).await
    }

    async fn computed(
        &self,
        (jobs, mut change): (Vec<Job>, Change),
        cancel: CancellationToken,
    ) -> Result<Change, SessionError> {
        if jobs.is_empty() {
            return Ok(change);
        }
        let mut warehouse = self.warehouse(&self.connection())?;
        for sql in jobs.iter().flat_map(Job::statements) {
            match warehouse.passed(&[sql], &cancel).await {
                Ok(passed) => warehouse = passed,
                Err(error) if error.kind == WarehouseErrorKind::Expensive => {
                    return Err(error.into());
                }
                // It fails again when it is run, and is told with its metric.
                Err(_) => {}
            }
        }
        for job in jobs {
            if cancel.is_cancelled() {
                return Err(SessionError::interrupted());
            }
            let reader = Reader {
                warehouse: &warehouse,
                cancel: &cancel,
            };
            change.figures.push(reader.figure(job).await);
        }
        if cancel.is_cancelled() {
            return Err(SessionError::interrupted());
        }
        Ok(change)
    }

    /// Everything up to the first statement that is run.
    fn plan_change(&self, request: ChangeRequest) -> (Vec<Job>, Change) {
        let drafted = |text| self.drafted(&request.path, text);
        let Sides { before, after } = &request.text;
        let after = (before != after).then(|| drafted(after));
        let before = drafted(before);
        let catalogs = Sides {
            after: after.unwrap_or_else(|| before.clone()),
            before,
        };
        let dimensions = self.dimensions_of(&catalogs.after, &request.metric);
        let chosen = request.dimension;
        let dimension = chosen.or_else(|| self.telling(&request.metric, &dimensions));
        let (jobs, change) = self.plan_versions(&Versions {
            catalogs,
            metric: Some(request.metric),
            dimension: dimension.clone(),
            most: MOST_METRICS,
        });
        let change = Change {
            dimension,
            dimensions,
            ..change
        };
        (jobs, change)
    }

    fn plan_versions(&self, versions: &Versions) -> (Vec<Job>, Change) {
        let Sides { before, after } = &versions.catalogs;
        let mut change = Change {
            figures: Vec::new(),
            further: Vec::new(),
            broken: Vec::new(),
            dimension: versions.dimension.clone(),
            dimensions: Vec::new(),
        };
        let mut jobs = Vec::new();
        let first = versions.metric.as_ref();
        let others = after.registry.metrics.keys();
        let others = others.filter(|name| Some(*name) != first);
        for metric in first.into_iter().chain(others) {
            let by = versions.dimension.as_deref();
            let Some(job) = self.job(before, after, metric, by, first == Some(metric)) else {
                continue;
            };
            match (&job.total.before, &job.total.after) {
                (Ok(_), Err(reason)) => change.broken.push((job.metric, reason.clone())),
                _ if jobs.len() < versions.most => jobs.push(job),
                _ => change.further.push(job.metric),
            }
        }
        let gone = before.registry.metrics.keys();
        let gone = gone.filter(|name| !after.registry.metrics.contains_key(*name));
        let reason = "it is defined no more";
        for name in gone.filter(|name| Some(*name) != first) {
            change.broken.push((name.clone(), reason.to_owned()));
        }
        (jobs, change)
    }

    /// The statements of a metric, where they are not the same before and after.
    fn job(
        &self,
        before: &Catalog,
        after: &Catalog,
        metric: &str,
        by: Option<&str>,
        always: bool,
    ) -> Option<Job> {
        let query = |groups: Vec<GroupBy>| MetricQuery {
            metrics: vec![metric.to_owned()],
            group_by: Some(groups),
            ..MetricQuery::default()
        };
        let compile = |query: &MetricQuery| {
            let of = |catalog: &Catalog| {
                let known = catalog.registry.metrics.contains_key(metric);
                let gone = || Err(format!("there is no metric '{metric}'"));
                let compiled = self.compile_in(catalog, query);
                if known {
                    compiled.map_err(|error| error.to_string())
                } else {
                    gone()
                }
            };
            Sides {
                before: of(before),
                after: of(after),
            }
        };
        let sql = |side: &Result<Compiled, String>| {
            side.as_ref().ok().map(|compiled| compiled.main.sql.clone())
        };
        let differs =
            |sides: &Sides<Result<Compiled, String>>| sql(&sides.before) != sql(&sides.after);
        let total = query(Vec::new());
        let line = total.to_string();
        let total = compile(&total);
        let by_dimension = |name: &String| compile(&query(vec![GroupBy::Dimension(name.clone())]));
        let asked = by.map(str::to_owned);
        let may_differ = || {
            let found = differences(&before.registry, &after.registry, metric);
            found.iter().any(|one| one.touches != Touches::Words)
        };
        if !always && asked.is_none() && !differs(&total) && !may_differ() {
            return None;
        }
        let mut by = asked.clone().or_else(|| {
            let all = self.dimensions_of(after, metric);
            self.telling(metric, &all)
        });
        let mut parts = by.as_ref().map(by_dimension);
        if !always && !differs(&total) && !parts.as_ref().is_some_and(differs) {
            // A dimension that nobody asked for may be the only thing that changes.
            let shared = self.dimensions_of(after, metric).into_iter();
            let changed = shared.map(|name| (by_dimension(&name), name));
            let (sides, name) = changed
                .filter(|_| asked.is_none())
                .find(|(sides, _)| differs(sides))?;
            (parts, by) = (Some(sides), Some(name));
        }
        let is_unchanged = std::ptr::eq(before, after);
        let parts = match parts {
            Some(Sides {
                before: Ok(before),
                after: Ok(after),
            }) if !is_unchanged => Sides {
                before: Some(before),
                after: Some(after),
            },
            // What is new has no values before, and what is the same is not computed twice.
            Some(Sides {
                after: Ok(after), ..
            }) if is_unchanged || total.before.is_err() => Sides {
                before: None,
                after: Some(after),
            },
            _ => Sides::default(),
        };
        let total = match is_unchanged {
            true => Sides {
                before: Err(format!("'{metric}' is not changed")),
                after: total.after,
            },
            false => total,
        };
        Some(Job {
            metric: metric.to_owned(),
            line,
            by,
            is_alone: is_unchanged || !before.registry.metrics.contains_key(metric),
            total,
            parts,
        })
    }

    /// The dimensions a metric may be compared by.
    fn dimensions_of(&self, catalog: &Catalog, metric: &str) -> Vec<String> {
        let choices = catalog
            .reach
            .choices(&catalog.registry, &[metric.to_owned()]);
        let is_personal = |choice: &DimensionChoice| {
            let dataset = catalog.registry.datasets.get(&choice.dataset);
            let dimension = dataset.and_then(|dataset| dataset.dimensions.get(&choice.dimension));
            dimension.is_none_or(|dimension| dimension.pii)
        };
        let fits = choices.into_iter().filter(|choice| {
            choice.reachable.is_ok()
                && !is_personal(choice)
                && matches!(choice.kind, DimensionType::Text | DimensionType::Boolean)
        });
        fits.map(|choice| choice.name).collect()
    }

    /// The first dimension with few values, else the first one.
    fn telling(&self, metric: &str, dimensions: &[String]) -> Option<String> {
        let metrics = [metric.to_owned()];
        let has_few = |name: &&String| {
            let known = self.values(&metrics, name, "", 1).state;
            matches!(known, ColumnState::Indexed { distinct } if (2..=FEW_VALUES).contains(&distinct))
        };
        let few = dimensions.iter().take(20).find(has_few);
        few.or_else(|| dimensions.first()).cloned()
    }
}

impl Job {
    fn statements(&self) -> impl Iterator<Item = &str> {
        let Sides { before, after } = &self.total;
        let totals = [before, after].into_iter().flatten();
        let parts = [&self.parts.before, &self.parts.after]
            .into_iter()
            .flatten();
        totals
            .chain(parts)
            .map(|compiled| compiled.main.sql.as_str())
    }
}

/// Reads the numbers of jobs.
struct Reader<'a> {
    warehouse: &'a Warehouse,
    cancel: &'a CancellationToken,
}

impl Reader<'_> {
    async fn figure(&self, job: Job) -> Figure {
        let totals = [&job.total.after, &job.total.before].into_iter();
        let totals = totals.filter_map(|side| side.as_ref().ok());
        let parts = [&job.parts.after, &job.parts.before].into_iter().flatten();
        let column = totals.chain(parts).find_map(metric_column);
        let total = Sides {
            before: self.total(job.total.before).await,
            after: self.total(job.total.after).await,
        };
        let mut figure = Figure {
            metric: job.metric,
            line: job.line,
            total,
            is_alone: job.is_alone,
            parts: Vec::new(),
            same: 0,
            note: None,
            by: job.by,
            column: column.map(|(_, column)| column),
        };
        let Some(after) = job.parts.after else {
            return figure;
        };
        let before = match &job.parts.before {
            Some(before) => self.parts(before).await,
            None => Ok(Values::new()),
        };
        let after = self.parts(&after).await;
        match (before, after) {
            (Ok(before), Ok(after)) => {
                let all = merged(before, after);
                let count = all.len();
                let is_told = |part: &Part| job.is_alone || !part.value.is_same();
                let changed = all.into_iter().filter(is_told);
                figure.parts = changed.collect();
                figure.same = count - figure.parts.len();
            }
            (Err(reason), _) | (_, Err(reason)) => figure.note = Some(reason),
        }
        figure
    }

    async fn total(&self, compiled: Result<Compiled, String>) -> Result<Option<f64>, String> {
        let compiled = compiled?;
        let (rows, _) = self.rows_of(&compiled).await?;
        let (at, _) = metric_column(&compiled).ok_or("the metric has no column")?;
        let first = rows.iter().find(|batch| batch.num_rows() > 0);
        let cell = first.and_then(|batch| batch.columns().get(at));
        Ok(cell.and_then(|column| raw_json(column.as_ref(), 0).as_f64()))
    }

    async fn parts(&self, compiled: &Compiled) -> Result<Values, String> {
        let (rows, truncated) = self.rows_of(compiled).await?;
        if truncated {
            // Two different thousands of values could not be compared.
            return Err(format!("more than {MOST_VALUES} values are not compared"));
        }
        let columns = &compiled.main.columns;
        let group = columns.iter().position(|column| column.role == Role::Group);
        let (group, (metric, _)) = group
            .zip(metric_column(compiled))
            .ok_or("the query has no grouping")?;
        let label_column = columns.get(group).ok_or("the query has no grouping")?;
        let mut parts = Values::new();
        for batch in &rows {
            let all = batch.columns();
            let (Some(labels), Some(values)) = (all.get(group), all.get(metric)) else {
                continue;
            };
            for row in 0..batch.num_rows() {
                let label = cell_text(labels.as_ref(), row, label_column).text;
                let value = raw_json(values.as_ref(), row).as_f64();
                parts.insert(raw_text(labels.as_ref(), row), (label, value));
            }
        }
        Ok(parts)
    }

    /// All rows of a statement, and whether there are more than are compared.
    async fn rows_of(&self, compiled: &Compiled) -> Result<(Vec<RecordBatch>, bool), String> {
        let cap = Some(MOST_VALUES);
        let rows = all_rows(self.warehouse, &compiled.main, cap, self.cancel);
        rows.await.map_err(|error| error.to_string())
    }
}

fn metric_column(compiled: &Compiled) -> Option<(usize, OutputColumn)> {
    let columns = compiled.main.columns.iter().enumerate();
    let mut metrics = columns.filter(|(_, column)| column.role == Role::Metric);
    metrics.next().map(|(at, column)| (at, column.clone()))
}

/// Both sides by value, the largest difference first.
fn merged(before: Values, mut after: Values) -> Vec<Part> {
    let mut parts: Vec<Part> = before
        .into_iter()
        .map(|(raw, (label, before))| {
            let after = after.shift_remove(&raw).and_then(|(_, after)| after);
            Part {
                label,
                value: Sides { before, after },
            }
        })
        .collect();
    parts.extend(after.into_values().map(|(label, after)| Part {
        label,
        value: Sides {
            before: None,
            after,
        },
    }));
    parts.sort_by(|a, b| b.value.difference().total_cmp(&a.value.difference()));
    parts
}
