//! Lightdash: the `meta` of dbt's models and columns, with dimensions, metrics and joins.

mod export;
mod import;

pub use export::export;
pub use import::import;

/// The word for the model that SQL belongs to.
const THIS: &str = "TABLE";

/// Formats of Lightdash that are currencies.
const CURRENCIES: [&str; 10] = [
    "usd", "gbp", "eur", "jpy", "dkk", "chf", "sek", "nok", "cad", "aud",
];
