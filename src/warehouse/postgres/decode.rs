//! PostgreSQL's binary values as cells.

use std::error::Error;

use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Kind, Type};

use crate::model::ColumnType;
use crate::warehouse::WarehouseError;
use crate::warehouse::rows::Cell;

/// PostgreSQL counts days and microseconds from here.
const EPOCH: Date = date(2000, 1, 1);

/// How a column arrives, and what becomes of it.
#[derive(Debug)]
pub(super) struct Decoder {
    name: String,
    wire: Wire,
    wanted: ColumnType,
    zone: TimeZone,
    /// The text of the current value, where it has to be composed.
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Boolean,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Text,
    Padded,
    Jsonb,
    Uuid,
    Date,
    Timestamp,
    TimestampTz,
}

impl Decoder {
    /// A decoder for a column of the type `ty`, wanted as `wanted` or as what it is.
    pub(super) fn new(
        name: &str,
        ty: &Type,
        wanted: Option<ColumnType>,
        zone: &TimeZone,
    ) -> Result<Self, WarehouseError> {
        let Some(wire) = wire(ty) else {
            return Err(WarehouseError::data(format!(
                "column {name:?} has the type {ty}, which results cannot hold"
            ))
            .hint("cast it in SQL, for instance with ::text"));
        };
        let wanted = wanted.unwrap_or_else(|| natural(wire));
        Ok(Self {
            name: name.to_owned(),
            wire,
            wanted,
            zone: zone.clone(),
            text: String::new(),
        })
    }

    /// Name and type of the column in results.
    pub(super) fn column(&self) -> (String, ColumnType) {
        (self.name.clone(), self.wanted)
    }

    /// The value of this column in a row.
    pub(super) fn cell<'r>(
        &'r mut self,
        row: &'r Row,
        index: usize,
    ) -> Result<Cell<'r>, WarehouseError> {
        let raw: Option<Raw<'r>> = row
            .try_get(index)
            .map_err(|error| WarehouseError::data(format!("column {:?}: {error}", self.name)))?;
        let Some(Raw(bytes)) = raw else {
            return Ok(Cell::Null);
        };
        let Self {
            name,
            wire,
            wanted,
            zone,
            text,
        } = self;
        decode(*wire, *wanted, zone, bytes, text).ok_or_else(|| {
            WarehouseError::data(format!(
                "column {name:?} holds a value that cannot be kept exactly: infinite or out of range"
            ))
        })
    }
}

