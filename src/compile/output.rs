//! The last step: final expressions of every metric, conditions on metrics, order and limit, written with a template.

use minijinja::value::Value;

use super::key::Key;
use super::plan::{Aggregation, Plan, prior_name};
use super::request::Request;
use super::write::{Fragment, Templates, object};
use super::{CompileError, CompileOptions, ErrorCode, OutputColumn, Role, Statement, expr, filter};
use crate::model::{
    ColumnType, Direction, Expression, Filter, Format, FormatKind, Grain, Metric, MetricKind,
    Registry,
};
use crate::registry::nearest;

/// Metrics may be derived from derived ones this deep.
const MAX_DEPTH: u8 = 32;

pub(super) fn write(
    registry: &Registry,
    templates: &Templates,
    request: &Request<'_>,
    plan: &Plan,
    options: &CompileOptions<'_>,
) -> Result<Statement, CompileError> {
    let day = |key: &&Key| key.grain == Some(Grain::Day);
    let counterpart =
        request
            .uneven_months()
            .zip(plan.keys.iter().find(day))
            .map(|(months, key)| {
                options
                    .dialect
                    .has_counterpart(&options.dialect.name(&key.name), -months)
            });
    let writer = Writer {
        registry,
        plan,
        options,
        counterpart,
    };
    let simple = writer.is_simple(request);
    let mut columns = Vec::new();
    let mut selected: Vec<(Fragment, String)> = Vec::new();
    let only = plan.aggregations.first();
    for (index, key) in plan.keys.iter().enumerate() {
        let sql = match only {
            Some(aggregation) if simple => aggregation.keys.get(index).cloned().unwrap_or_default(),
            _ => Fragment::plain(options.dialect.name(&key.name)),
        };
        selected.push((sql, key.name.clone()));
        columns.push(OutputColumn {
            name: key.name.clone(),
            label: key.label.clone(),
            role: Role::Group,
            ty: key.ty,
            format: key.format.clone(),
            grain: key.grain,
            additive: false,
        });
    }
    for metric in &request.metrics {
        for (role, sql, ty) in writer.roles(metric, simple, request.shifted.is_some())? {
            let name = match role {
                Role::Prior => prior_name(&metric.name),
                Role::Change => format!("{}_change", metric.name),
                Role::ChangePercent => format!("{}_change_pct", metric.name),
                Role::Group | Role::Metric => metric.name.clone(),
            };
            let column = output_column(metric, role, ty, name.clone());
            columns.push(column);
            selected.push((Fragment::new(sql, [metric.place]), name));
        }
    }
    if let Some((_, name)) = selected.iter().enumerate().find_map(|(index, (_, name))| {
        selected
            .iter()
            .take(index)
            .find(|(_, earlier)| earlier.eq_ignore_ascii_case(name))
    }) {
        return Err(CompileError::new(
            ErrorCode::InvalidClause,
            format!("two columns of the result would be called {name}"),
        )
        .word(name));
    }

    let having = match &request.having {
        None => None,
        Some(filter) => Some(Fragment::plain(writer.having(filter, simple)?)),
    };
    let order = order(request, &columns, options)?;
    let source = match only {
        _ if plan.is_combined() => "metrex_groups",
        Some(_) => "metrex_1",
        None => {
            return Err(CompileError::new(
                ErrorCode::NoMetric,
                "the query has nothing to aggregate",
            ));
        }
    };
    let group_by = |count: usize| {
        (count > 0).then(|| {
            let ordinals: Vec<String> = (1..=count).map(|n| n.to_string()).collect();
            Fragment::plain(ordinals.join(", "))
        })
    };
    let optional =
        |fragment: Option<Fragment>| fragment.map_or(Value::from(false), Fragment::value);
    let values = object([
        (
            "columns",
            selected
                .into_iter()
                .map(|(sql, name)| sql.alias(&options.dialect.name(&name)).value())
                .collect(),
        ),
        (
            "legs",
            plan.aggregations
                .iter()
                .enumerate()
                .map(|(index, leg)| writer.leg(index, leg))
                .collect(),
        ),
        ("combined", Value::from(plan.is_combined())),
        ("periods", optional(writer.periods())),
        ("parts", writer.parts()),
        ("merged", writer.merged()),
        ("group_by", optional(group_by(plan.keys.len()))),
        ("source", Fragment::plain(source).value()),
        ("having", optional(having)),
        (
            "order",
            order
                .into_iter()
                .map(|key| Fragment::plain(key).value())
                .collect(),
        ),
        (
            "limit",
            optional(
                request
                    .query
                    .limit
                    .map(|limit| Fragment::plain(limit.to_string())),
            ),
        ),
    ]);
    let template = if request.shifted.is_some() {
        "compare.sql.j2"
    } else if plan.spine.is_some() {
        "trend.sql.j2"
    } else if simple {
        "simple_metric.sql.j2"
    } else if request
        .metrics
        .iter()
        .any(|metric| matches!(metric.kind, MetricKind::Derived { .. }))
    {
        "derived.sql.j2"
    } else {
        "ratio.sql.j2"
    };
    let (sql, lines) = templates.write(template, values)?;
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
    let additive = is_one && adds_up && measures.all(|measure| measure.agg.is_additive());
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

struct Writer<'a> {
    registry: &'a Registry,
    plan: &'a Plan,
    options: &'a CompileOptions<'a>,
    /// The condition that the day of a row has a counterpart in the compared range; `None` where every day has one.
    counterpart: Option<String>,
}

