//! Every answer on the demo is right: each metric with each of its dimensions equals a computation that does not use
//! the compiler, on SQLite, PostgreSQL and DuckDB.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod by_hand;
#[path = "../support/duckdb.rs"]
mod duckdb;
#[path = "../support/demo.rs"]
mod made;
#[path = "../support/postgres.rs"]
mod postgres;
mod questions;
mod rows;
#[path = "../support/mod.rs"]
mod support;
mod timed;

use std::sync::OnceLock;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use by_hand::{Answer, Key};
use jiff::ToSpan;
use jiff::civil::{date, datetime};
use made::TODAY;
use metrex::compile::{CompileOptions, Reachability, Role, Templates, compile};
use metrex::demo;
use metrex::model::{Connection, MetricKind, MetricQuery, NoValues, Registry};
use metrex::registry::{Project, load};
use metrex::warehouse::{Request, Warehouse};
use postgres::{Cluster, at};
use questions::cases;
use rows::{NULL, World};

/// Leaves one or two thousand rows per table, so that more than a thousand questions take seconds.
const THIN_OUT: [&str; 14] = [
    "DELETE FROM orders WHERE created_at < '2025-09-01' OR order_id % 16 <> 0
     OR created_at BETWEEN '2025-12-01' AND '2026-05-01'",
    "DELETE FROM order_items WHERE created_at < '2026-05-01' OR order_id % 16 <> 0",
    "DELETE FROM platform_activity WHERE active_on < '2026-10-01' OR user_id % 13 <> 0",
    "DELETE FROM module_activity WHERE active_on < '2026-10-01' OR user_id % 13 <> 0",
    "DELETE FROM traffic_daily WHERE visited_on < '2026-11-06'",
    "DELETE FROM ads_daily_old WHERE dt < '2026-03-28'",
    "DELETE FROM ads_daily_new WHERE report_date > '2026-04-05' AND report_date < '2026-11-06'",
    "DELETE FROM scs_adjustments WHERE adjusted_on < '2026-05-01'",
    "DELETE FROM subscriptions WHERE subscription_id % 7 <> 0",
    "DELETE FROM subscription_months WHERE subscription_id % 7 <> 0",
    "DELETE FROM initiatives_fct WHERE phase_on < '2026-09-01'",
    "DELETE FROM touchpoints WHERE happened_at < '2026-09-01' OR user_id % 7 <> 0",
    "DELETE FROM users WHERE user_id % 13 <> 0
     AND user_id NOT IN (SELECT user_id FROM orders UNION SELECT user_id FROM touchpoints)",
    "DELETE FROM sellers WHERE seller_id % 4 <> 0
     AND seller_id NOT IN (SELECT seller_id FROM orders UNION SELECT seller_id FROM subscriptions)",
];

/// The small demo database in SQLite, with its rows.
fn small() -> (Connection, World) {
    let path = made::shared("small", |path| {
        std::fs::copy(made::file(), path).unwrap();
        let database = rusqlite::Connection::open(path).unwrap();
        database.execute_batch(&THIN_OUT.join(";")).unwrap();
    });
    (support::sqlite(&path), World::read(&path))
}

struct Demo {
    registry: Registry,
    reach: Reachability,
    templates: Templates,
}

fn project() -> &'static Demo {
    static PROJECT: OnceLock<Demo> = OnceLock::new();
    PROJECT.get_or_init(|| {
        let project = Project::demo().unwrap();
        let loaded = load(&project.files(), &project.config, None);
        assert_eq!(loaded.diagnostics, []);
        Demo {
            reach: Reachability::new(&loaded.registry),
            registry: loaded.registry,
            templates: Templates::builtin().unwrap(),
        }
    })
}

/// What the compiled SQL says on a warehouse, or why it says nothing.
async fn compiled(
    warehouse: &Warehouse,
    query: &MetricQuery,
) -> Result<Vec<(Key, Option<f64>)>, String> {
    let Demo {
        registry,
        reach,
        templates,
    } = project();
    let options = CompileOptions {
        dialect: warehouse.dialect(),
        today: TODAY,
        values: &NoValues,
        passes: Default::default(),
    };
    let statement = compile(registry, reach, templates, query, &options)
        .map_err(|error| error.to_string())?
        .main;
    let columns = statement
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.ty))
        .collect();
    let request = Request {
        sql: statement.sql.clone(),
        columns: Some(columns),
        row_cap: None,
    };
    let (batches, _) = support::collect(warehouse, request)
        .await
        .map_err(|error| format!("{error}\n{}", statement.sql))?;
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = statement.columns.iter().zip(batch.columns());
            let (groups, values): (Vec<_>, Vec<_>) =
                cells.partition(|(column, _)| column.role == Role::Group);
            let key = groups
                .into_iter()
                .map(|(_, array)| cell(array, row))
                .collect();
            let [(_, value)] = values.as_slice() else {
                panic!("{query} has not one value")
            };
            rows.push((key, number(value, row)));
        }
    }
    Ok(rows)
}

