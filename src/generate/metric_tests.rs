//! The tests that stand with a metric, as tests of the dbt project.

use super::layers::Layers;
use super::mart::{Mart, compiled};
use super::text::{MADE, comment, is_template, quoted, slug};
use super::{Package, Wanted, ctes};
use crate::compile::{Role, Templates};
use crate::model::{Expectation, Grain, GroupBy, MetricQuery, MetricTest, TimeRange, Tolerance};
use crate::warehouse::{Dialect, Shift};

/// Adds a file for each test of a metric.
pub(super) fn tests(
    layers: &Layers<'_>,
    templates: &Templates,
    mart: &Mart<'_>,
    wanted: &Wanted<'_>,
    package: &mut Package,
) {
    for (n, test) in mart.metric.tests.iter().enumerate() {
        let name = slug(&format!("{} {}", mart.metric.name, test.title()));
        match sql(layers, templates, mart, test, wanted) {
            Ok(sql) => package.add(format!("tests/{name}_{}.sql", n + 1), sql),
            Err(reason) => {
                let text = format!("the test '{}' is left out: {reason}", test.title());
                package.note(layers.original.at(test.place), text);
            }
        }
    }
}

/// SQL with a row for everything that is not as it should be.
fn sql(
    layers: &Layers<'_>,
    templates: &Templates,
    mart: &Mart<'_>,
    test: &MetricTest,
    wanted: &Wanted<'_>,
) -> Result<String, String> {
    let mut out = comment(&format!(
        "{}\nThe test stands at {}; a range that moves is the one of {}.\n{MADE}",
        test.title(),
        layers.original.at(test.place),
        wanted.today
    ));
    // Where it fails, dbt leaves out what stands on the metric, and not all that stands on its tables.
    out.push_str(&format!(
        "-- depends_on: {{{{ ref({}) }}}}\n\n",
        quoted(&mart.name)
    ));
    let is_fresh = |expected: &&Expectation| matches!(expected, Expectation::FreshWithin(..));
    let mut checks: Vec<String> = Vec::new();
    let of_query: Vec<&Expectation> = test.expected.iter().filter(|one| !is_fresh(one)).collect();
    if !of_query.is_empty() {
        let result = subquery(layers, templates, &test.query, wanted)?;
        checks.push(format!(
            "select 'no rows' as failed\nwhere not exists (select 1 from (\n{}\n) as result)",
            result.sql
        ));
        for expected in of_query {
            checks.push(check(layers, templates, expected, &result, wanted)?);
        }
    }
    for expected in test.expected.iter().filter(is_fresh) {
        if let Expectation::FreshWithin(count, grain) = expected {
            checks.push(fresh(layers, templates, test, (*count, *grain), wanted)?);
        }
    }
    out.push_str(&checks.join("\n\nunion all\n\n"));
    out.push('\n');
    Ok(out)
}

/// A query in one piece, and the column of its figure.
struct Asked {
    sql: String,
    value: String,
    time: Option<String>,
}

fn subquery(
    layers: &Layers<'_>,
    templates: &Templates,
    query: &MetricQuery,
    wanted: &Wanted<'_>,
) -> Result<Asked, String> {
    let statement = compiled(layers, templates, query, wanted.dialect, wanted.today)?.main;
    if is_template(&statement.sql) {
        return Err("its SQL has signs that dbt takes for a template".to_owned());
    }
    let models = layers.read_by(&statement.sql);
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    let import = |model: &str| format!("select * from {{{{ ref({}) }}}}", quoted(model));
    let (steps, is_recursive) =
        ctes::steps(layers.original, &statement, wanted.dialect, &names, &import);
    let with = if is_recursive {
        "with recursive"
    } else {
        "with"
    };
    let column = |role| statement.columns.iter().find(|column| column.role == role);
    let value = column(Role::Metric).ok_or("it asks for no metric")?;
    let time = statement
        .columns
        .iter()
        .find(|column| column.grain.is_some());
    Ok(Asked {
        sql: format!("{with}\n\n{steps}\n\nselect * from final"),
        value: wanted.dialect.name(&value.name),
        time: time.map(|column| wanted.dialect.name(&column.name)),
    })
}

