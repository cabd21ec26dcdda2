//! What is asked beside metrics: conditions on metrics, dimensions alone, and definitions that only look right.

use crate::shop::{Shop, shop, table};

const YAML: &str = "
datasets:
  orders:
    table: orders
    key: order_id
    time: ds
    dimensions: {ds: {type: date}, buyer_id: {}}
    joins: {buyer: {to: users, on: {buyer_id: user_id}}}
  users: {table: users, key: user_id, dimensions: {market: {}}}
metrics:
  orders: {base_table: orders, agg: count}
  revenue: {base_table: orders, agg: sum, expr: amount}
  misspelt: {base_table: orders, agg: sum, expr: amonut}
";

fn orders() -> Shop {
    shop(
        YAML,
        vec![
            table(
                "orders: order_id integer, ds date, buyer_id integer, amount number",
                "1 | 2025-01-10 | 1 | 100
                 2 | 2025-02-10 | 1 | 10
                 3 | 2025-02-11 | 2 | 150
                 4 | 2025-02-12 | - | 500",
            ),
            table(
                "users: user_id integer, market text",
                "1 | BR\n2 | TH\n3 | VN\n4 | -",
            ),
        ],
    )
}

/// Over all time buyer 1 paid 110 and counts too (2 orders); in February it was 10.
#[test]
fn a_condition_on_a_metric_has_the_time_range_of_the_query() {
    let shop = orders();
    shop.engines_answer("orders where revenue per buyer_id > 100 2025-02", &["1"]);
    shop.engines_answer("orders where revenue per buyer_id > 100", &["3"]);
    shop.engines_answer(
        "orders by buyer.market where revenue per buyer_id <= 100 2025-02",
        &["BR | 1"],
    );
}

/// Joined to what was sold, the market without an order is lost.
#[test]
fn dimensions_alone_keep_values_without_facts() {
    let shop = orders();
    shop.engines_answer("by market", &["BR", "TH", "VN", "-"]);
    shop.engines_answer("by market where market != BR", &["TH", "VN"]);
}

/// A misspelt column compiles on every engine, and a test that only compiles passes; each of them is asked.
#[test]
fn definitions_are_run_and_not_only_compiled() {
    let shop = orders();
    shop.answers("revenue", &["760"]);
    shop.fails("misspelt", "amonut");
}
