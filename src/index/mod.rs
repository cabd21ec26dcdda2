//! The value index: distinct values and counts of every dimension, refreshed from the live warehouse.
