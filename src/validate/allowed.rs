//! What SQL may be made of: functions, operators and types that read nothing but their arguments and change nothing.

use sqlparser::ast::{BinaryOperator, DataType, UnaryOperator};

use crate::warehouse::Dialect;

/// What comes out of a function, seen from its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// A value of its first argument.
    First,
    /// A value of any argument.
    Any,
    /// A value of its second or third argument.
    Branch,
    /// Its first argument in lower case.
    Lower,
    /// Its first argument in upper case.
    Upper,
    /// Its first argument without spaces around it.
    Trimmed,
    /// How many there are: a number that says nothing of the values.
    Count,
    /// Something else.
    Computed,
}

/// Aggregates of every engine.
const AGGREGATES: [&str; 7] = ["avg", "count", "max", "min", "sum", "string_agg", "mode"];
const SQLITE_AGGREGATES: [&str; 10] = [
    "group_concat",
    "median",
    "percentile",
    "percentile_cont",
    "percentile_disc",
    "stddev_pop",
    "stddev_samp",
    "total",
    "var_pop",
    "var_samp",
];
const POSTGRES_AGGREGATES: [&str; 22] = [
    "any_value",
    "array_agg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "corr",
    "covar_pop",
    "covar_samp",
    "every",
    "percentile_cont",
    "percentile_disc",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "var_pop",
    "var_samp",
    "variance",
    "regr_count",
];

const DUCKDB_AGGREGATES: [&str; 27] = [
    "any_value",
    "arg_max",
    "arg_min",
    "array_agg",
    "bool_and",
    "bool_or",
    "corr",
    "count_if",
    "covar_pop",
    "covar_samp",
    "max_by",
    "median",
    "min_by",
    "percentile_cont",
    "percentile_disc",
    "quantile_cont",
    "quantile_disc",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "var_pop",
    "var_samp",
    "variance",
];

/// Window, number and text functions of every engine.
const COMMON: [&str; 52] = [
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "ceil",
    "ceiling",
    "coalesce",
    "concat",
    "concat_ws",
    "cos",
    "cume_dist",
    "current_date",
    "current_time",
    "current_timestamp",
    "degrees",
    "dense_rank",
    "exp",
    "first_value",
    "floor",
    "lag",
    "last_value",
    "lead",
    "length",
    "ln",
    "log",
    "log10",
    "lower",
    "ltrim",
    "mod",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "pi",
    "pow",
    "power",
    "radians",
    "rank",
    "replace",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "sin",
    "sqrt",
    "substr",
    "substring",
    "tan",
    "trim",
    "upper",
];
const SQLITE: [&str; 17] = [
    "date",
    "datetime",
    "format",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "julianday",
    "log2",
    "printf",
    "strftime",
    "time",
    "timediff",
    "trunc",
    "typeof",
    "unicode",
    "unixepoch",
];
const POSTGRES: [&str; 36] = [
    "age",
    "array_length",
    "array_position",
    "ascii",
    "btrim",
    "cardinality",
    "cbrt",
    "char_length",
    "character_length",
    "chr",
    "date_bin",
    "date_part",
    "date_trunc",
    "div",
    "extract",
    "greatest",
    "initcap",
    "isfinite",
    "justify_days",
    "least",
    "left",
    "localtimestamp",
    "make_date",
    "make_interval",
    "make_timestamp",
    "now",
    "position",
    "regexp_replace",
    "reverse",
    "right",
    "split_part",
    "starts_with",
    "strpos",
    "to_char",
    "to_date",
    "to_timestamp",
];
const POSTGRES_MORE: [&str; 4] = ["to_number", "translate", "trunc", "width_bucket"];

const DUCKDB: [&str; 56] = [
    "age",
    "ascii",
    "cbrt",
    "chr",
    "contains",
    "date_diff",
    "date_part",
    "date_trunc",
    "datediff",
    "day",
    "dayname",
    "dayofmonth",
    "dayofweek",
    "dayofyear",
    "ends_with",
    "epoch",
    "extract",
    "greatest",
    "hour",
    "ifnull",
    "instr",
    "isfinite",
    "isodow",
    "last_day",
    "least",
    "left",
    "localtimestamp",
    "make_date",
    "make_timestamp",
    "minute",
    "month",
    "monthname",
    "now",
    "position",
    "quarter",
    "regexp_extract",
    "regexp_matches",
    "regexp_replace",
    "reverse",
    "right",
    "second",
    "split_part",
    "starts_with",
    "strftime",
    "strpos",
    "strptime",
    "time_bucket",
    "to_days",
    "to_months",
    "today",
    "translate",
    "trunc",
    "try_strptime",
    "week",
    "weekofyear",
    "year",
];

