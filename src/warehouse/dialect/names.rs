//! Names and text literals: quoted here and nowhere else.

use sqlparser::ast::Ident;

use super::Dialect;
use super::reserved::is_reserved;

impl Dialect {
    /// An identifier, quoted unless it is a plain lower-case word that is not reserved.
    pub fn name(self, name: &str) -> String {
        match is_plain(name) {
            true => name.to_owned(),
            false => self.ident(name).to_string(),
        }
    }

    /// An identifier for a parsed expression, quoted by the same rule as [`Dialect::name`].
    pub fn ident(self, name: &str) -> Ident {
        if is_plain(name) {
            return Ident::new(name);
        }
        // A NUL cannot be part of a name on any engine; it would end the statement early.
        Ident::with_quote(self.quote(), name.replace('\0', ""))
    }

    fn quote(self) -> char {
        match self {
            Self::Bigquery | Self::Clickhouse | Self::Spark => '`',
            _ => '"',
        }
    }

    /// A table name; `schema.table` is quoted part by part.
    pub fn table(self, table: &str) -> String {
        let parts: Vec<_> = table.split('.').map(|part| self.name(part)).collect();
        parts.join(".")
    }

    /// A text literal.
    pub fn text(self, text: &str) -> String {
        // A NUL cannot be part of a text on any engine; it would end the statement early.
        let text = text.replace('\0', "");
        match self {
            Self::Sqlite | Self::Postgres | Self::Duckdb | Self::Trino => {
                format!("'{}'", text.replace('\'', "''"))
            }
            // Here a backslash gives the next sign another meaning.
            Self::Snowflake | Self::Redshift | Self::Clickhouse => {
                format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
            }
            Self::Bigquery | Self::Spark => {
                let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
                format!("'{}'", escaped.replace('\n', "\\n").replace('\r', "\\r"))
            }
        }
    }
}

/// Whether a name stands for itself without quotes on every engine.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !is_reserved(name)
}
