//! The pure heart: a message changes the state and says what is to be done; nothing is read, written or waited for.

mod act;
mod ahead;
mod ask;
mod attempt;
mod author;
mod behind;
mod beside;
mod borders;
mod chart;
mod columns;
mod dates;
mod drill;
mod expense;
mod files;
mod finder;
mod kept;
mod keys;
mod menu;
mod picker;
mod prompt;
mod query;
mod reader;
mod result;
mod rows;
mod steps;
mod tabs;
mod theme;
pub(super) mod times;
mod tree;
mod workspace;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};
use ratatui::layout::{Position, Rect, Size};

use super::action::{Action, Context};
use super::hit::Target;
use super::keys::Chord;
use super::layout::Layout;
use super::message::{Answer, Effect, Lookup, Message, Notice, Slot};
use super::popup::Popup;
use super::question::Origin;
use super::state::{Focus, State};
use super::theme::Theme;
use keys::Pressed;

/// Lines that one notch of the wheel moves by.
const WHEEL: i32 = 3;

/// Changes the state by a message.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let Some(message) = ahead::keep(state, message) else {
        return Vec::new();
    };
    let mut effects = apply(state, message);
    while let Some(waited) = ahead::next(state) {
        effects.extend(apply(state, waited));
    }
    effects
}

fn apply(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = match message {
        Message::Clock(now) => {
            state.now = now;
            super::tabs::tick(state);
            return Vec::new();
        }
        Message::Key(event) if event.kind == KeyEventKind::Press => key(state, event),
        Message::Key(_) => return Vec::new(),
        Message::Paste(text) => paste(state, &text),
        Message::Click(target) => click(state, target),
        Message::Drag(column, row) => {
            borders::dragged(state, Position::new(column, row));
            Vec::new()
        }
        Message::Release => {
            state.dragging = None;
            Vec::new()
        }
        Message::Wheel(target, notches) => wheel(state, target, notches),
        Message::Resize(size) => resize(state, size),
        Message::Answer { generation, answer } => {
            let Some(tab) = state.find_tab(|tab| tab.is_expecting(answer.slot(), generation))
            else {
                return Vec::new();
            };
            state.in_tab(tab, |state| {
                state.forget(answer.slot());
                take(state, answer)
            })
        }
        Message::Run { generation, news } => tabs::run_news(state, generation, news),
        Message::Ask { generation, news } => {
            let is_meant = |tab: &State| {
                let asking = tab.prompt.asking.as_ref();
                asking.is_some_and(|asking| asking.generation == generation)
            };
            match state.find_tab(is_meant) {
                Some(tab) => state.in_tab(tab, |state| ask::news(state, generation, news)),
                None => return Vec::new(),
            }
        }
        Message::File { generation, news } => {
            files::news(state, generation, news);
            Vec::new()
        }
        Message::Measured {
            generation,
            outcome,
        } => {
            author::measured(state, generation, outcome);
            Vec::new()
        }
        Message::Look { generation, news } => {
            match state.find_tab(|tab| behind::is_waiting(tab, generation)) {
                Some(tab) => state.in_tab(tab, |state| behind::news(state, generation, news)),
                None => return Vec::new(),
            }
        }
        Message::Beside {
            generation,
            outcome,
        } => {
            let is_meant = |tab: &State| tab.result.beside == Some(generation);
            match state.find_tab(is_meant) {
                Some(tab) => state.in_tab(tab, |state| beside::news(state, generation, outcome)),
                None => return Vec::new(),
            }
        }
        Message::Preparing(step) => {
            state.preparing = Some(step);
            Vec::new()
        }
        Message::Prepared(outcome) => prepared(state, outcome),
        Message::FilesChanged => vec![Effect::Reload],
        Message::Reloaded { catalog, problems } => {
            state.catalog = catalog;
            state.problems = problems;
            kept::refresh(state);
            state.problems.extend_from_slice(&state.setting.problems);
            // What a model wrote was checked against the definitions as they were.
            for origin in origins(state) {
                origin.written = None;
            }
            for origin in state.tabs.asides().flat_map(origins) {
                origin.written = None;
            }
            ask_again(state)
        }
        Message::ViewSaved { name, outcome } => kept::saved(state, name, outcome),
        Message::Connected { connection, error } => {
            state.connection = connection;
            state.notice = Some(match error {
                Some(error) => Notice::Error(error),
                None => Notice::Info(connected(state)),
            });
            ask_again(state)
        }
        Message::Background { is_light } => {
            state.theme_name = Theme::for_background(is_light).to_owned();
            Vec::new()
        }
        Message::Expensive {
            generation,
            expense,
            fresh,
        } => {
            if let Some(tab) = state.find_tab(|tab| tab.result.generation == generation) {
                state.in_tab(tab, |state| expense::ask(state, &expense, fresh));
            }
            Vec::new()
        }
        Message::NotCopied { text, reason } => vec![Effect::CopyByTerminal(text, reason)],
        Message::Notice(notice) => {
            state.notice = Some(notice);
            Vec::new()
        }
    };
    effects.extend(finder::follow(state));
    effects.extend(chart::follow(state));
    settle(state);
    let looks = |effect: &Effect| matches!(effect, Effect::Look { .. });
    state.looking |= effects.iter().any(looks);
    if state.looking && state.find_tab(behind::is_open).is_none() {
        state.looking = false;
        effects.push(Effect::StopLooking);
    }
    effects
}

