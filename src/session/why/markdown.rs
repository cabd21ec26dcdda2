//! An investigation as Markdown, with its charts as text.

use std::fmt::Write;

use super::{Node, Row, Why};
use crate::model::Format;
use crate::session::cell::number_text;
use crate::session::plot::{Bar, Charset, Plot};

/// Columns of a chart.
const WIDTH: usize = 72;

/// Periods of a chart.
const PERIODS: usize = 13;

impl Why {
    /// The report: the answer, the causes, and every hypothesis with its evidence.
    pub fn markdown(&self) -> String {
        let mut out = format!("# Why did {} move?\n\n", text(&self.label));
        let _ = writeln!(
            out,
            "`{}` · {} against {}\n",
            code(&self.line),
            self.after,
            self.before
        );
        let _ = writeln!(out, "{}\n", text(&self.tree.says));
        let _ = writeln!(out, "**{}**\n", text(&self.answer));
        if let Some(chart) = self.tree.chart(&self.format, Charset::Unicode, WIDTH) {
            let _ = writeln!(out, "```text\n{chart}```\n");
        }
        if !self.causes.is_empty() {
            out.push_str("| cause | effect | share | query |\n|---|---:|---:|---|\n");
            for cause in &self.causes {
                let _ = writeln!(
                    out,
                    "| {} | {} | {:.0}% | `{}` |",
                    cause.cause,
                    number_text(cause.effect, &self.format, true),
                    cause.share * 100.0,
                    code(&cause.line).replace('|', "\\|")
                );
            }
            out.push('\n');
        }
        out.push_str("## Hypotheses\n\n");
        for (path, node) in self.tree.walk() {
            hypothesis(&mut out, path.len(), node);
        }
        if !self.next.is_empty() {
            out.push_str("## Next\n\n");
            for step in &self.next {
                let _ = writeln!(out, "- {}: `{}`", text(&step.text), code(&step.line));
            }
            out.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(out, "> {}\n", text(note));
        }
        out
    }
}

impl Node {
    /// The metric through time in so many columns, as bars; none where fewer than two periods are known.
    pub fn chart(&self, format: &Format, charset: Charset, width: usize) -> Option<String> {
        let known = self.series.iter().filter_map(|(label, value)| {
            Some(Bar {
                label: label.clone(),
                value: (*value)?,
            })
        });
        let known: Vec<Bar> = known.collect();
        let from = known.len().saturating_sub(PERIODS);
        let shown = known.get(from..)?.to_vec();
        (shown.len() > 1).then(|| {
            let title = format!("{} by period", self.metric);
            Plot::of_bars(title, shown, format.clone()).text(width, charset)
        })
    }
}

fn hypothesis(out: &mut String, depth: usize, node: &Node) {
    let indent = "  ".repeat(depth);
    let _ = writeln!(
        out,
        "{indent}- **{}** ({})",
        text(&node.hypothesis),
        node.verdict.word()
    );
    if !node.says.is_empty() && depth > 0 {
        let _ = writeln!(out, "{indent}  {}", text(&node.says));
    }
    let _ = writeln!(out, "{indent}  `{}`", code(&node.line));
    if let Some(source) = &node.source {
        let _ = writeln!(out, "{indent}  {}", text(source));
    }
    if depth > 0 && !node.rows.is_empty() {
        let _ = writeln!(
            out,
            "\n{indent}  | | before | after | effect |\n{indent}  |---|---:|---:|---:|"
        );
        for row in &node.rows {
            let [before, after, effect] = row.texts();
            let _ = writeln!(
                out,
                "{indent}  | {} | {before} | {after} | {effect} |",
                text(&row.label)
            );
        }
        out.push('\n');
    }
}

impl Row {
    /// Before, after and effect as people read them; nothing for what there is not.
    pub fn texts(&self) -> [String; 3] {
        let number = |value: Option<f64>, signed| {
            value.map_or_else(String::new, |value| {
                number_text(value, &self.format, signed)
            })
        };
        [
            number(self.before, false),
            number(self.after, false),
            number(self.effect, true),
        ]
    }
}

/// Text whose signs are not Markdown's.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '*' | '_' | '`' | '<' | '>' | '|' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A line between backquotes.
fn code(line: &str) -> String {
    line.replace(['`', '\n', '\r'], "'")
}
