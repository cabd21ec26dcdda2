//! dbt's latest form: semantics on models and their columns, and metrics without measures.

use super::manifest::{Dimension, Entity, EntityKind, Input, Kind, Manifest, Model, Spine, Use};
use super::read::{aggregation, entity_kind, metric, period, unknown, used, validity_of, window};
use crate::exchange::Notes;
use crate::exchange::source::Look;
use crate::registry::yaml::Node;

/// Reads a model that is a semantic model or a time spine; any other one is dbt's own business.
pub(super) fn model(node: &Node, manifest: &mut Manifest, notes: &mut Notes) {
    let Some(table) = node.text_of("name") else {
        return;
    };
    if let Some(spine) = node.get("time_spine") {
        let column = spine
            .text_of("standard_granularity_column")
            .unwrap_or_default();
        let granularity = node
            .items_of("columns")
            .into_iter()
            .find(|node| node.text_of("name").as_ref() == Some(&column))
            .and_then(|node| node.text_of("granularity"));
        let periods = spine.items_of("custom_granularities").into_iter();
        manifest.spines.push(Spine {
            place: spine.place(),
            table: table.clone(),
            column,
            granularity: granularity.unwrap_or_else(|| "day".to_owned()),
            periods: periods.filter_map(period).collect(),
        });
    }
    let Some(semantic) = node.get("semantic_model") else {
        return;
    };
    if semantic.text() == Some("false") || semantic.text_of("enabled").as_deref() == Some("false") {
        return;
    }
    let name = semantic.text_of("name").unwrap_or_else(|| table.clone());
    let (mut entities, mut dimensions) = (Vec::new(), Vec::new());
    for column in node.items_of("columns") {
        let Some(own) = column.text_of("name") else {
            continue;
        };
        if let Some(node) = column.get("entity") {
            entities.extend(entity(node, column, &own, notes));
        }
        if let Some(node) = column.get("dimension") {
            dimensions.push(dimension(node, column, &own));
        }
    }
    if let Some(derived) = node.get("derived_semantics") {
        unknown(derived, &["dimensions", "entities"], notes);
        for node in derived.items_of("entities") {
            if let Some(expr) = node.text_of("expr") {
                entities.extend(entity(node, node, &expr, notes));
            }
        }
        for node in derived.items_of("dimensions") {
            if let Some(expr) = node.text_of("expr") {
                dimensions.push(dimension(node, node, &expr));
            }
        }
    }
    let primary = entities
        .iter()
        .find(|entity| entity.kind == EntityKind::Primary);
    manifest.models.push(Model {
        place: node.place(),
        label: semantic.text_of("label"),
        description: semantic
            .text_of("description")
            .or_else(|| node.text_of("description")),
        table: match node.path(&["config", "schema"]).and_then(Look::text) {
            Some(schema) => format!("{schema}.{table}"),
            None => table,
        },
        agg_time: node
            .text_of("agg_time_dimension")
            .or_else(|| semantic.text_of("agg_time_dimension")),
        primary_entity: node
            .text_of("primary_entity")
            .or_else(|| primary.map(|entity| entity.name.clone())),
        entities,
        dimensions,
        name: name.clone(),
    });
    for node in node.items_of("metrics") {
        metric(node, Some(&name), manifest, notes);
    }
}

/// An entity of a column: `entity: primary`, or a map.
fn entity(node: &Node, column: &Node, expr: &str, notes: &mut Notes) -> Option<Entity> {
    let word = node
        .text()
        .map(str::to_owned)
        .or_else(|| node.text_of("type"))
        .unwrap_or_default()
        .to_lowercase();
    let Some(kind) = entity_kind(&word) else {
        notes.add(
            node.place(),
            format!("an entity of {expr} is left out: '{word}' is no kind of entity"),
        );
        return None;
    };
    Some(Entity {
        name: node.text_of("name").unwrap_or_else(|| expr.to_owned()),
        kind,
        expr: expr.to_owned(),
        label: node.text_of("label"),
        description: node
            .text_of("description")
            .or_else(|| column.text_of("description")),
    })
}

