//! Figures over the rows of the result: share, running sum, rank and moving mean, as window functions over all groups.

use super::Output;
use super::columns::is_number;
use crate::compile::additivity::{Additivity, additivity};
use crate::compile::key::Key;
use crate::compile::plan::Formula;
use crate::compile::{CompileError, ErrorCode, Reason, ReasonKind, expr};
use crate::model::{ColumnType, GroupBy, Metric, Presented};

impl Output<'_> {
    /// The figures that the query asks for beside a metric.
    pub(super) fn shown(&self, metric: &Metric) -> impl Iterator<Item = Presented> {
        let of = |name: &str| name == metric.name;
        let shown = self.request.query.show.iter();
        shown
            .filter(move |shown| of(&shown.metric))
            .map(|shown| shown.what)
    }

    /// A figure over a metric, as SQL over the columns of the legs.
    pub(super) fn figure(
        &self,
        metric: &Metric,
        formula: &Formula,
        what: Presented,
    ) -> Result<(String, ColumnType), CompileError> {
        let dialect = self.options.dialect;
        let (value, ty) = self.value(formula, false)?;
        if what != Presented::Rank && !is_number(ty) {
            return Err(refused(metric, what, "it is no number"));
        }
        match what {
            Presented::Share => {
                let total = self.total(metric, formula)?;
                Ok((dialect.divide(&value, &total), ColumnType::Number))
            }
            Presented::Rank => {
                let key = dialect.order(&expr::operand(&value), true);
                let over = window(&self.partition(&self.periods_beside_others()), &key);
                let rank = format!("CASE WHEN {value} IS NOT NULL THEN RANK() OVER ({over}) END");
                Ok((rank, ColumnType::Integer))
            }
            Presented::Running => {
                self.adds_up(metric, true)
                    .map_err(|why| refused(metric, what, &why))?;
                let (period, _) = self.period(metric, what)?;
                let order = dialect.order(&dialect.name(&period.name), false);
                let over = window(&self.partition(&self.beside(period)), &order);
                self.summed(formula, &format!("{over} ROWS UNBOUNDED PRECEDING"))
            }
            Presented::Moving(n) => self.moving(metric, formula, n),
        }
    }

    /// Whether the values of groups add up, also of those that differ in time; else why not.
    fn adds_up(&self, metric: &Metric, over_time: bool) -> Result<(), String> {
        match additivity(self.registry, metric) {
            Additivity::Additive => Ok(()),
            Additivity::SemiAdditive { .. } if !over_time => Ok(()),
            Additivity::SemiAdditive { why, .. } | Additivity::NonAdditive { why } => Err(why),
        }
    }

    /// The metric over all groups (of the period), for the part that a group is of it.
    pub(super) fn total(&self, metric: &Metric, formula: &Formula) -> Result<String, CompileError> {
        let periods = self.periods_beside_others();
        // Groups of one period may differ in time too: by weekday, or by time alone, where the groups are the periods.
        let mut keys = self.planned.keys.iter();
        let over_time = keys.any(|key| is_of_time(key) && !periods.contains(&key));
        self.adds_up(metric, over_time)
            .map_err(|why| refused(metric, Presented::Share, &why))?;
        Ok(self.summed(formula, &self.partition(&periods))?.0)
    }

    /// The mean over the last so many periods: of a sum, periods without rows count as nothing; of anything else, they
    /// do not count.
    fn moving(
        &self,
        metric: &Metric,
        formula: &Formula,
        n: u32,
    ) -> Result<(String, ColumnType), CompileError> {
        let dialect = self.options.dialect;
        let week_start = self.registry.calendar.week_start;
        let (period, group) = self.period(metric, Presented::Moving(n))?;
        let grain = period.grain.unwrap_or(crate::model::Grain::Day);
        let (number, step) = dialect.period_number(&dialect.name(&period.name), grain);
        let back = u64::from(n.saturating_sub(1)) * u64::from(step);
        let over = format!(
            "{} RANGE BETWEEN {back} PRECEDING AND CURRENT ROW",
            window(&self.partition(&self.beside(period)), &number)
        );
        let mean = if self.adds_up(metric, true).is_ok() {
            let (sum, _) = self.summed(formula, &over)?;
            dialect.divide(&sum, &n.to_string())
        } else {
            let (value, _) = self.value(formula, false)?;
            dialect.cast(&format!("AVG({value}) OVER ({over})"), ColumnType::Number)
        };
        let own_time = matches!(group, GroupBy::Grain { of: None, .. });
        let first = match self.request.range.start.filter(|_| own_time) {
            Some(start) => {
                let first = dialect.date(grain.floor(start, week_start));
                dialect.period_number(&first, grain).0
            }
            None => format!("MIN({number}) OVER ()"),
        };
        // Fewer periods than that would look like a mean of all of them.
        let sql = format!("CASE WHEN {number} - ({first}) >= {back} THEN {mean} END");
        Ok((sql, ColumnType::Number))
    }

    /// The metric over the sums of its leaves in a window.
    fn summed(&self, formula: &Formula, over: &str) -> Result<(String, ColumnType), CompileError> {
        let dialect = self.options.dialect;
        formula.sql(dialect, &|leaf| {
            let sum = format!("SUM({}) OVER ({over})", self.leaf(leaf, false));
            // PostgreSQL adds integers up to a decimal number, DuckDB to a larger integer.
            match leaf.ty {
                ColumnType::Integer => dialect.cast(&sum, ColumnType::Integer),
                _ => sum,
            }
        })
    }

    /// The time grouping of the result, which has to be the only one.
    fn period(&self, metric: &Metric, what: Presented) -> Result<(&Key, &GroupBy), CompileError> {
        let groups = self.planned.keys.iter().zip(&self.request.groups);
        let mut periods = groups.filter(|(key, _)| key.grain.is_some());
        match (periods.next(), periods.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(CompileError::new(
                ErrorCode::InvalidTime,
                format!("{} {what} needs a result by time", metric.name),
            )
            .hint("group by day, week, month, quarter or year")
            .word(&metric.name)),
            (Some(_), Some(_)) => Err(CompileError::new(
                ErrorCode::InvalidTime,
                format!(
                    "{} {what} needs one time grouping, not several",
                    metric.name
                ),
            )
            .hint("keep one of them")
            .word(&metric.name)),
        }
    }

    /// The periods that rows are told apart by, where other groupings tell them apart too.
    fn periods_beside_others(&self) -> Vec<&Key> {
        let keys = &self.planned.keys;
        if keys.iter().all(|key| key.grain.is_some()) {
            return Vec::new();
        }
        keys.iter().filter(|key| key.grain.is_some()).collect()
    }

    fn beside(&self, period: &Key) -> Vec<&Key> {
        let keys = self.planned.keys.iter();
        keys.filter(|key| key.name != period.name).collect()
    }

    fn partition(&self, keys: &[&Key]) -> String {
        let names: Vec<String> = keys
            .iter()
            .map(|key| self.options.dialect.name(&key.name))
            .collect();
        match names.as_slice() {
            [] => String::new(),
            names => format!("PARTITION BY {}", names.join(", ")),
        }
    }

    /// What a reader has to know about the figures.
    pub(super) fn figure_reasons(&self) -> Vec<Reason> {
        let query = &self.request.query;
        let leaves_out = query.limit.is_some() || self.request.having.is_some();
        if query.show.is_empty() || !leaves_out {
            return Vec::new();
        }
        let figures: Vec<String> = query.show.iter().map(ToString::to_string).collect();
        vec![Reason {
            kind: ReasonKind::Note,
            text: format!(
                "{} is computed over all groups, before a condition on a metric or the limit leaves any out",
                figures.join(", ")
            ),
            place: None,
        }]
    }
}

/// Whether groups differ in time by a key: a period, a part of a time (a weekday takes in several), or a date.
fn is_of_time(key: &Key) -> bool {
    let is_date = matches!(key.ty, ColumnType::Date | ColumnType::Timestamp);
    key.grain.is_some() || key.dimension.is_none() || is_date
}

fn window(partition: &str, order: &str) -> String {
    match partition {
        "" => format!("ORDER BY {order}"),
        partition => format!("{partition} ORDER BY {order}"),
    }
}

fn refused(metric: &Metric, what: Presented, why: &str) -> CompileError {
    let hint = match what {
        Presented::Running => {
            "ask for the metric itself; a cumulative metric (of:, window:) counts again for each period"
        }
        _ => "ask for the metric itself, or for its rank",
    };
    CompileError::new(
        ErrorCode::InvalidClause,
        format!("{} {what} would be wrong: {why}", metric.name),
    )
    .hint(hint)
    .word(&metric.name)
}
