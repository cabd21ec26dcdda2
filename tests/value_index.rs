//! The value index: what is collected, what is not, and that readers see the old values or the new, never a half.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/postgres.rs"]
mod postgres;
mod support;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use metrex::index::{IndexError, Report, Task, ValueIndex, plan, reindex};
use metrex::model::{ColumnState, Registry, ValueLookup};
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};
use metrex::warehouse::Warehouse;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const METRICS: &str = "
datasets:
  orders:
    table: orders
    key: order_id
    time: ordered_at
    dimensions:
      market: {column: region}
      size: {type: number}
      paid: {type: boolean}
      ordered_at: {type: time}
      note: {pii: true}
      initial: {expr: 'substr(region, 1, 1)'}
      branch: {expr: 'upper(Branch)'}
      half: {expr: size / 2, type: number}
      order_id: {type: number}
    joins:
      buyer: {to: users, on: user_id}
      place: {to: places, on: region}
  users:
    table: users
    key: user_id
    dimensions:
      segment: {}
  places:
    sql: |
      select distinct region, region || '!' as shout from orders -- as of today
    key: region
    dimensions:
      shout: {}
metrics:
  gmv:
    base_table: orders
    agg: sum
    expr: amount
    filters: [\"status <> 'CANCELLED'\", \"buyer.segment = 'SMB'\", \"market <> 'XX'\"]
";

const DATA: &str = "
CREATE TABLE users (user_id integer, segment text);
INSERT INTO users VALUES (1, 'SMB'), (2, 'Enterprise'), (2, 'SMB'), (NULL, 'SMB'), (NULL, 'SMB');
CREATE TABLE orders (order_id integer, user_id integer, region text, size numeric(8, 2), paid boolean,
    ordered_at timestamp, note text, amount numeric, status text, \"Branch\" text DEFAULT 'main');
INSERT INTO orders (order_id, user_id, region, size, paid, ordered_at, note, amount, status) VALUES
    (1, 1, 'ID', 7, true, '2025-11-03', 'call me', 10, 'PAID'),
    (2, 1, 'ID', 7.0, false, '2025-11-03', 'call me', 10, 'PAID'),
    (3, 1, 'ID', 12.5, NULL, '2025-11-03', 'call me', 10, 'CANCELLED'),
    (4, 1, 'TH', 12.50, true, '2025-11-03', 'call me', 10, 'PAID'),
    (5, 1, '', NULL, true, '2025-11-03', NULL, 10, 'PAID'),
    (6, 1, NULL, NULL, true, '2025-11-03', NULL, 10, NULL);
";

fn registry_of(text: &str) -> Registry {
    let file = ProjectFile {
        path: "metrics/shop.yaml".to_owned(),
        text: text.to_owned(),
    };
    let files = ProjectFiles {
        metrics: vec![file],
        ..ProjectFiles::default()
    };
    let loaded = load(&files, &Config::default(), None);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    loaded.registry
}

/// A warehouse in a folder of its own, and an index beside it.
struct Setup {
    folder: TempDir,
    registry: Registry,
    warehouse: Warehouse,
    index: Arc<ValueIndex>,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("shop.db");
        rusqlite::Connection::open(&database)
            .unwrap()
            .execute_batch(DATA)
            .unwrap();
        Self {
            registry: registry_of(METRICS),
            warehouse: Warehouse::open(&support::sqlite(&database), "UTC").unwrap(),
            index: Arc::new(ValueIndex::open(&folder.path().join("value_index.db")).unwrap()),
            folder,
        }
    }

    /// Changes the data in the warehouse.
    fn change(&self, sql: &str) {
        rusqlite::Connection::open(self.folder.path().join("shop.db"))
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("value_index.db")
    }

    async fn fill(&self) -> Result<Report, IndexError> {
        fill(&self.warehouse, &self.index, &self.registry).await
    }

    /// The values of a dimension, wherever they are filed.
    fn values_of(&self, dataset: &str, dimension: &str) -> Vec<(String, u64)> {
        let dataset = &self.registry.datasets[dataset];
        self.values(
            &dataset.index_table(),
            &dataset.dimensions[dimension].index_column(),
        )
    }

    fn values(&self, table: &str, column: &str) -> Vec<(String, u64)> {
        self.index.values(table, column, "", 100).unwrap()
    }
}

async fn fill(
    warehouse: &Warehouse,
    index: &Arc<ValueIndex>,
    registry: &Registry,
) -> Result<Report, IndexError> {
    reindex(
        warehouse,
        index,
        plan(registry),
        false,
        |_| {},
        &CancellationToken::new(),
    )
    .await
}

fn counted(values: &[(&str, u64)]) -> Vec<(String, u64)> {
    values
        .iter()
        .map(|(value, count)| ((*value).to_owned(), *count))
        .collect()
}

#[test]
fn every_dimension_and_filter_column_is_planned_and_personal_data_never_asked_for() {
    let planned: HashMap<(String, String), Task> = plan(&registry_of(METRICS))
        .into_iter()
        .map(|column| ((column.table, column.column), column.task))
        .collect();
    let mut names: Vec<_> = planned
        .keys()
        // Queries and expressions are filed with a hash of their text.
        .map(|(table, column)| {
            [table, column]
                .map(|name| name.split('#').next().unwrap())
                .join(".")
        })
        .collect();
    names.sort();
    let expected = [
        "orders.branch",
        "orders.initial",
        "orders.note",
        "orders.order_id",
        "orders.paid",
        "orders.region",
        "orders.size",
        "orders.status",
        "places.region",
        "places.shout",
        "users.segment",
        "users.user_id",
    ];
    assert_eq!(names, expected);
    let task = |table: &str, column: &str| &planned[&(table.to_owned(), column.to_owned())];
    assert_eq!(*task("orders", "note"), Task::Forget);
    assert_eq!(
        *task("users", "user_id"),
        Task::Key(vec!["user_id".to_owned()])
    );
}

#[tokio::test]
async fn values_are_kept_with_their_counts_in_the_form_that_queries_write() {
    let setup = Setup::new();
    let report = setup.fill().await.unwrap();
    assert!(report.failed.is_empty(), "{report}");
    assert!(!report.to_string().contains('#'), "{report}");
    let progress = metrex::index::Progress {
        done: 0,
        total: 2,
        table: "places#0f".into(),
        column: "shout#1e".into(),
    };
    assert_eq!(progress.to_string(), "1/2 places.shout");
    // NULL is no value; the empty text is one.
    assert_eq!(
        setup.values("orders", "region"),
        counted(&[("ID", 3), ("", 1), ("TH", 1)])
    );
    assert_eq!(
        setup.values("orders", "size"),
        counted(&[("12.5", 2), ("7", 2)])
    );
    assert_eq!(
        setup.values("orders", "paid"),
        counted(&[("true", 4), ("false", 1)])
    );
    assert_eq!(setup.values_of("orders", "branch"), counted(&[("MAIN", 6)]));
    assert_eq!(
        setup.values_of("orders", "initial"),
        counted(&[("I", 3), ("", 1), ("T", 1)])
    );
    assert_eq!(
        setup.values("orders", "status"),
        counted(&[("PAID", 4), ("CANCELLED", 1)])
    );
    assert_eq!(
        setup.values_of("places", "shout"),
        counted(&[("!", 1), ("ID!", 1), ("TH!", 1)])
    );
    assert_eq!(
        setup.index.values("orders", "status", "ca", 10).unwrap(),
        counted(&[("CANCELLED", 1)])
    );
    assert_eq!(setup.index.values("orders", "status", "%", 10).unwrap(), []);

    assert_eq!(
        setup.index.state("orders", "region"),
        ColumnState::Indexed { distinct: 3 }
    );
    assert_eq!(setup.index.state("orders", "note"), ColumnState::Pii);
    assert_eq!(setup.values("orders", "note"), []);
    assert_eq!(setup.index.state("orders", "half"), ColumnState::Missing);
    assert!(setup.index.updated_at("orders", "region").is_some());
    assert!(setup.index.age() <= setup.index.updated_at("orders", "region"));
    assert_eq!(setup.index.updated_at("orders", "half"), None);
}

#[tokio::test]
async fn postgres_gives_the_same_values() {
    let Some(cluster) = postgres::Cluster::start(false) else {
        return;
    };
    cluster.psql(DATA);
    let setup = Setup::new();
    setup.fill().await.unwrap();
    let warehouse = Warehouse::open(&postgres::at(&cluster.url()), "UTC").unwrap();
    let index = Arc::new(ValueIndex::open(&setup.folder.path().join("postgres.db")).unwrap());
    let report = fill(&warehouse, &index, &setup.registry).await.unwrap();
    assert!(report.failed.is_empty(), "{report}");
    for column in plan(&setup.registry) {
        let same = index
            .values(&column.table, &column.column, "", 100)
            .unwrap();
        assert_eq!(
            same,
            setup.values(&column.table, &column.column),
            "{}",
            column.column
        );
    }
    assert_eq!(index.key_is_unique("users"), Some(false));
}

#[tokio::test]
async fn a_key_that_is_not_unique_is_found() {
    let setup = Setup::new();
    let report = setup.fill().await.unwrap();
    // Rows without a key are never joined to.
    assert_eq!(report.duplicate_keys, [("users (user_id)".to_owned(), 1)]);
    assert_eq!(setup.index.key_is_unique("users"), Some(false));
    assert_eq!(
        setup
            .index
            .key_is_unique(&setup.registry.datasets["places"].index_table()),
        Some(true)
    );
    assert_eq!(setup.index.key_is_unique("orders"), None);
    // The declaration is corrected, or the data.
    let corrected = METRICS
        .replace("key: user_id", "key: [user_id, segment]")
        .replace("on: user_id", "on: {user_id: user_id, status: segment}");
    fill(&setup.warehouse, &setup.index, &registry_of(&corrected))
        .await
        .unwrap();
    assert_eq!(setup.index.key_is_unique("users"), Some(true));
    setup.fill().await.unwrap();
    assert_eq!(setup.index.key_is_unique("users"), Some(false));
    setup.change("DELETE FROM users WHERE segment = 'Enterprise'");
    setup.fill().await.unwrap();
    assert_eq!(setup.index.key_is_unique("users"), Some(true));
}

#[tokio::test]
async fn a_column_with_too_many_values_is_wide_and_any_literal_passes() {
    let setup = Setup::new();
    setup.change(
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 10110)
         INSERT INTO orders (order_id, region) SELECT i, 'ID' FROM n",
    );
    let report = setup.fill().await.unwrap();
    assert_eq!(report.wide, [("orders.order_id".to_owned(), 10_017)]);
    assert_eq!(
        setup.index.state("orders", "order_id"),
        ColumnState::Wide { distinct: 10_017 }
    );
    assert_eq!(setup.values("orders", "order_id"), []);
    assert_eq!(
        setup.values("orders", "region")[0],
        ("ID".to_owned(), 10_014)
    );
}

