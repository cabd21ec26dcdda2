//! Engines with the data of many models, the random cases asked of them, and the report of one that fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use metrex::compile::Rollups;
use metrex::model::MetricQuery;
use metrex::warehouse::Warehouse;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::check::{self, Compiler, Engine, Expected, Verdict, check, expected};
use crate::model::Model;
use crate::oracle::Table;
use crate::random::Random;
use crate::{Family, duckdb, oracle, postgres, rollups, shrink, support};

/// Queries asked of one registry.
pub const QUERIES: usize = 40;

/// Models whose data are loaded together: starting an engine costs more than asking it.
const BATCH: usize = 8;

/// Failures after which nothing more is asked.
const ENOUGH: usize = 3;

/// What was asked.
#[derive(Default)]
pub struct Count {
    pub answered: usize,
    pub refused: usize,
    /// Answers of which a pass of the optimiser changed the SQL.
    pub optimised: usize,
    /// Answers that some engine also gave from a rollup.
    pub routed: usize,
}

/// A case that an engine answers otherwise than the oracle.
struct Failure {
    seed: u64,
    engine: &'static str,
    model: Model,
    query: MetricQuery,
    why: String,
}

struct Bench {
    family: &'static Family,
    runtime: Runtime,
    folder: TempDir,
    cluster: Option<Arc<postgres::Cluster>>,
    loads: usize,
}

impl Bench {
    fn new(family: &'static Family) -> Self {
        Self {
            family,
            runtime: Runtime::new().unwrap(),
            folder: tempfile::tempdir().unwrap(),
            cluster: postgres::Cluster::shared(),
            loads: 0,
        }
    }

    /// The engines with these tables; `only` one of them, where it is named.
    fn engines(&mut self, tables: &[Table], only: Option<&str>) -> Vec<Engine> {
        self.loads += 1;
        let path = self.folder.path().join(format!("{}.db", self.loads));
        let mut connections = vec![("sqlite", support::sqlite(&path))];
        if let Some(cluster) = &self.cluster {
            connections.push(("postgres", postgres::at(&cluster.url())));
        }
        let path = self.folder.path().join(format!("{}.duckdb", self.loads));
        connections.extend(duckdb::at(&path).map(|connection| ("duckdb", connection)));
        connections.retain(|(name, _)| only.is_none_or(|only| only == *name));
        let engines = connections.into_iter().map(|(name, connection)| {
            oracle::load(&connection.kind, tables);
            let _runtime = self.runtime.enter();
            let warehouse = Warehouse::open(&connection, "UTC").unwrap();
            Engine {
                name,
                connection,
                warehouse,
            }
        });
        engines.collect()
    }

    /// All queries of some seeds; of each seed, the first failure.
    fn run(&mut self, seeds: &[u64], count: &Mutex<Count>) -> Vec<Failure> {
        let mut cases: Vec<(u64, Random, Model)> = Vec::new();
        for seed in seeds {
            let mut random = Random::new(*seed);
            let prefix = format!("{}{seed}_", self.family.prefix);
            let mut model = (self.family.model)(&mut random, &prefix);
            let compiler = Compiler::new(&model);
            model.rollups = rollups::declare(&mut Random::new(!seed), &compiler, &model, &prefix);
            cases.push((*seed, random, model));
        }
        let tables: Vec<Table> = cases
            .iter()
            .flat_map(|(_, _, model)| model.tables.clone())
            .collect();
        let engines = self.engines(&tables, None);
        let cases = cases.into_iter();
        cases
            .filter_map(|(seed, random, model)| self.one(seed, random, &model, &engines, count))
            .collect()
    }

    fn one(
        &self,
        seed: u64,
        mut random: Random,
        model: &Model,
        engines: &[Engine],
        count: &Mutex<Count>,
    ) -> Option<Failure> {
        let _named = Named(seed);
        let compiler = Compiler::new(model);
        let engines = engines.iter();
        let engines: Vec<(&Engine, Rollups)> = engines
            .map(|engine| (engine, self.rollups(engine, &compiler, model)))
            .collect();
        for _ in 0..QUERIES {
            let (query, expected) = self.ask(&mut random, &compiler, model);
            let (mut is_optimised, mut is_routed) = (false, false);
            for (engine, rollups) in &engines {
                let verdict = check(engine, rollups, &compiler, model, &query, &expected);
                match self.runtime.block_on(verdict) {
                    Verdict::Same { optimised, routed } => {
                        is_optimised |= optimised;
                        is_routed |= routed;
                    }
                    Verdict::Refused => {}
                    Verdict::Wrong(why) => {
                        return Some(Failure {
                            seed,
                            engine: engine.name,
                            model: model.clone(),
                            query,
                            why,
                        });
                    }
                }
            }
            let mut count = count.lock().unwrap();
            match expected.main {
                Ok(_) => count.answered += 1,
                Err(_) => count.refused += 1,
            }
            count.optimised += usize::from(is_optimised);
            count.routed += usize::from(is_routed);
        }
        None
    }