fn number(array: &ArrayRef, row: usize) -> Option<f64> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row) as f64,
        _ => array.as_primitive::<Float64Type>().value(row),
    })
}

fn cell(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return NULL.to_owned();
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            (date(1970, 1, 1) + i64::from(days).days()).to_string()
        }
        DataType::Timestamp(..) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            let at = datetime(1970, 1, 1, 0, 0, 0, 0) + micros.microseconds();
            at.strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        _ => number(array, row).unwrap().to_string(),
    }
}

fn same(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(other.abs()),
        (one, other) => one == other,
    }
}

/// The first difference between two answers.
fn difference(expected: &Answer, found: &[(Key, Option<f64>)]) -> Option<String> {
    let mut left = expected.clone();
    for (key, value) in found {
        match left.remove(key) {
            None => return Some(format!("{key:?} = {value:?} is too much, or twice")),
            Some(expected) if same(expected, *value) => {}
            Some(expected) => return Some(format!("{key:?} = {value:?} should be {expected:?}")),
        }
    }
    left.into_iter()
        .next()
        .map(|(key, value)| format!("{key:?} = {value:?} is missing"))
}

/// Asks everything about every metric, on two threads.
fn ask_everything(connection: &Connection, world: &World) {
    let Demo {
        registry, reach, ..
    } = project();
    // Those of analyses are computed again in tests/analyses.rs.
    let compiled_metrics = registry.metrics.values().filter(|metric| {
        !matches!(metric.kind, MetricKind::Complex { .. }) && registry.analysis_of(metric).is_none()
    });
    let metrics: Vec<&str> = compiled_metrics
        .map(|metric| metric.name.as_str())
        .collect();
    let ask = |metrics: Vec<&str>| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let warehouse = Warehouse::open(connection, "UTC").unwrap();
        let mut problems = Vec::new();
        let (mut asked, mut telling) = (0, 0);
        for case in metrics
            .into_iter()
            .flat_map(|metric| cases(world, registry, reach, metric))
        {
            let found = runtime.block_on(compiled(&warehouse, &case.query));
            let expected = case.expected(world);
            let problem = match found {
                Ok(found) => difference(&expected, &found),
                Err(problem) => Some(problem),
            };
            asked += 1;
            telling += usize::from(
                expected
                    .values()
                    .any(|value| value.is_some_and(|value| value != 0.0)),
            );
            problems.extend(problem.map(|problem| format!("{}: {problem}", case.query)));
        }
        (asked, telling, problems)
    };
    let (even, odd): (Vec<_>, Vec<_>) = metrics
        .iter()
        .enumerate()
        .partition(|(index, _)| index % 2 == 0);
    let names =
        |half: Vec<(usize, &&'static str)>| half.into_iter().map(|(_, name)| *name).collect();
    let (even, odd): (Vec<&str>, Vec<&str>) = (names(even), names(odd));
    let answers = std::thread::scope(|scope| {
        [even, odd]
            .map(|half| scope.spawn(|| ask(half)))
            .map(|thread| thread.join().unwrap())
    });
    let asked: usize = answers.iter().map(|(asked, ..)| asked).sum();
    let telling: usize = answers.iter().map(|(_, telling, _)| telling).sum();
    let problems: Vec<String> = answers
        .into_iter()
        .flat_map(|(.., problems)| problems)
        .collect();
    assert!(asked > 1000, "only {asked} questions");
    assert!(
        telling > asked * 9 / 10,
        "only {telling} of {asked} answers hold a number"
    );
    assert!(
        problems.is_empty(),
        "{} of {asked} answers are wrong:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

/// Every column of an answer as text, NULL as [`NULL`], sorted.
async fn table(warehouse: &Warehouse, request: Request) -> Vec<Vec<String>> {
    let (batches, _) = support::collect(warehouse, request).await.unwrap();
    let row = |batch: &arrow_array::RecordBatch, row| {
        batch
            .columns()
            .iter()
            .map(|array| cell(array, row))
            .collect()
    };
    let mut rows: Vec<Vec<String>> = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|index| row(batch, index)))
        .collect();
    rows.sort();
    rows
}

/// A query line and SQL written by hand say the same, number for number.
async fn assert_same(connection: &Connection, line: &str, sql: &str) {
    let Demo {
        registry,
        reach,
        templates,
    } = project();
    let warehouse = Warehouse::open(connection, "UTC").unwrap();
    let query: MetricQuery = line.parse().unwrap();
    let options = CompileOptions {
        dialect: warehouse.dialect(),
        today: TODAY,
        values: &NoValues,
        passes: Default::default(),
    };
    let statement = compile(registry, reach, templates, &query, &options)
        .unwrap()
        .main;
    let columns: Vec<_> = statement
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.ty))
        .collect();
    let ask = |sql: &str| Request {
        sql: sql.to_owned(),
        columns: Some(columns.clone()),
        row_cap: None,
    };
    let (found, expected) = (
        table(&warehouse, ask(&statement.sql)).await,
        table(&warehouse, ask(sql)).await,
    );
    assert!(!expected.is_empty());
    assert_eq!(found.len(), expected.len(), "{line}");
    for (found, expected) in found.iter().zip(&expected) {
        for (found, expected) in found.iter().zip(expected) {
            let close = match (found.parse(), expected.parse()) {
                (Ok(one), Ok(other)) => same(Some(one), Some(other)),
                _ => found == expected,
            };
            assert!(close, "{line}: {found} should be {expected}");
        }
    }
}

