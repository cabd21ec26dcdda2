//! The demo: a marketplace in twelve markets, made up the same way on every machine.
//!
//! The data ends on the day the demo is made and begins two years earlier, with the quarter. What happened on a day
//! depends on that day alone, so two demos made on different days agree on the days they share. Two things look back
//! from the last day instead: a subscription is open until its end has come, and a month enters the subscription
//! ledger when it is over. Orders that arrive late belong to the day they arrive on, as in a real warehouse.

mod ads;
mod commerce;
mod contracts;
mod marketing;
mod people;
mod random;
mod sales;
mod subscriptions;
mod table;
mod traffic;
mod world;

use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::model::{ConnectionKind, Grain, Weekday};
use crate::warehouse::{Cell, Loader, TableSpec, WarehouseError};

pub use world::HORIZON;

use people::Customers;
use world::Day;

/// The demo could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the demo data could not be made: {0}")]
pub struct DemoError(#[from] WarehouseError);

/// Number of tables, for the share of the work that is done.
const TABLES: f64 = 17.0;

/// Makes the demo database at `path`, replacing what is there once the new one is complete. `progress` hears the
/// table being written and the share of the work done, 0 to 1.
///
/// # Errors
/// The file cannot be written.
pub fn create(
    path: &Path,
    today: Date,
    progress: &mut dyn FnMut(&str, f64),
) -> Result<(), DemoError> {
    load(
        &ConnectionKind::Sqlite {
            path: path.to_owned(),
        },
        today,
        true,
        progress,
    )
}

/// Loads the demo data into a warehouse; with `replace`, existing tables of the same names are dropped first.
///
/// # Errors
/// The warehouse cannot be reached, refuses to be written to, or holds such tables already.
pub fn load(
    kind: &ConnectionKind,
    today: Date,
    replace: bool,
    progress: &mut dyn FnMut(&str, f64),
) -> Result<(), DemoError> {
    let loader = if replace {
        Loader::replacing(kind)?
    } else {
        Loader::open(kind)?
    };
    let mut out = Output {
        loader,
        progress,
        tables: 0.0,
    };
    let today = Day::on(today);
    let first =
        Day::on(Grain::Quarter.floor(today.date.saturating_sub(2.years()), Weekday::Monday));
    let days = first.until(today);
    (out.progress)("preparing", 0.0);
    let customers = Customers::until(today);
    let loads = commerce::loads(first, today, &customers);

    customers.write(first, today, &mut out)?;
    people::write_sellers(today, &mut out)?;
    people::write_account_managers(&mut out)?;
    commerce::write_products(&mut out)?;
    commerce::write_orders(&loads, &mut out)?;
    commerce::write_items(&loads, &mut out)?;
    let audiences = traffic::audiences(&loads, &customers);
    traffic::write_platform_activity(&audiences, &mut out)?;
    traffic::write_module_activity(&audiences, &mut out)?;
    traffic::write_daily(days.clone(), &mut out)?;
    ads::write_daily(days.clone(), &mut out)?;
    ads::write_adjustments(days, &mut out)?;
    subscriptions::write(first, today, &mut out)?;
    sales::write_initiatives(first, today, &mut out)?;
    marketing::write_touchpoints(&loads, &customers, &mut out)?;

    (out.progress)("finishing", 1.0);
    Ok(out.loader.finish()?)
}

/// Where tables and rows go.
struct Output<'a> {
    loader: Loader,
    progress: &'a mut dyn FnMut(&str, f64),
    tables: f64,
}

impl Output<'_> {
    /// Creates a table; the following rows go there.
    fn table(&mut self, table: &TableSpec) -> Result<(), DemoError> {
        (self.progress)(&table.name, (self.tables / TABLES).min(1.0));
        self.tables += 1.0;
        Ok(self.loader.create(table)?)
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), DemoError> {
        Ok(self.loader.append(cells)?)
    }
}
