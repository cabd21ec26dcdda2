//! Words that people took for something: what they chose when they were asked, and what was similar enough to be right.

use std::collections::HashSet;

use crate::ask::{Certainty, ChipKind, Meaning, Understanding};
use crate::learn::is_personal;
use crate::learn::propose::{Gathered, Link, Means};
use crate::model::Registry;
use crate::model::alike::fold;
use crate::session::{Session, SessionError};

/// Different questions that are read once more.
const MOST: usize = 2_000;

impl Session {
    /// Every link between words and what they were taken for.
    pub(super) fn links(&self, gathered: &Gathered<'_>) -> Result<Vec<Link>, SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let mut links: Vec<Link> = Vec::new();
        let mut add = |words: &str, meaning: &Meaning, chosen: bool| {
            let Some(means) = means(registry, meaning) else {
                return;
            };
            let link = Link {
                words: fold(words),
                taken: self.meant_already(registry, words, &means),
                means,
                chosen,
            };
            if !links.contains(&link) {
                links.push(link);
            }
        };
        for choice in self.choices() {
            add(&choice.words, &choice.meaning, true);
        }
        let mut questions: Vec<_> = gathered.questions.values().collect();
        questions.sort_by(|one, other| {
            let by_uses = other.tally.uses.cmp(&one.tally.uses);
            by_uses.then_with(|| one.text.cmp(&other.text))
        });
        for question in questions.into_iter().take(MOST) {
            let Understanding::Clear(reading) = self.understand(&question.text, None) else {
                continue;
            };
            for chip in &reading.chips {
                let words = question.text.get(chip.range.clone()).unwrap_or_default();
                if chip.certainty != Certainty::Similar || words.is_empty() {
                    continue;
                }
                let meaning = match chip.kind {
                    ChipKind::Metric => Meaning::Metric(chip.text.clone()),
                    ChipKind::Group => Meaning::Dimension(chip.text.clone()),
                    ChipKind::Filter => match chip.text.split_once(" = ") {
                        Some((dimension, value)) => Meaning::Value {
                            dimension: dimension.to_owned(),
                            value: value.trim_matches(['\'', '"']).to_owned(),
                        },
                        None => continue,
                    },
                    _ => continue,
                };
                add(words, &meaning, false);
            }
        }
        Ok(links)
    }

    /// What words mean already, apart from this.
    fn meant_already(&self, registry: &Registry, words: &str, means: &Means) -> Option<String> {
        let folded = fold(words);
        if let Some(metric) = registry.metric(words) {
            return Some(format!("it is a name of the metric {}", metric.name));
        }
        if crate::model::Grain::from_word(&folded).is_some() || folded.chars().count() < 2 {
            return Some("it is a word of the query line".to_owned());
        }
        let is_own = |dimension: &str, value: &str| match means {
            Means::Value {
                dimension: of,
                value: known,
                ..
            } => of == dimension && known == value,
            _ => false,
        };
        let mut seen: HashSet<&str> = HashSet::new();
        let dimensions = registry
            .datasets
            .values()
            .flat_map(|dataset| dataset.dimensions.values());
        for dimension in dimensions {
            let name = dimension.name.as_str();
            let mut names = dimension.aliases.iter().chain([&dimension.name]);
            if names.any(|name| fold(name) == folded) {
                return Some(format!("it is a name of the dimension {name}"));
            }
            for (value, aliases) in &dimension.value_aliases {
                if aliases.iter().any(|alias| fold(alias) == folded) {
                    return Some(format!("it means {value} of {name}"));
                }
            }
            if !seen.insert(name) {
                continue;
            }
            let values = self.values(&[], name, words, usize::MAX).values;
            let mut same = values.iter().filter(|(value, _)| fold(value) == folded);
            if same.any(|(value, _)| !is_own(name, value)) {
                return Some(format!("it is a value of {name}"));
            }
        }
        None
    }
}

/// A meaning by where it is declared.
fn means(registry: &Registry, meaning: &Meaning) -> Option<Means> {
    // A role in front says which join leads there; the name is declared where it leads to.
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let declared = |name: &str| {
        let name = last(name);
        let mut datasets = registry.datasets.values();
        datasets.find_map(|dataset| {
            let dimension = dataset.dimension(&name)?;
            Some((dataset.name.clone(), dimension.name.clone()))
        })
    };
    match meaning {
        Meaning::Metric(name) => Some(Means::Metric(registry.metric(name)?.name.clone())),
        Meaning::Dimension(name) => {
            let (dataset, name) = declared(name)?;
            Some(Means::Dimension { dataset, name })
        }
        Meaning::Value { dimension, .. } if is_personal(registry, dimension) => None,
        Meaning::Value { dimension, value } => {
            let (dataset, dimension) = declared(dimension)?;
            Some(Means::Value {
                dataset,
                dimension,
                value: value.clone(),
            })
        }
        Meaning::Time(_) => None,
    }
}
