//! Dimensions without a metric: the combinations that the rows of one dataset have, and the values of joined tables that
//! none of them leads to.

use std::collections::BTreeSet;

use jiff::civil::Date;
use metrex::model::{
    Aggregate, DateRange, DimensionType, Filter, GroupBy, Measure, MetricQuery, Place, TimeRange,
};

use super::answer::{Answer, order};
use super::metrics::{Context, Question};
use super::rows::Row;
use super::{Answered, Key, Value, World, conditions, ranked, refuse, time};

/// A row of the dataset with the rows that its joins lead to; where a joined row has nobody, that row alone.
struct Combination<'a>(Vec<(Vec<String>, Row<'a>)>);

pub fn alone(world: &World<'_>, query: &MetricQuery) -> Answered<Answer> {
    let groups = query.group_by.clone().unwrap_or_default();
    if groups.is_empty() || query.compare.is_some() || query.every_period == Some(true) {
        return refuse("there is no metric");
    }
    ranked::check(&groups, query)?;
    let at = query.time.unwrap_or(TimeRange::AllTime);
    let range = at.resolve(world.today, world.registry.calendar.week_start);
    let measure = Measure {
        place: Place::default(),
        dataset: owner(world, &groups, query.filters.as_ref())?,
        time: None,
        agg: Aggregate::Count,
        expr: None,
        filters: vec![],
        over_time: None,
    };
    let question = Question {
        groups: groups.clone(),
        conditions: query.filters.clone(),
        range,
        time: at,
        ..Question::new(world)
    };
    question.check(&measure, &Context::default())?;
    let mut keys = BTreeSet::new();
    for row in combinations(world, &measure, &groups)? {
        let field = |name: &str| match Filter::per(name) {
            None => row.dimension(world, &measure.dataset, name),
            Some((_, dimension)) => {
                let (of, _) = row.dimension(world, &measure.dataset, dimension)?;
                question.metric_of(name, of, &Context::default())
            }
        };
        if let Some(tree) = &query.filters
            && conditions::holds(tree, &field)? != Some(true)
        {
            continue;
        }
        let instant = |of: Option<&str>| -> Answered<_> {
            let name = question.time_name(&measure, of)?;
            Ok(row.dimension(world, &measure.dataset, &name)?.0.instant())
        };
        if range != DateRange::default() {
            let is_in = |day: Date| {
                range.start.is_none_or(|start| start <= day)
                    && range.end.is_none_or(|end| day < end)
            };
            if !instant(None)?.is_some_and(|at| is_in(at.date())) {
                continue;
            }
        }
        let mut key = Vec::new();
        for group in &groups {
            key.push(match group {
                GroupBy::Dimension(name) => row.dimension(world, &measure.dataset, name)?.0,
                GroupBy::Part { part, of } => {
                    let at = instant(of.as_deref())?;
                    at.map_or(Value::Null, |at| time::part(at, *part))
                }
                GroupBy::Grain { grain, of } => {
                    let at = instant(of.as_deref())?;
                    let week_start = world.registry.calendar.week_start;
                    at.map_or(Value::Null, |at| time::floor(at, *grain, week_start))
                }
            });
        }
        keys.insert(Key(key));
    }
    let names = groups
        .iter()
        .map(|group| group.to_string().replace('"', ""));
    let columns: Vec<String> = names.collect();
    let order = order(world, query, &columns, groups.len())?;
    let rows = keys.into_iter().map(|key| key.0).collect();
    let (rows, _) = ranked::limited(&groups, query, &order, rows);
    Ok(Answer { columns, rows })
}

impl<'a> Combination<'a> {
    fn dimension(
        &self,
        world: &World<'a>,
        dataset: &str,
        name: &str,
    ) -> Answered<(Value, DimensionType)> {
        let path = world.path(dataset, name)?;
        let dimension = &world.dataset(&path.dataset)?.dimensions[&path.dimension];
        let value = match self.at(world, &path.joins)? {
            Some(row) => world.own(row, dimension)?,
            None => Value::Null,
        };
        Ok((value, dimension.kind))
    }

    /// The row at the end of some joins.
    fn at(&self, world: &World<'a>, joins: &[String]) -> Answered<Option<Row<'a>>> {
        let mut known = self.0.iter();
        if let Some((_, row)) = known.find(|(path, _)| path == joins) {
            return Ok(Some(*row));
        }
        let Some((last, before)) = joins.split_last() else {
            return Ok(None);
        };
        match self.at(world, before)? {
            Some(row) => Ok(Some(world.join(row, &row.dataset.joins[last])?)),
            None => Ok(None),
        }
    }
}

/// The rows of a dataset, and those of tables joined for the groups that no row leads to.
fn combinations<'a>(
    world: &World<'a>,
    measure: &Measure,
    groups: &[GroupBy],
) -> Answered<Vec<Combination<'a>>> {
    let rows = world.rows(measure)?.into_iter();
    let mut all: Vec<Combination<'a>> = rows.map(|row| Combination(vec![(vec![], row)])).collect();
    let mut joined: Vec<Vec<String>> = Vec::new();
    for name in groups.iter().filter_map(GroupBy::dimension) {
        let path = world.path(&measure.dataset, name)?;
        for n in 1..=path.joins.len() {
            if !joined.contains(&path.joins[..n].to_vec()) {
                joined.push(path.joins[..n].to_vec());
            }
        }
    }
    for joins in joined {
        let mut met = Vec::new();
        for row in &mut all {
            if let Some(there) = row.at(world, &joins)?.filter(|there| there.exists()) {
                met.push(there);
                row.0.push((joins.clone(), there));
            }
        }
        let mut dataset = world.dataset(&measure.dataset)?;
        for join in &joins {
            dataset = world.dataset(&dataset.joins[join].to)?;
        }
        for row in world.all(dataset) {
            if !met.iter().any(|met| met.is(row)) {
                all.push(Combination(vec![(joins.clone(), row)]));
            }
        }
    }
    Ok(all)
}

/// The dataset that leads to all of them with the fewest joins; of several, one that is named by its key, else the first.
fn owner(world: &World<'_>, groups: &[GroupBy], conditions: Option<&Filter>) -> Answered<String> {
    let fields = conditions.into_iter().flat_map(Filter::fields);
    let fields = fields.map(|field| Filter::per(field).map_or(field, |(_, of)| of));
    let grouped = groups.iter().filter_map(GroupBy::dimension);
    let names: Vec<&str> = grouped.chain(fields).collect();
    if names.is_empty() {
        return refuse("which time?");
    }
    let mut best: Option<(usize, bool, String)> = None;
    for dataset in world.registry.datasets.values() {
        let paths = names.iter().map(|name| world.path(&dataset.name, name));
        let Ok(paths) = paths.collect::<Answered<Vec<_>>>() else {
            continue;
        };
        let mut joins = BTreeSet::new();
        for path in &paths {
            joins.extend((1..=path.joins.len()).map(|n| &path.joins[..n]));
        }
        let is_key = paths.iter().any(|path| {
            let own = dataset.dimensions.get(&path.dimension);
            let column = own.and_then(|own| own.column.clone());
            path.joins.is_empty() && column.is_some_and(|column| dataset.key == [column])
        });
        let cost = (joins.len(), !is_key);
        let is_better = best.as_ref().is_none_or(|best| cost < (best.0, best.1));
        if is_better {
            best = Some((cost.0, cost.1, dataset.name.clone()));
        }
    }
    best.map_or_else(|| refuse("no dataset has them all"), |best| Ok(best.2))
}
