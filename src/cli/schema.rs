//! `metrex schema`: the JSON Schema of the project's YAML files, for editors.

use super::{Outcome, print};
use crate::registry::json_schema;

pub fn run() -> Outcome {
    print(|out| {
        serde_json::to_writer_pretty(&mut *out, &json_schema())?;
        writeln!(out)
    })
}
