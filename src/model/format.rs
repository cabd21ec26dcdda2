//! How values are typed and shown: column types of results, display formats of metrics and dimensions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type a result column has on every engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Unicode text.
    Text,
    /// 64-bit integer.
    Integer,
    /// 64-bit float.
    Number,
    /// True or false.
    Boolean,
    /// Calendar date.
    Date,
    /// Date and time without zone, microseconds.
    Timestamp,
}

/// What a number is, for display.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormatKind {
    /// A plain number with thousands separators.
    #[default]
    Number,
    /// A share: 0.125 is shown as 12.5%.
    Percent,
    /// Money, shown with its currency.
    Currency,
    /// Seconds, shown as 1h 02m.
    Duration,
}

/// Display format of a metric or a numeric dimension.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// What the number is.
    pub kind: FormatKind,
    /// Digits after the decimal point; `None` lets the face choose.
    pub decimals: Option<u8>,
    /// ISO 4217 code for [`FormatKind::Currency`].
    pub currency: Option<String>,
    /// Unit shown after the number, such as `users`.
    pub unit: Option<String>,
}
