//! A registry as cubes, one file each. A table that is joined in a role is a cube that extends the one of the table.

use serde_json::{Map, Value, json};

use crate::exchange::notes::Notes;
use crate::exchange::tables::{
    About, Computed, Dimension, Kind, Measure, Name, Said, Sql, Style, Table, Tables, held,
};
use crate::exchange::{Export, emit};
use crate::model::{
    Aggregate, DimensionType, FormatKind, Grain, Offset, Registry, Relation, Window,
};

type Fields = Map<String, Value>;

/// The cubes of a registry.
pub fn export(registry: &Registry) -> Export {
    let style = Style {
        apart: true,
        whole: true,
        compared: false,
        instead_of_queries: None,
    };
    let said = Said {
        label: true,
        synonyms: true,
        meta: true,
        percent: true,
        currency: true,
        decimals: true,
        ..Said::default()
    };
    let (tables, mut notes) = held(registry, style, said, can);
    let roles = roles(&tables, &mut notes);
    let mut files = Vec::new();
    for table in &tables.tables {
        let mut cubes = vec![cube(&tables, table, &mut notes)];
        for (role, to) in &roles {
            if *to == table.name {
                cubes.push(json!({"name": role, "extends": to}));
            }
        }
        let mut document = Fields::new();
        document.insert("cubes".to_owned(), json!(cubes));
        let name = format!("model/cubes/{}.yml", table.name);
        files.push((name, emit::document(&document)));
    }
    Export {
        files,
        notes: notes.into_list(),
    }
}

fn can(measure: &Measure, tables: &Tables) -> Result<(), String> {
    let home = tables.of_one(measure)?;
    if measure.over_time.is_some() {
        return Err("Cube adds up snapshots".to_owned());
    }
    if measure.time.is_some() {
        return Err("a measure of Cube has no time of its own".to_owned());
    }
    if let Computed::Cumulative(_, Window::Trailing(_, grain)) = &measure.computed
        && *grain == Grain::Quarter
    {
        return Err("Cube has no windows in quarters".to_owned());
    }
    if let Computed::Sql(sql) = &measure.computed {
        for name in sql.names() {
            let there = name.path.last().and_then(|table| tables.table(table));
            if let Some(to) = there
                && tables.path(home, &to.name).is_none()
                && tables.path(to, &home.name).is_none()
            {
                return Err(format!("no join leads from {} to {}", home.name, to.name));
            }
        }
    }
    Ok(())
}

/// Names under which tables are joined, other than their own; in all of Cube, each is one table.
fn roles(tables: &Tables, notes: &mut Notes) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for table in &tables.tables {
        for join in table.joins.iter().filter(|join| join.name != join.to) {
            let role = (join.name.clone(), join.to.clone());
            let is_other = |(name, to): &(String, String)| *name == role.0 && *to != role.1;
            if found.iter().any(is_other) || tables.table(&role.0).is_some() {
                let text = format!(
                    "{}: the join {} has the name of another cube; rename one of the two",
                    table.name, join.name
                );
                notes.add(join.place, text);
            } else if !found.contains(&role) {
                found.push(role);
            }
        }
    }
    found
}

fn cube(tables: &Tables, table: &Table, notes: &mut Notes) -> Value {
    let mut fields = Fields::new();
    fields.insert("name".to_owned(), json!(table.name));
    match &table.relation {
        Relation::Table(name) => fields.insert("sql_table".to_owned(), json!(name)),
        Relation::Sql(sql) => fields.insert("sql".to_owned(), json!(sql)),
    };
    describe(&mut fields, &table.about, None);
    let joins = table.joins.iter().map(|join| {
        // A join lands on a key, and each column of a key is a dimension.
        let target = tables.table(&join.to);
        let pair = |(here, there): &(Name, Name)| {
            let dimensions = target.into_iter().flat_map(|table| &table.dimensions);
            let mut dimensions = dimensions.filter(|one| one.sql == Sql::name(there));
            let there = dimensions.next().map_or(&there.last, |one| &one.name);
            format!("{{CUBE}}.{} = {{{}.{there}}}", here.last, join.name)
        };
        let on: Vec<String> = join.on.iter().map(pair).collect();
        json!({"name": join.name, "relationship": "many_to_one", "sql": on.join(" AND ")})
    });
    let joins: Vec<Value> = joins.collect();
    if !joins.is_empty() {
        fields.insert("joins".to_owned(), json!(joins));
    }
    let mut dimensions = Vec::new();
    for key in &table.key {
        let is_it = |one: &&Dimension| one.sql == Sql::name(key);
        if !table.dimensions.iter().any(|one| is_it(&one)) {
            let sql = format!("{{CUBE}}.{}", key.last);
            dimensions
                .push(json!({"name": key.last, "sql": sql, "type": "string", "primary_key": true}));
        }
    }
    for one in &table.dimensions {
        let is_key = table.key.iter().any(|key| one.sql == Sql::name(key));
        dimensions.push(dimension(one, is_key));
    }
    if !dimensions.is_empty() {
        fields.insert("dimensions".to_owned(), json!(dimensions));
    }
    let mut measures = Vec::new();
    for one in &table.measures {
        if table.dimension(&one.name).is_some() {
            let text = format!(
                "the metric {} is left out: a dimension of its cube has the name",
                one.name
            );
            notes.add(one.place, text);
            continue;
        }
        match measure(one) {
            Ok(value) => measures.push(value),
            Err(reason) => {
                let text = format!("the metric {} is left out: {reason}", one.name);
                notes.add(one.place, text);
            }
        }
    }
    if !measures.is_empty() {
        fields.insert("measures".to_owned(), json!(measures));
    }
    Value::Object(fields)
}

