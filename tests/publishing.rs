//! A bad publish is impossible: whatever stands in the way is a refusal of its own, with nothing half-written.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use jiff::civil::date;
use metrex::registry::edit::{Edit, hash};
use metrex::session::{
    CommitWish, FileChange, NotPublished, OpenOptions, Publication, Published, SavedQuery, Session,
};
use project::shop;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const SHOP: &str = "metrics/shop.yaml";

fn open(folder: &TempDir) -> Session {
    Session::open(OpenOptions {
        project: Some(folder.path().to_owned()),
        state_dir: Some(folder.path().join(".state")),
        today: Some(date(2025, 11, 20)),
        ..OpenOptions::default()
    })
    .unwrap()
}

/// Every file of the project to the last byte, and every folder: nothing is left over.
fn files(folder: &TempDir) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.path().to_owned()];
    while let Some(here) = open.pop() {
        for entry in fs::read_dir(&here).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder.path()).unwrap();
            let name = name.to_str().unwrap().to_owned();
            if name == ".state" || name == ".git" {
                continue;
            }
            if path.is_dir() {
                found.insert(format!("{name}/"), Vec::new());
                open.push(path);
            } else {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn text(folder: &TempDir, path: &str) -> String {
    fs::read_to_string(folder.path().join(path)).unwrap()
}

fn put(section: &str, name: &str, body: &str) -> Edit {
    Edit::Put {
        section: section.to_owned(),
        name: name.to_owned(),
        body: body.to_owned(),
    }
}

fn set(name: &str, key: &str, value: Value) -> Edit {
    Edit::Set {
        section: "metrics".to_owned(),
        name: name.to_owned(),
        key: key.to_owned(),
        value: Some(value),
    }
}

async fn publish(session: &Session, files: Vec<FileChange>) -> Result<Published, NotPublished> {
    let publication = Publication {
        files,
        commit: None,
    };
    session
        .publish(&publication, CancellationToken::new())
        .await
}

async fn publish_edits(session: &Session, edits: &[Edit]) -> Result<Published, NotPublished> {
    let file = session.edited(SHOP, edits)?;
    publish(session, vec![file]).await
}

/// Refuses with a code and a part of the message, and leaves every file as it was.
async fn refused(folder: &TempDir, edits: &[Edit], code: &str, part: &str) {
    let session = open(folder);
    let before = files(folder);
    let refusal = publish_edits(&session, edits).await.unwrap_err();
    assert_eq!(refusal.code, code, "{refusal:?}");
    assert!(refusal.message.contains(part), "{refusal:?}");
    assert_eq!(files(folder), before);
}

fn git(folder: &TempDir, args: &[&str]) -> String {
    let said = Command::new("git")
        .current_dir(folder.path())
        .args([
            "-c",
            "user.name=Ana Bell",
            "-c",
            "user.email=ana@example.com",
        ])
        .args(args)
        .output()
        .unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.status.success(),
        "git {args:?}: {text}{:?}",
        said.stderr
    );
    text.trim().to_owned()
}

fn with_git(folder: &TempDir) {
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    git(folder, &["config", "user.name", "Ana Bell"]);
    git(folder, &["config", "user.email", "ana@example.com"]);
    fs::write(folder.path().join(".gitignore"), ".state\nshop.db\n").unwrap();
    git(folder, &["add", "."]);
    git(folder, &["commit", "--quiet", "--message", "A shop"]);
}

#[tokio::test]
async fn a_good_one_is_written_and_in_force_with_everything_else_as_it_was() {
    let folder = shop();
    let session = open(&folder);
    let before = files(&folder);
    let text_before = text(&folder, SHOP);
    let new = put(
        "metrics",
        "buyers",
        "label: Buyers\nbase_table: orders\nagg: count_distinct\nexpr: user_id\n",
    );
    let published = publish_edits(&session, &[new]).await.unwrap();
    assert_eq!(published.files, [SHOP]);
    assert_eq!(published.metrics, ["buyers"]);
    assert!(session.catalog().registry.metric("buyers").is_some());
    let mut now = files(&folder);
    let entry = "  buyers:\n    label: Buyers\n    base_table: orders\n    agg: count_distinct\n    expr: user_id\n";
    assert_eq!(text(&folder, SHOP), text_before + entry);
    now.insert(SHOP.to_owned(), before[SHOP].clone());
    assert_eq!(now, before, "nothing else is written");
}

