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

/// Whether one folded text may be a typo of the other. A number with another digit is another number.
pub fn is_typo(typed: &str, meant: &str) -> bool {
    let allowed = edits(typed).min(edits(meant));
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    allowed > 0
        && typed.len().abs_diff(meant.len()) <= 4 * allowed
        && digits(typed) == digits(meant)
        && damerau_levenshtein(typed, meant) <= allowed
}

/// Whether the best of some similarities stands out from the next one, so that nobody needs to be asked.
pub fn stands_out(best: f64, next: Option<f64>) -> bool {
    // Differences such as 0.875 - 0.725 are not exact.
    next.is_none_or(|next| best - next >= MARGIN - 1e-9)
}