/// Functions that are allowed on an engine.
fn functions(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    let own: [&[&str]; 3] = match dialect {
        Dialect::Sqlite => [&SQLITE_AGGREGATES, &SQLITE, &[]],
        Dialect::Postgres => [&POSTGRES_AGGREGATES, &POSTGRES, &POSTGRES_MORE],
        Dialect::Duckdb => [&DUCKDB_AGGREGATES, &DUCKDB, &[]],
        // Nobody has run these yet: what all engines share.
        _ => [&[], &[], &[]],
    };
    AGGREGATES
        .iter()
        .chain(&COMMON)
        .chain(own.into_iter().flatten())
        .copied()
}

/// Whether a function (in lower case) may be called.
pub(super) fn is_function(name: &str, dialect: Dialect) -> bool {
    functions(dialect).any(|known| known == name)
}

/// The allowed function that `name` is most like.
pub(super) fn nearest_function(name: &str, dialect: Dialect) -> Option<&'static str> {
    crate::registry::nearest(name, functions(dialect))
}

/// Whether a function makes one value of many rows.
pub(super) fn is_aggregate(name: &str, arguments: usize, dialect: Dialect) -> bool {
    // With several arguments, SQLite's max and min are the greatest and least of them.
    if dialect == Dialect::Sqlite && arguments > 1 && matches!(name, "max" | "min") {
        return false;
    }
    let own: &[&str] = match dialect {
        Dialect::Sqlite => &SQLITE_AGGREGATES,
        Dialect::Postgres => &POSTGRES_AGGREGATES,
        Dialect::Duckdb => &DUCKDB_AGGREGATES,
        _ => &[],
    };
    AGGREGATES.contains(&name) || own.contains(&name)
}

/// What comes out of a function.
pub(super) fn gives(name: &str) -> Gives {
    match name {
        "any_value" | "first_value" | "last_value" | "mode" | "nth_value" | "nullif" => {
            Gives::First
        }
        // The third argument of lag and lead is their default.
        "coalesce" | "greatest" | "ifnull" | "lag" | "lead" | "least" | "max" | "min" => Gives::Any,
        "iif" => Gives::Branch,
        "lower" => Gives::Lower,
        "upper" => Gives::Upper,
        "trim" | "btrim" | "ltrim" | "rtrim" => Gives::Trimmed,
        "count" | "regr_count" => Gives::Count,
        _ => Gives::Computed,
    }
}

/// Whether an operator means the same everywhere and calls nothing that a user can define.
pub(super) fn is_binary(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(
        op,
        Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::StringConcat
            | Op::Gt
            | Op::Lt
            | Op::GtEq
            | Op::LtEq
            | Op::Eq
            | Op::NotEq
            | Op::And
            | Op::Or
            | Op::PGExp
            | Op::PGRegexMatch
            | Op::PGRegexIMatch
            | Op::PGRegexNotMatch
            | Op::PGRegexNotIMatch
            | Op::Glob
    )
}

/// The same for one operand.
pub(super) fn is_unary(op: UnaryOperator) -> bool {
    matches!(
        op,
        UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not
    )
}

/// Whether a type may be converted to. The types that look names up (`regclass` and its kin) may not.
pub(super) fn is_type(ty: &DataType) -> bool {
    use DataType as T;
    matches!(
        ty,
        T::Character(_)
            | T::Char(_)
            | T::CharacterVarying(_)
            | T::CharVarying(_)
            | T::Varchar(_)
            | T::Uuid
            | T::Numeric(_)
            | T::Decimal(_)
            | T::Dec(_)
            | T::Float(_)
            | T::SmallInt(_)
            | T::Int2(_)
            | T::Int(_)
            | T::Int4(_)
            | T::Int8(_)
            | T::Integer(_)
            | T::BigInt(_)
            | T::Float4
            | T::Float8
            | T::Real
            | T::Double(_)
            | T::DoublePrecision
            | T::Bool
            | T::Boolean
            | T::Date
            | T::Time(..)
            | T::Timestamp(..)
            | T::Datetime(_)
            | T::Interval { .. }
            | T::Text
    )
}

/// Whether a conversion to the type keeps a text as it is. A length would cut it.
pub(super) fn keeps_text(ty: &DataType) -> bool {
    matches!(
        ty,
        DataType::Text | DataType::Varchar(None) | DataType::CharacterVarying(None)
    )
}
