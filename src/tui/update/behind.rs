//! Windows on the rows behind a number and on its explanation.

use super::{expense, reader, spread, why};
use crate::compile::ROWS;
use crate::session::cell::{cell_text, raw_text};
use crate::session::{Failure, RunEvent};
use crate::tui::action::Action;
use crate::tui::drill;
use crate::tui::look::{Look, LookAt, LookNews, Section};
use crate::tui::message::{Effect, Lookup, Notice, RunNews};
use crate::tui::popup::{Behind, Expensive, Page, Popup, Reader, Sum};
use crate::tui::state::{Phase, State};
use crate::tui::widgets::grid::{Copy, CopyFormat, Grid, Progress};

/// Opens the rows behind the number under the cursor.
pub(super) fn rows(state: &mut State) -> Vec<Effect> {
    let number = match drill::number_here(state) {
        Ok(number) => number,
        Err(reason) => return refuse(state, reason.into_owned()),
    };
    let title = format!("Rows behind {}", number.title);
    let look = Look {
        query: number.query,
        number: number.of,
        at: LookAt::Rows(0),
    };
    let generation = state.next_generation();
    state.popups.push(Popup::Behind(Box::new(Behind {
        title,
        look: look.clone(),
        shown: number.shown,
        generation,
        parts: Vec::new(),
        compiled: None,
        grid: None,
        sum: None,
        phase: Phase::Running(state.now),
    })));
    vec![Effect::Look {
        generation,
        look,
        anyway: false,
    }]
}

/// Opens the explanation of the number under the cursor.
pub(super) fn meaning(state: &mut State) -> Vec<Effect> {
    let number = match drill::number_here(state) {
        Ok(number) => number,
        Err(reason) => return refuse(state, reason.into_owned()),
    };
    let generation = state.next_generation();
    reader::open(state, number.title, Page::Number(generation, Vec::new()));
    let look = Look {
        query: number.query,
        number: number.of,
        at: LookAt::Meaning,
    };
    vec![Effect::Look {
        generation,
        look,
        anyway: false,
    }]
}

fn refuse(state: &mut State, why: String) -> Vec<Effect> {
    state.notice = Some(Notice::Error(why));
    Vec::new()
}

/// The rows of the next aggregation that the number is computed from.
pub(super) fn next_part(state: &mut State) -> Vec<Effect> {
    let (generation, now) = (state.next_generation(), state.now);
    let Some(behind) = top(state) else {
        return Vec::new();
    };
    let LookAt::Rows(part) = behind.look.at else {
        return Vec::new();
    };
    behind.look.at = LookAt::Rows((part + 1) % behind.parts.len().max(1));
    behind.generation = generation;
    behind.grid = None;
    behind.sum = None;
    behind.phase = Phase::Running(now);
    let look = behind.look.clone();
    vec![Effect::Look {
        generation,
        look,
        anyway: false,
    }]
}

/// Looks once more in the window on top, however expensive that is.
pub(super) fn again(state: &mut State, look: Look) -> Vec<Effect> {
    let (generation, now) = (state.next_generation(), state.now);
    match state.popups.last_mut() {
        Some(Popup::Behind(behind)) if behind.look == look => {
            behind.generation = generation;
            behind.grid = None;
            behind.sum = None;
            behind.phase = Phase::Running(now);
        }
        Some(Popup::Why(pane)) if pane.query == look.query => why::again(pane, generation),
        Some(Popup::Spread(window)) if window.look == look => {
            window.generation = generation;
            window.phase = Phase::Running(now);
        }
        Some(Popup::Reader(reader)) if matches!(reader.page, Page::Number(..)) => {
            reader.page = Page::Number(generation, Vec::new());
        }
        _ => return Vec::new(),
    }
    vec![Effect::Look {
        generation,
        look,
        anyway: true,
    }]
}

/// Copies the rows.
pub(super) fn copy(state: &mut State) -> Vec<Effect> {
    let grid = top(state).and_then(|behind| behind.grid.as_ref());
    let Some(table) = grid.map(|grid| grid.table().clone()) else {
        return Vec::new();
    };
    vec![state.ask(Lookup::Write {
        table,
        what: Copy::All,
        format: CopyFormat::Tsv,
        cap: super::result::COPY_ROWS,
    })]
}

/// Moves in the rows.
pub(super) fn moved(state: &mut State, action: Action) {
    let grid = top(state).and_then(|behind| behind.grid.as_mut());
    if let Some(grid) = grid {
        super::result::step(grid, action);
    }
}

fn top(state: &mut State) -> Option<&mut Behind> {
    match state.popups.last_mut() {
        Some(Popup::Behind(behind)) => Some(behind),
        _ => None,
    }
}

/// Whether a window of this generation is open, wherever it is in the stack.
fn is_of(popup: &Popup, generation: u64) -> bool {
    match popup {
        Popup::Behind(behind) => behind.generation == generation,
        Popup::Spread(window) => window.generation == generation,
        Popup::Why(pane) => pane.generation == generation,
        Popup::Reader(Reader {
            page: Page::Number(own, _),
            ..
        }) => *own == generation,
        _ => false,
    }
}

