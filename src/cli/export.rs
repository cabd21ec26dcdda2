//! `metrex export`: writes the project's definitions for another tool, and says what it has no words for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::style::Style;
use super::{Global, Outcome, print};
use crate::session::{OtherTool, SessionError};

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The tool to write for
    #[arg(value_name = "TOOL")]
    to: To,
    /// Folder to write into
    #[arg(value_name = "DIR", default_value = ".")]
    target: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum To {
    /// dbt's semantic layer, in its latest form
    Dbt,
    /// Apache Ossie (formerly Open Semantic Interchange)
    Ossie,
    /// Cube: data models in YAML, one file for each cube
    Cube,
    /// Snowflake: one semantic view in YAML
    Snowflake,
    /// Databricks: a metric view in YAML for each dataset with metrics
    Databricks,
    /// Lightdash: models of dbt with its metadata, one file for each
    Lightdash,
    /// LookML: a view for each dataset, and a model with their explores
    Lookml,
}

pub fn run(global: &Global, args: &ExportArgs) -> Outcome {
    let session = global.open()?;
    let export = session.export(match args.to {
        To::Dbt => OtherTool::Dbt,
        To::Ossie => OtherTool::Ossie,
        To::Cube => OtherTool::Cube,
        To::Snowflake => OtherTool::Snowflake,
        To::Databricks => OtherTool::Databricks,
        To::Lightdash => OtherTool::Lightdash,
        To::Lookml => OtherTool::Lookml,
    });
    let files = export.write(&args.target).map_err(SessionError::from)?;
    print(|out| files.iter().try_for_each(|file| writeln!(out, "{file}")))?;
    if !export.notes.is_empty() {
        let style = Style::of(&std::io::stderr());
        say!("{}", style.bold("not carried over as it stands:"));
        export.notes.iter().for_each(|note| say!("  {note}"));
    }
    Ok(())
}
