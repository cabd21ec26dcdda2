//! Time to find what a word may mean among a million indexed values, and to refill a column of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    missing_docs
)]

#[path = "support/million.rs"]
mod million;

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use metrex::model::ValueLookup;
use million::{Random, filled, percentiles, values};

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

fn links(criterion: &mut Criterion) {
    let index = filled();
    let mut random = Random::new();
    let some = values(&mut random);
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
