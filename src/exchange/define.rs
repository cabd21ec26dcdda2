//! Definitions as plain values, in the shape in which `metrics/*.yaml` has them: the inverse of reading a registry.

use serde_json::{Map, Value, json};

use crate::model::{
    Aggregate, Alert, Calendar, Dataset, Dimension, DimensionType, Expectation, Expression, Format,
    FormatKind, Hypothesis, Input, Join, LifeEvent, Measure, Metric, MetricKind, MetricTest,
    Offset, OverTime, Registry, Relation, Rollup, Source, Status, Tolerance, View, Weekday, Window,
};

/// A map that leaves out what says nothing.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    fn put_some(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn put_text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.put(key, text);
        }
    }

    fn put_list(&mut self, key: &str, list: &[String]) {
        if !list.is_empty() {
            self.put(key, list.to_vec());
        }
    }

    fn put_map(&mut self, key: &str, map: Map<String, Value>) {
        if !map.is_empty() {
            self.put(key, map);
        }
    }
}

/// A word that serde has for a value.
fn word(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A dataset.
pub(super) fn dataset(dataset: &Dataset) -> Value {
    let mut fields = Fields::default();
    match &dataset.relation {
        Relation::Table(table) => fields.put("table", table.as_str()),
        Relation::Sql(sql) => fields.put("sql", sql.as_str()),
    }
    if dataset.label != dataset.name {
        fields.put("label", dataset.label.as_str());
    }
    fields.put_text("description", &dataset.description);
    fields.put_some("entity", dataset.entity.as_deref());
    match dataset.key.as_slice() {
        [] => {}
        [one] => fields.put("key", one.as_str()),
        several => fields.put("key", several.to_vec()),
    }
    fields.put_some("time", dataset.time.as_deref());
    fields.put_some("stored_in", dataset.stored_in.as_deref());
    fields.put_some("partition", dataset.partition.as_deref());
    if let Some(valid) = &dataset.valid {
        fields.put("valid", json!([valid.from, valid.to]));
    }
    let dimensions = dataset.dimensions.values();
    fields.put_map(
        "dimensions",
        dimensions
            .map(|one| (one.name.clone(), dimension(one)))
            .collect(),
    );
    let joins = dataset.joins.values();
    fields.put_map(
        "joins",
        joins.map(|one| (one.name.clone(), join(one))).collect(),
    );
    Value::Object(fields.0)
}

fn dimension(dimension: &Dimension) -> Value {
    let mut fields = Fields::default();
    match &dimension.column {
        _ if dimension.of_metric.is_some() => fields.put("metric", dimension.expr.text.as_str()),
        Some(column) if *column == dimension.name => {}
        Some(column) => fields.put("column", column.as_str()),
        None => fields.put("expr", expression(&dimension.expr)),
    }
    fields.put("label", dimension.label.as_str());
    fields.put_text("description", &dimension.description);
    fields.put_list("aliases", &dimension.aliases);
    if dimension.kind != DimensionType::Text || dimension.of_metric.is_some() {
        fields.put("type", word(dimension.kind));
    }
    fields.put_some("time_grain", dimension.time_grain.map(|grain| grain.word()));
    if dimension.pii {
        fields.put("pii", true);
    }
    let aliases = dimension.value_aliases.iter();
    fields.put_map(
        "value_aliases",
        aliases
            .map(|(value, names)| (value.clone(), json!(names)))
            .collect(),
    );
    fields.put_some("format", format(&dimension.format));
    Value::Object(fields.0)
}

fn join(join: &Join) -> Value {
    let pairs = join.on.iter();
    let on: Map<String, Value> = pairs
        .map(|(here, there)| (here.clone(), json!(there)))
        .collect();
    json!({"to": join.to, "on": on})
}

/// A display format, where it is not the default one.
pub(super) fn format(format: &Format) -> Option<Value> {
    if *format == Format::default() {
        return None;
    }
    let mut fields = Fields::default();
    if format.kind != FormatKind::Number {
        fields.put("kind", word(format.kind));
    }
    fields.put_some("decimals", format.decimals);
    fields.put_some("currency", format.currency.as_deref());
    fields.put_some("unit", format.unit.as_deref());
    Some(Value::Object(fields.0))
}

fn expression(expression: &Expression) -> Value {
    if expression.dialects.is_empty() {
        return json!(expression.text);
    }
    let mut texts = Map::new();
    texts.insert("default".to_owned(), json!(expression.text));
    for (engine, text) in &expression.dialects {
        texts.insert(engine.clone(), json!(text));
    }
    Value::Object(texts)
}

/// A metric.
pub fn metric(metric: &Metric) -> Value {
    let mut fields = Fields::default();
    if metric.label != metric.name {
        fields.put("label", metric.label.as_str());
    }
    if metric.category != "Other" {
        fields.put("category", metric.category.as_str());
    }
    fields.put_text("description", &metric.description);
    fields.put_list("business_rules", &metric.business_rules);
    fields.put_some("owner", metric.owner.as_deref());
    if metric.status != Status::Published {
        fields.put("status", word(metric.status));
    }
    fields.put_some("successor", metric.successor.as_deref());
    if !metric.history.is_empty() {
        let history: Vec<Value> = metric.history.iter().map(life_event).collect();
        fields.put("history", history);
    }
    fields.put_some(
        "last_updated",
        metric.last_updated.map(|day| day.to_string()),
    );
    fields.put_list("aliases", &metric.aliases);
    fields.put_list("tags", &metric.tags);
    fields.put_some("format", format(&metric.format));
    kind(&metric.kind, &mut fields);
    let grain: Vec<String> = metric.grain.iter().map(ToString::to_string).collect();
    fields.put_list("grain", &grain);
    fields.put_some("window", metric.window.map(|window| window.to_string()));
    fields.put_some("fill", metric.fill);
    if metric.every_period {
        fields.put("every_period", true);
    }
    fields.put_some("time_grain", metric.time_grain.map(|grain| grain.word()));
    if !metric.tests.is_empty() {
        let tests: Vec<Value> = metric.tests.iter().map(test).collect();
        fields.put("tests", tests);
    }
    Value::Object(fields.0)
}

fn life_event(event: &LifeEvent) -> Value {
    let mut fields = Fields::default();
    fields.put("step", event.step.word());
    fields.put_text("by", &event.by);
    fields.put_some("on", event.on.map(|day| day.to_string()));
    fields.put_text("why", &event.why);
    fields.put_some("of", event.of.as_deref());
    Value::Object(fields.0)
}

/// A test of a metric.
pub fn test(test: &MetricTest) -> Value {
    // Whole numbers stand without a point.
    let number = |value: f64| match value.fract() == 0.0 && value.abs() < 1e15 {
        true => json!(value as i64),
        false => json!(value),
    };
    let mut fields = Fields::default();
    fields.put_some("name", test.name.as_deref());
    fields.put_text("query", &test.tail());
    let mut within = None;
    for expected in &test.expected {
        match expected {
            Expectation::Equals { value, tolerance } => {
                fields.put("expect", number(*value));
                within = Some(*tolerance);
            }
            Expectation::Range {
                low: Some(low),
                high: Some(high),
            } if !fields.0.contains_key("between") => {
                fields.put("between", vec![number(*low), number(*high)]);
            }
            Expectation::Range { low, high } => {
                fields.put_some("at_least", low.map(number));
                fields.put_some("at_most", high.map(number));
            }
            Expectation::Positive => fields.put("positive", true),
            Expectation::NotNull => fields.put("not_null", true),
            Expectation::SumsTo { query, tolerance } => {
                fields.put("sums_to", query.to_string());
                within = Some(*tolerance);
            }
            Expectation::FreshWithin(n, grain) => {
                let plural = if *n == 1 { "" } else { "s" };
                fields.put("fresh_within", format!("{n} {grain}{plural}"));
            }
        }
    }
    match within.filter(|within| *within != Tolerance::default()) {
        Some(Tolerance::Absolute(distance)) => fields.put("tolerance", number(distance)),
        Some(percent) => fields.put("tolerance", percent.to_string()),
        None => {}
    }
    Value::Object(fields.0)
}

fn kind(kind: &MetricKind, fields: &mut Fields) {
    match kind {
        MetricKind::Simple(sources) | MetricKind::Ratio(sources) => computed(sources, fields),
        MetricKind::Derived { expr, inputs } => {
            fields.put("expr", expression(expr));
            let named = inputs.iter();
            let named: Map<String, Value> = named
                .map(|input| (input.name.clone(), self::input(input)))
                .collect();
            // Inputs that are plain metrics say nothing that the expression does not.
            if named.iter().any(|(name, input)| *input != json!(name)) {
                fields.put_map("inputs", named);
            }
        }
        MetricKind::Cumulative(cumulative) => {
            computed(&cumulative.sources, fields);
            let mut inner = Fields::default();
            inner.put_some("of", cumulative.of.as_deref());
            inner.put("window", window(&cumulative.window));
            inner.put("at_coarser_grain", word(cumulative.at_coarser_grain));
            fields.put("cumulative", inner.0);
        }
        MetricKind::Conversion(conversion) => {
            fields.put("entity", conversion.entity.as_str());
            fields.put("base", conversion.base.as_str());
            fields.put("conversion", conversion.conversion.as_str());
            let within = conversion.within.map(|(n, grain)| format!("{n} {grain}"));
            fields.put_some("within", within);
            let same = conversion.same.iter();
            fields.put_map(
                "same",
                same.map(|(base, other)| (base.clone(), json!(other)))
                    .collect(),
            );
            fields.put("result", word(conversion.result));
        }
        MetricKind::Complex {
            snippet, tables, ..
        } => {
            fields.put("snippet", snippet.as_str());
            fields.put_list("tables", tables);
        }
    }
}

/// What a cumulative metric takes in.
pub(super) fn window(window: &Window) -> String {
    match window {
        Window::AllTime => "all_time".to_owned(),
        Window::Trailing(n, grain) => format!("{n} {grain}"),
        Window::ToDate(grain) => format!("{grain}_to_date"),
        Window::ToDateOf(period) => format!("{period}_to_date"),
    }
}

fn input(input: &Input) -> Value {
    let mut fields = Fields::default();
    fields.put("metric", input.metric.as_str());
    fields.put_list("filters", &texts(&input.filters));
    fields.put_some("offset", input.offset.as_ref().map(offset));
    match fields.0.len() {
        1 => json!(input.metric),
        _ => Value::Object(fields.0),
    }
}

/// How far back an input lies.
pub(super) fn offset(offset: &Offset) -> Value {
    match offset {
        Offset::Ago(n, grain) => json!(format!("{n} {grain}")),
        Offset::AgoCustom(n, period) => json!(format!("{n} {period}")),
        Offset::StartOf(grain) => json!({"to": grain.word()}),
        Offset::StartOfPeriod(period) => json!({"to": period}),
    }
}

/// What sources compute: the keys of the only one, or the shared ones and a list.
fn computed(sources: &[Source], fields: &mut Fields) {
    let Some(first) = sources.first() else {
        return;
    };
    let is_single = sources.len() == 1 && first.use_when.is_none();
    if let [numerator, denominator] = first.measures.as_slice() {
        for (at, (key, own)) in [("numerator", numerator), ("denominator", denominator)]
            .into_iter()
            .enumerate()
        {
            // A filter that every source has is the measure's; the others are their sources'.
            let mut shared = own.clone();
            shared.filters.retain(|filter| {
                sources.iter().all(|source| {
                    let there = source.measures.get(at).map(|other| texts(&other.filters));
                    there.is_some_and(|there| there.contains(&filter.text))
                })
            });
            let mut measure = aggregated(&shared);
            if is_single {
                measure.put("base_table", own.dataset.as_str());
                measure.put_some("time", own.time.as_deref());
            }
            fields.put(key, measure.0);
        }
        if !is_single {
            let each = sources.iter().map(|source| {
                let mut fields = used_when(source);
                if let Some(measure) = source.measures.first() {
                    fields.put("base_table", measure.dataset.as_str());
                    fields.put_some("time", measure.time.as_deref());
                    let common = texts(&numerator.filters);
                    let more: Vec<String> = texts(&measure.filters)
                        .into_iter()
                        .filter(|filter| !common.contains(filter))
                        .collect();
                    fields.put_list("filters", &more);
                }
                Value::Object(fields.0)
            });
            fields.put("sources", each.collect::<Vec<_>>());
        }
        return;
    }
    let Some(measure) = first.measures.first() else {
        return;
    };
    if is_single {
        fields.put("base_table", measure.dataset.as_str());
        fields.put_some("time", measure.time.as_deref());
        fields.0.extend(aggregated(measure).0);
        return;
    }
    fields.put_some("over_time", measure.over_time.as_ref().map(over_time));
    let each = sources.iter().map(|source| {
        let mut fields = used_when(source);
        if let Some(measure) = source.measures.first() {
            fields.put("base_table", measure.dataset.as_str());
            fields.put_some("time", measure.time.as_deref());
            let mut own = aggregated(measure);
            own.0.shift_remove("over_time");
            fields.0.extend(own.0);
        }
        Value::Object(fields.0)
    });
    fields.put("sources", each.collect::<Vec<_>>());
}

fn used_when(source: &Source) -> Fields {
    let mut fields = Fields::default();
    let condition = source.use_when.as_ref();
    fields.put_some("use_when", condition.map(|(text, _)| text.text.as_str()));
    fields
}

/// `agg`, `expr`, `filters` and what belongs to them.
fn aggregated(measure: &Measure) -> Fields {
    let mut fields = Fields::default();
    fields.put("agg", aggregate(measure.agg));
    match measure.agg {
        Aggregate::Percentile(share) | Aggregate::PercentileDiscrete(share) => {
            fields.put("percentile", share);
        }
        _ => {}
    }
    if matches!(measure.agg, Aggregate::PercentileDiscrete(_)) {
        fields.put("percentile_type", "discrete");
    }
    fields.put_some("expr", measure.expr.as_ref().map(expression));
    fields.put_list("filters", &texts(&measure.filters));
    fields.put_some("over_time", measure.over_time.as_ref().map(over_time));
    fields
}

/// The word of an aggregate.
pub fn aggregate(agg: Aggregate) -> &'static str {
    match agg {
        Aggregate::Count => "count",
        Aggregate::CountDistinct => "count_distinct",
        Aggregate::Sum => "sum",
        Aggregate::Avg => "avg",
        Aggregate::Min => "min",
        Aggregate::Max => "max",
        Aggregate::Percentile(_) | Aggregate::PercentileDiscrete(_) => "percentile",
        Aggregate::SumBoolean => "sum_boolean",
        Aggregate::Stddev => "stddev",
        Aggregate::StddevPopulation => "stddev_population",
        Aggregate::Variance => "variance",
        Aggregate::VariancePopulation => "variance_population",
    }
}

