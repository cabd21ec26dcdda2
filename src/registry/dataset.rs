//! Builds datasets: relation, key, time and dimensions.

use indexmap::IndexMap;

use super::calendar::time_zone;
use super::diagnostic::Sink;
use super::dialects::default_text;
use super::expression;
use super::measure::place_of;
use super::raw::{RawDataset, RawDimension, RawFormat};
use super::read::{Entry, Many, MapOr, Word};
use super::scope::Broken;
use super::value_aliases::value_aliases;
use super::words::{check_name, label, meaning, text, texts};
use super::yaml::Text;
use crate::model::{
    Dataset, Dimension, DimensionType, Expression, Format, FormatKind, Grain, Relation, Validity,
};

/// The dataset an entry describes, without its joins; `None` where too little of it is right.
pub(crate) fn dataset(
    entry: &Entry<RawDataset>,
    broken: &mut Broken,
    sink: &mut Sink,
) -> Option<Dataset> {
    let (name, raw) = (&entry.name, entry.value.as_ref()?);
    let in_dimensions: usize = raw.dimensions.0.iter().map(|part| part.errors).sum();
    let in_joins: usize = raw.joins.0.iter().map(|part| part.errors).sum();
    let own_errors = entry.errors - in_dimensions - in_joins;
    let before = sink.errors();
    check_name("dataset", name, sink);
    let relation = relation(name, raw, own_errors > 0, sink);
    for column in raw.key.0.iter().chain(&raw.partition) {
        check_column(column, sink);
    }
    let is_usable = own_errors == 0 && sink.errors() == before;
    let mut dimensions = IndexMap::new();
    for part in &raw.dimensions.0 {
        let before = sink.errors();
        let dimension = dimension(part, raw.time.as_ref(), sink);
        match dimension.filter(|_| part.errors == 0 && sink.errors() == before) {
            Some(dimension) => drop(dimensions.insert(part.name.value.clone(), dimension)),
            None => drop(
                broken
                    .parts
                    .insert((name.value.clone(), part.name.value.clone())),
            ),
        }
    }
    check_aliases(name, &mut dimensions, raw, sink);
    let time = raw
        .time
        .as_ref()
        .and_then(|time| time_dimension(time, name, &mut dimensions, broken, sink));
    let valid = validity(name, &raw.valid, sink);
    let stored_in = raw.stored_in.as_ref();
    let stored_in = stored_in.and_then(|zone| stored_in_zone(zone, &dimensions, sink));
    let is_incomplete = raw.time.is_some() && time.is_none()
        || !raw.valid.0.is_empty() && valid.is_none()
        || raw.stored_in.is_some() && stored_in.is_none();
    if is_incomplete || !is_usable {
        return None;
    }
    Some(Dataset {
        name: name.value.clone(),
        place: name.place,
        label: raw
            .label
            .as_ref()
            .map_or_else(|| name.value.clone(), |text| text.value.clone()),
        description: text(raw.description.as_ref()),
        relation: relation?,
        dialects: Vec::new(),
        key: texts(&raw.key),
        time,
        dimensions,
        joins: IndexMap::new(),
        entity: raw.entity.as_ref().map(|entity| entity.value.clone()),
        valid,
        partition: raw.partition.as_ref().map(|column| column.value.clone()),
        stored_in,
    })
}

fn relation(name: &Text, raw: &RawDataset, is_flawed: bool, sink: &mut Sink) -> Option<Relation> {
    match (&raw.table, &raw.sql) {
        (Some(table), None) => table
            .value
            .split('.')
            .all(|part| !part.trim().is_empty())
            .then(|| Relation::Table(table.value.clone()))
            .or_else(|| {
                let message = format!("'{}' is not a table name", table.value);
                sink.error(
                    "invalid_value",
                    table.place,
                    &table.value,
                    message,
                    Some("write table or schema.table".to_owned()),
                );
                None
            }),
        (None, Some(sql)) => {
            expression::check_select(sql, sink);
            Some(Relation::Sql(sql.value.clone()))
        }
        (Some(_), Some(sql)) => {
            sink.error(
                "invalid_value",
                sql.place,
                &sql.value,
                "a dataset has either a table or sql, not both",
                None,
            );
            None
        }
        (None, None) => {
            if !is_flawed {
                let message = format!("dataset '{}' needs a table (or sql)", name.value);
                sink.error(
                    "missing_key",
                    name.place,
                    &name.value,
                    message,
                    Some("add table: with its name".to_owned()),
                );
            }
            None
        }
    }
}

