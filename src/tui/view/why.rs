//! Why a number moved: the tree of hypotheses beside the evidence of the selected one.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::pane;
use crate::model::MetricQuery;
use crate::session::plot::Charset;
use crate::session::why::{Node, State as Stand, Verdict, Why};
use crate::tui::action::Action;
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::inside;
use crate::tui::state::State;
use crate::tui::theme::Theme;
use crate::tui::why::{WhyPane, areas};
use crate::tui::widgets::chart::Glyphs;
use crate::tui::widgets::text::{Align, pad, sanitize, truncate, width, wrap};

/// Columns that a chart may take.
const WIDEST: usize = 90;

/// Columns of a number in the evidence.
const NUMBER: usize = 12;

/// Draws the window.
pub fn draw(state: &State, open: &WhyPane, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let (tree, evidence) = areas(state.size);
    hits.add(tree, Target::Popup);
    hits.add(evidence, Target::Popup);
    let rows = open.rows();
    let remark = match (open.is_running, open.known()) {
        (true, Some(why)) => {
            let looked = rows.len() - why.tree.waiting().min(rows.len());
            let cancels = state.key_here(Action::Back);
            Line::styled(
                format!("{looked} of {} · {cancels} closes", rows.len()),
                theme.warning,
            )
        }
        (true, None) => Line::styled("looking…", theme.warning),
        (false, _) => Line::styled(format!("{} hypotheses", rows.len()), theme.dim),
    };
    let title = match open.known() {
        Some(why) => sanitize(&format!("Why {}{}", why.label, asked(why))).into_owned(),
        None => "Why".to_owned(),
    };
    pane::window(frame, tree, &title, remark, theme);
    let area = inside(tree);
    let shown = rows
        .iter()
        .enumerate()
        .skip(open.top)
        .zip(area.y..area.bottom());
    for ((at, (depth, node)), y) in shown {
        let line = row(
            node,
            *depth,
            at == open.selected,
            usize::from(area.width),
            theme,
        );
        line.render(
            Rect {
                y,
                height: 1,
                ..area
            },
            frame.buffer_mut(),
        );
    }
    let verdict = open.node().map_or_else(Line::default, |node| {
        let (_, style) = sign(node, theme);
        Line::styled(stands(node), style)
    });
    pane::window(frame, evidence, "Evidence", verdict, theme);
    let area = inside(evidence);
    let lines = lines(state, open, usize::from(area.width));
    for (line, y) in lines
        .into_iter()
        .skip(open.offset)
        .zip(area.y..area.bottom())
    {
        line.render(
            Rect {
                y,
                height: 1,
                ..area
            },
            frame.buffer_mut(),
        );
    }
}

/// The conditions and the two periods, as the query line says them.
fn asked(why: &Why) -> String {
    let Ok(query) = why.line.parse::<MetricQuery>() else {
        return String::new();
    };
    let conditions = query.filters.map(|filters| format!(" where {filters}"));
    let time = query.time.map(|time| format!(", {time}"));
    let compare = query.compare.map(|compare| format!(" vs {compare}"));
    [conditions, time, compare].into_iter().flatten().collect()
}

fn row(node: &Node, depth: usize, is_here: bool, columns: usize, theme: &Theme) -> Line<'static> {
    let (sign, style) = sign(node, theme);
    let pointer = if is_here { "› " } else { "  " };
    let indent = "  ".repeat(depth);
    let room = columns.saturating_sub(width(&indent) + 4);
    let words = match is_here {
        true => theme.accent.add_modifier(Modifier::BOLD),
        false if node.verdict == Verdict::Refutes => theme.dim,
        false => theme.text,
    };
    Line::from(vec![
        Span::styled(pointer, theme.accent),
        Span::raw(indent),
        Span::styled(format!("{sign} "), style),
        Span::styled(
            truncate(&sanitize(&node.hypothesis), room).into_owned(),
            words,
        ),
    ])
}

fn sign(node: &Node, theme: &Theme) -> (&'static str, Style) {
    match (node.state, node.verdict) {
        (Stand::Waiting, _) => ("·", theme.dim),
        (_, Verdict::Supports) => ("+", theme.good),
        (_, Verdict::Refutes) => ("-", theme.dim),
        (_, Verdict::Open) => ("?", theme.warning),
    }
}

