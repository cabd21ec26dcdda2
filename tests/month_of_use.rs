//! A month of twenty users on the demo: what was planted in their work is proposed, what only looks like it is not.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/month.rs"]
mod month;

use std::collections::{BTreeMap, BTreeSet};

use month::{Place, Raw, TODAY, bytes, recount, sittings};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Work by hand that should become definitions, and work that should not.
fn by_hand() -> Vec<Raw> {
    let per_buyer = "WITH per_buyer AS (SELECT user_id, COUNT(*) AS bought, SUM(amount_usd) AS spent FROM orders \
                     GROUP BY user_id)";
    let raw = Raw::new;
    vec![
        // Planted: two metrics, a dimension, a join, a skill.
        raw("SELECT SUM(o.voucher_usd) FROM orders o WHERE o.status <> 'CANCELLED'"),
        raw(
            "SELECT grass_region, SUM(voucher_usd) FROM orders WHERE status <> 'CANCELLED' GROUP BY grass_region",
        ),
        raw("SELECT MAX(oi.price_usd) FROM order_items AS oi"),
        raw("SELECT quantity FROM order_items GROUP BY quantity"),
        raw(
            "SELECT o.payment_method, SUM(t.cost_usd) FROM touchpoints t JOIN orders o ON t.order_id = o.order_id GROUP BY 1",
        ),
        raw(&format!("{per_buyer} SELECT AVG(bought) FROM per_buyer")),
        raw(&format!(
            "{per_buyer} SELECT MAX(spent) FROM per_buyer WHERE bought > 1"
        )),
        // Too seldom, on too few days, by one person in a burst, failing too often.
        Raw {
            count: 8,
            ..raw("SELECT MIN(voucher_usd) FROM orders")
        },
        Raw {
            days: 2,
            ..raw("SELECT AVG(voucher_usd) FROM orders")
        },
        Raw {
            people: 1,
            count: 40,
            days: 1,
            ..raw("SELECT MIN(shipping_usd) FROM orders")
        },
        Raw {
            failed: 5,
            ..raw("SELECT MIN(price_usd) FROM order_items")
        },
        // There under another name, or with other filters, or in other words.
        raw("SELECT SUM(amount_usd) FROM orders WHERE channel = 'ads'"),
        raw("SELECT COUNT(DISTINCT user_id) FROM orders"),
        raw("SELECT AVG(amount_usd) FROM orders WHERE platform = 'ios'"),
        raw("SELECT SUM(price_usd * quantity) FROM order_items"),
        raw("SELECT SUM(cost_usd) FROM touchpoints"),
        // The join multiplies the rows that are added up.
        raw(
            "SELECT SUM(o.shipping_usd) FROM orders o JOIN order_items i ON i.order_id = o.order_id",
        ),
        // Personal, a key, and a dimension that is there.
        raw("SELECT email FROM users GROUP BY email"),
        raw("SELECT COUNT(*) FROM orders WHERE seller_id = 12"),
        raw("SELECT segment FROM users GROUP BY segment"),
        // A query line says the same as this part.
        raw(
            "WITH m AS (SELECT grass_region, COUNT(*) AS n FROM orders GROUP BY grass_region) SELECT MAX(n) FROM m",
        ),
        raw(
            "WITH m AS (SELECT grass_region, COUNT(*) AS n FROM orders GROUP BY grass_region) SELECT MIN(n) FROM m",
        ),
    ]
}

/// What should be proposed; skills go by their name.
const PLANTED: [&str; 9] = [
    "metric:sum(orders: voucher_usd)",
    "metric:max(order_items: price_usd)",
    "dimension:order_items.quantity",
    "join:touchpoints.order_id=orders",
    "skill orders_by_user_id",
    "alias:ads_rev:revenue",
    "rollup:orders/day/platform",
    "deprecation:ecpm",
    "deprecation:cpc",
];

fn ideas(report: &Value, stage: &str) -> BTreeSet<String> {
    let all = report["ideas"].as_array().unwrap().iter();
    let wanted = all.filter(|idea| idea["stage"]["is"] == stage);
    let id = |idea: &Value| match idea["kind"].as_str().unwrap() {
        "skill" => format!(
            "skill {}",
            idea["change"]["metric"]["name"].as_str().unwrap()
        ),
        _ => idea["id"].as_str().unwrap().to_owned(),
    };
    wanted.map(id).collect()
}

