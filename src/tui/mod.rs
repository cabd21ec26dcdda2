//! The terminal explorer: pure update, one action table, effects with generations, dirty-only drawing.
