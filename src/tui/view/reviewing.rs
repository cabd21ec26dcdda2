//! The review screen: the list, and what there is to know about the selected one.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::author::{changed, say};
use super::input::draw_input;
use super::{catalog, pane};
use crate::session::meaning::Touches;
use crate::session::{Review, Reviewed, Sides};
use crate::tui::action::Action;
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::inside;
use crate::tui::reviewing::{self, Reviewing, Weighing};
use crate::tui::state::State;
use crate::tui::theme::Theme;
use crate::tui::widgets::sql_view::diff;
use crate::tui::widgets::text::{Align, pad, sanitize, width, without_middle, wrap};

/// A line that is indented far is wrapped to this much all the same.
const WRAPPED: usize = 20;

/// Draws the screen.
pub fn draw(state: &State, open: &Reviewing, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let (list, said) = reviewing::areas(state.size);
    hits.add(list, Target::Popup);
    hits.add(said, Target::Popup);
    let rows = open.list.as_deref().unwrap_or_default();
    let count = match (&open.list, open.all) {
        (None, _) => "reading…".to_owned(),
        (Some(_), true) => format!("all {}", rows.len()),
        (Some(_), false) => format!("{} waiting", rows.len()),
    };
    pane::window(frame, list, "Review", Line::styled(count, theme.dim), theme);
    draw_list(open, rows, theme, inside(list), frame);

    let remark = match (&open.judging, &open.weighed) {
        (Some(_), _) => Line::styled("writing…", theme.warning),
        (None, Weighing::Running(_)) => Line::styled("computing…", theme.warning),
        _ => Line::default(),
    };
    let title = open.selected.as_deref().unwrap_or("Nothing waits");
    pane::window(frame, said, title, remark, theme);
    let mut area = inside(said);
    if let Some(wording) = &open.wording {
        area.height = area.height.saturating_sub(1);
        let row = Rect {
            y: area.bottom(),
            height: 1,
            ..area
        };
        let question = format!("{}: ", wording.question());
        let cells = u16::try_from(width(&question)).unwrap_or(0).min(row.width);
        Span::styled(question, theme.accent).render(row, frame.buffer_mut());
        let text = Rect {
            x: row.x + cells,
            width: row.width - cells,
            ..row
        };
        draw_input(frame, text, &wording.input, theme, true);
    }
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

fn draw_list(
    open: &Reviewing,
    rows: &[Reviewed],
    theme: &Theme,
    area: Rect,
    frame: &mut Frame<'_>,
) {
    let columns = usize::from(area.width);
    let stages = rows.iter().map(|one| width(one.stage.word())).max();
    let names = rows.iter().map(|one| width(&one.name)).max().unwrap_or(0);
    let names = names.min(columns.saturating_sub(stages.unwrap_or(0) + 6));
    let shown = rows.iter().skip(open.top).zip(area.y..area.bottom());
    for (one, y) in shown {
        let is_here = Some(&one.name) == open.selected.as_ref();
        let (sign, style) = catalog::status(one.stage, theme);
        let pointer = if is_here { "› " } else { "  " };
        let name = match is_here {
            true => theme.accent.add_modifier(Modifier::BOLD),
            false => theme.text,
        };
        let metric = without_middle(&one.name, names);
        let line = Line::from(vec![
            Span::styled(pointer, theme.accent),
            Span::styled(format!("{sign} "), style),
            Span::styled(pad(&metric, names, Align::Left), name),
            Span::raw("  "),
            Span::styled(one.stage.word(), theme.dim),
        ]);
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

/// The last offset that what is said can be scrolled to.
pub fn limit(state: &State, open: &Reviewing) -> usize {
    let area = inside(reviewing::areas(state.size).1);
    let rows = usize::from(area.height).saturating_sub(usize::from(open.wording.is_some()));
    let lines = lines(state, open, usize::from(area.width)).len();
    lines.saturating_sub(rows)
}

/// What there is to know about the selected one.
pub fn lines<'a>(state: &State, open: &'a Reviewing, columns: usize) -> Vec<Line<'a>> {
    let theme = &state.theme;
    let mut lines = Vec::new();
    match &open.review {
        Some(Ok(review)) => about(&mut lines, state, open, review, columns),
        Some(Err(reason)) => say(&mut lines, reason, theme.error, columns),
        None if open.selected.is_some() => {
            lines.push(Line::styled("reading…", theme.dim));
        }
        None => {
            let key = state.key_here(Action::ReviewAll);
            let text = format!("nothing waits for a judgement; {key} lists every metric");
            say(&mut lines, &text, theme.dim, columns);
        }
    }
    for problem in &open.broken {
        say(&mut lines, problem, theme.error, columns);
    }
    lines
}

fn about<'a>(
    lines: &mut Vec<Line<'a>>,
    state: &State,
    open: &'a Reviewing,
    review: &'a Review,
    columns: usize,
) {
    let theme = &state.theme;
    let (_, style) = catalog::status(review.stage, theme);
    let on = review.on.map(|day| day.to_string());
    let from = review.from.and_then(|from| from.words());
    let from = from.map(str::to_owned);
    let who = [Some(review.by.clone()), on, from].into_iter().flatten();
    let who: Vec<String> = who.filter(|text| !text.is_empty()).collect();
    let mut head = vec![Span::styled(review.stage.words(), style)];
    if !who.is_empty() {
        head.push(Span::styled(format!("  {}", who.join(", ")), theme.dim));
    }
    lines.push(Line::from(head));
    for text in [&review.title, &review.why, &review.formula] {
        if !text.is_empty() {
            say(lines, text, theme.text, columns);
        }
    }
    if let Some(approved) = review.approved() {
        say(lines, &format!("approved {approved}"), theme.dim, columns);
    }
    if let Some(trouble) = &review.trouble {
        say(
            lines,
            &format!("cannot be published: {trouble}"),
            theme.error,
            columns,
        );
    }
    if review.is_change() {
        heading(lines, "What changes in meaning", theme);
        for difference in &review.differences {
            let style = match difference.touches {
                Touches::Numbers => theme.warning,
                _ => theme.text,
            };
            say(lines, &format!("- {}", difference.text), style, columns);
        }
    }
    heading(lines, "Numbers", theme);
    numbers(lines, state, open, columns);
    let Sides { before, after } = &review.definition;
    heading(lines, "Definition", theme);
    let (before, after) = (
        before.as_deref().unwrap_or_default(),
        after.as_deref().unwrap_or_default(),
    );
    both(lines, (before, after), theme, columns);
    heading(lines, "SQL", theme);
    match &review.sql {
        Sides {
            after: Err(reason), ..
        } => say(lines, reason, theme.error, columns),
        Sides {
            before,
            after: Ok(after),
        } => {
            let before = before.as_deref().unwrap_or_default();
            both(lines, (before, after), theme, columns);
        }
    }
    let made = match review.dependants.is_empty() {
        true => "nothing is made of it".to_owned(),
        false => format!("made of it: {}", review.dependants.join(", ")),
    };
    lines.push(Line::default());
    say(lines, &made, theme.text, columns);
    if !review.history.is_empty() {
        heading(lines, "History", theme);
    }
    for event in &review.history {
        let on = event.on.map(|day| format!("{day} ")).unwrap_or_default();
        let why = match event.why.is_empty() {
            true => String::new(),
            false => format!(": {}", event.why),
        };
        let text = format!("{on}{} by {}{why}", event.step.word(), event.by);
        say(lines, &text, theme.text, columns);
    }
}

