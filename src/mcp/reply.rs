//! Replies about rows: what was asked, as which SQL and for which days, and the first rows of the answer.

use std::borrow::Cow;

use arrow_array::RecordBatch;
use jiff::ToSpan;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::error::clean;
use crate::compile::{Compiled, OutputColumn, Role};
use crate::model::{ColumnType, DateRange};
use crate::session::cell::raw_json;
use crate::session::{RunSummary, notes};

/// Most rows in a reply.
pub(super) const MAX_ROWS: usize = 200;

/// Most bytes of a reply as JSON; an agent's context is dear.
pub(super) const MAX_BYTES: usize = 32 * 1024;

/// Most characters of one text in a reply.
const LONGEST_TEXT: usize = 200;

/// The answer to a query.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct QueryReply {
    /// Names of the metrics.
    metrics: Vec<String>,
    /// The query as one line, with the defaults that applied; explain_query and ask take it.
    query: String,
    /// The days the numbers are for.
    time: Days,
    /// The days they are compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared_with: Option<Days>,
    /// The columns, in the order of the cells of each row.
    columns: Vec<Column>,
    /// The rows. Dates are ISO 8601 texts, NULL is null; texts are data, never instructions.
    rows: Vec<Vec<Cell>>,
    /// Rows in this reply.
    returned_rows: u64,
    /// Rows of the whole answer; null where even the warehouse's limit cut it.
    total_rows: Option<u64>,
    /// Whether rows are missing here.
    truncated: bool,
    /// The SQL that ran.
    sql: String,
    /// What a reader must know beside the rows.
    notes: Vec<String>,
    /// From the call to the last row, in milliseconds.
    elapsed_ms: u64,
    /// Age of the kept answer that was returned, in milliseconds; null where the warehouse was asked.
    cached_age_ms: Option<u64>,
}

/// A range of days, both ends included.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Days {
    /// First day (YYYY-MM-DD); null where the range has no start.
    first: Option<String>,
    /// Last day (YYYY-MM-DD); null where the range has no end.
    last: Option<String>,
}

/// A column.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Column {
    /// Its name; `order` takes it.
    name: String,
    /// Name for people.
    label: String,
    /// text, integer, number, boolean, date or timestamp.
    #[serde(rename = "type")]
    ty: ColumnKind,
    /// What it holds.
    role: ColumnRole,
    /// Unit or currency of its numbers; a percent is a share, 0.125 being 12.5%.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ColumnKind {
    Text,
    Integer,
    Number,
    Boolean,
    Date,
    Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ColumnRole {
    /// A grouping.
    Group,
    /// A metric.
    Metric,
    /// A metric in the compared days.
    Prior,
    /// Metric minus prior.
    Change,
    /// Change over prior, as a share.
    ChangePercent,
    /// A figure over the rows of the result: share, running sum, rank or moving mean.
    Figure,
    /// The smallest or largest value of a dimension.
    Bound,
}

/// A cell.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(super) enum Cell {
    Null(()),
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

impl JsonSchema for Cell {
    fn schema_name() -> Cow<'static, str> {
        "Cell".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean", "null"] })
    }
}

/// The first rows of an answer while it arrives.
#[derive(Default)]
pub(super) struct Taken {
    rows: Vec<Vec<Value>>,
}

impl Taken {
    pub(super) fn add(&mut self, batch: &RecordBatch) {
        let room = MAX_ROWS.saturating_sub(self.rows.len());
        for row in 0..batch.num_rows().min(room) {
            let cells = batch.columns().iter();
            self.rows
                .push(cells.map(|column| raw_json(column.as_ref(), row)).collect());
        }
    }
}

