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
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use learned::{Uses, aggregation, condition, line, log, sql, used, words};
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

#[test]
fn steps_that_several_queries_share_become_a_skill() {
    let demo = Demo::new();
    let usage = demo.log();
    let steps = "WITH per_buyer AS (SELECT user_id, COUNT(*) AS bought, SUM(amount_usd) AS spent FROM orders \
                 WHERE status <> 'CANCELLED' GROUP BY user_id) SELECT";
    for (end, count) in [
        ("MAX(spent) FROM per_buyer", 6),
        ("AVG(bought) FROM per_buyer", 6),
    ] {
        let record = sql(&format!("{steps} {end}"), Facts::default());
        used(
            &usage,
            &record,
            Uses {
                count,
                ..Uses::ENOUGH
            },
        );
    }
    // A query line says the same: orders by market.
    let plain = "WITH by_market AS (SELECT grass_region, COUNT(*) AS n FROM orders GROUP BY grass_region) SELECT";
    for end in ["MAX(n) FROM by_market", "MIN(n) FROM by_market"] {
        used(
            &usage,
            &sql(&format!("{plain} {end}"), Facts::default()),
            Uses::ENOUGH,
        );
    }
    // Steps of one query alone.
    let alone = "WITH per_seller AS (SELECT seller_id, COUNT(*) AS n FROM orders GROUP BY seller_id) SELECT MAX(n) FROM per_seller";
    used(&usage, &sql(alone, Facts::default()), Uses::ENOUGH);
    drop(usage);

    let found = demo.learn(&[]);
    assert!(
        found.len() == 1 && found[0].starts_with("skill:") && found[0].ends_with(": new"),
        "{found:?}"
    );
    let review = demo.said(&["review", "per_buyer"]);
    assert!(review.contains("2 different queries"), "{review}");
    demo.said(&["review", "per_buyer", "--publish"]);
    let by_hand = rusqlite::Connection::open(demo.state().join("demo/demo.db")).unwrap();
    let expected: f64 = by_hand
        .query_row(
            "SELECT COUNT(*) FROM orders WHERE status <> 'CANCELLED' AND user_id = 480002",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let rows = demo.said(&[
        "query",
        "per_buyer where user_id = 480002",
        "--format",
        "csv",
    ]);
    let number: f64 = rows.lines().nth(1).unwrap().parse().unwrap();
    assert!(
        (number - expected).abs() < 0.01 && expected > 0.0,
        "{rows} {expected}"
    );
    assert!(demo.learn(&[]).is_empty());
}

#[test]
fn a_rollup_is_proposed_where_it_saves_more_than_it_costs() {
    let demo = Demo::new();
    let usage = demo.log();
    let asked = |metrics: &[&str], by: &[&str]| {
        let facts = Facts {
            metrics: words(metrics),
            dimensions: words(by),
            grain: Some("month".to_owned()),
            ..Facts::default()
        };
        line(
            &format!("{} by {}, month", metrics.join(", "), by.join(", ")),
            facts,
        )
    };
    let often = Uses {
        count: 80,
        ms: 200,
        ..Uses::ENOUGH
    };
    // By market and channel there are not many fewer rows than orders; by platform there are.
    let most = Uses {
        count: 120,
        ..often
    };
    used(
        &usage,
        &asked(&["gmv", "orders"], &["market", "channel"]),
        most,
    );
    used(&usage, &asked(&["gmv"], &["platform"]), often);
    // Buyers do not add up, and contacts are asked for too seldom to pay.
    used(&usage, &asked(&["buyers"], &["market"]), often);
    used(&usage, &asked(&["touches"], &["touch_type"]), Uses::ENOUGH);
    drop(usage);

    let report: Value = serde_json::from_str(&demo.said(&["learn", "--format", "json"])).unwrap();
    let ideas = report["ideas"].as_array().unwrap();
    assert_eq!(ideas.len(), 1, "{report:#}");
    assert_eq!(ideas[0]["id"], "rollup:orders/day/platform");
    let remark = ideas[0]["remark"].as_str().unwrap();
    assert!(
        remark.starts_with("79 queries x (") && remark.contains("x 30 refreshes"),
        "{remark}"
    );
    let passed = report["passed_over"].as_array().unwrap();
    let is_passed = |name: &str, why: &str| {
        let mut passed = passed.iter().map(|one| one.as_str().unwrap());
        passed.any(|one| one.starts_with(name) && one.contains(why))
    };
    assert!(
        is_passed("rollup orders_by_day_channel_market", "not below 0.1"),
        "{passed:?}"
    );
    assert!(
        is_passed("rollup touchpoints_by_day_touch_type", "not worth it"),
        "{passed:?}"
    );
    let name = "rollups.orders_by_day_platform";
    let before = demo.said(&["query", "gmv by platform 2026-10", "--format", "csv"]);
    let review = demo.said(&["review", name]);
    assert!(review.contains("79 queries"), "{review}");
    demo.said(&["review", name, "--publish"]);
    demo.said(&["materialize"]);
    let after = demo.said(&["query", "gmv by platform 2026-10", "--format", "csv"]);
    let doctor = demo.said(&["doctor"]);
    assert!(doctor.contains("orders_by_day_platform"), "{doctor}");
    let cents = |rows: &str| -> Vec<(String, i64)> {
        let rows = rows.lines().skip(1).map(|row| {
            let (platform, number) = row.split_once(',').unwrap();
            (
                platform.to_owned(),
                (number.parse::<f64>().unwrap() * 100.0).round() as i64,
            )
        });
        rows.collect()
    };
    assert_eq!(cents(&before), cents(&after));
    assert!(demo.learn(&[]).is_empty());
}

#[test]
fn words_that_people_choose_a_meaning_for_become_aliases() {
    let demo = Demo::new();
    // What is chosen is remembered, and every later question is answered with it.
    demo.said(&[
        "ask",
        "revenue by market last month",
        "--choose",
        "4",
        "--run",
    ]);
    demo.said(&["ask", "gmv in Vietnem last month", "--choose", "1", "--run"]);
    let usage = demo.log();
    let asked = |question: &str, metric: &str| metrex::usage::QueryRecord {
        question: Some(question.to_owned()),
        route: metrex::usage::Route::Words,
        ..line(
            question,
            Facts {
                metrics: words(&[metric]),
                ..Facts::default()
            },
        )
    };
    used(
        &usage,
        &asked("revenue by channel", "ads_rev"),
        Uses::ENOUGH,
    );
    used(
        &usage,
        &asked("gmv in Vietnem", "gmv"),
        Uses {
            count: 4,
            ..Uses::ENOUGH
        },
    );
    drop(usage);
    assert_eq!(demo.learn(&[]), ["alias:ads_rev:revenue: new"]);
    let review = demo.said(&["review", "ads_rev"]);
    assert!(
        review.contains("revenue") && review.contains("What changes in meaning"),
        "{review}"
    );
    demo.said(&["review", "ads_rev", "--publish"]);
    let shown = demo.said(&["show", "revenue"]);
    assert!(shown.contains("ads_rev"), "{shown}");
    assert!(demo.learn(&[]).is_empty());
}

#[test]
fn metrics_that_nobody_uses_are_flagged_where_the_log_is_old_enough() {
    let demo = Demo::new();
    let usage = demo.log();
    let catalog = demo.said(&["search"]);
    let names = catalog
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 50, "{names:?}");
    let all = |left_out: &[&str]| {
        let metrics: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| !left_out.contains(name))
            .collect();
        line(
            "all of them",
            Facts {
                metrics: words(&metrics),
                ..Facts::default()
            },
        )
    };
    // visits is what other metrics are made of, and win_rate's metric stands in a saved query.
    used(
        &usage,
        &all(&["ecpm", "cpc", "visits", "closed_won_pct"]),
        Uses {
            count: 1,
            days: 1,
            people: 1,
            failed: 0,
            ms: 9,
        },
    );
    usage.flush();
    assert_eq!(demo.learn(&["--dry-run"]), Vec::<String>::new());
    let old = metrex::usage::QueryRecord {
        at: "2026-07-01T10:00:00Z".parse().unwrap(),
        ..line(
            "cpc",
            Facts {
                metrics: words(&["cpc"]),
                ..Facts::default()
            },
        )
    };
    usage.record(old);
    drop(usage);
    assert_eq!(
        demo.learn(&[]),
        ["deprecation:ecpm: new", "deprecation:cpc: new"]
    );
    let text = fs::read_to_string(demo.proposal("cpc")).unwrap();
    assert!(
        text.contains("last used on 2026-07-01") && text.contains("status: deprecated"),
        "{text}"
    );
    demo.said(&["review", "cpc", "--publish"]);
    let shown = demo.said(&["show", "cpc"]);
    assert!(shown.contains("deprecated"), "{shown}");
}

