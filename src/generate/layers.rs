//! The project as dbt sees it: every dataset is a model of one of its layers, and no definition reads a table.

use std::collections::{BTreeSet, HashMap};

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
    /// Whether the models go into a project of somebody.
    pub has_project: bool,
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
        let names = Names::new(original, wanted, &closure, package);
        let models = models(original, wanted, &closure, &names, package);
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
                    relation: Relation::Table(names.of_dataset(name)),
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
            table.table = names.of_table(original, &table.table);
        }
        for spine in &mut registry.calendar.spines {
            spine.table = names.of_table(original, &spine.table);
        }
        let halves = super::semantics::name_halves(&mut registry);
        Self {
            original,
            reach: Reachability::new(&registry),
            has_project: wanted.has_project,
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
struct Names {
    datasets: HashMap<String, String>,
    /// By table, in lower case.
    tables: HashMap<String, String>,
}

impl Names {
    /// A model of the project, where it makes the table; else one of ours, under a name that is free.
    fn new(
        registry: &Registry,
        wanted: &Wanted<'_>,
        closure: &Closure,
        package: &mut Package,
    ) -> Self {
        let mut names = Self {
            datasets: HashMap::new(),
            tables: HashMap::new(),
        };
        let mut taken: BTreeSet<String> =
            wanted.models.iter().map(|one| one.to_lowercase()).collect();
        taken.extend(
            wanted
                .metrics
                .iter()
                .map(|metric| super::mart::name_of(metric)),
        );
        taken.extend(registry.canonical.keys().map(|name| name.to_lowercase()));
        let mut free = |name: String| {
            let mut one = name.clone();
            let mut n = 2;
            while !taken.insert(one.clone()) {
                one = format!("{name}_{n}");
                n += 1;
            }
            one
        };
        let own = |table: &str| {
            let bare = table.rsplit('.').next().unwrap_or(table);
            wanted.models.contains(bare).then(|| bare.to_owned())
        };
        let of_tables = closure
            .tables
            .iter()
            .filter_map(|table| closure::dataset_of(registry, table));
        for name in closure.datasets.iter().map(String::as_str).chain(of_tables) {
            let Some(dataset) = registry
                .datasets
                .get(name)
                .filter(|_| !names.datasets.contains_key(name))
            else {
                continue;
            };
            let model = match (&dataset.relation, registry.canonical_of(name)) {
                (_, Some(canonical)) => canonical.name.clone(),
                (Relation::Sql(_), None) => free(format!("int_{}", name.to_lowercase())),
                (Relation::Table(table), None) => match own(table) {
                    Some(model) => {
                        if *table != model {
                            let text = format!(
                                "{name}: the table {table} is read as {model}, a model of the project"
                            );
                            package.note(registry.at(dataset.place), text);
                        }
                        model
                    }
                    None => free(format!("stg_{}", name.to_lowercase())),
                },
            };
            names.datasets.insert(name.to_owned(), model);
        }
        for table in &closure.tables {
            let mut canonical = registry.canonical.values();
            let is_of = |of: &CanonicalOf| matches!(of, CanonicalOf::Table(own) if own.eq_ignore_ascii_case(table));
            let of_dataset =
                closure::dataset_of(registry, table).and_then(|name| names.datasets.get(name));
            let model = match (of_dataset, canonical.find(|canonical| is_of(&canonical.of))) {
                (Some(model), _) => model.clone(),
                (None, Some(canonical)) => canonical.name.clone(),
                (None, None) => {
                    own(table).unwrap_or_else(|| free(format!("stg_{}", text::slug(table))))
                }
            };
            names.tables.insert(table.to_lowercase(), model);
        }
        names
    }

    fn of_dataset(&self, dataset: &str) -> String {
        self.datasets.get(dataset).cloned().unwrap_or_default()
    }

    fn of_table(&self, registry: &Registry, table: &str) -> String {
        let dataset = closure::dataset_of(registry, table);
        let of_dataset = dataset.and_then(|name| self.datasets.get(name));
        let model = of_dataset.or_else(|| self.tables.get(&table.to_lowercase()));
        model.cloned().unwrap_or_default()
    }
}

fn models(
    registry: &Registry,
    wanted: &Wanted<'_>,
    closure: &Closure,
    names: &Names,
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
                    format!(
                        "{{{{ ref({}) }}}}",
                        text::quoted(&names.of_table(registry, table))
                    )
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
        let model = names.of_dataset(name);
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
        let name = names.of_table(registry, table);
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