#[tokio::test]
async fn names_that_are_taken_are_refused() {
    let folder = shop();
    fs::write(
        folder.path().join("metrics/views.yaml"),
        "views:\n  weekly: gmv by week\n",
    )
    .unwrap();
    let count = "base_table: orders\nagg: count\n";
    let session = open(&folder);
    let twice = FileChange {
        path: "metrics/other.yaml".to_owned(),
        base: None,
        text: Some("metrics:\n  GMV: {base_table: orders, agg: count}\n".to_owned()),
    };
    let before = files(&folder);
    let refusal = publish(&session, vec![twice]).await.unwrap_err();
    assert_eq!(refusal.code, "name_taken");
    assert!(
        refusal.message.contains("already defined at metrics/"),
        "{refusal}"
    );
    assert_eq!(files(&folder), before);
    let alias = put(
        "metrics",
        "revenue",
        &format!("aliases: [turnover]\n{count}"),
    );
    refused(&folder, &[alias], "name_taken", "already means 'gmv'").await;
    let view = put("metrics", "weekly", count);
    refused(&folder, &[view], "name_taken", "of a saved query").await;
}

#[tokio::test]
async fn what_others_stand_on_stays() {
    let folder = shop();
    fs::write(
        folder.path().join("metrics/views.yaml"),
        "views:\n  by_channel: gmv by channel\n",
    )
    .unwrap();
    // aov is gmv over orders.
    let take = Edit::Take {
        section: "metrics".to_owned(),
        name: "orders".to_owned(),
    };
    refused(
        &folder,
        &[take],
        "broken_dependant",
        "'aov' (metrics/shop.yaml",
    )
    .await;
    // A dimension that a saved query asks by.
    let body = "table: orders\nkey: order_id\ntime: created_at\ndimensions:\n  market: {}\n  created_at: {type: time}\njoins:\n  buyer: {to: users, on: user_id}\n";
    let edit = put("datasets", "orders", body);
    refused(&folder, &[edit], "broken_dependant", "'by_channel'").await;
    // A definition that is itself wrong is no one else's trouble.
    let wrong = set("gmv", "agg", json!("summ"));
    refused(&folder, &[wrong], "broken_dependant", "aov").await;
    let alone = put("metrics", "more", "base_table: nothing\nagg: count\n");
    refused(&folder, &[alone], "new_error", "unknown dataset 'nothing'").await;
}

#[tokio::test]
async fn a_test_that_fails_is_in_the_way() {
    let folder = shop();
    let session = open(&folder);
    // 10 + 20.5 + 5.24 + 1 + 2
    let body = "base_table: orders\nagg: sum\nexpr: amount\ntests:\n  - {expect: 38.74}\n";
    publish_edits(&session, &[put("metrics", "paid", body)])
        .await
        .unwrap();
    let without_ads = set("paid", "filters", json!(["channel <> 'ads'"]));
    refused(&folder, &[without_ads], "failing_test", "38.74").await;
    // Also the test of what is made of it.
    let half = "expr: gmv / 2\ntests:\n  - {expect: 19.37}\n";
    publish_edits(&session, &[put("metrics", "half", half)])
        .await
        .unwrap();
    let other = set("gmv", "filters", json!(["channel <> 'ads'"]));
    refused(&folder, &[other], "failing_test", "half").await;
    let wrong = put(
        "metrics",
        "third",
        "expr: gmv / 3\ntests:\n  - {expect: 1}\n",
    );
    refused(&folder, &[wrong], "failing_test", "third").await;
}

#[tokio::test]
async fn work_that_is_not_committed_is_not_mixed_up() {
    let folder = shop();
    with_git(&folder);
    let path = folder.path().join(SHOP);
    let committed = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("# half-done\n{committed}")).unwrap();
    let label = set("gmv", "label", json!("GMV"));
    refused(&folder, std::slice::from_ref(&label), "dirty_tree", SHOP).await;
    // What metrex itself wrote and nobody touched since is no half-done work.
    fs::write(&path, &committed).unwrap();
    let session = open(&folder);
    publish_edits(&session, std::slice::from_ref(&label))
        .await
        .unwrap();
    publish_edits(&session, &[set("gmv", "owner", json!("Sales"))])
        .await
        .unwrap();
    let now = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{now}# by hand\n")).unwrap();
    refused(&folder, &[label], "dirty_tree", "not committed").await;
}

