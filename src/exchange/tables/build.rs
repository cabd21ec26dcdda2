//! A project of the tables that a format was read as: datasets with their dimensions and joins, and what of the row a name
//! in a measure means.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};
use sqlparser::ast::Expr;

use super::names::{clean, dimension_name, free};
use super::sql::{Kind, Name, Sql, ident};
use super::{About, Dimension, Join, Table, Tables};
use crate::exchange::{ColumnTypes, Import, Notes, define};
use crate::model::{DimensionType, Relation};
use crate::registry::against_rows;

impl Tables {
    /// The project that they are.
    pub(in crate::exchange) fn import(self, types: &ColumnTypes, mut notes: Notes) -> Import {
        let mut build = Build {
            tables: &self.tables,
            built: self.tables.iter().map(Built::named).collect(),
            names: Vec::new(),
            notes: &mut notes,
        };
        build.dimensions(types);
        build.joins();
        let (metrics, across) = build.metrics(&self.across);
        let mut import = Import::default();
        let mut metrics = metrics.into_iter();
        for at in 0..self.tables.len() {
            let Some((name, dataset)) = build.dataset(at) else {
                continue;
            };
            let datasets = [(name.clone(), dataset)].into_iter().collect();
            let own = metrics.next().unwrap_or_default();
            import.add_file(&name, datasets, own, Map::new());
        }
        import.add_file("across", Map::new(), across, Map::new());
        import.notes = notes.into_list();
        import
    }
}

/// A table on its way to be a dataset.
pub(super) struct Built {
    pub(super) name: String,
    /// Of each dimension its name, and its SQL over the row, or why it is left out.
    dimensions: Vec<(String, Result<Expr, String>)>,
    types: Vec<Option<DimensionType>>,
    /// Columns that became dimensions since definitions need them: name, column.
    extra: Vec<(String, String)>,
    joins: Vec<Link>,
    key: Vec<String>,
}

/// A join: role, place in the list of tables, columns.
struct Link {
    role: String,
    to: usize,
    on: Vec<(String, String)>,
}

impl Built {
    fn named(table: &Table) -> Self {
        Self {
            name: clean(&table.name),
            dimensions: Vec::new(),
            types: Vec::new(),
            extra: Vec::new(),
            joins: Vec::new(),
            key: Vec::new(),
        }
    }

    fn has(&self, name: &str) -> bool {
        let names = self.dimensions.iter().map(|(name, _)| name);
        let names = names.chain(self.extra.iter().map(|(name, _)| name));
        let roles = self.joins.iter().map(|join| &join.role);
        names
            .chain(roles)
            .any(|known| known.eq_ignore_ascii_case(name))
    }
}

pub(super) struct Build<'a, 'n> {
    pub(super) tables: &'a [Table],
    pub(super) built: Vec<Built>,
    /// Every measure: its table, its name there, the metric it is.
    pub(super) names: Vec<(Option<usize>, String, String)>,
    pub(super) notes: &'n mut Notes,
}

/// The column that an expression is.
fn column_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Identifier(one) => Some(&one.value),
        _ => None,
    }
}

