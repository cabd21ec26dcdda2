//! The tables and measures that a registry is, for a format to be written from.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, VisitMut, VisitorMut};

use super::aggregate::written;
use super::sql::{Kind, Name, Sql, parse};
use super::{About, Computed, Dimension, Join, Measure, Table, Tables};
use crate::exchange::Notes;
use crate::model::{
    self, AtCoarserGrain, Dataset, Expression, Input, Metric, MetricKind, Offset, Registry, Source,
    Take, Window,
};

/// How a format wants arithmetic.
#[derive(Debug, Clone, Copy)]
pub(in crate::exchange) struct Style {
    /// Whether each aggregation is a measure by itself, which arithmetic then names.
    pub(in crate::exchange) apart: bool,
    /// Whether the engine may divide whole numbers as such.
    pub(in crate::exchange) whole: bool,
    /// Whether it compares a measure with itself of some time ago.
    pub(in crate::exchange) compared: bool,
    /// What a query is to be made for a format that has tables alone.
    pub(in crate::exchange) instead_of_queries: Option<&'static str>,
}

impl Tables {
    /// The definitions of a registry.
    pub(super) fn of(registry: &Registry, style: Style, notes: &mut Notes) -> Self {
        let mut reader = Reader {
            registry,
            style,
            notes,
            tables: Self::default(),
        };
        let is_snippet = |dataset: &&Dataset| {
            let mut snippets = registry.snippets.values();
            snippets.any(|snippet| snippet.place.file == dataset.place.file)
        };
        for dataset in registry.datasets.values().filter(|one| !is_snippet(one)) {
            let table = reader.table(dataset);
            reader.tables.tables.push(table);
        }
        for metric in registry.metrics.values() {
            if let Err(reason) = reader.metric(metric) {
                let text = format!("the metric {} is left out: {reason}", metric.name);
                reader.notes.add(metric.place, text);
            }
        }
        reader.notes.beside(registry);
        reader.notes.calendar(&registry.calendar);
        reader.tables
    }
}

impl Measure {
    /// The measures that it is made of.
    pub(in crate::exchange) fn inputs(&self) -> Vec<String> {
        fn of(computed: &Computed) -> Vec<String> {
            match computed {
                Computed::Aggregate(..) => Vec::new(),
                Computed::Cumulative(inner, _) => of(inner),
                Computed::Sql(sql) if sql.has_aggregate() => Vec::new(),
                Computed::Sql(sql) | Computed::Shifted(sql, ..) => {
                    sql.names().into_iter().map(|name| name.last).collect()
                }
            }
        }
        of(&self.computed)
    }
}

struct Reader<'a> {
    registry: &'a Registry,
    style: Style,
    notes: &'a mut Notes,
    tables: Tables,
}

impl<'a> Reader<'a> {
    fn table(&mut self, dataset: &Dataset) -> Table {
        let mut table = Table::new(
            dataset.place,
            dataset.name.clone(),
            dataset.relation.clone(),
        );
        table.about = About::of_dataset(dataset);
        table.key = dataset.key.iter().map(|key| column(key)).collect();
        table.time.clone_from(&dataset.time);
        for one in dataset.dimensions.values() {
            match dimension(one) {
                Ok(dimension) => table.dimensions.push(dimension),
                Err(reason) => {
                    let text = format!(
                        "{}: the dimension {} is left out: {reason}",
                        dataset.name, one.name
                    );
                    self.notes.add(one.place, text);
                }
            }
        }
        // Formats without a default time take the first one for it.
        let time = |one: &Dimension| table.time.as_ref() == Some(&one.name);
        if let Some(at) = table.dimensions.iter().position(time) {
            let first = table.dimensions.iter().position(|one| one.kind.is_time());
            let moved = table.dimensions.remove(at);
            table.dimensions.insert(first.unwrap_or(at), moved);
        }
        table.joins = dataset
            .joins
            .values()
            .map(|join| Join {
                place: join.place,
                name: join.name.clone(),
                to: join.to.clone(),
                on: join
                    .on
                    .iter()
                    .map(|(here, there)| (column(here), column(there)))
                    .collect(),
            })
            .collect();
        table
    }

