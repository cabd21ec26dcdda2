//! Every complete example of the reference of the registry loads without a remark, and every metric in it compiles.
//!
//! Blocks marked `yaml complete` are files of one project; the others are parts of a file, which
//! `registry_schema` reads.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::compile::{CompileOptions, Reachability, Templates, compile};
use metrex::model::{MetricQuery, NoValues, Registry};
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};
use metrex::warehouse::Dialect;

fn examples() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/registry.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```yaml complete\n").skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

fn registry() -> Registry {
    let file = |(at, text): (usize, String)| ProjectFile {
        path: format!("metrics/{at:02}.yaml"),
        text,
    };
    let files = ProjectFiles {
        metrics: examples().into_iter().enumerate().map(file).collect(),
        ..ProjectFiles::default()
    };
    let loaded = load(&files, &Config::default(), None);
    let problems: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    loaded.registry
}

#[test]
fn every_example_loads_and_compiles() {
    let registry = registry();
    assert!(registry.metrics.len() > 20 && registry.views.len() > 2);
    let reach = Reachability::new(&registry);
    let templates = Templates::builtin().unwrap();
    let mut failed = Vec::new();
    for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Duckdb] {
        let options = CompileOptions {
            dialect,
            today: jiff::civil::date(2026, 11, 20),
            values: &NoValues,
            passes: Default::default(),
        };
        let mut check = |name: &str, query: &MetricQuery| {
            if let Err(error) = compile(&registry, &reach, &templates, query, &options) {
                failed.push(format!("{name} on {}: {error}", dialect.word()));
            }
        };
        check(
            "a metric as a dimension",
            &"gmv by lifetime_orders".parse().unwrap(),
        );
        for name in registry.metrics.keys() {
            let query = format!("{name} by month since 2025-01");
            check(name, &query.parse().unwrap());
        }
        let views = registry.views.values();
        for view in views.filter(|view| !view.query.metrics.is_empty()) {
            check(&view.name, &view.query);
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
