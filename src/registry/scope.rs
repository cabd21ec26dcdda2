//! Which names a dataset sees: its own dimensions and columns, and dimensions of the datasets it joins.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;

use super::dataset::check_column;
use super::diagnostic::{Sink, did_you_mean};
use super::expression::Name;
use super::yaml::Text;
use crate::model::alike::{fold, is_typo};
use crate::model::{CalendarTable, Dataset, Dimension, Place};

/// Definitions that exist but are left out, so that what needs them can say so instead of calling them unknown.
#[derive(Debug, Default)]
pub(crate) struct Broken {
    /// Datasets with an error.
    pub(crate) datasets: BTreeSet<String>,
    /// Dimensions and joins with an error, as (dataset, name).
    pub(crate) parts: BTreeSet<(String, String)>,
    /// Metrics with an error.
    pub(crate) metrics: BTreeSet<String>,
    /// Keys in files that are not YAML: word -> file.
    pub(crate) unreadable: HashMap<String, String>,
}

impl Broken {
    /// Notes every word that looks like a key in a file that cannot be parsed.
    pub(crate) fn note_keys(&mut self, path: &str, text: &str) {
        for line in text.lines() {
            if let Some((key, _)) = line.split_once(':') {
                let key = key.trim().trim_matches(['"', '\'']);
                if !key.is_empty() && !key.contains(char::is_whitespace) {
                    self.unreadable.insert(key.to_owned(), path.to_owned());
                }
            }
        }
    }

    /// Reports that `name` depends on something broken, or is unknown.
    pub(crate) fn refuse<'a>(
        &self,
        what: &str,
        code: &'static str,
        (name, place): (&str, Place),
        is_broken: bool,
        known: impl IntoIterator<Item = &'a str>,
        sink: &mut Sink,
    ) {
        if is_broken {
            let message = format!("depends on '{name}', which has an error");
            sink.error("dependency", place, name, message, None);
        } else if let Some(file) = self.unreadable.get(name) {
            let message = format!(
                "depends on '{name}', which {file} seems to define, but that file has an error"
            );
            sink.error("dependency", place, name, message, None);
        } else {
            sink.error(
                code,
                place,
                name,
                format!("unknown {what} '{name}'"),
                did_you_mean(name, known),
            );
        }
    }
}

/// The datasets of a project, and what is missing of them.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) datasets: &'a IndexMap<String, Dataset>,
    pub(crate) broken: &'a Broken,
    /// The table whose periods every time has.
    pub(crate) calendar: Option<&'a CalendarTable>,
}

