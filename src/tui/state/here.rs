//! What is selected: the part, the metric, and the definitions behind it.

use super::{Focus, State};
use crate::model::{MetricKind, Place, Snippet};
use crate::tui::parts::{self, Part};
use crate::tui::popup::{Page, Popup, Reader};

impl State {
    /// The selected part of the query.
    pub fn part(&self) -> Option<Part> {
        parts::parts(self).into_iter().nth(self.part)
    }

    /// The hand-written SQL that the preview shows, if that is what it shows.
    pub fn snippet(&self) -> Option<&Snippet> {
        let registry = &self.catalog.registry;
        let asked = self
            .preview
            .asked
            .metrics
            .iter()
            .filter(|_| self.preview.is_snippet());
        let mut kinds = asked
            .filter_map(|name| registry.metric(name))
            .map(|metric| &metric.kind);
        kinds.find_map(|kind| match kind {
            MetricKind::Complex { snippet, .. } => registry.snippets.get(snippet),
            _ => None,
        })
    }

    /// File and line that the editor opens: the first problem while problems are shown, else what is selected.
    pub fn editable(&self) -> Option<(String, u32)> {
        match self.popups.last() {
            Some(Popup::Reader(Reader {
                page: Page::Problems,
                ..
            })) => {
                let problem = self.problems.iter().find(|problem| problem.line > 0)?;
                return Some((problem.file.clone(), problem.line));
            }
            // What is read there stands in no file.
            Some(Popup::Reader(Reader {
                page: Page::Policy(_),
                ..
            })) => return None,
            _ => {}
        }
        let place = self.places_here().first().copied()?;
        Some((self.catalog.registry.file(place).to_owned(), place.line))
    }

    /// The metric that is selected, or the first one of the query.
    pub fn metric_here(&self) -> Option<&str> {
        let of_query = self.query.metrics.first();
        let shown = self.details.metric.as_ref();
        match self.focus {
            Focus::Catalog | Focus::Details => shown.or(of_query),
            _ => of_query.or(shown),
        }
        .map(String::as_str)
    }

    /// The definitions behind what is selected.
    pub fn places_here(&self) -> Vec<Place> {
        let metric = |name: &str| {
            self.catalog
                .registry
                .metric(name)
                .map(|metric| metric.place)
        };
        match self.focus {
            Focus::Catalog | Focus::Details => self
                .details
                .metric
                .as_deref()
                .and_then(metric)
                .into_iter()
                .collect(),
            Focus::Query | Focus::Result => self
                .query
                .metrics
                .iter()
                .filter_map(|name| metric(name))
                .collect(),
            Focus::Preview if self.preview.is_snippet() => self
                .snippet()
                .map(|snippet| snippet.place)
                .into_iter()
                .collect(),
            Focus::Preview => {
                let compiled = self.preview.current();
                compiled
                    .and_then(|compiled| {
                        compiled
                            .main
                            .lines
                            .get(self.preview.sql.selected_line())
                            .cloned()
                    })
                    .unwrap_or_default()
            }
        }
    }
}
