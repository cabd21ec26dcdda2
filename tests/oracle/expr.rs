//! Expressions of definitions over the values of one row (or of one result row), with SQL's three-valued logic.

use std::cmp::Ordering;

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
    Value as Literal,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::{Answered, Value};

pub fn parse(text: &str) -> Expr {
    Parser::new(&GenericDialect {})
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_expr())
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The value of an expression; `name` knows the value of a name, given its parts.
pub fn evaluate(expr: &Expr, name: &dyn Fn(&[String]) -> Answered<Value>) -> Answered<Value> {
    let value = |expr: &Expr| evaluate(expr, name);
    let truth = |expr: &Expr| Ok::<_, super::Refusal>(evaluate(expr, name)?.truth());
    Ok(match expr {
        Expr::Identifier(ident) => name(std::slice::from_ref(&ident.value))?,
        Expr::CompoundIdentifier(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| part.value.clone()).collect();
            name(&parts)?
        }
        Expr::Nested(inner) => value(inner)?,
        Expr::Value(literal) => match &literal.value {
            Literal::Number(digits, _) => Value::Number(digits.to_string().parse().unwrap()),
            Literal::SingleQuotedString(text) => Value::Text(text.clone()),
            Literal::Boolean(yes) => Value::Bool(*yes),
            Literal::Null => Value::Null,
            other => panic!("the oracle does not know the literal {other}"),
        },
        Expr::UnaryOp { op, expr } => match op {
            UnaryOperator::Not => truth(expr)?.map(|yes| !yes).into(),
            UnaryOperator::Minus => value(expr)?.number().map(|number| -number).into(),
            UnaryOperator::Plus => value(expr)?,
            other => panic!("the oracle does not know {other}"),
        },
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::And => and(truth(left)?, truth(right)?).into(),
            BinaryOperator::Or => or(truth(left)?, truth(right)?).into(),
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide => arithmetic(op, &value(left)?, &value(right)?),
            BinaryOperator::StringConcat => match (value(left)?, value(right)?) {
                (Value::Text(left), Value::Text(right)) => Value::Text(left + &right),
                _ => Value::Null,
            },
            _ => {
                let order = value(left)?.compare(&value(right)?);
                order.map(|order| holds(op, order)).into()
            }
        },
        Expr::IsNull(expr) => Value::Bool(value(expr)?.is_null()),
        Expr::IsNotNull(expr) => Value::Bool(!value(expr)?.is_null()),
        Expr::IsTrue(expr) => Value::Bool(truth(expr)? == Some(true)),
        Expr::IsNotTrue(expr) => Value::Bool(truth(expr)? != Some(true)),
        Expr::IsFalse(expr) => Value::Bool(truth(expr)? == Some(false)),
        Expr::IsNotFalse(expr) => Value::Bool(truth(expr)? != Some(false)),
        Expr::InList {
            expr,
            list,
            negated,
        } => {
            let found = value(expr)?;
            let mut any = Some(false);
            for item in list {
                let equal = found.compare(&value(item)?).map(Ordering::is_eq);
                any = or(any, equal);
            }
            any.map(|yes| yes != *negated).into()
        }
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let found = value(expr)?;
            let from = found.compare(&value(low)?).map(Ordering::is_ge);
            let to = found.compare(&value(high)?).map(Ordering::is_le);
            and(from, to).map(|yes| yes != *negated).into()
        }
        Expr::Case {
            operand,
            conditions,
            else_result,
            ..
        } => {
            let operand = operand.as_deref().map(value).transpose()?;
            for when in conditions {
                let holds = match &operand {
                    None => truth(&when.condition)? == Some(true),
                    Some(operand) => {
                        operand.compare(&value(&when.condition)?) == Some(Ordering::Equal)
                    }
                };
                if holds {
                    return value(&when.result);
                }
            }
            else_result.as_deref().map_or(Ok(Value::Null), value)?
        }
        Expr::Function(function) => {
            let FunctionArguments::List(list) = &function.args else {
                panic!("the oracle does not know {function}");
            };
            let mut args = Vec::new();
            for arg in &list.args {
                let FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) = arg else {
                    panic!("the oracle does not know {function}");
                };
                args.push(value(arg)?);
            }
            match (
                function.name.to_string().to_lowercase().as_str(),
                args.as_slice(),
            ) {
                ("coalesce", args) => {
                    let first = args.iter().find(|arg| !arg.is_null());
                    first.cloned().unwrap_or(Value::Null)
                }
                ("nullif", [one, other]) => {
                    if one.compare(other) == Some(Ordering::Equal) {
                        Value::Null
                    } else {
                        one.clone()
                    }
                }
                ("abs", [one]) => one.number().map(f64::abs).into(),
                _ => panic!("the oracle does not know {function}"),
            }
        }
        other => panic!("the oracle does not know {other}"),
    })
}

/// `/` is never truncated, and NULL for a zero denominator.
pub fn arithmetic(op: &BinaryOperator, left: &Value, right: &Value) -> Value {
    let (Some(left), Some(right)) = (left.number(), right.number()) else {
        return Value::Null;
    };
    match op {
        BinaryOperator::Plus => Some(left + right),
        BinaryOperator::Minus => Some(left - right),
        BinaryOperator::Multiply => Some(left * right),
        _ => (right != 0.0).then(|| left / right),
    }
    .into()
}

fn holds(op: &BinaryOperator, order: Ordering) -> bool {
    match op {
        BinaryOperator::Eq => order.is_eq(),
        BinaryOperator::NotEq => order.is_ne(),
        BinaryOperator::Lt => order.is_lt(),
        BinaryOperator::LtEq => order.is_le(),
        BinaryOperator::Gt => order.is_gt(),
        BinaryOperator::GtEq => order.is_ge(),
        other => panic!("the oracle does not know {other}"),
    }
}

pub fn and(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

pub fn or(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}
