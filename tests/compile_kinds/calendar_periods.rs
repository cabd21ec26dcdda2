//! Periods of a calendar table beyond grouping by them: in conditions, as rows, compared, before and to date.

use metrex::warehouse::Dialect;

use crate::world::World;

/// A calendar of short quarters whose names do not sort in time order. It lacks 3 April, and has a row without a day and
/// days without a quarter.
const DAYS: &str = "
CREATE TABLE days (d date, quarter_name text, year_number integer, first_day date);
INSERT INTO days VALUES
  ('2025-03-29', 'Q9', 2024, '2025-03-29'), ('2025-03-30', 'Q9', 2024, '2025-03-29'),
  ('2025-03-31', 'Q9', 2024, '2025-03-29'), ('2025-04-01', 'Q10', 2025, '2025-04-01'),
  ('2025-04-02', 'Q10', 2025, '2025-04-01'), ('2025-04-04', 'Q10', 2025, '2025-04-01'),
  ('2025-04-05', 'Q11', 2025, '2025-04-05'), ('2025-04-06', NULL, 2025, NULL),
  (NULL, 'Q12', 2026, '2025-04-07');
CREATE TABLE sales (sold_at timestamp, shop text, amount integer);
INSERT INTO sales VALUES
  ('2025-03-29 10:00:00', 'a', 1), ('2025-03-31 10:00:00', 'b', 2), ('2025-04-02 10:00:00', 'a', 4),
  ('2025-04-03 10:00:00', 'a', 8), ('2025-04-04 10:00:00', NULL, 16), ('2025-04-06 10:00:00', 'a', 32),
  (NULL, 'a', 64);
CREATE TABLE shops (shop text, opened date);
INSERT INTO shops VALUES ('a', '2025-04-01'), ('b', '2025-03-30');
CREATE TABLE visits (who text, seen_at timestamp);
INSERT INTO visits VALUES ('x', '2025-03-30 08:00:00'), ('x', '2025-04-04 08:00:00'), ('y', '2025-04-02 08:00:00');
CREATE TABLE buys (who text, paid_at timestamp);
INSERT INTO buys VALUES ('x', '2025-03-31 08:00:00'), ('x', '2025-04-05 08:00:00');
";

const REGISTRY: &str = "
calendar:
  table: days
  date: d
  periods: {fq: quarter_name, fy: {column: year_number}, starts: first_day}
datasets:
  days: {table: days, key: d, dimensions: {d: {type: date}, fy: {column: year_number, type: number}}}
  sales: {table: sales, time: sold_at, dimensions: {sold_at: {type: time}, shop: {}}, joins: {at: {to: shops, on: shop}}}
  shops: {table: shops, key: shop, dimensions: {opened: {type: date}}}
  visits: {table: visits, time: seen_at, dimensions: {seen_at: {type: time}, who: {}}}
  buys: {table: buys, time: paid_at, dimensions: {paid_at: {type: time}, who: {}}}
metrics:
  sales: {base_table: sales, agg: sum, expr: amount}
  orders: {base_table: sales, agg: count}
  shop_count: {base_table: shops, agg: count, time: opened}
  gapless: {base_table: sales, agg: sum, expr: amount, every_period: true}
  visits: {base_table: visits, agg: count}
  buys: {base_table: buys, agg: count}
  bought: {entity: who, base: visits, conversion: buys, result: count}
  last_sale: {base_table: sales, agg: sum, expr: amount, last_by: {time: sold_at}}
  fq_before: {expr: ago, inputs: {ago: {metric: sales, offset: 1 fq}}}
  twice_before: {expr: ago, inputs: {ago: {metric: sales, offset: 2 fq}}}
  growth: {expr: sales - ago, inputs: {sales: sales, ago: {metric: sales, offset: 1 fq}}}
  days_before: {expr: ago, inputs: {ago: {metric: sales, offset: 2 days}}}
  months_before: {expr: ago, inputs: {ago: {metric: sales, offset: 1 month}}}
  opening: {expr: at, inputs: {at: {metric: sales, offset: {to: fq}}}}
  so_far: {of: sales, window: all_time}
  three_days: {of: sales, window: 3 days}
  at_first: {of: sales, window: all_time, at_coarser_grain: first}
  on_average: {of: sales, window: all_time, at_coarser_grain: average}
  fq_so_far: {of: sales, window: fq_to_date}
";

