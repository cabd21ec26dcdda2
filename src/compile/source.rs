//! Chooses a metric's source: the first one whose `use_when` holds for the query.

use super::reach::Reachability;
use super::{CompileError, ErrorCode};
use crate::model::{CompareOp, Grain, Metric, Registry, Source, UseWhen};

/// What `use_when` may ask about a query.
#[derive(Debug, Default)]
pub(super) struct Usage<'a> {
    /// Dimensions grouped or filtered by, as the query writes them.
    pub(super) dimensions: Vec<&'a str>,
    /// The finest time grain grouped by.
    pub(super) grain: Option<Grain>,
}

/// The source to use, and its index.
pub(super) fn choose<'a>(
    registry: &Registry,
    reach: &Reachability,
    metric: &'a Metric,
    usage: &Usage<'_>,
) -> Result<(usize, &'a Source), CompileError> {
    let sources = metric.kind.sources();
    sources
        .iter()
        .enumerate()
        .find(|(_, source)| match &source.use_when {
            None => true,
            Some((_, condition)) => holds(registry, reach, source, condition, usage),
        })
        .ok_or_else(|| {
            let conditions: Vec<_> = sources
                .iter()
                .filter_map(|source| source.use_when.as_ref())
                .map(|(text, _)| text.text.clone())
                .collect();
            CompileError::new(
                ErrorCode::InvalidDefinition,
                format!(
                    "no source of {} fits this query: {}",
                    metric.name,
                    conditions.join("; ")
                ),
            )
            .hint("ask for what one of them is for, or define a last source without use_when")
            .at(metric.place)
            .word(&metric.name)
        })
}

/// The datasets a metric would read if only `dimension` were used.
pub(super) fn datasets_for<'a>(
    registry: &Registry,
    reach: &Reachability,
    metric: &'a Metric,
    dimension: &str,
) -> Vec<&'a str> {
    let usage = Usage {
        dimensions: vec![dimension],
        grain: None,
    };
    let chosen = choose(registry, reach, metric, &usage).map(|(_, source)| source);
    let measures = chosen
        .map(|source| source.measures.as_slice())
        .unwrap_or_default();
    measures
        .iter()
        .map(|measure| measure.dataset.as_str())
        .collect()
}

fn holds(
    registry: &Registry,
    reach: &Reachability,
    source: &Source,
    condition: &UseWhen,
    usage: &Usage<'_>,
) -> bool {
    let all = |parts: &[UseWhen]| {
        parts
            .iter()
            .map(|part| holds(registry, reach, source, part, usage))
            .collect::<Vec<_>>()
    };
    match condition {
        UseWhen::Uses(dimension) => usage.dimensions.iter().any(|used| {
            used.eq_ignore_ascii_case(dimension)
                || source.measures.iter().any(|measure| {
                    let find = |name: &str| reach.find(registry, &measure.dataset, name).ok();
                    find(used).is_some() && find(used) == find(dimension)
                })
        }),
        // No grain at all is coarser than a year.
        UseWhen::Grain(op, grain) => match (op, usage.grain) {
            (CompareOp::Eq, used) => used == Some(*grain),
            (CompareOp::Ne, used) => used != Some(*grain),
            (CompareOp::Lt, used) => used.is_some_and(|used| used < *grain),
            (CompareOp::Le, used) => used.is_some_and(|used| used <= *grain),
            (CompareOp::Gt, used) => used.is_none_or(|used| used > *grain),
            (CompareOp::Ge, used) => used.is_none_or(|used| used >= *grain),
        },
        UseWhen::And(parts) => all(parts).into_iter().all(|part| part),
        UseWhen::Or(parts) => all(parts).into_iter().any(|part| part),
        UseWhen::Not(part) => !holds(registry, reach, source, part, usage),
    }
}
