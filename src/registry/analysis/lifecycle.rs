//! Customer lifecycle: who is new, retained, resurrected or lost in each period, and what they were before.

use super::Draft;
use super::event::Columns;
use super::made::{Number, Of, Own, Rows, Shown, by_period, per, per_grain, these, view};
use crate::model::DimensionType;
use crate::registry::diagnostic::Sink;

pub(super) fn rows<'a>(draft: &Draft<'a>, sink: &mut Sink) -> Option<Rows<'a>> {
    let who = draft.who(sink);
    let activity = draft.event("activity", draft.raw.activity.as_ref(), sink);
    let grain = draft.grain(sink)?;
    let who = who?;
    let activity = activity?.without_snapshots(sink)?;
    activity.check(&[who], draft.known, sink)?;
    let columns = Columns::of(&who.value);
    let name = &draft.name.value;
    let number = |suffix, label, description, of| Number {
        suffix,
        label,
        description,
        of,
        format: Shown::Count,
        per: vec![per_grain(grain)],
    };
    let share = |suffix, label, description, of| Number {
        format: Shown::Percent,
        ..number(suffix, label, description, of)
    };
    let metrics = vec![
        Number {
            per: vec![per_grain(grain), per("state")],
            ..number(
                "",
                "",
                "How many customers are in a state, in the period.",
                Of::Count(""),
            )
        },
        number(
            "active",
            "active",
            "How many customers were active in the period.",
            Of::Count("state <> 'churned'"),
        ),
        number(
            "new",
            "new",
            "How many customers were active for the first time.",
            Of::Count("state = 'new'"),
        ),
        number(
            "retained",
            "retained",
            "How many were active in this period and the one before.",
            Of::Count("state = 'retained'"),
        ),
        number(
            "resurrected",
            "resurrected",
            "How many were active again after a pause.",
            Of::Count("state = 'resurrected'"),
        ),
        number(
            "churned",
            "churned",
            "How many were active in the period before and are not in this one.",
            Of::Count("state = 'churned'"),
        ),
        share(
            "churn_rate",
            "churn rate",
            "The share of those active in the period before that are not active in this one.",
            Of::Ratio("churned", "held"),
        ),
        share(
            "retention_rate",
            "retention rate",
            "The share of those active in the period before that are active in this one.",
            Of::Ratio("held - churned", "held"),
        ),
    ];
    let views = vec![
        view(
            "States by period",
            format!("{name} by {grain}, state"),
            Some("state"),
        ),
        view(
            "Flow: from the state before to the state now",
            format!("{name} by {grain}, came_from, state"),
            Some("state"),
        ),
        view(
            "Rates by period",
            format!("{name}_active, {name}_churn_rate, {name}_retention_rate by {grain}"),
            None,
        ),
    ];
    Some(Rows {
        own: vec![
            Own {
                name: "state",
                kind: DimensionType::Text,
                description: "new, retained, resurrected or churned.",
                like: None,
                values: these(&["new", "retained", "resurrected", "churned"]),
            },
            Own {
                name: "came_from",
                kind: DimensionType::Text,
                description: "The state in the period before; none before the first, dormant after churned.",
                like: None,
                values: these(&[
                    "none",
                    "new",
                    "retained",
                    "resurrected",
                    "churned",
                    "dormant",
                ]),
            },
        ],
        metrics,
        views,
        ..by_period("lifecycle", activity, columns, grain)
    })
}
