//! How a metric is spread, in a window: histogram and boxes, the numbers in words, and the outliers.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::pane;
use crate::session::cell::counted;
use crate::session::plot::{Charset, Outlier, Spread};
use crate::tui::action::Action;
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::{self, inside};
use crate::tui::question::time_words;
use crate::tui::spread::SpreadWindow;
use crate::tui::state::{Phase, State};
use crate::tui::widgets::chart::Glyphs;
use crate::tui::widgets::text::{Align, pad, sanitize, truncate, width, wrap};

/// Columns from which the outliers stand beside the drawings.
const WIDE: usize = 110;

/// Lines that the outliers have at least, where there are as many.
const OUTLIERS: usize = 4;

/// Columns that the name of an outlier may take.
const NAME: usize = 32;

/// Draws the window.
pub fn draw(state: &State, window: &SpreadWindow, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let area = layout::behind(state.size);
    hits.add(area, Target::Popup);
    let remark = match (&window.phase, &window.spread) {
        (Phase::Running(since), _) => Line::styled(
            format!(
                "running {} · {} closes",
                time_words(state.now.saturating_sub(*since)),
                state.key_here(Action::Back)
            ),
            theme.warning,
        ),
        (_, Some(spread)) if !spread.outliers.is_empty() => {
            Line::styled(counted(spread.outliers.len(), "outlier"), theme.warning)
        }
        _ => Line::default(),
    };
    let title = match &window.spread {
        Some(spread) => spread.about.clone(),
        None => format!(
            "{} across {}",
            window.query.metrics.join(", "),
            window.dimension()
        ),
    };
    pane::window(frame, area, &sanitize(&title), remark, theme);
    let inner = inside(area);
    let (columns, rows) = (usize::from(inner.width), usize::from(inner.height));
    let mut head = vec![which(state, window)];
    match (&window.phase, &window.spread) {
        (Phase::Failed(error), _) => {
            say(&mut head, &error.message, theme.error, columns);
            say(
                &mut head,
                error.hint().unwrap_or_default(),
                theme.text,
                columns,
            );
            put(frame, inner, head);
        }
        (_, Some(spread)) if columns >= WIDE => {
            let below = rows.saturating_sub(2);
            head.push(Line::default());
            put(frame, inner, head);
            let left = columns * 11 / 20;
            let part = |x: usize, width: usize| Rect {
                x: inner.x + u16::try_from(x).unwrap_or_default(),
                y: inner.y + 2.min(inner.height),
                width: u16::try_from(width).unwrap_or_default(),
                height: u16::try_from(below).unwrap_or_default(),
            };
            put(frame, part(0, left), drawings(state, spread, left, below));
            let right = columns - left - 3;
            let mut lines = Vec::new();
            for text in spread.words.iter().chain(&spread.notes) {
                say(&mut lines, text, theme.text, right);
            }
            lines.push(Line::default());
            let room = below.saturating_sub(lines.len());
            lines.extend(outliers(state, window, spread, right, room));
            put(frame, part(left + 3, right), lines);
        }
        (_, Some(spread)) => {
            let mut told = Vec::new();
            say(&mut told, &short(spread), theme.dim, columns);
            for note in &spread.notes {
                say(&mut told, note, theme.dim, columns);
            }
            let listed = spread.outliers.len().clamp(1, OUTLIERS);
            let room = rows.saturating_sub(head.len() + told.len() + listed + 1);
            head.extend(drawings(state, spread, columns, room));
            head.extend(told);
            head.push(Line::default());
            let room = rows.saturating_sub(head.len());
            head.extend(outliers(state, window, spread, columns, room));
            put(frame, inner, head);
        }
        _ => put(frame, inner, head),
    }
}

fn put(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>) {
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        line.render(row, frame.buffer_mut());
    }
}

