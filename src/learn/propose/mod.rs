//! Proposals from use: what a month of the log says should be in the definitions, each with its evidence.
//!
//! Everything here is a function of the log, the definitions and the thresholds; the clock is the caller's.

mod aliases;
mod anomalies;
mod dimensions;
mod expression;
mod gather;
mod idea;
mod idle;
mod joins;
mod metrics;
mod popular;
mod report;
mod rollups;
mod skills;
mod tally;

pub use aliases::{Link, Means};
pub use anomalies::Anomaly;
pub use gather::{Gathered, Part, Question, Shape};
pub use idea::{Change, Idea, Kind};
pub use joins::Preferred;
pub use popular::{Popular, Trend};
pub use report::{Report, Stage, Told};
pub use rollups::{Wish, Worth};
pub use tally::{Evidence, Tally, Times, wilson};

use std::collections::HashMap;

use jiff::civil::Date;

use crate::model::Registry;
use crate::registry::LearnRules;

/// What is looked at.
pub struct Month<'a> {
    /// The log.
    pub gathered: &'a Gathered<'a>,
    /// The definitions.
    pub registry: &'a Registry,
    /// What it takes.
    pub rules: &'a LearnRules,
    /// The last day of it.
    pub today: Date,
    /// Words that people took for something.
    pub links: &'a [Link],
    /// The day each metric was last used.
    pub last_used: &'a HashMap<String, Date>,
    /// The first day of the whole log.
    pub log_since: Option<Date>,
}

impl Month<'_> {
    /// Every idea that the evidence is enough for, the best of each kind first; and what was passed over, with the reason.
    /// Rollups are apart, since what they are worth takes the warehouse to know: see [`Month::wishes`].
    pub fn ideas(&self) -> (Vec<Idea>, Vec<String>) {
        let mut passed_over = Vec::new();
        let mut ideas = self.new_metrics(&mut passed_over);
        ideas.extend(self.new_dimensions());
        ideas.extend(self.new_aliases(&mut passed_over));
        ideas.extend(self.new_skills());
        ideas.extend(self.new_joins());
        ideas.extend(self.idle());
        (ideas, passed_over)
    }

    /// Whether something was used often enough, on enough days, by enough people, and mostly worked.
    fn is_enough(&self, tally: &Tally) -> bool {
        let rules = self.rules;
        tally.uses >= rules.uses
            && tally.days.len() as u64 >= rules.on_days
            && tally.people.len() as u64 >= rules.people
            && tally.success() >= rules.success
    }

    /// A name that nothing has: this one, or this one with a number.
    fn free_name(&self, wanted: &str, taken: &[Idea]) -> String {
        let registry = self.registry;
        let is_free = |name: &str| {
            registry.metric(name).is_none()
                && !registry.views.contains_key(name)
                && !registry.rollups.contains_key(name)
                && !registry.datasets.contains_key(name)
                && taken.iter().all(|idea| idea.name() != name)
        };
        if is_free(wanted) {
            return wanted.to_owned();
        }
        let mut numbered = (2..).map(|number| format!("{wanted}_{number}"));
        numbered
            .find(|name| is_free(name))
            .unwrap_or_else(|| wanted.to_owned())
    }
}

/// The best first: by uses, then by name, so that the same log gives the same order.
fn best_first(mut ideas: Vec<Idea>) -> Vec<Idea> {
    ideas.sort_by(|one, other| {
        let by_uses = other.evidence.uses.cmp(&one.evidence.uses);
        by_uses.then_with(|| one.id.cmp(&other.id))
    });
    ideas
}
