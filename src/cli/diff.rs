//! `metrex diff`: which metrics mean something else in another version of the definitions, and by how much.

use std::io::{self, Write, stdout};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::notes::{counted, note};
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, prepare, print};
use crate::registry::Diagnostic;
use crate::session::cell::sanitize;
use crate::session::meaning::Touches;
use crate::session::{DefinitionDiff, DiffRequest, Fate, Figure, MetricDiff, Sides};

/// Values of a dimension, and errors of a side, that are printed.
const PARTS: usize = 5;

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A project's folder, or a revision of git such as main or HEAD~3
    #[arg(value_name = "A")]
    before: String,
    /// What it is compared with [default: the project as it is now]
    #[arg(value_name = "B")]
    after: Option<String>,
    /// The dimension to compare the numbers by [default: one with few values]
    #[arg(long, value_name = "DIMENSION")]
    by: Option<String>,
    /// Leave out the numbers: the warehouse is not asked
    #[arg(long, conflicts_with = "by")]
    no_numbers: bool,
    /// Print the SQL before and after, too
    #[arg(long)]
    sql: bool,
    /// How to print the differences
    #[arg(long, value_enum, default_value_t)]
    format: DiffFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum DiffFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
}

pub fn run(global: &Global, args: &DiffArgs) -> Outcome {
    let session = global.open()?;
    let request = DiffRequest {
        before: args.before.clone(),
        after: args.after.clone(),
        numbers: !args.no_numbers,
        dimension: args.by.clone(),
    };
    let diff = block_on(async |cancel| {
        if request.numbers {
            prepare(&session, cancel.clone()).await?;
        }
        Ok(session.diff(request, cancel).await?)
    })?;
    let now = "the project as it is now";
    let sides = [
        (args.before.as_str(), &diff.errors.before),
        (args.after.as_deref().unwrap_or(now), &diff.errors.after),
    ];
    for (side, errors) in sides.into_iter().filter(|(_, errors)| !errors.is_empty()) {
        let count = counted(errors.len(), "error");
        note(&format!("{side} has {count}; what is wrong is left out"));
        for error in errors.iter().take(PARTS) {
            say!("  {}", sanitize(&error.to_string()));
        }
        if let Some(more) = errors.len().checked_sub(PARTS).filter(|more| *more > 0) {
            say!("  and {more} more");
        }
    }
    match args.format {
        DiffFormat::Json => print(|out| {
            serde_json::to_writer_pretty(&mut *out, &object(&diff))?;
            writeln!(out)
        }),
        DiffFormat::Text => {
            let style = Style::of(&stdout());
            print(|out| text(out, &diff, args.sql, style))?;
            if diff.metrics.is_empty() {
                note("every metric means the same on both sides");
            }
            let figures: Vec<_> = (diff.numbers.iter()).flat_map(|one| &one.figures).collect();
            let is_whole =
                |one: &&Figure| one.parts.is_empty() && one.same == 0 && one.note.is_none();
            let is_cut = figures.is_empty() || !figures.iter().all(is_whole);
            if let Some(by) = args.by.as_ref().filter(|_| !is_cut) {
                note(&format!("no metric that differs can be compared by '{by}'"));
            }
            let further = diff.numbers.iter().flat_map(|change| &change.further);
            let further: Vec<&str> = further.map(String::as_str).collect();
            if !further.is_empty() {
                note(&format!("numbers not computed: {}", further.join(", ")));
            }
            Ok(())
        }
    }
}

fn figure<'d>(diff: &'d DefinitionDiff, metric: &str) -> Option<&'d Figure> {
    let mut figures = diff.numbers.iter().flat_map(|change| &change.figures);
    figures.find(|figure| figure.metric == metric)
}

fn text(out: &mut dyn Write, diff: &DefinitionDiff, sql: bool, style: Style) -> io::Result<()> {
    for one in &diff.metrics {
        let word = match one.fate {
            Fate::New => style.good("new    "),
            Fate::Gone => style.error("gone   "),
            Fate::Changed => style.warning("changed"),
            Fate::Renamed => style.warning("renamed"),
            Fate::Broken => style.error("broken "),
        };
        let name = style.bold(sanitize(&one.metric));
        match &one.was {
            Some(was) => writeln!(out, "{word} {name}, was {}", sanitize(was))?,
            None => writeln!(out, "{word} {name}")?,
        }
        let whole = match one.fate {
            Fate::New => &one.reading.after,
            Fate::Gone => &one.reading.before,
            Fate::Changed | Fate::Renamed | Fate::Broken => &None,
        };
        if let Some(reading) = whole {
            writeln!(out, "  {}", sanitize(reading))?;
        }
        for difference in &one.differences {
            let touches = style.dim(match difference.touches {
                Touches::Numbers => "numbers ",
                Touches::Defaults => "defaults",
                Touches::Words => "words   ",
            });
            writeln!(out, "  {touches} {}", sanitize(&difference.text))?;
        }
        if let Some(figure) = figure(diff, &one.metric) {
            numbers(out, figure, one.fate)?;
        }
        if sql && one.asks_otherwise() {
            both_sql(out, one, style)?;
        }
    }
    for (metric, reason) in diff.numbers.iter().flat_map(|change| &change.broken) {
        let word = style.error("broken ");
        writeln!(out, "{word} {}: {}", sanitize(metric), sanitize(reason))?;
    }
    Ok(())
}

