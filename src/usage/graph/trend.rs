//! How the use of a thing goes: by week, this month against the one before, and when it was used last.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::sql::DAYS;
use super::{NodeKind, Thing};
use crate::store::{Connection, SqlError, params};
use crate::usage::fold::DAY;
use crate::usage::{Usage, UsageError};

/// Weeks that a trend has.
pub const WEEKS: usize = 12;
/// Days of a month.
const MONTH: i64 = 30;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Answered queries over time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trend {
    /// In the last 30 days, today included.
    pub month: u64,
    /// In the 30 days before.
    pub before: u64,
    /// By week of seven days, the earliest first; the last one ends today.
    pub weeks: [u64; WEEKS],
    /// When the last query that touched it was started, answered or not.
    pub last: Option<Timestamp>,
}

impl Trend {
    /// What the last 30 days had more, as a share of the 30 before; `None` where there is nothing to compare with.
    pub fn change(&self) -> Option<f64> {
        let before = self.before as f64;
        (self.before > 0).then(|| (self.month as f64 - before) / before)
    }

    /// The weeks as blocks, one each: `▁▁▂▃▂▄▅▅▆▇▇█`; empty where nothing was used.
    pub fn blocks(&self) -> String {
        let most = self.weeks.iter().copied().max().unwrap_or(0);
        if most == 0 {
            return String::new();
        }
        let block = |week: &u64| {
            let level = (week * 7).div_ceil(most);
            usize::try_from(level)
                .ok()
                .and_then(|level| LEVELS.get(level))
        };
        self.weeks.iter().filter_map(block).collect()
    }

    /// `up 18 %`, `down 4 %`, `as before`, `new`; empty where nothing was used in 60 days.
    pub fn direction(&self) -> String {
        match self.change() {
            None if self.month == 0 => String::new(),
            None => "new".to_owned(),
            Some(change) => match (change * 100.0).round() {
                0.0 => "as before".to_owned(),
                up if up > 0.0 => format!("up {up} %"),
                down => format!("down {} %", -down),
            },
        }
    }

    fn add(&mut self, ago: i64, answered: u64) {
        match ago {
            ..0 => return,
            0..MONTH => self.month += answered,
            _ if ago < 2 * MONTH => self.before += answered,
            _ => {}
        }
        let week = usize::try_from(ago / 7).unwrap_or(WEEKS);
        if let Some(of) = WEEKS
            .checked_sub(week + 1)
            .and_then(|at| self.weeks.get_mut(at))
        {
            *of += answered;
        }
    }
}

/// The day of a time, as the fold counts them.
fn number(now: Timestamp) -> i64 {
    now.as_millisecond().div_euclid(DAY)
}

impl Usage {
    /// How the use of a thing goes, up to a time.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn trend(&self, thing: &Thing, now: Timestamp) -> Result<Trend, UsageError> {
        self.read(|file| {
            let Some(node) = super::node(file, thing)? else {
                return Ok(Trend::default());
            };
            let mut trend = Trend {
                last: Timestamp::from_millisecond(node.last_seen).ok(),
                ..Trend::default()
            };
            let today = number(now);
            let mut statement = file.prepare_cached(DAYS)?;
            let mut rows = statement.query([node.id, today - longest(), today])?;
            while let Some(row) = rows.next()? {
                trend.add(today - row.get::<_, i64>(0)?, row.get(1)?);
            }
            Ok(trend)
        })
    }

    /// How the use of every thing of a kind goes, up to a time, by key.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn trends(
        &self,
        kind: NodeKind,
        now: Timestamp,
    ) -> Result<HashMap<String, Trend>, UsageError> {
        self.read(|file| trends(file, kind, number(now)))
    }
}

/// The days that a trend looks back.
fn longest() -> i64 {
    let weeks = i64::try_from(WEEKS * 7).unwrap_or(0);
    weeks.max(2 * MONTH)
}

fn trends(
    file: &Connection,
    kind: NodeKind,
    today: i64,
) -> Result<HashMap<String, Trend>, SqlError> {
    let mut nodes = file.prepare_cached("SELECT id, key, last_seen FROM nodes WHERE kind = ?")?;
    let mut days = file.prepare_cached(DAYS)?;
    let mut trends = HashMap::new();
    let mut rows = nodes.query(params![kind.word()])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let mut trend = Trend {
            last: Timestamp::from_millisecond(row.get(2)?).ok(),
            ..Trend::default()
        };
        let mut used = days.query([id, today - longest(), today])?;
        while let Some(day) = used.next()? {
            trend.add(today - day.get::<_, i64>(0)?, day.get(1)?);
        }
        trends.insert(row.get(1)?, trend);
    }
    Ok(trends)
}
