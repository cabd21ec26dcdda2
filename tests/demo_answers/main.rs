//! Every answer on the demo is right: each metric with each of its dimensions equals a computation that does not use
//! the compiler, on SQLite and on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod by_hand;
#[path = "../support/postgres.rs"]
mod postgres;
mod rows;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use by_hand::{Answer, Key, Question};
use jiff::ToSpan;
use jiff::civil::{Date, date, datetime};
use metrex::compile::{CompileOptions, DimensionChoice, Reachability, Role, Templates, compile};
use metrex::demo;
use metrex::model::{
    CompareOp, Connection, DimensionType, Filter, Grain, GroupBy, MetricKind, MetricQuery,
    NoValues, Registry, TimeRange,
};
use metrex::registry::{Project, load};
use metrex::warehouse::{Request, Warehouse};
use postgres::{Cluster, at};
use rows::{NULL, Row, Value, World};

const TODAY: Date = date(2026, 11, 20);

/// A range that begins and ends within months, and holds the busiest day of the year.
const FIRST: Date = date(2026, 9, 15);
const LAST: Date = date(2026, 11, 12);

/// Leaves one or two thousand rows per table, so that more than a thousand questions take seconds.
const THIN_OUT: [&str; 14] = [
    "DELETE FROM orders WHERE created_at < '2026-05-01' OR order_id % 16 <> 0",
    "DELETE FROM order_items WHERE created_at < '2026-05-01' OR order_id % 16 <> 0",
    "DELETE FROM platform_activity WHERE active_on < '2026-10-01' OR user_id % 16 <> 0",
    "DELETE FROM module_activity WHERE active_on < '2026-10-01' OR user_id % 16 <> 0",
    "DELETE FROM traffic_daily WHERE visited_on < '2026-11-06'",
    "DELETE FROM ads_daily_old WHERE dt < '2026-03-28'",
    "DELETE FROM ads_daily_new WHERE report_date > '2026-04-05' AND report_date < '2026-11-06'",
    "DELETE FROM scs_adjustments WHERE adjusted_on < '2026-05-01'",
    "DELETE FROM subscriptions WHERE subscription_id % 8 <> 0",
    "DELETE FROM subscription_months WHERE subscription_id % 8 <> 0",
    "DELETE FROM initiatives_fct WHERE phase_on < '2026-09-01'",
    "DELETE FROM touchpoints WHERE happened_at < '2026-09-01' OR user_id % 8 <> 0",
    "DELETE FROM users WHERE user_id % 16 <> 0
     AND user_id NOT IN (SELECT user_id FROM orders UNION SELECT user_id FROM touchpoints)",
    "DELETE FROM sellers WHERE seller_id % 4 <> 0
     AND seller_id NOT IN (SELECT seller_id FROM orders UNION SELECT seller_id FROM subscriptions)",
];

/// The small demo database in SQLite, with its rows.
fn small() -> &'static (Connection, World) {
    static SMALL: OnceLock<(tempfile::TempDir, (Connection, World))> = OnceLock::new();
    let (_, small) = SMALL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.db");
        demo::create(&path, TODAY, &mut |_, _| ()).unwrap();
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute_batch(&THIN_OUT.join(";")).unwrap();
        drop(database);
        let world = World::read(&path);
        (folder, (support::sqlite(&path), world))
    });
    small
}