fn over_time(over: &OverTime) -> Value {
    let mut fields = Fields::default();
    fields.put("take", word(over.take));
    fields.put("time", over.time.as_str());
    fields.put_list("per", &over.per);
    if over.carry_forward {
        fields.put("carry_forward", true);
    }
    Value::Object(fields.0)
}

/// The texts of expressions.
pub(super) fn texts(expressions: &[Expression]) -> Vec<String> {
    expressions.iter().map(|one| one.text.clone()).collect()
}

fn view(view: &View) -> Value {
    let query = view.query.to_string();
    match view.description.is_empty() {
        true => json!(query),
        false => json!({"query": query, "description": view.description}),
    }
}

fn rollup(rollup: &Rollup) -> Value {
    let mut fields = Fields::default();
    fields.put("of", rollup.of.as_str());
    fields.put("grain", rollup.grain.word());
    fields.put_list("by", &rollup.by);
    fields.put_list("metrics", &rollup.metrics);
    match rollup.embedded {
        true => fields.put("in", "embedded"),
        false => fields.put("table", rollup.table.as_str()),
    }
    Value::Object(fields.0)
}

fn alert(alert: &Alert) -> Value {
    let mut fields = Fields::default();
    fields.put("query", alert.query.to_string());
    fields.put("when", alert.when.to_string());
    fields.put("severity", alert.severity.word());
    fields.put_some("owner", alert.owner.as_deref());
    fields.put_text("message", &alert.message);
    Value::Object(fields.0)
}

