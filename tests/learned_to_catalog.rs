//! From the log of use to a metric in the catalog, in the real program in a real terminal, on the demo.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/learned.rs"]
mod learned;
#[path = "support/pty.rs"]
mod pty;

use std::path::Path;
use std::process::Command;

use learned::{Uses, aggregation, condition, log, sql, used};
use portable_pty::CommandBuilder;
use pty::Pty;
use rusqlite::Connection;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_metrex");

/// The demo, with its state in a folder of its own.
fn metrex(folder: &Path, args: &[&str]) -> Vec<String> {
    let state = folder.join("state").display().to_string();
    let options = ["--today", "2026-11-20", "--state-dir", &state];
    let all = options.iter().chain(args);
    all.map(|arg| (*arg).to_owned()).collect()
}

/// What a command prints.
fn said(folder: &Path, args: &[&str]) -> String {
    let done = Command::new(PROGRAM)
        .args(metrex(folder, args))
        .current_dir(folder.join("empty"))
        .env("USER", "dana")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let trouble = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{args:?}: {text}{trouble}");
    format!("{text}{trouble}")
}

fn explorer(folder: TempDir) -> Pty {
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(metrex(folder.path(), &[]));
    command.cwd(folder.path().join("empty"));
    command.env("TERM", "xterm-256color");
    command.env("USER", "dana");
    command.env("XDG_CONFIG_HOME", folder.path().join("config"));
    command.env_remove("NO_COLOR");
    Pty::run(40, 120, command, folder)
}

/// `$18,258`.
fn dollars(amount: f64) -> String {
    let digits = format!("{amount:.0}");
    let (thousands, rest) = digits.split_at(digits.len() - 3);
    format!("${thousands},{rest}")
}

#[test]
fn what_people_add_up_by_hand_is_found_in_the_catalog_in_the_end() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    said(folder.path(), &["query", "gmv"]);
    // What some people write, again and again.
    let statement = "SELECT SUM(voucher_usd) FROM orders WHERE status <> 'CANCELLED'";
    let mut facts = aggregation("sum(orders.voucher_usd)", &["orders"]);
    facts.filters = vec![condition("status", "<>", &["CANCELLED"])];
    let usage = log(&folder.path().join("state"));
    used(&usage, &sql(statement, facts), Uses::ENOUGH);
    drop(usage);
    let demo = Connection::open(folder.path().join("state/demo/demo.db")).unwrap();
    let expected: f64 = demo.query_row(statement, [], |row| row.get(0)).unwrap();
    let learned = said(folder.path(), &["learn"]);
    assert!(learned.contains("1 proposal (1 new metric)"), "{learned}");
    assert!(
        learned.contains("proposals/orders_voucher_usd.yaml"),
        "{learned}"
    );

    let pty = explorer(folder);
    pty.shows("Ads revenue");
    // Out of the field in which letters are searched for.
    pty.send("\tJ");
    pty.shows("orders_voucher_usd");
    pty.shows("from the learner");
    pty.shows("12 uses on 4 days by 3 people, 92 % succeeded");
    pty.send("\x1b[15~");
    pty.shows(&dollars(expected));
    pty.send("p");
    pty.shows("publish, why:");
    pty.send("asked for every week\r");
    pty.shows("orders_voucher_usd is published");
    pty.send("q");
    pty.shows("Catalog");
    pty.send("/voucher_usd");
    pty.until("the metric in the catalog", |pty| {
        let text = pty.text();
        let mut lines = text.lines();
        lines.any(|line| line.contains('›') && line.contains("orders_voucher_usd"))
    });
    pty.send("\r");
    pty.shows("F5 runs the query");
    pty.send("\x1b[15~");
    pty.shows(&dollars(expected));
    pty.send("\x03");
    pty.shows("again quits");
    pty.send("\x03");
    let mut pty = pty;
    assert!(pty.ends().success());

    let folder = pty.folder.path();
    let yaml = folder.join("state/demo/project/metrics/commerce.yaml");
    let yaml = std::fs::read_to_string(yaml).unwrap();
    assert!(yaml.contains("  orders_voucher_usd:\n"), "{yaml}");
    assert!(yaml.contains("asked for every week"), "{yaml}");
    assert!(
        !folder
            .join("state/demo/project/proposals/orders_voucher_usd.yaml")
            .exists()
    );
    let rows = said(folder, &["query", "orders_voucher_usd", "--format", "csv"]);
    let number: f64 = rows.lines().nth(1).unwrap().parse().unwrap();
    assert!((number - expected).abs() < 0.005, "{rows}, not {expected}");
    let found = said(folder, &["search", "voucher"]);
    assert!(found.contains("orders_voucher_usd"), "{found}");
}
