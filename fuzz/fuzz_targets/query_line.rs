//! Any text as a query line: it is refused, or its canonical form reads back as the same query.
#![no_main]

use libfuzzer_sys::fuzz_target;
use metrex::model::MetricQuery;

fuzz_target!(|text: &str| {
    if let Ok(query) = text.parse::<MetricQuery>() {
        let line = query.to_string();
        let again: MetricQuery = line.parse().expect("a canonical line parses");
        assert_eq!(again, query, "{line}");
    }
});
