//! What each column of a table is for, from its name, its type and its values.

use super::InitError;
use super::joins::Joins;
use super::survey::{Column, Surveyor, Table, concerns_one_table, count};
use super::types::is_flag;
use super::words::{self, has_word, sql_name};
use crate::model::ColumnType;

/// Most values of a text that is worth grouping by.
const CATEGORIES: u64 = 1_000;
/// In tables up to this size, every short text is worth grouping by.
const SMALL_TABLE: u64 = 1_000;
/// Most values of a number that is worth grouping by.
const NUMBER_CATEGORIES: u64 = 100;
/// Average length from which a text is prose.
const PROSE: f64 = 60.0;

const PEOPLE: [&str; 26] = [
    "customer",
    "user",
    "person",
    "member",
    "employee",
    "contact",
    "client",
    "patient",
    "student",
    "teacher",
    "guest",
    "subscriber",
    "lead",
    "rep",
    "agent",
    "driver",
    "staff",
    "buyer",
    "seller",
    "author",
    "visitor",
    "player",
    "worker",
    "candidate",
    "owner",
    "manager",
];
const PERSONAL: [&str; 21] = [
    "email",
    "mail",
    "phone",
    "mobile",
    "telephone",
    "fax",
    "firstname",
    "lastname",
    "surname",
    "fullname",
    "address",
    "street",
    "ssn",
    "birthday",
    "birthdate",
    "dob",
    "passport",
    "iban",
    "username",
    "latitude",
    "longitude",
];
const PROSE_WORDS: [&str; 20] = [
    "description",
    "comment",
    "comments",
    "note",
    "notes",
    "body",
    "text",
    "message",
    "url",
    "uri",
    "path",
    "html",
    "json",
    "payload",
    "hash",
    "token",
    "image",
    "password",
    "secret",
    "remarks",
];
const CODES: [&str; 18] = [
    "id", "code", "zip", "postal", "postcode", "zipcode", "phone", "version", "lat", "lon", "lng",
    "year", "month", "day", "week", "hour", "quarter", "weekday",
];
const RATES: [&str; 22] = [
    "rate",
    "ratio",
    "pct",
    "percent",
    "percentage",
    "share",
    "score",
    "rating",
    "stars",
    "age",
    "avg",
    "average",
    "mean",
    "median",
    "index",
    "temperature",
    "probability",
    "margin",
    "level",
    "rank",
    "priority",
    "grade",
];
const LEVELS: [&str; 8] = [
    "balance",
    "stock",
    "inventory",
    "headcount",
    "hand",
    "capacity",
    "outstanding",
    "backlog",
];
const MONEY: [&str; 36] = [
    "amount",
    "total",
    "subtotal",
    "revenue",
    "gmv",
    "sales",
    "turnover",
    "price",
    "cost",
    "costs",
    "tax",
    "vat",
    "fee",
    "fees",
    "discount",
    "refund",
    "spend",
    "spent",
    "paid",
    "payment",
    "tip",
    "commission",
    "salary",
    "budget",
    "profit",
    "income",
    "expense",
    "value",
    "charge",
    "shipping",
    "freight",
    "mrr",
    "arr",
    "usd",
    "eur",
    "gbp",
];
const COUNTS: [&str; 16] = [
    "quantity",
    "qty",
    "count",
    "num",
    "units",
    "items",
    "clicks",
    "impressions",
    "views",
    "sessions",
    "visits",
    "seats",
    "orders",
    "visitors",
    "n",
    "number",
];
const ORDINALS: [&str; 8] = [
    "number", "no", "num", "seq", "sequence", "rank", "index", "ordinal",
];

/// What a column is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Role {
    /// Identifies the row, or a row of another table; `true` where it is also a name worth grouping by.
    Identifier(bool),
    /// A date or a time.
    Time,
    /// Yes or no, and the predicate that says yes.
    Flag(String),
    /// A text to group by.
    Category,
    /// Personal data.
    Personal,
    /// Counts the rows of each `entity` from 1.
    Sequence { entity: String },
    /// A number to group by.
    Attribute,
    /// A number to add up or to average.
    Measure(Measure),
    /// Neither; the reason for a comment.
    Unused(&'static str),
}

/// Kinds of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Money: sums and averages.
    Money,
    /// How many: sums and averages.
    Quantity,
    /// A share or a score: averages only. `true` for shares between 0 and 1.
    Rate(bool),
    /// A level at a point in time: averages only.
    Level,
    /// The price of one, beside a quantity: averages only.
    UnitPrice,
}

/// The roles of a table's columns, in their order. `joined_to`: other tables join onto this one.
///
/// # Errors
/// The warehouse fails.
pub(super) fn assign(
    surveyor: &Surveyor,
    table: &Table,
    joins: &Joins,
    joined_to: bool,
) -> Result<Vec<Role>, InitError> {
    let mut roles = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let name = words::identifier(&column.name);
        let role = if joins.on(&column.name).is_some() {
            Role::Identifier(false)
        } else if table.is_key(&column.name) {
            Role::Identifier(name == table.entity && column.ty == ColumnType::Text)
        } else {
            match column.ty {
                ColumnType::Date | ColumnType::Timestamp
                    if has_word(&name, &["birth", "dob", "birthday"]) =>
                {
                    Role::Personal
                }
                ColumnType::Date | ColumnType::Timestamp => Role::Time,
                ColumnType::Boolean => Role::Flag(sql_name(&column.name)),
                ColumnType::Text => text(table, column, &name, joined_to),
                ColumnType::Integer | ColumnType::Number => {
                    match sequence(surveyor, table, column, &name)? {
                        Some(entity) => Role::Sequence { entity },
                        None => number(table, column, &name),
                    }
                }
            }
        };
        roles.push(role);
    }
    Ok(roles)
}

