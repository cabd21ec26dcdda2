//! The built-in demo: a marketplace in twelve markets, generated deterministically, with the registry of the top-level folders embedded.
