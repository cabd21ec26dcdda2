//! CSV files: which there are, what their columns hold, and how their rows get into the embedded warehouse.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::types::{self, Inference, Reading};
use super::work::{Stage, Work};
use super::{InitError, words};
use crate::model::ColumnType;
use crate::warehouse::{Cell, ColumnSpec, Loader, TableSpec};

/// Rows between two reports of progress.
const REPORT_EVERY: u64 = 20_000;

/// One file, after all of it was read once.
#[derive(Debug)]
pub(super) struct CsvFile {
    path: PathBuf,
    /// The file's name, for messages.
    pub(super) name: String,
    /// The table it becomes.
    pub(super) table: String,
    delimiter: u8,
    bytes: u64,
    columns: Vec<CsvColumn>,
    /// Rows, without the header.
    pub(super) rows: u64,
}

#[derive(Debug)]
struct CsvColumn {
    name: String,
    reading: Reading,
    nullable: bool,
    unique: bool,
}

/// The files of a folder that have rows, in the order of their names, and what a reader should know about them.
///
/// # Errors
/// No file at all, two files for one table, or a file that cannot be read as it is.
pub(super) fn examine(
    folder: &Path,
    work: &mut Work<'_>,
) -> Result<(Vec<CsvFile>, Vec<String>), InitError> {
    let (mut files, mut notes) = (Vec::new(), Vec::new());
    let mut tables: HashMap<String, String> = HashMap::new();
    for path in paths(folder)? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let table = words::identifier(&path.file_stem().unwrap_or_default().to_string_lossy());
        let table = if table.is_empty() {
            "data".to_owned()
        } else {
            table
        };
        if let Some(other) = tables.insert(table.clone(), name.clone()) {
            let message = format!("would become the table '{table}', as {other} does");
            return Err(problem(
                &name,
                1,
                message,
                Some("rename one of the files".to_owned()),
            ));
        }
        match examine_file(path, name, table, &mut notes, work)? {
            Some(file) => files.push(file),
            None => continue,
        }
    }
    if files.is_empty() {
        let message = format!(
            "there is no .csv or .tsv file with rows in {}",
            folder.display()
        );
        return Err(InitError::NothingFound { message });
    }
    Ok((files, notes))
}

fn paths(folder: &Path) -> Result<Vec<PathBuf>, InitError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(InitError::io(folder))? {
        let path = entry.map_err(InitError::io(folder))?.path();
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        if (extension == "csv" || extension == "tsv") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads a whole file to learn its columns; `None`, with a note, where it has no rows.
fn examine_file(
    path: PathBuf,
    name: String,
    table: String,
    notes: &mut Vec<String>,
    work: &mut Work<'_>,
) -> Result<Option<CsvFile>, InitError> {
    let bytes = fs::metadata(&path).map_err(InitError::io(&path))?.len();
    let delimiter = delimiter(&path, &name)?;
    let mut file = CsvFile {
        path,
        name,
        table,
        delimiter,
        bytes,
        columns: Vec::new(),
        rows: 0,
    };
    let mut reader = file.reader()?;
    let header = match file.next(&mut reader, &mut ByteRecord::new(), None)? {
        Some(texts) => column_names(&file.name, &texts)?,
        None => {
            notes.push(format!("{} is empty and was left out.", file.name));
            return Ok(None);
        }
    };
    let mut seen: Vec<_> = header.iter().map(|name| Inference::new(name)).collect();
    let mut record = ByteRecord::new();
    while let Some(texts) = file.next(&mut reader, &mut record, Some(&header))? {
        for (column, text) in seen.iter_mut().zip(texts) {
            column.see(text);
        }
        file.rows += 1;
        if file.rows.is_multiple_of(REPORT_EVERY) {
            work.step(Stage::Reading, &file.name, reader.position().byte(), bytes)?;
        }
    }
    work.step(Stage::Reading, &file.name, bytes, bytes)?;
    if file.rows == 0 {
        notes.push(format!(
            "{} has a header but no rows and was left out.",
            file.name
        ));
        return Ok(None);
    }
    for (name, column) in header.into_iter().zip(seen) {
        if column.null_words() > 0 {
            let count = words::counted(column.null_words(), "value");
            notes.push(format!(
                "{}: {count} of {name} such as N/A or NULL, read as empty.",
                file.name
            ));
        }
        if let Some(hint) = column.looks_like() {
            notes.push(format!(
                "{}: {name} was kept as text. {hint} and run this again.",
                file.name
            ));
        }
        let (nullable, unique) = (column.nulls() > 0, column.is_unique());
        file.columns.push(CsvColumn {
            name,
            reading: column.reading(),
            nullable,
            unique,
        });
    }
    Ok(Some(file))
}

/// What separates the values: a tab in `.tsv`, else whichever of `,` `;` tab and `|` the header has most of.
fn delimiter(path: &Path, name: &str) -> Result<u8, InitError> {
    let mut start = Vec::new();
    let file = File::open(path).map_err(InitError::io(path))?;
    BufReader::new(file)
        .take(1 << 16)
        .read_until(b'\n', &mut start)
        .map_err(InitError::io(path))?;
    if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
        let hint = format!("convert it: iconv -f utf-16 -t utf-8 {name}");
        return Err(problem(
            name,
            1,
            "the file is UTF-16, not UTF-8".to_owned(),
            Some(hint),
        ));
    }
    if path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("tsv"))
    {
        return Ok(b'\t');
    }
    let count = |separator: u8| start.iter().filter(|byte| **byte == separator).count();
    let mut best = b',';
    for separator in *b";\t|" {
        if count(separator) > count(best) {
            best = separator;
        }
    }
    Ok(best)
}

