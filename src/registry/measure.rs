//! Builds the sources of simple and ratio metrics: what is aggregated, over which dataset, under which condition.

use super::dataset::expression_of;
use super::diagnostic::Sink;
use super::dialects::{default_text, dialects};
use super::expression;
use super::over_time::over_time;
use super::raw::{
    RawAggregate, RawExpr, RawMeasure, RawMetric, RawOverTime, RawPercentileType, RawSource,
};
use super::read::{At, Many, MapOr, Word};
use super::scope::Scope;
use super::use_when;
use super::yaml::Text;
use crate::model::{Aggregate, Dataset, Expression, Filter, Measure, Place, Source, UseWhen};

/// Everything that a measure is put together from, wherever it was written.
#[derive(Clone, Copy)]
struct Parts<'a> {
    place: Place,
    dataset: &'a Dataset,
    agg: Option<Word<RawAggregate>>,
    percentile: Option<At<f64>>,
    percentile_type: Option<Word<RawPercentileType>>,
    expr: Option<&'a RawExpr>,
    time: Option<&'a Text>,
    filters: [&'a Many<Text>; 3],
    over_time: [Option<&'a RawOverTime>; 2],
}

/// The sources of a simple or ratio metric; `None` where one of them has an error.
pub(crate) fn sources(
    name: &Text,
    raw: &RawMetric,
    scope: Scope,
    sink: &mut Sink,
) -> Option<Vec<Source>> {
    let before = sink.errors();
    let sources = if raw.sources.0.is_empty() {
        vec![Source {
            place: name.place,
            use_when: None,
            measures: measures(name, raw, None, scope, sink)?,
        }]
    } else {
        if let Some(table) = &raw.base_table {
            let message = "a metric has either base_table or sources, not both";
            let hint = Some("make it the last source, without use_when".to_owned());
            sink.error("metric_kind", table.place, &table.value, message, hint);
        }
        let built = raw
            .sources
            .0
            .iter()
            .map(|source| from_source(name, raw, source, scope, sink));
        let sources: Vec<_> = built
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Option<_>>()?;
        check_order(&sources, sink);
        sources
    };
    (sink.errors() == before).then_some(sources)
}

fn from_source(
    name: &Text,
    raw: &RawMetric,
    source: &RawSource,
    scope: Scope,
    sink: &mut Sink,
) -> Option<Source> {
    let Some(table) = &source.base_table else {
        sink.error(
            "missing_key",
            name.place,
            &name.value,
            format!("a source of '{}' needs a base_table", name.value),
            Some("add base_table: and the dataset it reads".to_owned()),
        );
        return None;
    };
    if raw.numerator.is_some() {
        let own = [
            ("agg", source.agg.map(|word| word.place)),
            ("expr", source.expr.as_ref().and_then(place_of)),
        ];
        for (key, place) in own {
            if let Some(place) = place {
                sink.error(
                    "metric_kind",
                    place,
                    key,
                    format!("'{key}' of a ratio stands in its numerator and denominator"),
                    Some("move it into both".to_owned()),
                );
            }
        }
    }
    let use_when = match &source.use_when {
        None => None,
        Some(text) => {
            let condition = use_when::parse(text, sink)?;
            let dataset = scope.dataset(table, sink)?;
            use_when::check(&condition, text, dataset, scope, sink);
            Some((expression_of(text), condition))
        }
    };
    let measures = measures(name, raw, Some(source), scope, sink)?;
    Some(Source {
        place: table.place,
        use_when,
        measures,
    })
}

/// One measure of a simple metric, numerator and denominator of a ratio.
fn measures(
    name: &Text,
    raw: &RawMetric,
    source: Option<&RawSource>,
    scope: Scope,
    sink: &mut Sink,
) -> Option<Vec<Measure>> {
    let none = Many::default();
    let base = source
        .and_then(|source| source.base_table.as_ref())
        .or(raw.base_table.as_ref());
    let time = source
        .and_then(|source| source.time.as_ref())
        .or(raw.time.as_ref());
    let source_filters = source.map_or(&none, |source| &source.filters);
    let missing = |sink: &mut Sink| {
        let message = format!("'{}' needs a base_table", name.value);
        sink.error(
            "missing_key",
            name.place,
            &name.value,
            message,
            Some("add base_table: and the dataset whose rows are aggregated".to_owned()),
        );
    };
    let metric_over_time = [raw.over_time.as_ref(), raw.last_by.as_ref()];
    let (Some(MapOr::Map(numerator)), Some(MapOr::Map(denominator))) =
        (&raw.numerator, &raw.denominator)
    else {
        let Some(base) = base else {
            missing(sink);
            return None;
        };
        let parts = Parts {
            place: source.map_or(name.place, |_| base.place),
            dataset: scope.dataset(base, sink)?,
            agg: source.and_then(|source| source.agg).or(raw.agg),
            percentile: source
                .and_then(|source| source.percentile)
                .or(raw.percentile),
            percentile_type: source
                .and_then(|source| source.percentile_type)
                .or(raw.percentile_type),
            expr: source
                .and_then(|source| source.expr.as_ref())
                .or(raw.expr.as_ref()),
            time,
            filters: [&raw.filters, source_filters, &none],
            over_time: metric_over_time,
        };
        return Some(vec![measure(name, parts, scope, sink)?]);
    };
    let mut half = |half: &RawMeasure, key: &str| {
        let Some(base) = half.base_table.as_ref().or(base) else {
            missing(sink);
            return None;
        };
        let Some(agg) = half.agg else {
            let message = format!("the {key} of '{}' needs an agg", name.value);
            sink.error(
                "missing_key",
                name.place,
                key,
                message,
                Some("add agg: count, sum, avg …, or name a metric".to_owned()),
            );
            return None;
        };
        let parts = Parts {
            place: agg.place,
            dataset: scope.dataset(base, sink)?,
            agg: half.agg,
            percentile: half.percentile,
            percentile_type: half.percentile_type,
            expr: half.expr.as_ref(),
            time: half.time.as_ref().or(time),
            filters: [&raw.filters, source_filters, &half.filters],
            over_time: match [half.over_time.as_ref(), half.last_by.as_ref()] {
                [None, None] => metric_over_time,
                own => own,
            },
        };
        measure(name, parts, scope, sink)
    };
    let (upper, lower) = (
        half(numerator, "numerator"),
        half(denominator, "denominator"),
    );
    Some(vec![upper?, lower?])
}

fn measure(name: &Text, parts: Parts, scope: Scope, sink: &mut Sink) -> Option<Measure> {
    let before = sink.errors();
    let agg = aggregate(name, parts, sink);
    let expr = parts
        .expr
        .and_then(|expr| engine_expression(expr, parts.dataset, scope, sink));
    if let (None, Some(word)) = (&parts.expr, parts.agg)
        && word.value != RawAggregate::Count
    {
        let message = format!("'{}' needs an expr: what is aggregated", name.value);
        sink.error(
            "missing_key",
            word.place,
            &name.value,
            message,
            Some("only count works on rows alone".to_owned()),
        );
    }
    let filters = parts.filters.into_iter().flat_map(|filters| &filters.0);
    let filters = filters
        .map(|filter| row_expression(filter, parts.dataset, scope, sink))
        .collect();
    let time = parts
        .time
        .and_then(|time| time_of(time, parts.dataset, scope, sink));
    let own_time = time.as_ref().or(parts.dataset.time.as_ref());
    let over_time = over_time(
        parts.over_time,
        (parts.place, own_time),
        parts.dataset,
        scope,
        sink,
    );
    let measure = Measure {
        place: parts.place,
        dataset: parts.dataset.name.clone(),
        time,
        agg: agg?,
        expr,
        filters,
        over_time,
    };
    (sink.errors() == before).then_some(measure)
}

/// An expression over a dataset's rows, checked, with the words of single engines.
fn engine_expression(
    raw: &RawExpr,
    dataset: &Dataset,
    scope: Scope,
    sink: &mut Sink,
) -> Option<Expression> {
    let expression = row_expression(default_text(raw, sink)?, dataset, scope, sink);
    let own = dialects(raw).into_iter().map(|(word, text)| {
        let expression = row_expression(text, dataset, scope, sink);
        (word.to_owned(), expression.text)
    });
    Some(Expression {
        dialects: own.collect(),
        ..expression
    })
}

/// Where an expression starts.
pub(crate) fn place_of(raw: &RawExpr) -> Option<Place> {
    match raw {
        MapOr::Short(text) => Some(text.place),
        MapOr::Map(raw) => raw.default.as_ref().map(|text| text.place),
    }
}

/// `gmv per buyer_id > 100`
pub(crate) fn is_per_dimension(text: &str) -> bool {
    let tree = text.parse::<Filter>();
    tree.is_ok_and(|tree| {
        tree.fields()
            .into_iter()
            .any(|field| Filter::per(field).is_some())
    })
}

/// An expression over a dataset's rows, checked.
fn row_expression(text: &Text, dataset: &Dataset, scope: Scope, sink: &mut Sink) -> Expression {
    // A condition on a metric per dimension is one of queries, and checked as such.
    if is_per_dimension(&text.value) {
        return expression_of(text);
    }
    if let Some(names) = expression::over_rows(text, sink) {
        scope.check(dataset, text, &names, sink);
    }
    expression_of(text)
}

fn aggregate(name: &Text, parts: Parts, sink: &mut Sink) -> Option<Aggregate> {
    let Some(word) = parts.agg else {
        sink.error(
            "missing_key",
            name.place,
            &name.value,
            format!("'{}' needs an agg", name.value),
            Some("add agg: count, sum, avg …".to_owned()),
        );
        return None;
    };
    let only_of_percentile = [
        ("percentile", parts.percentile.map(|at| at.place)),
        (
            "percentile_type",
            parts.percentile_type.map(|word| word.place),
        ),
    ];
    for (key, place) in only_of_percentile {
        if let Some(place) = place
            && word.value != RawAggregate::Percentile
        {
            let message = format!("'{key}' belongs to agg: percentile");
            sink.error(
                "invalid_value",
                place,
                key,
                message,
                Some("leave it out, or write agg: percentile".to_owned()),
            );
        }
    }
    Some(match word.value {
        RawAggregate::Count => Aggregate::Count,
        RawAggregate::CountDistinct => Aggregate::CountDistinct,
        RawAggregate::Sum => Aggregate::Sum,
        RawAggregate::Avg => Aggregate::Avg,
        RawAggregate::Min => Aggregate::Min,
        RawAggregate::Max => Aggregate::Max,
        RawAggregate::Median => Aggregate::Percentile(0.5),
        RawAggregate::Percentile => {
            let Some(percentile) = parts.percentile else {
                let hint = Some("add percentile: 0.9".to_owned());
                sink.error(
                    "missing_key",
                    word.place,
                    "percentile",
                    "agg: percentile needs a percentile, 0 to 1",
                    hint,
                );
                return None;
            };
            if !(0.0..=1.0).contains(&percentile.value) {
                let message = format!("a percentile is from 0 to 1, not {}", percentile.value);
                sink.error(
                    "invalid_value",
                    percentile.place,
                    &percentile.value.to_string(),
                    message,
                    Some("the 95th percentile is 0.95".to_owned()),
                );
            }
            match parts.percentile_type.map(|word| word.value) {
                Some(RawPercentileType::Discrete) => {
                    Aggregate::PercentileDiscrete(percentile.value)
                }
                Some(RawPercentileType::Continuous) | None => {
                    Aggregate::Percentile(percentile.value)
                }
            }
        }
        RawAggregate::SumBoolean => Aggregate::SumBoolean,
        RawAggregate::Stddev => Aggregate::Stddev,
        RawAggregate::StddevPopulation => Aggregate::StddevPopulation,
        RawAggregate::Variance => Aggregate::Variance,
        RawAggregate::VariancePopulation => Aggregate::VariancePopulation,
    })
}

/// The name of the time dimension that `time:` means.
pub(crate) fn time_of(
    time: &Text,
    dataset: &Dataset,
    scope: Scope,
    sink: &mut Sink,
) -> Option<String> {
    match dataset.dimension(&time.value) {
        Some(dimension) if dimension.kind.is_time() => Some(dimension.name.clone()),
        Some(_) => {
            let message = format!(
                "'{}' of {} is not of type time or date",
                time.value, dataset.name
            );
            let dimensions = dataset.dimensions.values();
            let times = dimensions.filter(|dimension| dimension.kind.is_time());
            let times: Vec<&str> = times.map(|dimension| dimension.name.as_str()).collect();
            let hint = match times.as_slice() {
                [] => "write {type: time} at the dimension".to_owned(),
                times => format!("times of {}: {}", dataset.name, times.join(", ")),
            };
            sink.error("time", time.place, &time.value, message, Some(hint));
            None
        }
        None => {
            let is_broken = scope.is_broken(dataset, &time.value);
            let times = dataset
                .dimensions
                .values()
                .filter(|dimension| dimension.kind.is_time());
            let known = times.map(|dimension| dimension.name.as_str());
            let what = format!("time dimension of {}:", dataset.name);
            let at = (time.value.as_str(), time.place);
            scope
                .broken
                .refuse(&what, "unknown_dimension", at, is_broken, known, sink);
            None
        }
    }
}

/// Sources are tried in order: each must have a chance, and the last should take what is left.
fn check_order(sources: &[Source], sink: &mut Sink) {
    let mut earlier: Vec<&UseWhen> = Vec::new();
    let mut all_taken = false;
    for source in sources {
        let text = source.use_when.as_ref().map(|(text, _)| text);
        let condition = source.use_when.as_ref().map(|(_, condition)| condition);
        let has_a_chance = !use_when::is_covered(condition, &[]);
        if has_a_chance && (all_taken || use_when::is_covered(condition, &earlier)) {
            let place = text.map_or(source.place, |text| text.place);
            let found = text.map_or("", |text| text.text.as_str());
            let message = "this source can never be used: the ones before it take every query";
            sink.error(
                "use_when",
                place,
                found,
                message,
                Some("put it before them".to_owned()),
            );
        }
        match condition {
            Some(condition) => earlier.push(condition),
            None => all_taken = true,
        }
    }
    if let Some((text, _)) = sources.last().and_then(|source| source.use_when.as_ref())
        && !all_taken
        && !use_when::is_covered(None, &earlier)
    {
        let message = "queries that no use_when holds for have no source";
        let hint = Some("leave use_when out of the last source".to_owned());
        sink.warning("use_when", text.place, &text.text, message, hint);
    }
}
