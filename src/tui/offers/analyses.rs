//! Analyses of the project: the queries that show each, and the kinds that the project has none of.

use super::Offer;
use crate::model::{AnalysisKind, AnalysisView};
use crate::tui::popup::Choice;
use crate::tui::state::State;
use crate::tui::widgets::fuzzy_list::Item;

const KINDS: [AnalysisKind; 5] = [
    AnalysisKind::Attribution,
    AnalysisKind::Lifecycle,
    AnalysisKind::Retention,
    AnalysisKind::Revenue,
    AnalysisKind::Funnel,
];

/// What can be run, and why the rest cannot.
pub fn analyses(state: &State) -> Vec<Offer> {
    let all = &state.catalog.registry.analyses;
    let mut offers = Vec::new();
    for analysis in all.values() {
        for (at, view) in analysis.views.iter().enumerate() {
            let item = Item::new(format!("{} {at}", analysis.name), &view.title)
                .group(&analysis.label)
                .also(&format!("{} {}", analysis.name, analysis.kind.title()))
                .detail(&view.query)
                .note(&analysis.description);
            offers.push((item, Choice::Analysis(Box::new(view.clone()))));
        }
    }
    for kind in KINDS {
        if all.values().all(|analysis| analysis.kind != kind) {
            let item = Item::new(kind.word(), kind.title())
                .group("Not declared")
                .disabled(&format!(
                    "the project declares none: analyses: with kind: {}",
                    kind.word()
                ));
            let none = AnalysisView {
                title: String::new(),
                query: String::new(),
                across: None,
            };
            offers.push((item, Choice::Analysis(Box::new(none))));
        }
    }
    offers
}
