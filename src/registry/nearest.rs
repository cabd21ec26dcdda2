//! The nearest of several known words to one that is not known, for "did you mean".

use strsim::normalized_damerau_levenshtein;

/// Similarity (0 to 1, `strsim`) from which a word counts as a likely typo of another.
const SIMILAR: f64 = 0.6;

/// Bytes of the longest word that is compared: the time grows with its square, and no name is as long.
const LONGEST: usize = 256;

/// The candidate most like `word`: the same but for case, a likely typo, one that starts with it, or one that is
/// short for the other (`agg` for `aggregate`).
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let wanted = word.to_lowercase();
    let score = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let similarity = normalized_damerau_levenshtein(&wanted, &candidate);
        if is_short_for(&wanted, &candidate) || is_short_for(&candidate, &wanted) {
            similarity.max(SIMILAR)
        } else {
            similarity
        }
    };
    candidates
        .into_iter()
        .map(|candidate| (score(candidate), candidate))
        .filter(|(score, _)| *score >= SIMILAR)
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .map(|(_, candidate)| candidate)
}

/// Whether `short` begins like `long` and its letters stand in `long` in the same order.
fn is_short_for(short: &str, long: &str) -> bool {
    let mut letters = long.chars();
    short.chars().count() >= 3
        && short.chars().zip(long.chars()).take(2).all(|(a, b)| a == b)
        && short
            .chars()
            .all(|wanted| letters.any(|letter| letter == wanted))
}
