//! Names over some metrics: which dimension a word means for them, and which dimension has some values.

use std::collections::BTreeSet;

use super::draft::{Condition, Group, Literal, Said, Test};
use super::follow_up;
use super::meanings::{Reached, is_personal, reached, ways, why_not};
use super::reader::{Read, Reader};
use super::refusing::{ask, dimension as dimension_candidate, refuse};
use super::resolve::{Resolved, values_filter};
use super::{Candidate, Meaning, RefusalCode};
use crate::model::{CompareOp, Filter, GroupBy, MetricQuery};

/// Resolves names over some metrics.
pub(super) struct Resolver<'r, 'a> {
    pub(super) reader: &'r Reader<'a>,
    pub(super) metrics: &'r [String],
}

impl Resolver<'_, '_> {
    pub(super) fn group(&self, said: &Said<Group>) -> Read<(GroupBy, Said<()>)> {
        let place = said.clone().map(|_| ());
        match &said.what {
            Group::Grain(grain) => Ok((
                GroupBy::Grain {
                    grain: *grain,
                    of: None,
                },
                place,
            )),
            Group::Part(part) => Ok((
                GroupBy::Part {
                    part: *part,
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
    pub(super) fn personal(
        &self,
        groups: &[(GroupBy, Said<()>)],
        conditions: &[Resolved],
    ) -> Read<()> {
        let setting = self.reader.setting;
        let grouped = groups.iter().filter_map(|(group, said)| match group {
            GroupBy::Dimension(name) => Some((name, said)),
            GroupBy::Grain { .. } | GroupBy::Part { .. } => None,
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
        // A name that is the dimension's own comes before an alias that leads to the same one.
        let mut places: Vec<Vec<(String, String)>> = Vec::new();
        let mut reaching: Vec<(&str, Reached)> = names
            .iter()
            .filter_map(|name| Some((name.as_str(), reached(self.metrics, name, setting)?)))
            .collect();
        reaching.sort_by_key(|(name, reached)| {
            let plain = name.rsplit('.').next().unwrap_or(name);
            !reached
                .found
                .iter()
                .any(|(_, dimension)| dimension == plain)
        });
        reaching.retain(|(_, reached)| {
            let is_new = !places.contains(&reached.found);
            places.push(reached.found.clone());
            is_new
        });
        let mut found: Vec<(usize, &str)> = reaching
            .iter()
            .map(|(name, reached)| (reached.hops, *name))
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
    pub(super) fn all_of(
        &self,
        said: &Said<(BTreeSet<String>, String)>,
    ) -> Box<super::Understanding> {
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
    pub(super) fn drop_conditions(
        &self,
        query: &mut MetricQuery,
        said: &Said<(BTreeSet<String>, String)>,
    ) -> Read<()> {
        let name = self.dimension(said)?;
        follow_up::without(query, &name);
        Ok(())
    }

    pub(super) fn condition(&self, condition: &Condition) -> Read<Resolved> {
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
                    ways = self.in_role(meanings, name);
                }
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

    /// A value of a dimension that is named with its role: the TH of "seller market TH".
    fn in_role(
        &self,
        meanings: &[super::meanings::ValueMeaning],
        field: &str,
    ) -> Vec<(String, String, usize)> {
        let setting = self.reader.setting;
        let place = reached(self.metrics, field, setting).and_then(|reached| {
            let (dataset, dimension) = reached.found.into_iter().next()?;
            let dataset = setting.registry.datasets.get(&dataset)?;
            Some((dataset, dataset.dimensions.get(&dimension)?, reached.hops))
        });
        let Some((dataset, dimension, hops)) = place else {
            return Vec::new();
        };
        let has = |value: &str| {
            setting.values.exact(value).iter().any(|hit| {
                hit.value == value
                    && hit.table == dataset.index_table()
                    && hit.column == dimension.index_column()
            })
        };
        let of_it = meanings
            .iter()
            .find(|meaning| meaning.dimension == dimension.name && has(&meaning.value));
        of_it
            .map(|meaning| vec![(field.to_owned(), meaning.value.clone(), hops)])
            .unwrap_or_default()
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

/// What the name of a condition's dimension was read as, where it was mistyped.
fn typo(condition: &Condition) -> Option<String> {
    condition.dimension.as_ref()?.similar.clone()
}
