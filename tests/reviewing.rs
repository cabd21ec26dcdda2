//! The life of a metric: what waits for a judgement, who may judge, and what a reader of numbers is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod explorer;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use explorer::Explorer;
use serde_json::Value;
use tempfile::TempDir;

/// The small shop of the explorer, with more in `metrex.yaml`.
fn shop(more: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    explorer::project(&folder.path().join("shop"));
    let config = folder.path().join("shop/metrex.yaml");
    let known = fs::read_to_string(&config).unwrap();
    fs::write(&config, known + more).unwrap();
    folder
}

fn metrex(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_metrex"))
        .args(["--today", "2026-11-20", "--project"])
        .arg(folder.path().join("shop"))
        .arg("--state-dir")
        .arg(folder.path().join("state"))
        .args(args)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn done(folder: &TempDir, args: &[&str]) -> String {
    let output = metrex(folder, args);
    assert!(output.status.success(), "{args:?}: {}", told(&output));
    out(&output)
}

fn refused(folder: &TempDir, args: &[&str], part: &str) {
    let output = metrex(folder, args);
    assert!(!output.status.success(), "{args:?}");
    assert!(told(&output).contains(part), "{args:?}: {}", told(&output));
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("shop/metrics/shop.yaml")
}

fn json(folder: &TempDir, name: &str) -> Value {
    serde_json::from_str(&done(folder, &["review", name, "--format", "json"])).unwrap()
}

const RULES: &str =
    "review: {certifiers: [ana@example.com], approvals: 1, checks: [tests, live]}\n";

#[test]
fn a_draft_is_published_approved_and_certified_by_the_rules() {
    let folder = shop(RULES);
    assert!(done(&folder, &["review"]).contains("aov"));
    let ana = "Ana Bell <ana@example.com>";
    refused(
        &folder,
        &["review", "aov", "--certify", "--by", ana],
        "'aov' is a draft",
    );
    done(
        &folder,
        &[
            "review",
            "aov",
            "--publish",
            "--by",
            "Bo",
            "--why",
            "For the board",
        ],
    );
    refused(
        &folder,
        &["review", "aov", "--publish", "--by", "Bo"],
        "is published already",
    );
    refused(
        &folder,
        &["review", "aov", "--certify", "--by", "Bo"],
        "Bo may not certify",
    );
    refused(
        &folder,
        &["review", "aov", "--certify", "--by", ana],
        "0 of 1 approvals",
    );
    refused(
        &folder,
        &["review", "aov", "--approve", "--by", "Bo"],
        "their own work",
    );
    done(&folder, &["review", "aov", "--approve", "--by", "Cleo"]);
    refused(
        &folder,
        &["review", "aov", "--approve", "--by", "cleo"],
        "approved it already",
    );
    refused(
        &folder,
        &["review", "aov", "--reject", "--by", "Dee"],
        "needs a reason",
    );
    done(
        &folder,
        &[
            "review",
            "aov",
            "--certify",
            "--by",
            ana,
            "--why",
            "Checked",
        ],
    );
    let review = json(&folder, "aov");
    assert_eq!(review["stage"], "certified");
    let steps: Vec<_> = review["history"].as_array().unwrap().iter().collect();
    let words: Vec<_> = steps
        .iter()
        .map(|one| one["step"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["published", "approved", "certified"]);
    assert_eq!(steps[2]["by"], ana);
    assert_eq!(steps[2]["on"], "2026-11-20");
    assert!(steps.iter().all(|one| one["of"] == review["meaning"]));
    assert!(
        review["checks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["passed"] == true)
    );
    assert!(done(&folder, &["show", "aov"]).contains("certified by Ana Bell"));
}

#[test]
fn what_changed_since_it_was_certified_says_so() {
    let folder = shop("");
    done(&folder, &["review", "orders", "--certify", "--by", "Ana"]);
    let query = metrex(&folder, &["query", "orders"]);
    assert!(!told(&query).contains("certified"), "{}", told(&query));
    // Words change no number.
    let text = fs::read_to_string(file(&folder)).unwrap();
    fs::write(
        file(&folder),
        text.replace("Orders placed.", "Orders that were placed."),
    )
    .unwrap();
    assert_eq!(json(&folder, "orders")["stage"], "certified");
    let text = fs::read_to_string(file(&folder)).unwrap();
    let filtered = text.replace(
        "    description: Orders that were placed.\n",
        "    description: Orders that were placed.\n    filters: [\"status <> 'CANCELLED'\"]\n",
    );
    fs::write(file(&folder), filtered).unwrap();
    assert_eq!(
        json(&folder, "orders")["stage"],
        "changed since certification"
    );
    assert!(done(&folder, &["review"]).contains("orders"));
    let query = metrex(&folder, &["query", "orders"]);
    assert!(told(&query).contains("orders has changed since it was certified on 2026-11-20"));
    done(&folder, &["review", "orders", "--certify", "--by", "Ana"]);
    assert_eq!(json(&folder, "orders")["stage"], "certified");
}

#[test]
fn what_is_deprecated_names_its_successor_wherever_it_appears() {
    let folder = shop("");
    refused(
        &folder,
        &[
            "review",
            "visits",
            "--deprecate",
            "--successor",
            "visitz",
            "--by",
            "Ana",
        ],
        "visitz",
    );
    done(
        &folder,
        &[
            "review",
            "visits",
            "--deprecate",
            "--successor",
            "orders",
            "--why",
            "Bots",
            "--by",
            "Ana",
        ],
    );
    assert!(done(&folder, &["check"]).is_empty());
    let query = metrex(&folder, &["query", "visits by device"]);
    assert!(told(&query).contains("visits is deprecated; use orders instead"));
    assert!(done(&folder, &["search", "visits"]).contains("deprecated, use orders"));
    assert!(done(&folder, &["show", "visits"]).contains("deprecated, use orders"));
    let target = folder.path().join("visits.json");
    done(
        &folder,
        &["query", "visits", "--out", target.to_str().unwrap()],
    );
    let all = fs::read_dir(folder.path()).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        path.is_file().then(|| fs::read_to_string(path).unwrap())
    });
    assert!(all.collect::<String>().contains("use orders instead"));
}

#[test]
fn where_review_has_rules_uncertified_metrics_say_so() {
    let folder = shop(RULES);
    let query = metrex(&folder, &["query", "orders"]);
    assert!(
        told(&query).contains("orders is not certified"),
        "{}",
        told(&query)
    );
    let query = metrex(&folder, &["query", "gmv"]);
    assert!(!told(&query).contains("certified"), "{}", told(&query));
}

fn propose(folder: &TempDir, base: &str) {
    let proposals = folder.path().join("shop/proposals");
    fs::create_dir_all(&proposals).unwrap();
    let text = format!(
        "metric: gmv\ntitle: With cancelled orders\nby: Bo\non: 2026-11-18\nwhy: As billed\nfrom: import\n{base}definition:\n  # as billed\n  label: Gross merchandise value\n  category: Commerce\n  description: What buyers paid before refunds.\n  owner: Commerce Analytics\n  aliases: [sales]\n  format: {{kind: currency, currency: USD, decimals: 0}}\n  base_table: orders\n  agg: sum\n  expr: amount\n"
    );
    fs::write(proposals.join("gmv.yaml"), text).unwrap();
}

#[test]
fn a_proposal_shows_what_it_changes_and_is_published_with_its_approvals() {
    let folder = shop(RULES);
    propose(&folder, "");
    assert!(done(&folder, &["review"]).contains("With cancelled orders"));
    let review = json(&folder, "gmv");
    assert_eq!(review["stage"], "proposed");
    assert_eq!(review["from"], "import");
    let said = review["differences"].to_string();
    assert!(said.contains("CANCELLED"), "{said}");
    let gmv = &review["numbers"][0];
    assert!(gmv["after"].as_f64().unwrap() > gmv["before"].as_f64().unwrap());
    assert!(review["dependants"].to_string().contains("aov"));
    assert!(
        review["sql"]["before"]["sql"]
            .as_str()
            .unwrap()
            .contains("CANCELLED")
    );
    refused(
        &folder,
        &["review", "gmv", "--publish", "--by", "Ana"],
        "0 of 1 approvals",
    );
    done(&folder, &["review", "gmv", "--approve", "--by", "Cleo"]);
    done(&folder, &["review", "gmv", "--publish", "--by", "Ana"]);
    assert!(!folder.path().join("shop/proposals/gmv.yaml").exists());
    let text = fs::read_to_string(file(&folder)).unwrap();
    assert!(!text.contains("CANCELLED"), "{text}");
    // It was certified, and means something else now.
    assert!(text.contains("    status: certified\n"), "{text}");
    let steps = json(&folder, "gmv")["history"].to_string();
    assert!(steps.contains("approved") && steps.contains("Cleo") && steps.contains("published"));
}

#[test]
fn a_proposal_that_is_rejected_or_out_of_date_changes_nothing() {
    let folder = shop("");
    propose(&folder, "");
    let before = fs::read_to_string(file(&folder)).unwrap();
    done(
        &folder,
        &[
            "review",
            "gmv",
            "--reject",
            "--why",
            "Finance says no",
            "--by",
            "Ana",
        ],
    );
    assert!(!done(&folder, &["review"]).contains("With cancelled"));
    assert!(done(&folder, &["review", "--all"]).contains("With cancelled"));
    refused(
        &folder,
        &["review", "gmv", "--publish", "--by", "Ana"],
        "was rejected by Ana",
    );
    propose(&folder, "base: 0000000000000000\n");
    refused(
        &folder,
        &["review", "gmv", "--publish", "--by", "Ana"],
        "is not what the proposal",
    );
    let new = folder.path().join("new.yaml");
    fs::write(
        &new,
        "base_table: orders\nagg: sum\nexpr: amount * 2\naliases: [sales]\n",
    )
    .unwrap();
    done(
        &folder,
        &[
            "review",
            "gmv",
            "--modify",
            new.to_str().unwrap(),
            "--by",
            "Ana",
        ],
    );
    assert_eq!(fs::read_to_string(file(&folder)).unwrap(), before);
    done(&folder, &["review", "gmv", "--publish", "--by", "Ana"]);
    assert!(
        fs::read_to_string(file(&folder))
            .unwrap()
            .contains("expr: amount * 2")
    );
}

#[test]
fn a_commit_is_made_on_request_and_a_pull_request_is_ready_where_none_can_be_opened() {
    let folder = shop("");
    let root = folder.path().join("shop");
    let git = |args: &[&str]| -> String {
        let said = Command::new("git")
            .current_dir(&root)
            .args(args)
            .output()
            .unwrap();
        assert!(said.status.success(), "{args:?}");
        String::from_utf8(said.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["config", "user.name", "Ana Bell"]);
    git(&["config", "user.email", "ana@example.com"]);
    git(&["add", "metrics", "metrex.yaml"]);
    git(&["commit", "--quiet", "--message", "A shop"]);
    let wanted = [
        "review",
        "aov",
        "--publish",
        "--why",
        "For the board",
        "--pull-request",
    ];
    let output = metrex(&folder, &wanted);
    assert!(output.status.success(), "{}", told(&output));
    assert!(
        told(&output).contains("branch metrex/publish-aov is ready"),
        "{}",
        told(&output)
    );
    assert!(
        out(&output).starts_with("Publish aov: For the board\n"),
        "{}",
        out(&output)
    );
    assert_eq!(
        git(&["log", "-1", "--format=%an: %s"]),
        "Ana Bell: Publish aov: For the board"
    );
    assert_eq!(
        git(&["symbolic-ref", "--short", "HEAD"]),
        "metrex/publish-aov"
    );
    let text = fs::read_to_string(file(&folder)).unwrap();
    assert!(
        text.contains("by: \"Ana Bell <ana@example.com>\""),
        "{text}"
    );
}

/// Opens the review of a metric.
fn reviewing(width: u16, height: u16) -> Explorer {
    let mut explorer = Explorer::new(width, height);
    explorer.keys("aov<Enter>J");
    explorer
}

#[test]
fn the_screen_tells_what_there_is_to_know_and_takes_the_judgement() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut explorer = reviewing(width, height);
        let screen = explorer.screen();
        assert!(screen.contains("1 waiting"), "{screen}");
        assert!(screen.contains("› ~ aov"), "{screen}");
        explorer.keys("<F5>");
        let screen = explorer.screen();
        assert!(screen.contains("none → $"), "{screen}");
        insta::assert_snapshot!(format!("review_{width}x{height}"), screen);
        // What makes no sense now says why.
        explorer.keys("c");
        assert!(
            explorer.screen().contains("it is draft"),
            "{}",
            explorer.screen()
        );
        explorer.keys("p");
        assert!(
            explorer.screen().contains("publish, why:"),
            "{}",
            explorer.screen()
        );
        explorer.keys("For the board<Enter>");
        let text = fs::read_to_string(path(&explorer)).unwrap();
        assert!(text.contains("why: For the board"), "{text}");
        let screen = explorer.screen();
        assert!(screen.contains("wrote metrics/shop.yaml"), "{screen}");
        assert!(screen.contains("published, not certified"), "{screen}");
        explorer.keys("cFine<Enter>");
        assert!(
            explorer.screen().contains("certified"),
            "{}",
            explorer.screen()
        );
        explorer.keys("dorders<Enter>Bots<Enter>");
        let text = fs::read_to_string(path(&explorer)).unwrap();
        assert!(
            text.contains("status: deprecated\n    successor: orders\n"),
            "{text}"
        );
        explorer.keys("<Esc>");
        assert!(
            !explorer.screen().contains("Review ─"),
            "{}",
            explorer.screen()
        );
    }
}

#[test]
fn leaving_the_words_leaves_everything_as_it_was() {
    let mut explorer = reviewing(80, 24);
    let before = fs::read_to_string(path(&explorer)).unwrap();
    explorer.keys("pq J<Esc>");
    assert!(explorer.screen().contains("aov"));
    explorer.keys("x<Enter>");
    assert!(
        explorer.screen().contains("needs a reason"),
        "{}",
        explorer.screen()
    );
    assert_eq!(fs::read_to_string(path(&explorer)).unwrap(), before);
}

fn path(explorer: &Explorer) -> PathBuf {
    Path::new(explorer.folder.path()).join("shop/metrics/shop.yaml")
}
