//! What a metric over a table may be cut by: columns of the table, and datasets that its columns lead to.

use serde_json::{Map, Value, json};

use super::source::{Column, Source};
use super::words::{Word, words};
use super::{Ground, Idea, Offer, OfferKind};
use crate::model::personal::is_personal;
use crate::model::{ColumnType, Dataset, Grain, Relation};

/// Words of an idea that mean a level, which does not add up over time.
const LEVELS: [&str; 17] = [
    "active",
    "balance",
    "monthly",
    "mrr",
    "arr",
    "recurring",
    "running",
    "open",
    "stock",
    "inventory",
    "headcount",
    "outstanding",
    "closing",
    "closes",
    "closed",
    "contracted",
    "current",
];

/// What stands for a period of several snapshots, where the table has a row of each thing and period.
pub(super) fn snapshot(idea: &Idea, source: &Source<'_>) -> Option<Offer> {
    let (time, period) = (source.time()?, source.period()?);
    let said = words(&idea.words());
    let level = said
        .iter()
        .find(|word| LEVELS.contains(&word.folded.as_str()));
    let key: Vec<String> = source
        .key()
        .into_iter()
        .filter(|column| *column != time)
        .collect();
    let rows = format!(
        "there is one row of each {} and {}",
        key.join(" and "),
        period.word()
    );
    let why = match level {
        Some(word) => format!(
            "{rows}, and '{}' is a level: of several periods the last one counts",
            word.folded
        ),
        None => format!("{rows}: where it is a level, of several periods the last one counts"),
    };
    let id = "snapshot".to_owned();
    Some(Offer::decided(
        OfferKind::Snapshot,
        id,
        "last".to_owned(),
        why,
        level.is_some(),
        idea,
    ))
}

/// The name of the dimension that is the time of a table without a dataset.
pub(super) fn time_name(column: &str) -> String {
    let name = identifier(column);
    // A dimension called like a grain would have to be quoted.
    match Grain::from_word(&name) {
        Some(_) => format!("{name}_start"),
        None => name,
    }
}

fn identifier(text: &str) -> String {
    let parts: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
    parts.join("_")
}

/// The joins and the dimensions of a table.
pub(super) fn offers(
    idea: &Idea,
    source: &Source<'_>,
    ground: &Ground<'_>,
) -> (Vec<Offer>, Vec<Offer>) {
    match source.dataset {
        Some(dataset) => (joins_of(dataset, ground), Vec::new()),
        None => (
            new_joins(idea, source, ground),
            new_dimensions(idea, source, ground),
        ),
    }
}

/// The joins a dataset has.
fn joins_of(dataset: &Dataset, ground: &Ground<'_>) -> Vec<Offer> {
    let joins = dataset.joins.values().map(|join| {
        let on: Vec<&str> = join.on.iter().map(|(here, _)| here.as_str()).collect();
        let why = format!(
            "{} by {}, for {}",
            join.to,
            on.join(" and "),
            cuts(&join.to, ground)
        );
        Offer::known(
            OfferKind::Join,
            format!("join: {}", join.name),
            join.name.clone(),
            why,
        )
    });
    joins.collect()
}

/// What a dataset is good for.
fn cuts(dataset: &str, ground: &Ground<'_>) -> String {
    let dataset = ground.registry.datasets.get(dataset);
    let dimensions = dataset
        .into_iter()
        .flat_map(|dataset| dataset.dimensions.values());
    let names: Vec<&str> = dimensions
        .filter(|one| !one.pii && !one.kind.is_time())
        .map(|one| one.name.as_str())
        .take(4)
        .collect();
    match names.is_empty() {
        true => "its columns".to_owned(),
        false => format!("segmentation by {}", names.join(", ")),
    }
}

/// Datasets whose key a column of the table holds.
fn new_joins(idea: &Idea, source: &Source<'_>, ground: &Ground<'_>) -> Vec<Offer> {
    let mut offers = Vec::new();
    let keys = source.key();
    for column in source.columns() {
        let is_whole_key = keys.as_slice() == [column.name.clone()];
        let by_key = ground.registry.datasets.values().filter(|dataset| {
            !is_whole_key
                && matches!(&dataset.relation, Relation::Table(_))
                && (dataset.key.as_slice() == [column.name.clone()]
                    || is_declared(source, &column, dataset))
        });
        for dataset in by_key.take(1) {
            let name = join_name(&column.name, &dataset.name);
            let text = format!("{} on {}", dataset.name, column.name);
            let why = format!(
                "{} is the key of {}: {}",
                column.name,
                dataset.name,
                cuts(&dataset.name, ground)
            );
            offers.push(Offer::decided(
                OfferKind::Join,
                format!("join: {name}"),
                text,
                why,
                true,
                idea,
            ));
        }
    }
    offers
}

