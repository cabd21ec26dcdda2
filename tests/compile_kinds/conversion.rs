//! Visits that are followed by buys: every buy counts once, for the latest visit before it.

use crate::world::World;

const TABLES: &str = "
CREATE TABLE visits (visit_id integer, user_id text, product text, visited_at timestamp, channel text);
INSERT INTO visits VALUES
  (1, 'u1', 'P', '2025-01-01 10:00:00', 'ads'), (2, 'u1', 'P', '2025-01-03 10:00:00', 'organic'),
  (3, 'u2', 'P', '2025-01-05 00:00:00', 'ads'), (4, 'u3', 'Q', '2025-01-30 09:00:00', 'ads'),
  (5, NULL, 'P', '2025-01-06 00:00:00', 'organic'), (6, 'u4', 'P', '2025-02-02 08:00:00', 'organic'),
  (7, 'u4', 'P', '2025-01-31 08:00:00', 'ads');
CREATE TABLE buys (buy_id integer, user_id text, item text, bought_at timestamp, amount integer);
INSERT INTO buys VALUES
  (1, 'u1', 'P', '2025-01-03 10:00:00', 5), (2, 'u1', 'P', '2025-01-04 12:00:00', 6),
  (3, 'u2', 'P', '2025-01-12 00:00:00', 7), (4, 'u3', 'P', '2025-01-31 09:00:00', 8),
  (5, 'u3', 'Q', '2025-02-01 09:00:00', 9), (6, NULL, 'P', '2025-01-07 00:00:00', 1),
  (7, 'u4', 'P', '2025-02-03 08:00:00', 2), (8, 'u9', 'P', '2025-01-01 00:00:00', 3),
  (9, 'u1', 'P', '2025-01-01 09:00:00', 4);
";

const REGISTRY: &str = "
datasets:
  visits: {table: visits, time: visited_at, dimensions: {user_id: {}, product: {}, channel: {}, visited_at: {type: time}}}
  buys: {table: buys, time: bought_at, dimensions: {user_id: {}, item: {}, bought_at: {type: time}}}
metrics:
  visits: {base_table: visits, agg: count}
  ad_visits: {base_table: visits, agg: count, filters: [\"channel = 'ads'\"]}
  buys: {base_table: buys, agg: count}
  big_buys: {base_table: buys, agg: count, filters: [amount > 5]}
  buyers: {base_table: buys, agg: count_distinct, expr: user_id}
  bought: {base_table: buys, agg: sum, expr: amount}
  rate: {entity: user_id, base: visits, conversion: buys, within: 7 days, same: {product: item}}
  converted: {entity: user_id, base: visits, conversion: buys, within: 7 days, same: {product: item}, result: count}
  anything: {entity: user_id, base: visits, conversion: buys, result: count}
  hours: {entity: user_id, base: visits, conversion: buys, within: 27 hours, same: {product: item}, result: count}
  from_ads: {entity: user_id, base: ad_visits, conversion: buys, within: 7 days, same: {product: item}}
  big: {entity: user_id, base: visits, conversion: big_buys, result: count}
  users: {entity: user_id, base: visits, conversion: buyers, result: count}
  worth: {entity: user_id, base: visits, conversion: bought, within: 7 days, same: {product: item}, result: count}
  filled: {entity: user_id, base: visits, conversion: buys, within: 7 days, same: {product: item}, fill: 0}
  ad_rate: {expr: r, inputs: {r: {metric: rate, filters: [\"channel = 'ads'\"]}}}
  growth: {expr: now - ago, inputs: {now: rate, ago: {metric: rate, offset: 1 month}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn every_conversion_counts_once_for_the_latest_event_before_it() {
    let world = World::new(TABLES, REGISTRY);
    world
        .answers(&[
            // Buys 1 (at the same time) and 2 for visit 2, buy 5 for visit 4, buy 7 for visit 6. Buy 3 comes exactly seven days
            // later, buy 4 is another product, 6 is nobody's, 8 has no visit, 9 comes before the first one.
            ("converted, rate", &["4 | 0.571428571"]),
            ("anything", &["6"]),
            ("hours", &["3"]),
            ("worth", &["22"]),
            ("big", &["4"]),
            ("users", &["4"]),
            // Grouped by the visit; a buy of February counts for the January that its visit is in.
            ("rate by month", &["2025-01-01 | 0.5", "2025-02-01 | 1"]),
            ("converted 2025-01", &["3"]),
            ("converted by month 2025-01", &["2025-01-01 | 3"]),
            ("rate by channel", &["ads | 0.25", "organic | 1"]),
            (
                "converted by channel, month",
                &[
                    "ads | 2025-01-01 | 1",
                    "organic | 2025-01-01 | 2",
                    "organic | 2025-02-01 | 1",
                ],
            ),
            // A condition keeps the rows it would have had beside the others: no buy moves to an earlier visit.
            ("rate where channel = ads", &["0.25"]),
            ("ad_rate", &["0.25"]),
            // Which visits there are is another matter.
            ("from_ads", &["1"]),
            // Beside the metrics it is made of, nothing is counted twice.
            (
                "rate, visits, buys by month",
                &["2025-01-01 | 0.5 | 6 | 7", "2025-02-01 | 1 | 1 | 2"],
            ),
            (
                "rate, filled, converted by month 2025-02..2025-03",
                &["2025-02-01 | 1 | 1 | 1", "2025-03-01 | - | 0 | 0"],
            ),
            ("rate 2025-02 vs previous period", &["1 | 0.5 | 0.5 | 1"]),
            (
                "rate by month 2025-02 vs 1 month ago",
                &["2025-02-01 | 1 | 0.5 | 0.5 | 1"],
            ),
            ("growth by month 2025-02", &["2025-02-01 | 0.5"]),
        ])
        .await;
    let reasons = world.reasons("rate where channel = ads 2025-01");
    for reason in [
        "rate: each of buys counts once, for the latest of visits with the same user_id and product (item of buys) less than 7 days earlier",
        "rate: the conditions are those of visits, whatever buys follow",
        "rate: the time range is that of visits; buys after its end still count",
    ] {
        assert!(reasons.iter().any(|known| known == reason), "{reasons:#?}");
    }
}
