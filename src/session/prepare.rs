//! Makes the demo's database and its value index at the first start, and again when the day has moved on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{Failure, ReindexOptions, Session, SessionError};
use crate::demo;
use crate::model::ConnectionKind;

/// How far the preparation is.
#[derive(Debug, Clone, PartialEq)]
pub struct Preparing {
    /// What is being done.
    pub step: String,
    /// Share of the step that is done, 0 to 1.
    pub share: f64,
}

impl Session {
    /// Makes what queries on the current connection need: the demo's data with its index. Other projects need nothing.
    ///
    /// The demo's data ends with the day it is made, so it is made again on a later day. A second process waits for the
    /// first. What breaks off leaves the state as it was.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub async fn prepare(
        &self,
        mut progress: impl FnMut(Preparing) + Send,
    ) -> Result<(), SessionError> {
        let database = self.state().demo_database();
        let uses_demo = |kind: &ConnectionKind| matches!(kind, ConnectionKind::Sqlite { path } if *path == database);
        if !self
            .current()
            .is_ok_and(|connection| uses_demo(&connection.kind))
        {
            return Ok(());
        }
        let today = self.today();
        let index = self.index_file(&self.connection())?;
        let is_ready = || index.exists() && is_made(&database, today);
        if is_ready() {
            return Ok(());
        }
        let lock = database.with_extension("lock");
        let _lock = spawn_blocking(move || locked(&lock))
            .await
            .map_err(stopped)?
            .map_err(not_written)?;
        if is_ready() {
            return Ok(());
        }
        let (sender, mut steps) = mpsc::unbounded_channel();
        let path = database.clone();
        let making = spawn_blocking(move || {
            demo::create(&path, today, &mut |table, share| {
                // Whoever waited for the steps may be gone; the data is wanted all the same.
                let _ = sender.send(Preparing {
                    step: format!("demo data: {table}"),
                    share,
                });
            })
        });
        while let Some(step) = steps.recv().await {
            progress(step);
        }
        making.await.map_err(stopped)??;
        let report = |step: crate::index::Progress| {
            progress(Preparing {
                step: format!("values of {}.{}", step.table, step.column),
                share: step.share(),
            });
        };
        self.reindex(&ReindexOptions::default(), report, CancellationToken::new())
            .await?;
        fs::write(mark_file(&database), mark(today)).map_err(not_written)
    }
}

/// What is written last: the day the data was made, and the version that made it, whose data may differ.
fn mark(day: Date) -> String {
    format!("{day} {}", env!("CARGO_PKG_VERSION"))
}

fn mark_file(database: &Path) -> PathBuf {
    database.with_extension("made")
}

/// Whether the data is there, made by this version, and reaches until `today`.
fn is_made(database: &Path, today: Date) -> bool {
    let read = || -> Option<Date> {
        let text = fs::read_to_string(mark_file(database)).ok()?;
        let day: Date = text.split_whitespace().next()?.parse().ok()?;
        (text == mark(day)).then_some(day)
    };
    database.exists() && read().is_some_and(|day| day >= today)
}

/// Waits until no other process prepares the demo; the lock ends with the file.
fn locked(path: &Path) -> std::io::Result<File> {
    let file = File::create(path)?;
    file.lock()?;
    Ok(file)
}

fn not_written(error: impl std::fmt::Display) -> SessionError {
    SessionError::new(
        Failure::Query,
        "demo",
        format!("the demo cannot be prepared: {error}"),
    )
    .with_hint("set METREX_STATE_DIR to a folder with 200 MB of space")
}

fn stopped(error: tokio::task::JoinError) -> SessionError {
    SessionError::new(
        Failure::Query,
        "demo",
        format!("the demo cannot be prepared: {error}"),
    )
}
