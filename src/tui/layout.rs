//! Where the panes stand: one stage at a time on 80x24, all of them together on a large screen.

use ratatui::layout::{Constraint, Direction, Layout as Split, Rect, Size};

use super::parts::{self, PartKind};
use super::popup::PickerKind;
use super::splits::{Border, Divider, Splits};
use super::state::{Focus, State};
use super::widgets::text::{width, wrap};

/// The smallest terminal the explorer can be used in.
pub const SMALLEST: (u16, u16) = (60, 15);

/// Columns of catalog and details where they stand side by side, and those of the catalog alone.
const LEFT: u16 = 98;
const CATALOG: u16 = 52;

/// Columns of the sign before the text in the prompt.
pub const SIGN: u16 = 2;

/// Most lines of what is said about the text in the prompt.
const SAID: u16 = 6;

/// Areas of one frame. A pane that is not shown has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The first line.
    pub header: Rect,
    /// The bar of the tabs, where there are several.
    pub tabs: Option<Rect>,
    /// A line for what must not be overlooked.
    pub banner: Option<Rect>,
    /// The query line with its parts.
    pub query: Rect,
    /// Lines of the text in the prompt.
    pub prompt_rows: u16,
    /// The catalog.
    pub catalog: Option<Rect>,
    /// The metric under the cursor.
    pub details: Option<Rect>,
    /// The SQL pane.
    pub preview: Option<Rect>,
    /// The lines of SQL in it.
    pub sql: Option<Rect>,
    /// The reasons in it.
    pub reasons: Option<Rect>,
    /// The result.
    pub result: Option<Rect>,
    /// The result of the tab beside this one.
    pub beside: Option<Rect>,
    /// The last line.
    pub footer: Rect,
    /// The borders that can be moved.
    pub dividers: Vec<Divider>,
    /// Whether panes take turns on the screen.
    pub is_stage: bool,
}

impl Layout {
    /// The areas for a state.
    pub fn of(state: &State) -> Self {
        let area = Rect::from((ratatui::layout::Position::ORIGIN, state.size));
        if is_too_small(state) {
            return Self::default();
        }
        let (bar, area) = Self::bar(state, area);
        let banner = u16::from(super::view::has_banner(state));
        let small = state.size.width < 110 || state.size.height < 30;
        // On a small screen the rows of the result need the room more than the parts do, unless they are the answer's.
        let is_tight = small && state.focus != Focus::Query;
        let most = if is_tight && state.origin().is_none() {
            2
        } else {
            3
        };
        let columns = column(state, area.width, small);
        let prompt_rows = input_rows(state, columns, small);
        let rows = parts_rows(state, columns, most, is_tight) + prompt_rows;
        let mut layout = if small {
            Self::stages(state, area, banner, rows)
        } else {
            Self::together(state.splits, area, banner, rows)
        };
        layout.is_stage = small;
        layout.prompt_rows = prompt_rows;
        layout.tabs = bar;
        layout.share_result(state);
        if let Some(preview) = layout.preview {
            let inside = inside(preview);
            let wanted = super::view::reasons_height(state, usize::from(inside.width));
            let reasons = u16::try_from(wanted)
                .unwrap_or(u16::MAX)
                .min(inside.height * 2 / 5);
            let [sql, reasons] =
                Split::vertical([Constraint::Min(0), Constraint::Length(reasons)]).areas(inside);
            layout.sql = Some(sql);
            layout.reasons = (reasons.height > 0).then_some(reasons);
        }
        layout
    }

    /// Takes a line off the top for the bar of the tabs, where there are several.
    fn bar(state: &State, area: Rect) -> (Option<Rect>, Rect) {
        let rows = u16::from(state.tabs.len() > 1);
        let [bar, rest] =
            Split::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
        (some(bar), rest)
    }

    /// Gives half of the rows' place to the tab beside this one; the earlier tab stands at the left.
    fn share_result(&mut self, state: &State) {
        let (Some(area), Some(beside)) = (self.result, state.tabs.beside()) else {
            return;
        };
        let [left, right] =
            Split::horizontal([Constraint::Percentage(50), Constraint::Min(0)]).areas(area);
        let (here, there) = if state.tabs.at() < beside {
            (left, right)
        } else {
            (right, left)
        };
        self.result = Some(here);
        self.beside = Some(there);
    }

