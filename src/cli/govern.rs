//! `metrex govern`: models and queries held against the canonical datasets and the rules of the project.

use std::io::{Read, stderr, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::failure::Failure;
use super::notes::counted;
use super::style::Style;
use super::{Global, Outcome, print};
use crate::govern::sql::{Finding, Model, Review};
use crate::registry::Severity;
use crate::session::SessionError;
use crate::session::cell::sanitize;

/// Exit code for models that something stands against.
const REFUSED: u8 = 1;
/// Folders of dbt that hold no models of the project.
const SKIPPED: [&str; 4] = ["target", "dbt_packages", "dbt_modules", "macros"];
/// Deepest folder that is looked into.
const MAX_FOLDERS: usize = 16;

#[derive(Debug, Args)]
pub struct GovernArgs {
    /// Files with SQL, with or without dbt's tags, or folders with such files; - reads from stdin
    #[arg(value_name = "FILE|DIR", required = true)]
    paths: Vec<PathBuf>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    format: GovernFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum GovernFormat {
    /// One line each: file:line:column: severity: message [rule]
    #[default]
    Text,
    /// A JSON array with an object per file: `findings`, and `reads` with what each model builds on
    Json,
}

/// A file and what was found in it.
#[derive(Debug, Serialize)]
struct Governed {
    file: String,
    #[serde(flatten)]
    review: Review,
}

pub fn run(global: &Global, args: &GovernArgs) -> Outcome {
    let mut files = Vec::new();
    for path in &args.paths {
        let before = files.len();
        collect(path, 0, &mut files)?;
        if files.len() == before {
            let message = format!("there are no models in {}", path.display());
            let error = SessionError::usage("no_models", message);
            return Err(error.with_hint("a model is a file *.sql").into());
        }
    }
    let session = global.open()?;
    let names: Vec<String> = files.iter().map(|(path, _)| model_name(path)).collect();
    let governed: Vec<Governed> = files
        .iter()
        .zip(&names)
        .map(|((path, text), name)| Governed {
            file: shown(path),
            review: match text {
                Ok(text) => session.govern(&Model {
                    name,
                    text,
                    beside: &names,
                }),
                Err(finding) => Review {
                    findings: vec![finding.clone()],
                    reads: Vec::new(),
                },
            },
        })
        .collect();
    match args.format {
        GovernFormat::Json => print(|out| {
            serde_json::to_writer_pretty(&mut *out, &governed)?;
            writeln!(out)
        })?,
        GovernFormat::Text => text(&governed)?,
    }
    match governed.iter().any(|one| one.review.has_errors()) {
        true => Err(Failure::Exit(REFUSED)),
        false => Ok(()),
    }
}

/// A file with its text, or why it has none.
type File = (PathBuf, Result<String, Finding>);

/// The files of a path with their texts, in order.
fn collect(path: &Path, depth: usize, files: &mut Vec<File>) -> Outcome {
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).map_err(|error| Finding::no_text(error.as_bytes()))
    };
    let failed = |error: std::io::Error| {
        SessionError::usage("file", format!("cannot read {}: {error}", path.display()))
    };
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        stdin().lock().read_to_end(&mut bytes)?;
        files.push((path.to_owned(), text(bytes)));
        return Ok(());
    }
    if !path.is_dir() {
        let bytes = std::fs::read(path).map_err(failed)?;
        files.push((path.to_owned(), text(bytes)));
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .map_err(failed)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for entry in entries {
        let name = entry.file_name().map(|name| name.to_string_lossy());
        let name = name.unwrap_or_default();
        let is_model = entry.extension().is_some_and(|ending| ending == "sql");
        let is_folder = entry.is_dir() && !SKIPPED.contains(&name.as_ref()) && depth < MAX_FOLDERS;
        if !name.starts_with('.') && (is_folder || is_model && entry.is_file()) {
            collect(&entry, depth + 1, files)?;
        }
    }
    Ok(())
}

fn model_name(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy());
    stem.unwrap_or_default().into_owned()
}

fn shown(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "stdin".to_owned(),
        _ => path.display().to_string(),
    }
}

fn text(governed: &[Governed]) -> Outcome {
    let style = Style::of(&stdout());
    print(|out| {
        for Governed { file, review } in governed {
            for finding in &review.findings {
                let at = if finding.line > 0 { ":" } else { ": " };
                let line = format!("{file}{at}{finding}");
                let line = sanitize(&line);
                match finding.severity {
                    Severity::Error => writeln!(out, "{}", style.error(line))?,
                    Severity::Warning => writeln!(out, "{}", style.warning(line))?,
                }
            }
        }
        Ok(())
    })?;
    let findings = || governed.iter().flat_map(|one| &one.review.findings);
    let errors = findings()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    let warnings = counted(findings().count() - errors, "warning");
    let style = Style::of(&stderr());
    let models = counted(governed.len(), "model");
    match errors {
        0 => say!(
            "{models}: {}, {warnings}",
            style.good("nothing stands against it")
        ),
        errors => say!(
            "{models}: {}, {warnings}",
            style.error(counted(errors, "error"))
        ),
    }
    Ok(())
}
