//! What is written for another tool and read back means the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::fs;
use std::path::Path;

use metrex::model::Registry;
use metrex::session::{OpenOptions, OtherTool, RunOptions, Session, import};
use serde_json::Value;
use support::shop::texts;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

fn open(project: &Path, state: &TempDir) -> Session {
    Session::open(OpenOptions {
        project: Some(project.to_owned()),
        today: Some(jiff::civil::date(2026, 11, 20)),
        state_dir: Some(state.path().join("state")),
        ..OpenOptions::default()
    })
    .unwrap()
}

/// A registry without the places its definitions stand at, and without what no document of Ossie has a place for: analyses,
/// which come back as queries, and what is canonical.
fn meaning(registry: &Registry) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.shift_remove("place");
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(registry).unwrap();
    for key in ["files", "analyses", "canonical"] {
        value.as_object_mut().unwrap().shift_remove(key);
    }
    for dataset in value["datasets"].as_object_mut().unwrap().values_mut() {
        dataset.as_object_mut().unwrap().shift_remove("dialects");
    }
    strip(&mut value);
    value
}

/// Two values are equal, or the first place where they are not.
fn difference(path: &str, left: &Value, right: &Value) -> Option<String> {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().find_map(|key| {
                let (a, b) = (a.get(key), b.get(key));
                let path = format!("{path}.{key}");
                difference(&path, a.unwrap_or(&Value::Null), b.unwrap_or(&Value::Null))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs
                .into_iter()
                .find_map(|(at, (a, b))| difference(&format!("{path}[{at}]"), a, b))
        }
        _ => (left != right).then(|| format!("{path}: {left} became {right}")),
    }
}

#[tokio::test]
async fn nothing_is_lost_on_the_way_through_ossie() {
    let folder = TempDir::new().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, yaml) in [("demo", None), ("kinds", Some(KINDS))] {
        let source = folder.path().join(name);
        let session = match yaml {
            None => open(root, &folder),
            Some(yaml) => {
                fs::create_dir_all(source.join("metrics")).unwrap();
                fs::write(source.join("metrics/all.yaml"), yaml).unwrap();
                fs::write(source.join("metrex.yaml"), "conventions: metricflow\n").unwrap();
                open(&source, &folder)
            }
        };
        let before = session.catalog();
        assert!(before.diagnostics.is_empty(), "{:?}", before.diagnostics);
        let written = folder.path().join(format!("{name}_ossie"));
        session.export(OtherTool::Ossie).write(&written).unwrap();
        let target = folder.path().join(format!("{name}_again"));
        let made = import(OtherTool::Ossie, &written, &target, None)
            .await
            .unwrap();
        assert!(
            made.problems.is_empty() && made.notes.is_empty(),
            "{made:?}"
        );
        let again = open(&target, &folder);
        let after = again.catalog();
        let (before, after) = (meaning(&before.registry), meaning(&after.registry));
        assert_eq!(difference(name, &before, &after), None);
    }
}

const KINDS: &str = r#"
datasets:
  people: {table: people, key: [person, since], valid: [since, until], entity: person, dimensions: {team: {}}}
  orders:
    table: mart.orders
    key: order_id
    time: created_at
    stored_in: UTC
    dimensions: {market: {column: region, aliases: [country], value_aliases: {BR: [Brasil]}}, paid: {expr: "status = 'PAID'", type: boolean}}
  balances: {table: balances, time: taken_on, dimensions: {account: {type: number, format: {decimals: 0}}, taken_on: {type: date}}}
metrics:
  gmv: {base_table: orders, agg: sum, expr: "a * b", filters: [paid, "market <> 'XX'"], label: GMV, window: qtd, grain: [market, month], format: {kind: currency, currency: USD}}
  orders: {base_table: orders, agg: count, fill: 0, every_period: true}
  p95: {base_table: orders, agg: percentile, percentile: 0.95, percentile_type: discrete, expr: a}
  words: {base_table: orders, agg: sum, expr: {default: "a || b", postgres: "concat(a, b)"}}
  rate: {base_table: orders, numerator: {agg: sum, expr: a, filters: [paid]}, denominator: {agg: count}}
  aov: {expr: "gmv / orders"}
  yoy: {expr: "now / ago - 1", inputs: {now: gmv, ago: {metric: gmv, offset: 1 year, filters: ["market = 'BR'"]}}}
  start: {expr: "at", inputs: {at: {metric: gmv, offset: {to: month}}}}
  gmv_28d: {of: gmv, window: 28 days}
  buyers_mtd: {base_table: orders, agg: count_distinct, expr: user_id, cumulative: {window: month_to_date, at_coarser_grain: first}}
  balance: {base_table: balances, agg: sum, expr: amount, last_by: {time: taken_on, per: [account], carry_forward: true}}
  won: {entity: market, base: orders, conversion: orders_paid, within: 7 days, same: {paid: paid}, result: count}
  orders_paid: {base_table: orders, agg: count, filters: [paid]}
views:
  weekly: {query: "gmv, orders by market, week last 12 weeks", description: For Monday.}
