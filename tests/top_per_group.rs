//! A limit within each value of a grouping, and the others added up, on every engine, against rows worked out by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/answers.rs"]
mod answers;
#[path = "support/engines.rs"]
mod engines;
mod support;

use answers::{Answer, check, refused};
use support::shop::{Engine, registry};

/// Each group has its own top rows.
const EACH_GROUP_HAS_ITS_OWN_TOP_ROWS: &[Answer] = &[
    (
        "revenue by month, channel 2025 top 1 by revenue per month",
        &[
            "2025-01-01 | ads | 100",
            "2025-02-01 | - | 25",
            "2025-04-01 | it's | 7",
        ],
    ),
    (
        "revenue by month, channel 2025 order by month desc, revenue desc limit 1 per month",
        &[
            "2025-04-01 | it's | 7",
            "2025-02-01 | - | 25",
            "2025-01-01 | ads | 100",
        ],
    ),
    // Equal values stand in the order of the other groupings, so that the same row stays every time.
    (
        "all_orders by buyer.market, channel top 1 by all_orders per buyer.market",
        &["BR | ads | 2", "TH | ads | 1", "- | it's | 1"],
    ),
    // The condition comes first.
    (
        "all_orders by buyer.market, channel where all_orders < 2 top 1 per buyer.market",
        &["BR | - | 1", "TH | ads | 1", "- | it's | 1"],
    ),
    (
        "revenue share by month, channel where revenue < 20 2025 bottom 1 by revenue per month",
        &[
            "2025-02-01 | organic | 10 | 0.285714286",
            "2025-04-01 | organic | 5 | 0.416666667",
        ],
    ),
];

/// The rows beyond the limit are added up.
const THE_ROWS_BEYOND_THE_LIMIT_ARE_ADDED_UP: &[Answer] = &[
    (
        "revenue by channel 2025 top 2 by revenue with others",
        &["ads | 100", "- | 25", "others | 22"],
    ),
    (
        "revenue by channel 2025 top 9 with others",
        &["ads | 100", "- | 25", "organic | 15", "it's | 7"],
    ),
    (
        "revenue by month, channel 2025 top 1 by revenue per month with others",
        &[
            "2025-01-01 | ads | 100",
            "2025-02-01 | - | 25",
            "2025-02-01 | others | 10",
            "2025-04-01 | it's | 7",
            "2025-04-01 | others | 5",
        ],
    ),
    // 47 over 4 orders, not the mean of three quotients.
    (
        "aov by channel top 1 by aov with others",
        &["ads | 70", "others | 11.75"],
    ),
    (
        "all_orders by buyer.market, channel top 1 by all_orders with others",
        &["BR | ads | 2", "others | others | 5"],
    ),
    (
        "largest_order by channel top 1 by largest_order with others",
        &["ads | 100", "others | 25"],
    ),
    // Two datasets: radio has costs and no order.
    (
        "all_orders, ads_cost by channel top 1 by all_orders with others",
        &["ads | 3 | 10", "others | 4 | 5"],
    ),
];

/// The others have a share and a prior but no rank.
const THE_OTHERS_HAVE_A_SHARE_AND_A_PRIOR_BUT_NO_RANK: &[Answer] = &[
    (
        "revenue share, revenue rank by channel 2025 top 2 by revenue with others",
        &[
            "ads | 100 | 0.680272109 | 1",
            "- | 25 | 0.170068027 | 2",
            "others | 22 | 0.149659864 | -",
        ],
    ),
    (
        "revenue by channel 2025-02 vs 2025-01 top 1 by revenue with others",
        &["- | 25 | - | - | -", "others | 10 | 100 | -90 | -0.9"],
    ),
];

fn shop() -> Engine {
    Engine::new(registry())
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_on_every_engine_give_the_rows_worked_out_by_hand() {
    let all = [
        EACH_GROUP_HAS_ITS_OWN_TOP_ROWS,
        THE_ROWS_BEYOND_THE_LIMIT_ARE_ADDED_UP,
        THE_OTHERS_HAVE_A_SHARE_AND_A_PRIOR_BUT_NO_RANK,
    ]
    .concat();
    check(&shop(), &all).await;
}

#[test]
fn what_cannot_be_limited_or_added_up_is_refused_with_the_reason() {
    refused(
        &shop(),
        &[
            (
                "buyers by channel top 1 by buyers with others",
                "the same value may be in several groups",
            ),
            (
                "median_amount by channel top 1 with others",
                "order of all values",
            ),
            (
                "revenue by channel, month top 2 by revenue with others",
                "no month can be called others",
            ),
            (
                "revenue by express top 1 with others",
                "no express can be called others",
            ),
            (
                "revenue by channel top 2 by revenue per month",
                "needs month among the groupings",
            ),
            (
                "revenue by channel top 2 by revenue per channel",
                "leaves nothing out",
            ),
            ("revenue top 2 by revenue with others", "leaves nothing out"),
            (
                "revenue running by month, channel top 1 by revenue per month with others",
                "others in every period",
            ),
        ],
    );
}
