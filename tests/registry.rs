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
