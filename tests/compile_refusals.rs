//! A query that could give a wrong number is refused, with the word, the reason and what would be right.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use metrex::compile::{CompileError, ErrorCode, ReasonKind, Templates};
use metrex::model::{ColumnState, ValueLookup};
use metrex::warehouse::Dialect;
use support::shop::{Engine, registry, registry_of};

/// Markets are known, channels are too many to know.
struct Known;

impl ValueLookup for Known {
    fn state(&self, table: &str, column: &str) -> ColumnState {
        match (table, column) {
            ("users", "market") => ColumnState::Indexed { distinct: 12 },
            ("products", "weight") => ColumnState::Indexed { distinct: 2 },
            ("orders", "channel") => ColumnState::Wide { distinct: 20_000 },
            ("users", "email") => ColumnState::Pii,
            _ => ColumnState::Missing,
        }
    }
    fn contains(&self, table: &str, _: &str, value: &str) -> bool {
        match table {
            "users" => ["BR", "TH", "ID"].contains(&value),
            _ => ["0.5", "1.5"].contains(&value),
        }
    }
    fn nearest(&self, table: &str, _: &str, _: &str, limit: usize) -> Vec<String> {
        let all: &[&str] = if table == "users" {
            &["TH", "BR", "ID"]
        } else {
            &["0.5", "1.5"]
        };
        all.iter()
            .take(limit)
            .map(|value| (*value).to_owned())
            .collect()
    }
}

fn refused(line: &str) -> CompileError {
    let engine = Engine::new(registry());
    match engine.compile_with(line, Dialect::Sqlite, &Known) {
        Ok(compiled) => panic!("{line} compiles to\n{}", compiled.main.sql),
        Err(error) => error,
    }
}

fn says(line: &str, code: ErrorCode, message: &str, hint: &str) {
    let error = refused(line);
    assert_eq!(error.code, code, "{line}: {error}");
    assert!(error.message.contains(message), "{line}: {error}");
    let found = error.hint.unwrap_or_default();
    assert!(found.contains(hint), "{line}: hint {found:?}");
}

#[test]
fn unknown_names_come_with_the_nearest_known_one() {
    says(
        "revenu",
        ErrorCode::UnknownMetric,
        "unknown metric 'revenu'",
        "revenue",
    );
    says(
        "xyzzy",
        ErrorCode::UnknownMetric,
        "unknown metric 'xyzzy'",
        "known metrics:",
    );
    says(
        "revenue by chanel",
        ErrorCode::UnknownDimension,
        "unknown dimension 'chanel'",
        "did you mean 'channel'?",
    );
    says(
        "revenue by month where chanel = ads",
        ErrorCode::UnknownDimension,
        "'chanel'",
        "channel",
    );
    says(
        "revenue order by revenu",
        ErrorCode::InvalidClause,
        "order by revenu",
        "'revenue'",
    );
    says("", ErrorCode::NoMetric, "no metric", "start with");
}

#[test]
fn a_dimension_that_would_multiply_rows_is_refused_with_the_reason() {
    says(
        "revenue by product_type",
        ErrorCode::UnreachableDimension,
        "only items leads to, with many rows per row of orders",
        "dimensions of orders",
    );
    let error = refused("quantity by supply_name");
    assert_eq!(error.code, ErrorCode::UnreachableDimension);
    assert!(
        error.message.contains("many rows per row of products"),
        "{error}"
    );
    assert!(error.message.contains("multiply"), "{error}");
    says(
        "orders by sold_on",
        ErrorCode::UnreachableDimension,
        "many rows per row of orders",
        "",
    );
    says(
        "quantity, ads_cost by product_type",
        ErrorCode::UnreachableDimension,
        "cannot be used with ads",
        "dimensions of ads: ran_on, channel",
    );
}

#[test]
fn an_ambiguous_dimension_is_refused_with_the_ways() {
    says(
        "revenue by segment",
        ErrorCode::AmbiguousDimension,
        "buyer.segment and seller.segment",
        "buyer.segment or seller.segment",
    );
    assert!(
        Engine::new(registry())
            .compile("revenue by buyer.segment")
            .is_ok()
    );
    assert!(
        Engine::new(registry())
            .compile("revenue by buyer.country")
            .is_ok(),
        "by alias"
    );
}

