//! What differs between two definitions of a dataset, as far as metrics over it notice.

use super::{Difference, Differences, Touches, written};
use crate::model::{Dataset, Dimension, Join, Relation};

pub(super) fn differences(before: &Dataset, after: &Dataset) -> Vec<Difference> {
    let mut found = Differences::default();
    let numbers = Touches::Numbers;
    match (&before.relation, &after.relation) {
        (Relation::Table(was), Relation::Table(is)) => found.was(numbers, "the table", was, is),
        (Relation::Sql(was), Relation::Sql(is)) if was == is => {}
        (Relation::Sql(_), Relation::Sql(_)) => found.add(numbers, "its SQL is another"),
        (Relation::Table(was), Relation::Sql(_)) => {
            found.add(numbers, format!("reads SQL, no longer the table {was}"));
        }
        (Relation::Sql(_), Relation::Table(is)) => {
            found.add(numbers, format!("reads the table {is}, no longer SQL"));
        }
    }
    let option = |text: &Option<String>| text.clone().unwrap_or_default();
    let (was, is) = (option(&before.time), option(&after.time));
    found.was(numbers, "the time", &was, &is);
    let (was, is) = (option(&before.stored_in), option(&after.stored_in));
    found.was(numbers, "the time zone it is stored in", &was, &is);
    let (was, is) = (option(&before.partition), option(&after.partition));
    found.was(numbers, "the partition", &was, &is);
    let (was, is) = (before.key.join(", "), after.key.join(", "));
    found.was(numbers, "the key", &was, &is);
    let valid = |dataset: &Dataset| {
        let valid = dataset.valid.as_ref();
        let valid = valid.map(|valid| format!("from {} to {}", valid.from, valid.to));
        valid.unwrap_or_default()
    };
    found.was(numbers, "when a row holds", &valid(before), &valid(after));
    joins(before, after, &mut found);
    dimensions(before, after, &mut found);
    found.0
}

fn joins(before: &Dataset, after: &Dataset, found: &mut Differences) {
    for new in after.joins.values() {
        match before.joins.get(&new.name) {
            Some(old) => {
                let what = format!("the join {}", new.name);
                found.was(Touches::Numbers, &what, &join(old), &join(new));
            }
            None => found.add(
                Touches::Words,
                format!("also joins {} as {}", new.to, new.name),
            ),
        }
    }
    let has_gone = |old: &&Join| !after.joins.contains_key(&old.name);
    for gone in before.joins.values().filter(has_gone) {
        let text = format!("no longer joins {} as {}", gone.to, gone.name);
        found.add(Touches::Numbers, text);
    }
}

fn join(join: &Join) -> String {
    let on = join.on.iter();
    let on: Vec<_> = on
        .map(|(here, there)| format!("{here} = {there}"))
        .collect();
    format!("{} on {}", join.to, on.join(" and "))
}

fn dimensions(before: &Dataset, after: &Dataset, found: &mut Differences) {
    for new in after.dimensions.values() {
        let Some(old) = before.dimensions.get(&new.name) else {
            found.add(Touches::Words, format!("has a dimension {}", new.name));
            continue;
        };
        let what = format!("the dimension {}", new.name);
        found.was(Touches::Numbers, &what, &meaning(old), &meaning(new));
        let called = format!("{what} is also called");
        let no_longer = format!("{what} is no longer called");
        let words = (called.as_str(), no_longer.as_str());
        found.lists(Touches::Words, &old.aliases, &new.aliases, words);
        found.lists(
            Touches::Words,
            &value_aliases(old),
            &value_aliases(new),
            words,
        );
    }
    let has_gone = |old: &&Dimension| !after.dimensions.contains_key(&old.name);
    for gone in before.dimensions.values().filter(has_gone) {
        found.add(
            Touches::Numbers,
            format!("no longer has a dimension {}", gone.name),
        );
    }
}

/// Other names of values: `iPhone for ios`.
fn value_aliases(dimension: &Dimension) -> Vec<String> {
    let aliases = dimension.value_aliases.iter();
    let each = aliases.flat_map(|(value, aliases)| {
        let aliases = aliases.iter();
        aliases.map(move |alias| format!("{alias} for its value {value}"))
    });
    each.collect()
}

fn meaning(dimension: &Dimension) -> String {
    let kind = serde_json::to_value(dimension.kind).unwrap_or_default();
    let kind = kind.as_str().unwrap_or_default();
    match &dimension.of_metric {
        Some(of) => format!("{} per {} ({kind})", of.metric, of.per),
        None => format!("{} ({kind})", written(&dimension.expr)),
    }
}
