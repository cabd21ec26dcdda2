//! A table that could be measured: a dataset, or a table of the warehouse that is none yet.

use super::Ground;
use super::words::{positions, words};
use crate::model::{ColumnType, Dataset, Dimension, Grain, Relation};
use crate::warehouse::TableInfo;

/// Parts of table names that say how a table was made, not what a row is.
const LAYERS: [&str; 10] = [
    "fct", "fact", "facts", "dim", "dims", "stg", "staging", "mart", "raw", "tbl",
];

/// Words in the names of numbers that identify something, or are no amounts.
const NO_AMOUNTS: [&str; 10] = [
    "id", "key", "pk", "code", "zip", "year", "lat", "lon", "line", "version",
];

/// Most values of a column that is worth grouping by.
const FEW: usize = 60;

/// A table that could be measured.
#[derive(Debug, Clone)]
pub(super) struct Source<'a> {
    /// The dataset's name, else the table's.
    pub name: String,
    /// The table in the warehouse; none for a dataset of SQL.
    pub table: Option<String>,
    /// The dataset, where there is one.
    pub dataset: Option<&'a Dataset>,
    /// What the warehouse says of it, where it was asked.
    pub info: Option<&'a TableInfo>,
    /// Values of its columns, where they are few.
    pub values: &'a [(String, Vec<String>)],
    /// Values of the dimensions that its joins lead to, by `join.dimension`.
    pub joined: Vec<(String, &'a [String])>,
}

/// A column of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub name: String,
    /// `None` where only the definitions are known, which do not say.
    pub ty: Option<ColumnType>,
}

/// Values of the dimensions that the joins of a dataset lead to.
fn joined<'a>(dataset: &Dataset, ground: &Ground<'a>) -> Vec<(String, &'a [String])> {
    let mut found = Vec::new();
    for join in dataset.joins.values() {
        let Some(other) = ground.registry.datasets.get(&join.to) else {
            continue;
        };
        let table = other.index_table();
        let known = ground.values.get(table.as_ref()).into_iter().flatten();
        for (column, values) in known.filter(|(_, values)| values.len() <= FEW) {
            let mut dimensions = other.dimensions.values();
            let named = dimensions.find(|one| !one.pii && one.column.as_ref() == Some(column));
            if let Some(dimension) = named {
                found.push((format!("{}.{}", join.name, dimension.name), &**values));
            }
        }
    }
    found
}

impl<'a> Source<'a> {
    /// Every dataset, and every table that is none.
    pub(super) fn all(ground: &Ground<'a>) -> Vec<Self> {
        let table_of = |dataset: &Dataset| match &dataset.relation {
            Relation::Table(table) => Some(table.clone()),
            Relation::Sql(_) => None,
        };
        let values = |table: &str| ground.values.get(table).map_or(&[][..], Vec::as_slice);
        // The rows of an analysis are numbers already.
        let is_analysis = |dataset: &&Dataset| ground.registry.analyses.contains_key(&dataset.name);
        let datasets = ground.registry.datasets.values();
        let datasets = datasets.filter(|one| !is_analysis(one)).map(|dataset| {
            let table = table_of(dataset);
            let info = table.as_deref().and_then(|table| {
                let mut tables = ground.tables.iter();
                tables.find(|info| info.name.eq_ignore_ascii_case(table))
            });
            Self {
                name: dataset.name.clone(),
                values: values(&dataset.index_table()),
                joined: joined(dataset, ground),
                table,
                dataset: Some(dataset),
                info,
            }
        });
        let is_dataset = |info: &&TableInfo| {
            let mut datasets = ground.registry.datasets.values();
            datasets.any(|dataset| {
                table_of(dataset).is_some_and(|table| table.eq_ignore_ascii_case(&info.name))
            })
        };
        let bare = ground
            .tables
            .iter()
            .filter(|info| !is_dataset(info))
            .map(|info| Self {
                name: info.name.clone(),
                table: Some(info.name.clone()),
                dataset: None,
                info: Some(info),
                values: values(&info.name),
                joined: Vec::new(),
            });
        datasets.chain(bare).collect()
    }

    /// The name of the dataset that it is, or becomes.
    pub(super) fn dataset_name(&self) -> String {
        match self.dataset {
            Some(dataset) => dataset.name.clone(),
            None => {
                let last = self.name.rsplit('.').next().unwrap_or_default();
                let parts: Vec<String> = words(last).into_iter().map(|word| word.folded).collect();
                parts.join("_")
            }
        }
    }

