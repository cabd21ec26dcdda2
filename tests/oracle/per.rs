//! Conditions on a metric of each value of a dimension: a question of its own for the value that a row has.

use std::rc::Rc;

use metrex::model::{DateRange, DimensionType, Filter, GroupBy, Measure, Period, TimeRange};

use super::answer::{kind, usage};
use super::metrics::{Context, Question};
use super::rows::Row;
use super::{Answered, Key, Value, World, conditions};

/// A condition of a definition that names a metric per dimension; others are expressions.
pub fn per_dimension(text: &str) -> Option<Filter> {
    let tree: Filter = text.parse().ok()?;
    let is_one = tree
        .fields()
        .iter()
        .any(|field| Filter::per(field).is_some());
    is_one.then_some(tree)
}

impl<'a> Question<'_, 'a> {
    /// What a condition names, for a row.
    pub fn field(
        &self,
        row: Row<'a>,
        name: &str,
        context: &Context,
    ) -> Answered<(Value, DimensionType)> {
        let Some((_, dimension)) = Filter::per(name) else {
            return self.world.dimension(row, name);
        };
        let (of, _) = self.world.dimension(row, dimension)?;
        self.metric_of(name, of, context)
    }

    /// The metric of a value of a dimension.
    pub fn metric_of(
        &self,
        name: &str,
        of: Value,
        context: &Context,
    ) -> Answered<(Value, DimensionType)> {
        let (metric, dimension) = Filter::per(name).unwrap();
        let metric = self.metric(metric)?;
        let value = match of {
            Value::Null => Value::Null,
            of => {
                let asked = self.asked_by(dimension, context);
                asked.value(metric, &Context::default(), &Key(vec![of]))?
            }
        };
        Ok((value, kind(self.world, metric)))
    }

    /// Whether a condition can be asked of a measure.
    pub fn check_tree(&self, tree: &Filter, measure: &Measure, context: &Context) -> Answered<()> {
        // Literals are wrong or right whatever the rows are.
        let field = |name: &str| Ok((Value::Null, self.check_field(name, measure, context)?));
        conditions::holds(tree, &field)?;
        Ok(())
    }

    fn check_field(
        &self,
        name: &str,
        measure: &Measure,
        context: &Context,
    ) -> Answered<DimensionType> {
        let Some((metric, dimension)) = Filter::per(name) else {
            return Ok(self.world.kind(&measure.dataset, name)?.0);
        };
        self.world.kind(&measure.dataset, dimension)?;
        let asked = self.asked_by(dimension, context);
        let nobody = Key(vec![Value::Null]);
        let metric = self.metric(metric)?;
        asked.value(metric, &Context::default(), &nobody)?;
        Ok(kind(self.world, metric))
    }

    /// The question for the metric of each value of a dimension: over the same time, and under no other condition.
    fn asked_by(&self, dimension: &str, context: &Context) -> Rc<Self> {
        let (range, time) = match &context.back {
            None => (self.range, self.time),
            Some(back) => (back.range, span(back.range)),
        };
        let name = format!("{dimension} {range:?}");
        if let Some(known) = self.inner.borrow().get(&name) {
            return Rc::clone(known);
        }
        let groups = vec![GroupBy::Dimension(dimension.to_owned())];
        let asked = Rc::new(Question {
            usage: usage(&groups, None),
            groups,
            conditions: None,
            range,
            time,
            ..Question::new(self.world)
        });
        self.inner.borrow_mut().insert(name, Rc::clone(&asked));
        asked
    }
}

impl<'w, 'a> Question<'w, 'a> {
    /// A question of all rows.
    pub fn new(world: &'w World<'a>) -> Self {
        Self {
            world,
            groups: vec![],
            conditions: None,
            range: DateRange::default(),
            time: TimeRange::AllTime,
            usage: Default::default(),
            folds: None,
            done: Default::default(),
            inner: Default::default(),
        }
    }
}

fn span(range: DateRange) -> TimeRange {
    if range == DateRange::default() {
        return TimeRange::AllTime;
    }
    let last = range.end.map(|end| end.yesterday().unwrap());
    TimeRange::Span(range.start.map(Period::Day), last.map(Period::Day))
}
