//! The query log: what was asked, how often and how fast; ranks the catalog.
