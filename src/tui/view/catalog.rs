//! The catalog: search box, tree, hits with the letters that matched.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::input::draw_input;
use super::pane;
use crate::govern::is_on_canonical;
use crate::session::{Field, Hit, ReviewStage};
use crate::tui::action::Action;
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::{Layout, inside};
use crate::tui::state::{CatalogRow, Focus, State};
use crate::tui::theme::Theme;
use crate::tui::widgets::text::{Align, pad, truncate, width};

/// Draws the catalog.
pub fn draw(state: &State, frame: &mut Frame<'_>, layout: &Layout, hits: &mut HitMap) {
    let Some(area) = layout.catalog else { return };
    let theme = &state.theme;
    let finder = &state.finder;
    let total = state.catalog.registry.metrics.len();
    let count = if finder.input.is_empty() {
        format!("{total} metrics")
    } else {
        format!("{} of {total}", finder.hits.len())
    };
    let focused = state.focus == Focus::Catalog;
    pane::frame(
        frame,
        area,
        Focus::Catalog.title(),
        Line::styled(count, theme.dim),
        theme,
        focused,
    );
    let inner = inside(area);
    if inner.height < 3 {
        return;
    }

    let search = Rect { height: 1, ..inner };
    hits.add(search, Target::SearchBox);
    let typing = focused && finder.typing;
    let sign = if typing { theme.accent } else { theme.dim };
    Span::styled("/ ", sign).render(search, frame.buffer_mut());
    let text = Rect {
        x: search.x + 2,
        width: search.width.saturating_sub(2),
        ..search
    };
    if finder.input.is_empty() && !typing {
        Span::styled("name, owner, tag, any word", theme.dim).render(text, frame.buffer_mut());
    } else {
        draw_input(
            frame,
            text,
            &finder.input,
            theme,
            typing && state.popups.is_empty(),
        );
    }
    if finder.input.is_empty() && typing {
        Span::styled("type to search: any word", theme.dim).render(text, frame.buffer_mut());
    }

    let below = Rect {
        y: inner.y + 1,
        ..search
    };
    hint(state, usize::from(below.width)).render(below, frame.buffer_mut());

    let list = Rect {
        y: inner.y + 2,
        height: inner.height - 2,
        ..inner
    };
    if finder.rows.is_empty() {
        let empty = if finder.input.is_empty() {
            "no metrics".to_owned()
        } else {
            let key = state.key_here(Action::Back);
            format!("nothing matches; {key} clears it")
        };
        let empty = truncate(&empty, usize::from(list.width));
        Span::styled(empty, theme.dim).render(list, frame.buffer_mut());
    }
    let names = finder.names.clamp(6, 20);
    let shown = finder
        .rows
        .iter()
        .enumerate()
        .skip(finder.offset)
        .take(usize::from(list.height));
    for ((index, row), y) in shown.zip(list.y..) {
        let selected = index == finder.selected;
        let line_area = Rect {
            x: list.x - 1,
            y,
            width: list.width + 2,
            height: 1,
        };
        hits.add(line_area, Target::CatalogRow(index));
        let columns = usize::from(list.width);
        let line = match row {
            CatalogRow::Category(name, count) => category(state, name, *count, columns),
            CatalogRow::Metric(hit) => match finder.hits.get(*hit) {
                Some(hit) => metric(state, hit, names, columns),
                None => continue,
            },
        };
        line.render(
            Rect {
                x: list.x,
                width: list.width,
                ..line_area
            },
            frame.buffer_mut(),
        );
        if selected {
            mark_selected(frame, line_area, theme, focused);
        }
    }
}

