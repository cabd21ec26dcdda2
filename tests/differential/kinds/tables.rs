//! Visits, buys and balances of people who change teams and move between sites.

use std::fmt::Write;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use metrex::model::ColumnType::{self, Boolean, Integer, Number, Text, Timestamp};

use crate::model::Model;
use crate::oracle::{Table, Value};
use crate::random::Random;

const WHO: [&str; 4] = ["u1", "u2", "u3", "u9"];
const PRODUCTS: [&str; 3] = ["p", "q", "it's"];
const CHANNELS: [&str; 3] = ["ads", "seo", "Ads"];
const TEAMS: [&str; 3] = ["red", "blue", "null"];
const COUNTRIES: [&str; 3] = ["BR", "TH", "ZZ"];
const REGIONS: [&str; 2] = ["south", "north"];
const ACCOUNTS: [&str; 3] = ["a", "b", "c"];
const STATES: [&str; 2] = ["open", "frozen"];
const NUMBERS: [&str; 4] = ["0", "1", "2.5", "4"];
const TRUTHS: [&str; 2] = ["true", "false"];

/// The zones that times are stored in; none: that of the project.
const STORED: [&str; 5] = [
    "",
    "",
    ", stored_in: UTC",
    ", stored_in: UTC",
    ", stored_in: America/New_York",
];

/// The days that things happen on: few, so that they meet, many of them where clocks or months change.
pub fn days(random: &mut Random, today: Date, changes: [Date; 2]) -> Vec<Date> {
    let mut days = vec![today];
    for change in changes {
        days.extend([
            change,
            change.tomorrow().unwrap(),
            change.yesterday().unwrap(),
        ]);
    }
    for _ in 0..6 {
        days.push(today - i64::try_from(random.below(60)).unwrap().days());
    }
    for _ in 0..3 {
        days.push(today - i64::try_from(random.below(420)).unwrap().days());
    }
    days.push(jiff::civil::date(2024, 2, 29));
    days.push(jiff::civil::date(2024, 1, 31));
    days
}

