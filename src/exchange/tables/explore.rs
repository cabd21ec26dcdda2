//! Joins as explores have them: from the table of an explore to others under an alias, and from there to more.

use super::{Join, Name, Sql, Table, Tables, join_on};
use crate::model::Place;

/// Most joins one behind the other that are written.
const MAX_DEPTH: usize = 3;

/// The explores that are read. The joins of all of them are joins of their tables.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Explores {
    /// The table of an explore, an alias in it, and the joins that lead there.
    aliases: Vec<(String, String, Vec<String>)>,
    /// Joins, by the table that they start from.
    joins: Vec<(String, Join)>,
}

/// A join of an explore.
pub(in crate::exchange) struct Joined<'a> {
    pub(in crate::exchange) place: Place,
    /// The table of the explore.
    pub(in crate::exchange) base: &'a str,
    pub(in crate::exchange) alias: &'a str,
    pub(in crate::exchange) to: &'a str,
    pub(in crate::exchange) condition: &'a Sql,
    /// Whether it leads from one row to many.
    pub(in crate::exchange) is_many: bool,
}

impl Joined<'_> {
    fn is_there(&self, name: &Name) -> bool {
        name.path.first().map(String::as_str) == Some(self.alias)
    }

    /// The alias that it starts from; none for the explore's own table.
    fn start(&self) -> Option<String> {
        let names = self.condition.names().into_iter();
        let mut here = names.filter(|name| !self.is_there(name));
        here.next()?.path.into_iter().next()
    }

    /// Whether it starts from the explore's own table.
    pub(in crate::exchange) fn is_direct(&self) -> bool {
        self.start().is_none()
    }
}

impl Explores {
    /// Adds a join; what it starts from is known.
    ///
    /// # Errors
    /// It is more than equal columns, or starts nowhere.
    pub(in crate::exchange) fn add(&mut self, joined: &Joined) -> Result<(), String> {
        let on = join_on(joined.condition, |name| joined.is_there(name))?;
        let mut path = match joined.start() {
            None => Vec::new(),
            Some(alias) => self.path(joined.base, &alias).ok_or("it starts nowhere")?,
        };
        let from = self.end(joined.base, &path).ok_or("it starts nowhere")?;
        let to = joined.to.to_owned();
        if joined.is_many {
            let back = Join {
                place: joined.place,
                name: from.clone(),
                to: from,
                on: on.into_iter().map(|(here, there)| (there, here)).collect(),
            };
            let mut known = self.joins.iter();
            if !known.any(|(from, join)| *from == to && join.to == back.to) {
                self.joins.push((to, back));
            }
            return Ok(());
        }
        // The same columns are joined once, whatever explores call it.
        let mut known = self.joins.iter();
        let known = known.find(|(start, join)| *start == from && join.to == to && join.on == on);
        let role = match known {
            Some((_, join)) => join.name.clone(),
            None => {
                let join = Join {
                    place: joined.place,
                    name: joined.alias.to_owned(),
                    to,
                    on,
                };
                self.joins.push((from, join));
                joined.alias.to_owned()
            }
        };
        path.push(role);
        let alias = (joined.base.to_owned(), joined.alias.to_owned(), path);
        self.aliases.push(alias);
        Ok(())
    }

    /// The joins that lead from the table of an explore to what it calls so.
    pub(in crate::exchange) fn path(&self, base: &str, alias: &str) -> Option<Vec<String>> {
        let mut aliases = self.aliases.iter();
        let found = aliases.find(|(of, known, _)| of == base && known == alias);
        found.map(|(.., path)| path.clone())
    }

    /// The table at the end of some joins.
    pub(in crate::exchange) fn end(&self, from: &str, path: &[String]) -> Option<String> {
        path.iter().try_fold(from.to_owned(), |at, role| {
            let mut joins = self.joins.iter();
            let found = joins.find(|(start, join)| *start == at && join.name == *role);
            found.map(|(_, join)| join.to.clone())
        })
    }

    /// SQL of a table with the joins that its explore's aliases stand for.
    ///
    /// # Errors
    /// What [`Sql::renamed`] says; renaming itself never fails here.
    pub(in crate::exchange) fn resolved(&self, base: &str, sql: &Sql) -> Result<Sql, String> {
        sql.renamed(|name| {
            let mut name = name.clone();
            if let [alias] = name.path.as_slice()
                && let Some(path) = self.path(base, alias)
            {
                name.path = path;
            }
            Ok(name)
        })
    }

    /// Gives each table its joins.
    pub(in crate::exchange) fn put(self, tables: &mut Tables) {
        for (from, join) in self.joins {
            let table = tables.tables.iter_mut().find(|table| table.name == from);
            if let Some(table) = table {
                table.joins.push(join);
            }
        }
    }
}

/// One join of an explore that is written.
pub(in crate::exchange) struct Step<'a> {
    /// The joins that lead there.
    pub(in crate::exchange) path: Vec<String>,
    pub(in crate::exchange) alias: String,
    /// The alias of where it starts.
    pub(in crate::exchange) before: String,
    pub(in crate::exchange) join: &'a Join,
    pub(in crate::exchange) from: &'a Table,
    pub(in crate::exchange) to: &'a Table,
}

impl Tables {
    /// What the explore of a table joins, and what that joins.
    pub(in crate::exchange) fn steps<'a>(&'a self, table: &'a Table) -> Vec<Step<'a>> {
        let mut found: Vec<Step<'a>> = Vec::new();
        let mut next: Vec<(&'a Table, Vec<String>)> = vec![(table, Vec::new())];
        while let Some((from, path)) = next.pop() {
            for join in from.joins.iter().filter(|_| path.len() < MAX_DEPTH) {
                let Some(to) = self.table(&join.to) else {
                    continue;
                };
                let before = match path.is_empty() {
                    true => table.name.clone(),
                    false => path.join("_"),
                };
                let mut path = path.clone();
                path.push(join.name.clone());
                next.push((to, path.clone()));
                found.push(Step {
                    alias: path.join("_"),
                    path,
                    before,
                    join,
                    from,
                    to,
                });
            }
        }
        found
    }

    /// The alias that a name in a measure of a table is under: by its joins, or by its table.
    pub(in crate::exchange) fn alias<'s>(
        &self,
        steps: &'s [Step],
        table: &Table,
        name: &Name,
    ) -> Result<&'s str, String> {
        let by_path = |path: &[String]| steps.iter().find(|step| step.path == *path);
        let found = by_path(&name.path).or_else(|| {
            let to = name.path.first().filter(|_| name.path.len() == 1)?;
            by_path(&self.path(table, to)?)
        });
        found.map(|step| step.alias.as_str()).ok_or_else(|| {
            format!(
                "no join leads from {} to {}",
                table.name,
                name.path.join(".")
            )
        })
    }
}
