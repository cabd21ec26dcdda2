//! The kinds of nodes and edges, with the words that the file and the exports have for them.

use serde::{Serialize, Serializer};

macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident: $($(#[$of:meta])* $variant:ident = $word:literal,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$of])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word for it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The one of a word.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    };
}

kinds! {
    /// What a node is.
    NodeKind:
    /// All queries whose SQL has one shape.
    Query = "query",
    /// A table of the warehouse.
    Table = "table",
    /// A column of one.
    Column = "column",
    /// A metric.
    Metric = "metric",
    /// A dimension.
    Dimension = "dimension",
    /// A value that a dimension or a column was held against.
    Value = "value",
    /// A pair of columns that rows were joined on.
    JoinPath = "join_path",
    /// A canonical dataset.
    Dataset = "dataset",
    /// A skill: a piece of SQL that answered more than once.
    Skill = "skill",
    /// A saved query.
    View = "view",
    /// A rollup.
    Rollup = "rollup",
    /// Somebody who asked.
    Person = "person",
}

kinds! {
    /// What an edge says of the two things it leads from and to.
    EdgeKind:
    /// A query reads a table or a column.
    Accesses = "ACCESSES",
    /// A query asks for a metric.
    Calculates = "CALCULATES",
    /// A query joins on a pair of columns.
    UsesJoinPath = "USES_JOIN_PATH",
    /// A query holds a dimension or a column against a value.
    Filters = "FILTERS",
    /// A query is grouped by a dimension.
    GroupsBy = "GROUPS_BY",
    /// A query was answered from a skill, a saved query, a rollup or a canonical dataset.
    AnsweredBy = "ANSWERED_BY",
    /// A metric is made of another one.
    Derives = "DERIVES",
    /// A metric is computed from a table.
    ComputedFrom = "COMPUTED_FROM",
    /// A metric was grouped by a dimension.
    HasDimension = "HAS_DIMENSION",
    /// A query was asked after another one in the same session.
    Follows = "FOLLOWS",
    /// A query was asked in the place of another one.
    Corrects = "CORRECTS",
    /// A person asked a query.
    Asked = "ASKED",
}

impl NodeKind {
    /// The kinds whose things have names that somebody would type.
    pub const NAMED: &'static [Self] = &[
        Self::Metric,
        Self::Dataset,
        Self::Table,
        Self::Dimension,
        Self::Column,
        Self::View,
        Self::Skill,
        Self::Rollup,
        Self::Person,
        Self::JoinPath,
    ];

    /// The word for it in a sentence.
    pub fn said(self) -> &'static str {
        match self {
            Self::JoinPath => "join",
            Self::Dataset => "canonical dataset",
            Self::View => "saved query",
            other => other.word(),
        }
    }
}
