//! Laws that hold for every query, whatever the data: parts add up to the whole, conditions split it, engines agree.
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

use jiff::civil::{Date, date};
use metrex::compile::{CompileOptions, Passes};
use metrex::model::NoValues;
use metrex::warehouse::Warehouse;
use support::shop::{Engine, TODAY, fill, registry, registry_of, rows};

const ADDITIVE: [&str; 4] = ["orders", "all_orders", "revenue", "brazilian_orders"];
const OTHERS: [&str; 5] = [
    "buyers",
    "cancel_rate",
    "aov",
    "median_amount",
    "avg_amount",
];
const GROUPS: [&str; 8] = [
    "channel",
    "status",
    "express",
    "size",
    "buyer.market",
    "seller.segment",
    "month",
    "paid_on.quarter",
];
const CONDITIONS: [&str; 6] = [
    "channel = ads",
    "buyer.market in (BR, TH)",
    "size = large or status = PAID",
    "created_at >= 2025-01-06",
    "not (express = true)",
    "seller.segment is null",
];
const RANGES: [&str; 4] = [
    "all time",
    "2025",
    "2025-01-05..2025-02-10",
    "last 3 months",
];

async fn answer(engine: &Engine, warehouse: &Warehouse, line: &str) -> Vec<String> {
    answer_by(engine, warehouse, line, (TODAY, Passes::default())).await
}

