//! What Cube, LookML, Lightdash, Snowflake and Databricks have in common: tables with dimensions, joins and measures, all
//! in SQL. The reader of a format makes this, and a project is made of it in one place; an export goes the other way.

mod about;
mod aggregate;
mod build;
mod explore;
mod find;
mod format_code;
mod metric;
mod names;
mod of_registry;
mod said;
mod sql;

pub(super) use about::{About, META};
pub(super) use aggregate::{called, conditional};
pub(super) use explore::{Explores, Joined, Step};
pub(super) use format_code::{code, of_code};
pub(super) use names::join_on;
pub(super) use of_registry::Style;
pub(super) use said::{Said, held};
pub(super) use sql::{Kind, Name, Sql, template};

use super::Notes;
use crate::model::{Aggregate, DimensionType, Offset, Place, Relation, Take, Window};

/// The definitions of one exchange.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Tables, with what is defined on each.
    pub(super) tables: Vec<Table>,
    /// Measures over several tables.
    pub(super) across: Vec<Measure>,
}

impl Tables {
    /// Adds a table of a view. One that is there already has the members of both.
    pub(super) fn add(&mut self, table: Table, view: &str, notes: &mut Notes) {
        let mut tables = self.tables.iter_mut();
        let Some(known) = tables.find(|known| known.name.eq_ignore_ascii_case(&table.name)) else {
            self.tables.push(table);
            return;
        };
        if known.relation != table.relation {
            let text = format!(
                "{view}: {} is left out: another table has the name",
                table.name
            );
            notes.add(table.place, text);
            return;
        }
        if known.key.is_empty() {
            known.key = table.key;
        }
        for one in table.dimensions {
            if known.dimension(&one.name).is_none() {
                known.dimensions.push(one);
            }
        }
        for one in table.joins {
            if known.joins.iter().all(|known| known.name != one.name) {
                known.joins.push(one);
            }
        }
        for one in table.measures {
            if known.measures.iter().all(|known| known.name != one.name) {
                known.measures.push(one);
            }
        }
    }
}

/// A table (or query).
#[derive(Debug)]
pub(super) struct Table {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) about: About,
    pub(super) relation: Relation,
    /// What identifies a row: columns, or dimensions that are columns.
    pub(super) key: Vec<Name>,
    /// The default time dimension, where the format names one.
    pub(super) time: Option<String>,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) joins: Vec<Join>,
    pub(super) measures: Vec<Measure>,
}

impl Table {
    pub(super) fn new(place: Place, name: String, relation: Relation) -> Self {
        Self {
            place,
            name,
            about: About::default(),
            relation,
            key: Vec::new(),
            time: None,
            dimensions: Vec::new(),
            joins: Vec::new(),
            measures: Vec::new(),
        }
    }

    /// The dimension of a name, ignoring case.
    pub(super) fn dimension(&self, name: &str) -> Option<&Dimension> {
        let mut all = self.dimensions.iter();
        all.find(|one| one.name.eq_ignore_ascii_case(name))
    }

    /// The dimension that is a column as it stands.
    pub(super) fn of_column(&self, column: &str) -> Option<&Dimension> {
        let sql = Sql::name(&Name::own(Kind::Column, column));
        let all = self.dimensions.iter().filter(|one| one.sql == sql);
        all.min_by_key(|one| one.name != column)
    }

    /// The table's name, where the relation is one.
    pub(super) fn table(&self) -> Option<&str> {
        match &self.relation {
            Relation::Table(table) => Some(table),
            Relation::Sql(_) => None,
        }
    }
}

/// What rows are grouped and filtered by.
#[derive(Debug)]
pub(super) struct Dimension {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) about: About,
    pub(super) sql: Sql,
    pub(super) kind: DimensionType,
}

/// A join to the one row of another table.
#[derive(Debug, Clone)]
pub(super) struct Join {
    pub(super) place: Place,
    /// The role that the other table has.
    pub(super) name: String,
    pub(super) to: String,
    /// What is equal: here, there.
    pub(super) on: Vec<(Name, Name)>,
}

/// What is measured.
#[derive(Debug)]
pub(super) struct Measure {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) about: About,
    pub(super) computed: Computed,
    /// Conditions on rows, all of which hold.
    pub(super) filters: Vec<Sql>,
    /// The snapshot that stands for a period, by the time that tells them apart.
    pub(super) over_time: Option<(Take, Name)>,
    /// The time dimension, where it is not the table's.
    pub(super) time: Option<Name>,
    /// Only a part of other measures.
    pub(super) is_hidden: bool,
}

impl Measure {
    pub(super) fn new(place: Place, name: String, computed: Computed) -> Self {
        Self {
            place,
            name,
            about: About::default(),
            computed,
            filters: Vec::new(),
            over_time: None,
            time: None,
            is_hidden: false,
        }
    }
}

/// How a measure is computed.
#[derive(Debug, Clone)]
pub(super) enum Computed {
    /// One aggregation of the table's rows; without SQL, of the rows themselves.
    Aggregate(Aggregate, Option<Sql>),
    /// SQL over other measures, and over aggregates.
    Sql(Sql),
    /// Accumulation over time, of an aggregation or of another measure.
    Cumulative(Box<Computed>, Window),
    /// Another measure of some time ago: `ago`, or arithmetic over `now` and `ago`.
    Shifted(Sql, Offset, &'static str),
}
