//! `metrex_local(time, stored_in, zone)`: the local time of a stored one, since SQLite knows no time zones.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

use crate::warehouse::times;

pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("metrex_local", 3, flags, |context| {
        let text = match context.get_raw(0) {
            ValueRef::Null => return Ok(None),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
            other => return Err(fail(format!("a time is text, not {:?}", other.data_type()))),
        };
        let at = times::parse(text).ok_or_else(|| fail(format!("'{text}' is no time")))?;
        // A text with an offset of its own was read as UTC, whatever the others are stored in.
        let stored_in = match has_offset(text) {
            true => TimeZone::UTC,
            false => zone(context, 1)?,
        };
        let local = local(at, &stored_in, &zone(context, 2)?)?;
        Ok(Some(local.strftime("%Y-%m-%d %H:%M:%S%.f").to_string()))
    })
}

/// As PostgreSQL and DuckDB do it: a time that the clocks show twice is the later one.
fn local(at: DateTime, stored_in: &TimeZone, zone: &TimeZone) -> Result<DateTime> {
    let instant = stored_in.to_ambiguous_timestamp(at).later();
    let instant = instant.map_err(|error| fail(format!("'{at}': {error}")))?;
    Ok(zone.to_datetime(instant))
}

fn has_offset(text: &str) -> bool {
    let time = text.get(10..).unwrap_or_default();
    time.ends_with('Z') || time.contains(['+', '-'])
}

fn zone(context: &Context<'_>, index: usize) -> Result<TimeZone> {
    let name: String = context.get(index)?;
    TimeZone::get(&name).map_err(|_| fail(format!("there is no time zone '{name}'")))
}

fn fail(message: String) -> Error {
    Error::UserFunctionError(format!("metrex_local(): {message}").into())
}
