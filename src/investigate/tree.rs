//! The tree of hypotheses: what was asked, what came of it, and what is to be asked next. It is all the state there is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Finding, Movement, Verdicts};
use crate::model::{CompareOp, Filter, Format};

/// What came of a hypothesis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The numbers speak for it.
    Supports,
    /// The numbers speak against it.
    Refutes,
    /// The numbers do not say.
    #[default]
    Open,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Supports => "supports",
            Self::Refutes => "refutes",
            Self::Open => "open",
        }
    }
}

/// What a node looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// The change itself; its children say what may lie behind it.
    Change,
    /// Whether the metric means the same as it did.
    Definition,
    /// Whether all rows are there.
    Load,
    /// The metric as a product of two others.
    Factors {
        /// How much there is.
        volume: String,
        /// How much of the metric it is each time.
        average: String,
    },
    /// The values of a dimension.
    Dimension(String),
    /// A rule of the project, by name.
    Rule(String),
    /// What a model proposed, as a query line without a time.
    Proposed(String),
}

/// A condition that a node adds to the question's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// The dimension.
    pub dimension: String,
    /// Its value; none is NULL.
    pub value: Option<String>,
}

impl Slice {
    /// As a condition of a query.
    pub fn filter(&self) -> Filter {
        let field = self.dimension.clone();
        match &self.value {
            Some(value) => Filter::Compare {
                field,
                op: CompareOp::Eq,
                value: value.clone(),
            },
            None => Filter::IsNull {
                field,
                negated: false,
            },
        }
    }
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It has not been looked at yet.
    #[default]
    Waiting,
    /// It has been looked at.
    Done,
}

/// A row of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What it is of.
    pub label: String,
    /// Before.
    pub before: Option<f64>,
    /// After.
    pub after: Option<f64>,
    /// What it did to the metric; of the rows of one node they add up to the change.
    pub effect: Option<f64>,
    /// How its numbers are shown.
    pub format: Format,
}

/// A hypothesis with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The hypothesis in words.
    pub hypothesis: String,
    /// What it looks at.
    pub look: Look,
    /// The metric it looks at.
    pub metric: String,
    /// The query line that shows the same.
    pub line: String,
    /// The conditions of its slice.
    pub slice: Vec<Slice>,
    /// How many slices deep it lies.
    pub depth: usize,
    /// Whether it has been looked at.
    pub state: State,
    /// What came of it.
    pub verdict: Verdict,
    /// That in words.
    pub says: String,
    /// The numbers.
    pub rows: Vec<Row>,
    /// The metric through time, the oldest period first, each with its name.
    pub series: Vec<(String, Option<f64>)>,
    /// Where it was written down: `file:line` of a rule, or "proposed by a model".
    pub source: Option<String>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The change, of a node that has one.
    pub movement: Option<Movement>,
    /// What came of all findings, of a change whose children have been looked at.
    pub verdicts: Option<Verdicts>,
    /// One slice deeper.
    pub children: Vec<Node>,
}

impl Node {
    /// A node that waits.
    pub fn new(look: Look, metric: &str, hypothesis: impl Into<String>) -> Self {
        Self {
            hypothesis: hypothesis.into(),
            look,
            metric: metric.to_owned(),
            line: String::new(),
            slice: Vec::new(),
            depth: 0,
            state: State::Waiting,
            verdict: Verdict::Open,
            says: String::new(),
            rows: Vec::new(),
            series: Vec::new(),
            source: None,
            findings: Vec::new(),
            movement: None,
            verdicts: None,
            children: Vec::new(),
        }
    }

    /// The node at a path of children.
    pub fn at(&self, path: &[usize]) -> Option<&Self> {
        let mut node = self;
        for place in path {
            node = node.children.get(*place)?;
        }
        Some(node)
    }

    /// The node at a path of children, to be written.
    pub fn at_mut(&mut self, path: &[usize]) -> Option<&mut Self> {
        let mut node = self;
        for place in path {
            node = node.children.get_mut(*place)?;
        }
        Some(node)
    }

