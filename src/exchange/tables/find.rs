//! Finding what is defined: a table by name, the table of a measure, the joins between two.

use std::collections::VecDeque;

use super::{Measure, Table, Tables};

impl Tables {
    /// Every measure.
    pub(in crate::exchange) fn measures(&self) -> impl Iterator<Item = &Measure> {
        let of_tables = self.tables.iter().flat_map(|table| &table.measures);
        of_tables.chain(&self.across)
    }

    /// The table that a measure stands with.
    pub(in crate::exchange) fn home(&self, measure: &str) -> Option<&Table> {
        let mut tables = self.tables.iter();
        tables.find(|table| table.measures.iter().any(|one| one.name == measure))
    }

    /// The table of a name.
    pub(in crate::exchange) fn table(&self, name: &str) -> Option<&Table> {
        let mut tables = self.tables.iter();
        tables.find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// The joins from a table to another one.
    pub(in crate::exchange) fn path(&self, from: &Table, to: &str) -> Option<Vec<String>> {
        let mut seen = vec![from.name.clone()];
        let mut queue = VecDeque::from([(from.name.clone(), Vec::new())]);
        while let Some((name, path)) = queue.pop_front() {
            if name == to {
                return Some(path);
            }
            for join in &self.table(&name)?.joins {
                if !seen.contains(&join.to) {
                    seen.push(join.to.clone());
                    let mut path = path.clone();
                    path.push(join.name.clone());
                    queue.push_back((join.to.clone(), path));
                }
            }
        }
        None
    }
}
