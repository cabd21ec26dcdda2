//! Seller tools on subscription: who took out which, and the monthly ledger.

use jiff::ToSpan;
use jiff::civil::Date as CivilDate;

use super::people::seller;
use super::random::Rng;
use super::table::{number, table, text, usd};
use super::world::{Day, MARKETS, MEMORY, Market};
use super::{DemoError, Output, contracts};
use crate::model::ColumnType::{Date, Integer, Number, Text};
use crate::warehouse::Cell;

/// Subscriptions taken out on an average day in all markets, before growth.
const DAILY_STARTS: f64 = 1.2;

/// A plan: name, monthly price in cents, share of new subscriptions, probability per month to leave.
type Plan = (&'static str, f64, f64, f64);

const BASIC: Plan = ("Basic", 900.0, 0.58, 0.042);
const PLUS: Plan = ("Plus", 1900.0, 0.3, 0.027);
const PRO: Plan = ("Pro", 4900.0, 0.12, 0.017);

/// The longest a subscription runs, in months; shorter than the marketplace's memory.
const LONGEST: usize = 60;

/// One month of one subscription, in cents.
#[derive(Default)]
pub(super) struct Month {
    pub start: CivilDate,
    pub opening: i64,
    new: i64,
    expansion: i64,
    contraction: i64,
    churned: i64,
}

impl Month {
    pub(super) fn closing(&self) -> i64 {
        self.opening + self.new + self.expansion - self.contraction - self.churned
    }
}

pub(super) struct Subscription {
    pub id: u64,
    pub seller: u64,
    pub plan: &'static str,
    pub market: &'static Market,
    started: Day,
    ended: Option<(CivilDate, &'static str)>,
    pub months: Vec<Month>,
}

impl Subscription {
    /// The months from `first` on that are over.
    pub(super) fn known(&self, first: Day, today: Day) -> impl Iterator<Item = &Month> {
        let this_month = today.date.first_of_month();
        let months = self.months.iter();
        months.filter(move |month| month.start >= first.date && month.start < this_month)
    }
}

/// Every subscription that may have run on the first day or later, as far as it is known on the last one.
fn subscriptions(first: Day, today: Day) -> Vec<Subscription> {
    let mut all = Vec::new();
    for day in first.back(MEMORY).until(today) {
        for market in &MARKETS {
            let mut rng = Rng::of("subscriptions", day.number, market.index);
            let mean = DAILY_STARTS * market.headcount() / 12.0 * day.growth(market).sqrt();
            for slot in 0..rng.count(mean).min(8) {
                let id = (day.number * MARKETS.len() as u64 + market.index) * 8 + slot + 1;
                all.push(subscription(id, day, market, today, &mut rng));
            }
        }
    }
    all
}

fn subscription(
    id: u64,
    started: Day,
    market: &'static Market,
    today: Day,
    rng: &mut Rng,
) -> Subscription {
    // A stream of its own: how a subscription goes on must not depend on how long it has been watched.
    let mut life = Rng::of("subscription", id, 0);
    let (plan, price, _, leaving) = life.choose(&[(BASIC, BASIC.2), (PLUS, PLUS.2)], PRO);
    let price = (price * (0.6 + 0.5 * market.prices)) as i64;
    let mut start = started.date.first_of_month();
    let mut months = vec![Month {
        start,
        new: price,
        ..Month::default()
    }];
    let mut current = price;
    let mut ended = None;
    while ended.is_none() {
        start = start.saturating_add(1.month());
        if start > today.date {
            break;
        }
        let mut month = Month {
            start,
            opening: current,
            ..Month::default()
        };
        if life.chance(leaving) || months.len() >= LONGEST {
            month.churned = current;
            let day = start.saturating_add((life.below(28) as i64).days());
            let reason = life.choose(
                &[
                    ("Price", 0.38),
                    ("Shop closed", 0.27),
                    ("Missing feature", 0.2),
                ],
                "No reason given",
            );
            ended = Some((day, reason));
        } else if life.chance(0.075) {
            month.expansion = (current as f64 * life.between(0.15, 0.55)) as i64;
        } else if life.chance(0.025) {
            month.contraction = (current as f64 * life.between(0.1, 0.3)) as i64;
        }
        current += month.expansion - month.contraction - month.churned;
        months.push(month);
    }
    let ended = ended.filter(|(day, _)| *day <= today.date);
    Subscription {
        id,
        seller: seller(started, market, rng),
        plan,
        market,
        started,
        ended,
        months,
    }
}

/// The subscriptions, their contracts, and the ledger of the months from `first` on that are over.
pub(super) fn write(first: Day, today: Day, out: &mut Output<'_>) -> Result<(), DemoError> {
    let subscriptions = subscriptions(first, today);
    out.table(&table(
        "subscriptions",
        &[
            ("subscription_id", Integer),
            ("seller_id", Integer),
            ("plan", Text),
            ("grass_region", Text),
            ("started_on", Date),
            ("ended_on?", Date),
            ("cancel_reason?", Text),
        ],
        &["subscription_id"],
    ))?;
    for subscription in &subscriptions {
        out.row(&[
            number(subscription.id),
            number(subscription.seller),
            Cell::Text(subscription.plan),
            Cell::Text(subscription.market.code),
            Cell::Date(subscription.started.date),
            subscription
                .ended
                .map_or(Cell::Null, |(day, _)| Cell::Date(day)),
            text(subscription.ended.map(|(_, reason)| reason)),
        ])?;
    }
    out.table(&table(
        "subscription_months",
        &[
            ("month", Date),
            ("subscription_id", Integer),
            ("plan", Text),
            ("grass_region", Text),
            ("opening_mrr_usd", Number),
            ("new_mrr_usd", Number),
            ("expansion_mrr_usd", Number),
            ("contraction_mrr_usd", Number),
            ("churned_mrr_usd", Number),
            ("closing_mrr_usd", Number),
        ],
        &["month", "subscription_id"],
    ))?;
    for subscription in &subscriptions {
        for month in subscription.known(first, today) {
            out.row(&[
                Cell::Date(month.start),
                number(subscription.id),
                Cell::Text(subscription.plan),
                Cell::Text(subscription.market.code),
                usd(month.opening),
                usd(month.new),
                usd(month.expansion),
                usd(month.contraction),
                usd(month.churned),
                usd(month.closing()),
            ])?;
        }
    }
    contracts::write(&subscriptions, first, today, out)
}
