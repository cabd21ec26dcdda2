//! The functions that SQLite's bundled build lacks: percentiles, standard deviation, variance, and powers.
//!
//! `median(x)` and `percentile(x, p)` are defined as in SQLite's own extension (<https://sqlite.org/percentile.html>),
//! with `p` from 0 to 100 and interpolation between two ranks. `percentile_disc(x, p)` takes `p` from 0 to 1 and returns
//! the first value whose share of the values reaches it, as in standard SQL; so do the `stddev_` and `var_` functions.
//! NULLs are ignored by all of them.

use std::panic::{RefUnwindSafe, UnwindSafe};

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let percentile = |name, arguments, rank| {
        connection.create_aggregate_function(name, arguments, flags, Percentile(rank))
    };
    percentile("percentile", 2, Rank::Between)?;
    percentile("median", 1, Rank::Between)?;
    percentile("percentile_disc", 2, Rank::First)?;
    let spread = |name, divisor, root| {
        connection.create_aggregate_function(name, 1, flags, Spread { divisor, root })
    };
    spread("var_samp", Divisor::Sample, false)?;
    spread("var_pop", Divisor::Population, false)?;
    spread("stddev_samp", Divisor::Sample, true)?;
    spread("stddev_pop", Divisor::Population, true)?;
    connection.create_scalar_function("power", 2, flags, |context| {
        let (base, exponent) = (number(context, 0)?, number(context, 1)?);
        Ok(base
            .zip(exponent)
            .map(|(base, exponent)| base.powf(exponent)))
    })
}

/// What a percentile between two values is.
#[derive(Debug, Clone, Copy)]
enum Rank {
    /// Interpolated; the percentile is 0 to 100.
    Between,
    /// The first value that reaches it; the percentile is 0 to 1.
    First,
}

struct Percentile(Rank);

/// The values of one group, and the percentile asked for.
#[derive(Default)]
struct Group {
    values: Vec<f64>,
    percentile: Option<f64>,
}

impl UnwindSafe for Percentile {}
impl RefUnwindSafe for Percentile {}

impl Aggregate<Group, Option<f64>> for Percentile {
    fn init(&self, _: &mut Context<'_>) -> Result<Group> {
        Ok(Group::default())
    }

    fn step(&self, context: &mut Context<'_>, group: &mut Group) -> Result<()> {
        let percentile = if context.len() == 1 {
            50.0
        } else {
            number(context, 1)?.unwrap_or(f64::NAN)
        };
        let (most, message) = match self.0 {
            Rank::Between => (
                100.0,
                "the second argument of percentile() must be one number from 0 to 100",
            ),
            Rank::First => (
                1.0,
                "the second argument of percentile_disc() must be one number from 0 to 1",
            ),
        };
        if !(0.0..=most).contains(&percentile)
            || group.percentile.is_some_and(|first| first != percentile)
        {
            return Err(fail(message));
        }
        group.percentile = Some(percentile);
        group.values.extend(number(context, 0)?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, group: Option<Group>) -> Result<Option<f64>> {
        let Some(Group {
            mut values,
            percentile: Some(percentile),
        }) = group
        else {
            return Ok(None);
        };
        values.sort_unstable_by(f64::total_cmp);
        Ok(match self.0 {
            Rank::Between => interpolate(&values, percentile),
            Rank::First => first_to_reach(&values, percentile),
        })
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
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the place lies between 0 and the number of values"
)]
fn first_to_reach(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len() as f64;
    // 0.07 of 100 values is the 7th, although the product of these doubles is a little more than 7.
    let whole = place.round();
    let place = if (place - whole).abs() < 1e-9 * whole {
        whole
    } else {
        place.ceil()
    };
    sorted.get((place as usize).saturating_sub(1)).copied()
}

/// What the squares are divided by.
#[derive(Debug, Clone, Copy)]
enum Divisor {
    /// One less than the values.
    Sample,
    /// The number of values.
    Population,
}

struct Spread {
    divisor: Divisor,
    root: bool,
}

/// Welford's running mean and sum of squared distances from it: sums of squares would cancel each other out.
#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Aggregate<Moments, Option<f64>> for Spread {
    fn init(&self, _: &mut Context<'_>) -> Result<Moments> {
        Ok(Moments::default())
    }

    fn step(&self, context: &mut Context<'_>, moments: &mut Moments) -> Result<()> {
        if let Some(value) = number(context, 0)? {
            moments.count += 1.0;
            let from_old = value - moments.mean;
            moments.mean += from_old / moments.count;
            moments.squares += from_old * (value - moments.mean);
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, moments: Option<Moments>) -> Result<Option<f64>> {
        let Some(moments) = moments else {
            return Ok(None);
        };
        let divisor = match self.divisor {
            Divisor::Sample => moments.count - 1.0,
            Divisor::Population => moments.count,
        };
        let variance = (divisor > 0.0).then(|| moments.squares / divisor);
        Ok(variance.map(|variance| if self.root { variance.sqrt() } else { variance }))
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "percentiles and deviations are doubles, as in SQLite's own extension"
)]
fn number(context: &Context<'_>, index: usize) -> Result<Option<f64>> {
    match context.get_raw(index) {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(integer) => Ok(Some(integer as f64)),
        ValueRef::Real(number) if number.is_finite() => Ok(Some(number)),
        _ => Err(fail(
            "percentiles, deviations, variances and powers take finite numbers",
        )),
    }
}

fn fail(message: &str) -> Error {
    Error::UserFunctionError(message.into())
}
