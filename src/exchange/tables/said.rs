//! What a format has no words for: measures that are left out, with all that is made of them, and what people read.

use super::{About, Measure, Style, Table, Tables};
use crate::exchange::Notes;
use crate::model::{Format, FormatKind, Registry};

/// What of [`About`] a format has words for.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::exchange) struct Said {
    pub(in crate::exchange) label: bool,
    pub(in crate::exchange) synonyms: bool,
    pub(in crate::exchange) meta: bool,
    /// The owner, where nothing else of it is.
    pub(in crate::exchange) owner: bool,
    pub(in crate::exchange) percent: bool,
    pub(in crate::exchange) currency: bool,
    pub(in crate::exchange) decimals: bool,
}

impl Said {
    /// The words for what is lost.
    pub(in crate::exchange) fn lost(self, about: &About) -> Vec<String> {
        let Format {
            kind,
            decimals,
            currency,
            unit,
        } = &about.format;
        let format = [
            (FormatKind::Percent, self.percent),
            (FormatKind::Currency, self.currency),
            (FormatKind::Duration, false),
        ];
        let is_format_lost = format.contains(&(*kind, false))
            || decimals.is_some() && !self.decimals
            || currency.is_some() && !self.currency
            || unit.is_some();
        let mut lost = Vec::new();
        let mut add = |is_lost: bool, word: &str| {
            if is_lost {
                lost.push(word.replace('_', " "));
            }
        };
        add(about.label.is_some() && !self.label, "label");
        add(!about.synonyms.is_empty() && !self.synonyms, "other names");
        add(is_format_lost, "format");
        for key in about.meta.keys() {
            let is_said = self.meta || self.owner && key == "owner";
            add(!is_said, key);
        }
        for word in &about.lost {
            add(true, word);
        }
        lost
    }
}

/// The tables and measures of a registry as far as a format holds them, and what of it that format does not.
pub(in crate::exchange) fn held(
    registry: &Registry,
    style: Style,
    said: Said,
    can: impl Fn(&Measure, &Tables) -> Result<(), String>,
) -> (Tables, Notes) {
    let mut notes = Notes::of(registry);
    let mut tables = Tables::of(registry, style, &mut notes);
    if let Some(what) = style.instead_of_queries {
        without_queries(&mut tables, &mut notes, what);
    }
    keep(&mut tables, &mut notes, said, can);
    (tables, notes)
}

/// Leaves out queries, for formats of tables alone, with the joins to them. `what` is what such a query can be made there.
fn without_queries(tables: &mut Tables, notes: &mut Notes, what: &str) {
    let all = std::mem::take(&mut tables.tables).into_iter();
    let (kept, queries): (Vec<Table>, Vec<Table>) = all.partition(|table| table.table().is_some());
    tables.tables = kept;
    for query in &queries {
        let text = format!("{} is a query and no table: make it {what}", query.name);
        notes.add(query.place, text);
        for measure in query.measures.iter().filter(|one| !one.is_hidden) {
            let (name, of) = (&measure.name, &query.name);
            let text = format!("the metric {name} is left out: {of} is a query and no table");
            notes.add(measure.place, text);
        }
    }
    for table in &mut tables.tables {
        let (name, mut gone) = (&table.name, Vec::new());
        table.joins.retain(|join| {
            let is_gone = queries.iter().any(|query| query.name == join.to);
            if is_gone {
                gone.push((join.place, join.name.clone(), join.to.clone()));
            }
            !is_gone
        });
        for (place, join, to) in gone {
            let text = format!("{name}: the join {join} is left out: {to} is a query and no table");
            notes.add(place, text);
        }
    }
}

/// Leaves out measures that a format cannot hold, and what is made of them. Of the rest, what is lost is noted.
fn keep(
    tables: &mut Tables,
    notes: &mut Notes,
    said: Said,
    can: impl Fn(&Measure, &Tables) -> Result<(), String>,
) {
    // Why parts that only other measures are made of are left out.
    let mut parts: Vec<(String, String)> = Vec::new();
    loop {
        let mut found = None;
        for measure in tables.measures() {
            let is_there = |name: &String| tables.measures().any(|one| one.name == *name);
            let missing = measure.inputs().into_iter().find(|name| !is_there(name));
            let reason = match missing {
                Some(name) => Err(match parts.iter().find(|(part, _)| *part == name) {
                    Some((_, reason)) => reason.clone(),
                    None => format!("it is made of {name}, which is left out"),
                }),
                None => can(measure, tables),
            };
            if let Err(reason) = reason {
                let is_part = measure.is_hidden;
                found = Some((measure.place, measure.name.clone(), reason, is_part));
                break;
            }
        }
        let Some((place, name, reason, is_part)) = found else {
            break;
        };
        match is_part {
            true => parts.push((name.clone(), reason)),
            false => notes.add(place, format!("the metric {name} is left out: {reason}")),
        }
        let stays = |measure: &Measure| measure.name != name;
        tables.across.retain(stays);
        for table in &mut tables.tables {
            table.measures.retain(stays);
        }
    }
    drop_unused(tables);
    for measure in tables.measures() {
        note_lost(
            measure.place,
            &measure.name,
            &said.lost(&measure.about),
            notes,
        );
    }
    for table in &tables.tables {
        let (place, name) = (table.place, &table.name);
        note_lost(place, name, &said.lost(&table.about), notes);
        for one in &table.dimensions {
            let name = format!("{name}.{}", one.name);
            note_lost(one.place, &name, &said.lost(&one.about), notes);
        }
    }
}

fn note_lost(place: crate::model::Place, name: &str, lost: &[String], notes: &mut Notes) {
    if !lost.is_empty() {
        notes.add(
            place,
            format!("{name}: {} not carried over", lost.join(", ")),
        );
    }
}

/// Parts of measures that are all left out.
fn drop_unused(tables: &mut Tables) {
    loop {
        let used: Vec<String> = tables.measures().flat_map(Measure::inputs).collect();
        let is_unused = |measure: &Measure| measure.is_hidden && !used.contains(&measure.name);
        if !tables.measures().any(is_unused) {
            return;
        }
        tables.across.retain(|measure| !is_unused(measure));
        for table in &mut tables.tables {
            table.measures.retain(|measure| !is_unused(measure));
        }
    }
}
