//! What depends on what: from the sources of canonical datasets over tables, datasets and metrics to saved queries and what is made elsewhere.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;
use sqlparser::ast::Visit;
use sqlparser::parser::Parser;

use super::sql::Names;
use crate::model::{
    CanonicalOf, Dialect, Filter, MetricKind, MetricQuery, Registry, Relation, Status,
};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A table that a canonical dataset is made from.
    Source,
    /// A table of the warehouse.
    Table,
    /// A dataset of the project.
    Dataset,
    /// A metric.
    Metric,
    /// A saved query.
    View,
    /// Something outside of the project.
    Downstream,
}

impl NodeKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Table => "table",
            Self::Dataset => "dataset",
            Self::Metric => "metric",
            Self::View => "saved query",
            Self::Downstream => "downstream",
        }
    }

    /// The word that means the thing of this kind and name, and no other: `dataset:orders`.
    pub fn of(self, name: &str) -> String {
        format!("{}:{name}", self.key())
    }

    /// What stands before a name to say which kind is meant.
    fn key(self) -> &'static str {
        match self {
            Self::View => "view",
            other => other.word(),
        }
    }
}

/// One thing that depends on others, or that others depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its name.
    pub name: String,
    /// Its name for people, where it has another one.
    pub label: Option<String>,
    /// The canonical dataset that it is.
    pub canonical: Option<String>,
    /// How far a metric, or a canonical dataset, is agreed on.
    pub status: Option<Status>,
    /// Where it is defined, as `file:line`; empty where it is not.
    pub at: String,
}

impl Node {
    /// In one line: `orders  dataset · fct_orders, certified`.
    pub fn line(&self) -> String {
        let mut line = format!("{}  {}", self.name, self.kind.word());
        let canonical = self.canonical.as_ref().filter(|one| **one != self.name);
        let facts = [
            canonical.map(|one| format!("canonical as {one}")),
            (self.canonical.is_some() && canonical.is_none()).then(|| "canonical".to_owned()),
            self.status
                .filter(|status| *status != Status::Published || self.canonical.is_some())
                .map(|status| status.word().to_owned()),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        if !facts.is_empty() {
            line.push_str(&format!(" · {}", facts.join(", ")));
        }
        line
    }
}

/// Everything that depends on something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// The nodes; what others are made from stands before them only by chance.
    pub nodes: Vec<Node>,
    /// Pairs of indexes: the second is made from the first.
    pub edges: BTreeSet<(usize, usize)>,
    /// The same pairs, the other way round.
    back: BTreeSet<(usize, usize)>,
    at: HashMap<(NodeKind, String), usize>,
}

/// A node with what stands behind it in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Index of the node.
    pub node: usize,
    /// What it is made from, or what is made from it.
    pub branches: Vec<Branch>,
    /// What stands behind it is shown at an earlier place.
    pub is_repeated: bool,
}

/// Which way a tree goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what it is made from.
    Up,
    /// To what is made from it.
    Down,
}

