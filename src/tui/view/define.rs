//! The form that defines a metric, and the page beside it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::input::draw_input;
use super::pane;
use crate::govern::suggest::{Offer, State as Stand};
use crate::registry::Severity;
use crate::session::cell::sanitize;
use crate::session::define::{Defined, FirstNumbers};
use crate::tui::action::Action;
use crate::tui::define::{self, Define, FIELDS, First, Page, Row};
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::inside;
use crate::tui::popup::Popup;
use crate::tui::state::State;
use crate::tui::theme::Theme;
use crate::tui::widgets::sql_view::diff;
use crate::tui::widgets::text::{Align, pad, truncate, width, wrap};

/// Columns of the names of the fields.
const NAMES: usize = 12;
/// Lines below the form that say what is under the cursor.
const ABOUT: u16 = 4;
/// Lines around a change that are shown.
const AROUND: usize = 2;

/// A line of the form.
struct FormLine<'a> {
    row: Option<Row>,
    line: Line<'a>,
}

/// Draws the form, the page, or both.
pub fn draw(state: &State, form: &Define, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let (left, right) = define::areas(state.size, form.page);
    if let Some(area) = left {
        draw_form(state, form, area, frame, hits);
    }
    if let Some(area) = right {
        draw_page(state, form, area, left.is_none(), frame, hits);
    }
}

/// Keeps the row under the cursor on the screen, and the page within its lines.
pub fn settle(state: &mut State) {
    let Some(Popup::Define(form)) = state.popups.last() else {
        return;
    };
    let (left, right) = define::areas(state.size, form.page);
    let (mut top, mut offset) = (form.top, form.offset);
    if let Some(area) = left {
        let area = rows_area(inside(area));
        let lines = form_lines(state, form, usize::from(area.width));
        let here = form.row();
        let at = lines
            .iter()
            .position(|line| line.row == Some(here))
            .unwrap_or(0);
        let height = usize::from(area.height).max(1);
        // The heading above the first offer of its kind is seen with it.
        let first = at.saturating_sub(usize::from(matches!(here, Row::Offer(_))));
        top = top.min(first).max((at + 1).saturating_sub(height));
        top = top.min(lines.len().saturating_sub(height));
    }
    if let Some(area) = right {
        let area = inside(area);
        let lines = page_lines(state, form, usize::from(area.width)).len();
        offset = offset.min(lines.saturating_sub(usize::from(area.height)));
    }
    if let Some(Popup::Define(form)) = state.popups.last_mut() {
        form.top = top;
        form.offset = offset;
    }
}

/// The form without what is said of the row under the cursor.
fn rows_area(inner: Rect) -> Rect {
    Rect {
        height: inner.height.saturating_sub(ABOUT),
        ..inner
    }
}

fn draw_form(state: &State, form: &Define, area: Rect, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    hits.add(area, Target::Popup);
    let remark = match (&form.writing, form.asking, &form.refusal) {
        (Some(_), ..) => Line::styled("writing …", theme.dim),
        (_, Some(_), _) => Line::styled("looking …", theme.dim),
        (_, _, Some(_)) => Line::styled("not written", theme.error),
        _ if form.is_unwritten => Line::styled("not written yet", theme.warning),
        _ => Line::default(),
    };
    pane::window(frame, area, Page::Form.title(), remark, theme);
    let inner = inside(area);
    let rows = rows_area(inner);
    let columns = usize::from(rows.width);
    let lines = form_lines(state, form, columns);
    let here = form.row();
    for (one, y) in lines.into_iter().skip(form.top).zip(rows.y..rows.bottom()) {
        let place = Rect {
            y,
            height: 1,
            ..rows
        };
        one.line.render(place, frame.buffer_mut());
        let Some(row) = one.row else { continue };
        hits.add(place, Target::DefineRow(row));
        if row == here {
            draw_text(form, row, place, theme, frame);
        }
    }
    let below = Rect {
        y: rows.bottom(),
        height: inner.bottom().saturating_sub(rows.bottom()),
        ..inner
    };
    for (line, y) in about(state, form, columns)
        .into_iter()
        .zip(below.y..below.bottom())
    {
        let place = Rect {
            y,
            height: 1,
            ..below
        };
        line.render(place, frame.buffer_mut());
    }
}

/// The text that is typed, with the cursor.
fn draw_text(form: &Define, row: Row, place: Rect, theme: &Theme, frame: &mut Frame<'_>) {
    let (input, indent) = match (&form.change, form.input(row)) {
        (Some(change), _) => (change, 6),
        (None, Some(input)) => (input, NAMES + 2),
        (None, None) => return,
    };
    let indent = u16::try_from(indent).unwrap_or(0);
    let place = Rect {
        x: place.x + indent,
        width: place.width.saturating_sub(indent),
        ..place
    };
    ratatui::widgets::Clear.render(place, frame.buffer_mut());
    frame.buffer_mut().set_style(place, theme.text);
    draw_input(frame, place, input, theme, true);
}

