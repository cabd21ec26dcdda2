//! Conditions of a query as SQL: literals are typed by their dimension and checked against the known values first.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::operand::{Fields, Operand};
use super::{CompileError, ErrorCode, Reason, ReasonKind};
use crate::model::{ColumnType, CompareOp, DimensionType, Filter, Period};
use crate::warehouse::Dialect;

/// The condition as SQL over the scope's tables.
pub(super) fn condition(
    filter: &Filter,
    fields: &mut dyn Fields<'_>,
    dialect: Dialect,
) -> Result<String, CompileError> {
    let not = |negated: bool| if negated { "NOT " } else { "" };
    if let Filter::Compare {
        field,
        op: CompareOp::Ne,
        ..
    }
    | Filter::In {
        field,
        negated: true,
        ..
    }
    | Filter::Between {
        field,
        negated: true,
        ..
    }
    | Filter::Like {
        field,
        negated: true,
        ..
    } = filter
    {
        let text = format!(
            "rows without {field} are left out: \"{filter}\" is neither true nor false for them"
        );
        fields.note(Reason {
            kind: ReasonKind::Note,
            text,
            place: None,
        });
    }
    let is_one = !matches!(filter, Filter::And(_) | Filter::Or(_) | Filter::Not(_));
    if let [field] = filter.fields().as_slice()
        && let Some((sql, ty)) = fields.each(field)
        && is_one
    {
        return figure(filter, (&sql, ty), dialect);
    }
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            let word = if matches!(filter, Filter::And(_)) {
                " AND "
            } else {
                " OR "
            };
            let parts = parts
                .iter()
                .map(|part| condition(part, fields, dialect).map(|sql| format!("({sql})")))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(parts.join(word))
        }
        Filter::Not(part) => Ok(format!("NOT ({})", condition(part, fields, dialect)?)),
        Filter::IsNull { field, negated } => {
            let found = fields.operand(field, dialect)?;
            Ok(format!("{} IS {}NULL", found.sql, not(*negated)))
        }
        Filter::Compare { field, op, value } => {
            let found = fields.operand(field, dialect)?;
            if matches!(op, CompareOp::Eq | CompareOp::Ne) || found.is_name(value) {
                fields.known(&found, field, value)?;
            }
            compare(&found, field, *op, value, dialect)
        }
        Filter::In {
            field,
            values: literals,
            negated,
        } => {
            let found = fields.operand(field, dialect)?;
            let mut parts = Vec::new();
            for literal in literals {
                fields.known(&found, field, literal)?;
            }
            let mut days = literals.iter().filter(|literal| found.is_day(literal));
            if matches!(found.kind, DimensionType::Text | DimensionType::Number)
                && days.next().is_none()
            {
                for literal in literals {
                    parts.push(scalar(found.kind, field, literal, dialect)?);
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
            let found = fields.operand(field, dialect)?;
            for end in [low, high].into_iter().filter(|end| found.is_name(end)) {
                fields.known(&found, field, end)?;
            }
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
            let found = fields.operand(field, dialect)?;
            if found.kind != DimensionType::Text {
                return Err(CompileError::new(
                    ErrorCode::InvalidValue,
                    format!("{field} is no text and has no pattern"),
                )
                .hint("compare it with =, <, > or between")
                .word(pattern));
            }
            Ok(dialect.like(&found.sql, pattern, *negated))
        }
    }
}

