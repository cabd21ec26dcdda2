//! Arithmetic with periods as SQL: where the next one starts, what lies some units before, and comparing times with both.

use super::{Dialect, Shift};
use crate::model::{ColumnType, Grain};

impl Dialect {
    /// The start of the period after the one that starts at `start`.
    pub fn next_period(self, start: &str, grain: Grain) -> String {
        let (n, unit) = match grain {
            Grain::Second | Grain::Minute | Grain::Hour => return self.add_time(start, 1, grain),
            Grain::Day => (1, "days"),
            Grain::Week => (7, "days"),
            Grain::Month => (1, "months"),
            Grain::Quarter => (3, "months"),
            Grain::Year => (12, "months"),
        };
        match (self, unit) {
            (Self::Sqlite, unit) => format!("date({start}, '+{n} {unit}')"),
            (_, "days") => self.shift(start, Shift::Days(n)),
            (_, _) => self.shift(start, Shift::Months(n)),
        }
    }

    /// The rows of a column `key` with every period from one to another, where the engine makes them itself; on the others
    /// a relation that reads itself has to.
    pub fn series(self, key: &str, first: &str, last: &str, grain: Grain) -> Option<String> {
        let (n, unit) = match grain {
            Grain::Week => (7, "day"),
            Grain::Day => (1, "day"),
            Grain::Month => (1, "month"),
            Grain::Quarter => (3, "month"),
            Grain::Year => (12, "month"),
            Grain::Second | Grain::Minute | Grain::Hour => return None,
        };
        Some(match self {
            Self::Spark => {
                format!("SELECT explode(sequence({first}, {last}, INTERVAL '{n}' {unit})) AS {key}")
            }
            Self::Trino => format!(
                "SELECT {key} FROM UNNEST(sequence({first}, {last}, INTERVAL '{n}' {unit})) AS series ({key})"
            ),
            Self::Bigquery => format!(
                "SELECT {key} FROM UNNEST(GENERATE_DATE_ARRAY({first}, {last}, INTERVAL {n} {unit})) AS {key}"
            ),
            _ => return None,
        })
    }

    /// So many units before a point in time, which is a day unless `has_time`.
    pub fn units_before(self, at: &str, n: u32, unit: Grain, has_time: bool) -> String {
        let n = i32::try_from(n).unwrap_or(i32::MAX);
        if unit.is_sub_day() {
            return self.add_time(at, -n, unit);
        }
        let by = match unit {
            Grain::Week => Shift::Days(n.saturating_mul(7)),
            Grain::Month => Shift::Months(n),
            Grain::Quarter => Shift::Months(n.saturating_mul(3)),
            Grain::Year => Shift::Months(n.saturating_mul(12)),
            _ => Shift::Days(n),
        }
        .back();
        if has_time {
            self.shift_timestamp(at, by)
        } else {
            self.shift(at, by)
        }
    }

    /// So many units after a point in time, in the form of [`Dialect::instant`].
    pub fn units_after(self, at: &str, n: u32, unit: Grain) -> String {
        let (n, unit) = match unit {
            Grain::Week => (n.saturating_mul(7), Grain::Day),
            Grain::Quarter => (n.saturating_mul(3), Grain::Month),
            unit => (n, unit),
        };
        match self {
            Self::Sqlite => {
                let floor = match unit {
                    Grain::Month | Grain::Year => ", 'floor'",
                    _ => "",
                };
                format!("strftime('%Y-%m-%d %H:%M:%f', {at}, '+{n} {unit}s'{floor})")
            }
            _ => format!("{at} + INTERVAL '{n} {unit}s'"),
        }
    }

    fn add_time(self, at: &str, n: i32, unit: Grain) -> String {
        match self {
            Self::Sqlite => format!("datetime({at}, '{n:+} {unit}s')"),
            _ => self.add(at, &n.to_string(), &unit.to_string()),
        }
    }

    /// A period as a number, and how much it grows by from one period to the next.
    pub fn period_number(self, start: &str, grain: Grain) -> (String, u32) {
        let number = match (self, grain) {
            (Self::Sqlite, Grain::Second | Grain::Minute | Grain::Hour) => {
                format!("CAST(strftime('%s', {start}) AS integer)")
            }
            (_, Grain::Second | Grain::Minute | Grain::Hour) => {
                format!("CAST(EXTRACT(epoch FROM {start}) AS bigint)")
            }
            (Self::Sqlite, Grain::Day | Grain::Week) => {
                format!("CAST(julianday({start}) AS integer)")
            }
            (_, Grain::Day | Grain::Week) => {
                format!("CAST({start} - DATE '1970-01-01' AS bigint)")
            }
            (Self::Sqlite, Grain::Month | Grain::Quarter | Grain::Year) => {
                format!(
                    "CAST(strftime('%Y', {start}) AS integer) * 12 + CAST(strftime('%m', {start}) AS integer)"
                )
            }
            (_, Grain::Month | Grain::Quarter | Grain::Year) => format!(
                "CAST(EXTRACT(year FROM {start}) * 12 + EXTRACT(month FROM {start}) AS bigint)"
            ),
        };
        let step = match grain {
            Grain::Second | Grain::Day | Grain::Month => 1,
            Grain::Minute => 60,
            Grain::Hour => 3600,
            Grain::Week => 7,
            Grain::Quarter => 3,
            Grain::Year => 12,
        };
        (number, step)
    }

    /// The days from one time to a later one, with their fraction.
    pub fn days_between(self, later: &str, earlier: &str) -> String {
        let at = |time: &str| self.cast(time, ColumnType::Timestamp);
        let seconds = match self {
            Self::Sqlite => {
                return format!(
                    "(unixepoch({later}, 'subsec') - unixepoch({earlier}, 'subsec')) / 86400.0"
                );
            }
            Self::Trino => {
                let (from, to) = (at(earlier), at(later));
                return format!("date_diff('millisecond', {from}, {to}) / 86400000.0");
            }
            Self::Duckdb => {
                let (from, to) = (at(earlier), at(later));
                return format!("date_diff('microsecond', {from}, {to}) / 86400000000.0");
            }
            _ => format!("EXTRACT(epoch FROM {} - {})", at(later), at(earlier)),
        };
        format!("{} / 86400", self.cast(&seconds, ColumnType::Number))
    }

    /// The smaller of two values.
    pub fn least(self, one: &str, other: &str) -> String {
        match self {
            Self::Sqlite => format!("min({one}, {other})"),
            _ => format!("LEAST({one}, {other})"),
        }
    }

    /// A time expression as something that compares with [`Dialect::bound`].
    pub fn comparable(self, time: &str, has_time: bool) -> String {
        if has_time {
            self.instant(time)
        } else {
            time.to_owned()
        }
    }

    /// A computed day (or, where `has_time`, point in time) as a bound of [`Dialect::comparable`].
    pub fn bound(self, at: &str, has_time: bool) -> String {
        if has_time {
            self.instant(at)
        } else {
            at.to_owned()
        }
    }

    /// `NULL` as that type.
    pub fn null(self, ty: ColumnType) -> String {
        self.cast("NULL", ty)
    }
}

impl Shift {
    /// As far in the other direction.
    pub fn back(self) -> Self {
        match self {
            Self::Months(n) => Self::Months(n.saturating_neg()),
            Self::Days(n) => Self::Days(n.saturating_neg()),
            Self::Seconds(n) => Self::Seconds(n.saturating_neg()),
        }
    }
}