impl<'a> Build<'a, '_> {
    pub(super) fn table(&self, at: usize) -> Option<&'a Table> {
        self.tables.get(at)
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let mut all = self.tables.iter();
        all.position(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// Whether a path names nothing but the table itself.
    fn is_own(&self, at: usize, path: &[String]) -> bool {
        let table = self.table(at);
        match path {
            [] => true,
            [one] => table.is_some_and(|table| {
                let bare = table.table().and_then(|name| name.rsplit('.').next());
                table.name.eq_ignore_ascii_case(one) || bare == Some(one.as_str())
            }),
            _ => false,
        }
    }

    fn dimensions(&mut self, types: &ColumnTypes) {
        for (at, table) in self.tables.iter().enumerate() {
            for dimension in &table.dimensions {
                let sql = self.row(at, &dimension.sql, &mut vec![&dimension.name]);
                let sql = sql.and_then(|sql| match against_rows(&sql.to_string()) {
                    Some(reason) => Err(reason),
                    None => Ok(sql),
                });
                if let Err(reason) = &sql {
                    let text = format!(
                        "{}: the dimension {} is left out: {reason}",
                        table.name, dimension.name
                    );
                    self.notes.add(dimension.place, text);
                }
                let column = sql.as_ref().ok().and_then(column_of);
                let known = column.and_then(|column| types(table.table()?, column));
                let Some(built) = self.built.get_mut(at) else {
                    continue;
                };
                let name = dimension_name(&dimension.name, &built.name);
                let name = free(&name, |name| built.has(name));
                if name != dimension.name {
                    let text = format!("{}: {} is called {name}", table.name, dimension.name);
                    self.notes.add(dimension.place, text);
                }
                // What a format calls a time may be a date; nothing else about it is in doubt.
                let is_doubtful = dimension.kind == DimensionType::Text
                    || known.is_some_and(|known| known.is_time() == dimension.kind.is_time());
                built.types.push(known.filter(|_| is_doubtful));
                built.dimensions.push((name, sql));
            }
        }
    }

    /// SQL over the row of a table, with its other dimensions written out.
    fn row(&self, at: usize, sql: &Sql, stack: &mut Vec<&'a String>) -> Result<Expr, String> {
        sql.rewritten(|name| {
            if !self.is_own(at, &name.path) {
                return Err(format!(
                    "it reads {}, and a dimension is made of its own row",
                    name.path.join(".")
                ));
            }
            let found = self.table(at).and_then(|table| table.dimension(&name.last));
            let found = found.filter(|_| name.kind != Kind::Column);
            let is_inside = |one: &Dimension| stack.iter().any(|known| **known == one.name);
            match found {
                Some(one) if !is_inside(one) => {
                    stack.push(&one.name);
                    let sql = self.row(at, &one.sql, stack);
                    stack.pop();
                    let sql = sql?;
                    Ok(match sql {
                        Expr::Identifier(_) => sql,
                        other => Expr::Nested(Box::new(other)),
                    })
                }
                None if name.kind == Kind::Member => {
                    Err(format!("there is no dimension {}", name.last))
                }
                Some(_) if name.kind == Kind::Member => {
                    Err(format!("{} is made of itself", name.last))
                }
                _ => Ok(Expr::Identifier(ident(&name.last))),
            }
        })
    }

    /// The column that a name of a table's row is.
    fn column(&self, at: usize, name: &Name) -> Option<String> {
        let mut stack = Vec::new();
        let sql = self.row(at, &Sql::name(name), &mut stack).ok()?;
        column_of(&sql).map(str::to_owned)
    }

    /// Whether a name is the only column of a table's key.
    pub(super) fn is_key(&self, at: usize, name: &Name) -> bool {
        let key = self.built.get(at).map(|built| built.key.as_slice());
        self.is_own(at, &name.path)
            && matches!(key, Some([only]) if self.column(at, name).as_ref() == Some(only))
    }

    /// The table that the path of a measure's name leads to.
    pub(super) fn measured(&self, at: usize, path: &[String]) -> Option<usize> {
        if self.is_own(at, path) {
            return Some(at);
        }
        let by_joins = self.route(at, path).map(|(_, to)| to);
        by_joins.or_else(|| path.first().and_then(|table| self.find(table)))
    }

    fn columns(&self, at: usize, names: &[Name]) -> Option<Vec<String>> {
        names.iter().map(|name| self.column(at, name)).collect()
    }

    fn joins(&mut self) {
        for (at, table) in self.tables.iter().enumerate() {
            let key = self.columns(at, &table.key);
            if key.is_none() {
                let text = format!("{}: a key that is no column is left out", table.name);
                self.notes.add(table.place, text);
            }
            if let Some(built) = self.built.get_mut(at) {
                built.key = key.unwrap_or_default();
            }
        }
        for (at, table) in self.tables.iter().enumerate() {
            for join in &table.joins {
                match self.join(at, join) {
                    Ok(found) => {
                        if let Some(built) = self.built.get_mut(at) {
                            built.joins.push(found);
                        }
                    }
                    Err(reason) => {
                        let text = format!(
                            "{}: the join {} is left out: {reason}",
                            table.name, join.name
                        );
                        self.notes.add(join.place, text);
                    }
                }
            }
        }
    }

    fn join(&mut self, at: usize, join: &Join) -> Result<Link, String> {
        let to = self
            .find(&join.to)
            .ok_or_else(|| format!("there is no table {}", join.to))?;
        let (here, there): (Vec<Name>, Vec<Name>) = join.on.iter().cloned().unzip();
        let here = self.columns(at, &here);
        let there = self.columns(to, &there);
        let (Some(here), Some(there)) = (here, there) else {
            return Err("it joins by more than columns".to_owned());
        };
        let target = self.built.get_mut(to).ok_or("its table is unknown")?;
        if target.key.is_empty() {
            target.key.clone_from(&there);
        }
        let mut sorted = [target.key.clone(), there.clone()];
        sorted.iter_mut().for_each(|columns| columns.sort());
        if sorted.first() != sorted.last() {
            return Err(format!(
                "it lands on {}, and the key of {} is {}",
                there.join(", "),
                join.to,
                target.key.join(", ")
            ));
        }
        let built = self.built.get(at).ok_or("its table is unknown")?;
        // A dimension may have the name of the join that its column is of.
        let first = here.first();
        let is_taken = |role: &str| {
            let of_another = built.dimensions.iter().any(|(name, sql)| {
                let column = sql.as_ref().ok().and_then(column_of);
                name.eq_ignore_ascii_case(role) && column != first.map(String::as_str)
            });
            let mut joins = built.joins.iter();
            of_another || joins.any(|join| join.role.eq_ignore_ascii_case(role))
        };
        Ok(Link {
            role: free(&clean(&join.name), is_taken),
            to,
            on: here.into_iter().zip(there).collect(),
        })
    }

    /// The joins from a table along a path of roles or tables, and where they end.
    fn route(&self, from: usize, path: &[String]) -> Option<(Vec<String>, usize)> {
        let (mut roles, mut at) = (Vec::new(), from);
        for word in path {
            let (more, to) = self.step(at, word)?;
            roles.extend(more);
            at = to;
        }
        Some((roles, at))
    }

    /// The role of that name, else the fewest joins to the table of that name.
    fn step(&self, from: usize, word: &str) -> Option<(Vec<String>, usize)> {
        let target = self.find(word);
        let mut seen = vec![from];
        let mut queue = VecDeque::from([(Vec::<String>::new(), from)]);
        while let Some((roles, at)) = queue.pop_front() {
            for join in self.built.get(at).map(|built| built.joins.as_slice())? {
                let mut roles = roles.clone();
                roles.push(join.role.clone());
                let is_role = at == from && join.role.eq_ignore_ascii_case(&clean(word));
                if is_role || Some(join.to) == target {
                    return Some((roles, join.to));
                }
                if !seen.contains(&join.to) {
                    seen.push(join.to);
                    queue.push_back((roles, join.to));
                }
            }
        }
        None
    }

    /// The table whose rows a measure of `at` is over, by the names in it: the one of all of them, where no join leads there.
    pub(super) fn base(&self, at: Option<usize>, parts: &[&Sql]) -> Result<usize, String> {
        let names = parts.iter().flat_map(|sql| sql.names());
        let mut paths: Vec<Vec<String>> = names.map(|name| name.path).collect();
        paths.dedup();
        match (at, paths.as_slice()) {
            (None, [path]) => path.first().and_then(|table| self.find(table)),
            (Some(at), [path]) if !self.is_own(at, path) && self.route(at, path).is_none() => {
                match path.as_slice() {
                    [table] => self.find(table),
                    _ => None,
                }
            }
            (at, _) => at,
        }
        .ok_or_else(|| "it does not say of which table's rows".to_owned())
    }

    /// SQL over the rows that a measure is over.
    pub(super) fn over(&mut self, at: usize, sql: &Sql) -> Result<String, String> {
        let text = sql.rewritten(|name| self.name(at, name))?.to_string();
        match against_rows(&text) {
            Some(reason) => Err(reason),
            None => Ok(text),
        }
    }

    fn name(&mut self, at: usize, name: &Name) -> Result<Expr, String> {
        let (roles, to) = match self.is_own(at, &name.path) {
            true => (Vec::new(), at),
            false => self.route(at, &name.path).ok_or_else(|| {
                let from = self.table(at).map_or("", |table| &table.name);
                format!("no join leads from {from} to {}", name.path.join("."))
            })?,
        };
        let dimension = self.table(to).and_then(|table| {
            let mut all = table.dimensions.iter();
            all.position(|one| one.name.eq_ignore_ascii_case(&name.last))
        });
        let dimension = dimension.filter(|_| name.kind != Kind::Column);
        let built = self.built.get(to).ok_or("its table is unknown")?;
        let found = dimension.and_then(|at| built.dimensions.get(at));
        let word = match found {
            Some((word, Ok(_))) => word.clone(),
            Some((_, Err(_))) => {
                return Err(format!("it reads {}, which is left out", name.last));
            }
            None if name.kind == Kind::Member => {
                return Err(format!("there is no {}", name.last));
            }
            None if name.kind == Kind::Any && self.is_measure(to, &name.last) => {
                return Err(format!("it aggregates the measure {}", name.last));
            }
            None => self.column_here(to, &name.last, roles.is_empty()),
        };
        let parts: Vec<_> = roles.iter().chain([&word]).map(ident).collect();
        Ok(match parts.as_slice() {
            [one] => Expr::Identifier(one.clone()),
            _ => Expr::CompoundIdentifier(parts),
        })
    }

    fn is_measure(&self, at: usize, name: &str) -> bool {
        let mut names = self.names.iter();
        names.any(|(table, known, _)| *table == Some(at) && known.eq_ignore_ascii_case(name))
    }

    /// How a column is named: by itself, where the row is the table's own and no dimension has its name; else by a
    /// dimension that it is.
    fn column_here(&mut self, at: usize, column: &str, is_own: bool) -> String {
        let Some(built) = self.built.get_mut(at) else {
            return column.to_owned();
        };
        let is_it =
            |sql: &Result<Expr, String>| sql.as_ref().ok().and_then(column_of) == Some(column);
        let mut all = built.dimensions.iter();
        if is_own && !built.has(column) {
            return column.to_owned();
        }
        if let Some((name, _)) = all.find(|(_, sql)| is_it(sql)) {
            return name.clone();
        }
        if let Some((name, _)) = built.extra.iter().find(|(_, known)| known == column) {
            return name.clone();
        }
        let name = match built.has(column) {
            true => format!("{}_column", clean(column)),
            false => clean(column),
        };
        let name = free(&name, |name| built.has(name));
        built.extra.push((name.clone(), column.to_owned()));
        name
    }

    fn dataset(&mut self, at: usize) -> Option<(String, Value)> {
        let (table, built) = (self.tables.get(at)?, self.built.get(at)?);
        let mut fields = Map::new();
        match &table.relation {
            Relation::Table(name) => fields.insert("table".to_owned(), json!(name)),
            Relation::Sql(sql) => fields.insert("sql".to_owned(), json!(sql.trim())),
        };
        describe(&mut fields, &table.about, &built.name, false);
        if !table.about.synonyms.is_empty() {
            let text = format!("{}: a dataset has no other names", table.name);
            self.notes.add(table.place, text);
        }
        match built.key.as_slice() {
            [] => {}
            [one] => drop(fields.insert("key".to_owned(), json!(one))),
            several => drop(fields.insert("key".to_owned(), json!(several))),
        }
        let mut dimensions = Map::new();
        let mut times = Vec::new();
        let mut taken: Vec<String> = Vec::new();
        let carried = table.dimensions.iter().zip(&built.dimensions);
        for ((one, (name, sql)), known) in carried.zip(&built.types) {
            let Ok(sql) = sql else { continue };
            let mut fields = Map::new();
            match column_of(sql) {
                Some(column) if column == name => {}
                Some(column) => drop(fields.insert("column".to_owned(), json!(column))),
                None => drop(fields.insert("expr".to_owned(), json!(sql.to_string()))),
            }
            let mut about = one.about.clone();
            if *name != one.name && about.label.is_none() {
                about.label = Some(one.name.clone());
            }
            about.synonyms.retain(|word| {
                let is_free = !built.has(word) && !taken.contains(&word.to_lowercase());
                taken.push(word.to_lowercase());
                is_free
            });
            describe(&mut fields, &about, name, true);
            let kind = known.unwrap_or(one.kind);
            if kind != DimensionType::Text {
                let word = serde_json::to_value(kind).unwrap_or_default();
                fields.insert("type".to_owned(), word);
            }
            if kind.is_time() {
                times.push((one.name.as_str(), name.as_str()));
            }
            dimensions.insert(name.clone(), Value::Object(fields));
        }
        for (name, column) in &built.extra {
            let value = match name == column {
                true => json!({}),
                false => json!({"column": column}),
            };
            let text = format!(
                "{}: {name} is a dimension too, since definitions read it",
                table.name
            );
            self.notes.add(table.place, text);
            dimensions.insert(name.clone(), value);
        }
        let named = table.time.as_deref();
        let time = match (named, times.as_slice()) {
            (Some(named), _) => times.iter().find(|(name, _)| *name == named),
            (None, [only]) => Some(only),
            (None, [first, ..]) if !table.measures.is_empty() => {
                let text = format!(
                    "{}: no default time is named; {} is taken, the first there is",
                    table.name, first.1
                );
                self.notes.add(table.place, text);
                Some(first)
            }
            _ => None,
        };
        if let Some((_, name)) = time {
            fields.insert("time".to_owned(), json!(name));
        }
        if !dimensions.is_empty() {
            fields.insert("dimensions".to_owned(), Value::Object(dimensions));
        }
        let mut joins = Map::new();
        for join in &built.joins {
            let on: Map<String, Value> = join
                .on
                .iter()
                .map(|(here, there)| (here.clone(), json!(there)))
                .collect();
            let to = self.built.get(join.to).map(|one| one.name.as_str());
            joins.insert(join.role.clone(), json!({"to": to, "on": on}));
        }
        if !joins.is_empty() {
            fields.insert("joins".to_owned(), Value::Object(joins));
        }
        Some((built.name.clone(), Value::Object(fields)))
    }
}

/// What people read of a definition, under the keys of ours.
pub(super) fn describe(
    fields: &mut Map<String, Value>,
    about: &About,
    name: &str,
    has_synonyms: bool,
) {
    if let Some(label) = about.label.as_deref().filter(|label| *label != name) {
        fields.insert("label".to_owned(), json!(label));
    }
    let description = about.description.as_deref().map(str::trim);
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        fields.insert("description".to_owned(), json!(description));
    }
    if has_synonyms && !about.synonyms.is_empty() {
        fields.insert("aliases".to_owned(), json!(about.synonyms));
    }
    if let Some(format) = define::format(&about.format).filter(|_| has_synonyms) {
        fields.insert("format".to_owned(), format);
    }
}
