//! Words of names, sentences and rules, brought to the form in which they are compared.

use crate::model::alike::fold;

/// Words that say nothing of what is measured.
const EMPTY: [&str; 67] = [
    "a", "all", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "do", "does",
    "each", "every", "for", "from", "has", "have", "how", "in", "into", "is", "it", "its", "made",
    "make", "many", "much", "of", "on", "one", "or", "our", "over", "per", "so", "some", "such",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
    "to", "us", "was", "were", "being", "had", "did", "can", "we", "what", "when", "which",
    "while", "who", "will", "with",
];

/// Stems that say how a number is made or how often, and not of what.
const GENERAL: [&str; 23] = [
    "average",
    "avg",
    "count",
    "mean",
    "median",
    "number",
    "percent",
    "percentage",
    "proportion",
    "rate",
    "ratio",
    "share",
    "sum",
    "total",
    "hour",
    "dai",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "annual",
    "halfyear",
];

/// Stems that mean the same: the second is written for the first.
const SAME: [(&str, &str); 6] = [
    ("year", "annual"),
    ("yearly", "annual"),
    ("cancellation", "cancel"),
    ("trialist", "trial"),
    ("quarterly", "quarter"),
    ("semiannual", "halfyear"),
];

/// One word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case, without accents.
    pub folded: String,
    /// Without endings.
    pub stem: String,
}

impl Word {
    /// Whether it says something of what is measured.
    pub(super) fn is_content(&self) -> bool {
        !EMPTY.contains(&self.folded.as_str())
    }
}

/// Whether a stem says how a number is made or how often, and not of what.
pub(super) fn is_general(stem: &str) -> bool {
    GENERAL.contains(&stem)
}

/// The words of a text or of an identifier, in order.
pub(super) fn words(text: &str) -> Vec<Word> {
    let folded = fold(text);
    let parts = folded.split(|c: char| !c.is_alphanumeric());
    let words = parts.filter(|word| !word.is_empty());
    words
        .map(|word| Word {
            folded: word.to_owned(),
            stem: stem(word),
        })
        .collect()
}

/// The stems of the words that say something, each once.
pub(super) fn stems(text: &str) -> Vec<String> {
    let mut stems: Vec<String> = Vec::new();
    for word in words(text).into_iter().filter(Word::is_content) {
        if !stems.contains(&word.stem) {
            stems.push(word.stem);
        }
    }
    stems
}

/// `trialing`, `trials` and `trial` are one.
fn stem(word: &str) -> String {
    let mut stem = word.to_owned();
    let is_plural = !["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    if word.len() > 4 && word.ends_with("ies") {
        stem.truncate(word.len() - 3);
        stem.push('y');
    } else if word.len() > 3 && word.ends_with('s') && is_plural {
        stem.truncate(word.len() - 1);
    }
    for ending in ["ing", "ed", "ly"] {
        let left = stem.len().saturating_sub(ending.len());
        if left >= 3 && stem.ends_with(ending) {
            stem.truncate(left);
            let mut last = stem.chars().rev();
            let doubled = last
                .next()
                .zip(last.next())
                .filter(|(one, other)| one == other && !"aeiou".contains(*one));
            if doubled.is_some() && ending != "ly" {
                stem.pop();
            }
            break;
        }
    }
    let same = SAME.iter().find(|(one, _)| *one == stem);
    same.map_or(stem, |(_, other)| (*other).to_owned())
}

/// Where `part` stands in `whole`, word by word.
pub(super) fn positions(whole: &[Word], part: &[Word]) -> Vec<usize> {
    if part.is_empty() {
        return Vec::new();
    }
    let is_here = |window: &[Word]| {
        window
            .iter()
            .zip(part)
            .all(|(one, other)| one.stem == other.stem)
    };
    let windows = whole.windows(part.len()).enumerate();
    windows
        .filter(|(_, window)| is_here(window))
        .map(|(at, _)| at)
        .collect()
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_do_not_count() {
        for (one, other) in [
            ("trialing", "trial"),
            ("cancelled", "canceled"),
            ("yearly", "annual"),
            ("Subscriptions", "subscription"),
            ("monthly", "months"),
            ("recurring", "recur"),
        ] {
            assert_eq!(words(one)[0].stem, words(other)[0].stem, "{one} {other}");
        }
        assert_eq!(words("status")[0].stem, "status");
    }

    #[test]
    fn a_value_of_two_words_is_found_in_a_sentence() {
        let rule = words("Only count active and past due ones");
        assert_eq!(positions(&rule, &words("past_due")), [4]);
        assert_eq!(positions(&rule, &words("trialing")), [0_usize; 0]);
    }
}
