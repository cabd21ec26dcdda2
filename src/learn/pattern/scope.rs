//! Which column a name means, in the place where it stands.

use std::collections::{HashMap, HashSet};

use sqlparser::ast::Ident;

use crate::model::{Registry, Relation};

/// The tables that the definitions know, with the columns they name.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// By the last part of the name, in lower case.
    known: HashMap<String, Vec<(String, HashSet<String>)>>,
}

impl Tables {
    /// Those of a project.
    pub fn of(registry: &Registry) -> Self {
        let mut tables = Self::default();
        for dataset in registry.datasets.values() {
            let Relation::Table(table) = &dataset.relation else {
                continue;
            };
            let dimensions = dataset.dimensions.values();
            let columns = dimensions.filter_map(|dimension| dimension.column.clone());
            let columns = columns.chain(dataset.key.iter().cloned());
            let columns: HashSet<String> = columns.map(|column| column.to_lowercase()).collect();
            let named = tables.known.entry(last(table)).or_default();
            match named.iter_mut().find(|(known, _)| known == table) {
                Some((_, known)) => known.extend(columns),
                None => named.push((table.clone(), columns)),
            }
        }
        tables
    }

    /// A table as the definitions write it: `public.orders` is their `orders`. Others keep their name.
    pub(super) fn name(&self, written: &str) -> String {
        let candidates = self.known.get(&last(written)).into_iter().flatten();
        let folded = written.to_lowercase();
        let is_it = |known: &str| {
            let known = known.to_lowercase();
            known == folded
                || folded.ends_with(&format!(".{known}"))
                || known.ends_with(&format!(".{folded}"))
        };
        let mut same = candidates.filter(|(known, _)| is_it(known));
        match (same.next(), same.next()) {
            (Some((known, _)), None) => known.clone(),
            _ => written.to_owned(),
        }
    }

    fn has(&self, table: &str, column: &str) -> bool {
        let named = self.known.get(&last(table)).into_iter().flatten();
        let mut named = named.filter(|(known, _)| known == table);
        named.any(|(_, columns)| columns.contains(column))
    }
}

fn last(table: &str) -> String {
    table.rsplit('.').next().unwrap_or(table).to_lowercase()
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant {
    /// A column of a table: `orders.status`.
    Column(String),
    /// Something that a part of the statement computes.
    Computed,
    /// Nobody knows.
    Unknown,
}

/// What a part of a statement gives.
#[derive(Debug, Clone, Default)]
pub(super) struct Outputs {
    /// By name, in lower case.
    pub(super) columns: HashMap<String, Meant>,
    /// The table of which all columns are handed on.
    pub(super) all: Option<String>,
}

impl Outputs {
    pub(super) fn column(&self, name: &str) -> Option<Meant> {
        let known = self.columns.get(&name.to_lowercase()).cloned();
        let all = self.all.as_ref();
        known.or_else(|| Some(Meant::Column(format!("{}.{name}", all?))))
    }
}

/// What rows come from.
#[derive(Debug, Clone)]
pub(super) enum Rows {
    /// A table, by name.
    Table(String),
    /// A part of the statement.
    Part(Outputs),
}

/// One relation of a FROM.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// What the statement calls it, in lower case.
    pub(super) called: String,
    /// What its shape calls it.
    pub(super) name: String,
    pub(super) rows: Rows,
}

impl Source {
    fn column(&self, name: &str) -> Option<Meant> {
        match &self.rows {
            Rows::Table(table) => Some(Meant::Column(format!("{table}.{name}"))),
            Rows::Part(outputs) => outputs.column(name),
        }
    }
}

/// The relations that names may be of; the outer ones after the inner ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) sources: Vec<Source>,
    pub(super) outer: Option<Box<Self>>,
}

impl Scope {
    /// The source of a name and what it means.
    pub(super) fn find(&self, path: &[Ident], tables: &Tables) -> (Option<&Source>, Meant) {
        let (name, qualifier) = match path {
            [] => return (None, Meant::Unknown),
            [name] => (name, None),
            [.., qualifier, name] => (name, Some(qualifier.value.to_lowercase())),
        };
        let name = name.value.as_str();
        let found = match &qualifier {
            Some(called) => self.sources.iter().find(|source| source.called == *called),
            None => self.unqualified(name, tables),
        };
        match found {
            Some(source) => (Some(source), source.column(name).unwrap_or(Meant::Computed)),
            None => match &self.outer {
                Some(outer) => outer.find(path, tables),
                None => (None, Meant::Unknown),
            },
        }
    }

    fn unqualified(&self, name: &str, tables: &Tables) -> Option<&Source> {
        if let [only] = self.sources.as_slice() {
            return Some(only);
        }
        let folded = name.to_lowercase();
        let mut having = self.sources.iter().filter(|source| match &source.rows {
            Rows::Table(table) => tables.has(table, &folded),
            Rows::Part(outputs) => outputs.columns.contains_key(&folded),
        });
        match (having.next(), having.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}
