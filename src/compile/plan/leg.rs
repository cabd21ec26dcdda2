//! A leg of a query: the aggregation of one dataset under one set of conditions, for one treatment of time.

use super::conversion::Conversions;
use super::{Aggregate, Column, Join, Node, Over, Scan, Snapshots};
use crate::compile::rollup::Stored;
use crate::compile::write::Fragment;
use crate::model::{self, ColumnType, Grain, Place};
use crate::warehouse::Dialect;

/// An aggregate of a leg.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) struct Aggregated {
    pub(in crate::compile) name: String,
    pub(in crate::compile) ty: ColumnType,
    pub(in crate::compile) agg: model::Aggregate,
    /// What is aggregated, over the columns of the scan; nothing for the number of rows.
    pub(in crate::compile) row: Option<String>,
    /// The columns of a rollup that it is added up from instead.
    pub(in crate::compile) stored: Option<Stored>,
    /// The rows that count, where the leg has others too.
    pub(in crate::compile) only: Option<String>,
    pub(in crate::compile) places: Vec<Place>,
    /// The text it was made from, to see that two metrics share it.
    pub(in crate::compile) text: String,
}

impl Aggregated {
    /// What is aggregated as a column of the rows, under the aggregate's name.
    pub(super) fn row_column(&self) -> Option<Column> {
        Some(Column {
            name: self.name.clone(),
            ty: self.ty,
            sql: Fragment::new(self.row.clone()?, self.places.iter().copied()),
        })
    }

    /// The aggregate over rows that have [`Aggregated::row_column`].
    pub(super) fn over_rows(&self, dialect: Dialect) -> Column {
        let row = self.row.as_ref().map(|_| dialect.name(&self.name));
        Self {
            row,
            ..self.clone()
        }
        .column(dialect)
    }

    pub(super) fn column(&self, dialect: Dialect) -> Column {
        let row = match (&self.row, &self.only) {
            (row, None) => row.clone(),
            (Some(row), Some(only)) => Some(format!("CASE WHEN {only} THEN {row} END")),
            (None, Some(only)) => Some(format!("CASE WHEN {only} THEN 1 END")),
        };
        let sql = match &self.stored {
            Some(stored) => stored.added_up(self.only.as_deref(), dialect),
            None => dialect.aggregate(self.agg, row.as_deref()),
        };
        Column {
            name: self.name.clone(),
            ty: self.ty,
            sql: Fragment::new(sql, self.places.iter().copied()),
        }
    }
}

/// What becomes of the rows of a leg before they are aggregated.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) enum Rows {
    /// All of them count.
    All,
    /// They are snapshots.
    Snapshots(Snapshots),
    /// They are events, and what follows them counts.
    Conversions(Box<Conversions>),
}

/// One aggregation, with everything its rows depend on.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) struct Leg {
    pub(in crate::compile) dataset: String,
    pub(in crate::compile) keys: Vec<Column>,
    pub(in crate::compile) columns: Vec<Aggregated>,
    pub(in crate::compile) from: Fragment,
    pub(in crate::compile) joins: Vec<Join>,
    /// The filters of the definition: legs that differ in nothing else can read their table once.
    pub(in crate::compile) definition: Vec<Fragment>,
    /// The conditions of the query.
    pub(in crate::compile) conditions: Vec<Fragment>,
    /// The time range.
    pub(in crate::compile) bounds: Option<Fragment>,
    pub(in crate::compile) over: Option<Over>,
    pub(in crate::compile) rows: Rows,
    /// The values of the days of a period are averaged: the keys with the coarser periods over the daily ones.
    pub(in crate::compile) averaged: Option<Vec<Column>>,
    /// What else tells it apart: time dimension, distance back, window.
    pub(in crate::compile) treatment: String,
    /// The definition filters as text.
    pub(in crate::compile) filters: Vec<String>,
}

impl Leg {
    /// Whether it is one aggregation of rows as they stand.
    pub(in crate::compile) fn is_plain(&self) -> bool {
        self.averaged.is_none() && self.rows == Rows::All
    }

    /// An aggregate of the leg as SQL.
    pub(in crate::compile) fn value(&self, column: &str, dialect: Dialect) -> Option<String> {
        let found = self.columns.iter().find(|known| known.name == column)?;
        Some(found.column(dialect).sql.sql)
    }

    /// Adds a join, once.
    pub(in crate::compile) fn add_join(&mut self, join: Join) {
        if !self.joins.iter().any(|known| known.table == join.table) {
            self.joins.push(join);
        }
    }

    /// The relation that gives its keys and aggregates.
    pub(in crate::compile) fn node(&self, dialect: Dialect) -> Node {
        // Engines evaluate conditions in the order written where they think them equally dear: a comparison of dates is
        // cheap and leaves out most rows, but for SQLite, whose dates are text.
        let bounds = || self.bounds.iter().cloned();
        let others = self.definition.iter().chain(&self.conditions).cloned();
        let conditions = match dialect {
            Dialect::Sqlite => others.chain(bounds()).collect(),
            _ => bounds().chain(others).collect(),
        };
        let scan = Scan {
            dataset: self.dataset.clone(),
            from: self.from.clone(),
            joins: self.joins.clone(),
            conditions,
            over: self.over.clone().map(Box::new),
        };
        let scan = Node::Scan(scan);
        let aggregate = match &self.rows {
            Rows::Snapshots(snapshots) => snapshots.node(self, scan, dialect),
            Rows::Conversions(conversions) => conversions.node(self, dialect),
            Rows::All => Node::Aggregate(Box::new(Aggregate {
                input: scan,
                keys: self.keys.clone(),
                values: self
                    .columns
                    .iter()
                    .map(|column| column.column(dialect))
                    .collect(),
                having: None,
            })),
        };
        let Some(keys) = &self.averaged else {
            return aggregate;
        };
        let mean = |column: &Aggregated| Column {
            name: column.name.clone(),
            ty: ColumnType::Number,
            sql: Fragment::plain(
                dialect.aggregate(model::Aggregate::Avg, Some(&dialect.name(&column.name))),
            ),
        };
        Node::Aggregate(Box::new(Aggregate {
            input: aggregate,
            keys: keys.clone(),
            values: self.columns.iter().map(mean).collect(),
            having: None,
        }))
    }
}

/// The same columns, read from a relation that has them.
pub(super) fn by_name(columns: &[Column], dialect: Dialect) -> Vec<Column> {
    let named = |column: &Column| Column {
        sql: Fragment::plain(dialect.name(&column.name)),
        ..column.clone()
    };
    columns.iter().map(named).collect()
}

/// The name under which a leg knows the period that a row is repeated for.
pub(in crate::compile) const PERIOD: &str = "metrex_period";

/// The periods of a leg are days where the values of days are averaged.
pub(in crate::compile) fn daily(grain: Grain) -> Grain {
    grain.min(Grain::Day)
}
