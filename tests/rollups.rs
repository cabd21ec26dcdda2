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
use metrex::model::{Connection, ConnectionKind, Grain, NoValues, Registry, Rollup};
use metrex::session::{Answer, OpenOptions, RunOptions, Session};
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
        embedded: false,
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
        said(&rollups, "revenue 2025-03-20..2025-03-25"),
        "the rollup orders_daily is not used: it is complete before 2025-03-10, and the query begins with 2025-03-20 (metrex materialize orders_daily)"
    );
    assert_eq!(
        said(&rollups, "revenue_28d by day 2025-03"),
        "the rollup orders_daily is not used: it is complete before 2025-03-10, and what accumulates or looks back goes on until 2025-03-31 (metrex materialize orders_daily)"
    );
    assert_eq!(
        said(&rollups, "revenue_28d by day since 2025-02"),
        "the rollup orders_daily is not used: where the time range is open, what accumulates or looks back depends on the first and the last row"
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
fn days_after_the_last_refresh_are_read_from_the_rows() {
    let engine = Engine::new(shop());
    let mut rollups = fresh(&engine, Dialect::Sqlite, date(2025, 3, 13));
    for line in [
        "revenue 2025-03",
        "revenue by buyer.market",
        "avg_amount, aov by week since 2025-02",
    ] {
        let compiled = compile(&engine, line, &rollups);
        let sql = &compiled.main.sql;
        assert!(sql.contains("UNION ALL"), "{line}\n{sql}");
        assert!(sql.contains("< '2025-03-13'"), "{line}\n{sql}");
        assert!(
            sql.contains("orders.created_at >= '2025-03-13'"),
            "{line}\n{sql}"
        );
        let plan = compiled.plan.as_ref().unwrap().to_string();
        for part in [
            "one after the other",
            "sums of orders, kept in the rollup orders_",
            "rows of orders",
        ] {
            assert!(plan.contains(part), "{line}\n{plan}");
        }
        let reasons = compiled.reasons.iter();
        let said = reasons.map(|reason| &reason.text).find(|text| {
            text.contains("for the days before 2025-03-13, from its rows since then: ")
        });
        assert!(said.is_some(), "{line}: {:?}", compiled.reasons);
    }
    // A month that is not over is read from the rows as a whole.
    rollups.tables.retain(|table| table.grain == Grain::Month);
    let compiled = compile(&engine, "first_order by year", &rollups);
    assert!(
        compiled
            .main
            .sql
            .contains("orders.created_at >= '2025-03-01'"),
        "{}",
        compiled.main.sql
    );
}

const EVENTS: &str = "
datasets:
  events: {table: events, time: seen, dimensions: {seen: {type: time}, kind: {}}}
metrics:
  n: {base_table: events, agg: count}
  added: {base_table: events, agg: sum, expr: x}
  mean: {base_table: events, agg: avg, expr: x, filters: [\"kind <> 'c'\"]}
  low: {base_table: events, agg: min, expr: x}
  high: {base_table: events, agg: max, expr: seen}
rollups:
  events_daily: {of: events, grain: day, by: [kind], metrics: [n, added, mean, low, high]}
";

/// Rows that came after the refresh, also some without a time, which no day tells apart.
#[tokio::test]
async fn rows_that_came_later_and_rows_without_a_time_are_counted_once() {
    let tables = "CREATE TABLE events (seen timestamp, kind text, x integer);
        INSERT INTO events VALUES ('2025-04-10 08:00:00', 'a', 1), ('2025-04-14 23:59:59', 'b', 2), ('2025-04-15 00:00:00', 'a', 4),
          (NULL, 'a', 8), (NULL, NULL, 16), ('2025-04-12 10:00:00', 'c', NULL)";
    for loaded in engines::everywhere(tables) {
        let dialect = loaded.warehouse.dialect();
        let engine = Engine::new(registry_of(EVENTS));
        let rollups = fresh(&engine, dialect, TODAY);
        make(&loaded.connection, &rollups, dialect).await;
        let later = "INSERT INTO events VALUES ('2025-04-15 10:00:00', 'a', 32), (NULL, 'b', 64), ('2026-01-01 00:00:00', 'c', 128)";
        let statements = vec![later.to_owned()];
        write(
            &loaded.connection,
            "UTC",
            statements,
            &CancellationToken::new(),
        )
        .await
        .unwrap();
        for line in [
            "n, added, mean, low, high",
            "n, added, mean, low, high by kind",
            "n, added, mean by kind, month",
            "added by weekday since 2025-04-12",
            "n by kind until 2025-04-15",
            "n share, low by kind top 1 with others",
        ] {
            let plain = engine.compile_by(line, &options(dialect, None)).unwrap();
            let kept = engine
                .compile_by(line, &options(dialect, Some(&rollups)))
                .unwrap();
            assert!(
                kept.main.sql.contains("FROM events_daily"),
                "{line}\n{}",
                kept.main.sql
            );
            let (one, other) = (
                rows(&loaded.warehouse, &plain.main).await,
                rows(&loaded.warehouse, &kept.main).await,
            );
            assert_eq!(one, other, "{}: {line}\n{}", loaded.name, kept.main.sql);
        }
    }
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
fn the_metrics_of_a_rollup_go_by_one_time() {
    let mut registry = registry();
    let kept = rollup("paid_daily", Grain::Day, &["channel"], &["paid_orders"]);
    registry.rollups.insert(kept.name.clone(), kept);
    let engine = Engine::new(registry);
    let rollups = fresh(&engine, Dialect::Sqlite, TODAY);
    let sql = compile(&engine, "paid_orders by channel, month 2025Q1", &rollups)
        .main
        .sql;
    assert!(sql.contains("FROM paid_daily"), "{sql}");
    let both = rollup("both", Grain::Day, &[], &["all_orders", "paid_orders"]);
    let error = RollupTable::new(
        &engine.registry,
        &engine.reach,
        &engine.templates,
        &both,
        &options(Dialect::Sqlite, None),
    )
    .unwrap_err();
    assert_eq!(
        error.message,
        "the rollup both cannot be kept: paid_orders goes by another time than the metrics before it"
    );
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
const RANGES: [&str; 14] = [
    "",
    "since 2025-02",
    "since 2025-01-05",
    "2025-04",
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
        let refreshed = [TODAY, date(2025, 2, 11), date(2025, 1, 6)];
        let refreshed = refreshed.map(|day| fresh(&engine, dialect, day));
        make(&loaded.connection, &refreshed[0], dialect).await;
        let mut random = Random(88_172_645_463_325_252);
        let (mut answered, mut routed) = (0, 0);
        let cases = if name == "sqlite" { 500 } else { 100 };
        for case in 0..cases {
            let rollups = &refreshed[case % refreshed.len()];
            let line = line(&mut random);
            let plain = engine.compile_by(&line, &options(dialect, None));
            let kept = engine.compile_by(&line, &options(dialect, Some(rollups)));
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
                (plain.total(), kept.total()),
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

const SALES: &str = "
datasets:
  sales:
    table: sales
    time: sold
    dimensions: {sold: {type: time}, market: {}, paid: {type: boolean}, on_day: {type: date}, size: {type: number}}
metrics:
  n: {base_table: sales, agg: count}
  gmv: {base_table: sales, agg: sum, expr: amount}
  mean: {base_table: sales, agg: avg, expr: amount}
  largest: {base_table: sales, agg: max, expr: amount}
  last_at: {base_table: sales, agg: max, expr: sold}
  per_sale: {expr: gmv / n}
  rounded: {expr: round(gmv)}
  markets: {base_table: sales, agg: count_distinct, expr: market}
rollups:
  sales_daily: {of: sales, grain: day, by: [market, paid, on_day, size], metrics: [gmv, mean, largest, last_at, n], in: embedded}
";

/// Amounts that binary fractions cannot hold, sizes that are no integers, and rows without values.
const SOLD: &str = "CREATE TABLE sales (sold timestamp, market text, amount numeric(10, 2), paid boolean, on_day date, size numeric(4, 2));
    INSERT INTO sales VALUES ('2025-01-01 10:00:00', 'TH', 0.10, true, '2025-01-02', 0.05), ('2025-01-01 23:59:59', 'TH', 0.20, true, '2025-01-02', 0.05),
      ('2025-01-02 00:00:00', 'TH', 0.70, false, NULL, 1), ('2025-01-31 12:30:00', 'VN', 1234567.89, NULL, '2025-02-01', 2.5),
      ('2025-02-01 00:00:00', NULL, 0.03, true, '2025-02-01', NULL), ('2025-02-02 00:00:00', 'id', NULL, false, '2025-02-01', 0.05)";

/// A project over an engine's tables.
fn project(loaded: &engines::Loaded) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let entry = match &loaded.connection.kind {
        ConnectionKind::Sqlite { path } => format!("{{type: sqlite, path: {}}}", path.display()),
        ConnectionKind::Duckdb { path, .. } => {
            format!("{{type: duckdb, path: {}}}", path.display())
        }
        ConnectionKind::Postgres(settings) => {
            format!(
                "{{type: postgres, url: '{}'}}",
                settings.url.as_deref().unwrap()
            )
        }
        other => panic!("{other:?}"),
    };
    std::fs::create_dir(folder.path().join("metrics")).unwrap();
    std::fs::write(folder.path().join("metrics/sales.yaml"), SALES).unwrap();
    let config = format!("connections:\n  main: {entry}\n");
    std::fs::write(folder.path().join("metrex.yaml"), config).unwrap();
    folder
}

fn session(folder: &tempfile::TempDir, no_rollups: bool) -> Session {
    let options = OpenOptions {
        project: Some(folder.path().to_owned()),
        today: Some(TODAY),
        state_dir: Some(folder.path().join(".state")),
        no_rollups,
        ..OpenOptions::default()
    };
    Session::open(options).unwrap()
}

/// What is kept in a file of the project's state gives what the warehouse would, or is not asked.
#[tokio::test]
async fn a_rollup_in_the_embedded_file_changes_no_row() {
    for loaded in engines::everywhere(SOLD) {
        let folder = project(&loaded);
        let (kept, plain) = (session(&folder, false), session(&folder, true));
        for plan in kept.plan_rollups(&[], false, true).await.unwrap() {
            assert_eq!(plan.size, Some((5, 6)), "{}", loaded.name);
            let state = kept
                .materialize(&plan, &CancellationToken::new())
                .await
                .unwrap();
            assert_eq!(state.unwrap().rows, 5, "{}", loaded.name);
        }
        let warehouse = loaded.warehouse.tables().await.unwrap();
        assert_eq!(
            warehouse.len(),
            1,
            "nothing is written there: {warehouse:?}"
        );
        // The sums of SQLite are binary fractions.
        let is_exact = loaded.name != "sqlite";
        for (line, is_embedded) in [
            ("gmv, n 2025-01", true),
            ("gmv, n by market, month 2025-01..2025-02", true),
            ("gmv running by day 2025-01", true),
            (
                "gmv, mean, largest, last_at, per_sale by market 2025-01..2025-02",
                true,
            ),
            ("gmv by paid, on_day 2025-01..2025-02", true),
            ("gmv, n by size where size < 1 2025-01..2025-02", true),
            (
                "gmv by market where market in (TH, id) and on_day > 2025-01-01 2025-01..2025-02 vs previous year",
                true,
            ),
            ("gmv by market 2025-01..2025-02 top 1 with others", true),
            ("gmv by market 2025-01..2025-02 limit 1", false),
            ("gmv by market 2025-01..2025-02 order by gmv limit 1", true),
            ("gmv by month, market 2025-01 order by month limit 1", false),
            ("gmv by month 2025-01 limit 1", true),
            ("gmv by market", false),
            ("gmv, markets by month 2025-01", false),
            ("gmv by market where market > A 2025-01", false),
            ("gmv where market like 't%' 2025-01", false),
            ("rounded 2025-01", false),
        ] {
            let query = line.parse().unwrap();
            let compiled = kept.compile(&query).unwrap();
            assert_eq!(
                compiled.embedded, is_embedded,
                "{line}: {:?}",
                compiled.reasons
            );
            let answer = async |session: &Session| {
                let run = session.answer(&query, RunOptions::default(), CancellationToken::new());
                run.await
                    .unwrap_or_else(|error| panic!("{}: {line}: {error}", loaded.name))
            };
            let (ours, theirs) = (answer(&kept).await, answer(&plain).await);
            let all = |answer: &Answer| support::shop::texts(&answer.batches);
            assert_eq!(
                all(&ours),
                all(&theirs),
                "{}: {line}\n{}",
                loaded.name,
                ours.sql
            );
            if is_exact && !line.contains("mean") {
                assert_eq!(ours.batches, theirs.batches, "{}: {line}", loaded.name);
            }
        }
        let said = |line: &str| {
            let compiled = kept.compile(&line.parse().unwrap()).unwrap();
            let mut reasons = compiled.reasons.into_iter().map(|reason| reason.text);
            reasons
                .find(|text| text.contains("the rollup"))
                .unwrap_or_default()
        };
        assert!(
            said("gmv 2025-01").starts_with("sales is read from the rollup sales_daily in the embedded file: 5 rows by day, market, paid, on_day, size, refreshed "),
            "{}",
            said("gmv 2025-01")
        );
        for (line, why) in [
            (
                "gmv by market",
                "it is complete before 2025-04-15, and later days are in the warehouse (metrex materialize sales_daily)",
            ),
            (
                "gmv, markets 2025-01",
                "it is in the embedded file, and the query needs rows of the warehouse, too",
            ),
            (
                "gmv where market like 't%' 2025-01",
                "it is in a file, where text has another order and matches other patterns than in the warehouse",
            ),
            (
                "rounded 2025-01",
                "it is in a file, where round(gmv) could give another number than in the warehouse",
            ),
        ] {
            assert_eq!(
                said(line),
                format!("the rollup sales_daily is not used: {why}")
            );
        }

        // A row of the last week is added to the file; one of long ago is not looked for.
        let later = "INSERT INTO sales VALUES ('2025-04-14 08:00:00', 'TH', 5.05, true, NULL, 1), ('2025-01-15 08:00:00', 'TH', 7, true, NULL, 1)";
        let statements = vec![later.to_owned()];
        write(
            &loaded.connection,
            "UTC",
            statements,
            &CancellationToken::new(),
        )
        .await
        .unwrap();
        for plan in kept.plan_rollups(&[], false, false).await.unwrap() {
            assert_eq!(plan.what(), "refresh the days since 2025-04-08");
            let state = kept
                .materialize(&plan, &CancellationToken::new())
                .await
                .unwrap();
            assert_eq!(state.unwrap().rows, 6);
        }
        let fresh = RunOptions {
            fresh: true,
            ..RunOptions::default()
        };
        let query = "n, gmv by month 2025-01..2025-04-14".parse().unwrap();
        let answer = kept
            .answer(&query, fresh, CancellationToken::new())
            .await
            .unwrap();
        let rows = support::shop::texts(&answer.batches);
        assert_eq!(
            rows.last().unwrap(),
            "2025-04-01 | 1 | 5.05",
            "{}",
            loaded.name
        );
        assert!(rows[0].starts_with("2025-01-01 | 4 | "), "{rows:?}");
    }
}
