//! An expression over one row as SQL for one engine: dimensions become what they are made of, divisions are safe.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Ident, Value, ValueWithSpan, VisitMut, VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::model::{Dataset, Expression};
use crate::warehouse::Dialect;

/// The SQL of an expression over the columns and dimensions of `dataset`.
///
/// # Errors
/// It names something behind a join, or does not parse; a sentence that says so.
pub(super) fn row_sql(
    expression: &Expression,
    dataset: &Dataset,
    dialect: Dialect,
) -> Result<String, String> {
    written(expression, dataset, dialect, true)
}

fn written(
    expression: &Expression,
    dataset: &Dataset,
    dialect: Dialect,
    has_dimensions: bool,
) -> Result<String, String> {
    let mut own = expression.dialects.iter();
    let own = own.find(|(engine, _)| engine == dialect.word());
    let text = own.map_or(&expression.text, |(_, text)| text);
    let parsed = Parser::new(&GenericDialect {})
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_expr());
    let mut parsed = parsed.map_err(|error| format!("'{text}' does not parse: {error}"))?;
    let mut rewriter = Rewriter {
        dataset,
        dialect,
        has_dimensions,
    };
    match parsed.visit(&mut rewriter) {
        ControlFlow::Break(why) => Err(why),
        ControlFlow::Continue(()) => Ok(parsed.to_string()),
    }
}

struct Rewriter<'a> {
    dataset: &'a Dataset,
    dialect: Dialect,
    /// Whether names may be dimensions: those in a dimension's own expression are columns.
    has_dimensions: bool,
}

impl Rewriter<'_> {
    fn name(&self, ident: &Ident) -> Result<String, String> {
        let dimension = self.dataset.dimension(&ident.value);
        match dimension.filter(|_| self.has_dimensions) {
            None => Ok(self.dialect.name(&ident.value)),
            Some(dimension) => match &dimension.column {
                Some(column) => Ok(self.dialect.name(column)),
                None => {
                    let sql = written(&dimension.expr, self.dataset, self.dialect, false)?;
                    Ok(format!("({sql})"))
                }
            },
        }
    }
}

impl VisitorMut for Rewriter<'_> {
    type Break = String;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        let sql = match expr {
            Expr::Identifier(ident) => self.name(ident),
            Expr::CompoundIdentifier(parts) => {
                let name: Vec<_> = parts.iter().map(|part| part.value.as_str()).collect();
                Err(format!(
                    "'{}' lies behind a join; an analysis reads the rows of {} alone",
                    name.join("."),
                    self.dataset.name
                ))
            }
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Divide,
                right,
            } => {
                let quotient = self.dialect.divide(&left.to_string(), &right.to_string());
                Ok(format!("({quotient})"))
            }
            // SQLite reads the cast as one to a number, and knows no typed texts.
            Expr::Cast {
                expr,
                data_type: DataType::Date,
                ..
            } if self.dialect == Dialect::Sqlite => Ok(format!("date({expr})")),
            Expr::TypedString(typed) if self.dialect == Dialect::Sqlite => match &typed.value {
                ValueWithSpan {
                    value: Value::SingleQuotedString(text),
                    ..
                } => Ok(self.dialect.text(text)),
                _ => return ControlFlow::Continue(()),
            },
            _ => return ControlFlow::Continue(()),
        };
        match sql {
            Ok(sql) => {
                *expr = Expr::Identifier(Ident::new(sql));
                ControlFlow::Continue(())
            }
            Err(why) => ControlFlow::Break(why),
        }
    }
}
