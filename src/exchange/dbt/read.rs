//! dbt's files into a manifest: the form with semantic models and measures, and `semantic_manifest.json`.

use super::latest;
use super::manifest::{
    Dimension, Entity, EntityKind, Input, Kind, Manifest, Measure, Metric, Model, NonAdditive,
    SavedQuery, Spine, Use, Validity,
};
use crate::exchange::Notes;
use crate::exchange::source::Look;
use crate::registry::yaml::Node;

/// The manifest that all documents together are.
pub(super) fn manifest(documents: &[Node], notes: &mut Notes) -> Manifest {
    let mut manifest = Manifest::default();
    for document in documents {
        for key in ["semantic_model", "semantic_models"] {
            for node in document.items_of(key) {
                semantic_model(node, &mut manifest, notes);
            }
        }
        for node in document.items_of("models") {
            latest::model(node, &mut manifest, notes);
        }
        for key in ["saved_query", "saved_queries"] {
            for node in document.items_of(key) {
                manifest.saved_queries.extend(saved_query(node, notes));
            }
        }
        for key in ["project_configuration", "time_spines"] {
            for node in document.items_of(key) {
                spines(node, &mut manifest);
            }
        }
    }
    // Metrics last: in the form without measures they are told apart by what the models declare.
    for document in documents {
        for key in ["metric", "metrics"] {
            for node in document.items_of(key) {
                metric(node, None, &mut manifest, notes);
            }
        }
    }
    add_created(&mut manifest);
    manifest
}

/// Measures with `create_metric` are metrics of the same name.
fn add_created(manifest: &mut Manifest) {
    let created: Vec<Metric> = manifest
        .measures
        .iter()
        .filter(|measure| measure.creates_metric && manifest.metric(&measure.name).is_none())
        .map(|measure| Metric {
            name: measure.name.clone(),
            place: measure.place,
            label: measure.label.clone(),
            description: measure.description.clone(),
            filters: Vec::new(),
            owner: None,
            tags: Vec::new(),
            granularity: None,
            kind: Kind::Simple(Use::of(&measure.name)),
        })
        .collect();
    manifest.metrics.extend(created);
}

impl Use {
    /// A plain use of a name.
    pub(super) fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            alias: None,
            filters: Vec::new(),
            offset_window: None,
            offset_to_grain: None,
            fill: None,
            every_period: false,
        }
    }
}

/// A use written as a name, or as a map with `name`.
pub(super) fn used(node: &Node) -> Option<Use> {
    if let Some(name) = node.text() {
        return Some(Use::of(name));
    }
    Some(Use {
        alias: node.text_of("alias"),
        filters: node.get("filter").map(conditions).unwrap_or_default(),
        offset_window: node.get("offset_window").and_then(window),
        offset_to_grain: node
            .text_of("offset_to_grain")
            .map(|grain| grain.to_lowercase()),
        fill: node.text_of("fill_nulls_with"),
        every_period: node.is("join_to_timespine"),
        ..Use::of(&node.text_of("name")?)
    })
}

/// `28 days`, also where it is written as `{count, granularity}`.
pub(super) fn window(node: &Node) -> Option<String> {
    match node.text() {
        Some(text) => Some(text.trim().to_lowercase()),
        None => Some(format!(
            "{} {}",
            node.text_of("count")?,
            node.text_of("granularity")?.to_lowercase()
        )),
    }
}

/// Conditions: a text, a list of texts, or `{where_filters: [{where_sql_template}]}`.
pub(super) fn conditions(node: &Node) -> Vec<String> {
    if let Some(filters) = node.get("where_filters") {
        return filters.items().into_iter().flat_map(conditions).collect();
    }
    if let Some(template) = node.get("where_sql_template") {
        return conditions(template);
    }
    node.items()
        .into_iter()
        .filter_map(|item| Some(item.text()?.trim().to_owned()))
        .collect()
}

