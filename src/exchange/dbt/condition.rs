//! dbt's conditions into SQL over a dataset: `{{ Dimension('listing__country') }} = 'us'` is `listing.country = 'us'`.

use super::links::name_for;
use super::manifest::{Manifest, Model};
use crate::model::{DimensionType, Grain};

/// What stands between `{{` and `}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// A dimension or an entity: entities that lead there, then its name.
    Item {
        path: Vec<String>,
        grain: Option<String>,
        part: Option<String>,
    },
    /// A metric of each value of an entity.
    Metric { name: String, per: Vec<String> },
}

/// A piece of a condition.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Reference(Reference),
}

/// Splits a condition into SQL and references.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, after) = after
            .split_once("}}")
            .ok_or_else(|| format!("'{{{{' without '}}}}' in {text}"))?;
        found.push(Piece::Text(before));
        found.push(Piece::Reference(reference(inside)?));
        rest = after;
    }
    found.push(Piece::Text(rest));
    Ok(found)
}

/// Reads `Dimension('a__b').grain('month')` and its kin.
pub(super) fn reference(text: &str) -> Result<Reference, String> {
    let wrong = || format!("'{}' is not understood", text.trim());
    let (call, rest) = text.trim().split_once('(').ok_or_else(wrong)?;
    let (arguments, rest) = rest.split_once(')').ok_or_else(wrong)?;
    let (positional, named) = arguments_of(arguments);
    let name = positional
        .first()
        .and_then(|words| words.first())
        .ok_or_else(wrong)?;
    let of = |key: &str| {
        named
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, words)| words.clone())
    };
    if call.trim() == "Metric" {
        let per = of("group_by").or_else(|| positional.get(1).cloned());
        return Ok(Reference::Metric {
            name: name.clone(),
            per: per.unwrap_or_default(),
        });
    }
    if !["Dimension", "TimeDimension", "Entity"].contains(&call.trim()) {
        return Err(wrong());
    }
    let mut path = of("entity_path").unwrap_or_default();
    path.extend(name.split("__").map(str::to_owned));
    let second = (call.trim() == "TimeDimension")
        .then(|| positional.get(1).and_then(|words| words.first()).cloned())
        .flatten();
    let mut grain = second.or_else(|| of("time_granularity_name").and_then(|w| w.first().cloned()));
    let mut part = of("date_part_name").and_then(|words| words.first().cloned());
    for method in rest.split('.').filter(|method| !method.trim().is_empty()) {
        let (method, argument) = method.split_once('(').ok_or_else(wrong)?;
        let argument = argument.trim_matches([')', '\'', '"', ' ']).to_lowercase();
        match method.trim() {
            "grain" => grain = Some(argument),
            "date_part" => part = Some(argument),
            "descending" => {}
            _ => return Err(wrong()),
        }
    }
    Ok(Reference::Item {
        path,
        grain: grain.map(|grain| grain.to_lowercase()),
        part,
    })
}

type Arguments = (Vec<Vec<String>>, Vec<(String, Vec<String>)>);

/// The quoted words of each argument of a call, positional and named.
fn arguments_of(text: &str) -> Arguments {
    let (mut positional, mut named) = (Vec::new(), Vec::new());
    let mut depth = 0_i32;
    let arguments = text.split(|c: char| {
        match c {
            '[' | '(' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    for argument in arguments {
        let words: Vec<String> = argument
            .split(['\'', '"'])
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        match argument.split_once('=') {
            Some((key, _)) if !key.contains(['\'', '"']) => {
                named.push((key.trim().to_owned(), words));
            }
            _ if argument.trim().is_empty() => {}
            _ => positional.push(words),
        }
    }
    (positional, named)
}

/// A condition as SQL over a model's dataset; `time` is the dimension that `metric_time` stands for.
pub(super) fn sql(
    manifest: &Manifest,
    model: &Model,
    time: Option<&str>,
    text: &str,
) -> Result<String, String> {
    let mut out = String::new();
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Reference(reference) => out.push_str(&name(manifest, model, time, &reference)?),
        }
    }
    Ok(out.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn name(
    manifest: &Manifest,
    model: &Model,
    time: Option<&str>,
    reference: &Reference,
) -> Result<String, String> {
    let (path, grain, part) = match reference {
        Reference::Metric { name, per } => {
            let [per] = per.as_slice() else {
                return Err(format!("a condition on {name} by {} entities", per.len()));
            };
            let path: Vec<&str> = per.split("__").collect();
            let per = name_for(manifest, model, &path)
                .ok_or_else(|| format!("{} does not lead to the entity {per}", model.name))?;
            return Ok(format!("{name} per {per}"));
        }
        Reference::Item { path, grain, part } => (path, grain, part),
    };
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let found = if path == ["metric_time"] {
        time.map(str::to_owned)
    } else {
        name_for(manifest, model, &path)
    };
    let found =
        found.ok_or_else(|| format!("{} does not lead to {}", model.name, path.join("__")))?;
    if let Some(part) = part {
        return Ok(format!("extract({part} from {found})"));
    }
    match grain.as_deref() {
        None | Some("day" | "second" | "millisecond" | "microsecond" | "nanosecond") => Ok(found),
        Some(grain) if Grain::from_word(grain).is_none() => Ok(format!("{found}.{grain}")),
        Some(grain) => Ok(format!("date_trunc('{grain}', {found})")),
    }
}

/// What conditions show of the dimensions they name: compared with numbers, or true by themselves.
pub(super) fn shown_types(text: &str) -> Vec<(Vec<String>, DimensionType)> {
    let Ok(pieces) = pieces(text) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let Piece::Reference(Reference::Item {
            path,
            grain: None,
            part: None,
        }) = piece
        else {
            continue;
        };
        let side = |at: Option<usize>| match at.and_then(|at| pieces.get(at)) {
            Some(Piece::Text(text)) => text.trim().to_lowercase(),
            _ => String::new(),
        };
        let (before, after) = (side(at.checked_sub(1)), side(Some(at + 1)));
        let ends = |text: &str| {
            text.is_empty()
                || text.starts_with(')')
                || text.starts_with("and ")
                || text.starts_with("or ")
        };
        let begins = |text: &str| {
            text.is_empty()
                || text.ends_with('(')
                || ["and", "or", "not"].iter().any(|word| text.ends_with(word))
        };
        let operand = after.trim_start_matches(['=', '<', '>', '!']).trim();
        let is_compared = operand.len() < after.len();
        let kind = if is_compared && (operand.starts_with("true") || operand.starts_with("false")) {
            DimensionType::Boolean
        } else if is_compared && operand.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            DimensionType::Number
        } else if ends(&after) && begins(&before) {
            DimensionType::Boolean
        } else {
            continue;
        };
        found.push((path.clone(), kind));
    }
    found
}
