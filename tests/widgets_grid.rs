//! The result grid: what is drawn, how it moves, sorts, searches and copies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
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

fn shown(grid: &Grid, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let theme = Theme::plain();
    terminal
        .draw(|frame| grid.draw(frame.area(), frame.buffer_mut(), &theme, true))
        .unwrap();
    format!(
        "{}{}",
        terminal.backend(),
        grid.position(Size::new(width, height))
    )
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
