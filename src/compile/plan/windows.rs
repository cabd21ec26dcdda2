//! Windows: which rows count for each period of what accumulates, looks back, or begins with a longer period.

use super::leg::{DAY, PERIOD, daily};
use super::periods::Bound;
use super::{Column, Context, Over, Planner, context};
use crate::compile::key::time_of;
use crate::compile::scope::{Resolved, Scope};
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, Reason, ReasonKind, compare, filter};
use crate::model::{AtCoarserGrain, ColumnType, DateRange, Filter, Grain, GroupBy, Measure};
use crate::warehouse::Shift;

impl<'a> Planner<'a> {
    /// A condition on the measure's own time limits the periods that are shown, as the time range does: put to the rows,
    /// it would cut their windows short.
    pub(super) fn limits_periods(
        &mut self,
        part: &Filter,
        measure: &'a Measure,
        scope: &mut Scope<'_>,
        window: &mut Windowed,
    ) -> Result<bool, CompileError> {
        if !self.is_about_time(part, measure) {
            return Ok(false);
        }
        let fields = part.fields();
        let is_alone = fields.iter().all(|field| self.is_time_of(field, measure));
        let by_day = |over: &&mut Over| over.periods.grain <= Grain::Day;
        match (window.over.as_mut().filter(by_day), &window.period) {
            (Some(over), Some(period)) if is_alone && window.daily.is_none() => {
                scope.time_as(Some(period.clone()));
                let only = filter::condition(part, scope, self.options.dialect)?;
                scope.time_as(None);
                over.only_where(&only);
                self.note(vec![Reason {
                    kind: ReasonKind::Time,
                    text: format!("{part} limits the periods shown, not the rows counted for them"),
                    place: None,
                }]);
                Ok(true)
            }
            _ => Err(CompileError::new(
                ErrorCode::InvalidTime,
                format!("'{part}' would cut off the earlier rows that this metric accumulates"),
            )
            .hint("use a time range, or group by day: both limit the rows shown, not the rows counted")
            .word(fields.first().copied().unwrap_or_default())),
        }
    }

    pub(super) fn window(
        &mut self,
        measure: &'a Measure,
        scope: &mut Scope<'_>,
        context: &Context<'a>,
    ) -> Result<Option<Windowed>, CompileError> {
        let Some((window, coarser)) = context.window else {
            return Ok(None);
        };
        if let Some(by_table) = self.window_by_table(measure, scope, context)? {
            return Ok(Some(by_table));
        }
        let grains = self.request.groups.iter().filter_map(|group| match group {
            GroupBy::Grain { grain, .. } if self.is_own_time(group, measure) => Some(*grain),
            _ => None,
        });
        let own_part = self.request.groups.iter().find(|group| {
            matches!(group, GroupBy::Part { .. }) && self.is_own_time(group, measure)
        });
        let time = time_of(measure, scope, None)?;
        match (grains.min(), own_part) {
            (Some(grain), _) => self
                .rolling((window, coarser), grain, &time, scope, context, measure)
                .map(Some),
            (None, Some(part)) => Err(CompileError::new(
                ErrorCode::InvalidTime,
                format!("{part} alone does not say at which point in time to accumulate"),
            )
            .hint(format!("group by day, {part}"))
            .word(part.to_string())),
            (None, None) => {
                let what = match measure.over_time {
                    Some(_) => "snapshots of",
                    None => "accumulated over",
                };
                self.at_the_end(window, what, context).map(Some)
            }
        }
    }

