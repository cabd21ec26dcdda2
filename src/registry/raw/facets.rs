//! The keys of a snippet's header.

use super::{RawAggregate, RawDimension, RawExpr, RawPercentileType};
use crate::model::Grain;
use crate::registry::read::{At, Many, MapOr, Named, Word, object};
use crate::registry::yaml::Text;

object! {
    /// The header of a snippet.
    struct RawHeader {
        /// What can be asked of the snippet.
        facets: Option<RawFacets>,
    }
}

object! {
    /// What can be asked of a snippet as it stands; a comment in its header.
    #[schemars(rename = "Facets")]
    struct RawFacets {
        /// The column that says when: a date, or `{column, grain}` where rows are longer than a day.
        time: Option<MapOr<RawFacetTime, Text>>,
        /// Output columns of the snippet to group and filter by, by the name of the dimension.
        dimensions: Named<RawDimension>,
        /// How rows become one number.
        value: Option<RawFacetValue>,
        /// The upper part of a ratio.
        numerator: Option<RawFacetValue>,
        /// The lower part of a ratio.
        denominator: Option<RawFacetValue>,
        /// Grains and dimensions that the value does not add up over.
        per: Many<Text>,
    }
}

object! {
    /// The time of a snippet's rows.
    #[schemars(rename = "FacetTime", extend("required" = ["column"]))]
    struct RawFacetTime {
        /// The output column with the first day of the period.
        column: Option<Text>,
        /// How long one row is; a day where none is given.
        grain: Option<Word<Grain>>,
    }
}

object! {
    /// How a snippet's rows become one number.
    #[schemars(rename = "FacetValue", extend("required" = ["agg"]))]
    struct RawFacetValue {
        /// How rows become one number.
        agg: Option<Word<RawAggregate>>,
        /// The share for `agg: percentile`, 0 to 1.
        percentile: Option<At<f64>>,
        /// `continuous` (interpolated, the default) or `discrete` (a value that occurs).
        percentile_type: Option<Word<RawPercentileType>>,
        /// SQL over the snippet's output columns.
        expr: Option<RawExpr>,
        /// Predicates, all of which must hold.
        filters: Many<Text>,
    }
}