fn numbers(out: &mut dyn Write, figure: &Figure, fate: Fate) -> io::Result<()> {
    let change = |sides: &Sides<Option<f64>>| {
        let percent = sides.percent().filter(|_| !sides.is_same());
        let percent = percent.map(|percent| format!(" ({percent:+.1}%)"));
        format!(
            "{} → {}{}",
            figure.number(sides.before),
            figure.number(sides.after),
            percent.unwrap_or_default()
        )
    };
    match (&figure.total.before, &figure.total.after) {
        (Ok(before), Ok(after)) => {
            let (before, after) = (*before, *after);
            let total = change(&Sides { before, after });
            writeln!(out, "  {}: {total}", sanitize(&figure.line))?;
        }
        // It has a number for each value only.
        (Err(before), Err(after)) if before == after && !figure.parts.is_empty() => {}
        (before, after) => {
            let told = |side: &Result<Option<f64>, String>| match side {
                Ok(number) => figure.number(*number),
                Err(reason) => format!("none ({reason})"),
            };
            let before = match fate {
                Fate::New => "none".to_owned(),
                _ => told(before),
            };
            let after = told(after);
            writeln!(out, "  {}", sanitize(&format!("{before} → {after}")))?;
        }
    }
    let by = figure.by.as_deref().unwrap_or_default();
    for part in figure.parts.iter().take(PARTS) {
        let change = change(&part.value);
        writeln!(out, "    {by} {}: {change}", sanitize(&part.label))?;
    }
    let more = figure.parts.len().saturating_sub(PARTS);
    if more > 0 {
        writeln!(out, "    and {more} more; {} the same", figure.same)?;
    }
    match &figure.note {
        Some(note) => writeln!(out, "    by {by}: {}", sanitize(note)),
        None => Ok(()),
    }
}

fn both_sql(out: &mut dyn Write, one: &MetricDiff, style: Style) -> io::Result<()> {
    for (title, sql) in [("before", &one.sql.before), ("after", &one.sql.after)] {
        writeln!(out, "  {}", style.dim(title))?;
        let (Ok(text) | Err(text)) = sql;
        for line in text.lines() {
            writeln!(out, "    {}", sanitize(line))?;
        }
    }
    Ok(())
}

fn object(diff: &DefinitionDiff) -> Value {
    let side = |sql: &Result<String, String>| match sql {
        Ok(sql) => json!({ "sql": sql }),
        Err(reason) => json!({ "refused": reason }),
    };
    let metrics = diff.metrics.iter().map(|one| {
        json!({
            "metric": one.metric,
            "fate": one.fate,
            "was": one.was,
            "differences": one.differences,
            "reading": {"before": one.reading.before, "after": one.reading.after},
            "before": side(&one.sql.before),
            "after": side(&one.sql.after),
            "numbers": figure(diff, &one.metric).map(number_object),
        })
    });
    let change = diff.numbers.as_ref();
    let broken = change.iter().flat_map(|change| &change.broken);
    let broken = broken.map(|(metric, reason)| json!({"metric": metric, "reason": reason}));
    let errors =
        |side: &[Diagnostic]| -> Vec<String> { side.iter().map(ToString::to_string).collect() };
    json!({
        "metrics": metrics.collect::<Vec<_>>(),
        "broken": broken.collect::<Vec<_>>(),
        "not_computed": change.map(|change| change.further.clone()).unwrap_or_default(),
        "errors": {"before": errors(&diff.errors.before), "after": errors(&diff.errors.after)},
    })
}

fn number_object(figure: &Figure) -> Value {
    let total = |side: &Result<Option<f64>, String>| match side {
        Ok(number) => json!(number),
        Err(reason) => json!({ "refused": reason }),
    };
    let parts = figure.parts.iter().map(
        |part| json!({"value": part.label, "before": part.value.before, "after": part.value.after}),
    );
    json!({
        "query": figure.line,
        "before": total(&figure.total.before),
        "after": total(&figure.total.after),
        "by": figure.by,
        "parts": parts.collect::<Vec<_>>(),
        "same": figure.same,
        "note": figure.note,
    })
}
