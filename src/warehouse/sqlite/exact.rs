//! `metrex_sum(x)`: a sum of decimals that is as exact as they are, so that sums kept in an embedded file add up to what
//! the warehouse they come from would say.
//!
//! A decimal is an integer, a text with its digits, or a number, which means its shortest decimal.

use std::panic::{RefUnwindSafe, UnwindSafe};

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_aggregate_function("metrex_sum", 1, flags, Sum)
}

/// A decimal: digits and how many of them stand after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: i128,
    scale: u32,
}

impl Decimal {
    /// Reads `-12.50`; nothing where it is no decimal, or has more digits than 38.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        Some(Self {
            digits: format!("{whole}{fraction}").parse().ok()?,
            scale: u32::try_from(fraction.len()).ok()?,
        })
    }

    fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let scaled = |one: Self| {
            let factor = 10_i128.checked_pow(scale - one.scale)?;
            one.digits.checked_mul(factor)
        };
        Some(Self {
            digits: scaled(self)?.checked_add(scaled(other)?)?,
            scale,
        })
    }

    /// The nearest number.
    fn number(self) -> Option<f64> {
        format!("{}e-{}", self.digits, self.scale).parse().ok()
    }

    /// The integer, where it is one of 64 bits.
    pub(super) fn integer(self) -> Option<i64> {
        match self.scale {
            0 => i64::try_from(self.digits).ok(),
            _ => None,
        }
    }

    /// The number whose shortest decimal it is.
    pub(super) fn shortest(self) -> Option<f64> {
        let number = self.number()?;
        (Self::read(&number.to_string()) == Some(self)).then_some(number)
    }
}

struct Sum;

/// What was added up so far: exactly, as long as that is possible, and as a number.
struct Total {
    exact: Option<Decimal>,
    number: f64,
    is_empty: bool,
}

impl UnwindSafe for Sum {}
impl RefUnwindSafe for Sum {}

impl Aggregate<Total, Option<f64>> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<Total> {
        Ok(Total {
            exact: Some(Decimal {
                digits: 0,
                scale: 0,
            }),
            number: 0.0,
            is_empty: true,
        })
    }

    fn step(&self, context: &mut Context<'_>, total: &mut Total) -> Result<()> {
        let text = match context.get_raw(0) {
            ValueRef::Null => return Ok(()),
            ValueRef::Integer(integer) => integer.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            ValueRef::Blob(_) => return Err(fail("a blob")),
        };
        let number: f64 = text.parse().map_err(|_| fail(&text))?;
        let exact = total.exact.zip(Decimal::read(&text));
        total.exact = exact.and_then(|(sum, next)| sum.plus(next));
        total.number += number;
        total.is_empty = false;
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, total: Option<Total>) -> Result<Option<f64>> {
        let Some(total) = total.filter(|total| !total.is_empty) else {
            return Ok(None);
        };
        let exact = total.exact.and_then(Decimal::number);
        Ok(Some(exact.unwrap_or(total.number)))
    }
}

fn fail(what: &str) -> Error {
    Error::UserFunctionError(format!("metrex_sum() takes decimals, not {what}").into())
}
