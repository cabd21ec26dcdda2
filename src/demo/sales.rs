//! Sales initiatives and the phases they go through.

use super::people::account_manager;
use super::random::Rng;
use super::table::{number, table, text, usd};
use super::world::{Day, MARKETS, Market};
use super::{DemoError, Output};
use crate::model::ColumnType::{Date, Integer, Number, Text};
use crate::warehouse::Cell;

/// Initiatives begun on an average day in all markets.
const DAILY_STARTS: f64 = 6.5;

/// Longest life of an initiative in days.
const LONGEST: u64 = 180;

struct Initiative {
    id: i64,
    kind: &'static str,
    market: &'static Market,
    owner: u64,
    vertical: Option<&'static str>,
    value_cents: Option<i64>,
    /// Phases with the day they were reached.
    phases: Vec<(&'static str, Day)>,
}

fn initiatives(day: Day) -> Vec<Initiative> {
    let mut all = Vec::new();
    let total: f64 = MARKETS.iter().map(Market::headcount).sum();
    for market in &MARKETS {
        let mut rng = Rng::of("initiatives", day.number, market.index);
        for _ in 0..rng.count(DAILY_STARTS * market.headcount() / total) {
            let id = day.digits() * 100 + all.len() as i64 + 1;
            all.push(initiative(id, day, market, &mut rng));
        }
    }
    all
}

fn initiative(id: i64, day: Day, market: &'static Market, rng: &mut Rng) -> Initiative {
    let kind = rng.choose(
        &[("CLI", 0.56), ("PARTNERSHIP", 0.19), ("TRAINING", 0.13)],
        "CAMPAIGN",
    );
    let mut phases = vec![("IDENTIFIED", day)];
    let mut reached = day.number;
    for (phase, goes_on) in [("QUALIFIED", 0.86), ("PROPOSAL", 0.9), ("CLOSED", 0.93)] {
        if !rng.chance(goes_on) {
            break;
        }
        reached += 3 + rng.popular(LONGEST / 3 - 3);
        phases.push((phase, Day::numbered(reached)));
        // Markets that grow fast sign more easily.
        if phase == "CLOSED" && kind == "CLI" && rng.chance(0.24 + 0.13 * market.pace) {
            phases.push(("CLOSED_WON", Day::numbered(reached)));
        }
    }
    let value = rng.between(4.0, 30.0);
    Initiative {
        id,
        kind,
        market,
        owner: account_manager(market, rng),
        vertical: rng.choose(
            &[
                (Some("FMCG"), 0.3),
                (Some("Fashion"), 0.27),
                (Some("Electronics"), 0.22),
                (Some("Lifestyle"), 0.17),
            ],
            None,
        ),
        value_cents: rng
            .chance(0.94)
            .then_some((value * value * (0.5 + market.prices) * 400.0) as i64),
        phases,
    }
}

/// The phases reached from `first` to `today`.
pub(super) fn write_initiatives(
    first: Day,
    today: Day,
    out: &mut Output<'_>,
) -> Result<(), DemoError> {
    out.table(&table(
        "initiatives_fct",
        &[
            ("initiative_id", Integer),
            ("phase", Text),
            ("phase_on", Date),
            ("created_on", Date),
            ("initiative_type", Text),
            ("region", Text),
            ("owner_id", Integer),
            ("vertical?", Text),
            ("value_usd?", Number),
            ("days_open", Integer),
        ],
        &["initiative_id", "phase"],
    ))?;
    for created in first.back(LONGEST).until(today) {
        for initiative in initiatives(created) {
            let known = |day: &Day| (first.number..=today.number).contains(&day.number);
            for (phase, day) in initiative.phases.iter().filter(|(_, day)| known(day)) {
                out.row(&[
                    Cell::Integer(initiative.id),
                    Cell::Text(phase),
                    Cell::Date(day.date),
                    Cell::Date(created.date),
                    Cell::Text(initiative.kind),
                    Cell::Text(initiative.market.code),
                    number(initiative.owner),
                    text(initiative.vertical),
                    initiative.value_cents.map_or(Cell::Null, usd),
                    number(day.number - created.number),
                ])?;
            }
        }
    }
    Ok(())
}