/// What may be typed next, or what is wrong; else what the query leaves out.
fn hint<'a>(state: &'a State, columns: usize) -> Line<'a> {
    let (finder, theme) = (&state.finder, &state.theme);
    let typing = state.focus == Focus::Catalog && finder.typing;
    if let Some(problem) = &finder.hint.problem {
        return Line::styled(truncate(problem, columns).into_owned(), theme.warning);
    }
    if typing && finder.input.is_empty() {
        return Line::styled("%owner %tag %status %dim %category", theme.dim);
    }
    if typing && finder.completion().is_some() {
        let mut line = Line::styled(format!("{} ", state.key(Action::CompleteSearch)), theme.dim);
        for (index, offer) in finder.hint.offers.iter().enumerate() {
            let count = offer
                .metrics
                .map_or(String::new(), |count| format!("{count} "));
            let gap = if offer.metrics.is_some() { " " } else { "" };
            if line.width() + width(&offer.text) + count.len() > columns && index > 0 {
                line.push_span(Span::styled("…", theme.dim));
                break;
            }
            let style = if index == 0 { theme.accent } else { theme.text };
            line.push_span(Span::styled(offer.text.as_str(), style));
            line.push_span(Span::styled(format!("{count}{gap}"), theme.dim));
        }
        return line;
    }
    match finder.misfits.len() {
        0 => Line::default(),
        1 => Line::styled("1 does not fit the query", theme.dim),
        count => Line::styled(format!("{count} do not fit the query"), theme.dim),
    }
}

/// Marks a line as selected: a sign in front of it, and the selection style where the keys go.
pub fn mark_selected(frame: &mut Frame<'_>, area: Rect, theme: &Theme, focused: bool) {
    let style = if focused {
        theme.selection
    } else {
        Style::new()
    };
    frame.buffer_mut().set_style(area, style);
    Span::styled("›", theme.accent.patch(style))
        .render(Rect { width: 1, ..area }, frame.buffer_mut());
}

fn category<'a>(state: &State, name: &str, count: usize, columns: usize) -> Line<'a> {
    let sign = if state.finder.folded.contains(name) {
        "▸"
    } else {
        "▾"
    };
    let name = pad(name, columns.saturating_sub(8), Align::Left);
    Line::from(vec![
        Span::styled(format!("{sign} "), state.theme.dim),
        Span::styled(name, state.theme.header),
        Span::styled(pad(&count.to_string(), 6, Align::Right), state.theme.dim),
    ])
}

fn metric<'a>(state: &State, hit: &Hit, names: usize, columns: usize) -> Line<'a> {
    let theme = &state.theme;
    let Some(metric) = state.catalog.registry.metrics.get(&hit.metric) else {
        return Line::default();
    };
    let used = state.query.metrics.contains(&metric.name);
    let (sign, style) = status(state.catalog.stage(metric), theme);
    let mut spans = vec![
        Span::styled(if used { "• " } else { "  " }, theme.accent),
        Span::styled(format!("{sign} "), style),
    ];
    // Where the project has canonical datasets: whether the metric stands on such alone.
    let canonical = is_on_canonical(&state.catalog.registry, &metric.name);
    let canonical = canonical.map(|is| if is { "◆ " } else { "  " });
    spans.extend(canonical.map(|sign| Span::styled(sign, theme.dim)));
    let misfit = state.finder.misfit(&metric.name);
    let plain = match (used, misfit) {
        (true, _) => theme.accent,
        (false, Some(_)) => theme.dim,
        (false, None) => theme.text,
    };
    let room = columns.saturating_sub(if canonical.is_some() { 6 } else { 4 });
    // How much it is used stands at the end of the line, where anything is and there is room beside the name.
    let is_used = state.finder.hits.iter().any(|hit| hit.used.0 > 0);
    let uses = (is_used && room >= names + USES).then(|| uses(hit));
    let room = room - uses.as_ref().map_or(0, |_| USES);
    let by_name = !letters(hit, Field::Name).is_empty();
    let why = hit
        .matches
        .iter()
        .find(|found| found.field != Field::Name)
        .filter(|found| found.asked || !by_name);
    let not_by = misfit.map(|misfit| format!("not by {}", misfit.group));
    // On a narrow screen the label gives way, unless it is why the metric was found.
    let names = if room < names + 16 && why.is_none() && misfit.is_none() {
        room
    } else {
        names.min(room / 2)
    };
    let name = truncate(&metric.name, names).into_owned();
    let gap = names.saturating_sub(width(&name)) + 2;
    spans.extend(pane::marked(
        &name,
        letters(hit, Field::Name),
        plain,
        theme.match_,
    ));
    if let Some(room) = room.checked_sub(names + 2) {
        spans.push(Span::raw(" ".repeat(gap)));
        let (word, text, indices) = match (&not_by, why) {
            (Some(reason), _) => ("", reason.as_str(), &[] as &[u32]),
            (None, None) => ("", metric.label.as_str(), letters(hit, Field::Label)),
            (None, Some(found)) => (
                field_word(found.field),
                found.text.as_str(),
                found.indices.as_slice(),
            ),
        };
        spans.push(Span::styled(word, theme.dim));
        let (text, indices) = window(text, indices, room.saturating_sub(width(word)));
        spans.extend(pane::marked(&text, &indices, theme.dim, theme.match_));
    }
    if let Some(uses) = uses {
        let drawn: usize = spans.iter().map(Span::width).sum();
        let gap = columns.saturating_sub(drawn + width(&uses));
        spans.push(Span::raw(" ".repeat(gap)));
        spans.push(Span::styled(uses, theme.dim));
    }
    Line::from(spans)
}

