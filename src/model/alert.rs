//! Alerts: saved checks of a metric, and when they fire.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CompareOp, Grain, GroupBy, MetricQuery, Place};

/// Fewest earlier periods of the same season that say what is usual.
pub const FEWEST_STEPS: usize = 5;

/// Fewest earlier periods, of all seasons.
pub const FEWEST_PERIODS: usize = 8;

/// How bad it is when an alert fires.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlertSeverity {
    /// Worth knowing.
    Info,
    /// Worth looking at.
    #[default]
    Warning,
    /// Somebody has to act.
    Critical,
}

impl AlertSeverity {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// A size of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Amount {
    /// So much, in the unit of the metric.
    Absolute(f64),
    /// So many percent of what it is compared with.
    Percent(f64),
}

impl Amount {
    /// Whether a difference from a number is as large as this, in either direction; `None` where percents of zero are asked for.
    pub fn is_reached(self, difference: f64, from: f64) -> Option<bool> {
        let needed = match self {
            Self::Absolute(amount) => amount,
            Self::Percent(_) if from == 0.0 => return (difference == 0.0).then_some(false),
            Self::Percent(percent) => from.abs() * percent / 100.0,
        };
        // What engines round differently decides nothing.
        Some(difference.abs() >= needed - 1e-9 * needed.abs().max(from.abs()))
    }
}

/// Which differences count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Downwards.
    Low,
    /// Upwards.
    High,
    /// Both.
    Either,
}

impl Side {
    /// Whether a difference goes this way.
    pub fn takes(self, difference: f64) -> bool {
        match self {
            Self::Low => difference < 0.0,
            Self::High => difference > 0.0,
            Self::Either => difference != 0.0,
        }
    }
}

/// When an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum When {
    /// `< 100`: a number of the query lies there.
    Threshold(CompareOp, f64),
    /// `falls by 20% vs previous week`: the latest complete period against the one a step before.
    Change(Side, Amount, Grain),
    /// `unusually low by 10% vs 8 weeks`: the latest complete period is far off what the same season of so many steps before
    /// leads to expect, and by no less than the amount.
    Unusual(Side, Option<Amount>, u32, Grain),
}

impl When {
    /// What it is compared with: a step back in time; none for a threshold.
    pub fn step(&self) -> Option<Grain> {
        match self {
            Self::Threshold(..) => None,
            Self::Change(_, _, step) | Self::Unusual(_, _, _, step) => Some(*step),
        }
    }
}

/// A saved check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Name.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// The numbers that are looked at: one metric, and what it is grouped by. Only with a threshold it has a time range.
    pub query: MetricQuery,
    /// When it fires.
    pub when: When,
    /// How bad that is.
    pub severity: AlertSeverity,
    /// Who is to know.
    pub owner: Option<String>,
    /// What to do then, in plain words.
    pub message: String,
}

impl Alert {
    /// The metric.
    pub fn metric(&self) -> &str {
        self.query.metrics.first().map_or("", String::as_str)
    }

    /// The length of the period that is compared: the grain that the query groups by, else the step of the comparison.
    pub fn period(&self) -> Option<Grain> {
        let groups = self.query.group_by.iter().flatten();
        let mut grains = groups.filter_map(|group| match group {
            GroupBy::Grain { grain, of: None } => Some(*grain),
            _ => None,
        });
        grains.next().or(self.when.step())
    }
}

/// How many periods of a length lie between two that are compared over a step: the days of a week, the months of a year; none
/// where no whole number of them does.
pub fn seasons(period: Grain, step: Grain) -> Option<u32> {
    Some(match (period, step) {
        (Grain::Day, Grain::Week) => 7,
        (Grain::Month, Grain::Quarter) => 3,
        (Grain::Month, Grain::Year) => 12,
        (Grain::Quarter, Grain::Year) => 4,
        (period, step) if period == step && !period.is_sub_day() => 1,
        _ => return None,
    })
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(amount) => write!(f, "{amount}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl fmt::Display for When {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Threshold(op, number) => write!(f, "{} {number}", op.symbol()),
            Self::Change(side, by, step) => {
                let verb = match side {
                    Side::Low => "falls",
                    Side::High => "rises",
                    Side::Either => "changes",
                };
                write!(f, "{verb} by {by} vs previous {step}")
            }
            Self::Unusual(side, by, count, step) => {
                f.write_str(match side {
                    Side::Low => "unusually low",
                    Side::High => "unusually high",
                    Side::Either => "unusual",
                })?;
                if let Some(by) = by {
                    write!(f, " by {by}")?;
                }
                let plural = if *count == 1 { "" } else { "s" };
                write!(f, " vs {count} {step}{plural}")
            }
        }
    }
}

/// What is wrong with the words of a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WhenError {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: String,
}

const FORMS: &str = "write < 100, falls by 20% vs previous week, or unusually low vs 8 weeks";

