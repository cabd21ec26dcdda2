//! New metrics: aggregations that people write by hand again and again, and that no metric gives them.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::expression::{Aggregation, covering};
use super::idea::{Change, Idea, Kind};
use super::tally::Tally;
use super::{Month, Shape, best_first};
use crate::learn::tables::{base, dataset_of, split};
use crate::model::personal::is_personal;
use crate::model::{Dataset, DimensionType};
use crate::registry::{edit, label};
use crate::usage::FilterFact;

/// A condition belongs to what is counted where it is in so many of the uses.
const ALWAYS: f64 = 0.9;

/// Endings of columns that say which money they are in.
const MONEY: [(&str, &str); 5] = [
    ("usd", "USD"),
    ("eur", "EUR"),
    ("gbp", "GBP"),
    ("jpy", "JPY"),
    ("chf", "CHF"),
];

/// One aggregation of one dataset, as far as the log has it.
struct Candidate<'r> {
    aggregation: Aggregation,
    dataset: &'r Dataset,
    tally: Tally,
    conditions: HashMap<&'r FilterFact, u64>,
}

impl<'a> Month<'a> {
    /// Aggregations that are used enough and that no metric covers.
    pub(super) fn new_metrics(&self, passed_over: &mut Vec<String>) -> Vec<Idea> {
        let mut candidates: BTreeMap<String, Candidate<'a>> = BTreeMap::new();
        for shape in self
            .gathered
            .shapes
            .iter()
            .filter(|shape| shape.is_by_hand())
        {
            for text in &shape.facts.aggregations {
                let Some((aggregation, dataset)) = self.aggregation(text, shape) else {
                    continue;
                };
                let id = format!("metric:{}", aggregation.id(dataset));
                let known = candidates.entry(id).or_insert_with(|| Candidate {
                    aggregation,
                    dataset,
                    tally: Tally::default(),
                    conditions: HashMap::new(),
                });
                known.tally.merge(&shape.tally);
                for (condition, count) in &shape.conditions {
                    *known.conditions.entry(condition).or_default() += count;
                }
            }
        }
        let mut ideas: Vec<Idea> = Vec::new();
        for (id, candidate) in candidates {
            if !self.is_enough(&candidate.tally) {
                continue;
            }
            let Candidate {
                aggregation,
                dataset,
                ..
            } = &candidate;
            if let Some(metric) = covering(aggregation, dataset, self.registry) {
                passed_over.push(format!("{id}: the metric {} is that", metric.name));
                continue;
            }
            let idea = self.metric_of(id, &candidate, &ideas);
            ideas.push(idea);
        }
        best_first(ideas)
    }

    /// An aggregation and the dataset whose rows it is over; `None` where a join could multiply these, or the definitions
    /// do not have the table.
    fn aggregation(&self, text: &str, shape: &Shape) -> Option<(Aggregation, &'a Dataset)> {
        let aggregation = Aggregation::read(text)?;
        let base = base(self.registry, &shape.facts.tables)?;
        let mut tables = aggregation.tables.iter();
        let is_of_base = tables.all(|table| {
            let dataset = dataset_of(self.registry, table);
            dataset.is_some_and(|dataset| dataset.name == base.name)
        });
        // A count says nothing of anybody; the largest of all addresses is somebody's.
        let is_private = !aggregation.agg.starts_with("count")
            && aggregation.columns.iter().any(|column| {
                let of_base = base
                    .table()
                    .map(|table| format!("{table}.{column}"))
                    .unwrap_or_else(|| column.clone());
                is_personal(column) || self.gathered.personal.has(&of_base)
            });
        (is_of_base && !is_private).then(|| (aggregation.over(base), base))
    }

    fn metric_of(&self, id: String, candidate: &Candidate<'_>, taken: &[Idea]) -> Idea {
        let Candidate {
            aggregation,
            dataset,
            tally,
            conditions,
        } = candidate;
        let what = named(aggregation, dataset);
        let name = self.free_name(&what.replace(' ', "_"), taken);
        let mut filters: Vec<String> = Vec::new();
        let mut left_out: Vec<String> = Vec::new();
        let mut always: Vec<&&FilterFact> = conditions
            .iter()
            .filter(|(_, count)| **count as f64 >= ALWAYS * tally.uses as f64)
            .map(|(condition, _)| condition)
            .collect();
        always.sort();
        for condition in always {
            match (written(condition, dataset), is_time(condition, dataset)) {
                (_, true) => {}
                (Some(filter), false) => filters.push(filter),
                (None, false) => left_out.push(format!("{} {}", condition.on, condition.op)),
            }
        }
        let sentence = sentence(aggregation, dataset);
        let mut keys = Map::new();
        let mut put = |key: &str, value: Value| drop(keys.insert(key.to_owned(), value));
        put("label", json!(label(&name)));
        if let Some(category) = self.category_of(dataset) {
            put("category", json!(category));
        }
        put("description", json!(sentence));
        if !filters.is_empty() {
            let rule = format!("Only rows where {}.", filters.join(" and "));
            put("business_rules", json!([rule]));
        }
        if let Some(format) = format_of(aggregation) {
            put("format", format);
        }
        put("base_table", json!(dataset.name));
        put("agg", json!(aggregation.agg));
        if let Some(expr) = &aggregation.expr {
            put("expr", json!(expr));
        }
        if !filters.is_empty() {
            put("filters", json!(filters));
        }
        let evidence = tally.evidence();
        let remark = match left_out.is_empty() {
            true => String::new(),
            false => format!(
                "It was always asked with a condition on {}, which is not in it.",
                left_out.join(" and ")
            ),
        };
        Idea {
            id,
            kind: Kind::Metric,
            title: sentence.trim_end_matches('.').to_owned(),
            remark,
            confidence: evidence.confidence(),
            evidence,
            change: Change::Metric {
                name,
                definition: edit::fields(&keys),
                snippet: None,
            },
        }
    }

