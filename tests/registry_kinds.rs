//! Every kind of metric that people write becomes the model it means; what has no meaning is refused at its place.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::model::*;
use metrex::registry::{Config, Loaded, ProjectFile, ProjectFiles, load};

const BASE: &str = "
datasets:
  orders:
    table: orders
    key: order_id
    time: created_at
    dimensions: {market: {}, channel: {}, created_at: {type: time}, paid_at: {type: time}}
    joins: {buyer: {to: users, on: user_id}}
  users: {table: users, key: user_id, dimensions: {segment: {}}}
  balances: {table: balances, time: snapshot_on, dimensions: {account_id: {}, market: {}}}
  visits: {table: visits, time: visited_at, dimensions: {product: {}, user_id: {}}}
  prices: {table: prices, dimensions: {product: {}}}
metrics:
  gmv: {base_table: orders, agg: sum, expr: amount, aliases: [sales]}
  orders: {base_table: orders, agg: count}
  aov: {expr: gmv / orders}
  visits: {base_table: visits, agg: count}
  buys: {base_table: orders, agg: count}
  balance: {base_table: balances, agg: sum, expr: amount, last_by: {per: account_id}}
  price: {base_table: prices, agg: avg, expr: price}
";

fn loaded(text: &str) -> Loaded {
    let file = |path: &str, text: &str| ProjectFile {
        path: path.into(),
        text: text.into(),
    };
    let files = ProjectFiles {
        metrics: vec![file("metrics/a.yaml", BASE), file("metrics/b.yaml", text)],
        snippets: vec![file("snippets/net.sql", "select 1")],
        ..ProjectFiles::default()
    };
    load(&files, &Config::default(), None)
}

/// The metric `m` that a text describes.
#[track_caller]
fn metric(text: &str) -> Metric {
    let loaded = loaded(text);
    let problems: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    loaded.registry.metric("m").unwrap().clone()
}

/// What is wrong in a text in which `▸` marks where, in order.
#[track_caller]
fn refused(marked: &str, expected: &[&str]) {
    let mut text = String::new();
    let mut wanted = Vec::new();
    let mut messages = expected.iter();
    for c in marked.chars() {
        if c == '▸' {
            let line = text.matches('\n').count() + 1;
            let column = text.rsplit('\n').next().unwrap().chars().count() + 1;
            let message = messages.next().expect("a message for every mark");
            wanted.push(format!("metrics/b.yaml:{line}:{column}: {message}"));
        } else {
            text.push(c);
        }
    }
    assert!(messages.next().is_none(), "a mark for every message");
    let found = loaded(&text).diagnostics;
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, wanted, "\nin\n{text}");
}

fn inputs(metric: &Metric) -> Vec<(&str, &str, Vec<&str>, Option<&Offset>)> {
    let MetricKind::Derived { inputs, .. } = &metric.kind else {
        panic!("{:?}", metric.kind)
    };
    let input =
        |input: &'_ Input| -> (String, String) { (input.name.clone(), input.metric.clone()) };
    let _ = input;
    inputs
        .iter()
        .map(|input| {
            (
                input.name.as_str(),
                input.metric.as_str(),
                input.filters.iter().map(|one| one.text.as_str()).collect(),
                input.offset.as_ref(),
            )
        })
        .collect()
}

