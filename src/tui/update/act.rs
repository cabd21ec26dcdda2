//! What each action does.

use super::{
    ask, author, behind, beside, borders, chart, columns, dates, define, drill, expense, files,
    finder, kept, lineage, menu, picker, pin, prompt, query, reader, result, reviewing,
    rows as row_view, spread, steps, tabs, times, tree, usage, why,
};
use crate::model::Comparison;
use crate::tui::action::{self, Action};
use crate::tui::message::{Effect, Notice};
use crate::tui::parts;
use crate::tui::popup::{Answered, Page, PickerKind, Popup, Question};
use crate::tui::state::{Focus, Phase, State};
use crate::tui::widgets::grid::{Grid, Heading};

/// Does it, or says why not.
pub(super) fn perform_if_enabled(state: &mut State, action: Action) -> Vec<Effect> {
    let entry = action::actions()
        .iter()
        .find(|entry| entry.action == action);
    match entry.map(|entry| (entry.enabled)(state)) {
        Some(Err(reason)) => {
            state.notice = Some(Notice::Error(reason.into_owned()));
            Vec::new()
        }
        _ => perform(state, action),
    }
}

/// Does it.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Run => tabs::run(state, false),
        Action::Refresh => tabs::run(state, true),
        Action::Interrupt => interrupt(state),
        Action::Back => back(state),
        Action::Quit => quit(state),
        Action::Help => toggle(state, PickerKind::Help),
        Action::Problems => open(state, "Problems in the registry", Page::Problems),
        Action::EditLine => prompt::open(state),
        Action::Ask => ask::open(state),
        Action::StartAnew => ask::start_anew(state),
        Action::ForgetChosen => ask::forget(state),
        Action::Verdict => picker::open(state, PickerKind::Verdict),
        Action::Choices => picker::open(state, PickerKind::Choices),
        Action::BreakLine => prompt::break_line(state),
        Action::ApplyLine => prompt::apply(state),
        Action::CompleteLine => prompt::accept(state),
        Action::Menu => menu::toggle(state),
        Action::FindMetric => find_metric(state),
        Action::NextPane => cycle(state, 1),
        Action::PreviousPane => cycle(state, Focus::ALL.len() - 1),
        Action::Pane(pane) => focus(state, pane),
        Action::Group => picker::open(state, PickerKind::Dimensions { filter: false }),
        Action::Filter => picker::open(state, PickerKind::Dimensions { filter: true }),
        Action::Time => picker::open(state, PickerKind::Time),
        Action::Dates => dates::open(state),
        Action::Compare => picker::open(state, PickerKind::Compare),
        Action::Order => picker::open(state, PickerKind::Order),
        Action::Palette => toggle(state, PickerKind::Palette),
        Action::History | Action::SearchHistory => picker::open(state, PickerKind::History),
        Action::Views => picker::open(state, PickerKind::Views),
        Action::Analyses => picker::open(state, PickerKind::Analyses),
        Action::Connection => picker::open(state, PickerKind::Connections),
        Action::Theme => picker::open(state, PickerKind::Themes),
        Action::Copy if tree::is_open(state) => tree::copy(state),
        Action::Copy => picker::copy(state),
        Action::Mark => quietly(state, |state| mark(state, false)),
        Action::MarkColumn => quietly(state, |state| mark(state, true)),
        Action::WriteFile => quietly(state, files::open),
        Action::SaveFile => files::write(state, false, false),
        Action::AllRows => quietly(state, files::all_rows),
        Action::StopWriting => files::stop(state),
        Action::Choose if state.popups.is_empty() => close_find(state),
        Action::Choose => match state.popups.last() {
            Some(Popup::Menu(_)) => menu::choose(state),
            Some(Popup::Dates(_)) => dates::choose(state),
            Some(Popup::Spread(_)) => spread::take(state),
            _ => picker::choose(state),
        },
        Action::GoThere => lineage::go(state),
        Action::Toggle if tree::is_open(state) => quietly(state, tree::toggle),
        Action::Toggle => picker::toggle(state),
        Action::OpenValues => picker::open_values(state),
        Action::Candidate(index) => picker::take_candidate(state, index),
        Action::Include => picker::mark(state, true),
        Action::Exclude => picker::mark(state, false),
        Action::ClearQuery => query::set(state, Default::default()),
        Action::UndoQuery => steps::undo(state),
        Action::RedoQuery => steps::redo(state),
        Action::SaveQuery => kept::name(state),
        Action::RunKept => kept::run(state),
        Action::OpenKept => kept::open_in_tab(state),
        Action::CopyKept => kept::copy(state),
        Action::DeleteKept => kept::delete(state),
        Action::SaveName => kept::save(state),
        Action::OtherField => kept::other_field(state),
        Action::NewTab => tabs::open(state),
        Action::DuplicateTab => tabs::duplicate(state),
        Action::CloseTab => tabs::close(state),
        Action::ReopenTab => tabs::reopen(state),
        Action::NextTab => tabs::cycle(state, 1),
        Action::PreviousTab => tabs::cycle(state, -1),
        Action::SideBySide => tabs::side_by_side(state),
        Action::ShareFilters => tabs::toggle_sharing(state),
        Action::StepBack => steps::step_back(state),
        Action::PreviousPeriod => times::compare(state, Some(Comparison::PreviousPeriod)),
        Action::YearAgo => times::compare(state, Some(Comparison::PreviousYear)),
        Action::NoComparison => times::compare(state, None),
        Action::SortByChange => times::sort_by_change(state),
        Action::Finer => times::regrain(state, true),
        Action::Coarser => times::regrain(state, false),
        Action::Earlier => times::shift(state, false),
        Action::Later => times::shift(state, true),
        Action::Definition => reader::definitions(state),
        Action::Lineage => lineage::open(state),
        Action::UsageGraph => usage::open(state),
        Action::Editor => reader::edit(state),
        Action::GrowPane => borders::grow(state, true),
        Action::ShrinkPane => borders::grow(state, false),
        Action::EvenPanes => quietly(state, borders::even),
        Action::Mouse => mouse(state),
        Action::Suspend => vec![Effect::Suspend],
        Action::Redraw => vec![Effect::Redraw],
        Action::Up
        | Action::Down
        | Action::PageUp
        | Action::PageDown
        | Action::First
        | Action::Last
        | Action::Left
        | Action::Right => moved(state, action),
        Action::Define => define::open(state),
        Action::DefinePreview
        | Action::DefinePage
        | Action::DefineDraft
        | Action::DefinePublish
        | Action::DefineToggle
        | Action::DefineChange
        | Action::DefineEnter
        | Action::DefineModel
        | Action::DefineNew => define::perform(state, action),
        Action::Review => reviewing::open(state),
        Action::ReviewApprove
        | Action::ReviewReject
        | Action::ReviewPublish
        | Action::ReviewCertify
        | Action::ReviewDeprecate
        | Action::ReviewNumbers
        | Action::ReviewAll
        | Action::ReviewChange
        | Action::ReviewWrite => reviewing::perform(state, action),
        Action::Author => author::open(state),
        Action::AuthorSave
        | Action::AuthorNumbers
        | Action::AuthorBy
        | Action::AuthorShows
        | Action::AuthorEditor
        | Action::AuthorType
        | Action::AuthorIndent => author::perform(state, action),
        Action::Explore => finder::explore(state),
        Action::CompleteSearch => finder::complete(state),
        Action::AddMetric => finder::add(state),
        Action::Fold if tree::is_open(state) => quietly(state, tree::fold),
        Action::Unfold if tree::is_open(state) => quietly(state, tree::unfold),
        Action::FoldAll => quietly(state, |state| tree::fold_all(state, true)),
        Action::UnfoldAll => quietly(state, |state| tree::fold_all(state, false)),
        Action::Fold => finder::fold(state, true),
        Action::Unfold => finder::fold(state, false),
        Action::EditPart => edit_part(state),
        Action::RemovePart => remove_part(state),
        Action::CellMenu => drill::menu(state),
        Action::RowsBehind => behind::rows(state),
        Action::ExplainNumber => behind::meaning(state),
        Action::Why => why::open(state),
        Action::WhyRun => why::run(state),
        Action::PinNumber => pin::ask(state),
        Action::NextPart if matches!(state.popups.last(), Some(Popup::Spread(_))) => {
            spread::turn(state, true)
        }
        Action::NextPart => behind::next_part(state),
        Action::Spread => spread::open(state),
        Action::Policy => reader::policy(state),
        Action::CopyBehind => behind::copy(state),
        Action::ViewCell => quietly(state, result::view_cell),
        Action::Sort => result::sort(state),
        Action::FindInResult => quietly(state, |state| state.result.finding = true),
        Action::NextMatch => result::next_match(state, Heading::Forward),
        Action::PreviousMatch => result::next_match(state, Heading::Backward),
        Action::Wider => quietly(state, |state| widen(state, 2)),
        Action::Narrower => quietly(state, |state| widen(state, -2)),
        Action::FirstColumn => quietly(state, |state| columns::to_end(state, false)),
        Action::LastColumn => quietly(state, |state| columns::to_end(state, true)),
        Action::Freeze => quietly(state, freeze),
        Action::FilterRows => quietly(state, row_view::open),
        Action::HideColumn => quietly(state, columns::hide),
        Action::ShowColumns => quietly(state, columns::show),
        Action::ColumnLeft => quietly(state, |state| columns::shift(state, false)),
        Action::ColumnRight => quietly(state, |state| columns::shift(state, true)),
        Action::FitColumn => quietly(state, columns::fit),
        Action::FitColumns => quietly(state, columns::fit_all),
        Action::Look(switch) => quietly(state, |state| columns::switch(state, switch)),
        Action::Trends => beside::trends(state),
        Action::Subtotals => beside::subtotals(state),
        Action::Pivot => row_view::pivot(state),
        Action::RowForm => open(state, "Row", Page::Row),
        Action::Chart => chart::turn(state),
        Action::ChartKind => picker::open(state, PickerKind::Charts),
        Action::SaveChart(form) => chart::save(state, form),
        Action::Confirm => confirm(state),
        Action::Close => author::refuse(state),
    }
}