/// The columns between which a row holds.
fn validity(dataset: &Text, columns: &Many<Text>, sink: &mut Sink) -> Option<Validity> {
    let first = columns.0.first()?;
    let [from, to] = columns.0.as_slice() else {
        let message = format!(
            "the rows of {} hold from one column to another",
            dataset.value
        );
        let hint = Some("write valid: [from_date, to_date]".to_owned());
        sink.error("invalid_value", first.place, &first.value, message, hint);
        return None;
    };
    let before = sink.errors();
    check_column(from, sink);
    check_column(to, sink);
    if from.value == to.value {
        let message = "a row cannot hold from and to the same column";
        sink.error(
            "invalid_value",
            to.place,
            &to.value,
            message,
            Some("write valid: [from_column, to_column]".to_owned()),
        );
    }
    (sink.errors() == before).then(|| Validity {
        place: from.place,
        from: from.value.clone(),
        to: to.value.clone(),
    })
}

/// The zone that the times of a dataset are stored in.
fn stored_in_zone(
    zone: &Text,
    dimensions: &IndexMap<String, Dimension>,
    sink: &mut Sink,
) -> Option<String> {
    let zone_name = time_zone(zone, sink)?;
    if dimensions
        .values()
        .all(|dimension| dimension.kind != DimensionType::Time)
    {
        let message = "stored_in has no effect: no dimension here is of type time";
        let hint = Some("give the dataset a time, or leave stored_in out".to_owned());
        sink.error("time", zone.place, &zone.value, message, hint);
        return None;
    }
    Some(zone_name)
}

/// Reports what cannot be a column.
pub(crate) fn check_column(column: &Text, sink: &mut Sink) {
    if column.value.trim().is_empty() || column.value.contains(['(', ')', '\'', ';']) {
        let message = format!("'{}' is not a column name", column.value);
        sink.error(
            "invalid_value",
            column.place,
            &column.value,
            message,
            Some("use expr for SQL".to_owned()),
        );
    }
}

fn dimension(
    entry: &Entry<RawDimension>,
    time: Option<&Text>,
    sink: &mut Sink,
) -> Option<Dimension> {
    let (name, raw) = (&entry.name, entry.value.as_ref()?);
    check_name("dimension", name, sink);
    if Grain::from_word(&name.value).is_some() {
        let message = format!("'{}' is also a time grain", name.value);
        let hint = format!(
            "in a query, write \"{}\" in double quotes to mean this dimension",
            name.value
        );
        sink.warning("invalid_name", name.place, &name.value, message, Some(hint));
    }
    let of_metric = match &raw.metric {
        Some(text) => Some(super::of_metric::read(text, raw, sink)?),
        None => None,
    };
    let (column, expr) = match (&raw.column, &raw.expr) {
        _ if raw.metric.is_some() => (None, expression_of(raw.metric.as_ref()?)),
        (Some(column), Some(expr)) => {
            sink.error(
                "invalid_value",
                place_of(expr).unwrap_or(column.place),
                "expr",
                "a dimension has either a column or an expr, not both",
                None,
            );
            return None;
        }
        (None, Some(raw)) => {
            let expr = default_text(raw, sink)?;
            check_own(expr, sink)?;
            let mut dialects = Vec::new();
            for (word, text) in super::dialects::dialects(raw) {
                check_own(text, sink)?;
                dialects.push((word.to_owned(), text.value.trim_end().to_owned()));
            }
            let expression = expression_of(expr);
            (
                None,
                Expression {
                    dialects,
                    ..expression
                },
            )
        }
        (column, None) => {
            let column = column.as_ref().unwrap_or(name);
            check_column(column, sink);
            (Some(column.value.clone()), expression_of(column))
        }
    };
    let is_time = time.is_some_and(|time| time.value == name.value);
    let pii = raw.pii.is_some_and(|pii| pii.value);
    Some(Dimension {
        name: name.value.clone(),
        place: name.place,
        expr,
        column,
        label: raw
            .label
            .as_ref()
            .map_or_else(|| label(&name.value), |text| text.value.clone()),
        description: text(raw.description.as_ref()),
        aliases: raw
            .aliases
            .0
            .iter()
            .chain(&raw.synonyms.0)
            .map(|text| text.value.clone())
            .collect(),
        kind: match raw.r#type {
            Some(word) => word.value,
            None if of_metric.is_some() => DimensionType::Number,
            None if is_time => DimensionType::Time,
            None => DimensionType::default(),
        },
        time_grain: time_grain(raw, is_time, sink),
        pii,
        value_aliases: value_aliases(&raw.value_aliases, name, pii, sink),
        format: format(raw.format.as_ref(), None),
        of_metric,
    })
}

/// The grain of a time dimension.
fn time_grain(raw: &RawDimension, is_time: bool, sink: &mut Sink) -> Option<Grain> {
    let word = raw.time_grain?;
    let is_time = raw.r#type.map_or(is_time, |kind| kind.value.is_time());
    if !is_time {
        let message = "time_grain has no effect: this dimension is no time";
        let hint = Some("say type: date or type: time, or leave time_grain out".to_owned());
        sink.error("time", word.place, "time_grain", message, hint);
    }
    Some(word.value)
}

