//! Views as tables, with their refinements and what they extend; the joins of explores are joins of their views.

use std::path::Path;

use indexmap::IndexMap;

use super::resolve::{all, name_of, resolved};
use super::{THIS, filter, parse};
use crate::exchange::source::{self, Look};
use crate::exchange::tables::{
    About, Computed, Dimension, Explores, Joined, Kind, Measure, Name, Sql, Table, Tables, of_code,
    template,
};
use crate::exchange::{ColumnTypes, ExchangeError, Import, Notes};
use crate::model::{Aggregate, DimensionType, FormatKind, Grain, Offset, Relation};
use crate::registry::yaml::Node;

const VIEW_KEYS: [&str; 12] = [
    "name",
    "label",
    "view_label",
    "description",
    "extends",
    "extends__all",
    "extension",
    "sql_table_name",
    "derived_table",
    "dimension",
    "dimension_group",
    "measure",
];
const FIELD_KEYS: [&str; 23] = [
    "name",
    "type",
    "sql",
    "label",
    "description",
    "hidden",
    "primary_key",
    "value_format",
    "value_format_name",
    "timeframes",
    "datatype",
    "convert_tz",
    "case",
    "filters",
    "percentile",
    "synonyms",
    "based_on",
    "based_on_time",
    "period",
    "kind",
    "group_label",
    "group_item_label",
    "view_label",
];
const EXPLORE_KEYS: [&str; 11] = [
    "name",
    "extends",
    "extends__all",
    "from",
    "view_name",
    "join",
    "label",
    "description",
    "group_label",
    "hidden",
    "view_label",
];
const JOIN_KEYS: [&str; 9] = [
    "name",
    "from",
    "type",
    "relationship",
    "sql_on",
    "foreign_key",
    "view_label",
    "fields",
    "required_joins",
];

/// Reads the views and explores of a file (or of the files below a folder) as a project of metrex.
///
/// # Errors
/// Nothing can be read there, or there is no view in it.
pub fn import(path: &Path, types: &ColumnTypes) -> Result<Import, ExchangeError> {
    let mut notes = Notes::default();
    let files = source::read_as(path, &[".lkml", ".lookml"], &mut notes, |file, text| {
        parse::parse(file, text).map(|node| vec![node])
    })?;
    let views = resolved(&files, "view", &mut notes);
    let explores = resolved(&files, "explore", &mut notes);
    if views.is_empty() {
        return Err(ExchangeError::Nothing {
            path: path.display().to_string(),
            wanted: "views of LookML",
        });
    }
    let mut reader = Reader {
        views: &views,
        notes,
        explores: Explores::default(),
    };
    let explores = explores.values();
    let explores: Vec<&Node> = explores
        .filter(|one| one.get("extension").is_none())
        .collect();
    for explore in &explores {
        reader.note_explore(explore);
    }
    // A join is called as the explore of its own view calls it.
    for is_direct in [true, false] {
        for explore in &explores {
            reader.explore(explore, is_direct);
        }
    }
    let mut tables = Tables::default();
    for (name, view) in &views {
        tables.tables.extend(reader.table(name, view));
    }
    std::mem::take(&mut reader.explores).put(&mut tables);
    Ok(tables.import(types, reader.notes))
}

fn is_yes(node: &Node, key: &str) -> bool {
    node.text_of(key).as_deref() == Some("yes")
}

struct Reader<'a> {
    views: &'a IndexMap<String, Node>,
    notes: Notes,
    explores: Explores,
}

