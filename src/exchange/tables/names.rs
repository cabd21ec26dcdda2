//! Names that a project can hold, and the pairs of columns that a join's condition is.

use super::sql::{Name, Sql};
use crate::model::Grain;

/// A name of letters, digits and `_` that starts with a letter.
pub(in crate::exchange) fn clean(name: &str) -> String {
    let word = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let words: String = name.trim().chars().map(word).collect();
    match words.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        true => words,
        false => format!("_{words}"),
    }
}

/// A name of a dimension: one that is a time grain has that of its table before it.
pub(super) fn dimension_name(name: &str, table: &str) -> String {
    let cleaned = clean(name);
    match Grain::from_word(&cleaned.to_lowercase()) {
        Some(_) => format!("{table}_{cleaned}"),
        None => cleaned,
    }
}

/// A name that is not among those taken, ignoring case: `name`, else `name_2` and so on.
pub(super) fn free(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let others = (2..).map(|n| format!("{name}_{n}"));
    let mut all = [name.to_owned()].into_iter().chain(others);
    all.find(|name| !is_taken(name)).unwrap_or_default()
}

/// The columns of a join's condition, here and there, as names of each table. `is_other` tells a name of the other table.
///
/// # Errors
/// It is more than equal columns.
pub(in crate::exchange) fn join_on(
    condition: &Sql,
    is_other: impl Fn(&Name) -> bool,
) -> Result<Vec<(Name, Name)>, String> {
    let pair = |part: &Sql| {
        let (left, right) = part.equality()?;
        let (here, there) = match (is_other(&left), is_other(&right)) {
            (false, true) => (left, right),
            (true, false) => (right, left),
            _ => return None,
        };
        Some((bare(here), bare(there)))
    };
    let parts = condition.conjuncts();
    let pairs: Option<Vec<_>> = parts.iter().map(pair).collect();
    pairs.ok_or_else(|| "it joins by more than equal columns".to_owned())
}

/// A name without the table it is of.
fn bare(name: Name) -> Name {
    Name {
        path: Vec::new(),
        ..name
    }
}
