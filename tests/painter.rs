//! What is sent to the terminal shows the picture, cell for cell, whatever was shown before.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use std::num::NonZero;

use metrex::tui::{Depth, Message, Painter, actions};
use proptest::prelude::*;
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Color, Modifier, Style};
use support::Explorer;

/// A terminal, and the painter that draws on it.
struct Screen {
    terminal: vt100::Parser,
    painter: Painter,
}

impl Screen {
    fn new(width: u16, height: u16) -> Self {
        let cells = |cells| NonZero::new(cells).unwrap();
        Self {
            terminal: vt100::Parser::new(cells(height), cells(width), 0),
            painter: Painter::default(),
        }
    }

    fn resize(&mut self, width: u16, height: u16) {
        let cells = |cells| NonZero::new(cells).unwrap();
        let screen = self.terminal.screen_mut();
        screen.set_size(cells(height), cells(width));
    }

    /// Shows a picture, and says where the terminal shows another one.
    fn show(&mut self, picture: &Buffer, cursor: Option<Position>) -> Result<usize, String> {
        let bytes = self.painter.paint(picture.clone(), cursor);
        self.terminal.process(&bytes);
        let screen = self.terminal.screen();
        let sent = String::from_utf8_lossy(&bytes).into_owned();
        for y in 0..picture.area.height {
            let mut covered = 0;
            for x in 0..picture.area.width {
                if x < covered {
                    continue;
                }
                let wanted = Look::wanted(&picture[(x, y)]);
                let shown = Look::shown(screen.cell(y, x).unwrap());
                if wanted != shown {
                    return Err(format!(
                        "{x},{y}: {wanted:?} is shown as {shown:?}\n{sent:?}"
                    ));
                }
                covered = x + picture[(x, y)].cell_width().max(1);
            }
        }
        let shines = (!screen.hide_cursor()).then(|| {
            let (y, x) = screen.cursor_position();
            Position { x, y }
        });
        if shines != cursor {
            return Err(format!(
                "the cursor is at {shines:?}, not at {cursor:?}\n{sent:?}"
            ));
        }
        Ok(bytes.len())
    }
}

/// What can be seen of a cell.
#[derive(Debug, PartialEq)]
struct Look {
    text: String,
    fg: vt100::Color,
    bg: vt100::Color,
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
    reversed: bool,
}

impl Look {
    fn wanted(cell: &Cell) -> Self {
        let has = |modifier| cell.modifier.contains(modifier);
        Self {
            text: cell.symbol().to_owned(),
            fg: colour(cell.fg),
            bg: colour(cell.bg),
            bold: has(Modifier::BOLD),
            dim: has(Modifier::DIM),
            italic: has(Modifier::ITALIC),
            underlined: has(Modifier::UNDERLINED),
            reversed: has(Modifier::REVERSED),
        }
        .seen()
    }

    fn shown(cell: &vt100::Cell) -> Self {
        Self {
            text: match cell.contents() {
                "" => " ".to_owned(),
                text => text.to_owned(),
            },
            fg: cell.fgcolor(),
            bg: cell.bgcolor(),
            bold: cell.bold(),
            dim: cell.dim(),
            italic: cell.italic(),
            underlined: cell.underline(),
            reversed: cell.inverse(),
        }
        .seen()
    }

    /// The colour and the weight of letters show on no blank that is neither underlined nor reversed.
    fn seen(mut self) -> Self {
        if self.text == " " && !self.underlined && !self.reversed {
            self.fg = vt100::Color::Default;
            (self.bold, self.dim, self.italic) = (false, false, false);
        }
        self
    }
}

fn colour(color: Color) -> vt100::Color {
    let named = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match color {
        Color::Reset => vt100::Color::Default,
        Color::Indexed(index) => vt100::Color::Idx(index),
        Color::Rgb(red, green, blue) => vt100::Color::Rgb(red, green, blue),
        named_one => {
            let at = named.iter().position(|one| *one == named_one).unwrap();
            vt100::Color::Idx(u8::try_from(at).unwrap())
        }
    }
}