#[tokio::test]
async fn a_column_that_becomes_personal_data_is_forgotten() {
    let setup = Setup::new();
    setup.fill().await.unwrap();
    let registry = registry_of(&METRICS.replace("{column: region}", "{column: region, pii: true}"));
    fill(&setup.warehouse, &setup.index, &registry)
        .await
        .unwrap();
    assert_eq!(setup.index.state("orders", "region"), ColumnState::Pii);
    assert_eq!(setup.values("orders", "region"), []);
}

#[tokio::test]
async fn values_are_found_exactly_and_suggested_nearest_first() {
    let setup = Setup::new();
    setup.change(
        "INSERT INTO users (segment) VALUES ('Mid-market'), ('Enterprise plus'), ('enterprises'), ('Nano'), ('Nano')",
    );
    setup.fill().await.unwrap();
    let index = &setup.index;
    assert!(index.contains("users", "segment", "SMB"));
    assert!(!index.contains("users", "segment", "smb"));
    let nearest = |word: &str, limit| index.nearest("users", "segment", word, limit);
    assert_eq!(nearest("smb", 1), ["SMB"]);
    assert_eq!(
        nearest("enterprise", 3),
        ["Enterprise", "Enterprise plus", "enterprises"]
    );
    assert_eq!(nearest("Entreprise", 1), ["Enterprise"]);
    assert_eq!(nearest("mid", 1), ["Mid-market"]);
    // Where nothing is near, the most frequent come first.
    assert_eq!(nearest("xyzzy", 2), ["SMB", "Nano"]);
}

