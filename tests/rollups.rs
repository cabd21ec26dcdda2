//! A rollup changes no row: what is read from one equals what its dataset's rows give, and what it cannot give is not read
//! from it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/engines.rs"]
mod engines;
mod support;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use metrex::compile::{CompileOptions, Compiled, Passes, RollupState, RollupTable, Rollups};
use metrex::model::{Connection, Grain, NoValues, Registry, Rollup};
use metrex::warehouse::{Dialect, write};
use support::shop::{Engine, TODAY, fill, registry, registry_of, rows};
use tokio_util::sync::CancellationToken;

fn rollup(name: &str, grain: Grain, by: &[&str], metrics: &[&str]) -> Rollup {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Rollup {
        name: name.to_owned(),
        place: Default::default(),
        of: "orders".to_owned(),
        table: name.to_owned(),
        grain,
        by: owned(by),
        metrics: owned(metrics),
    }
}

/// Metrics with windows and distances back in time.
const MORE: &str = r#"
  revenue_28d: {base_table: orders, agg: sum, expr: amount, filters: ["status <> 'CANCELLED'"], cumulative: {window: 28 days}}
  orders_mtd: {of: all_orders, window: month_to_date}
  aov_so_far: {of: aov, window: all_time}
  revenue_growth: {expr: "now - ago", inputs: {now: revenue, ago: {metric: revenue, offset: 1 month}}}
"#;

/// The shop with rollups of every grain.
fn shop() -> Registry {
    let mut registry = registry_of(&format!("{}{MORE}", include_str!("fixtures/shop.yaml")));
    let every = [
        "orders",
        "all_orders",
        "revenue",
        "big_revenue",
        "avg_amount",
        "largest_order",
        "cancel_rate",
        "aov",
        "large_orders",
    ];
    for kept in [
        rollup(
            "orders_daily",
            Grain::Day,
            &["channel", "buyer.market", "paid_on", "express", "size"],
            &every,
        ),
        rollup(
            "orders_by_market",
            Grain::Day,
            &["buyer.market"],
            &["revenue", "all_orders", "avg_amount"],
        ),
        rollup(
            "orders_weekly",
            Grain::Week,
            &["channel", "status"],
            &["orders", "revenue"],
        ),
        rollup(
            "orders_monthly",
            Grain::Month,
            &["channel"],
            &["orders", "revenue", "first_order"],
        ),
    ] {
        registry.rollups.insert(kept.name.clone(), kept);
    }
    registry
}

fn options(dialect: Dialect, rollups: Option<&Rollups>) -> CompileOptions<'_> {
    CompileOptions {
        dialect,
        today: TODAY,
        values: &NoValues,
        passes: Passes {
            rollups,
            ..Passes::default()
        },
    }
}

fn tables(engine: &Engine, dialect: Dialect) -> Vec<RollupTable> {
    let lay_out = |rollup| {
        RollupTable::new(
            &engine.registry,
            &engine.reach,
            &engine.templates,
            rollup,
            &options(dialect, None),
        )
        .unwrap_or_else(|error| panic!("{error}"))
    };
    engine.registry.rollups.values().map(lay_out).collect()
}

fn state(table: &RollupTable, until: Date) -> RollupState {
    RollupState {
        name: table.name.clone(),
        table: table.table.clone(),
        definition: table.definition.clone(),
        until,
        refreshed_at: Timestamp::UNIX_EPOCH,
        rows: table.columns().len() as u64,
    }
}

/// Every rollup of a registry as if it had just been made.
fn fresh(engine: &Engine, dialect: Dialect, until: Date) -> Rollups {
    let tables = tables(engine, dialect);
    Rollups {
        states: tables.iter().map(|table| state(table, until)).collect(),
        tables,
    }
}

fn compile(engine: &Engine, line: &str, rollups: &Rollups) -> Compiled {
    let options = options(Dialect::Sqlite, Some(rollups));
    engine
        .compile_by(line, &options)
        .unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The rollups that a compiled query reads.
fn read(compiled: &Compiled) -> Vec<&'static str> {
    [
        "orders_daily",
        "orders_by_market",
        "orders_weekly",
        "orders_monthly",
    ]
    .into_iter()
    .filter(|name| compiled.main.sql.contains(&format!("FROM {name}\n")))
    .collect()
}

