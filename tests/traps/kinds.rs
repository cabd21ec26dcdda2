//! Balances, what changes over time, and definitions that would mislead.

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
        vec![table("sales: ds date, region text, amount number", "2025-01-01 | x | 3\n2025-01-02 | x | 4")],
    );
    shop.answers("amount, sales, doubled by region", &["x | 7 | 2 | 14"]);
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
