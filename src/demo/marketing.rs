//! Marketing contacts with customers, and the orders they share the credit for.

use jiff::ToSpan;
use jiff::civil::DateTime;

use super::commerce::Load;
use super::people::{Customer, Customers};
use super::random::Rng;
use super::table::{table, usd};
use super::world::MARKETS;
use super::{DemoError, Output};
use crate::model::ColumnType::{Integer, Number, Text, Timestamp};
use crate::warehouse::Cell;

/// Contacts that lead to no order, per order.
const IDLE_CONTACTS: f64 = 0.4;

struct Contact {
    channel: &'static str,
    kind: &'static str,
    cost_cents: i64,
}

fn contact(rng: &mut Rng) -> Contact {
    let channel = rng.choose(
        &[
            ("ads", 0.36),
            ("social", 0.24),
            ("push", 0.18),
            ("email", 0.12),
        ],
        "affiliate",
    );
    let (kind, cost) = match channel {
        "ads" => (rng.choose(&[("click", 0.6)], "impression"), 62.0),
        "social" => (rng.choose(&[("click", 0.4)], "impression"), 38.0),
        "affiliate" => ("click", 85.0),
        "push" => ("open", 7.0),
        _ => ("open", 15.0),
    };
    let cost_cents = (cost * rng.between(0.5, 1.6)).max(1.0) as i64;
    Contact {
        channel,
        kind,
        cost_cents,
    }
}

/// An order that contacts led to: its key, its value, and this contact's place among them.
struct Credit {
    order: i64,
    amount_cents: i64,
    position: i64,
    contacts: i64,
}

pub(super) fn write_touchpoints(
    loads: &[Load],
    customers: &Customers,
    out: &mut Output<'_>,
) -> Result<(), DemoError> {
    out.table(&table(
        "touchpoints",
        &[
            ("touchpoint_id", Integer),
            ("user_id", Integer),
            ("order_id?", Integer),
            ("grass_region", Text),
            ("channel", Text),
            ("touch_type", Text),
            ("position?", Integer),
            ("weight?", Number),
            ("attributed_gmv_usd?", Number),
            ("cost_usd", Number),
            ("happened_at", Timestamp),
        ],
        &["touchpoint_id"],
    ))?;
    for Load { day, orders } in loads {
        let day = *day;
        let mut rng = Rng::of("contacts", day.number, 0);
        let mut id = day.digits() * 10_000;
        for order in orders
            .iter()
            .filter(|order| !order.late && !order.cancelled)
        {
            if !order.customer.profile(order.market).opt_in || !rng.chance(0.52) {
                continue;
            }
            let contacts: i64 = rng.choose(&[(1, 0.5), (2, 0.3), (3, 0.13)], 4);
            // The first contact is the longest ago; all are on the day of the order.
            let morning = day.date.at(0, 0, 0, 0);
            let seconds = morning.duration_until(order.created).as_secs();
            for position in 1..=contacts {
                id += 1;
                let share = seconds * position / (contacts + 1);
                let credit = Credit {
                    order: order.key,
                    amount_cents: order.amount_cents,
                    position,
                    contacts,
                };
                let at = morning.saturating_add(share.seconds());
                row(
                    id,
                    order.customer,
                    order.market.code,
                    at,
                    Some(credit),
                    &contact(&mut rng),
                    out,
                )?;
            }
        }
        for market in &MARKETS {
            for _ in 0..rng.count(day.demand(market) * IDLE_CONTACTS) {
                let Some(customer) = customers.visitor(day, market, &mut rng) else {
                    continue;
                };
                if !customer.profile(market).opt_in {
                    continue;
                }
                id += 1;
                let at = day
                    .date
                    .at(0, 0, 0, 0)
                    .saturating_add((rng.below(86_400) as i64).seconds());
                row(id, customer, market.code, at, None, &contact(&mut rng), out)?;
            }
        }
    }
    Ok(())
}

fn row(
    id: i64,
    customer: Customer,
    market: &str,
    at: DateTime,
    credit: Option<Credit>,
    contact: &Contact,
    out: &mut Output<'_>,
) -> Result<(), DemoError> {
    let credit = credit.map(|credit| {
        [
            Cell::Integer(credit.order),
            Cell::Integer(credit.position),
            Cell::Number(1.0 / credit.contacts as f64),
            Cell::Number(credit.amount_cents as f64 / 100.0 / credit.contacts as f64),
        ]
    });
    let [order, position, weight, value] =
        credit.unwrap_or([Cell::Null, Cell::Null, Cell::Null, Cell::Null]);
    out.row(&[
        Cell::Integer(id),
        customer.id(),
        order,
        Cell::Text(market),
        Cell::Text(contact.channel),
        Cell::Text(contact.kind),
        position,
        weight,
        value,
        usd(contact.cost_cents),
        Cell::Timestamp(at),
    ])
}
