//! The ways back from a query: moments to undo to, and the steps that led down to it.

use super::edit;
use super::question::Origin;
use super::state::{Phase, Results, State};
use crate::model::MetricQuery;

/// Most rows that the steps of a trail keep together; those of earlier steps are asked for again.
const ROWS: usize = 200_000;

/// The query as it was at some time, with all that belongs to it.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// The query.
    pub query: MetricQuery,
    /// The question it came from.
    pub origin: Option<Origin>,
    /// The steps that led down to it, without their rows.
    pub trail: Vec<Step>,
}

/// A step down into a result: what was left behind, to come back to.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// What was chosen there, in words: `market = ID`.
    pub words: String,
    /// The query before the step.
    pub query: MetricQuery,
    /// The query that it led to.
    pub into: MetricQuery,
    /// The question it came from.
    pub origin: Option<Origin>,
    /// Its rows with the cursor in them, where they were complete and are still kept.
    pub rows: Option<Box<Results>>,
}

impl Moment {
    /// The present one.
    pub fn of(state: &State) -> Self {
        let trail = state.trail.iter();
        Self {
            query: state.query.clone(),
            origin: state.origin.clone(),
            trail: trail.map(Step::without_rows).collect(),
        }
    }
}

impl Step {
    /// A step from the present query into another, chosen in these words.
    pub fn from(state: &State, words: String, into: MetricQuery) -> Self {
        let result = &state.result;
        let is_whole = matches!(result.phase, Phase::Done(_)) && result.query == state.query;
        Self {
            words,
            query: state.query.clone(),
            into,
            origin: state.origin.clone(),
            rows: is_whole.then(|| Box::new(result.apart())),
        }
    }

    /// Whether a query is still of what the step led into: its conditions and its time.
    pub fn holds(&self, query: &MetricQuery) -> bool {
        let (before, now) = (edit::conditions(&self.query), edit::conditions(query));
        let mut added = edit::conditions(&self.into).iter();
        added.all(|condition| before.contains(condition) || now.contains(condition))
            && (self.into.time == self.query.time || self.into.time == query.time)
    }

    fn without_rows(&self) -> Self {
        Self {
            words: self.words.clone(),
            query: self.query.clone(),
            into: self.into.clone(),
            origin: self.origin.clone(),
            rows: None,
        }
    }
}

/// Lets go of the rows of early steps, where all of them are too many to keep.
pub fn let_go(trail: &mut [Step]) {
    let mut kept = 0;
    for step in trail.iter_mut().rev() {
        let grid = step.rows.as_ref().and_then(|rows| rows.grid.as_ref());
        kept += grid.map_or(0, |grid| grid.table().rows());
        if kept > ROWS {
            step.rows = None;
        }
    }
}
