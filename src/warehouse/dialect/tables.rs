//! What a new table needs to be searched fast.

use super::Dialect;

impl Dialect {
    /// The statements after a table was filled that is mostly read by ranges of one column.
    pub fn searched_by(self, table: &str, column: &str) -> Vec<String> {
        let (name, by) = (self.table(table), self.name(column));
        match self {
            Self::Sqlite => {
                let index = self.name(&format!("{table} by {column}"));
                vec![format!("CREATE INDEX {index} ON {name} ({by})")]
            }
            Self::Postgres => vec![
                format!("CREATE INDEX ON {name} ({by})"),
                format!("ANALYZE {name}"),
            ],
            // Tables that are kept by columns are searched fast without an index.
            _ => Vec::new(),
        }
    }
}
