//! Times stored without a zone become local times of another one, the same on every engine, also when clocks change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/engines.rs"]
mod engines;
mod support;

use metrex::model::ColumnType;

/// Zone it is stored in, zone wanted, stored time, local time.
const TIMES: [(&str, &str, &str, &str); 10] = [
    (
        "UTC",
        "Asia/Jakarta",
        "2025-01-06 23:59:59",
        "2025-01-07T06:59:59",
    ),
    (
        "Asia/Jakarta",
        "UTC",
        "2025-01-07 06:59:59",
        "2025-01-06T23:59:59",
    ),
    (
        "UTC",
        "Asia/Kathmandu",
        "2025-01-06 18:15:00",
        "2025-01-07T00:00:00",
    ),
    // Clocks go from 2 to 3 in Berlin on 30 March, and from 3 to 2 on 26 October.
    (
        "UTC",
        "Europe/Berlin",
        "2025-03-30 00:59:59",
        "2025-03-30T01:59:59",
    ),
    (
        "UTC",
        "Europe/Berlin",
        "2025-03-30 01:00:00",
        "2025-03-30T03:00:00",
    ),
    (
        "UTC",
        "Europe/Berlin",
        "2025-10-26 00:30:00",
        "2025-10-26T02:30:00",
    ),
    (
        "UTC",
        "Europe/Berlin",
        "2025-10-26 01:30:00",
        "2025-10-26T02:30:00",
    ),
    (
        "UTC",
        "Europe/Berlin",
        "2025-10-25 22:00:00",
        "2025-10-26T00:00:00",
    ),
    // A time that clocks skip counts on from before the change; one that they show twice is the later one.
    (
        "America/New_York",
        "UTC",
        "2025-03-09 02:30:00",
        "2025-03-09T07:30:00",
    ),
    (
        "America/New_York",
        "UTC",
        "2025-11-02 01:30:00",
        "2025-11-02T06:30:00",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn local_times_are_right_on_every_engine_on_the_days_clocks_change() {
    let rows: Vec<_> = TIMES
        .iter()
        .enumerate()
        .map(|(id, (_, _, stored, _))| format!("({id}, '{stored}')"))
        .collect();
    let sql = format!(
        "CREATE TABLE t (id integer, stored timestamp); INSERT INTO t VALUES {}, (99, NULL)",
        rows.join(", ")
    );
    // The zone of the session has no part in it.
    for engine in engines::everywhere_in("America/Lima", &sql) {
        let dialect = engine.warehouse.dialect();
        for (id, (from, to, stored, local)) in TIMES.iter().enumerate() {
            let time = dialect.local_time("stored", from, to);
            let sql = format!("SELECT {time} FROM t WHERE id = {id}");
            let found = engine.rows_as(&sql, &[ColumnType::Timestamp]).await;
            assert_eq!(
                found,
                [*local],
                "{stored} of {from} in {to} on {}",
                engine.name
            );
        }
        let none = dialect.local_time("stored", "UTC", "Asia/Jakarta");
        let sql = format!("SELECT {none} FROM t WHERE id = 99");
        let found = engine.rows_as(&sql, &[ColumnType::Timestamp]).await;
        assert_eq!(found, ["-"], "{}", engine.name);
    }
}

#[tokio::test]
async fn sqlite_reads_offsets_and_fractions_and_refuses_what_is_no_time() {
    let engines = engines::everywhere("CREATE TABLE t (x text)");
    let sqlite = engines
        .iter()
        .find(|engine| engine.name == "sqlite")
        .unwrap();
    for (text, expected) in [
        ("2025-01-06T23:59:59.25Z", "2025-01-07 06:59:59.25"),
        ("2025-01-06 23:59:59+02:00", "2025-01-07 04:59:59"),
        ("2025-01-06", "2025-01-06 00:00:00"),
    ] {
        let sql = format!("SELECT metrex_local('{text}', 'Asia/Jakarta', 'Asia/Jakarta')");
        assert_eq!(sqlite.rows(&sql).await, [expected], "{text}");
    }
    for (sql, problem) in [
        ("metrex_local('soon', 'UTC', 'UTC')", "'soon' is no time"),
        ("metrex_local(5, 'UTC', 'UTC')", "a time is text"),
        (
            "metrex_local('2025-01-06', 'UTC', 'Mars/Base')",
            "no time zone 'Mars/Base'",
        ),
    ] {
        let error = sqlite
            .ask(&format!("SELECT {sql}"), None)
            .await
            .unwrap_err();
        assert!(error.message.contains(problem), "{error}");
    }
}
