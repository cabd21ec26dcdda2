//! Laws of the guard: what the compiler writes passes, no text makes it fail, and what it lets through stays the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/corpus.rs"]
mod corpus;

use std::sync::OnceLock;

use corpus::{CAP, Values, check, registry};
use jiff::civil::{Date, date};
use metrex::compile::{CompileOptions, Reachability, Templates, compile};
use metrex::model::{Metric, MetricKind, MetricQuery, NoValues, Registry};
use metrex::validate::{Code, Rules, Severity, validate};
use metrex::warehouse::Dialect;
use proptest::prelude::*;

const TODAY: Date = date(2026, 11, 20);
const DIALECTS: [Dialect; 2] = [Dialect::Sqlite, Dialect::Postgres];

struct Engine {
    reach: Reachability,
    templates: Templates,
    metrics: Vec<String>,
    dimensions: Vec<String>,
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let registry = registry();
        let metrics = registry.metrics.values();
        let datasets = registry.datasets.values();
        let mut dimensions: Vec<String> = datasets
            .flat_map(|dataset| dataset.dimensions.values())
            .filter(|dimension| !dimension.pii && !dimension.kind.is_time())
            .map(|dimension| dimension.name.clone())
            .collect();
        dimensions.sort();
        dimensions.dedup();
        Engine {
            reach: Reachability::new(registry),
            templates: Templates::builtin().unwrap(),
            metrics: metrics
                .filter(|metric| !matches!(metric.kind, MetricKind::Complex { .. }))
                .filter(|metric| !accumulates(registry, metric))
                // The SQL of analyses pairs rows by more than keys.
                .filter(|metric| registry.analysis_of(metric).is_none())
                .map(|metric| metric.name.clone())
                .collect(),
            dimensions,
        }
    })
}

/// Whether days meet periods by a range, in a series that the data end: more than a model is trusted with.
fn accumulates(registry: &Registry, metric: &Metric) -> bool {
    let inputs = metric.kind.inputs().into_iter();
    let mut inputs = inputs.filter_map(|input| registry.metric(input));
    matches!(metric.kind, MetricKind::Cumulative(_))
        || inputs.any(|input| accumulates(registry, input))
}

/// Both statements of a query, where the compiler answers it.
fn compiled(line: &str, dialect: Dialect) -> Vec<String> {
    let Ok(query) = line.parse::<MetricQuery>() else {
        panic!("{line} does not parse");
    };
    let query = MetricQuery {
        total: true,
        ..query
    };
    let engine = engine();
    let options = CompileOptions {
        dialect,
        today: TODAY,
        values: &NoValues,
        passes: Default::default(),
    };
    let compiled = compile(
        registry(),
        &engine.reach,
        &engine.templates,
        &query,
        &options,
    );
    let Ok(compiled) = compiled else {
        return Vec::new();
    };
    let totals = compiled.totals.ok().flatten().map(|totals| totals.sql);
    std::iter::once(compiled.main.sql).chain(totals).collect()
}

fn passes(line: &str, dialect: Dialect, sql: &str, values: &dyn metrex::model::ValueLookup) {
    let report = validate(sql, &Rules::new(registry(), dialect, values, CAP));
    assert!(
        !report.blocks(),
        "{line} ({})\n{report}\n{sql}",
        dialect.word()
    );
}

const GRAINS: [&str; 6] = ["", "day", "week", "month", "quarter", "year"];
const RANGES: [&str; 8] = [
    "all time",
    "last 7 days",
    "last 3 months",
    "qtd",
    "2026-03..2026-05",
    "last month vs previous period",
    "last quarter vs previous year",
    "2025-11",
];
const CONDITIONS: [&str; 10] = [
    "",
    "where market = BR",
    "where market in (BR, TH) and channel != ads",
    "where not (channel = ads or platform = web)",
    "where channel is null",
    "where market like 'B%'",
    "where status = PAID",
    "where seller.seller_tier = Mall",
    "where buyer.segment in (new, loyal)",
    "where cross_border = true",
];

#[test]
fn every_metric_alone_passes() {
    let mut n = 0;
    for metric in &engine().metrics {
        for range in ["all time", "last 3 months", "last month vs previous year"] {
            for dialect in DIALECTS {
                for sql in compiled(&format!("{metric} {range}"), dialect) {
                    passes(metric, dialect, &sql, &NoValues);
                    n += 1;
                }
            }
        }
    }
    assert!(n > 100, "{n}");
}

#[test]
fn every_metric_by_each_of_its_dimensions_passes() {
    let engine = engine();
    let (mut n, mut round) = (0, 0);
    for metric in &engine.metrics {
        for dimension in &engine.dimensions {
            // A different grain, range, condition and engine for each, not all of them with each.
            round += 1;
            // A third of them is enough for every run.
            if round % 3 != 0 {
                continue;
            }
            let dialect = DIALECTS[round / 3 % 2];
            let grain = GRAINS[round % GRAINS.len()];
            let comma = if grain.is_empty() { "" } else { ", " };
            for condition in [CONDITIONS[round % CONDITIONS.len()], ""] {
                let range = RANGES[round % RANGES.len()];
                let line = format!("{metric} by {dimension}{comma}{grain} {condition} {range}");
                for sql in compiled(&line, dialect) {
                    passes(&line, dialect, &sql, &NoValues);
                    n += 1;
                }
            }
        }
    }
    assert!(n > 100, "{n}");
}

