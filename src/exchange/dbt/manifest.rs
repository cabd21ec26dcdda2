//! A dbt semantic manifest as plain data, whichever form it was written in.

use crate::model::{DimensionType, Place};

/// Everything an import carries over.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    pub(super) models: Vec<Model>,
    pub(super) measures: Vec<Measure>,
    pub(super) metrics: Vec<Metric>,
    pub(super) saved_queries: Vec<SavedQuery>,
    pub(super) spines: Vec<Spine>,
}

impl Manifest {
    pub(super) fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    pub(super) fn measure(&self, name: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.name == name)
    }
}

/// A semantic model: one table.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
    /// `table` or `schema.table`.
    pub(super) table: String,
    pub(super) agg_time: Option<String>,
    /// The entity one row is, also where no column holds it.
    pub(super) primary_entity: Option<String>,
    pub(super) entities: Vec<Entity>,
    pub(super) dimensions: Vec<Dimension>,
}

impl Model {
    pub(super) fn entity(&self, name: &str) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.name == name)
    }

    pub(super) fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.dimensions
            .iter()
            .find(|dimension| dimension.name == name)
    }

    /// The entity that one row is: the primary one, one with a time of validity, or the first that is unique.
    pub(super) fn key(&self) -> Option<&Entity> {
        use EntityKind::{Natural, Primary, Unique};
        [Primary, Natural, Unique].into_iter().find_map(|kind| {
            let mut of_kind = self.entities.iter().filter(|entity| entity.kind == kind);
            match &self.primary_entity {
                Some(primary) if kind != Unique => of_kind
                    .clone()
                    .find(|entity| entity.name == *primary)
                    .or_else(|| of_kind.next()),
                _ => of_kind.next(),
            }
        })
    }

    /// The word before `__` in the names of its dimensions.
    pub(super) fn prefix(&self) -> Option<&str> {
        self.primary_entity
            .as_deref()
            .or_else(|| Some(self.key()?.name.as_str()))
    }

    /// The dimensions that say when a row holds.
    pub(super) fn validity(&self) -> Option<(&Dimension, &Dimension)> {
        let of = |kind| {
            self.dimensions
                .iter()
                .find(|dimension| dimension.validity == Some(kind))
        };
        Some((of(Validity::Start)?, of(Validity::End)?))
    }

    /// Dimensions that a join must agree on, where the other side has them too.
    pub(super) fn partitions(&self) -> impl Iterator<Item = &Dimension> {
        self.dimensions
            .iter()
            .filter(|dimension| dimension.is_partition)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntityKind {
    Primary,
    Unique,
    Natural,
    Foreign,
}

#[derive(Debug)]
pub(super) struct Entity {
    pub(super) name: String,
    pub(super) kind: EntityKind,
    /// A column, mostly.
    pub(super) expr: String,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validity {
    Start,
    End,
}

#[derive(Debug)]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) expr: String,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
    /// Its finest grain, of a time dimension.
    pub(super) granularity: Option<String>,
    pub(super) validity: Option<Validity>,
    pub(super) is_partition: bool,
    /// What its values are, where the manifest shows it.
    pub(super) kind: Option<DimensionType>,
}

impl Dimension {
    pub(super) fn is_time(&self) -> bool {
        self.granularity.is_some()
    }

    /// Whether it tells times of one day apart.
    pub(super) fn is_sub_day(&self) -> bool {
        self.granularity
            .as_deref()
            .is_some_and(|grain| !["day", "week", "month", "quarter", "year"].contains(&grain))
    }
}

#[derive(Debug, Clone)]
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
    pub(super) model: String,
    pub(super) agg: String,
    pub(super) expr: Option<String>,
    pub(super) time: Option<String>,
    pub(super) percentile: Option<f64>,
    pub(super) discrete: bool,
    pub(super) approximate: bool,
    pub(super) non_additive: Option<NonAdditive>,
    /// Whether it is a metric of its own name too.
    pub(super) creates_metric: bool,
}

#[derive(Debug, Clone)]
pub(super) struct NonAdditive {
    pub(super) time: String,
    /// `min` or `max`.
    pub(super) choice: String,
    pub(super) groupings: Vec<String>,
}

/// A measure or a metric, as another metric uses it.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) name: String,
    pub(super) alias: Option<String>,
    /// Conditions in dbt's words.
    pub(super) filters: Vec<String>,
    pub(super) offset_window: Option<String>,
    pub(super) offset_to_grain: Option<String>,
    pub(super) fill: Option<String>,
    pub(super) every_period: bool,
}

/// What a simple or cumulative metric, or a side of a conversion, is made of.
#[derive(Debug, Clone)]
pub(super) enum Input {
    Measure(Use),
    Metric(Use),
}

impl Input {
    pub(super) fn used(&self) -> &Use {
        match self {
            Self::Measure(used) | Self::Metric(used) => used,
        }
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    Simple(Use),
    Ratio(Use, Use),
    Derived {
        expr: String,
        inputs: Vec<Use>,
    },
    Cumulative {
        input: Input,
        window: Option<String>,
        grain_to_date: Option<String>,
        period_agg: String,
    },
    Conversion {
        entity: String,
        base: Input,
        conversion: Input,
        window: Option<String>,
        counts: bool,
        same: Vec<(String, String)>,
    },
}

#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
    pub(super) filters: Vec<String>,
    pub(super) owner: Option<String>,
    pub(super) tags: Vec<String>,
    /// The grain of its time, where it says one.
    pub(super) granularity: Option<String>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) struct SavedQuery {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) description: Option<String>,
    pub(super) metrics: Vec<String>,
    pub(super) group_by: Vec<String>,
    pub(super) filters: Vec<String>,
    pub(super) order_by: Vec<String>,
    pub(super) limit: Option<String>,
}

/// A table of days with periods of its own.
#[derive(Debug)]
pub(super) struct Spine {
    pub(super) place: Place,
    pub(super) table: String,
    pub(super) column: String,
    pub(super) granularity: String,
    /// Name and column.
    pub(super) periods: Vec<(String, String)>,
}
