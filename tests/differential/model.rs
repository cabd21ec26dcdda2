//! Random registries with random data: facts, people, places and plans, joined over several hops and in several roles.

use std::fmt::Write;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use metrex::model::ColumnType::{self, Boolean, Integer, Number, Text, Timestamp};
use metrex::model::Rollup;

use crate::oracle::{Table, Value};
use crate::random::Random;

/// A registry as YAML in removable parts, and its data.
#[derive(Clone)]
pub struct Model {
    pub today: Date,
    /// The project's time zone.
    pub timezone: &'static str,
    pub calendar: String,
    pub datasets: String,
    pub metrics: Vec<MetricText>,
    pub tables: Vec<Table>,
    pub rollups: Vec<Rollup>,
    /// What queries may name as a dimension, with literals that occur there.
    pub dimensions: Vec<(String, Vec<&'static str>)>,
    /// Other times than the default one.
    pub times: Vec<String>,
    /// The default time of the facts.
    pub default_time: &'static str,
}

#[derive(Clone)]
pub struct MetricText {
    pub name: String,
    pub yaml: String,
    /// Whether it is a number, so that it can be part of others.
    pub is_number: bool,
    /// Whether it is of the rows of each period alone.
    pub is_plain: bool,
}

impl Model {
    pub fn yaml(&self) -> String {
        let mut yaml = format!("{}datasets:\n{}metrics:\n", self.calendar, self.datasets);
        for metric in &self.metrics {
            writeln!(yaml, "  {}: {}", metric.name, metric.yaml).unwrap();
        }
        yaml
    }
}

const CHANNELS: [&str; 4] = ["ads", "seo", "it's", "Ads"];
const CODES: [&str; 4] = ["A", "B", "C", "Z"];
const ZONES: [&str; 3] = ["north", "south", "null"];
const SEGMENTS: [&str; 3] = ["smb", "ent", ""];
const TIERS: [&str; 2] = ["free", "pro"];
const NUMBERS: [&str; 5] = ["-1", "0", "1", "2.5", "4"];
const TRUTHS: [&str; 2] = ["true", "false"];

/// Columns of every fact.
const COLUMNS: [(&str, ColumnType); 12] = [
    ("id", Integer),
    ("at", Timestamp),
    ("ond", ColumnType::Date),
    ("p1", Integer),
    ("p2", Integer),
    ("code", Text),
    ("plan", Text),
    ("level", Integer),
    ("cat", Text),
    ("flag", Boolean),
    ("qty", Integer),
    ("amt", Number),
];

pub fn model(random: &mut Random, prefix: &str) -> Model {
    let today = *random.pick(&[
        date(2024, 2, 29),
        date(2024, 3, 31),
        date(2024, 4, 15),
        date(2024, 12, 31),
        date(2025, 1, 1),
    ]);
    let week_start = *random.pick(&["monday", "sunday"]);
    let mut model = Model {
        today,
        timezone: "UTC",
        calendar: format!("calendar: {{week_start: {week_start}}}\n"),
        datasets: String::new(),
        metrics: Vec::new(),
        tables: Vec::new(),
        rollups: Vec::new(),
        dimensions: Vec::new(),
        times: vec!["ond".to_owned()],
        default_time: ["at", "at", "ond"][random.below(3)],
    };
    lookups(random, prefix, &mut model);
    let facts = random.between(1, 3);
    let default_time = model.default_time;
    for fact in 0..facts {
        let parent = (fact > 0 && random.percent(60)).then(|| random.below(fact));
        dataset(random, prefix, &mut model, fact, parent, default_time);
        let rows = if random.percent(5) {
            0
        } else {
            random.between(5, 40)
        };
        let rows = (0..rows).map(|id| row(random, id, today, parent.is_some()));
        let rows = rows.collect();
        let mut columns: Vec<(String, ColumnType)> = COLUMNS
            .iter()
            .map(|(name, ty)| ((*name).to_owned(), *ty))
            .collect();
        columns.push(("parent".to_owned(), Integer));
        model.tables.push(Table {
            name: format!("{prefix}f{fact}"),
            columns,
            rows,
        });
    }
    crate::metrics::metrics(random, &mut model, facts);
    model
}

/// Places, people (who live in places) and plans (with a key of two columns).
fn lookups(random: &mut Random, prefix: &str, model: &mut Model) {
    write!(
        model.datasets,
        "  geo: {{table: {prefix}geo, key: code, dimensions: {{zone: {{}}, rank: {{type: number}}, big: {{type: boolean, expr: \"rank > 1\"}}, place_label: {{expr: \"coalesce(zone, 'nowhere')\"}}}}}}
  people:
    table: {prefix}people
    key: pid
    dimensions: {{seg: {{aliases: [segment]}}, vip: {{type: boolean}}, born: {{type: date}}}}
    joins: {{home: {{to: geo, on: code}}}}
  plans: {{table: {prefix}plans, key: [plan, level], dimensions: {{tier: {{}}, price: {{type: number}}}}}}
"
    )
    .unwrap();
    let geo: Vec<Vec<Value>> = ["A", "B", "C"]
        .iter()
        .map(|code| vec![text(code), maybe(random, &ZONES), small(random)])
        .collect();
    let people: Vec<Vec<Value>> = (1..=random.between(2, 5))
        .map(|pid| {
            vec![
                number(pid),
                maybe(random, &SEGMENTS),
                maybe(random, &CODES),
                day(random, model.today).map_or(Value::Null, Value::Date),
                truth(random),
            ]
        })
        .collect();
    let mut plans = Vec::new();
    for plan in ["x", "y"] {
        for level in 1..=2 {
            if random.percent(80) {
                plans.push(vec![
                    text(plan),
                    number(level),
                    maybe(random, &TIERS),
                    small(random),
                ]);
            }
        }
    }
    let mut add = |name: &str, columns: &[(&str, ColumnType)], rows| {
        model.tables.push(Table {
            name: format!("{prefix}{name}"),
            columns: columns
                .iter()
                .map(|(name, ty)| ((*name).to_owned(), *ty))
                .collect(),
            rows,
        });
    };
    add(
        "geo",
        &[("code", Text), ("zone", Text), ("rank", Integer)],
        geo,
    );
    add(
        "people",
        &[
            ("pid", Integer),
            ("seg", Text),
            ("code", Text),
            ("born", ColumnType::Date),
            ("vip", Boolean),
        ],
        people,
    );
    add(
        "plans",
        &[
            ("plan", Text),
            ("level", Integer),
            ("tier", Text),
            ("price", Integer),
        ],
        plans,
    );
    let dimensions: [(&str, &[&'static str]); 15] = [
        ("channel", &CHANNELS),
        ("flag", &TRUTHS),
        ("size", &["big", "none", "small"]),
        ("hot", &TRUTHS),
        ("qty", &NUMBERS),
        ("buyer.seg", &SEGMENTS),
        ("seller.segment", &SEGMENTS),
        ("seller.vip", &TRUTHS),
        ("buyer.home.zone", &ZONES),
        ("seller.home.big", &TRUTHS),
        ("place.zone", &ZONES),
        ("place_label", &["north", "nowhere"]),
        ("tier", &TIERS),
        ("price", &NUMBERS),
        ("zone", &ZONES),
    ];
    for (name, literals) in dimensions {
        model.dimensions.push((name.to_owned(), literals.to_vec()));
    }
    for (name, literals) in [
        ("parent.channel", &CHANNELS[..]),
        ("parent.buyer.seg", &SEGMENTS),
    ] {
        model.dimensions.push((name.to_owned(), literals.to_vec()));
    }
}

fn dataset(
    random: &mut Random,
    prefix: &str,
    model: &mut Model,
    fact: usize,
    parent: Option<usize>,
    default_time: &str,
) {
    let channel = *random.pick(&[
        "{column: cat}",
        "{column: cat, aliases: [medium]}",
        "{expr: \"cat\"}",
    ]);
    let mut joins = Vec::new();
    let roles = [
        ("buyer: {to: people, on: {p1: pid}}", 100),
        ("seller: {to: people, on: {p2: pid}}", 70),
        ("place: {to: geo, on: code}", 100),
        ("deal: {to: plans, on: [plan, level]}", 70),
    ];
    for (role, percent) in roles {
        if random.percent(percent) {
            joins.push(role.to_owned());
        }
    }
    if let Some(parent) = parent {
        joins.push(format!("parent: {{to: f{parent}, on: {{parent: id}}}}"));
    }
    writeln!(
        model.datasets,
        "  f{fact}:
    table: {prefix}f{fact}
    key: id
    time: {default_time}
    dimensions:
      at: {{type: time}}
      ond: {{type: date}}
      channel: {channel}
      flag: {{type: boolean}}
      qty: {{type: number}}
      size: {{expr: \"case when qty > 1 then 'big' when qty is null then 'none' else 'small' end\"}}
      hot: {{type: boolean, expr: \"flag or cat = 'ads'\"}}
    joins: {{{}}}",
        joins.join(", ")
    )
    .unwrap();
}

fn row(random: &mut Random, id: usize, today: Date, has_parent: bool) -> Vec<Value> {
    let at = day(random, today).map(|day| {
        let (hour, minute, second) =
            *random.pick(&[(0, 0, 0), (23, 59, 59), (12, 30, 0), (2, 30, 0), (9, 0, 1)]);
        day.at(hour, minute, second, 0)
    });
    let parent = if has_parent && random.percent(85) {
        number(random.below(45))
    } else {
        Value::Null
    };
    vec![
        number(id),
        at.map_or(Value::Null, Value::Time),
        day(random, today).map_or(Value::Null, Value::Date),
        person(random),
        person(random),
        maybe(random, &CODES),
        maybe(random, &["x", "y", "w"]),
        maybe_number(random, &[1.0, 2.0, 3.0]),
        maybe(random, &CHANNELS),
        truth(random),
        maybe_number(random, &[-1.0, 0.0, 1.0, 2.0, 4.0]),
        maybe_number(random, &[0.0, 0.25, 1.0, 1.0, 2.5, 4.0, 7.75, -3.0]),
        parent,
    ]
}

/// A day near today, often one of those that calendars trip over.
fn day(random: &mut Random, today: Date) -> Option<Date> {
    if random.percent(7) {
        return None;
    }
    let odd = [
        date(2024, 2, 29),
        date(2024, 2, 28),
        date(2023, 2, 28),
        date(2024, 3, 1),
        date(2024, 1, 31),
        date(2024, 3, 31),
        date(2024, 4, 30),
        date(2023, 12, 31),
        date(2024, 1, 1),
        date(2024, 12, 30),
        date(2021, 1, 3),
        date(2020, 12, 31),
    ];
    Some(match random.below(10) {
        0..=2 => *random.pick(&odd),
        3..=5 => today - i64::try_from(random.below(40)).unwrap().days(),
        6 => today + i64::try_from(random.below(10)).unwrap().days(),
        _ => today - i64::try_from(random.below(500)).unwrap().days(),
    })
}

/// Somebody, nobody, or somebody unknown.
fn person(random: &mut Random) -> Value {
    maybe_number(random, &[1.0, 1.0, 2.0, 3.0, 4.0, 99.0])
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn number(n: usize) -> Value {
    Value::Number(n as f64)
}

fn small(random: &mut Random) -> Value {
    maybe_number(random, &[0.0, 1.0, 2.0, 3.0])
}

fn maybe(random: &mut Random, all: &[&str]) -> Value {
    if random.percent(15) {
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
