//! What people write: the keys of a registry file. The doc comments are the texts of the JSON schema.

mod alert;
mod analysis;
mod canonical;
mod dataset;
mod facets;
mod hypothesis;
mod metric;
mod metric_test;

pub(crate) use alert::RawAlert;
pub(crate) use analysis::RawAnalysis;
pub(crate) use canonical::{RawAttribute, RawCanonical, RawLineage, RawSla};
pub(crate) use dataset::{RawDataset, RawDimension, RawFormat, RawJoin};
pub(crate) use facets::{RawFacetValue, RawFacets, RawHeader};
pub(crate) use hypothesis::RawHypothesis;
pub(crate) use metric::{
    RawAggregate, RawEvent, RawExpr, RawExpression, RawInput, RawKind, RawMeasure, RawMetric,
    RawOffset, RawOverTime, RawPercentileType, RawSource,
};
pub(crate) use metric_test::RawTest;

use schemars::JsonSchema;
use serde::Deserialize;

use super::read::{At, Many, MapOr, Month, Named, Word, object};
use super::yaml::Text;
use crate::model::{Grain, Weekday};

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
        /// Aggregated tables that `metrex materialize` keeps, by name.
        rollups: Named<RawRollup>,
        /// Datasets that everybody has agreed to build on, by name.
        canonical_datasets: Named<RawCanonical>,
        /// Datasets computed from the events of metrics, with metrics of their own, by name.
        analyses: Named<RawAnalysis>,
        /// Rules that say what to look at when a metric moves, by name.
        hypotheses: Named<RawHypothesis>,
        /// Saved checks that `metrex watch` runs, by name.
        alerts: Named<RawAlert>,
        /// Week start, fiscal year, time zone and calendar table of the project.
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
        /// A table with one row per day.
        table: Option<Text>,
        /// The column of the calendar table with the day.
        date: Option<Text>,
        /// Periods of the calendar table, by name: the column that tells them apart, or more.
        periods: Named<MapOr<RawPeriod, Text>>,
        /// Tables with one row per `hour`, `minute` or `second`, by that word.
        spines: Named<RawSpine>,
    }
}

object! {
    /// A table with one row per hour, minute or second.
    #[schemars(rename = "Spine", extend("required" = ["table", "column"]))]
    struct RawSpine {
        /// The table.
        table: Option<Text>,
        /// Its column with the time.
        column: Option<Text>,
    }
}

object! {
    /// A period of the calendar table.
    #[schemars(rename = "Period", extend("required" = ["column"]))]
    struct RawPeriod {
        /// The column whose value tells the periods apart; by day, its values never go back.
        column: Option<Text>,
        /// Name for people.
        label: Option<Text>,
        /// The column with the value of the period before; otherwise it is counted out.
        previous: Option<Text>,
        /// The column with the value of the same period of the year before.
        year_ago: Option<Text>,
    }
}

object! {
    /// An aggregated table of a dataset: its measures by time and some dimensions.
    #[schemars(rename = "Rollup", extend("required" = ["of", "grain", "metrics"]))]
    struct RawRollup {
        /// The dataset whose rows are added up.
        of: Option<Text>,
        /// Its time grain: a day or longer.
        grain: Option<Word<Grain>>,
        /// Its dimensions.
        by: Many<Text>,
        /// The metrics that it keeps.
        metrics: Many<Text>,
        /// The table it is kept in; the rollup's name where none is given.
        table: Option<Text>,
        /// Where it is kept: in the warehouse, where nothing is given.
        r#in: Option<Word<RawKeptIn>>,
    }
}

/// Where a rollup is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(rename = "KeptIn")]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawKeptIn {
    /// In the warehouse.
    Warehouse,
    /// In an embedded file of the project's state.
    Embedded,
}
