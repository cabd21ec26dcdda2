//! Which metrics a statement of elsewhere computes: those whose own SQL has the same aggregation of the same rows under
//! the same conditions.

use sqlparser::dialect::{
    BigQueryDialect, DatabricksDialect, Dialect, GenericDialect, PostgreSqlDialect,
    SnowflakeDialect,
};

use super::Entry;
use crate::learn::pattern::{Pattern, Tables, Unread, pattern};
use crate::learn::personal::without_literals;
use crate::learn::tables::{base, dataset_of};
use crate::learn::{PersonalColumns, about, dimension_of, sort};
use crate::model::{MetricQuery, Registry, Status};
use crate::usage::{Facts, FilterFact};

/// What a statement is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    /// Its shape, which is also what is kept of its text.
    pub fingerprint: String,
    /// What it is about.
    pub facts: Facts,
}

/// Compares statements with what metrics compile to.
pub struct Matcher<'r> {
    registry: &'r Registry,
    tables: Tables,
    personal: PersonalColumns,
    metrics: Vec<(String, Pattern)>,
}

impl<'r> Matcher<'r> {
    /// Knows the metrics by the SQL of each alone: `sql` gives it, for engines that write like PostgreSQL.
    pub fn new(registry: &'r Registry, sql: impl Fn(&str) -> Option<String>) -> Self {
        let tables = Tables::of(registry);
        let mut metrics = Vec::new();
        for name in registry.metrics.keys() {
            let read = sql(name).and_then(|sql| pattern(&sql, &PostgreSqlDialect {}, &tables).ok());
            metrics.extend(
                read.filter(|read| !read.aggregations.is_empty())
                    .map(|read| (name.clone(), read)),
            );
        }
        Self {
            registry,
            personal: PersonalColumns::of(registry),
            tables,
            metrics,
        }
    }

