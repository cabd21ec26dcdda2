//! A million values in a hundred columns, the same in every run, and their index.
#![allow(dead_code, reason = "every bench uses its own part")]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrex::index::{ValueIndex, plan, reindex};
use metrex::model::{Connection, ConnectionKind, Registry};
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};
use metrex::warehouse::{Cell, ColumnSpec, Loader, TableSpec, Warehouse};
use tokio_util::sync::CancellationToken;

pub const COLUMNS: usize = 100;
pub const ROWS: usize = 10_000;

/// A small generator of its own, so that every run has the same values.
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Self(88_172_645_463_325_252)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    pub fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

const SYLLABLES: [&str; 40] = [
    "ka", "ro", "mi", "bal", "te", "no", "sun", "dar", "li", "ven", "po", "gra", "shi", "mo",
    "lan", "ter", "qua", "zel", "fi", "dor", "han", "gu", "es", "pra", "nok", "wi", "jas", "ur",
    "bek", "lo", "san", "ta", "cru", "vil", "le", "port", "ham", "ton", "berg", "stad",
];
const COLOURS: [&str; 12] = [
    "blue", "red", "green", "black", "white", "navy", "olive", "cream", "grey", "pink", "gold",
    "brown",
];
const STUFFS: [&str; 10] = [
    "cotton", "linen", "wool", "leather", "denim", "silk", "nylon", "velvet", "canvas", "suede",
];
const THINGS: [&str; 16] = [
    "shirt", "jacket", "trousers", "dress", "skirt", "sweater", "shoes", "boots", "scarf", "belt",
    "hat", "gloves", "socks", "coat", "bag", "vest",
];

/// Four kinds of values: made-up names, products that share their words, numbered ones, and codes.
pub fn value(column: usize, row: usize, random: &mut Random) -> String {
    match column % 4 {
        0 | 1 => {
            let mut word = || {
                let syllables = 2 + random.below(3);
                (0..syllables)
                    .map(|_| random.of(&SYLLABLES))
                    .collect::<String>()
            };
            format!("{} {}", word(), word())
        }
        2 => format!(
            "{} {} {} {} {}",
            random.of(&COLOURS),
            random.of(&STUFFS),
            random.of(&THINGS),
            random.of(&SYLLABLES),
            random.below(60),
        ),
        _ => format!("customer {}", 100_000 + column * ROWS + row),
    }
}

pub fn names() -> impl Iterator<Item = String> {
    (0..COLUMNS).map(|column| format!("c{column}"))
}

fn registry() -> Registry {
    let mut text = "datasets:\n  facts:\n    table: facts\n    dimensions:\n".to_owned();
    for name in names() {
        writeln!(text, "      {name}: {{}}").unwrap();
    }
    text.push_str("metrics:\n  facts: {base_table: facts, agg: count}\n");
    let file = ProjectFile {
        path: "metrics/all.yaml".to_owned(),
        text,
    };
    let files = ProjectFiles {
        metrics: vec![file],
        ..ProjectFiles::default()
    };
    load(&files, &Config::default(), None).registry
}

fn make(path: &Path, mut random: Random) {
    let kind = ConnectionKind::Sqlite { path: path.into() };
    let mut loader = Loader::replacing(&kind).unwrap();
    let columns = names().map(|name| ColumnSpec {
        name,
        ty: metrex::model::ColumnType::Text,
        nullable: true,
    });
    loader
        .create(&TableSpec {
            name: "facts".to_owned(),
            columns: columns.collect(),
            primary_key: vec![],
            indexes: vec![],
        })
        .unwrap();
    for row in 0..ROWS {
        let values: Vec<String> = (0..COLUMNS)
            .map(|column| value(column, row, &mut random))
            .collect();
        let cells: Vec<Cell<'_>> = values.iter().map(|value| Cell::Text(value)).collect();
        loader.append(&cells).unwrap();
    }
    loader.finish().unwrap();
}

/// The index, filled once per target folder.
pub fn filled() -> Arc<ValueIndex> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("million_values");
    let (file, done) = (folder.join("value_index.db"), folder.join("done"));
    if done.exists() {
        return Arc::new(ValueIndex::open(&file).unwrap());
    }
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let database = folder.join("facts.db");
    make(&database, Random::new());
    let registry = registry();
    let connection = Connection {
        name: "bench".to_owned(),
        kind: ConnectionKind::Sqlite { path: database },
        row_cap: 1_000_000,
    };
    let warehouse = Warehouse::open(&connection, "UTC").unwrap();
    let index = Arc::new(ValueIndex::open(&file).unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for what in ["first fill", "refill with the same values"] {
        let started = Instant::now();
        let cancel = CancellationToken::new();
        let run = reindex(&warehouse, &index, plan(&registry), false, |_| {}, &cancel);
        let report = runtime.block_on(run).unwrap();
        let size = std::fs::metadata(&file).unwrap().len() / 1_000_000;
        println!(
            "{what}: {} values in {:?}, {size} MB",
            report.values,
            started.elapsed()
        );
    }
    std::fs::write(done, "").unwrap();
    index
}

/// Every value of the index, in order.
pub fn values(random: &mut Random) -> Vec<String> {
    (0..ROWS)
        .flat_map(|row| (0..COLUMNS).map(move |column| (row, column)))
        .map(|(row, column)| value(column, row, random))
        .collect()
}

/// Prints how long things took.
pub fn percentiles(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "{name}: p50 {:?}, p95 {:?}, p99 {:?}, most {:?}",
        at(50),
        at(95),
        at(99),
        at(100)
    );
}
