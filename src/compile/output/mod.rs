//! The last steps of a plan: what the result shows of every metric, which rows, in which order.

mod columns;
mod figures;
mod having;
mod ranked;

pub(super) use ranked::OTHERS;

use super::plan::{Aggregate, Column, Combine, Compute, Node, Planned, Sort};
use super::request::Request;
use super::write::{Fragment, Templates};
use super::{
    CompileError, CompileOptions, ErrorCode, OutputColumn, Reason, Role, Statement, filter, lower,
};
use crate::model::{Direction, Registry};
use crate::registry::nearest;

/// A complete plan.
pub(super) struct Shaped {
    pub(super) root: Node,
    /// The columns of the result.
    pub(super) columns: Vec<OutputColumn>,
    pub(super) reasons: Vec<Reason>,
}

/// Completes the plan. Figures over the result are computed over all of its groups; then come the conditions on metrics,
/// and then the limit.
pub(super) fn root(
    registry: &Registry,
    request: &Request<'_>,
    planned: &Planned,
    options: &CompileOptions<'_>,
) -> Result<Shaped, CompileError> {
    let output = Output {
        registry,
        request,
        planned,
        options,
    };
    output.check_limit()?;
    let query = &request.query;
    let with_figures = !query.show.is_empty();
    let simple = !with_figures && !query.others && output.is_simple();
    let (columns, mut selected) = output.columns(simple)?;
    if query.others {
        selected.extend(output.parts()?);
    }
    let named = output.named(&selected);
    let (before, after) = match &request.having {
        None => (None, None),
        Some(tree) if with_figures => {
            let named = &|field: &str| output.named_metric(field);
            (
                None,
                Some(Fragment::plain(filter::figures(
                    tree,
                    named,
                    options.dialect,
                )?)),
            )
        }
        Some(tree) => {
            let value = &|field: &str| output.metric_value(field, simple);
            (
                Some(Fragment::plain(filter::figures(
                    tree,
                    value,
                    options.dialect,
                )?)),
                None,
            )
        }
    };
    let rows = output.rows(simple, selected, before)?;
    let order = order(&output, &columns)?;
    let (input, order, limit) = if output.is_ranked() {
        let (node, order) = output.ranked(rows, named, after, &order, &columns)?;
        (node, order, None)
    } else {
        let order = order.into_iter().map(|key| key.sql).collect();
        let node = match after {
            None => rows,
            Some(_) => Node::Compute(Box::new(Compute {
                input: rows,
                columns: named,
                having: after,
            })),
        };
        (node, order, query.limit)
    };
    let root = Node::Sort(Box::new(Sort {
        input,
        order: order.into_iter().map(Fragment::plain).collect(),
        limit,
    }));
    Ok(Shaped {
        root,
        columns,
        reasons: output.figure_reasons(),
    })
}

/// The plan as one statement.
pub(super) fn statement(
    templates: &Templates,
    root: &Node,
    columns: Vec<OutputColumn>,
    options: &CompileOptions<'_>,
) -> Result<Statement, CompileError> {
    let (sql, lines) = templates.write("query.sql.j2", lower::lower(root, options.dialect)?)?;
    Ok(Statement {
        sql,
        lines,
        columns,
    })
}

/// What the last steps read.
struct Output<'a> {
    registry: &'a Registry,
    request: &'a Request<'a>,
    planned: &'a Planned,
    options: &'a CompileOptions<'a>,
}

impl Output<'_> {
    /// A row per group: the keys, and the metrics over the legs.
    fn rows(
        &self,
        simple: bool,
        mut selected: Vec<Column>,
        having: Option<Fragment>,
    ) -> Result<Node, CompileError> {
        let (planned, dialect) = (self.planned, self.options.dialect);
        let mut inputs: Vec<Node> = planned.legs.iter().map(|leg| leg.node(dialect)).collect();
        let bare = planned.legs.iter().enumerate();
        let bare = bare.filter(|(_, leg)| leg.missing_are_rows);
        let input = match (inputs.len(), &planned.shown) {
            (0, _) => {
                return Err(CompileError::new(
                    ErrorCode::NoMetric,
                    "the query has nothing to aggregate",
                ));
            }
            (1, None) => inputs.remove(0),
            _ => Node::Combine(Combine {
                inputs,
                keys: planned
                    .keys
                    .iter()
                    .map(|key| (key.name.clone(), key.ty))
                    .collect(),
                shown: planned.shown.clone(),
                bare: bare.map(|(index, _)| index).collect(),
            }),
        };
        Ok(match (simple, input) {
            (true, Node::Aggregate(aggregate)) => {
                let values = selected.split_off(aggregate.keys.len().min(selected.len()));
                Node::Aggregate(Box::new(Aggregate {
                    keys: selected,
                    values,
                    having,
                    ..*aggregate
                }))
            }
            (_, input) => Node::Compute(Box::new(Compute {
                input,
                columns: selected,
                having,
            })),
        })
    }

    /// The same columns over a relation that has them.
    fn named(&self, columns: &[Column]) -> Vec<Column> {
        let by_name = |column: &Column| Column {
            sql: Fragment::plain(self.options.dialect.name(&column.name)),
            ..column.clone()
        };
        columns.iter().map(by_name).collect()
    }
}

/// A key that rows are sorted by.
struct SortKey {
    /// The column.
    name: String,
    sql: String,
}

fn order(output: &Output<'_>, columns: &[OutputColumn]) -> Result<Vec<SortKey>, CompileError> {
    let dialect = output.options.dialect;
    let mut order: Vec<SortKey> = Vec::new();
    let key = |name: &str, descending: bool| SortKey {
        name: name.to_owned(),
        sql: dialect.order(&dialect.name(name), descending),
    };
    for by in &output.request.query.order {
        let column = columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(&by.column))
            .ok_or_else(|| {
                let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                let error = CompileError::new(
                    ErrorCode::InvalidClause,
                    format!(
                        "cannot order by {}: it is no column of the result",
                        by.column
                    ),
                )
                .word(&by.column);
                match nearest(&by.column, names.iter().map(String::as_str)) {
                    Some(near) => error.hint(format!("did you mean '{near}'?")),
                    None => error.hint(format!("columns: {}", names.join(", "))),
                }
            })?;
        order.push(key(&column.name, by.direction == Direction::Descending));
    }
    // The remaining groupings break ties, so that the same query always gives the same rows in the same order.
    for column in columns.iter().filter(|column| column.role == Role::Group) {
        if order.iter().all(|known| known.name != column.name) {
            order.push(key(&column.name, false));
        }
    }
    Ok(order)
}
