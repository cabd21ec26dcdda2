//! Alerts: what people write, what is refused, what fires and what does not, on every engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/demo.rs"]
mod demo;
#[path = "support/engines.rs"]
mod engines;
#[path = "support/on_engine.rs"]
mod on_engine;
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use jiff::ToSpan;
use jiff::civil::{Date, date};
use metrex::investigate::seasonal::{Expected, beyond};
use metrex::model::{AlertSeverity, Amount, MetricQuery, Side, When};
use metrex::registry::{Config, Loaded, Project, ProjectFile, ProjectFiles, json_schema, load};
use metrex::session::{AlertOutcome, AlertResult, OpenOptions, Session};
use on_engine::project;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

const BASE: &str = "
datasets:
  sales:
    table: sales
    time: sold_on
    dimensions: {market: {}, phone: {expr: market, pii: true}, sold_on: {type: date}}
metrics:
  gmv: {base_table: sales, agg: sum, expr: amount, owner: Commerce}
  pieces: {base_table: sales, agg: sum, expr: pieces}
  rate: {expr: gmv / pieces}
  last_sale: {base_table: sales, agg: max, expr: sold_on}
alerts:
";

/// The base with these alerts, one in each line; the first stands in line 13.
fn with_alerts(alerts: &[&str]) -> String {
    let lines = alerts.iter().map(|alert| format!("  {alert}\n"));
    lines.fold(BASE.to_owned(), |text, line| text + &line)
}

/// A day's sales of a market: more on weekdays, growing, with some noise. Nobody buys in a month before August; VN was opened
/// in November. TH sold little on Wednesday the 19th, and the 20th is not over.
fn amount(market: &str, day: Date) -> Option<f64> {
    let mut noise =
        day.day_of_year() as u64 * 31 + market.len() as u64 + market.as_bytes()[0] as u64;
    for _ in 0..4 {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
    }
    let noise = (noise % 1_000) as f64 / 1_000.0 * 6.0 - 3.0;
    let weekday = [100.0, 105.0, 110.0, 108.0, 120.0, 60.0, 40.0]
        [day.weekday().to_monday_zero_offset() as usize];
    let size = match market {
        "ID" => 10.0,
        "TH" => 1.0,
        _ if day < date(2025, 11, 1) => return None,
        _ => 0.1,
    };
    let planted = match (market, day) {
        ("TH", day) if day == date(2025, 11, 19) => 0.6,
        (_, day) if day == date(2025, 11, 20) => 0.05,
        _ => 1.0,
    };
    let grown = f64::from(day.day_of_year()) * 0.2;
    Some(((weekday + grown + noise) * size * planted * 100.0).round() / 100.0)
}

fn rows() -> String {
    let mut sql = String::from(
        "CREATE TABLE sales (market text, sold_on date, amount double precision, pieces integer);",
    );
    let mut day = date(2025, 8, 4);
    while day <= date(2025, 11, 20) {
        for market in ["ID", "TH", "VN"] {
            if let Some(amount) = amount(market, day) {
                let pieces = (amount / 5.0).ceil();
                sql +=
                    &format!("INSERT INTO sales VALUES ('{market}', '{day}', {amount}, {pieces});");
            }
        }
        day = day.saturating_add(1.day());
    }
    sql
}

fn session_on(folder: &Path, today: Date) -> Session {
    Session::open(OpenOptions {
        project: Some(folder.to_owned()),
        state_dir: Some(folder.join(".state")),
        today: Some(today),
        ..OpenOptions::default()
    })
    .unwrap()
}

async fn check(session: &Session, names: &[String]) -> Vec<AlertResult> {
    let cancel = CancellationToken::new();
    session
        .check_alerts(names, &cancel, |_, _| ())
        .await
        .unwrap()
}

/// The alerts on the 20th of November 2025, by name.
async fn checked(folder: &Path) -> BTreeMap<String, AlertResult> {
    let session = session_on(folder, date(2025, 11, 20));
    let results = check(&session, &[]).await;
    let named = results.into_iter().map(|one| (one.name.clone(), one));
    named.collect()
}

