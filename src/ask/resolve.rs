//! From a draft to a reading: names as queries over these metrics write them, the query before patched, defaults said.

use std::collections::BTreeSet;

use super::chips::{self, Part};
use super::comparing::Compared;
use super::draft::{Bounds, Condition, Draft, Group, Literal, Rank, Said, Test};
use super::follow_up;
use super::meanings::{is_personal, reached, ways, why_not};
use super::reader::{Read, Reader};
use super::refusing::{ask, dimension as dimension_candidate, no_metric, quoted, refuse};
use super::{Candidate, Meaning, Reading, RefusalCode};
use crate::model::{
    CompareOp, Direction, Filter, Grain, GroupBy, Intent, IntentKind, MetricQuery, OrderBy,
    TimeRange,
};

/// A condition with its field resolved.
pub(super) struct Resolved {
    pub(super) field: String,
    pub(super) filter: Filter,
    pub(super) said: Said<()>,
    pub(super) versus: bool,
}

/// Rows of "top channels" where no number is said.
const TOP: u64 = 10;

/// Resolves everything that was read.
pub(super) fn resolve(reader: &mut Reader<'_>) -> Read<Reading> {
    let setting = reader.setting;
    let draft = std::mem::take(&mut reader.draft);
    let is_follow_up = setting.previous.is_some() && (draft.patch || draft.metrics.is_empty());
    let previous = setting.previous.filter(|_| is_follow_up);
    let mut notes: Vec<String> = Vec::new();
    let mut parts = Part::default();

    let metrics = follow_up::metrics(&draft, previous);
    if metrics.is_empty() {
        let said = draft.conditions.first().map(|condition| Said {
            what: (),
            range: condition.range.clone(),
            similar: None,
            remembered: false,
        });
        return Err(reader
            .asks_for_a_metric(&draft)
            .unwrap_or_else(|| no_metric(reader.question, said.as_ref(), setting.previous)));
    }
    if draft.metrics.len() != 1 {
        reader.side_by_side()?;
    }

    let resolver = Resolver {
        reader,
        metrics: &metrics,
    };
    let mut groups: Vec<(GroupBy, Said<()>)> = Vec::new();
    for said in &draft.groups {
        let (group, said) = resolver.group(said)?;
        if !groups.iter().any(|(known, _)| *known == group) {
            groups.push((group, said));
        }
    }
    if previous.is_none()
        && let Some(all) = draft.all_of.first()
    {
        return Err(resolver.all_of(all));
    }
    let mut conditions = Vec::new();
    for condition in &draft.conditions {
        conditions.push(resolver.condition(condition)?);
    }
    let against_time = !draft.against.is_empty();
    let conditions = merge(conditions, &draft, reader)?;
    for condition in &conditions {
        let several = matches!(&condition.filter, Filter::In { values, negated: false, .. } if values.len() > 1);
        let compared = condition.versus || (draft.compare && several && !against_time);
        let group = GroupBy::Dimension(condition.field.clone());
        if compared && several && !groups.iter().any(|(known, _)| *known == group) {
            groups.push((group, condition.said.clone()));
        }
    }

    resolver.personal(&groups, &conditions)?;
    let time = reader.time_range(&draft)?;
    let base = time
        .as_ref()
        .map(|said| said.what.0)
        .or_else(|| previous?.time);
    let compared = reader.compared(&draft, base, &metrics)?;
    let (time, compare) = match compared {
        None => (time, None),
        Some(Compared { main, against }) => (time.or(main), Some(against)),
    };
    if let Some(Said {
        what: (_, Some(note)),
        ..
    }) = &time
    {
        notes.push(note.clone());
    }

    let mut query = match previous {
        Some(previous) => previous.clone(),
        None => MetricQuery::default(),
    };
    query.metrics.clone_from(&metrics);
    if let Some(previous) = previous {
        follow_up::tidy(&mut query, previous, &draft, &mut notes);
        for all in &draft.all_of {
            resolver.drop_conditions(&mut query, all)?;
        }
    }
    follow_up::group(&mut query, &groups, &draft, previous.is_some());
    for condition in &conditions {
        follow_up::filter(&mut query, condition, previous.is_some(), draft.also);
    }
    if let Some(time) = &time {
        query.time = Some(time.what.0);
    }
    if let Some(compare) = &compare {
        query.compare = Some(compare.what.0);
        notes.extend(compare.what.1.clone());
    }
    if let Some(range) = &draft.trend
        && !query.group_by.iter().flatten().any(super::reader::is_grain)
    {
        let grain = trend_grain(&query, reader);
        query
            .group_by
            .get_or_insert_default()
            .push(GroupBy::Grain { grain, of: None });
        notes.push(format!("by {grain}, to show how it develops"));
        groups.push((GroupBy::Grain { grain, of: None }, at(range.clone())));
    }
    if let Some(rank) = &draft.rank {
        apply_rank(&mut query, rank, &mut notes, reader)?;
    }
    if !draft.thresholds.is_empty() {
        apply_thresholds(&mut query, &draft, reader)?;
    }
    contradictions(&query, &conditions, reader)?;

    let mut intent = Intent::from(&query);
    if draft.rank.is_some() && query.limit.is_some() {
        intent.intent = IntentKind::Top;
    } else if draft.trend.is_some() && intent.compare.is_none() {
        intent.intent = IntentKind::Trend;
    } else if draft.compare || conditions.iter().any(|condition| condition.versus) {
        intent.intent = IntentKind::Compare;
    }
    parts.metrics = draft.metrics;
    parts.groups = groups;
    parts.conditions = conditions;
    parts.thresholds = draft
        .thresholds
        .into_iter()
        .map(|said| said.map(|_| ()))
        .collect();
    parts.time = time.map(|said| said.map(|(time, _)| time));
    parts.compare = compare.map(|said| said.map(|(compare, _)| compare));
    parts.rank = draft.rank.map(|said| said.map(|_| ()));
    let chips = chips::chips(reader.question, &query, &parts, setting);
    notes.dedup();
    Ok(Reading {
        intent,
        chips,
        notes,
        is_follow_up,
    })
}

