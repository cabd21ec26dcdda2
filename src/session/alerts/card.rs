//! The alerts of a metric or of the project as they are declared, with what their last check here said.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AlertOutcome, AlertResult};
use crate::model::{Alert, AlertSeverity, MetricQuery};
use crate::session::Session;
use crate::session::whole_file::write_whole;

/// An alert as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertCard {
    /// Its name.
    pub name: String,
    /// How bad it is when it fires.
    pub severity: AlertSeverity,
    /// The query that it looks at.
    pub query: String,
    /// When it fires, as it is written.
    pub when: String,
    /// Who is to know.
    pub owner: Option<String>,
    /// Where it is declared: file and line.
    pub at: String,
    /// How its last check on this connection ended, where that is known.
    pub last: Option<AlertOutcome>,
    /// When that was, as people read it.
    pub checked: Option<String>,
}

impl AlertCard {
    /// All of it in a line.
    pub fn words(&self) -> String {
        let last = match (self.last, &self.checked) {
            (Some(last), Some(at)) => format!("{} on {at}", last.word()),
            _ => "not checked here yet".to_owned(),
        };
        let severity = self.severity.word();
        format!(
            "{}: {} {} ({severity}, {last})",
            self.name, self.query, self.when
        )
    }
}

/// How the alerts of a project are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertSummary {
    /// How many there are.
    pub alerts: usize,
    /// Those whose last check is known.
    pub checked: usize,
    /// Those that fired in it.
    pub fired: usize,
    /// Those that could not be computed in it.
    pub not_computed: usize,
    /// When the latest of these checks was, as people read it.
    pub last: Option<String>,
}

impl AlertSummary {
    /// All of it in a line.
    pub fn words(&self) -> String {
        let noun = if self.alerts == 1 { "alert" } else { "alerts" };
        let Some(last) = &self.last else {
            return format!(
                "{} {noun}, not checked here yet: `metrex watch` checks them",
                self.alerts
            );
        };
        let mut told = vec![match self.fired {
            0 => "none fired".to_owned(),
            fired => format!("{fired} fired"),
        }];
        if self.not_computed > 0 {
            told.push(format!("{} could not be computed", self.not_computed));
        }
        match self.alerts.saturating_sub(self.checked) {
            0 => {}
            unchecked => told.push(format!("{unchecked} not checked yet")),
        }
        format!(
            "{} {noun}, last checked on {last}: {}",
            self.alerts,
            told.join(", ")
        )
    }
}

/// The query of an alert as people would write it: one number needs no words.
fn short(query: &MetricQuery) -> String {
    let mut query = query.clone();
    query.group_by = query.group_by.filter(|groups| !groups.is_empty());
    query.to_string()
}

/// How a check ended. It is of no use for an alert that means something else since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LastCheck {
    at: Timestamp,
    outcome: AlertOutcome,
    query: String,
    when: String,
}

/// The last check of each alert by its name, connection by connection.
type Checks = BTreeMap<String, BTreeMap<String, LastCheck>>;

impl Session {
    /// The alerts on a metric, by its canonical name, in the order of the files.
    pub(in crate::session) fn alert_cards(&self, metric: &str) -> Vec<AlertCard> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let is_on = |alert: &&Alert| {
            let found = registry.metric(alert.metric());
            found.is_some_and(|found| found.name == metric)
        };
        let mut checks = None;
        let alerts = registry.alerts.values().filter(is_on);
        let cards = alerts.map(|alert| {
            let checks = checks.get_or_insert_with(|| self.checks_here());
            let last = self.last_of(alert, checks);
            AlertCard {
                name: alert.name.clone(),
                severity: alert.severity,
                query: self.harmless_line(&short(&alert.query)),
                when: alert.when.to_string(),
                owner: alert.owner.clone(),
                at: registry.at(alert.place),
                last: last.map(|last| last.outcome),
                checked: last.map(|last| self.shown(last.at)),
            }
        });
        cards.collect()
    }

    /// How the alerts of the project are, as far as it is known without checking them.
    pub fn alert_summary(&self) -> AlertSummary {
        let catalog = self.catalog();
        let alerts = &catalog.registry.alerts;
        let checks = self.checks_here();
        let last = alerts
            .values()
            .filter_map(|alert| self.last_of(alert, &checks));
        let last: Vec<&LastCheck> = last.collect();
        let count = |outcome| last.iter().filter(|one| one.outcome == outcome).count();
        AlertSummary {
            alerts: alerts.len(),
            checked: last.len(),
            fired: count(AlertOutcome::Fired),
            not_computed: count(AlertOutcome::NotComputed),
            last: last.iter().map(|one| one.at).max().map(|at| self.shown(at)),
        }
    }

    /// Keeps how checks ended, without their numbers. What cannot be kept is only not known later.
    pub(super) fn keep_checks(&self, results: &[AlertResult]) {
        if results.is_empty() {
            return;
        }
        let catalog = self.catalog();
        let mut checks = self.checks();
        let here = checks.entry(self.connection()).or_default();
        here.retain(|name, _| catalog.registry.alerts.contains_key(name));
        for result in results {
            let Some(alert) = catalog.registry.alerts.get(&result.name) else {
                continue;
            };
            let check = LastCheck {
                at: self.now(),
                outcome: result.outcome,
                query: self.harmless_line(&alert.query.to_string()),
                when: alert.when.to_string(),
            };
            here.insert(result.name.clone(), check);
        }
        let Ok(text) = serde_json::to_string(&checks) else {
            return;
        };
        if let Err(error) = write_whole(&self.place_of_checks(), &text) {
            tracing::warn!(%error, "how the alerts ended is not kept");
        }
    }

    fn last_of<'c>(
        &self,
        alert: &Alert,
        checks: &'c BTreeMap<String, LastCheck>,
    ) -> Option<&'c LastCheck> {
        let last = checks.get(&alert.name)?;
        let is_same = last.when == alert.when.to_string()
            && last.query == self.harmless_line(&alert.query.to_string());
        is_same.then_some(last)
    }

    fn checks_here(&self) -> BTreeMap<String, LastCheck> {
        self.checks().remove(&self.connection()).unwrap_or_default()
    }

    fn checks(&self) -> Checks {
        let text = std::fs::read_to_string(self.place_of_checks());
        // What another version wrote otherwise is as good as nothing.
        let checks = text.ok().and_then(|text| serde_json::from_str(&text).ok());
        checks.unwrap_or_default()
    }

    fn place_of_checks(&self) -> PathBuf {
        self.state().path().join("alerts.json")
    }

    /// A moment in the project's time zone.
    fn shown(&self, at: Timestamp) -> String {
        let zone = &self.catalog().registry.calendar.timezone;
        match at.in_tz(zone) {
            Ok(at) => at.strftime("%F %H:%M").to_string(),
            Err(_) => at.strftime("%F %H:%M UTC").to_string(),
        }
    }
}
