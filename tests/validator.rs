//! The guard: what SQL it lets through, what it stops, and with which words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/corpus.rs"]
mod corpus;

use corpus::{check, registry};
use metrex::warehouse::Dialect;

#[test]
fn every_text_of_the_corpus_is_found_as_expected() {
    let cases = corpus::read(include_str!("corpus/sql.txt"));
    corpus::hold(&cases);
}

#[test]
fn every_snippet_of_the_demo_passes_and_keeps_its_own_conditions() {
    for (name, metric) in &registry().metrics {
        let metrex::model::MetricKind::Complex { snippet, .. } = &metric.kind else {
            continue;
        };
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let report = check(&registry().snippets[snippet].text, dialect, Some(name));
            assert!(!report.blocks(), "{name}: {report}");
        }
    }
}

#[test]
fn the_limit_is_the_smaller_of_the_querys_own_and_the_cap() {
    let limited = |sql: &str, dialect| check(sql, dialect, None).sql.unwrap();
    for (sql, end) in [
        ("SELECT channel FROM orders", "LIMIT 500"),
        ("SELECT channel FROM orders LIMIT 10", "LIMIT 10"),
        ("SELECT channel FROM orders LIMIT 100000", "LIMIT 500"),
        (
            "SELECT channel FROM orders LIMIT 99999999999999999999",
            "LIMIT 500",
        ),
        (
            "SELECT channel FROM orders LIMIT 10 OFFSET 5",
            "LIMIT 10 OFFSET 5",
        ),
        ("SELECT channel FROM orders LIMIT NULL", "LIMIT 500"),
        (
            "SELECT channel FROM orders UNION ALL SELECT channel FROM traffic_daily",
            "LIMIT 500",
        ),
        (
            "SELECT channel FROM (SELECT channel FROM orders LIMIT 7) t",
            "LIMIT 500",
        ),
    ] {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let sql = limited(sql, dialect);
            assert!(sql.ends_with(end), "{sql}");
        }
    }
    for (sql, end) in [
        ("SELECT channel FROM orders LIMIT ALL", "LIMIT 500"),
        (
            "SELECT channel FROM orders FETCH FIRST 5 ROWS ONLY",
            "LIMIT 5",
        ),
        (
            "SELECT channel FROM orders FETCH FIRST 5000 ROWS ONLY",
            "LIMIT 500",
        ),
        ("SELECT channel FROM orders FETCH FIRST ROW ONLY", "LIMIT 1"),
        (
            "SELECT channel FROM orders OFFSET 3 FETCH FIRST 2 ROWS ONLY",
            "LIMIT 2 OFFSET 3",
        ),
        (
            "(SELECT channel FROM orders LIMIT 9000) UNION ALL (SELECT channel FROM orders LIMIT 9000)",
            "LIMIT 500",
        ),
    ] {
        let sql = limited(sql, Dialect::Postgres);
        assert!(sql.ends_with(end), "{sql}");
    }
    assert!(limited("SELECT channel FROM orders LIMIT -1", Dialect::Sqlite).ends_with("LIMIT 500"));
    assert!(
        limited("SELECT channel FROM orders LIMIT 20, 1000", Dialect::Sqlite)
            .ends_with("LIMIT 20, 500")
    );
}

#[test]
fn comments_and_hints_are_not_passed_on() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let sql =
            "SELECT /*+ SeqScan(orders) */ channel /* the channel */ FROM orders -- all of them";
        let report = check(sql, dialect, None);
        assert_eq!(report.sql.unwrap(), "SELECT channel FROM orders LIMIT 500");
    }
}

#[test]
fn a_star_over_a_table_is_written_out_with_the_columns_that_are_known() {
    let report = check("SELECT * FROM sellers s", Dialect::Sqlite, None);
    assert_eq!(
        report.sql.unwrap(),
        "SELECT s.seller_id, s.onboarded_on, s.grass_region, s.shop_name, s.seller_tier FROM sellers s LIMIT 500"
    );
}

