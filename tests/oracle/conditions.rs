//! Conditions of queries: literals are text, the kind of the field says what they mean.

use std::cmp::Ordering;

use metrex::model::{CompareOp, DimensionType, Filter, Period};

use super::expr::{and, or};
use super::{Answered, Value, refuse};

/// Whether a condition holds: true, false or unknown. `field` knows the value of a field and its kind.
pub fn holds(
    filter: &Filter,
    field: &dyn Fn(&str) -> Answered<(Value, DimensionType)>,
) -> Answered<Option<bool>> {
    let not = |truth: Option<bool>, negated: bool| truth.map(|yes| yes != negated);
    Ok(match filter {
        Filter::And(parts) => {
            let mut all = Some(true);
            for part in parts {
                all = and(all, holds(part, field)?);
            }
            all
        }
        Filter::Or(parts) => {
            let mut any = Some(false);
            for part in parts {
                any = or(any, holds(part, field)?);
            }
            any
        }
        Filter::Not(part) => not(holds(part, field)?, true),
        Filter::Compare {
            field: name,
            op,
            value,
        } => {
            let (found, kind) = field(name)?;
            compare(&found, kind, *op, value)?
        }
        Filter::In {
            field: name,
            values,
            negated,
        } => {
            let (found, kind) = field(name)?;
            let mut any = Some(false);
            for value in values {
                any = or(any, compare(&found, kind, CompareOp::Eq, value)?);
            }
            not(any, *negated)
        }
        Filter::Between {
            field: name,
            low,
            high,
            negated,
        } => {
            let (found, kind) = field(name)?;
            let from = compare(&found, kind, CompareOp::Ge, low)?;
            not(
                and(from, compare(&found, kind, CompareOp::Le, high)?),
                *negated,
            )
        }
        Filter::Like {
            field: name,
            pattern,
            negated,
        } => match field(name)? {
            (Value::Null, _) => None,
            (Value::Text(text), DimensionType::Text) => {
                Some(like(&text.to_ascii_lowercase(), &pattern.to_ascii_lowercase()) != *negated)
            }
            _ => return refuse("only text has patterns"),
        },
        Filter::IsNull {
            field: name,
            negated,
        } => Some(field(name)?.0.is_null() != *negated),
    })
}

fn compare(
    found: &Value,
    kind: DimensionType,
    op: CompareOp,
    literal: &str,
) -> Answered<Option<bool>> {
    let by = |value: &Value| {
        let order = found.compare(value);
        order.map(|order| is(op, order))
    };
    Ok(match kind {
        DimensionType::Text => by(&Value::Text(literal.to_owned())),
        DimensionType::Number => match literal.parse::<f64>() {
            Ok(number) => by(&Value::Number(number)),
            Err(_) => return refuse(format!("{literal} is no number")),
        },
        DimensionType::Boolean if !matches!(op, CompareOp::Eq | CompareOp::Ne) => {
            return refuse("true and false have no order");
        }
        DimensionType::Boolean => match literal {
            "true" => by(&Value::Bool(true)),
            "false" => by(&Value::Bool(false)),
            _ => return refuse(format!("{literal} is neither true nor false")),
        },
        DimensionType::Date | DimensionType::Time => {
            // A period stands for all of it: the point in time is before, in or after it.
            let Some((start, end)) = Period::parse(literal).and_then(Period::days) else {
                let at = Value::Text(literal.to_owned());
                return match at.instant() {
                    Some(_) => Ok(by(&at)),
                    None => refuse(format!("{literal} is no date")),
                };
            };
            found.instant().map(|at| {
                let order = if at < start.at(0, 0, 0, 0) {
                    Ordering::Less
                } else if at < end.at(0, 0, 0, 0) {
                    Ordering::Equal
                } else {
                    Ordering::Greater
                };
                is(op, order)
            })
        }
    })
}

fn is(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}

/// `%` is any text, `_` any character, `\` takes their meaning away.
fn like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => {
            let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            starts.any(|at| like(&text[at..], rest.as_str()))
        }
        Some(sign) => {
            let wanted = if sign == '\\' {
                rest.next()
            } else {
                Some(sign)
            };
            let mut chars = text.chars();
            match chars.next() {
                Some(c) if sign == '_' || Some(c) == wanted => like(chars.as_str(), rest.as_str()),
                _ => false,
            }
        }
    }
}
