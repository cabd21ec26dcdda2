//! Products, orders and their items.

use jiff::civil::DateTime;

use super::people::{Customer, Customers, seller};
use super::random::Rng;
use super::table::{number, table, text, usd};
use super::world::{Day, MARKETS, Market};
use super::{DemoError, Output};
use crate::model::ColumnType::{Boolean, Integer, Number, Text, Timestamp};
use crate::warehouse::Cell;

/// Products per category.
const RANGE: u64 = 120;

/// A category: name, cheapest and dearest product in dollars, share of the items sold.
type Category = (&'static str, f64, f64, f64);

const CATEGORIES: [Category; 8] = [
    ("Fashion", 5.0, 48.0, 0.26),
    ("Beauty", 4.0, 42.0, 0.18),
    ("Groceries", 2.0, 28.0, 0.18),
    ("Home & Living", 6.0, 95.0, 0.15),
    ("Toys & Baby", 5.0, 60.0, 0.08),
    ("Electronics", 15.0, 420.0, 0.07),
    ("Sports & Outdoor", 8.0, 115.0, 0.05),
    ("Automotive", 7.0, 160.0, 0.03),
];

struct Product {
    id: u64,
    category: &'static str,
    brand_tier: Option<&'static str>,
    list_cents: i64,
}

/// A product by category and position.
fn product(category: u64, position: u64) -> Product {
    let id = (category + 1) * 1000 + position + 1;
    let mut rng = Rng::of("product", id, 0);
    let index = usize::try_from(category).unwrap_or_default();
    let (category, low, high, _) = CATEGORIES.get(index).copied().unwrap_or(CATEGORIES[0]);
    let brand_tier = rng.choose(
        &[
            (Some("Official"), 0.22),
            (Some("Established"), 0.33),
            (None, 0.04),
        ],
        Some("Unbranded"),
    );
    // Most products are cheap, few are dear.
    let unit = rng.unit();
    let list_cents = ((low + (high - low) * unit * unit * unit) * 100.0) as i64;
    Product {
        id,
        category,
        brand_tier,
        list_cents,
    }
}

pub(super) fn write_products(out: &mut Output<'_>) -> Result<(), DemoError> {
    out.table(&table(
        "products",
        &[
            ("product_id", Integer),
            ("category", Text),
            ("brand_tier?", Text),
            ("list_price_usd", Number),
        ],
        &["product_id"],
    ))?;
    for category in 0..CATEGORIES.len() as u64 {
        for position in 0..RANGE {
            let product = product(category, position);
            out.row(&[
                number(product.id),
                Cell::Text(product.category),
                text(product.brand_tier),
                usd(product.list_cents),
            ])?;
        }
    }
    Ok(())
}

/// A product in an order.
struct Item {
    product: u64,
    quantity: i64,
    price_cents: i64,
}

/// An order as it reached the warehouse.
pub(super) struct Order {
    /// The day it reached the warehouse, then its position on that day.
    pub key: i64,
    pub customer: Customer,
    pub market: &'static Market,
    pub created: DateTime,
    pub amount_cents: i64,
    pub cancelled: bool,
    /// Whether it was placed days before it arrived.
    pub late: bool,
    seller: u64,
    /// `None` where the tracking was lost.
    channel: Option<&'static str>,
    platform: &'static str,
    payment: &'static str,
    status: &'static str,
    cross_border: bool,
    paid: Option<DateTime>,
    loaded: DateTime,
    voucher_cents: i64,
    /// `None` where shipping was free.
    shipping_cents: Option<i64>,
    /// Whether the market could not be resolved.
    lost: bool,
    items: Vec<Item>,
}

/// The orders that reached the warehouse on a day, in the order in which they were placed.
pub(super) struct Load {
    pub day: Day,
    pub orders: Vec<Order>,
}

/// What reached the warehouse from `first` to `today`; orders placed before `first` are left out.
pub(super) fn loads(first: Day, today: Day, customers: &Customers) -> Vec<Load> {
    first
        .until(today)
        .map(|day| load(day, first, customers))
        .collect()
}

fn load(day: Day, first: Day, customers: &Customers) -> Load {
    let mut orders = Vec::new();
    for market in &MARKETS {
        let mut rng = Rng::of("orders", day.number, market.index);
        for _ in 0..rng.count(day.demand(market)) {
            orders.extend(order(day, market, customers, &mut rng));
        }
    }
    orders.sort_by_key(|order| (order.created, order.customer));
    for (order, position) in orders.iter_mut().zip(1..) {
        order.key = day.digits() * 10_000 + position;
    }
    orders.retain(|order| order.created.date() >= first.date);
    Load { day, orders }
}

fn order(day: Day, market: &'static Market, customers: &Customers, rng: &mut Rng) -> Option<Order> {
    let customer = customers.visitor(day, market, rng)?;
    let profile = customer.profile(market);
    let discounts = if day.campaign(market).1 > 1.3 {
        0.62
    } else {
        0.78
    };
    let bulk = match profile.segment {
        "SMB" => 3,
        "Enterprise" => 7,
        _ => 1,
    };
    let items = basket(market, discounts, bulk, rng);
    let amount_cents = items
        .iter()
        .map(|item| item.quantity * item.price_cents)
        .sum::<i64>();

    let late = rng.chance(0.011);
    let second = second_of_day(rng);
    let loaded = at(day, (second + 90 + rng.below(900)).min(86_399));
    let placed_on = if late {
        day.back(1 + rng.popular(6))
    } else {
        day
    };
    let created = at(placed_on, second);

    let payment = rng.choose(
        &[
            ("COD", market.cash),
            ("E-wallet", 0.3),
            ("Card", 0.2),
            ("", 0.003),
        ],
        "Bank transfer",
    );
    let cancelled = rng.chance(if payment == "COD" { 0.105 } else { 0.058 });
    let status = if cancelled {
        "CANCELLED"
    } else {
        rng.choose(&[("RETURNED", 0.034), ("SHIPPED", 0.012)], "COMPLETED")
    };
    // Cash is paid at the door, two to five days later, which is after this load.
    let paid = (!cancelled && payment != "COD")
        .then(|| at(placed_on, (second + rng.below(1800)).min(86_399)));

    let voucher = rng.chance(if day.campaign(market).1 > 1.3 {
        0.68
    } else {
        0.34
    });
    let voucher_cents = if voucher {
        (amount_cents as f64 * rng.between(0.03, 0.13)) as i64
    } else {
        0
    };
    let shipping = rng.chance(0.72);
    let shipping_cents =
        shipping.then(|| (rng.between(70.0, 420.0) * (0.5 + market.prices)) as i64);

    let cross_border = rng.chance(market.cross_border);
    let home = if cross_border {
        abroad(market, rng)
    } else {
        market
    };
    let channel = rng.choose(&market.channels(), "organic");
    Some(Order {
        key: 0,
        customer,
        market,
        created,
        amount_cents,
        cancelled,
        late,
        seller: seller(placed_on, home, rng),
        channel: (!rng.chance(0.014)).then_some(channel),
        platform: profile.platform,
        payment,
        status,
        cross_border,
        paid,
        loaded,
        voucher_cents,
        shipping_cents,
        lost: rng.chance(0.0012),
        items,
    })
}

fn basket(market: &Market, discounts: f64, bulk: i64, rng: &mut Rng) -> Vec<Item> {
    let count = rng.choose(&[(1, 0.58), (2, 0.25), (3, 0.11)], 4);
    let mut items: Vec<Item> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut category = 0;
        let mut left = rng.unit();
        for (index, (.., share)) in (0..).zip(CATEGORIES) {
            category = index;
            left -= share;
            if left < 0.0 {
                break;
            }
        }
        let product = product(category, rng.popular(RANGE));
        if items.iter().any(|item| item.product == product.id) {
            continue;
        }
        let price = product.list_cents as f64 * market.prices * rng.between(discounts, 1.0);
        let quantity =
            rng.choose(&[(1, 0.86), (2, 0.11)], 3) * (1 + rng.below(bulk.unsigned_abs()) as i64);
        items.push(Item {
            product: product.id,
            quantity,
            price_cents: price.max(25.0) as i64,
        });
    }
    items
}

