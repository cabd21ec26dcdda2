//! The rows of a result as the reader wants them: columns arranged, rows filtered, numbers decorated, groups pivoted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use metrex::compile::{OutputColumn, Role};
use metrex::model::{ColumnType, Format, FormatKind};
use metrex::tui::Theme;
use metrex::tui::widgets::grid::{Found, Grid, Heading, Progress, Switch};
use metrex::tui::widgets::json_tree::JsonTree;
use metrex::tui::widgets::text::width;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use support::Explorer;

/// The rows of a query, ready to be looked at.
fn result(line: &str) -> Explorer {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys(&format!("<F2><Ctrl+U>{line}<Enter>"));
    assert!(
        explorer.state.result.grid.is_some(),
        "{:?}",
        explorer.screen()
    );
    explorer
}

/// Does what a command of the palette says.
fn command(explorer: &mut Explorer, title: &str) {
    explorer.keys(&format!("<Ctrl+P>{title}<Enter>"));
}

fn notice(explorer: &Explorer) -> String {
    format!("{:?}", explorer.state.notice)
}

/// The line of the screen that has a text.
fn line(explorer: &mut Explorer, text: &str) -> String {
    let screen = explorer.screen();
    let found = screen.lines().find(|line| line.contains(text));
    found
        .unwrap_or_else(|| panic!("no '{text}':\n{screen}"))
        .to_owned()
}