#[test]
fn a_wrong_value_is_told_with_the_values_there_are() {
    let report = check(
        "SELECT COUNT(*)\nFROM orders\nWHERE status = 'Cancelled'",
        Dialect::Postgres,
        None,
    );
    assert_eq!(
        report.to_string(),
        "3:16: error: 'Cancelled' does not occur in orders.status — case matters; values of orders.status: \
         'CANCELLED', 'PAID', 'COMPLETED', 'RETURNED'; write one of them, or leave this one out\n"
    );
}

#[test]
fn findings_are_json_with_stable_names() {
    let report = check("SELECT x FROM orders", Dialect::Sqlite, None);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["sql"], serde_json::Value::Null);
    assert_eq!(json["findings"][0]["code"], "unknown_column");
    assert_eq!(json["findings"][0]["severity"], "block");
    assert_eq!(json["findings"][0]["token"], "x");
    assert_eq!(json["findings"][0]["line"], 1);
    assert_eq!(json["findings"][0]["column"], 8);
    for code in metrex::validate::Code::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}

#[test]
fn a_listing_of_the_warehouse_decides_about_columns() {
    use metrex::validate::{Rules, validate};
    use metrex::warehouse::{ColumnInfo, TableInfo};
    let column = |name: &str| ColumnInfo {
        name: name.to_owned(),
        ty: None,
        nullable: true,
    };
    let schema = [TableInfo {
        name: "products".to_owned(),
        view: false,
        columns: ["product_id", "category", "weight"].map(column).to_vec(),
        primary_key: vec!["product_id".to_owned()],
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        row_estimate: None,
    }];
    let values = corpus::Values::demo();
    let mut rules = Rules::new(registry(), Dialect::Sqlite, &values, 10);
    let weight = "SELECT AVG(weight) FROM products";
    let tier = "SELECT brand_tier FROM products";
    assert!(validate(weight, &rules).blocks());
    assert!(!validate(tier, &rules).blocks());
    rules.schema = Some(&schema);
    assert!(!validate(weight, &rules).blocks());
    assert!(validate(tier, &rules).blocks());
}

#[test]
fn brackets_and_numbers_of_a_condition_carry_meaning() {
    use metrex::validate::required_filters;
    let conditions = |condition: &str| {
        let text = format!("SELECT COUNT(*) AS n FROM orders WHERE {condition}");
        required_filters(&text, registry(), Dialect::Sqlite)
    };
    for (one, other) in [
        (
            "NOT (status = 'RETURNED' OR channel = 'ads')",
            "(NOT status = 'RETURNED' OR channel = 'ads')",
        ),
        ("(amount_usd - 2) * 2 > 10", "amount_usd - 2 * 2 > 10"),
        (
            "created_at >= '2026-03-15'",
            "created_at >= CAST('2026-03-15' AS INTEGER)",
        ),
    ] {
        assert!(!conditions(one).is_empty(), "{one}");
        assert_ne!(conditions(one), conditions(other), "{one}");
    }
    assert_eq!(
        conditions("(status <> 'CANCELLED')"),
        conditions("status <> 'CANCELLED'")
    );
}

#[test]
fn the_conditions_of_the_snippets_are_told() {
    use metrex::validate::required_filters;
    let conditions = |name: &str| -> Vec<String> {
        let text = &registry().snippets[name].text;
        required_filters(text, registry(), Dialect::Sqlite)
            .into_iter()
            .map(|filter| filter.condition)
            .collect()
    };
    assert_eq!(
        conditions("net_ads_rev.sql"),
        [
            "ads_daily_new.report_date >= '2026-04-01'",
            "ads_daily_old.dt < '2026-04-01'",
            "scs_adjustments.grass_region IN ('BR')"
        ]
    );
    assert_eq!(
        conditions("repeat_buyer_rate.sql"),
        ["orders.status NOT IN ('CANCELLED')"]
    );
}
