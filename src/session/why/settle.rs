//! Judges a change when all that may lie behind it has been looked at: verdicts, causes, and one slice deeper.

use super::look::deeper;
use super::words::{name, sentence};
use super::{Investigation, Look, NamedCause, NextStep, Node, Row, State, Verdict, Why};
use crate::investigate::{Cause, Finding, Form, Kind, Verdicts, judge};

/// Causes that are told.
const MOST_CAUSES: usize = 5;

impl Investigation<'_> {
    /// Judges the change at a path.
    pub(super) fn settle(&mut self, why: &mut Why, path: &[usize]) {
        let told = why.tree.at_mut(path).and_then(one_of_each);
        why.notes.extend(told);
        let Some(node) = why.tree.at(path) else {
            return;
        };
        let verdicts = judged(node);
        let causes = self.named(node, &verdicts);
        let answer = self.answer(node, &verdicts, &causes);
        let further = self.further(node, &verdicts);
        let Some(node) = why.tree.at_mut(path) else {
            return;
        };
        for child in &mut node.children {
            say(child, &verdicts);
        }
        node.verdict = match (verdicts.causes.is_empty(), verdicts.is_unusual) {
            (false, _) | (_, true) => Verdict::Supports,
            _ if node
                .movement
                .is_some_and(|movement| movement.chance.is_some()) =>
            {
                Verdict::Refutes
            }
            _ => Verdict::Open,
        };
        node.verdicts = Some(verdicts);
        let next = self.next(&causes, further.as_ref().map(|(_, node)| node));
        if let Some((place, further)) = further {
            match place.and_then(|place| node.children.get_mut(place)) {
                Some(child) => child.children.push(further),
                None => node.children.push(further),
            }
        }
        if path.is_empty() {
            why.answer = answer;
            why.causes = causes;
            why.next = next;
        } else {
            let says = std::mem::take(&mut node.says);
            node.says = format!("{says} {answer}");
            for step in next {
                if !why.next.contains(&step) {
                    why.next.push(step);
                }
            }
        }
    }

    /// What can be said of a change when a budget ran out before all of it was looked at.
    pub(super) fn settle_early(&self, why: &mut Why) {
        if why.tree.verdicts.is_some() || why.tree.movement.is_none() {
            return;
        }
        let verdicts = judged(&why.tree);
        let causes = self.named(&why.tree, &verdicts);
        why.answer = format!("So far: {}", self.answer(&why.tree, &verdicts, &causes));
        why.causes = causes;
    }

    fn form(&self, metric: &str) -> Option<Form> {
        self.anatomies.get(metric)?.form.clone().ok()
    }

    /// The causes as people read them.
    fn named(&self, node: &Node, verdicts: &Verdicts) -> Vec<NamedCause> {
        let is_sum = matches!(self.form(&node.metric), Some(Form::Sum { .. }) | None);
        let format = self.format(&node.metric);
        let product = self
            .anatomies
            .get(&node.metric)
            .and_then(|anatomy| anatomy.product.clone());
        let own = self.metric_label(&node.metric);
        let (volume, average) = match &product {
            Some((volume, average)) => (self.metric_label(volume), self.metric_label(average)),
            None if is_sum => (
                "How many rows there are of it".to_owned(),
                "The average of a row".to_owned(),
            ),
            None => (own.clone(), own),
        };
        let cause = |cause: &Cause| {
            let finding = &cause.finding;
            let found = behind(node, finding);
            let line = match (finding.kind, &product, found) {
                (Kind::Rate, Some((_, average)), _) => self.asked.line(average, None, &node.slice),
                (Kind::Volume, Some((volume, _)), _) => self.asked.line(volume, None, &node.slice),
                (_, _, Some(found)) => found.line.clone(),
                _ => node.line.clone(),
            };
            NamedCause {
                cause: name(finding, is_sum).to_owned(),
                text: sentence(cause, found, &format, (&volume, &average)),
                line,
                effect: finding.effect,
                share: cause.share,
            }
        };
        verdicts
            .causes
            .iter()
            .take(MOST_CAUSES)
            .map(cause)
            .collect()
    }

    /// The answer in a sentence or two.
    fn answer(&self, node: &Node, verdicts: &Verdicts, causes: &[NamedCause]) -> String {
        if let Some(first) = causes.first() {
            let mut name = first.cause.clone();
            if let Some(letter) = name.get_mut(..1) {
                letter.make_ascii_uppercase();
            }
            return format!("{name}: {}", first.text);
        }
        let Some(movement) = &node.movement else {
            return node.says.clone();
        };
        let tested = verdicts.tested;
        match (verdicts.is_unusual, movement.chance) {
            (true, _) => format!(
                "No clear cause: the change is unusual, but of {tested} findings none explains enough of it."
            ),
            (_, Some(_)) => format!(
                "No clear cause: the change is within the usual variation, and of {tested} findings none stands out."
            ),
            (_, None) => "No clear cause: there is too little history to tell a cause from chance."
                .to_owned(),
        }
    }

    /// What to look at one slice deeper: the segment that was named first, or the factor. With the place of the child it
    /// belongs under.
    fn further(&self, node: &Node, verdicts: &Verdicts) -> Option<(Option<usize>, Node)> {
        let finding = &verdicts.causes.first()?.finding;
        let product = self
            .anatomies
            .get(&node.metric)
            .and_then(|anatomy| anatomy.product.clone());
        let label = |metric: &str| self.metric_label(metric);
        let (metric, slice, words) = match (finding.kind, product) {
            (Kind::Segment, _) if !finding.is_dark => {
                let slice = deeper(&node.slice, finding)?;
                let dimension = finding.dimension.as_deref().unwrap_or_default();
                let words = format!(
                    "In {dimension} {}, {} has moved.",
                    finding.label,
                    label(&node.metric)
                );
                (node.metric.clone(), slice, words)
            }
            (Kind::Rate | Kind::Mix, Some((_, average))) => {
                let words = format!("{} has moved.", label(&average));
                (average, node.slice.clone(), words)
            }
            (Kind::Volume, Some((volume, _))) => {
                let words = format!("{} has moved.", label(&volume));
                (volume, node.slice.clone(), words)
            }
            _ => return None,
        };
        let place = node.children.iter().position(|child| match &child.look {
            Look::Dimension(name) => {
                finding.kind == Kind::Segment && finding.dimension.as_ref() == Some(name)
            }
            Look::Factors { average, volume } => {
                finding.kind != Kind::Segment && (*average == metric || *volume == metric)
            }
            _ => false,
        });
        Some((
            place,
            Node {
                line: self.asked.line(&metric, None, &slice),
                slice,
                depth: node.depth + 1,
                ..Node::new(Look::Change, &metric, words)
            },
        ))
    }

    /// What to look at next: the first cause by itself, and what lies one slice deeper.
    fn next(&self, causes: &[NamedCause], further: Option<&Node>) -> Vec<NextStep> {
        let first = causes.first().map(|cause| NextStep {
            text: format!("The numbers of the {}", cause.cause),
            line: cause.line.clone(),
        });
        let deeper = further.map(|node| NextStep {
            text: node.hypothesis.clone(),
            line: node.line.clone(),
        });
        let mut steps: Vec<NextStep> = first.into_iter().chain(deeper).collect();
        steps.dedup_by(|one, other| one.line == other.line);
        steps
    }
}

