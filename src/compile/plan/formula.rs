//! What a metric is over the columns of the legs: a leaf, a quotient, or arithmetic over other formulas.

use crate::compile::{CompileError, expr};
use crate::model::{ColumnType, Expression};
use crate::warehouse::{Dialect, Shift};

/// The aggregate column that is a leaf of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) struct Leaf {
    pub(in crate::compile) column: String,
    pub(in crate::compile) ty: ColumnType,
    /// Set where some days have no counterpart in the earlier range, so that "no rows" is not a zero there.
    pub(in crate::compile) counterpart: Option<Shift>,
}

/// A metric as an expression over leaves.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) enum Formula {
    /// One aggregate column.
    Leaf(Leaf),
    /// Numerator over denominator.
    Divide(Box<Formula>, Box<Formula>),
    /// Arithmetic; names lead to the formulas.
    Arithmetic {
        expression: Expression,
        inputs: Vec<(String, Formula)>,
    },
    /// Shown where there are no rows.
    Filled(Box<Formula>, i64),
}

impl Formula {
    /// The formula as SQL; `leaf` says how a leaf is written.
    pub(in crate::compile) fn sql(
        &self,
        dialect: Dialect,
        leaf: &dyn Fn(&Leaf) -> String,
    ) -> Result<(String, ColumnType), CompileError> {
        Ok(match self {
            Self::Leaf(one) => (leaf(one), one.ty),
            Self::Divide(numerator, denominator) => {
                let (numerator, _) = numerator.sql(dialect, leaf)?;
                let (denominator, _) = denominator.sql(dialect, leaf)?;
                (dialect.divide(&numerator, &denominator), ColumnType::Number)
            }
            Self::Filled(inner, fill) => {
                let (sql, ty) = inner.sql(dialect, leaf)?;
                (format!("COALESCE({sql}, {fill})"), ty)
            }
            Self::Arithmetic { expression, inputs } => {
                let parsed = expr::parse(expression, dialect)?;
                let sql = expr::rewrite(parsed, dialect, &mut |parts| {
                    let name: Vec<_> = parts.iter().map(|part| part.value.as_str()).collect();
                    let name = name.join(".");
                    let input = inputs
                        .iter()
                        .find(|(known, _)| known.eq_ignore_ascii_case(&name));
                    let (_, input) = input.ok_or_else(|| {
                        CompileError::new(
                            crate::compile::ErrorCode::InvalidDefinition,
                            format!("there is no metric '{name}'"),
                        )
                        .at(expression.place)
                    })?;
                    let (sql, _) = input.sql(dialect, leaf)?;
                    Ok(expr::operand(&sql))
                })?;
                (sql, ColumnType::Number)
            }
        })
    }

    /// The leaves, in order, with repetitions.
    pub(in crate::compile) fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::Leaf(leaf) => vec![leaf],
            Self::Filled(inner, _) => inner.leaves(),
            Self::Divide(numerator, denominator) => {
                let mut leaves = numerator.leaves();
                leaves.extend(denominator.leaves());
                leaves
            }
            Self::Arithmetic { inputs, .. } => inputs
                .iter()
                .flat_map(|(_, input)| input.leaves())
                .collect(),
        }
    }

    /// Whether it is one aggregate column as it stands.
    pub(in crate::compile) fn is_leaf(&self) -> bool {
        match self {
            Self::Leaf(_) => true,
            Self::Filled(inner, _) => inner.is_leaf(),
            Self::Divide(..) | Self::Arithmetic { .. } => false,
        }
    }
}
