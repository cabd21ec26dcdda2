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

#[test]
fn metrics_that_go_round_in_circles_through_any_kind() {
    refused(
        "a: {expr: ▸now - 1, inputs: {now: b}}\nb: {of: c, window: 7 days}\nc: {numerator: a, denominator: gmv}",
        &[
            "error: these metrics need each other: a → b → c → a — take one of them out of the definition of another",
        ],
    );
    refused(
        "a: {of: ▸a, window: all_time}",
        &[
            "error: these metrics need each other: a → a — take one of them out of the definition of another",
        ],
    );
    refused(
        "a: {entity: user_id, base: ▸a, conversion: buys}",
        &[
            "error: these metrics need each other: a → a — take one of them out of the definition of another",
        ],
    );
}

#[test]
fn names_that_nothing_has() {
    refused(
        "m: {expr: now / ago, inputs: {now: ▸gmvv, ago: {metric: ▸odrers}}}",
        &[
            "error: unknown metric 'gmvv' — did you mean 'gmv'?",
            "error: unknown metric 'odrers' — did you mean 'orders'?",
        ],
    );
    refused(
        "m: {numerator: gmv, denominator: {metric: ▸ordrs}}\nn: {of: ▸avo, window: 7 days}\no: {entity: user_id, base: ▸visit, conversion: ▸buy}",
        &[
            "error: unknown metric 'ordrs' — did you mean 'orders'?",
            "error: unknown metric 'avo' — did you mean 'aov'?",
            "error: unknown metric 'visit' — did you mean 'visits'?",
            "error: unknown metric 'buy' — did you mean 'buys'?",
        ],
    );
    refused(
        "m: {expr: now, inputs: {now: {metric: gmv, filters: [\"▸buyer.segmnt = 'a'\"]}}}",
        &["error: unknown dimension of users: 'segmnt' — did you mean 'segment'?"],
    );
    // The filter must mean something for every leaf.
    refused(
        "m: {expr: now, inputs: {now: {metric: mixed, filters: [\"▸buyer.segment = 'a'\"]}}}\nmixed: {expr: gmv / visits}",
        &["error: unknown join of visits: 'buyer'"],
    );
    refused(
        "m: {entity: ▸usr_id, base: visits, conversion: buys, same: {▸prduct: market}}",
        &[
            "error: unknown dimension or column of visits: 'usr_id' — did you mean 'user_id'?",
            "error: unknown dimension or column of visits: 'prduct' — did you mean 'product'?",
        ],
    );
    refused(
        "m: {base_table: balances, agg: count, last_by: {time: ▸snapshot_at, per: ▸acount_id}}",
        &[
            "error: unknown time dimension of balances: 'snapshot_at' — did you mean 'snapshot_on'?",
            "error: unknown dimension or column of balances: 'acount_id' — did you mean 'account_id'?",
        ],
    );
    refused(
        "m: {base_table: balances, agg: count, last_by: {time: ▸market}}",
        &[
            "error: 'market' of balances is not of type time or date — times of balances: snapshot_on",
        ],
    );
}

#[test]
fn lengths_that_are_none() {
    refused(
        "m: {of: gmv, window: ▸0 days}\nn: {of: gmv, window: ▸last month}\np: {of: gmv, window: ▸99999999999 days}",
        &[
            "error: '0 days' is no time at all — a length is at least 1",
            "error: 'last month' is not the window of a cumulative metric — write a length such as 28 days, or day_to_date, week_to_date, month_to_date, quarter_to_date, year_to_date, all_time, or a period of the calendar table to date",
            "error: '99999999999 days' is longer than any calendar — write fewer, or all_time where everything counts",
        ],
    );
    refused(
        "m: {expr: a, inputs: {a: {metric: gmv, offset: ▸1 mnth}}}\nn: {expr: a, inputs: {a: {metric: gmv, offset: ▸month}}}\no: {expr: a, inputs: {a: {metric: gmv, offset: {to: ▸second}}}}\np: {expr: a, inputs: {▸a: {metric: gmv, offset: {to: }}}}",
        &[
            "error: '1 mnth' is not a length of time — did you mean 'month'?",
            "error: 'month' is not a length of time — write it like 1 month or 28 days",
            "error: an offset leads to the start of an hour, day, week, month, quarter or year — write {to: month}",
            "error: the offset of 'a' says nothing — write offset: 1 month, or offset: {to: month}",
        ],
    );
    refused(
        "m: {entity: user_id, base: visits, conversion: buys, within: ▸a week}",
        &["error: 'a week' is not a length of time — write it like 1 month or 28 days"],
    );
    refused(
        "m: {expr: gmv / orders, window: ▸28 days}",
        &[
            "error: '28 days' is a length and no time range — write last 28 days for the default time range, or cumulative: {window: 28 days}",
        ],
    );
    refused(
        "m: {expr: a, inputs: {a: {metric: ▸price, offset: 1 month}}}",
        &["error: 'price' reads prices, which has no time to go back in — give prices a time"],
    );
}