#[tokio::test]
async fn a_saved_query_is_published_like_any_definition() {
    let folder = shop();
    let wrong =
        "  zero:\n    base_table: orders\n    agg: count\n    tests: [{query: zero, equals: 0}]\n";
    let path = folder.path().join(SHOP);
    fs::write(&path, text(&folder, SHOP) + wrong).unwrap();
    with_git(&folder);
    let session = open(&folder);
    let save = async |query: &str, replace| {
        let view = SavedQuery {
            name: "mine".to_owned(),
            description: String::new(),
            query: query.parse().unwrap(),
        };
        let saving = session.save_view(&view, replace, CancellationToken::new());
        saving.await
    };
    let error = save("gmv by nothing_of_it", false).await.unwrap_err();
    assert!(error.message.contains("'mine'"), "{error:?}");
    // Tests of metrics that it leaves as they are, are not run.
    let path = save("gmv", false).await.unwrap();
    assert_eq!(text(&folder, &path), "views:\n  mine:\n    query: gmv\n");
    git(&folder, &["add", &path]);
    git(&folder, &["commit", "--quiet", "--message", "Mine"]);
    // What metrex wrote is in nobody's way, and what is done by hand is not mixed up with it.
    save("gmv by market", true).await.unwrap();
    save("gmv by channel", true).await.unwrap();
    let by_hand = format!("# Ours.\n{}", text(&folder, &path));
    fs::write(folder.path().join(&path), &by_hand).unwrap();
    let error = save("gmv", true).await.unwrap_err();
    assert_eq!(error.code(), "dirty_tree");
    assert!(error.hint().unwrap().contains("commit them"));
    let deleting = session.delete_view("mine", CancellationToken::new());
    assert_eq!(deleting.await.unwrap_err().code(), "dirty_tree");
    assert_eq!(text(&folder, &path), by_hand);
    git(
        &folder,
        &["commit", "--all", "--quiet", "--message", "By hand"],
    );
    let deleting = session.delete_view("mine", CancellationToken::new());
    assert_eq!(deleting.await.unwrap(), path);
    assert_eq!(text(&folder, &path), "# Ours.\nviews:\n");
    assert!(session.catalog().registry.views.is_empty());
}

#[tokio::test]
async fn what_cannot_be_written_changes_nothing() {
    let folder = shop();
    let session = open(&folder);
    let closed = folder.path().join("metrics/closed");
    fs::create_dir_all(&closed).unwrap();
    fs::write(closed.join("a.yaml"), "metrics: {}\n").unwrap();
    fs::write(closed.join("b.yaml"), "metrics: {}\n").unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let change = || {
        let edit = set("gmv", "label", json!("GMV"));
        session.edited(SHOP, &[edit]).unwrap()
    };
    let new = put("metrics", "more", "base_table: orders\nagg: count\n");
    let other = session.edited("metrics/closed/a.yaml", &[new]).unwrap();
    let gone = FileChange {
        path: "metrics/closed/b.yaml".to_owned(),
        base: Some(hash("metrics: {}\n")),
        text: None,
    };
    let below = FileChange {
        path: "metrics/closed/new/c.yaml".to_owned(),
        base: None,
        text: Some("metrics:\n  more: {base_table: orders, agg: count}\n".to_owned()),
    };
    // Modes do not bind root, and are kept to all the same.
    mode(&closed, 0o555);
    let before = files(&folder);
    for second in [other, gone, below] {
        let refusal = publish(&session, vec![change(), second.clone()])
            .await
            .unwrap_err();
        assert_eq!(refusal.code, "read_only", "{refusal}");
        assert!(refusal.message.contains(&second.path), "{refusal}");
        assert_eq!(files(&folder), before);
    }
    mode(&closed, 0o755);
    mode(&folder.path().join(SHOP), 0o444);
    let refusal = publish(&session, vec![change()]).await.unwrap_err();
    assert_eq!(refusal.code, "read_only", "{refusal}");
    mode(&folder.path().join(SHOP), 0o644);
    mode(folder.path(), 0o555);
    let refusal = publish(&session, vec![change()]).await.unwrap_err();
    mode(folder.path(), 0o755);
    assert_eq!(refusal.code, "read_only", "{refusal}");
    // A folder in the place of the file.
    fs::create_dir(closed.join("d.yaml")).unwrap();
    let there = FileChange {
        path: "metrics/closed/d.yaml".to_owned(),
        base: None,
        text: Some("metrics: {}\n".to_owned()),
    };
    let before = files(&folder);
    let refusal = publish(&session, vec![change(), there]).await.unwrap_err();
    assert_eq!(refusal.code, "write_failed", "{refusal}");
    assert_eq!(files(&folder), before);
}

