//! Warehouses: drivers, dialects and Arrow results. The only room that names a database driver for the warehouse.

mod dialect;

pub use dialect::Dialect;
