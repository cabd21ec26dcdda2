//! How the numbers of a grid look: heat maps, bars, trends, short forms, decimal points in line.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use super::{Grid, Trend};
use crate::compile::{OutputColumn, Role};
use crate::model::FormatKind;
use crate::session::cell::{self, CellText, aligns_right};
use crate::tui::widgets::text;

/// Cells of the bar beside a number.
pub(super) const BAR: u16 = 10;
/// Signs of a heat map, from the smallest fifth of the range to the largest.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
const EIGHTHS: [&str; 8] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// What the numbers of a column are shown with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// A shade for where a number lies between the smallest and the largest.
    pub heat: bool,
    /// A bar as long as the number.
    pub bars: bool,
    /// `1.2M` instead of all digits.
    pub short: bool,
}

/// Something that can be switched on for a column of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Switch {
    /// [`Look::heat`]
    Heat,
    /// [`Look::bars`]
    Bars,
    /// [`Look::short`]
    Short,
}

impl Look {
    fn of(&mut self, switch: Switch) -> &mut bool {
        match switch {
            Switch::Heat => &mut self.heat,
            Switch::Bars => &mut self.bars,
            Switch::Short => &mut self.short,
        }
    }
}

/// The smallest and the largest number of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Scale {
    /// Of one array, and of what was before it.
    pub(super) fn grow(before: Option<Self>, array: &ArrayRef) -> Option<Self> {
        let start = before.unwrap_or(Self {
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
        });
        let take = |scale: Self, value: f64| Self {
            least: scale.least.min(value),
            most: scale.most.max(value),
        };
        let scale = match array.data_type() {
            DataType::Int64 => {
                let values = array.as_primitive::<Int64Type>().iter().flatten();
                values.map(|value| value as f64).fold(start, take)
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().iter().flatten();
                values.fold(start, take)
            }
            _ => return before,
        };
        (scale.least <= scale.most).then_some(scale)
    }

    /// Where a number lies, from 0 for the smallest to 1 for the largest; nowhere if all are the same.
    fn place(self, value: f64) -> Option<f64> {
        let place = (value - self.least) / (self.most - self.least);
        place.is_finite().then_some(place.clamp(0.0, 1.0))
    }

    /// How much of the longest bar a number fills.
    fn share(self, value: f64) -> Option<f64> {
        let longest = self.least.abs().max(self.most.abs());
        let share = value.abs() / longest;
        share.is_finite().then_some(share.clamp(0.0, 1.0))
    }
}

/// Cells of a number from its decimal point on, or of the sign after its digits: `.50`, `.1%`, `K`.
pub(super) fn tail(column: &OutputColumn, text: &str) -> usize {
    if !aligns_right(column) || column.format.kind == FormatKind::Duration {
        return 0;
    }
    if !text.contains(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    let end = text.find('.').unwrap_or_else(|| {
        let last = text.rfind(|c: char| c.is_ascii_digit());
        last.map_or(text.len(), |last| last + 1)
    });
    text::width(text.get(end..).unwrap_or_default())
}

/// Whether a text is the number zero.
pub(super) fn is_zero(text: &str) -> bool {
    text.contains('0') && !text.contains(|c: char| matches!(c, '1'..='9') || c.is_alphabetic())
}

/// A bar of so many cells, by eighths of a cell; as many blanks as it takes to fill them.
fn bar(share: f64, cells: u16) -> String {
    let cells = usize::from(cells);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share is from 0 to 1"
    )]
    let eighths = (share * cells as f64 * 8.0).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if let Some(part) = (eighths % 8).checked_sub(1) {
        bar.push_str(EIGHTHS.get(part).unwrap_or(&"█"));
    }
    bar
}

/// What is drawn beside a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Beside {
    /// In the cell right after it, with its place from 0 to 1.
    pub(super) shade: Option<(char, f64)>,
    /// After that.
    pub(super) text: String,
    /// Whether the number is below zero.
    pub(super) is_negative: bool,
}

