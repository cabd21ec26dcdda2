//! Scrolling, drawing, sorting and filtering a result of ten million rows.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use criterion::{Criterion, criterion_group, criterion_main};
use metrex::compile::{OutputColumn, Role};
use metrex::model::{ColumnType, Direction, Format, FormatKind, Grain};
use metrex::tui::Theme;
use metrex::tui::widgets::grid::{Grid, Progress};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const ROWS: i32 = 10_000_000;
const BATCH: i32 = 8_192;

fn columns() -> Vec<OutputColumn> {
    let column = |name: &str, ty, role, kind, grain| OutputColumn {
        name: name.to_owned(),
        label: name.to_owned(),
        role,
        ty,
        format: Format {
            kind,
            ..Format::default()
        },
        grain,
        additive: true,
    };
    use ColumnType::{Date, Integer, Number, Text};
    vec![
        column("market", Text, Role::Group, FormatKind::Number, None),
        column(
            "day",
            Date,
            Role::Group,
            FormatKind::Number,
            Some(Grain::Day),
        ),
        column("orders", Integer, Role::Metric, FormatKind::Number, None),
        column("gmv", Number, Role::Metric, FormatKind::Currency, None),
        column("take_rate", Number, Role::Metric, FormatKind::Percent, None),
    ]
}

fn batches() -> Vec<RecordBatch> {
    let markets = [
        "ID", "TH", "VN", "PH", "MY", "SG", "TW", "BR", "MX", "CL", "CO", "AR",
    ];
    let starts = (0..ROWS).step_by(BATCH as usize);
    starts
        .map(|start| {
            let rows = start..ROWS.min(start + BATCH);
            let mix = |row: i32| f64::from(row.wrapping_mul(2_654_435_i32) & 0xff_ffff);
            let market = rows
                .clone()
                .map(|row| markets.get(row as usize % 12).copied());
            let array: [ArrayRef; 5] = [
                Arc::new(market.collect::<StringArray>()),
                Arc::new(Date32Array::from_iter_values(
                    rows.clone().map(|row| 19_000 + row % 730),
                )),
                Arc::new(Int64Array::from_iter_values(
                    rows.clone().map(|row| mix(row) as i64),
                )),
                Arc::new(Float64Array::from_iter_values(
                    rows.clone().map(|row| mix(row) * 1.37),
                )),
                Arc::new(
                    rows.map(|row| (row % 11 != 0).then(|| mix(row) / 1e8))
                        .collect::<Float64Array>(),
                ),
            ];
            RecordBatch::try_from_iter(columns().into_iter().map(|c| c.name).zip(array)).unwrap()
        })
        .collect()
}

fn grid(batches: &[RecordBatch]) -> Grid {
    let mut grid = Grid::new(columns());
    for batch in batches {
        grid.push(batch.clone());
    }
    grid.set_progress(Progress::Complete);
    grid
}

fn scroll(criterion: &mut Criterion) {
    let batches = batches();
    let theme = Theme::plain();
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let cells = ROWS as usize * columns().len();
    println!("{:.1} MB for a million cells", bytes as f64 / cells as f64);
    let mut group = criterion.benchmark_group("grid_10m_rows");
    for (width, height) in [(80, 24), (200, 50), (300, 100)] {
        let area = Rect::new(0, 0, width, height);
        let mut grid = grid(&batches);
        grid.set_size(area.as_size());
        let mut buf = Buffer::empty(area);
        group.bench_function(format!("page_and_draw_{width}x{height}"), |bencher| {
            bencher.iter(|| {
                grid.page(1);
                if grid
                    .selected()
                    .is_some_and(|(row, _)| row + 1 == ROWS as usize)
                {
                    grid.to_first_row();
                }
                grid.draw(area, &mut buf, &theme, true);
                black_box(&buf);
            });
        });
    }
    group.sample_size(10);
    group.bench_function("push_all", |bencher| {
        bencher.iter(|| black_box(grid(&batches)))
    });
    let full = grid(&batches);
    for (name, column) in [("sort_text", 0), ("sort_number", 3)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                full.sort_request(column, Direction::Descending)
                    .unwrap()
                    .run()
                    .unwrap()
            });
        });
    }
    group.bench_function("find_nothing", |bencher| {
        bencher.iter(|| {
            full.find("no such text", metrex::tui::widgets::grid::Heading::Forward)
                .step(usize::MAX)
        });
    });
    let filters = [
        ("filter_condition", "gmv > 10M and market = BR"),
        ("filter_pattern", "(br|mx)$"),
    ];
    for (name, text) in filters {
        let mut full = grid(&batches);
        group.bench_function(name, |bencher| {
            bencher.iter(|| full.filter_request(text).unwrap().run().unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, scroll);
criterion_main!(benches);
