//! Cubes as tables: members, joins in either direction, cubes that are another one in a role.

use std::path::Path;

use serde_json::Value;

use super::THIS;
use crate::exchange::source::{self, Look, length};
use crate::exchange::tables::{
    About, Computed, Dimension, Join, Kind, META, Measure, Name, Sql, Table, Tables, join_on,
    template,
};
use crate::exchange::{ColumnTypes, ExchangeError, Import, Notes};
use crate::model::{Aggregate, DimensionType, FormatKind, Grain, Offset, Relation, Window};
use crate::registry::yaml::Node;

/// Keys that are read, or say nothing about numbers.
const KEYS: [&str; 13] = [
    "name",
    "sql",
    "sql_table",
    "sql_alias",
    "extends",
    "title",
    "description",
    "public",
    "shown",
    "joins",
    "dimensions",
    "segments",
    "measures",
];
const DIMENSION_KEYS: [&str; 12] = [
    "name",
    "sql",
    "type",
    "title",
    "description",
    "public",
    "shown",
    "primary_key",
    "format",
    "currency",
    "meta",
    "case",
];
const MEASURE_KEYS: [&str; 14] = [
    "name",
    "sql",
    "type",
    "title",
    "description",
    "public",
    "shown",
    "filters",
    "format",
    "currency",
    "meta",
    "rolling_window",
    "time_shift",
    "multi_stage",
];

/// Reads the cubes of a file (or of the files below a folder) as a project of metrex.
///
/// # Errors
/// Nothing can be read there, or there is no cube in it.
pub fn import(path: &Path, types: &ColumnTypes) -> Result<Import, ExchangeError> {
    let mut notes = Notes::default();
    let documents = source::read(path, &mut notes)?;
    let cubes: Vec<&Node> = documents
        .iter()
        .flat_map(|document| document.items_of("cubes"))
        .filter(|cube| cube.text_of("name").is_some())
        .collect();
    if cubes.is_empty() {
        return Err(ExchangeError::Nothing {
            path: path.display().to_string(),
            wanted: "cubes",
        });
    }
    for view in documents.iter().flat_map(|one| one.items_of("views")) {
        let name = view.text_of("name").unwrap_or_default();
        let text = format!("the view {name} is left out: it chooses from what the cubes define");
        notes.add(view.place(), text);
    }
    let mut reader = Reader {
        cubes,
        notes,
        reversed: Vec::new(),
    };
    let mut tables = Tables::default();
    for cube in reader.cubes.clone() {
        if reader.role(cube).is_none()
            && let Some(table) = reader.table(cube)
        {
            tables.tables.push(table);
        }
    }
    for (other, join) in std::mem::take(&mut reader.reversed) {
        let table = tables.tables.iter_mut().find(|table| table.name == other);
        if let Some(table) = table
            && table.joins.iter().all(|known| known.to != join.to)
        {
            table.joins.push(join);
        }
    }
    Ok(tables.import(types, reader.notes))
}

struct Reader<'a> {
    cubes: Vec<&'a Node>,
    notes: Notes,
    /// Joins that were declared from the side of the one: the table they belong to.
    reversed: Vec<(String, Join)>,
}

fn name_of(node: &Node) -> String {
    node.text_of("name").unwrap_or_default()
}

