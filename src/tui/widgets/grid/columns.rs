//! Which columns of a grid are shown, and in which order: hidden, brought back, moved, fitted.

use serde::{Deserialize, Serialize};

use super::{Grid, Look, NARROWEST, PivotJob};
use crate::session::cell::sanitize;

/// The columns that are shown, from left to right, by their place in the table. There is always one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    shown: Vec<usize>,
    all: usize,
}

impl Columns {
    pub(super) fn new(all: usize) -> Self {
        Self {
            shown: (0..all).collect(),
            all,
        }
    }

    pub(super) fn shown(&self) -> &[usize] {
        &self.shown
    }

    pub(super) fn hidden(&self) -> usize {
        self.all - self.shown.len()
    }

    pub(super) fn last(&self) -> usize {
        self.shown.len().saturating_sub(1)
    }

    /// The column at a place on the screen.
    pub(super) fn at(&self, place: usize) -> usize {
        self.shown.get(place).copied().unwrap_or(0)
    }

    /// Where a column is on the screen; of a hidden one, where the next one is.
    pub(super) fn place(&self, column: usize) -> usize {
        let found = self.shown.iter().position(|shown| *shown == column);
        found.unwrap_or_else(|| {
            let next = self.shown.iter().position(|shown| *shown > column);
            next.unwrap_or(self.last())
        })
    }

    /// Puts a new column at a place.
    pub(super) fn insert(&mut self, place: usize) {
        self.shown.insert(place.min(self.shown.len()), self.all);
        self.all += 1;
    }

    /// Keeps only the first columns of the table.
    pub(super) fn truncate(&mut self, all: usize) {
        self.all = all;
        self.shown.retain(|column| *column < all);
        if self.shown.is_empty() {
            self.shown = (0..all).collect();
        }
    }

    fn hide(&mut self, place: usize) {
        if self.shown.len() > 1 && place < self.shown.len() {
            self.shown.remove(place);
        }
    }

    /// Each hidden column goes back behind the one that the query has before it.
    fn show_all(&mut self) {
        for column in 0..self.all {
            if !self.shown.contains(&column) {
                let before = column.checked_sub(1);
                let place = before.map_or(0, |before| self.place(before) + 1);
                self.shown.insert(place, column);
            }
        }
    }

    /// Takes the order, and what is hidden, from names of columns of another result.
    fn arrange(&mut self, names: &[String], shown: &[String]) {
        let column = |name: &String| names.iter().position(|known| known == name);
        let shown: Vec<usize> = shown.iter().filter_map(column).collect();
        if !shown.is_empty() {
            self.shown = shown;
        }
    }
}

/// How the reader arranged the columns, by their names, so that the next run of the query looks the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Arrangement {
    names: Vec<String>,
    shown: Vec<String>,
    widths: Vec<Option<u16>>,
    looks: Vec<Look>,
    frozen: usize,
    /// The column whose values became columns.
    pivoted: Option<String>,
}

impl Arrangement {
    /// The look of a result with these columns: pivoted by a group with a heat map of its numbers, else with bars beside the
    /// first of them.
    pub fn of_analysis(groups: Vec<String>, numbers: Vec<String>, across: Option<String>) -> Self {
        let is_map = across.is_some();
        let look = |number: usize| Look {
            heat: is_map,
            bars: !is_map && number == 0,
            short: false,
        };
        let mut looks = vec![Look::default(); groups.len()];
        looks.extend((0..numbers.len()).map(look));
        let names = [groups, numbers].concat();
        Self {
            shown: names.clone(),
            widths: vec![None; names.len()],
            looks,
            frozen: 0,
            pivoted: across,
            names,
        }
    }

    /// Pivoted as before, where a run has not got so far that it could be.
    pub fn or_pivoted(mut self, before: Self) -> Self {
        if self.pivoted.is_none() && self.names == before.names {
            self.pivoted = before.pivoted;
        }
        self
    }
}

impl Grid {
    /// How the columns are arranged.
    pub fn arrangement(&self) -> Arrangement {
        if let Some(flat) = &self.flat {
            let pivoted = self.table.sources().map_or(0, |of| of.pivoted);
            let pivoted = flat.table.columns().get(pivoted);
            return Arrangement {
                pivoted: pivoted.map(|column| column.name.clone()),
                ..flat.arrangement()
            };
        }
        let names: Vec<String> = self.names();
        let shown = self.columns.shown().iter();
        Arrangement {
            shown: shown.filter_map(|&at| names.get(at).cloned()).collect(),
            widths: self.widths.chosen(),
            looks: self.looks.clone(),
            frozen: self.frozen,
            pivoted: None,
            names,
        }
    }

