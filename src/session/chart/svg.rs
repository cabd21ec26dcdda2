//! A chart as SVG: no scripts, no links, no fonts from elsewhere; every text is escaped.

use std::fmt::Write as _;

use super::{Across, Axis, Chart, ChartKind, Panel, Series};
use crate::session::plot::escaped;

/// Colours that stay apart for the colour-blind too, and from white.
const COLORS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

/// The colour of what a line is compared with.
const PRIOR: &str = "#9aa3ad";

const WIDTH: f64 = 760.0;
const ROW: f64 = 22.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;

/// Bars that have room; what is left out is said.
const MOST_BARS: usize = 100;

/// Columns of small multiples.
const COLUMNS: usize = 3;

/// Letters of a label that have room, beside bars and at an axis.
const LABEL: usize = 26;

/// A place to draw in.
#[derive(Clone, Copy)]
struct Field {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Chart {
    /// The chart as an SVG document.
    pub fn svg(&self) -> String {
        let mut page = Page { svg: String::new() };
        let mut y = 24.0;
        page.text(12.0, y, "start", 14, &self.title);
        y += 10.0;
        y = page.legend(self, y);
        y = match self.kind {
            ChartKind::Line | ChartKind::Scatter => page.plane(self, y),
            ChartKind::Multiples => page.multiples(self, y),
            ChartKind::Bars | ChartKind::Stacked | ChartKind::Histogram => page.bars(self, y),
        };
        for note in &self.notes {
            y += 16.0;
            page.text(12.0, y, "start", 11, note);
        }
        let height = y + 14.0;
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}' \
             font-family='sans-serif' font-size='12' role='img'><title>{}</title>\
             <rect width='100%' height='100%' fill='#fff'/>{}</svg>\n",
            escaped(&self.title),
            page.svg
        )
    }
}

/// The colour of a series.
fn color(index: usize, series: &Series) -> &'static str {
    if series.is_prior {
        return PRIOR;
    }
    COLORS.get(index % COLORS.len()).copied().unwrap_or(PRIOR)
}

struct Page {
    svg: String,
}

impl Page {
    /// Names of the colours, where there are several; returns where it ends.
    fn legend(&mut self, chart: &Chart, top: f64) -> f64 {
        let series = match chart.panels.as_slice() {
            [panel] if panel.series.len() > 1 => panel.series.as_slice(),
            _ => return top,
        };
        let (mut x, mut y) = (12.0, top + 14.0);
        for (index, series) in series.iter().enumerate() {
            let name = shortened(&series.name);
            let width = 24.0 + 7.5 * name.chars().count() as f64;
            if x + width > WIDTH - RIGHT && x > 12.0 {
                (x, y) = (12.0, y + 16.0);
            }
            self.rect(
                Field {
                    left: x,
                    top: y - 9.0,
                    width: 10.0,
                    height: 10.0,
                },
                color(index, series),
            );
            self.text(x + 14.0, y, "start", 12, &name);
            x += width;
        }
        y + 4.0
    }

    /// A chart with two axes.
    fn plane(&mut self, chart: &Chart, top: f64) -> f64 {
        let field = Field {
            left: LEFT,
            top: top + 26.0,
            width: WIDTH - LEFT - RIGHT,
            height: 300.0,
        };
        self.text(12.0, top + 16.0, "start", 11, &chart.values.title);
        self.levels(&chart.values, field, 6);
        let bottom = field.top + field.height;
        for (at, text) in chart.across.ticks(8) {
            let x = field.left + at * field.width;
            self.line((x, bottom), (x, bottom + 4.0), "#555", "");
            self.text(x, bottom + 18.0, "middle", 11, &text);
        }
        for panel in &chart.panels {
            self.marks(chart, panel, field);
        }
        let mut end = bottom + 22.0;
        if let Across::Numbers(axis) = &chart.across {
            end += 16.0;
            self.text(field.left + field.width, end, "end", 11, &axis.title);
        }
        end
    }

    /// Lines at round numbers.
    fn levels(&mut self, axis: &Axis, field: Field, most: usize) {
        for (value, text) in axis.ticks(most) {
            let y = field.top + (1.0 - axis.position(value)) * field.height;
            let color = if value == 0.0 { "#555" } else { "#ddd" };
            self.line((field.left, y), (field.left + field.width, y), color, "");
            self.text(field.left - 6.0, y + 4.0, "end", 11, &text);
        }
    }

    fn marks(&mut self, chart: &Chart, panel: &Panel, field: Field) {
        for (index, series) in panel.series.iter().enumerate().rev() {
            let color = color(index, series);
            let places = series.marks.iter().map(|mark| {
                let x = field.left + chart.across.position(mark.at) * field.width;
                let y = field.top + (1.0 - chart.values.position(mark.value)) * field.height;
                (x, y, mark.after_gap)
            });
            if chart.kind == ChartKind::Scatter {
                for (x, y, _) in places {
                    push(
                        &mut self.svg,
                        format_args!(
                            "<circle cx='{x:.1}' cy='{y:.1}' r='3' fill='{color}' fill-opacity='0.6'/>"
                        ),
                    );
                }
                continue;
            }
            let mut path = String::new();
            let mut lonely = Vec::new();
            let places: Vec<_> = places.collect();
            for (at, (x, y, after_gap)) in places.iter().enumerate() {
                let starts = at == 0 || *after_gap;
                let ends = places
                    .get(at + 1)
                    .is_none_or(|(_, _, after_gap)| *after_gap);
                push(
                    &mut path,
                    format_args!("{}{x:.1} {y:.1}", if starts { 'M' } else { 'L' }),
                );
                if starts && ends {
                    lonely.push((*x, *y));
                }
            }
            let dashes = if series.is_prior {
                " stroke-dasharray='5 4'"
            } else {
                ""
            };
            push(
                &mut self.svg,
                format_args!(
                    "<path d='{path}' fill='none' stroke='{color}' stroke-width='2'{dashes}/>"
                ),
            );
            // A line of one point would not be seen.
            for (x, y) in lonely {
                push(
                    &mut self.svg,
                    format_args!("<circle cx='{x:.1}' cy='{y:.1}' r='3' fill='{color}'/>"),
                );
            }
        }
    }

