//! The metric under the cursor, in words.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::{catalog, pane};
use crate::compile::DimensionChoice;
use crate::session::{AlertOutcome, Lineage, MetricCard};
use crate::tui::action::Action;
use crate::tui::layout::{Layout, inside};
use crate::tui::state::{Focus, State};
use crate::tui::theme::Theme;
use crate::tui::widgets::text::wrap;

/// Columns that the words in front take.
const WORDS: usize = 11;

/// Draws the details.
pub fn draw(state: &State, frame: &mut Frame<'_>, layout: &Layout) {
    let Some(area) = layout.details else { return };
    let theme = &state.theme;
    let inner = inside(area);
    let lines = lines(state, usize::from(inner.width));
    let more = lines
        .len()
        .saturating_sub(state.details.offset + usize::from(inner.height));
    let remark = if more > 0 {
        let key = match state.focus {
            Focus::Details => String::new(),
            _ => format!("{} ", state.key(Action::NextPane)),
        };
        Line::styled(format!("{more} more · {key}↓"), theme.dim)
    } else {
        Line::default()
    };
    pane::frame(
        frame,
        area,
        Focus::Details.title(),
        remark,
        theme,
        state.focus == Focus::Details,
    );
    for (line, y) in lines
        .iter()
        .skip(state.details.offset)
        .zip(inner.y..inner.bottom())
    {
        line.render(
            Rect {
                y,
                height: 1,
                ..inner
            },
            frame.buffer_mut(),
        );
    }
}

/// Lines that the details take at a width.
pub fn height(state: &State, width: usize) -> usize {
    lines(state, width).len()
}

/// The details at a width.
pub fn lines<'a>(state: &'a State, width: usize) -> Vec<Line<'a>> {
    match &state.details.card {
        None => Vec::new(),
        Some(Err(error)) => wrap(error, width)
            .into_iter()
            .map(|line| Line::styled(line, state.theme.error))
            .collect(),
        Some(Ok(card)) => {
            let mut sheet = Sheet::new(&state.theme, width);
            if let Some(misfit) = state.finder.misfit(&card.name) {
                let reason = format!("does not fit the query: {}", misfit.reason);
                for line in wrap(&reason, width) {
                    let line = Line::styled(line.to_owned(), state.theme.warning);
                    sheet.lines.push(line);
                }
            }
            sheet.card(card)
        }
    }
}

struct Sheet<'a> {
    theme: &'a Theme,
    width: usize,
    lines: Vec<Line<'a>>,
}

impl<'a> Sheet<'a> {
    fn new(theme: &'a Theme, width: usize) -> Self {
        Self {
            theme,
            width,
            lines: Vec::new(),
        }
    }

