//! The demo's tables as plain rows, and the joins between them written out by hand.

use std::collections::HashMap;
use std::path::Path;

use jiff::civil::DateTime;
use rusqlite::types::ValueRef;

/// How a missing value is written in a grouping key.
pub const NULL: &str = "NULL";

/// First day of the new ad server in the books.
const NEW_ADS: &str = "2026-04-01";

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Number(f64),
    Text(String),
}

impl Value {
    /// As it is written in a grouping key.
    pub fn key(&self) -> String {
        match self {
            Self::Null => NULL.to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

pub struct Table {
    columns: HashMap<String, usize>,
    rows: Vec<Vec<Value>>,
    /// Row by first column, where that is the key.
    by_key: HashMap<String, usize>,
}

/// All tables of a demo database.
pub struct World {
    tables: HashMap<&'static str, Table>,
}

const TABLES: [&str; 16] = [
    "users",
    "sellers",
    "account_managers",
    "products",
    "orders",
    "order_items",
    "platform_activity",
    "module_activity",
    "traffic_daily",
    "ads_daily_old",
    "ads_daily_new",
    "scs_adjustments",
    "subscriptions",
    "subscription_months",
    "initiatives_fct",
    "touchpoints",
];

/// SQLite keeps them as 0 and 1.
const BOOLEANS: [&str; 2] = ["cross_border", "marketing_opt_in"];

impl World {
    pub fn read(path: &Path) -> Self {
        let connection = rusqlite::Connection::open(path).unwrap();
        let mut tables: HashMap<_, _> = TABLES.map(|name| (name, table(&connection, name))).into();
        let ads = in_the_books(&tables["ads_daily_old"], &tables["ads_daily_new"]);
        tables.insert("ads_daily", ads);
        Self { tables }
    }

    pub fn rows(&self, table: &'static str) -> impl Iterator<Item = Row<'_>> {
        let rows = &self.tables[table].rows;
        (0..rows.len()).map(move |index| Row {
            world: self,
            table,
            index,
        })
    }
}

fn table(connection: &rusqlite::Connection, name: &str) -> Table {
    let mut statement = connection
        .prepare(&format!("SELECT * FROM {name}"))
        .unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = Vec::new();
    let mut found = statement.query([]).unwrap();
    while let Some(row) = found.next().unwrap() {
        let cell = |(index, name): (usize, &String)| match row.get_ref(index).unwrap() {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(flag) if BOOLEANS.contains(&name.as_str()) => {
                Value::Text((flag != 0).to_string())
            }
            ValueRef::Integer(number) => Value::Number(number as f64),
            ValueRef::Real(number) => Value::Number(number),
            ValueRef::Text(text) => Value::Text(String::from_utf8(text.to_vec()).unwrap()),
            ValueRef::Blob(_) => panic!("{name} is a blob"),
        };
        rows.push(names.iter().enumerate().map(cell).collect::<Vec<_>>());
    }
    assert!(!rows.is_empty(), "{name} is empty");
    let by_key = rows
        .iter()
        .enumerate()
        .map(|(index, row)| (row[0].key(), index))
        .collect();
    let columns = names
        .into_iter()
        .enumerate()
        .map(|(index, name)| (name, index))
        .collect();
    Table {
        columns,
        rows,
        by_key,
    }
}

/// Ads as the books count them: the old server before the cut-off, the new one from it on.
fn in_the_books(old: &Table, new: &Table) -> Table {
    let day = |row: &Vec<Value>| row[0].key();
    // Both have the same columns in the same order, under different names.
    let before = old.rows.iter().filter(|row| day(row).as_str() < NEW_ADS);
    let after = new.rows.iter().filter(|row| day(row).as_str() >= NEW_ADS);
    Table {
        columns: new.columns.clone(),
        rows: before.chain(after).cloned().collect(),
        by_key: HashMap::new(),
    }
}

/// One row of a table.
#[derive(Clone, Copy)]
pub struct Row<'w> {
    world: &'w World,
    table: &'static str,
    index: usize,
}

impl<'w> Row<'w> {
    pub fn value(&self, column: &str) -> &'w Value {
        let table = &self.world.tables[self.table];
        let Some(&column) = table.columns.get(column) else {
            panic!("{} has no column {column}", self.table);
        };
        &table.rows[self.index][column]
    }

    pub fn number(&self, column: &str) -> Option<f64> {
        match self.value(column) {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub fn is(&self, column: &str, text: &str) -> bool {
        *self.value(column) == Value::Text(text.to_owned())
    }

    pub fn has(&self, column: &str) -> bool {
        *self.value(column) != Value::Null
    }

    /// The row that a join leads to.
    pub fn join(&self, name: &str) -> Option<Row<'w>> {
        let (table, key) = match (self.table, name) {
            ("orders", "buyer") | ("touchpoints", "customer") => ("users", "user_id"),
            ("platform_activity" | "module_activity", "user") => ("users", "user_id"),
            ("orders" | "subscriptions", "seller") => ("sellers", "seller_id"),
            ("order_items", "purchase") => ("orders", "order_id"),
            ("order_items", "product") => ("products", "product_id"),
            ("subscription_months", "subscription") => ("subscriptions", "subscription_id"),
            ("initiatives_fct", "owner") => ("account_managers", "owner_id"),
            (table, name) => panic!("{table} has no join {name}"),
        };
        let index = *self.world.tables[table]
            .by_key
            .get(&self.value(key).key())?;
        Some(Row {
            world: self.world,
            table,
            index,
        })
    }

    /// The day that places the row in time.
    pub fn day(&self) -> String {
        self.value(self.time()).key()[..10].to_owned()
    }

    /// When it was, to the second.
    pub fn moment(&self) -> DateTime {
        self.value(self.time()).key().parse().unwrap()
    }

    /// Whether a dimension is what places the row in time.
    pub fn is_time(&self, dimension: &str) -> bool {
        own(self.table, dimension) == Some(self.time())
    }

    fn time(&self) -> &'static str {
        match self.table {
            "orders" | "order_items" => "created_at",
            "users" => "signup_on",
            "sellers" => "onboarded_on",
            "platform_activity" | "module_activity" => "active_on",
            "traffic_daily" => "visited_on",
            "ads_daily" => "report_date",
            "scs_adjustments" => "adjusted_on",
            "subscriptions" => "started_on",
            "subscription_months" => "month",
            "initiatives_fct" => "phase_on",
            "touchpoints" => "happened_at",
            table => panic!("{table} has no time"),
        }
    }

    /// The value of a dimension, by the name it has in a query: `market`, `segment`, `purchase.seller.market`.
    pub fn dimension(&self, name: &str) -> Value {
        if let Some((join, rest)) = name.split_once('.') {
            // From an item, `buyer` is the buyer of its order.
            if self.table == "order_items" && matches!(join, "buyer" | "seller") {
                return self.dimension(&format!("purchase.{name}"));
            }
            return self
                .join(join)
                .map_or(Value::Null, |row| row.dimension(rest));
        }
        if let Some(column) = own(self.table, name) {
            return self.value(column).clone();
        }
        let through = match (self.table, name) {
            ("orders", "onboarded_on" | "seller_tier" | "shop") => "seller",
            ("orders", _) => "buyer",
            ("order_items", "category" | "brand_tier") => "product",
            ("order_items", _) => "purchase",
            ("touchpoints", _) => "customer",
            ("platform_activity" | "module_activity", _) => "user",
            ("subscriptions", _) => "seller",
            ("subscription_months", _) => "subscription",
            ("initiatives_fct", _) => "owner",
            (table, name) => panic!("{table} has no dimension {name}"),
        };
        self.dimension(&format!("{through}.{name}"))
    }
}

/// The column behind a dimension of the table itself.
fn own(table: &str, dimension: &str) -> Option<&'static str> {
    let dimensions: &[(&str, &'static str)] = match table {
        "orders" => &[
            ("created_at", "created_at"),
            ("market", "grass_region"),
            ("channel", "channel"),
            ("platform", "platform"),
            ("payment_method", "payment_method"),
            ("status", "status"),
            ("cross_border", "cross_border"),
            ("paid_at", "paid_at"),
            ("loaded_at", "loaded_at"),
        ],
        "order_items" => &[("created_at", "created_at"), ("price_usd", "price_usd")],
        "products" => &[("category", "category"), ("brand_tier", "brand_tier")],
        "sellers" => &[
            ("onboarded_on", "onboarded_on"),
            ("market", "grass_region"),
            ("shop", "shop_name"),
            ("seller_tier", "seller_tier"),
        ],
        "users" => &[
            ("signup_on", "signup_on"),
            ("market", "grass_region"),
            ("segment", "segment"),
            ("acquisition_channel", "acquisition_channel"),
            ("birth_year", "birth_year"),
            ("marketing_opt_in", "marketing_opt_in"),
            ("email", "email"),
        ],
        "platform_activity" => &[
            ("active_on", "active_on"),
            ("market", "grass_region"),
            ("platform", "platform"),
        ],
        "module_activity" => &[
            ("active_on", "active_on"),
            ("market", "grass_region"),
            ("module", "module"),
        ],
        "traffic_daily" => &[
            ("visited_on", "visited_on"),
            ("market", "grass_region"),
            ("channel", "channel"),
            ("platform", "platform"),
        ],
        "ads_daily" => &[
            ("report_date", "report_date"),
            ("market", "grass_region"),
            ("ad_channel", "ad_channel"),
            ("ad_format", "ad_format"),
            ("campaign", "campaign"),
        ],
        "scs_adjustments" => &[
            ("adjusted_on", "adjusted_on"),
            ("market", "grass_region"),
            ("ad_channel", "ad_channel"),
            ("reason", "reason"),
        ],
        "subscriptions" => &[
            ("started_on", "started_on"),
            ("ended_on", "ended_on"),
            ("market", "grass_region"),
            ("plan", "plan"),
            ("cancel_reason", "cancel_reason"),
        ],
        "subscription_months" => &[
            ("month_start", "month"),
            ("market", "grass_region"),
            ("plan", "plan"),
        ],
        "initiatives_fct" => &[
            ("phase_on", "phase_on"),
            ("created_on", "created_on"),
            ("market", "region"),
            ("initiative_type", "initiative_type"),
            ("phase", "phase"),
            ("vertical", "vertical"),
        ],
        "account_managers" => &[
            ("account_manager", "am_name"),
            ("team", "team"),
            ("market", "grass_region"),
            ("email", "email"),
        ],
        "touchpoints" => &[
            ("happened_at", "happened_at"),
            ("market", "grass_region"),
            ("channel", "channel"),
            ("touch_type", "touch_type"),
            ("position", "position"),
        ],
        _ => &[],
    };
    dimensions
        .iter()
        .find(|(name, _)| *name == dimension)
        .map(|(_, column)| *column)
}
