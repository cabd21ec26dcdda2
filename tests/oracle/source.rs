//! Which of several sources of a metric a query uses: the first one whose condition holds.

use metrex::model::{CompareOp, Grain, Metric, Source, UseWhen};

use super::{Answered, World, refuse};

/// What the choice may depend on.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// Dimensions grouped or filtered by.
    pub dimensions: Vec<String>,
    /// The finest grain grouped by.
    pub grain: Option<Grain>,
}

impl<'a> World<'a> {
    pub fn source(&self, metric: &'a Metric, usage: &Usage) -> Answered<&'a Source> {
        let mut sources = metric.kind.sources().iter();
        let chosen = sources.find(|source| match &source.use_when {
            None => true,
            Some((_, when)) => self.applies(source, when, usage),
        });
        chosen.map_or_else(|| refuse(format!("no source of {} fits", metric.name)), Ok)
    }

    fn applies(&self, source: &Source, when: &UseWhen, usage: &Usage) -> bool {
        match when {
            UseWhen::Uses(wanted) => usage.dimensions.iter().any(|used| {
                used.eq_ignore_ascii_case(wanted)
                    || source.measures.iter().any(|measure| {
                        let path = |name: &str| self.path(&measure.dataset, name).ok();
                        path(used).is_some() && path(used) == path(wanted)
                    })
            }),
            // No grain at all is coarser than a year.
            UseWhen::Grain(op, grain) => {
                let rank = |grain: Option<Grain>| {
                    grain.map_or(Grain::ALL.len(), |grain| {
                        Grain::ALL.iter().position(|one| *one == grain).unwrap()
                    })
                };
                let (used, limit) = (rank(usage.grain), rank(Some(*grain)));
                match op {
                    CompareOp::Eq => used == limit,
                    CompareOp::Ne => used != limit,
                    CompareOp::Lt => used < limit,
                    CompareOp::Le => used <= limit,
                    CompareOp::Gt => used > limit,
                    CompareOp::Ge => used >= limit,
                }
            }
            UseWhen::And(parts) => parts.iter().all(|part| self.applies(source, part, usage)),
            UseWhen::Or(parts) => parts.iter().any(|part| self.applies(source, part, usage)),
            UseWhen::Not(part) => !self.applies(source, part, usage),
        }
    }
}
