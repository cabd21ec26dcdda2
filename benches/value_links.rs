//! Time to find what a word may mean among a million indexed values, and to refill a column of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    missing_docs
)]

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use metrex::index::{ValueIndex, plan, reindex};
use metrex::model::{Connection, ConnectionKind, Registry, ValueLookup};
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};
use metrex::warehouse::{Cell, ColumnSpec, Loader, TableSpec, Warehouse};
use tokio_util::sync::CancellationToken;

const COLUMNS: usize = 100;
const ROWS: usize = 10_000;

/// A small generator of its own, so that every run has the same values.
struct Random(u64);

impl Random {
    fn new() -> Self {
        Self(88_172_645_463_325_252)
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
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
fn value(column: usize, row: usize, random: &mut Random) -> String {
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

fn names() -> impl Iterator<Item = String> {
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
fn filled() -> Arc<ValueIndex> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("value_links");
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

/// One letter changed, left out, doubled or swapped with the next; digits stay.
fn typo(text: &str, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let letters: Vec<usize> = (1..chars.len() - 1)
        .filter(|&at| chars[at].is_alphabetic() && chars[at + 1].is_alphabetic())
        .collect();
    let at = letters[random.below(letters.len())];
    match random.below(4) {
        0 => chars[at] = 'x',
        1 => drop(chars.remove(at)),
        2 => chars.insert(at, 'e'),
        _ => chars.swap(at, at + 1),
    }
    chars.into_iter().collect()
}

fn percentiles(name: &str, mut times: Vec<Duration>) {
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

fn links(criterion: &mut Criterion) {
    let index = filled();
    let mut random = Random::new();
    let some: Vec<String> = (0..ROWS)
        .flat_map(|row| (0..COLUMNS).map(move |column| (row, column)))
        .map(|(row, column)| value(column, row, &mut random))
        .collect();
    let (mut exact, mut similar, mut right) = (Vec::new(), Vec::new(), 0);
    let asked: Vec<&String> = (0..1_000)
        .map(|_| &some[random.below(some.len())])
        .collect();
    for value in &asked {
        let started = Instant::now();
        assert!(!black_box(index.exact(&value.to_uppercase())).is_empty());
        exact.push(started.elapsed());
        let typed = typo(value, &mut random);
        let started = Instant::now();
        let found = black_box(index.similar(&typed, 5));
        similar.push(started.elapsed());
        right += usize::from(
            found
                .iter()
                .any(|hit| hit.value == **value && hit.similarity >= found[0].similarity),
        );
    }
    percentiles("exact", exact);
    percentiles("similar", similar);
    println!("the value first after one edit: {right} of {}", asked.len());

    let mut group = criterion.benchmark_group("values");
    group.bench_function("exact", |bencher| bencher.iter(|| index.exact(asked[0])));
    for (name, text) in [
        ("name", "karomi baltneo"),
        ("words_in_common", "blue coton shirt ka 17"),
        ("numbered", "custmer 450123"),
        ("nothing_like_it", "how are whales doing"),
    ] {
        group.bench_function(format!("similar_{name}"), |bencher| {
            bencher.iter(|| index.similar(text, 5));
        });
    }
    group.finish();
}

criterion_group!(benches, links);
criterion_main!(benches);
