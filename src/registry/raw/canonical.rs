//! The keys of a canonical dataset.

use crate::model::{CanonicalKind, Grain, Status};
use crate::registry::read::{At, Many, Named, Word, object};
use crate::registry::yaml::Text;

object! {
    /// A dataset that everybody has agreed to build on.
    #[schemars(rename = "CanonicalDataset", extend("required" = ["kind"]))]
    struct RawCanonical {
        /// What it holds: `dimension`, `fact` or `mart`.
        kind: Option<Word<CanonicalKind>>,
        /// The dataset of this project that it is.
        dataset: Option<Text>,
        /// The table that it is, where it is no dataset of this project.
        table: Option<Text>,
        /// Other names that models refer to it by.
        aliases: Many<Text>,
        /// Column (or columns) that identify one row; the dataset's key where none is given.
        grain: Many<Text>,
        /// What it is for, in plain words.
        purpose: Option<Text>,
        /// Who answers for it.
        owner: Option<Text>,
        /// How far it is agreed on; `published` where none is given.
        status: Option<Word<Status>>,
        /// The canonical dataset to use instead of a deprecated one.
        successor: Option<Text>,
        /// How fresh and how complete it is to be.
        sla: Option<RawSla>,
        /// Core attributes, by name of a dimension or column.
        attributes: Named<RawAttribute>,
        /// Where it comes from, and where it goes.
        lineage: Option<RawLineage>,
        /// How it is meant to be used, in sentences.
        usage: Many<Text>,
    }
}

object! {
    /// How fresh and how complete a dataset is to be.
    #[schemars(rename = "Sla")]
    struct RawSla {
        /// How old its newest row may be, such as `2 days`.
        fresh_within: Option<Text>,
        /// The dimension or column with the time of a row, where it is not the dataset's time.
        by: Option<Text>,
        /// A period such as `day`: each one from the first to the last has rows.
        every: Option<Word<Grain>>,
        /// The least share of rows with a value in every core attribute that is not optional, such as `99.5%`.
        complete: Option<Text>,
    }
}

object! {
    /// A core attribute and what holds for its values.
    #[schemars(rename = "Attribute")]
    struct RawAttribute {
        /// What it means, in a sentence.
        description: Option<Text>,
        /// Every row has a value.
        not_null: Option<At<bool>>,
        /// A row without a value is complete all the same.
        optional: Option<At<bool>>,
        /// No value stands in two rows.
        unique: Option<At<bool>>,
        /// All values that occur.
        values: Many<Text>,
        /// The smallest and the largest value, numbers or dates; `null` is without an end: `[0, null]`.
        range: Many<Option<Text>>,
    }
}

object! {
    /// Where a dataset comes from, and where it goes.
    #[schemars(rename = "Lineage")]
    struct RawLineage {
        /// Tables that it is made from.
        sources: Many<Text>,
        /// How, in plain words.
        transformation: Option<Text>,
        /// What is made from it outside of this project: dashboards, exports, models.
        downstream: Many<Text>,
    }
}