const ORDERS_FROM_ADS: &str = "gmv, orders, aov by market, month where channel = ads last 6 months";

/// The first day of a month, on either engine: `{month}` is the month of `created_at` there.
const ORDERS_FROM_ADS_BY_HAND: &str = "
    SELECT grass_region, {month}, SUM(amount_usd), COUNT(*), SUM(amount_usd) / COUNT(*)
    FROM orders
    WHERE status <> 'CANCELLED' AND channel = 'ads'
      AND created_at >= '2026-05-01' AND created_at < '2026-11-01'
    GROUP BY grass_region, {month}";

/// Closed-won rate of the fourth quarter of 2026 up to the current day, which is what the definition asks for.
const CLOSED_WON_BY_HAND: &str = "
    SELECT region,
      CAST(SUM(CASE WHEN phase = 'CLOSED_WON' THEN 1 ELSE 0 END) AS double precision)
        / NULLIF(SUM(CASE WHEN initiative_type = 'CLI' AND phase = 'CLOSED' THEN 1 ELSE 0 END), 0)
    FROM initiatives_fct
    WHERE phase_on >= '2026-10-01' AND phase_on < '2026-11-21'
      AND (phase = 'CLOSED_WON' OR (initiative_type = 'CLI' AND phase = 'CLOSED'))
    GROUP BY region";

/// The questions that people ask first, against SQL that people write; `month` is the month of an order there.
fn ask_the_famous(connection: &Connection, month: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let orders_by_hand = ORDERS_FROM_ADS_BY_HAND.replace("{month}", month);
    runtime.block_on(async {
        assert_same(connection, ORDERS_FROM_ADS, &orders_by_hand).await;
        assert_same(connection, "closed_won_pct", CLOSED_WON_BY_HAND).await;
        assert_same(
            connection,
            "closed_won_pct by market qtd",
            CLOSED_WON_BY_HAND,
        )
        .await;
    });
}

#[test]
fn every_metric_by_every_dimension_is_right_on_sqlite() {
    let (connection, world) = small();
    ask_everything(&connection, &world);
    ask_the_famous(&connection, "date(created_at, 'start of month')");
}

#[test]
fn every_metric_by_every_dimension_is_right_on_postgres() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let connection = at(&cluster.url());
    demo::load(&connection.kind, TODAY, false, &mut |_, _| ()).unwrap();
    cluster.psql(&THIN_OUT.join(";"));
    cluster.psql("ANALYZE");
    ask_everything(&connection, &small().1);
    ask_the_famous(&connection, "date_trunc('month', created_at)::date");
}

#[test]
fn every_metric_by_every_dimension_is_right_on_duckdb() {
    if duckdb::library().is_none() {
        return;
    }
    let path = made::shared("duckdb", |path| {
        let kind = duckdb::kind(path).unwrap();
        demo::load(&kind, TODAY, false, &mut |_, _| ()).unwrap();
        duckdb::execute(path, &THIN_OUT.join(";"));
    });
    let connection = duckdb::at(&path).unwrap();
    ask_everything(&connection, &small().1);
    ask_the_famous(&connection, "date_trunc('month', created_at)::date");
}

#[test]
fn weeks_have_no_growth_over_a_year() {
    let Demo {
        registry,
        reach,
        templates,
    } = project();
    let options = CompileOptions {
        dialect: metrex::warehouse::Dialect::Sqlite,
        today: TODAY,
        values: &NoValues,
        passes: Default::default(),
    };
    let query = "gmv_annual_growth by week last 8 weeks".parse().unwrap();
    let refused = compile(registry, reach, templates, &query, &options).unwrap_err();
    assert!(refused.message.contains("week"), "{refused}");
    assert!(refused.hint.is_some(), "{refused}");
}

#[test]
fn the_closed_won_rate_is_defined_in_the_flat_form() {
    let flat = "
  closed_won_pct:
    base_table: initiatives_fct
    numerator:   {agg: count, filters: [\"phase = 'CLOSED_WON'\"]}
    denominator: {agg: count, filters: [\"initiative_type = 'CLI'\", \"phase = 'CLOSED'\"]}
    grain: [region]
    window: quarter_to_date
";
    let files = Project::demo().unwrap().files();
    assert!(files.metrics.iter().any(|file| file.text.contains(flat)));
}
