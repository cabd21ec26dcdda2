//! `plot_distribution`: a metric across a dimension as a picture, with the numbers behind it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mcp::call::Call;
use crate::mcp::conditions::Conditions;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::parts::{optional, query_of};
use crate::mcp::reply::{Days, milliseconds, rounded, short};
use crate::mcp::tool::Tool;
use crate::model::Grain;
use crate::session::plot::{self, Charset, Outlier, Plot, PlotKind, PlotRequest, Shape};
use crate::session::{SessionError, notes};

/// Columns of the text plot.
const WIDTH: usize = 76;

/// Most outliers that are listed.
const OUTLIERS: usize = 30;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct PlotDistribution {
    /// The metric, by name or alias.
    metric: String,
    /// What it is spread across: a dimension, or a time grain such as "month".
    dimension: String,
    /// The kind of plot.
    #[serde(default)]
    kind: Kind,
    /// Only for box: one box for each value of the dimension, over its values per period, such as "day"; without it one
    /// box over all values of the dimension.
    #[serde(default)]
    per: Option<Grain>,
    /// Time range, as in query_metric.
    #[serde(default)]
    time: Option<String>,
    /// Conditions by dimension, as in query_metric.
    #[serde(default)]
    filters: Option<Conditions>,
    /// Draw the text plot in plain ASCII.
    #[serde(default)]
    ascii: bool,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// One bar for each value of the dimension.
    #[default]
    Bar,
    /// A histogram: how many values of the dimension have a metric of which size.
    Hist,
    /// Quartiles with whiskers.
    Box,
}

/// A plot.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct PlotReply {
    /// What it shows.
    title: String,
    /// The plot as text, for a fixed-width font.
    text: String,
    /// For bar: the bars, the largest first or in the order of time.
    #[serde(skip_serializing_if = "Option::is_none")]
    bars: Option<Vec<BarLine>>,
    /// For hist: the bins, ascending.
    #[serde(skip_serializing_if = "Option::is_none")]
    bins: Option<Vec<BinLine>>,
    /// For box: the boxes, the largest median first.
    #[serde(skip_serializing_if = "Option::is_none")]
    boxes: Option<Vec<BoxLine>>,
    /// For box: the numbers beyond the fences, the farthest off first.
    #[serde(skip_serializing_if = "Option::is_none")]
    outliers: Option<Vec<OutlierLine>>,
    /// For box: how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_outliers: Option<usize>,
    /// The plot as an SVG document.
    svg: String,
    /// The metric.
    metrics: Vec<String>,
    /// The query as one line.
    query: String,
    /// The days the numbers are for.
    time: Days,
    /// The SQL that ran.
    sql: String,
    /// Rows the plot is made of.
    total_rows: u64,
    /// Whether the plot leaves some of them out; the notes say which.
    truncated: bool,
    /// What a reader must know.
    notes: Vec<String>,
    /// From the call to the last row, in milliseconds.
    elapsed_ms: u64,
}

/// A bar.
#[derive(Debug, Serialize, JsonSchema)]
struct BarLine {
    /// The value of the dimension.
    label: String,
    /// The metric.
    value: f64,
}

/// A bin.
#[derive(Debug, Serialize, JsonSchema)]
struct BinLine {
    /// Smallest number that belongs to it.
    from: f64,
    /// Where the next bin begins; for the last one the largest number.
    to: f64,
    /// Values of the dimension in it.
    count: usize,
}

/// A box. Quartiles are interpolated linearly, as SQL's percentile_cont does; whiskers end at the last value within 1.5
/// interquartile ranges.
#[derive(Debug, Serialize, JsonSchema)]
struct BoxLine {
    /// What it is of.
    label: String,
    /// Number of values.
    count: usize,
    min: f64,
    low_whisker: f64,
    q1: f64,
    median: f64,
    q3: f64,
    high_whisker: f64,
    max: f64,
    /// Number of values beyond the whiskers.
    outliers: usize,
}

/// A number beyond the fences, which lie 1.5 interquartile ranges beyond the quartiles; with per, of its own value.
#[derive(Debug, Serialize, JsonSchema)]
struct OutlierLine {
    /// The value of the dimension; null where rows have none.
    member: Option<String>,
    /// The first day of its period (YYYY-MM-DD), with per.
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<String>,
    value: f64,
    /// The ordinary range that it lies beyond.
    fences: [f64; 2],
    /// How far it is from the median in robust standard deviations; null where half of the numbers are the same.
    deviations: Option<f64>,
}