/// A change of a picture.
#[derive(Debug, Clone)]
enum Change {
    Text(u16, u16, String, Style),
    /// Every line, from this number on.
    Page(u16),
    Style(Rect, Style),
    Blank(Rect),
    /// Lines from one to another move down, or up.
    Shift(u16, u16, i16),
    Cursor(Option<(u16, u16)>),
}

fn style() -> impl Strategy<Value = Style> {
    let colour = || {
        prop_oneof![
            4 => Just(Color::Reset),
            1 => Just(Color::Rgb(139, 147, 161)),
            1 => Just(Color::Rgb(1, 2, 3)),
            1 => Just(Color::Indexed(110)),
            1 => proptest::sample::select(vec![Color::Red, Color::DarkGray, Color::White]),
        ]
    };
    let modifier = proptest::sample::select(vec![
        Modifier::empty(),
        Modifier::empty(),
        Modifier::empty(),
        Modifier::BOLD,
        Modifier::DIM,
        Modifier::ITALIC,
        Modifier::UNDERLINED,
        Modifier::REVERSED,
        Modifier::BOLD | Modifier::ITALIC,
        Modifier::BOLD | Modifier::UNDERLINED,
    ]);
    (colour(), colour(), modifier).prop_map(|(fg, bg, modifier)| Style {
        add_modifier: modifier,
        sub_modifier: Modifier::all().difference(modifier),
        ..Style::new().fg(fg).bg(bg)
    })
}

fn text() -> impl Strategy<Value = String> {
    let words = proptest::sample::select(vec![
        " ",
        "  ",
        "          ",
        "gmv",
        "orders by market",
        "│",
        "──────",
        "╭",
        "▸ ",
        "…",
        "12,345",
        "数",
        "数据",
        "한국",
        "🙂",
        "✅",
        "⚠\u{fe0f}",
        "e\u{301}",
        "é",
        "שלום",
        "ไทย",
        "a",
    ]);
    proptest::collection::vec(words, 1..8).prop_map(|words| words.concat())
}

fn change() -> impl Strategy<Value = Change> {
    let rect = || {
        (0..44_u16, 0..12_u16, 1..44_u16, 1..6_u16).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
    };
    prop_oneof![
        6 => (0..44_u16, 0..12_u16, text(), style()).prop_map(|(x, y, text, style)| Change::Text(x, y, text, style)),
        1 => (0..9_u16).prop_map(Change::Page),
        2 => (rect(), style()).prop_map(|(rect, style)| Change::Style(rect, style)),
        1 => rect().prop_map(Change::Blank),
        2 => (0..12_u16, 0..12_u16, -4..5_i16).prop_map(|(top, end, by)| Change::Shift(top, end, by)),
        1 => proptest::option::of((0..44_u16, 0..12_u16)).prop_map(Change::Cursor),
    ]
}

