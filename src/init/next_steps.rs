//! What to type next: a check, a first question that has an answer, the explorer.

use std::path::Path;

use super::draft::Dataset;
use super::metrics::Metric;
use crate::model::DimensionType;
use crate::model::query_line::print_name;

/// Commands, in the order somebody would try them.
pub(super) fn commands(root: &Path, datasets: &[Dataset], metrics: &[Vec<Metric>]) -> Vec<String> {
    let mut commands = Vec::new();
    let current = std::env::current_dir().unwrap_or_default();
    if current != root {
        let text = root
            .strip_prefix(&current)
            .unwrap_or(root)
            .display()
            .to_string();
        let plain = text
            .chars()
            .all(|c| c.is_alphanumeric() || "/._-".contains(c));
        commands.push(if plain {
            format!("cd {text}")
        } else {
            format!("cd '{}'", text.replace('\'', r"'\''"))
        });
    }
    commands.push("metrex check".to_owned());
    commands.extend(
        question(datasets, metrics)
            .map(|line| format!("metrex query '{}'", line.replace('\'', r"'\''"))),
    );
    commands.push("metrex".to_owned());
    commands
}

/// Revenue where there is one, else the rows of the largest table, by month or by whatever there is.
fn question(datasets: &[Dataset], metrics: &[Vec<Metric>]) -> Option<String> {
    let pairs = || datasets.iter().zip(metrics);
    let (dataset, metric) = pairs()
        .find_map(|(dataset, metrics)| {
            Some((
                dataset,
                metrics.iter().find(|metric| metric.name == "revenue")?,
            ))
        })
        .or_else(|| {
            let (dataset, metrics) =
                pairs().max_by_key(|(dataset, _)| (dataset.time.is_some(), dataset.rows))?;
            Some((dataset, metrics.first()?))
        })?;
    let by = match &dataset.time {
        Some(_) => Some("month".to_owned()),
        None => dataset
            .dimensions
            .iter()
            .find(|dimension| dimension.kind == DimensionType::Text && !dimension.pii)
            .map(|dimension| print_name(&dimension.name)),
    };
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    Some(format!("{}{by}", print_name(&metric.name)))
}
