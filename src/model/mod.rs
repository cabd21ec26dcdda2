//! Plain data shared by every room: what metrics, datasets and queries are. No I/O, no SQL, no terminal.

mod alert;
pub mod alike;
mod analysis;
mod calendar;
mod canonical;
mod connection;
mod dataset;
mod dialect;
mod format;
mod hypothesis;
mod intent;
mod life;
mod llm;
mod metric;
mod metric_test;
pub mod personal;
mod place;
mod policy;
mod query;
pub mod query_line;
mod registry;
mod thousands;
pub mod time_phrase;
mod values;
pub mod world;

pub use alert::{
    Alert, AlertSeverity, Amount, FEWEST_PERIODS, FEWEST_STEPS, Side, When, WhenError, seasons,
};
pub use analysis::{Analysis, AnalysisKind, AnalysisValues, AnalysisView, TODAY};
pub use calendar::{
    Calendar, CalendarPeriod, CalendarTable, DatePart, DateRange, Grain, Period, Spine, TimeRange,
    Weekday,
};
pub use canonical::{Attribute, CanonicalDataset, CanonicalKind, CanonicalOf, Lineage, Sla};
pub use connection::{AdbcSettings, Connection, ConnectionKind, Guard, PostgresSettings};
pub use dataset::{Dataset, Dimension, DimensionType, Join, OfMetric, Relation, Validity};
pub use dialect::Dialect;
pub use format::{ColumnType, Format, FormatKind};
pub use hypothesis::{Hypothesis, Moves};
pub use intent::{Intent, IntentKind};
pub use life::{LifeEvent, ReviewCheck, ReviewRules, Step, is_same_person};
pub use llm::{AutoRun, LlmSettings, Prices, ProviderKind, Recording};
pub use metric::{
    Aggregate, AtCoarserGrain, Conversion, ConversionResult, Cumulative, Expression, Facets, Input,
    Measure, Metric, MetricKind, Offset, OverTime, Source, Status, Take, UseWhen, Window,
};
pub use metric_test::{Expectation, MetricTest, Tolerance};
pub use place::{FileId, Place};
pub use policy::{Algorithm, NoveltyPays, OptimisationPays, PolicySettings, RewardTable};
pub use query::{
    CompareOp, Comparison, Direction, Filter, GroupBy, MetricQuery, NOT_KEPT, OrderBy, Presented,
    QueryLineError, Shown,
};
pub use registry::{Conventions, Registry, Rollup, Snippet, View};
pub use thousands::{counted, thousands};
pub use values::{ColumnState, NoValues, ValueHit, ValueLookup};
