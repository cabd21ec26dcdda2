//! Splits a query line into words, quoted texts and symbols, each with its byte range.

use std::ops::Range;

use super::parse::QueryLineError;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A bare word or number.
    Word(String),
    /// `"a name"`, and whatever `.suffix` follows it directly.
    Name(String, Option<String>),
    /// `'a literal'`
    Text(String),
    /// Punctuation or an operator.
    Symbol(&'static str),
}

/// A token and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) range: Range<usize>,
}

const SYMBOLS: [&str; 12] = [
    "..", "<=", ">=", "!=", "<>", "==", "=", "<", ">", ",", "(", ")",
];

/// Whether a character may stand in a bare word.
pub(super) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

/// The tokens of `text`.
pub(super) fn lex(text: &str) -> Result<Vec<Spanned>, QueryLineError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(c) = rest.chars().next() else { break };
        let start = at;
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let token = if let Some(symbol) =
            SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol))
        {
            at += symbol.len();
            Token::Symbol(symbol)
        } else if c == '\'' || c == '"' {
            let (content, length) = quoted(rest, c).ok_or_else(|| {
                QueryLineError::new(start..text.len(), format!("the {c} is never closed"))
            })?;
            at += length;
            if c == '\'' {
                Token::Text(content)
            } else {
                let suffix = text
                    .get(at..)
                    .and_then(|rest| rest.strip_prefix('.'))
                    .map(word_of);
                let suffix = suffix.filter(|suffix| !suffix.is_empty());
                at += suffix.as_ref().map_or(0, |suffix| suffix.len() + 1);
                Token::Name(content, suffix)
            }
        } else if is_word_char(c) && c != '.' && c != ':' {
            let word = word_of(rest);
            at += word.len();
            Token::Word(word)
        } else {
            return Err(QueryLineError::new(
                start..start + c.len_utf8(),
                format!("unexpected '{c}'"),
            )
            .hint("put names with odd characters in \"double\" and values in 'single' quotes"));
        };
        tokens.push(Spanned {
            token,
            range: start..at,
        });
    }
    Ok(tokens)
}

/// The bare word at the start of `rest`; two dots end it, since they are the range operator.
fn word_of(rest: &str) -> String {
    let end = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
    let word = rest.get(..end).unwrap_or_default();
    let word = word.split_once("..").map_or(word, |(word, _)| word);
    word.to_owned()
}

/// Content and length in bytes of the quoted text at the start of `rest`; a doubled quote stands for itself.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            content.push(c);
        } else if chars.peek().is_some_and(|&(_, next)| next == quote) {
            content.push(quote);
            chars.next();
        } else {
            return Some((content, at + quote.len_utf8()));
        }
    }
    None
}
