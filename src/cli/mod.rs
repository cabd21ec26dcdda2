//! The command line: one file per command; parses arguments, prints, exits.