fn describe(fields: &mut Fields, about: &About, kind: Option<DimensionType>) {
    let mut put = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
    if let Some(label) = &about.label {
        put("title", json!(label));
    }
    if let Some(description) = &about.description {
        put("description", json!(description));
    }
    let digits = about.format.decimals.map(|digits| digits.min(6));
    let word = match (about.format.kind, digits) {
        (FormatKind::Percent, _) => Some("percent"),
        (FormatKind::Currency, _) => Some("currency"),
        (FormatKind::Number, Some(_)) => Some("number"),
        _ => None,
    };
    if let Some(word) = word {
        let digits = digits.map(|digits| format!("_{digits}"));
        put(
            "format",
            json!(format!("{word}{}", digits.unwrap_or_default())),
        );
    }
    if let Some(currency) = &about.format.currency {
        put("currency", json!(currency));
    }
    let mut meta = about.meta.clone();
    if !about.synonyms.is_empty() {
        meta.insert("synonyms".to_owned(), json!(about.synonyms));
    }
    if kind == Some(DimensionType::Date) {
        meta.insert("type".to_owned(), json!("date"));
    }
    if !meta.is_empty() {
        put("meta", json!(meta));
    }
}

/// A name as Cube writes it.
fn word(name: &Name) -> String {
    let path = name.path.join(".");
    match (name.kind, path.is_empty()) {
        // Without the word for it, a member that is called like a cube would be the cube.
        (Kind::Member, true) => format!("{{CUBE.{}}}", name.last),
        (Kind::Member, false) => format!("{{{path}.{}}}", name.last),
        (_, true) => format!("{{CUBE}}.{}", name.last),
        (_, false) => format!("{{{path}}}.{}", name.last),
    }
}

fn written(sql: &Sql) -> Result<String, String> {
    sql.print(|name| Ok(word(name)))
}

fn dimension(one: &Dimension, is_key: bool) -> Value {
    let mut fields = Fields::new();
    fields.insert("name".to_owned(), json!(one.name));
    let sql = written(&one.sql).unwrap_or_default();
    // Cube's times are timestamps.
    let sql = match one.kind {
        DimensionType::Date => format!("CAST({sql} AS TIMESTAMP)"),
        _ => sql,
    };
    fields.insert("sql".to_owned(), json!(sql));
    let kind = match one.kind {
        DimensionType::Text => "string",
        DimensionType::Number => "number",
        DimensionType::Boolean => "boolean",
        DimensionType::Date | DimensionType::Time => "time",
    };
    fields.insert("type".to_owned(), json!(kind));
    if is_key {
        fields.insert("primary_key".to_owned(), json!(true));
        fields.insert("public".to_owned(), json!(true));
    }
    describe(&mut fields, &one.about, Some(one.kind));
    Value::Object(fields)
}

fn measure(one: &Measure) -> Result<Value, String> {
    let mut fields = Fields::new();
    fields.insert("name".to_owned(), json!(one.name));
    computed(one, &one.computed, &mut fields)?;
    let mut filters = Vec::new();
    if fields.get("type").and_then(Value::as_str) != Some("number") {
        for filter in &one.filters {
            filters.push(json!({"sql": written(filter)?}));
        }
    }
    if !filters.is_empty() {
        fields.insert("filters".to_owned(), json!(filters));
    }
    if one.is_hidden {
        fields.insert("public".to_owned(), json!(false));
    }
    describe(&mut fields, &one.about, None);
    Ok(Value::Object(fields))
}

fn computed(one: &Measure, computed: &Computed, fields: &mut Fields) -> Result<(), String> {
    let mut put = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
    match computed {
        Computed::Aggregate(agg, sql) => {
            let kind = match agg {
                Aggregate::Count => "count",
                Aggregate::CountDistinct => "count_distinct",
                Aggregate::Sum => "sum",
                Aggregate::Avg => "avg",
                Aggregate::Min => "min",
                Aggregate::Max => "max",
                _ => "number",
            };
            let sql = match (kind, sql) {
                ("number", _) => {
                    let text = one.aggregate_text().ok_or("it is no aggregation")?;
                    Some(written(&Sql::read(&text, Kind::Any)?)?)
                }
                (_, sql) => sql.as_ref().map(written).transpose()?,
            };
            put("type", json!(kind));
            if let Some(sql) = sql {
                put("sql", json!(sql));
            }
        }
        Computed::Sql(sql) => {
            put("type", json!("number"));
            put("sql", json!(written(sql)?));
        }
        Computed::Cumulative(inner, window) => {
            self::computed(one, inner, fields)?;
            let rolling = match window {
                Window::AllTime => json!({"trailing": "unbounded"}),
                Window::Trailing(n, grain) => json!({"trailing": format!("{n} {grain}")}),
                Window::ToDate(grain) => json!({"type": "to_date", "granularity": grain.word()}),
                Window::ToDateOf(_) => return Err("its window is one of the calendar".to_owned()),
            };
            fields.insert("rolling_window".to_owned(), rolling);
            if matches!(**inner, Computed::Sql(_)) {
                fields.insert("multi_stage".to_owned(), json!(true));
            }
        }
        Computed::Shifted(sql, Offset::Ago(n, grain), _) => {
            put("multi_stage", json!(true));
            put("type", json!("number"));
            put("sql", json!(written(sql)?));
            let interval = format!("{n} {grain}");
            put(
                "time_shift",
                json!([{"interval": interval, "type": "prior"}]),
            );
        }
        Computed::Shifted(..) => return Err("it starts a period of the calendar".to_owned()),
    }
    Ok(())
}