    fn dataset(&self, name: &str) -> Result<&'a Dataset, String> {
        let found = self.registry.datasets.get(name);
        found.ok_or_else(|| format!("its dataset {name} is unknown"))
    }

    /// SQL over the rows of a dataset and of what it joins.
    fn sql(&self, dataset: &str, expression: &Expression) -> Result<Sql, String> {
        let dataset = self.dataset(dataset)?;
        let sql = plain(expression)?;
        sql.renamed(|name| {
            let mut at = dataset;
            for role in &name.path {
                let to = at.joins.get(role).map(|join| &join.to);
                let to = to.and_then(|to| self.registry.datasets.get(to));
                at = to.ok_or_else(|| format!("it reads '{role}', which is no join"))?;
            }
            Ok(match (at.dimension(&name.last), name.path.is_empty()) {
                (Some(dimension), _) => Name {
                    kind: Kind::Member,
                    path: name.path.clone(),
                    last: dimension.name.clone(),
                },
                (None, _) => Name {
                    kind: Kind::Column,
                    ..name.clone()
                },
            })
        })
    }

    fn metric(&mut self, metric: &Metric) -> Result<(), String> {
        let about = About::of_metric(metric);
        let new = |computed| {
            let mut measure = Measure::new(metric.place, metric.name.clone(), computed);
            measure.about = about.clone();
            measure
        };
        match &metric.kind {
            MetricKind::Simple(sources) => {
                let one = only(sources)?;
                let measure = self.measure(one, new)?;
                self.put(Some(&one.dataset), measure);
            }
            MetricKind::Ratio(sources) => {
                let (above, below) = halves(sources)?;
                let sql = self.ratio(metric, above, below)?;
                self.put(Some(&above.dataset), new(Computed::Sql(sql)));
            }
            MetricKind::Derived { expr, inputs } => self.derived(metric, expr, inputs, new)?,
            MetricKind::Cumulative(cumulative) => {
                if cumulative.at_coarser_grain != AtCoarserGrain::Last {
                    return Err("a longer period shows another value than its last".to_owned());
                }
                if let Window::ToDateOf(period) = &cumulative.window {
                    return Err(format!("it accumulates over {period} of the calendar"));
                }
                let window = cumulative.window.clone();
                if let Some(of) = &cumulative.of {
                    let home = self.home(of);
                    let of = Computed::Sql(Sql::name(&Name::own(Kind::Member, of)));
                    let whole = Computed::Cumulative(Box::new(of), window);
                    self.put(home.as_deref(), new(whole));
                } else {
                    let one = only(&cumulative.sources)?;
                    let mut measure = self.measure(one, new)?;
                    measure.computed =
                        Computed::Cumulative(Box::new(measure.computed.clone()), window);
                    self.put(Some(&one.dataset), measure);
                }
            }
            MetricKind::Conversion(_) => return Err("it counts conversions".to_owned()),
            MetricKind::Complex { .. } => return Err("it is SQL by hand".to_owned()),
        }
        Ok(())
    }

    fn put(&mut self, home: Option<&str>, measure: Measure) {
        let mut tables = self.tables.tables.iter_mut();
        let table = tables.find(|table| Some(table.name.as_str()) == home);
        match table {
            Some(table) => table.measures.push(measure),
            None => self.tables.across.push(measure),
        }
    }

    /// The dataset that a metric is counted in first.
    fn home(&self, metric: &str) -> Option<String> {
        let mut name = metric;
        for _ in 0..self.registry.metrics.len() {
            let kind = &self.registry.metrics.get(name)?.kind;
            if let Some(source) = kind.sources().first() {
                return source.measures.first().map(|one| one.dataset.clone());
            }
            let first = kind.inputs().first().copied()?;
            name = self.registry.metrics.get_key_value(first)?.0;
        }
        None
    }

    fn measure(
        &self,
        one: &model::Measure,
        new: impl Fn(Computed) -> Measure,
    ) -> Result<Measure, String> {
        let row = one.expr.as_ref().map(|expr| self.sql(&one.dataset, expr));
        let mut measure = new(Computed::Aggregate(one.agg, row.transpose()?));
        let filters = one.filters.iter();
        measure.filters = filters
            .map(|filter| self.sql(&one.dataset, filter))
            .collect::<Result<_, _>>()?;
        measure.time = one
            .time
            .as_deref()
            .map(|time| Name::own(Kind::Member, time));
        if let Some(over) = &one.over_time {
            if !matches!(over.take, Take::First | Take::Last)
                || over.carry_forward
                || !over.per.is_empty()
            {
                let reason = "of its snapshots it takes another one than the first or last of all";
                return Err(reason.to_owned());
            }
            measure.over_time = Some((over.take, Name::own(Kind::Member, &over.time)));
        }
        Ok(measure)
    }

    /// A ratio as SQL: over measures of its halves, or over aggregates.
    fn ratio(
        &mut self,
        metric: &Metric,
        above: &model::Measure,
        below: &model::Measure,
    ) -> Result<Sql, String> {
        let is_plain = |one: &model::Measure| one.over_time.is_none() && one.time.is_none();
        let inline = above.dataset == below.dataset && is_plain(above) && is_plain(below);
        let mut words = Vec::new();
        let mut hidden = Vec::new();
        for (one, half) in [(above, "numerator"), (below, "denominator")] {
            let name = format!("{}_{half}", metric.name);
            let new = |computed| {
                let mut measure = Measure::new(metric.place, name.clone(), computed);
                measure.is_hidden = true;
                measure
            };
            let measure = self.measure(one, new)?;
            words.push(match inline && !self.style.apart {
                true => measure.aggregate_text().unwrap_or_default(),
                false => {
                    let path = self.path_to(&above.dataset, &one.dataset);
                    hidden.push((one.dataset.clone(), measure));
                    named(&path, &name)
                }
            });
        }
        for (dataset, measure) in hidden {
            self.put(Some(&dataset), measure);
        }
        Sql::read(&self.divided(&words.join(" / ")), Kind::Any)
    }

    /// The words that lead from measures of a dataset to those of another one.
    fn path_to(&self, from: &str, to: &str) -> Vec<String> {
        match from == to {
            true => Vec::new(),
            false => vec![to.to_owned()],
        }
    }

    /// Arithmetic whose divisions are those of metrex: never of whole numbers, and empty over 0.
    fn divided(&self, text: &str) -> String {
        let Ok(mut expr) = parse(text) else {
            return text.to_owned();
        };
        let _ = expr.visit(&mut Divisions(self.style.whole));
        expr.to_string()
    }

    fn derived(
        &mut self,
        metric: &Metric,
        expr: &Expression,
        inputs: &[Input],
        new: impl Fn(Computed) -> Measure,
    ) -> Result<(), String> {
        let home = self.home(&metric.name);
        let from = home.clone().unwrap_or_default();
        if let ([input], Some(Offset::Ago(..))) =
            (inputs, inputs.first().and_then(|one| one.offset.as_ref()))
            && input.filters.is_empty()
            && expr.text.trim().eq_ignore_ascii_case(&input.name)
            && let Some(offset) = input.offset.clone()
        {
            let of = Sql::name(&Name::own(Kind::Member, &input.metric));
            self.put(home.as_deref(), new(Computed::Shifted(of, offset, "ago")));
            return Ok(());
        }
        if self.style.compared
            && let Some((of, offset, kind)) = compared(expr, inputs)
        {
            let of = Sql::name(&Name::own(Kind::Member, of));
            let whole = Computed::Shifted(of, offset.clone(), kind);
            self.put(home.as_deref(), new(whole));
            return Ok(());
        }
        let mut helpers = Vec::new();
        let mut words = Vec::new();
        for input in inputs {
            let (name, at) = self.input(metric, input, &mut helpers)?;
            let path = self.path_to(&from, &at.unwrap_or_default());
            words.push((input.name.to_lowercase(), named(&path, &name)));
        }
        let sql = plain(expr)?;
        let text = sql.print(|name| {
            let mut known = words.iter();
            let found = known.find(|(word, _)| *word == name.last.to_lowercase());
            match found {
                Some((_, text)) => Ok(text.clone()),
                None => Err(format!("'{}' is no input of it", name.last)),
            }
        })?;
        let sql = Sql::read(&self.divided(&text), Kind::Any)?;
        for (dataset, helper) in helpers {
            self.put(dataset.as_deref(), helper);
        }
        self.put(home.as_deref(), new(Computed::Sql(sql)));
        Ok(())
    }

    /// The measure that an input is, with its table; one of its own where it has conditions or an offset.
    fn input(
        &self,
        metric: &Metric,
        input: &Input,
        helpers: &mut Vec<(Option<String>, Measure)>,
    ) -> Result<(String, Option<String>), String> {
        let home = self.home(&input.metric);
        let mut of = input.metric.clone();
        let helper = |computed, suffix: &str| {
            let name = format!("{}_{}{suffix}", metric.name, input.name);
            let mut measure = Measure::new(metric.place, name, computed);
            measure.is_hidden = true;
            measure
        };
        if !input.filters.is_empty() {
            let inner = self.registry.metrics.get(&input.metric);
            let Some(MetricKind::Simple(sources)) = inner.map(|inner| &inner.kind) else {
                return Err(format!(
                    "conditions on its input {}, which is no single aggregation, cannot be said",
                    input.name
                ));
            };
            let one = only(sources)?;
            let suffix = if input.offset.is_some() { "_now" } else { "" };
            let mut measure = self.measure(one, |computed| helper(computed, suffix))?;
            for filter in &input.filters {
                measure.filters.push(self.sql(&one.dataset, filter)?);
            }
            of.clone_from(&measure.name);
            helpers.push((home.clone(), measure));
        }
        if let Some(offset) = &input.offset {
            if !matches!(offset, Offset::Ago(..)) {
                return Err(format!("its input {} starts a period", input.name));
            }
            let sql = Sql::name(&Name::own(Kind::Member, &of));
            let measure = helper(Computed::Shifted(sql, offset.clone(), "ago"), "");
            of.clone_from(&measure.name);
            helpers.push((home.clone(), measure));
        }
        Ok((of, home))
    }
}

