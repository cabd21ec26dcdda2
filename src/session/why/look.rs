//! Looks at one hypothesis: asks its query line and writes down what came of it.

use std::collections::BTreeMap;

use super::anatomy::Anatomy;
use super::question::label;
use super::read::conditions;
use super::words::moved;
use super::{Investigation, Look, Node, Row, State, Why};
use crate::investigate::{
    Amount, Finding, Form, Movement, Pair, Segment, Slice, Window, of_dimension, of_whole, parts,
};
use crate::model::{DateRange, Format};
use crate::session::SessionError;
use crate::session::cell::number_text;

/// Rows of evidence that are shown; the others are added up.
pub(super) const MOST_ROWS: usize = 12;

/// A dimension with more values than this is not tested.
const MOST_SEGMENTS: usize = 200;

/// Values whose rows cannot be put into the periods' history.
const FEW_PERIODS: usize = 6;

impl Investigation<'_> {
    /// Looks at the node at a path.
    pub(super) async fn look(&mut self, why: &mut Why, path: &[usize]) -> Result<(), SessionError> {
        let Some(mut node) = why.tree.at(path).cloned() else {
            return Ok(());
        };
        match node.look.clone() {
            Look::Change => self.change(&mut node, why).await?,
            Look::Definition => self.definition(&mut node).await?,
            Look::Load => self.load(&mut node).await?,
            Look::Factors { volume, average } => self.factors(&mut node, volume, average).await?,
            Look::Dimension(name) => self.dimension(&mut node, &name).await?,
            Look::Rule(name) => self.rule(&mut node, &name, why).await?,
            Look::Proposed(line) => self.described(&mut node, &line).await?,
        }
        node.state = State::Done;
        if let Some(place) = why.tree.at_mut(path) {
            *place = node;
        }
        Ok(())
    }

    pub(super) fn format(&self, metric: &str) -> Format {
        let catalog = self.session.catalog();
        let found = catalog.registry.metric(metric);
        found
            .map(|metric| metric.format.clone())
            .unwrap_or_default()
    }

    /// The change itself: how large, how usual; and what may lie behind it.
    async fn change(&mut self, node: &mut Node, why: &mut Why) -> Result<(), SessionError> {
        let anatomy = self.anatomy(&node.metric)?;
        let query = self
            .asked
            .query_of(std::slice::from_ref(&node.metric), None, &node.slice);
        let beside = self.reader.side_by_side(self.session, &query).await?;
        let shown = beside.first().and_then(|row| row.numbers.first().copied());
        let format = self.format(&node.metric);
        let Some((Some(before), Some(after))) = shown else {
            let there = |value: Option<f64>| {
                value.map_or("no value".to_owned(), |value| {
                    number_text(value, &format, false)
                })
            };
            let (before, after) = shown.unwrap_or_default();
            node.says = format!(
                "There is nothing to take apart: {} before, {} after.",
                there(before),
                there(after)
            );
            return Ok(());
        };
        let conditions = conditions(self.asked.filters(), &node.slice);
        let mut whole = None;
        let mut form = anatomy.form.clone();
        if anatomy.is_snapshot && !self.asked.history.is_one_period(self.week_start()) {
            form = Err("each period shows one snapshot; ask for one whole period".to_owned());
        }
        if let Ok(form_of) = form {
            let all = self
                .reader
                .amounts(&anatomy, None, conditions.clone(), &self.asked.history)
                .await?;
            let pairs = all
                .into_iter()
                .next()
                .map(|segment| segment.pairs)
                .unwrap_or_default();
            let same = pairs.first().is_some_and(|pair| {
                let is_same = |amount: Amount, shown: f64| {
                    let value = form_of.value(amount);
                    value.is_some_and(|value| (value - shown).abs() <= 1e-6 * shown.abs().max(1e-6))
                };
                is_same(pair.before, before) && is_same(pair.after, after)
            });
            match same {
                true => whole = of_whole(form_of, &pairs).map(|found| (found, pairs)),
                false => form = Err("its parts do not give its value".to_owned()),
            }
        }
        match whole {
            Some(((movement, findings), pairs)) => {
                node.movement = Some(movement);
                node.findings = findings;
                let form = anatomy.form.clone().ok();
                let values = pairs.iter().map(|pair| {
                    // Without rows nothing is known of a period, not even that it is zero.
                    let form = form.filter(|_| pair.after.rows > 0.0)?;
                    form.value(pair.after)
                });
                node.series = self.series(values);
            }
            None => {
                let values = self
                    .by_itself(&anatomy, &node.metric, conditions, (before, after))
                    .await?;
                let known = values
                    .iter()
                    .filter_map(|(before, after)| before.zip(*after));
                node.movement = Movement::of(&known.collect::<Vec<_>>(), true, 0.0);
                node.series = self.series(values.iter().map(|(_, after)| *after));
                if let Err(why_not) = &form {
                    why.notes.push(format!(
                        "{} cannot be added up over segments ({why_not}): their numbers stand side by side, and none is named a cause by its share.",
                        node.metric
                    ));
                }
            }
        }
        node.rows = vec![Row {
            label: self.metric_label(&node.metric),
            before: Some(before),
            after: Some(after),
            effect: Some(after - before),
            format: format.clone(),
        }];
        node.says = node
            .movement
            .map_or_else(String::new, |movement| moved(&movement, &format));
        node.children = self.hypotheses(node, &anatomy, why);
        Ok(())
    }

    /// The values of a metric that adds up to nothing, in the periods of the history: by its periods in one query, else each of
    /// a few by itself.
    async fn by_itself(
        &mut self,
        anatomy: &Anatomy,
        metric: &str,
        conditions: Option<crate::model::Filter>,
        now: (f64, f64),
    ) -> Result<Vec<(Option<f64>, Option<f64>)>, SessionError> {
        let mut values = vec![(Some(now.0), Some(now.1))];
        let history = self.asked.history.clone();
        if history.is_one_period(self.week_start()) {
            let known = self
                .reader
                .by_period(&anatomy.session, metric, conditions, &history)
                .await?;
            let value = |window: Window| known.get(&window.start).copied();
            let earlier = history.pairs.iter().skip(1);
            values.extend(earlier.map(|pair| (value(pair.before), value(pair.after))));
            return Ok(values);
        }
        let metric = [metric.to_owned()];
        let mut known: BTreeMap<(jiff::civil::Date, jiff::civil::Date), Option<f64>> =
            BTreeMap::new();
        for pair in history.shortened(FEW_PERIODS).pairs.iter().skip(1) {
            let (mut before, mut after) = (None, None);
            for (place, window) in [(&mut before, pair.before), (&mut after, pair.after)] {
                let key = (window.start, window.end);
                let value = match known.get(&key) {
                    Some(value) => *value,
                    None => {
                        let session = &anatomy.session;
                        let filters = conditions.clone();
                        let read = self
                            .reader
                            .values(session, &metric, filters, window)
                            .await?;
                        read.first().copied().flatten()
                    }
                };
                known.insert(key, value);
                *place = value;
            }
            values.push((before, after));
        }
        Ok(values)
    }

    /// What may lie behind a change.
    fn hypotheses(&self, node: &Node, anatomy: &Anatomy, why: &mut Why) -> Vec<Node> {
        let catalog = self.session.catalog();
        let registry = &catalog.registry;
        let metric = &node.metric;
        let name = label(registry, metric).to_owned();
        let line = |metric: &str, group: Option<&str>| self.asked.line(metric, group, &node.slice);
        let child = |look: Look, words: String, line: String| Node {
            line,
            slice: node.slice.clone(),
            depth: node.depth,
            ..Node::new(look, metric, words)
        };
        let mut found = Vec::new();
        if node.depth == 0 {
            let words = format!("{name} means something else than it did.");
            found.push(child(Look::Definition, words, line(metric, None)));
            let words = "Rows are missing: a load is late, or days were left out.".to_owned();
            found.push(child(Look::Load, words, line(metric, None)));
        }
        for (volume, average) in &anatomy.factors {
            let words = format!(
                "{} or {} has moved, of which it is the product.",
                label(registry, volume),
                label(registry, average)
            );
            let both = [volume.clone(), average.clone()];
            let line = self.asked.query_of(&both, None, &node.slice).to_string();
            let look = Look::Factors {
                volume: volume.clone(),
                average: average.clone(),
            };
            found.push(child(look, words, line));
        }
        found.extend(self.rules_of(node, why));
        let (dimensions, wide) = anatomy.dimensions();
        let is_free = |name: &str| node.slice.iter().all(|slice| slice.dimension != name);
        for choice in dimensions.iter().filter(|choice| is_free(&choice.name)) {
            let words = format!("It is one {}, or the mix of them.", choice.name);
            let look = Look::Dimension(choice.name.clone());
            found.push(child(look, words, line(metric, Some(&choice.name))));
        }
        if node.depth == 0 && !wide.is_empty() {
            why.notes.push(format!(
                "Not looked at, having too many values: {}.",
                wide.join(", ")
            ));
        }
        found
    }

    /// The values of a dimension.
    async fn dimension(&mut self, node: &mut Node, name: &str) -> Result<(), SessionError> {
        let anatomy = self.anatomy(&node.metric)?;
        let format = self.format(&node.metric);
        let can_add_up =
            !anatomy.is_snapshot || self.asked.history.is_one_period(self.week_start());
        let Some(form) = anatomy.form.clone().ok().filter(|_| can_add_up) else {
            return self.beside(node, name, format).await;
        };
        let conditions = conditions(self.asked.filters(), &node.slice);
        let segments = self
            .reader
            .amounts(&anatomy, Some(name), conditions, &self.asked.history)
            .await?;
        let now: Vec<Pair> = segments
            .iter()
            .filter_map(|one| one.pairs.first().copied())
            .collect();
        let Some(effects) = parts(form, &now) else {
            node.says = "there is nothing to divide by".to_owned();
            return Ok(());
        };
        match segments.len() > MOST_SEGMENTS {
            // Of so many, the few that chance moves most would be looked at in place of causes.
            true => node.says = format!("It has {} values, too many to be tested.", segments.len()),
            false => node.findings = of_dimension(form, name, &segments),
        }
        node.rows = evidence(form, &segments, &effects, &format);
        Ok(())
    }

    /// The values of a dimension side by side, of a metric that does not add up.
    async fn beside(
        &mut self,
        node: &mut Node,
        name: &str,
        format: Format,
    ) -> Result<(), SessionError> {
        let metric = std::slice::from_ref(&node.metric);
        let query = self.asked.query_of(metric, Some(name), &node.slice);
        let mut rows = self.reader.side_by_side(self.session, &query).await?;
        let change = |row: &super::read::Beside| {
            let (before, after) = row.numbers.first().copied().unwrap_or_default();
            (after.unwrap_or(0.0) - before.unwrap_or(0.0)).abs()
        };
        rows.sort_by(|one, other| change(other).total_cmp(&change(one)));
        node.rows = rows
            .iter()
            .take(MOST_ROWS)
            .map(|row| {
                let (before, after) = row.numbers.first().copied().unwrap_or_default();
                Row {
                    label: row.label.clone(),
                    before,
                    after,
                    effect: None,
                    format: format.clone(),
                }
            })
            .collect();
        node.says = "Side by side; they do not add up.".to_owned();
        Ok(())
    }

    /// Two metrics whose product this one is.
    async fn factors(
        &mut self,
        node: &mut Node,
        volume: String,
        average: String,
    ) -> Result<(), SessionError> {
        let both = [volume.clone(), average.clone()];
        let query = self.asked.query_of(&both, None, &node.slice);
        let beside = self.reader.side_by_side(self.session, &query).await?;
        let numbers = beside
            .into_iter()
            .next()
            .map(|row| row.numbers)
            .unwrap_or_default();
        let [(Some(v0), Some(v1)), (Some(p0), Some(p1))] = numbers.as_slice() else {
            node.says = "one of them has no value".to_owned();
            return Ok(());
        };
        let (of_volume, of_average) = crate::investigate::product((*v0, *v1), (*p0, *p1));
        let row = |metric: &String, before: f64, after: f64, effect: f64| Row {
            label: self.metric_label(metric),
            before: Some(before),
            after: Some(after),
            effect: Some(effect),
            format: self.format(metric),
        };
        node.rows = vec![
            row(&volume, *v0, *v1, of_volume),
            row(&average, *p0, *p1, of_average),
        ];
        let own = self.format(&node.metric);
        node.says = format!(
            "{} did {}, {} did {}.",
            self.metric_label(&volume),
            number_text(of_volume, &own, true),
            self.metric_label(&average),
            number_text(of_average, &own, true)
        );
        Ok(())
    }

    fn week_start(&self) -> crate::model::Weekday {
        self.session.catalog().registry.calendar.week_start
    }

    pub(super) fn metric_label(&self, metric: &str) -> String {
        label(&self.session.catalog().registry, metric).to_owned()
    }

    /// Values of the periods of the history, the oldest first.
    fn series(&self, values: impl Iterator<Item = Option<f64>>) -> Vec<(String, Option<f64>)> {
        let history = &self.asked.history;
        // A part of a year is no year.
        let is_one_period = history.is_one_period(self.week_start());
        let names = history.pairs.iter().map(|pair| match is_one_period {
            true => pair.after.start.to_string(),
            false => DateRange::from(pair.after).to_string(),
        });
        let mut series: Vec<_> = names.zip(values).collect();
        series.reverse();
        series
    }
}