pub fn tables(random: &mut Random, prefix: &str, model: &mut Model, days: &[Date]) {
    people(random, prefix, model, days);
    for (name, key, thing) in [("visits", "vid", "product"), ("buys", "bid", "item")] {
        events(random, prefix, model, days, (name, key, thing));
    }
    balances(random, prefix, model, days);
    let dimensions: [(&str, &[&'static str]); 16] = [
        ("who", &WHO),
        ("who", &WHO),
        ("product", &PRODUCTS),
        ("item", &PRODUCTS),
        ("channel", &CHANNELS),
        ("flag", &TRUTHS),
        ("team", &TEAMS),
        ("person.team", &TEAMS),
        ("person.grade", &NUMBERS),
        ("person.senior", &TRUTHS),
        ("country", &COUNTRIES),
        ("person.site.country", &COUNTRIES),
        ("region", &REGIONS),
        ("account", &ACCOUNTS),
        ("state", &STATES),
        ("qty", &NUMBERS),
    ];
    for (name, literals) in dimensions {
        model.dimensions.push((name.to_owned(), literals.to_vec()));
    }
}

/// Fiscal quarters from February on, and weeks of a retail year; a few days are missing.
pub fn calendar(random: &mut Random, prefix: &str, model: &mut Model) {
    let first = model.today - 450.days();
    let days = (0..460).map(|n| first + i64::from(n).days());
    let days: Vec<Date> = days.filter(|_| random.percent(97)).collect();
    let rows = days.iter().map(|day| {
        let months = i32::from(day.year()) * 12 + i32::from(day.month()) - 2;
        let weeks = (*day - jiff::civil::date(2020, 2, 2)).get_days() / 7;
        let quarter = format!("FY{}Q{}", months / 12, months % 12 / 3 + 1);
        vec![
            Value::Date(*day),
            Value::Text(quarter),
            Value::Text(format!("W{weeks:04}")),
        ]
    });
    let rows = rows.collect();
    let columns = [("d", ColumnType::Date), ("fq", Text), ("fw", Text)];
    add(model, format!("{prefix}days"), &columns, rows);
}

/// People and sites whose rows hold for a while, and countries that last.
fn people(random: &mut Random, prefix: &str, model: &mut Model, days: &[Date]) {
    let bounds = *random.pick(&[ColumnType::Date, Timestamp]);
    let kind = if bounds == Timestamp { "time" } else { "date" };
    let declared = format!(", since: {{type: {kind}}}, until: {{type: {kind}}}");
    // The bounds are local times where they are no times of the dataset.
    let (stored, declared) = match random.below(4) {
        0 => ("", declared.as_str()),
        1 if bounds == Timestamp => ("\n    stored_in: UTC", declared.as_str()),
        _ => ("", ""),
    };
    let sites_change = random.percent(60);
    let valid = if sites_change {
        ", valid: [opened, closed]"
    } else {
        ""
    };
    write!(
        model.datasets,
        "  people:
    table: {prefix}people
    key: pid
    valid: [since, until]{stored}
    dimensions: {{team: {{}}, grade: {{type: number}}, senior: {{type: boolean, expr: \"coalesce(grade, 0) > 1\"}}{declared}}}
    joins: {{site: {{to: sites, on: code}}}}
  sites: {{table: {prefix}sites, key: code{valid}, dimensions: {{country: {{}}}}, joins: {{land: {{to: lands, on: country}}}}}}
  lands: {{table: {prefix}lands, key: country, dimensions: {{region: {{}}}}}}
"
    )
    .unwrap();
    let mut rows = Vec::new();
    for pid in ["u1", "u2", "u3"] {
        for (since, until) in spans(random, days) {
            rows.push(vec![
                text(pid),
                bound(bounds, since),
                until.map_or(Value::Null, |until| bound(bounds, until)),
                maybe(random, &TEAMS),
                maybe_number(random, &[0.0, 1.0, 2.0]),
                maybe(random, &["A", "B", "C"]),
            ]);
        }
    }
    add(
        model,
        format!("{prefix}people"),
        &[
            ("pid", Text),
            ("since", bounds),
            ("until", bounds),
            ("team", Text),
            ("grade", Integer),
            ("code", Text),
        ],
        rows,
    );
    let mut rows = Vec::new();
    for code in ["A", "B"] {
        let spans = match sites_change {
            true => spans(random, days),
            false => vec![(days[0], None)],
        };
        for (opened, closed) in spans {
            rows.push(vec![
                text(code),
                Value::Date(opened),
                closed.map_or(Value::Null, Value::Date),
                maybe(random, &COUNTRIES),
            ]);
        }
    }
    add(
        model,
        format!("{prefix}sites"),
        &[
            ("code", Text),
            ("opened", ColumnType::Date),
            ("closed", ColumnType::Date),
            ("country", Text),
        ],
        rows,
    );
    let rows = ["BR", "TH"]
        .iter()
        .map(|land| vec![text(land), maybe(random, &REGIONS)]);
    let rows = rows.collect();
    add(
        model,
        format!("{prefix}lands"),
        &[("country", Text), ("region", Text)],
        rows,
    );
}

/// Spans one after the other, with gaps between some of them; the last one may go on.
fn spans(random: &mut Random, days: &[Date]) -> Vec<(Date, Option<Date>)> {
    let n = random.between(1, 5);
    let mut ends = random.some(days, n);
    ends.sort_unstable();
    ends.dedup();
    let mut spans: Vec<(Date, Option<Date>)> = ends
        .windows(2)
        .map(|pair| (pair[0], Some(pair[1])))
        .filter(|_| random.percent(85))
        .collect();
    if random.percent(70) {
        spans.push((*ends.last().unwrap(), None));
    }
    spans
}

/// A bound of validity: a day, or a time of it. Equal days have equal bounds, so that no two rows overlap.
fn bound(ty: ColumnType, day: Date) -> Value {
    match ty {
        ColumnType::Date => Value::Date(day),
        _ if day.day() % 2 == 0 => Value::Time(day.at(9, 0, 0, 0)),
        _ => Value::Time(day.at(0, 0, 0, 0)),
    }
}

/// Events of somebody about something, at times that often are the same.
fn events(
    random: &mut Random,
    prefix: &str,
    model: &mut Model,
    days: &[Date],
    (name, key, thing): (&str, &str, &str),
) {
    let stored = *random.pick(&STORED);
    // Without a key, nothing tells events at the same time apart but what they are grouped by.
    let keyed = if random.percent(80) {
        format!(", key: {key}")
    } else {
        String::new()
    };
    let who = *random.pick(&["{}", "{expr: \"who\"}"]);
    writeln!(
        model.datasets,
        "  {name}: {{table: {prefix}{name}{keyed}, time: at{stored}, dimensions: {{at: {{type: time}}, ond: {{type: date}}, who: {who}, {thing}: {{}}, channel: {{}}, flag: {{type: boolean}}, qty: {{type: number}}}}, joins: {{person: {{to: people, on: {{who: pid}}}}}}}}",
    )
    .unwrap();
    let n = random.between(4, 30);
    let rows = (0..n)
        .map(|id| {
            vec![
                number(id),
                instant(random, days).map_or(Value::Null, Value::Time),
                day(random, days).map_or(Value::Null, Value::Date),
                maybe(random, &WHO),
                maybe(random, &PRODUCTS),
                maybe(random, &CHANNELS),
                truth(random),
                maybe_number(random, &[0.0, 1.0, 1.0, 2.0, 4.0]),
                maybe_number(random, &[0.0, 0.25, 1.0, 2.5, -3.0]),
            ]
        })
        .collect();
    add(
        model,
        format!("{prefix}{name}"),
        &[
            (key, Integer),
            ("at", Timestamp),
            ("ond", ColumnType::Date),
            ("who", Text),
            (thing, Text),
            ("channel", Text),
            ("flag", Boolean),
            ("qty", Integer),
            ("amt", Number),
        ],
        rows,
    );
}

/// Snapshots of accounts, by day or by time.
fn balances(random: &mut Random, prefix: &str, model: &mut Model, days: &[Date]) {
    let by_time = random.percent(40);
    let (ty, kind) = match by_time {
        true => (Timestamp, "time"),
        false => (ColumnType::Date, "date"),
    };
    let stored = if by_time { *random.pick(&STORED) } else { "" };
    writeln!(
        model.datasets,
        "  balances: {{table: {prefix}balances, time: at{stored}, dimensions: {{at: {{type: {kind}}}, ond: {{type: date}}, who: {{}}, account: {{}}, state: {{}}, channel: {{}}, flag: {{type: boolean}}, qty: {{type: number}}}}, joins: {{person: {{to: people, on: {{who: pid}}}}}}}}",
    )
    .unwrap();
    let n = random.between(4, 30);
    let rows = (0..n)
        .map(|_| {
            let at = match by_time {
                true => instant(random, days).map(Value::Time),
                false => day(random, days).map(Value::Date),
            };
            vec![
                at.unwrap_or(Value::Null),
                day(random, days).map_or(Value::Null, Value::Date),
                maybe(random, &WHO),
                maybe(random, &ACCOUNTS),
                maybe(random, &STATES),
                maybe(random, &CHANNELS),
                truth(random),
                maybe_number(random, &[0.0, 1.0, 2.0, 4.0]),
                maybe_number(random, &[0.0, 1.0, 2.5, 4.0, 100.0, -3.0]),
            ]
        })
        .collect();
    add(
        model,
        format!("{prefix}balances"),
        &[
            ("at", ty),
            ("ond", ColumnType::Date),
            ("who", Text),
            ("account", Text),
            ("state", Text),
            ("channel", Text),
            ("flag", Boolean),
            ("qty", Integer),
            ("amt", Number),
        ],
        rows,
    );
}

fn add(model: &mut Model, name: String, columns: &[(&str, ColumnType)], rows: Vec<Vec<Value>>) {
    let columns = columns.iter().map(|(name, ty)| ((*name).to_owned(), *ty));
    model.tables.push(Table {
        name,
        columns: columns.collect(),
        rows,
    });
}

fn day(random: &mut Random, days: &[Date]) -> Option<Date> {
    random.percent(93).then(|| *random.pick(days))
}

/// A time of one of the days, often at the hours that are skipped or repeated somewhere.
fn instant(random: &mut Random, days: &[Date]) -> Option<DateTime> {
    let (hour, minute, second) = *random.pick(&[
        (0, 0, 0),
        (0, 0, 0),
        (0, 59, 59),
        (1, 0, 0),
        (1, 30, 0),
        (2, 30, 0),
        (5, 30, 0),
        (6, 30, 0),
        (7, 0, 0),
        (9, 0, 0),
        (22, 59, 59),
        (23, 0, 0),
        (23, 59, 59),
    ]);
    Some(day(random, days)?.at(hour, minute, second, 0))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn number(n: usize) -> Value {
    Value::Number(n as f64)
}

fn maybe(random: &mut Random, all: &[&str]) -> Value {
    if random.percent(12) {
        Value::Null
    } else {
        text(all[random.below(all.len())])
    }
}

fn maybe_number(random: &mut Random, all: &[f64]) -> Value {
    if random.percent(12) {
        Value::Null
    } else {
        Value::Number(*random.pick(all))
    }
}

fn truth(random: &mut Random) -> Value {
    match random.below(5) {
        0 => Value::Null,
        1 | 2 => Value::Bool(true),
        _ => Value::Bool(false),
    }
}
