//! The command line: one file per command; parses arguments, prints, exits. Data goes to stdout, the rest to stderr.

#[macro_use]
mod say;

mod analyse;
mod ask;
mod batch;
mod behind;
mod check;
mod completions;
mod define;
mod demo;
mod diff;
mod doctor;
mod edit;
mod eval;
mod explore;
mod export;
mod failure;
mod format;
mod generate;
mod govern;
mod graph;
mod import;
mod init;
mod learn;
mod lineage;
mod log;
mod man;
mod materialize;
mod mcp;
mod notes;
mod policy;
mod progress;
mod query;
mod reindex;
mod review;
mod rows;
mod runtime;
mod schema;
mod search;
mod show;
mod spread;
mod sql;
mod status;
mod style;
mod suggest;
mod test;
mod tools;
mod understood;
mod usage;
mod validate_sql;
mod values;
mod watch;
mod why;

use std::fmt;
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Args, CommandFactory, Parser, Subcommand};
use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use crate::session::{Face, OpenOptions, Session, SessionError};
use failure::Failure;

/// What every command returns.
type Outcome = Result<(), Failure>;

/// Explore metrics defined in YAML: find one, pick dimensions and values, see the SQL, run it.
///
/// Without a command the explorer opens. Outside a project it opens on an embedded demo.
#[derive(Debug, Parser)]
#[command(name = "metrex", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    /// Explore as plain text, line by line: for screen readers, dumb terminals and pipes
    #[arg(long)]
    linear: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options every command takes.
#[derive(Debug, Args)]
struct Global {
    /// Project folder [default: the nearest one above the current folder, else the demo]
    #[arg(long, global = true, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Connection of metrex.yaml to use, or duckdb:PATH or sqlite:PATH [default: the project's default]
    #[arg(long, global = true, value_name = "NAME")]
    connection: Option<String>,
    /// The day to take for today, as YYYY-MM-DD [default: the clock's, in the project's time zone]
    #[arg(long, global = true, value_name = "DATE", env = "METREX_TODAY", value_parser = day)]
    today: Option<Date>,
    /// Folder for history and value index [default: state_dir of metrex.yaml, else the XDG state folder]
    #[arg(long, global = true, value_name = "DIR", env = "METREX_STATE_DIR")]
    state_dir: Option<PathBuf>,
    /// Answer from the rows of the datasets, also where a rollup would give the same
    #[arg(long, global = true)]
    no_rollups: bool,
    #[arg(skip)]
    opened: Opened,
}

/// A day as it is written.
fn day(text: &str) -> Result<Date, String> {
    let read = text.parse();
    read.map_err(|_| "a day is written YYYY-MM-DD, such as 2026-11-20".to_owned())
}

/// The sessions of the command: the end of the program waits until what they recorded is written.
#[derive(Clone, Default)]
struct Opened(Arc<Mutex<Vec<Session>>>);

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

