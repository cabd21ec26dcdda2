//! `metrex generate`: a dbt package of metrics: models, tests, semantics, pages, graph and skills.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::notes::counted;
use super::style::Style;
use super::{Global, Outcome, notes, print};
use crate::generate::Materialized;
use crate::model::{GroupBy, MetricQuery};
use crate::session::cell::sanitize;
use crate::session::{GenerateRequest, Generated};
use crate::warehouse::Dialect;

#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// The metrics, by name or alias
    #[arg(value_name = "METRIC", required_unless_present = "all")]
    metrics: Vec<String>,
    /// Every metric that is published or certified
    #[arg(long, conflicts_with = "metrics")]
    all: bool,
    /// Folder to write into: a new one, one of an earlier run, or a dbt project, whose models are then referred to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What the models are grouped by, such as 'month, market' [default: a time grain and the shared dimensions of each]
    #[arg(long, value_name = "GROUPING", value_parser = grouping)]
    by: Option<Groups>,
    /// Engine that dbt runs on: postgres, duckdb, trino, snowflake, bigquery, redshift, clickhouse or spark [default: the connection's]
    #[arg(long, value_parser = super::sql::dialect)]
    dialect: Option<Dialect>,
    /// How the models of metrics are kept
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Kept::Table)]
    materialized: Kept,
    /// Format of what is said about the package
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone)]
struct Groups(Vec<GroupBy>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kept {
    /// A table, made anew by every run
    Table,
    /// A view
    View,
    /// A table whose last two periods are made anew, where the metric allows it
    Incremental,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The files, one per line; notes go to stderr
    Text,
    /// One JSON object
    Json,
}

fn grouping(text: &str) -> Result<Groups, String> {
    let line = format!("by {text}");
    let query: MetricQuery = line.parse().map_err(|error| format!("{error}"))?;
    let only = MetricQuery {
        group_by: query.group_by.clone(),
        ..MetricQuery::default()
    };
    match query.group_by.clone() {
        Some(groups) if query == only => Ok(Groups(groups)),
        _ => Err("write groupings, such as 'month, market'".to_owned()),
    }
}

pub fn run(global: &Global, args: &GenerateArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    let request = GenerateRequest {
        metrics: args.metrics.clone(),
        by: args.by.clone().map(|groups| groups.0),
        dialect: args.dialect,
        materialized: match args.materialized {
            Kept::Table => Materialized::Table,
            Kept::View => Materialized::View,
            Kept::Incremental => Materialized::Incremental,
        },
    };
    let generated = session.generate(&request, &args.out)?;
    match args.format {
        Format::Text => text(&generated),
        Format::Json => print(|out| {
            let notes = generated.notes.iter();
            let notes: Vec<_> = notes
                .map(|note| serde_json::json!({"at": note.at, "text": note.text}))
                .collect();
            let whole = serde_json::json!({
                "metrics": generated.metrics,
                "dialect": generated.dialect.word(),
                "files": generated.files,
                "removed": generated.removed,
                "notes": notes,
            });
            writeln!(out, "{whole}")
        }),
    }
}

fn text(generated: &Generated) -> Outcome {
    print(|out| {
        let mut files = generated.files.iter();
        files.try_for_each(|file| writeln!(out, "{}", sanitize(file)))
    })?;
    let style = Style::of(&std::io::stderr());
    say!(
        "{}",
        style.bold(format!(
            "{} of {} for {}",
            counted(generated.files.len(), "file"),
            counted(generated.metrics.len(), "metric"),
            generated.dialect.title()
        ))
    );
    for file in &generated.removed {
        say!("  {}: removed, as it is made no longer", sanitize(file));
    }
    for note in &generated.notes {
        say!("  {}", sanitize(&note.to_string()));
    }
    Ok(())
}
