//! Where the rows of a file come from: the query, its SQL, the definitions behind it, when it was asked, what is left out.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use xxhash_rust::xxh3::Xxh3;

use crate::compile::Compiled;
use crate::model::Place;
use crate::session::{RunSummary, Session, notes};

/// What a file says about its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// The query line, with the defaults that applied.
    pub query: String,
    /// The SQL that was run.
    pub sql: String,
    /// The project.
    pub project: String,
    /// The connection that was asked.
    pub connection: String,
    /// The definitions behind the SQL, as `file:line`.
    pub definitions: Vec<String>,
    /// A hash of the text of these definitions: another one means that something was redefined. None where the
    /// definitions are not those of the run any more.
    pub definition_hash: Option<String>,
    /// When the warehouse was asked.
    pub as_of: Timestamp,
    /// The day that times such as `last month` were taken from.
    pub today: Date,
    /// Rows in the file.
    pub rows: u64,
    /// Whether the query has more rows than the file.
    pub truncated: bool,
    /// What a reader should know beside the rows.
    pub notes: Vec<String>,
    /// What wrote the file.
    pub program: String,
}

impl Provenance {
    /// Names and texts, for forms that hold nothing else.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let hash = self.definition_hash.clone();
        let mut pairs = vec![
            ("query", self.query.clone()),
            ("as_of", self.as_of.to_string()),
            ("today", self.today.to_string()),
            ("project", self.project.clone()),
            ("connection", self.connection.clone()),
            ("rows", self.rows.to_string()),
            ("truncated", self.truncated.to_string()),
            ("definitions", self.definitions.join(" ")),
            ("definition_hash", hash.unwrap_or_default()),
            ("notes", self.notes.join("\n")),
            ("program", self.program.clone()),
            ("sql", self.sql.clone()),
        ];
        pairs.retain(|(_, text)| !text.is_empty());
        pairs
    }
}

impl Session {
    /// Where the rows of a run come from. `generation` is that of the catalog at the run.
    pub fn provenance(
        &self,
        compiled: &Compiled,
        connection: &str,
        run: &RunSummary,
        generation: u64,
    ) -> Provenance {
        let version = self.version();
        let registry = &version.catalog.registry;
        let is_current = version.catalog.generation == generation;
        let mut notes = notes(compiled);
        notes.extend(self.partial_periods(compiled));
        let mut definitions = Vec::new();
        let mut hash = Xxh3::new();
        if is_current {
            let metrics = compiled.query.metrics.iter();
            let metrics = metrics.filter_map(|name| registry.metric(name));
            let lines = compiled.main.lines.iter().flatten().copied();
            let places: BTreeSet<Place> = metrics.map(|metric| metric.place).chain(lines).collect();
            for place in places.into_iter().filter(|place| place.line > 0) {
                definitions.push(registry.at(place));
                hash.update(version.definition(place).as_bytes());
            }
        } else {
            notes.push("the definitions have changed since this was run".to_owned());
        }
        Provenance {
            query: compiled.query.to_string(),
            sql: compiled.main.sql.clone(),
            project: self.project().name.clone(),
            connection: connection.to_owned(),
            definitions,
            definition_hash: is_current.then(|| format!("{:032x}", hash.digest128())),
            as_of: run.as_of,
            today: self.today(),
            rows: run.rows,
            truncated: run.truncated,
            notes,
            program: concat!("metrex ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The text of the definition that starts at a line of YAML: the line, and what is indented below it.
pub fn block(text: &str, line: u32) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let first = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut lines = text.lines().skip(first);
    let Some(head) = lines.next() else {
        return String::new();
    };
    let below = lines.take_while(|line| line.trim().is_empty() || indent(line) > indent(head));
    let mut block = head.trim().to_owned();
    for line in below.filter(|line| !line.trim().is_empty()) {
        block.push('\n');
        block.push_str(line.get(indent(head)..).unwrap_or(line).trim_end());
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_its_line_and_what_is_indented_below() {
        let text = "metrics:\n  gmv:\n    agg: sum\n\n    expr: a\n  orders: {agg: count}\n";
        assert_eq!(block(text, 2), "gmv:\n  agg: sum\n  expr: a");
        assert_eq!(block(text, 6), "orders: {agg: count}");
        assert_eq!(block(text, 7), "");
    }

    #[test]
    fn a_definition_that_moves_stays_the_same() {
        let moved = "# a comment\n\nmetrics:\n    gmv:\n      agg: sum\n";
        assert_eq!(
            block("metrics:\n  gmv:\n    agg: sum\n", 2),
            block(moved, 4)
        );
    }
}