#[tokio::test]
async fn a_failing_write_keeps_the_old_values() {
    let setup = Setup::new();
    setup.fill().await.unwrap();
    let before = setup.values("orders", "region");
    let saboteur = rusqlite::Connection::open(setup.file()).unwrap();
    saboteur
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON dimension_values WHEN NEW.value = 'BR'
             BEGIN SELECT RAISE(ABORT, 'no space'); END",
        )
        .unwrap();
    setup.change("UPDATE orders SET region = 'VN' WHERE order_id = 1; UPDATE orders SET region = 'BR' WHERE order_id = 2");
    let error = setup.fill().await.unwrap_err();
    assert!(error.to_string().contains("value_index.db"), "{error}");
    assert_eq!(setup.values("orders", "region"), before);
    saboteur.execute_batch("DROP TRIGGER full").unwrap();
    setup.fill().await.unwrap();
    assert!(setup.index.contains("orders", "region", "BR"));
}

#[tokio::test]
async fn a_column_that_cannot_be_read_is_reported_and_keeps_its_values() {
    let setup = Setup::new();
    setup.fill().await.unwrap();
    setup.change("ALTER TABLE users RENAME COLUMN segment TO tier");
    let report = setup.fill().await.unwrap();
    assert_eq!(report.failed.len(), 1);
    assert_eq!(report.failed[0].column, "users.segment");
    assert!(
        report.to_string().contains("no such column: segment"),
        "{report}"
    );
    assert!(setup.index.contains("users", "segment", "SMB"));
}