/// Leaves out dimensions that split the metric as another one does, by another way to the same column: the same finding would
/// be told, and counted, several times. Returns what is said of it.
fn one_of_each(node: &mut Node) -> Option<String> {
    let mut known: Vec<(String, Vec<Row>)> = Vec::new();
    let mut alike: Vec<String> = Vec::new();
    node.children.retain(|child| {
        let Look::Dimension(name) = &child.look else {
            return true;
        };
        let mut rows = child.rows.clone();
        rows.sort_by(|one, other| one.label.cmp(&other.label));
        match known
            .iter()
            .find(|(_, known)| !rows.is_empty() && *known == rows)
        {
            Some((other, _)) => {
                alike.push(format!("{name} splits it as {other} does"));
                false
            }
            None => {
                known.push((name.clone(), rows));
                true
            }
        }
    });
    (!alike.is_empty()).then(|| alike.join(", "))
}

/// All findings about a change, judged together.
fn judged(node: &Node) -> Verdicts {
    let Some(movement) = &node.movement else {
        return Verdicts::default();
    };
    let below = node.children.iter().filter(|child| is_about(node, child));
    let below = below.flat_map(|child| &child.findings);
    let findings: Vec<Finding> = node.findings.iter().chain(below).cloned().collect();
    judge(movement, &findings)
}

/// Whether a child's findings are about the same change; those of rules are about other metrics.
fn is_about(node: &Node, child: &Node) -> bool {
    child.metric == node.metric
        && matches!(
            child.look,
            Look::Definition | Look::Load | Look::Dimension(_)
        )
}

/// The child that a finding is of.
fn behind<'n>(node: &'n Node, finding: &Finding) -> Option<&'n Node> {
    node.children
        .iter()
        .find(|child| match (&child.look, finding.kind) {
            (Look::Dimension(name), Kind::Segment | Kind::Mix) => {
                is_about(node, child) && finding.dimension.as_ref() == Some(name)
            }
            (Look::Definition, Kind::Definition) | (Look::Load, Kind::Load) => true,
            _ => false,
        })
}

/// Says of a child what came of it.
fn say(child: &mut Node, verdicts: &Verdicts) {
    if child.state != State::Done {
        return;
    }
    match &child.look {
        Look::Dimension(name) => {
            let of_it = |cause: &&Cause| {
                matches!(cause.finding.kind, Kind::Segment | Kind::Mix)
                    && cause.finding.dimension.as_ref() == Some(name)
            };
            let causes: Vec<&Cause> = verdicts.causes.iter().filter(of_it).collect();
            let told: Vec<String> = causes
                .iter()
                .map(|cause| match cause.finding.kind {
                    Kind::Mix => "the mix shifted".to_owned(),
                    _ if cause.finding.is_dark => {
                        format!("{} went to next to nothing", cause.finding.label)
                    }
                    _ => format!("{} stands out", cause.finding.label),
                })
                .collect();
            let is_tested = child
                .findings
                .iter()
                .any(|finding| finding.chance.is_some());
            if !told.is_empty() {
                child.verdict = Verdict::Supports;
                child.says = format!("{}.", told.join(", "));
            } else if is_tested {
                child.verdict = Verdict::Refutes;
                child.says = "All moved about alike, as far as they usually do.".to_owned();
            } else if child.says.is_empty() {
                child.says = "There are too few rows, or too little history, to say.".to_owned();
            }
        }
        Look::Factors { .. } => {
            let is_cause =
                |cause: &Cause| matches!(cause.finding.kind, Kind::Rate | Kind::Volume | Kind::Mix);
            child.verdict = match verdicts.causes.first() {
                Some(first) if is_cause(first) => Verdict::Supports,
                _ => Verdict::Open,
            };
        }
        _ => {}
    }
}