impl<'a> Scope<'a> {
    /// The dataset a definition names.
    pub(crate) fn dataset(self, name: &Text, sink: &mut Sink) -> Option<&'a Dataset> {
        let found = self.datasets.get(&name.value);
        if found.is_none() {
            let is_broken = self.broken.datasets.contains(&name.value);
            let known = self
                .datasets
                .keys()
                .chain(&self.broken.datasets)
                .map(String::as_str);
            let at = (name.value.as_str(), name.place);
            self.broken
                .refuse("dataset", "unknown_dataset", at, is_broken, known, sink);
        }
        found
    }

    /// The dataset at the end of a path of joins.
    fn follow(self, dataset: &'a Dataset, path: &[&str]) -> Option<&'a Dataset> {
        path.iter().try_fold(dataset, |dataset, join| {
            self.datasets.get(&dataset.joins.get(*join)?.to)
        })
    }

    /// A dimension as queries write it: `market`, `buyer.segment`, or `segment` over any path of joins.
    pub(crate) fn reach(self, dataset: &'a Dataset, name: &str) -> Option<&'a Dimension> {
        if let Some((path, last)) = name.rsplit_once('.') {
            let path: Vec<_> = path.split('.').collect();
            return self.follow(dataset, &path)?.dimension(last);
        }
        self.reachable(dataset)
            .into_iter()
            .find_map(|dataset| dataset.dimension(name))
    }

    /// A dataset and every dataset its joins lead to.
    fn reachable(self, dataset: &'a Dataset) -> Vec<&'a Dataset> {
        let mut found = vec![dataset];
        let mut next = 0;
        while let Some(&dataset) = found.get(next) {
            next += 1;
            for target in dataset
                .joins
                .values()
                .filter_map(|join| self.datasets.get(&join.to))
            {
                if found.iter().all(|known| known.name != target.name) {
                    found.push(target);
                }
            }
        }
        found
    }

    /// Whether the dataset, or one whose joins lead to it, has a time.
    pub(crate) fn is_reached_with_time(self, dataset: &'a Dataset) -> bool {
        let leads_here = |from: &&'a Dataset| {
            let reachable = self.reachable(from);
            reachable.iter().any(|reached| reached.name == dataset.name)
        };
        self.datasets
            .values()
            .filter(|from| from.time.is_some())
            .any(|from| leads_here(&from))
    }

    /// Whether a reachable dataset declares the name in a part that is broken.
    pub(crate) fn is_broken(self, dataset: &'a Dataset, name: &str) -> bool {
        let first = name.split('.').next().unwrap_or(name);
        self.reachable(dataset).into_iter().any(|dataset| {
            let has = |part: &str| {
                self.broken
                    .parts
                    .contains(&(dataset.name.clone(), part.to_owned()))
            };
            has(first) || name.rsplit('.').next().is_some_and(has)
        })
    }

    /// Names of all dimensions that queries on a dataset may use.
    pub(crate) fn dimensions(self, dataset: &'a Dataset) -> Vec<&'a str> {
        let datasets = self.reachable(dataset).into_iter();
        datasets
            .flat_map(|dataset| dataset.dimensions.keys().map(String::as_str))
            .collect()
    }

    /// Checks a name that means a dimension or a column of `dataset`. Which columns a table has is not known here: a name
    /// that is no likely typo of a known one may be one of them.
    pub(crate) fn check_column_or_dimension(self, dataset: &Dataset, name: &Text, sink: &mut Sink) {
        let own = dataset.dimensions.values();
        let columns = own
            .clone()
            .filter_map(|dimension| dimension.column.as_ref());
        let joined = dataset.joins.values().flat_map(|join| &join.on);
        let columns = columns
            .chain(&dataset.key)
            .chain(joined.map(|(here, _)| here));
        if self.reach(dataset, &name.value).is_some()
            || columns.clone().any(|column| *column == name.value)
        {
            return;
        }
        let is_broken = self.is_broken(dataset, &name.value);
        let names = own.map(|dimension| &dimension.name);
        let written = fold(&name.value);
        let meant = names
            .chain(columns)
            .find(|known| is_typo(&written, &fold(known)));
        if is_broken || meant.is_some() || name.value.contains('.') {
            let what = format!("dimension or column of {}:", dataset.name);
            let known: Vec<&str> = match meant {
                Some(meant) => vec![meant.as_str()],
                None => self.dimensions(dataset),
            };
            let at = (name.value.as_str(), name.place);
            self.broken
                .refuse(&what, "unknown_dimension", at, is_broken, known, sink);
            return;
        }
        check_column(name, sink);
    }

    /// Whether a name is that of a period of a time: `paid_at.fiscal_quarter`, `metric_time.fiscal_quarter`.
    fn is_period(self, dataset: &'a Dataset, name: &str) -> bool {
        let named = self.calendar.and_then(|table| table.named(name));
        let of = named.and_then(|(_, of)| of);
        of.is_some_and(|of| {
            let time = self.reach(dataset, of);
            of == "metric_time" || time.is_some_and(|time| time.kind.is_time())
        })
    }

    /// Checks the names in an expression over a dataset: a bare one is a dimension or any column, a dotted one a path
    /// of joins to a dimension.
    pub(crate) fn check(self, dataset: &'a Dataset, text: &Text, names: &[Name], sink: &mut Sink) {
        for name in names {
            let place = sink.inside(text, name.offset);
            let written = name.path.join(".");
            let Some((last, path)) = name.path.split_last() else {
                continue;
            };
            if self.is_period(dataset, &written) {
                continue;
            }
            if path.is_empty() {
                if self
                    .broken
                    .parts
                    .contains(&(dataset.name.clone(), written.clone()))
                {
                    let message = format!("depends on '{written}', which has an error");
                    sink.error("dependency", place, &written, message, None);
                }
                continue;
            }
            let mut here = Some(dataset);
            for join in path {
                let Some(dataset) = here else { break };
                here = dataset
                    .joins
                    .get(join)
                    .and_then(|join| self.datasets.get(&join.to));
                if here.is_none() {
                    let is_broken = self
                        .broken
                        .parts
                        .contains(&(dataset.name.clone(), join.clone()));
                    let known = dataset.joins.keys().map(String::as_str);
                    let what = format!("join of {}:", dataset.name);
                    self.broken.refuse(
                        &what,
                        "unknown_dimension",
                        (join, place),
                        is_broken,
                        known,
                        sink,
                    );
                }
            }
            if let Some(target) = here
                && target.dimension(last).is_none()
            {
                let is_broken = self
                    .broken
                    .parts
                    .contains(&(target.name.clone(), last.clone()));
                let known = target.dimensions.keys().map(String::as_str);
                let what = format!("dimension of {}:", target.name);
                self.broken.refuse(
                    &what,
                    "unknown_dimension",
                    (last, place),
                    is_broken,
                    known,
                    sink,
                );
            }
        }
    }
}
