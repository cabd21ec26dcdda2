//! What holds for a canonical dataset as one question to the warehouse, and what its answer says: constraints, and promises.

use jiff::civil::Date;

use crate::model::{
    Attribute, CanonicalDataset, CanonicalOf, ColumnType, Dataset, DimensionType, Grain, Place,
    Registry, Relation, Sla, Weekday,
};
use crate::warehouse::Dialect;

/// One statement that gives one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The statement.
    pub sql: String,
    /// Names and types of its columns.
    pub columns: Vec<(String, ColumnType)>,
}

/// The constraints of a canonical dataset.
#[derive(Debug, Clone)]
pub struct Constraints {
    /// What to ask.
    pub question: Question,
    /// Attributes that are not checked, and why.
    pub skipped: Vec<(String, String)>,
    asked: Vec<Constraint>,
}

/// A constraint that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where it is declared.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: String,
}

#[derive(Debug, Clone)]
struct Constraint {
    place: Place,
    /// What the rows are that break it, before their number: "fct_orders has rows without status".
    broken: String,
    hint: String,
    /// The column of the answer with their number, and the one with an example.
    count: usize,
    example: Option<usize>,
}

/// Collects the columns of a question.
#[derive(Default)]
struct Columns {
    sql: Vec<String>,
    types: Vec<(String, ColumnType)>,
}

impl Columns {
    fn add(&mut self, expr: &str, ty: ColumnType) -> usize {
        let name = format!("c{}", self.sql.len());
        self.sql.push(format!("{expr} AS {name}"));
        self.types.push((name, ty));
        self.sql.len() - 1
    }

    fn count(&mut self, dialect: Dialect, expr: &str) -> usize {
        self.add(
            &dialect.cast(expr, ColumnType::Integer),
            ColumnType::Integer,
        )
    }

    /// The rows that meet a condition.
    fn rows(&mut self, dialect: Dialect, condition: &str) -> usize {
        let sum = format!("COALESCE(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END), 0)");
        self.count(dialect, &sum)
    }

    fn of(self, source: &str) -> Question {
        Question {
            sql: format!("SELECT {}\nFROM {source}", self.sql.join(",\n  ")),
            columns: self.types,
        }
    }
}

/// A canonical dataset, its dataset, and the SQL they are written in.
struct Subject<'a> {
    one: &'a CanonicalDataset,
    dataset: Option<&'a Dataset>,
    dialect: Dialect,
}

impl<'a> Subject<'a> {
    fn new(one: &'a CanonicalDataset, registry: &'a Registry, dialect: Dialect) -> Self {
        let dataset = one.dataset().and_then(|name| registry.datasets.get(name));
        Self {
            one,
            dataset,
            dialect,
        }
    }

    /// What stands after `FROM`.
    fn source(&self) -> String {
        let table = |table: &str| self.dialect.table(table);
        match (&self.one.of, self.dataset.map(|dataset| &dataset.relation)) {
            (CanonicalOf::Table(name), _) => table(name),
            (_, Some(Relation::Table(name))) => table(name),
            (_, Some(Relation::Sql(sql))) => {
                let sql = sql.trim().trim_end_matches(';');
                format!("(\n{sql}\n) AS {}", self.dialect.name("canonical_rows"))
            }
            (CanonicalOf::Dataset(name), None) => table(name),
        }
    }

    /// The SQL of a dimension or column; `Err` says why there is none.
    fn column(&self, name: &str) -> Result<String, &'static str> {
        let dimension = self.dataset.and_then(|dataset| dataset.dimension(name));
        let Some(dimension) = dimension else {
            return Ok(self.dialect.name(name));
        };
        if dimension.of_metric.is_some() {
            return Err("it is a metric of each row");
        }
        if let Some(column) = &dimension.column {
            return Ok(self.dialect.name(column));
        }
        let mut own = dimension.expr.dialects.iter();
        let own = own.find(|(word, _)| word == self.dialect.word());
        let text = own.map_or(&dimension.expr.text, |(_, text)| text);
        Ok(format!("({text})"))
    }

    fn type_of(&self, name: &str) -> Option<DimensionType> {
        let dimension = self.dataset.and_then(|dataset| dataset.dimension(name));
        dimension.map(|dimension| dimension.kind)
    }

    fn is_personal(&self, name: &str) -> bool {
        let dimension = self.dataset.and_then(|dataset| dataset.dimension(name));
        dimension.is_some_and(|dimension| dimension.pii)
    }
}

