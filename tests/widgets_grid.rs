//! The result grid: what is drawn, how it moves, sorts, searches and copies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use metrex::compile::{OutputColumn, Role};
use metrex::model::{ColumnType, Direction, Format, FormatKind, Grain};
use metrex::tui::Theme;
use metrex::tui::widgets::grid::{Copy, CopyFormat, Found, Grid, Heading, Progress};
use metrex::tui::widgets::text::width;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

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

fn sales_columns() -> Vec<OutputColumn> {
    vec![
        column("market", ColumnType::Text, Role::Group),
        OutputColumn {
            grain: Some(Grain::Month),
            ..column("month", ColumnType::Date, Role::Group)
        },
        column("orders", ColumnType::Integer, Role::Metric),
        OutputColumn {
            format: Format {
                kind: FormatKind::Currency,
                currency: Some("USD".into()),
                ..Format::default()
            },
            ..column("gmv", ColumnType::Number, Role::Metric)
        },
        OutputColumn {
            format: Format {
                kind: FormatKind::Percent,
                ..Format::default()
            },
            ..column("take_rate", ColumnType::Number, Role::Metric)
        },
    ]
}

fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let named = columns
        .into_iter()
        .enumerate()
        .map(|(i, array)| (format!("c{i}"), array, true));
    RecordBatch::try_from_iter_with_nullable(named).unwrap()
}

fn sales() -> Grid {
    let mut grid = Grid::new(sales_columns());
    grid.push(batch(vec![
        Arc::new(StringArray::from(vec![Some("ID"), Some("TH")])),
        Arc::new(Date32Array::from(vec![20_393, 20_393])),
        Arc::new(Int64Array::from(vec![Some(1_204_551), Some(98)])),
        Arc::new(Float64Array::from(vec![Some(18_204_112.5), Some(1_022.25)])),
        Arc::new(Float64Array::from(vec![Some(0.0412), None])),
    ]));
    grid.push(batch(vec![
        Arc::new(StringArray::from(vec![
            None,
            Some(""),
            Some("日本語🇯🇵\u{1b}[31m"),
        ])),
        Arc::new(Date32Array::from(vec![Some(20_423), None, Some(20_423)])),
        Arc::new(Int64Array::from(vec![Some(0), Some(-12), None])),
        Arc::new(Float64Array::from(vec![
            Some(0.0),
            Some(f64::NAN),
            Some(-0.004),
        ])),
        Arc::new(Float64Array::from(vec![Some(1.0), Some(0.5), Some(0.25)])),
    ]));
    grid.set_progress(Progress::Complete);
    grid
}

fn drawn(grid: &Grid, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let theme = Theme::plain();
    terminal
        .draw(|frame| grid.draw(frame.area(), frame.buffer_mut(), &theme, true))
        .unwrap();
    terminal.backend().buffer().clone()
}

