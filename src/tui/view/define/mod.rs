//! The form that defines a metric, and the page beside it.

mod page;

use indexmap::IndexMap;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::input::draw_input;
use super::pane;
use crate::govern::suggest::{Offer, State as Stand};
use crate::model::Metric;
use crate::session::cell::sanitize;
use crate::tui::action::Action;
use crate::tui::define::{self, Define, FIELDS, Page, Row};
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::inside;
use crate::tui::popup::Popup;
use crate::tui::state::State;
use crate::tui::theme::Theme;
use crate::tui::widgets::text::{Align, pad, truncate, width, wrap};

/// Columns of the names of the fields.
const NAMES: usize = 12;
/// Lines below the form that say what is under the cursor, where they are enough.
const ABOUT: u16 = 4;

/// Most names that other metrics have in a field.
const KNOWN: usize = 12;

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
        page::draw(state, form, area, left.is_none(), frame, hits);
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
        let inner = inside(area);
        let about = about(state, form, usize::from(inner.width)).len();
        let area = rows_area(inner, about);
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
        let lines = page::lines(state, form, usize::from(area.width)).len();
        offset = offset.min(lines.saturating_sub(usize::from(area.height)));
    }
    if let Some(Popup::Define(form)) = state.popups.last_mut() {
        form.top = top;
        form.offset = offset;
    }
}

/// The form without the lines that say what is under the cursor.
fn rows_area(inner: Rect, about: usize) -> Rect {
    let about = u16::try_from(about).unwrap_or(u16::MAX);
    let about = about.max(ABOUT).min(inner.height / 2);
    Rect {
        height: inner.height.saturating_sub(about),
        ..inner
    }
}

fn draw_form(state: &State, form: &Define, area: Rect, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    hits.add(area, Target::Popup);
    let remark = match (&form.writing, form.asking, &form.refusal) {
        (Some(_), ..) => Line::styled("writing …", theme.dim),
        _ if form.proposing.is_some() => Line::styled("asking the model …", theme.dim),
        (_, Some(_), _) => Line::styled("looking …", theme.dim),
        (_, _, Some(_)) => Line::styled("not written", theme.error),
        _ if form.is_unwritten => Line::styled("not written yet", theme.warning),
        _ if form.is_draft => Line::styled("a draft, not published yet", theme.warning),
        _ => Line::default(),
    };
    pane::window(frame, area, Page::Form.title(), remark, theme);
    let inner = inside(area);
    let columns = usize::from(inner.width);
    let about = about(state, form, columns);
    let rows = rows_area(inner, about.len());
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
    for (line, y) in about.into_iter().zip(below.y..below.bottom()) {
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
            // Without colours too one sees what is not understood.
            Row::Rule(at) => {
                let taken = form.meaning(text).is_none_or(Offer::is_taken);
                let sign = if taken { "" } else { " ?" };
                (
                    format!("Rule {}{sign}", at + 1),
                    text.to_owned(),
                    theme.text,
                )
            }
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
    if form.offers().is_empty() {
        let told = introduction(state).into_iter();
        let told = told.flat_map(|text| {
            let wrapped = wrap(&text, columns.saturating_sub(2)).into_iter();
            let own: Vec<String> = wrapped.map(|line| format!("  {line}")).collect();
            std::iter::once(String::new()).chain(own)
        });
        lines.extend(told.map(|text| FormLine {
            row: None,
            line: Line::styled(text, theme.dim),
        }));
    }
    lines
}

/// What a person reads who has never seen it.
fn introduction(state: &State) -> [String; 3] {
    let key = |action| state.key(action);
    [
        "A name and a sentence are enough to begin with. What they suggest comes here: the table, what is added up, \
         what the rules mean, checks, each with its reason."
            .to_owned(),
        format!(
            "{} goes to the next row. {} takes a suggestion or refuses it, {} changes it.",
            state.key_here(Action::Down),
            key(Action::DefineToggle),
            key(Action::DefineChange),
        ),
        format!(
            "{} shows the first numbers, {} the SQL and what would be written. What is typed is kept until it is \
             published.",
            key(Action::DefinePreview),
            key(Action::DefinePage),
        ),
    ]
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
    let obstacle = form.defined.as_ref().and_then(|_| form.obstacle());
    match (&form.refusal, obstacle) {
        (Some(refusal), _) => say(&refusal.message, theme.error),
        (None, Some(reason)) => say(&reason, theme.warning),
        (None, None) => {}
    }
    let room = columns.saturating_sub(NAMES + 2);
    let typed = form.input(form.row()).map_or("", |input| input.text());
    if form.change.is_none() && width(typed) > room {
        say(typed, theme.text);
    }
    match (form.row(), form.offer()) {
        (_, Some(_)) if form.change.is_some() => say(
            &format!(
                "{} takes it, {} leaves it as it was; an empty text is what was suggested",
                state.key(Action::DefineEnter),
                state.key_here(Action::Back)
            ),
            theme.dim,
        ),
        (_, Some(offer)) => {
            if !offer.about.is_empty() {
                say(&offer.about, theme.header);
            }
            if width(&offer.text) > columns.saturating_sub(6) {
                say(&offer.text, theme.text);
            }
            say(&offer.why, theme.text);
        }
        (Row::Field(0), _) => say("its name for people: Contracted MRR", theme.dim),
        (Row::Field(1), _) => say(
            "its name in query lines; made of the name where it is empty",
            theme.dim,
        ),
        (Row::Field(2), _) => say(
            &format!(
                "its shelf in the catalog: {}",
                known(state, |one| Some(&one.category))
            ),
            theme.dim,
        ),
        (Row::Field(3), _) => say(
            &format!(
                "who answers for it: {}",
                known(state, |one| one.owner.as_ref())
            ),
            theme.dim,
        ),
        (Row::Field(_), _) => say(
            "what it means, in a sentence; its words find the table",
            theme.dim,
        ),
        _ => match form.meaning(typed) {
            Some(offer) if offer.is_taken() => {
                say(&offer.text, theme.header);
                say(&offer.why, theme.text);
            }
            Some(offer) => say(&format!("not taken: {}", offer.why), theme.warning),
            None => say(
                "one rule in plain words: Exclude trial subscriptions · Only count active and past_due · Convert \
                 annual contracts to monthly equivalent",
                theme.dim,
            ),
        },
    }
    lines
}

/// What other metrics have there, the most used first.
fn known(state: &State, of: impl Fn(&Metric) -> Option<&String>) -> String {
    let mut counts: IndexMap<&str, usize> = IndexMap::new();
    for text in state.catalog.registry.metrics.values().filter_map(of) {
        *counts.entry(text).or_default() += 1;
    }
    counts.sort_by(|_, one, _, other| other.cmp(one));
    let names: Vec<&str> = counts.keys().take(KNOWN).copied().collect();
    names.join(" · ")
}
