//! What a model understood, as chips: each part of its query with the words it comes from.

use super::data::{SHORT, harmless};
use super::evidence::{Evidence, place};
use crate::ask::{Certainty, Chip, ChipKind};
use crate::model::{Filter, Intent};

/// The chips of an intent, in the order of the query line.
pub(super) fn chips(question: &str, intent: &Intent, evidence: &[Evidence]) -> Vec<Chip> {
    let chip = |kind, text: String, part: &str| {
        let found = evidence
            .iter()
            .find(|piece| piece.part.eq_ignore_ascii_case(part));
        let words = found.map(|piece| harmless(&piece.words, SHORT));
        Chip {
            kind,
            detail: words.map(|words| format!("{words} -> {text}")),
            range: found
                .and_then(|piece| place(question, &piece.words))
                .unwrap_or(0..0),
            // What nobody said was in the query before; everything else was checked to have evidence.
            certainty: match found {
                Some(_) => Certainty::Model,
                None => Certainty::Kept,
            },
            text,
        }
    };
    let mut chips = Vec::new();
    for metric in &intent.metrics {
        chips.push(chip(ChipKind::Metric, metric.clone(), metric));
    }
    for group in intent.group_by.iter().flatten() {
        let group = group.to_string();
        chips.push(chip(ChipKind::Group, format!("by {group}"), &group));
    }
    if let Some(grain) = intent.grain {
        chips.push(chip(
            ChipKind::Group,
            format!("by {}", grain.word()),
            "grain",
        ));
    }
    let conditions = match &intent.filters {
        Some(Filter::And(conditions)) => conditions.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    for condition in conditions {
        let fields = condition.fields();
        let field = fields.first().copied().unwrap_or_default();
        chips.push(chip(ChipKind::Filter, condition.to_string(), field));
    }
    if let Some(time) = intent.time {
        chips.push(chip(ChipKind::Time, time.to_string(), "time"));
    }
    if let Some(compare) = intent.compare {
        chips.push(chip(ChipKind::Compare, format!("vs {compare}"), "compare"));
    }
    if !intent.order.is_empty() {
        let keys: Vec<String> = intent.order.iter().map(ToString::to_string).collect();
        let text = format!("order by {}", keys.join(", "));
        chips.push(chip(ChipKind::Order, text, "order"));
    }
    if let Some(limit) = intent.limit {
        chips.push(chip(ChipKind::Order, format!("limit {limit}"), "limit"));
    }
    if intent.total {
        chips.push(chip(ChipKind::Group, "total".to_owned(), "total"));
    }
    chips
}
