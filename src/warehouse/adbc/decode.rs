//! Arrow arrays of any engine as the arrays of results.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, DecimalType,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::ColumnType;
use crate::warehouse::rows::{Cell, Column, data_type};
use crate::warehouse::{WarehouseError, times};

/// The column type for what an engine returns; `None` for what results cannot hold.
pub(super) fn natural(ty: &DataType) -> Option<ColumnType> {
    Some(match ty {
        DataType::Boolean => ColumnType::Boolean,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => ColumnType::Integer,
        DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => ColumnType::Number,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            ColumnType::Text
        }
        DataType::Date32 | DataType::Date64 => ColumnType::Date,
        DataType::Timestamp(..) => ColumnType::Timestamp,
        DataType::Dictionary(_, values) => natural(values)?,
        _ => return None,
    })
}

pub(super) fn cannot_hold(name: &str, ty: &DataType) -> WarehouseError {
    WarehouseError::data(format!(
        "column {name:?} has the type {ty}, which results cannot hold"
    ))
    .hint("cast it in SQL, for instance to text")
}

/// A column as the type it is wanted in; `before` rows were there already.
pub(super) fn column(
    name: &str,
    array: &ArrayRef,
    wanted: ColumnType,
    zone: &TimeZone,
    before: u64,
) -> Result<ArrayRef, WarehouseError> {
    let ty = array.data_type();
    if let DataType::Dictionary(..) = ty {
        let dictionary = array.as_any_dictionary();
        let values = arrow_select::take::take(dictionary.values(), dictionary.keys(), None)
            .map_err(|error| WarehouseError::data(error.to_string()))?;
        return column(name, &values, wanted, zone, before);
    }
    // Times are looked at one by one: an engine may have infinite ones.
    let is_time = matches!(wanted, ColumnType::Date | ColumnType::Timestamp);
    if *ty == data_type(wanted) && !is_time {
        return Ok(array.clone());
    }
    if natural(ty).is_none() {
        return Err(cannot_hold(name, ty));
    }
    let mut column = Column::new(name, wanted);
    let mut text = String::new();
    for row in 0..array.len() {
        let at = before + row as u64;
        let cell = if array.is_null(row) {
            Cell::Null
        } else {
            cell(array, row, wanted, zone, &mut text).ok_or_else(|| {
                WarehouseError::data(format!(
                    "column {name:?} holds a value in row {} that cannot be kept exactly: infinite or out of range",
                    at + 1
                ))
            })?
        };
        column.push(cell, at)?;
    }
    Ok(column.finish())
}

/// One value; `text` is where a text that has to be composed is kept.
fn cell<'a>(
    array: &'a dyn Array,
    row: usize,
    wanted: ColumnType,
    zone: &TimeZone,
    text: &'a mut String,
) -> Option<Cell<'a>> {
    fn value<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
        array.as_primitive::<T>().value(row)
    }
    Some(match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Boolean => Cell::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => Cell::Integer(value::<Int8Type>(array, row).into()),
        DataType::Int16 => Cell::Integer(value::<Int16Type>(array, row).into()),
        DataType::Int32 => Cell::Integer(value::<Int32Type>(array, row).into()),
        DataType::Int64 => Cell::Integer(value::<Int64Type>(array, row)),
        DataType::UInt8 => Cell::Integer(value::<UInt8Type>(array, row).into()),
        DataType::UInt16 => Cell::Integer(value::<UInt16Type>(array, row).into()),
        DataType::UInt32 => Cell::Integer(value::<UInt32Type>(array, row).into()),
        DataType::UInt64 => Cell::Integer(value::<UInt64Type>(array, row).try_into().ok()?),
        // Through the shortest text, so that 0.1 stays 0.1.
        DataType::Float32 => {
            Cell::Number(value::<Float32Type>(array, row).to_string().parse().ok()?)
        }
        DataType::Float64 => Cell::Number(value::<Float64Type>(array, row)),
        DataType::Decimal128(_, scale) => {
            return decimal::<Decimal128Type>(array, row, *scale, wanted, text);
        }
        DataType::Decimal256(_, scale) => {
            return decimal::<Decimal256Type>(array, row, *scale, wanted, text);
        }
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row)),
        DataType::Date32 => Cell::Date(times::on(value::<Date32Type>(array, row))?),
        DataType::Date64 => Cell::Timestamp(times::at(
            value::<Date64Type>(array, row).checked_mul(1_000)?,
        )?),
        DataType::Timestamp(unit, stored) => {
            let micros = match unit {
                TimeUnit::Second => {
                    value::<TimestampSecondType>(array, row).checked_mul(1_000_000)?
                }
                TimeUnit::Millisecond => {
                    value::<TimestampMillisecondType>(array, row).checked_mul(1_000)?
                }
                TimeUnit::Microsecond => value::<TimestampMicrosecondType>(array, row),
                TimeUnit::Nanosecond => {
                    value::<TimestampNanosecondType>(array, row).div_euclid(1_000)
                }
            };
            Cell::Timestamp(match stored {
                None => times::at(micros)?,
                Some(_) => zone.to_datetime(Timestamp::from_microsecond(micros).ok()?),
            })
        }
        _ => return None,
    })
}

/// A decimal: text as it is written, an integer where that is wanted, else the nearest double.
fn decimal<'a, T: DecimalType>(
    array: &dyn Array,
    row: usize,
    scale: i8,
    wanted: ColumnType,
    text: &'a mut String,
) -> Option<Cell<'a>> {
    *text = array.as_primitive::<T>().value_as_string(row);
    Some(match wanted {
        ColumnType::Text => Cell::Text(text),
        ColumnType::Integer if scale <= 0 => Cell::Integer(text.parse().ok()?),
        _ => Cell::Number(text.parse().ok()?),
    })
}