impl<'a> Reader<'a> {
    fn cube(&self, name: &str) -> Option<&'a Node> {
        let mut cubes = self.cubes.iter();
        cubes.find(|cube| name_of(cube) == name).copied()
    }

    /// The cube that one is in another role, where it only extends it.
    fn role(&self, cube: &'a Node) -> Option<&'a Node> {
        let own = [
            "sql",
            "sql_table",
            "joins",
            "dimensions",
            "segments",
            "measures",
        ];
        if own.iter().any(|key| cube.get(key).is_some()) {
            return None;
        }
        let of = self.cube(&cube.text_of("extends")?)?;
        (of.place() != cube.place()).then(|| self.role(of).unwrap_or(of))
    }

    /// The members of a cube, after those of the cube that it extends.
    fn members(&self, cube: &'a Node, key: &str, depth: usize) -> Vec<&'a Node> {
        let own = cube.items_of(key);
        let extended = cube.text_of("extends").filter(|_| depth < 16);
        let Some(from) = extended.and_then(|name| self.cube(&name)) else {
            return own;
        };
        let mut all = self.members(from, key, depth + 1);
        all.retain(|member| own.iter().all(|one| name_of(one) != name_of(member)));
        all.extend(own);
        all
    }

    fn inherited(&self, cube: &'a Node, key: &str) -> Option<String> {
        let mut at = cube;
        for _ in 0..16 {
            if let Some(text) = at.text_of(key) {
                return Some(text);
            }
            at = self.cube(&at.text_of("extends")?)?;
        }
        None
    }

    fn table(&mut self, cube: &'a Node) -> Option<Table> {
        let name = name_of(cube);
        let relation = match (
            self.inherited(cube, "sql_table"),
            self.inherited(cube, "sql"),
        ) {
            (Some(table), _) => Relation::Table(table),
            (None, Some(sql)) => relation(&sql),
            (None, None) => Relation::Table(name.clone()),
        };
        if let Relation::Table(text) | Relation::Sql(text) = &relation
            && text.contains('{')
        {
            let text = format!("the cube {name} is left out: its SQL is a template");
            self.notes.add(cube.place(), text);
            return None;
        }
        self.notes.unread(cube, &KEYS, &name);
        let mut table = Table::new(cube.place(), name.clone(), relation);
        table.about = about(cube);
        for node in self.members(cube, "dimensions", 0) {
            let found = self.dimension(&name, node);
            self.note_private(&name, node, cube);
            match found {
                Ok(dimension) => {
                    let full = format!("{name}.{}", dimension.name);
                    self.notes.unread(node, &DIMENSION_KEYS, &full);
                    if node.is("primary_key") {
                        table.key.push(Name::own(Kind::Member, &dimension.name));
                    }
                    table.dimensions.push(dimension);
                }
                Err(reason) => self.leave_out(&name, "dimension", node, &reason),
            }
        }
        for node in self.members(cube, "segments", 0) {
            match self.sql(&name, node, "sql") {
                Ok(sql) => table.dimensions.push(Dimension {
                    place: node.place(),
                    name: name_of(node),
                    about: about(node),
                    sql,
                    kind: DimensionType::Boolean,
                }),
                Err(reason) => self.leave_out(&name, "segment", node, &reason),
            }
        }
        for node in self.members(cube, "joins", 0) {
            match self.join(&name, node) {
                Ok(Some(join)) => table.joins.push(join),
                Ok(None) => {}
                Err(reason) => self.leave_out(&name, "join", node, &reason),
            }
        }
        for node in self.members(cube, "measures", 0) {
            self.note_private(&name, node, cube);
            match self.measure(&name, node) {
                Ok(measure) => {
                    let full = format!("{name}.{}", measure.name);
                    self.notes.unread(node, &MEASURE_KEYS, &full);
                    table.measures.push(measure);
                }
                Err(reason) => self.leave_out(&name, "measure", node, &reason),
            }
        }
        Some(table)
    }

    fn leave_out(&mut self, cube: &str, what: &str, node: &Node, reason: &str) {
        let text = format!("{cube}: the {what} {} is left out: {reason}", name_of(node));
        self.notes.add(node.place(), text);
    }

    fn note_private(&mut self, name: &str, node: &Node, cube: &Node) {
        let is_private = ["public", "shown"]
            .into_iter()
            .any(|key| node.get(key).and_then(Look::text) == Some("false"));
        if is_private {
            let text =
                format!("{name}: members that are not public there are like all others here");
            self.notes.add(cube.place(), text);
        }
    }

    /// The SQL of a key.
    fn sql(&self, cube: &str, node: &Node, key: &str) -> Result<Sql, String> {
        let text = node.text_of(key).ok_or("it has no SQL")?;
        self.read(cube, &text)
    }

    fn read(&self, cube: &str, text: &str) -> Result<Sql, String> {
        let is_table = |word: &str| self.cube(word).is_some();
        Sql::read(&template(text, (THIS, cube), is_table)?, Kind::Column)
    }

    fn dimension(&self, cube: &str, node: &Node) -> Result<Dimension, String> {
        let kind = match node.text_of("type").as_deref() {
            Some("number") => DimensionType::Number,
            Some("boolean") => DimensionType::Boolean,
            Some("time") => match node.path(&["meta", "type"]).and_then(Look::text) {
                Some("date") => DimensionType::Date,
                _ => DimensionType::Time,
            },
            Some("string") | None => DimensionType::Text,
            Some(other) => return Err(format!("there is no type {other}")),
        };
        if node.is("sub_query") {
            return Err("it is a measure of each row".to_owned());
        }
        let sql = match node.get("case") {
            Some(case) => self.read(cube, &case_of(case)?)?,
            None => self.sql(cube, node, "sql")?,
        };
        Ok(Dimension {
            place: node.place(),
            name: name_of(node),
            about: about(node),
            sql: match kind.is_time() {
                true => sql.without_cast(),
                false => sql,
            },
            kind,
        })
    }

    fn join(&mut self, cube: &str, node: &'a Node) -> Result<Option<Join>, String> {
        let other = name_of(node);
        let target = self
            .cube(&other)
            .ok_or_else(|| format!("there is no cube {other}"))?;
        let to = self.role(target).map_or_else(|| other.clone(), name_of);
        let sql = self.sql(cube, node, "sql")?;
        let on = join_on(&sql, |name| name.path.first() == Some(&other))?;
        let (place, relationship) = (node.place(), node.text_of("relationship"));
        match relationship.as_deref() {
            Some(
                "many_to_one" | "belongs_to" | "belongsTo" | "one_to_one" | "has_one" | "hasOne",
            ) => Ok(Some(Join {
                place,
                name: other,
                to,
                on,
            })),
            Some("one_to_many" | "has_many" | "hasMany") => {
                let back = Join {
                    place,
                    name: cube.to_owned(),
                    to: cube.to_owned(),
                    on: on.into_iter().map(|(here, there)| (there, here)).collect(),
                };
                self.reversed.push((to, back));
                Ok(None)
            }
            _ => Err("it does not say how many rows it leads to".to_owned()),
        }
    }

    fn measure(&mut self, cube: &str, node: &Node) -> Result<Measure, String> {
        let kind = node.text_of("type").unwrap_or_default();
        for key in [
            "group_by",
            "reduce_by",
            "add_group_by",
            "grain",
            "filter",
            "order_by",
            "case",
            "mask",
        ] {
            if node.get(key).is_some() {
                return Err(format!("{key} has no counterpart"));
            }
        }
        let sql = match node.get("sql") {
            Some(_) => Some(self.sql(cube, node, "sql")?),
            None => None,
        };
        let agg = match kind.as_str() {
            "count" => Some(Aggregate::Count),
            "count_distinct" => Some(Aggregate::CountDistinct),
            "count_distinct_approx" => {
                let text = format!(
                    "{cube}.{}: an approximate count is exact here",
                    name_of(node)
                );
                self.notes.add(node.place(), text);
                Some(Aggregate::CountDistinct)
            }
            "sum" => Some(Aggregate::Sum),
            "avg" => Some(Aggregate::Avg),
            "min" => Some(Aggregate::Min),
            "max" => Some(Aggregate::Max),
            "number" | "number_agg" | "string" | "time" | "boolean" => None,
            other => return Err(format!("there is no type {other}")),
        };
        let mut computed = match (agg, sql.clone()) {
            (Some(agg), sql) if sql.is_some() || agg == Aggregate::Count => {
                Computed::Aggregate(agg, sql)
            }
            (None, Some(sql)) => Computed::Sql(sql),
            _ => return Err("it has no SQL".to_owned()),
        };
        if let Some(rolling) = node.get("rolling_window") {
            computed = Computed::Cumulative(Box::new(computed), window(rolling)?);
        }
        match (node.items_of("time_shift").as_slice(), sql) {
            ([], _) => {}
            ([shift], Some(sql)) => computed = Computed::Shifted(sql, ago(shift)?, "ago"),
            _ => return Err("it is shifted by each of several times".to_owned()),
        }
        let mut measure = Measure::new(node.place(), name_of(node), computed);
        measure.about = about(node);
        for filter in node.items_of("filters") {
            let sql = self.sql(cube, filter, "sql")?;
            measure.filters.extend(sql.conjuncts());
        }
        Ok(measure)
    }
}

/// `SELECT * FROM x` is the table x.
fn relation(sql: &str) -> Relation {
    let words: Vec<&str> = sql.split_whitespace().collect();
    match words.as_slice() {
        [select, "*", from, table]
            if select.eq_ignore_ascii_case("select")
                && from.eq_ignore_ascii_case("from")
                && table
                    .chars()
                    .all(|c| c.is_alphanumeric() || "_.;".contains(c)) =>
        {
            Relation::Table(table.trim_end_matches(';').to_owned())
        }
        _ => Relation::Sql(sql.trim().trim_end_matches(';').to_owned()),
    }
}

/// `percent_1`: a kind, and at most how many digits.
fn format_of(text: &str) -> Option<(FormatKind, Option<u8>)> {
    let (word, digits) = match text.rsplit_once('_') {
        Some((word, digits)) => (word, Some(digits.parse().ok()?)),
        None => (text, None),
    };
    let kind = match word {
        "number" => FormatKind::Number,
        "percent" => FormatKind::Percent,
        "currency" => FormatKind::Currency,
        _ => return None,
    };
    Some((kind, digits))
}

fn about(node: &Node) -> About {
    let mut about = About {
        label: node.text_of("title"),
        description: node.text_of("description"),
        ..About::default()
    };
    let format = node.text_of("format");
    if let Some((kind, digits)) = format.as_deref().and_then(format_of) {
        (about.format.kind, about.format.decimals) = (kind, digits);
    }
    about.format.currency = node.text_of("currency");
    if let Some(meta) = node.get("meta") {
        about.synonyms = source::texts(&meta.items_of("synonyms"));
        for key in META {
            let value = match meta.get(key) {
                Some(Node::List(_, items)) => {
                    let items: Vec<&Node> = items.iter().collect();
                    Value::from(source::texts(&items))
                }
                Some(node) => node.text().map(Value::from).unwrap_or_default(),
                None => Value::Null,
            };
            if !value.is_null() {
                about.meta.insert(key.to_owned(), value);
            }
        }
    }
    about
}

fn case_of(case: &Node) -> Result<String, String> {
    let quoted = |node: Option<&Node>| {
        let text = node
            .and_then(Look::text)
            .ok_or("a label of its cases is no text")?;
        Ok::<_, String>(format!("'{}'", text.replace('\'', "''")))
    };
    let mut text = "CASE".to_owned();
    for when in case.items_of("when") {
        let condition = when.text_of("sql").ok_or("one of its cases has no SQL")?;
        let label = quoted(when.get("label"))?;
        text.push_str(&format!(" WHEN {condition} THEN {label}"));
    }
    if let Some(otherwise) = case.get("else") {
        let label = quoted(otherwise.get("label"))?;
        text.push_str(&format!(" ELSE {label}"));
    }
    Ok(text + " END")
}

fn window(rolling: &Node) -> Result<Window, String> {
    let word = |key: &str| rolling.text_of(key);
    if word("type").as_deref() == Some("to_date") {
        let grain = word("granularity").and_then(|grain| Grain::from_word(&grain));
        return Ok(Window::ToDate(
            grain.ok_or("its window has no granularity")?,
        ));
    }
    if word("leading").is_some_and(|leading| leading != "0") {
        return Err("its window takes in what comes after".to_owned());
    }
    if word("offset").is_some_and(|offset| offset != "end") {
        return Err("its window ends where a period starts".to_owned());
    }
    match word("trailing").as_deref() {
        Some("unbounded") => Ok(Window::AllTime),
        Some(text) => {
            let (n, grain) = length(text).ok_or_else(|| format!("its window is {text}"))?;
            Ok(Window::Trailing(n, grain))
        }
        None => Err("its window has no length".to_owned()),
    }
}

fn ago(shift: &Node) -> Result<Offset, String> {
    let text = shift
        .text_of("interval")
        .ok_or("its shift is one of a calendar")?;
    let (n, grain) = length(&text).ok_or_else(|| format!("it is shifted by {text}"))?;
    match shift.text_of("type").as_deref() {
        Some("prior") => Ok(Offset::Ago(n, grain)),
        _ => Err("it is of a time to come".to_owned()),
    }
}
