//! Results leave the explorer: files with where their rows come from, and copies of marked cells.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use std::fs::{self, File};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use metrex::tui::{FileNews, Message, Notice};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use support::Explorer;

const QUERY: &str = "<F2>gmv by market 2026 total<Enter>";

/// The result written under a name.
fn written(name: &str) -> Explorer {
    let mut explorer = Explorer::new(80, 24);
    explorer
        .keys(QUERY)
        .keys("W<Ctrl+U>")
        .keys(name)
        .keys("<Enter>");
    explorer
}

fn said(explorer: &Explorer) -> String {
    match &explorer.state.notice {
        Some(Notice::Info(text) | Notice::Error(text)) => text.clone(),
        None => String::new(),
    }
}

fn text(explorer: &Explorer, name: &str) -> String {
    fs::read_to_string(explorer.folder.path().join(name)).unwrap()
}

fn json(explorer: &Explorer, name: &str) -> Value {
    serde_json::from_str(&text(explorer, name)).unwrap()
}

/// What a file says about its rows, whatever its form calls it.
fn assert_tells(provenance: &Value) {
    let of = |name: &str| provenance[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(of("query"), "gmv by market 2026 total");
    assert!(of("sql").contains("SUM("), "{provenance}");
    assert_eq!(of("definition_hash").len(), 32);
    assert_eq!(of("connection"), "shop");
    assert_eq!(of("today"), "2026-11-20");
    of("as_of").parse::<jiff::Timestamp>().unwrap();
    assert_eq!(provenance["truncated"], false);
    assert_eq!(provenance["rows"], 4);
    let definitions = provenance["definitions"].as_array().unwrap();
    let first = definitions[0].as_str().unwrap();
    assert!(first.starts_with("metrics/shop.yaml:"), "{first}");
}

#[test]
fn separated_values_say_in_a_file_beside_them_where_they_come_from() {
    for (name, separator) in [("out.csv", ','), ("out.tsv", '\t')] {
        let explorer = written(name);
        let text = text(&explorer, name);
        assert!(
            text.starts_with(&format!("market{separator}gmv\nID{separator}")),
            "{text}"
        );
        assert_eq!(text.lines().count(), 5, "no total among the rows: {text}");
        assert_tells(&json(&explorer, &format!("{name}.provenance.json")));
        assert!(
            said(&explorer).starts_with("4 rows in "),
            "{}",
            said(&explorer)
        );
    }
    let explorer = written("out.ndjson");
    let rows = text(&explorer, "out.ndjson");
    let first: Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    assert_eq!(first["market"], "ID");
    assert_tells(&json(&explorer, "out.ndjson.provenance.json"));
}

#[test]
fn json_and_markdown_have_the_total_and_say_it_themselves() {
    let explorer = written("out.json");
    let whole = json(&explorer, "out.json");
    assert_eq!(whole["rows"].as_array().unwrap().len(), 4);
    assert!(whole["totals"]["gmv"].is_number());
    assert_tells(&whole["provenance"]);
    let explorer = written("out.md");
    let text = text(&explorer, "out.md");
    assert!(
        text.starts_with("| market | gmv |\n| --- | ---: |\n| ID |"),
        "{text}"
    );
    for line in [
        "| **total** |",
        "query: gmv by market 2026 total",
        "definition hash: ",
        "```sql",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

fn sum(batches: &[RecordBatch]) -> f64 {
    let columns = batches
        .iter()
        .map(|batch| batch.column(1).as_primitive::<Float64Type>());
    columns.flat_map(|column| column.values().to_vec()).sum()
}

#[test]
fn parquet_and_arrow_hold_the_rows_and_say_it_in_their_metadata() {
    let explorer = written("out.parquet");
    let file = File::open(explorer.folder.path().join("out.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let metadata = reader
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .unwrap()
        .clone();
    let of = |name: &str| {
        let found = metadata
            .iter()
            .find(|pair| pair.key == format!("metrex.{name}"));
        found.and_then(|pair| pair.value.clone()).unwrap()
    };
    assert_eq!(of("query"), "gmv by market 2026 total");
    assert_eq!(
        (of("rows").as_str(), of("truncated").as_str()),
        ("4", "false")
    );
    assert_eq!(of("definition_hash").len(), 32);
    let parquet: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();

    let explorer = written("out.arrow");
    let file = File::open(explorer.folder.path().join("out.arrow")).unwrap();
    let reader = arrow_ipc::reader::FileReader::try_new(file, None).unwrap();
    assert_eq!(
        reader.custom_metadata()["metrex.query"],
        "gmv by market 2026 total"
    );
    assert_eq!(
        reader.schema().metadata()["metrex.query"],
        "gmv by market 2026 total"
    );
    assert_eq!(reader.schema().field(0).name(), "market");
    let arrow: Vec<_> = reader.map(Result::unwrap).collect();

    let totals = json(&written("out.json"), "out.json")["totals"]["gmv"]
        .as_f64()
        .unwrap();
    assert!((sum(&parquet) - totals).abs() < 1e-6);
    assert!((sum(&arrow) - totals).abs() < 1e-6);
}

#[test]
fn a_workbook_is_a_zip_with_two_sheets() {
    let explorer = written("out.xlsx");
    let bytes = fs::read(explorer.folder.path().join("out.xlsx")).unwrap();
    assert_eq!(&bytes[..2], b"PK");
    let names = String::from_utf8_lossy(&bytes);
    assert!(names.contains("xl/worksheets/sheet2.xml"));
}

#[test]
fn rows_are_written_in_the_order_on_the_screen() {
    let mut explorer = Explorer::new(80, 24);
    explorer
        .keys(QUERY)
        .keys("5<Right>s")
        .keys("W<Ctrl+U>sorted.csv<Enter>");
    let text = text(&explorer, "sorted.csv");
    let values: Vec<f64> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse().unwrap())
        .collect();
    assert_eq!(values.len(), 4);
    assert!(
        values.windows(2).all(|pair| pair[0] >= pair[1]),
        "{values:?}"
    );
}

#[test]
fn the_definition_hash_changes_with_the_definition_and_not_with_its_place() {
    let hash = |change: fn(&str) -> String| {
        let mut explorer = Explorer::new(80, 24);
        let path = explorer.folder.path().join("shop/metrics/shop.yaml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, change(&text)).unwrap();
        explorer.tell(Message::FilesChanged);
        explorer.keys(QUERY).keys("W<Ctrl+U>out.csv<Enter>");
        json(&explorer, "out.csv.provenance.json")["definition_hash"].clone()
    };
    let same = hash(|text| text.to_owned());
    assert_eq!(same, hash(|text| format!("# moved\n\n{text}")));
    assert_ne!(
        same,
        hash(|text| text.replace("expr: amount", "expr: amount * 2"))
    );
}

#[test]
fn definitions_that_changed_since_the_run_have_no_hash() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys(QUERY);
    let path = explorer.folder.path().join("shop/metrics/shop.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("expr: amount", "expr: amount * 2")).unwrap();
    explorer.tell(Message::FilesChanged);
    explorer.keys("W<Ctrl+U>out.csv<Enter>");
    let provenance = json(&explorer, "out.csv.provenance.json");
    assert_eq!(provenance["definition_hash"], Value::Null);
    let notes = provenance["notes"].to_string();
    assert!(notes.contains("changed since"), "{notes}");
}

#[test]
fn a_file_that_is_there_is_replaced_only_after_a_yes() {
    let mut explorer = written("out.csv");
    let path = explorer.folder.path().join("out.csv");
    fs::write(&path, "mine").unwrap();
    explorer.keys("W<Ctrl+U>out.csv<Enter>");
    assert_shows!(explorer, "is there already");
    explorer.keys("n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    explorer.keys("<Enter>y");
    assert!(fs::read_to_string(&path).unwrap().starts_with("market"));
    assert!(explorer.state.popups.is_empty());
}

#[test]
fn what_cannot_be_written_says_why_and_leaves_nothing() {
    let mut explorer = written("nowhere/out.csv");
    assert!(
        said(&explorer).contains("no such folder"),
        "{}",
        said(&explorer)
    );
    assert_shows!(explorer, "Write the result to a file");
    explorer.keys("<Ctrl+U>out.doc<Enter>");
    assert!(said(&explorer).contains(".parquet"), "{}", said(&explorer));
    let mut early = Explorer::new(80, 24);
    early.keys("<Esc>W");
    assert_shows!(early, "there is no result yet");
}

#[test]
fn the_dialog_proposes_a_name_and_the_arrows_change_its_ending() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys(QUERY).keys("W");
    assert_shows!(explorer, "gmv-by-market-2026-11-20.csv");
    assert_shows!(explorer, "[CSV]");
    explorer.keys("<Down><Down><Down><Down>");
    assert_shows!(explorer, "gmv-by-market-2026-11-20.parquet");
    assert_shows!(explorer, "[Parquet]");
    explorer.keys("<Up>");
    assert_shows!(explorer, "[NDJSON]");
    explorer.keys("<Enter>").keys("W");
    assert_shows!(explorer, "[NDJSON]");
}

#[test]
fn a_file_that_is_being_written_shows_how_far_it_is_and_can_be_stopped() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys(QUERY).keys("W<Ctrl+U>out.csv");
    explorer.hold = true;
    explorer.keys("<Enter>");
    let generation = explorer.state.saving.as_ref().unwrap().generation;
    explorer.tell(Message::File {
        generation,
        news: FileNews::Rows(2),
    });
    assert_shows!(explorer, "50 %");
    assert_shows!(explorer, "2 of 4 rows");
    explorer.keys("<Esc>");
    assert_shows!(explorer, "writing 50 %");
    explorer.keys("Wx");
    // The token is cancelled before the work begins.
    explorer.held.rotate_right(1);
    explorer.hold = false;
    explorer.release();
    assert_eq!(said(&explorer), "stopped; no file was written");
    assert!(!explorer.folder.path().join("out.csv").exists());
    assert_no_leftovers(explorer.folder.path());
}

fn assert_no_leftovers(folder: &Path) {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names
        .filter(|name| name.to_string_lossy().starts_with(".metrex-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_cut_result_says_so_in_its_file_and_offers_all_rows() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F2>gmv by market 2026<Enter>");
    if let metrex::tui::state::Phase::Done(run) = &mut explorer.state.result.phase {
        run.truncated = true;
    }
    explorer.keys("W<Ctrl+U>cut.csv");
    assert_shows!(explorer, "the query has more");
    explorer.keys("<Enter>");
    assert_eq!(
        json(&explorer, "cut.csv.provenance.json")["truncated"],
        true
    );
    assert!(said(&explorer).contains("cut"), "{}", said(&explorer));
    explorer.keys("W<Ctrl+U>whole.csv<Tab>");
    assert_shows!(explorer, "all, from the warehouse");
    explorer.keys("<Enter>");
    assert_eq!(
        json(&explorer, "whole.csv.provenance.json")["truncated"],
        false
    );
    assert_eq!(text(&explorer, "whole.csv").lines().count(), 5);
}

#[test]
fn marked_cells_are_copied() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F2>gmv, orders by market 2026<Enter>");
    explorer.keys("m<Down><Right>");
    assert_shows!(explorer, "marked 2 × 2");
    explorer.keys("y<Enter>");
    let copied = explorer.copied.pop().unwrap();
    assert_eq!(copied.lines().count(), 3, "{copied}");
    assert!(copied.starts_with("market\tgmv\nID\t"), "{copied}");
    explorer.keys("M");
    assert_shows!(explorer, "marked 4 × 2");
    explorer.keys("ymarked json<Enter>");
    let rows: Value = serde_json::from_str(&explorer.copied.pop().unwrap()).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 4);
    assert_eq!(rows[0].as_object().unwrap().len(), 2);
    explorer.keys("<Esc>zh<Left><Left>m<Right>ymarked csv<Enter>");
    let copied = explorer.copied.pop().unwrap();
    assert!(
        copied.starts_with("market,orders\nSG,"),
        "without the hidden one: {copied}"
    );
    explorer.keys("<Esc>");
    assert!(
        explorer
            .state
            .result
            .grid
            .as_ref()
            .unwrap()
            .marked()
            .is_none()
    );
}
