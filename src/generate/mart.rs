//! The model of a metric: its compiled SQL over the models below it, by a period and the dimensions that suit it.

use jiff::civil::Date;

use super::config::{Kept, config};
use super::groupings::groupings;
use super::layers::Layers;
use super::text::{MADE, comment, is_template, quoted};
use super::{Materialized, Wanted, closure, ctes};
use crate::compile::{
    CompileOptions, Compiled, OutputColumn, Passes, Role, Templates, compile, reading,
};
use crate::model::{
    Grain, GroupBy, Metric, MetricKind, MetricQuery, NoValues, Registry, TimeRange,
};
use crate::warehouse::{Dialect, Shift};

/// The model of a metric.
pub(super) struct Mart<'a> {
    pub metric: &'a Metric,
    /// Its name in dbt.
    pub name: String,
    /// Its text.
    pub sql: String,
    pub columns: Vec<OutputColumn>,
    pub groups: Vec<GroupBy>,
    /// The models that it reads.
    pub reads: Vec<String>,
    /// The same as a query line.
    pub line: String,
}

impl Mart<'_> {
    /// Its file.
    pub fn path(&self) -> String {
        format!("models/marts/{}.sql", self.name)
    }

    /// The columns that it is grouped by.
    pub fn keys(&self) -> impl Iterator<Item = &OutputColumn> {
        self.columns
            .iter()
            .filter(|column| column.role == Role::Group)
    }
}

/// The name of the model of a metric.
pub fn name_of(metric: &str) -> String {
    format!("mart_{}", metric.to_lowercase())
}

/// A day that comes after all data: what looks back from today is not cut there.
const NEVER: Date = jiff::civil::date(9990, 1, 1);

/// Makes the model of a metric.
///
/// # Errors
/// Why the metric cannot be a model.
pub(super) fn mart<'a>(
    layers: &Layers<'a>,
    templates: &Templates,
    metric: &'a Metric,
    wanted: &Wanted<'_>,
) -> Result<Mart<'a>, String> {
    if wanted.models.contains(&name_of(&metric.name)) {
        return Err(format!(
            "the project has a model {} of its own",
            name_of(&metric.name)
        ));
    }
    let own = groupings(layers.original, metric);
    let groups = wanted.by.map_or(own, <[GroupBy]>::to_vec);
    let is_time = |group: &&GroupBy| matches!(group, GroupBy::Grain { of: None, .. });
    let mut parts = parts(layers, metric);
    parts.retain(|part| *part != metric.name);
    let by_time: Vec<GroupBy> = groups.iter().filter(is_time).cloned().collect();
    let mut tries = vec![(parts, groups.clone()), (Vec::new(), groups)];
    if wanted.by.is_none() {
        tries.push((Vec::new(), by_time));
    }
    let mut refused = None;
    for (parts, groups) in tries {
        match made(layers, templates, metric, parts, groups, wanted) {
            Ok(mart) => return Ok(mart),
            Err(reason) => refused = refused.or(Some(reason)),
        }
    }
    Err(refused.unwrap_or_default())
}

/// The metrics whose figures stand beside its own: what it is made of, so that a reader can add them up.
fn parts(layers: &Layers<'_>, metric: &Metric) -> Vec<String> {
    match &metric.kind {
        MetricKind::Ratio(_) => layers
            .halves
            .get(&metric.name)
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        MetricKind::Derived { inputs, .. } => {
            let plain = inputs
                .iter()
                .filter(|input| input.offset.is_none() && input.filters.is_empty());
            plain.map(|input| input.metric.clone()).collect()
        }
        _ => Vec::new(),
    }
}

