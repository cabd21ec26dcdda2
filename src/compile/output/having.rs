//! Conditions on metrics as SQL.

use super::Output;
use crate::compile::{CompileError, ErrorCode, expr, filter};
use crate::model::{ColumnType, Filter};
use crate::warehouse::Dialect;

/// A metric as SQL, with its type.
type Value = Result<(String, ColumnType), CompileError>;

/// The condition; `value` gives a metric as SQL.
pub(super) fn sql(
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
                .map(|part| sql(part, value, dialect).map(|sql| format!("({sql})")))
                .collect::<Result<Vec<_>, _>>()?;
            parts.join(word)
        }
        Filter::Not(part) => format!("NOT ({})", sql(part, value, dialect)?),
        Filter::Compare { field, .. }
        | Filter::In { field, .. }
        | Filter::Between { field, .. }
        | Filter::Like { field, .. }
        | Filter::IsNull { field, .. } => {
            let (sql, ty) = value(field)?;
            filter::figure(filter, (&sql, ty), dialect)?
        }
    })
}

impl Output<'_> {
    /// A metric of the query, as a condition names it, over the columns of the legs.
    pub(super) fn metric_value(
        &self,
        field: &str,
        simple: bool,
    ) -> Result<(String, ColumnType), CompileError> {
        let at = self.position(field)?;
        let formula = self.planned.metrics.get(at);
        let (formula, _) = formula.ok_or_else(|| not_asked(field))?;
        self.value(formula, simple)
            .map(|(sql, ty)| (expr::operand(&sql), ty))
    }

    /// The same, over the columns of the result.
    pub(super) fn named_metric(&self, field: &str) -> Result<(String, ColumnType), CompileError> {
        let (_, ty) = self.metric_value(field, false)?;
        let metric = self.request.metrics.get(self.position(field)?);
        let metric = metric.ok_or_else(|| not_asked(field))?;
        Ok((self.options.dialect.name(&metric.name), ty))
    }

    fn position(&self, field: &str) -> Result<usize, CompileError> {
        let metric = self.registry.metric(field).ok_or_else(|| {
            CompileError::new(
                ErrorCode::UnknownMetric,
                format!("unknown metric '{field}'"),
            )
            .word(field)
        })?;
        let mut metrics = self.request.metrics.iter();
        let at = metrics.position(|asked| asked.name == metric.name);
        at.ok_or_else(|| not_asked(field))
    }
}

fn not_asked(field: &str) -> CompileError {
    CompileError::new(
        ErrorCode::InvalidClause,
        format!("the condition on {field} needs {field} among the metrics of the query"),
    )
    .word(field)
}