#[test]
fn inputs_are_metrics_with_filters_and_offsets() {
    let year = metric(
        "m: {expr: now / ago - 1, inputs: {now: Sales, ago: {metric: gmv, offset: 1 year}}}",
    );
    assert_eq!(
        inputs(&year),
        [
            ("now", "gmv", vec![], None),
            ("ago", "gmv", vec![], Some(&Offset::Ago(1, Grain::Year)))
        ]
    );
    let share =
        metric("m: {expr: br / gmv, inputs: {br: {metric: gmv, filters: [\"market = 'BR'\"]}}}");
    assert_eq!(
        inputs(&share),
        [
            ("br", "gmv", vec!["market = 'BR'"], None),
            ("gmv", "gmv", vec![], None)
        ]
    );
    let start =
        metric("m: {expr: gmv - first, inputs: {first: {metric: gmv, offset: {to: month}}}}");
    assert_eq!(inputs(&start)[1].3, Some(&Offset::StartOf(Grain::Month)));
    // Filters of the metric itself hold for everything that it is made of.
    let all = metric("m: {expr: gmv / orders, filters: [channel = 'ads']}");
    assert!(
        inputs(&all)
            .iter()
            .all(|input| input.2 == ["channel = 'ads'"])
    );
    // A name of its own may be the name of the metric that it stands for, or of the metric being defined.
    let own = metric("m: {expr: m / 2, inputs: {m: gmv}}");
    assert_eq!(inputs(&own), [("m", "gmv", vec![], None)]);
}

#[test]
fn a_ratio_of_metrics_is_derived() {
    let rate = metric(
        "m: {type: ratio, numerator: gmv, denominator: {metric: sales, filters: [channel = 'ads'], offset: 2 weeks}, filters: [market = 'BR']}",
    );
    let MetricKind::Derived { expr, .. } = &rate.kind else {
        panic!()
    };
    assert_eq!(expr.text, "numerator / denominator");
    assert_eq!(
        inputs(&rate),
        [
            ("numerator", "gmv", vec!["market = 'BR'"], None),
            (
                "denominator",
                "gmv",
                vec!["market = 'BR'", "channel = 'ads'"],
                Some(&Offset::Ago(2, Grain::Week))
            )
        ]
    );
}

fn cumulative(text: &str) -> (Metric, Cumulative) {
    let metric = metric(text);
    let MetricKind::Cumulative(cumulative) = &metric.kind else {
        panic!("{:?}", metric.kind)
    };
    let cumulative = (**cumulative).clone();
    (metric, cumulative)
}

#[test]
fn both_forms_of_accumulation() {
    let (m, qtd) = cumulative("m: {of: Sales, window: quarter_to_date}");
    assert_eq!(
        (qtd.of.as_deref(), qtd.window),
        (Some("gmv"), Window::ToDate(Grain::Quarter))
    );
    assert_eq!(
        (m.window, qtd.at_coarser_grain),
        (None, AtCoarserGrain::Last)
    );
    // With `of`, the window is what is taken in; beside `cumulative`, it is the default time range.
    let (m, all) =
        cumulative("m: {cumulative: {of: gmv, window: all_time}, window: last 6 months}");
    assert_eq!(
        (m.window, all.window),
        (Some(TimeRange::Last(6, Grain::Month)), Window::AllTime)
    );
    let (m, buyers) = cumulative(
        "m: {base_table: orders, agg: count_distinct, expr: user_id, cumulative: {window: trailing 28 days, at_coarser_grain: first}}",
    );
    assert_eq!(
        (m.window, buyers.window),
        (None, Window::Trailing(28, Grain::Day))
    );
    assert_eq!(buyers.at_coarser_grain, AtCoarserGrain::First);
    assert_eq!(buyers.sources[0].measures[0].agg, Aggregate::CountDistinct);
    let (_, ratio) = cumulative(
        "m: {base_table: orders, numerator: {agg: sum, expr: amount}, denominator: {agg: count}, cumulative: {window: 1 week}}",
    );
    assert_eq!(ratio.sources[0].measures.len(), 2);
    // A bare length beside an aggregation is no time range.
    let (m, short) = cumulative(
        "m: {type: cumulative, base_table: orders, agg: count, window: 28 days, at_coarser_grain: average}",
    );
    assert_eq!(
        (m.window, short.window),
        (None, Window::Trailing(28, Grain::Day))
    );
    assert_eq!(short.at_coarser_grain, AtCoarserGrain::Average);
    assert_eq!(m.kind.sources().len(), 1);
    let (_, aov) = cumulative("m: {of: aov, window: month_to_date}");
    assert_eq!(aov.of.as_deref(), Some("aov"));
}

