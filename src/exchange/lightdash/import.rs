//! Models of dbt with Lightdash's `meta` as tables. An explore's joins are those of its model, and of what it joins.

use std::path::Path;

use serde_json::json;

use super::{CURRENCIES, THIS};
use crate::exchange::source::{self, Look};
use crate::exchange::tables::{
    About, Computed, Dimension, Join, Kind, Measure, Name, Sql, Table, Tables, join_on, template,
};
use crate::exchange::{ColumnTypes, ExchangeError, Import, Notes};
use crate::model::{Aggregate, DimensionType, FormatKind, Relation};
use crate::registry::yaml::Node;

const MODEL_KEYS: [&str; 10] = [
    "label",
    "description",
    "primary_key",
    "sql_from",
    "sql_filter",
    "sql_where",
    "joins",
    "metrics",
    "default_time_dimension",
    "spotlight",
];
const DIMENSION_KEYS: [&str; 9] = [
    "type",
    "sql",
    "label",
    "description",
    "hidden",
    "format",
    "round",
    "time_intervals",
    "primary_key",
];
const METRIC_KEYS: [&str; 11] = [
    "type",
    "sql",
    "label",
    "description",
    "hidden",
    "format",
    "round",
    "percentile",
    "filters",
    "default_time_dimension",
    "spotlight",
];

/// Reads the models of a dbt project (or of one file) with their Lightdash metadata as a project of metrex.
///
/// # Errors
/// Nothing can be read there, or no model has a dimension or a metric of Lightdash.
pub fn import(path: &Path, types: &ColumnTypes) -> Result<Import, ExchangeError> {
    let mut notes = Notes::default();
    let documents = source::read(path, &mut notes)?;
    let models = documents.iter().flat_map(|one| one.items_of("models"));
    let models: Vec<&Node> = models.filter(|model| is_described(model)).collect();
    if models.is_empty() {
        return Err(ExchangeError::Nothing {
            path: path.display().to_string(),
            wanted: "models with metadata of Lightdash",
        });
    }
    let mut reader = Reader {
        models,
        notes,
        types,
        aliases: Vec::new(),
        joins: Vec::new(),
    };
    // A join is called as the explore of its own model calls it.
    for is_direct in [true, false] {
        for model in reader.models.clone() {
            reader.explore(model, is_direct);
        }
    }
    let mut tables = Tables::default();
    for model in reader.models.clone() {
        let table = reader.table(model);
        tables.tables.push(table);
    }
    for (from, join) in std::mem::take(&mut reader.joins) {
        let table = tables.tables.iter_mut().find(|table| table.name == from);
        if let Some(table) = table {
            table.joins.push(join);
        }
    }
    Ok(tables.import(types, reader.notes))
}

fn name_of(node: &Node) -> String {
    node.text_of("name").unwrap_or_default()
}

/// A key of the metadata, wherever dbt's version has it.
fn meta<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let newer = node.path(&["config", "meta", key]);
    newer.or_else(|| node.path(&["meta", key]))
}

fn is_described(model: &Node) -> bool {
    let own = ["metrics", "joins", "primary_key"];
    let columns = model.items_of("columns");
    let of_columns = ["dimension", "metrics", "additional_dimensions"];
    own.iter().any(|key| meta(model, key).is_some())
        || columns
            .iter()
            .any(|column| of_columns.iter().any(|key| meta(column, key).is_some()))
}

/// The entries of a map.
fn entries(node: Option<&Node>) -> Vec<(String, &Node)> {
    match node {
        Some(Node::Map(_, entries)) => entries
            .iter()
            .map(|(key, value)| (key.value.clone(), value))
            .collect(),
        _ => Vec::new(),
    }
}

/// The name that a table has in an explore: explore, alias, the joins that lead there.
type Alias = (String, String, Vec<String>);

struct Reader<'a> {
    models: Vec<&'a Node>,
    notes: Notes,
    types: &'a ColumnTypes<'a>,
    aliases: Vec<Alias>,
    /// Joins, by the model that they start from.
    joins: Vec<(String, Join)>,
}

