//! The bar of the tabs, and the result of the tab beside this one.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{pane, result};
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::Layout;
use crate::tui::state::{Focus, State};
use crate::tui::widgets::text::{Align, put, sanitize, truncate, width};

/// Columns of a tab beside its text: its number, its sign and the blanks around.
const AROUND: usize = 6;

/// Columns of a frame that are left to the remark at its right.
const REMARK: usize = 18;

/// What the bar says at its right where both sides filter alike.
const SHARED: &str = " same filters ";

/// Most columns of the text of a tab, and fewest.
const TEXT: (usize, usize) = (30, 9);

/// Draws the tabs, as many as fit; the one on the screen is always among them.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect, hits: &mut HitMap) {
    let theme = &state.theme;
    let (count, at) = (state.tabs.len(), state.tabs.at());
    let shared = if state.tabs.beside().is_some() && state.tabs.shared.is_some() {
        SHARED
    } else {
        ""
    };
    let columns = usize::from(area.width).saturating_sub(shared.len());
    let text = (columns / count.max(1))
        .saturating_sub(AROUND)
        .clamp(TEXT.1, TEXT.0);
    let fitting = (columns / (text + AROUND)).max(1);
    let first = (at + 1).saturating_sub(fitting);
    let mut x = area.x;
    for index in first..count {
        let label = state.tab_label(index, text);
        let name = format!(" {} {}{} ", index + 1, label.sign, label.text);
        let width = u16::try_from(width(&name)).unwrap_or(u16::MAX);
        let tab = Rect { x, width, ..area }.intersection(area);
        let is_beside = state.tabs.beside() == Some(index);
        let style = match (index == at, label.sign) {
            (true, _) => pane::title_style(theme, true),
            (false, "!") => theme.error,
            (false, "…" | "*" | "?") => theme.warning,
            (false, _) if is_beside => theme.text,
            (false, _) => theme.dim,
        };
        put(frame.buffer_mut(), tab, &name, style, Align::Left);
        hits.add(tab, Target::Tab(index));
        x = x.saturating_add(width).saturating_add(1);
    }
    let right = Rect {
        x: area
            .right()
            .saturating_sub(u16::try_from(shared.len()).unwrap_or(0)),
        ..area
    };
    put(
        frame.buffer_mut(),
        right.intersection(area),
        shared,
        theme.accent,
        Align::Left,
    );
}

/// Draws the rows of the tab beside this one; a click there gives it the keys.
pub fn draw_beside(state: &State, frame: &mut Frame<'_>, layout: &Layout, hits: &mut HitMap) {
    let (Some(area), Some(index)) = (layout.beside, state.tabs.beside()) else {
        return;
    };
    let Some(tab) = state.tabs.aside(index) else {
        return;
    };
    let layout = Layout {
        result: Some(area),
        ..layout.clone()
    };
    // Its cells are nothing to click on before it has the keys.
    result::draw(tab, frame, &layout, &mut HitMap::default());
    hits.add(area, Target::Tab(index));
}

/// The title of the rows: side by side, with the query they are of.
pub fn result_title(state: &State, columns: usize) -> String {
    let title = Focus::Result.title();
    if state.tabs.beside().is_none() && !state.is_aside() {
        let steps = state.trail.iter();
        let steps = steps.map(|step| format!(" › {}", sanitize(&step.words)));
        let trail = format!("{title}{}", steps.collect::<String>());
        return truncate(&trail, columns.saturating_sub(REMARK)).into_owned();
    }
    // The query that has run; else the one that is to.
    let query = if state.result.query.is_empty() {
        &state.query
    } else {
        &state.result.query
    };
    match query.is_empty() {
        true => title.to_owned(),
        false => truncate(&query.to_string(), columns.saturating_sub(REMARK)).into_owned(),
    }
}
