//! Fills a query log with simulated queries through the real writer, to measure what a large one costs:
//! `cargo run --release --example fill_log -- FILE [QUERIES] [DAYS]` prints the time and the size.

use std::path::Path;
use std::time::Instant;

use jiff::{Timestamp, ToSpan};
use metrex::usage::{Face, Facts, FilterFact, Outcome, QueryRecord, Route, Thumb, Usage};

const PEOPLE: u64 = 20;
const METRICS: u64 = 60;
const TABLES: u64 = 12;
const DIMENSIONS: u64 = 25;
const VALUES: u64 = 40;
/// Different questions that all of them have.
const QUESTIONS: u64 = 4_000;

/// The same numbers each time: splitmix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    /// Small numbers much more often than large ones, as people use metrics.
    fn skewed(&mut self, most: u64) -> u64 {
        let (a, b) = (self.below(most), self.below(most));
        (a * b) / most
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("fill_log FILE [QUERIES] [DAYS]")?;
    let queries: u64 = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let days: u64 = arguments.next().map_or(Ok(365), |text| text.parse())?;
    let usage = Usage::open(Path::new(&file))?;
    let mut dice = Dice(7);
    let last: Timestamp = "2026-11-21T08:00:00Z".parse()?;
    let first = last - (i64::try_from(days)? * 86_400).seconds();
    let started = Instant::now();
    let mut question = 0;
    for number in 0..queries {
        let seconds = i64::try_from(number * days * 86_400 / queries)?;
        // Two of three times people go on as they always do.
        question = match dice.below(3) {
            0 => dice.skewed(QUESTIONS),
            _ => (question * 31 + 7) % QUESTIONS,
        };
        usage.record(query(
            &mut dice,
            question,
            first + seconds.seconds(),
            number,
        ));
        if dice.below(200) == 0 {
            let thumb = if dice.below(4) == 0 {
                Thumb::Down
            } else {
                Thumb::Up
            };
            usage.say(
                i64::try_from(number + 1)?,
                thumb,
                None,
                first + seconds.seconds(),
            );
        }
    }
    usage.flush();
    let elapsed = started.elapsed();
    let figures = usage.figures()?;
    println!(
        "{} queries in {:.1} s, {} nodes, {} edges, {} MB, {} bytes a query",
        figures.queries,
        elapsed.as_secs_f64(),
        figures.nodes,
        figures.edges,
        figures.bytes / 1_000_000,
        figures.bytes / figures.queries.max(1)
    );
    Ok(())
}

fn query(dice: &mut Dice, question: u64, at: Timestamp, number: u64) -> QueryRecord {
    // What is asked follows from the question alone.
    let mut own = Dice(question);
    let metric = own.skewed(METRICS);
    let fact = metric % TABLES;
    let dimension = own.skewed(DIMENSIONS);
    let filter = (own.below(3) == 0).then(|| (own.skewed(DIMENSIONS), own.skewed(VALUES)));
    let grain = match own.below(4) {
        0 => "day",
        1 => "week",
        2 => "month",
        _ => "quarter",
    };
    let is_asked = own.below(5) == 0;
    let (metric, dimension) = (format!("metric_{metric}"), format!("dimension_{dimension}"));
    let table = format!("fact_{fact}");
    let joined = format!("table_of_{dimension}");
    let person = dice.skewed(PEOPLE);
    let filters: Vec<FilterFact> = filter
        .map(|(on, value)| FilterFact {
            on: format!("dimension_{on}"),
            op: "=".to_owned(),
            values: vec![format!("value_{value}")],
        })
        .into_iter()
        .collect();
    let mut line = format!("{metric} by {dimension}, {grain}");
    let mut condition = String::new();
    for filter in &filters {
        line.push_str(&format!(
            " where {} = {}",
            filter.on,
            filter.values.concat()
        ));
        condition = format!(" AND d.{} = '{}'", filter.on, filter.values.concat());
    }
    line.push_str(" last 6 months");
    let day = at.to_string();
    let day = day.get(..10).unwrap_or_default();
    let sql = |day: &str, condition: &str| {
        format!(
            "SELECT d.{dimension} AS {dimension}, date_trunc('{grain}', f.at) AS {grain}, SUM(f.amount) AS {metric}\n\
             FROM {table} AS f\nLEFT JOIN {joined} AS d ON d.id = f.{dimension}_id\n\
             WHERE f.at < '{day}'{condition}\nGROUP BY 1, 2\nORDER BY 1, 2"
        )
    };
    let columns = [
        "at".to_owned(),
        "amount".to_owned(),
        format!("{dimension}_id"),
    ];
    QueryRecord {
        at,
        user: format!("person{person}@example.com"),
        // A session is some forty queries of one person.
        session: format!("{person}-{}", number / 800),
        face: match dice.below(3) {
            0 => Face::Explorer,
            1 => Face::Command,
            _ => Face::Agent,
        },
        connection: "warehouse".to_owned(),
        question: is_asked.then(|| format!("{metric} per {dimension} by {grain}")),
        route: Route::Line,
        intent: format!("{{\"metrics\":[\"{metric}\"]}}"),
        fingerprint: sql(
            "?",
            if condition.is_empty() {
                ""
            } else {
                " AND d.x = ?"
            },
        ),
        sql: sql(day, &condition),
        plan: format!("{metric} reads {table}"),
        ms: 5 + dice.skewed(2_000),
        rows: dice.skewed(500),
        outcome: match dice.below(25) {
            0 => Outcome::Failed("the warehouse took too long".to_owned()),
            _ => Outcome::Ok,
        },
        facts: Facts {
            columns: columns.map(|column| format!("{table}.{column}")).to_vec(),
            joins: vec![format!("{joined}.id = {table}.{dimension}_id")],
            aggregations: vec![format!("sum({table}.amount)")],
            computed_from: vec![(metric.clone(), table.clone())],
            tables: vec![table, joined],
            metrics: vec![metric],
            dimensions: vec![dimension],
            filters,
            grain: Some(grain.to_owned()),
            ..Facts::default()
        },
        line,
        ..QueryRecord::default()
    }
}
