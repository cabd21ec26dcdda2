//! Projects of Cube, Snowflake, Databricks, Lightdash and LookML answer like SQL by hand, also when they are
//! written again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;
#[path = "support/exchange.rs"]
mod tools;

use metrex::session::{OtherTool, Session};
use tools::{Shop, answer, fixture, notes};

/// Every answer is that of the SQL beside it.
async fn assert_answers(shop: &Shop, session: &Session, cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (line, sql) in cases {
        let (mut ours, mut theirs) = (answer(session, line).await, shop.rows(sql));
        ours.sort();
        theirs.sort();
        if ours != theirs {
            wrong.push(format!("{line}: {ours:?} and not {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is read from a format, written for it and read again gives the same answers.
async fn assert_again(shop: &Shop, tool: OtherTool, session: &Session, cases: &[(&str, &str)]) {
    let written = shop.at("written");
    session.export(tool).write(&written).unwrap();
    shop.import(tool, &written, "again").await;
    assert_answers(shop, &shop.open("again"), cases).await;
}

const CUBE: &[(&str, &str)] = &[
    (
        "orders_count by status",
        "SELECT upper(status), count(*) FROM orders GROUP BY 1",
    ),
    (
        "orders_count by medium",
        "SELECT channel, count(*) FROM orders GROUP BY 1",
    ),
    (
        "orders_count by size_and_status",
        "SELECT CASE WHEN amount >= 70 THEN 'large' WHEN amount >= 40 THEN 'medium' ELSE 'small' END || ' ' || upper(status), count(*) FROM orders GROUP BY 1",
    ),
    (
        "total_amount",
        "SELECT sum(amount) FROM orders WHERE status = 'completed'",
    ),
    (
        "gross by customers.segment",
        "SELECT segment, sum(amount + tax) FROM orders LEFT JOIN customers ON customers.id = customer_id GROUP BY 1",
    ),
    (
        "gross by sellers.segment",
        "SELECT segment, sum(amount + tax) FROM orders LEFT JOIN customers ON customers.id = seller_id GROUP BY 1",
    ),
    (
        "buyers by orders_month",
        "SELECT substr(created_at, 1, 7), count(DISTINCT customer_id) FROM orders GROUP BY 1",
    ),
    ("austrian_orders", "SELECT 3"),
    (
        "ads_orders where paid_for = true",
        "SELECT count(*) FROM orders WHERE channel = 'ads' AND status <> 'cancelled'",
    ),
    ("ads_share", "SELECT 2 / 6.0"),
    (
        "tax_rate by channel",
        "SELECT channel, sum(tax) / sum(amount) FROM orders GROUP BY 1",
    ),
    ("spread", "SELECT max(amount) - min(amount) FROM orders"),
    (
        "amount_so_far by month 2025-02..2025-03",
        "VALUES ('2025-02-01', 275), ('2025-03-01', 275)",
    ),
    (
        "amount_40_days by day 2025-02-28",
        "SELECT '2025-02-28', sum(amount) FROM orders WHERE created_at >= '2025-01-20' AND created_at < '2025-03-01'",
    ),
    (
        "amount_year_to_date by month 2025-04",
        "VALUES ('2025-04-01', 300)",
    ),
    (
        "amount_month_before by month 2025-02",
        "VALUES ('2025-02-01', 168)",
    ),
    ("growth by month 2025-02", "VALUES ('2025-02-01', -6)"),
    (
        "lines_per_order by channel",
        "SELECT channel, 1.0 * count(product) / count(DISTINCT id) FROM orders LEFT JOIN line_items ON order_id = id GROUP BY 1",
    ),
    (
        "quantity by product",
        "SELECT product, sum(quantity) FROM line_items GROUP BY 1",
    ),
    (
        "customers_count by segment",
        "SELECT segment, count(*) FROM customers GROUP BY 1",
    ),
];

#[tokio::test]
async fn cubes_answer_like_sql() {
    let shop = Shop::new();
    let made = shop.import(OtherTool::Cube, &fixture("cube"), "cube").await;
    assert_eq!(
        notes(&made.notes),
        [
            "views/sales.yml:2: the view sales is left out: it chooses from what the cubes define",
            "cubes/orders.yml:7: orders: data_source is not carried over",
            "cubes/orders.yml:153: orders: pre_aggregations is not carried over",
            "cubes/orders.yml:3: orders: members that are not public there are like all others here",
            "cubes/orders.yml:55: orders.created_at: granularities is not carried over",
            "cubes/orders.yml:62: orders: the dimension place is left out: there is no type geo",
            "cubes/orders.yml:74: orders.count: drill_members is not carried over",
            "cubes/orders.yml:128: orders: the measure count_next is left out: its window takes in what comes after",
            "cubes/others.yml:11: customers: the dimension orders_made is left out: it is a measure of each row",
            "cubes/orders.yml:59: orders: month is called orders_month",
            "cubes/others.yml:24: line_items: a key that is no column is left out",
            "cubes/orders.yml:72: the measure count is called orders_count",
            "cubes/others.yml:13: the measure count is called customers_count",
            "cubes/others.yml:31: the measure count is called line_items_count",
            "cubes/orders.yml:143: the metric everyone is left out: 'string_agg' has no counterpart",
            "cubes/orders.yml:146: the metric everyone_twice is left out: it is made of everyone, which is left out",
            "cubes/orders.yml:3: orders: status_column is a dimension too, since definitions read it",
        ]
    );
    let session = shop.open("cube");
    assert_answers(&shop, &session, CUBE).await;
    assert_again(&shop, OtherTool::Cube, &session, CUBE).await;
}

const SNOWFLAKE: &[(&str, &str)] = &[
    (
        "order_count by status",
        "SELECT upper(status), count(*) FROM orders GROUP BY 1",
    ),
    (
        "order_count by customers.customer_segment",
        "SELECT segment, count(*) FROM orders LEFT JOIN customers ON customers.id = customer_id GROUP BY 1",
    ),
    (
        "gross_revenue by month 2025-01..2025-02",
        "VALUES ('2025-01-01', 168), ('2025-02-01', 162)",
    ),
    (
        "completed",
        "SELECT sum(amount) FROM orders WHERE status = 'completed' AND channel = 'web'",
    ),
    ("buyers", "SELECT count(DISTINCT customer_id) FROM orders"),
    (
        "average_order by channel",
        "SELECT channel, sum(amount + tax) / count(*) FROM orders GROUP BY 1",
    ),
    (
        "order_count where not_cancelled = true",
        "SELECT count(*) FROM orders WHERE status <> 'cancelled'",
    ),
    ("tax_rate", "SELECT sum(tax) / sum(amount) FROM orders"),
    (
        "from_new by channel",
        "SELECT channel, count(*) FILTER (WHERE segment = 'new') FROM orders LEFT JOIN customers ON customers.id = customer_id GROUP BY 1",
    ),
    ("typical", "SELECT 47.5"),
    (
        "balance by month 2025-01..2025-02",
        "VALUES ('2025-01-01', 18), ('2025-02-01', 21)",
    ),
    (
        "opening by month 2025-01..2025-02",
        "VALUES ('2025-01-01', 15), ('2025-02-01', 21)",
    ),
    (
        "items_per_order by channel",
        "SELECT channel, 1.0 * sum(quantity) / count(DISTINCT id) FROM orders LEFT JOIN line_items ON order_id = id GROUP BY 1",
    ),
];

#[tokio::test]
async fn semantic_views_answer_like_sql() {
    let shop = Shop::new();
    let tool = OtherTool::Snowflake;
    let made = shop.import(tool, &fixture("snowflake"), "first").await;
    assert_eq!(
        notes(&made.notes),
        [
            "sales.yaml:76: sales: verified_queries is not carried over",
            "sales.yaml:5: customers: the database shop is that of the connection here",
            "sales.yaml:15: customers.customer_segment: sample_values is not carried over",
            "sales.yaml:17: orders: the database shop is that of the connection here",
            "sales.yaml:27: orders.gross: a fact is a dimension here",
            "sales.yaml:28: orders.net: a fact is a dimension here",
            "sales.yaml:28: orders.net: it is private there, and like all others here",
            "sales.yaml:41: orders.typical: it is private there, and like all others here",
            "sales.yaml:39: the metric nested is left out: it aggregates the measure gross_revenue",
            "sales.yaml:40: the metric moving is left out: 'avg' is over a window",
            "sales.yaml:17: orders: no default time is named; ordered_at is taken, the first there is",
        ]
    );
    let session = shop.open("first");
    assert_answers(&shop, &session, SNOWFLAKE).await;
    assert_again(&shop, tool, &session, SNOWFLAKE).await;
}

const DATABRICKS: &[(&str, &str)] = &[
    (
        "order_count by status",
        "SELECT upper(status), count(*) FROM orders GROUP BY 1",
    ),
    (
        "order_count by segment",
        "SELECT segment, count(*) FROM orders LEFT JOIN customers ON customers.id = customer_id GROUP BY 1",
    ),
    (
        "Total_Revenue by seller_segment",
        "SELECT upper(segment), sum(amount) FROM orders LEFT JOIN customers ON customers.id = seller_id GROUP BY 1",
    ),
    (
        "order_count by country",
        "SELECT country, count(*) FROM orders LEFT JOIN customers ON customers.id = customer_id LEFT JOIN cities ON cities.id = city_id GROUP BY 1",
    ),
    ("completed", "SELECT 140"),
    (
        "per_buyer",
        "SELECT sum(amount) / count(DISTINCT customer_id) FROM orders",
    ),
    (
        "tax_rate by medium",
        "SELECT channel, sum(tax) / sum(amount) FROM orders GROUP BY 1",
    ),
    ("austrian", "SELECT 3"),
    ("so_far by month 2025-02", "VALUES ('2025-02-01', 275)"),
    (
        "last_40_days by day 2025-02-28",
        "SELECT '2025-02-28', sum(amount) FROM orders WHERE created_at >= '2025-01-20' AND created_at < '2025-03-01'",
    ),
    (
        "year_to_date by month 2025-04",
        "VALUES ('2025-04-01', 300)",
    ),
    (
        "month_before by month 2025-02",
        "VALUES ('2025-02-01', 140)",
    ),
    (
        "balance by month 2025-01..2025-02",
        "VALUES ('2025-01-01', 18), ('2025-02-01', 21)",
    ),
];

#[tokio::test]
async fn metric_views_answer_like_sql() {
    let shop = Shop::new();
    let tool = OtherTool::Databricks;
    let made = shop.import(tool, &fixture("databricks"), "first").await;
    assert_eq!(
        notes(&made.notes),
        [
            "orders.yaml:76: orders: materialization is not carried over",
            "orders.yaml:2: orders: the catalog shop is that of the connection here",
            "orders.yaml:7: orders: the catalog shop is that of the connection here",
            "orders.yaml:11: orders: the catalog shop is that of the connection here",
            "orders.yaml:14: orders: the catalog shop is that of the connection here",
            "orders.yaml:37: orders: the dimension pair is left out: it is made of several tables",
            "orders.yaml:21: orders.order_month is left out: it is Order Date by month",
            "orders.yaml:23: orders.order_year is left out: it is Order Date by year",
            "orders.yaml:2: orders: its filter is one of each measure, and not of dimensions alone",
            "orders.yaml:63: orders: the measure days_before is left out: its window ends before the period; here it ends with it (inclusive)",
            "orders.yaml:18: orders: Order Date is called Order_Date",
            "orders.yaml:42: the measure Total Revenue is called Total_Revenue",
            "orders.yaml:74: the metric everything is left out: 'any_value' has no counterpart",
        ]
    );
    let session = shop.open("first");
    assert_answers(&shop, &session, DATABRICKS).await;
    assert_again(&shop, tool, &session, DATABRICKS).await;
}

const LIGHTDASH: &[(&str, &str)] = &[
    (
        "order_count by status_and_channel",
        "SELECT upper(status) || ' ' || channel, count(*) FROM orders GROUP BY 1",
    ),
    (
        "order_count by customers.segment",
        "SELECT segment, count(*) FROM orders LEFT JOIN customers ON customers.id = customer_id GROUP BY 1",
    ),
    (
        "order_count by sellers.segment",
        "SELECT segment, count(*) FROM orders LEFT JOIN customers ON customers.id = seller_id GROUP BY 1",
    ),
    ("buyers", "SELECT count(DISTINCT customer_id) FROM orders"),
    (
        "total_amount by month 2025-01..2025-02",
        "VALUES ('2025-01-01', 140), ('2025-02-01', 65)",
    ),
    ("large_amount", "SELECT 170"),
    ("third_quartile", "SELECT 66.25"),
    ("typical", "SELECT 47.5"),
    ("shops", "SELECT 1"),
    ("share_of_ads", "SELECT 2 / 6.0"),
    (
        "lines_per_order by channel",
        "SELECT channel, 1.0 * count(product) / count(DISTINCT id) FROM orders LEFT JOIN line_items ON order_id = id GROUP BY 1",
    ),
    ("austrian_amount", "SELECT 105"),
    ("from_regulars", "SELECT 3"),
];

#[tokio::test]
async fn models_of_lightdash_answer_like_sql() {
    let shop = Shop::new();
    let tool = OtherTool::Lightdash;
    let made = shop.import(tool, &fixture("lightdash"), "first").await;
    assert_eq!(
        notes(&made.notes),
        [
            "schema.yml:14: orders: the inner join of customers is a left one here",
            "schema.yml:53: orders.customer_id: it is hidden there, and like all others here",
            "schema.yml:63: orders.status: colors is not carried over",
            "schema.yml:92: orders: the metric lately is left out: 'inThePast 14 days' is relative to the day it is asked",
            "schema.yml:42: orders: the metric of_total is left out: percent_of_total has no counterpart",
        ]
    );
    let session = shop.open("first");
    assert_answers(&shop, &session, LIGHTDASH).await;
    assert_again(&shop, tool, &session, LIGHTDASH).await;
}

const LOOKML: &[(&str, &str)] = &[
    (
        "orders_count by status",
        "SELECT upper(status), count(*) FROM orders GROUP BY 1",
    ),
    (
        "orders_count by size",
        "SELECT CASE WHEN amount >= 70 THEN 'large' WHEN amount >= 40 THEN 'medium' ELSE 'small' END, count(*) FROM orders GROUP BY 1",
    ),
    (
        "orders_count by customers.segment",
        "SELECT segment, count(*) FROM orders LEFT JOIN customers ON customers.id = customer_id GROUP BY 1",
    ),
    (
        "orders_count by sellers.segment",
        "SELECT segment, count(*) FROM orders LEFT JOIN customers ON customers.id = seller_id GROUP BY 1",
    ),
    (
        "total_amount by medium",
        "SELECT channel, sum(amount) FROM orders WHERE status <> 'cancelled' GROUP BY 1",
    ),
    (
        "with_tax by month 2025-01..2025-02",
        "VALUES ('2025-01-01', 168), ('2025-02-01', 162)",
    ),
    ("buyers", "SELECT count(DISTINCT customer_id) FROM orders"),
    (
        "web_or_shop",
        "SELECT count(*) FROM orders WHERE channel IN ('web', 'shop') AND amount > 20",
    ),
    (
        "not_web",
        "SELECT count(*) FROM orders WHERE channel <> 'web'",
    ),
    ("austrian", "SELECT 3"),
    ("third_quartile", "SELECT 66.25"),
    (
        "untracked",
        "SELECT count(*) FROM orders WHERE channel IS NULL",
    ),
    ("typical", "SELECT 47.5"),
    ("ads_share", "SELECT 2 / 6.0"),
    ("days", "SELECT count(DISTINCT shipped_on) FROM orders"),
    (
        "month_before by month 2025-02",
        "VALUES ('2025-02-01', 168)",
    ),
    ("growth by month 2025-02", "VALUES ('2025-02-01', -6)"),
    (
        "items by product",
        "SELECT product, sum(quantity) FROM line_items GROUP BY 1",
    ),
    (
        "items by orders.channel",
        "SELECT channel, sum(quantity) FROM line_items LEFT JOIN orders ON orders.id = order_id GROUP BY 1",
    ),
    (
        "customers_count by segment",
        "SELECT segment, count(*) FROM customers GROUP BY 1",
    ),
];

#[tokio::test]
async fn views_of_lookml_answer_like_sql() {
    let shop = Shop::new();
    let tool = OtherTool::Lookml;
    let made = shop.import(tool, &fixture("lookml"), "first").await;
    assert_eq!(
        notes(&made.notes),
        [
            "shop.model.lkml:16: orders: sql_always_where is not carried over",
            "shop.model.lkml:22: orders.sellers: it is joined inner there, and left_outer here",
            "orders.view.lkml:4: orders: drill_fields is not carried over",
            "orders.view.lkml:11: orders.customer_id: it is hidden there, and like all others here",
            "orders.view.lkml:26: orders: the dimension amount_tier is left out: tier has no counterpart",
            "orders.view.lkml:40: orders: the dimension by_liquid is left out: its SQL is a template of Liquid",
            "orders.view.lkml:39: orders: the dimension waiting is left out: duration has no counterpart",
            "orders.view.lkml:42: orders.count: drill_fields is not carried over",
            "orders.view.lkml:63: orders: the measure lately is left out: '7 days' is a filter of times",
            "orders.view.lkml:64: orders: the measure so_far is left out: running_total has no counterpart",
            "orders.view.lkml:79: orders: the measure names is left out: list has no counterpart",
            "others.view.lkml:26: the view made_by_looker is left out: its table is made by Looker",
            "orders.view.lkml:42: the measure count is called orders_count",
            "others.view.lkml:11: the measure count is called customers_count",
            "orders.view.lkml:2: orders: no default time is named; created is taken, the first there is",
        ]
    );
    let session = shop.open("first");
    assert_answers(&shop, &session, LOOKML).await;
    assert_again(&shop, tool, &session, LOOKML).await;
}
