//! What one `SELECT` hands on: its columns, what one row of it is, and the conditions that its rows meet.

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Select, SelectItem, SelectItemQualifiedWildcardKind, Spanned,
    Value, Visit,
};

use super::expr::{Column, in_one_form, path};
use super::finding::At;
use super::met::{Met, is_aggregate_name};
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
        if let Some(grain) = &first.rows.grain {
            rows.grain = Some(grain.iter().map(handed_on).collect());
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
        function.over.is_none() && is_aggregate_name(&name)
    })
}
