//! Balances, what changes over time, and definitions that would mislead.

use metrex::registry::{Config, ProjectFile, ProjectFiles, load};

use crate::shop::{shop, table};

const BALANCES: &str = "
datasets:
  balances:
    table: balances
    time: snapshot_on
    dimensions: {snapshot_on: {type: date}, account: {}, state: {}}
metrics:
  balance: {base_table: balances, agg: sum, expr: amount, last_by: {time: snapshot_on}}
  each: {base_table: balances, agg: sum, expr: amount, last_by: {time: snapshot_on, per: [account]}}
  carried: {base_table: balances, agg: sum, expr: amount, last_by: {time: snapshot_on, per: [account], carry_forward: true}}
  opening: {base_table: balances, agg: sum, expr: amount, over_time: {take: first, time: snapshot_on}}
  mean: {base_table: balances, agg: sum, expr: amount, over_time: {take: avg, time: snapshot_on}}
  peak: {base_table: balances, agg: sum, expr: amount, over_time: {take: max, time: snapshot_on}}
";

fn balances() -> crate::shop::Shop {
    shop(
        BALANCES,
        vec![table(
            "balances: snapshot_on date, account text, state text, amount number",
            "2025-01-10 | a | open   | 1
             2025-01-31 | a | open   | 2
             2025-01-31 | b | frozen | 4
             2025-02-10 | a | open   | 8
             2025-02-15 | b | open   | 16",
        )],
    )
}

/// Added up over the days of January, the accounts hold 7; at its end they hold 6.
#[test]
fn a_balance_is_that_of_the_last_snapshot() {
    let shop = balances();
    shop.answers(
        "balance, opening by month 2025-01..2025-02",
        &["2025-01-01 | 6 | 1", "2025-02-01 | 16 | 8"],
    );
    shop.answers("balance 2025-01", &["6"]);
    shop.answers("balance by quarter", &["2025-01-01 | 16"]);
    // By the time of the snapshots, every snapshot is the last of its day.
    shop.answers(
        "balance by day 2025-01-31..2025-02-02",
        &["2025-01-31 | 6", "2025-02-01 | -", "2025-02-02 | -"],
    );
}

/// Account a has no snapshot on 15 February: with one last day for all it is lost, per account it is 8.
#[test]
fn every_account_has_a_last_snapshot_of_its_own() {
    let shop = balances();
    shop.answers(
        "each by month 2025-01..2025-02",
        &["2025-01-01 | 6", "2025-02-01 | 24"],
    );
    shop.answers("each by account 2025-02", &["a | 8", "b | 16"]);
}

/// The filter removes the last snapshot of b; then the one before it is the last, not none.
#[test]
fn filters_come_before_the_last_snapshot() {
    let shop = balances();
    shop.answers("balance where state = open 2025-01", &["2"]);
    shop.answers("balance where account = a 2025-02", &["8"]);
}

/// On 10 February there is a snapshot of a only; carried forward, b has the one of 31 January beside it.
#[test]
fn a_balance_is_carried_forward() {
    let shop = balances();
    shop.answers(
        "each, carried by day 2025-02-09..2025-02-10",
        &["2025-02-09 | - | 6", "2025-02-10 | 8 | 12"],
    );
    shop.answers(
        "each, carried by month 2025-01..2025-03",
        &[
            "2025-01-01 | 6 | 6",
            "2025-02-01 | 24 | 24",
            "2025-03-01 | - | 24",
        ],
    );
}

/// The mean of the snapshots (1 and 6), not of the rows (7 / 3); the largest snapshot, not the largest row.
#[test]
fn figures_of_snapshots() {
    let shop = balances();
    shop.answers("mean, peak 2025-01", &["3.5 | 6"]);
}

/// Joined on the key alone, every order of person 1 counts twice; valid is from the first day on, until before the last.
#[test]
fn validity_is_half_open() {
    let shop = shop(
        "
datasets:
  orders: {table: orders, time: ds, dimensions: {ds: {type: date}}, joins: {seller: {to: people, on: person_id}}}
  people: {table: people, key: person_id, valid: [from_on, to_on], dimensions: {team: {}}}
metrics:
  orders: {base_table: orders, agg: count}
",
        vec![
            table(
                "orders: ds date, person_id integer",
                "2024-12-31 | 1
                 2025-01-01 | 1
                 2025-01-31 | 1
                 2025-02-01 | 1
                 2025-03-01 | 1
                 2025-03-01 | 2
                 -          | 1",
            ),
            table(
                "people: person_id integer, from_on date, to_on date, team text",
                "1 | 2025-01-01 | 2025-02-01 | north
                 1 | 2025-02-01 | -          | south
                 2 | 2025-01-01 | 2025-02-01 | north",
            ),
        ],
    );
    shop.answers("orders by team", &["north | 2", "south | 2", "- | 3"]);
    shop.answers("orders where team = south", &["2"]);
    shop.answers("orders", &["7"]);
}

