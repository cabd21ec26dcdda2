//! A metric as one SQL expression with aggregates, as Ossie has them; and such an expression as a metric.

use serde_json::{Map, Value, json};
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, VisitMut, VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::exchange::define::texts;
use crate::exchange::tables::called;
use crate::model::{Measure, Metric, MetricKind, Registry};

/// Deepest nesting of metrics over metrics that is written out.
const MAX_DEPTH: usize = 32;

/// A metric in SQL, and what of it the SQL does not say.
pub(super) fn sql(registry: &Registry, metric: &Metric) -> (String, Option<&'static str>) {
    written(registry, metric, 0)
}

fn written(registry: &Registry, metric: &Metric, depth: usize) -> (String, Option<&'static str>) {
    let sources = metric.kind.sources();
    let several = (sources.len() > 1).then_some("its other sources");
    let first = sources.first().map(|source| source.measures.as_slice());
    match (&metric.kind, first) {
        (MetricKind::Simple(_) | MetricKind::Ratio(_), Some([one])) => {
            (aggregated(one), several.or(over_time(one)))
        }
        (MetricKind::Ratio(_), Some([numerator, denominator])) => (
            format!(
                "{} / NULLIF({}, 0)",
                aggregated(numerator),
                aggregated(denominator)
            ),
            several,
        ),
        (MetricKind::Cumulative(cumulative), Some([one])) if cumulative.of.is_none() => {
            (aggregated(one), Some("its window"))
        }
        (MetricKind::Cumulative(cumulative), _) => {
            let of = cumulative
                .of
                .as_deref()
                .and_then(|name| registry.metric(name));
            let sql = of.map(|of| written(registry, of, depth + 1).0);
            (sql.unwrap_or_default(), Some("its window"))
        }
        (MetricKind::Derived { expr, inputs }, _) if depth < MAX_DEPTH => {
            let mut loss = None;
            let mut names = Map::new();
            for input in inputs {
                let Some(metric) = registry.metric(&input.metric) else {
                    continue;
                };
                let (sql, inner) = written(registry, metric, depth + 1);
                let special = input.offset.is_some() || !input.filters.is_empty();
                loss = loss
                    .or(inner)
                    .or(special.then_some("the conditions and offsets of its inputs"));
                names.insert(input.name.to_lowercase(), json!(sql));
            }
            (replaced(&expr.text, &names), loss)
        }
        (MetricKind::Conversion(conversion), _) => {
            let base = registry.metric(&conversion.base);
            let sql = base.map(|base| written(registry, base, depth + 1).0);
            (sql.unwrap_or_default(), Some("that it counts conversions"))
        }
        (MetricKind::Complex { .. }, Some([one])) => (aggregated(one), Some("its snippet")),
        _ => ("NULL".to_owned(), Some("how it is computed")),
    }
}

fn over_time(measure: &Measure) -> Option<&'static str> {
    measure
        .over_time
        .as_ref()
        .map(|_| "that it does not add up over time")
}

fn aggregated(measure: &Measure) -> String {
    let dataset = &measure.dataset;
    let filters: Vec<String> = texts(&measure.filters)
        .into_iter()
        .map(|filter| format!("({})", qualified(&filter, dataset)))
        .collect();
    let expr = measure
        .expr
        .as_ref()
        .map(|expr| qualified(&expr.text, dataset));
    let row = match (expr, filters.is_empty()) {
        (Some(expr), true) => expr,
        (expr, false) => format!(
            "CASE WHEN {} THEN {} END",
            filters.join(" AND "),
            expr.unwrap_or_else(|| "1".to_owned())
        ),
        (None, true) => format!("{dataset}.*"),
    };
    called(measure.agg, &row)
}

struct Rename<F>(F);

impl<F: FnMut(&[Ident]) -> Option<Expr>> VisitorMut for Rename<F> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> std::ops::ControlFlow<()> {
        let new = match expr {
            Expr::Identifier(ident) => (self.0)(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(parts) => (self.0)(parts),
            _ => None,
        };
        if let Some(new) = new {
            *expr = new;
        }
        std::ops::ControlFlow::Continue(())
    }
}

/// SQL with its names changed; as it stands where it does not parse.
fn renamed(sql: &str, name: impl FnMut(&[Ident]) -> Option<Expr>) -> String {
    match parse(sql) {
        Some(mut expr) => {
            let _ = expr.visit(&mut Rename(name));
            expr.to_string()
        }
        None => sql.to_owned(),
    }
}

fn parse(sql: &str) -> Option<Expr> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(sql).ok()?;
    let expr = parser.parse_expr().ok()?;
    matches!(parser.peek_token().token, sqlparser::tokenizer::Token::EOF).then_some(expr)
}

