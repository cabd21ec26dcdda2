//! What is personal, damaged, or written while the learner reads does no harm to what it proposes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/learned.rs"]
mod learned;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use learned::{Uses, aggregation, condition, line, log, sql, used, words};
use metrex::usage::{Facts, QueryRecord, Route, Usage};
use serde_json::Value;
use tempfile::TempDir;

/// Somebody's address, which was recorded before its column was called personal.
const WHO: &str = "ana@example.com";

fn metrex(folder: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_metrex"))
        .args(["--today", "2026-11-20", "--state-dir"])
        .arg(folder.join("state"))
        .args(args)
        .current_dir(folder.join("project"))
        .env("USER", "dana")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {told}");
    String::from_utf8(output.stdout).unwrap() + &told
}

fn report(folder: &Path) -> Value {
    let text = metrex(folder, &["learn", "--dry-run", "--format", "json"]);
    let end = text.rfind("note:").unwrap_or(text.len());
    serde_json::from_str(&text[..end]).unwrap()
}

fn ideas(report: &Value) -> Vec<&str> {
    let ideas = report["ideas"].as_array().unwrap().iter();
    ideas.map(|idea| idea["id"].as_str().unwrap()).collect()
}

fn git(folder: &Path, args: &[&str]) -> String {
    let said = Command::new("git")
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        said.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&said.stderr)
    );
    String::from_utf8(said.stdout).unwrap()
}

/// A project in a git repository, over the demo's data, and its log.
fn project(folder: &Path) -> Usage {
    let project = folder.join("project");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["metrics", "snippets"] {
        fs::create_dir_all(project.join(part)).unwrap();
        for entry in fs::read_dir(root.join(part)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, project.join(part).join(path.file_name().unwrap())).unwrap();
        }
    }
    fs::write(
        project.join("metrex.yaml"),
        "connections:\n  demo: {type: demo}\n",
    )
    .unwrap();
    git(&project, &["init", "--quiet", "--initial-branch", "main"]);
    git(&project, &["config", "user.name", "Dana"]);
    git(&project, &["config", "user.email", "dana@metrex.test"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "All of it"]);
    // The first query makes the state folder of the project.
    metrex(folder, &["query", "gmv"]);
    let states = fs::read_dir(folder.join("state")).unwrap();
    let mut files = states.map(|entry| entry.unwrap().path().join("usage.db"));
    Usage::open(&files.find(|path| path.exists()).unwrap()).unwrap()
}

fn written(folder: &Path) -> String {
    let mut text = String::new();
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => text.push_str(&fs::read_to_string(path).unwrap()),
            }
        }
    }
    text
}

#[test]
fn nothing_personal_is_in_what_is_proposed() {
    let folder = TempDir::new().unwrap();
    let usage = project(folder.path());
    let about = |facts: Facts| Facts {
        columns: words(&["orders.voucher_usd", "users.email"]),
        filters: vec![condition("users.email", "=", &[WHO])],
        ..facts
    };
    let by_hand = |select: &str| {
        let text = format!(
            "SELECT {select} FROM orders JOIN users USING (user_id) WHERE users.email = '{WHO}'"
        );
        let facts = about(aggregation(select, &["orders", "users"]));
        QueryRecord {
            fingerprint: text.replace(&format!("'{WHO}'"), "?"),
            ..sql(&text, facts)
        }
    };
    used(&usage, &by_hand("sum(orders.voucher_usd)"), Uses::ENOUGH);
    // The largest address is somebody's; how many there are is nobody's.
    let addresses = |of: &str| {
        sql(
            &format!("SELECT {of} FROM users"),
            about(aggregation(of, &["users"])),
        )
    };
    used(&usage, &addresses("max(users.email)"), Uses::ENOUGH);
    used(
        &usage,
        &addresses("count(distinct users.email)"),
        Uses::ENOUGH,
    );
    let grouped = Facts {
        dimensions: words(&["users.email"]),
        ..about(aggregation("count(*)", &["users"]))
    };
    used(
        &usage,
        &sql("SELECT email, count(*) FROM users GROUP BY 1", grouped),
        Uses::ENOUGH,
    );
    let part = format!(
        "WITH of_one AS (SELECT seller_id, COUNT(*) AS n FROM orders WHERE buyer = '{WHO}' GROUP BY seller_id)"
    );
    for end in ["MAX(n)", "MIN(n)"] {
        let text = format!("{part} SELECT {end} FROM of_one");
        used(&usage, &sql(&text, about(Facts::default())), Uses::ENOUGH);
    }
    // A question, and a line that has become slower.
    let said = Facts {
        metrics: words(&["orders"]),
        filters: vec![condition("email", "=", &[WHO])],
        ..Facts::default()
    };
    let asked = QueryRecord {
        question: Some(format!("ordrs of {WHO} by regoin")),
        route: Route::Words,
        ..line(&format!("orders where email = '{WHO}'"), said)
    };
    let slow = Uses {
        count: 40,
        days: 3,
        failed: 0,
        ms: 900,
        ..Uses::ENOUGH
    };
    used(
        &usage,
        &asked,
        Uses {
            count: 200,
            days: 25,
            ms: 10,
            ..slow
        },
    );
    used(&usage, &asked, Uses { count: 400, ..slow });
    drop(usage);

    let found = report(folder.path());
    assert_eq!(
        ideas(&found),
        [
            "metric:count_distinct(users: email)",
            "metric:sum(orders: voucher_usd)"
        ]
    );
    assert!(
        !found["anomalies"].as_array().unwrap().is_empty(),
        "{found:#}"
    );
    assert!(
        found.to_string().contains("which is not in it"),
        "{found:#}"
    );
    let branched = metrex(folder.path(), &["learn", "--branch"]);
    let project = folder.path().join("project");
    let branch = git(&project, &["show", "metrex/learn-2026-11-20"]);
    assert!(branch.contains("+  orders_voucher_usd:"), "{branch}");
    metrex(
        folder.path(),
        &["learn", "--forget", "metric:sum(orders: voucher_usd)"],
    );
    let learned = metrex(folder.path(), &["learn"]);
    let proposals = written(&project.join("proposals"));
    assert!(proposals.contains("voucher_usd"), "{proposals}");
    for text in [found.to_string(), branched, branch, learned, proposals] {
        assert!(!text.contains(WHO), "{text}");
    }
}