/// The questions that the query came from, now or at a time to come back to.
fn origins(state: &mut State) -> impl Iterator<Item = &mut Origin> {
    let moments = state.past.iter_mut().chain(&mut state.future);
    let moments = moments.flat_map(|moment| {
        let trail = moment.trail.iter_mut();
        moment
            .origin
            .iter_mut()
            .chain(trail.flat_map(|step| &mut step.origin))
    });
    let trail = state.trail.iter_mut().flat_map(|step| &mut step.origin);
    state.origin.iter_mut().chain(moments).chain(trail)
}

fn key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    state.notice = None;
    let was_leaving = std::mem::take(&mut state.leaving);
    match keys::press(state, Chord::from(event)) {
        Pressed::Action(entry) => match (entry.enabled)(state) {
            Ok(()) => {
                state.leaving = was_leaving && entry.action == Action::Interrupt;
                act::perform(state, entry.action)
            }
            Err(reason) => {
                state.notice = Some(Notice::Error(reason.into_owned()));
                Vec::new()
            }
        },
        Pressed::Text => type_key(state, event),
        Pressed::Taken => Vec::new(),
    }
}

/// A key that is no action goes into the text that is being typed.
fn type_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    if let Some(dialog) = files::dialog(state) {
        dialog.input.key(event);
        return Vec::new();
    }
    if keys::leads_here(state, Chord::from(event)) {
        return Vec::new();
    }
    match state.popups.last_mut() {
        Some(Popup::Picker(picker)) => {
            if picker.input.key(event) {
                picker::typed(state)
            } else {
                Vec::new()
            }
        }
        Some(Popup::Naming(_)) => {
            if let Some(field) = kept::field(state) {
                field.key(event);
            }
            Vec::new()
        }
        Some(Popup::Dates(_)) => {
            dates::key(state, event);
            Vec::new()
        }
        Some(Popup::Menu(_)) => {
            if let KeyCode::Char(c) = event.code {
                menu::letter(state, c);
            }
            Vec::new()
        }
        Some(Popup::Author(_)) => author::typed(state, event),
        Some(_) => Vec::new(),
        None => match state.focus {
            Focus::Catalog if state.finder.typing => {
                if state.finder.input.key(event) {
                    finder::typed(state)
                } else {
                    Vec::new()
                }
            }
            Focus::Query if state.prompt.typing => {
                let changed = state.prompt.input.key(event);
                prompt::typed(state, changed)
            }
            Focus::Result if state.result.finding => {
                if state.result.find.key(event) {
                    result::find(state);
                }
                Vec::new()
            }
            Focus::Result if state.result.filtering => {
                if state.result.filter.key(event) {
                    rows::ask(state)
                } else {
                    Vec::new()
                }
            }
            _ => Vec::new(),
        },
    }
}

fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    state.notice = None;
    if let Some(dialog) = files::dialog(state) {
        dialog.input.paste(text);
        return Vec::new();
    }
    state.first_key = None;
    match state.popups.last_mut() {
        Some(Popup::Picker(_)) => picker::paste(state, text),
        Some(Popup::Dates(_)) => {
            dates::paste(state, text);
            Vec::new()
        }
        Some(Popup::Naming(_)) => {
            if let Some(field) = kept::field(state) {
                field.paste(text);
            }
            Vec::new()
        }
        Some(Popup::Author(_)) => author::paste(state, text),
        Some(_) => Vec::new(),
        None => match state.focus {
            Focus::Catalog if state.finder.typing => {
                state.finder.input.paste(text);
                finder::typed(state)
            }
            Focus::Result if state.result.finding => {
                state.result.find.paste(text);
                result::find(state);
                Vec::new()
            }
            Focus::Result if state.result.filtering => {
                state.result.filter.paste(text);
                rows::ask(state)
            }
            // A pasted text is a query line or a question, wherever no other text is typed.
            _ => {
                let mut effects = if state.prompt.typing {
                    Vec::new()
                } else {
                    ask::open(state)
                };
                state.prompt.input.paste(text);
                effects.extend(prompt::typed(state, true));
                effects
            }
        },
    }
}

