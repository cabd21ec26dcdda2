//! A metric taken apart for an investigation: the parts that add up, under names of their own in a session of their own.

use crate::compile::{
    Additivity, DimensionChoice, MetricPart, additivity, factors, fraction, rows_of,
    rows_of_datasets,
};
use crate::investigate::Form;
use crate::model::{
    Aggregate, ColumnState, Dimension, DimensionType, Metric, MetricKind, Registry,
};
use crate::registry::Loaded;
use crate::session::{Session, SessionError};

/// A dimension with more values than this is not looked at.
const MOST_VALUES: u64 = 200;

/// What the parts without a name are called.
const NUMERATOR: &str = "why_numerator";
const DENOMINATOR: &str = "why_denominator";
const ROWS: &str = "why_rows";

/// A metric with its parts.
pub(super) struct Anatomy {
    /// The session whose definitions have the parts, too.
    pub(super) session: Session,
    /// The metric, by canonical name.
    pub(super) metric: String,
    /// How it is made of what adds up; or why not.
    pub(super) form: Result<Form, String>,
    /// The metrics whose values are the amounts: what is added up or divided, by what, and the rows.
    pub(super) parts: [String; 3],
    /// Whether only whole periods of one grain can be told of it.
    pub(super) is_snapshot: bool,
    /// The volume and the average of the registry that it is a product of, where its amounts are told with that volume.
    pub(super) product: Option<(String, String)>,
    /// Every volume and average that it is a product of.
    pub(super) factors: Vec<(String, String)>,
    /// The datasets it reads, each with the metric that counts its rows.
    pub(super) datasets: Vec<(String, String)>,
}

impl Anatomy {
    /// Takes a metric apart.
    ///
    /// # Errors
    /// The metric is unknown.
    pub(super) fn new(session: &Session, metric: &str) -> Result<Self, SessionError> {
        let catalog = session.catalog();
        let registry = &catalog.registry;
        let found = registry.metric(metric);
        let metric = found.ok_or_else(|| SessionError::unknown_metric(registry, metric))?;
        let mut made = Made {
            registry: registry.clone(),
            like: metric,
        };
        let factors = factors(registry, metric);
        let rows = rows_of(registry, metric).map(|kind| made.add(ROWS, kind));
        let product = factors.iter().find(|(volume, _)| {
            let volume = registry.metric(volume);
            volume.is_some_and(|volume| adds_up_beside(registry, metric, volume))
        });
        let product = product.cloned();
        let mut is_snapshot = false;
        let mut parts = [
            metric.name.clone(),
            metric.name.clone(),
            metric.name.clone(),
        ];
        let form = match (
            additivity(registry, metric),
            fraction(registry, metric),
            rows,
        ) {
            (_, _, None) => Err("what rows it is made of is not known".to_owned()),
            (Additivity::NonAdditive { why }, None, Some(_)) => Err(why),
            (Additivity::NonAdditive { .. }, Some(fraction), Some(rows)) => {
                let numerator = made.part(NUMERATOR, fraction.numerator);
                let denominator = made.part(DENOMINATOR, fraction.denominator);
                let mut refused = None;
                for (name, what) in [(&numerator, "numerator"), (&denominator, "denominator")] {
                    match made
                        .registry
                        .metric(name)
                        .map(|part| additivity(&made.registry, part))
                    {
                        Some(Additivity::NonAdditive { why }) => {
                            refused.get_or_insert(format!("its {what} does not add up: {why}"));
                        }
                        Some(Additivity::SemiAdditive { .. }) => is_snapshot = true,
                        Some(Additivity::Additive) | None => {}
                    }
                }
                parts = [numerator, denominator, rows];
                match refused {
                    Some(why) => Err(why),
                    None => Ok(Form::Ratio {
                        factor: fraction.factor,
                        offset: fraction.offset,
                    }),
                }
            }
            (adds_up, _, Some(rows)) => {
                is_snapshot = !adds_up.is_additive();
                let has_price = product.is_some() || is_sum_of_rows(metric);
                let volume = product.as_ref().map(|(volume, _)| volume.clone());
                parts = [
                    metric.name.clone(),
                    volume.unwrap_or_else(|| rows.clone()),
                    rows,
                ];
                Ok(Form::Sum { has_price })
            }
        };
        let counted = rows_of_datasets(registry, metric).into_iter().enumerate();
        let datasets = counted.map(|(at, (dataset, kind))| {
            let name = made.add(&format!("{ROWS}_{at}"), kind);
            (dataset, name)
        });
        let datasets = datasets.collect();
        let loaded = Loaded {
            registry: made.registry,
            diagnostics: Vec::new(),
            from_cache: false,
        };
        let files = session.version().files().clone();
        Ok(Self {
            metric: metric.name.clone(),
            form,
            parts,
            is_snapshot,
            product,
            factors,
            datasets,
            session: session.supposing(loaded, files),
        })
    }