fn text(table: &Table, column: &Column, name: &str, joined_to: bool) -> Role {
    let of_a_person = has_word(&table.entity, &PEOPLE) || has_word(name, &PEOPLE);
    let parts = words::words(name);
    let is_name = matches!(parts.last(), Some(&("name" | "title" | "label")));
    let values = table.judged.saturating_sub(column.nulls);
    let few =
        column.distinct <= CATEGORIES && column.distinct * 2 <= values || values <= SMALL_TABLE;
    if column.emails > 0.5
        || has_word(name, &PERSONAL)
        || is_name
            && (of_a_person || has_word(name, &["first", "last", "full", "middle", "maiden"]))
    {
        Role::Personal
    } else if values == 0 && table.judged > 0 {
        Role::Unused("always empty")
    } else if matches!(parts.last(), Some(&("id" | "uuid" | "guid" | "key" | "pk"))) {
        Role::Identifier(false)
    } else if column.length > PROSE || has_word(name, &PROSE_WORDS) {
        Role::Unused("free text")
    } else if few || is_name && joined_to || table.rows == 0 {
        Role::Category
    } else {
        Role::Unused("too many different values to group by")
    }
}

fn number(table: &Table, column: &Column, name: &str) -> Role {
    let integer = column.ty == ColumnType::Integer;
    let few = integer && column.distinct <= NUMBER_CATEGORIES;
    let parts = words::words(name);
    let within = |low: f64, high: f64| {
        let bounds = column
            .range
            .as_ref()
            .map(|(from, to)| (from.parse::<f64>(), to.parse::<f64>()));
        matches!(bounds, Some((Ok(from), Ok(to))) if from >= low && to <= high)
    };
    let has_quantity = table
        .columns
        .iter()
        .any(|other| has_word(&words::identifier(&other.name), &["quantity", "qty"]));
    if matches!(parts.last(), Some(&("id" | "uuid" | "guid" | "key" | "pk"))) {
        Role::Identifier(false)
    } else if column.nulls == table.judged && table.judged > 0 {
        Role::Unused("always empty")
    } else if integer && is_flag(name) && within(0.0, 1.0) {
        Role::Flag(format!("{} = 1", sql_name(&column.name)))
    } else if has_word(name, &PERSONAL) {
        Role::Personal
    } else if integer
        && (has_word(name, &CODES) || ORDINALS.iter().any(|word| parts.last() == Some(word)))
    {
        if few {
            Role::Attribute
        } else {
            Role::Unused("a code, not an amount")
        }
    } else if has_word(name, &RATES) {
        Role::Measure(Measure::Rate(!integer && within(0.0, 1.0)))
    } else if has_word(name, &LEVELS) {
        Role::Measure(Measure::Level)
    } else if has_word(name, &["price"]) && (has_quantity || has_word(name, &["unit", "list"])) {
        Role::Measure(Measure::UnitPrice)
    } else if has_word(name, &COUNTS) {
        Role::Measure(Measure::Quantity)
    } else if has_word(name, &MONEY) {
        Role::Measure(Measure::Money)
    } else {
        Role::Measure(Measure::Quantity)
    }
}

/// The entity whose rows a column counts from 1 without a gap, such as `customer` for `customer_order_number`.
fn sequence(
    surveyor: &Surveyor,
    table: &Table,
    column: &Column,
    name: &str,
) -> Result<Option<String>, InitError> {
    let starts_at_one = column.range.as_ref().is_some_and(|(low, _)| low == "1");
    let ordinal = words::words(name)
        .last()
        .is_some_and(|word| ORDINALS.contains(word));
    if column.ty != ColumnType::Integer || table.large || !ordinal || !starts_at_one {
        return Ok(None);
    }
    let dialect = surveyor.dialect();
    for other in &table.columns {
        let identifier = words::identifier(&other.name);
        let Some((entity, _)) = identifier
            .rsplit_once('_')
            .filter(|_| words::is_key_name(&identifier))
        else {
            continue;
        };
        if table.is_key(&other.name)
            || !name.starts_with(&format!("{entity}_")) && !has_word(entity, &PEOPLE)
        {
            continue;
        }
        let number = dialect.name(&column.name);
        let groups = format!(
            "(SELECT count(*) AS n, count(DISTINCT {number}) AS d, min({number}) AS l, max({number}) AS h \
             FROM {} WHERE {number} IS NOT NULL GROUP BY {}) AS g",
            dialect.table(&table.name),
            dialect.name(&other.name),
        );
        let gapless = "sum(CASE WHEN l = 1 AND h = n AND d = n THEN 1 ELSE 0 END)".to_owned();
        match surveyor.row(&["count(*)".to_owned(), gapless], &groups) {
            Ok(answers) if count(answers.first()) == count(answers.get(1)) => {
                return Ok(Some(entity.to_owned()));
            }
            Ok(_) => {}
            Err(error) if concerns_one_table(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}
