//! What accumulates: windows are half-open, over rows and not over values of days, and a time range limits what is shown.

use jiff::civil::date;

use crate::oracle::Table;
use crate::shop::{Shop, on, shop, table};

const YAML: &str = "
datasets:
  bookings:
    table: bookings
    time: ds
    dimensions: {ds: {type: date}, channel: {}}
metrics:
  bookings: {base_table: bookings, agg: count}
  revenue: {base_table: bookings, agg: sum, expr: amount}
  bookers: {base_table: bookings, agg: count_distinct, expr: user_id}
  ads: {base_table: bookings, agg: sum, expr: amount, filters: [\"channel = 'ads'\"]}
  per_booker: {expr: revenue / bookers}
  so_far: {of: revenue, window: all_time}
  revenue_7d: {of: revenue, window: 7 days}
  revenue_1w: {of: revenue, window: 1 week}
  revenue_28d: {of: revenue, window: 28 days}
  revenue_mtd: {of: revenue, window: month_to_date}
  revenue_ytd: {of: revenue, window: year_to_date}
  bookers_2d: {base_table: bookings, agg: count_distinct, expr: user_id, cumulative: {window: 2 days}}
  ads_so_far: {of: ads, window: all_time}
  ads_filtered: {base_table: bookings, agg: sum, expr: amount, filters: [\"channel = 'ads'\"], cumulative: {window: all_time}}
  per_booker_7d: {of: per_booker, window: 7 days}
  month_before: {expr: ago, inputs: {ago: {metric: revenue_28d, offset: 1 month}}}
  last_month: {expr: ago, inputs: {ago: {metric: revenue, offset: 1 month}}}
  days_ago: {expr: ago, inputs: {ago: {metric: revenue, offset: 2 days}}}
  there_and_back: {expr: now - ago, inputs: {now: revenue, ago: {metric: revenue, offset: 1 year}}}
  since_start: {expr: now - first, inputs: {now: revenue, first: {metric: revenue, offset: {to: month}}}}
";

fn bookings(rows: &str) -> Vec<Table> {
    vec![table(
        "bookings: ds date, user_id integer, channel text, amount number",
        rows,
    )]
}

fn january() -> Shop {
    shop(
        YAML,
        bookings(
            "2024-12-31 | 9 | seo | 64
             2025-01-01 | 1 | ads | 1
             2025-01-02 | 1 | seo | 2
             2025-01-02 | 2 | ads | 4
             2025-01-03 | 1 | ads | 8
             2025-01-08 | 3 | seo | 16
             2025-02-01 | 1 | ads | 32",
        ),
    )
}

/// One day too many makes 31 of the 30 of the week that ends on the 8th; a week is seven days.
#[test]
fn windows_are_half_open() {
    let shop = january();
    shop.answers(
        "revenue_7d, revenue_1w by day 2025-01-08..2025-01-09",
        &["2025-01-08 | 30 | 30", "2025-01-09 | 24 | 24"],
    );
    shop.answers("revenue_7d 2025-01-01..2025-01-07", &["15"]);
}

/// Added up by day, the bookers of two days are 1 + 2 on the 2nd and 2 + 1 on the 3rd; they are 2 people each time.
#[test]
fn distinct_across_windows() {
    let shop = january();
    shop.answers(
        "bookers_2d by day 2025-01-01..2025-01-04",
        &[
            "2025-01-01 | 2",
            "2025-01-02 | 2",
            "2025-01-03 | 2",
            "2025-01-04 | 1",
        ],
    );
}

/// The range limits the rows that are shown. Limited to it, the rows that are counted make 1 of the 65 of 1 January.
#[test]
fn a_time_range_does_not_cut_the_window() {
    let shop = january();
    shop.answers(
        "so_far by day 2025-01-01..2025-01-02",
        &["2025-01-01 | 65", "2025-01-02 | 71"],
    );
    shop.answers("so_far 2025-01", &["95"]);
    shop.answers("revenue_mtd by month 2025-01", &["2025-01-01 | 31"]);
    // Neither does a condition on the time; by month, it is not said of which part of a month.
    shop.answers(
        "so_far by day where ds = 2025-01-02 or ds = 2025-01-08",
        &["2025-01-02 | 71", "2025-01-08 | 95"],
    );
    shop.answers(
        "bookers_2d by day where ds between 2025-01-02 and 2025-01-03 and channel = ads",
        &["2025-01-02 | 2", "2025-01-03 | 2"],
    );
    shop.refuses("so_far by month where ds >= 2025-01-02", "would cut off");
    shop.refuses("so_far where ds >= 2025-01-02", "would cut off");
    shop.refuses(
        "so_far by day where ds = 2025-01-02 or channel = ads",
        "would cut off",
    );
}

/// Dropped, the filter of the accumulated metric makes 95 of 13.
#[test]
fn filters_of_what_accumulates() {
    let shop = january();
    shop.answers("ads_so_far, ads_filtered 2025-01", &["13 | 13"]);
    shop.answers(
        "ads_so_far, ads_filtered by month 2025-01..2025-02",
        &["2025-01-01 | 13 | 13", "2025-02-01 | 45 | 45"],
    );
    shop.answers("so_far where channel = ads 2025-01", &["13"]);
}

/// A ratio accumulates above and below the line: 15 of 2 people, not the sum or the mean of the ratios of the days.
#[test]
fn a_ratio_over_a_window_is_a_ratio_of_windows() {
    let shop = january();
    shop.answers("per_booker_7d by day 2025-01-07", &["2025-01-07 | 7.5"]);
}

/// What accumulates to date is the whole on the last day of the year.
#[test]
fn year_to_date_at_the_end_of_the_year() {
    let shop = on(
        date(2025, 1, 10),
        YAML,
        bookings(
            "2023-12-31 | 1 | ads | 1
             2024-01-01 | 1 | ads | 2
             2024-02-29 | 1 | ads | 4
             2024-12-31 | 1 | ads | 8",
        ),
    );
    shop.answers(
        "revenue_ytd, revenue by year 2024",
        &["2024-01-01 | 14 | 14"],
    );
    shop.answers(
        "revenue_ytd by day 2024-12-30..2025-01-01",
        &["2024-12-30 | 6", "2024-12-31 | 14", "2025-01-01 | -"],
    );
}

/// By day, March has days that February has not; none of them is 28 February once more.
#[test]
fn an_offset_moves_periods_and_not_days() {
    let shop = shop(
        YAML,
        bookings(
            "2025-02-28 | 1 | ads | 5
             2025-03-28 | 1 | ads | 1
             2025-03-31 | 1 | ads | 2",
        ),
    );
    shop.answers(
        "revenue, last_month by day 2025-03-28..2025-03-31",
        &[
            "2025-03-28 | 1 | 5",
            "2025-03-29 | - | -",
            "2025-03-30 | - | -",
            "2025-03-31 | 2 | -",
        ],
    );
    shop.answers(
        "revenue, last_month by month 2025-02..2025-03",
        &["2025-02-01 | 5 | -", "2025-03-01 | 3 | 5"],
    );
    shop.refuses("last_month by week 2025-03", "do not line up");
}

/// Every day stands beside the first day of its month.
#[test]
fn an_offset_to_the_start_of_a_period() {
    let shop = january();
    shop.answers(
        "since_start by day 2025-01-02..2025-01-03",
        &["2025-01-02 | 5", "2025-01-03 | 7"],
    );
}
/// The 28 days of the month before are 28 days: shifted as dates, they are the 25 before 28 February or those of March.
#[test]
fn a_window_survives_a_shift() {
    let shop = shop(
        YAML,
        bookings(
            "2025-02-01 | 1 | ads | 1
             2025-02-03 | 1 | ads | 2
             2025-02-28 | 1 | ads | 4
             2025-03-04 | 1 | ads | 8
             2025-03-31 | 1 | ads | 16",
        ),
    );
    shop.answers(
        "revenue_28d, month_before by month 2025-02..2025-03",
        &["2025-02-01 | 7 | -", "2025-03-01 | 24 | 7"],
    );
}

/// By week and quarter, the value is that of the last day of both: of the last day with rows, it is that of a window that
/// has lost its rows since, and the week of 3 February has the 32 of the 1st.
#[test]
fn the_last_day_of_two_periods_is_a_day_of_the_calendar() {
    let shop = january();
    shop.answers(
        "revenue_7d by week, quarter 2025-01-27..2025-02-09",
        &["2025-01-27 | 2025-01-01 | 32"],
    );
}

/// A range without an end goes on to today, and so do the windows: ending with the last row, 10 January has nothing.
#[test]
fn windows_of_an_open_range_go_on_to_today() {
    let shop = on(
        date(2025, 1, 10),
        YAML,
        bookings(
            "2025-01-08 | 1 | ads | 1
             2025-01-09 | 1 | ads | 2",
        ),
    );
    shop.answers(
        "revenue_mtd, revenue by day since 2025-01-08",
        &[
            "2025-01-08 | 1 | 1",
            "2025-01-09 | 3 | 2",
            "2025-01-10 | 3 | -",
        ],
    );
}

/// A condition on the time is about the time that rows count for: put to their own, nothing of 3 January is left on the 5th,
/// and the month before has no day of this one.
#[test]
fn a_condition_on_the_time_is_shifted_too() {
    let shop = january();
    shop.answers("days_ago where ds = 2025-01-05", &["8"]);
    shop.answers(
        "days_ago by channel where ds >= 2025-01-05",
        &["ads | 40", "seo | 16"],
    );
    shop.answers(
        "last_month by month where ds = 2025-02-01",
        &["2025-02-01 | 1"],
    );
    shop.answers(
        "revenue by channel where ds >= 2025-01-02 2025-01 vs previous period",
        &["ads | 12 | - | - | -", "seo | 18 | 64 | -46 | -0.71875"],
    );
}

/// A row without a time is before no day and before no month: kept by month alone, 3 and 4 do not fit the 1 by day, which has
/// no 31 February.
#[test]
fn rows_without_a_time_under_an_offset() {
    let shop = shop(
        YAML,
        bookings(
            "2025-01-10 | 1 | ads | 1
             2025-01-31 | 1 | ads | 2
             - | 1 | ads | 4",
        ),
    );
    shop.answers("last_month by day", &["2025-02-10 | 1"]);
    shop.answers("last_month by month", &["2025-02-01 | 3"]);
}