#[test]
fn what_cannot_be_accumulated() {
    let more = "qtd: {of: gmv, window: quarter_to_date}\nrate: {entity: user_id, base: visits, conversion: buys}\nyoy: {expr: gmv / ago, inputs: {ago: {metric: gmv, offset: 1 year}}}\nof_qtd: {expr: qtd * 2}";
    refused(
        &format!(
            "{more}\na: {{of: ▸qtd, window: 7 days}}\nb: {{of: ▸of_qtd, window: 7 days}}\nc: {{of: ▸rate, window: 7 days}}\nd: {{of: ▸yoy, window: 7 days}}\ne: {{of: ▸balance, window: 7 days}}\nf: {{of: ▸price, window: 7 days}}"
        ),
        &[
            "error: 'qtd' is cumulative already — accumulate the metrics of events that it is made of",
            "error: 'of_qtd' is made of 'qtd', which is cumulative already — accumulate the metrics of events that it is made of",
            "error: 'rate' is a conversion metric, which cannot be accumulated — accumulate the metrics of events that it is made of",
            "error: 'yoy' takes 'ago' from another time, which cannot be accumulated — accumulate the metrics of events that it is made of",
            "error: 'balance' has snapshots, which do not add up over time — accumulate the metrics of events that it is made of",
            "error: 'price' reads prices, which has no time to accumulate over — give prices a time",
        ],
    );
    refused(
        "m: {base_table: balances, agg: count, last_by: {per: ▸▸account_id}, cumulative: {window: 7 days}}",
        &[
            "error: 'last_by' has no meaning for a cumulative metric",
            "error: snapshots do not add up over time, so there is nothing to accumulate — leave over_time out, or accumulate a metric of events",
        ],
    );
    refused(
        "▸m: {base_table: orders, agg: count, cumulative: {at_coarser_grain: last}}\n▸n: {of: gmv}",
        &[
            "error: 'm' is cumulative and needs a window — write window: 28 days, quarter_to_date or all_time",
            "error: 'n' is cumulative and needs a window — write window: 28 days, quarter_to_date or all_time",
        ],
    );
    refused(
        "▸m: {numerator: gmv, denominator: orders, cumulative: {window: 7 days}}",
        &[
            "error: 'm' accumulates a ratio of metrics: make that a metric of its own, and name it in `of`",
        ],
    );
    refused(
        "m: {of: gmv, window: 7 days, filters: [▸a = 1]}",
        &[
            "error: 'filters' has no meaning for a metric that accumulates another one — make a metric with these filters, and name it in `of`",
        ],
    );
}

#[test]
fn conversions_of_what_is_no_event() {
    refused(
        "m: {entity: user_id, base: ▸aov, conversion: ▸gmv_avg}\ngmv_avg: {base_table: orders, agg: avg, expr: amount}",
        &[
            "error: 'aov' is a derived metric; a conversion is made of simple ones, which count or sum events — name a metric with base_table and agg: count or sum",
            "error: 'gmv_avg' is no number of events: a conversion needs a count or a sum — name a metric with agg: count, count_distinct, sum or sum_boolean",
        ],
    );
    refused(
        "m: {entity: user_id, base: ▸shelf, conversion: buys}\nshelf: {base_table: prices, agg: count}",
        &[
            "error: 'shelf' reads prices, which has no time: what comes first cannot be told — give prices a time",
        ],
    );
    refused(
        "▸m: {entity: user_id, base: visits}\nn: {base_table: orders, agg: count, within: ▸7 days}",
        &[
            "error: 'm' is a conversion and needs an entity, a base and a conversion",
            "error: 'within' has no meaning for a simple metric",
        ],
    );
}

