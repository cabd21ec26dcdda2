//! The English in column and table names: plain identifiers, singular and plural, labels.

pub(super) use crate::model::{counted, thousands};
use crate::warehouse::Dialect;

/// Prefixes and suffixes of table names that say how a table was made, not what a row is.
const LAYERS: [&str; 13] = [
    "fct", "fact", "facts", "dim", "dims", "stg", "staging", "mart", "marts", "raw", "tbl",
    "table", "vw",
];

/// Words that keep their form, or change it in their own way: (singular, plural).
const IRREGULAR: [(&str, &str); 14] = [
    ("person", "people"),
    ("child", "children"),
    ("man", "men"),
    ("woman", "women"),
    ("datum", "data"),
    ("series", "series"),
    ("species", "species"),
    ("news", "news"),
    ("staff", "staff"),
    ("movie", "movies"),
    ("cookie", "cookies"),
    ("lens", "lenses"),
    ("bus", "buses"),
    ("goods", "goods"),
];

/// Words written in capitals in labels.
const ACRONYMS: [&str; 24] = [
    "id", "url", "uri", "ip", "api", "sku", "vat", "gmv", "aov", "arr", "mrr", "nps", "usd", "eur",
    "gbp", "crm", "sla", "roi", "ctr", "cpc", "cpm", "utm", "iso", "ean",
];

/// A plain lower-case identifier: `Order ID` and `orderId` become `order_id`. Letters of every script are kept.
pub(super) fn identifier(text: &str) -> String {
    let mut name = String::new();
    let mut previous = ' ';
    let mut chars = text.trim().chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() {
            let hump = c.is_uppercase()
                && (previous.is_lowercase()
                    || previous.is_uppercase()
                        && chars.peek().is_some_and(|next| next.is_lowercase()));
            if hump && !name.ends_with('_') && !name.is_empty() {
                name.push('_');
            }
            name.extend(c.to_lowercase());
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
        previous = c;
    }
    let name = name.trim_end_matches('_').to_owned();
    if name.starts_with(|c: char| c.is_numeric()) {
        format!("c_{name}")
    } else {
        name
    }
}

/// The words of an identifier.
pub(super) fn words(name: &str) -> Vec<&str> {
    name.split('_').filter(|word| !word.is_empty()).collect()
}

/// Whether one of the words of `name` is one of `wanted`.
pub(super) fn has_word(name: &str, wanted: &[&str]) -> bool {
    words(name).iter().any(|word| wanted.contains(word))
}

/// `order_items` -> `order_item`: what one row of a table is.
pub(super) fn singular(name: &str) -> String {
    change_last(name, |word| {
        if let Some((singular, _)) = IRREGULAR
            .iter()
            .find(|(one, many)| *many == word || *one == word)
        {
            return (*singular).to_owned();
        }
        let replaced =
            |ending: &str, by: &str| word.strip_suffix(ending).map(|stem| format!("{stem}{by}"));
        if word.len() > 4 && word.ends_with("ies") {
            return replaced("ies", "y").unwrap_or_default();
        }
        for (ending, by) in [
            ("sses", "ss"),
            ("shes", "sh"),
            ("ches", "ch"),
            ("xes", "x"),
            ("tuses", "tus"),
            ("puses", "pus"),
        ] {
            if let Some(one) = replaced(ending, by) {
                return one;
            }
        }
        let is_plural = word.len() > 2
            && !["ss", "us", "is"]
                .iter()
                .any(|ending| word.ends_with(ending));
        replaced("s", "")
            .filter(|_| is_plural)
            .unwrap_or_else(|| word.to_owned())
    })
}

/// `order_item` -> `order_items`; a plural stays one.
pub(super) fn plural(name: &str) -> String {
    change_last(&singular(name), |word| {
        if let Some((_, plural)) = IRREGULAR.iter().find(|(one, _)| *one == word) {
            return (*plural).to_owned();
        }
        let before = word.chars().rev().nth(1);
        match word.strip_suffix('y') {
            Some(stem) if !before.is_some_and(|c| "aeiou".contains(c)) => format!("{stem}ies"),
            _ if ["s", "x", "ch", "sh"]
                .iter()
                .any(|ending| word.ends_with(ending)) =>
            {
                format!("{word}es")
            }
            _ => format!("{word}s"),
        }
    })
}

fn change_last(name: &str, change: impl FnOnce(&str) -> String) -> String {
    match name.rsplit_once('_') {
        Some((start, last)) if !last.is_empty() => format!("{start}_{}", change(last)),
        _ => change(name),
    }
}

/// What one row of the table `name` is: `fct_orders` -> `order`.
pub(super) fn entity(name: &str) -> String {
    let name = identifier(name);
    let mut parts = words(&name);
    while parts.len() > 1 && parts.first().is_some_and(|word| LAYERS.contains(word)) {
        parts.remove(0);
    }
    while parts.len() > 1 && parts.last().is_some_and(|word| LAYERS.contains(word)) {
        parts.pop();
    }
    singular(&parts.join("_"))
}

/// `is_food_order` -> `Is food order`.
pub(super) fn label(name: &str) -> String {
    let text: Vec<_> = words(name)
        .into_iter()
        .map(|word| {
            if ACRONYMS.contains(&word) {
                word.to_uppercase()
            } else {
                word.to_owned()
            }
        })
        .collect();
    capitalise(&text.join(" "))
}

/// `order_items` -> `order items`, for the middle of a sentence.
pub(super) fn phrase(name: &str) -> String {
    words(name).join(" ")
}

/// The text with its first letter in upper case.
pub(super) fn capitalise(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// A column in an expression of the registry; engines agree on when it needs quotes.
pub(super) fn sql_name(column: &str) -> String {
    Dialect::Sqlite.name(column)
}

/// Whether the registry takes this as the name of a column; others are written as an expression.
pub(super) fn names_a_column(name: &str) -> bool {
    !name.trim().is_empty() && !name.contains(['(', ')', '\'', ';'])
}

/// Whether a column of this name identifies something: `id`, `customer_id`, `order_uuid`, `product_code`.
pub(super) fn is_key_name(name: &str) -> bool {
    matches!(
        words(name).last(),
        Some(&("id" | "uuid" | "guid" | "key" | "pk" | "code" | "sku"))
    )
}

/// A column's name in a sentence: as it is where it reads as one word, else in quotes.
pub(super) fn quoted(name: &str) -> String {
    if name.contains(char::is_whitespace) && !name.contains(" * ") {
        format!("'{name}'")
    } else {
        name.to_owned()
    }
}
