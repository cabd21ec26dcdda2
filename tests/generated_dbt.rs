//! What `metrex generate` writes runs in dbt: the demo's package is built on DuckDB and on PostgreSQL, its tests are run, and
//! every number of every model is held against metrex's own.
//!
//! dbt is installed once from the Python package index, into the target folder. Where that cannot be, the tests say so and
//! are skipped.
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

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use engines::postgres::Cluster;
use engines::{duckdb, postgres};
use metrex::compile::{OutputColumn, Role};
use metrex::model::{Connection, MetricQuery, Status};
use metrex::session::{OpenOptions, Session};
use metrex::warehouse::{Request, Warehouse};
use serde_json::Value;
use tempfile::TempDir;

const TODAY: &str = "2026-11-20";

/// A metric with a test of each kind; the last one is wrong, and has to be found out.
const CHECKED: &str = "
metrics:
  checked_gmv:
    base_table: orders
    agg: sum
    expr: amount_usd
    filters: [\"status <> 'CANCELLED'\"]
    tests:
      - {name: as audited, query: 2026-10, expect: EXPECTED, tolerance: 0.01%}
      - {name: in its range, query: by month 2026-01..2026-10, between: [1, 1000000000], not_null: true, positive: true}
      - {name: markets add up, query: by market 2026-10, sums_to: gmv 2026-10, tolerance: 0.01}
      - {name: fresh, fresh_within: 2 days}
      - {name: wrong on purpose, query: 2026-10, expect: 1}
";

/// The folder with dbt's programs.
fn dbt() -> Option<PathBuf> {
    let requirements = Path::new("tests/fixtures/dbt/requirements.txt");
    let version = fs::read(requirements).unwrap();
    let name = format!("dbt-{:08x}", xxhash_rust::xxh3::xxh3_64(&version) as u32);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Each test is a process of its own; the second one waits for the first.
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let programs = folder.join("bin");
    if folder.join("complete").exists() {
        return Some(programs);
    }
    let python = std::env::var_os("METREX_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let _ = fs::remove_dir_all(&folder);
    let mut make = Command::new(&python);
    if !works(make.args(["-m", "venv"]).arg(&folder)) {
        println!(
            "SKIPPED: {} with venv is not here; METREX_TEST_PYTHON names one",
            python.display()
        );
        return None;
    }
    let mut install = Command::new(programs.join("python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--retries",
        "1",
        "-r",
    ]);
    if !works(install.arg(requirements)) {
        println!("SKIPPED: dbt cannot be installed from the Python package index");
        return None;
    }
    if !works(Command::new(programs.join("dbt")).arg("--version")) {
        println!("SKIPPED: dbt does not start with this Python");
        return None;
    }
    fs::write(folder.join("complete"), "").unwrap();
    Some(programs)
}

fn works(command: &mut Command) -> bool {
    let output = command.stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

/// A copy of the demo's definitions over an engine, and where its packages go.
struct Shop {
    folder: TempDir,
    programs: PathBuf,
    profile: String,
    /// The schema that the engine's tables are in.
    schema: &'static str,
}

impl Shop {
    fn new(
        programs: PathBuf,
        folder: TempDir,
        connection: &str,
        profile: &str,
        schema: &'static str,
    ) -> Self {
        let shop = Self {
            folder,
            programs,
            profile: format!("metrics:\n  target: test\n  outputs:\n    test: {profile}\n"),
            schema,
        };
        for part in ["metrics", "snippets"] {
            fs::create_dir_all(shop.path(part)).unwrap();
            for file in fs::read_dir(part).unwrap().flatten() {
                fs::copy(file.path(), shop.path(part).join(file.file_name())).unwrap();
            }
        }
        fs::create_dir_all(shop.path("profile")).unwrap();
        fs::write(shop.path("profile/profiles.yml"), &shop.profile).unwrap();
        fs::write(
            shop.path("metrex.yaml"),
            format!("connections:\n  shop: {connection}\n"),
        )
        .unwrap();
        let october = shop.metrex(&["query", "gmv 2026-10", "--format", "csv"]);
        let october = october.lines().last().unwrap().to_owned();
        fs::write(
            shop.path("metrics/checked.yaml"),
            CHECKED.replace("EXPECTED", &october),
        )
        .unwrap();
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Every metric in use; of the analyses, which are tested elsewhere, those that are quick to compute.
    fn metrics(&self) -> Vec<String> {
        let session = Session::open(OpenOptions {
            project: Some(self.folder.path().to_owned()),
            state_dir: Some(self.path("state")),
            ..OpenOptions::default()
        });
        let catalog = session.unwrap().catalog();
        let registry = &catalog.registry;
        let in_use = registry.metrics.values().filter(|metric| {
            let analysis = registry
                .analysis_of(metric)
                .map(|analysis| analysis.name.as_str());
            matches!(metric.status, Status::Published | Status::Certified)
                && analysis
                    .is_none_or(|name| ["buyer_retention", "revenue_retention"].contains(&name))
        });
        in_use.map(|metric| metric.name.clone()).collect()
    }

    fn metrex(&self, arguments: &[&str]) -> String {
        let output = self.run(Command::new(env!("CARGO_BIN_EXE_metrex")).args(arguments));
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, command: &mut Command) -> Output {
        command
            .current_dir(self.folder.path())
            .env("METREX_STATE_DIR", self.path("state"))
            .env("METREX_TODAY", TODAY)
            .env("DBT_PROFILES_DIR", self.path("profile"))
            .env("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Builds a package and returns how each model and test ended.
    fn build(&self, package: &str) -> BTreeMap<String, String> {
        self.dbt(package, &["build"])
    }

    fn dbt(&self, package: &str, arguments: &[&str]) -> BTreeMap<String, String> {
        let vars = format!("{{source_schema: {}, today: {TODAY}}}", self.schema);
        let mut dbt = Command::new(self.programs.join("dbt"));
        dbt.args(["--no-version-check", "--quiet"]);
        dbt.args(arguments).args(["--vars", &vars]);
        dbt.args(["--project-dir", package]);
        let output = self.run(&mut dbt);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let results = fs::read_to_string(self.path(package).join("target/run_results.json"));
        let results: Value =
            serde_json::from_str(&results.unwrap_or_else(|_| panic!("{said}"))).unwrap();
        let results = results["results"].as_array().unwrap().iter();
        results
            .map(|result| {
                let text = |key: &str| result[key].as_str().unwrap_or_default().to_owned();
                (
                    text("unique_id"),
                    format!("{} {}", text("status"), text("message")),
                )
            })
            .collect()
    }

    /// What did not end well.
    fn failed(results: &BTreeMap<String, String>) -> Vec<String> {
        let is_well = |end: &str| {
            ["pass", "success", "warn"]
                .iter()
                .any(|word| end.starts_with(word))
        };
        let failed = results.iter().filter(|(_, end)| !is_well(end));
        let mut failed: Vec<String> = failed.map(|(name, end)| format!("{name}: {end}")).collect();
        // The reason stands before what was left out because of it.
        failed.sort_by_key(|line| line.contains(": skipped"));
        failed
    }
}

/// The rows of a statement: groupings as one key, and the number.
async fn numbers(
    warehouse: &Warehouse,
    sql: String,
    columns: &[OutputColumn],
) -> BTreeMap<String, Option<f64>> {
    let request = Request {
        sql,
        columns: Some(
            columns
                .iter()
                .map(|column| (column.name.clone(), column.ty))
                .collect(),
        ),
        row_cap: None,
    };
    let (batches, _) = support::collect(warehouse, request).await.unwrap();
    let mut rows = BTreeMap::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cell = |at: usize| metrex::session::cell::raw_text(batch.column(at), row);
            let last = batch.num_columns() - 1;
            let key: Vec<String> = (0..last)
                .map(|at| cell(at).unwrap_or("NULL".into()))
                .collect();
            let number = cell(last).map(|text| text.parse().unwrap());
            assert!(
                rows.insert(key.join(" · "), number).is_none(),
                "{key:?} stands in two rows"
            );
        }
    }
    rows
}

fn assert_equal(
    what: &str,
    found: &BTreeMap<String, Option<f64>>,
    wanted: &BTreeMap<String, Option<f64>>,
) {
    let keys = |rows: &BTreeMap<String, Option<f64>>| rows.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(found), keys(wanted), "{what}");
    assert!(!found.is_empty(), "{what} has no rows");
    for (key, wanted) in wanted {
        let found = found[key];
        let is_equal = match (found, wanted) {
            (Some(found), Some(wanted)) => (found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0),
            (found, wanted) => found == *wanted,
        };
        assert!(
            is_equal,
            "{what} of {key}: dbt has {found:?}, metrex {wanted:?}"
        );
    }
}

/// Holds every model of a metric against the query that it is made of. Returns how many numbers were compared.
async fn compare(shop: &Shop, connection: &Connection, package: &str, schema: &str) -> usize {
    let session = Session::open(OpenOptions {
        project: Some(shop.folder.path().to_owned()),
        today: Some(TODAY.parse().unwrap()),
        state_dir: Some(shop.path("state")),
        ..OpenOptions::default()
    });
    let session = session.unwrap();
    let warehouse = Warehouse::open(connection, "UTC").unwrap();
    let graph = fs::read_to_string(shop.path(package).join("graph/graph.json")).unwrap();
    let graph: Value = serde_json::from_str(&graph).unwrap();
    let mut compared = 0;
    for node in graph["nodes"].as_array().unwrap() {
        let Some(line) = node["properties"]["query"].as_str() else {
            continue;
        };
        let name = node["name"].as_str().unwrap();
        let query: MetricQuery = line.parse().unwrap();
        let compiled = session
            .compile(&query)
            .unwrap_or_else(|error| panic!("{line}: {}", error.message));
        let columns = &compiled.main.columns;
        let mut wanted = numbers(&warehouse, compiled.main.sql.clone(), columns).await;
        let text = fs::read_to_string(shop.path(package).join(format!("models/marts/{name}.sql")))
            .unwrap();
        if text.contains("Complete periods only") {
            wanted.retain(|key, _| key.as_str() < "2026-11");
        }
        let dialect = session.dialect();
        let names: Vec<String> = columns
            .iter()
            .map(|column| dialect.name(&column.name))
            .collect();
        assert!(
            columns.iter().any(|column| column.role == Role::Group),
            "{line}"
        );
        let sql = format!("SELECT {} FROM {schema}.{name}", names.join(", "));
        let found = numbers(&warehouse, sql, columns).await;
        assert_equal(line, &found, &wanted);
        compared += found.len();
    }
    compared
}

/// Generates and builds the whole package, then the three metrics that matter most as models that grow.
fn build_all(shop: &Shop) {
    let metrics = shop.metrics();
    let mut arguments = vec!["generate", "--out", "package"];
    arguments.extend(metrics.iter().map(String::as_str));
    shop.metrex(&arguments);
    let results = shop.build("package");
    let failed = Shop::failed(&results);
    assert!(
        failed.len() == 1 && failed[0].contains("wrong_on_purpose"),
        "{failed:#?}"
    );
    for metric in [
        "mrr",
        "take_rate",
        "closed_won_pct",
        "net_ads_rev",
        "contact_conversion",
        "buyer_retention",
        "checked_gmv",
    ] {
        let model = format!("model.metrics.mart_{metric}");
        assert!(
            results
                .get(&model)
                .is_some_and(|end| end.starts_with("success")),
            "{model}: {:?}",
            results.get(&model)
        );
    }
    let own = results
        .keys()
        .filter(|name| name.starts_with("test.metrics.checked_gmv"));
    assert_eq!(own.count(), 5);
    // Tables that are there are replaced.
    let failed = Shop::failed(&shop.dbt("package", &["run", "--select", "marts"]));
    assert!(failed.is_empty(), "{failed:#?}");

    shop.metrex(&[
        "generate",
        "mrr",
        "take_rate",
        "closed_won_pct",
        "--materialized",
        "incremental",
        "--out",
        "growing",
    ]);
    let project = shop.path("growing/dbt_project.yml");
    let text = fs::read_to_string(&project).unwrap();
    let elsewhere = text.replace("    marts: {", "    +schema: growing\n    marts: {");
    fs::write(&project, elsewhere).unwrap();
    for _ in 0..2 {
        let failed = Shop::failed(&shop.build("growing"));
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

#[tokio::test]
async fn the_package_runs_on_duckdb_and_its_numbers_are_ours() {
    let (Some(programs), Some(library)) = (dbt(), duckdb::library()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("shop.duckdb");
    let address = format!("duckdb:{}", database.display());
    let mut load = Command::new(env!("CARGO_BIN_EXE_metrex"));
    load.env("METREX_DUCKDB_LIB", &library)
        .env("METREX_STATE_DIR", folder.path().join("state"));
    assert!(works(load.args([
        "demo",
        "--today",
        TODAY,
        "--connection",
        &address
    ])));
    let connection = format!(
        "{{type: duckdb, path: {:?}, library: {library:?}}}",
        database
    );
    let profile = format!("{{type: duckdb, path: {database:?}, schema: metrics, threads: 2}}");
    let shop = Shop::new(programs, folder, &connection, &profile, "main");
    build_all(&shop);

    // dbt's own semantic layer computes the same from what it is told.
    let metrics = "mrr,take_rate,closed_won_pct";
    let mut layer = Command::new(shop.programs.join("mf"));
    layer.args([
        "query",
        "--metrics",
        metrics,
        "--group-by",
        "metric_time__month",
        "--csv",
        "../layer.csv",
    ]);
    layer.env("METREX_TODAY", TODAY);
    let mut said = String::new();
    let output = {
        fs::copy(
            shop.path("profile/profiles.yml"),
            shop.path("package/profiles.yml"),
        )
        .unwrap();
        let command = layer
            .current_dir(shop.path("package"))
            .env("HOME", shop.folder.path());
        command
            .env("DBT_PROFILES_DIR", shop.path("profile"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    said.push_str(&String::from_utf8_lossy(&output.stdout));
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    let layer = fs::read_to_string(shop.path("layer.csv")).unwrap_or_else(|_| panic!("{said}"));
    let ours = shop.metrex(&[
        "query",
        "mrr, take_rate, closed_won_pct by month all time",
        "--format",
        "csv",
    ]);
    assert_equal("dbt's semantic layer", &by_month(&layer), &by_month(&ours));

    let connection = duckdb::at(&database).unwrap();
    assert!(compare(&shop, &connection, "package", "metrics").await > 10_000);
    assert!(compare(&shop, &connection, "growing", "metrics_growing").await > 500);
}

/// Rows of CSV with a day first: every number by its month and column.
fn by_month(csv: &str) -> BTreeMap<String, Option<f64>> {
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let mut rows = BTreeMap::new();
    for cells in lines {
        for (name, cell) in header.iter().zip(&cells).skip(1) {
            rows.insert(format!("{} {name}", &cells[0][..7]), cell.parse().ok());
        }
    }
    rows
}

#[tokio::test]
async fn the_package_runs_on_postgres_and_its_numbers_are_ours() {
    let (Some(programs), Some(cluster)) = (dbt(), Cluster::shared()) else {
        return;
    };
    let url = cluster.url();
    let mut load = Command::new(env!("CARGO_BIN_EXE_metrex"));
    let folder = tempfile::tempdir().unwrap();
    load.env("METREX_STATE_DIR", folder.path().join("state"));
    assert!(works(load.args([
        "demo",
        "--today",
        TODAY,
        "--connection",
        &url
    ])));
    let connection = format!("{{type: postgres, url: {url:?}}}");
    let profile = format!(
        "{{type: postgres, host: 127.0.0.1, port: {}, user: metrex, password: none, dbname: postgres, schema: metrics, threads: 4}}",
        cluster.port
    );
    let shop = Shop::new(programs, folder, &connection, &profile, "public");
    build_all(&shop);
    let connection = postgres::at(&url);
    assert!(compare(&shop, &connection, "package", "metrics").await > 10_000);
    assert!(compare(&shop, &connection, "growing", "metrics_growing").await > 500);
}

/// A small project without a warehouse, and what `metrex generate` says and leaves behind in it.
struct Plain(TempDir);

const PLAIN: &str = "
datasets:
  orders:
    table: raw.orders
    key: [order_id]
    time: created_at
    dimensions:
      created_at: {type: time}
      order: {expr: '\"order\"'}
metrics:
  sales:
    base_table: orders
    agg: sum
    expr: amount
    tests:
      - {name: never below zero, query: 2026-10, positive: true}
  count: {base_table: orders, agg: count}
";

impl Plain {
    fn new() -> Self {
        let plain = Self(tempfile::tempdir().unwrap());
        fs::create_dir(plain.path("metrics")).unwrap();
        fs::write(
            plain.path("metrex.yaml"),
            "connections:\n  here: {type: sqlite, path: x.db}\n",
        )
        .unwrap();
        plain.define(PLAIN);
        plain
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn define(&self, text: &str) {
        fs::write(self.path("metrics/all.yaml"), text).unwrap();
    }

    fn generate(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
        command.current_dir(self.0.path());
        command.env("METREX_STATE_DIR", self.path("state"));
        command.env("METREX_TODAY", TODAY).stdin(Stdio::null());
        command
            .args(["generate", "--out", "package"])
            .args(arguments);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// Every file of the package with its text.
    fn package(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        let mut left = vec![self.path("package")];
        while let Some(folder) = left.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path().is_dir() {
                    true => left.push(entry.path()),
                    false => {
                        drop(files.insert(entry.path(), fs::read_to_string(entry.path()).unwrap()))
                    }
                }
            }
        }
        files
    }
}

#[test]
fn a_package_is_made_again_and_what_is_not_made_any_more_goes() {
    let plain = Plain::new();
    let (code, files, _) = plain.generate(&["--all"]);
    assert_eq!(code, Some(0));
    assert!(files.contains("models/marts/mart_sales.sql"), "{files}");
    let before = plain.package();

    let (code, files, said) = plain.generate(&["sales"]);
    assert_eq!((code, files.as_str()), (Some(0), ""), "{said}");
    assert!(
        said.contains("count is in this folder too, and made again"),
        "{said}"
    );
    assert_eq!(plain.package(), before);

    let (start, rest) = PLAIN.split_once("    tests:").unwrap();
    let (_, count) = rest.split_once("positive: true}\n").unwrap();
    plain.define(&format!("{start}{count}"));
    let (code, _, said) = plain.generate(&["--all"]);
    assert_eq!(code, Some(0), "{said}");
    let test = "tests/sales_never_below_zero_1.sql";
    assert!(said.contains(&format!("{test}: removed")), "{said}");
    assert!(before.contains_key(&plain.path("package").join(test)));
    assert!(!plain.path("package").join(test).exists());
}

#[test]
fn what_was_changed_by_hand_is_never_taken() {
    let plain = Plain::new();
    assert_eq!(plain.generate(&["--all"]).0, Some(0));
    let project = plain.path("package/dbt_project.yml");
    let model = plain.path("package/models/marts/mart_sales.sql");
    for path in [&project, &model] {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, format!("{text}\n# mine\n")).unwrap();
    }
    let changed = plain.package();

    // The definitions say what they said: nothing is to be written.
    let (code, _, said) = plain.generate(&["--all"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("dbt_project.yml: stays as it was changed by hand"),
        "{said}"
    );
    assert_eq!(plain.package(), changed);

    plain.define(&PLAIN.replace("expr: amount", "expr: amount * 2"));
    let (code, _, said) = plain.generate(&["--all"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("mart_sales.sql, changed by hand since metrex made it; nothing was written"),
        "{said}"
    );
    assert_eq!(plain.package(), changed);
}

#[test]
fn nothing_is_written_where_not_everything_can_be() {
    let plain = Plain::new();
    fs::create_dir(plain.path("package")).unwrap();
    fs::write(plain.path("package/README.md"), "mine").unwrap();
    let (code, _, said) = plain.generate(&["--all"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("README.md, which metrex did not make"),
        "{said}"
    );
    assert_eq!(plain.package().len(), 1);

    // A file where a folder has to be.
    fs::remove_file(plain.path("package/README.md")).unwrap();
    fs::write(plain.path("package/skills"), "mine").unwrap();
    let (code, _, said) = plain.generate(&["--all"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("package/skills"), "{said}");
    assert_eq!(plain.package().len(), 1);

    fs::remove_file(plain.path("package/skills")).unwrap();
    let (code, _, said) = plain.generate(&["nothing"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("'nothing'"), "{said}");
    assert_eq!(plain.package().len(), 0);
}

#[test]
fn models_of_a_project_are_read_and_none_is_called_like_one_of_them() {
    let plain = Plain::new();
    let models = plain.path("package/models");
    fs::create_dir_all(&models).unwrap();
    fs::write(plain.path("package/dbt_project.yml"), "name: own\n").unwrap();
    fs::write(models.join("stg_orders.sql"), "select 1 as other").unwrap();
    fs::write(models.join("mart_count.sql"), "select 1 as other").unwrap();
    let (code, out, said) = plain.generate(&["--all", "--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let out: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(out["metrics"], serde_json::json!(["sales"]));
    let notes = out["notes"].to_string();
    assert!(
        notes.contains("the project has a model mart_count of its own"),
        "{notes}"
    );
    let mart = fs::read_to_string(models.join("marts/mart_sales.sql")).unwrap();
    assert!(mart.contains("{{ ref('stg_orders_2') }}"), "{mart}");
    let sources = fs::read_to_string(models.join("sources.yml")).unwrap();
    assert!(sources.contains("name: metrex_raw"), "{sources}");
    assert!(models.join("time_spine.yml").exists());
    let (code, _, said) = plain.generate(&["count"]);
    assert_eq!(code, Some(1), "{said}");

    // The table is a model, and days are known: their semantics are theirs.
    fs::write(models.join("orders.sql"), "select 1 as order_id").unwrap();
    fs::write(
        models.join("own.yml"),
        "models: [{name: days, time_spine: {}}]",
    )
    .unwrap();
    let (code, _, said) = plain.generate(&["sales"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("the table raw.orders is read as orders"),
        "{said}"
    );
    assert!(said.contains("time_spine.yml: removed"), "{said}");
    let all = plain.package().into_values().collect::<Vec<_>>().join("\n");
    assert!(
        all.contains("{{ ref('orders') }}") && !all.contains("semantic_model"),
        "{all}"
    );
}
