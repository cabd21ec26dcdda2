//! Runs and their rows: started, cancelled, sorted, searched, copied.

use jiff::civil::Date;

use super::{act, author, beside, chart, expense, finder, keys, prompt, query, rows};
use crate::compile::Compiled;
use crate::model::{Direction, GroupBy, OrderBy};
use crate::session::cell::raw_text;
use crate::session::{Failure, RunEvent, RunSummary, SessionError, partial_starts};
use crate::tui::action::{Action, Context};
use crate::tui::layout::{Layout, grid_area};
use crate::tui::message::{Effect, Lookup, Notice, RunNews, Slot};
use crate::tui::popup::{Answered, CopyKind, Expensive, Page, Popup, Question, Tree};
use crate::tui::state::{Focus, Phase, Results, State};
use crate::tui::widgets::grid::{Copied, Found, Grid, Heading, Progress, SortedOrder};
use crate::tui::widgets::json_tree::JsonTree;

/// Starts the query; a run that is under way is cancelled.
pub(super) fn run(state: &mut State, fresh: bool) -> Vec<Effect> {
    start(state, fresh, false)
}

/// Starts the query, however expensive it looks if one was asked.
pub(super) fn start(state: &mut State, fresh: bool, anyway: bool) -> Vec<Effect> {
    if state.preparing.is_some() {
        state.run_when_ready = true;
        state.notice = Some(Notice::Info("runs as soon as the demo is ready".to_owned()));
        return Vec::new();
    }
    state.notice = None;
    let mut effects = Vec::new();
    if state.query.is_empty() {
        effects.extend(finder::explore(state));
    }
    if state.result.is_running() {
        effects.push(Effect::Cancel(state.result.generation));
    }
    effects.extend(beside::cancel(state));
    let generation = state.next_generation();
    for slot in Slot::OF_ROWS {
        state.forget(slot);
    }
    let before = std::mem::take(&mut state.result.arrangement);
    let arrangement = match &state.result.grid {
        Some(grid) => grid.arrangement().or_pivoted(before),
        None => before,
    };
    state.result = Results {
        arrangement,
        generation,
        query: state.query.clone(),
        connection: match state.written(&state.query) {
            Some(written) => written.connection.clone(),
            None => state.connection.clone(),
        },
        catalog: state.catalog.generation,
        fresh,
        phase: Phase::Running(state.now),
        chart: state.result.chart.again(),
        ..Results::default()
    };
    author::leave_draft(state);
    // What is being typed there stays.
    state
        .popups
        .retain(|popup| matches!(popup, Popup::Author(_)));
    effects.push(Effect::Run {
        generation,
        query: state.query.clone(),
        written: state.written(&state.query).cloned(),
        fresh,
        anyway,
    });
    effects.extend(act::focus(state, Focus::Result));
    effects
}

/// Asks the warehouse to stop.
pub(super) fn cancel(state: &mut State) -> Vec<Effect> {
    if let Phase::Running(since) = state.result.phase {
        state.result.phase = Phase::Cancelling(since);
        return vec![Effect::Cancel(state.result.generation)];
    }
    let cancelled = beside::cancel(state);
    if cancelled.is_some() {
        state.notice = Some(Notice::Info("cancelled".to_owned()));
    }
    cancelled.into_iter().collect()
}

/// The column of the time that the query groups by, and its periods that are not complete.
fn incomplete(state: &State, compiled: &Compiled) -> Option<(usize, Vec<Date>)> {
    let groups = compiled.query.group_by.as_deref()?;
    let (column, grain) = groups
        .iter()
        .enumerate()
        .find_map(|(at, group)| match group {
            GroupBy::Grain { grain, of: None } => Some((at, *grain)),
            _ => None,
        })?;
    let week_start = state.catalog.registry.calendar.week_start;
    let today = state.setting.today;
    let days = partial_starts(compiled.range, grain, week_start, today);
    Some((column, days))
}

/// Takes news of a run; of an earlier run they are dropped.
pub(super) fn news(state: &mut State, generation: u64, news: RunNews) -> Vec<Effect> {
    if generation != state.result.generation {
        return Vec::new();
    }
    match news {
        RunNews::Event(RunEvent::Started(compiled)) => {
            let mut grid = Grid::new(compiled.main.columns.clone());
            grid.arrange(&state.result.arrangement);
            if let Some((column, days)) = incomplete(state, &compiled) {
                grid.set_partial(column, days);
            }
            state.result.grid = Some(grid);
            if state.written(&state.result.query).is_none() {
                prompt::recall(state, &compiled.query.to_string());
            }
            state.result.compiled = Some(compiled);
        }
        RunNews::Event(RunEvent::Batch(batch)) => {
            if let Some(grid) = &mut state.result.grid {
                grid.push(batch);
            }
        }
        RunNews::Event(RunEvent::Totals(batch)) => {
            let totals = state
                .result
                .compiled
                .as_ref()
                .and_then(|compiled| compiled.total());
            if let (Some(grid), Some(totals)) = (&mut state.result.grid, totals) {
                grid.set_totals(&totals.columns, &batch);
            }
            state.result.totals = Some(batch);
        }
        RunNews::Ended(outcome) => return ended(state, outcome),
    }
    Vec::new()
}

