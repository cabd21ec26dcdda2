//! Views and explores as they are in the end: with their refinements (`+orders`) and with what they extend.

use indexmap::IndexMap;

use crate::exchange::Notes;
use crate::exchange::source::Look;
use crate::registry::yaml::{Node, Text};

/// The values of a key, which may stand several times.
pub(super) fn all<'a>(node: &'a Node, key: &str) -> Vec<&'a Node> {
    match node {
        Node::Map(_, entries) => entries
            .iter()
            .filter(|(known, _)| known.value == key)
            .map(|(_, value)| value)
            .collect(),
        _ => Vec::new(),
    }
}

/// The name of a block, or the word that a node is.
pub(super) fn name_of(node: &Node) -> String {
    let name = node.text_of("name");
    name.or_else(|| node.text().map(str::to_owned))
        .unwrap_or_default()
}

/// The blocks of a kind (`view`, `explore`) by name, each put together of all that is said about it.
pub(super) fn resolved(files: &[Node], kind: &str, notes: &mut Notes) -> IndexMap<String, Node> {
    let mut own: IndexMap<String, Node> = IndexMap::new();
    let blocks = files.iter().flat_map(|file| all(file, kind));
    let is_refinement = |node: &&Node| name_of(node).starts_with('+');
    let (refinements, blocks): (Vec<&Node>, Vec<&Node>) = blocks.partition(is_refinement);
    for node in blocks {
        let name = name_of(node);
        match own.get_mut(&name) {
            None => drop(own.insert(name, node.clone())),
            Some(known) => {
                let text = format!("the {kind} {name} is there twice; both are put together");
                notes.add(node.place(), text);
                refine(known, node);
            }
        }
    }
    for node in refinements {
        let name = name_of(node);
        match own.get_mut(name.trim_start_matches('+')) {
            Some(known) => refine(known, node),
            None => {
                let text = format!("{name} is left out: there is no {kind} of the name");
                notes.add(node.place(), text);
            }
        }
    }
    let names: Vec<String> = own.keys().cloned().collect();
    let whole = names.into_iter().map(|name| {
        let node = extended(&own, &name, kind, &mut vec![name.clone()], notes);
        (name, node)
    });
    whole.collect()
}

/// A block over the blocks that it extends, the last of which has the last word.
fn extended(
    own: &IndexMap<String, Node>,
    name: &str,
    kind: &str,
    stack: &mut Vec<String>,
    notes: &mut Notes,
) -> Node {
    let Some(node) = own.get(name) else {
        return Node::Map(Default::default(), Vec::new());
    };
    let mut whole = Node::Map(node.place(), Vec::new());
    let bases = all(node, "extends")
        .into_iter()
        .chain(all(node, "extends__all"));
    for base in bases.flat_map(Look::items) {
        let of = name_of(base);
        let reason = match (own.contains_key(&of), stack.contains(&of)) {
            (true, false) => None,
            (true, true) => Some("extends itself".to_owned()),
            (false, _) => Some(format!("extends {of}, which is not there")),
        };
        match reason {
            Some(reason) => notes.add(base.place(), format!("the {kind} {name} {reason}")),
            None => {
                stack.push(of.clone());
                let mut base = extended(own, &of, kind, stack, notes);
                stack.pop();
                if let Node::Map(_, entries) = &mut base {
                    entries.retain(|(key, _)| !["name", "extension"].contains(&key.value.as_str()));
                }
                refine(&mut whole, &base);
            }
        }
    }
    refine(&mut whole, node);
    whole
}

/// Puts a block over another one: named blocks of one kind and name become one, every other key is that of the later.
fn refine(known: &mut Node, later: &Node) {
    let (Node::Map(_, known), Node::Map(_, later)) = (known, later) else {
        return;
    };
    let is_named = |node: &Node| matches!(node, Node::Map(..)) && node.get("name").is_some();
    let is_replaced = |key: &str| {
        let mut later = later.iter();
        later.any(|(other, value)| other.value == key && key != "name" && !is_named(value))
    };
    known.retain(|(key, _)| !is_replaced(&key.value));
    for (key, value) in later {
        let is_name = key.value == "name";
        let same = |(other, node): &&mut (Text, Node)| {
            let is_one = is_name || is_named(value) && name_of(node) == name_of(value);
            other.value == key.value && is_one
        };
        match known.iter_mut().find(same) {
            Some(_) if is_name => {}
            Some((_, node)) => refine(node, value),
            None => known.push((key.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::exchange::lookml::parse::parse;
    use crate::model::FileId;

    #[test]
    fn refinements_change_what_they_name_and_no_more() {
        let text = "view: base { extension: required dimension: a { sql: x ;; } }
            view: orders { extends: [base] measure: n { type: count filters: [a: \"1\"] } }
            view: +orders {
              dimension: a { label: \"A\" }
              measure: n { filters: [a: \"2\"] }
              dimension: b {}
            }
            view: loop { extends: [loop] }";
        let file = parse(FileId(0), text).unwrap();
        let mut notes = Notes::default();
        let views = resolved(&[file], "view", &mut notes);
        let orders = views.get("orders").unwrap();
        assert_eq!(orders.text_of("name").unwrap(), "orders");
        let dimensions = all(orders, "dimension");
        let names: Vec<String> = dimensions.iter().map(|one| name_of(one)).collect();
        assert_eq!(names, ["a", "b"]);
        let first = dimensions.first().unwrap();
        assert_eq!(first.text_of("sql").unwrap(), "x");
        assert_eq!(first.text_of("label").unwrap(), "A");
        let measure = orders.get("measure").unwrap();
        let filters = measure.items_of("filters");
        assert_eq!(filters.len(), 1);
        assert_eq!(filters.first().unwrap().text_of("a").unwrap(), "2");
        assert!(orders.get("extension").is_none());
        let notes: Vec<String> = notes
            .into_list()
            .iter()
            .map(|one| one.text.clone())
            .collect();
        assert_eq!(notes, ["the view loop extends itself"]);
    }
}
