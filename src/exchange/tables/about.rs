//! What people read of a definition, and what no other tool has words for.

use serde_json::{Map, Value, json};

use crate::model::{Dataset, Dimension, Format, Metric, Status};

/// What people read of a definition.
#[derive(Debug, Default, Clone)]
pub(in crate::exchange) struct About {
    pub(in crate::exchange) label: Option<String>,
    pub(in crate::exchange) description: Option<String>,
    pub(in crate::exchange) synonyms: Vec<String>,
    pub(in crate::exchange) format: Format,
    /// `owner`, `category` and so on, under the keys that a metric has for them.
    pub(in crate::exchange) meta: Map<String, Value>,
    /// What is lost on the way out, whatever the format.
    pub(in crate::exchange) lost: Vec<&'static str>,
}

/// The keys of [`About::meta`].
pub(in crate::exchange) const META: [&str; 6] = [
    "owner",
    "category",
    "tags",
    "business_rules",
    "status",
    "last_updated",
];

impl About {
    pub(super) fn of_metric(metric: &Metric) -> Self {
        let mut meta = Map::new();
        let mut put = |key: &str, value: Value, is_said: bool| {
            if is_said {
                meta.insert(key.to_owned(), value);
            }
        };
        put("owner", json!(metric.owner), metric.owner.is_some());
        let category = &metric.category;
        put("category", json!(category), category != "Other");
        put("tags", json!(metric.tags), !metric.tags.is_empty());
        let rules = &metric.business_rules;
        put("business_rules", json!(rules), !rules.is_empty());
        let status = metric.status;
        put("status", json!(status.word()), status != Status::Published);
        let day = metric.last_updated.map(|day| day.to_string());
        put("last_updated", json!(day), day.is_some());
        Self {
            label: Some(metric.label.clone()).filter(|label| *label != metric.name),
            description: described(&metric.description),
            synonyms: metric.aliases.clone(),
            format: metric.format.clone(),
            meta,
            lost: of_lost([
                (!metric.grain.is_empty(), "default grouping"),
                (metric.window.is_some(), "default time range"),
                (metric.fill.is_some(), "the value without rows"),
                (metric.every_period, "periods without rows"),
                (metric.time_grain.is_some(), "time grain"),
                (!metric.tests.is_empty(), "tests"),
                (metric.successor.is_some(), "successor"),
                (!metric.history.is_empty(), "history"),
            ]),
        }
    }

    pub(super) fn of_dimension(one: &Dimension) -> Self {
        let label = crate::registry::label(&one.name);
        Self {
            label: Some(one.label.clone()).filter(|known| *known != label),
            description: described(&one.description),
            synonyms: one.aliases.clone(),
            format: one.format.clone(),
            meta: Map::new(),
            lost: of_lost([
                (!one.value_aliases.is_empty(), "other names of its values"),
                (one.pii, "that it is personal"),
                (one.time_grain.is_some(), "time grain"),
            ]),
        }
    }

    pub(super) fn of_dataset(dataset: &Dataset) -> Self {
        Self {
            label: Some(dataset.label.clone()).filter(|label| *label != dataset.name),
            description: described(&dataset.description),
            lost: of_lost([
                (dataset.entity.is_some(), "entity"),
                (dataset.valid.is_some(), "when a row holds"),
                (dataset.partition.is_some(), "partition"),
                (dataset.stored_in.is_some(), "the time zone of its times"),
            ]),
            ..Self::default()
        }
    }
}

fn described(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn of_lost<const N: usize>(all: [(bool, &'static str); N]) -> Vec<&'static str> {
    let lost = all.into_iter().filter(|(is_lost, _)| *is_lost);
    lost.map(|(_, word)| word).collect()
}
