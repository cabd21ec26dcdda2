//! The chart of a result: shown, chosen, walked through, saved.

use std::sync::Arc;

use ratatui::layout::Rect;

use crate::session::chart::{Chart, ChartForm};
use crate::tui::action::Action;
use crate::tui::charting::{self, ChartChoice, Shown};
use crate::tui::layout::{Layout, grid_area};
use crate::tui::message::{Effect, Lookup, Notice};
use crate::tui::state::{Focus, State};
use crate::tui::view::chart_view;
use crate::tui::widgets::chart::{Step, step};
use crate::tui::widgets::grid::Grid;

/// Columns of a screen from which on a chart has room beside the rows.
const WIDE: u16 = 100;

/// Beside the rows, in their place, off.
pub(super) fn turn(state: &mut State) -> Vec<Effect> {
    let chart = &mut state.result.chart;
    chart.shown = match chart.shown {
        Shown::Off => Shown::Beside,
        Shown::Beside => Shown::Instead,
        Shown::Instead => Shown::Off,
    };
    super::act::focus(state, Focus::Result)
}

/// A kind was chosen, or what it is drawn with, or a form to save it in.
pub(super) fn choose(state: &mut State, choice: ChartChoice) -> Vec<Effect> {
    match choice {
        ChartChoice::Save(form) => return save(state, form),
        ChartChoice::Glyphs(glyphs) => state.setting.glyphs = glyphs,
        ChartChoice::Kind(kind) => state.result.chart.kind = kind,
    }
    if state.result.chart.shown == Shown::Off {
        state.result.chart.shown = if state.size.width < WIDE {
            Shown::Instead
        } else {
            Shown::Beside
        };
    }
    super::act::focus(state, Focus::Result)
}

/// Asks for the chart anew where what it depends on has changed.
pub(super) fn follow(state: &mut State) -> Option<Effect> {
    let (asked, job) = charting::due(state)?;
    state.result.chart.asked = Some(asked);
    match job {
        Ok(job) => Some(state.ask(Lookup::Chart(job))),
        Err(reason) => {
            state.result.chart.drawn = Some(Err(reason));
            None
        }
    }
}

/// The chart was made, or not.
pub(super) fn made(state: &mut State, chart: Result<Arc<Chart>, String>) {
    state.result.chart.drawn = Some(chart);
}

/// Moves to the mark beside: the selected cell of the rows is the one it shows.
pub(super) fn moved(state: &mut State, action: Action) {
    let to = match action {
        Action::Left => Step::Left,
        Action::Right => Step::Right,
        Action::Up => Step::Up,
        Action::Down => Step::Down,
        Action::PageUp => Step::PageUp,
        Action::PageDown => Step::PageDown,
        Action::First => Step::First,
        Action::Last => Step::Last,
        _ => return,
    };
    let Some(chart) = state.result.chart.chart().cloned() else {
        return;
    };
    if let Some(grid) = &mut state.result.grid
        && let Some((row, column)) = step(&chart, grid.selected(), to)
    {
        grid.select(row, column);
    }
}

/// A place in the chart was clicked: the nearest mark is looked at.
pub(super) fn click(state: &mut State, column: u16, row: u16) {
    let area = Layout::of(state).inner(Focus::Result).map(grid_area);
    let area = area.and_then(|area| state.result.chart.split(area).1);
    let (Some(area), Some(chart)) = (area, state.result.chart.chart().cloned()) else {
        return;
    };
    let area = Rect { x: 0, y: 0, ..area };
    let selected = state.result.grid.as_ref().and_then(Grid::selected);
    let cell = chart_view(state, &chart, selected).cell_at(column, row, area);
    if let (Some(grid), Some((row, column))) = (&mut state.result.grid, cell) {
        grid.select(row, column);
    }
}

/// Writes the chart to a file.
pub(super) fn save(state: &mut State, form: ChartForm) -> Vec<Effect> {
    let chart = state.result.chart.chart().cloned();
    let folder = state.setting.folder.clone();
    let effect = chart.map(|chart| {
        state.ask(Lookup::SaveChart {
            chart,
            form,
            folder,
        })
    });
    effect.into_iter().collect()
}

/// It was written.
pub(super) fn saved(state: &mut State, name: Result<String, String>) {
    state.notice = Some(match name {
        Ok(name) => Notice::Info(format!("written: {name}")),
        Err(error) => Notice::Error(format!("not written: {error}")),
    });
}
