//! Screens as they look, with their colours: each is kept as SVG, which a browser shows and a diff explains.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use metrex::session::png;
use metrex::tui::{Depth, Palette, Theme, picture};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use support::Explorer;

const QUERY: &str = "gmv<Enter>gmarket<Enter><Esc>tlast 3 months<Enter><F5>";
const LINES: &str = "<F2>gmv by month, market where market in (ID, TH)<Enter>";

fn shown(width: u16, height: u16, depth: Depth, keys: &str) -> Vec<u8> {
    let mut explorer = Explorer::themed(width, height, depth);
    explorer.keys(keys).picture(&Palette::DARK).into_bytes()
}

#[test]
fn too_small_at_40x10() {
    insta::assert_binary_snapshot!("too_small_at_40x10.svg", shown(40, 10, Depth::True, ""));
}

#[test]
fn result_at_80x24() {
    insta::assert_binary_snapshot!("result_at_80x24.svg", shown(80, 24, Depth::True, QUERY));
}

#[test]
fn search_in_16_colours_at_80x24() {
    insta::assert_binary_snapshot!(
        "search_in_16_colours_at_80x24.svg",
        shown(80, 24, Depth::Sixteen, "or")
    );
}

#[test]
fn values_without_colours_at_80x24() {
    let keys = "gmv<Enter>fmarket<Enter><Space>-";
    insta::assert_binary_snapshot!(
        "values_without_colours_at_80x24.svg",
        shown(80, 24, Depth::None, keys)
    );
}

#[test]
fn everything_at_120x40() {
    insta::assert_binary_snapshot!(
        "everything_at_120x40.svg",
        shown(120, 40, Depth::True, QUERY)
    );
}

#[test]
fn everything_on_a_light_screen_at_120x40() {
    let mut explorer = Explorer::themed(120, 40, Depth::True);
    explorer.state.theme = Theme::load("light", &[], Depth::True).unwrap();
    let svg = explorer.keys(QUERY).picture(&Palette::LIGHT);
    insta::assert_binary_snapshot!(
        "everything_on_a_light_screen_at_120x40.svg",
        svg.into_bytes()
    );
}

#[test]
fn lines_in_place_of_the_rows_at_80x24() {
    let keys = format!("{LINES}cc<Right><Right>");
    insta::assert_binary_snapshot!(
        "lines_in_place_of_the_rows_at_80x24.svg",
        shown(80, 24, Depth::True, &keys)
    );
}

#[test]
fn stacked_bars_in_16_colours_at_80x24() {
    let keys = format!("{LINES}ccKstacked<Enter>");
    insta::assert_binary_snapshot!(
        "stacked_bars_in_16_colours_at_80x24.svg",
        shown(80, 24, Depth::Sixteen, &keys)
    );
}

#[test]
fn lines_beside_the_rows_at_120x40() {
    let keys = format!("{LINES}c");
    insta::assert_binary_snapshot!(
        "lines_beside_the_rows_at_120x40.svg",
        shown(120, 40, Depth::True, &keys)
    );
}

fn written(line: &str, style: Style) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
    buffer.set_string(0, 0, line, style);
    picture(&buffer, &Palette::DARK)
}

#[test]
fn markup_in_data_is_text() {
    let svg = written("<b>&'\"", Style::new());
    assert!(svg.contains("&lt;b&gt;&amp;&#39;&quot;"), "{svg}");
    assert_eq!(
        svg.matches('<').count(),
        5,
        "svg, rect, text and their ends: {svg}"
    );
}

#[test]
fn wide_letters_take_two_cells_and_what_follows_stands_after_them() {
    let svg = written("日本x", Style::new());
    assert!(svg.contains("<text x='0' y='13'>日</text>"), "{svg}");
    assert!(svg.contains("<text x='16' y='13'>本</text>"), "{svg}");
    assert!(svg.contains("<text x='32' y='13'>x</text>"), "{svg}");
}

#[test]
fn frames_and_bars_are_one_shape_each() {
    let svg = written("────", Style::new());
    assert!(svg.contains("<path d='M0 8h32v1h-32z'/>"), "{svg}");
    let svg = written("██▌", Style::new().fg(Color::Rgb(1, 2, 3)));
    assert!(
        svg.contains("<path d='M0 0h16v17h-16zM16 0h4v17h-4z' fill='#010203'/>"),
        "{svg}"
    );
}

#[test]
fn attributes_are_drawn() {
    let svg = written(
        "ab",
        Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD),
    );
    assert!(
        svg.contains("<rect x='0' y='0' width='16' height='17' fill='#d5dae1'/>"),
        "{svg}"
    );
    assert!(
        svg.contains("fill='#12161c' stroke='#12161c' stroke-width='.5'>ab<"),
        "{svg}"
    );
    let svg = written(
        "ab",
        Style::new()
            .fg(Color::Indexed(196))
            .add_modifier(Modifier::UNDERLINED),
    );
    assert!(
        svg.contains("fill='#ff0000' text-decoration='underline'"),
        "{svg}"
    );
}

#[test]
fn a_picture_becomes_png_with_the_font_of_the_house() {
    let blank = png(&written("", Style::new()), 2.0).unwrap();
    let words = png(&written("words", Style::new()), 2.0).unwrap();
    assert!(words.starts_with(b"\x89PNG\r\n"));
    assert!(words.len() > blank.len(), "letters are drawn");
    let size = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!((size(&words, 16), size(&words, 20)), (12 * 8 * 2, 17 * 2));
    assert!(png("no svg", 1.0).is_err());
}
