//! How a metric is spread across a dimension: the numbers against published examples and the engines' own, the outliers by name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/engines.rs"]
mod engines;
#[path = "support/on_engine.rs"]
mod on_engine;
mod support;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use metrex::investigate::distribution::{FiveNumbers, mad};
use metrex::investigate::median;
use metrex::model::MetricQuery;
use metrex::session::plot::{Charset, Shape, Spread};
use metrex::session::{Session, SessionError};
use on_engine::{project, session};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

const DEFINITIONS: &str = "
datasets:
  sales:
    table: sales
    time: sold_on
    dimensions: {customer: {}, shop: {}, phone: {expr: customer, pii: true}, sold_on: {type: date}}
metrics:
  gmv: {label: Sales, base_table: sales, agg: sum, expr: amount, grain: [shop]}
  mean: {base_table: sales, agg: avg, expr: amount}
";

/// Thirty ordinary customers with two sales each, one large, one with a return, one without a name, one without an amount. Two
/// shops by day: one with an odd day, one that was open for three days. The last day is today.
fn rows() -> String {
    let mut sql = String::from(
        "CREATE TABLE sales (customer text, shop text, sold_on date, amount double precision);",
    );
    let mut insert = |customer: &str, shop: &str, day: &str, amount: &str| {
        sql += &format!("INSERT INTO sales VALUES ({customer}, '{shop}', '{day}', {amount});");
    };
    for i in 1..=30 {
        let name = format!("'c{i:02}'");
        insert(&name, "x", "2025-09-01", &format!("{}", i * 7));
        insert(&name, "x", "2025-09-02", &format!("{}.5", i * 3));
    }
    insert("'large'", "x", "2025-09-03", "100000");
    insert("'return'", "x", "2025-09-03", "-5000");
    insert("NULL", "x", "2025-09-03", "150");
    insert("'unknown'", "x", "2025-09-03", "NULL");
    for day in 1..=20 {
        let amount = if day == 13 { 900 } else { 100 + day * 13 % 17 };
        insert(
            "'c01'",
            "odd",
            &format!("2025-11-{day:02}"),
            &amount.to_string(),
        );
    }
    for day in 17..=19 {
        insert("'c01'", "new", &format!("2025-11-{day:02}"), "5");
    }
    sql
}

async fn spread(session: &Session, line: &str) -> Result<Spread, SessionError> {
    let query: MetricQuery = line.parse().unwrap();
    let (spread, _) = session.spread(&query, CancellationToken::new()).await?;
    Ok(spread)
}

#[test]
fn quartiles_fences_and_deviations_are_those_of_published_examples() {
    // summary(mtcars$mpg), quantile(mtcars$mpg) and mad(mtcars$mpg) of R.
    let mpg = [
        21.0, 21.0, 22.8, 21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2, 10.4,
        10.4, 14.7, 32.4, 30.4, 33.9, 21.5, 15.5, 15.2, 13.3, 19.2, 27.3, 26.0, 30.4, 15.8, 19.7,
        15.0, 21.4,
    ];
    let numbers = FiveNumbers::of(&mpg).unwrap();
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
    near(numbers.q1, 15.425);
    near(numbers.median, 19.2);
    near(numbers.q3, 22.8);
    near(1.4826 * numbers.mad, 5.411_49);
    near(numbers.fences.0, 15.425 - 1.5 * 7.375);
    near(numbers.fences.1, 22.8 + 1.5 * 7.375);
    // The example of the NIST/SEMATECH handbook, 7.1.6: of ninety values the largest alone is an outlier.
    let nist = [
        30, 171, 184, 201, 212, 250, 265, 270, 272, 289, 305, 306, 322, 322, 336, 346, 351, 370,
        390, 404, 409, 411, 436, 437, 439, 441, 444, 448, 451, 453, 470, 480, 482, 487, 494, 495,
        499, 503, 514, 521, 522, 527, 548, 550, 559, 560, 570, 572, 574, 578, 585, 592, 592, 607,
        616, 618, 621, 629, 637, 638, 640, 656, 668, 707, 709, 719, 737, 739, 752, 758, 766, 792,
        792, 794, 802, 818, 830, 832, 843, 858, 860, 869, 918, 925, 953, 991, 1000, 1005, 1068,
        1441,
    ];
    let nist: Vec<f64> = nist.iter().map(|value| f64::from(*value)).collect();
    let numbers = FiveNumbers::of(&nist).unwrap();
    assert_eq!((numbers.count, numbers.median), (90, 559.5));
    assert_eq!(numbers.outliers, [1441.0]);
    assert!(numbers.is_outlier(1441.0) && !numbers.is_outlier(1068.0));
    // The usual textbook example of the median absolute deviation.
    let values = [1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0];
    assert_eq!(median(values), Some(2.0));
    assert_eq!(mad(&values, 2.0), Some(1.0));
    assert_eq!((median([]), mad(&[], 0.0)), (None, None));
}

