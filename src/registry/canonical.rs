//! Builds canonical datasets: what they are in the warehouse, their grain, their promises and their core attributes.

use std::collections::HashMap;

use indexmap::IndexMap;
use jiff::civil::Date;

use super::dataset::check_column;
use super::diagnostic::{Sink, did_you_mean};
use super::length::limit;
use super::raw::{RawAttribute, RawCanonical, RawLineage, RawSla};
use super::read::{At, Entry};
use super::scope::{Broken, Scope};
use super::words::{check_name, meaning, text, texts};
use super::yaml::Text;
use crate::model::{
    Attribute, CanonicalDataset, CanonicalOf, Dataset, Lineage, Place, Registry, Sla, Status,
};

/// Builds the canonical datasets; the datasets are built.
pub(crate) fn build_canonical(
    entries: &[Entry<RawCanonical>],
    registry: &mut Registry,
    broken: &Broken,
    sink: &mut Sink,
) {
    let mut built: IndexMap<String, CanonicalDataset> = IndexMap::new();
    let mut names: HashMap<String, (String, Place)> = HashMap::new();
    for Entry { name, .. } in entries {
        names.insert(name.value.to_lowercase(), (name.value.clone(), name.place));
    }
    for entry in entries {
        let before = sink.errors();
        let scope = Scope {
            datasets: &registry.datasets,
            broken,
            calendar: registry.calendar.table.as_ref(),
        };
        let canonical = canonical(entry, entries, scope, sink);
        if let (Some(canonical), Some(raw)) = (&canonical, &entry.value) {
            check_taken(canonical, raw, &built, sink);
        }
        for alias in entry.value.iter().flat_map(|raw| &raw.aliases.0) {
            let word = alias.value.to_lowercase();
            match names.get(&word) {
                Some((other, place)) if *other != entry.name.value => {
                    let meaning = meaning(&alias.value, other, "canonical dataset");
                    let message = format!("'{}' {meaning} ({})", alias.value, sink.at(*place));
                    sink.error("alias_clash", alias.place, &alias.value, message, None);
                }
                Some(_) => {}
                None => drop(names.insert(word, (entry.name.value.clone(), alias.place))),
            }
        }
        if let Some(canonical) = canonical.filter(|_| entry.errors == 0 && sink.errors() == before)
        {
            built.insert(canonical.name.clone(), canonical);
        }
    }
    registry.canonical = built;
}

fn canonical(
    entry: &Entry<RawCanonical>,
    entries: &[Entry<RawCanonical>],
    scope: Scope,
    sink: &mut Sink,
) -> Option<CanonicalDataset> {
    let (name, raw) = (&entry.name, entry.value.as_ref()?);
    check_name("canonical dataset", name, sink);
    let of = of(name, raw, entry.errors > 0, sink)?;
    let Some(kind) = raw.kind else {
        if entry.errors == 0 {
            let message = format!("canonical dataset '{}' needs a kind", name.value);
            let hint = Some("add kind: dimension, fact or mart".to_owned());
            sink.error("missing_key", name.place, &name.value, message, hint);
        }
        return None;
    };
    let dataset = match &raw.dataset {
        Some(dataset) => Some(scope.dataset(dataset, sink)?),
        None => None,
    };
    let check = |column: &Text, sink: &mut Sink| match dataset {
        Some(dataset) => scope.check_column_or_dimension(dataset, column, sink),
        None => check_column(column, sink),
    };
    for column in &raw.grain.0 {
        check(column, sink);
    }
    let mut attributes = IndexMap::new();
    for part in &raw.attributes.0 {
        check(&part.name, sink);
        if let Some(raw) = &part.value {
            attributes.insert(part.name.value.clone(), attribute(&part.name, raw, sink));
        }
    }
    let status = raw.status.map(|word| word.value).unwrap_or_default();
    check_successor(raw, status, entries, sink);
    if let Some(by) = raw.sla.as_ref().and_then(|sla| sla.by.as_ref()) {
        check(by, sink);
    }
    let grain = match dataset {
        Some(dataset) if raw.grain.0.is_empty() => dataset.key.clone(),
        _ => texts(&raw.grain),
    };
    let sla = raw.sla.as_ref();
    let has_core = attributes
        .values()
        .any(|attribute: &Attribute| !attribute.optional);
    Some(CanonicalDataset {
        name: name.value.clone(),
        place: name.place,
        kind: kind.value,
        of,
        aliases: texts(&raw.aliases),
        grain,
        purpose: text(raw.purpose.as_ref()),
        owner: raw.owner.as_ref().map(|text| text.value.clone()),
        status,
        successor: raw.successor.as_ref().map(|text| text.value.clone()),
        sla: sla.map_or_else(Sla::default, |raw| {
            read_sla(name, raw, dataset, has_core, sink)
        }),
        attributes,
        lineage: raw.lineage.as_ref().map(lineage).unwrap_or_default(),
        usage: texts(&raw.usage),
    })
}

