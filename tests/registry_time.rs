//! What people write of time beside metrics: rows that hold for a time, stored time zones, calendar tables, rollups, views.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::path::Path;

use metrex::model::*;
use metrex::registry::{Config, Loaded, ProjectFile, ProjectFiles, load};

const BASE: &str = "
datasets:
  orders:
    table: orders
    key: order_id
    time: created_at
    dimensions: {market: {}, channel: {}}
    joins: {seller: {to: people, on: seller_id}}
  people: {table: people_dim, key: person_id, valid: [from_date, to_date], dimensions: {team: {}}}
  visits: {table: visits, time: visited_at, stored_in: America/New_York, dimensions: {product: {}}}
metrics:
  gmv: {base_table: orders, agg: sum, expr: amount, aliases: [sales]}
  orders: {base_table: orders, agg: count}
  aov: {expr: gmv / orders}
  buyers: {base_table: orders, agg: count_distinct, expr: user_id}
  visits: {base_table: visits, agg: count}
";

fn loaded_with(text: &str, config: &Config) -> Loaded {
    let file = |path: &str, text: &str| ProjectFile {
        path: path.into(),
        text: text.into(),
    };
    let files = ProjectFiles {
        metrics: vec![file("metrics/a.yaml", BASE), file("metrics/b.yaml", text)],
        ..ProjectFiles::default()
    };
    load(&files, config, None)
}

#[track_caller]
fn good(text: &str) -> Registry {
    let loaded = loaded_with(text, &Config::default());
    let problems: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    loaded.registry
}

/// What is wrong in a text in which `▸` marks where, in order.
#[track_caller]
fn refused(marked: &str, expected: &[&str]) {
    let mut text = String::new();
    let mut wanted = Vec::new();
    let mut messages = expected.iter();
    for c in marked.chars() {
        if c == '▸' {
            let line = text.matches('\n').count() + 1;
            let column = text.rsplit('\n').next().unwrap().chars().count() + 1;
            let message = messages.next().expect("a message for every mark");
            wanted.push(format!("metrics/b.yaml:{line}:{column}: {message}"));
        } else {
            text.push(c);
        }
    }
    assert!(messages.next().is_none(), "a mark for every message");
    let found = loaded_with(&text, &Config::default()).diagnostics;
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, wanted, "\nin\n{text}");
}

#[test]
fn rows_that_hold_for_a_time_and_stored_zones() {
    let registry = good("");
    let valid = registry.datasets["people"].valid.as_ref().unwrap();
    assert_eq!(
        (valid.from.as_str(), valid.to.as_str()),
        ("from_date", "to_date")
    );
    let zone = registry.datasets["visits"].stored_in.as_deref();
    assert_eq!(zone, Some("America/New_York"));
    refused(
        "datasets:\n  a: {table: a, valid: ▸from_date}\n  b: {table: b, valid: [x, ▸x]}\n  c: {table: c, time: t, stored_in: ▸Mars/Base}\n  d: {table: d, stored_in: ▸UTC}",
        &[
            "error: the rows of a hold from one column to another — write valid: [from_date, to_date]",
            "error: a row cannot hold from and to the same column — write valid: [from_column, to_column]",
            "error: there is no time zone 'Mars/Base' — write it like Asia/Jakarta or UTC",
            "error: stored_in has no effect: no dimension here is of type time — give the dataset a time, or leave stored_in out",
        ],
    );
}

#[test]
fn a_join_onto_rows_that_hold_for_a_time_needs_one() {
    refused(
        "datasets:\n  staff: {table: staff, key: id, joins: {person: {to: ▸people, on: person_id}}}",
        &[
            "error: the rows of people hold for a time, and staff has none to choose one by — give staff a time",
        ],
    );
    // The time of what is counted chooses, however many joins away.
    good(
        "datasets:\n  staff: {table: staff, key: id, joins: {person: {to: people, on: person_id}}}\n  shifts: {table: shifts, time: began_at, joins: {who: {to: staff, on: staff_id}}}",
    );
}

#[test]
fn a_calendar_table_and_its_periods() {
    let text = "{week_start: sunday, table: mart.retail_days, date: d, periods: {fiscal_quarter: fq, week: {column: fw, label: Retail week, previous: fw_prev, year_ago: fw_ly}}}";
    let table = good(&format!("calendar: {text}")).calendar.table.unwrap();
    assert_eq!(
        (table.table.as_str(), table.date.as_str()),
        ("mart.retail_days", "d")
    );
    let quarter = &table.periods["fiscal_quarter"];
    assert_eq!(
        (quarter.column.as_str(), quarter.label.as_str()),
        ("fq", "Fiscal quarter")
    );
    let week = &table.periods["week"];
    assert_eq!(week.previous.as_deref(), Some("fw_prev"));
    assert_eq!(
        (week.label.as_str(), week.year_ago.as_deref()),
        ("Retail week", Some("fw_ly"))
    );

    // The same in metrex.yaml, which says where it stands.
    let config = Config::read(
        &format!("calendar: {text}\nconventions: metricflow"),
        Path::new("."),
    )
    .unwrap();
    let loaded = loaded_with(
        "m: {expr: gmv / ago, inputs: {ago: {metric: gmv, offset: 2 fiscal_quarters}}, grain: [fiscal_quarter]}",
        &config,
    );
    assert_eq!(loaded.diagnostics, []);
    let registry = loaded.registry;
    assert_eq!(registry.conventions, Conventions::Metricflow);
    let table = registry.calendar.table.clone().unwrap();
    assert_eq!(registry.at(table.place), "metrex.yaml:1");
    assert_eq!(registry.at(table.periods["week"].place), "metrex.yaml:1");
    let MetricKind::Derived { inputs, .. } = &registry.metric("m").unwrap().kind else {
        panic!()
    };
    let offset = Offset::AgoCustom(2, "fiscal_quarter".into());
    assert_eq!(inputs[1].offset, Some(offset));
    // A period of the table takes the place of the grain.
    let loaded = loaded_with(
        "m: {expr: ago * 1, inputs: {ago: {metric: gmv, offset: 1 week}}}",
        &config,
    );
    let MetricKind::Derived { inputs, .. } = &loaded.registry.metric("m").unwrap().kind else {
        panic!()
    };
    assert_eq!(inputs[0].offset, Some(Offset::AgoCustom(1, "week".into())));
    assert_eq!(Config::default().conventions, Conventions::Metrex);
}

