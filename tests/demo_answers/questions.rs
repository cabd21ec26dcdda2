//! Every question that the test asks about a metric, in the compiler's words and as a loop over rows.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use metrex::compile::{DimensionChoice, Reachability};
use metrex::model::{
    CompareOp, DimensionType, Filter, Grain, GroupBy, MetricQuery, Registry, TimeRange,
};

use super::by_hand::{self, Answer, Key, Question};
use super::made::TODAY;
use super::rows::{NULL, Row, Value, World};

/// A range that begins and ends within months, and holds the busiest day of the year.
const FIRST: Date = date(2026, 9, 15);
const LAST: Date = date(2026, 11, 12);

/// A grouped question, in the compiler's words and in ours.
pub struct Case {
    pub query: MetricQuery,
    filter: Option<(String, Filter)>,
    by: Vec<By>,
    range: Option<(Date, Date)>,
}

enum By {
    Dimension(String),
    /// A period of a time dimension, or of the metric's own time.
    Period(Grain, Option<String>),
}

impl Case {
    fn new(
        metric: &str,
        by: Vec<By>,
        filter: Option<(String, Filter)>,
        range: Option<(Date, Date)>,
    ) -> Self {
        let group = |by: &By| match by {
            By::Dimension(name) => GroupBy::Dimension(name.clone()),
            By::Period(grain, of) => GroupBy::Grain {
                grain: *grain,
                of: of.clone(),
            },
        };
        let time = match range {
            None => TimeRange::AllTime,
            Some((first, last)) => format!("{first}..{last}").parse().unwrap(),
        };
        let query = MetricQuery {
            metrics: vec![metric.to_owned()],
            group_by: Some(by.iter().map(group).collect()),
            filters: filter.as_ref().map(|(_, filter)| filter.clone()),
            time: Some(time),
            ..MetricQuery::default()
        };
        Self {
            query,
            filter,
            by,
            range,
        }
    }

    /// What a loop over the rows says.
    pub fn expected(&self, world: &World) -> Answer {
        let keep = |row: &Row| {
            let filter = self.filter.as_ref();
            filter.is_none_or(|(name, filter)| holds(filter, &row.dimension(name)))
        };
        let part = |by: &By, row: &Row, day: Date| match by {
            By::Dimension(name) => row.dimension(name).key(),
            By::Period(grain, None) => period(*grain, &day.to_string()),
            By::Period(grain, Some(name)) => match row.dimension(name) {
                Value::Null => NULL.to_owned(),
                value => period(*grain, &value.key()),
            },
        };
        let key = |row: &Row, day: Date| {
            let parts = self.by.iter();
            parts.map(|by| part(by, row, day)).collect::<Key>()
        };
        let own = |row: &Row, day: Date| {
            let parts = self.by.iter().filter(|by| match by {
                By::Period(_, None) => true,
                By::Dimension(name) | By::Period(_, Some(name)) => row.is_time(name),
            });
            parts.map(|by| part(by, row, day)).collect::<Key>()
        };
        let uses_module = |by: &By| matches!(by, By::Dimension(name) if name == "module");
        let module = self.by.iter().any(uses_module)
            || self
                .filter
                .as_ref()
                .is_some_and(|(name, _)| name == "module");
        let groups = self.groups();
        by_hand::answer(
            world,
            &self.query.metrics[0],
            &Question {
                module,
                keep: &keep,
                range: self.range,
                ends: self.ends(),
                key: &key,
                period: &own,
                groups,
            },
        )
    }

    /// The last day of each period of the range, and of the range where it has no periods.
    fn ends(&self) -> Vec<Date> {
        let (first, last) = self.range.unwrap_or((TODAY, TODAY));
        let grain = self.by.iter().find_map(|by| match by {
            By::Period(grain, None) => Some(*grain),
            _ => None,
        });
        let Some(grain) = grain else {
            return vec![last];
        };
        let of = |day: Date| period(grain, &day.to_string());
        let days = first.series(1.day()).take_while(|day| *day <= last);
        days.filter(|day| *day == last || of(*day) != of(*day + 1.day()))
            .collect()
    }

    /// A total is one row whatever happens, and a trend over one grain shows every period of its range.
    fn groups(&self) -> Vec<Key> {
        match (self.by.as_slice(), self.range) {
            ([], _) => vec![vec![]],
            ([By::Period(grain, _)], Some((first, last))) => {
                let days = first.series(1.day()).take_while(|day| *day <= last);
                let mut periods: Vec<Key> = days
                    .map(|day| vec![period(*grain, &day.to_string())])
                    .collect();
                periods.dedup();
                periods
            }
            _ => vec![],
        }
    }
}

