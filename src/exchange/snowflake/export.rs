//! A registry as one semantic view. A table that is joined in a role is a logical table of its own.

use serde_json::{Map, Value, json};

use crate::exchange::notes::Notes;
use crate::exchange::tables::{
    About, Computed, Dimension, Join, Kind, Measure, Name, Said, Sql, Style, Table, Tables, held,
};
use crate::exchange::{Export, emit};
use crate::model::{DimensionType, Place, Registry, Take};

type Fields = Map<String, Value>;

/// The semantic view of a registry, called `name`.
pub fn export(registry: &Registry, name: &str) -> Export {
    let style = Style {
        apart: false,
        whole: false,
        compared: false,
        instead_of_queries: Some("a view of Snowflake"),
    };
    let said = Said {
        synonyms: true,
        ..Said::default()
    };
    let (tables, mut notes) = held(registry, style, said, can);
    let mut writer = Writer {
        roles: roles(&tables),
        tables: &tables,
        notes: &mut notes,
        across: Vec::new(),
        synonyms: Vec::new(),
    };
    let mut logical: Vec<Value> = Vec::new();
    for table in &tables.tables {
        logical.push(writer.table(table, None));
        for (role, _) in writer
            .roles
            .clone()
            .into_iter()
            .filter(|(_, to)| *to == table.name)
        {
            logical.push(writer.table(table, Some(&role)));
        }
    }
    let relationships = writer.relationships();
    let across = std::mem::take(&mut writer.across);
    let mut document = Fields::new();
    document.insert("name".to_owned(), json!(name));
    for (key, list) in [
        ("tables", logical),
        ("relationships", relationships),
        ("metrics", across),
    ] {
        if !list.is_empty() {
            document.insert(key.to_owned(), json!(list));
        }
    }
    Export {
        files: vec![("semantic_view.yaml".to_owned(), emit::document(&document))],
        notes: notes.into_list(),
    }
}

fn can(measure: &Measure, tables: &Tables) -> Result<(), String> {
    let home = tables.of_one(measure)?;
    if measure.time.is_some() {
        return Err("a metric of a semantic view has no time of its own".to_owned());
    }
    match measure.computed {
        Computed::Cumulative(..) => {
            return Err("a semantic view accumulates only in its queries".to_owned());
        }
        Computed::Shifted(..) => {
            return Err("a semantic view has no metric of some time ago".to_owned());
        }
        _ => {}
    }
    for sql in rows_of(measure) {
        if !matches!(measure.computed, Computed::Sql(_)) || sql.has_aggregate() {
            tables.reach(home, sql)?;
        }
    }
    if let Some(name) = rows_of(measure).find_map(|sql| long(sql, home, tables)) {
        return Err(format!(
            "a semantic view has one way from {} to {}",
            home.name,
            name.path.join(".")
        ));
    }
    // Snowflake takes a name for the metric itself where a column has it too.
    let columns = rows_of(measure).flat_map(Sql::names);
    let mut columns = columns.filter(|name| name.kind == Kind::Column);
    if columns.any(|name| name.last.eq_ignore_ascii_case(&measure.name)) {
        return Err("a metric cannot have the name of a column that it reads".to_owned());
    }
    Ok(())
}

fn rows_of(measure: &Measure) -> impl Iterator<Item = &Sql> {
    let row = match &measure.computed {
        Computed::Aggregate(_, Some(sql)) | Computed::Sql(sql) => Some(sql),
        _ => None,
    };
    measure.filters.iter().chain(row)
}

/// A name behind several joins, which could be meant by another way too.
fn long(sql: &Sql, home: &Table, tables: &Tables) -> Option<Name> {
    let names = sql.names().into_iter();
    let mut long = names.filter(|name| name.path.len() > 1);
    long.find(|name| {
        let last = name.path.last().cloned().unwrap_or_default();
        ways(tables, &home.name, &last, 0) > 1
    })
}

/// How many paths of joins end with a role.
fn ways(tables: &Tables, from: &str, role: &str, depth: usize) -> usize {
    let joins = tables.table(from).map(|table| table.joins.as_slice());
    let joins = joins.filter(|_| depth < 8).unwrap_or_default().iter();
    joins
        .map(|join| usize::from(join.name == role) + ways(tables, &join.to, role, depth + 1))
        .sum()
}

/// Names under which tables are joined, other than their own.
fn roles(tables: &Tables) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for join in tables.tables.iter().flat_map(|table| &table.joins) {
        let role = (join.name.clone(), join.to.clone());
        if join.name != join.to && !found.contains(&role) {
            found.push(role);
        }
    }
    found
}

struct Writer<'a> {
    tables: &'a Tables,
    roles: Vec<(String, String)>,
    notes: &'a mut Notes,
    /// Metrics over several tables.
    across: Vec<Value>,
    /// Other names so far, which one view has once.
    synonyms: Vec<String>,
}

