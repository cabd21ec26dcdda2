//! Reads the `where` clause: conditions, and/or/not and brackets.

use super::is_reserved;
use super::lexer::Token;
use super::parse::{Expected, Parser, QueryLineError, Result};
use crate::model::{CompareOp, Filter};

/// Deepest nesting of brackets and `not` in a filter.
const MAX_DEPTH: u32 = 64;

impl Parser {
    pub(super) fn or(&mut self, depth: u32) -> Result<Filter> {
        let mut parts = vec![self.and(depth)?];
        while self.take_word("or") {
            parts.push(self.and(depth)?);
        }
        Ok(flat(parts, Filter::Or, |part| match part {
            Filter::Or(inner) => Ok(inner),
            other => Err(other),
        }))
    }

    pub(super) fn and(&mut self, depth: u32) -> Result<Filter> {
        let mut parts = vec![self.predicate(depth)?];
        while self.take_word("and") {
            parts.push(self.predicate(depth)?);
        }
        Ok(flat(parts, Filter::And, |part| match part {
            Filter::And(inner) => Ok(inner),
            other => Err(other),
        }))
    }

    pub(super) fn predicate(&mut self, depth: u32) -> Result<Filter> {
        if depth > MAX_DEPTH {
            return Err(QueryLineError::new(
                self.here(),
                "the brackets are nested too deeply",
            ));
        }
        if self.take_word("not") {
            return Ok(Filter::Not(Box::new(self.predicate(depth + 1)?)));
        }
        if self.take_symbol("(") {
            let inner = self.or(depth + 1)?;
            if !self.take_symbol(")") {
                return self.fail(Expected::Words(vec!["and", "or", ")"]), "')'");
            }
            return Ok(inner);
        }
        let mut field = self.name(Expected::Field, "a dimension")?;
        if self.take_word("per") {
            let per = self.name(Expected::Field, "a dimension")?;
            field = format!("{field} per {per}");
        }
        self.condition(field)
    }

    pub(super) fn condition(&mut self, field: String) -> Result<Filter> {
        let symbols = [
            ("=", CompareOp::Eq),
            ("==", CompareOp::Eq),
            ("!=", CompareOp::Ne),
            ("<>", CompareOp::Ne),
            ("<=", CompareOp::Le),
            (">=", CompareOp::Ge),
            ("<", CompareOp::Lt),
            (">", CompareOp::Gt),
        ];
        if let Some(op) = symbols
            .into_iter()
            .find_map(|(symbol, op)| self.take_symbol(symbol).then_some(op))
        {
            let value = self.literal(&field)?;
            return Ok(Filter::Compare { field, op, value });
        }
        if self.take_word("is") {
            let negated = self.take_word("not");
            self.expect_word("null")?;
            return Ok(Filter::IsNull { field, negated });
        }
        let negated = self.take_word("not");
        if self.take_word("in") {
            if !self.take_symbol("(") {
                return self.fail(Expected::Words(vec!["("]), "'('");
            }
            let values = self.list(|parser| parser.literal(&field))?;
            if !self.take_symbol(")") {
                return self.fail(Expected::Words(vec![")"]), "')'");
            }
            return Ok(Filter::In {
                field,
                values,
                negated,
            });
        }
        if self.take_word("between") {
            let low = self.literal(&field)?;
            self.expect_word("and")?;
            let high = self.literal(&field)?;
            return Ok(Filter::Between {
                field,
                low,
                high,
                negated,
            });
        }
        if self.take_word("like") {
            let pattern = self.literal(&field)?;
            return Ok(Filter::Like {
                field,
                pattern,
                negated,
            });
        }
        let wanted = if negated {
            "in, between or like"
        } else {
            "an operator (= != < <= > >= in, not in, between, like, is null)"
        };
        self.fail(Expected::Operator(field), wanted)
    }

    pub(super) fn literal(&mut self, field: &str) -> Result<String> {
        let literal = match self.peek() {
            Some(Token::Word(word)) if !is_reserved(word) => word.clone(),
            Some(Token::Text(text)) => text.clone(),
            _ => {
                return self
                    .fail(
                        Expected::Value(field.to_owned()),
                        &format!("a value of {field}"),
                    )
                    .map_err(|error: QueryLineError| match self.peek() {
                        Some(Token::Word(word)) => {
                            let hint = format!("write '{word}' in quotes if it is the value");
                            error.hint(hint)
                        }
                        _ => error,
                    });
            }
        };
        self.at += 1;
        Ok(literal)
    }
}

/// One filter of several; nested trees of the same kind are merged, so that equal filters have one text.
fn flat(
    mut parts: Vec<Filter>,
    wrap: fn(Vec<Filter>) -> Filter,
    open: impl Fn(Filter) -> std::result::Result<Vec<Filter>, Filter>,
) -> Filter {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let merged = parts
        .into_iter()
        .flat_map(|part| open(part).unwrap_or_else(|other| vec![other]));
    wrap(merged.collect())
}
