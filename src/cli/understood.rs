//! What was understood of a question, on stderr for people and as JSON for programs.

use std::io::stderr;
use std::ops::Range;

use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

use super::notes;
use super::style::Style;
use crate::session::cell::sanitize;
use crate::session::{
    AskOutcome, Asked, AskedWhy, Certainty, Chip, Clarification, ModelCall, PathTaken, Proposal,
    Refusal, RejectedSql,
};

/// The chips of a question for causes, and what it compares; unless that is the output.
pub fn why(found: &AskedWhy, with_line: bool) {
    let style = Style::of(&stderr());
    chips(&found.reading.chips, style);
    found
        .reading
        .notes
        .iter()
        .for_each(|text| notes::note(text));
    if with_line {
        say!(
            "{} {}",
            style.dim("why:"),
            sanitize(&found.query.to_string())
        );
    }
}

/// The chips, what a reader should know, and where the SQL comes from; with the query line, unless that is the output.
pub fn proposal(asked: &Asked, proposal: &Proposal, with_line: bool) {
    let style = Style::of(&stderr());
    chips(&proposal.reading.chips, style);
    proposal
        .reading
        .notes
        .iter()
        .for_each(|text| notes::note(text));
    if with_line {
        say!(
            "{} {}",
            style.dim("query:"),
            sanitize(&proposal.query.to_string())
        );
    }
    match proposal.path {
        PathTaken::Template => {}
        PathTaken::Snippet => notes::note("from a hand-written snippet, by what it declares"),
        PathTaken::Model => {
            notes::note("a model adapted a hand-written snippet; the SQL was checked")
        }
    }
    for call in &asked.calls {
        notes::note(&model_call(call));
    }
}

/// What a model reads otherwise, why it could not help, and SQL of it that did not pass.
pub fn model(asked: &Asked) {
    if let Some(difference) = &asked.difference {
        notes::note(&format!("a model reads it otherwise: {difference}"));
    }
    if let Some(trouble) = &asked.trouble {
        notes::note(&format!("a model was asked in vain: {trouble}"));
    }
    if let Some(rejected) = &asked.rejected {
        let style = Style::of(&stderr());
        let findings = rejected.findings.iter();
        let lines = findings.map(ToString::to_string);
        let sql = rejected.sql.lines().map(str::to_owned);
        for line in lines.chain(sql) {
            say!("  {}", style.dim(sanitize(&line)));
        }
    }
}

fn chips(chips: &[Chip], style: Style) {
    let chips: Vec<String> = chips.iter().map(|chip| of_chip(chip, style)).collect();
    if !chips.is_empty() {
        say!("{} {}", style.dim("understood:"), chips.join(" · "));
    }
}

fn of_chip(chip: &Chip, style: Style) -> String {
    let text = sanitize(&chip.text);
    let text = match chip.certainty {
        Certainty::Exact | Certainty::Kept | Certainty::Default => style.bold(text),
        Certainty::Similar | Certainty::Remembered | Certainty::Model => style.warning(text),
    };
    match &chip.detail {
        Some(detail) => format!("{text} {}", style.dim(format!("({})", sanitize(detail)))),
        None => text,
    }
}

fn model_call(call: &ModelCall) -> String {
    let cost = call
        .cost
        .map(|cost| format!(", ${cost:.4}"))
        .unwrap_or_default();
    format!(
        "{}: {}, {} tokens in, {} out{cost}, {} ms",
        call.stage.word(),
        call.model,
        call.tokens_in,
        call.tokens_out,
        call.elapsed.as_millis()
    )
}

/// A question back, with its meanings numbered.
pub fn clarification(question: &str, clarification: &Clarification) {
    let style = Style::of(&stderr());
    say!(
        "{} {}",
        style.warning("which one?"),
        sanitize(&clarification.message)
    );
    marked(question, std::slice::from_ref(&clarification.range), style);
    for (index, candidate) in clarification.candidates.iter().enumerate() {
        say!(
            "  {}  {}  {}",
            style.bold(index + 1),
            sanitize(&candidate.label),
            style.dim(sanitize(&candidate.detail))
        );
    }
    say!(
        "{} --choose N takes one, and remembers it for these words (a time: for this question only)",
        style.bold("hint:")
    );
}

