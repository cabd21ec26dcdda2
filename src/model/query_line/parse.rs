//! Reads a query line: a recursive-descent parser that says what it expected and where.

use std::ops::Range;

use super::is_reserved;
use super::lexer::{Spanned, Token, lex};
use crate::model::{
    Comparison, DatePart, Direction, Filter, Grain, GroupBy, MetricQuery, OrderBy, Period,
    Presented, Shown, TimeRange,
};

/// What may stand at the end of an unfinished line; drives completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A metric name.
    Metric,
    /// A dimension or a grain.
    Group,
    /// A dimension (or a metric) to put a condition on.
    Field,
    /// An operator for this field.
    Operator(String),
    /// A value of this field.
    Value(String),
    /// An output column to sort by.
    Column,
    /// A period such as `2025-11`.
    Period,
    /// One of these words (or, where the line is complete, a further clause).
    Words(Vec<&'static str>),
    /// A number.
    Number,
}

/// A query line that does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct QueryLineError {
    /// What is wrong.
    pub message: String,
    /// Which bytes of the line.
    pub range: Range<usize>,
    /// What would be right.
    pub hint: Option<String>,
    /// What was expected instead.
    pub expected: Option<Expected>,
}

impl QueryLineError {
    pub(super) fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            range,
            hint: None,
            expected: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

pub(super) type Result<T> = std::result::Result<T, QueryLineError>;

/// Reads a whole query line. A line without metrics parses too, so that it can be edited on the way.
///
/// # Errors
/// The first thing that does not fit, with its position and what was expected.
pub fn parse(line: &str) -> Result<MetricQuery> {
    let mut parser = Parser::new(line)?;
    let query = parser.query()?;
    parser.end()?;
    Ok(query)
}

/// What may follow `prefix`, which ends before the word being typed.
pub fn expected_at_end(prefix: &str) -> Expected {
    let Ok(mut parser) = Parser::new(prefix) else {
        return Expected::Words(vec![]);
    };
    match parser.query() {
        Ok(query) if query.metrics.is_empty() && prefix.trim().is_empty() => Expected::Metric,
        Ok(_) => Expected::Words(parser.open_clauses),
        Err(error) => error.expected.unwrap_or(Expected::Words(vec![])),
    }
}

/// Reads one grouping: `market`, `month`, `refunded_at.month`.
///
/// # Errors
/// See [`parse`].
pub fn parse_group(text: &str) -> Result<GroupBy> {
    whole(text, Parser::group)
}

/// Reads a filter tree.
///
/// # Errors
/// See [`parse`].
pub fn parse_filter(text: &str) -> Result<Filter> {
    whole(text, |parser| parser.or(0))
}

/// Reads a time range, also in the registry's spelling (`quarter_to_date`, `all_time`).
///
/// # Errors
/// See [`parse`].
pub fn parse_time(text: &str) -> Result<TimeRange> {
    let spaced = if text.contains("..") {
        text.to_owned()
    } else {
        text.replace('_', " ")
    };
    whole(&spaced, |parser| {
        let range = parser.here();
        parser.time()?.ok_or_else(|| {
            QueryLineError::new(range, format!("'{text}' is not a time range"))
                .hint("write today, last 7 days, this month, qtd, 2025-11, 2025-01..2025-03, since 2025-03 or all time")
        })
    })
}

/// Reads a comparison: `previous period`, `4 weeks ago`, `2024Q3`.
///
/// # Errors
/// See [`parse`].
pub fn parse_comparison(text: &str) -> Result<Comparison> {
    whole(text, Parser::comparison)
}

/// Reads one sort key: `gmv desc`.
///
/// # Errors
/// See [`parse`].
pub fn parse_order(text: &str) -> Result<OrderBy> {
    whole(text, Parser::order_key)
}

/// Reads a metric with a figure over the rows of the result: `gmv share`, `gmv moving 7`.
///
/// # Errors
/// See [`parse`].
pub fn parse_shown(text: &str) -> Result<Shown> {
    whole(text, |parser| {
        let metric = parser.name(Expected::Metric, "a metric")?;
        match parser.presented()? {
            Some(what) => Ok(Shown { metric, what }),
            None => parser.fail(
                Expected::Words(vec!["share", "running", "rank", "moving"]),
                "share, running, rank or moving",
            ),
        }
    })
}

fn whole<T>(text: &str, read: impl FnOnce(&mut Parser) -> Result<T>) -> Result<T> {
    let mut parser = Parser::new(text)?;
    let value = read(&mut parser)?;
    parser.end()?;
    Ok(value)
}

pub(super) struct Parser {
    pub(super) tokens: Vec<Spanned>,
    pub(super) at: usize,
    length: usize,
    /// Clauses that may still follow.
    open_clauses: Vec<&'static str>,
}

impl Parser {
    pub(super) fn new(text: &str) -> Result<Self> {
        Ok(Self {
            tokens: lex(text)?,
            at: 0,
            length: text.len(),
            open_clauses: Vec::new(),
        })
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|spanned| &spanned.token)
    }

