//! What a name in a query is: a column of one of its tables, of a CTE, of an outer query, or one of its own outputs.

use sqlparser::ast::Ident;

use super::finding::Code;
use super::meaning::{Meaning, Output, Relation};
use super::walk::{AliasUse, Scope, Walk};
use crate::registry::nearest;

/// Columns that a hint lists.
const LISTED: usize = 40;

/// How a search for a name came out.
enum Found {
    One(Meaning),
    /// In several relations: their names.
    Several(Vec<String>),
    None,
}

impl Walk {
    /// A name in an expression.
    pub(super) fn name(&mut self, parts: &[Ident]) -> Meaning {
        let Some((column, path)) = parts.split_last() else {
            return Meaning::open();
        };
        let folded = self.fold(column);
        let found = match path {
            [] => self.bare(&folded),
            path => self.qualified(path, &folded),
        };
        let mut meaning = match found {
            Found::One(meaning) => meaning,
            Found::Several(relations) => {
                self.block(
                    Code::AmbiguousColumn,
                    column,
                    column.span.start,
                    format!(
                        "'{}' is a column of {}",
                        column.value,
                        relations.join(" and ")
                    ),
                    Some(format!(
                        "write {}.{}",
                        relations.first().map_or("", |first| first),
                        column
                    )),
                );
                Meaning::open()
            }
            Found::None => match self.learnt(path, column) {
                Some(meaning) => meaning,
                None => {
                    self.unknown_column(path, column);
                    Meaning::open()
                }
            },
        };
        if let Some(level) = self.level(parts) {
            self.outermost = self.outermost.min(level);
        }
        if !self.may_read_personal {
            self.no_personal(&mut meaning, column, column.span.start);
        }
        if let Some(first) = parts.first() {
            self.places.insert(first.span.start, meaning.clone());
        }
        meaning
    }

    /// The scope that a name is of, counted from the outermost.
    pub(super) fn level(&self, parts: &[Ident]) -> Option<usize> {
        let (column, path) = parts.split_last()?;
        let column = self.fold(column);
        let has = |relation: &Relation| relation.column(&column).is_some();
        self.scopes.iter().rposition(|scope| match path {
            [] => {
                let is_output = |output: &Output| output.name == column;
                scope.relations.iter().any(has)
                    || (scope.alias_use != AliasUse::Never && scope.aliases.iter().any(is_output))
            }
            path => self.relation_in(scope, path).is_some(),
        })
    }

    fn bare(&self, name: &str) -> Found {
        for scope in self.scopes.iter().rev() {
            let alias = || scope.aliases.iter().find(|output| output.name == name);
            if scope.alias_use == AliasUse::First
                && let Some(output) = alias()
            {
                return Found::One(output.meaning.clone());
            }
            let mut hits = scope
                .relations
                .iter()
                .filter_map(|relation| Some((relation, relation.column(name)?)));
            if let Some((first, output)) = hits.next() {
                let others: Vec<_> = hits.collect();
                if others.is_empty() {
                    return Found::One(output.meaning.clone());
                }
                if scope.merged.iter().any(|merged| merged == name) {
                    let both = others
                        .into_iter()
                        .fold(output.meaning.clone(), |both, (_, other)| {
                            both.or(other.meaning.clone())
                        });
                    return Found::One(both);
                }
                let others = others.iter().map(|(relation, _)| relation.alias.clone());
                return Found::Several(
                    std::iter::once(first.alias.clone()).chain(others).collect(),
                );
            }
            if scope.alias_use == AliasUse::Last
                && let Some(output) = alias()
            {
                return Found::One(output.meaning.clone());
            }
            if scope.relations.iter().any(|relation| relation.rows.open) {
                return Found::One(Meaning::open());
            }
        }
        Found::None
    }

