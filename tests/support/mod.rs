//! What several tests of the warehouses share.
#![allow(dead_code, reason = "every test file uses its own part")]

pub mod shop;

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use jiff::civil::{Date, DateTime, date, datetime};
use metrex::model::{ColumnType, Connection, ConnectionKind};
use metrex::warehouse::{
    Cell, ColumnSpec, Finished, Loader, Request, TableSpec, Warehouse, WarehouseError,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub fn sqlite(path: &Path) -> Connection {
    let kind = ConnectionKind::Sqlite {
        path: path.to_owned(),
    };
    Connection {
        name: "test".to_owned(),
        kind,
        row_cap: 1_000_000,
    }
}

/// Runs a statement to its end.
pub async fn collect(
    warehouse: &Warehouse,
    request: Request,
) -> Result<(Vec<RecordBatch>, Finished), WarehouseError> {
    let (sink, mut rows) = mpsc::channel(4);
    let cancel = CancellationToken::new();
    let run = async {
        let result = warehouse.query(request, &cancel, &sink).await;
        drop(sink);
        result
    };
    let gather = async {
        let mut batches = Vec::new();
        while let Some(batch) = rows.recv().await {
            batches.push(batch);
        }
        batches
    };
    let (result, batches) = tokio::join!(run, gather);
    result.map(|finished| (batches, finished))
}

pub fn column<'b>(batch: &'b RecordBatch, name: &str) -> &'b ArrayRef {
    batch.column_by_name(name).unwrap()
}

pub fn days(day: Date) -> i32 {
    (day - date(1970, 1, 1)).get_days()
}

pub fn micros(at: DateTime) -> i64 {
    i64::try_from(
        at.duration_since(datetime(1970, 1, 1, 0, 0, 0, 0))
            .as_micros(),
    )
    .unwrap()
}

/// Loads a table with a column of every type, a row of values and a row of NULLs.
pub fn every_type(mut loader: Loader) {
    let column = |name: &str, ty| ColumnSpec {
        name: name.to_owned(),
        ty,
        nullable: name != "id",
    };
    loader
        .create(&TableSpec {
            name: "every_type".to_owned(),
            columns: vec![
                column("id", ColumnType::Integer),
                column("name", ColumnType::Text),
                column("amount", ColumnType::Number),
                column("flag", ColumnType::Boolean),
                column("day", ColumnType::Date),
                column("at", ColumnType::Timestamp),
            ],
            primary_key: vec!["id".to_owned()],
            indexes: vec![vec!["day".to_owned(), "name".to_owned()]],
        })
        .unwrap();
    loader
        .append(&[
            Cell::Integer(1),
            Cell::Text("tab\tand \\ and \"quote\" and\nline; ไทย"),
            Cell::Number(-12.5),
            Cell::Boolean(true),
            Cell::Date(date(2025, 11, 3)),
            Cell::Timestamp(datetime(2025, 11, 3, 10, 20, 30, 0)),
        ])
        .unwrap();
    loader
        .append(&[
            Cell::Integer(2),
            Cell::Null,
            Cell::Null,
            Cell::Null,
            Cell::Null,
            Cell::Null,
        ])
        .unwrap();
    loader.finish().unwrap();
}

/// Checks what [`every_type`] loaded.
pub fn assert_every_type(batch: &RecordBatch) {
    assert_eq!(
        column(batch, "id").as_primitive::<Int64Type>().values(),
        &[1, 2]
    );
    let name = column(batch, "name").as_string::<i32>();
    assert_eq!(name.value(0), "tab\tand \\ and \"quote\" and\nline; ไทย");
    assert_eq!(
        column(batch, "amount")
            .as_primitive::<Float64Type>()
            .value(0),
        -12.5
    );
    assert!(column(batch, "flag").as_boolean().value(0));
    let day = column(batch, "day").as_primitive::<Date32Type>();
    assert_eq!(day.value(0), days(date(2025, 11, 3)));
    let at = column(batch, "at").as_primitive::<TimestampMicrosecondType>();
    assert_eq!(at.value(0), micros(datetime(2025, 11, 3, 10, 20, 30, 0)));
    for name in ["name", "amount", "flag", "day", "at"] {
        assert!(column(batch, name).is_null(1), "{name}");
    }
}
