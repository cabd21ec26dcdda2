//! A registry as metric views: one for each dataset that metrics are over, with what it joins.

use serde_json::{Map, Value, json};

use super::{SOURCE, VERSION};
use crate::exchange::notes::Notes;
use crate::exchange::tables::{
    About, Computed, Dimension, Kind, Measure, Name, Said, Sql, Style, Table, Tables, held,
};
use crate::exchange::{Export, emit};
use crate::model::{DimensionType, FormatKind, Grain, Offset, Registry, Relation, Take, Window};

type Fields = Map<String, Value>;

/// Most joins one behind the other.
const MAX_DEPTH: usize = 4;

/// The metric views of a registry.
pub fn export(registry: &Registry) -> Export {
    let style = Style {
        apart: false,
        whole: false,
        compared: false,
        instead_of_queries: None,
    };
    let said = Said {
        label: true,
        synonyms: true,
        percent: true,
        currency: true,
        decimals: true,
        ..Said::default()
    };
    let (tables, mut notes) = held(registry, style, said, can);
    let mut files = Vec::new();
    let (fact, other): (Vec<&Table>, Vec<&Table>) = tables
        .tables
        .iter()
        .partition(|table| !table.measures.is_empty());
    for table in other {
        if !fact
            .iter()
            .any(|from| tables.path(from, &table.name).is_some())
        {
            let text = format!(
                "{} is left out: no metric that is written is over it or what it is joined to",
                table.name
            );
            notes.add(table.place, text);
        }
    }
    for table in fact {
        let mut writer = Writer {
            tables: &tables,
            table,
            dimensions: Vec::new(),
            cut: Vec::new(),
        };
        let document = writer.view(&mut notes);
        let name = format!("metric_views/{}.yaml", table.name);
        files.push((name, emit::document(&document)));
    }
    Export {
        files,
        notes: notes.into_list(),
    }
}

fn can(measure: &Measure, tables: &Tables) -> Result<(), String> {
    let Some(home) = tables.home(&measure.name) else {
        return Err("it is over several tables, and a metric view over one".to_owned());
    };
    for input in measure.inputs() {
        if tables
            .home(&input)
            .is_some_and(|other| other.name != home.name)
        {
            return Err("it is over several tables, and a metric view over one".to_owned());
        }
    }
    if home.time.is_none()
        && matches!(
            measure.computed,
            Computed::Cumulative(..) | Computed::Shifted(..)
        )
    {
        return Err("its table has no time".to_owned());
    }
    match &measure.computed {
        Computed::Cumulative(_, Window::Trailing(_, grain)) if *grain == Grain::Quarter => {
            Err("a window has no quarters".to_owned())
        }
        Computed::Shifted(sql, Offset::Ago(n, grain), _) => {
            let of = sql.as_name().map(|name| name.last);
            let of = tables.measures().find(|one| Some(&one.name) == of.as_ref());
            match of.map(|of| &of.computed) {
                _ if !matches!(grain, Grain::Day | Grain::Month | Grain::Year) => {
                    Err(format!("a window is not moved by {n} {grain}"))
                }
                Some(Computed::Aggregate(..)) => Ok(()),
                _ => Err("what is some time ago is more than one aggregation".to_owned()),
            }
        }
        Computed::Shifted(..) => Err("it starts a period".to_owned()),
        Computed::Cumulative(_, Window::ToDate(_)) if measure.time.is_some() => {
            Err("it accumulates by a time of its own".to_owned())
        }
        Computed::Cumulative(..) => Ok(()),
        _ if measure.time.is_some() => Err("it has a time of its own".to_owned()),
        _ => Ok(()),
    }
}

struct Writer<'a> {
    tables: &'a Tables,
    table: &'a Table,
    /// The dimensions of the view: path, name there, name in the view.
    dimensions: Vec<(Vec<String>, String, String)>,
    /// Grains that windows need a dimension for.
    cut: Vec<Grain>,
}

impl<'a> Writer<'a> {
    fn view(&mut self, notes: &mut Notes) -> Fields {
        let mut fields = Fields::new();
        let mut put = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
        put("version", json!(VERSION));
        if let Some(comment) = &self.table.about.description {
            put("comment", json!(comment));
        }
        put("source", source(&self.table.relation));
        let joins = self.joins(self.table, SOURCE, 0);
        if !joins.is_empty() {
            put("joins", json!(joins));
        }
        let mut dimensions = self.members(self.table, &[]);
        let mut measures = Vec::new();
        for one in &self.table.measures {
            let is_taken = |(_, _, name): &(Vec<String>, String, String)| *name == one.name;
            let value = match self.dimensions.iter().any(is_taken) {
                true => Err("a dimension of its view has the name".to_owned()),
                false => self.measure(one),
            };
            match value {
                Ok(value) => measures.push(value),
                Err(reason) => {
                    let text = format!("the metric {} is left out: {reason}", one.name);
                    notes.add(one.place, text);
                }
            }
        }
        if let Some(time) = &self.table.time {
            for grain in &self.cut {
                let (name, time) = (cut_name(time, *grain), quoted(time));
                let sql = format!("DATE_TRUNC('{}', {time})", grain.word().to_uppercase());
                dimensions.push(json!({"name": name, "expr": sql}));
            }
        }
        put("dimensions", json!(dimensions));
        put("measures", json!(measures));
        fields
    }

