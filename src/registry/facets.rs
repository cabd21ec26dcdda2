//! Facets: what the header of a snippet says can be asked of it, read into a dataset over its rows and a source on that.
//!
//! The block stands in comments and is read as YAML in its place: everything around it becomes spaces, so that every
//! position is one in the file.

use indexmap::IndexMap;

use super::ProjectFile;
use super::dataset::{check_column, dataset, expression_of};
use super::diagnostic::{Sink, did_you_mean};
use super::measure;
use super::raw::{RawDataset, RawFacetValue, RawFacets, RawHeader, RawMeasure, RawMetric};
use super::read::{Entry, MapOr, Read};
use super::scope::{Broken, Scope};
use super::words::label;
use super::yaml::{self, Text};
use crate::model::{
    Dataset, Dimension, DimensionType, Expression, Facets, FileId, Format, Grain, GroupBy, Place,
    Snippet,
};

/// Reads the facets of one snippet; its dataset is added to the others.
pub(crate) fn facets(
    snippet: &Snippet,
    file: &ProjectFile,
    datasets: &mut IndexMap<String, Dataset>,
    sink: &mut Sink,
) -> Option<Facets> {
    let before = sink.errors();
    let file_id = snippet.place.file;
    let block = block(file_id, &file.text, sink)?;
    let raw = read(file_id, &block, sink)?;
    let place = block.place;
    let stem = snippet
        .name
        .rsplit_once('.')
        .map_or(snippet.name.as_str(), |(stem, _)| stem);
    let name = Text::at(stem.to_owned(), place);
    if let Some(other) = datasets
        .values()
        .find(|other| other.name.eq_ignore_ascii_case(stem))
    {
        let message = format!(
            "the rows of {} would be called '{stem}', like the dataset at {}",
            snippet.name,
            sink.at(other.place)
        );
        sink.error(
            "duplicate_name",
            place,
            stem,
            message,
            Some("rename the snippet".to_owned()),
        );
        return None;
    }
    let (rows, grain) = rows(&name, &raw, file, block.sql, sink)?;
    let broken = Broken::default();
    let only = IndexMap::from([(stem.to_owned(), rows)]);
    let scope = Scope {
        datasets: &only,
        broken: &broken,
        calendar: None,
    };
    let metric = metric(&name, &raw, sink)?;
    let source =
        measure::sources(&name, &metric, scope, sink).and_then(|all| all.into_iter().next());
    let rows = only.into_iter().next().map(|(_, rows)| rows)?;
    let per = per(&raw, &rows, grain, sink);
    (sink.errors() == before).then_some(())?;
    datasets.insert(stem.to_owned(), rows);
    Some(Facets {
        place,
        dataset: stem.to_owned(),
        source: source?,
        grain,
        per,
    })
}

/// The block of a header, as YAML with everything around it blanked out.
struct Block {
    yaml: String,
    place: Place,
    /// First and last byte of the SQL behind the header.
    sql: (usize, usize),
}

fn block(file: FileId, text: &str, sink: &mut Sink) -> Option<Block> {
    let mut yaml = String::new();
    let mut found: Option<(Place, usize)> = None;
    let mut is_open = true;
    let mut start = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let Some((indent, rest)) = comment(line) else {
            if line.trim().is_empty() {
                yaml.push('\n');
                start += line.len();
                continue;
            }
            break;
        };
        start += line.len();
        let word = rest.split('#').next().unwrap_or_default().trim_end();
        let belongs = match found {
            None => {
                let place = Place {
                    file,
                    line: u32::try_from(at + 1).unwrap_or(u32::MAX),
                    column: u32::try_from(indent + 1).unwrap_or(u32::MAX),
                };
                if word == "facets:" {
                    found = Some((place, indent));
                } else if let Some(near) = word.strip_suffix(':')
                    && !near.contains(' ')
                    && let Some(hint) = did_you_mean(near, ["facets"])
                {
                    let message = format!("'{near}' in a header means nothing");
                    sink.warning("unknown_key", place, near, message, Some(hint));
                }
                found.is_some()
            }
            Some((_, outer)) => {
                is_open &= indent > outer || word.is_empty();
                is_open
            }
        };
        if belongs && is_open {
            yaml.extend(std::iter::repeat_n(' ', indent));
            yaml.push_str(rest.trim_end());
        }
        yaml.push('\n');
    }
    let (place, _) = found?;
    let sql = without_end(text.get(start..).unwrap_or_default());
    Some(Block {
        yaml,
        place,
        sql: (start, start + sql.len()),
    })
}

/// A query without its semicolon and the remarks behind that, since it becomes a subquery.
fn without_end(sql: &str) -> &str {
    let is_remark = |line: &str| line.trim().is_empty() || line.trim_start().starts_with("--");
    let mut ends = sql
        .match_indices(';')
        .filter_map(|(at, _)| sql.split_at_checked(at));
    let end = ends.find(|(_, rest)| rest.trim_start_matches(';').lines().all(is_remark));
    end.map_or(sql, |(query, _)| query).trim_end()
}

/// How far the text of a comment line is indented, in characters, and the text; `None` for other lines.
fn comment(line: &str) -> Option<(usize, &str)> {
    let inner = line.trim_start().strip_prefix("--")?;
    let rest = inner.trim_start();
    let before = line.len() - rest.len();
    let indent = line
        .get(..before)
        .map_or(0, |before| before.chars().count());
    Some((indent, rest))
}

