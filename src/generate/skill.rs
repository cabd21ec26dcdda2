//! Skills: how metrics of one kind are made, written down when the first of its kind is.

use std::collections::BTreeSet;

use super::layers::Layers;
use super::mart::Mart;
use super::text::slug;
use super::{Package, Wanted};
use crate::compile::{additivity, reading};
use crate::exchange::define;
use crate::model::{Aggregate, Measure, Metric, MetricKind, Window};

/// Adds a skill for each pattern that nobody has written down.
pub(super) fn skills(
    layers: &Layers<'_>,
    marts: &[Mart<'_>],
    wanted: &Wanted<'_>,
    package: &mut Package,
) {
    let mut known: BTreeSet<String> = wanted.skills.clone();
    for mart in marts {
        let (name, title) = pattern(mart.metric);
        if known.insert(name.clone()) {
            package.add(
                format!("skills/{name}.md"),
                skill(layers, mart, &name, &title),
            );
        }
    }
}

/// The name of a metric's pattern, and what it is in words.
fn pattern(metric: &Metric) -> (String, String) {
    let title = match &metric.kind {
        MetricKind::Simple(sources) => {
            let measure = sources.first().and_then(|source| source.measures.first());
            let mut title = measure.map_or_else(|| "aggregation".to_owned(), aggregate);
            if sources.len() > 1 {
                title.push_str(" from several sources");
            }
            title
        }
        MetricKind::Ratio(sources) => {
            match sources.first().map(|source| source.measures.as_slice()) {
                Some([part, whole]) if part.agg == whole.agg && part.agg == Aggregate::Count => {
                    "share of rows".to_owned()
                }
                Some([part, whole]) => format!("{} over {}", aggregate(part), aggregate(whole)),
                _ => "ratio".to_owned(),
            }
        }
        MetricKind::Derived { expr, inputs } => {
            let is_shifted = inputs.iter().any(|input| input.offset.is_some());
            let is_part = inputs.iter().any(|input| !input.filters.is_empty());
            match (is_shifted, is_part, expr.text.contains('/')) {
                (true, ..) => "change against an earlier period".to_owned(),
                (_, true, _) => "share of a metric under a condition".to_owned(),
                (_, _, true) => "metric over metric".to_owned(),
                _ => "arithmetic over metrics".to_owned(),
            }
        }
        MetricKind::Cumulative(cumulative) => match cumulative.window {
            Window::AllTime => "running total".to_owned(),
            Window::Trailing(..) => "rolling window".to_owned(),
            Window::ToDate(_) | Window::ToDateOf(_) => "period to date".to_owned(),
        },
        MetricKind::Conversion(_) => "conversion within a time".to_owned(),
        MetricKind::Complex { snippet, .. } => {
            let stem = snippet
                .rsplit_once('.')
                .map_or(snippet.as_str(), |(stem, _)| stem);
            format!("SQL by hand: {}", stem.replace('_', " "))
        }
    };
    (slug(&title), title)
}

fn aggregate(measure: &Measure) -> String {
    let word = define::aggregate(measure.agg).replace('_', " ");
    match (&measure.over_time, measure.filters.is_empty()) {
        (Some(_), _) => format!("{word} of snapshots"),
        (None, true) => word,
        (None, false) => format!("{word} under conditions"),
    }
}

fn skill(layers: &Layers<'_>, mart: &Mart<'_>, name: &str, title: &str) -> String {
    let metric = mart.metric;
    let definition = define::metric(metric);
    let definition = crate::registry::emit::document(&serde_json::Map::from_iter([(
        metric.name.clone(),
        definition,
    )]));
    let steps = mart
        .sql
        .split_once("\nwith")
        .map_or(mart.sql.as_str(), |(_, steps)| steps);
    format!(
        "---\nname: {name}\ntitle: {title}\nlearned_from: {}\ndefined_in: {}\n---\n\n\
         # {}\n\n\
         Use it for a metric that reads like this one: {}.\n\n\
         What to know before: it {}.\n\n\
         ## The definition\n\n```yaml\n{definition}```\n\n\
         ## The steps in SQL\n\n```sql\nwith{steps}```\n",
        metric.name,
        layers.original.at(metric.place),
        capital(title),
        reading(layers.original, metric),
        additivity(layers.original, metric).sentence(),
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).collect()
}