    /// Reads a statement in the dialect that understands it. No literal is kept but those that are compared with columns which
    /// the definitions know and do not call personal.
    ///
    /// # Errors
    /// No dialect understands it, or it is no SELECT.
    pub fn read(&self, entry: &Entry) -> Result<Stated, Unread> {
        let dialects: [&dyn Dialect; 5] = [
            &PostgreSqlDialect {},
            &SnowflakeDialect,
            &BigQueryDialect,
            &DatabricksDialect {},
            &GenericDialect {},
        ];
        let mut first = None;
        for dialect in dialects {
            match pattern(&entry.sql, dialect, &self.tables) {
                Ok(pattern) => return Ok(self.stated(pattern)),
                Err(Unread::NoSelect) => return Err(Unread::NoSelect),
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        Err(first.unwrap_or(Unread::NoSelect))
    }

    fn stated(&self, pattern: Pattern) -> Stated {
        let metrics = self.metrics_of(&pattern);
        let mut facts = about(
            self.registry,
            &MetricQuery {
                metrics,
                ..MetricQuery::default()
            },
        );
        let is_known = |column: &str| {
            !self.personal.has(column) && dimension_of(self.registry, column).is_some()
        };
        for group in &pattern.groups {
            match grain(group) {
                Some(grain) => facts.grain = Some(grain),
                None => facts.dimensions.push(self.on(group)),
            }
        }
        facts.filters = pattern
            .filters
            .iter()
            .map(|filter| FilterFact {
                on: self.on(&filter.on),
                op: filter.op.clone(),
                values: if is_known(&filter.on) {
                    filter.values.clone()
                } else {
                    Vec::new()
                },
            })
            .collect();
        let all_known = pattern.filters.iter().all(|filter| is_known(&filter.on))
            && !pattern
                .columns
                .iter()
                .any(|column| self.personal.has(column));
        let text = |text: String| {
            if all_known && self.is_open(&text) {
                text
            } else {
                without_literals(&text)
            }
        };
        facts.aggregations = pattern.aggregations.into_iter().map(text).collect();
        facts.dimensions = facts
            .dimensions
            .iter()
            .map(|one| without_literals(one))
            .collect();
        facts.tables = pattern.tables;
        facts.columns = pattern.columns;
        facts.joins = pattern.joins;
        sort(&mut facts);
        Stated {
            fingerprint: pattern.fingerprint,
            facts,
        }
    }

    /// Whether an aggregation compares only columns that the definitions know and do not call personal.
    fn is_open(&self, aggregation: &str) -> bool {
        if !aggregation.contains('\'') {
            return true;
        }
        let words = aggregation.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.');
        let mut columns = words
            .filter(|word| word.contains('.') && !word.starts_with(|c: char| c.is_ascii_digit()));
        columns.all(|column| {
            !self.personal.has(column) && dimension_of(self.registry, column).is_some()
        })
    }

    /// The dimension that a column is, else the column.
    fn on(&self, column: &str) -> String {
        let dimension = dimension_of(self.registry, column);
        dimension.map_or_else(|| column.to_owned(), |dimension| dimension.name.clone())
    }

    /// Whether a statement aggregates over the rows that a metric does: of what it joins besides, a row of the metric has at
    /// most one each.
    fn keeps_rows(&self, metric: &Pattern, statement: &Pattern) -> bool {
        let is_unharmed = |one: &String| {
            ["count(distinct ", "min(", "max("]
                .iter()
                .any(|agg| one.starts_with(agg))
        };
        let mut tables = statement.tables.iter();
        tables.all(|table| metric.tables.contains(table))
            || metric.aggregations.iter().all(is_unharmed)
            || base(self.registry, &statement.tables).is_some_and(|base| {
                let mut own = metric.tables.iter();
                own.any(|table| {
                    let dataset = dataset_of(self.registry, table);
                    dataset.is_some_and(|dataset| dataset.name == base.name)
                })
            })
    }

    /// The metrics that a statement computes. Of two with the same aggregation it is the one whose own conditions say
    /// more, and one in use before one that is deprecated.
    fn metrics_of(&self, statement: &Pattern) -> Vec<String> {
        let has = |filter: &FilterFact| statement.filters.contains(filter);
        let fits = |metric: &Pattern| {
            metric
                .aggregations
                .iter()
                .all(|one| statement.aggregations.contains(one))
                && metric
                    .tables
                    .iter()
                    .all(|table| statement.tables.contains(table))
                && metric.filters.iter().all(has)
                && self.keeps_rows(metric, statement)
        };
        let fitting: Vec<&(String, Pattern)> = self
            .metrics
            .iter()
            .filter(|(_, metric)| fits(metric))
            .collect();
        let is_deprecated = |name: &str| {
            let metric = self.registry.metrics.get(name);
            metric.is_some_and(|metric| metric.status == Status::Deprecated)
        };
        let is_best = |(name, metric): &&&(String, Pattern)| {
            !fitting.iter().any(|(other_name, other)| {
                let covers = metric
                    .aggregations
                    .iter()
                    .all(|one| other.aggregations.contains(one));
                let rank = |name: &str, metric: &Pattern| {
                    (
                        metric.filters.len(),
                        metric.aggregations.len(),
                        !is_deprecated(name),
                    )
                };
                covers && rank(other_name, other) > rank(name, metric)
            })
        };
        fitting
            .iter()
            .filter(is_best)
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// The grain of a grouping by a time: `date_trunc('month', orders.sold_at)`.
fn grain(group: &str) -> Option<String> {
    let rest = group.strip_prefix("date_trunc(")?;
    let quoted = rest
        .strip_prefix('\'')
        .and_then(|rest| rest.split_once('\''));
    let word = match quoted {
        Some((word, _)) => word,
        // BigQuery names the column first.
        None => rest.trim_end_matches(')').rsplit(", ").next()?,
    };
    let word = word.to_lowercase();
    ["hour", "day", "week", "month", "quarter", "year"]
        .contains(&word.as_str())
        .then_some(word)
}
