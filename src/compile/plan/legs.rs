//! Adds measures to the legs of a plan: one leg per dataset, set of filters and treatment of time.

use super::leg::{Aggregated, DAY, Daily, Edge, FromRollup, PERIOD, Rows, by_name};
use super::planner::{broken, prior_name};
use super::{
    Column, Context, Days, Formula, Leaf, Leg, Planner, Snapshots, Window, context, snapshots,
};
use crate::compile::custom::{custom, named};
use crate::compile::key::{Asked, Key, key, leaf_type, time_of};
use crate::compile::rollup::{Kept, Wanted};
use crate::compile::scope::Scope;
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, Reason, ReasonKind, filter};
use crate::model::{
    AtCoarserGrain, ColumnType, DateRange, DimensionType, Filter, GroupBy, Measure, Metric,
    OverTime,
};
use crate::warehouse::Shift;

impl<'a> Planner<'a> {
    /// One measure as a column of a leg: over a rollup where that gives the same, else over the rows of its dataset.
    pub(super) fn leaf(
        &mut self,
        metric: &Metric,
        measure: &'a Measure,
        which: usize,
        context: &Context<'a>,
    ) -> Result<Formula, CompileError> {
        let wanted = Wanted {
            registry: self.registry,
            reach: self.reach,
            request: self.request,
            options: self.options,
            measure,
            context,
        };
        // What the periods of the calendar table are, only its days can tell.
        let mut groups = self.request.groups.iter();
        let mut fields = self.request.conditions.iter().flat_map(Filter::fields);
        let by_custom = groups.any(|group| custom(self.registry, group).is_some())
            || fields.any(|field| named(self.registry, field).is_some())
            || context.ago.is_some()
            || matches!(
                context.window,
                Some((Window::ToDateOf(_) | Window::StartOfPeriod(_), _))
            );
        let (kept, reasons) = match by_custom {
            true => (None, Vec::new()),
            false => wanted.rollup(),
        };
        if kept.is_some() {
            let before = (
                self.planned.keys.clone(),
                self.planned.reasons.clone(),
                self.peers.clone(),
            );
            if let Ok(formula) = self.leaf_of(metric, measure, which, context, kept) {
                self.note(reasons);
                return Ok(formula);
            }
            // What a rollup cannot answer, or nobody can: the rows say why.
            (self.planned.keys, self.planned.reasons, self.peers) = before;
        } else {
            self.note(reasons);
        }
        self.leaf_of(metric, measure, which, context, None)
    }

