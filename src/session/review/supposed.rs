//! A proposal as if it were published: what it would mean, and what shows that.

use super::super::meaning::{Difference, dataset_differences, differences, rollup_differences};
use super::super::{FileChange, Publication, Session, Sides};
use super::body_of;
use crate::compile::{RollupTable, reading};
use crate::model::{GroupBy, MetricKind, MetricQuery};
use crate::registry::edit;
use crate::registry::{Proposal, Subject};

/// The project as a proposal would have it.
pub(super) struct Supposed {
    /// The file that the definition would be in.
    pub(super) file: String,
    /// The text of that file, as it is.
    pub(super) before: String,
    /// The text of that file, as it would be.
    pub(super) after: String,
    /// The file of the snippet that comes along, with its text.
    pub(super) snippet: Option<(String, String)>,
    /// The session over all that.
    pub(super) session: Session,
    /// The hash of what it would mean; `None` where it cannot be read.
    pub(super) meaning: Option<String>,
    /// Why it cannot be published.
    pub(super) trouble: Option<String>,
}

/// What there is to say of a proposal.
pub(super) struct Said {
    pub(super) formula: String,
    pub(super) differences: Vec<Difference>,
    pub(super) sql: Sides<Result<String, String>>,
    /// The metric whose numbers show it, and the dimension they are shown by.
    pub(super) exemplar: (String, Option<String>),
}

impl Session {
    /// The project as a proposal would have it. Touches no warehouse.
    pub(super) fn suppose(&self, proposal: &Proposal) -> Supposed {
        let (file, planned) = self.with_proposal(proposal);
        let before = self.file_text(&file).ok().flatten().unwrap_or_default();
        let (after, mut trouble) = match planned {
            Ok(text) => (text, None),
            Err(refusal) => (before.clone(), Some(refusal.message)),
        };
        let snippet = self.snippet_of(proposal);
        let mut texts = vec![(file.as_str(), Some(after.as_str()))];
        texts.extend(
            snippet
                .iter()
                .map(|(path, text)| (path.as_str(), Some(text.as_str()))),
        );
        let session = self.as_if(&texts);
        if trouble.is_none() {
            let files = texts.iter().map(|(path, text)| {
                let now = self.file_text(path).ok().flatten();
                FileChange {
                    path: (*path).to_owned(),
                    base: now.as_deref().map(edit::hash),
                    text: text.map(str::to_owned),
                }
            });
            let publication = Publication {
                files: files.collect(),
                commit: None,
            };
            let refusal = self.could_publish(&publication).err();
            trouble = refusal.map(|refusal| refusal.message);
        }
        let meaning = session.meaning_of(&proposal.of, &after);
        Supposed {
            file,
            before,
            after,
            snippet,
            session,
            meaning,
            trouble,
        }
    }

    /// The short hash of what a definition means in the text of its file; of what has no numbers of its own, of what it says.
    pub(super) fn meaning_of(&self, of: &Subject, text: &str) -> Option<String> {
        match of {
            Subject::Metric(name) => self.catalog().fingerprint(name),
            _ => {
                let hash = edit::hash(&body_of(text, of)?);
                hash.get(..8).map(str::to_owned)
            }
        }
    }

    pub(super) fn said_of(&self, proposal: &Proposal, supposed: &Supposed) -> Said {
        let (now, then) = (self.catalog(), supposed.session.catalog());
        let (before, after) = (&now.registry, &then.registry);
        let by = |dimension: Option<&String>| MetricQuery {
            group_by: dimension.map(|name| vec![GroupBy::Dimension(name.clone())]),
            ..MetricQuery::default()
        };
        match &proposal.of {
            Subject::Metric(name) => Said {
                formula: match after.metrics.get(name) {
                    Some(metric) => reading(after, metric),
                    None => String::new(),
                },
                differences: differences(before, after, name),
                sql: Sides {
                    before: self.sql_of(name),
                    after: supposed.session.sql_of(name),
                },
                exemplar: (name.clone(), None),
            },
            Subject::Dimension(dataset, name) => {
                let metric = supposed.session.exemplar(dataset);
                let query = MetricQuery {
                    metrics: vec![metric.clone()],
                    ..by(Some(name))
                };
                Said {
                    formula: format!("a dimension of {dataset}, shown by {metric}"),
                    differences: dataset_differences(before, after, dataset),
                    sql: Sides {
                        before: self.sql_for(&query),
                        after: supposed.session.sql_for(&query),
                    },
                    exemplar: (metric, Some(name.clone())),
                }
            }
            Subject::Join(dataset, name) => {
                let metric = supposed.session.exemplar(dataset);
                let to = after.datasets.get(dataset).and_then(|dataset| {
                    let to = after.datasets.get(&dataset.joins.get(name)?.to)?;
                    to.dimensions.keys().next()
                });
                let dimension = to.map(|dimension| format!("{name}.{dimension}"));
                let query = MetricQuery {
                    metrics: vec![metric.clone()],
                    ..by(dimension.as_ref())
                };
                Said {
                    formula: format!("a join of {dataset}, shown by {metric}"),
                    differences: dataset_differences(before, after, dataset),
                    sql: Sides {
                        before: self.sql_for(&query),
                        after: supposed.session.sql_for(&query),
                    },
                    exemplar: (metric, dimension),
                }
            }
            Subject::Rollup(name) => {
                let rollup = after.rollups.get(name);
                let metric = rollup.and_then(|rollup| rollup.metrics.first().cloned());
                Said {
                    formula: "a table that queries are answered from; no number changes".to_owned(),
                    differences: rollup_differences(before, after, name),
                    sql: Sides {
                        before: self.rollup_sql(name),
                        after: supposed.session.rollup_sql(name),
                    },
                    exemplar: (metric.unwrap_or_default(), None),
                }
            }
        }
    }

    /// The SQL of a query, or why there is none.
    fn sql_for(&self, query: &MetricQuery) -> Result<String, String> {
        let compiled = self.compile(query);
        compiled
            .map(|compiled| compiled.main.sql)
            .map_err(|error| error.message)
    }

    /// A metric that shows what a dataset has: the first simple one over it that can be asked for.
    fn exemplar(&self, dataset: &str) -> String {
        let catalog = self.catalog();
        let mut metrics = catalog.registry.metrics.values().filter(|metric| {
            let mut measures = metric
                .kind
                .sources()
                .iter()
                .flat_map(|source| &source.measures);
            matches!(metric.kind, MetricKind::Simple(_))
                && measures.any(|measure| measure.dataset == dataset)
        });
        metrics
            .next()
            .map(|metric| metric.name.clone())
            .unwrap_or_default()
    }

    /// The SQL that fills a rollup, or why there is none.
    fn rollup_sql(&self, name: &str) -> Result<String, String> {
        let version = self.version();
        let registry = &version.catalog.registry;
        let rollup = registry.rollups.get(name);
        let rollup = rollup.ok_or_else(|| format!("there is no rollup '{name}'"))?;
        let options = self.laying_out(self.dialect_of(&self.connection()));
        let table = RollupTable::new(
            registry,
            &version.catalog.reach,
            &version.templates,
            rollup,
            &options,
        );
        table.map(|table| table.sql).map_err(|error| error.message)
    }
}
