//! What stands above a column: the name that a query line uses, which is shorter than the label.

use crate::compile::{OutputColumn, Role};
use crate::tui::widgets::text::{sanitize, truncate, width};

/// `market`, `gmv`, `gmv prior`, `gmv Δ`, `gmv Δ%`, `gmv share`.
pub(super) fn header(column: &OutputColumn) -> String {
    if let Role::Figure(what) = column.role {
        let suffix = format!("_{}", what.to_string().replace(' ', "_"));
        let metric = column.name.strip_suffix(&suffix).unwrap_or(&column.name);
        return format!("{} {what}", sanitize(metric));
    }
    let (suffix, sign) = match column.role {
        Role::Group | Role::Metric | Role::Bound | Role::Figure(_) => ("", ""),
        Role::Prior => ("_prior", " prior"),
        Role::Change => ("_change", " Δ"),
        Role::ChangePercent => ("_change_pct", " Δ%"),
    };
    match column.name.strip_suffix(suffix) {
        Some(metric) => format!("{}{sign}", sanitize(metric)),
        None => sanitize(&column.name).into_owned(),
    }
}

/// The header cut to a width, but not where it tells the columns of a metric apart: `conversion_r… Δ%`.
pub(super) fn fitted(column: &OutputColumn, cells: usize) -> String {
    let header = header(column);
    match header.split_once(' ') {
        Some((metric, sign)) if width(&header) > cells => {
            let room = cells.saturating_sub(width(sign) + 1);
            format!("{} {sign}", truncate(metric, room))
        }
        _ => header,
    }
}
