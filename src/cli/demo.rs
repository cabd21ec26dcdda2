//! `metrex demo`: loads the demo's data into PostgreSQL or a DuckDB file, to try the demo there; gives it its own definitions back.

use clap::Args;
use jiff::Zoned;

use super::progress::Line;
use super::{Global, Outcome};
use crate::demo;
use crate::model::{ConnectionKind, PostgresSettings};
use crate::registry::of_address;
use crate::session::{SessionError, reset_demo};

#[derive(Debug, Args)]
#[command(
    after_help = "--connection takes where to: postgres://user@host/database, duckdb:FILE or sqlite:FILE."
)]
pub struct DemoArgs {
    /// Drop tables of the same names first
    #[arg(long)]
    replace: bool,
    /// Forget what was changed in the demo's definitions, instead
    #[arg(long, conflicts_with_all = ["replace", "connection"])]
    reset: bool,
}

pub fn run(global: &Global, args: &DemoArgs) -> Outcome {
    if args.reset {
        match reset_demo(global.state_dir.as_deref())? {
            Some(kept) => say!(
                "the demo is as it was delivered; your changes are in {}",
                kept.display()
            ),
            None => say!("nothing was changed in the demo's definitions"),
        }
        return Ok(());
    }
    let Some(url) = &global.connection else {
        let error = SessionError::usage("usage", "--connection URL is missing");
        return Err(error
            .with_hint("metrex demo --connection postgres://user@host/database")
            .into());
    };
    let today = global.today.unwrap_or_else(|| Zoned::now().date());
    let kind = match of_address(url) {
        Some(connection) => connection.kind,
        None => ConnectionKind::Postgres(PostgresSettings {
            url: Some(url.clone()),
            ..PostgresSettings::default()
        }),
    };
    let mut line = Line::new();
    demo::load(&kind, today, args.replace, &mut |table, share| {
        line.show(table, share)
    })
    .map_err(SessionError::from)?;
    drop(line);
    say!(
        "the demo's tables are there, with data up to {}",
        today.min(demo::HORIZON)
    );
    Ok(())
}