fn ended(state: &mut State, outcome: Result<RunSummary, SessionError>) -> Vec<Effect> {
    match outcome {
        Err(error) if error.failure == Failure::Expensive => {
            state.result.phase = Phase::Idle;
            state.result.grid = None;
            let fresh = state.result.fresh;
            expense::ask(state, &error, Expensive::Run(fresh));
            return Vec::new();
        }
        Ok(summary) => {
            if let Some(grid) = &mut state.result.grid {
                grid.set_progress(if summary.truncated {
                    Progress::Cut
                } else {
                    Progress::Complete
                });
            }
            state.result.phase = Phase::Done(summary);
            let like = std::mem::take(&mut state.result.arrangement);
            let grid = state.result.grid.as_ref();
            if let Some(job) = grid.and_then(|grid| grid.pivot_again(&like)) {
                return vec![state.ask(Lookup::Pivot(job))];
            }
        }
        Err(error) => {
            if let Some(grid) = &mut state.result.grid {
                grid.set_progress(Progress::Stopped);
            }
            if error.failure == Failure::Interrupted {
                state.notice = Some(Notice::Info(
                    "cancelled; the warehouse has stopped".to_owned(),
                ));
            }
            state.result.phase = Phase::Failed(error);
        }
    }
    if state.result.filter.is_empty() {
        return Vec::new();
    }
    rows::ask(state)
}

/// Sorts by the selected column: here if all rows are here, else only in the query.
pub(super) fn sort(state: &mut State) -> Vec<Effect> {
    let is_filtering = state.waits_for(Slot::Filter);
    let Some(grid) = &mut state.result.grid else {
        return Vec::new();
    };
    let Some((_, column)) = grid.selected() else {
        return Vec::new();
    };
    if is_filtering {
        state.notice = Some(Notice::Info(
            "the rows are being filtered; sort when that is done".to_owned(),
        ));
        return Vec::new();
    }
    match grid.progress() {
        Progress::Streaming => {
            state.notice = Some(Notice::Error(
                "rows are still coming; sort when they are all here".to_owned(),
            ));
            Vec::new()
        }
        Progress::Cut | Progress::Stopped => {
            let Some(name) = grid
                .table()
                .columns()
                .get(column)
                .map(|column| column.name.clone())
            else {
                return Vec::new();
            };
            let key = OrderBy {
                column: name.clone(),
                direction: Direction::Descending,
            };
            let text = format!(
                "Only a part of the rows is here, so sorting them would mislead. Sort by {name} in the query and run it again?"
            );
            state.popups.push(Popup::Question(Question {
                text,
                yes: Answered::SortInQuery(key),
            }));
            Vec::new()
        }
        Progress::Complete => match grid.next_direction(column) {
            None => {
                grid.unsort();
                beside::regroup(state)
            }
            Some(direction) => {
                let job = grid.sort_request(column, direction);
                job.map(|job| state.ask(Lookup::Sort(job)))
                    .into_iter()
                    .collect()
            }
        },
    }
}

/// The order was found.
pub(super) fn sorted(state: &mut State, order: Result<SortedOrder, String>) -> Vec<Effect> {
    match (order, &mut state.result.grid) {
        (Ok(order), Some(grid)) => {
            grid.apply(order);
        }
        (Err(error), _) => state.notice = Some(Notice::Error(format!("not sorted: {error}"))),
        _ => {}
    }
    beside::regroup(state)
}

/// Sorts in the query and runs it.
pub(super) fn sort_in_query(state: &mut State, key: OrderBy) -> Vec<Effect> {
    let mut changed = state.result.query.clone();
    changed.order = vec![key];
    let mut effects = query::set(state, changed);
    effects.extend(run(state, false));
    effects
}

/// Marks what is searched, and looks for the first match from here.
pub(super) fn find(state: &mut State) {
    if let Some(grid) = &mut state.result.grid {
        grid.highlight(state.result.find.text());
    }
}

/// Looks for the next match.
pub(super) fn next_match(state: &mut State, heading: Heading) -> Vec<Effect> {
    let Some(grid) = &state.result.grid else {
        return Vec::new();
    };
    let text = state.result.find.text();
    if text.is_empty() {
        return Vec::new();
    }
    let find = grid.find(text, heading);
    vec![state.ask(Lookup::Find(find))]
}