    fn multiples(&mut self, chart: &Chart, top: f64) -> f64 {
        let width = (WIDTH - 12.0) / COLUMNS as f64;
        let height = match &chart.across {
            Across::Places(places) => 30.0 + ROW * places.len().min(MOST_BARS) as f64,
            _ => 150.0,
        };
        for (index, panel) in chart.panels.iter().enumerate() {
            let (column, row) = (index % COLUMNS, index / COLUMNS);
            let (left, top) = (12.0 + width * column as f64, top + height * row as f64);
            self.text(
                left + 44.0,
                top + 14.0,
                "start",
                12,
                &shortened(&panel.name),
            );
            let field = Field {
                left: left + 44.0,
                top: top + 22.0,
                width: width - 60.0,
                height: height - 52.0,
            };
            match &chart.across {
                Across::Places(places) => {
                    let field = Field {
                        left: left + 80.0,
                        width: width - 100.0,
                        ..field
                    };
                    self.rows(chart, panel, places, field);
                }
                _ => {
                    self.levels(&chart.values, field, 4);
                    let bottom = field.top + field.height + 14.0;
                    for (at, text) in chart.across.ticks(2) {
                        let anchor = if at < 0.5 { "start" } else { "end" };
                        self.text(field.left + at * field.width, bottom, anchor, 10, &text);
                    }
                    self.marks(chart, panel, field);
                }
            }
        }
        top + height * chart.panels.len().div_ceil(COLUMNS) as f64
    }

    fn bars(&mut self, chart: &Chart, top: f64) -> f64 {
        let Across::Places(places) = &chart.across else {
            return top;
        };
        let field = Field {
            left: 200.0,
            top: top + 8.0,
            width: WIDTH - 200.0 - 110.0,
            height: 0.0,
        };
        for panel in &chart.panels {
            self.rows(chart, panel, places, field);
        }
        let drawn = places.len().min(MOST_BARS);
        let mut end = field.top + ROW * drawn as f64;
        if drawn < places.len() {
            end += 16.0;
            let said = format!("the first {drawn} of {} bars are drawn", places.len());
            self.text(12.0, end, "start", 11, &said);
        }
        end
    }

    /// A bar for each place, with its name before and its number after.
    fn rows(&mut self, chart: &Chart, panel: &Panel, places: &[String], field: Field) {
        let x = |value: f64| field.left + chart.values.position(value) * field.width;
        let zero = x(0.0);
        let mut ends = vec![0.0; places.len()];
        for (index, series) in panel.series.iter().enumerate() {
            for mark in &series.marks {
                let at = mark.at as usize;
                let (true, Some(end)) = (at < MOST_BARS, ends.get_mut(at)) else {
                    continue;
                };
                let top = field.top + ROW * mark.at + 3.0;
                if series.is_prior {
                    let x = x(mark.value);
                    self.line(
                        (x, top - 2.0),
                        (x, top + ROW - 4.0),
                        "#111",
                        " stroke-width='2'",
                    );
                    continue;
                }
                let from = if chart.kind == ChartKind::Stacked {
                    x(*end)
                } else {
                    zero
                };
                *end += mark.value;
                let to = if chart.kind == ChartKind::Stacked {
                    x(*end)
                } else {
                    x(mark.value)
                };
                let bar = Field {
                    left: from.min(to),
                    top,
                    width: (to - from).abs(),
                    height: ROW - 6.0,
                };
                self.rect(bar, color(index, series));
            }
        }
        for (at, (place, value)) in places.iter().zip(ends).enumerate().take(MOST_BARS) {
            let y = field.top + ROW * at as f64 + 15.0;
            let is_drawn = panel
                .series
                .iter()
                .any(|series| series.marks.iter().any(|mark| mark.at as usize == at));
            self.text(field.left - 6.0, y, "end", 11, &shortened(place));
            if is_drawn && chart.kind != ChartKind::Multiples {
                self.text(
                    field.left + field.width + 6.0,
                    y,
                    "start",
                    11,
                    &chart.number(value),
                );
            }
        }
    }

    fn rect(
        &mut self,
        Field {
            left,
            top,
            width,
            height,
        }: Field,
        color: &str,
    ) {
        push(
            &mut self.svg,
            format_args!(
                "<rect x='{left:.1}' y='{top:.1}' width='{width:.1}' height='{height:.1}' fill='{color}'/>"
            ),
        );
    }

    fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), color: &str, more: &str) {
        push(
            &mut self.svg,
            format_args!(
                "<line x1='{x1:.1}' y1='{y1:.1}' x2='{x2:.1}' y2='{y2:.1}' stroke='{color}'{more}/>"
            ),
        );
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, size: u8, words: &str) {
        let words = escaped(words);
        push(
            &mut self.svg,
            format_args!(
                "<text x='{x:.1}' y='{y:.1}' text-anchor='{anchor}' font-size='{size}'>{words}</text>"
            ),
        );
    }
}

fn shortened(label: &str) -> String {
    match label.char_indices().nth(LABEL) {
        Some((at, _)) => format!("{}…", label.get(..at).unwrap_or_default()),
        None => label.to_owned(),
    }
}

/// Writing to a `String` cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
