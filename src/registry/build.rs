//! Builds the registry from the files of a project: reads every file, then datasets, metrics, saved queries.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::calendar::read_calendar;
use super::config::Config;
use super::diagnostic::{Diagnostic, Sink, did_you_mean};
use super::metric::Context;
use super::raw::{RawDataset, RawFile, RawMetric};
use super::read::{Entry, Named, Read, unknown_key};
use super::scope::{Broken, Scope};
use super::words::meaning;
use super::yaml::{self, Node, Text};
use super::{
    ProjectFiles, alerts, analysis, calendar, canonical, composed, dataset, facets, hypotheses,
    join, life, metric, metric_tests, of_metric, rollup, views,
};
use crate::model::{Facets, FileId, Place, Registry, Snippet};

/// Top-level keys of a file that is not in the flat form.
pub(crate) const SECTIONS: [&str; 9] = [
    "datasets",
    "metrics",
    "views",
    "rollups",
    "canonical_datasets",
    "analyses",
    "alerts",
    "calendar",
    "hypotheses",
];

/// The registry of a project, and everything that is wrong in its files.
pub(crate) fn build(files: &ProjectFiles, config: &Config) -> (Registry, Vec<Diagnostic>) {
    let mut sink = Sink::new(files.metrics.iter().chain(&files.snippets));
    let mut broken = Broken::default();
    let mut registry = Registry {
        calendar: config.calendar.clone(),
        conventions: config.conventions,
        ..Registry::default()
    };
    let paths = files
        .metrics
        .iter()
        .chain(&files.snippets)
        .map(|file| file.path.clone());
    registry.files = paths.collect();
    calendar::file_under("metrex.yaml", &mut registry);
    registry.snippets = snippets(files);

    let mut all = RawFile::default();
    for (at, file) in files.metrics.iter().enumerate() {
        let file_id = FileId(u32::try_from(at).unwrap_or(u32::MAX));
        match yaml::parse(file_id, &file.text) {
            Err(error) => {
                broken.note_keys(&file.path, &file.text);
                sink.error("yaml", error.place, "", error.message, None);
            }
            Ok(None) => {}
            Ok(Some(node)) => {
                let raw = read_file(&node, &mut sink).unwrap_or_default();
                all.datasets.0.extend(raw.datasets.0);
                all.metrics.0.extend(raw.metrics.0);
                all.views.0.extend(raw.views.0);
                all.rollups.0.extend(raw.rollups.0);
                all.canonical_datasets.0.extend(raw.canonical_datasets.0);
                all.analyses.0.extend(raw.analyses.0);
                all.hypotheses.0.extend(raw.hypotheses.0);
                all.alerts.0.extend(raw.alerts.0);
                if let Some(calendar) = &raw.calendar {
                    registry.calendar = read_calendar(calendar, &registry.calendar, &mut sink);
                }
            }
        }
    }
    let datasets = first_of_each("dataset", all.datasets, &mut sink);
    let analyses = first_of_each("analysis", all.analyses, &mut sink);
    let views = first_of_each("view", all.views, &mut sink);
    let rollups = first_of_each("rollup", all.rollups, &mut sink);
    let rules = first_of_each("hypothesis", all.hypotheses, &mut sink);
    let alerts = first_of_each("alert", all.alerts, &mut sink);
    let canonical = first_of_each("canonical dataset", all.canonical_datasets, &mut sink);
    build_datasets(&datasets, &mut registry, &mut broken, &mut sink);
    for entry in &analyses {
        let made = analysis::analysis(entry, &all.metrics.0, &registry, &broken, &mut sink);
        match made {
            Some(made) => {
                let dataset = [made.dataset];
                build_datasets(&dataset, &mut registry, &mut broken, &mut sink);
                if let Some(dataset) = registry.datasets.get_mut(&made.analysis.name) {
                    dataset.dialects = made.dialects;
                }
                let name = made.analysis.name.clone();
                registry.analyses.insert(name, made.analysis);
                all.metrics.0.extend(made.metrics);
            }
            None => drop(broken.datasets.insert(entry.name.value.clone())),
        }
    }
    let metrics = first_of_each("metric", all.metrics, &mut sink);
    calendar::check_names(&registry, &mut sink);
    let facets = build_facets(files, &mut registry, &mut sink);
    build_metrics(&metrics, &facets, &mut registry, &mut broken, &mut sink);
    of_metric::settle(&mut registry, &mut broken, &mut sink);
    metric_tests::build_tests(&metrics, &mut registry, &broken, &mut sink);
    views::build_views(&views, &mut registry, &broken, &mut sink);
    hypotheses::build_hypotheses(&rules, &mut registry, &broken, &mut sink);
    alerts::build_alerts(&alerts, &mut registry, &broken, &mut sink);
    canonical::build_canonical(&canonical, &mut registry, &broken, &mut sink);
    for entry in &rollups {
        if let Some(rollup) = rollup::rollup(entry, &registry, &broken, &mut sink) {
            registry.rollups.insert(rollup.name.clone(), rollup);
        }
    }

    let mut diagnostics = sink.finish();
    diagnostics.extend(files.problems.iter().cloned());
    diagnostics.sort_by(Diagnostic::order);
    (registry, diagnostics)
}

