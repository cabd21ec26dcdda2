//! Distances in periods of the calendar table: which earlier period a comparison or an offset means.

use jiff::ToSpan;
use jiff::civil::Date;

use super::custom::{Custom, custom, named};
use super::{CompileError, ErrorCode};
use crate::model::{
    CalendarPeriod, CalendarTable, Comparison, DateRange, Filter, Grain, GroupBy, Registry,
};

/// Steps from a period of the calendar table to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PeriodsAgo<'a> {
    pub(super) table: &'a CalendarTable,
    pub(super) period: &'a CalendarPeriod,
    pub(super) n: u32,
    pub(super) step: Step<'a>,
    /// The first day that is not compared any more: where today lies within the range, only as many days of the earlier
    /// period count as there were of this one.
    pub(super) end: Option<Date>,
}

/// What one step is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step<'a> {
    /// To the period before, in the order of their first days.
    Before,
    /// To the period whose value a column has.
    Column(&'a str),
}

/// More steps than any question needs, and fewer tables than engines can join.
const MOST: u32 = 50;

impl<'a> PeriodsAgo<'a> {
    /// So many periods.
    pub(super) fn previous(registry: &'a Registry, name: &str, n: u32) -> Option<Self> {
        let table = registry.calendar.table.as_ref()?;
        let period = table.periods.get(name)?;
        let step = period.previous.as_deref();
        Some(Self {
            table,
            period,
            n,
            step: step.map_or(Step::Before, Step::Column),
            end: None,
        })
    }

    /// So many years, where the table says what a year before is.
    fn years(registry: &'a Registry, name: &str, n: u32) -> Option<Self> {
        let ago = Self::previous(registry, name, n)?;
        let column = ago.period.year_ago.as_deref()?;
        Some(Self {
            step: Step::Column(column),
            ..ago
        })
    }

    /// For the reader: `1 fiscal_quarter`, `2 years of fiscal_quarter`.
    pub(super) fn text(&self) -> String {
        let name = &self.period.name;
        let plural = if self.n == 1 { "" } else { "s" };
        match self.step {
            Step::Column(column) if Some(column) == self.period.year_ago.as_deref() => {
                format!("{} year{plural} of {name}", self.n)
            }
            _ => format!("{} {name}{plural}", self.n),
        }
    }

    /// What a comparison means, for the reader.
    pub(super) fn compared(&self, comparison: Comparison) -> String {
        let same_days = match self.end {
            Some(_) => "; of one that still runs, as many days as there were of it",
            None => "",
        };
        format!(
            "compared with {comparison}: each {} with the one {} before, as {} has them{same_days}",
            self.period.name,
            self.text(),
            self.table.table
        )
    }

    fn checked(self) -> Result<Self, CompileError> {
        if self.n <= MOST {
            return Ok(self);
        }
        Err(CompileError::new(
            ErrorCode::InvalidTime,
            format!("{} is further back than {MOST} steps", self.text()),
        )
        .hint("use fewer of a longer period"))
    }

    /// The distance of an input inside something that is as far back already.
    pub(super) fn further(self, outer: Option<Self>) -> Result<Self, CompileError> {
        match outer {
            None => self.checked(),
            Some(outer) if outer.period == self.period && outer.step == self.step => Self {
                n: outer.n.saturating_add(self.n),
                ..outer
            }
            .checked(),
            Some(outer) => Err(unlike_distances(&outer, &self.text())),
        }
    }
}

/// Refuses two distances that are not counted in the same periods.
pub(super) fn unlike_distances(ago: &PeriodsAgo<'_>, other: &str) -> CompileError {
    CompileError::new(
        ErrorCode::InvalidTime,
        format!("{} and {other} do not add up to one distance", ago.text()),
    )
    .hint("compare by the period of the metric's own offset")
}

/// The groupings that are no periods of the calendar table.
pub(super) fn civil(registry: &Registry, groups: &[GroupBy]) -> Vec<GroupBy> {
    let civil = groups
        .iter()
        .filter(|group| custom(registry, group).is_none());
    civil.cloned().collect()
}

