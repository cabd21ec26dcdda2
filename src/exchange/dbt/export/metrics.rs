//! Metrics in dbt's words, and what it has no words for.

use serde_json::{Value, json};

use super::{Fields, Writer, entity_of, put};
use crate::exchange::define;
use crate::model::{
    Aggregate, AtCoarserGrain, Conversion, ConversionResult, Dataset, Format, Input, Measure,
    Metric, MetricKind, Offset, Relation, Source, Status, Take, Window,
};

impl Writer<'_> {
    /// A metric, and the dataset it stands in; none where it stands over several.
    pub(super) fn metric(&mut self, metric: &Metric) -> Result<(Option<String>, Value), String> {
        let mut fields = Fields::new();
        put(&mut fields, "name", metric.name.as_str());
        if metric.label != metric.name {
            put(&mut fields, "label", metric.label.as_str());
        }
        if !metric.description.is_empty() {
            put(&mut fields, "description", metric.description.as_str());
        }
        let mut config = Fields::new();
        if !metric.tags.is_empty() {
            put(&mut config, "tags", metric.tags.clone());
        }
        if let Some(owner) = &metric.owner {
            put(&mut config, "meta", json!({"owner": owner}));
        }
        if !config.is_empty() {
            put(&mut fields, "config", config);
        }
        let mut dataset = None;
        put(&mut fields, "type", metric.kind.word());
        match &metric.kind {
            MetricKind::Simple(sources) => {
                let measure = only(sources)?;
                self.over_table(measure)?;
                dataset = Some(measure.dataset.clone());
                self.measure(measure, &mut fields)?;
                if let Some(fill) = metric.fill {
                    put(&mut fields, "fill_nulls_with", fill);
                }
                if metric.every_period {
                    put(&mut fields, "join_to_timespine", true);
                }
                if let Some(grain) = metric.time_grain {
                    put(&mut fields, "time_granularity", grain.word());
                }
            }
            MetricKind::Ratio(sources) => {
                let halves = match sources.as_slice() {
                    [source] => source
                        .measures
                        .iter()
                        .map(|half| self.named(half))
                        .collect(),
                    _ => return Err("dbt has one source for a metric".to_owned()),
                };
                let halves: Option<Vec<&str>> = halves;
                let measures = sources.iter().flat_map(|source| &source.measures);
                for half in measures {
                    self.over_table(half)?;
                }
                let Some([numerator, denominator]) = halves.as_deref() else {
                    let reason = "both halves of a ratio are metrics in dbt; give them names";
                    return Err(reason.to_owned());
                };
                put(&mut fields, "numerator", *numerator);
                put(&mut fields, "denominator", *denominator);
            }
            MetricKind::Derived { expr, inputs } => {
                put(&mut fields, "expr", expr.text.as_str());
                let inputs = inputs.iter().map(|input| self.input(input));
                let inputs = inputs.collect::<Result<Vec<_>, String>>()?;
                put(&mut fields, "input_metrics", inputs);
            }
            MetricKind::Cumulative(cumulative) => {
                let of = match &cumulative.of {
                    Some(of) => Some(of.as_str()),
                    None => {
                        let measure = only(&cumulative.sources)?;
                        self.over_table(measure)?;
                        self.named(measure)
                    }
                };
                let of = of.ok_or(
                    "what a cumulative metric accumulates is a metric in dbt; give it a name",
                )?;
                put(&mut fields, "input_metric", of);
                match &cumulative.window {
                    Window::AllTime => {}
                    Window::Trailing(n, grain) => {
                        put(&mut fields, "window", format!("{n} {grain}"))
                    }
                    Window::ToDate(grain) => put(&mut fields, "grain_to_date", grain.word()),
                    Window::ToDateOf(period) => {
                        put(&mut fields, "grain_to_date", period.as_str());
                    }
                }
                let period_agg = match cumulative.at_coarser_grain {
                    AtCoarserGrain::Last => "last",
                    AtCoarserGrain::First => "first",
                    AtCoarserGrain::Average => "average",
                };
                put(&mut fields, "period_agg", period_agg);
            }
            MetricKind::Conversion(conversion) => {
                put(&mut fields, "entity", self.converting(conversion)?);
                put(&mut fields, "base_metric", conversion.base.as_str());
                put(
                    &mut fields,
                    "conversion_metric",
                    conversion.conversion.as_str(),
                );
                if let Some((n, grain)) = conversion.within {
                    put(&mut fields, "window", format!("{n} {grain}"));
                }
                let calculation = match conversion.result {
                    ConversionResult::Rate => "conversion_rate",
                    ConversionResult::Count => "conversions",
                };
                put(&mut fields, "calculation", calculation);
                let same = conversion.same.iter().map(
                    |(base, other)| json!({"base_property": base, "conversion_property": other}),
                );
                let same: Vec<Value> = same.collect();
                if !same.is_empty() {
                    put(&mut fields, "constant_properties", same);
                }
            }
            MetricKind::Complex { .. } => return Err("it is SQL by hand".to_owned()),
        }
        Ok((dataset, Value::Object(fields)))
    }

    /// The entity that both sides of a conversion have.
    fn converting(&self, conversion: &Conversion) -> Result<&str, String> {
        let of = |metric: &str| {
            let metric = self.registry.metric(metric)?;
            let measure = metric.kind.sources().first()?.measures.first()?;
            self.entity(
                self.registry.datasets.get(&measure.dataset)?,
                &conversion.entity,
            )
        };
        match (of(&conversion.base), of(&conversion.conversion)) {
            (Some(base), Some(other)) if base == other => Ok(base),
            _ => Err(format!(
                "dbt converts by an entity, and {} is none of both sides",
                conversion.entity
            )),
        }
    }

    /// The entity that a dimension or column of a dataset identifies.
    fn entity<'d>(&'d self, dataset: &'d Dataset, name: &str) -> Option<&'d str> {
        let joins = dataset.joins.values();
        let targets: Vec<_> = joins
            .filter_map(|join| Some((join, entity_of(self.registry.datasets.get(&join.to)?))))
            .collect();
        if let Some((_, entity)) = targets.iter().find(|(_, entity)| *entity == name) {
            return Some(entity);
        }
        let column = dataset
            .dimension(name)
            .map_or(Some(name), |dimension| dimension.column.as_deref())?;
        if entity_of(dataset) == name || dataset.key == [column] {
            return Some(entity_of(dataset));
        }
        let by_column = targets
            .iter()
            .find(|(join, _)| join.on.first().is_some_and(|(here, _)| here == column));
        by_column.map(|(_, entity)| *entity)
    }

    /// Refuses a measure of a query: dbt's metrics are over models.
    fn over_table(&self, measure: &Measure) -> Result<(), String> {
        let dataset = self.registry.datasets.get(&measure.dataset);
        match dataset.map(|dataset| &dataset.relation) {
            Some(Relation::Sql(_)) => Err(format!("{} is a query and no table", measure.dataset)),
            _ => Ok(()),
        }
    }

    /// The simple metric that is exactly a measure.
    fn named(&self, measure: &Measure) -> Option<&str> {
        let is_same = |other: &Measure| {
            let text = |one: &Measure| one.expr.as_ref().map(|expr| expr.text.clone());
            (&other.dataset, &other.time, other.agg)
                == (&measure.dataset, &measure.time, measure.agg)
                && text(other) == text(measure)
                && define::texts(&other.filters) == define::texts(&measure.filters)
        };
        let found = self
            .registry
            .metrics
            .values()
            .find(|metric| match &metric.kind {
                MetricKind::Simple(sources) => only(sources).is_ok_and(is_same),
                _ => false,
            });
        found.map(|metric| metric.name.as_str())
    }

    /// What dbt has no words for.
    pub(super) fn losses(&mut self, metric: &Metric) {
        let lost = [
            (!metric.aliases.is_empty(), "other names"),
            (!metric.business_rules.is_empty(), "business rules"),
            (metric.category != "Other", "category"),
            (metric.window.is_some(), "default time range"),
            (!metric.grain.is_empty(), "default grouping"),
            (metric.format != Format::default(), "format"),
            (metric.status != Status::Published, "status"),
            (metric.last_updated.is_some(), "last updated"),
            (metric.successor.is_some(), "successor"),
            (!metric.history.is_empty(), "history"),
            (!metric.tests.is_empty(), "tests"),
        ];
        let lost: Vec<&str> = lost
            .into_iter()
            .filter(|(is_lost, _)| *is_lost)
            .map(|(_, word)| word)
            .collect();
        if !lost.is_empty() {
            let text = format!("{}: {} not carried over", metric.name, lost.join(", "));
            self.notes.about(self.registry.at(metric.place), text);
        }
    }

    fn measure(&self, measure: &Measure, fields: &mut Fields) -> Result<(), String> {
        let agg = match measure.agg {
            Aggregate::Avg => "average",
            Aggregate::Stddev
            | Aggregate::StddevPopulation
            | Aggregate::Variance
            | Aggregate::VariancePopulation => {
                return Err(format!("dbt has no {}", define::aggregate(measure.agg)));
            }
            agg => define::aggregate(agg),
        };
        put(fields, "agg", agg);
        if let Aggregate::Percentile(share) | Aggregate::PercentileDiscrete(share) = measure.agg {
            put(fields, "percentile", share);
            let is_discrete = matches!(measure.agg, Aggregate::PercentileDiscrete(_));
            let kind = if is_discrete {
                "discrete"
            } else {
                "continuous"
            };
            put(fields, "percentile_type", kind);
        }
        let expr = measure.expr.as_ref().map_or("1", |expr| expr.text.as_str());
        put(fields, "expr", expr);
        if let Some(time) = &measure.time {
            put(fields, "agg_time_dimension", time.as_str());
        }
        if let Some(over) = &measure.over_time {
            let choice = match over.take {
                Take::Last if !over.carry_forward => "max",
                Take::First => "min",
                _ => {
                    return Err(
                        "dbt takes the first or the last snapshot, and carries none forward"
                            .to_owned(),
                    );
                }
            };
            put(
                fields,
                "non_additive_dimension",
                json!({"name": over.time, "window_agg": choice, "group_by": over.per}),
            );
        }
        let filters = self.conditions(&measure.filters, &measure.dataset)?;
        if let Some(filter) = filters {
            put(fields, "filter", filter);
        }
        Ok(())
    }

    fn input(&self, input: &Input) -> Result<Value, String> {
        let mut fields = Fields::new();
        put(&mut fields, "name", input.metric.as_str());
        if input.name != input.metric {
            put(&mut fields, "alias", input.name.as_str());
        }
        match &input.offset {
            None => {}
            Some(Offset::Ago(n, grain)) => {
                put(&mut fields, "offset_window", format!("{n} {grain}"))
            }
            Some(Offset::AgoCustom(n, period)) => {
                put(&mut fields, "offset_window", format!("{n} {period}"))
            }
            Some(Offset::StartOf(grain)) => put(&mut fields, "offset_to_grain", grain.word()),
            Some(Offset::StartOfPeriod(period)) => {
                put(&mut fields, "offset_to_grain", period.as_str());
            }
        }
        if !input.filters.is_empty() {
            let mut name = input.metric.as_str();
            // The conditions read from where the metric is counted.
            let dataset = loop {
                let metric = self.registry.metric(name).ok_or("an input is unknown")?;
                match (metric.kind.sources().first(), metric.kind.inputs().first()) {
                    (Some(Source { measures, .. }), _) => {
                        break measures.first().map(|one| &one.dataset);
                    }
                    (None, Some(inner)) => {
                        name = self.registry.metric(inner).map_or("", |one| &one.name)
                    }
                    (None, None) => break None,
                }
            };
            let dataset = dataset.ok_or("an input is counted nowhere")?;
            if let Some(filter) = self.conditions(&input.filters, dataset)? {
                put(&mut fields, "filter", filter);
            }
        }
        Ok(Value::Object(fields))
    }
}

/// The only measure of a simple metric.
fn only(sources: &[Source]) -> Result<&Measure, String> {
    match sources {
        [source] => source
            .measures
            .first()
            .ok_or_else(|| "it measures nothing".to_owned()),
        _ => Err("dbt has one source for a metric".to_owned()),
    }
}
