//! The meaning of a metric as a sentence, for people.

use super::facets;
use crate::model::{
    Aggregate, ConversionResult, Expression, Measure, Metric, MetricKind, Registry, Window,
};

/// A metric read aloud: "sum of amount_usd over orders where status <> 'CANCELLED'".
pub fn reading(registry: &Registry, metric: &Metric) -> String {
    let mut text = match &metric.kind {
        MetricKind::Simple(sources) => {
            let each: Vec<String> = sources
                .iter()
                .map(|source| {
                    let measures: Vec<String> = source.measures.iter().map(measure).collect();
                    with_condition(
                        measures.join(" "),
                        source.use_when.as_ref().map(|(text, _)| text),
                    )
                })
                .collect();
            each.join("; otherwise ")
        }
        MetricKind::Ratio(sources) => {
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
        MetricKind::Derived { expr, inputs } => {
            let labels: Vec<String> = inputs
                .iter()
                .filter_map(|input| registry.metric(&input.metric))
                .map(|input| format!("{} is {}", input.name, input.label))
                .collect();
            format!("{} ({})", expr.text, labels.join(", "))
        }
        MetricKind::Cumulative(cumulative) => {
            let what: Vec<String> = match &cumulative.of {
                Some(of) => vec![of.clone()],
                None => cumulative
                    .sources
                    .iter()
                    .flat_map(|source| source.measures.iter().map(measure))
                    .collect(),
            };
            let window = match cumulative.window {
                Window::AllTime => "of all time so far".to_owned(),
                Window::Trailing(n, grain) => format!("of the last {n} {grain}s"),
                Window::ToDate(grain) => format!("since the start of the {grain}"),
            };
            format!(
                "{} {window}, at each point in time",
                what.join("; otherwise ")
            )
        }
        MetricKind::Conversion(conversion) => {
            let within = match conversion.within {
                Some((n, grain)) => format!(" within {n} {grain}s"),
                None => String::new(),
            };
            let what = match conversion.result {
                ConversionResult::Rate => "share",
                ConversionResult::Count => "number",
            };
            format!(
                "{what} of {} that are followed by {} of the same {}{within}",
                conversion.base, conversion.conversion, conversion.entity
            )
        }
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
    text
}

fn with_condition(text: String, condition: Option<&Expression>) -> String {
    match condition {
        Some(condition) => format!("{text} when {}", condition.text),
        None => text,
    }
}

fn measure(measure: &Measure) -> String {
    let expr = measure.expr.as_ref().map(|expr| expr.text.as_str());
    let what = match (measure.agg, expr) {
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
    };
    let mut text = format!("{what} over {}", measure.dataset);
    for (index, filter) in measure.filters.iter().enumerate() {
        text.push_str(if index == 0 { " where " } else { " and " });
        text.push_str(&filter.text);
    }
    text
}
