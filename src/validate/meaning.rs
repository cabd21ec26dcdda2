//! What the guard knows of the values an expression can have: columns they come from, literals they may be.

use sqlparser::tokenizer::Location;

/// A column of a table of the warehouse, or of a dataset's query; names are folded as the engine folds them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Base {
    pub(super) table: String,
    pub(super) column: String,
}

/// A literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Constant {
    pub(super) kind: ConstantKind,
    pub(super) text: String,
    pub(super) at: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConstantKind {
    Text,
    Number,
    /// NULL, true and false: nothing that is looked up.
    Other,
}

/// How letters were changed on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Fold {
    #[default]
    Exact,
    Lower,
    Upper,
    /// Compared without regard to case.
    Any,
}

impl Fold {
    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Self::Exact => text.to_owned(),
            Self::Lower | Self::Any => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
        }
    }
}

/// What is known of the values of an expression.
#[derive(Debug, Clone, Default)]
pub(super) struct Meaning {
    /// Columns whose values may come out.
    pub(super) bases: Vec<Base>,
    /// Literals that may come out.
    pub(super) constants: Vec<Constant>,
    /// Whether other values may come out, too.
    pub(super) open: bool,
    pub(super) fold: Fold,
    /// Whether spaces around the text were taken off.
    pub(super) trimmed: bool,
    /// The personal data in it.
    pub(super) pii: Option<String>,
}

impl Meaning {
    /// Something computed.
    pub(super) fn open() -> Self {
        Self {
            open: true,
            ..Self::default()
        }
    }

    pub(super) fn of_base(base: Base) -> Self {
        Self {
            bases: vec![base],
            ..Self::default()
        }
    }

    pub(super) fn of_constant(kind: ConstantKind, text: &str, at: Location) -> Self {
        Self {
            constants: vec![Constant {
                kind,
                text: text.to_owned(),
                at,
            }],
            ..Self::default()
        }
    }

    /// Whether only literals can come out.
    pub(super) fn is_constant(&self) -> bool {
        !self.open && self.bases.is_empty() && !self.constants.is_empty()
    }

    /// Something computed from it: the values are lost, personal data is not.
    pub(super) fn computed(self) -> Self {
        Self {
            pii: self.pii,
            ..Self::open()
        }
    }

    /// Either of the two.
    pub(super) fn or(mut self, other: Self) -> Self {
        for base in other.bases {
            if !self.bases.contains(&base) {
                self.bases.push(base);
            }
        }
        for constant in other.constants {
            if !self.constants.contains(&constant) {
                self.constants.push(constant);
            }
        }
        self.open |= other.open;
        if self.fold != other.fold {
            // A literal beside a folded column stays as it is.
            self.fold = match (self.fold, other.fold) {
                (Fold::Exact, fold) | (fold, Fold::Exact) => fold,
                _ => Fold::Any,
            };
        }
        self.trimmed |= other.trimmed;
        self.pii = self.pii.or(other.pii);
        self
    }
}

/// A column that a query, a table or a CTE gives.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// Folded.
    pub(super) name: String,
    pub(super) meaning: Meaning,
    pub(super) at: Location,
}

/// What a query, a table or a CTE gives.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) columns: Vec<Output>,
    /// Columns of which no two rows have the same values; none for a single row, `None` where it is not known.
    pub(super) unique: Option<Vec<String>>,
    /// Whether it may have other columns, since it could not be understood.
    pub(super) open: bool,
    /// The tables behind it, sorted.
    pub(super) tables: Vec<String>,
}

/// Rows with a name in a `FROM`.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// Folded.
    pub(super) alias: String,
    /// The folded name of the table, where it is one.
    pub(super) table: Option<String>,
    pub(super) rows: Rows,
}

impl Relation {
    pub(super) fn column(&self, name: &str) -> Option<&Output> {
        self.rows.columns.iter().find(|column| column.name == name)
    }
}
