//! dbt's measures and metrics as metrics.

use serde_json::{Map, Value, json};

use super::condition;
use super::datasets::described;
use super::manifest::{Input, Kind, Manifest, Measure, Metric, Model, Use};
use crate::exchange::Notes;
use crate::model::Grain;

/// A metric with the dataset whose file it belongs to; none where it stands over several.
pub(super) struct Written {
    pub(super) name: String,
    pub(super) dataset: Option<String>,
    pub(super) value: Value,
}

/// Deepest nesting of metrics over metrics that is followed.
const MAX_DEPTH: usize = 32;

/// Every metric of a manifest. What cannot be said is noted and left out.
pub(super) fn metrics(manifest: &Manifest, notes: &mut Notes) -> Vec<Written> {
    let mut writer = Writer {
        manifest,
        notes,
        written: Vec::new(),
    };
    for metric in &manifest.metrics {
        if let Err(reason) = writer.metric(metric) {
            let text = format!("the metric {} is left out: {reason}", metric.name);
            writer.notes.add(metric.place, text);
        }
    }
    writer.written
}

struct Writer<'a> {
    manifest: &'a Manifest,
    notes: &'a mut Notes,
    written: Vec<Written>,
}

type Fields = Map<String, Value>;

impl Writer<'_> {
    fn metric(&mut self, metric: &Metric) -> Result<(), String> {
        let mut fields = about(metric);
        if let Some(grain) = self.time_grain(metric)? {
            fields.insert("time_grain".to_owned(), json!(grain.word()));
        }
        let datasets = self.models_of(&metric.name, 0)?;
        match &metric.kind {
            Kind::Simple(used) => {
                let measure = self.measure(&used.name)?;
                self.aggregation(&measure, &[&used.filters, &metric.filters], &mut fields)?;
                presentation(&[used], &mut fields)?;
            }
            Kind::Ratio(numerator, denominator) => {
                for (key, used) in [("numerator", numerator), ("denominator", denominator)] {
                    let input = self.input(used, &metric.filters)?;
                    fields.insert(key.to_owned(), input);
                }
            }
            Kind::Derived { expr, inputs } => {
                fields.insert("expr".to_owned(), json!(expr));
                let mut named = Map::new();
                for used in inputs {
                    let input = self.input(used, &metric.filters)?;
                    let name = used.alias.as_ref().unwrap_or(&used.name);
                    named.insert(name.clone(), input);
                }
                let is_plain = named.iter().all(|(name, input)| *input == json!(name));
                if !is_plain {
                    fields.insert("inputs".to_owned(), Value::Object(named));
                }
            }
            Kind::Cumulative {
                input,
                window,
                grain_to_date,
                period_agg,
            } => {
                let window = match (window, grain_to_date) {
                    (Some(window), _) => window.clone(),
                    (None, Some(grain)) => format!("{grain}_to_date"),
                    (None, None) => "all_time".to_owned(),
                };
                self.cumulative(metric, input, &window, period_agg, &mut fields)?;
            }
            Kind::Conversion {
                entity,
                base,
                conversion,
                window,
                counts,
                same,
            } => {
                // A condition on the whole metric is one on the events that may convert.
                let base_name = self.event(metric, base, "base", &metric.filters)?;
                let conversion_name = self.event(metric, conversion, "conversion", &[])?;
                fields.insert("entity".to_owned(), json!(entity));
                fields.insert("base".to_owned(), json!(base_name));
                fields.insert("conversion".to_owned(), json!(conversion_name));
                if let Some(window) = window {
                    fields.insert("within".to_owned(), json!(window));
                }
                if !same.is_empty() {
                    let pairs = same
                        .iter()
                        .map(|(base, other)| (base.clone(), json!(other)));
                    fields.insert("same".to_owned(), Value::Object(pairs.collect()));
                }
                let result = if *counts { "count" } else { "rate" };
                fields.insert("result".to_owned(), json!(result));
                presentation(&[base.used(), conversion.used()], &mut fields)?;
            }
        }
        let dataset = match datasets.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        self.written.push(Written {
            name: metric.name.clone(),
            dataset,
            value: Value::Object(fields),
        });
        Ok(())
    }

    fn measure(&self, name: &str) -> Result<Measure, String> {
        let found = self.manifest.measure(name);
        found
            .cloned()
            .ok_or_else(|| format!("there is no measure {name}"))
    }

    fn model(&self, name: &str) -> Result<&Model, String> {
        let found = self.manifest.models.iter().find(|model| model.name == name);
        found.ok_or_else(|| format!("there is no semantic model {name}"))
    }

    /// `base_table`, `agg`, `expr` and what belongs to them.
    fn aggregation(
        &mut self,
        measure: &Measure,
        filters: &[&[String]],
        fields: &mut Fields,
    ) -> Result<(), String> {
        let model = self.model(&measure.model)?;
        let agg = aggregate(&measure.agg)
            .ok_or_else(|| format!("'{}' is no aggregate that is known", measure.agg))?;
        let mut put = |key: &str, value: Value| {
            fields.insert(key.to_owned(), value);
        };
        put("base_table", json!(model.name));
        put("agg", json!(agg));
        let expr = measure.expr.clone().unwrap_or_else(|| measure.name.clone());
        put("expr", json!(expr.trim()));
        if agg == "percentile" {
            let share = measure.percentile.unwrap_or(0.5);
            put(
                "percentile",
                json!(if share > 1.0 { share / 100.0 } else { share }),
            );
            if measure.discrete {
                put("percentile_type", json!("discrete"));
            }
        }
        if let Some(time) = &measure.time
            && model.agg_time.as_ref() != Some(time)
        {
            put("time", json!(time));
        }
        if let Some(over) = &measure.non_additive {
            let take = if over.choice == "max" {
                "last"
            } else {
                "first"
            };
            let mut over_time = json!({"take": take, "time": over.time});
            if let (Value::Object(fields), false) = (&mut over_time, over.groupings.is_empty()) {
                fields.insert("per".to_owned(), json!(over.groupings));
            }
            put("over_time", over_time);
        }
        let conditions: Vec<String> = filters
            .iter()
            .flat_map(|filters| filters.iter())
            .map(|filter| self.condition(filter, measure, model))
            .collect::<Result<_, String>>()?;
        if !conditions.is_empty() {
            put("filters", json!(conditions));
        }
        if measure.approximate {
            self.notes.add(
                measure.place,
                format!("{}: computed exactly, not approximately", measure.name),
            );
        }
        Ok(())
    }

    fn condition(&self, filter: &str, measure: &Measure, model: &Model) -> Result<String, String> {
        let time = measure.time.as_deref().or(model.agg_time.as_deref());
        condition::sql(self.manifest, model, time, filter)
    }

    /// A metric as another one uses it: its name, or a map with what is special about the use.
    fn input(&mut self, used: &Use, more: &[String]) -> Result<Value, String> {
        if self.manifest.metric(&used.name).is_none() {
            return Err(format!("there is no metric {}", used.name));
        }
        let leaves = self.leaves(&used.name, 0)?;
        let mut filters = Vec::new();
        for filter in used.filters.iter().chain(more) {
            let mut texts: Vec<String> = Vec::new();
            for measure in &leaves {
                let text = self.condition(filter, measure, self.model(&measure.model)?)?;
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            match texts.as_slice() {
                [one] => filters.push(one.clone()),
                several => {
                    return Err(format!(
                        "the condition '{filter}' reads differently for the parts of {}: {}",
                        used.name,
                        several.join("; ")
                    ));
                }
            }
        }
        let mut fields = Map::new();
        fields.insert("metric".to_owned(), json!(used.name));
        if !filters.is_empty() {
            fields.insert("filters".to_owned(), json!(filters));
        }
        if let Some(window) = &used.offset_window {
            fields.insert("offset".to_owned(), json!(window));
        } else if let Some(grain) = &used.offset_to_grain {
            fields.insert("offset".to_owned(), json!({"to": grain}));
        }
        Ok(match fields.len() {
            1 => json!(used.name),
            _ => Value::Object(fields),
        })
    }

    fn cumulative(
        &mut self,
        metric: &Metric,
        input: &Input,
        window: &str,
        period_agg: &str,
        fields: &mut Fields,
    ) -> Result<(), String> {
        let used = input.used();
        let simple = match input {
            Input::Measure(_) => Some((used.name.clone(), Vec::new(), None)),
            Input::Metric(_) => match self
                .manifest
                .metric(&used.name)
                .map(|found| (found, &found.kind))
            {
                Some((found, Kind::Simple(inner))) => {
                    let filters = [inner.filters.clone(), found.filters.clone()].concat();
                    Some((inner.name.clone(), filters, Some(inner.clone())))
                }
                _ => None,
            },
        };
        let has_filters = !used.filters.is_empty() || !metric.filters.is_empty();
        let by_name = matches!(input, Input::Metric(_)) && !has_filters;
        match simple {
            Some((measure, inner, inner_use)) if !by_name => {
                let measure = self.measure(&measure)?;
                self.aggregation(&measure, &[&inner, &used.filters, &metric.filters], fields)?;
                fields.insert(
                    "cumulative".to_owned(),
                    json!({"window": window, "at_coarser_grain": period_agg}),
                );
                presentation(&inner_use.iter().chain([used]).collect::<Vec<_>>(), fields)
            }
            _ if has_filters => Err(format!(
                "it accumulates {}, which is no simple metric, under a condition",
                used.name
            )),
            _ => {
                fields.insert("of".to_owned(), json!(used.name));
                fields.insert("window".to_owned(), json!(window));
                fields.insert("at_coarser_grain".to_owned(), json!(period_agg));
                presentation(&[used], fields)
            }
        }
    }

    /// The simple metric of one side of a conversion; made where none is exactly it.
    fn event(
        &mut self,
        metric: &Metric,
        input: &Input,
        role: &str,
        more: &[String],
    ) -> Result<String, String> {
        let used = input.used();
        let has_filters = !used.filters.is_empty() || !more.is_empty();
        let (measure, inner) = match input {
            Input::Measure(_) => {
                let same = self.manifest.metrics.iter().find(|metric| {
                    metric.filters.is_empty()
                        && matches!(&metric.kind, Kind::Simple(inner)
                            if inner.name == used.name && inner.filters.is_empty())
                });
                if let (Some(same), false) = (same, has_filters) {
                    return Ok(same.name.clone());
                }
                (used.name.clone(), Vec::new())
            }
            Input::Metric(_) if !has_filters => return Ok(used.name.clone()),
            Input::Metric(_) => {
                let found = self
                    .manifest
                    .metric(&used.name)
                    .ok_or_else(|| format!("there is no metric {}", used.name))?;
                let Kind::Simple(inner) = &found.kind else {
                    return Err(format!("{} is no simple metric", used.name));
                };
                (
                    inner.name.clone(),
                    [inner.filters.clone(), found.filters.clone()].concat(),
                )
            }
        };
        let taken = |name: &str| {
            self.manifest.metric(name).is_some()
                || self.written.iter().any(|other| other.name == name)
        };
        // A measure without a metric of its own becomes one under its name, where that is free.
        let name = if !has_filters && !taken(&measure) {
            measure.clone()
        } else {
            format!("{}_{role}", metric.name)
        };
        let measure = self.measure(&measure)?;
        let mut fields = Map::new();
        fields.insert(
            "description".to_owned(),
            json!(format!("The {role} events of {}.", metric.name)),
        );
        self.aggregation(&measure, &[&inner, &used.filters, more], &mut fields)?;
        self.written.push(Written {
            name: name.clone(),
            dataset: Some(measure.model),
            value: Value::Object(fields),
        });
        Ok(name)
    }

    /// The measures that a metric comes down to.
    fn leaves(&self, name: &str, depth: usize) -> Result<Vec<Measure>, String> {
        if depth > MAX_DEPTH {
            return Err(format!("{name} is made of itself"));
        }
        let metric = self
            .manifest
            .metric(name)
            .ok_or_else(|| format!("there is no metric {name}"))?;
        let side = |input: &Input| match input {
            Input::Measure(used) => self.measure(&used.name).map(|measure| vec![measure]),
            Input::Metric(used) => self.leaves(&used.name, depth + 1),
        };
        let mut found: Vec<Measure> = Vec::new();
        let all: Vec<Vec<Measure>> = match &metric.kind {
            Kind::Simple(used) => vec![vec![self.measure(&used.name)?]],
            Kind::Ratio(numerator, denominator) => vec![
                self.leaves(&numerator.name, depth + 1)?,
                self.leaves(&denominator.name, depth + 1)?,
            ],
            Kind::Derived { inputs, .. } => inputs
                .iter()
                .map(|input| self.leaves(&input.name, depth + 1))
                .collect::<Result<_, String>>()?,
            Kind::Cumulative { input, .. } => vec![side(input)?],
            Kind::Conversion {
                base, conversion, ..
            } => vec![side(base)?, side(conversion)?],
        };
        for measure in all.into_iter().flatten() {
            if !found.iter().any(|known| known.name == measure.name) {
                found.push(measure);
            }
        }
        Ok(found)
    }

    /// The grain of a metric's time: what it says, else the coarsest of the times it is counted by, where that is no day.
    fn time_grain(&self, metric: &Metric) -> Result<Option<Grain>, String> {
        let said = metric.granularity.as_deref().and_then(Grain::from_word);
        if said.is_some() {
            return Ok(said.filter(|grain| *grain != Grain::Day));
        }
        let mut coarsest = None;
        for measure in self.leaves(&metric.name, 0)? {
            let mut models = self.manifest.models.iter();
            let model = models.find(|model| model.name == measure.model);
            let time = model.and_then(|model| {
                let time = measure.time.as_deref().or(model.agg_time.as_deref())?;
                model.dimension(time)
            });
            let grain = time.and_then(|time| Grain::from_word(time.granularity.as_deref()?));
            coarsest = coarsest.max(grain.filter(|grain| *grain > Grain::Day));
        }
        Ok(coarsest)
    }

    /// The models a metric is computed from.
    fn models_of(&self, name: &str, depth: usize) -> Result<Vec<String>, String> {
        let mut models: Vec<String> = Vec::new();
        for measure in self.leaves(name, depth)? {
            if !models.contains(&measure.model) {
                models.push(measure.model);
            }
        }
        Ok(models)
    }
}