impl FromStr for When {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        let text = text.trim();
        let symbols = [">=", "<=", "!=", "=", "<", ">"];
        if let Some(symbol) = symbols.into_iter().find(|symbol| text.starts_with(symbol)) {
            let number = text.strip_prefix(symbol).unwrap_or_default();
            let op = match symbol {
                ">=" => CompareOp::Ge,
                "<=" => CompareOp::Le,
                "!=" => CompareOp::Ne,
                "<" => CompareOp::Lt,
                ">" => CompareOp::Gt,
                _ => CompareOp::Eq,
            };
            return Ok(Self::Threshold(
                op,
                match amount(number)? {
                    Amount::Absolute(number) => number,
                    Amount::Percent(percent) => percent / 100.0,
                },
            ));
        }
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let (side, is_change, rest) = match words.as_slice() {
            ["falls", rest @ ..] => (Side::Low, true, rest),
            ["rises", rest @ ..] => (Side::High, true, rest),
            ["changes", rest @ ..] => (Side::Either, true, rest),
            ["unusually", "low", rest @ ..] => (Side::Low, false, rest),
            ["unusually", "high", rest @ ..] => (Side::High, false, rest),
            ["unusual", rest @ ..] => (Side::Either, false, rest),
            _ => return Err(wrong(format!("'{text}' is no condition"), FORMS)),
        };
        let (by, rest) = match rest {
            ["by", by, rest @ ..] => (Some(size(by)?), rest),
            rest => (None, rest),
        };
        match (is_change, by, rest) {
            (true, Some(by), ["vs", "previous", step]) => {
                Ok(Self::Change(side, by, self::step(step)?))
            }
            (true, None, _) => Err(wrong(
                format!("'{text}' does not say by how much"),
                "write falls by 20% vs previous week",
            )),
            (true, ..) => Err(wrong(
                format!("'{text}' does not say what it is compared with"),
                "write falls by 20% vs previous week",
            )),
            (false, by, ["vs", count, step]) => {
                let step = self::step(step)?;
                let count = count.parse::<u32>().ok().filter(|count| *count <= 1_000);
                let count = count.ok_or_else(|| {
                    wrong(
                        format!("'{text}' does not say how far to look back"),
                        "write unusually low vs 8 weeks",
                    )
                })?;
                Ok(Self::Unusual(side, by, count, step))
            }
            (false, ..) => Err(wrong(
                format!("'{text}' does not say how far to look back"),
                "write unusually low vs 8 weeks",
            )),
        }
    }
}

fn wrong(message: String, hint: &str) -> WhenError {
    WhenError {
        message,
        hint: hint.to_owned(),
    }
}

/// `20%`, `1,500`.
fn amount(text: &str) -> Result<Amount, WhenError> {
    let written = text.trim();
    let percent = written.strip_suffix('%');
    let plain = percent
        .unwrap_or(written)
        .trim_end()
        .replace([',', '_'], "");
    match plain
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
    {
        Some(number) if percent.is_some() => Ok(Amount::Percent(number)),
        Some(number) => Ok(Amount::Absolute(number)),
        None => Err(wrong(
            format!("'{written}' is no number"),
            "write a number such as 1500, or a part such as 20%",
        )),
    }
}

/// An amount that something can differ by.
fn size(text: &str) -> Result<Amount, WhenError> {
    let amount = amount(text)?;
    match amount {
        Amount::Absolute(number) | Amount::Percent(number) if number <= 0.0 => Err(wrong(
            format!("a difference of {amount} is none"),
            "write a size above 0; falls and rises say which way",
        )),
        amount => Ok(amount),
    }
}

fn step(word: &str) -> Result<Grain, WhenError> {
    let grain = Grain::from_word(word).filter(|grain| !grain.is_sub_day());
    grain.ok_or_else(|| {
        wrong(
            format!("'{word}' is no period to compare with"),
            "it is day, week, month, quarter or year",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_written_as_it_is_read() {
        for text in [
            "< 100",
            ">= 0.05",
            "!= -3",
            "falls by 20% vs previous week",
            "rises by 500 vs previous day",
            "changes by 2.5% vs previous year",
            "unusual vs 8 weeks",
            "unusually low by 10% vs 12 months",
            "unusually high vs 1 day",
        ] {
            let when: When = text.parse().unwrap();
            assert_eq!(when.to_string(), text);
        }
        assert_eq!("<5 %".parse(), Ok(When::Threshold(CompareOp::Lt, 0.05)));
        assert_eq!(
            "> 1,500".parse(),
            Ok(When::Threshold(CompareOp::Gt, 1_500.0))
        );
    }

    #[test]
    fn what_is_left_open_is_refused() {
        for (text, message) in [
            ("low", "'low' is no condition"),
            ("< many", "'many' is no number"),
            ("< NaN", "'NaN' is no number"),
            (
                "falls vs previous week",
                "'falls vs previous week' does not say by how much",
            ),
            (
                "falls by 20%",
                "'falls by 20%' does not say what it is compared with",
            ),
            (
                "falls by -20% vs previous week",
                "a difference of -20% is none",
            ),
            ("unusual", "'unusual' does not say how far to look back"),
            (
                "unusual vs 8",
                "'unusual vs 8' does not say how far to look back",
            ),
            ("unusual vs 8 hours", "'hours' is no period to compare with"),
        ] {
            assert_eq!(text.parse::<When>().unwrap_err().message, message);
        }
    }

    #[test]
    fn a_part_of_nothing_is_not_told() {
        let fifth = Amount::Percent(20.0);
        assert_eq!(fifth.is_reached(-20.0, 100.0), Some(true));
        assert_eq!(fifth.is_reached(-19.9, 100.0), Some(false));
        assert_eq!(fifth.is_reached(-20.0, -100.0), Some(true));
        assert_eq!(fifth.is_reached(5.0, 0.0), None);
        assert_eq!(fifth.is_reached(0.0, 0.0), Some(false));
        assert_eq!(Amount::Absolute(5.0).is_reached(5.0, 0.0), Some(true));
    }
}
