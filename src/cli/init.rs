//! `metrex init`: makes a project from CSV files or from a live database.

use std::path::PathBuf;

use clap::Args;

use super::notes::note;
use super::progress::Line;
use super::style::Style;
use super::{Global, Outcome, print};
use crate::init::{self, Progress, Stage};
use crate::session::SessionError;

#[derive(Debug, Args)]
#[command(
    after_help = "--connection takes the URL of the database: postgres://user@host/database, or sqlite:FILE."
)]
pub struct InitArgs {
    /// Folder whose .csv and .tsv files are loaded into a warehouse of the project
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
    /// Folder to make the project in
    #[arg(value_name = "DIR", default_value = ".")]
    target: PathBuf,
}

pub fn run(global: &Global, args: &InitArgs) -> Outcome {
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
    let created = match (&args.csv, &global.connection) {
        (Some(folder), None) => init::from_csv(folder, &args.target, &mut show),
        (None, Some(url)) => init::from_connection(url, &args.target, &mut show),
        (given, _) => {
            let message = match given {
                Some(_) => "--csv and --connection are two ways to make a project; take one",
                None => "what the project is made from is missing",
            };
            let hint = "metrex init --csv FOLDER, or metrex init --connection postgres://user@host/database";
            return Err(SessionError::usage("usage", message).with_hint(hint).into());
        }
    };
    drop(line);
    let created = created.map_err(SessionError::from)?;
    print(|out| {
        created
            .files
            .iter()
            .try_for_each(|file| writeln!(out, "{file}"))
    })?;
    let style = Style::of(&std::io::stderr());
    eprintln!(
        "made {} (tables: {}, rows: {}, draft metrics: {})",
        created.root.display(),
        created.tables,
        created.rows,
        created.metrics
    );
    for text in &created.notes {
        note(text);
    }
    eprintln!("{}", style.bold("next:"));
    for command in &created.next {
        eprintln!("  {command}");
    }
    Ok(())
}
