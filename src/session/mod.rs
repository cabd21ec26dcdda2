//! The engine's one door: search, describe, compile, run, values, reindex, reload. Every face goes through it.
//!
//! Programs that want numbers call [`Session::get_metric`]:
//!
//! ```no_run
//! use metrex::session::{OpenOptions, Overrides, Session};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let session = Session::open(OpenOptions::default())?;
//! session.prepare(|_| {}).await?;
//! let overrides = Overrides {
//!     group_by: Some(vec!["market".parse()?, "month".parse()?]),
//!     time: Some("last 6 months".parse()?),
//!     ..Overrides::default()
//! };
//! let answer = session.get_metric("gmv", overrides).await?;
//! println!("{} rows for {}", answer.rows, answer.line);
//! # Ok(())
//! # }
//! ```

mod adapting;
mod alerts;
mod analyses;
mod as_if;
mod ask;
mod asking;
mod behind;
mod beside;
mod cache;
mod canonical;
mod card;
mod catalog;
pub mod cell;
mod change;
pub mod chart;
mod choices;
mod compatible;
mod complete;
mod complete_word;
mod connections;
pub mod define;
mod definitions;
mod doctor;
mod draft;
mod engine_columns;
mod error;
pub mod eval;
mod exchange;
mod feedback;
pub mod files;
mod generate;
mod git;
mod govern;
mod graph;
mod learn;
mod lineage;
mod live;
pub mod meaning;
mod open;
mod partial;
mod pin;
pub mod plot;
mod png;
mod policy;
mod prepare;
mod provider;
mod publish;
mod pull_request;
mod review;
mod rollups;
mod run;
mod search;
mod shapley;
mod standing;
mod state;
mod testing;
mod tracking;
mod unsaved;
mod validate;
mod values;
mod versions;
mod views;
mod watch;
mod who;
mod whole_file;
pub mod why;
mod workspace;

pub use crate::ask::{
    Candidate, Certainty, Chip, ChipKind, Clarification, Meaning, Reading, Refusal, RefusalCode,
    Understanding,
};
pub use crate::exchange::Note;
pub use crate::learn::LogForm;
pub use crate::usage::{
    Face, Figures, HistoryEntry, Logged, Outcome as HistoryOutcome, Purge, Question, Thumb,
};
pub use alerts::{AlertCard, AlertFinding, AlertOutcome, AlertResult, AlertSummary};
pub use analyses::{AnalysisCard, Coalitions, Sheet, SheetCell};
pub use ask::{
    AskOptions, AskOutcome, Asked, AskedWhy, ModelCall, PathTaken, Proposal, RejectedSql, Stage,
    UseModel,
};
pub use behind::{NumberCard, PartCard, metric_of, parse_at, part_of};
pub use beside::{TotalQueries, subtotal_queries, total_queries, trend_query};
pub use canonical::{CanonicalState, ConstraintReport, Promise};
pub use card::{Lineage, LineageKind, MetricCard, SourceCard};
pub use catalog::{Catalog, Reload};
pub use change::{Change, ChangeRequest, Figure, Part, Versions};
pub use choices::RememberedChoice;
pub use compatible::{Misfit, demands};
pub use complete::Completion;
pub use connections::ConnectionInfo;
pub use doctor::{Check, CheckStatus};
pub use draft::{DefinitionFile, Draft, NotSaved, Sides};
pub use error::{Failure, SessionError};
pub use exchange::{Imported, OtherTool, import};
pub use feedback::{Answered, LogImport};
pub use generate::{GenerateRequest, Generated};
pub use graph::{
    Affected, AffectedAlert, AffectedMetric, AffectedView, GraphOverview, JoinWay, JoinWays,
    Neighbourhood, UsedMetric,
};
pub use learn::{LearnInto, Learned};
pub use lineage::{About, Outline, lineage_json, lineage_outline};
pub use live::{LiveOptions, LiveReport, LiveStep};
pub use open::{OpenOptions, Session};
pub use partial::partial_starts;
pub use pin::{Pin, shown_within};
pub use png::png;
pub use policy::{PolicyReport, Simulation};
pub use prepare::Preparing;
pub use publish::{Commit, CommitWish, FileChange, NotPublished, Publication, Published};
pub use pull_request::PullRequest;
pub use review::{
    CheckOutcome, ImportProposed, Judgement, Judging, Proposals, Review, Reviewed,
    Stage as ReviewStage, Weighed,
};
pub use rollups::RollupPlan;
pub use run::{Answer, Overrides, RunEvent, RunOptions, RunSummary, notes};
pub use search::{Completed, Field, FieldMatch, Hit, SearchHint, SearchIndex};
pub use shapley::{EXACT, Game, Share, exact, sampled};
pub use state::{StateFolder, reset_demo};
pub use testing::{TestResult, Verdict};
pub use unsaved::Unsaved;
pub use values::{ReindexOptions, ValueList};
pub use versions::{DefinitionDiff, DiffRequest, Fate, MetricDiff};
pub use views::SavedQuery;
pub use watch::Watcher;
pub use workspace::Workspace;
