//! Plots of a metric across a dimension, from a closed list of kinds, as text and as SVG.

mod data;
mod statistics;
mod svg;
mod text;

pub use data::{Bar, Bin, BoxRow, Plot, PlotKind, PlotRequest, Shape};
pub(super) use statistics::bins;
pub use statistics::{FiveNumbers, quantile};
pub use svg::escaped;
pub use text::{Charset, bar};
