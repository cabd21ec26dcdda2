//! Semi-additive measures: the snapshots that stand for a period, or a figure over all of its snapshots.

use super::leg::{Aggregated, Leg, by_name};
use super::{Aggregate, Column, Compute, Filtered, Node};
use crate::compile::write::Fragment;
use crate::model::{self, ColumnType, OverTime, Take};
use crate::warehouse::Dialect;

/// The snapshots of a leg.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) struct Snapshots {
    pub(in crate::compile) take: Take,
    /// What tells them apart, in a form that sorts and compares.
    pub(in crate::compile) time: Fragment,
    /// What has a last (or first) snapshot of its own: a period, and the values of `per`.
    pub(in crate::compile) each: Vec<String>,
}

/// The place of a row's snapshot in its period, from the one that is taken.
const RANK: &str = "metrex_rank";

/// The time of a snapshot.
const TIME: &str = "metrex_time";

impl Snapshots {
    /// The aggregates of a leg over the rows of the snapshots that count.
    pub(super) fn node(&self, leg: &Leg, scan: Node, dialect: Dialect) -> Node {
        match self.take {
            Take::Last => self.ranked(leg, scan, " DESC", dialect),
            Take::First => self.ranked(leg, scan, "", dialect),
            Take::Min => self.figures(leg, scan, model::Aggregate::Min, dialect),
            Take::Max => self.figures(leg, scan, model::Aggregate::Max, dialect),
            Take::Avg => self.figures(leg, scan, model::Aggregate::Avg, dialect),
        }
    }

    /// Rows of one snapshot share its rank, and only those of the first rank are aggregated.
    fn ranked(&self, leg: &Leg, scan: Node, direction: &str, dialect: Dialect) -> Node {
        let partition = match self.each.as_slice() {
            [] => String::new(),
            each => format!("PARTITION BY {} ", each.join(", ")),
        };
        let rank = format!(
            "RANK() OVER ({partition}ORDER BY {}{direction})",
            self.time.sql
        );
        let mut columns = leg.keys.clone();
        columns.extend(leg.columns.iter().filter_map(Aggregated::row_column));
        columns.push(Column {
            name: RANK.to_owned(),
            ty: ColumnType::Integer,
            sql: Fragment::new(rank, self.time.places.clone()),
        });
        let rows = Node::Compute(Box::new(Compute {
            input: scan,
            columns,
            having: None,
        }));
        Node::Aggregate(Box::new(Aggregate {
            input: Node::Filtered(Box::new(Filtered {
                input: rows,
                conditions: vec![Fragment::plain(format!("{RANK} = 1"))],
            })),
            keys: by_name(&leg.keys, dialect),
            values: leg
                .columns
                .iter()
                .map(|column| column.over_rows(dialect))
                .collect(),
            having: None,
        }))
    }

    /// The figure of each snapshot, then one figure over those.
    fn figures(&self, leg: &Leg, scan: Node, over: model::Aggregate, dialect: Dialect) -> Node {
        let mut keys = leg.keys.clone();
        keys.push(Column {
            name: TIME.to_owned(),
            ty: ColumnType::Timestamp,
            sql: self.time.clone(),
        });
        let each = Node::Aggregate(Box::new(Aggregate {
            input: scan,
            keys,
            values: leg
                .columns
                .iter()
                .map(|column| column.column(dialect))
                .collect(),
            having: None,
        }));
        let figure = |column: &Aggregated| {
            let sql = dialect.aggregate(over, Some(&dialect.name(&column.name)));
            let sql = match column.ty {
                ColumnType::Number => dialect.cast(&sql, ColumnType::Number),
                _ => sql,
            };
            Column {
                name: column.name.clone(),
                ty: column.ty,
                sql: Fragment::new(sql, column.places.clone()),
            }
        };
        Node::Aggregate(Box::new(Aggregate {
            input: each,
            keys: by_name(&leg.keys, dialect),
            values: leg.columns.iter().map(figure).collect(),
            having: None,
        }))
    }
}

/// The type of a figure over snapshots, of which there may be none; `None` where there is no mean.
pub(super) fn figure_type(take: Take, ty: ColumnType) -> Option<ColumnType> {
    let is_number = matches!(ty, ColumnType::Integer | ColumnType::Number);
    match take {
        Take::Last | Take::First => Some(ty),
        Take::Min | Take::Max | Take::Avg if is_number => Some(ColumnType::Number),
        Take::Min | Take::Max => Some(ty),
        Take::Avg => None,
    }
}

/// What becomes of the snapshots of a dataset, for the reader.
pub(super) fn text(dataset: &str, over: &OverTime, by_period: bool) -> String {
    let per = match over.per.as_slice() {
        [] => String::new(),
        per => format!(" of each {}", per.join(", ")),
    };
    let within = match (by_period, over.carry_forward) {
        (true, true) => " up to the end of each period",
        (false, true) => " up to the end of the time range",
        (true, false) => " in each period",
        (false, false) => "",
    };
    let time = &over.time;
    let what = match over.take {
        Take::Last => format!("only the last {time}{per}{within} counts"),
        Take::First => format!("only the first {time}{per}{within} counts"),
        Take::Min => format!("the smallest of the figures of each {time}{within}"),
        Take::Max => format!("the largest of the figures of each {time}{within}"),
        Take::Avg => format!("the mean of the figures of each {time}{within}"),
    };
    format!("{dataset}: {what}; rows without a {time} are no snapshots")
}
