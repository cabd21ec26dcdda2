//! SQLite state files (value index, usage): the only room that opens them.
//!
//! Rooms that keep state use the few names of rusqlite that are passed on here.

mod open;

pub use open::{FileIdentity, OnDamage, StoreError, identity, open};
pub use rusqlite::{
    Connection, Error as SqlError, ErrorCode, InterruptHandle, OptionalExtension, Row,
    TransactionBehavior, params, params_from_iter, types::Type as SqlType,
};
