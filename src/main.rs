//! The `metrex` program: everything is in the library, see [`metrex::cli`].

fn main() -> std::process::ExitCode {
    metrex::cli::main()
}
