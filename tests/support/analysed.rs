//! Contacts, orders and a ledger with an analysis of each kind over them, on every engine.
#![allow(dead_code, reason = "every test file uses its own part")]

use metrex::compile::CompileError;
use metrex::model::NoValues;
use metrex::warehouse::Dialect;

use crate::engines::{self, Loaded};
use crate::support::shop::{Engine, registry_of, rows};

pub const YAML: &str = "
datasets:
  contacts:
    table: contacts
    key: contact_id
    time: seen_at
    dimensions:
      seen_at: {type: time}
      channel: {column: medium, label: Channel, aliases: [source]}
      market: {}
    joins: {person: {to: people, on: user_id}}
  orders:
    table: orders
    key: order_id
    time: placed_at
    dimensions:
      placed_at: {type: time}
      market: {column: country}
      status: {}
    joins: {person: {to: people, on: user_id}}
  people:
    table: people
    key: user_id
    dimensions: {segment: {}}
  ledger:
    table: ledger
    time: month_start
    dimensions: {month_start: {column: month, type: date}, plan: {}}
metrics:
  touches: {base_table: contacts, agg: count}
  clicks: {base_table: contacts, agg: count, filters: [\"medium = 'ads'\"]}
  spend: {base_table: contacts, agg: sum, expr: cost}
  sales: {base_table: orders, agg: sum, expr: amount, filters: [\"status <> 'CANCELLED'\"]}
  sold: {base_table: orders, agg: count, filters: [\"status <> 'CANCELLED'\"]}
  recurring: {base_table: ledger, agg: sum, expr: mrr, last_by: {time: month_start}}
  margin: {expr: sales - spend}
analyses:
  credit:
    kind: attribution
    touches: touches
    conversions: sales
    cost: spend
    channel: channel
    who: user_id
    by: [market]
    lookback: 14 days
  states: {kind: lifecycle, activity: sold, who: user_id}
  weekly_states: {kind: lifecycle, activity: sold, who: user_id, grain: week}
  comeback: {kind: retention, activity: sales, who: user_id, by: [market]}
  mrr_moves: {kind: revenue, revenue: recurring, who: account}
  path:
    kind: funnel
    who: user_id
    steps: {seen: touches, clicked: clicks, bought: sold, bought_again: sold}
    within: 10 days
    by: [market]
";

pub const TABLES: &str = "
CREATE TABLE contacts (contact_id integer, user_id integer, medium text, market text, cost double precision, seen_at timestamp);
CREATE TABLE orders (order_id integer, user_id integer, country text, status text, amount double precision, placed_at timestamp);
CREATE TABLE people (user_id integer, segment text);
CREATE TABLE ledger (account integer, month date, plan text, mrr double precision);
";

pub fn dialect(engine: &Loaded) -> Dialect {
    Dialect::of(engine.name).unwrap()
}

pub struct Case {
    pub engine: Engine,
    pub loaded: Vec<Loaded>,
}

impl Case {
    pub fn new(sql: &str) -> Self {
        Self::with("", "", sql)
    }

    /// With more metrics and more analyses.
    pub fn with(metrics: &str, analyses: &str, sql: &str) -> Self {
        let yaml = YAML.replace("analyses:\n", &format!("{metrics}analyses:\n{analyses}"));
        Self {
            engine: Engine::new(registry_of(&yaml)),
            loaded: engines::everywhere(&format!("BEGIN; {TABLES}{sql}; COMMIT;")),
        }
    }

    pub async fn rows(&self, line: &str, on: &Loaded) -> Vec<String> {
        let compiled = self.engine.compile_with(line, dialect(on), &NoValues);
        let compiled = compiled.unwrap_or_else(|error| panic!("{line}: {error}"));
        rows(&on.warehouse, &compiled.main).await
    }

    /// The rows are these on every engine; numbers are rounded to 6 digits.
    pub async fn is(&self, line: &str, expected: &[&str]) {
        for on in &self.loaded {
            let found = self.rows(line, on).await;
            let found: Vec<String> = found.iter().map(|row| rounded(row)).collect();
            assert_eq!(found, expected, "{} on {}", line, on.name);
        }
    }

    pub fn refused(&self, line: &str) -> CompileError {
        let found = self.engine.compile(line);
        found.map(|found| found.main.sql).expect_err(line)
    }
}

pub fn rounded(row: &str) -> String {
    let cell = |cell: &str| match cell.parse::<f64>() {
        Ok(number) if cell.contains('.') => ((number * 1e6).round() / 1e6).to_string(),
        _ => cell.to_owned(),
    };
    row.split(" | ").map(cell).collect::<Vec<_>>().join(" | ")
}

pub const MARKETS: [&str; 2] = ["ID", "TH"];

/// Numbers without a crate: the same on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}
