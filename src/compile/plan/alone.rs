//! Dimensions without a metric: their distinct combinations, or the smallest and largest value of each.

use indexmap::IndexMap;

use super::leg::{Aggregated, Rows};
use super::legs::bracketed;
use super::{Column, Context, Join, JoinKind, Leg, Planner};
use crate::compile::custom::{custom, named};
use crate::compile::dunder::METRIC_TIME;
use crate::compile::key::{Asked, Key, key, time_of};
use crate::compile::operand::TableDays;
use crate::compile::scope::Scope;
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, Reason, ReasonKind, conventions, filter};
use crate::model::{
    Aggregate, CalendarTable, ColumnType, DatePart, DateRange, Filter, Format, GroupBy, Measure,
};

/// The name under which the calendar table is read.
const DAYS: &str = "metrex_days";

/// The smallest or largest value of a dimension.
#[derive(Debug, Clone)]
pub(in crate::compile) struct Bounded {
    /// The dimension, or the grain of a time.
    pub(in crate::compile) of: Key,
    pub(in crate::compile) column: String,
    /// Which of the two, for people.
    pub(in crate::compile) word: &'static str,
}

impl<'a> Planner<'a> {
    /// The rows of one dataset or of the calendar table, grouped by what is asked for.
    pub(super) fn alone(&mut self) -> Result<Leg, CompileError> {
        let names = self.dimensions();
        let with_days = self.request.range_of.iter().chain(&self.request.groups);
        let spine = self.short_periods();
        let table = spine.as_ref().or(self.registry.calendar.table.as_ref());
        let is_by_day = with_days.clone().any(|group| self.is_default_time(group))
            || self.fields().contains(&METRIC_TIME);
        match (table.filter(|_| is_by_day), names.as_slice()) {
            (Some(table), []) => self.of_calendar(table),
            (None, []) => Err(CompileError::new(
                ErrorCode::InvalidTime,
                "without a metric, a time grain alone does not say which time",
            )
            .hint("name the time, such as created_at.month, or a metric")),
            (table, names) => {
                let days = table.filter(|_| self.is_metricflow());
                self.of_dataset(names, days)
            }
        }
    }

    /// The spine of the shortest grain of the time that every metric has, where that is shorter than a day.
    fn short_periods(&self) -> Option<CalendarTable> {
        let shown = conventions::shown(&self.request.groups);
        let bounded = conventions::shown(&self.request.range_of);
        let grain = shown.into_iter().chain(bounded).min()?;
        let spine = match grain.is_sub_day() {
            true => self.registry.calendar.spine(grain)?,
            false => return None,
        };
        Some(CalendarTable {
            place: spine.place,
            table: spine.table.clone(),
            date: spine.column.clone(),
            periods: IndexMap::new(),
        })
    }

    /// Periods of nothing but time are those of the calendar table.
    fn of_calendar(&mut self, table: &CalendarTable) -> Result<Leg, CompileError> {
        let (day, _) = self.day(table);
        let mut leg = rows_of(&table.table);
        leg.from = self.days(table);
        leg.conditions = vec![Fragment::plain(format!("{day} IS NOT NULL"))];
        leg.bounds = self.days_between(table);
        if let Some(tree) = &self.request.conditions {
            let condition = self.of_day(table, tree)?;
            leg.conditions.push(Fragment::plain(bracketed(&condition)));
        }
        for group in &self.request.groups {
            let (sql, key) = self.of_days(table, group)?;
            self.add_key(&mut leg, sql, key);
        }
        for group in &self.request.range_of {
            let (sql, key) = self.of_days(table, group)?;
            self.add_bounds(&mut leg, &sql, &key)?;
        }
        Ok(leg)
    }

