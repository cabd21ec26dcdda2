//! `metrex init`: a first project from CSV files or a live database, with what was guessed marked as drafts.
//!
//! The data is looked at once (`survey`), joins are found and checked (`joins`), every column gets a role
//! (`roles`), and from these come datasets (`draft`), metrics (`metrics`) and the text of the files (`yaml`).

mod connection;
mod csv_files;
mod default_time;
mod draft;
mod error;
mod joins;
mod metrics;
mod naming;
mod next_steps;
mod project;
mod revenue;
mod roles;
mod survey;
mod types;
mod words;
mod work;
mod yaml;

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

pub use connection::{Target, read as read_connection};
pub use error::InitError;
pub use work::{Progress, Stage};

use crate::model::{Connection, ConnectionKind};
use crate::warehouse::Loader;
use survey::Surveyor;
use work::Work;

/// A project that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its folder.
    pub root: PathBuf,
    /// The files written, relative to it.
    pub files: Vec<String>,
    /// Tables found.
    pub tables: usize,
    /// Rows in them.
    pub rows: u64,
    /// Metrics written.
    pub metrics: usize,
    /// What a reader should know of the data: one sentence each.
    pub notes: Vec<String>,
    /// Commands to try next.
    pub next: Vec<String>,
}

/// Makes a project in `target` from the `.csv` and `.tsv` files of a folder: their rows go into an embedded SQLite
/// warehouse. Blocks until it is done or cancelled; must not be called from async code.
///
/// # Errors
/// A project exists there already, a file cannot be read as it is, nothing can be written, or it was
/// cancelled. Nothing is left behind.
pub fn from_csv(
    csv_dir: &Path,
    target: &Path,
    progress: &mut dyn FnMut(Progress),
    cancel: &CancellationToken,
) -> Result<Created, InitError> {
    let mut work = Work { progress, cancel };
    let mut project = project::Draft::new(target)?;
    let (files, mut notes) = csv_files::examine(csv_dir, &mut work)?;
    let kind = ConnectionKind::Sqlite {
        path: project.warehouse(),
    };
    let mut loader = Loader::open(&kind)?;
    for file in &files {
        file.load(&mut loader, &mut work)?;
    }
    loader.finish()?;
    project.config(&config(&[
        "type: sqlite".to_owned(),
        format!("path: {}", project::WAREHOUSE),
    ]))?;
    let connection = Connection {
        name: "warehouse".to_owned(),
        kind,
        row_cap: u64::MAX,
    };
    registry(project, &connection, &mut notes, &mut work)
}

/// Makes a project in `target` from the tables of a live database, which is only read. The URL's password is used now
/// and never written. Blocks until it is done or cancelled; must not be called from async code.
///
/// # Errors
/// A project exists there already, the database cannot be read, nothing can be written, or it was
/// cancelled. Nothing is left behind.
pub fn from_connection(
    url: &str,
    target: &Path,
    progress: &mut dyn FnMut(Progress),
    cancel: &CancellationToken,
) -> Result<Created, InitError> {
    let mut work = Work { progress, cancel };
    let mut project = project::Draft::new(target)?;
    let database = connection::read(url)?;
    project.config(&config(&database.entry))?;
    let mut notes: Vec<String> = database.note.into_iter().collect();
    registry(project, &database.connection, &mut notes, &mut work)
}

fn config(entry: &[String]) -> String {
    let entry: Vec<_> = entry.iter().map(|line| format!("    {line}\n")).collect();
    format!(
        "# A metrex project: where the data is. What is measured stands in metrics/.\n\n\
         connections:\n  warehouse:\n{}",
        entry.concat()
    )
}

/// Looks at the warehouse, writes the registry and completes the project.
fn registry(
    mut project: project::Draft,
    connection: &Connection,
    notes: &mut Vec<String>,
    work: &mut Work<'_>,
) -> Result<Created, InitError> {
    let surveyor = Surveyor::new(connection, work.cancel)?;
    let (tables, left_out) = surveyor.tables(work)?;
    notes.extend(left_out);
    if tables.is_empty() {
        let message = "the database has no tables that can be read".to_owned();
        return Err(InitError::NothingFound { message });
    }
    let joins = joins::find(&surveyor, &tables)?;
    let mut roles = Vec::with_capacity(tables.len());
    for (at, (table, own)) in tables.iter().zip(&joins).enumerate() {
        let joined_to = joins
            .iter()
            .flat_map(|joins| &joins.found)
            .any(|join| join.to == at);
        roles.push(roles::assign(&surveyor, table, own, joined_to)?);
    }
    let known: Vec<_> = tables
        .iter()
        .zip(&joins)
        .zip(&roles)
        .map(|((table, joins), roles)| draft::Known {
            table,
            joins,
            roles,
        })
        .collect();
    let datasets = draft::datasets(&known);
    let metrics = metrics::find(&known, &datasets);
    for (dataset, metrics) in datasets.iter().zip(&metrics) {
        project.metrics(&dataset.name, &yaml::file(dataset, metrics))?;
    }
    let (root, files) = project.finish()?;
    Ok(Created {
        next: next_steps::commands(&root, &datasets, &metrics),
        root,
        files,
        tables: tables.len(),
        rows: tables.iter().map(|table| table.rows).sum(),
        metrics: metrics.iter().map(Vec::len).sum(),
        notes: std::mem::take(notes),
    })
}
