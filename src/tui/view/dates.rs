//! The calendar: a month, with the days of the range in it.

use jiff::ToSpan as _;
use jiff::civil::Date;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::input::draw_input;
use super::pane;
use crate::model::Weekday;
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::{self, inside};
use crate::tui::popup::DatePicker;
use crate::tui::state::State;
use crate::tui::widgets::text::{Align, put};

/// Columns of a day with the blank before it.
const DAY: u16 = 4;

/// Draws the calendar.
pub fn draw(state: &State, picker: &DatePicker, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let area = layout::centred(state.size, 7 * DAY + 12, 13);
    hits.add(area, Target::Popup);
    let what = match picker.from {
        None => "First day",
        Some(_) => "Last day",
    };
    let today = state.setting.today;
    let remark = Line::styled(format!("today {today}"), theme.dim);
    pane::window(frame, area, what, remark, theme);
    let inner = inside(area);
    let line = |row: u16| Rect {
        y: inner.y + row,
        height: u16::from(row < inner.height),
        ..inner
    };
    Span::styled("/ ", theme.accent).render(line(0), frame.buffer_mut());
    let text = Rect {
        x: inner.x + 2,
        width: inner.width.saturating_sub(2),
        ..line(0)
    };
    draw_input(frame, text, &picker.input, theme, true);
    if picker.input.is_empty() {
        let hint = "2026-03-31, 2026-03, 2026Q1";
        put(frame.buffer_mut(), text, hint, theme.dim, Align::Left);
    }
    let month = picker.cursor.strftime("%B %Y").to_string();
    put(
        frame.buffer_mut(),
        line(1),
        &month,
        theme.header,
        Align::Left,
    );
    let week_start = state.catalog.registry.calendar.week_start;
    for (column, (day, y)) in month_cells(picker.cursor, week_start) {
        let place = Rect {
            x: inner.x + column * DAY,
            width: DAY.min(inner.width.saturating_sub(column * DAY)),
            ..line(y + 3)
        };
        if y == 0 || day.day() <= 7 {
            let name = day.strftime("%a").to_string();
            let head = Rect {
                y: inner.y + 2,
                ..place
            };
            put(frame.buffer_mut(), head, &name, theme.dim, Align::Right);
        }
        let is_inside = picker
            .from
            .is_some_and(|from| (from.min(picker.cursor)..=from.max(picker.cursor)).contains(&day));
        let style = if is_inside {
            theme.match_
        } else if day == today {
            theme.accent
        } else {
            theme.text
        };
        let text = day.day().to_string();
        put(frame.buffer_mut(), place, &text, style, Align::Right);
        if day == picker.cursor {
            let cell = Rect {
                x: place.x + 1,
                width: place.width.saturating_sub(1),
                ..place
            };
            frame.buffer_mut().set_style(cell, theme.selection);
        }
        hits.add(place, Target::Day(day));
    }
    let range = match picker.from {
        None => format!("{} to …", picker.cursor),
        Some(from) => {
            let (first, last) = (from.min(picker.cursor), from.max(picker.cursor));
            let days = first.until(last).map_or(0, |span| span.get_days()) + 1;
            let word = if days == 1 { "day" } else { "days" };
            format!("{first} to {last} · {days} {word}")
        }
    };
    put(
        frame.buffer_mut(),
        line(10),
        &range,
        theme.text,
        Align::Left,
    );
}

/// The days of a month with their column and row.
fn month_cells(day: Date, week_start: Weekday) -> impl Iterator<Item = (u16, (Date, u16))> {
    let first = day.first_of_month();
    let count = u16::try_from(day.days_in_month()).unwrap_or(0);
    let offset = match week_start {
        Weekday::Monday => first.weekday().to_monday_zero_offset(),
        Weekday::Sunday => first.weekday().to_sunday_zero_offset(),
    };
    let offset = u16::try_from(offset).unwrap_or(0);
    (0..count).map(move |nth| {
        let cell = nth + offset;
        let day = first.saturating_add(i64::from(nth).days());
        (cell % 7, (day, cell / 7))
    })
}
