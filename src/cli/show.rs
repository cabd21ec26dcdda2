//! `metrex show`: everything about one metric.

use std::io::{self, Write, stdout};

use clap::Args;

use super::style::Style;
use super::{Global, Outcome, notes, print};
use crate::session::cell::sanitize;
use crate::session::{Lineage, MetricCard, Session};

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Name or alias of the metric
    metric: String,
}

pub fn run(global: &Global, args: &ShowArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    print_metric(&session, &args.metric)
}

/// Prints everything about one metric.
pub fn print_metric(session: &Session, metric: &str) -> Outcome {
    let card = session.describe(metric)?;
    print(|out| write_card(out, &card, Style::of(&stdout())))
}

fn write_card(out: &mut dyn Write, card: &MetricCard, style: Style) -> io::Result<()> {
    writeln!(
        out,
        "{}  {}",
        style.bold(sanitize(&card.label)),
        style.dim(&card.name)
    )?;
    if !card.description.is_empty() {
        writeln!(out, "{}", sanitize(&card.description))?;
    }
    writeln!(out)?;
    let mut fact = |name: &str, text: &str| -> io::Result<()> {
        if text.is_empty() {
            Ok(())
        } else {
            writeln!(
                out,
                "{:12} {}",
                style.dim(format!("{name:12}")),
                sanitize(text)
            )
        }
    };
    fact("means", &card.formula)?;
    fact("totals", &card.additivity)?;
    for rule in &card.business_rules {
        fact("rule", rule)?;
    }
    fact("status", &card.standing)?;
    let stands_on: Vec<String> = card.stands_on.iter().map(|one| one.words()).collect();
    fact("built on", &stands_on.join(", "))?;
    fact("category", &card.category)?;
    fact("owner", card.owner.as_deref().unwrap_or_default())?;
    fact(
        "updated",
        &card
            .last_updated
            .map(|day| day.to_string())
            .unwrap_or_default(),
    )?;
    fact("kind", card.kind)?;
    fact("by default", &card.grain.join(", "))?;
    fact("time range", card.window.as_deref().unwrap_or_default())?;
    fact("also called", &card.aliases.join(", "))?;
    fact("tags", &card.tags.join(", "))?;
    for alert in &card.alerts {
        fact("alert", &alert.words())?;
    }
    let blocks = card.trend.blocks();
    let gap = if blocks.is_empty() { "" } else { "  " };
    fact("used", &format!("{}{gap}{blocks}", card.used))?;
    fact("defined at", &card.defined_at)?;
    if card.sources.len() > 1 {
        heading(out, style, "Sources, the first whose condition holds")?;
        for source in &card.sources {
            let when = source
                .use_when
                .as_deref()
                .map_or("otherwise".to_owned(), |when| format!("when {when}"));
            writeln!(
                out,
                "  {}  {}  {}",
                source.datasets.join(", "),
                sanitize(&when),
                style.dim(&source.defined_at)
            )?;
        }
    }
    if !card.dimensions.is_empty() {
        heading(out, style, "Dimensions")?;
        let width = card
            .dimensions
            .iter()
            .map(|choice| choice.name.chars().count())
            .max()
            .unwrap_or(0);
        for choice in &card.dimensions {
            let from = style.dim(format!("from {}", choice.dataset));
            writeln!(
                out,
                "  {:width$}  {}  {from}",
                sanitize(&choice.name),
                sanitize(&choice.label)
            )?;
        }
    }
    if !card.lineage.is_empty() {
        heading(out, style, "Made from")?;
        card.lineage
            .iter()
            .try_for_each(|node| write_lineage(out, node, 1, style))?;
    }
    if !card.history.is_empty() {
        heading(out, style, "History")?;
        for event in &card.history {
            let day = event.on.map(|day| day.to_string()).unwrap_or_default();
            let why = match event.why.is_empty() {
                true => String::new(),
                false => format!(": {}", event.why),
            };
            let text = format!("{day:10}  {} by {}{why}", event.step.word(), event.by);
            writeln!(out, "  {}", sanitize(&text))?;
        }
    }
    if let Some((name, text)) = &card.snippet {
        heading(out, style, &format!("snippets/{name}"))?;
        for line in text.lines() {
            writeln!(out, "  {}", sanitize(&line.replace('\t', "    ")))?;
        }
    }
    Ok(())
}

fn heading(out: &mut dyn Write, style: Style, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}", style.bold(sanitize(text)))
}

fn write_lineage(
    out: &mut dyn Write,
    node: &Lineage,
    depth: usize,
    style: Style,
) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    writeln!(
        out,
        "{indent}{} {}  {}",
        node.kind.word(),
        sanitize(&node.name),
        style.dim(&node.defined_at)
    )?;
    node.from
        .iter()
        .try_for_each(|below| write_lineage(out, below, depth + 1, style))
}