    fn qualified(&self, path: &[Ident], name: &str) -> Found {
        let relation = self.relation(path);
        match relation {
            Some(relation) => match relation.column(name) {
                Some(output) => Found::One(output.meaning.clone()),
                None if relation.rows.open => Found::One(Meaning::open()),
                None => Found::None,
            },
            None => Found::None,
        }
    }

    /// The nearest relation of that name.
    pub(super) fn relation(&self, path: &[Ident]) -> Option<&Relation> {
        let scopes = self.scopes.iter().rev();
        scopes
            .into_iter()
            .find_map(|scope| self.relation_in(scope, path))
    }

    fn relation_in<'s>(&self, scope: &'s Scope, path: &[Ident]) -> Option<&'s Relation> {
        let folded: Vec<String> = path.iter().map(|part| self.fold(part)).collect();
        let full = folded.join(".");
        let is_it = |relation: &&Relation| {
            relation.alias == full
                || (folded.len() > 1
                    && relation.table.as_ref() == Some(&full)
                    && folded.last() == Some(&relation.alias))
        };
        scope.relations.iter().find(is_it)
    }

    /// A text of the project names a column that was not known: now it is.
    fn learnt(&mut self, path: &[Ident], column: &Ident) -> Option<Meaning> {
        if !self.learns() {
            return None;
        }
        let table = match path {
            [] => {
                let scope = self.scopes.last()?;
                match scope.relations.as_slice() {
                    [only] => only.table.clone()?,
                    _ => return None,
                }
            }
            path => self.relation(path)?.table.clone()?,
        };
        let folded = self.fold(column);
        let dialect = self.dialect;
        let known = self.known.tables.get_mut(&table)?;
        known.column(&column.value, dialect);
        Some(Meaning::of_base(super::meaning::Base {
            table,
            column: folded,
        }))
    }

    fn unknown_column(&mut self, path: &[Ident], column: &Ident) {
        let scope = self.scopes.last();
        let relations: Vec<&Relation> = match path {
            [] => scope
                .into_iter()
                .flat_map(|scope| &scope.relations)
                .collect(),
            path => self.relation(path).into_iter().collect(),
        };
        let written = || {
            path.iter()
                .chain([column])
                .map(|part| part.value.as_str())
                .collect::<Vec<_>>()
                .join(".")
        };
        if relations.is_empty() && !path.is_empty() {
            let hint = scope.map(|scope| {
                let names = scope
                    .relations
                    .iter()
                    .map(|relation| relation.alias.as_str());
                format!("tables here: {}", names.collect::<Vec<_>>().join(", "))
            });
            let message = format!("'{}' names no table of this query", written());
            self.block(
                Code::UnknownColumn,
                written(),
                column.span.start,
                message,
                hint,
            );
            return;
        }
        let names: Vec<&str> = relations
            .iter()
            .flat_map(|relation| &relation.rows.columns)
            .map(|output| output.name.as_str())
            .collect();
        let near = nearest(&column.value, names.iter().copied());
        let listed = || {
            let more = if names.len() > LISTED { ", …" } else { "" };
            let names: Vec<&str> = names.iter().take(LISTED).copied().collect();
            format!("columns: {}{more}", names.join(", "))
        };
        let hint = match near {
            Some(near) => format!("did you mean {near}? {}", listed()),
            None if column.quote_style == Some('"') => {
                format!("a text stands in single quotes; {}", listed())
            }
            None => listed(),
        };
        let of = match relations.as_slice() {
            [only] => format!(" of {}", only.alias),
            _ => String::new(),
        };
        let message = format!(
            "unknown column '{}'{of}{}",
            column.value,
            lookalike(&column.value)
        );
        self.block(
            Code::UnknownColumn,
            written(),
            column.span.start,
            message,
            Some(hint),
        );
    }
}

/// Says which letter only looks like one of the alphabet.
pub(super) fn lookalike(name: &str) -> String {
    match name.chars().find(|c| !c.is_ascii()) {
        Some(c) => format!(" (with the character {})", c.escape_unicode()),
        None => String::new(),
    }
}
