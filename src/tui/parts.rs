//! The query in its parts: what the query pane shows as chips and edits one by one.

use super::edit;
use super::state::State;
use crate::model::{MetricQuery, TimeRange};
use crate::session::{Certainty, Chip, ChipKind};

/// One part of the query, or the place where one could stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which part.
    pub kind: PartKind,
    /// Its text.
    pub text: String,
    /// Whether it is written in the query; else it is a default or empty.
    pub is_set: bool,
    /// How sure it is, where it comes from a question.
    pub certainty: Option<Certainty>,
}

/// Which part of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// The metric at an index, or a further one.
    Metric(usize),
    /// The grouping at an index, or a further one.
    Group(usize),
    /// The condition at an index, or a further one.
    Condition(usize),
    /// The time range.
    Time,
    /// The comparison.
    Compare,
    /// The sort key at an index, or a further one.
    Order(usize),
    /// The limit.
    Limit,
    /// The total row.
    Total,
}

impl PartKind {
    /// The word in front of the first part of its kind.
    pub fn word(self) -> &'static str {
        match self {
            Self::Metric(_) => "metrics",
            Self::Group(_) => "by",
            Self::Condition(_) => "where",
            Self::Time => "time",
            Self::Compare => "versus",
            Self::Order(_) => "order",
            Self::Limit => "limit",
            Self::Total => "total",
        }
    }

    /// Its place in the query line.
    fn rank(self) -> usize {
        match self {
            Self::Metric(_) => 0,
            Self::Group(_) => 1,
            Self::Condition(_) => 2,
            Self::Time => 3,
            Self::Compare => 4,
            Self::Order(_) => 5,
            Self::Limit => 6,
            Self::Total => 7,
        }
    }

    /// Whether a chip of this kind stands for such a part.
    fn is_of(self, chip: ChipKind) -> bool {
        match chip {
            ChipKind::Metric => matches!(self, Self::Metric(_)),
            ChipKind::Group => matches!(self, Self::Group(_)),
            ChipKind::Filter => matches!(self, Self::Condition(_)),
            ChipKind::Time => self == Self::Time,
            ChipKind::Compare => self == Self::Compare,
            ChipKind::Order => matches!(self, Self::Order(_) | Self::Limit),
        }
    }

    /// Whether it is the first of its kind.
    pub fn is_first(self) -> bool {
        !matches!(
            self,
            Self::Metric(1..) | Self::Group(1..) | Self::Condition(1..) | Self::Order(1..)
        )
    }
}

/// The parts of the query with the empty places, in the order of the query line.
pub fn parts(state: &State) -> Vec<Part> {
    let query = &state.query;
    let mut parts = Vec::new();
    let chips = state
        .origin
        .as_ref()
        .map_or(&[][..], |origin| &origin.chips);
    let mut push = |kind: PartKind, text: String, is_set| {
        // The time goes before its days.
        let name = text.split(" · ").next().unwrap_or_default();
        let chip = chips
            .iter()
            .find(|chip| is_set && chip.text == name && kind.is_of(chip.kind));
        parts.push(Part {
            kind,
            text: chip.map_or_else(|| text.clone(), |chip| told(&text, chip)),
            is_set,
            certainty: chip.map(|chip| chip.certainty),
        });
    };
    for (index, metric) in query.metrics.iter().enumerate() {
        let shown = query.show.iter().filter(|shown| shown.metric == *metric);
        let figures: Vec<String> = shown.map(|shown| shown.what.to_string()).collect();
        let text = match figures.as_slice() {
            [] => metric.clone(),
            figures => format!("{metric} ({})", figures.join(", ")),
        };
        push(PartKind::Metric(index), text, true);
    }
    let has_metric = !query.metrics.is_empty();
    if query.is_empty() {
        push(PartKind::Metric(0), "choose one".to_owned(), false);
        return parts;
    }
    if !query.range_of.is_empty() {
        let of: Vec<String> = query.range_of.iter().map(ToString::to_string).collect();
        push(
            PartKind::Metric(0),
            format!("range of {}", of.join(", ")),
            true,
        );
    } else if !has_metric {
        push(
            PartKind::Metric(0),
            "none: distinct values".to_owned(),
            false,
        );
    }
    let groups = state.groups();
    for (index, group) in groups.iter().enumerate() {
        push(
            PartKind::Group(index),
            group.to_string(),
            query.group_by.is_some(),
        );
    }
    if groups.is_empty() {
        push(PartKind::Group(0), "none".to_owned(), false);
    }
    for (index, condition) in edit::conditions(query).iter().enumerate() {
        push(PartKind::Condition(index), condition.to_string(), true);
    }
    if query.filters.is_none() {
        push(PartKind::Condition(0), "any".to_owned(), false);
    }
    let (time, is_set) = time(state);
    push(PartKind::Time, time, is_set);
    let compare = query.compare.map(|compare| compare.to_string());
    if has_metric || compare.is_some() {
        push(
            PartKind::Compare,
            compare.unwrap_or_else(|| "none".to_owned()),
            query.compare.is_some(),
        );
    }
    for (index, key) in query.order.iter().enumerate() {
        push(PartKind::Order(index), key.to_string(), true);
    }
    if query.order.is_empty() {
        push(PartKind::Order(0), "as grouped".to_owned(), false);
    }
    if let Some(limit) = query.limit {
        let mut text = limit.to_string();
        if !query.limit_per.is_empty() {
            let per: Vec<String> = query.limit_per.iter().map(ToString::to_string).collect();
            text.push_str(&format!(" per {}", per.join(", ")));
        }
        if query.others {
            text.push_str(" with others");
        }
        push(PartKind::Limit, text, true);
    }
    if query.total {
        push(PartKind::Total, "yes".to_owned(), true);
    }
    parts
}

