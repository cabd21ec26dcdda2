//! How the policy does: the learning curve with its band, the first queries beside the last, and what was chosen.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::session::PolicyReport;
use crate::session::cell::thousands;
use crate::session::plot::{Charset, bar};
use crate::tui::action::Action;
use crate::tui::state::State;
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::Glyphs;
use crate::tui::widgets::text::{Align, pad, sanitize, width, wrap};

/// Lines of the learning curve on a small screen, and on others.
const CURVE: (usize, usize) = (9, 14);

/// Columns of a number in the table.
const NUMBER: usize = 13;

/// Columns of a bar.
const BAR: usize = 20;

/// The lines of the report.
pub fn lines(state: &State, report: Option<&PolicyReport>, columns: usize) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let Some(report) = report else {
        let text = format!("reading the log… · {} closes", state.key_here(Action::Back));
        return vec![Line::styled(text, theme.warning)];
    };
    let charset = match state.setting.glyphs {
        Glyphs::Ascii => Charset::Ascii,
        _ => Charset::Unicode,
    };
    let mut lines = Vec::new();
    say(&mut lines, &report.decides(), theme.text, columns);
    say(
        &mut lines,
        &report.caution().unwrap_or_default(),
        theme.warning,
        columns,
    );
    if report.queries == 0 {
        return lines;
    }
    lines.push(Line::default());
    say(&mut lines, &report.curve_title(), theme.header, columns);
    let height = if state.size.height < 40 {
        CURVE.0
    } else {
        CURVE.1
    };
    let curve = report.curve_text(columns, height, charset);
    lines.extend(curve.into_iter().map(|line| drawn(&line, theme)));
    lines.push(Line::default());
    stretches(&mut lines, report, theme);
    lines.push(Line::default());
    decisions(&mut lines, report, charset, theme);
    if !report.best.is_empty() {
        lines.push(Line::default());
        say(&mut lines, &report.best_title(), theme.header, columns);
    }
    for better in &report.best {
        let text = format!("{:.2}  {}  {}", better.probability, better.way, better.line);
        say(&mut lines, &text, theme.text, columns);
    }
    lines.push(Line::default());
    say(&mut lines, &report.trial(), theme.text, columns);
    lines
}

/// A line of the curve: what the mean is stands out from its band.
fn drawn(line: &str, theme: &Theme) -> Line<'static> {
    let is_mean = |c: char| matches!(c, '•' | '*');
    let spans = line.split_inclusive(is_mean).flat_map(|part| {
        let (band, mean) = match part.char_indices().next_back() {
            Some((at, last)) if is_mean(last) => part.split_at(at),
            _ => (part, ""),
        };
        [
            Span::styled(band.to_owned(), theme.dim),
            Span::styled(mean.to_owned(), theme.accent),
        ]
    });
    Line::from(
        spans
            .filter(|span| !span.content.is_empty())
            .collect::<Vec<_>>(),
    )
}

/// All queries, the first and the last.
fn stretches(lines: &mut Vec<Line<'static>>, report: &PolicyReport, theme: &Theme) {
    let row = |name: &str, cells: [String; 4]| {
        let cells = cells.map(|cell| pad(&cell, NUMBER, Align::Right));
        format!("{}{}", pad(name, NUMBER, Align::Left), cells.concat())
    };
    let head = ["queries", "reward", "succeeded", "milliseconds"].map(str::to_owned);
    lines.push(Line::styled(row("", head), theme.header));
    for stretch in &report.stretches {
        let cells = [
            thousands(stretch.queries),
            format!("{:.2}", stretch.reward),
            format!("{:.1}%", 100.0 * stretch.succeeded),
            format!("{:.0}", stretch.ms),
        ];
        lines.push(Line::styled(row(&stretch.name, cells), theme.text));
    }
}

/// What was chosen, decision by decision.
fn decisions(
    lines: &mut Vec<Line<'static>>,
    report: &PolicyReport,
    charset: Charset,
    theme: &Theme,
) {
    let widest = |names: &mut dyn Iterator<Item = &str>| names.map(width).max().unwrap_or(0);
    let name = widest(&mut report.decisions.iter().map(|one| one.decision));
    let ways = report.decisions.iter().flat_map(|one| &one.ways);
    let way_columns = widest(&mut ways.map(|(way, _)| *way));
    lines.push(Line::styled("What was chosen", theme.header));
    for taken in &report.decisions {
        for (at, (way, share)) in taken.ways.iter().enumerate() {
            let decision = if at == 0 { taken.decision } else { "" };
            let drawn = bar(*share, (0.0, 1.0), BAR, charset);
            lines.push(Line::from(vec![
                Span::styled(format!("{}  ", pad(decision, name, Align::Left)), theme.dim),
                Span::styled(
                    format!(
                        "{}  {:>5.1}%  ",
                        pad(way, way_columns, Align::Left),
                        100.0 * share
                    ),
                    theme.text,
                ),
                Span::styled(drawn, theme.accent),
            ]));
        }
    }
}

fn say(lines: &mut Vec<Line<'static>>, text: &str, style: Style, columns: usize) {
    for line in wrap(text, columns) {
        lines.push(Line::styled(sanitize(line).into_owned(), style));
    }
}
