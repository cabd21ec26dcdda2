//! Share, running sum, rank and moving mean over the rows of a result, on every engine, against rows worked out by hand.
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
use metrex::compile::Role;
use metrex::model::{FormatKind, NoValues, Presented};
use metrex::warehouse::{Dialect, Warehouse};
use support::shop::{Engine, connection, fill, registry_of, rows};

/// A share is of the whole whatever the limit leaves out.
const A_SHARE_IS_OF_THE_WHOLE_WHATEVER_THE_LIMIT_LEAVES_OUT: &[Answer] = &[
    (
        "revenue share by channel 2025",
        &[
            "ads | 100 | 0.680272109",
            "it's | 7 | 0.047619048",
            "organic | 15 | 0.102040816",
            "- | 25 | 0.170068027",
        ],
    ),
    (
        "revenue share by channel 2025 top 1 by revenue",
        &["ads | 100 | 0.680272109"],
    ),
    (
        "revenue share by channel where revenue < 20 2025",
        &["it's | 7 | 0.047619048", "organic | 15 | 0.102040816"],
    ),
    (
        "revenue share by channel 2025 order by revenue_share limit 2",
        &["it's | 7 | 0.047619048", "organic | 15 | 0.102040816"],
    ),
    // A condition on a dimension is part of what is asked, so the whole is what it leaves.
    (
        "revenue share by channel where channel != ads 2025",
        &["it's | 7 | 0.318181818", "organic | 15 | 0.681818182"],
    ),
    ("revenue share 2025", &["147 | 1"]),
    // The shares of several metrics, each of its own total.
    (
        "revenue share, orders share by channel 2025-02",
        &[
            "organic | 10 | 0.285714286 | 1 | 0.5",
            "- | 25 | 0.714285714 | 1 | 0.5",
        ],
    ),
];

/// A share is of its period where other groupings stand beside it.
const A_SHARE_IS_OF_ITS_PERIOD_WHERE_OTHER_GROUPINGS_STAND_BESIDE_IT: &[Answer] = &[
    (
        "revenue share by month, channel 2025-01..2025-02",
        &[
            "2025-01-01 | ads | 100 | 1",
            "2025-02-01 | organic | 10 | 0.285714286",
            "2025-02-01 | - | 25 | 0.714285714",
        ],
    ),
    // By time alone it is the part of the whole time.
    (
        "revenue share by month 2025-01..2025-03",
        &[
            "2025-01-01 | 100 | 0.740740741",
            "2025-02-01 | 35 | 0.259259259",
            "2025-03-01 | - | -",
        ],
    ),
    (
        "revenue share by channel 2025-02 vs 2025-01",
        &[
            "ads | - | 100 | - | - | -",
            "organic | 10 | - | - | - | 0.285714286",
            "- | 25 | - | - | - | 0.714285714",
        ],
    ),
];

/// The share of a difference is of the difference of the totals.
const THE_SHARE_OF_A_DIFFERENCE_IS_OF_THE_DIFFERENCE_OF_THE_TOTALS: &[Answer] = &[(
    "net share by channel",
    &[
        "ads | 130 | 0.755813953",
        "it's | 7 | 0.040697674",
        "organic | 15 | 0.087209302",
        "radio | 0 | 0",
        "- | 20 | 0.11627907",
    ],
)];

/// A running sum goes on from period to period within the other groups.
const A_RUNNING_SUM_GOES_ON_FROM_PERIOD_TO_PERIOD_WITHIN_THE_OTHER_GROUPS: &[Answer] = &[
    (
        "revenue running by month 2025-01..2025-04",
        &[
            "2025-01-01 | 100 | 100",
            "2025-02-01 | 35 | 135",
            "2025-03-01 | - | 135",
            "2025-04-01 | 12 | 147",
        ],
    ),
    (
        "orders running by month 2025-01..2025-04 order by month desc limit 2",
        &["2025-04-01 | 2 | 5", "2025-03-01 | 0 | 3"],
    ),
    (
        "revenue running by channel, month 2025",
        &[
            "ads | 2025-01-01 | 100 | 100",
            "it's | 2025-04-01 | 7 | 7",
            "organic | 2025-02-01 | 10 | 10",
            "organic | 2025-04-01 | 5 | 15",
            "- | 2025-02-01 | 25 | 25",
        ],
    ),
];

/// The largest ranks first equal values rank alike and no value has no rank.
const THE_LARGEST_RANKS_FIRST_EQUAL_VALUES_RANK_ALIKE_AND_NO_VALUE_HAS_NO_RANK: &[Answer] = &[
    (
        "all_orders rank by channel",
        &[
            "ads | 3 | 1",
            "it's | 1 | 3",
            "organic | 2 | 2",
            "- | 1 | 3",
        ],
    ),
    (
        "roas rank by channel",
        &[
            "ads | 14 | 1",
            "it's | - | -",
            "organic | - | -",
            "radio | - | -",
            "- | 5 | 2",
        ],
    ),
    (
        "revenue rank by month, channel 2025-01..2025-02",
        &[
            "2025-01-01 | ads | 100 | 1",
            "2025-02-01 | organic | 10 | 2",
            "2025-02-01 | - | 25 | 1",
        ],
    ),
    (
        "buyers rank by month 2025-01..2025-02",
        &["2025-01-01 | 1 | 2", "2025-02-01 | 2 | 1"],
    ),
];

