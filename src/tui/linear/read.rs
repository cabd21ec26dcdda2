//! What a line means: a number of a list, a key, a search, a query line or a question.

use super::Conversation;
use super::meaning::{choice_only_on_screen, only_on_screen};
use super::say::{Listed, Wants};
use super::windows::numbered;
use crate::tui::action::{self, Action};
use crate::tui::keymap::Found;
use crate::tui::keys::Chord;
use crate::tui::popup::{Choice, PickerKind, Popup};
use crate::tui::run::TuiError;
use crate::tui::state::{CatalogRow, Focus};

/// What leaves a list.
pub(super) const BACK: [&str; 3] = [".", "back", "Esc"];

/// Whether a text is the name of a key, which nobody types for its letters.
pub(super) fn is_named_key(text: &str) -> bool {
    text.chars().count() > 1 && text.parse().is_ok_and(|key: Chord| key.to_string() == text)
}

impl Conversation {
    /// Does what a line says.
    pub(super) async fn hear(&mut self, whole: &str) -> Result<(), TuiError> {
        let line = whole.trim();
        let is_back = BACK.contains(&line);
        match self.state.popups.last() {
            Some(Popup::Picker(picker)) => {
                let marks = matches!(picker.kind, PickerKind::Values { .. });
                self.in_list(line, marks).await
            }
            Some(Popup::Question(_)) => match line {
                "y" | "yes" => self.key("y").await,
                _ => self.key("Esc").await,
            },
            Some(Popup::Author(_)) => self.hear_author(whole).await,
            Some(_) if is_back => self.key("Esc").await,
            Some(Popup::File(_) | Popup::Naming(_)) if is_named_key(line) => {
                self.press_one(line).await
            }
            Some(Popup::Naming(naming)) => match naming.in_description {
                false => self.fill_in(line, "Tab").await,
                true => self.save_name(line).await,
            },
            Some(Popup::File(_) | Popup::Dates(_)) => self.fill_in(line, "Enter").await,
            Some(Popup::Review(open)) if open.wording.is_some() => {
                self.fill_in(line, "Enter").await
            }
            Some(Popup::Review(_) | Popup::Why(_) | Popup::Spread(_)) => self.press_one(line).await,
            Some(Popup::Behind(_)) if line.is_empty() => {
                self.said.want(Wants::More);
                Ok(())
            }
            Some(Popup::Behind(_))
                if is_named_key(line) || line == self.state.key_here(Action::CopyBehind) =>
            {
                self.press_one(line).await
            }
            Some(Popup::Behind(_)) => {
                self.key("Esc").await?;
                self.at_large(line).await
            }
            _ if self.is_typing_into_result() => match is_back {
                true => self.key("Esc").await,
                false => self.fill_in_result(line).await,
            },
            _ => self.at_large(line).await,
        }
    }

    /// Types into a field, where anything is to be typed, and presses the key that leaves it.
    async fn fill_in(&mut self, text: &str, key: &str) -> Result<(), TuiError> {
        if !text.is_empty() {
            self.type_text(text).await?;
        }
        self.key(key).await
    }

    /// Saves a query with its description; where that is refused, the name is asked for again.
    async fn save_name(&mut self, description: &str) -> Result<(), TuiError> {
        self.fill_in(description, "Enter").await?;
        match self.state.popups.last() {
            Some(Popup::Naming(naming)) if naming.in_description => self.key("Tab").await,
            _ => Ok(()),
        }
    }

    /// Whether the search in the rows, or their filter, waits for words.
    fn is_typing_into_result(&self) -> bool {
        let state = &self.state;
        let is_open = state.result.finding || state.result.filtering;
        is_open && state.focus == Focus::Result && state.popups.is_empty()
    }

    /// Words to search in the rows, or to filter them by.
    async fn fill_in_result(&mut self, words: &str) -> Result<(), TuiError> {
        let finds = self.state.result.finding;
        self.key("Ctrl+U").await?;
        if !words.is_empty() {
            self.type_text(words).await?;
        }
        if finds && !words.is_empty() {
            self.key("Enter").await?;
            if self.state.notice.is_none() {
                self.said.want(Wants::Row);
            }
        }
        // Out of the box, with what it has found or keeps.
        self.perform(Action::Pane(Focus::Result)).await
    }

    /// A line while a list is open.
    async fn in_list(&mut self, line: &str, marks: bool) -> Result<(), TuiError> {
        let (excluded, number) = match line.strip_prefix('-') {
            Some(rest) if marks => (true, rest.trim().parse::<usize>().ok()),
            _ => (false, line.parse::<usize>().ok()),
        };
        // A number and a key: that key on that entry.
        if let Some((number, key)) = line.split_once(' ')
            && let Ok(number) = number.parse::<usize>()
            && is_named_key(key)
        {
            return match self.select(number)? {
                true => self.press_one(key).await,
                false => Ok(()),
            };
        }
        match (line, number) {
            ("", _) => {
                self.said.want(Wants::More);
                Ok(())
            }
            ("0", _) if self.is_typed() => self.key("Enter").await,
            ("ok", _) if marks => self.key("Enter").await,
            (_, Some(number)) => match (self.select(number)?, marks, excluded) {
                (false, ..) => Ok(()),
                (true, true, true) => self.key("-").await,
                (true, true, false) => self.key("+").await,
                (true, false, _) => self.choose().await,
            },
            (line, None) if BACK.contains(&line) => self.key("Esc").await,
            (key, None) if is_named_key(key) && super::author::means_here(&self.state, key) => {
                self.press_one(key).await
            }
            (words, None) => {
                self.said.start_anew();
                self.type_text(words).await
            }
        }
    }