fn column(name: &str) -> Name {
    Name::own(Kind::Column, name)
}

fn named(path: &[String], last: &str) -> String {
    let name = Name {
        kind: Kind::Member,
        path: path.to_vec(),
        last: last.to_owned(),
    };
    Sql::name(&name).text()
}

/// An expression in the words that all engines take.
fn plain(expression: &Expression) -> Result<Sql, String> {
    match expression.dialects.is_empty() {
        true => Sql::read(&expression.text, Kind::Any),
        false => Err("it has SQL of single engines".to_owned()),
    }
}

fn dimension(one: &model::Dimension) -> Result<Dimension, String> {
    if one.of_metric.is_some() {
        return Err("it is a metric of each row".to_owned());
    }
    let sql = match &one.column {
        Some(name) => Sql::name(&column(name)),
        None => plain(&one.expr)?.renamed(|name| {
            Ok(Name {
                kind: Kind::Column,
                ..name.clone()
            })
        })?,
    };
    Ok(Dimension {
        place: one.place,
        name: one.name.clone(),
        about: About::of_dimension(one),
        sql,
        kind: one.kind,
    })
}

/// A metric compared with itself of some time ago: which, how long ago, and how.
fn compared<'a>(
    expr: &Expression,
    inputs: &'a [Input],
) -> Option<(&'a str, &'a Offset, &'static str)> {
    let [now, ago] = inputs else { return None };
    let (now, ago) = match now.offset {
        None => (now, ago),
        Some(_) => (ago, now),
    };
    let is_plain = now.offset.is_none() && now.filters.is_empty() && ago.filters.is_empty();
    let offset = ago
        .offset
        .as_ref()
        .filter(|_| is_plain && now.metric == ago.metric)?;
    let kinds = ["now - ago", "now / ago - 1"].into_iter();
    let mut kinds = kinds.filter(|kind| {
        let text = kind.replace("now", &now.name).replace("ago", &ago.name);
        text.eq_ignore_ascii_case(expr.text.trim())
    });
    Some((&now.metric, offset, kinds.next()?))
}

