//! What one `SELECT` hands on: its columns, what one row of it is, and the conditions that its rows meet.

use sqlparser::ast::{
    BinaryOperator, Distinct, Expr, GroupByExpr, Ident, Select, SelectItem,
    SelectItemQualifiedWildcardKind, Spanned, Value, Visit, WindowType,
};

use super::expr::{Column, in_one_form, path};
use super::finding::At;
use super::met::Met;
use super::reading::{Relation, Rows, Walk, at};

impl Walk<'_, '_> {
    pub(super) fn output(
        &self,
        select: &Select,
        conditions: &[&Expr],
        relations: Vec<Relation>,
        is_multiplied: bool,
    ) -> Rows {
        let resolve = |names: &[String]| self.resolve(names, &relations);
        let mut rows = Rows::default();
        let first = relations.first();
        let whole = |of: &Relation, at: At| {
            let base = of.rows.all.clone()?;
            let name = String::new();
            Some((Column { base, name }, at))
        };
        for item in &select.projection {
            let place = at(item.span().start);
            match item {
                SelectItem::Wildcard(_) => {
                    rows.output
                        .extend(relations.iter().filter_map(|one| whole(one, place)));
                    rows.columns
                        .extend(relations.iter().flat_map(|one| one.rows.columns.clone()));
                    rows.all = first.and_then(|one| one.rows.all.clone());
                    rows.numbered
                        .extend(relations.iter().flat_map(|one| one.rows.numbered.clone()));
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    _,
                ) => {
                    let alias = name.0.last().and_then(|part| part.as_ident());
                    let alias = alias.map(|ident| ident.value.to_lowercase());
                    let of = relations
                        .iter()
                        .find(|one| Some(&one.alias) == alias.as_ref());
                    if let Some(of) = of {
                        rows.output.extend(whole(of, place));
                        rows.columns.extend(of.rows.columns.clone());
                        rows.all = rows.all.or_else(|| of.rows.all.clone());
                    }
                }
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    if let (Some(name), Some(by)) = (output_name(item), numbered_by(expr)) {
                        let by = by.iter().map(|one| named(one, &select.projection));
                        rows.numbered.extend(
                            by.collect::<Option<Vec<_>>>()
                                .map(|columns| (name.clone(), columns)),
                        );
                    }
                    if let (Some(name), Some(names)) = (output_name(item), path(expr))
                        && let Some((_, column)) = resolve(&names)
                    {
                        rows.output.push((column.clone(), place));
                        rows.columns.insert(name, column);
                    }
                }
                _ => {}
            }
        }
        let groups = match &select.group_by {
            GroupByExpr::Expressions(groups, _) => groups.as_slice(),
            GroupByExpr::All(_) => return rows,
        };
        if !groups.is_empty() {
            rows.all = None;
            rows.grain = groups
                .iter()
                .map(|group| group_name(group, &select.projection))
                .collect();
            return rows;
        }
        if select.projection.iter().any(is_aggregate) {
            rows.all = None;
            rows.grain = Some(Vec::new());
            return rows;
        }
        if matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_))) || is_multiplied {
            return rows;
        }
        let Some(first) = first else {
            return rows;
        };
        // Many-to-one joins leave one row for each of the first relation.
        let handed_on = |key: &String| {
            let of = first.rows.column(key);
            let mut outputs = rows.columns.iter();
            let renamed = outputs.find(|(_, column)| of.as_ref() == Some(column));
            // A key that is not handed on tells the rows apart all the same: no column of the output does.
            renamed.map_or_else(|| key.clone(), |(name, _)| name.clone())
        };
        // Of numbered rows, the first for each.
        let numbered = conditions
            .iter()
            .find_map(|one| first.rows.numbered.get(&is_first(one)?));
        match (numbered, relations.len()) {
            (Some(by), 1) => {
                let by = by.iter();
                let by = by.map(|one| {
                    let column = Expr::Identifier(Ident::new(one));
                    named(&column, &select.projection).unwrap_or_else(|| one.clone())
                });
                rows.grain = Some(by.collect());
            }
            _ => {
                if let Some(grain) = &first.rows.grain {
                    rows.grain = Some(grain.iter().map(handed_on).collect());
                }
            }
        }
        let own = conditions.iter();
        let own = own
            .filter_map(|one| in_one_form(one, &|names| resolve(names).map(|(_, column)| column)));
        rows.conditions = own.chain(first.rows.conditions.iter().cloned()).collect();
        if relations.len() == 1 {
            rows.canonical = first.rows.canonical.clone();
            rows.what = first.rows.what.clone();
        }
        rows
    }
}

/// Whether the rows of a `SELECT` are made fewer: grouped, or each kept once.
pub(super) fn is_reduced(select: &Select) -> bool {
    let is_grouped = match &select.group_by {
        GroupByExpr::Expressions(groups, _) => !groups.is_empty(),
        GroupByExpr::All(_) => true,
    };
    is_grouped
        || matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_)))
        || select.projection.iter().any(is_aggregate)
}

/// What the rows are numbered anew for: `row_number() over (partition by …)`.
fn numbered_by(expr: &Expr) -> Option<&[Expr]> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let name = function.name.to_string();
    match &function.over {
        Some(WindowType::WindowSpec(over)) if name.eq_ignore_ascii_case("row_number") => {
            Some(&over.partition_by)
        }
        _ => None,
    }
}

/// The column that is to be 1.
fn is_first(condition: &Expr) -> Option<String> {
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::Eq,
        right,
    } = condition
    else {
        return None;
    };
    let is_one = |expr: &Expr| matches!(expr, Expr::Value(value) if matches!(&value.value, Value::Number(number, _) if number == "1"));
    is_one(right).then(|| path(left)?.pop()).flatten()
}

/// The output column that a column of the `FROM` becomes.
fn named(column: &Expr, projection: &[SelectItem]) -> Option<String> {
    let column = path(column)?.pop()?;
    let is_it = |item: &&SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            path(expr).and_then(|mut names| names.pop()).as_ref() == Some(&column)
        }
        _ => false,
    };
    let found = projection.iter().find(is_it).and_then(output_name);
    let is_all = |item: &SelectItem| {
        matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
        )
    };
    found.or_else(|| projection.iter().any(is_all).then_some(column))
}

/// The name of an output column.
fn output_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.to_lowercase()),
        SelectItem::UnnamedExpr(expr) => path(expr)?.pop(),
        _ => None,
    }
}

/// The output column that a group is: by its number, its name or its expression.
fn group_name(group: &Expr, projection: &[SelectItem]) -> Option<String> {
    if let Expr::Value(value) = group
        && let Value::Number(number, _) = &value.value
    {
        let index: usize = number.to_string().parse().ok()?;
        return output_name(projection.get(index.checked_sub(1)?)?);
    }
    let text = group.to_string();
    let same = |item: &&SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            expr.to_string() == text
        }
        _ => false,
    };
    let by_text = projection.iter().find(same).and_then(output_name);
    by_text.or_else(|| {
        let name = path(group)?.pop()?;
        let mut names = projection.iter().filter_map(output_name);
        names.find(|output| *output == name)
    })
}

fn is_aggregate(item: &SelectItem) -> bool {
    let mut met = Met::default();
    let _ = item.visit(&mut met);
    met.functions.iter().any(|function| {
        let name = function.name.to_string().to_lowercase();
        function.over.is_none() && crate::registry::is_aggregate(&name)
    })
}
