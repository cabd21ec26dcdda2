//! The command line as people and programs use it: formats, exit codes, messages, batch.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use project::{TODAY, shop};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The program in a folder, with its state inside the folder and the clock pinned.
fn metrex(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
    command
        .current_dir(folder)
        .env("METREX_STATE_DIR", folder.join(".state"))
        .env("METREX_TODAY", TODAY)
        .env_remove("METREX_LOG")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

struct Run {
    code: i32,
    out: String,
    err: String,
}

fn finished(output: Output) -> Run {
    Run {
        code: output.status.code().expect("ended by a signal"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(folder: &TempDir, arguments: &[&str]) -> Run {
    finished(metrex(folder.path()).args(arguments).output().unwrap())
}

/// What a command prints when all is well.
fn ok(folder: &TempDir, arguments: &[&str]) -> String {
    let run = run(folder, arguments);
    assert_eq!(run.code, 0, "{}", run.err);
    run.out
}

#[test]
fn a_saved_query_is_asked_by_its_name() {
    let shop = shop();
    let views = "views: {board: gmv by market all time total, span: range of created_at.month}\n";
    fs::write(shop.path().join("metrics/views.yaml"), views).unwrap();
    let by_line = ok(&shop, &["query", "gmv by market all time total"]);
    assert_eq!(ok(&shop, &["query", "board"]), by_line);
    assert!(ok(&shop, &["query", "board", "--format", "csv"]).starts_with("market,gmv\n"));
    assert!(ok(&shop, &["query", "span"]).contains("created_at.month_max"));
    let refused = run(&shop, &["query", "board by market"]);
    assert!(
        refused.err.contains("unknown metric 'board'"),
        "{}",
        refused.err
    );
}

#[test]
fn a_table_is_aligned_and_ends_with_the_engines_total() {
    let out = ok(&shop(), &["query", "gmv, aov by market all time total"]);
    let expected = "\
market     gmv    aov
──────  ──────  ─────
ID       $2.00   2.00
TH      $30.50  15.25
VN       $6.24   3.12
──────  ──────  ─────
total   $38.74   7.75
";
    assert_eq!(out, expected);
}

#[test]
fn a_line_may_be_given_as_several_words() {
    let shop = shop();
    assert_eq!(
        ok(&shop, &["query", "gmv", "by", "market", "--format", "csv"]),
        ok(&shop, &["query", "gmv by market", "--format", "csv"])
    );
}

#[test]
fn csv_tells_a_null_from_an_empty_text() {
    let out = ok(&shop(), &["query", "orders by note", "--format", "csv"]);
    assert_eq!(
        out,
        "note,orders\n\"\",1\n\"a, \"\"b\"\"\",1\nplain,1\n,2\n"
    );
}

#[test]
fn a_null_in_a_table_is_written_out() {
    let out = ok(&shop(), &["query", "orders by note"]);
    assert!(out.lines().any(|line| line.starts_with("NULL")), "{out}");
}

#[test]
fn json_carries_types_totals_and_sql() {
    let out = ok(&shop(), &["query", "gmv by note total", "--format", "json"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["query"], "gmv by note all time total");
    assert_eq!(
        answer["columns"][0],
        json!({"name": "note", "label": "Note", "type": "text", "role": "group"})
    );
    assert_eq!(answer["columns"][1]["role"], "metric");
    assert_eq!(answer["rows"][0], json!({"note": "", "gmv": 5.24}));
    assert_eq!(answer["rows"][3], json!({"note": null, "gmv": 3.0}));
    assert_eq!(answer["totals"], json!({"gmv": 38.74}));
    assert_eq!(answer["truncated"], false);
    assert!(answer["sql"].as_str().unwrap().contains("SELECT"));
    assert!(answer["ms"].is_u64());
}

#[test]
fn ndjson_is_one_object_per_row() {
    let out = ok(
        &shop(),
        &["query", "orders by market", "--format", "ndjson"],
    );
    let rows: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        rows,
        [
            json!({"market": "ID", "orders": 1}),
            json!({"market": "TH", "orders": 2}),
            json!({"market": "VN", "orders": 2})
        ]
    );
}

#[test]
fn markdown_is_a_table_with_a_bold_total() {
    let out = ok(
        &shop(),
        &["query", "orders by market total", "--format", "markdown"],
    );
    assert!(
        out.starts_with("| market | orders |\n| --- | ---: |\n| ID | 1 |\n"),
        "{out}"
    );
    assert!(out.ends_with("| **total** | **5** |\n"), "{out}");
}

#[test]
fn a_total_that_has_no_place_among_the_rows_is_not_dropped_in_silence() {
    for format in ["csv", "ndjson"] {
        let run = run(
            &shop(),
            &["query", "orders by market total", "--format", format],
        );
        assert!(!run.out.contains('5'), "{}", run.out);
        assert!(run.err.contains("no place for the total"), "{}", run.err);
    }
}

#[test]
fn a_cut_result_is_announced_beside_the_data() {
    let run = run(
        &shop(),
        &[
            "query",
            "orders by market",
            "--format",
            "csv",
            "--row-cap",
            "1",
        ],
    );
    assert_eq!((run.code, run.out.as_str()), (0, "market,orders\nID,1\n"));
    assert!(run.err.contains("cut after 1 row"), "{}", run.err);
}

#[test]
fn an_output_file_appears_when_it_is_complete() {
    let shop = shop();
    let out = ok(
        &shop,
        &[
            "query",
            "orders by market",
            "--format",
            "csv",
            "--output",
            "orders.csv",
        ],
    );
    assert_eq!(out, "");
    let written = fs::read_to_string(shop.path().join("orders.csv")).unwrap();
    assert_eq!(written, "market,orders\nID,1\nTH,2\nVN,2\n");
    let nowhere = run(&shop, &["query", "orders", "--output", "gone/orders.csv"]);
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.err.contains("gone/orders.csv"), "{}", nowhere.err);
    let failed = run(&shop, &["query", "ordrs", "--output", "none.csv"]);
    assert_eq!(failed.code, 1);
    assert!(!shop.path().join("none.csv").exists());
}

#[test]
fn a_typo_in_a_metric_is_marked_and_the_near_one_named() {
    let run = run(&shop(), &["query", "orders, gmw by market"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("unknown metric 'gmw'"), "{}", run.err);
    assert!(
        run.err.contains("  orders, gmw by market\n          ^^^\n"),
        "{}",
        run.err
    );
    assert!(run.err.contains("hint: did you mean 'gmv'"), "{}", run.err);
}

#[test]
fn a_line_that_does_not_parse_is_marked_where_it_breaks() {
    let run = run(&shop(), &["query", "orders by market where"]);
    assert_eq!(run.code, 1);
    assert!(
        run.err
            .contains("  orders by market where\n                        ^\n"),
        "{}",
        run.err
    );
}

#[test]
fn a_value_that_does_not_exist_is_refused_with_those_that_do() {
    let shop = shop();
    let before = run(&shop, &["sql", "orders where market = XY"]);
    assert_eq!(
        before.code, 0,
        "nothing is known before the index is filled: {}",
        before.err
    );
    assert!(
        before.err.contains("note:"),
        "but it is said: {}",
        before.err
    );
    ok(&shop, &["reindex"]);
    let after = run(&shop, &["query", "orders where market = XY"]);
    assert_eq!(after.code, 1);
    assert!(
        after.err.contains("Unknown market 'XY'. Valid markets: "),
        "{}",
        after.err
    );
    assert!(after.err.contains("^^"), "{}", after.err);
}

#[test]
fn sql_needs_no_warehouse_and_knows_both_engines() {
    let shop = shop();
    fs::remove_file(shop.path().join("shop.db")).unwrap();
    let sqlite = ok(&shop, &["sql", "gmv by month last 6 months"]);
    assert!(sqlite.contains("FROM orders"), "{sqlite}");
    let postgres = ok(
        &shop,
        &["sql", "gmv by month last 6 months", "--dialect", "postgres"],
    );
    assert_ne!(sqlite, postgres);
    let explained = ok(&shop, &["sql", "gmv by month last 6 months", "--explain"]);
    assert!(explained.contains("-- metrics/shop.yaml:"), "{explained}");
    assert!(
        explained.contains("2025-05-01 to 2025-10-31"),
        "{explained}"
    );
}

#[test]
fn the_plan_behind_the_sql_is_drawn_as_a_tree() {
    let shop = shop();
    let plan = ok(&shop, &["sql", "gmv share by month", "--explain=plan"]);
    assert!(plan.starts_with("sort by"), "{plan}");
    assert!(plan.contains("└─ compute gmv_share = "), "{plan}");
    assert!(plan.contains("rows of orders"), "{plan}");
    assert!(!plan.contains(";\n"), "{plan}");
}

#[test]
fn the_plan_is_json_for_programs() {
    let shop = shop();
    let line = ["sql", "gmv by month", "--explain=plan", "--format", "json"];
    let plan: Value = serde_json::from_str(&ok(&shop, &line)).unwrap();
    let groups = &plan["sort"]["input"]["aggregate"];
    assert_eq!(groups["keys"][0]["name"], "month", "{plan}");
    let scan = &groups["input"]["scan"];
    assert_eq!(scan["dataset"], "orders", "{plan}");
    assert_eq!(scan["rollup"], Value::Null);
    let run = run(&shop, &["sql", "gmv", "--format", "json"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("add --explain=plan"), "{}", run.err);
}

#[test]
fn a_text_of_several_lines_stays_whole_in_explained_sql() {
    let explained = ok(
        &shop(),
        &["sql", "gmv where note = 'a\n-- b\nc'", "--explain"],
    );
    assert!(explained.contains("'a\n-- b\nc'"), "{explained}");
    let first = explained.lines().next().unwrap();
    assert!(
        first.starts_with("-- ") && first.contains(r"a\n-- b\nc"),
        "{explained}"
    );
}

#[test]
fn reindex_ends_with_1_when_a_column_cannot_be_read() {
    let shop = shop();
    assert_eq!(run(&shop, &["reindex"]).code, 0);
    let path = shop.path().join("metrics/shop.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("channel: {}", "chanel: {}")).unwrap();
    let failed = run(&shop, &["reindex"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(
        failed.err.contains("failed: orders.chanel: no such column"),
        "{}",
        failed.err
    );
}

#[test]
fn every_mistake_in_the_configuration_is_on_a_line_of_its_own() {
    let shop = shop();
    fs::write(shop.path().join("metrex.yaml"), "them: x\nstate: y\n").unwrap();
    let failed = run(&shop, &["check"]);
    assert_eq!(failed.code, 2);
    assert!(
        failed.err.contains("error: metrex.yaml:1:1"),
        "{}",
        failed.err
    );
    assert!(failed.err.contains("\n  metrex.yaml:2:1"), "{}", failed.err);
}

#[test]
fn check_shows_what_a_file_holds_and_does_not_let_it_act_on_the_terminal() {
    let shop = shop();
    fs::write(
        shop.path().join("metrics/more.yaml"),
        "metrics:\n  a: {base_table: \"\\e[31mordrs\", agg: count}\n",
    )
    .unwrap();
    let broken = run(&shop, &["check"]);
    assert!(
        broken.out.contains(r"\u{1b}[31mordrs") && !broken.out.contains('\u{1b}'),
        "{}",
        broken.out
    );
}

#[cfg(unix)]
#[test]
fn the_log_is_for_the_user_alone_and_holds_no_filter() {
    use std::os::unix::fs::PermissionsExt;
    let shop = shop();
    let output = metrex(shop.path())
        .env("METREX_LOG", "info")
        .args(["query", "gmv where note = 'between us'"])
        .output()
        .unwrap();
    assert_eq!(finished(output).code, 0);
    let log = fs::read_dir(shop.path().join(".state"))
        .unwrap()
        .map(|folder| folder.unwrap().path().join("metrex.log"))
        .find(|path| path.is_file())
        .unwrap();
    let text = fs::read_to_string(&log).unwrap();
    assert!(
        text.contains("gmv") && !text.contains("between us"),
        "{text}"
    );
    let mode = log.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_rows_behind_a_number_are_printed_with_what_they_add_up_to() {
    let shop = shop();
    let line = "gmv by market all time";
    let of_market = ["query", "gmv where market = TH all time", "--format", "csv"];
    let number: f64 = ok(&shop, &of_market)
        .lines()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let out = ok(
        &shop,
        &["rows", line, "--at", "market=TH", "--format", "csv"],
    );
    let mut lines = out.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let gmv = names.iter().position(|name| *name == "gmv").unwrap();
    assert!(!names.contains(&"email"), "{out}");
    let added = lines.map(|line| line.split(',').nth(gmv).unwrap().parse::<f64>().unwrap());
    assert!((added.sum::<f64>() - number).abs() < 1e-9, "{out}");
    let table = run(&shop, &["rows", line, "--at", "market=TH"]);
    assert!(table.out.contains("total"), "{}", table.out);
    assert!(
        table.err.contains("sum of amount over orders"),
        "{}",
        table.err
    );
    let refused = run(
        &shop,
        &["rows", "gmv, gmv share by market", "--column", "gmv_share"],
    );
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("from the rows of the result"),
        "{}",
        refused.err
    );
}

#[test]
fn show_tells_what_a_metric_means_and_where_it_comes_from() {
    let out = ok(&shop(), &["show", "turnover"]);
    for said in [
        "Gross merchandise value",
        "What buyers paid before refunds.",
        "Cancelled orders do not count",
        "certified",
        "Commerce Analytics",
        "sum of amount over orders",
        "metrics/shop.yaml:",
        "segment",
        "table orders",
    ] {
        assert!(out.contains(said), "{said} is missing in\n{out}");
    }
}

#[test]
fn search_finds_by_alias_and_description() {
    let shop = shop();
    assert!(ok(&shop, &["search", "turnover"]).starts_with("gmv "));
    assert!(ok(&shop, &["search", "placed"]).starts_with("orders "));
    assert_eq!(
        ok(&shop, &["search"]).lines().count(),
        4,
        "without words, all are listed"
    );
}

#[test]
fn values_come_with_their_number_of_rows() {
    let shop = shop();
    let empty = run(&shop, &["values", "market"]);
    assert!(empty.err.contains("not indexed yet"), "{}", empty.err);
    let report = run(&shop, &["reindex"]);
    assert_eq!(report.code, 0, "{}", report.err);
    assert_eq!(report.out, "", "progress is no data");
    assert_eq!(ok(&shop, &["values", "market"]), "TH\t2\nVN\t2\nID\t1\n");
    assert_eq!(ok(&shop, &["values", "segment", "ent"]), "Enterprise\t1\n");
    let personal = run(&shop, &["values", "email"]);
    assert!(
        personal.out.is_empty() && personal.err.contains("personal data"),
        "{}",
        personal.err
    );
    assert_eq!(run(&shop, &["values", "markt"]).code, 1);
}

#[test]
fn check_lists_every_problem_with_its_place() {
    let shop = shop();
    let fine = run(&shop, &["check"]);
    assert_eq!((fine.code, fine.out.as_str()), (0, ""));
    fs::write(
        shop.path().join("metrics/more.yaml"),
        "metrics:\n  a: {base_table: ordrs, agg: count}\n  b: {agrr: sum}\n",
    )
    .unwrap();
    let broken = run(&shop, &["check"]);
    assert_eq!(broken.code, 2);
    assert!(
        broken
            .out
            .contains("metrics/more.yaml:2:19: error: unknown dataset 'ordrs'"),
        "{}",
        broken.out
    );
    assert!(
        broken
            .out
            .contains("metrics/more.yaml:3:7: error: unknown key 'agrr'"),
        "{}",
        broken.out
    );
    let listed: Value =
        serde_json::from_str(&run(&shop, &["check", "--format", "json"]).out).unwrap();
    assert_eq!(listed[0]["file"], "metrics/more.yaml");
    assert_eq!(
        run(&shop, &["query", "orders"]).code,
        0,
        "what is sound goes on working"
    );
}

#[test]
fn check_reports_keys_of_the_explorer_that_mean_nothing() {
    let shop = shop();
    let file = shop.path().join("metrex.yaml");
    let config = fs::read_to_string(&file).unwrap();
    let line = config.lines().count() + 1;
    let keys = "keys:\n  groop: b\n  time: Ctrl+Foo\n  views: v\n  run: x\n";
    fs::write(&file, format!("{}\n{keys}", config.trim_end())).unwrap();
    let checked = run(&shop, &["check"]);
    assert_eq!(
        checked.code, 0,
        "nobody is kept from working: {}",
        checked.err
    );
    for (below, text) in [
        (1, "there is no action 'groop' — did you mean 'group'?"),
        (2, "'Ctrl+Foo' is no key"),
        (3, "'views' takes v from 'compare'"),
        (4, "'x' is typed into the text where 'run' applies"),
    ] {
        let place = format!("metrex.yaml:{}:", line + below);
        let mut lines = checked.out.lines();
        let is_said = lines.any(|line| line.starts_with(&place) && line.contains(text));
        assert!(is_said, "{place} {text} is not among\n{}", checked.out);
    }
    assert!(checked.err.contains("4 warnings"), "{}", checked.err);
    let listed = run(&shop, &["check", "--format", "json"]).out;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["found"], "groop");
}

#[test]
fn a_warehouse_that_is_not_there_ends_with_3() {
    let shop = shop();
    let missing = run(&shop, &["query", "orders", "--connection", "gone"]);
    assert_eq!(missing.code, 3, "{}", missing.err);
    for format in ["csv", "markdown", "table", "json", "ndjson"] {
        let arguments = [
            "query",
            "orders",
            "--connection",
            "gone",
            "--format",
            format,
        ];
        assert_eq!(
            run(&shop, &arguments).out,
            "",
            "no data, no header: {format}"
        );
    }
    assert!(missing.err.contains("gone.db"), "{}", missing.err);
    fs::write(
        shop.path().join("gone.db"),
        "this is no database, whatever its name says",
    )
    .unwrap();
    let junk = run(&shop, &["query", "orders", "--connection", "gone"]);
    assert_eq!(junk.code, 3, "{}", junk.err);
    let unknown = run(&shop, &["query", "orders", "--connection", "mian"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("did you mean 'main'?"),
        "{}",
        unknown.err
    );
}

#[test]
fn a_project_that_does_not_exist_ends_with_2() {
    assert_eq!(run(&shop(), &["check", "--project", "nowhere"]).code, 2);
}

#[test]
fn without_a_terminal_the_explorer_says_what_to_do() {
    let run = run(&shop(), &[]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("needs a terminal"), "{}", run.err);
}

#[test]
fn a_state_folder_that_cannot_be_written_is_only_a_notice() {
    let shop = shop();
    let state = shop.path().join("metrex.yaml");
    let run = run(
        &shop,
        &[
            "query",
            "orders",
            "--format",
            "csv",
            "--state-dir",
            state.to_str().unwrap(),
        ],
    );
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, "orders\n5\n"),
        "{}",
        run.err
    );
    assert!(run.err.contains("for this run only"), "{}", run.err);
}

#[test]
fn nothing_is_indexed_where_the_index_cannot_be_kept() {
    let shop = shop();
    let state = shop.path().join("metrex.yaml");
    let run = run(&shop, &["reindex", "--state-dir", state.to_str().unwrap()]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(
        run.err.starts_with("error: nothing is indexed: "),
        "{}",
        run.err
    );
}

#[test]
fn a_damaged_history_stops_nothing_and_is_never_replaced() {
    let shop = shop();
    ok(&shop, &["query", "orders"]);
    let project = fs::read_dir(shop.path().join(".state"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let history = project.join("usage.db");
    let junk = "this was a history once, and somebody may want to mend it".repeat(20);
    fs::write(&history, &junk).unwrap();
    for leftover in ["usage.db-wal", "usage.db-shm"] {
        let _ = fs::remove_file(project.join(leftover));
    }
    let run = run(&shop, &["query", "orders", "--format", "csv"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, "orders\n5\n"),
        "{}",
        run.err
    );
    assert!(run.err.contains("not in the history"), "{}", run.err);
    assert_eq!(fs::read_to_string(&history).unwrap(), junk);
}

#[test]
fn doctor_names_every_connection_and_fails_for_a_dead_one() {
    let run = run(&shop(), &["doctor"]);
    assert_eq!(run.code, 3);
    let line = |name: &str| {
        run.out
            .lines()
            .find(|line| line.contains(name))
            .unwrap_or_else(|| panic!("{name}: {}", run.out))
    };
    assert!(line("connection main").starts_with("ok"));
    assert!(line("connection gone").starts_with("error"));
    assert!(line("tables main").starts_with("ok"));
    assert!(line("value index main").starts_with("warning"));
    assert!(line("state folder").starts_with("ok"));
    assert!(line("clipboard").contains("by "));
}

#[test]
fn state_and_configuration_stand_where_xdg_says() {
    let shop = shop();
    let home = TempDir::new().unwrap();
    let (state, config) = (home.path().join("state"), home.path().join("config"));
    fs::create_dir_all(config.join("metrex")).unwrap();
    let file = config.join("metrex/config.yaml");
    fs::write(&file, "keys: {groop: b}\n").unwrap();
    let mut command = metrex(shop.path());
    command
        .env_remove("METREX_STATE_DIR")
        .env("XDG_STATE_HOME", &state)
        .env("XDG_CONFIG_HOME", &config)
        .arg("doctor");
    let run = finished(command.output().unwrap());
    let state = state.join("metrex");
    let configuration = format!("configuration     {}\n", file.display());
    for text in [
        state.to_str().unwrap(),
        &configuration,
        "did you mean 'group'?",
    ] {
        assert!(run.out.contains(text), "{text} is not in\n{}", run.out);
    }
}

#[test]
fn doctor_points_out_a_database_without_the_tables_of_the_definitions() {
    let shop = shop();
    rusqlite::Connection::open(shop.path().join("gone.db"))
        .unwrap()
        .execute_batch("CREATE TABLE somebody_elses (id INTEGER)")
        .unwrap();
    let run = run(&shop, &["doctor"]);
    let line = run.out.lines().find(|line| line.contains("tables gone"));
    let line = line.unwrap_or_else(|| panic!("{}", run.out));
    assert!(
        line.starts_with("warning") && line.contains("orders"),
        "{line}"
    );
}

fn batch(folder: &TempDir, requests: &str) -> (i32, Vec<Value>) {
    let mut child = metrex(folder.path())
        .arg("batch")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(requests.as_bytes())
        .unwrap();
    let run = finished(child.wait_with_output().unwrap());
    (
        run.code,
        run.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

#[test]
fn batch_answers_every_line_in_order_and_survives_bad_ones() {
    let requests = concat!(
        "{\"id\": 1, \"query\": \"orders by market\"}\n",
        "{\"id\": \"two\", \"query\": {\"metrics\": [\"gmv\"], \"filters\": \"market = TH\"}}\n",
        "not json\n",
        "\n",
        "{\"metrics\": [\"orders\"], \"group_by\": [\"channel\"]}\n",
        "{\"id\": 5, \"query\": \"gmw\"}\n",
        "{\"id\": 6, \"query\": \"orders\", \"colour\": \"red\"}\n",
        "{\"id\": 7, \"query\": \"orders by market\"}",
    );
    let (code, replies) = batch(&shop(), requests);
    assert_eq!((code, replies.len()), (0, 7));
    assert_eq!(replies[0]["id"], 1);
    assert_eq!(replies[0]["columns"][0], "market");
    assert_eq!(replies[0]["rows"], json!([["ID", 1], ["TH", 2], ["VN", 2]]));
    assert_eq!(replies[0]["truncated"], false);
    assert!(replies[0]["sql"].is_string() && replies[0]["ms"].is_u64());
    assert_eq!(replies[1]["id"], "two");
    assert_eq!(replies[1]["rows"], json!([[30.5]]));
    let notes = |reply: usize| replies[reply]["notes"].as_array().unwrap();
    assert_eq!(notes(0).len(), 0);
    assert!(
        notes(1)[0].as_str().unwrap().contains("TH"),
        "{:?}",
        notes(1)
    );
    assert_eq!(replies[2]["error"]["code"], "bad_request");
    assert_eq!(replies[3]["rows"], json!([["ads", 4], ["organic", 1]]));
    assert_eq!(replies[4]["id"], 5);
    assert_eq!(replies[4]["error"]["code"], "unknown_metric");
    assert!(
        replies[4]["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("gmv")
    );
    assert_eq!(replies[5]["error"]["code"], "bad_request");
    assert_eq!(replies[6]["id"], 7);
    assert!(
        replies[6]["cached_age_ms"].is_u64(),
        "asked before: {}",
        replies[6]
    );
}

#[test]
fn batch_answers_before_the_next_request_is_written() {
    let shop = shop();
    let mut child = metrex(shop.path())
        .arg("batch")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut requests, mut replies) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    for _ in 0..2 {
        requests.write_all(b"{\"query\": \"orders\"}\n").unwrap();
        let mut reply = Vec::new();
        let mut byte = [0];
        while byte != [b'\n'] {
            replies.read_exact(&mut byte).unwrap();
            reply.push(byte[0]);
        }
        assert_eq!(
            serde_json::from_slice::<Value>(&reply).unwrap()["rows"],
            json!([[5]])
        );
    }
    drop(requests);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let shop = shop();
    for arguments in [
        &["query", "orders by market", "--format", "csv"][..],
        &["schema"],
        &["man"],
    ] {
        let mut child = metrex(shop.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let run = finished(child.wait_with_output().unwrap());
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
    }
}

/// The shop with a metric `numbers` of 400,000 values of `i`, far more than any pipe or channel holds.
fn shop_with_many_numbers() -> TempDir {
    let shop = shop();
    let long = "datasets:
  long:
    sql: with recursive n(i) as (select 1 union all select i + 1 from n where i < 400000) select i from n
    dimensions: {i: {type: number}}
metrics:
  numbers: {base_table: long, agg: count}
";
    fs::write(shop.path().join("metrics/long.yaml"), long).unwrap();
    shop
}

#[test]
fn a_reader_that_goes_away_in_the_middle_stops_the_query() {
    let shop = shop_with_many_numbers();
    for format in ["csv", "ndjson", "markdown", "table", "json"] {
        let mut child = metrex(shop.path())
            .args(["query", "numbers by i", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0; 100]).unwrap();
        drop(out);
        let run = finished(child.wait_with_output().unwrap());
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{format}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_also_in_the_middle_of_a_long_result() {
    let shop = shop_with_many_numbers();
    for format in ["csv", "ndjson", "table"] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let run = finished(
            metrex(shop.path())
                .args(["query", "numbers by i", "--format", format])
                .stdout(full)
                .output()
                .unwrap(),
        );
        assert_eq!(run.code, 1, "{format}");
        assert!(run.err.contains("No space left on device"), "{}", run.err);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_query_whose_reader_has_stopped_reading() {
    let shop = shop_with_many_numbers();
    let mut child = metrex(shop.path())
        .args(["query", "numbers by i", "--format", "csv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 100]).unwrap();
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(out);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_the_warehouse_and_ends_with_130() {
    let shop = shop();
    let endless = "datasets:
  endless:
    sql: with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000000000) select i from n
metrics:
  numbers: {base_table: endless, agg: count, filters: ['i > 0']}
";
    fs::write(shop.path().join("metrics/endless.yaml"), endless).unwrap();
    let mut child = metrex(shop.path())
        .args(["query", "numbers"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The query runs for minutes; how long the program takes to get there does not matter.
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(
        child.try_wait().unwrap().is_none(),
        "the query ended by itself"
    );
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let run = finished(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.out.as_str()), (130, ""), "{}", run.err);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_batch_that_waits_for_requests() {
    let shop = shop();
    let mut child = metrex(shop.path())
        .arg("batch")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut requests = child.stdin.take().unwrap();
    requests.write_all(b"{\"query\": \"orders\"}\n").unwrap();
    let mut first = [0];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(requests);
}

#[test]
fn completions_manual_pages_and_schema_are_printed() {
    let shop = shop();
    for shell in ["bash", "zsh", "fish"] {
        assert!(ok(&shop, &["completions", shell]).contains("metrex"));
    }
    let page = ok(&shop, &["man"]);
    assert!(
        page.contains(".TH metrex") && page.contains(".SH KEYS"),
        "{page}"
    );
    assert!(ok(&shop, &["man", "query"]).contains("row"));
    assert_eq!(run(&shop, &["man", "nothing"]).code, 2);
    let schema: Value = serde_json::from_str(&ok(&shop, &["schema"])).unwrap();
    assert!(schema.is_object());
}

#[test]
fn no_colour_code_reaches_a_pipe() {
    let shop = shop();
    for arguments in [
        &["query", "orders by market total"][..],
        &["show", "gmv"],
        &["search"],
        &["query", "gmw"],
    ] {
        let run = run(&shop, arguments);
        assert!(
            !run.out.contains('\x1b') && !run.err.contains('\x1b'),
            "{arguments:?}"
        );
    }
}

#[test]
fn outside_a_project_the_demo_answers_also_when_started_twice_at_once() {
    let empty = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = metrex(empty.path());
        command.args([
            "query",
            "gmv by market last 3 months top 3",
            "--format",
            "csv",
        ]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let (one, other) = (start(), start());
    let (one, other) = (
        finished(one.wait_with_output().unwrap()),
        finished(other.wait_with_output().unwrap()),
    );
    assert_eq!((one.code, other.code), (0, 0), "{}{}", one.err, other.err);
    assert_eq!(one.out, other.out);
    assert_eq!(one.out.lines().count(), 4, "{}", one.out);
    let refused = finished(
        metrex(empty.path())
            .args(["query", "gmv where market = XY"])
            .output()
            .unwrap(),
    );
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("Unknown market 'XY'. Valid markets: "),
        "{}",
        refused.err
    );
}

#[cfg(unix)]
#[test]
fn a_demo_that_is_interrupted_in_the_making_leaves_nothing_half_made() {
    let empty = tempfile::tempdir().unwrap();
    let state = empty.path().join(".state/demo");
    fs::create_dir_all(&state).unwrap();
    let killed = state.join(".metrex-killed.tmp");
    fs::write(&killed, "what an earlier, killed process left").unwrap();
    fs::write(state.join("notes.tmp"), "somebody's own").unwrap();
    let half_made = || {
        let names = fs::read_dir(&state).unwrap().flatten();
        names
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(".metrex-"))
            .count()
    };
    let mut child = metrex(empty.path())
        .args(["query", "gmv"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while killed.exists() || half_made() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(half_made(), 0);
    assert!(state.join("notes.tmp").exists() && !state.join("demo.db").exists());
}

#[test]
fn a_day_that_is_still_to_come_drops_nothing_of_the_history() {
    let shop = shop();
    ok(&shop, &["query", "orders"]);
    let later = metrex(shop.path())
        .env("METREX_TODAY", "2040-01-01")
        .args(["query", "gmv"])
        .output();
    assert_eq!(finished(later.unwrap()).code, 0);
    let usage: Value = serde_json::from_str(&ok(&shop, &["usage", "--json"])).unwrap();
    assert_eq!(usage["queries"], 2, "{usage}");
}

#[test]
fn an_investigation_of_a_person_is_not_kept() {
    let shop = shop();
    let kept = || fs::read_dir(shop.path().join(".state")).unwrap().flatten();
    let investigations = || {
        let folders = kept().map(|folder| folder.path().join("why"));
        let files = folders.filter_map(|folder| fs::read_dir(folder).ok());
        files.flatten().count()
    };
    run(
        &shop,
        &["why", "orders where email = 'user1@example.com' this month"],
    );
    assert_eq!(investigations(), 0);
    run(&shop, &["why", "orders this month"]);
    assert_eq!(investigations(), 1);
    ok(&shop, &["usage", "--purge", "--all", "--yes"]);
    assert_eq!(investigations(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_reader_of_errors_who_has_gone_away_is_no_failure() {
    let shop = shop();
    for arguments in [["ask", "gmv this month"], ["query", "gmv"]] {
        let full = fs::File::create("/dev/full").unwrap();
        let status = metrex(shop.path())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(full)
            .status();
        assert_eq!(status.unwrap().code(), Some(0), "{arguments:?}");
    }
}
