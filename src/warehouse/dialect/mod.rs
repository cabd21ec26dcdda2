//! What differs between SQL engines, one file per subject. Nothing outside this folder writes SQL for one engine.

mod functions;
mod names;
mod periods;
mod reserved;
mod shift;
mod times;
mod types;

pub use shift::Shift;

/// An SQL dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 12 or newer, AlloyDB.
    Postgres,
    /// DuckDB 1.2 or newer.
    Duckdb,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::Duckdb];

    /// The word used in options and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Duckdb => "duckdb",
        }
    }

    /// The dialect of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.word() == word)
    }
}
