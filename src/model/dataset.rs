//! Datasets: the tables (or queries) that metrics are computed from, with their dimensions and many-to-one joins.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dialect, Expression, Format, Grain, Place};

/// What a dataset reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relation {
    /// A table or view, as `table` or `schema.table`.
    Table(String),
    /// A `SELECT` used as a subquery.
    Sql(String),
}

/// A table (or query) with a key, a default time dimension, dimensions and joins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// Name metrics refer to.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// Name for people; the name itself where none is given.
    pub label: String,
    /// One sentence for people.
    pub description: String,
    /// The table or query behind it.
    pub relation: Relation,
    /// The query of single engines, by the word of their dialect; the others take the relation.
    pub dialects: Vec<(String, String)>,
    /// What one row is, in one word: `order__channel` is another name of its dimension `channel`.
    pub entity: Option<String>,
    /// Columns that identify one row; empty when unknown (then nothing can join onto it).
    pub key: Vec<String>,
    /// Name of the default time dimension.
    pub time: Option<String>,
    /// Dimensions by name, in the order of the file.
    pub dimensions: IndexMap<String, Dimension>,
    /// Many-to-one joins by name.
    pub joins: IndexMap<String, Join>,
    /// The time in which a row holds, where one key has several rows (a slowly changing dimension of type 2).
    pub valid: Option<Validity>,
    /// The column that tells whole copies of the table apart, such as one of each day. A join that does not say which copy
    /// it means takes the one of the same partition as the row that is counted.
    pub partition: Option<String>,
    /// IANA time zone in which the times of its `time` dimensions are stored; `None`: they are local already, or carry
    /// their zone.
    pub stored_in: Option<String>,
}

/// The columns that say when a row holds: from the first, included, to the second, excluded; NULL is without an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// Where it is declared.
    pub place: Place,
    /// Column with the start.
    pub from: String,
    /// Column with the end.
    pub to: String,
}

impl Dataset {
    /// The table; `None` for a query.
    pub fn table(&self) -> Option<&str> {
        match &self.relation {
            Relation::Table(table) => Some(table),
            Relation::Sql(_) => None,
        }
    }

    /// The name under which the value index files this dataset's columns: the table; for a query, the dataset's name with
    /// a hash of the query, so that values of an earlier definition are never taken for those of this one.
    pub fn index_table(&self) -> Cow<'_, str> {
        match &self.relation {
            Relation::Table(table) => Cow::Borrowed(table),
            Relation::Sql(sql) => Cow::Owned(versioned(&self.name, sql)),
        }
    }

    /// The query behind it as this engine has it; `None` for a table.
    pub fn sql(&self, dialect: Dialect) -> Option<&str> {
        let Relation::Sql(sql) = &self.relation else {
            return None;
        };
        let mut own = self.dialects.iter();
        let own = own.find(|(engine, _)| engine == dialect.word());
        Some(own.map_or(sql, |(_, own)| own))
    }

    /// A dimension by name or alias, ignoring case.
    pub fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.dimensions.get(name).or_else(|| {
            self.dimensions.values().find(|dimension| {
                dimension.name.eq_ignore_ascii_case(name)
                    || dimension
                        .aliases
                        .iter()
                        .any(|alias| alias.eq_ignore_ascii_case(name))
            })
        })
    }
}

/// What a dimension's values are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DimensionType {
    /// Text.
    #[default]
    Text,
    /// A number.
    Number,
    /// True or false (also 0 and 1).
    Boolean,
    /// A calendar date.
    Date,
    /// A date with a time of day.
    Time,
}

impl DimensionType {
    /// Whether time grains (`month`, `week`, …) apply.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Date | Self::Time)
    }
}

/// Something metrics are grouped and filtered by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// Name in query lines. Equal names in different datasets mean the same thing (conformed dimensions).
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// SQL over the dataset's columns: mostly one column.
    pub expr: Expression,
    /// The column, where the dimension is just a column.
    pub column: Option<String>,
    /// The metric that the dimension is of each row of its dataset, instead of SQL over the row.
    pub of_metric: Option<OfMetric>,
    /// Name for people.
    pub label: String,
    /// One sentence for people.
    pub description: String,
    /// Other names (also written `synonyms`).
    pub aliases: Vec<String>,
    /// Type of its values.
    pub kind: DimensionType,
    /// The grain of a time, where one is said: what its name alone means in queries written as dbt writes them.
    pub time_grain: Option<Grain>,
    /// Personal data: never indexed, never in a prompt.
    pub pii: bool,
    /// Other names of values, by value as it stands in the data. They hold for every dimension of this name.
    pub value_aliases: IndexMap<String, Vec<String>>,
    /// Display format.
    pub format: Format,
}

/// A metric of each value of a dimension, over all time: `orders per buyer_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfMetric {
    /// The metric.
    pub metric: String,
    /// The dimension of the metric whose values are the keys of the dataset.
    pub per: String,
}

impl Dimension {
    /// A dimension that is a column and says nothing else.
    pub fn of_column(name: String, column: &str, place: Place) -> Self {
        Self {
            label: name.clone(),
            name,
            place,
            expr: Expression {
                text: column.to_owned(),
                place,
                dialects: Vec::new(),
            },
            column: Some(column.to_owned()),
            of_metric: None,
            description: String::new(),
            aliases: Vec::new(),
            kind: DimensionType::Text,
            time_grain: None,
            pii: false,
            value_aliases: IndexMap::new(),
            format: Format::default(),
        }
    }

    /// The name under which the value index files this dimension: its column; for an expression, its name with a hash of
    /// the expression.
    pub fn index_column(&self) -> Cow<'_, str> {
        match &self.column {
            Some(column) => Cow::Borrowed(column),
            None => Cow::Owned(versioned(&self.name, &self.expr.text)),
        }
    }
}

fn versioned(name: &str, definition: &str) -> String {
    format!(
        "{name}#{:016x}",
        xxhash_rust::xxh3::xxh3_64(definition.as_bytes())
    )
}

/// A many-to-one join onto another dataset's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// Role name: `buyer`, `seller`.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// The dataset joined to.
    pub to: String,
    /// Pairs (column here, key column there), in the order of the other dataset's key.
    pub on: Vec<(String, String)>,
}
