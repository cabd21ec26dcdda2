//! Copies out of a result as queries: a row, a number, a value; and the signs and colours beside its numbers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use metrex::tui::widgets::chart::Glyphs;
use metrex::tui::widgets::grid::{Copy, CopyFormat};
use metrex::tui::{Depth, Theme};
use ratatui::style::Color;
use support::Explorer;

fn result(line: &str, keys: &str) -> Explorer {
    let mut explorer = Explorer::new(120, 24);
    explorer.keys(&format!("<F2>{line}<Enter>")).keys(keys);
    explorer
}

/// What is copied of the cell under the cursor.
fn copied(explorer: &mut Explorer, what: &str) -> String {
    explorer.keys(&format!("y{what}<Enter>"));
    let said = explorer.screen();
    explorer
        .copied
        .pop()
        .unwrap_or_else(|| panic!("nothing was copied:\n{said}"))
}

/// The row under the cursor, as text.
fn row(explorer: &Explorer) -> String {
    let grid = explorer.state.result.grid.as_ref().unwrap();
    let (row, _) = grid.selected().unwrap();
    grid.table().copy(Copy::Row(row), CopyFormat::Csv, 1).text
}

#[test]
fn a_row_is_copied_as_the_query_that_has_it_alone() {
    for (line, query) in [
        ("gmv by market", "gmv by market where market = TH all time"),
        (
            "gmv, orders by market, month top 3 by gmv",
            "gmv, orders by market, month where market = TH 2026-10",
        ),
    ] {
        let mut explorer = result(line, "/TH<Enter><Tab>");
        let before = row(&explorer);
        let text = copied(&mut explorer, "row as query line");
        assert_eq!(text, query);
        explorer.keys(&format!("<F2><Ctrl+U>{text}<Enter>"));
        let grid = explorer.state.result.grid.as_ref().unwrap();
        assert_eq!(grid.table().rows(), 1, "{text}");
        assert_eq!(row(&explorer), before, "{text}");
    }
}

#[test]
fn a_period_becomes_the_range_and_what_it_is_compared_with_stays() {
    let mut explorer = result(
        "gmv by month last 3 months vs previous period",
        "<Down><Right>",
    );
    let before = row(&explorer);
    let text = copied(&mut explorer, "row as query line");
    assert!(
        text.contains(" 2026-09") && text.contains("3 months ago"),
        "{text}"
    );
    explorer.keys(&format!("<F2><Ctrl+U>{text}<Enter>"));
    assert_eq!(row(&explorer), before, "{text}");
}

#[test]
fn a_number_is_copied_with_its_metric_alone_and_as_sql() {
    let mut explorer = result("gmv, orders by market", "<Down><Right><Right>");
    let text = copied(&mut explorer, "cell as query line");
    assert_eq!(text, "orders by market where market = SG all time");
    let sql = copied(&mut explorer, "cell as sql");
    assert!(sql.contains("'SG'") && !sql.contains("amount"), "{sql}");
    let sql = copied(&mut explorer, "row as sql");
    assert!(sql.contains("'SG'") && sql.contains("amount"), "{sql}");
    explorer.keys("<Left><Left>");
    let text = copied(&mut explorer, "cell as query line");
    assert_eq!(
        text, "gmv, orders by market where market = SG",
        "a grouping: its value"
    );
}

#[test]
fn what_comes_from_all_rows_is_no_row_alone() {
    let mut explorer = result("gmv share by market", "<Down><Right>");
    explorer.keys("yrow as query");
    assert_shows!(
        explorer,
        "shares, ranks and running sums come from all rows"
    );
    explorer.keys("<Esc>");
    let text = copied(&mut explorer, "cell as query line");
    assert_eq!(text, "gmv by market where market = SG all time");
}

#[test]
fn a_heat_map_has_colours_at_every_depth() {
    let shades = |depth| {
        let theme = Theme::load("dark", &[], depth).unwrap();
        [0.0, 0.5, 1.0].map(|place| theme.shade(place).and_then(|style| style.bg))
    };
    let [low, middle, high] = shades(Depth::Indexed);
    for shade in [low, middle, high] {
        assert!(matches!(shade, Some(Color::Indexed(16..))), "{shade:?}");
    }
    assert!(low != middle && middle != high);
    assert_eq!(
        shades(Depth::Sixteen),
        [Some(Color::Blue), None, Some(Color::Yellow)]
    );
    assert_eq!(shades(Depth::None), [None, None, None]);
    for name in Theme::names(&[]) {
        let theme = Theme::load(&name, &[], Depth::Sixteen).unwrap();
        assert_eq!(theme.shade(1.0).is_some(), name != "mono", "{name}");
    }
}

#[test]
fn without_utf_8_what_stands_beside_numbers_is_ascii() {
    let mut explorer = result("gmv by market last 6 months", "<Right>");
    explorer.state.setting.glyphs = Glyphs::Ascii;
    explorer.keys("<z m><z b><z l>");
    let screen = explorer.screen();
    assert!(screen.contains("##########"), "{screen}");
    let strange = |c: char| ('\u{2580}'..='\u{259f}').contains(&c);
    assert!(!screen.contains(strange), "{screen}");
    explorer.state.setting.glyphs = Glyphs::Braille;
    let screen = explorer.keys("<Down>").screen();
    assert!(screen.contains("██████████"), "{screen}");
}
