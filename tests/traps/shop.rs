//! A registry and its tables on every engine, asked in query lines.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::civil::{Date, date};
use metrex::compile::{CompileOptions, Passes, Reachability, Templates, compile};
use metrex::model::{ColumnType, MetricQuery, NoValues, Registry};
use metrex::warehouse::{Dialect, Request, Warehouse, WarehouseError};
use tokio::runtime::Runtime;

use crate::oracle::{Table, Value, World, answer, load, values};
use crate::{duckdb, postgres, support};

/// The registry and the tables of a trap.
pub struct Shop {
    registry: Registry,
    reach: Reachability,
    templates: Templates,
    tables: Vec<Table>,
    today: Date,
    runtime: Runtime,
    engines: Vec<Warehouse>,
    _cluster: Option<std::sync::Arc<postgres::Cluster>>,
    _folder: tempfile::TempDir,
}

/// A table: `orders: id integer, day date, amount number`, and a line per row with cells between `|`, `-` for NULL.
pub fn table(columns: &str, rows: &str) -> Table {
    let (name, columns) = columns.split_once(':').unwrap();
    let columns: Vec<(&str, ColumnType)> = columns
        .split(',')
        .map(|column| {
            let (name, ty) = column.trim().split_once(' ').unwrap();
            let ty = match ty.trim() {
                "text" => ColumnType::Text,
                "integer" => ColumnType::Integer,
                "number" => ColumnType::Number,
                "boolean" => ColumnType::Boolean,
                "date" => ColumnType::Date,
                "time" => ColumnType::Timestamp,
                other => panic!("{other} is no type"),
            };
            (name, ty)
        })
        .collect();
    let rows: Vec<Vec<&str>> = rows
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    Table::of(name, &columns, &rows)
}

/// The tables on every engine that is here, on 15 April 2025.
pub fn shop(yaml: &str, tables: Vec<Table>) -> Shop {
    on(date(2025, 4, 15), yaml, tables)
}

/// The same on another day.
pub fn on(today: Date, yaml: &str, tables: Vec<Table>) -> Shop {
    let registry = support::shop::registry_of(yaml);
    let folder = tempfile::tempdir().unwrap();
    let mut connections = vec![support::sqlite(&folder.path().join("shop.db"))];
    let cluster = postgres::Cluster::shared();
    if let Some(cluster) = &cluster {
        // The tests of one process share the server.
        static DATABASES: AtomicUsize = AtomicUsize::new(0);
        let database = format!("trap_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        cluster.psql(&format!("CREATE DATABASE {database}"));
        let url = cluster.url();
        let (server, _) = url.rsplit_once('/').unwrap();
        connections.push(postgres::at(&format!("{server}/{database}")));
    }
    connections.extend(duckdb::at(&folder.path().join("shop.duckdb")));
    let runtime = Runtime::new().unwrap();
    let mut engines = Vec::new();
    for connection in connections {
        load(&connection.kind, &tables);
        let _runtime = runtime.enter();
        engines.push(Warehouse::open(&connection, &registry.calendar.timezone).unwrap());
    }
    Shop {
        reach: Reachability::new(&registry),
        templates: Templates::builtin().unwrap(),
        registry,
        tables,
        today,
        runtime,
        engines,
        _cluster: cluster,
        _folder: folder,
    }
}

impl Shop {
    /// Every engine and the oracle give these rows, in this order.
    pub fn answers(&self, line: &str, right: &[&str]) {
        let world = World::new(&self.registry, &self.tables, self.today);
        let expected = answer(&world, &asked(line)).unwrap_or_else(|why| panic!("{line}: {why:?}"));
        assert_eq!(texts(&expected.rows), right, "{line}: the oracle");
        self.engines_answer(line, right);
    }

    /// Every engine gives these rows, in this order.
    pub fn engines_answer(&self, line: &str, right: &[&str]) {
        for engine in &self.engines {
            let (sql, rows) = self.run(line, engine);
            let rows = rows.unwrap_or_else(|error| panic!("{line}: {error}\n{sql}"));
            assert_eq!(
                texts(&rows),
                right,
                "{line} on {}\n{sql}",
                engine.dialect().word()
            );
        }
    }

    /// Every engine refuses to run what was compiled, in words that hold this.
    pub fn fails(&self, line: &str, words: &str) {
        for engine in &self.engines {
            match self.run(line, engine) {
                (sql, Ok(_)) => panic!("{line} is answered on {}:\n{sql}", engine.dialect().word()),
                (_, Err(error)) => assert!(error.to_string().contains(words), "{line}: {error}"),
            }
        }
    }

    fn run(
        &self,
        line: &str,
        engine: &Warehouse,
    ) -> (String, Result<Vec<Vec<Value>>, WarehouseError>) {
        let compiled = self.compile(&asked(line), engine.dialect());
        let statement = compiled
            .unwrap_or_else(|error| panic!("{line}: {error} {:?}", error.hint))
            .main;
        let columns = statement.columns.iter();
        let columns = columns.map(|column| (column.name.clone(), column.ty));
        let request = Request {
            sql: statement.sql.clone(),
            columns: Some(columns.collect()),
            row_cap: None,
        };
        let rows = self.runtime.block_on(support::collect(engine, request));
        (statement.sql, rows.map(|(batches, _)| values(&batches)))
    }

    /// The question is refused before it runs, in words that hold this.
    pub fn refuses(&self, line: &str, words: &str) {
        match self.compile(&asked(line), Dialect::Sqlite) {
            Ok(compiled) => panic!("{line} is answered:\n{}", compiled.main.sql),
            Err(error) => assert!(error.message.contains(words), "{line}: {error}"),
        }
    }

    fn compile(
        &self,
        query: &MetricQuery,
        dialect: Dialect,
    ) -> Result<metrex::compile::Compiled, metrex::compile::CompileError> {
        let options = CompileOptions {
            dialect,
            today: self.today,
            values: &NoValues,
            passes: Passes::default(),
        };
        compile(
            &self.registry,
            &self.reach,
            &self.templates,
            query,
            &options,
        )
    }
}

fn asked(line: &str) -> MetricQuery {
    line.parse()
        .unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn texts(rows: &[Vec<Value>]) -> Vec<String> {
    let cell = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => ((number * 1e6).round() / 1e6).to_string(),
        Value::Text(text) => text.clone(),
        Value::Date(day) => day.to_string(),
        Value::Time(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    };
    let row = |row: &Vec<Value>| row.iter().map(cell).collect::<Vec<_>>().join(" | ");
    rows.iter().map(row).collect()
}