    /// One stage at a time: finding, SQL, rows.
    fn stages(state: &State, area: Rect, banner: u16, rows: u16) -> Self {
        let [header, banner, query, main, footer] = Split::vertical([
            Constraint::Length(1),
            Constraint::Length(banner),
            Constraint::Length(rows + 2),
            Constraint::Min(0),
            Constraint::Length(1),
        ])
        .areas(area);
        let mut layout = Self {
            header,
            banner: some(banner),
            query,
            footer,
            ..Self::default()
        };
        match state.focus {
            Focus::Catalog | Focus::Details => {
                let usual = percent(main.width, 48);
                let beside = Direction::Horizontal;
                let divider = state.splits.divide(Border::Catalog, main, beside, usual);
                let [catalog, details] = divider.areas;
                layout.catalog = Some(catalog);
                layout.details = Some(details);
                layout.dividers.push(divider);
            }
            Focus::Query | Focus::Preview => layout.preview = Some(main),
            Focus::Result => layout.result = Some(main),
        }
        layout
    }

    /// Everything on one screen.
    fn together(splits: Splits, area: Rect, banner: u16, rows: u16) -> Self {
        let [header, banner, main, footer] = Split::vertical([
            Constraint::Length(1),
            Constraint::Length(banner),
            Constraint::Min(0),
            Constraint::Length(1),
        ])
        .areas(area);
        let wide = area.width >= 170;
        let usual = column_left(area.width);
        let sides = splits.divide(Border::Left, main, Direction::Horizontal, usual);
        let [left, right] = sides.areas;
        let shelf = if wide {
            splits.divide(Border::Catalog, left, Direction::Horizontal, CATALOG)
        } else {
            let usual = percent(left.height, 50);
            splits.divide(Border::Catalog, left, Direction::Vertical, usual)
        };
        let [catalog, details] = shelf.areas;
        let sql = if main.height >= 42 { 40 } else { 42 };
        let [query, work] =
            Split::vertical([Constraint::Length(rows + 2), Constraint::Min(0)]).areas(right);
        let usual = percent(work.height, sql);
        let rows = splits.divide(Border::Preview, work, Direction::Vertical, usual);
        let [preview, result] = rows.areas;
        Self {
            header,
            banner: some(banner),
            query,
            catalog: Some(catalog),
            details: Some(details),
            preview: Some(preview),
            result: Some(result),
            footer,
            dividers: vec![sides, shelf, rows],
            ..Self::default()
        }
    }

    /// The area of a pane.
    pub fn pane(&self, focus: Focus) -> Option<Rect> {
        match focus {
            Focus::Catalog => self.catalog,
            Focus::Details => self.details,
            Focus::Query => some(self.query),
            Focus::Preview => self.preview,
            Focus::Result => self.result,
        }
    }

    /// Columns of the text in the prompt.
    pub fn prompt_width(&self) -> u16 {
        inside(self.query).width.saturating_sub(SIGN)
    }

    /// The area inside the frame of a pane.
    pub fn inner(&self, focus: Focus) -> Option<Rect> {
        self.pane(focus).map(inside)
    }
}

/// Whether the terminal is too small to show anything useful.
pub fn is_too_small(state: &State) -> bool {
    state.size.width < SMALLEST.0 || state.size.height < SMALLEST.1
}

/// The area inside a frame, with a blank column on both sides.
pub fn inside(area: Rect) -> Rect {
    area.inner(ratatui::layout::Margin {
        horizontal: 2.min(area.width / 2),
        vertical: 1.min(area.height / 2),
    })
}

/// The area of the rows inside the result pane; the line below says where one is.
pub fn grid_area(inner: Rect) -> Rect {
    Rect {
        height: inner.height.saturating_sub(1),
        ..inner
    }
}

/// The window of a list to choose from.
pub fn picker(screen: Size, kind: &PickerKind) -> Rect {
    let (width, height) = match kind {
        // Titles, keys and reasons, or lines and days, stand side by side.
        PickerKind::Palette
        | PickerKind::Help
        | PickerKind::History
        | PickerKind::Views
        | PickerKind::Analyses
        | PickerKind::Cell => (
            screen.width.saturating_sub(4).min(100),
            screen.height.saturating_sub(4).min(40),
        ),
        _ => (
            (screen.width * 3 / 4).clamp(56, 96),
            (screen.height * 2 / 3).clamp(12, 30),
        ),
    };
    centred(screen, width, height)
}

/// The lines of the list in it: below the search box and its remark.
pub fn picker_list(screen: Size, kind: &PickerKind) -> Rect {
    let inner = inside(picker(screen, kind));
    let above = 2.min(inner.height);
    Rect {
        y: inner.y + above,
        height: inner.height - above,
        ..inner
    }
}