/// The values of a dimension with what each did, the largest first; the rest together, so that they add up.
fn evidence(form: Form, segments: &[Segment], effects: &[f64], format: &Format) -> Vec<Row> {
    let mut all: Vec<(&Segment, f64)> = segments.iter().zip(effects.iter().copied()).collect();
    all.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    let rest = all.split_off(all.len().min(MOST_ROWS));
    let row = |label: String, pair: Pair, effect: f64| Row {
        label,
        before: form.value(pair.before),
        after: form.value(pair.after),
        effect: Some(effect),
        format: format.clone(),
    };
    let mut rows: Vec<Row> = all
        .iter()
        .filter_map(|(segment, effect)| {
            Some(row(segment.label.clone(), *segment.pairs.first()?, *effect))
        })
        .collect();
    if !rest.is_empty() {
        let pairs: Vec<Pair> = rest
            .iter()
            .filter_map(|(segment, _)| segment.pairs.first().copied())
            .collect();
        let effect = rest.iter().map(|(_, effect)| effect).sum();
        rows.push(row(
            format!("{} others", rest.len()),
            crate::investigate::whole(&pairs),
            effect,
        ));
    }
    rows
}

/// A slice deeper: the value of a finding.
pub(super) fn deeper(slice: &[Slice], finding: &Finding) -> Option<Vec<Slice>> {
    let further = Slice {
        dimension: finding.dimension.clone()?,
        value: finding.value.clone()?,
    };
    Some(slice.iter().cloned().chain([further]).collect())
}