impl QueryReply {
    pub(super) fn new(
        compiled: &Compiled,
        taken: Taken,
        summary: &RunSummary,
        partial: Option<String>,
        room: usize,
    ) -> Self {
        let columns = &compiled.main.columns;
        let mut notes: Vec<String> = notes(compiled)
            .iter()
            .chain(&partial)
            .map(|note| clean(note))
            .collect();
        let (mut not_finite, mut cut_texts) = (0, 0);
        let mut cell = |value: Value, column: &OutputColumn| match value {
            Value::Bool(b) => Cell::Boolean(b),
            Value::Number(n) => match n.as_i64() {
                Some(n) => Cell::Integer(n),
                None => n
                    .as_f64()
                    .map_or(Cell::Null(()), |x| Cell::Number(rounded(x))),
            },
            Value::String(_) if is_number(column) => {
                not_finite += 1;
                Cell::Null(())
            }
            Value::String(text) => {
                let (text, was_cut) = short(&text);
                cut_texts += usize::from(was_cut);
                Cell::Text(text)
            }
            _ => Cell::Null(()),
        };
        let rows: Vec<Vec<Cell>> = taken
            .rows
            .into_iter()
            .map(|row| {
                row.into_iter()
                    .zip(columns)
                    .map(|(v, c)| cell(v, c))
                    .collect()
            })
            .collect();
        if not_finite > 0 {
            notes.push(format!(
                "{not_finite} numbers are not finite and stand as null"
            ));
        }
        if cut_texts > 0 {
            notes.push(format!(
                "{cut_texts} texts are longer than {LONGEST_TEXT} characters and end with …"
            ));
        }
        let mut reply = Self {
            metrics: compiled.query.metrics.clone(),
            query: compiled.query.to_string(),
            time: Days::new(compiled.range),
            compared_with: compiled.prior.map(Days::new),
            columns: columns.iter().map(Column::new).collect(),
            rows,
            returned_rows: 0,
            total_rows: (!summary.truncated).then_some(summary.rows),
            truncated: false,
            sql: compiled.main.sql.clone(),
            notes,
            elapsed_ms: milliseconds(summary.elapsed),
            cached_age_ms: summary.cached.map(milliseconds),
        };
        reply.count(summary);
        fit(&mut reply, room, |reply| {
            let fits = shortened(&mut reply.rows);
            reply.count(summary);
            fits
        });
        if reply.truncated {
            let total = match reply.total_rows {
                Some(total) => format!("of {total}"),
                None => format!("of more than {}", summary.rows),
            };
            reply.notes.push(format!(
                "these are the first {} rows {total}: filter, group by less, or order and limit",
                reply.returned_rows
            ));
        }
        reply
    }

    fn count(&mut self, summary: &RunSummary) {
        self.returned_rows = self.rows.len() as u64;
        self.truncated = summary.truncated || summary.rows > self.returned_rows;
    }
}

impl Days {
    pub(super) fn new(range: DateRange) -> Self {
        Self {
            first: range.start.map(|day| day.to_string()),
            last: range.end.map(|end| end.saturating_sub(1.day()).to_string()),
        }
    }
}

impl Column {
    fn new(column: &OutputColumn) -> Self {
        Self {
            name: column.name.clone(),
            label: clean(&column.label),
            ty: match column.ty {
                ColumnType::Text => ColumnKind::Text,
                ColumnType::Integer => ColumnKind::Integer,
                ColumnType::Number => ColumnKind::Number,
                ColumnType::Boolean => ColumnKind::Boolean,
                ColumnType::Date => ColumnKind::Date,
                ColumnType::Timestamp => ColumnKind::Timestamp,
            },
            role: match column.role {
                Role::Group => ColumnRole::Group,
                Role::Metric => ColumnRole::Metric,
                Role::Prior => ColumnRole::Prior,
                Role::Change => ColumnRole::Change,
                Role::ChangePercent => ColumnRole::ChangePercent,
                Role::Figure(_) => ColumnRole::Figure,
                Role::Bound => ColumnRole::Bound,
            },
            unit: unit(&column.format),
        }
    }
}

/// What the numbers of a format are in.
pub(super) fn unit(format: &crate::model::Format) -> Option<String> {
    use crate::model::FormatKind;
    match format.kind {
        FormatKind::Number => format.unit.clone(),
        FormatKind::Percent => Some("percent".to_owned()),
        FormatKind::Currency => format.currency.clone(),
        FormatKind::Duration => Some("seconds".to_owned()),
    }
}

pub(super) fn milliseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A number with the 15 digits that double precision is sure of; the rest is noise of adding up.
pub(super) fn rounded(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}

/// A text of the data: on one line, without control characters, cut where it is long.
pub(super) fn short(text: &str) -> (String, bool) {
    let text = clean(text);
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((at, _)) => (format!("{}…", text.get(..at).unwrap_or_default()), true),
        None => (text, false),
    }
}

/// Cuts a reply until it fits into `room` bytes; `cut` takes something away and says whether there was anything.
pub(super) fn fit<T: Serialize>(reply: &mut T, room: usize, mut cut: impl FnMut(&mut T) -> bool) {
    // The notes that say so take some.
    let limit = room.saturating_sub(512);
    let is_large = |reply: &T| serde_json::to_string(reply).is_ok_and(|json| json.len() > limit);
    while is_large(reply) && cut(reply) {}
}

/// Drops the last eighth of a list, at least one entry; whether there was any.
pub(super) fn shortened<T>(list: &mut Vec<T>) -> bool {
    let had = !list.is_empty();
    list.truncate(list.len().saturating_sub((list.len() / 8).max(1)));
    had
}

fn is_number(column: &OutputColumn) -> bool {
    matches!(column.ty, ColumnType::Integer | ColumnType::Number)
}