/// The value of `bytes`; `text` is where a text that has to be composed is kept.
fn decode<'r>(
    wire: Wire,
    wanted: ColumnType,
    zone: &TimeZone,
    bytes: &'r [u8],
    text: &'r mut String,
) -> Option<Cell<'r>> {
    Some(match wire {
        Wire::Boolean => Cell::Boolean(*bytes.first()? != 0),
        Wire::Int2 => Cell::Integer(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        Wire::Int4 => Cell::Integer(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Wire::Int8 => Cell::Integer(i64::from_be_bytes(bytes.try_into().ok()?)),
        Wire::Oid => Cell::Integer(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        Wire::Float4 => {
            // Through the shortest text, so that 0.1 stays 0.1.
            let value = f32::from_be_bytes(bytes.try_into().ok()?);
            Cell::Number(value.to_string().parse().ok()?)
        }
        Wire::Float8 => Cell::Number(f64::from_be_bytes(bytes.try_into().ok()?)),
        Wire::Numeric => {
            let decimal = decimal(bytes)?;
            match wanted {
                ColumnType::Integer | ColumnType::Boolean => match whole(&decimal) {
                    Some(whole) => Cell::Integer(whole),
                    // Not a whole number: the message that refuses it shows it.
                    None => Cell::Number(decimal.parse().ok()?),
                },
                ColumnType::Text => {
                    *text = decimal;
                    Cell::Text(text)
                }
                _ => Cell::Number(decimal.parse().ok()?),
            }
        }
        Wire::Text => Cell::Text(std::str::from_utf8(bytes).ok()?),
        Wire::Padded => Cell::Text(std::str::from_utf8(bytes).ok()?.trim_end_matches(' ')),
        Wire::Jsonb => Cell::Text(std::str::from_utf8(bytes.get(1..)?).ok()?),
        Wire::Uuid => {
            *text = uuid(bytes);
            Cell::Text(text)
        }
        Wire::Date => {
            let days = i32::from_be_bytes(bytes.try_into().ok()?);
            Cell::Date(EPOCH.checked_add(Span::new().try_days(days).ok()?).ok()?)
        }
        Wire::Timestamp => Cell::Timestamp(civil(bytes)?),
        Wire::TimestampTz => {
            let at = civil(bytes)?.to_zoned(TimeZone::UTC).ok()?;
            Cell::Timestamp(at.with_time_zone(zone.clone()).datetime())
        }
    })
}

/// The type a column of this type has in results; `None` where it needs a cast.
pub(super) fn column_type(ty: &Type) -> Option<ColumnType> {
    wire(ty).map(natural)
}

fn wire(ty: &Type) -> Option<Wire> {
    Some(match *ty {
        Type::BOOL => Wire::Boolean,
        Type::INT2 => Wire::Int2,
        Type::INT4 => Wire::Int4,
        Type::INT8 => Wire::Int8,
        Type::OID => Wire::Oid,
        Type::FLOAT4 => Wire::Float4,
        Type::FLOAT8 => Wire::Float8,
        Type::NUMERIC => Wire::Numeric,
        Type::TEXT
        | Type::VARCHAR
        | Type::NAME
        | Type::JSON
        | Type::XML
        | Type::UNKNOWN
        | Type::CHAR => Wire::Text,
        Type::BPCHAR => Wire::Padded,
        Type::JSONB => Wire::Jsonb,
        Type::UUID => Wire::Uuid,
        Type::DATE => Wire::Date,
        Type::TIMESTAMP => Wire::Timestamp,
        Type::TIMESTAMPTZ => Wire::TimestampTz,
        ref other => match other.kind() {
            Kind::Enum(_) => Wire::Text,
            Kind::Domain(inner) => return wire(inner),
            Kind::Simple if other.name() == "citext" => Wire::Text,
            _ => return None,
        },
    })
}

fn natural(wire: Wire) -> ColumnType {
    match wire {
        Wire::Boolean => ColumnType::Boolean,
        Wire::Int2 | Wire::Int4 | Wire::Int8 | Wire::Oid => ColumnType::Integer,
        Wire::Float4 | Wire::Float8 | Wire::Numeric => ColumnType::Number,
        Wire::Text | Wire::Padded | Wire::Jsonb | Wire::Uuid => ColumnType::Text,
        Wire::Date => ColumnType::Date,
        Wire::Timestamp | Wire::TimestampTz => ColumnType::Timestamp,
    }
}

/// The bytes of a value of any type.
struct Raw<'r>(&'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn civil(bytes: &[u8]) -> Option<DateTime> {
    let micros = i64::from_be_bytes(bytes.try_into().ok()?);
    EPOCH
        .at(0, 0, 0, 0)
        .checked_add(SignedDuration::from_micros(micros))
        .ok()
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The exact decimal text of a `numeric`: a count of base-10000 digits, the weight of the first, sign, digits shown.
fn decimal(bytes: &[u8]) -> Option<String> {
    let word = |index: usize| {
        Some(u16::from_be_bytes(
            bytes.get(index * 2..index * 2 + 2)?.try_into().ok()?,
        ))
    };
    let (count, weight) = (usize::from(word(0)?), i32::from(word(1)?.cast_signed()));
    let (sign, scale) = (word(2)?, usize::from(word(3)?));
    let mut text = String::new();
    match sign {
        0x0000 => {}
        0x4000 => text.push('-'),
        0xC000 => return Some("NaN".to_owned()),
        0xD000 => return Some("inf".to_owned()),
        0xF000 => return Some("-inf".to_owned()),
        _ => return None,
    }
    // The digit group at a position counted from the decimal point: 0 is the last one before it.
    let group = |position: i32| -> Option<u16> {
        match usize::try_from(weight - position) {
            Ok(index) if index < count => word(4 + index),
            _ => Some(0),
        }
    };
    if weight < 0 {
        text.push('0');
    }
    for position in (0..=weight).rev() {
        let digits = group(position)?;
        text.push_str(&if position == weight {
            digits.to_string()
        } else {
            format!("{digits:04}")
        });
    }
    if scale > 0 {
        let mut fraction = String::new();
        for position in 1..=i32::try_from(scale.div_ceil(4)).ok()? {
            fraction.push_str(&format!("{:04}", group(-position)?));
        }
        text.push('.');
        text.push_str(fraction.get(..scale)?);
    }
    Some(text)
}

/// A decimal text without a fraction as an integer.
fn whole(decimal: &str) -> Option<i64> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    fraction
        .bytes()
        .all(|digit| digit == b'0')
        .then(|| whole.parse().ok())?
}
