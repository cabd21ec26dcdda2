//! What a walk over a query has met: everything that the rules are about.

use super::expr::Column;
use super::finding::{At, Read, ReadKind};
use super::known::{Known, Target};
use super::template::{Mention, Reference, Template};

/// Everything that the rules are about.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) reads: Vec<ReadMet>,
    pub(super) ctes: Vec<CteMet>,
    pub(super) joins: Vec<JoinMet>,
    pub(super) aggregates: Vec<AggregateMet>,
    pub(super) comparisons: Vec<ComparisonMet>,
    /// Numbered rows of which the first is kept, by columns that tell all rows of a table apart.
    pub(super) numbered: Vec<NumberedMet>,
    /// The columns of the result that are columns of a table; a column without a name stands for all of a table.
    pub(super) output: Vec<(Column, At)>,
    /// What one row of the result is, where that is known.
    pub(super) grain: Option<Vec<Column>>,
}

/// A table, CTE or reference in a `FROM`.
#[derive(Debug)]
pub(super) struct ReadMet {
    pub(super) told: Read,
    /// As the model writes it.
    pub(super) written: String,
    /// Whether it is a table named as such.
    pub(super) is_table: bool,
    /// A canonical dataset that is made from it.
    pub(super) makes: Option<String>,
    /// Whether it is a staging model.
    pub(super) is_staging: bool,
}

#[derive(Debug)]
pub(super) struct CteMet {
    pub(super) name: String,
    pub(super) at: At,
    /// The canonical dataset that its rows are.
    pub(super) canonical: Option<String>,
}

/// A join that multiplies rows.
#[derive(Debug)]
pub(super) struct JoinMet {
    /// Whether it multiplies the rows of both sides.
    pub(super) is_both: bool,
    pub(super) at: At,
    pub(super) left: Side,
    pub(super) right: Side,
    /// The columns that are compared.
    pub(super) on: Vec<String>,
    /// An aggregate that counts a row as often as the join has multiplied it.
    pub(super) aggregate: Option<(String, At)>,
}

/// One side of a join.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) what: String,
    pub(super) grain: Vec<String>,
}

#[derive(Debug)]
pub(super) struct AggregateMet {
    pub(super) at: At,
    pub(super) text: String,
    pub(super) function: String,
    pub(super) distinct: bool,
    /// The table and the argument in one form; no argument for `count(*)`.
    pub(super) base: String,
    pub(super) argument: Option<String>,
    /// Conditions on the rows, in one form.
    pub(super) conditions: Vec<String>,
}

#[derive(Debug)]
pub(super) struct ComparisonMet {
    pub(super) at: At,
    pub(super) column: Column,
    pub(super) value: String,
}

#[derive(Debug)]
pub(super) struct NumberedMet {
    pub(super) at: At,
    pub(super) side: Side,
}

impl Reading {
    /// What a model reads whose SQL only dbt can see.
    pub(super) fn mentioned(template: &Template, known: &Known<'_>) -> Self {
        let reads = template.mentions.iter();
        Self {
            reads: reads.map(|mention| mentioned(mention, known)).collect(),
            ..Self::default()
        }
    }

    /// Adds what the model refers to where no name in the SQL stands for it, so that it was not met.
    pub(super) fn add_hidden(&mut self, template: &Template, known: &Known<'_>) {
        for mention in template.mentions.iter().filter(|one| one.is_hidden) {
            let name = reference_name(&mention.reference);
            if !self.reads.iter().any(|read| read.told.name == name) {
                self.reads.push(mentioned(mention, known));
            }
        }
    }

    /// Adds what another reading of the same text has met.
    pub(super) fn merge(&mut self, other: Self) {
        let mut place = |read: &ReadMet| (read.told.line, read.told.column);
        let known: Vec<At> = self.reads.iter().map(&mut place).collect();
        let new = other.reads.into_iter();
        self.reads
            .extend(new.filter(|read| !known.contains(&place(read))));
        self.ctes.extend(other.ctes);
        self.joins.extend(other.joins);
        self.aggregates.extend(other.aggregates);
        self.comparisons.extend(other.comparisons);
        self.numbered.extend(other.numbered);
        self.output.extend(other.output);
    }
}

fn mentioned(mention: &Mention, known: &Known<'_>) -> ReadMet {
    let reference = &mention.reference;
    met(
        known.reference(reference),
        reference.written(),
        reference_name(reference),
        mention.at,
        false,
    )
}

pub(super) fn reference_name(reference: &Reference) -> String {
    match reference {
        Reference::Model(name) => name.clone(),
        Reference::Source(schema, table) => format!("{schema}.{table}"),
        Reference::Itself => "this".to_owned(),
        Reference::Unknown => String::new(),
    }
}

pub(super) fn met(
    target: Target<'_>,
    written: String,
    name: String,
    (line, column): At,
    is_table: bool,
) -> ReadMet {
    let (kind, canonical, makes) = match target {
        Target::Canonical(one) => (ReadKind::Canonical, Some(one), None),
        Target::Raw(makes) => (ReadKind::Raw, None, makes.map(|one| one.name.clone())),
        Target::Dataset(_) => (ReadKind::Dataset, None, None),
        Target::Staging | Target::Model => (ReadKind::Model, None, None),
        Target::Itself => (ReadKind::Itself, None, None),
        Target::Unknown => (ReadKind::Unknown, None, None),
    };
    ReadMet {
        told: Read {
            name,
            kind,
            canonical: canonical.map(|one| one.name.clone()),
            status: canonical.map(|one| one.status),
            line,
            column,
        },
        written,
        is_table,
        makes,
        is_staging: matches!(target, Target::Staging),
    }
}
