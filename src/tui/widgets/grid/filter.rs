//! Showing only some rows of a grid: a condition on its columns, or a pattern that one of its cells has. The work runs
//! on other threads.

use std::num::NonZero;
use std::thread;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use tokio_util::sync::CancellationToken;

use super::looks::number;
use super::pattern::Pattern;
use super::sort::{SortJob, SortedOrder};
use super::table::Table;
use crate::compile::OutputColumn;
use crate::model::query_line::parse_filter;
use crate::model::{CompareOp, Direction, Filter};
use crate::session::cell::{aligns_right, raw_text, sanitize, write_cell};

/// Most threads that look through rows.
const THREADS: usize = 8;

/// The rows that a filter keeps, in order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The filter, as it was typed.
    pub text: String,
    /// How many rows it was asked of.
    pub of: usize,
    rows: Vec<u32>,
}

impl Kept {
    /// How many rows it keeps.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it keeps none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn row(&self, position: usize) -> usize {
        self.rows
            .get(position)
            .map_or(usize::MAX, |&row| row as usize)
    }

    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }
}

/// What a typed filter means for the columns of a result.
#[derive(Debug, Clone)]
pub struct RowFilter {
    text: String,
    test: Test,
    unknown: Option<String>,
}

impl RowFilter {
    /// A condition as a query line writes it, where it is one on columns of the result; else a pattern.
    pub fn read(text: &str, columns: &[OutputColumn]) -> Self {
        let read = parse_filter(text).ok();
        let test = read.as_ref().map(|filter| Test::read(filter, columns));
        let (test, unknown) = match test {
            Some(Ok(test)) => (Some(test), None),
            Some(Err(field)) => (None, Some(field)),
            None => (None, None),
        };
        Self {
            text: text.to_owned(),
            test: test.unwrap_or_else(|| Test::Any(Pattern::new(text))),
            unknown,
        }
    }

    /// How it is understood.
    pub fn said(&self) -> String {
        match (&self.unknown, &self.test) {
            (Some(field), _) => format!("no column '{}', so text", sanitize(field)),
            (None, Test::Any(pattern)) if !pattern.is_valid() => "text as written".to_owned(),
            (None, Test::Any(_)) => "text or pattern".to_owned(),
            (None, _) => "condition".to_owned(),
        }
    }
}

/// A filter with columns in the place of names. `None` is SQL's unknown.
#[derive(Debug, Clone)]
enum Test {
    Any(Pattern),
    Compare(Field, CompareOp, String),
    In(Field, Vec<String>, bool),
    Between(Field, String, String, bool),
    Like(Field, Pattern, bool),
    IsNull(Field, bool),
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
}

/// A column by its place, with whether it holds numbers.
#[derive(Debug, Clone, Copy)]
struct Field {
    column: usize,
    is_number: bool,
}

impl Test {
    fn read(filter: &Filter, columns: &[OutputColumn]) -> Result<Self, String> {
        let field = |name: &String| {
            let is = |column: &OutputColumn| {
                column.name.eq_ignore_ascii_case(name) || column.label.eq_ignore_ascii_case(name)
            };
            let column = columns.iter().position(is).ok_or_else(|| name.clone())?;
            let spec = columns.get(column).ok_or_else(|| name.clone())?;
            let is_number = aligns_right(spec);
            Ok::<_, String>(Field { column, is_number })
        };
        let all = |parts: &[Filter]| -> Result<Vec<Self>, String> {
            parts.iter().map(|part| Self::read(part, columns)).collect()
        };
        Ok(match filter {
            Filter::Compare {
                field: name,
                op,
                value,
            } => Self::Compare(field(name)?, *op, value.clone()),
            Filter::In {
                field: name,
                values,
                negated,
            } => Self::In(field(name)?, values.clone(), *negated),
            Filter::Between {
                field: name,
                low,
                high,
                negated,
            } => Self::Between(field(name)?, low.clone(), high.clone(), *negated),
            Filter::Like {
                field: name,
                pattern,
                negated,
            } => Self::Like(field(name)?, like(pattern), *negated),
            Filter::IsNull {
                field: name,
                negated,
            } => Self::IsNull(field(name)?, *negated),
            Filter::And(parts) => Self::And(all(parts)?),
            Filter::Or(parts) => Self::Or(all(parts)?),
            Filter::Not(part) => Self::Not(Box::new(Self::read(part, columns)?)),
        })
    }