#[test]
fn every_saved_query_of_the_demo_passes() {
    for (name, view) in &registry().views {
        for dialect in DIALECTS {
            let statements = compiled(&view.query.to_string(), dialect);
            assert!(!statements.is_empty(), "{name}");
            for sql in statements {
                passes(name, dialect, &sql, &NoValues);
            }
        }
    }
}

#[test]
fn personal_data_that_a_query_groups_by_does_not_pass() {
    let [sql, ..] = &compiled("orders by buyer.email", Dialect::Sqlite)[..] else {
        panic!("it compiles");
    };
    let report = check(sql, Dialect::Sqlite, None);
    assert_eq!(report.blocking().next().unwrap().code, Code::Pii);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_compiler_writes_passes(
        metric in 0..1000_usize,
        second in proptest::option::of(0..1000_usize),
        dimension in proptest::option::of(0..1000_usize),
        other in proptest::option::of(0..1000_usize),
        grain in 0..GRAINS.len(),
        range in 0..RANGES.len(),
        condition in 0..CONDITIONS.len(),
        top in proptest::option::of(1..50_u32),
    ) {
        let engine = engine();
        let metric_at = |index: usize| engine.metrics[index % engine.metrics.len()].clone();
        let dimension_at = |index: usize| engine.dimensions[index % engine.dimensions.len()].clone();
        let mut metrics = vec![metric_at(metric)];
        metrics.extend(second.map(metric_at).filter(|second| *second != metrics[0]));
        let mut groups: Vec<String> = [dimension, other].into_iter().flatten().map(dimension_at).collect();
        groups.dedup();
        if !GRAINS[grain].is_empty() {
            groups.push(GRAINS[grain].to_owned());
        }
        let by = if groups.is_empty() { String::new() } else { format!(" by {}", groups.join(", ")) };
        let top = top.map(|n| format!(" top {n}")).unwrap_or_default();
        let line = format!("{}{by} {} {}{top}", metrics.join(", "), CONDITIONS[condition], RANGES[range]);
        for dialect in DIALECTS {
            for sql in compiled(&line, dialect) {
                passes(&line, dialect, &sql, &NoValues);
            }
        }
    }

    #[test]
    fn no_text_makes_it_fail(text in "\\PC{0,200}") {
        for dialect in DIALECTS {
            let report = check(&text, dialect, None);
            prop_assert_eq!(report.blocks(), report.sql.is_none());
        }
    }

    #[test]
    fn no_heap_of_words_makes_it_fail(words in proptest::collection::vec(0..WORDS.len(), 0..60)) {
        let text: Vec<&str> = words.into_iter().map(|word| WORDS[word]).collect();
        for dialect in DIALECTS {
            settled(&text.join(" "), dialect);
        }
    }

    #[test]
    fn no_change_of_good_sql_makes_it_fail(
        case in 0..1000_usize,
        changes in proptest::collection::vec((0..2000_usize, 0..WORDS.len(), 0..3_u8), 1..4),
    ) {
        static CASES: OnceLock<Vec<corpus::Case>> = OnceLock::new();
        let cases = CASES.get_or_init(|| corpus::read(include_str!("corpus/sql.txt")));
        let case = &cases[case % cases.len()];
        let mut tokens: Vec<String> = case.sql.split_whitespace().map(str::to_owned).collect();
        for (at, word, how) in changes {
            if tokens.is_empty() {
                break;
            }
            let at = at % tokens.len();
            match how {
                0 => tokens[at] = WORDS[word].to_owned(),
                1 => tokens.insert(at, WORDS[word].to_owned()),
                _ => { tokens.remove(at); }
            }
        }
        for dialect in &case.dialects {
            settled(&tokens.join(" "), *dialect);
        }
    }
}

/// What passes once passes again, and is then as it is.
fn settled(sql: &str, dialect: Dialect) {
    let report = check(sql, dialect, None);
    let Some(checked) = report.sql else {
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.severity == Severity::Block)
        );
        return;
    };
    let again = check(&checked, dialect, None);
    assert_eq!(again.sql.as_ref(), Some(&checked), "{again}");
}

const WORDS: [&str; 72] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "JOIN",
    "LEFT JOIN",
    "ON",
    "USING",
    "UNION ALL",
    "EXCEPT",
    "WITH",
    "RECURSIVE",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "EXISTS",
    "BETWEEN",
    "LIKE",
    "IS NULL",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "DISTINCT",
    "OVER",
    "PARTITION BY",
    "FILTER",
    "LATERAL",
    "VALUES",
    "FETCH FIRST 1 ROW ONLY",
    "OFFSET",
    "(",
    ")",
    "((",
    "))",
    ",",
    ".",
    "*",
    "=",
    "<>",
    "<",
    "+",
    "-",
    "||",
    "::text",
    ";",
    "'BR'",
    "'ads'",
    "'",
    "\"",
    "1",
    "0.5",
    "NULL",
    "orders",
    "users",
    "o",
    "grass_region",
    "channel",
    "status",
    "user_id",
    "amount_usd",
    "COUNT(*)",
    "SUM",
    "--",
    "/*",
];

#[test]
fn values_by_hand_are_those_of_the_definitions() {
    let line = "orders where market = BR and channel = ads last month";
    for dialect in DIALECTS {
        for sql in compiled(line, dialect) {
            passes(line, dialect, &sql, &Values::demo());
        }
    }
}
