//! Business rules as SQL, where their words name values and columns of the table; what is not understood is said.

use super::measure::Amount;
use super::source::Source;
use super::words::{Word, listed, positions, words};
use super::{Ground, Idea, Offer, OfferKind};
use crate::model::{ColumnType, world};

const NEGATIVE: [&str; 14] = [
    "exclude",
    "excluding",
    "excluded",
    "excludes",
    "without",
    "except",
    "ignore",
    "ignoring",
    "omit",
    "not",
    "no",
    "never",
    "remove",
    "leave",
];
const POSITIVE: [&str; 10] = [
    "only",
    "include",
    "includes",
    "including",
    "count",
    "counts",
    "counted",
    "counting",
    "just",
    "must",
];
const CONVERTING: [&str; 8] = [
    "convert",
    "converted",
    "normalise",
    "normalize",
    "normalised",
    "normalized",
    "equivalent",
    "spread",
];
/// Words of rules that say nothing more once the rest is understood.
const FILLING: [&str; 29] = [
    "out",
    "customer",
    "customers",
    "account",
    "accounts",
    "row",
    "rows",
    "record",
    "records",
    "value",
    "values",
    "amount",
    "amounts",
    "be",
    "should",
    "state",
    "states",
    "status",
    "those",
    "ones",
    "other",
    "else",
    "considered",
    "taken",
    "basis",
    "their",
    "into",
    "keep",
    "use",
];

/// A stretch of time with the months it has, as a fraction.
const LENGTHS: [(&str, (u32, u32)); 8] = [
    ("annual", (12, 1)),
    ("halfyear", (6, 1)),
    ("quarter", (3, 1)),
    ("month", (1, 1)),
    ("biannual", (6, 1)),
    ("biennial", (24, 1)),
    ("week", (12, 52)),
    ("day", (12, 365)),
];

/// A value that a rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    column: String,
    value: String,
    /// The words of the rule that name it.
    at: usize,
    length: usize,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    rule: String,
    means: Means,
    why: String,
    /// Whether it is beyond doubt.
    sure: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Means {
    Condition(String),
    /// Rows with a value have amounts for another length of time: column, and values with their factors.
    Conversion(String, Vec<(String, String)>),
    Nothing,
}

/// The values of a table that rules name: `active (status)`.
pub(super) fn values_named(rules: &[String], source: &Source<'_>) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for rule in rules {
        let said = words(rule);
        for (flag, _) in flags(&said, source) {
            let text = format!("{flag} (yes or no)");
            if !named.contains(&text) {
                named.push(text);
            }
        }
        for found in find_values(&said, source) {
            let text = format!("{} ({})", found.value, found.column);
            if !named.contains(&text) {
                named.push(text);
            }
        }
    }
    named
}

/// The words of rules without those that only say what is done with the others.
pub(super) fn content(rules: &[String]) -> String {
    let said = words(&rules.join(" ")).into_iter();
    let content = said.filter(|word| {
        let folded = word.folded.as_str();
        let lists = [&NEGATIVE[..], &POSITIVE, &CONVERTING, &FILLING];
        !lists.iter().any(|list| list.contains(&folded))
    });
    let content: Vec<String> = content.map(|word| word.folded).collect();
    content.join(" ")
}

/// Values named by the words of a rule; the longest ones where they overlap.
fn find_values(rule: &[Word], source: &Source<'_>) -> Vec<Named> {
    let mut found = own_values(rule, source);
    // What the table says itself comes before what it leads to.
    if found.is_empty() && flags(rule, source).is_empty() {
        for (path, values) in &source.joined {
            for value in *values {
                found.extend(named(rule, path, value, value));
            }
        }
    }
    let all = found.clone();
    let is_covered = |one: &Named| {
        all.iter().any(|other| {
            other.length > one.length
                && other.at <= one.at
                && one.at + one.length <= other.at + other.length
        })
    };
    found.retain(|one| !is_covered(one));
    found
}

/// Where words of a rule are a spelling of a value.
fn named(rule: &[Word], column: &str, value: &str, spelling: &str) -> Vec<Named> {
    let parts = words(spelling);
    // A letter, or a word of the grammar, stands for itself.
    if parts.iter().all(|part| part.folded.len() < 3) {
        return Vec::new();
    }
    let places = positions(rule, &parts).into_iter();
    places
        .map(|at| Named {
            column: column.to_owned(),
            value: value.to_owned(),
            at,
            length: parts.len(),
        })
        .collect()
}

