//! Numbers of four digits: the year of "in 2025", and no year in "orders over 2000".

use super::scan::Scanner;
use super::vocabulary::{KEYWORDS, Keyword};
use super::words::is_usual_year;

/// What numbers of four digits in a time are.
pub(super) enum Years {
    Meant,
    Numbers,
    /// Neither is certain, and why.
    Unsure(String),
}

impl Scanner<'_, '_> {
    /// Whether the numbers of four digits in a time are years: in "orders over 2000" and "markets with 2000 orders" they
    /// are not.
    pub(super) fn years_or_numbers(&self, start: usize, texts: &[&str]) -> Years {
        let is_bare = |text: &&&str| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        let bare: Vec<&str> = texts.iter().filter(is_bare).copied().collect();
        let today = self.setting.today;
        let odd = bare.iter().find(|year| {
            let year = year.parse();
            !year.is_ok_and(|year| is_usual_year(year, today))
        });
        let keyword = |words: &[&str]| KEYWORDS.get(words.join(" ").as_str()).copied();
        let last = texts.len().saturating_sub(1);
        let (leading, number) = texts.split_at(last);
        let ends_bare = bare.len() == 1 && number == bare;
        let before = |count: usize| -> Option<Keyword> {
            let words = self.words.get(start.checked_sub(count)?..start)?;
            let words: Vec<&str> = words.iter().map(|word| word.folded.as_str()).collect();
            keyword(&words)
        };
        if ends_bare && matches!(keyword(leading), Some(Keyword::Than(_))) {
            let year = number.concat();
            if leading == ["up", "to"] && odd.is_none() {
                let reason = format!(
                    "'up to {year}' may be a year or a number: say 'until {year}' or 'at most {year}'"
                );
                return Years::Unsure(reason);
            }
            return Years::Numbers;
        }
        if ends_bare && leading.is_empty() {
            let compared = (1..=3).any(|count| matches!(before(count), Some(Keyword::Than(_))));
            let equal = self.words.get(start.wrapping_sub(1)).is_some_and(|word| {
                ["=", "==", "equal", "equals", "exactly"].contains(&word.folded.as_str())
            });
            let or_more = {
                let words = self.words.get(start + 1..start + 3).unwrap_or_default();
                let words: Vec<&str> = words.iter().map(|word| word.folded.as_str()).collect();
                matches!(keyword(&words), Some(Keyword::OrThan(_)))
            };
            let had = !self.comparing && before(1) == Some(Keyword::With);
            if compared || equal || or_more || had {
                return Years::Numbers;
            }
        }
        if texts.first() == Some(&"between") && bare.len() == 2 && texts.len() == 4 {
            let from = start.saturating_sub(4);
            let words = self.words.get(from..start).unwrap_or_default();
            let has = words
                .iter()
                .any(|word| KEYWORDS.get(word.folded.as_str()) == Some(&Keyword::With));
            if has || odd.is_some() {
                return Years::Numbers;
            }
        }
        match odd {
            Some(year) => Years::Unsure(format!(
                "there is no data of a year '{year}'; for a condition, say 'over {year}'"
            )),
            None => Years::Meant,
        }
    }
}
