//! The limit of a result: its first rows, the first within each value of some groupings, and the others as one row.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use metrex::model::{
    Aggregate, AtCoarserGrain, DimensionType, Direction, Grain, GroupBy, Metric, MetricQuery,
    Presented,
};

use super::additive::{AddsUp, of_measure};
use super::answer::with_comparison;
use super::metrics::{Context, Question};
use super::presented::{Values, part, shown};
use super::{Answered, Key, Value, refuse};

/// A row of the result, which begins with the cells of its group.
pub type Row = Vec<Value>;

/// The columns that rows are sorted by.
pub type Order = Vec<(usize, Direction)>;

/// What the groups beyond the limit are called while a group may be called so too.
const BEYOND: &str = "\0others";

/// By the columns of the order; NULL is last in either direction.
pub fn compare(one: &Row, other: &Row, order: &Order) -> Ordering {
    let orders = order.iter().map(|(index, direction)| {
        let (one, other) = (&one[*index], &other[*index]);
        match direction {
            Direction::Descending if !one.is_null() && !other.is_null() => other.sort(one),
            _ => one.sort(other),
        }
    });
    let mut different = orders.filter(|order| order.is_ne());
    different.next().unwrap_or(Ordering::Equal)
}

/// Refuses a limit that does not say which rows stay.
pub fn check(groups: &[GroupBy], query: &MetricQuery) -> Answered<()> {
    if query.limit_per.is_empty() && !query.others {
        return Ok(());
    }
    if query.limit.is_none() {
        return refuse("per and others belong to a limit");
    }
    if query.limit_per.iter().any(|per| !groups.contains(per)) {
        return refuse("a limit is per what is grouped by");
    }
    if groups.iter().all(|group| query.limit_per.contains(group)) {
        return refuse("each group is one row");
    }
    if query.others && query.metrics.is_empty() {
        return refuse("nothing to add up");
    }
    Ok(())
}

/// The rows within the limit, in order, each with its place among those it is compared with.
pub fn limited(
    groups: &[GroupBy],
    query: &MetricQuery,
    order: &Order,
    mut rows: Vec<Row>,
) -> (Vec<Row>, Vec<Row>) {
    let limit = query
        .limit
        .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
    let per = |index: usize| {
        groups
            .get(index)
            .is_some_and(|group| query.limit_per.contains(group))
    };
    let (outer, inner): (Order, Order) = order.iter().partition(|(index, _)| per(*index));
    rows.sort_by(|one, other| compare(one, other, &inner));
    rows.sort_by(|one, other| compare(one, other, &outer));
    let (mut kept, mut beyond) = (Vec::new(), Vec::new());
    let mut counts: BTreeMap<Key, usize> = BTreeMap::new();
    for row in rows {
        let within = (0..groups.len()).filter(|index| per(*index));
        let within = Key(within.map(|index| row[index].clone()).collect());
        let count = counts.entry(within).or_default();
        *count += 1;
        if *count <= limit {
            kept.push(row);
        } else {
            beyond.push(row);
        }
    }
    (kept, beyond)
}

impl<'a> Question<'_, 'a> {
    /// Whether the groups of a metric can be put together from their parts.
    pub fn check_others(
        &self,
        metric: &'a Metric,
        query: &MetricQuery,
        contexts: &[Context],
    ) -> Answered<()> {
        for group in &self.groups {
            if query.limit_per.contains(group) {
                continue;
            }
            let GroupBy::Dimension(name) = group else {
                return refuse(format!("no {group} is called others"));
            };
            for (measure, _) in self.leaves(metric, &contexts[0])? {
                let (kind, _) = self.world.kind(&measure.dataset, name)?;
                if kind != DimensionType::Text {
                    return refuse(format!("no {group} is called others"));
                }
            }
        }
        if shown(query, metric)
            .iter()
            .any(|what| matches!(what, Presented::Running | Presented::Moving(_)))
        {
            return refuse("the others are others in every period");
        }
        for context in contexts {
            for (measure, context) in self.leaves(metric, context)? {
                let is_edge = matches!(measure.agg, Aggregate::Min | Aggregate::Max)
                    && measure.over_time.is_none();
                if !is_edge && of_measure(measure) == AddsUp::Nowhere {
                    return refuse("parts of the others do not add up");
                }
                let grain = self.own_grain(measure)?;
                let by_days = context.window.is_some_and(|(_, coarser)| {
                    coarser == AtCoarserGrain::Average && grain > Some(Grain::Day)
                });
                let crosses = context.window.is_some()
                    && grain == Some(Grain::Week)
                    && self.is_by_longer_than_weeks(measure)?;
                if by_days || crosses {
                    return refuse("each group has its own days");
                }
            }
        }
        Ok(())
    }

    /// One row for all groups beyond the limit (of each value that the limit is per), computed from their rows.
    pub fn others(
        &self,
        metrics: &[&'a Metric],
        query: &MetricQuery,
        contexts: &[Context],
        (kept, beyond): (&[Row], &[Row]),
        values: &[Values],
    ) -> Answered<Vec<Row>> {
        let n = self.groups.len();
        let folded = |row: &Row| {
            let cells = self.groups.iter().zip(row);
            Key(cells
                .map(|(group, cell)| match query.limit_per.contains(group) {
                    true => cell.clone(),
                    false => Value::Text(BEYOND.to_owned()),
                })
                .collect())
        };
        let mut folds = BTreeMap::new();
        for row in kept {
            let key = Key(row[..n].to_vec());
            folds.insert(key.clone(), key);
        }
        let mut others = BTreeSet::new();
        for row in beyond {
            folds.insert(Key(row[..n].to_vec()), folded(row));
            others.insert(folded(row));
        }
        let question = self.folded(folds);
        let mut rows = Vec::new();
        for key in others {
            let mut row: Row = key.0.clone();
            for cell in &mut row {
                if *cell == Value::Text(BEYOND.to_owned()) {
                    *cell = Value::Text("others".to_owned());
                }
            }
            for (metric, values) in metrics.iter().zip(values) {
                let cells = with_comparison(&question, metric, contexts, &key)?;
                let now = cells[0].clone();
                row.extend(cells);
                for what in shown(query, metric) {
                    row.push(match what {
                        Presented::Share => part(&now, &self.whole(metric, &key, values)?),
                        _ => Value::Null,
                    });
                }
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Puts the others behind the rows that they are the others of.
    pub fn among(
        &self,
        query: &MetricQuery,
        order: &Order,
        kept: Vec<Row>,
        others: Vec<Row>,
    ) -> Vec<Row> {
        let per = |index: usize| {
            let group = self.groups.get(index);
            group.is_some_and(|group| query.limit_per.contains(group))
        };
        let outer: Order = order
            .iter()
            .copied()
            .filter(|(index, _)| per(*index))
            .collect();
        let mut rows = kept;
        rows.extend(others);
        rows.sort_by(|one, other| compare(one, other, &outer));
        rows
    }
}