    /// Adds one measure to the leg it belongs to, which is made where it is not there yet.
    pub(super) fn leaf_of(
        &mut self,
        metric: &Metric,
        measure: &'a Measure,
        which: usize,
        context: &Context<'a>,
        kept: Option<Kept<'a>>,
    ) -> Result<Formula, CompileError> {
        let context = &carried(metric, measure, context)?;
        let own = |error: CompileError| {
            if error.place.is_some() || error.word.is_some() {
                error
            } else {
                error.at(measure.place)
            }
        };
        let mut filters: Vec<String> = measure
            .filters
            .iter()
            .chain(context.filters.iter().copied())
            .map(|filter| filter.text.trim().to_owned())
            .collect();
        filters.sort_unstable();
        filters.dedup();
        let treatment = format!(
            "{:?}",
            (
                &measure.time,
                measure.over_time.as_ref().map(|over| (
                    &over.time,
                    over.take,
                    &over.per,
                    over.carry_forward
                )),
                context.back.as_ref().map(|back| (back.range, back.by)),
                context.window,
                context.ago.map(|ago| (ago.text(), ago.end)),
                context.prior,
                kept.map(|kept| kept.name()),
            )
        );
        let text = format!(
            "{:?} {:?}",
            measure.agg,
            measure.expr.as_ref().map(|expr| &expr.text)
        );
        let found = self.planned.legs.iter().position(|leg| {
            leg.dataset == measure.dataset && leg.treatment == treatment && leg.filters == filters
        });
        let counterpart = self.counterpart(context);
        // By dbt's rules the periods are those of each metric, so they stand beside no other group.
        let bare = context.every_period && self.is_metricflow() && self.request.groups.len() > 1;
        if let Some(leg) = found.and_then(|index| self.planned.legs.get_mut(index)) {
            leg.missing_are_rows |= bare;
        }
        let shared = found
            .and_then(|index| self.planned.legs.get(index))
            .and_then(|leg| leg.columns.iter().find(|column| column.text == text));
        if let Some(column) = shared {
            return Ok(Formula::Leaf(Leaf {
                column: column.name.clone(),
                ty: column.ty,
                counterpart,
            }));
        }
        let peers = std::mem::take(&mut self.peers);
        let mut scope = self.scope(measure, &peers)?;
        let row = match (&measure.expr, kept) {
            (Some(expr), None) => Some(scope.expression(expr).map_err(own)?),
            _ => None,
        };
        let dialect = self.options.dialect;
        dialect.supports(measure.agg).map_err(|reason| {
            let hint = "write it as 'expr' of min, max or avg, or ask an engine that has it: SQLite, PostgreSQL, DuckDB, Snowflake, Spark";
            own(CompileError::new(ErrorCode::InvalidDefinition, reason)
                .hint(hint)
                .at(measure.place))
        })?;
        let mut ty = leaf_type(measure, &mut scope)?;
        if let Some(kept) = kept {
            scope.read_rollup(kept);
        }
        if let Some(over) = &measure.over_time {
            ty = snapshots::figure_type(over.take, ty)
                .ok_or_else(|| broken(metric, "its snapshots are no numbers and have no mean"))?;
        }
        // What a rollup does not have yet is read from the rows.
        let cut = kept.and_then(|kept| kept.cut());
        let mut rows = None;
        if cut.is_some() {
            let mut scope = self.scope(measure, &peers)?;
            let row = measure.expr.as_ref();
            let row = row.map(|expr| scope.expression(expr)).transpose();
            rows = Some((scope, row.map_err(own)?));
        }
        let name = self.column_name(metric, which, context);
        let mut places = vec![measure.place];
        places.extend(measure.expr.as_ref().map(|expr| expr.place));
        let column = Aggregated {
            name: name.clone(),
            ty,
            agg: measure.agg,
            row,
            stored: kept.map(|kept| kept.stored(self.options.dialect)),
            only: None,
            places,
            text,
        };
        let averaged = context
            .window
            .is_some_and(|(_, coarser)| coarser == AtCoarserGrain::Average);
        let ty = match averaged {
            true => ColumnType::Number,
            false => ty,
        };
        let leaf = Formula::Leaf(Leaf {
            column: name,
            ty,
            counterpart,
        });
        let tail = rows.map(|(scope, row)| {
            let column = Aggregated {
                row,
                stored: None,
                ..column.clone()
            };
            (scope, column)
        });
        match found {
            // Joins pulled in by an expression are many-to-one, so they change no other column of the leg.
            Some(index) => {
                let joins = self.finish(scope).1;
                let tail = tail.map(|(scope, column)| (self.finish(scope).1, column));
                if let Some(leg) = self.planned.legs.get_mut(index) {
                    leg.add(joins, column);
                    let own = leg.rollup.as_mut().and_then(|rollup| rollup.tail.as_mut());
                    if let (Some(leg), Some((joins, column))) = (own, tail) {
                        leg.add(joins, column);
                    }
                }
            }
            None => {
                let days = |days| Context {
                    days,
                    ..context.clone()
                };
                let before = days(cut.map_or(Days::All, Days::Before));
                let since = days(cut.map_or(Days::All, Days::Since));
                let of = (treatment, filters);
                let tail = match tail {
                    Some((scope, column)) => Some(self.leg(
                        measure,
                        scope,
                        &since,
                        column,
                        of.0.clone(),
                        of.1.clone(),
                    )?),
                    None => None,
                };
                let mut leg = self.leg(measure, scope, &before, column, of.0, of.1)?;
                leg.rollup = kept.map(|kept| FromRollup {
                    name: kept.name().to_owned(),
                    tail: tail.map(Box::new),
                });
                leg.missing_are_rows = bare;
                self.planned.legs.push(leg);
            }
        }
        self.peers = peers;
        Ok(leaf)
    }

