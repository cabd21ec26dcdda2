//! What a PostgreSQL database holds, from its catalog: everything the user may read outside the system's schemas.

use std::collections::HashMap;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

use super::decode::column_type;
use crate::model::ColumnType;
use crate::warehouse::{ColumnInfo, ForeignKey, TableInfo};

const COLUMNS: &str = "
SELECT c.oid, n.nspname, c.relname, c.relkind IN ('v', 'm') AS is_view, c.reltuples::float8,
       a.attname, NOT a.attnotnull AS nullable,
       CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END AS type_oid,
       t.typtype = 'e' OR t.typname = 'citext' AS is_text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY (n.nspname <> 'public'), n.nspname, c.relname, a.attnum";

const KEYS: &str = "
SELECT i.indrelid, i.indisprimary,
       (SELECT array_agg(a.attname::text ORDER BY k.place)
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE k.place <= i.indnkeyatts) AS columns
FROM pg_catalog.pg_index i
WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY i.indexrelid";

const FOREIGN_KEYS: &str = "
SELECT f.conrelid, n.nspname, c.relname,
       (SELECT array_agg(a.attname::text ORDER BY k.place)
        FROM unnest(f.conkey) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum) AS columns,
       (SELECT array_agg(a.attname::text ORDER BY k.place)
        FROM unnest(f.confkey) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum) AS targets
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_class c ON c.oid = f.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE f.contype = 'f'
ORDER BY f.oid";

pub(super) async fn tables(client: &Client) -> Result<Vec<TableInfo>, Error> {
    let mut tables: Vec<TableInfo> = Vec::new();
    let mut places: HashMap<u32, usize> = HashMap::new();
    for row in client.query(COLUMNS, &[]).await? {
        let oid: u32 = row.try_get(0)?;
        let place = *places.entry(oid).or_insert(tables.len());
        if place == tables.len() {
            tables.push(TableInfo {
                name: table_name(row.try_get(1)?, row.try_get(2)?),
                view: row.try_get(3)?,
                columns: Vec::new(),
                primary_key: Vec::new(),
                unique_keys: Vec::new(),
                foreign_keys: Vec::new(),
                row_estimate: estimate(row.try_get(4)?),
            });
        }
        let is_text: bool = row.try_get(8)?;
        let ty = Type::from_oid(row.try_get(7)?).and_then(|ty| column_type(&ty));
        let column = ColumnInfo {
            name: row.try_get(5)?,
            ty: if is_text { Some(ColumnType::Text) } else { ty },
            nullable: row.try_get(6)?,
        };
        if let Some(table) = tables.get_mut(place) {
            table.columns.push(column);
        }
    }
    for row in client.query(KEYS, &[]).await? {
        let columns: Option<Vec<String>> = row.try_get(2)?;
        let table = places
            .get(&row.try_get(0)?)
            .and_then(|place| tables.get_mut(*place));
        if let (Some(table), Some(columns)) = (table, columns) {
            if row.try_get(1)? {
                table.primary_key = columns;
            } else {
                table.unique_keys.push(columns);
            }
        }
    }
    for row in client.query(FOREIGN_KEYS, &[]).await? {
        if let Some(table) = places
            .get(&row.try_get(0)?)
            .and_then(|place| tables.get_mut(*place))
        {
            table.foreign_keys.push(ForeignKey {
                columns: row.try_get(3)?,
                table: table_name(row.try_get(1)?, row.try_get(2)?),
                references: row.try_get(4)?,
            });
        }
    }
    Ok(tables)
}

fn table_name(schema: &str, table: &str) -> String {
    if schema == "public" {
        table.to_owned()
    } else {
        format!("{schema}.{table}")
    }
}

/// The planner's row count; it is negative or 0 where the table was never analyzed.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate above 0"
)]
fn estimate(tuples: f64) -> Option<u64> {
    (tuples > 0.0).then_some(tuples as u64)
}