/// Whether a foreign key of the warehouse leads from the column to the dataset.
fn is_declared(source: &Source<'_>, column: &Column, dataset: &Dataset) -> bool {
    let keys = source.info.map_or(&[][..], |info| &info.foreign_keys);
    let Relation::Table(table) = &dataset.relation else {
        return false;
    };
    keys.iter().any(|key| {
        key.columns.as_slice() == [column.name.clone()]
            && key.table == *table
            && key.references == dataset.key
    })
}

/// `seller_id` is the join `seller`.
fn join_name(column: &str, dataset: &str) -> String {
    let name = identifier(column);
    let short = ["_id", "_key", "_code"]
        .iter()
        .find_map(|end| name.strip_suffix(end));
    short.map_or_else(|| dataset.to_owned(), str::to_owned)
}

/// The columns of a table that is no dataset yet, with what they are good for.
fn new_dimensions(idea: &Idea, source: &Source<'_>, ground: &Ground<'_>) -> Vec<Offer> {
    let (key, time) = (source.key(), source.time());
    let amounts: Vec<String> = source
        .amounts()
        .into_iter()
        .map(|column| column.name)
        .collect();
    let mut offers = Vec::new();
    for column in source.columns() {
        if Some(&column.name) == time.as_ref() || amounts.contains(&column.name) {
            continue;
        }
        let parts = words(&column.name);
        let is_identifier = parts
            .last()
            .is_some_and(|last| ["id", "key", "uuid"].contains(&last.folded.as_str()));
        let id = format!("dimension: {}", column.name);
        let known = |why: &str| {
            Offer::known(
                OfferKind::Dimension,
                id.clone(),
                column.name.clone(),
                why.to_owned(),
            )
        };
        if is_identifier || key.contains(&column.name) {
            offers.push(known("does not apply: it tells rows apart"));
            continue;
        }
        if is_personal(&column.name) {
            offers.push(known("does not apply: personal data by its name"));
            continue;
        }
        let (name, because) = dimension_name(&column.name, source, ground);
        let offer = |why: String, taken: bool| {
            Offer::decided(
                OfferKind::Dimension,
                id.clone(),
                name.clone(),
                why,
                taken,
                idea,
            )
        };
        let found = match (column.ty, source.values_of(&column.name)) {
            (Some(ColumnType::Boolean), _) => offer("yes or no".to_owned(), true),
            (Some(ColumnType::Date | ColumnType::Timestamp), _) => {
                offer("another time".to_owned(), true)
            }
            (_, Some([])) => offer("it is empty".to_owned(), false),
            (_, Some(values)) => {
                let some: Vec<&str> = values.iter().take(4).map(String::as_str).collect();
                let more = if values.len() > some.len() {
                    ", …"
                } else {
                    ""
                };
                let why = format!(
                    "{} values: {}{more}{because}",
                    values.len(),
                    some.join(", ")
                );
                offer(why, true)
            }
            (Some(ColumnType::Text), None) => offer(
                format!("more values than a glance takes in, or none known{because}"),
                false,
            ),
            (None, _) => known("does not apply: results cannot hold its values"),
            _ => offer(format!("a number to group by{because}"), false),
        };
        offers.push(found);
    }
    offers
}

/// What other datasets call a column, unless it holds something else there.
fn dimension_name(column: &str, source: &Source<'_>, ground: &Ground<'_>) -> (String, String) {
    let own = source.values_of(column).unwrap_or_default();
    let others = || {
        let datasets = ground.registry.datasets.values();
        datasets.flat_map(|dataset| {
            dataset
                .dimensions
                .values()
                .map(move |dimension| (dataset, dimension))
        })
    };
    let called = others().find(|(_, dimension)| {
        dimension.column.as_deref() == Some(column) && dimension.name != column
    });
    if let Some((dataset, dimension)) = called {
        let why = format!("; called {} as in {}", dimension.name, dataset.name);
        return (dimension.name.clone(), why);
    }
    let name = identifier(column);
    // Equal names mean the same thing, so what holds other values needs a name of its own.
    let is_other = others().find(|(dataset, dimension)| {
        let table = dataset.index_table();
        let values = ground.values.get(table.as_ref());
        let theirs = values.and_then(|columns| {
            let (_, values) = columns
                .iter()
                .find(|(name, _)| *name == dimension.index_column())?;
            Some(values)
        });
        dimension.name == name
            && !own.is_empty()
            && theirs.is_some_and(|theirs| {
                !theirs.is_empty() && !own.iter().any(|value| theirs.contains(value))
            })
    });
    match is_other {
        Some((dataset, _)) => {
            let entity = source.title();
            let entity = entity.split(' ').next().unwrap_or_default();
            let why = format!("; {name} of {} has other values", dataset.name);
            (format!("{entity}_{name}"), why)
        }
        None => (name, String::new()),
    }
}

