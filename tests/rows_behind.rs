//! The rows behind a number: for every number of many queries they add up to it, on every engine; what has none is refused.
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

use arrow_array::RecordBatch;
use metrex::compile::{
    Behind, CompileError, CompileOptions, NumberOf, ROWS, Role, RowsOf, Statement, behind,
};
use metrex::model::NoValues;
use metrex::session::cell::raw_text;
use metrex::warehouse::{Dialect, Request, Warehouse};
use support::shop::{self, Engine, TODAY};

/// Metrics over windows of time, and over other metrics.
const MORE: &str = "
  recent_revenue: {of: revenue, window: 40 days}
  revenue_so_far: {base_table: orders, agg: sum, expr: amount, cumulative: {window: all_time}}
  revenue_this_year: {of: revenue, window: year_to_date}
  mean_so_far: {base_table: orders, agg: sum, expr: amount, cumulative: {window: month_to_date, at_coarser_grain: average}}
  revenue_before: {expr: before, inputs: {before: {metric: revenue, offset: 1 month}}}
  express_orders: {base_table: orders, agg: sum_boolean, expr: amount > 20}
  emails: {base_table: users, agg: count_distinct, expr: email}
  last_accounts: {base_table: orders, agg: sum, expr: amount, last_by: {per: [user_id]}}
";

const METRICS: [&str; 28] = [
    "orders",
    "all_orders",
    "revenue",
    "big_revenue",
    "large_orders",
    "brazilian_orders",
    "buyers",
    "median_amount",
    "avg_amount",
    "first_order",
    "largest_order",
    "last_channel",
    "paid_orders",
    "filled_roas",
    "filled_aov",
    "rounded",
    "quantity",
    "item_revenue",
    "unit_share",
    "ads_cost",
    "filled_cost",
    "cancel_rate",
    "aov",
    "roas",
    "activity",
    "express_orders",
    "revenue_before",
    "recent_revenue",
];

const SHAPES: [&str; 6] = [
    "by none",
    "by month 2025-01..2025-04",
    "by channel",
    "by channel, week 2025",
    "by channel vs previous year",
    "by month 2025-01..2025-04 vs previous period",
];

fn engine() -> Engine {
    let yaml = include_str!("fixtures/shop.yaml");
    Engine::new(shop::registry_of(&format!(
        "{yaml}{}",
        MORE.trim_start_matches('\n')
    )))
}

fn look(
    engine: &Engine,
    line: &str,
    dialect: Dialect,
    number: &NumberOf,
) -> Result<Behind, CompileError> {
    let options = CompileOptions {
        dialect,
        today: TODAY,
        values: &NoValues,
        passes: Default::default(),
    };
    behind(
        &engine.registry,
        &engine.reach,
        &engine.templates,
        &line.parse().unwrap(),
        number,
        &options,
    )
}

async fn run(warehouse: &Warehouse, statement: &Statement) -> Vec<RecordBatch> {
    let columns = statement.columns.iter();
    let columns = columns
        .map(|column| (column.name.clone(), column.ty))
        .collect();
    let request = Request {
        sql: statement.sql.clone(),
        columns: Some(columns),
        row_cap: None,
    };
    let run = support::collect(warehouse, request).await;
    run.unwrap_or_else(|error| panic!("{error}\n{}", statement.sql))
        .0
}

/// The cells of a column.
fn cells(statement: &Statement, batches: &[RecordBatch], name: &str) -> Vec<Option<String>> {
    let at = statement
        .columns
        .iter()
        .position(|column| column.name == name);
    let at = at.unwrap_or_else(|| panic!("no column {name} in\n{}", statement.sql));
    let of = |batch: &RecordBatch| {
        let rows = 0..batch.num_rows();
        rows.map(|row| raw_text(batch.column(at).as_ref(), row))
            .collect::<Vec<_>>()
    };
    batches.iter().flat_map(of).collect()
}

fn number(text: &Option<String>) -> Option<f64> {
    text.as_ref()?.parse().ok()
}

