//! A metric that can be computed from several sources is the same number from each.

use super::{Finding, Probes, Row};
use crate::model::{
    Cumulative, Grain, GroupBy, Metric, MetricKind, MetricQuery, Source, TimeRange, Tolerance,
};
use crate::session::Catalog;

/// The months that are compared.
const MONTHS: u32 = 3;

/// Up to so many percent, sources may count differently: it is said, and no error.
const FAR: Tolerance = Tolerance::Percent(5.0);

pub(super) fn add(probes: &mut Probes) {
    for metric in probes.registry().metrics.values() {
        if metric.kind.sources().len() > 1 {
            compare(probes, metric);
        }
    }
}

/// The metric from each of its sources alone.
fn alone(metric: &Metric) -> Vec<Metric> {
    let kind = |source: &Source| {
        let source = Source {
            use_when: None,
            ..source.clone()
        };
        match &metric.kind {
            MetricKind::Ratio(_) => MetricKind::Ratio(vec![source]),
            MetricKind::Cumulative(cumulative) => MetricKind::Cumulative(Box::new(Cumulative {
                sources: vec![source],
                ..cumulative.as_ref().clone()
            })),
            _ => MetricKind::Simple(vec![source]),
        }
    };
    let sources = metric.kind.sources().iter().enumerate();
    let each = sources.map(|(at, source)| Metric {
        name: format!("metrex_source_{at}_of_{}", metric.name),
        aliases: Vec::new(),
        kind: kind(source),
        ..metric.clone()
    });
    each.collect()
}

fn compare(probes: &mut Probes, metric: &Metric) {
    let what = format!("sources of {}", metric.name);
    let each = alone(metric);
    let names: Vec<String> = each.iter().map(|one| one.name.clone()).collect();
    let mut registry = probes.registry().clone();
    for one in each {
        registry.metrics.insert(one.name.clone(), one);
    }
    let catalog = Catalog::new(registry, Vec::new(), 0);
    let by_month = MetricQuery {
        metrics: names,
        group_by: Some(vec![GroupBy::Grain {
            grain: Grain::Month,
            of: None,
        }]),
        time: Some(TimeRange::Last(MONTHS, Grain::Month)),
        ..MetricQuery::default()
    };
    // Not every source has a time.
    let whole = MetricQuery {
        group_by: Some(Vec::new()),
        time: Some(TimeRange::AllTime),
        ..by_month.clone()
    };
    let compiled = probes.compile(&catalog, &by_month);
    let compiled = compiled.or_else(|_| probes.compile(&catalog, &whole));
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(error) => return probes.skip(what, error.message),
    };
    let named = metric.kind.sources().iter().map(|source| {
        let first = source.measures.first();
        first
            .map(|measure| measure.dataset.clone())
            .unwrap_or_default()
    });
    let (name, named) = (metric.name.clone(), named.collect::<Vec<String>>());
    probes.run(what, metric.place, vec![compiled.main], move |answers| {
        disagreement(&name, &named, answers.first()?)
    });
}

/// The largest difference between the first source and another one.
fn disagreement(metric: &str, sources: &[String], rows: &[Row]) -> Option<Finding> {
    let number = |cell: &Option<String>| cell.as_deref().and_then(|text| text.parse::<f64>().ok());
    let mut worst: Option<(f64, String, bool)> = None;
    for row in rows {
        let at = row.len().checked_sub(sources.len())?;
        let (of, values) = row.split_at_checked(at)?;
        let first = values.first()?;
        let first_source = sources.first()?;
        for (source, value) in sources.iter().zip(values).skip(1) {
            let (a, b) = (number(first), number(value));
            let (x, y) = (a.unwrap_or(0.0), b.unwrap_or(0.0));
            if a == b || Tolerance::default().allows(x, y) {
                continue;
            }
            let share = (x - y).abs() / x.abs().max(y.abs());
            if worst.as_ref().is_some_and(|(most, ..)| *most >= share) {
                continue;
            }
            let told = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "nothing".to_owned());
            let month = |cell: &Option<String>| {
                cell.as_deref()
                    .and_then(|day| day.get(..7).map(str::to_owned))
            };
            let when = of
                .first()
                .and_then(month)
                .map(|month| format!(" in {month}"));
            let text = format!(
                "{metric} is {} from {first_source} and {} from {source}{}, {:.2}% apart",
                told(first),
                told(value),
                when.unwrap_or_default(),
                share * 100.0
            );
            worst = Some((share, text, FAR.allows(x, y)));
        }
    }
    let (_, text, is_near) = worst?;
    let hint = "queries that use one and those that use the other cannot be compared";
    Some(match is_near {
        true => Finding::warning("sources", text).hint(hint),
        false => Finding::error("sources", text).hint(hint),
    })
}
