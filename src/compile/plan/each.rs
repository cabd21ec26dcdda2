//! A metric of each value of a dimension, in a condition (`gmv per buyer_id > 100`) or as a dimension: the metric is a
//! relation of its own, with one row per value, so that joining it multiplies nothing.

use jiff::ToSpan;

use super::{Context, Formula, Join, Leaf, Node, Planned, Planner, With};
use crate::compile::scope::Scope;
use crate::compile::write::Fragment;
use crate::compile::{
    CompileError, CompileOptions, ErrorCode, Reachability, Reason, ReasonKind, Role, dunder,
    filter, leaf_metrics, output, request,
};
use crate::model::{
    ColumnType, Dataset, DateRange, Expression, Filter, GroupBy, MetricQuery, Period, Registry,
    TimeRange,
};

/// Conditions may stand in the definitions that other conditions name this deep.
const MAX_NESTING: u8 = 8;

/// A metric of each value of a dimension.
#[derive(Debug, Clone)]
pub(in crate::compile) struct Each {
    /// The relation's name in the statement.
    pub(in crate::compile) name: String,
    pub(in crate::compile) node: Node,
    /// What it reads of the calendar table.
    pub(in crate::compile) tables: Vec<(String, Node)>,
    /// Its column with the values of the dimension.
    pub(in crate::compile) key: String,
    pub(in crate::compile) key_ty: ColumnType,
    /// Its column with the metric.
    pub(in crate::compile) value: String,
    pub(in crate::compile) ty: ColumnType,
    /// What the metric is for a value without rows, where that is something.
    pub(in crate::compile) empty: Option<String>,
}

impl Planned {
    /// A plan with the relations that its legs and conditions read.
    pub(in crate::compile) fn with_each(&self, root: Node) -> Node {
        if self.each.is_empty() && self.tables.is_empty() {
            return root;
        }
        let each = self.each.iter().flat_map(|each| {
            let own = (each.name.clone(), each.node.clone());
            each.tables.iter().cloned().chain([own])
        });
        Node::With(Box::new(With {
            tables: self.tables.iter().cloned().chain(each).collect(),
            input: root,
        }))
    }
}

impl<'a> Planner<'a> {
    /// A condition of a definition as SQL.
    pub(super) fn defined(
        &mut self,
        condition: &Expression,
        scope: &mut Scope<'_>,
        context: &Context<'_>,
    ) -> Result<String, CompileError> {
        match condition.text.parse::<Filter>() {
            Ok(tree)
                if tree
                    .fields()
                    .into_iter()
                    .any(|field| Filter::per(field).is_some()) =>
            {
                self.join_each(&tree, scope, context)
                    .map_err(|error| match error.place {
                        Some(_) => error,
                        None => error.at(condition.place),
                    })?;
                filter::condition(&tree, scope, self.options.dialect)
            }
            _ => scope.expression(condition),
        }
    }

    /// Joins what the conditions of a tree name as a metric per dimension.
    pub(super) fn join_each(
        &mut self,
        tree: &Filter,
        scope: &mut Scope<'_>,
        context: &Context<'_>,
    ) -> Result<(), CompileError> {
        let range = context
            .back
            .as_ref()
            .map_or(self.request.range, |back| back.range);
        for field in tree.fields() {
            let Some((metric, dimension)) = Filter::per(field) else {
                continue;
            };
            if scope.each(field).is_some() {
                continue;
            }
            if context.ago.is_some() && range != DateRange::default() {
                return Err(CompileError::new(
                    ErrorCode::InvalidClause,
                    format!("{field} is over the time range, and that of earlier periods of the calendar table is not known"),
                )
                .hint("ask for all time")
                .word(field));
            }
            let name = relation_name(metric, dimension, range);
            if !self.planned.each.iter().any(|each| each.name == name) {
                // The same words of time, so that offsets inside compare the same days.
                let time = match (&context.back, self.request.query.time) {
                    (None, Some(time)) if !self.is_metricflow() => time,
                    _ => time_range(range),
                };
                self.each((metric, dimension), range, time)?;
            }
            let each = self.planned.each.iter().find(|each| each.name == name);
            if let Some(each) = each.cloned() {
                let own = self.counterpart_of(metric, dimension, scope.base);
                scope.join_each(field, own, &each)?;
            }
        }
        Ok(())
    }