fn loaded(text: &str) -> Loaded {
    let file = ProjectFile {
        path: "metrics/shop.yaml".into(),
        text: text.into(),
    };
    let files = ProjectFiles {
        metrics: vec![file],
        ..ProjectFiles::default()
    };
    load(&files, &Config::default(), None)
}

#[test]
fn an_alert_is_a_query_and_when_it_fires() {
    let loaded = loaded(&with_alerts(&[
        "low: {query: 'gmv by market, day', when: unusually low by 10% vs 8 weeks, severity: critical, message: Call the shop.}",
        "small: {query: gmv by market yesterday, when: < 1000, owner: Somebody}",
        "lost: {query: rate, when: falls by 500 vs previous month}",
    ]));
    assert_eq!(loaded.diagnostics, []);
    let alerts = &loaded.registry.alerts;
    let low = &alerts["low"];
    assert_eq!(
        low.query,
        "gmv by market, day".parse::<MetricQuery>().unwrap()
    );
    let by = Some(Amount::Percent(10.0));
    assert_eq!(
        low.when,
        When::Unusual(Side::Low, by, 8, metrex::model::Grain::Week)
    );
    assert_eq!(low.severity, AlertSeverity::Critical);
    assert_eq!(low.message, "Call the shop.");
    // The metric's owner is to know where nobody else is named.
    assert_eq!(low.owner.as_deref(), Some("Commerce"));
    assert_eq!(alerts["small"].owner.as_deref(), Some("Somebody"));
    assert_eq!(alerts["small"].severity, AlertSeverity::Warning);
    assert_eq!(
        loaded.registry.at(alerts["small"].place),
        "metrics/shop.yaml:14"
    );
    // What it does not group by, it does not.
    assert_eq!(alerts["lost"].query.group_by, Some(Vec::new()));
    let schema = json_schema();
    let keys = schema["$defs"]["Alert"]["properties"].as_object().unwrap();
    let mut keys: Vec<&str> = keys.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["message", "owner", "query", "severity", "when"]);
}

