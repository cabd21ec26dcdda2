//! SQLite state files (value index, usage): the only room that opens them.