/// The window of a text.
pub fn reader(screen: Size) -> Rect {
    centred(
        screen,
        screen.width.saturating_sub(8).min(104),
        screen.height.saturating_sub(4).min(40),
    )
}

/// The window of the rows behind a number.
pub fn behind(screen: Size) -> Rect {
    centred(
        screen,
        screen.width.saturating_sub(4),
        screen.height.saturating_sub(4),
    )
}

/// The rows in it: a line above says what they are, one below what they add up to.
pub fn behind_grid(screen: Size) -> Rect {
    let inner = inside(behind(screen));
    Rect {
        y: inner.y + 1.min(inner.height),
        height: inner.height.saturating_sub(2),
        ..inner
    }
}

/// A window in the middle of the screen.
pub fn centred(screen: Size, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect {
        x: (screen.width - width) / 2,
        y: (screen.height - height) / 2,
        width,
        height,
    }
}

fn some(area: Rect) -> Option<Rect> {
    (!area.is_empty()).then_some(area)
}

/// Columns of the left side of a large screen, unless its border was moved.
fn column_left(width: u16) -> u16 {
    match width {
        170.. => LEFT,
        width => (width * 2 / 5).clamp(40, 52),
    }
}

fn percent(room: u16, percent: u16) -> u16 {
    let share = (u32::from(room) * u32::from(percent) + 50) / 100;
    u16::try_from(share).unwrap_or(room)
}

/// Columns inside the query pane.
fn column(state: &State, width: u16, small: bool) -> u16 {
    let area = Rect::new(0, 0, width, 1);
    let pane = if small {
        width
    } else {
        let usual = column_left(width);
        let sides = state
            .splits
            .divide(Border::Left, area, Direction::Horizontal, usual);
        sides.areas[1].width
    };
    pane.saturating_sub(4)
}

/// Rows that the text in the prompt takes; what is no question being typed takes one.
fn input_rows(state: &State, columns: u16, small: bool) -> u16 {
    if !state.prompt.typing {
        return 1;
    }
    let rows = state.prompt.input.rows(columns.saturating_sub(SIGN)).len();
    let most = if small { 3 } else { 4 };
    u16::try_from(rows).unwrap_or(most).min(most)
}

/// Lines that the parts of the query take, with what is to be said above them.
fn parts_rows(state: &State, columns: u16, most: u16, is_tight: bool) -> u16 {
    let remarks = state.remarks();
    let said: usize = remarks
        .iter()
        .map(|remark| wrap(&remark.text, usize::from(columns)).len())
        .sum();
    let said = u16::try_from(said).unwrap_or(SAID).min(SAID);
    let shown = parts::shown(state);
    let places = flow(&shown, columns);
    // Empty places at the end are no loss.
    let matters = |part: &parts::Part| !is_tight || part.is_set || part.kind == PartKind::Time;
    let last = shown.iter().rposition(matters).unwrap_or(0);
    let lines = match state.prompt.error {
        Some(_) => 0,
        None => places.get(last).map_or(0, |place| place.row + 1),
    };
    (said + lines).clamp(1, most.max(said))
}

/// Where a part of the query stands: line and column, with the width of its word and of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub row: u16,
    /// First column of the word in front, or of the chip.
    pub column: u16,
    /// Columns of the word in front with its blank; 0 for none.
    pub word: u16,
    /// Columns of the chip.
    pub chip: u16,
}

/// Lets the parts of the query flow into lines.
pub fn flow(parts: &[parts::Part], columns: u16) -> Vec<Place> {
    let cells = |text: &str| u16::try_from(width(text)).unwrap_or(u16::MAX);
    let mut places: Vec<Place> = Vec::new();
    let (mut row, mut column) = (0, 0);
    for part in parts {
        let word = if part.kind.is_first() {
            cells(part.kind.word()) + 1
        } else {
            0
        };
        let chip = cells(&part.text)
            .saturating_add(2)
            .min(columns.saturating_sub(word));
        let gap = match (column, word) {
            (0, _) => 0,
            (_, 0) => 1,
            _ => 3,
        };
        let end = gap + word + chip;
        if column > 0 && end > columns.saturating_sub(column) {
            row += 1;
            column = 0;
        } else {
            column += gap;
        }
        places.push(Place {
            row,
            column,
            word,
            chip,
        });
        column = column.saturating_add(word + chip);
    }
    places
}
