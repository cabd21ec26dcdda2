//! `metrex man`: manual pages.

use clap::Args;

use super::{Outcome, command, print};
use crate::session::SessionError;

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Page of one command [default: the program's]
    command: Option<String>,
}

pub fn run(args: &ManArgs) -> Outcome {
    let mut program = command();
    program.build();
    let page = match &args.command {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            found.ok_or_else(|| {
                SessionError::usage("usage", format!("there is no command '{name}'"))
            })?
        }
    };
    print(|out| clap_mangen::Man::new(page).render(&mut &mut *out))
}