#[tokio::test]
async fn a_run_that_broke_off_is_resumed() {
    let setup = Setup::new();
    let columns = plan(&setup.registry);
    let cancel = CancellationToken::new();
    let stop = |progress: metrex::index::Progress| {
        if progress.done == 4 {
            cancel.cancel();
        }
    };
    let broken = reindex(
        &setup.warehouse,
        &setup.index,
        columns.clone(),
        false,
        stop,
        &cancel,
    )
    .await;
    assert!(matches!(broken, Err(IndexError::Cancelled)));
    let again = |resume| {
        let columns = columns.clone();
        let cancel = CancellationToken::new();
        let (warehouse, index) = (&setup.warehouse, &setup.index);
        async move {
            reindex(warehouse, index, columns, resume, |_| {}, &cancel)
                .await
                .unwrap()
        }
    };
    let report = again(true).await;
    assert_eq!(report.skipped, 4);
    assert_eq!(
        report.indexed + report.pii + report.skipped + 2,
        columns.len()
    );
    // A complete run leaves nothing to resume.
    assert_eq!(again(true).await.skipped, 0);
    assert_eq!(again(false).await.skipped, 0);
}

#[tokio::test]
async fn a_warehouse_that_is_away_ends_the_run_and_keeps_everything() {
    let setup = Setup::new();
    setup.fill().await.unwrap();
    std::fs::remove_file(setup.folder.path().join("shop.db")).unwrap();
    assert!(matches!(setup.fill().await, Err(IndexError::Warehouse(_))));
    assert!(setup.index.contains("orders", "region", "TH"));
}

#[tokio::test]
async fn a_refill_by_another_process_is_seen() {
    let setup = Setup::new();
    let other = ValueIndex::open(&setup.file()).unwrap();
    assert_eq!(other.state("orders", "region"), ColumnState::Missing);
    setup.fill().await.unwrap();
    assert!(other.contains("orders", "region", "TH"));
    setup.change("UPDATE orders SET region = 'VN'");
    setup.fill().await.unwrap();
    assert!(!other.contains("orders", "region", "TH"));
}

#[test]
fn a_damaged_index_is_moved_aside_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("value_index.db");
    std::fs::write(&file, "this was a database once ".repeat(100)).unwrap();
    let index = ValueIndex::open(&file).unwrap();
    assert_eq!(index.state("a", "b"), ColumnState::Missing);
    assert!(folder.path().join("value_index.db.damaged").exists());
}

/// Refills one column with ever other values until the process is killed.
async fn refill_for_ever(file: &Path) {
    let setup = Setup::new();
    let index = Arc::new(ValueIndex::open(file).unwrap());
    let mut columns = plan(&setup.registry);
    columns.retain(|column| column.column == "region" && column.table == "orders");
    for round in 0.. {
        let values = if round % 2 == 0 { 3_000 } else { 5_000 };
        setup.change(&format!(
            "DELETE FROM orders;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {values})
             INSERT INTO orders (region) SELECT {round} || '-' || i FROM n"
        ));
        let cancel = CancellationToken::new();
        reindex(
            &setup.warehouse,
            &index,
            columns.clone(),
            false,
            |_| {},
            &cancel,
        )
        .await
        .unwrap();
    }
}

#[test]
fn a_killed_refill_leaves_a_whole_column() {
    if let Some(file) = std::env::var_os("REFILL") {
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(refill_for_ever(Path::new(&file)));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("value_index.db");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "a_killed_refill_leaves_a_whole_column"])
        .env("REFILL", &file);
    let mut child = child.stdout(std::process::Stdio::null()).spawn().unwrap();
    let index = ValueIndex::open(&file).unwrap();
    let size = || {
        index
            .values("orders", "region", "", usize::MAX)
            .unwrap()
            .len()
    };
    while size() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..50 {
        assert!(matches!(size(), 3_000 | 5_000));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let index = ValueIndex::open(&file).unwrap();
    let values = index.values("orders", "region", "", usize::MAX).unwrap();
    let distinct = values.len() as u64;
    assert_eq!(
        index.state("orders", "region"),
        ColumnState::Indexed { distinct }
    );
    let round = values[0].0.split('-').next().unwrap();
    assert!(
        values
            .iter()
            .all(|(value, _)| value.starts_with(&format!("{round}-")))
    );
}

#[test]
fn values_of_an_earlier_definition_are_not_taken_for_those_of_the_present_one() {
    let column = |metrics: &str| {
        registry_of(metrics).datasets["orders"].dimensions["initial"]
            .index_column()
            .into_owned()
    };
    let expression = "substr(region, 1, 1)";
    assert!(METRICS.contains(expression));
    assert_ne!(
        column(METRICS),
        column(&METRICS.replace(expression, "substr(region, 2, 1)"))
    );
}