impl Constraints {
    /// The constraints of a canonical dataset; `None` where it has none.
    pub fn new(one: &CanonicalDataset, registry: &Registry, dialect: Dialect) -> Option<Self> {
        let subject = Subject::new(one, registry, dialect);
        let mut columns = Columns::default();
        let mut asked = Vec::new();
        let mut skipped = Vec::new();
        for attribute in one.attributes.values() {
            match subject.column(&attribute.name) {
                Ok(column) => subject.attribute(attribute, &column, &mut columns, &mut asked),
                Err(why) => {
                    skipped.push((format!("{}.{}", one.name, attribute.name), why.to_owned()));
                }
            }
        }
        subject.grain(&mut columns, &mut asked);
        (!asked.is_empty() || !skipped.is_empty()).then(|| Self {
            question: columns.of(&subject.source()),
            skipped,
            asked,
        })
    }

    /// How many constraints are asked about.
    pub fn len(&self) -> usize {
        self.asked.len()
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// The constraints that a row of the answer says do not hold.
    pub fn broken(&self, row: &[Option<String>]) -> Vec<Broken> {
        let cell = |at: usize| row.get(at).and_then(|cell| cell.as_deref());
        let broken = self.asked.iter().filter_map(|constraint| {
            let count: u64 = cell(constraint.count)?.parse().ok()?;
            let example = constraint.example.and_then(cell);
            let example = example.map(|example| format!(", such as '{example}'"));
            (count > 0).then(|| Broken {
                place: constraint.place,
                message: format!(
                    "{}: {count}{}",
                    constraint.broken,
                    example.unwrap_or_default()
                ),
                hint: constraint.hint.clone(),
            })
        });
        broken.collect()
    }
}

impl Subject<'_> {
    fn attribute(
        &self,
        attribute: &Attribute,
        column: &str,
        columns: &mut Columns,
        asked: &mut Vec<Constraint>,
    ) {
        let (dialect, of, name) = (self.dialect, &self.one.name, &attribute.name);
        let mut add = |count, example, broken: String, hint: String| {
            asked.push(Constraint {
                place: attribute.place,
                broken,
                hint,
                count,
                example,
            });
        };
        if attribute.not_null {
            let count = columns.rows(dialect, &format!("{column} IS NULL"));
            let broken = format!("{of} has rows without {name}");
            let hint = "it is declared not_null";
            add(count, None, broken, hint.to_owned());
        }
        if attribute.unique {
            let repeated = format!("COUNT({column}) - COUNT(DISTINCT {column})");
            let count = columns.count(dialect, &repeated);
            let broken = format!("{of} has rows with the {name} of another row");
            let hint = "it is declared unique";
            add(count, None, broken, hint.to_owned());
        }
        let mut among = |condition: String, shown: &str, broken: String, hint: String| {
            let count = columns.rows(dialect, &condition);
            let example = (!self.is_personal(name)).then(|| {
                let one = format!("MIN(CASE WHEN {condition} THEN {shown} END)");
                columns.add(&dialect.as_text(&one), ColumnType::Text)
            });
            add(count, example, broken, hint);
        };
        if !attribute.values.is_empty() {
            let values = attribute.values.iter().map(|value| dialect.text(value));
            let values = values.collect::<Vec<_>>().join(", ");
            let is_number = |value: &String| value.parse::<f64>().is_ok_and(f64::is_finite);
            // Engines write numbers and truth in several ways.
            let other = match self.type_of(name) {
                Some(DimensionType::Number) if attribute.values.iter().all(is_number) => {
                    format!("{column} NOT IN ({})", attribute.values.join(", "))
                }
                Some(DimensionType::Boolean) => {
                    let word = format!(
                        "CASE WHEN {column} THEN 'true' WHEN NOT {column} THEN 'false' END"
                    );
                    format!("{word} NOT IN ({})", values.to_lowercase())
                }
                _ => format!("{} NOT IN ({values})", dialect.as_text(column)),
            };
            // Of truth there is no smallest.
            let shown = dialect.as_text(column);
            among(
                other,
                &shown,
                format!("{of} has rows with another {name} than is declared"),
                format!("values: {}", attribute.values.join(", ")),
            );
        }
        let (low, high) = &attribute.range;
        let outside = [
            low.as_ref().and_then(|low| below(column, low, dialect)),
            high.as_ref().and_then(|high| above(column, high, dialect)),
        ];
        let outside: Vec<String> = outside.into_iter().flatten().collect();
        if !outside.is_empty() {
            let end = |end: &Option<String>| end.clone().unwrap_or_else(|| "…".to_owned());
            among(
                format!("({})", outside.join(" OR ")),
                column,
                format!("{of} has rows with a {name} beyond its range"),
                format!("range: {} to {}", end(low), end(high)),
            );
        }
    }

