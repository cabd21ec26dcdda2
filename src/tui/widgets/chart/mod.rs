//! A chart drawn in the cells of the terminal: with dots, with blocks, or with plain ASCII; colours are never the only sign.

mod canvas;
mod glyphs;
mod plane;
mod rows;
mod walk;

pub use glyphs::Glyphs;
pub use walk::{Step, mark_text, step};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::text::{Align, put, width};
use crate::session::chart::{Chart, ChartKind, Series};
use crate::tui::Theme;

/// A chart with what is needed to draw it.
pub struct ChartView<'a> {
    /// The chart.
    pub chart: &'a Chart,
    /// Row and column of the result that the reader looks at.
    pub selected: Option<(usize, usize)>,
    /// What it is drawn with.
    pub glyphs: Glyphs,
    /// Styles.
    pub theme: &'a Theme,
    /// Whether the keys move in it.
    pub focused: bool,
}

impl ChartView<'_> {
    /// Draws it: what is measured, the names of the colours, the marks, and what a reader must know. Returns where the marks are.
    pub fn draw(&self, area: Rect, buf: &mut Buffer) -> Vec<Spot> {
        let mut spots = Vec::new();
        let area = area.intersection(buf.area);
        if area.width < 12 || area.height < 4 {
            let words = "too little room for a chart";
            put(buf, area, words, self.theme.dim, Align::Left);
            return spots;
        }
        let mut rest = area;
        let title = format!("{} · {}", self.chart.values.title, self.chart.kind);
        put(
            buf,
            take_line(&mut rest),
            &title,
            self.theme.header,
            Align::Left,
        );
        if let [panel] = self.chart.panels.as_slice()
            && panel.series.len() > 1
        {
            self.legend(&panel.series, &mut rest, buf);
        }
        let mut notes = self.chart.notes.join(" · ");
        match self.chart.kind {
            ChartKind::Line | ChartKind::Scatter => {
                let body = without_last(rest, !notes.is_empty());
                self.plane(body, buf, &mut spots);
            }
            ChartKind::Multiples => {
                // Which of the panels are shown has to be said too.
                let said = self.multiples(without_last(rest, true), buf, &mut spots);
                if !said.is_empty() {
                    notes = [said, notes]
                        .into_iter()
                        .filter(|note| !note.is_empty())
                        .collect::<Vec<_>>()
                        .join(" · ");
                }
            }
            ChartKind::Bars | ChartKind::Stacked | ChartKind::Histogram => {
                let body = without_last(rest, !notes.is_empty());
                if let Some(panel) = self.chart.panels.first() {
                    self.rows((panel, 0), body, true, buf, &mut spots);
                }
            }
        }
        if !notes.is_empty() {
            let last = Rect {
                y: rest.bottom().saturating_sub(1),
                height: 1,
                ..rest
            };
            put(buf, last, &notes, self.theme.warning, Align::Left);
        }
        spots
    }

    /// The cell of the result whose mark is nearest to a place, for a chart drawn in an area.
    pub fn cell_at(&self, column: u16, row: u16, area: Rect) -> Option<(usize, usize)> {
        let spots = self.draw(area, &mut Buffer::empty(area));
        // Whoever clicks on a label means what stands above or beside it.
        let (across, down) = match self.chart.kind {
            ChartKind::Line => (8, 1),
            ChartKind::Scatter | ChartKind::Multiples => (1, 2),
            ChartKind::Bars | ChartKind::Stacked | ChartKind::Histogram => (1, 500),
        };
        let far = |spot: &&Spot| {
            across * u32::from(spot.column.abs_diff(column))
                + down * u32::from(spot.row.abs_diff(row))
        };
        spots.iter().min_by_key(far).map(|spot| spot.cell)
    }

    /// `a BR  b ID  c TH`: the sign and the colour of each series.
    fn legend(&self, series: &[Series], rest: &mut Rect, buf: &mut Buffer) {
        let mut line = take_line(rest);
        for (index, its) in series.iter().enumerate() {
            let sign = self.sign(index, its);
            let columns = u16::try_from(width(&its.name) + 4).unwrap_or(u16::MAX);
            if columns > line.width && line.width < rest.width {
                if rest.height < 6 {
                    return;
                }
                line = take_line(rest);
            }
            put(
                buf,
                Rect {
                    width: 1.min(line.width),
                    ..line
                },
                &sign.to_string(),
                self.style(index, its),
                Align::Left,
            );
            let name = Rect {
                x: line.x + 2,
                width: line.width.saturating_sub(2).min(columns - 2),
                ..line
            };
            put(buf, name, &its.name, self.theme.text, Align::Left);
            line.x = line.x.saturating_add(columns);
            line.width = line.width.saturating_sub(columns);
        }
    }

    /// The sign that tells a series from the others without its colour.
    fn sign(&self, index: usize, series: &Series) -> char {
        match (self.chart.kind, series.is_prior) {
            (ChartKind::Stacked, _) => self.glyphs.fill(index),
            (ChartKind::Bars, true) => self.glyphs.upright(),
            (ChartKind::Bars, false) => self.glyphs.fill(0),
            (_, true) => self.glyphs.dots(),
            (_, false) => letter(index),
        }
    }

    fn style(&self, index: usize, series: &Series) -> Style {
        if series.is_prior {
            self.theme.dim
        } else {
            self.theme.series(index)
        }
    }

    fn selection(&self) -> Style {
        if self.focused {
            self.theme.selection
        } else {
            self.theme.text.add_modifier(Modifier::BOLD)
        }
    }
}

/// Where a mark was drawn.
pub struct Spot {
    column: u16,
    row: u16,
    cell: (usize, usize),
}

/// `a` for the first series.
fn letter(index: usize) -> char {
    u8::try_from(index % 26).map_or('?', |index| char::from(b'a' + index))
}

/// The first line of an area, which is taken from it.
fn take_line(rest: &mut Rect) -> Rect {
    let line = Rect {
        height: rest.height.min(1),
        ..*rest
    };
    rest.y += line.height;
    rest.height -= line.height;
    line
}

fn without_last(area: Rect, cut: bool) -> Rect {
    Rect {
        height: area.height.saturating_sub(u16::from(cut)),
        ..area
    }
}
