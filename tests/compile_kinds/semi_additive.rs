//! Balances: they add up over accounts and markets, not over time.

use crate::world::World;

/// Account C has no snapshot after January, B none in February, and A two rows on 15 February.
const TABLES: &str = "
CREATE TABLE snaps (account text, market text, taken_on date, amount integer);
INSERT INTO snaps VALUES
  ('A', 'BR', '2025-01-10', 10), ('A', 'BR', '2025-01-31', 20), ('A', 'BR', '2025-02-15', 25),
  ('A', 'BR', '2025-02-15', 3), ('A', 'BR', '2025-03-31', 40),
  ('B', 'TH', '2025-01-20', 5), ('B', 'TH', '2025-01-31', 7), ('B', 'TH', '2025-03-10', 9),
  ('C', 'BR', '2025-01-15', 100);
CREATE TABLE owners (account text, tier text);
INSERT INTO owners VALUES ('A', 'gold'), ('B', 'silver'), ('C', 'silver');
";

const REGISTRY: &str = "
datasets:
  snaps:
    table: snaps
    time: taken_on
    dimensions: {account: {}, market: {}, taken_on: {type: date}}
    joins: {owner: {to: owners, on: account}}
  owners: {table: owners, key: account, dimensions: {tier: {}}}
metrics:
  balance: {base_table: snaps, agg: sum, expr: amount, last_by: {time: taken_on, per: [account]}}
  balance_end: {base_table: snaps, agg: sum, expr: amount, last_by: {time: taken_on}}
  by_tier: {base_table: snaps, agg: sum, expr: amount, last_by: {per: [owner.tier]}}
  opening: {base_table: snaps, agg: sum, expr: amount, over_time: {take: first, time: taken_on, per: [account]}}
  peak: {base_table: snaps, agg: sum, expr: amount, over_time: {take: max, time: taken_on}}
  low: {base_table: snaps, agg: sum, expr: amount, over_time: {take: min, time: taken_on}}
  mean: {base_table: snaps, agg: sum, expr: amount, over_time: {take: avg, time: taken_on}}
  carried: {base_table: snaps, agg: sum, expr: amount, last_by: {per: [account], carry_forward: true}}
  accounts: {base_table: snaps, agg: count, last_by: {per: [account]}}
  big: {base_table: snaps, agg: sum, expr: amount, filters: ['amount >= 10'], last_by: {per: [account]}}
  flow: {base_table: snaps, agg: sum, expr: amount}
  turn: {expr: flow / balance}
  growth: {expr: now - ago, inputs: {now: balance, ago: {metric: balance, offset: 1 month}}}
  br_share: {expr: br / balance, inputs: {br: {metric: balance, filters: [\"market = 'BR'\"]}, balance: balance}}
  carried_start: {expr: start, inputs: {start: {metric: carried, offset: {to: quarter}}}}
  since_start: {expr: balance - start, inputs: {start: {metric: balance, offset: {to: quarter}}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_is_that_of_one_snapshot_in_a_period() {
    let world = World::new(TABLES, REGISTRY);
    world
        .answers(&[
            // The last snapshot of each account in each period; the whole range is one period.
            ("balance", &["149"]),
            (
                "balance by month 2025-01..2025-03",
                &["2025-01-01 | 127", "2025-02-01 | 28", "2025-03-01 | 49"],
            ),
            ("balance by quarter", &["2025-01-01 | 149"]),
            (
                "accounts by month",
                &["2025-01-01 | 3", "2025-02-01 | 2", "2025-03-01 | 2"],
            ),
            // Parts sum to their total.
            ("balance by market 2025-01", &["BR | 120", "TH | 7"]),
            (
                "balance by owner.tier 2025-01",
                &["gold | 20", "silver | 107"],
            ),
            (
                "balance by month, market",
                &[
                    "2025-01-01 | BR | 120",
                    "2025-01-01 | TH | 7",
                    "2025-02-01 | BR | 28",
                    "2025-03-01 | BR | 40",
                    "2025-03-01 | TH | 9",
                ],
            ),
            // One last snapshot for all rows: an account that has none then has no balance.
            (
                "balance_end by month",
                &["2025-01-01 | 27", "2025-02-01 | 28", "2025-03-01 | 40"],
            ),
            ("balance_end", &["40"]),
            ("balance_end by market 2025-01", &["BR | 20", "TH | 7"]),
            ("balance_end by market", &["BR | 40"]),
            ("by_tier 2025-01", &["27"]),
            // Periods of the snapshots' time, however they are written.
            (
                "balance by taken_on 2025-02..2025-03",
                &["2025-02-15 | 28", "2025-03-10 | 9", "2025-03-31 | 40"],
            ),
            (
                "balance by taken_on.month 2025-02..2025-03",
                &["2025-02-01 | 28", "2025-03-01 | 49"],
            ),
            (
                "balance by weekday",
                &["1 | 49", "3 | 100", "5 | 27", "6 | 28"],
            ),
            // Conditions hold before the last one is looked for.
            (
                "balance by month where market = BR",
                &["2025-01-01 | 120", "2025-02-01 | 28", "2025-03-01 | 40"],
            ),
            ("balance where taken_on < 2025-01-31 2025-01", &["115"]),
            (
                "big by month",
                &["2025-01-01 | 120", "2025-02-01 | 25", "2025-03-01 | 40"],
            ),
            ("br_share 2025-01", &["0.94488189"]),
            (
                "opening by month",
                &["2025-01-01 | 115", "2025-02-01 | 28", "2025-03-01 | 49"],
            ),
        ])
        .await;
    world
        .answers(&[
            (
                "peak, low, mean by month",
                &[
                    "2025-01-01 | 100 | 5 | 35.5",
                    "2025-02-01 | 28 | 28 | 28",
                    "2025-03-01 | 40 | 9 | 24.5",
                ],
            ),
            ("peak, low, mean", &["100 | 5 | 31.285714286"]),
            ("mean by market 2025-01", &["BR | 43.333333333", "TH | 6"]),
            // A period without a snapshot has none; carried forward, it has the one before.
            (
                "balance, carried by month 2025-02..2025-04",
                &[
                    "2025-02-01 | 28 | 135",
                    "2025-03-01 | 49 | 149",
                    "2025-04-01 | - | 149",
                ],
            ),
            ("carried by market 2025-02", &["BR | 128", "TH | 7"]),
            ("carried 2025-02", &["135"]),
            ("carried", &["149"]),
            (
                "carried by month, market 2025-02",
                &["2025-02-01 | BR | 128", "2025-02-01 | TH | 7"],
            ),
            // Beside other metrics, in formulas, and against earlier periods.
            (
                "balance, flow, turn by month 2025-01..2025-02",
                &[
                    "2025-01-01 | 127 | 142 | 1.118110236",
                    "2025-02-01 | 28 | 28 | 1",
                ],
            ),
            (
                "growth by month 2025-02..2025-03",
                &["2025-02-01 | -99", "2025-03-01 | 21"],
            ),
            (
                "balance 2025-03 vs previous period",
                &["49 | 28 | 21 | 0.75"],
            ),
            (
                "balance by month 2025-02..2025-03 vs 1 month ago",
                &[
                    "2025-02-01 | 28 | 127 | -99 | -0.779527559",
                    "2025-03-01 | 49 | 28 | 21 | 0.75",
                ],
            ),
            (
                "carried 2025-03 vs previous period",
                &["149 | 135 | 14 | 0.103703704"],
            ),
            // The first month of the quarter.
            (
                "since_start by month 2025-01..2025-03",
                &["2025-01-01 | 0", "2025-02-01 | -99", "2025-03-01 | -78"],
            ),
        ])
        .await;
    world.refuses(
        "carried_start by month 2025-03",
        "carried: its snapshots are carried forward without a limit, so no window can be laid over them",
    );
    assert_eq!(
        world.reasons("balance by month")[0],
        "snaps: only the last taken_on of each account in each period counts; rows without a taken_on are no snapshots"
    );
}
