//! Whole numbers: dividing one by another drops the remainder, on every engine.

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Value};

/// Whether a division shows by itself that it is one of whole numbers. `(n + 9) / 10` is left to its writer.
pub(super) fn drops_remainder(left: &Expr, right: &Expr) -> bool {
    is_integer(left) && is_integer(right) && !is_number(left)
}

/// Whether an expression shows by itself that it is a whole number.
fn is_integer(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_integer(inner),
        Expr::Value(_) => is_number(expr),
        Expr::Case {
            conditions,
            else_result,
            ..
        } => {
            let results = conditions.iter().map(|when| &when.result);
            results.chain(else_result.as_deref()).all(is_integer)
        }
        Expr::Function(function) => {
            let name = function.name.to_string().to_lowercase();
            let FunctionArguments::List(list) = &function.args else {
                return false;
            };
            match (name.as_str(), list.args.as_slice()) {
                ("count", _) => true,
                ("sum" | "nullif", [FunctionArg::Unnamed(FunctionArgExpr::Expr(first)), ..]) => {
                    is_integer(first)
                }
                _ => false,
            }
        }
        _ => false,
    }
}

fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.bytes().all(|digit| digit.is_ascii_digit()),
            _ => false,
        },
        _ => false,
    }
}
