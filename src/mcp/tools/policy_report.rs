//! `policy_report`: how the policy that chooses ways of answering does, as `metrex policy` says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::reply::rounded;
use crate::mcp::tool::Tool;
use crate::session;

/// Places of the learning curve.
const PLACES: usize = 20;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct PolicyReport {}

/// How the policy does.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Told {
    /// The algorithm that decides: bandit, ppo, or rule, which learns nothing.
    algorithm: String,
    /// Whether one query in twenty is left to chance.
    explores: bool,
    /// What is to be known first, such as too little experience for anything but the hand rule to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    caution: Option<String>,
    /// Queries that were decided about.
    queries: usize,
    /// All of them, the first 100 and the last 100.
    stretches: Vec<StretchLine>,
    /// The mean reward of the last 100 queries after so many, with the range its true value lies in with a probability of 0.95.
    curve: Vec<PlaceLine>,
    /// How often each way was taken, decision by decision.
    decisions: Vec<DecisionLine>,
    /// Where another way than the usual one is most likely to be better.
    better_ways: Vec<BetterLine>,
    /// The test of the policy against the hand rule, in words.
    trial: String,
}

/// How some queries went.
#[derive(Debug, Serialize, JsonSchema)]
struct StretchLine {
    /// Which ones.
    which: String,
    queries: usize,
    /// Mean reward.
    reward: f64,
    /// The share that succeeded, 0 to 1.
    succeeded: f64,
    /// Mean time to the answer, in milliseconds.
    mean_ms: f64,
}

/// A place of the curve.
#[derive(Debug, Serialize, JsonSchema)]
struct PlaceLine {
    queries: usize,
    mean: f64,
    low: f64,
    high: f64,
}

/// How a decision fell.
#[derive(Debug, Serialize, JsonSchema)]
struct DecisionLine {
    decision: String,
    ways: Vec<WayLine>,
}

/// How often a way was taken.
#[derive(Debug, Serialize, JsonSchema)]
struct WayLine {
    way: String,
    /// Its share of the queries, 0 to 1.
    share: f64,
}

/// Another way than the usual one.
#[derive(Debug, Serialize, JsonSchema)]
struct BetterLine {
    /// How likely it is better, 0 to 1; it is taken above 0.7.
    probability: f64,
    way: String,
    /// A query it is about, as a query line.
    query: String,
}

impl Tool for PolicyReport {
    const NAME: &'static str = "policy_report";
    const TITLE: &'static str = "How the policy does";
    const DESCRIPTION: &'static str = "How the choices do by which metrex answers queries faster with the same rows: rewards, success and time of the first \
        and the last queries, the learning curve, what was chosen how often, and the test against the hand rule. It is about metrex \
        itself, not about the business; nothing is trained by reading it.";
    type Reply = Told;

    async fn run(self, call: &Call) -> Result<Told, ToolError> {
        let report = call.ask(|session| session.policy_report()).await??;
        Ok(Told::new(&report))
    }
}

impl Told {
    fn new(report: &session::PolicyReport) -> Self {
        let step = report.curve.len().div_ceil(PLACES).max(1);
        // The last place is told whatever the step.
        let places = report
            .curve
            .iter()
            .rev()
            .step_by(step)
            .map(|place| PlaceLine {
                queries: place.queries,
                mean: rounded(place.mean),
                low: rounded(place.low),
                high: rounded(place.high),
            });
        let mut curve: Vec<PlaceLine> = places.collect();
        curve.reverse();
        let stretches = report.stretches.iter().map(|stretch| StretchLine {
            which: stretch.name.clone(),
            queries: stretch.queries,
            reward: rounded(stretch.reward),
            succeeded: rounded(stretch.succeeded),
            mean_ms: rounded(stretch.ms),
        });
        let decisions = report.decisions.iter().map(|taken| DecisionLine {
            decision: taken.decision.to_owned(),
            ways: taken
                .ways
                .iter()
                .map(|(way, share)| WayLine {
                    way: (*way).to_owned(),
                    share: rounded(*share),
                })
                .collect(),
        });
        let better = report.best.iter().map(|better| BetterLine {
            probability: rounded(better.probability),
            way: better.way.to_owned(),
            query: clean(&better.line),
        });
        Self {
            algorithm: report.algorithm.to_owned(),
            explores: report.explores,
            caution: report.caution(),
            queries: report.queries,
            stretches: stretches.collect(),
            curve,
            decisions: decisions.collect(),
            better_ways: better.collect(),
            trial: report.trial(),
        }
    }
}
