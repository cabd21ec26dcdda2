//! Dimensions without a metric: their distinct combinations, from the dataset that has them with the fewest joins.

use super::leg::Rows;
use super::{Column, Context, Leg, Planner};
use crate::compile::key::{Asked, Key, key, time_of};
use crate::compile::scope::Scope;
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, Reason, ReasonKind, filter};
use crate::model::{Aggregate, ColumnType, Dataset, DatePart, DateRange, Format, GroupBy, Measure};

impl<'a> Planner<'a> {
    /// The rows of one dataset, grouped by what is asked for and nothing else.
    pub(super) fn alone(&mut self) -> Result<Leg, CompileError> {
        if let Some(leg) = self.of_calendar() {
            return Ok(leg);
        }
        let (request, options) = (self.request, self.options);
        let dialect = options.dialect;
        let (dataset, others) = self.owner()?;
        let groups: Vec<String> = request.groups.iter().map(ToString::to_string).collect();
        let mut text = format!("{} as {} has them", groups.join(", "), dataset.name);
        if !others.is_empty() {
            text.push_str(&format!(
                "; {} could be asked too, by a metric of it",
                others.join(", ")
            ));
        }
        self.note(vec![Reason {
            kind: ReasonKind::Source,
            text,
            place: Some(dataset.place),
        }]);
        let measure = Measure {
            place: dataset.place,
            dataset: dataset.name.clone(),
            time: None,
            agg: Aggregate::Count,
            expr: None,
            filters: Vec::new(),
            over_time: None,
        };
        let peers = [dataset.name.clone()];
        let mut scope = Scope::new(self.registry, self.reach, options, &peers, &measure)?;
        let mut keys = Vec::new();
        for group in &request.groups {
            let asked = Asked {
                group,
                measure: &measure,
                shift: None,
                period: None,
                is_offset: false,
            };
            let (sql, key, _) = key(&asked, &mut scope, self.registry, options)?;
            keys.push(Column {
                name: key.name.clone(),
                ty: key.ty,
                sql,
            });
            self.planned.keys.push(key);
        }
        let mut conditions = Vec::new();
        if let Some(tree) = &request.conditions {
            self.join_each(tree, &mut scope, &Context::default())?;
            conditions.push(Fragment::plain(filter::condition(
                tree, &mut scope, dialect,
            )?));
        }
        let mut bounds = None;
        if request.range != DateRange::default() {
            let time = time_of(&measure, &mut scope, None)?;
            bounds = filter::bounds(&time.sql, request.range, dialect)
                .map(|bounds| Fragment::new(bounds, [time.dimension.place]));
        }
        let reasons = std::mem::take(&mut scope.reasons);
        self.note(reasons);
        let (from, joins) = scope.tables();
        Ok(Leg {
            dataset: dataset.name.clone(),
            keys,
            columns: Vec::new(),
            from,
            joins,
            definition: Vec::new(),
            conditions,
            bounds,
            over: None,
            rows: Rows::All,
            daily: None,
            by_day_first: false,
            treatment: String::new(),
            filters: Vec::new(),
        })
    }

