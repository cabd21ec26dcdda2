//! What a warehouse holds, as far as cheap questions tell: rows, empty values, distinct values, ranges and keys.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::work::{Stage, Work};
use super::{InitError, words};
use crate::model::{ColumnType, Connection};
use crate::warehouse::{
    ColumnInfo, Dialect, ForeignKey, Request, TableInfo, Warehouse, WarehouseError,
    WarehouseErrorKind,
};

/// A table with more rows is judged by its first [`SAMPLE`] rows, and only its declared keys are believed.
const MANY_ROWS: u64 = 2_000_000;
const SAMPLE: u64 = 200_000;
/// Columns asked about in one statement; PostgreSQL allows 1,664 results.
const COLUMNS_AT_ONCE: usize = 200;
/// Most columns that are tried as parts of a key of two.
const KEY_PARTS: usize = 6;

/// One table or view.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Name as a dataset's `table:` writes it.
    pub(super) name: String,
    /// What one row is, in the singular: `order_item`.
    pub(super) entity: String,
    /// Rows; at least so many where the table is `large`.
    pub(super) rows: u64,
    /// Rows the columns were judged by.
    pub(super) judged: u64,
    /// Too many rows to look at all of them.
    pub(super) large: bool,
    pub(super) columns: Vec<Column>,
    /// Columns that identify one row; empty where none were found.
    pub(super) key: Vec<String>,
    /// Whether the engine guarantees the key.
    pub(super) key_declared: bool,
    pub(super) foreign_keys: Vec<ForeignKey>,
}

/// One column, with what its values look like.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: ColumnType,
    /// Empty values among the rows judged.
    pub(super) nulls: u64,
    /// Distinct values among the rows judged; 0 for types that need no count.
    pub(super) distinct: u64,
    /// Smallest and largest value, as text.
    pub(super) range: Option<(String, String)>,
    /// Average number of characters, for texts.
    pub(super) length: f64,
    /// Share of the values that look like e-mail addresses.
    pub(super) emails: f64,
}

impl Table {
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether the column alone identifies a row.
    pub(super) fn is_key(&self, column: &str) -> bool {
        matches!(self.key.as_slice(), [only] if only == column)
    }
}

/// Puts questions to a warehouse and waits for the answers.
pub(super) struct Surveyor {
    warehouse: Warehouse,
    runtime: Runtime,
    cancel: CancellationToken,
}