    fn joins(&self, table: &Table, word: &str, depth: usize) -> Vec<Value> {
        let joins = table.joins.iter().filter(|_| depth < MAX_DEPTH);
        let joins = joins.filter_map(|join| {
            let to = self.tables.table(&join.to)?;
            let pair = |(here, there): &(Name, Name)| {
                format!(
                    "{}.{} = {}.{}",
                    quoted(word),
                    quoted(&here.last),
                    quoted(&join.name),
                    quoted(&there.last)
                )
            };
            let on: Vec<String> = join.on.iter().map(pair).collect();
            let mut fields = Fields::new();
            fields.insert("name".to_owned(), json!(join.name));
            fields.insert("source".to_owned(), source(&to.relation));
            fields.insert("on".to_owned(), json!(on.join(" AND ")));
            let inner = self.joins(to, &join.name, depth + 1);
            if !inner.is_empty() {
                fields.insert("joins".to_owned(), json!(inner));
            }
            Some(Value::Object(fields))
        });
        joins.collect()
    }

    /// The dimensions of a table and of what it joins, under names that the view has once.
    fn members(&mut self, table: &'a Table, path: &[String]) -> Vec<Value> {
        let mut found = Vec::new();
        for one in &table.dimensions {
            let is_alone = self.with_name(self.table, &one.name, 0) == 1;
            let name = match path.is_empty() || is_alone {
                true => one.name.clone(),
                false => format!("{}_{}", path.join("_"), one.name),
            };
            self.dimensions
                .push((path.to_vec(), one.name.clone(), name.clone()));
            found.push(dimension(one, name, path));
        }
        for join in table.joins.iter().filter(|_| path.len() < MAX_DEPTH) {
            if let Some(to) = self.tables.table(&join.to) {
                let mut path = path.to_vec();
                path.push(join.name.clone());
                found.extend(self.members(to, &path));
            }
        }
        found
    }

    /// How many dimensions of a name the view would have.
    fn with_name(&self, table: &Table, name: &str, depth: usize) -> usize {
        let joins = table.joins.iter().filter(|_| depth < MAX_DEPTH);
        let joined = joins.filter_map(|join| self.tables.table(&join.to));
        let joined: usize = joined.map(|to| self.with_name(to, name, depth + 1)).sum();
        usize::from(table.dimension(name).is_some()) + joined
    }

    /// SQL in the words of the view.
    fn text(&self, sql: &Sql, is_measure: bool) -> Result<String, String> {
        sql.print(|name| {
            let mut dimensions = self.dimensions.iter();
            let found =
                dimensions.find(|(path, known, _)| *path == name.path && *known == name.last);
            match (name.kind, found) {
                (Kind::Member, Some((_, _, word))) => Ok(quoted(word)),
                (Kind::Member, None) if is_measure => {
                    Ok(format!("MEASURE({})", quoted(&name.last)))
                }
                (Kind::Member, None) => Err(format!("there is no {}", name.last)),
                _ => {
                    let words = name.path.iter().chain([&name.last]);
                    let words: Vec<String> = words.map(|word| quoted(word)).collect();
                    Ok(match name.path.is_empty() {
                        true => format!("{SOURCE}.{}", words.join(".")),
                        false => words.join("."),
                    })
                }
            }
        })
    }

