//! The chart of a result: how it is shown, made off the screen thread, what can be chosen for it.

use std::sync::Arc;

use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use super::action::{Action, Reason};
use super::popup::Choice;
use super::state::State;
use super::widgets::chart::Glyphs;
use super::widgets::fuzzy_list::Item;
use super::widgets::grid::{Progress, Table};
use crate::session::chart::{CUT, Chart, ChartForm, ChartKind, Rows, Wanted, kinds};

/// Where the chart stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shown {
    /// Nowhere.
    #[default]
    Off,
    /// Beside the rows.
    Beside,
    /// In their place.
    Instead,
}

/// The chart of a result.
#[derive(Debug, Clone, Default)]
pub struct Charting {
    /// Where it stands.
    pub shown: Shown,
    /// The kind that was chosen; else the one that suits the result.
    pub kind: Option<ChartKind>,
    /// The chart, or why there is none; nothing while it is made.
    pub drawn: Option<Result<Arc<Chart>, String>>,
    /// What it was last asked for.
    pub asked: Option<Asked>,
}

/// What a chart depends on.
#[derive(Debug, Clone)]
pub struct Asked {
    table: Table,
    kind: Option<ChartKind>,
    column: Option<usize>,
}

impl Asked {
    fn is_same(&self, other: &Self) -> bool {
        let choice = |asked: &Self| (asked.kind, asked.column);
        choice(self) == choice(other) && self.table.is_same(&other.table)
    }
}

/// What can be chosen for a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartChoice {
    /// A kind, or the one that suits the result.
    Kind(Option<ChartKind>),
    /// What it is drawn with.
    Glyphs(Glyphs),
    /// Written to a file.
    Save(ChartForm),
}

impl Charting {
    /// How the chart of the next result is shown.
    pub fn again(&self) -> Self {
        Self {
            shown: self.shown,
            kind: self.kind,
            ..Self::default()
        }
    }

    /// The chart, if there is one.
    pub fn chart(&self) -> Option<&Arc<Chart>> {
        self.drawn.as_ref().and_then(|drawn| drawn.as_ref().ok())
    }

    /// Whether the keys move in the chart.
    pub fn leads(&self) -> bool {
        self.shown == Shown::Instead && self.chart().is_some()
    }

    /// The areas of the rows and of the chart.
    pub fn split(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        match self.shown {
            Shown::Off => (Some(area), None),
            Shown::Instead => (None, Some(area)),
            Shown::Beside => {
                let rows = (area.width / 2).saturating_sub(1);
                let left = Rect {
                    width: rows,
                    ..area
                };
                let right = Rect {
                    x: left.right() + 2,
                    width: area.width.saturating_sub(rows + 2),
                    ..area
                };
                (Some(left), Some(right))
            }
        }
    }
}

/// The work of making a chart, for another thread.
#[derive(Debug)]
pub struct ChartJob {
    table: Table,
    wanted: Wanted,
}

impl ChartJob {
    /// Makes the chart; a kind that does not suit the result gives way to one that does, which is said.
    ///
    /// # Errors
    /// Nothing can be drawn; the reason.
    pub fn run(self) -> Result<Arc<Chart>, String> {
        let Self { table, mut wanted } = self;
        with_rows(&table, |rows| {
            let mut note = None;
            if let Some(kind) = wanted.kind {
                let allowed = kinds(rows, wanted.column)?;
                let why = allowed.into_iter().find(|(known, _)| *known == kind);
                if let Some((_, Err(why))) = why {
                    note = Some(format!("no {kind}: {why}"));
                    wanted.kind = None;
                }
            }
            let mut chart = Chart::of(rows, &wanted)?;
            chart.notes.extend(note);
            Ok(Arc::new(chart))
        })
    }
}