#[test]
fn a_model_that_only_says_which_metric_is_meant_wrote_no_sql() {
    let folder = TempDir::new().unwrap();
    let usage = project(folder.path());
    let facts = Facts {
        metrics: words(&["gmv"]),
        ..aggregation("sum(orders.shipping_usd)", &["orders"])
    };
    let of_model = QueryRecord {
        route: Route::Model,
        sql: "SELECT sum(shipping_usd) FROM orders".to_owned(),
        ..line("gmv", facts)
    };
    used(&usage, &of_model, Uses::ENOUGH);
    drop(usage);
    assert_eq!(ideas(&report(folder.path())), Vec::<&str>::new());
}

/// Vouchers as people add them up by hand.
fn vouchers() -> QueryRecord {
    sql(
        "SELECT sum(voucher_usd) FROM orders",
        aggregation("sum(orders.voucher_usd)", &["orders"]),
    )
}

#[test]
fn damaged_rows_are_counted_and_the_others_learned_from() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("project")).unwrap();
    let state = folder.path().join("state");
    let usage = log(&state);
    used(
        &usage,
        &vouchers(),
        Uses {
            count: 14,
            ..Uses::ENOUGH
        },
    );
    let broken = sql(
        "SELECT max(voucher_usd) FROM orders",
        aggregation("max(orders.voucher_usd)", &["orders"]),
    );
    used(&usage, &broken, Uses::ENOUGH);
    drop(usage);
    let file = rusqlite::Connection::open(state.join("demo/usage.db")).unwrap();
    file.execute_batch(
        "UPDATE queries SET ms = -5 WHERE id = 3;
         UPDATE queries SET statement = 999999 WHERE id = 4;
         UPDATE texts SET text = 'no facts {' WHERE text LIKE '%max(orders.voucher_usd)%' AND text LIKE '{%';",
    )
    .unwrap();
    drop(file);
    let told = metrex(folder.path(), &["learn"]);
    assert!(
        told.contains("damaged, and which are not looked at: 14."),
        "{told}"
    );
    assert!(
        told.contains("12 uses") && told.contains("orders_voucher_usd"),
        "{told}"
    );
    assert!(!told.contains("max_voucher"), "{told}");
}

#[test]
fn others_may_write_while_it_reads() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("project")).unwrap();
    let usage = log(&folder.path().join("state"));
    used(&usage, &vouchers(), Uses::ENOUGH);
    usage.flush();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                used(
                    &usage,
                    &vouchers(),
                    Uses {
                        count: 50,
                        ..Uses::ENOUGH
                    },
                );
                usage.flush();
            }
        });
        let first = metrex(folder.path(), &["learn"]);
        let second = metrex(folder.path(), &["learn"]);
        is_done.store(true, Ordering::Relaxed);
        assert!(first.contains("1 proposal (1 new metric)"), "{first}");
        assert!(second.contains("nothing new to propose"), "{second}");
    });
}