    /// The rollups of a model, made on an engine.
    fn rollups(&self, engine: &Engine, compiler: &Compiler, model: &Model) -> Rollups {
        let made = rollups::made(compiler, model, engine.warehouse.dialect());
        self.runtime.block_on(rollups::make(engine, model, &made));
        made
    }

    /// A query; of a few, the first that has an answer.
    fn ask(
        &self,
        random: &mut Random,
        compiler: &Compiler,
        model: &Model,
    ) -> (MetricQuery, Expected) {
        let mut last = None;
        for _ in 0..4 {
            let query = (self.family.query)(random, model);
            let expected = expected(compiler, model, &query);
            let is_answered = expected.main.is_ok();
            last = Some((query, expected));
            if is_answered {
                break;
            }
        }
        last.unwrap()
    }

    /// Whether a case fails on an engine, and why. A registry that does not load any more is another fault.
    fn fails(&mut self, engine: &str, model: &Model, query: &MetricQuery) -> Option<String> {
        let compiler = catch_unwind(|| Compiler::new(model)).ok()?;
        let engines = self.engines(&model.tables, Some(engine));
        let case = || expected(&compiler, model, query);
        let expected = catch_unwind(AssertUnwindSafe(case)).ok()?;
        let rollups = self.rollups(&engines[0], &compiler, model);
        let verdict = check(&engines[0], &rollups, &compiler, model, query, &expected);
        match self.runtime.block_on(verdict) {
            Verdict::Wrong(why) => Some(why),
            Verdict::Same { .. } | Verdict::Refused => None,
        }
    }

    /// The smallest case that fails in the same way.
    fn report(&mut self, failure: Failure) -> String {
        let Failure {
            seed,
            engine,
            model,
            query,
            why,
        } = failure;
        println!("seed {seed} on {engine}: {query}\n{why}");
        let kind = word(&why).to_owned();
        // What is tried on the way must not fill the output.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let (model, query) = shrink::shrink(model, query, &mut |model, query| {
            let why = self.fails(engine, model, query);
            why.is_some_and(|why| word(&why) == kind)
        });
        std::panic::set_hook(hook);
        let why = self.fails(engine, &model, &query).unwrap_or_default();
        let tables = model.tables.iter().map(|table| {
            let names: Vec<&str> = table
                .columns
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            format!(
                "{} ({})\n{}",
                table.name,
                names.join(", "),
                check::text(&table.rows)
            )
        });
        format!(
            "seed {seed} on {engine}, today {}\n{query}\n{why}\n{}\n{}",
            model.today,
            model.yaml(),
            tables.collect::<String>()
        )
    }
}

/// Asks the queries of all seeds, on as many threads as there are cores. Failures are made small, printed and kept.
pub fn run(family: &'static Family, seeds: &[u64]) {
    let next = AtomicUsize::new(0);
    let count = Mutex::new(Count::default());
    let failures = Mutex::new(Vec::new());
    // One cluster for all threads.
    let cluster = postgres::Cluster::shared();
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut bench = Bench::new(family);
                while failures.lock().unwrap().len() < ENOUGH {
                    let first = next.fetch_add(BATCH, Ordering::Relaxed).min(seeds.len());
                    let batch = &seeds[first..(first + BATCH).min(seeds.len())];
                    if batch.is_empty() {
                        break;
                    }
                    let failed = bench.run(batch, &count);
                    failures.lock().unwrap().extend(failed);
                }
            });
        }
    });
    let failures: Vec<Failure> = failures.into_inner().unwrap();
    let failed: Vec<u64> = failures.iter().map(|failure| failure.seed).collect();
    let mut bench = Bench::new(family);
    for failure in failures.into_iter().take(ENOUGH) {
        keep(family.seeds, failure.seed);
        println!("{}\n----", bench.report(failure));
    }
    drop(cluster);
    let count = count.into_inner().unwrap();
    let asked = count.answered + count.refused;
    println!(
        "{asked} queries, {} answered, {} without an answer ({} %), {} changed by the optimiser, {} also from a rollup",
        count.answered,
        count.refused,
        100 * count.refused / asked.max(1),
        count.optimised,
        count.routed
    );
    assert!(failed.is_empty(), "seeds {failed:?} fail, see above");
    assert!(
        10 * count.answered >= 6 * asked,
        "most of the queries should have an answer"
    );
}

/// In which way a case fails: the first word of why. A smaller case that fails in another way is another case.
fn word(why: &str) -> &str {
    why.split_whitespace().next().unwrap_or_default()
}

/// Notes a failing seed, so that it is asked again for ever.
fn keep(file: &str, seed: u64) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential/");
    let path = format!("{folder}{file}");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if !kept.lines().any(|line| line == seed.to_string()) {
        let _ = std::fs::write(path, format!("{kept}{seed}\n"));
    }
}

/// Says which seed it was, should anything panic.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("seed {} panics", self.0);
        }
    }
}
