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
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use explorer::Explorer;
use metrex::tui::Depth;
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

fn program(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
    command
        .args(["--today", "2026-11-20", "--project"])
        .arg(folder.path().join("shop"))
        .arg("--state-dir")
        .arg(folder.path().join("state"));
    command
}

fn metrex(folder: &TempDir, args: &[&str]) -> Output {
    program(folder).args(args).output().unwrap()
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
    // So does what is made of it.
    done(
        &folder,
        &[
            "review",
            "gmv",
            "--deprecate",
            "--successor",
            "orders",
            "--by",
            "Ana",
        ],
    );
    let query = metrex(&folder, &["query", "aov"]);
    let made = "aov is made of gmv, which is deprecated and followed by orders";
    assert!(told(&query).contains(made), "{}", told(&query));
    refused(
        &folder,
        &[
            "review",
            "orders",
            "--deprecate",
            "--successor",
            "gmv",
            "--by",
            "Ana",
        ],
        "which it follows itself",
    );
}

#[test]
fn governance_takes_a_canonical_dataset_as_it_has_been_agreed_on() {
    let folder = shop("review: {checks: [governance]}\n");
    let more = r"
datasets:
  paid_orders:
    sql: SELECT * FROM orders
    time: created_at
    dimensions:
      created_at: {type: time}
      market: {}
canonical_datasets:
  fct_paid:
    kind: fact
    dataset: paid_orders
    grain: [order_id]
    purpose: Orders that were paid.
    owner: Commerce Analytics
    status: certified
    lineage: {sources: [orders]}
metrics:
  paid:
    label: Paid
    category: Commerce
    description: What was paid.
    owner: Commerce Analytics
    base_table: paid_orders
    agg: sum
    expr: amount
";
    fs::write(folder.path().join("shop/metrics/paid.yaml"), more).unwrap();
    refused(
        &folder,
        &["review", "gmv", "--certify", "--by", "Ana"],
        "orders is a raw source",
    );
    let certified = metrex(&folder, &["review", "paid", "--certify", "--by", "Ana"]);
    assert!(
        told(&certified).contains("paid is certified; wrote metrics/paid.yaml"),
        "{}",
        told(&certified)
    );
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
    propose_in(&folder.path().join("shop"), base);
}

fn propose_in(root: &Path, base: &str) {
    let proposals = root.join("proposals");
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
    assert_eq!(json(&folder, "gmv")["stage"], "published, not certified");
    let steps = json(&folder, "gmv")["history"].to_string();
    assert!(steps.contains("approved") && steps.contains("Cleo") && steps.contains("published"));
}

#[test]
fn a_proposal_cannot_vouch_for_itself() {
    let folder = shop("");
    propose(&folder, "");
    let meaning = json(&folder, "gmv")["meaning"].as_str().unwrap().to_owned();
    let path = folder.path().join("shop/proposals/gmv.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let forged = format!(
        "{text}  status: certified\n  history:\n    - {{step: certified, by: Ana, on: 2026-11-18, of: {meaning}}}\n"
    );
    fs::write(&path, forged).unwrap();
    done(&folder, &["review", "gmv", "--publish", "--by", "Eve"]);
    let review = json(&folder, "gmv");
    assert_eq!(review["stage"], "published, not certified");
    assert!(!review["history"].to_string().contains("Ana"));
}