#[test]
fn a_literal_that_is_not_in_the_data_is_refused_before_any_sql() {
    let error = refused("revenue where buyer.market = XY");
    assert_eq!(error.code, ErrorCode::UnknownValue);
    assert_eq!(
        error.message,
        "Unknown market 'XY'. Valid markets: TH, BR, ID, …"
    );
    assert_eq!(error.word.as_deref(), Some("XY"));
    assert_eq!(
        refused("revenue where buyer.market in (BR, XY)").code,
        ErrorCode::UnknownValue
    );
    assert_eq!(
        refused("revenue where not (buyer.market != br)").code,
        ErrorCode::UnknownValue
    );
    assert_eq!(
        refused("quantity where weight = 2").code,
        ErrorCode::UnknownValue
    );
    let engine = Engine::new(registry());
    assert!(
        engine
            .compile_with("quantity where weight = 1.50", Dialect::Sqlite, &Known)
            .is_ok()
    );
}

#[test]
fn a_literal_that_cannot_be_checked_passes_and_says_so() {
    let engine = Engine::new(registry());
    let notes = |line: &str| {
        let compiled = engine.compile_with(line, Dialect::Sqlite, &Known).unwrap();
        let notes: Vec<_> = compiled
            .reasons
            .into_iter()
            .filter(|reason| reason.kind == ReasonKind::Note)
            .map(|reason| reason.text)
            .collect();
        notes.join("; ")
    };
    assert!(notes("revenue where channel = ads").contains("too many values to index (20000)"));
    assert!(notes("revenue where buyer.email = 'a@x'").contains("personal data"));
    assert!(notes("revenue where status = PAID").contains("not indexed yet"));
    assert_eq!(notes("revenue where buyer.market = BR"), "");
}

#[test]
fn literals_must_fit_their_dimension() {
    says(
        "quantity where weight > heavy",
        ErrorCode::InvalidValue,
        "'heavy' is not a number",
        "digits",
    );
    says(
        "quantity where weight > '1 or 1=1'",
        ErrorCode::InvalidValue,
        "not a number",
        "",
    );
    says(
        "revenue where express = maybe",
        ErrorCode::InvalidValue,
        "truth value",
        "true or false",
    );
    says(
        "revenue where created_at > soon",
        ErrorCode::InvalidValue,
        "'soon' is not a date",
        "2025-11",
    );
    says(
        "quantity where weight like '1%'",
        ErrorCode::InvalidValue,
        "",
        "=",
    );
    says(
        "revenue by channel where revenue > much",
        ErrorCode::InvalidValue,
        "not a number",
        "",
    );
}

#[test]
fn periods_that_do_not_line_up_are_refused() {
    says(
        "revenue vs previous year",
        ErrorCode::InvalidTime,
        "a start and an end",
        "last 6 months",
    );
    says(
        "revenue by week 2025Q1 vs previous year",
        ErrorCode::InvalidTime,
        "do not line up",
        "52 weeks ago",
    );
    says(
        "revenue by month 2025Q1 vs 4 weeks ago",
        ErrorCode::InvalidTime,
        "do not line up",
        "whole months",
    );
    says(
        "revenue by quarter 2025Q1 vs 1 month ago",
        ErrorCode::InvalidTime,
        "do not line up",
        "",
    );
    says(
        "revenue by hour 2025-01 vs previous year",
        ErrorCode::InvalidTime,
        "",
        "days or weeks",
    );
    says(
        "ads_cost by hour",
        ErrorCode::InvalidTime,
        "has no hours",
        "",
    );
    says(
        "accounts by month",
        ErrorCode::InvalidTime,
        "no time dimension",
        "time:",
    );
    says(
        "accounts last 7 days",
        ErrorCode::InvalidTime,
        "no time dimension",
        "",
    );
    says(
        "supply_count, revenue last 7 days",
        ErrorCode::InvalidTime,
        "supplies has no time",
        "",
    );
}

#[test]
fn ranges_that_cannot_be_put_side_by_side_are_refused() {
    says(
        "revenue 2025-03 vs 2024",
        ErrorCode::InvalidTime,
        "is not as long as",
        "same length",
    );
    says(
        "revenue by month 2025-03 vs 2025-01..2025-02",
        ErrorCode::InvalidTime,
        "is not as long as",
        "",
    );
    says(
        "revenue by created_at 2025-03 vs previous period",
        ErrorCode::InvalidTime,
        "never meet",
        "grain",
    );
    let engine = Engine::new(registry());
    assert!(
        engine.compile("revenue 2025-03 vs 2025-02").is_ok(),
        "both are a month"
    );
    let totals = engine
        .compile("revenue by day 2025-03 vs previous year")
        .unwrap()
        .totals;
    assert!(totals.unwrap_err().contains("counterpart"));
}

