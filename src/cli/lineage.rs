//! `metrex lineage`: what depends on what, as a tree, for Graphviz and Mermaid, and for programs.

use std::io::stdout;

use clap::{Args, ValueEnum};

use super::style::Style;
use super::{Global, Outcome, print};
use crate::session::cell::sanitize;
use crate::session::{lineage_json, lineage_outline};

#[derive(Debug, Args)]
pub struct LineageArgs {
    /// A metric, dataset, canonical dataset, table or saved query; dataset:orders says which [default: all]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: LineageFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum LineageFormat {
    /// What it is made from, and what is made from it
    #[default]
    Tree,
    /// A graph for Graphviz
    Dot,
    /// A flowchart for Mermaid
    Mermaid,
    /// One JSON object: `nodes`, and `edges` from what is used to what uses it
    Json,
}

pub fn run(global: &Global, args: &LineageArgs) -> Outcome {
    let session = global.open()?;
    if let (LineageFormat::Tree, Some(name)) = (args.format, &args.name) {
        let outline = session.lineage_of(name)?;
        return print(|out| {
            let mut lines = outline.lines().into_iter().enumerate();
            lines.try_for_each(|(at, line)| writeln!(out, "{}", painted(&sanitize(&line), at == 0)))
        });
    }
    let mut graph = session.lineage();
    if let Some(name) = &args.name {
        graph = graph.around(session.lineage_node(&graph, name)?);
    }
    print(|out| match args.format {
        LineageFormat::Tree => {
            let lines = lineage_outline(&graph);
            let mut lines = lines.iter().flat_map(|outline| outline.lines());
            lines.try_for_each(|line| writeln!(out, "{}", painted(&sanitize(&line), false)))
        }
        LineageFormat::Dot => write!(out, "{}", graph.dot()),
        LineageFormat::Mermaid => write!(out, "{}", graph.mermaid()),
        LineageFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &lineage_json(&graph))?;
            writeln!(out)
        }
    })
}

/// A line of the tree: the name that was asked for stands out, and what is said of a name does not.
pub(super) fn painted(line: &str, is_asked: bool) -> String {
    let style = Style::of(&stdout());
    let drawn = line.trim_start_matches(['│', '├', '└', '─', ' ']);
    let branch = line.strip_suffix(drawn).unwrap_or_default();
    let (name, about) = match drawn.find("  ") {
        Some(at) => drawn.split_at(at),
        None => (drawn, ""),
    };
    let name = if is_asked {
        style.bold(name)
    } else {
        name.to_owned()
    };
    let about = if about.is_empty() {
        String::new()
    } else {
        style.dim(about)
    };
    format!("{branch}{name}{about}")
}
