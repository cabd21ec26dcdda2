//! The demo looks like a company's data and registry, and is the same for everyone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/demo.rs"]
mod made;
#[path = "support/postgres.rs"]
mod postgres;
mod support;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use made::TODAY;
use metrex::compile::{CompileOptions, Reachability, Templates, compile};
use metrex::demo;
use metrex::model::{MetricKind, NoValues, Registry, Relation, Status};
use metrex::registry::{Project, load};
use metrex::warehouse::{Dialect, Request, Warehouse};
use postgres::{Cluster, at};

fn made_on(folder: &Path, today: Date) -> PathBuf {
    let path = folder.join(format!("{today}.db"));
    demo::create(&path, today, &mut |_, _| ()).unwrap();
    path
}

fn registry() -> Registry {
    let project = Project::demo().unwrap();
    let loaded = load(&project.files(), &project.config, None);
    assert_eq!(
        loaded.diagnostics,
        [],
        "the demo registry has no faults, not even warnings"
    );
    loaded.registry
}

/// The rows of a query, each as one line of text.
fn lines(path: &Path, sql: &str) -> Vec<String> {
    let database = rusqlite::Connection::open(path).unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..width).map(|index| row.get_ref(index).map(|cell| format!("{cell:?}")));
        Ok(cells.collect::<Result<Vec<_>, _>>()?.join(" "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn count(path: &Path, sql: &str) -> i64 {
    let database = rusqlite::Connection::open(path).unwrap();
    database
        .query_row(sql, [], |row| row.get(0))
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn tables(path: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(path).unwrap();
    let mut statement = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .unwrap();
    statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn the_same_day_makes_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let again = made_on(folder.path(), TODAY);
    assert_eq!(tables(&again), tables(&made::file()));
    for table in tables(&again) {
        let all = format!("SELECT * FROM {table}");
        assert!(
            lines(&again, &all) == lines(&made::file(), &all),
            "{table} differs"
        );
    }
}

#[test]
fn demos_made_on_different_days_agree_on_the_days_they_share() {
    let folder = tempfile::tempdir().unwrap();
    let earlier = made_on(folder.path(), date(2026, 9, 3));
    for (table, day) in [
        ("orders", "loaded_at"),
        ("touchpoints", "happened_at"),
        ("platform_activity", "active_on"),
        ("module_activity", "active_on"),
        ("traffic_daily", "visited_on"),
        ("ads_daily_old", "dt"),
        ("ads_daily_new", "report_date"),
        ("scs_adjustments", "adjusted_on"),
        ("initiatives_fct", "phase_on"),
        ("users", "signup_on"),
        ("subscription_months", "month"),
        ("contract_months", "month"),
    ] {
        // The earlier demo begins a quarter before, and its last month is not in the ledger yet.
        let end = if day == "month" {
            "2026-09-01"
        } else {
            "2026-09-04"
        };
        let shared = format!(
            "SELECT * FROM {table} WHERE {day} >= '2024-10-01' AND {day} < '{end}' ORDER BY 1, 2, 3, 4"
        );
        let created = if table == "orders" {
            shared.replace("WHERE", "WHERE created_at >= '2024-10-01' AND")
        } else {
            shared
        };
        let (one, other) = (lines(&earlier, &created), lines(&made::file(), &created));
        assert!(!one.is_empty(), "{table}");
        assert!(one == other, "{table} differs");
    }
}

#[test]
fn a_clock_that_is_wrong_gets_a_demo_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let long_ago = made_on(folder.path(), date(1970, 1, 1));
    assert_eq!(tables(&long_ago), tables(&made::file()));
}

#[test]
fn two_years_up_to_today_in_all_twelve_markets() {
    let markets = "'ID','TH','VN','PH','MY','SG','TW','BR','MX','CL','CO','AR'";
    for (table, market) in [
        ("orders", "grass_region"),
        ("users", "grass_region"),
        ("sellers", "grass_region"),
        ("platform_activity", "grass_region"),
        ("traffic_daily", "grass_region"),
        ("ads_daily_old", "region"),
        ("ads_daily_new", "grass_region"),
        ("subscriptions", "grass_region"),
        ("initiatives_fct", "region"),
        ("touchpoints", "grass_region"),
    ] {
        let present =
            format!("SELECT COUNT(DISTINCT {market}) FROM {table} WHERE {market} IN ({markets})");
        assert_eq!(count(&made::file(), &present), 12, "{table}");
    }
    for (table, day) in [
        ("orders", "created_at"),
        ("traffic_daily", "visited_on"),
        ("platform_activity", "active_on"),
    ] {
        let days = format!("SELECT COUNT(DISTINCT substr({day}, 1, 10)) FROM {table}");
        // 1 October 2024, where the quarter two years ago begins, to 20 November 2026.
        assert_eq!(count(&made::file(), &days), 781, "{table}");
    }
}

#[test]
fn there_is_dirt_as_in_real_data() {
    for (what, sql) in [
        (
            "orders without a channel",
            "SELECT COUNT(*) FROM orders WHERE channel IS NULL",
        ),
        (
            "orders of an unknown market",
            "SELECT COUNT(*) FROM orders WHERE grass_region = 'XX'",
        ),
        (
            "an empty text that is not NULL",
            "SELECT COUNT(*) FROM orders WHERE payment_method = ''",
        ),
        (
            "late orders",
            "SELECT COUNT(*) FROM orders WHERE substr(loaded_at, 1, 10) > substr(created_at, 1, 10)",
        ),
        (
            "ads without revenue",
            "SELECT COUNT(*) FROM ads_daily_new WHERE revenue_usd IS NULL",
        ),
        (
            "products without a tier",
            "SELECT COUNT(*) FROM products WHERE brand_tier IS NULL",
        ),
        (
            "customers without a birth year",
            "SELECT COUNT(*) FROM users WHERE birth_year IS NULL",
        ),
        (
            "initiatives without a value",
            "SELECT COUNT(*) FROM initiatives_fct WHERE value_usd IS NULL",
        ),
    ] {
        let dirty = count(&made::file(), sql);
        assert!(dirty > 0, "{what}");
        assert!(dirty < 20_000, "{what}: {dirty}");
    }
}

#[test]
fn the_numbers_are_plausible() {
    let share = |sql: &str| {
        let database = rusqlite::Connection::open(made::file()).unwrap();
        database
            .query_row(sql, [], |row| row.get::<_, f64>(0))
            .unwrap()
    };
    let within = |what: &str, range: std::ops::Range<f64>, sql: &str| {
        let found = share(sql);
        assert!(range.contains(&found), "{what} is {found}");
    };
    within(
        "average order value",
        20.0..40.0,
        "SELECT AVG(amount_usd) FROM orders",
    );
    within(
        "take rate",
        0.015..0.04,
        "SELECT (SELECT SUM(spend_usd) FROM ads_daily_old WHERE dt < '2026-04-01')
           / (SELECT SUM(amount_usd) FROM orders WHERE created_at < '2026-04-01')",
    );
    within(
        "conversion",
        0.02..0.06,
        "SELECT (SELECT COUNT(*) FROM orders) * 1.0 / SUM(visits) FROM traffic_daily",
    );
    within(
        "monthly churn",
        0.02..0.05,
        "SELECT SUM(churned_mrr_usd > 0) * 1.0 / SUM(opening_mrr_usd > 0) FROM subscription_months",
    );
    within(
        "net revenue retention",
        0.9..1.1,
        "SELECT SUM(closing_mrr_usd - new_mrr_usd) / SUM(opening_mrr_usd) FROM subscription_months",
    );
    within(
        "11.11 against an ordinary day",
        2.0..4.5,
        "SELECT SUM(created_at LIKE '2026-11-11%') * 1.0 / SUM(created_at LIKE '2026-11-04%') FROM orders",
    );
    let contracted = "SELECT abs((SELECT SUM(CASE billing_interval WHEN 'annual' THEN amount_usd / 12 ELSE amount_usd END)
          FROM contract_months WHERE status <> 'cancelled')
        - (SELECT SUM(closing_mrr_usd) FROM subscription_months))";
    within(
        "what the contracts and the ledger disagree on",
        0.0..0.01,
        contracted,
    );
    let broken = "SELECT COUNT(*) FROM orders WHERE abs(amount_usd
        - (SELECT SUM(quantity * price_usd) FROM order_items WHERE order_items.order_id = orders.order_id)) > 0.001";
    assert_eq!(
        count(&made::file(), broken),
        0,
        "an order is worth the sum of its items"
    );
}

