//! The table that an idea is about is found by what it says, however general the words beside that are.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/demo.rs"]
mod demo;

use std::collections::HashMap;

use jiff::civil::date;
use metrex::govern::suggest::{Ground, Idea, OfferKind, Values, suggest};
use metrex::model::{Connection, ConnectionKind};
use metrex::registry::{Project, load};
use metrex::warehouse::Warehouse;

/// Ideas in a few words, and the table that they are about.
const IDEAS: [(&str, &str); 47] = [
    ("Count of orders", "orders"),
    ("Orders per month", "orders"),
    ("Share of cancelled orders", "orders"),
    ("Average shipping fee", "orders"),
    ("Monthly order value", "orders"),
    ("Average number of items per order", "order_items"),
    ("Share of returned items", "order_items"),
    ("Units sold per day", "order_items"),
    ("Number of customers", "users"),
    ("New customers per month", "users"),
    ("Share of business customers", "users"),
    ("Average birth year of customers", "users"),
    ("Number of sellers", "sellers"),
    ("New sellers per week", "sellers"),
    ("Count of products", "products"),
    ("Products per category", "products"),
    ("Monthly visits", "traffic_daily"),
    ("Bounce rate", "traffic_daily"),
    ("Average pages per visit", "traffic_daily"),
    ("Monthly recurring revenue", "subscription_months"),
    ("Number of new subscriptions", "subscriptions"),
    ("Share of cancelled subscriptions", "subscriptions"),
    ("Subscriptions started per quarter", "subscriptions"),
    ("Ad clicks per day", "ads_daily"),
    ("Average cost per click", "ads_daily"),
    ("Ad impressions per month", "ads_daily"),
    ("Advertising revenue per month", "ads_daily"),
    ("Marketing contacts per day", "touchpoints"),
    ("Average cost of a touchpoint", "touchpoints"),
    ("Daily active users", "platform_activity"),
    ("Users per module", "module_activity"),
    ("Number of initiatives", "initiatives_fct"),
    ("Share of won initiatives", "initiatives_fct"),
    ("Number of account managers", "account_managers"),
    ("Account managers per team", "account_managers"),
    ("Adjustments per month", "scs_adjustments"),
    ("Number of touchpoints", "touchpoints"),
    ("Cart rate", "traffic_daily"),
    ("Voucher share of orders", "orders"),
    ("Median days to close", "initiatives_fct"),
    ("Visits per channel", "traffic_daily"),
    ("Average price of items sold", "order_items"),
    ("Churned revenue per month", "subscription_months"),
    ("Opted-in customers", "users"),
    ("Seller count by tier", "sellers"),
    ("Active subscriptions per month", "subscription_months"),
    ("Reached customers per week", "touchpoints"),
];

#[tokio::test]
async fn general_words_speak_for_no_table() {
    let project = Project::demo().unwrap();
    let registry = load(&project.files(), &project.config, None).registry;
    let kind = ConnectionKind::Sqlite { path: demo::file() };
    let connection = Connection {
        name: "demo".to_owned(),
        kind,
        row_cap: 1000,
    };
    let warehouse = Warehouse::open(&connection, "UTC").unwrap();
    let tables = warehouse.tables().await.unwrap();
    let (values, used) = (Values::new(), HashMap::new());
    let ground = Ground {
        registry: &registry,
        tables: &tables,
        values: &values,
        used: &used,
        history: &[],
        today: date(2026, 11, 20),
    };
    let mut wrong = Vec::new();
    for (name, table) in IDEAS {
        let idea = Idea {
            name: name.to_owned(),
            ..Idea::default()
        };
        let found = suggest(&idea, &ground);
        let offers = found
            .offers
            .iter()
            .filter(|offer| offer.kind == OfferKind::Table);
        let offers: Vec<String> = offers
            .map(|offer| format!("{} ({})", offer.text, offer.why))
            .collect();
        if !offers
            .first()
            .is_some_and(|first| first.starts_with(&format!("{table} (")))
        {
            wrong.push(format!(
                "{name}: {table}, not {}",
                offers.join("\n        ")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        IDEAS.len(),
        wrong.join("\n")
    );
}
