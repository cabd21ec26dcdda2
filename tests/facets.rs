//! Complex metrics by the facets of their snippets: the rows of hand-written SQL, refusals that say what is declared, and
//! facets that are read with their mistakes in place.
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

use std::sync::OnceLock;

use made::TODAY;
use metrex::compile::{
    CompileError, CompileOptions, Compiled, ErrorCode, Reachability, ReasonKind, Statement,
    Templates, compile, reading,
};
use metrex::demo;
use metrex::model::{ColumnState, MetricKind, NoValues, Registry, ValueLookup};
use metrex::registry::{Config, Project, ProjectFile, ProjectFiles, load};
use metrex::warehouse::{Dialect, Warehouse};
use postgres::{Cluster, at};
use support::shop::{Engine, registry_of, rows};

struct Demo {
    registry: Registry,
    reach: Reachability,
    templates: Templates,
}

fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let project = Project::demo().unwrap();
        let loaded = load(&project.files(), &project.config, None);
        assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
        Demo {
            reach: Reachability::new(&loaded.registry),
            registry: loaded.registry,
            templates: Templates::builtin().unwrap(),
        }
    })
}

fn compiled_with(
    line: &str,
    dialect: Dialect,
    values: &dyn ValueLookup,
) -> Result<Compiled, CompileError> {
    let demo = demo();
    let query = line.parse().unwrap();
    let options = CompileOptions {
        dialect,
        today: TODAY,
        values,
        passes: Default::default(),
    };
    compile(
        &demo.registry,
        &demo.reach,
        &demo.templates,
        &query,
        &options,
    )
}

