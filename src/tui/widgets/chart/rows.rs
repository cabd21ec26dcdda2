//! Charts of level bars, a line of text for each: bars, stacked bars, histograms.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::{ChartView, Glyphs, Spot, walk};
use crate::session::chart::{Across, ChartKind, Mark, Panel};
use crate::session::plot::{Charset, bar};
use crate::tui::widgets::text::{Align, put, width};

/// Columns that the name of a bar may take.
const NAME: usize = 30;

impl ChartView<'_> {
    /// The bars of a panel, scrolled to the one that is looked at.
    pub(super) fn rows(
        &self,
        (panel, number): (&Panel, usize),
        area: Rect,
        with_numbers: bool,
        buf: &mut Buffer,
        spots: &mut Vec<Spot>,
    ) {
        let Across::Places(places) = &self.chart.across else {
            return;
        };
        let height = usize::from(area.height).max(1);
        let chosen = self
            .selected
            .and_then(|selected| walk::find(self.chart, selected))
            .filter(|found| found.panel == number);
        let first = chosen
            .as_ref()
            .map_or(0, |found| found.mark.at as usize / height * height);
        let shown = || places.iter().enumerate().skip(first).take(height);
        let cells = |columns: usize| u16::try_from(columns).unwrap_or(u16::MAX);
        let names = shown()
            .map(|(_, name)| width(name))
            .max()
            .unwrap_or(0)
            .min(NAME);
        let names = cells(names).min(area.width * 2 / 5);
        let texts: Vec<String> = shown()
            .map(|(at, _)| {
                if with_numbers {
                    self.text_of(panel, at)
                } else {
                    String::new()
                }
            })
            .collect();
        let numbers = cells(texts.iter().map(|text| width(text)).max().unwrap_or(0));
        let field = Rect {
            x: area.x + names + 1,
            width: area.width.saturating_sub(names + numbers + 2),
            height: 1,
            ..area
        };
        for ((y, (at, name)), text) in (area.y..).zip(shown()).zip(texts) {
            let is_chosen = chosen
                .as_ref()
                .is_some_and(|found| found.mark.at as usize == at);
            let style = if is_chosen {
                self.selection()
            } else {
                self.theme.text
            };
            put(
                buf,
                Rect {
                    y,
                    width: names,
                    height: 1,
                    ..area
                },
                name,
                style,
                Align::Left,
            );
            let field = Rect { y, ..field };
            match self.chart.kind {
                ChartKind::Stacked => self.stack(panel, at, field, chosen.as_ref(), buf, spots),
                _ => self.bar(panel, at, field, buf, spots),
            }
            let last = Rect {
                x: area.right().saturating_sub(numbers),
                y,
                width: numbers,
                height: 1,
            };
            let style = if is_chosen {
                self.theme.text.add_modifier(Modifier::BOLD)
            } else {
                self.theme.text
            };
            put(buf, last, &text, style, Align::Right);
        }
    }

    /// The number after a bar: that of its parts together.
    fn text_of(&self, panel: &Panel, at: usize) -> String {
        let marks = panel.series.iter().filter(|series| !series.is_prior);
        let mut values = marks
            .flat_map(|series| mark_at(&series.marks, at))
            .map(|mark| mark.value)
            .peekable();
        if values.peek().is_none() {
            return String::new();
        }
        self.chart.number(values.sum())
    }

    fn bar(&self, panel: &Panel, at: usize, field: Rect, buf: &mut Buffer, spots: &mut Vec<Spot>) {
        let axis = &self.chart.values;
        let charset = match self.glyphs {
            Glyphs::Ascii => Charset::Ascii,
            _ => Charset::Unicode,
        };
        for (index, series) in panel.series.iter().enumerate() {
            let Some(mark) = mark_at(&series.marks, at) else {
                continue;
            };
            let style = self.style(index, series);
            if series.is_prior {
                let column = axis.position(mark.value) * f64::from(field.width.saturating_sub(1));
                let x = field.x + column.round() as u16;
                if let Some(cell) = buf.cell_mut((x, field.y)) {
                    let style = self.theme.text.add_modifier(Modifier::BOLD);
                    cell.set_char(self.glyphs.upright()).set_style(style);
                }
                continue;
            }
            if let Some(row) = mark.row {
                let cell = (row, series.column);
                spots.push(Spot {
                    column: field.x,
                    row: field.y,
                    cell,
                });
            }
            let drawn = bar(
                mark.value,
                (axis.low, axis.high),
                usize::from(field.width),
                charset,
            );
            put(buf, field, &drawn, style, Align::Left);
        }
    }

    fn stack(
        &self,
        panel: &Panel,
        at: usize,
        field: Rect,
        chosen: Option<&walk::Found<'_>>,
        buf: &mut Buffer,
        spots: &mut Vec<Spot>,
    ) {
        let column = |value: f64| {
            let columns = self.chart.values.position(value) * f64::from(field.width);
            field.x + columns.round() as u16
        };
        let mut end = 0.0;
        for (index, series) in panel.series.iter().enumerate() {
            let Some(mark) = mark_at(&series.marks, at) else {
                continue;
            };
            let from = column(end);
            end += mark.value;
            let is_chosen =
                chosen.is_some_and(|found| found.series == index && found.mark.at == mark.at);
            let style = if is_chosen {
                self.style(index, series).patch(self.selection())
            } else {
                self.style(index, series)
            };
            if let Some(row) = mark.row {
                let (column, cell) = (from.midpoint(column(end)), (row, series.column));
                spots.push(Spot {
                    column,
                    row: field.y,
                    cell,
                });
            }
            for x in from..column(end) {
                if let Some(cell) = buf.cell_mut((x, field.y)) {
                    cell.set_char(self.glyphs.fill(index)).set_style(style);
                }
            }
        }
    }
}

/// The mark of a place; marks are in the order of their places.
fn mark_at(marks: &[Mark], at: usize) -> Option<&Mark> {
    let at = at as f64;
    let found = marks.binary_search_by(|mark| mark.at.total_cmp(&at)).ok()?;
    marks.get(found)
}
