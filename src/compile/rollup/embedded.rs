//! What the embedded file would compute otherwise than the warehouse: text in order, patterns, functions.

use super::RollupTable;
use super::route::Wanted;
use crate::compile::expr;
use crate::model::{
    CompareOp, DimensionType, Filter, GroupBy, Metric, MetricKind, OrderBy, Registry,
};

/// Metrics may be made of metrics this deep.
const MAX_DEPTH: u8 = 32;

impl Wanted<'_, '_> {
    /// Why a query could have another result where the rollup is.
    pub(super) fn differs(&self, table: &RollupTable) -> Option<String> {
        let is_text = |field: &str| {
            let path = self.reach.find(self.registry, &table.of, field).ok();
            let found = path.and_then(|path| path.resolve(self.registry));
            found.is_none_or(|(_, dimension)| dimension.kind == DimensionType::Text)
        };
        let query = &self.request.query;
        let groups = || self.request.groups.iter();
        let is_group =
            |by: &OrderBy| groups().any(|group| group.to_string().eq_ignore_ascii_case(&by.column));
        // Which rows a limit leaves may depend on the order of texts.
        let is_cut = query.limit.is_some()
            && query.order.first().is_none_or(is_group)
            && groups().any(|group| matches!(group, GroupBy::Dimension(name) if is_text(name)));
        let mut conditions = self.request.conditions.iter();
        if is_cut || conditions.any(|tree| has_order(tree, &is_text)) {
            return Some(
                "it is in a file, where text has another order and matches other patterns than in the warehouse"
                    .to_owned(),
            );
        }
        let mut metrics = self.request.metrics.iter();
        let function = metrics.find_map(|metric| calls(self.registry, metric, 0))?;
        Some(format!(
            "it is in a file, where {function} could give another number than in the warehouse"
        ))
    }
}

/// Whether a condition depends on more than two texts being the same.
fn has_order(tree: &Filter, is_text: &dyn Fn(&str) -> bool) -> bool {
    match tree {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| has_order(part, is_text)),
        Filter::Not(part) => has_order(part, is_text),
        Filter::Compare { field, op, .. } => {
            !matches!(op, CompareOp::Eq | CompareOp::Ne) && is_text(field)
        }
        Filter::Between { field, .. } => is_text(field),
        Filter::Like { .. } => true,
        Filter::In { .. } | Filter::IsNull { .. } => false,
    }
}

/// What of a metric's arithmetic engines may compute differently.
fn calls(registry: &Registry, metric: &Metric, depth: u8) -> Option<String> {
    let inner = |name: &String| {
        let of = registry.metric(name).filter(|_| depth < MAX_DEPTH)?;
        calls(registry, of, depth + 1)
    };
    match &metric.kind {
        MetricKind::Derived { expr, inputs } => expr::beyond_arithmetic(expr)
            .or_else(|| inputs.iter().find_map(|input| inner(&input.metric))),
        MetricKind::Cumulative(cumulative) => cumulative.of.as_ref().and_then(inner),
        _ => None,
    }
}
