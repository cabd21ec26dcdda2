//! Makes the plan: every metric becomes a formula over leaves, every leaf a column of a leg.

use super::leg::{Aggregated, DAY, Daily, PERIOD, Rows, daily};
use super::periods::Bound;
use super::{
    Column, Context, Each, Formula, Leaf, Leg, Over, Periods, Snapshots, context, snapshots,
};
use crate::compile::custom::custom;
use crate::compile::key::{Asked, Key, key, leaf_type, time_of};
use crate::compile::request::Request;
use crate::compile::rollup::{Kept, Wanted};
use crate::compile::scope::{Resolved, Scope};
use crate::compile::source::{self, Usage};
use crate::compile::write::Fragment;
use crate::compile::{
    CompileError, CompileOptions, ErrorCode, Reason, ReasonKind, compare, facets, filter,
    leaf_metrics, reach::Reachability,
};
use crate::model::{
    AtCoarserGrain, ColumnType, Comparison, Conventions, DateRange, DimensionType, Filter, Grain,
    GroupBy, Input, Measure, Metric, MetricKind, Offset, OverTime, Registry, Source, Window,
};
use crate::warehouse::Shift;

/// Metrics may be made of metrics this deep.
const MAX_DEPTH: u8 = 32;

/// The legs of a query and what its metrics are over them.
#[derive(Debug, Default)]
pub(in crate::compile) struct Planned {
    pub(in crate::compile) keys: Vec<Key>,
    pub(in crate::compile) legs: Vec<Leg>,
    /// Each metric of the query: now, and in the compared range.
    pub(in crate::compile) metrics: Vec<(Formula, Option<Formula>)>,
    /// The calendar that takes part in the result.
    pub(in crate::compile) periods: Option<Periods>,
    /// The relations that conditions on a metric per dimension read.
    pub(in crate::compile) each: Vec<Each>,
    pub(in crate::compile) reasons: Vec<Reason>,
}

/// What every step of planning reads, and the plan so far.
pub(in crate::compile) struct Planner<'a> {
    pub(super) registry: &'a Registry,
    pub(super) reach: &'a Reachability,
    pub(super) request: &'a Request<'a>,
    pub(super) options: &'a CompileOptions<'a>,
    /// The source of each leaf.
    pub(super) sources: Vec<(&'a str, &'a Source)>,
    /// Datasets that the query reads: a value known to one of them is a value.
    pub(super) peers: Vec<String>,
    pub(super) planned: Planned,
}

impl<'a> Planner<'a> {
    /// Plans a query; `usage` decides about sources, so that a total reads what its rows read.
    pub(in crate::compile) fn plan(
        registry: &'a Registry,
        reach: &'a Reachability,
        request: &'a Request<'a>,
        usage: &Usage<'_>,
        options: &'a CompileOptions<'a>,
    ) -> Result<Planned, CompileError> {
        let mut planner = Self {
            registry,
            reach,
            request,
            options,
            sources: Vec::new(),
            peers: Vec::new(),
            planned: Planned::default(),
        };
        planner.choose_sources(usage)?;
        for metric in &request.metrics {
            let now = planner.metric(metric, &Context::default(), 0)?;
            let prior = match &request.shifted {
                None => None,
                Some(shifted) => {
                    let context = Context {
                        back: Some(shifted.clone()),
                        prior: true,
                        ..Context::default()
                    };
                    Some(planner.metric(metric, &context, 0)?)
                }
            };
            planner.planned.metrics.push((now, prior));
        }
        if request.metrics.is_empty() {
            let leg = planner.alone()?;
            planner.planned.legs.push(leg);
        } else {
            planner.planned.periods = planner.calendar()?;
        }
        let mut planned = planner.planned;
        if options.passes.merge_scans {
            planned.legs = super::merge::merge_scans(planned.legs);
        }
        if options.passes.by_day_first {
            for leg in &mut planned.legs {
                leg.by_day_first = leg.adds_up_by_day();
            }
        }
        Ok(planned)
    }

