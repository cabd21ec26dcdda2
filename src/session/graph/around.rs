//! The neighbourhood of a thing: what it was used with, and what the definitions put beside it that nobody used.

use serde::Serialize;

use super::defined;
use crate::session::{Session, SessionError};
use crate::usage::graph::{
    Around, EdgeKind, Group, Near, NodeKind, Thing, Together, Trend, Used, Way,
};

/// A thing with everything around it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Neighbourhood {
    /// The thing.
    #[serde(flatten)]
    pub thing: Thing,
    /// The text it is shown by.
    pub label: String,
    /// The queries that it had a part in.
    #[serde(flatten)]
    pub used: Used,
    /// How its use goes; nothing of queries, columns, values, joins and people, whose days are not counted.
    pub trend: Option<Trend>,
    /// What is around it.
    pub near: Vec<Group>,
    /// Dimensions that a metric can be cut by, and that no query of it ever was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub never_by: Vec<String>,
}

impl Session {
    /// What a thing was used with, at most `limit` of each kind, and what is defined beside it.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn graph_around(&self, thing: &Thing, limit: usize) -> Result<Neighbourhood, SessionError> {
        let graph = self.used_graph()?;
        let around = graph.around(thing, limit).map_err(super::unreadable)?;
        let around = around.unwrap_or_else(|| Around {
            thing: thing.clone(),
            label: thing.key.clone(),
            used: Used::default(),
            first: None,
            groups: Vec::new(),
        });
        let is_daily = !matches!(
            thing.kind,
            NodeKind::Query
                | NodeKind::Column
                | NodeKind::Value
                | NodeKind::JoinPath
                | NodeKind::Person
        );
        let trend = match is_daily {
            true => Some(graph.trend(thing, self.now()).map_err(super::unreadable)?),
            false => None,
        };
        let mut near = Neighbourhood {
            thing: around.thing,
            label: around.label,
            used: around.used,
            trend,
            near: around.groups,
            never_by: Vec::new(),
        };
        self.lay_over(&mut near, limit);
        Ok(near)
    }

    /// The metrics and dimensions that a thing was used together with, at most `limit` of each.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn graph_together(&self, thing: &Thing, limit: usize) -> Result<Together, SessionError> {
        let together = self.used_graph()?.together(thing, limit);
        together.map_err(super::unreadable)
    }

    /// Adds what is defined and was never used.
    fn lay_over(&self, around: &mut Neighbourhood, limit: usize) {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let here = &around.thing;
        let mut beside: Vec<(Way, Thing)> = Vec::new();
        if here.kind == NodeKind::Metric {
            for (kind, part) in defined::parts(registry, &here.key) {
                let way = match kind {
                    EdgeKind::Derives => Way::MadeOf,
                    _ => Way::ComputedFrom,
                };
                beside.push((way, part));
            }
            let choices = catalog
                .reach
                .choices(registry, std::slice::from_ref(&here.key));
            let ways = [Way::GroupedBy, Way::FilteredBy];
            let used = around.near.iter().filter(|group| ways.contains(&group.way));
            let is_whole = used.clone().all(|group| group.total == group.near.len());
            let used: Vec<&str> = used
                .flat_map(|group| &group.near)
                .map(|near| near.thing.key.as_str())
                .collect();
            let never = choices
                .into_iter()
                .filter(|choice| choice.reachable.is_ok());
            let never = never.filter(|choice| is_whole && !used.contains(&choice.name.as_str()));
            around.never_by = never.map(|choice| choice.name).collect();
        }
        if matches!(here.kind, NodeKind::Metric | NodeKind::Table) {
            for (metric, parts) in defined::metrics(registry) {
                for (kind, part) in parts {
                    if part == *here {
                        let way = match kind {
                            EdgeKind::Derives => Way::PartOf,
                            _ => Way::Computes,
                        };
                        beside.push((way, metric.clone()));
                    }
                }
            }
        }
        for (way, thing) in beside {
            add(&mut around.near, way, thing, limit);
        }
        around.near.sort_by_key(|group| group.way);
    }
}

/// Adds a thing that was never used that way; one that was is there already, unless the list was cut.
fn add(groups: &mut Vec<Group>, way: Way, thing: Thing, limit: usize) {
    let near = Near {
        label: thing.key.clone(),
        thing,
        used: Used::default(),
    };
    match groups.iter_mut().find(|group| group.way == way) {
        Some(group) if group.near.iter().any(|known| known.thing == near.thing) => {}
        Some(group) if group.total > group.near.len() || group.near.len() >= limit => {}
        Some(group) => {
            group.total += 1;
            group.near.push(near);
        }
        None => groups.push(Group {
            way,
            total: 1,
            near: vec![near],
        }),
    }
}
