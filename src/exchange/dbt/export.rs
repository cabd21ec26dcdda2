//! A registry in dbt's latest form: semantics on models, and metrics without measures.

use serde_json::{Map, Value, json};
use sqlparser::ast::{Expr, Ident, VisitMut, VisitorMut};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::exchange::notes::Notes;
use crate::exchange::{Export, define, emit};
use crate::model::{
    Aggregate, AtCoarserGrain, ConversionResult, Dataset, Dimension, Expression, Input, Measure,
    Metric, MetricKind, Offset, Registry, Relation, Source, Take, Window,
};

/// The models of a registry, and its metrics over several of them.
pub fn export(registry: &Registry) -> Export {
    let mut writer = Writer {
        registry,
        notes: Notes::default(),
    };
    let mut models = Vec::new();
    let mut across = Vec::new();
    let mut by_dataset: Vec<(&Dataset, Vec<Value>)> = registry
        .datasets
        .values()
        .map(|dataset| (dataset, Vec::new()))
        .collect();
    for metric in registry.metrics.values() {
        match writer.metric(metric) {
            Ok((Some(dataset), value)) => {
                let found = by_dataset.iter_mut().find(|(one, _)| one.name == dataset);
                if let Some((_, metrics)) = found {
                    metrics.push(value);
                }
            }
            Ok((None, value)) => across.push(value),
            Err(reason) => {
                let text = format!("the metric {} is left out: {reason}", metric.name);
                writer.notes.about(registry.at(metric.place), text);
            }
        }
    }
    for (dataset, metrics) in by_dataset {
        models.extend(writer.model(dataset, metrics));
    }
    for view in registry.views.values() {
        let text = format!("the saved query {} is left out", view.name);
        writer.notes.about(registry.at(view.place), text);
    }
    if let Some(table) = &registry.calendar.table {
        let periods = table
            .periods
            .values()
            .map(|period| json!({"name": period.name, "column_name": period.column}));
        models.push(json!({
            "name": table.table,
            "time_spine": {
                "standard_granularity_column": table.date,
                "custom_granularities": periods.collect::<Vec<_>>(),
            },
            "columns": [{"name": table.date, "granularity": "day"}],
        }));
    }
    for spine in &registry.calendar.spines {
        models.push(json!({
            "name": spine.table,
            "time_spine": {"standard_granularity_column": spine.column},
            "columns": [{"name": spine.column, "granularity": spine.grain.word()}],
        }));
    }
    let mut document = Map::new();
    document.insert("models".to_owned(), json!(models));
    if !across.is_empty() {
        document.insert("metrics".to_owned(), json!(across));
    }
    Export {
        files: vec![("semantic_models.yml".to_owned(), emit::document(&document))],
        notes: writer.notes.into_list(),
    }
}

struct Writer<'a> {
    registry: &'a Registry,
    notes: Notes,
}

type Fields = Map<String, Value>;

fn put(fields: &mut Fields, key: &str, value: impl Into<Value>) {
    fields.insert(key.to_owned(), value.into());
}

