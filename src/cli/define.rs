//! `metrex define`: a metric from a few words: what is suggested, what it would be, and writing it.

use std::io::{Read as _, Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::failure::Failure;
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, explore, notes, prepare, print};
use crate::govern::suggest::{Idea, Offer, OfferKind, State};
use crate::model::Status;
use crate::session::cell::sanitize;
use crate::session::define::{Defined, FirstNumbers, Signed};
use crate::session::{Published, Session, SessionError};
use crate::tui;
use crate::tui::widgets::sql_view::diff;

/// Lines around a change that are printed.
const AROUND: usize = 2;

#[derive(Debug, Args)]
pub struct DefineArgs {
    /// What is to be measured, as YAML: name, short_name, category, owner, definition, rules, choices (- reads stdin).
    /// Without it, the form in the explorer
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Write it as a draft
    #[arg(long, requires = "from")]
    draft: bool,
    /// Write it for everybody
    #[arg(long, requires = "from", conflicts_with = "draft")]
    publish: bool,
    /// Who writes it [default: git's user.name and user.email, else $USER]
    #[arg(long, value_name = "NAME", requires = "from")]
    by: Option<String>,
    /// Why, for the history
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    why: String,
    /// Do not run the first numbers; what they would suggest is left out
    #[arg(long)]
    no_numbers: bool,
    /// Let the configured model propose conditions for rules that are not understood; none is taken by that
    #[arg(long, requires = "from")]
    ask_model: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: DefineFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum DefineFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
}

pub fn run(global: &Global, linear: bool, args: &DefineArgs) -> Outcome {
    let Some(from) = &args.from else {
        return form(global, linear);
    };
    let mut idea = read(from)?;
    let session = global.open()?;
    notes::about_session(&session);
    block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        if args.ask_model {
            let guesses = session.guess(&idea, &cancel).await?;
            idea.guesses.extend(guesses);
        }
        let mut defined = session.define(&idea, &[], &cancel).await?;
        let mut first = Err("not run".to_owned());
        if !args.no_numbers && defined.is_ready() {
            first = match session.first_numbers(&defined, &cancel).await {
                Ok(numbers) => {
                    defined = session.define(&idea, &numbers.history, &cancel).await?;
                    Ok(numbers)
                }
                Err(_) if cancel.is_cancelled() => return Err(SessionError::interrupted().into()),
                Err(error) => Err(error.message),
            };
        }
        let status = match (args.draft, args.publish) {
            (true, _) => Some(Status::Draft),
            (_, true) => Some(Status::Published),
            _ => None,
        };
        let written = match status {
            None => None,
            Some(status) => {
                let signed = Signed {
                    status,
                    by: args.by.clone().unwrap_or_else(|| session.who()),
                    why: args.why.clone(),
                };
                Some(session.publish_defined(&defined, &signed, cancel).await)
            }
        };
        match args.format {
            DefineFormat::Json => print_json(&defined, &first, &written)?,
            DefineFormat::Text => print_text(&defined, &first)?,
        }
        match (written, &defined.missing) {
            (Some(Ok(published)), _) => {
                say(&defined, &published, args.draft);
                Ok(())
            }
            (Some(Err(refusal)), _) => Err(SessionError::from(refusal).into()),
            (None, Some(missing)) => Err(SessionError::usage("missing", missing.clone()).into()),
            (None, None) => Ok(()),
        }
    })
}

/// The explorer, opened on the form.
fn form(global: &Global, linear: bool) -> Outcome {
    if linear || explore::is_dumb() {
        let error = SessionError::usage("no_terminal", "the form needs a screen");
        return Err(error
            .with_hint("metrex define --from FILE.yaml does the same line by line")
            .into());
    }
    explore::needs_terminal()?;
    let session: Session = global.open()?;
    tui::define(session).map_err(|error| SessionError::usage("terminal", error.to_string()))?;
    Ok(())
}

