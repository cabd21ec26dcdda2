//! Excel workbooks: a sheet with the rows, typed and formatted, and a sheet that says where they come from.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use jiff::civil::{Date, DateTime, Time, date};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::{Ending, Printer};
use crate::compile::{Compiled, OutputColumn};
use crate::model::{ColumnType, FormatKind};
use crate::session::cell::{Value, decimals, is_name, raw_text};

/// Rows of a sheet, with the header.
const ROWS: u32 = 1_048_576;
/// UTF-16 units of a cell.
const LETTERS: usize = 32_767;
/// Integers up to this size are exact in a cell, which holds doubles; larger ones are written as text.
const EXACT: u64 = 1 << 53;
/// Day 0, and the first one that is counted right from there.
const ZERO: Date = date(1899, 12, 30);
const FIRST: Date = date(1900, 3, 1);

/// Rows go to a temporary file, so that a large result takes little memory; the workbook is put together at the end.
#[derive(Default)]
pub struct Xlsx {
    workbook: Workbook,
    formats: Vec<Format>,
    row: u32,
}

impl Printer for Xlsx {
    fn start(&mut self, _: &mut dyn Write, compiled: &Compiled) -> io::Result<()> {
        let sheet = self.workbook.add_worksheet_with_constant_memory();
        let sheet = sheet.map_err(io::Error::other)?;
        let columns = &compiled.main.columns;
        self.formats = columns.iter().map(cell_format).collect();
        self.row = 1;
        head(sheet, columns).map_err(io::Error::other)
    }

    fn batch(&mut self, _: &mut dyn Write, _: &Compiled, batch: &RecordBatch) -> io::Result<()> {
        let sheet = self.workbook.worksheet_from_index(0);
        let sheet = sheet.map_err(io::Error::other)?;
        for index in 0..batch.num_rows() {
            if self.row >= ROWS {
                let reason = "a sheet holds 1,048,576 rows, which are too few; Parquet and CSV hold them all";
                return Err(io::Error::other(reason));
            }
            for ((column, array), format) in (0..).zip(batch.columns()).zip(&self.formats) {
                let written = put(sheet, (self.row, column), array.as_ref(), index, format);
                written.map_err(|error| refused(self.row, column, &error))?;
            }
            self.row += 1;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write, _: &Compiled, ending: &Ending) -> io::Result<()> {
        if let Some(provenance) = &ending.provenance {
            let sheet = self.workbook.add_worksheet();
            about(sheet, &provenance.pairs()).map_err(io::Error::other)?;
        }
        let bytes = self.workbook.save_to_buffer().map_err(io::Error::other)?;
        out.write_all(&bytes)
    }
}

fn head(sheet: &mut Worksheet, columns: &[OutputColumn]) -> Result<(), XlsxError> {
    sheet.set_name("Rows")?.set_freeze_panes(1, 0)?;
    let bold = Format::new().set_bold();
    for (index, column) in (0..).zip(columns) {
        let letters = u16::try_from(column.name.chars().count()).unwrap_or(u16::MAX);
        sheet.set_column_width(index, f64::from(letters.clamp(10, 40)) + 2.0)?;
        sheet.write_string_with_format(0, index, &column.name, &bold)?;
    }
    Ok(())
}

fn put(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    array: &dyn arrow_array::Array,
    index: usize,
    format: &Format,
) -> Result<(), XlsxError> {
    let number = match Value::read(array, index) {
        Value::Null => return Ok(()),
        Value::Boolean(is) => return sheet.write_boolean(row, column, is).map(drop),
        Value::Integer(n) if n.unsigned_abs() <= EXACT => Some(n as f64),
        Value::Number(x) if x.is_finite() => Some(x),
        Value::Date(day) => serial(day.at(0, 0, 0, 0)),
        Value::Timestamp(at) => serial(at),
        _ => None,
    };
    match number {
        Some(number) => sheet.write_number_with_format(row, column, number, format),
        None => {
            let text = raw_text(array, index).unwrap_or_default();
            sheet.write_string(row, column, text)
        }
    }
    .map(drop)
}

/// Days as Excel counts them; none before March 1900, where it counts a day that never was.
fn serial(at: DateTime) -> Option<f64> {
    let day = at.date();
    let days = (day - ZERO).get_days();
    let time = at.time().duration_since(Time::midnight());
    (day >= FIRST).then(|| f64::from(days) + time.as_secs_f64() / 86_400.0)
}

fn cell_format(column: &OutputColumn) -> Format {
    let format = &column.format;
    let places = match usize::from(decimals(format)) {
        0 => String::new(),
        places => format!(".{}", "0".repeat(places)),
    };
    let text = match (column.ty, format.kind) {
        (ColumnType::Date, _) => "yyyy-mm-dd".to_owned(),
        (ColumnType::Timestamp, _) => "yyyy-mm-dd hh:mm:ss".to_owned(),
        _ if is_name(column) => "0".to_owned(),
        (_, FormatKind::Percent) => format!("0{places}%"),
        (_, FormatKind::Currency) => match &format.currency {
            Some(code) => format!("\"{}\" #,##0{places}", code.replace('"', "")),
            None => format!("#,##0{places}"),
        },
        (ColumnType::Integer, _) => "#,##0".to_owned(),
        _ => format!("#,##0{places}"),
    };
    Format::new().set_num_format(text)
}

fn refused(row: u32, column: u16, error: &XlsxError) -> io::Error {
    let place = format!("row {row}, column {}", column + 1);
    io::Error::other(match error {
        XlsxError::MaxStringLengthExceeded => format!(
            "{place}: a cell holds {LETTERS} letters, which are too few; Parquet and CSV hold them all"
        ),
        other => format!("{place}: {other}"),
    })
}

fn about(sheet: &mut Worksheet, pairs: &[(&str, String)]) -> Result<(), XlsxError> {
    sheet.set_name("Provenance")?;
    sheet.set_column_width(0, 18)?;
    sheet.set_column_width(1, 100)?;
    let bold = Format::new().set_bold();
    let text = Format::new().set_text_wrap();
    let mut row = 0;
    for (name, value) in pairs {
        sheet.write_string_with_format(row, 0, *name, &bold)?;
        let letters: Vec<char> = value.chars().collect();
        // A letter beyond the first plane counts twice.
        for part in letters.chunks(LETTERS / 2) {
            let part: String = part.iter().collect();
            sheet.write_string_with_format(row, 1, part, &text)?;
            row += 1;
        }
    }
    Ok(())
}
