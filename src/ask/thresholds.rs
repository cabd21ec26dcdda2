//! "over 1000", "at least 10%", "between 5k and 10k": conditions on metrics, which hold for groups.

use std::ops::Range;

use super::RefusalCode;
use super::draft::{Bounds, Threshold};
use super::reader::{Read, Reader, span};
use super::refusing::refuse;
use super::scan::{Item, Kind};
use super::vocabulary::Keyword;
use super::words::Number;
use crate::model::{CompareOp, FormatKind};

/// A number with everything that belongs to it: "$5k", "1.5 million dollars", "5 percent".
struct Amount {
    number: Number,
    /// What a word of its own multiplies it with.
    scale: Option<f64>,
    /// Whether a sign or word of a currency stands before it.
    sign: bool,
    /// Behind all of it but the currency.
    end: usize,
}

impl Amount {
    fn value(&self) -> Number {
        Number {
            value: self.number.value * self.scale.unwrap_or(1.0),
            ..self.number
        }
    }
}

impl Reader<'_> {
    /// A comparison such as "over", at `at`. Without a number after it, "over" only leads in.
    pub(super) fn threshold(&mut self, at: usize, op: CompareOp) -> Read<usize> {
        let Some(amount) = self.amount(at + 1) else {
            return Ok(at + 1);
        };
        let Some(metric) = self.metric_of(at, amount.end) else {
            return Ok(at + 1);
        };
        if amount.sign && !self.is_own_currency(at + 1, &metric) {
            return Ok(at + 1);
        }
        let literal = self.literal(&metric, amount.value(), at + 1..amount.end)?;
        Ok(self.add_threshold(at, amount.end, metric, Bounds::One(op, literal)))
    }

    /// "1000 or more orders"; the number at `at`, the rest at `link`.
    pub(super) fn at_least(&mut self, at: usize, link: usize, op: CompareOp) -> Read<usize> {
        let (Some(number), Some(metric)) = (self.number_at(at), self.metric_of(at, link + 1))
        else {
            return Ok(at + 1);
        };
        let literal = self.literal(&metric, number, at..at + 1)?;
        Ok(self.add_threshold(at, link + 1, metric, Bounds::One(op, literal)))
    }

    /// "between 5k and 10k", at `at`.
    pub(super) fn between(&mut self, at: usize) -> Read<usize> {
        let Some(mut low) = self.amount(at + 1) else {
            return Ok(at + 1);
        };
        let (Some(Keyword::And), Some(high)) = (self.keyword_at(low.end), self.amount(low.end + 1))
        else {
            return Ok(at + 1);
        };
        let Some(metric) = self.metric_of(at, high.end) else {
            return Ok(at + 1);
        };
        let is_foreign = |sign: bool, at: usize| sign && !self.is_own_currency(at, &metric);
        if is_foreign(low.sign, at + 1) || is_foreign(high.sign, low.end + 1) {
            return Ok(at + 1);
        }
        // "between 2 and 5%", "between 5 and 10 million": what is said once holds for both.
        low.number.percent |= high.number.percent;
        low.scale = low.scale.or(high.scale);
        let range = at..high.end;
        if low.value().value > high.value().value {
            let words = self.text(&span(self.items.get(range.clone()).unwrap_or_default()));
            return Err(self.no_amount(range, format!("'{words}' has the larger number first")));
        }
        let one = self.literal(&metric, low.value(), range.clone())?;
        let other = self.literal(&metric, high.value(), range)?;
        Ok(self.add_threshold(at, high.end, metric, Bounds::Two(one, other)))
    }

    fn add_threshold(&mut self, from: usize, to: usize, metric: String, test: Bounds) -> usize {
        let end = to + usize::from(self.is_own_currency(to, &metric));
        for item in from..end {
            self.take(item);
        }
        let said = self.said(from, end, Threshold { metric, test });
        self.draft.thresholds.push(said);
        end
    }

    /// The number from `at` on, with the words that scale it.
    fn amount(&self, at: usize) -> Option<Amount> {
        let sign = self.number_at(at).is_none();
        let at = at + usize::from(sign);
        let mut number = self.number_at(at)?;
        if self.after_comma(at) {
            return None;
        }
        let word = |at: usize| {
            let item = self.items.get(at).filter(|item| item.named().is_none());
            item.map_or_else(String::new, |item| self.text(&item.range).to_lowercase())
        };
        let mut end = at + 1;
        let scale = match word(end).as_str() {
            "thousand" | "k" => Some(1e3),
            "million" | "millions" | "mio" | "mn" => Some(1e6),
            "billion" | "billions" | "bn" => Some(1e9),
            _ => None,
        };
        end += usize::from(scale.is_some());
        if matches!(word(end).as_str(), "%" | "percent" | "pct") {
            number.percent = true;
            end += 1;
        }
        Some(Amount {
            number,
            scale,
            sign,
            end,
        })
    }

    fn number_at(&self, at: usize) -> Option<Number> {
        match self.items.get(at).map(|item| &item.kind) {
            Some(Kind::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The metric a condition is about: right before it, right after it, the nearest before, or the only one. None where one
    /// stands on either side ("gmv over 100 orders").
    fn metric_of(&self, from: usize, to: usize) -> Option<String> {
        let only = |at: usize| {
            let named = self.items.get(at).and_then(Item::named)?;
            let metrics = &named.names.metrics;
            metrics.first().filter(|_| metrics.len() == 1).cloned()
        };
        let mut before = (0..from).rev();
        let direct = before.clone().find(|&at| {
            !matches!(
                self.keyword_at(at),
                Some(Keyword::Noise | Keyword::Is | Keyword::Our)
            )
        });
        let own = |at: usize| {
            let metrics = self.metrics.iter();
            metrics
                .clone()
                .any(|metric| self.is_own_currency(at, metric))
        };
        let after = self.after_noise(to + usize::from(own(to)));
        let direct = direct.and_then(only);
        let behind = only(after).filter(|_| !self.after_comma(after));
        if direct.is_some() && behind.is_some() && direct != behind {
            return None;
        }
        direct
            .or_else(|| only(after))
            .or_else(|| before.find_map(only))
            .or_else(|| {
                let metric = self.metrics.first().filter(|_| self.metrics.len() == 1);
                metric.cloned()
            })
    }

    /// The number as the metric's values are written: 20% of a share is 0.2. A percent sign on what is no share is refused,
    /// and so is 3 on a share, which would be 300%.
    fn literal(&self, metric: &str, number: Number, items: Range<usize>) -> Read<String> {
        let is_share = self
            .setting
            .registry
            .metric(metric)
            .is_some_and(|metric| metric.format.kind == FormatKind::Percent);
        if number.percent && !is_share {
            return Err(
                self.no_amount(items, format!("{metric} is no share, so it has no percent"))
            );
        }
        if is_share && !number.percent && number.value > 1.0 {
            let plain = decimal(number.value);
            let whole = decimal(number.value * 100.0);
            return Err(self.no_amount(
                items,
                format!("{metric} is a share: {plain} means {whole}%; write {plain}%"),
            ));
        }
        let factor = if number.percent { 100.0 } else { 1.0 };
        Ok(decimal(number.value / factor))
    }

    fn no_amount(&self, items: Range<usize>, message: String) -> Box<super::Understanding> {
        let range = span(self.items.get(items).unwrap_or_default());
        let words = self.text(&range);
        refuse(
            RefusalCode::NotAnswerable,
            message,
            None,
            vec![(words, range)],
        )
    }

    /// Whether the item at `at` is the currency of this metric: "over 1m USD", "more than 500 dollars".
    pub(super) fn is_own_currency(&self, at: usize, metric: &str) -> bool {
        let metric = self.setting.registry.metric(metric);
        let currency = metric
            .filter(|metric| metric.format.kind == FormatKind::Currency)
            .and_then(|metric| metric.format.currency.as_deref());
        let (Some(currency), Some(item)) = (currency, self.items.get(at)) else {
            return false;
        };
        let word = self.text(&item.range).to_lowercase();
        word == currency.to_lowercase() || words_of(currency).contains(&word.as_str())
    }

    /// A currency that stands alone, as in "gmv in dollars": the one that the metrics have says nothing new.
    pub(super) fn currency(&mut self, at: usize) -> bool {
        let is_own = !self.metrics.is_empty()
            && self
                .metrics
                .iter()
                .all(|metric| self.is_own_currency(at, metric));
        let led = at > 0 && self.keyword_at(at - 1) == Some(Keyword::Lead);
        if is_own && led {
            self.take(at);
        }
        is_own && led
    }
}

/// Signs and words of a currency besides its code.
fn words_of(currency: &str) -> &'static [&'static str] {
    match currency {
        "USD" => &["$", "dollar", "dollars"],
        "EUR" => &["€", "euro", "euros"],
        "GBP" => &["£", "pounds"],
        "JPY" => &["¥", "yen"],
        "INR" => &["₹", "rupee", "rupees"],
        _ => &[],
    }
}

/// A number as query lines write it, exact to 12 digits: 0.1, not 0.10000000000000001.
pub(super) fn decimal(value: f64) -> String {
    let text = format!("{value:.12}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