impl<'a> Reader<'a> {
    fn fields(&self, view: &str, key: &str) -> Vec<&'a Node> {
        let view = self.views.get(view);
        view.map(|view| all(view, key)).unwrap_or_default()
    }

    fn leave_out(&mut self, of: &str, what: &str, node: &Node, reason: &str) {
        let text = format!("{of}: the {what} {} is left out: {reason}", name_of(node));
        self.notes.add(node.place(), text);
    }

    fn note_explore(&mut self, explore: &Node) {
        let name = name_of(explore);
        self.notes.unread(explore, &EXPLORE_KEYS, &name);
        for join in all(explore, "join") {
            let full = format!("{name}.{}", name_of(join));
            self.notes.unread(join, &JOIN_KEYS, &full);
            if let Some(kind) = join.text_of("type").filter(|kind| kind != "left_outer") {
                let text = format!("{full}: it is joined {kind} there, and left_outer here");
                self.notes.add(join.place(), text);
            }
        }
    }

    fn explore(&mut self, explore: &'a Node, is_direct: bool) {
        let name = name_of(explore);
        let base = explore
            .text_of("view_name")
            .or_else(|| explore.text_of("from"));
        let base = base.unwrap_or_else(|| name.clone());
        if !self.views.contains_key(&base) {
            let text = format!("the explore {name} is left out: there is no view {base}");
            self.notes.add(explore.place(), text);
            return;
        }
        for join in all(explore, "join") {
            if let Err(reason) = self.join(&name, &base, join, is_direct) {
                self.leave_out(&name, "join", join, &reason);
            }
        }
    }

    fn join(
        &mut self,
        explore: &str,
        base: &str,
        node: &Node,
        is_direct: bool,
    ) -> Result<(), String> {
        let alias = name_of(node);
        let to = node.text_of("from").unwrap_or_else(|| alias.clone());
        if !self.views.contains_key(&to) {
            return Err(format!("there is no view {to}"));
        }
        let text = match (node.text_of("sql_on"), node.text_of("foreign_key")) {
            (Some(text), _) => text,
            (None, Some(key)) => {
                let fields = self.fields(&to, "dimension");
                let primary = fields
                    .into_iter()
                    .find(|field| is_yes(field, "primary_key"));
                let primary = primary.ok_or_else(|| format!("{to} has no primary key"))?;
                format!("${{{key}}} = ${{{alias}.{}}}", name_of(primary))
            }
            (None, None) => return Err("it has no condition".to_owned()),
        };
        let text = self.timeframes(base, &text)?;
        // The explore's own view may stand under the name of the explore.
        let text = text.replace(&format!("${{{explore}."), &format!("${{{base}."));
        let is_table = |word: &str| word == alias || self.is_table(base, word);
        let sql = Sql::read(&template(&text, (THIS, base), is_table)?, Kind::Column)?;
        let is_many = match node.text_of("relationship").as_deref() {
            None | Some("many_to_one" | "one_to_one") => false,
            Some("one_to_many") => true,
            Some(other) => return Err(format!("it is {other}")),
        };
        let joined = Joined {
            place: node.place(),
            base,
            alias: &alias,
            to: &to,
            condition: &sql,
            is_many,
        };
        match joined.is_direct() == is_direct {
            true => self.explores.add(&joined),
            false => Ok(()),
        }
    }

    fn is_table(&self, base: &str, word: &str) -> bool {
        self.views.contains_key(word) || self.explores.path(base, word).is_some()
    }

    /// What a dimension group is: a date, or a time.
    fn group(&self, view: &str, name: &str) -> Option<DimensionType> {
        let groups = self.fields(view, "dimension_group");
        let group = groups.into_iter().find(|group| name_of(group) == name)?;
        Some(group_type(group))
    }

    /// SQL with `created_raw` as `created`, and `created_date` as the day of it.
    fn timeframes(&self, view: &str, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let (inner, next) = after.split_once('}').ok_or("a brace is not closed")?;
            let (of, field) = inner.rsplit_once('.').unwrap_or(("", inner));
            let table = match self.explores.path(view, of) {
                Some(path) => self.explores.end(view, &path).unwrap_or_default(),
                None if of.is_empty() || of == THIS => view.to_owned(),
                None => of.to_owned(),
            };
            let found = field.rsplit_once('_').and_then(|(group, frame)| {
                let kind = self.group(&table, group.trim())?;
                let of = if of.is_empty() {
                    String::new()
                } else {
                    format!("{of}.")
                };
                Some((format!("${{{of}{}}}", group.trim()), frame.trim(), kind))
            });
            match found {
                None => out.push_str(&format!("${{{inner}}}")),
                Some((word, "raw" | "time", _)) => out.push_str(&word),
                Some((word, "date", DimensionType::Date)) => out.push_str(&word),
                Some((word, "date", _)) => out.push_str(&format!("CAST({word} AS DATE)")),
                Some((_, frame, _)) => return Err(format!("it reads a time by {frame}")),
            }
            rest = next;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn sql(&self, view: &str, text: &str) -> Result<Sql, String> {
        if text.contains("{%") || text.contains("{{") {
            return Err("its SQL is a template of Liquid".to_owned());
        }
        let text = self.timeframes(view, text)?;
        let is_table = |word: &str| self.is_table(view, word);
        let sql = Sql::read(&template(&text, (THIS, view), is_table)?, Kind::Column)?;
        self.explores.resolved(view, &sql)
    }

    fn relation(&mut self, view: &str, node: &Node) -> Option<Relation> {
        let derived = node.get("derived_table");
        if let Some(derived) = derived.filter(|derived| derived.get("sql").is_some()) {
            self.notes.unread(derived, &["sql"], view);
        }
        let sql = derived.map(|derived| derived.text_of("sql").unwrap_or_default());
        let table = node.get("sql_table_name").and_then(Look::text);
        let text = match (&sql, table) {
            (Some(sql), _) => sql.as_str(),
            (None, Some(table)) => table.trim(),
            (None, None) => view,
        };
        if text.is_empty()
            || ["{%", "{{", "${", "@{"]
                .iter()
                .any(|mark| text.contains(mark))
        {
            let text = format!("the view {view} is left out: its table is made by Looker");
            self.notes.add(node.place(), text);
            return None;
        }
        if sql.is_some() {
            return Some(Relation::Sql(text.trim_end_matches(';').to_owned()));
        }
        let table = text.replace(['"', '`', '[', ']'], "");
        let parts: Vec<&str> = table.split('.').collect();
        Some(Relation::Table(match parts.as_slice() {
            [database, schema, table] => {
                let text =
                    format!("{view}: the database {database} is that of the connection here");
                self.notes.add(node.place(), text);
                format!("{schema}.{table}")
            }
            _ => table,
        }))
    }

    fn table(&mut self, name: &str, node: &'a Node) -> Option<Table> {
        if node.get("extension").is_some() {
            return None;
        }
        self.notes.unread(node, &VIEW_KEYS, name);
        let relation = self.relation(name, node)?;
        let mut table = Table::new(node.place(), name.to_owned(), relation);
        table.about.label = node.text_of("label");
        for key in ["dimension", "dimension_group"] {
            for field in self.fields(name, key) {
                match self.dimension(name, field, key == "dimension_group") {
                    Ok(dimension) => {
                        if is_yes(field, "primary_key") {
                            // What tells rows apart when put together does so side by side, too.
                            table.key = match dimension.sql.as_name() {
                                Some(_) => vec![Name::own(Kind::Member, &dimension.name)],
                                None => dimension.sql.names(),
                            };
                        }
                        self.note_field(name, field);
                        table.dimensions.push(dimension);
                    }
                    Err(reason) => self.leave_out(name, "dimension", field, &reason),
                }
            }
        }
        for field in self.fields(name, "measure") {
            match self.measure(name, field) {
                Ok(measure) => {
                    self.note_field(name, field);
                    table.measures.push(measure);
                }
                Err(reason) => self.leave_out(name, "measure", field, &reason),
            }
        }
        Some(table)
    }

    fn note_field(&mut self, view: &str, node: &Node) {
        let full = format!("{view}.{}", name_of(node));
        self.notes.unread(node, &FIELD_KEYS, &full);
        let code = node.get("value_format").and_then(Look::text);
        if let Some(code) = code.filter(|code| of_code(code).is_none()) {
            let text = format!("{full}: the format {code} is not carried over");
            self.notes.add(node.place(), text);
        }
        if is_yes(node, "hidden") {
            let text = format!("{full}: it is hidden there, and like all others here");
            self.notes.add(node.place(), text);
        }
    }

    fn dimension(&self, view: &str, node: &Node, is_group: bool) -> Result<Dimension, String> {
        let name = name_of(node);
        let kind = match node.text_of("type").as_deref() {
            None | Some("time") if is_group => group_type(node),
            None | Some("string" | "zipcode") => DimensionType::Text,
            Some("number") => DimensionType::Number,
            Some("yesno") => DimensionType::Boolean,
            Some("date") => DimensionType::Date,
            Some("date_time" | "time") => DimensionType::Time,
            Some(other) => return Err(format!("{other} has no counterpart")),
        };
        let sql = match node.get("case") {
            Some(case) => self.sql(view, &case_of(case)?)?,
            None => {
                let text = node
                    .text_of("sql")
                    .unwrap_or_else(|| format!("${{TABLE}}.{name}"));
                self.sql(view, &text)?
            }
        };
        Ok(Dimension {
            place: node.place(),
            about: about(node),
            name,
            sql,
            kind,
        })
    }

    fn measure(&self, view: &str, node: &Node) -> Result<Measure, String> {
        let name = name_of(node);
        let kind = node.text_of("type").unwrap_or_else(|| "string".to_owned());
        let sql = node
            .text_of("sql")
            .map(|text| self.sql(view, &text))
            .transpose()?;
        let agg = match kind.as_str() {
            "count" => Some(Aggregate::Count),
            "count_distinct" => Some(Aggregate::CountDistinct),
            "sum" => Some(Aggregate::Sum),
            "average" => Some(Aggregate::Avg),
            "min" => Some(Aggregate::Min),
            "max" => Some(Aggregate::Max),
            "median" => Some(Aggregate::Percentile(0.5)),
            "percentile" => {
                let share = node
                    .text_of("percentile")
                    .and_then(|text| text.parse().ok());
                let share: f64 = share.ok_or("its percentile is no number")?;
                Some(Aggregate::Percentile(share / 100.0))
            }
            "number" | "yesno" | "string" | "date" => None,
            "period_over_period" => return self.before(view, node),
            other => return Err(format!("{other} has no counterpart")),
        };
        let computed = match (agg, sql) {
            (Some(Aggregate::Count), None) => Computed::Aggregate(Aggregate::Count, None),
            (Some(agg), Some(sql)) => Computed::Aggregate(agg, Some(sql)),
            (None, Some(sql)) => Computed::Sql(sql),
            (_, None) => return Err("it has no SQL".to_owned()),
        };
        let mut measure = Measure::new(node.place(), name, computed);
        measure.about = about(node);
        for filters in all(node, "filters") {
            for one in filters.items() {
                let pairs = match (one.text_of("field"), one.text_of("value")) {
                    (Some(field), Some(value)) => vec![(field, value)],
                    _ => pairs(one),
                };
                for (field, value) in pairs {
                    measure
                        .filters
                        .extend(self.filter(view, &field, &value)?.conjuncts());
                }
            }
        }
        Ok(measure)
    }

    fn filter(&self, view: &str, field: &str, value: &str) -> Result<Sql, String> {
        let (of, last) = field.rsplit_once('.').unwrap_or((view, field));
        let path = self.explores.path(view, of);
        let table = path.and_then(|path| self.explores.end(view, &path));
        let table = table.unwrap_or_else(|| of.to_owned());
        let mut fields = self.fields(&table, "dimension").into_iter();
        let kind = match fields.find(|known| name_of(known) == last) {
            Some(known) => match known.text_of("type").as_deref() {
                Some("yesno") => DimensionType::Boolean,
                Some("number") => DimensionType::Number,
                Some("date" | "date_time" | "time") => DimensionType::Time,
                _ => DimensionType::Text,
            },
            None => match last.rsplit_once('_') {
                Some((group, _)) if self.group(&table, group).is_some() => DimensionType::Time,
                _ => return Err(format!("there is no dimension {field}")),
            },
        };
        self.sql(
            view,
            &filter::condition(&format!("${{{field}}}"), kind, value)?,
        )
    }

    /// A measure of the period before.
    fn before(&self, view: &str, node: &Node) -> Result<Measure, String> {
        let of = node.text_of("based_on").ok_or("it is based on nothing")?;
        let period = node.text_of("period").unwrap_or_default();
        let grain = match period.as_str() {
            "date" => Some(Grain::Day),
            word => Grain::from_word(word),
        };
        let grain = grain.ok_or_else(|| format!("its period is {period}"))?;
        if is_yes(node, "value_to_date") {
            return Err("it is of a period to date".to_owned());
        }
        let expr = match node.text_of("kind").as_deref() {
            None | Some("previous") => "ago",
            Some("difference") => "now - ago",
            Some("relative_change") => "now / ago - 1",
            Some(other) => return Err(format!("its kind is {other}")),
        };
        let sql = self.sql(view, &format!("${{{of}}}"))?;
        let computed = Computed::Shifted(sql, Offset::Ago(1, grain), expr);
        let mut measure = Measure::new(node.place(), name_of(node), computed);
        measure.about = about(node);
        Ok(measure)
    }
}