#[tokio::test(flavor = "multi_thread")]
async fn conditions_on_periods_of_the_calendar_table() {
    let world = World::new(DAYS, REGISTRY);
    world
        .answers(&[
            // In order of time: Q9 is before Q10.
            ("sales by fq where fq >= Q10", &["Q10 | 20"]),
            ("sales by fq where fq < Q11", &["Q10 | 20", "Q9 | 3"]),
            ("sales where fq between Q9 and Q10", &["23"]),
            ("sales where fq <= Q9 or fq = Q10", &["23"]),
            // What lies in no quarter is neither in it nor out of it.
            ("sales where not fq = Q9", &["20"]),
            ("sales where not fq > Q9", &["3"]),
            ("sales where fq != Q9", &["20"]),
            ("sales where fq is null", &["104"]),
            // No period has the name, so none is later.
            ("sales where fq > Q7", &["-"]),
            // A number is a number, and what is called by days compares with days.
            ("sales by fq where fy >= 2025", &["Q10 | 20", "- | 32"]),
            ("sales by fq where starts >= 2025-03-30", &["Q10 | 20"]),
            ("sales where starts = 2025-04-01", &["20"]),
            ("sales where starts in (2025-04-01, 2025-04-05)", &["20"]),
            // Through a join, and beside other conditions.
            (
                "sales by at.opened.fq where at.opened.fq > Q9",
                &["Q10 | 109"],
            ),
            (
                "sales where at.opened.fq = Q9 or fq = Q10 and shop = a",
                &["6"],
            ),
            ("by shop where at.opened.fq = Q9", &["b"]),
            ("by fq where fy = 2025", &["Q10", "Q11", "-"]),
            // Conversions are those of the events of the period, whenever they follow.
            ("bought by fq where fq in (Q9, Q10)", &["Q10 | 1", "Q9 | 1"]),
            ("sales where fq_before per shop >= 3", &["109"]),
        ])
        .await;
    assert!(
        world
            .reasons("sales where fq = Q9")
            .contains(&"fq 'Q9' was not checked: no dataset is over days".to_owned())
    );
    world.refuses("sales where fy = many", "'many' is not a number for fy");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_period_of_the_calendar_table_is_a_row() {
    let world = World::new(DAYS, REGISTRY);
    world
        .answers(&[
            // A trend has its periods up to today; those of the data are in order of their names.
            (
                "sales, orders by fq since 2025-04-01",
                &["Q10 | 20 | 2", "Q11 | - | 0", "- | 40 | 2"],
            ),
            ("sales by fq 2025-04-05", &["Q11 | -"]),
            ("sales by fq 2025-04-05 existing periods", &[]),
            ("sales by fq 2025-04 where fq = Q11", &["Q11 | -"]),
            (
                "sales by day 2025-04 where fq = Q10",
                &["2025-04-01 | -", "2025-04-02 | 4", "2025-04-04 | 16"],
            ),
            (
                "gapless by fq",
                &["Q10 | 20", "Q11 | -", "Q9 | 3", "- | 104"],
            ),
            (
                "sales by fq, shop 2025-04 every period",
                &[
                    "Q10 | a | 4",
                    "Q10 | - | 16",
                    "Q11 | a | -",
                    "Q11 | - | -",
                    "- | a | 40",
                ],
            ),
        ])
        .await;
    world.refuses(
        "sales by fq, fy 2025-04 every period",
        "a row for every period needs exactly one time grain",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_compared_with_the_one_before_it() {
    let world = World::new(DAYS, REGISTRY);
    world
        .answers(&[
            // By the order of their days: Q9, Q10, Q11. Rows without a quarter have none before.
            (
                "sales by fq vs previous period",
                &[
                    "Q10 | 20 | 3 | 17 | 5.666666667",
                    "Q11 | - | 20 | - | -",
                    "Q9 | 3 | - | - | -",
                    "- | 104 | - | - | -",
                ],
            ),
            // The first quarter has none before it; one without orders has had none.
            (
                "orders by fq vs previous period",
                &[
                    "Q10 | 2 | 2 | 0 | 0",
                    "Q11 | 0 | 2 | -2 | -1",
                    "Q9 | 2 | - | - | -",
                    "- | 3 | - | - | -",
                ],
            ),
            // As many days of the one before as the range has of this one.
            (
                "sales by fq 2025-04-01..2025-04-02 vs previous period",
                &["Q10 | 4 | 1 | 3 | 3"],
            ),
            // Its days are told apart: the third of Q10 is 4 April, since the table has no 3 April.
            (
                "sales by fq, day 2025-04 vs previous period",
                &[
                    "Q10 | 2025-04-01 | - | 1 | - | -",
                    "Q10 | 2025-04-02 | 4 | - | - | -",
                    "Q10 | 2025-04-04 | 16 | 2 | 14 | 7",
                    "- | 2025-04-03 | 8 | - | - | -",
                    "- | 2025-04-06 | 32 | - | - | -",
                ],
            ),
            // A condition says which quarters are shown, and those before them count.
            (
                "sales by fq where fq = Q10 vs previous period",
                &["Q10 | 20 | 3 | 17 | 5.666666667"],
            ),
            (
                "sales where fq = Q10 vs previous period",
                &["20 | 3 | 17 | 5.666666667"],
            ),
            // Other conditions hold on both sides.
            (
                "sales by fq where shop = a and fq in (Q9, Q10) vs previous period",
                &["Q10 | 4 | 1 | 3 | 3", "Q9 | 1 | - | - | -"],
            ),
            (
                "bought by fq vs previous period",
                &[
                    "Q10 | 1 | 1 | 0 | 0",
                    "Q11 | 0 | 1 | -1 | -1",
                    "Q9 | 1 | - | - | -",
                ],
            ),
            (
                "last_sale by fq where fq = Q10 vs previous period",
                &["Q10 | 16 | 2 | 14 | 7"],
            ),
        ])
        .await;
    let compiled = world.compile("sales by fq vs previous period", Dialect::Sqlite);
    assert_eq!(compiled.unwrap().total().unwrap().columns.len(), 4);
    world.refuses(
        "sales by fq vs previous year",
        "fq is a period of days, which does not say the one of the year before",
    );
    world.refuses(
        "sales by fq vs 4 weeks ago",
        "fq is a period of days: 4 weeks ago is no whole number of them",
    );
    world.refuses(
        "sales by fq, month vs previous period",
        "month periods do not line up with those of fq",
    );
    world.refuses(
        "sales by fy, fq vs previous period",
        "previous period could be one of fy or one of fq",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_are_taken_periods_before() {
    let world = World::new(DAYS, REGISTRY);
    world
        .answers(&[
            ("fq_before by fq", &["Q10 | 3", "Q11 | 20"]),
            ("growth by fq where fq = Q10", &["Q10 | 17"]),
            // By day: the first of Q10 has what the first of Q9 had, and Q11 has one day only.
            (
                "fq_before by day 2025-04 existing periods",
                &["2025-04-01 | 1", "2025-04-04 | 2"],
            ),
            // By anything longer, days that Q11 does not have are counted with its last.
            ("fq_before by month", &["2025-04-01 | 23"]),
            ("fq_before", &["23"]),
            ("twice_before by fq", &["Q11 | 3"]),
            (
                "days_before by fq",
                &["Q10 | 6", "Q11 | 8", "Q9 | 1", "- | 48"],
            ),
            (
                "opening by day 2025-03 existing periods",
                &["2025-03-29 | 1", "2025-03-30 | 1", "2025-03-31 | 1"],
            ),
            ("opening by fq", &["Q10 | 28", "Q9 | 3"]),
        ])
        .await;
    world.refuses(
        "months_before by fq",
        "fq is a period of days: it cannot be lined up with earlier dates, since periods differ in length",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_end_with_periods_and_begin_with_them() {
    let world = World::new(DAYS, REGISTRY);
    world
        .answers(&[
            ("so_far by fq", &["Q10 | 31", "Q11 | 31", "Q9 | 3"]),
            ("three_days by fq", &["Q10 | 28", "Q11 | 24", "Q9 | 3"]),
            ("at_first by fq", &["Q10 | 3", "Q11 | 31", "Q9 | 1"]),
            (
                "on_average by fq",
                &["Q10 | 13.666666667", "Q11 | 31", "Q9 | 1.666666667"],
            ),
            ("so_far by fq where fq >= Q10", &["Q10 | 31", "Q11 | 31"]),
            (
                "so_far by day 2025-04 where fq = Q10",
                &["2025-04-01 | 3", "2025-04-02 | 7", "2025-04-04 | 31"],
            ),
            ("so_far where fq = Q9", &["3"]),
            (
                "fq_so_far by day 2025-04-01..2025-04-06",
                &[
                    "2025-04-01 | -",
                    "2025-04-02 | 4",
                    "2025-04-03 | -",
                    "2025-04-04 | 28",
                    "2025-04-05 | -",
                    "2025-04-06 | -",
                ],
            ),
            ("fq_so_far by fq", &["Q10 | 28", "Q9 | 3"]),
            ("fq_so_far by month", &["2025-03-01 | 3"]),
            ("fq_so_far 2025-03", &["3"]),
            (
                "so_far by fq vs previous period",
                &[
                    "Q10 | 31 | 3 | 28 | 9.333333333",
                    "Q11 | 31 | 31 | 0 | 0",
                    "Q9 | 3 | - | - | -",
                ],
            ),
        ])
        .await;
}

/// A retail calendar of three years of weeks from Sunday, the second of which has 53: the table says which week a year
/// before is meant, and the 53rd has none.
fn retail() -> String {
    use jiff::ToSpan;
    let mut day = jiff::civil::date(2022, 1, 30);
    let mut rows = Vec::new();
    for (year, weeks) in [(22, 52), (23, 53), (24, 52), (25, 20)] {
        for week in 1..=weeks {
            let ago = match (year, week) {
                (22, _) | (_, 53) => "NULL".to_owned(),
                _ => format!("'FY{}W{week}'", year - 1),
            };
            for _ in 0..7 {
                // Names of quarters come round again each year.
                let quarter = ((week - 1) / 13 + 1).min(4);
                rows.push(format!("('{day}', 'FY{year}W{week}', {ago}, 'Q{quarter}')"));
                day = day.saturating_add(1.day());
            }
        }
    }
    format!(
        "CREATE TABLE days (d date, fw text, fw_ago text, quarter text);
         INSERT INTO days VALUES {};
         CREATE TABLE sales (sold_on date, amount integer);
         INSERT INTO sales VALUES
           ('2023-01-28', 1), ('2023-01-29', 2), ('2023-12-25', 4), ('2024-01-29', 8), ('2024-02-03', 16), ('2024-02-04', 32),
           ('2024-04-13', 64), ('2025-02-02', 128), ('2025-04-14', 256), ('2024-04-16', 512), ('2025-04-07', 1024),
           ('2025-04-12', 2048), ('2022-02-13', 4096);",
        rows.join(", ")
    )
}

const RETAIL: &str = "
calendar:
  table: days
  date: d
  periods: {fw: {column: fw, year_ago: fw_ago}, season: {column: fw, previous: fw_ago}, quarter: quarter}
datasets:
  sales: {table: sales, time: sold_on, dimensions: {sold_on: {type: date}}}
metrics:
  sales: {base_table: sales, agg: sum, expr: amount}
  year_before: {expr: ago, inputs: {ago: {metric: sales, offset: 1 year}}}
  two_seasons_before: {expr: ago, inputs: {ago: {metric: sales, offset: 2 seasons}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_retail_year_of_53_weeks() {
    let world = World::new(&retail(), RETAIL);
    world
        .answers(&[
            // The first week of each year beside that of the year before; week 53 of 2023 has none.
            (
                "sales by fw where fw in (FY24W1, FY23W53, FY23W1) vs previous year",
                &[
                    "FY23W1 | 2 | - | - | -",
                    "FY23W53 | 24 | - | - | -",
                    "FY24W1 | 32 | 2 | 30 | 15",
                ],
            ),
            // The week before the first of a year is the last of the year before.
            (
                "sales by fw where fw in (FY24W1, FY23W1) vs previous period",
                &[
                    "FY23W1 | 2 | 1 | 1 | 1",
                    "FY24W1 | 32 | 24 | 8 | 0.333333333",
                ],
            ),
            // Today is Tuesday, the third day of FY25W11: three days of the week before count.
            (
                "sales by fw where fw = FY25W11 vs previous period",
                &["FY25W11 | 256 | 1024 | -768 | -0.75"],
            ),
            (
                "year_before by fw where fw in (FY24W1, FY23W53)",
                &["FY24W1 | 2"],
            ),
            // What lies before is what the table says, as often as asked.
            (
                "sales by season where season = FY24W1 vs previous period",
                &["FY24W1 | 32 | 2 | 30 | 15"],
            ),
            (
                "two_seasons_before by season",
                &["FY24W3 | 4096", "FY24W52 | 1", "FY25W1 | 2"],
            ),
            (
                "sales by quarter 2024-02-04..2024-05-04 vs 1 quarter ago",
                &["Q1 | 608 | 28 | 580 | 20.714285714"],
            ),
            // Quarters of different years share their names: each is compared with the one before it in time.
            (
                "sales by quarter 2024-02-04..2024-05-04 vs previous period",
                &["Q1 | 608 | 28 | 580 | 20.714285714"],
            ),
        ])
        .await;
}