/// Bare names as columns of a dataset.
fn qualified(sql: &str, dataset: &str) -> String {
    renamed(sql, |parts| match parts {
        [one] => Some(Expr::CompoundIdentifier(vec![
            Ident::new(dataset),
            one.clone(),
        ])),
        _ => None,
    })
}

/// Names of metrics as what they are.
fn replaced(sql: &str, metrics: &Map<String, Value>) -> String {
    renamed(sql, |parts| {
        let [one] = parts else { return None };
        let sql = metrics.get(&one.value.to_lowercase())?.as_str()?;
        Some(Expr::Nested(Box::new(parse(sql)?)))
    })
}

/// Metrics that an expression of another tool is: simple ones for its aggregates, and what is computed of them.
///
/// # Errors
/// What of it has no counterpart.
pub(super) fn read(
    name: &str,
    sql: &str,
    datasets: &[String],
) -> Result<Vec<(String, Value)>, String> {
    let mut expr = parse(sql).ok_or("its expression does not parse")?;
    if let Some(simple) = aggregate(&expr, datasets)? {
        return Ok(vec![(name.to_owned(), simple)]);
    }
    let mut leaves = Leaves {
        name,
        datasets,
        found: Vec::new(),
    };
    if let std::ops::ControlFlow::Break(reason) = expr.visit(&mut leaves) {
        return Err(reason);
    }
    let mut found = leaves.found;
    if found.is_empty() {
        return Err("it aggregates nothing".to_owned());
    }
    found.push((name.to_owned(), json!({"expr": expr.to_string()})));
    Ok(found)
}

struct Leaves<'a> {
    name: &'a str,
    datasets: &'a [String],
    found: Vec<(String, Value)>,
}

impl VisitorMut for Leaves<'_> {
    type Break = String;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> std::ops::ControlFlow<String> {
        match aggregate(expr, self.datasets) {
            Ok(None) => {}
            Ok(Some(simple)) => {
                let name = format!("{}_{}", self.name, self.found.len() + 1);
                *expr = Expr::Identifier(Ident::new(&name));
                self.found.push((name, simple));
            }
            Err(reason) => return std::ops::ControlFlow::Break(reason),
        }
        std::ops::ControlFlow::Continue(())
    }
}

/// The simple metric that a call of an aggregate is; `None` for anything else.
fn aggregate(expr: &Expr, datasets: &[String]) -> Result<Option<Value>, String> {
    let Expr::Function(function) = expr else {
        return Ok(None);
    };
    let call = function.name.to_string().to_lowercase();
    let FunctionArguments::List(list) = &function.args else {
        return Ok(None);
    };
    let is_distinct = list.to_string().to_lowercase().starts_with("distinct ");
    let agg = match (call.as_str(), is_distinct) {
        ("count", true) => "count_distinct",
        ("count", false) => "count",
        ("sum", false) => "sum",
        ("avg", false) => "avg",
        ("min", _) => "min",
        ("max", _) => "max",
        ("median", false) => "median",
        ("stddev" | "stddev_samp", false) => "stddev",
        ("stddev_pop", false) => "stddev_population",
        ("variance" | "var_samp", false) => "variance",
        ("var_pop", false) => "variance_population",
        ("percentile_cont" | "percentile_disc", _) => {
            return Err(format!("{call} is not carried over"));
        }
        _ => return Ok(None),
    };
    let [FunctionArg::Unnamed(argument)] = list.args.as_slice() else {
        return Err(format!("'{expr}' has not one argument"));
    };
    let mut base: Option<String> = None;
    let row = match argument {
        FunctionArgExpr::Expr(row) => {
            let sql = renamed(&row.to_string(), |parts| {
                let [dataset, column] = parts else {
                    return None;
                };
                if base.is_none() {
                    base = datasets
                        .iter()
                        .find(|known| known.eq_ignore_ascii_case(&dataset.value))
                        .cloned();
                }
                // Columns of the dataset that is aggregated stand by themselves.
                base.as_ref()
                    .is_some_and(|base| base.eq_ignore_ascii_case(&dataset.value))
                    .then(|| Expr::Identifier(column.clone()))
            });
            Some(sql)
        }
        FunctionArgExpr::QualifiedWildcard(dataset) => {
            base = datasets
                .iter()
                .find(|known| **known == dataset.to_string())
                .cloned();
            None
        }
        FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_) => None,
    };
    let base = match (base, datasets) {
        (Some(base), _) => base,
        (None, [only]) => only.clone(),
        (None, _) => return Err(format!("'{expr}' does not say of which dataset")),
    };
    Ok(Some(match row {
        Some(row) => json!({"base_table": base, "agg": agg, "expr": row}),
        None => json!({"base_table": base, "agg": agg}),
    }))
}
