//! The rules of the project: when a metric moves, another one is looked at, and what that one does is for or against it.

use super::look::deeper;
use super::read::conditions;
use super::{Investigation, Look, Node, Row, Verdict, Why};
use crate::investigate::{Amount, Finding, Form, Movement, Pair, Segment, judge, of_dimension};
use crate::model::{GroupBy, Hypothesis, MetricQuery, Moves};
use crate::session::SessionError;
use crate::session::cell::number_text;

/// A single hypothesis that was written down before the numbers were known needs no correction for many tests: its chance
/// may be this.
const UNLIKELY: f64 = 0.05;

/// A movement as likely as this is none.
const LIKELY: f64 = 0.2;

impl Investigation<'_> {
    /// The rules that explain such a movement of a metric, and are not in the tree yet.
    pub(super) fn rules_of(&self, node: &Node, why: &Why) -> Vec<Node> {
        let catalog = self.session.catalog();
        let change = node.movement.map_or(0.0, |movement| movement.change());
        let rules =
            catalog.registry.hypotheses.values().filter(|rule| {
                rule.metric.as_ref() == Some(&node.metric) && rule.when.fits(change)
            });
        rules
            .filter_map(|rule| self.of_rule(rule, node, why))
            .collect()
    }

    fn of_rule(&self, rule: &Hypothesis, parent: &Node, why: &Why) -> Option<Node> {
        let look = Look::Rule(rule.name.clone());
        let is_there = why
            .tree
            .walk()
            .iter()
            .any(|(_, node)| node.look == look && node.slice == parent.slice);
        let metric = rule.look_at.metrics.first()?;
        let catalog = self.session.catalog();
        let metric = catalog.registry.metric(metric)?.name.clone();
        (!is_there).then(|| Node {
            line: self.query_of_rule(&rule.look_at, parent).to_string(),
            slice: parent.slice.clone(),
            depth: parent.depth,
            source: Some(catalog.registry.at(rule.place)),
            ..Node::new(look, &metric, rule.because.clone())
        })
    }

    /// What a rule looks at, in the two periods and the slice of a node.
    pub(super) fn query_of_rule(&self, look_at: &MetricQuery, node: &Node) -> MetricQuery {
        let group = look_at
            .group_by
            .iter()
            .flatten()
            .find_map(GroupBy::dimension);
        let mut query = self.asked.query_of(&look_at.metrics, group, &node.slice);
        query.filters = match (query.filters.take(), look_at.filters.clone()) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        };
        query
    }

    /// Looks at what a rule says.
    pub(super) async fn rule(
        &mut self,
        node: &mut Node,
        name: &str,
        why: &Why,
    ) -> Result<(), SessionError> {
        let catalog = self.session.catalog();
        let Some(rule) = catalog.registry.hypotheses.get(name) else {
            node.says = "The rule is defined no more.".to_owned();
            return Ok(());
        };
        let found = self.tested(node, &rule.look_at, rule.expect).await?;
        if node.verdict == Verdict::Refutes {
            return Ok(());
        }
        // What follows is looked at where it stands out.
        let slice = found.and_then(|finding| deeper(&node.slice, &finding));
        let place = Node {
            slice: slice.unwrap_or_else(|| node.slice.clone()),
            depth: node.depth + 1,
            ..Node::new(Look::Change, &node.metric, "")
        };
        let next = rule
            .then
            .iter()
            .filter_map(|name| catalog.registry.hypotheses.get(name));
        node.children = next
            .filter_map(|rule| self.of_rule(rule, &place, why))
            .collect();
        Ok(())
    }

    /// Looks at a query line that a model proposed.
    pub(super) async fn described(
        &mut self,
        node: &mut Node,
        line: &str,
    ) -> Result<(), SessionError> {
        let query: MetricQuery = line.parse().map_err(SessionError::from)?;
        self.tested(node, &query, Moves::Moves).await.map(drop)
    }

    /// Tests whether a metric moved, or a value of its dimension unlike the others, as it is expected to.
    async fn tested(
        &mut self,
        node: &mut Node,
        look_at: &MetricQuery,
        expect: Moves,
    ) -> Result<Option<Finding>, SessionError> {
        let query = self.query_of_rule(look_at, node);
        self.session.refuse_personal(&query)?;
        let format = self.format(&node.metric);
        let group = look_at
            .group_by
            .iter()
            .flatten()
            .find_map(GroupBy::dimension)
            .map(str::to_owned);
        let week_start = self.session.catalog().registry.calendar.week_start;
        let history = self.asked.history.clone();
        let anatomy = self.anatomy(&node.metric)?;
        let filters = conditions(query.filters.as_ref(), &[]);
        let can_add_up = !anatomy.is_snapshot || history.is_one_period(week_start);
        let adds_up = anatomy.form.clone().ok().filter(|_| can_add_up);
        let segments = match adds_up {
            Some(_) => {
                self.reader
                    .amounts(&anatomy, group.as_deref(), filters, &history)
                    .await?
            }
            None if history.is_one_period(week_start) => {
                self.reader
                    .plain(
                        self.session,
                        &node.metric,
                        group.as_deref(),
                        filters,
                        &history,
                    )
                    .await?
            }
            None => {
                let rows = self.reader.side_by_side(self.session, &query).await?;
                rows.into_iter()
                    .map(|row| {
                        let (before, after) = row.numbers.first().copied().unwrap_or_default();
                        let amount = |value: Option<f64>| Amount {
                            num: value.unwrap_or(0.0),
                            den: 1.0,
                            rows: value.unwrap_or(0.0),
                        };
                        Segment {
                            value: None,
                            label: row.label,
                            pairs: vec![Pair {
                                before: amount(before),
                                after: amount(after),
                            }],
                        }
                    })
                    .collect()
            }
        };
        // What does not add up is compared value by value, each against the movement of the others.
        let form = adds_up.unwrap_or(Form::Sum { has_price: false });
        let mut shown: Vec<&Segment> = segments.iter().collect();
        let change = |segment: &Segment| {
            let pair = segment.pairs.first().copied().unwrap_or_default();
            (form.value(pair.after).unwrap_or(0.0) - form.value(pair.before).unwrap_or(0.0)).abs()
        };
        shown.sort_by(|one, other| change(other).total_cmp(&change(one)));
        node.rows = shown
            .into_iter()
            .take(super::look::MOST_ROWS)
            .map(|segment| {
                let pair = segment.pairs.first().copied().unwrap_or_default();
                Row {
                    label: match group {
                        Some(_) => segment.label.clone(),
                        None => self.metric_label(&node.metric),
                    },
                    before: form.value(pair.before),
                    after: form.value(pair.after),
                    effect: None,
                    format: format.clone(),
                }
            })
            .collect();
        let Some(whole) = together(&segments).and_then(|pairs| {
            let values: Vec<(f64, f64)> = pairs
                .iter()
                .filter_map(|pair| Some((form.value(pair.before)?, form.value(pair.after)?)))
                .collect();
            Movement::of(&values, matches!(form, Form::Sum { .. }), 0.0)
        }) else {
            node.says = "There are no numbers.".to_owned();
            return Ok(None);
        };
        node.movement = Some(whole);
        node.findings = match &group {
            Some(name) => of_dimension(form, name, &segments),
            None => Vec::new(),
        };
        let verdicts = judge(&whole, &node.findings);
        let fits = |one: &&Finding| one.dimension.is_some() && expect.fits(one.effect);
        let mut causes = verdicts.causes.iter().map(|cause| &cause.finding);
        let cause = causes.find(fits).cloned();
        // Where none stands out of all of them, what follows is looked at where chance alone would lead least often.
        let lead = match &cause {
            Some(_) => None,
            None => likeliest(&node.findings, expect),
        };
        let change = whole.change();
        let said = format!(
            "{} went from {} to {}",
            self.metric_label(&node.metric),
            number_text(whole.before, &format, false),
            number_text(whole.after, &format, false)
        );
        let led = lead.as_ref().map_or_else(String::new, |lead| {
            format!(
                "; of its values {} moved most unlike the others",
                place_of(lead)
            )
        });
        (node.verdict, node.says) = match (&cause, whole.chance) {
            (Some(cause), _) => (
                Verdict::Supports,
                format!("{said}; {} stands out.", place_of(cause)),
            ),
            (None, Some(chance)) if chance < UNLIKELY && expect.fits(change) => {
                (Verdict::Supports, format!("{said}, which is unusual{led}."))
            }
            (None, Some(chance)) if chance < UNLIKELY => (
                Verdict::Refutes,
                format!(
                    "{said}: it {} where it should have done otherwise.",
                    if change > 0.0 { "rose" } else { "fell" }
                ),
            ),
            (None, _) if lead.is_some() => {
                (Verdict::Open, format!("{said}{led}, which may be chance."))
            }
            (None, Some(chance)) if chance > LIKELY => {
                (Verdict::Refutes, format!("{said}, as it usually does."))
            }
            _ => (Verdict::Open, format!("{said}; that may be chance.")),
        };
        Ok(cause.or(lead))
    }
}