fn compare(
    found: &Operand<'_>,
    field: &str,
    op: CompareOp,
    value: &str,
    dialect: Dialect,
) -> Result<String, CompileError> {
    let sql = &found.sql;
    if found.kind.is_time() {
        return instant(sql, field, op, value, dialect);
    }
    if found.kind == DimensionType::Boolean {
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
    if let Some(by_name) = found.compared_by_name(op, value, dialect) {
        return Ok(by_name);
    }
    Ok(format!(
        "{sql} {} {}",
        operator(op),
        scalar(found.kind, field, value, dialect)?
    ))
}

/// A comparison with the value of a metric: its type says what the literal means.
fn of_metric(
    (sql, ty): (&str, ColumnType),
    field: &str,
    op: CompareOp,
    value: &str,
    dialect: Dialect,
) -> Result<String, CompileError> {
    match ty {
        ColumnType::Date | ColumnType::Timestamp => instant(sql, field, op, value, dialect),
        ColumnType::Text => Ok(format!("{sql} {} {}", operator(op), dialect.text(value))),
        ColumnType::Integer | ColumnType::Number | ColumnType::Boolean => {
            Ok(format!("{sql} {} {}", operator(op), number(field, value)?))
        }
    }
}

/// A value that is no dimension, such as a metric, as SQL with its type.
type Value = Result<(String, ColumnType), CompileError>;

/// A condition on values such as metrics, each of which `value` gives as SQL with its type.
pub(super) fn figures(
    filter: &Filter,
    value: &dyn Fn(&str) -> Value,
    dialect: Dialect,
) -> Result<String, CompileError> {
    Ok(match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            let word = if matches!(filter, Filter::And(_)) {
                " AND "
            } else {
                " OR "
            };
            let parts = parts
                .iter()
                .map(|part| figures(part, value, dialect).map(|sql| format!("({sql})")))
                .collect::<Result<Vec<_>, _>>()?;
            parts.join(word)
        }
        Filter::Not(part) => format!("NOT ({})", figures(part, value, dialect)?),
        Filter::Compare { field, .. }
        | Filter::In { field, .. }
        | Filter::Between { field, .. }
        | Filter::Like { field, .. }
        | Filter::IsNull { field, .. } => {
            let (sql, ty) = value(field)?;
            figure(filter, (&sql, ty), dialect)?
        }
    })
}

/// A condition on the value of a metric.
fn figure(
    filter: &Filter,
    value: (&str, ColumnType),
    dialect: Dialect,
) -> Result<String, CompileError> {
    let not = |negated: bool| if negated { "NOT " } else { "" };
    let one =
        |field: &str, op: CompareOp, literal: &str| of_metric(value, field, op, literal, dialect);
    Ok(match filter {
        Filter::IsNull { negated, .. } => format!("{} IS {}NULL", value.0, not(*negated)),
        Filter::Compare {
            field,
            op,
            value: literal,
        } => one(field, *op, literal)?,
        Filter::Between {
            field,
            low,
            high,
            negated,
        } => format!(
            "{}({} AND {})",
            not(*negated),
            one(field, CompareOp::Ge, low)?,
            one(field, CompareOp::Le, high)?
        ),
        Filter::In {
            field,
            values,
            negated,
        } => {
            let each = values
                .iter()
                .map(|literal| one(field, CompareOp::Eq, literal))
                .collect::<Result<Vec<_>, _>>()?;
            format!("{}({})", not(*negated), each.join(" OR "))
        }
        Filter::Like { field, pattern, .. } => {
            return Err(CompileError::new(
                ErrorCode::InvalidClause,
                format!("{field} is a number and has no pattern"),
            )
            .hint("compare it with =, <, > or between")
            .word(pattern));
        }
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => {
            return Err(CompileError::new(
                ErrorCode::InvalidClause,
                format!("'{filter}' is not one condition"),
            ));
        }
    })
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
    kind: DimensionType,
    field: &str,
    value: &str,
    dialect: Dialect,
) -> Result<String, CompileError> {
    match kind {
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
    match moment(value) {
        Some(at) => Ok(format!(
            "{} {} {}",
            dialect.instant(sql),
            operator(op),
            dialect.timestamp(at)
        )),
        None => Err(invalid(
            field,
            value,
            "a date",
            "write 2025, 2025Q3, 2025-11, 2025-11-03 or '2025-11-03 14:30'",
        )),
    }
}

/// `2025-11-03 14:30`, with seconds or fractions of them, and without an offset, which could not be honoured.
pub(super) fn moment(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let plain = |part: &str, sign: char| {
        part.chars()
            .all(|c| c.is_ascii_digit() || c == sign || c == '.')
    };
    let is_time = time.len() >= 5 && plain(time, ':');
    (date.len() == 10 && plain(date, '-') && is_time)
        .then(|| format!("{date}T{time}").parse().ok())?
}

fn invalid(field: &str, value: &str, what: &str, hint: &str) -> CompileError {
    CompileError::new(
        ErrorCode::InvalidValue,
        format!("'{value}' is not {what} for {field}"),
    )
    .hint(hint)
    .word(value)
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
pub(super) fn last_day(end: Option<Date>, today: Date) -> Date {
    end.map_or(today, |end| end.saturating_sub(1.day()).min(today))
}