impl Graph {
    /// The lineage of a registry.
    pub fn new(registry: &Registry) -> Self {
        let mut graph = Self::default();
        for dataset in registry.datasets.values() {
            let canonical = registry.canonical_of(&dataset.name);
            let node = graph.add(Node {
                kind: NodeKind::Dataset,
                name: dataset.name.clone(),
                label: (dataset.label != dataset.name).then(|| dataset.label.clone()),
                canonical: canonical.map(|one| one.name.clone()),
                status: canonical.map(|one| one.status),
                at: registry.at(dataset.place),
            });
            let tables = match &dataset.relation {
                // What an analysis reads are metrics.
                _ if registry.analyses.contains_key(&dataset.name) => Vec::new(),
                Relation::Table(table) => vec![table.clone()],
                Relation::Sql(sql) => tables_in(sql),
            };
            for table in tables {
                let table = graph.table(registry, &table);
                graph.link(table, node);
            }
        }
        for metric in registry.metrics.values() {
            graph.add(Node {
                kind: NodeKind::Metric,
                name: metric.name.clone(),
                label: (metric.label != metric.name).then(|| metric.label.clone()),
                canonical: None,
                status: Some(metric.status),
                at: registry.at(metric.place),
            });
        }
        for metric in registry.metrics.values() {
            graph.metric(registry, &metric.name);
        }
        for analysis in registry.analyses.values() {
            let Some(node) = graph.find(NodeKind::Dataset, &analysis.name) else {
                continue;
            };
            for read in &analysis.of {
                graph.join((NodeKind::Metric, read), node);
            }
        }
        for view in registry.views.values() {
            let node = graph.add(Node {
                kind: NodeKind::View,
                name: view.name.clone(),
                label: None,
                canonical: None,
                status: None,
                at: registry.at(view.place),
            });
            for metric in metrics_of(&view.query, registry) {
                graph.join((NodeKind::Metric, &metric), node);
            }
        }
        for one in registry.canonical.values() {
            let node = match &one.of {
                CanonicalOf::Table(table) => graph.table(registry, table),
                CanonicalOf::Dataset(dataset) => match graph.find(NodeKind::Dataset, dataset) {
                    Some(node) => node,
                    None => continue,
                },
            };
            // What a dataset is made from is what its table is made from.
            let from = one
                .table(registry)
                .and_then(|table| graph.find(NodeKind::Table, table));
            let made = from.unwrap_or(node);
            for source in &one.lineage.sources {
                let known = graph.find(NodeKind::Table, source);
                let source = known.unwrap_or_else(|| graph.named(NodeKind::Source, source));
                if source != made {
                    graph.link(source, made);
                }
            }
            for downstream in &one.lineage.downstream {
                let downstream = graph.named(NodeKind::Downstream, downstream);
                graph.link(node, downstream);
            }
        }
        graph
    }

    fn metric(&mut self, registry: &Registry, name: &str) {
        let (Some(metric), Some(node)) = (
            registry.metrics.get(name),
            self.find(NodeKind::Metric, name),
        ) else {
            return;
        };
        for source in metric.kind.sources() {
            for measure in &source.measures {
                self.join((NodeKind::Dataset, &measure.dataset), node);
            }
        }
        for input in metric.kind.inputs() {
            self.join((NodeKind::Metric, input), node);
        }
        if let MetricKind::Complex { tables, facets, .. } = &metric.kind {
            if let Some(facets) = facets {
                self.join((NodeKind::Dataset, &facets.dataset), node);
            } else {
                for table in tables {
                    let table = self.table(registry, table);
                    self.link(table, node);
                }
            }
        }
    }

    fn join(&mut self, (kind, name): (NodeKind, &str), node: usize) {
        if let Some(from) = self.find(kind, name) {
            self.link(from, node);
        }
    }

    /// The second is made from the first.
    fn link(&mut self, from: usize, to: usize) {
        self.edges.insert((from, to));
        self.back.insert((to, from));
    }

    fn add(&mut self, node: Node) -> usize {
        let at = self.nodes.len();
        self.at.insert((node.kind, node.name.clone()), at);
        self.nodes.push(node);
        at
    }

    fn table(&mut self, registry: &Registry, table: &str) -> usize {
        if let Some(known) = self.find(NodeKind::Table, table) {
            return known;
        }
        let mut canonical = registry.canonical.values();
        let canonical =
            canonical.find(|one| matches!(&one.of, CanonicalOf::Table(of) if of == table));
        self.add(Node {
            kind: NodeKind::Table,
            name: table.to_owned(),
            label: None,
            canonical: canonical.map(|one| one.name.clone()),
            status: canonical.map(|one| one.status),
            at: canonical.map_or_else(String::new, |one| registry.at(one.place)),
        })
    }