fn snippets(files: &ProjectFiles) -> IndexMap<String, Snippet> {
    let snippet = |(at, file): (usize, &super::ProjectFile)| {
        let file_id = FileId(u32::try_from(files.metrics.len() + at).unwrap_or(u32::MAX));
        let name = file
            .path
            .strip_prefix("snippets/")
            .unwrap_or(&file.path)
            .to_owned();
        let place = Place {
            file: file_id,
            line: 1,
            column: 1,
        };
        (
            name.clone(),
            Snippet {
                name,
                place,
                text: file.text.clone(),
            },
        )
    };
    files.snippets.iter().enumerate().map(snippet).collect()
}

/// A file with sections, or in the flat form: a map of metrics.
fn read_file(node: &Node, sink: &mut Sink) -> Option<RawFile> {
    let Node::Map(_, entries) = node else {
        return RawFile::read(node, sink);
    };
    if entries
        .iter()
        .any(|(key, _)| SECTIONS.contains(&key.value.as_str()))
    {
        return RawFile::read(node, sink);
    }
    // A misspelt section is not a metric: everything in it is a map.
    let is_section = |node: &Node| {
        matches!(node, Node::Map(_, inner) if !inner.is_empty()
        && inner.iter().all(|(_, value)| matches!(value, Node::Map(..))))
    };
    let misspelt = |key: &Text| did_you_mean(&key.value, SECTIONS).is_some();
    if let Some((key, _)) = entries
        .iter()
        .find(|(key, value)| misspelt(key) && is_section(value))
    {
        unknown_key(key, &SECTIONS, sink);
        return None;
    }
    Some(RawFile {
        metrics: Named::read(node, sink)?,
        ..RawFile::default()
    })
}

/// The entries without those whose name was taken before, ignoring case.
fn first_of_each<T>(what: &str, named: Named<T>, sink: &mut Sink) -> Vec<Entry<T>> {
    let mut seen: HashMap<String, Place> = HashMap::new();
    let mut entries = Vec::with_capacity(named.0.len());
    for entry in named.0 {
        let name = &entry.name;
        if let Some(first) = seen.get(&name.value.to_lowercase()) {
            let message = format!(
                "{what} '{}' is already defined at {}",
                name.value,
                sink.at(*first)
            );
            sink.error(
                "duplicate_name",
                name.place,
                &name.value,
                message,
                Some("rename one of the two, or leave one out".to_owned()),
            );
        } else {
            seen.insert(name.value.to_lowercase(), name.place);
            entries.push(entry);
        }
    }
    entries
}

