//! Semantic views (and the semantic models of Cortex Analyst before them) as tables.

use std::path::Path;

use crate::exchange::source::{self, Look};
use crate::exchange::tables::{
    About, Computed, Dimension, Join, Kind, Measure, Name, Sql, Table, Tables,
};
use crate::exchange::{ColumnTypes, ExchangeError, Import, Notes};
use crate::model::{Aggregate, DimensionType, Relation, Take};
use crate::registry::yaml::Node;

const VIEW_KEYS: [&str; 6] = [
    "name",
    "description",
    "comments",
    "tables",
    "relationships",
    "metrics",
];
const TABLE_KEYS: [&str; 12] = [
    "name",
    "synonyms",
    "description",
    "base_table",
    "primary_key",
    "unique_keys",
    "dimensions",
    "time_dimensions",
    "facts",
    "measures",
    "metrics",
    "filters",
];
const MEMBER_KEYS: [&str; 10] = [
    "name",
    "synonyms",
    "description",
    "expr",
    "data_type",
    "unique",
    "access_modifier",
    "non_additive_dimensions",
    "default_aggregation",
    "is_enum",
];

/// Reads the semantic views of a file (or of the files below a folder) as a project of metrex.
///
/// # Errors
/// Nothing can be read there, or there is no semantic view in it.
pub fn import(path: &Path, types: &ColumnTypes) -> Result<Import, ExchangeError> {
    let notes = Notes::default();
    let mut reader = Reader {
        notes,
        tables: Tables::default(),
    };
    let documents = source::read(path, &mut reader.notes)?;
    let views = documents.iter().filter(|view| {
        let tables = view.items_of("tables");
        tables.iter().any(|table| table.get("base_table").is_some())
    });
    let views: Vec<&Node> = views.collect();
    if views.is_empty() {
        return Err(ExchangeError::Nothing {
            path: path.display().to_string(),
            wanted: "tables of a semantic view",
        });
    }
    for view in views {
        reader.view(view);
    }
    Ok(reader.tables.import(types, reader.notes))
}

struct Reader {
    notes: Notes,
    tables: Tables,
}

impl Reader {
    fn view(&mut self, view: &Node) {
        let name = view.text_of("name").unwrap_or_default();
        self.notes.unread(view, &VIEW_KEYS, &name);
        for node in view.items_of("tables") {
            if let Some(table) = self.table(node) {
                self.tables.add(table, &name, &mut self.notes);
            }
        }
        let relationships = view.items_of("relationships");
        for node in &relationships {
            if let Err(reason) = self.relationship(node, &relationships) {
                let name = node.text_of("name").unwrap_or_default();
                let text = format!("the relationship {name} is left out: {reason}");
                self.notes.add(node.place(), text);
            }
        }
        for node in view.items_of("metrics") {
            if let Some(measure) = self.metric("", node) {
                self.tables.across.push(measure);
            }
        }
    }

    fn table(&mut self, node: &Node) -> Option<Table> {
        let name = node.text_of("name")?;
        self.notes.unread(node, &TABLE_KEYS, &name);
        let base = node.get("base_table");
        let part = |key: &str| base.and_then(|base| base.text_of(key));
        let relation = match (part("schema"), part("table"), part("definition")) {
            (Some(schema), Some(table), _) => Relation::Table(format!("{schema}.{table}")),
            (None, Some(table), _) => Relation::Table(table),
            (_, None, Some(sql)) => Relation::Sql(sql),
            (_, None, None) => Relation::Table(name.clone()),
        };
        if let Some(database) = part("database") {
            let text = format!("{name}: the database {database} is that of the connection here");
            self.notes.add(node.place(), text);
        }
        let mut table = Table::new(node.place(), name.clone(), relation);
        table.about = about(node);
        let key = node.path(&["primary_key", "columns"]);
        let key = source::texts(&key.map(Look::items).unwrap_or_default());
        table.key = key.iter().map(|key| Name::own(Kind::Any, key)).collect();
        if node.get("unique_keys").is_some() {
            let text = format!("{name}: a key beside the primary one is not carried over");
            self.notes.add(node.place(), text);
        }
        for section in [
            "dimensions",
            "time_dimensions",
            "facts",
            "measures",
            "filters",
        ] {
            for member in node.items_of(section) {
                match dimension(member, section) {
                    Ok(dimension) => table.dimensions.push(dimension),
                    Err(reason) => {
                        let word = member.text_of("name").unwrap_or_default();
                        let text = format!("{name}: {word} is left out: {reason}");
                        self.notes.add(member.place(), text);
                        continue;
                    }
                }
                self.note_member(&name, section, member);
                if let Some(measure) = default_measure(member) {
                    table.measures.push(measure);
                }
            }
        }
        for member in node.items_of("metrics") {
            table.measures.extend(self.metric(&name, member));
        }
        Some(table)
    }

    fn note_member(&mut self, table: &str, section: &str, node: &Node) {
        let full = format!("{table}.{}", node.text_of("name").unwrap_or_default());
        self.notes.unread(node, &MEMBER_KEYS, &full);
        if section == "facts" {
            let text = format!("{full}: a fact is a dimension here");
            self.notes.add(node.place(), text);
        }
        if node.text_of("access_modifier").as_deref() == Some("private_access") {
            let text = format!("{full}: it is private there, and like all others here");
            self.notes.add(node.place(), text);
        }
    }