/// A moving mean is over periods and not over rows.
const A_MOVING_MEAN_IS_OVER_PERIODS_AND_NOT_OVER_ROWS: &[Answer] = &[
    (
        "orders moving 2 by month 2025-01..2025-04",
        &[
            "2025-01-01 | 1 | -",
            "2025-02-01 | 2 | 1.5",
            "2025-03-01 | 0 | 1",
            "2025-04-01 | 2 | 1",
        ],
    ),
    (
        "revenue moving 2 by month 2025-01..2025-04",
        &[
            "2025-01-01 | 100 | -",
            "2025-02-01 | 35 | 67.5",
            "2025-03-01 | - | 17.5",
            "2025-04-01 | 12 | 6",
        ],
    ),
    // March has no row of this channel: it counts as nothing, and no earlier month takes its place.
    (
        "revenue moving 3 by month, channel where channel = organic 2025-01..2025-04",
        &[
            "2025-02-01 | organic | 10 | -",
            "2025-04-01 | organic | 5 | 5",
        ],
    ),
    // A mean has no value for March, so March does not count.
    (
        "aov moving 2 by month 2025-01..2025-04",
        &[
            "2025-01-01 | 100 | -",
            "2025-02-01 | 17.5 | 58.75",
            "2025-03-01 | - | 17.5",
            "2025-04-01 | 6 | 6",
        ],
    ),
    (
        "all_orders moving 2 by year",
        &["2024-01-01 | 1 | -", "2025-01-01 | 6 | 3.5"],
    ),
    (
        "all_orders moving 2 by quarter",
        &[
            "2024-01-01 | 1 | -",
            "2025-01-01 | 4 | 2",
            "2025-04-01 | 2 | 3",
        ],
    ),
    (
        "all_orders moving 2 by week 2025-02-03..2025-02-16",
        &["2025-02-03 | 0 | -", "2025-02-10 | 2 | 1"],
    ),
    (
        "all_orders moving 2 by day 2025-01-05..2025-01-07",
        &[
            "2025-01-05 | 1 | -",
            "2025-01-06 | 1 | 1",
            "2025-01-07 | 0 | 0.5",
        ],
    ),
    (
        "all_orders moving 2 by hour 2025-01-05..2025-01-06",
        &[
            "2025-01-05T10:00:00 | 1 | 0.5",
            "2025-01-06T23:00:00 | 1 | 0.5",
        ],
    ),
];

/// The shop, with a difference of two metrics.
fn shop() -> Engine {
    let yaml = include_str!("fixtures/shop.yaml");
    Engine::new(registry_of(&yaml.replace(
        "\nmetrics:\n",
        "\nmetrics:\n  net: {expr: 'coalesce(revenue, 0) - coalesce(ads_cost, 0)'}\n  gap: {expr: revenue - ads_cost}\n",
    )))
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_on_every_engine_equal_those_worked_out_by_hand() {
    let all = [
        A_SHARE_IS_OF_THE_WHOLE_WHATEVER_THE_LIMIT_LEAVES_OUT,
        A_SHARE_IS_OF_ITS_PERIOD_WHERE_OTHER_GROUPINGS_STAND_BESIDE_IT,
        THE_SHARE_OF_A_DIFFERENCE_IS_OF_THE_DIFFERENCE_OF_THE_TOTALS,
        A_RUNNING_SUM_GOES_ON_FROM_PERIOD_TO_PERIOD_WITHIN_THE_OTHER_GROUPS,
        THE_LARGEST_RANKS_FIRST_EQUAL_VALUES_RANK_ALIKE_AND_NO_VALUE_HAS_NO_RANK,
        A_MOVING_MEAN_IS_OVER_PERIODS_AND_NOT_OVER_ROWS,
    ]
    .concat();
    check(&shop(), &all).await;
}

#[test]
fn figures_that_would_be_wrong_are_refused_with_the_reason() {
    refused(
        &shop(),
        &[
            (
                "buyers share by channel",
                "the same value may be in several groups",
            ),
            ("aov share by channel", "its own denominator"),
            ("avg_amount share by channel", "weigh more in an average"),
            ("gap share by channel", "has no value"),
            ("cost_share share by channel", "its own denominator"),
            ("first_order share by channel", "it is no number"),
            (
                "buyers running by month",
                "the same value may be in several groups",
            ),
            ("revenue running by channel", "needs a result by time"),
            ("revenue moving 3 by channel", "needs a result by time"),
            ("revenue running by month, week", "one time grouping"),
            ("revenue share, turnover share by channel", "stands twice"),
        ],
    );
}

#[tokio::test]
async fn figures_are_columns_of_their_own_with_a_format_and_the_total_has_the_whole_share() {
    let engine = shop();
    let line = "revenue share, revenue rank, orders by channel 2025";
    let compiled = engine
        .compile_with(line, Dialect::Sqlite, &NoValues)
        .unwrap();
    let columns = &compiled.main.columns;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "channel",
            "revenue",
            "revenue_share",
            "revenue_rank",
            "orders"
        ]
    );
    assert_eq!(columns[2].role, Role::Figure(Presented::Share));
    assert_eq!(columns[2].format.kind, FormatKind::Percent);
    assert_eq!(columns[3].format.kind, FormatKind::Number);

    let folder = tempfile::tempdir().unwrap();
    let kind = metrex::model::ConnectionKind::Sqlite {
        path: folder.path().join("shop.db"),
    };
    fill(&kind);
    let warehouse = Warehouse::open(&connection(kind), "UTC").unwrap();
    let totals = compiled.total().unwrap();
    assert_eq!(totals.columns[1].name, "revenue_share");
    assert_eq!(rows(&warehouse, totals).await, ["147 | 1 | 5"]);
    let limited = engine.compile("revenue share by channel top 1").unwrap();
    assert!(
        limited
            .reasons
            .iter()
            .any(|reason| reason.text.contains("computed over all groups")),
        "{:?}",
        limited.reasons
    );
}
