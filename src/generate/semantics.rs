//! The definitions in the words of dbt's semantic layer, with names for what dbt wants to have one.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::Package;
use super::closure::measures;
use super::columns::names;
use super::layers::Layers;
use crate::exchange::dbt;
use crate::model::{
    Dimension, DimensionType, Grain, Measure, Metric, MetricKind, Registry, Source,
};

/// What dbt's semantic layer says of each model, and its metrics over several of them.
pub(super) struct Semantics {
    /// By name of the model.
    pub models: IndexMap<String, Map<String, Value>>,
    pub metrics: Vec<Value>,
}

/// The semantics of the models.
pub(super) fn semantics(layers: &Layers<'_>, package: &mut Package) -> Semantics {
    let mut registry = layers.registry.clone();
    // What is said of a model stands with it, and a model of somebody's project is theirs to describe.
    let is_theirs = |dataset: &str| layers.model_of(dataset).is_none_or(|model| model.exists);
    registry.datasets.retain(|name, _| !is_theirs(name));
    registry
        .metrics
        .retain(|_, metric| !measures(&metric.kind).any(|measure| is_theirs(&measure.dataset)));
    // The semantic layer adds up over everything that a query does not group by.
    registry.metrics.retain(|_, metric| {
        let analysis = layers.original.analysis_of(metric);
        let Some(analysis) = analysis.filter(|one| !one.per(&metric.name).is_empty()) else {
            return true;
        };
        let text = format!(
            "semantic layer: metrics of the analysis {} that do not add up are left out",
            analysis.name
        );
        package.note(layers.original.at(analysis.place), text);
        false
    });
    for metric in registry.metrics.values_mut() {
        // A snippet is a model here, and what is asked of its rows an ordinary metric.
        if let Some(facets) = metric.kind.facets().filter(|facets| facets.per.is_empty()) {
            let source = facets.source.clone();
            metric.kind = match source.measures.len() {
                1 => MetricKind::Simple(vec![source]),
                _ => MetricKind::Ratio(vec![source]),
            };
        }
    }
    let mut hidden: Vec<String> = layers.halves.values().flatten().cloned().collect();
    hidden.extend(name_halves(&mut registry).into_values().flatten());
    hidden.retain(|name| layers.original.metric(name).is_none());
    name_columns(&mut registry);
    rename_grains(&mut registry, package);
    let mut said = dbt::semantics(&registry);
    for note in said.notes {
        // Other names and business rules stand in the model and its page.
        if !note.text.ends_with("not carried over") {
            package.note(note.at, format!("semantic layer: {}", note.text));
        }
    }
    let hide = |metric: &mut Value| {
        if let Value::Object(fields) = metric
            && fields
                .get("name")
                .and_then(Value::as_str)
                .is_some_and(|name| hidden.iter().any(|one| one == name))
        {
            fields.insert("hidden".to_owned(), json!(true));
        }
    };
    said.metrics.iter_mut().for_each(hide);
    let mut models = IndexMap::new();
    for model in said.models {
        let Value::Object(mut fields) = model else {
            continue;
        };
        if let Some(Value::Array(metrics)) = fields.get_mut("metrics") {
            metrics.iter_mut().for_each(hide);
        }
        let name = fields
            .get("name")
            .and_then(Value::as_str)
            .map(str::to_owned);
        models.extend(name.map(|name| (name, fields)));
    }
    Semantics {
        models,
        metrics: said.metrics,
    }
}

/// Gives both halves of each ratio a name, where no metric is the same already. Returns the names by metric.
pub(super) fn name_halves(registry: &mut Registry) -> IndexMap<String, [String; 2]> {
    let mut halves = IndexMap::new();
    let ratios: Vec<Metric> = registry.metrics.values().cloned().collect();
    for metric in ratios {
        let MetricKind::Ratio(sources) = &metric.kind else {
            continue;
        };
        let [source] = sources.as_slice() else {
            continue;
        };
        let [numerator, denominator] = source.measures.as_slice() else {
            continue;
        };
        let numerator = name_half(registry, &metric, source, numerator, "numerator");
        let denominator = name_half(registry, &metric, source, denominator, "denominator");
        halves.insert(metric.name.clone(), [numerator, denominator]);
    }
    halves
}