    /// Combinations of dimensions, from the dataset that has them with the fewest joins. Tables that are joined for them
    /// are joined in full, so that no value is lost.
    fn of_dataset(
        &mut self,
        names: &[&str],
        days: Option<&CalendarTable>,
    ) -> Result<Leg, CompileError> {
        let (request, options) = (self.request, self.options);
        let dialect = options.dialect;
        let (dataset, others) = self.owner(names)?;
        let shown = request.groups.iter().chain(&request.range_of);
        let shown: Vec<String> = shown.map(ToString::to_string).collect();
        let mut text = format!("{} as {} has them", shown.join(", "), dataset.name);
        if !others.is_empty() {
            text.push_str(&format!(
                "; {} could be asked too, by a metric of it",
                others.join(", ")
            ));
        }
        self.note(vec![Reason {
            kind: ReasonKind::Source,
            text,
            place: Some(dataset.place),
        }]);
        let measure = Measure {
            place: dataset.place,
            dataset: dataset.name.clone(),
            time: None,
            agg: Aggregate::Count,
            expr: None,
            filters: Vec::new(),
            over_time: None,
        };
        let peers = [dataset.name.clone()];
        let mut scope = self.scope(&measure, &peers)?;
        let find = |name: &&str| self.reach.find(self.registry, &dataset.name, name);
        let is_joined = |name: &&str| find(name).is_ok_and(|path| !path.joins.is_empty());
        let shown = request.groups.iter().chain(&request.range_of);
        let mut named = shown.filter_map(|group| self.of(group));
        let has_joins = named.any(|name| is_joined(&name));
        scope.keep_unmatched(has_joins || self.is_metricflow());
        if has_joins {
            self.note(vec![Reason {
                kind: ReasonKind::Join,
                text: format!(
                    "values of a joined table that no row of {} leads to are listed too",
                    dataset.name
                ),
                place: None,
            }]);
        }
        let mut leg = rows_of(&dataset.name);
        let groups = request.groups.iter().map(|group| (group, false));
        let bounded = request.range_of.iter().map(|group| (group, true));
        for (group, is_bounded) in groups.chain(bounded) {
            let (sql, key) = match days {
                Some(table) if self.is_default_time(group) => self.of_days(table, group)?,
                _ => {
                    let asked = Asked {
                        group,
                        measure: &measure,
                        shift: None,
                        period: None,
                        shown: None,
                        is_offset: false,
                    };
                    let (sql, key, _) = key(&asked, &mut scope, self.registry, options)?;
                    (sql, key)
                }
            };
            match is_bounded {
                true => self.add_bounds(&mut leg, &sql, &key)?,
                false => self.add_key(&mut leg, sql, key),
            }
        }
        // What only a condition is about leads to no rows of its own; for dbt it does.
        if !self.is_metricflow() {
            scope.keep_unmatched(false);
        }
        leg.conditions = self.conditions(&mut scope, days)?;
        if let Some(table) = days {
            leg.bounds = self.days_between(table);
        } else if request.range != DateRange::default() {
            let time = time_of(&measure, &mut scope, None)?;
            leg.bounds = filter::bounds(&time.sql, request.range, dialect)
                .map(|bounds| Fragment::new(bounds, [time.dimension.place]));
        }
        (leg.from, leg.joins) = self.finish(scope);
        if let Some(table) = days {
            let join = Join {
                table: self.days(table),
                kind: JoinKind::Cross,
            };
            leg.joins.insert(0, join);
        }
        Ok(leg)
    }

    /// The conditions of the query: those on the days of the calendar table are about these, all others about the rows.
    fn conditions(
        &mut self,
        scope: &mut Scope<'_>,
        days: Option<&CalendarTable>,
    ) -> Result<Vec<Fragment>, CompileError> {
        let dialect = self.options.dialect;
        let parts = match (&self.request.conditions, days) {
            (None, _) => return Ok(Vec::new()),
            (Some(Filter::And(parts)), Some(_)) => parts.iter().collect(),
            (Some(tree), _) => vec![tree],
        };
        let mut conditions = Vec::new();
        for tree in parts {
            let fields = tree.fields();
            let of_days = fields.iter().filter(|field| self.is_of_day(field)).count();
            let condition = match days {
                Some(table) if of_days == fields.len() => self.of_day(table, tree)?,
                Some(_) if of_days > 0 => {
                    return Err(CompileError::new(
                        ErrorCode::InvalidClause,
                        format!("'{tree}' mixes a condition on the days of the calendar table with one on a dimension"),
                    )
                    .hint("join the two with 'and'"));
                }
                _ => {
                    self.join_each(tree, scope, &Context::default())?;
                    filter::condition(tree, scope, dialect)?
                }
            };
            conditions.push(Fragment::plain(bracketed(&condition)));
        }
        Ok(conditions)
    }

    fn add_key(&mut self, leg: &mut Leg, sql: Fragment, key: Key) {
        leg.keys.push(Column {
            name: key.name.clone(),
            ty: key.ty,
            sql,
        });
        self.planned.keys.push(key);
    }

    fn add_bounds(&mut self, leg: &mut Leg, sql: &Fragment, key: &Key) -> Result<(), CompileError> {
        if key.ty == ColumnType::Boolean {
            return Err(CompileError::new(
                ErrorCode::InvalidClause,
                format!(
                    "{} is true or false and has no smallest or largest value",
                    key.name
                ),
            )
            .hint(format!("by {} lists its values", key.name))
            .word(&key.name));
        }
        let mark = if self.is_metricflow() { "__" } else { "_" };
        for (agg, word, long) in [
            (Aggregate::Min, "min", "smallest"),
            (Aggregate::Max, "max", "largest"),
        ] {
            let column = format!("{}{mark}{word}", self.request.written(&key.name));
            leg.columns.push(Aggregated {
                name: column.clone(),
                ty: key.ty,
                agg,
                row: Some(sql.sql.clone()),
                stored: None,
                only: None,
                places: sql.places.clone(),
                text: column.clone(),
            });
            self.planned.bounds.push(Bounded {
                of: key.clone(),
                column,
                word: long,
            });
        }
        Ok(())
    }