    fn named(&mut self, kind: NodeKind, name: &str) -> usize {
        self.find(kind, name).unwrap_or_else(|| {
            self.add(Node {
                kind,
                name: name.to_owned(),
                label: None,
                canonical: None,
                status: None,
                at: String::new(),
            })
        })
    }

    /// The node of a kind and a name.
    pub fn find(&self, kind: NodeKind, name: &str) -> Option<usize> {
        self.at.get(&(kind, name.to_owned())).copied()
    }

    /// The node that a word means: a metric by its name or alias, then a canonical dataset, a dataset, a table, a saved query, a
    /// source. `dataset:orders` says which.
    pub fn named_by(&self, registry: &Registry, word: &str) -> Option<usize> {
        let kinds = [
            NodeKind::Metric,
            NodeKind::Dataset,
            NodeKind::Table,
            NodeKind::View,
            NodeKind::Source,
            NodeKind::Downstream,
        ];
        if let Some((key, name)) = word.split_once(':')
            && let Some(kind) = kinds.iter().find(|kind| kind.key() == key)
        {
            return self.find(*kind, name);
        }
        if let Some(metric) = registry.metric(word) {
            return self.find(NodeKind::Metric, &metric.name);
        }
        let canonical = |node: &Node| node.canonical.as_deref() == Some(word);
        let mut nodes = self.nodes.iter();
        nodes.position(canonical).or_else(|| {
            let mut kinds = kinds.iter();
            kinds.find_map(|kind| self.find(*kind, word))
        })
    }

    /// What a node leads to in one direction; what was shown before is not shown again.
    pub fn branches(&self, node: usize, direction: Direction) -> Vec<Branch> {
        self.grow(node, direction, &mut HashSet::new())
    }

    /// All of it, from what nothing leads to; what was shown before is not shown again.
    pub fn forest(&self) -> Vec<Branch> {
        let made: HashSet<usize> = self.edges.iter().map(|(_, to)| *to).collect();
        let roots = (0..self.nodes.len()).filter(|node| !made.contains(node));
        let mut shown = HashSet::new();
        let branch = |node| Branch {
            node,
            branches: self.grow(node, Direction::Down, &mut shown),
            is_repeated: false,
        };
        roots.map(branch).collect()
    }

    fn grow(&self, node: usize, direction: Direction, shown: &mut HashSet<usize>) -> Vec<Branch> {
        self.beside(node, direction)
            .into_iter()
            .map(|next| {
                let is_new = shown.insert(next);
                let branches = match is_new {
                    true => self.grow(next, direction, shown),
                    false => Vec::new(),
                };
                Branch {
                    node: next,
                    is_repeated: !is_new && !self.beside(next, direction).is_empty(),
                    branches,
                }
            })
            .collect()
    }

    /// The nodes next to a node in one direction.
    pub fn beside(&self, node: usize, direction: Direction) -> Vec<usize> {
        let edges = match direction {
            Direction::Up => &self.back,
            Direction::Down => &self.edges,
        };
        let next = edges.range((node, 0)..=(node, usize::MAX));
        next.map(|(_, other)| *other).collect()
    }

    /// A node, all that it is made from and all that is made from it, the nearest first.
    pub fn reached(&self, node: usize) -> Vec<usize> {
        let mut reached = vec![(0, node)];
        let mut seen = HashSet::from([node]);
        for direction in [Direction::Up, Direction::Down] {
            let (mut far, mut next) = (1, self.beside(node, direction));
            while !next.is_empty() {
                next.retain(|one| seen.insert(*one));
                reached.extend(next.iter().map(|one| (far, *one)));
                next = next
                    .iter()
                    .flat_map(|one| self.beside(*one, direction))
                    .collect();
                far += 1;
            }
        }
        reached.sort_by_key(|(far, _)| *far);
        reached.into_iter().map(|(_, node)| node).collect()
    }

