//! The checks of review: what must pass before a metric is certified.

use tokio_util::sync::CancellationToken;

use super::super::{RunOptions, Session, SessionError};
use crate::model::{GroupBy, MetricQuery, ReviewCheck, ReviewRules};
use crate::registry::Severity;

/// How a check of a metric came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOutcome {
    /// The check.
    pub check: ReviewCheck,
    /// What was looked at, in a few words.
    pub looked_at: String,
    /// What is wrong; nothing where it passes.
    pub problems: Vec<String>,
}

impl CheckOutcome {
    /// Whether nothing is wrong.
    pub fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Session {
    /// The rules of review of the project.
    pub fn review_rules(&self) -> ReviewRules {
        self.project().config.review.clone().unwrap_or_default()
    }

    /// Runs the checks that the project wants of a metric, on the definitions of this session and the connection in use.
    ///
    /// # Errors
    /// It was cancelled, or the connection fails.
    pub async fn review_checks(
        &self,
        metric: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<CheckOutcome>, SessionError> {
        let mut outcomes = Vec::new();
        for check in self.review_rules().checks {
            outcomes.push(match check {
                ReviewCheck::Tests => self.check_tests(metric, cancel).await?,
                ReviewCheck::Live => self.check_runs(metric, cancel).await?,
                ReviewCheck::Governance => self.check_governance(metric),
            });
        }
        Ok(outcomes)
    }

    async fn check_tests(
        &self,
        metric: &str,
        cancel: &CancellationToken,
    ) -> Result<CheckOutcome, SessionError> {
        let results = self.test(&[metric.to_owned()], cancel, |_, _| {}).await?;
        let failed = results.iter().filter(|result| !result.passed());
        let problems: Vec<String> = failed
            .map(|result| format!("{}: {}", result.title, result.reasons().join("; ")))
            .collect();
        Ok(CheckOutcome {
            check: ReviewCheck::Tests,
            looked_at: match (results.len(), problems.len()) {
                (0, _) => "it has none".to_owned(),
                (1, 0) => "1 passes".to_owned(),
                (count, 0) => format!("{count} pass"),
                (count, failed) => format!("{failed} of {count} do not pass"),
            },
            problems,
        })
    }

    /// Whether it runs: its total, which every engine answers with one row.
    async fn check_runs(
        &self,
        metric: &str,
        cancel: &CancellationToken,
    ) -> Result<CheckOutcome, SessionError> {
        let query = MetricQuery {
            metrics: vec![metric.to_owned()],
            group_by: Some(Vec::<GroupBy>::new()),
            ..MetricQuery::default()
        };
        let answer = self
            .answer(&query, RunOptions::default(), cancel.clone())
            .await;
        let problems = match answer {
            Ok(_) => Vec::new(),
            Err(error) if error.exit_code() == 1 => vec![error.message],
            Err(error) => return Err(error),
        };
        Ok(CheckOutcome {
            check: ReviewCheck::Live,
            looked_at: match problems.is_empty() {
                true => format!("runs on {}", self.connection()),
                false => format!("does not run on {}", self.connection()),
            },
            problems,
        })
    }

    /// Whether its SQL keeps to the rules of the project.
    fn check_governance(&self, metric: &str) -> CheckOutcome {
        let mut outcome = CheckOutcome {
            check: ReviewCheck::Governance,
            looked_at: String::new(),
            problems: Vec::new(),
        };
        match self.govern_metric(metric) {
            Err(reason) => outcome.problems.push(reason),
            Ok(review) => {
                let reads: Vec<&str> = review.reads.iter().map(|one| one.name.as_str()).collect();
                outcome.looked_at = format!("reads {}", reads.join(", "));
                let errors = review.findings.into_iter();
                let errors = errors.filter(|one| one.severity == Severity::Error);
                outcome.problems.extend(errors.map(|one| one.message));
            }
        }
        outcome
    }
}
