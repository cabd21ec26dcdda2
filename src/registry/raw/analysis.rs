//! The keys of an analysis.

use crate::model::{AnalysisKind, Grain, Status};
use crate::registry::read::{At, Many, Named, Word, object};
use crate::registry::yaml::Text;

object! {
    /// An analysis: a dataset computed from the events of metrics, with metrics of its own.
    #[schemars(rename = "Analysis", extend("required" = ["kind"]))]
    struct RawAnalysis {
        /// What is computed.
        kind: Option<Word<AnalysisKind>>,
        /// Name for people.
        label: Option<Text>,
        /// What it tells, in plain words.
        description: Option<Text>,
        /// Shelf in the catalog of its metrics.
        category: Option<Text>,
        /// Team or person that answers for it.
        owner: Option<Text>,
        /// Life-cycle state of its metrics; published where none is given.
        status: Option<Word<Status>>,
        /// Default time range of its metrics.
        window: Option<Text>,
        /// The dimension or column, in every dataset it reads, that says whose event a row is.
        who: Option<Text>,
        /// Dimensions of the events that its numbers can be split by.
        by: Many<Text>,
        /// How long a period is: week, month (the default), quarter or year.
        grain: Option<Word<Grain>>,
        /// Attribution: the metric of the contacts.
        touches: Option<Text>,
        /// Attribution: the metric of what the contacts get credit for.
        conversions: Option<Text>,
        /// Attribution: the dimension of the contacts that gets the credit.
        channel: Option<Text>,
        /// Attribution: the metric of what the contacts cost.
        cost: Option<Text>,
        /// Attribution: how long before its conversion a contact may be; 30 days where none is given.
        lookback: Option<Text>,
        /// Attribution: the age at which a contact has half the weight of a new one, by time decay; 7 days where none is given.
        half_life: Option<Text>,
        /// Attribution by position: the share of the first contact, and of the last; 0.4 where none is given.
        ends: Option<At<f64>>,
        /// Lifecycle and retention: the metric whose events make somebody active.
        activity: Option<Text>,
        /// Revenue: the metric of what is paid in each period.
        revenue: Option<Text>,
        /// Funnel: the metrics of the events of each step, by the name of the step, in order.
        steps: Named<Text>,
        /// Funnel: how long after the first step the last may be; 30 days where none is given.
        within: Option<Text>,
    }
}