    fn choose_sources(&mut self, usage: &Usage<'_>) -> Result<(), CompileError> {
        let metrics = self.request.metrics.iter();
        for metric in metrics.flat_map(|metric| leaf_metrics(self.registry, metric)) {
            if self.sources.iter().any(|(name, _)| *name == metric.name) {
                continue;
            }
            let (index, source) = source::choose(self.registry, self.reach, metric, usage)?;
            if metric.kind.sources().len() > 1 {
                self.planned.reasons.push(source_reason(metric, index));
            }
            self.planned.reasons.extend(facets::reason(metric));
            self.sources.push((&metric.name, source));
            let datasets = source
                .measures
                .iter()
                .map(|measure| measure.dataset.clone());
            self.peers.extend(datasets);
        }
        Ok(())
    }

    fn metric(
        &mut self,
        metric: &'a Metric,
        context: &Context<'a>,
        depth: u8,
    ) -> Result<Formula, CompileError> {
        if depth > MAX_DEPTH {
            return Err(broken(metric, "the definitions are nested too deeply"));
        }
        let formula = match &metric.kind {
            MetricKind::Derived { expr, inputs } => {
                let mut formulas = Vec::new();
                for input in inputs {
                    let of = self.input(metric, &input.metric)?;
                    let context = self.inside(metric, input, context)?;
                    let formula = self.metric(of, &context, depth + 1)?;
                    formulas.push((input.name.clone(), formula));
                }
                Formula::Arithmetic {
                    expression: expr.clone(),
                    inputs: formulas,
                }
            }
            MetricKind::Cumulative(cumulative) => {
                if context.window.is_some() {
                    return Err(broken(
                        metric,
                        "it accumulates already, so nothing can be accumulated over it",
                    ));
                }
                let window = match cumulative.window {
                    Window::AllTime => context::Window::AllTime,
                    Window::Trailing(n, grain) => context::Window::Trailing(n, grain),
                    Window::ToDate(grain) => context::Window::ToDate(grain),
                };
                let context = Context {
                    window: Some((window, cumulative.at_coarser_grain)),
                    ..context.clone()
                };
                match &cumulative.of {
                    Some(of) => {
                        let of = self.input(metric, of)?;
                        self.metric(of, &context, depth + 1)?
                    }
                    None => self.leaves(metric, &context)?,
                }
            }
            MetricKind::Conversion(conversion) => self.conversion(metric, conversion, context)?,
            kind if kind.sources().is_empty() => {
                return Err(broken(metric, "a complex metric has no compiled form"));
            }
            _ => self.leaves(metric, context)?,
        };
        Ok(match metric.fill {
            Some(fill) => Formula::Filled(Box::new(formula), fill),
            None => formula,
        })
    }