    fn measure(&mut self, one: &Measure) -> Result<Value, String> {
        let mut fields = Fields::new();
        fields.insert("name".to_owned(), json!(one.name));
        let own = one.time.as_ref().map(|time| time.last.clone());
        let time = own.or_else(|| self.table.time.clone()).unwrap_or_default();
        let (text, window) = match &one.computed {
            Computed::Cumulative(inner, window) => {
                let last = |order: &str, range: &str| json!({"order": order, "range": range, "semiadditive": "last"});
                let window = match window {
                    Window::AllTime => vec![last(&time, "cumulative")],
                    Window::Trailing(n, grain) => {
                        vec![last(&time, &format!("trailing {n} {grain} inclusive"))]
                    }
                    Window::ToDate(grain) => {
                        if !self.cut.contains(grain) {
                            self.cut.push(*grain);
                        }
                        let cut = cut_name(&time, *grain);
                        vec![last(&time, "cumulative"), last(&cut, "current")]
                    }
                    Window::ToDateOf(_) => {
                        return Err("its window is one of the calendar".to_owned());
                    }
                };
                (self.computed(one, inner)?, Some(window))
            }
            Computed::Shifted(sql, Offset::Ago(n, grain), _) => {
                let of = sql.as_name().map(|name| name.last);
                let mut all = self.table.measures.iter();
                let of = all.find(|one| Some(&one.name) == of.as_ref());
                let of = of.ok_or("what it was is unknown")?;
                let window = json!([{"order": time, "range": "current", "offset": format!("-{n} {grain}"), "semiadditive": "last"}]);
                (
                    self.computed(of, &of.computed)?,
                    Some(vec![window.get(0).cloned().unwrap_or_default()]),
                )
            }
            computed => (self.computed(one, computed)?, None),
        };
        fields.insert("expr".to_owned(), json!(text));
        describe(&mut fields, &one.about);
        let window = match &one.over_time {
            Some((take, time)) => {
                let word = if *take == Take::First {
                    "first"
                } else {
                    "last"
                };
                Some(vec![
                    json!({"order": time.last, "range": "current", "semiadditive": word}),
                ])
            }
            None => window,
        };
        if let Some(window) = window {
            fields.insert("window".to_owned(), json!(window));
        }
        Ok(Value::Object(fields))
    }

    fn computed(&self, one: &Measure, computed: &Computed) -> Result<String, String> {
        match computed {
            Computed::Aggregate(agg, sql) => {
                let mut plain = Measure::new(
                    one.place,
                    String::new(),
                    Computed::Aggregate(*agg, sql.clone()),
                );
                plain.filters.clone_from(&one.filters);
                let text = plain.aggregate_text().unwrap_or_default();
                self.text(&Sql::read(&text, Kind::Any)?, false)
            }
            Computed::Sql(sql) => self.text(sql, !sql.has_aggregate()),
            _ => Err("it is computed in more than one step".to_owned()),
        }
    }
}

fn source(relation: &Relation) -> Value {
    match relation {
        Relation::Table(text) | Relation::Sql(text) => json!(text),
    }
}

fn cut_name(time: &str, grain: Grain) -> String {
    format!("{time}_{grain}")
}

/// Words that begin something else than a name.
const RESERVED: [&str; 22] = [
    "case",
    "cast",
    "current_date",
    "current_user",
    "date",
    "distinct",
    "end",
    "exists",
    "from",
    "group",
    "interval",
    "left",
    "not",
    "null",
    "order",
    "right",
    "select",
    "table",
    "timestamp",
    "user",
    "when",
    "where",
];

/// A name as Spark's SQL has it: in backticks where it is no plain word.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_reserved = RESERVED.contains(&name.to_lowercase().as_str());
    match name.chars().all(is_plain) && !is_reserved {
        true => name.to_owned(),
        false => format!("`{name}`"),
    }
}

fn dimension(one: &Dimension, name: String, path: &[String]) -> Value {
    let mut fields = Fields::new();
    let sql = one.sql.print(|name| {
        let first = SOURCE.to_owned();
        let words: Vec<&String> = match path {
            [] => vec![&first, &name.last],
            path => path.iter().chain([&name.last]).collect(),
        };
        let words: Vec<String> = words.into_iter().map(|word| quoted(word)).collect();
        Ok(words.join("."))
    });
    fields.insert("name".to_owned(), json!(name));
    fields.insert("expr".to_owned(), json!(sql.unwrap_or_default()));
    describe(&mut fields, &one.about);
    // How a time is shown is all that tells it from a text.
    let format = match one.kind {
        DimensionType::Date => Some(json!({"type": "date", "date_format": "year_month_day"})),
        DimensionType::Time => Some(json!({
            "type": "date_time",
            "date_format": "year_month_day",
            "time_format": "locale_hour_minute_second",
        })),
        _ => None,
    };
    fields.extend(format.map(|format| ("format".to_owned(), format)));
    Value::Object(fields)
}

fn describe(fields: &mut Fields, about: &About) {
    let mut put = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
    if let Some(label) = &about.label {
        put("display_name", json!(label));
    }
    if let Some(comment) = &about.description {
        put("comment", json!(comment));
    }
    if !about.synonyms.is_empty() {
        put("synonyms", json!(about.synonyms));
    }
    let mut format = Fields::new();
    match about.format.kind {
        FormatKind::Percent => drop(format.insert("type".to_owned(), json!("percentage"))),
        FormatKind::Currency => {
            format.insert("type".to_owned(), json!("currency"));
            if let Some(code) = &about.format.currency {
                format.insert("currency_code".to_owned(), json!(code));
            }
        }
        _ if about.format.decimals.is_some() => {
            format.insert("type".to_owned(), json!("number"));
        }
        _ => {}
    }
    if let Some(places) = about.format.decimals {
        let exact = json!({"type": "exact", "places": places});
        format.insert("decimal_places".to_owned(), exact);
    }
    if !format.is_empty() {
        put("format", json!(format));
    }
}