fn made<'a>(
    layers: &Layers<'a>,
    templates: &Templates,
    metric: &'a Metric,
    parts: Vec<String>,
    groups: Vec<GroupBy>,
    wanted: &Wanted<'_>,
) -> Result<Mart<'a>, String> {
    let mut metrics = parts;
    metrics.push(metric.name.clone());
    let query = MetricQuery {
        metrics,
        group_by: Some(groups.clone()),
        time: Some(TimeRange::AllTime),
        ..MetricQuery::default()
    };
    let now = compiled(layers, templates, &query, wanted.dialect, wanted.today)?;
    let later = compiled(layers, templates, &query, wanted.dialect, NEVER)?;
    let complete = now.main.sql != later.main.sql;
    let columns = later.main.columns.clone();
    let keys: Vec<&OutputColumn> = columns
        .iter()
        .filter(|column| column.role == Role::Group)
        .collect();
    let time = keys
        .iter()
        .find_map(|column| Some((column.name.clone(), column.grain?)));
    if complete && time.is_none() {
        return Err("it looks back from today, so its model needs a time grain".to_owned());
    }
    if is_template(&later.main.sql) {
        return Err("its SQL has signs that dbt takes for a template".to_owned());
    }
    let models = layers.read_by(&later.main.sql);
    let reads: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
    let is_incremental = wanted.materialized == Materialized::Incremental
        && time.as_ref().is_some_and(|(_, grain)| !grain.is_sub_day())
        && !complete
        && is_by_period(layers.original, metric);
    let materialized = match wanted.materialized {
        Materialized::Incremental if !is_incremental => Materialized::Table,
        as_wanted => as_wanted,
    };
    let late = time.as_ref().filter(|_| is_incremental);
    let import = |model: &str| {
        let select = format!("select * from {{{{ ref({}) }}}}", quoted(model));
        let time_of = late.and_then(|_| time_column(layers, metric, model));
        match (late, time_of) {
            (Some((period, grain)), Some(column)) => {
                let dialect = wanted.dialect;
                let last = format!("(select max({}) from {{{{ this }}}})", dialect.name(period));
                format!(
                    "{select}\n{{% if is_incremental() %}}\n-- Rows may come late: the last two periods are made again.\n\
                     where {} >= {}\n{{% endif %}}",
                    dialect.name(&column),
                    before(dialect, &last, *grain)
                )
            }
            _ => select,
        }
    };
    let names: Vec<&str> = reads.iter().map(String::as_str).collect();
    let (steps, is_recursive) = ctes::steps(
        layers.original,
        &later.main,
        wanted.dialect,
        &names,
        &import,
    );
    let others: Vec<String> = keys
        .iter()
        .map(|column| column.name.clone())
        .filter(|name| time.as_ref().is_none_or(|(time, _)| time != name))
        .collect();
    let mut sql = config(&Kept {
        metric,
        dialect: wanted.dialect,
        materialized,
        time: time.as_ref().map(|(name, grain)| (name.as_str(), *grain)),
        groups: &others,
    });
    let line = MetricQuery {
        metrics: vec![metric.name.clone()],
        ..query.clone()
    };
    let line = line.to_string();
    sql.push('\n');
    sql.push_str(&comment(&about(layers, metric, &query, complete)));
    sql.push_str(if is_recursive {
        "\nwith recursive\n\n"
    } else {
        "\nwith\n\n"
    });
    sql.push_str(&steps);
    sql.push_str("\n\nselect * from final\n");
    if let Some((time, grain)) = time.as_ref().filter(|_| complete) {
        let today = wanted.dialect.trunc(
            "{{ metrex_today() }}",
            *grain,
            layers.registry.calendar.week_start,
        );
        sql.push_str(&format!(
            "-- The period that still runs would be held against a whole one.\nwhere {} < {today}\n",
            wanted.dialect.name(time)
        ));
    }
    Ok(Mart {
        metric,
        name: name_of(&metric.name),
        sql,
        columns,
        groups,
        reads,
        line,
    })
}

/// Compiles a query over the models.
///
/// # Errors
/// Why it is refused.
pub(super) fn compiled(
    layers: &Layers<'_>,
    templates: &Templates,
    query: &MetricQuery,
    dialect: Dialect,
    today: Date,
) -> Result<Compiled, String> {
    let options = CompileOptions {
        dialect,
        today,
        values: &NoValues,
        passes: Passes::default(),
    };
    compile(&layers.registry, &layers.reach, templates, query, &options)
        .map_err(|error| error.message)
}

/// What stands above the SQL.
fn about(layers: &Layers<'_>, metric: &Metric, query: &MetricQuery, complete: bool) -> String {
    let by: Vec<String> = query
        .group_by
        .iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    let mut lines = vec![match by.is_empty() {
        true => format!("{}.", metric.label),
        false => format!("{} by {}.", metric.label, by.join(", ")),
    }];
    if !metric.description.is_empty() {
        lines.push(metric.description.clone());
    }
    lines.push(String::new());
    lines.push(format!("Meaning: {}.", reading(layers.original, metric)));
    lines.extend(
        metric
            .business_rules
            .iter()
            .map(|rule| format!("Rule: {rule}")),
    );
    if complete {
        lines.push("Complete periods only; the year 9989 stands for never.".to_owned());
    }
    let owner = metric
        .owner
        .as_ref()
        .map(|owner| format!("Owner: {owner}. "));
    let successor = metric
        .successor
        .as_ref()
        .map(|name| format!("; take {name} instead"));
    lines.push(format!(
        "{}Status: {}{}. Defined in {}.",
        owner.unwrap_or_default(),
        metric.status.word(),
        successor.unwrap_or_default(),
        layers.original.at(metric.place)
    ));
    lines.push(MADE.to_owned());
    lines.join("\n")
}

/// Whether the rows of a period alone decide about its figure.
fn is_by_period(registry: &Registry, metric: &Metric) -> bool {
    match &metric.kind {
        MetricKind::Simple(_) | MetricKind::Ratio(_) => {
            closure::measures(&metric.kind).all(|measure| {
                measure
                    .over_time
                    .as_ref()
                    .is_none_or(|over| !over.carry_forward)
            })
        }
        MetricKind::Derived { inputs, .. } => inputs.iter().all(|input| {
            let metric = registry.metric(&input.metric);
            input.offset.is_none() && metric.is_some_and(|metric| is_by_period(registry, metric))
        }),
        _ => false,
    }
}

/// The column of a model that says which period a counted row lies in; none where not all of them agree.
fn time_column(layers: &Layers<'_>, metric: &Metric, model: &str) -> Option<String> {
    let mut found = None;
    for measure in closure::counted(layers.original, metric) {
        let own = layers
            .model_of(&measure.dataset)
            .filter(|own| own.name == model);
        let Some(dataset) = own.and_then(|_| layers.original.datasets.get(&measure.dataset)) else {
            continue;
        };
        let time = measure.time.as_ref().or(dataset.time.as_ref())?;
        let column = dataset.dimension(time)?.column.clone()?;
        if found.as_ref().is_some_and(|known| *known != column) {
            return None;
        }
        found = Some(column);
    }
    found
}

/// The start of the period before.
fn before(dialect: Dialect, period: &str, grain: Grain) -> String {
    let by = match grain {
        Grain::Week => Shift::Days(-7),
        Grain::Month => Shift::Months(-1),
        Grain::Quarter => Shift::Months(-3),
        Grain::Year => Shift::Months(-12),
        _ => Shift::Days(-1),
    };
    dialect.shift(period, by)
}
