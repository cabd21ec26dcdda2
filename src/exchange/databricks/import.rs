//! Metric views as tables: the source under the name of the file, and each join under its own name.

use std::path::Path;

use super::SOURCE;
use crate::exchange::source::{self, Look, length};
use crate::exchange::tables::{
    About, Computed, Dimension, Join, Kind, Measure, Name, Sql, Table, Tables, join_on,
};
use crate::exchange::{ColumnTypes, ExchangeError, Import, Notes};
use crate::model::{DimensionType, FormatKind, Grain, Offset, Relation, Take, Window};
use crate::registry::yaml::Node;

const VIEW_KEYS: [&str; 8] = [
    "version",
    "comment",
    "source",
    "filter",
    "joins",
    "dimensions",
    "fields",
    "measures",
];
const JOIN_KEYS: [&str; 7] = [
    "name",
    "source",
    "on",
    "using",
    "joins",
    "rely",
    "cardinality",
];
const MEMBER_KEYS: [&str; 7] = [
    "name",
    "expr",
    "comment",
    "display_name",
    "synonyms",
    "format",
    "window",
];

/// Reads the metric views of a file (or of the files below a folder) as a project of metrex.
///
/// # Errors
/// Nothing can be read there, or there is no metric view in it.
pub fn import(path: &Path, types: &ColumnTypes) -> Result<Import, ExchangeError> {
    let mut notes = Notes::default();
    let documents = source::read(path, &mut notes)?;
    let views = documents
        .iter()
        .filter(|view| view.get("source").is_some() && view.get("measures").is_some());
    let views: Vec<&Node> = views.collect();
    if views.is_empty() {
        return Err(ExchangeError::Nothing {
            path: path.display().to_string(),
            wanted: "metric views",
        });
    }
    let mut tables = Tables::default();
    for node in views {
        let file = notes.path(node.place());
        let stem = Path::new(file).file_stem().unwrap_or_default();
        let name = stem.to_string_lossy().into_owned();
        let mut view = View {
            notes: &mut notes,
            types,
            name: name.clone(),
            tables: Vec::new(),
            truncated: Vec::new(),
            joined: Vec::new(),
        };
        view.read(node);
        for table in std::mem::take(&mut view.tables) {
            tables.add(table, &name, &mut notes);
        }
    }
    Ok(tables.import(types, notes))
}

struct View<'a> {
    notes: &'a mut Notes,
    types: &'a ColumnTypes<'a>,
    name: String,
    /// The source, and what it joins, each with the path of joins that leads there.
    tables: Vec<Table>,
    /// Dimensions that are a time cut to a grain: name, time, grain.
    truncated: Vec<(String, String, Grain)>,
    /// Dimensions that are of a joined table: name, path.
    joined: Vec<(String, Vec<String>)>,
}

fn name_of(node: &Node) -> String {
    node.text_of("name").unwrap_or_default()
}

