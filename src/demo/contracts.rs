//! The contracts behind subscriptions, month by month, as billing knows them: in what state, billed how often, how much.

use super::random::Rng;
use super::subscriptions::{Month, Subscription};
use super::table::{number, table, usd};
use super::world::Day;
use super::{DemoError, Output};
use crate::model::ColumnType::{Date, Integer, Number, Text};
use crate::warehouse::Cell;

/// Share of the contracts that are billed once a year.
const ANNUAL: f64 = 0.32;
/// Share of the contracts whose first month is free.
const TRIALS: f64 = 0.35;
/// Share of the bills of a month that are paid late.
const LATE: f64 = 0.04;

/// The contracts of all subscriptions in the months from `first` on that are over.
pub(super) fn write(
    subscriptions: &[Subscription],
    first: Day,
    today: Day,
    out: &mut Output<'_>,
) -> Result<(), DemoError> {
    out.table(&table(
        "contract_months",
        &[
            ("month", Date),
            ("contract_id", Integer),
            ("subscription_id", Integer),
            ("seller_id", Integer),
            ("grass_region", Text),
            ("plan", Text),
            ("status", Text),
            ("billing_interval", Text),
            ("amount_usd", Number),
        ],
        &["month", "contract_id"],
    ))?;
    for subscription in subscriptions {
        // Streams of their own: the other tables stay what they are without this one.
        let mut terms = Rng::of("contract", subscription.id, 0);
        let (annual, trial) = (terms.chance(ANNUAL), terms.chance(TRIALS));
        for month in subscription.known(first, today) {
            let price = match month.closing() {
                0 => month.opening,
                closing => closing,
            };
            out.row(&[
                Cell::Date(month.start),
                number(subscription.id + 700_000_000),
                number(subscription.id),
                number(subscription.seller),
                Cell::Text(subscription.market.code),
                Cell::Text(subscription.plan),
                Cell::Text(status(subscription.id, month, trial)),
                Cell::Text(if annual { "annual" } else { "monthly" }),
                usd(if annual { price * 12 } else { price }),
            ])?;
        }
    }
    Ok(())
}

/// The state of a contract when a month closed.
fn status(id: u64, month: &Month, trial: bool) -> &'static str {
    let of_month = (month.start.year().unsigned_abs(), month.start.month());
    let number = u64::from(of_month.0) * 12 + u64::from(of_month.1.unsigned_abs());
    if month.closing() == 0 {
        "cancelled"
    } else if month.opening == 0 && trial {
        "trialing"
    } else if Rng::of("contract month", id, number).chance(LATE) {
        "past_due"
    } else {
        "active"
    }
}
