//! One row of the result as a form: every column with its full value.

use ratatui::text::{Line, Span};

use crate::tui::state::State;
use crate::tui::widgets::text::{Align, pad, sanitize, width, wrap};

/// Most cells of the names at the left.
const NAMES: usize = 28;

/// The lines of the selected row.
pub fn lines(state: &State, columns: usize) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let Some(grid) = &state.result.grid else {
        return Vec::new();
    };
    let Some((row, _)) = grid.selected() else {
        return vec![Line::styled("there is no row", theme.dim)];
    };
    let specs = grid.table().columns();
    let names = specs.iter().map(|column| width(&sanitize(&column.label)));
    let left = names.max().unwrap_or(0).min(NAMES).min(columns / 2);
    let hint = format!(
        "row {} of {} · ← → other rows",
        row + 1,
        grid.table().rows()
    );
    let mut lines = vec![Line::styled(hint, theme.dim)];
    for (at, column) in specs.iter().enumerate() {
        let detail = grid.detail(row, at).unwrap_or_default();
        let is_null = grid
            .table()
            .cell(row, at)
            .is_none_or(|(array, index)| array.is_null(index));
        let style = if is_null { theme.null } else { theme.text };
        let mut name = pad(&sanitize(&column.label), left, Align::Left);
        let room = columns.saturating_sub(left + 2).max(1);
        for part in wrap(&detail, room) {
            lines.push(Line::from(vec![
                Span::styled(format!("{name}  "), theme.header),
                Span::styled(part.to_owned(), style),
            ]));
            name = " ".repeat(left);
        }
        if detail.is_empty() {
            lines.push(Line::styled(name, theme.header));
        }
    }
    lines
}
