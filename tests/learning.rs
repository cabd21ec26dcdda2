//! What is proposed from the log of use, what is not, and what becomes of it.
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
use std::process::{Command, Output};

use learned::{Uses, aggregation, condition, log, sql, used, words};
use metrex::usage::{Facts, Usage};
use serde_json::Value;
use tempfile::TempDir;

/// The demo with a state of its own.
struct Demo {
    folder: TempDir,
}

impl Demo {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        Self { folder }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn log(&self) -> Usage {
        log(&self.state())
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_metrex"))
            .args(["--today", "2026-11-20", "--state-dir"])
            .arg(self.state())
            .args(args)
            .current_dir(self.folder.path().join("empty"))
            .env("USER", "dana")
            .output()
            .unwrap()
    }

    fn said(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The ideas of a run, as `id: what became of it`.
    fn learn(&self, args: &[&str]) -> Vec<String> {
        let args: Vec<&str> = [&["learn", "--format", "json"], args].concat();
        stages(&self.said(&args))
    }

    fn proposal(&self, name: &str) -> PathBuf {
        self.state()
            .join(format!("demo/project/proposals/{name}.yaml"))
    }
}

fn stages(report: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(report).unwrap();
    let ideas = report["ideas"].as_array().unwrap().iter();
    let stages = ideas.map(|idea| {
        let (id, is) = (&idea["id"], &idea["stage"]["is"]);
        format!("{}: {}", id.as_str().unwrap(), is.as_str().unwrap())
    });
    stages.collect()
}

/// Every file below a folder, with its bytes.
fn bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push((path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    found.sort();
    found
}

/// Vouchers as people add them up by hand.
fn vouchers() -> metrex::usage::QueryRecord {
    let mut facts = aggregation("sum(orders.voucher_usd)", &["orders"]);
    facts.filters = vec![condition("status", "<>", &["CANCELLED"])];
    sql(
        "SELECT sum(voucher_usd) FROM orders WHERE status <> 'CANCELLED'",
        facts,
    )
}

#[test]
fn a_repeated_aggregation_becomes_a_metric_and_decoys_do_not() {
    let demo = Demo::new();
    let usage = demo.log();
    used(&usage, &vouchers(), Uses::ENOUGH);
    let decoy = |of: &str, tables: &[&str], uses: Uses| {
        used(
            &usage,
            &sql(&format!("SELECT {of}"), aggregation(of, tables)),
            uses,
        );
    };
    let enough = Uses::ENOUGH;
    // Too seldom, on too few days, by one person, failing too often.
    decoy(
        "avg(orders.voucher_usd)",
        &["orders"],
        Uses { count: 9, ..enough },
    );
    decoy(
        "min(orders.voucher_usd)",
        &["orders"],
        Uses { days: 2, ..enough },
    );
    decoy(
        "max(orders.voucher_usd)",
        &["orders"],
        Uses {
            people: 1,
            ..enough
        },
    );
    decoy(
        "max(order_items.price_usd)",
        &["order_items"],
        Uses {
            failed: 3,
            ..enough
        },
    );
    // The metrics gmv, buyers, aov, item_value and orders are these.
    decoy("sum(orders.amount_usd)", &["orders"], enough);
    decoy("count(distinct orders.user_id)", &["orders"], enough);
    decoy("avg(orders.amount_usd)", &["orders"], enough);
    decoy(
        "sum(order_items.price_usd * order_items.quantity)",
        &["order_items", "orders"],
        enough,
    );
    decoy("count(distinct orders.order_id)", &["orders"], enough);
    // The join has several rows of each order: a number that would be wrong is not proposed.
    decoy(
        "sum(orders.shipping_usd)",
        &["order_items", "orders"],
        enough,
    );
    // No dataset reads this table.
    decoy(
        "sum(contract_months.amount_usd)",
        &["contract_months"],
        enough,
    );
    drop(usage);

    assert_eq!(demo.learn(&[]), ["metric:sum(orders: voucher_usd): new"]);
    let text = fs::read_to_string(demo.proposal("orders_voucher_usd")).unwrap();
    for part in [
        "from: learner",
        "12 uses on 4 days by 3 people, 92 % succeeded",
        "agg: sum",
        "base_table: orders",
        "currency: USD",
        "status <> 'CANCELLED'",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let review = demo.said(&["review", "orders_voucher_usd"]);
    assert!(
        review.contains("from the learner") && review.contains("12 uses"),
        "{review}"
    );
    demo.said(&["review", "orders_voucher_usd", "--publish"]);
    let by_hand = rusqlite::Connection::open(demo.state().join("demo/demo.db")).unwrap();
    let expected: f64 = by_hand
        .query_row(
            "SELECT sum(voucher_usd) FROM orders WHERE status <> 'CANCELLED'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let rows = demo.said(&["query", "orders_voucher_usd", "--format", "csv"]);
    let number: f64 = rows.lines().nth(1).unwrap().parse().unwrap();
    assert!((number - expected).abs() < 0.01, "{rows}: {expected}");
    assert!(demo.learn(&[]).is_empty());
}

#[test]
fn columns_and_joins_that_people_use_by_hand_become_dimensions_and_joins() {
    let demo = Demo::new();
    let usage = demo.log();
    let grouped = Facts {
        tables: words(&["order_items"]),
        dimensions: words(&["order_items.quantity"]),
        filters: vec![condition("order_items.line", ">", &["1"])],
        ..Facts::default()
    };
    used(
        &usage,
        &sql(
            "SELECT quantity, min(line) FROM order_items GROUP BY 1",
            grouped,
        ),
        Uses::ENOUGH,
    );
    let personal = Facts {
        tables: words(&["users"]),
        dimensions: words(&["users.email"]),
        ..Facts::default()
    };
    used(
        &usage,
        &sql("SELECT email FROM users", personal),
        Uses::ENOUGH,
    );
    let joined = Facts {
        tables: words(&["orders", "touchpoints"]),
        joins: words(&["orders.order_id = touchpoints.order_id"]),
        ..Facts::default()
    };
    used(
        &usage,
        &sql(
            "SELECT 1 FROM touchpoints JOIN orders USING (order_id)",
            joined,
        ),
        Uses::ENOUGH,
    );
    let declared = Facts {
        tables: words(&["order_items", "orders"]),
        joins: words(&["order_items.order_id = orders.order_id"]),
        ..Facts::default()
    };
    used(
        &usage,
        &sql(
            "SELECT 1 FROM order_items JOIN orders USING (order_id)",
            declared,
        ),
        Uses::ENOUGH,
    );
    drop(usage);

    assert_eq!(
        demo.learn(&[]),
        [
            "dimension:order_items.quantity: new",
            "join:touchpoints.order_id=orders: new"
        ]
    );
    let listed = demo.said(&["review"]);
    assert!(
        listed.contains("order_items.dimensions.order_items_quantity"),
        "{listed}"
    );
    let review = demo.said(&["review", "order_items.dimensions.order_items_quantity"]);
    assert!(review.contains("12 uses"), "{review}");
    demo.said(&[
        "review",
        "order_items.dimensions.order_items_quantity",
        "--publish",
    ]);
    demo.said(&["review", "touchpoints.joins.order", "--publish"]);
    let by_hand = rusqlite::Connection::open(demo.state().join("demo/demo.db")).unwrap();
    let one = |sql: &str| {
        by_hand
            .query_row(sql, [], |row| row.get::<_, f64>(0))
            .unwrap()
    };
    let rows = demo.said(&[
        "query",
        "item_value by order_items_quantity",
        "--format",
        "csv",
    ]);
    let expected = one(
        "SELECT sum(quantity * price_usd) FROM order_items JOIN orders USING (order_id) \
         WHERE status <> 'CANCELLED' AND quantity = 2",
    );
    assert!(
        rows.lines().any(|row| {
            let number = row.rsplit(',').next().unwrap().parse::<f64>();
            number.is_ok_and(|number| (number - expected).abs() < 0.01)
        }),
        "{rows} {expected}"
    );
    let rows = demo.said(&[
        "query",
        "marketing_spend where order.payment_method = COD",
        "--format",
        "csv",
    ]);
    let expected = one(
        "SELECT sum(cost_usd) FROM touchpoints JOIN orders USING (order_id) WHERE payment_method = 'COD'",
    );
    let number: f64 = rows.lines().nth(1).unwrap().parse().unwrap();
    assert!((number - expected).abs() < 0.01, "{rows} {expected}");
    assert!(demo.learn(&[]).is_empty());
}

#[test]
fn what_was_judged_does_not_come_back_until_it_is_forgotten() {
    let demo = Demo::new();
    used(&demo.log(), &vouchers(), Uses::ENOUGH);
    let idea = "metric:sum(orders: voucher_usd)";
    assert_eq!(demo.learn(&["--dry-run"]), [format!("{idea}: new")]);
    assert!(!demo.proposal("orders_voucher_usd").exists());
    assert_eq!(demo.learn(&[]), [format!("{idea}: new")]);
    let before = bytes(&demo.state());
    assert_eq!(demo.learn(&[]), [format!("{idea}: waiting")]);
    let changed: Vec<PathBuf> = bytes(&demo.state())
        .into_iter()
        .filter(|file| !before.contains(file))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(changed, Vec::<PathBuf>::new());

    let refused = demo.run(&["review", "orders_voucher_usd", "--reject"]);
    assert!(!refused.status.success());
    demo.said(&[
        "review",
        "orders_voucher_usd",
        "--reject",
        "--why",
        "Finance has its own",
    ]);
    assert_eq!(demo.learn(&[]), [format!("{idea}: judged")]);
    fs::remove_file(demo.proposal("orders_voucher_usd")).unwrap();
    assert_eq!(demo.learn(&[]), [format!("{idea}: judged")]);
    let judged = demo.said(&["learn", "--judged"]);
    assert!(
        judged.contains("rejected by dana on 2026-11-20: Finance has its own"),
        "{judged}"
    );
    demo.said(&["learn", "--forget", idea]);
    assert_eq!(demo.learn(&[]), [format!("{idea}: new")]);
}
