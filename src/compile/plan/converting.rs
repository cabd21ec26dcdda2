//! Plans conversion metrics: what both kinds of events are, and the leg of the conversions beside that of the base events.

use super::conversion::{Conversions, Events};
use super::leg::{Aggregated, Rows};
use super::legs::bracketed;
use super::planner::broken;
use super::table_days::COUNTED;
use super::{Context, Formula, JoinKind, Leaf, Planner, Scan};
use crate::compile::key::{leaf_type, time_of};
use crate::compile::scope::Scope;
use crate::compile::write::Fragment;
use crate::compile::{CompileError, Reason, ReasonKind, filter};
use crate::model::{
    Aggregate, ColumnType, Conversion, ConversionResult, DateRange, Grain, Measure, Metric,
};

impl<'a> Planner<'a> {
    /// Conversions, or conversions over base events, both at the grouping of the base events.
    pub(super) fn conversion(
        &mut self,
        metric: &'a Metric,
        conversion: &'a Conversion,
        context: &Context<'a>,
    ) -> Result<Formula, CompileError> {
        if context.window.is_some() {
            return Err(broken(
                metric,
                "its events are followed through time already, so nothing can be accumulated over it",
            )
            .hint("accumulate its base and its conversion on their own"));
        }
        let base = self.input(metric, &conversion.base)?;
        let converted = self.input(metric, &conversion.conversion)?;
        let count = self.conversions(
            (metric, conversion),
            self.only_measure(base)?,
            self.only_measure(converted)?,
            context,
        )?;
        Ok(match conversion.result {
            ConversionResult::Count => count,
            ConversionResult::Rate => {
                // By dbt's rules no conversions have no rate, unless the metric says what to fill in.
                let count = match count {
                    Formula::Leaf(leaf) if self.is_metricflow() => Formula::Leaf(Leaf {
                        ty: ColumnType::Number,
                        ..leaf
                    }),
                    count => count,
                };
                Formula::Divide(Box::new(count), Box::new(self.leaves(base, context)?))
            }
        })
    }