impl Writer<'_> {
    fn model(&mut self, dataset: &Dataset, metrics: Vec<Value>) -> Option<Value> {
        let at = self.registry.at(dataset.place);
        let Relation::Table(table) = &dataset.relation else {
            let text = format!(
                "{} is a query and no table: make it a model of dbt",
                dataset.name
            );
            self.notes.about(at, text);
            return None;
        };
        let mut fields = Fields::new();
        let (schema, name) = match table.rsplit_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, table.as_str()),
        };
        put(&mut fields, "name", name);
        if let Some(schema) = schema {
            put(&mut fields, "config", json!({"schema": schema}));
        }
        if !dataset.description.is_empty() {
            put(&mut fields, "description", dataset.description.as_str());
        }
        put(
            &mut fields,
            "semantic_model",
            json!({"enabled": true, "name": dataset.name}),
        );
        if let Some(time) = &dataset.time {
            put(&mut fields, "agg_time_dimension", time.as_str());
        }
        let (mut columns, mut derived) = (Vec::new(), Vec::new());
        let entity = entity_of(dataset);
        match dataset.key.as_slice() {
            [] => put(&mut fields, "primary_entity", entity),
            [key] => {
                let kind = if dataset.valid.is_some() {
                    "natural"
                } else {
                    "primary"
                };
                columns.push(json!({"name": key, "entity": {"type": kind, "name": entity}}));
            }
            several => {
                put(&mut fields, "primary_entity", entity);
                let text = format!(
                    "{}: a key of {} columns is left out",
                    dataset.name,
                    several.len()
                );
                self.notes.about(at.clone(), text);
            }
        }
        for join in dataset.joins.values() {
            let text = match (join.on.as_slice(), self.registry.datasets.get(&join.to)) {
                ([(column, _)], Some(target)) => {
                    let name = entity_of(target);
                    let is_taken =
                        |known: &Value| known.pointer("/entity/name") == Some(&json!(name));
                    if columns.iter().any(is_taken) {
                        format!(
                            "the join {} is left out: dbt has one way to {name}",
                            join.name
                        )
                    } else {
                        columns.push(
                            json!({"name": column, "entity": {"type": "foreign", "name": name}}),
                        );
                        if join.name == name {
                            continue;
                        }
                        format!("what is {} here is {name} in dbt", join.name)
                    }
                }
                _ => format!("the join {} by several columns is left out", join.name),
            };
            self.notes.about(self.registry.at(join.place), text);
        }
        for dimension in dataset.dimensions.values() {
            let own_entity = |known: &Value| {
                known.get("name")
                    == dimension
                        .column
                        .as_ref()
                        .map(|column| json!(column))
                        .as_ref()
                    && known.pointer("/entity/name") == Some(&json!(dimension.name))
            };
            if columns.iter().any(own_entity) {
                continue;
            }
            if dimension.of_metric.is_some() {
                let text = format!("{}: a metric of each row is left out", dimension.name);
                self.notes.about(self.registry.at(dimension.place), text);
                continue;
            }
            let (value, is_column) = dimension_of(dataset, dimension);
            match is_column {
                true => columns.push(value),
                false => derived.push(value),
            }
        }
        if !columns.is_empty() {
            put(&mut fields, "columns", columns);
        }
        if !derived.is_empty() {
            put(
                &mut fields,
                "derived_semantics",
                json!({"dimensions": derived}),
            );
        }
        if !metrics.is_empty() {
            put(&mut fields, "metrics", metrics);
        }
        Some(Value::Object(fields))
    }

    /// A metric, and the dataset it stands in; none where it stands over several.
    fn metric(&mut self, metric: &Metric) -> Result<(Option<String>, Value), String> {
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
            MetricKind::Ratio(_) => {
                return Err("both halves of a ratio are metrics in dbt; give them names".to_owned());
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
                    None => self.named(only(&cumulative.sources)?),
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
                put(&mut fields, "entity", conversion.entity.as_str());
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
        self.losses(metric);
        Ok((dataset, Value::Object(fields)))
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
    fn losses(&mut self, metric: &Metric) {
        let lost = [
            (!metric.aliases.is_empty(), "other names"),
            (!metric.business_rules.is_empty(), "business rules"),
            (metric.category != "Other", "category"),
            (metric.window.is_some(), "default time range"),
            (!metric.grain.is_empty(), "default grouping"),
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
                json!({"name": over.time, "window_choice": choice, "window_groupings": over.per}),
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

    /// Conditions in dbt's words.
    fn conditions(&self, filters: &[Expression], dataset: &str) -> Result<Option<String>, String> {
        let dataset = self
            .registry
            .datasets
            .get(dataset)
            .ok_or("its dataset is unknown")?;
        let each = filters
            .iter()
            .map(|filter| self.condition(&filter.text, dataset));
        let each = each.collect::<Result<Vec<_>, String>>()?;
        Ok(match each.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            several => Some(format!("({})", several.join(") and ("))),
        })
    }

    fn condition(&self, sql: &str, dataset: &Dataset) -> Result<String, String> {
        let parsed = Parser::new(&GenericDialect {})
            .try_with_sql(sql)
            .and_then(|mut parser| parser.parse_expr());
        let mut expr = parsed.map_err(|error| format!("'{sql}' does not parse: {error}"))?;
        let mut templates = Templates {
            registry: self.registry,
            dataset,
            found: Vec::new(),
        };
        if let std::ops::ControlFlow::Break(reason) = expr.visit(&mut templates) {
            return Err(reason);
        }
        let mut text = expr.to_string();
        for (at, template) in templates.found.iter().enumerate() {
            text = text.replace(&mark(at), template);
        }
        Ok(text)
    }
}

/// Replaces names by marks that stand for `{{ Dimension(…) }}`, which is no SQL.
struct Templates<'a> {
    registry: &'a Registry,
    dataset: &'a Dataset,
    found: Vec<String>,
}

fn mark(at: usize) -> String {
    format!("__template_{at}__")
}

impl VisitorMut for Templates<'_> {
    type Break = String;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> std::ops::ControlFlow<String> {
        let parts: Vec<String> = match expr {
            Expr::Identifier(one) => vec![one.value.clone()],
            Expr::CompoundIdentifier(parts) => {
                parts.iter().map(|part| part.value.clone()).collect()
            }
            _ => return std::ops::ControlFlow::Continue(()),
        };
        let Some((name, joins)) = parts.split_last() else {
            return std::ops::ControlFlow::Continue(());
        };
        let mut at = self.dataset;
        let mut path = Vec::new();
        for join in joins {
            let target = at
                .joins
                .get(join)
                .and_then(|join| self.registry.datasets.get(&join.to));
            let Some(target) = target else {
                return std::ops::ControlFlow::Break(format!("'{join}' leads nowhere"));
            };
            at = target;
            path.push(entity_of(at).to_owned());
        }
        let Some(dimension) = at.dimension(name) else {
            let reason =
                format!("'{name}' is a column and no dimension, which dbt's conditions need");
            return std::ops::ControlFlow::Break(reason);
        };
        if path.is_empty() {
            path.push(entity_of(at).to_owned());
        }
        path.push(dimension.name.clone());
        let call = if dimension.kind.is_time() {
            "TimeDimension"
        } else {
            "Dimension"
        };
        self.found
            .push(format!("{{{{ {call}('{}') }}}}", path.join("__")));
        *expr = Expr::Identifier(Ident::new(mark(self.found.len() - 1)));
        std::ops::ControlFlow::Continue(())
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

/// What dbt calls a row of a dataset.
fn entity_of(dataset: &Dataset) -> &str {
    dataset.entity.as_deref().unwrap_or(&dataset.name)
}

/// A dimension, and whether it is a column as it stands.
fn dimension_of(dataset: &Dataset, dimension: &Dimension) -> (Value, bool) {
    let mut inner = Fields::new();
    put(
        &mut inner,
        "type",
        if dimension.kind.is_time() {
            "time"
        } else {
            "categorical"
        },
    );
    put(&mut inner, "name", dimension.name.as_str());
    put(&mut inner, "label", dimension.label.as_str());
    if !dimension.description.is_empty() {
        put(&mut inner, "description", dimension.description.as_str());
    }
    if let (Some(valid), Some(column)) = (&dataset.valid, &dimension.column) {
        if valid.from == *column {
            put(&mut inner, "validity_params", json!({"is_start": true}));
        } else if valid.to == *column {
            put(&mut inner, "validity_params", json!({"is_end": true}));
        }
    }
    // What dbt calls a day is cut to it there.
    let day = dimension
        .expr
        .text
        .strip_prefix("cast(")
        .and_then(|text| text.strip_suffix(" as date)"));
    let granularity = match (dimension.time_grain, dimension.kind) {
        (Some(grain), _) => grain.word(),
        (None, crate::model::DimensionType::Time) => "second",
        (None, _) => "day",
    };
    if dataset.partition.is_some() && dataset.partition == dimension.column {
        put(&mut inner, "is_partition", true);
    }
    match dimension.column.as_deref().or(day) {
        Some(column) => {
            let mut fields = Fields::new();
            put(&mut fields, "name", column);
            if dimension.kind.is_time() {
                put(&mut fields, "granularity", granularity);
            }
            put(&mut fields, "dimension", inner);
            (Value::Object(fields), true)
        }
        None => {
            put(&mut inner, "expr", dimension.expr.text.as_str());
            if dimension.kind.is_time() {
                put(&mut inner, "granularity", granularity);
            }
            (Value::Object(inner), false)
        }
    }
}
