//! Makes a failing case small: fewer words in the query, fewer metrics, fewer rows, as long as it still fails.

use metrex::model::{Filter, MetricQuery};

use crate::model::Model;
use crate::oracle::Value;

/// The smallest case found, for a `fails` that loads the data and asks.
pub fn shrink(
    model: Model,
    query: MetricQuery,
    fails: &mut dyn FnMut(&Model, &MetricQuery) -> bool,
) -> (Model, MetricQuery) {
    let (mut model, mut query) = (model, query);
    let mut tries = 100;
    loop {
        let mut smaller = None;
        for (model, query) in candidates(&model, &query) {
            tries -= 1;
            if tries == 0 {
                break;
            }
            if fails(&model, &query) {
                smaller = Some((model, query));
                break;
            }
        }
        match smaller {
            Some(case) => (model, query) = case,
            None => return (model, query),
        }
    }
}

fn candidates(model: &Model, query: &MetricQuery) -> Vec<(Model, MetricQuery)> {
    let mut all: Vec<(Model, MetricQuery)> = Vec::new();
    for query in queries(query) {
        all.push((model.clone(), query));
    }
    // Halves of a table first, then single rows.
    for (index, table) in model.tables.iter().enumerate() {
        let mut chunk = table.rows.len();
        while chunk > 0 {
            for start in (0..table.rows.len()).step_by(chunk) {
                let mut less = model.clone();
                let end = (start + chunk).min(table.rows.len());
                less.tables[index].rows.drain(start..end);
                all.push((less, query.clone()));
            }
            if table.rows.len() > 8 && chunk == 1 {
                break;
            }
            chunk /= 2;
        }
    }
    for index in 0..model.metrics.len() {
        let mut less = model.clone();
        less.metrics.remove(index);
        all.push((less, query.clone()));
    }
    if model
        .tables
        .iter()
        .map(|table| table.rows.len())
        .sum::<usize>()
        <= 6
    {
        for (index, table) in model.tables.iter().enumerate() {
            for (row, cells) in table.rows.iter().enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    if !cell.is_null() && column > 0 {
                        let mut less = model.clone();
                        less.tables[index].rows[row][column] = Value::Null;
                        all.push((less, query.clone()));
                    }
                }
            }
        }
    }
    all
}

/// The query without one of its parts.
fn queries(query: &MetricQuery) -> Vec<MetricQuery> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut MetricQuery)| {
        let mut less = query.clone();
        change(&mut less);
        if less != *query {
            all.push(less);
        }
    };
    with(&|query| query.compare = None);
    with(&|query| query.limit = None);
    with(&|query| query.order.clear());
    with(&|query| query.filters = None);
    with(&|query| query.show.clear());
    with(&|query| query.every_period = None);
    with(&|query| query.others = false);
    with(&|query| query.limit_per.clear());
    for index in 0..query.metrics.len() {
        if query.metrics.len() > 1 {
            with(&|query| {
                query.metrics.remove(index);
            });
        }
    }
    for index in 0..query.group_by.iter().flatten().count() {
        with(&|query| {
            query.group_by.as_mut().unwrap().remove(index);
        });
    }
    for index in 0..query.order.len() {
        with(&|query| {
            query.order.remove(index);
        });
    }
    if let Some(filter) = &query.filters {
        for part in parts(filter) {
            with(&|query| query.filters = Some(part.clone()));
        }
    }
    all
}

fn parts(filter: &Filter) -> Vec<Filter> {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.clone(),
        Filter::Not(part) => vec![(**part).clone()],
        _ => vec![],
    }
}
