//! Any text as SQL, on both engines: the guard never fails, and what it lets through stays the same.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use metrex::model::{NoValues, Registry};
use metrex::registry::{Project, load};
use metrex::validate::{Rules, validate};
use metrex::warehouse::Dialect;

fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let project = Project::demo().expect("the demo is embedded");
        load(&project.files(), &project.config, None).registry
    })
}

fuzz_target!(|text: &str| {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let rules = Rules::new(registry(), dialect, &NoValues, 100);
        let report = validate(text, &rules);
        assert_eq!(report.blocks(), report.sql.is_none());
        if let Some(sql) = report.sql {
            assert_eq!(validate(&sql, &rules).sql, Some(sql));
        }
    }
});