fn heading(lines: &mut Vec<Line<'_>>, text: &'static str, theme: &Theme) {
    lines.push(Line::default());
    lines.push(Line::styled(text, theme.header));
}

/// The lines of both texts, with a sign where only one has them; long ones go on below, further in.
fn both<'a>(
    lines: &mut Vec<Line<'a>>,
    (before, after): (&'a str, &'a str),
    theme: &Theme,
    columns: usize,
) {
    for (sign, line) in diff(before, after) {
        let style = match sign {
            '+' => theme.good.add_modifier(Modifier::BOLD),
            '-' => theme.error,
            _ => theme.text,
        };
        let sign = if before == after { ' ' } else { sign };
        let line = sanitize(line);
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if width(&line) + 2 <= columns {
            lines.push(Line::styled(format!("{sign} {line}"), style));
            continue;
        }
        let room = columns.saturating_sub(indent + 4).max(WRAPPED);
        for (index, piece) in wrap(text, room).into_iter().enumerate() {
            let hanging = if index == 0 { 0 } else { 2 };
            let spaces = " ".repeat(indent + hanging);
            lines.push(Line::styled(format!("{sign} {spaces}{piece}"), style));
        }
    }
}

fn numbers<'a>(lines: &mut Vec<Line<'a>>, state: &State, open: &'a Reviewing, columns: usize) {
    let theme = &state.theme;
    let key = state.key_here(Action::ReviewNumbers);
    match &open.weighed {
        Weighing::No => {
            let text = format!("{key} computes them and runs the checks; nothing is written by it");
            say(lines, &text, theme.dim, columns);
        }
        Weighing::Running(_) => {
            let text = format!("computing … {} stops", state.key_here(Action::Back));
            say(lines, &text, theme.dim, columns);
        }
        Weighing::Failed(error) => say(lines, &error.to_string(), theme.error, columns),
        Weighing::Done(weighed) => {
            changed(lines, &weighed.change, theme, columns);
            for check in &weighed.checks {
                let (failing, style) = match check.passed() {
                    true => ("", theme.good),
                    false => (" fails", theme.error),
                };
                let text = format!("{}{failing}: {}", check.check.word(), check.looked_at);
                say(lines, &text, style, columns);
                for problem in &check.problems {
                    say(lines, problem, theme.error, columns);
                }
            }
        }
    }
}
