//! The rows of the last run, and how it went.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::input::draw_input;
use super::{chart, pane, tabs};
use crate::session::cell::thousands;
use crate::tui::action::Action;
use crate::tui::hit::{HitMap, Target};
use crate::tui::input::LineInput;
use crate::tui::layout::{Layout, grid_area, inside};
use crate::tui::message::Slot;
use crate::tui::question::time_words;
use crate::tui::state::{Focus, Phase, State};
use crate::tui::widgets::grid::{Kept, RowFilter};
use crate::tui::widgets::text::{Align, put, sanitize, width, wrap};

/// Columns below which a title and a long remark do not fit beside each other.
const NARROW: u16 = 60;

/// Cells that a filter being typed has at least.
const TYPED: u16 = 24;

/// Draws the result.
pub fn draw(state: &State, frame: &mut Frame<'_>, layout: &Layout, hits: &mut HitMap) {
    let Some(area) = layout.result else { return };
    let theme = &state.theme;
    let focused = state.focus == Focus::Result && !state.is_aside();
    pane::frame(
        frame,
        area,
        &tabs::result_title(state, usize::from(area.width)),
        remark(state, area.width),
        theme,
        focused,
    );
    let inner = inside(area);
    if inner.height < 2 {
        return;
    }
    let body = grid_area(inner);
    let line = Rect {
        y: body.bottom(),
        height: 1,
        ..inner
    };
    match (&state.result.phase, &state.result.grid) {
        (Phase::Idle, _) => {
            let hint = if state.query.is_empty() {
                "choose a metric in the catalog".to_owned()
            } else {
                format!("{} runs the query", state.key(Action::Run))
            };
            Span::styled(hint, theme.dim).render(body, frame.buffer_mut());
            return;
        }
        (Phase::Failed(error), grid)
            if grid.as_ref().is_none_or(|grid| grid.table().rows() == 0) =>
        {
            let columns = usize::from(inner.width);
            let mut lines: Vec<Line<'_>> = wrap(&error.message, columns)
                .into_iter()
                .map(|line| Line::styled(line, theme.error))
                .collect();
            lines.extend(
                error
                    .hint()
                    .map(|hint| wrap(hint, columns))
                    .unwrap_or_default()
                    .into_iter()
                    .map(Line::from),
            );
            for (line, y) in lines.into_iter().zip(inner.y..inner.bottom()) {
                line.render(
                    Rect {
                        y,
                        height: 1,
                        ..inner
                    },
                    frame.buffer_mut(),
                );
            }
            return;
        }
        (_, Some(grid)) => {
            let (rows, drawn) = state.result.chart.split(body);
            if let Some(rows) = rows {
                hits.add(rows, Target::Grid(0, 0));
                grid.draw(rows, frame.buffer_mut(), theme, focused);
            }
            if let Some(area) = drawn {
                chart::draw(state, grid, frame, area, hits);
            }
        }
        (_, None) => {
            Span::styled("asking the warehouse…", theme.dim).render(body, frame.buffer_mut())
        }
    }
    if state.result.finding {
        draw_box(state, frame, line, "/", &state.result.find);
    } else if state.result.filtering {
        let said = filter_words(state);
        let cells = u16::try_from(width(&said)).unwrap_or(0);
        let cells = cells.min(line.width.saturating_sub(TYPED));
        let (left, right) = (line.width - cells, line.right() - cells);
        let text = Rect {
            width: left,
            ..line
        };
        draw_box(state, frame, text, "&", &state.result.filter);
        let said_at = Rect {
            x: right,
            width: cells,
            ..line
        };
        Span::styled(said, theme.dim).render(said_at, frame.buffer_mut());
    } else if let Some(grid) = &state.result.grid {
        if let Some(text) = chart::position(state, grid) {
            put(frame.buffer_mut(), line, &text, theme.text, Align::Left);
            return;
        }
        let size = state.result.chart.split(body).0.unwrap_or(body).as_size();
        let mut spans = vec![Span::styled(grid.position(size), theme.dim)];
        if let Phase::Failed(error) = &state.result.phase {
            spans.push(Span::styled(
                format!(" · incomplete: {}", error.message),
                theme.error,
            ));
        } else if let Some(reason) = no_total(state) {
            spans.push(Span::styled(format!(" · no total: {reason}"), theme.dim));
        }
        if let Some((rows, columns)) = grid.marked().map(|block| block.size()) {
            let words = format!(" · marked {} × {columns}, y copies", thousands(rows));
            spans.push(Span::styled(words, theme.accent));
        }
        // The header has the short name.
        if let Some(column) = grid.selected_column() {
            let label = sanitize(&column.label);
            spans.push(Span::styled(format!(" · {label}"), theme.dim));
        }
        if grid.has_partial() {
            spans.push(Span::styled(" · ◔ not a whole period", theme.warning));
        }
        Line::from(spans).render(line, frame.buffer_mut());
    }
}