impl View<'_> {
    fn read(&mut self, node: &Node) {
        let name = self.name.clone();
        self.notes.unread(node, &VIEW_KEYS, &name);
        let Ok(relation) = self.relation(node) else {
            let text = format!("the view {name} is left out: it names no source");
            return self.notes.add(node.place(), text);
        };
        let mut table = Table::new(node.place(), name.clone(), relation);
        table.about.description = node.text_of("comment");
        self.tables.push(table);
        self.joins(0, node);
        let sections = ["dimensions", "fields"].into_iter();
        let mut dimensions: Vec<&Node> = sections.flat_map(|key| node.items_of(key)).collect();
        // What a grain is cut from is known before what is cut.
        dimensions.sort_by_key(|node| truncated(node).is_some());
        for one in dimensions {
            if let Err(reason) = self.dimension(one) {
                self.leave_out("dimension", one, &reason);
            }
        }
        self.keys();
        let filter = node
            .text_of("filter")
            .map(|text| self.sql(&text))
            .transpose();
        let filters = match filter {
            Ok(filter) => filter.map(|sql| sql.conjuncts()).unwrap_or_default(),
            Err(reason) => {
                let text = format!("{name} is left out: of its filter, {reason}");
                self.notes.add(node.place(), text);
                self.tables.clear();
                return;
            }
        };
        if !filters.is_empty() {
            let text =
                format!("{name}: its filter is one of each measure, and not of dimensions alone");
            self.notes.add(node.place(), text);
        }
        for one in node.items_of("measures") {
            match self.measure(one) {
                Ok(mut measure) => {
                    measure.filters.extend(filters.iter().cloned());
                    if let Some(table) = self.tables.first_mut() {
                        table.measures.push(measure);
                    }
                }
                Err(reason) => self.leave_out("measure", one, &reason),
            }
        }
    }

    fn leave_out(&mut self, what: &str, node: &Node, reason: &str) {
        let name = &self.name;
        let text = format!("{name}: the {what} {} is left out: {reason}", name_of(node));
        self.notes.add(node.place(), text);
    }

    fn relation(&mut self, node: &Node) -> Result<Relation, String> {
        let source = node.text_of("source").filter(|text| !text.is_empty());
        let source = source.ok_or("it names no source")?;
        let first = source.split_whitespace().next().unwrap_or_default();
        if ["select", "with"].contains(&first.to_lowercase().as_str()) {
            return Ok(Relation::Sql(source));
        }
        let source = source.replace('`', "");
        let parts: Vec<&str> = source.split('.').collect();
        Ok(match parts.as_slice() {
            [catalog, schema, table] => {
                let text = format!(
                    "{}: the catalog {catalog} is that of the connection here",
                    self.name
                );
                self.notes.add(node.place(), text);
                Relation::Table(format!("{schema}.{table}"))
            }
            _ => Relation::Table(source),
        })
    }

    /// Adds what a table joins.
    fn joins(&mut self, from: usize, node: &Node) {
        for one in node.items_of("joins") {
            let name = name_of(one);
            let full = format!("{}.{name}", self.name);
            self.notes.unread(one, &JOIN_KEYS, &full);
            let found = self.on(one, &name);
            match found.and_then(|on| Ok((on, self.relation(one)?))) {
                Ok((on, relation)) => {
                    let to = self.tables.len();
                    self.tables
                        .push(Table::new(one.place(), name.clone(), relation));
                    if let Some(table) = self.tables.get_mut(from) {
                        table.joins.push(Join {
                            place: one.place(),
                            name: name.clone(),
                            to: name.clone(),
                            on,
                        });
                    }
                    self.joins(to, one);
                }
                Err(reason) => self.leave_out("join", one, &reason),
            }
        }
    }

    fn on(&self, node: &Node, name: &str) -> Result<Vec<(Name, Name)>, String> {
        if node.text_of("cardinality").as_deref() == Some("one_to_many") {
            return Err("it leads from one row to many".to_owned());
        }
        let using = node.items_of("using");
        if !using.is_empty() {
            let column = |node: &&Node| Name::own(Kind::Column, node.text().unwrap_or_default());
            let columns = using.iter().map(column);
            return Ok(columns.map(|column| (column.clone(), column)).collect());
        }
        let text = node.text_of("on").ok_or("it names no columns")?;
        let on = join_on(&Sql::read(&text, Kind::Column)?, |one| {
            one.path.last().is_some_and(|last| last == name)
        })?;
        Ok(on)
    }

    /// SQL with the names of the view: dimensions of joined tables with their path, the source without a word.
    fn sql(&self, text: &str) -> Result<Sql, String> {
        Sql::read(text, Kind::Any)?.renamed(|name| {
            let mut name = name.clone();
            if name.path.first().is_some_and(|first| first == SOURCE) {
                name.path.remove(0);
                name.kind = Kind::Column;
            } else if !name.path.is_empty() {
                name.kind = Kind::Column;
            }
            let mut joined = self.joined.iter();
            if let Some((_, path)) =
                joined.find(|(known, _)| name.path.is_empty() && *known == name.last)
            {
                name.path.clone_from(path);
                name.kind = Kind::Member;
            }
            if self
                .truncated
                .iter()
                .any(|(known, ..)| *known == name.last && name.path.is_empty())
            {
                return Err(format!("it reads {}, which is left out", name.last));
            }
            Ok(name)
        })
    }

    fn at(&self, path: &[String]) -> Option<usize> {
        path.iter().try_fold(0, |at, role| {
            let join = self
                .tables
                .get(at)?
                .joins
                .iter()
                .find(|join| join.name == *role)?;
            self.tables.iter().position(|table| table.name == join.to)
        })
    }

    fn dimension(&mut self, node: &Node) -> Result<(), String> {
        let name = name_of(node);
        let full = format!("{}.{name}", self.name);
        if node.get("name").is_none() {
            return Err("it stands for all columns".to_owned());
        }
        if let Some((grain, time)) = truncated(node) {
            let place = node.place();
            let time = self.time(place, &time)?;
            let text = format!("{full} is left out: it is {time} by {grain}");
            self.notes.add(place, text);
            self.truncated.push((name, time, grain));
            return Ok(());
        }
        self.notes.unread(node, &MEMBER_KEYS, &full);
        let sql = self.sql(&node.text_of("expr").unwrap_or_else(|| name.clone()))?;
        let mut paths: Vec<Vec<String>> = sql.names().into_iter().map(|name| name.path).collect();
        paths.dedup();
        let path = match paths.as_slice() {
            [] => Vec::new(),
            [one] => one.clone(),
            _ => return Err("it is made of several tables".to_owned()),
        };
        let at = self
            .at(&path)
            .ok_or_else(|| format!("there is no join {}", path.join(".")))?;
        let sql = sql.renamed(|name| {
            Ok(Name {
                path: Vec::new(),
                ..name.clone()
            })
        })?;
        let table = self.tables.get_mut(at).ok_or("its table is unknown")?;
        let column = sql.as_name().map(|name| name.last);
        let known = column.and_then(|column| (self.types)(table.table()?, &column));
        table.dimensions.push(Dimension {
            place: node.place(),
            name: name.clone(),
            about: about(node),
            kind: known
                .or(formatted(node))
                .unwrap_or_else(|| sql.shown_type()),
            sql,
        });
        if !path.is_empty() {
            self.joined.push((name, path));
        }
        Ok(())
    }

    /// The time dimension of the source that a text is, made where there is none.
    fn time(&mut self, place: crate::model::Place, text: &str) -> Result<String, String> {
        let is_dimension = |table: &Table| table.dimension(text).is_some();
        let name = match self.tables.first().is_some_and(is_dimension) {
            true => text.to_owned(),
            false => {
                let name = self.sql(text)?.as_name();
                let name = name.filter(|name| name.path.is_empty());
                name.ok_or("its time is more than a column of the source")?
                    .last
            }
        };
        let table = self.tables.first_mut().ok_or("its table is unknown")?;
        let is_it = |one: &&mut Dimension| {
            one.name == name || one.sql.as_name().is_some_and(|column| column.last == name)
        };
        if let Some(one) = table.dimensions.iter_mut().find(is_it) {
            if !one.kind.is_time() {
                one.kind = DimensionType::Date;
            }
            return Ok(one.name.clone());
        }
        let known = table.table().and_then(|table| (self.types)(table, &name));
        table.dimensions.push(Dimension {
            place,
            name: name.clone(),
            about: About::default(),
            sql: Sql::name(&Name::own(Kind::Column, &name)),
            kind: known
                .filter(|kind| kind.is_time())
                .unwrap_or(DimensionType::Date),
        });
        Ok(name)
    }

    /// A joined table has the key that its join lands on.
    fn keys(&mut self) {
        let joins: Vec<Join> = self
            .tables
            .iter()
            .flat_map(|table| table.joins.clone())
            .collect();
        for join in joins {
            let mut tables = self.tables.iter_mut();
            if let Some(table) = tables.find(|table| table.name == join.to) {
                table.key = join.on.into_iter().map(|(_, there)| there).collect();
            }
        }
    }

    fn measure(&mut self, node: &Node) -> Result<Measure, String> {
        let name = name_of(node);
        let full = format!("{}.{name}", self.name);
        self.notes.unread(node, &MEMBER_KEYS, &full);
        let text = node.text_of("expr").ok_or("it has no expression")?;
        let sql = self.sql(&text)?.unwrapped_calls("measure");
        let windows = node.items_of("window");
        let mut measure = Measure::new(node.place(), name, Computed::Sql(sql.clone()));
        measure.about = about(node);
        let word = |node: &Node, key: &str| node.text_of(key).unwrap_or_default();
        let Some(first) = windows.first() else {
            return Ok(measure);
        };
        let order = word(first, "order");
        let mut cut = self.truncated.iter();
        let cut = cut.find(|(name, ..)| *name == order).cloned();
        let time = match &cut {
            Some((_, time, _)) => time.clone(),
            None => self.time(node.place(), &order)?,
        };
        // The first time there is, is the default one.
        let dimensions = self.tables.first().map(|table| table.dimensions.as_slice());
        let mut times = dimensions
            .unwrap_or_default()
            .iter()
            .filter(|one| one.kind.is_time());
        if times.next().is_some_and(|first| first.name != time) {
            measure.time = Some(Name::own(Kind::Member, &time));
        }
        let (range, offset) = (word(first, "range"), word(first, "offset"));
        let range: Vec<&str> = range.split_whitespace().collect();
        let of = Box::new(Computed::Sql(sql.clone()));
        measure.computed = match (windows.as_slice(), range.as_slice(), offset.as_str()) {
            ([_], ["current"], "") => {
                let take = match word(first, "semiadditive").as_str() {
                    "first" => Take::First,
                    _ => Take::Last,
                };
                measure.over_time = Some((take, Name::own(Kind::Member, &time)));
                measure.time = None;
                return Ok(measure);
            }
            ([_], ["current"], offset) => {
                let back = offset.strip_prefix('-').and_then(length);
                let (n, grain) = back.ok_or_else(|| format!("its window is moved by {offset}"))?;
                measure.time = None;
                Computed::Shifted(sql, Offset::Ago(n, grain), "ago")
            }
            (_, _, offset) if !offset.is_empty() => {
                return Err("its window is moved".to_owned());
            }
            ([_], ["cumulative"], _) => Computed::Cumulative(of, Window::AllTime),
            ([_], ["trailing", n, unit, "inclusive"], _) => {
                let (n, grain) =
                    length(&format!("{n} {unit}")).ok_or("its window has no length")?;
                Computed::Cumulative(of, Window::Trailing(n, grain))
            }
            ([_], ["trailing", ..], _) => {
                return Err(
                    "its window ends before the period; here it ends with it (inclusive)"
                        .to_owned(),
                );
            }
            ([_, other], ["cumulative"], _) if word(other, "range") == "current" => {
                let order = word(other, "order");
                let mut cut = self.truncated.iter();
                let cut = cut.find(|(name, ..)| *name == order);
                let (.., grain) =
                    cut.ok_or_else(|| format!("{order} is no time cut to a grain"))?;
                Computed::Cumulative(of, Window::ToDate(*grain))
            }
            _ => return Err(format!("its window is {}", range.join(" "))),
        };
        Ok(measure)
    }
}

