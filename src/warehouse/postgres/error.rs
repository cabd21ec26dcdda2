//! PostgreSQL's errors in plain words.

use std::error::Error as _;
use std::io::ErrorKind;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use super::settings::Target;
use crate::warehouse::error::located;
use crate::warehouse::{WarehouseError, WarehouseErrorKind};

/// Why no connection came about.
pub(super) fn connecting(error: &Error, target: &Target) -> WarehouseError {
    let name = &target.name;
    if let Some(db) = error.as_db_error() {
        let from = match target.password.describe() {
            from if from == "nowhere" => "no password was found".to_owned(),
            from => format!("the password came from {from}"),
        };
        return match *db.code() {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                WarehouseError::new(
                    WarehouseErrorKind::Auth,
                    format!("PostgreSQL refused {name}: {}", db.message()),
                )
                .hint(from)
            }
            _ => WarehouseError::connection(format!("PostgreSQL refused {name}: {}", db.message())),
        };
    }
    let source = error.source();
    let cause = source.map_or_else(|| error.to_string(), ToString::to_string);
    // The driver keeps the kinds of its errors to itself; their texts are all there is to tell them by.
    if cause == "password missing" {
        return WarehouseError::new(
            WarehouseErrorKind::Auth,
            format!("PostgreSQL at {name} asks for a password and none was found"),
        )
        .hint(target.password.advice());
    }
    if error.to_string().contains("authentication") {
        return WarehouseError::new(
            WarehouseErrorKind::Auth,
            format!("cannot log in at {name}: {cause}"),
        );
    }
    if error.to_string().contains("TLS") {
        return WarehouseError::connection(format!("no TLS connection to {name}: {cause}"))
            .hint("sslmode and ssl_root_cert decide what is checked");
    }
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    let what = match io.map(std::io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => "the connection was refused".to_owned(),
        Some(ErrorKind::NotFound) => "there is no server socket".to_owned(),
        Some(ErrorKind::TimedOut) => "it did not answer in time".to_owned(),
        _ if cause.contains("lookup") => "the name of the host is unknown".to_owned(),
        _ if cause.contains("timed out") => "it did not answer in time".to_owned(),
        _ => cause,
    };
    WarehouseError::connection(format!("cannot reach PostgreSQL at {name}: {what}"))
        .hint("is the server running, and are host and port right?")
}

/// Why a statement failed.
pub(super) fn running(error: &Error, target: &Target, sql: &str) -> WarehouseError {
    let Some(db) = error.as_db_error() else {
        let cause = error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string);
        return died(target, &cause);
    };
    match *db.code() {
        SqlState::QUERY_CANCELED if !db.message().contains("user request") => WarehouseError::new(
            WarehouseErrorKind::Timeout,
            format!("PostgreSQL stopped the statement: {}", db.message()),
        )
        .hint("statement_timeout of the connection, or of the role, is the limit"),
        SqlState::QUERY_CANCELED => WarehouseError::query(format!(
            "somebody else cancelled the statement: {}",
            db.message()
        )),
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            died(target, db.message())
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => WarehouseError::query(format!(
            "only statements that read are run: {}",
            db.message()
        )),
        _ => refused(db, sql),
    }
}

fn died(target: &Target, cause: &str) -> WarehouseError {
    WarehouseError::connection(format!(
        "the connection to PostgreSQL at {} was lost: {cause}",
        target.name
    ))
    .hint("the next query connects again")
}

fn refused(db: &DbError, sql: &str) -> WarehouseError {
    let mut message = db.message().to_owned();
    if let Some(detail) = db.detail() {
        message = format!("{message} ({detail})");
    }
    let error = match db.position() {
        Some(ErrorPosition::Original(position)) => {
            let before = (*position as usize).saturating_sub(1);
            let before: String = sql.chars().take(before).collect();
            WarehouseError::query(located(&message, &before))
        }
        _ => WarehouseError::query(message),
    };
    match db.hint() {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
