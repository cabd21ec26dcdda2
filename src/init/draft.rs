//! The registry as it will be written: datasets with dimensions and joins. Metrics are added by `metrics`.

use std::collections::{HashMap, HashSet};

use super::default_time;
use super::joins::Joins;
use super::naming;
use super::roles::Role;
use super::survey::{Column, Table};
use super::words;
use crate::model::{ColumnType, DimensionType};

/// Names that say nothing without the thing they belong to.
const GENERIC: [&str; 14] = [
    "name",
    "title",
    "label",
    "type",
    "kind",
    "status",
    "state",
    "category",
    "class",
    "group",
    "code",
    "level",
    "tier",
    "description",
];

/// A dataset.
#[derive(Debug)]
pub(super) struct Dataset {
    pub(super) name: String,
    pub(super) table: String,
    pub(super) entity: String,
    pub(super) rows: u64,
    pub(super) large: bool,
    pub(super) key: Vec<String>,
    pub(super) key_declared: bool,
    /// The column of the default time dimension, and the days it spans.
    pub(super) time: Option<(String, String)>,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) joins: Vec<Join>,
    /// Why other tables are not joined.
    pub(super) refused: Vec<String>,
    /// Columns that are neither dimensions nor measures, and why.
    pub(super) unused: Vec<(String, &'static str)>,
}

/// A dimension.
#[derive(Debug)]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) column: String,
    pub(super) label: Option<String>,
    pub(super) alias: Option<String>,
    pub(super) kind: DimensionType,
    pub(super) pii: bool,
    /// Rows without a value.
    pub(super) empty: u64,
}

/// A join.
#[derive(Debug)]
pub(super) struct Join {
    pub(super) name: String,
    pub(super) to: String,
    pub(super) on: Vec<(String, String)>,
    pub(super) missing: u64,
}

/// Everything known of one table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) table: &'a Table,
    pub(super) joins: &'a Joins,
    pub(super) roles: &'a [Role],
}

impl<'a> Known<'a> {
    /// The columns with what they are for.
    pub(super) fn columns(self) -> impl Iterator<Item = (&'a Column, &'a Role)> {
        self.table.columns.iter().zip(self.roles)
    }
}

/// The dataset of every table, in the order of the tables.
pub(super) fn datasets(known: &[Known<'_>]) -> Vec<Dataset> {
    let names = dataset_names(known);
    let mut datasets: Vec<Dataset> = known
        .iter()
        .zip(&names)
        .map(|(known, name)| dataset(*known, name, &names))
        .collect();
    tell_apart(&mut datasets);
    datasets
}

/// The table's name without its schema; with it where two tables would be called the same.
fn dataset_names(known: &[Known<'_>]) -> Vec<String> {
    let short = |known: &Known<'_>| {
        words::identifier(known.table.name.rsplit('.').next().unwrap_or_default())
    };
    let mut times: HashMap<String, usize> = HashMap::new();
    for table in known {
        *times.entry(short(table)).or_default() += 1;
    }
    let mut taken = HashSet::new();
    known
        .iter()
        .map(|known| {
            let name = short(known);
            let alone = times.get(&name) == Some(&1);
            let name = if alone {
                name
            } else {
                words::identifier(&known.table.name)
            };
            naming::claim(&mut taken, name)
        })
        .collect()
}

fn dataset(known: Known<'_>, name: &str, names: &[String]) -> Dataset {
    let Known {
        table,
        joins,
        roles,
    } = known;
    let dimensions: Vec<Dimension> = known
        .columns()
        .filter_map(|(column, role)| dimension(table, column, role))
        .collect();
    let time = default_time::find(table, roles).map(|column| {
        let day = |text: &String| text.get(..10).unwrap_or(text).to_owned();
        let span = column.range.as_ref();
        let span = span.map(|(from, to)| format!("{} to {}", day(from), day(to)));
        (column.name.clone(), span.unwrap_or_default())
    });
    let unused = known.columns().filter_map(|(column, role)| match role {
        Role::Unused(reason) => Some((column.name.clone(), *reason)),
        _ => None,
    });
    let joins_to = joins.found.iter().filter_map(|join| {
        Some(Join {
            name: join.name.clone(),
            to: names.get(join.to)?.clone(),
            on: join.on.clone(),
            missing: join.missing,
        })
    });
    Dataset {
        name: name.to_owned(),
        table: table.name.clone(),
        entity: table.entity.clone(),
        rows: table.rows,
        large: table.large,
        key: table.key.clone(),
        key_declared: table.key_declared,
        time,
        joins: joins_to.collect(),
        refused: joins.refused.clone(),
        unused: unused.collect(),
        dimensions,
    }
}

fn dimension(table: &Table, column: &Column, role: &Role) -> Option<Dimension> {
    let number = || match column.ty {
        ColumnType::Text => DimensionType::Text,
        ColumnType::Boolean => DimensionType::Boolean,
        ColumnType::Integer | ColumnType::Number => DimensionType::Number,
        ColumnType::Date => DimensionType::Date,
        ColumnType::Timestamp => DimensionType::Time,
    };
    let kind = match role {
        Role::Flag(_) => DimensionType::Boolean,
        Role::Identifier(true)
        | Role::Time
        | Role::Category
        | Role::Personal
        | Role::Sequence { .. }
        | Role::Attribute => number(),
        Role::Identifier(false) | Role::Measure(_) | Role::Unused(_) => return None,
    };
    let plain = words::identifier(&column.name);
    let generic = kind == DimensionType::Text && GENERIC.contains(&plain.as_str());
    let name = if generic || !naming::is_usable(&plain) {
        format!("{}_{plain}", table.entity)
    } else {
        plain
    };
    // The name of a thing is what people mean when they group by the thing.
    let stands_for_entity = name == format!("{}_name", table.entity);
    Some(Dimension {
        label: stands_for_entity.then(|| words::label(&table.entity)),
        alias: stands_for_entity.then(|| table.entity.clone()),
        column: column.name.clone(),
        kind,
        pii: *role == Role::Personal,
        empty: if table.large { 0 } else { column.nulls },
        name,
    })
}

/// Equal names in several datasets would be taken to mean the same thing: only times keep theirs, the others get the
/// entity in front. So does a dimension that is called like a join.
fn tell_apart(datasets: &mut [Dataset]) {
    let mut times: HashMap<String, usize> = HashMap::new();
    for dimension in datasets.iter().flat_map(|dataset| &dataset.dimensions) {
        *times.entry(dimension.name.clone()).or_default() += 1;
    }
    for dataset in datasets.iter_mut() {
        for dimension in &mut dataset.dimensions {
            let elsewhere = times.get(&dimension.name).is_some_and(|times| *times > 1);
            let is_join = dataset.joins.iter().any(|join| join.name == dimension.name);
            let own = format!("{}_", dataset.entity);
            let unclear = elsewhere && !dimension.kind.is_time() || is_join;
            if unclear && !dimension.name.starts_with(&own) {
                dimension.name.insert_str(0, &own);
            }
        }
        let mut taken = HashSet::new();
        for dimension in &mut dataset.dimensions {
            dimension.name = naming::claim(&mut taken, std::mem::take(&mut dimension.name));
        }
    }
    let taken: Vec<String> = datasets
        .iter()
        .flat_map(|dataset| &dataset.dimensions)
        .map(|dimension| dimension.name.clone())
        .collect();
    for dimension in datasets
        .iter_mut()
        .flat_map(|dataset| &mut dataset.dimensions)
    {
        dimension.alias = dimension
            .alias
            .take()
            .filter(|alias| !taken.contains(alias));
    }
}