/// Columns that the uses of a metric take, with the gap before them.
const USES: usize = 8;
/// A change of use that is worth a sign, as a share of the uses before.
const NOTABLE: f64 = 0.1;

/// The queries of the last 30 days, with a sign for more or fewer than in the 30 before.
fn uses(hit: &Hit) -> String {
    let (month, before) = hit.used;
    if month == 0 && before == 0 {
        return String::new();
    }
    let change = (month as f64 - before as f64) / (before as f64).max(1.0);
    let sign = match change {
        change if change <= -NOTABLE => "↓",
        change if change >= NOTABLE => "↑",
        _ => " ",
    };
    let month = match month {
        ..10_000 => month.to_string(),
        month => format!("{}k", month / 1_000),
    };
    format!("{month:>5} {sign}")
}

/// What goes before a text that says why a metric was found.
fn field_word(field: Field) -> &'static str {
    match field {
        Field::Alias => "also ",
        Field::Owner => "owner ",
        Field::Tag => "tag ",
        Field::Category => "in ",
        Field::Unit => "unit ",
        Field::Dimension => "by ",
        Field::Dataset => "from ",
        Field::Name | Field::Label | Field::Description | Field::Status | Field::Kind => "",
    }
}

/// The part of a text around its first matched letter, with the letters' new places.
fn window(text: &str, indices: &[u32], columns: usize) -> (String, Vec<u32>) {
    use unicode_segmentation::UnicodeSegmentation;
    let place = |index: Option<&u32>| index.map_or(0, |index| *index as usize);
    let (first, last) = (place(indices.first()), place(indices.last()));
    if width(text) <= columns || last + 1 < columns {
        return (truncate(text, columns).into_owned(), indices.to_vec());
    }
    let before = columns.saturating_sub(last + 3 - first).min(4);
    let first = first.saturating_sub(before);
    let rest: String = text.graphemes(true).skip(first).collect();
    let moved = indices
        .iter()
        .filter_map(|index| (*index as usize + 1).checked_sub(first));
    let moved = moved
        .filter_map(|index| u32::try_from(index).ok())
        .collect();
    (truncate(&format!("…{rest}"), columns).into_owned(), moved)
}

fn letters(hit: &Hit, field: Field) -> &[u32] {
    hit.matches
        .iter()
        .find(|found| found.field == field)
        .map_or(&[], |found| &found.indices)
}

/// A sign for a stage of life.
pub fn status(stage: ReviewStage, theme: &Theme) -> (&'static str, Style) {
    match stage {
        ReviewStage::Certified => ("✓", theme.good),
        ReviewStage::Changed => ("!", theme.warning),
        ReviewStage::Published => (" ", theme.dim),
        ReviewStage::Draft | ReviewStage::Proposed => ("~", theme.warning),
        ReviewStage::Deprecated | ReviewStage::Rejected => ("×", theme.error),
    }
}