impl Tool for PlotDistribution {
    const NAME: &'static str = "plot_distribution";
    const TITLE: &'static str = "Plot a metric across a dimension";
    const DESCRIPTION: &'static str = "Draws a metric across the values of a dimension: bar (which value has how much), hist (how many \
        values have how much), or box (quartiles and outliers by name; with per, one box for each value over its days, weeks or \
        months, and an outlier is a day far from the other days of its value). Returns a text plot, the numbers, and an SVG.";
    type Reply = PlotReply;

    async fn run(self, call: &Call) -> Result<PlotReply, ToolError> {
        let parts = query_of(self.metric, &self.filters, self.time.as_deref())?;
        let request = PlotRequest {
            metric: parts.metrics.into_iter().next().unwrap_or_default(),
            across: optional("dimension", Some(&self.dimension))?
                .ok_or_else(|| ToolError::new("bad_argument", "dimension is missing"))?,
            kind: match self.kind {
                Kind::Bar => PlotKind::Bar,
                Kind::Hist => PlotKind::Histogram,
                Kind::Box => PlotKind::Box,
            },
            per: self.per,
            time: parts.time,
            filters: parts.filters,
        };
        let charset = if self.ascii {
            Charset::Ascii
        } else {
            Charset::Unicode
        };
        let compiled = call.compile(request.query()?).await?;
        let connection = call.session.connection();
        let mut rows = Vec::new();
        let summary = call
            .stream(compiled.clone(), &connection, |batch| rows.push(batch))
            .await?;
        let plotted = compiled.clone();
        let is_box = request.kind == PlotKind::Box;
        let (drawn, spread) = call
            .ask(move |session| match is_box {
                false => Ok((request.plot(&plotted, &rows, summary.truncated)?, None)),
                true => {
                    let spread = session.spread_of(&request, &plotted, &rows, summary.truncated)?;
                    Ok::<_, SessionError>((spread.boxes.clone(), Some(spread)))
                }
            })
            .await??;
        let told = spread.as_ref().map_or(&drawn.notes, |spread| &spread.notes);
        let mut reply = PlotReply {
            text: drawn.text(WIDTH, charset),
            svg: drawn.svg(),
            bars: None,
            bins: None,
            boxes: None,
            outliers: None,
            total_outliers: None,
            metrics: compiled.query.metrics.clone(),
            query: compiled.query.to_string(),
            time: Days::new(compiled.range),
            sql: compiled.main.sql.clone(),
            total_rows: summary.rows,
            truncated: drawn.is_partial,
            notes: notes(&compiled)
                .iter()
                .chain(&call.session.partial_periods(&compiled))
                .chain(told)
                .map(|note| clean(note))
                .collect(),
            elapsed_ms: milliseconds(summary.elapsed),
            title: drawn.title.clone(),
        };
        reply.take(drawn);
        if let Some(spread) = spread {
            reply.total_outliers = Some(spread.outliers.len());
            let listed = spread.outliers.into_iter().take(OUTLIERS);
            reply.outliers = Some(listed.map(OutlierLine::new).collect());
        }
        Ok(reply)
    }

    fn picture(reply: &PlotReply) -> Option<&str> {
        Some(&reply.text)
    }
}

impl OutlierLine {
    fn new(outlier: Outlier) -> Self {
        Self {
            member: outlier.member.map(|member| short(&member).0),
            period: outlier.period.map(|(start, _)| start.to_string()),
            value: rounded(outlier.value),
            fences: [rounded(outlier.fences.0), rounded(outlier.fences.1)],
            deviations: outlier.deviations.map(rounded),
        }
    }
}

impl PlotReply {
    /// The numbers.
    fn take(&mut self, plot: Plot) {
        match plot.shape {
            Shape::Bars(bars) => {
                let line = |bar: plot::Bar| BarLine {
                    label: short(&bar.label).0,
                    value: rounded(bar.value),
                };
                self.bars = Some(bars.into_iter().map(line).collect());
            }
            Shape::Histogram(bins) => {
                let line = |bin: plot::Bin| BinLine {
                    from: rounded(bin.from),
                    to: rounded(bin.to),
                    count: bin.count,
                };
                self.bins = Some(bins.into_iter().map(line).collect());
            }
            Shape::Boxes(boxes) => {
                let line = |row: plot::BoxRow| BoxLine {
                    label: short(&row.label).0,
                    count: row.numbers.count,
                    min: rounded(row.numbers.min),
                    low_whisker: rounded(row.numbers.low),
                    q1: rounded(row.numbers.q1),
                    median: rounded(row.numbers.median),
                    q3: rounded(row.numbers.q3),
                    high_whisker: rounded(row.numbers.high),
                    max: rounded(row.numbers.max),
                    outliers: row.numbers.outliers.len(),
                };
                self.boxes = Some(boxes.into_iter().map(line).collect());
            }
        }
    }
}
