//! The record of a query that has ended, made where nobody waits for it.

use std::sync::Arc;
use std::time::Instant;

use super::{Origin, Tracking};
use crate::compile::{Compiled, ReasonKind};
use crate::learn::pattern::Pattern;
use crate::learn::{self, Personal, PersonalColumns, about};
use crate::model::{Filter, MetricQuery, Registry, TimeRange};
use crate::session::catalog::Version;
use crate::session::policy::Decided;
use crate::usage::{Facts, FilterFact, Outcome, QueryRecord, Route};
use crate::warehouse::Dialect;

/// A query that is under way, or has ended.
pub(super) struct Ended {
    pub(super) compiled: Arc<Compiled>,
    pub(super) version: Arc<Version>,
    pub(super) origin: Option<Origin>,
    pub(super) dialect: Dialect,
    /// Whether how it went says something of the way its rows were read.
    pub(super) has_run: bool,
    pub(super) began: Instant,
    pub(super) record: QueryRecord,
}

impl Ended {
    /// The record, without anything personal.
    pub(super) fn record(self, tracking: &Tracking, decided: &Decided) -> QueryRecord {
        let registry = &self.version.catalog.registry;
        let compiled = &self.compiled;
        let user = tracking.user();
        let in_words = self.origin.is_some();
        let choice = self.has_run.then(|| {
            let zone = &registry.calendar.timezone;
            let asked = (self.record.at, zone.as_str(), user);
            decided.decision(compiled, &self.record.connection, in_words, asked)
        });
        let personal = Personal::of(registry, &compiled.query);
        let mut read = tracking
            .pattern(&self.version, &compiled.main.sql, self.dialect)
            .map(|read| read.as_ref().clone());
        let columns = PersonalColumns::of(registry);
        let reads_personal = read.as_mut().is_some_and(|read| columns.take_from(read));
        // Where the statement could not be read, nobody knows what it reads.
        let is_open =
            !personal.is_any() && !reads_personal && (read.is_some() || columns.is_empty());
        let read = read.unwrap_or_default();
        let facts = self.facts(&personal, &read);
        let origin = self.origin;
        let (question, route, findings, retries, model) = match origin {
            None => (None, Route::Line, Vec::new(), 0, None),
            Some(origin) => (
                personal.without(&origin.question),
                origin.route,
                if is_open { origin.findings } else { Vec::new() },
                origin.retries,
                origin.model,
            ),
        };
        QueryRecord {
            question,
            route,
            line: personal.query.to_string(),
            intent: serde_json::to_string(&personal.query).unwrap_or_default(),
            sql: if is_open {
                compiled.main.sql.clone()
            } else {
                read.fingerprint.clone()
            },
            fingerprint: read.fingerprint,
            facts,
            plan: plan(registry, compiled),
            outcome: match self.record.outcome {
                // What an engine says may quote what it read.
                Outcome::Failed(_) if !is_open => {
                    Outcome::Failed(self.record.error_kind.clone().unwrap_or_default())
                }
                outcome => outcome,
            },
            findings,
            retries,
            model,
            user: user.to_owned(),
            choice: choice.flatten(),
            ..self.record
        }
    }

    fn facts(&self, personal: &Personal, read: &Pattern) -> Facts {
        let registry = &self.version.catalog.registry;
        let compiled = &self.compiled;
        let mut facts = about(registry, &personal.query);
        let rollups = compiled.rollups();
        facts
            .answered_by
            .extend(rollups.iter().map(|name| format!("rollup:{name}")));
        facts
            .answered_by
            .extend(saved_as(registry, &compiled.query).map(|name| format!("view:{name}")));
        facts.tables.clone_from(&read.tables);
        facts.columns.clone_from(&read.columns);
        facts.joins.clone_from(&read.joins);
        facts.aggregations.clone_from(&read.aggregations);
        let is_written = compiled.plan.is_none();
        facts
            .filters
            .extend(read.filters.iter().map(|filter| FilterFact {
                // What definitions compare columns with says nothing of this query.
                values: if is_written {
                    filter.values.clone()
                } else {
                    Vec::new()
                },
                ..filter.clone()
            }));
        learn::sort(&mut facts);
        if !is_written {
            facts.asks = Some(asks(&personal.query));
        }
        facts
    }
}

/// What a query asks for, whatever values and dates it is asked of.
fn asks(query: &MetricQuery) -> String {
    let mut query = query.clone();
    if let Some(filter) = &mut query.filters {
        without_values(filter);
    }
    query.time = query.time.filter(|time| *time == TimeRange::AllTime);
    query.limit = None;
    query.to_string()
}

/// Writes `?` in the place of what a condition compares with.
fn without_values(filter: &mut Filter) {
    let gap = |value: &mut String| "?".clone_into(value);
    match filter {
        Filter::Compare { value, .. } => gap(value),
        Filter::In { values, .. } => {
            values.truncate(1);
            values.iter_mut().for_each(gap);
        }
        Filter::Between { low, high, .. } => [low, high].into_iter().for_each(gap),
        Filter::Like { pattern, .. } => gap(pattern),
        Filter::IsNull { .. } => {}
        Filter::And(parts) | Filter::Or(parts) => parts.iter_mut().for_each(without_values),
        Filter::Not(part) => without_values(part),
    }
}

/// The saved query that a query is.
fn saved_as<'r>(registry: &'r Registry, query: &MetricQuery) -> Option<&'r str> {
    let views = registry.views.values();
    let mut same = views.filter(|view| {
        let saved = &view.query;
        let names = saved
            .metrics
            .iter()
            .map(|name| registry.metric(name).map(|metric| &metric.name));
        names.eq(query.metrics.iter().map(Some))
            && (saved.group_by.is_none() || saved.group_by == query.group_by)
            && (saved.time.is_none() || saved.time == query.time)
            && saved.filters == query.filters
            && saved.compare == query.compare
            && saved.order == query.order
            && saved.limit == query.limit
    });
    same.next().map(|view| view.name.as_str())
}

/// Which sources and rollups were chosen, in words that are the same from day to day.
fn plan(registry: &Registry, compiled: &Compiled) -> String {
    let of_rollup = |place| {
        registry
            .rollups
            .values()
            .any(|rollup| Some(rollup.place) == place)
    };
    let sources = compiled.reasons.iter();
    let sources =
        sources.filter(|reason| reason.kind == ReasonKind::Source && !of_rollup(reason.place));
    let sources = sources.map(|reason| reason.text.clone());
    let rollups = compiled.rollups();
    let rollups = rollups.iter().map(|name| format!("rollup {name}"));
    sources.chain(rollups).collect::<Vec<_>>().join("\n")
}
