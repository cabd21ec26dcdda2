//! Makes the demo's database and its value index at the first start, and again when the day has moved on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use jiff::ToSpan;
use jiff::civil::Date;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{Failure, ReindexOptions, Session, SessionError};
use crate::model::{ConnectionKind, Registry};
use crate::{demo, index};

/// How far the preparation is.
#[derive(Debug, Clone, PartialEq)]
pub struct Preparing {
    /// What is being done.
    pub step: String,
    /// Share of the step that is done, 0 to 1.
    pub share: f64,
}

impl Session {
    /// Makes what queries on the current connection need: the demo's data with its index. Other projects need nothing but
    /// to know which rollups their warehouse has.
    ///
    /// The demo's data ends with the day it is made, so it is made again on a later day. A second process waits for the
    /// first. What breaks off, also because the future is dropped, leaves the state as it was.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub async fn prepare(
        &self,
        mut progress: impl FnMut(Preparing) + Send,
    ) -> Result<(), SessionError> {
        if !self.explores_demo() {
            self.learn_rollups().await;
            return Ok(());
        }
        let database = self.state().demo_database();
        let today = self.today();
        let index_file = self.index_file(&self.connection())?;
        let definitions = definitions(&self.catalog().registry);
        let is_ready = || {
            index_file.exists()
                && made_on(&database, today)
                    .is_some_and(|day| is_indexed(&database, day, definitions))
        };
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
        let _tidy = Tidy::begin(self.state().path());
        // Definitions that want other values indexed change nothing about the data.
        let day = match made_on(&database, today) {
            Some(day) => day,
            None => {
                make(&database, today, &mut progress).await?;
                today
            }
        };
        self.surveys().forget();
        let report = |step: crate::index::Progress| {
            progress(Preparing {
                step: format!("values of {}.{}", step.table, step.column),
                share: step.share(),
            });
        };
        self.reindex(&ReindexOptions::default(), report, CancellationToken::new())
            .await?;
        fs::write(mark_file(&database), mark(day, definitions)).map_err(not_written)
    }

    /// Whether the current connection is the demo's.
    pub fn explores_demo(&self) -> bool {
        let database = self.state().demo_database();
        let is_demo = |kind: &ConnectionKind| matches!(kind, ConnectionKind::Sqlite { path } if *path == database);
        self.current()
            .is_ok_and(|connection| is_demo(&connection.kind))
    }
}

/// Makes the demo's database with data until `today`.
async fn make(
    database: &Path,
    today: Date,
    progress: &mut (impl FnMut(Preparing) + Send),
) -> Result<(), SessionError> {
    let (sender, mut steps) = mpsc::unbounded_channel();
    let path = database.to_owned();
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
    Ok(making.await.map_err(stopped)??)
}

/// What is written last: the day the data was made, the version that made it, whose data may differ, and what was indexed.
fn mark(day: Date, definitions: u64) -> String {
    format!("{day} {} {definitions:016x}", env!("CARGO_PKG_VERSION"))
}

/// A hash of everything that the definitions want indexed.
fn definitions(registry: &Registry) -> u64 {
    let mut text = String::new();
    for column in index::plan(registry) {
        text.push_str(&column.table);
        text.push('.');
        text.push_str(&column.column);
        text.push('\n');
    }
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

fn mark_file(database: &Path) -> PathBuf {
    database.with_extension("made")
}

/// The day that the data was made for, where they are there, made by this version, and reach until `today`, but not so far beyond it that the
/// days before `today` are missing, as after a look into the far future.
fn made_on(database: &Path, today: Date) -> Option<Date> {
    let text = fs::read_to_string(mark_file(database)).ok()?;
    let mut words = text.split_whitespace();
    let day: Date = words.next()?.parse().ok()?;
    let is_ours = words.next() == Some(env!("CARGO_PKG_VERSION"));
    let good = today..=today.saturating_add(1.year());
    (database.exists() && is_ours && good.contains(&day)).then_some(day)
}

/// Whether the values that these definitions want are indexed.
fn is_indexed(database: &Path, day: Date, definitions: u64) -> bool {
    fs::read_to_string(mark_file(database)).is_ok_and(|text| text == mark(day, definitions))
}

/// Removes half-made databases: those that a killed process left behind, and in the end one's own where it broke off.
/// To be held under the lock, when nobody else has one in the making.
struct Tidy<'a>(&'a Path);

impl<'a> Tidy<'a> {
    fn begin(folder: &'a Path) -> Self {
        let tidy = Self(folder);
        tidy.sweep();
        tidy
    }

    fn sweep(&self) {
        let entries = fs::read_dir(self.0).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(".metrex-") && name.ends_with(".tmp") {
                // What cannot be removed is tried again the next time.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl Drop for Tidy<'_> {
    fn drop(&mut self) {
        self.sweep();
    }
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
