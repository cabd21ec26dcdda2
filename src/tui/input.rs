//! Text being typed: the one line of a search box, or the prompt, which may have several.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::{CursorMove, TextArea};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Keys that edit a text wherever one is typed, with what they do.
pub const EDITING: [(&str, &str); 8] = [
    ("Ctrl+W", "Delete the word before the cursor"),
    ("Alt+d", "Delete the word after the cursor"),
    ("Ctrl+U", "Delete up to the start; author mode: undo"),
    ("Ctrl+K", "Delete up to the end"),
    ("Ctrl+Left", "A word to the left"),
    ("Ctrl+Right", "A word to the right"),
    ("Home", "To the start"),
    ("End", "To the end"),
];

/// Where they apply.
pub const EDITING_TITLE: &str = "While text is typed";

/// An editable text with a cursor, undo and the usual shell keys.
#[derive(Debug, Clone, Default)]
pub struct LineInput {
    area: TextArea<'static>,
    text: String,
    many_lines: bool,
}

impl LineInput {
    /// A line with the cursor at its end.
    pub fn new(text: &str) -> Self {
        let mut input = Self::default();
        input.set(text);
        input
    }

    /// An empty text that may have several lines.
    pub fn of_many_lines() -> Self {
        Self {
            many_lines: true,
            ..Self::default()
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces the text; the cursor goes to the end.
    pub fn set(&mut self, text: &str) {
        let text = self.allowed(text);
        self.area = TextArea::new(text.split('\n').map(str::to_owned).collect());
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
        self.text = text;
    }

    /// The text without what has no place in it.
    fn allowed(&self, text: &str) -> String {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if self.many_lines {
            text.replace('\t', " ")
        } else {
            text.replace(['\n', '\t'], " ")
        }
    }

    /// Cursor position in bytes.
    pub fn cursor(&self) -> usize {
        let cursor = self.area.cursor();
        let lines = self.area.lines();
        let before: usize = lines.iter().take(cursor.0).map(|line| line.len() + 1).sum();
        let line = lines.get(cursor.0).map_or("", String::as_str);
        let within = line.char_indices().nth(cursor.1);
        before + within.map_or(line.len(), |(at, _)| at)
    }

    /// Moves the cursor to a byte position.
    pub fn move_to(&mut self, at: usize) {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(
            cells(before.matches('\n').count()),
            cells(line.chars().count()),
        ));
    }

    /// Takes an editing key; whether the text changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let changed = match key.code {
            KeyCode::Enter | KeyCode::Tab | KeyCode::BackTab => false,
            KeyCode::Char('u') if control => self.area.delete_line_by_head(),
            KeyCode::Char('m' | 'j' | 'n' | 'p') if control => false,
            _ => self.area.input(key),
        };
        self.keep(changed)
    }

    /// Inserts pasted text; in a single line, line breaks become blanks.
    pub fn paste(&mut self, text: &str) -> bool {
        let text = self.allowed(text.trim_end_matches(['\n', '\r']));
        let changed = self.area.insert_str(text);
        self.keep(changed)
    }

    /// Starts a new line, where there may be several.
    pub fn break_line(&mut self) -> bool {
        if self.many_lines {
            self.area.insert_newline();
        }
        self.keep(self.many_lines)
    }

    fn keep(&mut self, changed: bool) -> bool {
        if changed {
            self.text = self.area.lines().join("\n");
        }
        changed
    }

    /// The rows of the text at a width, as bytes: broken at line breaks and between words.
    pub fn rows(&self, width: u16) -> Vec<Range<usize>> {
        // The cursor behind the last character needs a column too.
        let room = usize::from(width).saturating_sub(1).max(1);
        let mut rows = Vec::new();
        let mut first = 0;
        for line in self.text.split('\n') {
            let (mut start, mut used, mut between) = (first, 0, first);
            for (at, c) in line.char_indices() {
                let at = first + at;
                let cells = c.width().unwrap_or(0);
                if used + cells > room && c != ' ' && at > start {
                    let from = if between > start { between } else { at };
                    rows.push(start..from);
                    start = from;
                    used = self.text.get(from..at).map_or(0, UnicodeWidthStr::width);
                }
                used += cells;
                if c == ' ' {
                    between = at + 1;
                }
            }
            rows.push(start..first + line.len());
            first += line.len() + 1;
        }
        rows
    }

    /// Row and column of the cursor at a width.
    pub fn place(&self, width: u16) -> (usize, u16) {
        let cursor = self.cursor();
        let rows = self.rows(width);
        let row = rows
            .iter()
            .rposition(|row| row.start <= cursor)
            .unwrap_or(0);
        let start = rows.get(row).map_or(0, |row| row.start);
        let before = self
            .text
            .get(start..cursor)
            .map_or(0, UnicodeWidthStr::width);
        (row, u16::try_from(before).unwrap_or(u16::MAX))
    }

    /// Moves the cursor up or down by a row at a width; whether there is one.
    pub fn move_row(&mut self, width: u16, down: bool) -> bool {
        let (row, column) = self.place(width);
        let next = if down {
            Some(row + 1)
        } else {
            row.checked_sub(1)
        };
        let Some(range) = next.and_then(|next| self.rows(width).get(next).cloned()) else {
            return false;
        };
        let mut used = 0;
        let row = self.text.get(range.clone()).unwrap_or_default();
        let at = row.char_indices().find(|(_, c)| {
            used += c.width().unwrap_or(0);
            used > usize::from(column)
        });
        let last = row.char_indices().next_back().map_or(0, |(at, _)| at);
        // The end of a row that goes on is the start of the next one.
        let goes_on = range.end < self.text.len()
            && !self
                .text
                .get(range.end..)
                .is_some_and(|rest| rest.starts_with('\n'));
        let end = if goes_on { last } else { row.len() };
        self.move_to(range.start + at.map_or(end, |(at, _)| at));
        true
    }

    /// The part of a single line that fits into `width` columns around the cursor, as bytes, and the cursor's column in it.
    pub fn window(&self, width: u16) -> (Range<usize>, u16) {
        let (text, cursor) = (self.text(), self.cursor());
        let room = usize::from(width).saturating_sub(1);
        let before = text.get(..cursor).unwrap_or_default();
        let mut start = cursor;
        let mut left = 0;
        for (at, c) in before.char_indices().rev() {
            left += c.width().unwrap_or(0);
            if left > room {
                break;
            }
            start = at;
        }
        let column = text.get(start..cursor).map_or(0, UnicodeWidthStr::width);
        let mut end = start;
        let mut used = 0;
        for c in text.get(start..).unwrap_or_default().chars() {
            used += c.width().unwrap_or(0);
            if used > usize::from(width) {
                break;
            }
            end += c.len_utf8();
        }
        (start..end, u16::try_from(column).unwrap_or(u16::MAX))
    }
}