fn read(from: &Path) -> Result<Idea, Failure> {
    let mut text = String::new();
    let name = match from.to_str() {
        Some("-") => {
            stdin().read_to_string(&mut text)?;
            "stdin".to_owned()
        }
        _ => {
            let shown = from.display().to_string();
            text = std::fs::read_to_string(from).map_err(|error| {
                SessionError::usage("file", format!("{shown} cannot be read: {error}"))
            })?;
            shown
        }
    };
    Idea::from_yaml(&text).map_err(|error| {
        let hint = "its keys are name, short_name, category, owner, definition, rules and choices";
        SessionError::usage("file", format!("{name}:{error}"))
            .with_hint(hint)
            .into()
    })
}

fn print_text(defined: &Defined, first: &Result<FirstNumbers, String>) -> Outcome {
    let style = Style::of(&stdout());
    print(|out| {
        writeln!(
            out,
            "{}  {}",
            style.bold(sanitize(&defined.name)),
            style.dim(&defined.path)
        )?;
        for note in &defined.notes {
            writeln!(out, "{}", style.warning(sanitize(note)))?;
        }
        offers(out, style, &defined.offers)?;
        dimensions(out, style, defined)?;
        if let Some(nearest) = &defined.nearest {
            let like = match nearest.is_same {
                true => "means the same as",
                false => "is most like",
            };
            writeln!(out, "\n{} {}", style.bold(like), nearest.metric)?;
            for (name, means) in [
                (&nearest.metric, &nearest.means.before),
                (&defined.name, &nearest.means.after),
            ] {
                writeln!(out, "  {name} is {}", sanitize(means))?;
            }
            for difference in &nearest.differs {
                writeln!(out, "  {}", sanitize(&difference.text))?;
            }
        }
        match first {
            Ok(first) => numbers(out, style, first)?,
            Err(reason) => {
                writeln!(
                    out,
                    "\n{} {}",
                    style.bold("First numbers:"),
                    sanitize(reason)
                )?;
            }
        }
        if let Ok(sql) = &defined.sql {
            writeln!(out, "\n{}", style.bold("SQL"))?;
            for line in sql.lines() {
                writeln!(out, "  {}", sanitize(line))?;
            }
        }
        for problem in &defined.problems {
            writeln!(out, "{}", style.warning(sanitize(&problem.to_string())))?;
        }
        if !defined.text.after.is_empty() {
            writeln!(out, "\n{}", style.bold("What is written"))?;
            changes(out, style, defined)?;
        }
        Ok(())
    })
}

fn offers(out: &mut dyn Write, style: Style, offers: &[Offer]) -> std::io::Result<()> {
    let mut heading = None;
    for offer in offers {
        if heading != Some(offer.kind) {
            heading = Some(offer.kind);
            writeln!(out, "\n{}", style.bold(offer.kind.heading()))?;
        }
        let mark = match offer.state {
            State::Taken => "[x]",
            State::Refused => "[ ]",
            State::Known => " · ",
        };
        let text = match offer.text.as_str() {
            "" => "?",
            text => text,
        };
        if !offer.about.is_empty() {
            writeln!(out, "  {mark} {}", sanitize(&offer.about))?;
            writeln!(out, "      {}", sanitize(text))?;
        } else {
            writeln!(out, "  {mark} {}", sanitize(text))?;
        }
        writeln!(out, "      {}", style.dim(sanitize(&offer.why)))?;
        if offer.kind == OfferKind::Rule || offer.state == State::Refused {
            writeln!(
                out,
                "      {}",
                style.dim(format!("choices: '{}'", sanitize(&offer.id)))
            )?;
        }
    }
    Ok(())
}

fn dimensions(out: &mut dyn Write, style: Style, defined: &Defined) -> std::io::Result<()> {
    if defined.dimensions.is_empty() {
        return Ok(());
    }
    let names = |applies: bool| -> Vec<&str> {
        let all = defined
            .dimensions
            .iter()
            .filter(|one| one.reachable.is_ok() == applies);
        all.map(|one| one.name.as_str()).collect()
    };
    writeln!(out, "\n{}", style.bold("Can be cut by"))?;
    writeln!(out, "  {}", names(true).join(", "))?;
    let others = names(false);
    if let Some(first) = defined
        .dimensions
        .iter()
        .find_map(|one| one.reachable.as_ref().err())
    {
        writeln!(
            out,
            "  {}",
            style.dim(format!(
                "and not by {}: {}",
                others.join(", "),
                sanitize(first)
            ))
        )?;
    }
    Ok(())
}

