//! The last step of a plan: final expressions of every metric, conditions on metrics, order and limit.

use super::plan::{
    Aggregate, Column, Combine, Compute, Formula, Leaf, Node, Planned, Sort, prior_name,
};
use super::request::Request;
use super::write::{Fragment, Templates};
use super::{
    CompileError, CompileOptions, ErrorCode, OutputColumn, Role, Statement, expr, filter, lower,
};
use crate::model::{
    ColumnType, CompareOp, Direction, Filter, Format, FormatKind, Grain, Measure, Metric, Registry,
};
use crate::registry::nearest;
use crate::warehouse::Shift;

/// Completes the plan: what the result shows, in which order. Also the columns of the result.
pub(super) fn root(
    registry: &Registry,
    request: &Request<'_>,
    planned: &Planned,
    options: &CompileOptions<'_>,
) -> Result<(Node, Vec<OutputColumn>), CompileError> {
    let output = Output {
        registry,
        request,
        planned,
        options,
    };
    let simple = output.is_simple();
    let (columns, selected) = output.columns(simple)?;
    let having = match &request.having {
        None => None,
        Some(filter) => Some(Fragment::plain(output.having(filter, simple)?)),
    };
    let order = order(request, &columns, options)?;
    let dialect = options.dialect;
    let mut inputs: Vec<Node> = planned.legs.iter().map(|leg| leg.node(dialect)).collect();
    let input = match (simple, inputs.len(), &planned.periods) {
        (_, 0, _) => {
            return Err(CompileError::new(
                ErrorCode::NoMetric,
                "the query has nothing to aggregate",
            ));
        }
        (_, 1, None) => inputs.remove(0),
        _ => Node::Combine(Combine {
            inputs,
            keys: planned
                .keys
                .iter()
                .map(|key| (key.name.clone(), key.ty))
                .collect(),
            periods: planned.periods.clone(),
        }),
    };
    let computed = match (simple, input) {
        (true, Node::Aggregate(aggregate)) => {
            let count = aggregate.keys.len();
            let mut selected = selected;
            let values = selected.split_off(count.min(selected.len()));
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
    };
    let root = Node::Sort(Box::new(Sort {
        input: computed,
        order: order.into_iter().map(Fragment::plain).collect(),
        limit: request.query.limit,
    }));
    Ok((root, columns))
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

fn output_column(metric: &Metric, role: Role, ty: ColumnType, name: String) -> OutputColumn {
    let kind = &metric.kind;
    let mut measures = kind.sources().iter().flat_map(|source| &source.measures);
    let adds_up = kind.facets().is_none_or(|facets| facets.per.is_empty());
    let is_one = !kind.sources().is_empty() && !kind.is_ratio();
    let adds = |measure: &Measure| measure.agg.is_additive() && measure.over_time.is_none();
    let additive = is_one && adds_up && measures.all(adds);
    let label = match role {
        Role::Prior => format!("{} (prior)", metric.label),
        Role::Change => format!("{} Δ", metric.label),
        Role::ChangePercent => format!("{} Δ%", metric.label),
        Role::Group | Role::Metric => metric.label.clone(),
    };
    let format = match role {
        Role::ChangePercent => Format {
            kind: FormatKind::Percent,
            decimals: Some(1),
            ..Format::default()
        },
        _ => metric.format.clone(),
    };
    let additive = additive && role != Role::ChangePercent;
    OutputColumn {
        name,
        label,
        role,
        ty,
        format,
        grain: None,
        additive,
    }
}

fn order(
    request: &Request<'_>,
    columns: &[OutputColumn],
    options: &CompileOptions<'_>,
) -> Result<Vec<String>, CompileError> {
    let mut order = Vec::new();
    let mut used = Vec::new();
    for key in &request.query.order {
        let column = columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(&key.column))
            .ok_or_else(|| {
                let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                let error = CompileError::new(
                    ErrorCode::InvalidClause,
                    format!(
                        "cannot order by {}: it is no column of the result",
                        key.column
                    ),
                )
                .word(&key.column);
                match nearest(&key.column, names.iter().map(String::as_str)) {
                    Some(near) => error.hint(format!("did you mean '{near}'?")),
                    None => error.hint(format!("columns: {}", names.join(", "))),
                }
            })?;
        let descending = key.direction == Direction::Descending;
        order.push(
            options
                .dialect
                .order(&options.dialect.name(&column.name), descending),
        );
        used.push(column.name.as_str());
    }
    // The remaining groupings break ties, so that the same query always gives the same rows in the same order.
    let rest = columns
        .iter()
        .filter(|column| column.role == Role::Group && !used.contains(&column.name.as_str()));
    order.extend(rest.map(|column| {
        options
            .dialect
            .order(&options.dialect.name(&column.name), false)
    }));
    Ok(order)
}

struct Output<'a> {
    registry: &'a Registry,
    request: &'a Request<'a>,
    planned: &'a Planned,
    options: &'a CompileOptions<'a>,
}