fn header(explorer: &mut Explorer) -> Vec<String> {
    let words = line(explorer, "│ market").replace(['│', '›'], " ");
    words.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn columns_are_hidden_moved_and_brought_back_and_the_next_run_keeps_them() {
    let mut explorer = result("gmv, orders, aov by market, channel");
    explorer.keys("l");
    command(&mut explorer, "Hide the column");
    assert!(notice(&explorer).contains("Channel is hidden"));
    explorer.keys("l");
    command(&mut explorer, "Move the column to the left");
    assert_eq!(header(&mut explorer), ["market", "orders", "gmv", "aov"]);
    assert_shows!(explorer, "1 hidden");
    explorer.keys("<F5>");
    assert_eq!(header(&mut explorer), ["market", "orders", "gmv", "aov"]);
    command(&mut explorer, "Show all columns");
    assert_eq!(
        header(&mut explorer),
        ["market", "channel", "orders", "gmv", "aov"]
    );
    explorer.keys("<F2><Ctrl+U>gmv by market<Enter>");
    assert_eq!(header(&mut explorer), ["market", "gmv"]);
    explorer.keys("l");
    command(&mut explorer, "Hide the column");
    command(&mut explorer, "Hide the column");
    assert!(notice(&explorer).contains("the last column stays"));
}

#[test]
fn rows_are_filtered_by_text_pattern_and_condition() {
    let mut explorer = result("gmv by market, channel");
    explorer.keys("&VN");
    assert_shows!(explorer, "text or pattern · 4 of 16 rows");
    explorer.keys("<Enter>");
    assert_shows!(explorer, "rows 1–4 of 4", "4 of 16 rows");
    explorer.keys("&<Ctrl+U>^(id|th)$");
    assert_shows!(explorer, "8 of 16 rows");
    explorer.keys("<Ctrl+U>market = sg and channel is null");
    assert_shows!(explorer, "condition · 1 of 16 rows");
    explorer.keys("<Ctrl+U>gmv > 18K");
    let kept = explorer.state.result.grid.as_ref().unwrap().table().rows();
    assert!(kept > 0 && kept < 16, "{kept}");
    explorer.keys("<Ctrl+U>price > 3");
    assert_shows!(explorer, "no column 'price', so text · 0 of 16 rows");
    explorer.keys("<Enter>");
    assert_shows!(explorer, "no rows match");
    explorer.keys("<Esc>");
    assert_shows!(explorer, "rows 1–14 of 16");
}

#[test]
fn a_filter_holds_while_rows_are_sorted_and_esc_takes_it_away() {
    let mut explorer = result("gmv by market, channel");
    explorer.keys("&ads|email<Enter>lls");
    let grid = explorer.state.result.grid.as_ref().unwrap();
    assert_eq!(grid.table().rows(), 8);
    let values: Vec<f64> = (0..8).map(|row| number(grid, row, 2)).collect();
    assert!(values.is_sorted_by(|one, other| one >= other), "{values:?}");
    explorer.keys("&<Ctrl+U>ads<Enter>");
    let grid = explorer.state.result.grid.as_ref().unwrap();
    let values: Vec<f64> = (0..4).map(|row| number(grid, row, 2)).collect();
    assert!(values.is_sorted_by(|one, other| one >= other), "{values:?}");
    explorer.keys("<Esc>");
    let grid = explorer.state.result.grid.as_ref().unwrap();
    let values: Vec<f64> = (0..16).map(|row| number(grid, row, 2)).collect();
    assert!(values.is_sorted_by(|one, other| one >= other), "{values:?}");
}

fn number(grid: &Grid, row: usize, column: usize) -> f64 {
    let (array, index) = grid.table().cell(row, column).unwrap();
    let numbers = array.as_any().downcast_ref::<Float64Array>();
    numbers.map_or_else(
        || {
            let whole = array.as_any().downcast_ref::<Int64Array>().unwrap();
            whole.value(index) as f64
        },
        |numbers| numbers.value(index),
    )
}

#[test]
fn subtotals_come_from_the_engine_and_not_from_adding_rows_up() {
    let mut explorer = result("aov by market, channel");
    let mut of_markets = result("aov by market");
    command(&mut explorer, "Subtotals, computed");
    let grid = explorer.state.result.grid.as_ref().unwrap();
    assert_eq!(grid.table().rows(), 20);
    let expected = of_markets.state.result.grid.take().unwrap();
    let mut text = String::new();
    let mut subtotals = 0;
    for row in 0..20 {
        if grid.table().is_subtotal(row) {
            grid.table().read(row, 0, &mut text);
            let market = (0..4).find(|&at| {
                let mut other = String::new();
                expected.table().read(at, 0, &mut other);
                other == text
            });
            assert_eq!(number(grid, row, 2), number(&expected, market.unwrap(), 1));
            assert!(grid.table().is_absent(row, 1));
            subtotals += 1;
        }
    }
    assert_eq!(subtotals, 4);
    assert_shows!(explorer, "Total", "of 20, 4 of them subtotals");
    explorer.keys("lls");
    let screen = explorer.screen();
    assert!(!screen.contains("not sorted"), "{screen}");
    explorer.keys("ss&ads");
    assert_shows!(explorer, "4 of 16 rows");
    explorer.keys("<Esc>");
    assert_eq!(
        explorer.state.result.grid.as_ref().unwrap().table().rows(),
        20
    );
    command(&mut explorer, "Subtotals, computed");
    assert_eq!(
        explorer.state.result.grid.as_ref().unwrap().table().rows(),
        16
    );
}

#[test]
fn subtotals_that_would_mislead_are_refused_with_the_reason() {
    let mut explorer = result("gmv by market");
    command(&mut explorer, "Subtotals, computed");
    assert!(notice(&explorer).contains("two or more groupings"));
    let mut explorer = result("gmv by market, channel order by gmv desc limit 5");
    command(&mut explorer, "Subtotals, computed");
    assert!(notice(&explorer).contains("the limit leaves rows out"));
    let mut explorer = result("gmv by market, channel where gmv > 15000");
    command(&mut explorer, "Subtotals, computed");
    assert!(
        notice(&explorer).contains("condition on a metric"),
        "{}",
        notice(&explorer)
    );
}

#[test]
fn a_group_is_pivoted_into_columns_and_back() {
    let mut explorer = result("gmv by market, month 2026-03-01..2026-11-20");
    explorer.keys("l");
    command(&mut explorer, "Pivot this group");
    let columns = header(&mut explorer);
    assert_eq!(columns[..3], ["market", "2026-03", "2026-04"]);
    explorer.keys("lllllllll");
    assert_shows!(explorer, "2026-11 ◔");
    explorer.keys("E");
    assert!(
        !notice(&explorer).contains("many rows"),
        "a number of one market and month"
    );
    explorer.keys("<Esc>hhhhhhhhhE");
    assert!(
        notice(&explorer).contains("of many rows"),
        "{}",
        notice(&explorer)
    );
    let grid = explorer.state.result.grid.as_ref().unwrap();
    assert_eq!(grid.table().rows(), 4);
    let (table, row, column) = grid.behind(1, 2).unwrap();
    assert_eq!(table.columns()[column].name, "gmv");
    assert_eq!(table.cell(row, column).unwrap().1, row);
    command(&mut explorer, "Pivot this group");
    assert_eq!(header(&mut explorer), ["market", "month", "gmv"]);
    explorer.keys("l");
    command(&mut explorer, "Pivot this group");
    assert!(
        notice(&explorer).contains("no grouping"),
        "{}",
        notice(&explorer)
    );
}

#[test]
fn rows_show_their_trend_over_whole_periods() {
    let mut explorer = result("gmv by market 2026-04-01..2026-11-20");
    command(&mut explorer, "Sparklines");
    assert!(
        notice(&explorer).contains("whole months"),
        "{}",
        notice(&explorer)
    );
    let row = line(&mut explorer, "│ VN");
    assert!(row.contains(['▁', '█']), "{row}");
    command(&mut explorer, "Sparklines");
    assert!(!line(&mut explorer, "│ VN").contains('█'));
    let mut explorer = result("gmv by month");
    command(&mut explorer, "Sparklines");
    assert!(notice(&explorer).contains("periods already"));
}

#[test]
fn a_period_that_is_not_over_is_marked() {
    let mut explorer = result("gmv by month 2026-09-01..2026-11-20");
    assert!(line(&mut explorer, "│ 2026-11").contains('◔'));
    assert!(!line(&mut explorer, "│ 2026-10").contains('◔'));
    assert_shows!(explorer, "◔ not a whole period");
}

#[test]
fn numbers_are_shaded_drawn_and_shortened() {
    let mut explorer = result("gmv by market");
    command(&mut explorer, "Heat map");
    command(&mut explorer, "Bars beside");
    let screen = explorer.screen();
    assert!(screen.contains("██████████"), "{screen}");
    // The largest number is the darkest, the smallest has no shade.
    assert!(line(&mut explorer, "│ TH").contains("█ █"));
    assert!(!line(&mut explorer, "│ VN").contains("█ █"));
    command(&mut explorer, "Compact numbers");
    let screen = explorer.screen();
    assert!(screen.contains("K"), "{screen}");
    let row = line(&mut explorer, "│ ID");
    assert!(!row.contains(','), "{row}");
}

#[test]
fn a_row_is_read_as_a_form_and_the_next_one_too() {
    let mut explorer = result("gmv, orders by market");
    command(&mut explorer, "See the row as a form");
    assert_shows!(explorer, "row 1 of 4", "Gross merchandise value", "Orders");
    explorer.keys("<Right>");
    assert_shows!(explorer, "row 2 of 4");
    explorer.keys("<Esc>");
    assert_eq!(
        explorer.state.result.grid.as_ref().unwrap().selected(),
        Some((1, 0))
    );
}

fn column(name: &str, ty: ColumnType, role: Role) -> OutputColumn {
    OutputColumn {
        name: name.to_owned(),
        label: name.to_owned(),
        role,
        ty,
        format: Format::default(),
        grain: None,
        additive: true,
    }
}

fn grid(columns: Vec<OutputColumn>, arrays: Vec<ArrayRef>) -> Grid {
    let mut grid = Grid::new(columns);
    let named = arrays
        .into_iter()
        .enumerate()
        .map(|(i, array)| (format!("c{i}"), array, true));
    grid.push(RecordBatch::try_from_iter_with_nullable(named).unwrap());
    grid.set_progress(Progress::Complete);
    grid
}

fn drawn(grid: &Grid, cells: u16, rows: u16) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, cells, rows));
    grid.draw(buf.area, &mut buf, &Theme::plain(), false);
    buf
}

