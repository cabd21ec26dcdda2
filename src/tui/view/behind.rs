//! The rows behind a number, in a window, with what they add up to.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::pane;
use crate::session::cell::thousands;
use crate::tui::action::Action;
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::{self, inside};
use crate::tui::look::{LookAt, PartName, Section};
use crate::tui::popup::{Behind, Verdict};
use crate::tui::question::time_words;
use crate::tui::state::{Phase, State};
use crate::tui::widgets::text::{sanitize, wrap};

/// Draws the window.
pub fn draw(state: &State, behind: &Behind, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let area = layout::behind(state.size);
    hits.add(area, Target::Popup);
    let remark = match &behind.phase {
        Phase::Running(since) => Line::styled(
            format!(
                "running {} · {} cancels",
                time_words(state.now.saturating_sub(*since)),
                state.key_here(Action::Back)
            ),
            theme.warning,
        ),
        _ => Line::default(),
    };
    pane::window(frame, area, &sanitize(&behind.title), remark, theme);
    let inner = inside(area);
    let line = |y: u16| Rect {
        y,
        height: 1,
        ..inner
    };
    pane::line(&part(state, behind), line(inner.y), frame.buffer_mut());
    let body = layout::behind_grid(state.size);
    if let (Phase::Failed(error), None) = (&behind.phase, &behind.grid) {
        let width = usize::from(inner.width);
        let message = wrap(&error.message, width).into_iter();
        let message = message.map(|line| Line::styled(line, theme.error));
        let hint = error
            .hint()
            .map(|hint| wrap(hint, width))
            .unwrap_or_default();
        let lines = message.chain(hint.into_iter().map(Line::from));
        for (text, y) in lines.zip(body.y..body.bottom()) {
            text.render(line(y), frame.buffer_mut());
        }
        return;
    }
    if let Some(grid) = &behind.grid {
        grid.draw(body, frame.buffer_mut(), theme, true);
        let last = line(inner.bottom().saturating_sub(1));
        pane::line(&sum(state, behind), last, frame.buffer_mut());
    }
}

/// The aggregation whose rows they are.
pub fn part<'a>(state: &State, behind: &'a Behind) -> Line<'a> {
    let theme = &state.theme;
    let (Some(part), LookAt::Rows(at)) = (part_here(behind), behind.look.at) else {
        return Line::default();
    };
    let mut line = Line::default();
    if behind.parts.len() > 1 {
        let (of, key) = (behind.parts.len(), state.key(Action::NextPart));
        let which = format!("{} ({} of {of}, {key}) ", part.name, at + 1);
        line.push_span(Span::styled(which, theme.accent));
    }
    line.push_span(Span::styled(sanitize(&part.reading), theme.text));
    line
}

fn part_here(behind: &Behind) -> Option<&PartName> {
    let LookAt::Rows(at) = behind.look.at else {
        return None;
    };
    behind.parts.get(at)
}

/// What the rows add up to, and whether that is the number.
pub fn sum(state: &State, behind: &Behind) -> Line<'static> {
    let theme = &state.theme;
    if let Phase::Failed(error) = &behind.phase {
        return Line::styled(format!("incomplete: {}", error.message), theme.error);
    }
    let Some(sum) = &behind.sum else {
        return Line::styled("adding up…", theme.dim);
    };
    let rows = thousands(usize::try_from(sum.rows).unwrap_or(usize::MAX));
    let noun = if sum.rows == 1 { "row" } else { "rows" };
    let is = Span::styled(
        format!("{rows} {noun} · {} = {}", sum.column, sum.text),
        theme.text,
    );
    let verdict = match behind.verdict() {
        Verdict::Same => Span::styled(" · the number itself", theme.good),
        Verdict::Part => Span::styled(" · a part of the number", theme.dim),
        Verdict::Other(shown) => Span::styled(
            format!(" · ! not {shown}, which was shown: the data, or a rollup, is of another time"),
            theme.warning,
        ),
    };
    let cut = match &behind.phase {
        Phase::Done(summary) if summary.truncated => Span::styled(
            format!(
                " · the first {} are here",
                thousands(usize::try_from(summary.rows).unwrap_or(usize::MAX))
            ),
            theme.warning,
        ),
        _ => Span::default(),
    };
    let left_out = match part_here(behind) {
        Some(part) if !part.left_out.is_empty() => {
            let names = part.left_out.join(", ");
            Span::styled(format!(" · personal, not shown: {names}"), theme.dim)
        }
        _ => Span::default(),
    };
    Line::from(vec![is, verdict, cut, left_out])
}

/// The lines of an explanation.
pub fn sections<'a>(state: &State, sections: &'a [Section], width: usize) -> Vec<Line<'a>> {
    let theme = &state.theme;
    if sections.is_empty() {
        return vec![Line::styled(
            format!(
                "asking the warehouse… · {} cancels",
                state.key_here(Action::Back)
            ),
            theme.warning,
        )];
    }
    let mut lines = Vec::new();
    for section in sections {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(section.heading.as_str(), theme.header));
        for text in &section.lines {
            let texts = text
                .lines()
                .flat_map(|text| wrap(text, width.saturating_sub(2)));
            lines.extend(texts.map(|text| Line::from(format!("  {}", sanitize(text)))));
        }
    }
    lines
}
