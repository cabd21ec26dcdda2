//! Values of dimensions: what the index knows of them, and filling it from the warehouse.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use nucleo::pattern::{CaseMatching, Normalization, Pattern};
use nucleo::{Config, Matcher, Utf32Str};
use tokio_util::sync::CancellationToken;

use super::{Failure, Session, SessionError};
use crate::compile::leaf_metrics;
use crate::index::{self, IndexColumn, Progress, Report};
use crate::model::world::{self, NameKind};
use crate::model::{ColumnState, Dataset, Dimension, GroupBy, MetricQuery, ValueLookup};
use crate::registry::nearest;

/// Values of one dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueList {
    /// Values with the number of rows that have them: best match first, then most frequent.
    pub values: Vec<(String, u64)>,
    /// What is known of the column.
    pub state: ColumnState,
    /// When it was indexed.
    pub updated_at: Option<Timestamp>,
    /// What values are also called: `Brazil` and `Brasil` for `BR`.
    pub names: HashMap<String, Vec<String>>,
}

/// What to index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReindexOptions {
    /// Only this dimension, in every dataset that has it; `None` for all.
    pub dimension: Option<String>,
    /// Skip what a run that broke off has already done.
    pub resume: bool,
}

/// A column of the index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    table: String,
    column: String,
    pii: bool,
    aliases: BTreeMap<String, Vec<String>>,
}

impl Column {
    fn new(dataset: &Dataset, dimension: &Dimension) -> Self {
        Self {
            table: dataset.index_table().into_owned(),
            column: dimension.index_column().into_owned(),
            pii: dimension.pii,
            aliases: dimension.value_aliases.clone().into_iter().collect(),
        }
    }
}

impl Session {
    /// The values of a dimension that match all of `words`, at most `limit`.
    ///
    /// `dimension` is a name as queries over `metrics` write it; without metrics, every dataset's dimension of that name
    /// is meant (equal names mean the same thing), and rows are counted over all of them.
    pub fn values(
        &self,
        metrics: &[String],
        dimension: &str,
        words: &str,
        limit: usize,
    ) -> ValueList {
        let mut list = ValueList {
            values: Vec::new(),
            state: ColumnState::Missing,
            updated_at: None,
            names: HashMap::new(),
        };
        let columns = self.index_columns(metrics, dimension);
        if columns.iter().any(|column| column.pii) {
            return ValueList {
                state: ColumnState::Pii,
                ..list
            };
        }
        let Some(index) = self.index(&self.connection()) else {
            return list;
        };
        let mut counts: HashMap<String, u64> = HashMap::new();
        for Column { table, column, .. } in &columns {
            let state = index.state(table, column);
            if matches!(state, ColumnState::Indexed { .. }) {
                for (value, count) in index
                    .values(table, column, "", usize::MAX)
                    .unwrap_or_default()
                {
                    *counts.entry(value).or_default() += count;
                }
                list.updated_at = list.updated_at.max(index.updated_at(table, column));
            }
            list.state = known_better(list.state, state);
        }
        if let ColumnState::Indexed { distinct } = &mut list.state {
            *distinct = counts.len() as u64;
        }
        list.values = matching(counts, words, limit);
        list.names = names(&columns, &list.values);
        list
    }