    fn holds(&self, row: &mut Row<'_>) -> Option<bool> {
        match self {
            Self::Any(pattern) => Some(pattern.is_empty() || row.has(pattern)),
            Self::Compare(field, op, value) => row.compare(*field, *op, value),
            Self::In(field, values, negated) => {
                row.array(*field)?;
                let any = values
                    .iter()
                    .any(|value| row.compare(*field, CompareOp::Eq, value) == Some(true));
                Some(any != *negated)
            }
            Self::Between(field, low, high, negated) => {
                let above = row.compare(*field, CompareOp::Ge, low)?;
                let below = row.compare(*field, CompareOp::Le, high)?;
                Some((above && below) != *negated)
            }
            Self::Like(field, pattern, negated) => {
                let text = raw_text(row.array(*field)?, row.index)?;
                Some(pattern.is_in(&text) != *negated)
            }
            Self::IsNull(field, negated) => Some(row.array(*field).is_none() != *negated),
            Self::And(parts) => {
                let mut all = Some(true);
                for part in parts {
                    match part.holds(row) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => all = None,
                    }
                }
                all
            }
            Self::Or(parts) => {
                let mut any = Some(false);
                for part in parts {
                    match part.holds(row) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => any = None,
                    }
                }
                any
            }
            Self::Not(part) => part.holds(row).map(|holds| !holds),
        }
    }
}

/// `%` is any text, `_` any character, and the whole text counts.
fn like(pattern: &str) -> Pattern {
    let mut expression = String::from("^");
    for c in pattern.chars() {
        match c {
            '%' => expression.push_str("(?s:.*)"),
            '_' => expression.push_str("(?s:.)"),
            other => expression.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push('$');
    Pattern::expression(&expression, pattern)
}

/// One row while it is tested.
struct Row<'a> {
    batch: &'a RecordBatch,
    index: usize,
    columns: &'a [OutputColumn],
    shown: &'a [usize],
    text: &'a mut String,
}

impl<'a> Row<'a> {
    /// The array of a field, unless the value is NULL.
    fn array(&self, field: Field) -> Option<&'a dyn Array> {
        let array = self.batch.columns().get(field.column)?.as_ref();
        (!array.is_null(self.index)).then_some(array)
    }

    fn has(&mut self, pattern: &Pattern) -> bool {
        self.shown.iter().any(|&column| {
            let cell = self.batch.columns().get(column);
            let Some((array, spec)) = cell.zip(self.columns.get(column)) else {
                return false;
            };
            self.text.clear();
            write_cell(self.text, array, self.index, spec);
            pattern.is_in(self.text)
        })
    }

    fn compare(&mut self, field: Field, op: CompareOp, value: &str) -> Option<bool> {
        let array = self.array(field)?;
        let ordering = if field.is_number {
            number(array, self.index)?.partial_cmp(&literal(value)?)?
        } else if *array.data_type() == DataType::Utf8 {
            compare_texts(array.as_string::<i32>().value(self.index), value)
        } else {
            let text = raw_text(array, self.index)?;
            if op == CompareOp::Eq || op == CompareOp::Ne {
                // A period reads as the reader sees it: `2026-W03`, `2026 Q1`.
                self.text.clear();
                write_cell(
                    self.text,
                    array,
                    self.index,
                    self.columns.get(field.column)?,
                );
                if *self.text == value {
                    return Some(op == CompareOp::Eq);
                }
            }
            // `month <= 2026-03` holds for all of March.
            let start = text.get(..value.len()).unwrap_or(&text);
            start.cmp(value)
        };
        Some(match op {
            CompareOp::Eq => ordering.is_eq(),
            CompareOp::Ne => ordering.is_ne(),
            CompareOp::Lt => ordering.is_lt(),
            CompareOp::Le => ordering.is_le(),
            CompareOp::Gt => ordering.is_gt(),
            CompareOp::Ge => ordering.is_ge(),
        })
    }
}

