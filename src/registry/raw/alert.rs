//! The keys of an alert.

use crate::model::AlertSeverity;
use crate::registry::read::{Word, object};
use crate::registry::yaml::Text;

object! {
    /// A saved check of a metric.
    #[schemars(rename = "Alert", extend("required" = ["query", "when"]))]
    struct RawAlert {
        /// The query line whose numbers are looked at: `gmv by market, day`.
        query: Option<Text>,
        /// When it fires: `< 100`, `falls by 20% vs previous week`, `unusually low vs 8 weeks`.
        when: Option<Text>,
        /// How bad that is; `warning` where none is given.
        severity: Option<Word<AlertSeverity>>,
        /// Who is to know; the metric's owner where none is given.
        owner: Option<Text>,
        /// What to do then, in plain words.
        message: Option<Text>,
    }
}