/// Values of the columns of the table itself.
fn own_values(rule: &[Word], source: &Source<'_>) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    for (column, _) in source.values {
        let Some(values) = source.values_of(column) else {
            continue;
        };
        let aliases = source
            .dimension_of(column)
            .map(|dimension| &dimension.value_aliases);
        for value in values {
            let others = aliases
                .and_then(|aliases| aliases.get(value))
                .into_iter()
                .flatten();
            for spelling in std::iter::once(value).chain(others) {
                for one in named(rule, column, value, spelling) {
                    if !found.contains(&one) {
                        found.push(one);
                    }
                }
            }
        }
        found.extend(countries(rule, column, values));
    }
    found
}

/// Values that are codes of the countries a rule names.
fn countries(rule: &[Word], column: &str, values: &[String]) -> Vec<Named> {
    let mut found = Vec::new();
    for length in 1..=3_usize {
        for (at, window) in rule.windows(length).enumerate() {
            let text: Vec<&str> = window.iter().map(|word| word.folded.as_str()).collect();
            let text = text.join(" ");
            // A code may be any little word.
            if text.len() < 4 {
                continue;
            }
            let codes = world::codes(&text).into_iter();
            let mut known = codes.filter(|name| values.iter().any(|value| value == name.code));
            if let Some(name) = known.next() {
                found.push(Named {
                    column: column.to_owned(),
                    value: name.code.to_owned(),
                    at,
                    length,
                });
            }
        }
    }
    found
}

/// Reads one rule against a table.
pub(super) fn read(rule: &str, source: &Source<'_>, _ground: &Ground<'_>) -> Reading {
    let said = words(rule);
    let has = |list: &[&str]| said.iter().any(|word| list.contains(&word.folded.as_str()));
    let values = find_values(&said, source);
    let nothing = |why: String| Reading {
        rule: rule.trim().to_owned(),
        means: Means::Nothing,
        why,
        sure: false,
    };
    if has(&CONVERTING) {
        return conversion(rule, &said, &values, source).unwrap_or_else(nothing);
    }
    let flags = flags(&said, source);
    if values.is_empty() && flags.is_empty() {
        let known = source
            .values
            .iter()
            .any(|(column, _)| source.values_of(column).is_some());
        return nothing(match known {
            true => format!(
                "names no value of {}; its condition can be written by hand",
                source.name
            ),
            false => format!(
                "no values of {} are known; its condition can be written by hand",
                source.name
            ),
        });
    }
    let negative = has(&NEGATIVE);
    let (exact, vague) = (
        negative != has(&["only", "just", "must"]),
        !negative && !has(&POSITIVE),
    );
    let mut conditions: Vec<(String, Vec<String>)> = Vec::new();
    for one in &values {
        match conditions
            .iter_mut()
            .find(|(column, _)| *column == one.column)
        {
            Some((_, values)) if values.contains(&one.value) => {}
            Some((_, values)) => values.push(one.value.clone()),
            None => conditions.push((one.column.clone(), vec![one.value.clone()])),
        }
    }
    let is_twice = values.iter().find_map(|one| {
        let twin = values
            .iter()
            .find(|other| other.at == one.at && other.column != one.column)?;
        Some((one, twin))
    });
    let single = conditions.len() + flags.len() == 1;
    let mut texts: Vec<String> = conditions
        .iter()
        .map(|(column, values)| condition(&source.name_of(column), values, negative && single))
        .collect();
    texts.extend(flags.iter().map(|(flag, _)| match negative && single {
        true => format!("not {flag}"),
        false => flag.clone(),
    }));
    let text = match negative && !single {
        true => format!("not ({})", texts.join(" and ")),
        false => texts.join(" and "),
    };
    let told: Vec<String> = conditions
        .iter()
        .map(|(column, values)| {
            let all: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
            format!("{} in {column}", listed(&all))
        })
        .chain(flags.iter().map(|(flag, _)| format!("the column {flag}")))
        .collect();
    let why = format!("the rule names {}", listed(&told));
    let left = left_over(&said, &values, &flags, source);
    let doubt = if let Some((one, twin)) = is_twice {
        Some(format!(
            "'{}' is also a value of {}",
            one.value, twin.column
        ))
    } else if vague || negative && !exact {
        Some("it does not say whether they are left out or kept".to_owned())
    } else if !left.is_empty() {
        let left: Vec<String> = left.iter().map(|word| format!("'{word}'")).collect();
        Some(format!("it does not take account of {}", listed(&left)))
    } else {
        None
    };
    Reading {
        rule: rule.trim().to_owned(),
        means: Means::Condition(text),
        sure: doubt.is_none(),
        why: doubt.map_or(why.clone(), |doubt| format!("{why}, but {doubt}")),
    }
}