#[test]
fn a_query_reads_the_smallest_rollup_that_gives_the_same() {
    let engine = Engine::new(shop());
    let mut rollups = fresh(&engine, Dialect::Sqlite, TODAY);
    for (state, rows) in rollups.states.iter_mut().zip([1_000, 100, 50, 10]) {
        state.rows = rows;
    }
    for (line, expected) in [
        ("revenue by month 2025Q1", &["orders_monthly"][..]),
        ("revenue by quarter 2024..2024", &["orders_monthly"]),
        ("revenue 2025-03-03..2025-03-09", &["orders_weekly"]),
        ("revenue by week 2025-03-03..2025-03-09", &["orders_weekly"]),
        ("revenue by day 2025-03", &["orders_by_market"]),
        ("revenue by buyer.market 2025-03", &["orders_by_market"]),
        ("revenue by channel until 2025-03-09", &["orders_weekly"]),
        ("revenue where channel = ads 2025-03-04", &["orders_daily"]),
        ("aov by month 2025Q1", &["orders_monthly"]),
        ("revenue by weekday 2025Q1", &["orders_by_market"]),
        ("revenue by month_of_year 2025Q1", &["orders_monthly"]),
        // Two metrics, each from where it is cheapest.
        (
            "revenue, largest_order 2025Q1",
            &["orders_daily", "orders_monthly"],
        ),
        ("first_order 2025Q1", &["orders_monthly"]),
        ("revenue 2025Q1 vs previous year", &["orders_monthly"]),
        ("revenue by paid_on.month 2025Q1", &["orders_daily"]),
        ("revenue where paid_on >= 2025-02 2025Q1", &["orders_daily"]),
        // No week is made of months, no month of weeks.
        ("revenue by week 2025-03-03..2025-03-30", &["orders_weekly"]),
        ("revenue by week 2025-03", &["orders_by_market"]),
        // What no rollup has.
        ("revenue by seller.segment 2025Q1", &[]),
        ("revenue where seller.segment = SMB 2025Q1", &[]),
        ("revenue by hour 2025Q1", &[]),
        ("revenue where created_at >= 2025-02 2025Q1", &[]),
        ("buyers 2025Q1", &[]),
        ("median_amount 2025Q1", &[]),
        ("paid_orders 2025Q1", &[]),
        ("brazilian_orders 2025Q1", &[]),
    ] {
        let compiled = compile(&engine, line, &rollups);
        assert_eq!(read(&compiled), expected, "{line}\n{}", compiled.main.sql);
        let said = compiled
            .reasons
            .iter()
            .any(|reason| reason.text.contains("is read from the rollup"));
        assert_eq!(said, !expected.is_empty(), "{line}");
    }
}

#[test]
fn a_stale_rollup_is_not_read_and_that_is_said() {
    let engine = Engine::new(shop());
    let said = |rollups: &Rollups, line: &str| {
        let compiled = compile(&engine, line, rollups);
        assert!(read(&compiled).is_empty(), "{line}");
        let mut reasons = compiled.reasons.into_iter().map(|reason| reason.text);
        reasons.find(|text| text.contains("is not used")).unwrap()
    };
    let mut rollups = fresh(&engine, Dialect::Sqlite, date(2025, 3, 10));
    rollups.tables.truncate(1);
    assert_eq!(
        said(&rollups, "revenue 2025-03"),
        "the rollup orders_daily is not used: it is complete before 2025-03-10, and the query goes on until 2025-03-31 (metrex materialize orders_daily)"
    );
    assert_eq!(
        said(&rollups, "revenue since 2025-03"),
        "the rollup orders_daily is not used: it is complete before 2025-03-10, and the query has no end"
    );
    rollups.states[0].definition = "of an earlier time".to_owned();
    assert_eq!(
        said(&rollups, "revenue 2025-02"),
        "the rollup orders_daily is not used: its definition has changed since it was refreshed (metrex materialize orders_daily)"
    );
    let line = "revenue 2025-02";
    let never_made = Rollups {
        states: Vec::new(),
        ..rollups
    };
    assert!(read(&compile(&engine, line, &never_made)).is_empty());
}

#[test]
fn what_does_not_add_up_is_not_kept() {
    let refused = |metric: &str| {
        let engine = Engine::new(registry());
        let kept = rollup("kept", Grain::Day, &[], &[metric]);
        RollupTable::new(
            &engine.registry,
            &engine.reach,
            &engine.templates,
            &kept,
            &options(Dialect::Sqlite, None),
        )
        .unwrap_err()
        .message
    };
    for (metric, why) in [
        (
            "buyers",
            "buyers counts distinct values, and one that occurs on two days is still one",
        ),
        (
            "median_amount",
            "median_amount is a median, which needs every single value",
        ),
        (
            "p90_amount",
            "p90_amount is a percentile, which needs every single value",
        ),
        (
            "paid_orders",
            "paid_orders has another time than the rollup",
        ),
        ("ads_cost", "ads_cost is not computed from orders"),
        ("rules", "rules is a hand-written snippet"),
        ("nothing", "there is no metric 'nothing'"),
    ] {
        assert_eq!(
            refused(metric),
            format!("the rollup kept cannot be kept: {why}")
        );
    }
}

#[test]
fn another_definition_is_another_table() {
    let definition = |change: fn(&mut Registry)| {
        let mut registry = shop();
        change(&mut registry);
        let tables = tables(&Engine::new(registry), Dialect::Sqlite);
        (tables[0].definition.clone(), tables[0].columns().join(" "))
    };
    let (before, columns) = definition(|_| {});
    let (moved, _) = definition(|registry| registry.rollups[0].place.line += 10);
    assert_eq!(before, moved, "where it stands does not matter");
    let (changed, others) = definition(|registry| {
        let joined = &mut registry.datasets["users"].dimensions["market"];
        joined.column = Some("segment".to_owned());
    });
    assert_ne!(before, changed);
    assert_ne!(
        columns, others,
        "a query of the old definition fails on the new table"
    );
}

