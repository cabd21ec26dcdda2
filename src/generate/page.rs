//! The page of a metric: what it means, what it is made of, and how it is asked for.

use indexmap::IndexSet;

use super::Wanted;
use super::layers::Layers;
use super::mart::Mart;
use super::text::MADE;
use crate::compile::{additivity, reading};
use crate::model::Registry;

/// The page, in Markdown.
pub(super) fn page(layers: &Layers<'_>, mart: &Mart<'_>, wanted: &Wanted<'_>) -> String {
    let (metric, registry) = (mart.metric, layers.original);
    let mut out = format!(
        "<!-- {MADE} -->\n\n# {}\n\n`{}` · {}",
        metric.label,
        metric.name,
        metric.status.word()
    );
    if let Some(successor) = &metric.successor {
        out.push_str(&format!("; take `{successor}` instead"));
    }
    if let Some(owner) = &metric.owner {
        out.push_str(&format!(" · {owner}"));
    }
    if let Some(updated) = metric.last_updated {
        out.push_str(&format!(" · last changed {updated}"));
    }
    out.push_str("\n\n");
    if !metric.description.is_empty() {
        out.push_str(&format!("{}\n\n", metric.description));
    }
    for rule in &metric.business_rules {
        out.push_str(&format!("- {rule}\n"));
    }
    if !metric.business_rules.is_empty() {
        out.push('\n');
    }
    out.push_str("| | |\n|---|---|\n");
    let mut row = |key: &str, text: String| {
        if !text.is_empty() {
            out.push_str(&format!(
                "| {key} | {} |\n",
                text.replace('|', "\\|").replace('\n', " ")
            ));
        }
    };
    row("Meaning", reading(registry, metric));
    row("Adding up", additivity(registry, metric).sentence());
    row("Category", metric.category.clone());
    row("Also called", metric.aliases.join(", "));
    row("Tags", metric.tags.join(", "));
    let grain: Vec<String> = metric.grain.iter().map(ToString::to_string).collect();
    row("Usually by", grain.join(", "));
    row(
        "Usually over",
        metric
            .window
            .map(|window| window.to_string())
            .unwrap_or_default(),
    );
    row(
        "Model",
        format!(
            "`{}` (`{}`), for {}",
            mart.name,
            mart.line,
            wanted.dialect.title()
        ),
    );
    row("Defined in", registry.at(metric.place));
    out.push_str("\n## Ask\n\n```\n");
    out.push_str(&format!(
        "metrex query '{}'\n",
        mart.line.replace('\'', "'\\''")
    ));
    out.push_str("```\n\n## Columns of the model\n\n| Column | |\n|---|---|\n");
    for column in &mart.columns {
        out.push_str(&format!(
            "| `{}` | {} |\n",
            column.name,
            column.label.replace('|', "\\|")
        ));
    }
    out.push_str("\n## Where it comes from\n\n```mermaid\nflowchart LR\n");
    let mut seen = IndexSet::new();
    let mut node = |name: &str| {
        let (at, _) = seen.insert_full(name.to_owned());
        format!("n{at}[\"{}\"]", name.replace('"', "#quot;"))
    };
    for (from, to) in lineage(layers, mart) {
        out.push_str(&format!("  {} --> {}\n", node(&from), node(&to)));
    }
    out.push_str("```\n\n");
    out.push_str(&datasets(layers, mart, registry));
    if !metric.tests.is_empty() {
        out.push_str("## Tests\n\n");
        for test in &metric.tests {
            out.push_str(&format!("- {}\n", test.title()));
        }
    }
    format!("{}\n", out.trim_end())
}

/// Tables, models and metrics, each with what is made of it.
fn lineage(layers: &Layers<'_>, mart: &Mart<'_>) -> Vec<(String, String)> {
    let mut edges = Vec::new();
    for model in layers
        .models
        .iter()
        .filter(|model| mart.reads.contains(&model.name))
    {
        for from in super::graph::reads(layers, model) {
            edges.push((from, model.name.clone()));
        }
        edges.push((model.name.clone(), mart.name.clone()));
    }
    edges
}

fn datasets(layers: &Layers<'_>, mart: &Mart<'_>, registry: &Registry) -> String {
    let mut out = String::new();
    for model in layers
        .models
        .iter()
        .filter(|model| mart.reads.contains(&model.name))
    {
        let Some(dataset) = model
            .dataset
            .as_ref()
            .and_then(|name| registry.datasets.get(name))
        else {
            continue;
        };
        let canonical = registry.canonical_of(&dataset.name);
        out.push_str(&format!("**{}** (`{}`", dataset.label, model.name));
        match canonical {
            Some(canonical) => out.push_str(&format!(", canonical, {}", canonical.status.word())),
            None => out.push_str(", not canonical"),
        }
        out.push_str(&format!("): {}\n\n", dataset.description.trim()));
    }
    out
}
