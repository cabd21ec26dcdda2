//! Questions in plain words: read while they are typed, asked, stopped, and what an answer does to everything else.

use super::{act, finder, picker, prompt, query, reader, result, why};
use crate::model::{DimensionType, MetricQuery};
use crate::session::{
    AskOptions, AskOutcome, Asked, Clarification, Meaning, Proposal, Refusal, Stage, Understanding,
    UseModel,
};
use crate::tui::action::Action;
use crate::tui::message::{AskNews, Effect, Lookup, Notice, Slot};
use crate::tui::popup::{Page, PickerKind};
use crate::tui::question::{self, Asking, Heard, Origin};
use crate::tui::state::{Focus, State};

/// Opens the prompt for a question.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.popups.clear();
    let mut effects = prompt::open(state);
    let prompt = &mut state.prompt;
    prompt.asks = true;
    prompt.anew = false;
    prompt.input.set("");
    effects.extend(prompt::typed(state, true));
    effects
}

/// Reads the text anew, unless it is a query line.
pub(super) fn read(state: &mut State) -> Option<Effect> {
    let text = state.prompt.input.text();
    let is_question = match question::query_line(&state.catalog.registry, text) {
        Ok(_) => false,
        Err(Some(_)) => !question::may_be_line(text),
        Err(None) => true,
    };
    if !is_question {
        state.prompt.heard = None;
        state.forget(Slot::Understand);
        return None;
    }
    let lookup = Lookup::Understand {
        question: text.to_owned(),
        previous: state.continued().cloned(),
    };
    Some(state.ask(lookup))
}

/// The text was understood, or not.
pub(super) fn understood(state: &mut State, understanding: Understanding) -> Vec<Effect> {
    hear(state, understanding, false, None);
    query::ask_sql(state)
}

fn hear(state: &mut State, understanding: Understanding, is_asked: bool, trouble: Option<String>) {
    state.prompt.heard = Some(Heard {
        text: state.prompt.input.text().to_owned(),
        understanding,
        is_asked,
        trouble,
    });
}

/// Lets the question continue the query before it, or stand for itself.
pub(super) fn start_anew(state: &mut State) -> Vec<Effect> {
    state.prompt.anew = !state.prompt.anew;
    let mut effects = stop(state);
    effects.extend(read(state));
    effects
}

/// Asks what stands in the prompt; `chosen` is what was just chosen for words of it.
pub(super) fn ask(state: &mut State, chosen: Option<(String, Meaning)>) -> Vec<Effect> {
    state.forget(Slot::Understand);
    state.forget(Slot::Complete);
    state.prompt.completions.clear();
    let mut effects = stop(state);
    let generation = state.next_generation();
    state.prompt.asking = Some(Asking {
        generation,
        stage: Stage::Extracting,
        since: state.now,
        remark: chosen.as_ref().map(|(words, meaning)| {
            let until = match meaning {
                Meaning::Time(_) => "in this question",
                _ => "from now on",
            };
            let meaning = question::meaning_words(meaning);
            let key = state.key(Action::ForgetChosen);
            format!("'{words}' means {meaning} {until}, {key} forgets it")
        }),
    });
    // A mistake in a query line is nothing to ask a model about.
    let model = if leans_to_line(state) {
        UseModel::Never
    } else {
        UseModel::default()
    };
    let options = AskOptions {
        previous: state.continued().cloned(),
        model,
    };
    effects.push(Effect::Ask {
        generation,
        question: state.prompt.input.text().to_owned(),
        options,
        chosen,
    });
    effects
}

/// Whether the text is meant to be a query line: it was opened as one and begins with a metric.
fn leans_to_line(state: &State) -> bool {
    let text = state.prompt.input.text();
    let first = text.split([' ', ',', '\n']).next().unwrap_or_default();
    !state.prompt.asks && state.catalog.registry.metric(first).is_some()
}

/// Answers no more; the text stays.
pub(super) fn stop(state: &mut State) -> Vec<Effect> {
    state.prompt.ask_when_ready = false;
    let asking = state.prompt.asking.take();
    let cancel = asking.map(|asking| Effect::Cancel(asking.generation));
    cancel.into_iter().collect()
}

/// Takes news of a question; of an earlier one they are dropped.
pub(super) fn news(state: &mut State, generation: u64, news: AskNews) -> Vec<Effect> {
    let is_wanted = |asking: &&mut Asking| asking.generation == generation;
    let Some(asking) = state.prompt.asking.as_mut().filter(is_wanted) else {
        return Vec::new();
    };
    match news {
        AskNews::Stage(stage) => {
            asking.stage = stage;
            Vec::new()
        }
        AskNews::Ended(asked) => {
            let remark = asking.remark.take();
            state.prompt.asking = None;
            let effects = ended(state, *asked);
            if let Some(remark) = remark {
                let text = match &state.notice {
                    Some(Notice::Info(text)) => format!("{remark} · {text}"),
                    _ => remark,
                };
                state.notice = Some(Notice::Info(text));
            }
            effects
        }
    }
}