    pub(super) fn here(&self) -> Range<usize> {
        self.tokens
            .get(self.at)
            .map_or(self.length..self.length, |spanned| spanned.range.clone())
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    pub(super) fn fail<T>(&self, expected: Expected, wanted: &str) -> Result<T> {
        let message = match self.peek() {
            None => format!("the line ends where {wanted} is expected"),
            Some(Token::Word(word) | Token::Name(word, _) | Token::Text(word)) => {
                format!("found '{word}' where {wanted} is expected")
            }
            Some(Token::Symbol(symbol)) => format!("found '{symbol}' where {wanted} is expected"),
        };
        let expected = self.peek().is_none().then_some(expected);
        Err(QueryLineError {
            message,
            range: self.here(),
            hint: None,
            expected,
        })
    }

    pub(super) fn expect_word(&mut self, word: &'static str) -> Result<()> {
        if self.take_word(word) {
            return Ok(());
        }
        self.fail(Expected::Words(vec![word]), &format!("'{word}'"))
    }

    pub(super) fn end(&self) -> Result<()> {
        if self.peek().is_none() {
            return Ok(());
        }
        self.fail(
            Expected::Words(self.open_clauses.clone()),
            "the end of the line",
        )
        .map_err(|error: QueryLineError| {
            if self.open_clauses.is_empty() {
                return error;
            }
            let word = match self.peek() {
                Some(Token::Word(word)) => word.to_lowercase(),
                _ => String::new(),
            };
            let hint = match word.as_str() {
                "per" | "others" | "with" => {
                    "it belongs to a limit: top 3 by gmv per market with others".to_owned()
                }
                "share" | "running" | "rank" | "moving" => {
                    "a figure follows its metric: gmv share by market".to_owned()
                }
                _ => format!("a clause starts with {}", self.open_clauses.join(", ")),
            };
            QueryLineError {
                message: error.message.replace("the end of the line", "a clause"),
                ..error
            }
            .hint(hint)
        })
    }

    pub(super) fn query(&mut self) -> Result<MetricQuery> {
        let mut query = MetricQuery::default();
        if self.is_word("range") && self.follows(&["of"]) {
            self.at += 2;
            query.range_of = self.list(Self::group)?;
        } else if matches!(self.peek(), Some(Token::Name(..)))
            || matches!(self.peek(), Some(Token::Word(word)) if !is_reserved(word) && Period::parse(word).is_none())
        {
            self.metrics(&mut query)?;
        } else if matches!(self.peek(), Some(Token::Symbol(_) | Token::Text(_))) {
            return self.fail(Expected::Metric, "a metric");
        }
        let mut top = false;
        loop {
            self.open_clauses = open_clauses(&query, top);
            let at = self.here();
            let repeated = |taken: bool, word: &str| {
                if taken {
                    return Err(QueryLineError::new(
                        at.clone(),
                        format!("'{word}' stands twice"),
                    ));
                }
                Ok(())
            };
            if self.take_word("by") {
                repeated(query.group_by.is_some(), "by")?;
                query.group_by = Some(if self.take_word("none") {
                    vec![]
                } else {
                    self.list(Self::group)?
                });
            } else if self.take_word("where") {
                repeated(query.filters.is_some(), "where")?;
                query.filters = Some(self.or(0)?);
            } else if self.take_word("vs") {
                repeated(query.compare.is_some(), "vs")?;
                query.compare = Some(self.comparison()?);
            } else if self.is_word("top") || self.is_word("bottom") {
                let direction = if self.is_word("top") {
                    Direction::Descending
                } else {
                    Direction::Ascending
                };
                self.at += 1;
                repeated(
                    top || !query.order.is_empty() || query.limit.is_some(),
                    "an order or a limit",
                )?;
                top = true;
                query.limit = Some(self.number()?);
                let column =
                    if self.take_word("by") {
                        self.name(Expected::Column, "a metric")?
                    } else {
                        query.metrics.first().cloned().ok_or_else(|| {
                            QueryLineError::new(at, "there is no metric to rank by")
                        })?
                    };
                query.order = vec![OrderBy { column, direction }];
                self.limit_parts(&mut query)?;
            } else if self.take_word("order") {
                repeated(!query.order.is_empty(), "an order")?;
                self.expect_word("by")?;
                query.order = self.list(Self::order_key)?;
            } else if self.take_word("limit") {
                repeated(query.limit.is_some(), "a limit")?;
                query.limit = Some(self.number()?);
                self.limit_parts(&mut query)?;
            } else if self.is_word("every") && self.follows(&["period"]) {
                repeated(query.every_period.is_some(), "every period")?;
                self.at += 2;
                query.every_period = Some(true);
            } else if self.is_word("existing") && self.follows(&["periods"]) {
                repeated(query.every_period.is_some(), "every period")?;
                self.at += 2;
                query.every_period = Some(false);
            } else if self.take_word("total") {
                repeated(query.total, "total")?;
                query.total = true;
            } else if let Some(time) = self.time()? {
                repeated(query.time.is_some(), "a time range")?;
                query.time = Some(time);
            } else {
                return Ok(query);
            }
        }
    }

    /// The metrics, each as often as it stands there, with the figures over the result that follow their names.
    fn metrics(&mut self, query: &mut MetricQuery) -> Result<()> {
        let items = self.list(|parser| {
            let metric = parser.name(Expected::Metric, "a metric")?;
            Ok((metric, parser.presented()?))
        })?;
        for (metric, what) in items {
            match what {
                None => query.metrics.push(metric),
                Some(what) => {
                    if !query.metrics.contains(&metric) {
                        query.metrics.push(metric.clone());
                    }
                    query.show.push(Shown { metric, what });
                }
            }
        }
        Ok(())
    }

    /// `share`, `running`, `rank` or `moving 7`, where one stands here.
    fn presented(&mut self) -> Result<Option<Presented>> {
        Ok(Some(if self.take_word("share") {
            Presented::Share
        } else if self.take_word("running") {
            Presented::Running
        } else if self.take_word("rank") {
            Presented::Rank
        } else if self.take_word("moving") {
            let at = self.here();
            let n = u32::try_from(self.number()?).ok().filter(|n| *n <= 9_999);
            Presented::Moving(n.ok_or_else(|| {
                QueryLineError::new(at, "a moving mean is over 1 to 9999 periods")
            })?)
        } else {
            return Ok(None);
        }))
    }

    /// What may follow a limit: `per market`, `with others`.
    fn limit_parts(&mut self, query: &mut MetricQuery) -> Result<()> {
        if self.take_word("per") {
            query.limit_per = self.list(Self::group)?;
        }
        if self.take_word("with") {
            self.expect_word("others")?;
            query.others = true;
        }
        Ok(())
    }

    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.take_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    pub(super) fn name(&mut self, expected: Expected, wanted: &str) -> Result<String> {
        let name = match self.peek() {
            Some(Token::Word(word)) if !is_reserved(word) => word.clone(),
            Some(Token::Name(name, None)) => name.clone(),
            Some(Token::Name(name, Some(suffix))) => format!("{name}.{suffix}"),
            _ => return self.fail(expected, wanted),
        };
        self.at += 1;
        Ok(name)
    }

    pub(super) fn group(&mut self) -> Result<GroupBy> {
        let time = |word: &str, of: Option<&str>| {
            let of = of.map(ToOwned::to_owned);
            match (Grain::from_word(word), DatePart::from_word(word)) {
                _ if of.as_ref().is_some_and(String::is_empty) => None,
                (Some(grain), _) => Some(GroupBy::Grain { grain, of }),
                (None, Some(part)) => Some(GroupBy::Part { part, of }),
                (None, None) => None,
            }
        };
        let group = match self.peek() {
            Some(Token::Name(name, None)) => Some(GroupBy::Dimension(name.clone())),
            Some(Token::Name(name, Some(suffix))) => Some(
                time(suffix, Some(name))
                    .unwrap_or_else(|| GroupBy::Dimension(format!("{name}.{suffix}"))),
            ),
            Some(Token::Word(word)) if !is_reserved(word) => {
                let qualified = || {
                    word.rsplit_once('.')
                        .and_then(|(of, word)| time(word, Some(of)))
                };
                Some(
                    time(word, None)
                        .or_else(qualified)
                        .unwrap_or_else(|| GroupBy::Dimension(word.clone())),
                )
            }
            _ => None,
        };
        let Some(group) = group else {
            return self.fail(Expected::Group, "a dimension or a time grain");
        };
        self.at += 1;
        Ok(group)
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let number = match self.peek() {
            Some(Token::Word(word)) => word.parse().ok().filter(|&n| n > 0),
            _ => None,
        };
        let Some(number) = number else {
            return self.fail(Expected::Number, "a number from 1");
        };
        self.at += 1;
        Ok(number)
    }

    pub(super) fn order_key(&mut self) -> Result<OrderBy> {
        let column = self.name(Expected::Column, "a column")?;
        let direction = if self.take_word("desc") {
            Direction::Descending
        } else {
            self.take_word("asc");
            Direction::Ascending
        };
        Ok(OrderBy { column, direction })
    }
}

fn open_clauses(query: &MetricQuery, top: bool) -> Vec<&'static str> {
    let mut open = Vec::new();
    let mut offer = |free: bool, words: &[&'static str]| {
        if free {
            open.extend_from_slice(words);
        }
    };
    offer(query.group_by.is_none(), &["by"]);
    offer(query.filters.is_none(), &["where"]);
    offer(
        query.time.is_none(),
        &[
            "last",
            "this",
            "today",
            "yesterday",
            "mtd",
            "qtd",
            "ytd",
            "since",
            "rolling",
            "all time",
        ],
    );
    offer(query.compare.is_none(), &["vs"]);
    offer(
        !top && query.order.is_empty() && query.limit.is_none(),
        &["top", "bottom"],
    );
    offer(!top && query.order.is_empty(), &["order by"]);
    offer(!top && query.limit.is_none(), &["limit"]);
    offer(query.every_period.is_none(), &["every period"]);
    offer(!query.total, &["total"]);
    open
}