impl Writer<'_> {
    /// One aggregation answers the query by itself.
    fn is_simple(&self, request: &Request<'_>) -> bool {
        self.plan.aggregations.len() == 1
            && self.plan.spine.is_none()
            && request
                .metrics
                .iter()
                .all(|metric| !metric.kind.sources().is_empty() && !metric.kind.is_ratio())
    }

    fn roles(
        &self,
        metric: &Metric,
        simple: bool,
        compared: bool,
    ) -> Result<Vec<(Role, String, ColumnType)>, CompileError> {
        let (now, ty) = self.value(metric, simple, false, 0)?;
        if !compared {
            return Ok(vec![(Role::Metric, now, ty)]);
        }
        let (prior, _) = self.value(metric, simple, true, 0)?;
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

    /// A metric as SQL over the aggregate columns (or, in a simple query, over the aggregates themselves).
    fn value(
        &self,
        metric: &Metric,
        simple: bool,
        prior: bool,
        depth: u8,
    ) -> Result<(String, ColumnType), CompileError> {
        let (sql, ty) = self.unfilled(metric, simple, prior, depth)?;
        Ok(match metric.fill {
            Some(fill) => (format!("COALESCE({sql}, {fill})"), ty),
            None => (sql, ty),
        })
    }

    fn unfilled(
        &self,
        metric: &Metric,
        simple: bool,
        prior: bool,
        depth: u8,
    ) -> Result<(String, ColumnType), CompileError> {
        let broken = |why: &str| {
            CompileError::new(
                ErrorCode::InvalidDefinition,
                format!("{}: {why}", metric.name),
            )
            .at(metric.place)
        };
        if depth > MAX_DEPTH {
            return Err(broken("the definitions are nested too deeply"));
        }
        let leaf = |which: usize| {
            let id = (metric.name.clone(), which);
            let column = self
                .plan
                .column(&id, prior)
                .ok_or_else(|| broken("a measure is missing from the plan"))?;
            let sql = if simple {
                column.sql.sql.clone()
            } else {
                self.options.dialect.name(&column.name)
            };
            // A count of no rows is 0; anything else of no rows is NULL.
            let is_zero = column.ty == ColumnType::Integer && self.plan.is_combined();
            let sql = match &self.counterpart {
                _ if !is_zero => sql,
                Some(condition) if prior => {
                    format!("CASE WHEN {condition} THEN COALESCE({sql}, 0) END")
                }
                _ => format!("COALESCE({sql}, 0)"),
            };
            Ok::<_, CompileError>((sql, column.ty))
        };
        match &metric.kind {
            MetricKind::Derived { expr, .. } => Ok((
                self.derived(metric, expr, prior, depth)?,
                ColumnType::Number,
            )),
            kind if kind.is_ratio() => {
                let (numerator, denominator) = (leaf(0)?.0, leaf(1)?.0);
                Ok((
                    self.options.dialect.divide(&numerator, &denominator),
                    ColumnType::Number,
                ))
            }
            kind if kind.sources().is_empty() => {
                Err(broken("a complex metric has no compiled form"))
            }
            _ => leaf(0),
        }
    }

    fn derived(
        &self,
        metric: &Metric,
        expression: &Expression,
        prior: bool,
        depth: u8,
    ) -> Result<String, CompileError> {
        let parsed = expr::parse(expression)?;
        let sql = expr::rewrite(parsed, self.options.dialect, &mut |parts| {
            let name: Vec<_> = parts.iter().map(|part| part.value.as_str()).collect();
            let name = name.join(".");
            let input = self.registry.metric(&name).ok_or_else(|| {
                CompileError::new(
                    ErrorCode::InvalidDefinition,
                    format!("{}: there is no metric '{name}'", metric.name),
                )
                .at(expression.place)
            })?;
            let (sql, _) = self.value(input, false, prior, depth + 1)?;
            Ok(expr::operand(&sql))
        })?;
        Ok(sql)
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
            self.value(metric, simple, false, 0)
                .map(|(sql, _)| expr::operand(&sql))
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
                format!("{} IS {}NULL", value(field)?, not(*negated))
            }
            Filter::Compare {
                field,
                op,
                value: literal,
            } => {
                format!(
                    "{} {} {}",
                    value(field)?,
                    filter::operator(*op),
                    filter::number(field, literal)?
                )
            }
            Filter::Between {
                field,
                low,
                high,
                negated,
            } => format!(
                "{} {}BETWEEN {} AND {}",
                value(field)?,
                not(*negated),
                filter::number(field, low)?,
                filter::number(field, high)?
            ),
            Filter::In {
                field,
                values,
                negated,
            } => {
                let literals = values
                    .iter()
                    .map(|literal| filter::number(field, literal))
                    .collect::<Result<Vec<_>, _>>()?;
                format!(
                    "{} {}IN ({})",
                    value(field)?,
                    not(*negated),
                    literals.join(", ")
                )
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

    fn leg(&self, index: usize, leg: &Aggregation) -> Value {
        let keys = leg
            .keys
            .iter()
            .cloned()
            .zip(&self.plan.keys)
            .map(|(sql, key)| (sql, key.name.as_str()));
        let columns = leg
            .columns
            .iter()
            .map(|column| (column.sql.clone(), column.name.as_str()));
        object([
            (
                "name",
                Fragment::plain(format!("metrex_{}", index + 1)).value(),
            ),
            (
                "columns",
                keys.chain(columns)
                    .map(|(sql, name)| sql.alias(&self.options.dialect.name(name)).value())
                    .collect(),
            ),
            ("from", leg.from.clone().value()),
            (
                "joins",
                leg.joins.iter().cloned().map(Fragment::value).collect(),
            ),
            (
                "conditions",
                leg.conditions
                    .iter()
                    .cloned()
                    .map(Fragment::value)
                    .collect(),
            ),
        ])
    }

    /// The recursive calendar of a trend: every period from the first to the last.
    fn periods(&self) -> Option<Fragment> {
        let (first, last, grain) = self.plan.spine?;
        let dialect = self.options.dialect;
        let key = dialect.name(&self.plan.keys.first()?.name);
        let by = match grain {
            Grain::Second | Grain::Minute | Grain::Hour | Grain::Day => {
                crate::warehouse::Shift::Days(1)
            }
            Grain::Week => crate::warehouse::Shift::Days(7),
            Grain::Month => crate::warehouse::Shift::Months(1),
            Grain::Quarter => crate::warehouse::Shift::Months(3),
            Grain::Year => crate::warehouse::Shift::Months(12),
        };
        Some(Fragment::plain(format!(
            "SELECT {} AS {key}\n  UNION ALL\n  SELECT {} FROM metrex_periods WHERE {key} < {}",
            dialect.date(first),
            dialect.shift(&key, by),
            dialect.date(last)
        )))
    }

    /// The stack: each aggregation with NULL for the columns of the others, and the bare periods of a trend.
    fn parts(&self) -> Value {
        let dialect = self.options.dialect;
        let all: Vec<_> = self
            .plan
            .aggregations
            .iter()
            .flat_map(|leg| &leg.columns)
            .collect();
        let row = |from: String, own: &[super::plan::Aggregated]| {
            let keys = self.plan.keys.iter().map(|key| dialect.name(&key.name));
            let columns = all.iter().map(|column| {
                let name = dialect.name(&column.name);
                if own.iter().any(|own| own.name == column.name) {
                    name
                } else {
                    format!("{} AS {name}", dialect.cast("NULL", column.ty))
                }
            });
            let list: Vec<String> = keys.chain(columns).collect();
            Fragment::plain(format!("SELECT {} FROM {from}", list.join(", "))).value()
        };
        let mut rows: Vec<Value> = Vec::new();
        for (index, leg) in self.plan.aggregations.iter().enumerate() {
            rows.push(row(format!("metrex_{}", index + 1), &leg.columns));
        }
        if self.plan.spine.is_some() {
            rows.push(row("metrex_periods".to_owned(), &[]));
        }
        Value::from(rows)
    }

    /// The columns of the stack, one row per group: every aggregation has at most one row there, so MAX picks it.
    fn merged(&self) -> Value {
        let dialect = self.options.dialect;
        let keys = self
            .plan
            .keys
            .iter()
            .map(|key| Fragment::plain(dialect.name(&key.name)).value());
        let columns = self
            .plan
            .aggregations
            .iter()
            .flat_map(|leg| &leg.columns)
            .map(|column| {
                let name = dialect.name(&column.name);
                Fragment::plain(format!("MAX({name}) AS {name}")).value()
            });
        keys.chain(columns).collect()
    }
}
