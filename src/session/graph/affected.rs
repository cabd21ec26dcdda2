//! Who would notice if something changed: by the definitions what stands on it, by the log who asked for that.

use std::collections::HashMap;

use serde::Serialize;

use crate::govern::lineage::{Direction, Graph, NodeKind as Defined};
use crate::model::{Alert, Filter, GroupBy, MetricQuery};
use crate::session::{Session, SessionError};
use crate::usage::graph::{Near, NodeKind, Thing, Used};

/// A metric that stands on something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AffectedMetric {
    /// Its name.
    pub name: String,
    /// How many steps lie between: 1 is made from it directly.
    pub steps: u32,
    /// How it was used.
    #[serde(flatten)]
    pub used: Used,
}

/// A saved query that stands on something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AffectedView {
    /// Its name.
    pub name: String,
    /// Its query line.
    pub line: String,
    /// How often it answered.
    #[serde(flatten)]
    pub used: Used,
}

/// An alert that looks at a number of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AffectedAlert {
    /// Its name.
    pub name: String,
    /// The query line of what it looks at.
    pub line: String,
    /// Who is told.
    pub owner: Option<String>,
}

/// Everything that would be affected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Affected {
    /// What would change.
    #[serde(flatten)]
    pub thing: Thing,
    /// The runs of queries that made use of it.
    #[serde(flatten)]
    pub used: Used,
    /// Metrics, the nearest first, of these the most used first.
    pub metrics: Vec<AffectedMetric>,
    /// Saved queries of the project.
    pub views: Vec<AffectedView>,
    /// Alerts of the project.
    pub alerts: Vec<AffectedAlert>,
    /// What is made from it elsewhere, as canonical datasets declare.
    pub downstream: Vec<String>,
    /// Who asked, the most runs first.
    pub people: Vec<Near>,
    /// Queries, the most used first.
    pub queries: Vec<Near>,
    /// How many shapes of queries there are, more than are listed where there are many.
    pub shapes: usize,
}

impl Session {
    /// Who and what would be affected if a metric, table, column, dimension or canonical dataset changed; at most `limit`
    /// queries are listed.
    ///
    /// # Errors
    /// The thing is none of these, or the graph cannot be read.
    pub fn graph_affected(&self, thing: &Thing, limit: usize) -> Result<Affected, SessionError> {
        if !can_change(thing.kind) {
            let message = format!("nothing stands on a {}", thing.kind.said());
            return Err(SessionError::usage("not_changed", message).with_hint(
                "ask for a metric, a table, a column, a dimension or a canonical dataset",
            ));
        }
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let graph = self.used_graph()?;
        let defined = self.standing_on(thing);
        let metrics = defined.metrics.keys();
        let metrics = metrics.map(|name| Thing::new(NodeKind::Metric, name));
        let things: Vec<Thing> = std::iter::once(thing.clone()).chain(metrics).collect();
        let found = graph
            .dependants(&things, limit)
            .map_err(super::unreadable)?;
        let by_use = found
            .metrics
            .iter()
            .map(|(near, steps)| (&near.thing.key, *steps));
        let mut steps: HashMap<&String, u32> = by_use.collect();
        // What the definitions say now counts more than what they said when it was asked for.
        steps.extend(defined.metrics.iter().map(|(name, steps)| (name, *steps)));
        if thing.kind == NodeKind::Metric {
            steps.remove(&thing.key);
        }
        let used = |kind, name: &str| -> Result<Used, SessionError> {
            let around = graph.runs(&Thing::new(kind, name));
            around.map_err(super::unreadable)
        };
        let known = found.metrics.iter();
        let known: HashMap<&String, Used> = known
            .map(|(near, _)| (&near.thing.key, near.used))
            .collect();
        let mut metrics = Vec::new();
        for (name, steps) in steps {
            metrics.push(AffectedMetric {
                name: name.clone(),
                steps,
                used: match known.get(name) {
                    Some(known) => *known,
                    None => used(NodeKind::Metric, name)?,
                },
            });
        }
        metrics.sort_by(|a, b| {
            let nearest = a.steps.cmp(&b.steps).then(b.used.runs.cmp(&a.used.runs));
            nearest.then_with(|| a.name.cmp(&b.name))
        });
        let mut views = Vec::new();
        for name in &defined.views {
            if let Some(view) = registry.views.get(name) {
                views.push(AffectedView {
                    name: name.clone(),
                    line: self.harmless_line(&view.query.to_string()),
                    used: used(NodeKind::View, name)?,
                });
            }
        }
        Ok(Affected {
            thing: thing.clone(),
            used: found.used,
            metrics,
            views,
            alerts: self.alerts_on(thing, &defined.metrics),
            downstream: defined.downstream,
            people: found.people,
            queries: found.queries,
            shapes: found.shapes,
        })
    }

