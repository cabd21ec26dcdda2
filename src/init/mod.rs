//! `metrex init`: a first project from CSV files or a live database, with what was guessed marked as drafts.

mod csv_files;
mod error;
mod types;
mod words;

use std::path::PathBuf;

pub use error::InitError;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A CSV file is read to learn its columns; counted in bytes.
    Reading,
    /// A CSV file is loaded into the warehouse; counted in bytes.
    Loading,
    /// Tables are looked at for keys, times, measures and joins; counted in tables.
    Examining,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// The file or table concerned.
    pub subject: String,
    /// How much of `total` is done.
    pub done: u64,
    /// All there is.
    pub total: u64,
}

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
    /// What a reader should know, and what to do next: one sentence or command each.
    pub notes: Vec<String>,
}