/// `status = 'active'`, `status not in ('a', 'b')`.
fn condition(column: &str, values: &[String], negative: bool) -> String {
    let quoted: Vec<String> = values
        .iter()
        .map(|value| format!("'{}'", value.replace('\'', "''")))
        .collect();
    match (quoted.as_slice(), negative) {
        ([one], false) => format!("{column} = {one}"),
        ([one], true) => format!("{column} <> {one}"),
        (all, false) => format!("{column} in ({})", all.join(", ")),
        (all, true) => format!("{column} not in ({})", all.join(", ")),
    }
}

/// Yes-or-no columns that a rule names, with the place and the number of the words.
fn flags(said: &[Word], source: &Source<'_>) -> Vec<(String, (usize, usize))> {
    let columns = source.columns().into_iter();
    let flags = columns.filter(|column| column.ty == Some(ColumnType::Boolean));
    flags
        .filter_map(|column| {
            let name = words(&column.name);
            let parts: Vec<Word> = name
                .into_iter()
                .filter(|part| !["is", "has"].contains(&part.folded.as_str()))
                .collect();
            let at = *positions(said, &parts).first()?;
            Some((source.name_of(&column.name), (at, parts.len())))
        })
        .collect()
}

/// Words of a rule that found no part.
fn left_over(
    said: &[Word],
    values: &[Named],
    flags: &[(String, (usize, usize))],
    source: &Source<'_>,
) -> Vec<String> {
    let spans: Vec<(usize, usize)> = values
        .iter()
        .map(|one| (one.at, one.length))
        .chain(flags.iter().map(|(_, span)| *span))
        .collect();
    let columns: Vec<String> = source
        .columns()
        .into_iter()
        .map(|column| column.name)
        .collect();
    let label = source.dataset.map_or("", |dataset| dataset.label.as_str());
    let own = words(&format!(
        "{} {label} {}",
        source.dataset_name(),
        columns.join(" ")
    ));
    let is_used = |(at, word): &(usize, &Word)| {
        let folded = word.folded.as_str();
        spans
            .iter()
            .any(|(start, length)| (*start..start + length).contains(at))
            || !word.is_content()
            || NEGATIVE.contains(&folded)
            || POSITIVE.contains(&folded)
            || CONVERTING.contains(&folded)
            || FILLING.contains(&folded)
            || own.iter().any(|other| other.stem == word.stem)
    };
    let left = said.iter().enumerate().filter(|one| !is_used(one));
    left.map(|(_, word)| word.folded.clone()).collect()
}

