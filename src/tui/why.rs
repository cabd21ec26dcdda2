//! The window on why a number moved: the hypotheses as a tree, and the evidence of the selected one.

use ratatui::layout::{Constraint, Layout, Rect, Size};

use super::action::Reason;
use super::drill;
use super::state::State;
use crate::model::MetricQuery;
use crate::session::why::{Node, Why};
use crate::session::{SessionError, metric_of};

/// The window.
pub struct WhyPane {
    /// The question.
    pub query: MetricQuery,
    /// The generation that it is looked into for.
    pub generation: u64,
    /// As far as it is known, or why nothing is.
    pub why: Option<Result<Box<Why>, SessionError>>,
    /// Whether it is still looked into.
    pub is_running: bool,
    /// The row of the tree that is selected.
    pub selected: usize,
    /// The first row of the tree that is shown.
    pub top: usize,
    /// The first line of the evidence that is shown.
    pub offset: usize,
}

impl WhyPane {
    /// What is known.
    pub fn known(&self) -> Option<&Why> {
        self.why.as_ref()?.as_ref().ok().map(AsRef::as_ref)
    }

    /// The rows of the tree, each with its depth.
    pub fn rows(&self) -> Vec<(usize, &Node)> {
        let nodes = self.known().map(|why| why.tree.walk());
        let nodes = nodes.unwrap_or_default().into_iter();
        nodes.map(|(path, node)| (path.len(), node)).collect()
    }

    /// The selected hypothesis.
    pub fn node(&self) -> Option<&Node> {
        self.rows().get(self.selected).map(|(_, node)| *node)
    }
}

/// The question about the number under the cursor, or about the metric that is selected.
///
/// # Errors
/// There is neither, in words for people.
pub fn question_here(state: &State) -> Result<MetricQuery, Reason> {
    let of_cell = || {
        let number = drill::number_here(state)?;
        let row = drill::row_here(state).ok_or_else(|| drill::no_row(state))?;
        let columns = &row.drill.compiled.main.columns;
        let is_it = |name: &String| columns.iter().position(|column| column.name == *name);
        let at = number.of.column.as_ref().and_then(is_it);
        let metric = at.and_then(|at| metric_of(columns, at));
        let metric = metric.ok_or_else(|| Reason::from("this result has no metric"))?;
        let mut query = row.drill.only(&row.values, Some(metric))?;
        query.group_by = Some(Vec::new());
        Ok(query)
    };
    let of_cell: Result<MetricQuery, Reason> = of_cell();
    of_cell.or_else(|reason| match state.metric_here() {
        Some(metric) => Ok(MetricQuery {
            metrics: vec![metric.to_owned()],
            ..MetricQuery::default()
        }),
        None => Err(reason),
    })
}

/// The areas of the tree and of the evidence, with their frames.
pub fn areas(screen: Size) -> (Rect, Rect) {
    let all = Rect {
        x: 0,
        y: 0,
        width: screen.width,
        height: screen.height.saturating_sub(1),
    };
    let [tree, evidence] = if all.width >= 110 {
        Layout::horizontal([Constraint::Percentage(42), Constraint::Min(0)]).areas(all)
    } else {
        Layout::vertical([Constraint::Percentage(45), Constraint::Min(0)]).areas(all)
    };
    (tree, evidence)
}