#[test]
fn every_foreign_key_leads_to_a_row() {
    for dataset in registry().datasets.values() {
        let Relation::Table(table) = &dataset.relation else {
            continue;
        };
        for join in dataset.joins.values() {
            let target = &registry().datasets[&join.to];
            let (here, there) = &join.on[0];
            let orphans = format!(
                "SELECT COUNT(*) FROM {table} WHERE {here} IS NOT NULL AND {here} NOT IN (SELECT {there} FROM {})",
                target.index_table()
            );
            assert_eq!(
                count(&made::file(), &orphans),
                0,
                "{} of {table}",
                join.name
            );
        }
    }
}

#[test]
fn every_key_is_unique() {
    for dataset in registry()
        .datasets
        .values()
        .filter(|dataset| !dataset.key.is_empty())
    {
        let (table, key) = (dataset.index_table(), dataset.key.join(", "));
        let twice = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM {table} GROUP BY {key} HAVING COUNT(*) > 1)"
        );
        assert_eq!(count(&made::file(), &twice), 0, "{table} by {key}");
    }
}

#[test]
fn every_dimension_has_values() {
    let registry = registry();
    let datasets = registry.datasets.values();
    // The rows of analyses are another test's matter.
    for dataset in datasets.filter(|one| !registry.analyses.contains_key(&one.name)) {
        let from = match &dataset.relation {
            Relation::Table(table) => table.clone(),
            Relation::Sql(sql) => format!("({sql})"),
        };
        for dimension in dataset.dimensions.values() {
            let values = format!("SELECT COUNT(DISTINCT {}) FROM {from}", dimension.expr.text);
            assert!(
                count(&made::file(), &values) > 0,
                "{}.{}",
                dataset.name,
                dimension.name
            );
        }
    }
}

