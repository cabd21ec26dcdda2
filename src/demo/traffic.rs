//! Who used the product on a day, which parts of it, and how many visits there were.

use jiff::civil::{Date as CivilDate, date};

use super::commerce::Load;
use super::people::{Customer, Customers};
use super::random::Rng;
use super::table::{number, table};
use super::world::{Day, MARKETS, Market};
use super::{DemoError, Output};
use crate::model::ColumnType::{Date, Integer, Text};
use crate::warehouse::Cell;

/// Signed-in users on an average day in all markets, before growth, besides those who order or sign up.
const DAILY_BROWSERS: f64 = 290.0;

/// First day of the module tracking.
const MODULES_SINCE: CivilDate = date(2025, 10, 1);

/// Parts of the product besides home, with the share of users who open them on a day.
const MODULES: [(&str, f64); 5] = [
    ("search", 0.37),
    ("live", 0.1),
    ("feed", 0.14),
    ("games", 0.07),
    ("chat", 0.11),
];

/// Channels of visits, with orders per visit.
const CONVERSION: [(&str, f64); 5] = [
    ("organic", 0.041),
    ("ads", 0.027),
    ("affiliate", 0.035),
    ("social", 0.018),
    ("email", 0.058),
];

/// The signed-in users of a day with their market, each once.
pub(super) struct Audience {
    day: Day,
    users: Vec<(&'static Market, Customer)>,
}

/// Who was active on each day: those who ordered, those who signed up, and those who looked around.
pub(super) fn audiences(loads: &[Load], customers: &Customers) -> Vec<Audience> {
    loads.iter().map(|load| audience(load, customers)).collect()
}

fn audience(Load { day, orders }: &Load, customers: &Customers) -> Audience {
    let day = *day;
    let buyers = orders.iter().filter(|order| !order.late);
    let mut users: Vec<_> = buyers.map(|order| (order.market, order.customer)).collect();
    for market in &MARKETS {
        users.extend(
            customers
                .signed_up(day, market)
                .map(|customer| (market, customer)),
        );
        let mut rng = Rng::of("active", day.number, market.index);
        // People look around more on campaign days, but not as much more as they order.
        let mean = DAILY_BROWSERS * market.weight * day.growth(market) * day.season(market).sqrt();
        let visitors = (0..rng.count(mean)).map(|_| customers.visitor(day, market, &mut rng));
        users.extend(visitors.flatten().map(|customer| (market, customer)));
    }
    users.sort_unstable_by_key(|(market, customer)| (market.index, *customer));
    users.dedup_by_key(|(_, customer)| *customer);
    Audience { day, users }
}

pub(super) fn write_platform_activity(
    audiences: &[Audience],
    out: &mut Output<'_>,
) -> Result<(), DemoError> {
    out.table(&table(
        "platform_activity",
        &[
            ("user_id", Integer),
            ("grass_region", Text),
            ("active_on", Date),
            ("platform", Text),
        ],
        &[],
    ))?;
    for Audience { day, users } in audiences {
        let mut rng = Rng::of("platform", day.number, 0);
        for (market, customer) in users {
            let platform = customer.profile(market).platform;
            let second = (platform != "web" && rng.chance(0.06)).then_some("web");
            for platform in [Some(platform), second].into_iter().flatten() {
                out.row(&[
                    customer.id(),
                    Cell::Text(market.code),
                    Cell::Date(day.date),
                    Cell::Text(platform),
                ])?;
            }
        }
    }
    Ok(())
}

pub(super) fn write_module_activity(
    audiences: &[Audience],
    out: &mut Output<'_>,
) -> Result<(), DemoError> {
    out.table(&table(
        "module_activity",
        &[
            ("user_id", Integer),
            ("grass_region", Text),
            ("active_on", Date),
            ("module", Text),
        ],
        &[],
    ))?;
    for Audience { day, users } in audiences
        .iter()
        .filter(|audience| audience.day.date >= MODULES_SINCE)
    {
        let mut rng = Rng::of("modules", day.number, 0);
        for (market, customer) in users {
            // One user in ten lands beside the home page, from a link.
            let home = rng.chance(0.9).then_some("home");
            let others = MODULES.map(|(module, share)| rng.chance(share).then_some(module));
            for module in home.into_iter().chain(others.into_iter().flatten()) {
                out.row(&[
                    customer.id(),
                    Cell::Text(market.code),
                    Cell::Date(day.date),
                    Cell::Text(module),
                ])?;
            }
        }
    }
    Ok(())
}

pub(super) fn write_daily(
    days: impl Iterator<Item = Day>,
    out: &mut Output<'_>,
) -> Result<(), DemoError> {
    out.table(&table(
        "traffic_daily",
        &[
            ("visited_on", Date),
            ("grass_region", Text),
            ("channel", Text),
            ("platform", Text),
            ("visits", Integer),
            ("product_views", Integer),
            ("cart_adds", Integer),
            ("bounces", Integer),
        ],
        &[],
    ))?;
    for day in days {
        for market in &MARKETS {
            let mut rng = Rng::of("visits", day.number, market.index);
            // On campaign days more of the visitors buy.
            let lift = day.campaign(market).1.sqrt();
            for (channel, conversion) in CONVERSION {
                let share = share(&market.channels(), channel);
                for (platform, ease) in [("android", 1.0), ("ios", 1.12), ("web", 0.8)] {
                    let orders =
                        day.demand(market) * share * self::share(&market.platforms(), platform);
                    let visits = rng.count(orders / (conversion * market.conversion * ease * lift));
                    let per_visit = |rate: f64, rng: &mut Rng| rng.count(visits as f64 * rate);
                    out.row(&[
                        Cell::Date(day.date),
                        Cell::Text(market.code),
                        Cell::Text(channel),
                        Cell::Text(platform),
                        number(visits),
                        number(per_visit(6.4 * ease, &mut rng)),
                        number(per_visit(0.115 * ease * lift, &mut rng)),
                        number(per_visit(0.38 / ease, &mut rng).min(visits)),
                    ])?;
                }
            }
        }
    }
    Ok(())
}

/// The probability of `name`; what the others leave where it is not listed.
fn share(options: &[(&str, f64)], name: &str) -> f64 {
    let listed = options.iter().find(|(option, _)| *option == name);
    listed.map_or_else(
        || 1.0 - options.iter().map(|(_, share)| share).sum::<f64>(),
        |(_, share)| *share,
    )
}
