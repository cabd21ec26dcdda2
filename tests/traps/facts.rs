//! Facts at different grains: nothing that is counted is multiplied, lost, or averaged twice.

use crate::oracle::Table;
use crate::shop::{Shop, shop, table};

const YAML: &str = "
datasets:
  orders:
    table: orders
    key: order_id
    time: ds
    dimensions: {ds: {type: date}, channel: {}}
    joins:
      buyer: {to: users, on: {buyer_id: user_id}}
      seller: {to: users, on: {seller_id: user_id}}
  items:
    table: items
    key: item_id
    time: ds
    dimensions: {ds: {type: date}, sku: {}}
    joins: {order: {to: orders, on: order_id}}
  refunds:
    table: refunds
    key: refund_id
    time: ds
    dimensions: {ds: {type: date}, reason: {}}
    joins: {order: {to: orders, on: order_id}}
  users:
    table: users
    key: user_id
    dimensions: {market: {}}
    joins: {place: {to: markets, on: market}}
  markets: {table: markets, key: market, dimensions: {region: {}}}
  visits: {table: visits, time: ds, dimensions: {ds: {type: date}, channel: {}}}
metrics:
  orders: {base_table: orders, agg: count}
  revenue: {base_table: orders, agg: sum, expr: amount}
  average: {base_table: orders, agg: avg, expr: amount}
  smallest: {base_table: orders, agg: min, expr: amount}
  largest: {base_table: orders, agg: max, expr: amount}
  middle: {base_table: orders, agg: median, expr: amount}
  buyers: {base_table: orders, agg: count_distinct, expr: buyer_id}
  items: {base_table: items, agg: count}
  quantity: {base_table: items, agg: sum, expr: qty}
  refunded: {base_table: refunds, agg: sum, expr: amount}
  refunds: {base_table: refunds, agg: count}
  users: {base_table: users, agg: count}
  visits: {base_table: visits, agg: count}
  basket: {expr: quantity / orders}
  net: {expr: revenue - refunded}
  ads_share:
    base_table: orders
    numerator: {agg: sum, expr: amount, filters: [\"channel = 'ads'\"]}
    denominator: {agg: sum, expr: amount}
";

fn tables() -> Vec<Table> {
    vec![
        table(
            "orders: order_id integer, ds date, buyer_id integer, seller_id integer, channel text, amount number",
            "1 | 2025-01-05 | 1 | 2 | ads | 100
             2 | 2025-01-06 | 1 | 3 | ads | 50
             3 | 2025-02-01 | 2 | 3 | seo | 10
             4 | 2025-02-02 | - | 2 | -   | 40",
        ),
        table(
            "items: item_id integer, order_id integer, ds date, sku text, qty integer",
            "1 | 1 | 2025-01-05 | a | 2
             2 | 1 | 2025-01-05 | b | 3
             3 | 1 | 2025-01-05 | c | 1
             4 | 2 | 2025-01-06 | a | 1
             5 | 3 | 2025-02-01 | a | 4",
        ),
        table(
            "refunds: refund_id integer, order_id integer, ds date, reason text, amount number",
            "1 | 1 | 2025-01-07 | late  | 20
             2 | 1 | 2025-02-07 | late  | 30
             3 | 3 | 2025-02-08 | wrong | 10",
        ),
        table(
            "users: user_id integer, market text",
            "1 | BR
             2 | TH
             3 | BR
             4 | VN",
        ),
        table(
            "markets: market text, region text",
            "BR | americas\nTH | asia",
        ),
        table(
            "visits: ds date, channel text",
            "2025-01-05 | ads
             2025-01-05 | seo
             2025-01-06 | seo
             2025-02-01 | -",
        ),
    ]
}

fn facts() -> Shop {
    shop(YAML, tables())
}

/// Joined to their items, the orders are 5 and their revenue is 100*3 + 50 + 10 + 40 = 400.
#[test]
fn fan_out() {
    let shop = facts();
    shop.answers("orders, revenue, items", &["4 | 200 | 5"]);
    shop.answers(
        "revenue, quantity by channel",
        &["ads | 150 | 7", "seo | 10 | 4", "- | 40 | -"],
    );
    shop.answers("basket by channel", &["ads | 3.5", "seo | 4", "- | -"]);
}

/// A dimension of the many side has no value for a row of the one side: others return the multiplied sum.
#[test]
fn fan_out_by_a_dimension_of_the_many_side_is_refused() {
    let shop = facts();
    shop.refuses("revenue by sku", "multiply");
    shop.refuses("revenue where sku = a", "multiply");
    shop.refuses("orders where reason = late", "multiply");
    shop.refuses("users by channel", "multiply");
}

/// Items and refunds both hang on orders: joined over them, order 1 has 3 * 2 rows and its refunds are 150, not 50.
#[test]
fn chasm() {
    let shop = facts();
    shop.answers("items, refunded", &["5 | 60"]);
    shop.answers(
        "items, refunded by order.channel",
        &["ads | 4 | 50", "seo | 1 | 10"],
    );
    shop.answers(
        "revenue, refunded, net by channel",
        &[
            "ads | 150 | 50 | 100",
            "seo | 10 | 10 | 0",
            "- | 40 | - | -",
        ],
    );
}

/// A condition that only one of the two facts can be asked must not pull the other through the chasm: it is refused.
#[test]
fn filter_and_chasm() {
    let shop = facts();
    shop.answers("items, refunded where channel = ads", &["4 | 50"]);
    shop.answers(
        "items, refunded by buyer.market where channel = ads or buyer.market = TH",
        &["BR | 4 | 50", "TH | 1 | 10"],
    );
    shop.refuses("items, refunded where reason = late", "multiply");
}

/// Visits and orders share a channel and nothing else: a join on it has 2 * 2 rows for seo and loses the rest.
#[test]
fn two_facts_without_a_join_meet_on_the_shared_dimension() {
    let shop = facts();
    shop.answers(
        "orders, visits by channel",
        &["ads | 2 | 1", "seo | 1 | 2", "- | 1 | 1"],
    );
    shop.answers(
        "orders, visits by month",
        &["2025-01-01 | 2 | 3", "2025-02-01 | 2 | 1"],
    );
}

/// A distinct count adds up over nothing: 1 + 1 buyers by month are 2 buyers in all only by luck, 1 + 1 by order are not.
#[test]
fn double_counting() {
    let shop = facts();
    shop.answers("buyers by seller.market", &["BR | 2", "TH | 1"]);
    shop.answers("buyers", &["2"]);
    shop.answers(
        "buyers by day",
        &[
            "2025-01-05 | 1",
            "2025-01-06 | 1",
            "2025-02-01 | 1",
            "2025-02-02 | 0",
        ],
    );
}

/// Buyers and sellers are rows of one table: joined once, a seller's market is the buyer's.
#[test]
fn convergent_paths() {
    let shop = facts();
    shop.answers(
        "orders by buyer.market, seller.market",
        &["BR | BR | 1", "BR | TH | 1", "TH | BR | 1", "- | TH | 1"],
    );
    shop.answers(
        "orders by buyer.place.region, seller.place.region",
        &[
            "americas | americas | 1",
            "americas | asia | 1",
            "asia | americas | 1",
            "- | asia | 1",
        ],
    );
    shop.refuses("orders by market", "ambiguous");
    shop.refuses("orders where region = asia", "ambiguous");
}

/// A row without a foreign key is a row: an inner join loses 40 of the revenue.
#[test]
fn null_foreign_keys() {
    let shop = facts();
    shop.answers(
        "revenue by buyer.market",
        &["BR | 150", "TH | 10", "- | 40"],
    );
    shop.answers("revenue where buyer.market is null", &["40"]);
}

/// The mean of the means of the channels (75, 10, 40) is 41.67; the mean of the orders is 50.
#[test]
fn mean_of_means() {
    let shop = facts();
    shop.answers("average", &["50"]);
    shop.answers("average by channel", &["ads | 75", "seo | 10", "- | 40"]);
    shop.answers("middle by month", &["2025-01-01 | 75", "2025-02-01 | 25"]);
    shop.answers("middle", &["45"]);
}

/// Sums of the smallest and largest of the groups (50 + 10 + 40) are neither.
#[test]
fn smallest_and_largest_are_not_added_up() {
    let shop = facts();
    shop.answers("smallest, largest", &["10 | 100"]);
    shop.answers(
        "smallest, largest by channel",
        &["ads | 50 | 100", "seo | 10 | 10", "- | 40 | 40"],
    );
}

/// The mean of the shares of the days (1, 1 and none) is 1, the mean of those of the months 1; the share is 150 of 200.
#[test]
fn ratios_are_sums_over_sums() {
    let shop = facts();
    shop.answers("ads_share", &["0.75"]);
    shop.answers("ads_share by month", &["2025-01-01 | 1", "2025-02-01 | -"]);
}

/// Counted over an outer join from markets, a market without users counts 1. Users are counted, not rows of a join.
#[test]
fn a_count_counts_rows_of_its_own_table() {
    let shop = facts();
    shop.answers("users by market", &["BR | 2", "TH | 1", "VN | 1"]);
    shop.answers("items by order.channel", &["ads | 4", "seo | 1"]);
}

/// The same metric is the same number beside others, whatever they read (others inflate it by the second table).
#[test]
fn a_metric_is_not_changed_by_its_neighbours() {
    let shop = facts();
    shop.answers(
        "revenue by day where revenue > 45",
        &["2025-01-05 | 100", "2025-01-06 | 50"],
    );
    shop.answers(
        "revenue, items, refunds, visits by month",
        &[
            "2025-01-01 | 150 | 4 | 1 | 3",
            "2025-02-01 | 50 | 1 | 2 | 1",
        ],
    );
}

/// Multiplied by a join and taken apart again through a hash of the key, a sum overflows or loses its small parts, NULL is
/// taken for 0 (the mean is then of three), and a key of text has no hash. Aggregated before anything is joined, it is plain.
#[test]
fn symmetric_aggregates() {
    let shop = shop(
        "
datasets:
  orders: {table: orders, key: order_id, time: ds, dimensions: {ds: {type: date}, channel: {}}}
  items: {table: items, time: ds, dimensions: {ds: {type: date}}, joins: {order: {to: orders, on: order_id}}}
metrics:
  revenue: {base_table: orders, agg: sum, expr: amount}
  average: {base_table: orders, agg: avg, expr: amount}
  items: {base_table: items, agg: count}
",
        vec![
            table(
                "orders: order_id text, ds date, channel text, amount number",
                "a-1 | 2025-01-05 | ads | 4000000000000
                 a-2 | 2025-01-05 | ads | 1.5
                 a-3 | 2025-01-05 | ads | -
                 b-1 | 2025-01-06 | seo | -",
            ),
            table(
                "items: order_id text, ds date",
                "a-1 | 2025-01-05
                 a-1 | 2025-01-05
                 a-2 | 2025-01-05
                 b-1 | 2025-01-06",
            ),
        ],
    );
    shop.answers(
        "revenue, average, items by channel",
        &[
            "ads | 4000000000001.5 | 2000000000000.75 | 3",
            "seo | - | - | 1",
        ],
    );
}