/// A match was found, or none.
pub(super) fn found(state: &mut State, found: Found) {
    match (found, &mut state.result.grid) {
        (Found::At(row, column), Some(grid)) => grid.select(row, column),
        // Another search came first.
        (Found::NotYet, _) => {}
        _ => {
            state.notice = Some(Notice::Info(format!(
                "'{}' is not in the result",
                state.result.find.text()
            )))
        }
    }
}

/// Shows the selected cell in full.
pub(super) fn view_cell(state: &mut State) {
    let Some(grid) = &state.result.grid else {
        return;
    };
    let json = grid
        .selected()
        .and_then(|(row, column)| grid.table().cell(row, column))
        .and_then(|(array, index)| JsonTree::read(&raw_text(array, index)?));
    if let Some((column, text)) = grid.selected_detail() {
        let title = column.label.clone();
        match json {
            Some(tree) => state.popups.push(Popup::Tree(Tree {
                title,
                tree,
                of: Vec::new(),
            })),
            None => super::reader::open(state, title, Page::Cell(text)),
        }
    }
}

/// Most rows that are copied; a terminal takes no more anyway.
pub(super) const COPY_ROWS: usize = 100_000;

/// Copies the query line, the SQL or rows.
pub(super) fn copy(state: &mut State, kind: CopyKind) -> Vec<Effect> {
    match kind {
        CopyKind::Line => vec![Effect::Copy(state.query.to_string())],
        CopyKind::Sql => match state.preview.current() {
            Some(compiled) => vec![Effect::Copy(compiled.main.sql.clone())],
            None => Vec::new(),
        },
        CopyKind::Query(copy) => vec![state.ask(Lookup::CopyQuery(copy))],
        CopyKind::Rows(what, format) => {
            let Some(table) = state.result.grid.as_ref().map(|grid| grid.table().clone()) else {
                return Vec::new();
            };
            vec![state.ask(Lookup::Write {
                table,
                what,
                format,
                cap: COPY_ROWS,
            })]
        }
    }
}

/// The query of a part of the result was written, or not.
pub(super) fn query_written(state: &mut State, text: Result<String, String>) -> Vec<Effect> {
    match text {
        Ok(text) => vec![Effect::Copy(text)],
        Err(error) => {
            state.notice = Some(Notice::Error(format!("not copied: {error}")));
            Vec::new()
        }
    }
}

/// The rows were written.
pub(super) fn written(state: &mut State, copied: Copied) -> Vec<Effect> {
    if copied.left_out > 0 {
        state.notice = Some(Notice::Error(format!(
            "not copied: {} rows are more than the {COPY_ROWS} that fit a clipboard; `metrex query … --format csv` writes them all",
            copied.rows + copied.left_out
        )));
        return Vec::new();
    }
    let line = state
        .result
        .compiled
        .as_ref()
        .map(|compiled| compiled.query.to_string());
    let mut effects = vec![Effect::Copy(copied.text)];
    effects.extend(line.map(Effect::Reused));
    effects
}

/// Moves in the rows.
pub(super) fn moved(state: &mut State, action: Action) {
    if state.result.chart.leads() {
        return chart::moved(state, action);
    }
    if let Some(grid) = &mut state.result.grid {
        step(grid, action);
    }
}

/// Moves in a grid.
pub(super) fn step(grid: &mut Grid, action: Action) {
    match action {
        Action::Up => grid.move_by(-1, 0),
        Action::Down => grid.move_by(1, 0),
        Action::Left => grid.move_by(0, -1),
        Action::Right => grid.move_by(0, 1),
        Action::PageUp => grid.page(-1),
        Action::PageDown => grid.page(1),
        Action::First => grid.to_first_row(),
        Action::Last => grid.to_last_row(),
        _ => {}
    }
}

/// The wheel turned over the rows.
pub(super) fn scroll(state: &mut State, rows: isize) {
    if state.result.chart.leads() {
        let action = if rows < 0 { Action::Up } else { Action::Down };
        return chart::moved(state, action);
    }
    if let Some(grid) = &mut state.result.grid {
        grid.scroll(rows);
    }
}

/// A place in the rows was clicked: a cell is selected, and `again` acts as Enter does; a header sorts.
pub(super) fn click(state: &mut State, column: u16, row: u16, again: bool) -> Vec<Effect> {
    let area = Layout::of(state).inner(Focus::Result).map(grid_area);
    let area = area.and_then(|area| state.result.chart.split(area).0);
    let (Some(area), Some(grid)) = (area, &mut state.result.grid) else {
        return Vec::new();
    };
    let area = ratatui::layout::Rect { x: 0, y: 0, ..area };
    if let Some((row, column)) = grid.cell_at(column, row, area) {
        if again && grid.selected() == Some((row, column)) {
            return keys::enter(state, Context::Result);
        }
        grid.select(row, column);
    } else if let Some(header) = grid.header_at(column, row, area) {
        let row = grid.selected().map_or(0, |(row, _)| row);
        grid.select(row, header);
        return sort(state);
    }
    Vec::new()
}
