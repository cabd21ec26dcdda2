//! Time by dbt's rules: the periods that there are say the tables of days and hours, and every metric has its own.

use metrex::model::Conventions;

use crate::support::shop::registry_of;
use crate::world::World;

const TABLES: &str = "
CREATE TABLE days (d date);
INSERT INTO days VALUES ('2024-12-31'), ('2025-01-01'), ('2025-01-02'), ('2025-01-03'), ('2025-01-04'), ('2025-01-05');
CREATE TABLE hours (ts timestamp);
INSERT INTO hours VALUES ('2025-01-01 00:00:00'), ('2025-01-01 01:00:00'), ('2025-01-01 02:00:00'),
  ('2025-01-01 03:00:00'), ('2025-01-01 04:00:00');
CREATE TABLE events (made_at timestamp, made_on date, kind text);
INSERT INTO events VALUES
  ('2025-01-01 01:10:00', '2025-01-01', 'a'), ('2025-01-01 01:50:00', '2025-01-02', 'b'),
  ('2025-01-01 03:00:00', '2025-01-04', 'a');
";

const REGISTRY: &str = "
calendar: {table: days, date: d, spines: {hour: {table: hours, column: ts}}}
datasets:
  events:
    table: events
    time: made_on
    dimensions: {made_at: {type: time}, made_on: {type: date}, kind: {}}
metrics:
  events: {base_table: events, agg: sum, expr: '1'}
  daily: {base_table: events, agg: sum, expr: '1', every_period: true}
  filled: {base_table: events, agg: sum, expr: '1', every_period: true, fill: 0}
  growth: {expr: now - ago, inputs: {now: filled, ago: {metric: events, offset: 1 day}}}
  hourly: {base_table: events, agg: sum, expr: '1', time: made_at, every_period: true}
  three_hours: {base_table: events, agg: sum, expr: '1', time: made_at, cumulative: {window: 3 hours}}
  this_hour: {base_table: events, agg: sum, expr: '1', time: made_at, cumulative: {window: hour_to_date}}
  two_days: {base_table: events, agg: sum, expr: '1', cumulative: {window: 2 days}}
  two_days_before: {expr: ago, inputs: {ago: {metric: two_days, offset: 1 day}}}
  first_two_days: {base_table: events, agg: sum, expr: '1', cumulative: {window: 2 days, at_coarser_grain: first}}
  started: {expr: first, inputs: {first: {metric: events, offset: {to: month}}}}
";

