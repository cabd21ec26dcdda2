//! A list that is searched as one types: pickers, palette and history. Items can be marked as included or excluded;
//! items that are not possible come last, greyed, with the reason.

mod draw;
mod rank;

use std::collections::BTreeMap;

use ratatui::layout::{Position, Rect};

use super::scroll::{first_shown, moved};
use crate::session::cell::sanitize;
use rank::Haystack;

/// One item of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// What the item stands for; marks and the selection are kept by it when the items change.
    pub key: String,
    /// The words to read and to search.
    pub label: String,
    /// More words to search, shown after the label.
    pub detail: String,
    /// Still more words to search, shown nowhere.
    pub also: String,
    /// Shown at the right edge, such as a count.
    pub right: String,
    /// What is said about it while it is selected.
    pub note: String,
    /// The heading it stands under while nothing is searched.
    pub group: String,
    /// Why it cannot be chosen.
    pub disabled: Option<String>,
}

impl Item {
    /// An item with a label; what could harm a terminal is escaped in it.
    pub fn new(key: impl Into<String>, label: &str) -> Self {
        Self {
            key: key.into(),
            label: sanitize(label).into_owned(),
            ..Self::default()
        }
    }

    /// With a detail.
    #[must_use]
    pub fn detail(self, detail: &str) -> Self {
        Self {
            detail: sanitize(detail).into_owned(),
            ..self
        }
    }

    /// With words that are searched but not shown.
    #[must_use]
    pub fn also(self, words: &str) -> Self {
        Self {
            also: words.to_owned(),
            ..self
        }
    }

    /// With a text at the right edge.
    #[must_use]
    pub fn right(self, right: &str) -> Self {
        Self {
            right: sanitize(right).into_owned(),
            ..self
        }
    }

    /// With something to say about it while it is selected.
    #[must_use]
    pub fn note(self, note: &str) -> Self {
        Self {
            note: sanitize(note).into_owned(),
            ..self
        }
    }

    /// Under a heading.
    #[must_use]
    pub fn group(self, group: &str) -> Self {
        Self {
            group: sanitize(group).into_owned(),
            ..self
        }
    }

    /// Not possible, for a reason.
    #[must_use]
    pub fn disabled(self, reason: &str) -> Self {
        Self {
            disabled: Some(sanitize(reason).into_owned()),
            ..self
        }
    }
}

/// What the reader wants with a marked item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `+`: this one.
    Include,
    /// `-`: all but this one.
    Exclude,
}

/// Items, the words searched for, the selection and the marks.
#[derive(Debug, Clone, Default)]
pub struct FuzzyList {
    items: Vec<Item>,
    haystacks: Vec<Haystack>,
    query: String,
    lines: Vec<Line>,
    /// Index of the selected line; never a heading.
    selected: usize,
    top: usize,
    height: usize,
    marks: BTreeMap<String, Mark>,
}

/// A line of the list: a heading or an item by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    HeadingOf(usize),
    /// The heading of items that cannot be chosen.
    Impossible,
    Item(usize),
}

impl FuzzyList {
    /// A list of items in the given order.
    pub fn new(items: Vec<Item>) -> Self {
        let mut list = Self::default();
        list.set_items(items);
        list
    }

    /// Replaces the items; the query and the marks stay, and so does the selection if its key is still there.
    pub fn set_items(&mut self, items: Vec<Item>) {
        let key = self.selected().map(|item| item.key.clone());
        self.haystacks = items.iter().map(Haystack::new).collect();
        self.items = items;
        self.arrange();
        if !key.is_some_and(|key| self.select(&key)) {
            self.to_first();
        }
    }

    /// The words searched for.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Searches for words; the best item is selected. No words show every item under its heading.
    pub fn set_query(&mut self, query: &str) {
        if self.query != query {
            self.query = query.to_owned();
            self.arrange();
            self.to_first();
        }
    }

    /// All items, in the order given.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The items that are shown, best first.
    pub fn found(&self) -> impl Iterator<Item = &Item> {
        (0..self.lines.len()).filter_map(|line| self.item(line))
    }

    /// How many items are shown.
    pub fn shown(&self) -> usize {
        self.lines
            .iter()
            .filter(|line| matches!(line, Line::Item(_)))
            .count()
    }

    fn arrange(&mut self) {
        self.lines = if self.query.trim().is_empty() {
            self.in_groups()
        } else {
            rank::rank(&self.query, &self.items, &self.haystacks)
                .into_iter()
                .map(Line::Item)
                .collect()
        };
    }

