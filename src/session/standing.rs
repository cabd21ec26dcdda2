//! How far a metric can be relied on: its stage of life, and what a reader of its numbers should know of that.

use super::{Catalog, ReviewStage, Session};
use crate::compile::{Compiled, Reason, ReasonKind};
use crate::model::{Metric, Status};

impl Catalog {
    /// Where a metric is in its life.
    pub fn stage(&self, metric: &Metric) -> ReviewStage {
        match metric.status {
            Status::Draft => ReviewStage::Draft,
            Status::Published => ReviewStage::Published,
            Status::Deprecated => ReviewStage::Deprecated,
            Status::Certified if self.has_changed(metric) => ReviewStage::Changed,
            Status::Certified => ReviewStage::Certified,
        }
    }

    /// The stage of a metric in words, with what is to be used instead: `deprecated, use net_mrr`.
    pub fn standing(&self, metric: &Metric) -> String {
        let stage = self.stage(metric).words();
        match &metric.successor {
            Some(successor) => format!("{stage}, use {successor}"),
            None => stage.to_owned(),
        }
    }

    /// What a reader of its numbers should know; nothing of a metric that is as it should be, and made of such. Where the
    /// project says nothing of review, metrics that nobody certified are the rule.
    pub fn remark(&self, metric: &Metric) -> Option<String> {
        let own = self.own_remark(metric);
        if self.stage(metric) == ReviewStage::Deprecated {
            return own;
        }
        let mut remarks: Vec<String> = own.into_iter().collect();
        let mut seen = vec![metric.name.as_str()];
        self.add_old_inputs(metric, metric, &mut seen, &mut remarks);
        (!remarks.is_empty()).then(|| remarks.join("; "))
    }

    /// Says which deprecated metrics a metric is made of, also by way of others.
    fn add_old_inputs<'a>(
        &'a self,
        of: &Metric,
        metric: &'a Metric,
        seen: &mut Vec<&'a str>,
        remarks: &mut Vec<String>,
    ) {
        for input in metric.kind.inputs() {
            let Some(input) = self.registry.metrics.get(input) else {
                continue;
            };
            if seen.contains(&input.name.as_str()) {
                continue;
            }
            seen.push(&input.name);
            if self.stage(input) == ReviewStage::Deprecated {
                let followed = input.successor.as_ref();
                let followed = followed.map(|name| format!(" and followed by {name}"));
                remarks.push(format!(
                    "{} is made of {}, which is deprecated{}",
                    of.name,
                    input.name,
                    followed.unwrap_or_default()
                ));
            }
            self.add_old_inputs(of, input, seen, remarks);
        }
    }

    fn own_remark(&self, metric: &Metric) -> Option<String> {
        let name = &metric.name;
        match self.stage(metric) {
            ReviewStage::Draft => Some(format!("{name} is a draft: it may change without notice")),
            ReviewStage::Deprecated => Some(match &metric.successor {
                Some(successor) => format!("{name} is deprecated; use {successor} instead"),
                None => format!("{name} is deprecated"),
            }),
            ReviewStage::Changed => {
                let on = self.changed_since(metric).flatten();
                let on = on.map(|day| format!(" on {day}")).unwrap_or_default();
                Some(format!("{name} has changed since it was certified{on}"))
            }
            ReviewStage::Published if self.has_review => Some(format!("{name} is not certified")),
            _ => None,
        }
    }
}

impl Session {
    /// The compiled query with what is to be known of the metrics that it asks for.
    pub(super) fn with_remarks(&self, mut compiled: Compiled) -> Compiled {
        let catalog = self.catalog();
        for name in &compiled.query.metrics {
            let Some(metric) = catalog.registry.metric(name) else {
                continue;
            };
            if let Some(text) = catalog.remark(metric) {
                compiled.reasons.push(Reason {
                    kind: ReasonKind::Note,
                    text,
                    place: Some(metric.place),
                });
            }
        }
        compiled
    }
}