    /// A new leg over the measure's dataset and filter set, with its first column.
    pub(super) fn leg(
        &mut self,
        measure: &'a Measure,
        mut scope: Scope<'_>,
        context: &Context<'a>,
        column: Aggregated,
        treatment: String,
        filters: Vec<String>,
    ) -> Result<Leg, CompileError> {
        let (request, options) = (self.request, self.options);
        let dialect = options.dialect;
        self.measures.push(measure);
        let mut definition = Vec::new();
        let kept = scope.kept();
        let filters_of = || {
            measure
                .filters
                .iter()
                .chain(context.filters.iter().copied())
        };
        for condition in filters_of() {
            if kept.is_none() {
                let sql = self.defined(condition, &mut scope, context)?;
                let fragment = Fragment::new(bracketed(&sql), [condition.place]);
                if definition.contains(&fragment) {
                    continue;
                }
                definition.push(fragment);
            }
            if !context.prior {
                let text = format!("{} only where {}", measure.dataset, condition.text);
                self.note(vec![Reason {
                    kind: ReasonKind::Filter,
                    text,
                    place: Some(condition.place),
                }]);
            }
        }
        // What a rollup keeps was added up under these conditions.
        let met = kept.and_then(|kept| kept.condition(dialect));
        // Where all of its rows meet them, the rollup stands for them.
        let met_by_all: Vec<_> = match (kept, &met) {
            (Some(_), None) => filters_of().map(|one| one.place).collect(),
            _ => Vec::new(),
        };
        definition.extend(met.map(|met| Fragment::new(met, filters_of().map(|one| one.place))));
        let moved = self.moved_by_table(measure, &mut scope, context)?;
        let mut window = self.window(measure, &mut scope, context)?;
        let by_table = window.as_ref().and_then(|window| window.shown.clone());
        let shown = match (&moved, &by_table) {
            (Some(name), _) => Some(name.as_str()),
            (None, Some(_)) => Some(PERIOD),
            (None, None) => None,
        };
        let mut keys = Vec::new();
        let mut described = Vec::new();
        let mut conditions = Vec::new();
        for group in &request.groups {
            // Another time than the one that is moved is that of the row.
            let is_other = matches!(group, GroupBy::Grain { .. } | GroupBy::Part { .. })
                && custom(self.registry, group).is_none()
                && !self.is_own_time(group, measure);
            let asked = Asked {
                group,
                measure,
                shift: context
                    .back
                    .as_ref()
                    .map(|back| back.by)
                    .filter(|_| !is_other),
                period: window
                    .as_ref()
                    .filter(|_| self.is_own_time(group, measure))
                    .and_then(|window| window.period.as_deref()),
                shown: shown
                    .filter(|_| self.is_own_time(group, measure))
                    .map(|alias| {
                        let name = group.to_string().replace('"', "");
                        format!("{alias}.{}", dialect.name(&name))
                    }),
                is_offset: !context.prior,
            };
            if custom(self.registry, group).is_some()
                && self.is_own_time(group, measure)
                && let (Some(back), None) = (&context.back, &window)
            {
                let counted = self.counted(measure, &mut scope, back.by)?;
                scope.time_as(Some(counted));
            }
            let (fragment, key, extra) = key(&asked, &mut scope, self.registry, options)?;
            scope.time_as(None);
            keys.push(Column {
                name: key.name.clone(),
                ty: key.ty,
                sql: fragment,
            });
            described.push(key);
            conditions.extend(extra);
        }
        self.agree(described, measure)?;
        if self.is_metricflow() && window.is_none() && context.back.is_some() && !context.prior {
            // What is shifted is joined to the days of dbt's calendar, which no row without a time finds.
            let time = time_of(measure, &mut scope, None)?;
            let place = time.dimension.place;
            conditions.push(Fragment::new(format!("{} IS NOT NULL", time.sql), [place]));
        }
        for part in self.parts() {
            if shown.is_some() && self.is_of_periods(part, measure)? {
                continue;
            }
            if let Some(window) = &mut window
                && self.limits_periods(part, measure, &mut scope, window)?
            {
                continue;
            }
            self.join_each(part, &mut scope, context)?;
            let moved = self.counted_at(part, measure, &mut scope, context)?;
            scope.time_as(moved);
            let sql = filter::condition(part, &mut scope, dialect)?;
            scope.time_as(None);
            scope.require_match(part);
            conditions.push(Fragment::plain(match part {
                Filter::Or(_) => format!("({sql})"),
                _ => sql,
            }));
        }
        let range = match &window {
            Some(window) => window.range,
            None if moved.is_some() => DateRange::default(),
            None => context
                .back
                .as_ref()
                .map_or(request.range, |back| back.range),
        };
        let mut bounds = None;
        let days = context.days.of(range);
        if days != DateRange::default() {
            let time = time_of(measure, &mut scope, None)?;
            // Ranges are days; rows that are moved by less are compared as they come to lie.
            let at = match context.back.as_ref().map(|back| back.by) {
                Some(by @ Shift::Seconds(_)) => dialect.shift_timestamp(&time.sql, by),
                _ => time.sql,
            };
            let within = filter::bounds(&at, days, dialect);
            // A rollup is not asked for rows without a time: nobody knows how fresh these are.
            let with_none = range == DateRange::default() && matches!(context.days, Days::Since(_));
            let within = within.map(|within| match with_none {
                true => format!("({within} OR {at} IS NULL)"),
                false => within,
            });
            bounds = within.map(|within| Fragment::new(within, [time.dimension.place]));
        }
        let daily = window.as_ref().and_then(|window| window.daily);
        let names = request.groups.iter().zip(&keys);
        let names = names.filter(|(group, _)| self.is_own_time(group, measure));
        let names: Vec<String> = names.map(|(_, key)| key.name.clone()).collect();
        let relation = moved.clone().or(by_table.clone().map(|(name, _)| name));
        let earlier = context.ago.and(relation).map(|relation| (relation, names));
        let daily = daily.map(|take| match by_table {
            Some(_) => Daily {
                keys: by_name(&keys, dialect),
                take,
                edge: Edge::WithValue,
            },
            None => Daily {
                keys: self.over_days(&keys, measure, &dialect.name(DAY)),
                take,
                edge: match self.is_metricflow() {
                    true => Edge::WithValue,
                    false => {
                        Edge::OfCalendar(self.edge_of_period(&keys, measure, take, window.as_ref()))
                    }
                },
            },
        });
        let each_of_table = match (&by_table, &daily) {
            (Some(_), Some(_)) => Some(vec![format!("{PERIOD}.{DAY}")]),
            (Some(_), None) => Some(self.snapshot_keys(&keys, measure)),
            (None, _) => None,
        };
        match (&daily, &by_table) {
            (Some(_), None) => self.daily_keys(&mut keys, measure),
            (Some(_), Some(_)) => keys.push(Column {
                name: DAY.to_owned(),
                ty: ColumnType::Date,
                sql: Fragment::plain(format!("{PERIOD}.{DAY}")),
            }),
            (None, _) => {}
        }
        let rows = match &measure.over_time {
            None => Rows::All,
            Some(over) => {
                let mut each = match window.as_ref().and_then(|window| window.period.clone()) {
                    Some(period) => vec![period],
                    None => match each_of_table {
                        Some(each) => each,
                        None => self.snapshot_periods(&keys, measure, over),
                    },
                };
                let by_period = !each.is_empty();
                for name in &over.per {
                    each.push(scope.named(name)?);
                }
                let time = scope.dimension(&over.time)?;
                conditions.push(Fragment::new(
                    format!("{} IS NOT NULL", time.sql),
                    [over.place],
                ));
                scope.note(Reason {
                    kind: ReasonKind::Time,
                    text: snapshots::text(&measure.dataset, over, by_period),
                    place: Some(over.place),
                });
                let has_time = time.dimension.kind == DimensionType::Time;
                Rows::Snapshots(Snapshots {
                    take: over.take,
                    time: Fragment::new(dialect.comparable(&time.sql, has_time), [over.place]),
                    each,
                })
            }
        };
        let (from, joins) = self.finish(scope);
        let from = Fragment::new(from.sql, from.places.into_iter().chain(met_by_all));
        Ok(Leg {
            dataset: measure.dataset.clone(),
            keys,
            columns: vec![column],
            from,
            joins,
            definition,
            conditions,
            bounds,
            over: window.and_then(|window| window.over),
            earlier,
            rows,
            daily,
            by_day_first: false,
            rollup: None,
            missing_are_rows: false,
            treatment,
            filters,
        })
    }