fn check(
    layers: &Layers<'_>,
    templates: &Templates,
    expected: &Expectation,
    result: &Asked,
    wanted: &Wanted<'_>,
) -> Result<String, String> {
    let Asked { sql, value, .. } = result;
    let wrong = match expected {
        Expectation::Equals {
            value: number,
            tolerance,
        } => {
            return Ok(format!(
                "{}\nhaving count(*) <> 1 or count({value}) <> 1 or max(abs({value} - ({number}))) > {}",
                select(expected, sql),
                allowed(*tolerance, &format!("abs({number})"))
            ));
        }
        Expectation::SumsTo { query, tolerance } => {
            let other = subquery(layers, templates, query, wanted)?;
            return Ok(format!(
                "select {} as failed\nfrom (\nselect sum({value}) as total from (\n{sql}\n) as result\n) as one\n\
                 cross join (\nselect sum({}) as total from (\n{}\n) as result\n) as other\n\
                 where one.total is null or other.total is null or abs(one.total - other.total) > {}",
                text(expected),
                other.value,
                other.sql,
                allowed(*tolerance, "abs(other.total)")
            ));
        }
        Expectation::Range { low, high } => {
            let low = low.map(|low| format!("{value} < {low}"));
            let high = high.map(|high| format!("{value} > {high}"));
            let both: Vec<String> = low.into_iter().chain(high).collect();
            match both.is_empty() {
                true => return Err("it expects nothing".to_owned()),
                false => both.join(" or "),
            }
        }
        Expectation::Positive => format!("{value} <= 0"),
        Expectation::NotNull => format!("{value} is null"),
        Expectation::FreshWithin(..) => return Err("its time is not known".to_owned()),
    };
    Ok(format!("{}\nwhere {wrong}", select(expected, sql)))
}

fn select(expected: &Expectation, sql: &str) -> String {
    format!(
        "select {} as failed from (\n{sql}\n) as result",
        text(expected)
    )
}

fn text(expected: &Expectation) -> String {
    format!(
        "'{}'",
        super::text::plain(&expected.to_string()).replace('\'', "''")
    )
}

/// How far off a figure may be; what engines round differently is allowed.
fn allowed(tolerance: Tolerance, of: &str) -> String {
    match tolerance {
        Tolerance::Absolute(distance) => format!("{distance} + 1e-9 * {of}"),
        Tolerance::Percent(percent) => format!("({percent} / 100.0 + 1e-9) * {of}"),
    }
}

/// That the last day with a figure is not too long ago.
fn fresh(
    layers: &Layers<'_>,
    templates: &Templates,
    test: &MetricTest,
    (count, grain): (u32, Grain),
    wanted: &Wanted<'_>,
) -> Result<String, String> {
    let query = MetricQuery {
        group_by: Some(vec![GroupBy::Grain {
            grain: Grain::Day,
            of: None,
        }]),
        time: Some(TimeRange::AllTime),
        every_period: Some(false),
        ..test.query.clone()
    };
    let result = subquery(layers, templates, &query, wanted)?;
    let time = result.time.ok_or("it has no time")?;
    let n = i32::try_from(count).map_err(|_| "it is too long ago")?;
    let by = match grain {
        Grain::Month => Shift::Months(n.saturating_neg()),
        Grain::Quarter => Shift::Months(n.saturating_mul(-3)),
        Grain::Year => Shift::Months(n.saturating_mul(-12)),
        Grain::Week => Shift::Days(n.saturating_mul(-7)),
        _ => Shift::Days(n.saturating_neg()),
    };
    let oldest = match wanted.dialect {
        Dialect::Sqlite => return Err("dbt has no SQLite".to_owned()),
        dialect => dialect.shift("{{ metrex_today() }}", by),
    };
    Ok(format!(
        "{}\nwhere {} is not null\nhaving max({time}) is null or max({time}) < {oldest}",
        select(&Expectation::FreshWithin(count, grain), &result.sql),
        result.value
    ))
}
