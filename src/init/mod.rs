//! `metrex init`: a first project from CSV files or a live database, with what was guessed marked as drafts.