    pub(super) fn input(&self, metric: &Metric, name: &str) -> Result<&'a Metric, CompileError> {
        let found = self.registry.metric(name);
        found.ok_or_else(|| broken(metric, &format!("there is no metric '{name}'")))
    }

    /// The context of an input: its filters beside those around it, its distance beside theirs.
    fn inside(
        &mut self,
        metric: &Metric,
        input: &'a Input,
        context: &Context<'a>,
    ) -> Result<Context<'a>, CompileError> {
        let mut inner = context.clone();
        inner.filters.extend(&input.filters);
        let own = |error: CompileError| match error.place {
            Some(_) => error,
            None => error.at(input.place),
        };
        match &input.offset {
            None => {}
            Some(Offset::Ago(n, grain)) => {
                let request = self.request;
                let time = request
                    .query
                    .time
                    .unwrap_or(crate::model::TimeRange::AllTime);
                let range = match &context.back {
                    Some(back) => back.range,
                    None => request.range,
                };
                let back = compare::further(
                    context.back.as_ref(),
                    compare::back(
                        Comparison::Ago(*n, *grain),
                        time,
                        range,
                        self.options.today,
                        &request.groups,
                    )
                    .map_err(own)?,
                )
                .map_err(own)?;
                let text = format!(
                    "{} of {} is taken {n} {grain}{} before: {}{}",
                    input.metric,
                    metric.name,
                    if *n == 1 { "" } else { "s" },
                    back.range,
                    back.remark
                );
                self.note(vec![Reason {
                    kind: ReasonKind::Compare,
                    text,
                    place: Some(input.place),
                }]);
                // dbt counts 29 February for 29, 30 and 31 March.
                if self.is_metricflow()
                    && matches!(back.by, Shift::Months(_))
                    && request.is_by_day()
                    && inner.window.is_none()
                {
                    inner.window = Some((context::Window::Period, AtCoarserGrain::Last));
                }
                inner.back = Some(back);
            }
            Some(Offset::StartOf(grain)) => {
                if inner.window.is_some() {
                    return Err(broken(
                        metric,
                        "the start of a period has no meaning for what accumulates",
                    ));
                }
                inner.window = Some((context::Window::StartOf(*grain), AtCoarserGrain::Last));
            }
            Some(Offset::AgoCustom(_, period)) => {
                return Err(broken(
                    metric,
                    &format!(
                        "periods of the calendar table differ in length, so an offset by {period} cannot be lined up"
                    ),
                ));
            }
        }
        Ok(inner)
    }

    /// The source that was chosen for a metric.
    pub(super) fn source(&self, metric: &Metric) -> Result<&'a Source, CompileError> {
        let found = self.sources.iter().find(|(name, _)| *name == metric.name);
        found
            .map(|(_, source)| *source)
            .ok_or_else(|| broken(metric, "a measure is missing from the plan"))
    }

    /// The tables of a measure, with no joins yet.
    pub(super) fn scope<'s>(
        &self,
        measure: &Measure,
        peers: &'s [String],
    ) -> Result<Scope<'s>, CompileError>
    where
        'a: 's,
    {
        Scope::new(self.registry, self.reach, self.options, peers, measure)
    }

    /// How far the days without a counterpart in an earlier month are away, where the result has days.
    pub(super) fn counterpart(&self, context: &Context<'_>) -> Option<Shift> {
        context.back.as_ref().and_then(|back| match back.by {
            Shift::Months(_) if self.request.is_by_day() && !self.is_metricflow() => Some(back.by),
            _ => None,
        })
    }

    /// The measures of a metric with sources: one, or numerator and denominator.
    pub(super) fn leaves(
        &mut self,
        metric: &'a Metric,
        context: &Context<'a>,
    ) -> Result<Formula, CompileError> {
        match self.source(metric)?.measures.as_slice() {
            [numerator, denominator] => Ok(Formula::Divide(
                Box::new(self.leaf(metric, numerator, 0, context)?),
                Box::new(self.leaf(metric, denominator, 1, context)?),
            )),
            [only] => self.leaf(metric, only, 0, context),
            _ => Err(broken(metric, "a measure is missing from the plan")),
        }
    }

    /// One measure as a column of a leg: over a rollup where that gives the same, else over the rows of its dataset.
    fn leaf(
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
        let by_custom = groups.any(|group| custom(self.registry, group).is_some());
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
    fn leaf_of(
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
            own(CompileError::new(ErrorCode::InvalidDefinition, reason).at(measure.place))
        })?;
        let mut ty = leaf_type(measure, &mut scope)?;
        if let Some(kept) = kept {
            scope.read_rollup(kept);
        }
        if let Some(over) = &measure.over_time {
            ty = snapshots::figure_type(over.take, ty)
                .ok_or_else(|| broken(metric, "its snapshots are no numbers and have no mean"))?;
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
        match found {
            // Joins pulled in by an expression are many-to-one, so they change no other column of the leg.
            Some(index) => {
                let reasons = std::mem::take(&mut scope.reasons);
                let (_, joins) = scope.tables();
                if let Some(leg) = self.planned.legs.get_mut(index) {
                    for join in joins {
                        leg.add_join(join);
                    }
                    leg.columns.push(column);
                }
                self.note(reasons);
            }
            None => {
                let leg = self.leg(measure, scope, context, column, treatment, filters)?;
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
        definition.extend(met.map(|met| Fragment::new(met, filters_of().map(|one| one.place))));
        let window = self.window(measure, &mut scope, context)?;
        let mut keys = Vec::new();
        let mut described = Vec::new();
        let mut conditions = Vec::new();
        for group in &request.groups {
            let asked = Asked {
                group,
                measure,
                shift: context.back.as_ref().map(|back| back.by),
                period: window
                    .as_ref()
                    .filter(|_| self.is_own_time(group, measure))
                    .and_then(|window| window.period.as_deref()),
                is_offset: !context.prior,
            };
            let (fragment, key, extra) = key(&asked, &mut scope, self.registry, options)?;
            keys.push(Column {
                name: key.name.clone(),
                ty: key.ty,
                sql: fragment,
            });
            described.push(key);
            conditions.extend(extra);
        }
        self.agree(described, measure)?;
        let parts = match &request.conditions {
            Some(Filter::And(parts)) => parts.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for part in parts {
            if window.is_some() {
                self.refuse_time_condition(part, measure, &mut scope)?;
            }
            self.join_each(part, &mut scope, context)?;
            let sql = filter::condition(part, &mut scope, dialect)?;
            scope.require_match(part);
            conditions.push(Fragment::plain(match part {
                Filter::Or(_) => format!("({sql})"),
                _ => sql,
            }));
        }
        let range = match &window {
            Some(window) => window.range,
            None => context
                .back
                .as_ref()
                .map_or(request.range, |back| back.range),
        };
        let mut bounds = None;
        if range != DateRange::default() {
            let time = time_of(measure, &mut scope, None)?;
            // Ranges are days; rows that are moved by less are compared as they come to lie.
            let at = match context.back.as_ref().map(|back| back.by) {
                Some(by @ Shift::Seconds(_)) => dialect.shift_timestamp(&time.sql, by),
                _ => time.sql,
            };
            bounds = filter::bounds(&at, range, dialect)
                .map(|bounds| Fragment::new(bounds, [time.dimension.place]));
        }
        let daily = window.as_ref().and_then(|window| window.daily);
        let daily = daily.map(|take| Daily {
            keys: self.over_days(&keys, measure, &dialect.name(DAY)),
            take,
            only: self.edge_of_period(&keys, measure, take, window.as_ref()),
        });
        if daily.is_some() {
            self.daily_keys(&mut keys, measure);
        }
        let rows = match &measure.over_time {
            None => Rows::All,
            Some(over) => {
                let mut each = match window.as_ref().and_then(|window| window.period.clone()) {
                    Some(period) => vec![period],
                    None => self.snapshot_periods(&keys, measure, over),
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
        let reasons = std::mem::take(&mut scope.reasons);
        self.note(reasons);
        let (from, joins) = scope.tables();
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
            rows,
            daily,
            by_day_first: false,
            treatment,
            filters,
        })
    }

    /// The keys of a result over a daily leg: the periods of the days, everything else by its name.
    fn over_days(&self, keys: &[Column], measure: &Measure, day: &str) -> Vec<Column> {
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
    fn edge_of_period(
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
    fn daily_keys(&self, keys: &mut Vec<Column>, measure: &Measure) {
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

    /// Keys mean the same thing in every leg.
    fn agree(&mut self, described: Vec<Key>, measure: &Measure) -> Result<(), CompileError> {
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

    /// The keys that are periods (or parts) of the time of snapshots, each with a last one of its own.
    fn snapshot_periods(
        &self,
        keys: &[Column],
        measure: &'a Measure,
        over: &'a OverTime,
    ) -> Vec<String> {
        let find = |name: &str| self.reach.find(self.registry, &measure.dataset, name).ok();
        let is_time = |group: &GroupBy| {
            let by_name = match custom(self.registry, group) {
                Some(custom) => custom.of.and_then(find),
                None => group.dimension().and_then(find),
            };
            self.is_own_time(group, measure)
                || (by_name.is_some()
                    && [Some(&over.time), self.own_time(measure)]
                        .into_iter()
                        .flatten()
                        .any(|time| find(time) == by_name))
        };
        let groups = self.request.groups.iter().zip(keys);
        groups
            .filter(|(group, _)| is_time(group))
            .map(|(_, key)| key.sql.sql.clone())
            .collect()
    }

    /// The name of the time dimension that a measure's periods are of.
    fn own_time(&self, measure: &'a Measure) -> Option<&'a String> {
        let dataset = self.registry.datasets.get(&measure.dataset);
        let default = dataset.and_then(|dataset| dataset.time.as_ref());
        measure.time.as_ref().or(default)
    }

    /// Whether a grouping is by the time that a measure's periods are of.
    fn is_own_time(&self, group: &GroupBy, measure: &Measure) -> bool {
        let of = match (custom(self.registry, group), group) {
            (Some(custom), _) => custom.of,
            (None, GroupBy::Dimension(_)) => return false,
            (None, GroupBy::Grain { of, .. } | GroupBy::Part { of, .. }) => of.as_deref(),
        };
        match of {
            None => true,
            Some(of) => {
                let dataset = self.registry.datasets.get(&measure.dataset);
                let own = measure
                    .time
                    .as_deref()
                    .or(dataset.and_then(|dataset| dataset.time.as_deref()));
                let find = |name: &str| self.reach.find(self.registry, &measure.dataset, name).ok();
                own.is_some_and(|own| find(own).is_some() && find(own) == find(of))
            }
        }
    }

    /// The time range limits the rows that are shown; a condition on the same time would also cut the windows short.
    fn refuse_time_condition(
        &self,
        part: &Filter,
        measure: &Measure,
        scope: &mut Scope<'_>,
    ) -> Result<(), CompileError> {
        let own = time_of(measure, scope, None)?.sql;
        for field in part.fields() {
            let Ok(found) = scope.dimension(field) else {
                continue;
            };
            if found.sql == own {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    format!(
                        "a condition on {field} would cut off the earlier rows that this metric accumulates"
                    ),
                )
                .hint("use a time range: it limits the rows shown, not the rows counted")
                .word(field));
            }
        }
        Ok(())
    }

    fn window(
        &mut self,
        measure: &Measure,
        scope: &mut Scope<'_>,
        context: &Context<'_>,
    ) -> Result<Option<Windowed>, CompileError> {
        let Some((window, coarser)) = context.window else {
            return Ok(None);
        };
        for group in &self.request.groups {
            if let Some(custom) = custom(self.registry, group)
                && self.is_own_time(group, measure)
            {
                return Err(custom.refusal(group, "no window can end with it"));
            }
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
    fn at_the_end(
        &mut self,
        window: context::Window,
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
            context::Window::Trailing(_, grain) if grain.is_sub_day() => {
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
            over: None,
            range,
            daily: None,
        })
    }

    /// The periods of the result, each joined with the rows of its window.
    fn rolling(
        &mut self,
        (window, coarser): (context::Window, AtCoarserGrain),
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
        let by_day = crosses || (coarser == AtCoarserGrain::Average && grain > Grain::Day);
        let shown = grain;
        let grain = if by_day { daily(grain) } else { grain };
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
                let crosses = grain == Grain::Week && long > Grain::Week;
                if long < grain || (crosses && !self.is_metricflow()) {
                    return Err(CompileError::new(
                        ErrorCode::InvalidTime,
                        format!("a {long} has no first {grain}"),
                    )
                    .hint("group by a finer grain"));
                }
                let from = dialect.trunc(&moved(there.clone()), long, week_start);
                // No week is the first of a month: dbt takes its first day.
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
                    context::Window::Trailing(n, unit) => {
                        if unit.is_sub_day() && !grain.is_sub_day() {
                            return Err(CompileError::new(
                                ErrorCode::InvalidTime,
                                format!(
                                    "a window of {unit}s needs a result by {unit}, not by {grain}"
                                ),
                            )
                            .hint(format!("group by {unit}")));
                        }
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
        let only = match self.counterpart(context) {
            Some(Shift::Months(months)) => Some(dialect.has_counterpart(&period, -months)),
            _ => None,
        };
        Ok(Windowed {
            period: Some(period),
            over: Some(Over {
                periods,
                time: Fragment::new(of, [time.dimension.place]),
                from: from.map(instant),
                to: instant(to),
                only,
                has_time,
            }),
            range: DateRange::default(),
            daily: by_day.then_some(coarser),
        })
    }

    /// Whether the result is by months, quarters or years of the measure's time.
    fn is_by_longer_than_weeks(&self, measure: &Measure) -> bool {
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
    fn cut(&self, grain: Grain, context: &Context<'_>) -> Option<String> {
        use jiff::ToSpan;
        let (dialect, today) = (self.options.dialect, self.options.today);
        let end = self.request.range.end?;
        let tomorrow = today.saturating_add(1.day());
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

    /// Every period of the time range; where that is open, of the data.
    fn periods(
        &self,
        key: String,
        shown: Grain,
        grain: Grain,
        data: Option<(&Resolved<'_>, &Scope<'_>, Option<Shift>)>,
    ) -> Result<Periods, CompileError> {
        let dialect = self.options.dialect;
        let week_start = self.registry.calendar.week_start;
        let range = self.request.range;
        let table = self.registry.calendar.table.as_ref();
        let table = table.filter(|_| !grain.is_sub_day());
        let table = table.filter(|_| data.is_none() || self.is_metricflow());
        let of_data = |end: &str| match (data, table) {
            (_, Some(table)) => {
                let day = format!("{end}({})", dialect.name(&table.date));
                let found = dialect.trunc(&day, grain, week_start);
                let sql = format!("SELECT {found} FROM {}", dialect.table(&table.table));
                Ok(Bound::Data(Fragment::new(sql, [table.place])))
            }
            (None, None) => Err(CompileError::new(
                ErrorCode::InvalidTime,
                "a row for every period needs a time range with a start",
            )
            .hint("for instance: last 6 months")),
            (Some((time, scope, by)), None) => {
                let (from, joins) = scope.tables_so_far();
                let found = dialect.trunc(&format!("{end}({})", time.sql), grain, week_start);
                let found = match by {
                    Some(by) if !grain.is_sub_day() => {
                        dialect.trunc(&dialect.shift(&found, by), grain, week_start)
                    }
                    _ => found,
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
            None => of_data("MIN")?,
        };
        let last = match (range.end, data) {
            (None, Some(_)) => of_data("MAX")?,
            (None, None) if range.start.is_none() => of_data("MAX")?,
            (Some(end), _) if grain.is_sub_day() => {
                let end = dialect.timestamp(end.to_datetime(jiff::civil::Time::midnight()));
                Bound::Data(Fragment::plain(format!(
                    "SELECT {}",
                    dialect.units_before(&end, 1, grain, true)
                )))
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
        })
    }

    /// A trend over one time grain and nothing else shows every period of its range, also the empty ones; where it is
    /// asked for, or a metric says so, other results do too.
    fn calendar(&self) -> Result<Option<Periods>, CompileError> {
        let request = self.request;
        let wanted = request.query.every_period;
        let by_definition = request.metrics.iter().any(|metric| metric.every_period);
        let grains: Vec<(usize, Grain)> = request
            .groups
            .iter()
            .enumerate()
            .filter_map(|(index, group)| match group {
                _ if custom(self.registry, group).is_some() => None,
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
        let automatic = wanted.is_none() && alone && request.having.is_none();
        if !(asked || automatic) {
            return Ok(None);
        }
        let Some(key) = self.planned.keys.get(index) else {
            return Ok(None);
        };
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

    /// Whether dbt's rules decide where two readings are possible.
    pub(super) fn is_metricflow(&self) -> bool {
        self.registry.conventions == Conventions::Metricflow
    }

    pub(super) fn note(&mut self, new: Vec<Reason>) {
        for reason in new {
            if !self.planned.reasons.contains(&reason) {
                self.planned.reasons.push(reason);
            }
        }
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
        } else if context.back.is_some() {
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
fn carried<'a>(
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

/// The rows that a leg with a window reads.
struct Windowed {
    /// The period as SQL, where the result has periods.
    period: Option<String>,
    over: Option<Over>,
    range: DateRange,
    /// Where the leg is by day: which day's value stands for a period.
    daily: Option<AtCoarserGrain>,
}

pub(in crate::compile) fn prior_name(name: &str) -> String {
    format!("{name}_prior")
}

pub(super) fn broken(metric: &Metric, why: &str) -> CompileError {
    CompileError::new(
        ErrorCode::InvalidDefinition,
        format!("{}: {why}", metric.name),
    )
    .at(metric.place)
}

fn source_reason(metric: &Metric, chosen: usize) -> Reason {
    let source = metric.kind.sources().get(chosen);
    let datasets = source
        .iter()
        .flat_map(|source| &source.measures)
        .map(|measure| measure.dataset.as_str());
    let mut datasets: Vec<_> = datasets.collect();
    datasets.dedup();
    let why = match source.and_then(|source| source.use_when.as_ref()) {
        Some((text, _)) => format!("because {} holds", text.text),
        None => "because no earlier source applies".to_owned(),
    };
    Reason {
        kind: ReasonKind::Source,
        text: format!("{} reads {}, {why}", metric.name, datasets.join(" and ")),
        place: source.map(|source| source.place),
    }
}

/// Brackets around what would fall apart beside an `AND`.
pub(super) fn bracketed(sql: &str) -> String {
    if sql.contains(" OR ") {
        format!("({sql})")
    } else {
        sql.to_owned()
    }
}
