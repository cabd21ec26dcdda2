//! An axis of numbers: from where to where it goes, and the round numbers on it.

use arrow_array::Float64Array;

use crate::compile::OutputColumn;
use crate::model::FormatKind;
use crate::session::cell::{cell_text, sanitize};

/// An axis of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What it measures, with the unit.
    pub title: String,
    /// Where it begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    column: OutputColumn,
}

impl Axis {
    /// The axis for some numbers of a column. It begins at zero, unless `may_float` and all of them are far from it.
    pub(super) fn of(
        column: &OutputColumn,
        values: impl Iterator<Item = f64>,
        may_float: bool,
    ) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let (low, high) = if low > high { (0.0, 0.0) } else { (low, high) };
        let is_far = may_float && high > low && (low > 0.6 * high || high < 0.6 * low);
        let (low, high) = match (is_far, low == high) {
            (true, _) => (low, high),
            (false, true) if low == 0.0 => (0.0, 1.0),
            (false, _) => (low.min(0.0), high.max(0.0)),
        };
        Self {
            title: title(column),
            low,
            high,
            column: column.clone(),
        }
    }

    /// An axis of counts.
    pub(super) fn of_counts(title: &str, most: usize, column: &OutputColumn) -> Self {
        Self {
            title: title.to_owned(),
            low: 0.0,
            high: most.max(1) as f64,
            column: column.clone(),
        }
    }

    /// Where a number stands: 0 at the beginning, 1 at the end.
    pub fn position(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.5
        }
    }

    /// At most so many round numbers on it, ascending, each with its text.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let step = self.step(most.max(2));
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        let largest = self.low.abs().max(self.high.abs());
        (first..=last.min(first.saturating_add(most as i64)))
            .map(|n| {
                let value = n as f64 * step;
                (value, self.short(value, step, largest))
            })
            .collect()
    }

    /// A number as its format writes it.
    pub fn number(&self, value: f64) -> String {
        cell_text(&Float64Array::from(vec![value]), 0, &self.column).text
    }

    /// The smallest of 1, 2 or 5 times a power of ten that makes no more steps than asked for.
    fn step(&self, most: usize) -> f64 {
        let scale = if self.column.format.kind == FormatKind::Percent {
            100.0
        } else {
            1.0
        };
        let rough = (self.high - self.low) * scale / (most - 1) as f64;
        if !rough.is_finite() || rough <= 0.0 {
            return 1.0;
        }
        let ten = 10_f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .find(|round| round * ten >= rough);
        round.unwrap_or(10.0) * ten / scale
    }

    /// `1.5M`, `12%`, `1h 30m`: short, with as many decimals as the step needs.
    fn short(&self, value: f64, step: f64, largest: f64) -> String {
        let (scale, suffix) = match self.column.format.kind {
            FormatKind::Duration => return self.number(value),
            FormatKind::Percent => (0.01, "%"),
            FormatKind::Number | FormatKind::Currency => match largest {
                ..1e4 => (1.0, ""),
                ..1e6 => (1e3, "k"),
                ..1e9 => (1e6, "M"),
                ..1e12 => (1e9, "B"),
                ..1e15 => (1e12, "T"),
                _ => return format!("{value:e}"),
            },
        };
        // Half a step of a thousandth is lost to rounding.
        let decimals = (-(step / scale).log10() - 1e-9).ceil().clamp(0.0, 6.0) as usize;
        let text = format!("{:.decimals$}", value / scale);
        match text.trim_matches(['-', '0', '.']).is_empty() {
            true => format!("0{}", if suffix == "%" { suffix } else { "" }),
            false => format!("{text}{suffix}"),
        }
    }
}

/// `Gross merchandise value (USD)`.
fn title(column: &OutputColumn) -> String {
    let format = &column.format;
    let unit = match format.kind {
        FormatKind::Currency => format.currency.as_deref(),
        _ => format.unit.as_deref(),
    };
    let label = sanitize(&column.label);
    match unit {
        Some(unit) => format!("{label} ({})", sanitize(unit)),
        None => label.into_owned(),
    }
}
