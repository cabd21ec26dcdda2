//! The meaning of a metric as a sentence, for people.

use super::facets;
use crate::model::{
    Aggregate, AtCoarserGrain, Conversion, ConversionResult, Cumulative, Expression, Input,
    Measure, Metric, MetricKind, Offset, OverTime, Registry, Source, Take, Window,
};

/// A metric read aloud: "sum of amount_usd over orders where status <> 'CANCELLED'".
pub fn reading(registry: &Registry, metric: &Metric) -> String {
    let mut text = match &metric.kind {
        MetricKind::Simple(sources) | MetricKind::Ratio(sources) => of_sources(sources),
        MetricKind::Derived { expr, inputs } => {
            let inputs: Vec<String> = inputs.iter().map(|one| input(registry, one)).collect();
            format!("{} ({})", expr.text, inputs.join(", "))
        }
        MetricKind::Cumulative(cumulative) => of_cumulative(registry, cumulative),
        MetricKind::Conversion(conversion) => of_conversion(registry, conversion),
        MetricKind::Complex {
            snippet, facets, ..
        } => {
            let text = format!("the hand-written snippet {snippet}");
            match facets {
                None => text,
                Some(facets) => {
                    let parts: Vec<String> = facets.source.measures.iter().map(measure).collect();
                    let declared = facets::declared(registry, facets);
                    format!(
                        "{text}; by its facets {} by {declared}",
                        parts.join(" divided by ")
                    )
                }
            }
        }
    };
    if !metric.grain.is_empty() {
        let groups: Vec<String> = metric.grain.iter().map(ToString::to_string).collect();
        text.push_str(&format!(
            ", by {} unless asked otherwise",
            groups.join(", ")
        ));
    }
    if let Some(window) = metric.window {
        text.push_str(&format!(", {window} unless asked otherwise"));
    }
    if let Some(fill) = metric.fill {
        text.push_str(&format!(", {fill} where there are no rows"));
    }
    if metric.every_period {
        text.push_str(", with a row for every period");
    }
    text
}

/// Each source with its condition; a ratio has two measures.
fn of_sources(sources: &[Source]) -> String {
    let each: Vec<String> = sources
        .iter()
        .map(|source| {
            let parts: Vec<String> = source.measures.iter().map(measure).collect();
            with_condition(
                parts.join(" divided by "),
                source.use_when.as_ref().map(|(text, _)| text),
            )
        })
        .collect();
    each.join("; otherwise ")
}

/// The name of a metric for people.
fn label<'a>(registry: &'a Registry, name: &'a str) -> &'a str {
    registry
        .metric(name)
        .map_or(name, |metric| metric.label.as_str())
}

/// What a name in an expression stands for: "ago is GMV 1 year before".
fn input(registry: &Registry, input: &Input) -> String {
    let mut text = format!("{} is {}", input.name, label(registry, &input.metric));
    if let Some(offset) = &input.offset {
        text.push_str(&match offset {
            Offset::Ago(n, grain) => format!(" {} before", count(*n, grain.word())),
            Offset::AgoCustom(n, period) => format!(" {} before", count(*n, period)),
            Offset::StartOf(grain) => format!(" at the start of the {grain}"),
            Offset::StartOfPeriod(period) => format!(" at the start of the {period}"),
        });
    }
    with_filters(text, &input.filters)
}

fn count(n: u32, unit: &str) -> String {
    if n == 1 {
        format!("1 {unit}")
    } else {
        format!("{n} {unit}s")
    }
}

fn of_cumulative(registry: &Registry, cumulative: &Cumulative) -> String {
    let what = match &cumulative.of {
        Some(of) => label(registry, of).to_owned(),
        None => of_sources(&cumulative.sources),
    };
    let window = match &cumulative.window {
        Window::AllTime => "of all time so far".to_owned(),
        Window::Trailing(1, grain) => format!("of the last {grain}"),
        Window::Trailing(n, grain) => format!("of the last {}", count(*n, grain.word())),
        Window::ToDate(grain) => format!("since the start of the {grain}"),
        Window::ToDateOf(period) => format!("since the start of the {period}"),
    };
    let at_coarser_grain = match cumulative.at_coarser_grain {
        AtCoarserGrain::Last => "",
        AtCoarserGrain::First => ", of a longer period on its first day",
        AtCoarserGrain::Average => ", of a longer period the mean of its days",
    };
    format!("{what}, accumulated: {window}, at each point in time{at_coarser_grain}")
}

