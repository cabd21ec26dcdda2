//! The days of the calendar table that a leg shows, each with the day whose rows count for it: what its periods are, and
//! which ones lie before them, only the table can tell.

use super::leg::{DAY, PERIOD};
use super::periods::Bound;
use super::windows::Windowed;
use super::{CalendarRows, Column, Context, Over, Periods, Planner, Window};
use crate::compile::custom::{custom, named};
use crate::compile::key::time_of;
use crate::compile::operand::TableDays;
use crate::compile::periods_ago::Step;
use crate::compile::scope::Scope;
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, filter};
use crate::model::{
    AtCoarserGrain, CalendarPeriod, CalendarTable, ColumnType, DatePart, DateRange, Filter, Grain,
    GroupBy, Measure,
};
use crate::warehouse::Shift;

/// The column with the day whose rows count.
pub(super) const COUNTED: &str = "metrex_counted";
/// The column with the first day of the period that a window reaches back to.
const SINCE: &str = "metrex_since";
/// The column with the last day of the first period of the result within that one.
const OPENING: &str = "metrex_opening";

/// The name under which the days that are shown are read.
const SHOWN: &str = "metrex_days";

/// Days of the table as a FROM clause.
struct Source<'a> {
    table: &'a CalendarTable,
    from: String,
    /// The name under which the table's columns on the day that is shown are read.
    alias: &'static str,
    /// The day that is shown.
    day: String,
    /// The day whose rows count for it.
    counted: String,
}

impl<'a> Planner<'a> {
    /// Whether only the days of the calendar table tell which rows count for the periods of a leg.
    fn is_by_table(&self, measure: &'a Measure, context: &Context<'_>) -> bool {
        let mut groups = self.request.groups.iter();
        let by_period = |group: &GroupBy| {
            custom(self.registry, group).is_some() && self.is_own_time(group, measure)
        };
        let parts = self.parts().iter();
        matches!(
            context.window,
            Some((Window::ToDateOf(_) | Window::StartOfPeriod(_), _))
        ) || context.ago.is_some()
            || groups.any(by_period)
            || parts
                .flat_map(Filter::fields)
                .any(|field| self.is_own_period(field, measure))
    }

    /// Whether a field is a period of the time that a measure's periods are of.
    fn is_own_period(&self, field: &str, measure: &'a Measure) -> bool {
        named(self.registry, field).is_some() && self.is_time_of(field, measure)
    }

    /// Whether a condition is one on the periods that a leg shows, and not on its rows.
    pub(super) fn is_of_periods(
        &self,
        part: &Filter,
        measure: &'a Measure,
    ) -> Result<bool, CompileError> {
        let fields = part.fields();
        match fields.iter().filter(|field| self.is_time_of(field, measure)).count() {
            0 => Ok(false),
            n if n == fields.len() => Ok(true),
            _ => Err(CompileError::new(
                ErrorCode::InvalidClause,
                format!(
                    "'{part}' mixes the periods that are shown with the rows that count for them, which may lie in others"
                ),
            )
            .hint("join the two with 'and'")),
        }
    }

    /// The relation that moves the rows of a leg to the days that they count for, some periods later. Its keys are those
    /// of these days.
    pub(super) fn moved_by_table(
        &mut self,
        measure: &'a Measure,
        scope: &mut Scope<'_>,
        context: &Context<'a>,
    ) -> Result<Option<String>, CompileError> {
        let (Some(ago), None) = (context.ago, context.window) else {
            return Ok(None);
        };
        let dialect = self.options.dialect;
        let time = time_of(measure, scope, None)?;
        let source = self.days_shown(measure, context)?;
        let keys = self.shown_keys(measure, &source)?;
        let range = DateRange {
            end: earlier(self.request.range.end, ago.end),
            ..self.request.range
        };
        let mut conditions = self.shown_conditions(measure, &source)?;
        conditions.extend(filter::bounds(&source.day, range, dialect));
        let counted = format!("{} AS {COUNTED}", source.counted);
        let columns = std::iter::once(counted).chain(self.named_columns(&keys));
        let sql = select(columns.collect(), &source.from, &conditions);
        let text = format!("days, each with the one {} before", ago.text());
        let name = self.relation(
            "metrex_moved",
            CalendarRows {
                text,
                sql: Fragment::new(sql, [ago.period.place]),
            },
        );
        scope.join_days(&name, &format!("{name}.{COUNTED}"), &time.sql);
        Ok(Some(name))
    }

