//! Conditions of a query as SQL: literals are typed by their dimension and checked against the known values first.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::scope::{Resolved, Scope};
use super::{CompileError, ErrorCode, Reason, ReasonKind};
use crate::model::{ColumnState, CompareOp, Dimension, DimensionType, Filter, Period, ValueLookup};
use crate::registry::nearest;
use crate::warehouse::Dialect;

/// How many valid values an error message lists.
const LISTED: usize = 8;

/// The condition as SQL over the scope's tables.
pub(super) fn condition(
    filter: &Filter,
    scope: &mut Scope<'_>,
    dialect: Dialect,
    values: &dyn ValueLookup,
) -> Result<String, CompileError> {
    let not = |negated: bool| if negated { "NOT " } else { "" };
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            let word = if matches!(filter, Filter::And(_)) {
                " AND "
            } else {
                " OR "
            };
            let parts = parts
                .iter()
                .map(|part| condition(part, scope, dialect, values).map(|sql| format!("({sql})")))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(parts.join(word))
        }
        Filter::Not(part) => Ok(format!(
            "NOT ({})",
            condition(part, scope, dialect, values)?
        )),
        Filter::IsNull { field, negated } => {
            let found = scope.dimension(field)?;
            Ok(format!("{} IS {}NULL", found.sql, not(*negated)))
        }
        Filter::Compare { field, op, value } => {
            let found = scope.dimension(field)?;
            if matches!(op, CompareOp::Eq | CompareOp::Ne) {
                known(&found, field, value, scope, values)?;
            }
            compare(&found, field, *op, value, dialect)
        }
        Filter::In {
            field,
            values: literals,
            negated,
        } => {
            let found = scope.dimension(field)?;
            let mut parts = Vec::new();
            for literal in literals {
                known(&found, field, literal, scope, values)?;
            }
            if matches!(
                found.dimension.kind,
                DimensionType::Text | DimensionType::Number
            ) {
                for literal in literals {
                    parts.push(scalar(found.dimension, field, literal, dialect)?);
                }
                return Ok(format!(
                    "{} {}IN ({})",
                    found.sql,
                    not(*negated),
                    parts.join(", ")
                ));
            }
            for literal in literals {
                parts.push(format!(
                    "({})",
                    compare(&found, field, CompareOp::Eq, literal, dialect)?
                ));
            }
            let any = parts.join(" OR ");
            Ok(if *negated {
                format!("NOT ({any})")
            } else {
                format!("({any})")
            })
        }
        Filter::Between {
            field,
            low,
            high,
            negated,
        } => {
            let found = scope.dimension(field)?;
            let from = compare(&found, field, CompareOp::Ge, low, dialect)?;
            let to = compare(&found, field, CompareOp::Le, high, dialect)?;
            Ok(if *negated {
                format!("NOT ({from} AND {to})")
            } else {
                format!("{from} AND {to}")
            })
        }
        Filter::Like {
            field,
            pattern,
            negated,
        } => {
            let found = scope.dimension(field)?;
            if found.dimension.kind != DimensionType::Text {
                return Err(invalid(
                    field,
                    pattern,
                    "like",
                    "is for text; compare with =, <, > or between",
                ));
            }
            Ok(dialect.like(&found.sql, pattern, *negated))
        }
    }
}

fn compare(
    found: &Resolved<'_>,
    field: &str,
    op: CompareOp,
    value: &str,
    dialect: Dialect,
) -> Result<String, CompileError> {
    let sql = &found.sql;
    if found.dimension.kind.is_time() {
        return instant(sql, field, op, value, dialect);
    }
    if found.dimension.kind == DimensionType::Boolean {
        let value = match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" | "t" => true,
            "false" | "no" | "0" | "f" => false,
            _ => {
                return Err(invalid(
                    field,
                    value,
                    "a truth value",
                    "write true or false",
                ));
            }
        };
        return match op {
            CompareOp::Eq => Ok(dialect.is_boolean(sql, value)),
            CompareOp::Ne => Ok(dialect.is_boolean(sql, !value)),
            _ => Err(invalid(
                field,
                op.symbol(),
                "a comparison of truth values",
                "use = or !=",
            )),
        };
    }
    Ok(format!(
        "{sql} {} {}",
        operator(op),
        scalar(found.dimension, field, value, dialect)?
    ))
}

/// The operator as SQL writes it.
pub(super) fn operator(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Ne => "<>",
        other => other.symbol(),
    }
}

/// A number literal, checked; the text is kept, since it is exact.
pub(super) fn number(field: &str, value: &str) -> Result<String, CompileError> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().filter(|b| *b == b'.').count() <= 1
        && !digits.ends_with('.');
    if plain {
        Ok(value.to_owned())
    } else {
        Err(invalid(
            field,
            value,
            "a number",
            "write digits, such as 1000 or -2.5",
        ))
    }
}

