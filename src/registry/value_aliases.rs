//! Other names of a dimension's values, for questions in plain words.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::diagnostic::Sink;
use super::read::{Many, Named};
use super::yaml::Text;
use crate::model::alike::fold;

/// The aliases of each value; one that would mean two values is reported and left out.
pub(crate) fn value_aliases(
    raw: &Named<Many<Text>>,
    dimension: &Text,
    pii: bool,
    sink: &mut Sink,
) -> IndexMap<String, Vec<String>> {
    if let Some(first) = raw.0.first().filter(|_| pii) {
        let message = format!(
            "'{}' is personal data: its values have no aliases",
            dimension.value
        );
        sink.error(
            "invalid_value",
            first.name.place,
            &first.name.value,
            message,
            Some("leave them out".to_owned()),
        );
        return IndexMap::new();
    }
    let values = raw
        .0
        .iter()
        .map(|entry| (fold(&entry.name.value), &entry.name));
    let mut taken: HashMap<String, &Text> = values.collect();
    let mut aliases: IndexMap<String, Vec<String>> = IndexMap::new();
    for entry in &raw.0 {
        let value = &entry.name;
        for alias in entry.value.iter().flat_map(|aliases| &aliases.0) {
            let folded = fold(&alias.value);
            let problem = match taken.get(&folded) {
                _ if folded.is_empty() => Some(format!("'{}' is no alias", alias.value)),
                Some(other) if other.value != value.value => Some(format!(
                    "'{}' already means '{}' (line {})",
                    alias.value, other.value, other.place.line
                )),
                _ => None,
            };
            if let Some(message) = problem {
                sink.error("alias_clash", alias.place, &alias.value, message, None);
                continue;
            }
            taken.insert(folded, value);
            aliases
                .entry(value.value.clone())
                .or_default()
                .push(alias.value.clone());
        }
    }
    aliases
}