#[test]
fn conversions() {
    let rate = metric(
        "m: {entity: user_id, base: visits, conversion: buys, within: 7 days, same: {product: product_id, country: market}}",
    );
    let MetricKind::Conversion(rate) = rate.kind else {
        panic!()
    };
    assert_eq!(
        (rate.base.as_str(), rate.conversion.as_str()),
        ("visits", "buys")
    );
    assert_eq!(
        (rate.within, rate.result),
        (Some((7, Grain::Day)), ConversionResult::Rate)
    );
    assert_eq!(rate.same[0], ("product".into(), "product_id".into()));
    let count =
        metric("m: {entity: user_id, base: visits, conversion: buys, same: market, result: count}");
    let MetricKind::Conversion(count) = count.kind else {
        panic!()
    };
    assert_eq!(
        (count.within, count.result),
        (None, ConversionResult::Count)
    );
    assert_eq!(count.same, [("market".into(), "market".into())]);
}

fn measure(metric: &Metric) -> &Measure {
    &metric.kind.sources()[0].measures[0]
}

#[test]
fn snapshots_and_new_aggregates() {
    let last = metric(
        "m: {base_table: balances, agg: sum, expr: amount, last_by: {time: snapshot_on, per: [account_id], carry_forward: true}}",
    );
    let last = measure(&last).over_time.clone().unwrap();
    assert_eq!(
        (last.take, last.time.as_str(), last.carry_forward),
        (Take::Last, "snapshot_on", true)
    );
    assert_eq!(last.per, ["account_id"]);
    let avg = metric("m: {base_table: balances, agg: count, over_time: {take: avg}}");
    let avg = measure(&avg).over_time.clone().unwrap();
    assert_eq!(
        (avg.take, avg.time.as_str(), avg.carry_forward),
        (Take::Avg, "snapshot_on", false)
    );
    let halves = metric(
        "m: {base_table: balances, last_by: {per: account_id}, numerator: {agg: count}, denominator: {agg: sum, expr: amount, over_time: {take: max}}}",
    );
    let takes: Vec<_> = halves.kind.sources()[0]
        .measures
        .iter()
        .map(|one| one.over_time.as_ref().unwrap().take)
        .collect();
    assert_eq!(takes, [Take::Last, Take::Max]);
    for (words, agg) in [
        (
            "percentile, percentile: 0.95, percentile_type: discrete",
            Aggregate::PercentileDiscrete(0.95),
        ),
        (
            "percentile, percentile: 0.95, percentile_type: continuous",
            Aggregate::Percentile(0.95),
        ),
        ("sum_boolean", Aggregate::SumBoolean),
        ("stddev", Aggregate::Stddev),
        ("stddev_population", Aggregate::StddevPopulation),
        ("variance", Aggregate::Variance),
        ("variance_population", Aggregate::VariancePopulation),
    ] {
        let m = metric(&format!(
            "m: {{base_table: orders, agg: {words}, expr: amount}}"
        ));
        assert_eq!(measure(&m).agg, agg);
    }
}

#[test]
fn fills_periods_and_words_of_single_engines() {
    let plain = metric("m: {base_table: orders, agg: count}");
    assert_eq!((plain.fill, plain.every_period), (None, false));
    let short = metric("m: {base_table: orders, agg: count, fill: 0, every_period: true}");
    let long =
        metric("m: {base_table: orders, agg: count, fill_nulls_with: 0, join_to_timespine: true}");
    for m in [short, long] {
        assert_eq!((m.fill, m.every_period), (Some(0), true));
    }
    let m = metric(
        "m: {base_table: orders, agg: count_distinct, expr: {default: a || b, postgres: \"concat(a, b)\", bigquery: \"FORMAT('%s%s', a, b)\"}}",
    );
    let expr = measure(&m).expr.clone().unwrap();
    assert_eq!(expr.text, "a || b");
    assert_eq!(
        expr.dialects,
        [
            ("postgres".into(), "concat(a, b)".into()),
            ("bigquery".into(), "FORMAT('%s%s', a, b)".into())
        ]
    );
}
