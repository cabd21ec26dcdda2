//! Errors of ADBC drivers in plain words.

use adbc_core::error::{Error, Status};

use crate::warehouse::{WarehouseError, WarehouseErrorKind};

/// Why no connection came about.
pub(super) fn connecting(error: &Error, target: &str) -> WarehouseError {
    let text = first_part(&error.message);
    match error.status {
        Status::Unauthenticated | Status::Unauthorized => WarehouseError::new(
            WarehouseErrorKind::Auth,
            format!("{target} refused the login: {text}"),
        ),
        _ if text.contains("Conflicting lock") || text.contains("Could not set lock") => {
            WarehouseError::connection(format!("{target} is locked by another program")).hint(
                "DuckDB lets nobody else in while a program writes; try again when it has finished",
            )
        }
        _ if text.contains("not a valid DuckDB database") => {
            WarehouseError::connection(format!("{target} is not a DuckDB database"))
        }
        _ => WarehouseError::connection(format!("cannot open {target}: {text}")),
    }
}

/// Why a statement failed.
pub(super) fn running(error: &Error, target: &str, sql: &str) -> WarehouseError {
    let text = &error.message;
    match error.status {
        Status::Cancelled => WarehouseError::cancelled(),
        _ if text.contains("INTERRUPT") => WarehouseError::cancelled(),
        Status::Timeout => {
            WarehouseError::new(WarehouseErrorKind::Timeout, first_part(text).to_owned())
        }
        Status::Unauthenticated | Status::Unauthorized => {
            WarehouseError::new(WarehouseErrorKind::Auth, first_part(text).to_owned())
        }
        Status::IO => WarehouseError::connection(format!("{target}: {}", first_part(text))),
        _ if text.contains("file system operations are disabled") => {
            WarehouseError::query(first_part(text).to_owned())
                .hint("the connection reads its own tables and nothing else")
        }
        _ => WarehouseError::query(placed(text, sql)),
    }
}

/// A message without the kind of error that DuckDB begins it with and without the excerpt of the SQL that ends it.
fn first_part(message: &str) -> &str {
    let message = message.split("\n\nLINE ").next().unwrap_or(message).trim();
    let kind = message.split_once(" Error: ");
    match kind {
        Some((kind, rest)) if kind.len() < 30 && !kind.contains('\n') => rest,
        _ => message,
    }
}

/// The first part with the place in the SQL that the excerpt points to: `LINE 2:   nop` and `^` below it.
fn placed(message: &str, sql: &str) -> String {
    let text = first_part(message);
    let place = message.split_once("\n\nLINE ").and_then(|(_, excerpt)| {
        let mut lines = excerpt.lines();
        let (number, shown) = lines.next()?.split_once(": ")?;
        let caret = lines.next()?.find('^')?;
        let line: usize = number.parse().ok()?;
        // The excerpt of a long line is cut, and then begins with dots.
        let before = caret.checked_sub("LINE ".len() + number.len() + ": ".len())?;
        let whole = sql.lines().nth(line.checked_sub(1)?)?;
        let column = match shown.strip_prefix("...") {
            None => before,
            Some(cut) => {
                let cut = cut.strip_suffix("...").unwrap_or(cut);
                whole.find(cut)? + before.checked_sub(3)?
            }
        };
        Some(format!(" (line {line}, column {} of the SQL)", column + 1))
    });
    format!("{text}{}", place.unwrap_or_default())
}
