//! A question as words: folded for comparing, each with its bytes in the original.

use std::ops::Range;

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// One word of a question, or one symbol that has a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Lower case, without accents and without a possessive ending.
    pub(super) folded: String,
    /// The folded word in the singular, common abbreviations written out.
    pub(super) stem: String,
    /// Its bytes in the question.
    pub(super) range: Range<usize>,
    /// The character that ties it to the word before it: the hyphen of `click-through`.
    pub(super) joint: Option<char>,
    /// Whether a comma, or a dash between spaces, stands before it.
    pub(super) after_comma: bool,
    /// Whether it is written in capital letters.
    pub(super) capitals: bool,
}

impl Word {
    fn new(text: &str, range: Range<usize>, joint: Option<char>, after_comma: bool) -> Self {
        let folded = fold(text);
        let letters = || text.chars().filter(|c| c.is_alphabetic());
        Self {
            stem: stem(&folded),
            folded,
            range,
            joint,
            after_comma,
            capitals: letters().count() > 0 && letters().all(char::is_uppercase),
        }
    }
}

/// Characters that tie two words together where they stand directly between them.
const JOINTS: [char; 7] = ['-', '_', '/', '.', ':', '–', '+'];

/// Stands for the two dots of `2025-11-03..2025-11-16`.
pub(super) const RANGE: char = '‥';

/// Punctuation that only separates words. Every other character that is no letter, digit or space is a word of its own: a
/// sign that nobody knows must not vanish.
const PUNCTUATION: [char; 33] = [
    ',', ';', ':', '.', '?', '!', '\'', '"', '(', ')', '-', '_', '–', '—', '‘', '’', '‚', '“', '”',
    '„', '«', '»', '[', ']', '{', '}', '…', '`', '´', '¿', '¡', '？', '，',
];

fn separates(c: char) -> bool {
    // Zero-width characters and marks of direction show nothing that could be meant.
    let is_unseen = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}');
    c.is_whitespace() || c.is_control() || is_unseen || PUNCTUATION.contains(&c)
}

/// The words of a question, in order.
pub(super) fn split(question: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut comma = false;
    let mut chars = question.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let before = question.get(..start).and_then(|text| text.chars().last());
        if is_letter(c) || begins_number(question, start, c) {
            let mut end = start + c.len_utf8();
            while let Some(&(at, next)) = chars.peek() {
                let rest = question.get(at..).unwrap_or_default();
                if !is_letter(next) && !continues(question, at, next, rest) {
                    break;
                }
                end = at + next.len_utf8();
                chars.next();
            }
            let text = question.get(start..end).unwrap_or_default();
            let joint = before.filter(|joint| {
                JOINTS.contains(joint)
                    && words
                        .last()
                        .is_some_and(|last| last.range.end + joint.len_utf8() == start)
            });
            let dots = words
                .last()
                .is_some_and(|last| question.get(last.range.end..start) == Some(".."));
            let joint = joint.or(dots.then_some(RANGE));
            words.push(Word::new(text, start..end, joint, comma));
            comma = false;
        } else if c == ',' || c == ';' {
            comma = true;
        } else if matches!(c, '-' | '–' | '—' | '!') {
            let next = chars.peek().map(|(_, next)| *next);
            let starts_word = before.is_none_or(|before| before.is_whitespace() || before == '(');
            let rest = question.get(start + c.len_utf8()..).unwrap_or_default();
            let negates = c == '!' && rest.trim_start().starts_with(['<', '>', '=']);
            let dotted =
                next == Some('.') && rest.get(1..).is_some_and(|rest| rest.starts_with(is_digit));
            if c == '!' && next == Some('=') {
                chars.next();
                words.push(Word::new("!=", start..start + 2, None, comma));
                comma = false;
            } else if negates || starts_word && (dotted || next.is_some_and(is_letter)) {
                words.push(Word::new(
                    question.get(start..start + c.len_utf8()).unwrap_or("-"),
                    start..start + c.len_utf8(),
                    None,
                    comma,
                ));
                comma = false;
            } else if c != '!' && starts_word {
                comma = true;
            }
        } else if !separates(c) {
            let after = chars.peek().map(|(_, next)| *next);
            let is_joint = JOINTS.contains(&c)
                && after.is_some_and(is_letter)
                && words.last().is_some_and(|last| last.range.end == start);
            if is_joint {
                continue;
            }
            let mut end = start + c.len_utf8();
            if matches!(c, '<' | '>' | '=')
                && let Some(&(at, next @ ('=' | '>' | '<'))) = chars.peek()
            {
                end = at + next.len_utf8();
                chars.next();
            }
            let text = question.get(start..end).unwrap_or_default();
            words.push(Word::new(text, start..end, None, comma));
            comma = false;
        }
    }
    words
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Whether a point at byte `at` begins a number: `.5`.
fn begins_number(question: &str, at: usize, c: char) -> bool {
    let before = question.get(..at).and_then(|text| text.chars().last());
    let rest = question.get(at + c.len_utf8()..).unwrap_or_default();
    c == '.'
        && rest.starts_with(is_digit)
        && before.is_none_or(|before| !is_letter(before) && before != '.')
}