    fn card(mut self, card: &'a MetricCard) -> Vec<Line<'a>> {
        let theme = self.theme;
        self.prose(&card.label, theme.header);
        self.status(card);
        self.blank();
        self.prose(&card.description, theme.text);
        for rule in &card.business_rules {
            self.bullet(rule);
        }
        self.blank();
        self.field("meaning", &card.formula, theme.text);
        for source in &card.sources {
            if card.sources.len() > 1 || source.use_when.is_some() {
                let when = source
                    .use_when
                    .as_deref()
                    .map_or("otherwise".to_owned(), |when| format!("when {when}"));
                self.field(
                    "source",
                    &format!("{} {when}", source.datasets.join(" + ")),
                    theme.text,
                );
            }
        }
        if let Some((name, _)) = &card.snippet {
            self.field("snippet", name, theme.text);
        }
        let lineage = lineage(&card.lineage);
        self.field("from", &lineage, theme.text);
        let stands_on: Vec<String> = card.stands_on.iter().map(|one| one.words()).collect();
        self.field("built on", &stands_on.join(", "), theme.text);
        let grain = match (card.grain.is_empty(), &card.window) {
            (true, None) => String::new(),
            (true, Some(window)) => window.clone(),
            (false, None) => format!("by {}", card.grain.join(", ")),
            (false, Some(window)) => format!("by {}, {window}", card.grain.join(", ")),
        };
        self.field("default", &grain, theme.text);
        self.field("dimensions", &dimensions(&card.dimensions), theme.text);
        self.field("also", &card.aliases.join(", "), theme.text);
        self.field("tags", &card.tags.join(", "), theme.text);
        for alert in &card.alerts {
            let style = match alert.last {
                Some(AlertOutcome::Fired) => theme.warning,
                _ => theme.text,
            };
            self.field("alert", &alert.words(), style);
        }
        let used = format!("{} {}", card.used, card.trend.blocks());
        self.field("used", used.trim_end(), theme.dim);
        self.field("defined", &card.defined_at, theme.dim);
        self.lines
    }

    fn status(&mut self, card: &MetricCard) {
        let theme = self.theme;
        let (sign, style) = catalog::status(card.stage, theme);
        let standing = match sign {
            " " => card.standing.clone(),
            sign => format!("{sign} {}", card.standing),
        };
        let name = Span::styled(card.name.clone(), theme.accent);
        let standing = Span::styled(standing, style);
        let is_narrow = name.width() + 2 + standing.width() > self.width;
        let mut spans = vec![name];
        if is_narrow {
            self.lines.push(Line::from(std::mem::take(&mut spans)));
        } else {
            spans.push(Span::styled("  ", theme.dim));
        }
        spans.push(standing);
        let mut rest = format!("  {}", card.kind);
        if let Some(day) = card.last_updated {
            rest.push_str(&format!("  updated {day}"));
        }
        let one_line = spans.iter().map(Span::width).sum::<usize>() + rest.len() <= self.width;
        if one_line {
            spans.push(Span::styled(rest, theme.dim));
            self.lines.push(Line::from(spans));
        } else {
            self.lines.push(Line::from(spans));
            self.lines
                .push(Line::styled(rest.trim_start().to_owned(), theme.dim));
        }
        if let Some(owner) = &card.owner {
            self.prose(&format!("owner {owner}"), theme.dim);
        }
    }

    fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.lines.push(Line::default());
        }
    }

    fn prose(&mut self, text: &str, style: Style) {
        let wrapped = wrap(text.trim(), self.width);
        self.lines.extend(
            wrapped
                .into_iter()
                .map(|line| Line::styled(line.to_owned(), style)),
        );
    }

    fn bullet(&mut self, text: &str) {
        for (index, line) in wrap(text.trim(), self.width.saturating_sub(2))
            .into_iter()
            .enumerate()
        {
            let sign = if index == 0 { "· " } else { "  " };
            self.lines.push(Line::from(vec![
                Span::styled(sign, self.theme.accent),
                Span::raw(line.to_owned()),
            ]));
        }
    }

    /// A word in front and a text that hangs beside it; nothing for an empty text.
    fn field(&mut self, word: &str, text: &str, style: Style) {
        for (index, line) in wrap(text, self.width.saturating_sub(WORDS))
            .into_iter()
            .enumerate()
        {
            let word = if index == 0 { word } else { "" };
            let word = Span::styled(format!("{word:<WORDS$}"), self.theme.dim);
            self.lines
                .push(Line::from(vec![word, Span::styled(line.to_owned(), style)]));
        }
    }
}

fn dimensions(choices: &[DimensionChoice]) -> String {
    let names: Vec<_> = choices
        .iter()
        .filter(|choice| choice.reachable.is_ok())
        .map(|choice| choice.name.as_str())
        .collect();
    names.join(", ")
}

/// What feeds a metric, from near to far: `gmv < orders < mart.orders`.
fn lineage(nodes: &[Lineage]) -> String {
    let one = |node: &Lineage| match lineage(&node.from) {
        below if below.is_empty() || below == node.name => node.name.clone(),
        below if node.from.len() > 1 => format!("{} ← ({below})", node.name),
        below => format!("{} ← {below}", node.name),
    };
    nodes.iter().map(one).collect::<Vec<_>>().join(", ")
}