/// A metric called like its column, its dataset or its dimension is one metric, and no circle.
#[test]
fn a_metric_called_like_its_column() {
    let shop = shop(
        "
datasets:
  sales: {table: sales, time: ds, dimensions: {ds: {type: date}, region: {}}}
metrics:
  amount: {base_table: sales, agg: sum, expr: amount}
  sales: {base_table: sales, agg: count}
  doubled: {expr: amount * 2}
",
        vec![table(
            "sales: ds date, region text, amount number",
            "2025-01-01 | x | 3\n2025-01-02 | x | 4",
        )],
    );
    shop.answers("amount, sales, doubled by region", &["x | 7 | 2 | 14"]);
}

/// A DISTINCT or a window inside the expression makes a sum that adds up over nothing: it is no expression of a row.
#[test]
fn distinct_and_windows_inside_an_expression_are_refused() {
    for expr in [
        "distinct user_id",
        "count(distinct user_id)",
        "row_number() over (partition by user_id)",
    ] {
        let yaml = format!(
            "datasets:\n  t: {{table: t}}\nmetrics:\n  m: {{base_table: t, agg: count, expr: \"{expr}\"}}\n"
        );
        let files = ProjectFiles {
            metrics: vec![ProjectFile {
                path: "metrics/t.yaml".into(),
                text: yaml,
            }],
            ..ProjectFiles::default()
        };
        let loaded = load(&files, &Config::default(), None);
        assert!(!loaded.diagnostics.is_empty(), "{expr}");
        assert!(loaded.registry.metric("m").is_none(), "{expr}");
    }
}

const FUNNEL: &str = "
datasets:
  visits: {table: visits, time: ds, dimensions: {ds: {type: date}, user: {column: user_id, type: number}, product: {}, channel: {}}}
  buys: {table: buys, time: ds, dimensions: {ds: {type: date}, user: {column: user_id, type: number}, product: {}}}
