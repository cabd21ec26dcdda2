//! A saved query in the text of a file: put in, replaced or taken out, while everything else stays as it was written.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::emit;

/// The key of the section.
const SECTION: &str = "views:";

/// Columns that entries are set in by, where there is none to go by.
const INDENT: usize = 2;

/// The lines of a section, with its entries.
struct Section<'t> {
    lines: Vec<&'t str>,
    /// The line of its key.
    key: usize,
    indent: usize,
    /// The lines of each entry.
    entries: Vec<Range<usize>>,
}

/// The text with the query in it, in the place of one of the same name or else as the last one. Nothing where the
/// saved queries of the file do not stand line by line.
pub fn put(text: &str, name: &str, query: &str, description: &str) -> Option<String> {
    let Some(section) = Section::find(text) else {
        let has_section = text.lines().any(|line| line.starts_with(SECTION));
        let end = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let entry = entry(name, query, description, INDENT).concat();
        return (!has_section).then(|| format!("{text}{end}{SECTION}\n{entry}"));
    };
    let mut new = entry(name, query, description, section.indent);
    let at = match section.entry(name) {
        Some(old) => {
            let lines = section.lines.get(old.clone()).unwrap_or_default();
            // What was remarked on it is kept.
            let head = lines.iter().take(1).filter(|line| is_bare(line));
            let remarks = lines
                .iter()
                .skip(1)
                .filter(|line| line.trim_start().starts_with('#'));
            let rest = new.split_off(1);
            let head: Vec<String> = head.map(ToString::to_string).collect();
            if !head.is_empty() {
                new = head;
            }
            new.extend(remarks.map(ToString::to_string));
            new.extend(rest);
            old
        }
        None => {
            let end = section
                .entries
                .last()
                .map_or(section.key + 1, |last| last.end);
            end..end
        }
    };
    Some(section.with(at, &new.concat()))
}

/// The text without the query. Nothing where there is none of this name line by line.
pub fn take(text: &str, name: &str) -> Option<String> {
    let section = Section::find(text)?;
    let at = section.entry(name)?;
    Some(section.with(at, ""))
}

/// The lines of an entry.
fn entry(name: &str, query: &str, description: &str, indent: usize) -> Vec<String> {
    let mut fields = Map::new();
    if !description.is_empty() {
        fields.insert("description".to_owned(), json!(description));
    }
    fields.insert("query".to_owned(), json!(query));
    let mut content = Map::new();
    content.insert(name.to_owned(), Value::Object(fields));
    let text = emit::document(&content);
    let lines = text.lines();
    lines
        .map(|line| format!("{:indent$}{line}\n", ""))
        .collect()
}

/// Whether a line holds nothing but a key.
fn is_bare(line: &str) -> bool {
    let value = line.split_once(':').map_or("", |(_, value)| value.trim());
    value.is_empty() || value.starts_with('#')
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn is_content(line: &str) -> bool {
    let text = line.trim();
    !text.is_empty() && !text.starts_with('#')
}

impl<'t> Section<'t> {
    fn find(text: &'t str) -> Option<Self> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let is_key = |line: &&str| line.starts_with(SECTION) && is_bare(line);
        let key = lines.iter().position(is_key)?;
        let below = |line: &&&str| !(is_content(line) && indent(line) == 0);
        let end = key + 1 + lines.iter().skip(key + 1).take_while(below).count();
        let inside = || lines.iter().enumerate().take(end).skip(key + 1);
        let first = inside().find(|(_, line)| is_content(line));
        let indent_of_entries = first.map_or(INDENT, |(_, line)| indent(line));
        let is_entry = |line: &str| is_content(line) && indent(line) == indent_of_entries;
        let mut entries: Vec<Range<usize>> = Vec::new();
        for (at, line) in inside() {
            if is_entry(line) {
                entries.push(at..at + 1);
            } else if let Some(last) = entries.last_mut()
                && !line.trim().is_empty()
                && indent(line) > indent_of_entries
            {
                last.end = at + 1;
            }
        }
        Some(Self {
            lines,
            key,
            indent: indent_of_entries,
            entries,
        })
    }

    /// The lines of the entry of a name.
    fn entry(&self, name: &str) -> Option<Range<usize>> {
        let is_named = |entry: &&Range<usize>| {
            let line = self.lines.get(entry.start).copied().unwrap_or_default();
            let key = line.split_once(':').map_or("", |(key, _)| key.trim());
            key.trim_matches(['"', '\'']) == name
        };
        self.entries.iter().find(is_named).cloned()
    }

    /// The whole text with other lines in the place of these.
    fn with(&self, at: Range<usize>, new: &str) -> String {
        let part = |range: Range<usize>| self.lines.get(range).unwrap_or_default().concat();
        let mut before = part(0..at.start);
        if !before.is_empty() && !before.ends_with('\n') {
            before.push('\n');
        }
        before + new + &part(at.end..self.lines.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const FILE: &str = "\
# Saved questions.
views:
  # The Monday one.
  weekly: # keep
    # four numbers
    description: The four numbers.
    query: gmv by week

  board: {query: \"gmv, aov by month\"}
  plain: gmv
# The metrics.
metrics:
  a: {agg: count}
";

    #[test]
    fn a_new_query_goes_to_the_end_of_the_section() {
        let text = put(
            FILE,
            "by_market",
            "gmv by market where channel in (ads, \"x y\")",
            "",
        )
        .unwrap();
        let line = "    query: \"gmv by market where channel in (ads, \\\"x y\\\")\"\n";
        let new = format!("  plain: gmv\n  by_market:\n{line}# The metrics.");
        assert_eq!(text, FILE.replace("  plain: gmv\n# The metrics.", &new));
    }

    #[test]
    fn an_old_one_is_replaced_and_keeps_its_remarks() {
        let text = put(FILE, "weekly", "gmv by day", "By day.").unwrap();
        let old =
            "    # four numbers\n    description: The four numbers.\n    query: gmv by week\n";
        let new = "    # four numbers\n    description: By day.\n    query: gmv by day\n";
        assert_eq!(text, FILE.replace(old, new));
        let text = put(FILE, "plain", "gmv by day", "").unwrap();
        assert_eq!(
            text,
            FILE.replace("  plain: gmv\n", "  plain:\n    query: gmv by day\n")
        );
    }

    #[test]
    fn one_is_taken_out_and_the_rest_stays() {
        let text = take(FILE, "board").unwrap();
        assert_eq!(
            text,
            FILE.replace("  board: {query: \"gmv, aov by month\"}\n", "")
        );
        assert_eq!(take(FILE, "nobody"), None);
    }

    #[test]
    fn a_file_without_the_section_gets_one() {
        assert_eq!(
            put("", "a", "gmv", "").unwrap(),
            "views:\n  a:\n    query: gmv\n"
        );
        assert_eq!(
            put("x: 1", "a", "gmv", "").unwrap(),
            "x: 1\nviews:\n  a:\n    query: gmv\n"
        );
        assert_eq!(
            put("views:\n", "a", "gmv", "").unwrap(),
            "views:\n  a:\n    query: gmv\n"
        );
        // Between brackets, a line more is not put in by lines.
        assert_eq!(put("views: {b: gmv}\n", "a", "gmv", ""), None);
    }
}