fn read(file: FileId, block: &Block, sink: &mut Sink) -> Option<RawFacets> {
    let before = sink.errors();
    match yaml::parse(file, &block.yaml) {
        Err(error) => {
            sink.error("yaml", error.place, "", error.message, None);
            None
        }
        Ok(node) => {
            let header = RawHeader::read(&node?, sink)?;
            let facets = header.facets.unwrap_or_default();
            (sink.errors() == before).then_some(facets)
        }
    }
}

/// The dataset of a snippet's rows, and how long one of them is in time.
fn rows(
    name: &Text,
    raw: &RawFacets,
    file: &ProjectFile,
    sql: (usize, usize),
    sink: &mut Sink,
) -> Option<(Dataset, Grain)> {
    let entry = Entry {
        name: name.clone(),
        value: Some(RawDataset {
            sql: Some(Text::slice(&file.text, sql, name.place.file)),
            label: Some(Text::at(format!("Rows of {}", file.path), name.place)),
            dimensions: raw.dimensions.clone(),
            ..RawDataset::default()
        }),
        errors: 0,
    };
    let before = sink.errors();
    let mut rows = dataset(&entry, &mut Broken::default(), sink)?;
    (sink.errors() == before).then_some(())?;
    let (column, grain) = match &raw.time {
        None => return Some((rows, Grain::Day)),
        Some(MapOr::Short(column)) => (column, Grain::Day),
        Some(MapOr::Map(time)) => {
            let Some(column) = &time.column else {
                let message = "the time of facets needs a column";
                sink.error(
                    "missing_key",
                    name.place,
                    "time",
                    message,
                    Some("write time: {column: month, grain: month}".to_owned()),
                );
                return None;
            };
            if let Some(word) = time.grain.filter(|word| word.value == Grain::Hour) {
                let message = "time ranges are whole days: rows may be per day or longer";
                sink.error(
                    "invalid_value",
                    word.place,
                    "hour",
                    message,
                    Some("write a grain from day on".to_owned()),
                );
                return None;
            }
            (column, time.grain.map_or(Grain::Day, |word| word.value))
        }
    };
    check_column(column, sink);
    if rows.dimension(&column.value).is_some() {
        let message = format!(
            "'{}' is the time of these rows and no dimension beside it",
            column.value
        );
        sink.error("duplicate_name", column.place, &column.value, message, None);
    }
    let is_day = grain == Grain::Day;
    // Rows per month often have their month as text, which only counts as a date when it is made one.
    let expr = if is_day {
        expression_of(column)
    } else {
        Expression {
            text: format!("CAST({} AS DATE)", column.value),
            place: column.place,
            dialects: Vec::new(),
        }
    };
    let time = Dimension {
        name: column.value.clone(),
        place: column.place,
        expr,
        of_metric: None,
        column: is_day.then(|| column.value.clone()),
        label: label(&column.value),
        description: String::new(),
        aliases: Vec::new(),
        kind: DimensionType::Date,
        time_grain: None,
        pii: false,
        format: Format::default(),
        value_aliases: Default::default(),
    };
    rows.time = Some(column.value.clone());
    rows.dimensions.insert(column.value.clone(), time);
    (sink.errors() == before).then_some((rows, grain))
}

/// The metric that the value of facets describes, on the dataset of its rows.
fn metric(name: &Text, raw: &RawFacets, sink: &mut Sink) -> Option<RawMetric> {
    let half = |value: &RawFacetValue| RawMeasure {
        agg: value.agg,
        percentile: value.percentile,
        percentile_type: value.percentile_type,
        expr: value.expr.clone(),
        filters: value.filters.clone(),
        ..RawMeasure::default()
    };
    let metric = RawMetric {
        base_table: Some(name.clone()),
        ..RawMetric::default()
    };
    match (&raw.value, &raw.numerator, &raw.denominator) {
        (Some(value), None, None) => Some(RawMetric {
            agg: value.agg,
            percentile: value.percentile,
            percentile_type: value.percentile_type,
            expr: value.expr.clone(),
            filters: value.filters.clone(),
            ..metric
        }),
        (None, Some(numerator), Some(denominator)) => Some(RawMetric {
            numerator: Some(MapOr::Map(half(numerator))),
            denominator: Some(MapOr::Map(half(denominator))),
            ..metric
        }),
        _ => {
            let message = "facets need a value, or a numerator and a denominator";
            let hint = Some("write value: {agg: sum, expr: the_column}".to_owned());
            sink.error("missing_key", name.place, "facets", message, hint);
            None
        }
    }
}

/// What the value does not add up over.
fn per(raw: &RawFacets, rows: &Dataset, grain: Grain, sink: &mut Sink) -> Vec<GroupBy> {
    let mut per = Vec::new();
    for text in &raw.per.0 {
        match text.value.parse::<GroupBy>() {
            Ok(GroupBy::Grain {
                grain: asked,
                of: None,
            }) if rows.time.is_none() || asked < grain => {
                let message = match rows.time {
                    None => "facets without a time have no periods".to_owned(),
                    Some(_) => format!("rows are per {grain}, so there is nothing per {asked}"),
                };
                sink.error("time", text.place, &text.value, message, None);
            }
            Ok(group @ GroupBy::Grain { of: None, .. }) => per.push(group),
            Ok(GroupBy::Dimension(name)) if let Some(dimension) = rows.dimension(&name) => {
                per.push(GroupBy::Dimension(dimension.name.clone()));
            }
            Ok(_) | Err(_) => {
                let message = format!("unknown dimension of these facets '{}'", text.value);
                let known = rows.dimensions.keys().map(String::as_str);
                let hint = did_you_mean(
                    &text.value,
                    known.chain(["day", "week", "month", "quarter", "year"]),
                );
                sink.error("unknown_dimension", text.place, &text.value, message, hint);
            }
        }
    }
    per
}
