//! `metrex init --connection`: a live database is read, never written, and its password is never kept.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/duckdb.rs"]
mod duckdb;
#[path = "support/postgres.rs"]
mod postgres;
mod support;

use std::fs;
use std::path::Path;

use metrex::init::{from_connection, from_csv};
use metrex::model::NoValues;
use metrex::registry::{Project, load};
use metrex::warehouse::{Dialect, Warehouse};
use postgres::Cluster;
use support::shop::{Engine, rows};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The registry files of a project, in the order of their names.
fn registry_files(root: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(root.join("metrics"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

/// Loads the bicycle hire into a PostgreSQL schema of its own, typed as somebody would have typed it.
fn hire(cluster: &Cluster) {
    cluster.psql(
        "CREATE TABLE riders (rider_id integer PRIMARY KEY, full_name text, email text, plan varchar(10), joined_on date NOT NULL, postcode text);
         CREATE TABLE stations (station_id text PRIMARY KEY, name text, district text, opened_on date, docks smallint);
         CREATE TABLE rentals (rental_id text PRIMARY KEY, rider_id bigint, start_station_id text REFERENCES stations,
           end_station_id text, started_at timestamp, minutes integer, rental_total numeric(8, 2), is_electric boolean,
           rider_rental_number integer, remarks text);
         CREATE TABLE rental_extras (rental_id text, extra_code text, quantity integer, unit_price double precision);
         CREATE TABLE extras (extra_code text PRIMARY KEY, extra_name text, extra_kind text);
         CREATE TABLE repairs (repair_id integer PRIMARY KEY, station_id text, extra_code text, repaired_at timestamp, cost double precision);",
    );
    for table in [
        "riders",
        "stations",
        "rentals",
        "rental_extras",
        "extras",
        "repairs",
    ] {
        // Where the server's user may read it.
        let copy = cluster.socket().join(format!("{table}.csv"));
        fs::copy(format!("tests/fixtures/init/{table}.csv"), &copy).unwrap();
        cluster.psql(&format!(
            "\\copy {table} FROM '{}' WITH (FORMAT csv, HEADER)",
            copy.display()
        ));
    }
}

#[test]
fn a_database_gives_the_registry_that_its_csv_files_give() {
    let Some(cluster) = Cluster::start(false) else {
        return;
    };
    hire(&cluster);
    let folder = TempDir::new().unwrap();
    let (csv, live) = (folder.path().join("csv"), folder.path().join("live"));
    from_csv(
        Path::new("tests/fixtures/init"),
        &csv,
        &mut |_| {},
        &CancellationToken::new(),
    )
    .unwrap();
    let created = from_connection(
        &cluster.url(),
        &live,
        &mut |_| {},
        &CancellationToken::new(),
    )
    .unwrap();
    assert_eq!((created.tables, created.rows), (6, 39));
    assert_eq!(registry_files(&csv), registry_files(&live));
    let project = Project::find(Some(&live)).unwrap();
    assert!(
        load(&project.files(), &project.config, None)
            .diagnostics
            .is_empty()
    );
}

#[test]
fn a_password_that_cannot_be_told_apart_is_refused_before_anything_is_written() {
    let folder = TempDir::new().unwrap();
    for url in [
        "postgres://me:s3?cret@127.0.0.1:1/shop",
        "postgres://127.0.0.1:1/shop?pass%77ord=s3cret",
        "host=127.0.0.1 port=1 password = s3cret",
    ] {
        let target = folder.path().join("project");
        let error = from_connection(url, &target, &mut |_| {}, &CancellationToken::new());
        let message = error.unwrap_err().to_string();
        assert!(
            message.contains("percent-encode") && !message.contains("cret"),
            "{message}"
        );
        assert!(!target.exists());
    }
}

#[test]
fn a_password_is_used_and_not_kept() {
    let Some(cluster) = Cluster::start(true) else {
        return;
    };
    cluster.psql("CREATE TABLE visits (visit_id integer PRIMARY KEY, visited_at timestamp)");
    let folder = TempDir::new().unwrap();
    let password = "correct%20horse";
    let target = folder.path().join("from url");
    let url = format!(
        "postgres://metrex:{password}@127.0.0.1:{}/postgres?application_name=x",
        cluster.port
    );
    let created = from_connection(&url, &target, &mut |_| {}, &CancellationToken::new()).unwrap();
    let config = fs::read_to_string(target.join("metrex.yaml")).unwrap();
    assert!(
        config.contains(&format!(
            "postgres://metrex@127.0.0.1:{}/postgres?application_name=x",
            cluster.port
        )),
        "{config}"
    );
    assert!(
        created
            .notes
            .join(" ")
            .contains("The password was not written down"),
        "{:?}",
        created.notes
    );
    let target = folder.path().join("from pairs");
    let pairs = format!(
        "host=127.0.0.1 port={} password='correct horse' user=metrex dbname=postgres",
        cluster.port
    );
    from_connection(&pairs, &target, &mut |_| {}, &CancellationToken::new()).unwrap();
    for text in [
        config,
        fs::read_to_string(target.join("metrex.yaml")).unwrap(),
    ] {
        assert!(
            !text.contains("correct") && !text.contains("horse"),
            "{text}"
        );
    }
    let project = Project::find(Some(&target)).unwrap();
    assert_eq!(project.config.connections.len(), 1);
}

#[test]
fn an_sqlite_file_is_read_where_it_is() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    from_csv(
        Path::new("tests/fixtures/init"),
        &first,
        &mut |_| {},
        &CancellationToken::new(),
    )
    .unwrap();
    let database = first.join("warehouse.db");
    from_connection(
        &format!("sqlite:{}", database.display()),
        &second,
        &mut |_| {},
        &CancellationToken::new(),
    )
    .unwrap();
    assert_eq!(registry_files(&first), registry_files(&second));
    assert!(!second.join("warehouse.db").exists());
}

/// The same tables in a DuckDB file, and as a folder of the CSV files that they were loaded from.
#[test]
fn duckdb_reads_a_file_of_its_own_or_a_folder_of_data() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    if duckdb::kind(&at("any.duckdb")).is_none() {
        return;
    }
    let make = |from: &Path, to: &Path| {
        let url = format!("duckdb:{}", from.display());
        from_connection(&url, to, &mut |_| {}, &CancellationToken::new()).unwrap()
    };
    let csv = Path::new("tests/fixtures/init").canonicalize().unwrap();
    let create = |table: &str| {
        let file = csv.join(format!("{table}.csv"));
        format!(
            "CREATE TABLE {table} AS SELECT * FROM read_csv('{}');",
            file.display()
        )
    };
    let tables = [
        "riders",
        "stations",
        "rentals",
        "rental_extras",
        "extras",
        "repairs",
    ];
    let sql: String = tables.iter().map(|table| create(table)).collect();
    duckdb::execute(&at("hire.duckdb"), &sql).unwrap();
    let from_file = make(&at("hire.duckdb"), &at("first"));
    let from_folder = make(&csv, &at("second"));
    assert_eq!((from_file.tables, from_file.rows), (6, 39));
    assert_eq!((from_folder.tables, from_folder.rows), (6, 39));
    assert_eq!(registry_files(&at("first")), registry_files(&at("second")));
    let config = fs::read_to_string(at("second/metrex.yaml")).unwrap();
    assert!(config.contains("type: duckdb"), "{config}");

    let project = Project::find(Some(&at("second"))).unwrap();
    let loaded = load(&project.files(), &project.config, None);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let connection = &project.config.connections["warehouse"];
    let warehouse = Warehouse::open(connection, "UTC").unwrap();
    let engine = Engine::new(loaded.registry);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for line in ["rentals by start_station.district", "rentals by month"] {
        let compiled = engine.compile_with(line, Dialect::Duckdb, &NoValues);
        let compiled = compiled.unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(
            !runtime
                .block_on(rows(&warehouse, &compiled.main))
                .is_empty()
        );
    }
}

#[test]
fn what_cannot_be_reached_or_understood_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("project");
    let refusal = |url: &str| {
        let message = from_connection(url, &target, &mut |_| {}, &CancellationToken::new())
            .unwrap_err()
            .to_string();
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "something was left behind"
        );
        message
    };
    refusal("postgres://nobody@127.0.0.1:1/nowhere");
    let message = refusal("mysql://root:secret@localhost/shop");
    assert!(
        message.starts_with("'mysql:' is no connection that is known: write postgres://"),
        "{message}"
    );
    assert!(!message.contains("secret"));
    refusal("sqlite:/no/such/file.db");
    fs::write(
        folder.path().join("not.db"),
        "this is no database, only a text of some length",
    )
    .unwrap();
    let url = format!("sqlite:{}", folder.path().join("not.db").display());
    assert!(from_connection(&url, &target, &mut |_| {}, &CancellationToken::new()).is_err());
    assert!(!target.exists());
}