/// The market a cross-border order ships from.
fn abroad(market: &Market, rng: &mut Rng) -> &'static Market {
    let away = 1 + rng.below(MARKETS.len() as u64 - 1);
    let index = (market.index + away) % MARKETS.len() as u64;
    MARKETS
        .iter()
        .find(|other| other.index == index)
        .unwrap_or(&MARKETS[0])
}

/// Few orders at night, most in the evening.
fn second_of_day(rng: &mut Rng) -> u64 {
    let (start, hours) = rng.choose(
        &[
            ((19, 4), 0.34),
            ((11, 8), 0.42),
            ((7, 4), 0.14),
            ((23, 1), 0.05),
        ],
        (0, 7),
    );
    start * 3600 + rng.below(hours * 3600)
}

fn at(day: Day, second: u64) -> DateTime {
    let unit = |value: u64| i8::try_from(value).unwrap_or_default();
    day.date.at(
        unit(second / 3600),
        unit(second / 60 % 60),
        unit(second % 60),
        0,
    )
}

pub(super) fn write_orders(loads: &[Load], out: &mut Output<'_>) -> Result<(), DemoError> {
    out.table(&table(
        "orders",
        &[
            ("order_id", Integer),
            ("user_id", Integer),
            ("seller_id", Integer),
            ("grass_region", Text),
            ("channel?", Text),
            ("platform", Text),
            ("payment_method", Text),
            ("status", Text),
            ("cross_border", Boolean),
            ("created_at", Timestamp),
            ("paid_at?", Timestamp),
            ("loaded_at", Timestamp),
            ("amount_usd", Number),
            ("voucher_usd", Number),
            ("shipping_usd?", Number),
        ],
        &["order_id"],
    ))?;
    for order in loads.iter().flat_map(|load| &load.orders) {
        out.row(&[
            Cell::Integer(order.key),
            order.customer.id(),
            number(order.seller),
            Cell::Text(if order.lost { "XX" } else { order.market.code }),
            text(order.channel),
            Cell::Text(order.platform),
            Cell::Text(order.payment),
            Cell::Text(order.status),
            Cell::Boolean(order.cross_border),
            Cell::Timestamp(order.created),
            order.paid.map_or(Cell::Null, Cell::Timestamp),
            Cell::Timestamp(order.loaded),
            usd(order.amount_cents),
            usd(order.voucher_cents),
            order.shipping_cents.map_or(Cell::Null, usd),
        ])?;
    }
    Ok(())
}

pub(super) fn write_items(loads: &[Load], out: &mut Output<'_>) -> Result<(), DemoError> {
    out.table(&table(
        "order_items",
        &[
            ("order_id", Integer),
            ("line", Integer),
            ("product_id", Integer),
            ("created_at", Timestamp),
            ("quantity", Integer),
            ("price_usd", Number),
        ],
        &["order_id", "line"],
    ))?;
    for order in loads.iter().flat_map(|load| &load.orders) {
        for (item, line) in order.items.iter().zip(1..) {
            out.row(&[
                Cell::Integer(order.key),
                Cell::Integer(line),
                number(item.product),
                Cell::Timestamp(order.created),
                Cell::Integer(item.quantity),
                usd(item.price_cents),
            ])?;
        }
    }
    Ok(())
}
