//! YAML to model: loads a project, reports every problem with its position, caches the compiled registry.
//!
//! A file's text becomes a tree with places (`yaml`), the tree typed shapes (`read`, `raw`), the shapes the
//! model (`build` and the files named after what they build).

mod analysis;
mod build;
mod calendar;
mod canonical;
mod composed;
mod config;
mod connections;
mod conversion;
mod cumulative;
mod dataset;
mod derived;
mod diagnostic;
mod dialects;
pub mod edit;
pub(crate) mod emit;
mod expression;
mod facets;
mod governance;
mod join;
mod key_settings;
mod kind;
mod learn_config;
mod length;
mod life;
mod llm_config;
mod load;
mod measure;
mod metric;
mod metric_tests;
mod nearest;
mod of_metric;
mod over_time;
mod project;
mod proposal;
mod raw;
mod read;
mod rollup;
mod schema;
mod scope;
mod url;
mod usage_config;
mod use_when;
mod user_config;
mod value_aliases;
mod views;
mod words;
pub(crate) mod yaml;

pub use config::{Clipboard, Config};
pub use connections::{Care, of_address};
pub use diagnostic::{CODES, Diagnostic, Severity};
pub(crate) use expression::{against_metrics, against_rows, is_aggregate};
pub use governance::{Governance, PatternRule};
pub use key_settings::KeySetting;
pub use learn_config::LearnRules;
pub use load::{Loaded, load};
pub use nearest::nearest;
pub use project::{Project, ProjectError, ProjectFile, ProjectFiles};
pub use proposal::{Origin, PROPOSALS, Proposal, Subject, event};
pub use schema::json_schema;
pub use url::{holds_password, without_secrets};
pub use usage_config::UsageSettings;
pub use user_config::UserConfig;
pub(crate) use words::label;
