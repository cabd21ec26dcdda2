//! The statements that make and refresh the table of a rollup, and the table beside it that says what was made and when.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::{RollupState, RollupTable};
use crate::model::{ColumnType, Grain, Weekday};
use crate::warehouse::{Dialect, Shift};

/// The table in the warehouse that says which rollups are there.
const STATES: &str = "metrex_rollups";

/// Rows may come late: so many days before the last refresh are computed again.
const LATE: i32 = 7;

impl RollupState {
    /// The columns of [`RollupState::read`], in the order of the fields.
    pub const COLUMNS: [(&str, ColumnType); 6] = [
        ("name", ColumnType::Text),
        ("table_name", ColumnType::Text),
        ("definition", ColumnType::Text),
        ("until_day", ColumnType::Text),
        ("refreshed_at", ColumnType::Text),
        ("row_count", ColumnType::Integer),
    ];

    /// A query for the rollups that a warehouse has.
    pub fn read() -> String {
        let columns = Self::COLUMNS.map(|(name, _)| name).join(", ");
        format!("SELECT {columns} FROM {STATES} ORDER BY name")
    }

    /// The first day that a refresh computes again.
    pub fn again_from(&self, grain: Grain, week_start: Weekday) -> Date {
        grain.floor(self.until.saturating_sub(LATE.days()), week_start)
    }
}

impl RollupTable {
    /// Makes the table; one that metrex made before is replaced where `replace` says so, any other one is left alone.
    pub fn make(&self, replace: bool, dialect: Dialect) -> Vec<String> {
        let table = dialect.table(&self.table);
        let mut statements = Vec::new();
        if replace {
            statements.push(format!("DROP TABLE IF EXISTS {table}"));
        }
        statements.push(format!("CREATE TABLE {table} AS\n{}", self.sql));
        statements.extend(dialect.searched_by(&self.table, &self.period));
        statements
    }

    /// Replaces the rows from a day on by those that `rows` selects now.
    pub fn renew(&self, from: Date, rows: &str, dialect: Dialect) -> Vec<String> {
        let table = dialect.table(&self.table);
        let period = dialect.name(&self.period);
        vec![
            format!(
                "DELETE FROM {table} WHERE {period} >= {}",
                dialect.date(from)
            ),
            format!("INSERT INTO {table}\n{rows}"),
        ]
    }

    /// Makes room in the embedded file: for all rows, or for those from a day on.
    pub fn empty(&self, from: Option<Date>) -> Vec<String> {
        let dialect = Dialect::Sqlite;
        let table = dialect.table(&self.table);
        if let Some(from) = from {
            let from = dialect.date(from);
            let period = dialect.name(&self.period);
            return vec![format!("DELETE FROM {table} WHERE {period} >= {from}")];
        }
        // Columns without a type keep every value as it is.
        let columns = self.selected.iter().map(|(name, _)| dialect.name(name));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let mut statements = vec![
            format!("DROP TABLE IF EXISTS {table}"),
            format!("CREATE TABLE {table} ({columns})"),
        ];
        statements.extend(dialect.searched_by(&self.table, &self.period));
        statements
    }

    /// A query for the order that the warehouse has these texts in, each of which it tells apart from the others; they are
    /// compared as those of a column are.
    pub fn in_order(&self, column: &str, values: &[String], dialect: Dialect) -> String {
        let texts = values
            .iter()
            .map(|text| format!("({})", dialect.text(text)));
        let texts = texts.collect::<Vec<_>>().join(", ");
        format!(
            "SELECT metrex_text FROM (\n  SELECT {} AS metrex_text FROM (\n{}\n  ) AS rollup WHERE 1 = 0\n  \
             UNION SELECT * FROM (VALUES {texts}) AS known\n) AS every_text ORDER BY metrex_text",
            dialect.as_text(&dialect.name(column)),
            self.sql
        )
    }

    /// A query for how many of these four texts the warehouse tells apart in a column: a file tells apart all of them.
    pub fn told_apart(&self, column: &str, dialect: Dialect) -> String {
        let texts =
            ["a", "A", "á", "a "].map(|text| format!("UNION SELECT {}", dialect.text(text)));
        format!(
            "SELECT COUNT(*) AS texts FROM (\n  SELECT {} FROM (\n{}\n  ) AS rollup WHERE 1 = 0\n  {}\n) AS told_apart",
            dialect.name(column),
            self.sql,
            texts.join(" ")
        )
    }

    /// Writes down what was made.
    pub fn record(&self, until: Date, at: Timestamp, dialect: Dialect) -> Vec<String> {
        let text = |text: &str| dialect.text(text);
        let columns = RollupState::COLUMNS.map(|(name, ty)| match ty {
            ColumnType::Integer => format!("{name} bigint"),
            _ => format!("{name} text"),
        });
        let values = [
            text(&self.name),
            text(&self.table),
            text(&self.definition),
            text(&until.to_string()),
            text(&at.to_string()),
            format!("(SELECT COUNT(*) FROM {})", dialect.table(&self.table)),
        ];
        vec![
            format!(
                "CREATE TABLE IF NOT EXISTS {STATES} ({})",
                columns.join(", ")
            ),
            format!("DELETE FROM {STATES} WHERE name = {}", text(&self.name)),
            format!("INSERT INTO {STATES} VALUES ({})", values.join(", ")),
        ]
    }

    /// A query for the number of rows it would have, and of the rows they are made of.
    pub fn estimate(&self) -> String {
        let counts: Vec<&str> = self
            .counts
            .iter()
            .map(|(_, column)| column.as_str())
            .collect();
        let all = match counts.as_slice() {
            [] => "COUNT(*)".to_owned(),
            [first, ..] => format!("SUM({first})"),
        };
        format!(
            "SELECT COUNT(*) AS kept, {all} AS added_up FROM (\n{}\n) AS rollup",
            self.sql
        )
    }

    /// The table as an incremental model of dbt.
    pub fn dbt_model(&self, dialect: Dialect) -> String {
        let period = dialect.name(&self.period);
        let last = format!("(SELECT MAX({period}) FROM {{{{ this }}}})");
        let back = match self.grain {
            Grain::Week => Shift::Days(-7),
            Grain::Month => Shift::Months(-1),
            Grain::Quarter => Shift::Months(-3),
            Grain::Year => Shift::Months(-12),
            _ => Shift::Days(-LATE),
        };
        format!(
            "{{{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='{}', alias='{}') }}}}\n\n\
             SELECT * FROM (\n{}\n) AS rollup\n{{% if is_incremental() %}}\n\
             -- Rows may come late: the last periods are computed again.\nWHERE {period} >= {}\n{{% endif %}}\n",
            self.period,
            self.table.rsplit('.').next().unwrap_or(&self.table),
            self.sql.trim_end(),
            dialect.shift(&last, back),
        )
    }
}