/// Whether `c`, at byte `at`, goes on a word: the apostrophe of `what's`, the point of `1.5`, the comma of `1,000`, the
/// sign of `20%`.
fn continues(question: &str, at: usize, c: char, rest: &str) -> bool {
    let before = question.get(..at).and_then(|text| text.chars().last());
    let mut after = rest.chars().skip(1);
    let digit_before = before.is_some_and(|c| c.is_ascii_digit());
    match c {
        '\'' | '’' => after.next().is_some_and(char::is_alphabetic),
        '.' => digit_before && after.next().is_some_and(|c| c.is_ascii_digit()),
        '%' => digit_before,
        ',' => {
            let digits = after.take_while(char::is_ascii_digit).count();
            digit_before && digits == 3
        }
        _ => false,
    }
}

/// Lower case, without accents, compatibility forms and apostrophes; a possessive ending is left off.
pub(super) fn fold(text: &str) -> String {
    let lower: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    let Some(base) = lower.strip_suffix("'s").or(lower.strip_suffix("’s")) else {
        return lower.replace(['\'', '’'], "");
    };
    match base {
        "what" | "how" | "where" | "who" | "that" | "it" | "there" | "let" => format!("{base}s"),
        _ => base.replace(['\'', '’'], ""),
    }
}

/// The singular of a folded word, common abbreviations written out, a few verbs in the present; both names and questions go through it, so it only
/// has to be consistent.
pub(super) fn stem(folded: &str) -> String {
    let length = folded.chars().count();
    let singular = if let Some(base) = folded.strip_suffix("ies").filter(|_| length > 4) {
        format!("{base}y")
    } else if ["sses", "xes", "ches", "shes"]
        .iter()
        .any(|ending| folded.ends_with(ending))
    {
        folded.strip_suffix("es").unwrap_or(folded).to_owned()
    } else if length >= 3 && !["ss", "us", "is"].iter().any(|end| folded.ends_with(end)) {
        folded.strip_suffix('s').unwrap_or(folded).to_owned()
    } else {
        folded.to_owned()
    };
    match singular.as_str() {
        "avg" => "average".to_owned(),
        "rev" => "revenue".to_owned(),
        "pct" | "percentage" => "percent".to_owned(),
        "qty" => "quantity".to_owned(),
        "num" => "number".to_owned(),
        "sold" => "sell".to_owned(),
        "paid" => "pay".to_owned(),
        "bought" => "buy".to_owned(),
        "spent" => "spend".to_owned(),
        "won" => "win".to_owned(),
        _ => singular,
    }
}

/// The stems of a name, as questions may write it: `ads_rev` -> `ad`, `revenue`.
pub(super) fn stems(name: &str) -> Vec<String> {
    split(&name.replace('_', " "))
        .into_iter()
        .filter(|word| {
            word.stem
                .starts_with(|c| is_letter(c) || "+&/%".contains(c))
        })
        .map(|word| word.stem)
        .collect()
}

/// The numbers of four digits that stand alone in a text: years, or counts.
pub(super) fn years(text: &str) -> impl Iterator<Item = i16> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| part.len() == 4)
        .filter_map(|part| part.parse().ok())
}

/// Whether there may be data of a year.
pub(super) fn is_usual_year(year: i16, today: Date) -> bool {
    (1990..=today.year() + 1).contains(&year)
}

/// A number as people write it: `1,000`, `10k`, `1.5m`, `20%`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    /// The value as written, the suffix applied; 20 for `20%`.
    pub(super) value: f64,
    /// Whether a percent sign follows.
    pub(super) percent: bool,
    /// Whether its point may separate thousands as well as decimals: `1.000`.
    pub(super) unclear: bool,
}

/// Reads a folded word as a number.
pub(super) fn number(folded: &str) -> Option<Number> {
    let digits = folded.strip_prefix('.').unwrap_or(folded);
    if !digits.starts_with(is_digit) {
        return None;
    }
    let plain = folded.replace(',', "");
    let (digits, percent) = match plain.strip_suffix('%') {
        Some(digits) => (digits, true),
        None => (plain.as_str(), false),
    };
    let suffixes = [
        ("mio", 1e6),
        ("mn", 1e6),
        ("bn", 1e9),
        ("k", 1e3),
        ("m", 1e6),
        ("b", 1e9),
    ];
    let (digits, factor) = suffixes
        .iter()
        .find_map(|(suffix, factor)| Some((digits.strip_suffix(suffix)?, *factor)))
        .unwrap_or((digits, 1.0));
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.len() <= 15;
    if !is_plain || digits.is_empty() {
        return None;
    }
    let value: f64 = digits.parse().ok()?;
    let unclear = digits.split_once('.').is_some_and(|(whole, rest)| {
        (1..=3).contains(&whole.len()) && !whole.starts_with('0') && rest.len() == 3
    });
    Some(Number {
        value: value * factor,
        percent,
        unclear: unclear && !folded.contains(','),
    })
}

/// "three": the numbers that are written out.
pub(super) fn spelt(folded: &str) -> Option<Number> {
    let words = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    let at = words.iter().position(|word| *word == folded)?;
    let value = f64::from(u8::try_from(at + 1).ok()?);
    Some(Number {
        value,
        percent: false,
        unclear: false,
    })
}