/// Picks without a pattern, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn some<'w>(&mut self, words: &[&'w str], most: usize) -> Vec<&'w str> {
        let mut taken: Vec<&str> = Vec::new();
        for _ in 0..self.below(most + 1) {
            let word = words[self.below(words.len())];
            if !taken.contains(&word) {
                taken.push(word);
            }
        }
        taken
    }
}

const METRICS: [&str; 15] = [
    "revenue_28d",
    "orders_mtd",
    "aov_so_far",
    "revenue_growth",
    "orders",
    "all_orders",
    "revenue",
    "big_revenue",
    "avg_amount",
    "largest_order",
    "cancel_rate",
    "aov",
    "large_orders",
    "first_order",
    "ads_cost",
];
const GROUPS: [&str; 10] = [
    "channel",
    "buyer.market",
    "paid_on",
    "size",
    "day",
    "week",
    "month",
    "quarter",
    "weekday",
    "paid_on.month",
];
const FILTERS: [&str; 9] = [
    "channel = ads",
    "channel != ads",
    "channel is null",
    "buyer.market in (BR, TH)",
    "express = true",
    "paid_on < 2025-03",
    "size = large or channel = organic",
    "status = PAID",
    "not (buyer.market = BR and size = small)",
];
const RANGES: [&str; 10] = [
    "2025-01",
    "2025Q1",
    "2024",
    "2024..2025-03",
    "until 2025-03",
    "2025-01-06",
    "2025-01-06..2025-02-16",
    "2025-02-10..2025-02-11",
    "2025-01-05..2025-03-31",
    "2025",
];
const COMPARES: [&str; 6] = [
    "",
    "",
    "",
    " vs previous period",
    " vs previous year",
    " vs 4 weeks ago",
];

fn line(random: &mut Random) -> String {
    let mut metrics = random.some(&METRICS, 3);
    if metrics.is_empty() {
        metrics.push("revenue");
    }
    let mut line = metrics.join(", ");
    let groups = random.some(&GROUPS, 2);
    if !groups.is_empty() {
        line.push_str(&format!(" by {}", groups.join(", ")));
    }
    let filters = random.some(&FILTERS, 2);
    if !filters.is_empty() {
        let each: Vec<String> = filters.iter().map(|one| format!("({one})")).collect();
        line.push_str(&format!(" where {}", each.join(" and ")));
    }
    line.push_str(&format!(" {}", RANGES[random.below(RANGES.len())]));
    line.push_str(COMPARES[random.below(COMPARES.len())]);
    line
}

async fn make(connection: &Connection, rollups: &Rollups, dialect: Dialect) {
    let mut statements = Vec::new();
    for table in &rollups.tables {
        statements.extend(table.make(false, dialect));
        statements.extend(table.record(TODAY, Timestamp::UNIX_EPOCH, dialect));
    }
    write(connection, "UTC", statements, &CancellationToken::new())
        .await
        .unwrap();
}

/// Random queries with and without rollups.
#[tokio::test]
async fn rollups_change_no_row() {
    for loaded in engines::everywhere_filled(fill) {
        let (warehouse, name) = (&loaded.warehouse, loaded.name);
        let dialect = warehouse.dialect();
        let engine = Engine::new(shop());
        let rollups = fresh(&engine, dialect, TODAY);
        make(&loaded.connection, &rollups, dialect).await;
        let mut random = Random(88_172_645_463_325_252);
        let (mut answered, mut routed) = (0, 0);
        let cases = if name == "sqlite" { 500 } else { 100 };
        for _ in 0..cases {
            let line = line(&mut random);
            let plain = engine.compile_by(&line, &options(dialect, None));
            let kept = engine.compile_by(&line, &options(dialect, Some(&rollups)));
            let (plain, kept) = match (plain, kept) {
                (Ok(plain), Ok(kept)) => (plain, kept),
                (Err(plain), Err(kept)) => {
                    assert_eq!(plain, kept, "{line}");
                    continue;
                }
                (plain, kept) => panic!("{line}\n{:?}\n{:?}", plain.err(), kept.err()),
            };
            answered += 1;
            if plain.main.sql == kept.main.sql {
                continue;
            }
            routed += 1;
            let statements = [
                (Some(&plain.main), Some(&kept.main)),
                (plain.totals.as_ref().ok(), kept.totals.as_ref().ok()),
            ];
            for (plain, kept) in statements {
                let (Some(plain), Some(kept)) = (plain, kept) else {
                    assert_eq!(plain, kept, "{line}");
                    continue;
                };
                let (one, other) = (rows(warehouse, plain).await, rows(warehouse, kept).await);
                assert_eq!(one, other, "{name}: {line}\n{}", kept.sql);
            }
        }
        println!("{name}: {cases} queries, {answered} answered, {routed} from rollups");
        assert!(routed * 4 > answered, "{name}: {routed} of {answered}");
    }
}
