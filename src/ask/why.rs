//! "why did gmv fall in Brazil": the words that ask for causes, and the question that is left without them.

use std::ops::Range;

use super::scan::{Item, Kind};
use super::understand::read;
use super::vocabulary::Keyword;
use super::words::Word;
use super::{
    Certainty, Chip, ChipKind, Reading, RefusalCode, Setting, Understanding, chips,
    refusing::refuse,
};
use crate::model::{Intent, IntentKind, MetricQuery};

/// Words that ask for causes.
const CAUSES: [&str; 16] = [
    "why",
    "come",
    "cause",
    "causes",
    "caused",
    "causing",
    "reason",
    "reasons",
    "drove",
    "drives",
    "driven",
    "driving",
    "explains",
    "explained",
    "behind",
    "led",
];

/// Words that may stand before these, and say nothing there.
const BEFORE: [&str; 25] = [
    "so", "and", "but", "ok", "hey", "please", "can", "could", "you", "tell", "explain", "show",
    "me", "us", "i", "we", "want", "know", "to", "how", "what", "which", "whats", "is", "the",
];

/// Words that may stand after them. "this" and "us" are none: they may be a time and a market.
const AFTER: [&str; 16] = [
    "are", "is", "was", "were", "has", "have", "had", "did", "does", "do", "the", "a", "for", "of",
    "to", "why",
];

/// Words for the movement whose causes are asked for; which way it went, the answer says.
const MOVEMENTS: &str = "fall falls fell fallen falling drop drops dropped dropping decline declines declined declining \
    decrease decreases decreased decreasing rise rises rose risen rising grow grows grew grown growing growth increase \
    increases increased increasing change changes changed changing move moves moved moving movement jump jumps jumped \
    jumping dip dips dipped spike spikes spiked surge surged shrink shrank shrunk shrinking crash crashed plunge plunged \
    slump slumped collapse collapsed improve improved improving worsen worsened worse better go goes going gone went up down \
    lower higher low high less more smaller larger bigger weak weaker strong stronger loss so than";

/// Whether a question asks for causes.
pub fn asks_why(question: &str) -> bool {
    opening(&super::words::split(question)).is_some()
}

/// How many words at its beginning ask for causes.
fn opening(words: &[Word]) -> Option<usize> {
    let says = |word: &Word, list: &[&str]| list.contains(&word.folded.as_str());
    let asks = words.iter().position(|word| says(word, &CAUSES))?;
    let is_before = |word: &Word| says(word, &BEFORE) || says(word, &AFTER);
    if !words.iter().take(asks).all(is_before) {
        return None;
    }
    // "come" and the like ask for causes only after "how" and "what".
    let mut certain = words.iter().take(asks + 1);
    let is_asked = |word: &Word| {
        says(
            word,
            &[
                "why", "reason", "reasons", "cause", "causes", "how", "what", "whats", "which",
            ],
        )
    };
    if !certain.any(is_asked) {
        return None;
    }
    let is_after = |word: &&Word| says(word, &CAUSES) || says(word, &AFTER);
    Some(asks + words.iter().skip(asks).take_while(is_after).count())
}

