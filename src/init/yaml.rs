//! The text of the files: YAML as a person would write it, short, aligned, with comments that say what was seen.

use std::fmt::Write as _;

use super::draft::{Dataset, Dimension, Join};
use super::metrics::{Formula, Leaf, Metric};
use super::words::{self, sql_name};
use crate::model::DimensionType;

/// Longest name that others are aligned with.
const WIDEST: usize = 32;

/// One file of the registry: a dataset and its metrics.
pub(super) fn file(dataset: &Dataset, metrics: &[Metric]) -> String {
    let mut out = String::new();
    let rows = if dataset.large {
        "more than 2,000,000 rows, judged by some of them".to_owned()
    } else {
        words::counted(dataset.rows, "row")
    };
    comment(&mut out, 0, &format!("{}: {rows}.", dataset.table));
    comment(
        &mut out,
        0,
        "A first guess by `metrex init`: read a metric, correct it, then take `status: draft` away.",
    );
    out.push('\n');
    line(&mut out, 0, "datasets:");
    dataset_block(&mut out, dataset);
    out.push('\n');
    line(&mut out, 0, "metrics:");
    for (at, metric) in metrics.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        metric_block(&mut out, dataset, metric, metrics);
    }
    out
}

fn dataset_block(out: &mut String, dataset: &Dataset) {
    line(out, 2, &format!("{}:", scalar(&dataset.name)));
    line(out, 4, &format!("table: {}", scalar(&dataset.table)));
    let entity = words::phrase(&dataset.entity);
    line(
        out,
        4,
        &format!("description: {}", scalar(&format!("One row per {entity}."))),
    );
    match dataset.key.as_slice() {
        [] => comment(
            out,
            4,
            "No key: no column, and no two columns, identify a row. Nothing can join onto this.",
        ),
        key => {
            let why = if dataset.key_declared {
                ""
            } else {
                "  # never empty and never twice, so far"
            };
            line(out, 4, &format!("key: {}{why}", one_or_list(key)));
        }
    }
    let time = dataset.time.as_ref().and_then(|(column, span)| {
        let named = |dimension: &&Dimension| dimension.column == *column;
        Some((&dataset.dimensions.iter().find(named)?.name, span))
    });
    if let Some((name, span)) = time {
        let span = if span.is_empty() {
            String::new()
        } else {
            format!("  # {span}")
        };
        line(out, 4, &format!("time: {}{span}", scalar(name)));
    }
    if !dataset.dimensions.is_empty() {
        line(out, 4, "dimensions:");
        let rows: Vec<_> = dataset
            .dimensions
            .iter()
            .map(|dimension| dimension_row(dataset, dimension))
            .collect();
        aligned(out, 6, &rows);
    }
    if !dataset.joins.is_empty() {
        line(out, 4, "joins:");
        aligned(
            out,
            6,
            &dataset.joins.iter().map(join_row).collect::<Vec<_>>(),
        );
    }
    for reason in &dataset.refused {
        comment(out, 4, &format!("Not joined: {reason}"));
    }
    let mut reasons: Vec<&str> = dataset.unused.iter().map(|(_, reason)| *reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason in reasons {
        let columns: Vec<_> = dataset
            .unused
            .iter()
            .filter(|(_, why)| *why == reason)
            .map(|(name, _)| name.as_str())
            .collect();
        comment(
            out,
            4,
            &format!("Left out, {reason}: {}.", columns.join(", ")),
        );
    }
}

/// Name, value and comment of a dimension.
fn dimension_row(dataset: &Dataset, dimension: &Dimension) -> (String, String, String) {
    let mut parts = Vec::new();
    if !words::names_a_column(&dimension.column) {
        parts.push(format!("expr: {}", scalar(&sql_name(&dimension.column))));
    } else if dimension.column != dimension.name {
        parts.push(format!("column: {}", scalar(&dimension.column)));
    }
    let kind = match dimension.kind {
        DimensionType::Text => None,
        DimensionType::Number => Some("number"),
        DimensionType::Boolean => Some("boolean"),
        DimensionType::Date => Some("date"),
        DimensionType::Time => Some("time"),
    };
    parts.extend(kind.map(|kind| format!("type: {kind}")));
    parts.extend(
        dimension
            .label
            .as_ref()
            .map(|label| format!("label: {}", scalar(label))),
    );
    parts.extend(
        dimension
            .alias
            .as_ref()
            .map(|alias| format!("aliases: [{}]", scalar(alias))),
    );
    if dimension.pii {
        parts.push("pii: true".to_owned());
    }
    let comment = match dimension.empty {
        0 => String::new(),
        empty if empty == dataset.rows => "always empty".to_owned(),
        empty => format!("empty in {}", words::counted(empty, "row")),
    };
    (
        scalar(&dimension.name),
        format!("{{{}}}", parts.join(", ")),
        comment,
    )
}

fn join_row(join: &Join) -> (String, String, String) {
    let same = join.on.iter().all(|(here, there)| here == there);
    let on = if same || join.on.len() == 1 {
        one_or_list(
            &join
                .on
                .iter()
                .map(|(here, _)| here.clone())
                .collect::<Vec<_>>(),
        )
    } else {
        let pairs: Vec<_> = join
            .on
            .iter()
            .map(|(here, there)| format!("{}: {}", scalar(here), scalar(there)))
            .collect();
        format!("{{{}}}", pairs.join(", "))
    };
    let comment = match join.missing {
        0 => String::new(),
        1 => "1 row has no match".to_owned(),
        missing => format!("{} rows have no match", words::thousands(missing)),
    };
    (
        scalar(&join.name),
        format!("{{to: {}, on: {on}}}", scalar(&join.to)),
        comment,
    )
}

fn metric_block(out: &mut String, dataset: &Dataset, metric: &Metric, metrics: &[Metric]) {
    line(out, 2, &format!("{}:", scalar(&metric.name)));
    let mut put = |key: &str, value: &str| line(out, 4, &format!("{key}: {value}"));
    put("label", &scalar(&metric.label));
    put(
        "category",
        &scalar(&words::label(&words::plural(&dataset.entity))),
    );
    put("description", &scalar(&metric.description));
    if !metric.rules.is_empty() {
        let rules: Vec<_> = metric
            .rules
            .iter()
            .map(|rule| format!("\n      - {}", scalar(rule)))
            .collect();
        line(out, 4, &format!("business_rules:{}", rules.concat()));
    }
    let mut put = |key: &str, value: &str| line(out, 4, &format!("{key}: {value}"));
    if !metric.aliases.is_empty() {
        put("aliases", &list(&metric.aliases));
    }
    if let Some(format) = &metric.format {
        put("format", format);
    }
    put("status", "draft");
    match &metric.formula {
        Formula::Simple(leaf) => {
            put("base_table", &scalar(&dataset.name));
            put("agg", leaf.agg);
            if let Some(expr) = &leaf.expr {
                put("expr", &scalar(expr));
            }
            if !leaf.filters.is_empty() {
                put("filters", &list(&leaf.filters));
            }
        }
        Formula::Ratio(part, whole) => {
            put("base_table", &scalar(&dataset.name));
            put("numerator", &format!("  {}", leaf_map(part)));
            put("denominator", &leaf_map(whole));
        }
        Formula::Quotient(upper, lower) => {
            let name = |at: &usize| metrics.get(*at).map_or("", |metric| metric.name.as_str());
            put("expr", &format!("{} / {}", name(upper), name(lower)));
        }
    }
}

fn leaf_map(leaf: &Leaf) -> String {
    let mut parts = vec![format!("agg: {}", leaf.agg)];
    parts.extend(
        leaf.expr
            .as_ref()
            .map(|expr| format!("expr: {}", scalar(expr))),
    );
    if !leaf.filters.is_empty() {
        parts.push(format!("filters: {}", list(&leaf.filters)));
    }
    format!("{{{}}}", parts.join(", "))
}

/// Rows of `name: value  # comment` with values and comments under each other.
fn aligned(out: &mut String, indent: usize, rows: &[(String, String, String)]) {
    let width = |text: &str| text.chars().count();
    let names = rows
        .iter()
        .map(|(name, ..)| width(name))
        .filter(|width| *width <= WIDEST)
        .max()
        .unwrap_or(0);
    let commented = rows.iter().filter(|(.., comment)| !comment.is_empty());
    let values = commented
        .map(|(_, value, _)| width(value))
        .max()
        .unwrap_or(0);
    for (name, value, comment) in rows {
        let gap = " ".repeat(names.saturating_sub(width(name)) + 1);
        let comment = match comment.as_str() {
            "" => String::new(),
            comment => format!(
                "{}  # {comment}",
                " ".repeat(values.saturating_sub(width(value)))
            ),
        };
        line(out, indent, &format!("{name}:{gap}{value}{comment}"));
    }
}

/// A line of comment, whatever the text holds.
fn comment(out: &mut String, indent: usize, text: &str) {
    let text: Vec<_> = text.split_whitespace().collect();
    line(out, indent, &format!("# {}", text.join(" ")));
}

fn line(out: &mut String, indent: usize, text: &str) {
    let _ = writeln!(out, "{}{text}", " ".repeat(indent));
}

fn one_or_list(names: &[String]) -> String {
    match names {
        [only] => scalar(only),
        names => list(names),
    }
}

fn list(items: &[String]) -> String {
    format!(
        "[{}]",
        items
            .iter()
            .map(|item| scalar(item))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// A text as YAML, also inside `[…]` and `{…}`: plain where that is safe, else in quotes.
pub(super) fn scalar(text: &str) -> String {
    let starts_well = text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '/');
    let harmless = |c: char| c.is_alphanumeric() || " _-./*()='<>+;".contains(c);
    let word = text.to_ascii_lowercase();
    let means_something = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .contains(&word.as_str())
        || word.ends_with(".nan")
        || word.ends_with(".inf");
    if starts_well && text.chars().all(harmless) && !text.ends_with(' ') && !means_something {
        return text.to_owned();
    }
    if text.contains('"') && !text.contains(['\'', '\\']) && !text.contains(char::is_control) {
        return format!("'{text}'");
    }
    // Colons, commas and question marks are safe in a block, but this text may stand between brackets.
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
