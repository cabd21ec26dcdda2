//! Moving in a chart: the mark that is looked at is a cell of the result, so whatever can be done with a cell can be done with it.

use crate::session::chart::{Across, Chart, ChartKind, Mark};

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like the keys")]
pub enum Step {
    Left,
    Right,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
}

/// Marks that a page moves by.
const PAGE: usize = 10;

/// A mark with where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) panel: usize,
    pub(super) series: usize,
    pub(super) mark: &'a Mark,
    column: usize,
}

fn all(chart: &Chart) -> impl Iterator<Item = Found<'_>> {
    chart.marks().filter_map(|(panel, series, mark)| {
        let column = chart.panels.get(panel)?.series.get(series)?.column;
        Some(Found {
            panel,
            series,
            mark,
            column,
        })
    })
}

/// The mark that shows a cell of the result; else one that shows its row.
pub(super) fn find(chart: &Chart, (row, column): (usize, usize)) -> Option<Found<'_>> {
    let of_row = || all(chart).filter(|found| found.mark.row == Some(row));
    of_row()
        .find(|found| found.column == column)
        .or_else(|| of_row().next())
}

/// Row and column of the mark next to the one that shows a cell; the first mark where none shows it.
pub fn step(chart: &Chart, from: Option<(usize, usize)>, to: Step) -> Option<(usize, usize)> {
    let place = |found: Found<'_>| Some((found.mark.row?, found.column));
    let Some(mut here) = from.and_then(|from| find(chart, from)) else {
        return all(chart).find_map(place);
    };
    let (times, to) = match (to, chart.kind) {
        (Step::PageUp, ChartKind::Line | ChartKind::Scatter) => (PAGE, Step::Left),
        (Step::PageDown, ChartKind::Line | ChartKind::Scatter) => (PAGE, Step::Right),
        (Step::PageUp, ChartKind::Multiples) => (PAGE, Step::Up),
        (Step::PageDown, ChartKind::Multiples) => (PAGE, Step::Down),
        (Step::PageUp, _) => (PAGE, Step::Up),
        (Step::PageDown, _) => (PAGE, Step::Down),
        (to, _) => (1, to),
    };
    for _ in 0..times {
        match next(chart, here, to) {
            Some(found) => here = found,
            None => break,
        }
    }
    place(here)
}

fn next<'a>(chart: &'a Chart, here: Found<'a>, to: Step) -> Option<Found<'a>> {
    let is_rows = matches!(
        chart.kind,
        ChartKind::Bars | ChartKind::Stacked | ChartKind::Histogram
    );
    let ahead = |found: &Found<'_>| match to {
        Step::Left => here.mark.at - found.mark.at,
        Step::Right => found.mark.at - here.mark.at,
        Step::Up if is_rows => here.mark.at - found.mark.at,
        Step::Down if is_rows => found.mark.at - here.mark.at,
        Step::Up => found.mark.value - here.mark.value,
        Step::Down => here.mark.value - found.mark.value,
        Step::First | Step::PageUp => -found.mark.at,
        Step::Last | Step::PageDown => found.mark.at,
    };
    let sideways = |found: &Found<'_>| (found.series as f64 - here.series as f64).abs();
    let same = |found: &Found<'_>| found.panel == here.panel && found.series == here.series;
    let marks = || all(chart).filter(|found| found.mark.row.is_some());
    let nearest = |is: &dyn Fn(&Found<'_>) -> bool, far: &dyn Fn(&Found<'_>) -> f64| {
        marks()
            .filter(|found| is(found))
            .min_by(|one, other| far(one).total_cmp(&far(other)))
    };
    match (chart.kind, to) {
        (_, Step::First | Step::Last | Step::PageUp | Step::PageDown) => {
            let far = |found: &Found<'_>| -ahead(found);
            if is_rows {
                nearest(&|found| found.panel == here.panel, &|found| {
                    far(found) * 1e6 + sideways(found)
                })
            } else {
                nearest(&same, &far)
            }
        }
        (_, Step::Up | Step::Down) if is_rows => nearest(
            &|found| found.panel == here.panel && ahead(found) > 0.0,
            &|found| ahead(found) * 1e6 + sideways(found),
        ),
        (_, Step::Left | Step::Right) if is_rows => {
            let is_beside = |found: &Found<'_>| match to {
                Step::Left => found.series < here.series,
                _ => found.series > here.series,
            };
            nearest(
                &|found| found.mark.at == here.mark.at && is_beside(found),
                &sideways,
            )
        }
        (ChartKind::Multiples, Step::Up | Step::Down) => {
            let panel = match to {
                Step::Up => here.panel.checked_sub(1)?,
                _ => here.panel + 1,
            };
            nearest(&|found| found.panel == panel, &|found| {
                (found.mark.at - here.mark.at).abs()
            })
        }
        (ChartKind::Line, Step::Up | Step::Down) => nearest(
            &|found| found.mark.at == here.mark.at && ahead(found) > 0.0,
            &ahead,
        ),
        (ChartKind::Scatter, _) => nearest(&|found| ahead(found) > 0.0, &ahead),
        _ => nearest(&|found| same(found) && ahead(found) > 0.0, &ahead),
    }
}

/// What a mark says that shows a cell of the result: where it stands, whose it is, its number.
pub fn mark_text(chart: &Chart, cell: (usize, usize)) -> Option<String> {
    let found = find(chart, cell)?;
    let place = chart.place(found.mark.at);
    let series = chart.panels.get(found.panel)?.series.get(found.series)?;
    let number = chart.number(found.mark.value);
    Some(match chart.kind {
        ChartKind::Scatter => {
            let Across::Numbers(axis) = &chart.across else {
                return None;
            };
            format!("{} {place} · {} {number}", axis.title, chart.values.title)
        }
        ChartKind::Histogram => format!("{place}: {number} rows"),
        _ => format!("{place} · {}: {number}", series.name),
    })
}
