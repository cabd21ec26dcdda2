//! Filters as a model writes them, `{"market": "BR", "gmv": {"gte": 1000}}`, turned into the filters of a query.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::ToolError;
use crate::model::{CompareOp, Filter};

/// Conditions by the dimension, or metric, they are about; all must hold.
pub(super) type Conditions = IndexMap<String, Condition>;

/// A value, a list of values any of which will do, or an object of operators.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub(super) enum Condition {
    /// Equal to this value.
    Is(Literal),
    /// Equal to one of these values.
    OneOf(Vec<Literal>),
    /// As these operators say; all must hold.
    Operators(Box<Operators>),
}

/// A value, spelled as in the data (see dimension_values); dates as YYYY-MM-DD.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub(super) enum Literal {
    Text(String),
    Integer(i128),
    Number(f64),
    Boolean(bool),
}

/// By hand: a whole number that JSON readers round is another number.
impl TryFrom<Value> for Literal {
    type Error = String;
    fn try_from(value: Value) -> Result<Self, String> {
        /// From here on, not every whole number is a float.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match value {
            Value::String(text) => Ok(Self::Text(text)),
            Value::Bool(value) => Ok(Self::Boolean(value)),
            Value::Number(number) => {
                let whole = number.as_i64().map(i128::from);
                let whole = whole.or_else(|| number.as_u64().map(i128::from));
                match (whole, number.as_f64()) {
                    (Some(whole), _) => Ok(Self::Integer(whole)),
                    (None, Some(float)) if float.abs() < EXACT => Ok(Self::Number(float)),
                    _ => Err(format!(
                        "{number} is too large to be exact: write it as text"
                    )),
                }
            }
            _ => Err("a value is text, a number, true or false".to_owned()),
        }
    }
}

/// One word for its types, where a derived schema has a branch for each, everywhere a literal may stand.
impl JsonSchema for Literal {
    fn schema_name() -> Cow<'static, str> {
        "Literal".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// The schema of a condition where the one of `filters` need not be said again.
pub(super) struct AsInFilters;

impl JsonSchema for AsInFilters {
    fn schema_name() -> Cow<'static, str> {
        "AsInFilters".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A condition on the dimension of this name, as in filters.",
            "type": ["string", "number", "boolean", "array", "object"],
        })
    }
}

/// One value or several.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Literals {
    One(Literal),
    Many(Vec<Literal>),
}

/// Operators of one condition.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Operators {
    /// None of these values.
    not: Option<Literals>,
    /// Greater than.
    gt: Option<Literal>,
    /// Greater than or equal to.
    gte: Option<Literal>,
    /// Less than.
    lt: Option<Literal>,
    /// Less than or equal to.
    lte: Option<Literal>,
    /// Between two values, both included.
    between: Option<(Literal, Literal)>,
    /// Like a pattern with % (any text) and _ (any character), ignoring case.
    like: Option<String>,
    /// Not like a pattern.
    not_like: Option<String>,
    /// True: has no value (NULL). False: has one.
    is_null: Option<bool>,
}

/// By hand, since the message of an untagged enum says nothing.
impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let read = match &value {
            Value::Array(_) => serde_json::from_value(value).map(Self::OneOf),
            Value::Object(_) => {
                serde_json::from_value(value).map(|operators| Self::Operators(Box::new(operators)))
            }
            Value::Null => {
                return Err(Error::custom(
                    "a condition is not null; {\"is_null\": true} asks for missing values",
                ));
            }
            _ => serde_json::from_value(value).map(Self::Is),
        };
        read.map_err(|error| Error::custom(format!("a condition cannot be read: {error}")))
    }
}

/// The filter for some conditions, none for none.
///
/// # Errors
/// A list is empty, an object has no operator.
pub(super) fn filter(conditions: &Conditions) -> Result<Option<Filter>, ToolError> {
    let mut all = Vec::new();
    for (field, condition) in conditions {
        let found = parts(field, condition);
        if found.is_empty() {
            return Err(ToolError::new(
                "bad_argument",
                format!("the condition on '{field}' names no value"),
            )
            .with_hint("leave it out, or write a value, a list of values, or operators such as not, gte, between"));
        }
        all.extend(found);
    }
    Ok(all.into_iter().reduce(Filter::and))
}

fn parts(field: &str, condition: &Condition) -> Vec<Filter> {
    match condition {
        Condition::Is(value) => vec![compare(field, CompareOp::Eq, value)],
        Condition::OneOf(values) => one_of(field, values, false).into_iter().collect(),
        Condition::Operators(operators) => operators.parts(field),
    }
}

impl Operators {
    fn parts(&self, field: &str) -> Vec<Filter> {
        let compared = [
            (CompareOp::Gt, &self.gt),
            (CompareOp::Ge, &self.gte),
            (CompareOp::Lt, &self.lt),
            (CompareOp::Le, &self.lte),
        ];
        let compared = compared
            .into_iter()
            .filter_map(|(op, value)| Some(compare(field, op, value.as_ref()?)));
        let not = self.not.as_ref().and_then(|not| match not {
            Literals::One(value) => Some(compare(field, CompareOp::Ne, value)),
            Literals::Many(values) => one_of(field, values, true),
        });
        let between = self.between.as_ref().map(|(low, high)| Filter::Between {
            field: field.to_owned(),
            low: low.text(),
            high: high.text(),
            negated: false,
        });
        let like = |pattern: &Option<String>, negated| {
            pattern.clone().map(|pattern| Filter::Like {
                field: field.to_owned(),
                pattern,
                negated,
            })
        };
        let is_null = self.is_null.map(|is_null| Filter::IsNull {
            field: field.to_owned(),
            negated: !is_null,
        });
        not.into_iter()
            .chain(compared)
            .chain(between)
            .chain(like(&self.like, false))
            .chain(like(&self.not_like, true))
            .chain(is_null)
            .collect()
    }
}

fn compare(field: &str, op: CompareOp, value: &Literal) -> Filter {
    Filter::Compare {
        field: field.to_owned(),
        op,
        value: value.text(),
    }
}

fn one_of(field: &str, values: &[Literal], negated: bool) -> Option<Filter> {
    (!values.is_empty()).then(|| Filter::In {
        field: field.to_owned(),
        values: values.iter().map(Literal::text).collect(),
        negated,
    })
}

impl Literal {
    /// As the query line writes it; the type of the field says what it means.
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(n) => n.to_string(),
            Self::Number(x) => x.to_string(),
            Self::Boolean(b) => b.to_string(),
        }
    }
}
