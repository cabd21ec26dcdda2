//! Everything there is to say about one metric: what `metrex show` and the details pane print.

use jiff::civil::Date;

use super::{AlertCard, ReviewStage, Session, SessionError};
use crate::compile::{DimensionChoice, additivity, reading};
use crate::govern::{StandsOn, stands_on};
use crate::model::{
    Format, LifeEvent, Measure, Metric, MetricKind, Place, Registry, Relation, Status,
};
use crate::usage::graph::Trend;

/// A metric, described for people.
#[derive(Debug, Clone)]
pub struct MetricCard {
    /// Name in query lines.
    pub name: String,
    /// Name for people.
    pub label: String,
    /// `simple`, `ratio`, `derived`, `cumulative`, `conversion` or `complex`.
    pub kind: &'static str,
    /// Life-cycle state.
    pub status: Status,
    /// Where it is in its life, which tells more.
    pub stage: ReviewStage,
    /// That in words, with what is to be used instead.
    pub standing: String,
    /// What was done with it, the earliest first.
    pub history: Vec<LifeEvent>,
    /// Shelf in the catalog.
    pub category: String,
    /// Team or person that answers for it.
    pub owner: Option<String>,
    /// Date of the last change of meaning.
    pub last_updated: Option<Date>,
    /// Plain words for everyone.
    pub description: String,
    /// Rules a reader must know.
    pub business_rules: Vec<String>,
    /// Its meaning as one sentence, such as "sum of amount_usd over orders where status <> 'CANCELLED'".
    pub formula: String,
    /// Over what it adds up, as one sentence.
    pub additivity: String,
    /// Default grouping, as query words.
    pub grain: Vec<String>,
    /// Default time range, as query words.
    pub window: Option<String>,
    /// Display format.
    pub format: Format,
    /// The ways to compute it, in the order they are tried; none for what is made of other metrics.
    pub sources: Vec<SourceCard>,
    /// Dimensions it can be grouped and filtered by.
    pub dimensions: Vec<DimensionChoice>,
    /// What it is computed from, down to tables.
    pub lineage: Vec<Lineage>,
    /// The datasets it is computed from, and what is agreed on of each; none where the project has no canonical datasets.
    pub stands_on: Vec<StandsOn>,
    /// Other names.
    pub aliases: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// The alerts on it, in the order of the files.
    pub alerts: Vec<AlertCard>,
    /// How it is used, in words: "247 queries in 30 days, up 18 %, last used yesterday".
    pub used: String,
    /// How its use goes.
    pub trend: Trend,
    /// Where it is defined.
    pub place: Place,
    /// The same as `file:line`, relative to the project.
    pub defined_at: String,
    /// File name and text of the snippet of a complex metric.
    pub snippet: Option<(String, String)>,
}

/// One way to compute a metric.
#[derive(Debug, Clone)]
pub struct SourceCard {
    /// The condition as written; `None` always holds.
    pub use_when: Option<String>,
    /// Names of the datasets read.
    pub datasets: Vec<String>,
    /// Where it is declared, as `file:line`.
    pub defined_at: String,
}

/// A node of the lineage: what stands below feeds what stands above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// What it is.
    pub kind: LineageKind,
    /// Its name.
    pub name: String,
    /// Where it is defined, as `file:line`; empty for tables.
    pub defined_at: String,
    /// What it is made from.
    pub from: Vec<Lineage>,
}

/// What a node of the lineage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineageKind {
    /// A metric another one is derived from.
    Metric,
    /// A dataset.
    Dataset,
    /// A table of the warehouse.
    Table,
}

impl LineageKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Dataset => "dataset",
            Self::Table => "table",
        }
    }
}