#[test]
fn a_value_known_to_one_dataset_of_the_query_is_a_value() {
    struct Two;
    impl ValueLookup for Two {
        fn state(&self, _: &str, _: &str) -> ColumnState {
            ColumnState::Indexed { distinct: 2 }
        }
        fn contains(&self, table: &str, _: &str, value: &str) -> bool {
            value == "ads" || (table == "ads" && value == "radio")
        }
        fn nearest(&self, _: &str, _: &str, _: &str, _: usize) -> Vec<String> {
            vec!["ads".into()]
        }
    }
    let engine = Engine::new(registry());
    let compiled = engine
        .compile_with(
            "revenue, ads_cost where channel = radio",
            Dialect::Sqlite,
            &Two,
        )
        .unwrap();
    assert!(
        compiled
            .reasons
            .iter()
            .any(|reason| reason.text == "orders has no rows with channel 'radio'")
    );
    assert!(
        engine
            .compile_with("revenue where channel = radio", Dialect::Sqlite, &Two)
            .is_err()
    );
    assert!(
        engine
            .compile_with("revenue where buyer.email = 'x@y'", Dialect::Sqlite, &Two)
            .is_ok(),
        "personal data is never listed"
    );
}

#[test]
fn rows_that_a_negation_leaves_out_are_said() {
    let compiled = Engine::new(registry())
        .compile("revenue where channel != ads")
        .unwrap();
    assert!(
        compiled
            .reasons
            .iter()
            .any(|reason| reason.text.starts_with("rows without channel are left out"))
    );
}

#[test]
fn different_default_time_ranges_are_never_mixed_in_silence() {
    says(
        "region_orders, revenue",
        ErrorCode::InvalidTime,
        "different default time ranges",
        "say the time range",
    );
    assert!(
        Engine::new(registry())
            .compile("region_orders, revenue all time")
            .is_ok()
    );
}

#[test]
fn a_join_onto_a_key_that_is_not_unique_in_the_data_is_refused() {
    struct Doubled;
    impl ValueLookup for Doubled {
        fn state(&self, _: &str, _: &str) -> ColumnState {
            ColumnState::Missing
        }
        fn contains(&self, _: &str, _: &str, _: &str) -> bool {
            false
        }
        fn nearest(&self, _: &str, _: &str, _: &str, _: usize) -> Vec<String> {
            Vec::new()
        }
        fn key_is_unique(&self, table: &str) -> Option<bool> {
            Some(table != "users")
        }
    }
    let engine = Engine::new(registry());
    let error = engine
        .compile_with("revenue by buyer.market", Dialect::Sqlite, &Doubled)
        .unwrap_err();
    assert!(
        error
            .message
            .contains("would multiply rows: its key (user_id) was not unique"),
        "{error}"
    );
    assert!(
        engine
            .compile_with("quantity by product_type", Dialect::Sqlite, &Doubled)
            .is_ok()
    );
}

#[test]
fn clauses_that_make_no_sense_are_refused() {
    says(
        "revenue, sales",
        ErrorCode::InvalidClause,
        "revenue stands twice",
        "",
    );
    says(
        "revenue by channel, channel",
        ErrorCode::InvalidClause,
        "channel stands twice",
        "",
    );
    says(
        "revenue where orders > 3",
        ErrorCode::InvalidClause,
        "needs orders among the metrics",
        "revenue, orders",
    );
    says(
        "revenue by channel where revenue > 3 or channel = ads",
        ErrorCode::InvalidClause,
        "mixes",
        "and",
    );
    says(
        "rules",
        ErrorCode::ComplexMetric,
        "hand-written snippet",
        "metrex show rules",
    );
}

