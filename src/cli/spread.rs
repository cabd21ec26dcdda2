//! `metrex spread`: how a metric is spread across a dimension, as text, for programs, and as a drawing.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::failure::Failure;
use super::notes::note;
use super::query::chart_form;
use super::runtime::block_on;
use super::{Global, Outcome, notes, prepare, print};
use crate::model::MetricQuery;
use crate::session::cell::sanitize;
use crate::session::plot::{Charset, Shape, Spread};
use crate::session::{Answer, SessionError};

/// Columns of the drawing as text.
const WIDTH: usize = 80;

#[derive(Debug, Args)]
pub struct SpreadArgs {
    /// One metric by one dimension, such as 'gmv by shop last month'; with a grain of time, too, one number for each period
    #[arg(required = true, value_name = "LINE")]
    line: Vec<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: SpreadFormat,
    /// Draw histogram and boxes to a file (.svg, .png) instead
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    chart: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum SpreadFormat {
    /// Histogram and boxes, what the numbers mean, and the outliers
    #[default]
    Text,
    /// One JSON object
    Json,
}

pub fn run(global: &Global, args: &SpreadArgs) -> Outcome {
    let line = args.line.join(" ");
    let of_line = Failure::of_line(&line);
    let form = match &args.chart {
        None => None,
        Some(path) => Some((path, chart_form(path)?)),
    };
    let session = global.open()?;
    notes::about_session(&session);
    let query: MetricQuery = line
        .parse()
        .map_err(|error| of_line(SessionError::from(error)))?;
    let (spread, answer) = block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        session.spread(&query, cancel).await.map_err(&of_line)
    })?;
    answer.notes.iter().for_each(|text| note(text));
    spread.notes.iter().for_each(|text| note(text));
    if let Some((path, form)) = form {
        let cannot = |why| SessionError::usage("file", why);
        form.write(spread.svg(), path).map_err(cannot)?;
        return Ok(());
    }
    match args.format {
        SpreadFormat::Text => {
            let text = spread.text(WIDTH, Charset::Unicode);
            print(|out| {
                text.lines()
                    .try_for_each(|line| writeln!(out, "{}", sanitize(line)))
            })
        }
        SpreadFormat::Json => print(|out| {
            serde_json::to_writer_pretty(&mut *out, &object(&spread, &answer))?;
            writeln!(out)
        }),
    }
}

fn object(spread: &Spread, answer: &Answer) -> Value {
    let numbers = &spread.numbers;
    let bins = match &spread.histogram.shape {
        Shape::Histogram(bins) => bins.as_slice(),
        _ => &[],
    };
    let bins = bins
        .iter()
        .map(|bin| json!({"from": bin.from, "to": bin.to, "count": bin.count}));
    let boxes = match &spread.boxes.shape {
        Shape::Boxes(boxes) => boxes.as_slice(),
        _ => &[],
    };
    let boxes = boxes.iter().map(|row| {
        let its = &row.numbers;
        json!({
            "label": row.label, "count": its.count, "min": its.min, "low_whisker": its.low, "q1": its.q1,
            "median": its.median, "q3": its.q3, "high_whisker": its.high, "max": its.max,
        })
    });
    let outliers = spread.outliers.iter().map(|one| {
        json!({
            "member": one.member,
            "period": one.period.as_ref().map(|(start, _)| start.to_string()),
            "value": one.value,
            "deviations": one.deviations,
            "low_fence": one.fences.0,
            "high_fence": one.fences.1,
        })
    });
    json!({
        "query": answer.line,
        "title": spread.histogram.title,
        "members": spread.members,
        "null_member": spread.has_null,
        "without_number": spread.without,
        "count": numbers.count,
        "min": numbers.min,
        "low_whisker": numbers.low,
        "q1": numbers.q1,
        "median": numbers.median,
        "q3": numbers.q3,
        "high_whisker": numbers.high,
        "max": numbers.max,
        "low_fence": numbers.fences.0,
        "high_fence": numbers.fences.1,
        "mad": numbers.mad,
        "bins": bins.collect::<Vec<_>>(),
        "boxes": boxes.collect::<Vec<_>>(),
        "outliers": outliers.collect::<Vec<_>>(),
        "words": spread.words,
        "notes": spread.notes,
        "sql": answer.sql,
        "ms": u64::try_from(answer.elapsed.as_millis()).unwrap_or(u64::MAX),
    })
}
