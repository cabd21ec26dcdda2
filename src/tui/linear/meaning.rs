//! Actions that are about a screen, each with the reason why it means nothing without one.

use crate::tui::action::Action;
use crate::tui::charting::ChartChoice;
use crate::tui::popup::Choice;
use crate::tui::widgets::grid::Switch;

/// Why an action means nothing here, if so.
pub(super) fn only_on_screen(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::Redraw => "nothing is drawn here",
        Action::Menu => "? lists everything that the menus hold",
        Action::Mouse => "there is no mouse here",
        Action::Suspend => "the shell does that: press Ctrl+Z itself",
        Action::Theme => "there are no colours here",
        Action::GrowPane | Action::ShrinkPane | Action::EvenPanes => {
            "there are no panes that have a size here"
        }
        Action::SideBySide | Action::ShareFilters => {
            "one result is read at a time; another tab is gone to"
        }
        Action::Wider
        | Action::Narrower
        | Action::Freeze
        | Action::FitColumn
        | Action::FitColumns => "each value is read with its column, which has no width here",
        Action::Look(Switch::Heat | Switch::Bars) | Action::Trends => {
            "it is for the eye; sorting by the column, or the chart, says it in words"
        }
        Action::EditLine => "the query line is typed as it is, at any time",
        Action::Ask => "a question is typed as it is, at any time",
        Action::FindMetric => "/words finds metrics, at any time",
        Action::Define => {
            "the form needs a screen; `metrex define --from FILE.yaml` does the same in lines"
        }
        Action::AuthorType | Action::AuthorIndent => {
            "12=TEXT puts TEXT in the place of line 12; ? lists what else there is"
        }
        _ => return None,
    })
}

/// The same of an entry of a list.
pub(super) fn choice_only_on_screen(choice: &Choice) -> Option<&'static str> {
    match choice {
        Choice::Action(action) => only_on_screen(*action),
        Choice::Chart(ChartChoice::Glyphs(_)) => Some("nothing is drawn here"),
        _ => None,
    }
}
