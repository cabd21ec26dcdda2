//! What stands in a `FROM`: tables of the definitions, CTEs and subqueries, with the columns they give.

use sqlparser::ast::{Ident, ObjectName, Spanned, TableAlias, TableFactor};
use sqlparser::tokenizer::Location;

use super::filters::Conjunct;
use super::finding::Code;
use super::joins::Unique;
use super::meaning::{Base, Meaning, Output, Relation, Rows};
use super::names::lookalike;
use super::walk::{Walk, short};
use crate::registry::nearest;

impl Walk {
    /// One table, CTE or subquery.
    pub(super) fn factor(
        &mut self,
        factor: &TableFactor,
        conditions: &mut Vec<Conjunct>,
    ) -> Unique {
        let (alias, table, rows) = match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                let (last, table, rows) = self.table(name);
                (self.alias(alias.as_ref(), last), table, rows)
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                sample: None,
            } => {
                // Only LATERAL sees the tables beside it.
                let beside = match (lateral, self.scopes.last_mut()) {
                    (false, Some(scope)) => std::mem::take(&mut scope.relations),
                    _ => Vec::new(),
                };
                let rows = self.query(subquery);
                if let (false, Some(scope)) = (lateral, self.scopes.last_mut()) {
                    scope.relations = beside;
                }
                let dataset = self.known.queries.get(&subquery.to_string()).cloned();
                let rows = match dataset {
                    Some(name) => self.dataset_rows(&name, rows),
                    None => rows,
                };
                (self.alias(alias.as_ref(), String::new()), None, rows)
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => return self.joined(table_with_joins, conditions),
            TableFactor::Table { args: Some(_), .. }
            | TableFactor::TableFunction { .. }
            | TableFactor::Function { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::JsonTable { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::XmlTable { .. } => {
                self.block(
                    Code::TableFunction,
                    short(factor),
                    factor.span().start,
                    "a function may not stand in the place of a table",
                    Some("read the tables of the definitions".to_owned()),
                );
                ((String::new(), Vec::new()), None, opened())
            }
            other => {
                self.unsupported(other, "this part of FROM");
                ((String::new(), Vec::new()), None, opened())
            }
        };
        let ((alias, names), rows) = (alias, rows);
        if !names.is_empty() && table.is_some() {
            self.unsupported(factor, "a table with new column names");
        }
        let rows = self.renamed(rows, &names.iter().collect::<Vec<_>>());
        let unique = rows.unique.as_ref().map(|columns| {
            let column = |column: &String| (alias.clone(), column.clone());
            columns.iter().map(column).collect()
        });
        if let Some(scope) = self.scopes.last_mut() {
            scope.relations.push(Relation { alias, table, rows });
        }
        unique
    }

    fn alias(&mut self, alias: Option<&TableAlias>, name: String) -> (String, Vec<Ident>) {
        let Some(alias) = alias else {
            return (name, Vec::new());
        };
        if alias.at.is_some()
            || alias
                .columns
                .iter()
                .any(|column| column.data_type.is_some())
        {
            self.unsupported_at(&alias.name, alias.name.span.start, "this alias");
        }
        let columns = alias.columns.iter().map(|column| column.name.clone());
        (self.fold(&alias.name), columns.collect())
    }

    /// A table or CTE by name: its last part, the table where it is one, and what it gives.
    fn table(&mut self, name: &ObjectName) -> (String, Option<String>, Rows) {
        let idents: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
        let Some(idents) = idents.filter(|idents| !idents.is_empty()) else {
            self.unsupported(name, "this table");
            return (String::new(), None, opened());
        };
        let folded: Vec<String> = idents.iter().map(|ident| self.fold(ident)).collect();
        let last = folded.last().cloned().unwrap_or_default();
        if let ([only], Some(rows)) = (folded.as_slice(), self.visible_cte(&last)) {
            return (only.clone(), None, rows.clone());
        }
        let full = folded.join(".");
        let at = name.span().start;
        if self.learns() && !self.known.tables.contains_key(&full) {
            let written: Vec<&str> = idents.iter().map(|ident| ident.value.as_str()).collect();
            let dialect = self.dialect;
            self.known.table(&written.join("."), dialect);
        }
        let narrow = self.known.narrow.as_ref();
        let allowed = !full.contains('#') && narrow.is_none_or(|narrow| narrow.contains(&full));
        if !allowed || !self.known.tables.contains_key(&full) {
            self.unknown_table(name, &full, at);
            return (last, None, opened());
        }
        self.read.insert(full.clone());
        let rows = self.table_rows(&full);
        (last, Some(full), rows)
    }

    /// The known columns of a table.
    fn table_rows(&self, name: &str) -> Rows {
        let Some(table) = self.known.tables.get(name) else {
            return opened();
        };
        let output = |column: &String| {
            let base = Base {
                table: name.to_owned(),
                column: column.clone(),
            };
            Output {
                name: column.clone(),
                meaning: Meaning {
                    pii: self.known.pii(&base),
                    ..Meaning::of_base(base)
                },
                at: Location::new(0, 0),
            }
        };
        Rows {
            columns: table.columns.keys().map(output).collect(),
            unique: table.key.clone(),
            open: false,
            tables: vec![name.to_owned()],
        }
    }

    /// A subquery that is the query of a dataset has the dataset's dimensions and its key.
    fn dataset_rows(&self, dataset: &str, mut rows: Rows) -> Rows {
        let known = self.table_rows(dataset);
        for output in &mut rows.columns {
            if let Some(known) = known.columns.iter().find(|known| known.name == output.name) {
                output.meaning = known.meaning.clone();
            }
        }
        rows.unique = known.unique;
        rows
    }

    fn unknown_table(&mut self, name: &ObjectName, full: &str, at: Location) {
        let narrow = self.known.narrow.as_ref();
        let is_open = |key: &String| narrow.is_none_or(|narrow| narrow.contains(key));
        let tables = self.known.tables.iter();
        let names: Vec<String> = tables
            .filter(|(key, _)| !key.contains('#') && is_open(key))
            .map(|(_, table)| table.name.clone())
            .collect();
        let near = nearest(full, names.iter().map(String::as_str));
        let hint = match near {
            Some(near) if near != full => format!("did you mean {near}? "),
            _ => String::new(),
        };
        let hint = format!("{hint}tables: {}", names.join(", "));
        let exists = self.known.tables.contains_key(full);
        let message = if exists {
            format!("the table '{full}' is not one that this metric may read")
        } else {
            format!("unknown table '{full}'{}", lookalike(full))
        };
        self.block(Code::UnknownTable, name, at, message, Some(hint));
    }
}

/// Rows of which nothing is known.
pub(super) fn opened() -> Rows {
    Rows {
        open: true,
        ..Rows::default()
    }
}
