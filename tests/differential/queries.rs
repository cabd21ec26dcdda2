//! Random queries over the metrics and dimensions of a model.

use metrex::model::{
    CompareOp, Comparison, DatePart, Direction, Filter, Grain, GroupBy, MetricQuery, OrderBy,
    Period, TimeRange,
};

use crate::model::Model;
use crate::random::Random;
use crate::shapes;

pub fn query(random: &mut Random, model: &Model) -> MetricQuery {
    if random.percent(5) {
        let filters = random.percent(50).then(|| filter(random, model, 2));
        return shapes::alone(random, model, filters);
    }
    let mut query = of_metrics(random, model);
    if random.percent(12) {
        shapes::limit(random, model, &mut query);
    }
    if random.percent(25) {
        shapes::figures(random, &mut query);
    }
    query
}

fn of_metrics(random: &mut Random, model: &Model) -> MetricQuery {
    let names: Vec<String> = model
        .metrics
        .iter()
        .map(|metric| metric.name.clone())
        .collect();
    let n = *random.pick(&[1, 1, 2, 3]);
    let metrics = random.some(&names, n);
    let mut groups: Vec<GroupBy> = Vec::new();
    for _ in 0..*random.pick(&[0, 1, 1, 1, 2, 2, 3]) {
        let group = group(random, model);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut filters = Vec::new();
    if random.percent(45) {
        filters.push(filter(random, model, 2));
    }
    if random.percent(12) {
        filters.push(having(random, &metrics, 2));
    }
    let filters = filters.into_iter().reduce(Filter::and);
    let is_fine = groups
        .iter()
        .any(|group| matches!(group, GroupBy::Grain { grain, .. } if *grain < Grain::Day));
    let by_name = |name: &String| model.metrics.iter().find(|metric| metric.name == *name);
    let is_plain = metrics
        .iter()
        .filter_map(by_name)
        .all(|metric| metric.is_plain);
    let mut time = random.percent(70).then(|| time(random));
    // A window for every second of years would take years.
    if is_fine && !is_plain {
        for group in &mut groups {
            if let GroupBy::Grain { grain, .. } = group {
                *grain = (*grain).max(Grain::Hour);
            }
        }
        let all = std::mem::take(&mut groups);
        for group in all {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        let day = |month, day| Period::Day(jiff::civil::date(2024, month, day));
        time = Some(TimeRange::Span(Some(day(2, 28)), Some(day(3, 1))));
    }
    let percent = if is_plain { 30 } else { 15 };
    let compare = (time.is_some() && random.percent(percent)).then(|| comparison(random));
    let mut order = Vec::new();
    if random.percent(30) {
        let mut columns = metrics.clone();
        columns.extend(
            groups
                .iter()
                .map(|group| group.to_string().replace('"', "")),
        );
        if compare.is_some() {
            columns.push(format!("{}_change", metrics[0]));
            columns.push(format!("{}_prior", metrics[0]));
        }
        for column in random.some(&columns, 2) {
            let direction = *random.pick(&[Direction::Ascending, Direction::Descending]);
            order.push(OrderBy { column, direction });
        }
    }
    let limit = random.percent(20).then(|| random.between(1, 6) as u64);
    let every_period = match random.below(12) {
        0 | 1 if !is_fine => Some(true),
        2 | 3 => Some(false),
        _ => None,
    };
    MetricQuery {
        metrics,
        group_by: Some(groups),
        filters,
        time,
        compare,
        order,
        limit,
        every_period,
        ..MetricQuery::default()
    }
}

fn group(random: &mut Random, model: &Model) -> GroupBy {
    let of = random
        .percent(20)
        .then(|| random.pick(&model.times).clone());
    match random.below(10) {
        0..=3 => {
            let fine = *random.pick(&[Grain::Second, Grain::Minute, Grain::Hour]);
            let grain = *random.pick(&[
                Grain::Day,
                Grain::Week,
                Grain::Month,
                Grain::Month,
                Grain::Quarter,
                Grain::Year,
                fine,
            ]);
            GroupBy::Grain { grain, of }
        }
        4 => GroupBy::Part {
            part: *random.pick(&DatePart::ALL),
            of,
        },
        _ => GroupBy::Dimension(random.pick(&model.dimensions).0.clone()),
    }
}

fn filter(random: &mut Random, model: &Model, depth: usize) -> Filter {
    if depth > 0 && random.percent(40) {
        let parts = vec![
            filter(random, model, depth - 1),
            filter(random, model, depth - 1),
        ];
        return match random.below(3) {
            0 => flat(parts, false),
            1 => flat(parts, true),
            _ => Filter::Not(Box::new(parts.into_iter().next().unwrap())),
        };
    }
    if random.percent(15) {
        return on_time(random, model);
    }
    if random.percent(12) {
        return shapes::per(random, model);
    }
    let (field, literals) = random.pick(&model.dimensions).clone();
    let literal = |random: &mut Random| (*random.pick(&literals)).to_owned();
    let is_truth = literals.contains(&"true");
    let is_number = literals.contains(&"2.5");
    match random.below(6) {
        0 => Filter::IsNull {
            field,
            negated: random.percent(50),
        },
        1 => Filter::In {
            field,
            values: vec![literal(random), literal(random)],
            negated: random.percent(40),
        },
        2 if is_number => Filter::Between {
            field,
            low: "0".to_owned(),
            high: literal(random),
            negated: random.percent(30),
        },
        3 if !is_number && !is_truth => Filter::Like {
            field,
            pattern: (*random.pick(&["%a%", "s_o", "north%", "%"])).to_owned(),
            negated: random.percent(30),
        },
        _ => Filter::Compare {
            field,
            op: if is_truth {
                *random.pick(&[CompareOp::Eq, CompareOp::Ne])
            } else {
                operator(random)
            },
            value: literal(random),
        },
    }
}

/// `and`/`or` without one of its own kind inside, as queries are written.
fn flat(parts: Vec<Filter>, or: bool) -> Filter {
    let parts = parts.into_iter().flat_map(|part| match part {
        Filter::Or(inner) if or => inner,
        Filter::And(inner) if !or => inner,
        other => vec![other],
    });
    let parts = parts.collect();
    if or {
        Filter::Or(parts)
    } else {
        Filter::And(parts)
    }
}

fn on_time(random: &mut Random, model: &Model) -> Filter {
    let mut fields = model.times.clone();
    fields.push("at".to_owned());
    let field = random.pick(&fields).clone();
    let literals = [
        "2024",
        "2024Q1",
        "2024-02",
        "2024-W09",
        "2024-02-29",
        "2023-12-31",
    ];
    let value = (*random.pick(&literals)).to_owned();
    Filter::Compare {
        field,
        op: operator(random),
        value,
    }
}

/// A condition on metrics of the query.
fn having(random: &mut Random, metrics: &[String], depth: usize) -> Filter {
    if depth > 0 && random.percent(35) {
        let parts = vec![
            having(random, metrics, depth - 1),
            having(random, metrics, depth - 1),
        ];
        return match random.below(3) {
            0 => flat(parts, false),
            1 => flat(parts, true),
            _ => Filter::Not(Box::new(parts.into_iter().next().unwrap())),
        };
    }
    let metric = random.pick(metrics).clone();
    shapes::on_number(random, metric)
}

fn operator(random: &mut Random) -> CompareOp {
    *random.pick(&[
        CompareOp::Eq,
        CompareOp::Eq,
        CompareOp::Ne,
        CompareOp::Lt,
        CompareOp::Le,
        CompareOp::Gt,
        CompareOp::Ge,
    ])
}

pub fn time(random: &mut Random) -> TimeRange {
    let grains = [
        Grain::Day,
        Grain::Week,
        Grain::Month,
        Grain::Quarter,
        Grain::Year,
    ];
    let grain = *random.pick(&grains);
    let n = u32::try_from(random.between(1, 8)).unwrap();
    let spans = [
        (Period::Month(2024, 1), Period::Month(2024, 3)),
        (Period::Month(2024, 2), Period::Month(2024, 2)),
        (Period::Quarter(2024, 1), Period::Quarter(2024, 1)),
        (Period::Year(2024), Period::Year(2024)),
        (Period::Week(2024, 9), Period::Week(2024, 10)),
        (
            Period::Day(jiff::civil::date(2024, 2, 26)),
            Period::Day(jiff::civil::date(2024, 3, 3)),
        ),
        (Period::Month(2023, 12), Period::Quarter(2024, 1)),
    ];
    match random.below(10) {
        0 => TimeRange::This(grain),
        1 => TimeRange::Last(n, grain),
        2 => TimeRange::Rolling(n, grain),
        3 => TimeRange::ToDate(*random.pick(&grains[1..])),
        4 => TimeRange::Span(Some(Period::Month(2024, 1)), None),
        5 => TimeRange::Span(None, Some(Period::Month(2024, 2))),
        6 => TimeRange::AllTime,
        _ => {
            let (from, to) = *random.pick(&spans);
            TimeRange::Span(Some(from), Some(to))
        }
    }
}

fn comparison(random: &mut Random) -> Comparison {
    let n = u32::try_from(random.between(1, 5)).unwrap();
    let grain = *random.pick(&[Grain::Day, Grain::Week, Grain::Month, Grain::Quarter]);
    match random.below(8) {
        0..=2 => Comparison::PreviousPeriod,
        3..=4 => Comparison::PreviousYear,
        5 | 6 => Comparison::Ago(n, grain),
        _ => Comparison::Range(Period::Month(2023, 2), Period::Month(2023, 2)),
    }
}