#[test]
fn few_numbers_have_no_outliers_and_equal_ones_no_deviation() {
    let four = FiveNumbers::of(&[1.0, 1.0, 1.0, 1_000.0]).unwrap();
    assert!(!four.is_outlier(1_000.0));
    let five = FiveNumbers::of(&[1.0, 1.0, 1.0, 1.0, 1_000.0]).unwrap();
    assert!(five.is_outlier(1_000.0));
    assert_eq!(five.deviations(1_000.0), None);
}

/// Quantiles by counting: the value that as many lie below as its share says, between the two nearest.
fn by_counting(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let steps = (sorted.len() - 1) as f64;
    for (at, pair) in sorted.windows(2).enumerate() {
        let (from, to) = (at as f64 / steps, (at + 1) as f64 / steps);
        if (from..=to).contains(&share) {
            return pair[0] + (pair[1] - pair[0]) * (share - from) / (to - from);
        }
    }
    panic!("{share}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_those_of_the_rows_and_outliers_have_names_on_every_engine() {
    const SUMS: &str = "SELECT customer, sum(amount) AS s FROM sales WHERE sold_on < '2025-10-01' GROUP BY customer";
    for engine in engines::everywhere(&rows()) {
        let name = engine.name;
        let folder = project(&engine, DEFINITIONS);
        let session = session(folder.path());
        let spread = spread(&session, "gmv by customer until 2025-09")
            .await
            .unwrap();
        let sums = engine
            .rows(&format!("SELECT s FROM ({SUMS}) t WHERE s IS NOT NULL"))
            .await;
        let sums: Vec<f64> = sums.iter().map(|sum| sum.parse().unwrap()).collect();
        assert_eq!((spread.numbers.count, sums.len()), (33, 33), "{name}");
        assert_eq!(
            (spread.members, spread.has_null, spread.without),
            (33, true, 1),
            "{name}"
        );
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{name}: {a} {b}");
        let numbers = &spread.numbers;
        for (found, share) in [
            (numbers.q1, 0.25),
            (numbers.median, 0.5),
            (numbers.q3, 0.75),
        ] {
            near(found, by_counting(&sums, share));
            // The engines that have it say the same.
            let own = match name {
                "sqlite" => continue,
                _ => format!(
                    "SELECT percentile_cont({share}) WITHIN GROUP (ORDER BY s) FROM ({SUMS}) t"
                ),
            };
            near(found, engine.rows(&own).await[0].parse().unwrap());
        }
        let reach = 1.5 * (numbers.q3 - numbers.q1);
        let beyond = sums
            .iter()
            .filter(|sum| **sum < numbers.q1 - reach || **sum > numbers.q3 + reach);
        assert_eq!(beyond.count(), 2, "{name}");
        let named: Vec<String> = spread.outliers.iter().map(|one| spread.name(one)).collect();
        assert_eq!(named, ["large", "return"], "the farthest off first, {name}");
        let deviations: Vec<f64> = sums
            .iter()
            .map(|sum| (sum - numbers.median).abs())
            .collect();
        let off = (100_000.0 - numbers.median) / (1.4826 * by_counting(&deviations, 0.5));
        near(spread.outliers[0].deviations.unwrap(), off);
        let Shape::Histogram(bins) = &spread.histogram.shape else {
            panic!()
        };
        assert_eq!(
            bins.iter().map(|bin| bin.count).sum::<usize>(),
            33,
            "{name}"
        );
        assert_eq!(
            spread.words[0],
            "33 values of customer, one of them NULL (no value); 1 row has no number and is left out."
        );
        assert_eq!(spread.notes, [] as [&str; 0], "{name}");
        let text = spread.text(80, Charset::Unicode);
        for part in [
            "Sales over the values of customer, until 2025-09-30\n",
            "2 outliers\n  large: 100,000.00, above ",
        ] {
            assert!(text.contains(part), "{name}: {part}\n{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_grain_each_value_has_its_own_box_and_a_day_that_is_not_over_is_left_out() {
    let engine = engines::everywhere(&rows()).remove(0);
    let folder = project(&engine, DEFINITIONS);
    let session = session(folder.path());
    let spread = spread(&session, "gmv by shop, day 2025-11").await.unwrap();
    let Shape::Boxes(boxes) = &spread.boxes.shape else {
        panic!()
    };
    let boxes: Vec<_> = boxes
        .iter()
        .map(|row| (row.label.as_str(), row.numbers.count))
        .collect();
    assert_eq!(boxes, [("odd", 19), ("new", 3)]);
    // Five is no outlier where it is all there is, though nearly all numbers of both shops are larger.
    let named: Vec<String> = spread.outliers.iter().map(|one| spread.name(one)).collect();
    assert_eq!(named, ["odd · 2025-11-13"]);
    assert_eq!(spread.outliers[0].member.as_deref(), Some("odd"));
    assert_eq!(
        spread.notes,
        [
            "1 number of days that are not whole, or not over yet, is left out",
            "values with fewer than 5 days have no outliers: these are too few",
        ]
    );
    assert_eq!(
        spread.words[0],
        "22 numbers, one for each of 2 values of shop and each day."
    );
    // Across days alone.
    let days = self::spread(&session, "gmv by day where shop = odd 2025-11")
        .await
        .unwrap();
    assert_eq!((days.members, days.outliers.len()), (19, 1));
    assert_eq!(days.name(&days.outliers[0]), "2025-11-13");
    assert!(days.words[0].starts_with("19 days"), "{:?}", days.words);
    assert!(
        days.notes[1].starts_with("19 numbers are few: "),
        "{:?}",
        days.notes
    );
    // What does not add up is said of it.
    let mean = self::spread(&session, "mean by customer until 2025-09")
        .await
        .unwrap();
    assert!(
        mean.notes
            .iter()
            .any(|note| note.starts_with("mean does not add up")),
        "{:?}",
        mean.notes
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_distribution_is_refused_with_what_would_be_one() {
    let engine = engines::everywhere(&rows()).remove(0);
    let folder = project(&engine, DEFINITIONS);
    let session = session(folder.path());
    for (line, message, hint) in [
        (
            "gmv, mean by shop",
            "a distribution is of one metric",
            "name one",
        ),
        ("gvm by shop", "unknown metric 'gvm'", "did you mean 'gmv'?"),
        ("mean", "across what is mean to be spread?", "customer"),
        (
            "gmv by shop, customer",
            "a distribution is across one dimension",
            "customer",
        ),
        (
            "gmv by day, week",
            "a distribution is across one dimension",
            "customer",
        ),
        (
            "gmv by shop top 3",
            "a distribution is of all values of a dimension",
            "leave out",
        ),
        (
            "gmv by shop vs previous year",
            "a distribution is of all values of a dimension",
            "leave out",
        ),
        ("gmv by colour", "colour", ""),
        (
            "gmv by phone, day",
            "'phone' is personal data",
            "write gmv by one of customer, shop",
        ),
        ("gmv by shop 2019", "there is nothing to plot", ""),
    ] {
        let error = spread(&session, line).await.unwrap_err();
        assert!(error.message.contains(message), "{line}: {error}");
        assert!(
            error.hint().unwrap_or_default().contains(hint),
            "{line}: {:?}",
            error.hint()
        );
    }
    // Without a grouping it is across the metric's own.
    let query: MetricQuery = "gmv".parse().unwrap();
    assert_eq!(
        session.spread_request(&query).unwrap().across.to_string(),
        "shop"
    );
}

fn metrex(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
    command
        .current_dir(folder)
        .env("METREX_STATE_DIR", folder.join(".state"))
        .env("METREX_TODAY", "2025-11-20")
        .env_remove("METREX_LOG")
        .stdin(Stdio::null());
    command.args(arguments).output().unwrap()
}

#[test]
fn the_command_prints_it_for_people_for_programs_and_as_a_drawing() {
    let engine = engines::everywhere(&rows()).remove(0);
    let folder = project(&engine, DEFINITIONS);
    let run = |arguments: &[&str]| metrex(folder.path(), arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let told = run(&["spread", "gmv", "by", "shop,", "day", "2025-11"]);
    assert!(told.status.success(), "{}", text(told.stderr));
    let (out, err) = (text(told.stdout), text(told.stderr));
    assert!(
        err.contains("note: 1 number of days that are not whole"),
        "{err}"
    );
    insta::assert_snapshot!("spread_command", out);

    let json = run(&["spread", "gmv by shop, day 2025-11", "--format", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["count"], &json["members"]), (&22.into(), &2.into()));
    assert_eq!(json["outliers"][0]["member"], "odd");
    assert_eq!(json["outliers"][0]["period"], "2025-11-13");
    assert_eq!(json["outliers"][0]["value"], 900.0);
    assert_eq!(json["boxes"][0]["label"], "odd");

    let svg = run(&["spread", "gmv by shop, day 2025-11", "--chart", "out.svg"]);
    assert!(svg.status.success(), "{}", text(svg.stderr));
    let drawn = std::fs::read_to_string(folder.path().join("out.svg")).unwrap();
    assert_eq!(drawn.matches("<svg").count(), 1);
    assert_eq!(
        drawn.matches("Sales per day by shop").count(),
        3,
        "title, histogram and boxes"
    );
    let png = run(&["spread", "gmv by shop, day 2025-11", "--chart", "out.png"]);
    assert!(png.status.success(), "{}", text(png.stderr));
    let drawn = std::fs::read(folder.path().join("out.png")).unwrap();
    assert!(drawn.starts_with(b"\x89PNG"));

    let refused = run(&["spread", "gmv by colour"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(refused.stderr).contains("colour"));
    let ending = run(&["spread", "gmv by shop", "--chart", "out.gif"]);
    assert_eq!(ending.status.code(), Some(2));
}