/// Names, types and keys as they are found in old databases.
const AWKWARD: &str = r##"
    CREATE SCHEMA crm;
    CREATE TABLE "Users" ("userId" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "fullName" text, "E-Mail" text,
        "user" text, tags text[], "createdAt" timestamptz DEFAULT '2025-01-01', payload jsonb);
    INSERT INTO "Users" ("fullName", "E-Mail", "user") VALUES ('A', 'a@example.org', 'x'), ('B', 'b@example.org', 'x');
    CREATE TABLE crm."Users" (id serial PRIMARY KEY, "order" text, "Order" text, month text, "größe" numeric, flag boolean);
    INSERT INTO crm."Users" ("order", "Order", month, "größe", flag) VALUES ('a', 'b', 'May', 1.5, true), ('c', 'd', 'June', 2.5, NULL);
    CREATE TABLE employee (id int PRIMARY KEY, manager_id int REFERENCES employee, salary int, "group" text);
    INSERT INTO employee VALUES (1, NULL, 10, 'x'), (2, 1, 5, 'y');
    CREATE TABLE fct_visit (visit_id bigint, day date, "userId" uuid, location text, location_id int, "select" int, has_cart int);
    INSERT INTO fct_visit SELECT i, '2025-01-01', (SELECT "userId" FROM "Users" LIMIT 1), 'here', 1, i, i % 2 FROM generate_series(1, 20) AS i;
    CREATE TABLE location (id int PRIMARY KEY, name text, "time" time);
    INSERT INTO location VALUES (1, 'L: "one", #1', '10:00');
    CREATE TABLE nothing_here (id int PRIMARY KEY, "at" timestamp, note text, amount money);
    CREATE TABLE order_line (order_no int, line_no int, qty int, unit_price numeric, PRIMARY KEY (order_no, line_no));
    INSERT INTO order_line VALUES (1, 1, 2, 1.5), (1, 2, 1, 2), (2, 1, 1, 1);
    CREATE TABLE shipment (shipment_id int PRIMARY KEY, order_no int, line_no int, shipped_at timestamp, FOREIGN KEY (order_no, line_no) REFERENCES order_line);
    INSERT INTO shipment VALUES (1, 1, 1, '2025-02-01'), (2, 2, 1, NULL);
    CREATE VIEW big_spenders AS SELECT * FROM employee WHERE salary > 7;
    CREATE TABLE "Weird; name: yes" ("a:b" int, "# c" text, "it's" text, "Price (EUR)" numeric, "new
line" text);
    INSERT INTO "Weird; name: yes" VALUES (1, 'x', 'y', 3, 'z'), (2, 'x', 'y', 4, 'z');
"##;

#[test]
fn awkward_names_types_and_keys_still_give_a_registry_that_works() {
    let Some(cluster) = Cluster::start(false) else {
        return;
    };
    cluster.psql(AWKWARD);
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("project");
    from_connection(
        &cluster.url(),
        &target,
        &mut |_| {},
        &CancellationToken::new(),
    )
    .unwrap();
    let project = Project::find(Some(&target)).unwrap();
    let loaded = load(&project.files(), &project.config, None);
    let problems: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    let files: Vec<_> = registry_files(&target)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert!(problems.is_empty(), "{problems:#?}\n{}", files.join("\n"));
    let metrics = &loaded.registry.metrics;
    assert!(metrics.contains_key("users") && metrics.contains_key("crm_users"));
    assert!(metrics.contains_key("flag_user_share") && !metrics.contains_key("lines"));
    let employees = &loaded.registry.datasets["employee"];
    assert_eq!(employees.joins["manager"].to, "employee");
    assert_eq!(
        loaded.registry.datasets["shipment"].joins["order_line"]
            .on
            .len(),
        2
    );

    let engine = Engine::new(loaded.registry);
    let warehouse = Warehouse::open(&postgres::at(&cluster.url()), "UTC").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for name in engine.registry.metrics.keys() {
        let choices = engine
            .reach
            .choices(&engine.registry, std::slice::from_ref(name));
        let groups = choices.iter().filter(|choice| choice.reachable.is_ok());
        for group in groups.map(|choice| choice.name.as_str()).chain(["none"]) {
            let line = format!("{name} by {group}");
            let compiled = engine.compile_with(&line, Dialect::Postgres, &NoValues);
            let compiled = compiled.unwrap_or_else(|error| panic!("{line}: {error}"));
            runtime.block_on(rows(&warehouse, &compiled.main));
        }
    }
}