fn compiled(line: &str, dialect: Dialect) -> Compiled {
    compiled_with(line, dialect, &NoValues).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn refused(line: &str) -> CompileError {
    compiled_with(line, Dialect::Sqlite, &NoValues).unwrap_err()
}

const ADS: &str = "
    (SELECT CAST(dt AS TEXT) AS day, region AS market, ad_channel, spend_usd AS usd FROM ads_daily_old WHERE dt < '2026-04-01'
     UNION ALL
     SELECT CAST(report_date AS TEXT), grass_region, ad_channel, revenue_usd FROM ads_daily_new WHERE report_date >= '2026-04-01') AS ads";
const CREDITS: &str = "
    (SELECT CAST(adjusted_on AS TEXT) AS day, grass_region AS market, ad_channel, adjustment_usd AS usd FROM scs_adjustments) AS credits";
const BUYERS: &str = "
    (SELECT SUBSTR(CAST(created_at AS TEXT), 1, 7) AS month, grass_region AS market, user_id, COUNT(*) AS n FROM orders
     WHERE status <> 'CANCELLED' GROUP BY 1, 2, 3) AS buyers";

/// Questions with SQL that answers them without the snippet; `{ads}` and `{credits}` are revenue and credits by day.
const ANSWERS: &[(&str, &str)] = &[
    (
        "net_ads_rev by ad_channel where market = BR last month",
        "SELECT a.ad_channel, a.usd + COALESCE(c.usd, 0) FROM
           (SELECT ad_channel, SUM(usd) AS usd FROM {ads} WHERE market = 'BR' AND day >= '2026-10-01' AND day < '2026-11-01' GROUP BY 1) AS a
         LEFT JOIN
           (SELECT ad_channel, SUM(usd) AS usd FROM {credits} WHERE market = 'BR' AND day >= '2026-10-01' AND day < '2026-11-01' GROUP BY 1) AS c
         ON a.ad_channel = c.ad_channel ORDER BY 1",
    ),
    (
        "net_ads_rev by none all time",
        "SELECT (SELECT SUM(usd) FROM {ads}) + (SELECT SUM(usd) FROM {credits})",
    ),
    (
        "net_ads_rev, ads_rev, shared_cost_credits by market 2026Q3",
        "SELECT a.market, a.usd + COALESCE(c.usd, 0), a.usd, c.usd FROM
           (SELECT market, SUM(usd) AS usd FROM {ads} WHERE day >= '2026-07-01' AND day < '2026-10-01' GROUP BY 1) AS a
         LEFT JOIN
           (SELECT market, SUM(usd) AS usd FROM {credits} WHERE day >= '2026-07-01' AND day < '2026-10-01' GROUP BY 1) AS c
         ON a.market = c.market ORDER BY 1",
    ),
    (
        "net_ads_rev by day where market = BR 2026-10-30..2026-11-02",
        "SELECT a.day, a.usd + COALESCE(c.usd, 0) FROM
           (SELECT day, SUM(usd) AS usd FROM {ads} WHERE market = 'BR' GROUP BY 1) AS a
         LEFT JOIN (SELECT day, SUM(usd) AS usd FROM {credits} WHERE market = 'BR' GROUP BY 1) AS c ON a.day = c.day
         WHERE a.day >= '2026-10-30' AND a.day < '2026-11-03' ORDER BY 1",
    ),
    (
        "net_ads_rev 2026-10 vs previous period",
        "SELECT now, prior, now - prior, (now - prior) / prior FROM (SELECT
           (SELECT SUM(usd) FROM {ads} WHERE day >= '2026-10-01' AND day < '2026-11-01')
           + (SELECT SUM(usd) FROM {credits} WHERE day >= '2026-10-01' AND day < '2026-11-01') AS now,
           (SELECT SUM(usd) FROM {ads} WHERE day >= '2026-09-01' AND day < '2026-10-01')
           + (SELECT SUM(usd) FROM {credits} WHERE day >= '2026-09-01' AND day < '2026-10-01') AS prior) AS both_months",
    ),
    (
        "net_ads_rev by market last month top 3",
        "SELECT market, SUM(usd) FROM (SELECT market, usd, day FROM {ads} UNION ALL SELECT market, usd, day FROM {credits}) AS net
         WHERE day >= '2026-10-01' AND day < '2026-11-01' GROUP BY market ORDER BY 2 DESC LIMIT 3",
    ),
    (
        "ads_rev_by_channel by quarter, ad_channel where market in (ID, TH) 2026Q1..2026Q2",
        "SELECT CASE WHEN day < '2026-04-01' THEN '2026-01-01' ELSE '2026-04-01' END, ad_channel, SUM(usd) FROM {ads}
         WHERE market IN ('ID', 'TH') AND day >= '2026-01-01' AND day < '2026-07-01' GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    (
        "repeat_buyer_rate by month, market last 2 months",
        "SELECT month || '-01', market, CAST(SUM(CASE WHEN n > 1 THEN 1 ELSE 0 END) AS DOUBLE PRECISION) / COUNT(*)
         FROM {buyers} WHERE month IN ('2026-09', '2026-10') GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    (
        "repeat_buyer_rate last month",
        "SELECT CAST(SUM(CASE WHEN n > 1 THEN 1 ELSE 0 END) AS DOUBLE PRECISION) / COUNT(*) FROM {buyers} WHERE month = '2026-10'",
    ),
    (
        "order_share_by_channel by channel where market = ID last month",
        "SELECT COALESCE(channel, 'unattributed'), CAST(COUNT(*) AS DOUBLE PRECISION) / (SELECT COUNT(*) FROM orders
           WHERE status <> 'CANCELLED' AND grass_region = 'ID' AND created_at >= '2026-10-01' AND created_at < '2026-11-01')
         FROM orders WHERE status <> 'CANCELLED' AND grass_region = 'ID' AND created_at >= '2026-10-01' AND created_at < '2026-11-01'
         GROUP BY 1 ORDER BY 1",
    ),
];

#[tokio::test]
async fn what_a_snippet_declares_is_answered_without_a_model() {
    let mut connections = vec![(support::sqlite(&made::file()), Dialect::Sqlite)];
    let cluster = Cluster::shared();
    if let Some(cluster) = &cluster {
        let connection = at(&cluster.url());
        let kind = connection.kind.clone();
        let loading = move || demo::load(&kind, TODAY, false, &mut |_, _| ()).unwrap();
        tokio::task::spawn_blocking(loading).await.unwrap();
        connections.push((connection, Dialect::Postgres));
    }
    for (connection, dialect) in &connections {
        let warehouse = Warehouse::open(connection, "UTC").unwrap();
        for (line, by_hand) in ANSWERS {
            let compiled = compiled(line, *dialect);
            let by_hand = Statement {
                sql: by_hand
                    .replace("{ads}", ADS)
                    .replace("{credits}", CREDITS)
                    .replace("{buyers}", BUYERS),
                ..compiled.main.clone()
            };
            let found = rows(&warehouse, &compiled.main).await;
            assert!(!found.is_empty(), "{line}");
            assert_eq!(
                found,
                rows(&warehouse, &by_hand).await,
                "{line}\n{}",
                compiled.main.sql
            );
        }
    }
}

#[test]
fn it_says_that_the_snippet_was_rendered() {
    let compiled = compiled("net_ads_rev by market last month", Dialect::Sqlite);
    let source = compiled
        .reasons
        .iter()
        .find(|reason| reason.kind == ReasonKind::Source)
        .unwrap();
    assert_eq!(
        source.text,
        "net_ads_rev is rendered from the snippet net_ads_rev.sql by its facets, no model"
    );
    let registry = &demo().registry;
    assert_eq!(
        registry.at(source.place.unwrap()),
        "snippets/net_ads_rev.sql:6"
    );
    assert!(compiled.main.sql.contains("WITH booked AS"));
    assert!(!compiled.main.sql.contains("facets"));
    assert!(!compiled.main.sql.contains(';'));
    let metric = registry.metric("net_ads_rev").unwrap();
    assert_eq!(
        reading(registry, metric),
        "the hand-written snippet net_ads_rev.sql; by its facets sum of net_ads_rev over net_ads_rev by market, \
         ad_channel, day, week, month, quarter, year"
    );
}

/// The refusal of a line, which a caller with a model can go on from, says `why` and names `word`.
fn says(line: &str, why: &str, word: &str) {
    let error = refused(line);
    assert_eq!(error.code, ErrorCode::ComplexMetric, "{line}: {error}");
    let text = format!("{} — {}", error.message, error.hint.unwrap_or_default());
    assert!(text.contains(why), "{line}: {text}");
    assert_eq!(error.word.as_deref(), Some(word), "{line}");
}

#[test]
fn what_it_does_not_declare_is_refused_with_what_it_declares() {
    says(
        "net_ads_rev by ad_format last month",
        "the snippet of net_ads_rev declares market, ad_channel, day, week, month, quarter, year; 'ad_format' is not among them",
        "ad_format",
    );
    says(
        "net_ads_rev where campaign = x",
        "'campaign' is not among them",
        "campaign",
    );
    says(
        "net_ads_rev, gmv by seller_tier last month",
        "'seller_tier' is not among them",
        "seller_tier",
    );
    says(
        "gmv_concentration by market last month",
        "declares market and no time",
        "last month",
    );
    says(
        "gmv_concentration by month",
        "declares market and no time",
        "month",
    );
}

#[test]
fn rows_per_month_are_neither_cut_nor_made_finer() {
    says(
        "ads_rev_by_channel by week last month",
        "rows per month, which do not make up a week",
        "week",
    );
    says(
        "ads_rev_by_channel by market last 7 days",
        "begins or ends within one",
        "last 7 days",
    );
    says(
        "ads_rev_by_channel mtd",
        "ask for whole months, such as last month",
        "mtd",
    );
    // The running month is compared with the same days of the month before, which the snippet does not have.
    says(
        "ads_rev_by_channel this month vs previous year",
        "2025-11-01 to 2025-11-20 begins or ends within one",
        "this month",
    );
    says(
        "ads_rev_by_channel where month >= 2026-10",
        "stands for a whole month",
        "month",
    );
    compiled("ads_rev_by_channel by quarter this year", Dialect::Sqlite);
    compiled(
        "ads_rev_by_channel last month vs previous year",
        Dialect::Sqlite,
    );
}

#[test]
fn what_does_not_add_up_is_per_month_or_of_one_month() {
    says(
        "repeat_buyer_rate last 3 months",
        "does not add up over several months",
        "month",
    );
    says(
        "repeat_buyer_rate by quarter this year",
        "group by month, or ask for one month",
        "month",
    );
    says(
        "order_share_by_channel by channel last month",
        "restrict it to one: market = …",
        "market",
    );
    says(
        "gmv_concentration",
        "does not add up over several markets",
        "market",
    );
    let compiled = compiled(
        "repeat_buyer_rate by month last 3 months total",
        Dialect::Sqlite,
    );
    assert!(compiled.totals.unwrap_err().contains("does not add up"));
    assert!(!compiled.main.columns[1].additive);
}

#[test]
fn one_name_never_puts_two_dimensions_side_by_side() {
    let shop = Engine::new(registry_of(
        "datasets:\n  orders: {table: orders, dimensions: {channel: {}}}\n  ads: {table: ads, dimensions: {placement: {aliases: [channel]}}}\nmetrics:\n  sold: {base_table: orders, agg: count}\n  shown: {base_table: ads, agg: count}\n",
    ));
    let error = shop.compile("sold, shown by channel").unwrap_err();
    assert_eq!(error.code, ErrorCode::AmbiguousDimension);
    assert!(
        error
            .message
            .contains("'channel' means channel in one dataset of this query and placement in ads"),
        "{error}"
    );
}

struct Markets;

impl ValueLookup for Markets {
    fn state(&self, _: &str, column: &str) -> ColumnState {
        if column == "market" {
            ColumnState::Indexed { distinct: 2 }
        } else {
            ColumnState::Missing
        }
    }

    fn contains(&self, _: &str, _: &str, value: &str) -> bool {
        matches!(value, "BR" | "ID")
    }

    fn nearest(&self, _: &str, _: &str, _: &str, _: usize) -> Vec<String> {
        vec!["BR".to_owned(), "ID".to_owned()]
    }
}

#[test]
fn values_are_checked_in_the_index() {
    let error =
        compiled_with("net_ads_rev where market = XY", Dialect::Sqlite, &Markets).unwrap_err();
    assert_eq!(error.code, ErrorCode::UnknownValue);
    let indexed = metrex::index::plan(&demo().registry);
    assert!(
        indexed
            .iter()
            .any(|column| column.table.starts_with("net_ads_rev#") && column.column == "market")
    );
}

/// A project with one snippet and one metric that it is of.
fn with_header(header: &str) -> ProjectFiles {
    ProjectFiles {
        metrics: vec![ProjectFile {
            path: "metrics/a.yaml".into(),
            text: "datasets:\n  orders: {table: orders}\nmetrics:\n  net: {snippet: net.sql, tables: [a]}\n".into(),
        }],
        snippets: vec![ProjectFile {
            path: "snippets/net.sql".into(),
            text: format!("{header}\nSELECT day, market, usd FROM a; -- all of it\n"),
        }],
        ..ProjectFiles::default()
    }
}

fn problems(header: &str) -> Vec<String> {
    let loaded = load(&with_header(header), &Config::default(), None);
    loaded.diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn mistakes_in_facets_are_reported_where_they_stand() {
    for (header, expected) in [
        (
            "-- Net.\n-- facets:\n--   tme: day\n--   value: {agg: sum, expr: usd}",
            "snippets/net.sql:3:6: error: unknown key 'tme' — did you mean 'time'?",
        ),
        (
            "-- facets:\n--   value: {agg: sun, expr: usd}",
            "snippets/net.sql:2:19: error: 'sun' is not one of count, count_distinct, sum, avg, min, max, median, percentile, sum_boolean, stddev, stddev_population, variance, variance_population — did you mean 'sum'?",
        ),
        (
            "-- facets:\n--   dimensions:\n--     market: {column: market, alias: [region]}\n--   value: {agg: count}",
            "snippets/net.sql:3:33: error: unknown key 'alias' — did you mean 'aliases'?",
        ),
        (
            "-- facets:\n--   dimensions: {market: {}}",
            "snippets/net.sql:1:4: error: facets need a value, or a numerator and a denominator — write value: {agg: sum, expr: the_column}",
        ),
        (
            "-- facets:\n--   dimensions: {market: {}}\n--   value: {agg: sum, expr: usd +}",
            "snippets/net.sql:3:35: error: the expression does not parse: expected an expression, found the end",
        ),
        (
            "-- facets:\n--   time: {column: day, grain: hour}\n--   value: {agg: sum, expr: usd}",
            "snippets/net.sql:2:33: error: time ranges are whole days: rows may be per day or longer — write a grain from day on",
        ),
        (
            "-- facets:\n--   dimensions: {market: {}}\n--   value: {agg: sum, expr: usd}\n--   per: [markt, month]",
            "snippets/net.sql:4:12: error: unknown dimension of these facets 'markt' — did you mean 'market'?",
        ),
        (
            "-- facet:\n--   value: {agg: sum, expr: usd}",
            "snippets/net.sql:1:4: warning: 'facet' in a header means nothing — did you mean 'facets'?",
        ),
    ] {
        let found = problems(header);
        assert!(found.contains(&expected.to_owned()), "{header}\n{found:#?}");
    }
}

#[test]
fn a_header_without_facets_and_one_with_facets_and_other_remarks() {
    assert_eq!(
        problems("-- Net of everything: see the wiki."),
        Vec::<String>::new()
    );
    let header = "-- Net.\n--\n-- facets:\n--   time: day           # of the booking\n--\n--   value: {agg: sum, expr: usd}\n-- Runs anywhere.\n";
    let loaded = load(&with_header(header), &Config::default(), None);
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    let MetricKind::Complex { facets, .. } = &loaded.registry.metric("net").unwrap().kind else {
        panic!("net is not complex");
    };
    assert_eq!(facets.as_ref().unwrap().dataset, "net");
    let metrex::model::Relation::Sql(sql) = &loaded.registry.datasets["net"].relation else {
        panic!("net is no query");
    };
    assert_eq!(sql, "SELECT day, market, usd FROM a");
}

#[test]
fn the_rows_of_a_snippet_do_not_take_the_name_of_a_dataset() {
    let mut files = with_header("-- facets:\n--   value: {agg: count}");
    files.metrics[0].text =
        "datasets:\n  net: {table: net}\nmetrics:\n  m: {snippet: net.sql, tables: [a]}\n".into();
    let loaded = load(&files, &Config::default(), None);
    let found: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "snippets/net.sql:1:4: error: the rows of net.sql would be called 'net', like the dataset at metrics/a.yaml:2 — rename the snippet"
        ]
    );
}
