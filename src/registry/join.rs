//! Builds many-to-one joins, which land on the key of another dataset.

use super::dataset::check_column;
use super::diagnostic::Sink;
use super::raw::RawJoin;
use super::read::{Entry, MapOr, Named};
use super::scope::Scope;
use super::words::{check_name, texts};
use super::yaml::Text;
use crate::model::{Dataset, Dimension, Join};

/// The join an entry of `joins:` describes; its dataset and the other one are in scope.
pub(crate) fn join(
    entry: &Entry<RawJoin>,
    dataset: &Dataset,
    scope: Scope,
    sink: &mut Sink,
) -> Option<Join> {
    let (name, raw) = (&entry.name, entry.value.as_ref()?);
    if entry.errors > 0 {
        return None;
    }
    let before = sink.errors();
    check_name("join", name, sink);
    // The column that a join goes by may have its name: `buyer` beside `buyer.segment`.
    let is_its_column = |dimension: &Dimension| {
        let columns = match &raw.on {
            Some(MapOr::Short(columns)) => texts(columns),
            Some(MapOr::Map(pairs)) => pairs.0.iter().map(|pair| pair.name.value.clone()).collect(),
            None => Vec::new(),
        };
        columns.first() == dimension.column.as_ref()
    };
    if dataset
        .dimensions
        .get(&name.value)
        .is_some_and(|dimension| !is_its_column(dimension))
    {
        let message = format!(
            "'{}' is already a dimension of {}",
            name.value, dataset.name
        );
        sink.error(
            "duplicate_name",
            name.place,
            &name.value,
            message,
            Some("rename the join or the dimension".to_owned()),
        );
    }
    let (Some(to), Some(on)) = (&raw.to, &raw.on) else {
        let message = format!(
            "join '{}' needs to (a dataset) and on (a column)",
            name.value
        );
        sink.error(
            "missing_key",
            name.place,
            &name.value,
            message,
            Some("write {to: users, on: user_id}".to_owned()),
        );
        return None;
    };
    let target = scope.dataset(to, sink)?;
    let key = target.key.join(", ");
    if target.key.is_empty() {
        let message = format!(
            "a join must land on the key of {}, which declares none",
            target.name
        );
        let hint = Some(format!("give {} a key", target.name));
        sink.error("join_key", to.place, &to.value, message, hint);
        return None;
    }
    let on = match on {
        MapOr::Short(columns) => {
            if columns.0.len() != target.key.len() {
                let message = format!(
                    "a join must land on the key of {} ({key}): {} needed here",
                    target.name,
                    columns_needed(target.key.len())
                );
                let place = columns.0.first().map_or(name.place, |column| column.place);
                sink.error("join_key", place, &texts(columns).join(", "), message, None);
            }
            columns
                .0
                .iter()
                .for_each(|column| check_column(column, sink));
            texts(columns)
                .into_iter()
                .zip(target.key.iter().cloned())
                .collect()
        }
        MapOr::Map(pairs) => pairs_in_key_order(pairs, target, sink),
    };
    (sink.errors() == before).then(|| Join {
        name: name.value.clone(),
        place: name.place,
        to: to.value.clone(),
        on,
    })
}

/// Whether a join onto rows that hold for a time has a time to choose one by. All joins are in scope.
pub(crate) fn has_time_to_choose_by(
    entry: &Entry<RawJoin>,
    dataset: &Dataset,
    scope: Scope,
    sink: &mut Sink,
) -> bool {
    let to = entry.value.as_ref().and_then(|raw| raw.to.as_ref());
    let Some((to, target)) = to.and_then(|to| Some((to, scope.datasets.get(&to.value)?))) else {
        return true;
    };
    if target.valid.is_none() || scope.is_reached_with_time(dataset) {
        return true;
    }
    let message = format!(
        "the rows of {} hold for a time, and {} has none to choose one by",
        target.name, dataset.name
    );
    let hint = Some(format!("give {} a time", dataset.name));
    sink.error("time", to.place, &to.value, message, hint);
    false
}

fn columns_needed(n: usize) -> String {
    if n == 1 {
        "one column is".to_owned()
    } else {
        format!("{n} columns are")
    }
}

fn pairs_in_key_order(
    pairs: &Named<Text>,
    target: &Dataset,
    sink: &mut Sink,
) -> Vec<(String, String)> {
    let key = target.key.join(", ");
    let before = sink.errors();
    for entry in &pairs.0 {
        check_column(&entry.name, sink);
        if let Some(remote) = &entry.value
            && !target.key.contains(&remote.value)
        {
            let target = &target.name;
            let message = format!(
                "a join must land on the key of {target} ({key}); '{}' is not its key",
                remote.value
            );
            sink.error("join_key", remote.place, &remote.value, message, None);
        }
    }
    let mut found = Vec::new();
    for column in &target.key {
        let is_here = |entry: &&Entry<Text>| {
            entry
                .value
                .as_ref()
                .is_some_and(|remote| remote.value == *column)
        };
        let mut here = pairs.0.iter().filter(is_here);
        match (here.next(), here.next()) {
            (Some(one), None) => found.push((one.name.value.clone(), column.clone())),
            (Some(_), Some(second)) => {
                let message = format!("'{column}' of {} stands twice in this join", target.name);
                sink.error(
                    "join_key",
                    second.name.place,
                    &second.name.value,
                    message,
                    Some("each column of the key is joined once".to_owned()),
                );
            }
            (None, _) => {}
        }
    }
    if let Some(first) = pairs.0.first()
        && found.len() < target.key.len()
        && sink.errors() == before
    {
        let message = format!(
            "a join must land on the whole key of {} ({key})",
            target.name
        );
        sink.error(
            "join_key",
            first.name.place,
            &first.name.value,
            message,
            None,
        );
    }
    found
}
