//! NULL, division and brackets: unknown stays unknown, and nothing is dropped because of it.

use crate::shop::{shop, table};

const ORDERS: &str = "
datasets:
  orders:
    table: orders
    key: order_id
    time: ds
    dimensions: {ds: {type: date}, channel: {}, status: {}}
    joins: {buyer: {to: users, on: user_id}}
  ads: {table: ads, time: ds, dimensions: {ds: {type: date}, channel: {}}}
  users: {table: users, key: user_id, dimensions: {market: {}}}
metrics:
  orders: {base_table: orders, agg: count}
  revenue: {base_table: orders, agg: sum, expr: amount}
  cost: {base_table: ads, agg: sum, expr: cost}
  filled_cost: {base_table: ads, agg: sum, expr: cost, fill: 0}
  roas: {expr: revenue / cost}
  filled_roas: {expr: revenue / filled_cost}
  profit: {expr: revenue - cost}
  filled_profit: {expr: revenue - filled_cost}
  half: {base_table: orders, agg: sum, expr: pieces / 2}
  per_order: {expr: pieces / orders}
  pieces: {base_table: orders, agg: sum, expr: pieces}
  open_ads: {base_table: orders, agg: count, filters: [\"status = 'open' or status = 'new'\", \"channel = 'ads'\"]}
";

fn nulls() -> crate::shop::Shop {
    shop(
        ORDERS,
        vec![
            table(
                "orders: order_id integer, ds date, user_id integer, channel text, status text, amount number, pieces integer",
                "1 | 2025-01-05 | 1 | ads | open | 10 | 1
                 2 | 2025-01-06 | 9 | -   | open | 20 | 2
                 3 | 2025-01-07 | - | seo | new  | 30 | 2
                 4 | 2025-02-01 | 2 | -   | done | -  | -",
            ),
            table(
                "ads: ds date, channel text, cost number",
                "2025-01-05 | ads   | 5
                 2025-01-06 | -     | 4
                 2025-01-07 | seo   | 0
                 2025-01-08 | radio | 3",
            ),
            table("users: user_id integer, market text", "1 | BR\n2 | -"),
        ],
    )
}

/// Joined on equality, the group without a channel is two rows, each with half of the truth.
#[test]
fn null_is_one_group_when_facts_meet() {
    let shop = nulls();
    shop.answers(
        "revenue, cost by channel",
        &[
            "ads | 10 | 5",
            "radio | - | 3",
            "seo | 30 | 0",
            "- | 20 | 4",
        ],
    );
}

/// No market, an unknown buyer and no buyer at all look alike, and are one group.
#[test]
fn null_and_no_match_are_one_group() {
    let shop = nulls();
    shop.answers("orders by buyer.market", &["BR | 1", "- | 3"]);
    shop.answers("orders where buyer.market is null", &["3"]);
}

/// A filter on a joined dimension brings its join along (others fail, or ignore it), and leaves no outer row in by itself.
#[test]
fn a_filter_on_a_joined_dimension() {
    let shop = nulls();
    shop.answers("orders where buyer.market = BR", &["1"]);
    shop.answers("orders where buyer.market != BR", &["0"]);
    shop.answers("orders where not (buyer.market = BR)", &["0"]);
    shop.answers(
        "orders by status where buyer.market = BR or status = new",
        &["new | 1", "open | 1"],
    );
}

/// Flattened to `open or (new and ads)`, the condition counts 2 orders; in its brackets it counts 1.
#[test]
fn brackets_hold() {
    let shop = nulls();
    shop.answers("open_ads", &["1"]);
    shop.answers(
        "orders where (status = open or status = new) and channel = ads",
        &["1"],
    );
    shop.answers(
        "orders where status = open or status = new and channel = ads",
        &["2"],
    );
    shop.answers("orders where not (status = open and channel = seo)", &["3"]);
}

/// Filled after the division, a channel without costs has a quotient of 0; filled before, it has none.
#[test]
fn leaves_are_filled_before_they_are_divided() {
    let shop = nulls();
    shop.answers(
        "filled_profit, profit by channel",
        &[
            "ads | 5 | 5",
            "radio | - | -",
            "seo | 30 | 30",
            "- | 16 | 16",
        ],
    );
    shop.answers(
        "filled_cost, filled_roas by month 2025-01..2025-02",
        &["2025-01-01 | 12 | 5", "2025-02-01 | 0 | -"],
    );
}

/// Over zero: an error on one engine, infinity on another, NULL on a third.
#[test]
fn division_by_zero_is_null() {
    let shop = nulls();
    shop.answers(
        "roas by channel",
        &["ads | 2", "radio | -", "seo | -", "- | 5"],
    );
}

/// Whole numbers are not truncated: 1/2 + 2/2 + 2/2 is 2.5, not 2; 5 pieces in 4 orders are 1.25, not 1.
#[test]
fn whole_numbers_divide_exactly() {
    let shop = nulls();
    shop.answers("half", &["2.5"]);
    shop.answers("per_order", &["1.25"]);
}

/// A sum over nothing is unknown, a count is 0; there is always one row.
#[test]
fn nothing_to_aggregate() {
    let shop = nulls();
    shop.answers(
        "orders, revenue, roas where channel = radio",
        &["0 | - | -"],
    );
    shop.answers("orders by channel where status = lost", &[]);
}
