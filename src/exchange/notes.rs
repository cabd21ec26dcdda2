//! What could not be carried over as it stood: one line each, with the place it comes from.

use std::fmt;

use super::source::{Look, file_id};
use crate::model::{Calendar, FileId, Metric, Place, Registry};
use crate::registry::yaml::Node;

/// One thing that reads differently after an exchange, or is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// `file:line`, or the name of the definition.
    pub at: String,
    /// What is not carried over, and what was done about it.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.text)
    }
}

/// The notes of one exchange, and the files they speak of.
#[derive(Debug, Default)]
pub(super) struct Notes {
    files: Vec<String>,
    notes: Vec<Note>,
}

impl Notes {
    /// Notes of an export: places are those of the registry's files.
    pub(super) fn of(registry: &Registry) -> Self {
        Self {
            files: registry.files.clone(),
            notes: Vec::new(),
        }
    }

    /// A file that is read from now on.
    pub(super) fn file(&mut self, path: &str) -> FileId {
        self.files.push(path.to_owned());
        file_id(self.files.len() - 1)
    }

    /// `file:line`
    pub(super) fn at(&self, place: Place) -> String {
        format!("{}:{}", self.path(place), place.line)
    }

    /// The file that a place is in.
    pub(super) fn path(&self, place: Place) -> &str {
        let file = self.files.get(place.file.0 as usize);
        file.map_or("", String::as_str)
    }

    /// Notes something about a place, once.
    pub(super) fn add(&mut self, place: Place, text: impl Into<String>) {
        let at = self.at(place);
        self.about(at, text);
    }

    /// Notes something about a definition that has no place in a file, once.
    pub(super) fn about(&mut self, at: String, text: impl Into<String>) {
        let note = Note {
            at,
            text: text.into(),
        };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Notes keys of a definition that nothing was made of.
    pub(super) fn unread(&mut self, node: &Node, known: &[&str], name: &str) {
        for (key, place) in node.keys() {
            if !known.contains(&key) {
                self.add(place, format!("{name}: {key} is not carried over"));
            }
        }
    }

    /// Notes what a registry says beside its datasets and metrics, of which other tools know nothing.
    pub(super) fn beside(&mut self, registry: &Registry) {
        self.unknown(registry);
        for rollup in registry.rollups.values() {
            let text = format!("the rollup {} is left out", rollup.name);
            self.about(registry.at(rollup.place), text);
        }
        for view in registry.views.values() {
            let text = format!("the saved query {} is left out", view.name);
            self.about(registry.at(view.place), text);
        }
        for rule in registry.hypotheses.values() {
            let text = format!("the hypothesis {} is left out", rule.name);
            self.about(registry.at(rule.place), text);
        }
        for alert in registry.alerts.values() {
            let text = format!("the alert {} is left out", alert.name);
            self.about(registry.at(alert.place), text);
        }
    }

    /// Of these, what no format at all has a place for.
    pub(super) fn unknown(&mut self, registry: &Registry) {
        for analysis in registry.analyses.values() {
            let of = |metric: &&Metric| {
                let made = registry.analysis_of(metric);
                made.is_some_and(|made| made.name == analysis.name)
            };
            let metrics = registry.metrics.values().filter(of);
            let metrics: Vec<&str> = metrics.map(|metric| metric.name.as_str()).collect();
            let text = format!(
                "the analysis {} is a query here, written for PostgreSQL, and so is what is over it: {}",
                analysis.name,
                metrics.join(", ")
            );
            self.about(registry.at(analysis.place), text);
        }
        for dataset in registry.canonical.values() {
            let text = format!("what is canonical about {} is left out", dataset.name);
            self.about(registry.at(dataset.place), text);
        }
    }

    /// Notes what of the project's calendar other tools have in their own settings.
    pub(super) fn calendar(&mut self, calendar: &Calendar) {
        let default = Calendar::default();
        for (is_lost, what) in [
            (
                calendar.week_start != default.week_start,
                "the day that a week starts on",
            ),
            (
                calendar.fiscal_year_start != default.fiscal_year_start,
                "the start of the fiscal year",
            ),
            (calendar.timezone != default.timezone, "the time zone"),
            (
                calendar.table.is_some() || !calendar.spines.is_empty(),
                "the periods of the calendar's tables",
            ),
        ] {
            if is_lost {
                let text = format!("{what} is a setting of the other tool, and not written");
                self.about("metrex.yaml".to_owned(), text);
            }
        }
    }

    /// All of them, in the order in which they were made.
    pub(super) fn into_list(self) -> Vec<Note> {
        self.notes
    }
}