fn at(range: std::ops::Range<usize>) -> Said<()> {
    Said {
        what: (),
        range,
        similar: None,
        remembered: false,
    }
}

/// Resolves names over some metrics.
struct Resolver<'r, 'a> {
    reader: &'r Reader<'a>,
    metrics: &'r [String],
}

impl Resolver<'_, '_> {
    fn group(&self, said: &Said<Group>) -> Read<(GroupBy, Said<()>)> {
        let place = said.clone().map(|_| ());
        match &said.what {
            Group::Grain(grain) => Ok((
                GroupBy::Grain {
                    grain: *grain,
                    of: None,
                },
                place,
            )),
            Group::Dimension(names, stems) => {
                let named = said.clone().map(|_| (names.clone(), stems.clone()));
                Ok((GroupBy::Dimension(self.dimension(&named)?), place))
            }
        }
    }

    /// Personal data is neither grouped by nor filtered on.
    fn personal(&self, groups: &[(GroupBy, Said<()>)], conditions: &[Resolved]) -> Read<()> {
        let setting = self.reader.setting;
        let grouped = groups.iter().filter_map(|(group, said)| match group {
            GroupBy::Dimension(name) => Some((name, said)),
            GroupBy::Grain { .. } => None,
        });
        let filtered = conditions
            .iter()
            .map(|condition| (&condition.field, &condition.said));
        for (name, said) in grouped.chain(filtered) {
            let is_personal = is_personal(self.metrics, name, setting);
            if is_personal {
                let words = self.reader.text(&said.range);
                return Err(refuse(
                    RefusalCode::OutOfScope,
                    format!("'{words}' is personal data, which no answer shows"),
                    None,
                    vec![(words, said.range.clone())],
                ));
            }
        }
        Ok(())
    }

