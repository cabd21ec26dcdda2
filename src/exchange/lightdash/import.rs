//! Models of dbt with Lightdash's `meta` as tables. An explore's joins are those of its model, and of what it joins.

use std::path::Path;

use serde_json::json;

use super::{CURRENCIES, THIS};
use crate::exchange::source::{self, Look};
use crate::exchange::tables::{
    About, Computed, Dimension, Explores, Joined, Kind, Measure, Name, Sql, Table, Tables, of_code,
    template,
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
        explores: Explores::default(),
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
    std::mem::take(&mut reader.explores).put(&mut tables);
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

struct Reader<'a> {
    models: Vec<&'a Node>,
    notes: Notes,
    types: &'a ColumnTypes<'a>,
    explores: Explores,
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
        let relationship = node.text_of("relationship");
        let joined = Joined {
            place: node.place(),
            base: explore,
            alias: &alias,
            to: &to,
            condition: &sql,
            is_many: relationship.as_deref() == Some("one-to-many"),
        };
        if joined.is_direct() != is_direct {
            return Ok(());
        }
        match relationship.as_deref() {
            Some("many-to-one" | "one-to-one" | "one-to-many") => {}
            Some(other) => return Err(format!("it is {other}")),
            None if meta(model, "primary_key").is_some() => {}
            None => {
                let text =
                    format!("{explore}: that a row of {to} is found once is taken for granted");
                self.notes.add(node.place(), text);
            }
        }
        self.explores.add(&joined)?;
        if let Some(kind) = node.text_of("type").filter(|kind| kind != "left") {
            let text = format!("{explore}: the {kind} join of {to} is a left one here");
            self.notes.add(node.place(), text);
        }
        Ok(())
    }

    fn is_table(&self, explore: &str, word: &str) -> bool {
        self.explores.path(explore, word).is_some() || self.model(word).is_some()
    }

    fn sql(&self, model: &str, text: &str) -> Result<Sql, String> {
        let is_table = |word: &str| self.is_table(model, word);
        let sql = Sql::read(&template(text, (THIS, model), is_table)?, Kind::Column)?;
        self.explores.resolved(model, &sql)
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
        let written = node.text_of("format").unwrap_or_default();
        match written.to_lowercase().as_str() {
            "" => {}
            "percent" => about.format.kind = FormatKind::Percent,
            code if CURRENCIES.contains(&code) => {
                about.format.kind = FormatKind::Currency;
                about.format.currency = Some(code.to_uppercase());
            }
            _ => match of_code(&written) {
                Some(format) => about.format = format,
                None => {
                    let text = format!("{name}: the format {written} is not carried over");
                    self.notes.add(node.place(), text);
                }
            },
        }
        let round = node.text_of("round").and_then(|n| n.parse().ok());
        about.format.decimals = round.or(about.format.decimals);
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
