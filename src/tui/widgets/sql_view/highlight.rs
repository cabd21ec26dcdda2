//! SQL to coloured spans, with sqlparser's tokenizer; what it cannot read is plain text.

use std::ops::Range;

use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

/// What a piece of SQL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Keyword,
    String,
    Number,
    Comment,
}

/// A piece of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) bytes: Range<usize>,
    pub(super) kind: Kind,
}

/// For each line its spans, which cover it without gaps.
pub(super) fn spans(lines: &[String]) -> Vec<Vec<Span>> {
    let sql = lines.join("\n");
    let mut tokens = Vec::new();
    // Half a statement is normal while it is being made: what was read before the error is kept.
    let _ = Tokenizer::new(&GenericDialect {}, &sql)
        .with_unescape(false)
        .tokenize_with_location_into_buf(&mut tokens);
    let mut spans: Vec<Vec<Span>> = vec![Vec::new(); lines.len()];
    for token in &tokens {
        let kind = kind(&token.token);
        if kind != Kind::Plain {
            mark(lines, &mut spans, token, kind);
        }
    }
    lines
        .iter()
        .zip(spans)
        .map(|(line, spans)| filled(line.len(), spans))
        .collect()
}

/// A token may go over several lines.
fn mark(lines: &[String], spans: &mut [Vec<Span>], token: &TokenWithSpan, kind: Kind) {
    let (start, end) = (token.span.start, token.span.end);
    let numbered = (1_u64..).zip(lines).zip(spans);
    let first = usize::try_from(start.line.saturating_sub(1)).unwrap_or(usize::MAX);
    for ((number, line), spans) in numbered
        .skip(first)
        .take_while(|((number, _), _)| *number <= end.line)
    {
        let from = if number == start.line {
            byte(line, start)
        } else {
            0
        };
        let to = if number == end.line {
            byte(line, end)
        } else {
            line.len()
        };
        if from < to {
            spans.push(Span {
                bytes: from..to,
                kind,
            });
        }
    }
}

/// Locations count characters from 1.
fn byte(line: &str, location: Location) -> usize {
    let characters = usize::try_from(location.column.saturating_sub(1)).unwrap_or(usize::MAX);
    line.char_indices()
        .nth(characters)
        .map_or(line.len(), |(at, _)| at)
}

/// Plain spans in the gaps.
fn filled(length: usize, spans: Vec<Span>) -> Vec<Span> {
    let mut all = Vec::with_capacity(spans.len() * 2 + 1);
    let mut at = 0;
    for span in spans {
        if at < span.bytes.start {
            all.push(Span {
                bytes: at..span.bytes.start,
                kind: Kind::Plain,
            });
        }
        at = span.bytes.end;
        all.push(span);
    }
    if at < length {
        all.push(Span {
            bytes: at..length,
            kind: Kind::Plain,
        });
    }
    all
}

fn kind(token: &Token) -> Kind {
    match token {
        Token::Word(word) if word.quote_style.is_none() && is_keyword(word.keyword) => {
            Kind::Keyword
        }
        Token::Number(..) => Kind::Number,
        Token::SingleQuotedString(_)
        | Token::DollarQuotedString(_)
        | Token::EscapedStringLiteral(_)
        | Token::NationalStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::UnicodeStringLiteral(_) => Kind::String,
        Token::Whitespace(
            Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_),
        ) => Kind::Comment,
        _ => Kind::Plain,
    }
}

/// The words that shape a query. sqlparser's own list has most English nouns, which here are column names.
#[rustfmt::skip]
fn is_keyword(keyword: Keyword) -> bool {
    use Keyword as K;
    matches!(
        keyword,
        K::ALL | K::AND | K::ANY | K::AS | K::ASC | K::BETWEEN | K::BY | K::CASE | K::CAST | K::COLLATE | K::CROSS
            | K::DESC | K::DISTINCT | K::ELSE | K::END | K::ESCAPE | K::EXCEPT | K::EXISTS | K::FALSE | K::FETCH
            | K::FILTER | K::FROM | K::FULL | K::GROUP | K::HAVING | K::ILIKE | K::IN | K::INNER | K::INTERSECT
            | K::INTERVAL | K::IS | K::JOIN | K::LATERAL | K::LEFT | K::LIKE | K::LIMIT | K::MATERIALIZED
            | K::NATURAL | K::NOT | K::NULL | K::NULLS | K::OFFSET | K::ON | K::OR | K::ORDER | K::OUTER | K::OVER
            | K::PARTITION | K::RECURSIVE | K::RIGHT | K::SELECT | K::THEN | K::TRUE | K::UNION | K::USING
            | K::VALUES | K::WHEN | K::WHERE | K::WINDOW | K::WITH | K::WITHIN
    )
}