    /// Where the values of a dimension are indexed: for metrics, what the name means from each dataset they read;
    /// without metrics, in every dataset that has it.
    fn index_columns(&self, metrics: &[String], dimension: &str) -> Vec<Column> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let own = |dataset: &str, dimension: &str| {
            let dataset = registry.datasets.get(dataset)?;
            Some(Column::new(dataset, dataset.dimension(dimension)?))
        };
        let reached = |dataset: &str| {
            let path = catalog.reach.find(registry, dataset, dimension).ok()?;
            path.resolve(registry)
                .map(|(dataset, dimension)| Column::new(dataset, dimension))
        };
        let all = registry.datasets.keys();
        let mut columns: Vec<Column> = match dimension.split_once('.') {
            _ if !metrics.is_empty() => {
                let metrics = metrics.iter().filter_map(|metric| registry.metric(metric));
                let leaves = metrics.flat_map(|metric| leaf_metrics(registry, metric));
                let measures = leaves
                    .flat_map(|leaf| leaf.kind.sources())
                    .flat_map(|source| &source.measures);
                measures
                    .filter_map(|measure| reached(&measure.dataset))
                    .collect()
            }
            None => all.filter_map(|dataset| own(dataset, dimension)).collect(),
            Some((dataset, dimension)) if registry.datasets.contains_key(dataset) => {
                own(dataset, dimension).into_iter().collect()
            }
            Some(_) => all.filter_map(|dataset| reached(dataset)).collect(),
        };
        columns.sort();
        columns.dedup();
        columns
    }

    /// Whether a dimension of these metrics is personal data, whose values are not to be listed.
    pub fn is_personal(&self, metrics: &[String], dimension: &str) -> bool {
        let columns = self.index_columns(metrics, dimension);
        columns.iter().any(|column| column.pii)
    }

    /// The first dimension that a query lists the values of and that is personal data.
    pub fn personal_group<'q>(&self, query: &'q MetricQuery) -> Option<&'q str> {
        let groups = query.group_by.iter().flatten().chain(&query.range_of);
        let mut dimensions = groups.filter_map(|group| match group {
            GroupBy::Dimension(name) => Some(name.as_str()),
            GroupBy::Grain { .. } | GroupBy::Part { .. } => None,
        });
        dimensions.find(|name| self.is_personal(&query.metrics, name))
    }

    /// Refuses to list the values of personal data.
    pub(super) fn refuse_personal(&self, query: &MetricQuery) -> Result<(), SessionError> {
        let Some(name) = self.personal_group(query) else {
            return Ok(());
        };
        let message = format!("'{name}' is personal data: its values are not listed");
        let error = SessionError::new(Failure::Query, "personal_data", message);
        Err(error.with_hint("group by something else"))
    }

    /// Whether a dimension has a value, as far as that is known.
    pub(super) fn may_have(&self, dimension: &str, value: &str) -> bool {
        let Some(index) = self.index(&self.connection()) else {
            return true;
        };
        let may_have = |column: &Column| match index.state(&column.table, &column.column) {
            ColumnState::Indexed { .. } => index.contains(&column.table, &column.column, value),
            _ => true,
        };
        self.index_columns(&[], dimension).iter().any(may_have)
    }

    /// The error for a dimension that no dataset has, if none has it.
    ///
    /// # Errors
    /// No dataset has a dimension of that name; the hint names the nearest one.
    pub fn check_dimension(&self, dimension: &str) -> Result<(), SessionError> {
        if !self.index_columns(&[], dimension).is_empty() {
            return Ok(());
        }
        let catalog = self.catalog();
        let names = catalog
            .registry
            .datasets
            .values()
            .flat_map(|dataset| dataset.dimensions.keys().map(String::as_str));
        let near = nearest(dimension, names);
        let error = SessionError::new(
            Failure::Query,
            "unknown_dimension",
            format!("unknown dimension '{dimension}'"),
        );
        Err(match near {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error.with_hint("`metrex show METRIC` lists the dimensions of a metric"),
        })
    }

    /// Fills the value index from the warehouse: one query per column, each replaced as a whole or not at all.
    ///
    /// # Errors
    /// The dimension is unknown, the warehouse fails, the index cannot be written; columns done before stay done.
    pub async fn reindex(
        &self,
        options: &ReindexOptions,
        progress: impl FnMut(Progress) + Send,
        cancel: CancellationToken,
    ) -> Result<Report, SessionError> {
        let mut columns = index::plan(&self.catalog().registry);
        if let Some(dimension) = &options.dimension {
            self.check_dimension(dimension)?;
            let wanted = self.index_columns(&[], dimension);
            let is_wanted = |planned: &IndexColumn| {
                wanted
                    .iter()
                    .any(|column| column.table == planned.table && column.column == planned.column)
            };
            columns.retain(is_wanted);
        }
        let warehouse = self.warehouse(&self.connection())?;
        let index = self.index_to_fill()?;
        Ok(index::reindex(
            &warehouse,
            &index,
            columns,
            options.resume,
            progress,
            &cancel,
        )
        .await?)
    }
}

/// Of what is known about two columns of one dimension, the more useful.
fn known_better(one: ColumnState, other: ColumnState) -> ColumnState {
    let rank = |state: &ColumnState| match state {
        ColumnState::Missing => 0,
        ColumnState::Wide { .. } => 1,
        ColumnState::Indexed { .. } => 2,
        ColumnState::Pii => 3,
    };
    if rank(&other) > rank(&one) {
        other
    } else {
        one
    }
}

/// What values are also called: codes of countries and currencies by the names of these, and all by their aliases.
fn names(columns: &[Column], values: &[(String, u64)]) -> HashMap<String, Vec<String>> {
    let mut names: HashMap<String, Vec<String>> = HashMap::new();
    for kind in [NameKind::Country, NameKind::Currency] {
        let is_code = |value: &str| world::is_code(kind, value);
        let codes = values.iter().filter(|(value, _)| is_code(value)).count();
        // A few values that look like codes are only words.
        if codes * 3 < values.len() * 2 {
            continue;
        }
        for (value, _) in values {
            let meant = world::codes(value)
                .into_iter()
                .find(|name| name.kind == kind);
            let words = meant.iter().flat_map(|name| name.names());
            names
                .entry(value.clone())
                .or_default()
                .extend(words.map(str::to_owned));
        }
    }
    for (value, aliases) in columns.iter().flat_map(|column| &column.aliases) {
        names
            .entry(value.clone())
            .or_default()
            .extend_from_slice(aliases);
    }
    names.retain(|_, names| !names.is_empty());
    names
}

/// The values that match every word, best match first, then most frequent.
fn matching(counts: HashMap<String, u64>, words: &str, limit: usize) -> Vec<(String, u64)> {
    let pattern = Pattern::new(
        words,
        CaseMatching::Ignore,
        Normalization::Smart,
        nucleo::pattern::AtomKind::Fuzzy,
    );
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found: Vec<_> = counts
        .into_iter()
        .filter_map(|(value, count)| {
            let score = pattern.score(Utf32Str::new(&value, &mut buffer), &mut matcher)?;
            Some((score, value, count))
        })
        .collect();
    found.sort_by(|a, b| (b.0, b.2).cmp(&(a.0, a.2)).then_with(|| a.1.cmp(&b.1)));
    found
        .into_iter()
        .take(limit)
        .map(|(_, value, count)| (value, count))
        .collect()
}
