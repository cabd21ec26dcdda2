//! `metrex query`: runs a query and prints its rows as they arrive, writes them to a file, or draws them.

use std::io::{BufWriter, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::failure::Failure;
use super::format::Format;
use super::rows::Run;
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare};
use crate::model::MetricQuery;
use crate::session::chart::{ChartForm, ChartKind};
use crate::session::files::{FileFormat, FileTarget};
use crate::session::{RunOptions, SessionError};

#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The query line, such as 'gmv by market, month where channel = ads last 6 months'
    #[arg(required = true, value_name = "LINE")]
    line: Vec<String>,
    /// How to print the rows [default: table; with --out what the file's ending says]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Most rows to return [default: row_cap of the connection]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    row_cap: Option<u64>,
    /// Write to a file (.csv, .tsv, .json, .ndjson, .parquet, .arrow, .md, .xlsx), which appears when it is complete
    #[arg(long, short, value_name = "FILE", alias = "output")]
    out: Option<PathBuf>,
    /// Draw the rows to a file (.svg, .png) instead: the chart that the explorer shows
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "format"])]
    chart: Option<PathBuf>,
    /// Kind of chart [default: the one that suits the result]
    #[arg(long, requires = "chart", value_parser = chart_kind())]
    kind: Option<ChartKind>,
}

fn chart_kind() -> impl TypedValueParser<Value = ChartKind> {
    let words = PossibleValuesParser::new(ChartKind::ALL.map(ChartKind::word));
    words.try_map(|word| {
        let mut all = ChartKind::ALL.into_iter();
        all.find(|kind| kind.word() == word).ok_or("no such kind")
    })
}

pub fn run(global: &Global, args: &QueryArgs) -> Outcome {
    let line = args.line.join(" ");
    let file = match &args.out {
        None => None,
        Some(path) => Some(target(path, args.format)?),
    };
    let chart = match &args.chart {
        None => None,
        Some(path) => Some((path.as_path(), chart_form(path)?)),
    };
    let format = args.format.unwrap_or_default();
    if file.is_none() {
        format.printed()?;
    }
    let session = global.open()?;
    notes::about_session(&session);
    let mut query: MetricQuery = line
        .parse()
        .map_err(|error| Failure::of_line(&line)(SessionError::from(error)))?;
    if let Some(saved) = session.catalog().registry.saved(&query) {
        query = saved.clone();
    }
    if chart.is_some() {
        query.total = false;
    }
    let has_total = match &file {
        Some(file) => file.format.has_total(),
        None => format.has_total(),
    };
    if query.total && !has_total {
        notes::note("this format has no place for the total; table, json and markdown have");
        query.total = false;
    }
    let options = RunOptions {
        row_cap: args.row_cap,
        ..RunOptions::default()
    };
    block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        let of_line = Failure::of_line(&line);
        let connection = session.connection();
        let compiled = session.compile(&query).map_err(|error| {
            let refusal = session.refusal(error);
            session.note_refused(&query, &refusal);
            of_line(refusal)
        })?;
        let run = Run {
            session: &session,
            compiled: Arc::new(compiled),
            connection: &connection,
            options,
        };
        let outcome = match (&file, chart) {
            (Some(file), _) => run.write(cancel, file).await,
            (None, Some((path, form))) => run.draw(cancel, path, form, args.kind).await,
            (None, None) => {
                let mut printer = format.printer(Style::of(&stdout()));
                let mut out = BufWriter::new(stdout().lock());
                run.print(cancel, printer.as_mut(), &mut out).await
            }
        };
        outcome.map_err(|failure| failure.with_line(&line))
    })
}

/// The form of a chart; the ending of its file says it.
pub fn chart_form(path: &Path) -> Result<ChartForm, SessionError> {
    ChartForm::of(path).ok_or_else(|| {
        let why = format!("{}: the ending of the file says no format", path.display());
        SessionError::usage("format", why).with_hint("endings are .svg, .png")
    })
}

/// The file to write; its ending says in which form, unless that is said.
pub fn target(path: &Path, format: Option<Format>) -> Result<FileTarget, SessionError> {
    let format = match format {
        Some(format) => format
            .of_file()
            .ok_or("a table is for people, not for files"),
        None => FileFormat::of(path).ok_or("the ending of the file says no format"),
    };
    let format = format.map_err(|why| {
        let hint = format!("endings are {}; or say --format", FileFormat::known());
        SessionError::usage("format", format!("{}: {why}", path.display())).with_hint(hint)
    })?;
    Ok(FileTarget {
        path: path.to_owned(),
        format,
        replace: true,
    })
}