#[test]
fn a_proposal_takes_nothing_out_of_deprecation_without_a_certifier() {
    let folder = shop("review: {certifiers: [ana@example.com]}\n");
    let ana = "Ana Bell <ana@example.com>";
    let new = folder.path().join("new.yaml");
    let proposed = |name: &str, more: &str| {
        let keys = format!("base_table: orders\nagg: sum\nexpr: amount\n{more}");
        fs::write(&new, keys).unwrap();
        let args = ["review", name, "--modify", new.to_str().unwrap()];
        done(&folder, &[&args[..], &["--by", "Eve"]].concat());
    };
    let publish =
        |name: &str, by: &str| metrex(&folder, &["review", name, "--publish", "--by", by]);
    let deprecate = ["--deprecate", "--successor", "orders", "--by", ana];
    done(&folder, &[&["review", "visits"], &deprecate[..]].concat());
    for more in [
        "status: published\n",
        "status: draft\n",
        "status: certified\n",
        "successor: gmv\n",
    ] {
        proposed("visits", more);
        let refused = told(&publish("visits", "Eve"));
        assert!(
            refused.contains("Eve may not certify or deprecate"),
            "{more}: {refused}"
        );
        assert!(
            refused.contains("ask one of ana@example.com"),
            "{more}: {refused}"
        );
        fs::remove_file(folder.path().join("shop/proposals/visits.yaml")).unwrap();
        assert_eq!(json(&folder, "visits")["stage"], "deprecated");
    }
    // Nor into it.
    proposed("gmv", "status: deprecated\n");
    assert!(told(&publish("gmv", "Eve")).contains("may not certify or deprecate"));
    // Publishing it is not the way, and says which is.
    let refused = told(&publish("orders", ana));
    assert!(refused.contains("is published already"), "{refused}");
    fs::remove_file(folder.path().join("shop/proposals/gmv.yaml")).unwrap();
    let refused = told(&publish("visits", ana));
    assert!(
        refused.contains("propose it with `status: published`"),
        "{refused}"
    );
    // What it means may change, and a certifier may do either.
    proposed("visits", "");
    assert!(publish("visits", "Eve").status.success());
    assert!(done(&folder, &["show", "visits"]).contains("deprecated, use orders"));
    proposed("visits", "status: published\n");
    let published = publish("visits", ana);
    assert!(published.status.success(), "{}", told(&published));
    assert_eq!(json(&folder, "visits")["stage"], "published, not certified");
    // Who certifies what was given up has it in use again.
    done(&folder, &[&["review", "visits"], &deprecate[..]].concat());
    done(&folder, &["review", "visits", "--certify", "--by", ana]);
    assert_eq!(json(&folder, "visits")["stage"], "certified");
    assert!(done(&folder, &["check"]).is_empty());
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
fn a_definition_is_proposed_from_a_file() {
    let folder = shop("");
    let before = fs::read_to_string(file(&folder)).unwrap();
    let new = folder.path().join("new.yaml");
    let new = new.to_str().unwrap();
    fs::write(
        new,
        "base_table: orders\nagg: sum\nexpr: amount * 2\naliases: [sales]\n",
    )
    .unwrap();
    let why = ["--why", "Both ways", "--by", "Bo"];
    done(
        &folder,
        &[&["review", "gmv", "--modify", new][..], &why].concat(),
    );
    assert_eq!(fs::read_to_string(file(&folder)).unwrap(), before);
    let review = json(&folder, "gmv");
    assert_eq!(
        (&review["stage"], &review["title"]),
        (&"proposed".into(), &"Both ways".into())
    );
    refused(
        &folder,
        &["review", "gmv", "--approve", "--by", "Bo"],
        "their own work",
    );
    // Also for a metric that is not there yet.
    fs::write(
        new,
        "base_table: orders\nagg: count_distinct\nexpr: buyer_id\n",
    )
    .unwrap();
    done(
        &folder,
        &[&["review", "buyers", "--modify", new][..], &why].concat(),
    );
    done(&folder, &["review", "buyers", "--publish", "--by", "Ana"]);
    assert!(done(&folder, &["query", "buyers"]).contains("20"));
    fs::write(new, "no map at all\n").unwrap();
    let args = [&["review", "orders", "--modify", new][..], &why].concat();
    refused(&folder, &args, "no definition can be read");
}

/// git in the project.
fn git(folder: &TempDir, args: &[&str]) -> String {
    let said = Command::new("git")
        .current_dir(folder.path().join("shop"))
        .args(args)
        .output()
        .unwrap();
    assert!(said.status.success(), "{args:?}: {said:?}");
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// The shop in a repository with a remote.
fn committed() -> TempDir {
    let folder = shop("");
    git(&folder, &["init", "--quiet", "--initial-branch=main"]);
    git(&folder, &["config", "user.name", "Ana Bell"]);
    git(&folder, &["config", "user.email", "ana@example.com"]);
    git(&folder, &["add", "metrics", "metrex.yaml"]);
    git(&folder, &["commit", "--quiet", "--message", "A shop"]);
    git(&folder, &["init", "--quiet", "--bare", "../remote.git"]);
    git(&folder, &["remote", "add", "origin", "../remote.git"]);
    folder
}

/// Runs with programs of these names before all others; each notes its arguments in `NAME.log`.
fn with_programs(folder: &TempDir, programs: &[(&str, &str)], args: &[&str]) -> Output {
    let bin = folder.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    for (name, script) in programs {
        let path = bin.join(name);
        let log = folder.path().join(format!("{name}.log"));
        let text = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{}'\n{script}\n",
            log.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    program(folder)
        .env("PATH", path)
        .args(args)
        .output()
        .unwrap()
}

const NONE: (&str, &str) = ("gh", "exit 1");
const WITH_REQUEST: [&str; 6] = [
    "review",
    "aov",
    "--publish",
    "--why",
    "For the board",
    "--pull-request",
];

#[test]
fn nothing_is_committed_that_nobody_asked_for() {
    let folder = committed();
    done(&folder, &["review", "aov", "--publish"]);
    assert_eq!(git(&folder, &["rev-list", "--all", "--count"]), "1");
    assert_eq!(
        git(&folder, &["branch", "--format=%(refname:short)"]),
        "main"
    );
    assert_eq!(git(&folder, &["diff", "--name-only"]), "metrics/shop.yaml");
    assert_eq!(git(&folder, &["diff", "--cached", "--name-only"]), "");
    // Outside of git there is nothing to commit to, and that is said before anything is written.
    let folder = shop("");
    let before = fs::read_to_string(file(&folder)).unwrap();
    refused(
        &folder,
        &["review", "aov", "--publish", "--commit", "--by", "Ana"],
        "there is no git repository",
    );
    assert_eq!(fs::read_to_string(file(&folder)).unwrap(), before);
    done(&folder, &["review", "aov", "--publish", "--by", "Ana"]);
}

#[test]
fn a_commit_is_made_here_or_on_a_branch() {
    let folder = committed();
    let output = metrex(
        &folder,
        &["review", "aov", "--publish", "--commit", "Use it"],
    );
    assert!(told(&output).contains("on main"), "{}", told(&output));
    assert_eq!(
        git(&folder, &["log", "-1", "--format=%an: %s"]),
        "Ana Bell: Use it"
    );
    let text = fs::read_to_string(file(&folder)).unwrap();
    assert!(
        text.contains("by: \"Ana Bell <ana@example.com>\""),
        "{text}"
    );
    done(
        &folder,
        &["review", "aov", "--certify", "--branch", "certify-aov"],
    );
    assert_eq!(
        git(&folder, &["symbolic-ref", "--short", "HEAD"]),
        "certify-aov"
    );
    assert_eq!(git(&folder, &["log", "-1", "--format=%s"]), "Certify aov");
    assert_eq!(
        git(&folder, &["log", "-1", "--format=%s", "main"]),
        "Use it"
    );
    // A branch that is there is somebody's.
    let before = fs::read_to_string(file(&folder)).unwrap();
    refused(
        &folder,
        &["review", "gmv", "--deprecate", "--branch", "main"],
        "a branch 'main' already",
    );
    assert_eq!(fs::read_to_string(file(&folder)).unwrap(), before);
}

#[test]
fn a_pull_request_is_opened_by_gh_or_else_by_glab() {
    let cases = [
        (
            "gh",
            vec![("gh", "echo https://example.com/pull/7")],
            "pr\ncreate\n--head\n",
        ),
        (
            "glab",
            vec![NONE, ("glab", "echo https://example.com/merge/7")],
            "mr\ncreate\n--source-branch\n",
        ),
    ];
    for (program, programs, called) in cases {
        let folder = committed();
        let output = with_programs(&folder, &programs, &WITH_REQUEST);
        assert!(output.status.success(), "{}", told(&output));
        assert!(
            out(&output).starts_with("https://example.com/"),
            "{}",
            out(&output)
        );
        let log = fs::read_to_string(folder.path().join(format!("{program}.log"))).unwrap();
        let head = format!("{called}metrex/publish-aov\n--title\nPublish aov: For the board\n");
        assert!(log.contains(&head), "{log}");
        assert!(log.contains("```sql"), "{log}");
        let pushed = git(&folder, &["ls-remote", "--heads", "origin"]);
        assert!(
            pushed.ends_with("refs/heads/metrex/publish-aov"),
            "{pushed}"
        );
    }
}

#[test]
fn a_pull_request_is_ready_where_none_can_be_opened() {
    let fails = [(
        "gh",
        "[ \"$1\" = --version ] || { echo no token >&2; exit 4; }",
    )];
    let none = [NONE, ("glab", "exit 1")];
    for (programs, why) in [
        (&fails[..], "gh: no token"),
        (&none[..], "neither gh nor glab is installed"),
    ] {
        let folder = committed();
        let output = with_programs(&folder, programs, &WITH_REQUEST);
        assert!(output.status.success(), "{}", told(&output));
        let ready = format!("{why}; branch metrex/publish-aov is ready");
        assert!(told(&output).contains(&ready), "{}", told(&output));
        let text = out(&output);
        assert!(text.starts_with("Publish aov: For the board\n\n"), "{text}");
        assert!(text.contains("`aov` is gmv / orders"), "{text}");
        assert_eq!(
            git(&folder, &["symbolic-ref", "--short", "HEAD"]),
            "metrex/publish-aov"
        );
    }
}

#[test]
fn agents_are_told_what_cannot_be_relied_on() {
    let folder = shop("");
    let deprecate = [
        "review",
        "visits",
        "--deprecate",
        "--successor",
        "orders",
        "--by",
        "Ana",
    ];
    done(&folder, &deprecate);
    let mut server = program(&folder)
        .arg("mcp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = server.stdin.take().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut ask = |id: u32, method: &str, params: Value| -> Value {
        let request = serde_json::json!(
            {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
        );
        writeln!(input, "{request}").unwrap();
        serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()
    };
    let client = serde_json::json!({"name": "test", "version": "1"});
    ask(
        1,
        "initialize",
        serde_json::json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}),
    );
    for (id, tool, arguments, part) in [
        (
            2,
            "query_metric",
            serde_json::json!({"metric_name": "visits"}),
            "visits is deprecated; use orders instead",
        ),
        (
            3,
            "list_metrics",
            serde_json::json!({"search": "visits"}),
            "deprecated, use orders",
        ),
        (
            4,
            "describe_metric",
            serde_json::json!({"metric": "visits"}),
            "deprecated, use orders",
        ),
        (
            5,
            "query_metric",
            serde_json::json!({"metric_name": "aov"}),
            "aov is a draft",
        ),
    ] {
        let reply = ask(
            id,
            "tools/call",
            serde_json::json!({"name": tool, "arguments": arguments}),
        );
        assert!(reply.to_string().contains(part), "{tool}: {reply}");
    }
    drop(input);
    server.wait().unwrap();
}

#[test]
fn the_explorer_tells_what_cannot_be_relied_on() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut explorer = Explorer::new(width, height);
        explorer.keys("visits<Enter>Jdorders<Enter>Bots<Enter><Esc><F5>");
        let screen = explorer.screen();
        assert!(screen.contains("─ deprecated, use orders ·"), "{screen}");
        explorer.keys("1");
        let screen = explorer.screen();
        assert!(
            screen.contains("× ") && screen.contains("deprecated, use orders"),
            "{screen}"
        );
    }
}

