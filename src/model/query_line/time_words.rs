//! Reads time ranges and comparisons: `last 6 months`, `2025-01..2025-03`, `vs previous year`.

use super::lexer::{Spanned, Token};
use super::parse::{Expected, Parser, QueryLineError, Result};
use crate::model::{Comparison, Grain, Period, TimeRange};

impl Parser {
    /// A count (1 where none is written) and the unit it counts.
    pub(super) fn units(&mut self) -> Result<(u32, Grain)> {
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
            Some(grain) if grain.is_sub_day() => Err(QueryLineError::new(
                self.here(),
                format!("time ranges are whole days, not {grain}s"),
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

    pub(super) fn take_period(&mut self) -> Option<Period> {
        let Some(Token::Word(word)) = self.peek() else {
            return None;
        };
        let period = Period::parse(word)?;
        self.at += 1;
        Some(period)
    }

    pub(super) fn period(&mut self) -> Result<Period> {
        match self.take_period() {
            Some(period) => Ok(period),
            None => self.fail(
                Expected::Period,
                "a period such as 2025, 2025Q3, 2025-11, 2025-W45 or 2025-11-03",
            ),
        }
    }

    pub(super) fn period_range(&mut self, from: Period) -> Result<(Period, Period)> {
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

    pub(super) fn time(&mut self) -> Result<Option<TimeRange>> {
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
                let at = self.here();
                let (n, grain) = self.units()?;
                if n != 1 {
                    return Err(QueryLineError::new(at, format!("'this' is one {grain}"))
                        .hint(format!("last {n} {grain}s (complete ones) or rolling {n} {grain}s (up to today)")));
                }
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
                    && grain > Grain::Day
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
    pub(super) fn follows(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| {
            matches!(self.tokens.get(self.at + 1 + offset).map(|spanned| &spanned.token),
                Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
        })
    }

    pub(super) fn comparison(&mut self) -> Result<Comparison> {
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
