//! Author mode: the text with its line numbers, and what is said about it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::pane;
use crate::registry::{Diagnostic, Severity};
use crate::session::{Change, Figure, Sides};
use crate::tui::action::Action;
use crate::tui::author::{self, Author, MARGIN, Measured, Shows, cell_width, cells};
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::inside;
use crate::tui::state::State;
use crate::tui::theme::Theme;
use crate::tui::widgets::sql_view::diff;
use crate::tui::widgets::text::{Align, pad, truncate, width, wrap};

/// Changed values of the dimension that are listed for the changed metric, and for each of the others.
const PARTS: (usize, usize) = (12, 3);

/// Draws the file and what is said about it.
pub fn draw(state: &State, author: &Author, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let (text, said) = author::areas(state.size);
    hits.add(text, Target::Popup);
    hits.add(said, Target::Popup);
    let remark = match author {
        Author { conflict: true, .. } => Line::styled("changed on disk meanwhile", theme.error),
        _ if author.is_changed() => Line::styled("not saved", theme.warning),
        _ => Line::styled("saved", theme.dim),
    };
    window(frame, text, &author.path, remark, theme, author.typing);
    draw_text(author, theme, inside(text), frame);

    let title = match author.shows {
        Shows::Meaning if !author.problems().is_empty() => "What is wrong",
        Shows::Meaning => "What it means",
        Shows::Numbers => "Numbers before and after",
    };
    let area = inside(said);
    let lines = lines(state, author, usize::from(area.width));
    let below = lines
        .len()
        .saturating_sub(author.offset + usize::from(area.height));
    let remark = if below > 0 {
        Line::styled(format!("{below} more ↓"), theme.dim)
    } else {
        Line::default()
    };
    window(frame, said, title, remark, theme, !author.typing);
    let shown = lines.into_iter().skip(author.offset);
    for (line, y) in shown.zip(area.y..area.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        line.render(row, frame.buffer_mut());
    }
}

/// One of the two windows; the keys go to one of them.
fn window(
    to: &mut Frame<'_>,
    area: Rect,
    title: &str,
    remark: Line<'_>,
    theme: &Theme,
    focused: bool,
) {
    Clear.render(area, to.buffer_mut());
    to.buffer_mut().set_style(area, theme.text);
    pane::frame(to, area, title, remark, theme, focused);
}

/// The last offset that what is said can be scrolled to.
pub fn limit(state: &State, author: &Author) -> usize {
    let area = inside(author::areas(state.size).1);
    lines(state, author, usize::from(area.width))
        .len()
        .saturating_sub(usize::from(area.height))
}

fn has_errors(author: &Author) -> bool {
    let mut problems = author.problems().iter();
    problems.any(|found| found.severity == Severity::Error && found.file == author.path)
}

fn draw_text(author: &Author, theme: &Theme, area: Rect, frame: &mut Frame<'_>) {
    let (top, left) = author.corner;
    let (line, column) = author.cursor();
    let room = usize::from(area.width.saturating_sub(MARGIN));
    let shown = author.lines().iter().enumerate().skip(top);
    for ((index, text), y) in shown.zip(area.y..area.bottom()) {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let problem = author.problem(number);
        let (sign, style) = match problem.map(|found| found.severity) {
            Some(Severity::Error) => ("!", theme.error),
            Some(Severity::Warning) => ("~", theme.warning),
            None if index == line => ("›", theme.accent),
            None => (" ", theme.dim),
        };
        let mut spans = vec![Span::styled(format!("{sign}{number:>4} "), style)];
        spans.extend(coloured(text, problem, theme, left, room));
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        Line::from(spans).render(row, frame.buffer_mut());
    }
    let text = author.lines().get(line).map_or("", String::as_str);
    let x = cells(text, column).saturating_sub(left);
    let y = line.saturating_sub(top);
    if author.typing && x < room && y < usize::from(area.height) {
        let cells = |at: usize| u16::try_from(at).unwrap_or(0);
        frame.set_cursor_position((area.x + MARGIN + cells(x), area.y + cells(y)));
    }
}

/// The part of a line of YAML that is shown: its key, its comment, and the place a problem is about.
fn coloured<'a>(
    text: &str,
    problem: Option<&Diagnostic>,
    theme: &Theme,
    left: usize,
    room: usize,
) -> Vec<Span<'a>> {
    let key = key_length(text);
    let comment = comment_start(text);
    let wrong = problem
        .filter(|found| found.column > 0)
        .map(|found| usize::try_from(found.column - 1).unwrap_or(usize::MAX));
    let wrong_end = |from: usize| {
        let length = problem.map_or(1, |found| {
            found.found.lines().next().unwrap_or("").chars().count()
        });
        from + length.max(1)
    };
    let mut spans: Vec<(Style, String)> = Vec::new();
    let mut at = 0;
    for (index, c) in text.chars().enumerate() {
        let cells = cell_width(c);
        let from = at;
        at += cells;
        if from < left || at > left + room {
            continue;
        }
        let mut style = match index {
            _ if index >= comment => theme.comment,
            _ if index < key => theme.keyword,
            _ => theme.text,
        };
        if wrong.is_some_and(|wrong| (wrong..wrong_end(wrong)).contains(&index)) {
            style = theme.error.add_modifier(Modifier::UNDERLINED);
        }
        let shown = match c {
            '\t' => " ".repeat(cells),
            c if c.is_control() => "·".to_owned(),
            c => c.to_string(),
        };
        match spans.last_mut() {
            Some((last, run)) if *last == style => run.push_str(&shown),
            _ => spans.push((style, shown)),
        }
    }
    let span = |(style, run): (Style, String)| Span::styled(run, style);
    spans.into_iter().map(span).collect()
}