/// A dimension of a column: `dimension: categorical`, or a map.
fn dimension(node: &Node, column: &Node, expr: &str) -> Dimension {
    let word = node
        .text()
        .map(str::to_owned)
        .or_else(|| node.text_of("type"));
    let granularity = column
        .text_of("granularity")
        .or_else(|| node.text_of("granularity"));
    let is_time = word.is_some_and(|word| word.eq_ignore_ascii_case("time"));
    Dimension {
        name: node.text_of("name").unwrap_or_else(|| expr.to_owned()),
        place: node.place(),
        expr: expr.to_owned(),
        label: node.text_of("label"),
        description: node
            .text_of("description")
            .or_else(|| column.text_of("description")),
        granularity: is_time.then(|| {
            granularity
                .unwrap_or_else(|| "day".to_owned())
                .to_lowercase()
        }),
        validity: node.get("validity_params").and_then(validity_of),
        is_partition: node.is("is_partition"),
        kind: None,
    }
}

/// The kind of a metric whose parts stand beside its name.
pub(super) fn kind(
    node: &Node,
    name: &str,
    model: Option<&str>,
    manifest: &mut Manifest,
) -> Result<Kind, String> {
    let missing = |key: &str| format!("it has no {key}");
    let part = |key: &str| node.get(key).and_then(used).ok_or_else(|| missing(key));
    let word = node
        .text_of("type")
        .unwrap_or_else(|| "simple".to_owned())
        .to_lowercase();
    Ok(match word.as_str() {
        "simple" => {
            let model = model
                .map(str::to_owned)
                .or_else(|| node.text_of("semantic_model"))
                .ok_or("a simple metric stands in a model")?;
            manifest.measures.push(aggregation(node, name, &model));
            Kind::Simple(Use {
                fill: node.text_of("fill_nulls_with"),
                every_period: node.is("join_to_timespine"),
                ..Use::of(name)
            })
        }
        "ratio" => Kind::Ratio(part("numerator")?, part("denominator")?),
        "derived" => Kind::Derived {
            expr: node.text_of("expr").ok_or_else(|| missing("expr"))?,
            inputs: node
                .items_of("input_metrics")
                .into_iter()
                .filter_map(used)
                .collect(),
        },
        "cumulative" => Kind::Cumulative {
            input: Input::Metric(part("input_metric")?),
            window: node.get("window").and_then(window),
            grain_to_date: node
                .text_of("grain_to_date")
                .map(|grain| grain.to_lowercase()),
            period_agg: node
                .text_of("period_agg")
                .map_or("first".to_owned(), |word| word.to_lowercase()),
        },
        "conversion" => conversion(node, &|params, _, metric| {
            params.get(metric).and_then(used).map(Input::Metric)
        })?,
        word => return Err(format!("'{word}' is no kind of metric")),
    })
}

/// The parts of a conversion metric; `side` finds a measure or a metric by the keys they may stand under.
pub(super) fn conversion(
    params: &Node,
    side: &dyn Fn(&Node, &str, &str) -> Option<Input>,
) -> Result<Kind, String> {
    let missing = |key: &str| format!("it has no {key}");
    let same = params.items_of("constant_properties").into_iter();
    Ok(Kind::Conversion {
        entity: params.text_of("entity").ok_or_else(|| missing("entity"))?,
        base: side(params, "base_measure", "base_metric").ok_or_else(|| missing("base"))?,
        conversion: side(params, "conversion_measure", "conversion_metric")
            .ok_or_else(|| missing("conversion"))?,
        window: params.get("window").and_then(window),
        counts: params
            .text_of("calculation")
            .is_some_and(|word| word.eq_ignore_ascii_case("conversions")),
        same: same
            .filter_map(|node| {
                Some((
                    node.text_of("base_property")?,
                    node.text_of("conversion_property")?,
                ))
            })
            .collect(),
    })
}
