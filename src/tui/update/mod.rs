//! The pure heart: a message changes the state and says what is to be done; nothing is read, written or waited for.

mod act;
mod ahead;
mod analyses;
mod ask;
mod attempt;
mod author;
mod behind;
mod beside;
mod borders;
mod chart;
mod columns;
mod configured;
mod dates;
mod define;
mod drill;
mod expense;
mod files;
mod finder;
mod kept;
mod keys;
mod lineage;
mod menu;
mod mouse;
mod picker;
mod pin;
mod prompt;
mod query;
mod reader;
mod result;
mod reviewing;
mod rows;
mod settle;
mod spread;
mod steps;
mod tabs;
mod theme;
pub(super) mod times;
mod tree;
mod typing;
mod usage;
mod why;
mod workspace;

pub(super) use define::open as open_define;

use crossterm::event::KeyEventKind;
use ratatui::layout::{Position, Size};

use super::action::Action;
use super::message::{Answer, Effect, Lookup, Message, Notice};
use super::question::Origin;
use super::state::State;
use super::theme::Theme;
use mouse::{click, wheel};
pub(super) use settle::fit_rows;
use settle::settle;
use typing::{key, paste};

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
        Message::Lines(lines, with) => author::replace(state, lines, &with),
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
            if let Some(tab) = state.find_tab(|tab| author::is_measuring(tab, generation)) {
                state.in_tab(tab, |state| author::measured(state, outcome));
            }
            Vec::new()
        }
        Message::Define { generation, news } => match state.find_tab(define::is_open) {
            Some(tab) => state.in_tab(tab, |state| define::news(state, generation, *news)),
            None => return Vec::new(),
        },
        Message::Judged {
            generation,
            outcome,
        } => match state.find_tab(|tab| reviewing::is_waiting(tab, generation)) {
            Some(tab) => state.in_tab(tab, |state| reviewing::judged(state, outcome)),
            // The screen was closed meanwhile: what was written is in force all the same.
            None => vec![Effect::Reload],
        },
        Message::Weighed {
            generation,
            outcome,
        } => {
            if let Some(tab) = state.find_tab(|tab| reviewing::is_waiting(tab, generation)) {
                state.in_tab(tab, |state| reviewing::weighed(state, outcome));
            }
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
            let is_meant = |tab: &State| beside::is_waiting(tab, generation);
            match state.find_tab(is_meant) {
                Some(tab) => state.in_tab(tab, |state| beside::news(state, outcome)),
                None => return Vec::new(),
            }
        }
        Message::Preparing(step) => {
            state.preparing = Some(step);
            Vec::new()
        }
        Message::Prepared(outcome) => prepared(state, outcome),
        Message::FilesChanged => vec![Effect::Reload],
        Message::Reloaded {
            catalog,
            problems,
            preferences,
        } => {
            let configured = configured::take(state, *preferences, &problems);
            state.catalog = catalog;
            state.problems = problems;
            kept::refresh(state);
            let wrong = &state.setting.preferences.problems;
            state.problems.extend_from_slice(wrong);
            // What a model wrote was checked against the definitions as they were.
            for origin in origins(state) {
                origin.written = None;
            }
            for origin in state.tabs.asides().flat_map(origins) {
                origin.written = None;
            }
            let mut effects = ask_again(state);
            effects.extend(configured);
            effects
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
            state.setting.is_light = Some(is_light);
            state.theme_name = Theme::for_background(is_light).to_owned();
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
    behind::settle(state, &mut effects);
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

fn resize(state: &mut State, size: Size) -> Vec<Effect> {
    state.size = size;
    Vec::new()
}

fn take(state: &mut State, answer: Answer) -> Vec<Effect> {
    match answer {
        Answer::Search(hits, hint) => return finder::found(state, hits, hint),
        Answer::Misfits(misfits) => state.finder.misfits = misfits,
        Answer::Lineage(lineage) => lineage::found(state, lineage),
        Answer::Graph(graph) => usage::found(state, graph),
        Answer::Definition(file) => return author::opened(state, file),
        Answer::Draft(draft) => author::drafted(state, *draft),
        Answer::Save(outcome) => return author::saved(state, outcome),
        Answer::Reviews(found, broken) => return reviewing::listed(state, found, broken),
        Answer::Review(review) => reviewing::known(state, review),
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
        Answer::Policy(report) => reader::policy_told(state, report),
        Answer::Sort(order) => return result::sorted(state, order),
        Answer::Filter(outcome) => return rows::filtered(state, outcome),
        Answer::Group(grouped) => beside::grouped(state, grouped),
        Answer::Pivot(outcome) => return rows::pivoted(state, outcome),
        Answer::Find(found) => result::found(state, found),
        Answer::CopyQuery(text) => return result::query_written(state, text),
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
    for tab in 0..state.tabs.len() {
        let waits = state.tab(tab).is_some_and(|tab| tab.run_when_ready);
        if waits {
            effects.extend(state.in_tab(tab, |state| {
                state.run_when_ready = false;
                act::perform_if_enabled(state, Action::Run)
            }));
        }
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
    effects.extend(define::refresh(state));
    effects.extend(reviewing::refresh(state));
    effects
}