/// Characters up to the colon of a key.
fn key_length(text: &str) -> usize {
    let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    let before: Vec<char> = text.chars().take_while(|c| is_key(*c)).collect();
    let colon = text.chars().nth(before.len()) == Some(':');
    if colon { before.len() } else { 0 }
}

/// The character a comment starts at; the length of the line where there is none.
fn comment_start(text: &str) -> usize {
    let mut before = ' ';
    for (index, c) in text.chars().enumerate() {
        if c == '#' && before == ' ' {
            return index;
        }
        before = c;
    }
    usize::MAX
}

/// What is said about the text.
pub fn lines<'a>(state: &State, author: &'a Author, columns: usize) -> Vec<Line<'a>> {
    match author.shows {
        Shows::Meaning => meaning(author, &state.theme, columns),
        Shows::Numbers => numbers(state, author, columns),
    }
}

/// A text over several lines.
pub(super) fn say<'a>(lines: &mut Vec<Line<'a>>, text: &str, style: Style, columns: usize) {
    let wrapped = wrap(text, columns).into_iter();
    lines.extend(wrapped.map(|line| Line::styled(line.to_owned(), style)));
}

fn meaning<'a>(author: &'a Author, theme: &Theme, columns: usize) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let Some(draft) = &author.draft else {
        return vec![Line::styled("reading …", theme.dim)];
    };
    // What else is broken by an error here is put right with it.
    let broken = has_errors(author);
    let (shown, elsewhere): (Vec<_>, Vec<_>) = draft
        .problems
        .iter()
        .partition(|problem| problem.file == author.path || !broken);
    for problem in shown {
        let style = match problem.severity {
            Severity::Error => theme.error,
            Severity::Warning => theme.warning,
        };
        say(&mut lines, &problem.to_string(), style, columns);
    }
    if !elsewhere.is_empty() {
        let text = format!("and {} more in other files because of it", elsewhere.len());
        say(&mut lines, &text, theme.dim, columns);
    }
    if !draft.problems.is_empty() {
        lines.push(Line::default());
    }
    match &draft.sql {
        Sides {
            after: Err(reason), ..
        } => {
            say(
                &mut lines,
                &format!("no SQL: {reason}"),
                theme.error,
                columns,
            );
        }
        Sides {
            before: Ok(before),
            after: Ok(after),
        } if before == after => {
            lines.push(Line::styled("the SQL is the saved one", theme.dim));
            lines.extend(after.lines().map(|line| Line::raw(format!("  {line}"))));
        }
        Sides {
            before,
            after: Ok(after),
        } => {
            let before = before.as_deref().unwrap_or_default();
            lines.push(Line::styled("the SQL against the saved one", theme.dim));
            for (sign, line) in diff(before, after) {
                let style = match sign {
                    '+' => theme.good.add_modifier(Modifier::BOLD),
                    '-' => theme.error,
                    _ => theme.text,
                };
                lines.push(Line::styled(format!("{sign} {line}"), style));
            }
        }
    }
    lines.push(Line::default());
    let made_of_it = match draft.dependants.as_slice() {
        [] => format!("nothing else is made of {}", author.metric),
        names => format!("made of {}: {}", author.metric, names.join(", ")),
    };
    say(&mut lines, &made_of_it, theme.text, columns);
    lines
}

fn numbers<'a>(state: &State, author: &'a Author, columns: usize) -> Vec<Line<'a>> {
    let theme = &state.theme;
    let key = state.key(Action::AuthorNumbers);
    let mut lines = Vec::new();
    match &author.measured {
        Measured::No => {
            let text =
                format!("{key} computes the numbers before and after; nothing is saved by it");
            say(&mut lines, &text, theme.dim, columns);
        }
        Measured::Running(_) => {
            let text = format!("computing … {} stops", state.key_here(Action::Back));
            say(&mut lines, &text, theme.dim, columns);
        }
        Measured::Failed(error) => say(&mut lines, &error.to_string(), theme.error, columns),
        Measured::Done(text, change) => {
            if *text != author.text() {
                let stale = format!("of the text as it was; {key} computes anew");
                say(&mut lines, &stale, theme.warning, columns);
            }
            changed(&mut lines, change, theme, columns);
        }
    }
    lines
}