fn semantic_model(node: &Node, manifest: &mut Manifest, notes: &mut Notes) {
    let Some(name) = node.text_of("name") else {
        return notes.add(node.place(), "a semantic model without a name is left out");
    };
    let Some(table) = table(node, notes) else {
        return notes.add(
            node.place(),
            format!("the semantic model {name} is left out: it names no table"),
        );
    };
    unknown(
        node,
        &[
            "name",
            "description",
            "label",
            "model",
            "node_relation",
            "defaults",
            "entities",
            "dimensions",
            "measures",
            "primary_entity",
            "config",
            "metadata",
        ],
        notes,
    );
    let mut entities: Vec<Entity> = Vec::new();
    for node in node.items_of("entities") {
        entities.extend(entity(node, notes));
    }
    let dimensions = node
        .items_of("dimensions")
        .into_iter()
        .filter_map(|node| dimension(node, notes))
        .collect();
    for node in node.items_of("measures") {
        manifest.measures.extend(measure(node, &name, notes));
    }
    let of_kind = |kind| entities.iter().find(|entity| entity.kind == kind);
    manifest.models.push(Model {
        place: node.place(),
        label: node.text_of("label"),
        description: node.text_of("description"),
        table,
        agg_time: node
            .path(&["defaults", "agg_time_dimension"])
            .and_then(Look::text)
            .map(str::to_owned),
        primary_entity: node
            .text_of("primary_entity")
            .or_else(|| of_kind(EntityKind::Primary).map(|entity| entity.name.clone())),
        entities,
        dimensions,
        name,
    });
}

/// `ref('orders')`, or the relation that dbt resolved it to.
fn table(node: &Node, notes: &mut Notes) -> Option<String> {
    if let Some(relation) = node.get("node_relation") {
        return relation_name(relation);
    }
    let model = node.get("model")?;
    let text = model.text()?;
    let words: Vec<&str> = text.split(['\'', '"']).skip(1).step_by(2).collect();
    match (text.trim_start_matches(['{', ' ']), words.as_slice()) {
        (call, [schema, table]) if call.starts_with("source") => {
            notes.add(
                model.place(),
                format!("{text}: taken for the table {schema}.{table}; correct `table:` where the source's schema has another name"),
            );
            Some(format!("{schema}.{table}"))
        }
        (_, [.., table]) => Some((*table).to_owned()),
        (name, []) => Some(name.to_owned()),
    }
}

/// `schema.alias`; the database is the connection's.
pub(super) fn relation_name(node: &Node) -> Option<String> {
    if let Some(text) = node.text() {
        return Some(text.to_owned());
    }
    let alias = node.text_of("alias")?;
    Some(match node.text_of("schema_name") {
        Some(schema) => format!("{schema}.{alias}"),
        None => alias,
    })
}

fn entity(node: &Node, notes: &mut Notes) -> Option<Entity> {
    let name = node.text_of("name")?;
    let word = node.text_of("type").unwrap_or_default().to_lowercase();
    let Some(kind) = entity_kind(&word) else {
        notes.add(
            node.place(),
            format!("the entity {name} is left out: '{word}' is no kind of entity"),
        );
        return None;
    };
    Some(Entity {
        kind,
        expr: node.text_of("expr").unwrap_or_else(|| name.clone()),
        label: node.text_of("label"),
        description: node.text_of("description"),
        name,
    })
}

/// What a word of dbt's makes an entity.
pub(super) fn entity_kind(word: &str) -> Option<EntityKind> {
    Some(match word {
        "primary" => EntityKind::Primary,
        "unique" => EntityKind::Unique,
        "natural" => EntityKind::Natural,
        "foreign" => EntityKind::Foreign,
        _ => return None,
    })
}

fn dimension(node: &Node, notes: &mut Notes) -> Option<Dimension> {
    let name = node.text_of("name")?;
    let is_time = node
        .text_of("type")
        .is_some_and(|word| word.eq_ignore_ascii_case("time"));
    let params = node.get("type_params");
    let granularity = params
        .and_then(|params| params.text_of("time_granularity"))
        .map(|grain| grain.to_lowercase());
    unknown(
        node,
        &[
            "name",
            "type",
            "type_params",
            "expr",
            "label",
            "description",
            "is_partition",
            "config",
            "metadata",
        ],
        notes,
    );
    let validity = params.and_then(|params| params.get("validity_params"));
    Some(Dimension {
        place: node.place(),
        expr: node.text_of("expr").unwrap_or_else(|| name.clone()),
        label: node.text_of("label"),
        description: node.text_of("description"),
        granularity: is_time.then(|| granularity.unwrap_or_else(|| "day".to_owned())),
        validity: validity.and_then(validity_of),
        is_partition: node.is("is_partition"),
        kind: None,
        name,
    })
}

/// What `validity_params` says.
pub(super) fn validity_of(node: &Node) -> Option<Validity> {
    match (node.is("is_start"), node.is("is_end")) {
        (true, _) => Some(Validity::Start),
        (_, true) => Some(Validity::End),
        _ => None,
    }
}

