//! Compiled queries run on every engine and give the rows that were worked out by hand, traps included.
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

use engines::postgres;
use metrex::model::NoValues;
use metrex::warehouse::Warehouse;
use support::shop::{Engine, fill, registry, rows};

/// Each question with the rows worked out by hand from `tests/support/shop.rs`; `-` is NULL.
const ANSWERS: &[(&str, &[&str])] = &[
    // A dimension that is an expression keeps its brackets in every condition.
    ("all_orders where paid = true", &["6"]),
    ("all_orders where paid = false", &["1"]),
    ("all_orders where promoted = false", &["3"]),
    ("all_orders where promoted is null", &["0"]),
    ("all_orders by promoted", &["false | 3", "true | 4"]),
    // The smallest and largest keep the type of what they are of, also over a join.
    ("first_paid", &["2025-01-06"]),
    ("last_channel", &["organic"]),
    (
        "filled_roas by month 2025-02..2025-03",
        &["2025-02-01 | 7", "2025-03-01 | 0"],
    ),
    ("filled_aov", &["1"]),
    // A grouping is ordered, and others are limited within it, by any name it has.
    (
        "quantity by product_type order by kind limit 1",
        &["drink | 3"],
    ),
    (
        "quantity by kind, order.status limit 1 per product_type",
        &["drink | PAID | 3", "jaffle | PAID | 3", "- | PAID | 2"],
    ),
    ("rounded", &["31.2"]),
    // Nothing of a query is called like a table or another metric.
    ("grouped_rows, all_orders", &["2 | 7"]),
    (
        "revenue_prior, roas 2025-02 vs previous period",
        &["2 | 2 | 0 | 0 | 7 | 10 | -3 | -0.3"],
    ),
    // A trend without an end goes on to today.
    (
        "orders by month since 2025-02",
        &["2025-02-01 | 2", "2025-03-01 | 0", "2025-04-01 | 2"],
    ),
    // A period that still runs is compared with the same days, however it is written.
    ("all_orders 2025Q2 vs previous period", &["2 | 2 | 0 | 0"]),
    (
        "all_orders this quarter vs previous period",
        &["2 | 2 | 0 | 0"],
    ),
    (
        "all_orders where created_at >= '2025-02-11 12:30' 2025-02",
        &["1"],
    ),
    (
        "all_orders where created_at > '2025-02-11 12:30:00.5' 2025-02",
        &["0"],
    ),
    // One number, one group, NULL is a group of its own and comes last.
    ("all_orders", &["7"]),
    (
        "orders by channel",
        &["ads | 2", "it's | 1", "organic | 2", "- | 1"],
    ),
    (
        "revenue by channel 2025",
        &["ads | 100", "it's | 7", "organic | 15", "- | 25"],
    ),
    // An OR inside a definition stays in its brackets.
    ("big_revenue", &["190"]),
    ("large_orders", &["2"]),
    // A dimension of a joined table: a foreign key without a match is NULL, and no row is lost or doubled.
    ("all_orders by buyer.market", &["BR | 3", "TH | 2", "- | 2"]),
    (
        "all_orders by seller.segment, buyer.segment",
        &[
            "ENT | ENT | 1",
            "ENT | - | 2",
            "SMB | ENT | 1",
            "SMB | SMB | 2",
            "SMB | - | 1",
        ],
    ),
    ("brazilian_orders", &["3"]),
    (
        "brazilian_orders by seller.segment",
        &["ENT | 1", "SMB | 2"],
    ),
    // Several hops.
    (
        "quantity by order.buyer.market",
        &["BR | 6", "TH | 1", "- | 1"],
    ),
    (
        "quantity by product_type, channel",
        &[
            "drink | ads | 1",
            "drink | - | 2",
            "jaffle | ads | 3",
            "- | organic | 2",
        ],
    ),
    // Supplies hang on products: items are never multiplied by them, and supplies reach product types themselves.
    (
        "item_revenue by kind",
        &["drink | 12", "jaffle | 33", "- | 10"],
    ),
    ("supply_count by product_type", &["drink | 1", "jaffle | 2"]),
    // Ratios are sums over sums; integers are not truncated; a group without numerator rows is 0, not NULL.
    ("cancel_rate", &["0.142857143"]),
    (
        "cancel_rate by channel",
        &["ads | 0.333333333", "it's | 0", "organic | 0", "- | 0"],
    ),
    (
        "aov by channel",
        &["ads | 70", "it's | 7", "organic | 7.5", "- | 25"],
    ),
    ("unit_share", &["0.8"]),
    // A zero denominator is NULL on every engine, never an error and never infinite.
    (
        "roas by month 2025-01..2025-03",
        &["2025-01-01 | 10", "2025-02-01 | 7", "2025-03-01 | -"],
    ),
    ("roas_pct", &["1246.666666667"]),
    (
        "cost_share by channel 2025",
        &[
            "ads | 0.090909091",
            "it's | -",
            "organic | -",
            "radio | -",
            "- | 0.166666667",
        ],
    ),
    // Two facts side by side, joined on keys that may be NULL; a missing side is NULL for sums and 0 for counts.
    (
        "orders, ads_cost by channel 2025",
        &[
            "ads | 1 | 10",
            "it's | 1 | -",
            "organic | 2 | -",
            "radio | 0 | 0",
            "- | 1 | 5",
        ],
    ),
    (
        "filled_cost, orders by channel 2025",
        &[
            "ads | 10 | 1",
            "it's | 0 | 1",
            "organic | 0 | 2",
            "radio | 0 | 0",
            "- | 5 | 1",
        ],
    ),
    ("orders, all_orders", &["6 | 7"]),
    // A trend shows the empty month too.
    (
        "orders by month 2025-01..2025-04",
        &[
            "2025-01-01 | 1",
            "2025-02-01 | 2",
            "2025-03-01 | 0",
            "2025-04-01 | 2",
        ],
    ),
    (
        "revenue by month 2025Q1",
        &["2025-01-01 | 100", "2025-02-01 | 35", "2025-03-01 | -"],
    ),
    (
        "revenue by quarter 2024..2025",
        &[
            "2024-01-01 | 40",
            "2024-04-01 | -",
            "2024-07-01 | -",
            "2024-10-01 | -",
            "2025-01-01 | 135",
            "2025-04-01 | 12",
        ],
    ),
    ("all_orders by year", &["2024-01-01 | 1", "2025-01-01 | 6"]),
    (
        "all_orders by week 2025-01-01..2025-01-12",
        &["2024-12-30 | 1", "2025-01-06 | 1"],
    ),
    (
        "all_orders by day 2025-02-09..2025-02-11",
        &["2025-02-09 | 0", "2025-02-10 | 1", "2025-02-11 | 1"],
    ),
    (
        "all_orders by hour 2025-01",
        &["2025-01-05T10:00:00 | 1", "2025-01-06T23:00:00 | 1"],
    ),
    (
        "paid_orders by month 2025Q1",
        &["2025-01-01 | 1", "2025-02-01 | 1", "2025-03-01 | 1"],
    ),
    (
        "all_orders by paid_on.month 2025Q1",
        &[
            "2025-01-01 | 1",
            "2025-02-01 | 1",
            "2025-03-01 | 1",
            "- | 1",
        ],
    ),
    // Ranges are half-open inside: the last second of a day counts, the next midnight does not.
    ("all_orders 2025-01-06", &["1"]),
    ("all_orders last 3 months", &["4"]),
    ("all_orders mtd", &["2"]),
    (
        "all_orders last 2 months by channel",
        &["organic | 1", "- | 1"],
    ),
    // Distinct, quantiles, extremes.
    ("buyers", &["4"]),
    (
        "median_amount, p90_amount, avg_amount",
        &["25 | 70 | 33.857142857"],
    ),
    (
        "median_amount by channel",
        &["ads | 50", "it's | 7", "organic | 7.5", "- | 25"],
    ),
    ("first_order, largest_order", &["2024-02-29T09:00:00 | 100"]),
    (
        "first_order by seller.market",
        &["TH | 2025-02-10T00:00:00", "- | 2024-02-29T09:00:00"],
    ),
    // Conditions are a tree: brackets hold, NULL is neither equal nor unequal.
    (
        "all_orders where channel = ads or channel = organic and amount_class = x",
        &[],
    ),
    (
        "all_orders where (channel = ads or channel = organic) and status = PAID",
        &["4"],
    ),
    (
        "all_orders where channel = ads or channel = organic and status = PAID",
        &["5"],
    ),
    ("all_orders where channel != ads", &["3"]),
    ("all_orders where not (channel = ads)", &["3"]),
    ("all_orders where channel not in (ads, organic)", &["1"]),
    ("all_orders where channel is null", &["1"]),
    ("all_orders where channel = 'it''s'", &["1"]),
    ("all_orders where channel like '%R%'", &["2"]),
    ("all_orders where express = true", &["2"]),
    ("all_orders where express in (true, false)", &["6"]),
    ("all_orders by express", &["false | 4", "true | 2", "- | 1"]),
    ("all_orders where size = large", &["2"]),
    ("all_orders by size", &["large | 2", "small | 5"]),
    ("quantity where weight > 1", &["3"]),
    ("quantity where weight between 0.5 and 1", &["3"]),
    ("all_orders where created_at = 2025-02", &["2"]),
    ("all_orders where created_at <= 2025-02-10", &["4"]),
    ("all_orders where created_at > 2025-02-10", &["3"]),
    (
        "all_orders where created_at between 2025-01-06 and 2025-02",
        &["3"],
    ),
    (
        "all_orders where created_at < '2025-01-05 10:00:01'",
        &["2"],
    ),
    ("all_orders where paid_on != 2025-04", &["4"]),
    ("quantity where order.buyer.market = BR", &["6"]),
    // A condition on a metric is applied after grouping.
    (
        "orders by channel where orders > 1",
        &["ads | 2", "organic | 2"],
    ),
    (
        "aov by channel where aov between 7 and 20",
        &["it's | 7", "organic | 7.5"],
    ),
    (
        "orders, ads_cost by channel where ads_cost is not null 2025",
        &["ads | 1 | 10", "radio | 0 | 0", "- | 1 | 5"],
    ),
    // Order and limit.
    ("orders by channel top 2", &["ads | 2", "organic | 2"]),
    (
        "revenue by channel bottom 2 by revenue",
        &["it's | 7", "organic | 15"],
    ),
    (
        "orders, ads_cost by channel order by ads_cost desc limit 2",
        &["ads | 2 | 10", "- | 1 | 5"],
    ),
    // The source is chosen by what is asked.
    ("activity", &["7"]),
    (
        "activity by product_type",
        &["drink | 2", "jaffle | 1", "- | 2"],
    ),
    (
        "activity by day 2025-01-05..2025-01-06",
        &["2025-01-05 | 1", "2025-01-06 | 0"],
    ),
    (
        "activity by month 2025-01..2025-02",
        &["2025-01-01 | 2", "2025-02-01 | 2"],
    ),
    // Defaults of the metric, and the query over them.
    ("region_orders", &["BR | 2"]),
    ("region_orders by none", &["2"]),
    ("region_orders all time", &["BR | 3", "TH | 2", "- | 2"]),
    // Comparisons: the other filters hold on both sides, rows of one side only are kept.
    ("orders 2025-02 vs previous period", &["2 | 1 | 1 | 1"]),
    (
        "revenue by channel 2025Q2 vs previous period",
        &[
            "ads | - | 100 | - | -",
            "it's | 7 | - | - | -",
            "organic | 5 | - | - | -",
        ],
    ),
    (
        "orders by month 2025-01..2025-02 vs previous year",
        &["2025-01-01 | 1 | 0 | 1 | -", "2025-02-01 | 2 | 1 | 1 | 1"],
    ),
    (
        "orders by day 2025-02-10..2025-02-11 vs 5 weeks ago",
        &["2025-02-10 | 1 | 0 | 1 | -", "2025-02-11 | 1 | 0 | 1 | -"],
    ),
    // 29 February has no counterpart: it is left out of the compared days, not counted on 28 February.
    (
        "all_orders by day 2025-02-27..2025-03-01 vs previous year",
        &[
            "2025-02-27 | 0 | 0 | 0 | -",
            "2025-02-28 | 0 | 0 | 0 | -",
            "2025-03-01 | 0 | 0 | 0 | -",
        ],
    ),
    // 30 March has no counterpart in February: its prior is unknown, not 0.
    (
        "all_orders by day 2025-03-28..2025-03-30 vs 1 month ago",
        &[
            "2025-03-28 | 0 | 0 | 0 | -",
            "2025-03-29 | 0 | - | - | -",
            "2025-03-30 | 0 | - | - | -",
        ],
    ),
    ("all_orders 2025-02 vs 2024-02", &["2 | 1 | 1 | 1"]),
    ("orders mtd vs previous period", &["2 | 0 | 2 | -"]),
    ("cancel_rate 2025-01 vs 2025-02", &["0.5 | 0 | 0.5 | -"]),
];