/// Changes the state, with nothing left to be done outside.
fn quietly(state: &mut State, change: impl FnOnce(&mut State)) -> Vec<Effect> {
    change(state);
    Vec::new()
}

fn open(state: &mut State, title: &str, page: Page) -> Vec<Effect> {
    reader::open(state, title, page);
    Vec::new()
}

/// Opens a list, or closes it where it is on top.
fn toggle(state: &mut State, kind: PickerKind) -> Vec<Effect> {
    match state.popups.last() {
        Some(Popup::Picker(picker)) if picker.kind == kind => quietly(state, |state| {
            state.popups.pop();
        }),
        _ => picker::open(state, kind),
    }
}

fn close_find(state: &mut State) -> Vec<Effect> {
    state.result.finding = false;
    state.result.filtering = false;
    Vec::new()
}

/// Gives the keys to a pane.
pub(super) fn focus(state: &mut State, pane: Focus) -> Vec<Effect> {
    let mut effects = Vec::new();
    if state.prompt.typing && pane != Focus::Query {
        effects = prompt::close(state);
    }
    state.finder.typing =
        pane == Focus::Catalog && state.finder.typing && state.focus == Focus::Catalog;
    state.result.finding = false;
    state.result.filtering = false;
    state.focus = pane;
    effects
}

