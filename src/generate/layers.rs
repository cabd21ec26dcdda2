//! The project as dbt sees it: every dataset is a model of one of its layers, and no definition reads a table.

use indexmap::IndexMap;

use super::closure::Closure;
use super::{Package, Wanted, closure, columns, refs, text};
use crate::compile::Reachability;
use crate::model::{CanonicalOf, Dataset, Registry, Relation};

/// The layer of a model that metrics are computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    /// It stands for a canonical dataset, under its name.
    Canonical,
    /// A raw table, with the columns that are used.
    Staging,
    /// SQL by hand over staging models.
    Intermediate,
}

impl Layer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Canonical, Self::Staging, Self::Intermediate];

    /// Its folder in `models/`, which is also its tag.
    pub fn word(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::Staging => "staging",
            Self::Intermediate => "intermediate",
        }
    }
}

/// What a model selects.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// A table: these columns; all where SQL by hand reads it.
    Table {
        table: String,
        columns: Option<Vec<String>>,
    },
    /// SQL by hand, with references.
    Sql(String),
}

/// A model that stands for a dataset or a table.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub name: String,
    pub layer: Layer,
    /// The dataset that it is.
    pub dataset: Option<String>,
    pub body: Body,
    /// Whether the dbt project has it already.
    pub exists: bool,
}

impl Model {
    /// Its file.
    pub fn path(&self) -> String {
        format!("models/{}/{}.sql", self.layer.word(), self.name)
    }
}

/// The registry of a dbt project, with the models that it stands on.
pub(super) struct Layers<'a> {
    /// As it was written.
    pub original: &'a Registry,
    /// As dbt sees it.
    pub registry: Registry,
    pub reach: Reachability,
    pub models: Vec<Model>,
    /// The metrics that can be made.
    pub wanted: Vec<String>,
    /// What they stand on.
    pub closure: Closure,
    /// The names given to the two halves of each ratio.
    pub halves: IndexMap<String, [String; 2]>,
}

impl<'a> Layers<'a> {
    pub fn new(original: &'a Registry, wanted: &Wanted<'_>, package: &mut Package) -> Self {
        let mut closure = Closure::default();
        let mut made = Vec::new();
        for name in wanted.metrics {
            match Closure::of(original, name, wanted.dialect) {
                Ok(own) => {
                    closure.extend(own);
                    made.push(name.clone());
                }
                Err(reason) => {
                    let at = original
                        .metrics
                        .get(name)
                        .map(|metric| original.at(metric.place));
                    let text = format!("the metric {name} is left out: {reason}");
                    package.note(at.unwrap_or_default(), text);
                }
            }
        }
        let calendar = &original.calendar;
        let of_calendar = calendar.table.iter().map(|table| table.table.clone());
        let spines = calendar.spines.iter().map(|spine| spine.table.clone());
        closure.tables.extend(of_calendar.chain(spines));
        let mut names = Names::new(original, wanted);
        let models = models(original, wanted, &closure, &mut names, package);
        let mut registry = Registry {
            datasets: IndexMap::new(),
            metrics: IndexMap::new(),
            rollups: IndexMap::new(),
            views: IndexMap::new(),
            ..original.clone()
        };
        for name in &closure.datasets {
            if let Some(dataset) = original.datasets.get(name) {
                let mut dataset = Dataset {
                    relation: Relation::Table(names.of_dataset(dataset)),
                    ..dataset.clone()
                };
                let used = columns::used_by(original, &closure, &dataset);
                dataset
                    .dimensions
                    .retain(|name, dimension| !dimension.pii || used.contains(name));
                registry.datasets.insert(name.clone(), dataset);
            }
        }
        for name in &closure.metrics {
            if let Some(metric) = original.metrics.get(name) {
                registry.metrics.insert(name.clone(), metric.clone());
            }
        }
        registry
            .metric_names
            .retain(|_, metric| closure.metrics.contains(metric));
        if let Some(table) = &mut registry.calendar.table {
            table.table = names.of_table(&table.table);
        }
        for spine in &mut registry.calendar.spines {
            spine.table = names.of_table(&spine.table);
        }
        let halves = super::semantics::name_halves(&mut registry);
        Self {
            original,
            reach: Reachability::new(&registry),
            registry,
            models,
            wanted: made,
            closure,
            halves,
        }
    }

    /// The model that is a dataset.
    pub fn model_of(&self, dataset: &str) -> Option<&Model> {
        let mut models = self.models.iter();
        models.find(|model| model.dataset.as_deref() == Some(dataset))
    }