    /// Several rows where there is to be one. The key of a dataset is looked after with its joins.
    fn grain(&self, columns: &mut Columns, asked: &mut Vec<Constraint>) {
        let one = self.one;
        let changes = |dataset: &Dataset| dataset.valid.is_some() || dataset.partition.is_some();
        let is_key = |dataset: &Dataset| dataset.key == one.grain || changes(dataset);
        let is_asked = match one.grain.as_slice() {
            [] => true,
            [only] => one
                .attributes
                .get(only)
                .is_some_and(|attribute| attribute.unique),
            _ => false,
        };
        let keys: Result<Vec<String>, _> = one.grain.iter().map(|name| self.column(name)).collect();
        let (false, false, Ok(keys)) = (is_asked, self.dataset.is_some_and(is_key), keys) else {
            return;
        };
        let (keys, source) = (keys.join(", "), self.source());
        let repeated = format!(
            "(SELECT COUNT(*) FROM (SELECT 1 AS one FROM {source} GROUP BY {keys} HAVING COUNT(*) > 1) AS repeated)"
        );
        let count = columns.count(self.dialect, &format!("MAX({repeated})"));
        let grain = one.grain.join(", ");
        asked.push(Constraint {
            place: one.place,
            broken: format!("{} has several rows of one {grain}", one.name),
            hint: format!("its grain is one row for each {grain}"),
            count,
            example: None,
        });
    }
}

fn below(column: &str, bound: &str, dialect: Dialect) -> Option<String> {
    match bound.parse::<Date>() {
        Ok(date) => Some(format!("{column} < {}", dialect.date(date))),
        Err(_) => Some(format!("{column} < {}", bound.parse::<f64>().ok()?)),
    }
}

fn above(column: &str, bound: &str, dialect: Dialect) -> Option<String> {
    match bound.parse::<Date>() {
        // A time of the last day is within the range.
        Ok(date) => Some(format!(
            "{column} >= {}",
            dialect.date(date.tomorrow().ok()?)
        )),
        Err(_) => Some(format!("{column} > {}", bound.parse::<f64>().ok()?)),
    }
}

/// The promises of a canonical dataset as a question.
#[derive(Debug, Clone)]
pub struct Promises {
    /// What to ask.
    pub question: Question,
    /// The periods that have rows, where the first question says that some have none.
    pub periods: Option<Question>,
    sla: Sla,
    complete: Option<usize>,
    newest: Option<usize>,
    /// First and last period, and how many there are.
    every: Option<(usize, usize, usize)>,
}

/// What was measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Rows.
    pub rows: u64,
    /// Time of the newest row, as the warehouse writes it.
    pub newest: Option<String>,
    /// The share of rows with a value in every core attribute that is not optional.
    pub complete: Option<f64>,
    /// The first and the last period that have rows, and how many have.
    pub periods: Option<(Date, Date, u64)>,
}

