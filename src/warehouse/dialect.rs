//! What differs between SQL engines. Names and literals are quoted here and nowhere else.

/// An SQL dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 12 or newer, AlloyDB.
    Postgres,
}

impl Dialect {
    /// The word used in options and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// A quoted identifier.
    pub fn name(self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A quoted table name; `schema.table` is quoted part by part.
    pub fn table(self, table: &str) -> String {
        let parts: Vec<_> = table.split('.').map(|part| self.name(part)).collect();
        parts.join(".")
    }

    /// A text literal.
    pub fn text(self, text: &str) -> String {
        // A NUL cannot be part of a text on any engine; it would end the statement early.
        format!("'{}'", text.replace('\0', "").replace('\'', "''"))
    }
}