fn measure(node: &Node, model: &str, notes: &mut Notes) -> Option<Measure> {
    let name = node.text_of("name")?;
    unknown(
        node,
        &[
            "name",
            "agg",
            "expr",
            "label",
            "description",
            "create_metric",
            "agg_time_dimension",
            "agg_params",
            "non_additive_dimension",
            "config",
            "metadata",
        ],
        notes,
    );
    Some(Measure {
        creates_metric: node.is("create_metric"),
        ..aggregation(node, &name, model)
    })
}

/// The parts that measures share with simple metrics that have none.
pub(super) fn aggregation(node: &Node, name: &str, model: &str) -> Measure {
    let params = node.get("agg_params");
    let number = |key: &str| {
        let text = params
            .and_then(|params| params.text_of(key))
            .or_else(|| node.text_of(key));
        text.and_then(|text| text.parse::<f64>().ok())
    };
    let flag = |key: &str| params.is_some_and(|params| params.is(key));
    Measure {
        name: name.to_owned(),
        place: node.place(),
        label: node.text_of("label"),
        description: node.text_of("description"),
        model: model.to_owned(),
        agg: node.text_of("agg").unwrap_or_default().to_lowercase(),
        expr: node.text_of("expr"),
        time: node.text_of("agg_time_dimension"),
        percentile: number("percentile"),
        discrete: flag("use_discrete_percentile")
            || node
                .text_of("percentile_type")
                .is_some_and(|word| word == "discrete"),
        approximate: flag("use_approximate_percentile"),
        non_additive: node.get("non_additive_dimension").and_then(non_additive),
        creates_metric: false,
    }
}

fn non_additive(node: &Node) -> Option<NonAdditive> {
    let groupings = node.items_of("window_groupings").into_iter();
    let groupings = groupings.chain(node.items_of("group_by"));
    Some(NonAdditive {
        time: node.text_of("name")?,
        choice: node
            .text_of("window_choice")
            .or_else(|| node.text_of("window_agg"))
            .unwrap_or_else(|| "min".to_owned())
            .to_lowercase(),
        groupings: groupings
            .filter_map(|node| node.text().map(str::to_owned))
            .collect(),
    })
}

/// Reads a metric of either form; `model` is the one it is declared in.
pub(super) fn metric(node: &Node, model: Option<&str>, manifest: &mut Manifest, notes: &mut Notes) {
    let Some(name) = node.text_of("name") else {
        return notes.add(node.place(), "a metric without a name is left out");
    };
    let kind = match node.get("type_params") {
        Some(params) => typed(node, params, &name, manifest),
        None => latest::kind(node, &name, model, manifest),
    };
    let kind = match kind {
        Ok(kind) => kind,
        Err(reason) => {
            return notes.add(
                node.place(),
                format!("the metric {name} is left out: {reason}"),
            );
        }
    };
    let config = |key: &str| node.path(&["config", key]);
    let meta = |key: &str| node.path(&["config", "meta", key]);
    manifest.metrics.push(Metric {
        place: node.place(),
        label: node.text_of("label"),
        description: node.text_of("description"),
        filters: node.get("filter").map(conditions).unwrap_or_default(),
        owner: meta("owner")
            .or_else(|| config("group"))
            .and_then(Look::text)
            .map(str::to_owned),
        tags: config("tags")
            .map(Look::items)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|node| node.text().map(str::to_owned))
            .collect(),
        granularity: node
            .text_of("time_granularity")
            .map(|grain| grain.to_lowercase()),
        kind,
        name,
    });
}

