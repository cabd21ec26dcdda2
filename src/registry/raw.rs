//! What people write: the keys of a registry file. The doc comments are the texts of the JSON schema.

use schemars::JsonSchema;
use serde::Deserialize;

use super::read::{At, Day, Many, MapOr, Month, Named, Word, object};
use super::yaml::Text;
use crate::model::{DimensionType, FormatKind, Grain, Status, Weekday};

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
    /// A table (or query) with its key, default time, dimensions and joins.
    #[schemars(rename = "Dataset")]
    struct RawDataset {
        /// The table or view: `orders` or `mart.orders`.
        table: Option<Text>,
        /// A SELECT to use instead of a table.
        sql: Option<Text>,
        /// Name for people.
        label: Option<Text>,
        /// What one row is, in a sentence.
        description: Option<Text>,
        /// Column (or columns) that identify one row; needed where other datasets join onto this one.
        key: Many<Text>,
        /// The default time dimension.
        time: Option<Text>,
        /// What metrics are grouped and filtered by, by name; `{}` is the column of the same name.
        dimensions: Named<RawDimension>,
        /// Many-to-one joins onto the key of another dataset, by role name.
        joins: Named<RawJoin>,
    }
}

object! {
    /// Something metrics are grouped and filtered by.
    #[schemars(rename = "Dimension")]
    struct RawDimension {
        /// The column, where it has another name than the dimension.
        column: Option<Text>,
        /// SQL over the dataset's columns, where it is not just a column.
        expr: Option<Text>,
        /// Name for people.
        label: Option<Text>,
        /// What it means, in a sentence.
        description: Option<Text>,
        /// Other names.
        aliases: Many<Text>,
        /// Other names (the same as aliases).
        synonyms: Many<Text>,
        /// Other names of values, for questions in plain words: the value as it is in the data, then its aliases.
        value_aliases: Named<Many<Text>>,
        /// Type of the values; text where none is given.
        r#type: Option<Word<DimensionType>>,
        /// Personal data: never indexed, never in a prompt.
        pii: Option<At<bool>>,
        /// Display format.
        format: Option<MapOr<RawFormat, Word<FormatKind>>>,
    }
}

object! {
    /// A many-to-one join.
    #[schemars(rename = "Join", extend("required" = ["to", "on"]))]
    struct RawJoin {
        /// The dataset joined to.
        to: Option<Text>,
        /// Column here (columns, in the order of the other's key), or a map from column here to key column there.
        on: Option<MapOr<Named<Text>, Many<Text>>>,
    }
}

object! {
    /// Display format.
    #[schemars(rename = "Format")]
    struct RawFormat {
        /// What the number is.
        kind: Option<Word<FormatKind>>,
        /// Digits after the decimal point.
        decimals: Option<At<u8>>,
        /// ISO 4217 code, for `kind: currency`.
        currency: Option<Text>,
        /// Unit shown after the number.
        unit: Option<Text>,
    }
}

/// How rows become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Aggregate")]
pub(crate) enum RawAggregate {
    /// Rows, or rows where the expression is not NULL.
    Count,
    /// Distinct values of the expression.
    CountDistinct,
    /// Sum.
    Sum,
    /// Arithmetic mean.
    Avg,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// The middle value.
    Median,
    /// The value that the share `percentile` lies below, interpolated.
    Percentile,
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Kind")]
pub(crate) enum RawKind {
    /// One aggregation.
    Simple,
    /// Numerator over denominator.
    Ratio,
    /// Arithmetic over other metrics.
    Derived,
    /// A hand-written SQL snippet.
    Complex,
}

object! {
    /// A metric. Its kind follows from the keys: `agg` (simple), `numerator` and `denominator` (ratio), `expr` alone
    /// (derived), `snippet` (complex).
    #[schemars(rename = "Metric")]
    struct RawMetric {
        /// The kind, where it should be said; it must agree with the other keys.
        r#type: Option<Word<RawKind>>,
        /// Name for people.
        label: Option<Text>,
        /// Shelf in the catalog.
        category: Option<Text>,
        /// What it means, in plain words.
        description: Option<Text>,
        /// Rules a reader must know.
        business_rules: Many<Text>,
        /// Team or person that answers for it.
        owner: Option<Text>,
        /// Life-cycle state; published where none is given.
        status: Option<Word<Status>>,
        /// Date of the last change of meaning.
        last_updated: Option<At<Day>>,
        /// Other names.
        aliases: Many<Text>,
        /// Other names (the same as aliases).
        synonyms: Many<Text>,
        /// Tags.
        tags: Many<Text>,
        /// Display format: a word, or `{kind, decimals, currency, unit}`.
        format: Option<MapOr<RawFormat, Word<FormatKind>>>,
        /// Unit shown after the number.
        unit: Option<Text>,
        /// The dataset it is computed from.
        base_table: Option<Text>,
        /// Time dimension, where it is not the dataset's default.
        time: Option<Text>,
        /// How rows become one number.
        agg: Option<Word<RawAggregate>>,
        /// The share for `agg: percentile`, 0 to 1.
        percentile: Option<At<f64>>,
        /// SQL over the dataset's columns; of a derived metric, arithmetic over metrics.
        expr: Option<Text>,
        /// Predicates, all of which must hold.
        filters: Many<Text>,
        /// The upper part of a ratio.
        numerator: Option<RawMeasure>,
        /// The lower part of a ratio.
        denominator: Option<RawMeasure>,
        /// Several ways to compute it; the first whose `use_when` holds is used.
        sources: Many<RawSource>,
        /// File in `snippets/` of a complex metric.
        snippet: Option<Text>,
        /// Tables the snippet may use.
        tables: Many<Text>,
        /// Default grouping.
        grain: Many<Text>,
        /// Default time range: `quarter_to_date`, `last 7 days`, `2025-11`, `all_time`.
        window: Option<Text>,
        /// Value shown where there are no rows.
        fill: Option<At<i64>>,
    }
}

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
        /// SQL over the snippet's output columns.
        expr: Option<Text>,
        /// Predicates, all of which must hold.
        filters: Many<Text>,
    }
}

object! {
    /// Numerator or denominator of a ratio.
    #[schemars(rename = "Measure", extend("required" = ["agg"]))]
    struct RawMeasure {
        /// How rows become one number.
        agg: Option<Word<RawAggregate>>,
        /// The share for `agg: percentile`, 0 to 1.
        percentile: Option<At<f64>>,
        /// SQL over the dataset's columns.
        expr: Option<Text>,
        /// Predicates, all of which must hold, beside the metric's.
        filters: Many<Text>,
        /// The dataset, where it is not the metric's.
        base_table: Option<Text>,
        /// Time dimension, where it is not the dataset's default.
        time: Option<Text>,
    }
}

object! {
    /// One way to compute a metric; what is not given is the metric's.
    #[schemars(rename = "Source", extend("required" = ["base_table"]))]
    struct RawSource {
        /// The dataset.
        base_table: Option<Text>,
        /// Condition on the query: `uses(module)`, `grain >= month`, with and, or, not.
        use_when: Option<Text>,
        /// How rows become one number.
        agg: Option<Word<RawAggregate>>,
        /// The share for `agg: percentile`, 0 to 1.
        percentile: Option<At<f64>>,
        /// SQL over the dataset's columns.
        expr: Option<Text>,
        /// Predicates, all of which must hold, beside the metric's.
        filters: Many<Text>,
        /// Time dimension, where it is not the dataset's default.
        time: Option<Text>,
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
