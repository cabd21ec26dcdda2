//! `metrex why`: finds out why a number moved, and tells it as text, JSON or Markdown.

use std::io::{self, Write, stdout};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::progress::Line;
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare, print};
use crate::model::MetricQuery;
use crate::session::cell::sanitize;
use crate::session::plot::Charset;
use crate::session::why::{Budget, Node, Verdict, Why, WhyRequest};
use crate::session::{Failure as Kind, Session, SessionError};

/// Columns of the chart.
const WIDTH: usize = 76;

/// Rows of evidence that are printed of a hypothesis.
const ROWS: usize = 4;

#[derive(Debug, Args)]
pub struct WhyArgs {
    /// A metric, with conditions, a time and what it is compared with: 'gmv where market = ID last month vs previous year'
    /// [default: the last whole period against the one before]
    #[arg(required = true, value_name = "METRIC")]
    line: Vec<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: WhyFormat,
    /// Write the report as Markdown (.md) or JSON (.json) to a file
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Slices to go down
    #[arg(long, value_name = "N", default_value_t = Budget::default().depth)]
    depth: usize,
    /// Most queries to run
    #[arg(long, value_name = "N", default_value_t = Budget::default().queries)]
    queries: usize,
    /// Most seconds to take
    #[arg(long, value_name = "N", default_value_t = Budget::default().seconds)]
    seconds: u64,
    /// Go on where an earlier investigation of the same question stopped
    #[arg(long)]
    resume: bool,
    /// Let the configured model propose further hypotheses, which are checked and asked like all others
    #[arg(long)]
    model: bool,
    /// Print every hypothesis with its evidence, also those that were refuted
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum WhyFormat {
    /// The answer and the hypotheses, for people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// Markdown
    Markdown,
}

pub fn run(global: &Global, args: &WhyArgs) -> Outcome {
    let line = args.line.join(" ");
    let of_line = Failure::of_line(&line);
    let session = global.open()?;
    notes::about_session(&session);
    let query: MetricQuery = line.parse().map_err(SessionError::from).map_err(&of_line)?;
    let as_json = match args.out.as_ref().and_then(|path| path.extension()) {
        None if args.out.is_none() => false,
        Some(ending) if ending == "md" => false,
        Some(ending) if ending == "json" => true,
        _ => {
            let error = SessionError::usage("file", "the report is a .md or a .json file");
            return Err(error.into());
        }
    };
    let request = WhyRequest {
        query,
        budget: Budget {
            depth: args.depth,
            queries: args.queries,
            seconds: args.seconds,
        },
        resume: args.resume,
        with_model: args.model,
    };
    let why = block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        find(&session, request, cancel).await.map_err(&of_line)
    })?;
    if let Some(path) = &args.out {
        let text = if as_json { json(&why)? } else { why.markdown() };
        std::fs::write(path, text).map_err(|error| {
            let message = format!("cannot write {}: {error}", path.display());
            SessionError::new(Kind::Query, "file", message)
        })?;
        notes::note(&format!("the report is in {}", path.display()));
        return Ok(());
    }
    let text = match args.format {
        WhyFormat::Json => json(&why)?,
        WhyFormat::Markdown => why.markdown(),
        WhyFormat::Text => return print_text(&why, args.all),
    };
    print(|out| out.write_all(text.as_bytes()))
}

/// An investigation within the usual bounds.
pub fn request(query: MetricQuery) -> WhyRequest {
    WhyRequest {
        query,
        ..WhyRequest::default()
    }
}

/// Finds out why, with the progress on a terminal's last line.
pub async fn find(
    session: &Session,
    request: WhyRequest,
    cancel: CancellationToken,
) -> Result<Why, SessionError> {
    let mut progress = Line::quiet();
    let found = session.why(request, cancel, |why| {
        let all = why.tree.walk().len();
        let done = all - why.tree.waiting();
        progress.show("looking at hypotheses", done as f64 / all as f64);
    });
    found.await
}

/// Prints the answer and its hypotheses, with those that were refuted on demand.
pub fn print_text(why: &Why, all: bool) -> Outcome {
    print(|out| write(out, why, all, Style::of(&stdout())))
}

fn json(why: &Why) -> Result<String, io::Error> {
    let text = serde_json::to_string_pretty(why)?;
    Ok(format!("{text}\n"))
}

fn write(out: &mut dyn Write, why: &Why, all: bool, style: Style) -> io::Result<()> {
    writeln!(
        out,
        "{}  {}",
        style.bold(sanitize(&why.label)),
        style.dim(sanitize(&why.line))
    )?;
    writeln!(out, "{} against {}", why.after, why.before)?;
    if !why.tree.says.is_empty() {
        writeln!(out, "{}", sanitize(&why.tree.says))?;
    }
    writeln!(out)?;
    if let Some(chart) = why.tree.chart(&why.format, Charset::Unicode, WIDTH) {
        for line in chart.lines().skip(1) {
            writeln!(out, "  {}", sanitize(line))?;
        }
        writeln!(out)?;
    }
    if !why.answer.is_empty() {
        writeln!(out, "{}", style.bold(sanitize(&why.answer)))?;
    }
    for cause in why.causes.iter().skip(1) {
        writeln!(out, "Also: {}: {}", cause.cause, sanitize(&cause.text))?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "{}",
        style.dim("What was looked at (+ holds, - does not, ? cannot be told):")
    )?;
    let mut refuted = 0;
    for (path, node) in why.tree.walk().into_iter().skip(1) {
        if node.verdict == Verdict::Refutes && !all {
            refuted += 1;
            continue;
        }
        hypothesis(out, path.len(), node, all, style)?;
    }
    if refuted > 0 {
        writeln!(
            out,
            "{}",
            style.dim(format!("{refuted} refuted; --all shows them"))
        )?;
    }
    if !why.next.is_empty() {
        writeln!(out, "\nNext:")?;
        for step in &why.next {
            writeln!(
                out,
                "  {}\n    metrex query '{}'",
                sanitize(&step.text),
                sanitize(&step.line)
            )?;
        }
    }
    for note in &why.notes {
        writeln!(out, "{}", style.dim(sanitize(note)))?;
    }
    Ok(())
}

fn hypothesis(
    out: &mut dyn Write,
    depth: usize,
    node: &Node,
    all: bool,
    style: Style,
) -> io::Result<()> {
    let indent = "  ".repeat(depth - 1);
    let sign = match node.verdict {
        Verdict::Supports => "+",
        Verdict::Refutes => "-",
        Verdict::Open => "?",
    };
    writeln!(
        out,
        "{indent}{sign} {}",
        style.bold(sanitize(&node.hypothesis))
    )?;
    if !node.says.is_empty() {
        writeln!(out, "{indent}  {}", sanitize(&node.says))?;
    }
    writeln!(out, "{indent}  {}", style.dim(sanitize(&node.line)))?;
    if node.verdict != Verdict::Supports && !all {
        return Ok(());
    }
    let most = if all { usize::MAX } else { ROWS };
    for row in node.rows.iter().take(most) {
        let [before, after, effect] = row.texts();
        writeln!(
            out,
            "{indent}    {:<24}  {before:>16}  {after:>16}  {effect:>16}",
            sanitize(&row.label)
        )?;
    }
    Ok(())
}