    /// The dimension that words name for these metrics; with what they were read as, where that is a longer name.
    fn dimension(&self, said: &Said<(BTreeSet<String>, String)>) -> Read<String> {
        let setting = self.reader.setting;
        let (names, stems) = &said.what;
        let words = self.reader.text(&said.range);
        let mut found: Vec<(usize, &str)> = names
            .iter()
            .filter_map(|name| Some((reached(self.metrics, name, setting)?.hops, name.as_str())))
            .collect();
        found.sort_unstable();
        let nearest = found.first().map(|(hops, _)| *hops);
        found.retain(|(hops, _)| Some(*hops) == nearest);
        match found.as_slice() {
            [(_, only)] => return Ok((*only).to_owned()),
            [] => {}
            several => {
                let candidates = several
                    .iter()
                    .map(|(_, name)| dimension_candidate(name, setting))
                    .collect();
                let message = format!("'{words}' names several dimensions");
                return Err(ask(&words, said.range.clone(), message, candidates));
            }
        }
        // "channel" of ads revenue is its ad channel; what only joins lead to is asked about.
        let reaching = setting.lexicon.ending(stems).filter_map(|name| {
            let hops = reached(self.metrics, name, setting)?.hops;
            Some((hops, name))
        });
        let (own, joined): (Vec<_>, Vec<_>) = reaching.partition(|(hops, _)| *hops == 0);
        let candidates = if own.is_empty() && names.is_empty() {
            joined
        } else {
            own
        };
        let endings: Vec<&str> = candidates.iter().map(|(_, name)| *name).collect();
        let is_own = candidates.iter().all(|(hops, _)| *hops == 0);
        match endings.as_slice() {
            [only] if is_own => Ok((*only).to_owned()),
            [] => {
                let name = names.first().map_or(words.as_str(), String::as_str);
                let (message, hint) = why_not(self.metrics, name, setting);
                Err(refuse(
                    RefusalCode::NotAnswerable,
                    message,
                    hint,
                    vec![(words, said.range.clone())],
                ))
            }
            several => {
                let candidates = several
                    .iter()
                    .map(|name| dimension_candidate(name, setting))
                    .collect();
                let message = format!("'{words}' may be several dimensions");
                Err(ask(&words, said.range.clone(), message, candidates))
            }
        }
    }

    /// "all markets" in a question of its own: a total over them, or a row for each?
    fn all_of(&self, said: &Said<(BTreeSet<String>, String)>) -> Box<super::Understanding> {
        let words = self.reader.text(&said.range);
        match self.dimension(said) {
            Err(stop) => stop,
            Ok(name) => {
                let mut candidate = dimension_candidate(&name, self.reader.setting);
                candidate.label = format!("one row for each {}", candidate.label.to_lowercase());
                let message = format!(
                    "'{words}': a row for each? For one number over all of them, leave these words out"
                );
                ask(&words, said.range.clone(), message, vec![candidate])
            }
        }
    }

    /// "all markets" after another question: no condition on it any more.
    fn drop_conditions(
        &self,
        query: &mut MetricQuery,
        said: &Said<(BTreeSet<String>, String)>,
    ) -> Read<()> {
        let name = self.dimension(said)?;
        follow_up::without(query, &name);
        Ok(())
    }

    fn condition(&self, condition: &Condition) -> Read<Resolved> {
        let said = |similar: Option<String>, remembered: bool| Said {
            what: (),
            range: condition.range.clone(),
            similar,
            remembered,
        };
        let literals = match &condition.test {
            Test::Holds => {
                let field = self.named(condition)?;
                let value = if condition.negated { "false" } else { "true" };
                let filter = Filter::Compare {
                    field: field.clone(),
                    op: CompareOp::Eq,
                    value: value.to_owned(),
                };
                return Ok(Resolved {
                    field,
                    filter,
                    said: said(typo(condition), false),
                    versus: false,
                });
            }
            Test::Number(op, value) => {
                let field = self.named(condition)?;
                let compare = Filter::Compare {
                    field: field.clone(),
                    op: *op,
                    value: value.clone(),
                };
                let filter = if condition.negated {
                    Filter::Not(Box::new(compare))
                } else {
                    compare
                };
                return Ok(Resolved {
                    field,
                    filter,
                    said: said(typo(condition), false),
                    versus: false,
                });
            }
            Test::Values(literals) => literals,
        };
        let (field, values) = self.values(condition, literals)?;
        let similar: Vec<&str> = literals
            .iter()
            .filter_map(|literal| literal.similar.as_deref())
            .collect();
        let remembered = literals.iter().any(|literal| literal.remembered);
        let similar = (!similar.is_empty()).then(|| similar.join(", "));
        Ok(Resolved {
            filter: values_filter(&field, values, condition.negated),
            field,
            said: said(similar, remembered),
            versus: condition.versus,
        })
    }