    /// The words of its name without those of the layer.
    pub(super) fn title(&self) -> String {
        let parts: Vec<String> = words(&self.dataset_name())
            .into_iter()
            .map(|word| word.folded)
            .collect();
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|part| !LAYERS.contains(&part.as_str()))
            .collect();
        parts.join(" ")
    }

    /// Its columns as the warehouse lists them, else those that the definitions name.
    pub(super) fn columns(&self) -> Vec<Column> {
        match (self.info, self.dataset) {
            (Some(info), _) => {
                let columns = info.columns.iter();
                columns
                    .map(|column| Column {
                        name: column.name.clone(),
                        ty: column.ty,
                    })
                    .collect()
            }
            (None, Some(dataset)) => {
                let named = dataset
                    .dimensions
                    .values()
                    .filter_map(|dimension| dimension.column.clone());
                named.map(|name| Column { name, ty: None }).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    /// The dataset's dimension that is a column.
    pub(super) fn dimension_of(&self, column: &str) -> Option<&'a Dimension> {
        let mut dimensions = self.dataset?.dimensions.values();
        dimensions.find(|dimension| dimension.column.as_deref() == Some(column))
    }

    /// How a condition names a column: by its dimension where there is one.
    pub(super) fn name_of(&self, column: &str) -> String {
        let dimension = self.dimension_of(column);
        dimension.map_or_else(|| column.to_owned(), |dimension| dimension.name.clone())
    }

    /// The columns that identify a row.
    pub(super) fn key(&self) -> Vec<String> {
        if let Some(dataset) = self.dataset {
            return dataset.key.clone();
        }
        let Some(info) = self.info else {
            return Vec::new();
        };
        if !info.primary_key.is_empty() {
            return info.primary_key.clone();
        }
        let shortest = info.unique_keys.iter().min_by_key(|key| key.len());
        shortest.cloned().unwrap_or_default()
    }

    /// The column that says when.
    pub(super) fn time(&self) -> Option<String> {
        if let Some(dataset) = self.dataset {
            let time = dataset.dimension(dataset.time.as_deref()?)?;
            return time.column.clone();
        }
        let is_time =
            |column: &&Column| matches!(column.ty, Some(ColumnType::Date | ColumnType::Timestamp));
        let columns = self.columns();
        let mut times: Vec<&Column> = columns.iter().filter(is_time).collect();
        let key = self.key();
        times.sort_by_key(|column| {
            let named = [
                "month", "day", "date", "created", "ordered", "started", "happened",
            ];
            let place = named
                .iter()
                .position(|name| column.name.to_lowercase().contains(name));
            (!key.contains(&column.name), place.unwrap_or(named.len()))
        });
        times.first().map(|column| column.name.clone())
    }

    /// How long one row is, where the table has one row of each thing and period: `month`.
    pub(super) fn period(&self) -> Option<Grain> {
        let time = self.time()?;
        let key = self.key();
        if !key.contains(&time) || key.len() < 2 {
            return None;
        }
        let has = |word: &str| {
            let named = words(&format!("{time} {}", self.dataset_name()));
            !positions(&named, &words(word)).is_empty()
        };
        let grains = [
            ("month", Grain::Month),
            ("week", Grain::Week),
            ("quarter", Grain::Quarter),
            ("year", Grain::Year),
            ("day", Grain::Day),
            ("daily", Grain::Day),
            ("date", Grain::Day),
        ];
        grains
            .into_iter()
            .find(|(word, _)| has(word))
            .map(|(_, grain)| grain)
    }

    /// The columns that can be added up.
    pub(super) fn amounts(&self) -> Vec<Column> {
        let key = self.key();
        let is_amount = |column: &Column| {
            let parts = words(&column.name);
            let is_number = matches!(column.ty, Some(ColumnType::Integer | ColumnType::Number));
            is_number
                && !key.contains(&column.name)
                && !parts
                    .iter()
                    .any(|part| NO_AMOUNTS.contains(&part.folded.as_str()))
                && !parts
                    .first()
                    .is_some_and(|part| ["is", "has"].contains(&part.folded.as_str()))
        };
        self.columns().into_iter().filter(is_amount).collect()
    }

    /// The values of a column, where they are known and few.
    pub(super) fn values_of(&self, column: &str) -> Option<&'a [String]> {
        let (_, values) = self.values.iter().find(|(name, _)| name == column)?;
        (values.len() <= FEW).then_some(values.as_slice())
    }
}