metrics:
  visits: {base_table: visits, agg: count}
  ads_visits: {base_table: visits, agg: count, filters: [\"channel = 'ads'\"]}
  buys: {base_table: buys, agg: count}
  bought: {entity: user, base: visits, conversion: buys, within: 7 days, result: count}
  buy_rate: {entity: user, base: visits, conversion: buys, within: 7 days}
  same_bought: {entity: user, base: visits, conversion: buys, within: 7 days, same: {product: product}, result: count}
  ads_bought: {entity: user, base: ads_visits, conversion: buys, within: 7 days, result: count}
";

fn funnel() -> crate::shop::Shop {
    shop(
        FUNNEL,
        vec![
            table(
                "visits: ds date, user_id integer, product text, channel text",
                "2025-01-01 | 1 | a | ads
                 2025-01-03 | 1 | b | seo
                 2025-01-05 | 2 | a | ads
                 2025-01-06 | 3 | a | -",
            ),
            table(
                "buys: ds date, user_id integer, product text",
                "2025-01-04 | 1 | a
                 2025-01-12 | 2 | a
                 2025-01-05 | 3 | a
                 2025-01-06 | - | a",
            ),
        ],
    )
}

/// One purchase after two visits is one conversion (joined, it is two), and counts for the later visit.
#[test]
fn a_conversion_counts_once() {
    let shop = funnel();
    shop.answers("bought, buy_rate", &["1 | 0.25"]);
    shop.answers(
        "bought, buy_rate by channel",
        &["ads | 0 | 0", "seo | 1 | 1", "- | 0 | 0"],
    );
    // On the seventh day after the visit it is too late: 5 to 12 January are seven days.
    shop.answers("bought where user = 2", &["0"]);
}

/// Beside its own inputs, a conversion is counted over and over by others, and every number is the same here.
#[test]
fn a_conversion_beside_its_own_inputs() {
    let shop = funnel();
    shop.answers(
        "visits, buys, bought, buy_rate 2025-01",
        &["4 | 4 | 1 | 0.25"],
    );
}

/// The filter of the base metric and the property that must be the same are kept: both move the purchase to the first visit.
#[test]
fn filters_and_properties_of_a_conversion() {
    let shop = funnel();
    shop.answers("bought by ds", &["2025-01-03 | 1"]);
    shop.answers("ads_bought by ds", &["2025-01-01 | 1"]);
    shop.answers("same_bought by ds", &["2025-01-01 | 1"]);
}
/// Two visits at the same time: whichever an engine happens to read first has the purchase, and a condition moves it to the
/// other one. It is that of the visit with the greatest key, whatever is asked.
#[test]
fn visits_at_the_same_time() {
    let shop = shop(
        "
datasets:
  visits: {table: visits, key: visit_id, time: ds, dimensions: {ds: {type: date}, user: {column: user_id}, channel: {}}}
  buys: {table: buys, time: ds, dimensions: {ds: {type: date}, user: {column: user_id}}}
metrics:
  visits: {base_table: visits, agg: count}
  buys: {base_table: buys, agg: count}
  bought: {entity: user, base: visits, conversion: buys, result: count}
",
        vec![
            table(
                "visits: visit_id integer, ds date, user_id integer, channel text",
                "2 | 2025-01-01 | 1 | ads
                 1 | 2025-01-01 | 1 | seo",
            ),
            table("buys: ds date, user_id integer", "2025-01-02 | 1"),
        ],
    );
    shop.answers("bought by channel", &["ads | 1"]);
    shop.answers("bought where channel = ads", &["1"]);
    shop.answers("bought where channel = seo", &["0"]);
}

/// By the clocks of Berlin the purchase (2:20 for the second time) comes before the second visit (2:40 for the first time).
#[test]
fn an_hour_that_comes_twice() {
    let shop = shop(
        "
calendar: {timezone: Europe/Berlin}
datasets:
  visits: {table: visits, time: at, stored_in: UTC, dimensions: {at: {type: time}, user: {column: user_id}, channel: {}}}
  buys: {table: buys, time: at, stored_in: UTC, dimensions: {at: {type: time}, user: {column: user_id}}}
metrics:
  visits: {base_table: visits, agg: count}
  buys: {base_table: buys, agg: count}
  bought: {entity: user, base: visits, conversion: buys, result: count}
  soon: {entity: user, base: visits, conversion: buys, within: 30 minutes, result: count}
",
        vec![
            table(
                "visits: at time, user_id integer, channel text",
                "2024-10-27 00:10:00 | 1 | ads\n2024-10-27 00:40:00 | 1 | seo",
            ),
            table("buys: at time, user_id integer", "2024-10-27 01:20:00 | 1"),
        ],
    );
    shop.answers("bought by channel", &["seo | 1"]);
    shop.answers("bought by hour", &["2024-10-27 02:00:00 | 1"]);
    shop.answers("soon", &["0"]);
}

/// 29, 30 and 31 January are a month before 29 February: cut off a month after the end of the range, a purchase within a month
/// of the visit is lost.
#[test]
fn within_a_month_of_the_end_of_a_month() {
    let shop = shop(
        "
datasets:
  visits: {table: visits, time: at, dimensions: {at: {type: time}, user: {column: user_id}}}
  buys: {table: buys, time: at, dimensions: {at: {type: time}, user: {column: user_id}}}
metrics:
  visits: {base_table: visits, agg: count}
  buys: {base_table: buys, agg: count}
  bought: {entity: user, base: visits, conversion: buys, within: 1 month, result: count}
",
        vec![
            table(
                "visits: at time, user_id integer",
                "2024-01-30 23:00:00 | 1\n2024-01-30 23:00:00 | 2",
            ),
            table(
                "buys: at time, user_id integer",
                "2024-02-29 22:59:59 | 1\n2024-02-29 23:00:00 | 2",
            ),
        ],
    );
    shop.answers("bought 2024-01-30", &["1"]);
    shop.answers("bought 2024-01", &["1"]);
}

/// A time stored in UTC belongs to the day that it is in the project's zone: on the day the clocks change, 23 hours.
#[test]
fn days_of_the_projects_zone() {
    let shop = shop(
        "
calendar: {timezone: Europe/Berlin}
datasets:
  calls: {table: calls, time: at, stored_in: UTC, dimensions: {at: {type: time}}}
metrics:
  calls: {base_table: calls, agg: count}
",
        vec![table(
            "calls: at time",
            "2025-03-29 22:59:59
             2025-03-29 23:00:00
             2025-03-30 00:59:59
             2025-03-30 01:00:00
             2025-03-30 21:59:59
             2025-03-30 22:00:00",
        )],
    );
    shop.answers(
        "calls by day",
        &["2025-03-29 | 1", "2025-03-30 | 4", "2025-03-31 | 1"],
    );
    shop.answers("calls 2025-03-30", &["4"]);
    shop.answers("calls where at >= 2025-03-31", &["1"]);
    shop.answers(
        "calls by hour 2025-03-30",
        &[
            "2025-03-30 00:00:00 | 1",
            "2025-03-30 01:00:00 | 1",
            "2025-03-30 03:00:00 | 1",
            "2025-03-30 23:00:00 | 1",
        ],
    );
}