/// What stands below the prompt: what a question was understood as while it is typed, else the parts of the query.
pub fn shown(state: &State) -> Vec<Part> {
    match state.prompt.chips() {
        Some(chips) => understood(chips),
        None => parts(state),
    }
}

/// The parts that a question was understood as.
fn understood(chips: &[Chip]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for chip in chips {
        let before = parts
            .iter()
            .filter(|part| part.kind.is_of(chip.kind))
            .count();
        let kind = match chip.kind {
            ChipKind::Metric => PartKind::Metric(before),
            ChipKind::Group => PartKind::Group(before),
            ChipKind::Filter => PartKind::Condition(before),
            ChipKind::Time => PartKind::Time,
            ChipKind::Compare => PartKind::Compare,
            ChipKind::Order => PartKind::Order(before),
        };
        parts.push(Part {
            kind,
            // The word for it stands in front.
            text: told(chip.text.strip_prefix("vs ").unwrap_or(&chip.text), chip),
            is_set: true,
            certainty: Some(chip.certainty),
        });
    }
    parts.sort_by_key(|part| part.kind.rank());
    parts
}

/// A part with how sure it is and where it comes from: `≈ market = BR · Brasil -> BR`.
fn told(text: &str, chip: &Chip) -> String {
    let sign = match chip.certainty {
        Certainty::Similar | Certainty::Model => "≈ ",
        Certainty::Remembered => "✓ ",
        Certainty::Exact | Certainty::Kept | Certainty::Default => "",
    };
    // The label of a metric that was named is among its details.
    let is_plain = chip.kind == ChipKind::Metric && sign.is_empty();
    match &chip.detail {
        Some(detail) if !is_plain && !text.contains(detail.as_str()) => {
            format!("{sign}{text} · {detail}")
        }
        _ => format!("{sign}{text}"),
    }
}

/// The time range in words; with its days, where the compiler has resolved it.
fn time(state: &State) -> (String, bool) {
    let compiled = state
        .preview
        .current()
        .filter(|_| state.preview.query == state.query);
    let range = compiled.map(|compiled| compiled.range);
    let asked = state
        .query
        .time
        .or_else(|| compiled.and_then(|compiled| compiled.query.time));
    let words = asked.unwrap_or(TimeRange::AllTime).to_string();
    let text = match range.map(|range| range.to_string()) {
        Some(days) if days != words => format!("{words} · {days}"),
        _ => words,
    };
    (text, state.query.time.is_some())
}

/// Takes a part out of the query.
pub fn remove(query: &mut MetricQuery, groups: &[crate::model::GroupBy], kind: PartKind) {
    match kind {
        PartKind::Metric(index) => {
            query.range_of.clear();
            if let Some(name) = query.metrics.get(index).cloned() {
                edit::toggle_metric(query, &name);
            }
        }
        PartKind::Group(index) => {
            if let Some(group) = groups.get(index) {
                edit::toggle_group(query, groups, group);
            }
        }
        PartKind::Condition(index) => edit::remove_condition(query, index),
        PartKind::Time => query.time = None,
        PartKind::Compare => query.compare = None,
        PartKind::Order(index) => {
            if index < query.order.len() {
                query.order.remove(index);
            }
        }
        PartKind::Limit => edit::set_limit(query, None),
        PartKind::Total => query.total = false,
    }
}
