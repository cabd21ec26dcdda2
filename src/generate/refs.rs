//! SQL by hand with dbt's references in place of its tables; all else stays as it was written.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, Spanned, Statement, TableFactor, Visit, Visitor};
use sqlparser::parser::Parser;

use super::text::is_template;
use crate::model::TODAY;
use crate::warehouse::Dialect;

/// The tables that SQL reads, as it writes them without quotes, each once.
///
/// # Errors
/// It cannot be read.
pub(super) fn tables(sql: &str, dialect: Dialect) -> Result<Vec<String>, String> {
    let mut tables = Vec::new();
    for table in read(sql, dialect)? {
        if !tables.contains(&table.name) {
            tables.push(table.name);
        }
    }
    Ok(tables)
}

/// The SQL with what `reference` says in place of each table, under the name that the table had.
///
/// # Errors
/// It cannot be read, or the place of a table is not known.
pub(super) fn referring(
    sql: &str,
    dialect: Dialect,
    reference: &dyn Fn(&str) -> String,
) -> Result<String, String> {
    if is_template(sql) {
        return Err("its SQL has signs that dbt takes for a template".to_owned());
    }
    let mut found = read(sql, dialect)?;
    found.sort_by_key(|table| table.at);
    let starts = line_starts(sql);
    let mut out = String::new();
    let mut last = 0;
    for table in found {
        let at = offset(sql, &starts, table.at);
        let end = at + table.written.len();
        if sql.get(at..end) != Some(table.written.as_str()) || at < last {
            return Err(format!(
                "the place of the table {} is not clear",
                table.name
            ));
        }
        out.push_str(sql.get(last..at).unwrap_or_default());
        out.push_str(&reference(&table.name));
        if !table.has_alias {
            let own = table.name.rsplit('.').next().unwrap_or(&table.name);
            out.push_str(&format!(" AS {}", dialect.name(own)));
        }
        last = end;
    }
    out.push_str(sql.get(last..).unwrap_or_default());
    Ok(out.replace(TODAY, "{{ metrex_today() }}"))
}

struct Table {
    /// Without quotes.
    name: String,
    written: String,
    has_alias: bool,
    /// Line and column, from 1.
    at: (u64, u64),
}

fn read(sql: &str, dialect: Dialect) -> Result<Vec<Table>, String> {
    let mut parsed = Parser::parse_sql(dialect.parser(), sql);
    // What some dialect's parser does not know yet, PostgreSQL's may: tables are written alike.
    if parsed.is_err() {
        parsed = Parser::parse_sql(Dialect::Postgres.parser(), sql).or(parsed);
    }
    let statements = parsed.map_err(|error| format!("its SQL does not parse: {error}"))?;
    let [Statement::Query(query)] = statements.as_slice() else {
        return Err("its SQL is not one query".to_owned());
    };
    let mut names = Names::default();
    if let ControlFlow::Break(name) = query.visit(&mut names) {
        return Err(format!("WITH {name} reads a table of the same name"));
    }
    let is_cte = |table: &Table| names.ctes.contains(&table.name.to_lowercase());
    Ok(names
        .tables
        .into_iter()
        .filter(|table| !is_cte(table))
        .collect())
}

#[derive(Default)]
struct Names {
    tables: Vec<Table>,
    ctes: HashSet<String>,
}

impl Visitor for Names {
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let Some(with) = &query.with else {
            return ControlFlow::Continue(());
        };
        for cte in &with.cte_tables {
            let name = cte.alias.name.value.to_lowercase();
            let mut inside = Self::default();
            cte.query.visit(&mut inside)?;
            let is_own = |table: &Table| table.name.to_lowercase() == name;
            if !with.recursive && inside.tables.iter().any(is_own) {
                return ControlFlow::Break(name);
            }
            self.ctes.insert(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
        if let TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } = factor
        {
            let start = name.span().start;
            self.tables.push(Table {
                name: unquoted(name),
                written: name.to_string(),
                has_alias: alias.is_some(),
                at: (start.line, start.column),
            });
        }
        ControlFlow::Continue(())
    }
}

fn unquoted(name: &ObjectName) -> String {
    let parts = name.0.iter();
    let parts: Vec<String> = parts
        .map(|part| {
            part.as_ident()
                .map_or_else(|| part.to_string(), |ident| ident.value.clone())
        })
        .collect();
    parts.join(".")
}

fn line_starts(text: &str) -> Vec<usize> {
    let ends = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).collect()
}

/// The byte of a line and column that count from 1; a column is a character.
fn offset(text: &str, starts: &[usize], (line, column): (u64, u64)) -> usize {
    let as_index = |n: u64| usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX);
    let start = starts.get(as_index(line)).copied().unwrap_or(text.len());
    let rest = text.get(start..).unwrap_or_default();
    let at = rest.char_indices().nth(as_index(column)).map(|(at, _)| at);
    start + at.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: &str) -> String {
        let reference = |name: &str| format!("{{{{ ref('{name}') }}}}");
        referring(sql, Dialect::Postgres, &reference).unwrap()
    }

    #[test]
    fn tables_become_references_under_their_names() {
        let sql = "-- größe\nselect o.a, users.b\nfrom raw.orders o join users on true\nwhere 'users' = (select x from c)";
        let wanted = "-- größe\nselect o.a, users.b\nfrom {{ ref('raw.orders') }} o join {{ ref('users') }} AS users on true\n\
                      where 'users' = (select x from {{ ref('c') }} AS c)";
        assert_eq!(of(sql), wanted);
    }

    #[test]
    fn names_of_with_are_no_tables() {
        let sql = "with a as (select * from t), b as (select * from a) select * from b";
        assert_eq!(tables(sql, Dialect::Duckdb).unwrap(), ["t"]);
    }

    #[test]
    fn a_name_that_is_both_is_refused() {
        assert!(
            tables(
                "with t as (select * from t) select * from t",
                Dialect::Duckdb
            )
            .is_err()
        );
    }

    #[test]
    fn what_dbt_takes_for_a_template_is_refused() {
        assert!(
            referring(
                "select '{{ x }}' from t",
                Dialect::Duckdb,
                &|_| String::new()
            )
            .is_err()
        );
    }
}
