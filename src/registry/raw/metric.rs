//! The keys of a metric.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawFormat, RawTest};
use crate::model::{AtCoarserGrain, ConversionResult, FormatKind, Grain, Status, Step, Take};
use crate::registry::read::{At, Day, Many, MapOr, Named, Word, object};
use crate::registry::yaml::Text;

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
    /// The value that the share `percentile` lies below.
    Percentile,
    /// Rows for which a boolean expression is true.
    SumBoolean,
    /// Standard deviation of a sample (n - 1).
    Stddev,
    /// Standard deviation of a population (n).
    StddevPopulation,
    /// Variance of a sample (n - 1).
    Variance,
    /// Variance of a population (n).
    VariancePopulation,
}

/// What a percentile is where it falls between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PercentileType")]
pub(crate) enum RawPercentileType {
    /// Interpolated between the two.
    Continuous,
    /// The first value whose share of the rows reaches it.
    Discrete,
}

/// SQL, or SQL with the words of single engines.
pub(crate) type RawExpr = MapOr<RawExpression, Text>;

object! {
    /// SQL where single engines need their own words.
    #[schemars(rename = "Expression", extend("required" = ["default"]))]
    struct RawExpression {
        /// What all other engines take.
        default: Option<Text>,
        /// SQLite.
        sqlite: Option<Text>,
        /// PostgreSQL.
        postgres: Option<Text>,
        /// DuckDB.
        duckdb: Option<Text>,
        /// Trino.
        trino: Option<Text>,
        /// Snowflake.
        snowflake: Option<Text>,
        /// BigQuery.
        bigquery: Option<Text>,
        /// Redshift.
        redshift: Option<Text>,
        /// ClickHouse.
        clickhouse: Option<Text>,
        /// Spark SQL.
        spark: Option<Text>,
    }
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
    /// Accumulation over time.
    Cumulative,
    /// Events followed by other events.
    Conversion,
    /// A hand-written SQL snippet.
    Complex,
}

object! {
    /// A metric. Its kind follows from the keys: `agg` (simple), `numerator` and `denominator` (ratio), `expr` alone
    /// (derived), `of` or `cumulative` (cumulative), `entity`, `base` and `conversion` (conversion), `snippet` (complex).
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
        /// The metric to use instead of a deprecated one.
        successor: Option<Text>,
        /// What was done with it, the earliest first; `metrex review` writes it.
        history: Many<RawEvent>,
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
        /// `continuous` (interpolated, the default) or `discrete` (a value that occurs).
        percentile_type: Option<Word<RawPercentileType>>,
        /// SQL over the dataset's columns; of a derived metric, arithmetic over metrics.
        expr: Option<RawExpr>,
        /// Predicates, all of which must hold; of a derived metric, for every metric that it is made of.
        filters: Many<Text>,
        /// How snapshots of one thing at several times become one, where they do not add up over time.
        over_time: Option<RawOverTime>,
        /// `over_time` with `take: last`.
        last_by: Option<RawOverTime>,
        /// The upper part of a ratio: an aggregation, or a metric.
        numerator: Option<MapOr<RawMeasure, Text>>,
        /// The lower part of a ratio: an aggregation, or a metric.
        denominator: Option<MapOr<RawMeasure, Text>>,
        /// What names in the expression of a derived metric stand for: a metric, or one with filters or an offset.
        inputs: Named<MapOr<RawInput, Text>>,
        /// The metric that is accumulated over time; `window` then says over how much of it.
        of: Option<Text>,
        /// What stands for a period longer than a day: the value at its end (`last`, the default), on its first day, or the mean.
        at_coarser_grain: Option<Word<AtCoarserGrain>>,
        /// Accumulation over time of what the other keys say.
        cumulative: Option<RawCumulative>,
        /// Who does both things of a conversion: a dimension or column that both datasets have.
        entity: Option<Text>,
        /// The metric of the events that may convert.
        base: Option<Text>,
        /// The metric of the events that are conversions.
        conversion: Option<Text>,
        /// How long after its base event a conversion may come; without a limit where none is given.
        within: Option<Text>,
        /// What must be equal too, by its name in the base: the dimension or column of the conversion.
        same: Option<MapOr<Named<Text>, Many<Text>>>,
        /// What a conversion metric tells: `rate` (the default) or `count`.
        result: Option<Word<ConversionResult>>,
        /// Several ways to compute it; the first whose `use_when` holds is used.
        sources: Many<RawSource>,
        /// File in `snippets/` of a complex metric.
        snippet: Option<Text>,
        /// Tables the snippet may use.
        tables: Many<Text>,
        /// Default grouping.
        grain: Many<Text>,
        /// Default time range: `quarter_to_date`, `last 7 days`, `2025-11`, `all_time`. With `of`, and as a bare length
        /// (`28 days`) of an aggregation, the rows that a cumulative metric takes in.
        window: Option<Text>,
        /// Value shown where there are no rows.
        fill: Option<At<i64>>,
        /// Value shown where there are no rows (the same as fill).
        fill_nulls_with: Option<At<i64>>,
        /// Periods without rows are rows of every result by time.
        every_period: Option<At<bool>>,
        /// Periods without rows are rows of every result by time (the same as every_period).
        join_to_timespine: Option<At<bool>>,
        /// The grain of `metric_time` in queries written as dbt writes them; a day where none is given.
        time_grain: Option<Word<Grain>>,
        /// What its numbers must be: expected numbers, ranges, sums, freshness.
        tests: Many<RawTest>,
    }
}