fn find_metric(state: &mut State) -> Vec<Effect> {
    state.popups.clear();
    let effects = focus(state, Focus::Catalog);
    state.finder.typing = true;
    effects
}

fn cycle(state: &mut State, by: usize) -> Vec<Effect> {
    if !state.popups.is_empty() {
        return Vec::new();
    }
    let at = Focus::ALL
        .iter()
        .position(|pane| *pane == state.focus)
        .unwrap_or(0);
    let next = Focus::ALL
        .get((at + by) % Focus::ALL.len())
        .copied()
        .unwrap_or(state.focus);
    focus(state, next)
}

/// Esc: closes the window on top, cancels the run, or steps out of a text; it never quits.
fn back(state: &mut State) -> Vec<Effect> {
    if let Some(Popup::Author(_)) = state.popups.last() {
        return author::back(state);
    }
    if let Some(Popup::Define(_)) = state.popups.last() {
        return define::back(state);
    }
    if let Some(Popup::Review(_)) = state.popups.last() {
        return reviewing::back(state);
    }
    if let Some(Popup::Why(_)) = state.popups.last() {
        return why::close(state);
    }
    if author::leave_draft(state) || state.popups.pop().is_some() {
        return Vec::new();
    }
    match state.focus {
        Focus::Query if state.prompt.selected.is_some() => {
            quietly(state, |state| state.prompt.selected = None)
        }
        Focus::Query if state.prompt.asking.is_some() => ask::stop(state),
        Focus::Query if state.prompt.typing => prompt::close(state),
        Focus::Catalog if state.finder.typing && !state.finder.input.is_empty() => {
            state.finder.input.set("");
            finder::typed(state)
        }
        Focus::Catalog if state.finder.typing => {
            quietly(state, |state| state.finder.typing = false)
        }
        Focus::Result if state.result.finding => {
            state.result.finding = false;
            state.result.find.set("");
            quietly(state, result::find)
        }
        Focus::Result if state.result.grid.as_mut().is_some_and(Grid::unmark) => Vec::new(),
        Focus::Result if state.result.filtering => row_view::clear(state),
        Focus::Result if !state.result.is_running() && state.result.beside.is_none() => {
            row_view::clear(state)
        }
        _ => result::cancel(state),
    }
}