/// The segment that moved as is expected, and as chance alone would least often; none where that is nothing unusual.
fn likeliest(findings: &[Finding], expect: Moves) -> Option<Finding> {
    let segments = findings.iter().filter_map(|one| {
        let chance = one.chance.filter(|chance| *chance < UNLIKELY)?;
        (one.value.is_some() && expect.fits(one.effect)).then_some((chance, one))
    });
    let least = segments.min_by(|one, other| one.0.total_cmp(&other.0));
    least.map(|(_, finding)| finding.clone())
}

/// All segments together, period by period.
fn together(segments: &[Segment]) -> Option<Vec<Pair>> {
    let periods = segments.first()?.pairs.len();
    let at = |period: usize| {
        let pairs: Vec<Pair> = segments
            .iter()
            .filter_map(|one| one.pairs.get(period).copied())
            .collect();
        crate::investigate::whole(&pairs)
    };
    let all = (0..periods).map(at);
    let has_rows = |pair: &Pair| pair.before.rows != 0.0 && pair.after.rows != 0.0;
    Some(
        all.enumerate()
            .filter(|(period, pair)| *period == 0 || has_rows(pair))
            .map(|(_, pair)| pair)
            .collect(),
    )
}

fn place_of(finding: &Finding) -> String {
    let dimension = finding.dimension.as_deref().unwrap_or_default();
    match finding.value {
        Some(_) => format!("{dimension} {}", finding.label),
        None => format!("the mix by {dimension}"),
    }
}
