//! The graph of use for other programs: whatever people type into it, each form is read back as what it was.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/used.rs"]
mod used;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use metrex::usage::graph::export::{GraphForm, write};
use metrex::usage::graph::{EdgeKind, NodeKind, Subgraph, Thing};
use metrex::usage::{FilterFact, Usage};
use resvg::usvg::roxmltree;
use used::record;

/// What somebody may have typed, or a file may hold.
const HOSTILE: [&str; 12] = [
    "plain",
    "O'Brien \"the\" <b>&amp;</b> ]]>",
    "back\\slash\\",
    "\\",
    "two\nlines\r\nand\ttabs",
    "}) DETACH DELETE (n) //",
    "\u{1b}[2J\u{0}\u{7}\u{fffe}",
    "'; MATCH (n) DELETE n; //",
    "`tick` ${x} %41",
    "line\u{2028}separator \u{85}",
    "Ünïcode 🦀 ไทย",
    "\" -> \"x",
];

fn graph() -> Subgraph {
    let folder = tempfile::tempdir().unwrap();
    let usage = Usage::open(&folder.path().join("usage.db")).unwrap();
    for (at, text) in HOSTILE.iter().enumerate() {
        let mut asked = record(
            &format!("gmv where note = {text}"),
            date(2025, 11, 20),
            at as i64,
            |facts| {
                facts.metrics = vec!["gmv".to_owned(), "orders".to_owned()];
                facts.filters = vec![FilterFact {
                    on: "note".to_owned(),
                    op: "=".to_owned(),
                    values: vec![(*text).to_owned()],
                }];
                facts.derives = vec![("gmv".to_owned(), "orders".to_owned())];
            },
        );
        asked.user = format!("user {text}");
        usage.record(asked);
    }
    usage.flush();
    let never = Thing::new(NodeKind::Metric, "never asked");
    let of = vec![(
        EdgeKind::ComputedFrom,
        Thing::new(NodeKind::Table, "orders"),
    )];
    usage.whole_graph().unwrap().with_defined(&[(never, of)])
}

fn text(graph: &Subgraph, form: GraphForm) -> String {
    let mut text = Vec::new();
    write(graph, form, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// XML has no way to write these; they are shown as unknown.
fn as_xml_can(text: &str) -> String {
    let lost = |c: char| (c < ' ' && !matches!(c, '\n' | '\r' | '\t')) || c == '\u{fffe}';
    text.chars()
        .map(|c| if lost(c) { '\u{fffd}' } else { c })
        .collect()
}

#[test]
fn graphml_is_read_back_by_an_xml_parser() {
    let graph = graph();
    let text = text(&graph, GraphForm::Graphml);
    let document = roxmltree::Document::parse(&text).unwrap();
    let elements = |name: &'static str| {
        document
            .descendants()
            .filter(move |node| node.has_tag_name(("http://graphml.graphdrawing.org/xmlns", name)))
    };
    let declared: BTreeSet<&str> = elements("key")
        .map(|key| key.attribute("id").unwrap())
        .collect();
    let data = |node: roxmltree::Node<'_, '_>, key: &str| {
        let mut data = node
            .children()
            .filter(|data| data.has_tag_name("data") || data.is_element());
        data.find(|data| data.attribute("key") == Some(key))
            .and_then(|data| data.text().map(str::to_owned))
    };
    let nodes: Vec<_> = elements("node").collect();
    assert_eq!(nodes.len(), graph.vertices.len());
    for (node, vertex) in nodes.iter().zip(&graph.vertices) {
        assert_eq!(data(*node, "key").unwrap(), as_xml_can(&vertex.thing.key));
        assert_eq!(data(*node, "label").unwrap(), as_xml_can(&vertex.label));
        assert_eq!(data(*node, "kind").unwrap(), vertex.thing.kind.word());
    }
    let ids: BTreeSet<&str> = nodes
        .iter()
        .map(|node| node.attribute("id").unwrap())
        .collect();
    let edges: Vec<_> = elements("edge").collect();
    assert_eq!(edges.len(), graph.edges.len());
    for (element, edge) in edges.iter().zip(&graph.edges) {
        assert!(ids.contains(element.attribute("source").unwrap()));
        assert!(ids.contains(element.attribute("target").unwrap()));
        assert_eq!(data(*element, "runs").unwrap(), edge.used.runs.to_string());
        assert_eq!(data(*element, "says").unwrap(), edge.kind.word());
    }
    assert!(elements("data").all(|data| declared.contains(data.attribute("key").unwrap())));
}

/// The statements of a DOT file: the words of each, with quoted ones read back; panics where a text is not closed.
fn dot_statements(text: &str) -> Vec<Vec<String>> {
    let (mut statements, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            '"' => {
                let mut quoted = String::new();
                loop {
                    match letters.next().expect("a text that is not closed") {
                        '"' => break,
                        '\\' => match letters.next().unwrap() {
                            'n' => quoted.push('\n'),
                            c @ ('"' | '\\') => quoted.push(c),
                            c => panic!("\\{c} means nothing here"),
                        },
                        c => {
                            assert!(!c.is_control());
                            quoted.push(c);
                        }
                    }
                }
                words.push(quoted);
            }
            ';' | '{' | '}' => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                statements.push(std::mem::take(&mut words));
            }
            c if c.is_whitespace() || matches!(c, '[' | ']' | ',' | '=') => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            }
            c => word.push(c),
        }
    }
    assert!(words.is_empty() && word.is_empty());
    statements
}

