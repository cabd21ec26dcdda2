//! A number that is kept as a test of its metric, in the file that defines it.

use tokio_util::sync::CancellationToken;

use super::cell::decimals;
use super::{NotPublished, Publication, Session, SessionError};
use crate::compile::OutputColumn;
use crate::exchange::test_value;
use crate::model::{
    ColumnType, Expectation, FormatKind, MetricQuery, MetricTest, Place, Tolerance,
};
use crate::registry::edit::Edit;

/// A number to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Pin {
    /// The metric, by its name.
    pub metric: String,
    /// What the number is of: one row.
    pub query: MetricQuery,
    /// The number.
    pub value: f64,
    /// How far off it may be later.
    pub tolerance: Tolerance,
}

impl Pin {
    /// What the test says: `gmv by none where market = ID 2026-10 is 41200 (± 0.5)`.
    pub fn said(&self) -> String {
        self.test().title()
    }

    fn test(&self) -> MetricTest {
        MetricTest {
            name: None,
            place: Place::default(),
            query: self.query.clone(),
            expected: vec![Expectation::Equals {
                value: self.value,
                tolerance: self.tolerance,
            }],
        }
    }
}

/// How exactly a column shows a number: half of its last digit. What is shown as nothing but zeros is exact.
pub fn shown_within(column: &OutputColumn, value: f64) -> Tolerance {
    if column.ty != ColumnType::Number {
        return Tolerance::default();
    }
    let of_percent = match column.format.kind {
        FormatKind::Percent => 2,
        _ => 0,
    };
    let digits = i32::from(decimals(&column.format)) + of_percent;
    let half = 0.5 / 10_f64.powi(digits);
    match half * 100.0 > value.abs() {
        true => Tolerance::default(),
        false => Tolerance::Absolute(half),
    }
}

impl Session {
    /// Writes a number into the definition of its metric as a test, if it passes. Returns where: file and line.
    ///
    /// # Errors
    /// Why it is not written; the file is as it was then.
    pub async fn pin(&self, pin: &Pin, cancel: &CancellationToken) -> Result<String, NotPublished> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let Some(metric) = registry.metrics.get(&pin.metric) else {
            let error = SessionError::unknown_metric(registry, &pin.metric);
            return Err(NotPublished::new("unknown_metric", error.message));
        };
        let test = pin.test();
        let is_number = |one: &Expectation| matches!(one, Expectation::Equals { .. });
        let same = metric
            .tests
            .iter()
            .find(|old| old.query == test.query && old.expected.iter().any(is_number));
        if let Some(old) = same {
            let message = format!("{} is pinned already", pin.query);
            let at = registry.at(old.place);
            return Err(NotPublished::new("pinned", message).hint(format!("see {at}")));
        }
        let path = registry.file(metric.place);
        let push = Edit::Push {
            section: "metrics".to_owned(),
            name: pin.metric.clone(),
            key: "tests".to_owned(),
            item: test_value(&test),
        };
        let change = self.edited(path, &[push])?;
        let after = self.as_if(&[(path, change.text.as_deref())]);
        let only = std::slice::from_ref(&pin.metric);
        let results = after.test(only, cancel, |_, _| {}).await;
        let results = results.map_err(|error| NotPublished::new("failing_test", error.message))?;
        let failed = results.last().filter(|result| !result.passed());
        if let Some(failed) = failed {
            let reasons = failed.reasons().join("; ");
            let message = format!("{}: {reasons}", pin.query);
            return Err(NotPublished::new("failing_test", message)
                .hint("the number on the screen is no longer that of the warehouse"));
        }
        let publication = Publication {
            files: vec![change],
            ..Publication::default()
        };
        self.publish(&publication, cancel.clone()).await?;
        let catalog = self.catalog();
        let metric = catalog.registry.metrics.get(&pin.metric);
        let test = metric.and_then(|metric| metric.tests.last());
        let place = test.map_or(Place::default(), |test| test.place);
        Ok(catalog.registry.at(place))
    }
}
