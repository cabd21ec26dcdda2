//! The periods of a result as rows: of its time range, of the data, or of the calendar table.

use jiff::ToSpan;
use jiff::civil::Date;

use super::legs::bracketed;
use super::periods::Bound;
use super::{CalendarRows, Node, Periods, Planner, Shown};
use crate::compile::custom::{Custom, custom, named};
use crate::compile::operand::TableDays;
use crate::compile::scope::{Resolved, Scope};
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, conventions, filter};
use crate::model::{ColumnType, DateRange, Filter, Grain, GroupBy, Measure, Place};
use crate::warehouse::Shift;

/// The name under which the calendar table is read.
const DAYS: &str = "metrex_days";

impl<'a> Planner<'a> {
    /// Every period of the time range; where that is open, of the data.
    pub(super) fn periods(
        &self,
        key: String,
        shown: Grain,
        grain: Grain,
        data: Option<(&Resolved<'_>, &Scope<'_>, Option<Shift>)>,
    ) -> Result<Periods, CompileError> {
        let dialect = self.options.dialect;
        let week_start = self.registry.calendar.week_start;
        let range = self.request.range;
        countable(range, grain)?;
        let spine = self.spine(grain);
        let spine = spine.filter(|_| data.is_none() || self.is_metricflow());
        // The first or last period of the data; with a day, its period where that is later (`>`) or earlier (`<`).
        let of_data = |end: &str, or: Option<(&str, Date)>| match (data, spine) {
            (_, Some((table, column, place))) => {
                let time = format!("{end}({})", dialect.name(column));
                let found = dialect.trunc(&time, grain, week_start);
                let sql = format!("SELECT {found} FROM {}", dialect.table(table));
                Ok(Bound::Data(Fragment::new(sql, [place])))
            }
            (None, None) => Err(CompileError::new(
                ErrorCode::InvalidTime,
                "a row for every period needs a time range with a start",
            )
            .hint("for instance: last 6 months")),
            (Some((time, scope, by)), None) => {
                let (from, joins) = scope.tables_so_far();
                let found = format!("{end}({})", time.sql);
                let found = match by {
                    Some(by) if !grain.is_sub_day() => {
                        // Days are moved as days, whatever period they come to lie in.
                        let unit = match by {
                            Shift::Months(_) => grain,
                            Shift::Days(_) | Shift::Seconds(_) => Grain::Day,
                        };
                        let there = dialect.shift(&dialect.trunc(&found, unit, week_start), by);
                        dialect.trunc(&there, grain, week_start)
                    }
                    _ => dialect.trunc(&found, grain, week_start),
                };
                let found = match or {
                    None => found,
                    Some((sign, day)) => {
                        let day = dialect.date(grain.floor(day, week_start));
                        format!("CASE WHEN {found} {sign} {day} THEN {found} ELSE {day} END")
                    }
                };
                let mut sql = format!("SELECT {found} FROM {}", from.sql);
                for join in joins {
                    sql.push_str(&format!(" {}", join.sql().sql));
                }
                Ok(Bound::Data(Fragment::new(sql, from.places)))
            }
        };
        let first = match range.start {
            Some(start) => Bound::Day(grain.floor(shown.floor(start, week_start), week_start)),
            None => of_data("MIN", None)?,
        };
        let today = self.options.today;
        let last = match (range.end, data) {
            // What looks back in a range without an end ends today: later periods have none before them.
            (None, Some((.., Some(_)))) if !grain.is_sub_day() && !self.is_metricflow() => {
                match range.start {
                    None => of_data("MAX", Some(("<", today)))?,
                    Some(_) => Bound::Day(grain.floor(today, week_start)),
                }
            }
            (None, Some(_))
                if range.start.is_none() || grain.is_sub_day() || self.is_metricflow() =>
            {
                of_data("MAX", None)?
            }
            // A trend with a start goes on to today, and so does what accumulates in it; rows after today have periods too.
            (None, Some(_)) => of_data("MAX", Some((">", today)))?,
            // dbt knows no today: its periods are those of the table.
            (None, None) if range.start.is_none() || (self.is_metricflow() && spine.is_some()) => {
                of_data("MAX", None)?
            }
            (Some(end), _) if grain.is_sub_day() => {
                let end = dialect.timestamp(end.to_datetime(jiff::civil::Time::midnight()));
                Bound::Data(Fragment::plain(format!(
                    "SELECT {}",
                    dialect.units_before(&end, 1, grain, true)
                )))
            }
            (Some(end), _) if self.is_metricflow() => {
                let last = end.yesterday().unwrap_or(end);
                Bound::Day(grain.floor(last, week_start))
            }
            (end, _) => {
                let last = filter::last_day(end, self.options.today);
                Bound::Day(grain.floor(last, week_start))
            }
        };
        Ok(Periods {
            key,
            grain,
            first,
            last,
            of_table: None,
        })
    }

