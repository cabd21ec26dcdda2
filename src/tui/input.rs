//! One line of text being typed: every search box and the prompt.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::{CursorMove, TextArea};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// An editable line with a cursor, undo and the usual shell keys.
#[derive(Debug, Clone, Default)]
pub struct LineInput {
    area: TextArea<'static>,
}

impl LineInput {
    /// A line with the cursor at its end.
    pub fn new(text: &str) -> Self {
        let mut input = Self::default();
        input.set(text);
        input
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// Replaces the text; the cursor goes to the end.
    pub fn set(&mut self, text: &str) {
        self.area = TextArea::new(vec![text.replace(['\n', '\r'], " ")]);
        self.area.move_cursor(CursorMove::End);
    }

    /// Cursor position in bytes.
    pub fn cursor(&self) -> usize {
        let text = self.text();
        let column = self.area.cursor().1;
        text.char_indices()
            .nth(column)
            .map_or(text.len(), |(at, _)| at)
    }

    /// Moves the cursor to a byte position.
    pub fn move_to(&mut self, at: usize) {
        let chars = self.text().get(..at).unwrap_or_default().chars().count();
        self.area.move_cursor(CursorMove::Jump(
            0,
            u16::try_from(chars).unwrap_or(u16::MAX),
        ));
    }

    /// Takes an editing key; whether the text changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter | KeyCode::Tab | KeyCode::BackTab => false,
            KeyCode::Char('u') if control => self.area.delete_line_by_head(),
            KeyCode::Char('m' | 'j' | 'n' | 'p') if control => false,
            _ => self.area.input(key),
        }
    }

    /// Inserts pasted text; line breaks become blanks.
    pub fn paste(&mut self, text: &str) -> bool {
        self.area.insert_str(
            text.trim_end_matches(['\n', '\r'])
                .replace(['\n', '\r', '\t'], " "),
        )
    }

    /// The part that fits into `width` columns around the cursor, as bytes, and the cursor's column in it.
    pub fn window(&self, width: u16) -> (std::ops::Range<usize>, u16) {
        let (text, cursor) = (self.text(), self.cursor());
        let room = usize::from(width).saturating_sub(1);
        let mut start = 0;
        let before = |start: usize| text.get(start..cursor).map_or(0, UnicodeWidthStr::width);
        while before(start) > room {
            start += text
                .get(start..)
                .and_then(|rest| rest.chars().next())
                .map_or(1, char::len_utf8);
        }
        let mut end = start;
        let mut used = 0;
        for c in text.get(start..).unwrap_or_default().chars() {
            used += c.width().unwrap_or(0);
            if used > usize::from(width) {
                break;
            }
            end += c.len_utf8();
        }
        (start..end, u16::try_from(before(start)).unwrap_or(u16::MAX))
    }
}
