//! What an analysis becomes: the raw forms of a dataset and of metrics, as if somebody had written them.

use indexmap::IndexMap;
use minijinja::{Value, context};

use super::Draft;
use super::event::{Columns, Event};
use super::write::write;
use crate::model::{
    Analysis, AnalysisValues, AnalysisView, Dataset, Dialect, DimensionType, FormatKind, Grain,
    GroupBy, Place,
};
use crate::registry::diagnostic::Sink;
use crate::registry::raw::{
    RawAggregate, RawDataset, RawDimension, RawFormat, RawJoin, RawMeasure, RawMetric,
};
use crate::registry::read::{At, Entry, Many, MapOr, Named, Word};
use crate::registry::words::label;
use crate::registry::yaml::Text;

/// The engines that analyses are written for.
const ENGINES: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::Duckdb];

/// An analysis with what it adds to the definitions.
pub(crate) struct Made {
    pub(crate) analysis: Analysis,
    pub(crate) dataset: Entry<RawDataset>,
    /// The SQL of the dataset, by the word of the dialect.
    pub(crate) dialects: Vec<(String, String)>,
    pub(crate) metrics: Vec<Entry<RawMetric>>,
}

/// The rows of an analysis, before they are written.
pub(super) struct Rows<'a> {
    /// The template.
    pub(super) template: &'static str,
    /// What the template is filled with, for an engine.
    pub(super) fill: Box<dyn Fn(Dialect) -> Value + 'a>,
    /// The metrics that are read, by canonical name.
    pub(super) of: Vec<String>,
    /// The dataset that lends its dimensions, and its joins.
    pub(super) lender: &'a Dataset,
    /// Whether there is a column that says whose row it is.
    pub(super) has_who: bool,
    /// The name and label of the time.
    pub(super) time: (String, String),
    /// Whether the time tells the time of day.
    pub(super) is_timed: bool,
    /// Dimensions that the analysis has by itself.
    pub(super) own: Vec<Own>,
    pub(super) grain: Grain,
    pub(super) metrics: Vec<Number>,
    pub(super) views: Vec<AnalysisView>,
}

/// A dimension that an analysis has by itself.
pub(super) struct Own {
    pub(super) name: &'static str,
    pub(super) kind: DimensionType,
    pub(super) description: &'static str,
    /// What its label and aliases are those of.
    pub(super) like: Option<RawDimension>,
    /// Its values, where they are known.
    pub(super) values: Option<AnalysisValues>,
}

/// A metric over the rows.
pub(super) struct Number {
    /// What comes after the name of the analysis; empty for the first.
    pub(super) suffix: &'static str,
    pub(super) label: &'static str,
    pub(super) description: &'static str,
    pub(super) of: Of,
    pub(super) format: Shown,
    /// What it does not add up over.
    pub(super) per: Vec<GroupBy>,
}