impl<'a> Reader<'a> {
    fn model(&self, name: &str) -> Option<&'a Node> {
        let mut models = self.models.iter();
        models.find(|model| name_of(model) == name).copied()
    }

    /// Reads the joins of a model, or those of what it joins.
    fn explore(&mut self, model: &'a Node, is_direct: bool) {
        let name = name_of(model);
        let joins = meta(model, "joins").map(Look::items).unwrap_or_default();
        for node in joins {
            if let Err(reason) = self.join(&name, node, is_direct) {
                let to = node.text_of("join").unwrap_or_default();
                let text = format!("{name}: the join {to} is left out: {reason}");
                self.notes.add(node.place(), text);
            }
        }
    }

    fn join(&mut self, explore: &str, node: &Node, is_direct: bool) -> Result<(), String> {
        let to = node.text_of("join").ok_or("it does not say to what")?;
        let model = self
            .model(&to)
            .ok_or_else(|| format!("there is no model {to}"))?;
        let alias = node.text_of("alias").unwrap_or_else(|| to.clone());
        let text = node.text_of("sql_on").ok_or("it has no condition")?;
        let is_table = |word: &str| word == alias || self.is_table(explore, word);
        let sql = Sql::read(&template(&text, (THIS, explore), is_table)?, Kind::Column)?;
        let on = join_on(&sql, |name| name.path.first() == Some(&alias))?;
        // What is not the other table's is all of one table: the model's own, or one joined before.
        let names = sql.names().into_iter();
        let from = names.filter(|name| name.path.first() != Some(&alias));
        let from = from.map(|name| name.path).next().unwrap_or_default();
        if from.is_empty() != is_direct {
            return Ok(());
        }
        let path = match from.first() {
            None => Vec::new(),
            Some(word) => self.path(explore, word).ok_or("it starts nowhere")?,
        };
        let from = self.end(explore, &path).ok_or("it starts nowhere")?;
        let place = node.place();
        match node.text_of("relationship").as_deref() {
            Some("many-to-one" | "one-to-one") => {}
            Some("one-to-many") if path.is_empty() => {
                let back = Join {
                    place,
                    name: explore.to_owned(),
                    to: explore.to_owned(),
                    on: on.into_iter().map(|(here, there)| (there, here)).collect(),
                };
                let mut known = self.joins.iter();
                if !known.any(|(from, join)| *from == to && join.to == back.to) {
                    self.joins.push((to, back));
                }
                return Ok(());
            }
            Some(other) => return Err(format!("it is {other}")),
            None if meta(model, "primary_key").is_some() => {}
            None => {
                let text =
                    format!("{explore}: that a row of {to} is found once is taken for granted");
                self.notes.add(place, text);
            }
        }
        if let Some(kind) = node.text_of("type").filter(|kind| kind != "left") {
            let text = format!("{explore}: the {kind} join of {to} is a left one here");
            self.notes.add(place, text);
        }
        // The same columns are joined once, whatever explores call it.
        let mut known = self.joins.iter();
        let known = known.find(|(start, join)| *start == from && join.to == to && join.on == on);
        let role = known.map(|(_, join)| join.name.clone());
        let role = match role {
            Some(role) => role,
            None => {
                let join = Join {
                    place,
                    name: alias.clone(),
                    to,
                    on,
                };
                self.joins.push((from, join));
                alias.clone()
            }
        };
        let mut path = path;
        path.push(role);
        self.aliases.push((explore.to_owned(), alias, path));
        Ok(())
    }

    fn is_table(&self, explore: &str, word: &str) -> bool {
        self.path(explore, word).is_some() || self.model(word).is_some()
    }

    /// The joins that lead from an explore's model to what it calls so.
    fn path(&self, explore: &str, alias: &str) -> Option<Vec<String>> {
        let mut aliases = self.aliases.iter();
        let found = aliases.find(|(of, known, _)| of == explore && known == alias);
        found.map(|(.., path)| path.clone())
    }

    /// The model at the end of some joins.
    fn end(&self, from: &str, path: &[String]) -> Option<String> {
        path.iter().try_fold(from.to_owned(), |at, role| {
            let mut joins = self.joins.iter();
            let found = joins.find(|(start, join)| *start == at && join.name == *role);
            found.map(|(_, join)| join.to.clone())
        })
    }

    fn sql(&self, model: &str, text: &str) -> Result<Sql, String> {
        let is_table = |word: &str| self.is_table(model, word);
        let sql = Sql::read(&template(text, (THIS, model), is_table)?, Kind::Column)?;
        sql.renamed(|name| {
            let mut name = name.clone();
            if let [alias] = name.path.as_slice()
                && let Some(path) = self.path(model, alias)
            {
                name.path = path;
            }
            Ok(name)
        })
    }

    fn table(&mut self, model: &'a Node) -> Table {
        let name = name_of(model);
        let both = [model.path(&["config", "meta"]), model.get("meta")];
        for keys in both.into_iter().flatten() {
            self.notes.unread(keys, &MODEL_KEYS, &name);
        }
        let text = |key: &str| meta(model, key).and_then(Look::text).map(str::to_owned);
        let relation = Relation::Table(text("sql_from").unwrap_or_else(|| name.clone()));
        let mut table = Table::new(model.place(), name.clone(), relation);
        table.about.label = text("label");
        table.about.description = text("description").or_else(|| model.text_of("description"));
        let key = meta(model, "primary_key")
            .map(Look::items)
            .unwrap_or_default();
        let key = source::texts(&key);
        table.key = key.iter().map(|key| Name::own(Kind::Member, key)).collect();
        table.time = meta(model, "default_time_dimension").and_then(|time| time.text_of("field"));
        for column in model.items_of("columns") {
            self.column(&name, column, &mut table);
        }
        for (word, node) in entries(meta(model, "metrics")) {
            self.metric(&name, &word, node, None, &mut table);
        }
        let filter = text("sql_filter").or_else(|| text("sql_where"));
        if let Some(filter) = filter {
            match self.sql(&name, &filter) {
                Ok(sql) => {
                    for measure in &mut table.measures {
                        measure.filters.extend(sql.conjuncts());
                    }
                    let text = format!(
                        "{name}: its filter is one of each metric, and not of dimensions alone"
                    );
                    self.notes.add(model.place(), text);
                }
                Err(reason) => {
                    table.measures.clear();
                    let text =
                        format!("the metrics of {name} are left out: of its filter, {reason}");
                    self.notes.add(model.place(), text);
                }
            }
        }
        table
    }

    fn column(&mut self, model: &str, column: &'a Node, table: &mut Table) {
        let name = name_of(column);
        let own = meta(column, "dimension");
        let ty = own.and_then(|own| own.text_of("type"));
        let ty = ty.or_else(|| column.text_of("data_type"));
        let own_sql = own.and_then(|own| own.text_of("sql"));
        let column_sql = Ok(Sql::name(&Name::own(Kind::Column, &name)));
        let sql = own_sql.map_or(column_sql, |text| self.sql(model, &text));
        let known = table.table().and_then(|table| (self.types)(table, &name));
        let mut about = own.map(|own| self.about(&name, own)).unwrap_or_default();
        about.description = about.description.or_else(|| column.text_of("description"));
        if let Some(own) = own {
            self.note_dimension(model, &name, own);
        }
        match sql {
            Ok(sql) => table.dimensions.push(Dimension {
                place: column.place(),
                name: name.clone(),
                about,
                sql,
                kind: kind(ty.as_deref()).or(known).unwrap_or_default(),
            }),
            Err(reason) => self.leave_out(model, "dimension", &name, column, &reason),
        }
        for (word, node) in entries(meta(column, "additional_dimensions")) {
            let text = node
                .text_of("sql")
                .ok_or_else(|| "it has no SQL".to_owned());
            match text.and_then(|text| self.sql(model, &text)) {
                Ok(sql) => {
                    self.note_dimension(model, &word, node);
                    table.dimensions.push(Dimension {
                        place: node.place(),
                        about: self.about(&word, node),
                        kind: kind(node.text_of("type").as_deref())
                            .unwrap_or_else(|| sql.shown_type()),
                        name: word,
                        sql,
                    });
                }
                Err(reason) => self.leave_out(model, "dimension", &word, node, &reason),
            }
        }
        for (word, node) in entries(meta(column, "metrics")) {
            self.metric(model, &word, node, Some(&name), table);
        }
    }

    fn note_dimension(&mut self, model: &str, name: &str, node: &Node) {
        let full = format!("{model}.{name}");
        self.notes.unread(node, &DIMENSION_KEYS, &full);
        if node.is("hidden") {
            let text = format!("{full}: it is hidden there, and like all others here");
            self.notes.add(node.place(), text);
        }
    }

    fn leave_out(&mut self, model: &str, what: &str, name: &str, node: &Node, reason: &str) {
        let text = format!("{model}: the {what} {name} is left out: {reason}");
        self.notes.add(node.place(), text);
    }

    fn metric(
        &mut self,
        model: &str,
        name: &str,
        node: &Node,
        column: Option<&str>,
        table: &mut Table,
    ) {
        match self.measure(model, name, node, column, table) {
            Ok(measure) => {
                let full = format!("{model}.{name}");
                self.notes.unread(node, &METRIC_KEYS, &full);
                table.measures.push(measure);
            }
            Err(reason) => self.leave_out(model, "metric", name, node, &reason),
        }
    }

    fn measure(
        &mut self,
        model: &str,
        name: &str,
        node: &Node,
        column: Option<&str>,
        table: &Table,
    ) -> Result<Measure, String> {
        let kind = node.text_of("type").unwrap_or_default();
        let of_column = column.map(|column| Ok(Sql::name(&Name::own(Kind::Member, column))));
        let sql = match node.text_of("sql") {
            Some(text) => self.sql(model, &text)?,
            None => of_column.unwrap_or_else(|| Err("it has no SQL".to_owned()))?,
        };
        let share = || {
            let share = node
                .text_of("percentile")
                .unwrap_or_else(|| "50".to_owned());
            let share: f64 = share.parse().map_err(|_| "its percentile is no number")?;
            Ok::<_, String>(Aggregate::Percentile(share / 100.0))
        };
        let agg = match kind.as_str() {
            "count" => Some(Aggregate::Count),
            "count_distinct" => Some(Aggregate::CountDistinct),
            "sum" => Some(Aggregate::Sum),
            "average" => Some(Aggregate::Avg),
            "min" => Some(Aggregate::Min),
            "max" => Some(Aggregate::Max),
            "median" => Some(Aggregate::Percentile(0.5)),
            "percentile" => Some(share()?),
            "number" | "boolean" | "string" | "date" | "timestamp" => None,
            other => return Err(format!("{other} has no counterpart")),
        };
        let computed = match agg {
            Some(agg) => Computed::Aggregate(agg, Some(sql)),
            None => Computed::Sql(sql),
        };
        let mut measure = Measure::new(node.place(), name.to_owned(), computed);
        measure.about = self.about(name, node);
        if let Some(owner) = node.path(&["spotlight", "owner"]).and_then(Look::text) {
            measure.about.meta.insert("owner".to_owned(), json!(owner));
        }
        let time = node
            .path(&["default_time_dimension", "field"])
            .and_then(Look::text);
        measure.time = time.map(|time| Name::own(Kind::Member, time));
        for filter in node.items_of("filters") {
            for (field, value) in entries(Some(filter)) {
                let values = source::texts(&value.items());
                measure
                    .filters
                    .push(self.filter(model, &field, &values, table)?);
            }
        }
        Ok(measure)
    }

    /// A condition: `status: [a, b]`, `amount: "> 10"`, `name: "!%x%"`.
    fn filter(
        &self,
        model: &str,
        field: &str,
        values: &[String],
        table: &Table,
    ) -> Result<Sql, String> {
        let (first, rest) = values.split_first().ok_or("one of its filters is empty")?;
        let words: Vec<&str> = first.split_whitespace().collect();
        let name = format!("${{{field}}}");
        let is_text = table
            .dimension(field)
            .is_none_or(|one| one.kind == DimensionType::Text || one.kind.is_time());
        let quoted = |value: &str| match (
            is_text,
            value.parse::<f64>().is_ok() || value == "true" || value == "false",
        ) {
            (false, true) => value.to_owned(),
            _ => format!("'{}'", value.replace('\'', "''")),
        };
        let list = |values: &mut dyn Iterator<Item = &str>| {
            let values: Vec<String> = values.map(quoted).collect();
            values.join(", ")
        };
        let text = match words.as_slice() {
            ["null"] => format!("{name} IS NULL"),
            ["!null"] => format!("{name} IS NOT NULL"),
            [op @ (">" | ">=" | "<" | "<="), value] if rest.is_empty() => {
                format!("{name} {op} {}", quoted(value))
            }
            [
                "inThePast" | "inTheNext" | "inTheCurrent" | "notInTheCurrent" | "inBetween",
                ..,
            ] => {
                return Err(format!("'{first}' is relative to the day it is asked"));
            }
            _ if first.contains('%') && rest.is_empty() => {
                let (not, pattern) = match first.strip_prefix('!') {
                    Some(pattern) => ("NOT ", pattern),
                    None => ("", first.as_str()),
                };
                format!("{name} {not}LIKE {}", quoted(pattern))
            }
            _ if values.iter().all(|value| value.starts_with('!')) => {
                let mut values = values.iter().map(|value| value.trim_start_matches('!'));
                format!("({name} NOT IN ({}) OR {name} IS NULL)", list(&mut values))
            }
            _ if rest.is_empty() => format!("{name} = {}", quoted(first)),
            _ => format!(
                "{name} IN ({})",
                list(&mut values.iter().map(String::as_str))
            ),
        };
        self.sql(model, &text)
    }

    fn about(&mut self, name: &str, node: &Node) -> About {
        let mut about = About {
            label: node.text_of("label"),
            description: node.text_of("description"),
            ..About::default()
        };
        let format = node.text_of("format").unwrap_or_default().to_lowercase();
        match format.as_str() {
            "" => {}
            "percent" => about.format.kind = FormatKind::Percent,
            code if CURRENCIES.contains(&code) => {
                about.format.kind = FormatKind::Currency;
                about.format.currency = Some(code.to_uppercase());
            }
            text if text.contains('%') => about.format.kind = FormatKind::Percent,
            other => {
                let text = format!("{name}: the format {other} is not carried over");
                self.notes.add(node.place(), text);
            }
        }
        about.format.decimals = node.text_of("round").and_then(|n| n.parse().ok());
        about
    }
}

fn kind(ty: Option<&str>) -> Option<DimensionType> {
    Some(match ty?.to_lowercase().as_str() {
        "string" | "text" | "varchar" => DimensionType::Text,
        "number" | "numeric" | "integer" | "float" => DimensionType::Number,
        "boolean" => DimensionType::Boolean,
        "date" => DimensionType::Date,
        "timestamp" => DimensionType::Time,
        _ => return None,
    })
}
