//! The help: every key, by where it applies, with what the signs on the screen mean.

use ratatui::text::{Line, Span};

use crate::tui::action::{self, Context};
use crate::tui::state::State;

const ORDER: [Context; 15] = [
    Context::Everywhere,
    Context::Panes,
    Context::Search,
    Context::Catalog,
    Context::Query,
    Context::Prompt,
    Context::Preview,
    Context::Result,
    Context::Find,
    Context::Dimensions,
    Context::Values,
    Context::Picker,
    Context::Reader,
    Context::Lists,
    Context::Sideways,
];

/// The lines of the help; what cannot be used now is dim and says why.
pub fn lines(state: &State) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let mut lines = vec![
        Line::from(vec![
            Span::styled("✓", theme.good),
            Span::raw(" certified   "),
            Span::styled("~", theme.warning),
            Span::raw(" draft   "),
            Span::styled("×", theme.error),
            Span::raw(" deprecated   "),
            Span::styled("•", theme.accent),
            Span::raw(" in the query"),
        ]),
        Line::default(),
    ];
    for context in ORDER {
        lines.push(Line::styled(context.title(), theme.header));
        for entry in action::actions()
            .iter()
            .filter(|entry| entry.context == context && !entry.keys.is_empty())
        {
            let enabled = (entry.enabled)(state);
            let style = if enabled.is_ok() {
                theme.text
            } else {
                theme.dim
            };
            let mut spans = vec![
                Span::styled(format!("  {:<22}", entry.keys.join("  ")), theme.accent),
                Span::styled(entry.title, style),
            ];
            if let Err(reason) = enabled {
                spans.push(Span::styled(format!("  ({reason})"), theme.dim));
            }
            lines.push(Line::from(spans));
        }
        lines.push(Line::default());
    }
    lines
}
