//! Plots as SVG: no scripts, no links, no fonts from elsewhere; every text is escaped.

use std::fmt::Write;

use super::text::{Mark, position};
use super::{FiveNumbers, Plot, Shape};

/// Size in pixels.
const WIDTH: f64 = 760.0;
const ROW: f64 = 24.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 28.0;
/// Where drawing begins and ends; labels stand before, numbers after.
const LEFT: f64 = 190.0;
const RIGHT: f64 = 580.0;

/// Characters of a label that have room.
const LABEL: usize = 28;

/// Outliers that are drawn of one box.
const OUTLIERS: usize = 8;

impl Plot {
    /// The plot as one SVG element.
    pub fn svg(&self) -> String {
        stacked(&[self])
    }

    /// Pixels from top to bottom.
    fn height(&self) -> f64 {
        TOP + ROW * self.lines().len() as f64 + BOTTOM
    }

    /// What is drawn, from the top left corner on.
    fn drawn(&self) -> String {
        let lines = self.lines();
        let scale = self.scale();
        let x = |value: f64| LEFT + position(value, scale) * (RIGHT - LEFT);
        let title = escaped(&self.title);
        let mut svg = format!("<text x='12' y='22' font-size='14'>{title}</text>");
        for (row, line) in lines.iter().enumerate() {
            let y = TOP + ROW * row as f64;
            let middle = y + ROW / 2.0 + 4.0;
            text(&mut svg, LEFT - 8.0, middle, "end", &shortened(&line.label));
            match line.mark {
                Mark::Bar(value) => {
                    let (from, to) = (x(0.0).min(x(value)), x(0.0).max(x(value)));
                    let color = if value < 0.0 { "#b45309" } else { "#2563eb" };
                    rect(&mut svg, from, y + 4.0, to - from, color);
                }
                Mark::Box(numbers) => boxed(&mut svg, numbers, y, x),
            }
            text(&mut svg, RIGHT + 8.0, middle, "start", &line.number);
        }
        if matches!(self.shape, Shape::Boxes(_)) {
            let y = self.height() - 10.0;
            text(&mut svg, LEFT, y, "start", &self.number(scale.0));
            text(&mut svg, RIGHT, y, "end", &self.number(scale.1));
        }
        svg
    }
}

/// Plots below each other as one SVG element.
pub(super) fn stacked(plots: &[&Plot]) -> String {
    let height: f64 = plots.iter().map(|plot| plot.height()).sum();
    let title = plots.first().map_or("", |plot| plot.title.as_str());
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' font-family='sans-serif' \
         font-size='12' role='img'><title>{}</title><rect width='100%' height='100%' fill='#fff'/>",
        escaped(title)
    );
    let mut top = 0.0;
    for plot in plots {
        match top {
            0.0 => svg.push_str(&plot.drawn()),
            top => {
                let _ = write!(
                    svg,
                    "<g transform='translate(0 {top})'>{}</g>",
                    plot.drawn()
                );
            }
        }
        top += plot.height();
    }
    svg.push_str("</svg>");
    svg
}

fn boxed(svg: &mut String, numbers: &FiveNumbers, y: f64, x: impl Fn(f64) -> f64) {
    let middle = y + ROW / 2.0;
    line(svg, (x(numbers.low), middle), (x(numbers.high), middle));
    for end in [numbers.low, numbers.high] {
        line(svg, (x(end), middle - 4.0), (x(end), middle + 4.0));
    }
    rect(
        svg,
        x(numbers.q1),
        y + 4.0,
        x(numbers.q3) - x(numbers.q1),
        "#93c5fd",
    );
    line(
        svg,
        (x(numbers.median), y + 4.0),
        (x(numbers.median), y + ROW - 4.0),
    );
    for value in numbers.outliers.iter().take(OUTLIERS) {
        let _ = write!(
            svg,
            "<circle cx='{:.1}' cy='{middle:.1}' r='2.5' fill='none' stroke='#1e3a8a'/>",
            x(*value)
        );
    }
}

fn rect(svg: &mut String, x: f64, y: f64, width: f64, color: &str) {
    let height = ROW - 8.0;
    let _ = write!(
        svg,
        "<rect x='{x:.1}' y='{y:.1}' width='{width:.1}' height='{height}' fill='{color}'/>"
    );
}

fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = write!(
        svg,
        "<line x1='{x1:.1}' y1='{y1:.1}' x2='{x2:.1}' y2='{y2:.1}' stroke='#1e3a8a'/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = escaped(words);
    let _ = write!(
        svg,
        "<text x='{x:.1}' y='{y:.1}' text-anchor='{anchor}'>{words}</text>"
    );
}

fn shortened(label: &str) -> String {
    match label.char_indices().nth(LABEL) {
        Some((at, _)) => format!("{}…", label.get(..at).unwrap_or_default()),
        None => label.to_owned(),
    }
}

/// Text as XML 1.0 content; the few characters XML has no place for become spaces.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
