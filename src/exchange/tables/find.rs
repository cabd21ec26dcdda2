//! Finding what is defined: a table by name, the table of a measure, the joins between two.

use std::collections::VecDeque;

use super::{Measure, Sql, Table, Tables};

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

    /// The table that a measure stands with.
    ///
    /// # Errors
    /// It stands with none.
    pub(in crate::exchange) fn of_one(&self, measure: &Measure) -> Result<&Table, String> {
        let home = self.home(&measure.name);
        home.ok_or_else(|| "it is over no dataset that is written".to_owned())
    }

    /// Whether joins lead from a table to whatever SQL of its measures names.
    ///
    /// # Errors
    /// None leads to one of the names.
    pub(in crate::exchange) fn reach(&self, from: &Table, sql: &Sql) -> Result<(), String> {
        for name in sql.names() {
            if self.along(from, &name.path).is_none() {
                let path = name.path.join(".");
                return Err(format!("no join leads from {} to {path}", from.name));
            }
        }
        Ok(())
    }

    /// The table at the end of some joins; a single name may be that of the table itself.
    fn along<'a>(&'a self, from: &'a Table, path: &[String]) -> Option<&'a Table> {
        let joined = path.iter().try_fold(from, |at, role| {
            let mut joins = at.joins.iter();
            self.table(&joins.find(|join| join.name == *role)?.to)
        });
        joined.or_else(|| match path {
            [one] => self.path(from, one).and_then(|_| self.table(one)),
            _ => None,
        })
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
