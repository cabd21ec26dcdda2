//! Dimensions to group and filter by, and their values.

use jiff::civil::Date;

use super::Offer;
use crate::compile::DimensionChoice;
use crate::model::{
    ColumnState, Dimension, DimensionType, Grain, GroupBy, MetricKind, Registry, Status,
};
use crate::session::ValueList;
use crate::session::cell::thousands;
use crate::tui::edit::{self, Picked};
use crate::tui::popup::Choice;
use crate::tui::state::State;
use crate::tui::widgets::fuzzy_list::Item;

/// Dimensions: time grains first, then what can be reached, then the rest with the reason.
pub fn dimensions(state: &State, choices: &[DimensionChoice], filter: bool) -> Vec<Offer> {
    let times = default_times(state);
    let is_default = |choice: &DimensionChoice| {
        times
            .iter()
            .any(|(dataset, time)| choice.dataset == *dataset && choice.dimension == time.name)
    };
    let (reached, others): (Vec<_>, Vec<_>) =
        choices.iter().partition(|choice| choice.reachable.is_ok());
    let (dated, plain): (Vec<_>, Vec<_>) = reached
        .into_iter()
        .partition(|choice| choice.kind.is_time());
    let mut offers = Vec::new();
    if !filter {
        // Each metric has its own default time; a grain is offered if all of them have it.
        let label = match times.as_slice() {
            [(_, only)] => only.label.as_str(),
            _ => "each metric's own time",
        };
        let coarsest = times
            .iter()
            .map(|(_, time)| time.kind)
            .reduce(|kind, other| match other {
                DimensionType::Date => other,
                _ => kind,
            });
        offers.extend(
            coarsest
                .into_iter()
                .flat_map(grains)
                .map(|grain| offer_grain(grain, None, label)),
        );
    }
    offers.extend(
        plain
            .into_iter()
            .map(|choice| offer_dimension(state, choice)),
    );
    for choice in dated {
        if filter {
            offers.push(offer_dimension(state, choice));
        } else if !is_default(choice) {
            let of = Some(choice.name.as_str());
            offers.extend(grains(choice.kind).map(|grain| offer_grain(grain, of, &choice.label)));
        }
    }
    offers.extend(
        others
            .into_iter()
            .map(|choice| offer_dimension(state, choice)),
    );
    offers
}

/// The time dimensions that a query means where it says only `month`, with their datasets; none where a metric has none.
fn default_times(state: &State) -> Vec<(&str, &Dimension)> {
    fn collect<'a>(
        registry: &'a Registry,
        metric: &str,
        into: &mut Vec<(&'a str, &'a Dimension)>,
    ) -> Option<()> {
        let metric = registry.metric(metric)?;
        match &metric.kind {
            kind if !kind.inputs().is_empty() => kind
                .inputs()
                .into_iter()
                .try_for_each(|input| collect(registry, input, into)),
            MetricKind::Complex { facets: None, .. } => None,
            kind => kind
                .sources()
                .first()?
                .measures
                .iter()
                .try_for_each(|measure| {
                    let dataset = registry.datasets.get(&measure.dataset)?;
                    let time =
                        dataset.dimension(measure.time.as_deref().or(dataset.time.as_deref())?)?;
                    if !into
                        .iter()
                        .any(|(name, there)| *name == dataset.name && there.name == time.name)
                    {
                        into.push((&dataset.name, time));
                    }
                    Some(())
                }),
        }
    }
    let mut times = Vec::new();
    let registry = &state.catalog.registry;
    let all = state
        .query
        .metrics
        .iter()
        .try_for_each(|metric| collect(registry, metric, &mut times));
    if all.is_some() { times } else { Vec::new() }
}

fn grains(kind: DimensionType) -> impl DoubleEndedIterator<Item = Grain> {
    Grain::ALL.into_iter().filter(move |grain| {
        *grain >= Grain::Day || *grain == Grain::Hour && kind == DimensionType::Time
    })
}

fn offer_grain(grain: Grain, of: Option<&str>, label: &str) -> Offer {
    let group = GroupBy::Grain {
        grain,
        of: of.map(str::to_owned),
    };
    let text = group.to_string();
    let heading = if of.is_some() { "Other times" } else { "Time" };
    (
        Item::new(&text, &text).detail(label).group(heading),
        Choice::Dimension { group, field: None },
    )
}

fn offer_dimension(state: &State, choice: &DimensionChoice) -> Offer {
    let group = GroupBy::Dimension(choice.name.clone());
    let picked = edit::picked(&state.query, &choice.name);
    let mut item = Item::new(group.to_string(), &choice.name)
        .detail(&choice.label)
        .group("Dimensions");
    item = if picked.is_empty() {
        item.right(&of_dataset(state, &choice.dataset))
    } else {
        item.right("filtered")
    };
    if let Err(reason) = &choice.reachable {
        // The name stands beside it.
        let name = format!("'{}' cannot be used ", choice.name);
        item = item.disabled(reason.strip_prefix(&name).unwrap_or(reason));
    }
    (
        item,
        Choice::Dimension {
            group,
            field: Some((choice.name.clone(), choice.kind)),
        },
    )
}

/// A dataset with a sign for what is canonical.
fn of_dataset(state: &State, dataset: &str) -> String {
    match state.catalog.registry.canonical_of(dataset) {
        Some(one) if one.status == Status::Deprecated => format!("× {dataset}"),
        Some(_) => format!("◆ {dataset}"),
        None => dataset.to_owned(),
    }
}

/// The known values of a dimension, and those that the query picks already.
pub fn values(values: &ValueList, picked: &Picked) -> Vec<Item> {
    let shown = |value: &str| {
        if value.is_empty() {
            "(empty)".to_owned()
        } else {
            value.to_owned()
        }
    };
    let known = values.values.iter().map(|(value, count)| {
        let names = values
            .names
            .get(value)
            .map_or(&[] as &[String], Vec::as_slice);
        Item::new(value.clone(), &shown(value))
            .detail(names.first().map_or("", String::as_str))
            .also(&names.join(" "))
            .right(&thousands(usize::try_from(*count).unwrap_or(usize::MAX)))
    });
    let is_known = |value: &str| values.values.iter().any(|(known, _)| known == value);
    let unknown = picked
        .include
        .iter()
        .chain(&picked.exclude)
        .filter(|value| !is_known(value));
    known
        .chain(unknown.map(|value| Item::new(value.clone(), &shown(value))))
        .collect()
}

/// What is known about the values of a dimension.
pub fn values_note(values: &ValueList, today: Date) -> String {
    let age = values
        .updated_at
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    let age = match age
        .and_then(|day| today.since(day).ok())
        .map(|span| span.get_days())
    {
        None => String::new(),
        Some(..=0) => ", indexed today".to_owned(),
        Some(1) => ", indexed yesterday".to_owned(),
        Some(days) => format!(", indexed {days} days ago"),
    };
    let count = |distinct: u64| thousands(usize::try_from(distinct).unwrap_or(usize::MAX));
    match values.state {
        ColumnState::Indexed { distinct } => {
            format!("{} values with their rows{age}", count(distinct))
        }
        ColumnState::Wide { distinct } => {
            format!("{} values are too many to index; type one", count(distinct))
        }
        ColumnState::Pii => "personal data is never indexed; type a value".to_owned(),
        ColumnState::Missing => {
            "not indexed yet (`metrex reindex` does it); type a value".to_owned()
        }
    }
}