#[test]
fn what_was_planted_in_a_month_is_proposed_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let place = Place::new(folder.path());
    let query =
        |day: &str, line: &str| place.said(day, "before", &["query", line, "--format", "csv"], "");
    // The log is old enough to know what nobody uses; everything but two metrics was asked for lately.
    query("2026-08-01", "cpc last month");
    let listed = place.said("2026-10-01", "before", &["search"], "");
    let names = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    // Analyses, which take long, are never called unused.
    let is_asked = |name: &&str| {
        let slow = [
            "attributed_revenue",
            "order_funnel",
            "buyer_",
            "revenue_retention",
        ];
        !["ecpm", "cpc"].contains(name) && !slow.iter().any(|slow| name.starts_with(slow))
    };
    let names: Vec<&str> = names.filter(is_asked).collect();
    assert!(names.len() > 60, "{listed}");
    let everything: String = names
        .iter()
        .map(|name| match *name {
            // The share of a market, and one that knows no time.
            "order_share_by_channel" => format!("{name} by market last month"),
            "gmv_concentration" => format!("{name} by market"),
            name => format!("{name} last month"),
        })
        .map(|line| format!("{}\n", json!({"query": line})))
        .collect();
    let answers = place.said("2026-10-01", "before", &["batch"], &everything);
    let refused: Vec<&str> = answers
        .lines()
        .filter(|answer| answer.contains("\"error\""))
        .collect();
    assert_eq!(refused, Vec::<&str>::new());
    let all = "revenue by market last month";
    place.said(
        "2026-10-21",
        "before",
        &["ask", all, "--choose", "4", "--run"],
        "",
    );

    let month = sittings();
    place.live(&month);
    // The graph counts what was asked.
    let file = rusqlite::Connection::open(place.usage()).unwrap();
    let since: jiff::Timestamp = "2026-10-22T00:00:00Z".parse().unwrap();
    let since = since.as_second() / 86_400;
    let mut counts = file
        .prepare(
            "SELECT nodes.kind || ' ' || label, SUM(n) FROM days JOIN nodes ON nodes.id = node \
             WHERE day >= ?1 AND nodes.kind IN ('metric', 'dimension') GROUP BY nodes.id \
             UNION ALL SELECT nodes.kind || ' ' || label, SUM(n) FROM edges JOIN nodes ON nodes.id = src \
             WHERE edges.kind = 'ASKED' GROUP BY nodes.id",
        )
        .unwrap();
    let counted = counts
        .query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let mut counted: BTreeMap<String, u64> = counted.collect::<Result<_, _>>().unwrap();
    let asked = recount(&month);
    // Groupings that a metric has of its own are not counted again.
    counted.retain(|what, _| asked.contains_key(what) || what.starts_with("metric "));
    assert_eq!(counted, asked);
    drop(counts);
    drop(file);

    // A decoy of an alias: too seldom.
    place.said(
        TODAY,
        "user13",
        &["ask", "gmv in Vietnem last month", "--choose", "1", "--run"],
        "",
    );
    let history = folder.path().join("history.csv");
    std::fs::write(&history, month::history(&by_hand())).unwrap();
    place.said(
        TODAY,
        "dba",
        &["usage", "import", history.to_str().unwrap()],
        "",
    );

    let learn = || place.said(TODAY, "cron", &["learn", "--format", "json"], "");
    let report: Value = serde_json::from_str(&learn()).unwrap();
    let proposed = ideas(&report, "new");
    let planted: BTreeSet<String> = PLANTED.iter().map(|id| (*id).to_owned()).collect();
    let hits = proposed.intersection(&planted).count();
    let precision = hits as f64 / proposed.len() as f64;
    let recall = hits as f64 / planted.len() as f64;
    eprintln!(
        "{} sittings, {} queries by {} people; {} proposed, {} planted, precision {precision:.2}, recall {recall:.2}",
        month.len(),
        report["queries"],
        report["people"],
        proposed.len(),
        planted.len()
    );
    assert_eq!(proposed, planted, "{report:#}");

    // Once more in the same night: not a byte.
    let before = bytes(folder.path());
    let again: Value = serde_json::from_str(&learn()).unwrap();
    assert_eq!(ideas(&again, "waiting"), planted);
    assert_eq!(ideas(&again, "new"), BTreeSet::new());
    let after = bytes(folder.path());
    let changed: Vec<_> = after
        .iter()
        .filter(|(path, text)| before.get(*path) != Some(text))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(changed, Vec::<&std::path::PathBuf>::new());
    assert_eq!(before.len(), after.len());
}
