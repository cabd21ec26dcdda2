//! `check_alerts`: whether the project's alerts fire, as `metrex watch` checks them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::reply::{MAX_BYTES, fit, milliseconds, rounded, shortened};
use crate::mcp::tool::Tool;
use crate::session::{AlertFinding, AlertOutcome, AlertResult};

/// Most numbers of one alert.
const FINDINGS: usize = 20;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct CheckAlerts {
    /// Names of alerts; all of them otherwise.
    #[serde(default)]
    names: Vec<String>,
}

/// The alerts that were checked.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Checked {
    /// Those that fired first, then those that could not be computed.
    alerts: Vec<AlertLine>,
    /// How many were checked.
    checked: usize,
    /// How many fired.
    fired: usize,
    /// How many could not be computed.
    not_computed: usize,
    /// Whether alerts are missing here.
    truncated: bool,
}

/// An alert that was checked.
#[derive(Debug, Serialize, JsonSchema)]
struct AlertLine {
    /// Name.
    name: String,
    /// quiet; fired; not_enough_history: too few earlier periods to say what is usual; not_computed: the reason says why.
    outcome: String,
    /// info, warning or critical.
    severity: String,
    /// Metric.
    metric: String,
    /// The query that was run, as a query line.
    query: String,
    /// When it fires.
    when: String,
    /// The days that were looked at.
    period: String,
    /// Numbers that were judged.
    judged: usize,
    /// The numbers that made it fire, the farthest off first.
    findings: Vec<FindingLine>,
    /// How many of them there are.
    total_findings: usize,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What a reader must know.
    notes: Vec<String>,
    /// Who is to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// What to do when it fires, in the project's words.
    message: String,
    /// Where it is declared, as file:line.
    declared_at: String,
    /// How long it took, in milliseconds.
    elapsed_ms: u64,
}

/// A number that made an alert fire.
#[derive(Debug, Serialize, JsonSchema)]
struct FindingLine {
    /// The values that it is grouped by, and its period; empty for one number in all.
    of: String,
    /// The number.
    value: f64,
    /// What it is compared with: the number of the earlier period, or the expected one.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<f64>,
    /// The range that would be usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    usual: Option<[f64; 2]>,
    /// All that as one sentence.
    text: String,
}

impl Tool for CheckAlerts {
    const NAME: &'static str = "check_alerts";
    const TITLE: &'static str = "Check the alerts";
    const DESCRIPTION: &'static str = "Checks the project's alerts on the data as it is now: thresholds, changes against an earlier period, and numbers \
        that are unusual for their season. Use it for questions such as \"is anything wrong today\". Each alert that fired says which \
        numbers made it fire and what would be usual; explain_change then finds out why. The alerts are declared in the project's \
        files; describe_metric names those of a metric.";
    type Reply = Checked;

    async fn run(self, call: &Call) -> Result<Checked, ToolError> {
        call.ready().await?;
        let results = call
            .session
            .check_alerts(&self.names, &call.cancel, |_, _| {})
            .await?;
        Ok(Checked::new(results))
    }
}

impl Checked {
    fn new(mut results: Vec<AlertResult>) -> Self {
        let count = |outcome| results.iter().filter(|one| one.outcome == outcome).count();
        let (fired, not_computed) = (count(AlertOutcome::Fired), count(AlertOutcome::NotComputed));
        let checked = results.len();
        results.sort_by_key(|one| match one.outcome {
            AlertOutcome::Fired => 0,
            AlertOutcome::NotComputed => 1,
            AlertOutcome::NotEnoughHistory => 2,
            AlertOutcome::Quiet => 3,
        });
        let mut told = Self {
            alerts: results.into_iter().map(AlertLine::new).collect(),
            checked,
            fired,
            not_computed,
            truncated: false,
        };
        fit(&mut told, MAX_BYTES, |told| {
            let most = told
                .alerts
                .iter_mut()
                .max_by_key(|alert| alert.findings.len());
            match most {
                Some(alert) if alert.findings.len() > 3 => shortened(&mut alert.findings),
                _ => shortened(&mut told.alerts),
            }
        });
        told.truncated = told.alerts.len() < checked;
        told
    }
}

impl AlertLine {
    fn new(result: AlertResult) -> Self {
        let finding = |finding: &AlertFinding| FindingLine {
            of: clean(&finding.of),
            value: rounded(finding.value),
            compared: finding.compared.map(rounded),
            usual: finding
                .usual
                .map(|(low, high)| [rounded(low), rounded(high)]),
            text: clean(&finding.text),
        };
        let outcome = match result.outcome {
            AlertOutcome::Quiet => "quiet",
            AlertOutcome::Fired => "fired",
            AlertOutcome::NotEnoughHistory => "not_enough_history",
            AlertOutcome::NotComputed => "not_computed",
        };
        Self {
            name: result.name,
            outcome: outcome.to_owned(),
            severity: result.severity.word().to_owned(),
            metric: result.metric,
            query: clean(&result.query),
            when: result.when,
            period: result.period,
            judged: result.judged,
            total_findings: result.findings.len(),
            findings: result.findings.iter().take(FINDINGS).map(finding).collect(),
            reason: result.reason.map(|reason| clean(&reason)),
            notes: result.notes.iter().map(|note| clean(note)).collect(),
            owner: result.owner.map(|owner| clean(&owner)),
            message: clean(&result.message),
            declared_at: result.at,
            elapsed_ms: milliseconds(result.elapsed),
        }
    }
}