impl Promises {
    /// The question of a canonical dataset.
    pub fn new(
        one: &CanonicalDataset,
        registry: &Registry,
        dialect: Dialect,
        week_start: Weekday,
    ) -> Self {
        let subject = Subject::new(one, registry, dialect);
        let mut columns = Columns::default();
        columns.count(dialect, "COUNT(*)");
        let sla = one.sla.clone();
        let own = subject.dataset.and_then(|dataset| dataset.time.as_ref());
        let time = sla.by.as_ref().or(own);
        let time = time.and_then(|time| subject.column(time).ok());
        let newest = time.as_ref().map(|time| {
            let newest = dialect.as_text(&format!("MAX({time})"));
            columns.add(&newest, ColumnType::Text)
        });
        // Whole periods are looked for by the time of what happened, not by when it was loaded.
        let happened = own.and_then(|time| subject.column(time).ok()).or(time);
        let period = sla.every.zip(happened.as_ref());
        let period = period.map(|(grain, time)| dialect.trunc(time, grain, week_start));
        let every = period.as_ref().map(|period| {
            let mut end = |function: &str| {
                let end = dialect.as_text(&format!("{function}({period})"));
                columns.add(&end, ColumnType::Text)
            };
            let (first, last) = (end("MIN"), end("MAX"));
            let count = columns.count(dialect, &format!("COUNT(DISTINCT {period})"));
            (first, last, count)
        });
        let core = one.attributes.values().filter(|one| !one.optional);
        let filled: Vec<String> = core
            .filter_map(|attribute| subject.column(&attribute.name).ok())
            .map(|column| format!("{column} IS NOT NULL"))
            .collect();
        let complete = (sla.complete.is_some() && !filled.is_empty())
            .then(|| columns.rows(dialect, &filled.join(" AND ")));
        let source = subject.source();
        let periods = period.zip(happened).map(|(period, time)| {
            let period = dialect.as_text(&period);
            Question {
                sql: format!(
                    "SELECT DISTINCT {period} AS period\nFROM {source}\nWHERE {time} IS NOT NULL"
                ),
                columns: vec![("period".to_owned(), ColumnType::Text)],
            }
        });
        Self {
            question: columns.of(&source),
            periods,
            sla,
            complete,
            newest,
            every,
        }
    }

    /// What a row of the answer says.
    pub fn measured(&self, row: &[Option<String>]) -> Measured {
        let cell = |at: usize| row.get(at).and_then(|cell| cell.as_deref());
        let number = |at: usize| cell(at).and_then(|cell| cell.parse::<u64>().ok());
        let rows = number(0).unwrap_or_default();
        let day = |at: usize| day_of(cell(at)?);
        Measured {
            rows,
            newest: self.newest.and_then(cell).map(str::to_owned),
            complete: self.complete.and_then(number).map(|full| match rows {
                0 => 0.0,
                rows => full as f64 / rows as f64,
            }),
            periods: self
                .every
                .and_then(|(first, last, count)| Some((day(first)?, day(last)?, number(count)?))),
        }
    }

    /// Periods without rows between the first and the last one.
    pub fn missing(&self, measured: &Measured) -> u64 {
        let (Some(grain), Some((first, last, count))) = (self.sla.every, measured.periods) else {
            return 0;
        };
        number_of_periods(grain, first, last).saturating_sub(count)
    }
}

/// The day that a time begins with.
pub fn day_of(time: &str) -> Option<Date> {
    time.get(..10)?.parse().ok()
}

/// Periods from the one that starts on one day to the one that starts on another.
fn number_of_periods(grain: Grain, first: Date, last: Date) -> u64 {
    let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
    let days = || i64::from((last - first).get_days());
    let steps = match grain {
        Grain::Week => days() / 7,
        Grain::Month => months(last) - months(first),
        Grain::Quarter => (months(last) - months(first)) / 3,
        Grain::Year => i64::from(last.year()) - i64::from(first.year()),
        _ => days(),
    };
    u64::try_from(steps + 1).unwrap_or(0)
}

/// The first periods, from one to another, of which there is none in a list.
pub fn first_missing(
    grain: Grain,
    (first, last): (Date, Date),
    there: &[Date],
    most: usize,
) -> Vec<Date> {
    let mut missing = Vec::new();
    let mut period = first;
    while period < last && missing.len() < most {
        let Ok(next) = period.checked_add(grain.span(1)) else {
            break;
        };
        period = next;
        if period < last && !there.contains(&period) {
            missing.push(period);
        }
    }
    missing
}
