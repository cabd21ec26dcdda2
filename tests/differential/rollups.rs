//! Random rollups of a registry: made on every engine, they change no row.

use jiff::Timestamp;
use jiff::civil::Date;
use metrex::compile::{CompileOptions, Passes, RollupState, RollupTable, Rollups};
use metrex::model::{Grain, NoValues, Rollup};
use metrex::warehouse::{Dialect, write};
use tokio_util::sync::CancellationToken;

use crate::check::{Compiler, Engine};
use crate::model::Model;
use crate::random::Random;

/// Rollups of the datasets of a model, of what each can keep.
pub fn declare(
    random: &mut Random,
    compiler: &Compiler,
    model: &Model,
    prefix: &str,
) -> Vec<Rollup> {
    let datasets = compiler.registry.datasets.values();
    let facts: Vec<&str> = datasets
        .filter(|dataset| dataset.time.is_some())
        .map(|dataset| dataset.name.as_str())
        .collect();
    let mut declared = Vec::new();
    for n in 0..random.between(1, 3) {
        let name = format!("{prefix}kept{n}");
        let bare = Rollup {
            table: name.clone(),
            name,
            place: Default::default(),
            of: (*random.pick(&facts)).to_owned(),
            grain: *random.pick(&[Grain::Day, Grain::Day, Grain::Week, Grain::Month]),
            by: Vec::new(),
            embedded: false,
            metrics: Vec::new(),
        };
        let can_keep = |by: &[String], metrics: &[String]| {
            let rollup = Rollup {
                by: by.to_vec(),
                metrics: metrics.to_vec(),
                ..bare.clone()
            };
            lay_out(compiler, model, &rollup, Dialect::Sqlite).is_some()
        };
        let names: Vec<String> = model
            .metrics
            .iter()
            .map(|metric| metric.name.clone())
            .collect();
        let keepable: Vec<String> = names
            .into_iter()
            .filter(|name| can_keep(&[], std::slice::from_ref(name)))
            .collect();
        let metrics = random.some(&keepable, 4);
        let mut by = Vec::new();
        for _ in 0..4 {
            let (name, _) = random.pick(&model.dimensions);
            let more = [by.as_slice(), std::slice::from_ref(name)].concat();
            if can_keep(&more, &metrics) {
                by = more;
            }
        }
        if !metrics.is_empty() {
            declared.push(Rollup {
                by,
                metrics,
                ..bare
            });
        }
    }
    declared
}

fn lay_out(
    compiler: &Compiler,
    model: &Model,
    rollup: &Rollup,
    dialect: Dialect,
) -> Option<RollupTable> {
    let options = CompileOptions {
        dialect,
        today: model.today,
        values: &NoValues,
        passes: Passes::default(),
    };
    let Compiler {
        registry,
        reach,
        templates,
    } = compiler;
    RollupTable::new(registry, reach, templates, rollup, &options).ok()
}

/// The rollups of a model as an engine has them just after they were made.
pub fn made(compiler: &Compiler, model: &Model, dialect: Dialect) -> Rollups {
    let rollups = model.rollups.iter();
    let tables: Vec<RollupTable> = rollups
        .filter_map(|rollup| lay_out(compiler, model, rollup, dialect))
        .collect();
    let state = |table: &RollupTable| RollupState {
        name: table.name.clone(),
        table: table.table.clone(),
        definition: table.definition.clone(),
        until: complete(model),
        refreshed_at: Timestamp::UNIX_EPOCH,
        rows: table.columns().len() as u64,
    };
    Rollups {
        states: tables.iter().map(state).collect(),
        tables,
    }
}

/// After the last row, so that most queries may read them.
fn complete(model: &Model) -> Date {
    model.today.checked_add(jiff::ToSpan::days(30)).unwrap()
}

pub async fn make(engine: &Engine, model: &Model, rollups: &Rollups) {
    let dialect = engine.warehouse.dialect();
    let statements = rollups
        .tables
        .iter()
        .flat_map(|table| table.make(true, dialect));
    let statements = statements.collect();
    let cancel = CancellationToken::new();
    write(&engine.connection, model.timezone, statements, &cancel)
        .await
        .unwrap();
}