/// `DATE_TRUNC('month', x)`: the grain, and x.
fn truncated(node: &Node) -> Option<(Grain, String)> {
    let text = node.text_of("expr")?;
    let lower = text.to_lowercase();
    let inner = lower.strip_prefix("date_trunc(")?.strip_suffix(')')?;
    let (grain, _) = inner.split_once(',')?;
    let grain = Grain::from_word(grain.trim().trim_matches(['\'', '"']))?;
    let (_, time) = text.split_once(',')?;
    Some((grain, time.trim().trim_end_matches(')').to_owned()))
}

/// The times that a dimension is shown as.
fn formatted(node: &Node) -> Option<DimensionType> {
    let format = node.get("format")?;
    match format.text_of("type")?.as_str() {
        "date" => Some(DimensionType::Date),
        "date_time" => Some(DimensionType::Time),
        "number" | "percentage" | "currency" | "byte" => Some(DimensionType::Number),
        _ => None,
    }
}

fn about(node: &Node) -> About {
    let mut about = About {
        label: node.text_of("display_name"),
        description: node.text_of("comment"),
        synonyms: source::texts(&node.items_of("synonyms")),
        ..About::default()
    };
    if let Some(format) = node.get("format") {
        match format.text_of("type").as_deref() {
            Some("percentage") => about.format.kind = FormatKind::Percent,
            Some("currency") => about.format.kind = FormatKind::Currency,
            _ => {}
        }
        about.format.currency = format.text_of("currency_code");
        let places = format.path(&["decimal_places", "places"]);
        about.format.decimals = places.and_then(Look::text).and_then(|n| n.parse().ok());
    }
    about
}
