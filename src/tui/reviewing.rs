//! The review screen: what waits for a judgement, what there is to know about it, and the judgement being made.

use ratatui::layout::{Constraint, Layout, Rect, Size};

use super::action::Reason;
use super::input::LineInput;
use super::popup::Popup;
use super::state::State;
use crate::session::{Judgement, Review, ReviewStage, Reviewed, SessionError, Weighed};

/// The review screen.
#[derive(Default)]
pub struct Reviewing {
    /// What is listed; `None` until it is known.
    pub list: Option<Vec<Reviewed>>,
    /// What is wrong with proposals that cannot be read.
    pub broken: Vec<String>,
    /// Whether everything is listed.
    pub all: bool,
    /// The metric that is selected.
    pub selected: Option<String>,
    /// The metric that somebody came from.
    pub origin: Option<String>,
    /// The first row of the list that is shown.
    pub top: usize,
    /// What there is to know about it, or why there is nothing.
    pub review: Option<Result<Box<Review>, String>>,
    /// Its numbers and checks.
    pub weighed: Weighing,
    /// The first line shown of all that.
    pub offset: usize,
    /// A judgement that is being worded.
    pub wording: Option<Wording>,
    /// The generation of a judgement that is being written.
    pub judging: Option<u64>,
    /// What has become of the metric once that is written.
    pub done: String,
}

/// The numbers and checks of what is selected.
#[derive(Default)]
pub enum Weighing {
    /// Nobody asked.
    #[default]
    No,
    /// They are computed, for this generation.
    Running(u64),
    /// They were computed.
    Done(Box<Weighed>),
    /// They could not be computed.
    Failed(SessionError),
}

/// A judgement that is being worded.
pub struct Wording {
    /// The judgement.
    pub judgement: Judgement,
    /// Whether the successor is asked for, and not yet the reason.
    pub asks_successor: bool,
    /// What is typed.
    pub input: LineInput,
}

impl Wording {
    /// What is asked for.
    pub fn question(&self) -> &'static str {
        match (&self.judgement, self.asks_successor) {
            (_, true) => "use instead",
            (Judgement::Approve, _) => "approve, why",
            (Judgement::Reject, _) => "reject, why",
            (Judgement::Publish, _) => "publish, why",
            (Judgement::Certify, _) => "certify, why",
            (Judgement::Deprecate { .. }, _) => "deprecate, why",
            (Judgement::Modify { .. }, _) => "modify, why",
        }
    }
}

impl Reviewing {
    /// The row of the list that is selected.
    pub fn row(&self) -> usize {
        let list = self.list.as_deref().unwrap_or_default();
        let is_selected = |one: &Reviewed| Some(&one.name) == self.selected.as_ref();
        list.iter().position(is_selected).unwrap_or(0)
    }
}

/// Why a judgement cannot be made now.
pub fn can(state: &State, judgement: &Judgement) -> Result<(), Reason> {
    let Some(Popup::Review(open)) = state.popups.last() else {
        return Err("the review screen is not open".into());
    };
    if open.judging.is_some() {
        return Err("a judgement is being written".into());
    }
    let Some(Ok(review)) = &open.review else {
        return Err("nothing is selected".into());
    };
    let stage = review.stage;
    // A proposal that was turned down is in nobody's way.
    let is_in_use = match stage {
        ReviewStage::Proposed | ReviewStage::Draft => false,
        ReviewStage::Rejected => review.definition.before.is_some(),
        _ => true,
    };
    let fits = match judgement {
        Judgement::Approve => stage != ReviewStage::Deprecated,
        Judgement::Reject => !matches!(stage, ReviewStage::Deprecated | ReviewStage::Rejected),
        Judgement::Publish => matches!(stage, ReviewStage::Proposed | ReviewStage::Draft),
        Judgement::Certify => is_in_use && stage != ReviewStage::Certified,
        Judgement::Deprecate { .. } => is_in_use && stage != ReviewStage::Deprecated,
        Judgement::Modify { .. } => true,
    };
    match fits {
        true => Ok(()),
        false => Err(format!("it is {}", stage.words()).into()),
    }
}

/// The areas of the list and of what is said about the selected one, with their frames.
pub fn areas(screen: Size) -> (Rect, Rect) {
    let all = Rect {
        x: 0,
        y: 0,
        width: screen.width,
        height: screen.height.saturating_sub(1),
    };
    let [list, said] = if all.width >= 110 {
        Layout::horizontal([Constraint::Percentage(35), Constraint::Min(0)]).areas(all)
    } else {
        Layout::vertical([Constraint::Length(8), Constraint::Min(0)]).areas(all)
    };
    (list, said)
}