#[test]
fn every_filter_of_a_metric_keeps_some_rows_and_drops_some() {
    let registry = registry();
    let reach = Reachability::new(&registry);
    let templates = Templates::builtin().unwrap();
    for metric in registry.metrics.values() {
        for measure in metric
            .kind
            .sources()
            .iter()
            .flat_map(|source| &source.measures)
        {
            // Those that refer to a joined table are covered by the answers.
            for filter in measure
                .filters
                .iter()
                .filter(|filter| !filter.text.contains('.'))
            {
                let Relation::Table(table) = &registry.datasets[&measure.dataset].relation else {
                    continue;
                };
                let kept = format!("SELECT COUNT(*) FROM {table} WHERE {}", filter.text);
                let all = format!("SELECT COUNT(*) FROM {table}");
                let (kept, all) = (count(&made::file(), &kept), count(&made::file(), &all));
                assert!(
                    0 < kept && kept < all,
                    "{}: {} keeps {kept} of {all}",
                    metric.name,
                    filter.text
                );
            }
        }
    }
    // A saved question that no longer compiles would be the first thing a newcomer meets.
    for view in registry.views.values() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let options = CompileOptions {
                dialect,
                today: TODAY,
                values: &NoValues,
                passes: Default::default(),
            };
            compile(&registry, &reach, &templates, &view.query, &options)
                .unwrap_or_else(|error| panic!("{}: {error}", view.name));
        }
    }
}

