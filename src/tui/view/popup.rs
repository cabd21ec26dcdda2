//! Windows on top of the panes: lists, texts, questions.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::input::draw_input;
use super::{
    author, behind, dates, define, files, menu, naming, pane, policy, reviewing, row, spread, why,
};
use crate::tui::action::Action;
use crate::tui::commands;
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::{self, Layout, inside};
use crate::tui::message::Excerpt;
use crate::tui::popup::{Page, Picker, PickerKind, Popup, Question, Reader, Tree};
use crate::tui::state::State;
use crate::tui::widgets::text::wrap;

/// Draws the window on top.
pub fn draw(state: &State, frame: &mut Frame<'_>, screen: Rect, hits: &mut HitMap) {
    let Some(top) = state.popups.last() else {
        return;
    };
    // The footer stays: it says what can be done in the window.
    hits.add(
        Rect {
            height: screen.height.saturating_sub(1),
            ..screen
        },
        Target::Outside,
    );
    match top {
        Popup::Picker(picker) => draw_picker(state, picker, frame, hits),
        Popup::Reader(reader) => draw_reader(state, reader, frame, hits),
        Popup::Question(question) => draw_question(state, question, frame, hits),
        Popup::Naming(naming) => naming::draw(state, naming, frame, hits),
        Popup::File(dialog) => files::draw(state, dialog, frame, hits),
        Popup::Dates(picker) => dates::draw(state, picker, frame, hits),
        Popup::Menu(bar) => menu::draw(state, *bar, frame, screen, hits),
        Popup::Author(author) => author::draw(state, author, frame, hits),
        Popup::Define(form) => define::draw(state, form, frame, hits),
        Popup::Review(open) => reviewing::draw(state, open, frame, hits),
        Popup::Behind(rows) => behind::draw(state, rows, frame, hits),
        Popup::Spread(window) => spread::draw(state, window, frame, hits),
        Popup::Why(open) => why::draw(state, open, frame, hits),
        Popup::Tree(tree) => draw_tree(state, tree, frame, hits),
    }
}

fn draw_picker(state: &State, picker: &Picker, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let area = layout::picker(state.size, &picker.kind);
    hits.add(area, Target::Popup);
    let count = format!("{} of {}", picker.list.shown(), picker.list.items().len());
    pane::window(
        frame,
        area,
        &picker.title,
        Line::styled(count, theme.dim),
        theme,
    );
    let inner = inside(area);
    let search = Rect {
        height: 1.min(inner.height),
        ..inner
    };
    Span::styled("/ ", theme.accent).render(search, frame.buffer_mut());
    let text = Rect {
        x: search.x + 2,
        width: search.width.saturating_sub(2),
        ..search
    };
    draw_input(frame, text, &picker.input, theme, true);
    let remark = Rect {
        y: inner.y + 1,
        ..search
    };
    if inner.height > 1 {
        let refused = picker
            .list
            .selected()
            .and_then(|item| item.disabled.as_deref());
        let named = picker.list.selected();
        let named = named.and_then(|item| {
            let noted = (!item.note.is_empty()).then(|| item.note.clone());
            commands::name_note(&picker.kind, item).or(noted)
        });
        let note = picker.note.as_ref().or(named.as_ref());
        let line = match (&picker.typed, refused, note) {
            (Some((words, _)), ..) => Line::from(vec![
                Span::styled("› ", theme.accent),
                Span::styled(words.as_str(), theme.text),
                Span::styled(
                    format!("  {} takes it", state.key_here(Action::Choose)),
                    theme.dim,
                ),
            ]),
            (None, Some(reason), _) => {
                Line::styled(format!("not possible: {reason}"), theme.warning)
            }
            (None, None, Some(note)) => Line::styled(note.as_str(), theme.dim),
            (None, None, None) => Line::default(),
        };
        line.render(remark, frame.buffer_mut());
    }
    let list = layout::picker_list(state.size, &picker.kind);
    hits.add(list, Target::List(0, 0));
    picker.list.draw(list, frame.buffer_mut(), theme, true);
    if picker.list.shown() == 0 && picker.typed.is_none() && !picker.list.items().is_empty() {
        let key = state.key_here(Action::Back);
        let text = match picker.kind {
            PickerKind::Dimensions { filter: true } => {
                "no such dimension; choose one, then search its values".to_owned()
            }
            _ => format!("nothing matches; {key} closes the list"),
        };
        let lines = wrap(&text, usize::from(list.width));
        for (line, y) in lines.into_iter().zip(list.y..list.bottom()) {
            Span::styled(line, theme.dim).render(Rect { y, ..list }, frame.buffer_mut());
        }
    }
}

