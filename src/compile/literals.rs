//! Literals of a query against the known values: what does not occur in the data is refused before any SQL exists.

use super::scope::{Resolved, Scope};
use super::{CompileError, ErrorCode, Reason, ReasonKind};
use crate::model::alike::fold;
use crate::model::world;
use crate::model::{ColumnState, Dataset, Dimension, DimensionType, ValueLookup};
use crate::registry::nearest;

/// How many valid values an error message lists.
const LISTED: usize = 8;

/// What is known about one literal in one column.
enum Knowledge {
    Occurs,
    Unknown { distinct: u64 },
    Unchecked(String),
}

/// Refuses a literal that does not occur in the data; says so where that cannot be known.
///
/// A value that another dataset of the query has under the same name is a value: there are just no rows of it here.
pub(super) fn known(
    found: &Resolved<'_>,
    field: &str,
    value: &str,
    scope: &mut Scope<'_>,
) -> Result<(), CompileError> {
    let elsewhere = || scope.elsewhere(field);
    let reason = check(
        found,
        (field, value),
        scope.values,
        &elsewhere,
        &scope.base.name,
    )?;
    reason.into_iter().for_each(|reason| scope.note(reason));
    Ok(())
}

/// The same, with what there is to say. `elsewhere` gives the same dimension in the other datasets of the query.
pub(super) fn check<'a>(
    found: &Resolved<'_>,
    (field, value): (&str, &str),
    values: &dyn ValueLookup,
    elsewhere: &dyn Fn() -> Vec<(&'a Dataset, &'a Dimension)>,
    base: &str,
) -> Result<Option<Reason>, CompileError> {
    let kind = found.dimension.kind;
    if kind.is_time() || kind == DimensionType::Boolean {
        return Ok(None);
    }
    let text = match look(found.dataset, found.dimension, value, values) {
        Knowledge::Occurs => return Ok(None),
        Knowledge::Unchecked(why) => format!("{field} '{value}' was not checked: {why}"),
        Knowledge::Unknown { distinct } => {
            let may_occur = elsewhere().into_iter().any(|(dataset, dimension)| {
                !matches!(
                    look(dataset, dimension, value, values),
                    Knowledge::Unknown { .. }
                )
            });
            if !may_occur {
                return Err(unknown(found, field, value, distinct, values));
            }
            format!("{base} has no rows with {field} '{value}'")
        }
    };
    Ok(Some(Reason {
        kind: ReasonKind::Note,
        text,
        place: Some(found.dimension.place),
    }))
}

fn look(
    dataset: &Dataset,
    dimension: &Dimension,
    value: &str,
    values: &dyn ValueLookup,
) -> Knowledge {
    let (table, column) = (&*dataset.index_table(), &*dimension.index_column());
    let state = if dimension.pii {
        ColumnState::Pii
    } else {
        values.state(table, column)
    };
    match state {
        ColumnState::Indexed { distinct } => {
            // 7.0 is 7.
            let number = value
                .parse::<f64>()
                .ok()
                .filter(|_| dimension.kind == DimensionType::Number);
            let occurs = values.contains(table, column, value)
                || number.is_some_and(|number| values.contains(table, column, &number.to_string()));
            if occurs {
                Knowledge::Occurs
            } else {
                Knowledge::Unknown { distinct }
            }
        }
        ColumnState::Wide { distinct } => {
            Knowledge::Unchecked(format!("too many values to index ({distinct})"))
        }
        ColumnState::Pii => {
            Knowledge::Unchecked("personal data, which is never indexed".to_owned())
        }
        ColumnState::Missing => Knowledge::Unchecked("not indexed yet (metrex reindex)".to_owned()),
    }
}

fn unknown(
    found: &Resolved<'_>,
    field: &str,
    value: &str,
    distinct: u64,
    values: &dyn ValueLookup,
) -> CompileError {
    let near = values.nearest(
        &found.dataset.index_table(),
        &found.dimension.index_column(),
        value,
        LISTED,
    );
    let more = if distinct > near.len() as u64 {
        ", …"
    } else {
        ""
    };
    let label = field.rsplit('.').next().unwrap_or(field).replace('_', " ");
    let listed = if near.is_empty() {
        format!("{label} has no values")
    } else {
        format!("Valid {}: {}{more}", plural(&label), near.join(", "))
    };
    let error = CompileError::new(
        ErrorCode::UnknownValue,
        format!("Unknown {label} '{value}'. {listed}"),
    )
    .word(value);
    let new = "a value that is newer than the index: metrex reindex";
    if let Some(meant) = also_called(found, value, values) {
        return error.hint(format!("did you mean {meant}? Or is it {new}"));
    }
    match nearest(value, near.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean '{near}'? Or is it {new}")),
        None => error.hint(format!("for {new}")),
    }
}

/// The value that this text is an alias of, or the country or currency of: `'BR' (Brazil)`.
fn also_called(found: &Resolved<'_>, text: &str, values: &dyn ValueLookup) -> Option<String> {
    let (table, column) = (found.dataset.index_table(), found.dimension.index_column());
    let folded = fold(text);
    let mut aliases = found.dimension.value_aliases.iter();
    let is_called = |aliases: &[String]| aliases.iter().any(|alias| fold(alias) == folded);
    if let Some((value, _)) = aliases.find(|(_, aliases)| is_called(aliases)) {
        return Some(format!("'{value}'"));
    }
    let named = world::codes(text).into_iter();
    let similar = world::similar(text).into_iter().map(|(name, ..)| name);
    named.chain(similar).find_map(|name| {
        let mut spellings = name.spellings();
        let value = spellings.find(|value| values.contains(&table, &column, value))?;
        Some(format!("'{value}' ({})", name.name))
    })
}

fn plural(word: &str) -> String {
    let consonant_y = word
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    if let Some(stem) = consonant_y {
        format!("{stem}ies")
    } else if word.ends_with(['s', 'x']) || word.ends_with("ch") {
        format!("{word}es")
    } else {
        format!("{word}s")
    }
}