#[test]
fn the_registry_is_a_companys() {
    let registry = registry();
    let metrics = || registry.metrics.values();
    assert!(metrics().count() >= 30);
    assert!(
        metrics()
            .map(|metric| &metric.category)
            .collect::<BTreeSet<_>>()
            .len()
            >= 5
    );
    let complex = metrics().filter(|metric| matches!(metric.kind, MetricKind::Complex { .. }));
    assert_eq!(complex.count(), 5);
    let states: HashSet<&str> = metrics()
        .map(|metric| match metric.status {
            Status::Draft => "draft",
            Status::Published => "published",
            Status::Certified => "certified",
            Status::Deprecated => "deprecated",
        })
        .collect();
    assert_eq!(states.len(), 4);
    for metric in metrics() {
        assert_ne!(metric.label, metric.name, "a label for people");
        assert!(
            metric.description.ends_with('.'),
            "{}: a sentence",
            metric.name
        );
        assert!(metric.owner.is_some(), "{}: an owner", metric.name);
        assert!(
            registry.analysis_of(metric).is_some()
                || metric.last_updated.is_some_and(|day| day <= TODAY),
            "{}: a date",
            metric.name
        );
    }
    for name in [
        "dau",
        "buyers",
        "orders",
        "gmv",
        "aov",
        "ads_rev",
        "take_rate",
        "conversion_rate",
        "cli_count",
        "closed_won_pct",
        "workload_per_am",
        "mrr",
        "arr",
        "churn_rate",
        "nrr",
        "ltv",
        "ads_rev_by_channel",
        "net_ads_rev",
        "order_share_by_channel",
    ] {
        assert!(registry.metrics.contains_key(name), "{name}");
    }
}

/// Every snippet with the tables its metric says it uses.
fn snippets(registry: &Registry) -> Vec<(&str, &[String])> {
    let snippets = registry
        .metrics
        .values()
        .filter_map(|metric| match &metric.kind {
            MetricKind::Complex {
                snippet, tables, ..
            } => Some((registry.snippets[snippet].text.as_str(), tables.as_slice())),
            _ => None,
        });
    snippets.collect()
}

#[tokio::test]
async fn every_snippet_runs_on_both_engines() {
    let registry = registry();
    let mut connections = vec![support::sqlite(&made::file())];
    let cluster = Cluster::shared();
    if let Some(cluster) = &cluster {
        let connection = at(&cluster.url());
        let kind = connection.kind.clone();
        let loading = move || demo::load(&kind, TODAY, false, &mut |_, _| ()).unwrap();
        tokio::task::spawn_blocking(loading).await.unwrap();
        connections.push(connection);
    }
    for connection in &connections {
        let warehouse = Warehouse::open(connection, "UTC").unwrap();
        for (sql, tables) in snippets(&registry) {
            for table in tables {
                assert!(sql.contains(table.as_str()), "{table} is not in {sql}");
            }
            let request = Request {
                sql: sql.to_owned(),
                columns: None,
                row_cap: None,
            };
            let (_, finished) = support::collect(&warehouse, request)
                .await
                .unwrap_or_else(|error| panic!("{error}\n{sql}"));
            assert!(finished.rows >= 12, "{sql}");
        }
    }
}

#[test]
fn net_ads_revenue_is_gross_less_the_brazilian_credits() {
    let net = registry().snippets["net_ads_rev.sql"].text.replace(';', "");
    let database = rusqlite::Connection::open(made::file()).unwrap();
    let total = |sql: &str| {
        database
            .query_row(sql, [], |row| row.get::<_, f64>(0))
            .unwrap()
    };
    let adjusted = total(&format!("SELECT SUM(net_ads_rev) FROM ({net})"));
    let gross = total("SELECT SUM(spend_usd) FROM ads_daily_old WHERE dt < '2026-04-01'")
        + total("SELECT SUM(revenue_usd) FROM ads_daily_new WHERE report_date >= '2026-04-01'");
    let credits = total("SELECT SUM(adjustment_usd) FROM scs_adjustments");
    assert!(credits < 0.0);
    assert!(
        (adjusted - (gross + credits)).abs() < 0.01,
        "{adjusted} is not {gross} {credits}"
    );
}