/// As somebody who may not write there, whatever the modes say of root.
#[test]
fn who_may_not_write_there_is_told_so() {
    let folder = shop();
    let state = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("metrics/drafts.yaml"),
        "metrics:\n  mine: {status: draft, base_table: orders, agg: count}\n",
    )
    .unwrap();
    for (path, mode) in [(folder.path(), 0o755), (state.path(), 0o777)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let as_nobody = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(env!("CARGO_BIN_EXE_metrex"))
            .args(args)
            .current_dir(folder.path());
        command.output()
    };
    if !as_nobody(&["--version"]).is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: the program cannot be started as another user here");
        return;
    }
    let before = files(&folder);
    let state = state.path().to_str().unwrap();
    let output = as_nobody(&[
        "review",
        "mine",
        "--publish",
        "--by",
        "Ana",
        "--today",
        "2025-11-20",
        "--state-dir",
        state,
    ])
    .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("cannot be written"),
        "{}",
        said(&output)
    );
    assert_eq!(files(&folder), before);
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_stays() {
    let folder = shop();
    let session = open(&folder);
    let mine = session
        .edited(SHOP, &[set("gmv", "label", json!("Mine"))])
        .unwrap();
    let theirs = session
        .edited(SHOP, &[set("gmv", "label", json!("Theirs"))])
        .unwrap();
    publish(&session, vec![theirs]).await.unwrap();
    let refusal = publish(&session, vec![mine]).await.unwrap_err();
    assert_eq!(refusal.code, "changed_meanwhile");
    assert!(text(&folder, SHOP).contains("label: Theirs"));
    let before = files(&folder);
    let outside = FileChange {
        path: "metrics/../metrex.yaml".to_owned(),
        base: None,
        text: Some(String::new()),
    };
    assert_eq!(
        publish(&session, vec![outside]).await.unwrap_err().code,
        "path"
    );
    assert_eq!(files(&folder), before);
}

