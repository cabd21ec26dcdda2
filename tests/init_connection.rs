//! `metrex init --connection`: a live database is read, never written, and its password is never kept.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/postgres.rs"]
#[allow(dead_code, reason = "every test file uses its own part")]
mod postgres;

use std::fs;
use std::path::Path;

use metrex::init::{from_connection, from_csv};
use metrex::registry::{Project, load};
use postgres::Cluster;
use tempfile::TempDir;

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
    from_csv(Path::new("tests/fixtures/init"), &csv, &mut |_| {}).unwrap();
    let created = from_connection(&cluster.url(), &live, &mut |_| {}).unwrap();
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
    let created = from_connection(&url, &target, &mut |_| {}).unwrap();
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
    from_connection(&pairs, &target, &mut |_| {}).unwrap();
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
    from_csv(Path::new("tests/fixtures/init"), &first, &mut |_| {}).unwrap();
    let database = first.join("warehouse.db");
    from_connection(
        &format!("sqlite:{}", database.display()),
        &second,
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(registry_files(&first), registry_files(&second));
    assert!(!second.join("warehouse.db").exists());
}

#[test]
fn what_cannot_be_reached_or_understood_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("project");
    let refusal = |url: &str| {
        let message = from_connection(url, &target, &mut |_| {})
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
    assert!(from_connection(&url, &target, &mut |_| {}).is_err());
    assert!(!target.exists());
}