fn ended(state: &mut State, asked: Asked) -> Vec<Effect> {
    if leans_to_line(state) && matches!(asked.outcome, AskOutcome::Refused(_)) {
        return prompt::take_line(state);
    }
    prompt::recall(state, &asked.question);
    match asked.outcome {
        AskOutcome::Answer(ref proposal) => answered(state, &asked, proposal),
        AskOutcome::List { dimension, metrics } => list(state, dimension, metrics),
        AskOutcome::Explain(metric) => explain(state, &metric),
        AskOutcome::Why(found) => {
            let mut effects = leave(state);
            if found.auto_run {
                effects.extend(query::ask_sql(state));
                effects.extend(why::look_into(state, found.query));
            } else {
                effects.extend(query::replace(state, found.query, None));
                let key = state.key(Action::Why);
                let text = format!(
                    "{key} finds out why; not by itself: see whether this is what was meant"
                );
                state.notice = Some(Notice::Info(text));
            }
            effects
        }
        AskOutcome::Choose(clarification) => unsure(state, *clarification),
        AskOutcome::Refused(refusal) => {
            refused(state, *refusal, asked.trouble);
            if let Some(rejected) = asked.rejected {
                let title = "SQL of a model that did not pass; it was not run";
                reader::open(state, title, Page::Rejected(rejected));
            }
            Vec::new()
        }
    }
}

/// The answer becomes the query; it runs if it may, else it says why not.
fn answered(state: &mut State, asked: &Asked, proposal: &Proposal) -> Vec<Effect> {
    let origin = Origin::new(asked, proposal);
    let mut effects = leave(state);
    effects.extend(query::replace(state, proposal.query.clone(), Some(origin)));
    if proposal.auto_run {
        effects.extend(result::run(state, false));
    } else {
        let why = question::why_not_run(asked, proposal);
        let key = state.key(Action::Run);
        state.notice = Some(Notice::Info(format!("{key} runs it; not by itself: {why}")));
    }
    effects
}

/// Leaves the prompt as after a line that was taken.
fn leave(state: &mut State) -> Vec<Effect> {
    let effects = stop(state);
    prompt::done(state);
    effects
}

/// The text stays, with the cursor at what is wrong.
fn refused(state: &mut State, refusal: Refusal, trouble: Option<String>) {
    if let Some((_, range)) = refusal.words.first().filter(|(_, range)| !range.is_empty()) {
        state.prompt.input.move_to(range.start);
    }
    let refused = Understanding::Refused(Box::new(refusal));
    hear(state, refused, true, trouble);
}

fn unsure(state: &mut State, clarification: Clarification) -> Vec<Effect> {
    let kind = PickerKind::Meanings(clarification.clone());
    let unsure = Understanding::Unsure(Box::new(clarification));
    hear(state, unsure, true, None);
    picker::open(state, kind)
}

/// Shows the values of a dimension, or the metrics there are.
fn list(state: &mut State, dimension: Option<String>, metrics: Vec<String>) -> Vec<Effect> {
    let mut effects = leave(state);
    let Some(field) = dimension else {
        effects.extend(act::focus(state, Focus::Catalog));
        state.finder.input.set("");
        effects.extend(finder::typed(state));
        return effects;
    };
    if state.query.metrics.is_empty() && !metrics.is_empty() {
        let query = MetricQuery {
            metrics: metrics.clone(),
            ..MetricQuery::default()
        };
        effects.extend(query::set(state, query));
    }
    effects.extend(query::ask_sql(state));
    let last = field.rsplit('.').next().unwrap_or(&field);
    let datasets = state.catalog.registry.datasets.values();
    let kind = datasets
        .into_iter()
        .find_map(|dataset| dataset.dimension(last))
        .map_or(DimensionType::Text, |dimension| dimension.kind);
    effects.extend(picker::open_listed(state, field, kind, metrics));
    effects
}

/// Shows everything about a metric.
fn explain(state: &mut State, metric: &str) -> Vec<Effect> {
    let mut effects = leave(state);
    effects.extend(query::ask_sql(state));
    effects.extend(finder::reveal(state, metric));
    effects.extend(act::focus(state, Focus::Details));
    effects
}

/// A meaning was chosen: it is remembered, and the question asked again.
pub(super) fn choose(state: &mut State, words: String, meaning: Meaning) -> Vec<Effect> {
    state.chosen = Some(words.clone());
    ask(state, Some((words, meaning)))
}

/// Forgets the meaning that was chosen last.
pub(super) fn forget(state: &mut State) -> Vec<Effect> {
    state
        .chosen
        .take()
        .map(Effect::Forget)
        .into_iter()
        .collect()
}

/// Asks, unless nothing is typed.
pub(super) fn apply(state: &mut State) -> Vec<Effect> {
    if state.prompt.input.text().trim().is_empty() {
        return act::perform(state, Action::Back);
    }
    if state.prompt.asking.is_some() {
        return Vec::new();
    }
    if state.preparing.is_some() {
        // Its values are not known yet.
        state.prompt.ask_when_ready = true;
        let said = "asked as soon as the demo is ready";
        state.notice = Some(Notice::Info(said.to_owned()));
        return Vec::new();
    }
    ask(state, None)
}