#[test]
fn snapshots_that_mean_nothing() {
    refused(
        "m: {base_table: balances, agg: count, over_time: {time: ▸snapshot_on}}",
        &["error: over_time needs to say what it takes — add take: last, first, min, max or avg"],
    );
    refused(
        "m: {base_table: balances, agg: count, over_time: {take: first, carry_forward: ▸true}}",
        &[
            "error: only the last snapshot can be carried forward — write take: last, or leave carry_forward out",
        ],
    );
    refused(
        "m: {base_table: balances, agg: count, over_time: {take: avg, per: ▸account_id}}",
        &[
            "error: 'per' belongs to the last or the first snapshot: the others are figures over all rows of one — leave it out, or take: last",
        ],
    );
    refused(
        "m: {base_table: balances, agg: count, last_by: {take: ▸min}}",
        &["error: last_by takes the last snapshot — write over_time for another one"],
    );
    refused(
        "m: {base_table: prices, agg: count, last_by: {carry_forward: ▸false}}",
        &[
            "error: snapshots of prices need a time that tells them apart — give prices a time, or add time: here",
        ],
    );
}

#[test]
fn keys_that_contradict_each_other() {
    refused(
        "m: {base_table: orders, agg: count, fill: 0, fill_nulls_with: ▸1, every_period: true, join_to_timespine: ▸true}",
        &[
            "error: 'fill' and 'fill_nulls_with' mean the same — keep one of them",
            "error: 'every_period' and 'join_to_timespine' mean the same — keep one of them",
        ],
    );
    refused(
        "m: {of: ▸gmv, cumulative: {window: 7 days}}",
        &[
            "error: of stands beside window, or in cumulative with it — move it into cumulative, or write of and window alone",
        ],
    );
    refused(
        "m: {type: ▸simple, of: gmv, window: 7 days}",
        &[
            "error: 'm' is said to be simple, but its keys make it cumulative — leave type out, or correct the keys",
        ],
    );
    refused(
        "▸m: {numerator: gmv, denominator: {agg: count}, base_table: orders}",
        &[
            "error: 'm' has a metric in one half and an aggregation in the other: make a metric of that one too",
        ],
    );
    refused(
        "m: {numerator: gmv, denominator: {metric: orders, expr: ▸a}}",
        &[
            "error: the denominator is a metric, beside which 'expr' has no meaning — leave it out, or write the aggregation instead of the metric",
        ],
    );
    refused(
        "m: {numerator: gmv, denominator: orders, time: ▸paid_at}",
        &["error: 'time' has no meaning for a ratio of metrics"],
    );
    refused(
        "m: {expr: gmv / orders, inputs: {▸ago: {metric: gmv, offset: 1 month}}}",
        &[
            "error: 'ago' does not stand in the expression — use it in \"gmv / orders\", or leave it out",
        ],
    );
    refused(
        "m: {expr: now / 2, inputs: {now: gmv, ▸NOW: orders}}",
        &["error: 'now' and 'NOW' differ only in case — rename one of the two"],
    );
    refused(
        "m: {expr: orders, inputs: {▸orders: gmv}}",
        &[
            "warning: 'orders' is a metric too; in this expression it means 'gmv' — another name would be clearer",
        ],
    );
    refused(
        "m: {base_table: orders, agg: median, percentile_type: ▸discrete, expr: amount}",
        &[
            "error: 'percentile_type' belongs to agg: percentile — leave it out, or write agg: percentile",
        ],
    );
}

#[test]
fn what_one_row_contributes_in_every_dialect() {
    refused(
        "m: {base_table: orders, agg: sum, expr: {postgres: ▸a}}",
        &[
            "error: an expr per engine needs a default, which all other engines take — write {default: …, postgres: …}",
        ],
    );
    refused(
        "m: {base_table: orders, agg: sum, expr: {default: a, duckdb: a +▸, postgres: ▸sum(a)}}",
        &[
            "error: the expression does not parse: expected an expression, found the end",
            "error: the aggregate function 'sum' cannot stand in an expression — the aggregate stands in `agg`, the expression is what one row contributes",
        ],
    );
    refused(
        "m: {base_table: orders, agg: count, expr: ▸f(distinct user_id)}\nn: {base_table: orders, agg: count, expr: distinct ▸user_id}",
        &[
            "error: the aggregate function 'f' cannot stand in an expression — the aggregate stands in `agg`, the expression is what one row contributes",
            "error: the expression does not parse: unexpected 'user_id'",
        ],
    );
    refused(
        "m: {expr: {default: ▸gmv / orders, postgres: gmv}}",
        &["error: arithmetic over metrics is the same on every engine — write expr as one text"],
    );
}
