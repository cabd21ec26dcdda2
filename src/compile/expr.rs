//! Expressions of the registry: parsed once as SQL, qualified with table aliases, made safe to divide, printed again.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArguments, Ident, Value, ValueWithSpan,
    VisitMut, VisitorMut, visit_expressions,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::ALL_KEYWORDS;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{CompileError, ErrorCode};
use crate::model::Expression;
use crate::warehouse::Dialect;

/// One SQL expression and nothing after it: the text for this engine, where the definition has one of its own.
pub(super) fn parse(expression: &Expression, dialect: Dialect) -> Result<Expr, CompileError> {
    let own = expression.dialects.iter();
    let own = own.into_iter().find(|(engine, _)| engine == dialect.word());
    let text = own.map_or(&expression.text, |(_, text)| text);
    parse_text(text).map_err(|message| {
        CompileError::new(
            ErrorCode::InvalidDefinition,
            format!("the expression '{text}' does not parse: {message}"),
        )
        .at(expression.place)
    })
}

fn parse_text(text: &str) -> Result<Expr, String> {
    if is_word(text) {
        return Ok(Expr::Identifier(Ident::new(text)));
    }
    let mut parser = Parser::new(&GenericDialect {})
        .try_with_sql(text)
        .map_err(|error| error.to_string())?;
    let expr = parser.parse_expr().map_err(|error| error.to_string())?;
    match parser.peek_token().token {
        Token::EOF => Ok(expr),
        token => Err(format!("unexpected '{token}'")),
    }
}

/// Rewrites every name with `name` (given the parts of `a.b`), divides safely and spells date literals for the engine.
///
/// The names that `name` returns are SQL already and are not rewritten again.
pub(super) fn rewrite(
    mut expr: Expr,
    dialect: Dialect,
    name: &mut dyn FnMut(&[Ident]) -> Result<String, CompileError>,
) -> Result<String, CompileError> {
    let mut rewriter = Rewriter { dialect, name };
    match expr.visit(&mut rewriter) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(match expr {
            Expr::Nested(inner) => inner.to_string(),
            expr => expr.to_string(),
        }),
    }
}

struct Rewriter<'a> {
    dialect: Dialect,
    name: &'a mut dyn FnMut(&[Ident]) -> Result<String, CompileError>,
}

impl VisitorMut for Rewriter<'_> {
    type Break = CompileError;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<CompileError> {
        let replaced = match expr {
            Expr::Identifier(ident) => (self.name)(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(parts) => (self.name)(parts),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Divide,
                right,
            } => {
                let quotient = self.dialect.divide(&left.to_string(), &right.to_string());
                *expr = Expr::Nested(Box::new(written(quotient)));
                return ControlFlow::Continue(());
            }
            Expr::Function(function) => match function_args(function)
                .and_then(|args| self.dialect.function(&function.name.to_string(), &args))
            {
                Some(sql) => Ok(sql),
                None => return ControlFlow::Continue(()),
            },
            // SQLite reads the cast as one to a number.
            Expr::Cast {
                expr,
                data_type: DataType::Date,
                ..
            } if self.dialect == Dialect::Sqlite => Ok(format!("date({expr})")),
            Expr::TypedString(typed)
                if self.dialect == Dialect::Sqlite
                    && matches!(typed.data_type, DataType::Date | DataType::Timestamp(..)) =>
            {
                match &typed.value {
                    ValueWithSpan {
                        value: Value::SingleQuotedString(text),
                        ..
                    } => Ok(self.dialect.text(text)),
                    _ => return ControlFlow::Continue(()),
                }
            }
            // What an expression says in quotes is standard SQL; some engines give a backslash in it another meaning.
            Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(text),
                ..
            }) if self.dialect.text(text) != Dialect::Postgres.text(text) => {
                let word = self.dialect.word();
                Err(CompileError::new(
                    ErrorCode::InvalidDefinition,
                    format!(
                        "the text '{text}' of an expression is written differently for {}",
                        self.dialect.title()
                    ),
                )
                .hint(format!("write the expression as {{default: …, {word}: …}}")))
            }
            _ => return ControlFlow::Continue(()),
        };
        match replaced {
            Ok(sql) => {
                *expr = written(sql);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// SQL that is finished, as an expression that prints it: reading it again would cost more than all the rest.
fn written(sql: String) -> Expr {
    Expr::Identifier(Ident::new(sql))
}

/// What of an expression is more than arithmetic, which is the same on every engine.
pub(super) fn beyond_arithmetic(expression: &Expression) -> Option<String> {
    if !expression.dialects.is_empty() {
        return Some("an expression with words of its own for an engine".to_owned());
    }
    let parsed = parse_text(&expression.text).ok()?;
    let found = visit_expressions(&parsed, |expr| match expr {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::BinaryOp {
            op:
                BinaryOperator::Plus
                | BinaryOperator::Minus
                | BinaryOperator::Multiply
                | BinaryOperator::Divide,
            ..
        }
        | Expr::UnaryOp { .. }
        | Expr::Nested(_)
        | Expr::Value(_) => ControlFlow::Continue(()),
        Expr::Function(function)
            if ["coalesce", "nullif"]
                .contains(&function.name.to_string().to_lowercase().as_str()) =>
        {
            ControlFlow::Continue(())
        }
        other => ControlFlow::Break(other.to_string()),
    });
    found.break_value()
}

/// `expr` in brackets unless it is one name, call or literal already.
pub(super) fn operand(sql: &str) -> String {
    if is_name(sql) {
        return sql.to_owned();
    }
    match parse_text(sql) {
        Ok(
            Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::Function(_)
            | Expr::Value(_)
            | Expr::Cast { .. }
            | Expr::Nested(_),
        ) => sql.to_owned(),
        Ok(_) | Err(_) => format!("({sql})"),
    }
}

/// Whether it is one word that means nothing else in SQL; most expressions are, and need no parser.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && ALL_KEYWORDS
            .binary_search(&text.to_ascii_uppercase().as_str())
            .is_err()
}

/// Whether it is plainly a name, with or without that of a table; most operands are, and need not be parsed to see it.
fn is_name(sql: &str) -> bool {
    sql.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'"'))
}

/// The arguments of a plain call.
fn function_args(function: &Function) -> Option<Vec<String>> {
    match &function.args {
        FunctionArguments::List(list) => Some(list.args.iter().map(ToString::to_string).collect()),
        _ => None,
    }
}
