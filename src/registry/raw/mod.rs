//! What people write: the keys of a registry file. The doc comments are the texts of the JSON schema.

mod dataset;
mod facets;
mod metric;

pub(crate) use dataset::{RawDataset, RawDimension, RawFormat, RawJoin};
pub(crate) use facets::{RawFacetValue, RawFacets, RawHeader};
pub(crate) use metric::{
    RawAggregate, RawExpr, RawExpression, RawInput, RawKind, RawMeasure, RawMetric, RawOffset,
    RawOverTime, RawPercentileType, RawSource,
};

use super::read::{At, MapOr, Month, Named, Word, object};
use super::yaml::Text;
use crate::model::Weekday;

object! {
    /// A file in `metrics/`.
    #[schemars(rename = "File")]
    struct RawFile {
        /// Tables (or queries) that metrics are computed from, by name.
        datasets: Named<RawDataset>,
        /// Metrics, by name.
        metrics: Named<RawMetric>,
        /// Saved queries, by name: a query line, or `{query, description}`.
        views: Named<MapOr<RawView, Text>>,
        /// Week start, fiscal year and time zone of the project.
        calendar: Option<RawCalendar>,
    }
}

object! {
    /// A saved query.
    #[schemars(rename = "View", extend("required" = ["query"]))]
    struct RawView {
        /// The query line.
        query: Option<Text>,
        /// What it shows, in plain words.
        description: Option<Text>,
    }
}

object! {
    /// Project-wide calendar settings.
    #[schemars(rename = "Calendar")]
    struct RawCalendar {
        /// Day a week starts on; Monday where none is given.
        week_start: Option<Word<Weekday>>,
        /// Month in which the fiscal year begins, by name or number; January where none is given.
        fiscal_year_start: Option<At<Month>>,
        /// IANA time zone in which days begin; UTC where none is given.
        timezone: Option<Text>,
    }
}