/// How rows become the number.
pub(super) enum Of {
    Count(&'static str),
    Sum(&'static str),
    Avg(&'static str),
    /// Sums over sums.
    Ratio(&'static str, &'static str),
}

/// How a number looks.
pub(super) enum Shown {
    Count,
    Decimal(u8),
    Percent,
    /// Like the metric it is made of.
    Like(Option<MapOr<RawFormat, Word<FormatKind>>>),
}

/// These values and no others.
pub(super) fn these(values: &[&str]) -> Option<AnalysisValues> {
    let values = values.iter().map(|value| (*value).to_owned());
    Some(AnalysisValues::These(values.collect()))
}

/// The values of a dimension of a dataset, if it is one.
pub(super) fn values_of(dataset: &Dataset, name: &str) -> Option<AnalysisValues> {
    let dimension = dataset.dimension(name)?;
    Some(AnalysisValues::Of(
        dataset.name.clone(),
        dimension.name.clone(),
    ))
}

/// Grouping by a dimension.
pub(super) fn per(name: &str) -> GroupBy {
    GroupBy::Dimension(name.to_owned())
}

/// Grouping by a grain of the time.
pub(super) fn per_grain(grain: Grain) -> GroupBy {
    GroupBy::Grain { grain, of: None }
}

/// A view.
pub(super) fn view(title: &str, query: String, across: Option<&str>) -> AnalysisView {
    AnalysisView {
        title: title.to_owned(),
        query,
        across: across.map(str::to_owned),
    }
}

/// Rows of one customer in one period each, without dimensions of their own, metrics and views.
pub(super) fn by_period<'a>(
    template: &'static str,
    event: Event<'a>,
    columns: Columns<'a>,
    grain: Grain,
) -> Rows<'a> {
    let time = format!("{grain}_start");
    Rows {
        template,
        of: vec![event.metric.value.clone()],
        lender: event.dataset,
        fill: {
            let time = time.clone();
            Box::new(move |dialect| {
                context! {
                    events => event.select(columns, dialect),
                    who => columns.who,
                    time => time.clone(),
                    grain => grain.word(),
                }
            })
        },
        has_who: true,
        time: (time, "First day of the period".to_owned()),
        is_timed: false,
        own: Vec::new(),
        grain,
        metrics: Vec::new(),
        views: Vec::new(),
    }
}

/// Everything that an analysis adds to the definitions.
pub(super) fn made(draft: &Draft<'_>, rows: Rows<'_>, sink: &mut Sink) -> Option<Made> {
    let (name, raw) = (draft.name, draft.raw);
    let before = sink.errors();
    for (at, by) in draft.by().iter().enumerate() {
        let taken = draft.by().iter().take(at);
        if rows.has_own(&by.value)
            || by.value == rows.time.0
            || taken.into_iter().any(|other| other.value == by.value)
        {
            let message = format!("'{}' is a dimension of this analysis already", by.value);
            let hint = Some("leave it out, or give the dimension another name".to_owned());
            sink.error("duplicate_name", by.place, &by.value, message, hint);
        }
    }
    let mut dialects = Vec::new();
    for dialect in ENGINES {
        match write(
            rows.template,
            (rows.fill)(dialect),
            dialect,
            draft.known.calendar,
        ) {
            Ok(sql) => dialects.push((dialect.word().to_owned(), sql)),
            Err(error) => {
                let message = format!("its SQL cannot be written: {error}");
                sink.error("expression", name.place, &name.value, message, None);
            }
        }
    }
    (sink.errors() == before).then_some(())?;
    let standard = dialects.iter().find(|(word, _)| word == "postgres");
    let sql = standard.map(|(_, sql)| sql.clone())?;
    let here = |text: &str| Text::at(text.to_owned(), name.place);
    let mut dimensions = vec![entry(
        &rows.time.0,
        name.place,
        RawDimension {
            label: Some(here(&rows.time.1)),
            r#type: Some(Word {
                value: match rows.is_timed {
                    true => DimensionType::Time,
                    false => DimensionType::Date,
                },
                place: name.place,
            }),
            ..RawDimension::default()
        },
    )];
    for own in &rows.own {
        let like = own.like.clone().unwrap_or_default();
        let dimension = RawDimension {
            column: None,
            expr: None,
            description: Some(here(own.description)),
            r#type: Some(Word {
                value: own.kind,
                place: name.place,
            }),
            ..like
        };
        dimensions.push(entry(own.name, name.place, dimension));
    }
    for by in draft.by() {
        dimensions.push(entry(
            &by.value,
            by.place,
            lent(rows.lender, &by.value, name.place),
        ));
    }
    let who = raw.who.as_ref().filter(|_| rows.has_who);
    let joins = who.map_or_else(Vec::new, |who| joins(rows.lender, who, name.place));
    let text = raw
        .label
        .as_ref()
        .map_or_else(|| label(&name.value), |text| text.value.clone());
    let dataset = RawDataset {
        sql: Some(here(&sql)),
        label: Some(here(&text)),
        description: raw.description.clone(),
        time: Some(here(&rows.time.0)),
        dimensions: Named(dimensions),
        joins: Named(joins),
        ..RawDataset::default()
    };
    let mut metrics = Vec::new();
    let mut per = IndexMap::new();
    for number in &rows.metrics {
        let metric = match number.suffix {
            "" => name.value.clone(),
            suffix => format!("{}_{suffix}", name.value),
        };
        per.insert(metric.clone(), number.per.clone());
        metrics.push(entry(
            &metric,
            name.place,
            self::metric(draft, number, &text),
        ));
    }
    let mut all: Vec<GroupBy> = Vec::new();
    for group in rows.metrics.iter().flat_map(|number| &number.per) {
        if !all.contains(group) {
            all.push(group.clone());
        }
    }
    let mut values = IndexMap::new();
    for own in &rows.own {
        values.extend(
            own.values
                .clone()
                .map(|values| (own.name.to_owned(), values)),
        );
    }
    for by in draft.by() {
        values.extend(values_of(rows.lender, &by.value).map(|values| (by.value.clone(), values)));
    }
    let mut of: Vec<String> = Vec::new();
    for metric in rows.of {
        if !of.contains(&metric) {
            of.push(metric);
        }
    }
    Some(Made {
        analysis: Analysis {
            name: name.value.clone(),
            place: name.place,
            kind: draft.kind,
            label: text,
            description: raw
                .description
                .as_ref()
                .map(|text| text.value.trim().to_owned())
                .unwrap_or_default(),
            of,
            grain: rows.grain,
            per: all,
            metrics: per,
            values,
            views: rows.views,
        },
        dataset: entry(&name.value, name.place, dataset),
        dialects,
        metrics,
    })
}