fn scalar(
    dimension: &Dimension,
    field: &str,
    value: &str,
    dialect: Dialect,
) -> Result<String, CompileError> {
    match dimension.kind {
        DimensionType::Number => number(field, value),
        _ => Ok(dialect.text(value)),
    }
}

/// A condition on a time dimension. A day, month, quarter or year stands for all of it: `<= 2025-11` includes November.
fn instant(
    sql: &str,
    field: &str,
    op: CompareOp,
    value: &str,
    dialect: Dialect,
) -> Result<String, CompileError> {
    if let Some((start, end)) = Period::parse(value).and_then(Period::days) {
        let day = |day: Date| dialect.date(day);
        return Ok(match op {
            CompareOp::Eq => format!("{sql} >= {} AND {sql} < {}", day(start), day(end)),
            CompareOp::Ne => format!("({sql} < {} OR {sql} >= {})", day(start), day(end)),
            CompareOp::Lt => format!("{sql} < {}", day(start)),
            CompareOp::Le => format!("{sql} < {}", day(end)),
            CompareOp::Gt => format!("{sql} >= {}", day(end)),
            CompareOp::Ge => format!("{sql} >= {}", day(start)),
        });
    }
    let spaced = value.replacen(' ', "T", 1);
    match spaced.parse::<DateTime>() {
        Ok(at) => Ok(format!("{sql} {} {}", operator(op), dialect.timestamp(at))),
        Err(_) => Err(invalid(
            field,
            value,
            "a date",
            "write 2025, 2025Q3, 2025-11, 2025-11-03 or '2025-11-03 14:30'",
        )),
    }
}

fn invalid(field: &str, value: &str, what: &str, hint: &str) -> CompileError {
    CompileError::new(
        ErrorCode::InvalidValue,
        format!("'{value}' is not {what} for {field}"),
    )
    .hint(hint)
    .word(value)
}

/// Refuses a literal that does not occur in the data; says so where that cannot be known.
fn known(
    found: &Resolved<'_>,
    field: &str,
    value: &str,
    scope: &mut Scope<'_>,
    values: &dyn ValueLookup,
) -> Result<(), CompileError> {
    let kind = found.dimension.kind;
    if kind.is_time() || kind == DimensionType::Boolean {
        return Ok(());
    }
    let (table, column) = (found.dataset.index_table(), found.dimension.index_column());
    let unchecked = match values.state(table, column) {
        ColumnState::Indexed { distinct } => {
            if values.contains(table, column, value)
                || same_number(kind, table, column, value, values)
            {
                return Ok(());
            }
            let near = values.nearest(table, column, value, LISTED);
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
            return Err(match nearest(value, near.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean '{near}'?")),
                None => error,
            });
        }
        ColumnState::Wide { distinct } => format!("too many values to index ({distinct})"),
        ColumnState::Pii => "personal data, which is never indexed".to_owned(),
        ColumnState::Missing => "not indexed yet (metrex reindex)".to_owned(),
    };
    let text = format!("{field} '{value}' was not checked: {unchecked}");
    let reason = Reason {
        kind: ReasonKind::Note,
        text,
        place: Some(found.dimension.place),
    };
    if !scope.reasons.contains(&reason) {
        scope.reasons.push(reason);
    }
    Ok(())
}

/// `7.0` is `7`.
fn same_number(
    kind: DimensionType,
    table: &str,
    column: &str,
    value: &str,
    values: &dyn ValueLookup,
) -> bool {
    kind == DimensionType::Number
        && value
            .parse::<f64>()
            .is_ok_and(|number| values.contains(table, column, &number.to_string()))
}

fn plural(word: &str) -> String {
    if let Some(stem) = word
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']))
    {
        format!("{stem}ies")
    } else if word.ends_with(['s', 'x']) || word.ends_with("ch") {
        format!("{word}es")
    } else {
        format!("{word}s")
    }
}

/// Half-open bounds on a time expression.
pub(super) fn bounds(
    sql: &str,
    range: crate::model::DateRange,
    dialect: Dialect,
) -> Option<String> {
    let from = range
        .start
        .map(|start| format!("{sql} >= {}", dialect.date(start)));
    let to = range
        .end
        .map(|end| format!("{sql} < {}", dialect.date(end)));
    match (from, to) {
        (Some(from), Some(to)) => Some(format!("{from} AND {to}")),
        (one, other) => one.or(other),
    }
}

/// The day before the end of a range, never after `today`: where a spine of periods stops.
pub(super) fn last_day(end: Date, today: Date) -> Date {
    end.saturating_sub(1.day()).min(today)
}