fn click(state: &mut State, target: Target) -> Vec<Effect> {
    state.notice = None;
    state.first_key = None;
    let pane = match target {
        Target::Outside => return act::perform(state, Action::Back),
        Target::List(column, row) => return picker::click(state, column, row),
        Target::Popup => return Vec::new(),
        Target::Tab(index) => return tabs::switch(state, index),
        Target::Day(day) => return dates::click(state, day),
        Target::Menu(menu) => {
            menu::open(state, menu);
            return Vec::new();
        }
        Target::Action(action) => {
            if let Some(Popup::Menu(_)) = state.popups.last() {
                state.popups.pop();
            }
            return act::perform_if_enabled(state, action);
        }
        Target::Pane(focus) => focus,
        Target::Border(border, focus) => {
            state.dragging = Some(border);
            focus
        }
        Target::SearchBox | Target::CatalogRow(_) => Focus::Catalog,
        Target::QueryLine | Target::Part(_) => Focus::Query,
        Target::Sql(..) => Focus::Preview,
        Target::Grid(..) | Target::Chart(..) => Focus::Result,
    };
    let again = state.focus == pane;
    let mut effects = act::focus(state, pane);
    match target {
        Target::SearchBox => state.finder.typing = true,
        Target::CatalogRow(row) => effects.extend(finder::click(state, row)),
        Target::QueryLine => effects.extend(prompt::open(state)),
        Target::Part(part) => {
            effects.extend(if state.part == part {
                act::perform(state, Action::EditPart)
            } else {
                Vec::new()
            });
            state.part = part;
        }
        Target::Sql(column, row) => {
            let line = Layout::of(state).sql.and_then(|area| {
                let area = Rect { x: 0, y: 0, ..area };
                state.preview.sql.line_at(column, row, area)
            });
            if let Some(line) = line {
                if again && state.preview.sql.selected_line() == line {
                    return keys::enter(state, Context::Preview);
                }
                state.preview.sql.select_line(line);
            }
        }
        Target::Grid(column, row) => effects.extend(result::click(state, column, row, again)),
        Target::Chart(column, row) => chart::click(state, column, row),
        _ => {}
    }
    effects
}

fn wheel(state: &mut State, target: Target, notches: i32) -> Vec<Effect> {
    let pane = match target {
        Target::Popup | Target::List(..) | Target::Menu(_) | Target::Day(_) => None,
        Target::Outside
        | Target::Action(_)
        | Target::Tab(_)
        | Target::QueryLine
        | Target::Part(_) => {
            return Vec::new();
        }
        Target::Pane(focus) | Target::Border(_, focus) => Some(focus),
        Target::SearchBox | Target::CatalogRow(_) => Some(Focus::Catalog),
        Target::Sql(..) => Some(Focus::Preview),
        Target::Grid(..) | Target::Chart(..) => Some(Focus::Result),
    };
    let lines = notches.saturating_mul(WHEEL);
    if pane == Some(Focus::Result) {
        result::scroll(state, isize::try_from(lines).unwrap_or(0));
        return Vec::new();
    }
    let action = if notches < 0 {
        Action::Up
    } else {
        Action::Down
    };
    let step = |_| match pane {
        Some(pane) => act::step(state, pane, action),
        None => act::perform(state, action),
    };
    (0..lines.unsigned_abs()).flat_map(step).collect()
}

fn resize(state: &mut State, size: Size) -> Vec<Effect> {
    state.size = size;
    Vec::new()
}

fn take(state: &mut State, answer: Answer) -> Vec<Effect> {
    match answer {
        Answer::Search(hits, hint) => return finder::found(state, hits, hint),
        Answer::Misfits(misfits) => state.finder.misfits = misfits,
        Answer::Definition(file) => return author::opened(state, file),
        Answer::Draft(draft) => author::drafted(state, *draft),
        Answer::Save(outcome) => return author::saved(state, outcome),
        Answer::Describe(card) => state.details.card = Some(card),
        Answer::Compile(outcome) => return attempt::compiled(state, outcome),
        Answer::Complete(completions) => {
            state.prompt.completions = completions;
            state.prompt.selected = None;
        }
        Answer::Understand(understanding) => return ask::understood(state, *understanding),
        Answer::Dimensions(choices) => picker::dimensions(state, &choices),
        Answer::Values(values) => picker::values(state, values),
        Answer::History(entries) => picker::history(state, entries),
        Answer::Choices(remembered) => picker::choices(state, &remembered),
        Answer::Workspace(workspace) => return workspace::restore(state, workspace),
        Answer::Excerpts(excerpts) => reader::excerpts(state, excerpts),
        Answer::Sort(order) => return result::sorted(state, order),
        Answer::Filter(outcome) => return rows::filtered(state, outcome),
        Answer::Group(grouped) => beside::grouped(state, grouped),
        Answer::Pivot(outcome) => rows::pivoted(state, outcome),
        Answer::Find(found) => result::found(state, found),
        Answer::Write(copied) => return result::written(state, copied),
        Answer::Chart(drawn) => chart::made(state, drawn),
        Answer::SaveChart(name) => chart::saved(state, name),
    }
    Vec::new()
}