fn pairs(node: &Node) -> Vec<(String, String)> {
    let keys = node.keys().into_iter();
    let pairs = keys.filter_map(|(key, _)| Some((key.to_owned(), node.text_of(key)?)));
    pairs.collect()
}

fn group_type(group: &Node) -> DimensionType {
    match group.text_of("datatype").as_deref() {
        Some("date") => DimensionType::Date,
        _ => DimensionType::Time,
    }
}

/// `case: { when: { sql: … ;; label: "x" } else: "y" }`
fn case_of(case: &Node) -> Result<String, String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut text = "CASE".to_owned();
    for when in all(case, "when") {
        let condition = when.text_of("sql").ok_or("one of its cases has no SQL")?;
        let label = when
            .text_of("label")
            .ok_or("one of its cases has no label")?;
        text.push_str(&format!(" WHEN {condition} THEN {}", quoted(&label)));
    }
    if let Some(otherwise) = case.text_of("else") {
        text.push_str(&format!(" ELSE {}", quoted(&otherwise)));
    }
    Ok(text + " END")
}

fn about(node: &Node) -> About {
    let mut about = About {
        label: node.text_of("label"),
        description: node.text_of("description"),
        synonyms: source::texts(&node.items_of("synonyms")),
        ..About::default()
    };
    if let Some(format) = node
        .get("value_format")
        .and_then(Look::text)
        .and_then(of_code)
    {
        about.format = format;
    }
    let format = node.text_of("value_format_name").unwrap_or_default();
    let (word, digits) = format.split_once('_').unwrap_or((format.as_str(), ""));
    match word {
        "usd" | "eur" | "gbp" => {
            about.format.kind = FormatKind::Currency;
            about.format.currency = Some(word.to_uppercase());
            about.format.decimals = Some(digits.parse().unwrap_or(2));
        }
        "percent" => {
            about.format.kind = FormatKind::Percent;
            about.format.decimals = digits.parse().ok();
        }
        "decimal" => about.format.decimals = digits.parse().ok(),
        _ => {}
    }
    about
}
