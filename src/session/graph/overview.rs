//! What is used most, and what is never used: the graph without a place to stand.

use std::collections::HashMap;

use serde::Serialize;

use crate::session::{Session, SessionError};
use crate::usage::graph::{NodeKind, Size, Trend};

/// A metric with how its use goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsedMetric {
    /// Its name.
    pub name: String,
    /// How its use goes.
    #[serde(flatten)]
    pub trend: Trend,
}

/// The graph as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphOverview {
    /// How large it is.
    #[serde(flatten)]
    pub size: Size,
    /// The metrics that were asked for in the last 30 days, the most asked first.
    pub metrics: Vec<UsedMetric>,
    /// Metrics that were asked for before, and not in the last 30 days.
    pub idle: Vec<String>,
    /// Metrics that nobody ever asked for.
    pub never: Vec<String>,
}

impl Session {
    /// What is used most, and what is never used.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn graph_overview(&self) -> Result<GraphOverview, SessionError> {
        let graph = self.used_graph()?;
        let size = graph.graph_size().map_err(super::unreadable)?;
        let trends = graph.trends(NodeKind::Metric, self.now());
        let mut trends: HashMap<String, Trend> = trends.map_err(super::unreadable)?;
        let (mut metrics, mut idle, mut never) = (Vec::new(), Vec::new(), Vec::new());
        for name in self.catalog().registry.metrics.keys() {
            match trends.remove(name) {
                Some(trend) if trend.month > 0 => metrics.push(UsedMetric {
                    name: name.clone(),
                    trend,
                }),
                Some(_) => idle.push(name.clone()),
                None => never.push(name.clone()),
            }
        }
        metrics.sort_by(|a, b| {
            let by_use = b.trend.month.cmp(&a.trend.month);
            by_use.then_with(|| a.name.cmp(&b.name))
        });
        Ok(GraphOverview {
            size,
            metrics,
            idle,
            never,
        })
    }
}
