//! Formats of numbers as spreadsheets write them (`$#,##0.00`, `0.0%`), which LookML and Lightdash take.

use crate::model::{Format, FormatKind};

const SYMBOLS: [(&str, &str); 4] = [("$", "USD"), ("€", "EUR"), ("£", "GBP"), ("¥", "JPY")];

/// The code of a format; none where it says nothing that a code can.
pub(in crate::exchange) fn code(format: &Format) -> Option<String> {
    let digits = |default: u8| match format.decimals.unwrap_or(default) {
        0 => String::new(),
        n => format!(".{}", "0".repeat(n.into())),
    };
    match format.kind {
        FormatKind::Percent => Some(format!("0{}%", digits(1))),
        FormatKind::Currency => {
            let currency = format.currency.as_deref().unwrap_or("USD");
            let symbol = SYMBOLS.iter().find(|(_, known)| *known == currency);
            let before = match symbol {
                Some(("$", _)) => "$".to_owned(),
                Some((symbol, _)) => format!("\"{symbol}\""),
                None => format!("\"{currency} \""),
            };
            Some(format!("{before}#,##0{}", digits(2)))
        }
        FormatKind::Number if format.decimals.is_some() => Some(format!("#,##0{}", digits(0))),
        _ => None,
    }
}

/// The format of a code; none where it says more than a format can.
pub(in crate::exchange) fn of_code(code: &str) -> Option<Format> {
    let mut format = Format::default();
    let digits_at = code.find(['0', '#'])?;
    let (before, rest) = code.split_at(digits_at);
    let before = before.trim();
    let word = before
        .strip_prefix("[$")
        .and_then(|word| word.strip_suffix(']'))
        .unwrap_or(before)
        .trim_matches(['"', ' ']);
    if !word.is_empty() {
        let symbol = SYMBOLS.iter().find(|(symbol, _)| *symbol == word);
        let is_code = word.len() == 3 && word.chars().all(|c| c.is_ascii_uppercase());
        format.kind = FormatKind::Currency;
        format.currency = match symbol {
            Some((_, code)) => Some((*code).to_owned()),
            None if is_code => Some(word.to_owned()),
            None => return None,
        };
    }
    let number = match rest.strip_suffix('%') {
        Some(number) if word.is_empty() => {
            format.kind = FormatKind::Percent;
            number
        }
        Some(_) => return None,
        None => rest,
    };
    let (whole, digits) = number.split_once('.').unwrap_or((number, ""));
    if !["0", "#,##0", "#,###", "#,#00"].contains(&whole) || digits.chars().any(|c| c != '0') {
        return None;
    }
    format.decimals = Some(u8::try_from(digits.len()).ok()?);
    Some(format)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn codes_and_back() {
        for text in [
            "0.0%",
            "0%",
            "$#,##0",
            "\"€\"#,##0.00",
            "\"IDR \"#,##0",
            "#,##0.000",
        ] {
            assert_eq!(code(&of_code(text).unwrap()).unwrap(), text);
        }
        assert_eq!(
            of_code("[$£]#,##0.0").unwrap().currency.as_deref(),
            Some("GBP")
        );
        for text in [
            "",
            "#,##0.00;(#,##0.00)",
            "0.0,,\"M\"",
            "yyyy-mm-dd",
            "0.##",
        ] {
            assert!(of_code(text).is_none(), "{text}");
        }
    }
}
