//! The events an analysis reads: the rows of a metric's dataset that the metric counts, as SQL for one engine.

use super::row_sql::row_sql;
use crate::model::{
    Aggregate, Calendar, ColumnType, Dataset, Dimension, DimensionType, Expression, Grain, Measure,
    Place, Relation, Take,
};
use crate::registry::diagnostic::Sink;
use crate::registry::kind::is_window_of_aggregate;
use crate::registry::measure;
use crate::registry::raw::RawMetric;
use crate::registry::read::Entry;
use crate::registry::scope::Scope;
use crate::registry::yaml::Text;
use crate::warehouse::Dialect;

/// What metrics and datasets are looked up in.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) metrics: &'a [Entry<RawMetric>],
    pub(super) scope: Scope<'a>,
    pub(super) calendar: &'a Calendar,
}

/// The rows of one metric.
pub(super) struct Event<'a> {
    /// The metric, by its canonical name.
    pub(super) metric: &'a Text,
    pub(super) raw: &'a RawMetric,
    pub(super) dataset: &'a Dataset,
    /// Where the analysis names it.
    named: Place,
    measure: Measure,
    time: &'a Dimension,
    calendar: &'a Calendar,
}

/// What an event is selected with.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    /// Whose event it is.
    pub(super) who: &'a str,
    /// Dimensions that become `d1`, `d2` and so on.
    pub(super) by: &'a [Text],
    /// The dimension that becomes `channel`.
    pub(super) channel: Option<&'a str>,
    /// The measure that becomes `cost`.
    pub(super) cost: Option<&'a Event<'a>>,
    /// The period whose last snapshot stands for it, where the metric has snapshots.
    pub(super) snapshot: Option<Grain>,
}

impl<'a> Columns<'a> {
    /// Nothing but who, when and how much.
    pub(super) fn of(who: &'a str) -> Self {
        Self {
            who,
            by: &[],
            channel: None,
            cost: None,
            snapshot: None,
        }
    }
}

impl<'a> Known<'a> {
    /// The events of a metric, which must be a plain sum or count of one dataset's rows.
    pub(super) fn event(self, name: &Text, sink: &mut Sink) -> Option<Event<'a>> {
        let wanted = name.value.to_lowercase();
        let is_named = |entry: &&Entry<RawMetric>| {
            let aliases = entry.value.iter();
            let mut aliases = aliases.flat_map(|raw| raw.aliases.0.iter().chain(&raw.synonyms.0));
            entry.name.value.to_lowercase() == wanted
                || aliases.any(|alias| alias.value.to_lowercase() == wanted)
        };
        let Some(entry) = self.metrics.iter().find(is_named) else {
            let known = self.metrics.iter().map(|entry| entry.name.value.as_str());
            let at = (name.value.as_str(), name.place);
            let broken = self.scope.broken;
            broken.refuse("metric", "unknown_metric", at, false, known, sink);
            return None;
        };
        let mut refuse = |message: String| {
            let hint = "name a metric that is one sum or count of the rows of one dataset";
            let hint = Some(hint.to_owned());
            sink.error("metric_kind", name.place, &name.value, message, hint);
            None
        };
        let metric = entry.name.value.as_str();
        let raw = entry.value.as_ref()?;
        let is_accumulated = raw.cumulative.is_some() || is_window_of_aggregate(raw);
        if raw.agg.is_none() || raw.base_table.is_none() || is_accumulated {
            return refuse(format!(
                "'{metric}' has no rows of its own that could be followed"
            ));
        }
        let mut aside = Sink::new([]);
        let sources = measure::sources(&entry.name, raw, self.scope, &mut aside);
        let measures = sources.into_iter().flatten().map(|source| source.measures);
        let Some(measure) = measures.flatten().next() else {
            let message = format!("depends on '{metric}', which has an error");
            sink.error("dependency", name.place, &name.value, message, None);
            return None;
        };
        if !measure.agg.is_additive() {
            return refuse(format!("'{metric}' is neither a sum nor a count"));
        }
        let dataset = self.scope.datasets.get(&measure.dataset)?;
        let time = measure.time.as_ref().or(dataset.time.as_ref());
        let Some(time) = time.and_then(|time| dataset.dimension(time)) else {
            return refuse(format!("'{metric}' has no time"));
        };
        Some(Event {
            metric: &entry.name,
            raw,
            dataset,
            named: name.place,
            measure,
            time,
            calendar: self.calendar,
        })
    }
}

