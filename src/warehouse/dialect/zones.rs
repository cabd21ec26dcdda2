//! Times stored without a zone, moved from the zone they are stored in to the one that days begin in.

use super::Dialect;
use crate::model::ColumnType;

impl Dialect {
    /// The local time in `zone` of a time that is stored without a zone and means one in `stored_in`; both are IANA
    /// names. Days of a clock change are right: a time that the stored zone's clocks show twice is the later one, a time
    /// they skip is as long after the change as it says.
    pub fn local_time(self, expr: &str, stored_in: &str, zone: &str) -> String {
        let (from, to) = (self.text(stored_in), self.text(zone));
        let at = || self.cast(expr, ColumnType::Timestamp);
        match self {
            // A function of metrex's own: SQLite knows no zones.
            Self::Sqlite => format!("metrex_local({expr}, {from}, {to})"),
            Self::Postgres => format!("(({} AT TIME ZONE {from}) AT TIME ZONE {to})", at()),
            Self::Duckdb => format!("timezone({to}, timezone({from}, {}))", at()),
            Self::Trino => {
                let zoned = format!("at_timezone(with_timezone({}, {from}), {to})", at());
                self.cast(&zoned, ColumnType::Timestamp)
            }
            Self::Snowflake | Self::Redshift | Self::Spark => {
                format!("CONVERT_TIMEZONE({from}, {to}, {})", at())
            }
            Self::Bigquery => format!("DATETIME(TIMESTAMP({}, {from}), {to})", at()),
            Self::Clickhouse => {
                format!(
                    "toTimeZone(toDateTime64(toString({}), 6, {from}), {to})",
                    at()
                )
            }
        }
    }
}