    /// The dimensions that the query names, other than the time that every metric has.
    fn dimensions(&self) -> Vec<&'a str> {
        let request = self.request;
        let shown = request.groups.iter().chain(&request.range_of);
        let fields = self
            .fields()
            .into_iter()
            .filter_map(|field| self.of_field(field));
        shown
            .filter_map(|group| self.of(group))
            .chain(fields)
            .collect()
    }

    /// Whether a field is the day of the calendar table, or a period of it.
    fn is_of_day(&self, field: &str) -> bool {
        field == METRIC_TIME
            || named(self.registry, field).is_some_and(|period| period.of.is_none())
    }

    /// A condition on the days of the calendar table.
    fn of_day(&mut self, table: &CalendarTable, tree: &Filter) -> Result<String, CompileError> {
        let mut days = TableDays::new(self.registry, table, self.options.values, DAYS);
        let condition = filter::condition(tree, &mut days, self.options.dialect)?;
        self.note(days.reasons);
        Ok(condition)
    }

    fn fields(&self) -> Vec<&'a str> {
        let conditions = self.request.conditions.as_ref();
        conditions.map(Filter::fields).unwrap_or_default()
    }

    /// The dimension that a condition is about; none where it is the time that every metric has.
    fn of_field(&self, field: &'a str) -> Option<&'a str> {
        match (Filter::per(field), named(self.registry, field)) {
            (Some((_, of)), _) => Some(of),
            (None, Some(period)) => period.of,
            (None, None) => (field != METRIC_TIME).then_some(field),
        }
    }

    /// The dimension that a grouping is of.
    fn of(&self, group: &'a GroupBy) -> Option<&'a str> {
        match custom(self.registry, group) {
            Some(custom) => custom.of,
            None => group.dimension(),
        }
    }

    /// Whether a grouping is a period of the time that every metric has.
    fn is_default_time(&self, group: &GroupBy) -> bool {
        match custom(self.registry, group) {
            Some(custom) => custom.of.is_none(),
            None => group.dimension().is_none(),
        }
    }

    fn days(&self, table: &CalendarTable) -> Fragment {
        let dialect = self.options.dialect;
        Fragment::new(dialect.table(&table.table), [table.place]).alias(DAYS)
    }

    /// The column of the calendar table with the day.
    fn day(&self, table: &CalendarTable) -> (String, ColumnType) {
        let name = self.options.dialect.name(&table.date);
        (format!("{DAYS}.{name}"), ColumnType::Date)
    }

    fn days_between(&self, table: &CalendarTable) -> Option<Fragment> {
        let (day, _) = self.day(table);
        let bounds = filter::bounds(&day, self.request.range, self.options.dialect);
        bounds.map(|bounds| Fragment::new(bounds, [table.place]))
    }

    /// A period of the calendar table's days.
    fn of_days(
        &self,
        table: &CalendarTable,
        group: &GroupBy,
    ) -> Result<(Fragment, Key), CompileError> {
        let dialect = self.options.dialect;
        let (day, _) = self.day(table);
        let mut spines = self.registry.calendar.spines.iter();
        let has_hours = spines.any(|spine| spine.table == table.table);
        let own = custom(self.registry, group);
        let (sql, ty, grain) = match group {
            _ if let Some(own) = own => {
                let ty = own.column_type(self.registry);
                let column = format!("{DAYS}.{}", dialect.name(&own.period.column));
                (dialect.cast(&column, ty), ty, None)
            }
            GroupBy::Grain { grain, .. } if !grain.is_sub_day() || has_hours => {
                let start = dialect.trunc(&day, *grain, self.registry.calendar.week_start);
                let ty = match grain.is_sub_day() {
                    true => ColumnType::Timestamp,
                    false => ColumnType::Date,
                };
                (start, ty, Some(*grain))
            }
            GroupBy::Part { part, .. } if *part != DatePart::HourOfDay || has_hours => {
                (dialect.date_part(&day, *part), ColumnType::Integer, None)
            }
            _ => {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    format!("{group}: {} has days and nothing shorter", table.table),
                )
                .hint("name the time, such as created_at.hour, or a metric")
                .word(group.to_string()));
            }
        };
        let name = group.to_string();
        let key = Key {
            label: own.map_or_else(|| name.replace('_', " "), |own| own.period.label.clone()),
            name,
            dimension: None,
            ty,
            grain,
            format: Format::default(),
        };
        Ok((Fragment::new(sql, [table.place]), key))
    }
}

/// The rows of a table, before anything is asked of them.
fn rows_of(dataset: &str) -> Leg {
    Leg {
        dataset: dataset.to_owned(),
        keys: Vec::new(),
        columns: Vec::new(),
        from: Fragment::plain(""),
        joins: Vec::new(),
        definition: Vec::new(),
        conditions: Vec::new(),
        bounds: None,
        over: None,
        earlier: None,
        rows: Rows::All,
        daily: None,
        by_day_first: false,
        rollup: None,
        missing_are_rows: false,
        treatment: String::new(),
        filters: Vec::new(),
    }
}
