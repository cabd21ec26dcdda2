//! `metrex import`: makes a project from definitions of another tool, and says what could not be carried over.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::notes::{counted, note};
use super::style::Style;
use super::{Global, Outcome, print, runtime};
use crate::session::cell::sanitize;
use crate::session::{self, OtherTool};

#[derive(Debug, Args)]
#[command(
    after_help = "--connection takes the URL of the database, as for `metrex init`: the types of dimensions are then those of its columns."
)]
pub struct ImportArgs {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// dbt's semantic layer: a project folder, one file, or semantic_manifest.json
    Dbt(Paths),
    /// A document of Apache Ossie (formerly Open Semantic Interchange)
    Ossie(Paths),
    /// Cube: a folder of data models in YAML, or one file
    Cube(Paths),
    /// Snowflake's semantic views (or semantic models) in YAML: a folder or one file
    Snowflake(Paths),
    /// Databricks' metric views in YAML: a folder or one file
    Databricks(Paths),
    /// Lightdash: a dbt project whose models have its metadata, or one file
    Lightdash(Paths),
    /// LookML: a folder with views and explores, or one file
    Lookml(Paths),
}

#[derive(Debug, Args)]
struct Paths {
    /// What to read
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Folder to make the project in
    #[arg(value_name = "DIR", default_value = ".")]
    target: PathBuf,
    /// Propose the metrics to the project that is there, to be reviewed: those that are new in it or mean something else
    #[arg(long, conflicts_with = "target")]
    propose: bool,
}

pub fn run(global: &Global, args: &ImportArgs) -> Outcome {
    let (from, paths) = match &args.from {
        From::Dbt(paths) => (OtherTool::Dbt, paths),
        From::Ossie(paths) => (OtherTool::Ossie, paths),
        From::Cube(paths) => (OtherTool::Cube, paths),
        From::Snowflake(paths) => (OtherTool::Snowflake, paths),
        From::Databricks(paths) => (OtherTool::Databricks, paths),
        From::Lightdash(paths) => (OtherTool::Lightdash, paths),
        From::Lookml(paths) => (OtherTool::Lookml, paths),
    };
    if paths.propose {
        return propose(global, from, &paths.path);
    }
    let url = global.connection.as_deref();
    let made = runtime::block_on(async |_| {
        Ok(session::import(from, &paths.path, &paths.target, url).await?)
    })?;
    print(|out| {
        made.files
            .iter()
            .try_for_each(|file| writeln!(out, "{file}"))
    })?;
    let [datasets, metrics, views] = made.counts;
    say!(
        "made {} (datasets: {datasets}, metrics: {metrics}, saved queries: {views})",
        made.root.display()
    );
    if let Some(password) = &made.password {
        note(password);
    }
    let style = Style::of(&std::io::stderr());
    if !made.notes.is_empty() {
        say!("{}", style.bold("not carried over as it stood:"));
        made.notes.iter().for_each(|note| say!("  {note}"));
    }
    if !made.problems.is_empty() {
        say!("{}", style.bold("metrex check:"));
        made.problems.iter().for_each(|problem| say!("  {problem}"));
    }
    Ok(())
}

fn propose(global: &Global, from: OtherTool, path: &Path) -> Outcome {
    let session = global.open()?;
    let by = session.who();
    let done = runtime::block_on(async |cancel| {
        Ok(session.propose_import(from, path, by, cancel).await?)
    })?;
    print(|out| {
        done.files
            .iter()
            .try_for_each(|file| writeln!(out, "{file}"))
    })?;
    let proposed = counted(done.files.len(), "metric");
    say!(
        "proposed: {proposed}, see `metrex review`; {} mean the same already",
        done.same
    );
    let style = Style::of(&std::io::stderr());
    if !done.left_out.is_empty() {
        say!("{}", style.bold("not proposed:"));
        for (metric, reason) in &done.left_out {
            say!("  {metric}: {}", sanitize(reason));
        }
    }
    if !done.notes.is_empty() {
        say!("{}", style.bold("not carried over as it stood:"));
        done.notes.iter().for_each(|note| say!("  {note}"));
    }
    Ok(())
}