    /// What a dataset calls the dimension that a metric is taken per. A path of the metric's dataset may end in an entity
    /// that the rows have by themselves.
    fn counterpart_of<'n>(&self, metric: &str, dimension: &'n str, base: &Dataset) -> &'n str {
        let entities = |dataset: &str, name: &str| {
            let path = self.reach.find(self.registry, dataset, name);
            path.map(|path| path.entities(self.registry))
        };
        let (Err(_), Some((_, last))) =
            (entities(&base.name, dimension), dimension.rsplit_once('.'))
        else {
            return dimension;
        };
        let leaves = self.registry.metric(metric).into_iter();
        let mut measures = leaves
            .flat_map(|metric| leaf_metrics(self.registry, metric))
            .flat_map(|leaf| leaf.kind.sources())
            .flat_map(|source| &source.measures);
        let own = entities(&base.name, last).unwrap_or_default();
        let is_same = measures.any(|measure| {
            let theirs = entities(&measure.dataset, dimension).unwrap_or_default();
            theirs.iter().any(|entity| own.contains(entity))
        });
        if is_same { last } else { dimension }
    }

    fn each(
        &mut self,
        (metric, dimension): (&str, &str),
        range: DateRange,
        time: TimeRange,
    ) -> Result<(), CompileError> {
        let relations = relations(
            self.registry,
            self.reach,
            self.options,
            self.request.nesting,
            (metric, dimension),
            (range, time),
        )?;
        self.add_relations(relations);
        self.note(vec![Reason {
            kind: ReasonKind::Filter,
            text: format!(
                "{metric} per {dimension} is over {range}; the other conditions do not restrict it"
            ),
            place: None,
        }]);
        Ok(())
    }

    /// Makes relations parts of the plan, once each.
    fn add_relations(&mut self, relations: Vec<Each>) {
        for each in relations {
            if !self
                .planned
                .each
                .iter()
                .any(|known| known.name == each.name)
            {
                self.planned.each.push(each);
            }
        }
    }

    /// The tables of a scope, with its reasons and the relations that they read made parts of the plan.
    pub(super) fn finish(&mut self, mut scope: Scope<'_>) -> (Fragment, Vec<Join>) {
        self.note(std::mem::take(&mut scope.reasons));
        self.add_relations(std::mem::take(&mut scope.relations));
        scope.tables()
    }
}

/// The relation of a metric of each value of a dimension, after those that it reads itself.
pub(in crate::compile) fn relations(
    registry: &Registry,
    reach: &Reachability,
    options: &CompileOptions<'_>,
    nesting: u8,
    (metric, dimension): (&str, &str),
    (range, time): (DateRange, TimeRange),
) -> Result<Vec<Each>, CompileError> {
    let refuse = |why: String| {
        CompileError::new(ErrorCode::InvalidClause, why).word(format!("{metric} per {dimension}"))
    };
    if nesting >= MAX_NESTING {
        return Err(refuse(format!(
            "{metric} per {dimension} is part of its own definition, or nested too deeply"
        ))
        .hint(format!(
            "take the condition out of what {metric} is made of"
        )));
    }
    let query = MetricQuery {
        metrics: vec![metric.to_owned()],
        group_by: Some(vec![GroupBy::Dimension(dimension.to_owned())]),
        time: Some(time),
        every_period: Some(false),
        ..MetricQuery::default()
    };
    let query = dunder::plain(registry, reach, &query).query;
    let mut inner = request::resolve(registry, &query, options)?;
    inner.nesting = nesting + 1;
    inner.within = Some(relation_name(metric, dimension, range));
    let usage = inner.usage();
    let planned = Planner::plan(registry, reach, &inner, &usage, options)?;
    let shaped = output::root(registry, &inner, &planned, options)?;
    let of_role = |role| shaped.columns.iter().find(|column| column.role == role);
    let (Some(key), Some(value)) = (of_role(Role::Group), of_role(Role::Metric)) else {
        return Err(refuse(format!("{metric} has no value per {dimension}"))
            .hint(format!("name a dimension that {metric} can be grouped by")));
    };
    let empty = match planned.metrics.first() {
        Some((formula, _)) => of_nothing(formula, options)?,
        None => None,
    };
    let each = Each {
        name: relation_name(metric, dimension, range),
        key: key.name.clone(),
        key_ty: key.ty,
        value: value.name.clone(),
        ty: value.ty,
        empty,
        // Its order is nobody's.
        node: match shaped.root {
            Node::Sort(sort) => sort.input,
            root => root,
        },
        tables: planned.tables,
    };
    let mut relations = planned.each;
    relations.push(each);
    Ok(relations)
}

/// A metric over no rows: counts are 0, everything else is empty, and what is made of them may be either.
fn of_nothing(
    formula: &Formula,
    options: &CompileOptions<'_>,
) -> Result<Option<String>, CompileError> {
    let leaf = |leaf: &Leaf| match leaf.ty {
        ColumnType::Integer => "0".to_owned(),
        ty => options.dialect.cast("NULL", ty),
    };
    Ok(match formula {
        Formula::Leaf(one) if one.ty == ColumnType::Integer => Some(leaf(one)),
        Formula::Leaf(_) | Formula::Divide(..) => None,
        Formula::Filled(..) | Formula::Arithmetic { .. } => {
            Some(formula.sql(options.dialect, &leaf)?.0)
        }
    })
}

/// The same metric, dimension and range have the same name, wherever in a query they stand.
fn relation_name(metric: &str, dimension: &str, range: DateRange) -> String {
    let mut name = format!("metrex_{metric}_per_{}", dimension.replace('.', "_"));
    for day in [range.start, range.end] {
        if let Some(day) = day {
            name.push_str(&day.strftime("_%Y%m%d").to_string());
        } else if range != DateRange::default() {
            name.push_str("_open");
        }
    }
    // Names of definitions are told apart whatever their case, and engines fold what is not quoted.
    name.to_lowercase()
}

fn time_range(range: DateRange) -> TimeRange {
    let last = range.end.map(|end| end.saturating_sub(1.day()));
    match (range.start, last) {
        (None, None) => TimeRange::AllTime,
        (start, last) => TimeRange::Span(start.map(Period::Day), last.map(Period::Day)),
    }
}
