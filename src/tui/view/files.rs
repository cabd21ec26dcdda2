//! The dialog that asks for a file, and how far the writing of one is.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::input::draw_input;
use super::pane;
use crate::session::cell::thousands;
use crate::session::files::FileFormat;
use crate::tui::action::Action;
use crate::tui::files::{FileDialog, Saving};
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::{centred, inside};
use crate::tui::state::{Phase, State};
use crate::tui::widgets::text::truncate;

/// Columns of the words in front.
const WORDS: u16 = 6;

/// Columns of the window.
const WIDTH: u16 = 74;

/// Draws the dialog.
pub fn draw(state: &State, dialog: &FileDialog, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let lines = match &state.saving {
        Some(saving) => progress(state, saving),
        None => fields(state, dialog),
    };
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let area = centred(state.size, WIDTH, height.saturating_add(2));
    hits.add(area, Target::Popup);
    let title = "Write the result to a file";
    pane::window(frame, area, title, Line::default(), theme);
    let inner = inside(area);
    for (line, y) in lines.into_iter().zip(inner.y..inner.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..inner
        };
        pane::line(&line, row, frame.buffer_mut());
    }
    if state.saving.is_none() {
        let text = Rect {
            x: inner.x + WORDS,
            width: inner.width.saturating_sub(WORDS),
            height: 1.min(inner.height),
            ..inner
        };
        draw_input(frame, text, &dialog.input, theme, true);
    }
}

fn fields<'a>(state: &'a State, dialog: &FileDialog) -> Vec<Line<'a>> {
    let theme = &state.theme;
    let field = |word: &'static str, text: String| {
        Line::from(vec![
            Span::styled(format!("{word:<6}"), theme.dim),
            Span::styled(text, theme.text),
        ])
    };
    let here = dialog.format();
    let mut formats = vec![Span::styled("as   ", theme.dim)];
    let mut after = " ";
    for format in FileFormat::ALL {
        let is_here = here == Some(format);
        let (before, style) = match is_here {
            true => ("[", theme.selection),
            false => (after, theme.dim),
        };
        formats.push(Span::styled(before, theme.dim));
        formats.push(Span::styled(format.title(), style));
        after = if is_here { "]" } else { " " };
    }
    formats.push(Span::styled(after, theme.dim));
    let room = usize::from(
        centred(state.size, WIDTH, 1)
            .width
            .saturating_sub(4 + WORDS),
    );
    let folder = format!("in {}", state.setting.folder.display());
    let mut lines = vec![
        Line::styled("file", theme.dim),
        field("", truncate(&folder, room).into_owned()),
        Line::from(formats),
        field("rows", rows(state, dialog)),
    ];
    if is_cut(state) {
        let other = match dialog.all {
            true => "takes those that are here",
            false => "takes all of them, from the warehouse",
        };
        let key = state.key(Action::AllRows);
        lines.push(Line::styled(format!("      {key} {other}"), theme.warning));
    }
    let beside = match here {
        None => format!("the ending says the format: {}", FileFormat::known()),
        Some(format) if format.has_provenance() => {
            "in the file: query, SQL, definitions, time".to_owned()
        }
        Some(_) => "query, SQL, time: in a .provenance.json beside it".to_owned(),
    };
    lines.push(field("from", truncate(&beside, room).into_owned()));
    lines
}

fn is_cut(state: &State) -> bool {
    matches!(&state.result.phase, Phase::Done(run) if run.truncated)
}

fn rows(state: &State, dialog: &FileDialog) -> String {
    let Phase::Done(run) = &state.result.phase else {
        return String::new();
    };
    let count = thousands(usize::try_from(run.rows).unwrap_or(usize::MAX));
    match (dialog.all, run.truncated) {
        (true, _) => "all, from the warehouse".to_owned(),
        (false, true) => format!("the {count} that are here; the query has more, the file says so"),
        (false, false) if is_rearranged(state) => {
            format!("{count}, all of them, also those a filter hides, as they came")
        }
        (false, false) => format!("{count}, all of them, in the order on the screen"),
    }
}

/// Whether the rows on the screen are not those of the query one by one.
fn is_rearranged(state: &State) -> bool {
    let grid = state.result.grid.as_ref();
    grid.is_some_and(|grid| grid.is_pivoted() || grid.table().kept().is_some())
}

fn progress<'a>(state: &'a State, saving: &Saving) -> Vec<Line<'a>> {
    let theme = &state.theme;
    let done = saving.percent().unwrap_or(0) / 5;
    let bar: String = (0..20)
        .map(|at| if at < done { '#' } else { '.' })
        .collect();
    let bar = match saving.percent() {
        Some(percent) => format!("[{bar}] {percent} %  "),
        None => String::new(),
    };
    vec![
        Line::styled(saving.path.display().to_string(), theme.text),
        Line::styled(format!("{bar}{}", saving.words()), theme.accent),
        Line::styled(
            format!(
                "{} leaves it to go on; {} comes back",
                state.key_here(Action::Back),
                state.key(Action::WriteFile)
            ),
            theme.dim,
        ),
    ]
}
