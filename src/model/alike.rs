//! When two texts are the same but for how they are written, and when one is a typo of the other: the rule for values,
//! names and aliases alike.

use strsim::{damerau_levenshtein, normalized_damerau_levenshtein};
use unicode_normalization::UnicodeNormalization;

/// How much more similar than the next one a text must be, to be taken without asking.
pub const MARGIN: f64 = 0.15;

/// Letters from which one edit may be a typo.
const SHORTEST: usize = 4;

/// Letters from which two edits may be typos.
const LONG: usize = 8;

/// A text as it is compared: compatibility forms (NFKC), case, accents and the kind of apostrophe do not count; spaces,
/// underscores and hyphens in a row are one space. The sign of a number stays.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        joined(text.chars().map(|c| c.to_ascii_lowercase()))
    } else {
        let lower = text.nfkd().flat_map(char::to_lowercase).nfkd();
        joined(lower.filter(|c| !is_accent(*c)).flat_map(plain).nfc())
    }
}

/// With one space between words.
fn joined(chars: impl Iterator<Item = char>) -> String {
    let mut folded = String::new();
    let (mut gap, mut sign) = (false, false);
    for c in chars {
        if c.is_whitespace() || matches!(c, '_' | '-' | '‐'..='―' | '−') {
            sign = folded.is_empty() && matches!(c, '-' | '−');
            gap = !folded.is_empty();
            continue;
        }
        if gap {
            folded.push(' ');
        } else if sign && c.is_ascii_digit() {
            folded.push('-');
        }
        (gap, sign) = (false, false);
        folded.push(c);
    }
    folded
}

/// Accents of Latin, Greek and Cyrillic letters, and what is not seen. Marks of other scripts are letters.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{feff}')
}

/// Letters that no decomposition makes plain.
fn plain(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'ß' => ('s', Some('s')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        'ø' => ('o', None),
        'đ' | 'ð' => ('d', None),
        'ł' => ('l', None),
        'ı' => ('i', None),
        'ς' => ('σ', None),
        '‘' | '’' | 'ʼ' | '`' => ('\'', None),
        c => (c, None),
    };
    std::iter::once(first).chain(second)
}

/// How similar two folded texts are, from 0 to 1: the normalized Damerau-Levenshtein similarity.
pub fn similarity(one: &str, other: &str) -> f64 {
    normalized_damerau_levenshtein(one, other)
}

/// How many edits the folded text `typed` may be away from what it means: none below 4 letters, one below 8, else two.
pub fn edits(typed: &str) -> usize {
    match typed.chars().count() {
        ..SHORTEST => 0,
        SHORTEST..LONG => 1,
        LONG.. => 2,
    }
}

/// Whether one folded text may be a typo of the other.
pub fn is_typo(typed: &str, meant: &str) -> bool {
    let allowed = edits(typed).min(edits(meant));
    allowed > 0 && is_within(allowed, typed, meant) && !is_negation(typed, meant)
}

/// Whether one folded text is the other behind a prefix that turns its meaning round: "uncompleted" is no typo of
/// "completed", nor "including" of "excluding".
pub fn is_negation(one: &str, other: &str) -> bool {
    const PREFIXES: [&str; 5] = ["un", "in", "im", "non", "dis"];
    let behind = |prefix: &str, long: &str, short: &str| {
        long.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() >= 4 && damerau_levenshtein(rest.trim_start(), short) <= 1
        })
    };
    let turned = |one: &str, other: &str| {
        let (one, other) = (one.strip_prefix("in"), other.strip_prefix("ex"));
        one.zip(other)
            .is_some_and(|(one, other)| damerau_levenshtein(one, other) <= 1)
    };
    PREFIXES
        .iter()
        .any(|prefix| behind(prefix, one, other) || behind(prefix, other, one))
        || turned(one, other)
        || turned(other, one)
}

/// Whether one folded text is near enough to the other to be asked about: one edit more than a typo may have.
pub fn is_near(typed: &str, meant: &str) -> bool {
    is_within(edits(typed) + 1, typed, meant)
}

/// Whether no more than so many edits lie between two texts. A number with another digit is another number.
fn is_within(edits: usize, one: &str, other: &str) -> bool {
    let digits = |text: &str| {
        let digits = text.chars().filter(char::is_ascii_digit);
        digits.collect::<String>()
    };
    // An edit exchanges two letters at most; this spares nearly all texts the long way.
    let letters = |text: &str| {
        let bits = text.chars().map(|c| 1_u64 << (u32::from(c) % 64));
        bits.fold(0, |set, bit| set | bit)
    };
    (letters(one) ^ letters(other)).count_ones() as usize <= 2 * edits
        && one.len().abs_diff(other.len()) <= 4 * edits
        && digits(one) == digits(other)
        && damerau_levenshtein(one, other) <= edits
}

/// Whether the best of some similarities stands out from the next one, so that nobody needs to be asked.
pub fn stands_out(best: f64, next: Option<f64>) -> bool {
    // Differences such as 0.875 - 0.725 are not exact.
    next.is_none_or(|next| best - next >= MARGIN - 1e-9)
}
