//! `metrex values`: the known values of a dimension.

use std::io::stdout;

use clap::Args;

use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare, print};
use crate::model::ColumnState;
use crate::session::Session;
use crate::session::cell::sanitize;

#[derive(Debug, Args)]
pub struct ValuesArgs {
    /// Name of the dimension, or dataset.dimension
    dimension: String,
    /// Only values that match, fuzzily
    #[arg(value_name = "PREFIX")]
    words: Vec<String>,
    /// Most values to print
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
}

pub fn run(global: &Global, args: &ValuesArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    block_on(async |cancel| prepare(&session, cancel).await)?;
    session.check_dimension(&args.dimension)?;
    let words = args.words.join(" ");
    print_values(&session, &[], &args.dimension, &words, args.limit)
}

/// Prints the values of a dimension, as queries over `metrics` write it, that match every word.
pub fn print_values(
    session: &Session,
    metrics: &[String],
    dimension: &str,
    words: &str,
    limit: usize,
) -> Outcome {
    let list = session.values(metrics, dimension, words, limit);
    match list.state {
        ColumnState::Missing => {
            notes::note("not indexed yet; `metrex reindex` does it");
        }
        ColumnState::Wide { distinct } => {
            notes::note(&format!(
                "too wide to keep: {distinct} values when last counted"
            ));
        }
        ColumnState::Pii => notes::note("personal data is never indexed"),
        ColumnState::Indexed { distinct } => {
            if words.is_empty() && distinct > list.values.len() as u64 {
                notes::note(&format!(
                    "the first {} of {distinct}; --limit N shows more",
                    list.values.len()
                ));
            }
        }
    }
    let style = Style::of(&stdout());
    print(|out| {
        list.values.iter().try_for_each(|(value, count)| {
            writeln!(out, "{}\t{}", sanitize(value), style.dim(count))
        })
    })
}
