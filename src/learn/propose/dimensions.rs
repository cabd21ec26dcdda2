//! Dimensions: columns that people group and filter by in SQL of their own, because no dimension stands for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, json};

use super::idea::{Change, Idea, Kind};
use super::tally::Tally;
use super::{Month, Shape, best_first};
use crate::learn::tables::{dataset_of, split};
use crate::model::personal::is_personal;
use crate::model::{Dataset, Grain};
use crate::registry::{edit, label};

/// Conditions of people who tell groups apart; a comparison of size is about one number.
const APART: [&str; 7] = ["=", "<>", "!=", "in", "not in", "like", "ilike"];

#[derive(Default)]
struct Column {
    tally: Tally,
    grouped: u64,
    filtered: u64,
    values: BTreeMap<String, u64>,
}

impl<'a> Month<'a> {
    /// Columns that are used enough and that no dimension of their dataset stands for.
    pub(super) fn new_dimensions(&self) -> Vec<Idea> {
        let mut columns: BTreeMap<(&'a str, String), Column> = BTreeMap::new();
        for shape in self
            .gathered
            .shapes
            .iter()
            .filter(|shape| shape.is_by_hand())
        {
            for (column, known) in self.columns_of(shape) {
                let found = columns.entry(column).or_default();
                found.tally.merge(&shape.tally);
                if known.grouped {
                    found.grouped += shape.tally.uses;
                }
                if known.filtered {
                    found.filtered += shape.tally.uses;
                }
                for (value, count) in known.values {
                    *found.values.entry(value).or_default() += count;
                }
            }
        }
        let enough = columns
            .into_iter()
            .filter(|(_, column)| self.is_enough(&column.tally));
        let ideas = enough.filter_map(|((dataset, column), found)| {
            let dataset = self.registry.datasets.get(dataset)?;
            Some(self.dimension_of(dataset, &column, &found))
        });
        best_first(ideas.collect())
    }

    /// The columns of a shape that could be dimensions, each with how it is used.
    fn columns_of(&self, shape: &Shape) -> HashMap<(&'a str, String), Used> {
        let mut found: HashMap<(&'a str, String), Used> = HashMap::new();
        for column in &shape.facts.dimensions {
            if let Some(column) = self.new_column(column) {
                found.entry(column).or_default().grouped = true;
            }
        }
        for (condition, count) in &shape.conditions {
            if !APART.contains(&condition.op.as_str()) {
                continue;
            }
            if let Some(column) = self.new_column(&condition.on) {
                let used = found.entry(column).or_default();
                used.filtered = true;
                let values = condition.values.iter();
                used.values
                    .extend(values.map(|value| (value.clone(), *count)));
            }
        }
        found
    }

    /// `orders.coupon` as its dataset and its column, where no dimension stands for it and it could be one.
    fn new_column(&self, on: &str) -> Option<(&'a str, String)> {
        let (table, column) = split(on)?;
        let dataset = dataset_of(self.registry, table)?;
        let is_known = dataset.dimension(column).is_some() || {
            let mut dimensions = dataset.dimensions.values();
            dimensions.any(|one| {
                let known = one.column.as_deref();
                known.is_some_and(|known| known.eq_ignore_ascii_case(column))
            })
        };
        let is_same = |name: &String| name.eq_ignore_ascii_case(column);
        let leads_on = dataset
            .joins
            .values()
            .any(|join| join.on.iter().any(|(here, _)| is_same(here)));
        let is_key = dataset.key.iter().any(is_same);
        // Another dataset over the same table may call it personal.
        let is_private = is_personal(column) || self.gathered.personal.has(on);
        let is_usable = !is_known && !leads_on && !is_key && !is_private;
        is_usable.then(|| (dataset.name.as_str(), column.to_owned()))
    }

    fn dimension_of(&self, dataset: &Dataset, column: &str, found: &Column) -> Idea {
        let taken = |name: &str| {
            self.registry.metric(name).is_some()
                || dataset.joins.contains_key(name)
                || Grain::from_word(name).is_some()
        };
        let plain: String = column
            .to_lowercase()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
        let name = match taken(&plain) {
            true => format!("{}_{plain}", dataset.name),
            false => plain,
        };
        let mut keys = Map::new();
        if name != column {
            keys.insert("column".to_owned(), json!(column));
        }
        let values: BTreeSet<&str> = found.values.keys().map(String::as_str).collect();
        if let Some(kind) = kind_of(&values) {
            keys.insert("type".to_owned(), json!(kind));
        }
        keys.insert("label".to_owned(), json!(label(&name)));
        let evidence = found.tally.evidence();
        let mut often: Vec<(&String, &u64)> = found.values.iter().collect();
        often.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        let often: Vec<&str> = often
            .iter()
            .take(3)
            .map(|(value, _)| value.as_str())
            .collect();
        let mut remark = format!(
            "Grouped by {} times, filtered by {} times",
            found.grouped, found.filtered
        );
        if !often.is_empty() {
            remark.push_str(&format!(", most by {}", often.join(", ")));
        }
        remark.push('.');
        Idea {
            id: format!("dimension:{}.{}", dataset.name, column.to_lowercase()),
            kind: Kind::Dimension,
            title: format!(
                "{} of {} as a dimension",
                column,
                dataset.label.to_lowercase()
            ),
            remark,
            confidence: evidence.confidence(),
            evidence,
            change: Change::Dimension {
                dataset: dataset.name.clone(),
                name,
                definition: edit::fields(&keys),
            },
        }
    }
}

#[derive(Default)]
struct Used {
    grouped: bool,
    filtered: bool,
    values: Vec<(String, u64)>,
}

/// What the values are, as far as they tell; text where they do not.
fn kind_of(values: &BTreeSet<&str>) -> Option<&'static str> {
    let all = |is_it: &dyn Fn(&str) -> bool| {
        !values.is_empty() && values.iter().all(|value| is_it(value))
    };
    let is_boolean = |value: &str| ["true", "false"].contains(&value.to_lowercase().as_str());
    if all(&is_boolean) {
        return Some("boolean");
    }
    all(&|value| value.parse::<f64>().is_ok()).then_some("number")
}
