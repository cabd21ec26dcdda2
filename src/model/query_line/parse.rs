//! Reads a query line: a recursive-descent parser that says what it expected and where.

use std::ops::Range;

use super::is_reserved;
use super::lexer::{Spanned, Token, lex};
use crate::model::{
    CompareOp, Comparison, Direction, Filter, Grain, GroupBy, MetricQuery, OrderBy, Period,
    TimeRange,
};

/// Deepest nesting of brackets and `not` in a filter.
const MAX_DEPTH: u32 = 64;

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

type Result<T> = std::result::Result<T, QueryLineError>;

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

fn whole<T>(text: &str, read: impl FnOnce(&mut Parser) -> Result<T>) -> Result<T> {
    let mut parser = Parser::new(text)?;
    let value = read(&mut parser)?;
    parser.end()?;
    Ok(value)
}

struct Parser {
    tokens: Vec<Spanned>,
    at: usize,
    length: usize,
    /// Clauses that may still follow.
    open_clauses: Vec<&'static str>,
}

impl Parser {
    fn new(text: &str) -> Result<Self> {
        Ok(Self {
            tokens: lex(text)?,
            at: 0,
            length: text.len(),
            open_clauses: Vec::new(),
        })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|spanned| &spanned.token)
    }

    fn here(&self) -> Range<usize> {
        self.tokens
            .get(self.at)
            .map_or(self.length..self.length, |spanned| spanned.range.clone())
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn fail<T>(&self, expected: Expected, wanted: &str) -> Result<T> {
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

    fn expect_word(&mut self, word: &'static str) -> Result<()> {
        if self.take_word(word) {
            return Ok(());
        }
        self.fail(Expected::Words(vec![word]), &format!("'{word}'"))
    }

    fn end(&self) -> Result<()> {
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
            let hint = format!("a clause starts with {}", self.open_clauses.join(", "));
            QueryLineError {
                message: error.message.replace("the end of the line", "a clause"),
                ..error
            }
            .hint(hint)
        })
    }

    fn query(&mut self) -> Result<MetricQuery> {
        let mut query = MetricQuery::default();
        if matches!(self.peek(), Some(Token::Name(..)))
            || matches!(self.peek(), Some(Token::Word(word)) if !is_reserved(word) && Period::parse(word).is_none())
        {
            query.metrics = self.list(|parser| parser.name(Expected::Metric, "a metric"))?;
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
            } else if self.take_word("order") {
                repeated(!query.order.is_empty(), "an order")?;
                self.expect_word("by")?;
                query.order = self.list(Self::order_key)?;
            } else if self.take_word("limit") {
                repeated(query.limit.is_some(), "a limit")?;
                query.limit = Some(self.number()?);
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

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.take_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn name(&mut self, expected: Expected, wanted: &str) -> Result<String> {
        let name = match self.peek() {
            Some(Token::Word(word)) if !is_reserved(word) => word.clone(),
            Some(Token::Name(name, None)) => name.clone(),
            Some(Token::Name(name, Some(suffix))) => format!("{name}.{suffix}"),
            _ => return self.fail(expected, wanted),
        };
        self.at += 1;
        Ok(name)
    }

    fn group(&mut self) -> Result<GroupBy> {
        let grain_of = |grain: &str, of: &str| {
            Grain::from_word(grain)
                .filter(|_| !of.is_empty())
                .map(|grain| GroupBy::Grain {
                    grain,
                    of: Some(of.to_owned()),
                })
        };
        let group = match self.peek() {
            Some(Token::Name(name, None)) => Some(GroupBy::Dimension(name.clone())),
            Some(Token::Name(name, Some(suffix))) => Some(
                grain_of(suffix, name)
                    .unwrap_or_else(|| GroupBy::Dimension(format!("{name}.{suffix}"))),
            ),
            Some(Token::Word(word)) if !is_reserved(word) => {
                let grain = Grain::from_word(word).map(|grain| GroupBy::Grain { grain, of: None });
                let qualified = || {
                    word.rsplit_once('.')
                        .and_then(|(of, grain)| grain_of(grain, of))
                };
                Some(
                    grain
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

    fn or(&mut self, depth: u32) -> Result<Filter> {
        let mut parts = vec![self.and(depth)?];
        while self.take_word("or") {
            parts.push(self.and(depth)?);
        }
        Ok(flat(parts, Filter::Or, |part| match part {
            Filter::Or(inner) => Ok(inner),
            other => Err(other),
        }))
    }

    fn and(&mut self, depth: u32) -> Result<Filter> {
        let mut parts = vec![self.predicate(depth)?];
        while self.take_word("and") {
            parts.push(self.predicate(depth)?);
        }
        Ok(flat(parts, Filter::And, |part| match part {
            Filter::And(inner) => Ok(inner),
            other => Err(other),
        }))
    }

    fn predicate(&mut self, depth: u32) -> Result<Filter> {
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
        let field = self.name(Expected::Field, "a dimension")?;
        self.condition(field)
    }

    fn condition(&mut self, field: String) -> Result<Filter> {
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

    fn literal(&mut self, field: &str) -> Result<String> {
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

    fn number(&mut self) -> Result<u64> {
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

    fn order_key(&mut self) -> Result<OrderBy> {
        let column = self.name(Expected::Column, "a column")?;
        let direction = if self.take_word("desc") {
            Direction::Descending
        } else {
            self.take_word("asc");
            Direction::Ascending
        };
        Ok(OrderBy { column, direction })
    }

    /// A count (1 where none is written) and the unit it counts.
    fn units(&mut self) -> Result<(u32, Grain)> {
        let mut n = 1;
        if let Some(Token::Word(word)) = self.peek()
            && word.bytes().all(|byte| byte.is_ascii_digit())
        {
            n = match word.parse() {
                Ok(n @ 1..=9_999) => n,
                _ => return self.fail(Expected::Number, "a number from 1 to 9999"),
            };
            self.at += 1;
        }
        let units = vec!["days", "weeks", "months", "quarters", "years"];
        let grain = match self.peek() {
            Some(Token::Word(word)) => Grain::from_word(word),
            _ => None,
        };
        match grain {
            Some(Grain::Hour) => Err(QueryLineError::new(
                self.here(),
                "time ranges are whole days, not hours",
            )),
            Some(grain) => {
                self.at += 1;
                Ok((n, grain))
            }
            None => self.fail(
                Expected::Words(units),
                "days, weeks, months, quarters or years",
            ),
        }
    }

    fn take_period(&mut self) -> Option<Period> {
        let Some(Token::Word(word)) = self.peek() else {
            return None;
        };
        let period = Period::parse(word)?;
        self.at += 1;
        Some(period)
    }

    fn period(&mut self) -> Result<Period> {
        match self.take_period() {
            Some(period) => Ok(period),
            None => self.fail(
                Expected::Period,
                "a period such as 2025, 2025Q3, 2025-11, 2025-W45 or 2025-11-03",
            ),
        }
    }

    fn period_range(&mut self, from: Period) -> Result<(Period, Period)> {
        let at = self.here();
        let to = if self.take_symbol("..") {
            self.period()?
        } else {
            from
        };
        match (from.days(), to.days()) {
            (Some((start, _)), Some((_, end))) if start < end => Ok((from, to)),
            _ => Err(QueryLineError::new(
                at,
                format!("the range {from}..{to} ends before it starts"),
            )),
        }
    }

    fn time(&mut self) -> Result<Option<TimeRange>> {
        let to_date = |word: &str| match word {
            "wtd" => Some(Grain::Week),
            "mtd" => Some(Grain::Month),
            "qtd" => Some(Grain::Quarter),
            "ytd" => Some(Grain::Year),
            _ => None,
        };
        let Some(Token::Word(word)) = self.peek() else {
            return Ok(None);
        };
        let word = word.to_ascii_lowercase();
        let range = match word.as_str() {
            "today" => TimeRange::This(Grain::Day),
            "yesterday" => TimeRange::Last(1, Grain::Day),
            "all" => {
                self.at += 1;
                self.expect_word("time")?;
                return Ok(Some(TimeRange::AllTime));
            }
            "this" => {
                self.at += 1;
                let (_, grain) = self.units()?;
                return Ok(Some(TimeRange::This(grain)));
            }
            "last" | "previous" | "past" => {
                self.at += 1;
                let (n, grain) = self.units()?;
                return Ok(Some(TimeRange::Last(n, grain)));
            }
            "rolling" => {
                self.at += 1;
                let (n, grain) = self.units()?;
                return Ok(Some(TimeRange::Rolling(n, grain)));
            }
            "since" => {
                self.at += 1;
                return Ok(Some(TimeRange::Span(Some(self.period()?), None)));
            }
            "until" => {
                self.at += 1;
                return Ok(Some(TimeRange::Span(None, Some(self.period()?))));
            }
            "before" => {
                self.at += 1;
                let period = self.period()?;
                let day = period.days().and_then(|(start, _)| start.yesterday().ok());
                return Ok(Some(TimeRange::Span(None, day.map(Period::Day))));
            }
            word => {
                if let Some(grain) = to_date(word) {
                    TimeRange::ToDate(grain)
                } else if let Some(from) = self.take_period() {
                    let (from, to) = self.period_range(from)?;
                    return Ok(Some(TimeRange::Span(Some(from), Some(to))));
                } else if let Some(grain) = Grain::from_word(word)
                    && self.follows(&["to", "date"])
                    && !matches!(grain, Grain::Hour | Grain::Day)
                {
                    self.at += 3;
                    return Ok(Some(TimeRange::ToDate(grain)));
                } else {
                    return Ok(None);
                }
            }
        };
        self.at += 1;
        Ok(Some(range))
    }

    /// Whether these words stand after the current one.
    fn follows(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| {
            matches!(self.tokens.get(self.at + 1 + offset).map(|spanned| &spanned.token),
                Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
        })
    }

    fn comparison(&mut self) -> Result<Comparison> {
        if self.take_word("previous") || self.take_word("last") {
            return if self.take_word("period") {
                Ok(Comparison::PreviousPeriod)
            } else if self.take_word("year") {
                Ok(Comparison::PreviousYear)
            } else {
                self.fail(
                    Expected::Words(vec!["period", "year"]),
                    "'period' or 'year'",
                )
            };
        }
        if self.follows(&["ago"])
            || matches!(self.tokens.get(self.at + 2), Some(Spanned { token: Token::Word(word), .. }) if word.eq_ignore_ascii_case("ago"))
        {
            let (n, grain) = self.units()?;
            self.expect_word("ago")?;
            let is_year = (n, grain) == (1, Grain::Year);
            return Ok(if is_year {
                Comparison::PreviousYear
            } else {
                Comparison::Ago(n, grain)
            });
        }
        if let Some(from) = self.take_period() {
            let (from, to) = self.period_range(from)?;
            return Ok(Comparison::Range(from, to));
        }
        self.fail(
            Expected::Words(vec!["previous period", "previous year", "4 weeks ago"]),
            "previous period, previous year, 4 weeks ago or a period such as 2024Q3",
        )
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
    offer(!query.total, &["total"]);
    open
}