#[test]
fn calendars_that_mean_nothing() {
    refused(
        "calendar: {table: ▸days, periods: {fq: fq}}",
        &["error: the calendar table days needs a date — add date: and the column with the day"],
    );
    refused(
        "calendar: {periods: {▸fq: fq}}",
        &[
            "error: a calendar without a table has no periods of its own — add table: and the table with one row per day",
        ],
    );
    refused(
        "calendar: {table: days, date: d, periods: {▸month_of_year: m, ▸day: d, ▸fq: {label: Quarter}, fw: ▸week(d)}}",
        &[
            "error: 'month_of_year' is already a part of every date — call the period differently",
            "error: a calendar table has one row per day, so its periods are longer — days and hours need no column",
            "error: the period 'fq' needs a column — add column: and the column that tells the periods apart",
            "error: 'week(d)' is not a column name — use expr for SQL",
        ],
    );
    refused(
        "calendar: {table: days, date: d, periods: {fq: fq}}\ndatasets: {d: {table: d, dimensions: {▸fq: {}}}}",
        &[
            "warning: 'fq' is also a period of the calendar table — queries mean the period; call the dimension differently",
        ],
    );
    let wrong = Config::read(
        "conventions: ▸metricflo".replace('▸', "").as_str(),
        Path::new("."),
    );
    assert_eq!(
        wrong.unwrap_err()[0].to_string(),
        "metrex.yaml:1:14: error: 'metricflo' is not one of metrex, metricflow — did you mean 'metricflow'?"
    );
}

#[test]
fn rollups_keep_what_can_be_put_together_again() {
    let registry = good(
        "rollups:\n  orders_daily: {of: orders, grain: day, by: [market, seller.team], metrics: [Sales, orders, aov, gmv]}\n  monthly: {of: visits, grain: month, metrics: visits, table: mart.visits_monthly}",
    );
    let daily = &registry.rollups["orders_daily"];
    assert_eq!(
        (daily.of.as_str(), daily.table.as_str()),
        ("orders", "orders_daily")
    );
    assert_eq!(daily.metrics, ["gmv", "orders", "aov"]);
    assert_eq!(daily.by, ["market", "seller.team"]);
    assert_eq!(registry.rollups["monthly"].table, "mart.visits_monthly");
    refused(
        "rollups:\n  a: {of: ▸order, grain: day, metrics: gmv}\n  b: {of: orders, grain: ▸hour, by: [▸markt, ▸month], metrics: [▸gvm, ▸visits, ▸buyers]}\n  ▸c: {of: people, grain: day, metrics: []}",
        &[
            "error: unknown dataset 'order' — did you mean 'orders'?",
            "error: a rollup is by day, or by a longer period — write grain: day",
            "error: unknown dimension of orders: 'markt' — did you mean 'market'?",
            "error: 'month' is a time grain and no dimension — the time of a rollup is its grain",
            "error: unknown metric 'gvm' — did you mean 'gmv'?",
            "error: 'visits' cannot be kept in a rollup: visits is computed from visits — leave it out: it is always computed from the rows",
            "error: 'buyers' cannot be kept in a rollup: buyers needs every single row, not sums of them — leave it out: it is always computed from the rows",
            "error: rollup 'c' needs of (a dataset), a grain and metrics — write {of: orders, grain: day, metrics: [gmv]}",
        ],
    );
}

#[test]
fn views_take_every_word_of_the_query_line() {
    let registry = good(
        "views:\n  a: gmv, gmv share by market, month since 2025-01 every period\n  b: gmv by channel top 5 by gmv per market with others\n  c: by market, channel\n  d: orders where gmv per market > 100",
    );
    assert_eq!(registry.views.len(), 4);
    assert!(registry.views["c"].query.metrics.is_empty());
    refused(
        "views:\n  a: ▸last 6 months\n  b: by ▸markt\n  c: orders where ▸gmvv per market > 100",
        &[
            "error: the query names no metric and nothing to group by — start with a metric: gmv by month",
            "error: unknown dimension 'markt' — did you mean 'market'?",
            "error: unknown metric 'gmvv' — did you mean 'gmv'?",
        ],
    );
}
