//! What the session answers at once: each lookup with its answer.

use std::sync::Arc;

use crate::model::Place;
use crate::session::{HistoryEntry, HistoryOutcome, Session};
use crate::tui::message::{Answer, Earlier, Excerpt, Lookup};

/// Lines of a definition that are shown before and after its first one.
const AROUND: (u32, usize) = (3, 30);

/// Values of one dimension that are listed; the index holds no more for any column.
const VALUES: usize = 100_000;

/// Earlier queries that are listed.
const HISTORY: usize = 500;

/// Answers a lookup.
pub fn answer(session: &Session, lookup: Lookup) -> Answer {
    match lookup {
        Lookup::Search(words) => {
            let mut hint = session.search_hint(&words);
            if words.trim().is_empty() {
                return Answer::Search(session.all_metrics(), hint);
            }
            let (hits, meant) = session.search_forgiving(&words);
            if let Some(meant) = meant {
                hint.problem = Some(format!("shown for '{meant}'"));
            }
            Answer::Search(Arc::new(hits), hint)
        }
        Lookup::Lineage(kind, name) => Answer::Lineage(
            session
                .lineage_of(&kind.of(&name))
                .map_err(|error| error.to_string()),
        ),
        Lookup::Graph(thing) => Answer::Graph(
            session
                .graph_outline(&thing)
                .map_err(|error| error.to_string()),
        ),
        Lookup::Definition(metric) => Answer::Definition(
            session
                .definition_file(&metric)
                .map_err(|error| error.to_string()),
        ),
        Lookup::Draft { metric, path, text } => {
            Answer::Draft(Box::new(session.draft(&metric, &path, &text)))
        }
        Lookup::Save { path, known, text } => {
            Answer::Save(session.save_definition(&path, known.as_deref(), &text))
        }
        Lookup::Misfits(demands) => Answer::Misfits(session.misfits(&demands)),
        Lookup::Describe(metric) => Answer::Describe(
            session
                .describe(&metric)
                .map(Box::new)
                .map_err(|error| error.to_string()),
        ),
        Lookup::Reviews => {
            let (found, broken) = session.reviews(true);
            Answer::Reviews(found, broken)
        }
        Lookup::Review(metric) => Answer::Review(
            session
                .review(&metric)
                .map(Box::new)
                .map_err(|error| error.to_string()),
        ),
        Lookup::Compile(query) => Answer::Compile(session.compile(&query).map(Arc::new)),
        Lookup::Complete(line, cursor) => Answer::Complete(session.complete(&line, cursor)),
        Lookup::CompleteWord(text, cursor) => {
            Answer::Complete(session.complete_word(&text, cursor))
        }
        Lookup::Understand { question, previous } => {
            let understanding = session.understand(&question, previous.as_ref());
            Answer::Understand(Box::new(understanding))
        }
        Lookup::Dimensions(metrics) => Answer::Dimensions(session.dimensions(&metrics)),
        Lookup::Values { metrics, dimension } => {
            Answer::Values(session.values(&metrics, &dimension, "", VALUES))
        }
        Lookup::History => Answer::History(earlier(session)),
        Lookup::Choices => Answer::Choices(session.choices()),
        Lookup::Workspace => Answer::Workspace(session.workspace()),
        Lookup::Policy => Answer::Policy(
            session
                .policy_report()
                .map(Box::new)
                .map_err(|error| error.to_string()),
        ),
        Lookup::Excerpts(places) => Answer::Excerpts(excerpts(session, &places)),
        Lookup::Sort(job) => Answer::Sort(job.run().map_err(|error| error.to_string())),
        Lookup::Find(find) => Answer::Find(find.run()),
        Lookup::Filter(job) => Answer::Filter(job.run()),
        Lookup::Group(job) => Answer::Group(job.run()),
        Lookup::Pivot(job) => Answer::Pivot(job.run().map(Box::new)),
        Lookup::Write {
            table,
            what,
            format,
            cap,
        } => Answer::Write(table.copy(what, format, cap)),
        Lookup::CopyQuery(copy) => Answer::CopyQuery(copy.text(session)),
        Lookup::Chart(job) => Answer::Chart(job.run()),
        Lookup::SaveChart {
            chart,
            form,
            folder,
        } => Answer::SaveChart(chart.save(form, &folder)),
    }
}

/// Query lines and questions, the latest first.
fn earlier(session: &Session) -> Vec<Earlier> {
    let lines = session.history(HISTORY).into_iter().map(|entry| Earlier {
        outcome: ended(&entry),
        text: entry.line,
        at: entry.at,
        is_question: false,
    });
    let questions = session.questions(HISTORY).into_iter().map(|asked| Earlier {
        text: asked.text,
        at: asked.at,
        is_question: true,
        outcome: String::new(),
    });
    let mut all: Vec<_> = lines.chain(questions).collect();
    all.sort_by_key(|earlier| std::cmp::Reverse(earlier.at));
    all
}

/// How the last run of a line ended: `24 rows, 12 ms`.
fn ended(entry: &HistoryEntry) -> String {
    match &entry.outcome {
        HistoryOutcome::Ok => format!(
            "{} rows, {} ms on {}",
            entry.rows, entry.ms, entry.connection
        ),
        HistoryOutcome::Cancelled => "cancelled".to_owned(),
        HistoryOutcome::Failed(error) => format!("failed: {error}"),
        HistoryOutcome::Refused(why) => format!("refused: {why}"),
    }
}

fn excerpts(session: &Session, places: &[Place]) -> Vec<Excerpt> {
    let files = session.project().files();
    let catalog = session.catalog();
    let all = [&files.metrics, &files.snippets, &files.templates];
    let excerpt = |place: &Place| {
        let path = catalog.registry.file(*place);
        let file = all.into_iter().flatten().find(|file| file.path == path)?;
        let first = place.line.saturating_sub(AROUND.0).max(1);
        let skipped = usize::try_from(first - 1).unwrap_or(usize::MAX);
        let lines: Vec<String> = file
            .text
            .lines()
            .skip(skipped)
            .take(AROUND.1)
            .map(str::to_owned)
            .collect();
        Some(Excerpt {
            at: catalog.registry.at(*place),
            first,
            lines,
            line: place.line,
        })
    };
    places.iter().filter_map(excerpt).collect()
}
