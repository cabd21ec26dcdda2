//! What a statement is, taken from its tree: its shape, and the tables, columns, joins, conditions and aggregations in it.

mod scope;
mod shape;
mod text;
mod walk;

use sqlparser::ast::Statement;
use sqlparser::dialect::Dialect;
use sqlparser::parser::Parser;

use crate::usage::FilterFact;

pub use scope::Tables;

/// A statement without what changes from one use to the next. Lists are sorted and name each thing once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pattern {
    /// Its text with `?` in the place of literals, names in the place of aliases, sorted conditions and no limit.
    pub fingerprint: String,
    /// Tables.
    pub tables: Vec<String>,
    /// Columns of tables: `orders.status`.
    pub columns: Vec<String>,
    /// Pairs of columns that rows are joined on, the sides sorted.
    pub joins: Vec<String>,
    /// Conditions on columns, without dates.
    pub filters: Vec<FilterFact>,
    /// Aggregations: `sum(orders.amount)`.
    pub aggregations: Vec<String>,
    /// What is grouped by: columns, and expressions over them.
    pub groups: Vec<String>,
    /// Whether the outermost rows are added up by nothing but what these lists say: one SELECT over tables.
    pub is_plain: bool,
}

/// Why a statement has no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// The parser does not understand it.
    #[error("{0}")]
    Syntax(String),
    /// It is understood, and does not read rows.
    #[error("it is no SELECT")]
    NoSelect,
}

/// Reads one statement.
///
/// # Errors
/// It cannot be parsed, or is no single SELECT.
pub fn pattern(sql: &str, dialect: &dyn Dialect, tables: &Tables) -> Result<Pattern, Unread> {
    let statements = Parser::parse_sql(dialect, sql);
    let mut statements = statements.map_err(|error| Unread::Syntax(error.to_string()))?;
    let (Some(Statement::Query(mut query)), true) = (statements.pop(), statements.is_empty())
    else {
        return Err(Unread::NoSelect);
    };
    let mut pattern = walk::read(&mut query, tables);
    shape::shape(&mut query);
    pattern.fingerprint = query.to_string();
    Ok(pattern)
}
