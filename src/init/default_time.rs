//! The time a table is read by when a query only says "by month".

use super::roles::Role;
use super::survey::{Column, Table};
use super::words::{self, has_word};

/// First words of a time at which a row began.
const BEGAN: [&str; 8] = [
    "created", "creation", "placed", "occurred", "happened", "inserted", "event", "sold",
];
/// Names of a time that need no other word.
const PLAIN: [&str; 8] = [
    "date",
    "day",
    "timestamp",
    "time",
    "ts",
    "datetime",
    "at",
    "month",
];
/// First words of a time at which something else began.
const STARTED: [&str; 9] = [
    "signed",
    "registered",
    "joined",
    "opened",
    "first",
    "started",
    "start",
    "booked",
    "hired",
];
/// Words of a time that comes later in the life of a row.
const LATER: [&str; 14] = [
    "last",
    "next",
    "updated",
    "modified",
    "ended",
    "end",
    "closed",
    "cancelled",
    "canceled",
    "refunded",
    "returned",
    "shipped",
    "delivered",
    "churned",
];
/// Words of a time that is not about what happened.
const BESIDE: [&str; 13] = [
    "birth", "dob", "due", "expires", "expired", "expiry", "until", "to", "deleted", "synced",
    "loaded", "ingested", "exported",
];

/// The one named after what happened, else the moment the row began; never one that is mostly empty.
pub(super) fn find<'t>(table: &'t Table, roles: &[Role]) -> Option<&'t Column> {
    let times = table.columns.iter().zip(roles);
    times
        .filter(|(column, role)| **role == Role::Time && column.nulls * 2 <= table.judged)
        .map(|(column, _)| column)
        .min_by_key(|column| {
            let some_empty = column.nulls * 20 > table.judged;
            (
                rank(&words::identifier(&column.name), &table.entity),
                some_empty,
            )
        })
}

/// The smaller, the more a column called `name` is the time of an `entity`.
fn rank(name: &str, entity: &str) -> u8 {
    let parts = words::words(name);
    let first = parts.first().copied().unwrap_or_default();
    let happened = words::words(entity).last().copied().unwrap_or_default();
    let stem = happened.strip_suffix('e').unwrap_or(happened);
    let is_own = first == happened || first == format!("{stem}ed");
    let ends_as_time = matches!(parts.last(), Some(&("at" | "date" | "on")));
    match () {
        () if is_own => 0,
        () if has_word(name, &BESIDE) => 7,
        () if has_word(name, &LATER) => 6,
        () if BEGAN.contains(&first) => 1,
        () if PLAIN.contains(&name) => 2,
        () if STARTED.contains(&first) => 3,
        () if ends_as_time => 4,
        () => 5,
    }
}
