//! Runs a query that shows an analysis, laid out as it is best read.

use super::{picker, tabs};
use crate::model::{AnalysisView, MetricQuery};
use crate::tui::message::Effect;
use crate::tui::state::State;
use crate::tui::widgets::grid::Arrangement;

/// Takes the query and runs it.
pub(super) fn take(state: &mut State, view: &AnalysisView) -> Vec<Effect> {
    let mut effects = picker::take_line(state, &view.query);
    effects.extend(tabs::run(state, false));
    if let Ok(query) = view.query.parse::<MetricQuery>() {
        let groups = query.group_by.iter().flatten();
        state.result.arrangement = Arrangement::of_analysis(
            groups.map(ToString::to_string).collect(),
            query.metrics,
            view.across.clone(),
        );
    }
    effects
}