impl Writer<'_> {
    fn table(&mut self, table: &Table, role: Option<&str>) -> Value {
        let name = role.unwrap_or(&table.name);
        let mut parts = table.table().unwrap_or_default().rsplit('.');
        let mut base = Fields::new();
        let (bare, schema, database) = (parts.next(), parts.next(), parts.next());
        for (key, part) in [("database", database), ("schema", schema), ("table", bare)] {
            if let Some(part) = part {
                base.insert(key.to_owned(), json!(part));
            }
        }
        if database.is_none() && role.is_none() {
            let text = format!("{name}: its database is to be added to base_table");
            self.notes.add(table.place, text);
        }
        let mut fields = Fields::new();
        fields.insert("name".to_owned(), json!(name));
        match role {
            None => self.describe(&mut fields, &table.about, (table.place, name)),
            Some(_) => comment(&mut fields, &table.about),
        }
        fields.insert("base_table".to_owned(), json!(base));
        let key: Vec<&String> = table.key.iter().map(|key| &key.last).collect();
        if !key.is_empty() {
            fields.insert("primary_key".to_owned(), json!({"columns": key}));
        }
        for (section, is_time) in [("dimensions", false), ("time_dimensions", true)] {
            let all = table.dimensions.iter();
            let all = all.filter(|one| one.kind.is_time() == is_time);
            let all = all.map(|one| self.dimension(one, table, role.is_some()));
            let all: Vec<Value> = all.collect();
            if !all.is_empty() {
                fields.insert(section.to_owned(), json!(all));
            }
        }
        let mut metrics = Vec::new();
        for one in table.measures.iter().filter(|_| role.is_none()) {
            match self.metric(table, one) {
                Ok((value, true)) => self.across.push(value),
                Ok((value, false)) => metrics.push(value),
                Err(reason) => {
                    let text = format!("the metric {} is left out: {reason}", one.name);
                    self.notes.add(one.place, text);
                }
            }
        }
        if !metrics.is_empty() {
            fields.insert("metrics".to_owned(), json!(metrics));
        }
        Value::Object(fields)
    }

    fn describe(&mut self, fields: &mut Fields, about: &About, (place, name): (Place, &str)) {
        let all = about.synonyms.iter();
        let (taken, free): (Vec<_>, Vec<_>) = all.partition(|word| self.synonyms.contains(word));
        if !taken.is_empty() {
            let taken: Vec<&str> = taken.into_iter().map(String::as_str).collect();
            let text = format!(
                "{name}: {} is another name of something else",
                taken.join(", ")
            );
            self.notes.add(place, text);
        }
        if !free.is_empty() {
            fields.insert("synonyms".to_owned(), json!(free));
            self.synonyms.extend(free.into_iter().cloned());
        }
        comment(fields, about);
    }

    fn dimension(&mut self, one: &Dimension, table: &Table, is_role: bool) -> Value {
        let mut fields = Fields::new();
        fields.insert("name".to_owned(), json!(one.name));
        match is_role {
            false => {
                let name = format!("{}.{}", table.name, one.name);
                self.describe(&mut fields, &one.about, (one.place, &name));
            }
            true => comment(&mut fields, &one.about),
        }
        let sql = one.sql.print(|name| Ok(name.last.clone()));
        fields.insert("expr".to_owned(), json!(sql.unwrap_or_default()));
        let ty = match one.kind {
            DimensionType::Text => "VARCHAR",
            DimensionType::Number => "NUMBER",
            DimensionType::Boolean => "BOOLEAN",
            DimensionType::Date => "DATE",
            DimensionType::Time => "TIMESTAMP_NTZ",
        };
        fields.insert("data_type".to_owned(), json!(ty));
        Value::Object(fields)
    }

    /// A metric, and whether it stands over several tables.
    fn metric(&mut self, table: &Table, one: &Measure) -> Result<(Value, bool), String> {
        let (text, is_across) = match &one.computed {
            Computed::Sql(sql) => {
                let is_across =
                    sql.names().iter().any(|name| !name.path.is_empty()) && !sql.has_aggregate();
                (sql.text(), is_across)
            }
            _ => (one.aggregate_text().unwrap_or_default(), false),
        };
        let sql = Sql::read(&text, Kind::Any)?;
        let text = sql.print(|name| {
            let of = name.path.last().unwrap_or(&table.name);
            let shadow = table.dimension(&name.last).filter(|_| name.path.is_empty());
            let shadow = shadow.filter(|one| one.sql != Sql::name(name));
            match (name.kind, name.path.is_empty() && !is_across) {
                (Kind::Column, true) if shadow.is_some() => Err(format!(
                    "it reads the column {}, whose name a dimension has",
                    name.last
                )),
                (_, true) => Ok(name.last.clone()),
                _ => Ok(format!("{of}.{}", name.last)),
            }
        })?;
        let mut fields = Fields::new();
        fields.insert("name".to_owned(), json!(one.name));
        self.describe(&mut fields, &one.about, (one.place, &one.name));
        fields.insert("expr".to_owned(), json!(text));
        if let Some((take, time)) = &one.over_time {
            let order = match take {
                Take::First => "descending",
                _ => "ascending",
            };
            let one = json!({
                "table": table.name,
                "dimension": time.last,
                "sort_direction": order,
                "null_order": if *take == Take::First { "last" } else { "first" },
            });
            fields.insert("non_additive_dimensions".to_owned(), json!([one]));
        }
        if one.is_hidden {
            fields.insert("access_modifier".to_owned(), json!("private_access"));
        }
        Ok((Value::Object(fields), is_across))
    }

    fn relationships(&self) -> Vec<Value> {
        let mut found = Vec::new();
        for table in &self.tables.tables {
            let roles = self.roles.iter().filter(|(_, to)| *to == table.name);
            let names = [&table.name].into_iter().chain(roles.map(|(role, _)| role));
            for name in names {
                let joins = table.joins.iter();
                found.extend(joins.map(|join| relationship(name, join)));
            }
        }
        found
    }
}

fn comment(fields: &mut Fields, about: &About) {
    if let Some(description) = &about.description {
        fields.insert("description".to_owned(), json!(description));
    }
}

fn relationship(from: &str, join: &Join) -> Value {
    let pairs = join.on.iter();
    let columns: Vec<Value> = pairs
        .map(|(here, there)| json!({"left_column": here.last, "right_column": there.last}))
        .collect();
    json!({
        "name": format!("{from}_{}", join.name),
        "left_table": from,
        "right_table": join.name,
        "relationship_columns": columns,
    })
}
