//! SQL for engines that these tests do not run: written down, so that a change is seen and a reader can judge it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use metrex::model::{Aggregate, ColumnType, DatePart, Dialect, Grain, NoValues, Weekday};
use metrex::warehouse::Shift;
use support::shop::{Engine, registry};

const NOT_RUN: [Dialect; 6] = [
    Dialect::Trino,
    Dialect::Snowflake,
    Dialect::Bigquery,
    Dialect::Redshift,
    Dialect::Clickhouse,
    Dialect::Spark,
];

const LINES: [&str; 6] = [
    "revenue, cancel_rate by channel, week where channel in (ads, 'it''s') 2025",
    "orders by month since 2025-02",
    "all_orders by seller.segment where channel like 'a%' vs previous period last 30 days",
    "orders, ads_cost by channel 2025",
    "all_orders where created_at >= '2025-02-11 12:30' 2025-02",
    "orders by hour 2025-01-06",
];

#[test]
fn queries_are_written_in_the_words_of_each_engine() {
    let engine = Engine::new(registry());
    for dialect in NOT_RUN {
        let mut text = String::new();
        for line in LINES {
            let compiled = engine
                .compile_with(line, dialect, &NoValues)
                .unwrap_or_else(|error| panic!("{line} for {}: {error}", dialect.word()));
            text.push_str(&format!("-- {line}\n{};\n\n", compiled.main.sql));
        }
        insta::assert_snapshot!(format!("queries_{}", dialect.word()), text);
    }
}

#[test]
fn every_piece_that_engines_write_differently() {
    let mut text = String::new();
    for dialect in NOT_RUN {
        let mut line = |what: &str, sql: String| text.push_str(&format!("{what:14} {sql}\n"));
        line("--", dialect.title().to_owned());
        line("name", dialect.name("Order"));
        line("table", dialect.table("mart.select"));
        line("text", dialect.text("it's a \\ backslash"));
        for ty in [
            ColumnType::Text,
            ColumnType::Integer,
            ColumnType::Number,
            ColumnType::Boolean,
            ColumnType::Date,
            ColumnType::Timestamp,
        ] {
            line("cast", dialect.cast("x", ty));
        }
        line("like", dialect.like("x", "a\\_%", true));
        for grain in Grain::ALL {
            line(
                &grain.to_string(),
                dialect.trunc("t", grain, Weekday::Monday),
            );
        }
        line(
            "sunday week",
            dialect.trunc("t", Grain::Week, Weekday::Sunday),
        );
        for part in DatePart::ALL {
            line("part", dialect.date_part("t", part));
        }
        line("shift", dialect.shift("d", Shift::Months(-3)));
        line("shift", dialect.shift("d", Shift::Days(7)));
        line("next", dialect.next_period("t", Grain::Hour));
        line("counterpart", dialect.has_counterpart("d", 12));
        line("local", dialect.local_time("t", "UTC", "Asia/Jakarta"));
        for agg in [
            Aggregate::CountDistinct,
            Aggregate::SumBoolean,
            Aggregate::StddevPopulation,
            Aggregate::Percentile(0.9),
            Aggregate::PercentileDiscrete(0.9),
        ] {
            let sql = dialect
                .supports(agg)
                .map(|()| dialect.aggregate(agg, Some("x")));
            line("aggregate", sql.unwrap_or_else(|reason| reason));
        }
    }
    insta::assert_snapshot!("pieces", text);
}

#[test]
fn an_aggregate_that_an_engine_only_estimates_is_refused() {
    let engine = Engine::new(registry());
    let refusal = |dialect| {
        let compiled = engine.compile_with("median_amount", dialect, &NoValues);
        compiled.map(|_| ()).map_err(|error| error.to_string())
    };
    let error = refusal(Dialect::Trino).unwrap_err();
    assert!(
        error.contains("Trino has no exact percentile or median per group"),
        "{error}"
    );
    assert!(refusal(Dialect::Bigquery).unwrap_err().contains("BigQuery"));
    for dialect in [
        Dialect::Sqlite,
        Dialect::Duckdb,
        Dialect::Snowflake,
        Dialect::Clickhouse,
    ] {
        refusal(dialect).unwrap();
    }
}
