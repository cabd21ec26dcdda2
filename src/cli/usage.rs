//! `metrex usage`: what is kept of use, dropping some of it, saying whether an answer was right, logs of elsewhere.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin, stdout};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::failure::Failure;
use super::notes::counted;
use super::style::Style;
use super::{Global, Outcome, day, notes, print};
use crate::model::thousands;
use crate::session::cell::sanitize;
use crate::session::{Answered, Figures, LogForm, LogImport, Purge, Session, SessionError, Thumb};

/// Metrics and people that are listed.
const LISTED: usize = 10;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct UsageArgs {
    #[command(subcommand)]
    command: Option<UsageCommand>,
    /// Drop queries from the log; the graph is made anew from what stays
    #[arg(long, requires = "which")]
    purge: bool,
    #[command(flatten)]
    which: Which,
    /// Drop without asking
    #[arg(long, short, requires = "purge")]
    yes: bool,
    /// Print one JSON object
    #[arg(long, conflicts_with = "purge")]
    json: bool,
}

#[derive(Debug, Args)]
#[group(id = "which", requires = "purge")]
struct Which {
    /// Queries and questions before a day, as YYYY-MM-DD
    #[arg(long, value_name = "DATE", value_parser = day)]
    before: Option<Date>,
    /// Queries of a person, by name or address
    #[arg(long, value_name = "NAME", conflicts_with = "before")]
    person: Option<String>,
    /// Everything: queries, questions, what models cost, and the open tabs
    #[arg(long, conflicts_with_all = ["before", "person"])]
    all: bool,
}

#[derive(Debug, Subcommand)]
enum UsageCommand {
    /// Say whether an answer was right, with a word about it
    Feedback(FeedbackArgs),
    /// Add a query log of elsewhere: pg_stat_statements, a csvlog of PostgreSQL, a query history as CSV
    Import(ImportArgs),
}