fn of_conversion(registry: &Registry, conversion: &Conversion) -> String {
    let what = match conversion.result {
        ConversionResult::Rate => "share",
        ConversionResult::Count => "number",
    };
    let within = conversion
        .within
        .map(|(n, grain)| format!(" within {}", count(n, grain.word())));
    let mut text = format!(
        "{what} of {} that are followed by {} of the same {}{}",
        label(registry, &conversion.base),
        label(registry, &conversion.conversion),
        conversion.entity,
        within.unwrap_or_default()
    );
    let pairs = conversion.same.iter();
    let pairs: Vec<String> = pairs
        .map(|(base, other)| match base == other {
            true => base.clone(),
            false => format!("{base} (there {other})"),
        })
        .collect();
    if !pairs.is_empty() {
        text.push_str(&format!(", with the same {}", pairs.join(" and ")));
    }
    text
}

fn with_condition(text: String, condition: Option<&Expression>) -> String {
    match condition {
        Some(condition) => format!("{text} when {}", condition.text),
        None => text,
    }
}

/// What a measure aggregates: "sum of amount over orders where status <> 'CANCELLED'".
pub(super) fn measure(measure: &Measure) -> String {
    let text = format!("{} over {}", aggregated(measure), measure.dataset);
    let text = with_filters(text, &measure.filters);
    match &measure.over_time {
        Some(over_time) => format!("{text}, {}", snapshots(over_time)),
        None => text,
    }
}

/// What a measure makes of its rows: "sum of amount".
pub fn aggregated(measure: &Measure) -> String {
    let expr = measure.expr.as_ref().map(|expr| expr.text.as_str());
    match (measure.agg, expr) {
        (Aggregate::Count, None) => "number of rows".to_owned(),
        (Aggregate::Count, Some(expr)) => format!("number of rows with {expr}"),
        (Aggregate::CountDistinct, expr) => {
            format!("number of different {}", expr.unwrap_or("rows"))
        }
        (Aggregate::Sum, expr) => format!("sum of {}", expr.unwrap_or("rows")),
        (Aggregate::Avg, expr) => format!("average of {}", expr.unwrap_or("rows")),
        (Aggregate::SumBoolean, expr) => {
            format!("number of rows for which {} holds", expr.unwrap_or("it"))
        }
        (Aggregate::Stddev | Aggregate::StddevPopulation, expr) => {
            format!("standard deviation of {}", expr.unwrap_or("rows"))
        }
        (Aggregate::Variance | Aggregate::VariancePopulation, expr) => {
            format!("variance of {}", expr.unwrap_or("rows"))
        }
        (Aggregate::Min, expr) => format!("smallest {}", expr.unwrap_or("row")),
        (Aggregate::Max, expr) => format!("largest {}", expr.unwrap_or("row")),
        (Aggregate::Percentile(p) | Aggregate::PercentileDiscrete(p), expr)
            if (p - 0.5).abs() < f64::EPSILON =>
        {
            format!("median of {}", expr.unwrap_or("rows"))
        }
        (Aggregate::Percentile(p) | Aggregate::PercentileDiscrete(p), expr) => {
            format!(
                "{}th percentile of {}",
                (p * 1000.0).round() / 10.0,
                expr.unwrap_or("rows")
            )
        }
    }
}

fn with_filters(mut text: String, filters: &[Expression]) -> String {
    for (index, filter) in filters.iter().enumerate() {
        text.push_str(if index == 0 { " where " } else { " and " });
        text.push_str(&filter.text);
    }
    text
}

/// What stands for a period: "taking the last snapshot by day of each account_id".
pub fn snapshots(over_time: &OverTime) -> String {
    let time = &over_time.time;
    let mut text = match over_time.take {
        Take::Last => format!("taking the last snapshot by {time}"),
        Take::First => format!("taking the first snapshot by {time}"),
        Take::Min => format!("the smallest of its snapshots by {time}"),
        Take::Max => format!("the largest of its snapshots by {time}"),
        Take::Avg => format!("the mean of its snapshots by {time}"),
    };
    if !over_time.per.is_empty() {
        text.push_str(&format!(" of each {}", over_time.per.join(" and ")));
    }
    if over_time.carry_forward {
        text.push_str(", or of the period before where there is none");
    }
    text
}
