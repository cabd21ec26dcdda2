//! `metrex query`: runs a query and prints its rows as they arrive.

use std::io::stdout;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::failure::Failure;
use super::format::Format;
use super::rows::{Run, Target};
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare};
use crate::model::MetricQuery;
use crate::session::{RunOptions, SessionError};

#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The query line, such as 'gmv by market, month where channel = ads last 6 months'
    #[arg(required = true, value_name = "LINE")]
    line: Vec<String>,
    /// How to print the rows
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Most rows to return [default: row_cap of the connection]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    row_cap: Option<u64>,
    /// Write to a file, which appears when it is complete
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(global: &Global, args: &QueryArgs) -> Outcome {
    let line = args.line.join(" ");
    let session = global.open()?;
    notes::about_session(&session);
    let mut query: MetricQuery = line
        .parse()
        .map_err(|error| Failure::of_line(&line)(SessionError::from(error)))?;
    if let Some(saved) = session.catalog().registry.saved(&query) {
        query = saved.clone();
    }
    if query.total && !args.format.has_total() {
        notes::note("this format has no place for the total; table, json and markdown have");
        query.total = false;
    }
    let style = if args.output.is_some() {
        Style::plain()
    } else {
        Style::of(&stdout())
    };
    let mut target = Target::open(args.output.as_deref())?;
    let mut printer = args.format.printer(style);
    let options = RunOptions {
        row_cap: args.row_cap,
        ..RunOptions::default()
    };
    block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        let of_line = Failure::of_line(&line);
        let connection = session.connection();
        let compiled = session
            .compile(&query)
            .map_err(|error| of_line(session.refusal(error)))?;
        let run = Run {
            session: &session,
            compiled: Arc::new(compiled),
            connection: &connection,
            options,
        };
        run.print(cancel, printer.as_mut(), &mut target)
            .await
            .map_err(|failure| failure.with_line(&line))
    })?;
    target.finish()?;
    Ok(())
}