    /// Selects the entry with a number; whether there is one.
    fn select(&mut self, number: usize) -> Result<bool, TuiError> {
        let Some(Popup::Picker(picker)) = self.state.popups.last_mut() else {
            return Ok(false);
        };
        let item = numbered(picker).nth(number.wrapping_sub(1));
        let Some(key) = item.map(|item| item.key.clone()) else {
            self.print(&format!("There is no number {number} here."))?;
            return Ok(false);
        };
        picker.list.select(&key);
        Ok(true)
    }

    /// Takes the selected entry of a list.
    async fn choose(&mut self) -> Result<(), TuiError> {
        let choice = match self.state.popups.last() {
            Some(Popup::Picker(picker)) => picker.choice().cloned(),
            _ => None,
        };
        if let Some(reason) = choice.as_ref().and_then(choice_only_on_screen) {
            self.print(&format!("Not here: {reason}."))?;
            return self.key("Esc").await;
        }
        self.key("Enter").await?;
        if let Some(Choice::Action(action)) = choice
            && self.state.popups.is_empty()
        {
            self.follow(action);
        }
        Ok(())
    }

    /// What an action leads to that is to be said though it may not be new.
    fn follow(&mut self, action: Action) {
        match action {
            Action::Pane(_) | Action::NextPane | Action::PreviousPane => {
                self.said.want(Wants::Pane(self.state.focus));
            }
            Action::Up
            | Action::Down
            | Action::Left
            | Action::Right
            | Action::PageUp
            | Action::PageDown
            | Action::First
            | Action::Last => self.said.want(Wants::Here),
            _ => {}
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
            self.said.want(Wants::More);
            return Ok(());
        }
        if let Ok(number) = line.parse::<usize>() {
            return self.pick(number).await;
        }
        if ["?", "help"].contains(&line) {
            return self.perform(Action::Palette).await;
        }
        if let Some(words) = line.strip_prefix("//") {
            return self.in_result(Action::FindInResult, words).await;
        }
        if let Some(words) = line.strip_prefix('&').filter(|words| !words.is_empty()) {
            return self.in_result(Action::FilterRows, words).await;
        }
        if let Some(words) = line.strip_prefix('/') {
            return self.find_metrics(words.trim()).await;
        }
        let keys: Option<Vec<Chord>> = line
            .split_whitespace()
            .map(|key| key.parse().ok())
            .collect();
        if let Some([first, ..]) = keys.as_deref()
            && self.means(*first)
        {
            for key in line.split_whitespace() {
                self.press_one(key).await?;
            }
            return Ok(());
        }
        self.state.first_key = None;
        self.perform(Action::EditLine).await?;
        self.type_text(line).await?;
        self.key("Enter").await
    }

    /// Presses a key, unless what it stands for is only on a screen.
    pub(super) async fn press_one(&mut self, key: &str) -> Result<(), TuiError> {
        let Ok(chord) = key.parse::<Chord>() else {
            return Ok(());
        };
        let entry = action::lookup(&self.state, chord);
        if let Some(reason) = entry.and_then(|entry| only_on_screen(entry.action)) {
            self.state.first_key = None;
            return Ok(self.print(&format!("Not here: {reason}."))?);
        }
        self.press(chord).await?;
        if let Some(entry) = entry {
            self.follow(entry.action);
        }
        Ok(())
    }

    /// Searches in the rows, or filters them.
    async fn in_result(&mut self, action: Action, words: &str) -> Result<(), TuiError> {
        self.perform(Action::Pane(Focus::Result)).await?;
        self.perform(action).await?;
        match self.is_typing_into_result() {
            true => self.fill_in_result(words.trim()).await,
            false => Ok(()),
        }
    }

    async fn find_metrics(&mut self, words: &str) -> Result<(), TuiError> {
        self.perform(Action::FindMetric).await?;
        self.type_text(words).await?;
        self.said.start_anew();
        self.said.want(Wants::Metrics);
        // Out of the search box, with what was found.
        self.perform(Action::PreviousPane).await
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
        match self.said.listed {
            Listed::Metrics if index < self.state.finder.hits.len() => {
                let is_it = |row: &CatalogRow| *row == CatalogRow::Metric(index);
                let row = self.state.finder.rows.iter().position(is_it);
                self.state.finder.selected = row.unwrap_or(0);
                self.said.want(Wants::Card);
                self.perform(Action::Pane(Focus::Catalog)).await?;
                self.perform(Action::Explore).await
            }
            Listed::Rows => {
                let rows = self.state.result.grid.as_ref();
                if rows.is_none_or(|grid| index >= grid.table().rows()) {
                    return Ok(self.print(&format!("There is no row {number}."))?);
                }
                if let Some(grid) = &mut self.state.result.grid {
                    let first = grid.shown_columns().first().copied();
                    grid.select(index, first.unwrap_or(0));
                }
                self.said.want(Wants::Row);
                self.perform(Action::Pane(Focus::Result)).await
            }
            _ => Ok(self.print(&format!("There is no number {number} here."))?),
        }
    }
}