impl Opened {
    fn add(&self, session: &Session) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.push(session.clone());
    }

    /// Says what could not be recorded.
    fn settle(&self) {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for lost in sessions.iter().filter_map(Session::settle) {
            let queries =
                notes::counted(usize::try_from(lost.queries).unwrap_or(usize::MAX), "query");
            notes::note(&format!("not in the history: {queries}; {}", lost.why));
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a query and print its rows
    Query(query::QueryArgs),
    /// Print the rows behind a number, which add up to it
    Rows(behind::RowsArgs),
    /// Find out why a number moved: which cause stands out, or that none does
    Why(why::WhyArgs),
    /// Answer a question in plain words, or say which word is in the way
    Ask(ask::AskArgs),
    /// Show how a metric is spread across a dimension: histogram, quartiles, outliers
    Spread(spread::SpreadArgs),
    /// List the analyses of the project, or run one: attribution, lifecycle, retention, revenue, funnel
    #[command(visible_alias = "analyze")]
    Analyse(analyse::AnalyseArgs),
    /// Print the SQL of a query without running it
    Sql(sql::SqlArgs),
    /// Find metrics by any word about them, or by a field (%owner fin); without words, list all
    Search(search::SearchArgs),
    /// Print everything about a metric
    Show(show::ShowArgs),
    /// Change the definition of a metric, with its SQL and its numbers before and after
    Edit(edit::EditArgs),
    /// Define a metric from a few words: suggestions, its numbers, and writing it
    Define(define::DefineArgs),
    /// Look at what waits for a judgement; approve, publish, certify, deprecate or reject it
    Review(review::ReviewArgs),
    /// Check the project's definitions
    Check(check::CheckArgs),
    /// Run the tests of metrics: are the numbers what their files say they must be?
    Test(test::TestArgs),
    /// Check the alerts of the project: has a number crossed a threshold, changed, become unusual?
    Watch(watch::WatchArgs),
    /// Compare two versions of the definitions: which metrics mean something else, and by how much
    Diff(diff::DiffArgs),
    /// Check SQL against the definitions, the known values and the warehouse; nothing is run
    ValidateSql(validate_sql::ValidateSqlArgs),
    /// Hold SQL of models and queries against the canonical datasets and the rules of the project
    Govern(govern::GovernArgs),
    /// Measure whether the canonical datasets are as fresh and as complete as was promised
    Status(status::StatusArgs),
    /// Rank the canonical datasets for an intent in plain words
    Suggest(suggest::SuggestArgs),
    /// Propose what the log of use says should be in the definitions; for a nightly run
    Learn(learn::LearnArgs),
    /// Look at what is learned from use about how queries are best answered, learn, or try it in a simulator
    Policy(policy::PolicyArgs),
    /// What is kept of use: numbers, feedback, logs of elsewhere, dropping
    Usage(usage::UsageArgs),
    /// Print what depends on what: from tables over datasets and metrics to saved queries
    Lineage(lineage::LineageArgs),
    /// Print what was used with what, by whom and how often; or write it for other programs
    Graph(graph::GraphArgs),
    /// Print the known values of a dimension
    Values(values::ValuesArgs),
    /// Fill the value index from the warehouse
    Reindex(reindex::ReindexArgs),
    /// Make or refresh rollups: tables of sums by day that queries are answered from
    Materialize(materialize::MaterializeArgs),
    /// Print the JSON Schema of the project's YAML files
    Schema,
    /// Check terminal, project, connections, indexes and state folder
    Doctor,
    /// Answer one JSON request per line of stdin with one JSON reply per line
    Batch,
    /// Serve the metrics to agents over MCP
    Mcp(mcp::McpArgs),
    /// Print the definitions of the agent tools
    Tools(tools::ToolsArgs),
    /// Ask a set of questions with known answers and count what is right
    Eval(eval::EvalArgs),
    /// Make a project from CSV files or from a database
    Init(init::InitArgs),
    /// Make a project from definitions of another tool
    Import(import::ImportArgs),
    /// Write the project's definitions for another tool
    Export(export::ExportArgs),
    /// Write a dbt package of metrics: models, tests, semantics, pages, graph and skills
    Generate(generate::GenerateArgs),
    /// Load the demo's data into PostgreSQL, or undo changes of its definitions
    Demo(demo::DemoArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Print a manual page
    Man(man::ManArgs),
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let opened = cli.global.opened.clone();
    let outcome = run(cli);
    opened.settle();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(cli: Cli) -> Outcome {
    let global = &cli.global;
    match cli.command {
        None => explore::run(global, cli.linear),
        Some(Command::Query(args)) => query::run(global, &args),
        Some(Command::Rows(args)) => behind::run(global, &args),
        Some(Command::Why(args)) => why::run(global, &args),
        Some(Command::Ask(args)) => ask::run(global, &args),
        Some(Command::Spread(args)) => spread::run(global, &args),
        Some(Command::Analyse(args)) => analyse::run(global, &args),
        Some(Command::Sql(args)) => sql::run(global, &args),
        Some(Command::Search(args)) => search::run(global, &args),
        Some(Command::Show(args)) => show::run(global, &args),
        Some(Command::Edit(args)) => edit::run(global, cli.linear, args),
        Some(Command::Define(args)) => define::run(global, cli.linear, &args),
        Some(Command::Review(args)) => review::run(global, &args),
        Some(Command::Check(args)) => check::run(global, &args),
        Some(Command::Test(args)) => test::run(global, &args),
        Some(Command::Watch(args)) => watch::run(global, &args),
        Some(Command::Diff(args)) => diff::run(global, &args),
        Some(Command::ValidateSql(args)) => validate_sql::run(global, &args),
        Some(Command::Govern(args)) => govern::run(global, &args),
        Some(Command::Status(args)) => status::run(global, &args),
        Some(Command::Suggest(args)) => suggest::run(global, &args),
        Some(Command::Learn(args)) => learn::run(global, &args),
        Some(Command::Policy(args)) => policy::run(global, &args),
        Some(Command::Usage(args)) => usage::run(global, &args),
        Some(Command::Lineage(args)) => lineage::run(global, &args),
        Some(Command::Graph(args)) => graph::run(global, &args),
        Some(Command::Values(args)) => values::run(global, &args),
        Some(Command::Reindex(args)) => reindex::run(global, &args),
        Some(Command::Materialize(args)) => materialize::run(global, &args),
        Some(Command::Schema) => schema::run(),
        Some(Command::Doctor) => doctor::run(global),
        Some(Command::Batch) => batch::run(global),
        Some(Command::Mcp(args)) => mcp::run(global, &args),
        Some(Command::Tools(args)) => tools::run(&args),
        Some(Command::Eval(args)) => eval::run(global, &args),
        Some(Command::Init(args)) => init::run(global, &args),
        Some(Command::Import(args)) => import::run(global, &args),
        Some(Command::Export(args)) => export::run(global, &args),
        Some(Command::Generate(args)) => generate::run(global, &args),
        Some(Command::Demo(args)) => demo::run(global, &args),
        Some(Command::Completions(args)) => completions::run(&args),
        Some(Command::Man(args)) => man::run(&args),
    }
}

impl Global {
    /// Opens the session these options describe.
    fn open(&self) -> Result<Session, SessionError> {
        let session = Session::open(OpenOptions {
            project: self.project.clone(),
            connection: self.connection.clone(),
            today: self.today,
            state_dir: self.state_dir.clone(),
            no_rollups: self.no_rollups,
            user: None,
        })?
        .with_face(Face::Command);
        self.opened.add(&session);
        log::start(&session);
        if let Some(mended) = session.mended() {
            notes::note(mended);
        }
        Ok(session)
    }
}

/// Makes what the session's queries need, with a progress line on a terminal.
async fn prepare(session: &Session, cancel: CancellationToken) -> Outcome {
    let mut line = progress::Line::quiet();
    tokio::select! {
        done = session.prepare(|step| line.show(&step.step, step.share)) => Ok(done?),
        () = cancel.cancelled() => Err(SessionError::interrupted().into()),
    }
}

/// Writes to stdout through a buffer.
fn print(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Outcome {
    let mut out = BufWriter::new(stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

/// The whole command line, for completions and manual pages.
fn command() -> clap::Command {
    Cli::command()
}