/// What it is in the warehouse.
fn of(name: &Text, raw: &RawCanonical, is_flawed: bool, sink: &mut Sink) -> Option<CanonicalOf> {
    match (&raw.dataset, &raw.table) {
        (Some(dataset), None) => Some(CanonicalOf::Dataset(dataset.value.clone())),
        (None, Some(table)) => {
            if table.value.split('.').any(|part| part.trim().is_empty()) {
                let message = format!("'{}' is not a table name", table.value);
                let hint = Some("write table or schema.table".to_owned());
                sink.error("invalid_value", table.place, &table.value, message, hint);
            }
            Some(CanonicalOf::Table(table.value.clone()))
        }
        (Some(_), Some(table)) => {
            let message = "it is either a dataset of this project or a table";
            let hint = Some("leave table out: the dataset says which it is".to_owned());
            sink.error("invalid_value", table.place, &table.value, message, hint);
            None
        }
        (None, None) => {
            if !is_flawed {
                let message = format!("canonical dataset '{}' needs a dataset", name.value);
                let hint = "add dataset: with the name of one, or table: for a table that is none";
                let hint = Some(hint.to_owned());
                sink.error("missing_key", name.place, &name.value, message, hint);
            }
            None
        }
    }
}

/// Reports a table that is canonical under another name already.
fn check_taken(
    canonical: &CanonicalDataset,
    raw: &RawCanonical,
    built: &IndexMap<String, CanonicalDataset>,
    sink: &mut Sink,
) {
    let same = built.values().find(|other| other.of == canonical.of);
    let written = raw.dataset.as_ref().or(raw.table.as_ref());
    if let (Some(other), Some(written)) = (same, written) {
        let at = sink.at(other.place);
        let message = format!("'{}' is already '{}' ({at})", written.value, other.name);
        let hint = Some("one dataset is canonical once; aliases are other names of it".to_owned());
        sink.error(
            "duplicate_name",
            written.place,
            &written.value,
            message,
            hint,
        );
    }
}

fn check_successor(
    raw: &RawCanonical,
    status: Status,
    entries: &[Entry<RawCanonical>],
    sink: &mut Sink,
) {
    let Some(successor) = &raw.successor else {
        return;
    };
    let names = || entries.iter().map(|entry| entry.name.value.as_str());
    if !names().any(|name| name == successor.value) {
        let message = format!("unknown canonical dataset '{}'", successor.value);
        let hint = did_you_mean(&successor.value, names());
        sink.error(
            "unknown_dataset",
            successor.place,
            &successor.value,
            message,
            hint,
        );
    } else if status != Status::Deprecated {
        let message = "only what is deprecated has a successor";
        let hint = Some("say status: deprecated, or leave successor out".to_owned());
        sink.error(
            "invalid_value",
            successor.place,
            &successor.value,
            message,
            hint,
        );
    }
}

fn read_sla(
    name: &Text,
    raw: &RawSla,
    dataset: Option<&Dataset>,
    has_core: bool,
    sink: &mut Sink,
) -> Sla {
    let place = [&raw.fresh_within, &raw.by, &raw.complete]
        .into_iter()
        .flatten()
        .map(|text| text.place)
        .chain(raw.every.map(|word| word.place))
        .min_by_key(|place| (place.line, place.column))
        .unwrap_or(name.place);
    let by_time = raw.fresh_within.is_some() || raw.every.is_some();
    let has_time = raw.by.is_some() || dataset.is_some_and(|dataset| dataset.time.is_some());
    if by_time && !has_time {
        let message = format!("nothing says when a row of '{}' is from", name.value);
        let hint = Some("add by: with the column of its time".to_owned());
        sink.error("time", place, &name.value, message, hint);
    }
    if let Some(by) = raw.by.as_ref().filter(|_| !by_time) {
        let message = "by has no effect: nothing is promised of a time";
        let hint = Some("add fresh_within: 1 day or every: day, or leave it out".to_owned());
        sink.error("time", by.place, &by.value, message, hint);
    }
    if let Some(every) = raw.every.filter(|every| every.value.is_sub_day()) {
        let message = "the period is a day, or a longer one";
        let hint = Some("write every: day".to_owned());
        sink.error(
            "invalid_value",
            every.place,
            every.value.word(),
            message,
            hint,
        );
    }
    let share = raw.complete.as_ref().and_then(|text| share(text, sink));
    if let Some(complete) = raw.complete.as_ref().filter(|_| !has_core) {
        let message = "no attribute says what a complete row has";
        let hint = Some("list the core attributes under attributes:".to_owned());
        sink.error(
            "missing_key",
            complete.place,
            &complete.value,
            message,
            hint,
        );
    }
    Sla {
        place,
        fresh_within: raw.fresh_within.as_ref().and_then(|text| limit(text, sink)),
        by: raw.by.as_ref().map(|text| text.value.clone()),
        every: raw.every.map(|word| word.value),
        complete: share,
    }
}