impl Grid {
    /// What the numbers of a column are shown with.
    pub fn look(&self, column: usize) -> Look {
        self.looks.get(column).copied().unwrap_or_default()
    }

    /// The columns a switch is meant for: the selected one, or all numbers if that is none.
    fn meant(&self) -> Vec<usize> {
        let is_measured = |at: &usize| {
            let column = self.table.columns().get(*at);
            column.is_some_and(|column| aligns_right(column) && column.role != Role::Group)
        };
        let here = self.selected.column;
        let all = self.columns.shown().iter().copied();
        if is_measured(&here) {
            vec![here]
        } else {
            all.filter(is_measured).collect()
        }
    }

    /// Switches something on for the selected column, or for all columns of numbers if that is none; if it is on for
    /// them all, off. `None` without numbers, else whether it is on now.
    pub fn switch(&mut self, what: Switch) -> Option<bool> {
        let meant = self.meant();
        let mut looks: Vec<_> = meant.iter().map(|&at| self.look(at)).collect();
        let on = !looks.iter_mut().all(|look| *look.of(what));
        for at in &meant {
            if let Some(look) = self.looks.get_mut(*at) {
                *look.of(what) = on;
            }
        }
        self.settle();
        (!meant.is_empty()).then_some(on)
    }

    /// Cells of a column with all that is drawn in it.
    pub(super) fn column_width(&self, column: usize) -> u16 {
        let width = self.widths.get(column);
        match self.table.columns().get(column) {
            Some(spec) if self.look(column).short && self.widths.by_hand(column).is_none() => {
                let is_negative = self.scale(column).is_some_and(|scale| scale.least < 0.0);
                let short = cell::widest_short(spec, is_negative).max(self.widths.header(column));
                width.min(u16::try_from(short).unwrap_or(width))
            }
            _ => width,
        }
    }

    /// Cells beside the numbers of a column.
    pub(super) fn beside_width(&self, column: usize) -> u16 {
        let bars = u16::from(self.look(column).bars) * (BAR + 1);
        let spec = self.table.columns().get(column);
        let trend = self.trend.as_ref().zip(spec);
        let trend = trend.map_or(0, |(trend, spec)| trend.width(spec));
        bars + trend + u16::from(trend > 0)
    }

    fn scale(&self, column: usize) -> Option<Scale> {
        self.scales.get(column).copied().flatten()
    }

    /// The displayed text of a cell in `out`; returns whether it is NULL.
    pub fn read(&self, row: usize, column: usize, out: &mut String) -> bool {
        if !self.look(column).short {
            return self.table.read(row, column, out);
        }
        out.clear();
        match (
            self.table.cell(row, column),
            self.table.columns().get(column),
        ) {
            (Some((array, index)), Some(spec)) => cell::write_short(out, array, index, spec),
            _ => false,
        }
    }

    /// A total as its column shows numbers.
    pub(super) fn total_text(&self, column: usize, cell: &CellText) -> String {
        let array = self.total_cells.get(column).and_then(Option::as_ref);
        match (array, self.table.columns().get(column)) {
            (Some(array), Some(spec)) if self.look(column).short => {
                let mut text = String::new();
                cell::write_short(&mut text, array, 0, spec);
                text
            }
            _ => cell.text.clone(),
        }
    }

    /// What the row of totals says, by column; empty where there is no total of one.
    pub fn totals_row(&self) -> Option<Vec<String>> {
        let cells = self.totals.as_ref()?.iter().enumerate();
        Some(cells.map(|(at, cell)| self.total_text(at, cell)).collect())
    }

    /// Whether the time column has periods that are not complete.
    pub fn has_partial(&self) -> bool {
        self.partial.is_some()
    }