/// Ctrl+C: cancels the run; without one, the second time in a row it quits.
fn interrupt(state: &mut State) -> Vec<Effect> {
    if state.prompt.asking.is_some() {
        return ask::stop(state);
    }
    if let Phase::Running(_) = state.result.phase {
        return result::cancel(state);
    }
    if state.saving.is_some() {
        return files::stop(state);
    }
    if state.leaving {
        return vec![Effect::Quit];
    }
    state.leaving = true;
    let key = state.key(Action::Interrupt);
    let unsaved = state.popups.iter().find_map(|popup| match popup {
        Popup::Author(author) if author.is_changed() => Some(&author.path),
        _ => None,
    });
    state.notice = Some(match unsaved {
        Some(path) => Notice::Info(format!("{key} again quits; the draft of {path} is kept")),
        None => Notice::Info(format!("{key} again quits")),
    });
    Vec::new()
}

fn quit(state: &mut State) -> Vec<Effect> {
    let runs = state.find_tab(|tab| tab.result.is_running()).is_some();
    let text = match (runs, &state.saving) {
        (true, _) => "A query is running. Cancel it and quit?",
        (false, Some(_)) => "A file is being written. Stop and quit?",
        (false, None) => return vec![Effect::Quit],
    };
    let text = text.to_owned();
    state.popups.push(Popup::Question(Question {
        text,
        yes: Answered::Quit,
    }));
    Vec::new()
}

fn confirm(state: &mut State) -> Vec<Effect> {
    match state.popups.pop() {
        Some(Popup::Question(Question {
            yes: Answered::Quit,
            ..
        })) => vec![Effect::Quit],
        Some(Popup::Question(Question {
            yes: Answered::SortInQuery(key),
            ..
        })) => result::sort_in_query(state, key),
        Some(Popup::Question(Question {
            yes: Answered::DeleteView(name),
            ..
        })) => vec![Effect::DeleteView(name)],
        Some(Popup::Question(Question {
            yes: Answered::Pin(pin),
            ..
        })) => vec![Effect::Pin(pin)],
        Some(Popup::Question(Question {
            yes: Answered::ReplaceFile,
            ..
        })) => files::write(state, true, false),
        Some(Popup::Question(Question {
            yes: Answered::ExploreWithout(metric),
            ..
        })) => finder::explore_without(state, metric),
        Some(Popup::Question(Question {
            yes: Answered::DropDraft,
            ..
        })) => author::drop_draft(state),
        Some(Popup::Question(Question {
            yes: Answered::TakeDraft(unsaved),
            ..
        })) => author::take_draft(state, *unsaved),
        Some(Popup::Question(Question {
            yes: Answered::OverwriteFile,
            ..
        })) => author::save(state, true),
        Some(Popup::Question(Question {
            yes: Answered::Anyway(what),
            ..
        })) => expense::anyway(state, what),
        _ => Vec::new(),
    }
}

fn mouse(state: &mut State) -> Vec<Effect> {
    state.mouse = !state.mouse;
    let words = if state.mouse {
        "metrex takes the mouse"
    } else {
        "the terminal has the mouse: select and copy as usual"
    };
    state.notice = Some(Notice::Info(words.to_owned()));
    vec![Effect::Mouse(state.mouse)]
}

