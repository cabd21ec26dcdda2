//! Decides whether an aggregation can be read from a rollup: only where that provably changes no row.

use std::cmp::Reverse;

use jiff::civil::Date;

use super::layout::{text, texts};
use super::{RollupState, RollupTable, Rollups, Stored, StoredLeaf};
use crate::compile::plan::{Context, Window};
use crate::compile::request::Request;
use crate::compile::write::Fragment;
use crate::compile::{
    CompileError, CompileOptions, DimensionPath, ErrorCode, Reachability, Reason, ReasonKind,
};
use crate::model::{
    DatePart, DateRange, DimensionType, Expression, Filter, Grain, GroupBy, Measure, Registry,
};
use crate::warehouse::{Dialect, Shift};

/// A rollup in the place of its dataset's rows, for one aggregation.
#[derive(Debug, Clone, Copy)]
pub(in crate::compile) struct Kept<'a> {
    table: &'a RollupTable,
    leaf: &'a StoredLeaf,
    /// The column with the number of rows that met the conditions of the definition; none where all rows did.
    count: Option<&'a str>,
    /// The first day that it does not have, where the query goes on: from there on, the rows are read.
    cut: Option<Date>,
}

impl<'a> Kept<'a> {
    pub(in crate::compile) fn name(&self) -> &'a str {
        &self.table.name
    }

    pub(in crate::compile) fn cut(&self) -> Option<Date> {
        self.cut
    }

    pub(in crate::compile) fn from(&self, dialect: Dialect) -> Fragment {
        Fragment::new(dialect.table(&self.table.table), [self.table.place])
            .alias(&dialect.name(&self.table.name))
    }

    /// The column of a dimension.
    pub(in crate::compile) fn column(
        &self,
        path: &DimensionPath,
        dialect: Dialect,
    ) -> Result<String, CompileError> {
        let found = self.table.keys.iter().find(|(key, _)| key == path);
        found
            .map(|(_, column)| self.qualified(column, dialect))
            .ok_or_else(|| self.lacks(&path.qualified()))
    }

    /// Why a name cannot be read from it.
    pub(in crate::compile) fn lacks(&self, name: &str) -> CompileError {
        CompileError::new(
            ErrorCode::InvalidDefinition,
            format!("the rollup {} does not have {name}", self.table.name),
        )
    }

    /// Groups without a row that meets the definition are no groups.
    pub(in crate::compile) fn condition(&self, dialect: Dialect) -> Option<String> {
        self.count
            .map(|count| format!("{} > 0", self.qualified(count, dialect)))
    }

    /// The columns that the aggregation is added up from.
    pub(in crate::compile) fn stored(&self, dialect: Dialect) -> Stored {
        let mut own = |column: &str| self.qualified(column, dialect);
        let stored = self.leaf.stored.map(&mut own);
        match self.table.embedded {
            true => Stored::Exact(Box::new(stored)),
            false => stored,
        }
    }

    fn qualified(&self, column: &str, dialect: Dialect) -> String {
        format!(
            "{}.{}",
            dialect.name(&self.table.name),
            dialect.name(column)
        )
    }
}

/// An aggregation as a query needs it.
pub(in crate::compile) struct Wanted<'q, 'a> {
    pub(in crate::compile) registry: &'a Registry,
    pub(in crate::compile) reach: &'q Reachability,
    pub(in crate::compile) request: &'q Request<'a>,
    pub(in crate::compile) options: &'a CompileOptions<'a>,
    pub(in crate::compile) measure: &'q Measure,
    pub(in crate::compile) context: &'q Context<'a>,
}

