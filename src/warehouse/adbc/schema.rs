//! What an engine holds, from the information schema; keys and sizes where DuckDB knows them.

use super::Session;
use crate::model::ColumnType;
use crate::warehouse::{ColumnInfo, Dialect, ForeignKey, TableInfo, WarehouseError};

/// Between the names of a list of columns, which may hold any other character.
const SEPARATOR: char = '\u{1f}';

/// The schemas whose tables are named without them.
const DEFAULT: [&str; 2] = ["main", "public"];

/// The column type for an engine's name of a type, by the words that engines share.
fn column_type(declared: &str) -> Option<ColumnType> {
    let declared = declared.to_ascii_lowercase();
    if declared.ends_with(']') || declared.starts_with("struct") || declared.starts_with("map") {
        return None;
    }
    let word = declared.split(['(', ' ']).next().unwrap_or_default();
    Some(match word {
        "bool" | "boolean" => ColumnType::Boolean,
        "tinyint" | "smallint" | "int" | "int2" | "int4" | "int8" | "int16" | "int32" | "int64"
        | "integer" | "bigint" | "utinyint" | "usmallint" | "uinteger" | "ubigint" => {
            ColumnType::Integer
        }
        "hugeint" | "uhugeint" | "decimal" | "numeric" | "number" | "bignumeric" | "float"
        | "float4" | "float8" | "float32" | "float64" | "real" | "double" => ColumnType::Number,
        "varchar" | "char" | "character" | "bpchar" | "text" | "string" | "enum" | "uuid"
        | "json" => ColumnType::Text,
        "date" => ColumnType::Date,
        word if word.starts_with("timestamp") || word.starts_with("datetime") => {
            ColumnType::Timestamp
        }
        _ => return None,
    })
}

pub(super) fn tables(session: &mut Session<'_>) -> Result<Vec<TableInfo>, WarehouseError> {
    let own = match session.dialect {
        Dialect::Duckdb => "AND c.table_catalog = current_database() ",
        _ => "",
    };
    let rows = session.texts(&format!(
        "SELECT CAST(c.table_schema AS varchar(1000)), CAST(c.table_name AS varchar(1000)), \
         CAST(t.table_type AS varchar(1000)), CAST(c.column_name AS varchar(1000)), \
         CAST(c.data_type AS varchar(1000)), CAST(c.is_nullable AS varchar(1000)) \
         FROM information_schema.columns c JOIN information_schema.tables t \
         ON t.table_catalog = c.table_catalog AND t.table_schema = c.table_schema AND t.table_name = c.table_name \
         WHERE lower(c.table_schema) NOT IN ('information_schema', 'pg_catalog') {own}\
         ORDER BY c.table_schema, c.table_name, c.ordinal_position"
    ))?;
    let mut tables: Vec<TableInfo> = Vec::new();
    for row in rows {
        let [schema, table, kind, column, ty, nullable] = cells(row);
        let name = named(&schema, &table);
        if tables.last().is_none_or(|last| last.name != name) {
            tables.push(TableInfo {
                name,
                view: kind.to_ascii_uppercase().contains("VIEW"),
                columns: Vec::new(),
                primary_key: Vec::new(),
                unique_keys: Vec::new(),
                foreign_keys: Vec::new(),
                row_estimate: None,
            });
        }
        if let Some(table) = tables.last_mut() {
            table.columns.push(ColumnInfo {
                name: column,
                ty: column_type(&ty),
                nullable: !nullable.eq_ignore_ascii_case("no"),
            });
        }
    }
    if session.dialect == Dialect::Duckdb {
        keys(session, &mut tables)?;
        estimates(session, &mut tables)?;
    }
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(tables)
}

fn keys(session: &mut Session<'_>, tables: &mut [TableInfo]) -> Result<(), WarehouseError> {
    let rows = session.texts(
        "SELECT schema_name, table_name, constraint_type, array_to_string(constraint_column_names, chr(31)), \
         referenced_table, array_to_string(referenced_column_names, chr(31)) FROM duckdb_constraints() \
         WHERE database_name = current_database() ORDER BY constraint_index",
    )?;
    for row in rows {
        let [schema, table, kind, columns, referred, references] = cells(row);
        let name = named(&schema, &table);
        let Some(table) = tables.iter_mut().find(|table| table.name == name) else {
            continue;
        };
        let list = |text: &str| text.split(SEPARATOR).map(str::to_owned).collect::<Vec<_>>();
        match kind.as_str() {
            "PRIMARY KEY" => table.primary_key = list(&columns),
            "UNIQUE" => table.unique_keys.push(list(&columns)),
            // A reference never leaves its schema.
            "FOREIGN KEY" => table.foreign_keys.push(ForeignKey {
                columns: list(&columns),
                table: named(&schema, &referred),
                references: list(&references),
            }),
            _ => {}
        }
    }
    Ok(())
}

fn estimates(session: &mut Session<'_>, tables: &mut [TableInfo]) -> Result<(), WarehouseError> {
    let rows = session.texts(
        "SELECT schema_name, table_name, CAST(estimated_size AS text) FROM duckdb_tables() \
         WHERE database_name = current_database()",
    )?;
    for row in rows {
        let [schema, table, rows] = cells(row);
        let name = named(&schema, &table);
        if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
            table.row_estimate = rows.parse().ok();
        }
    }
    Ok(())
}

fn named(schema: &str, table: &str) -> String {
    match DEFAULT.contains(&schema.to_lowercase().as_str()) {
        true => table.to_owned(),
        false => format!("{schema}.{table}"),
    }
}

/// The cells of a row, empty where they are NULL or missing.
fn cells<const N: usize>(row: Vec<Option<String>>) -> [String; N] {
    let mut cells = row.into_iter();
    std::array::from_fn(|_| cells.next().flatten().unwrap_or_default())
}
