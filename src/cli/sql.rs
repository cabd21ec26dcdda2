//! `metrex sql`: the SQL of a query, with the reasons and the definitions behind each line on request.

use std::io::{self, Write};

use clap::Args;

use super::failure::Failure;
use super::runtime::block_on;
use super::{Global, Outcome, notes, print};
use crate::compile::Compiled;
use crate::model::{MetricQuery, Registry};
use crate::session::SessionError;
use crate::session::cell::sanitize;
use crate::warehouse::Dialect;

#[derive(Debug, Args)]
pub struct SqlArgs {
    /// The query line, such as 'gmv by market, month last 6 months'
    #[arg(required = true, value_name = "LINE")]
    line: Vec<String>,
    /// Engine to write for: sqlite, postgres, duckdb, trino, snowflake, bigquery, redshift, clickhouse or spark [default: the connection's]
    #[arg(long, value_parser = dialect)]
    dialect: Option<Dialect>,
    /// Add the definition behind each line, and why the SQL is as it is, as SQL comments; with =plan, print the plan
    /// behind the SQL as a tree instead
    #[arg(
        long,
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "lines"
    )]
    explain: Option<Explain>,
    /// Format of the plan
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Tree)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Explain {
    /// The definition behind each line, and the reasons.
    Lines,
    /// The plan, from the result down to the tables.
    Plan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Drawn for people.
    Tree,
    /// One JSON object, in which every relation stands under the word for what it is.
    Json,
}

/// The dialect of a word.
pub fn dialect(word: &str) -> Result<Dialect, String> {
    Dialect::of(word).ok_or_else(|| {
        let words: Vec<_> = Dialect::ALL.iter().map(|dialect| dialect.word()).collect();
        format!("write one of {}", words.join(", "))
    })
}

pub fn run(global: &Global, args: &SqlArgs) -> Outcome {
    if args.format == Format::Json && args.explain != Some(Explain::Plan) {
        let error = SessionError::usage("usage", "--format json is for the plan");
        return Err(error.with_hint("add --explain=plan").into());
    }
    let line = args.line.join(" ");
    let failed = Failure::of_line(&line);
    let session = global.open()?;
    notes::about_session(&session);
    let query: MetricQuery = line.parse().map_err(SessionError::from).map_err(&failed)?;
    block_on(async |_| {
        session.learn_rollups().await;
        Ok(())
    })?;
    let compiled = match args.dialect {
        Some(dialect) => session.compile_for(&query, dialect),
        None => session.compile(&query),
    };
    let compiled = compiled.map_err(|error| failed(session.refusal(error)))?;
    match args.explain {
        Some(Explain::Lines) => {
            return print(|out| explain(out, &compiled, &session.catalog().registry));
        }
        Some(Explain::Plan) => {
            return print(|out| match (&compiled.plan, args.format) {
                (None, _) => Ok(()),
                (Some(plan), Format::Tree) => {
                    write!(out, "{}", sanitize_lines(&plan.to_string()))
                }
                (Some(plan), Format::Json) => {
                    serde_json::to_writer_pretty(&mut *out, plan)?;
                    writeln!(out)
                }
            });
        }
        None => {}
    }
    notes::about_query(&compiled);
    print(|out| writeln!(out, "{};", compiled.main.sql.trim_end()))
}

/// Text of several lines without control characters.
fn sanitize_lines(text: &str) -> String {
    text.lines()
        .map(|line| format!("{}\n", sanitize(line)))
        .collect()
}

/// The SQL with its origin beside each line, then the reasons; still valid SQL.
fn explain(out: &mut dyn Write, compiled: &Compiled, registry: &Registry) -> io::Result<()> {
    writeln!(out, "-- {}", sanitize(&compiled.query.to_string()))?;
    let sql = compiled.main.sql.trim_end();
    let width = sql
        .lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0);
    let mut reader = Reader::Code;
    for (number, line) in sql.split('\n').enumerate() {
        reader = reader.after(line);
        let places = compiled
            .main
            .lines
            .get(number)
            .map(Vec::as_slice)
            .unwrap_or_default();
        if places.is_empty() || reader != Reader::Code {
            writeln!(out, "{line}")?;
        } else {
            let places: Vec<_> = places.iter().map(|place| registry.at(*place)).collect();
            writeln!(out, "{line:width$}  -- {}", places.join(", "))?;
        }
    }
    writeln!(out, ";\n--")?;
    for reason in &compiled.reasons {
        let place = reason
            .place
            .map(|place| format!("  ({})", registry.at(place)))
            .unwrap_or_default();
        writeln!(out, "-- {}{place}", sanitize(&reason.text))?;
    }
    Ok(())
}

/// What a reader of SQL is in the middle of: a comment can only be added to code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Code,
    /// Inside these quotes, which are doubled where they are meant themselves.
    Quoted(char),
    /// Inside `/* */`.
    Comment,
}

impl Reader {
    /// Where a line leaves the reader.
    fn after(mut self, line: &str) -> Self {
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            self = match (self, c, chars.peek()) {
                (Self::Code, '-', Some('-')) => return self,
                (Self::Code, '/', Some('*')) => Self::Comment,
                (Self::Code, '\'' | '"', _) => Self::Quoted(c),
                (Self::Quoted(quote), c, _) if c == quote => Self::Code,
                (Self::Comment, '*', Some('/')) => Self::Code,
                _ => self,
            };
        }
        self
    }
}
