//! The aggregates that SQLite's bundled build lacks: `percentile(x, p)` and `median(x)`.
//!
//! They are defined as in SQLite's own percentile extension (<https://sqlite.org/percentile.html>): NULLs are ignored,
//! `p` is 0 to 100, values between two ranks are interpolated linearly.

use std::panic::{RefUnwindSafe, UnwindSafe};

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_aggregate_function("percentile", 2, flags, Percentile)?;
    connection.create_aggregate_function("median", 1, flags, Percentile)
}

struct Percentile;

/// The values of one group, and the percentile asked for.
#[derive(Default)]
struct Group {
    values: Vec<f64>,
    percent: Option<f64>,
}

impl UnwindSafe for Percentile {}
impl RefUnwindSafe for Percentile {}

impl Aggregate<Group, Option<f64>> for Percentile {
    fn init(&self, _: &mut Context<'_>) -> Result<Group> {
        Ok(Group::default())
    }

    fn step(&self, context: &mut Context<'_>, group: &mut Group) -> Result<()> {
        let percent = if context.len() == 1 {
            50.0
        } else {
            number(context, 1)?.unwrap_or(f64::NAN)
        };
        if !(0.0..=100.0).contains(&percent) || group.percent.is_some_and(|first| first != percent)
        {
            return Err(fail(
                "the second argument of percentile() must be one number from 0 to 100",
            ));
        }
        group.percent = Some(percent);
        group.values.extend(number(context, 0)?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, group: Option<Group>) -> Result<Option<f64>> {
        let Some(Group {
            mut values,
            percent: Some(percent),
        }) = group
        else {
            return Ok(None);
        };
        values.sort_unstable_by(f64::total_cmp);
        Ok(interpolate(&values, percent))
    }
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the rank lies between 0 and the number of values"
)]
fn interpolate(sorted: &[f64], percent: f64) -> Option<f64> {
    let rank = percent * (sorted.len().checked_sub(1)? as f64) * 0.01;
    let low = sorted.get(rank as usize)?;
    let high = sorted.get(rank as usize + 1).unwrap_or(low);
    Some(low + (high - low) * (rank - rank.floor()))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "percentiles are doubles, as in SQLite's own extension"
)]
fn number(context: &Context<'_>, index: usize) -> Result<Option<f64>> {
    match context.get_raw(index) {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(integer) => Ok(Some(integer as f64)),
        ValueRef::Real(number) if number.is_finite() => Ok(Some(number)),
        _ => Err(fail("percentile() and median() take finite numbers")),
    }
}

fn fail(message: &str) -> Error {
    Error::UserFunctionError(message.into())
}
