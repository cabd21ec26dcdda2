//! The one statement that may run is a query; asked of the engine's own parser where it can be asked.

use adbc_driver_manager::ManagedConnection;
use sqlparser::ast::{SetExpr, Statement};
use sqlparser::parser::Parser;

use super::{error, texts};
use crate::warehouse::error::located;
use crate::warehouse::{Dialect, WarehouseError};

/// Refuses what is not exactly one query.
pub(super) fn check(
    connection: &mut ManagedConnection,
    dialect: Dialect,
    target: &str,
    sql: &str,
) -> Result<(), WarehouseError> {
    match dialect {
        Dialect::Duckdb => by_duckdb(connection, target, sql),
        _ => by_parser(dialect, sql),
    }
}

/// DuckDB gives the tree of a text that has nothing but queries in it, and says where it cannot read it.
fn by_duckdb(
    connection: &mut ManagedConnection,
    target: &str,
    sql: &str,
) -> Result<(), WarehouseError> {
    let ask = format!(
        "SELECT tree->>'error_type', tree->>'error_message', tree->>'position', \
         CAST(json_array_length(tree->'statements') AS text) \
         FROM (SELECT json_serialize_sql({}) AS tree)",
        Dialect::Duckdb.text(sql)
    );
    let rows = texts(connection, &ask).map_err(|error| error::running(&error, target, sql))?;
    let mut cells = rows.into_iter().next().unwrap_or_default().into_iter();
    let mut cell = || cells.next().flatten();
    match (cell(), cell(), cell(), cell()) {
        (None, _, _, Some(count)) if count == "1" => Ok(()),
        (None, ..) => Err(WarehouseError::query("only one statement may be run")),
        (Some(kind), Some(message), position, _) if kind == "parser" => {
            let before = position
                .and_then(|at| at.parse::<usize>().ok())
                .and_then(|at| sql.get(..at));
            Err(WarehouseError::query(match before {
                Some(before) => located(&message, before),
                None => message,
            }))
        }
        _ => Err(not_a_query()),
    }
}

fn by_parser(dialect: Dialect, sql: &str) -> Result<(), WarehouseError> {
    let statements = Parser::parse_sql(dialect.parser(), sql)
        .map_err(|error| WarehouseError::query(error.to_string()))?;
    match statements.as_slice() {
        [Statement::Query(query)] => {
            let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
            let mut bodies = ctes.map(|cte| &cte.query.body).chain([&query.body]);
            let only_reads = query.locks.is_empty() && bodies.all(|body| reads(body));
            only_reads.then_some(()).ok_or_else(not_a_query)
        }
        [_] => Err(not_a_query()),
        _ => Err(WarehouseError::query("only one statement may be run")),
    }
}

/// Whether a body selects and does not write; `SELECT … INTO` makes a table.
fn reads(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.is_none(),
        SetExpr::Query(query) => reads(&query.body),
        SetExpr::SetOperation { left, right, .. } => reads(left) && reads(right),
        SetExpr::Values(_) | SetExpr::Table(_) => true,
        _ => false,
    }
}

fn not_a_query() -> WarehouseError {
    WarehouseError::query("only statements that read are run; this one is no query")
}