/// The kind of a metric with `type_params`.
fn typed(node: &Node, params: &Node, name: &str, manifest: &mut Manifest) -> Result<Kind, String> {
    let word = node.text_of("type").unwrap_or_default().to_lowercase();
    let missing = |key: &str| format!("it has no {key}");
    let side = |params: &Node, measure: &str, metric: &str| {
        let measured = params.get(measure).and_then(used).map(Input::Measure);
        measured.or_else(|| params.get(metric).and_then(used).map(Input::Metric))
    };
    Ok(match word.as_str() {
        "simple" => match (
            params.get("measure"),
            params.get("metric_aggregation_params"),
        ) {
            (Some(measure), _) => Kind::Simple(used(measure).ok_or_else(|| missing("measure"))?),
            (None, Some(aggregated)) => {
                let model = aggregated.text_of("semantic_model").unwrap_or_default();
                let mut measure = aggregation(aggregated, name, &model);
                measure.expr = params.text_of("expr").or(measure.expr);
                measure.place = node.place();
                manifest.measures.push(measure);
                Kind::Simple(Use {
                    fill: params.text_of("fill_nulls_with"),
                    every_period: params.is("join_to_timespine"),
                    ..Use::of(name)
                })
            }
            (None, None) => return Err(missing("measure")),
        },
        "ratio" => {
            let part = |key: &str| params.get(key).and_then(used).ok_or_else(|| missing(key));
            Kind::Ratio(part("numerator")?, part("denominator")?)
        }
        "derived" | "expr" => Kind::Derived {
            expr: params.text_of("expr").ok_or_else(|| missing("expr"))?,
            inputs: params
                .items_of("metrics")
                .into_iter()
                .filter_map(used)
                .collect(),
        },
        "cumulative" => {
            let inner = params.get("cumulative_type_params");
            let get = |key: &str| {
                inner
                    .and_then(|inner| inner.get(key))
                    .or_else(|| params.get(key))
            };
            let measured = params.get("measure").and_then(used).map(Input::Measure);
            Kind::Cumulative {
                input: measured
                    .or_else(|| get("metric").and_then(used).map(Input::Metric))
                    .ok_or_else(|| missing("measure"))?,
                window: get("window").and_then(window),
                grain_to_date: get("grain_to_date")
                    .and_then(Look::text)
                    .map(str::to_lowercase),
                period_agg: get("period_agg")
                    .and_then(Look::text)
                    .map_or("first".to_owned(), str::to_lowercase),
            }
        }
        "conversion" => {
            let params = params.get("conversion_type_params").unwrap_or(params);
            latest::conversion(params, &side)?
        }
        "" => return Err(missing("type")),
        word => return Err(format!("'{word}' is no kind of metric")),
    })
}

fn saved_query(node: &Node, notes: &mut Notes) -> Option<SavedQuery> {
    let name = node.text_of("name")?;
    let params = node.get("query_params")?;
    for export in node.items_of("exports") {
        notes.add(
            export.place(),
            format!("{name}: exports are not carried over; a view is run by `metrex query`"),
        );
    }
    Some(SavedQuery {
        place: node.place(),
        description: node.text_of("description"),
        metrics: params
            .items_of("metrics")
            .into_iter()
            .filter_map(|node| node.text().map(str::to_owned))
            .collect(),
        group_by: params.get("group_by").map(conditions).unwrap_or_default(),
        filters: params.get("where").map(conditions).unwrap_or_default(),
        order_by: params.get("order_by").map(conditions).unwrap_or_default(),
        limit: params.text_of("limit"),
        name,
    })
}

fn spines(node: &Node, manifest: &mut Manifest) {
    // The form before there were several: `{location, column_name, grain}`.
    for node in node.items_of("time_spine_table_configurations") {
        if let (Some(table), Some(column)) = (node.text_of("location"), node.text_of("column_name"))
        {
            manifest.spines.push(Spine {
                place: node.place(),
                table,
                column,
                granularity: node.text_of("grain").unwrap_or_else(|| "day".to_owned()),
                periods: Vec::new(),
            });
        }
    }
    let nested = node.items_of("time_spines");
    let all = if nested.is_empty() {
        vec![node]
    } else {
        nested
    };
    for node in all {
        let primary = node.get("primary_column");
        let (Some(table), Some(column)) = (
            node.get("node_relation").and_then(relation_name),
            primary.and_then(|primary| primary.text_of("name")),
        ) else {
            continue;
        };
        let periods = node.items_of("custom_granularities").into_iter();
        manifest.spines.push(Spine {
            place: node.place(),
            table,
            column,
            granularity: primary
                .and_then(|primary| primary.text_of("time_granularity"))
                .unwrap_or_else(|| "day".to_owned()),
            periods: periods.filter_map(period).collect(),
        });
    }
}

/// Name and column of a custom granularity.
pub(super) fn period(node: &Node) -> Option<(String, String)> {
    let name = node.text_of("name")?;
    let column = node.text_of("column_name").unwrap_or_else(|| name.clone());
    Some((name, column))
}

/// Notes keys that are not carried over.
pub(super) fn unknown(node: &Node, known: &[&str], notes: &mut Notes) {
    for (key, place) in node.keys() {
        if !known.contains(&key) {
            notes.add(place, format!("'{key}' is not carried over"));
        }
    }
}