/// The dataset that a table becomes, with the dimensions and joins that are taken.
pub(super) fn dataset(source: &Source<'_>, offers: &[Offer]) -> Map<String, Value> {
    let mut dataset = Map::new();
    let title = source.title();
    let label = title.chars().next().map(|first| {
        first
            .to_uppercase()
            .chain(title.chars().skip(1))
            .collect::<String>()
    });
    dataset.insert("label".to_owned(), json!(label.unwrap_or_default()));
    dataset.insert("table".to_owned(), json!(source.name));
    let key = source.key();
    let (time, period) = (source.time(), source.period());
    let things: Vec<String> = key
        .iter()
        .filter(|column| Some(*column) != time.as_ref())
        .cloned()
        .collect();
    match (&period, things.as_slice()) {
        (Some(period), things) if !things.is_empty() => {
            let things = entities(things);
            let rows = format!(
                "One row of each {} and {}.",
                things.join(" and "),
                period.word()
            );
            dataset.insert("description".to_owned(), json!(rows));
        }
        (None, [_, ..]) => {
            let things = entities(&things);
            let rows = format!("One row of each {}.", things.join(" and "));
            dataset.insert("description".to_owned(), json!(rows));
        }
        _ => {}
    }
    match key.as_slice() {
        [] => {}
        [one] => drop(dataset.insert("key".to_owned(), json!(one))),
        all => drop(dataset.insert("key".to_owned(), json!(all))),
    }
    let mut dimensions = Map::new();
    let types: Vec<Column> = source.columns();
    let kind = |column: &str| {
        let ty = types
            .iter()
            .find(|known| known.name == column)
            .and_then(|known| known.ty);
        match ty {
            Some(ColumnType::Boolean) => Some("boolean"),
            Some(ColumnType::Date) => Some("date"),
            Some(ColumnType::Timestamp) => Some("time"),
            Some(ColumnType::Integer | ColumnType::Number) => Some("number"),
            _ => None,
        }
    };
    let mut add = |name: String, column: &str| {
        let mut dimension = Map::new();
        if name != column {
            dimension.insert("column".to_owned(), json!(column));
        }
        if let Some(kind) = kind(column) {
            dimension.insert("type".to_owned(), json!(kind));
        }
        dimensions.insert(name, Value::Object(dimension));
    };
    if let Some(time) = &time {
        dataset.insert("time".to_owned(), json!(time_name(time)));
        add(time_name(time), time);
    }
    for offer in offers
        .iter()
        .filter(|offer| offer.kind == OfferKind::Dimension && offer.is_taken())
    {
        let column = offer.id.trim_start_matches("dimension: ");
        add(offer.text.clone(), column);
    }
    dataset.insert("dimensions".to_owned(), Value::Object(dimensions));
    let mut joins = Map::new();
    for offer in offers
        .iter()
        .filter(|offer| offer.kind == OfferKind::Join && offer.is_taken())
    {
        let name = offer.id.trim_start_matches("join: ");
        if let Some((to, on)) = offer.text.split_once(" on ") {
            joins.insert(name.to_owned(), json!({"to": to.trim(), "on": on.trim()}));
        }
    }
    if !joins.is_empty() {
        dataset.insert("joins".to_owned(), Value::Object(joins));
    }
    dataset
}

/// What keys identify: `contract` for `contract_id`.
fn entities(keys: &[String]) -> Vec<String> {
    let named = keys.iter().map(|key| join_name(key, key).replace('_', " "));
    named.collect()
}

/// The label of words: the first letter is a capital.
pub(super) fn label(words: &[Word]) -> String {
    let text: Vec<&str> = words.iter().map(|word| word.folded.as_str()).collect();
    let text = text.join(" ");
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