fn review(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
    command
        .args(["review", "--today", "2025-11-20", "--project"])
        .arg(folder.path())
        .arg("--state-dir")
        .arg(folder.path().join(".state"))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn two_processes_at_once_write_one_after_the_other() {
    let folder = shop();
    let path = folder.path().join("metrics/drafts.yaml");
    let names = ["a", "b", "c", "d"].map(|name| format!("draft_{name}"));
    let entry =
        |name: &String| format!("  {name}: {{status: draft, base_table: orders, agg: count}}\n");
    let text: String = names.iter().map(entry).collect();
    fs::write(&path, format!("metrics:\n{text}")).unwrap();
    let at_once = |names: &[String]| -> Vec<Output> {
        let start = |name: &String| review(&folder, &[name, "--publish", "--by", "Ana"]).spawn();
        let started: Vec<_> = names.iter().map(|name| start(name).unwrap()).collect();
        started
            .into_iter()
            .map(|one| one.wait_with_output().unwrap())
            .collect()
    };
    let outputs = at_once(&names);
    let session = open(&folder);
    assert!(session.problems().is_empty(), "{:?}", session.problems());
    let mut written = 0;
    for (name, output) in names.iter().zip(&outputs) {
        let metric = session.catalog().registry.metric(name).unwrap().clone();
        let is_published = metric.status == metrex::model::Status::Published;
        assert_eq!(
            output.status.success(),
            is_published,
            "{name}: {}",
            said(output)
        );
        assert_eq!(metric.history.len(), usize::from(is_published));
        if is_published {
            written += 1;
        } else {
            let why = said(output);
            let is_clear = why.contains("has changed since") || why.contains("somebody else");
            assert!(is_clear, "{why}");
        }
    }
    assert!(
        written > 0,
        "{:?}",
        outputs.iter().map(said).collect::<Vec<_>>()
    );
    let left = files(&folder);
    let left: Vec<&str> = left.keys().map(String::as_str).collect();
    let expected = [
        "metrex.yaml",
        "metrics/",
        "metrics/drafts.yaml",
        SHOP,
        "shop.db",
    ];
    assert_eq!(left, expected, "nothing is left beside the files");
}

#[test]
fn who_comes_while_somebody_publishes_is_told_so() {
    let folder = shop();
    fs::write(
        folder.path().join("metrics/drafts.yaml"),
        "metrics:\n  mine: {status: draft, base_table: orders, agg: count}\n",
    )
    .unwrap();
    let before = files(&folder);
    let lock = File::open(folder.path()).unwrap();
    lock.lock().unwrap();
    let output = review(&folder, &["mine", "--publish", "--by", "Ana"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("somebody else is publishing"),
        "{}",
        said(&output)
    );
    assert_eq!(files(&folder), before);
    lock.unlock().unwrap();
    let output = review(&folder, &["mine", "--publish", "--by", "Ana"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test]
async fn a_commit_has_these_files_and_nothing_else() {
    let folder = shop();
    with_git(&folder);
    fs::write(folder.path().join("notes.txt"), "mine\n").unwrap();
    git(&folder, &["add", "notes.txt"]);
    let session = open(&folder);
    let change = session
        .edited(SHOP, &[set("gmv", "label", json!("GMV"))])
        .unwrap();
    let new = FileChange {
        path: "metrics/more.yaml".to_owned(),
        base: None,
        text: Some("metrics:\n  more: {base_table: orders, agg: count}\n".to_owned()),
    };
    let publication = Publication {
        files: vec![change, new],
        commit: Some(CommitWish {
            message: "Name it GMV".to_owned(),
            branch: Some("metrex/gmv".to_owned()),
        }),
    };
    let published = session
        .publish(&publication, CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(published.commit.unwrap().branch, "metrex/gmv");
    assert_eq!(git(&folder, &["log", "-1", "--format=%s"]), "Name it GMV");
    let committed = git(&folder, &["show", "--name-only", "--format=", "HEAD"]);
    assert_eq!(committed, "metrics/more.yaml\nmetrics/shop.yaml");
    assert_eq!(git(&folder, &["status", "--porcelain"]), "A  notes.txt");
    assert_eq!(
        git(&folder, &["log", "-1", "--format=%s", "main"]),
        "A shop"
    );
}

#[tokio::test]
async fn a_commit_that_fails_takes_everything_back() {
    let folder = shop();
    with_git(&folder);
    let hook = folder.path().join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho not today >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, Permissions::from_mode(0o755)).unwrap();
    let session = open(&folder);
    let before = files(&folder);
    let wish = |branch: &str| CommitWish {
        message: "Name it GMV".to_owned(),
        branch: Some(branch.to_owned()),
    };
    let publication = |branch: &str| Publication {
        files: vec![
            session
                .edited(SHOP, &[set("gmv", "label", json!("GMV"))])
                .unwrap(),
        ],
        commit: Some(wish(branch)),
    };
    let refusal = session
        .publish(&publication("metrex/gmv"), CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(refusal.code, "git");
    assert!(refusal.message.contains("not today"), "{refusal}");
    assert_eq!(files(&folder), before);
    assert_eq!(
        git(&folder, &["branch", "--format=%(refname:short)"]),
        "main"
    );
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    git(&folder, &["branch", "taken"]);
    let refusal = session
        .publish(&publication("taken"), CancellationToken::new())
        .await
        .unwrap_err();
    assert!(
        refusal.message.contains("a branch 'taken' already"),
        "{refusal}"
    );
    assert_eq!(files(&folder), before);
}

#[tokio::test]
async fn what_only_a_person_can_change_is_left_to_them() {
    let folder = shop();
    let path = folder.path().join("metrics/odd.yaml");
    fs::write(&path, "metrics: {odd: {base_table: orders, agg: count}}\n").unwrap();
    let session = open(&folder);
    let refusal = session
        .edited("metrics/odd.yaml", &[set("odd", "label", json!("Odd"))])
        .unwrap_err();
    assert_eq!(refusal.code, "not_editable");
    assert!(
        refusal
            .message
            .contains("metrics/odd.yaml: 'odd' is written in a way"),
        "{refusal}"
    );
    let known = fs::read_to_string(&path).unwrap();
    assert_eq!(hash(&known).len(), 16);
}

/// A project in git with a proposal: publishing that writes one file and takes another away.
fn proposed() -> TempDir {
    let folder = shop();
    fs::create_dir(folder.path().join("proposals")).unwrap();
    let text = "metric: gmv\ntitle: With cancelled orders\nby: Bo\ndefinition:\n  label: Gross merchandise value\n  aliases: [sales]\n  base_table: orders\n  agg: sum\n  expr: amount * 2\n";
    fs::write(folder.path().join("proposals/gmv.yaml"), text).unwrap();
    with_git(&folder);
    folder
}

#[test]
fn what_was_killed_half_way_is_taken_back_at_the_next_start() {
    // git asks its hook after the files are written: the publisher is killed there, with everything half-done.
    let kill = "kill -9 $(ps -o ppid= -p $PPID)\nsleep 0.2\n";
    for (goes_on, verdict) in [(false, "exit 1"), (true, "exit 0")] {
        let folder = proposed();
        let hook = folder.path().join(".git/hooks/pre-commit");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, format!("#!/bin/sh\n{kill}{verdict}\n")).unwrap();
        fs::set_permissions(&hook, Permissions::from_mode(0o755)).unwrap();
        let before = files(&folder);
        let output = review(&folder, &["gmv", "--publish", "--by", "Ana", "--commit"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), None, "{}", said(&output));
        assert!(!folder.path().join("proposals/gmv.yaml").exists());
        // git is no child of anybody any more: it ends when its lock is gone.
        let began = Instant::now();
        let index = folder.path().join(".git/index.lock");
        while began.elapsed() < Duration::from_secs(5)
            && (index.exists() || began.elapsed() < Duration::from_millis(600))
        {
            std::thread::sleep(Duration::from_millis(50));
        }
        let output = review(&folder, &[]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            said(&output).contains("publishing was interrupted"),
            "{}",
            said(&output)
        );
        if goes_on {
            // What git has committed is done.
            assert_eq!(git(&folder, &["log", "-1", "--format=%s"]), "Publish gmv");
            assert_eq!(git(&folder, &["status", "--porcelain"]), "");
            assert!(text(&folder, SHOP).contains("amount * 2"));
        } else {
            assert_eq!(files(&folder), before);
            assert_eq!(git(&folder, &["log", "-1", "--format=%s"]), "A shop");
        }
        let output = review(&folder, &[]).output().unwrap();
        assert!(!said(&output).contains("interrupted"), "{}", said(&output));
        if !goes_on {
            let output = review(&folder, &["gmv", "--publish", "--by", "Ana"])
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", said(&output));
        }
    }
}

#[test]
fn whenever_it_is_killed_all_is_written_or_nothing() {
    let publish = ["gmv", "--publish", "--by", "Ana"];
    let folder = proposed();
    let began = Instant::now();
    assert!(review(&folder, &publish).status().unwrap().success());
    let whole = began.elapsed();
    let after = files(&folder);
    let mut outcomes = BTreeMap::new();
    for step in 0..12 {
        let folder = proposed();
        let before = files(&folder);
        let mut child = review(&folder, &publish).spawn().unwrap();
        std::thread::sleep(whole * (step + 4) / 16);
        child.kill().unwrap();
        child.wait().unwrap();
        drop(open(&folder));
        let mut now = files(&folder);
        // A text beside the files is nobody's definition, and the next publication takes it away.
        now.retain(|name, _| !(name.contains(".metrex-") && name.ends_with(".tmp")));
        let is_whole = now[SHOP] == after[SHOP] && !now.contains_key("proposals/gmv.yaml");
        assert!(now == before || is_whole, "{:?}", now.keys());
        *outcomes.entry(is_whole).or_insert(0) += 1;
    }
    eprintln!("{outcomes:?}");
}

#[test]
fn notes_that_came_with_a_project_touch_nothing_outside_of_it() {
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = elsewhere.path().join("evil");
    let folder = shop();
    let linked = shop();
    fs::remove_dir_all(linked.path().join("metrics")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), linked.path().join("metrics")).unwrap();
    for (folder, path) in [
        (&folder, outside.to_str().unwrap()),
        (&folder, "../evil"),
        (&folder, "metrics/../../evil"),
        (&folder, "metrex.yaml"),
        (&linked, "metrics/evil"),
    ] {
        let made = ["..", "metrics"];
        let planted = json!({"files": [{"path": path, "old": "evil", "new": null}], "folders": made, "is_committed": false});
        let notes = folder.path().join(".metrex-publishing.json");
        fs::write(&notes, planted.to_string()).unwrap();
        let said = open(folder).mended().unwrap().to_owned();
        assert!(said.contains("nothing was touched"), "{said}");
        assert!(!outside.exists(), "{path}");
        fs::remove_file(&notes).unwrap();
    }
    assert!(!folder.path().parent().unwrap().join("evil").exists());
    assert!(!text(&folder, "metrex.yaml").contains("evil"));
}
