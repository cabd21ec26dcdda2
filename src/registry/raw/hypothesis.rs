//! The keys of a hypothesis.

use crate::model::Moves;
use crate::registry::read::{Many, Word, object};
use crate::registry::yaml::Text;

object! {
    /// A rule of an investigation: when a metric moves, look at another one.
    #[schemars(rename = "Hypothesis", extend("required" = ["because", "look_at"]))]
    struct RawHypothesis {
        /// The metric whose movement it explains; none where it only follows other hypotheses.
        metric: Option<Text>,
        /// The movement that it explains: `falls`, `rises` or `moves`, which is either.
        when: Option<Word<Moves>>,
        /// The hypothesis, in a sentence.
        because: Option<Text>,
        /// What to look at, as a query line without a time: `cli_count by phase`.
        look_at: Option<Text>,
        /// How that moves if the hypothesis holds: `falls`, `rises` or `moves`.
        expect: Option<Word<Moves>>,
        /// Hypotheses to look at next, unless this one is refuted, in the segment that stands out.
        then: Many<Text>,
    }
}