    /// The alerts that look at a thing, or at a metric that stands on it.
    fn alerts_on(&self, thing: &Thing, metrics: &HashMap<String, u32>) -> Vec<AffectedAlert> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let dimensions = match thing.kind {
            NodeKind::Dimension | NodeKind::Column => dimensions(registry, thing),
            _ => Vec::new(),
        };
        let is_of = |alert: &&Alert| {
            let metric = registry.metric(alert.metric());
            let is_metric = metric.is_some_and(|metric| {
                let is_itself = thing.kind == NodeKind::Metric && metric.name == thing.key;
                is_itself || metrics.contains_key(&metric.name)
            });
            let mut names = dimensions.iter();
            is_metric || names.any(|name| names_dimension(&alert.query, name))
        };
        let alerts = registry.alerts.values().filter(is_of);
        let alert = |alert: &Alert| AffectedAlert {
            name: alert.name.clone(),
            line: self.harmless_line(&alert.query.to_string()),
            owner: alert.owner.clone(),
        };
        alerts.map(alert).collect()
    }

    /// What the definitions make from a thing.
    fn standing_on(&self, thing: &Thing) -> Standing {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let lineage = self.lineage();
        let mut standing = Standing::default();
        let start = match thing.kind {
            NodeKind::Metric => lineage.find(Defined::Metric, &thing.key),
            NodeKind::Table => {
                let table = lineage.find(Defined::Table, &thing.key);
                table.or_else(|| lineage.find(Defined::Dataset, &thing.key))
            }
            NodeKind::Dataset => lineage.named_by(registry, &thing.key),
            _ => None,
        };
        if let Some(start) = start {
            standing.walk(&lineage, start);
        }
        if matches!(thing.kind, NodeKind::Dimension | NodeKind::Column) {
            let names = dimensions(registry, thing);
            let views = registry.views.values();
            let views =
                views.filter(|view| names.iter().any(|name| names_dimension(&view.query, name)));
            standing.views = views.map(|view| view.name.clone()).collect();
        }
        standing
    }
}

/// Whether a definition or a table of this kind can be changed.
pub(super) fn can_change(kind: NodeKind) -> bool {
    matches!(
        kind,
        NodeKind::Metric
            | NodeKind::Table
            | NodeKind::Column
            | NodeKind::Dimension
            | NodeKind::Dataset
    )
}

#[derive(Default)]
struct Standing {
    metrics: HashMap<String, u32>,
    views: Vec<String>,
    downstream: Vec<String>,
}

impl Standing {
    /// Everything below a node. Datasets lie between tables and metrics and are no step of their own.
    fn walk(&mut self, lineage: &Graph, start: usize) {
        let mut next = vec![(start, 0)];
        let mut seen = std::collections::HashSet::from([start]);
        while !next.is_empty() {
            let mut further = Vec::new();
            for (at, steps) in next {
                for below in lineage.beside(at, Direction::Down) {
                    let (true, Some(node)) = (seen.insert(below), lineage.nodes.get(below)) else {
                        continue;
                    };
                    let name = node.name.clone();
                    let steps = match node.kind {
                        Defined::Metric => {
                            self.metrics.insert(name, steps + 1);
                            steps + 1
                        }
                        Defined::View => {
                            self.views.push(name);
                            steps
                        }
                        Defined::Downstream => {
                            self.downstream.push(name);
                            steps
                        }
                        _ => steps,
                    };
                    further.push((below, steps));
                }
            }
            next = further;
        }
        self.views.sort();
        self.downstream.sort();
    }
}

/// The dimensions that a thing is, or that are made of a column alone.
fn dimensions(registry: &crate::model::Registry, thing: &Thing) -> Vec<String> {
    if thing.kind == NodeKind::Dimension {
        return vec![thing.key.clone()];
    }
    let Some((table, column)) = thing.key.rsplit_once('.') else {
        return Vec::new();
    };
    let datasets = registry.datasets.values();
    let datasets = datasets.filter(|dataset| super::defined::table_of(dataset) == table);
    let dimensions = datasets.flat_map(|dataset| dataset.dimensions.values());
    let of = dimensions.filter(|dimension| dimension.column.as_deref() == Some(column));
    of.map(|dimension| dimension.name.clone()).collect()
}

/// Whether a query is grouped or filtered by a dimension.
fn names_dimension(query: &MetricQuery, name: &str) -> bool {
    let grouped = query
        .group_by
        .iter()
        .flatten()
        .filter_map(GroupBy::dimension);
    let filtered = query.filters.iter().flat_map(Filter::fields);
    grouped.chain(filtered).any(|field| {
        // `buyer.segment` is the segment of a role.
        field.rsplit('.').next() == Some(name)
    })
}