#[test]
fn the_screen_tells_what_a_proposal_changes() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut explorer = Explorer::configured(width, height, Depth::True, RULES, "");
        propose_in(&explorer.folder.path().join("shop"), "");
        explorer.keys("gmv<Enter>J<F5>");
        let screen = explorer.screen();
        assert!(screen.contains("gmv  proposed"), "{screen}");
        insta::assert_snapshot!(format!("review_change_{width}x{height}"), screen);
        // The rules of the project hold here as well.
        explorer.keys("pNow<Enter>");
        let screen = explorer.screen();
        assert!(screen.contains("0 of 1 approvals"), "{screen}");
        explorer.keys("aFine<Enter>");
        let screen = explorer.screen();
        assert!(
            screen.contains("gmv is approved; wrote proposals/gmv.yaml"),
            "{screen}"
        );
        explorer.keys("pNow<Enter>");
        let screen = explorer.screen();
        assert!(
            screen.contains("wrote metrics/shop.yaml, proposals/gmv.yaml"),
            "{screen}"
        );
        assert!(screen.contains("published, not certified"), "{screen}");
        explorer.keys("cFine<Enter>");
        let screen = explorer.screen();
        assert!(screen.contains("may not certify"), "{screen}");
        // Changing a definition is a matter of author mode.
        explorer.keys("m");
        let screen = explorer.screen();
        assert!(screen.contains("metrics/shop.yaml"), "{screen}");
    }
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
        // Nobody else has it: its numbers stand for themselves.
        assert!(
            !screen.contains('→') && screen.contains("$1,053"),
            "{screen}"
        );
        insta::assert_snapshot!(format!("review_{width}x{height}"), screen);
        // What makes no sense now says why.
        assert_shows!(explorer.keys("c"), "it is draft");
        assert_shows!(explorer.keys("p"), "publish, why:");
        explorer.keys("For the board<Enter>");
        let text = fs::read_to_string(path(&explorer)).unwrap();
        assert!(text.contains("why: For the board"), "{text}");
        let screen = explorer.screen();
        assert!(
            screen.contains("aov is published; wrote metrics/shop.yaml"),
            "{screen}"
        );
        assert!(screen.contains("published, not certified"), "{screen}");
        assert_shows!(explorer.keys("cFine<Enter>"), "aov is certified");
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
    assert_shows!(explorer.keys("x<Enter>"), "needs a reason");
    assert_eq!(fs::read_to_string(path(&explorer)).unwrap(), before);
}

fn path(explorer: &Explorer) -> PathBuf {
    Path::new(explorer.folder.path()).join("shop/metrics/shop.yaml")
}