fn connected(state: &State) -> String {
    let mut said = format!("connected to {}", state.connection);
    if let Some(known) = state.known_connection() {
        let production = if known.care.production {
            ", production"
        } else {
            ""
        };
        said = format!("{said}{production}, {}", known.guard.word());
    }
    said
}

fn prepared(state: &mut State, outcome: Result<(), String>) -> Vec<Effect> {
    state.preparing = None;
    if let Err(error) = outcome {
        state.notice = Some(Notice::Error(error));
    }
    let mut effects = ask_again(state);
    if state.prompt.typing && std::mem::take(&mut state.prompt.ask_when_ready) {
        effects.extend(ask::apply(state));
    }
    if std::mem::take(&mut state.run_when_ready) {
        effects.extend(act::perform_if_enabled(state, Action::Run));
    }
    effects
}

/// Asks for everything that depends on the definitions, the values or the connection.
fn ask_again(state: &mut State) -> Vec<Effect> {
    let words = state.finder.input.text().to_owned();
    let mut effects = vec![state.ask(Lookup::Search(words)), finder::fit(state)];
    if let Some(metric) = state.details.metric.clone() {
        effects.push(state.ask(Lookup::Describe(metric)));
    }
    if state.prompt.typing {
        effects.extend(ask::read(state));
    }
    effects.extend(query::ask_sql(state));
    effects.extend(author::refresh(state));
    effects
}

/// Tells the rows how much room they have.
pub(super) fn fit_rows(state: &mut State, pane: Option<Rect>) {
    if let (Some(grid), Some(area)) = (&mut state.result.grid, pane) {
        let area = super::layout::grid_area(super::layout::inside(area));
        let (rows, _) = state.result.chart.split(area);
        grid.set_size(rows.unwrap_or(area).as_size());
    }
}

/// Brings everything that depends on the size and on other parts of the state into bounds.
fn settle(state: &mut State) {
    tabs::share_filters(state);
    theme::settle(state);
    let layout = Layout::of(state);
    let inner = |focus| {
        layout.inner(focus).map_or((0, 0), |area| {
            (usize::from(area.width), usize::from(area.height))
        })
    };

    let (_, height) = inner(Focus::Catalog);
    let finder = &mut state.finder;
    finder.selected = finder.selected.min(finder.rows.len().saturating_sub(1));
    finder.offset = scrolled(
        finder.offset,
        finder.selected,
        height.saturating_sub(2),
        finder.rows.len(),
    );

    let (width, height) = inner(Focus::Details);
    let lines = super::view::details_height(state, width);
    state.details.offset = state.details.offset.min(lines.saturating_sub(height));

    let count = super::parts::parts(state).len();
    state.part = state.part.min(count.saturating_sub(1));

    state
        .preview
        .sql
        .set_height(layout.sql.map_or(0, |area| area.height));
    fit_rows(state, layout.result);
    super::tabs::settle(state, &layout);

    let offset = super::view::reader_limit(state, &layout);
    if let Some(Popup::Reader(reader)) = state.popups.last_mut() {
        reader.offset = reader.offset.min(offset);
    }
    let limit = match state.popups.last() {
        Some(Popup::Author(author)) => super::view::author_limit(state, author),
        _ => 0,
    };
    if let Some(Popup::Author(author)) = state.popups.last_mut() {
        author.follow(super::author::text_area(state.size));
        author.offset = author.offset.min(limit);
    }
    let rows = super::layout::behind_grid(state.size).as_size();
    if let Some(Popup::Behind(behind)) = state.popups.last_mut()
        && let Some(grid) = &mut behind.grid
    {
        grid.set_size(rows);
    }
    if let Some(Popup::Picker(picker)) = state.popups.last_mut() {
        let list = super::layout::picker_list(state.size, &picker.kind);
        picker.list.set_height(list.height);
    }
    let window = super::layout::inside(super::layout::reader(state.size));
    if let Some(Popup::Tree(open)) = state.popups.last_mut() {
        open.tree.set_height(window.height);
    }
    if !state.prompt.typing {
        state.forget(Slot::Complete);
        state.forget(Slot::Understand);
    }
}

/// The first row to show, so that `selected` of `count` rows is among the `height` shown.
fn scrolled(offset: usize, selected: usize, height: usize, count: usize) -> usize {
    let offset = offset.min(count.saturating_sub(height));
    if selected < offset {
        selected
    } else {
        offset.max((selected + 1).saturating_sub(height))
    }
}