fn name_half(
    registry: &mut Registry,
    metric: &Metric,
    source: &Source,
    half: &Measure,
    side: &str,
) -> String {
    let same = registry.metrics.values().find(|other| match &other.kind {
        MetricKind::Simple(sources) => match sources.as_slice() {
            [Source { measures, .. }] => {
                measures.iter().any(|other| is_same(other, half))
                    && other.fill.is_none()
                    && !other.every_period
            }
            _ => false,
        },
        _ => false,
    });
    if let Some(same) = same {
        return same.name.clone();
    }
    let mut name = format!("{}_{side}", metric.name);
    let mut n = 2;
    while registry.metric_names.contains_key(&name.to_lowercase())
        || registry.metrics.contains_key(&name)
    {
        name = format!("{}_{side}_{n}", metric.name);
        n += 1;
    }
    let named = Metric {
        name: name.clone(),
        label: format!("{}: {side}", metric.label),
        description: String::new(),
        business_rules: Vec::new(),
        aliases: Vec::new(),
        tests: Vec::new(),
        kind: MetricKind::Simple(vec![Source {
            measures: vec![half.clone()],
            ..source.clone()
        }]),
        grain: Vec::new(),
        window: None,
        format: Default::default(),
        ..metric.clone()
    };
    registry
        .metric_names
        .insert(name.to_lowercase(), name.clone());
    registry.metrics.insert(name.clone(), named);
    name
}

fn is_same(one: &Measure, other: &Measure) -> bool {
    let texts = |measure: &Measure| {
        let texts = measure.expr.iter().chain(&measure.filters);
        texts
            .map(|text| (text.text.clone(), text.dialects.clone()))
            .collect::<Vec<_>>()
    };
    let over = |measure: &Measure| {
        let over = measure.over_time.clone();
        over.map(|over| (over.time, over.take, over.per, over.carry_forward))
    };
    (&one.dataset, &one.time, one.agg, one.expr.is_some())
        == (&other.dataset, &other.time, other.agg, other.expr.is_some())
        && texts(one) == texts(other)
        && over(one) == over(other)
}

/// Makes dimensions of the columns that conditions of metrics name: dbt's conditions know no columns.
fn name_columns(registry: &mut Registry) {
    let metrics = registry.metrics.values();
    let measures = metrics
        .flat_map(|metric| metric.kind.sources())
        .flat_map(|source| &source.measures);
    let used: Vec<(String, String)> = measures
        .flat_map(|measure| {
            let names = measure.filters.iter().flat_map(names);
            names.map(|name| (measure.dataset.clone(), name))
        })
        .collect();
    for (dataset, column) in used {
        let Some(dataset) = registry.datasets.get_mut(&dataset) else {
            continue;
        };
        if dataset.dimension(&column).is_none() {
            let dimension = Dimension {
                name: column.clone(),
                place: dataset.place,
                expr: crate::model::Expression {
                    text: column.clone(),
                    place: dataset.place,
                    dialects: Vec::new(),
                },
                label: column.clone(),
                column: Some(column.clone()),
                of_metric: None,
                description: String::new(),
                aliases: Vec::new(),
                kind: DimensionType::Number,
                time_grain: None,
                pii: false,
                value_aliases: IndexMap::new(),
                format: Default::default(),
            };
            dataset.dimensions.insert(column, dimension);
        }
    }
}

/// Gives dimensions other names that are called like a grain, which dbt keeps for itself.
fn rename_grains(registry: &mut Registry, package: &mut Package) {
    let mut renamed = Vec::new();
    for dataset in registry.datasets.values_mut() {
        let is_grain = |name: &str| Grain::from_word(&name.to_lowercase()).is_some();
        let dimensions = std::mem::take(&mut dataset.dimensions);
        for (name, mut dimension) in dimensions {
            if is_grain(&name) {
                let to = format!("{name}_of_row");
                if dataset.time.as_ref() == Some(&name) {
                    dataset.time = Some(to.clone());
                }
                renamed.push((
                    dimension.place,
                    format!("semantic layer: {name} of {} is {to} in dbt", dataset.name),
                ));
                dimension.aliases.push(name);
                dimension.name.clone_from(&to);
                dataset.dimensions.insert(to, dimension);
            } else {
                dataset.dimensions.insert(name, dimension);
            }
        }
    }
    for (place, text) in renamed {
        package.note(registry.at(place), text);
    }
}
