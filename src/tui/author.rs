//! Author mode: the file of a metric as it is being changed, with what the change would do.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout, Rect, Size};
use tui_textarea::{CursorMove, TextArea};
use unicode_width::UnicodeWidthChar;

use super::layout::inside;
use super::popup::Popup;
use super::state::State;
use crate::registry::{Diagnostic, Severity};
use crate::session::{Change, ChangeRequest, DefinitionFile, Draft, SessionError, Sides, Unsaved};

/// Columns of the line numbers with the sign before them.
pub const MARGIN: u16 = 6;

/// Cells that a tab is shown as.
const TAB: usize = 4;

/// A file that is being changed.
pub struct Author {
    /// The metric it was opened for.
    pub metric: String,
    /// The file, relative to the project.
    pub path: String,
    /// The text when it was opened: what the numbers are compared with.
    pub opened: String,
    /// The text on disk as far as is known.
    pub saved: String,
    /// Whether somebody else changed the file since.
    pub conflict: bool,
    /// The text being saved.
    pub saving: Option<String>,
    /// Whether keys go into the text.
    pub typing: bool,
    /// What the draft would mean.
    pub draft: Option<Draft>,
    /// What it would do to the numbers.
    pub measured: Measured,
    /// The dimension they were asked for by.
    pub by: Option<String>,
    /// What is shown beside the text.
    pub shows: Shows,
    /// The first line shown there.
    pub offset: usize,
    /// The first line and the first cell of the text that are shown.
    pub corner: (usize, usize),
    area: TextArea<'static>,
    page: u16,
}

/// What is shown beside the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shows {
    /// What is wrong, the SQL against the saved one, and what depends on the metric.
    #[default]
    Meaning,
    /// The numbers before and after.
    Numbers,
}

/// The numbers of the draft.
#[derive(Default)]
pub enum Measured {
    /// Nobody asked.
    #[default]
    No,
    /// They are computed, for this generation.
    Running(u64),
    /// They were computed for this text.
    Done(String, Box<Change>),
    /// They could not be computed.
    Failed(SessionError),
}

impl Author {
    /// A file as it is on disk, with the cursor on the definition.
    pub fn new(file: DefinitionFile) -> Self {
        let mut author = Self {
            metric: file.metric,
            path: file.path,
            opened: file.text.clone(),
            saved: String::new(),
            conflict: false,
            saving: None,
            typing: true,
            draft: None,
            measured: Measured::No,
            by: None,
            shows: Shows::Meaning,
            offset: 0,
            corner: (0, 0),
            area: TextArea::default(),
            page: 1,
        };
        author.load(file.text);
        let line = file.line.saturating_sub(1);
        author
            .area
            .move_cursor(CursorMove::Jump(u16::try_from(line).unwrap_or(u16::MAX), 0));
        author.corner.0 = usize::try_from(line).unwrap_or(0);
        author
    }

    /// Takes the text that is on disk; the cursor stays on its line.
    pub fn load(&mut self, text: String) {
        let (line, column) = self.cursor();
        let lines = text
            .split('\n')
            .map(|line| line.trim_end_matches('\r').to_owned());
        self.area = TextArea::new(lines.collect());
        self.area.set_tab_length(2);
        let cells = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        self.area
            .move_cursor(CursorMove::Jump(cells(line), cells(column)));
        self.saved = text;
        self.conflict = false;
    }

    /// Goes on with what was typed the last time; where the file is another one since, that is a conflict.
    pub fn take(&mut self, unsaved: Unsaved) {
        let file = self.saved.clone();
        self.load(unsaved.text);
        self.conflict = unsaved.saved != file;
        self.saved = unsaved.saved;
    }

    /// The text as it would be saved; line ends stay what they were.
    pub fn text(&self) -> String {
        let end = if self.saved.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        self.area.lines().join(end)
    }

    /// The lines of the text.
    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    /// Line and character of the cursor, from 0.
    pub fn cursor(&self) -> (usize, usize) {
        let cursor = self.area.cursor();
        (cursor.0, cursor.1)
    }

    /// Whether its numbers are being computed.
    pub fn is_measuring(&self) -> bool {
        matches!(self.measured, Measured::Running(_))
    }

    /// Whether there is something to save.
    pub fn is_changed(&self) -> bool {
        let saved = self
            .saved
            .split('\n')
            .map(|line| line.trim_end_matches('\r'));
        !saved.eq(self.area.lines().iter().map(String::as_str))
    }

