//! Why a number moved: a planted cause is named first, chance has no clear cause, and what is shown adds up.
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

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::civil::{Date, date};
use metrex::model::ConnectionKind;
use metrex::session::why::{Budget, Look, Node, State, Verdict, Why, WhyRequest};
use metrex::session::{OpenOptions, Session};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const OCTOBER: &str = "created_at >= '2026-10-01' and created_at < '2026-11-01'";

/// The demo with something planted in it.
struct World {
    folder: TempDir,
    today: Date,
    project: PathBuf,
}

impl World {
    fn planted(sql: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("planted.db");
        fs::copy(demo::file(), &path).unwrap();
        let database = Connection::open(&path).unwrap();
        database.execute_batch(sql).unwrap();
        Self {
            folder,
            today: demo::TODAY,
            project: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        }
    }

    fn session(&self) -> Session {
        Session::open(OpenOptions {
            project: Some(self.project.clone()),
            connection: Some(format!(
                "sqlite:{}",
                self.folder.path().join("planted.db").display()
            )),
            today: Some(self.today),
            state_dir: Some(self.folder.path().join("state")),
            no_rollups: true,
            ..OpenOptions::default()
        })
        .unwrap()
    }

    async fn why(&self, line: &str) -> Why {
        let session = self.session();
        session.prepare(|_| {}).await.unwrap();
        why(
            &session,
            line,
            Budget {
                seconds: 600,
                depth: 1,
                ..Budget::default()
            },
            false,
        )
        .await
    }
}

async fn why(session: &Session, line: &str, budget: Budget, resume: bool) -> Why {
    let request = WhyRequest {
        query: line.parse().unwrap(),
        budget,
        resume,
        with_model: false,
    };
    let found = session.why(request, CancellationToken::new(), |_| {}).await;
    found.unwrap()
}

fn first(why: &Why) -> (&str, &str) {
    let cause = why.causes.first();
    cause.map_or(("none", ""), |cause| {
        (cause.cause.as_str(), cause.line.as_str())
    })
}

