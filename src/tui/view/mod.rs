//! Draws the state. Nothing is changed here, and nothing is read but the state.

mod author;
mod behind;
mod catalog;
mod chart;
mod dates;
mod define;
mod details;
mod files;
mod footer;
mod input;
mod menu;
mod naming;
mod pane;
mod policy;
mod popup;
mod preview;
mod prompt;
mod query;
mod result;
mod reviewing;
mod row;
mod spread;
mod tabs;
mod which_key;
mod why;

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::action::{self, Action, Context};
use super::hit::{HitMap, Target};
use super::layout::{Layout, SMALLEST, is_too_small};
use super::state::{Focus, State};
use super::widgets::text::{Align, put, truncate, width};
use crate::model::Guard;
use crate::registry::Severity;

pub use author::{limit as author_limit, lines as author_lines};
pub use behind::{part as behind_part, sum as behind_sum};
pub use chart::{of as chart_view, position as chart_position};
pub use define::settle as settle_define;
pub use details::{height as details_height, lines as details_lines};
pub use popup::reader_limit;
pub use preview::reasons_height;
pub use reviewing::{limit as review_limit, lines as review_lines};
pub use why::{limit as why_limit, lines as why_lines};

/// Draws the state and says what stands where.
pub fn view(state: &State, frame: &mut Frame<'_>) -> HitMap {
    let mut hits = HitMap::default();
    let area = frame.area();
    frame.buffer_mut().set_style(area, state.theme.text);
    if is_too_small(state) {
        too_small(state, frame, area);
        return hits;
    }
    let layout = Layout::of(state);
    for focus in Focus::ALL {
        if let Some(area) = layout.pane(focus) {
            hits.add(area, Target::Pane(focus));
        }
    }
    header(state, frame, layout.header, &mut hits);
    if let Some(area) = layout.tabs {
        tabs::draw(state, frame, area, &mut hits);
    }
    borders(&layout, &mut hits);
    if let Some(area) = layout.banner {
        banner(state, frame, area);
    }
    catalog::draw(state, frame, &layout, &mut hits);
    details::draw(state, frame, &layout);
    query::draw(state, frame, &layout, &mut hits);
    preview::draw(state, frame, &layout, &mut hits);
    result::draw(state, frame, &layout, &mut hits);
    tabs::draw_beside(state, frame, &layout, &mut hits);
    prompt::draw_completions(state, frame, &layout);
    popup::draw(state, frame, area, &mut hits);
    footer::draw(state, frame, layout.footer, &mut hits);
    which_key::draw(state, frame, area, &mut hits);
    hits
}

/// Borders that can be moved, each with the pane whose frame it is.
fn borders(layout: &Layout, hits: &mut HitMap) {
    for divider in &layout.dividers {
        for cells in divider.cells() {
            for focus in Focus::ALL {
                let pane = layout.pane(focus).unwrap_or_default();
                hits.add(
                    pane.intersection(cells),
                    Target::Border(divider.border, focus),
                );
            }
        }
    }
}

fn too_small(state: &State, frame: &mut Frame<'_>, area: Rect) {
    // Where a text is typed, the letter that quits is a letter.
    let keymap = state.keymap();
    let quits = match keymap.key_in(action::contexts(state), Action::Quit) {
        Some(key) => format!("{key} quits"),
        None => format!("{} twice quits", state.key_here(Action::Interrupt)),
    };
    // No line has more than 20 columns.
    let text = vec![
        Line::styled("terminal too small", state.theme.warning),
        Line::from(format!("{}x{} needed", SMALLEST.0, SMALLEST.1)),
        Line::from(format!(
            "this is {}x{}",
            state.size.width, state.size.height
        )),
        Line::styled(quits, state.theme.dim),
    ];
    let rows = area.height / 2;
    let area = Rect {
        y: area.y + rows.saturating_sub(1),
        height: area.height - rows.saturating_sub(1),
        ..area
    };
    Paragraph::new(text)
        .alignment(Alignment::Center)
        .render(area, frame.buffer_mut());
}