impl<'a> Wanted<'_, 'a> {
    /// The rollup that leaves the least to read and gives the same; and what there is to say of it, or of one that would, were
    /// it not stale.
    pub(in crate::compile) fn rollup(&self) -> (Option<Kept<'a>>, Vec<Reason>) {
        let Some(Rollups { tables, states }) = self.options.passes.rollups else {
            return (None, Vec::new());
        };
        let mut found: Vec<(Kept<'a>, &RollupState)> = Vec::new();
        let mut stale = Vec::new();
        for table in tables {
            let Some(state) = states.iter().find(|state| state.name == table.name) else {
                continue;
            };
            let Some(kept) = self.answered_by(table, state) else {
                continue;
            };
            match self.cut(table, state) {
                Ok(cut) => found.push((Kept { cut, ..kept }, state)),
                Err(why) => stale.push(reason(
                    table,
                    format!("the rollup {} is not used: {why}", table.name),
                )),
            }
        }
        // Rows are more to read than sums, so the rollup that is complete, or nearly, comes before the smallest.
        let least = |(kept, state): &&(Kept<'_>, &RollupState)| {
            (kept.cut.is_some(), Reverse(kept.cut), state.rows)
        };
        match found.iter().min_by_key(least) {
            None => (None, stale),
            // What is read from the embedded file, only the whole plan tells.
            Some((kept, _)) if kept.table.embedded => (Some(*kept), stale),
            Some((kept, state)) => {
                let since = kept.cut.map_or(String::new(), |cut| {
                    format!(" for the days before {cut}, from its rows since then")
                });
                let text = kept
                    .table
                    .read_as(&format!("the rollup {}{since}", kept.table.name), state);
                (Some(*kept), vec![reason(kept.table, text)])
            }
        }
    }

    /// The days whose rows are aggregated.
    fn range(&self) -> DateRange {
        let back = self.context.back.as_ref();
        back.map_or(self.request.range, |back| back.range)
    }

    /// The first day that has to be read from the rows, where the query goes on beyond what the rollup has; or why it is of
    /// no use.
    fn cut(&self, table: &RollupTable, state: &RollupState) -> Result<Option<Date>, String> {
        let command = format!("(metrex materialize {})", table.name);
        if state.definition != table.definition || state.table != table.table {
            return Err(format!(
                "its definition has changed since it was refreshed {command}"
            ));
        }
        if table.embedded
            && let Some(why) = self.differs(table)
        {
            return Err(why);
        }
        let (range, until) = (self.range(), state.until);
        let is_complete = range.end.is_some_and(|end| end <= until);
        if self.context.window.is_some() {
            return match range.end {
                Some(end) if range.start.is_some() && !is_complete => Err(format!(
                    "it is complete before {until}, and what accumulates or looks back goes on until {} {command}",
                    end.yesterday().unwrap_or(end)
                )),
                Some(_) if range.start.is_some() => Ok(None),
                _ => Err("where the time range is open, what accumulates or looks back depends on the first and the last row".to_owned()),
            };
        }
        if is_complete {
            return Ok(None);
        }
        if table.embedded {
            return Err(format!(
                "it is complete before {until}, and later days are in the warehouse {command}"
            ));
        }
        let cut = table.grain.floor(until, self.registry.calendar.week_start);
        match range.start {
            Some(start) if start >= cut => Err(format!(
                "it is complete before {cut}, and the query begins with {start} {command}"
            )),
            _ => Ok(Some(cut)),
        }
    }

    /// The columns, where the rollup gives the same as the rows of its dataset, if it is fresh.
    fn answered_by(&self, table: &'a RollupTable, state: &RollupState) -> Option<Kept<'a>> {
        let measure = self.measure;
        if measure.dataset != table.of || measure.over_time.is_some() {
            return None;
        }
        let find = |name: &str| self.reach.find(self.registry, &table.of, name).ok();
        let dataset = self.registry.datasets.get(&table.of)?;
        let (time, _) = table.keys.first()?;
        let own_time = measure.time.as_deref().or(dataset.time.as_deref())?;
        if find(own_time)? != time {
            return None;
        }
        let filters: Vec<&Expression> = measure
            .filters
            .iter()
            .chain(self.context.filters.iter().copied())
            .collect();
        let filters = texts(filters);
        let expr = measure.expr.as_ref().map(text);
        let leaf = table
            .leaves
            .iter()
            .find(|leaf| leaf.agg == measure.agg && leaf.expr == expr && leaf.filters == filters)?;
        let (_, count) = table.counts.iter().find(|(known, _)| *known == filters)?;

        let kind = time.resolve(self.registry)?.1.kind;
        // Of a date, the day is all there is.
        let is_whole = kind == DimensionType::Date && table.grain == Grain::Day;
        let has = |name: &str| match find(name) {
            Some(path) if path == time => is_whole,
            Some(path) => table.keys.iter().any(|(key, _)| key == path),
            None => false,
        };
        let of_time = |of: &Option<String>| match of {
            None => true,
            Some(of) => find(of).is_some_and(|path| path == time),
        };
        let groups = self.request.groups.iter().all(|group| match group {
            GroupBy::Dimension(name) => has(name),
            GroupBy::Grain { grain, of } if of_time(of) => {
                self.is_plain(*grain) && adds_up_to(table.grain, *grain)
            }
            GroupBy::Part { part, of } if of_time(of) => tells(table.grain, *part),
            GroupBy::Grain { of: Some(of), .. } | GroupBy::Part { of: Some(of), .. } => has(of),
            GroupBy::Grain { of: None, .. } | GroupBy::Part { of: None, .. } => false,
        });
        let conditions = self.request.conditions.iter();
        let conditions = conditions.flat_map(Filter::fields).all(has);
        let fits = self.is_plain(table.grain) && self.is_aligned(table.grain, state.until);
        if !(groups && conditions && fits) {
            return None;
        }
        // With one set of conditions there are no rows of others.
        let all_rows = table.counts.len() == 1;
        Some(Kept {
            table,
            leaf,
            count: (!all_rows).then_some(count),
            cut: None,
        })
    }

    /// Whether a grain is not a period of the calendar table, which may take its name.
    fn is_plain(&self, grain: Grain) -> bool {
        let table = self.registry.calendar.table.as_ref();
        table.is_none_or(|table| !table.periods.contains_key(grain.word()))
    }

    /// Whether the time range cuts no period of the rollup in two that it is complete for, and none is moved to elsewhere
    /// than its days.
    fn is_aligned(&self, grain: Grain, until: Date) -> bool {
        let range = self.range();
        let week_start = self.registry.calendar.week_start;
        let is_whole = |day: Date| grain.floor(day, week_start) == day;
        let starts = range.start.is_none_or(is_whole);
        let ends = range.end.is_none_or(|end| end > until || is_whole(end));
        let moves = match self.context.back.as_ref().map(|back| back.by) {
            None | Some(Shift::Months(_)) => true,
            Some(Shift::Days(n)) => grain == Grain::Day || (grain == Grain::Week && n % 7 == 0),
            Some(Shift::Seconds(_)) => false,
        };
        let lasts = match self.context.window {
            None => true,
            Some((Window::Trailing(_, unit), _)) => grain == Grain::Day && !unit.is_sub_day(),
            Some(_) => grain == Grain::Day,
        };
        starts && ends && moves && lasts
    }
}

/// Whether whole periods of one grain make up those of another: no month is made of weeks, and no week of months.
fn adds_up_to(kept: Grain, asked: Grain) -> bool {
    match kept {
        Grain::Day => asked >= Grain::Day,
        Grain::Week => asked == Grain::Week,
        kept => asked >= kept,
    }
}

/// Whether the first day of a period tells this part of all its days.
fn tells(kept: Grain, part: DatePart) -> bool {
    match kept {
        Grain::Day => part != DatePart::HourOfDay,
        Grain::Month => matches!(
            part,
            DatePart::MonthOfYear | DatePart::QuarterOfYear | DatePart::YearNumber
        ),
        Grain::Quarter => matches!(part, DatePart::QuarterOfYear | DatePart::YearNumber),
        Grain::Year => part == DatePart::YearNumber,
        _ => false,
    }
}

impl RollupTable {
    fn read_as(&self, what: &str, state: &RollupState) -> String {
        format!(
            "{} is read from {what}: {} rows by {}, refreshed {}",
            self.of,
            state.rows,
            self.keys().join(", "),
            state.refreshed_at.strftime("%F %H:%M UTC"),
        )
    }
}

impl Rollups {
    /// What there is to say of rollups in the embedded file that a plan reads: they answer a query as a whole, or not at all.
    pub(in crate::compile) fn said(&self, read: &[String], is_all: bool) -> Vec<Reason> {
        let named = self
            .tables
            .iter()
            .filter(|table| read.contains(&table.name));
        let each = named.filter_map(|table| {
            let state = self.states.iter().find(|state| state.name == table.name)?;
            let text = match is_all {
                true => table.read_as(&format!("the rollup {} in the embedded file", table.name), state),
                false => format!(
                    "the rollup {} is not used: it is in the embedded file, and the query needs rows of the warehouse, too",
                    table.name
                ),
            };
            Some(reason(table, text))
        });
        each.collect()
    }
}

fn reason(table: &RollupTable, text: String) -> Reason {
    Reason {
        kind: ReasonKind::Source,
        text,
        place: Some(table.place),
    }
}