#[test]
fn the_flat_closed_won_example_compiles_and_refuses_what_it_cannot_reach() {
    let engine = Engine::new(registry_of(
        "datasets:\n  initiatives_fct:\n    table: initiatives_fct\n    key: initiative_id\n    time: closed_at\n    dimensions:\n      region: {}\n  visits:\n    table: visits\n    time: day\n    dimensions:\n      page: {}\nmetrics:\n  closed_won_pct:\n    base_table: initiatives_fct\n    numerator:   {agg: count, filters: [\"phase = 'CLOSED_WON'\"]}\n    denominator: {agg: count, filters: [\"initiative_type = 'CLI'\", \"phase = 'CLOSED'\"]}\n    grain: [region]\n    window: quarter_to_date\n",
    ));
    let compiled = engine.compile("closed_won_pct").unwrap();
    assert_eq!(
        compiled.query.to_string(),
        "closed_won_pct by region qtd total"
    );
    insta::assert_snapshot!(compiled.main.sql);
    let error = engine.compile("closed_won_pct by page").unwrap_err();
    assert_eq!(error.code, ErrorCode::UnreachableDimension);
    assert!(
        error
            .message
            .contains("'page' cannot be used with initiatives_fct"),
        "{error}"
    );
    assert!(error.hint.unwrap().contains("region"));
}

#[test]
fn names_and_literals_cannot_break_out_of_their_quotes() {
    let engine = Engine::new(registry_of(
        "datasets:\n  t:\n    table: 'we\"ird.Sel ect'\n    dimensions:\n      v: {column: Mixed}\nmetrics:\n  m: {base_table: t, agg: count}\n",
    ));
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let line = r"m by v where v = '''; drop table x; --' or v like '\''%'";
        let sql = engine.compile_with(line, dialect, &Known).unwrap().main.sql;
        assert!(
            sql.contains("t.\"Mixed\" = '''; drop table x; --'"),
            "{sql}"
        );
        assert!(sql.contains("\"we\"\"ird\".\"Sel ect\""), "{sql}");
        assert!(sql.contains(r"'\''%'"), "{sql}");
    }
    assert_eq!(Dialect::Postgres.name("user"), "\"user\"");
    assert_eq!(Dialect::Postgres.name("a\"b"), "\"a\"\"b\"");
}

#[test]
fn every_choice_is_explained_with_its_definition() {
    let engine = Engine::new(registry());
    let compiled = engine
        .compile("activity by product_type, order.buyer.market last 3 months vs previous period")
        .unwrap();
    let texts: Vec<String> = compiled
        .reasons
        .iter()
        .map(|reason| format!("{:?}: {}", reason.kind, reason.text))
        .collect();
    insta::assert_snapshot!(texts.join("\n"));
    let lines: Vec<String> = compiled
        .main
        .sql
        .split('\n')
        .zip(&compiled.main.lines)
        .map(|(line, places)| {
            let places: Vec<String> = places
                .iter()
                .map(|place| format!("{}:{}", engine.registry.at(*place), place.column))
                .collect();
            format!("{line:<80} {}", places.join(" "))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_sql_reads_well_on_both_engines() {
    let engine = Engine::new(registry());
    for (name, line) in [
        (
            "simple",
            "orders by channel, month where status = PAID and express = true 2025Q1 top 10",
        ),
        ("ratio", "cancel_rate by channel"),
        ("derived", "roas, orders by channel last 3 months"),
        ("trend", "revenue by month 2025Q1"),
        ("compare", "revenue by channel 2025-02 vs previous period"),
    ] {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let compiled = engine
                .compile_with(line, dialect, &Known)
                .unwrap_or_else(|error| panic!("{line}: {error}"));
            insta::assert_snapshot!(format!("{name}_{}", dialect.word()), compiled.main.sql);
        }
    }
}

/// The built-in template without its conditions: what no other test runs against must not run at all.
#[test]
fn a_template_that_leaves_out_the_filter_of_a_metric_is_refused() {
    let select = include_str!("../templates/select.sql.j2");
    let (before, rest) = select
        .split_once("{%- for condition in select.conditions %}")
        .unwrap();
    let (_, after) = rest.split_once("{%- endfor %}").unwrap();
    let overrides = vec![("select.sql.j2".to_owned(), format!("{before}{after}"))];
    let engine = Engine {
        templates: Templates::with_overrides(overrides).unwrap(),
        ..Engine::new(registry())
    };
    for line in ["revenue", "revenue by month 2025", "orders by channel"] {
        let error = engine.compile(line).unwrap_err();
        assert_eq!(error.code, ErrorCode::Template, "{line}");
        assert_eq!(
            error.message, "the SQL leaves out the filter status <> 'CANCELLED'",
            "{line}"
        );
    }
    engine.compile("all_orders").unwrap();
}