/// `99.5%`, or `0.995`.
fn share(text: &Text, sink: &mut Sink) -> Option<f64> {
    let written = text.value.trim();
    let share = match written.strip_suffix('%') {
        Some(percent) => percent.trim().parse().map(|number: f64| number / 100.0),
        None => written.parse(),
    };
    let share = share.ok().filter(|share| (0.0..=1.0).contains(share));
    if share.is_none() {
        let message = format!("'{}' is not a share of rows", text.value);
        let hint = Some("write it like 99.5%".to_owned());
        sink.error("invalid_value", text.place, &text.value, message, hint);
    }
    share
}

fn attribute(name: &Text, raw: &RawAttribute, sink: &mut Sink) -> Attribute {
    let is_set = |flag: Option<At<bool>>| flag.is_some_and(|flag| flag.value);
    if let (true, Some(optional)) = (is_set(raw.not_null), raw.optional.filter(|flag| flag.value)) {
        let message = format!("'{}' cannot be optional and never empty", name.value);
        let hint = Some("leave one of the two out".to_owned());
        sink.error("invalid_value", optional.place, "optional", message, hint);
    }
    Attribute {
        name: name.value.clone(),
        place: name.place,
        description: text(raw.description.as_ref()),
        not_null: is_set(raw.not_null),
        optional: is_set(raw.optional),
        unique: is_set(raw.unique),
        values: texts(&raw.values),
        range: range(name, &raw.range.0, sink),
    }
}

/// The smallest and the largest value.
fn range(
    name: &Text,
    bounds: &[Option<Text>],
    sink: &mut Sink,
) -> (Option<String>, Option<String>) {
    let (low, high) = match bounds {
        [] => return (None, None),
        [low, high] if low.is_some() || high.is_some() => (low.as_ref(), high.as_ref()),
        _ => {
            let message = format!("the range of '{}' has two ends", name.value);
            let hint = Some("write range: [0, 100], or [0, null]".to_owned());
            let place = bounds.iter().flatten().map(|text| text.place).next();
            let place = place.unwrap_or(name.place);
            sink.error("invalid_value", place, "range", message, hint);
            return (None, None);
        }
    };
    let number = |text: &Text| text.value.parse::<f64>().ok().filter(|n| n.is_finite());
    let date = |text: &Text| text.value.parse::<Date>().ok();
    for bound in [low, high].into_iter().flatten() {
        if number(bound).is_none() && date(bound).is_none() {
            let message = format!("'{}' is neither a number nor a date", bound.value);
            sink.error("invalid_value", bound.place, &bound.value, message, None);
            return (None, None);
        }
    }
    if let (Some(low), Some(high)) = (low, high) {
        let in_order = match (number(low), number(high), date(low), date(high)) {
            (Some(low), Some(high), ..) => low <= high,
            (_, _, Some(low), Some(high)) => low <= high,
            _ => false,
        };
        if !in_order {
            let message = format!("no value is between '{}' and '{}'", low.value, high.value);
            let hint = Some("the smaller one comes first".to_owned());
            sink.error("invalid_value", low.place, &low.value, message, hint);
        }
    }
    let value = |text: &Text| text.value.clone();
    (low.map(value), high.map(value))
}

fn lineage(raw: &RawLineage) -> Lineage {
    Lineage {
        sources: texts(&raw.sources),
        transformation: text(raw.transformation.as_ref()),
        downstream: texts(&raw.downstream),
    }
}