#[test]
fn what_cannot_be_told_is_refused_at_its_place() {
    let cases = [
        ("a: {when: < 1}", "alert 'a' needs a query"),
        ("a: {query: gmv}", "alert 'a' needs a when"),
        (
            "a: {query: gmv, when: low}",
            "'low' is no condition — write < 100, falls by 20% vs previous week",
        ),
        (
            "a: {query: gmv, when: falls vs previous week}",
            "does not say by how much",
        ),
        (
            "a: {query: gvm, when: < 1}",
            "unknown metric 'gvm' — did you mean 'gmv'?",
        ),
        ("a: {query: gmv by, when: < 1}", ""),
        (
            "a: {query: 'gmv, rate', when: < 1}",
            "an alert is about one number in each row",
        ),
        (
            "a: {query: gmv vs previous year, when: < 1}",
            "an alert is about one number in each row",
        ),
        (
            "a: {query: gmv share by market, when: < 1}",
            "an alert is about one number in each row",
        ),
        (
            "a: {query: gmv last week, when: falls by 5% vs previous week}",
            "the time of this alert follows from what it is compared with",
        ),
        (
            "a: {query: gmv by market top 3, when: falls by 5% vs previous week}",
            "the first rows of one period are others",
        ),
        (
            "a: {query: 'gmv by weekday, day', when: falls by 5% vs previous week}",
            "the period that is compared is one grain",
        ),
        (
            "a: {query: gmv by week, when: falls by 5% vs previous year}",
            "no week lies where another one lay a year before — by week goes with week",
        ),
        (
            "a: {query: gmv by hour, when: falls by 5% vs previous day}",
            "alerts look at days and longer periods, not at hours",
        ),
        (
            "a: {query: gmv by week, when: unusual vs 6 weeks}",
            "6 weeks are too few to tell what is usual of a week — write vs 8 weeks, or more",
        ),
        (
            "a: {query: gmv by day, when: unusual vs 4 weeks}",
            "4 weeks are too few to tell what is usual of a day — write vs 5 weeks, or more",
        ),
        (
            "a: {query: gmv, when: < 1, severity: high}",
            "'high' is not one of info, warning, critical",
        ),
        (
            "a: {query: gmv, when: < 1, command: rm}",
            "unknown key 'command'",
        ),
        ("2a: {query: gmv, when: < 1}", "'2a' cannot name an alert"),
    ];
    for (alert, message) in cases {
        let loaded = loaded(&with_alerts(&[alert]));
        let found: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{alert}: {found:?}");
        let is_here = found[0].starts_with("metrics/shop.yaml:13:");
        assert!(
            is_here && found[0].contains(message),
            "{alert}: {}",
            found[0]
        );
        assert!(loaded.registry.alerts.is_empty(), "{alert}");
        assert_eq!(loaded.registry.metrics.len(), 4, "the metrics stay");
    }
    let twice = loaded(&with_alerts(&[
        "a: {query: gmv, when: < 1}",
        "A: {query: gmv, when: < 1}",
    ]));
    assert!(
        twice.diagnostics[0]
            .message
            .contains("alert 'A' is already defined at metrics/shop.yaml:13")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fires_is_what_the_rows_say_on_every_engine() {
    let alerts = [
        "small: {query: gmv by market yesterday, when: < 90}",
        "large: {query: gmv yesterday, when: '> 100,000'}",
        "days: {query: gmv by day where market = TH this week, when: < 60}",
        "fell: {query: 'gmv by market, day', when: falls by 20% vs previous week}",
        "fell_much: {query: 'gmv by market, day', when: falls by 90% vs previous week}",
        "fell_in_a_week: {query: gmv by market, when: falls by 30% vs previous week}",
        "new: {query: gmv by market, when: rises by 10000% vs previous month}",
        "new_rate: {query: rate by market, when: changes by 50% vs previous month}",
        "dip: {query: 'gmv by market, day', when: unusually low vs 12 weeks}",
        "dip_in_pieces: {query: pieces by day where market = TH, when: unusual vs 12 weeks}",
        "deep_dip: {query: 'gmv by market, day', when: unusually low by 60% vs 12 weeks}",
        "peak: {query: 'gmv by market, day', when: unusually high vs 12 weeks}",
        "weeks: {query: gmv by week where market = ID, when: unusual vs 12 weeks}",
        "young: {query: gmv by day where market = VN, when: unusual vs 8 weeks}",
        "nowhere: {query: gmv where market = XX yesterday, when: < 1}",
        "colour: {query: gmv by colour, when: < 1}",
        "no_number: {query: last_sale, when: < 1}",
    ];
    for engine in engines::everywhere(&rows()) {
        let name = engine.name;
        let folder = project(&engine, &with_alerts(&alerts));
        let found = checked(folder.path()).await;
        let outcome = |alert: &str| (found[alert].outcome, found[alert].reason.clone());
        let quiet = [
            "large",
            "fell_much",
            "fell_in_a_week",
            "deep_dip",
            "peak",
            "weeks",
        ];
        for alert in quiet {
            assert_eq!(
                outcome(alert),
                (AlertOutcome::Quiet, None),
                "{name}: {alert}: {:?}",
                found[alert]
            );
            assert!(found[alert].judged > 0, "{name}: {alert}");
        }
        let by_market = |days: &str| {
            let sql = format!(
                "SELECT market, sum(amount) FROM sales WHERE {days} GROUP BY market ORDER BY market"
            );
            let engine = &engine;
            async move {
                let rows = engine.rows(&sql).await;
                let cells = rows.iter().map(|row| row.split_once(" | ").unwrap());
                cells
                    .map(|(market, sum)| (market.to_owned(), sum.parse::<f64>().unwrap()))
                    .collect::<BTreeMap<_, _>>()
            }
        };
        let yesterday = by_market("sold_on = '2025-11-19'").await;
        let week_before = by_market("sold_on = '2025-11-12'").await;

        let small = &found["small"];
        assert_eq!((small.outcome, small.judged), (AlertOutcome::Fired, 3));
        let told: Vec<&str> = small.findings.iter().map(|one| one.of.as_str()).collect();
        let wanted: Vec<&String> = yesterday
            .iter()
            .filter(|(_, sum)| **sum < 90.0)
            .map(|(market, _)| market)
            .collect();
        assert_eq!(
            (told.len(), wanted.len()),
            (1, 1),
            "VN, {told:?} {wanted:?}"
        );
        assert_eq!(small.period, "2025-11-19");

        // The days before today are looked at, today is not over.
        let days = &found["days"];
        assert_eq!(
            (days.outcome, days.judged),
            (AlertOutcome::Quiet, 3),
            "{name}: {days:?}"
        );
        assert_eq!(
            days.notes,
            ["2025-11-20: not the whole period, so it is not looked at"]
        );

        let fell = &found["fell"];
        assert_eq!(
            (fell.outcome, fell.judged),
            (AlertOutcome::Fired, 3),
            "{name}: {fell:?}"
        );
        let [finding] = fell.findings.as_slice() else {
            panic!("{fell:?}")
        };
        assert_eq!(finding.of, "TH");
        assert!((finding.value - yesterday["TH"]).abs() < 1e-6);
        assert!((finding.compared.unwrap() - week_before["TH"]).abs() < 1e-6);
        let part = (1.0 - yesterday["TH"] / week_before["TH"]) * 100.0;
        let text = format!(
            "TH: {:.2}, down {part:.1}% from {:.2}",
            yesterday["TH"], week_before["TH"]
        );
        assert_eq!(finding.text, text);

        // What adds up and had no rows was nothing; a part of nothing cannot be told, nor can a ratio of nothing.
        assert_eq!(found["new"].judged, 2, "{name}: {:?}", found["new"]);
        assert_eq!(found["new"].notes, [] as [&str; 0]);
        assert_eq!(found["new_rate"].outcome, AlertOutcome::Quiet);

        let dip = &found["dip"];
        assert_eq!(
            (dip.outcome, dip.judged),
            (AlertOutcome::Fired, 2),
            "{name}: {dip:?}"
        );
        let [finding] = dip.findings.as_slice() else {
            panic!("{dip:?}")
        };
        assert_eq!(finding.of, "TH");
        let expected = expected_by_hand("TH", date(2025, 11, 19), 12);
        assert!(
            (finding.compared.unwrap() - expected).abs() < 1e-6,
            "{name}: {finding:?} {expected}"
        );
        let usual = finding.usual.unwrap();
        assert!(usual.0 > finding.value && usual.0 < expected && usual.1 > expected);
        let parts = ["TH: ", "below the expected", "is usual"];
        assert!(
            parts.iter().all(|part| finding.text.contains(part)),
            "{}",
            finding.text
        );
        assert_eq!(dip.notes.len(), 1);
        assert!(
            dip.notes[0].starts_with("VN: not enough history: at least 5 weeks"),
            "{:?}",
            dip.notes
        );
        assert_eq!(outcome("dip_in_pieces").0, AlertOutcome::Fired);

        let young = outcome("young");
        assert_eq!(
            young.0,
            AlertOutcome::NotEnoughHistory,
            "{name}: {:?}",
            found["young"]
        );
        for (alert, reason) in [
            ("nowhere", "there is no number"),
            ("colour", "colour"),
            ("no_number", "last_sale is no number"),
        ] {
            let (outcome, why) = outcome(alert);
            let why = why.unwrap();
            assert_eq!(outcome, AlertOutcome::NotComputed, "{name}: {alert}");
            assert!(why.contains(reason), "{name}: {alert}: {why}");
        }
    }
}

/// What the same weekdays of the weeks before lead to expect, computed from the rows that were written: the median slope
/// between any two of the same weekday, and the median of what is left of this weekday.
fn expected_by_hand(market: &str, day: Date, weeks: i64) -> f64 {
    let value = |back: i64| amount(market, day.saturating_sub(back.days())).unwrap();
    let mut slopes = Vec::new();
    for weekday in 0..7 {
        let backs: Vec<i64> = (1..=weeks * 7).filter(|back| back % 7 == weekday).collect();
        for (at, near) in backs.iter().enumerate() {
            for far in &backs[at + 1..] {
                slopes.push((value(*near) - value(*far)) / ((far - near) as f64 / 7.0));
            }
        }
    }
    let slope = middle(slopes);
    let left = (1..=weeks).map(|week| value(week * 7) + slope * week as f64);
    middle(left.collect())
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() % 2 {
        1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_day_of_an_ordinary_month_is_unusual_weekends_neither() {
    let engine = engines::everywhere(&rows()).remove(0);
    let alert = "usual: {query: 'gmv by market, day', when: unusual vs 12 weeks}";
    let folder = project(&engine, &with_alerts(&[alert]));
    let mut fired = Vec::new();
    let mut weekends = 0;
    for day in 1..=20 {
        let today = date(2025, 11, day);
        let yesterday = today.saturating_sub(1.day());
        let session = session_on(folder.path(), today);
        let result = check(&session, &[]).await.remove(0);
        assert_eq!(result.judged, 2, "{result:?}");
        weekends += usize::from(yesterday.weekday().to_monday_zero_offset() > 4);
        fired.extend(
            result
                .findings
                .iter()
                .map(|one| (yesterday.day(), one.of.clone())),
        );
    }
    assert_eq!(weekends, 6);
    assert_eq!(fired, [(19, "TH".to_owned())]);
}

/// SplitMix64, and normal numbers of it.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform().max(1e-12), self.uniform());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

#[test]
fn noise_fires_once_in_a_hundred_and_a_fall_of_six_deviations_nearly_always() {
    let mut random = Random(11);
    for (seasons, cycles) in [(1, 8), (1, 12), (7, 5), (7, 8), (7, 12), (12, 5), (4, 6)] {
        let (mut false_alarms, mut found) = (0, 0);
        for _ in 0..2_000 {
            // The period `back` ago: a season, a trend, noise.
            let mut value = |back: usize| {
                let season = 100.0 * (back % seasons) as f64;
                1_000.0 + season - 3.0 * back as f64 + 40.0 * random.normal()
            };
            let now = value(0);
            let history: Vec<_> = (1..=seasons * cycles)
                .map(|back| Some(value(back)))
                .collect();
            let expected = Expected::of(&history, seasons, false).unwrap();
            let is_unusual = |value: f64| expected.deviations(value).abs() > beyond(1);
            false_alarms += usize::from(is_unusual(now));
            found += usize::from(is_unusual(now - 240.0));
        }
        assert!(
            false_alarms <= 30,
            "{seasons} {cycles}: {false_alarms} of 2000"
        );
        if seasons > 1 && cycles >= 8 {
            assert!(found >= 1_500, "{seasons} {cycles}: {found} of 2000");
        }
    }
    // Of many numbers looked at together each has to be farther off.
    assert!((beyond(1) - 3.5).abs() < 1e-12);
    assert!(beyond(100) > 4.5 && beyond(100) < 4.8);
}

#[test]
fn what_is_expected_is_robust_and_knows_when_it_knows_too_little() {
    let line = |back: usize| Some(100.0 - 2.0 * back as f64);
    let straight: Vec<_> = (1..=10).map(line).collect();
    let expected = Expected::of(&straight, 1, false).unwrap();
    assert!((expected.value - 100.0).abs() < 1e-9 && (expected.trend - 2.0).abs() < 1e-9);
    // One wild number among ten changes little.
    let mut wild = straight.clone();
    wild[3] = Some(1e6);
    let same = Expected::of(&wild, 1, false).unwrap();
    assert!((same.value - 100.0).abs() < 3.0, "{same:?}");
    // Too few periods, or too few of the same season.
    assert_eq!(Expected::of(&straight[..7], 1, false), None);
    assert_eq!(Expected::of(&vec![Some(1.0); 28], 7, false), None);
    let mut gaps = vec![None; 70];
    (6..70).step_by(7).for_each(|at| gaps[at] = Some(5.0));
    assert_eq!(Expected::of(&gaps, 7, false).unwrap().value, 5.0);
    // Nothing ever varied: what is off by little is no news, and what was never there is.
    let flat = Expected::of(&vec![Some(1_000.0); 20], 1, false).unwrap();
    assert!(flat.deviations(1_010.0) < beyond(1) && flat.deviations(1_100.0) > beyond(1));
    let zero = Expected::of(&vec![Some(0.0); 20], 1, false).unwrap();
    assert_eq!(zero.deviations(0.0), 0.0);
    assert_eq!(zero.deviations(-1.0), f64::NEG_INFINITY);
    // Things that are counted vary by the root of their number.
    let counted = Expected::of(&vec![Some(4.0); 20], 1, true).unwrap();
    assert!(counted.deviations(9.0) < beyond(1) && counted.deviations(20.0) > beyond(1));
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_command_ends_with_one_where_an_alert_fired_and_two_where_one_is_unknown() {
    let engine = engines::everywhere(&rows()).remove(0);
    let alerts = [
        "quiet: {query: gmv by market yesterday, when: < 0}",
        "dip: {query: 'gmv by market, day', when: unusually low vs 12 weeks, severity: critical, message: Call & ask.}",
        "unknown: {query: gmv by colour, when: < 1}",
        "young: {query: gmv by day where market = VN, when: unusual vs 8 weeks}",
    ];
    let folder = project(&engine, &with_alerts(&alerts[..1]));
    let quiet = metrex(folder.path(), &["watch"]);
    assert_eq!(quiet.status.code(), Some(0), "{}", text(&quiet.stderr));
    assert_eq!(text(&quiet.stdout), "ok       quiet: gmv < 0, 2025-11-19\n");
    assert_eq!(text(&quiet.stderr), "1 alert: none fired\n");

    let folder = project(&engine, &with_alerts(&alerts));
    let code = |names: &[&str]| {
        let arguments: Vec<&str> = std::iter::once("watch")
            .chain(names.iter().copied())
            .collect();
        let told = metrex(folder.path(), &arguments);
        (
            told.status.code().unwrap(),
            text(&told.stdout),
            text(&told.stderr),
        )
    };
    // The definition of one alert is wrong for all: what it would have said is not known.
    assert_eq!(code(&["quiet"]).0, 2);
    assert_eq!(code(&["unknown"]).0, 2);
    let (fired, out, err) = code(&["dip", "young"]);
    assert_eq!(fired, 1);
    assert!(out.starts_with("CRITICAL dip: gmv unusually low vs 12 weeks, 2025-11-19 (metrics/shop.yaml:14)\n         TH: "), "{out}");
    assert!(
        out.contains("         Call & ask. — for Commerce\n"),
        "{out}"
    );
    assert!(out.contains("too new  young: "), "{out}");
    assert_eq!(
        err.lines().last(),
        Some("2 alerts: 1 fired, 1 without enough history")
    );
    let (missing, _, err) = code(&["dipp"]);
    assert_eq!(missing, 2);
    assert!(
        err.contains("there is no alert 'dipp'") && err.contains("did you mean 'dip'?"),
        "{err}"
    );

    let arguments = ["watch", "--format", "json", "--junit", "out.xml"];
    let all = metrex(folder.path(), &arguments);
    assert_eq!(all.status.code(), Some(1));
    let results: Value = serde_json::from_slice(&all.stdout).unwrap();
    let outcomes: Vec<&str> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(
        outcomes,
        ["quiet", "fired", "not_computed", "not_enough_history"]
    );
    assert_eq!(results[1]["findings"][0]["of"], "TH");
    assert_eq!(results[1]["at"], "metrics/shop.yaml:14");
    assert_eq!(results[1]["severity"], "critical");
    let junit = std::fs::read_to_string(folder.path().join("out.xml")).unwrap();
    for part in [
        "tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\"",
        "<testsuite name=\"gmv\" tests=\"4\"",
        "<failure message=\"TH: ",
        "<skipped message=\"not enough history",
    ] {
        assert!(junit.contains(part), "{part}\n{junit}");
    }
    let checked = metrex(folder.path(), &["check"]);
    let told = text(&checked.stdout) + &text(&checked.stderr);
    assert!(
        told.contains("metrics/shop.yaml:15:3: error: the alert 'unknown' cannot be computed: "),
        "{told}"
    );
}

#[test]
fn details_and_status_say_which_alerts_there_are_and_how_they_were() {
    let engine = engines::everywhere(&rows()).remove(0);
    let alerts = [
        "fires: {query: gmv by market yesterday, when: '> 0', severity: critical}",
        "quiet: {query: gmv by market yesterday, when: < 0}",
        "other: {query: pieces yesterday, when: < 0}",
    ];
    let folder = project(&engine, &with_alerts(&alerts));
    let shown = |arguments: &[&str]| {
        let told = metrex(folder.path(), arguments);
        text(&told.stdout) + &text(&told.stderr)
    };
    let before = shown(&["show", "gmv"]);
    assert!(
        before.contains("fires: gmv by market yesterday > 0 (critical, not checked here yet)"),
        "{before}"
    );
    assert!(
        before.contains("quiet: ") && !before.contains("other: "),
        "{before}"
    );
    assert!(shown(&["status"]).contains("3 alerts, not checked here yet"));
    shown(&["watch", "fires"]);
    shown(&["watch", "quiet"]);
    let after = shown(&["show", "gmv"]);
    assert!(after.contains("(critical, fired on 2025-11-20 "), "{after}");
    assert!(after.contains("(warning, quiet on 2025-11-20 "), "{after}");
    let status = shown(&["status"]);
    assert!(
        status.contains("3 alerts, last checked on 2025-11-20 ")
            && status.contains(": 1 fired, 1 not checked yet"),
        "{status}"
    );
    // What means something else was not checked yet.
    let changed = alerts.map(|alert| alert.replace("'> 0'", "'> 1'"));
    let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
    std::fs::write(
        folder.path().join("metrics/shop.yaml"),
        with_alerts(&changed),
    )
    .unwrap();
    assert!(shown(&["show", "gmv"]).contains("> 1 (critical, not checked here yet)"));
}

#[test]
fn values_of_personal_data_are_never_printed() {
    let engine = engines::everywhere(&rows()).remove(0);
    let alerts = [
        "listed: {query: gmv by phone yesterday, when: '> 0'}",
        "one: {query: gmv where phone = TH yesterday, when: '> 0'}",
    ];
    let folder = project(&engine, &with_alerts(&alerts));
    for arguments in [
        &["watch"][..],
        &["watch", "--format", "json"],
        &["check"],
        &["show", "gmv"],
    ] {
        let told = metrex(folder.path(), arguments);
        let told = text(&told.stdout) + &text(&told.stderr);
        assert!(
            !told.contains("TH") && !told.contains("VN"),
            "{arguments:?}: {told}"
        );
        if arguments != ["show", "gmv"] {
            assert!(
                told.contains("'phone' is personal data"),
                "{arguments:?}: {told}"
            );
        }
    }
}

#[test]
fn it_checks_again_and_again_until_it_is_stopped() {
    let engine = engines::everywhere(&rows()).remove(0);
    let folder = project(
        &engine,
        &with_alerts(&["quiet: {query: gmv yesterday, when: < 0}"]),
    );
    let refused = metrex(folder.path(), &["watch", "--every", "soon"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("such as 15m or 1h"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
    command
        .current_dir(folder.path())
        .env("METREX_STATE_DIR", folder.path().join(".state"))
        .env("METREX_TODAY", "2025-11-20")
        .args(["watch", "--every", "1s", "--format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut outcome = || {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        line[0]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome(), "quiet");
    // An edit counts from the next check on.
    let fires = with_alerts(&["quiet: {query: gmv yesterday, when: '> 0'}"]);
    std::fs::write(folder.path().join("metrics/shop.yaml"), fires).unwrap();
    assert!((0..10).any(|_| outcome() == "fired"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_alerts_of_the_demo_can_be_computed_and_are_quiet() {
    let project = Project::demo().unwrap();
    let registry = load(&project.files(), &project.config, None).registry;
    assert!(registry.alerts.len() >= 4);
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(OpenOptions {
        connection: Some(format!("sqlite:{}", demo::file().display())),
        state_dir: Some(folder.path().to_owned()),
        today: Some(demo::TODAY),
        ..OpenOptions::default()
    })
    .unwrap();
    for result in check(&session, &[]).await {
        assert_eq!(result.outcome, AlertOutcome::Quiet, "{result:#?}");
        assert!(result.judged > 0 && result.notes.is_empty(), "{result:#?}");
    }
}
