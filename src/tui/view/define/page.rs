//! The page beside the form: SQL, first numbers, the metric that is most alike, and what is written.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::registry::Severity;
use crate::session::cell::sanitize;
use crate::session::define::{Defined, FirstNumbers};
use crate::tui::action::Action;
use crate::tui::define::{Define, First, Page};
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::inside;
use crate::tui::state::State;
use crate::tui::theme::Theme;
use crate::tui::view::pane;
use crate::tui::widgets::sql_view::diff;
use crate::tui::widgets::text::{Align, pad, width, wrap};

/// Lines around a change that are shown.
const AROUND: usize = 2;
/// How much farther in a line goes on that is too long.
const HANGING: usize = 4;

/// Draws the page.
pub(super) fn draw(
    state: &State,
    form: &Define,
    area: Rect,
    focused: bool,
    frame: &mut Frame<'_>,
    hits: &mut HitMap,
) {
    let theme = &state.theme;
    hits.add(area, Target::Popup);
    let inner = inside(area);
    let lines = lines(state, form, usize::from(inner.width));
    let below = lines
        .len()
        .saturating_sub(form.offset + usize::from(inner.height));
    let mut remark = match (below, focused) {
        (0, _) => String::new(),
        (below, true) => format!("{below} more ↓ · "),
        (below, false) => format!("{below} more, {} · ", state.key_here(Action::PageDown)),
    };
    let next = form.page.next(!focused);
    remark.push_str(&format!(
        "{} {}",
        state.key(Action::DefinePage),
        next.title()
    ));
    let remark = Line::styled(remark, theme.dim);
    ratatui::widgets::Clear.render(area, frame.buffer_mut());
    frame.buffer_mut().set_style(area, theme.text);
    pane::frame(
        frame,
        area,
        shown(form.page).title(),
        remark,
        theme,
        focused,
    );
    for (line, y) in lines
        .into_iter()
        .skip(form.offset)
        .zip(inner.y..inner.bottom())
    {
        let place = Rect {
            y,
            height: 1,
            ..inner
        };
        line.render(place, frame.buffer_mut());
    }
}

/// The page beside the form.
fn shown(page: Page) -> Page {
    match page {
        Page::Form => Page::Sql,
        page => page,
    }
}

fn say<'a>(lines: &mut Vec<Line<'a>>, text: &str, style: Style, columns: usize) {
    let text = sanitize(text);
    let wrapped = wrap(&text, columns).into_iter();
    lines.extend(wrapped.map(|line| Line::styled(line.to_owned(), style)));
}

/// Every line of the page.
pub(super) fn lines<'a>(state: &State, form: &'a Define, columns: usize) -> Vec<Line<'a>> {
    let theme = &state.theme;
    let mut lines = Vec::new();
    let Some(defined) = &form.defined else {
        say(
            &mut lines,
            "a name and a sentence are enough to begin with",
            theme.dim,
            columns,
        );
        return lines;
    };
    for note in &defined.notes {
        say(&mut lines, note, theme.warning, columns);
    }
    match shown(form.page) {
        Page::Form | Page::Sql => sql(&mut lines, defined, theme, columns),
        Page::Numbers => numbers(&mut lines, state, form, columns),
        Page::Alike => alike(&mut lines, form, defined, theme, columns),
        Page::File => file(&mut lines, defined, theme, columns),
    }
    lines
}

/// A line of a text whose indentation counts; what is too long goes on below, farther in.
fn code(lines: &mut Vec<Line<'_>>, sign: &str, line: &str, style: Style, columns: usize) {
    let line = sanitize(line);
    let room = columns.saturating_sub(width(sign));
    if width(&line) <= room {
        lines.push(Line::styled(format!("{sign}{line}"), style));
        return;
    }
    let text = line.trim_start();
    let indent = line.len() - text.len();
    let room = room.saturating_sub(indent + HANGING).max(HANGING);
    for (at, part) in wrap(text, room).into_iter().enumerate() {
        let indent = if at == 0 { indent } else { indent + HANGING };
        lines.push(Line::styled(
            format!("{sign}{}{part}", " ".repeat(indent)),
            style,
        ));
    }
}

fn sql<'a>(lines: &mut Vec<Line<'a>>, defined: &'a Defined, theme: &Theme, columns: usize) {
    for problem in &defined.problems {
        let style = match problem.severity {
            Severity::Error => theme.error,
            Severity::Warning => theme.warning,
        };
        say(lines, &problem.to_string(), style, columns);
    }
    if let Some(missing) = &defined.missing {
        say(lines, missing, theme.warning, columns);
    }
    match &defined.sql {
        Ok(sql) => {
            say(lines, &defined.line, theme.accent, columns);
            for line in sql.lines() {
                code(lines, "", line, theme.text, columns);
            }
        }
        Err(reason) if defined.missing.is_none() => say(lines, reason, theme.error, columns),
        Err(_) => {}
    }
    let applies = |applies: bool| {
        let dimensions = defined.dimensions.iter();
        dimensions.filter(move |one| one.reachable.is_ok() == applies)
    };
    let names: Vec<&str> = applies(true).map(|one| one.name.as_str()).collect();
    if !names.is_empty() {
        lines.push(Line::default());
        say(
            lines,
            &format!("can be cut by {}", names.join(", ")),
            theme.text,
            columns,
        );
    }
    for one in applies(false) {
        if let Err(reason) = &one.reachable {
            say(
                lines,
                &format!("not by {}: {reason}", one.name),
                theme.dim,
                columns,
            );
        }
    }
}