    /// Without periods in the result there is one window: the one that ends with the time range, or today.
    pub(super) fn at_the_end(
        &mut self,
        window: context::Window<'_>,
        what: &str,
        context: &Context<'_>,
    ) -> Result<Windowed, CompileError> {
        use jiff::ToSpan;
        let tomorrow = self.options.today.saturating_add(1.day());
        let end = self.request.range.end.map_or(tomorrow, |end| {
            let running = self
                .request
                .range
                .start
                .is_none_or(|start| start <= self.options.today);
            if running { end.min(tomorrow) } else { end }
        });
        let end = match &context.back {
            Some(back) => compare::moved_end(end, back.by),
            None => end,
        };
        let last = end.saturating_sub(1.day());
        let start = match window {
            context::Window::AllTime => None,
            context::Window::Trailing(_, grain) | context::Window::ToDate(grain)
                if grain.is_sub_day() =>
            {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    format!("a window of {grain}s needs a result by {grain}"),
                )
                .hint(format!("group by {grain}")));
            }
            context::Window::Trailing(n, grain) => {
                Some(end.saturating_sub(grain.span(i32::try_from(n).unwrap_or(9_998))))
            }
            context::Window::ToDate(grain) => {
                Some(grain.floor(last, self.registry.calendar.week_start))
            }
            context::Window::Period => context
                .back
                .as_ref()
                .map_or(self.request.range.start, |back| back.range.start),
            // Only the calendar table knows these, which is read before.
            context::Window::ToDateOf(_) | context::Window::StartOfPeriod(_) => None,
            context::Window::StartOf(grain) => {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    format!("the first period of a {grain} needs a result by a time grain"),
                )
                .hint("group by day, week or month"));
            }
        };
        let range = DateRange {
            start,
            end: Some(end),
        };
        self.note(vec![Reason {
            kind: ReasonKind::Time,
            text: format!("{what} {range}"),
            place: None,
        }]);
        Ok(Windowed {
            period: None,
            shown: None,
            over: None,
            range,
            daily: None,
        })
    }

    /// The periods of the result, each joined with the rows of its window.
    pub(super) fn rolling(
        &mut self,
        (window, coarser): (context::Window<'_>, AtCoarserGrain),
        grain: Grain,
        time: &Resolved<'_>,
        scope: &Scope<'_>,
        context: &Context<'_>,
        measure: &Measure,
    ) -> Result<Windowed, CompileError> {
        let dialect = self.options.dialect;
        let week_start = self.registry.calendar.week_start;
        // A day belongs to one week and one month, but a week to none: with both, the days are told apart.
        let crosses = grain == Grain::Week && self.is_by_longer_than_weeks(measure);
        // By dbt's rules the value of a long period is that of its last (or first) day which has one.
        let has_gaps = match window {
            context::Window::Trailing(..)
            | context::Window::ToDate(_)
            | context::Window::ToDateOf(_) => true,
            context::Window::AllTime => coarser == AtCoarserGrain::First,
            context::Window::StartOf(_)
            | context::Window::StartOfPeriod(_)
            | context::Window::Period => false,
        };
        let by_value = self.is_metricflow() && has_gaps;
        let is_long = grain > Grain::Day;
        let by_day = is_long && (crosses || by_value || coarser == AtCoarserGrain::Average);
        let shown = grain;
        let grain = if by_day || window == context::Window::Period {
            daily(grain)
        } else {
            grain
        };
        let key = if by_day {
            DAY.to_owned()
        } else {
            format!("{}_start", grain.word())
        };
        let by = context.back.as_ref().map(|back| back.by);
        let periods = self.periods(key.clone(), shown, grain, Some((time, scope, by)))?;
        let period = format!("{PERIOD}.{}", dialect.name(&key));
        // Months differ in length: the window of a moved period is made where the period comes to lie. Days and seconds do
        // not, so the bounds are moved.
        let (there, by) = match by {
            Some(by @ Shift::Months(_)) => (dialect.shift(&period, by.back()), None),
            by => (period.clone(), by),
        };
        let has_time = grain.is_sub_day() || matches!(by, Some(Shift::Seconds(_)));
        let moved = |bound: String| match by {
            None => bound,
            Some(by) if has_time => dialect.shift_timestamp(&bound, by.back()),
            Some(by) => dialect.shift(&bound, by.back()),
        };
        let (from, to) = match window {
            context::Window::StartOf(long) => {
                let crosses = long < grain || (grain == Grain::Week && long > Grain::Week);
                if crosses && !self.is_metricflow() {
                    return Err(CompileError::new(
                        ErrorCode::InvalidTime,
                        format!("a {long} has no first {grain}"),
                    )
                    .hint("group by a finer grain"));
                }
                let from = dialect.trunc(&moved(there.clone()), long, week_start);
                // Neither a week nor a year is the first of a month: dbt takes its first day.
                let first = if crosses { Grain::Day } else { grain };
                let to = dialect.next_period(&from, first);
                (Some(from), to)
            }
            context::Window::Period => {
                let from = moved(there.clone());
                let to = dialect.next_period(&from, grain);
                (Some(from), to)
            }
            window => {
                let unit = match coarser {
                    AtCoarserGrain::First if grain > Grain::Day => Grain::Day,
                    _ => grain,
                };
                let next = dialect.next_period(&there, unit);
                let to = moved(match self.cut(grain, context) {
                    Some(end) => dialect.least(&next, &end),
                    None => next,
                });
                let from = match window {
                    context::Window::Trailing(_, unit) | context::Window::ToDate(unit)
                        if unit.is_sub_day() && !grain.is_sub_day() =>
                    {
                        return Err(CompileError::new(
                            ErrorCode::InvalidTime,
                            format!("a window of {unit}s needs a result by {unit}, not by {grain}"),
                        )
                        .hint(format!("group by {unit}")));
                    }
                    context::Window::Trailing(n, unit) => {
                        Some(dialect.units_before(&to, n, unit, has_time))
                    }
                    context::Window::ToDate(long) if has_time => {
                        Some(dialect.trunc(&moved(there.clone()), long, week_start))
                    }
                    context::Window::ToDate(long) => {
                        let last = dialect.shift(&to, Shift::Days(-1));
                        Some(dialect.trunc(&last, long, week_start))
                    }
                    _ => None,
                };
                (from, to)
            }
        };
        let instant = |bound: String| dialect.bound(&bound, has_time);
        let of = dialect.comparable(&time.sql, has_time);
        let mut over = Over {
            periods,
            time: Fragment::new(of, [time.dimension.place]),
            from: from.map(instant),
            to: instant(to),
            only: None,
            has_time,
        };
        if let Some(Shift::Months(months)) = self.counterpart(context) {
            over.only_where(&dialect.has_counterpart(&period, -months));
        }
        // By dbt's rules what accumulates is limited by the range before it is shifted, too.
        if let (true, true, Some(start)) =
            (by_value, context.back.is_some(), self.request.range.start)
        {
            over.only_where(&format!(
                "{} >= {}",
                moved(there.clone()),
                dialect.date(start)
            ));
        }
        Ok(Windowed {
            period: Some(period),
            shown: None,
            over: Some(over),
            range: DateRange::default(),
            daily: by_day.then_some(coarser),
        })
    }

    /// Whether the result is by months, quarters or years of the measure's time.
    pub(super) fn is_by_longer_than_weeks(&self, measure: &Measure) -> bool {
        self.request.groups.iter().any(|group| match group {
            GroupBy::Grain { grain, .. } => {
                *grain > Grain::Week && self.is_own_time(group, measure)
            }
            GroupBy::Part { part, .. } => {
                part.period().is_some() && self.is_own_time(group, measure)
            }
            GroupBy::Dimension(_) => false,
        })
    }

    /// The end of the range (or of today, in a period that still runs), where it lies within a period.
    pub(super) fn cut(&self, grain: Grain, context: &Context<'_>) -> Option<String> {
        use jiff::ToSpan;
        let (dialect, today) = (self.options.dialect, self.options.today);
        let tomorrow = today.saturating_add(1.day());
        let looks_back = context.back.is_some() && !self.is_metricflow();
        let end = self.request.range.end.or(looks_back.then_some(tomorrow))?;
        let running = self.request.range.start.is_none_or(|start| start <= today);
        let end = if running { end.min(tomorrow) } else { end };
        let aligned =
            grain.is_sub_day() || grain.floor(end, self.registry.calendar.week_start) == end;
        let end = match context.back.as_ref().map(|back| back.by) {
            Some(by @ Shift::Months(_)) => compare::moved_end(end, by),
            _ => end,
        };
        (!aligned).then(|| dialect.date(end))
    }

    /// The keys of a result over a daily leg: the periods of the days, everything else by its name.
    pub(super) fn over_days(&self, keys: &[Column], measure: &Measure, day: &str) -> Vec<Column> {
        let dialect = self.options.dialect;
        let week_start = self.registry.calendar.week_start;
        let over = |(group, column): (&GroupBy, &Column)| {
            let sql = match group {
                GroupBy::Grain { grain, .. } if self.is_own_time(group, measure) => {
                    dialect.trunc(day, *grain, week_start)
                }
                GroupBy::Part { part, .. } if self.is_own_time(group, measure) => {
                    dialect.date_part(day, *part)
                }
                _ => dialect.name(&column.name),
            };
            Column {
                sql: Fragment::plain(sql),
                ..column.clone()
            }
        };
        self.request.groups.iter().zip(keys).map(over).collect()
    }

    /// The condition that a day is the last (or first) of its periods, or of the result.
    pub(super) fn edge_of_period(
        &self,
        keys: &[Column],
        measure: &Measure,
        take: AtCoarserGrain,
        window: Option<&Windowed>,
    ) -> String {
        let dialect = self.options.dialect;
        let periods = window.and_then(|window| Some(&window.over.as_ref()?.periods));
        let (step, bound) = match take {
            AtCoarserGrain::First => (-1, periods.map(|periods| &periods.first)),
            AtCoarserGrain::Last | AtCoarserGrain::Average => {
                (1, periods.map(|periods| &periods.last))
            }
        };
        let day = dialect.name(DAY);
        let beside = dialect.shift(&day, Shift::Days(step));
        let here = self.over_days(keys, measure, &day);
        let there = self.over_days(keys, measure, &beside);
        let changes = here
            .iter()
            .zip(&there)
            .filter(|(here, there)| here.sql != there.sql);
        let mut edges: Vec<String> = changes
            .map(|(here, there)| format!("{} <> {}", here.sql.sql, there.sql.sql))
            .collect();
        match bound {
            Some(Bound::Day(last)) => edges.push(format!("{day} = {}", dialect.date(*last))),
            Some(Bound::Data(last)) => edges.push(format!("{day} = ({})", last.sql)),
            None => {}
        }
        edges.join(" OR ")
    }

    /// The keys of a daily leg: the day instead of the periods it lies in.
    pub(super) fn daily_keys(&self, keys: &mut Vec<Column>, measure: &Measure) {
        let mut groups = self.request.groups.iter();
        keys.retain(|_| {
            let group = groups.next();
            !group.is_some_and(|group| self.is_own_time(group, measure))
        });
        let dialect = self.options.dialect;
        keys.push(Column {
            name: DAY.to_owned(),
            ty: ColumnType::Date,
            sql: Fragment::plain(format!("{PERIOD}.{}", dialect.name(DAY))),
        });
    }
}

/// The rows that a leg with a window reads.
pub(super) struct Windowed {
    /// The period as SQL, where the result has periods.
    pub(super) period: Option<String>,
    /// Where the periods are those of the calendar table: their relation, and whether it has one row per day.
    pub(super) shown: Option<(String, bool)>,
    pub(super) over: Option<Over>,
    pub(super) range: DateRange,
    /// Where the leg is by day: which day's value stands for a period.
    pub(super) daily: Option<AtCoarserGrain>,
}