/// What it is spread across, of what it can be.
fn which(state: &State, window: &SpreadWindow) -> Line<'static> {
    let across = window.dimension();
    let text = match window.across.len() {
        1 => format!("across {across}"),
        all => format!(
            "across {across} · {} of {all}, {} goes on to the next",
            window.at + 1,
            state.key_here(Action::NextPart)
        ),
    };
    Line::styled(sanitize(&text).into_owned(), state.theme.accent)
}

/// Histogram and boxes in so many lines; where they have no room, bins are put together, and the boxes have a third of it or
/// what the bins leave.
fn drawings(state: &State, spread: &Spread, columns: usize, rows: usize) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let charset = match state.setting.glyphs {
        Glyphs::Ascii => Charset::Ascii,
        _ => Charset::Unicode,
    };
    // The title stands on the window.
    let boxes = spread.boxes.text(columns, charset);
    let mut boxes: Vec<String> = boxes.lines().skip(1).map(str::to_owned).collect();
    let scale = boxes.pop();
    let least = (boxes.len() + 1).min((rows / 3).max(3));
    let bins = spread.histogram.with_bins(rows.saturating_sub(least + 2));
    let bins = bins.text(columns, charset);
    let bins: Vec<String> = bins.lines().skip(1).map(str::to_owned).collect();
    let most = rows.saturating_sub(bins.len() + 2).max(3);
    if boxes.len() + 1 > most {
        let hidden = boxes.len() + 2 - most;
        boxes.truncate(most - 2);
        boxes.push(format!("{hidden} more, with smaller medians"));
    }
    boxes.extend(scale);
    let blank = String::new();
    let lines = bins
        .into_iter()
        .chain([blank.clone()])
        .chain(boxes)
        .chain([blank])
        .map(|line| Line::styled(sanitize(&line).into_owned(), theme.text));
    lines.collect()
}

/// The numbers in one line.
fn short(spread: &Spread) -> String {
    let number = |value| spread.number(value);
    let numbers = &spread.numbers;
    format!(
        "median {}, quartiles {} and {}, {} to {} is ordinary",
        number(numbers.median),
        number(numbers.q1),
        number(numbers.q3),
        number(numbers.fences.0),
        number(numbers.fences.1)
    )
}

/// The outliers in so many lines, the selected one among them.
fn outliers(
    state: &State,
    window: &SpreadWindow,
    spread: &Spread,
    columns: usize,
    rows: usize,
) -> Vec<Line<'static>> {
    let theme = &state.theme;
    if spread.outliers.is_empty() {
        return vec![Line::styled("no outliers", theme.dim)];
    }
    let rows = rows.max(1);
    let first = (window.selected + 1).saturating_sub(rows);
    let name = |one: &Outlier| sanitize(&spread.name(one)).into_owned();
    let widest = |texts: &mut dyn Iterator<Item = String>| {
        texts.map(|text| width(&text)).max().unwrap_or_default()
    };
    let all = || spread.outliers.iter().skip(first).take(rows);
    let names = widest(&mut all().map(name)).min(NAME);
    let numbers = widest(&mut all().map(|one| spread.number(one.value)));
    let line = |(at, one): (usize, &Outlier)| {
        let text = format!(
            "{}  {}  {}",
            pad(&truncate(&name(one), names), names, Align::Left),
            pad(&spread.number(one.value), numbers, Align::Right),
            spread.about(one)
        );
        // What it deviates from is said above.
        let text = match width(&text) > columns {
            true => text.trim_end_matches(" from the median"),
            false => text.as_str(),
        };
        let text = truncate(text, columns).into_owned();
        match first + at == window.selected {
            true => Line::styled(pad(&text, columns, Align::Left), theme.selection),
            false => Line::styled(text, theme.text),
        }
    };
    all().enumerate().map(line).collect()
}

fn say(lines: &mut Vec<Line<'static>>, text: &str, style: Style, columns: usize) {
    for line in text.lines().flat_map(|text| wrap(text, columns)) {
        lines.push(Line::styled(sanitize(line).into_owned(), style));
    }
}