fn same(one: &Option<String>, other: &Option<String>) -> bool {
    match (number(one), number(other)) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
        _ => one == other,
    }
}

/// Runs one aggregation: its value, after its rows were found to add up to it.
async fn value(warehouse: &Warehouse, part: &RowsOf, told: &str) -> (Option<String>, u64) {
    let totals = part.compiled.total().unwrap();
    let row = run(warehouse, totals).await;
    let total = cells(totals, &row, &part.name)[0].clone();
    let count: u64 = cells(totals, &row, ROWS)[0]
        .clone()
        .unwrap()
        .parse()
        .unwrap();
    let main = &part.compiled.main;
    let rows = run(warehouse, main).await;
    let added = cells(main, &rows, &part.name);
    assert_eq!(
        added.len() as u64,
        count,
        "{told}: {}\n{}",
        part.name,
        main.sql
    );
    assert!(
        added.iter().all(Option::is_some),
        "{told}: a row adds nothing"
    );
    let numbers: Vec<f64> = added.iter().filter_map(number).collect();
    let sum: f64 = numbers.iter().sum();
    let expected = match part.reading.split_once(' ').unwrap().0 {
        "sum" if numbers.is_empty() => None,
        "sum" => Some(sum.to_string()),
        "number" if part.reading.starts_with("number of different") => {
            let different: std::collections::BTreeSet<_> = added.iter().collect();
            Some(different.len().to_string())
        }
        "number" => Some(sum.to_string()),
        "average" if numbers.is_empty() => None,
        "average" => Some((sum / numbers.len() as f64).to_string()),
        "largest" if !numbers.is_empty() => numbers
            .iter()
            .copied()
            .reduce(f64::max)
            .map(|x| x.to_string()),
        _ => total.clone(),
    };
    assert!(
        same(&expected, &total),
        "{told}: {}: {expected:?} is not {total:?}\n{}",
        part.name,
        main.sql
    );
    (total, count)
}

#[tokio::test]
async fn the_rows_behind_every_number_add_up_to_it() {
    let engine = engine();
    let (mut checked, mut refused) = (0, Vec::new());
    for loaded in engines::everywhere_filled(shop::fill) {
        let dialect = loaded.warehouse.dialect();
        for metric in METRICS {
            // The other engines take every other shape: compiling is most of the work, and is the same for all.
            let step = if loaded.name == "sqlite" { 1 } else { 2 };
            for shape in SHAPES.into_iter().skip(step - 1).step_by(step) {
                let line = format!("{metric} {shape}");
                let Ok(compiled) = engine.compile_with(&line, dialect, &NoValues) else {
                    continue;
                };
                let result = run(&loaded.warehouse, &compiled.main).await;
                let columns = &compiled.main.columns;
                let rows = result.iter().map(RecordBatch::num_rows).sum();
                let grid: Vec<_> = columns
                    .iter()
                    .map(|column| cells(&compiled.main, &result, &column.name))
                    .collect();
                for row in 0..rows {
                    let at = columns
                        .iter()
                        .zip(&grid)
                        .filter(|(column, _)| column.role == Role::Group);
                    let at: Vec<_> = at
                        .map(|(column, cells)| (column.name.clone(), cells[row].clone()))
                        .collect();
                    for (index, column) in columns.iter().enumerate() {
                        if !matches!(column.role, Role::Metric | Role::Prior) {
                            continue;
                        }
                        let told = format!("{}: {line}: {} at {at:?}", loaded.name, column.name);
                        let of = NumberOf {
                            column: Some(column.name.clone()),
                            at: at.clone(),
                        };
                        let found = match look(&engine, &line, dialect, &of) {
                            Ok(found) => found,
                            Err(error) => {
                                refused.push(format!("{metric}: {}", error.message));
                                continue;
                            }
                        };
                        let shown = &grid[index][row];
                        let mut values = Vec::new();
                        for part in &found.parts {
                            values.push(value(&loaded.warehouse, part, &told).await);
                        }
                        let kind = &engine.registry.metric(metric).unwrap().kind;
                        match values.as_slice() {
                            [(total, count)] if found.parts[0].name == column.name => {
                                let is_none =
                                    *count == 0 && number(shown).is_none_or(|shown| shown == 0.0);
                                assert!(
                                    same(shown, total) || is_none,
                                    "{told}: {total:?} is not {shown:?}"
                                );
                            }
                            [(above, _), (below, _)] if kind.is_ratio() && shown.is_some() => {
                                // Without a numerator the metric says what stands for it.
                                let Some(above) = number(above) else { continue };
                                let share = above / number(below).unwrap();
                                assert!(
                                    same(shown, &Some(share.to_string())),
                                    "{told}: {values:?}"
                                );
                            }
                            _ => {}
                        }
                        checked += 1;
                    }
                }
            }
        }
    }
    refused.sort();
    refused.dedup();
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(checked > 300, "{checked}");
}