fn numbers<'a>(lines: &mut Vec<Line<'a>>, state: &State, form: &'a Define, columns: usize) {
    let theme = &state.theme;
    let key = state.key(Action::DefinePreview);
    match &form.first {
        First::No => say(
            lines,
            &format!("{key} computes them; nothing is written by it"),
            theme.dim,
            columns,
        ),
        First::Running(_) => {
            let text = format!("computing … {} stops", state.key_here(Action::Back));
            say(lines, &text, theme.dim, columns);
        }
        First::Failed(reason, dear) => {
            say(lines, reason, theme.error, columns);
            if *dear {
                say(
                    lines,
                    &format!("{key} runs it all the same"),
                    theme.text,
                    columns,
                );
            }
        }
        First::Done(first) => {
            if form.is_old() {
                let text = format!("of the definition as it was; {key} computes anew");
                say(lines, &text, theme.warning, columns);
            }
            table(lines, first, theme, columns);
        }
    }
}

fn table<'a>(lines: &mut Vec<Line<'a>>, first: &'a FirstNumbers, theme: &Theme, columns: usize) {
    say(lines, &first.line, theme.accent, columns);
    let name = first.line.split(' ').next().unwrap_or_default();
    let other = first.nearest.as_deref().unwrap_or_default();
    let rows = first.rows.iter();
    let of = rows
        .clone()
        .map(|row| width(&row.of))
        .max()
        .unwrap_or(0)
        .max(8);
    let own = rows
        .clone()
        .map(|row| width(&row.number))
        .max()
        .unwrap_or(0)
        .max(width(name));
    let beside = rows
        .clone()
        .map(|row| width(&row.nearest))
        .max()
        .unwrap_or(0)
        .max(width(other));
    let line = |of_text: &str, number: &str, nearest: &str, style: Style| {
        Line::from(vec![
            Span::styled(pad(of_text, of + 2, Align::Left), theme.dim),
            Span::styled(pad(number, own, Align::Right), style),
            Span::styled(
                format!("   {}", pad(nearest, beside, Align::Right)),
                theme.dim,
            ),
        ])
    };
    lines.push(line("", name, other, theme.header));
    lines.extend(rows.map(|row| line(&row.of, &row.number, &row.nearest, theme.text)));
    if let Some(note) = &first.note {
        say(
            lines,
            &format!("no numbers of {other}: {note}"),
            theme.dim,
            columns,
        );
    }
}

fn alike<'a>(
    lines: &mut Vec<Line<'a>>,
    form: &'a Define,
    defined: &'a Defined,
    theme: &Theme,
    columns: usize,
) {
    let Some(nearest) = &defined.nearest else {
        say(lines, "no metric is like it", theme.dim, columns);
        return;
    };
    let (text, style) = match nearest.is_same {
        true => (
            format!("{} means the same already", nearest.metric),
            theme.warning,
        ),
        false => (
            format!("most like {}; compared with it:", nearest.metric),
            theme.header,
        ),
    };
    say(lines, &text, style, columns);
    let (other, own) = (&nearest.means.before, &nearest.means.after);
    for (name, means) in [(&nearest.metric, other), (&defined.name, own)] {
        say(lines, &format!("{name} is {means}"), theme.text, columns);
    }
    for difference in &nearest.differs {
        say(
            lines,
            &format!("· {}", difference.text),
            theme.text,
            columns,
        );
    }
    for offer in form
        .offers()
        .iter()
        .filter(|offer| offer.id.starts_with("similar: "))
    {
        lines.push(Line::default());
        say(lines, &offer.text, theme.accent, columns);
        say(lines, &offer.why, theme.dim, columns);
    }
}

fn file<'a>(lines: &mut Vec<Line<'a>>, defined: &'a Defined, theme: &Theme, columns: usize) {
    say(lines, &defined.path, theme.accent, columns);
    let all = diff(&defined.text.before, &defined.text.after);
    let is_near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        let mut near = all.iter().skip(from).take(at - from + AROUND + 1);
        near.any(|(sign, _)| *sign != ' ')
    };
    for (_, (sign, line)) in all.iter().enumerate().filter(|(at, _)| is_near(*at)) {
        let style = match sign {
            '+' => theme.good,
            '-' => theme.error,
            _ => theme.dim,
        };
        code(lines, &format!("{sign} "), line, style, columns);
    }
}
