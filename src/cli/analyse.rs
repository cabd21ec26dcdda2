//! `metrex analyse`: the analyses of the project, and the tables that show one.

use std::io::{self, Write, stdout};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare, print};
use crate::model::TimeRange;
use crate::session::cell::sanitize;
use crate::session::{AnalysisCard, Coalitions, SessionError, Sheet};

/// Signs of a heat map, from the smallest fifth of the range to the largest.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

#[derive(Debug, Args)]
pub struct AnalyseArgs {
    /// Name of the analysis [default: list them]
    name: Option<String>,
    /// Time range, such as 'last 6 months' [default: that of its metrics]
    #[arg(long, value_name = "RANGE", requires = "name")]
    time: Option<String>,
    /// Of an attribution: the Shapley values from the worth of every set of channels, beside those of the SQL
    #[arg(long, requires = "name")]
    coalitions: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: AnalyseFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum AnalyseFormat {
    /// Tables for people
    #[default]
    Text,
    /// JSON
    Json,
}

pub fn run(global: &Global, args: &AnalyseArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    let Some(name) = &args.name else {
        let cards = session.analyses();
        return match args.format {
            AnalyseFormat::Json => print_json(&json!(cards.iter().map(card).collect::<Vec<_>>())),
            AnalyseFormat::Text => print(|out| list(out, &cards, Style::of(&stdout()))),
        };
    };
    let time = args.time.as_deref().map(str::parse::<TimeRange>);
    let time = time.transpose().map_err(SessionError::from)?;
    let analysis = session.analysis(name)?;
    block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        let style = Style::of(&stdout());
        if args.coalitions {
            let found = session.coalitions(&analysis, time, cancel).await?;
            return match args.format {
                AnalyseFormat::Json => print_json(&coalitions(&found)),
                AnalyseFormat::Text => print(|out| write_coalitions(out, &found, style)),
            };
        }
        let mut sheets = Vec::new();
        for view in &analysis.views {
            sheets.push(session.sheet(&analysis, view, time, cancel.clone()).await?);
        }
        match args.format {
            AnalyseFormat::Json => {
                let sheets = sheets.iter().map(|sheet| {
                    json!({"title": sheet.title, "query": sheet.query, "rows": sheet.records, "notes": sheet.notes})
                });
                let sheets: Vec<Value> = sheets.collect();
                print_json(
                    &json!({"name": analysis.name, "kind": analysis.kind.word(), "views": sheets}),
                )
            }
            AnalyseFormat::Text => print(|out| {
                writeln!(
                    out,
                    "{}  {}",
                    style.bold(sanitize(&analysis.label)),
                    style.dim(&analysis.name)
                )?;
                for sheet in &sheets {
                    write_sheet(out, sheet, style)?;
                }
                Ok(())
            }),
        }
    })
}

fn print_json(value: &Value) -> Outcome {
    print(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

fn card(card: &AnalysisCard) -> Value {
    let analysis = &card.analysis;
    let views = analysis.views.iter();
    let views = views.map(|view| json!({"title": view.title, "query": view.query}));
    json!({
        "name": analysis.name,
        "kind": analysis.kind.word(),
        "label": analysis.label,
        "description": analysis.description,
        "of": analysis.of,
        "metrics": analysis.metrics.keys().collect::<Vec<_>>(),
        "views": views.collect::<Vec<_>>(),
        "defined_at": card.defined_at,
        "refused": card.refused,
    })
}

fn list(out: &mut dyn Write, cards: &[AnalysisCard], style: Style) -> io::Result<()> {
    if cards.is_empty() {
        return writeln!(out, "The project declares no analyses (analyses:).");
    }
    for card in cards {
        let analysis = &card.analysis;
        writeln!(
            out,
            "{}  {} · {} of {}",
            style.bold(&analysis.name),
            sanitize(&analysis.label),
            analysis.kind.title(),
            analysis.of.join(", ")
        )?;
        if let Some(why) = &card.refused {
            writeln!(out, "  {}", style.error(sanitize(why)))?;
        }
        for view in &analysis.views {
            writeln!(out, "  {}", style.dim(sanitize(&view.query)))?;
        }
    }
    Ok(())
}

fn write_sheet(out: &mut dyn Write, sheet: &Sheet, style: Style) -> io::Result<()> {
    writeln!(out, "\n{}", style.bold(&sheet.title))?;
    writeln!(out, "{}", style.dim(sanitize(&sheet.query)))?;
    for note in &sheet.notes {
        writeln!(out, "{}", style.dim(sanitize(note)))?;
    }
    let rows = sheet.rows.iter().map(|row| {
        let cells = row.iter().map(|cell| {
            let text = sanitize(&cell.text).into_owned();
            let text = match cell.shade.filter(|_| sheet.is_map) {
                None if sheet.is_map && cell.is_number => format!("{text}  "),
                None => text,
                Some(shade) => {
                    let place = ((shade * 5.0) as usize).min(4);
                    format!("{text} {}", SHADES.get(place).unwrap_or(&' '))
                }
            };
            (text, cell.is_number)
        });
        cells.collect()
    });
    table(out, &sheet.header, &rows.collect::<Vec<Vec<_>>>(), style)
}

fn coalitions(found: &Coalitions) -> Value {
    let channels = found.channels.iter().zip(&found.by_sql);
    let channels = channels.map(|((name, share), by_sql)| {
        json!({"channel": name, "shapley": share.value, "standard_error": share.error, "by_sql": by_sql})
    });
    json!({"how": found.how, "channels": channels.collect::<Vec<_>>()})
}

fn write_coalitions(out: &mut dyn Write, found: &Coalitions, style: Style) -> io::Result<()> {
    writeln!(out, "Shapley values: {}", found.how)?;
    let header = ["channel", "shapley", "standard error", "by SQL"];
    let rows = found.channels.iter().zip(&found.by_sql);
    let rows = rows.map(|((name, share), by_sql)| {
        let error = share
            .error
            .map_or_else(|| "exact".to_owned(), |error| format!("± {error:.2}"));
        vec![
            (sanitize(name).into_owned(), false),
            (format!("{:.2}", share.value), true),
            (error, true),
            (format!("{by_sql:.2}"), true),
        ]
    });
    table(
        out,
        &header.map(str::to_owned),
        &rows.collect::<Vec<_>>(),
        style,
    )
}

/// Columns side by side, numbers to the right.
fn table(
    out: &mut dyn Write,
    header: &[String],
    rows: &[Vec<(String, bool)>],
    style: Style,
) -> io::Result<()> {
    let length = |text: &str| unicode_width::UnicodeWidthStr::width(text);
    let is_number = |at: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(at));
        cells.any(|(_, is_number)| *is_number)
    };
    let width = |(at, name): (usize, &String)| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        let widest = cells.map(|(text, _)| length(text)).max().unwrap_or(0);
        (widest.max(length(name)), is_number(at))
    };
    let widths: Vec<(usize, bool)> = header.iter().enumerate().map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths);
        let cells = cells.map(|(text, (width, is_number))| {
            let gap = " ".repeat(width.saturating_sub(length(text)));
            match is_number {
                true => format!("{gap}{text}"),
                false => format!("{text}{gap}"),
            }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    };
    let header: Vec<String> = header
        .iter()
        .map(|name| sanitize(name).into_owned())
        .collect();
    writeln!(out, "{}", style.dim(line(&header)))?;
    for row in rows {
        let cells: Vec<String> = row.iter().map(|(text, _)| text.clone()).collect();
        writeln!(out, "{}", line(&cells))?;
    }
    Ok(())
}