fn hypothesis(rule: &Hypothesis) -> Value {
    let mut fields = Fields::default();
    if let Some(metric) = &rule.metric {
        fields.put("metric", metric.as_str());
        fields.put("when", rule.when.word());
    }
    fields.put("because", rule.because.as_str());
    fields.put("look_at", rule.look_at.to_string());
    fields.put("expect", rule.expect.word());
    fields.put_list("then", &rule.then);
    Value::Object(fields.0)
}

/// Saved checks.
pub(super) fn alerts(registry: &Registry) -> Map<String, Value> {
    let alerts = registry.alerts.values();
    alerts.map(|one| (one.name.clone(), alert(one))).collect()
}

/// Rules of investigations.
pub(super) fn hypotheses(registry: &Registry) -> Map<String, Value> {
    let rules = registry.hypotheses.values();
    rules
        .map(|one| (one.name.clone(), hypothesis(one)))
        .collect()
}

/// Saved queries.
pub(super) fn views(registry: &Registry) -> Map<String, Value> {
    let views = registry.views.values();
    views.map(|one| (one.name.clone(), view(one))).collect()
}

/// Rollups.
pub(super) fn rollups(registry: &Registry) -> Map<String, Value> {
    let rollups = registry.rollups.values();
    rollups.map(|one| (one.name.clone(), rollup(one))).collect()
}