    /// The dimension that a condition names.
    fn named(&self, condition: &Condition) -> Read<String> {
        match &condition.dimension {
            Some(said) => self.dimension(said),
            None => Err(refuse(
                RefusalCode::NotAnswerable,
                "a condition without a dimension",
                None,
                vec![(self.reader.text(&condition.range), condition.range.clone())],
            )),
        }
    }

    /// The one dimension that has all the values, and the values.
    fn values(
        &self,
        condition: &Condition,
        literals: &[Said<Literal>],
    ) -> Read<(String, Vec<String>)> {
        let explicit = match &condition.dimension {
            Some(said) => Some(self.dimension(said)?),
            None => None,
        };
        let setting = self.reader.setting;
        // Dimensions with the values of every literal so far.
        let mut shared: Option<Vec<(String, usize, Vec<String>)>> = None;
        for literal in literals {
            let meanings = match &literal.what {
                Literal::Known(meanings) => meanings.as_slice(),
                Literal::Other => &[],
            };
            let mut ways = ways(meanings, self.metrics, setting);
            if let Some(entity) = &condition.entity {
                ways = self.of_entity(meanings, entity);
            }
            if let Some(name) = &explicit {
                ways.retain(|(dimension, _, _)| dimension == name);
                if ways.is_empty() {
                    return Err(self.unknown_value(literal, name));
                }
            }
            if ways.is_empty() {
                return Err(self.unreachable(literal, meanings, condition));
            }
            shared = Some(match shared {
                None => ways
                    .into_iter()
                    .map(|(name, value, hops)| (name, hops, vec![value]))
                    .collect(),
                Some(known) => known
                    .into_iter()
                    .filter_map(|(name, hops, mut values)| {
                        let (_, value, _) = ways.iter().find(|(other, _, _)| *other == name)?;
                        if !values.contains(value) {
                            values.push(value.clone());
                        }
                        Some((name, hops, values))
                    })
                    .collect(),
            });
        }
        let mut shared = shared.unwrap_or_default();
        let words = self.reader.text(&condition.range);
        let nearest = shared.iter().map(|(_, hops, _)| *hops).min();
        shared.retain(|(_, hops, _)| Some(*hops) == nearest);
        match shared.as_slice() {
            [(name, _, values)] => Ok((name.clone(), values.clone())),
            [] => Err(refuse(
                RefusalCode::NotAnswerable,
                format!("the values of '{words}' belong to different dimensions"),
                Some("name the dimension of each".to_owned()),
                vec![(words, condition.range.clone())],
            )),
            several => {
                let candidates = several
                    .iter()
                    .map(|(name, _, values)| Candidate {
                        meaning: Meaning::Value {
                            dimension: name.clone(),
                            value: values.first().cloned().unwrap_or_default(),
                        },
                        label: format!("{} ({name})", values.join(", ")),
                        detail: dimension_candidate(name, setting).detail,
                    })
                    .collect();
                let literal = literals.first();
                let range = literal.map_or(condition.range.clone(), |said| said.range.clone());
                let words = self.reader.text(&range);
                let message = format!("'{words}' is a value of several dimensions");
                Err(ask(&words, range, message, candidates))
            }
        }
    }

