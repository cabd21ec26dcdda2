//! Query logs of elsewhere: recognised, read, matched with metrics, counted, and never added twice.
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
use std::path::Path;

use jiff::Timestamp;
use metrex::session::{LogForm, OpenOptions, Session};
use metrex::usage::{Face, Logged, Outcome, Route, Usage};

const MORE: &str = "
metrics:
  ads_orders: {base_table: orders, agg: count, filters: [\"channel = 'ads'\"]}
  largest: {base_table: orders, agg: max, expr: amount}
";

const HISTORY: &str = r#"QUERY_ID,QUERY_TEXT,USER_NAME,START_TIME,END_TIME,EXECUTION_STATUS,ERROR_CODE,TOTAL_ELAPSED_TIME,ROWS_PRODUCED
1,"SELECT market, SUM(o.amount) AS s FROM public.orders AS o WHERE o.created_at >= '2025-10-01' GROUP BY market",ANA,2025-11-03 09:00:00.123 -0800,2025-11-03 09:00:01.123 -0800,SUCCESS,,1250,6
2,"select count(*) from orders where channel = 'ads' and note = 'call +49 30 1234'",BEN,2025-11-03 10:00:00.000 -0800,2025-11-03 10:00:01.000 -0800,SUCCESS,,80,1
3,"SELECT MAX(amount), date_trunc('month', created_at) FROM orders GROUP BY 2",BEN,2025-11-04 10:00:00.000 -0800,2025-11-04 10:00:01.000 -0800,SUCCESS,,90,12
4,"SELECT count(*) FROM orders JOIN users ON users.user_id = orders.user_id WHERE users.email = 'zora-77@example.com' AND users.segment IN ('SMB')",BEN,2025-11-04 11:00:00.000 -0800,,FAIL,000904,15,0
5,"INSERT INTO orders SELECT * FROM staging",ETL,2025-11-04 12:00:00.000 -0800,,SUCCESS,,900,0
6,"SELEKT nothing",ANA,2025-11-04 13:00:00.000 -0800,,FAIL,001003,3,0
7,"SELECT avg(amount) FROM orders",ANA,yesterday,,SUCCESS,,3,1
8,"SELECT avg(weight) FROM parcels WHERE carrier = 'DHL'",ANA,2025-11-05 13:00:00.000 -0800,,SUCCESS,,33,1
"#;

const CSVLOG: &str = r#"2025-11-03 09:00:00.100 UTC,"ana","shop",101,"[local]",6900.65,1,"SELECT",2025-11-03 08:59:00 UTC,3/1,0,LOG,00000,"duration: 12.700 ms  statement: SELECT sum(amount) FROM orders;",,,,,,,,,"psql","client backend",,0
2025-11-03 09:00:05.100 UTC,"ana","shop",101,"[local]",6900.65,2,"SELECT",2025-11-03 08:59:00 UTC,3/1,0,LOG,00000,"duration: 3.2 ms  execute <unnamed>: SELECT count(*) FROM orders WHERE market = $1","parameters: $1 = 'ID'",,,,,,,,"psql","client backend",,0
2025-11-03 09:00:09.000 UTC,"ben","shop",102,"[local]",6900.66,1,"SELECT",2025-11-03 08:59:00 UTC,3/1,0,ERROR,42703,"column ""amoun"" does not exist",,,,,,"SELECT sum(amoun) FROM orders",12,,"psql","client backend",,0
2025-11-03 09:00:10.000 UTC,,,103,,6900.67,1,,2025-11-03 08:59:00 UTC,,0,LOG,00000,"checkpoint starting: time",,,,,,,,,"","checkpointer",,0
2025-11-03 09:00:11.000 UTC,"ben","shop",102,"[local]",6900.66,2,"UPDATE",2025-11-03 08:59:00 UTC,3/1,0,LOG,00000,"duration: 1.0 ms  statement: UPDATE orders SET amount = 1",,,,,,,,,"psql","client backend",,0
"#;

const STATEMENTS: &str = r#"userid,dbid,queryid,query,calls,total_exec_time,mean_exec_time,rows
10,5,1,"SELECT market, sum(amount) FROM orders GROUP BY market",500,6000.0,12.0,3000
10,5,2,"SELECT count(*) FROM orders WHERE channel = $1",40,80.0,2.0,40
10,5,3,"COMMIT",900,9.0,0.01,0
"#;

struct Shop {
    folder: tempfile::TempDir,
    session: Session,
}

impl Shop {
    fn new() -> Self {
        let folder = project::shop();
        fs::write(folder.path().join("metrics/more.yaml"), MORE).unwrap();
        let session = Session::open(OpenOptions {
            project: Some(folder.path().to_owned()),
            state_dir: Some(folder.path().join(".state")),
            today: Some(project::TODAY.parse().unwrap()),
            ..OpenOptions::default()
        });
        Self {
            session: session.unwrap(),
            folder,
        }
    }

    fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn log(&self) -> Vec<Logged> {
        let usage = Usage::open(&self.session.state().usage()).unwrap();
        usage.flush();
        let mut all = Vec::new();
        let (first, last) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        usage.logged(first, last, &mut |one| all.push(one)).unwrap();
        all
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    let mut all = fs::read(path).unwrap();
    let wal = path.with_extension("db-wal");
    all.extend(fs::read(wal).unwrap_or_default());
    all
}

#[test]
fn a_query_history_is_read_and_matched_with_metrics() {
    let shop = Shop::new();
    let file = shop.file("history.csv", HISTORY);
    let import = shop.session.import_log(&file).unwrap();
    assert_eq!(import.form, LogForm::QueryHistory);
    assert_eq!((import.added, import.known, import.no_select), (5, 0, 1));
    assert_eq!(import.unread.as_ref().unwrap().0, 1);
    let (broken, why) = import.broken.clone().unwrap();
    assert_eq!(
        (broken, why.as_str()),
        (1, "line 8: 'yesterday' is no time")
    );
    assert_eq!(import.without_metric, 1);
    let log = shop.log();
    let metrics: Vec<_> = log
        .iter()
        .map(|one| one.record.facts.metrics.join("+"))
        .collect();
    assert_eq!(metrics, ["gmv", "ads_orders", "largest", "orders", ""]);
    let first = &log[0].record;
    assert_eq!((first.face, first.route), (Face::Log, Route::Sql));
    assert_eq!(
        (first.user.as_str(), first.ms, first.rows),
        ("ANA", 1250, 6)
    );
    assert_eq!(first.at.to_string(), "2025-11-03T17:00:00.123Z");
    assert_eq!(first.facts.tables, ["orders"]);
    assert_eq!(first.facts.dimensions, ["market"]);
    assert_eq!(log[2].record.facts.grain.as_deref(), Some("month"));
    let failed = &log[3].record;
    assert_eq!(failed.outcome, Outcome::Failed("fail 000904".to_owned()));
    assert_eq!(failed.facts.joins, ["orders.user_id = users.user_id"]);
    let of = |on: &str| {
        failed
            .facts
            .filters
            .iter()
            .find(|filter| filter.on == on)
            .unwrap()
    };
    assert_eq!(of("segment").values, ["SMB"]);
    assert!(of("email").values.is_empty());
    // No literal is kept of a column that nobody described, or that is personal.
    assert_eq!(log[4].record.facts.aggregations, ["avg(parcels.weight)"]);
    let all = bytes(&shop.session.state().usage());
    for text in ["zora", "DHL"] {
        assert!(
            !all.windows(text.len()).any(|part| part == text.as_bytes()),
            "{text}"
        );
    }
    // They are no lines that could be run again.
    assert!(shop.session.history(9).is_empty());
}

#[test]
fn a_join_that_multiplies_rows_makes_another_number() {
    let shop = Shop::new();
    let more = "
datasets:
  lines: {table: order_lines, key: line_id, joins: {order: {to: orders, on: order_id}}, dimensions: {product: {}}}
metrics:
  lines: {base_table: lines, agg: count}
  people: {base_table: users, agg: count_distinct, expr: user_id}
";
    fs::write(shop.folder.path().join("metrics/lines.yaml"), more).unwrap();
    let session = Session::open(OpenOptions {
        project: Some(shop.folder.path().to_owned()),
        state_dir: Some(shop.folder.path().join(".state")),
        ..OpenOptions::default()
    });
    let matched = |number: usize, sql: &str| {
        let row = format!("10,5,{number},\"{sql}\",1,1.0,1.0,1\n");
        let head = "userid,dbid,queryid,query,calls,total_exec_time,mean_exec_time,rows\n";
        let file = shop.file(&format!("{number}.csv"), &format!("{head}{row}"));
        let import = session.as_ref().unwrap().import_log(&file).unwrap();
        assert_eq!(import.added, 1, "{sql}");
        import
            .metrics
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
            .join("+")
    };
    let of_each = "JOIN users ON users.user_id = orders.user_id";
    let of_many = "JOIN order_lines ON order_lines.order_id = orders.order_id";
    for (number, (sql, metrics)) in [
        (
            format!("SELECT segment, sum(orders.amount) FROM orders {of_each} GROUP BY segment"),
            "gmv",
        ),
        // Each order is there as often as it has lines.
        (
            format!("SELECT product, sum(orders.amount) FROM orders {of_many} GROUP BY product"),
            "",
        ),
        (format!("SELECT count(*) FROM orders {of_many}"), "lines"),
        (
            format!("SELECT max(orders.amount) FROM orders {of_many}"),
            "largest",
        ),
        (
            format!("SELECT count(DISTINCT users.user_id) FROM orders {of_each}"),
            "people",
        ),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(matched(number, sql), *metrics, "{sql}");
    }
}

#[test]
fn the_same_file_adds_nothing_the_second_time_and_a_longer_one_only_what_is_new() {
    let shop = Shop::new();
    let file = shop.file("history.csv", HISTORY);
    shop.session.import_log(&file).unwrap();
    let again = shop.session.import_log(&file).unwrap();
    assert_eq!((again.added, again.known), (0, 5));
    let more = format!(
        "{HISTORY}9,SELECT sum(amount) FROM orders,ANA,2025-11-06 09:00:00 -0800,,SUCCESS,,3,1\n"
    );
    let longer = shop
        .session
        .import_log(&shop.file("longer.csv", &more))
        .unwrap();
    assert_eq!((longer.added, longer.known), (1, 5));
    assert_eq!(shop.log().len(), 6);
}

#[test]
fn a_csvlog_of_postgresql_needs_no_header() {
    let shop = Shop::new();
    let import = shop
        .session
        .import_log(&shop.file("postgresql.csv", CSVLOG))
        .unwrap();
    assert_eq!(import.form, LogForm::PgCsvlog);
    assert_eq!((import.added, import.no_select, import.others), (3, 1, 1));
    let log = shop.log();
    let told: Vec<_> = log
        .iter()
        .map(|one| {
            (
                one.record.user.as_str(),
                one.record.ms,
                one.record.facts.metrics.join("+"),
                one.record.outcome.is_ok(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("ana", 12, "gmv".to_owned(), true),
            ("ana", 3, "orders".to_owned(), true),
            ("ben", 0, String::new(), false)
        ]
    );
    assert_eq!(log[2].record.outcome, Outcome::Failed("42703".to_owned()));
}

#[test]
fn statistics_of_statements_count_each_statement_once_and_say_so() {
    let shop = Shop::new();
    let file = shop.file("statements.csv", STATEMENTS);
    let import = shop.session.import_log(&file).unwrap();
    assert_eq!(import.form, LogForm::PgStatStatements);
    assert_eq!((import.added, import.no_select, import.calls), (2, 1, 540));
    let log = shop.log();
    assert_eq!((log[0].record.ms, log[0].record.rows), (12, 6));
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_metrex"))
        .current_dir(shop.folder.path())
        .env("METREX_STATE_DIR", shop.folder.path().join(".state"))
        .args(["usage", "import", "statements.csv"])
        .output()
        .unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(
        said.starts_with("pg_stat_statements: 0 statements added, 2 there already"),
        "{said}"
    );
    assert!(
        said.contains("called 540 times; who called them and when is not in such a file"),
        "{said}"
    );
    assert!(said.contains("1 statement left out: no SELECT"), "{said}");
}

#[test]
fn a_file_that_is_no_log_is_refused_with_what_would_be_one() {
    let shop = Shop::new();
    let file = shop.file("people.csv", "name,age\nana,30\n");
    let error = shop.session.import_log(&file).unwrap_err();
    assert!(
        error
            .message
            .contains("is no query log that is known here: it begins with 'name, age'"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("pg_stat_statements"));
    assert!(
        shop.session
            .import_log(&shop.folder.path().join("nothing.csv"))
            .is_err()
    );
}
