//! Values of cells, with SQL's comparison (NULL is unknown) and the order of results (NULL last).

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime};

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Date(Date),
    Time(DateTime),
}

/// The values of a row's groupings; NULL is a value like others here.
#[derive(Debug, Clone, PartialEq)]
pub struct Key(pub Vec<Value>);

impl Value {
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Bool(yes) => Some(f64::from(u8::from(*yes))),
            _ => None,
        }
    }

    /// True, false or unknown.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(yes) => Some(*yes),
            Self::Number(number) => Some(*number != 0.0),
            _ => None,
        }
    }

    /// The point in time; midnight of a date.
    pub fn instant(&self) -> Option<DateTime> {
        match self {
            Self::Date(day) => Some(day.at(0, 0, 0, 0)),
            Self::Time(at) => Some(*at),
            Self::Text(text) => text
                .replace(' ', "T")
                .parse()
                .ok()
                .or_else(|| Some(text.parse::<Date>().ok()?.at(0, 0, 0, 0))),
            _ => None,
        }
    }

    /// SQL's comparison: unknown where one side is NULL.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => None,
            (Self::Text(one), Self::Text(other)) => Some(one.cmp(other)),
            (Self::Date(_) | Self::Time(_), _) | (_, Self::Date(_) | Self::Time(_)) => {
                Some(self.instant()?.cmp(&other.instant()?))
            }
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }

    /// The order of results: NULL comes last.
    pub fn sort(&self, other: &Self) -> Ordering {
        self.is_null()
            .cmp(&other.is_null())
            .then_with(|| self.compare(other).unwrap_or(Ordering::Equal))
    }
}

impl From<Option<bool>> for Value {
    fn from(truth: Option<bool>) -> Self {
        truth.map_or(Self::Null, Self::Bool)
    }
}

impl From<Option<f64>> for Value {
    fn from(number: Option<f64>) -> Self {
        // There is one zero.
        number.map_or(Self::Null, |number| Self::Number(number + 0.0))
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut pairs = self.0.iter().zip(&other.0);
        pairs
            .find_map(|(one, other)| Some(one.sort(other)).filter(|order| order.is_ne()))
            .unwrap_or(Ordering::Equal)
    }
}

/// Equal but for the last digits of a float.
pub fn close(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1e-3)
        }
        _ => one == other,
    }
}
