//! Plots of a metric across a dimension, from a closed list of kinds, as text and as SVG.

mod data;
mod spread;
mod svg;
mod text;

pub(super) use crate::investigate::distribution::bins;
pub use crate::investigate::distribution::{FiveNumbers, quantile};
pub use data::{Bar, Bin, BoxRow, Plot, PlotKind, PlotRequest, Shape};
pub use spread::{Outlier, Spread};
pub use svg::escaped;
pub use text::{Charset, bar};