fn world(conventions: Conventions) -> World {
    let mut registry = registry_of(REGISTRY);
    registry.conventions = conventions;
    World::with(TABLES, registry)
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_are_those_of_the_spine() {
    let all = [
        "2025-01-01T00:00:00 | -",
        "2025-01-01T01:00:00 | 2",
        "2025-01-01T02:00:00 | -",
        "2025-01-01T03:00:00 | 1",
        "2025-01-01T04:00:00 | -",
    ];
    world(Conventions::Metricflow)
        .answers(&[
            ("hourly by metric_time__hour", &all),
            // A range of points in time is one of the hours that it touches.
            (
                "hourly by metric_time__hour where metric_time >= '2025-01-01 01:30:00' and metric_time <= '2025-01-01 03:00:00'",
                all.get(1..4).unwrap(),
            ),
            // An hour is its start.
            (
                "hourly by metric_time__hour where metric_time__hour > '2025-01-01 01:00:00'",
                all.get(2..).unwrap(),
            ),
            ("hourly where metric_time__hour = '2025-01-01 01:00:00'", &["2"]),
            (
                "three_hours by metric_time__hour",
                &[
                    "2025-01-01T01:00:00 | 2",
                    "2025-01-01T02:00:00 | 2",
                    "2025-01-01T03:00:00 | 3",
                    "2025-01-01T04:00:00 | 1",
                ],
            ),
            (
                "this_hour by metric_time__hour",
                &["2025-01-01T01:00:00 | 2", "2025-01-01T03:00:00 | 1"],
            ),
        ])
        .await;
    let ours = world(Conventions::Metrex);
    ours.answers(&[
        // Without a metric, the hours are those of the spine too.
        (
            "by hour where metric_time < '2025-01-01 02:00'",
            &["2025-01-01T00:00:00", "2025-01-01T01:00:00"],
        ),
        ("hourly by hour", &all),
        // Of what accumulates, the hours are those of the rows.
        (
            "three_hours by hour",
            &[
                "2025-01-01T01:00:00 | 2",
                "2025-01-01T02:00:00 | 2",
                "2025-01-01T03:00:00 | 3",
            ],
        ),
    ])
    .await;
    ours.refuses(
        "three_hours by second 2025-01",
        "2025-01-01 to 2025-01-31 has 2678400 seconds, too many for one result",
    );
    ours.refuses(
        "this_hour by day 2025-01",
        "a window of hours needs a result by hour, not by day",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_without_rows_is_one_row_of_its_metric() {
    world(Conventions::Metricflow)
        .answers(&[
            (
                "daily by metric_time, kind",
                &[
                    "2024-12-31 | - | -",
                    "2025-01-01 | a | 1",
                    "2025-01-02 | b | 1",
                    "2025-01-03 | - | -",
                    "2025-01-04 | a | 1",
                    "2025-01-05 | - | -",
                ],
            ),
            // Conditions on groupings are looked at again, those on the time are of the periods too.
            (
                "daily by metric_time, kind where kind = a",
                &["2025-01-01 | a | 1", "2025-01-04 | a | 1"],
            ),
            (
                "daily by metric_time, kind where metric_time__day >= 2025-01-04",
                &["2025-01-04 | a | 1", "2025-01-05 | - | -"],
            ),
            (
                "daily by metric_time where metric_time = 2025-01-03 or metric_time = 2025-01-04",
                &["2025-01-03 | -", "2025-01-04 | 1"],
            ),
            // The periods of an input are rows of what is made of it.
            (
                "growth by metric_time",
                &[
                    "2024-12-31 | -",
                    "2025-01-01 | -",
                    "2025-01-02 | 0",
                    "2025-01-03 | -1",
                    "2025-01-04 | -",
                    "2025-01-05 | -1",
                ],
            ),
            (
                "events by metric_time 2025-01-02..2025-01-03",
                &["2025-01-02 | 1"],
            ),
        ])
        .await;
    world(Conventions::Metrex)
        .answers(&[(
            "growth by day, kind 2025-01-03..2025-01-04",
            &[
                "2025-01-03 | a | -",
                "2025-01-03 | b | -1",
                "2025-01-04 | a | -",
                "2025-01-04 | b | -",
            ],
        )])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_and_offsets_of_periods_that_they_do_not_fit() {
    world(Conventions::Metricflow)
        .answers(&[
            // The last day of January with a window that has rows is the 5th, the first one is the 1st.
            (
                "two_days, first_two_days by metric_time__month",
                &["2025-01-01 | 1 | 1"],
            ),
            // A range cuts what is shifted before and after the shift.
            (
                "two_days_before by metric_time 2025-01-02..2025-01-04",
                &["2025-01-03 | 2", "2025-01-04 | 1"],
            ),
            // The first month of a year is its first day.
            ("started by metric_time__year", &["2025-01-01 | 1"]),
        ])
        .await;
    let ours = world(Conventions::Metrex);
    ours.answers(&[
        // Two days that end with 31 January hold nothing.
        ("two_days by month", &[]),
        (
            "two_days_before by day 2025-01-02..2025-01-04",
            &["2025-01-02 | 1", "2025-01-03 | 2", "2025-01-04 | 1"],
        ),
        // A week in two quarters has a last day in each; the last day of the next week has no rows.
        (
            "two_days by week, quarter 2024-12-30..2025-01-12",
            &["2024-12-30 | 2025-01-01 | 1"],
        ),
        (
            "two_days by day where made_on = 2025-01-02 or made_on = 2025-01-05",
            &["2025-01-02 | 2"],
        ),
    ])
    .await;
    ours.refuses("started by year", "a month has no first year");
    ours.refuses(
        "two_days by month where made_on = 2025-01-02",
        "'made_on = 2025-01-02' would cut off the earlier rows that this metric accumulates",
    );
}
