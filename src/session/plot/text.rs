//! Plots as text: bars and boxes of block characters, or of plain ASCII.

use unicode_width::UnicodeWidthStr;

use super::{FiveNumbers, Plot, Shape};

/// Columns a label may take.
const LABEL: usize = 24;

/// Columns of a drawing however narrow the place is.
const NARROWEST: usize = 10;

/// Characters to draw with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Charset {
    /// Block and box characters; bars are exact to an eighth of a column.
    #[default]
    Unicode,
    /// Plain ASCII, for terminals and documents that have nothing else. Labels stay as they are.
    Ascii,
}

/// One line of a drawing.
pub(super) struct Line<'a> {
    pub(super) label: String,
    pub(super) number: String,
    pub(super) mark: Mark<'a>,
}

/// What is drawn between the label and the number.
pub(super) enum Mark<'a> {
    Bar(f64),
    Box(&'a FiveNumbers),
}

impl Plot {
    /// The plot in `width` columns, a title and one line for each bar, bin or box.
    pub fn text(&self, width: usize, charset: Charset) -> String {
        let lines = self.lines();
        let label = widest(lines.iter().map(|line| line.label.as_str())).min(LABEL);
        let number = widest(lines.iter().map(|line| line.number.as_str()));
        let room = width.saturating_sub(label + number + 4).max(NARROWEST);
        let scale = self.scale();
        let mut text = format!("{}\n", self.title);
        for line in &lines {
            let drawn = match line.mark {
                Mark::Bar(value) => bar(value, scale, room, charset),
                Mark::Box(numbers) => boxed(numbers, scale, room, charset),
            };
            let row = format!(
                "{}  {}  {}",
                pad(&cut(&line.label, label, charset), label),
                pad(&drawn, room),
                line.number
            );
            text.push_str(row.trim_end());
            text.push('\n');
        }
        if matches!(self.shape, Shape::Boxes(_)) {
            let (low, high) = (self.number(scale.0), self.number(scale.1));
            let gap = room.saturating_sub(low.width() + high.width()).max(1);
            let row = format!("{}  {low}{}{high}", " ".repeat(label), " ".repeat(gap));
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }

    /// What is drawn, line by line.
    pub(super) fn lines(&self) -> Vec<Line<'_>> {
        match &self.shape {
            Shape::Bars(bars) => bars
                .iter()
                .map(|bar| Line {
                    label: bar.label.clone(),
                    number: self.number(bar.value),
                    mark: Mark::Bar(bar.value),
                })
                .collect(),
            Shape::Histogram(bins) => bins
                .iter()
                .map(|bin| Line {
                    label: format!("{} to {}", self.number(bin.from), self.number(bin.to)),
                    number: bin.count.to_string(),
                    mark: Mark::Bar(bin.count as f64),
                })
                .collect(),
            Shape::Boxes(boxes) => boxes
                .iter()
                .map(|row| Line {
                    label: row.label.clone(),
                    number: format!(
                        "median {}, n {}",
                        self.number(row.numbers.median),
                        row.numbers.count
                    ),
                    mark: Mark::Box(&row.numbers),
                })
                .collect(),
        }
    }

    /// The smallest and the largest number that has a place; bars start at zero.
    pub(super) fn scale(&self) -> (f64, f64) {
        let range = |values: &mut dyn Iterator<Item = f64>, start: (f64, f64)| {
            values.fold(start, |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let zero = (0.0, 0.0);
        match &self.shape {
            Shape::Bars(bars) => range(&mut bars.iter().map(|bar| bar.value), zero),
            Shape::Histogram(bins) => range(&mut bins.iter().map(|bin| bin.count as f64), zero),
            Shape::Boxes(boxes) => range(
                &mut boxes
                    .iter()
                    .flat_map(|row| [row.numbers.min, row.numbers.max]),
                (f64::INFINITY, f64::NEG_INFINITY),
            ),
        }
    }
}

/// Where a number stands between the ends of a scale, 0 to 1; in the middle where the ends are the same.
pub(super) fn position(value: f64, (low, high): (f64, f64)) -> f64 {
    let share = (value - low) / (high - low);
    if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.5
    }
}

/// A bar in `room` columns from zero to the value; below zero to the left, in whole columns.
pub fn bar(value: f64, scale: (f64, f64), room: usize, charset: Charset) -> String {
    if scale.0 == scale.1 {
        return String::new();
    }
    // The zero line begins a column, and what is not zero shows.
    let zero = (position(0.0, scale) * room as f64).floor() as usize;
    let columns = value.abs() / (scale.1 - scale.0) * room as f64;
    let shown = usize::from(value != 0.0);
    if value < 0.0 {
        let length = (columns.round() as usize).clamp(shown, zero.max(shown));
        let mark = match charset {
            Charset::Unicode => "░",
            Charset::Ascii => "-",
        };
        let before = zero.saturating_sub(length);
        return format!("{}{}", " ".repeat(before), mark.repeat(length));
    }
    let length = ((columns * 8.0).round() as usize).max(shown);
    let drawn = match charset {
        Charset::Ascii => "#".repeat(((length + 4) / 8).max(shown)),
        Charset::Unicode => {
            let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
            let part = parts.get(length % 8).unwrap_or(&"");
            format!("{}{part}", "█".repeat(length / 8))
        }
    };
    format!("{}{drawn}", " ".repeat(zero))
}

/// `├──▒▒┃▒▒▒───┤  ∘`
fn boxed(numbers: &FiveNumbers, scale: (f64, f64), room: usize, charset: Charset) -> String {
    let [line, from, to, body, median, outlier] = match charset {
        Charset::Unicode => ['─', '├', '┤', '▒', '┃', '∘'],
        Charset::Ascii => ['-', '|', '|', '=', '#', 'o'],
    };
    let last = room.saturating_sub(1);
    let at = |value: f64| (position(value, scale) * last as f64).round() as usize;
    let mut cells = vec![' '; room];
    let mut put = |range: std::ops::RangeInclusive<usize>, c: char| {
        for cell in cells.iter_mut().skip(*range.start()).take(range.count()) {
            *cell = c;
        }
    };
    for value in &numbers.outliers {
        put(at(*value)..=at(*value), outlier);
    }
    put(at(numbers.low)..=at(numbers.high), line);
    put(at(numbers.low)..=at(numbers.low), from);
    put(at(numbers.high)..=at(numbers.high), to);
    put(at(numbers.q1)..=at(numbers.q3), body);
    put(at(numbers.median)..=at(numbers.median), median);
    cells.into_iter().collect()
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(UnicodeWidthStr::width).max().unwrap_or(0)
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// The text in so many columns, with a mark where something is missing.
fn cut(text: &str, width: usize, charset: Charset) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mark = match charset {
        Charset::Unicode => "…",
        Charset::Ascii => "~",
    };
    let mut kept = String::new();
    for c in text.chars() {
        if kept.width() + c.to_string().width() + 1 > width {
            break;
        }
        kept.push(c);
    }
    kept + mark
}
