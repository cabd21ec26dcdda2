//! Drawing a searched list: mark, label, detail or reason, and what stands at the right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_segmentation::UnicodeSegmentation;

use super::rank::Letters;
use super::{FuzzyList, Item, Line, Mark};
use crate::tui::Theme;
use crate::tui::widgets::text::{Align, grapheme_width, put, width};

/// Cells for the mark and the blank after it.
const MARK: u16 = 2;
const GAP: u16 = 2;

impl FuzzyList {
    /// Draws the list; the selected line is marked more strongly when the list has the focus.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme, focused: bool) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let top = self.first_line(usize::from(area.height));
        let visible: Vec<Line> = self
            .lines
            .iter()
            .skip(top)
            .take(usize::from(area.height))
            .copied()
            .collect();
        let mut painter = Painter {
            list: self,
            theme,
            buf,
            letters: Letters::new(&self.query),
            label_width: self.label_width(&visible, area.width),
        };
        for (i, (y, line)) in (area.y..).zip(visible).enumerate() {
            let row = Rect {
                y,
                height: 1,
                ..area
            };
            match line {
                Line::HeadingOf(index) => {
                    painter.heading(row, self.items.get(index).map_or("", |item| &item.group));
                }
                Line::Impossible => painter.heading(row, "Not available"),
                Line::Item(index) => painter.item(row, index, top + i == self.selected, focused),
            }
        }
    }

    /// Details line up after the longest label in sight, but labels take no more than half of the line for it.
    fn label_width(&self, visible: &[Line], available: u16) -> u16 {
        let labels = visible.iter().filter_map(|line| match line {
            Line::Item(index) => self.items.get(*index).map(|item| width(&item.label)),
            Line::HeadingOf(_) | Line::Impossible => None,
        });
        u16::try_from(labels.max().unwrap_or(0))
            .unwrap_or(u16::MAX)
            .min(available / 2)
    }
}

struct Painter<'a> {
    list: &'a FuzzyList,
    theme: &'a Theme,
    buf: &'a mut Buffer,
    letters: Option<Letters>,
    label_width: u16,
}

impl Painter<'_> {
    fn heading(&mut self, row: Rect, text: &str) {
        put(self.buf, row, text, self.theme.header, Align::Left);
    }

    fn item(&mut self, row: Rect, index: usize, is_selected: bool, focused: bool) {
        let Some(item) = self.list.items.get(index) else {
            return;
        };
        let base = if item.disabled.is_some() {
            self.theme.dim
        } else {
            self.theme.text
        };
        self.mark(row, item);

        let after_mark = shrink(row, MARK);
        let right_width = u16::try_from(width(&item.right))
            .unwrap_or(u16::MAX)
            .min(after_mark.width / 3);
        let words = Rect {
            width: after_mark.width.saturating_sub(if right_width > 0 {
                right_width + GAP
            } else {
                0
            }),
            ..after_mark
        };
        let detail = item.disabled.as_deref().unwrap_or(&item.detail);
        let label_width = if detail.is_empty() {
            words.width
        } else {
            let needed = u16::try_from(width(&item.label)).unwrap_or(u16::MAX);
            self.label_width.max(needed.min(words.width / 2))
        };
        let label_field = Rect {
            width: label_width.min(words.width),
            ..words
        };
        let detail_field = shrink(words, label_width.saturating_add(GAP));
        let right_field = Rect {
            x: row.right() - right_width,
            width: right_width,
            ..row
        };
        put(self.buf, label_field, &item.label, base, Align::Left);
        put(self.buf, detail_field, detail, self.theme.dim, Align::Left);
        put(
            self.buf,
            right_field,
            &item.right,
            self.theme.dim,
            Align::Right,
        );
        self.letters(index, item, label_field, detail_field);

        if is_selected {
            let style = if focused {
                self.theme.selection
            } else {
                Style::new().add_modifier(Modifier::BOLD)
            };
            self.buf.set_style(row, style);
        }
    }

    fn mark(&mut self, row: Rect, item: &Item) {
        let (sign, style) = match self.list.marks.get(&item.key) {
            None => ("", self.theme.text),
            Some(Mark::Include) => ("+", self.theme.good),
            Some(Mark::Exclude) => ("-", self.theme.error),
        };
        put(
            self.buf,
            Rect {
                width: row.width.min(MARK),
                ..row
            },
            sign,
            style,
            Align::Left,
        );
    }

    fn letters(&mut self, index: usize, item: &Item, label: Rect, detail: Rect) {
        let (Some(letters), Some(haystack)) = (&mut self.letters, self.list.haystacks.get(index))
        else {
            return;
        };
        let (in_label, in_detail) = letters.of(haystack);
        highlight(self.buf, label, &item.label, &in_label, self.theme.match_);
        if item.disabled.is_none() {
            highlight(
                self.buf,
                detail,
                &item.detail,
                &in_detail,
                self.theme.match_,
            );
        }
    }
}

/// Styles graphemes of a text that was put, left-aligned, in a field.
fn highlight(buf: &mut Buffer, field: Rect, text: &str, graphemes: &[usize], style: Style) {
    let mut x = usize::from(field.x);
    for (i, grapheme) in text.graphemes(true).enumerate() {
        let next = x + grapheme_width(grapheme);
        if next > usize::from(field.right()) {
            return;
        }
        let cell = u16::try_from(x)
            .ok()
            .and_then(|x| buf.cell_mut((x, field.y)));
        if graphemes.contains(&i)
            && let Some(cell) = cell
        {
            cell.set_style(style);
        }
        x = next;
    }
}

/// A field without its first cells.
fn shrink(field: Rect, cells: u16) -> Rect {
    let cells = cells.min(field.width);
    Rect {
        x: field.x + cells,
        width: field.width - cells,
        ..field
    }
}