fn entry<T>(name: &str, place: Place, value: T) -> Entry<T> {
    Entry {
        name: Text::at(name.to_owned(), place),
        value: Some(value),
        errors: 0,
    }
}

/// What people know about a dimension, for another dataset that has it too.
pub(super) fn lent(lender: &Dataset, name: &str, place: Place) -> RawDimension {
    let Some(dimension) = lender.dimension(name) else {
        return RawDimension::default();
    };
    let here = |text: &str| Text::at(text.to_owned(), place);
    let text = |text: &str| (!text.is_empty()).then(|| here(text));
    RawDimension {
        label: text(&dimension.label),
        description: text(&dimension.description),
        aliases: Many(dimension.aliases.iter().map(|alias| here(alias)).collect()),
        r#type: Some(Word {
            value: dimension.kind,
            place,
        }),
        pii: Some(At {
            value: dimension.pii,
            place,
        }),
        ..RawDimension::default()
    }
}

/// The joins of a dataset that only need to know who.
fn joins(lender: &Dataset, who: &Text, place: Place) -> Vec<Entry<RawJoin>> {
    let dimension = lender.dimension(&who.value);
    let column = dimension.and_then(|dimension| dimension.column.as_ref());
    let column = column.unwrap_or(&who.value);
    let all = lender.joins.values();
    let own = all.filter(|join| matches!(join.on.as_slice(), [(here, _)] if here == column));
    let own = own.map(|join| {
        let on = Many(vec![Text::at(who.value.clone(), place)]);
        let raw = RawJoin {
            to: Some(Text::at(join.to.clone(), place)),
            on: Some(MapOr::Short(on)),
        };
        entry(&join.name, place, raw)
    });
    own.collect()
}

fn metric(draft: &Draft<'_>, number: &Number, of: &str) -> RawMetric {
    let place = draft.name.place;
    let here = |text: &str| Text::at(text.to_owned(), place);
    let agg = |value| Some(Word { value, place });
    let number_format = |decimals| RawFormat {
        decimals: Some(At {
            value: decimals,
            place,
        }),
        ..RawFormat::default()
    };
    let raw = draft.raw;
    let metric = RawMetric {
        label: Some(match number.suffix {
            "" => here(of),
            _ => here(&format!("{of}: {}", number.label)),
        }),
        description: Some(match (&raw.description, number.suffix) {
            (Some(text), "") => text.clone(),
            _ => here(number.description),
        }),
        category: raw.category.clone().or_else(|| Some(here("Analyses"))),
        owner: raw.owner.clone(),
        status: raw.status,
        window: raw.window.clone(),
        // Asked for by itself, it is shown by what it does not add up over.
        grain: Many(
            number
                .per
                .iter()
                .map(|per| here(&per.to_string()))
                .collect(),
        ),
        base_table: Some(draft.name.clone()),
        format: match &number.format {
            Shown::Count => None,
            Shown::Decimal(decimals) => Some(MapOr::Map(number_format(*decimals))),
            Shown::Percent => Some(MapOr::Map(RawFormat {
                kind: Some(Word {
                    value: FormatKind::Percent,
                    place,
                }),
                ..number_format(1)
            })),
            Shown::Like(format) => format.clone(),
        },
        ..RawMetric::default()
    };
    let expr = |text: &str| Some(MapOr::Short(here(text)));
    let sum = |text: &str| {
        Some(MapOr::Map(RawMeasure {
            agg: agg(RawAggregate::Sum),
            expr: expr(text),
            ..RawMeasure::default()
        }))
    };
    match number.of {
        Of::Count("") => RawMetric {
            agg: agg(RawAggregate::Count),
            ..metric
        },
        Of::Count(filter) => RawMetric {
            agg: agg(RawAggregate::Count),
            filters: Many(vec![here(filter)]),
            ..metric
        },
        Of::Sum(column) => RawMetric {
            agg: agg(RawAggregate::Sum),
            expr: expr(column),
            ..metric
        },
        Of::Avg(column) => RawMetric {
            agg: agg(RawAggregate::Avg),
            expr: expr(column),
            ..metric
        },
        Of::Ratio(upper, lower) => RawMetric {
            numerator: sum(upper),
            denominator: sum(lower),
            ..metric
        },
    }
}