/// The same rows in PostgreSQL; `None` where it is not installed.
fn small_postgres() -> Option<(std::sync::Arc<Cluster>, Connection)> {
    static LOADED: OnceLock<()> = OnceLock::new();
    let cluster = Cluster::shared()?;
    let connection = at(&cluster.url());
    LOADED.get_or_init(|| {
        demo::load(&connection.kind, TODAY, false, &mut |_, _| ()).unwrap();
        cluster.psql(&THIN_OUT.join(";"));
        cluster.psql("ANALYZE");
    });
    Some((cluster, connection))
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

/// A grouped question, in the compiler's words and in ours.
struct Case {
    query: MetricQuery,
    filter: Option<(String, Filter)>,
    by: Vec<By>,
    range: Option<(Date, Date)>,
}

#[derive(Clone)]
enum By {
    Dimension(String),
    /// A period of a time dimension, or of the metric's own time.
    Period(Grain, Option<String>),
}

impl Case {
    fn new(
        metric: &str,
        by: Vec<By>,
        filter: Option<(String, Filter)>,
        range: Option<(Date, Date)>,
    ) -> Self {
        let group = |by: &By| match by {
            By::Dimension(name) => GroupBy::Dimension(name.clone()),
            By::Period(grain, of) => GroupBy::Grain {
                grain: *grain,
                of: of.clone(),
            },
        };
        let time = match range {
            None => TimeRange::AllTime,
            Some((first, last)) => format!("{first}..{last}").parse().unwrap(),
        };
        let query = MetricQuery {
            metrics: vec![metric.to_owned()],
            group_by: Some(by.iter().map(group).collect()),
            filters: filter.as_ref().map(|(_, filter)| filter.clone()),
            time: Some(time),
            ..MetricQuery::default()
        };
        Self {
            query,
            filter,
            by,
            range,
        }
    }

    /// What a loop over the rows says.
    fn expected(&self, world: &World) -> Answer {
        let keep = |row: &Row| {
            let day = row.day();
            let in_range = self
                .range
                .is_none_or(|(first, last)| day >= first.to_string() && day <= last.to_string());
            in_range
                && self
                    .filter
                    .as_ref()
                    .is_none_or(|(name, filter)| holds(filter, &row.dimension(name)))
        };
        let key = |row: &Row| {
            let part = |by: &By| match by {
                By::Dimension(name) => row.dimension(name).key(),
                By::Period(grain, None) => period(*grain, &row.day()),
                By::Period(grain, Some(name)) => match row.dimension(name) {
                    Value::Null => NULL.to_owned(),
                    value => period(*grain, &value.key()),
                },
            };
            self.by.iter().map(part).collect::<Key>()
        };
        let uses_module = |by: &By| matches!(by, By::Dimension(name) if name == "module");
        let module = self.by.iter().any(uses_module)
            || self
                .filter
                .as_ref()
                .is_some_and(|(name, _)| name == "module");
        let groups = self.groups();
        by_hand::answer(
            world,
            &self.query.metrics[0],
            &Question {
                module,
                keep: &keep,
                key: &key,
                groups,
            },
        )
    }

    /// A total is one row whatever happens, and a trend over one grain shows every period of its range.
    fn groups(&self) -> Vec<Key> {
        match (self.by.as_slice(), self.range) {
            ([], _) => vec![vec![]],
            ([By::Period(grain, _)], Some((first, last))) => {
                let days = first.series(1.day()).take_while(|day| *day <= last);
                let mut periods: Vec<Key> = days
                    .map(|day| vec![period(*grain, &day.to_string())])
                    .collect();
                periods.dedup();
                periods
            }
            _ => vec![],
        }
    }
}

fn period(grain: Grain, text: &str) -> String {
    let day: Date = text[..10].parse().unwrap();
    let first = match grain {
        Grain::Week => day - i64::from(day.weekday().to_monday_zero_offset()).days(),
        Grain::Month => day.first_of_month(),
        Grain::Quarter => date(day.year(), (day.month() - 1) / 3 * 3 + 1, 1),
        Grain::Year => date(day.year(), 1, 1),
        _ => day,
    };
    first.to_string()
}

/// Whether a row with this value of the filtered dimension is kept.
fn holds(filter: &Filter, value: &Value) -> bool {
    match (filter, value) {
        (_, Value::Null) => false,
        (Filter::In { values, .. }, value) => values.contains(&value.key()),
        (
            Filter::Compare {
                value: bound,
                op: CompareOp::Ge,
                ..
            },
            Value::Number(number),
        ) => *number >= bound.parse().unwrap(),
        (
            Filter::Compare {
                value: bound,
                op: CompareOp::Ge,
                ..
            },
            Value::Text(text),
        ) => text >= bound,
        (Filter::Compare { value: bound, .. }, value) => value.key() == *bound,
        _ => panic!("{filter:?} has not been written by hand"),
    }
}

/// A condition that keeps some of the rows.
fn condition(world: &World, table: &'static str, choice: &DimensionChoice) -> (String, Filter) {
    let field = choice.name.clone();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in world.rows(table).map(|row| row.dimension(&choice.name)) {
        if value != Value::Null && value.key() != "" {
            *counts.entry(value.key()).or_default() += 1;
        }
    }
    let middle = || {
        let mut values: Vec<&String> = counts.keys().collect();
        if choice.kind == DimensionType::Number {
            values.sort_by(|a, b| a.parse::<f64>().unwrap().total_cmp(&b.parse().unwrap()));
        }
        values[values.len() / 2].clone()
    };
    let compare = |op, value| Filter::Compare {
        field: field.clone(),
        op,
        value,
    };
    let filter = match choice.kind {
        DimensionType::Text => {
            let mut values: Vec<(&String, &usize)> = counts.iter().collect();
            values.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            let values = values
                .into_iter()
                .take(2)
                .map(|(value, _)| value.clone())
                .collect();
            Filter::In {
                field: field.clone(),
                values,
                negated: false,
            }
        }
        DimensionType::Number => compare(CompareOp::Ge, middle()),
        DimensionType::Boolean => compare(CompareOp::Eq, "true".to_owned()),
        DimensionType::Date | DimensionType::Time => {
            compare(CompareOp::Ge, middle()[..10].to_owned())
        }
    };
    (field, filter)
}

/// Every question of the test about one metric.
fn cases(world: &World, metric: &str) -> Vec<Case> {
    let Demo {
        registry, reach, ..
    } = project();
    let range = Some((FIRST, LAST));
    let mut cases = vec![Case::new(metric, vec![], None, range)];
    for grain in [Grain::Day, Grain::Week, Grain::Quarter] {
        cases.push(Case::new(
            metric,
            vec![By::Period(grain, None)],
            None,
            range,
        ));
    }
    let choices = reach.choices(registry, &[metric.to_owned()]);
    for choice in choices.iter().filter(|choice| choice.reachable.is_ok()) {
        let name = choice.name.clone();
        let table = by_hand::base(metric, name == "module");
        cases.push(Case::new(
            metric,
            vec![By::Dimension(name.clone())],
            None,
            None,
        ));
        let filter = condition(world, table, choice);
        cases.push(Case::new(
            metric,
            vec![By::Period(Grain::Month, None)],
            Some(filter),
            range,
        ));
        if choice.kind.is_time() {
            let months = By::Period(Grain::Month, Some(name));
            cases.push(Case::new(metric, vec![months], None, None));
        }
    }
    cases
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
fn ask_everything(connection: &Connection) {
    let world = &small().1;
    let compiled_metrics = project()
        .registry
        .metrics
        .values()
        .filter(|metric| !matches!(metric.kind, MetricKind::Complex { .. }));
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
        let mut asked = 0;
        for case in metrics.into_iter().flat_map(|metric| cases(world, metric)) {
            let found = runtime.block_on(compiled(&warehouse, &case.query));
            let problem = match found {
                Ok(found) => difference(&case.expected(world), &found),
                Err(problem) => Some(problem),
            };
            asked += 1;
            problems.extend(problem.map(|problem| format!("{}: {problem}", case.query)));
        }
        (asked, problems)
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
    let asked: usize = answers.iter().map(|(asked, _)| asked).sum();
    let problems: Vec<String> = answers
        .into_iter()
        .flat_map(|(_, problems)| problems)
        .collect();
    assert!(asked > 1000, "only {asked} questions");
    assert!(
        problems.is_empty(),
        "{} of {asked} answers are wrong:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[test]
fn every_metric_by_every_dimension_is_right_on_sqlite() {
    ask_everything(&small().0);
}

#[test]
fn every_metric_by_every_dimension_is_right_on_postgres() {
    if let Some((_cluster, connection)) = small_postgres() {
        ask_everything(&connection);
    }
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

#[tokio::test]
async fn orders_from_ads_equal_hand_written_sql_on_sqlite() {
    let month = "date(created_at, 'start of month')";
    let by_hand = ORDERS_FROM_ADS_BY_HAND.replace("{month}", month);
    assert_same(&small().0, ORDERS_FROM_ADS, &by_hand).await;
}

#[tokio::test]
async fn orders_from_ads_equal_hand_written_sql_on_postgres() {
    let loaded = tokio::task::spawn_blocking(small_postgres).await.unwrap();
    if let Some((_cluster, connection)) = loaded {
        let by_hand =
            ORDERS_FROM_ADS_BY_HAND.replace("{month}", "date_trunc('month', created_at)::date");
        assert_same(&connection, ORDERS_FROM_ADS, &by_hand).await;
    }
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

#[tokio::test]
async fn the_closed_won_rate_needs_nothing_but_its_name() {
    assert_same(&small().0, "closed_won_pct", CLOSED_WON_BY_HAND).await;
    assert_same(
        &small().0,
        "closed_won_pct by market qtd",
        CLOSED_WON_BY_HAND,
    )
    .await;
    let loaded = tokio::task::spawn_blocking(small_postgres).await.unwrap();
    if let Some((_cluster, connection)) = loaded {
        assert_same(&connection, "closed_won_pct", CLOSED_WON_BY_HAND).await;
    }
}