fn header(state: &State, frame: &mut Frame<'_>, area: Rect, hits: &mut HitMap) {
    let theme = &state.theme;
    let mut x = area.right();
    for pane in Focus::ALL.iter().rev() {
        let keymap = state.keymap();
        let key = keymap.key_in(&[Context::Panes], Action::Pane(*pane));
        let text = match key {
            Some(key) => format!(" {key} {} ", pane.title()),
            None => format!(" {} ", pane.title()),
        };
        let columns = u16::try_from(width(&text)).unwrap_or(0);
        x = x.saturating_sub(columns);
        let tab = Rect {
            x,
            width: columns,
            ..area
        };
        let is_here = *pane == state.focus;
        let style = if is_here {
            pane::title_style(theme, true)
        } else {
            theme.dim
        };
        put(frame.buffer_mut(), tab, &text, style, Align::Left);
        hits.add(tab, Target::Pane(*pane));
    }
    let left = Rect {
        width: x.saturating_sub(1),
        ..area
    };
    where_line(state, usize::from(left.width)).render(left, frame.buffer_mut());
    let name = Rect {
        width: left.width.min(7),
        ..left
    };
    hits.add(name, Target::Action(Action::Menu));
}

/// Project, connection and day, as many of them as fit.
fn where_line(state: &State, columns: usize) -> Line<'static> {
    let theme = &state.theme;
    let known = state.known_connection();
    let connection = match known.map(|known| known.dialect.word()) {
        Some(dialect) if dialect != state.connection => format!("{} ({dialect})", state.connection),
        _ => state.connection.clone(),
    };
    let mut line = Line::from(Span::styled(" metrex", theme.accent));
    let guard = known.map(|known| match known.guard {
        Guard::Nothing => (known.guard.word(), theme.warning),
        guard => (guard.word(), theme.dim),
    });
    let mut words = vec![
        (state.setting.project.clone(), theme.text),
        (connection, theme.dim),
        (state.setting.today.to_string(), theme.dim),
    ];
    words.extend(guard.map(|(word, style)| (word.to_owned(), style)));
    if let Some(known) = known.filter(|known| known.care.production) {
        // Whatever else finds no room.
        let room = columns.saturating_sub(line.width() + 2);
        let badge = format!(" production: {} ", known.name);
        line.push_span(Span::raw("  "));
        line.push_span(Span::styled(
            truncate(&badge, room).into_owned(),
            theme.production,
        ));
        words.remove(1);
    }
    for (word, style) in words {
        if line.width() + 2 + width(&word) <= columns {
            line.push_span(Span::styled(format!("  {word}"), style));
        }
    }
    line
}

/// Whether there is something that must not be overlooked.
pub fn has_banner(state: &State) -> bool {
    state.preparing.is_some() || errors(state).next().is_some()
}

fn errors(state: &State) -> impl Iterator<Item = &crate::registry::Diagnostic> {
    state
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
}

fn banner(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let theme = &state.theme;
    let (text, remark, style): (String, String, Style) =
        match (&state.preparing, errors(state).next()) {
            (Some(step), _) => (format!(" {step}"), String::new(), theme.warning),
            (None, Some(first)) => {
                let which = match errors(state).count() {
                    1 => format!("{} shows it", state.key(Action::Problems)),
                    count => format!("{} shows all {count}", state.key(Action::Problems)),
                };
                // The first version of the definitions has none before it to fall back to.
                let stays = match (area.width < 110, state.catalog.generation) {
                    (true, _) => "",
                    (false, 1) => ", what is broken is left out",
                    (false, _) => ", the last good version stays",
                };
                let remark = format!("  {which}{stays} ");
                (format!(" ! {first}"), remark, theme.error)
            }
            (None, None) => return,
        };
    let right = u16::try_from(width(&remark))
        .unwrap_or(area.width)
        .min(area.width / 2);
    let left = Rect {
        width: area.width - right,
        ..area
    };
    put(frame.buffer_mut(), left, &text, style, Align::Left);
    let rest = Rect {
        x: left.right(),
        width: right,
        ..area
    };
    put(frame.buffer_mut(), rest, &remark, theme.dim, Align::Left);
}