    /// The work of pivoting by the column that was pivoted before, if the columns are the same ones.
    pub fn pivot_again(&self, like: &Arrangement) -> Option<PivotJob> {
        let column = like.pivoted.as_ref()?;
        let names = self.names();
        let at = names.iter().position(|name| name == column);
        self.pivot_by(at.filter(|_| names == like.names)?).ok()
    }

    /// Arranges the columns as before, if they are the same ones.
    pub fn arrange(&mut self, like: &Arrangement) {
        let names = self.names();
        if names != like.names || names.len() != like.looks.len() {
            return;
        }
        self.columns.arrange(&names, &like.shown);
        self.widths.choose(&like.widths);
        self.looks.clone_from(&like.looks);
        self.frozen = like.frozen;
        self.selected.column = self.columns.at(0);
    }

    fn names(&self) -> Vec<String> {
        let columns = self.table.columns().iter();
        columns.map(|column| column.name.clone()).collect()
    }

    /// How many columns are hidden.
    pub fn hidden(&self) -> usize {
        self.columns.hidden()
    }

    /// The columns that are shown, from left to right.
    pub fn shown_columns(&self) -> &[usize] {
        self.columns.shown()
    }

    /// Hides the selected column, unless it is the last one; returns its label.
    pub fn hide_column(&mut self) -> Option<String> {
        if self.columns.last() == 0 {
            return None;
        }
        let label = sanitize(&self.selected_column()?.label).into_owned();
        let place = self.columns.place(self.selected.column);
        self.columns.hide(place);
        if place < self.frozen {
            self.frozen -= 1;
        }
        let next = self.columns.at(place.min(self.columns.last()));
        self.select(self.selected.row, next);
        Some(label)
    }

    /// Shows all columns again.
    pub fn show_columns(&mut self) {
        let hidden_left = (0..self.frozen).map(|place| self.columns.at(place)).max();
        self.columns.show_all();
        if let Some(last) = hidden_left {
            self.frozen = self.columns.place(last) + 1;
        }
        self.settle();
    }

    /// Moves the selected column to the left (right); whether it could move.
    pub fn move_column(&mut self, right: bool) -> bool {
        let place = self.columns.place(self.selected.column);
        let other = if right {
            Some(place + 1).filter(|next| *next <= self.columns.last())
        } else {
            place.checked_sub(1)
        };
        let Some(other) = other else { return false };
        self.columns.shown.swap(place, other);
        self.settle();
        true
    }

    /// Makes the selected column as wide as its widest cell on the screen, or as it was.
    pub fn fit_column(&mut self) {
        self.fit(&[self.selected.column]);
    }

    /// Makes all columns as wide as their widest cells on the screen, or as they were.
    pub fn fit_columns(&mut self) {
        let all = self.columns.shown().to_vec();
        self.fit(&all);
    }

    fn fit(&mut self, columns: &[usize]) {
        let layout = self.layout(self.size);
        let rows = layout.top..(layout.top + layout.height).min(self.table.rows());
        let mut text = String::new();
        let wanted: Vec<(usize, u16)> = columns
            .iter()
            .map(|&column| {
                let mut widest = self.widths.header(column);
                for row in rows.clone() {
                    self.read(row, column, &mut text);
                    widest = widest.max(self.aligned_width(column, &text));
                }
                let total = self.totals.as_ref().and_then(|totals| totals.get(column));
                if let Some(total) = total {
                    let text = self.total_text(column, total);
                    widest = widest.max(self.aligned_width(column, &text));
                }
                (
                    column,
                    u16::try_from(widest).unwrap_or(u16::MAX).max(NARROWEST),
                )
            })
            .collect();
        let fits = |&(column, width): &(usize, u16)| self.widths.by_hand(column) == Some(width);
        if wanted.iter().all(fits) {
            for (column, _) in wanted {
                self.widths.set(column, None);
            }
        } else {
            for (column, width) in wanted {
                self.widths.set(column, Some(width));
            }
        }
        self.settle();
    }
}
