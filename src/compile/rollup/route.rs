//! Decides whether an aggregation can be read from a rollup: only where that provably changes no row.

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
use crate::warehouse::Dialect;

/// A rollup in the place of its dataset's rows, for one aggregation.
#[derive(Debug, Clone, Copy)]
pub(in crate::compile) struct Kept<'a> {
    table: &'a RollupTable,
    leaf: &'a StoredLeaf,
    /// The column with the number of rows that met the conditions of the definition; none where all rows did.
    count: Option<&'a str>,
}

impl<'a> Kept<'a> {
    pub(in crate::compile) fn name(&self) -> &'a str {
        &self.table.name
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
        let own = |column: &str| self.qualified(column, dialect);
        match &self.leaf.stored {
            Stored::Sum(column) => Stored::Sum(own(column)),
            Stored::Count(column) => Stored::Count(own(column)),
            Stored::Min(column) => Stored::Min(own(column)),
            Stored::Max(column) => Stored::Max(own(column)),
            Stored::Mean { sum, count } => Stored::Mean {
                sum: own(sum),
                count: own(count),
            },
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
    /// The rollup with the fewest rows that gives the same; and what there is to say of it, or of one that would, were it
    /// not stale.
    pub(in crate::compile) fn rollup(&self) -> (Option<Kept<'a>>, Vec<Reason>) {
        let Some(Rollups { tables, states }) = self.options.passes.rollups else {
            return (None, Vec::new());
        };
        let mut best: Option<(Kept<'a>, &RollupState)> = None;
        let mut stale = Vec::new();
        for table in tables {
            let Some(state) = states.iter().find(|state| state.name == table.name) else {
                continue;
            };
            let Some(kept) = self.answered_by(table) else {
                continue;
            };
            if let Some(why) = self.staleness(table, state) {
                stale.push(reason(
                    table,
                    format!("the rollup {} is not used: {why}", table.name),
                ));
            } else if best.is_none_or(|(_, known)| state.rows < known.rows) {
                best = Some((kept, state));
            }
        }
        match best {
            None => (None, stale),
            Some((kept, state)) => {
                let text = format!(
                    "{} is read from the rollup {}: {} rows by {}, refreshed {}",
                    kept.table.of,
                    kept.table.name,
                    state.rows,
                    kept.table.keys().join(", "),
                    state.refreshed_at.strftime("%F %H:%M UTC"),
                );
                (Some(kept), vec![reason(kept.table, text)])
            }
        }
    }

    /// The days whose rows are aggregated.
    fn range(&self) -> DateRange {
        let back = self.context.back.as_ref();
        back.map_or(self.request.range, |back| back.range)
    }

    fn staleness(&self, table: &RollupTable, state: &RollupState) -> Option<String> {
        let command = format!("(metrex materialize {})", table.name);
        if state.definition != table.definition || state.table != table.table {
            return Some(format!(
                "its definition has changed since it was refreshed {command}"
            ));
        }
        match self.range().end {
            None => Some(format!(
                "it is complete before {}, and the query has no end",
                state.until
            )),
            Some(end) if end > state.until => Some(format!(
                "it is complete before {}, and the query goes on until {} {command}",
                state.until,
                end.yesterday().unwrap_or(end)
            )),
            Some(_) => None,
        }
    }

    /// The columns, where the rollup gives the same as the rows of its dataset, if it is fresh.
    fn answered_by(&self, table: &'a RollupTable) -> Option<Kept<'a>> {
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
        if !(groups && conditions && self.is_plain(table.grain) && self.is_aligned(table.grain)) {
            return None;
        }
        let all_rows = filters.is_empty() && table.counts.len() == 1;
        Some(Kept {
            table,
            leaf,
            count: (!all_rows).then_some(count),
        })
    }

    /// Whether a grain is not a period of the calendar table, which may take its name.
    fn is_plain(&self, grain: Grain) -> bool {
        let table = self.registry.calendar.table.as_ref();
        table.is_none_or(|table| !table.periods.contains_key(grain.word()))
    }

    /// Whether the time range cuts no period of the rollup in two.
    fn is_aligned(&self, grain: Grain) -> bool {
        let range = self.range();
        let week_start = self.registry.calendar.week_start;
        let mut bounds = [range.start, range.end].into_iter().flatten();
        if !bounds.all(|day| grain.floor(day, week_start) == day) {
            return false;
        }
        match self.context.window {
            None => true,
            // Where the range is open, windows depend on the first and last row of the dataset.
            Some(_) if range.start.is_none() || range.end.is_none() => false,
            Some((Window::Trailing(_, unit), _)) => grain == Grain::Day && !unit.is_sub_day(),
            Some(_) => grain == Grain::Day,
        }
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

fn reason(table: &RollupTable, text: String) -> Reason {
    Reason {
        kind: ReasonKind::Source,
        text,
        place: Some(table.place),
    }
}