fn numbers(out: &mut dyn Write, style: Style, first: &FirstNumbers) -> std::io::Result<()> {
    writeln!(
        out,
        "\n{}",
        style.bold(format!("First numbers: {}", sanitize(&first.line)))
    )?;
    let other = first.nearest.as_deref().unwrap_or_default();
    for row in &first.rows {
        let beside = match row.nearest.is_empty() {
            true => String::new(),
            false => format!("   {other} {}", row.nearest),
        };
        writeln!(
            out,
            "  {:<12} {:>14}{}",
            sanitize(&row.of),
            sanitize(&row.number),
            style.dim(sanitize(&beside))
        )?;
    }
    if let Some(note) = &first.note {
        writeln!(
            out,
            "  {}",
            style.dim(format!("no numbers of {other}: {}", sanitize(note)))
        )?;
    }
    Ok(())
}

/// What changes in the file, with some lines around it.
fn changes(out: &mut dyn Write, style: Style, defined: &Defined) -> std::io::Result<()> {
    let lines = diff(&defined.text.before, &defined.text.after);
    let is_near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        let near = lines.iter().skip(from).take(at - from + AROUND + 1);
        near.into_iter().any(|(sign, _)| *sign != ' ')
    };
    for (_, (sign, line)) in lines.iter().enumerate().filter(|(at, _)| is_near(*at)) {
        let line = format!("{sign} {}", sanitize(line));
        match sign {
            '+' => writeln!(out, "{}", style.good(line))?,
            '-' => writeln!(out, "{}", style.error(line))?,
            _ => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

fn print_json(
    defined: &Defined,
    first: &Result<FirstNumbers, String>,
    written: &Option<Result<Published, crate::session::NotPublished>>,
) -> Outcome {
    let numbers = match first {
        Err(reason) => json!({"error": reason}),
        Ok(first) => {
            let rows = first.rows.iter();
            let rows: Vec<Value> = rows
                .map(|row| json!({"of": row.of, "number": row.number, "nearest": row.nearest}))
                .collect();
            json!({"line": first.line, "nearest": first.nearest, "rows": rows, "note": first.note})
        }
    };
    let dimensions = defined.dimensions.iter();
    let dimensions: Vec<Value> = dimensions
        .map(|one| json!({"name": one.name, "dataset": one.dataset, "why_not": one.reachable.as_ref().err()}))
        .collect();
    let nearest = defined
        .nearest
        .as_ref()
        .map(|one| json!({"metric": one.metric, "is_same": one.is_same, "means": one.means.before, "new_means": one.means.after, "differs": one.differs}));
    let value = json!({
        "name": defined.name,
        "missing": defined.missing,
        "offers": defined.offers,
        "dimensions": dimensions,
        "nearest": nearest,
        "sql": defined.sql.as_ref().ok(),
        "problems": defined.problems,
        "first_numbers": numbers,
        "file": {"path": defined.path, "before": defined.text.before, "after": defined.text.after},
        "notes": defined.notes,
        "written": match written {
            None => Value::Null,
            Some(Ok(published)) => json!({"files": published.files, "metrics": published.metrics}),
            Some(Err(refusal)) => json!({"code": refusal.code, "error": refusal.message, "hint": refusal.hint}),
        },
    });
    print(|out| {
        serde_json::to_writer_pretty(&mut *out, &value)?;
        writeln!(out)
    })
}

fn say(defined: &Defined, published: &Published, draft: bool) {
    let style = Style::of(&stderr());
    let what = match draft {
        true => "saved as a draft",
        false => "published",
    };
    say!(
        "{}: {}, {}",
        style.good(what),
        defined.name,
        published.files.join(", ")
    );
}