async fn check(name: &str, warehouse: &Warehouse) {
    let engine = Engine::new(registry());
    let mut wrong = Vec::new();
    for (line, expected) in ANSWERS {
        if expected.is_empty() {
            assert!(
                engine
                    .compile_with(line, warehouse.dialect(), &NoValues)
                    .is_err(),
                "{line}"
            );
            continue;
        }
        let compiled = match engine.compile_with(line, warehouse.dialect(), &NoValues) {
            Ok(compiled) => compiled,
            Err(error) => {
                wrong.push(format!("{line}\n  refused: {error} {:?}", error.hint));
                continue;
            }
        };
        let found = rows(warehouse, &compiled.main).await;
        if found != *expected {
            wrong.push(format!(
                "{line}\n  expected {expected:?}\n  found    {found:?}\n{}",
                compiled.main.sql
            ));
        }
        if let Some(totals) = compiled.total() {
            let row = rows(warehouse, totals).await;
            assert_eq!(row.len(), 1, "{line}: a total is one row");
            let tables = |sql: &str| {
                ["FROM items", "FROM orders", "FROM ads"].map(|from| sql.contains(from))
            };
            assert_eq!(
                tables(&totals.sql),
                tables(&compiled.main.sql),
                "{line}: a total reads what its rows read"
            );
        }
        assert_eq!(
            compiled.main.lines.len(),
            compiled.main.sql.split('\n').count(),
            "{line}: every line has its origins"
        );
    }
    assert!(
        wrong.is_empty(),
        "{name}: {} of {} answers differ\n{}",
        wrong.len(),
        ANSWERS.len(),
        wrong.join("\n\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_on_every_engine_equal_those_worked_out_by_hand() {
    for engine in engines::everywhere_filled(fill) {
        check(engine.name, &engine.warehouse).await;
    }
}

/// The shop's instants as `timestamptz`, in a project whose days begin in Jakarta (UTC+7): 23:59:59 of 6 January in UTC
/// is the morning of the 7th there.
#[tokio::test(flavor = "multi_thread")]
async fn days_begin_in_the_zone_of_the_project() {
    let Some(cluster) = postgres::Cluster::shared() else {
        return;
    };
    cluster.psql(
        "CREATE SCHEMA zoned; CREATE TABLE zoned.orders (order_id int, created_at timestamptz, status text);
         INSERT INTO zoned.orders VALUES (1, '2025-01-06 23:59:59+00', 'PAID'), (2, '2025-01-31 18:00:00+00', 'PAID')",
    );
    let engine = Engine::new(support::shop::registry_of(
        "datasets:\n  orders: {table: zoned.orders, key: order_id, time: created_at}\nmetrics:\n  orders: {base_table: orders, agg: count}\n",
    ));
    let warehouse = Warehouse::open(&postgres::at(&cluster.url()), "Asia/Jakarta").unwrap();
    for (line, expected) in [
        ("orders 2025-01-07", vec!["1"]),
        (
            "orders by month 2025-01..2025-02",
            vec!["2025-01-01 | 1", "2025-02-01 | 1"],
        ),
        ("orders by hour 2025-01", vec!["2025-01-07T06:00:00 | 1"]),
    ] {
        let compiled = engine
            .compile_with(line, warehouse.dialect(), &NoValues)
            .unwrap();
        assert_eq!(rows(&warehouse, &compiled.main).await, expected, "{line}");
    }
}
