//! Aggregates in SQL: as the words of metrex, and back.

use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, OrderBySort, Value,
};

use super::sql::{Kind, Sql, unwrapped};
use crate::model::Aggregate;
use crate::registry::is_aggregate;

/// One aggregation of rows.
#[derive(Debug, Clone)]
pub(super) struct Aggregated {
    pub(super) agg: Aggregate,
    /// What one row contributes; none for the rows themselves.
    pub(super) row: Option<Sql>,
    /// Conditions on rows.
    pub(super) filters: Vec<Sql>,
    /// What is not quite the same here.
    pub(super) note: Option<&'static str>,
}

/// The aggregation that an expression is; `None` for anything else.
///
/// # Errors
/// It aggregates in a way that has no counterpart.
pub(super) fn call(expr: &Expr) -> Result<Option<Aggregated>, String> {
    let Expr::Function(function) = expr else {
        return Ok(None);
    };
    let name = function.name.to_string().to_lowercase();
    let FunctionArguments::List(list) = &function.args else {
        return Ok(None);
    };
    let is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let mut note = None;
    let agg = match (name.as_str(), is_distinct) {
        ("count", true) => Aggregate::CountDistinct,
        ("count", false) => Aggregate::Count,
        ("count_if" | "countif", false) => Aggregate::SumBoolean,
        ("sum", false) => Aggregate::Sum,
        ("avg" | "mean", false) => Aggregate::Avg,
        ("min", _) => Aggregate::Min,
        ("max", _) => Aggregate::Max,
        ("median", false) => Aggregate::Percentile(0.5),
        ("stddev" | "stddev_samp", false) => Aggregate::Stddev,
        ("stddev_pop", false) => Aggregate::StddevPopulation,
        ("variance" | "var_samp", false) => Aggregate::Variance,
        ("var_pop", false) => Aggregate::VariancePopulation,
        ("percentile_cont" | "percentile_disc", false) => return percentile(function, &name),
        ("approx_count_distinct" | "approx_distinct", false) => {
            note = Some("an approximate count is exact here");
            Aggregate::CountDistinct
        }
        _ if is_aggregate(&name) => return Err(format!("'{name}' has no counterpart")),
        _ => return Ok(None),
    };
    if function.over.is_some() {
        return Err(format!("'{name}' is over a window"));
    }
    let [FunctionArg::Unnamed(argument)] = list.args.as_slice() else {
        return Err(format!("'{name}' has not one argument"));
    };
    let row = match argument {
        FunctionArgExpr::Expr(row) => Some(row.clone()),
        _ => None,
    };
    let mut found = Aggregated {
        agg,
        row: row.map(Sql),
        filters: Vec::new(),
        note,
    };
    if let Some(filter) = &function.filter {
        found.filters = Sql((**filter).clone()).conjuncts();
    }
    Ok(Some(found.simplified()))
}

fn percentile(function: &Function, name: &str) -> Result<Option<Aggregated>, String> {
    let refused = || format!("'{name}' is no percentile of one expression");
    let FunctionArguments::List(list) = &function.args else {
        return Err(refused());
    };
    let (share, row) = match (list.args.as_slice(), function.within_group.as_slice()) {
        ([FunctionArg::Unnamed(FunctionArgExpr::Expr(share))], [order])
            if !matches!(order.options.sort, Some(OrderBySort::Desc)) =>
        {
            (share, &order.expr)
        }
        _ => return Err(refused()),
    };
    let share: f64 = share.to_string().parse().map_err(|_| refused())?;
    let found = Aggregated {
        agg: match name {
            "percentile_disc" => Aggregate::PercentileDiscrete(share),
            _ => Aggregate::Percentile(share),
        },
        row: Some(Sql(row.clone())),
        filters: Vec::new(),
        note: None,
    };
    Ok(Some(found.simplified()))
}

