//! Compiled SQL in the style of a dbt model: what it reads stands first, every step says what it is of.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{comment, has_word, replace_word};
use crate::compile::Statement;
use crate::model::{Place, Registry};
use crate::warehouse::Dialect;

/// The SQL of a statement over models; `import` is the SELECT that a model is read by. The last step is called `final`.
pub(super) fn steps(
    registry: &Registry,
    statement: &Statement,
    dialect: Dialect,
    models: &[&str],
    import: &dyn Fn(&str) -> String,
) -> (String, bool) {
    let (mut sql, is_recursive) = body(registry, statement);
    for (from, to) in names(&sql) {
        sql = replace_word(&sql, &from, &to);
    }
    let mut out = String::new();
    for model in models {
        out.push_str(&format!(
            "{} as (\n  {}\n),\n\n",
            dialect.name(model),
            import(model).replace('\n', "\n  ")
        ));
    }
    out.push_str(&sql);
    (out, is_recursive)
}

/// The steps and the last SELECT, each under a comment, and whether one of them reads itself.
fn body(registry: &Registry, statement: &Statement) -> (String, bool) {
    let mut lines: Vec<&str> = statement
        .sql
        .trim_end()
        .trim_end_matches(';')
        .lines()
        .collect();
    // A table has no order.
    if lines
        .last()
        .is_some_and(|line| line.starts_with("ORDER BY "))
    {
        lines.pop();
    }
    let is_recursive = lines
        .first()
        .is_some_and(|line| line.starts_with("WITH RECURSIVE "));
    let has_steps = is_recursive || lines.first().is_some_and(|line| line.starts_with("WITH "));
    let mut blocks: Vec<(String, Vec<&str>, Vec<usize>)> = Vec::new();
    let mut current = match has_steps {
        true => (String::new(), Vec::new(), Vec::new()),
        false => ("final".to_owned(), Vec::new(), Vec::new()),
    };
    for (at, line) in lines.iter().enumerate() {
        let opens = ["WITH RECURSIVE ", "WITH ", "), "]
            .iter()
            .find_map(|start| line.strip_prefix(start));
        let name = opens
            .and_then(|rest| rest.strip_suffix(" AS ("))
            .filter(|_| has_steps);
        if let Some(name) = name.filter(|name| !name.contains(' ')) {
            let done = std::mem::replace(&mut current, (name.to_owned(), Vec::new(), Vec::new()));
            blocks.push(done);
        } else if has_steps && *line == ")" && current.0 != "final" {
            let done =
                std::mem::replace(&mut current, ("final".to_owned(), Vec::new(), Vec::new()));
            blocks.push(done);
        } else {
            current.1.push(line);
            current.2.push(at);
        }
    }
    blocks.push(current);
    let mut steps = Vec::new();
    for (name, lines, at) in blocks.iter().filter(|(name, ..)| !name.is_empty()) {
        let places = at
            .iter()
            .filter_map(|at| statement.lines.get(*at))
            .flatten();
        let mut step = String::new();
        if let Some(origin) = origin(registry, places) {
            step.push_str(&comment(&origin));
        }
        // A text over several lines is not moved.
        let is_text = lines.iter().any(|line| line.matches('\'').count() % 2 == 1);
        let indent = if name == "final" && !is_text {
            "  "
        } else {
            ""
        };
        let lines: Vec<String> = lines.iter().map(|line| format!("{indent}{line}")).collect();
        step.push_str(&format!("{name} AS (\n{}\n)", lines.join("\n")));
        steps.push(step);
    }
    (steps.join(",\n\n"), is_recursive)
}

/// The definitions that a step comes from: `metrics/sales.yaml:3,12,35`.
fn origin<'a>(registry: &Registry, places: impl Iterator<Item = &'a Place>) -> Option<String> {
    let mut lines: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for place in places {
        lines
            .entry(registry.file(*place))
            .or_default()
            .insert(place.line);
    }
    let of = |(file, lines): (&str, BTreeSet<u32>)| {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        format!("{file}:{}", lines.join(","))
    };
    let all: Vec<String> = lines.into_iter().map(of).collect();
    (!all.is_empty()).then(|| format!("From {}", all.join(", ")))
}

/// Names for the compiler's numbered steps: after what they read.
fn names(sql: &str) -> Vec<(String, String)> {
    let mut names: Vec<(String, String)> = Vec::new();
    let mut step: Option<String> = None;
    for line in sql.lines() {
        if let Some(name) = line.strip_suffix(" AS (") {
            step = Some(name.to_owned());
        }
        let number = step.as_ref().and_then(|name| name.strip_prefix("metrex_"));
        let is_numbered = number.is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()));
        let read = line.trim().strip_prefix("FROM ").filter(|_| is_numbered);
        let (Some(read), Some(name)) = (read, &step) else {
            continue;
        };
        let read = read.split(" AS ").last().unwrap_or(read);
        let is_word = read.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let mut to = format!("{read}_grouped");
        let mut n = 2;
        while names.iter().any(|(_, taken)| *taken == to) || has_word(sql, &to) {
            to = format!("{read}_grouped_{n}");
            n += 1;
        }
        if is_word && !read.starts_with("metrex_") && names.iter().all(|(from, _)| from != name) {
            names.push((name.clone(), to));
        }
        step = None;
    }
    if has_word(sql, "metrex_groups") && !has_word(sql, "combined") {
        names.push(("metrex_groups".to_owned(), "combined".to_owned()));
    }
    names
}