fn draw_reader(state: &State, reader: &Reader, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let area = layout::reader(state.size);
    hits.add(area, Target::Popup);
    let inner = inside(area);
    let lines = page(state, &reader.page, usize::from(inner.width));
    let below = lines
        .len()
        .saturating_sub(reader.offset + usize::from(inner.height));
    let remark = if below > 0 {
        Line::styled(format!("{below} more ↓"), theme.dim)
    } else {
        Line::default()
    };
    pane::window(frame, area, &reader.title, remark, theme);
    for (line, y) in lines
        .into_iter()
        .skip(reader.offset)
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

fn draw_tree(state: &State, open: &Tree, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let area = layout::reader(state.size);
    hits.add(area, Target::Popup);
    let path = Line::styled(open.tree.path(), theme.dim);
    pane::window(frame, area, &open.title, path, theme);
    open.tree.draw(inside(area), frame.buffer_mut(), theme);
}

/// The last offset that a window of text can be scrolled to.
pub fn reader_limit(state: &State, _: &Layout) -> usize {
    let Some(Popup::Reader(reader)) = state.popups.last() else {
        return 0;
    };
    let inner = inside(layout::reader(state.size));
    page(state, &reader.page, usize::from(inner.width))
        .len()
        .saturating_sub(usize::from(inner.height))
}

fn page<'a>(state: &'a State, page: &'a Page, width: usize) -> Vec<Line<'a>> {
    let theme = &state.theme;
    match page {
        Page::Cell(text) => wrap(text, width).into_iter().map(Line::from).collect(),
        Page::Row => row::lines(state, width),
        Page::Rejected(rejected) => {
            let mut lines = Vec::new();
            for finding in &rejected.findings {
                let text = finding.to_string();
                let wrapped = wrap(&text, width).into_iter().map(str::to_owned);
                lines.extend(wrapped.map(|line| Line::styled(line, theme.error)));
            }
            lines.push(Line::default());
            lines.extend(wrap(&rejected.sql, width).into_iter().map(Line::from));
            lines
        }
        Page::Problems => {
            let mut lines = Vec::new();
            for problem in &state.problems {
                let text = problem.to_string();
                let style = if problem.severity == crate::registry::Severity::Error {
                    theme.error
                } else {
                    theme.warning
                };
                lines.extend(
                    wrap(&text, width)
                        .into_iter()
                        .map(|line| Line::styled(line.to_owned(), style)),
                );
            }
            lines
        }
        Page::Policy(report) => policy::lines(state, report.as_deref(), width),
        Page::Number(_, sections) => behind::sections(state, sections, width),
        Page::Excerpts(excerpts) => excerpts
            .iter()
            .flat_map(|excerpt| excerpt_lines(state, excerpt))
            .collect(),
    }
}

fn excerpt_lines<'a>(state: &State, excerpt: &'a Excerpt) -> Vec<Line<'a>> {
    let theme = &state.theme;
    let mut lines = vec![Line::styled(excerpt.at.clone(), theme.accent)];
    for (number, text) in (excerpt.first..).zip(&excerpt.lines) {
        let here = number == excerpt.line;
        let sign = if here { "›" } else { " " };
        let (number_style, text_style) = if here {
            (theme.accent, theme.header)
        } else {
            (theme.dim, theme.text)
        };
        lines.push(Line::from(vec![
            Span::styled(format!("{sign}{number:>4}  "), number_style),
            Span::styled(text.clone(), text_style),
        ]));
    }
    lines.push(Line::default());
    lines
}

fn draw_question(state: &State, question: &Question, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let lines = wrap(&question.text, 52);
    let area = layout::centred(state.size, 58, u16::try_from(lines.len()).unwrap_or(1) + 4);
    hits.add(area, Target::Popup);
    pane::window(frame, area, "Question", Line::default(), theme);
    let inner = inside(area);
    let answer = Line::from(vec![
        Span::styled("y", theme.accent),
        Span::raw(" yes   "),
        Span::styled("n", theme.accent),
        Span::raw(" no"),
    ]);
    let lines = lines
        .into_iter()
        .map(Line::from)
        .chain([Line::default(), answer]);
    for (line, y) in lines.zip(inner.y..inner.bottom()) {
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
