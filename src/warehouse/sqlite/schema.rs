//! What an SQLite file holds, from its pragmas.

use rusqlite::{Connection, Result};

use crate::model::ColumnType;
use crate::warehouse::{ColumnInfo, Dialect, ForeignKey, TableInfo};

/// The column type a declared SQLite type stands for, by SQLite's affinity rules and the common names for the rest.
pub(super) fn column_type(declared: &str) -> Option<ColumnType> {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        Some(ColumnType::Integer)
    } else if has("BOOL") {
        Some(ColumnType::Boolean)
    } else if has("TIMESTAMP") || has("DATETIME") {
        Some(ColumnType::Timestamp)
    } else if has("DATE") {
        Some(ColumnType::Date)
    } else if has("CHAR") || has("CLOB") || has("TEXT") || has("UUID") || has("JSON") {
        Some(ColumnType::Text)
    } else if has("REAL") || has("FLOA") || has("DOUB") || has("NUMERIC") || has("DECIMAL") {
        Some(ColumnType::Number)
    } else {
        None
    }
}

pub(super) fn tables(connection: &Connection) -> Result<Vec<TableInfo>> {
    let mut statement = connection.prepare(
        "SELECT name, type = 'view' FROM sqlite_schema \
         WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(String, bool)>>>()?;
    names
        .into_iter()
        .map(|(name, view)| table(connection, name, view))
        .collect()
}

fn table(connection: &Connection, name: String, view: bool) -> Result<TableInfo> {
    let mut statement = connection.prepare(
        "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid",
    )?;
    let columns = statement
        .query_map([&name], |row| {
            let declared: String = row.get(1)?;
            let pk: i64 = row.get(3)?;
            let info = ColumnInfo {
                name: row.get(0)?,
                ty: column_type(&declared),
                nullable: !row.get::<_, bool>(2)?,
            };
            Ok((info, pk))
        })?
        .collect::<Result<Vec<_>>>()?;
    let mut primary: Vec<_> = columns
        .iter()
        .filter(|(_, pk)| *pk > 0)
        .map(|(column, pk)| (*pk, column.name.clone()))
        .collect();
    primary.sort();
    let primary_key: Vec<_> = primary.into_iter().map(|(_, name)| name).collect();
    let columns = columns
        .into_iter()
        .map(|(column, _)| ColumnInfo {
            nullable: column.nullable && !primary_key.contains(&column.name),
            ..column
        })
        .collect();
    Ok(TableInfo {
        unique_keys: unique_keys(connection, &name)?,
        foreign_keys: foreign_keys(connection, &name)?,
        row_estimate: if view {
            None
        } else {
            row_estimate(connection, &name)
        },
        name,
        view,
        columns,
        primary_key,
    })
}

fn unique_keys(connection: &Connection, table: &str) -> Result<Vec<Vec<String>>> {
    let mut statement = connection.prepare(
        "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" AND origin <> 'pk' AND NOT partial ORDER BY seq",
    )?;
    let indexes = statement
        .query_map([table], |row| row.get(0))?
        .collect::<Result<Vec<String>>>()?;
    let mut columns =
        connection.prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
    let mut keys = Vec::new();
    for index in indexes {
        let key: Vec<Option<String>> = columns
            .query_map([&index], |row| row.get(0))?
            .collect::<Result<_>>()?;
        // An index over an expression has nameless columns and is no key of columns.
        keys.extend(key.into_iter().collect::<Option<Vec<_>>>());
    }
    Ok(keys)
}

fn foreign_keys(connection: &Connection, table: &str) -> Result<Vec<ForeignKey>> {
    let mut statement = connection.prepare(
        "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id, seq",
    )?;
    let mut rows = statement.query([table])?;
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let target: Option<String> = row.get(3)?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let key = ForeignKey {
                columns: Vec::new(),
                table: row.get(1)?,
                references: Vec::new(),
            };
            keys.push((id, key));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.columns.push(row.get(2)?);
            key.references.extend(target);
        }
    }
    keys.into_iter()
        .map(|(_, mut key)| {
            // `REFERENCES users` without columns means its primary key.
            if key.references.is_empty() {
                let mut primary = connection
                    .prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
                key.references = primary
                    .query_map([&key.table], |row| row.get(0))?
                    .collect::<Result<_>>()?;
            }
            Ok(key)
        })
        .collect()
}

/// The largest row id: no table scan, and too large only where rows were deleted.
fn row_estimate(connection: &Connection, table: &str) -> Option<u64> {
    let sql = format!(
        "SELECT coalesce(max(_rowid_), 0) FROM {}",
        Dialect::Sqlite.name(table)
    );
    let rows: i64 = connection.query_row(&sql, [], |row| row.get(0)).ok()?;
    u64::try_from(rows).ok()
}
