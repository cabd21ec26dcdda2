//! Rollups: what the table of each one holds, the SQL that fills it, and which queries it answers without changing a row.

mod embedded;
mod layout;
mod leaves;
mod refresh;
mod route;

use jiff::Timestamp;
use jiff::civil::Date;

pub(super) use route::{Kept, Wanted};

use super::DimensionPath;
use crate::model::{Aggregate, ColumnType, Grain, Place};
use crate::warehouse::Dialect;

/// The rollups that queries may be answered from: those of a warehouse, or those in the embedded file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rollups {
    /// Those that are declared.
    pub tables: Vec<RollupTable>,
    /// What the warehouse has of them.
    pub states: Vec<RollupState>,
}

/// A rollup as a table: its columns, and the SQL that gives its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct RollupTable {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// The dataset whose rows it adds up.
    pub of: String,
    /// The table it is kept in.
    pub table: String,
    /// Whether that table is in the embedded file, written for SQLite whatever engine its rows come from.
    pub embedded: bool,
    /// The length of the periods it has rows for.
    pub grain: Grain,
    /// The column with the first day of the period.
    pub period: String,
    /// What the rows are about; changes with every definition that has a part in them.
    pub definition: String,
    /// A `SELECT` of all its rows.
    pub sql: String,
    /// The columns that it gives, with what their values are.
    pub selected: Vec<(String, ColumnType)>,
    /// The time and the dimensions with their columns.
    keys: Vec<(DimensionPath, String)>,
    leaves: Vec<StoredLeaf>,
    /// For each set of conditions, the column with the number of rows that met it.
    counts: Vec<(Vec<String>, String)>,
}

/// An aggregation with the columns it can be computed from.
#[derive(Debug, Clone, PartialEq)]
struct StoredLeaf {
    agg: Aggregate,
    /// The expression as written, for all engines and for single ones.
    expr: Option<String>,
    filters: Vec<String>,
    stored: Stored,
}

/// How an aggregation is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stored {
    /// Sums that add up to the sum.
    Sum(String),
    /// Counts that add up to the count.
    Count(String),
    /// The smallest of the smallest.
    Min(String),
    /// The largest of the largest.
    Max(String),
    /// Sums over counts.
    Mean {
        /// The column with the sum.
        sum: String,
        /// The column with the number of values.
        count: String,
    },
    /// In the embedded file, where sums of decimals are added up as such.
    Exact(Box<Self>),
}

impl Stored {
    /// What one row of the dataset adds; `row` is what is aggregated, nothing for the number of rows.
    pub(super) fn of_row(agg: Aggregate, row: Option<&str>) -> Self {
        let counted = || match row {
            Some(row) => format!("CASE WHEN {row} IS NOT NULL THEN 1 END"),
            None => "1".to_owned(),
        };
        match (agg, row) {
            (Aggregate::Sum, Some(row)) => Self::Sum(row.to_owned()),
            (Aggregate::Min, Some(row)) => Self::Min(row.to_owned()),
            (Aggregate::Max, Some(row)) => Self::Max(row.to_owned()),
            (Aggregate::Avg, Some(row)) => Self::Mean {
                sum: row.to_owned(),
                count: counted(),
            },
            (Aggregate::SumBoolean, Some(row)) => {
                Self::Count(format!("CASE WHEN {row} THEN 1 END"))
            }
            _ => Self::Count(counted()),
        }
    }

    /// The same over other columns.
    pub(super) fn map(&self, column: &mut dyn FnMut(&str) -> String) -> Self {
        match self {
            Self::Sum(of) => Self::Sum(column(of)),
            Self::Count(of) => Self::Count(column(of)),
            Self::Min(of) => Self::Min(column(of)),
            Self::Max(of) => Self::Max(column(of)),
            Self::Mean { sum, count } => Self::Mean {
                sum: column(sum),
                count: column(count),
            },
            Self::Exact(inner) => Self::Exact(Box::new(inner.map(column))),
        }
    }

    pub(super) fn columns(&self) -> Vec<&str> {
        match self {
            Self::Sum(column) | Self::Count(column) | Self::Min(column) | Self::Max(column) => {
                vec![column]
            }
            Self::Mean { sum, count } => vec![sum, count],
            Self::Exact(inner) => inner.columns(),
        }
    }

    /// The aggregation over rows of the rollup; `only` says which of them count.
    pub(super) fn added_up(&self, only: Option<&str>, dialect: Dialect) -> String {
        let sum = |row: &str| dialect.aggregate(Aggregate::Sum, Some(row));
        match self {
            Self::Exact(inner) => {
                inner.added_up_by(&|row| format!("metrex_sum({row})"), only, dialect)
            }
            stored => stored.added_up_by(&sum, only, dialect),
        }
    }

    fn added_up_by(
        &self,
        sum: &dyn Fn(&str) -> String,
        only: Option<&str>,
        dialect: Dialect,
    ) -> String {
        let row = |column: &str| match only {
            Some(only) => format!("CASE WHEN {only} THEN {column} END"),
            None => column.to_owned(),
        };
        match self {
            Self::Sum(column) => sum(&row(column)),
            // Of no rows there is a count, and it is 0.
            Self::Count(column) => dialect.cast(
                &format!("COALESCE(SUM({}), 0)", row(column)),
                ColumnType::Integer,
            ),
            Self::Min(column) => dialect.aggregate(Aggregate::Min, Some(&row(column))),
            Self::Max(column) => dialect.aggregate(Aggregate::Max, Some(&row(column))),
            Self::Mean { sum: total, count } => {
                dialect.divide(&sum(&row(total)), &format!("SUM({})", row(count)))
            }
            Self::Exact(inner) => inner.added_up_by(sum, only, dialect),
        }
    }
}

/// What a warehouse says of a rollup that was made there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollupState {
    /// The rollup's name.
    pub name: String,
    /// The table it was made in.
    pub table: String,
    /// The definition it was made by, see [`RollupTable::definition`].
    pub definition: String,
    /// The day it was refreshed: the days before are complete.
    pub until: Date,
    /// When it was refreshed.
    pub refreshed_at: Timestamp,
    /// How many rows it has.
    pub rows: u64,
}

impl Rollups {
    /// Whether they are in the embedded file, and not in a warehouse.
    pub(super) fn are_embedded(&self) -> bool {
        self.tables.iter().any(|table| table.embedded)
    }
}

impl RollupTable {
    /// Its columns in order: keys first.
    pub fn columns(&self) -> Vec<&str> {
        let keys = self.keys.iter().map(|(_, column)| column.as_str());
        let mut columns: Vec<&str> = keys.collect();
        let leaves = self.leaves.iter().flat_map(|leaf| leaf.stored.columns());
        let counts = self.counts.iter().map(|(_, column)| column.as_str());
        for column in leaves.chain(counts) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }

    /// The columns with sums of numbers.
    pub fn sums(&self) -> Vec<String> {
        let sum = |leaf: &StoredLeaf| match &leaf.stored {
            Stored::Sum(sum) | Stored::Mean { sum, .. } => Some(sum.clone()),
            _ => None,
        };
        self.leaves.iter().filter_map(sum).collect()
    }

    /// The columns that tell its rows apart.
    pub fn keys(&self) -> Vec<&str> {
        self.keys
            .iter()
            .map(|(_, column)| column.as_str())
            .collect()
    }
}
