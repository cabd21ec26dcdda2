//! Which of the findings are causes, and which one is named first.

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Kind, Movement};
use super::noise::stand_out;

/// The share of named causes that may be there by chance.
pub const FALSE_CAUSES: f64 = 0.005;

/// A cause explains at least this share of the change beyond what is usual.
const LEAST_SHARE: f64 = 0.25;

/// Of a change within the usual variation, a cause is at least so many of its spreads.
const BEYOND: f64 = 0.5;

/// Of a sum, the mix is the cause rather than its segments where it moved the average so many times as much as the volume.
const SHIFTED: f64 = 2.0;

/// Causes that explain the change nearly as well as the best are told apart by their kind.
const NEARLY: f64 = 0.3;

/// A finding that stands out, with how well it explains the change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The finding.
    pub finding: Finding,
    /// 1 where it is all of the change, 0 where it explains nothing or is twice as large.
    pub fit: f64,
    /// Its share of the change beyond what is usual.
    pub share: f64,
}

/// What came of all findings about one change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    /// The causes, the one to name first; none where nothing stands out.
    pub causes: Vec<Cause>,
    /// Whether the change itself is beyond its usual variation.
    pub is_unusual: bool,
    /// How many findings were tested together.
    pub tested: usize,
}

/// Looks at all findings together: only what stands out of all of them, and is large enough, is a cause.
pub fn judge(movement: &Movement, findings: &[Finding]) -> Verdicts {
    let whole = movement.chance;
    // The few questions about the whole would drown among those about every segment: they are a family of their own.
    let is_of_all = |finding: &&Finding| matches!(finding.kind, Kind::Rate | Kind::Volume);
    let tested = findings.iter().filter(|one| one.chance.is_some());
    let (of_all, of_parts): (Vec<&Finding>, Vec<&Finding>) = tested.partition(is_of_all);
    let chances =
        |family: &[&Finding]| -> Vec<f64> { family.iter().filter_map(|one| one.chance).collect() };
    let in_all: Vec<f64> = whole.into_iter().chain(chances(&of_all)).collect();
    let out = stand_out(&in_all, FALSE_CAUSES);
    let is_unusual = whole.is_some() && out.first() == Some(&true);
    let mut out: Vec<bool> = out.into_iter().skip(usize::from(whole.is_some())).collect();
    out.extend(stand_out(&chances(&of_parts), FALSE_CAUSES));
    let tested: Vec<&Finding> = of_all.into_iter().chain(of_parts).collect();
    let count = tested.len() + usize::from(whole.is_some());
    let by_test = tested
        .into_iter()
        .zip(out)
        .filter(|(_, out)| *out)
        .map(|(one, _)| one);
    // What is known without a test: another meaning, missing rows, and where there is no history a segment that is gone.
    let by_itself = findings.iter().filter(|one| {
        one.chance.is_none() && (matches!(one.kind, Kind::Definition | Kind::Load) || one.is_dark)
    });
    let excess = movement.excess();
    let cause = |finding: &Finding| {
        let effect = finding.effect;
        // Another meaning changes what is remembered of before: it comes on top of the change by the meaning of now.
        let excess = match finding.kind {
            Kind::Definition => excess + effect,
            _ => excess,
        };
        let room = excess.abs().max(effect.abs());
        Cause {
            fit: match room > 0.0 {
                true => (1.0 - (excess - effect).abs() / room).max(0.0),
                false => 0.0,
            },
            share: match excess != 0.0 {
                true => effect / excess,
                false => 0.0,
            },
            finding: finding.clone(),
        }
    };
    let is_large = |cause: &Cause| {
        let beyond = movement.sigma.map_or(0.0, |sigma| BEYOND * sigma);
        let is_data = matches!(cause.finding.kind, Kind::Definition | Kind::Load);
        match is_unusual || movement.chance.is_none() || is_data {
            true => cause.share >= LEAST_SHARE,
            false => cause.finding.effect.abs() > beyond,
        }
    };
    let mut causes: Vec<Cause> = by_test
        .chain(by_itself)
        .map(cause)
        .filter(is_large)
        .collect();
    causes.sort_by(|one, other| other.fit.total_cmp(&one.fit));
    let volume = findings.iter().find(|one| one.kind == Kind::Volume);
    let is_shift = |finding: &Finding| {
        finding.kind == Kind::Mix
            && volume.is_some_and(|volume| finding.effect.abs() > SHIFTED * volume.effect.abs())
    };
    // What a segment lost went to another one: the segment alone is half of the story.
    let rank = |cause: &Cause| match is_shift(&cause.finding) {
        true => (Kind::Segment, 0),
        false => (cause.finding.kind, 1),
    };
    let best = causes.first().map_or(0.0, |cause| cause.fit);
    let is_near = |cause: &Cause| cause.fit >= best - NEARLY;
    causes.sort_by(|one, other| {
        let near = is_near(other).cmp(&is_near(one));
        let kind = match is_near(one) && is_near(other) {
            true => rank(one).cmp(&rank(other)),
            false => std::cmp::Ordering::Equal,
        };
        let weight = |cause: &Cause| cause.fit + cause.finding.surprise;
        let size = |cause: &Cause| cause.finding.effect.abs();
        near.then(kind)
            .then(weight(other).total_cmp(&weight(one)))
            .then(size(other).total_cmp(&size(one)))
    });
    Verdicts {
        causes,
        is_unusual,
        tested: count,
    }
}
