//! The small shop of `tests/fixtures/shop.yaml`: its registry and its rows, in SQLite and in PostgreSQL.
#![allow(dead_code, reason = "every test file uses its own part")]

use arrow_array::RecordBatch;
use jiff::civil::{Date, date};
use metrex::compile::{
    CompileError, CompileOptions, Compiled, OutputColumn, Reachability, Statement, Templates,
    compile,
};
use metrex::model::{
    ColumnType, Connection, ConnectionKind, MetricQuery, NoValues, Registry, ValueLookup,
};
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};
use metrex::session::cell::raw_text;
use metrex::warehouse::{Cell, ColumnSpec, Dialect, Loader, Request, TableSpec, Warehouse};

pub const TODAY: Date = date(2025, 4, 15);

pub fn registry_of(yaml: &str) -> Registry {
    let file = |path: &str, text: &str| ProjectFile {
        path: path.into(),
        text: text.into(),
    };
    let files = ProjectFiles {
        metrics: vec![file("metrics/shop.yaml", yaml)],
        snippets: vec![file("snippets/rules.sql", "SELECT 1")],
        ..ProjectFiles::default()
    };
    let loaded = load(&files, &Config::default(), None);
    let problems: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    loaded.registry
}

pub fn registry() -> Registry {
    registry_of(include_str!("../fixtures/shop.yaml"))
}

/// Compiles against a registry with what a session would have at hand.
pub struct Engine {
    pub registry: Registry,
    pub reach: Reachability,
    pub templates: Templates,
}

impl Engine {
    pub fn new(registry: Registry) -> Self {
        let reach = Reachability::new(&registry);
        Self {
            registry,
            reach,
            templates: Templates::builtin().unwrap(),
        }
    }

    pub fn compile_with(
        &self,
        line: &str,
        dialect: Dialect,
        values: &dyn ValueLookup,
    ) -> Result<Compiled, CompileError> {
        let options = CompileOptions {
            dialect,
            today: TODAY,
            values,
            passes: Default::default(),
        };
        self.compile_by(line, &options)
    }

    pub fn compile_by(
        &self,
        line: &str,
        options: &CompileOptions<'_>,
    ) -> Result<Compiled, CompileError> {
        let query: MetricQuery = line
            .parse()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        // What holds for the rows of a query holds for its total.
        let query = MetricQuery {
            total: true,
            ..query
        };
        compile(
            &self.registry,
            &self.reach,
            &self.templates,
            &query,
            options,
        )
    }

    pub fn compile(&self, line: &str) -> Result<Compiled, CompileError> {
        self.compile_with(line, Dialect::Sqlite, &NoValues)
    }
}

/// Runs a statement; a row is its cells as text, `-` for NULL.
pub async fn rows(warehouse: &Warehouse, statement: &Statement) -> Vec<String> {
    let columns = statement
        .columns
        .iter()
        .map(|column: &OutputColumn| (column.name.clone(), column.ty))
        .collect();
    let request = Request {
        sql: statement.sql.clone(),
        columns: Some(columns),
        row_cap: None,
    };
    let (batches, _) = super::collect(warehouse, request)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", statement.sql));
    texts(&batches)
}

pub fn texts(batches: &[RecordBatch]) -> Vec<String> {
    let mut out = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = batch
                .columns()
                .iter()
                .map(|column| raw_text(column, row).map_or("-".into(), rounded))
                .collect();
            out.push(cells.join(" | "));
        }
    }
    out
}

/// Engines differ in the last bits of a float.
fn rounded(text: String) -> String {
    match text.parse::<f64>() {
        Ok(number) if text.contains('.') => {
            let number = (number * 1e9).round() / 1e9;
            number.to_string()
        }
        _ => text,
    }
}

fn d(text: &str) -> Cell<'static> {
    Cell::Date(text.parse().unwrap())
}

fn t(text: &str) -> Cell<'static> {
    Cell::Timestamp(text.parse().unwrap())
}

fn s(text: &'static str) -> Cell<'static> {
    Cell::Text(text)
}

fn i(n: i64) -> Cell<'static> {
    Cell::Integer(n)
}

const N: Cell<'static> = Cell::Null;