/// The only measure of a metric.
fn only(sources: &[Source]) -> Result<&model::Measure, String> {
    match sources {
        [source] => source
            .measures
            .first()
            .ok_or_else(|| "it measures nothing".to_owned()),
        _ => Err("it has several sources".to_owned()),
    }
}

fn halves(sources: &[Source]) -> Result<(&model::Measure, &model::Measure), String> {
    match sources {
        [source] => match source.measures.as_slice() {
            [above, below] => Ok((above, below)),
            _ => Err("it is no ratio of two".to_owned()),
        },
        _ => Err("it has several sources".to_owned()),
    }
}

impl Measure {
    /// An aggregation as SQL whose names are marked.
    pub(in crate::exchange) fn aggregate_text(&self) -> Option<String> {
        let Computed::Aggregate(agg, row) = &self.computed else {
            return None;
        };
        let filters: Vec<String> = self.filters.iter().map(Sql::text).collect();
        Some(written(
            *agg,
            row.as_ref().map(Sql::text).as_deref(),
            &filters,
        ))
    }
}

/// `a / b` as `a / nullif(b, 0)`, and `1.0 * a / nullif(b, 0)` where whole numbers would be divided as such.
struct Divisions(bool);

impl VisitorMut for Divisions {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::BinaryOp {
            left,
            op: BinaryOperator::Divide,
            right,
        } = expr
        {
            let factor = if self.0 { "1.0 * " } else { "" };
            let text = format!("{factor}{left} / NULLIF({right}, 0)");
            if let Ok(new) = parse(&text) {
                *expr = new;
            }
        }
        ControlFlow::Continue(())
    }
}
