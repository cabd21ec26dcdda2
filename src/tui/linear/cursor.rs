//! What the panes hold, in words, and what is under the cursor in them.

use super::rows::{heading, page};
use super::say::{Listed, PAGE, Said, Wants, counted, more};
use super::windows::words;
use crate::session::cell::sanitize;
use crate::tui::parts::parts;
use crate::tui::state::{CatalogRow, Focus, State};
use crate::tui::view::details_lines;

/// Columns that lines of the screen are laid out for where they are read.
pub(super) const COLUMNS: usize = 10_000;

impl Said {
    /// What is wanted of a pane.
    pub(super) fn panes(&mut self, state: &State, wants: Wants, lines: &mut Vec<String>) {
        match wants {
            Wants::Metrics => self.metrics(state, lines),
            Wants::More if self.listed == Listed::Metrics => self.metrics(state, lines),
            Wants::Card => lines.extend(card_lines(state)),
            Wants::Here => lines.extend(here(state)),
            Wants::Pane(Focus::Catalog) => {
                self.from = 0;
                self.metrics(state, lines);
            }
            Wants::Pane(Focus::Result) => match &state.result.grid {
                Some(grid) => {
                    (self.from, self.listed) = (0, Listed::Rows);
                    lines.push(heading(state, grid));
                    page(grid, &mut self.from, lines);
                }
                None => lines.push("Result: there is none yet.".to_owned()),
            },
            Wants::Pane(Focus::Details) => {
                let details = details_lines(state, COLUMNS);
                let details = details.iter().map(|line| plain(&words(line))).collect();
                self.pane("Details", details, lines);
            }
            Wants::Pane(Focus::Query) => {
                let all = parts(state)
                    .into_iter()
                    .filter(|part| !part.text.is_empty());
                let parts = all.map(|part| format!("  {} {}", part.kind.word(), part.text));
                self.pane("Parts of the query", parts.collect(), lines);
            }
            Wants::Pane(Focus::Preview) => {
                let refusal = state.preview.refusal(&state.query);
                lines.extend(refusal.map(|error| format!("No SQL: {}", sanitize(&error.message))));
                let sql = state.preview.sql.sql().lines();
                let sql = sql.map(|line| format!("  {}", sanitize(line)));
                self.pane("SQL", sql.collect(), lines);
            }
            Wants::Nothing | Wants::More | Wants::Row => {}
        }
    }

    fn pane(&mut self, title: &str, mut text: Vec<String>, lines: &mut Vec<String>) {
        text.retain(|line| !line.is_empty());
        lines.push(match text.is_empty() {
            true => format!("{title}: nothing yet."),
            false => format!("{title}:"),
        });
        self.read_out(text, lines);
    }

    fn metrics(&mut self, state: &State, lines: &mut Vec<String>) {
        self.listed = Listed::Metrics;
        let hits = &state.finder.hits;
        if self.from == 0 {
            lines.push(format!("{}.", counted(hits.len(), "metric")));
        }
        for (index, hit) in hits.iter().enumerate().skip(self.from).take(PAGE) {
            let metric = state.catalog.registry.metrics.get(&hit.metric);
            let label = metric.map_or("", |metric| &metric.label);
            lines.push(format!(
                "  {}. {}, {}",
                index + 1,
                hit.metric,
                sanitize(label)
            ));
        }
        self.from += PAGE;
        if hits.len() > self.from {
            lines.push(more(hits.len() - self.from));
        }
    }
}

/// A line without the blanks that bring it in line with others.
pub(super) fn plain(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let indent = line.len() - line.trim_start().len();
    match words.is_empty() {
        true => String::new(),
        false => format!("  {}{}", " ".repeat(indent), words.join(" ")),
    }
}

/// What is under the cursor; a cell of the result is said by the result.
fn here(state: &State) -> Option<String> {
    match state.focus {
        Focus::Catalog => match state.finder.rows.get(state.finder.selected)? {
            CatalogRow::Category(name, count) => {
                Some(format!("{}: {}", sanitize(name), counted(*count, "metric")))
            }
            CatalogRow::Metric(hit) => Some(state.finder.hits.get(*hit)?.metric.clone()),
        },
        Focus::Query => {
            let part = state.part()?;
            let text = match part.text.is_empty() {
                true => "nothing",
                false => part.text.as_str(),
            };
            Some(format!("{}: {text}", part.kind.word()))
        }
        Focus::Preview => {
            let sql = &state.preview.sql;
            let line = sql.sql().lines().nth(sql.selected_line())?;
            let registry = &state.catalog.registry;
            let place = state.places_here().first().map(|place| registry.at(*place));
            let place = place.map_or(String::new(), |place| format!(", from {place}"));
            let number = sql.selected_line() + 1;
            Some(format!("Line {number}: {}{place}", sanitize(line.trim())))
        }
        Focus::Details | Focus::Result => None,
    }
}

/// What a metric is.
fn card_lines(state: &State) -> Vec<String> {
    let Some(Ok(card)) = &state.details.card else {
        return Vec::new();
    };
    let means = card.formula.as_str();
    let mut lines = vec![
        card.label.clone(),
        card.description.clone(),
        means.to_owned(),
    ];
    lines.extend(card.business_rules.iter().cloned());
    let lines = lines.iter().filter(|line| !line.is_empty());
    lines.map(|line| format!("  {}", sanitize(line))).collect()
}