hypotheses:
  fewer: {metric: gmv, when: falls, because: There were fewer orders., look_at: orders by market, expect: falls, then: [unpaid]}
  unpaid: {because: Fewer of them were paid., look_at: orders where paid = true}
alerts:
  dip: {query: "gmv by market, day", when: unusually low by 30% vs 8 weeks, severity: critical, owner: Ana, message: Ask payments.}
  small: {query: gmv by week last 4 weeks, when: "> 12%"}
calendar: {week_start: sunday, timezone: Asia/Jakarta, table: days, date: d, periods: {fiscal_quarter: fq}}
"#;

/// What Ossie's own words say, where a document is not ours.
#[tokio::test]
async fn an_ossie_document_of_another_tool_is_a_project() {
    let folder = TempDir::new().unwrap();
    let document = folder.path().join("sales.yaml");
    fs::write(&document, OSSIE).unwrap();
    let target = folder.path().join("project");
    let made = import(OtherTool::Ossie, &document, &target, None)
        .await
        .unwrap();
    assert!(made.problems.is_empty(), "{:?}", made.problems);
    let notes: Vec<String> = made.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "sales.yaml:5: orders: Ossie names no default time; ordered_on is taken, the first there is",
            "sales.yaml:24: the metric median_price is left out: percentile_cont is not carried over",
        ]
    );
    let session = open(&target, &folder);
    let catalog = session.catalog();
    let sql = |line: &str| session.compile(&line.parse().unwrap()).unwrap().main.sql;
    assert!(sql("revenue by customers.segment").contains("JOIN"));
    assert_eq!(catalog.registry.metrics["share"].kind.word(), "derived");
    assert_eq!(catalog.registry.metrics["revenue"].aliases, ["turnover"]);
}

const OSSIE: &str = r#"version: 0.2.0.dev0
semantic_model:
  - name: sales
    datasets:
      - name: orders
        source: shop.public.orders
        primary_key: [order_id]
        fields:
          - {name: ordered_on, expression: {dialects: [{dialect: ANSI_SQL, expression: order_date}]}, dimension: {is_time: true}}
          - {name: channel, expression: {dialects: [{dialect: ANSI_SQL, expression: channel}]}}
      - name: customers
        source: shop.public.customers
        primary_key: [id]
        fields:
          - {name: segment, expression: {dialects: [{dialect: ANSI_SQL, expression: upper(segment)}]}}
    relationships:
      - {name: orders_customers, from: orders, to: customers, from_columns: [customer_id], to_columns: [id]}
    metrics:
      - name: revenue
        expression: {dialects: [{dialect: ANSI_SQL, expression: SUM(orders.amount)}]}
        ai_context: {synonyms: [turnover]}
      - name: share
        expression: {dialects: [{dialect: ANSI_SQL, expression: "SUM(CASE WHEN orders.channel = 'web' THEN orders.amount END) / SUM(orders.amount)"}]}
      - name: median_price
        expression: {dialects: [{dialect: ANSI_SQL, expression: PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY orders.amount)}]}
"#;

/// dbt has no words for some of it; what it has comes back with the same answers.
#[tokio::test]
async fn what_dbt_can_say_comes_back() {
    let folder = TempDir::new().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dbt");
    let database = folder.path().join("cafe.db");
    let sql = fs::read_to_string(fixtures.join("cafe.sql")).unwrap();
    rusqlite::Connection::open(&database)
        .unwrap()
        .execute_batch(&sql)
        .unwrap();
    let url = format!("sqlite:{}", database.display());
    let first = folder.path().join("first");
    let form = fixtures.join("measures");
    import(OtherTool::Dbt, &form, &first, Some(&url))
        .await
        .unwrap();
    let before = open(&first, &folder);
    let export = before.export(OtherTool::Dbt);
    let notes: Vec<String> = export.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        ["metrics/across.yaml:4: the saved query order_metrics is left out"]
    );
    let written = folder.path().join("dbt");
    export.write(&written).unwrap();
    let second = folder.path().join("second");
    let made = import(OtherTool::Dbt, &written, &second, Some(&url))
        .await
        .unwrap();
    assert!(
        made.problems.is_empty() && made.notes.is_empty(),
        "{made:?}"
    );
    let after = open(&second, &folder);
    for line in [
        "order_total, orders, guests, customers",
        "food_orders, first_orders by location__location_name",
        "order_total_per_customer",
        "food_share by metric_time__month",
        "order_total_growth by metric_time__month 2025-02..2025-03",
        "order_total_so_far by metric_time__day",
        "orders_of_regulars by customer__customer_type",
    ] {
        assert_eq!(
            rows(&before, line).await,
            rows(&after, line).await,
            "{line}"
        );
    }
}

async fn rows(session: &Session, line: &str) -> Vec<String> {
    let query = line.parse().unwrap();
    let cancel = CancellationToken::new();
    let answer = session.answer(&query, RunOptions::default(), cancel).await;
    texts(
        &answer
            .unwrap_or_else(|error| panic!("{line}: {error}"))
            .batches,
    )
}