impl Aggregated {
    /// `CASE WHEN a THEN b END` as a condition, a count of ones as a count of rows.
    pub(super) fn simplified(mut self) -> Self {
        if let Some(Expr::Case {
            operand: None,
            conditions,
            else_result,
            ..
        }) = self.row.as_ref().map(|row| unwrapped(&row.0))
            && let [only] = conditions.as_slice()
        {
            let otherwise = else_result.as_deref();
            let is_null =
                |expr: &Expr| matches!(expr, Expr::Value(value) if value.value == Value::Null);
            let (condition, result) = (only.condition.clone(), only.result.clone());
            if otherwise.is_none_or(is_null) {
                self.filters.extend(Sql(condition).conjuncts());
                self.row = Some(Sql(result));
            } else if self.agg == Aggregate::Sum
                && is_number(&result, "1")
                && otherwise.is_some_and(|expr| is_number(expr, "0"))
            {
                self.agg = Aggregate::SumBoolean;
                self.row = Some(Sql(condition));
            }
        }
        let is_one = |row: &Sql| matches!(unwrapped(&row.0), Expr::Value(value) if matches!(value.value, Value::Number(..)));
        if self.agg == Aggregate::Count && self.row.as_ref().is_some_and(is_one) {
            self.row = None;
        }
        self
    }
}

pub(super) fn is_number(expr: &Expr, text: &str) -> bool {
    matches!(unwrapped(expr), Expr::Value(value) if matches!(&value.value, Value::Number(number, _) if number == text || number.strip_suffix(".0") == Some(text)))
}

/// What one row contributes where conditions hold: `CASE WHEN a THEN b END`; 1 for the row itself.
pub(in crate::exchange) fn conditional(row: Option<&Sql>, filters: &[Sql]) -> Result<Sql, String> {
    let row = row.map_or_else(|| "1".to_owned(), Sql::text);
    let text = match condition(filters.iter().map(Sql::text).collect()) {
        None => row,
        Some(condition) => format!("CASE WHEN {condition} THEN {row} END"),
    };
    Sql::read(&text, Kind::Any)
}

fn condition(filters: Vec<String>) -> Option<String> {
    match filters.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("({})", several.join(") AND ("))),
    }
}

/// An aggregation in SQL: `row` is what one row contributes, `filters` are conditions, as the format writes them.
pub(super) fn written(agg: Aggregate, row: Option<&str>, filters: &[String]) -> String {
    let row = match (row, condition(filters.to_vec())) {
        (Some(row), None) => row.to_owned(),
        (row, Some(condition)) => {
            format!("CASE WHEN {condition} THEN {} END", row.unwrap_or("1"))
        }
        (None, None) => "*".to_owned(),
    };
    called(agg, &row)
}

/// The call of an aggregation in SQL, over what one row contributes.
pub(in crate::exchange) fn called(agg: Aggregate, row: &str) -> String {
    match agg {
        Aggregate::Count => format!("COUNT({row})"),
        Aggregate::CountDistinct => format!("COUNT(DISTINCT {row})"),
        Aggregate::Sum => format!("SUM({row})"),
        Aggregate::Avg => format!("AVG({row})"),
        Aggregate::Min => format!("MIN({row})"),
        Aggregate::Max => format!("MAX({row})"),
        Aggregate::Percentile(share) => {
            format!("PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY {row})")
        }
        Aggregate::PercentileDiscrete(share) => {
            format!("PERCENTILE_DISC({share}) WITHIN GROUP (ORDER BY {row})")
        }
        Aggregate::SumBoolean => format!("SUM(CASE WHEN {row} THEN 1 ELSE 0 END)"),
        Aggregate::Stddev => format!("STDDEV_SAMP({row})"),
        Aggregate::StddevPopulation => format!("STDDEV_POP({row})"),
        Aggregate::Variance => format!("VAR_SAMP({row})"),
        Aggregate::VariancePopulation => format!("VAR_POP({row})"),
    }
}

/// Metric arithmetic without what other engines need to divide: `1.0 *`, casts to numbers, `nullif(x, 0)` below a line.
pub(super) fn plain(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => plain(inner),
        Expr::Cast { expr, .. } => plain(expr),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Multiply,
            right,
        } if is_number(left, "1") => plain(right),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Multiply,
            right,
        } if is_number(right, "1") => plain(left),
        other => other,
    }
}