async fn answer_by(
    engine: &Engine,
    warehouse: &Warehouse,
    line: &str,
    (today, passes): (Date, Passes<'_>),
) -> Vec<String> {
    let options = CompileOptions {
        dialect: warehouse.dialect(),
        today,
        values: &NoValues,
        passes,
    };
    let compiled = engine
        .compile_by(line, &options)
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    rows(warehouse, &compiled.main).await
}

/// The last cell of a row as a number; NULL adds nothing.
fn number(row: &str) -> f64 {
    match row.rsplit(" | ").next().unwrap() {
        "-" => 0.0,
        cell => cell
            .parse()
            .unwrap_or_else(|_| panic!("{row}: '{cell}' is no number")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_an_additive_metric_add_up_to_its_total() {
    let engine = Engine::new(registry());
    let engines = engines::everywhere_filled(fill);
    for (n, engines::Loaded { warehouse, .. }) in engines.iter().enumerate() {
        for metric in ADDITIVE {
            for range in RANGES {
                // Every condition on some engine.
                for condition in CONDITIONS.iter().skip(n).step_by(3) {
                    let whole = number(
                        &answer(
                            &engine,
                            warehouse,
                            &format!("{metric} where {condition} {range}"),
                        )
                        .await[0],
                    );
                    for group in GROUPS {
                        let line = format!("{metric} by {group} where {condition} {range}");
                        let parts: f64 = answer(&engine, warehouse, &line)
                            .await
                            .iter()
                            .map(|row| number(row))
                            .sum();
                        assert!(
                            (parts - whole).abs() < 1e-9,
                            "{line}: {parts} is not {whole}"
                        );
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_its_opposite_and_the_unknown_make_the_whole() {
    let engine = Engine::new(registry());
    for engines::Loaded { warehouse, .. } in &engines::everywhere_filled(fill) {
        for metric in ADDITIVE {
            for (field, value) in [
                ("channel", "ads"),
                ("buyer.market", "BR"),
                ("express", "true"),
                ("size", "large"),
            ] {
                let mut parts = 0.0;
                for condition in [
                    format!("{field} = {value}"),
                    format!("not ({field} = {value})"),
                    format!("{field} is null"),
                ] {
                    parts += number(
                        &answer(&engine, warehouse, &format!("{metric} where {condition}")).await
                            [0],
                    );
                }
                let whole = number(&answer(&engine, warehouse, metric).await[0]);
                assert!(
                    (parts - whole).abs() < 1e-9,
                    "{metric} {field}: {parts} is not {whole}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_is_the_same_alone_and_beside_others() {
    let engine = Engine::new(registry());
    for engines::Loaded { warehouse, .. } in &engines::everywhere_filled(fill) {
        for group in GROUPS {
            let together = answer(
                &engine,
                warehouse,
                &format!("{}, {} by {group}", ADDITIVE.join(", "), OTHERS.join(", ")),
            )
            .await;
            for (index, metric) in ADDITIVE.iter().chain(&OTHERS).enumerate() {
                let alone = answer(&engine, warehouse, &format!("{metric} by {group}")).await;
                for row in alone {
                    let (key, value) = row.rsplit_once(" | ").unwrap();
                    let beside = together
                        .iter()
                        .find(|row| row.starts_with(&format!("{key} | ")))
                        .unwrap();
                    let cells: Vec<&str> = beside[key.len() + 3..].split(" | ").collect();
                    assert_eq!(cells[index], value, "{metric} by {group}, {key}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_engine_gives_the_same_rows_in_the_same_order_with_the_optimiser_and_without() {
    let engines = engines::everywhere_filled(fill);
    let (here, others) = engines.split_first().unwrap();
    let engine = Engine::new(registry());
    let mut n = 0;
    for metric in ADDITIVE.iter().chain(&OTHERS) {
        for group in GROUPS {
            // A different condition and range for each pair, not all of them with each.
            n += 1;
            let line = format!(
                "{metric}, all_orders by {group} where {} {}",
                CONDITIONS[n % 6],
                RANGES[n % 4]
            );
            let line = if *metric == "all_orders" {
                line.replacen("all_orders, ", "", 1)
            } else {
                line
            };
            let ours = answer(&engine, &here.warehouse, &line).await;
            for there in others {
                let theirs = answer(&engine, &there.warehouse, &line).await;
                assert_eq!(ours, theirs, "{line} on {}", there.name);
            }
            for there in &engines {
                let plain = (TODAY, Passes::NONE);
                let plain = answer_by(&engine, &there.warehouse, &line, plain).await;
                assert_eq!(ours, plain, "{line} on {}, not optimised", there.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn either_of_two_conditions_is_both_counts_less_what_meets_both() {
    let engine = Engine::new(registry());
    for engines::Loaded { warehouse, .. } in &engines::everywhere_filled(fill) {
        for metric in ADDITIVE {
            for (n, one) in CONDITIONS.iter().enumerate() {
                for other in &CONDITIONS[n + 1..] {
                    let mut of = Vec::new();
                    for condition in [
                        format!("({one}) or ({other})"),
                        format!("({one}) and ({other})"),
                        (*one).to_owned(),
                        (*other).to_owned(),
                    ] {
                        let line = format!("{metric} where {condition}");
                        of.push(number(&answer(&engine, warehouse, &line).await[0]));
                    }
                    assert!(
                        (of[0] - (of[2] + of[3] - of[1])).abs() < 1e-9,
                        "{metric}: {one}, {other}: {of:?}"
                    );
                }
            }
        }
    }
}

/// There and back: what a range is compared with is what the earlier range says of itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_compared_side_is_the_earlier_range() {
    let engine = Engine::new(registry());
    for engines::Loaded { warehouse, .. } in &engines::everywhere_filled(fill) {
        for metric in ADDITIVE.iter().chain(&OTHERS) {
            for (range, comparison, earlier) in [
                ("2025-02", "1 month ago", "2025-01"),
                ("2025-02", "previous year", "2024-02"),
                ("2025Q1", "previous period", "2024Q4"),
                (
                    "2025-01-06..2025-01-08",
                    "1 day ago",
                    "2025-01-05..2025-01-07",
                ),
            ] {
                let line = format!("{metric} {range} vs {comparison}");
                let compared = answer(&engine, warehouse, &line).await;
                let alone = answer(&engine, warehouse, &format!("{metric} {earlier}")).await;
                let cells: Vec<&str> = compared[0].split(" | ").collect();
                assert_eq!(cells[1], alone[0], "{line}");
            }
        }
    }
}

/// The shop, with each metric so far this year and a month before.
fn shop_in_time() -> Engine {
    let mut yaml = include_str!("fixtures/shop.yaml").to_owned();
    for metric in ADDITIVE.iter().chain(&OTHERS) {
        yaml.push_str(&format!(
            "  {metric}_so_far: {{of: {metric}, window: year_to_date}}\n  {metric}_before: {{expr: ago, inputs: {{ago: {{metric: {metric}, offset: 1 month}}}}}}\n"
        ));
    }
    Engine::new(registry_of(&yaml))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_year_to_date_on_its_last_day_is_the_year() {
    let engine = shop_in_time();
    for engines::Loaded {
        warehouse, name, ..
    } in &engines::everywhere_filled(fill)
    {
        for metric in ADDITIVE.iter().chain(&OTHERS) {
            for year in [2024, 2025] {
                let on = (date(year, 12, 31), Passes::default());
                let day = format!("{metric}_so_far by day {year}-12-31");
                let day = answer_by(&engine, warehouse, &day, on).await;
                let whole = format!("{metric} {year}");
                let whole = answer_by(&engine, warehouse, &whole, on).await;
                let expected = format!("{year}-12-31 | {}", whole[0]);
                assert_eq!(day, [expected], "{metric} {year} on {name}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_a_month_before_is_what_the_earlier_month_says() {
    let engine = shop_in_time();
    for engines::Loaded {
        warehouse, name, ..
    } in &engines::everywhere_filled(fill)
    {
        for metric in ADDITIVE.iter().chain(&OTHERS) {
            let values = |rows: Vec<String>| -> Vec<String> {
                let cells = rows.iter().map(|row| row.rsplit(" | ").next());
                cells.map(|cell| cell.unwrap().to_owned()).collect()
            };
            let before = format!("{metric}_before by month 2025-02..2025-04");
            let before = values(answer(&engine, warehouse, &before).await);
            let months = format!("{metric} by month 2025-01..2025-03");
            let months = values(answer(&engine, warehouse, &months).await);
            assert_eq!(before, months, "{metric} on {name}");
        }
    }
}
