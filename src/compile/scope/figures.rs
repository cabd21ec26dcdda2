//! A metric of each value of a dimension as a table of a scope, for conditions and for dimensions that are one.

use super::{Scope, column};
use crate::compile::key::column_type;
use crate::compile::plan::{Each, Join, relations};
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, Reason, ReasonKind};
use crate::model::{ColumnType, Dataset, DateRange, Dimension, DimensionType, OfMetric, TimeRange};

impl<'a> Scope<'a> {
    /// The value that a condition on a metric per dimension compares.
    pub(in crate::compile) fn each(&self, field: &str) -> Option<(String, ColumnType)> {
        let found = self.each.iter().find(|(known, _, _)| known == field);
        found.map(|(_, value, _)| value.clone())
    }

    /// Joins a metric of each value of a dimension. A value without rows has what the metric is over no rows (a count is
    /// 0); what has no value has none.
    pub(in crate::compile) fn join_each(
        &mut self,
        field: &str,
        dimension: &str,
        each: &Each,
    ) -> Result<(), CompileError> {
        let found = self.dimension(dimension)?;
        let of = match found.dimension.kind {
            DimensionType::Text => self.dialect.as_text(&found.sql),
            _ => found.sql,
        };
        self.join_on(field, &of, each);
        Ok(())
    }

    fn join_on(&mut self, field: &str, of: &str, each: &Each) {
        let dialect = self.dialect;
        let table = dialect.name(&each.name);
        let value = column(&each.name, &each.value, dialect);
        let key = column(&each.name, &each.key, dialect);
        let value = match &each.empty {
            _ if self.keeps_unmatched => value,
            None => value,
            Some(zero) if zero == "0" => {
                format!("CASE WHEN {of} IS NOT NULL THEN COALESCE({value}, 0) END")
            }
            Some(empty) => format!(
                "CASE WHEN {key} IS NOT NULL THEN {value} WHEN {of} IS NOT NULL THEN {empty} END"
            ),
        };
        let join = Join {
            table: Fragment::plain(format!("{table} ON {key} = {of}")),
            kind: self.kind(),
        };
        self.each.push((field.to_owned(), (value, each.ty), join));
    }

    /// The metric that a dimension is of each row of its dataset, over all time.
    pub(super) fn of_metric(
        &mut self,
        of: &OfMetric,
        alias: &str,
        dataset: &'a Dataset,
        dimension: &'a Dimension,
    ) -> Result<String, CompileError> {
        let field = format!("{alias}.{}", dimension.name);
        if self.each(&field).is_none() {
            let relations = relations(
                self.registry,
                self.reach,
                self.options,
                self.nesting,
                (&of.metric, &of.per),
                (DateRange::default(), TimeRange::AllTime),
            )
            .map_err(|error| error.at(dimension.expr.place))?;
            let (Some(each), [key]) = (relations.last(), dataset.key.as_slice()) else {
                return Err(CompileError::new(
                    ErrorCode::InvalidDefinition,
                    format!("{} needs a key of one column", dataset.name),
                )
                .at(dataset.place));
            };
            let is_declared = match dimension.kind {
                DimensionType::Number => {
                    matches!(each.ty, ColumnType::Integer | ColumnType::Number)
                }
                kind => each.ty == column_type(kind),
            };
            if !is_declared {
                return Err(CompileError::new(
                    ErrorCode::InvalidDefinition,
                    format!("the values of {} are not of its type", dimension.name),
                )
                .hint(match each.ty {
                    ColumnType::Date => "write type: date",
                    ColumnType::Timestamp => "write type: time",
                    ColumnType::Text => "write type: text",
                    ColumnType::Boolean => "write type: boolean",
                    ColumnType::Integer | ColumnType::Number => "write type: number",
                })
                .at(dimension.place));
            }
            let mut key = column(alias, key, self.dialect);
            if each.key_ty == ColumnType::Text {
                key = self.dialect.as_text(&key);
            }
            let text = format!(
                "{} is {} per {}, over all time",
                dimension.name, of.metric, of.per
            );
            let each = each.clone();
            self.note(Reason {
                kind: ReasonKind::Join,
                text,
                place: Some(dimension.expr.place),
            });
            self.join_on(&field, &key, &each);
            self.relations.extend(relations);
        }
        let value = self.each(&field).map(|(sql, _)| sql);
        Ok(value.unwrap_or_default())
    }
}