/// The calendar, as far as it is not the default one.
pub(super) fn calendar(calendar: &Calendar) -> Option<Value> {
    let default = Calendar::default();
    let mut fields = Fields::default();
    if calendar.week_start != Weekday::Monday {
        fields.put("week_start", word(calendar.week_start));
    }
    if calendar.fiscal_year_start != default.fiscal_year_start {
        fields.put("fiscal_year_start", calendar.fiscal_year_start);
    }
    if calendar.timezone != default.timezone {
        fields.put("timezone", calendar.timezone.as_str());
    }
    if let Some(table) = &calendar.table {
        fields.put("table", table.table.as_str());
        fields.put("date", table.date.as_str());
        let periods = table.periods.values().map(|period| {
            let mut fields = Fields::default();
            fields.put("column", period.column.as_str());
            fields.put("label", period.label.as_str());
            fields.put_some("previous", period.previous.as_deref());
            fields.put_some("year_ago", period.year_ago.as_deref());
            (period.name.clone(), Value::Object(fields.0))
        });
        fields.put_map("periods", periods.collect());
    }
    let spines = calendar.spines.iter().map(|spine| {
        let mut fields = Fields::default();
        fields.put("table", spine.table.as_str());
        fields.put("column", spine.column.as_str());
        (spine.grain.word().to_owned(), Value::Object(fields.0))
    });
    fields.put_map("spines", spines.collect());
    (!fields.0.is_empty()).then_some(Value::Object(fields.0))
}
