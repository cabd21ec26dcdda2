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

use metrex::model::{ConnectionKind, NoValues};
use metrex::warehouse::Warehouse;
use support::shop::{Engine, connection, fill, registry, rows};

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
    let compiled = engine
        .compile_with(line, warehouse.dialect(), &NoValues)
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

fn sqlite() -> (tempfile::TempDir, Warehouse) {
    let folder = tempfile::tempdir().unwrap();
    let kind = ConnectionKind::Sqlite {
        path: folder.path().join("shop.db"),
    };
    fill(&kind);
    (folder, Warehouse::open(&connection(kind), "UTC").unwrap())
}

#[tokio::test]
async fn groups_of_an_additive_metric_add_up_to_its_total() {
    let (_folder, warehouse) = sqlite();
    let engine = Engine::new(registry());
    for metric in ADDITIVE {
        for range in RANGES {
            for condition in CONDITIONS {
                let whole = number(
                    &answer(
                        &engine,
                        &warehouse,
                        &format!("{metric} where {condition} {range}"),
                    )
                    .await[0],
                );
                for group in GROUPS {
                    let line = format!("{metric} by {group} where {condition} {range}");
                    let parts: f64 = answer(&engine, &warehouse, &line)
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

#[tokio::test]
async fn a_condition_its_opposite_and_the_unknown_make_the_whole() {
    let (_folder, warehouse) = sqlite();
    let engine = Engine::new(registry());
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
                    &answer(&engine, &warehouse, &format!("{metric} where {condition}")).await[0],
                );
            }
            let whole = number(&answer(&engine, &warehouse, metric).await[0]);
            assert!(
                (parts - whole).abs() < 1e-9,
                "{metric} {field}: {parts} is not {whole}"
            );
        }
    }
}

#[tokio::test]
async fn a_metric_is_the_same_alone_and_beside_others() {
    let (_folder, warehouse) = sqlite();
    let engine = Engine::new(registry());
    for group in GROUPS {
        let together = answer(
            &engine,
            &warehouse,
            &format!("{}, {} by {group}", ADDITIVE.join(", "), OTHERS.join(", ")),
        )
        .await;
        for (index, metric) in ADDITIVE.iter().chain(&OTHERS).enumerate() {
            let alone = answer(&engine, &warehouse, &format!("{metric} by {group}")).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn every_engine_gives_the_same_rows_in_the_same_order() {
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
        }
    }
}

#[tokio::test]
async fn either_of_two_conditions_is_both_counts_less_what_meets_both() {
    let (_folder, warehouse) = sqlite();
    let engine = Engine::new(registry());
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
                    of.push(number(&answer(&engine, &warehouse, &line).await[0]));
                }
                assert!(
                    (of[0] - (of[2] + of[3] - of[1])).abs() < 1e-9,
                    "{metric}: {one}, {other}: {of:?}"
                );
            }
        }
    }
}

/// There and back: what a range is compared with is what the earlier range says of itself.
#[tokio::test]
async fn the_compared_side_is_the_earlier_range() {
    let (_folder, warehouse) = sqlite();
    let engine = Engine::new(registry());
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
            let compared = answer(&engine, &warehouse, &line).await;
            let alone = answer(&engine, &warehouse, &format!("{metric} {earlier}")).await;
            let cells: Vec<&str> = compared[0].split(" | ").collect();
            assert_eq!(cells[1], alone[0], "{line}");
        }
    }
}
