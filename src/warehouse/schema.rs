//! What a warehouse holds: tables and views with columns and keys.

use crate::model::ColumnType;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Name.
    pub name: String,
    /// The type its values have in results; `None` where results cannot hold them (bytes, arrays).
    pub ty: Option<ColumnType>,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Columns here.
    pub columns: Vec<String>,
    /// The table referred to, named as in [`TableInfo::name`].
    pub table: String,
    /// Columns there, in the order of `columns`.
    pub references: Vec<String>,
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// Name as a dataset's `table:` writes it: `table`, or `schema.table` outside the default schema.
    pub name: String,
    /// Whether it is a view, which has no keys of its own.
    pub view: bool,
    /// Columns, in the order of the table.
    pub columns: Vec<ColumnInfo>,
    /// Columns of the primary key; empty where there is none.
    pub primary_key: Vec<String>,
    /// Other unique keys, over all rows.
    pub unique_keys: Vec<Vec<String>>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Roughly how many rows, where the engine knows without counting.
    pub row_estimate: Option<u64>,
}
