//! The frame around a pane or a window.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use crate::tui::theme::Theme;
use crate::tui::widgets::text::{truncate, width};

/// Style of a title: reversed where the keys go, so that it shows without colours too.
pub fn title_style(theme: &Theme, focused: bool) -> Style {
    if focused {
        theme
            .border_focused
            .add_modifier(Modifier::BOLD | Modifier::REVERSED)
    } else {
        // Without a colour of its own the title would take the border's.
        let own = theme.text.fg.unwrap_or(Color::Reset);
        Style::new().fg(own).patch(theme.header)
    }
}

/// Draws the frame of a pane, with a title and a remark at its right.
pub fn frame(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    remark: Line<'_>,
    theme: &Theme,
    focused: bool,
) {
    let border = if focused {
        theme.border_focused
    } else {
        theme.border
    };
    let of_remark = match remark.width() {
        0 => 0,
        cells => cells + 2,
    };
    let room = usize::from(area.width).saturating_sub(4 + of_remark);
    let title = truncate(title, room);
    let title = Span::styled(format!(" {title} "), title_style(theme, focused));
    let mut block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(border)
        .title(Line::from(title));
    if remark.width() > 0 {
        let mut spans = vec![Span::raw(" ")];
        let style = remark.style;
        spans.extend(remark.spans.into_iter().map(|span| span.patch_style(style)));
        spans.push(Span::raw(" "));
        block = block.title(Line::from(spans).right_aligned());
    }
    block.render(area, frame.buffer_mut());
}

/// Clears the area of a window and draws its frame.
pub fn window(to: &mut Frame<'_>, area: Rect, title: &str, remark: Line<'_>, theme: &Theme) {
    Clear.render(area, to.buffer_mut());
    to.buffer_mut().set_style(area, theme.text);
    frame(to, area, title, remark, theme, true);
}

/// Draws a line in a row; an ellipsis ends what finds no room.
pub fn line(line: &Line<'_>, row: Rect, buf: &mut Buffer) {
    line.render(row, buf);
    let last = row.right().saturating_sub(1);
    if line.width() <= usize::from(row.width) || row.is_empty() {
        return;
    }
    // Half of a wide sign is none.
    let before = last.saturating_sub(1);
    if let Some(cell) = buf.cell_mut((before, row.y)).filter(|_| before >= row.x)
        && width(cell.symbol()) > 1
    {
        cell.set_symbol(" ");
    }
    if let Some(cell) = buf.cell_mut((last, row.y)) {
        cell.set_symbol("…");
    }
}

/// A text with some of its graphemes in another style.
pub fn marked<'a>(text: &str, indices: &[u32], plain: Style, mark: Style) -> Vec<Span<'a>> {
    use unicode_segmentation::UnicodeSegmentation;
    let mut spans: Vec<(bool, String)> = Vec::new();
    for (index, grapheme) in text.graphemes(true).enumerate() {
        let hit = u32::try_from(index).is_ok_and(|index| indices.contains(&index));
        match spans.last_mut() {
            Some((last, run)) if *last == hit => run.push_str(grapheme),
            _ => spans.push((hit, grapheme.to_owned())),
        }
    }
    let style = |hit| if hit { plain.patch(mark) } else { plain };
    spans
        .into_iter()
        .map(|(hit, run)| Span::styled(run, style(hit)))
        .collect()
}