/// Case matters only if the value has capitals, as in a search.
fn compare_texts(text: &str, value: &str) -> std::cmp::Ordering {
    if value.chars().any(char::is_uppercase) || text.eq(value) {
        text.cmp(value)
    } else {
        text.to_lowercase().as_str().cmp(value)
    }
}

/// A number as people type it: `1500`, `1.5K`, `2M`, `4%`.
fn literal(text: &str) -> Option<f64> {
    let (digits, times) = match text.char_indices().next_back()? {
        (at, '%') => (text.get(..at)?, 0.01),
        (at, 'k' | 'K') => (text.get(..at)?, 1e3),
        (at, 'm' | 'M') => (text.get(..at)?, 1e6),
        (at, 'b' | 'B') => (text.get(..at)?, 1e9),
        _ => (text, 1.0),
    };
    let number: f64 = digits.replace([',', '_'], "").parse().ok()?;
    Some(number * times)
}

/// Everything needed to filter, detached from the grid.
#[derive(Debug, Clone)]
pub struct FilterJob {
    table: Table,
    shown: Vec<usize>,
    filter: RowFilter,
    sort: Option<(usize, Direction)>,
    stop: CancellationToken,
}

/// What a filter keeps, in the order that the grid had.
#[derive(Debug, Clone)]
pub struct Filtered {
    pub(super) kept: Kept,
    pub(super) order: Option<SortedOrder>,
}

impl FilterJob {
    pub(super) fn new(table: Table, shown: Vec<usize>, text: &str) -> Self {
        let order = table.order();
        Self {
            filter: RowFilter::read(text, table.columns()),
            sort: order.map(|order| (order.column, order.direction)),
            table,
            shown,
            stop: CancellationToken::new(),
        }
    }

    /// Ends it while it runs on another thread.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Looks through all rows.
    ///
    /// # Errors
    /// It was stopped; or Arrow's, if the rows that are kept cannot be sorted.
    pub fn run(self) -> Result<Filtered, String> {
        let batches = self.table.batches();
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let size = batches.len().div_ceil(threads.min(THREADS)).max(1);
        let parts: Vec<Vec<u32>> = thread::scope(|scope| {
            let mut first = 0;
            let mut workers = Vec::new();
            for part in batches.chunks(size) {
                let start = first;
                first += part.iter().map(RecordBatch::num_rows).sum::<usize>();
                let job = &self;
                workers.push(scope.spawn(move || job.look_through(part, start)));
            }
            // A worker has nothing that could fail.
            let found = workers.into_iter().map(|worker| worker.join());
            found.map(Result::unwrap_or_default).collect()
        });
        if self.stop.is_cancelled() {
            return Err("another filter came first".to_owned());
        }
        let kept = Kept {
            text: self.filter.text,
            of: self.table.arrived(),
            rows: parts.concat(),
        };
        let order = self.sort.and_then(|(column, direction)| {
            let mut table = self.table.clone();
            table.set_kept(Some(kept.clone()), None);
            SortJob::new(&table, column, direction)
        });
        let order = order.map(SortJob::run).transpose();
        Ok(Filtered {
            kept,
            order: order.map_err(|error| error.to_string())?,
        })
    }

    fn look_through(&self, batches: &[RecordBatch], first: usize) -> Vec<u32> {
        let mut kept = Vec::new();
        let mut text = String::new();
        let mut start = first;
        for batch in batches {
            if self.stop.is_cancelled() {
                break;
            }
            for index in 0..batch.num_rows() {
                let mut row = Row {
                    batch,
                    index,
                    columns: self.table.columns(),
                    shown: &self.shown,
                    text: &mut text,
                };
                if self.filter.test.holds(&mut row) == Some(true) {
                    kept.extend(u32::try_from(start + index));
                }
            }
            start += batch.num_rows();
        }
        kept
    }
}