    /// The part of it that a node is made from, and that is made from it.
    pub fn around(&self, node: usize) -> Self {
        let kept: BTreeSet<usize> = self.reached(node).into_iter().collect();
        let mut part = Self::default();
        let mut place = HashMap::new();
        for node in kept {
            if let Some(known) = self.nodes.get(node) {
                place.insert(node, part.add(known.clone()));
            }
        }
        for (from, to) in &self.edges {
            if let (Some(from), Some(to)) = (place.get(from), place.get(to)) {
                part.link(*from, *to);
            }
        }
        part
    }

    /// As a graph for Graphviz.
    pub fn dot(&self) -> String {
        let mut text = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n");
        for (at, node) in self.nodes.iter().enumerate() {
            let quoted = |text: &str| {
                let text = text.replace('\\', "\\\\").replace('"', "\\\"");
                text.replace(['\n', '\r'], " ")
            };
            let shape = match node.kind {
                NodeKind::Metric => ", style=rounded",
                NodeKind::Source | NodeKind::Table => ", shape=cylinder",
                _ => "",
            };
            let (name, facts) = (quoted(&node.name), quoted(&node.facts()));
            text.push_str(&format!("  n{at} [label=\"{name}\\n{facts}\"{shape}];\n"));
        }
        for (from, to) in &self.edges {
            text.push_str(&format!("  n{from} -> n{to};\n"));
        }
        text.push_str("}\n");
        text
    }

    /// As a flowchart for Mermaid.
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (at, node) in self.nodes.iter().enumerate() {
            let plain = |text: &str| text.chars().map(entity).collect::<String>();
            let (name, facts) = (plain(&node.name), plain(&node.facts()));
            let (open, close) = match node.kind {
                NodeKind::Metric => ("(", ")"),
                NodeKind::Source | NodeKind::Table => ("[(", ")]"),
                _ => ("[", "]"),
            };
            text.push_str(&format!("  n{at}{open}\"{name}<br/>{facts}\"{close}\n"));
        }
        for (from, to) in &self.edges {
            text.push_str(&format!("  n{from} --> n{to}\n"));
        }
        text
    }
}

impl Node {
    /// What is said beside its name.
    fn facts(&self) -> String {
        let line = self.line();
        line.get(self.name.len()..)
            .unwrap_or_default()
            .trim()
            .to_owned()
    }
}

/// The metrics that a saved query names.
fn metrics_of(query: &MetricQuery, registry: &Registry) -> Vec<String> {
    let per = query.filters.iter().flat_map(Filter::fields);
    let per = per.filter_map(Filter::per).map(|(metric, _)| metric);
    let names = query.metrics.iter().map(String::as_str).chain(per);
    let mut metrics: Vec<String> = Vec::new();
    for metric in names.filter_map(|name| registry.metric(name)) {
        if !metrics.contains(&metric.name) {
            metrics.push(metric.name.clone());
        }
    }
    metrics
}

/// A letter as Mermaid shows it: those that mean something in its labels by their number.
fn entity(c: char) -> String {
    match c {
        '"' | '#' | ';' | '<' | '>' | '&' | '`' | '\\' => format!("#{};", u32::from(c)),
        c if c.is_control() => " ".to_owned(),
        c => c.to_string(),
    }
}

/// The tables that a query reads, without its CTEs; it is written for the engine that can read it.
fn tables_in(sql: &str) -> Vec<String> {
    let parsed = Dialect::ALL.into_iter().find_map(|dialect| {
        let mut parser = Parser::new(dialect.parser()).try_with_sql(sql).ok()?;
        parser.parse_query().ok()
    });
    let mut names = Names::default();
    if let Some(query) = parsed {
        let _ = query.visit(&mut names);
    }
    let mut tables: Vec<String> = Vec::new();
    for name in &names.relations {
        let parts = name.0.iter().filter_map(|part| part.as_ident());
        let parts: Vec<&str> = parts.map(|part| part.value.as_str()).collect();
        let table = parts.join(".");
        let is_cte = names.ctes.contains(&table.to_lowercase());
        if !table.is_empty() && !is_cte && !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
}