/// Whether news of this generation are waited for.
pub(super) fn is_waiting(state: &State, generation: u64) -> bool {
    let mut popups = state.popups.iter();
    popups.any(|popup| is_of(popup, generation))
}

/// Ends the looks whose window is gone.
pub(super) fn settle(state: &mut State, effects: &mut Vec<Effect>) {
    let begun = effects.iter().filter_map(|effect| match effect {
        Effect::Look { generation, .. } => Some(*generation),
        _ => None,
    });
    state.looks.extend(begun);
    if state.looks.is_empty() {
        return;
    }
    let looks = std::mem::take(&mut state.looks);
    for generation in looks {
        match state.find_tab(|tab| is_waiting(tab, generation)) {
            Some(_) => state.looks.push(generation),
            None => effects.push(Effect::Cancel(generation)),
        }
    }
}

/// Takes news of a look; where its window is gone they are dropped.
pub(super) fn news(state: &mut State, generation: u64, news: LookNews) -> Vec<Effect> {
    let (news, expensive) = match news {
        LookNews::Expensive(look, error) => {
            let ended = match look.at {
                LookAt::Rows(_) => LookNews::Rows(RunNews::Ended(Err(error.clone()))),
                LookAt::Meaning => LookNews::Meaning(Err(error.clone())),
                LookAt::Spread => LookNews::Spread(Err(error.clone())),
                LookAt::Why { .. } => LookNews::NoWhy(error.clone()),
            };
            (ended, Some((look, error)))
        }
        news => (news, None),
    };
    let mut popups = state.popups.iter_mut();
    let window = popups.find(|popup| is_of(popup, generation));
    match (window, news) {
        (Some(Popup::Behind(behind)), LookNews::Parts(parts)) => behind.parts = parts,
        (Some(Popup::Behind(behind)), LookNews::Rows(news)) => rows_news(behind, news),
        (Some(Popup::Spread(window)), LookNews::Spread(outcome)) => spread::news(window, outcome),
        (Some(Popup::Reader(reader)), LookNews::Meaning(Ok(sections))) => {
            reader.page = Page::Number(generation, sections);
        }
        (Some(Popup::Reader(reader)), LookNews::Meaning(Err(error))) => {
            let hint = error.hint().map(str::to_owned);
            let lines = std::iter::once(error.message.clone()).chain(hint);
            let section = Section {
                heading: "Not explained".to_owned(),
                lines: lines.collect(),
            };
            reader.page = Page::Number(generation, vec![section]);
        }
        (Some(Popup::Why(pane)), LookNews::Why(found, is_end)) => {
            why::found(pane, found, is_end);
        }
        (Some(Popup::Why(pane)), LookNews::NoWhy(error)) => why::failed(pane, error),
        _ => {}
    }
    if let Some((look, error)) = expensive {
        expense::ask(state, &error, Expensive::Look(look));
    }
    Vec::new()
}

fn rows_news(behind: &mut Behind, news: RunNews) {
    match news {
        RunNews::Event(RunEvent::Started(compiled)) => {
            behind.grid = Some(Grid::new(compiled.main.columns.clone()));
            behind.compiled = Some(compiled);
        }
        RunNews::Event(RunEvent::Batch(batch)) => {
            if let Some(grid) = &mut behind.grid {
                grid.push(batch);
            }
        }
        RunNews::Event(RunEvent::Totals(batch)) => {
            let totals = behind.compiled.as_ref();
            let Some(totals) = totals.and_then(|compiled| compiled.total()) else {
                return;
            };
            if let Some(grid) = &mut behind.grid {
                grid.set_totals(&totals.columns, &batch);
            }
            let cell = |at: usize| batch.columns().get(at).map(|array| array.as_ref());
            let rows = totals.columns.iter().position(|column| column.name == ROWS);
            let value = totals.columns.first().zip(cell(0));
            let rows = rows.and_then(cell).and_then(|array| raw_text(array, 0));
            if let Some((column, array)) = value {
                behind.sum = Some(Sum {
                    column: column.name.clone(),
                    text: cell_text(array, 0, column).text,
                    raw: raw_text(array, 0),
                    rows: rows.and_then(|rows| rows.parse().ok()).unwrap_or(0),
                });
            }
        }
        RunNews::Ended(outcome) => {
            let progress = match &outcome {
                Ok(summary) if summary.truncated => Progress::Cut,
                Ok(_) => Progress::Complete,
                Err(_) => Progress::Stopped,
            };
            if let Some(grid) = &mut behind.grid {
                grid.set_progress(progress);
            }
            behind.phase = match outcome {
                Ok(summary) => Phase::Done(summary),
                Err(error) if error.failure == Failure::Interrupted => Phase::Idle,
                Err(error) => Phase::Failed(error),
            };
        }
    }
}