    /// The periods that are rows of the result, without those that a condition on the time leaves out.
    pub(super) fn calendar(&mut self) -> Result<Option<Shown>, CompileError> {
        let Some(periods) = self.every_period()? else {
            return Ok(None);
        };
        let parts = self.parts();
        // What is asked for by itself stands beside every group.
        let is_bare = self.request.query.every_period.is_none();
        for leg in &mut self.planned.legs {
            leg.missing_are_rows &= is_bare;
        }
        let groups = &self.request.groups;
        if self.planned.legs.iter().any(|leg| leg.missing_are_rows)
            && parts
                .iter()
                .any(|part| !conventions::keeps_empty(part, groups))
        {
            return Ok(None);
        }
        if periods.of_table.is_some() {
            return Ok(Some(Shown {
                periods,
                only: None,
            }));
        }
        let mut only = Vec::new();
        let dialect = self.options.dialect;
        let key = dialect.name(&periods.key);
        // A month is not left out for some of its days; what dbt compares with months are months.
        let is_whole = periods.grain <= Grain::Day || self.is_metricflow();
        for part in parts.iter().filter(|_| is_whole) {
            let fields = part.fields();
            let is_of_time =
                |measure: &&'a Measure| fields.iter().all(|field| self.is_time_of(field, measure));
            if let (true, Some(measure)) =
                (self.measures.iter().all(is_of_time), self.measures.first())
            {
                if fields
                    .iter()
                    .any(|field| named(self.registry, field).is_some())
                {
                    only.extend(self.days_where(part, &key, periods.grain)?);
                    continue;
                }
                let peers = self.peers.clone();
                let mut scope = self.scope(measure, &peers)?;
                scope.time_as(Some(key.clone()));
                only.push(bracketed(&filter::condition(part, &mut scope, dialect)?));
            }
        }
        let only = (!only.is_empty()).then(|| Fragment::plain(only.join(" AND ")));
        Ok(Some(Shown { periods, only }))
    }

