//! Shorthand for table definitions, and the cells that rows are made of.

use crate::model::ColumnType;
use crate::warehouse::{Cell, ColumnSpec, TableSpec};

/// A table; a column whose name ends in `?` may be NULL.
pub(super) fn table(name: &str, columns: &[(&str, ColumnType)], key: &[&str]) -> TableSpec {
    let column = |&(name, ty): &(&str, ColumnType)| ColumnSpec {
        name: name.trim_end_matches('?').to_owned(),
        ty,
        nullable: name.ends_with('?'),
    };
    TableSpec {
        name: name.to_owned(),
        columns: columns.iter().map(column).collect(),
        primary_key: key.iter().map(|&column| column.to_owned()).collect(),
        indexes: Vec::new(),
    }
}

/// Cents as a dollar amount.
pub(super) fn usd<'a>(cents: i64) -> Cell<'a> {
    Cell::Number(cents as f64 / 100.0)
}

/// A text that may be missing.
pub(super) fn text(value: Option<&str>) -> Cell<'_> {
    value.map_or(Cell::Null, Cell::Text)
}

/// A key or a count.
pub(super) fn number<'a>(value: u64) -> Cell<'a> {
    Cell::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}