    /// The models that SQL of the compiler reads.
    pub fn read_by(&self, sql: &str) -> Vec<&Model> {
        let models = self.models.iter();
        models
            .filter(|model| text::has_word(sql, &model.name))
            .collect()
    }
}

/// Which model stands for which dataset and table.
struct Names<'a> {
    registry: &'a Registry,
    wanted: &'a Wanted<'a>,
}

impl<'a> Names<'a> {
    fn new(registry: &'a Registry, wanted: &'a Wanted<'a>) -> Self {
        Self { registry, wanted }
    }

    fn of_dataset(&self, dataset: &Dataset) -> String {
        if let Some(canonical) = self.registry.canonical_of(&dataset.name) {
            return canonical.name.clone();
        }
        match &dataset.relation {
            Relation::Sql(_) => format!("int_{}", dataset.name.to_lowercase()),
            Relation::Table(table) => match self.own(table) {
                Some(model) => model,
                None => format!("stg_{}", dataset.name.to_lowercase()),
            },
        }
    }

    fn of_table(&self, table: &str) -> String {
        let dataset = closure::dataset_of(self.registry, table);
        if let Some(dataset) = dataset.and_then(|name| self.registry.datasets.get(name)) {
            return self.of_dataset(dataset);
        }
        let mut canonical = self.registry.canonical.values();
        let is_of = |of: &CanonicalOf| matches!(of, CanonicalOf::Table(own) if own.eq_ignore_ascii_case(table));
        match canonical.find(|canonical| is_of(&canonical.of)) {
            Some(canonical) => canonical.name.clone(),
            None => self
                .own(table)
                .unwrap_or_else(|| format!("stg_{}", text::slug(table))),
        }
    }

    /// The model of the dbt project that makes a table.
    fn own(&self, table: &str) -> Option<String> {
        let bare = table.rsplit('.').next().unwrap_or(table);
        self.wanted.models.contains(bare).then(|| bare.to_owned())
    }
}

fn models(
    registry: &Registry,
    wanted: &Wanted<'_>,
    closure: &Closure,
    names: &mut Names<'_>,
    package: &mut Package,
) -> Vec<Model> {
    let mut models: Vec<Model> = Vec::new();
    let sqls =
        closure
            .datasets
            .iter()
            .filter_map(|name| match &registry.datasets.get(name)?.relation {
                Relation::Sql(sql) => Some(sql),
                Relation::Table(_) => None,
            });
    let by_hand: Vec<String> = sqls
        .filter_map(|sql| refs::tables(sql, wanted.dialect).ok())
        .flatten()
        .map(|table| table.to_lowercase())
        .collect();
    for name in &closure.datasets {
        let Some(dataset) = registry.datasets.get(name) else {
            continue;
        };
        let (layer, body) = match &dataset.relation {
            Relation::Table(table) => {
                let is_whole = by_hand.contains(&table.to_lowercase());
                let columns = (!is_whole).then(|| columns::columns(registry, closure, dataset));
                let table = table.clone();
                (Layer::Staging, Body::Table { table, columns })
            }
            Relation::Sql(sql) => {
                let reference = |table: &str| {
                    format!("{{{{ ref({}) }}}}", text::quoted(&names.of_table(table)))
                };
                match refs::referring(sql, wanted.dialect, &reference) {
                    Ok(sql) => (Layer::Intermediate, Body::Sql(sql)),
                    Err(reason) => {
                        let text = format!("{name} is left out: {reason}");
                        package.note(registry.at(dataset.place), text);
                        continue;
                    }
                }
            }
        };
        let is_canonical = registry.canonical_of(name).is_some();
        let model = names.of_dataset(dataset);
        models.push(Model {
            exists: wanted.models.contains(&model),
            name: model,
            layer: if is_canonical {
                Layer::Canonical
            } else {
                layer
            },
            dataset: Some(name.clone()),
            body,
        });
    }
    for table in &closure.tables {
        let name = names.of_table(table);
        let mut canonical = registry.canonical.keys();
        let is_canonical = canonical.any(|canonical| *canonical == name);
        if models.iter().all(|model| model.name != name) {
            models.push(Model {
                exists: wanted.models.contains(&name),
                name,
                layer: if is_canonical {
                    Layer::Canonical
                } else {
                    Layer::Staging
                },
                dataset: None,
                body: Body::Table {
                    table: table.clone(),
                    columns: None,
                },
            });
        }
    }
    models.sort_by_key(|model| model.layer);
    models
}