/// What is shown of every change adds up to it.
fn assert_adds_up(why: &Why) {
    let mut looked = 0;
    let all = why.tree.walk();
    for (path, node) in &all {
        let Look::Dimension(name) = &node.look else {
            continue;
        };
        let mut parent = all.iter().filter(|(above, node)| {
            path.starts_with(above) && node.look == Look::Change && above != path
        });
        let change = parent.next_back().unwrap().1.movement.unwrap().change();
        let effects: Vec<f64> = node.rows.iter().filter_map(|row| row.effect).collect();
        if effects.is_empty() {
            continue;
        }
        let sum: f64 = effects.iter().sum();
        let size = effects.iter().map(|effect| effect.abs()).sum::<f64>();
        assert!(
            (sum - change).abs() < 1e-9 * size.max(1e-9),
            "{name}: {sum} of {change}"
        );
        looked += 1;
    }
    assert!(looked > 3, "{looked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_one_market() {
    let world = World::planted(&format!(
        "delete from orders where grass_region = 'TH' and {OCTOBER}"
    ));
    let why = world.why("gmv").await;
    assert_eq!(first(&why).0, "outage", "{}", why.answer);
    assert!(
        why.answer.contains("TH went to next to nothing"),
        "{}",
        why.answer
    );
    assert!(first(&why).1.starts_with("gmv by"), "{}", first(&why).1);
    assert_adds_up(&why);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_change() {
    let world = World::planted(&format!(
        "update orders set amount_usd = round(amount_usd * 0.82, 2) where {OCTOBER}"
    ));
    let why = world.why("gmv").await;
    assert_eq!(
        first(&why),
        ("price change", "aov last month vs previous period"),
        "{}",
        why.answer
    );
    assert!(
        why.answer
            .contains("Average order value moved everywhere alike"),
        "{}",
        why.answer
    );
    // One slice deeper the average is looked into, and there it is no segment either.
    let deeper = why
        .tree
        .walk()
        .into_iter()
        .find(|(_, node)| node.look == Look::Change && node.metric == "aov");
    assert!(deeper.unwrap().1.says.starts_with("It fell by"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mix_shift() {
    // 500 orders less from Brazil, where orders are large, and as many more from Vietnam, where they are small.
    let world = World::planted(&format!(
        "delete from orders where order_id in (select order_id from orders where grass_region = 'BR' and {OCTOBER} limit 500);
         create temp table more as select * from orders where grass_region = 'VN' and {OCTOBER} limit 500;
         update more set order_id = order_id + 900000000000;
         insert into orders select * from more;"
    ));
    for metric in ["aov", "gmv"] {
        let why = world.why(metric).await;
        assert_eq!(first(&why).0, "mix shift", "{metric}: {}", why.answer);
        assert!(first(&why).1.contains("market"), "{}", first(&why).1);
        assert_adds_up(&why);
    }
}

/// The definitions of the demo, on an engine.
fn demo_on(engine: &engines::Loaded) -> TempDir {
    let folder = on_engine::project(engine, "");
    for part in ["metrics", "snippets"] {
        let to = folder.path().join(part);
        fs::create_dir_all(&to).unwrap();
        for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(part)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn every_engine_names_the_same_causes() {
    let planted = format!(
        "DELETE FROM orders WHERE grass_region = 'TH' AND {OCTOBER};
         UPDATE orders SET amount_usd = round(amount_usd * 0.82, 2)
           WHERE created_at >= '2026-07-01' AND created_at < '2026-08-01'"
    );
    let fill = |kind: &ConnectionKind| {
        metrex::demo::load(kind, demo::TODAY, false, &mut |_, _| ()).unwrap();
        engines::execute(kind, &planted);
    };
    let mut told = Vec::new();
    for engine in engines::everywhere_filled(fill) {
        let folder = demo_on(&engine);
        let session = Session::open(OpenOptions {
            project: Some(folder.path().to_owned()),
            today: Some(demo::TODAY),
            state_dir: Some(folder.path().join("state")),
            no_rollups: true,
            ..OpenOptions::default()
        })
        .unwrap();
        session.prepare(|_| {}).await.unwrap();
        let budget = Budget {
            seconds: 600,
            depth: 0,
            ..Budget::default()
        };
        let outage = why(&session, "gmv 2026-10", budget, false).await;
        assert_eq!(
            first(&outage).0,
            "outage",
            "{}: {}",
            engine.name,
            outage.answer
        );
        let price = why(&session, "gmv 2026-07", budget, false).await;
        assert_eq!(
            first(&price).0,
            "price change",
            "{}: {}",
            engine.name,
            price.answer
        );
        assert_adds_up(&outage);
        // Half a cent is rounded up here and down there.
        let price = price.answer.split(": -").next().unwrap().to_owned();
        told.push((engine.name, outage.answer, price));
    }
    for (name, outage, price) in &told {
        assert_eq!((outage, price), (&told[0].1, &told[0].2), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_load() {
    // The morning of 1 November: of the last four days only a twentieth has arrived.
    let mut world = World::planted(
        "delete from orders where created_at >= '2026-11-01';
         delete from orders where created_at >= '2026-10-28' and order_id % 20 <> 0;",
    );
    world.today = date(2026, 11, 1);
    let why = world.why("gmv").await;
    assert_eq!(first(&why).0, "late load", "{}", why.answer);
    assert!(
        why.answer.contains("2026-10-28 to 2026-10-31"),
        "{}",
        why.answer
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_change() {
    let mut world = World::planted("");
    let project = world.folder.path().join("project");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["metrics", "snippets"] {
        fs::create_dir_all(project.join(folder)).unwrap();
        for file in fs::read_dir(here.join(folder)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), project.join(folder).join(file.file_name())).unwrap();
        }
    }
    fs::copy(here.join("metrex.yaml"), project.join("metrex.yaml")).unwrap();
    let git = |args: &[&str], day: &str| {
        let done = Command::new("git")
            .args(["-c", "user.name=Ana", "-c", "user.email=ana@example.com"])
            .args(args)
            .current_dir(&project)
            .env("GIT_AUTHOR_DATE", format!("{day}T12:00:00Z"))
            .env("GIT_COMMITTER_DATE", format!("{day}T12:00:00Z"))
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    git(&["init", "-q"], "2026-08-01");
    git(&["add", "."], "2026-08-01");
    git(&["commit", "-q", "-m", "Metrics"], "2026-08-01");
    world.project = project.clone();
    // Nothing has changed yet.
    let unchanged = world.why("gmv").await;
    let definition = |why: &Why| {
        why.tree
            .children
            .iter()
            .find(|node| node.look == Look::Definition)
            .cloned()
    };
    assert_eq!(definition(&unchanged).unwrap().verdict, Verdict::Refutes);
    assert_eq!(first(&unchanged).0, "none", "{}", unchanged.answer);
    let file = project.join("metrics/commerce.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let (before, after) = text.split_once("  gmv:\n").unwrap();
    let narrower = after.replacen(
        "filters: [\"status <> 'CANCELLED'\"]",
        "filters: [\"status <> 'CANCELLED'\", \"platform <> 'web'\"]",
        1,
    );
    fs::write(&file, format!("{before}  gmv:\n{narrower}")).unwrap();
    git(
        &["commit", "-q", "-a", "-m", "Without the web shop"],
        "2026-10-10",
    );
    let why = world.why("gmv").await;
    assert_eq!(first(&why).0, "definition change", "{}", why.answer);
    assert!(why.answer.contains("platform <> 'web'"), "{}", why.answer);
    // The effect is the earlier period by both definitions, as the database says.
    let database = Connection::open(world.folder.path().join("planted.db")).unwrap();
    let web: f64 = database
        .query_row(
            "select -sum(amount_usd) from orders where status <> 'CANCELLED' and platform = 'web'
             and created_at >= '2026-09-01' and created_at < '2026-10-01'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(
        (why.causes[0].effect - web).abs() < 1e-6,
        "{} {web}",
        why.causes[0].effect
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_variation_has_no_clear_cause() {
    for seed in [3_u64, 17, 40] {
        // Every order of October is worth up to a fifth more or less, and one in thirty is not there: by chance.
        let world = World::planted(&format!(
            "update orders set amount_usd = round(amount_usd * (0.8 + 0.4 * ((order_id * {seed} * 7919) % 1009) / 1009.0), 2) where {OCTOBER};
             delete from orders where {OCTOBER} and (order_id * {seed} * 104729) % 997 < 33;"
        ));
        for metric in ["gmv", "aov", "cancellation_rate"] {
            let why = world.why(metric).await;
            assert_eq!(
                first(&why).0,
                "none",
                "{metric} with seed {seed}: {}",
                why.answer
            );
            assert!(why.answer.starts_with("No clear cause"), "{}", why.answer);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_ends_it_and_it_goes_on_where_it_stopped() {
    let world = World::planted("");
    let session = world.session();
    session.prepare(|_| {}).await.unwrap();
    let small = Budget {
        queries: 6,
        seconds: 600,
        depth: 0,
    };
    let stopped = why(&session, "orders", small, false).await;
    assert!(!stopped.is_done && stopped.queries == 6);
    assert!(
        stopped
            .notes
            .iter()
            .any(|note| note.contains("6 queries is used up")),
        "{:?}",
        stopped.notes
    );
    assert!(stopped.answer.starts_with("So far: "), "{}", stopped.answer);
    let looked = |why: &Why| {
        why.tree
            .walk()
            .iter()
            .filter(|(_, node)| node.state == State::Done)
            .count()
    };
    let large = Budget {
        seconds: 600,
        depth: 0,
        ..Budget::default()
    };
    let resumed = why(&session, "orders", large, true).await;
    assert!(resumed.is_done && looked(&resumed) > looked(&stopped));
    let whole = why(&session, "orders", large, false).await;
    let found = |why: &Why| -> Vec<(String, Verdict)> {
        let nodes = why.tree.walk();
        nodes
            .iter()
            .map(|(_, node)| (node.line.clone(), node.verdict))
            .collect()
    };
    assert_eq!(
        (&resumed.answer, found(&resumed)),
        (&whole.answer, found(&whole))
    );
    // What is complete is not asked for again.
    let again = why(&session, "orders", large, true).await;
    assert_eq!(again.queries, resumed.queries);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_add_up_is_not_taken_apart() {
    let world = World::planted("");
    let why = world.why("buyers").await;
    let note = why
        .notes
        .iter()
        .find(|note| note.contains("cannot be added up"));
    assert!(
        note.unwrap()
            .contains("the same value may be in several groups"),
        "{note:?}"
    );
    let is_dimension = |node: &&Node| matches!(node.look, Look::Dimension(_));
    let dimensions: Vec<&Node> = why.tree.children.iter().filter(is_dimension).collect();
    assert!(!dimensions.is_empty());
    for node in dimensions {
        assert!(node.verdict == Verdict::Open && node.rows.iter().all(|row| row.effect.is_none()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_period_without_rows_nothing_is_shown() {
    let march = "created_at >= '2026-03-01' and created_at < '2026-04-01'";
    let world = World::planted(&format!("DELETE FROM orders WHERE {march}"));
    let database = Connection::open(world.folder.path().join("planted.db")).unwrap();
    for (metric, aggregation) in [
        ("gmv", "sum(amount_usd)"),
        ("buyers", "count(DISTINCT user_id)"),
    ] {
        let why = world.why(&format!("{metric} last month")).await;
        let series = &why.tree.series;
        assert!(series.len() > 12, "{series:?}");
        for (start, value) in series {
            let sql = format!(
                "SELECT {aggregation}, count(*) FROM orders WHERE status <> 'CANCELLED' AND created_at >= '{start}' \
                 AND created_at < date('{start}', '+1 month')"
            );
            let counted: (Option<f64>, u64) = database
                .query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap();
            match counted {
                (_, 0) => assert_eq!(*value, None, "{metric} {start}"),
                (counted, _) => {
                    let (value, counted) = (value.unwrap(), counted.unwrap());
                    assert!(
                        (value - counted).abs() < 0.01,
                        "{metric} {start}: {value} is not {counted}"
                    );
                }
            }
        }
        assert!(
            series
                .iter()
                .any(|(start, value)| start == "2026-03-01" && value.is_none())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_year_is_named_by_its_first_and_last_day() {
    let why = World::planted("").why("gmv this year").await;
    let names: Vec<_> = why.tree.series.iter().map(|(name, _)| name).collect();
    assert_eq!(names.last().unwrap().as_str(), "2026-01-01 to 2026-11-20");
    assert!(why.tree.series.len() > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ways_to_the_same_split_are_one_hypothesis() {
    let world = World::planted("");
    let why = world.why("churn_rate").await;
    let names = why
        .tree
        .children
        .iter()
        .filter_map(|node| match &node.look {
            Look::Dimension(name) => Some(name.as_str()),
            _ => None,
        });
    let names: Vec<&str> = names.collect();
    assert!(names.contains(&"market") && !names.contains(&"subscription.market"));
    let said = "subscription.market splits it as market does";
    assert!(
        why.notes.iter().any(|note| note.contains(said)),
        "{:?}",
        why.notes
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_about_one_number() {
    let world = World::planted("");
    let session = world.session();
    session.prepare(|_| {}).await.unwrap();
    for (line, message) in [
        ("gmv, orders", "why is asked of one metric"),
        (
            "gmv by market",
            "why is asked of one number, not of groups of them",
        ),
        ("gmv since 2026-06", "start and an end"),
        ("gmw", "unknown metric 'gmw'"),
    ] {
        let request = WhyRequest {
            query: line.parse().unwrap(),
            ..WhyRequest::default()
        };
        let error = session
            .why(request, CancellationToken::new(), |_| {})
            .await
            .unwrap_err();
        assert!(error.message.contains(message), "{line}: {}", error.message);
    }
    // All time has no time before it: the last whole period is asked about instead, and that is said once.
    let all_time = || why(&session, "gmv all time", Budget::default(), true);
    let all_time = [all_time().await, all_time().await].map(|why| (why.line, why.notes));
    assert_eq!(all_time[0], all_time[1]);
    assert_eq!(all_time[0].0, "gmv last month vs previous period");
    assert!(all_time[0].1[0].starts_with("All time has nothing before it"));
    let usual = why(&session, "gmv", Budget::default(), true).await;
    assert_eq!(usual.line, all_time[0].0);
    assert_eq!(usual.notes, all_time[0].1[1..]);
    // Cancelled, it ends as such.
    let cancel = CancellationToken::new();
    cancel.cancel();
    let request = WhyRequest {
        query: "gmv".parse().unwrap(),
        ..WhyRequest::default()
    };
    let error = session.why(request, cancel, |_| {}).await.unwrap_err();
    assert_eq!(error.exit_code(), 130);
}

#[test]
fn the_command_tells_it_as_text_json_and_markdown() {
    let world = World::planted(&format!(
        "delete from orders where grass_region = 'TH' and {OCTOBER}"
    ));
    let connection = format!(
        "sqlite:{}",
        world.folder.path().join("planted.db").display()
    );
    let state = world.folder.path().join("state").display().to_string();
    let report = world.folder.path().join("report.md");
    let run = |args: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_metrex"))
            .args([
                "--today",
                "2026-11-20",
                "--state-dir",
                &state,
                "--connection",
                &connection,
                "why",
            ])
            .args([
                "orders",
                "2026-10",
                "vs",
                "previous",
                "period",
                "--depth",
                "0",
                "--seconds",
                "600",
            ])
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap()
    };
    let text = run(&[]);
    assert!(
        text.contains("Outage: ") && text.contains("metrex query 'orders by"),
        "{text}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&run(&["--format", "json", "--resume"])).unwrap();
    assert_eq!(json["causes"][0]["cause"], "outage");
    assert_eq!(json["is_done"], true);
    assert_eq!(run(&["--resume", "--out", report.to_str().unwrap()]), "");
    let report = fs::read_to_string(report).unwrap();
    assert!(
        report.starts_with("# Why did Orders move?") && report.contains("| outage |"),
        "{report}"
    );
    assert!(
        report.contains("```text\n") && report.contains("█"),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_the_project_are_followed_into_the_segment_that_stands_out() {
    // In Brazil hardly anything was signed in the third quarter, and little got as far as pitching.
    let quarter = "phase_on >= '2026-07-01' and phase_on < '2026-10-01' and region = 'BR'";
    let world = World::planted(&format!(
        "delete from initiatives_fct where phase = 'CLOSED_WON' and {quarter} and initiative_id % 20 <> 0;
         delete from initiatives_fct where phase = 'PROPOSAL' and {quarter} and initiative_id % 10 <> 0;"
    ));
    let why = world.why("closed_won_pct").await;
    let rule = |name: &str| -> Node {
        let all = why.tree.walk().into_iter();
        let mut found = all.filter(|(_, node)| node.look == Look::Rule(name.to_owned()));
        found
            .next()
            .unwrap_or_else(|| panic!("{name}: {:#?}", why.answer))
            .1
            .clone()
    };
    let first = rule("win_rate_in_a_market");
    assert_eq!(first.verdict, Verdict::Supports, "{}", first.says);
    assert!(
        first
            .says
            .contains("market BR moved most unlike the others"),
        "{}",
        first.says
    );
    assert_eq!(
        first.line,
        "closed_won_pct by market last quarter vs previous period"
    );
    assert!(first.source.unwrap().starts_with("metrics/sales.yaml:"));
    let next = rule("validating_to_pitching");
    assert_eq!(
        next.line,
        "cli_count by phase where market = BR last quarter vs previous period"
    );
    assert!(
        next.rows.iter().any(|row| row.label == "PROPOSAL"),
        "{:?}",
        next.rows
    );
    assert_ne!(next.verdict, Verdict::Refutes, "{}", next.says);
}