    /// The window of a leg whose periods only the calendar table knows.
    pub(super) fn window_by_table(
        &mut self,
        measure: &'a Measure,
        scope: &mut Scope<'_>,
        context: &Context<'a>,
    ) -> Result<Option<Windowed>, CompileError> {
        let Some((window, coarser)) = context.window else {
            return Ok(None);
        };
        if !self.is_by_table(measure, context) {
            return Ok(None);
        }
        let dialect = self.options.dialect;
        let time = time_of(measure, scope, None)?;
        let source = self.days_shown(measure, context)?;
        let keys = self.shown_keys(measure, &source)?;
        let is_longer = !self.shown_by_day(measure) && !keys.is_empty();
        // By dbt's rules the value of a long period is that of its last (or first) day which has one.
        let has_gaps = match window {
            Window::Trailing(..) | Window::ToDate(_) | Window::ToDateOf(_) => true,
            Window::AllTime => coarser == AtCoarserGrain::First,
            Window::StartOf(_) | Window::StartOfPeriod(_) | Window::Period => false,
        };
        let by_value = self.is_metricflow() && has_gaps;
        let by_day = is_longer && (by_value || coarser == AtCoarserGrain::Average);
        let mut from = source.from.clone();
        let mut columns: Vec<String> = self.named_columns(&keys).collect();
        let end = match coarser {
            AtCoarserGrain::First if is_longer => "MIN",
            _ => "MAX",
        };
        let pick = |column: &str, name: &str| match by_day {
            true => format!("{column} AS {name}"),
            false => format!("{end}({column}) AS {name}"),
        };
        columns.push(pick(&source.counted, COUNTED));
        if by_day {
            columns.push(pick(&source.day, DAY));
        }
        if let Window::ToDateOf(period) | Window::StartOfPeriod(period) = window {
            let (table, period) = self.period(period)?;
            let since = self.numbered((table, period), &[]);
            let date = dialect.name(&table.date);
            from.push_str(&format!(
                "\n  JOIN {since} AS since ON since.{date} = {}",
                source.counted
            ));
            columns.push(pick("since.metrex_first", SINCE));
            if let (Window::StartOfPeriod(_), Some(own)) = (window, self.only_period(measure)) {
                let opening = self.numbered((table, own), &[]);
                from.push_str(&format!(
                    "\n  JOIN {opening} AS opening ON opening.{date} = since.metrex_first"
                ));
                columns.push(pick("opening.metrex_last", OPENING));
            }
        }
        let mut conditions = self.shown_conditions(measure, &source)?;
        let mut having = Vec::new();
        let edge = |end: &str, column: &str| match by_day {
            true => column.to_owned(),
            false => format!("{end}({column})"),
        };
        let range = self.request.range;
        let cut = earlier(range.end, context.ago.and_then(|ago| ago.end));
        let cut = match crate::compile::periods_ago::cut(range, self.options.today) {
            Some(tomorrow) if range.end.is_some() => earlier(cut, Some(tomorrow)),
            _ => cut,
        };
        if let Some(end) = cut {
            conditions.push(format!("{} < {}", source.day, dialect.date(end)));
        }
        if keys.is_empty() {
            let tomorrow = filter::last_day(None, self.options.today);
            if cut.is_none() {
                conditions.push(format!("{} <= {}", source.day, dialect.date(tomorrow)));
            }
        } else {
            let Periods { first, last, .. } = self.periods(
                DAY.to_owned(),
                Grain::Day,
                Grain::Day,
                Some((&time, scope, None)),
            )?;
            having.push(match first {
                Bound::Day(day) => {
                    format!("{} >= {}", edge("MAX", &source.day), dialect.date(day))
                }
                Bound::Data(day) => format!("{} >= ({})", edge("MAX", &source.counted), day.sql),
            });
            having.push(match last {
                Bound::Day(day) => {
                    format!("{} <= {}", edge("MIN", &source.day), dialect.date(day))
                }
                Bound::Data(day) => format!("{} <= ({})", edge("MIN", &source.counted), day.sql),
            });
        }
        if by_day {
            conditions.append(&mut having);
        }
        let mut sql = select(columns, &from, &conditions);
        if !by_day && !keys.is_empty() {
            let ordinals: Vec<String> = (1..=keys.len()).map(|n| n.to_string()).collect();
            sql.push_str(&format!("\n  GROUP BY {}", ordinals.join(", ")));
            sql.push_str(&format!("\n  HAVING {}", having.join(" AND ")));
        }
        let text = "periods of the calendar table, each with the day its window ends with";
        let name = self.relation(
            "metrex_shown",
            CalendarRows {
                text: text.to_owned(),
                sql: Fragment::plain(sql),
            },
        );
        let (from, to) = self.reach_of_window(window, measure)?;
        let day = Bound::Day(self.options.today);
        Ok(Some(Windowed {
            period: None,
            shown: Some((name.clone(), by_day)),
            over: Some(Over {
                periods: Periods {
                    key: COUNTED.to_owned(),
                    grain: Grain::Day,
                    first: day.clone(),
                    last: day,
                    of_table: Some(name),
                },
                time: Fragment::new(time.sql, [time.dimension.place]),
                from,
                to,
                only: None,
                has_time: false,
            }),
            range: DateRange::default(),
            daily: by_day.then_some(coarser),
        }))
    }

