//! Earlier and saved queries, and the meanings of words.

use super::Offer;
use crate::session::{Clarification, RememberedChoice};
use crate::tui::action::{Action, Context};
use crate::tui::message::Earlier;
use crate::tui::popup::Choice;
use crate::tui::question;
use crate::tui::state::State;
use crate::tui::widgets::fuzzy_list::Item;

/// Earlier queries and questions, latest first, each once.
pub fn history(entries: &[Earlier]) -> Vec<Offer> {
    let mut seen = std::collections::HashSet::new();
    let new = entries
        .iter()
        .filter(|entry| seen.insert(entry.text.as_str()));
    new.map(|entry| {
        let at = entry.at.to_zoned(jiff::tz::TimeZone::UTC);
        let word = if entry.is_question { "asked " } else { "" };
        let item = Item::new(&entry.text, &entry.text)
            .note(&entry.outcome)
            .right(&format!("{word}{}", at.date()));
        (item, Choice::Line(entry.text.clone()))
    })
    .collect()
}

/// What was chosen for words; taking one forgets it.
pub fn choices(remembered: &[RememberedChoice]) -> Vec<Offer> {
    let choices = remembered.iter();
    choices
        .map(|choice| {
            let meaning = question::meaning_words(&choice.meaning);
            let item = Item::new(&choice.words, &choice.words)
                .detail(&format!("means {meaning}"))
                .right(&format!("used {} times", choice.used));
            (item, Choice::Forget(choice.words.clone()))
        })
        .collect()
}

/// The meanings that words may have, each with the key that takes it.
pub fn meanings(state: &State, unsure: &Clarification) -> Vec<Offer> {
    let candidates = unsure.candidates.iter().enumerate();
    candidates
        .map(|(index, candidate)| {
            let keymap = state.keymap();
            let shown = match keymap.key_in(&[Context::Meanings], Action::Candidate(index)) {
                Some(key) => format!("{key}  {}", candidate.label),
                None => candidate.label.clone(),
            };
            let item = Item::new((index + 1).to_string(), &shown).detail(&candidate.detail);
            let choice = Choice::Meaning(unsure.words.clone(), candidate.meaning.clone());
            (item, choice)
        })
        .collect()
}

/// Saved queries of the project.
pub fn views(state: &State) -> Vec<Offer> {
    let views = state.catalog.registry.views.values();
    views
        .map(|view| {
            let line = view.query.to_string();
            let item = Item::new(&view.name, &view.name);
            let item = match view.description.as_str() {
                "" => item.detail(&line),
                about => item.detail(about).note(&line),
            };
            (item, Choice::Line(line))
        })
        .collect()
}
