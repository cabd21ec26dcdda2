//! What users chose for words that may mean several things: remembered for the whole project, listed, and forgotten.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Session;
use crate::ask::{Certainty, Choices, Meaning, Reading};
use crate::compile::Reachability;
use crate::learn::is_personal;
use crate::model::Registry;
use crate::model::alike::fold;
use crate::usage::Choice;

/// A remembered choice.
#[derive(Debug, Clone, PartialEq)]
pub struct RememberedChoice {
    /// The words, in lower case.
    pub words: String,
    /// What they were chosen to mean.
    pub meaning: Meaning,
    /// When it was chosen.
    pub at: Timestamp,
    /// Questions answered with it since.
    pub used: u64,
    /// The only question it holds for; `None` for all.
    only_for: Option<String>,
}

/// The choices by their words.
pub(super) type Remembered = HashMap<String, RememberedChoice>;

impl Session {
    /// Remembers what the user chose for words of a question, for all questions after it. A time is chosen for this
    /// question only and written nowhere: "January" of this year is the wrong one next year.
    pub fn choose(&self, question: &str, words: &str, meaning: &Meaning) {
        let (words, at) = (fold(words), self.now());
        let Ok(text) = serde_json::to_string(meaning) else {
            return;
        };
        if words.is_empty() {
            return;
        }
        let version = self.version();
        let is_personal = |dimension: &str| is_personal(&version.catalog.registry, dimension);
        let passes = match meaning {
            Meaning::Time(_) => true,
            Meaning::Value { dimension, .. } => is_personal(dimension),
            Meaning::Metric(_) | Meaning::Dimension(_) => false,
        };
        let only_for = passes.then(|| fold(question));
        if only_for.is_none()
            && let Ok(usage) = self.usage_store()
        {
            usage.choose(Choice {
                words: words.clone(),
                meaning: text,
                at,
                used: 0,
            });
        }
        let choice = RememberedChoice {
            words: words.clone(),
            meaning: meaning.clone(),
            at,
            used: 0,
            only_for,
        };
        // In memory also where the history cannot be written: it then holds for this run.
        self.change_remembered(|remembered| drop(remembered.insert(words, choice)));
    }

    /// Forgets what was chosen for words: the next question asks again.
    pub fn forget_choice(&self, words: &str) {
        let words = fold(words);
        if let Ok(usage) = self.usage_store() {
            usage.forget_choice(&words);
        }
        self.change_remembered(|remembered| drop(remembered.remove(&words)));
    }

    /// What was chosen for words in all questions, the latest first.
    pub fn choices(&self) -> Vec<RememberedChoice> {
        let remembered = self.remembered();
        let lasting = remembered
            .values()
            .filter(|choice| choice.only_for.is_none());
        let mut choices: Vec<_> = lasting.cloned().collect();
        choices.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.words.cmp(&b.words)));
        choices
    }

    /// Counts the choices that a question was answered with.
    pub(super) fn count_choices(&self, question: &str, reading: &Reading) {
        let chips = reading.chips.iter();
        for chip in chips.filter(|chip| chip.certainty == Certainty::Remembered) {
            let words = fold(question.get(chip.range.clone()).unwrap_or_default());
            if let Ok(usage) = self.usage_store() {
                usage.use_choice(&words);
            }
            self.change_remembered(|remembered| {
                if let Some(choice) = remembered.get_mut(&words) {
                    choice.used += 1;
                }
            });
        }
    }

    /// Read once; afterwards this session's own changes keep it true.
    pub(super) fn remembered(&self) -> Arc<Remembered> {
        let mut known = self.remembered_choices();
        known
            .get_or_insert_with(|| Arc::new(self.read_choices()))
            .clone()
    }

    /// The same session, for which nothing was ever chosen: what is measured must not depend on who measures.
    pub(super) fn without_choices(self) -> Self {
        *self.remembered_choices() = Some(Arc::default());
        self
    }

    fn change_remembered(&self, change: impl FnOnce(&mut Remembered)) {
        let mut known = self.remembered_choices();
        let remembered = known.get_or_insert_with(|| Arc::new(self.read_choices()));
        change(Arc::make_mut(remembered));
    }

    fn read_choices(&self) -> Remembered {
        let choices = self
            .usage_store()
            .ok()
            .and_then(|usage| usage.choices().ok());
        let understood = choices.into_iter().flatten().filter_map(|choice| {
            // A meaning that a newer version wrote may not be known here.
            let meaning: Meaning = serde_json::from_str(&choice.meaning).ok()?;
            if matches!(meaning, Meaning::Time(_)) {
                return None;
            }
            let remembered = RememberedChoice {
                words: choice.words.clone(),
                meaning,
                at: choice.at,
                used: choice.used,
                only_for: None,
            };
            Some((choice.words, remembered))
        });
        understood.collect()
    }
}

/// The choices for one question: those whose meaning still exists.
pub(super) struct StillMeant<'a> {
    pub(super) session: &'a Session,
    pub(super) question: &'a str,
    pub(super) registry: &'a Registry,
    pub(super) reach: &'a Reachability,
    pub(super) remembered: Arc<Remembered>,
}

impl Choices for StillMeant<'_> {
    fn chosen(&self, words: &str) -> Option<Meaning> {
        let choice = self.remembered.get(&fold(words))?;
        let meaning = &choice.meaning;
        let has_dimension = |name: &str| {
            let mut datasets = self.registry.datasets.keys();
            datasets.any(|dataset| self.reach.find(self.registry, dataset, name).is_ok())
        };
        let exists = match meaning {
            Meaning::Metric(name) => self.registry.metric(name).is_some(),
            Meaning::Dimension(name) => has_dimension(name),
            Meaning::Value { dimension, value } => {
                has_dimension(dimension) && self.session.may_have(dimension, value)
            }
            Meaning::Time(_) => choice.only_for.as_ref() == Some(&fold(self.question)),
        };
        exists.then(|| meaning.clone())
    }
}