impl Session {
    /// Everything about a metric, by name or alias.
    ///
    /// # Errors
    /// The metric is unknown; the hint names the nearest one.
    pub fn describe(&self, metric: &str) -> Result<MetricCard, SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let metric = registry
            .metric(metric)
            .ok_or_else(|| SessionError::unknown_metric(registry, metric))?;
        let dimensions = match metric.kind {
            MetricKind::Complex { facets: None, .. } => Vec::new(),
            _ => catalog
                .reach
                .choices(registry, std::slice::from_ref(&metric.name)),
        };
        let snippet = match &metric.kind {
            MetricKind::Complex { snippet, .. } => registry.snippets.get(snippet),
            _ => None,
        };
        let trend = self.trend(&metric.name);
        Ok(MetricCard {
            name: metric.name.clone(),
            label: metric.label.clone(),
            kind: metric.kind.word(),
            status: metric.status,
            stage: catalog.stage(metric),
            standing: catalog.standing(metric),
            history: metric.history.clone(),
            category: metric.category.clone(),
            owner: metric.owner.clone(),
            last_updated: metric.last_updated,
            description: metric.description.clone(),
            business_rules: metric.business_rules.clone(),
            formula: reading(registry, metric),
            additivity: additivity(registry, metric).sentence(),
            grain: metric.grain.iter().map(ToString::to_string).collect(),
            window: metric.window.map(|window| window.to_string()),
            format: metric.format.clone(),
            sources: sources(registry, metric),
            dimensions: dimensions
                .into_iter()
                .filter(|choice| choice.reachable.is_ok())
                .collect(),
            lineage: lineage(registry, metric),
            stands_on: stands_on(registry, &metric.name),
            aliases: metric.aliases.clone(),
            tags: metric.tags.clone(),
            alerts: self.alert_cards(&metric.name),
            used: self.trend_said(&trend),
            trend,
            place: metric.place,
            defined_at: registry.at(metric.place),
            snippet: snippet.map(|snippet| (snippet.name.clone(), snippet.text.clone())),
        })
    }
}

fn sources(registry: &Registry, metric: &Metric) -> Vec<SourceCard> {
    let card = |source: &crate::model::Source| SourceCard {
        use_when: source
            .use_when
            .as_ref()
            .map(|(written, _)| written.text.clone()),
        datasets: datasets(source.measures.iter()),
        defined_at: registry.at(source.place),
    };
    metric.kind.sources().iter().map(card).collect()
}

/// The datasets of some measures, each once.
fn datasets<'a>(measures: impl Iterator<Item = &'a Measure>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for measure in measures {
        if !names.contains(&measure.dataset) {
            names.push(measure.dataset.clone());
        }
    }
    names
}

/// What a metric is made from. The registry admits no cycles, so the walk ends.
fn lineage(registry: &Registry, metric: &Metric) -> Vec<Lineage> {
    match &metric.kind {
        MetricKind::Simple(sources) | MetricKind::Ratio(sources) => {
            let names = datasets(sources.iter().flat_map(|source| &source.measures));
            names
                .iter()
                .map(|name| dataset_lineage(registry, name))
                .collect()
        }
        kind @ (MetricKind::Derived { .. }
        | MetricKind::Cumulative(_)
        | MetricKind::Conversion(_)) => {
            let names = datasets(kind.sources().iter().flat_map(|source| &source.measures));
            let inputs = kind.inputs();
            let inputs = inputs.iter().filter_map(|input| registry.metric(input));
            let inputs = inputs.map(|input| metric_lineage(registry, input));
            let of_tables = names.iter().map(|name| dataset_lineage(registry, name));
            inputs.chain(of_tables).collect()
        }
        MetricKind::Complex { tables, .. } => {
            tables.iter().map(|table| table_lineage(table)).collect()
        }
    }
}

fn metric_lineage(registry: &Registry, metric: &Metric) -> Lineage {
    Lineage {
        kind: LineageKind::Metric,
        name: metric.name.clone(),
        defined_at: registry.at(metric.place),
        from: lineage(registry, metric),
    }
}

fn dataset_lineage(registry: &Registry, name: &str) -> Lineage {
    let dataset = registry.datasets.get(name);
    let analysis = registry.analyses.get(name);
    let read = analysis.into_iter().flat_map(|analysis| &analysis.of);
    let read = read.filter_map(|metric| registry.metric(metric));
    let from = match dataset.map(|dataset| &dataset.relation) {
        Some(Relation::Table(table)) => vec![table_lineage(table)],
        Some(Relation::Sql(_)) | None => read
            .map(|metric| metric_lineage(registry, metric))
            .collect(),
    };
    let defined_at = dataset
        .map(|dataset| registry.at(dataset.place))
        .unwrap_or_default();
    Lineage {
        kind: LineageKind::Dataset,
        name: name.to_owned(),
        defined_at,
        from,
    }
}

fn table_lineage(table: &str) -> Lineage {
    Lineage {
        kind: LineageKind::Table,
        name: table.to_owned(),
        defined_at: String::new(),
        from: Vec::new(),
    }
}
