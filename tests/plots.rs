//! Plots of a metric across a dimension: what they show, what they leave out, and by which rules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;

use std::fs;

use metrex::session::plot::{Charset, FiveNumbers, Plot, PlotKind, PlotRequest, Shape, quantile};
use metrex::session::{OpenOptions, RunOptions, Session};
use tokio_util::sync::CancellationToken;

/// Balances of four accounts, one of them negative, one unknown; and a hundred numbers.
const METRICS: &str = r#"
datasets:
  accounts:
    sql: select 'plus' as account, 8.0 as amount union all select 'minus', -4.0 union all select 'little', 0.01 union all select 'unknown', null
    dimensions: {account: {}}
  many:
    sql: with recursive n(i) as (select 1 union all select i + 1 from n where i < 100) select i, 'a name of some length, number ' || i as name, date('2025-01-01', (i * 7) || ' days') as day from n
    time: day
    dimensions: {i: {type: number}, name: {}, day: {type: date}}
metrics:
  balance: {label: Balance, base_table: accounts, agg: sum, expr: amount}
  size: {label: Size, base_table: many, agg: sum, expr: i}
"#;

async fn plot(metric: &str, across: &str, kind: PlotKind) -> Plot {
    let folder = project::shop();
    fs::write(folder.path().join("metrics/plots.yaml"), METRICS).unwrap();
    let session = Session::open(OpenOptions {
        project: Some(folder.path().to_owned()),
        state_dir: Some(folder.path().join(".state")),
        today: Some(project::TODAY.parse().unwrap()),
        ..OpenOptions::default()
    })
    .unwrap();
    let request = PlotRequest {
        metric: metric.to_owned(),
        across: across.parse().unwrap(),
        kind,
        per: None,
        time: None,
        filters: None,
    };
    let query = request.query().unwrap();
    let compiled = session.compile(&query).unwrap();
    let answer = session
        .answer(&query, RunOptions::default(), CancellationToken::new())
        .await
        .unwrap();
    request
        .plot(&compiled, &answer.batches, answer.truncated)
        .unwrap()
}

#[test]
fn quantiles_are_interpolated_as_sql_does() {
    let values = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(quantile(&values, 0.25), Some(1.75));
    assert_eq!(quantile(&values, 0.5), Some(2.5));
    assert_eq!(quantile(&values, 1.0), Some(4.0));
    assert_eq!(quantile(&[7.0], 0.9), Some(7.0));
    assert_eq!(quantile(&[], 0.5), None);
}

#[test]
fn whiskers_end_at_the_last_value_that_is_near_the_box() {
    let numbers = FiveNumbers::of(&[100.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    assert_eq!((numbers.q1, numbers.median, numbers.q3), (2.25, 3.5, 4.75));
    assert_eq!((numbers.low, numbers.high), (1.0, 5.0));
    assert_eq!(numbers.outliers, [100.0]);
    assert_eq!((numbers.min, numbers.max, numbers.count), (1.0, 100.0, 6));
    assert_eq!(FiveNumbers::of(&[]), None);
}

#[tokio::test]
async fn bars_below_zero_go_to_the_left_and_what_is_not_zero_shows() {
    let plot = plot("balance", "account", PlotKind::Bar).await;
    let text = plot.text(40, Charset::Unicode);
    let expected = "\
Balance by account, all time
plus            ████████████████▋  8.00
little          ▏                  0.010
minus   ░░░░░░░░                   -4.00
";
    assert_eq!(text, expected);
    assert_eq!(plot.notes, ["1 row has no balance and is left out"]);
    assert!(plot.svg().contains("#b45309"));
}

#[tokio::test]
async fn many_bars_are_cut_with_a_note() {
    let plot = plot("size", "name", PlotKind::Bar).await;
    let Shape::Bars(bars) = &plot.shape else {
        panic!("{:?}", plot.shape);
    };
    assert_eq!(bars.len(), 30);
    assert_eq!(bars[0].value, 100.0);
    assert_eq!(plot.notes, ["the 30 largest of 100 are shown"]);
    assert!(plot.is_partial);
}

#[tokio::test]
async fn bars_over_time_stay_in_its_order_and_the_latest_are_kept() {
    let plot = plot("size", "week", PlotKind::Bar).await;
    let Shape::Bars(bars) = &plot.shape else {
        panic!("{:?}", plot.shape);
    };
    let values: Vec<f64> = bars.iter().map(|bar| bar.value).collect();
    let latest: Vec<f64> = (71..=100).map(f64::from).collect();
    assert_eq!(values, latest);
    assert!(
        plot.notes[0].starts_with("the 30 latest of"),
        "{:?}",
        plot.notes
    );
}

#[tokio::test]
async fn a_histogram_counts_every_value_once() {
    let plot = plot("size", "i", PlotKind::Histogram).await;
    let Shape::Histogram(bins) = &plot.shape else {
        panic!("{:?}", plot.shape);
    };
    // Sturges: log2 of 100, rounded up, and one.
    assert_eq!(bins.len(), 8);
    assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), 100);
    assert_eq!((bins[0].from, bins[7].to), (1.0, 100.0));
    assert!(bins.windows(2).all(|pair| pair[0].to == pair[1].from));
    assert!(!plot.is_partial);
}

#[tokio::test]
async fn text_plots_keep_to_their_width_and_to_ascii_where_asked() {
    for kind in [PlotKind::Bar, PlotKind::Histogram, PlotKind::Box] {
        let plot = plot("size", "name", kind).await;
        for width in [50, 76, 120] {
            let text = plot.text(width, Charset::Ascii);
            assert!(text.is_ascii(), "{text}");
            for line in text.lines().skip(1) {
                assert!(line.len() <= width, "{width}: {line}");
            }
        }
        let svg = plot.svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
    }
}
