//! Conditions in dbt's words: names become templates.

use sqlparser::ast::{Expr, Ident, VisitMut, VisitorMut};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::{Writer, entity_of};
use crate::model::{Dataset, Expression, Registry};

impl Writer<'_> {
    /// Conditions in dbt's words.
    pub(super) fn conditions(
        &self,
        filters: &[Expression],
        dataset: &str,
    ) -> Result<Option<String>, String> {
        let dataset = self
            .registry
            .datasets
            .get(dataset)
            .ok_or("its dataset is unknown")?;
        let each = filters
            .iter()
            .map(|filter| self.condition(&filter.text, dataset));
        let each = each.collect::<Result<Vec<_>, String>>()?;
        Ok(match each.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            several => Some(format!("({})", several.join(") and ("))),
        })
    }

    fn condition(&self, sql: &str, dataset: &Dataset) -> Result<String, String> {
        let parsed = Parser::new(&GenericDialect {})
            .try_with_sql(sql)
            .and_then(|mut parser| parser.parse_expr());
        let mut expr = parsed.map_err(|error| format!("'{sql}' does not parse: {error}"))?;
        let mut templates = Templates {
            registry: self.registry,
            dataset,
            found: Vec::new(),
        };
        if let std::ops::ControlFlow::Break(reason) = expr.visit(&mut templates) {
            return Err(reason);
        }
        let mut text = expr.to_string();
        for (at, template) in templates.found.iter().enumerate() {
            text = text.replace(&mark(at), template);
        }
        Ok(text)
    }
}

/// Replaces names by marks that stand for `{{ Dimension(…) }}`, which is no SQL.
struct Templates<'a> {
    registry: &'a Registry,
    dataset: &'a Dataset,
    found: Vec<String>,
}

fn mark(at: usize) -> String {
    format!("__template_{at}__")
}

impl VisitorMut for Templates<'_> {
    type Break = String;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> std::ops::ControlFlow<String> {
        let parts: Vec<String> = match expr {
            Expr::Identifier(one) => vec![one.value.clone()],
            Expr::CompoundIdentifier(parts) => {
                parts.iter().map(|part| part.value.clone()).collect()
            }
            _ => return std::ops::ControlFlow::Continue(()),
        };
        let Some((name, joins)) = parts.split_last() else {
            return std::ops::ControlFlow::Continue(());
        };
        let mut at = self.dataset;
        let mut path = Vec::new();
        for join in joins {
            let target = at
                .joins
                .get(join)
                .and_then(|join| self.registry.datasets.get(&join.to));
            let Some(target) = target else {
                return std::ops::ControlFlow::Break(format!("'{join}' leads nowhere"));
            };
            at = target;
            path.push(entity_of(at).to_owned());
        }
        let Some(dimension) = at.dimension(name) else {
            let reason =
                format!("'{name}' is a column and no dimension, which dbt's conditions need");
            return std::ops::ControlFlow::Break(reason);
        };
        if path.is_empty() {
            path.push(entity_of(at).to_owned());
        }
        path.push(dimension.name.clone());
        let call = if dimension.kind.is_time() {
            "TimeDimension"
        } else {
            "Dimension"
        };
        self.found
            .push(format!("{{{{ {call}('{}') }}}}", path.join("__")));
        *expr = Expr::Identifier(Ident::new(mark(self.found.len() - 1)));
        std::ops::ControlFlow::Continue(())
    }
}