    /// The dimensions to look at, and those with too many values.
    pub(super) fn dimensions(&self) -> (Vec<DimensionChoice>, Vec<String>) {
        let catalog = self.session.catalog();
        let registry = &catalog.registry;
        let metrics = [self.metric.clone()];
        let mut wide = Vec::new();
        let choices = catalog.reach.choices(registry, &metrics).into_iter();
        let fits = choices.filter(|choice| {
            let dimension = dimension_of(registry, choice);
            let is_told = dimension.is_some_and(|one| !one.pii && one.of_metric.is_none());
            choice.reachable.is_ok()
                && is_told
                && matches!(choice.kind, DimensionType::Text | DimensionType::Boolean)
        });
        let mut found = Vec::new();
        for choice in fits {
            match self.session.values(&metrics, &choice.name, "", 1).state {
                ColumnState::Wide { .. } => wide.push(choice.name),
                ColumnState::Indexed { distinct } if distinct > MOST_VALUES => {
                    wide.push(choice.name);
                }
                ColumnState::Indexed { distinct: 0 | 1 } | ColumnState::Pii => {}
                ColumnState::Indexed { .. } | ColumnState::Missing => found.push(choice),
            }
        }
        (found, wide)
    }
}

fn dimension_of<'r>(registry: &'r Registry, choice: &DimensionChoice) -> Option<&'r Dimension> {
    let dataset = registry.datasets.get(&choice.dataset)?;
    dataset.dimensions.get(&choice.dimension)
}

/// Whether it adds up numbers of rows, so that there is an average of a row.
fn is_sum_of_rows(metric: &Metric) -> bool {
    let sources = metric.kind.sources();
    let mut measures = sources.iter().flat_map(|source| &source.measures);
    matches!(metric.kind, MetricKind::Simple(_))
        && measures.all(|one| one.agg == Aggregate::Sum && one.over_time.is_none())
}

/// Whether a volume is told by the same dimensions as the metric, and adds up as it does.
fn adds_up_beside(registry: &Registry, metric: &Metric, volume: &Metric) -> bool {
    let datasets = |metric: &Metric| -> Vec<String> {
        let rows = rows_of_datasets(registry, metric);
        rows.into_iter().map(|(dataset, _)| dataset).collect()
    };
    additivity(registry, volume).is_additive() && datasets(metric) == datasets(volume)
}

/// The definitions with further metrics.
struct Made<'a> {
    registry: Registry,
    like: &'a Metric,
}

impl Made<'_> {
    fn part(&mut self, name: &str, part: MetricPart) -> String {
        match part {
            MetricPart::Named(name) => name,
            MetricPart::Made(kind) => self.add(name, *kind),
        }
    }

    /// Adds a metric under a name that no other one has.
    fn add(&mut self, name: &str, kind: MetricKind) -> String {
        let mut name = name.to_owned();
        while self.registry.metric(&name).is_some() {
            name.push('_');
        }
        let metric = Metric::plain(name.clone(), self.like.place, kind);
        self.registry.metrics.insert(name.clone(), metric);
        name
    }
}
