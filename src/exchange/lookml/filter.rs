//! Looker's filter expressions as SQL: `paid,shipped`, `-cancelled`, `>= 10`, `[1, 5)`, `%x%`, `NOT NULL`.

use crate::model::DimensionType;

/// The condition that a filter expression is. `name` is the dimension as SQL has it.
///
/// # Errors
/// It means something else on another day, or has no counterpart.
pub(super) fn condition(name: &str, kind: DimensionType, filter: &str) -> Result<String, String> {
    let filter = filter.trim();
    match kind {
        DimensionType::Boolean => match filter.to_lowercase().as_str() {
            "yes" | "true" => Ok(name.to_owned()),
            "no" | "false" => Ok(format!("NOT {name}")),
            _ => Err(format!("'{filter}' is neither yes nor no")),
        },
        DimensionType::Number => parts(filter, |part| number(name, part)),
        DimensionType::Text => parts(filter, |part| text(name, part)),
        DimensionType::Date | DimensionType::Time => {
            Err(format!("'{filter}' is a filter of times"))
        }
    }
}

/// The alternatives of a filter, of which those that exclude all hold.
fn parts(
    filter: &str,
    part: impl Fn(&str) -> Result<(String, bool), String>,
) -> Result<String, String> {
    let (mut any, mut all) = (Vec::new(), Vec::new());
    for word in split(filter) {
        let (condition, excludes) = part(word.trim())?;
        match excludes {
            true => all.push(condition),
            false => any.push(condition),
        }
    }
    if !any.is_empty() {
        all.insert(
            0,
            match any.as_slice() {
                [one] => one.clone(),
                several => format!("({})", several.join(" OR ")),
            },
        );
    }
    match all.is_empty() {
        true => Err("one of its filters is empty".to_owned()),
        false => Ok(all.join(" AND ")),
    }
}

/// Splits at commas outside of brackets and quotes.
fn split(filter: &str) -> Vec<&str> {
    let (mut depth, mut is_quoted) = (0_i32, false);
    let parts = filter.split(move |c| {
        match c {
            '"' => is_quoted = !is_quoted,
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0 && !is_quoted
    });
    parts.filter(|part| !part.trim().is_empty()).collect()
}

fn text(name: &str, part: &str) -> Result<(String, bool), String> {
    let (part, excludes) = match part.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (part, false),
    };
    let quoted = |text: &str| format!("'{}'", text.trim_matches('"').replace('\'', "''"));
    let text = match (part, excludes) {
        ("NULL", false) => format!("{name} IS NULL"),
        ("NULL", true) => format!("{name} IS NOT NULL"),
        ("EMPTY", false) => format!("({name} IS NULL OR {name} = '')"),
        ("EMPTY", true) => format!("({name} IS NOT NULL AND {name} <> '')"),
        (pattern, false) if pattern.contains('%') => format!("{name} LIKE {}", quoted(pattern)),
        (pattern, true) if pattern.contains('%') => {
            format!("({name} NOT LIKE {} OR {name} IS NULL)", quoted(pattern))
        }
        (value, false) => format!("{name} = {}", quoted(value)),
        (value, true) => format!("({name} <> {} OR {name} IS NULL)", quoted(value)),
    };
    Ok((text, excludes))
}

fn number(name: &str, part: &str) -> Result<(String, bool), String> {
    let lower = part.to_lowercase();
    let (rest, excludes) = match lower.strip_prefix("not ") {
        Some(rest) => (rest.trim(), true),
        None => (lower.as_str(), false),
    };
    let refused = || format!("'{part}' is no filter of a number");
    let plain = |text: &str| {
        let text = text.trim();
        text.parse::<f64>()
            .map(|_| text.to_owned())
            .map_err(|_| refused())
    };
    if rest == "null" {
        let not = if excludes { "NOT " } else { "" };
        return Ok((format!("{name} IS {not}NULL"), excludes));
    }
    let ops = [">=", "<=", "<>", "!=", ">", "<", "="];
    let text = if let Some(op) = ops.iter().find(|op| rest.starts_with(**op)) {
        let value = plain(rest.strip_prefix(op).unwrap_or_default())?;
        let op = if *op == "!=" { "<>" } else { op };
        format!("{name} {op} {value}")
    } else if rest.starts_with(['[', '(']) && rest.ends_with([']', ')']) {
        let inner = rest.get(1..rest.len() - 1).unwrap_or_default();
        let (low, high) = inner.split_once(',').ok_or_else(refused)?;
        let mut ends = Vec::new();
        if !["", "-inf"].contains(&low.trim()) {
            let op = if rest.starts_with('[') { ">=" } else { ">" };
            ends.push(format!("{name} {op} {}", plain(low)?));
        }
        if !["", "inf"].contains(&high.trim()) {
            let op = if rest.ends_with(']') { "<=" } else { "<" };
            ends.push(format!("{name} {op} {}", plain(high)?));
        }
        match ends.is_empty() {
            true => return Err(refused()),
            false => format!("({})", ends.join(" AND ")),
        }
    } else if let Some((low, high)) = rest.split_once(" to ") {
        format!("({name} >= {} AND {name} <= {})", plain(low)?, plain(high)?)
    } else {
        format!("{name} = {}", plain(rest)?)
    };
    Ok(match excludes {
        true => (format!("NOT ({text})"), true),
        false => (text, false),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn filters_as_sql() {
        use DimensionType::{Boolean, Number, Text, Time};
        for (kind, filter, sql) in [
            (Text, "a,b c", "(x = 'a' OR x = 'b c')"),
            (Text, "-a", "(x <> 'a' OR x IS NULL)"),
            (
                Text,
                "%o%,-foo",
                "x LIKE '%o%' AND (x <> 'foo' OR x IS NULL)",
            ),
            (Text, "-NULL", "x IS NOT NULL"),
            (Text, "it's", "x = 'it''s'"),
            (Number, ">= 5", "x >= 5"),
            (Number, "1, 2", "(x = 1 OR x = 2)"),
            (Number, "[1, 5)", "(x >= 1 AND x < 5)"),
            (Number, "(,5]", "(x <= 5)"),
            (Number, "NOT 3", "NOT (x = 3)"),
            (Number, "NOT NULL", "x IS NOT NULL"),
            (Number, "1 to 3", "(x >= 1 AND x <= 3)"),
            (Boolean, "yes", "x"),
            (Boolean, "No", "NOT x"),
        ] {
            assert_eq!(condition("x", kind, filter).unwrap(), sql, "{filter}");
        }
        for (kind, filter) in [
            (Number, "many"),
            (Time, "7 days"),
            (Boolean, "maybe"),
            (Text, ""),
        ] {
            assert!(condition("x", kind, filter).is_err(), "{filter}");
        }
    }
}