pub(super) fn changed<'a>(
    lines: &mut Vec<Line<'a>>,
    change: &'a Change,
    theme: &Theme,
    columns: usize,
) {
    for (index, figure) in change.figures.iter().enumerate() {
        let most = if index == 0 { PARTS.0 } else { PARTS.1 };
        figure_lines(
            lines,
            figure,
            change.dimension.as_deref(),
            most,
            theme,
            columns,
        );
    }
    for (metric, reason) in &change.broken {
        let text = format!("{metric} is broken by it: {reason}");
        say(lines, &text, theme.error, columns);
    }
    let is_alone = change.figures.iter().any(|figure| figure.is_alone);
    if change.figures.len() == 1 && change.broken.is_empty() && !is_alone {
        say(lines, "no other metric changes", theme.dim, columns);
    }
    if !change.further.is_empty() {
        let text = format!("changed too, not computed: {}", change.further.join(", "));
        say(lines, &text, theme.warning, columns);
    }
}

fn figure_lines<'a>(
    lines: &mut Vec<Line<'a>>,
    figure: &Figure,
    by: Option<&str>,
    most: usize,
    theme: &Theme,
    columns: usize,
) {
    match (&figure.total.before, &figure.total.after) {
        (_, Ok(after)) if figure.is_alone => {
            let number = figure.number(*after);
            lines.push(plain_row(
                &figure.metric,
                number,
                theme.header,
                theme,
                columns,
            ));
        }
        (_, Err(reason)) if figure.is_alone => {
            let text = format!("{}: {reason}", figure.metric);
            say(lines, &text, theme.dim, columns);
        }
        (Ok(before), Ok(after)) => {
            let value = Sides {
                before: *before,
                after: *after,
            };
            lines.push(row(
                &figure.metric,
                &value,
                figure,
                theme.header,
                theme,
                columns,
            ));
        }
        (before, after) => {
            for (word, side) in [("before", before), ("after", after)] {
                let text = match side {
                    Ok(value) => format!("{} {word}: {}", figure.metric, figure.number(*value)),
                    Err(reason) => format!("{} {word}: {reason}", figure.metric),
                };
                let style = if side.is_ok() {
                    theme.text
                } else {
                    theme.error
                };
                say(lines, &text, style, columns);
            }
        }
    }
    let Some(by) = by else { return };
    if figure.is_alone && !figure.parts.is_empty() {
        say(lines, &format!("  by {by}"), theme.dim, columns);
    }
    for part in figure.parts.iter().take(most) {
        let label = format!("  {}", part.label);
        if figure.is_alone {
            let number = figure.number(part.value.after);
            lines.push(plain_row(&label, number, theme.text, theme, columns));
            continue;
        }
        lines.push(row(&label, &part.value, figure, theme.text, theme, columns));
    }
    let more = figure.parts.len().saturating_sub(most);
    let rest = match (&figure.note, more, figure.same) {
        (Some(note), ..) => format!("  by {by}: {note}"),
        (None, 0, 0) => return,
        (None, 0, same) => format!("  {same} of {by} do not change"),
        (None, more, 0) => format!("  and {more} more of {by}"),
        (None, more, same) => format!("  {more} more of {by} change, {same} do not"),
    };
    say(lines, &rest, theme.dim, columns);
}

/// `EMEA   1,196`
fn plain_row<'a>(
    label: &str,
    number: String,
    style: Style,
    theme: &Theme,
    columns: usize,
) -> Line<'a> {
    let room = columns.saturating_sub(width(&number) + 1);
    let label = pad(&truncate(label, room), room, Align::Left);
    Line::from(vec![
        Span::styled(format!("{label} "), style),
        Span::styled(number, theme.text),
    ])
}

/// `EMEA   1,234 → 1,196   -3.1 %`
fn row<'a>(
    label: &str,
    value: &Sides<Option<f64>>,
    figure: &Figure,
    style: Style,
    theme: &Theme,
    columns: usize,
) -> Line<'a> {
    let numbers = format!(
        "{} → {}",
        figure.number(value.before),
        figure.number(value.after)
    );
    let (change, colour) = match value.percent() {
        _ if value.is_same() => ("same".to_owned(), theme.dim),
        Some(percent) if percent < 0.0 => (format!("{percent:+.1} %"), theme.error),
        Some(percent) => (format!("{percent:+.1} %"), theme.good),
        None => ("changed".to_owned(), theme.warning),
    };
    let right = width(&numbers) + 11;
    let room = columns.saturating_sub(right + 1);
    let label = pad(&truncate(label, room), room, Align::Left);
    Line::from(vec![
        Span::styled(format!("{label} "), style),
        Span::styled(numbers, theme.text),
        Span::styled(
            pad(&change, 11, Align::Right),
            colour.add_modifier(Modifier::BOLD),
        ),
    ])
}
