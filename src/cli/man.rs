//! `metrex man`: manual pages.

use std::io::{self, Write};

use clap::Args;

use super::{Outcome, command, print};
use crate::registry::{Project, UserConfig};
use crate::session::SessionError;
use crate::tui;

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
    print(|mut out| {
        clap_mangen::Man::new(page).render(&mut out)?;
        if args.command.is_none() {
            keys(out)
        } else {
            Ok(())
        }
    })
}

/// The keys of the explorer, from the table that the explorer itself reads.
fn keys(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, ".SH KEYS")?;
    for (entry, keys) in keymap().rows() {
        if keys.is_empty() {
            continue;
        }
        let keys = roff(&tui::joined(keys, ", "));
        writeln!(
            out,
            ".TP\n\\fB{keys}\\fR ({})\n{}",
            roff(entry.context.title()),
            roff(entry.title)
        )?;
    }
    for (key, words) in tui::EDITING {
        let (key, place, words) = (roff(key), roff(tui::EDITING_TITLE), roff(words));
        writeln!(out, ".TP\n\\fB{key}\\fR ({place})\n{words}")?;
    }
    Ok(())
}

/// The keys in force here; a project that cannot be read sets none.
fn keymap() -> tui::Keymap {
    let project = Project::find(None).map(|project| project.config.keys);
    let user = UserConfig::open().keys;
    tui::Keymap::read(&user, &project.unwrap_or_default()).0
}

/// Text without a meaning of its own to roff.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}