    /// The first day of a window, and the one after its last, over the columns of the periods.
    fn reach_of_window(
        &self,
        window: Window<'_>,
        measure: &'a Measure,
    ) -> Result<(Option<String>, String), CompileError> {
        let dialect = self.options.dialect;
        let week_start = self.registry.calendar.week_start;
        let column = |name: &str| format!("{PERIOD}.{name}");
        let after = |day: &str| dialect.next_period(day, Grain::Day);
        let last = column(COUNTED);
        let next = after(&last);
        let refuse = |long: &str| {
            Err(CompileError::new(
                ErrorCode::InvalidTime,
                format!("these periods do not tell which of them is the first of a {long}"),
            )
            .hint("group by day, or by one period of the calendar table"))
        };
        Ok(match window {
            Window::AllTime => (None, next),
            Window::Period => (Some(last), next),
            Window::Trailing(_, unit) if unit.is_sub_day() => {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    format!("a window of {unit}s needs a result by {unit}"),
                )
                .hint(format!("group by {unit}")));
            }
            Window::Trailing(n, unit) => (Some(dialect.units_before(&next, n, unit, false)), next),
            Window::ToDate(long) => (Some(dialect.trunc(&last, long, week_start)), next),
            Window::ToDateOf(_) => (Some(column(SINCE)), next),
            Window::StartOf(long) if self.shown_by_day(measure) => {
                let from = dialect.trunc(&last, long, week_start);
                let to = after(&from);
                (Some(from), to)
            }
            Window::StartOf(long) => return refuse(long.word()),
            Window::StartOfPeriod(_) if self.shown_by_day(measure) => {
                (Some(column(SINCE)), after(&column(SINCE)))
            }
            Window::StartOfPeriod(_) if self.only_period(measure).is_some() => {
                (Some(column(SINCE)), after(&column(OPENING)))
            }
            Window::StartOfPeriod(long) => return refuse(long),
        })
    }

    /// The days that are shown, each beside the one whose rows count.
    fn days_shown(
        &mut self,
        measure: &'a Measure,
        context: &Context<'a>,
    ) -> Result<Source<'a>, CompileError> {
        let dialect = self.options.dialect;
        let registry = self.registry;
        let Some(table) = &registry.calendar.table else {
            return Err(CompileError::new(
                ErrorCode::InvalidDefinition,
                "there is no calendar table",
            ));
        };
        if self.options.values.key_is_unique(&table.table) == Some(false) {
            return Err(crate::compile::custom::several_rows_for_a_day(table));
        }
        let own = |alias: &str| format!("{alias}.{}", dialect.name(&table.date));
        let Some(ago) = context.ago else {
            let counted = match context.back.as_ref().map(|back| back.by) {
                Some(Shift::Seconds(_)) => {
                    return Err(CompileError::new(
                        ErrorCode::InvalidTime,
                        format!("{} has days, which cannot be moved by hours", table.table),
                    )
                    .hint("use an offset in days"));
                }
                Some(by) => dialect.shift(&own(SHOWN), by.back()),
                None => own(SHOWN),
            };
            return Ok(Source {
                table,
                from: format!("{} AS {SHOWN}", dialect.table(&table.table)),
                alias: SHOWN,
                day: own(SHOWN),
                counted,
            });
        };
        let mut columns: Vec<&str> = Vec::new();
        for group in &self.request.groups {
            columns.extend(custom(registry, group).map(|own| own.period.column.as_str()));
        }
        for field in self.parts().iter().flat_map(Filter::fields) {
            columns.extend(named(registry, field).map(|own| own.period.column.as_str()));
        }
        let days = self.numbered((ago.table, ago.period), &columns);
        let mut from = format!("{days} AS later");
        let before = match ago.step {
            Step::Before => format!("later.metrex_number - {}", ago.n),
            Step::Column(column) => {
                let steps = self.steps(&ago, column);
                let mut number = "later.metrex_number".to_owned();
                for n in 1..=ago.n {
                    from.push_str(&format!(
                        "\n  JOIN {steps} AS step_{n} ON step_{n}.metrex_number = {number}"
                    ));
                    number = format!("step_{n}.metrex_before");
                }
                number
            }
        };
        let inner = dialect.least("earlier.metrex_nth", "later.metrex_length");
        // Days that this period does not have are counted with its last one, but where days are told apart, or where the
        // period still runs: then as many days count on both sides.
        let nth = match ago.end {
            _ if self.shown_by_day(measure) && !self.is_metricflow() => {
                "earlier.metrex_nth".to_owned()
            }
            None => inner,
            Some(_) => format!(
                "CASE WHEN later.metrex_last < {} THEN {inner} ELSE earlier.metrex_nth END",
                dialect.date(self.options.today)
            ),
        };
        from.push_str(&format!(
            "\n  JOIN {days} AS earlier ON earlier.metrex_number = {before} AND later.metrex_nth = {nth}"
        ));
        Ok(Source {
            table,
            from,
            alias: "later",
            day: own("later"),
            counted: own("earlier"),
        })
    }

    /// The groupings that are periods of the measure's time, as keys on the day that is shown.
    fn shown_keys(
        &self,
        measure: &'a Measure,
        source: &Source<'a>,
    ) -> Result<Vec<Column>, CompileError> {
        let dialect = self.options.dialect;
        let week_start = self.registry.calendar.week_start;
        let mut keys = Vec::new();
        for group in &self.request.groups {
            if !self.is_own_time(group, measure) {
                continue;
            }
            let no_hours = || {
                Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    format!("{group}: the calendar table has days and no hours"),
                )
                .word(group.to_string()))
            };
            let (sql, ty) = match (custom(self.registry, group), group) {
                (Some(own), _) => {
                    let ty = own.column_type(self.registry);
                    let column = dialect.name(&own.period.column);
                    (dialect.cast(&format!("{}.{column}", source.alias), ty), ty)
                }
                (None, GroupBy::Grain { grain, .. }) if grain.is_sub_day() => return no_hours(),
                (None, GroupBy::Grain { grain, .. }) => (
                    dialect.trunc(&source.day, *grain, week_start),
                    ColumnType::Date,
                ),
                (None, GroupBy::Part { part, .. }) if *part == DatePart::HourOfDay => {
                    return no_hours();
                }
                (None, GroupBy::Part { part, .. }) => {
                    (dialect.date_part(&source.day, *part), ColumnType::Integer)
                }
                (None, GroupBy::Dimension(_)) => continue,
            };
            keys.push(Column {
                name: group.to_string().replace('"', ""),
                ty,
                sql: Fragment::plain(sql),
            });
        }
        Ok(keys)
    }

    /// Conditions on the day that is shown: those of the query on periods of the measure's time, and that it is in those
    /// that are grouped by.
    fn shown_conditions(
        &mut self,
        measure: &'a Measure,
        source: &Source<'a>,
    ) -> Result<Vec<String>, CompileError> {
        let dialect = self.options.dialect;
        let mut conditions = vec![format!("{} IS NOT NULL", source.day)];
        for group in &self.request.groups {
            if let Some(own) =
                custom(self.registry, group).filter(|_| self.is_own_time(group, measure))
            {
                let column = dialect.name(&own.period.column);
                conditions.push(format!("{}.{column} IS NOT NULL", source.alias));
            }
        }
        let mut days = TableDays::new(
            self.registry,
            source.table,
            self.options.values,
            source.alias,
        );
        for part in self.parts() {
            if self.is_of_periods(part, measure)? {
                let sql = filter::condition(part, &mut days, dialect)?;
                conditions.push(format!("({sql})"));
            }
        }
        self.note(days.reasons);
        Ok(conditions)
    }

    fn named_columns(&self, keys: &[Column]) -> impl Iterator<Item = String> {
        let dialect = self.options.dialect;
        keys.iter()
            .map(move |key| format!("{} AS {}", key.sql.sql, dialect.name(&key.name)))
    }

    /// Whether the days of the measure's time are told apart.
    fn shown_by_day(&self, measure: &'a Measure) -> bool {
        self.request.groups.iter().any(|group| {
            matches!(
                group,
                GroupBy::Grain {
                    grain: Grain::Day,
                    ..
                }
            ) && self.is_own_time(group, measure)
        })
    }

    /// The period of the calendar table that is the only grouping by the measure's time.
    fn only_period(&self, measure: &'a Measure) -> Option<&'a CalendarPeriod> {
        let request = self.request;
        let mut own = request
            .groups
            .iter()
            .filter(|group| self.is_own_time(group, measure));
        let (only, None) = (own.next()?, own.next()) else {
            return None;
        };
        let name = &custom(self.registry, only)?.period.name;
        self.period(name).ok().map(|(_, period)| period)
    }
}

/// The earlier of two days, of which there may be none.
fn earlier(
    one: Option<jiff::civil::Date>,
    other: Option<jiff::civil::Date>,
) -> Option<jiff::civil::Date> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn select(columns: Vec<String>, from: &str, conditions: &[String]) -> String {
    format!(
        "SELECT {}\n  FROM {from}\n  WHERE {}",
        columns.join(", "),
        conditions.join(" AND ")
    )
}