    fn only_measure(&self, metric: &'a Metric) -> Result<&'a Measure, CompileError> {
        match self.source(metric)?.measures.as_slice() {
            [only] => Ok(only),
            _ => Err(broken(metric, "only simple metrics are events")),
        }
    }

    /// The leaf that counts conversions, in a leg of its own: it is no other use of either metric.
    fn conversions(
        &mut self,
        (metric, conversion): (&'a Metric, &'a Conversion),
        base: &'a Measure,
        converted: &'a Measure,
        context: &Context<'a>,
    ) -> Result<Formula, CompileError> {
        let treatment = format!(
            "conversion {:?}",
            (
                &conversion.entity,
                (&conversion.base, &conversion.conversion),
                conversion.within,
                &conversion.same,
                context.back.as_ref().map(|back| (back.range, back.by)),
                context.ago.map(|ago| (ago.text(), ago.end)),
                context.prior,
            )
        );
        let mut filters: Vec<String> = context
            .filters
            .iter()
            .map(|filter| filter.text.trim().to_owned())
            .collect();
        filters.sort_unstable();
        filters.dedup();
        let counterpart = self.counterpart(context);
        let mut legs = self.planned.legs.iter();
        let known = legs.find(|leg| leg.treatment == treatment && leg.filters == filters);
        if let Some(column) = known.and_then(|leg| leg.columns.first()) {
            return Ok(Formula::Leaf(Leaf {
                column: column.name.clone(),
                ty: column.ty,
                counterpart,
            }));
        }
        let range = match &context.back {
            Some(back) => back.range,
            // The calendar table says which days are compared, after the events are matched.
            None if context.ago.is_some() => DateRange::default(),
            None => self.request.range,
        };
        let peers = self.peers.clone();

        let mut scope = self.scope(converted, &peers)?;
        let row = converted.expr.as_ref();
        let row = row.map(|expr| scope.expression(expr)).transpose()?;
        // Every conversion has a value, which need not be of a type that base events could have.
        let row = row.and_then(|row| match converted.agg {
            Aggregate::Count => None,
            Aggregate::CountDistinct => Some(self.options.dialect.as_text(&row)),
            _ => Some(row),
        });
        let ty = leaf_type(converted, &mut scope)?;
        let same = conversion.same.iter().map(|(_, theirs)| theirs);
        let names: Vec<&str> = std::iter::once(&conversion.entity)
            .chain(same)
            .map(String::as_str)
            .collect();
        // A conversion is no earlier than its base event, and less than `within` later.
        let until = conversion.within.and_then(|(n, grain)| {
            let n = i32::try_from(n).ok()?;
            let span = match grain.is_sub_day() {
                true => Grain::Day.span(n),
                false => grain.span(n),
            };
            // A day more, since the last days of a month may all be a month before one and the same day.
            let end = range.end?.checked_add(span).ok()?;
            end.tomorrow().ok()
        });
        let limits = DateRange {
            start: range.start,
            end: until,
        };
        let mut events = self.events(converted, scope, &names, limits)?;
        let column = Aggregated {
            name: self.column_name(metric, 0, context),
            ty,
            agg: converted.agg,
            row,
            only: None,
            stored: None,
            places: vec![metric.place, converted.place],
            text: String::new(),
        };
        let leaf = Formula::Leaf(Leaf {
            column: column.name.clone(),
            ty,
            counterpart,
        });

        // Filters on the way down are conditions on base events, as those of the query are.
        let mut scope = self.scope(base, &peers)?;
        let mut conditions = Vec::new();
        for condition in &context.filters {
            let sql = self.defined(condition, &mut scope, context)?;
            conditions.push(Fragment::new(bracketed(&sql), [condition.place]));
        }
        let bare = Context {
            filters: Vec::new(),
            ..context.clone()
        };
        let mut leg = self.leg(base, scope, &bare, column, treatment, filters)?;
        leg.conditions.extend(conditions);
        if let Some((relation, _)) = &leg.earlier {
            let is_shown = format!("{relation}.{COUNTED} IS NOT NULL");
            leg.conditions.push(Fragment::plain(is_shown));
        }
        let same = conversion.same.iter().map(|(ours, _)| ours);
        let names: Vec<&str> = std::iter::once(&conversion.entity)
            .chain(same)
            .map(String::as_str)
            .collect();
        let mut scope = self.scope(base, &peers)?;
        let key = scope.base.key.iter().filter(|_| !self.is_metricflow());
        let key = key
            .map(|column| scope.named(column).map(Fragment::plain))
            .collect::<Result<_, _>>()?;
        let mut base_events = self.events(base, scope, &names, limits)?;
        if base_events.utc.is_none() || events.utc.is_none() {
            (base_events.utc, events.utc) = (None, None);
        }
        for mut join in leg.joins.clone() {
            // The conditions that would refuse rows without a match are looked at after the events are matched.
            join.kind = JoinKind::Left;
            let joins = &mut base_events.scan.joins;
            if !joins.iter().any(|known| known.table == join.table) {
                joins.push(join);
            }
        }
        leg.rows = Rows::Conversions(Box::new(Conversions {
            base: base_events,
            converted: events,
            key,
            within: conversion.within,
            first_of_tied: self.is_metricflow(),
        }));
        self.planned.legs.push(leg);
        self.explain(metric, conversion, context, range);
        Ok(leaf)
    }

    /// The rows that are events: those that its metric counts, with an entity and a time.
    fn events(
        &mut self,
        measure: &'a Measure,
        mut scope: Scope<'_>,
        names: &[&str],
        limits: DateRange,
    ) -> Result<Events, CompileError> {
        let dialect = self.options.dialect;
        let mut conditions = Vec::new();
        for condition in &measure.filters {
            let sql = self.defined(condition, &mut scope, &Context::default())?;
            conditions.push(Fragment::new(bracketed(&sql), [condition.place]));
        }
        if let Some(expr) = &measure.expr {
            let row = scope.expression(expr)?;
            match measure.agg {
                Aggregate::Count | Aggregate::CountDistinct => {
                    conditions.push(Fragment::new(format!("({row}) IS NOT NULL"), [expr.place]))
                }
                Aggregate::SumBoolean => {
                    conditions.push(Fragment::new(format!("({row})"), [expr.place]));
                }
                _ => {}
            }
        }
        let mut same = Vec::new();
        for name in names {
            let sql = scope.named(name)?;
            conditions.push(Fragment::plain(format!("{sql} IS NOT NULL")));
            same.push(Fragment::plain(sql));
        }
        let time = time_of(measure, &mut scope, None)?;
        let place = time.dimension.place;
        match filter::bounds(&time.sql, limits, dialect) {
            Some(bounds) => conditions.push(Fragment::new(bounds, [place])),
            None => conditions.push(Fragment::plain(format!("{} IS NOT NULL", time.sql))),
        }
        let time = Fragment::new(dialect.instant(&time.sql), [place]);
        let name = measure.time.as_deref().or(scope.base.time.as_deref());
        let utc = name.map(|name| scope.in_utc(name)).transpose()?.flatten();
        let utc = utc.map(|utc| Fragment::new(dialect.instant(&utc), [place]));
        let (from, joins) = self.finish(scope);
        Ok(Events {
            scan: Scan {
                dataset: measure.dataset.clone(),
                rollup: None,
                from,
                joins,
                conditions,
                over: None,
            },
            same,
            time,
            utc,
        })
    }

    fn explain(
        &mut self,
        metric: &Metric,
        conversion: &Conversion,
        context: &Context<'_>,
        range: DateRange,
    ) {
        if context.prior {
            return;
        }
        let mut same: Vec<String> = vec![conversion.entity.clone()];
        same.extend(conversion.same.iter().map(|(ours, theirs)| {
            if ours == theirs {
                ours.clone()
            } else {
                format!("{ours} ({theirs} of {})", conversion.conversion)
            }
        }));
        let within = match conversion.within {
            Some((n, grain)) => format!(
                " less than {n} {grain}{} earlier",
                if n == 1 { "" } else { "s" }
            ),
            None => String::new(),
        };
        let (base, converted) = (&conversion.base, &conversion.conversion);
        let mut texts = vec![format!(
            "{}: each of {converted} counts once, for the latest of {base} with the same {}{within}",
            metric.name,
            same.join(" and ")
        )];
        if self.request.conditions.is_some() || !context.filters.is_empty() {
            texts.push(format!(
                "{}: the conditions are those of {base}, whatever {converted} follow",
                metric.name
            ));
        }
        if range != DateRange::default() {
            texts.push(format!(
                "{}: the time range is that of {base}; {converted} after its end still count",
                metric.name
            ));
        }
        let reason = |text| Reason {
            kind: ReasonKind::Note,
            text,
            place: Some(metric.place),
        };
        self.note(texts.into_iter().map(reason).collect());
    }
}