    fn metric(&mut self, table: &str, node: &Node) -> Option<Measure> {
        let name = node.text_of("name")?;
        match metric(node, &name) {
            Ok(measure) => {
                self.note_member(table, "metrics", node);
                Some(measure)
            }
            Err(reason) => {
                let text = format!("the metric {name} is left out: {reason}");
                self.notes.add(node.place(), text);
                None
            }
        }
    }

    fn relationship(&mut self, node: &Node, all: &[&Node]) -> Result<(), String> {
        let ends = |node: &Node| (node.text_of("left_table"), node.text_of("right_table"));
        let (Some(from), Some(to)) = ends(node) else {
            return Err("it lacks one of its tables".to_owned());
        };
        match node.text_of("relationship_type").as_deref() {
            None | Some("many_to_one" | "one_to_one") => {}
            Some(other) => return Err(format!("it is {other}")),
        }
        let columns = |key: &str| {
            let pairs = node.items_of("relationship_columns").into_iter();
            let columns: Option<Vec<Name>> = pairs
                .map(|pair| Some(Name::own(Kind::Any, &pair.text_of(key)?)))
                .collect();
            columns.filter(|columns| !columns.is_empty())
        };
        let (Some(here), Some(there)) = (columns("left_column"), columns("right_column")) else {
            return Err("it names no columns".to_owned());
        };
        // Of several ways to a table each has a name of its own.
        let same = all.iter().filter(|other| ends(other) == ends(node)).count();
        let name = match (same, node.text_of("name")) {
            (2.., Some(name)) => name,
            _ => to.clone(),
        };
        let join = Join {
            place: node.place(),
            name,
            to,
            on: here.into_iter().zip(there).collect(),
        };
        let mut tables = self.tables.tables.iter_mut();
        let table = tables.find(|table| table.name.eq_ignore_ascii_case(&from));
        let table = table.ok_or_else(|| format!("there is no table {from}"))?;
        let is_known = |known: &Join| known.name == join.name && known.on == join.on;
        if !table.joins.iter().any(is_known) {
            table.joins.push(join);
        }
        Ok(())
    }
}

fn about(node: &Node) -> About {
    About {
        description: node.text_of("description"),
        synonyms: source::texts(&node.items_of("synonyms")),
        ..About::default()
    }
}

fn sql(node: &Node) -> Result<Sql, String> {
    let name = node.text_of("name").unwrap_or_default();
    Sql::read(&node.text_of("expr").unwrap_or(name), Kind::Any)
}

fn dimension(node: &Node, section: &str) -> Result<Dimension, String> {
    let ty = node.text_of("data_type").unwrap_or_default().to_uppercase();
    let kind = match ty.split('(').next().unwrap_or_default() {
        _ if section == "filters" => DimensionType::Boolean,
        "BOOLEAN" | "BOOL" => DimensionType::Boolean,
        "DATE" => DimensionType::Date,
        "NUMBER" | "DECIMAL" | "NUMERIC" | "INT" | "INTEGER" | "BIGINT" | "FLOAT" | "DOUBLE"
        | "REAL" | "SMALLINT" | "TINYINT" => DimensionType::Number,
        ty if ty.starts_with("TIMESTAMP") || ty == "DATETIME" => DimensionType::Time,
        "" if section == "time_dimensions" => DimensionType::Time,
        "" if section == "facts" || section == "measures" => DimensionType::Number,
        _ => DimensionType::Text,
    };
    Ok(Dimension {
        place: node.place(),
        name: node.text_of("name").ok_or("it has no name")?,
        about: about(node),
        sql: sql(node)?,
        kind,
    })
}

/// The metric that a measure of a semantic model is by its `default_aggregation`.
fn default_measure(node: &Node) -> Option<Measure> {
    let agg = match node.text_of("default_aggregation")?.to_lowercase().as_str() {
        "sum" => Aggregate::Sum,
        "avg" => Aggregate::Avg,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        "median" => Aggregate::Percentile(0.5),
        "count" => Aggregate::Count,
        "count_distinct" => Aggregate::CountDistinct,
        _ => return None,
    };
    let name = node.text_of("name")?;
    let row = Sql::name(&Name::own(Kind::Member, &name));
    let mut measure = Measure::new(node.place(), name, Computed::Aggregate(agg, Some(row)));
    measure.about = about(node);
    Some(measure)
}

fn metric(node: &Node, name: &str) -> Result<Measure, String> {
    if node.get("using_relationships").is_some() {
        return Err("it goes by relationships of its own".to_owned());
    }
    let mut measure = Measure::new(node.place(), name.to_owned(), Computed::Sql(sql(node)?));
    measure.about = about(node);
    match node.items_of("non_additive_dimensions").as_slice() {
        [] => {}
        [one] => {
            let time = one
                .text_of("dimension")
                .ok_or("its snapshots have no time")?;
            let take = match one.text_of("sort_direction").as_deref() {
                Some("descending") => Take::First,
                _ => Take::Last,
            };
            measure.over_time = Some((take, Name::own(Kind::Member, &time)));
        }
        _ => return Err("it does not add up over several dimensions".to_owned()),
    }
    Ok(measure)
}