#[derive(Debug, Args)]
struct FeedbackArgs {
    /// The number of the query in the log, or `last`
    query: String,
    /// Whether it was right
    #[arg(value_enum)]
    thumb: Verdict,
    /// What to say about it
    words: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Verdict {
    /// It was right
    Up,
    /// It was wrong
    Down,
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// The file; which log it is, its header says
    file: PathBuf,
}

pub fn run(global: &Global, args: &UsageArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    match &args.command {
        Some(UsageCommand::Feedback(feedback)) => say(&session, feedback),
        Some(UsageCommand::Import(import)) => report(&session.import_log(&import.file)?),
        None if args.purge => purge(&session, args),
        None => show(&session, args.json),
    }
}

fn say(session: &Session, args: &FeedbackArgs) -> Outcome {
    let answered = match args.query.as_str() {
        "last" => Answered::Last,
        number => match number.parse() {
            Ok(id) => Answered::Id(id),
            Err(_) => {
                let message = format!("'{number}' is neither the number of a query nor `last`");
                return Err(SessionError::usage("feedback", message).into());
            }
        },
    };
    let thumb = match args.thumb {
        Verdict::Up => Thumb::Up,
        Verdict::Down => Thumb::Down,
    };
    let words = args.words.join(" ");
    let logged = session.feedback(&answered, thumb, Some(&words))?;
    let record = &logged.record;
    let what = record.question.as_deref().unwrap_or(&record.line);
    say!("thumbs {thumb} for query {}: {}", logged.id, sanitize(what));
    Ok(())
}

fn purge(session: &Session, args: &UsageArgs) -> Outcome {
    let zone =
        TimeZone::get(&session.catalog().registry.calendar.timezone).unwrap_or(TimeZone::UTC);
    let (purge, what) = match (&args.which.person, args.which.before) {
        (Some(person), _) => (
            Purge::Person(person.clone()),
            format!("all queries of {person}"),
        ),
        (None, Some(day)) => {
            let start = day
                .to_zoned(zone)
                .map_err(|error| SessionError::usage("date", error.to_string()))?;
            (
                Purge::Before(start.timestamp()),
                format!("all queries before {day}"),
            )
        }
        (None, None) => (Purge::All, "the whole log".to_owned()),
    };
    if !args.yes && !is_sure(&what)? {
        say!("nothing was dropped");
        return Err(Failure::Exit(1));
    }
    let dropped = session.purge_usage(purge)?;
    say!("{} dropped", counted(dropped, "query"));
    Ok(())
}

/// Asks somebody at a terminal; anybody else has to say `--yes`.
fn is_sure(what: &str) -> Result<bool, Failure> {
    if !stdin().is_terminal() {
        let error = SessionError::usage(
            "purge",
            format!("this drops {what}, and nobody can be asked"),
        );
        return Err(error.with_hint("--yes drops it").into());
    }
    eprint!("This drops {what}, for good. Go on? [y/N] ");
    stderr().flush()?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn show(session: &Session, as_json: bool) -> Outcome {
    let figures = session.usage_figures()?;
    let settings = session.project().config.usage;
    let path = session.state().usage();
    if as_json {
        let when = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
        let json = serde_json::json!({
            "file": path.to_string_lossy(),
            "bytes": figures.bytes,
            "track": settings.track,
            "keep_days": settings.keep_days,
            "queries": figures.queries,
            "answered": figures.answered,
            "refused": figures.refused,
            "questions": figures.questions,
            "thumbs_up": figures.up,
            "thumbs_down": figures.down,
            "corrected": figures.corrected,
            "first": when(figures.first),
            "last": when(figures.last),
            "nodes": figures.nodes,
            "edges": figures.edges,
            "faces": figures.faces.iter().map(|(face, n)| (face.to_string(), *n)).collect::<std::collections::BTreeMap<_, _>>(),
            "metrics": figures.metrics,
            "people": figures.people,
        });
        return print(|out| {
            serde_json::to_writer_pretty(&mut *out, &json)?;
            writeln!(out)
        });
    }
    let style = Style::of(&stdout());
    print(|out| {
        writeln!(out, "{}", figures_line(&figures))?;
        let faces: Vec<String> = figures
            .faces
            .iter()
            .map(|(face, n)| format!("{face} {}", thousands(*n)))
            .collect();
        if !faces.is_empty() {
            writeln!(out, "from        {}", faces.join(", "))?;
        }
        if let (Some(first), Some(last)) = (figures.first, figures.last) {
            writeln!(
                out,
                "since       {}, last {}",
                first.strftime("%F"),
                last.strftime("%F %H:%M UTC")
            )?;
        }
        writeln!(
            out,
            "said        {} up, {} down, {} asked again",
            figures.up, figures.down, figures.corrected
        )?;
        if !figures.refused.is_empty() {
            let refused = figures.refused.iter();
            let refused: Vec<_> = refused
                .map(|(kind, n)| format!("{kind} {}", thousands(*n)))
                .collect();
            writeln!(out, "refused     {}", refused.join(", "))?;
        }
        writeln!(
            out,
            "graph       {} nodes, {} edges",
            thousands(figures.nodes),
            thousands(figures.edges)
        )?;
        writeln!(
            out,
            "file        {} ({:.1} MB)",
            path.display(),
            figures.bytes as f64 / 1_000_000.0
        )?;
        match settings.track {
            true => writeln!(out, "kept        for {} days", settings.keep_days)?,
            false => writeln!(out, "recording   off (usage: in metrex.yaml)")?,
        }
        for (title, list) in [("metrics", &figures.metrics), ("people", &figures.people)] {
            if list.is_empty() {
                continue;
            }
            writeln!(out, "\n{}", style.bold(title))?;
            for (name, n) in list.iter().take(LISTED) {
                writeln!(out, "{:>9}  {}", thousands(*n), sanitize(name))?;
            }
            if list.len() > LISTED {
                writeln!(out, "           and {} more", list.len() - LISTED)?;
            }
        }
        Ok(())
    })
}

fn figures_line(figures: &Figures) -> String {
    let queries = figures.queries;
    format!(
        "queries     {} ({} answered), {} in words kept for the history",
        thousands(queries),
        thousands(figures.answered),
        thousands(figures.questions)
    )
}

fn report(import: &LogImport) -> Outcome {
    let style = Style::of(&stdout());
    print(|out| {
        let statements = |count: usize| counted(count, "statement");
        writeln!(
            out,
            "{}: {} added, {} there already",
            import.form,
            statements(import.added),
            import.known
        )?;
        if import.form == LogForm::PgStatStatements {
            writeln!(
                out,
                "they were called {} times; who called them and when is not in such a file, so each counts as one use, \
                 now",
                thousands(import.calls)
            )?;
        }
        if import.no_select > 0 {
            writeln!(out, "{} left out: no SELECT", statements(import.no_select))?;
        }
        if let Some((count, why)) = &import.unread {
            writeln!(
                out,
                "{} left out: not understood, the first because {}",
                statements(*count),
                sanitize(why)
            )?;
        }
        if let Some((count, why)) = &import.broken {
            writeln!(
                out,
                "{} left out: {}",
                counted(*count, "line"),
                sanitize(why)
            )?;
        }
        if import.others > 0 {
            writeln!(out, "{} about no statement", counted(import.others, "line"))?;
        }
        if import.without_metric > 0 {
            writeln!(
                out,
                "{} computed by no metric",
                statements(import.without_metric)
            )?;
        }
        for (metric, count) in &import.metrics {
            writeln!(
                out,
                "{:>9}  {}",
                thousands(*count as u64),
                style.bold(metric)
            )?;
        }
        Ok(())
    })
}