object! {
    /// One step in the life of a definition.
    #[schemars(rename = "Event", extend("required" = ["step"]))]
    struct RawEvent {
        /// What was done.
        step: Option<Word<Step>>,
        /// Who did it.
        by: Option<Text>,
        /// The day.
        on: Option<At<Day>>,
        /// Why.
        why: Option<Text>,
        /// The short hash of the meaning that the definition had.
        of: Option<Text>,
    }
}

object! {
    /// How snapshots of one thing at several times become one.
    #[schemars(rename = "OverTime")]
    struct RawOverTime {
        /// What stands for a period.
        take: Option<Word<Take>>,
        /// The time dimension that tells the snapshots apart; the dataset's where none is given.
        time: Option<Text>,
        /// Dimensions or columns whose values have a last (or first) snapshot each.
        per: Many<Text>,
        /// Whether a period without a snapshot has the one before it (for `last` only).
        carry_forward: Option<At<bool>>,
    }
}

object! {
    /// A metric as a derived metric uses it.
    #[schemars(rename = "Input", extend("required" = ["metric"]))]
    struct RawInput {
        /// The metric.
        metric: Option<Text>,
        /// Predicates beside the metric's own.
        filters: Many<Text>,
        /// How far back in time: `1 month`, `2 weeks`, or `{to: month}`.
        offset: Option<MapOr<RawOffset, Text>>,
    }
}

object! {
    /// A distance back in time to the start of something.
    #[schemars(rename = "Offset", extend("required" = ["to"]))]
    struct RawOffset {
        /// The first period of the week, month, quarter or year (or of a period of the calendar table) that the row lies in.
        to: Option<Text>,
    }
}

object! {
    /// Accumulation over time.
    #[schemars(rename = "Cumulative", extend("required" = ["window"]))]
    struct RawCumulative {
        /// The metric that is accumulated, where it is not what the other keys say.
        of: Option<Text>,
        /// The rows taken in: `28 days`, `quarter_to_date`, `all_time`.
        window: Option<Text>,
        /// What stands for a period longer than a day: the value at its end (`last`, the default), on its first day, or the mean.
        at_coarser_grain: Option<Word<AtCoarserGrain>>,
    }
}

object! {
    /// Numerator or denominator of a ratio: an aggregation, or a metric with filters or an offset.
    #[schemars(rename = "Measure", extend("anyOf" = [{"required": ["agg"]}, {"required": ["metric"]}]))]
    struct RawMeasure {
        /// A metric, instead of an aggregation.
        metric: Option<Text>,
        /// How far back in time, of a metric: `1 month`, `2 weeks`, or `{to: month}`.
        offset: Option<MapOr<RawOffset, Text>>,
        /// How rows become one number.
        agg: Option<Word<RawAggregate>>,
        /// The share for `agg: percentile`, 0 to 1.
        percentile: Option<At<f64>>,
        /// `continuous` (interpolated, the default) or `discrete` (a value that occurs).
        percentile_type: Option<Word<RawPercentileType>>,
        /// SQL over the dataset's columns.
        expr: Option<RawExpr>,
        /// Predicates, all of which must hold, beside the metric's.
        filters: Many<Text>,
        /// How snapshots of one thing at several times become one, where it is not as the metric says.
        over_time: Option<RawOverTime>,
        /// `over_time` with `take: last`.
        last_by: Option<RawOverTime>,
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
        /// `continuous` (interpolated, the default) or `discrete` (a value that occurs).
        percentile_type: Option<Word<RawPercentileType>>,
        /// SQL over the dataset's columns.
        expr: Option<RawExpr>,
        /// Predicates, all of which must hold, beside the metric's.
        filters: Many<Text>,
        /// Time dimension, where it is not the dataset's default.
        time: Option<Text>,
    }
}