    /// Takes an editing key; whether the text changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::PageUp | KeyCode::PageDown => {
                let way = if key.code == KeyCode::PageUp {
                    CursorMove::Up
                } else {
                    CursorMove::Down
                };
                for _ in 0..self.page {
                    self.area.move_cursor(way);
                }
                false
            }
            // The indent of the line above is where YAML usually goes on.
            KeyCode::Enter => {
                let (line, column) = self.cursor();
                let above = self.area.lines().get(line).map_or("", String::as_str);
                let indent = above.len() - above.trim_start_matches(' ').len();
                let indent = " ".repeat(indent.min(column));
                self.area.insert_newline();
                self.area.insert_str(indent);
                true
            }
            _ => self.area.input(key),
        }
    }

    /// Puts other lines in the place of some, counted from 0, with the cursor on the first; whether the text changed.
    pub fn replace(&mut self, lines: Range<usize>, with: &[String]) -> bool {
        let mut all = self.area.lines().to_vec();
        let (start, end) = (lines.start.min(all.len()), lines.end.min(all.len()));
        all.splice(start..end.max(start), with.iter().cloned());
        if all == self.area.lines() {
            return false;
        }
        self.area.select_all();
        self.area.insert_str(all.join("\n"));
        self.go_to(start);
        true
    }

    /// Puts the cursor at the start of a line, counted from 0.
    pub fn go_to(&mut self, line: usize) {
        let line = u16::try_from(line).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(line, 0));
    }

    /// Inserts pasted text.
    pub fn paste(&mut self, text: &str) -> bool {
        self.area
            .insert_str(text.replace("\r\n", "\n").replace('\r', "\n"))
    }

    /// Inserts blanks up to the next tab stop.
    pub fn indent(&mut self) -> bool {
        self.area.insert_tab()
    }

    /// The worst that the draft says about a line, counted from 1.
    pub fn problem(&self, line: u32) -> Option<&Diagnostic> {
        let found = self.problems().iter();
        let mut here: Vec<_> = found
            .filter(|found| found.file == self.path && found.line == line)
            .collect();
        here.sort_by_key(|found| found.severity != Severity::Error);
        here.into_iter().next()
    }

    /// Everything the draft says.
    pub fn problems(&self) -> &[Diagnostic] {
        self.draft.as_ref().map_or(&[], |draft| &draft.problems)
    }

    /// The change since the file was opened.
    pub fn request(&self, dimension: Option<String>) -> ChangeRequest {
        ChangeRequest {
            metric: self.metric.clone(),
            path: self.path.clone(),
            text: Sides {
                before: self.opened.clone(),
                after: self.text(),
            },
            dimension,
            beside: None,
        }
    }

    /// Scrolls the text so that the cursor is inside an area.
    pub fn follow(&mut self, area: Rect) {
        let (line, column) = self.cursor();
        let (height, width) = (
            usize::from(area.height),
            usize::from(area.width.saturating_sub(MARGIN)),
        );
        self.page = area.height.saturating_sub(1).max(1);
        let (top, left) = self.corner;
        // A definition that was just opened stands a third down, so that what is above it is seen too.
        let top = if line < top {
            line
        } else {
            top.max((line + 1).saturating_sub(height))
        };
        let last = self.area.lines().len().saturating_sub(height);
        let at = self
            .area
            .lines()
            .get(line)
            .map_or(0, |text| cells(text, column));
        let left = if at < left {
            at
        } else {
            left.max((at + 1).saturating_sub(width))
        };
        self.corner = (top.min(last), left);
    }
}

/// Whether a file is being changed, also where a question stands above it.
pub fn is_open(state: &State) -> bool {
    let mut popups = state.popups.iter();
    popups.any(|popup| matches!(popup, Popup::Author(_)))
}

/// The cells that the first characters of a line take.
pub fn cells(line: &str, characters: usize) -> usize {
    line.chars().take(characters).map(cell_width).sum()
}

/// The cells of a character in the text.
pub fn cell_width(c: char) -> usize {
    match c {
        '\t' => TAB,
        c => c.width().unwrap_or(1),
    }
}

/// The areas of the text and of what is said about it, with their frames: side by side where there is room.
pub fn areas(screen: Size) -> (Rect, Rect) {
    let all = Rect {
        x: 0,
        y: 0,
        width: screen.width,
        height: screen.height.saturating_sub(1),
    };
    let halves = [Constraint::Percentage(55), Constraint::Min(0)];
    let [text, said] = if all.width >= 110 {
        Layout::horizontal(halves).areas(all)
    } else {
        Layout::vertical(halves).areas(all)
    };
    (text, said)
}

/// The area of the text inside its frame.
pub fn text_area(screen: Size) -> Rect {
    inside(areas(screen).0)
}