    /// Every node with its path, each before its children.
    pub fn walk(&self) -> Vec<(Vec<usize>, &Self)> {
        let mut found = vec![(Vec::new(), self)];
        let mut at = 0;
        // Children are put right behind their parent, so that the order is that of a tree read from the top.
        while let Some((path, node)) = found.get(at).cloned() {
            let children = node.children.iter().enumerate().map(|(place, child)| {
                let mut path = path.clone();
                path.push(place);
                (path, child)
            });
            let children: Vec<_> = children.collect();
            found.splice(at + 1..at + 1, children);
            at += 1;
        }
        found
    }

    /// The next node to be looked at: the shallowest that waits, the first of these.
    pub fn next(&self, deepest: usize) -> Option<Vec<usize>> {
        let waiting = self.walk().into_iter();
        let waiting =
            waiting.filter(|(_, node)| node.state == State::Waiting && node.depth <= deepest);
        waiting
            .min_by_key(|(_, node)| node.depth)
            .map(|(path, _)| path)
    }

    /// The change whose children have all been looked at and not been judged yet.
    pub fn unjudged(&self) -> Option<Vec<usize>> {
        let is_ready = |node: &Self| {
            node.look == Look::Change
                && node.state == State::Done
                && node.verdicts.is_none()
                && node.movement.is_some()
                && node.children.iter().all(|child| child.state == State::Done)
        };
        let all = self.walk().into_iter();
        let mut ready = all.filter(|(_, node)| is_ready(node));
        ready.next().map(|(path, _)| path)
    }

    /// How many nodes wait.
    pub fn waiting(&self) -> usize {
        let all = self.walk().into_iter();
        all.filter(|(_, node)| node.state == State::Waiting).count()
    }
}

/// How far an investigation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Slices below the question.
    pub depth: usize,
    /// Queries.
    pub queries: usize,
    /// Seconds.
    pub seconds: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            depth: 2,
            queries: 80,
            seconds: 60,
        }
    }
}

/// A cause as people read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NamedCause {
    /// What it is: "outage", "mix shift", "price change", "late load", "definition change", …
    pub cause: String,
    /// In a sentence with its numbers.
    pub text: String,
    /// The query line that shows it.
    pub line: String,
    /// By how much it moved the metric beyond what is usual.
    pub effect: f64,
    /// Its share of the change beyond what is usual; 1 is all of it.
    pub share: f64,
}

/// What to look at next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextStep {
    /// Why.
    pub text: String,
    /// The query line.
    pub line: String,
}

/// An investigation, as far as it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The metric.
    pub metric: String,
    /// Its name for people.
    pub label: String,
    /// How its numbers are shown.
    pub format: Format,
    /// The query line of the question.
    pub line: String,
    /// The earlier period, as people read it.
    pub before: String,
    /// The later period, as people read it.
    pub after: String,
    /// The connection it was asked of.
    pub connection: String,
    /// The answer in one sentence.
    pub answer: String,
    /// The causes, the one to name first; none where nothing stands out.
    pub causes: Vec<NamedCause>,
    /// What to look at next.
    pub next: Vec<NextStep>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// The hypotheses.
    pub tree: Node,
    /// Queries that were run.
    pub queries: usize,
    /// Whether it is at its end; else a budget ran out, or it was cancelled.
    pub is_done: bool,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn node(name: &str, depth: usize, children: Vec<Node>) -> Node {
        Node {
            depth,
            state: State::Done,
            children,
            ..Node::new(Look::Change, name, name)
        }
    }

    #[test]
    fn the_shallowest_that_waits_is_next() {
        let mut tree = node(
            "a",
            0,
            vec![
                node("b", 1, vec![node("c", 2, vec![])]),
                node("d", 1, vec![]),
            ],
        );
        assert_eq!(tree.next(9), None);
        tree.at_mut(&[0, 0]).unwrap().state = State::Waiting;
        tree.at_mut(&[1]).unwrap().state = State::Waiting;
        assert_eq!(tree.next(9), Some(vec![1]));
        tree.at_mut(&[1]).unwrap().state = State::Done;
        assert_eq!((tree.next(9), tree.next(1)), (Some(vec![0, 0]), None));
        let names: Vec<&str> = tree
            .walk()
            .iter()
            .map(|(_, node)| node.metric.as_str())
            .collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert_eq!(tree.walk()[2].0, [0, 0]);
    }
}
