//! Metrics that nobody uses: they get a flag that says so; nothing is deleted.

use std::collections::BTreeSet;

use jiff::ToSpan as _;

use super::Month;
use super::idea::{Change, Idea, Kind};
use super::tally::Evidence;
use crate::model::{Metric, Registry, Status};

impl Month<'_> {
    /// Metrics without a use in so many days, the longest unused first; nothing while the log is younger than that.
    pub(super) fn idle(&self) -> Vec<Idea> {
        let days = self.rules.idle_days;
        let limit = self
            .today
            .saturating_sub(i32::try_from(days).unwrap_or(i32::MAX).days());
        if self.log_since.is_none_or(|since| since > limit) {
            return Vec::new();
        }
        let needed = needed(self.registry);
        let idle = self.registry.metrics.values().filter(|metric| {
            let used = self.last_used.get(&metric.name);
            // What came lately had no time to be used.
            let told = metric.history.iter().filter_map(|event| event.on);
            let mut told = told.chain(metric.last_updated).chain(used.copied());
            let is_open = matches!(metric.status, Status::Published | Status::Certified);
            is_open
                && !needed.contains(metric.name.as_str())
                && self.registry.analysis_of(metric).is_none()
                && !told.any(|day| day > limit)
        });
        let mut ideas: Vec<Idea> = idle.map(|metric| self.unused(metric, days)).collect();
        ideas.sort_by_key(|idea| (idea.evidence.last, idea.id.clone()));
        ideas
    }

    fn unused(&self, metric: &Metric, days: u64) -> Idea {
        let used = self.last_used.get(&metric.name);
        let since = self
            .log_since
            .map(|day| day.to_string())
            .unwrap_or_default();
        let remark = match used {
            Some(day) => format!("It was last used on {day}, more than {days} days ago."),
            None => format!("It was never used since the log begins on {since}."),
        };
        Idea {
            id: format!("deprecation:{}", metric.name),
            kind: Kind::Deprecation,
            title: format!("Nobody has used it for {days} days"),
            remark: format!("{remark} Nothing is made of it."),
            // Nothing else could have used it without leaving a trace here.
            confidence: 1.0,
            evidence: Evidence {
                last: used.copied(),
                ..Evidence::default()
            },
            change: Change::Deprecate {
                metric: metric.name.clone(),
            },
        }
    }
}

/// Metrics that others depend on: metrics made of them, saved queries, rollups, dimensions, analyses and successions.
fn needed(registry: &Registry) -> BTreeSet<&str> {
    let mut needed: BTreeSet<&str> = BTreeSet::new();
    for metric in registry.metrics.values() {
        needed.extend(metric.kind.inputs());
        needed.extend(metric.successor.as_deref());
    }
    let name = |name: &String| registry.metric(name).map(|metric| metric.name.as_str());
    for view in registry.views.values() {
        needed.extend(view.query.metrics.iter().filter_map(name));
    }
    for rollup in registry.rollups.values() {
        needed.extend(rollup.metrics.iter().filter_map(name));
    }
    let dimensions = registry
        .datasets
        .values()
        .flat_map(|dataset| dataset.dimensions.values());
    let of_metric = dimensions.filter_map(|dimension| dimension.of_metric.as_ref());
    needed.extend(of_metric.filter_map(|of| name(&of.metric)));
    // Analyses name their metrics in ways of their own: whatever one of them writes counts.
    let analyses = registry.analyses.values();
    let words = analyses.map(|analysis| serde_json::to_value(analysis).unwrap_or_default());
    for words in words {
        strings(&words, &mut |word| {
            needed.extend(registry.metric(word).map(|metric| metric.name.as_str()))
        });
    }
    needed
}

fn strings(value: &serde_json::Value, each: &mut dyn FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => each(text),
        serde_json::Value::Array(items) => items.iter().for_each(|one| strings(one, each)),
        serde_json::Value::Object(fields) => fields.values().for_each(|one| strings(one, each)),
        _ => {}
    }
}
