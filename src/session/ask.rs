//! Questions in plain words: understood, compiled, and handed back as a proposal that any face can show, edit and run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Session;
use super::asking::Asking;
use super::choices::StillMeant;
use crate::ask::{
    Chip, Clarification, Reading, Refusal, RefusalCode, Setting, Understanding, understand,
};
use crate::compile::{CompileError, Compiled};
use crate::model::{MetricQuery, NoValues, ValueLookup};
use crate::validate::Finding;

/// When a model may be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UseModel {
    /// Where words were not understood, or a complex metric needs its snippet adapted; and a provider is configured.
    #[default]
    WhenUnsure,
    /// Not at all.
    Never,
    /// Also where everything was understood, to compare.
    Always,
}

/// How to ask.
#[derive(Debug, Clone, Default)]
pub struct AskOptions {
    /// The query before this question; a follow-up patches it.
    pub previous: Option<MetricQuery>,
    /// When a model may be asked.
    pub model: UseModel,
}

/// What is being done, while a question is worked on. Running is the run's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Words to intent.
    Extracting,
    /// Intent to names, joins and values.
    Resolving,
    /// A model adapts a snippet.
    Writing,
    /// The SQL is checked.
    Validating,
}

impl Stage {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Extracting => "extracting",
            Self::Resolving => "resolving",
            Self::Writing => "writing",
            Self::Validating => "validating",
        }
    }
}

/// One exchange with a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCall {
    /// What it was for.
    pub stage: Stage,
    /// The model's name, as the provider said it.
    pub model: String,
    /// Tokens sent.
    pub tokens_in: u64,
    /// Tokens received.
    pub tokens_out: u64,
    /// In US dollars, where prices are configured.
    pub cost: Option<f64>,
    /// How long it took.
    pub elapsed: Duration,
}

/// How the SQL came about.
#[derive(Debug, Clone, PartialEq)]
pub enum PathTaken {
    /// Compiled from definitions.
    Template,
    /// Compiled over a hand-written snippet, by the facets it declares. No model.
    Snippet,
    /// A model adapted a snippet; the SQL passed the validator.
    Model,
}

/// An answer that is ready to run.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// What was understood.
    pub reading: Reading,
    /// The query; for SQL of a model, the query it was written for.
    pub query: MetricQuery,
    /// The SQL.
    pub compiled: Arc<Compiled>,
    /// The connection it is for.
    pub connection: String,
    /// How the SQL came about.
    pub path: PathTaken,
    /// Whether it may run without being looked at first.
    pub auto_run: bool,
}

/// A question for causes that is ready to be looked into.
#[derive(Debug, Clone)]
pub struct AskedWhy {
    /// What was understood.
    pub reading: Reading,
    /// The number, with the two periods that are compared.
    pub query: MetricQuery,
    /// Whether it may be looked into without being asked for.
    pub auto_run: bool,
}

/// How a question came out.
#[derive(Debug, Clone)]
pub enum AskOutcome {
    /// A query with its SQL.
    Answer(Box<Proposal>),
    /// The values of a dimension (its name as a query writes it), or of none: the metrics there are.
    List {
        /// The dimension.
        dimension: Option<String>,
        /// For these metrics, where the question names any.
        metrics: Vec<String>,
    },
    /// What this metric means.
    Explain(String),
    /// Why a number has moved, which [`Session::why`] finds out.
    Why(Box<AskedWhy>),
    /// One word has several meanings.
    Choose(Box<Clarification>),
    /// Not answered, and why.
    Refused(Box<Refusal>),
}

/// SQL of a model that the guard or the warehouse refused, also after a retry.
#[derive(Debug, Clone, PartialEq)]
pub struct RejectedSql {
    /// The last SQL, as the model wrote it, without control characters.
    pub sql: String,
    /// What was found in it.
    pub findings: Vec<Finding>,
}

/// A question with its outcome.
#[derive(Debug, Clone)]
pub struct Asked {
    /// As typed.
    pub question: String,
    /// How it came out.
    pub outcome: AskOutcome,
    /// The models that were asked, in order.
    pub calls: Vec<ModelCall>,
    /// What a model reads otherwise than the definitions do, where both have read it.
    pub difference: Option<String>,
    /// Why a model that was asked could not help.
    pub trouble: Option<String>,
    /// SQL of a model that did not pass; it is shown, never run.
    pub rejected: Option<RejectedSql>,
    /// From the call to the outcome.
    pub elapsed: Duration,
}

impl Session {
    /// Reads a question without any model: a few milliseconds at most, so it may be called at every key.
    pub fn understand(&self, question: &str, previous: Option<&MetricQuery>) -> Understanding {
        let version = self.version();
        let index = self.index(&self.connection());
        let values: &dyn ValueLookup = match &index {
            Some(index) => index.as_ref(),
            None => &NoValues,
        };
        let choices = StillMeant {
            session: self,
            question,
            registry: &version.catalog.registry,
            reach: &version.catalog.reach,
            remembered: self.remembered(),
        };
        let setting = Setting {
            registry: &version.catalog.registry,
            reach: &version.catalog.reach,
            lexicon: version.lexicon(),
            values,
            choices: &choices,
            today: self.today(),
            previous,
        };
        understand(question, &setting)
    }

    /// Answers a question with a query and its SQL, with a question back, or with a refusal; runs nothing.
    ///
    /// `stage` is told what is being done. Cancelling ends it at the next step with a refusal.
    pub async fn ask(
        &self,
        question: &str,
        options: &AskOptions,
        cancel: CancellationToken,
        mut stage: impl FnMut(Stage) + Send,
    ) -> Asked {
        let asked = self.ask_only(question, options, cancel, &mut stage).await;
        self.note_unanswered(&asked).await;
        asked
    }

    /// The same for a question that nobody asks: where it is refused, no history shows it.
    pub(super) async fn ask_only(
        &self,
        question: &str,
        options: &AskOptions,
        cancel: CancellationToken,
        stage: &mut (dyn FnMut(Stage) + Send),
    ) -> Asked {
        let started = Instant::now();
        let mut asking = Asking::new(self, question, options, cancel, stage);
        let outcome = asking.outcome().await;
        let found = asking.found;
        let asked = Asked {
            question: question.to_owned(),
            outcome,
            calls: found.calls,
            difference: found.difference,
            trouble: found.trouble,
            rejected: found.rejected,
            elapsed: started.elapsed(),
        };
        self.note_asked(&asked);
        asked
    }
}

/// A refusal of the compiler, with its word found again in the question.
pub(super) fn refusal(question: &str, error: CompileError, understood: Vec<Chip>) -> Refusal {
    let place = |word: String| {
        let at = question.to_lowercase().find(&word.to_lowercase());
        let range = at.map_or(0..0, |at| at..at + word.len());
        (word, range)
    };
    Refusal {
        code: RefusalCode::NotAnswerable,
        message: error.message,
        hint: error.hint,
        words: error.word.into_iter().map(place).collect(),
        understood,
    }
}
