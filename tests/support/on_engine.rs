//! A project on disk whose connection is one of the engines that are here.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::fs;
use std::path::Path;

use metrex::model::ConnectionKind;
use metrex::session::{OpenOptions, Session};
use tempfile::TempDir;

use crate::engines::Loaded;

/// A folder with this file of definitions, on this engine.
pub fn project(engine: &Loaded, definitions: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("metrics")).unwrap();
    fs::write(folder.path().join("metrics/shop.yaml"), definitions).unwrap();
    let kind = match &engine.connection.kind {
        ConnectionKind::Sqlite { path } => format!("type: sqlite, path: {}", path.display()),
        ConnectionKind::Duckdb { path, library } => format!(
            "type: duckdb, path: {}, library: {}",
            path.display(),
            library.as_deref().unwrap_or(Path::new("")).display()
        ),
        ConnectionKind::Postgres(settings) => {
            format!(
                "type: postgres, url: '{}'",
                settings.url.as_deref().unwrap()
            )
        }
        other => panic!("{other:?}"),
    };
    let config = format!("connections:\n  main: {{{kind}}}\n");
    fs::write(folder.path().join("metrex.yaml"), config).unwrap();
    folder
}

/// A session of a project on 20 November 2025.
pub fn session(folder: &Path) -> Session {
    Session::open(OpenOptions {
        project: Some(folder.to_owned()),
        state_dir: Some(folder.join(".state")),
        today: Some(jiff::civil::date(2025, 11, 20)),
        ..OpenOptions::default()
    })
    .unwrap()
}