fn build_datasets(
    entries: &[Entry<RawDataset>],
    registry: &mut Registry,
    broken: &mut Broken,
    sink: &mut Sink,
) {
    for entry in entries {
        match dataset::dataset(entry, broken, sink) {
            Some(dataset) => drop(registry.datasets.insert(entry.name.value.clone(), dataset)),
            None => drop(broken.datasets.insert(entry.name.value.clone())),
        }
    }
    let mut joins = Vec::new();
    let mut failed = Vec::new();
    let scope = Scope {
        datasets: &registry.datasets,
        broken,
        calendar: registry.calendar.table.as_ref(),
    };
    for entry in entries {
        let (Some(dataset), Some(raw)) = (registry.datasets.get(&entry.name.value), &entry.value)
        else {
            continue;
        };
        for part in &raw.joins.0 {
            match join::join(part, dataset, scope, sink) {
                Some(join) => joins.push((dataset.name.clone(), join)),
                None => failed.push((dataset.name.clone(), part.name.value.clone())),
            }
        }
    }
    broken.parts.extend(failed);
    for (dataset, join) in joins {
        if let Some(dataset) = registry.datasets.get_mut(&dataset) {
            dataset.joins.insert(join.name.clone(), join);
        }
    }
    let mut failed = Vec::new();
    let scope = Scope {
        datasets: &registry.datasets,
        broken,
        calendar: registry.calendar.table.as_ref(),
    };
    for entry in entries {
        let dataset = registry.datasets.get(&entry.name.value);
        let joins = entry.value.iter().flat_map(|raw| &raw.joins.0);
        for (part, dataset) in joins.filter_map(|part| Some((part, dataset?))) {
            if !join::has_time_to_choose_by(part, dataset, scope, sink) {
                failed.push((dataset.name.clone(), part.name.value.clone()));
            }
        }
    }
    for (dataset, join) in &failed {
        if let Some(dataset) = registry.datasets.get_mut(dataset) {
            dataset.joins.shift_remove(join);
        }
    }
    broken.parts.extend(failed);
}

/// The facets of every snippet that declares some, by its file name.
fn build_facets(
    files: &ProjectFiles,
    registry: &mut Registry,
    sink: &mut Sink,
) -> HashMap<String, Facets> {
    let snippets = registry.snippets.values().zip(&files.snippets);
    let read = snippets.filter_map(|(snippet, file)| {
        let facets = facets::facets(snippet, file, &mut registry.datasets, sink)?;
        Some((snippet.name.clone(), facets))
    });
    read.collect()
}

fn build_metrics(
    entries: &[Entry<RawMetric>],
    facets: &HashMap<String, Facets>,
    registry: &mut Registry,
    broken: &mut Broken,
    sink: &mut Sink,
) {
    let (names, refused) = metric_names(entries, sink);
    let context = Context {
        scope: Scope {
            datasets: &registry.datasets,
            broken,
            calendar: registry.calendar.table.as_ref(),
        },
        snippets: &registry.snippets,
        facets,
        calendar: &registry.calendar,
    };
    let mut failed = Vec::new();
    for entry in entries {
        let name = &entry.name.value;
        let Some(mut metric) = metric::metric(entry, context, sink) else {
            failed.push(name.clone());
            continue;
        };
        metric
            .aliases
            .retain(|alias| !refused.contains(&(name.clone(), alias.clone())));
        registry.metrics.insert(name.clone(), metric);
    }
    broken.metrics.extend(failed);
    composed::settle(entries, registry, &names, broken, sink);
    registry.metric_names = names;
    registry
        .metric_names
        .retain(|_, metric| registry.metrics.contains_key(metric));
    life::settle_successors(entries, registry, broken, sink);
}

/// Lower-case name or alias -> metric; and the aliases, as (metric, alias), that already mean another one.
fn metric_names(
    entries: &[Entry<RawMetric>],
    sink: &mut Sink,
) -> (HashMap<String, String>, Vec<(String, String)>) {
    let mut names: HashMap<String, (String, Place)> = HashMap::new();
    for Entry { name, .. } in entries {
        names.insert(name.value.to_lowercase(), (name.value.clone(), name.place));
    }
    let mut refused = Vec::new();
    for Entry { name, value, .. } in entries {
        let Some(raw) = value else { continue };
        for alias in raw.aliases.0.iter().chain(&raw.synonyms.0) {
            match names.get(&alias.value.to_lowercase()) {
                Some((other, place)) if *other != name.value => {
                    let meaning = meaning(&alias.value, other, "metric");
                    let message = format!("'{}' {meaning} ({})", alias.value, sink.at(*place));
                    sink.error("alias_clash", alias.place, &alias.value, message, None);
                    refused.push((name.value.clone(), alias.value.clone()));
                }
                Some(_) => {}
                None => drop(names.insert(
                    alias.value.to_lowercase(),
                    (name.value.clone(), alias.place),
                )),
            }
        }
    }
    (
        names
            .into_iter()
            .map(|(word, (metric, _))| (word, metric))
            .collect(),
        refused,
    )
}