/// The header's names as identifiers: `Order ID` becomes `order_id`, a column without a name `column_3`.
fn column_names(file: &str, header: &[&str]) -> Result<Vec<String>, InitError> {
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    for (at, text) in header.iter().enumerate() {
        let name = words::identifier(text);
        let name = if name.is_empty() {
            format!("column_{}", at + 1)
        } else {
            name
        };
        if let Some(earlier) = names.iter().position(|other| *other == name) {
            let first = header.get(earlier).copied().unwrap_or_default().trim();
            let message = if first == text.trim() {
                format!(
                    "the header has '{first}' twice, in columns {} and {}",
                    earlier + 1,
                    at + 1
                )
            } else {
                format!(
                    "the columns '{first}' and '{}' would both be called {name}",
                    text.trim()
                )
            };
            return Err(problem(
                file,
                1,
                message,
                Some("give each column a name of its own".to_owned()),
            ));
        }
        names.push(name);
    }
    Ok(names)
}

fn problem(file: &str, line: u64, message: String, hint: Option<String>) -> InitError {
    InitError::Csv {
        file: file.to_owned(),
        line,
        message,
        hint,
    }
}

impl CsvFile {
    fn reader(&self) -> Result<Reader<File>, InitError> {
        ReaderBuilder::new()
            .delimiter(self.delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 18)
            .from_path(&self.path)
            .map_err(|error| self.failed(error))
    }

    /// The next row's texts, of which there are as many as `header` has names.
    fn next<'r>(
        &self,
        reader: &mut Reader<File>,
        record: &'r mut ByteRecord,
        header: Option<&[String]>,
    ) -> Result<Option<Vec<&'r str>>, InitError> {
        if !reader
            .read_byte_record(record)
            .map_err(|error| self.failed(error))?
        {
            return Ok(None);
        }
        let line = record.position().map_or(0, csv::Position::line);
        if let Some(header) = header
            && record.len() != header.len()
        {
            let values = words::counted(record.len() as u64, "value");
            let message = format!("this row has {values}, the header has {}", header.len());
            let hint = match record.len() > header.len() {
                true => "put values that contain the separator in double quotes",
                false => "a row must have a value, or nothing, for every column",
            };
            return Err(problem(&self.name, line, message, Some(hint.to_owned())));
        }
        let mut texts = Vec::with_capacity(record.len());
        for (at, value) in record.iter().enumerate() {
            let text = std::str::from_utf8(value).map_err(|_| {
                let column = header
                    .and_then(|header| header.get(at))
                    .map_or("the header", String::as_str);
                let readable = String::from_utf8_lossy(value);
                let message = format!("'{readable}' in {column} is not UTF-8");
                let hint = format!("convert the file: iconv -f latin1 -t utf-8 {}", self.name);
                problem(&self.name, line, message, Some(hint))
            })?;
            texts.push(text);
        }
        Ok(Some(texts))
    }

    fn failed(&self, error: csv::Error) -> InitError {
        let line = error.position().map_or(0, csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => InitError::Io {
                path: self.path.clone(),
                source,
            },
            other => problem(&self.name, line, format!("{other:?}"), None),
        }
    }

    /// The table as it is created: the column that names one row, where there is one, is its primary key.
    fn spec(&self) -> TableSpec {
        let entity = words::entity(&self.table);
        let named =
            |column: &&CsvColumn| column.name == "id" || column.name == format!("{entity}_id");
        let unique: Vec<&CsvColumn> = self
            .columns
            .iter()
            .filter(|column| {
                column.unique && matches!(column.reading.ty, ColumnType::Integer | ColumnType::Text)
            })
            .collect();
        let key = unique
            .iter()
            .copied()
            .find(|column| named(column))
            .or_else(|| {
                unique
                    .iter()
                    .copied()
                    .find(|column| words::is_key_name(&column.name))
            });
        TableSpec {
            name: self.table.clone(),
            columns: self
                .columns
                .iter()
                .map(|column| ColumnSpec {
                    name: column.name.clone(),
                    ty: column.reading.ty,
                    nullable: column.nullable,
                })
                .collect(),
            primary_key: key.map(|column| column.name.clone()).into_iter().collect(),
            indexes: Vec::new(),
        }
    }

    /// Creates the table and loads every row.
    ///
    /// # Errors
    /// The warehouse refuses, or the file changed since it was examined.
    pub(super) fn load(&self, loader: &mut Loader, work: &mut Work<'_>) -> Result<(), InitError> {
        loader.create(&self.spec())?;
        let names: Vec<_> = self
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let flags: Vec<_> = names.iter().map(|name| types::is_flag(name)).collect();
        let mut reader = self.reader()?;
        let mut record = ByteRecord::new();
        self.next(&mut reader, &mut record, None)?;
        let mut rows = 0_u64;
        while let Some(texts) = self.next(&mut reader, &mut record, Some(&names))? {
            let mut cells: Vec<Cell<'_>> = Vec::with_capacity(texts.len());
            for ((text, column), flag) in texts.into_iter().zip(&self.columns).zip(&flags) {
                let cell = types::read(text, column.reading, *flag);
                cells.push(cell.ok_or_else(|| self.changed())?);
            }
            loader.append(&cells)?;
            rows += 1;
            if rows.is_multiple_of(REPORT_EVERY) {
                work.step(
                    Stage::Loading,
                    &self.name,
                    reader.position().byte(),
                    self.bytes,
                )?;
            }
        }
        if rows != self.rows {
            return Err(self.changed());
        }
        work.step(Stage::Loading, &self.name, self.bytes, self.bytes)
    }

    fn changed(&self) -> InitError {
        problem(
            &self.name,
            1,
            "the file changed while it was being loaded".to_owned(),
            Some("run this again".to_owned()),
        )
    }
}
