//! Reads the life of a metric (`history:`, `successor:`) and the rules of review (`review:` of `metrex.yaml`).

use std::collections::HashSet;

use super::diagnostic::Sink;
use super::raw::{RawEvent, RawMetric};
use super::read::{At, Entry, Many, Word, object};
use super::scope::Broken;
use super::words::{text, texts};
use super::yaml::Text;
use crate::model::{LifeEvent, Registry, ReviewCheck, ReviewRules, Status};

object! {
    /// Who may vouch for a metric, and what it takes.
    struct RawReview {
        /// Who may certify and deprecate: names, addresses, or both as git writes them; anybody where none is named.
        certifiers: Many<Text>,
        /// How many others must have approved what is certified, or a proposal that is published; none where nothing is given.
        approvals: Option<At<u8>>,
        /// What must pass before a metric is certified: `tests` (where nothing is given), `live`, `governance`.
        checks: Option<Many<Word<ReviewCheck>>>,
    }
}

/// The rules that `review:` says.
pub(super) fn review_rules(raw: &RawReview) -> ReviewRules {
    let otherwise = ReviewRules::default();
    let checks = |checks: &Many<Word<ReviewCheck>>| {
        let words = checks.0.iter();
        words.map(|word| word.value).collect()
    };
    ReviewRules {
        certifiers: texts(&raw.certifiers),
        approvals: raw.approvals.map_or(0, |at| u32::from(at.value)),
        checks: raw.checks.as_ref().map_or(otherwise.checks, checks),
    }
}

/// What was done with a metric.
pub(super) fn history(raw: &Many<RawEvent>, sink: &mut Sink) -> Vec<LifeEvent> {
    let event = |raw: &RawEvent| {
        let Some(step) = raw.step else {
            // A list item that is no map is reported where it is read.
            let known = raw.by.as_ref().or(raw.why.as_ref()).or(raw.of.as_ref());
            if let Some(text) = known {
                let hint = Some("add step: such as certified".to_owned());
                let message = "an entry of the history needs a step";
                sink.error("missing_key", text.place, &text.value, message, hint);
            }
            return None;
        };
        Some(LifeEvent {
            step: step.value,
            by: text(raw.by.as_ref()),
            on: raw.on.map(|day| day.value.0),
            why: text(raw.why.as_ref()),
            of: raw.of.as_ref().map(|text| text.value.clone()),
        })
    };
    raw.0.iter().filter_map(event).collect()
}

/// Settles which metric each deprecated one is followed by; all metrics are built. A wrong one is reported and left out.
pub(super) fn settle_successors(
    entries: &[Entry<RawMetric>],
    registry: &mut Registry,
    broken: &Broken,
    sink: &mut Sink,
) {
    for entry in entries {
        let raw = entry.value.as_ref();
        let Some(written) = raw.and_then(|raw| raw.successor.as_ref()) else {
            continue;
        };
        let name = &entry.name.value;
        let Some(metric) = registry.metrics.get(name) else {
            continue;
        };
        if metric.status != Status::Deprecated {
            let message = format!(
                "'{name}' is {} and needs no successor",
                metric.status.word()
            );
            let hint = "only a metric with status: deprecated has one".to_owned();
            let (place, found) = (written.place, &written.value);
            sink.error("invalid_value", place, found, message, Some(hint));
            continue;
        }
        let Some(successor) = registry.metric(&written.value).map(|one| one.name.clone()) else {
            let is_broken = broken.metrics.contains(&written.value);
            let known = registry.metrics.keys().chain(&broken.metrics);
            let known = known.map(String::as_str);
            let at = (written.value.as_str(), written.place);
            broken.refuse("metric", "unknown_metric", at, is_broken, known, sink);
            continue;
        };
        if leads_to(registry, &successor, name) {
            let message = match successor == *name {
                true => format!("'{name}' cannot be followed by itself"),
                false => {
                    format!("'{name}' cannot be followed by '{successor}', which it follows itself")
                }
            };
            sink.error("cycle", written.place, &written.value, message, None);
            continue;
        }
        if let Some(metric) = registry.metrics.get_mut(name) {
            metric.successor = Some(successor);
        }
    }
}

/// Whether the successors of a metric, itself included, come to another one.
fn leads_to(registry: &Registry, from: &str, to: &str) -> bool {
    let mut seen = HashSet::new();
    let mut at = Some(from);
    while let Some(name) = at.filter(|name| seen.insert(*name)) {
        if name == to {
            return true;
        }
        let metric = registry.metrics.get(name);
        at = metric.and_then(|metric| metric.successor.as_deref());
    }
    false
}