    /// Whether a cell is a period that is not complete.
    pub fn is_partial(&self, row: usize, column: usize) -> bool {
        let Some((of, days)) = self.partial.as_ref().filter(|(of, _)| *of == column) else {
            return false;
        };
        let text = self
            .table
            .cell(row, *of)
            .and_then(|(array, index)| cell::raw_text(array, index));
        text.is_some_and(|text| days.iter().any(|day| text.starts_with(&day.to_string())))
    }

    /// Cells of a text in a column whose decimal points are in line.
    pub(super) fn aligned_width(&self, column: usize, text: &str) -> usize {
        text::width(text) + self.after_tail(column, text)
    }

    /// Blanks after a number that bring its decimal point in line with the others.
    pub(super) fn after_tail(&self, column: usize, text: &str) -> usize {
        let Some(spec) = self.table.columns().get(column) else {
            return 0;
        };
        let is_number = text.contains(|c: char| c.is_ascii_digit());
        if !aligns_right(spec) || !is_number || spec.format.kind == FormatKind::Duration {
            return 0;
        }
        let most = if self.look(column).short {
            cell::short_tail(spec)
        } else {
            self.widths.tail(column)
        };
        most.saturating_sub(tail(spec, text))
    }

    /// What is drawn beside the number of a cell.
    pub(super) fn beside(&self, row: usize, column: usize) -> Option<Beside> {
        let look = self.look(column);
        let trend = self.trend.as_deref();
        if !look.heat && !look.bars && trend.is_none() {
            return None;
        }
        let value = self
            .table
            .cell(row, column)
            .and_then(|(array, index)| number(array, index));
        // A subtotal would be the longest bar of all, and the darkest.
        let value = value.filter(|_| !self.table.is_subtotal(row));
        let scale = self.scale(column);
        let place = scale.zip(value).filter(|_| look.heat);
        let place = place.and_then(|(scale, value)| scale.place(value));
        let mut text = String::new();
        if look.bars {
            let share = scale
                .zip(value)
                .and_then(|(scale, value)| scale.share(value));
            text = text::pad(
                &bar(share.unwrap_or(0.0), BAR),
                usize::from(BAR),
                text::Align::Left,
            );
        }
        if let Some(line) = trend.and_then(|trend| trend.line(&self.table, row, column)) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&line);
        }
        let sign = |sign: char| if self.plain_signs { ascii(sign) } else { sign };
        Some(Beside {
            shade: place.map(|place| (sign(shade(place)), place)),
            text: text.chars().map(sign).collect(),
            is_negative: value.is_some_and(|value| value < 0.0),
        })
    }

    /// Shows trends beside the numbers, or none.
    pub fn set_trend(&mut self, trend: Option<Trend>) {
        self.trend = trend.map(Arc::new);
        self.settle();
    }

    /// Draws bars, shades and trends with ASCII alone, or not.
    pub fn set_plain_signs(&mut self, plain: bool) {
        self.plain_signs = plain;
    }

    /// The trends that are shown.
    pub fn trend(&self) -> Option<&Trend> {
        self.trend.as_deref()
    }
}

/// A block as a sign that every terminal has; higher, longer and darker ones have more ink.
fn ascii(block: char) -> char {
    match block {
        '▁' => '_',
        '▂' | '░' => '.',
        '▃' | '▏' | '▎' | '▍' | '▌' => '-',
        '▄' | '▋' | '▊' | '▉' => '=',
        '▅' | '▒' => '+',
        '▆' | '▓' => '*',
        '▇' => '%',
        '█' => '#',
        other => other,
    }
}

fn shade(place: f64) -> char {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place is from 0 to 1"
    )]
    let fifth = (place * 5.0) as usize;
    SHADES.get(fifth.min(4)).copied().unwrap_or(' ')
}

/// The number in a cell, if it is one.
pub(super) fn number(array: &dyn Array, row: usize) -> Option<f64> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(row) as f64),
        DataType::Float64 => Some(array.as_primitive::<Float64Type>().value(row)),
        _ => None,
    }
}