fn row_text(buf: &Buffer, y: u16) -> String {
    (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect()
}

#[test]
fn decimal_points_are_in_line_and_zero_null_and_nothing_look_different() {
    let percent = OutputColumn {
        format: Format {
            kind: FormatKind::Percent,
            ..Format::default()
        },
        ..column("rate", ColumnType::Number, Role::Metric)
    };
    let values = Float64Array::from(vec![Some(0.5), Some(0.00004), Some(0.0), None]);
    let grid = grid(vec![percent], vec![Arc::new(values)]);
    let buf = drawn(&grid, 12, 5);
    let point = |y| row_text(&buf, y).find('.');
    assert_eq!(point(1), point(2));
    assert_eq!(point(2), point(3));
    assert!(row_text(&buf, 4).contains("NULL"));
}

#[test]
fn compact_numbers_round_up_to_the_next_unit() {
    let values = Int64Array::from(vec![950, 1_234, 999_950, -18_204_112, 3_000_000_000]);
    let mut grid = grid(
        vec![column("n", ColumnType::Integer, Role::Metric)],
        vec![Arc::new(values)],
    );
    assert_eq!(grid.switch(Switch::Short), Some(true));
    let buf = drawn(&grid, 12, 6);
    let shown: Vec<String> = (1..6)
        .map(|y| row_text(&buf, y).trim().to_owned())
        .collect();
    assert_eq!(shown, ["950", "1.2K", "1.0M", "-18.2M", "3.0B"]);
}

#[test]
fn a_search_takes_patterns_and_finds_what_is_written_too() {
    let texts = StringArray::from(vec!["ID-17", "$1,204", "th"]);
    let grid = grid(
        vec![column("t", ColumnType::Text, Role::Group)],
        vec![Arc::new(texts)],
    );
    let find = |text: &str| grid.find(text, Heading::Forward).step(usize::MAX);
    assert_eq!(find(r"-\d+$"), Found::At(0, 0));
    assert_eq!(find("$1,204"), Found::At(1, 0));
    assert_eq!(find("^T"), Found::Nowhere);
    assert_eq!(find("^t"), Found::At(2, 0));
    assert_eq!(
        find("(1"),
        Found::Nowhere,
        "no pattern is looked for as it is written"
    );
}

#[test]
fn json_folds_and_says_where_one_is() {
    let mut tree =
        JsonTree::read(r#"{"id": 7, "items": [{"sku": "a\u001b[31m"}, {"sku": null}]}"#).unwrap();
    let shown = |tree: &JsonTree| {
        let mut buf = Buffer::empty(Rect::new(0, 0, 40, 8));
        tree.draw(buf.area, &mut buf, &Theme::plain());
        (0..8)
            .map(|y| row_text(&buf, y).trim_end().to_owned())
            .collect::<Vec<_>>()
    };
    tree.set_height(8);
    assert_eq!(
        shown(&tree)[..5],
        [
            "▾ {2}",
            "    id 7",
            "  ▾ items [2]",
            "    ▾ [0] {1}",
            "        sku \"a\\u{1b}[31m\""
        ]
    );
    tree.move_by(2);
    tree.toggle();
    assert_eq!(
        shown(&tree)[..4],
        ["▾ {2}", "    id 7", "  ▸ items [2]", ""]
    );
    tree.unfold();
    tree.unfold();
    tree.unfold();
    assert_eq!(tree.path(), ".items[0].sku");
    assert_eq!(tree.value(), "a\u{1b}[31m");
    tree.fold();
    assert_eq!(tree.path(), ".items[0]");
    tree.fold_all(true);
    assert_eq!(tree.path(), "");
    assert!(JsonTree::read("plain").is_none());
    assert!(JsonTree::read("{broken").is_none());
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(|c| c.to_string()),
        Just("\u{1b}[31m".to_owned()),
        Just("\u{1b}]52;c;eA==\u{7}".to_owned()),
        Just("\u{9b}2J".to_owned()),
        Just("\r\n\t\u{8}".to_owned()),
        Just("\u{202e}abc\u{2066}".to_owned()),
        Just("שלום עולם".to_owned()),
        Just("مرحبا".to_owned()),
        Just("日本語".to_owned()),
        Just("👩‍👩‍👧e\u{301}🇯🇵".to_owned()),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands in the data: no byte of it drives the terminal, what runs from right to left is closed in its
    /// cell, and the columns stay where they are.
    #[test]
    fn no_text_reaches_beyond_its_cell(
        texts in proptest::collection::vec(hostile(), 1..6),
        cells in 8_u16..60,
        typed in hostile(),
    ) {
        let count = texts.len();
        let end: ArrayRef = Arc::new(Int64Array::from(vec![7; count]));
        let mut grid = grid(
            vec![
                column("t", ColumnType::Text, Role::Group),
                column("n", ColumnType::Integer, Role::Metric),
            ],
            vec![Arc::new(StringArray::from(texts)), end],
        );
        grid.highlight(&typed);
        let buf = drawn(&grid, cells, 8);
        let mut edges = Vec::new();
        for y in 0..8 {
            let line = row_text(&buf, y);
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            let marks = |c: char| line.matches(c).count();
            prop_assert!(!line.contains(['\u{202e}', '\u{202d}', '\u{2066}', '\u{2067}']), "{line:?}");
            prop_assert_eq!(marks('\u{2068}'), marks('\u{2069}'));
            let mut x = 0;
            while x < cells {
                let symbol = buf[(x, y)].symbol();
                let taken = u16::try_from(width(symbol)).unwrap().max(1);
                prop_assert!(x + taken <= cells, "{symbol:?} at {x}");
                if symbol == "│" {
                    edges.push(x);
                }
                x += taken;
            }
        }
        // The texts may hold that sign themselves only in the first column, left of the edge.
        if let Some(edge) = edges.iter().max().copied() {
            for y in 1..=u16::try_from(count).unwrap() {
                prop_assert_eq!(buf[(edge, y)].symbol(), "│");
            }
        }
    }
}