    /// Keys mean the same thing in every leg.
    pub(super) fn agree(
        &mut self,
        described: Vec<Key>,
        measure: &Measure,
    ) -> Result<(), CompileError> {
        if self.planned.keys.is_empty() {
            self.planned.keys = described;
            return Ok(());
        }
        let pairs = || self.planned.keys.iter().zip(&described);
        if let Some((ours, theirs)) = pairs().find(|(ours, theirs)| ours.ty != theirs.ty) {
            return Err(CompileError::new(
                ErrorCode::InvalidDefinition,
                format!(
                    "'{}' is {:?} in one dataset of this query and {:?} in {}",
                    ours.name, ours.ty, theirs.ty, measure.dataset
                ),
            )
            .hint("dimensions of one name mean the same thing everywhere: give both the same type")
            .word(&ours.name));
        }
        if let Some((ours, theirs)) =
            pairs().find(|(ours, theirs)| ours.dimension != theirs.dimension)
            && let (Some(one), Some(other)) = (&ours.dimension, &theirs.dimension)
        {
            return Err(CompileError::new(
                ErrorCode::AmbiguousDimension,
                format!(
                    "'{}' means {one} in one dataset of this query and {other} in {}",
                    ours.name, measure.dataset
                ),
            )
            .hint("group by a dimension that both have")
            .word(&ours.name));
        }
        Ok(())
    }

