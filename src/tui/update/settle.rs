//! What every message ends with: cursors, offsets and heights within their bounds.

use ratatui::layout::Rect;

use super::{tabs, theme};
use crate::tui::layout::{self, Layout};
use crate::tui::message::Slot;
use crate::tui::popup::Popup;
use crate::tui::state::{CatalogRow, Focus, State};
use crate::tui::widgets::chart::Glyphs;
use crate::tui::{author, parts, reviewing, view, why};

/// Tells the rows how much room they have.
pub(in crate::tui) fn fit_rows(state: &mut State, pane: Option<Rect>) {
    if let (Some(grid), Some(area)) = (&mut state.result.grid, pane) {
        let area = layout::grid_area(layout::inside(area));
        let (rows, _) = state.result.chart.split(area);
        grid.set_size(rows.unwrap_or(area).as_size());
        grid.set_plain_signs(state.setting.glyphs == Glyphs::Ascii);
    }
}

/// Brings everything that depends on the size and on other parts of the state into bounds.
pub(super) fn settle(state: &mut State) {
    tabs::share_filters(state);
    theme::settle(state);
    let layout = Layout::of(state);
    let inner = |focus| {
        layout.inner(focus).map_or((0, 0), |area| {
            (usize::from(area.width), usize::from(area.height))
        })
    };

    let (_, height) = inner(Focus::Catalog);
    let finder = &mut state.finder;
    finder.selected = finder.selected.min(finder.rows.len().saturating_sub(1));
    finder.offset = scrolled(
        finder.offset,
        finder.selected,
        height.saturating_sub(2),
        finder.rows.len(),
    );
    // The heading of the first metric is in sight with it.
    let above = finder.offset.checked_sub(1);
    let heads = |row: usize| matches!(finder.rows.get(row), Some(CatalogRow::Category(..)));
    if let Some(row) = above.filter(|row| finder.selected == finder.offset && heads(*row)) {
        finder.offset = row;
    }

    let (width, height) = inner(Focus::Details);
    let lines = view::details_height(state, width);
    state.details.offset = state.details.offset.min(lines.saturating_sub(height));

    let count = parts::parts(state).len();
    state.part = state.part.min(count.saturating_sub(1));

    state
        .preview
        .sql
        .set_height(layout.sql.map_or(0, |area| area.height));
    fit_rows(state, layout.result);
    crate::tui::tabs::settle(state, &layout);

    let offset = view::reader_limit(state, &layout);
    if let Some(Popup::Reader(reader)) = state.popups.last_mut() {
        reader.offset = reader.offset.min(offset);
    }
    view::settle_define(state);
    let limit = match state.popups.last() {
        Some(Popup::Author(author)) => view::author_limit(state, author),
        _ => 0,
    };
    if let Some(Popup::Author(author)) = state.popups.last_mut() {
        author.follow(author::text_area(state.size));
        author.offset = author.offset.min(limit);
    }
    let limit = match state.popups.last() {
        Some(Popup::Review(open)) => view::review_limit(state, open),
        _ => 0,
    };
    let height = usize::from(layout::inside(reviewing::areas(state.size).0).height);
    if let Some(Popup::Review(open)) = state.popups.last_mut() {
        open.offset = open.offset.min(limit);
        let count = open.list.as_ref().map_or(0, Vec::len);
        open.top = scrolled(open.top, open.row(), height, count);
    }
    let limit = match state.popups.last() {
        Some(Popup::Why(open)) => view::why_limit(state, open),
        _ => 0,
    };
    let height = usize::from(layout::inside(why::areas(state.size).0).height);
    if let Some(Popup::Why(open)) = state.popups.last_mut() {
        open.offset = open.offset.min(limit);
        let count = open.rows().len();
        open.selected = open.selected.min(count.saturating_sub(1));
        open.top = scrolled(open.top, open.selected, height, count);
    }
    let rows = layout::behind_grid(state.size).as_size();
    if let Some(Popup::Behind(behind)) = state.popups.last_mut()
        && let Some(grid) = &mut behind.grid
    {
        grid.set_size(rows);
    }
    if let Some(Popup::Picker(picker)) = state.popups.last_mut() {
        let list = layout::picker_list(state.size, &picker.kind);
        picker.list.set_height(list.height);
    }
    let window = layout::inside(layout::reader(state.size));
    if let Some(Popup::Tree(open)) = state.popups.last_mut() {
        open.tree.set_height(window.height);
    }
    if !state.prompt.typing {
        state.forget(Slot::Complete);
        state.forget(Slot::Understand);
    }
}

/// The first row to show, so that `selected` of `count` rows is among the `height` shown.
fn scrolled(offset: usize, selected: usize, height: usize, count: usize) -> usize {
    let offset = offset.min(count.saturating_sub(height));
    if selected < offset {
        selected
    } else {
        offset.max((selected + 1).saturating_sub(height))
    }
}