    /// Periods of nothing but time are those of the calendar table, where one is declared.
    fn of_calendar(&mut self) -> Option<Leg> {
        let (request, dialect) = (self.request, self.options.dialect);
        let table = self.registry.calendar.table.as_ref()?;
        if request.conditions.is_some() {
            return None;
        }
        let date = dialect.name(&table.date);
        let mut columns = Vec::new();
        let mut keys = Vec::new();
        for group in &request.groups {
            let own = match group {
                GroupBy::Grain { grain, of: None } => table.periods.get(grain.word()),
                GroupBy::Dimension(name) => table.periods.get(name),
                _ => None,
            };
            let (sql, ty, grain) = match group {
                _ if let Some(own) = own => {
                    let column = dialect.as_text(&dialect.name(&own.column));
                    (column, ColumnType::Text, None)
                }
                GroupBy::Grain { grain, of: None } if !grain.is_sub_day() => {
                    let start = dialect.trunc(&date, *grain, self.registry.calendar.week_start);
                    (start, ColumnType::Date, Some(*grain))
                }
                GroupBy::Part { part, of: None } if *part != DatePart::HourOfDay => {
                    (dialect.date_part(&date, *part), ColumnType::Integer, None)
                }
                _ => return None,
            };
            let name = group.to_string();
            columns.push(Column {
                name: name.clone(),
                ty,
                sql: Fragment::new(sql, [table.place]),
            });
            keys.push(Key {
                label: name.replace('_', " "),
                name,
                dimension: None,
                ty,
                grain,
                format: Format::default(),
            });
        }
        self.planned.keys = keys;
        let bounds = filter::bounds(&date, request.range, dialect);
        Some(Leg {
            dataset: table.table.clone(),
            keys: columns,
            columns: Vec::new(),
            from: Fragment::new(dialect.table(&table.table), [table.place]),
            joins: Vec::new(),
            definition: Vec::new(),
            conditions: Vec::new(),
            bounds: bounds.map(|bounds| Fragment::new(bounds, [table.place])),
            over: None,
            rows: Rows::All,
            daily: None,
            by_day_first: false,
            treatment: String::new(),
            filters: Vec::new(),
        })
    }

    /// The dataset that has every dimension with the fewest joins, and others that have them with as few.
    fn owner(&self) -> Result<(&'a Dataset, Vec<&'a str>), CompileError> {
        let request = self.request;
        let grouped: Vec<&str> = request
            .groups
            .iter()
            .filter_map(GroupBy::dimension)
            .collect();
        let Some(first) = grouped.first() else {
            return Err(CompileError::new(
                ErrorCode::InvalidTime,
                "without a metric, a time grain alone does not say which time",
            )
            .hint("name the time, such as created_at.month, or a metric"));
        };
        let mut names = grouped.clone();
        names.extend(request.dimensions());
        let of_snippet = |dataset: &Dataset| {
            let facets = self.registry.metrics.values();
            facets
                .filter_map(|metric| metric.kind.facets())
                .any(|facets| facets.dataset == dataset.name)
        };
        let mut best: Vec<(usize, bool, &Dataset)> = Vec::new();
        for dataset in self.registry.datasets.values() {
            let find = |name: &&str| self.reach.find(self.registry, &dataset.name, name);
            let Ok(paths) = names.iter().map(find).collect::<Result<Vec<_>, _>>() else {
                continue;
            };
            let joins = paths.iter().map(|path| path.joins.len()).sum();
            let is_key = paths
                .iter()
                .filter(|path| path.joins.is_empty())
                .any(|path| {
                    let column = path.resolve(self.registry);
                    let column = column.and_then(|(_, dimension)| dimension.column.as_ref());
                    column.is_some_and(|column| dataset.key.as_slice() == [column.clone()])
                });
            if !of_snippet(dataset) {
                best.push((joins, !is_key, dataset));
            }
        }
        best.sort_by_key(|(joins, no_key, _)| (*joins, *no_key));
        if let Some((joins, no_key, dataset)) = best.first() {
            let same = best
                .iter()
                .skip(1)
                .filter(|other| (other.0, other.1) == (*joins, *no_key));
            return Ok((dataset, same.map(|other| other.2.name.as_str()).collect()));
        }
        for name in &names {
            let mut errors = Vec::new();
            for dataset in self.registry.datasets.keys() {
                match self.reach.find(self.registry, dataset, name) {
                    Ok(_) => errors.clear(),
                    Err(error) => {
                        errors.push(error);
                        continue;
                    }
                }
                break;
            }
            if let Some(error) = errors.into_iter().next() {
                return Err(error);
            }
        }
        Err(CompileError::new(
            ErrorCode::UnreachableDimension,
            format!(
                "no dataset leads to all of {} without multiplying rows",
                names.join(", ")
            ),
        )
        .hint("ask for fewer of them, or name a metric that has them all")
        .word(*first))
    }
}