/// The distance of an offset in years, in a result by a period whose table says what a year before is.
pub(super) fn years<'a>(
    registry: &'a Registry,
    groups: &[GroupBy],
    (n, grain): (u32, Grain),
) -> Option<PeriodsAgo<'a>> {
    let mut periods = own(registry, groups);
    match (grain, periods.next(), periods.next()) {
        (Grain::Year, Some(only), None) => PeriodsAgo::years(registry, &only.period.name, n),
        _ => None,
    }
}

/// The first day that is not compared: where today lies within a range, what is compared ends with it.
pub(super) fn cut(range: DateRange, today: Date) -> Option<Date> {
    let tomorrow = today.saturating_add(1.day());
    let runs = range.start.is_none_or(|start| start <= today)
        && range.end.is_none_or(|end| tomorrow < end);
    runs.then_some(tomorrow)
}

/// The periods of the calendar table that a result is by.
fn own<'g>(registry: &'g Registry, groups: &'g [GroupBy]) -> impl Iterator<Item = Custom<'g>> {
    let customs = groups.iter().filter_map(|group| custom(registry, group));
    customs.filter(|custom| custom.of.is_none())
}

/// The distance of a comparison in a result by a period of the calendar table, or of one period of it.
pub(super) fn compared<'a>(
    registry: &'a Registry,
    comparison: Comparison,
    (groups, conditions): (&[GroupBy], Option<&Filter>),
    range: DateRange,
    today: Date,
) -> Result<Option<PeriodsAgo<'a>>, CompileError> {
    let mut periods: Vec<Custom<'_>> = own(registry, groups).collect();
    if periods.is_empty() && range == DateRange::default() {
        let fields = conditions.into_iter().flat_map(Filter::fields);
        let of_fields = fields.filter_map(|field| named(registry, field));
        periods.extend(of_fields.filter(|period| period.of.is_none()));
        periods.dedup_by_key(|period| &period.period.name);
    }
    let period = match periods.as_slice() {
        [] => return Ok(None),
        [only] => *only,
        [first, .., last] => {
            return Err(CompileError::new(
                ErrorCode::InvalidTime,
                format!(
                    "{comparison} could be one of {} or one of {}",
                    first.period.name, last.period.name
                ),
            )
            .hint("group by one of them")
            .word(&last.period.name));
        }
    };
    if let Some(group) = groups.iter().find(|group| match group {
        GroupBy::Grain { grain, of } => {
            custom(registry, group).is_none() && (*grain != Grain::Day || of.is_some())
        }
        GroupBy::Part { .. } => true,
        GroupBy::Dimension(_) => false,
    }) {
        return Err(CompileError::new(
            ErrorCode::InvalidTime,
            format!(
                "{group} periods do not line up with those of {}",
                period.period.name
            ),
        )
        .hint(format!("compare by {} and by day", period.period.name))
        .word(group.to_string()));
    }
    let name = &period.period.name;
    let refuse = |why: String, hint: String| {
        Err(CompileError::new(ErrorCode::InvalidTime, why)
            .hint(hint)
            .word(name))
    };
    let years = |n| {
        PeriodsAgo::years(registry, name, n).map_or_else(
            || {
                refuse(
                    format!(
                        "{name} is a period of {}, which does not say the one of the year before",
                        period.table.table
                    ),
                    format!("add year_ago: and the column that has it to {name}, or compare with the previous period"),
                )
            },
            |ago| Ok(Some(ago)),
        )
    };
    let ago = match comparison {
        Comparison::PreviousPeriod => PeriodsAgo::previous(registry, name, 1),
        Comparison::PreviousYear => years(1)?,
        Comparison::Ago(n, grain) if grain.word() == name => {
            PeriodsAgo::previous(registry, name, n)
        }
        Comparison::Ago(n, Grain::Year) => years(n)?,
        Comparison::Ago(..) | Comparison::Range(..) => {
            return refuse(
                format!(
                    "{name} is a period of {}: {comparison} is no whole number of them",
                    period.table.table
                ),
                "vs previous period, or vs previous year".to_owned(),
            );
        }
    };
    // A period that still runs is compared with the same days of the earlier one.
    let end = cut(range, today);
    ago.map(|ago| PeriodsAgo { end, ..ago }.checked())
        .transpose()
}
