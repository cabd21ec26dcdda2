//! `metrex eval`: asks a set of questions with known answers, and counts what is right.

use std::io::{self, Write, stdout};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::failure::Failure;
use super::progress::Line;
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, print};
use crate::session::UseModel;
use crate::session::cell::sanitize;
use crate::session::eval::{self, EvalOptions, Judged, Report, Tally, Verdict};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, and what went wrong
    #[default]
    Table,
    /// One object with everything
    Json,
}

#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Questions with expected answers, as JSON lines
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Ask the configured model where the grammar is not sure
    #[arg(long)]
    llm: bool,
    /// Least share of the answerable questions that must be right, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    min_right: f64,
    /// Most questions, of both kinds, that may be answered with something else
    #[arg(long, value_name = "N", default_value_t = 0)]
    max_wrong: usize,
    /// Least share of the questions out of scope that must be refused with the word named, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    min_refused: f64,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// List also the questions that were refused or asked back where an answer is expected
    #[arg(long, short)]
    verbose: bool,
}

pub fn run(global: &Global, args: &EvalArgs) -> Outcome {
    let questions = eval::read(&args.file)?;
    let options = EvalOptions {
        folder: args.file.parent().map(PathBuf::from).unwrap_or_default(),
        state_dir: global.state_dir.clone(),
        model: if args.llm {
            UseModel::WhenUnsure
        } else {
            UseModel::Never
        },
    };
    let report = block_on(async |cancel| {
        let mut line = Line::quiet();
        let report = eval::evaluate(&questions, &options, cancel, |at| {
            line.show(&at.step, at.share);
        });
        Ok(report.await?)
    })?;
    let short = shortfalls(&report, args);
    match args.format {
        Format::Table => {
            print(|out| write_table(out, &report, args.verbose, Style::of(&stdout())))?
        }
        Format::Json => print(|out| write_json(out, &report, &short))?,
    }
    if short.is_empty() {
        return Ok(());
    }
    short.iter().for_each(|text| notes::note(text));
    Err(Failure::Exit(1))
}

/// What the thresholds ask for and the report does not have.
fn shortfalls(report: &Report, args: &EvalArgs) -> Vec<String> {
    let (inside, outside) = (report.in_scope(), report.out_of_scope());
    let wrong = inside.wrong + outside.wrong;
    let broken = inside.broken + outside.broken;
    let mut short = Vec::new();
    if inside.right_share() < args.min_right {
        short.push(format!(
            "{} right, {} wanted",
            percent(inside.right_share()),
            percent(args.min_right)
        ));
    }
    if wrong > args.max_wrong {
        short.push(format!(
            "{wrong} silently wrong, at most {} wanted",
            args.max_wrong
        ));
    }
    if outside.right_share() < args.min_refused {
        short.push(format!(
            "{} of those out of scope refused with the word, {} wanted",
            percent(outside.right_share()),
            percent(args.min_refused)
        ));
    }
    if broken > 0 {
        short.push(format!("{broken} expected answers do not compile"));
    }
    short
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn write_table(
    out: &mut dyn Write,
    report: &Report,
    verbose: bool,
    style: Style,
) -> io::Result<()> {
    let shown = |one: &&Judged| {
        verbose || one.out_of_scope || matches!(one.verdict, Verdict::Wrong | Verdict::Broken)
    };
    for one in report.failures().filter(shown) {
        let word = style.error(one.verdict.word());
        writeln!(
            out,
            "{word} {} {}",
            style.dim(&one.id),
            sanitize(&one.question)
        )?;
        if let Some(previous) = &one.previous {
            writeln!(out, "  after     {}", sanitize(previous))?;
        }
        writeln!(out, "  expected  {}", sanitize(&one.expected))?;
        writeln!(out, "  came      {}", sanitize(&one.got))?;
        if let Some(parts) = one.differing.as_ref().filter(|parts| !parts.is_empty()) {
            let parts: Vec<_> = parts.iter().map(|part| part.word()).collect();
            writeln!(out, "  differs   {}", parts.join(", "))?;
        }
    }
    writeln!(
        out,
        "{}",
        style.bold("                      questions   right           wrong  refused  asked")
    )?;
    let mut row = |name: &str, tally: Tally| {
        writeln!(
            out,
            "{name:20}  {:>9}  {:>6} {:>7}  {:>6}  {:>7}  {:>5}",
            tally.questions,
            tally.right,
            percent(tally.right_share()),
            tally.wrong,
            tally.refused,
            tally.asked
        )
    };
    for (tag, tally) in report.by_tag() {
        row(tag, tally)?;
    }
    row("= answerable", report.in_scope())?;
    row("= out of scope", report.out_of_scope())?;
    let parts = report.by_part();
    let parts: Vec<String> = parts
        .iter()
        .map(|(part, share)| format!("{} {}", part.word(), percent(*share)))
        .collect();
    writeln!(out, "of the answers: {}", parts.join(", "))?;
    writeln!(
        out,
        "understanding: p50 {:.2} ms, p99 {:.2} ms",
        milliseconds(report, 0.5),
        milliseconds(report, 0.99)
    )
}

fn milliseconds(report: &Report, share: f64) -> f64 {
    report.understood_within(share).as_secs_f64() * 1000.0
}

fn write_json(out: &mut dyn Write, report: &Report, short: &[String]) -> io::Result<()> {
    let parts = report.by_part();
    let parts: serde_json::Map<_, _> = parts
        .iter()
        .map(|(part, share)| (part.word().to_owned(), json!(share)))
        .collect();
    let object = json!({
        "answerable": report.in_scope(),
        "out_of_scope": report.out_of_scope(),
        "tags": report.by_tag(),
        "parts": parts,
        "understanding_ms": {"p50": milliseconds(report, 0.5), "p99": milliseconds(report, 0.99)},
        "failures": report.failures().collect::<Vec<_>>(),
        "shortfalls": short,
    });
    serde_json::to_writer_pretty(&mut *out, &object)?;
    writeln!(out)
}
