//! One query on one engine against the oracle.

use metrex::compile::{
    CompileOptions, Compiled, Passes, Reachability, Rollups, Statement, Templates, compile,
};
use metrex::model::{Connection, MetricQuery, NoValues, Registry};
use metrex::warehouse::{Request, Warehouse};

use crate::model::Model;
use crate::oracle::{Answer, Answered, Value, World, answer, close, values};
use crate::support;

/// An engine with the data of a model.
pub struct Engine {
    pub name: &'static str,
    pub connection: Connection,
    pub warehouse: Warehouse,
}

/// A registry, ready to compile.
pub struct Compiler {
    pub registry: Registry,
    pub reach: Reachability,
    pub templates: Templates,
}

pub enum Verdict {
    /// The rows are equal; whether the optimiser changes the SQL, and whether a rollup is read.
    Same { optimised: bool, routed: bool },
    /// Both say that there is no answer.
    Refused,
    /// They differ: why.
    Wrong(String),
}

impl Compiler {
    pub fn new(model: &Model) -> Self {
        let registry = support::shop::registry_of(&model.yaml());
        Self {
            reach: Reachability::new(&registry),
            templates: Templates::builtin().unwrap(),
            registry,
        }
    }
}

/// What the oracle says of a query: the rows, and the total row where there is one.
pub struct Expected {
    pub main: Answered<Answer>,
    pub total: Answered<Answer>,
}

pub fn expected(compiler: &Compiler, model: &Model, query: &MetricQuery) -> Expected {
    let world = World::new(&compiler.registry, &model.tables, model.today);
    Expected {
        main: answer(&world, query),
        total: crate::oracle::total(&world, query),
    }
}

/// One query on one engine, with the optimiser and without, and from rollups.
pub async fn check(
    engine: &Engine,
    rollups: &Rollups,
    compiler: &Compiler,
    model: &Model,
    query: &MetricQuery,
    expected: &Expected,
) -> Verdict {
    let line = query.to_string();
    match line.parse::<MetricQuery>() {
        Ok(read) if read == *query => {}
        other => return Verdict::Wrong(format!("the line does not read back: {other:?}")),
    }
    // The total of every query is checked too.
    let query = &MetricQuery {
        total: true,
        ..query.clone()
    };
    let kept = Passes {
        rollups: Some(rollups),
        ..Passes::default()
    };
    let apart = Passes {
        merge_scans: false,
        ..Passes::default()
    };
    let compiled = [Passes::default(), Passes::NONE, kept, apart].map(|passes| {
        let options = CompileOptions {
            dialect: engine.warehouse.dialect(),
            today: model.today,
            values: &NoValues,
            passes,
        };
        let Compiler {
            registry,
            reach,
            templates,
        } = compiler;
        compile(registry, reach, templates, query, &options)
    });
    match (compiled, &expected.main) {
        ([Err(_), Err(_), Err(_), Err(_)], Err(_)) => Verdict::Refused,
        ([Err(error), ..] | [_, Err(error), ..] | [_, _, Err(error), _] | [.., Err(error)], _) => {
            Verdict::Wrong(format!("refused: {error} {:?}", error.hint))
        }
        ([Ok(compiled), ..], Err(why)) => Verdict::Wrong(format!(
            "answered, although {}\n{}",
            why.0, compiled.main.sql
        )),
        ([Ok(compiled), Ok(plain), Ok(kept), Ok(apart)], Ok(right)) => {
            if let Some(why) = differs(engine, &compiled, right, expected).await {
                return Verdict::Wrong(why);
            }
            let optimised = (&compiled.main, &compiled.totals) != (&plain.main, &plain.totals);
            if optimised && let Some(why) = differs(engine, &plain, right, expected).await {
                return Verdict::Wrong(format!("without the optimiser: {why}"));
            }
            let is_apart = (&compiled.main, &compiled.totals) != (&apart.main, &apart.totals);
            if is_apart && let Some(why) = differs(engine, &apart, right, expected).await {
                return Verdict::Wrong(format!("each sum from a scan of its own: {why}"));
            }
            let routed = (&compiled.main, &compiled.totals) != (&kept.main, &kept.totals);
            if routed && let Some(why) = differs(engine, &kept, right, expected).await {
                return Verdict::Wrong(format!("from rollups: {why}"));
            }
            Verdict::Same { optimised, routed }
        }
    }
}

async fn differs(
    engine: &Engine,
    compiled: &Compiled,
    right: &Answer,
    expected: &Expected,
) -> Option<String> {
    if let Some(why) = statement(engine, &compiled.main, right).await {
        return Some(why);
    }
    match (compiled.total(), &expected.total) {
        (Some(total), Ok(right)) => statement(engine, total, right)
            .await
            .map(|why| format!("total: {why}")),
        _ => None,
    }
}

async fn statement(engine: &Engine, statement: &Statement, right: &Answer) -> Option<String> {
    let names: Vec<&str> = statement
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    if names != right.columns {
        return Some(format!("columns {names:?} instead of {:?}", right.columns));
    }
    let columns = statement.columns.iter();
    let request = Request {
        sql: statement.sql.clone(),
        columns: Some(
            columns
                .map(|column| (column.name.clone(), column.ty))
                .collect(),
        ),
        row_cap: None,
    };
    let found = match support::collect(&engine.warehouse, request).await {
        Ok((batches, _)) => values(&batches),
        Err(error) => return Some(format!("{error}\n{}", statement.sql)),
    };
    let same = found.len() == right.rows.len()
        && found.iter().zip(&right.rows).all(|(one, other)| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| close(one, other))
        });
    (!same).then(|| {
        format!(
            "expected\n{}found\n{}{}",
            text(&right.rows),
            text(&found),
            statement.sql
        )
    })
}

/// Rows as lines.
pub fn text(rows: &[Vec<Value>]) -> String {
    let line = |row: &Vec<Value>| {
        let cells = row.iter().map(|value| match value {
            Value::Null => "-".to_owned(),
            Value::Bool(yes) => yes.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Text(text) => format!("'{text}'"),
            Value::Date(day) => day.to_string(),
            Value::Time(at) => at.to_string(),
        });
        format!("  {}\n", cells.collect::<Vec<_>>().join(" | "))
    };
    rows.iter().map(line).collect()
}