fn freeze(state: &mut State) {
    if let Some(grid) = &mut state.result.grid {
        grid.freeze();
    }
}

fn mark(state: &mut State, whole_columns: bool) {
    if let Some(grid) = &mut state.result.grid {
        grid.mark(whole_columns);
    }
}

fn widen(state: &mut State, by: i16) {
    if let Some(grid) = &mut state.result.grid {
        grid.resize_column(by);
    }
}

fn edit_part(state: &mut State) -> Vec<Effect> {
    let Some(part) = state.part() else {
        return Vec::new();
    };
    match part.kind {
        parts::PartKind::Metric(_) => find_metric(state),
        parts::PartKind::Group(_) => perform(state, Action::Group),
        parts::PartKind::Condition(_) => picker::edit_condition(state, &part),
        parts::PartKind::Time => perform(state, Action::Time),
        parts::PartKind::Compare => perform(state, Action::Compare),
        parts::PartKind::Order(_) | parts::PartKind::Limit | parts::PartKind::Total => {
            perform(state, Action::Order)
        }
    }
}

fn remove_part(state: &mut State) -> Vec<Effect> {
    let Some(part) = state.part() else {
        return Vec::new();
    };
    let mut changed = state.query.clone();
    parts::remove(&mut changed, &state.groups(), part.kind);
    query::set(state, changed)
}

/// A move in the window on top or in the pane that takes the keys.
fn moved(state: &mut State, action: Action) -> Vec<Effect> {
    match state.popups.last() {
        Some(Popup::Picker(_)) => quietly(state, |state| picker::step(state, action)),
        Some(Popup::Reader(_)) => quietly(state, |state| {
            if !reader::turn_row(state, action) {
                reader::scroll(state, rows(action, 15));
            }
        }),
        Some(Popup::Author(_)) => quietly(state, |state| author::scroll(state, rows(action, 8))),
        Some(Popup::Define(_)) => define::moved(state, action),
        Some(Popup::Review(_)) => reviewing::moved(state, action),
        Some(Popup::Question(_) | Popup::Naming(_)) => Vec::new(),
        Some(Popup::File(_)) => quietly(state, |state| files::step(state, action)),
        Some(Popup::Dates(_)) => quietly(state, |state| dates::step(state, action)),
        Some(Popup::Menu(_)) => quietly(state, |state| menu::step(state, action)),
        Some(Popup::Behind(_)) => quietly(state, |state| behind::moved(state, action)),
        Some(Popup::Spread(_)) => spread::moved(state, action),
        Some(Popup::Why(_)) => quietly(state, |state| why::moved(state, action)),
        Some(Popup::Tree(_)) => quietly(state, |state| tree::step(state, action)),
        None => step(state, state.focus, action),
    }
}

/// A move in a pane.
pub(super) fn step(state: &mut State, pane: Focus, action: Action) -> Vec<Effect> {
    match pane {
        Focus::Catalog => finder::step(state, rows(action, 15)),
        Focus::Details => {
            state.details.offset = state.details.offset.saturating_add_signed(rows(action, 10));
            Vec::new()
        }
        Focus::Query if state.prompt.typing => match action {
            Action::Up => prompt::step(state, false),
            Action::Down => prompt::step(state, true),
            _ => Vec::new(),
        },
        Focus::Query => {
            let by = match action {
                Action::Left | Action::Up => -1,
                Action::Right | Action::Down => 1,
                other => rows(other, 5),
            };
            state.part = state.part.saturating_add_signed(by);
            Vec::new()
        }
        Focus::Preview => {
            let sql = &mut state.preview.sql;
            match action {
                Action::Left => sql.scroll_sideways(-8),
                Action::Right => sql.scroll_sideways(8),
                Action::PageUp => sql.page(-1),
                Action::PageDown => sql.page(1),
                other => sql.move_by(rows(other, 0)),
            }
            Vec::new()
        }
        Focus::Result => quietly(state, |state| result::moved(state, action)),
    }
}

/// Rows an action moves by; `page` is a page.
pub(super) fn rows(action: Action, page: isize) -> isize {
    match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::First => isize::MIN / 2,
        Action::Last => isize::MAX / 2,
        _ => 0,
    }
}