#[test]
fn dot_is_statements_of_nodes_and_edges_whatever_labels_hold() {
    let graph = graph();
    let text = text(&graph, GraphForm::Dot);
    let statements = dot_statements(&text);
    let nodes: Vec<_> = statements
        .iter()
        .filter(|words| words.get(1).is_some_and(|word| word == "label"))
        .collect();
    assert_eq!(nodes.len(), graph.vertices.len());
    for (words, vertex) in nodes.iter().zip(&graph.vertices) {
        let plain = |text: &str| {
            text.chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect::<String>()
        };
        let label = words[2].rsplit_once('\n').unwrap().0.trim_end_matches('…');
        assert!(plain(&vertex.label).starts_with(label), "{words:?}");
        assert_eq!(words[4], plain(&vertex.thing.word()));
    }
    let edges = statements
        .iter()
        .filter(|words| words.get(1).is_some_and(|word| word == "->"));
    assert_eq!(edges.count(), graph.edges.len());
    // Where Graphviz is, it has the last word.
    let drawn = std::process::Command::new("dot")
        .args(["-Tcanon"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn();
    if let Ok(mut dot) = drawn {
        std::io::Write::write_all(&mut dot.stdin.take().unwrap(), text.as_bytes()).unwrap();
        assert!(dot.wait().unwrap().success());
    }
}

/// Reads a text in single quotes of Cypher, and what follows it.
fn cypher_text(text: &str) -> (String, &str) {
    let rest = text
        .strip_prefix('\'')
        .unwrap_or_else(|| panic!("no text: {text}"));
    let mut read = String::new();
    let mut letters = rest.char_indices();
    while let Some((at, c)) = letters.next() {
        match c {
            '\'' => return (read, &rest[at + 1..]),
            '\\' => match letters.next().unwrap().1 {
                'n' => read.push('\n'),
                'r' => read.push('\r'),
                't' => read.push('\t'),
                'u' => {
                    let hex: String = (0..4).map(|_| letters.next().unwrap().1).collect();
                    read.push(char::from_u32(u32::from_str_radix(&hex, 16).unwrap()).unwrap());
                }
                c @ ('\\' | '\'') => read.push(c),
                c => panic!("\\{c} means nothing in Cypher"),
            },
            c => read.push(c),
        }
    }
    panic!("a text that is not closed: {text}")
}

/// A node pattern `(n:Metric {key: 'gmv'})`, and what follows it.
fn cypher_node<'t>(text: &'t str, name: &str) -> ((String, String), &'t str) {
    let rest = text
        .strip_prefix(&format!("({name}:"))
        .unwrap_or_else(|| panic!("{text}"));
    let (label, rest) = rest.split_once(" {key: ").unwrap();
    assert!(label.chars().all(char::is_alphanumeric));
    let (key, rest) = cypher_text(rest);
    ((label.to_owned(), key), rest.strip_prefix("})").unwrap())
}

/// `a.x = 'text', a.y = 3, a.z = datetime('…')`, then the end of the statement.
fn cypher_set(mut text: &str, name: &str) -> BTreeMap<String, String> {
    let mut set = BTreeMap::new();
    loop {
        let (fact, rest) = text
            .strip_prefix(&format!("{name}."))
            .unwrap()
            .split_once(" = ")
            .unwrap();
        let (value, rest) = match rest.strip_prefix("datetime(") {
            Some(inside) => {
                let (value, rest) = cypher_text(inside);
                (value, rest.strip_prefix(')').unwrap())
            }
            None if rest.starts_with('\'') => cypher_text(rest),
            None => {
                let end = rest.find([',', ';']).unwrap();
                let _: f64 = rest[..end].parse().unwrap();
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        set.insert(fact.to_owned(), value);
        match rest.strip_prefix(", ") {
            Some(rest) => text = rest,
            None => {
                assert_eq!(rest, ";");
                return set;
            }
        }
    }
}

type Facts = BTreeMap<String, String>;
/// The label and the key of a node.
type Key = (String, String);

/// A store that knows these statements and nothing else.
#[derive(Default, PartialEq, Debug)]
struct Store {
    nodes: BTreeMap<Key, Facts>,
    edges: BTreeMap<(Key, String, Key), Facts>,
}

impl Store {
    fn run(&mut self, statement: &str) {
        if let Some(rest) = statement.strip_prefix("CREATE CONSTRAINT ") {
            assert!(
                rest.contains(" IF NOT EXISTS FOR (n:")
                    && rest.ends_with(") REQUIRE n.key IS UNIQUE;")
            );
        } else if let Some(rest) = statement.strip_prefix("MERGE ") {
            let (node, rest) = cypher_node(rest, "n");
            let set = cypher_set(rest.strip_prefix(" SET ").unwrap(), "n");
            self.nodes.entry(node).or_default().extend(set);
        } else {
            let rest = statement
                .strip_prefix("MATCH ")
                .unwrap_or_else(|| panic!("{statement}"));
            let (from, rest) = cypher_node(rest, "a");
            let (to, rest) = cypher_node(rest.strip_prefix(", ").unwrap(), "b");
            let (kind, rest) = rest
                .strip_prefix(" MERGE (a)-[r:")
                .unwrap()
                .split_once("]->(b) SET ")
                .unwrap();
            assert!(
                self.nodes.contains_key(&from) && self.nodes.contains_key(&to),
                "{statement}"
            );
            let set = cypher_set(rest, "r");
            self.edges
                .entry((from, kind.to_owned(), to))
                .or_default()
                .extend(set);
        }
    }
}

#[test]
fn cypher_run_twice_is_the_same_graph() {
    let graph = graph();
    let text = text(&graph, GraphForm::Cypher);
    let mut store = Store::default();
    text.lines().for_each(|statement| store.run(statement));
    let once = store.nodes.clone();
    assert_eq!(store.nodes.len(), graph.vertices.len());
    assert_eq!(store.edges.len(), graph.edges.len());
    for vertex in &graph.vertices {
        let node = store
            .nodes
            .iter()
            .find(|((_, key), facts)| *key == vertex.thing.key && facts["label"] == vertex.label);
        assert!(node.is_some(), "{vertex:?}");
    }
    text.lines().for_each(|statement| store.run(statement));
    assert_eq!(store.nodes, once);
    assert_eq!(store.edges.len(), graph.edges.len());
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
}

#[test]
fn json_ld_names_every_node_and_means_every_word() {
    let graph = graph();
    let value: serde_json::Value = serde_json::from_str(&text(&graph, GraphForm::Jsonld)).unwrap();
    let context = value["@context"].as_object().unwrap();
    assert_eq!(context["@vocab"], "urn:metrex:usage:");
    assert_eq!(context["from"]["@type"], "@id");
    let all = value["@graph"].as_array().unwrap();
    let (nodes, edges): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.get("@id").is_some());
    assert_eq!(
        (nodes.len(), edges.len()),
        (graph.vertices.len(), graph.edges.len())
    );
    let ids: BTreeSet<&str> = nodes
        .iter()
        .map(|node| node["@id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), nodes.len(), "each has its own");
    let is_iri = |id: &&str| {
        let letters = |c: char| c.is_ascii_alphanumeric() || "-._~:%".contains(c);
        id.starts_with("urn:metrex:") && id.chars().all(letters)
    };
    assert!(ids.iter().all(is_iri), "{ids:?}");
    for (node, vertex) in nodes.iter().zip(&graph.vertices) {
        assert_eq!(node["key"], vertex.thing.key.as_str());
        assert_eq!(node["label"], vertex.label.as_str());
    }
    for edge in &edges {
        assert!(
            ids.contains(edge["from"].as_str().unwrap())
                && ids.contains(edge["to"].as_str().unwrap())
        );
        assert!(edge["runs"].is_u64() && edge["@type"].is_string());
    }
}
