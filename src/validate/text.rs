//! Looks at the text before it is parsed: hidden characters, length, nesting. None of it may cost the parser its stack.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError};

use super::finding::{Code, Finding, Severity};
use crate::warehouse::Dialect;

/// Most bytes of one piece of SQL.
const LENGTH: usize = 64 * 1024;
/// Deepest nesting of brackets.
const DEPTH: usize = 48;
/// Most operators and keywords: the deepest tree that a chain without brackets (`1 + 1 + …`) can grow into.
const WEIGHT: usize = 4_000;

/// The tokens of a text that is safe to parse; else why it is not.
pub(super) fn tokens(sql: &str, dialect: Dialect) -> Result<Vec<TokenWithSpan>, Box<Finding>> {
    if sql.len() > LENGTH {
        return Err(complex(format!(
            "the SQL is longer than {LENGTH} characters"
        )));
    }
    if let Some((at, hidden)) = sql.char_indices().find(|(_, c)| is_hidden(*c)) {
        return Err(hidden_character(sql.get(..at).unwrap_or_default(), hidden));
    }
    let tokens = Tokenizer::new(dialect.parser(), sql)
        .tokenize_with_location()
        .map_err(|error| Box::new(unreadable(&error)))?;
    let mut depth = 0_usize;
    let mut weight = 0;
    for token in &tokens {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Word(word) if word.keyword == Keyword::NoKeyword => {}
            Token::Comma
            | Token::Period
            | Token::Whitespace(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_) => {}
            _ => weight += 1,
        }
        if depth > DEPTH {
            return Err(complex(format!(
                "brackets are nested more than {DEPTH} deep"
            )));
        }
    }
    if weight > WEIGHT {
        return Err(complex(format!(
            "the SQL has more than {WEIGHT} operators and keywords"
        )));
    }
    Ok(tokens)
}

/// What a reader does not see, or sees elsewhere than it stands. Line ends and tabs are layout.
pub(super) fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

fn hidden_character(before: &str, hidden: char) -> Box<Finding> {
    let name = hidden.escape_unicode().to_string();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    Box::new(Finding {
        code: Code::HiddenCharacter,
        severity: Severity::Block,
        message: format!("the SQL has a character that cannot be seen: {name}"),
        token: name,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
        hint: Some("write plain characters only".to_owned()),
    })
}

fn complex(message: String) -> Box<Finding> {
    Box::new(Finding {
        code: Code::TooComplex,
        severity: Severity::Block,
        token: String::new(),
        line: 0,
        column: 0,
        message,
        hint: Some("write it in fewer steps".to_owned()),
    })
}

fn unreadable(error: &TokenizerError) -> Finding {
    Finding {
        code: Code::Syntax,
        severity: Severity::Block,
        token: String::new(),
        line: u32::try_from(error.location.line).unwrap_or(u32::MAX),
        column: u32::try_from(error.location.column).unwrap_or(u32::MAX),
        message: format!(
            "the SQL does not parse: {}",
            error.message.replace("Unterminated", "unterminated")
        ),
        hint: None,
    }
}
