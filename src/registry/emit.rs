//! Values as YAML that a person would write: short maps on one line, everything else in blocks.

use serde_json::{Map, Value};

/// Longest line that a map or list is put on.
const WIDEST: usize = 110;

/// A map as a YAML document.
pub(crate) fn document(fields: &Map<String, Value>) -> String {
    let mut out = String::new();
    block(&mut out, 0, fields);
    out
}

fn block(out: &mut String, indent: usize, fields: &Map<String, Value>) {
    for (key, value) in fields {
        let before = format!("{:indent$}{}:", "", name(key));
        out.push_str(&before);
        match value {
            Value::Object(inner) if !fits(before.len(), value) || indent == 0 => {
                out.push('\n');
                block(out, indent + 2, inner);
            }
            Value::Array(items) if !fits(before.len(), value) => {
                out.push('\n');
                list(out, indent + 2, items);
            }
            Value::String(text) if is_block(text) => {
                out.push_str(if text.ends_with('\n') {
                    " |\n"
                } else {
                    " |-\n"
                });
                for line in text.lines() {
                    out.push_str(&format!("{:1$}{line}\n", "", indent + 2));
                }
            }
            value => out.push_str(&format!(" {}\n", flow(value))),
        }
    }
}

/// The items of a list, one below the other.
pub(crate) fn list(out: &mut String, indent: usize, items: &[Value]) {
    for item in items {
        match item {
            Value::Object(fields) if !fits(indent + 2, item) => {
                // The first key stands beside the dash.
                let mut inner = String::new();
                block(&mut inner, indent + 2, fields);
                out.push_str(&format!("{:indent$}- {}", "", inner.trim_start()));
            }
            item => out.push_str(&format!("{:indent$}- {}\n", "", flow(item))),
        }
    }
}

/// Whether a text can stand in lines of its own and come back as it was.
fn is_block(text: &str) -> bool {
    let lines = text.strip_suffix('\n').unwrap_or(text);
    let is_odd = |c: char| c.is_control() && c != '\n';
    lines.contains('\n')
        && !lines.ends_with('\n')
        && !lines.starts_with([' ', '\n'])
        && !lines.contains(is_odd)
}

/// Whether a value is short enough for one line. A text of several lines never is.
fn fits(before: usize, value: &Value) -> bool {
    fn is_plain(value: &Value) -> bool {
        match value {
            Value::String(text) => !is_block(text),
            Value::Array(items) => items.iter().all(is_plain),
            Value::Object(fields) => fields.values().all(is_plain),
            _ => true,
        }
    }
    is_plain(value) && before + 1 + flow(value).chars().count() <= WIDEST
}

/// A value on one line.
pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", name(key), flow(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// A key; `on` is one of ours.
pub(super) fn name(key: &str) -> String {
    if key == "on" {
        key.to_owned()
    } else {
        scalar(key)
    }
}

/// A text, in quotes where YAML would read something else.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_length = text.split_once(' ').is_some_and(|(count, unit)| {
        count.chars().all(|c| c.is_ascii_digit())
            && unit.chars().all(|c| c.is_alphabetic() || c == '_')
    });
    let is_plain = is_length
        || text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && !text.ends_with(' ')
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || "_ ./*+()-<=>;".contains(c))
            && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}
