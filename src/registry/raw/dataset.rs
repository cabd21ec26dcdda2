//! The keys of a dataset.

use super::RawExpr;
use crate::model::{DimensionType, FormatKind, Grain};
use crate::registry::read::{At, Many, MapOr, Named, Word, object};
use crate::registry::yaml::Text;

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
        /// What one row is, in one word; dimensions may then be written as dbt does: `order__channel`.
        entity: Option<Text>,
        /// Column (or columns) that identify one row; needed where other datasets join onto this one.
        key: Many<Text>,
        /// The default time dimension.
        time: Option<Text>,
        /// The columns from which (included) and to which (excluded) a row holds: `[from_date, to_date]`. NULL is without an
        /// end. A join onto this dataset takes the row that holds at the time of what is counted.
        valid: Many<Text>,
        /// The column that tells whole copies of the table apart, such as one of each day. Where joins do not say which copy
        /// they mean, it is the one of the same partition as the row that is counted.
        partition: Option<Text>,
        /// IANA time zone that its times are stored in, where it is not the calendar's.
        stored_in: Option<Text>,
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
        expr: Option<RawExpr>,
        /// A metric of each row, over all time, such as `orders per buyer_id`, where buyer_id holds the key of the dataset.
        metric: Option<Text>,
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
        /// The grain of a time, where it is not a day: what its name alone means in queries written as dbt writes them.
        time_grain: Option<Word<Grain>>,
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
