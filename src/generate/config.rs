//! The `config` of a model: how it is kept, cut and tagged, in the words of each engine's adapter.

use super::Materialized;
use super::text::{list, quoted, slug};
use crate::model::{Grain, Metric};
use crate::warehouse::Dialect;

/// What the config of a metric's model depends on.
pub(super) struct Kept<'a> {
    pub metric: &'a Metric,
    pub dialect: Dialect,
    pub materialized: Materialized,
    /// The column of the period.
    pub time: Option<(&'a str, Grain)>,
    /// The other columns that it is grouped by.
    pub groups: &'a [String],
}

/// The call of `config`.
pub(super) fn config(kept: &Kept<'_>) -> String {
    let mut lines = vec![format!("materialized={}", quoted(kept.materialized.word()))];
    if let (Materialized::Incremental, Some((time, _))) = (kept.materialized, kept.time) {
        let strategy = match kept.dialect {
            Dialect::Bigquery | Dialect::Spark => "insert_overwrite",
            _ => "delete+insert",
        };
        lines.push(format!("incremental_strategy={}", quoted(strategy)));
        if strategy == "delete+insert" {
            lines.push(format!("unique_key={}", quoted(&kept.dialect.name(time))));
        }
    }
    if kept.materialized != Materialized::View {
        lines.extend(layout(kept));
    }
    let mut tags = vec!["metric".to_owned()];
    tags.extend(kept.metric.tags.iter().map(|tag| slug(tag)));
    lines.push(format!("tags={}", list(&tags)));
    format!(
        "{{{{\n  config(\n    {}\n  )\n}}}}\n",
        lines.join(",\n    ")
    )
}

/// Partitions and clusters, or what the engine has instead.
fn layout(kept: &Kept<'_>) -> Vec<String> {
    // Adapters write these as they are into SQL.
    let name = |name: &String| kept.dialect.name(name);
    let time = kept.time.map(|(time, _)| kept.dialect.name(time));
    let groups = kept.groups.iter().map(name);
    let all: Vec<String> = time.iter().cloned().chain(groups.clone()).collect();
    let few: Vec<String> = groups.take(4).collect();
    match kept.dialect {
        // DuckDB has no partitions, and dbt cannot replace its tables with indexes from several threads.
        Dialect::Postgres if !all.is_empty() => {
            vec![format!("indexes=[{{'columns': {}}}]", list(&all))]
        }
        Dialect::Bigquery => {
            let partition = kept.time.map(|(time, grain)| {
                // No partition may hold more than one period in part: it is made anew as a whole.
                let (kind, grain) = match grain {
                    Grain::Second | Grain::Minute | Grain::Hour => ("datetime", "hour"),
                    Grain::Day | Grain::Week => ("date", "day"),
                    Grain::Month | Grain::Quarter => ("date", "month"),
                    Grain::Year => ("date", "year"),
                };
                format!(
                    "partition_by={{'field': {}, 'data_type': '{kind}', 'granularity': '{grain}'}}",
                    quoted(time)
                )
            });
            let cluster = (!few.is_empty()).then(|| format!("cluster_by={}", list(&few)));
            partition.into_iter().chain(cluster).collect()
        }
        Dialect::Snowflake if !all.is_empty() => vec![format!("cluster_by={}", list(&all))],
        Dialect::Redshift => time
            .iter()
            .map(|time| format!("sort={}", quoted(time)))
            .collect(),
        Dialect::Spark => kept
            .time
            .iter()
            .map(|(time, _)| format!("partition_by={}", list(&[time])))
            .collect(),
        Dialect::Clickhouse if !all.is_empty() => {
            let partition =
                time.map(|time| format!("partition_by={}", quoted(&format!("toYYYYMM({time})"))));
            let order = format!("tuple({})", all.join(", "));
            let order = format!("order_by={}", quoted(&order));
            // A group may have no name, and ClickHouse has to be told so.
            let settings = "settings={'allow_nullable_key': 1}".to_owned();
            [order, settings].into_iter().chain(partition).collect()
        }
        Dialect::Trino => {
            let by = kept
                .time
                .map(|(time, _)| format!("properties={{\"partitioning\": \"ARRAY['{time}']\"}}"));
            by.into_iter().collect()
        }
        _ => Vec::new(),
    }
}
