//! What a line means: a number of a list, a key, a search, a query line or a question.

use super::Conversation;
use super::say::{Listed, numbered};
use crate::tui::action;
use crate::tui::keymap::Found;
use crate::tui::keys::Chord;
use crate::tui::popup::{PickerKind, Popup};
use crate::tui::run::TuiError;
use crate::tui::state::CatalogRow;

/// What leaves a list.
const BACK: [&str; 2] = [".", "back"];

impl Conversation {
    /// Does what a line says.
    pub(super) async fn hear(&mut self, line: &str) -> Result<(), TuiError> {
        match self.state.popups.last() {
            Some(Popup::Picker(picker)) => {
                let marks = matches!(picker.kind, PickerKind::Values { .. });
                self.in_list(line, marks).await
            }
            Some(Popup::Question(_)) => match line {
                "y" | "yes" => self.key("y").await,
                _ => self.key("Esc").await,
            },
            Some(Popup::File(_) | Popup::Naming(_)) if BACK.contains(&line) => {
                self.key("Esc").await
            }
            Some(Popup::File(_) | Popup::Naming(_)) => {
                if !line.is_empty() {
                    self.type_text(line).await?;
                }
                self.key("Enter").await
            }
            _ => self.at_large(line).await,
        }
    }

    /// A line while a list is open.
    async fn in_list(&mut self, line: &str, marks: bool) -> Result<(), TuiError> {
        let (excluded, number) = match line.strip_prefix('-') {
            Some(rest) if marks => (true, rest.trim().parse::<usize>().ok()),
            _ => (false, line.parse::<usize>().ok()),
        };
        match (line, number) {
            ("", _) => {
                self.said.more();
                Ok(())
            }
            ("0", _) if self.is_typed() => self.key("Enter").await,
            ("ok", _) if marks => self.key("Enter").await,
            (_, Some(number)) => {
                let Some(Popup::Picker(picker)) = self.state.popups.last_mut() else {
                    return Ok(());
                };
                let key = numbered(picker)
                    .nth(number.wrapping_sub(1))
                    .map(|item| item.key.clone());
                let Some(key) = key else {
                    return Ok(self.print(&format!("There is no number {number} here."))?);
                };
                picker.list.select(&key);
                match (marks, excluded) {
                    (true, true) => self.key("-").await,
                    (true, false) => self.key("+").await,
                    (false, _) => self.key("Enter").await,
                }
            }
            (line, None) if BACK.contains(&line) => self.key("Esc").await,
            (words, None) => {
                self.said.start_anew();
                self.type_text(words).await
            }
        }
    }

    /// Whether what was typed into the list stands for something by itself.
    fn is_typed(&self) -> bool {
        let top = self.state.popups.last();
        matches!(top, Some(Popup::Picker(picker)) if picker.typed.is_some())
    }

    /// A line while nothing is open.
    async fn at_large(&mut self, line: &str) -> Result<(), TuiError> {
        if line.is_empty() {
            self.said.more();
            return Ok(());
        }
        if let Ok(number) = line.parse::<usize>() {
            return self.pick(number).await;
        }
        if ["?", "help"].contains(&line) {
            return self.key("Ctrl+P").await;
        }
        if let Some(words) = line.strip_prefix('/') {
            self.key("F3").await?;
            self.type_text(words.trim()).await?;
            self.said.list_metrics();
            // Out of the search box, with what was found.
            return self.key("Shift+Tab").await;
        }
        let keys: Option<Vec<Chord>> = line
            .split_whitespace()
            .map(|key| key.parse().ok())
            .collect();
        if let Some([first, ..]) = keys.as_deref()
            && self.means(*first)
        {
            for key in line.split_whitespace() {
                self.key(key).await?;
            }
            return Ok(());
        }
        if self.state.first_key.is_some() {
            self.key("Esc").await?;
        }
        self.key("F2").await?;
        self.type_text(line).await?;
        self.key("Enter").await
    }

    /// Whether a key means something here, by itself or with another one after it.
    fn means(&self, key: Chord) -> bool {
        let keymap = self.state.keymap();
        let found = keymap.find(action::contexts(&self.state), self.state.first_key, key);
        !matches!(found, Found::Nothing)
    }

    /// Takes the metric or the row with a number.
    async fn pick(&mut self, number: usize) -> Result<(), TuiError> {
        let index = number.wrapping_sub(1);
        match self.said.listed() {
            Listed::Metrics if index < self.state.finder.hits.len() => {
                let is_it = |row: &CatalogRow| *row == CatalogRow::Metric(index);
                let row = self.state.finder.rows.iter().position(is_it);
                self.state.finder.selected = row.unwrap_or(0);
                self.said.card();
                self.key("1").await?;
                self.key("Enter").await
            }
            Listed::Rows => {
                let rows = self.state.result.grid.as_ref();
                if rows.is_none_or(|grid| index >= grid.table().rows()) {
                    return Ok(self.print(&format!("There is no row {number}."))?);
                }
                if let Some(grid) = &mut self.state.result.grid {
                    grid.select(index, 0);
                }
                self.said.whole_row();
                self.key("5").await
            }
            _ => Ok(self.print(&format!("There is no number {number} here."))?),
        }
    }
}