impl Surveyor {
    /// Prepares a connection; nothing is asked yet.
    pub(super) fn new(
        connection: &Connection,
        cancel: &CancellationToken,
    ) -> Result<Self, InitError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Ok(Self {
            warehouse: Warehouse::open(connection, "UTC")?,
            runtime: runtime.map_err(InitError::io("async runtime"))?,
            cancel: cancel.clone(),
        })
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.warehouse.dialect()
    }

    /// Every table that can be read, with notes on those that cannot.
    pub(super) fn tables(
        &self,
        work: &mut Work<'_>,
    ) -> Result<(Vec<Table>, Vec<String>), InitError> {
        let found = self.runtime.block_on(self.warehouse.tables())?;
        let total = found.len() as u64;
        let (mut tables, mut notes) = (Vec::new(), Vec::new());
        for (done, info) in (0..).zip(found) {
            work.step(Stage::Examining, &info.name, done, total)?;
            match self.table(&info) {
                Ok(table) => tables.push(table),
                Err(error) if concerns_one_table(&error) => {
                    notes.push(format!("{} was left out: {}", info.name, error.message));
                }
                Err(error) => return Err(error.into()),
            }
        }
        work.step(Stage::Examining, "", total, total)?;
        Ok((tables, notes))
    }

    fn table(&self, info: &TableInfo) -> Result<Table, WarehouseError> {
        let name = self.dialect().table(&info.name);
        let bounded = format!("(SELECT 1 FROM {name} LIMIT {}) AS t", MANY_ROWS + 1);
        let counted = count(self.row(&["count(*)".to_owned()], &bounded)?.first());
        let large = counted > MANY_ROWS;
        let from = if large {
            format!("(SELECT * FROM {name} LIMIT {SAMPLE}) AS t")
        } else {
            name
        };
        let judged = if large { SAMPLE } else { counted };
        let readable: Vec<(&ColumnInfo, ColumnType)> = info
            .columns
            .iter()
            .filter_map(|column| Some((column, column.ty?)))
            .collect();
        let mut columns = Vec::new();
        for chunk in readable.chunks(COLUMNS_AT_ONCE) {
            columns.extend(self.columns(chunk, judged, &from)?);
        }
        let mut table = Table {
            entity: words::entity(info.name.rsplit('.').next().unwrap_or_default()),
            name: info.name.clone(),
            rows: if large {
                info.row_estimate.unwrap_or(counted).max(counted)
            } else {
                counted
            },
            judged,
            large,
            columns,
            key: info.primary_key.clone(),
            key_declared: !info.primary_key.is_empty(),
            foreign_keys: info.foreign_keys.clone(),
        };
        if !table.key_declared {
            self.find_key(&mut table, &info.unique_keys, &from)?;
        }
        if !table.key.iter().all(|column| words::names_a_column(column)) {
            table.key.clear();
        }
        Ok(table)
    }

    /// Counts, smallest and largest value of each column; of texts also the length and how many are e-mail addresses.
    fn columns(
        &self,
        columns: &[(&ColumnInfo, ColumnType)],
        judged: u64,
        from: &str,
    ) -> Result<Vec<Column>, WarehouseError> {
        const NOTHING: &str = "NULL";
        let mut questions: Vec<String> = Vec::new();
        for (info, ty) in columns {
            let name = self.dialect().name(&info.name);
            questions.push(format!("count({name})"));
            questions.extend(match ty {
                ColumnType::Text => {
                    // Also enumerations, UUIDs and JSON come as text; only as text can all of them be compared.
                    let text = format!("CAST({name} AS text)");
                    [
                        format!("count(DISTINCT {text})"),
                        format!("min({text})"),
                        format!("max({text})"),
                        format!("avg(length({text}))"),
                        format!("sum(CASE WHEN {text} LIKE '%_@_%.__%' THEN 1 ELSE 0 END)"),
                    ]
                }
                ColumnType::Boolean => [NOTHING; 5].map(str::to_owned),
                _ => {
                    let distinct = match ty {
                        ColumnType::Integer => format!("count(DISTINCT {name})"),
                        _ => NOTHING.to_owned(),
                    };
                    let (low, high) = (format!("min({name})"), format!("max({name})"));
                    [distinct, low, high, NOTHING.to_owned(), NOTHING.to_owned()]
                }
            });
        }
        let answers = self.row(&questions, from)?;
        Ok(columns
            .iter()
            .zip(answers.chunks(6))
            .map(|((info, ty), answers)| {
                let answer = |at: usize| answers.get(at).cloned().flatten();
                let number =
                    |at: usize| answer(at).and_then(|text| text.parse().ok()).unwrap_or(0.0);
                let values = count(answers.first());
                Column {
                    name: info.name.clone(),
                    ty: *ty,
                    nulls: judged.saturating_sub(values),
                    distinct: count(answers.get(1)),
                    range: answer(2).zip(answer(3)),
                    length: number(4),
                    emails: if values > 0 {
                        number(5) / values as f64
                    } else {
                        0.0
                    },
                }
            })
            .collect())
    }

    /// A declared unique key, else the column, else the two columns, that are never empty and never repeat.
    fn find_key(
        &self,
        table: &mut Table,
        declared: &[Vec<String>],
        from: &str,
    ) -> Result<(), WarehouseError> {
        let full = |name: &String| table.column(name).is_some_and(|column| column.nulls == 0);
        let shortest = declared
            .iter()
            .filter(|key| key.iter().all(full))
            .min_by_key(|key| key.len());
        if let Some(key) = shortest {
            table.key = key.clone();
            table.key_declared = !table.large;
        }
        if !table.key.is_empty() || table.large || table.rows == 0 {
            return Ok(());
        }
        let own = [
            table.entity.clone(),
            format!("{}_id", table.entity),
            "id".to_owned(),
        ];
        let rank = |at: usize, name: &str| {
            let name = words::identifier(name);
            match own.iter().rposition(|own| *own == name) {
                Some(place) => Some(3 - place),
                None if words::is_key_name(&name) => Some(4),
                None => (at == 0).then_some(5),
            }
        };
        let identifies = |column: &Column| {
            matches!(column.ty, ColumnType::Integer | ColumnType::Text)
                && column.nulls == 0
                && column.distinct == table.rows
        };
        let single = table
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| identifies(column))
            .filter_map(|(at, column)| Some((rank(at, &column.name)?, &column.name)))
            .min();
        table.key = match single {
            Some((_, name)) => vec![name.clone()],
            None => self.key_of_two(table, from)?,
        };
        Ok(())
    }

    fn key_of_two(&self, table: &Table, from: &str) -> Result<Vec<String>, WarehouseError> {
        let parts: Vec<&Column> = table
            .columns
            .iter()
            .enumerate()
            .filter(|(at, column)| {
                let named = words::is_key_name(&words::identifier(&column.name));
                let day = column.ty == ColumnType::Date;
                column.nulls == 0 && column.ty != ColumnType::Number && (named || day || *at == 0)
            })
            .map(|(_, column)| column)
            .take(KEY_PARTS)
            .collect();
        let name = |column: &Column| self.dialect().name(&column.name);
        for (at, first) in parts.iter().enumerate() {
            for second in parts.iter().skip(at + 1) {
                let pair = format!(
                    "(SELECT DISTINCT {}, {} FROM {from}) AS p",
                    name(first),
                    name(second)
                );
                if count(self.row(&["count(*)".to_owned()], &pair)?.first()) == table.rows {
                    return Ok(vec![first.name.clone(), second.name.clone()]);
                }
            }
        }
        Ok(Vec::new())
    }

    /// Answers to questions that have one each, as text.
    pub(super) fn row(
        &self,
        questions: &[String],
        from: &str,
    ) -> Result<Vec<Option<String>>, WarehouseError> {
        let list: Vec<_> = questions
            .iter()
            .enumerate()
            .map(|(at, question)| format!("CAST({question} AS text) AS a{at}"))
            .collect();
        let sql = format!("SELECT {} FROM {from}", list.join(", "));
        let columns = (0..questions.len())
            .map(|at| (format!("a{at}"), ColumnType::Text))
            .collect();
        let request = Request {
            sql,
            columns: Some(columns),
            row_cap: None,
        };
        let mut answers = vec![None; questions.len()];
        for batch in self.run(request)? {
            if batch.num_rows() == 0 {
                continue;
            }
            for (answer, column) in answers.iter_mut().zip(batch.columns()) {
                let texts = column.as_string::<i32>();
                *answer = (!texts.is_null(0)).then(|| texts.value(0).to_owned());
            }
        }
        Ok(answers)
    }

    fn run(&self, request: Request) -> Result<Vec<RecordBatch>, WarehouseError> {
        self.runtime.block_on(async {
            let (sink, mut batches) = mpsc::channel(1);
            let gather = async {
                let mut all = Vec::new();
                while let Some(batch) = batches.recv().await {
                    all.push(batch);
                }
                all
            };
            let query = async {
                let finished = self.warehouse.query(request, &self.cancel, &sink).await;
                drop(sink);
                finished
            };
            let (finished, all) = tokio::join!(query, gather);
            finished.map(|_| all)
        })
    }
}

/// Whether the other tables may still be read.
pub(super) fn concerns_one_table(error: &WarehouseError) -> bool {
    use WarehouseErrorKind::{Data, Query, Timeout};
    matches!(error.kind, Query | Data | Timeout)
}

/// A count among the answers of [`Surveyor::row`].
pub(super) fn count(answer: Option<&Option<String>>) -> u64 {
    answer
        .and_then(Option::as_deref)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}
