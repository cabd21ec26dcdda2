//! `metrex init`: makes a project from CSV files or from a live database.

use std::path::{Path, PathBuf};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::notes::note;
use super::progress::Line;
use super::style::Style;
use super::{Global, Outcome, print, runtime};
use crate::init::{self, Created, InitError, Progress, Stage};
use crate::session::SessionError;

#[derive(Debug, Args)]
#[command(
    after_help = "--connection takes the URL of the database: postgres://user@host/database, sqlite:FILE, or duckdb:PATH of a DuckDB file or a folder of Parquet and CSV files."
)]
pub struct InitArgs {
    /// Folder whose .csv and .tsv files are loaded into a warehouse of the project
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
    /// Folder to make the project in
    #[arg(value_name = "DIR", default_value = ".")]
    target: PathBuf,
}

/// What a project is made from.
enum Origin {
    Csv(PathBuf),
    Database(String),
}

pub fn run(global: &Global, args: &InitArgs) -> Outcome {
    let origin = match (&args.csv, &global.connection) {
        (Some(folder), None) => Origin::Csv(folder.clone()),
        (None, Some(url)) => Origin::Database(url.clone()),
        (given, _) => {
            let message = match given {
                Some(_) => "--csv and --connection are two ways to make a project; take one",
                None => "what the project is made from is missing",
            };
            let hint = "metrex init --csv FOLDER, or metrex init --connection postgres://user@host/database";
            return Err(SessionError::usage("usage", message).with_hint(hint).into());
        }
    };
    let target = args.target.clone();
    let created = runtime::block_on(async |cancel| {
        let make = tokio::task::spawn_blocking(move || make(&origin, &target, &cancel));
        let made = make.await.map_err(std::io::Error::other)?;
        Ok(made.map_err(SessionError::from)?)
    })?;
    print(|out| {
        created
            .files
            .iter()
            .try_for_each(|file| writeln!(out, "{file}"))
    })?;
    let style = Style::of(&std::io::stderr());
    say!(
        "made {} (tables: {}, rows: {}, draft metrics: {})",
        created.root.display(),
        created.tables,
        created.rows,
        created.metrics
    );
    for text in &created.notes {
        note(text);
    }
    say!("{}", style.bold("next:"));
    for command in &created.next {
        say!("  {command}");
    }
    Ok(())
}

fn make(origin: &Origin, target: &Path, cancel: &CancellationToken) -> Result<Created, InitError> {
    let mut line = Line::new();
    let mut show = |progress: Progress| {
        let doing = match progress.stage {
            Stage::Reading => "reading",
            Stage::Loading => "loading",
            Stage::Examining => "looking at",
        };
        let share = progress.done as f64 / progress.total.max(1) as f64;
        if !progress.subject.is_empty() {
            line.show(&format!("{doing} {}", progress.subject), share);
        }
    };
    match origin {
        Origin::Csv(folder) => init::from_csv(folder, target, &mut show, cancel),
        Origin::Database(url) => init::from_connection(url, target, &mut show, cancel),
    }
}
