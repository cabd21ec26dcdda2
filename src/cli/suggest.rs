//! `metrex suggest`: the canonical datasets for an intent, ranked, with the reasons.

use std::io::stdout;

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::style::Style;
use super::{Global, Outcome, notes, print};
use crate::session::cell::sanitize;

/// Exit code where there is none.
const NONE: u8 = 1;

#[derive(Debug, Args)]
pub struct SuggestArgs {
    /// What is to be analysed, in plain words: marketing attribution
    #[arg(value_name = "WORDS", required = true, num_args = 1..)]
    words: Vec<String>,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    format: SuggestFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum SuggestFormat {
    /// A line for each dataset, and one for each reason
    #[default]
    Text,
    /// One JSON object: `datasets`, and the `unmatched` words
    Json,
}

pub fn run(global: &Global, args: &SuggestArgs) -> Outcome {
    let session = global.open()?;
    let found = session.suggest_datasets(&args.words.join(" "));
    let style = Style::of(&stdout());
    print(|out| match args.format {
        SuggestFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &found)?;
            writeln!(out)
        }
        SuggestFormat::Text => {
            for one in &found.datasets {
                let confidence = format!("{:3.0}%", one.confidence * 100.0);
                writeln!(
                    out,
                    "{confidence}  {}  {}, {}; reads {}",
                    style.bold(&one.name),
                    one.kind.word(),
                    one.status.word(),
                    sanitize(&one.reads)
                )?;
                for reason in &one.reasons {
                    writeln!(out, "      {}", style.dim(sanitize(reason)))?;
                }
            }
            Ok(())
        }
    })?;
    if !found.unmatched.is_empty() {
        let words = found.unmatched.join(", ");
        notes::note(&format!("no canonical dataset speaks of {words}"));
    }
    match found.datasets.is_empty() {
        true => Err(Failure::Exit(NONE)),
        false => Ok(()),
    }
}