    /// Ways to a value in a dimension of a given dataset: the sellers' market of "Brazilian sellers".
    fn of_entity(
        &self,
        meanings: &[super::meanings::ValueMeaning],
        entity: &BTreeSet<String>,
    ) -> Vec<(String, String, usize)> {
        let setting = self.reader.setting;
        let registry = setting.registry;
        let mut found = Vec::new();
        for meaning in meanings {
            let mut names = vec![meaning.dimension.clone()];
            for dataset in registry.datasets.values() {
                let roles = dataset
                    .joins
                    .values()
                    .filter(|join| entity.contains(&join.to));
                names.extend(roles.map(|join| format!("{}.{}", join.name, meaning.dimension)));
            }
            let way = names.into_iter().find_map(|name| {
                let reached = reached(self.metrics, &name, setting)?;
                let belongs = reached
                    .found
                    .iter()
                    .all(|(dataset, _)| entity.contains(dataset));
                (belongs && !reached.found.is_empty()).then_some((name, reached.hops))
            });
            if let Some((name, hops)) = way {
                let entry = (name, meaning.value.clone(), hops);
                if !found.contains(&entry) {
                    found.push(entry);
                }
            }
        }
        found
    }

    fn unknown_value(&self, literal: &Said<Literal>, field: &str) -> Box<super::Understanding> {
        let setting = self.reader.setting;
        let registry = setting.registry;
        let word = self.reader.text(&literal.range);
        let label = field.rsplit('.').next().unwrap_or(field).replace('_', " ");
        let place = reached(self.metrics, field, setting).and_then(|reached| {
            let (dataset, dimension) = reached.found.into_iter().next()?;
            let dataset = registry.datasets.get(&dataset)?;
            Some((dataset, dataset.dimensions.get(&dimension)?))
        });
        let known = place.map(|(dataset, dimension)| {
            setting.values.nearest(
                &dataset.index_table(),
                &dimension.index_column(),
                &word,
                LISTED + 1,
            )
        });
        let mut known = known.unwrap_or_default();
        let more = if known.len() > LISTED { ", …" } else { "" };
        known.truncate(LISTED);
        let message = if known.is_empty() {
            format!("Unknown {label} '{word}'")
        } else {
            format!(
                "Unknown {label} '{word}'. Valid {}: {}{more}",
                plural(&label),
                known.join(", ")
            )
        };
        refuse(
            RefusalCode::UnknownValue,
            message,
            Some("a value that is newer than the index: metrex reindex".to_owned()),
            vec![(word, literal.range.clone())],
        )
    }

    fn unreachable(
        &self,
        literal: &Said<Literal>,
        meanings: &[super::meanings::ValueMeaning],
        condition: &Condition,
    ) -> Box<super::Understanding> {
        let word = self.reader.text(&literal.range);
        let mut owners: Vec<&str> = meanings.iter().map(|one| one.dimension.as_str()).collect();
        owners.sort_unstable();
        owners.dedup();
        let metrics = self.metrics.join(", ");
        let of = if condition.entity.is_some() {
            " in that role"
        } else {
            ""
        };
        let message = format!(
            "'{word}' is a value of {}, which {metrics} cannot use{of}",
            owners.join(" and ")
        );
        let hint = owners
            .first()
            .and_then(|owner| why_not(self.metrics, owner, self.reader.setting).1);
        refuse(
            RefusalCode::NotAnswerable,
            message,
            hint,
            vec![(word, literal.range.clone())],
        )
    }
}

/// How many valid values a refusal lists.
const LISTED: usize = 8;

fn plural(label: &str) -> String {
    match label.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if label.ends_with(['s', 'x']) || label.ends_with("ch") => format!("{label}es"),
        _ => format!("{label}s"),
    }
}

fn values_filter(field: &str, values: Vec<String>, negated: bool) -> Filter {
    let field = field.to_owned();
    match <[String; 1]>::try_from(values) {
        Ok([value]) => Filter::Compare {
            field,
            op: if negated {
                CompareOp::Ne
            } else {
                CompareOp::Eq
            },
            value,
        },
        Err(values) => Filter::In {
            field,
            values,
            negated,
        },
    }
}

/// The values of a plain condition.
pub(super) fn values_of(filter: &Filter) -> Option<(Vec<String>, bool)> {
    match filter {
        Filter::Compare {
            op: op @ (CompareOp::Eq | CompareOp::Ne),
            value,
            ..
        } => Some((vec![value.clone()], *op == CompareOp::Ne)),
        Filter::In {
            values, negated, ..
        } => Some((values.clone(), *negated)),
        _ => None,
    }
}