fn stands(node: &Node) -> &'static str {
    match node.state {
        Stand::Waiting => "waits",
        Stand::Done => node.verdict.word(),
    }
}

/// The last offset that the evidence can be scrolled to.
pub fn limit(state: &State, open: &WhyPane) -> usize {
    let area = inside(areas(state.size).1);
    let lines = lines(state, open, usize::from(area.width)).len();
    lines.saturating_sub(usize::from(area.height))
}

/// The evidence of the selected hypothesis.
pub fn lines(state: &State, open: &WhyPane, columns: usize) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let mut lines = Vec::new();
    let why = match &open.why {
        None => {
            lines.push(Line::styled("asking the warehouse…", theme.dim));
            return lines;
        }
        Some(Err(error)) => {
            say(&mut lines, &error.message, theme.error, columns);
            if let Some(hint) = error.hint() {
                say(&mut lines, hint, theme.text, columns);
            }
            return lines;
        }
        Some(Ok(why)) => why,
    };
    let Some(node) = open.node() else {
        return lines;
    };
    say(&mut lines, &node.hypothesis, theme.header, columns);
    say(&mut lines, &node.says, theme.text, columns);
    let is_root = open.selected == 0;
    if is_root {
        answer(&mut lines, why, theme, columns);
    }
    lines.push(Line::default());
    let run = format!("{} runs it: {}", state.key_here(Action::WhyRun), node.line);
    say(&mut lines, &run, theme.accent, columns);
    if let Some(source) = &node.source {
        say(&mut lines, source, theme.dim, columns);
    }
    numbers(&mut lines, node, theme, columns);
    let charset = match state.setting.glyphs {
        Glyphs::Ascii => Charset::Ascii,
        _ => Charset::Unicode,
    };
    let format = node.rows.first().map_or(&why.format, |row| &row.format);
    if let Some(chart) = node.chart(format, charset, columns.min(WIDEST)) {
        lines.push(Line::default());
        lines.extend(
            chart
                .lines()
                .map(|line| Line::styled(sanitize(line).into_owned(), theme.text)),
        );
    }
    if is_root {
        for step in &why.next {
            lines.push(Line::default());
            say(
                &mut lines,
                &format!("Next: {}", step.text),
                theme.text,
                columns,
            );
            say(&mut lines, &step.line, theme.accent, columns);
        }
        for note in &why.notes {
            lines.push(Line::default());
            say(&mut lines, note, theme.dim, columns);
        }
    }
    lines
}

fn answer(lines: &mut Vec<Line<'static>>, why: &Why, theme: &Theme, columns: usize) {
    if why.answer.is_empty() {
        return;
    }
    lines.push(Line::default());
    say(
        lines,
        &why.answer,
        theme.accent.add_modifier(Modifier::BOLD),
        columns,
    );
    for cause in why.causes.iter().skip(1) {
        say(
            lines,
            &format!("Also {}: {}", cause.cause, cause.text),
            theme.text,
            columns,
        );
    }
}

fn numbers(lines: &mut Vec<Line<'static>>, node: &Node, theme: &Theme, columns: usize) {
    if node.rows.is_empty() {
        return;
    }
    let label = columns.saturating_sub(3 * (NUMBER + 1)).clamp(8, 40);
    let heading = |texts: [&str; 3]| {
        let numbers = texts.map(|text| format!(" {}", pad(text, NUMBER, Align::Right)));
        format!("{}{}", pad("", label, Align::Left), numbers.concat())
    };
    lines.push(Line::default());
    lines.push(Line::styled(
        heading(["before", "after", "effect"]),
        theme.dim,
    ));
    for row in &node.rows {
        let texts = row.texts();
        let numbers = texts.map(|text| format!(" {}", pad(&text, NUMBER, Align::Right)));
        let name = sanitize(&row.label);
        let name = pad(&truncate(&name, label), label, Align::Left);
        lines.push(Line::styled(
            format!("{name}{}", numbers.concat()),
            theme.text,
        ));
    }
}

fn say(lines: &mut Vec<Line<'static>>, text: &str, style: Style, columns: usize) {
    for line in text.lines().flat_map(|text| wrap(text, columns)) {
        lines.push(Line::styled(sanitize(line).into_owned(), style));
    }
}
