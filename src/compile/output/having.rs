//! The metrics that conditions compare, as SQL.

use super::Output;
use crate::compile::{CompileError, ErrorCode, expr};
use crate::model::ColumnType;

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
    .hint(format!("ask for {field}, too"))
    .word(field)
}
