//! Saved queries as views: a query line each.

use serde_json::{Value, json};

use super::condition::{Piece, Reference, pieces, reference};
use super::manifest::{Manifest, SavedQuery};
use crate::exchange::Notes;
use crate::model::MetricQuery;

/// The view of each saved query that a query line can say.
pub(super) fn views(manifest: &Manifest, notes: &mut Notes) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for saved in &manifest.saved_queries {
        match line(saved) {
            Ok(query) => {
                let value = match &saved.description {
                    Some(description) => json!({"query": query, "description": description.trim()}),
                    None => json!(query),
                };
                found.push((saved.name.clone(), value));
            }
            Err(reason) => notes.add(
                saved.place,
                format!("the saved query {} is left out: {reason}", saved.name),
            ),
        }
    }
    found
}

fn line(saved: &SavedQuery) -> Result<String, String> {
    let mut line = saved.metrics.join(", ");
    let groups: Vec<String> = saved
        .group_by
        .iter()
        .map(|group| name(&reference(group)?))
        .collect::<Result<_, String>>()?;
    let groups = if groups.is_empty() {
        "none".to_owned()
    } else {
        groups.join(", ")
    };
    if !line.is_empty() {
        line.push(' ');
    }
    line.push_str(&format!("by {groups}"));
    let filters: Vec<String> = saved
        .filters
        .iter()
        .map(|filter| condition(filter))
        .collect::<Result<_, String>>()?;
    match filters.as_slice() {
        [] => {}
        [one] => line.push_str(&format!(" where {one}")),
        several => line.push_str(&format!(" where ({})", several.join(") and ("))),
    }
    let order: Vec<String> = saved
        .order_by
        .iter()
        .map(|key| order(key))
        .collect::<Result<_, String>>()?;
    if !order.is_empty() {
        line.push_str(&format!(" order by {}", order.join(", ")));
    }
    if let Some(limit) = &saved.limit {
        line.push_str(&format!(" limit {limit}"));
    }
    let query: MetricQuery = line
        .parse()
        .map_err(|error| format!("'{line}' is no query line: {error}"))?;
    Ok(query.to_string())
}

/// `listing.country`, `month`, `listing.created_at.month`, as queries write it.
fn name(reference: &Reference) -> Result<String, String> {
    match reference {
        Reference::Item { path, grain, part } => {
            let is_metric_time = *path == ["metric_time"];
            if let (true, None) = (is_metric_time, part) {
                return Ok(grain.clone().unwrap_or_else(|| "day".to_owned()));
            }
            if let Some(part) = part {
                return Ok(format!("{}__extract_{part}", path.join("__")));
            }
            let mut name = path.join(".");
            if let Some(grain) = grain {
                name.push_str(&format!(".{grain}"));
            }
            Ok(name)
        }
        Reference::Metric { name, per } => match per.as_slice() {
            [] => Ok(name.clone()),
            [per] => Ok(format!("{name} per {per}")),
            _ => Err(format!("{name} of several entities")),
        },
    }
}

/// A condition as the query line writes it: a truth by itself is compared with true.
fn condition(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let pieces = pieces(text)?;
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Reference(reference) => {
                // In a condition a time stands by itself: metric_time, not its day.
                match reference {
                    Reference::Item { path, grain, .. } => {
                        let grain = grain.iter().map(String::as_str);
                        let words = path.iter().map(String::as_str).chain(grain);
                        out.push_str(&words.collect::<Vec<_>>().join("__"));
                    }
                    Reference::Metric { .. } => out.push_str(&name(reference)?),
                }
                let after = match pieces.get(at + 1) {
                    Some(Piece::Text(text)) => text.trim().to_lowercase(),
                    _ => String::new(),
                };
                let is_alone = after.is_empty()
                    || after.starts_with(')')
                    || ["and ", "or "].iter().any(|word| after.starts_with(word));
                if is_alone {
                    out.push_str(" = true");
                }
            }
        }
    }
    Ok(out.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// `Metric('bookings').descending(True)`, `metric_time`, or `-bookings`.
fn order(text: &str) -> Result<String, String> {
    let text = text.trim();
    if let Some(column) = text.strip_prefix('-') {
        return Ok(format!("{column} desc"));
    }
    if !text.contains('(') {
        return Ok(text.to_owned());
    }
    let column = name(&reference(text)?)?;
    let is_descending = text.contains("descending(True)") || text.contains("descending(true)");
    Ok(if is_descending {
        format!("{column} desc")
    } else {
        column
    })
}
