//! Draws a plan as a tree, as a colleague would on a whiteboard.

use std::fmt::{self, Display, Formatter};

use super::periods::Bound;
use super::{Column, Node, Periods};

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        draw(self, "", "", f)
    }
}

fn draw(node: &Node, first: &str, rest: &str, f: &mut Formatter<'_>) -> fmt::Result {
    for (index, line) in node.lines().iter().enumerate() {
        writeln!(
            f,
            "{}{}",
            if index == 0 { first } else { rest },
            one_line(line)
        )?;
    }
    let inputs = node.inputs();
    let last = inputs.len().saturating_sub(1);
    for (index, input) in inputs.into_iter().enumerate() {
        let (branch, below) = if index == last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        draw(
            &input,
            &format!("{rest}{branch}"),
            &format!("{rest}{below}"),
            f,
        )?;
    }
    Ok(())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn named(columns: &[Column]) -> String {
    let each = columns.iter().map(|column| {
        if column.sql.sql == column.name {
            column.name.clone()
        } else {
            format!("{} = {}", column.name, column.sql.sql)
        }
    });
    each.collect::<Vec<_>>().join(", ")
}

fn names(columns: &[Column]) -> String {
    let each: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    each.join(", ")
}

impl Node {
    /// What the node does: a line, and one for each part that is long.
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Periods(periods) => vec![format!("every {}", periods.text())],
            Self::Scan(scan) => {
                let mut lines = vec![format!("rows of {}", scan.dataset)];
                lines.extend(
                    scan.joins
                        .iter()
                        .map(|join| format!("  {}", join.sql().sql)),
                );
                lines.extend(
                    scan.conditions
                        .iter()
                        .map(|one| format!("  where {}", one.sql)),
                );
                if let Some(over) = &scan.over {
                    lines.push(format!("  for each period where {}", over.on().sql));
                }
                lines
            }
            Self::Spread(spread) => {
                vec![format!("for each period where {}", spread.over.on().sql)]
            }
            Self::Filtered(filtered) => {
                let conditions = filtered.conditions.iter();
                let all: Vec<&str> = conditions.map(|one| one.sql.as_str()).collect();
                vec![format!("where {}", all.join(" and "))]
            }
            Self::Stack(_) => vec!["one after the other".to_owned()],
            Self::Aggregate(aggregate) => {
                let keys = match aggregate.keys.as_slice() {
                    [] => "all rows together".to_owned(),
                    keys => format!("by {}", names(keys)),
                };
                let mut lines = vec![format!("aggregate {keys}")];
                lines.extend(
                    aggregate
                        .values
                        .iter()
                        .map(|value| format!("  {} = {}", value.name, value.sql.sql)),
                );
                lines.extend(
                    aggregate
                        .having
                        .iter()
                        .map(|one| format!("  having {}", one.sql)),
                );
                lines
            }
            Self::Combine(combine) => {
                let keys: Vec<&str> = combine.keys.iter().map(|(name, _)| name.as_str()).collect();
                vec![match keys.as_slice() {
                    [] => "side by side".to_owned(),
                    keys => format!("side by side, on {}", keys.join(", ")),
                }]
            }
            Self::Compute(compute) => {
                let mut lines = vec![format!("compute {}", named(&compute.columns))];
                lines.extend(
                    compute
                        .having
                        .iter()
                        .map(|one| format!("  where {}", one.sql)),
                );
                lines
            }
            Self::With(with) => {
                let names = with.tables.iter().map(|(name, _)| name.as_str());
                vec![format!("with {}", names.collect::<Vec<_>>().join(", "))]
            }
            Self::Sort(sort) => {
                let order: Vec<&str> = sort.order.iter().map(|key| key.sql.as_str()).collect();
                let mut text = match order.as_slice() {
                    [] => "result".to_owned(),
                    keys => format!("sort by {}", keys.join(", ")),
                };
                if let Some(limit) = sort.limit {
                    text.push_str(&format!(", the first {limit}"));
                }
                vec![text]
            }
        }
    }

    /// What the node reads.
    fn inputs(&self) -> Vec<Self> {
        let calendar = |periods: &Option<Periods>| periods.clone().map(Self::Periods);
        match self {
            Self::Periods(_) => Vec::new(),
            Self::Scan(scan) => {
                let over = scan.over.as_ref();
                over.map(|over| Self::Periods(over.periods.clone()))
                    .into_iter()
                    .collect()
            }
            Self::Filtered(filtered) => vec![filtered.input.clone()],
            Self::Stack(inputs) => inputs.clone(),
            Self::Spread(spread) => {
                let periods = Self::Periods(spread.over.periods.clone());
                vec![spread.input.clone(), periods]
            }
            Self::Aggregate(aggregate) => vec![aggregate.input.clone()],
            Self::Combine(combine) => {
                let inputs = combine.inputs.iter().cloned();
                inputs.chain(calendar(&combine.periods)).collect()
            }
            Self::Compute(compute) => vec![compute.input.clone()],
            Self::Sort(sort) => vec![sort.input.clone()],
            Self::With(with) => {
                let tables = with.tables.iter().map(|(_, node)| node.clone());
                tables.chain([with.input.clone()]).collect()
            }
        }
    }
}

impl Periods {
    fn text(&self) -> String {
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