#[test]
fn of_each_kind_only_a_handful_waits() {
    let demo = Demo::new();
    let usage = demo.log();
    for (at, agg) in ["sum", "avg", "min", "max", "median"]
        .into_iter()
        .enumerate()
    {
        for column in ["voucher_usd", "shipping_usd"] {
            let of = format!("{agg}(orders.{column})");
            let record = sql(&format!("SELECT {of}"), aggregation(&of, &["orders"]));
            used(
                &usage,
                &record,
                Uses {
                    count: 12 + at,
                    ..Uses::ENOUGH
                },
            );
        }
    }
    drop(usage);
    let first = demo.learn(&[]);
    // avg_shipping_fee is there.
    assert_eq!(first.len(), 9, "{first:?}");
    let new = |found: &[String]| found.iter().filter(|one| one.ends_with(": new")).count();
    let later = |found: &[String]| found.iter().filter(|one| one.ends_with(": later")).count();
    assert_eq!((new(&first), later(&first)), (5, 4));
    let second = demo.learn(&[]);
    assert_eq!((new(&second), later(&second)), (0, 4));
    demo.said(&[
        "review",
        "max_voucher_usd_of_orders",
        "--reject",
        "--why",
        "no",
    ]);
    let third = demo.learn(&[]);
    assert_eq!((new(&third), later(&third)), (1, 3), "{third:?}");
}

