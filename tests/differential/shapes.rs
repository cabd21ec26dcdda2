//! Random shapes of results: figures over rows, limits per group with the others, dimensions alone, and conditions on a
//! metric of each value of a dimension.

use metrex::model::{
    CompareOp, Direction, Filter, Grain, GroupBy, MetricQuery, OrderBy, Presented, Shown,
};

use crate::model::Model;
use crate::random::Random;

/// Figures beside the metrics of a query, which are sometimes given a time to run over.
pub fn figures(random: &mut Random, query: &mut MetricQuery) {
    let grain = |group: &GroupBy| matches!(group, GroupBy::Grain { .. });
    let groups = query.group_by.get_or_insert_default();
    if random.percent(40) && !groups.iter().any(grain) {
        let grain = *random.pick(&[Grain::Day, Grain::Week, Grain::Month, Grain::Quarter]);
        groups.push(GroupBy::Grain { grain, of: None });
    }
    let n = *random.pick(&[1, 1, 2]);
    for metric in random.some(&query.metrics, n) {
        let moving = u32::try_from(random.between(1, 4)).unwrap();
        let what = *random.pick(&[
            Presented::Share,
            Presented::Share,
            Presented::Rank,
            Presented::Running,
            Presented::Moving(moving),
        ]);
        if query.order.len() < 2 && random.percent(30) {
            query.order.push(OrderBy {
                column: format!("{metric}_{}", what.to_string().replace(' ', "_")),
                direction: *random.pick(&[Direction::Ascending, Direction::Descending]),
            });
        }
        query.show.push(Shown { metric, what });
    }
}

/// A limit within the groups that are there already, often with the others in one row.
pub fn limit(random: &mut Random, model: &Model, query: &mut MetricQuery) {
    let groups = query.group_by.get_or_insert_default();
    query.limit_per = groups
        .iter()
        .filter(|_| random.percent(80))
        .cloned()
        .collect();
    let texts = model
        .dimensions
        .iter()
        .filter(|(_, literals)| is_text(literals));
    let texts: Vec<&String> = texts.map(|(name, _)| name).collect();
    for _ in 0..*random.pick(&[1, 1, 2]) {
        let group = GroupBy::Dimension((*random.pick(&texts)).clone());
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    query.limit = Some(random.between(1, 3) as u64);
    query.others = random.percent(60);
    if query.order.is_empty() && random.percent(80) {
        query.order.push(OrderBy {
            column: query.metrics[0].clone(),
            direction: Direction::Descending,
        });
    }
}

/// A query of dimensions and no metric.
pub fn alone(random: &mut Random, model: &Model, filters: Option<Filter>) -> MetricQuery {
    let mut groups: Vec<GroupBy> = Vec::new();
    for _ in 0..random.between(1, 3) {
        let of = Some(random.pick(&model.times).clone());
        let of = of.filter(|_| random.percent(80));
        let grain = *random.pick(&[Grain::Day, Grain::Week, Grain::Month, Grain::Year]);
        let group = match random.below(4) {
            0 => GroupBy::Grain { grain, of },
            _ => GroupBy::Dimension(random.pick(&model.dimensions).0.clone()),
        };
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let limit_per = match groups.as_slice() {
        [first, _, ..] if random.percent(30) => vec![first.clone()],
        _ => vec![],
    };
    let has_limit = !limit_per.is_empty() || random.percent(20);
    MetricQuery {
        group_by: Some(groups),
        filters,
        time: random.percent(30).then(|| crate::queries::time(random)),
        limit: has_limit.then(|| random.between(1, 4) as u64),
        limit_per,
        ..MetricQuery::default()
    }
}

/// A condition on a metric of each value of a dimension.
pub fn per(random: &mut Random, model: &Model) -> Filter {
    let metrics = model.metrics.iter().filter(|metric| metric.is_number);
    let plain: Vec<_> = metrics.clone().filter(|metric| metric.is_plain).collect();
    let all: Vec<_> = metrics.collect();
    let metric = if random.percent(70) {
        random.pick(&plain)
    } else {
        random.pick(&all)
    };
    let dimension = &random.pick(&model.dimensions).0;
    on_number(random, format!("{} per {dimension}", metric.name))
}

/// A condition on something that is a number.
pub fn on_number(random: &mut Random, field: String) -> Filter {
    let values = ["0", "1", "2.5", "4"];
    match random.below(6) {
        0 => Filter::IsNull {
            field,
            negated: random.percent(50),
        },
        1 => Filter::Between {
            field,
            low: "1".to_owned(),
            high: "5".to_owned(),
            negated: random.percent(30),
        },
        2 => Filter::In {
            field,
            values: random
                .some(&values, 2)
                .into_iter()
                .map(str::to_owned)
                .collect(),
            negated: random.percent(40),
        },
        _ => Filter::Compare {
            field,
            op: *random.pick(&[
                CompareOp::Eq,
                CompareOp::Ne,
                CompareOp::Lt,
                CompareOp::Le,
                CompareOp::Gt,
                CompareOp::Ge,
            ]),
            value: (*random.pick(&values)).to_owned(),
        },
    }
}

fn is_text(literals: &[&str]) -> bool {
    !literals.contains(&"true") && !literals.contains(&"2.5")
}