/// The expression of a dimension, which names only columns of its own dataset.
fn check_own(expr: &Text, sink: &mut Sink) -> Option<()> {
    let names = expression::over_rows(expr, sink)?;
    if let Some(joined) = names.iter().find(|name| name.path.len() > 1) {
        let (found, place) = (joined.path.join("."), sink.inside(expr, joined.offset));
        let message = format!("'{found}': a dimension is made of its own dataset's columns");
        let hint = "declare it in the dataset it belongs to; queries reach it over the join";
        sink.error("expression", place, &found, message, Some(hint.to_owned()));
    }
    Some(())
}

/// The expression a text is.
pub(crate) fn expression_of(text: &Text) -> Expression {
    Expression {
        text: text.value.trim_end().to_owned(),
        place: text.place,
        dialects: Vec::new(),
    }
}

/// The display format of a definition, with the short form of its unit.
pub(crate) fn format(
    raw: Option<&MapOr<RawFormat, Word<FormatKind>>>,
    unit: Option<&Text>,
) -> Format {
    let unit = unit.map(|unit| unit.value.clone());
    match raw {
        None => Format {
            unit,
            ..Format::default()
        },
        Some(MapOr::Short(word)) => Format {
            kind: word.value,
            unit,
            ..Format::default()
        },
        Some(MapOr::Map(raw)) => Format {
            kind: match (raw.kind, &raw.currency) {
                (Some(word), _) => word.value,
                (None, Some(_)) => FormatKind::Currency,
                (None, None) => FormatKind::default(),
            },
            decimals: raw.decimals.map(|decimals| decimals.value),
            currency: raw.currency.as_ref().map(|text| text.value.clone()),
            unit: raw.unit.as_ref().map(|text| text.value.clone()).or(unit),
        },
    }
}

/// A name or alias means one dimension of a dataset.
fn check_aliases(
    dataset: &Text,
    dimensions: &mut IndexMap<String, Dimension>,
    raw: &RawDataset,
    sink: &mut Sink,
) {
    let mut taken: Vec<(String, &Text)> = Vec::new();
    for entry in &raw.dimensions.0 {
        let name = entry.name.value.to_lowercase();
        if let Some((_, first)) = taken.iter().find(|(known, _)| *known == name) {
            let message = format!(
                "'{}' and '{}' (line {}) differ only in case",
                entry.name.value, first.value, first.place.line
            );
            sink.error(
                "duplicate_name",
                entry.name.place,
                &entry.name.value,
                message,
                Some("rename one of the two".to_owned()),
            );
        }
        taken.push((name, &entry.name));
    }
    let mut aliases: Vec<(String, &Text)> = Vec::new();
    for entry in &raw.dimensions.0 {
        let Some(raw) = &entry.value else { continue };
        for alias in raw.aliases.0.iter().chain(&raw.synonyms.0) {
            let word = alias.value.to_lowercase();
            let clash = taken
                .iter()
                .chain(&aliases)
                .find(|(known, _)| *known == word);
            if let Some((_, other)) = clash.filter(|(_, other)| other.place != entry.name.place) {
                let meaning = meaning(&alias.value, &other.value, "dimension");
                let line = other.place.line;
                let message = format!(
                    "in {}, '{}' {meaning} (line {line})",
                    dataset.value, alias.value
                );
                sink.error("alias_clash", alias.place, &alias.value, message, None);
                if let Some(dimension) = dimensions.get_mut(&entry.name.value) {
                    dimension.aliases.retain(|known| *known != alias.value);
                }
            } else {
                aliases.push((word, &entry.name));
            }
        }
    }
}

/// The dimension that `time:` names; a column of that name where none is declared.
fn time_dimension(
    time: &Text,
    dataset: &Text,
    dimensions: &mut IndexMap<String, Dimension>,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<String> {
    if broken
        .parts
        .contains(&(dataset.value.clone(), time.value.clone()))
    {
        let message = format!("depends on '{}', which has an error", time.value);
        sink.error("dependency", time.place, &time.value, message, None);
        return None;
    }
    match dimensions.get(&time.value) {
        Some(dimension) if dimension.kind.is_time() => {}
        Some(_) => {
            let message = format!(
                "the time of {} must be of type time or date; '{}' is not",
                dataset.value, time.value
            );
            sink.error(
                "time",
                time.place,
                &time.value,
                message,
                Some("write {type: time} or {type: date} at the dimension".to_owned()),
            );
            return None;
        }
        None => {
            let before = sink.errors();
            check_name("dimension", time, sink);
            if sink.errors() > before {
                return None;
            }
            let dimension = Dimension {
                name: time.value.clone(),
                place: time.place,
                expr: expression_of(time),
                column: Some(time.value.clone()),
                of_metric: None,
                label: label(&time.value),
                description: String::new(),
                aliases: Vec::new(),
                kind: DimensionType::Time,
                time_grain: None,
                pii: false,
                value_aliases: IndexMap::new(),
                format: Format::default(),
            };
            dimensions.insert(time.value.clone(), dimension);
        }
    }
    Some(time.value.clone())
}