    /// A readable name that no other column of the plan has.
    pub(super) fn column_name(
        &self,
        metric: &Metric,
        which: usize,
        context: &Context<'_>,
    ) -> String {
        let mut base = match (metric.kind.is_ratio(), which) {
            (true, 0) => format!("{}_numerator", metric.name),
            (true, _) => format!("{}_denominator", metric.name),
            _ => metric.name.clone(),
        };
        if context.prior {
            base = prior_name(&base);
        } else if context.back.is_some() || context.ago.is_some() {
            base.push_str("_before");
        }
        let groups: Vec<String> = self
            .request
            .groups
            .iter()
            .map(ToString::to_string)
            .collect();
        let taken = |name: &str| {
            let same = |other: &str| other.eq_ignore_ascii_case(name);
            let mut columns = self.planned.legs.iter().flat_map(|leg| &leg.columns);
            groups.iter().any(|group| same(group)) || columns.any(|column| same(&column.name))
        };
        let mut name = base.clone();
        let mut n = 2;
        while taken(&name) {
            name = format!("{base}_{n}");
            n += 1;
        }
        name
    }
}

/// The context of a measure whose snapshots are carried forward: every row up to the period's end.
pub(super) fn carried<'a>(
    metric: &Metric,
    measure: &Measure,
    context: &Context<'a>,
) -> Result<Context<'a>, CompileError> {
    let mut context = context.clone();
    let carries = |over: &OverTime| over.carry_forward;
    if measure.over_time.as_ref().is_some_and(carries) {
        match context.window {
            None => context.window = Some((context::Window::AllTime, AtCoarserGrain::Last)),
            Some((context::Window::AllTime, _)) => {}
            Some(_) => {
                return Err(broken(
                    metric,
                    "its snapshots are carried forward without a limit, so no window can be laid over them",
                ));
            }
        }
    }
    Ok(context)
}

/// Brackets around what would fall apart beside an `AND`.
pub(super) fn bracketed(sql: &str) -> String {
    if sql.contains(" OR ") {
        format!("({sql})")
    } else {
        sql.to_owned()
    }
}
