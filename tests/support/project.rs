//! A small project on disk: orders and users of a shop, with the dirt that exports have to get right.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::fs;
use std::path::Path;

use jiff::civil::datetime;
use metrex::model::{ColumnType, ConnectionKind};
use metrex::warehouse::{Cell, ColumnSpec, Loader, TableSpec};
use tempfile::TempDir;

pub const TODAY: &str = "2025-11-20";

pub const METRICS: &str = "\
datasets:
  orders:
    table: orders
    key: order_id
    time: created_at
    dimensions:
      market: {aliases: [country]}
      channel: {}
      note: {}
      created_at: {type: time}
    joins:
      buyer: {to: users, on: user_id}
  users:
    table: users
    key: user_id
    dimensions:
      segment: {label: Customer segment}
      email: {pii: true}

metrics:
  orders:
    label: Orders
    category: Commerce
    description: Orders that were placed.
    owner: Commerce Analytics
    base_table: orders
    agg: count
  gmv:
    label: Gross merchandise value
    category: Commerce
    description: What buyers paid before refunds.
    business_rules: [Cancelled orders do not count]
    owner: Commerce Analytics
    status: certified
    aliases: [sales, turnover]
    tags: [north star]
    format: {kind: currency, currency: USD, decimals: 2}
    base_table: orders
    agg: sum
    expr: amount
  aov: {label: Average order value, category: Commerce, expr: gmv / orders}
  old_gmv: {label: GMV before 2020, status: deprecated, base_table: orders, agg: sum, expr: amount}
";

/// The folder of the project; its database is `shop.db`.
pub fn shop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("metrics")).unwrap();
    fs::write(folder.path().join("metrics/shop.yaml"), METRICS).unwrap();
    fs::write(
        folder.path().join("metrex.yaml"),
        "connections:\n  main: {type: sqlite, path: shop.db}\n  gone: {type: sqlite, path: gone.db}\n",
    )
    .unwrap();
    fill(&folder.path().join("shop.db"));
    folder
}

fn fill(path: &Path) {
    let kind = ConnectionKind::Sqlite {
        path: path.to_owned(),
    };
    let mut loader = Loader::open(&kind).unwrap();
    let column = |name: &str, ty| ColumnSpec {
        name: name.to_owned(),
        ty,
        nullable: true,
    };
    let table = |name: &str, key: &str, columns| TableSpec {
        name: name.to_owned(),
        columns,
        primary_key: vec![key.to_owned()],
        indexes: Vec::new(),
    };
    loader
        .create(&table(
            "users",
            "user_id",
            vec![
                column("user_id", ColumnType::Integer),
                column("segment", ColumnType::Text),
                column("email", ColumnType::Text),
            ],
        ))
        .unwrap();
    for (id, segment) in [(1, "SMB"), (2, "Enterprise")] {
        let email = format!("user{id}@example.com");
        loader
            .append(&[Cell::Integer(id), Cell::Text(segment), Cell::Text(&email)])
            .unwrap();
    }
    loader
        .create(&table(
            "orders",
            "order_id",
            vec![
                column("order_id", ColumnType::Integer),
                column("user_id", ColumnType::Integer),
                column("market", ColumnType::Text),
                column("channel", ColumnType::Text),
                column("note", ColumnType::Text),
                column("amount", ColumnType::Number),
                column("created_at", ColumnType::Timestamp),
            ],
        ))
        .unwrap();
    let orders = [
        (1, 1, Cell::Text("TH"), "ads", Cell::Text("plain"), 10.0, 9),
        (
            2,
            1,
            Cell::Text("TH"),
            "organic",
            Cell::Text("a, \"b\""),
            20.5,
            10,
        ),
        (3, 2, Cell::Text("VN"), "ads", Cell::Text(""), 5.24, 10),
        (4, 2, Cell::Text("VN"), "ads", Cell::Null, 1.0, 10),
        (5, 2, Cell::Text("ID"), "ads", Cell::Null, 2.0, 11),
    ];
    for (id, user, market, channel, note, amount, month) in orders {
        let at = datetime(2025, month, 3, 12, 0, 0, 0);
        loader
            .append(&[
                Cell::Integer(id),
                Cell::Integer(user),
                market,
                Cell::Text(channel),
                note,
                Cell::Number(amount),
                Cell::Timestamp(at),
            ])
            .unwrap();
    }
    loader.finish().unwrap();
}
