//! The models below those of metrics: canonical datasets, staging of raw tables, SQL by hand over both.

use super::layers::{Body, Layer, Layers, Model};
use super::text::{MADE, comment, quoted};
use super::{Package, text};
use crate::warehouse::Dialect;

/// The name under which tables without a schema are sources.
const WAREHOUSE: &str = "warehouse";

/// The source that a table belongs to, and its name there. A project may have sources of the same names.
pub(super) fn source(layers: &Layers<'_>, table: &str) -> (String, String) {
    let (source, name) = match table.rsplit_once('.') {
        Some((schema, name)) => (text::slug(schema), name.to_owned()),
        None => (WAREHOUSE.to_owned(), table.to_owned()),
    };
    match layers.has_project {
        true => (format!("metrex_{source}"), name),
        false => (source, name),
    }
}

/// Adds the models that the project does not have yet.
pub(super) fn models(layers: &Layers<'_>, package: &mut Package, dialect: Dialect) {
    for model in layers.models.iter().filter(|model| !model.exists) {
        package.add(model.path(), sql(layers, model, dialect));
    }
}

fn sql(layers: &Layers<'_>, model: &Model, dialect: Dialect) -> String {
    let mut out = format!(
        "{{{{ config(materialized='{}', tags=['{}']) }}}}\n\n",
        kept(layers, model),
        model.layer.word()
    );
    out.push_str(&comment(&about(layers, model)));
    out.push('\n');
    match &model.body {
        Body::Table { table, columns } => {
            let (source, name) = source(layers, table);
            let columns = match columns {
                // SQL by hand reads it, and what it reads of it is not known by name.
                None => "*".to_owned(),
                Some(columns) => {
                    let columns: Vec<String> =
                        columns.iter().map(|one| dialect.name(one)).collect();
                    format!("\n    {}", columns.join(",\n    "))
                }
            };
            let columns = match columns.as_str() {
                "*" => " *".to_owned(),
                columns => columns.to_owned(),
            };
            out.push_str(&format!(
                "with source as (\n  select * from {{{{ source({}, {}) }}}}\n),\n\nselected as (\n  select{columns}\n  from source\n)\n\n\
                 select * from selected\n",
                quoted(&source),
                quoted(&name),
            ));
        }
        Body::Sql(sql) => {
            out.push_str(sql.trim());
            out.push('\n');
        }
    }
    out
}

/// The rows of an analysis are made once for all of its metrics.
fn kept(layers: &Layers<'_>, model: &Model) -> &'static str {
    let analyses = &layers.original.analyses;
    let is_analysis = model
        .dataset
        .as_ref()
        .is_some_and(|name| analyses.contains_key(name));
    if is_analysis { "table" } else { "view" }
}

/// What a model is, in words.
pub(super) fn title(layers: &Layers<'_>, model: &Model) -> String {
    let dataset = model.dataset.as_ref();
    let dataset = dataset.and_then(|name| layers.original.datasets.get(name));
    match (dataset, &model.body) {
        (Some(dataset), _) => match dataset.description.trim() {
            "" => dataset.label.clone(),
            description => format!("{}: {description}", dataset.label),
        },
        (None, Body::Table { table, .. }) => format!("The table {table}, as it stands."),
        (None, Body::Sql(_)) => model.name.clone(),
    }
}

fn about(layers: &Layers<'_>, model: &Model) -> String {
    let mut lines = vec![title(layers, model)];
    let dataset = model.dataset.as_ref();
    let dataset = dataset.and_then(|name| layers.original.datasets.get(name));
    if let Some(dataset) = dataset {
        if !dataset.key.is_empty() {
            lines.push(format!("One row per {}.", dataset.key.join(", ")));
        }
        lines.push(format!("Defined in {}.", layers.original.at(dataset.place)));
    }
    if model.layer == Layer::Canonical {
        lines.push("It stands for the canonical dataset; where your project makes that itself, delete this file.".to_owned());
    }
    lines.push(MADE.to_owned());
    lines.join("\n")
}