/// Conditions on the same dimension become one where that is what is said, and are refused where it is not.
fn merge(conditions: Vec<Resolved>, draft: &Draft, reader: &Reader<'_>) -> Read<Vec<Resolved>> {
    let mut merged: Vec<Resolved> = Vec::new();
    for condition in conditions {
        let Some(known) = merged
            .iter_mut()
            .find(|known| known.field == condition.field)
        else {
            merged.push(condition);
            continue;
        };
        let (one, other) = (values_of(&known.filter), values_of(&condition.filter));
        let (Some((mut values, negated)), Some((more, also_negated))) = (one, other) else {
            return Err(twice(known, &condition, reader));
        };
        let is_same = values == more && negated == also_negated;
        let is_union = (negated && also_negated)
            || (draft.compare && draft.against.is_empty() && !negated && !also_negated);
        if is_same {
            continue;
        }
        if !is_union {
            return Err(twice(known, &condition, reader));
        }
        for value in more {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        known.filter = values_filter(&known.field, values, negated);
        known.versus |= condition.versus || (draft.compare && !negated);
        known.said.range.end = condition.said.range.end.max(known.said.range.end);
    }
    Ok(merged)
}

fn twice(one: &Resolved, other: &Resolved, reader: &Reader<'_>) -> Box<super::Understanding> {
    let words: Vec<_> = [one, other]
        .iter()
        .map(|condition| {
            let range = condition.said.range.clone();
            (reader.text(&range), range)
        })
        .collect();
    refuse(
        RefusalCode::NotAnswerable,
        format!("{} are two conditions on {}", quoted(&words), one.field),
        Some(
            "write 'ID and TH' for both together, 'ID vs TH' for one against the other".to_owned(),
        ),
        words,
    )
}

/// The grain of a trend: the metric's own, else by the length of the range.
fn trend_grain(query: &MetricQuery, reader: &Reader<'_>) -> Grain {
    let registry = reader.setting.registry;
    let metrics: Vec<_> = query
        .metrics
        .iter()
        .filter_map(|name| registry.metric(name))
        .collect();
    let own = metrics.iter().flat_map(|metric| &metric.grain);
    let own = own.filter_map(|group| match group {
        GroupBy::Grain { grain, of: None } => Some(*grain),
        _ => None,
    });
    if let Some(grain) = own.max() {
        return grain;
    }
    let window = || metrics.first().and_then(|metric| metric.window);
    let time = query.time.or_else(window).unwrap_or(TimeRange::AllTime);
    let mut range = time.resolve(reader.setting.today, registry.calendar.week_start);
    if range.start.is_some() && range.end.is_none() {
        range.end = Some(reader.setting.today);
    }
    match range.days() {
        Some(..=31) => Grain::Day,
        Some(..=184) => Grain::Week,
        Some(..=1_827) | None => Grain::Month,
        Some(_) => Grain::Year,
    }
}

fn apply_rank(
    query: &mut MetricQuery,
    said: &Said<Rank>,
    notes: &mut Vec<String>,
    reader: &Reader<'_>,
) -> Read<()> {
    let rank = &said.what;
    let has_groups = !query.group_by.as_deref().unwrap_or_default().is_empty();
    if !has_groups {
        let words = reader.text(&said.range);
        return Err(refuse(
            RefusalCode::UnknownWords,
            format!("'{words}' does not say what is to be ranked"),
            Some("name a dimension, such as: top 5 markets by gmv".to_owned()),
            vec![(words, said.range.clone())],
        ));
    }
    let column = match &rank.by {
        Some(metric) => metric.clone(),
        None => query.metrics.first().cloned().unwrap_or_default(),
    };
    if !query.metrics.contains(&column) {
        query.metrics.push(column.clone());
    }
    query.order = vec![OrderBy {
        column,
        direction: rank.direction,
    }];
    query.limit = if rank.unlimited {
        None
    } else {
        let default = if rank.plural == Some(false) { 1 } else { TOP };
        if rank.number.is_none() && default == TOP {
            notes.push(format!("the first {TOP}, no number being said"));
        }
        Some(rank.number.unwrap_or(default))
    };
    if rank.direction == Direction::Ascending && !rank.unlimited {
        notes.push("lowest first".to_owned());
    }
    Ok(())
}

fn apply_thresholds(query: &mut MetricQuery, draft: &Draft, reader: &Reader<'_>) -> Read<()> {
    let registry = reader.setting.registry;
    let defaults = query
        .metrics
        .iter()
        .filter_map(|name| registry.metric(name))
        .any(|metric| !metric.grain.is_empty());
    let grouped = match &query.group_by {
        Some(groups) => !groups.is_empty(),
        None => defaults,
    };
    for said in &draft.thresholds {
        let words = reader.text(&said.range);
        if !grouped {
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!(
                    "'{words}' is a condition on a metric: it needs groups that it can hold for"
                ),
                Some("say by what, such as: by market".to_owned()),
                vec![(words, said.range.clone())],
            ));
        }
        let field = said.what.metric.clone();
        let filter = match &said.what.test {
            Bounds::One(op, value) => Filter::Compare {
                field,
                op: *op,
                value: value.clone(),
            },
            Bounds::Two(low, high) => Filter::Between {
                field,
                low: low.clone(),
                high: high.clone(),
                negated: false,
            },
        };
        if !query.metrics.contains(&said.what.metric) {
            query.metrics.push(said.what.metric.clone());
        }
        query.filters = Some(match query.filters.take() {
            None => filter,
            Some(known) => known.and(filter),
        });
    }
    Ok(())
}

