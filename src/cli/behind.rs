//! `metrex rows`: the rows of the warehouse behind a number, which add up to it.

use std::io::{BufWriter, stdout};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::failure::Failure;
use super::format::Format;
use super::query::target;
use super::rows::Run;
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare};
use crate::compile::{NumberOf, RowsOf};
use crate::model::MetricQuery;
use crate::session::cell::thousands;
use crate::session::{RunOptions, SessionError, parse_at, part_of};

#[derive(Debug, Args)]
pub struct RowsArgs {
    /// The query line with the number, such as 'gmv by market last month'
    #[arg(required = true, value_name = "LINE")]
    line: Vec<String>,
    /// The row of the number, one grouping at a time: market=ID, month=2026-10, or 'market is null' [default: all rows]
    #[arg(long, value_name = "GROUP=VALUE", value_parser = parse_at)]
    at: Vec<(String, Option<String>)>,
    /// The column of the number, such as gmv_prior [default: the first metric]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Which of the aggregations, where the number is computed from several [default: the first]
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// Print the SQL instead of running it
    #[arg(long)]
    sql: bool,
    /// How to print the rows [default: table; with --out what the file's ending says]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Most rows to return [default: row_cap of the connection]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    row_cap: Option<u64>,
    /// Write to a file (.csv, .tsv, .json, .ndjson, .parquet, .arrow, .md, .xlsx), which appears when it is complete
    #[arg(long, short, value_name = "FILE", alias = "output")]
    out: Option<PathBuf>,
}

pub fn run(global: &Global, args: &RowsArgs) -> Outcome {
    let line = args.line.join(" ");
    let of_line = Failure::of_line(&line);
    let file = match &args.out {
        None => None,
        Some(path) => Some(target(path, args.format)?),
    };
    let format = args.format.unwrap_or_default();
    if file.is_none() {
        format.printed()?;
    }
    let session = global.open()?;
    notes::about_session(&session);
    let query: MetricQuery = line.parse().map_err(SessionError::from).map_err(&of_line)?;
    let number = NumberOf {
        column: args.column.clone(),
        at: args.at.clone(),
    };
    block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        let connection = session.connection();
        let behind = session
            .behind(&query, &number)
            .map_err(|error| of_line(session.refusal(error)))?;
        let mut part = chosen(behind.parts, args.part.as_deref()).map_err(&of_line)?;
        if args.sql {
            return super::print(|out| writeln!(out, "{};", part.compiled.main.sql));
        }
        for name in &part.left_out {
            notes::note(&format!("{name} is left out: it is personal data"));
        }
        let sum = session.part(&part, &cancel).await?;
        part.compiled.query.total = match &file {
            Some(file) => file.format.has_total(),
            None => format.has_total(),
        };
        let run = Run {
            session: &session,
            compiled: Arc::new(part.compiled),
            connection: &connection,
            options: RunOptions {
                row_cap: args.row_cap,
                ..RunOptions::default()
            },
        };
        let outcome = match &file {
            Some(file) => run.write(cancel, file).await,
            None => {
                let mut printer = format.printer(Style::of(&stdout()));
                let mut out = BufWriter::new(stdout().lock());
                run.print(cancel, printer.as_mut(), &mut out).await
            }
        };
        outcome.map_err(|failure| failure.with_line(&line))?;
        let rows = thousands(usize::try_from(sum.rows).unwrap_or(usize::MAX));
        notes::note(&format!(
            "{} of these {rows} rows: {}",
            sum.reading, sum.value
        ));
        Ok(())
    })
}

/// The aggregation asked for, with a word on the others.
fn chosen(parts: Vec<RowsOf>, wanted: Option<&str>) -> Result<RowsOf, SessionError> {
    let names: Vec<String> = parts.iter().map(|part| part.name.clone()).collect();
    let part = part_of(parts, wanted)?;
    if names.len() > 1 && wanted.is_none() {
        notes::note(&format!(
            "the number is computed from {}; these are the rows of {}, --part shows others",
            names.join(" and "),
            part.name
        ));
    }
    Ok(part)
}
