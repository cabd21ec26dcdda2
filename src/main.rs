//! The `metrex` program: everything is in the library, see [`metrex::cli`].

fn main() {}
