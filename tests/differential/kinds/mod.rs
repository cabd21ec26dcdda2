//! Random registries of what happens over time: events that follow events, people whose rows hold for a while, balances,
//! and times that are stored in another zone than the project's.

mod metrics;
mod tables;

use jiff::civil::{Date, date};
use metrex::model::{GroupBy, MetricQuery, Period, TimeRange};

use crate::model::Model;
use crate::queries;
use crate::random::Random;

/// Project zones with the days on which their clocks change.
const ZONES: [(&str, [Date; 2]); 3] = [
    ("Europe/Berlin", [date(2024, 3, 31), date(2024, 10, 27)]),
    ("America/New_York", [date(2024, 3, 10), date(2024, 11, 3)]),
    ("UTC", [date(2024, 3, 1), date(2024, 12, 31)]),
];

pub fn model(random: &mut Random, prefix: &str) -> Model {
    let (timezone, changes) = *random.pick(&ZONES);
    let today = *random.pick(&[
        date(2024, 3, 31),
        date(2024, 4, 15),
        date(2024, 11, 5),
        date(2024, 12, 31),
        date(2025, 2, 28),
    ]);
    let week_start = *random.pick(&["monday", "sunday"]);
    let with_table = random.percent(50);
    let table = match with_table {
        true => format!(
            ", table: {prefix}days, date: d, periods: {{fiscal_quarter: fq, fiscal_week: {{column: fw, label: Week}}}}"
        ),
        false => String::new(),
    };
    let mut model = Model {
        today,
        timezone,
        calendar: format!("calendar: {{week_start: {week_start}, timezone: {timezone}{table}}}\n"),
        datasets: String::new(),
        metrics: Vec::new(),
        tables: Vec::new(),
        rollups: Vec::new(),
        dimensions: Vec::new(),
        times: vec!["ond".to_owned()],
        default_time: "at",
    };
    let days = tables::days(random, today, changes);
    tables::tables(random, prefix, &mut model, &days);
    if with_table {
        tables::calendar(random, prefix, &mut model);
    }
    metrics::metrics(random, &mut model);
    model
}

/// A query like any other, often over the days around a change of the clocks.
pub fn query(random: &mut Random, model: &Model) -> MetricQuery {
    let mut query = queries::query(random, model);
    let changes = ZONES.iter().find(|(zone, _)| *zone == model.timezone);
    let day = *random.pick(&changes.unwrap().1);
    let around = [
        TimeRange::Span(Some(Period::Day(day)), Some(Period::Day(day))),
        TimeRange::Span(
            Some(Period::Day(day.yesterday().unwrap())),
            Some(Period::Day(day.tomorrow().unwrap())),
        ),
        TimeRange::Span(
            Some(Period::Month(day.year(), day.month())),
            Some(Period::Month(day.year(), day.month())),
        ),
    ];
    if query.time.is_some() && random.percent(30) {
        query.time = Some(*random.pick(&around));
    }
    if model.calendar.contains("fiscal_quarter") && random.percent(30) {
        by_fiscal_period(random, model, &mut query);
    }
    // Grains that were made coarser may have become the same.
    let mut seen = Vec::new();
    for group in query.group_by.iter_mut() {
        group.retain(|one| {
            let is_new = !seen.contains(one);
            seen.push(one.clone());
            is_new
        });
    }
    query
}

/// Groups by a period of the calendar table, of metrics that do not look beyond it.
fn by_fiscal_period(random: &mut Random, model: &Model, query: &mut MetricQuery) {
    let plain = model.metrics.iter().filter(|metric| metric.is_plain);
    let plain: Vec<String> = plain.map(|metric| metric.name.clone()).collect();
    let groups = [
        "fiscal_quarter",
        "fiscal_week",
        "ond.fiscal_quarter",
        "at.fiscal_week",
    ];
    let group = GroupBy::Dimension((*random.pick(&groups)).to_owned());
    *query = MetricQuery {
        metrics: random.some(&plain, 2),
        group_by: query.group_by.clone().map(|mut groups| {
            groups.push(group);
            groups
        }),
        filters: query.filters.clone().filter(|filter| {
            let known = |name: &str| model.metrics.iter().any(|metric| metric.name == name);
            !filter.fields().into_iter().any(known)
        }),
        time: query.time,
        limit: query.limit,
        every_period: Some(false),
        ..MetricQuery::default()
    };
}