fn about(metric: &Metric) -> Fields {
    let mut fields = Map::new();
    if let Some(label) = &metric.label {
        fields.insert("label".to_owned(), json!(label));
    }
    if let Some(text) = described(metric.description.as_deref(), &metric.name) {
        fields.insert("description".to_owned(), json!(text));
    }
    if let Some(owner) = &metric.owner {
        fields.insert("owner".to_owned(), json!(owner));
    }
    if !metric.tags.is_empty() {
        fields.insert("tags".to_owned(), json!(metric.tags));
    }
    fields
}

/// `fill` and `every_period`, as the uses of measures say.
fn presentation(used: &[&Use], fields: &mut Fields) -> Result<(), String> {
    if let Some(fill) = used.iter().rev().find_map(|used| used.fill.as_ref()) {
        let number: i64 = fill
            .parse()
            .map_err(|_| format!("'{fill}' is no whole number to fill with"))?;
        fields.insert("fill".to_owned(), json!(number));
    }
    if used.iter().any(|used| used.every_period) {
        fields.insert("every_period".to_owned(), json!(true));
    }
    Ok(())
}

fn aggregate(word: &str) -> Option<&'static str> {
    Some(match word {
        "sum" => "sum",
        "count" => "count",
        "count_distinct" => "count_distinct",
        "average" | "avg" => "avg",
        "min" => "min",
        "max" => "max",
        "median" => "median",
        "percentile" => "percentile",
        "sum_boolean" => "sum_boolean",
        _ => return None,
    })
}
