//! `metrex materialize`: makes or refreshes rollups, after saying what will be done.

use std::io::{self, Write};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::runtime::block_on;
use super::{Global, Outcome, notes, print};
use crate::compile::RollupTable;
use crate::session::cell::{sanitize, thousands};
use crate::session::{RollupPlan, Session};

#[derive(Debug, Args)]
pub struct MaterializeArgs {
    /// The rollups [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Print what would be done, with the number of rows and the SQL, and do nothing
    #[arg(long)]
    plan: bool,
    /// Print the rollups as incremental models of dbt, and do nothing
    #[arg(long, conflicts_with = "plan")]
    dbt: bool,
    /// Make all rows anew, not only those of the last days
    #[arg(long)]
    full: bool,
}

pub fn run(global: &Global, args: &MaterializeArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    block_on(async |cancel| {
        let plans = session
            .plan_rollups(&args.names, args.full, args.plan)
            .await?;
        if args.dbt {
            return print(|out| plans.iter().try_for_each(|plan| write_model(out, plan)));
        }
        if args.plan {
            return print(|out| plans.iter().try_for_each(|plan| write_plan(out, plan)));
        }
        for plan in &plans {
            make(&session, plan, &cancel).await?;
        }
        Ok(())
    })
}

async fn make(session: &Session, plan: &RollupPlan, cancel: &CancellationToken) -> Outcome {
    let name = &plan.table.name;
    say!("{}: {}", sanitize(name), plan.what());
    let state = session.materialize(plan, cancel).await?;
    print(|out| match state {
        Some(state) => writeln!(
            out,
            "{}: {} rows in {}, complete before {}",
            sanitize(name),
            thousands(usize::try_from(state.rows).unwrap_or(usize::MAX)),
            place(&plan.table),
            state.until
        ),
        None => writeln!(out, "{}", sanitize(name)),
    })
}

/// The plan as SQL with comments, which can be run by hand.
fn write_plan(out: &mut dyn Write, plan: &RollupPlan) -> io::Result<()> {
    let table = &plan.table;
    writeln!(out, "-- {}: {}", sanitize(&table.name), plan.what())?;
    writeln!(
        out,
        "-- {}, rows of {} by {}",
        match table.embedded {
            true => place(table),
            false => format!("table {}", place(table)),
        },
        sanitize(&table.of),
        sanitize(&table.keys().join(", "))
    )?;
    if let Some((kept, added_up)) = plan.size {
        let number = |n: u64| thousands(usize::try_from(n).unwrap_or(usize::MAX));
        writeln!(
            out,
            "-- {} rows, made of {}",
            number(kept),
            number(added_up)
        )?;
    }
    if let Some(state) = &plan.state {
        writeln!(
            out,
            "-- last refreshed at {}, complete before {}",
            state.refreshed_at.strftime("%F %H:%M UTC"),
            state.until
        )?;
    }
    for statement in &plan.statements {
        writeln!(out, "{};", statement.trim_end())?;
    }
    writeln!(out)
}

/// Where a rollup is kept.
fn place(table: &RollupTable) -> String {
    match table.embedded {
        true => "the embedded file".to_owned(),
        false => sanitize(&table.table).into_owned(),
    }
}

fn write_model(out: &mut dyn Write, plan: &RollupPlan) -> io::Result<()> {
    if plan.table.embedded {
        let name = sanitize(&plan.table.name);
        return writeln!(
            out,
            "-- {name} is kept in the embedded file, which dbt does not know\n"
        );
    }
    writeln!(out, "-- models/{}.sql", sanitize(&plan.table.name))?;
    writeln!(out, "{}", plan.dbt_model)
}
