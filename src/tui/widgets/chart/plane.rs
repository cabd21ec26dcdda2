//! Charts between two axes: lines and scatter plots; and small multiples of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::canvas::Canvas;
use super::{ChartView, Spot, letter, take_line, walk};
use crate::session::chart::{Across, Axis, ChartKind, Panel};
use crate::tui::widgets::text::{Align, put, width};

/// Smallest of the small multiples, with its title.
const SMALL: (u16, u16) = (22, 5);

impl ChartView<'_> {
    /// Lines or points with both axes.
    pub(super) fn plane(&self, area: Rect, buf: &mut Buffer, spots: &mut Vec<Spot>) {
        let Some(panel) = self.chart.panels.first() else {
            return;
        };
        let bottom = if matches!(self.chart.across, Across::Numbers(_)) {
            3
        } else {
            2
        };
        let height = area.height.saturating_sub(bottom);
        let ticks = self.chart.values.ticks(usize::from(height / 3).clamp(2, 8));
        let labels = ticks.iter().map(|(_, text)| width(text)).max().unwrap_or(0);
        let labels = u16::try_from(labels).unwrap_or(0).min(area.width / 3);
        let field = Rect {
            x: area.x + labels + 2,
            width: area.width.saturating_sub(labels + 2),
            height,
            ..area
        };
        if field.width < 4 || field.height < 2 {
            put(
                buf,
                area,
                "too little room for a chart",
                self.theme.dim,
                Align::Left,
            );
            return;
        }
        let mut canvas = Canvas::new(field, self.glyphs);
        self.axes(&ticks, field, &canvas, area, buf);
        self.marks((panel, 0), &mut canvas, buf, spots);
    }

    /// The axis at the left with its numbers, and the one below with its texts.
    fn axes(
        &self,
        ticks: &[(f64, String)],
        field: Rect,
        canvas: &Canvas,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let [upright, tick, corner, level, mark] = self.glyphs.axes();
        let style = self.theme.border;
        let mut set = |x: u16, y: u16, c: char| {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.set_char(c).set_style(style);
            }
        };
        let (axis, below) = (field.x - 1, field.bottom());
        for y in field.y..below {
            set(axis, y, upright);
        }
        for x in field.x..field.right() {
            set(x, below, level);
        }
        set(axis, below, corner);
        let heights: Vec<(u16, &str)> = ticks
            .iter()
            .map(|(value, text)| {
                let dot = canvas.dot_at(0.0, self.chart.values.position(*value));
                (canvas.cell_of(dot).1, text.as_str())
            })
            .collect();
        for (y, _) in &heights {
            set(axis, *y, tick);
        }
        let most = usize::from(field.width) / (self.widest_text() + 2);
        let places: Vec<(u16, String)> = self
            .chart
            .across
            .ticks(most.max(2))
            .into_iter()
            .map(|(at, text)| (canvas.cell_of(canvas.dot_at(at, 0.0)).0, text))
            .collect();
        for (x, _) in &places {
            set(*x, below, mark);
        }
        for (y, text) in heights {
            let label = Rect {
                x: area.x,
                y,
                width: axis.saturating_sub(area.x),
                height: 1,
            };
            put(
                buf,
                label,
                &format!("{text} "),
                self.theme.dim,
                Align::Right,
            );
        }
        let mut free = area.x;
        for (x, text) in places {
            let columns = u16::try_from(width(&text)).unwrap_or(u16::MAX);
            let last = area.right().saturating_sub(columns);
            let start = x.saturating_sub(columns / 2).min(last);
            if start < free || columns > area.width {
                continue;
            }
            let label = Rect {
                x: start,
                y: below + 1,
                width: columns,
                height: 1,
            };
            put(buf, label, &text, self.theme.dim, Align::Left);
            free = start + columns + 1;
        }
        if let Across::Numbers(Axis { title, .. }) = &self.chart.across {
            let label = Rect {
                y: below + 2,
                height: 1,
                ..area
            };
            put(buf, label, title, self.theme.header, Align::Right);
        }
    }

    fn widest_text(&self) -> usize {
        match &self.chart.across {
            Across::Times(times) => times.iter().map(|(text, _)| width(text)).max().unwrap_or(1),
            _ => 8,
        }
    }

    /// What is drawn of a panel, the largest series last, so that it lies on top; the one that is looked at lies above all.
    fn marks(
        &self,
        (panel, number): (&Panel, usize),
        canvas: &mut Canvas,
        buf: &mut Buffer,
        spots: &mut Vec<Spot>,
    ) {
        let chosen = self
            .selected
            .and_then(|selected| walk::find(self.chart, selected))
            .filter(|found| found.panel == number);
        let several = panel
            .series
            .iter()
            .filter(|series| !series.is_prior)
            .count()
            > 1;
        let mut order: Vec<usize> = (0..panel.series.len()).rev().collect();
        order.sort_by_key(|index| {
            chosen
                .as_ref()
                .is_some_and(|chosen| chosen.series == *index)
        });
        let mut ends = Vec::new();
        for index in order {
            let Some(series) = panel.series.get(index) else {
                continue;
            };
            let style = self.style(index, series);
            let sign = match (series.is_prior, several) {
                (true, _) => '.',
                (false, true) => letter(index),
                (false, false) => '*',
            };
            let mut last = None;
            for mark in &series.marks {
                let (x, y) = (
                    self.chart.across.position(mark.at),
                    self.chart.values.position(mark.value),
                );
                let dot = canvas.dot_at(x, y);
                match last.filter(|_| !mark.after_gap && self.chart.kind != ChartKind::Scatter) {
                    Some(from) => canvas.line(from, dot, style, sign, series.is_prior),
                    None => canvas.dot(dot, style, sign),
                }
                if let Some(at) = mark.row {
                    let (column, row) = canvas.cell_of(dot);
                    spots.push(Spot {
                        column,
                        row,
                        cell: (at, series.column),
                    });
                }
                last = Some(dot);
            }
            if let Some(dot) = last.filter(|_| several && !series.is_prior) {
                ends.push((canvas.cell_of(dot), letter(index), style));
            }
        }
        if let Some(found) = &chosen {
            self.stem(found, canvas, buf);
        }
        canvas.draw(buf);
        // Without colours the letter at its end names a line.
        for (place, sign, style) in ends {
            if let Some(cell) = buf.cell_mut(place) {
                cell.set_char(sign)
                    .set_style(style.add_modifier(Modifier::BOLD));
            }
        }
        if let Some(found) = &chosen {
            let dot = canvas.dot_at(
                self.chart.across.position(found.mark.at),
                self.chart.values.position(found.mark.value),
            );
            if let Some(cell) = buf.cell_mut(canvas.cell_of(dot)) {
                cell.set_char(self.glyphs.cursor())
                    .set_style(self.selection());
            }
        }
    }

    /// A line down from the mark that is looked at to the axis below.
    fn stem(&self, found: &walk::Found<'_>, canvas: &Canvas, buf: &mut Buffer) {
        let at = self.chart.across.position(found.mark.at);
        let (x, top) =
            canvas.cell_of(canvas.dot_at(at, self.chart.values.position(found.mark.value)));
        let (_, bottom) = canvas.cell_of(canvas.dot_at(at, 0.0));
        for y in top..=bottom {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.set_char(self.glyphs.upright())
                    .set_style(self.theme.dim);
            }
        }
    }

    /// Small charts side by side, all with the same axes; returns which of them are shown, where not all are.
    pub(super) fn multiples(&self, area: Rect, buf: &mut Buffer, spots: &mut Vec<Spot>) -> String {
        let mut area = area;
        let (low, high) = (
            self.chart.values.number(self.chart.values.low),
            self.chart.values.number(self.chart.values.high),
        );
        let mut range = format!("each from {low} to {high}");
        if let Across::Times(times) = &self.chart.across
            && let (Some((first, _)), Some((last, _))) = (times.first(), times.last())
        {
            range = format!("{range}, {first} to {last}");
        }
        put(
            buf,
            take_line(&mut area),
            &range,
            self.theme.dim,
            Align::Left,
        );
        let count = u16::try_from(self.chart.panels.len())
            .unwrap_or(u16::MAX)
            .max(1);
        let columns = (area.width / SMALL.0).clamp(1, count.min(6));
        let rows = (area.height / SMALL.1).clamp(1, count.div_ceil(columns));
        let (width, height) = (area.width / columns, area.height / rows);
        let shown = usize::from(columns * rows);
        let chosen = self
            .selected
            .and_then(|selected| walk::find(self.chart, selected))
            .map_or(0, |found| found.panel);
        let first = chosen / shown * shown;
        let panels = self.chart.panels.iter().enumerate().skip(first).take(shown);
        for (place, (number, panel)) in (0_u16..).zip(panels) {
            let mut field = Rect {
                x: area.x + place % columns * width,
                y: area.y + place / columns * height,
                width: width.saturating_sub(1),
                height,
            };
            let style = if number == chosen && self.selected.is_some() {
                self.selection()
            } else {
                self.theme.accent
            };
            let title = take_line(&mut field);
            let columns = u16::try_from(super::width(&panel.name)).unwrap_or(u16::MAX);
            put(
                buf,
                Rect {
                    width: title.width.min(columns),
                    ..title
                },
                &panel.name,
                style,
                Align::Left,
            );
            match self.chart.across {
                Across::Places(_) => self.rows((panel, number), field, false, buf, spots),
                _ => {
                    let mut canvas = Canvas::new(field, self.glyphs);
                    self.marks((panel, number), &mut canvas, buf, spots);
                }
            }
        }
        if shown >= self.chart.panels.len() {
            return String::new();
        }
        let last = (first + shown).min(self.chart.panels.len());
        format!("{}–{last} of {}", first + 1, self.chart.panels.len())
    }
}