/// Whether there is a chart to save.
///
/// # Errors
/// The reason why not.
pub fn is_drawn(state: &State) -> Result<(), Reason> {
    match &state.result.chart.drawn {
        Some(Ok(_)) => Ok(()),
        Some(Err(reason)) => Err(reason.clone().into()),
        None => {
            let key = state.key(Action::Chart);
            Err(format!("there is no chart yet; {key} shows it").into())
        }
    }
}

fn with_rows<T>(table: &Table, use_them: impl FnOnce(&Rows<'_>) -> T) -> T {
    let cell = |row, column| table.cell(row, column);
    use_them(&Rows {
        columns: table.columns(),
        count: table.rows(),
        cell: &cell,
        is_sum: &|row| table.is_subtotal(row),
    })
}

/// What the chart should be made of now, if that is not what it was made of; or why there is none.
pub fn due(state: &State) -> Option<(Asked, Result<ChartJob, String>)> {
    let charting = &state.result.chart;
    let grid = state.result.grid.as_ref()?;
    if charting.shown == Shown::Off || grid.progress() == Progress::Streaming {
        return None;
    }
    let table = grid.table();
    let is_number = |column: &usize| {
        let column = table.columns().get(*column);
        column.is_some_and(crate::session::chart::is_number)
    };
    let before = charting.asked.as_ref().and_then(|asked| asked.column);
    let column = grid
        .selected()
        .map(|(_, column)| column)
        .filter(is_number)
        .or(before);
    let asked = Asked {
        table: table.clone(),
        kind: charting.kind,
        column,
    };
    if charting
        .asked
        .as_ref()
        .is_some_and(|before| before.is_same(&asked))
    {
        return None;
    }
    let range = state
        .result
        .compiled
        .as_ref()
        .map(|compiled| compiled.range.to_string());
    let job = match grid.progress() {
        Progress::Cut | Progress::Stopped => Err(CUT.to_owned()),
        _ => Ok(ChartJob {
            table: table.clone(),
            wanted: Wanted {
                kind: charting.kind,
                column,
                range: range.unwrap_or_default(),
            },
        }),
    };
    Some((asked, job))
}

/// What can be chosen for the chart of the result.
pub fn offers(state: &State) -> Vec<(Item, Choice)> {
    let Some(grid) = &state.result.grid else {
        return Vec::new();
    };
    let charting = &state.result.chart;
    let column = charting.asked.as_ref().and_then(|asked| asked.column);
    let known = with_rows(grid.table(), |rows| kinds(rows, column));
    let mut offers = Vec::new();
    let mut offer = |item: Item, choice| offers.push((item, Choice::Chart(choice)));
    let in_use = |is: bool| if is { "in use" } else { "" };
    let suits = Item::new("auto", "what suits the result");
    offer(
        suits.right(in_use(charting.kind.is_none())),
        ChartChoice::Kind(None),
    );
    for kind in ChartKind::ALL {
        let mut item =
            Item::new(kind.title(), kind.title()).right(in_use(charting.kind == Some(kind)));
        let allowed = match &known {
            Ok(kinds) => kinds
                .iter()
                .find(|(known, _)| *known == kind)
                .map_or(Ok(()), |(_, allowed)| *allowed),
            Err(reason) => Err(reason.as_str()),
        };
        if let Err(reason) = allowed {
            item = item.disabled(reason);
        }
        offer(item, ChartChoice::Kind(Some(kind)));
    }
    let (now, next) = (state.setting.glyphs, state.setting.glyphs.next());
    let text = format!("draw with {}", next.title());
    let item = Item::new("glyphs", &text);
    offer(
        item.right(&format!("now {}", now.title())),
        ChartChoice::Glyphs(next),
    );
    for form in ChartForm::ALL {
        let text = format!("save as {}", form.title());
        let mut item = Item::new(&text, &text);
        if let Err(reason) = is_drawn(state) {
            item = item.disabled(&reason);
        }
        offer(item, ChartChoice::Save(form));
    }
    offers
}
