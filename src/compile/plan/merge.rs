//! Optimisation: legs that read the same rows but for the filters of their definitions read them once.

use super::Leg;
use crate::compile::write::Fragment;

/// Merges legs over one dataset with the same conditions and the same treatment of time. The filters of each move into
/// its aggregates; only rows that at least one of them counts are read, so that no group appears that none of them had.
pub(super) fn merge_scans(legs: Vec<Leg>) -> Vec<Leg> {
    let mut merged: Vec<Vec<Leg>> = Vec::new();
    for leg in legs {
        let same = |group: &&mut Vec<Leg>| {
            group.first().is_some_and(|first| {
                // What becomes of the rows before they are aggregated depends on the filters.
                first.is_plain()
                    && leg.is_plain()
                    && first.dataset == leg.dataset
                    && first.treatment == leg.treatment
                    && first.conditions == leg.conditions
                    && first.bounds == leg.bounds
                    && first.keys == leg.keys
                    && first.over == leg.over
            })
        };
        match merged.iter_mut().find(same) {
            Some(group) => group.push(leg),
            None => merged.push(vec![leg]),
        }
    }
    merged.into_iter().filter_map(merge).collect()
}

fn merge(group: Vec<Leg>) -> Option<Leg> {
    if group.len() == 1 {
        return group.into_iter().next();
    }
    let each: Vec<String> = group.iter().map(condition).collect();
    let all_rows = each.iter().any(String::is_empty);
    let places = |leg: &Leg| {
        let of = leg.definition.iter().flat_map(|one| one.places.clone());
        of.collect::<Vec<_>>()
    };
    let definition = if all_rows {
        Vec::new()
    } else {
        let any: Vec<String> = each.iter().map(|one| format!("({one})")).collect();
        vec![Fragment::new(
            format!("({})", any.join(" OR ")),
            group.iter().flat_map(places),
        )]
    };
    let mut legs = group.into_iter().zip(each);
    let (mut first, own) = legs.next()?;
    restrict(&mut first, &own);
    for (mut leg, own) in legs {
        restrict(&mut leg, &own);
        first.columns.append(&mut leg.columns);
        for join in leg.joins {
            first.add_join(join);
        }
    }
    first.definition = definition;
    Some(first)
}

fn condition(leg: &Leg) -> String {
    let all: Vec<&str> = leg.definition.iter().map(|one| one.sql.as_str()).collect();
    all.join(" AND ")
}

fn restrict(leg: &mut Leg, condition: &str) {
    if condition.is_empty() {
        return;
    }
    let places = leg.definition.iter().flat_map(|one| one.places.clone());
    let only = Fragment::new(condition, places.collect::<Vec<_>>());
    for column in &mut leg.columns {
        column.only = Some(only.clone());
    }
}
