//! What the guard has to say about a piece of SQL: findings with a code, a place and a hint.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The SQL is not run.
    Block,
    /// Something a reader should know; the SQL may run.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Block => "error",
            Self::Note => "note",
        })
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Kinds of findings. The names in text form are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// A NUL, control, bidi or invisible character.
    HiddenCharacter = "hidden_character",
    /// Too long, or nested too deeply.
    TooComplex = "too_complex",
    /// It does not parse.
    Syntax = "syntax",
    /// None, or more than one statement.
    OneStatement = "one_statement",
    /// The statement is no query.
    NotAQuery = "not_a_query",
    /// A part of the query writes: `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `INTO`.
    Writes = "writes",
    /// Rows are locked: `FOR UPDATE`, `FOR SHARE`.
    Locks = "locks",
    /// SQL that the guard does not know well enough to vouch for.
    Unsupported = "unsupported",
    /// A placeholder or a session variable.
    Parameter = "parameter",
    /// A function that is not on the list of allowed ones.
    Function = "function",
    /// A function used as a table.
    TableFunction = "table_function",
    /// An operator that is not on the list of allowed ones.
    Operator = "operator",
    /// A type that is not on the list of allowed ones.
    Type = "type",
    /// A recursive CTE without an end.
    Recursion = "recursion",
    /// A table that the definitions do not name.
    UnknownTable = "unknown_table",
    /// A column that the definitions do not name.
    UnknownColumn = "unknown_column",
    /// A column that several tables of the query have.
    AmbiguousColumn = "ambiguous_column",
    /// Personal data in the result.
    Pii = "pii",
    /// `*` was replaced by the columns that are known.
    StarExpanded = "star_expanded",
    /// A join without a condition that pairs columns.
    Cartesian = "cartesian",
    /// `NATURAL JOIN`: its condition changes with the tables.
    NaturalJoin = "natural_join",
    /// Columns are compared that no join of the definitions pairs.
    JoinPair = "join_pair",
    /// A join that can multiply rows on both sides.
    FanOut = "fan_out",
    /// A literal that does not occur in its column.
    UnknownValue = "unknown_value",
    /// A literal that could not be compared with the data.
    UncheckedValue = "unchecked_value",
    /// Whole numbers are divided, and the remainder is dropped.
    IntegerDivision = "integer_division",
    /// A text that is no date, compared with dates.
    BadDate = "bad_date",
    /// A condition of the snippet is gone, or was made weaker.
    MissingFilter = "missing_filter",
    /// A limit that cannot be enforced.
    Limit = "limit",
    /// The warehouse refused it in a dry run.
    Engine = "engine",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing found in a piece of SQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The word it is about, as written.
    pub token: String,
    /// Line, from 1; 0 where the SQL as a whole is meant.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What would be right, in words that a model can act upon.
    pub hint: Option<String>,
}

impl fmt::Display for Finding {
    /// `3:17: error: unknown value 'Agent' of orders.status — values: AG, PH; write one of them`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        write!(f, "{}: {}", self.severity, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " — {hint}"),
            None => Ok(()),
        }
    }
}

/// What was found in one piece of SQL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Everything found, by place.
    pub findings: Vec<Finding>,
    /// The SQL to run, printed from the tree that was checked: without comments, with a limit and without `*` over
    /// tables. `None` when something blocks.
    pub sql: Option<String>,
}

impl Report {
    /// Whether the SQL must not run.
    pub fn blocks(&self) -> bool {
        self.sql.is_none() || self.blocking().next().is_some()
    }

    /// The findings that block.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.severity == Severity::Block)
    }

    /// The findings that do not.
    pub fn notes(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.severity == Severity::Note)
    }

    /// The same with a finding of the engine's dry run, which blocks.
    pub fn refused_by_engine(mut self, message: impl Into<String>, hint: Option<String>) -> Self {
        self.findings.push(Finding {
            code: Code::Engine,
            severity: Severity::Block,
            token: String::new(),
            line: 0,
            column: 0,
            message: message.into(),
            hint,
        });
        self.sql = None;
        self
    }
}

impl fmt::Display for Report {
    /// One finding per line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        Ok(())
    }
}