/// A text that is typed in the last line, behind its key.
fn draw_box(state: &State, frame: &mut Frame<'_>, line: Rect, key: &str, input: &LineInput) {
    let theme = &state.theme;
    Span::styled(format!("{key} "), theme.accent).render(line, frame.buffer_mut());
    let text = Rect {
        x: line.x + 2,
        width: line.width.saturating_sub(2),
        ..line
    };
    draw_input(frame, text, input, theme, state.popups.is_empty());
}

/// How many rows a filter keeps, and how it is understood.
fn filter_words(state: &State) -> String {
    let Some(grid) = &state.result.grid else {
        return String::new();
    };
    let text = state.result.filter.text();
    if text.is_empty() {
        return "text, pattern, or gmv > 1K and market = BR".to_owned();
    }
    let said = RowFilter::read(text, grid.table().columns()).said();
    if state.waits_for(Slot::Filter) {
        return format!("{said} · looking…");
    }
    let kept = grid.table().kept().map_or(0, Kept::len);
    let all = grid.table().arrived();
    format!("{said} · {} of {} rows", thousands(kept), thousands(all))
}

/// Why there is no total row, where one is asked for.
fn no_total(state: &State) -> Option<&str> {
    let compiled = state
        .result
        .compiled
        .as_ref()
        .filter(|compiled| compiled.query.total)?;
    compiled.totals.as_ref().err().map(String::as_str)
}

/// How far the run is, and a file that is being written.
pub fn progress(state: &State) -> Line<'static> {
    let mut line = run_progress(state);
    if let Some(saving) = &state.saving {
        let far = match saving.percent() {
            Some(percent) => format!("{percent} %"),
            None => saving.words(),
        };
        let key = state.key(Action::WriteFile);
        let words = format!("writing {far} · {key} shows it · ");
        line.spans
            .insert(0, Span::styled(words, state.theme.warning));
    }
    line
}

/// How far the metrics can be relied on, and how far the run is.
fn remark(state: &State, columns: u16) -> Line<'static> {
    let mut line = how_far(state, columns);
    let metrics = state.result.query.metrics.iter();
    let catalog = &state.catalog;
    let metrics = metrics.filter_map(|name| catalog.registry.metric(name));
    let mut doubtful = metrics.filter(|metric| catalog.remark(metric).is_some());
    if let Some(metric) = doubtful.next().filter(|_| state.result.grid.is_some()) {
        let (_, style) = super::catalog::status(catalog.stage(metric), &state.theme);
        let words = format!("{} · ", catalog.standing(metric));
        line.spans.insert(0, Span::styled(words, style));
    }
    line
}

/// How far the run is; beside a title that needs the room, an age says enough.
fn how_far(state: &State, columns: u16) -> Line<'static> {
    match &state.result.phase {
        Phase::Done(summary) if columns < NARROW && state.saving.is_none() => {
            let age = summary
                .cached
                .map(|age| format!("{} old · {}", span(age), state.key(Action::Refresh)));
            age.map_or_else(
                || progress(state),
                |age| Line::styled(age, state.theme.warning),
            )
        }
        _ => progress(state),
    }
}

fn run_progress(state: &State) -> Line<'static> {
    let theme = &state.theme;
    match &state.result.phase {
        Phase::Idle => Line::default(),
        Phase::Running(since) => Line::styled(
            format!(
                "running {} · {} cancels",
                time_words(state.now.saturating_sub(*since)),
                state.key_here(Action::Back)
            ),
            theme.warning,
        ),
        Phase::Cancelling(_) => Line::styled("cancelling…", theme.warning),
        Phase::Failed(_) => Line::styled("failed", theme.error),
        Phase::Done(summary) => match summary.cached {
            Some(age) => Line::styled(
                format!(
                    "from the cache, {} old · {} asks again",
                    span(age),
                    state.key(Action::Refresh)
                ),
                theme.warning,
            ),
            None => Line::styled(time_words(summary.elapsed), theme.dim),
        },
    }
}

/// An age: `12 s`, `3 min`, `5 h`.
fn span(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
