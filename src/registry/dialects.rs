//! Expressions that single engines need in their own words: `expr: {default: …, postgres: …}`.

use super::diagnostic::Sink;
use super::raw::{RawExpr, RawExpression};
use super::read::MapOr;
use super::yaml::Text;

/// The text that an engine takes which has no words of its own. Reports a missing one.
pub(crate) fn default_text<'a>(raw: &'a RawExpr, sink: &mut Sink) -> Option<&'a Text> {
    match raw {
        MapOr::Short(text) => Some(text),
        MapOr::Map(raw) => {
            if let (None, Some((word, text))) = (&raw.default, of_engines(raw).first()) {
                let message = "an expr per engine needs a default, which all other engines take";
                let hint = Some(format!("write {{default: …, {word}: …}}"));
                sink.error("missing_key", text.place, &text.value, message, hint);
            }
            raw.default.as_ref()
        }
    }
}

/// The texts of single engines, by the word of their dialect.
pub(crate) fn dialects(raw: &RawExpr) -> Vec<(&'static str, &Text)> {
    match raw {
        MapOr::Short(_) => Vec::new(),
        MapOr::Map(raw) => of_engines(raw),
    }
}

fn of_engines(raw: &RawExpression) -> Vec<(&'static str, &Text)> {
    let all = [
        ("sqlite", &raw.sqlite),
        ("postgres", &raw.postgres),
        ("duckdb", &raw.duckdb),
        ("trino", &raw.trino),
        ("snowflake", &raw.snowflake),
        ("bigquery", &raw.bigquery),
        ("redshift", &raw.redshift),
        ("clickhouse", &raw.clickhouse),
        ("spark", &raw.spark),
    ];
    let given = all
        .into_iter()
        .filter_map(|(word, text)| Some((word, text.as_ref()?)));
    given.collect()
}
