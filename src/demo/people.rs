//! Customers, sellers and account managers.

use std::ops::Range;

use super::random::Rng;
use super::table::{number, table};
use super::world::{Day, MARKETS, MEMORY, Market};
use super::{DemoError, Output};
use crate::model::ColumnType::{Boolean, Date, Integer, Text};
use crate::warehouse::Cell;

/// Customers that sign up on an average day.
const DAILY_SIGNUPS: f64 = 20.0;

/// Most customers that sign up in one market on one day; part of the customer's number.
const SLOTS: u64 = 40;

/// A registered customer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Customer(u64);

/// What the sign-up form said.
pub(super) struct Profile {
    pub segment: &'static str,
    acquisition_channel: &'static str,
    birth_year: Option<i64>,
    pub opt_in: bool,
    pub platform: &'static str,
}

impl Customer {
    /// The customer's number, as in `user_id`.
    pub(super) fn id<'a>(self) -> Cell<'a> {
        number(self.0)
    }

    pub(super) fn profile(self, market: &Market) -> Profile {
        let mut rng = Rng::of("customer", self.0, 0);
        Profile {
            segment: rng.choose(&[("SMB", 0.09), ("Enterprise", 0.015)], "Consumer"),
            acquisition_channel: rng.choose(&market.channels(), "organic"),
            birth_year: rng.chance(0.8).then(|| 2007 - rng.popular(48) as i64),
            opt_in: rng.chance(0.57),
            platform: rng.choose(&market.platforms(), "web"),
        }
    }

    /// How often the customer comes, between 0 and 1: many hardly ever, some every other day.
    fn engagement(self) -> f64 {
        let unit = Rng::of("engagement", self.0, 0).unit();
        0.04 + 0.96 * unit * unit * unit
    }
}

/// Everyone who has signed up, counted by day and market.
pub(super) struct Customers {
    /// Sign-ups of day `d` in market `m` at `d * 12 + m`.
    signups: Vec<u64>,
}

impl Customers {
    pub(super) fn until(today: Day) -> Self {
        let mut signups = Vec::new();
        for day in Day::numbered(0).until(today) {
            for market in &MARKETS {
                let mean = DAILY_SIGNUPS * market.weight * day.growth(market) * day.season(market);
                let count = Rng::of("signups", day.number, market.index).count(mean);
                signups.push(count.min(SLOTS));
            }
        }
        Self { signups }
    }

    /// The numbers of the customers who signed up on a day.
    fn numbers(&self, day: u64, market: &Market) -> Range<u64> {
        let cell = day * MARKETS.len() as u64 + market.index;
        let count = usize::try_from(cell)
            .ok()
            .and_then(|cell| self.signups.get(cell))
            .copied();
        let first = cell * SLOTS + 1;
        first..first + count.unwrap_or_default()
    }

    /// The customers who signed up on a day.
    pub(super) fn signed_up(&self, day: Day, market: &Market) -> impl Iterator<Item = Customer> {
        self.numbers(day.number, market).map(Customer)
    }

    /// Somebody who comes on this day: engaged customers and recent sign-ups are more likely. `None` in the rare case
    /// that nobody is found.
    pub(super) fn visitor(&self, day: Day, market: &Market, rng: &mut Rng) -> Option<Customer> {
        (0..400).find_map(|_| {
            let age = if rng.chance(0.3) {
                rng.popular(120)
            } else {
                rng.below(MEMORY.min(day.number + 1))
            };
            let numbers = self.numbers(day.number.saturating_sub(age), market);
            let customer = Customer(numbers.start + rng.below(numbers.end - numbers.start));
            (!numbers.is_empty() && rng.chance(customer.engagement())).then_some(customer)
        })
    }

    /// The customers who are remembered on the first day, and all later ones.
    pub(super) fn write(
        &self,
        first: Day,
        today: Day,
        out: &mut Output<'_>,
    ) -> Result<(), DemoError> {
        out.table(&table(
            "users",
            &[
                ("user_id", Integer),
                ("email", Text),
                ("grass_region", Text),
                ("segment", Text),
                ("signup_on", Date),
                ("acquisition_channel", Text),
                ("birth_year?", Integer),
                ("marketing_opt_in", Boolean),
            ],
            &["user_id"],
        ))?;
        for day in first.back(MEMORY).until(today) {
            for market in &MARKETS {
                for customer in self.signed_up(day, market) {
                    let profile = customer.profile(market);
                    out.row(&[
                        customer.id(),
                        Cell::Text(&format!("customer{}@example.com", customer.0)),
                        Cell::Text(market.code),
                        Cell::Text(profile.segment),
                        Cell::Date(day.date),
                        Cell::Text(profile.acquisition_channel),
                        profile.birth_year.map_or(Cell::Null, Cell::Integer),
                        Cell::Boolean(profile.opt_in),
                    ])?;
                }
            }
        }
        Ok(())
    }
}

/// Days between two shops opening in a market.
fn opening_interval(market: &Market) -> u64 {
    (1.0 / market.weight).round() as u64
}

/// How many shops a market has on a day.
fn sellers(day: Day, market: &Market) -> u64 {
    // The marketplace opened with a few shops everywhere.
    6 + day.number / opening_interval(market)
}

