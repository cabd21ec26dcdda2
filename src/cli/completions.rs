//! `metrex completions`: a completion script for a shell.

use clap::Args;
use clap_complete::Shell;

use super::{Outcome, command, print};

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub fn run(args: &CompletionsArgs) -> Outcome {
    // clap_complete panics where it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "metrex", &mut script);
    print(|out| out.write_all(&script))
}
