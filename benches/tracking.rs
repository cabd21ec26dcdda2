//! What recording costs a query: handing its record over, and the processor time of a whole answer from the cache with and
//! without it.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use metrex::model::MetricQuery;
use metrex::session::{OpenOptions, RunOptions, Session};
use metrex::usage::{Facts, QueryRecord, Usage};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Fewer than the queue holds: beyond that, the speed of the file would be measured.
const AT_ONCE: u64 = 2_000;

fn record() -> QueryRecord {
    QueryRecord {
        user: "ada".to_owned(),
        session: "one".to_owned(),
        line: "gmv by market, month where channel = ads last 12 months".to_owned(),
        sql: "SELECT market, SUM(amount) FROM orders WHERE channel = 'ads' GROUP BY market"
            .to_owned(),
        facts: Facts {
            tables: vec!["orders".to_owned()],
            metrics: vec!["gmv".to_owned()],
            dimensions: vec!["market".to_owned()],
            ..Facts::default()
        },
        ..QueryRecord::default()
    }
}

fn handing_over(criterion: &mut Criterion) {
    let folder = TempDir::new().unwrap();
    let usage = Usage::open(&folder.path().join("usage.db")).unwrap();
    criterion.bench_function("hand a record over", |bencher| {
        bencher.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            let mut left = times;
            while left > 0 {
                let some = left.min(AT_ONCE);
                let records: Vec<_> = (0..some).map(|_| record()).collect();
                let started = Instant::now();
                for record in records {
                    usage.record(record);
                }
                spent += started.elapsed();
                usage.flush();
                left -= some;
            }
            spent
        });
    });
}

/// A session over the demo that records, or does not.
fn session(folder: &TempDir, track: bool) -> Session {
    let project = folder.path().join("project");
    std::fs::create_dir_all(&project).unwrap();
    for part in ["metrics", "snippets"] {
        let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(part);
        let to = project.join(part);
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    let config = format!(
        "connections:\n  demo: {{type: demo}}\ncache_ttl: 10h\nusage: {{track: {track}}}\n"
    );
    std::fs::write(project.join("metrex.yaml"), config).unwrap();
    Session::open(OpenOptions {
        project: Some(project),
        state_dir: Some(folder.path().join("state")),
        today: Some("2026-11-20".parse().unwrap()),
        user: Some("ada".to_owned()),
        ..OpenOptions::default()
    })
    .unwrap()
}

/// The time that this thread had the processor: what others do on a busy machine is not in it.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let ns = told.split(' ').next().unwrap().parse().unwrap();
    Duration::from_nanos(ns)
}

fn answers(criterion: &mut Criterion) {
    // All on this thread, but for what is written and what is read in the background.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let query: MetricQuery = "gmv by market, month last 12 months".parse().unwrap();
    for track in [false, true] {
        let folder = TempDir::new().unwrap();
        let session = session(&folder, track);
        runtime.block_on(session.prepare(|_| {})).unwrap();
        // What counts uses is open in every face, and is dropped by each query that is recorded.
        session.all_metrics();
        let name = if track {
            "a kept answer, recorded"
        } else {
            "a kept answer, not recorded"
        };
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                let mut spent = Duration::ZERO;
                let mut left = times;
                while left > 0 {
                    let some = left.min(AT_ONCE);
                    let started = processor_time();
                    for _ in 0..some {
                        let answer =
                            session.answer(&query, RunOptions::default(), CancellationToken::new());
                        runtime.block_on(answer).unwrap();
                    }
                    spent += processor_time() - started;
                    // Waits until all is written, outside of what is measured.
                    session.usage_figures().unwrap();
                    left -= some;
                }
                // The system counts in steps of some milliseconds.
                spent.max(Duration::from_nanos(1))
            });
        });
    }
}

criterion_group!(benches, handing_over, answers);
criterion_main!(benches);
