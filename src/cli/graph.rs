//! `metrex graph`: what was used with what, by whom and how often; join paths; who would be affected; all of it for other programs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::lineage::painted;
use super::{Global, Outcome, notes, print};
use crate::session::cell::sanitize;
use crate::session::{Outline, Session, SessionError};
use crate::usage::graph::export::{GraphForm, write};

/// Things of each kind that are listed for people.
const LISTED: usize = 12;
/// Things of each kind that a program is given.
const MOST: usize = 1_000;

#[derive(Debug, Args)]
pub struct GraphArgs {
    /// A metric, table, column, dimension, person, saved query …; table:orders says which [default: what is used most]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The shortest and the fastest join path between two tables
    #[arg(long, num_args = 2, value_names = ["TABLE", "TABLE"], conflicts_with_all = ["name", "together", "affected", "export"])]
    path: Vec<String>,
    /// What is asked together with a metric, a dimension or a table, and how much more often than by chance
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "affected", "export"])]
    together: Option<String>,
    /// Who and what would be affected if a metric, table, column, dimension or canonical dataset changed
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "export"])]
    affected: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t, conflicts_with = "export")]
    format: GraphFormat,
    /// Write the graph for another program: all of it, or what is around NAME
    #[arg(long, value_enum, value_name = "FORM")]
    export: Option<Form>,
    /// File to write to [default: standard output]
    #[arg(long, value_name = "FILE", requires = "export")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum GraphFormat {
    /// A tree
    #[default]
    Text,
    /// One JSON object
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// XML, for yEd, Gephi, NetworkX, igraph
    Graphml,
    /// For Graphviz
    Dot,
    /// MERGE statements, for Neo4j and others
    Cypher,
    /// JSON-LD, for whoever reads RDF
    Jsonld,
}

pub fn run(global: &Global, args: &GraphArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    if let Some(form) = args.export {
        return export(&session, args, form);
    }
    let (json, outlines) = found(&session, args)?;
    print(|out| match args.format {
        GraphFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &json)?;
            writeln!(out)
        }
        GraphFormat::Text => {
            let lines = outlines.iter().flat_map(Outline::lines);
            let mut lines = lines.enumerate();
            lines.try_for_each(|(at, line)| writeln!(out, "{}", painted(&sanitize(&line), at == 0)))
        }
    })
}

/// What was asked for, for programs and for people.
fn found(session: &Session, args: &GraphArgs) -> Result<(Value, Vec<Outline>), SessionError> {
    let is_text = matches!(args.format, GraphFormat::Text);
    let limit = if is_text { LISTED } else { MOST };
    if let [from, to] = args.path.as_slice() {
        let ways = session.graph_ways(from, to)?;
        return Ok((json!(ways), vec![session.ways_outline(&ways)]));
    }
    if let Some(name) = &args.together {
        let thing = session.graph_thing(name)?;
        let together = session.graph_together(&thing, limit)?;
        let outline = session.together_outline(&thing, &together);
        return Ok((json!(together), vec![outline]));
    }
    if let Some(name) = &args.affected {
        let thing = session.graph_thing(name)?;
        let affected = session.graph_affected(&thing, limit)?;
        return Ok((json!(affected), vec![session.affected_outline(&affected)]));
    }
    let Some(name) = &args.name else {
        let overview = session.graph_overview()?;
        return Ok((json!(overview), session.overview_outline(&overview)));
    };
    let thing = session.graph_thing(name)?;
    match is_text {
        true => Ok((Value::Null, vec![session.graph_outline(&thing)?])),
        false => Ok((json!(session.graph_around(&thing, MOST)?), Vec::new())),
    }
}

fn export(session: &Session, args: &GraphArgs, form: Form) -> Outcome {
    let form = match form {
        Form::Graphml => GraphForm::Graphml,
        Form::Dot => GraphForm::Dot,
        Form::Cypher => GraphForm::Cypher,
        Form::Jsonld => GraphForm::Jsonld,
    };
    let around = args
        .name
        .as_ref()
        .map(|name| session.graph_thing(name))
        .transpose()?;
    let graph = session.graph_for_export(around.as_ref())?;
    let Some(path) = &args.out else {
        return print(|out| write(&graph, form, out));
    };
    session.write_graph(&graph, form, path)?;
    print(|out| writeln!(out, "{}", path.display()))
}