fn period(grain: Grain, text: &str) -> String {
    let day: Date = text[..10].parse().unwrap();
    let first = match grain {
        Grain::Week => day - i64::from(day.weekday().to_monday_zero_offset()).days(),
        Grain::Month => day.first_of_month(),
        Grain::Quarter => date(day.year(), (day.month() - 1) / 3 * 3 + 1, 1),
        Grain::Year => date(day.year(), 1, 1),
        _ => day,
    };
    first.to_string()
}

/// Whether a row with this value of the filtered dimension is kept.
fn holds(filter: &Filter, value: &Value) -> bool {
    match (filter, value) {
        (_, Value::Null) => false,
        (Filter::In { values, .. }, value) => values.contains(&value.key()),
        (
            Filter::Compare {
                value: bound,
                op: CompareOp::Ge,
                ..
            },
            Value::Number(number),
        ) => *number >= bound.parse().unwrap(),
        (
            Filter::Compare {
                value: bound,
                op: CompareOp::Ge,
                ..
            },
            Value::Text(text),
        ) => text >= bound,
        (Filter::Compare { value: bound, .. }, value) => value.key() == *bound,
        _ => panic!("{filter:?} has not been written by hand"),
    }
}

/// A condition that keeps some of the rows.
fn condition(world: &World, table: &'static str, choice: &DimensionChoice) -> (String, Filter) {
    let field = choice.name.clone();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in world.rows(table).map(|row| row.dimension(&choice.name)) {
        if value != Value::Null && value.key() != "" {
            *counts.entry(value.key()).or_default() += 1;
        }
    }
    let middle = || {
        let mut values: Vec<&String> = counts.keys().collect();
        if choice.kind == DimensionType::Number {
            values.sort_by(|a, b| a.parse::<f64>().unwrap().total_cmp(&b.parse().unwrap()));
        }
        values[values.len() / 2].clone()
    };
    let compare = |op, value| Filter::Compare {
        field: field.clone(),
        op,
        value,
    };
    let filter = match choice.kind {
        DimensionType::Text => {
            let mut values: Vec<(&String, &usize)> = counts.iter().collect();
            values.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            let values = values
                .into_iter()
                .take(2)
                .map(|(value, _)| value.clone())
                .collect();
            Filter::In {
                field: field.clone(),
                values,
                negated: false,
            }
        }
        DimensionType::Number => compare(CompareOp::Ge, middle()),
        DimensionType::Boolean => compare(CompareOp::Eq, "true".to_owned()),
        DimensionType::Date | DimensionType::Time => {
            compare(CompareOp::Ge, middle()[..10].to_owned())
        }
    };
    (field, filter)
}

/// Every question of the test about one metric.
pub fn cases(world: &World, registry: &Registry, reach: &Reachability, metric: &str) -> Vec<Case> {
    let range = Some((FIRST, LAST));
    let mut cases = vec![Case::new(metric, vec![], None, range)];
    for grain in [Grain::Day, Grain::Week, Grain::Quarter] {
        // Weeks have none a year before; that they are refused is asked elsewhere.
        if grain == Grain::Week && metric == "gmv_annual_growth" {
            continue;
        }
        cases.push(Case::new(
            metric,
            vec![By::Period(grain, None)],
            None,
            range,
        ));
    }
    let choices = reach.choices(registry, &[metric.to_owned()]);
    let beyond = by_hand::looks_beyond(metric);
    for choice in choices.iter().filter(|choice| choice.reachable.is_ok()) {
        if beyond && choice.kind.is_time() {
            continue;
        }
        let name = choice.name.clone();
        let table = by_hand::base(metric, name == "module");
        cases.push(Case::new(
            metric,
            vec![By::Dimension(name.clone())],
            None,
            range.filter(|_| beyond),
        ));
        let filter = condition(world, table, choice);
        cases.push(Case::new(
            metric,
            vec![By::Period(Grain::Month, None)],
            Some(filter),
            range,
        ));
        if choice.kind.is_time() {
            let months = By::Period(Grain::Month, Some(name));
            cases.push(Case::new(metric, vec![months], None, None));
        }
    }
    cases
}
