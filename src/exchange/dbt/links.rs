//! How semantic models reach each other: entities as joins, and as the columns that hold them.

use super::manifest::{Entity, EntityKind, Manifest, Model};

/// A join that an entity is: every model with the entity leads to those of which it identifies a row.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: String,
    pub(super) entity: String,
    /// The model it lands on.
    pub(super) to: String,
    /// The dataset it lands on: the model, under the key that is joined onto.
    pub(super) dataset: Variant,
    /// Pairs of a column here and a column there.
    pub(super) on: Vec<(String, String)>,
}

/// A model as a dataset with one of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) key: Vec<String>,
    /// Whether it is the model's own key.
    pub(super) is_own: bool,
}

/// The joins of a model, in order of its entities; a second target of an entity is named after entity and target.
pub(super) fn links(manifest: &Manifest, model: &Model) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for entity in &model.entities {
        let mut targets: Vec<(&Model, &Entity)> = manifest
            .models
            .iter()
            .filter(|target| target.name != model.name)
            .filter_map(|target| Some((target, target.entity(&entity.name)?)))
            .filter(|(target, there)| match there.kind {
                EntityKind::Primary | EntityKind::Unique => true,
                EntityKind::Natural => {
                    target.validity().is_some() && entity.kind != EntityKind::Natural
                }
                EntityKind::Foreign => false,
            })
            .collect();
        // The plain name goes to the model that is about the entity.
        targets.sort_by_key(|(_, there)| there.kind == EntityKind::Unique);
        for (at, (target, there)) in targets.into_iter().enumerate() {
            let mut on = vec![(column(entity), column(there))];
            for partition in model.partitions() {
                if let Some(other) = target
                    .partitions()
                    .find(|other| other.name == partition.name)
                {
                    on.push((partition.expr.clone(), other.expr.clone()));
                }
            }
            links.push(Link {
                name: match at {
                    0 => entity.name.clone(),
                    _ => format!("{}__{}", entity.name, target.name),
                },
                entity: entity.name.clone(),
                to: target.name.clone(),
                dataset: variant(target, there, &on),
                on,
            });
        }
    }
    links
}

fn variant(target: &Model, entity: &Entity, on: &[(String, String)]) -> Variant {
    let key: Vec<String> = on.iter().map(|(_, there)| there.clone()).collect();
    if own_key(target) == key {
        return Variant {
            name: target.name.clone(),
            key,
            is_own: true,
        };
    }
    let mut name = format!("{}_by_{}", target.name, entity.name);
    for partition in key.iter().skip(1) {
        name.push_str("_and_");
        name.push_str(partition);
    }
    Variant {
        name,
        key,
        is_own: false,
    }
}

/// The columns that identify a row of a model.
pub(super) fn own_key(model: &Model) -> Vec<String> {
    model.key().map(column).into_iter().collect()
}

/// The column that holds an entity: its expression, or what that is called in the dataset's query.
pub(super) fn column(entity: &Entity) -> String {
    if is_column(&entity.expr) {
        entity.expr.clone()
    } else {
        entity.name.clone()
    }
}

/// Whether SQL is the name of a column and nothing else.
pub(super) fn is_column(sql: &str) -> bool {
    let mut chars = sql.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

/// The name that a dimension or entity of `path` (entities, then the name) has for a model: `listing.country`.
pub(super) fn name_for(manifest: &Manifest, model: &Model, path: &[&str]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    if rest.is_empty() {
        let found = model.dimension(first).is_some() || model.entity(first).is_some();
        return found.then(|| (*first).to_owned());
    }
    if model.prefix() == Some(first)
        && let Some(own) = name_for(manifest, model, rest)
    {
        return Some(own);
    }
    links(manifest, model)
        .iter()
        .filter(|link| link.entity == *first)
        .find_map(|link| {
            let target = manifest
                .models
                .iter()
                .find(|target| target.name == link.to)?;
            // Back through the same entity would be the model itself.
            let there = match rest {
                [name] => name_for(manifest, target, &[name])?,
                rest if rest.first() == Some(first) => return None,
                rest => name_for(manifest, target, rest)?,
            };
            Some(format!("{}.{there}", link.name))
        })
}