/// Every line of the form.
fn form_lines<'a>(state: &'a State, form: &'a Define, columns: usize) -> Vec<FormLine<'a>> {
    let theme = &state.theme;
    let here = form.row();
    let mut lines = Vec::new();
    let mut heading = None;
    for row in form.rows() {
        let sign = if row == here { "› " } else { "  " };
        let sign = Span::styled(sign, theme.accent);
        if let Row::Offer(at) = row {
            let Some(offer) = form.offers().get(at) else {
                continue;
            };
            if heading != Some(offer.kind) {
                heading = Some(offer.kind);
                let line = Line::styled(offer.kind.heading(), theme.header);
                lines.push(FormLine { row: None, line });
            }
            let line = offer_line(offer, sign, row == here, theme, columns);
            lines.push(FormLine {
                row: Some(row),
                line,
            });
            continue;
        }
        let text = form.input(row).map_or("", |input| input.text());
        let (name, shown, style) = match row {
            Row::Field(1) if text.is_empty() => (
                "Short name".to_owned(),
                form.idea().metric_name(),
                theme.dim,
            ),
            Row::Field(at) => (
                FIELDS.get(at).copied().unwrap_or_default().to_owned(),
                text.to_owned(),
                theme.text,
            ),
            Row::Rule(_) if text.is_empty() => ("Rule +".to_owned(), String::new(), theme.dim),
            Row::Rule(at) => (format!("Rule {}", at + 1), text.to_owned(), theme.text),
            Row::Offer(_) => continue,
        };
        let room = columns.saturating_sub(NAMES + 2);
        let line = Line::from(vec![
            sign,
            Span::styled(pad(&name, NAMES, Align::Left), theme.dim),
            Span::styled(truncate(&shown, room).into_owned(), style),
        ]);
        lines.push(FormLine {
            row: Some(row),
            line,
        });
    }
    lines
}

fn offer_line<'a>(
    offer: &Offer,
    sign: Span<'a>,
    here: bool,
    theme: &Theme,
    columns: usize,
) -> Line<'a> {
    let (mark, style) = match offer.state {
        Stand::Taken => ("[x] ", theme.text),
        Stand::Refused => ("[ ] ", theme.dim),
        Stand::Known => (" ·  ", theme.text),
    };
    let style = if here {
        style.add_modifier(Modifier::BOLD)
    } else {
        style
    };
    let text = match offer.text.as_str() {
        "" => format!("? {}", offer.about),
        text => text.to_owned(),
    };
    let text = sanitize(&text).into_owned();
    let room = columns.saturating_sub(6);
    let text = truncate(&text, room).into_owned();
    let left = room.saturating_sub(width(&text) + 2);
    let why = match left > 8 {
        true => truncate(&sanitize(&offer.why), left).into_owned(),
        false => String::new(),
    };
    Line::from(vec![
        sign,
        Span::styled(mark, style),
        Span::styled(text, style),
        Span::raw("  "),
        Span::styled(why, theme.dim),
    ])
}

/// What is said of the row under the cursor.
fn about<'a>(state: &State, form: &Define, columns: usize) -> Vec<Line<'a>> {
    let theme = &state.theme;
    let mut lines = vec![Line::styled("─".repeat(columns), theme.border)];
    let mut say = |text: &str, style: Style| {
        let text = sanitize(text);
        let wrapped = wrap(&text, columns).into_iter();
        lines.extend(wrapped.map(|line| Line::styled(line.to_owned(), style)));
    };
    if let Some(refusal) = &form.refusal {
        say(&refusal.message, theme.error);
    }
    let enter = state.key(Action::DefineEnter);
    match (form.row(), form.offer()) {
        (_, Some(_)) if form.change.is_some() => {
            say(
                &format!("{enter} takes it; an empty text is what was suggested"),
                theme.dim,
            );
        }
        (_, Some(offer)) => {
            if !offer.about.is_empty() {
                say(&offer.about, theme.header);
            }
            say(&offer.why, theme.text);
        }
        (Row::Field(0), _) => say("its name for people: Contracted MRR", theme.dim),
        (Row::Field(1), _) => say(
            "its name in query lines; made of the name where it is empty",
            theme.dim,
        ),
        (Row::Field(2), _) => say("its shelf in the catalog", theme.dim),
        (Row::Field(3), _) => say("who answers for it", theme.dim),
        (Row::Field(_), _) => say(
            "what it means, in a sentence; its words find the table",
            theme.dim,
        ),
        _ => say(
            "one rule in plain words: Exclude trial subscriptions · Only count active and past_due · Convert annual contracts to monthly equivalent",
            theme.dim,
        ),
    }
    lines
}

fn draw_page(
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
    let lines = page_lines(state, form, usize::from(inner.width));
    let below = lines
        .len()
        .saturating_sub(form.offset + usize::from(inner.height));
    let remark = match below {
        0 => Line::default(),
        below => Line::styled(format!("{below} more ↓"), theme.dim),
    };
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

fn page_lines<'a>(state: &State, form: &'a Define, columns: usize) -> Vec<Line<'a>> {
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
            lines.extend(sql.lines().map(|line| Line::styled(line, theme.text)));
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
            format!("most like {}, and otherwise:", nearest.metric),
            theme.header,
        ),
    };
    say(lines, &text, style, columns);
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
        lines.push(Line::styled(format!("{sign} {line}"), style));
    }
}