/// What is asked without the words that ask for causes, each other word where it was; `None` where no causes are asked for.
pub(super) fn without(question: &str, words: &[Word], items: &[Item]) -> Option<String> {
    // Names are no such words: a dimension may be called reason, but not in "the reason for".
    let says = |at: usize, list: &[&str]| {
        let word = words.get(at).map(|word| word.folded.as_str());
        word.is_some_and(|word| list.contains(&word))
    };
    let is_name = |item: &&Item| {
        let asks = says(item.words.start, &CAUSES) && says(item.words.end, &["for", "behind"]);
        matches!(item.kind, Kind::Name(_)) && !asks
    };
    let named = items.iter().find(is_name);
    let named = named.map_or(words.len(), |item| item.words.start);
    let opening = opening(words.get(..named)?)?;
    let mut rest = question.to_owned();
    let mut blank = |range: &Range<usize>, with: &str| {
        let spaces = " ".repeat(range.len().saturating_sub(with.len()));
        rest.replace_range(range.clone(), &format!("{with}{spaces}"));
    };
    let mut moved = false;
    for (at, word) in words.iter().enumerate() {
        if at < opening {
            blank(&word.range, "");
            continue;
        }
        let place = items.iter().position(|item| item.words.contains(&at));
        // "high" in "high aov" says which, not that it went up.
        let is_named =
            |item: &Item| item.words.start == at + 1 && matches!(item.kind, Kind::Name(_));
        let says_which = !says(at + 1, &["of", "in"]) && items.iter().any(is_named);
        let is_kept = says_which || place.is_some_and(|place| belongs_elsewhere(items, place));
        if is_kept {
            moved = false;
            continue;
        }
        let is_movement = MOVEMENTS
            .split_whitespace()
            .any(|known| known == word.folded);
        // "lower than last year" compares with it.
        let with = if word.folded == "than" { "vs" } else { "" };
        if is_movement || moved && ["in", "of"].contains(&word.folded.as_str()) {
            blank(&word.range, with);
        }
        moved = is_movement;
    }
    Some(rest)
}

/// Whether an item says something else than that a number has moved: it is a name, or "more than 5".
fn belongs_elsewhere(items: &[Item], place: usize) -> bool {
    let Some(item) = items.get(place) else {
        return false;
    };
    let next = items.get(place + 1).map(|next| &next.kind);
    match item.kind {
        Kind::Name(_) | Kind::Keyword(Keyword::OrThan(_)) => true,
        Kind::Keyword(Keyword::Than(_)) => matches!(next, Some(Kind::Number(_))),
        _ => false,
    }
}

/// Reads what is left of a question for causes: one number, of this question or the one before.
pub(super) fn understood(
    question: &str,
    rest: &str,
    setting: &Setting<'_>,
) -> Result<Reading, Box<Understanding>> {
    let previous = setting.previous.map(number);
    let setting = Setting {
        previous: previous.as_ref(),
        ..*setting
    };
    let words = super::words::split(rest);
    let is_there =
        |word: &Word| !["it", "that", "this", "there", "now"].contains(&word.folded.as_str());
    let mut reading = match (words.iter().any(is_there), &previous) {
        (true, _) => read(rest, &setting)?,
        (false, Some(query)) => {
            let mut chips = chips::chips(question, query, &chips::Part::default(), &setting);
            for chip in &mut chips {
                chip.certainty = Certainty::Kept;
            }
            Reading {
                intent: Intent::from(query),
                chips,
                notes: Vec::new(),
                is_follow_up: true,
            }
        }
        (false, None) => {
            return Err(refuse(
                RefusalCode::NoMetric,
                "why is asked of a metric, and none is named",
                Some("for instance: why did gmv fall last month".to_owned()),
                vec![(question.to_owned(), 0..question.len())],
            ));
        }
    };
    let kind = reading.intent.intent;
    if matches!(kind, IntentKind::List | IntentKind::Explain) {
        return Err(refuse(
            RefusalCode::NotAnswerable,
            "why is asked of a number that has moved",
            Some("for instance: why did gmv fall last month".to_owned()),
            vec![(question.to_owned(), 0..question.len())],
        ));
    }
    reading.intent.intent = IntentKind::Why;
    // Why is asked of one number, whatever the metric is grouped by elsewhere.
    // Without a time it is asked of the last whole period, as the query says.
    let is_usual = |chip: &Chip| {
        matches!(chip.kind, ChipKind::Group | ChipKind::Time)
            && chip.certainty == Certainty::Default
    };
    reading.chips.retain(|chip| !is_usual(chip));
    Ok(reading)
}

/// What of a query says which number it is, whatever its rows are grouped and ordered by.
fn number(query: &MetricQuery) -> MetricQuery {
    MetricQuery {
        metrics: query.metrics.clone(),
        filters: query.filters.clone(),
        time: query.time,
        compare: query.compare,
        ..MetricQuery::default()
    }
}
