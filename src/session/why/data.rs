//! Causes in the data rather than in the business: rows that are missing, a metric that means something else.

use jiff::ToSpan;
use jiff::civil::Date;

use super::anatomy::Anatomy;
use super::look::MOST_ROWS;
use super::read::conditions;
use super::words::days;
use super::{Investigation, Node, Row, Verdict};
use crate::compile::named_dates;
use crate::govern::fingerprint;
use crate::investigate::{Amount, DayRows, Finding, Form, Kind, Missing, Window, missing};
use crate::model::{Format, Metric};
use crate::session::cell::number_text;
use crate::session::meaning::{Touches, differences};
use crate::session::{Session, SessionError};

/// Weeks before a period that say how many rows a day has.
const WEEKS_BEFORE: i32 = 12;

impl Investigation<'_> {
    /// Days whose rows are missing.
    pub(super) async fn load(&mut self, node: &mut Node) -> Result<(), SessionError> {
        let anatomy = self.anatomy(&node.metric)?;
        let (today, after) = (self.session.today(), self.asked.compared.after);
        let window = Window {
            start: after
                .start
                .saturating_sub(jiff::Span::new().weeks(i64::from(WEEKS_BEFORE))),
            end: today
                .max(after.end)
                .min(after.end.saturating_add(2.weeks())),
        };
        let mut said = Vec::new();
        for (dataset, rows_metric) in &anatomy.datasets {
            let known = self.reader.by_day(&anatomy, rows_metric, window).await?;
            let Some(found) = missing(&known, after, today) else {
                continue;
            };
            let effect = self.effect_of(&anatomy, node, &known, &found).await?;
            let kind = if found.is_last {
                "late load"
            } else {
                "missing days"
            };
            said.push(format!(
                "{}: {} {} {} rows, where {} are usual.",
                dataset,
                days(&found.days),
                if found.days.len() == 1 { "has" } else { "have" },
                number_text(
                    found.rows,
                    &Format {
                        decimals: Some(0),
                        ..Format::default()
                    },
                    false
                ),
                number_text(
                    found.usual,
                    &Format {
                        decimals: Some(0),
                        ..Format::default()
                    },
                    false
                ),
            ));
            node.rows
                .extend(found.days.iter().take(MOST_ROWS).map(|day| {
                    let rows = known.iter().find(|one| one.day == *day);
                    Row {
                        label: format!("rows of {dataset} on {day}"),
                        before: None,
                        after: Some(rows.map_or(0.0, |one| one.rows)),
                        effect: None,
                        format: Format {
                            decimals: Some(0),
                            ..Format::default()
                        },
                    }
                }));
            node.findings.push(Finding {
                kind: Kind::Load,
                dimension: None,
                value: None,
                label: kind.to_owned(),
                effect,
                surprise: 0.0,
                chance: None,
                is_dark: false,
            });
        }
        (node.verdict, node.says) = match said.is_empty() {
            true => (
                Verdict::Refutes,
                "Every day has about the rows that such a day usually has.".to_owned(),
            ),
            false => (Verdict::Supports, said.join(" ")),
        };
        Ok(())
    }

    /// What the missing rows are worth: of a sum, as many more at the average of the other days; of a ratio, how far it is
    /// from what it is without these days.
    async fn effect_of(
        &mut self,
        anatomy: &Anatomy,
        node: &Node,
        known: &[DayRows],
        found: &Missing,
    ) -> Result<f64, SessionError> {
        let after = self.asked.compared.after;
        let Ok(form) = anatomy.form.clone() else {
            return Ok(0.0);
        };
        let conditions = conditions(self.asked.filters(), &node.slice);
        let metrics = anatomy.parts.clone();
        let mut asked = vec![after];
        // Days in a row are asked for together.
        for day in &found.days {
            match asked
                .last_mut()
                .filter(|window| **window != after && window.end == *day)
            {
                Some(window) => window.end = day.tomorrow().unwrap_or(*day),
                None => asked.push(Window {
                    start: *day,
                    end: day.tomorrow().unwrap_or(*day),
                }),
            }
        }
        let mut all = Vec::new();
        for window in asked {
            let values = self
                .reader
                .values(&anatomy.session, &metrics, conditions.clone(), window)
                .await?;
            let number = |at: usize| values.get(at).copied().flatten().unwrap_or(0.0);
            all.push(Amount {
                num: number(0),
                den: number(1),
                rows: number(2),
            });
        }
        let Some((whole, sparse)) = all.split_first() else {
            return Ok(0.0);
        };
        let others = sparse.iter().fold(*whole, |left, one| Amount {
            num: left.num - one.num,
            den: left.den - one.den,
            rows: left.rows - one.rows,
        });
        Ok(match form {
            Form::Sum { .. } => {
                let in_window = known
                    .iter()
                    .filter(|one| after.holds(one.day))
                    .map(|one| one.rows);
                let other_rows = in_window.sum::<f64>() - found.rows;
                let each = if other_rows > 0.0 {
                    others.num / other_rows
                } else {
                    0.0
                };
                -(found.usual - found.rows) * each
            }
            Form::Ratio { .. } => match (form.value(*whole), form.value(others)) {
                (Some(with), Some(without)) => with - without,
                _ => 0.0,
            },
        })
    }

    /// Whether the metric means the same as at the end of the earlier period.
    pub(super) async fn definition(&mut self, node: &mut Node) -> Result<(), SessionError> {
        let compared = self.asked.compared;
        let (session, since) = (self.session.clone(), compared.before.end);
        let then = tokio::task::spawn_blocking(move || session.as_of(since)).await;
        let then = then.map_err(|_| SessionError::interrupted())?;
        let catalog = self.session.catalog();
        let registry = &catalog.registry;
        let Some(metric) = registry.metric(&node.metric) else {
            return Ok(());
        };
        let now = fingerprint(registry, metric);
        match then {
            Ok(Some((commit, old))) => {
                let old_catalog = old.catalog();
                let was = old_catalog.registry.metrics.get(&node.metric);
                match was.map(|was| fingerprint(&old_catalog.registry, was)) {
                    None => {
                        node.verdict = Verdict::Open;
                        node.says =
                            format!("{commit}, the last commit before {since}, does not have it.");
                    }
                    Some(was) if was != now => return self.redefined(node, &commit, &old).await,
                    Some(_) => {
                        node.verdict = Verdict::Refutes;
                        node.says = format!(
                            "It means the same as in {commit}, the last commit before {since}."
                        );
                    }
                }
            }
            Ok(None) => match last_certified(metric, since) {
                Some((on, was)) if was != now => {
                    node.verdict = Verdict::Open;
                    node.says = format!(
                        "What it means has changed since {on} ({was}, now {now}). What that did to the numbers is not known: the project is not in git, and has no earlier text."
                    );
                }
                Some((on, _)) => {
                    node.verdict = Verdict::Refutes;
                    node.says = format!("It means the same as on {on}.");
                }
                None => {
                    let updated = metric
                        .last_updated
                        .filter(|day| compared.before.start < *day && *day < compared.after.end);
                    node.says = match updated {
                        Some(day) => format!(
                            "Its last change is of {day}, between the two periods; no earlier text is known."
                        ),
                        None => "No earlier text of it is known.".to_owned(),
                    };
                }
            },
            Err(error) => node.says = error.message,
        }
        let dates = named_dates(registry, metric)
            .into_iter()
            .filter(|(_, date)| {
                let day = date.parse::<jiff::civil::Date>();
                day.is_ok_and(|day| compared.before.start < day && day < compared.after.end)
            });
        let dates: Vec<(String, String)> = dates.collect();
        if let Some((what, date)) = dates.first() {
            node.verdict = Verdict::Open;
            node.says = format!(
                "By its definition {what} does not have the same rows before and from {date} on, which lies between the two periods. {}",
                node.says
            );
            node.source = registry
                .datasets
                .get(what)
                .map(|dataset| registry.at(dataset.place));
        }
        Ok(())
    }

    /// The earlier number by the definition of then, beside the one by that of now.
    async fn redefined(
        &mut self,
        node: &mut Node,
        commit: &str,
        old: &Session,
    ) -> Result<(), SessionError> {
        let catalog = self.session.catalog();
        let found = differences(&old.catalog().registry, &catalog.registry, &node.metric);
        let found = found
            .into_iter()
            .filter(|one| one.touches == Touches::Numbers);
        let told: Vec<String> = found.map(|one| one.text).collect();
        let metric = [node.metric.clone()];
        let filters = self.asked.filters().cloned();
        let before = self.asked.compared.before;
        let was = self
            .reader
            .values(old, &metric, filters.clone(), before)
            .await?;
        let is = self
            .reader
            .values(self.session, &metric, filters, before)
            .await?;
        let value = |read: &[Option<f64>]| read.first().copied().flatten();
        let format = self.format(&node.metric);
        let (was, is) = (value(&was), value(&is));
        let effect = is.zip(was).map(|(is, was)| is - was);
        node.rows = vec![Row {
            label: "the earlier period, as defined then and now".to_owned(),
            before: was,
            after: is,
            effect,
            format: format.clone(),
        }];
        let number = |value: Option<f64>| {
            value.map_or("nothing".to_owned(), |value| {
                number_text(value, &format, false)
            })
        };
        node.says = format!(
            "Since {commit} its meaning has changed ({}). By the definition of then the earlier period is {}, by that of now {}.",
            told.join("; "),
            number(was),
            number(is)
        );
        node.verdict = Verdict::Supports;
        if let Some(effect) = effect {
            node.findings.push(Finding {
                kind: Kind::Definition,
                dimension: None,
                value: None,
                label: commit.to_owned(),
                effect,
                surprise: 0.0,
                chance: None,
                is_dark: false,
            });
        }
        Ok(())
    }
}

/// The day of the last certification or publication before a day, with the hash of what was meant.
fn last_certified(metric: &Metric, before: Date) -> Option<(Date, String)> {
    let mut steps = metric.history.iter().rev();
    steps.find_map(|step| {
        let on = step.on.filter(|on| *on < before)?;
        Some((on, step.of.clone()?))
    })
}
