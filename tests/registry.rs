//! What people write in `metrics/` becomes the model they mean.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::model::*;
use metrex::registry::{Config, Loaded, ProjectFile, ProjectFiles, load};

const DATASETS: &str = "
datasets:
  orders:
    table: mart.orders
    description: One row per order.
    key: order_id
    time: created_at
    dimensions:
      market: {column: grass_region, label: Market, aliases: [region, country]}
      channel: {}
      status:
      created_at: {type: time}
      email: {pii: true}
      size: {expr: \"case when items > 3 then 'large' else 'small' end\"}
    joins:
      buyer: {to: users, on: user_id}
  users:
    table: users
    key: [user_id]
    dimensions:
      segment: {synonyms: tier}
      age: {type: number, format: {decimals: 0, unit: years}}
  initiatives_fct:
    table: initiatives_fct
    time: closed_at
    dimensions: {region: {}, phase: {}}
";

const CLOSED_WON: &str = r#"
closed_won_pct:
  base_table: initiatives_fct
  numerator:   {agg: count, filters: ["phase = 'CLOSED_WON'"]}
  denominator: {agg: count, filters: ["initiative_type = 'CLI'", "phase = 'CLOSED'"]}
  grain: [region]
  window: quarter_to_date
"#;

fn files(texts: &[&str]) -> ProjectFiles {
    let file = |(at, text): (usize, &&str)| ProjectFile {
        path: format!("metrics/{}.yaml", (b'a' + at as u8) as char),
        text: (*text).to_owned(),
    };
    ProjectFiles {
        metrics: texts.iter().enumerate().map(file).collect(),
        snippets: vec![ProjectFile {
            path: "snippets/net.sql".into(),
            text: "select 1".into(),
        }],
        ..ProjectFiles::default()
    }
}

fn loaded(texts: &[&str]) -> Loaded {
    load(&files(texts), &Config::default(), None)
}

fn good(texts: &[&str]) -> Registry {
    let loaded = loaded(texts);
    let problems: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    loaded.registry
}

#[test]
fn the_flat_form_loads_verbatim() {
    let registry = good(&[DATASETS, CLOSED_WON]);
    let metric = registry.metric("closed_won_pct").unwrap();
    assert_eq!(metric.window, Some(TimeRange::ToDate(Grain::Quarter)));
    assert_eq!(metric.grain, [GroupBy::Dimension("region".into())]);
    let MetricKind::Ratio(sources) = &metric.kind else {
        panic!("{:?}", metric.kind)
    };
    let [numerator, denominator] = &sources[0].measures[..] else {
        panic!()
    };
    assert_eq!(numerator.agg, Aggregate::Count);
    assert_eq!(numerator.filters[0].text, "phase = 'CLOSED_WON'");
    assert_eq!(denominator.filters.len(), 2);
    assert_eq!(registry.at(metric.place), "metrics/b.yaml:2");
}

#[test]
fn a_dataset_has_the_dimensions_and_joins_that_it_says() {
    let registry = good(&[DATASETS]);
    let orders = &registry.datasets["orders"];
    assert_eq!(orders.relation, Relation::Table("mart.orders".into()));
    assert_eq!(orders.key, ["order_id"]);
    assert_eq!(orders.time.as_deref(), Some("created_at"));
    let market = orders.dimension("Country").unwrap();
    assert_eq!(
        (market.name.as_str(), market.column.as_deref()),
        ("market", Some("grass_region"))
    );
    assert_eq!(orders.dimensions["status"].label, "Status");
    assert!(orders.dimensions["email"].pii);
    assert_eq!(orders.dimensions["size"].column, None);
    assert_eq!(
        orders.joins["buyer"].on,
        [("user_id".to_owned(), "user_id".to_owned())]
    );
    let closed_at = &registry.datasets["initiatives_fct"].dimensions["closed_at"];
    assert_eq!(
        (closed_at.kind, closed_at.label.as_str()),
        (DimensionType::Time, "Closed at")
    );
}

fn simple(registry: &Registry, name: &str) -> Vec<Source> {
    match &registry.metric(name).unwrap().kind {
        MetricKind::Simple(sources) => sources.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_simple_metric_with_all_its_metadata() {
    let registry = good(&[
        DATASETS,
        "
metrics:
  gmv:
    label: Gross merchandise value
    category: Commerce
    description: >
      What buyers paid
      before refunds.
    business_rules: Cancelled orders do not count
    owner: Commerce Analytics
    status: certified
    last_updated: 2025-10-01
    aliases: [sales]
    synonyms: [turnover]
    tags: money
    format: {kind: currency, currency: USD, decimals: 0}
    base_table: orders
    agg: sum
    expr: amount_usd
    filters: [\"status <> 'CANCELLED'\", buyer.segment = 'SMB']
    fill: 0
  p90: {base_table: orders, agg: percentile, percentile: 0.9, expr: amount, unit: USD}
  middle: {base_table: orders, agg: median, expr: amount, format: duration}
",
    ]);
    let gmv = registry.metric("Turnover").unwrap();
    assert_eq!(
        (gmv.name.as_str(), gmv.label.as_str()),
        ("gmv", "Gross merchandise value")
    );
    assert_eq!(gmv.description, "What buyers paid before refunds.");
    assert_eq!(gmv.business_rules, ["Cancelled orders do not count"]);
    assert_eq!((gmv.status, gmv.fill), (Status::Certified, Some(0)));
    assert_eq!(gmv.last_updated.unwrap().to_string(), "2025-10-01");
    assert_eq!(
        (gmv.aliases.join(" "), gmv.tags.join(" ")),
        ("sales turnover".into(), "money".into())
    );
    assert_eq!(gmv.format.currency.as_deref(), Some("USD"));
    let measure = &simple(&registry, "gmv")[0].measures[0];
    assert_eq!(measure.filters[1].text, "buyer.segment = 'SMB'");
    let p90 = registry.metric("p90").unwrap();
    assert_eq!(
        (p90.label.as_str(), p90.category.as_str()),
        ("p90", "Other")
    );
    assert_eq!(p90.format.unit.as_deref(), Some("USD"));
    assert_eq!(
        simple(&registry, "p90")[0].measures[0].agg,
        Aggregate::Percentile(0.9)
    );
    assert_eq!(
        simple(&registry, "middle")[0].measures[0].agg,
        Aggregate::Percentile(0.5)
    );
}

#[test]
fn sources_inherit_from_their_metric() {
    let registry = good(&[
        DATASETS,
        "
dau:
  agg: count_distinct
  expr: user_id
  filters: [is_bot = 0]
  sources:
    - {base_table: orders, use_when: uses(channel) or not grain >= week, filters: [channel is not null]}
    - {base_table: initiatives_fct, expr: owner_id, time: closed_at}
",
    ]);
    let sources = simple(&registry, "dau");
    let (text, condition) = sources[0].use_when.as_ref().unwrap();
    assert_eq!(text.text, "uses(channel) or not grain >= week");
    let grain = UseWhen::Grain(CompareOp::Ge, Grain::Week);
    let expected = UseWhen::Or(vec![
        UseWhen::Uses("channel".into()),
        UseWhen::Not(Box::new(grain)),
    ]);
    assert_eq!(*condition, expected);
    let filters = |at: usize| -> Vec<String> {
        sources[at].measures[0]
            .filters
            .iter()
            .map(|filter| filter.text.clone())
            .collect()
    };
    assert_eq!(filters(0), ["is_bot = 0", "channel is not null"]);
    assert_eq!(filters(1), ["is_bot = 0"]);
    let second = &sources[1].measures[0];
    assert_eq!(
        (second.dataset.as_str(), second.time.as_deref()),
        ("initiatives_fct", Some("closed_at"))
    );
    assert_eq!(second.expr.as_ref().unwrap().text, "owner_id");
    assert!(sources[1].use_when.is_none());
}

#[test]
fn filters_of_a_ratio_apply_to_both_halves_and_each_half_may_have_its_own_table() {
    let registry = good(&[
        DATASETS,
        "
rate:
  base_table: orders
  filters: [market = 'ID']
  numerator: {agg: sum, expr: paid, filters: [status = 'PAID']}
  denominator: {agg: count, base_table: initiatives_fct}
",
    ]);
    let MetricKind::Ratio(sources) = &registry.metric("rate").unwrap().kind else {
        panic!()
    };
    let shown = |at: usize| {
        let measure = &sources[0].measures[at];
        let filters: Vec<_> = measure
            .filters
            .iter()
            .map(|filter| filter.text.as_str())
            .collect();
        format!("{} {}", measure.dataset, filters.join(" & "))
    };
    assert_eq!(shown(0), "orders market = 'ID' & status = 'PAID'");
    assert_eq!(shown(1), "initiatives_fct market = 'ID'");
}

#[test]
fn a_derived_metric_knows_its_inputs_by_their_canonical_names() {
    let registry = good(&[
        DATASETS,
        "
aov: {expr: \"Sales / nullif(orders, 0) + sales\", format: currency, grain: [market, month]}
gmv: {base_table: orders, agg: sum, expr: amount, aliases: sales}
orders: {base_table: orders, agg: count}
net: {type: complex, snippet: net.sql, tables: [ads_old, ads_new]}
",
    ]);
    let inputs = registry.metric("aov").unwrap().kind.inputs();
    assert_eq!(inputs, ["gmv", "orders"]);
    let MetricKind::Complex {
        snippet, tables, ..
    } = &registry.metric("net").unwrap().kind
    else {
        panic!()
    };
    assert_eq!((snippet.as_str(), tables.len()), ("net.sql", 2));
    let snippet = &registry.snippets["net.sql"];
    assert_eq!(
        (registry.at(snippet.place), snippet.text.as_str()),
        ("snippets/net.sql:1".into(), "select 1")
    );
}

#[test]
fn windows_are_default_time_ranges() {
    let window = |text: &str| {
        let metric = format!("m: {{base_table: orders, agg: count, window: {text}}}");
        good(&[DATASETS, &metric])
            .metric("m")
            .unwrap()
            .window
            .unwrap()
    };
    assert_eq!(window("quarter_to_date"), TimeRange::ToDate(Grain::Quarter));
    assert_eq!(window("last 7 days"), TimeRange::Last(7, Grain::Day));
    assert_eq!(window("all_time"), TimeRange::AllTime);
    assert_eq!(window("yesterday"), TimeRange::Last(1, Grain::Day));
    assert_eq!(window("2025-01..2025-03").to_string(), "2025-01..2025-03");
    assert_eq!(window("2025-11").to_string(), "2025-11");
}

#[test]
fn saved_queries_and_the_calendar() {
    let registry = good(&[
        DATASETS,
        CLOSED_WON,
        "
calendar: {week_start: sunday, timezone: Asia/Jakarta}
views:
  won: closed_won_pct by region last 4 quarters
  won_lately: {query: 'closed_won_pct by month', description: Lately.}
",
    ]);
    assert_eq!(
        registry.views["won"].query.to_string(),
        "closed_won_pct by region last 4 quarters"
    );
    assert_eq!(registry.views["won_lately"].description, "Lately.");
    assert_eq!(registry.calendar.week_start, Weekday::Sunday);
    assert_eq!(registry.calendar.timezone, "Asia/Jakarta");
}

#[test]
fn joins_pair_columns_with_the_key_of_the_other_dataset() {
    let registry = good(&["
datasets:
  lines: {table: lines, key: [order_id, line]}
  refunds:
    table: refunds
    joins:
      line: {to: lines, on: [oid, line_no]}
      other: {to: lines, on: {line_no: line, oid: order_id}}
"]);
    let pairs = [
        ("oid".to_owned(), "order_id".to_owned()),
        ("line_no".to_owned(), "line".to_owned()),
    ];
    assert_eq!(registry.datasets["refunds"].joins["line"].on, pairs);
    assert_eq!(registry.datasets["refunds"].joins["other"].on, pairs);
}

#[test]
fn anchors_and_merge_keys_save_typing() {
    let registry = good(&[
        DATASETS,
        "
metrics:
  a: &a {base_table: orders, agg: count, owner: Ops, filters: &live [status = 'LIVE']}
  b: {<<: *a, agg: sum, expr: amount, filters: *live}
",
    ]);
    let b = registry.metric("b").unwrap();
    assert_eq!(b.owner.as_deref(), Some("Ops"));
    let measure = &simple(&registry, "b")[0].measures[0];
    assert_eq!((measure.agg, measure.filters.len()), (Aggregate::Sum, 1));
}

fn many(n: usize) -> String {
    let mut text = String::from("metrics:\n");
    for at in 0..n {
        text += &format!(
            "  metric_{at}:\n    label: Metric {at}\n    category: Shelf {}\n    description: What number {at} means, in a sentence.\n    owner: Team {}\n    aliases: [alias_{at}]\n    base_table: orders\n    agg: sum\n    expr: amount_{at}\n    filters: [\"status <> 'CANCELLED'\"]\n",
            at % 20,
            at % 7,
        );
    }
    text
}

#[test]
fn ten_thousand_metrics_load() {
    let registry = good(&[DATASETS, &many(10_000)]);
    assert_eq!(registry.metrics.len(), 10_000);
    assert_eq!(registry.metric("alias_9999").unwrap().name, "metric_9999");
}

#[test]
fn aliases_cannot_make_a_file_grow_without_bound() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        text += &format!("a{level}: &a{level} [{below}]\n");
    }
    let problems = loaded(&[&text]).diagnostics;
    assert!(
        problems
            .iter()
            .any(|one| one.message == "aliases make this file too big"),
        "{problems:?}"
    );
    let deep = format!("a: {}x{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(loaded(&[&deep]).diagnostics.len(), 1);
}

mod broken_files {
    use super::*;
    use proptest::prelude::*;

    const WORDS: [&str; 24] = [
        "",
        ":",
        "{",
        "}",
        "[",
        "]",
        "- ",
        "\n",
        "  ",
        "'",
        "\"",
        "*a",
        "&a ",
        "<<: ",
        "|",
        ">",
        "null",
        "\t",
        "ü",
        "orders",
        "uses(",
        "(select 1)",
        "\0",
        "#",
    ];

    proptest! {
        #[test]
        fn never_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), 0..8usize, 0..WORDS.len()), 1..6)) {
            let mut text: Vec<char> = format!("{DATASETS}
views: {{v: 'closed_won_pct by region where region = x last 3 months'}}
metrics:
  dau:
    agg: count_distinct
    expr: |
      case when a > 1
        then b end
    sources:
      - {{base_table: orders, use_when: uses(channel) and not grain < month}}
      - {{base_table: users}}
  half: {{expr: dau / 2, window: last 7 days, fill: 0}}
").chars().collect();
            for (at, remove, word) in edits {
                let at = at.index(text.len());
                let end = (at + remove).min(text.len());
                text.splice(at..end, WORDS[word].chars());
            }
            let text: String = text.into_iter().collect();
            let loaded = loaded(&[&text, CLOSED_WON]);
            for one in &loaded.diagnostics {
                let lines = text.lines().count().max(CLOSED_WON.lines().count()) as u32;
                prop_assert!(one.line <= lines + 1, "{one}");
            }
        }
    }
}