/// A refusal, with its words marked.
pub fn refusal(question: &str, refusal: &Refusal) {
    let style = Style::of(&stderr());
    say!("{} {}", style.error("refused:"), sanitize(&refusal.message));
    let ranges: Vec<Range<usize>> = refusal
        .words
        .iter()
        .map(|(_, range)| range.clone())
        .collect();
    marked(question, &ranges, style);
    chips(&refusal.understood, style);
    if let Some(hint) = &refusal.hint {
        say!("{} {}", style.bold("hint:"), sanitize(hint));
    }
}

/// The question with carets under ranges of it.
fn marked(question: &str, ranges: &[Range<usize>], style: Style) {
    let mut carets = String::new();
    for (at, c) in question.char_indices() {
        let is_marked = ranges.iter().any(|range| range.contains(&at));
        let mut buffer = [0; 4];
        let width = sanitize(c.encode_utf8(&mut buffer)).width();
        carets.push_str(&if is_marked { "^" } else { " " }.repeat(width));
    }
    let carets = carets.trim_end();
    if !carets.is_empty() {
        say!("  {}\n  {}", sanitize(question), style.error(carets));
    }
}

/// An outcome as an object, without rows.
pub fn json(asked: &Asked) -> Map<String, Value> {
    let mut reply = Map::new();
    let mut put = |name: &str, value: Value| {
        reply.insert(name.to_owned(), value);
    };
    put("question", json!(asked.question));
    put("ms", json!(asked.elapsed.as_secs_f64() * 1000.0));
    match &asked.outcome {
        AskOutcome::Answer(proposal) => {
            put("outcome", json!("answer"));
            put("query", json!(proposal.query.to_string()));
            put("chips", json!(proposal.reading.chips));
            put("notes", json!(proposal.reading.notes));
            put("is_follow_up", json!(proposal.reading.is_follow_up));
            put("sql", json!(proposal.compiled.main.sql));
            put("path", json!(path_word(&proposal.path)));
            put("auto_run", json!(proposal.auto_run));
        }
        AskOutcome::List { dimension, metrics } => {
            put("outcome", json!("list"));
            put("dimension", json!(dimension));
            put("for_metrics", json!(metrics));
        }
        AskOutcome::Explain(metric) => {
            put("outcome", json!("explain"));
            put("metric", json!(metric));
        }
        AskOutcome::Why(found) => {
            put("outcome", json!("why"));
            put("query", json!(found.query.to_string()));
            put("chips", json!(found.reading.chips));
            put("notes", json!(found.reading.notes));
            put("is_follow_up", json!(found.reading.is_follow_up));
            put("auto_run", json!(found.auto_run));
        }
        AskOutcome::Choose(clarification) => {
            put("outcome", json!("choose"));
            put("clarification", json!(clarification));
        }
        AskOutcome::Refused(refusal) => {
            put("outcome", json!("refused"));
            put("refusal", json!(refusal));
        }
    }
    if let Some(difference) = &asked.difference {
        put("difference", json!(difference));
    }
    if let Some(trouble) = &asked.trouble {
        put("trouble", json!(trouble));
    }
    if let Some(rejected) = &asked.rejected {
        let RejectedSql { sql, findings } = rejected;
        put("rejected", json!({"sql": sql, "findings": findings}));
    }
    if !asked.calls.is_empty() {
        put("model_calls", asked.calls.iter().map(call_json).collect());
    }
    reply
}

fn path_word(path: &PathTaken) -> &'static str {
    match path {
        PathTaken::Template => "template",
        PathTaken::Snippet => "snippet",
        PathTaken::Model => "model",
    }
}

fn call_json(call: &ModelCall) -> Value {
    json!({
        "stage": call.stage.word(),
        "model": call.model,
        "tokens_in": call.tokens_in,
        "tokens_out": call.tokens_out,
        "cost": call.cost,
        "ms": call.elapsed.as_secs_f64() * 1000.0,
    })
}
