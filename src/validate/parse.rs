//! From text to one query, or the reason why there is none.

use sqlparser::ast::{Query, Spanned, Statement};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use super::finding::{Code, Finding, Severity};
use super::text;
use crate::warehouse::Dialect;

/// Nesting that the parser follows; brackets are counted before.
const RECURSION: usize = 256;

/// The one query that `sql` is.
pub(super) fn query(sql: &str, dialect: Dialect) -> Result<Query, Box<Finding>> {
    let tokens = text::tokens(sql, dialect)?;
    let first = first_word(&tokens);
    let statements = Parser::new(dialect.parser())
        .with_recursion_limit(RECURSION)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|error| Box::new(unparsable(&error)))?;
    let mut statements = statements.into_iter();
    let Some(statement) = statements.next() else {
        return Err(Box::new(finding(
            Code::OneStatement,
            "",
            Location::new(0, 0),
            "there is no statement",
            "write one SELECT",
        )));
    };
    if let Some(second) = statements.next() {
        let word = second.to_string();
        let word = word.split_whitespace().next().unwrap_or_default();
        return Err(Box::new(finding(
            Code::OneStatement,
            word,
            second.span().start,
            "there is more than one statement",
            "write one SELECT and nothing after it",
        )));
    }
    match statement {
        Statement::Query(query) => Ok(*query),
        _ => {
            let (word, location) = first;
            Err(Box::new(finding(
                Code::NotAQuery,
                &word,
                location,
                &format!("{} is no query", word.to_uppercase()),
                "write one SELECT",
            )))
        }
    }
}

fn finding(code: Code, token: &str, at: Location, message: &str, hint: &str) -> Finding {
    Finding {
        code,
        severity: Severity::Block,
        token: token.to_owned(),
        line: u32::try_from(at.line).unwrap_or(u32::MAX),
        column: u32::try_from(at.column).unwrap_or(u32::MAX),
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    }
}

fn first_word(tokens: &[TokenWithSpan]) -> (String, Location) {
    let is_word = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    tokens
        .iter()
        .find(is_word)
        .map_or((String::new(), Location::new(0, 0)), |token| {
            (token.token.to_string(), token.span.start)
        })
}

/// A parser error carries its place only in its text.
fn unparsable(error: &ParserError) -> Finding {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => {
            return finding(
                Code::TooComplex,
                "",
                Location::new(0, 0),
                "the SQL is nested too deeply",
                "write it in fewer steps",
            );
        }
    };
    let (words, at) = text.rsplit_once(" at Line: ").unwrap_or((text, ""));
    let location = at.split_once(", Column: ").and_then(|(line, column)| {
        let column = column.trim().parse().ok()?;
        Some(Location::new(line.trim().parse().ok()?, column))
    });
    let token = words
        .rsplit_once(", found: ")
        .map_or("", |(_, found)| found)
        .to_owned();
    let words = words
        .replace("Expected: ", "expected ")
        .replace(", found: EOF", ", found the end")
        .replace(", found: ", ", found ");
    let location = location.unwrap_or(Location::new(0, 0));
    Finding {
        hint: None,
        ..finding(
            Code::Syntax,
            &token,
            location,
            &format!("the SQL does not parse: {words}"),
            "",
        )
    }
}
