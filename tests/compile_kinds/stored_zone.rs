//! Times stored in another zone: days, hours, ranges and conditions are local, also where the clocks change.

use crate::world::World;

/// In New York the ninth of March 2025 has 23 hours and the second of November 25.
const TABLES: &str = "
CREATE TABLE events (event_id integer, happened_at timestamp);
INSERT INTO events VALUES
  (1, '2025-03-09 04:59:59'), (2, '2025-03-09 05:00:00'), (3, '2025-03-09 07:30:00'),
  (4, '2025-03-10 03:59:59'), (5, '2025-03-10 04:00:00'),
  (6, '2025-11-02 05:30:00'), (7, '2025-11-02 06:30:00');
";

const REGISTRY: &str = "
calendar: {timezone: America/New_York}
datasets:
  events: {table: events, time: happened_at, stored_in: UTC, dimensions: {happened_at: {type: time}}}
metrics:
  events: {base_table: events, agg: count}
  so_far: {of: events, window: month_to_date}
";

#[tokio::test(flavor = "multi_thread")]
async fn days_are_those_of_the_local_clock() {
    let world = World::new(TABLES, REGISTRY);
    world
        .answers(&[
            (
                "events by day 2025-03-08..2025-03-10",
                &["2025-03-08 | 1", "2025-03-09 | 3", "2025-03-10 | 1"],
            ),
            ("events 2025-03-09", &["3"]),
            (
                "events by hour_of_day 2025-03-09",
                &["0 | 1", "3 | 1", "23 | 1"],
            ),
            ("events by hour_of_day 2025-11-02", &["1 | 2"]),
            (
                "events where happened_at < '2025-03-09 03:00' 2025-03",
                &["2"],
            ),
            (
                "so_far by day 2025-03-09..2025-03-10",
                &["2025-03-09 | 4", "2025-03-10 | 5"],
            ),
        ])
        .await;
}