fn table(
    loader: &mut Loader,
    name: &str,
    key: &[&str],
    columns: &[(&str, ColumnType)],
    rows: &[Vec<Cell<'_>>],
) {
    let columns = columns
        .iter()
        .map(|(name, ty)| ColumnSpec {
            name: (*name).into(),
            ty: *ty,
            nullable: !key.contains(name),
        })
        .collect();
    let spec = TableSpec {
        name: name.into(),
        columns,
        primary_key: key.iter().map(|column| (*column).into()).collect(),
        indexes: vec![],
    };
    loader.create(&spec).unwrap();
    for row in rows {
        loader.append(row).unwrap();
    }
}

/// Fills a database with the shop.
pub fn fill(kind: &ConnectionKind) {
    use ColumnType::{Boolean, Date, Integer, Number, Text, Timestamp};
    let mut loader = Loader::open(kind).unwrap();
    let b = Cell::Boolean;
    table(
        &mut loader,
        "users",
        &["user_id"],
        &[
            ("user_id", Integer),
            ("segment", Text),
            ("market", Text),
            ("email", Text),
        ],
        &[
            vec![i(1), s("SMB"), s("BR"), s("a@x")],
            vec![i(2), N, s("BR"), s("b@x")],
            vec![i(3), s("ENT"), s("TH"), N],
            vec![i(8), s("ENT"), s("TH"), N],
            vec![i(9), s("SMB"), N, N],
        ],
    );
    table(
        &mut loader,
        "orders",
        &["order_id"],
        &[
            ("order_id", Integer),
            ("user_id", Integer),
            ("seller_id", Integer),
            ("created_at", Timestamp),
            ("paid_on", Date),
            ("amount", Integer),
            ("status", Text),
            ("channel", Text),
            ("express", Boolean),
        ],
        &[
            vec![
                i(1),
                i(1),
                i(9),
                t("2025-01-05T10:00:00"),
                d("2025-01-06"),
                i(100),
                s("PAID"),
                s("ads"),
                b(true),
            ],
            vec![
                i(2),
                i(1),
                i(9),
                t("2025-01-06T23:59:59"),
                N,
                i(50),
                s("CANCELLED"),
                s("ads"),
                b(false),
            ],
            vec![
                i(3),
                i(2),
                i(8),
                t("2025-02-10T00:00:00"),
                d("2025-02-10"),
                i(25),
                s("PAID"),
                N,
                b(false),
            ],
            vec![
                i(4),
                i(3),
                i(8),
                t("2025-02-11T12:30:00"),
                d("2025-03-01"),
                i(10),
                s("PAID"),
                s("organic"),
                b(true),
            ],
            vec![
                i(5),
                N,
                i(8),
                t("2025-04-01T08:00:00"),
                d("2025-04-01"),
                i(5),
                s("PAID"),
                s("organic"),
                N,
            ],
            vec![
                i(6),
                i(99),
                i(9),
                t("2025-04-02T09:00:00"),
                d("2025-04-02"),
                i(7),
                s("PAID"),
                s("it's"),
                b(false),
            ],
            vec![
                i(7),
                i(3),
                i(9),
                t("2024-02-29T09:00:00"),
                d("2024-03-01"),
                i(40),
                s("PAID"),
                s("ads"),
                b(false),
            ],
        ],
    );
    table(
        &mut loader,
        "products",
        &["product_id"],
        &[
            ("product_id", Text),
            ("product_type", Text),
            ("weight", Number),
        ],
        &[
            vec![s("P1"), s("jaffle"), Cell::Number(1.5)],
            vec![s("P2"), s("drink"), Cell::Number(0.5)],
            vec![s("P3"), N, N],
        ],
    );
    table(
        &mut loader,
        "items",
        &["order_id", "line"],
        &[
            ("order_id", Integer),
            ("line", Integer),
            ("product_id", Text),
            ("qty", Integer),
            ("product_price", Integer),
            ("sold_on", Date),
        ],
        &[
            vec![i(1), i(1), s("P1"), i(3), i(11), d("2025-01-05")],
            vec![i(1), i(2), s("P2"), i(1), i(4), d("2025-01-05")],
            vec![i(3), i(1), s("P2"), i(2), i(4), d("2025-02-10")],
            vec![i(4), i(1), s("P3"), i(1), i(9), d("2025-02-11")],
            vec![i(5), i(1), s("P9"), i(1), i(1), d("2025-04-01")],
        ],
    );
    table(
        &mut loader,
        "supplies",
        &["supply_id"],
        &[
            ("supply_id", Text),
            ("product_id", Text),
            ("supply_name", Text),
        ],
        &[
            vec![s("S1"), s("P1"), s("fork")],
            vec![s("S2"), s("P1"), s("knife")],
            vec![s("S3"), s("P2"), s("cup")],
        ],
    );
    table(
        &mut loader,
        "ads",
        &[],
        &[("ran_on", Date), ("channel", Text), ("cost", Number)],
        &[
            vec![d("2025-01-05"), s("ads"), Cell::Number(10.0)],
            vec![d("2025-02-10"), N, Cell::Number(5.0)],
            vec![d("2025-03-01"), s("radio"), Cell::Number(0.0)],
        ],
    );
    table(
        &mut loader,
        "groups",
        &[],
        &[("name", Text)],
        &[vec![s("may")], vec![s("june")]],
    );
    table(
        &mut loader,
        "balances",
        &[],
        &[("account", Text)],
        &[vec![s("a")]],
    );
    loader.finish().unwrap();
}

pub fn connection(kind: ConnectionKind) -> Connection {
    Connection {
        name: "shop".into(),
        kind,
        row_cap: 1_000_000,
    }
}