/// A value that the metric's own definition leaves out would answer with nothing, and look like an answer.
fn contradictions(query: &MetricQuery, conditions: &[Resolved], reader: &Reader<'_>) -> Read<()> {
    let setting = reader.setting;
    for condition in conditions {
        let Some((values, false)) = values_of(&condition.filter) else {
            continue;
        };
        for name in &query.metrics {
            let Some(value) = super::meanings::left_out(name, &condition.field, &values, setting)
            else {
                continue;
            };
            let range = condition.said.range.clone();
            let words = reader.text(&range);
            let message = format!(
                "{name} leaves out {} '{value}' by its definition, so '{words}' would find nothing",
                condition.field
            );
            let like = reader.metrics_like(&words, name);
            if like.is_empty() {
                return Err(refuse(
                    RefusalCode::NotAnswerable,
                    message,
                    Some(format!("metrex show {name} has the definition")),
                    vec![(words, range)],
                ));
            }
            return Err(ask(&words, range, message, like));
        }
    }
    Ok(())
}

impl Reader<'_> {
    /// The one time range that is said.
    fn time_range(&self, draft: &Draft) -> Read<Option<Said<(TimeRange, Option<String>)>>> {
        let mut times = draft.times.iter();
        let Some(first) = times.next() else {
            return Ok(None);
        };
        if let Some(other) = times.find(|other| other.what.0 != first.what.0) {
            let words: Vec<_> = [first, other]
                .iter()
                .map(|said| (self.text(&said.range), said.range.clone()))
                .collect();
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!("{} are two time ranges", quoted(&words)),
                Some("one range, or one against the other: October vs September".to_owned()),
                words,
            ));
        }
        let range = first.what.0.resolve(
            self.setting.today,
            self.setting.registry.calendar.week_start,
        );
        if range.start.is_some_and(|start| start > self.setting.today) {
            let words = self.text(&first.range);
            return Err(refuse(
                RefusalCode::OutOfScope,
                format!("'{words}' lies in the future ({range}): it does not look ahead"),
                None,
                vec![(words, first.range.clone())],
            ));
        }
        Ok(Some(first.clone()))
    }
}

/// What the name of a condition's dimension was read as, where it was mistyped.
fn typo(condition: &Condition) -> Option<String> {
    condition.dimension.as_ref()?.similar.clone()
}