fn seller_id(market: &Market, shop: u64) -> u64 {
    (market.index + 1) * 10_000 + shop + 1
}

/// The shop that sells something on this day; old shops sell more.
pub(super) fn seller(day: Day, market: &Market, rng: &mut Rng) -> u64 {
    seller_id(market, rng.popular(sellers(day, market)))
}

const SHOP_COLOURS: [&str; 24] = [
    "Amber", "Azure", "Banyan", "Cedar", "Coral", "Crimson", "Ebony", "Emerald", "Ginger",
    "Indigo", "Ivory", "Jade", "Jasmine", "Lotus", "Mango", "Maple", "Olive", "Opal", "Orchid",
    "Pearl", "Saffron", "Sapphire", "Teal", "Willow",
];

const SHOP_PLACES: [&str; 16] = [
    "Arcade", "Atelier", "Bazaar", "Boutique", "Corner", "Depot", "Emporium", "Gallery", "Loft",
    "Nook", "Pantry", "Parlour", "Studio", "Trove", "Workshop", "Yard",
];

/// The name over a shop's door; no two are the same, and neighbours differ in both words.
fn shop_name(market: &Market, shop: u64) -> String {
    let pairs = (SHOP_COLOURS.len() * SHOP_PLACES.len()) as u64;
    // 25 and 384 share no factor: every pair comes up once before one comes up again.
    let at = (shop * 25 + market.index * 7) % pairs;
    let word = |words: &[&'static str], at: u64| {
        let at = usize::try_from(at).unwrap_or_default() % words.len();
        words.get(at).copied().unwrap_or_default()
    };
    let colour = word(&SHOP_COLOURS, at);
    let place = word(&SHOP_PLACES, at / SHOP_COLOURS.len() as u64);
    match shop / pairs {
        0 => format!("{colour} {place} {}", market.code),
        again => format!("{colour} {place} {} {}", market.code, again + 1),
    }
}

pub(super) fn write_sellers(today: Day, out: &mut Output<'_>) -> Result<(), DemoError> {
    out.table(&table(
        "sellers",
        &[
            ("seller_id", Integer),
            ("shop_name", Text),
            ("grass_region", Text),
            ("seller_tier", Text),
            ("onboarded_on", Date),
        ],
        &["seller_id"],
    ))?;
    for market in &MARKETS {
        for shop in 0..sellers(today, market) {
            let mut rng = Rng::of("seller", seller_id(market, shop), 0);
            out.row(&[
                number(seller_id(market, shop)),
                Cell::Text(&shop_name(market, shop)),
                Cell::Text(market.code),
                Cell::Text(rng.choose(&[("Mall", 0.12), ("Preferred", 0.31)], "Marketplace")),
                Cell::Date(Day::numbered(shop.saturating_sub(5) * opening_interval(market)).date),
            ])?;
        }
    }
    Ok(())
}

const FIRST_NAMES: [&str; 16] = [
    "Adi",
    "Ana",
    "Bruno",
    "Camila",
    "Dewi",
    "Diego",
    "Grace",
    "Hui Min",
    "Joana",
    "Lan",
    "Mateo",
    "Nok",
    "Paolo",
    "Siti",
    "Valentina",
    "Wei",
];

const LAST_NAMES: [&str; 12] = [
    "Almeida", "Chen", "Fuentes", "Garcia", "Lim", "Nguyen", "Pratama", "Reyes", "Santos", "Suwan",
    "Tan", "Wong",
];

const TEAMS: [&str; 4] = ["Brands", "Key Accounts", "Growth", "Cross-border"];

fn managers(market: &Market) -> u64 {
    (market.headcount() * 5.0).ceil() as u64
}

fn manager_id(market: &Market, position: u64) -> u64 {
    (market.index + 1) * 100 + position + 1
}

/// The account manager who takes an initiative of this market.
pub(super) fn account_manager(market: &Market, rng: &mut Rng) -> u64 {
    manager_id(market, rng.below(managers(market)))
}

pub(super) fn write_account_managers(out: &mut Output<'_>) -> Result<(), DemoError> {
    out.table(&table(
        "account_managers",
        &[
            ("am_id", Integer),
            ("am_name", Text),
            ("email", Text),
            ("team", Text),
            ("grass_region", Text),
        ],
        &["am_id"],
    ))?;
    let names = LAST_NAMES
        .iter()
        .flat_map(|last| FIRST_NAMES.map(|first| format!("{first} {last}")));
    // Every 13th of 192 names: no two are the same, and neighbours differ in both parts.
    let mut names = names.collect::<Vec<_>>().into_iter().cycle().step_by(13);
    let mut teams = TEAMS.iter().cycle();
    for market in &MARKETS {
        for (position, (name, team)) in
            (0..managers(market)).zip(names.by_ref().zip(teams.by_ref()))
        {
            let email = format!(
                "{}@marketplace.example",
                name.to_lowercase().replace(' ', ".")
            );
            out.row(&[
                number(manager_id(market, position)),
                Cell::Text(&name),
                Cell::Text(&email),
                Cell::Text(team),
                Cell::Text(market.code),
            ])?;
        }
    }
    Ok(())
}