#[tokio::test]
async fn without_a_row_all_rows_of_the_result_are_meant() {
    let engine = engine();
    for loaded in engines::everywhere_filled(shop::fill) {
        let dialect = loaded.warehouse.dialect();
        let found = look(&engine, "revenue by channel", dialect, &NumberOf::default()).unwrap();
        let (total, count) = value(&loaded.warehouse, &found.parts[0], loaded.name).await;
        assert_eq!((number(&total), count), (Some(187.0), 6), "{}", loaded.name);
    }
}

fn refusal(line: &str, column: Option<&str>, at: &[(&str, &str)]) -> String {
    let at = at
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
    let of = NumberOf {
        column: column.map(str::to_owned),
        at: at.collect(),
    };
    look(&engine(), line, Dialect::Sqlite, &of)
        .unwrap_err()
        .message
}

#[test]
fn what_has_no_rows_of_its_own_is_refused_with_the_reason() {
    for (line, column, reason) in [
        (
            "revenue by channel vs previous year 2025",
            Some("revenue_change"),
            "computed from two numbers",
        ),
        (
            "revenue, revenue share by channel",
            Some("revenue_share"),
            "from the rows of the result",
        ),
        ("revenue by channel", Some("channel"), "is no number"),
        ("revenue by channel", Some("orders"), "no column 'orders'"),
        ("by channel", None, "no metric"),
        (
            "revenue by channel top 2 by revenue",
            None,
            "not all groups are in the result",
        ),
        (
            "revenue by channel where revenue > 10",
            None,
            "not all groups are in the result",
        ),
        (
            "mean_so_far by month 2025",
            None,
            "computed from those of its days",
        ),
        ("last_accounts by month 2025", None, "taken from snapshots"),
        ("rules", None, "complex metric"),
    ] {
        let message = refusal(line, column, &[]);
        assert!(message.contains(reason), "{line}: {message}");
    }
    let others = refusal(
        "revenue by channel top 1 by revenue with others",
        None,
        &[("channel", "ads")],
    );
    assert!(others.contains("stands for many groups"), "{others}");
    let other = refusal("revenue by channel", None, &[("market", "BR")]);
    assert_eq!(other, "the query is not grouped by 'market'");
    let day = refusal("revenue by month 2025", None, &[("month", "soon")]);
    assert!(day.contains("is not a date"), "{day}");
    for value in ["2025Q1", "2025-02-03", "2025-W05"] {
        let month = refusal("revenue by month 2025", None, &[("month", value)]);
        assert!(month.contains("is not a month"), "{month}");
    }
}

#[test]
fn personal_data_is_not_among_the_rows() {
    let engine = engine();
    let found = look(&engine, "emails", Dialect::Sqlite, &NumberOf::default()).unwrap();
    let part = &found.parts[0];
    let names: Vec<_> = part
        .compiled
        .main
        .columns
        .iter()
        .map(|column| &column.name)
        .collect();
    assert_eq!(names, ["user_id", "segment", "market"]);
    assert_eq!(part.left_out, ["emails", "email"]);
    assert!(
        !part.compiled.main.sql.contains("\"email\" AS"),
        "{}",
        part.compiled.main.sql
    );
}