impl Event<'_> {
    /// Whether the metric adds up something of each row, and not just rows.
    pub(super) fn is_sum(&self) -> bool {
        self.measure.agg == Aggregate::Sum
    }

    /// Refuses a metric of snapshots, whose rows are no events.
    pub(super) fn without_snapshots(self, sink: &mut Sink) -> Option<Self> {
        if self.measure.over_time.is_none() {
            return Some(self);
        }
        let message = format!("'{}' has snapshots, which are no events", self.metric.value);
        let hint = Some("name a metric of things that happen".to_owned());
        let (place, found) = (self.named, &self.metric.value);
        sink.error("metric_kind", place, found, message, hint);
        None
    }

    /// Refuses snapshots that are more than the last one of a period.
    pub(super) fn with_plain_snapshots(self, sink: &mut Sink) -> Option<Self> {
        let is_plain = self.measure.over_time.as_ref().is_none_or(|over| {
            over.take == Take::Last
                && over.per.is_empty()
                && !over.carry_forward
                && over.time == self.time.name
        });
        if is_plain {
            return Some(self);
        }
        let message = format!(
            "the snapshots of '{}' are more than the last one of each period",
            self.metric.value
        );
        let (place, found) = (self.named, &self.metric.value);
        sink.error("metric_kind", place, found, message, None);
        None
    }

    /// The time that its rows are counted by.
    pub(super) fn time(&self) -> &Dimension {
        self.time
    }

    /// Checks that a name means something in its dataset, and that everything it needs can be written for every engine.
    pub(super) fn check(&self, names: &[&Text], known: Known, sink: &mut Sink) -> Option<()> {
        let before = sink.errors();
        for name in names {
            if name.value.contains('.') {
                let message = format!(
                    "'{}' lies behind a join; an analysis reads the rows of {} alone",
                    name.value, self.dataset.name
                );
                let hint = "name a dimension of the dataset itself; or make it one with sql:";
                let hint = Some(hint.to_owned());
                sink.error("unknown_dimension", name.place, &name.value, message, hint);
                continue;
            }
            known
                .scope
                .check_column_or_dimension(self.dataset, name, sink);
        }
        let expressions = self.measure.expr.iter().chain(&self.measure.filters);
        for expression in expressions {
            if let Err(why) = row_sql(expression, self.dataset, Dialect::Postgres) {
                let message = format!("of '{}': {why}", self.metric.value);
                let place = expression.place;
                sink.error("expression", place, &expression.text, message, None);
            }
        }
        (sink.errors() == before).then_some(())
    }

    fn sql(&self, expression: &Expression, dialect: Dialect) -> String {
        row_sql(expression, self.dataset, dialect).unwrap_or_else(|_| expression.text.clone())
    }

    /// A dimension or column by name.
    fn column(&self, name: &str, dialect: Dialect) -> String {
        match self.dataset.dimension(name) {
            Some(dimension) => self.dimension(dimension, dialect),
            None => dialect.name(name),
        }
    }

    fn dimension(&self, dimension: &Dimension, dialect: Dialect) -> String {
        let sql = match &dimension.column {
            Some(column) => dialect.name(column),
            None => self.sql(&dimension.expr, dialect),
        };
        match &self.dataset.stored_in {
            Some(stored) if dimension.kind == DimensionType::Time => {
                dialect.local_time(&sql, stored, &self.calendar.timezone)
            }
            _ => sql,
        }
    }

    /// The condition under which the metric counts a row.
    fn counts(&self, dialect: Dialect) -> Vec<String> {
        let filters = self.measure.filters.iter();
        let mut all: Vec<String> = filters
            .map(|filter| format!("({})", self.sql(filter, dialect)))
            .collect();
        if let (Aggregate::Count, Some(expr)) = (self.measure.agg, &self.measure.expr) {
            all.push(format!("({}) IS NOT NULL", self.sql(expr, dialect)));
        }
        if let (Aggregate::SumBoolean, Some(expr)) = (self.measure.agg, &self.measure.expr) {
            all.push(format!("({})", self.sql(expr, dialect)));
        }
        all
    }

    /// What one row adds to the metric.
    fn amount(&self, dialect: Dialect) -> String {
        let amount = match (&self.measure.expr, self.is_sum()) {
            (Some(expr), true) => self.sql(expr, dialect),
            _ => "1".to_owned(),
        };
        dialect.cast(&format!("COALESCE({amount}, 0)"), ColumnType::Number)
    }

    /// One SELECT of its rows: `who`, `happened_at`, `amount`, and what else is wanted.
    pub(super) fn select(&self, columns: Columns<'_>, dialect: Dialect) -> String {
        let at = self.dimension(self.time, dialect);
        let mut list = vec![
            format!("{} AS who", self.column(columns.who, dialect)),
            format!("{at} AS happened_at"),
            format!("{} AS amount", self.amount(dialect)),
        ];
        for (place, name) in columns.by.iter().enumerate() {
            let column = self.column(&name.value, dialect);
            list.push(format!("{column} AS d{}", place + 1));
        }
        let mut conditions = self.counts(dialect);
        conditions.push(format!("{at} IS NOT NULL"));
        if let Some(channel) = columns.channel {
            let channel = self.column(channel, dialect);
            list.push(format!("{} AS channel", dialect.as_text(&channel)));
        }
        if let Some(cost) = columns.cost {
            let mut amount = cost.amount(dialect);
            let counts = cost.counts(dialect);
            if !counts.is_empty() {
                let counts = counts.join(" AND ");
                amount = format!("CASE WHEN {counts} THEN {amount} ELSE 0 END");
            }
            list.push(format!("{amount} AS cost"));
        }
        let from = self.from(dialect);
        let rows = format!(
            "SELECT {}\n  FROM {from}\n  WHERE {}",
            list.join(", "),
            conditions.join(" AND ")
        );
        match columns
            .snapshot
            .filter(|_| self.measure.over_time.is_some())
        {
            None => rows,
            Some(grain) => format!(
                "SELECT * FROM (SELECT rows_of.*, MAX(happened_at) OVER (PARTITION BY {}) AS last_at FROM (\n  {rows}\n  ) AS rows_of) AS snapshots\n  WHERE happened_at = last_at",
                dialect.trunc("happened_at", grain, self.calendar.week_start)
            ),
        }
    }

    fn from(&self, dialect: Dialect) -> String {
        match self.dataset.sql(dialect) {
            None => match &self.dataset.relation {
                Relation::Table(table) => dialect.table(table),
                Relation::Sql(sql) => sql.clone(),
            },
            Some(sql) => format!("(\n{}\n) AS base", sql.trim().trim_end_matches(';')),
        }
    }
}