impl Output<'_> {
    /// One aggregation answers the query by itself.
    fn is_simple(&self) -> bool {
        let [leg] = self.planned.legs.as_slice() else {
            return false;
        };
        let leaves = |(now, prior): &(Formula, Option<Formula>)| now.is_leaf() && prior.is_none();
        leg.is_plain() && self.planned.periods.is_none() && self.planned.metrics.iter().all(leaves)
    }

    /// Whether several relations are put side by side, so that one of them can lack a row.
    fn is_combined(&self) -> bool {
        self.planned.legs.len() > 1 || self.planned.periods.is_some()
    }

    /// The columns of the result, for the reader and for the plan.
    fn columns(&self, simple: bool) -> Result<(Vec<OutputColumn>, Vec<Column>), CompileError> {
        let dialect = self.options.dialect;
        let mut columns: Vec<OutputColumn> = Vec::new();
        let mut selected: Vec<Column> = Vec::new();
        let only = self.planned.legs.first();
        for (index, key) in self.planned.keys.iter().enumerate() {
            let sql = match only.and_then(|leg| leg.keys.get(index)) {
                Some(own) if simple => own.sql.clone(),
                _ => Fragment::plain(dialect.name(&key.name)),
            };
            let name = self.request.written(&key.name).to_owned();
            selected.push(Column {
                name: name.clone(),
                ty: key.ty,
                sql,
            });
            columns.push(OutputColumn {
                name,
                label: key.label.clone(),
                role: Role::Group,
                ty: key.ty,
                format: key.format.clone(),
                grain: key.grain,
                additive: false,
            });
        }
        for (metric, (now, prior)) in self.request.metrics.iter().zip(&self.planned.metrics) {
            for (role, sql, ty) in self.roles(now, prior.as_ref(), simple)? {
                let name = match role {
                    Role::Prior => prior_name(&metric.name),
                    Role::Change => format!("{}_change", metric.name),
                    Role::ChangePercent => format!("{}_change_pct", metric.name),
                    Role::Group | Role::Metric => metric.name.clone(),
                };
                columns.push(output_column(metric, role, ty, name.clone()));
                selected.push(Column {
                    name,
                    ty,
                    sql: Fragment::new(sql, [metric.place]),
                });
            }
        }
        let twice = columns.iter().enumerate().find(|(index, column)| {
            let mut earlier = columns.iter().take(*index);
            earlier.any(|other| other.name.eq_ignore_ascii_case(&column.name))
        });
        match twice {
            None => Ok((columns, selected)),
            Some((_, OutputColumn { name, .. })) => Err(CompileError::new(
                ErrorCode::InvalidClause,
                format!("two columns of the result would be called {name}"),
            )
            .word(name)),
        }
    }

    fn roles(
        &self,
        now: &Formula,
        prior: Option<&Formula>,
        simple: bool,
    ) -> Result<Vec<(Role, String, ColumnType)>, CompileError> {
        let (now, ty) = self.value(now, simple)?;
        let Some(prior) = prior else {
            return Ok(vec![(Role::Metric, now, ty)]);
        };
        let (prior, _) = self.value(prior, simple)?;
        let mut roles = vec![
            (Role::Metric, now.clone(), ty),
            (Role::Prior, prior.clone(), ty),
        ];
        if matches!(ty, ColumnType::Integer | ColumnType::Number) {
            let (left, right) = (expr::operand(&now), expr::operand(&prior));
            let change = format!("{left} - {right}");
            let share = self.options.dialect.divide(&change, &prior);
            roles.push((Role::Change, change, ty));
            roles.push((Role::ChangePercent, share, ColumnType::Number));
        }
        Ok(roles)
    }

    /// A metric as SQL over the columns of the legs (or, in a simple query, over the aggregates themselves).
    fn value(&self, formula: &Formula, simple: bool) -> Result<(String, ColumnType), CompileError> {
        formula.sql(self.options.dialect, &|leaf| self.leaf(leaf, simple))
    }

    fn leaf(&self, leaf: &Leaf, simple: bool) -> String {
        let dialect = self.options.dialect;
        if simple && let Some(sql) = self.aggregate(&leaf.column) {
            return sql;
        }
        let sql = dialect.name(&leaf.column);
        // A count of no rows is 0; anything else of no rows is NULL.
        if leaf.ty != ColumnType::Integer || !self.is_combined() {
            return sql;
        }
        let day = |key: &&super::key::Key| key.grain == Some(Grain::Day);
        match (leaf.counterpart, self.planned.keys.iter().find(day)) {
            (Some(Shift::Months(months)), Some(key)) => {
                let condition = dialect.has_counterpart(&dialect.name(&key.name), -months);
                format!("CASE WHEN {condition} THEN COALESCE({sql}, 0) END")
            }
            _ => format!("COALESCE({sql}, 0)"),
        }
    }

    fn aggregate(&self, column: &str) -> Option<String> {
        let leg = self.planned.legs.first()?;
        leg.value(column, self.options.dialect)
    }

    fn having(&self, filter: &Filter, simple: bool) -> Result<String, CompileError> {
        let value = |field: &str| {
            let metric = self.registry.metric(field).ok_or_else(|| {
                CompileError::new(
                    ErrorCode::UnknownMetric,
                    format!("unknown metric '{field}'"),
                )
                .word(field)
            })?;
            let at = self
                .request
                .metrics
                .iter()
                .position(|asked| asked.name == metric.name);
            let formula = at.and_then(|at| self.planned.metrics.get(at));
            let (formula, _) = formula.ok_or_else(|| {
                CompileError::new(
                    ErrorCode::InvalidClause,
                    format!(
                        "the condition on {field} needs {field} among the metrics of the query"
                    ),
                )
                .word(field)
            })?;
            self.value(formula, simple)
                .map(|(sql, ty)| (expr::operand(&sql), ty))
        };
        let one = |field: &str, op: CompareOp, literal: &str| {
            let (sql, ty) = value(field)?;
            filter::of_metric((&sql, ty), field, op, literal, self.options.dialect)
        };
        let not = |negated: bool| if negated { "NOT " } else { "" };
        Ok(match filter {
            Filter::And(parts) | Filter::Or(parts) => {
                let word = if matches!(filter, Filter::And(_)) {
                    " AND "
                } else {
                    " OR "
                };
                let parts = parts
                    .iter()
                    .map(|part| self.having(part, simple).map(|sql| format!("({sql})")))
                    .collect::<Result<Vec<_>, _>>()?;
                parts.join(word)
            }
            Filter::Not(part) => format!("NOT ({})", self.having(part, simple)?),
            Filter::IsNull { field, negated } => {
                format!("{} IS {}NULL", value(field)?.0, not(*negated))
            }
            Filter::Compare {
                field,
                op,
                value: literal,
            } => one(field, *op, literal)?,
            Filter::Between {
                field,
                low,
                high,
                negated,
            } => format!(
                "{}({} AND {})",
                not(*negated),
                one(field, CompareOp::Ge, low)?,
                one(field, CompareOp::Le, high)?
            ),
            Filter::In {
                field,
                values,
                negated,
            } => {
                let each = values
                    .iter()
                    .map(|literal| one(field, CompareOp::Eq, literal))
                    .collect::<Result<Vec<_>, _>>()?;
                format!("{}({})", not(*negated), each.join(" OR "))
            }
            Filter::Like { field, pattern, .. } => {
                return Err(CompileError::new(
                    ErrorCode::InvalidClause,
                    format!("{field} is a number and has no pattern"),
                )
                .hint("compare it with =, <, > or between")
                .word(pattern));
            }
        })
    }
}