fn apply(picture: &mut Buffer, cursor: &mut Option<Position>, change: &Change) {
    let area = picture.area;
    match change {
        Change::Text(x, y, text, style) => {
            if *x < area.width && *y < area.height {
                picture.set_string(*x, *y, text, *style);
            }
        }
        Change::Page(first) => {
            for y in 0..area.height {
                let line = format!("│ {0:<9} {0:>9} the line of this number", 37 * (first + y));
                picture.set_string(0, y, line, Style::new());
            }
        }
        Change::Style(rect, style) => picture.set_style(rect.intersection(area), *style),
        Change::Blank(rect) => {
            for place in rect.intersection(area).positions() {
                picture[place].reset();
            }
        }
        Change::Shift(top, end, by) => {
            let (top, end) = ((*top).min(area.height), (*end).min(area.height));
            let before = picture.clone();
            for y in top..end {
                let from = i32::from(y) + i32::from(*by);
                let from = u16::try_from(from).ok().filter(|y| (top..end).contains(y));
                for x in 0..area.width {
                    picture[(x, y)] = from.map_or(Cell::EMPTY, |from| before[(x, from)].clone());
                }
            }
        }
        Change::Cursor(place) => {
            *cursor = place.map(|(x, y)| Position {
                x: x.min(area.width - 1),
                y: y.min(area.height - 1),
            });
        }
    }
    // A wide sign of which something else has taken the second half, as ratatui's widgets leave it.
    for y in 0..area.height {
        for x in 0..area.width {
            let width = picture[(x, y)].cell_width();
            let beside = (x + 1 < area.width).then(|| picture[(x + 1, y)].symbol().to_owned());
            if width > 1 && beside.as_deref() != Some(" ") {
                picture[(x, y)].set_symbol(" ");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_picture_is_shown_cell_for_cell(
        width in 1..44_u16,
        height in 1..12_u16,
        frames in proptest::collection::vec(proptest::collection::vec(change(), 0..8), 1..12),
    ) {
        let mut screen = Screen::new(width, height);
        let mut picture = Buffer::empty(Rect::new(0, 0, width, height));
        let mut cursor = None;
        for changes in frames {
            for change in &changes {
                apply(&mut picture, &mut cursor, change);
            }
            if let Err(fault) = screen.show(&picture, cursor) {
                prop_assert!(false, "{fault}");
            }
            prop_assert_eq!(screen.show(&picture, cursor), Ok(0), "nothing has changed");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_screen_of_the_explorer_is_shown_cell_for_cell(keys in proptest::collection::vec(key(), 1..40)) {
        let mut explorer = Explorer::themed(80, 24, Depth::True);
        let mut screen = Screen::new(80, 24);
        for key in keys {
            match key.as_str() {
                "small" | "large" => {
                    let (width, height) = if key == "small" { (80, 24) } else { (130, 40) };
                    explorer.tell(Message::Resize(Size { width, height }));
                    screen.resize(width, height);
                }
                key => { explorer.keys(key); }
            }
            let (picture, cursor) = explorer.frame();
            if let Err(fault) = screen.show(&picture, cursor) {
                prop_assert!(false, "after {key}: {fault}");
            }
        }
    }
}

fn key() -> impl Strategy<Value = String> {
    let keys: Vec<&str> = actions()
        .iter()
        .flat_map(|entry| entry.keys.iter().copied())
        .collect();
    let typed = vec![
        "small",
        "large",
        "gmv",
        "market",
        "<F2>gmv by market, month last 6 months<Enter>",
        "5<Down><Down><Right>",
        "1<Down>",
        "数",
        "<Esc>",
    ];
    prop_oneof![
        3 => proptest::sample::select(keys).prop_map(|key| if key.chars().count() == 1 { key.to_owned() } else { format!("<{key}>") }),
        2 => proptest::sample::select(typed).prop_map(str::to_owned),
    ]
}

/// A list that moves by one line takes no more than the line that comes in.
#[test]
fn lines_that_move_are_moved_by_the_terminal() {
    let mut screen = Screen::new(80, 24);
    let area = Rect::new(0, 0, 80, 24);
    let list = |first: usize| {
        let mut picture = Buffer::empty(area);
        picture.set_string(0, 0, "a heading that stays", Style::new());
        for y in 1..20_u16 {
            let line = format!(
                "│ {:>6}  {}",
                first + usize::from(y),
                "a long line ".repeat(4)
            );
            picture.set_string(0, y, line, Style::new());
        }
        picture.set_string(0, 23, "a footer that stays", Style::new());
        picture
    };
    screen.show(&list(100), None).unwrap();
    for first in [101, 102, 101, 104, 100] {
        let bytes = screen.show(&list(first), None).unwrap();
        assert!(bytes < 320, "{bytes} bytes to {first}");
    }
}

#[test]
fn a_cursor_takes_no_more_than_its_move() {
    let mut screen = Screen::new(80, 24);
    let picture = Buffer::with_lines(vec!["words".repeat(16); 24]);
    let at = |x, y| Some(Position { x, y });
    screen.show(&picture, None).unwrap();
    assert_eq!(screen.show(&picture, None), Ok(0));
    assert_eq!(screen.show(&picture, at(0, 0)), Ok("\x1b[H\x1b[?25h".len()));
    assert_eq!(screen.show(&picture, at(4, 2)), Ok("\x1b[3;5H".len()));
    assert_eq!(screen.show(&picture, at(4, 2)), Ok(0));
    assert_eq!(screen.show(&picture, None), Ok("\x1b[?25l".len()));
    screen.painter.forget();
    assert!(screen.show(&picture, None).unwrap() > 80 * 24);
}
