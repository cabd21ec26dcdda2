//! What is noted of a statement: the same for statements that mean the same, without literals, aliases and limits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::learn::pattern::{Pattern, Tables, Unread, pattern};
use sqlparser::dialect::{GenericDialect, PostgreSqlDialect};

fn read(sql: &str) -> Pattern {
    pattern(sql, &PostgreSqlDialect {}, &Tables::default()).unwrap()
}

#[test]
fn literals_aliases_order_of_conditions_and_limits_do_not_matter() {
    let one = read(
        "SELECT o.market AS m, SUM(o.amount) AS total FROM orders o JOIN buyers AS b ON o.buyer_id = b.id \
         WHERE o.status IN ('paid', 'sent') AND b.segment = 'vip' AND o.at >= DATE '2026-01-01' GROUP BY o.market ORDER BY total LIMIT 10",
    );
    let other = read(
        "select x.market region, sum(x.amount) gmv from orders as x inner join buyers y on y.id = x.buyer_id \
         where 'new' = y.segment and x.at >= date '2025-07-01' and (x.status in ('open')) group by x.market order by gmv limit 500",
    );
    assert_eq!(one.fingerprint, other.fingerprint);
    assert!(
        !one.fingerprint.contains("paid") && !one.fingerprint.contains("2026"),
        "{}",
        one.fingerprint
    );
}

#[test]
fn what_is_computed_or_where_it_comes_from_does_matter() {
    let prints = [
        "SELECT SUM(amount) FROM orders WHERE status = 'paid'",
        "SELECT SUM(quantity) FROM orders WHERE status = 'paid'",
        "SELECT COUNT(amount) FROM orders WHERE status = 'paid'",
        "SELECT SUM(amount) FROM refunds WHERE status = 'paid'",
        "SELECT SUM(amount) FROM orders WHERE market = 'paid'",
        "SELECT SUM(amount) FROM orders WHERE status <> 'paid'",
        "SELECT SUM(amount) FROM orders WHERE status = 'paid' OR market = 'ID'",
        "SELECT SUM(amount) FROM orders WHERE status = 'paid' AND market = 'ID'",
        "SELECT SUM(amount) FROM orders",
    ]
    .map(|sql| read(sql).fingerprint);
    for (at, print) in prints.iter().enumerate() {
        assert!(!prints[..at].contains(print), "{print}");
    }
}

#[test]
fn the_facts_are_those_of_the_tables_below() {
    let found = read(
        "WITH paid AS (SELECT o.order_id, o.market, o.amount_usd AS usd FROM public.orders o WHERE o.status = 'paid')\n\
         SELECT p.market, date_trunc('month', i.sold_at) AS month, sum(p.usd) AS gmv, count(distinct i.product_id), max(total)\n\
         FROM paid p JOIN order_items i ON i.order_id = p.order_id\n\
         LEFT JOIN (SELECT order_id, sum(fee) AS total FROM fees GROUP BY order_id) f ON f.order_id = p.order_id\n\
         WHERE i.quantity > 3 AND p.market IN ('ID', 'TH') AND i.sold_at >= '2026-01-01' GROUP BY 1, 2",
    );
    assert_eq!(found.tables, ["fees", "order_items", "public.orders"]);
    assert_eq!(
        found.joins,
        [
            "fees.order_id = public.orders.order_id",
            "order_items.order_id = public.orders.order_id"
        ]
    );
    assert_eq!(
        found.aggregations,
        [
            "count(distinct order_items.product_id)",
            "sum(fees.fee)",
            "sum(public.orders.amount_usd)"
        ]
    );
    assert_eq!(
        found.groups,
        [
            "date_trunc('month', order_items.sold_at)",
            "fees.order_id",
            "public.orders.market"
        ]
    );
    let filters: Vec<_> = found
        .filters
        .iter()
        .map(|one| format!("{} {} {}", one.on, one.op, one.values.join("|")))
        .collect();
    assert_eq!(
        filters,
        [
            "order_items.quantity > 3",
            "order_items.sold_at >= ",
            "public.orders.market in ID|TH",
            "public.orders.status = paid"
        ]
    );
    assert!(
        found
            .columns
            .contains(&"public.orders.amount_usd".to_owned()),
        "{:?}",
        found.columns
    );
    assert!(!found.is_plain);
}

#[test]
fn a_table_that_is_read_twice_is_two_relations() {
    let found = read(
        "SELECT count(*) FROM orders a JOIN orders b ON a.order_id = b.parent_id WHERE b.status = 'paid'",
    );
    assert_eq!(found.tables, ["orders"]);
    assert_eq!(found.joins, ["orders.order_id = orders.parent_id"]);
    let swapped = read(
        "SELECT count(*) FROM orders a JOIN orders b ON a.order_id = b.parent_id WHERE a.status = 'paid'",
    );
    assert_ne!(found.fingerprint, swapped.fingerprint);
}

#[test]
fn queries_within_conditions_are_read_too() {
    let found = read(
        "SELECT count(*) FROM orders o WHERE EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = o.order_id AND r.reason = 'late')",
    );
    assert_eq!(found.tables, ["orders", "refunds"]);
    assert_eq!(found.filters[0].on, "refunds.reason");
}

#[test]
fn what_is_no_select_is_said() {
    let read = |sql| pattern(sql, &GenericDialect {}, &Tables::default());
    assert_eq!(read("DELETE FROM orders"), Err(Unread::NoSelect));
    assert_eq!(read("SELECT 1; SELECT 2"), Err(Unread::NoSelect));
    assert!(matches!(read("SELEC amount FROM"), Err(Unread::Syntax(_))));
}