/// "Convert annual contracts to monthly equivalent".
fn conversion(
    rule: &str,
    said: &[Word],
    values: &[Named],
    source: &Source<'_>,
) -> Result<Reading, String> {
    let turn = said
        .iter()
        .rposition(|word| ["to", "into", "per", "as", "over"].contains(&word.folded.as_str()));
    let turn = turn.ok_or(
        "it does not say what is converted to what; the expression can be written by hand",
    )?;
    let length = |word: &Word| LENGTHS.iter().find(|(name, _)| *name == word.stem);
    let target = said.iter().skip(turn).find_map(length);
    let (target, to) = target
        .ok_or("it names no length of time to convert to; the expression can be written by hand")?;
    let lengths = values.iter().filter(|one| one.at < turn).filter_map(|one| {
        let (_, months) = said.get(one.at).and_then(length)?;
        Some((one, *months))
    });
    let named: Vec<_> = lengths.collect();
    let Some((first, _)) = named.first() else {
        let from = said.iter().take(turn).find_map(length);
        return Err(match from {
            Some((word, _)) => format!("no column of {} has a value '{word}'", source.name),
            None => {
                "it names no length of time to convert from; the expression can be written by hand"
                    .to_owned()
            }
        });
    };
    let column = first.column.clone();
    let mut cases = Vec::new();
    for (one, from) in named.iter().filter(|(one, _)| one.column == column) {
        cases.push((one.value.clone(), factor(*from, *to)));
    }
    let converted: Vec<String> = cases
        .iter()
        .map(|(value, factor)| format!("'{value}' {factor}"))
        .collect();
    let mut why = format!(
        "per {target}, by {column}: the amount of {}",
        listed(&converted)
    );
    // What is of another length and not named would be added as it is.
    let others = source.values_of(&column).unwrap_or_default().iter();
    let unlike: Vec<String> = others
        .filter(|value| !cases.iter().any(|(known, _)| known == *value))
        .filter(|value| {
            words(value)
                .iter()
                .all(|word| length(word).is_none_or(|(_, other)| other != to))
        })
        .map(|value| format!("'{value}'"))
        .collect();
    if !unlike.is_empty() {
        why.push_str(&format!(", but {} stays as it is", listed(&unlike)));
    }
    let left = left_over(said, values, &[], source);
    let left: Vec<String> = left
        .into_iter()
        .filter(|word| words(word).iter().all(|word| length(word).is_none()))
        .map(|word| format!("'{word}'"))
        .collect();
    if !left.is_empty() {
        why.push_str(&format!(
            ", but it does not take account of {}",
            listed(&left)
        ));
    }
    Ok(Reading {
        rule: rule.trim().to_owned(),
        means: Means::Conversion(source.name_of(&column), cases),
        why,
        sure: unlike.is_empty() && left.is_empty(),
    })
}

/// What an amount for one length is multiplied with to be one for another: `/ 12.0`.
fn factor(from: (u32, u32), to: (u32, u32)) -> String {
    let (above, below) = (to.0 * from.1, to.1 * from.0);
    match (above, below) {
        (above, below) if above == below => String::new(),
        (above, below) if below % above == 0 => format!("/ {}.0", below / above),
        (above, below) if above % below == 0 => format!("* {}.0", above / below),
        (above, below) => format!("* {above}.0 / {below}.0"),
    }
}

/// Each rule with what it means.
pub(super) fn offers(idea: &Idea, read: Vec<Reading>, amount: &Amount) -> Vec<Offer> {
    let id = |rule: &str| {
        let said: Vec<String> = words(rule).into_iter().map(|word| word.folded).collect();
        format!("rule: {}", said.join(" "))
    };
    let offers = read.into_iter().map(|reading| {
        let (text, why, sure) = match &reading.means {
            Means::Condition(text) => (text.clone(), reading.why, reading.sure),
            Means::Nothing => (String::new(), reading.why, false),
            Means::Conversion(..) if amount.column.is_none() => {
                let why = "there is no amount to convert: the measure counts".to_owned();
                (String::new(), why, false)
            }
            Means::Conversion(column, cases) => {
                let amount = amount.column.as_deref().unwrap_or_default();
                let cases: Vec<String> = cases
                    .iter()
                    .map(|(value, factor)| {
                        let value = value.replace('\'', "''");
                        format!("when '{value}' then {amount} {factor}")
                    })
                    .collect();
                let text = format!(
                    "amount: case {column} {} else {amount} end",
                    cases.join(" ")
                );
                (text, reading.why, reading.sure)
            }
        };
        let id = id(&reading.rule);
        let guess = idea.guesses.get(&id).filter(|_| !sure);
        let (text, why) = match guess {
            Some(guess) => {
                let by = &guess.by;
                let why = format!("proposed by {by}, a language model, as the rule {why}");
                (guess.text.clone(), why)
            }
            None => (text, why),
        };
        let is_empty = text.is_empty();
        let mut offer = Offer::decided(OfferKind::Rule, id, text, why, sure, idea);
        if is_empty && offer.text.is_empty() {
            offer.state = super::State::Refused;
        }
        offer.waits = !sure && !idea.choices.contains_key(&offer.id);
        offer.about = reading.rule;
        offer
    });
    offers.collect()
}