    fn in_groups(&self) -> Vec<Line> {
        let mut lines = Vec::with_capacity(self.items.len());
        let mut group = "";
        let (possible, impossible): (Vec<_>, Vec<_>) = self
            .items
            .iter()
            .enumerate()
            .partition(|(_, item)| item.disabled.is_none());
        for (index, item) in possible {
            if item.group != group {
                lines.push(Line::HeadingOf(index));
                group = &item.group;
            }
            lines.push(Line::Item(index));
        }
        if !group.is_empty() && !impossible.is_empty() {
            lines.push(Line::Impossible);
        }
        lines.extend(impossible.into_iter().map(|(index, _)| Line::Item(index)));
        lines
    }

    fn item(&self, line: usize) -> Option<&Item> {
        match self.lines.get(line)? {
            Line::Item(index) => self.items.get(*index),
            Line::HeadingOf(_) | Line::Impossible => None,
        }
    }

    /// The selected item; it may be one that is not possible.
    pub fn selected(&self) -> Option<&Item> {
        self.item(self.selected)
    }

    /// Selects an item by its key, if it is shown.
    pub fn select(&mut self, key: &str) -> bool {
        let found =
            (0..self.lines.len()).find(|&line| self.item(line).is_some_and(|item| item.key == key));
        if let Some(line) = found {
            self.go(line, 1);
        }
        found.is_some()
    }

    /// Moves the selection by lines; headings are stepped over.
    pub fn move_by(&mut self, lines: isize) {
        let heading_way = if lines < 0 { -1 } else { 1 };
        self.go(moved(self.selected, lines, self.lines.len()), heading_way);
    }

    /// Moves the selection by screens.
    pub fn page(&mut self, pages: isize) {
        let height = isize::try_from(self.height).unwrap_or(isize::MAX);
        self.move_by(pages.saturating_mul((height - 1).max(1)));
    }

    /// Selects the first item.
    pub fn to_first(&mut self) {
        self.go(0, 1);
    }

    /// Selects the last item.
    pub fn to_last(&mut self) {
        self.go(self.lines.len().saturating_sub(1), -1);
    }

    /// Selects a line, or the next item in a direction where it is a heading.
    fn go(&mut self, line: usize, way: isize) {
        let is_item = |line: &usize| self.item(*line).is_some();
        let after = (line..self.lines.len()).find(is_item);
        let before = (0..=line).rev().find(is_item);
        let found = if way < 0 {
            before.or(after)
        } else {
            after.or(before)
        };
        self.selected = found.unwrap_or(0);
        self.top = self.first_line(self.height);
    }

    /// Shows the heading above the first item rather than hiding it for ever.
    fn first_line(&self, height: usize) -> usize {
        let top = first_shown(self.top, self.selected, height, self.lines.len());
        if top == 1 && self.selected + 1 < height {
            0
        } else {
            top
        }
    }

    /// Says how many lines the list is drawn in, so that the view stays where the reader scrolled it.
    pub fn set_height(&mut self, height: u16) {
        self.height = usize::from(height);
        self.top = self.first_line(self.height);
    }

    /// Puts a mark on the selected item, or takes it away if it is there; items that are not possible take none.
    pub fn toggle(&mut self, mark: Mark) {
        let Some(item) = self.selected().filter(|item| item.disabled.is_none()) else {
            return;
        };
        let key = item.key.clone();
        if self.marks.get(&key) == Some(&mark) {
            self.marks.remove(&key);
        } else {
            self.marks.insert(key, mark);
        }
    }

    /// Sets all marks, by key; keys without an item are kept, their item may come later.
    pub fn set_marks(&mut self, marks: impl IntoIterator<Item = (String, Mark)>) {
        self.marks = marks.into_iter().collect();
    }

    /// The marks by key, in the order of the keys.
    pub fn marks(&self) -> impl Iterator<Item = (&str, Mark)> {
        self.marks.iter().map(|(key, mark)| (key.as_str(), *mark))
    }

    /// The key of the item drawn at a position of the screen, for a list drawn in `area`.
    pub fn key_at(&self, x: u16, y: u16, area: Rect) -> Option<&str> {
        if !area.contains(Position { x, y }) {
            return None;
        }
        let line = self.first_line(usize::from(area.height)) + usize::from(y - area.y);
        self.item(line).map(|item| item.key.as_str())
    }
}
