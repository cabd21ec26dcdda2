//! Projects of other tools over the rows of a small shop.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};

use metrex::session::{Imported, OpenOptions, OtherTool, RunOptions, Session, import};
use rusqlite::types::ValueRef;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::support::shop::texts;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/exchange")
        .join(name)
}

/// A folder with the rows, and the URL of the database.
pub struct Shop {
    folder: TempDir,
    pub url: String,
}

impl Shop {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let database = folder.path().join("shop.db");
        let sql = fs::read_to_string(fixture("shop.sql")).unwrap();
        let connection = rusqlite::Connection::open(&database).unwrap();
        connection.execute_batch(&sql).unwrap();
        let url = format!("sqlite:{}", database.display());
        Self { folder, url }
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn import(&self, from: OtherTool, path: &Path, name: &str) -> Imported {
        let made = import(from, path, &self.at(name), Some(&self.url))
            .await
            .unwrap();
        assert_eq!(made.problems, [""; 0], "metrex check says nothing");
        made
    }

    pub fn open(&self, name: &str) -> Session {
        Session::open(OpenOptions {
            project: Some(self.at(name)),
            today: Some(jiff::civil::date(2026, 11, 20)),
            state_dir: Some(self.at("state")),
            ..OpenOptions::default()
        })
        .unwrap()
    }

    /// The rows of a statement, as the session's answers are written.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        let connection = rusqlite::Connection::open(self.at("shop.db")).unwrap();
        let mut statement = connection
            .prepare(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        let mut out = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let cell = |at| match row.get_ref(at).unwrap() {
                ValueRef::Null => "-".to_owned(),
                ValueRef::Integer(n) => n.to_string(),
                ValueRef::Real(n) => ((n * 1e9).round() / 1e9).to_string(),
                other => other.as_str().unwrap().to_owned(),
            };
            let cells: Vec<String> = (0..columns).map(cell).collect();
            out.push(cells.join(" | "));
        }
        out
    }

    /// A project of ours over the rows.
    pub fn ours(&self) -> Session {
        let root = self.at("ours");
        fs::create_dir_all(root.join("metrics")).unwrap();
        fs::copy(fixture("ours.yaml"), root.join("metrics/all.yaml")).unwrap();
        let path = self.at("shop.db");
        let config = format!(
            "connections:\n  rows: {{type: sqlite, path: {:?}}}\n",
            path.display().to_string()
        );
        fs::write(root.join("metrex.yaml"), config).unwrap();
        let session = self.open("ours");
        let problems = &session.catalog().diagnostics;
        assert!(problems.is_empty(), "{problems:?}");
        session
    }
}

pub async fn answer(session: &Session, line: &str) -> Vec<String> {
    let query = line.parse().unwrap();
    let cancel = CancellationToken::new();
    let answer = session.answer(&query, RunOptions::default(), cancel).await;
    match answer {
        Ok(answer) => texts(&answer.batches),
        Err(error) => vec![error.to_string()],
    }
}

pub fn notes(made: &[metrex::exchange::Note]) -> Vec<String> {
    made.iter().map(ToString::to_string).collect()
}
