//! Draws a plan as a tree, as a colleague would on a whiteboard.

use std::fmt::{self, Display, Formatter};

use super::periods::Bound;
use super::{Column, Node, Periods, Plan, Scan};
use crate::compile::write::Fragment;

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        draw(&self.0, "", "", f)
    }
}

fn draw(node: &Node, first: &str, rest: &str, f: &mut Formatter<'_>) -> fmt::Result {
    for (index, line) in node.lines().iter().enumerate() {
        let line = one_line(line);
        match index {
            0 => writeln!(f, "{first}{line}")?,
            _ => writeln!(f, "{rest}  {line}")?,
        }
    }
    let inputs = node.inputs();
    let last = inputs.len().saturating_sub(1);
    for (index, (name, input)) in inputs.into_iter().enumerate() {
        let (branch, below) = if index == last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        draw(
            &input,
            &format!("{rest}{branch}{name}"),
            &format!("{rest}{below}"),
            f,
        )?;
    }
    Ok(())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The columns that are more than a column of the relation below.
fn computed(columns: &[Column]) -> impl Iterator<Item = String> {
    let is_more = |column: &&Column| {
        let sql = column.sql.sql.as_str();
        let last = sql.rsplit('.').next().unwrap_or(sql);
        let is_called = |part: &str| part.trim_matches('"') == column.name;
        !is_called(sql) && (sql.contains(['(', ' ']) || !is_called(last))
    };
    let each = columns.iter().filter(is_more);
    each.map(|column| format!("{} = {}", column.name, column.sql.sql))
}

fn names(columns: &[Column]) -> String {
    let each: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    each.join(", ")
}

/// A line, and more below it.
fn block(first: String, rest: impl IntoIterator<Item = String>) -> Vec<String> {
    std::iter::once(first).chain(rest).collect()
}

/// Conditions that all hold, one in a line.
fn conditions<'c>(all: impl IntoIterator<Item = &'c Fragment>) -> impl Iterator<Item = String> {
    let words = std::iter::once("where").chain(std::iter::repeat("and"));
    let pairs = words.zip(all);
    pairs.map(|(word, condition)| format!("{word} {}", condition.sql))
}

impl Scan {
    fn lines(&self) -> Vec<String> {
        let what = match &self.rollup {
            Some(rollup) => format!("sums of {}, kept in the rollup {rollup}", self.dataset),
            None => format!("rows of {}", self.dataset),
        };
        let joins = self.joins.iter().map(|join| join.sql().sql);
        let over = self.over.iter();
        let over = over.map(|over| format!("for each period where {}", over.on().sql));
        block(what, joins.chain(conditions(&self.conditions)).chain(over))
    }
}

impl Node {
    /// What the node does: a line, and one for each part that is long.
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Periods(periods) => vec![format!("every {}", periods.text())],
            Self::Scan(scan) => scan.lines(),
            Self::Calendar(rows) => vec![rows.text.clone()],
            Self::Spread(spread) => {
                vec![format!("for each period where {}", spread.over.on().sql)]
            }
            Self::Filtered(filtered) => conditions(&filtered.conditions).collect(),
            Self::Stack(_) => vec!["one after the other".to_owned()],
            Self::Aggregate(aggregate) => {
                let first = match (aggregate.keys.as_slice(), aggregate.values.as_slice()) {
                    ([], _) => "aggregate all rows together".to_owned(),
                    (keys, []) => format!("distinct {}", names(keys)),
                    (keys, _) => format!("aggregate by {}", names(keys)),
                };
                let values = aggregate.values.iter();
                let values = values.map(|value| format!("{} = {}", value.name, value.sql.sql));
                let having = aggregate.having.iter();
                let having = having.map(|one| format!("having {}", one.sql));
                block(first, computed(&aggregate.keys).chain(values).chain(having))
            }
            Self::Combine(combine) => {
                let keys: Vec<&str> = combine.keys.iter().map(|(name, _)| name.as_str()).collect();
                vec![match keys.as_slice() {
                    [] => "side by side".to_owned(),
                    keys => format!("side by side, on {}", keys.join(", ")),
                }]
            }
            Self::Compute(compute) => {
                let columns: Vec<String> = computed(&compute.columns).collect();
                let having = conditions(&compute.having);
                match columns.as_slice() {
                    [] => block(format!("take {}", names(&compute.columns)), having),
                    [one] => block(format!("compute {one}"), having),
                    _ => block("compute".to_owned(), columns.into_iter().chain(having)),
                }
            }
            Self::With(_) => vec!["with relations of its own".to_owned()],
            Self::Sort(sort) => {
                // Every order is with NULLs last, and needs no word for it.
                let key = |key: &Fragment| key.sql.trim_end_matches(" NULLS LAST").to_owned();
                let order: Vec<String> = sort.order.iter().map(key).collect();
                let mut text = match order.as_slice() {
                    [] => "result".to_owned(),
                    keys => format!("sort by {}", keys.join(", ")),
                };
                if let Some(limit) = sort.limit {
                    text.push_str(&format!(", keep the first {limit}"));
                }
                vec![text]
            }
        }
    }

    /// Adds the rollups that are read; returns whether nothing else is.
    pub(super) fn rollups(&self, names: &mut Vec<String>) -> bool {
        let own = match self {
            Self::Scan(scan) => {
                names.extend(scan.rollup.clone());
                scan.rollup.is_some() && scan.joins.is_empty()
            }
            Self::Calendar(_) => false,
            Self::Periods(periods) => [&periods.first, &periods.last]
                .iter()
                .all(|bound| matches!(bound, Bound::Day(_))),
            _ => true,
        };
        let inputs = self.inputs().into_iter();
        inputs.fold(own, |all, (_, input)| input.rollups(names) && all)
    }

    /// What the node reads, each with the name it has, where it has one.
    fn inputs(&self) -> Vec<(String, Self)> {
        if let Self::With(with) = self {
            let tables = with.tables.iter();
            let tables = tables.map(|(name, node)| (format!("{name}: "), node.clone()));
            return tables
                .chain([(String::new(), with.input.clone())])
                .collect();
        }
        let calendar = |periods: &Periods| Self::Periods(periods.clone());
        let inputs: Vec<Self> = match self {
            Self::Periods(_) | Self::Calendar(_) | Self::With(_) => Vec::new(),
            Self::Scan(scan) => {
                let over = scan.over.iter();
                over.map(|over| calendar(&over.periods)).collect()
            }
            Self::Filtered(filtered) => vec![filtered.input.clone()],
            Self::Stack(inputs) => inputs.clone(),
            Self::Spread(spread) => vec![spread.input.clone(), calendar(&spread.over.periods)],
            Self::Aggregate(aggregate) => vec![aggregate.input.clone()],
            Self::Combine(combine) => {
                let inputs = combine.inputs.iter().cloned();
                let shown = combine.shown.as_ref();
                inputs
                    .chain(shown.map(|shown| calendar(&shown.periods)))
                    .collect()
            }
            Self::Compute(compute) => vec![compute.input.clone()],
            Self::Sort(sort) => vec![sort.input.clone()],
        };
        let unnamed = inputs.into_iter().map(|input| (String::new(), input));
        unnamed.collect()
    }
}

impl Periods {
    fn text(&self) -> String {
        if let Some(name) = &self.of_table {
            return format!("row of {name}");
        }
        let bound = |bound: &Bound, which: &str| match bound {
            Bound::Day(day) => day.to_string(),
            Bound::Data(_) => format!("the {which} in the data"),
        };
        format!(
            "{} from {} to {}",
            self.grain,
            bound(&self.first, "first"),
            bound(&self.last, "last")
        )
    }
}
