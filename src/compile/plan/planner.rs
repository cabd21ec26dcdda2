//! Makes the plan: every metric becomes a formula over leaves, every leaf a column of a leg.

use super::alone::Bounded;
use super::{Context, Each, Formula, Leg, Node, Owed, Shown, context};
use crate::compile::key::Key;
use crate::compile::periods_ago::{self, PeriodsAgo, unlike_distances};
use crate::compile::request::Request;
use crate::compile::scope::Scope;
use crate::compile::source::{self, Usage};
use crate::compile::{
    CompileError, CompileOptions, ErrorCode, Reason, ReasonKind, compare, conventions, facets,
    leaf_metrics, reach::Reachability,
};
use crate::model::{
    AtCoarserGrain, Comparison, Conventions, DateRange, Grain, Input, Measure, Metric, MetricKind,
    Offset, Registry, Source, Window,
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
    /// The smallest and largest values that are asked for instead of metrics.
    pub(in crate::compile) bounds: Vec<Bounded>,
    /// The periods that are rows of the result.
    pub(in crate::compile) shown: Option<Shown>,
    /// What legs read of the calendar table, each under its name, in an order in which they can read each other.
    pub(in crate::compile) tables: Vec<(String, Node)>,
    /// The relations that conditions on a metric per dimension read.
    pub(in crate::compile) each: Vec<Each>,
    /// The filters of the definitions, which all must be in it.
    pub(in crate::compile) owed: Vec<Owed>,
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
    /// Whether a metric of the query, or one that it is made of, has rows for periods without data.
    pub(super) every_period: bool,
    /// The measures whose rows the result is grouped from.
    pub(super) measures: Vec<&'a Measure>,
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
            every_period: false,
            measures: Vec::new(),
            planned: Planned::default(),
        };
        planner.choose_sources(usage)?;
        for metric in &request.metrics {
            let now = planner.metric(metric, &Context::default(), 0)?;
            let prior = match (&request.shifted, request.ago) {
                (None, None) => None,
                (shifted, ago) => {
                    let context = Context {
                        back: shifted.clone(),
                        ago,
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
            planner.planned.shown = planner.calendar()?;
        }
        let owed = planner.owed()?;
        let mut planned = Planned {
            owed,
            ..planner.planned
        };
        if options.passes.merge_scans {
            planned.legs = super::merge::merge_scans(planned.legs);
        }
        if options.passes.by_day_first {
            for leg in &mut planned.legs {
                leg.by_day_first = leg.adds_up_by_day();
            }
        }
        planned.check_filters()?;
        Ok(planned)
    }

    pub(super) fn choose_sources(&mut self, usage: &Usage<'_>) -> Result<(), CompileError> {
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
            for measure in &source.measures {
                if !self.peers.contains(&measure.dataset) {
                    self.peers.push(measure.dataset.clone());
                }
            }
        }
        Ok(())
    }

    pub(super) fn metric(
        &mut self,
        metric: &'a Metric,
        context: &Context<'a>,
        depth: u8,
    ) -> Result<Formula, CompileError> {
        if depth > MAX_DEPTH {
            return Err(broken(metric, "the definitions are nested too deeply"));
        }
        let context = &Context {
            every_period: context.every_period || metric.every_period,
            ..context.clone()
        };
        self.every_period |= metric.every_period;
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
                    )
                    .hint("accumulate what it is of"));
                }
                let window = match &cumulative.window {
                    Window::AllTime => context::Window::AllTime,
                    Window::Trailing(n, grain) => context::Window::Trailing(*n, *grain),
                    Window::ToDate(grain) => context::Window::ToDate(*grain),
                    Window::ToDateOf(period) => context::Window::ToDateOf(period),
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
                return Err(
                    broken(metric, "a complex metric has no compiled form").hint(
                        "declare the facets of its snippet, and it can be part of other metrics",
                    ),
                );
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
    pub(super) fn inside(
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
            Some(Offset::Ago(n, grain))
                if let Some(ago) =
                    periods_ago::years(self.registry, &self.request.groups, (*n, *grain)) =>
            {
                self.by_table(metric, input, &mut inner, ago)?;
            }
            Some(Offset::AgoCustom(n, period)) => {
                let ago = PeriodsAgo::previous(self.registry, period, *n);
                let ago = ago.ok_or_else(|| broken(metric, &format!("there is no {period}")))?;
                self.by_table(metric, input, &mut inner, ago)?;
            }
            Some(Offset::Ago(n, grain)) => {
                if let Some(ago) = context.ago {
                    return Err(own(unlike_distances(&ago, &format!("{n} {grain}"))));
                }
                let request = self.request;
                let time = request
                    .query
                    .time
                    .unwrap_or(crate::model::TimeRange::AllTime);
                let range = match &context.back {
                    Some(back) => back.range,
                    None => self.ending_today(request.range),
                };
                // By dbt's rules months are no whole part of a longer period: every day is moved by itself.
                let shown = conventions::shown(&request.groups);
                let by_days = self.is_metricflow()
                    && *grain > Grain::Week
                    && shown.is_some_and(|shown| shown > *grain || shown == Grain::Day);
                let groups = match by_days && shown != Some(Grain::Day) {
                    true => Vec::new(),
                    false => periods_ago::civil(self.registry, &request.groups),
                };
                let back = compare::further(
                    context.back.as_ref(),
                    compare::back(
                        Comparison::Ago(*n, *grain),
                        time,
                        range,
                        self.options.today,
                        &groups,
                    )
                    .map_err(|error| own(error.hint(lining_up(metric, *n, *grain))))?,
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
                if by_days && inner.window.is_none() {
                    inner.window = Some((context::Window::Period, AtCoarserGrain::Last));
                }
                inner.back = Some(back);
            }
            Some(Offset::StartOf(_) | Offset::StartOfPeriod(_)) if inner.window.is_some() => {
                return Err(broken(
                    metric,
                    "the start of a period has no meaning for what accumulates",
                )
                .hint("offset by a length, such as 1 month"));
            }
            Some(Offset::StartOf(grain)) => {
                inner.window = Some((context::Window::StartOf(*grain), AtCoarserGrain::Last));
            }
            Some(Offset::StartOfPeriod(period)) => {
                inner.window = Some((context::Window::StartOfPeriod(period), AtCoarserGrain::Last));
            }
        }
        Ok(inner)
    }

    /// A range without an end ends today for what looks back, or it would be held against all that came since; by dbt's
    /// rules it stays open.
    fn ending_today(&self, range: DateRange) -> DateRange {
        use jiff::ToSpan;
        let tomorrow = self.options.today.saturating_add(1.day());
        let end = range.end.or((!self.is_metricflow()).then_some(tomorrow));
        DateRange { end, ..range }
    }

    /// Takes an input so many periods of the calendar table before.
    fn by_table(
        &mut self,
        metric: &Metric,
        input: &Input,
        inner: &mut Context<'a>,
        ago: PeriodsAgo<'a>,
    ) -> Result<(), CompileError> {
        let own = |error: CompileError| error.at(input.place);
        if let Some(back) = &inner.back {
            let other = match back.by {
                Shift::Months(n) => format!("{n} months"),
                Shift::Days(n) => format!("{n} days"),
                Shift::Seconds(n) => format!("{n} seconds"),
            };
            return Err(own(unlike_distances(&ago, &other)));
        }
        let request = self.request;
        let text = format!(
            "{} of {} is taken {} before, as {} has them",
            input.metric,
            metric.name,
            ago.text(),
            ago.table.table
        );
        self.note(vec![Reason {
            kind: ReasonKind::Compare,
            text,
            place: Some(input.place),
        }]);
        let cut = periods_ago::cut(request.range, self.options.today);
        let is_bounded = request.range.start.is_some() && request.range.end.is_some();
        let end = cut.filter(|_| is_bounded || !self.is_metricflow());
        let ago = PeriodsAgo { end, ..ago };
        inner.ago = Some(ago.further(inner.ago).map_err(own)?);
        Ok(())
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
        let nesting = self.request.nesting;
        Scope::new(
            self.registry,
            self.reach,
            self.options,
            peers,
            measure,
            nesting,
        )
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
}

/// The periods that an offset is a whole number of.
fn lining_up(metric: &Metric, n: u32, grain: Grain) -> String {
    let months = match grain {
        Grain::Quarter => 3,
        Grain::Year => 12,
        _ => 1,
    };
    let mut grains = vec!["day", "month"];
    let whole = |of: u32| n.saturating_mul(months).is_multiple_of(of);
    grains.extend(whole(3).then_some("quarter"));
    grains.extend(whole(12).then_some("year"));
    format!(
        "{} looks back {n} {grain}{}: group by {}",
        metric.name,
        if n == 1 { "" } else { "s" },
        grains.join(", ")
    )
}

pub(in crate::compile) fn prior_name(name: &str) -> String {
    format!("{name}_prior")
}

pub(super) fn broken(metric: &Metric, why: &str) -> CompileError {
    CompileError::new(
        ErrorCode::InvalidDefinition,
        format!("{}: {why}", metric.name),
    )
    .hint(format!(
        "change its definition: metrex show {}",
        metric.name
    ))
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