    /// The conditions on dimensions, all of which hold.
    pub(super) fn parts(&self) -> &'a [Filter] {
        match &self.request.conditions {
            Some(Filter::And(parts)) => parts,
            Some(one) => std::slice::from_ref(one),
            None => &[],
        }
    }

    /// The table, its column and its place, that says from when to when there are periods of a grain.
    fn spine(&self, grain: Grain) -> Option<(&'a str, &'a str, Place)> {
        let calendar = &self.registry.calendar;
        if grain.is_sub_day() {
            let spine = calendar.spine(grain)?;
            return Some((&spine.table, &spine.column, spine.place));
        }
        let table = calendar.table.as_ref()?;
        Some((&table.table, &table.date, table.place))
    }

    /// The periods of the calendar table that have days of the time range, which may be open.
    fn periods_of_table(
        &mut self,
        key: String,
        ty: ColumnType,
        period: &Custom<'_>,
    ) -> Result<Periods, CompileError> {
        let dialect = self.options.dialect;
        let range = self.request.range;
        let end = match range {
            DateRange {
                start: None,
                end: None,
            } => None,
            DateRange { end, .. } => {
                Some(filter::last_day(end, self.options.today).saturating_add(1.day()))
            }
        };
        let date = format!("{DAYS}.{}", dialect.name(&period.table.date));
        let column = format!("{DAYS}.{}", dialect.name(&period.period.column));
        let mut conditions = format!("{column} IS NOT NULL AND {date} IS NOT NULL");
        if let Some(bounds) = filter::bounds(&date, DateRange { end, ..range }, dialect) {
            conditions = format!("{conditions} AND {bounds}");
        }
        let is_period =
            |field: &&str| named(self.registry, field).is_some_and(|period| period.of.is_none());
        for part in self.parts() {
            if part.fields().iter().all(is_period) {
                let mut days =
                    TableDays::new(self.registry, period.table, self.options.values, DAYS);
                let sql = filter::condition(part, &mut days, dialect)?;
                conditions = format!("{conditions} AND {}", bracketed(&sql));
            }
        }
        let sql = format!(
            "SELECT DISTINCT {} AS {}\n  FROM {} AS {DAYS}\n  WHERE {conditions}",
            dialect.cast(&column, ty),
            dialect.name(&key),
            dialect.table(&period.table.table),
        );
        let text = format!("every {} of {}", period.period.name, period.table.table);
        let name = self.relation(
            "metrex_periods",
            CalendarRows {
                text,
                sql: Fragment::new(sql, [period.period.place]),
            },
        );
        let bound = |day: Option<Date>| Bound::Day(day.unwrap_or_default());
        Ok(Periods {
            key,
            grain: Grain::Day,
            first: bound(range.start),
            last: bound(end),
            of_table: Some(name),
        })
    }

    /// Days for which a condition on periods of the calendar table holds.
    fn days_where(
        &mut self,
        part: &Filter,
        day: &str,
        grain: Grain,
    ) -> Result<Option<String>, CompileError> {
        let dialect = self.options.dialect;
        let table = self.registry.calendar.table.as_ref();
        let Some(table) = table.filter(|_| grain == Grain::Day) else {
            return Ok(None);
        };
        let mut days = TableDays::new(self.registry, table, self.options.values, DAYS);
        let condition = filter::condition(part, &mut days, dialect)?;
        Ok(Some(format!(
            "{day} IN (SELECT {DAYS}.{} FROM {} AS {DAYS} WHERE {condition})",
            dialect.name(&table.date),
            dialect.table(&table.table)
        )))
    }

    /// A relation over the calendar table under a name of its own; the same one once.
    pub(super) fn relation(&mut self, name: &str, rows: CalendarRows) -> String {
        let node = Node::Calendar(rows);
        let tables = &mut self.planned.tables;
        if let Some((known, _)) = tables.iter().find(|(_, known)| *known == node) {
            return known.clone();
        }
        let base = match &self.request.within {
            None => name.to_owned(),
            Some(within) => format!("{name}_of_{within}"),
        };
        let mut own = base.clone();
        let mut n = 2;
        while tables.iter().any(|(known, _)| *known == own) {
            own = format!("{base}_{n}");
            n += 1;
        }
        tables.push((own.clone(), node));
        own
    }

    /// A trend over one time grain and nothing else shows every period of its range, also the empty ones; where it is
    /// asked for, or a metric says so, other results do too.
    fn every_period(&mut self) -> Result<Option<Periods>, CompileError> {
        let request = self.request;
        let wanted = request.query.every_period;
        let by_definition = self.every_period;
        let grains: Vec<(usize, Grain)> = request
            .groups
            .iter()
            .enumerate()
            .filter_map(|(index, group)| match group {
                _ if let Some(period) = custom(self.registry, group) => {
                    period.of.is_none().then_some((index, Grain::Day))
                }
                GroupBy::Grain { grain, of: None } => Some((index, *grain)),
                _ => None,
            })
            .collect();
        let asked = wanted == Some(true) || (wanted.is_none() && by_definition);
        let &[(index, grain)] = grains.as_slice() else {
            if wanted == Some(true) {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    "a row for every period needs exactly one time grain",
                )
                .hint("group by day, week, month, quarter or year"));
            }
            return Ok(None);
        };
        let alone = request.groups.len() == 1 && !grain.is_sub_day();
        let automatic =
            wanted.is_none() && alone && request.having.is_none() && !self.is_metricflow();
        if !(asked || automatic) {
            return Ok(None);
        }
        let Some(key) = self.planned.keys.get(index) else {
            return Ok(None);
        };
        let group = request.groups.get(index);
        if let Some(period) = group.and_then(|group| custom(self.registry, group)) {
            if automatic && !asked && request.range.start.is_none() {
                return Ok(None);
            }
            let (name, ty) = (key.name.clone(), key.ty);
            return self.periods_of_table(name, ty, &period).map(Some);
        }
        if request.range.start.is_none() {
            let periods = self.periods(key.name.clone(), grain, grain, None);
            if wanted == Some(true) {
                return periods.map(Some);
            }
            if by_definition {
                return Ok(periods.ok());
            }
            return Ok(None);
        }
        let periods = self.periods(key.name.clone(), grain, grain, None)?;
        Ok(match (&periods.first, &periods.last) {
            (Bound::Day(first), Bound::Day(last)) if first > last => None,
            _ => Some(periods),
        })
    }
}

/// Nobody reads the seconds of a year, and the engine would make them all.
fn countable(range: DateRange, grain: Grain) -> Result<(), CompileError> {
    const MOST: i64 = 1_000_000;
    let per_day = match grain {
        Grain::Hour => 24,
        Grain::Minute => 24 * 60,
        Grain::Second => 24 * 60 * 60,
        _ => return Ok(()),
    };
    match range.days().map(|days| i64::from(days) * per_day) {
        Some(periods) if periods > MOST => Err(CompileError::new(
            ErrorCode::InvalidTime,
            format!("{range} has {periods} {grain}s, too many for one result"),
        )
        .hint("ask for fewer days, or group by a longer grain")),
        _ => Ok(()),
    }
}