/// A project of its own in a git repository, over the demo's data.
fn repository(demo: &Demo) -> PathBuf {
    let folder = demo.folder.path().join("project");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["metrics", "snippets"] {
        fs::create_dir_all(folder.join(part)).unwrap();
        for entry in fs::read_dir(root.join(part)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.join(part).join(path.file_name().unwrap())).unwrap();
        }
    }
    fs::write(
        folder.join("metrex.yaml"),
        "connections:\n  demo: {type: demo}\n",
    )
    .unwrap();
    git(&folder, &["init", "--quiet", "--initial-branch", "main"]);
    git(&folder, &["config", "user.name", "Dana"]);
    git(&folder, &["config", "user.email", "dana@example.com"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "--message", "All of it"]);
    folder
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
    String::from_utf8(said.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

fn in_project(folder: &Path, state: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_metrex"))
        .args(["--today", "2026-11-20", "--project"])
        .arg(folder)
        .arg("--state-dir")
        .arg(state)
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn a_branch_has_the_definitions_and_the_report() {
    let demo = Demo::new();
    let refused = demo.run(&["learn", "--branch"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && told.contains("no git repository"),
        "{told}"
    );

    let project = repository(&demo);
    let state = demo.state();
    // The first command makes the state folder of this project.
    assert!(
        in_project(&project, &state, &["query", "gmv"])
            .status
            .success()
    );
    let usage = fs::read_dir(&state)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("usage.db"));
    let usage = usage
        .into_iter()
        .find(|path| path.exists() && !path.starts_with(state.join("demo")))
        .unwrap();
    used(&Usage::open(&usage).unwrap(), &vouchers(), Uses::ENOUGH);
    fs::write(project.join("metrics/mine.yaml"), "# half done\n").unwrap();
    let before = git(&project, &["status", "--porcelain"]);

    let learned = in_project(&project, &state, &["learn", "--branch", "--format", "json"]);
    let told = String::from_utf8_lossy(&learned.stderr).into_owned();
    assert!(
        learned.status.success() && told.contains("metrex/learn-2026-11-20"),
        "{told}"
    );
    assert_eq!(git(&project, &["symbolic-ref", "--short", "HEAD"]), "main");
    assert_eq!(git(&project, &["status", "--porcelain"]), before);
    assert_eq!(
        git(
            &project,
            &["diff", "--name-only", "main", "metrex/learn-2026-11-20"]
        ),
        "metrics/commerce.yaml"
    );
    let diff = git(&project, &["diff", "main", "metrex/learn-2026-11-20"]);
    let taken = diff
        .lines()
        .filter(|line| line.starts_with('-') && !line.starts_with("---"));
    assert_eq!(taken.count(), 0, "{diff}");
    assert!(diff.contains("+  orders_voucher_usd:"), "{diff}");
    let message = git(
        &project,
        &["log", "-1", "--format=%B", "metrex/learn-2026-11-20"],
    );
    assert!(
        message.starts_with("Learned from use: 1 proposal (1 new metric)")
            && message.contains("12 uses on 4 days"),
        "{message}"
    );
    // What was offered is not offered again.
    let again = in_project(&project, &state, &["learn", "--branch", "--format", "json"]);
    assert_eq!(
        stages(&String::from_utf8(again.stdout).unwrap()),
        ["metric:sum(orders: voucher_usd): judged"]
    );
    assert_eq!(
        git(&project, &["branch", "--list", "metrex/*"])
            .lines()
            .count(),
        1
    );
}

#[test]
fn a_chat_is_told_counts_and_names_and_no_values() {
    let demo = Demo::new();
    let project = repository(&demo);
    let state = demo.state();
    let chat = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = "connections:\n  demo: {type: demo}\nlearn: {webhook: \"${CHAT}\"}\n";
    fs::write(project.join("metrex.yaml"), config).unwrap();
    assert!(
        in_project(&project, &state, &["query", "gmv"])
            .status
            .success()
    );
    let usage = fs::read_dir(&state)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("usage.db"));
    let usage = usage
        .into_iter()
        .find(|path| path.exists() && !path.starts_with(state.join("demo")))
        .unwrap();
    used(&Usage::open(&usage).unwrap(), &vouchers(), Uses::ENOUGH);
    let address = format!("http://{}/secret", chat.local_addr().unwrap());
    let listener = std::thread::spawn(move || {
        let (mut stream, _) = chat.accept().unwrap();
        let mut heard = Vec::new();
        let mut piece = [0; 4096];
        while !String::from_utf8_lossy(&heard).contains("}") {
            let read = stream.read(&mut piece).unwrap();
            heard.extend(&piece[..read]);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        String::from_utf8(heard).unwrap()
    });
    let learn = |address: &str| {
        Command::new(env!("CARGO_BIN_EXE_metrex"))
            .args(["--today", "2026-11-20", "--project"])
            .arg(&project)
            .arg("--state-dir")
            .arg(&state)
            .arg("learn")
            .env("CHAT", address)
            .output()
            .unwrap()
    };
    assert!(learn(&address).status.success());
    let heard = listener.join().unwrap();
    assert!(
        heard.contains("1 proposal") && heard.contains("metric: orders_voucher_usd"),
        "{heard}"
    );
    assert!(
        !heard.contains("CANCELLED") && !heard.contains("SELECT"),
        "{heard}"
    );
    // Nobody listens any more, and there is something new: a warning, without the address.
    fs::remove_dir_all(project.join("proposals")).unwrap();
    let output = learn(&address);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && told.contains("the webhook was not told"),
        "{told}"
    );
    assert!(!told.contains("secret"), "{told}");
    assert!(project.join("proposals/orders_voucher_usd.yaml").exists());
}

#[test]
fn two_do_not_learn_at_once() {
    let demo = Demo::new();
    used(&demo.log(), &vouchers(), Uses::ENOUGH);
    let folder = fs::File::open(demo.state().join("demo")).unwrap();
    folder.lock().unwrap();
    let refused = demo.run(&["learn"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && told.contains("somebody else is learning"),
        "{told}"
    );
    assert_eq!(demo.learn(&["--dry-run"]).len(), 1);
    folder.unlock().unwrap();
    assert_eq!(demo.learn(&[]).len(), 1);
}
