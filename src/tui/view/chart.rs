//! The chart of a result.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::session::chart::{Chart, ChartKind};
use crate::tui::charting::Shown;
use crate::tui::hit::{HitMap, Target};
use crate::tui::state::{Focus, State};
use crate::tui::widgets::chart::{ChartView, mark_text};
use crate::tui::widgets::grid::Grid;
use crate::tui::widgets::text::{Align, put, wrap};

/// Draws it.
pub fn draw(state: &State, grid: &Grid, frame: &mut Frame<'_>, area: Rect, hits: &mut HitMap) {
    hits.add(area, Target::Chart(0, 0));
    let theme = &state.theme;
    let charting = &state.result.chart;
    let mut say = |text: &str, style: Style| {
        let lines = wrap(text, usize::from(area.width));
        for (y, line) in (area.y..area.bottom()).zip(lines) {
            put(
                frame.buffer_mut(),
                Rect {
                    y,
                    height: 1,
                    ..area
                },
                line,
                style,
                Align::Left,
            );
        }
    };
    match &charting.drawn {
        None => say("the chart is drawn when all rows are here", theme.dim),
        Some(Err(reason)) => say(&format!("no chart: {reason}"), theme.warning),
        Some(Ok(chart)) => {
            of(state, chart, grid.selected()).draw(area, frame.buffer_mut());
        }
    }
}

/// A chart of the result as it is drawn.
pub fn of<'a>(
    state: &'a State,
    chart: &'a Chart,
    selected: Option<(usize, usize)>,
) -> ChartView<'a> {
    ChartView {
        chart,
        selected,
        glyphs: state.setting.glyphs,
        theme: &state.theme,
        focused: state.focus == Focus::Result
            && state.result.chart.shown == Shown::Instead
            && !state.is_aside(),
    }
}

/// What the mark says that is looked at; nothing where the rows say it themselves.
pub fn position(state: &State, grid: &Grid) -> Option<String> {
    let charting = &state.result.chart;
    let chart = charting.chart().filter(|_| charting.leads())?;
    let selected = grid.selected()?;
    let Some(text) = mark_text(chart, selected) else {
        return Some("the arrows go from mark to mark".to_owned());
    };
    if chart.kind != ChartKind::Scatter {
        return Some(text);
    }
    // A point does not say by itself whose it is.
    let mut names = String::new();
    let mut cell = String::new();
    let groups = grid.table().columns().iter().enumerate();
    for (column, _) in groups.filter(|(_, column)| column.role == crate::compile::Role::Group) {
        grid.table().read(selected.0, column, &mut cell);
        names.push_str(&cell);
        names.push_str(" · ");
    }
    Some(format!("{names}{text}"))
}