fn lines(buf: &Buffer) -> Vec<String> {
    let area = buf.area;
    (area.top()..area.bottom())
        .map(|y| {
            let mut line = String::new();
            let mut x = area.left();
            while x < area.right() {
                let symbol = buf[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(width(symbol)).unwrap().max(1);
            }
            line.trim_end().to_owned()
        })
        .collect()
}

fn shown(grid: &Grid, width: u16, height: u16) -> String {
    let position = grid.position(Size::new(width, height));
    format!(
        "{}\n[{position}]",
        lines(&drawn(grid, width, height)).join("\n")
    )
}

/// One integer column, with `rows` rows in batches of 1,000.
fn numbers(rows: i64, value: impl Fn(i64) -> Option<i64>) -> Grid {
    let mut grid = Grid::new(vec![column("n", ColumnType::Integer, Role::Metric)]);
    for start in (0..rows).step_by(1_000) {
        let values = (start..rows.min(start + 1_000)).map(&value);
        grid.push(batch(vec![Arc::new(values.collect::<Int64Array>())]));
    }
    grid.set_progress(Progress::Complete);
    grid
}

fn cell(grid: &Grid, row: usize, column: usize) -> String {
    let mut text = String::new();
    grid.table().read(row, column, &mut text);
    text
}

#[test]
fn a_result_with_totals() {
    let mut grid = sales();
    let metrics: Vec<_> = sales_columns().split_off(2);
    let totals = batch(vec![
        Arc::new(Int64Array::from(vec![1_204_637])),
        Arc::new(Float64Array::from(vec![18_205_134.75])),
        Arc::new(Float64Array::from(vec![None::<f64>])),
    ]);
    grid.set_totals(&metrics, &totals);
    insta::assert_snapshot!(shown(&grid, 80, 8));
}

#[test]
fn totals_without_groups_would_repeat_the_only_row() {
    let mut grid = numbers(1, Some);
    let columns = grid.table().columns().to_vec();
    grid.set_totals(&columns, &batch(vec![Arc::new(Int64Array::from(vec![1]))]));
    assert_eq!(lines(&drawn(&grid, 20, 5)), ["  n", "  0", "", "", ""]);
}

#[test]
fn columns_that_do_not_fit_are_announced_and_reached_by_moving_right() {
    let mut grid = sales();
    grid.set_size(Size::new(50, 7));
    insta::assert_snapshot!("narrow", shown(&grid, 50, 7));
    grid.select(0, 4);
    insta::assert_snapshot!("narrow_scrolled_right", shown(&grid, 50, 7));
    grid.select(0, 1);
    grid.freeze();
    grid.select(0, 4);
    insta::assert_snapshot!("narrow_not_frozen", shown(&grid, 50, 7));
}

#[test]
fn columns_that_are_frozen_no_longer_stay_in_sight() {
    for (width, size) in [(80, Size::new(80, 7)), (50, Size::new(50, 7))] {
        let mut grid = sales();
        grid.set_size(size);
        grid.select(0, 0);
        grid.freeze();
        let header = lines(&drawn(&grid, width, 7))[0].clone();
        let names = ["market", "month"].map(|name| header.find(name));
        assert!(names[0].is_some() && names[0] < names[1], "{header}");
    }
    // On a wider terminal, what was scrolled away comes back.
    let mut grid = sales();
    grid.set_size(Size::new(30, 7));
    grid.select(0, 4);
    grid.set_size(Size::new(200, 7));
    let header = lines(&drawn(&grid, 200, 7))[0].clone();
    assert_eq!(
        header
            .split_whitespace()
            .filter(|word| *word != "│")
            .count(),
        5,
        "{header}"
    );
}

#[test]
fn a_number_that_does_not_fit_is_never_shown_as_another_number() {
    let mut grid = numbers(1, |_| Some(1_234_567));
    for _ in 0..20 {
        grid.resize_column(-1);
    }
    assert_eq!(lines(&drawn(&grid, 20, 2)), ["  n", "###"]);
    grid.resize_column(6);
    assert_eq!(lines(&drawn(&grid, 20, 2)), ["        n", "1,234,567"]);
}

#[test]
fn a_large_number_far_below_the_first_rows_still_fits() {
    let grid = numbers(3_000, |i| Some(if i == 2_777 { -9_000_000_000 } else { i }));
    assert_eq!(lines(&drawn(&grid, 20, 1)), ["             0"]);
}

#[test]
fn the_columns_of_a_metric_stay_apart_when_they_are_narrow() {
    let mut grid = Grid::new(vec![
        column("conversion_rate", ColumnType::Number, Role::Metric),
        column("conversion_rate_prior", ColumnType::Number, Role::Prior),
        column("conversion_rate_change", ColumnType::Number, Role::Change),
        column(
            "conversion_rate_change_pct",
            ColumnType::Number,
            Role::ChangePercent,
        ),
    ]);
    let header = |grid: &Grid| lines(&drawn(grid, 90, 2)).remove(0);
    assert_eq!(
        header(&grid),
        "conversion_rate  conversion_rate prior  conversion_rate Δ  conversion_rate Δ%"
    );
    for column in 0..4 {
        grid.select(0, column);
        grid.resize_column(-100);
        grid.resize_column(7);
    }
    assert_eq!(
        header(&grid),
        "conversio…  con… prior  convers… Δ  conver… Δ%"
    );
}

#[test]
fn the_position_says_what_is_known() {
    let size = Size::new(40, 11);
    let mut grid = Grid::new(sales_columns());
    assert_eq!(grid.position(Size::new(120, 5)), "waiting for rows");
    grid.set_progress(Progress::Complete);
    assert_eq!(grid.position(Size::new(120, 5)), "no rows");

    grid = numbers(100_000, Some);
    grid.set_size(size);
    grid.select(109, 0);
    assert_eq!(grid.position(size), "rows 101–110 of 100,000");
    grid.set_progress(Progress::Streaming);
    assert_eq!(grid.position(size), "rows 101–110 of 100,000+");
    grid.set_progress(Progress::Cut);
    assert_eq!(
        grid.position(size),
        "rows 101–110 of 100,000, cut at 100,000"
    );
    grid.set_progress(Progress::Stopped);
    assert_eq!(grid.position(size), "rows 101–110 of the first 100,000");
}

#[test]
fn the_view_stays_where_the_reader_left_it() {
    let mut grid = numbers(1_000, Some);
    grid.set_size(Size::new(40, 11));
    let first = |grid: &Grid| lines(&drawn(grid, 40, 11))[1].trim().to_owned();
    grid.move_by(9, 0);
    assert_eq!(first(&grid), "0");
    grid.move_by(1, 0);
    assert_eq!(first(&grid), "1");
    grid.move_by(-5, 0);
    assert_eq!(first(&grid), "1", "the selection moves up within the view");
    grid.page(1);
    assert_eq!(
        (first(&grid).as_str(), grid.selected()),
        ("10", Some((14, 0)))
    );
    grid.scroll(3);
    assert_eq!(
        (first(&grid).as_str(), grid.selected()),
        ("13", Some((14, 0)))
    );
    grid.scroll(3);
    assert_eq!(
        (first(&grid).as_str(), grid.selected()),
        ("16", Some((16, 0)))
    );
    grid.to_last_row();
    assert_eq!(
        (first(&grid).as_str(), grid.selected()),
        ("990", Some((999, 0)))
    );
    grid.to_first_row();
    assert_eq!(
        (first(&grid).as_str(), grid.selected()),
        ("0", Some((0, 0)))
    );
}

#[test]
fn a_click_finds_the_cell_it_was_meant_for() {
    let grid = sales();
    let area = Rect::new(3, 2, 80, 7);
    let at = |text: &str| {
        let found = lines(&drawn(&grid, 80, 7));
        let y = found.iter().position(|line| line.contains(text)).unwrap();
        let x = width(found[y].split(text).next().unwrap());
        (3 + u16::try_from(x).unwrap(), 2 + u16::try_from(y).unwrap())
    };
    let (x, y) = at("1,022.25");
    assert_eq!(grid.cell_at(x, y, area), Some((1, 3)));
    let (x, y) = at("orders");
    assert_eq!(grid.cell_at(x, y, area), None);
    assert_eq!(grid.header_at(x, y, area), Some(2));
    assert_eq!(grid.cell_at(3, 8, area), None, "below the last row");
    assert_eq!(grid.cell_at(2, 4, area), None, "outside");
}

#[test]
fn sorting_puts_nulls_last_and_keeps_equal_rows_in_their_order() {
    let mut grid = sales();
    let mut sort = |direction| {
        let order = grid.sort_request(0, direction).unwrap().run().unwrap();
        assert!(grid.apply(order));
        (0..5).map(|row| cell(&grid, row, 0)).collect::<Vec<_>>()
    };
    let strange = "日本語🇯🇵\\u{1b}[31m";
    assert_eq!(
        sort(Direction::Ascending),
        ["", "ID", "TH", strange, "NULL"]
    );
    assert_eq!(
        sort(Direction::Descending),
        [strange, "TH", "ID", "", "NULL"]
    );
    assert!(lines(&drawn(&grid, 80, 7))[0].starts_with("market ▼"));
    grid.unsort();
    assert_eq!(cell(&grid, 0, 0), "ID");
}

#[test]
fn the_sort_key_goes_from_descending_to_ascending_to_none() {
    let mut grid = numbers(3, Some);
    assert_eq!(grid.next_direction(0), Some(Direction::Descending));
    let order = grid
        .sort_request(0, Direction::Descending)
        .unwrap()
        .run()
        .unwrap();
    grid.apply(order);
    assert_eq!(grid.next_direction(0), Some(Direction::Ascending));
    let order = grid
        .sort_request(0, Direction::Ascending)
        .unwrap()
        .run()
        .unwrap();
    grid.apply(order);
    assert_eq!(grid.next_direction(0), None);
}

#[test]
fn rows_that_come_after_sorting_are_shown_at_the_end_and_said_to_be_unsorted() {
    let mut grid = numbers(10, |i| Some(i % 3));
    let order = grid
        .sort_request(0, Direction::Descending)
        .unwrap()
        .run()
        .unwrap();
    grid.push(batch(vec![Arc::new(Int64Array::from(vec![7]))]));
    assert!(grid.apply(order));
    assert!(grid.sort_is_stale());
    assert_eq!(cell(&grid, 10, 0), "7");
    assert!(
        grid.position(Size::new(40, 5))
            .ends_with("newest rows not sorted")
    );
}

#[test]
fn an_order_of_a_larger_result_is_refused() {
    let order = numbers(10, Some)
        .sort_request(0, Direction::Ascending)
        .unwrap()
        .run()
        .unwrap();
    assert!(!numbers(9, Some).apply(order));
}

#[test]
fn search_goes_around_once_in_both_directions() {
    let mut grid = sales();
    let found = |grid: &Grid, text: &str, heading| grid.find(text, heading).step(usize::MAX);
    assert_eq!(found(&grid, "2025-12", Heading::Forward), Found::At(2, 1));
    grid.select(2, 1);
    assert_eq!(found(&grid, "2025-12", Heading::Forward), Found::At(4, 1));
    assert_eq!(found(&grid, "2025-12", Heading::Backward), Found::At(4, 1));
    assert_eq!(
        found(&grid, "th", Heading::Forward),
        Found::At(1, 0),
        "small letters match any"
    );
    assert_eq!(
        found(&grid, "tH", Heading::Forward),
        Found::Nowhere,
        "capitals match capitals"
    );
    assert_eq!(
        found(&grid, "1,204", Heading::Forward),
        Found::At(0, 2),
        "what is displayed"
    );
    assert_eq!(found(&grid, "", Heading::Forward), Found::Nowhere);
    grid.select(0, 0);
    assert_eq!(
        found(&grid, "ID", Heading::Forward),
        Found::At(0, 0),
        "the cell itself comes last"
    );
}

#[test]
fn a_long_search_can_be_made_in_slices() {
    let grid = numbers(10_000, Some);
    let mut find = grid.find("9,999", Heading::Forward);
    let mut slices = 0;
    let found = loop {
        slices += 1;
        match find.step(1_000) {
            Found::NotYet => {}
            found => break found,
        }
    };
    assert_eq!((found, slices), (Found::At(9_999, 0), 10));
}

#[test]
fn found_letters_are_marked() {
    let mut grid = sales();
    grid.highlight("204");
    let buf = drawn(&grid, 80, 7);
    let theme = Theme::plain();
    let line = &lines(&buf)[1];
    let x = u16::try_from(width(line.split("204").next().unwrap())).unwrap();
    let is_marked = |x: u16| buf[(x, 1)].modifier.contains(theme.match_.add_modifier);
    assert!(!is_marked(x - 1) && is_marked(x) && is_marked(x + 2) && !is_marked(x + 3));
}

#[test]
fn copies_for_machines_and_for_people() {
    let grid = sales();
    let copy = |what, format| grid.table().copy(what, format, 100).text;
    let cell = Copy::Cell { row: 0, column: 3 };
    assert_eq!(copy(cell.clone(), CopyFormat::Tsv), "18204112.5");
    assert_eq!(copy(cell.clone(), CopyFormat::Markdown), "$18,204,112.50");
    assert_eq!(copy(cell.clone(), CopyFormat::Json), "18204112.5");
    insta::assert_snapshot!("all_csv", copy(Copy::All, CopyFormat::Csv));
    insta::assert_snapshot!("all_markdown", copy(Copy::All, CopyFormat::Markdown));
    insta::assert_snapshot!("row_json", copy(Copy::Row(1), CopyFormat::Json));
    assert_eq!(
        copy(Copy::Column(2), CopyFormat::Tsv),
        "orders\n1204551\n98\n0\n-12\n\n"
    );
    assert_eq!(
        copy(
            Copy::Cell {
                row: 99,
                column: 99
            },
            CopyFormat::Csv
        ),
        ""
    );
}

#[test]
fn a_capped_copy_says_what_it_left_out() {
    let copied = numbers(1_000, Some)
        .table()
        .copy(Copy::All, CopyFormat::Csv, 10);
    assert_eq!((copied.rows, copied.left_out), (10, 990));
    assert_eq!(copied.text.lines().count(), 11);
}

/// In every line, a glyph begins at each of the edges and none sticks out of the buffer.
fn edges_hold(buf: &Buffer, edges: &[u16]) -> bool {
    (buf.area.top()..buf.area.bottom()).all(|y| {
        let mut x = 0;
        let mut starts = Vec::new();
        while x < buf.area.right() {
            starts.push(x);
            x += u16::try_from(width(buf[(x, y)].symbol())).unwrap().max(1);
        }
        x == buf.area.right() && edges.iter().all(|edge| starts.contains(edge))
    })
}

fn any_texts() -> impl Strategy<Value = Vec<Option<String>>> {
    let strange = "(\\PC|[日本👩🇯ｶﾞ\u{301}\u{200d}\u{fe0f}\u{1b}\u{202e}\n]){0,30}";
    proptest::collection::vec(proptest::option::of(strange), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_panics_and_columns_keep_their_edges(
        batches in proptest::collection::vec(any_texts(), 0..4),
        moves in proptest::collection::vec((0_u8..12, -70_isize..70), 0..12),
        (width, height) in (0_u16..60, 0_u16..14),
    ) {
        let columns = ["first", "second", "third"]
            .map(|name| column(name, ColumnType::Text, Role::Group));
        let mut grid = Grid::new(columns.to_vec());
        let area = Rect::new(0, 0, width, height);
        grid.set_size(area.as_size());
        let mut moves = moves.into_iter();
        for texts in batches {
            let array: ArrayRef = Arc::new(StringArray::from(texts));
            grid.push(batch(vec![array.clone(), array.clone(), array]));
            for (kind, by) in moves.by_ref().take(4) {
                match kind {
                    0 => grid.move_by(by, 0),
                    1 => grid.move_by(0, by),
                    2 => grid.page(by),
                    3 => grid.scroll(by),
                    4 => grid.to_last_row(),
                    5 => grid.select(by.unsigned_abs(), usize::MAX),
                    6 => grid.resize_column(i16::try_from(by).unwrap()),
                    7 => grid.freeze(),
                    8 => grid.select(by.unsigned_abs(), by.unsigned_abs()),
                    9 => grid.highlight("a"),
                    10 => {
                        let order = grid.sort_request(0, Direction::Descending).unwrap().run().unwrap();
                        grid.apply(order);
                    }
                    _ => grid.set_progress(Progress::Cut),
                }
            }
            let mut buf = Buffer::empty(area);
            grid.draw(area, &mut buf, &Theme::plain(), true);
            let edges: Vec<u16> = (1..width)
                .filter(|&x| grid.header_at(x, 0, area) != grid.header_at(x - 1, 0, area))
                .collect();
            prop_assert!(edges_hold(&buf, &edges));
            if let Some(selected) = grid.selected() && !area.is_empty() {
                let mut places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
                let is_shown = places.any(|(x, y)| grid.cell_at(x, y, area) == Some(selected));
                prop_assert!(is_shown, "the selected cell is on the screen");
            }
            grid.position(area.as_size());
        }
    }

    #[test]
    fn sorted_rows_are_those_of_a_plain_stable_sort(
        values in proptest::collection::vec(proptest::option::of(-5_i64..5), 0..80),
        descending in any::<bool>(),
    ) {
        let mut grid = Grid::new(vec![
            column("n", ColumnType::Integer, Role::Metric),
            column("i", ColumnType::Integer, Role::Metric),
        ]);
        let mut rows: Vec<(Option<i64>, i64)> = values.into_iter().zip(0..).collect();
        for chunk in rows.chunks(7) {
            let n: Int64Array = chunk.iter().map(|row| row.0).collect();
            let i: Int64Array = chunk.iter().map(|row| Some(row.1)).collect();
            grid.push(batch(vec![Arc::new(n), Arc::new(i)]));
        }
        let direction = if descending { Direction::Descending } else { Direction::Ascending };
        let order = grid.sort_request(0, direction).unwrap().run().unwrap();
        grid.apply(order);
        rows.sort_by_key(|(n, _)| (n.is_none(), n.map(|n| if descending { -n } else { n })));
        for (row, (_, i)) in rows.into_iter().enumerate() {
            prop_assert_eq!(cell(&grid, row, 1), i.to_string());
        }
    }

    #[test]
    fn csv_and_tsv_read_back_as_they_were(
        texts in proptest::collection::vec(any::<String>(), 1..20),
    ) {
        let mut grid = Grid::new(vec![
            column("a,b", ColumnType::Text, Role::Group),
            column("c\"d", ColumnType::Text, Role::Group),
        ]);
        let array: ArrayRef = Arc::new(StringArray::from(texts.clone()));
        grid.push(batch(vec![array.clone(), array]));
        for (format, delimiter) in [(CopyFormat::Csv, b','), (CopyFormat::Tsv, b'\t')] {
            let copied = grid.table().copy(Copy::All, format, usize::MAX);
            let mut reader = csv::ReaderBuilder::new()
                .delimiter(delimiter)
                .from_reader(copied.text.as_bytes());
            let names: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
            prop_assert_eq!(names, ["a,b", "c\"d"]);
            let read: Vec<String> =
                reader.records().map(|record| record.unwrap()[1].to_owned()).collect();
            prop_assert_eq!(&read, &texts);
        }
    }
}