    /// The shelf that most metrics of a dataset are on.
    pub(super) fn category_of(&self, dataset: &Dataset) -> Option<&'a str> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for metric in self.registry.metrics.values() {
            let mut measures = metric
                .kind
                .sources()
                .iter()
                .flat_map(|source| &source.measures);
            if measures.any(|measure| measure.dataset == dataset.name) {
                *counts.entry(&metric.category).or_default() += 1;
            }
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.map(|(category, _)| category)
    }
}

/// What it would be called, in words: `orders voucher usd`.
fn named(aggregation: &Aggregation, dataset: &Dataset) -> String {
    let columns: Vec<String> = aggregation
        .columns
        .iter()
        .map(|one| one.to_lowercase())
        .collect();
    let columns = columns.join("_");
    let of = &dataset.name;
    match (aggregation.agg, aggregation.expr.is_some()) {
        ("count", false) => format!("{of}_count"),
        ("sum", _) => format!("{of}_{columns}"),
        ("count_distinct", _) => format!("distinct_{columns}_of_{of}"),
        (agg, _) => format!("{agg}_{columns}_of_{of}"),
    }
}

/// What it is, for people.
fn sentence(aggregation: &Aggregation, dataset: &Dataset) -> String {
    let of = dataset.label.to_lowercase();
    let what = aggregation.expr.as_deref().unwrap_or_default();
    match aggregation.agg {
        "count" if aggregation.expr.is_none() => format!("How many rows of {of} there are."),
        "count" => format!("How many rows of {of} have {what}."),
        "count_distinct" => format!("How many different {what} the rows of {of} have."),
        "sum" => format!("The sum of {what} over {of}."),
        "avg" => format!("The average of {what} over {of}."),
        "min" => format!("The smallest {what} of {of}."),
        "max" => format!("The largest {what} of {of}."),
        _ => format!("The median of {what} over {of}."),
    }
}

fn format_of(aggregation: &Aggregation) -> Option<Value> {
    if aggregation.agg.starts_with("count") {
        return None;
    }
    let ends = |column: &String, end: &str| column.to_lowercase().ends_with(&format!("_{end}"));
    let money = MONEY.into_iter().find(|(end, _)| {
        let mut columns = aggregation.columns.iter();
        aggregation.columns.len() == 1 && columns.any(|column| ends(column, end))
    });
    let decimals = if aggregation.agg == "sum" { 0 } else { 2 };
    money.map(
        |(_, currency)| json!({"kind": "currency", "currency": currency, "decimals": decimals}),
    )
}

/// A condition of the log as the filter of a definition over this dataset; `None` where it cannot be one.
fn written(condition: &FilterFact, dataset: &Dataset) -> Option<String> {
    let on = name_over(&condition.on, dataset)?;
    let op = match condition.op.as_str() {
        "!=" => "<>",
        op @ ("=" | "<>" | "<" | "<=" | ">" | ">=" | "in" | "not in") => op,
        op @ ("is null" | "is not null") => return Some(format!("{on} {op}")),
        _ => return None,
    };
    let kind = dataset.dimension(&on).map(|dimension| dimension.kind);
    let quoted = |value: &String| {
        let is_number = value.parse::<f64>().is_ok();
        let is_text = matches!(
            kind,
            Some(DimensionType::Text | DimensionType::Date | DimensionType::Time)
        );
        match is_number && !is_text {
            true => value.clone(),
            false => format!("'{}'", value.replace('\'', "''")),
        }
    };
    let values: Vec<String> = condition.values.iter().map(quoted).collect();
    match (op, values.as_slice()) {
        (_, []) => None,
        ("in" | "not in", values) => Some(format!("{on} {op} ({})", values.join(", "))),
        (_, [value]) => Some(format!("{on} {op} {value}")),
        _ => None,
    }
}

/// A dimension or column of the log as a definition over this dataset names it.
fn name_over(on: &str, dataset: &Dataset) -> Option<String> {
    if dataset.dimension(on).is_some() {
        return Some(on.to_owned());
    }
    let (before, column) = split(on)?;
    let is_own = dataset
        .table()
        .is_some_and(|table| table.eq_ignore_ascii_case(before))
        || dataset.name == before;
    let is_joined = dataset.joins.contains_key(before);
    match (is_own, is_joined) {
        (true, _) => Some(column.to_owned()),
        (false, true) => Some(on.to_owned()),
        (false, false) => None,
    }
}

/// Whether a condition is one on time, which queries have and definitions do not.
fn is_time(condition: &FilterFact, dataset: &Dataset) -> bool {
    let Some(name) = name_over(&condition.on, dataset) else {
        return false;
    };
    let mut dimensions = dataset.dimensions.values();
    dimensions.any(|dimension| {
        let column = dimension.column.as_deref().unwrap_or_default();
        dimension.kind.is_time() && (dimension.name == name || column.eq_ignore_ascii_case(&name))
    })
}
