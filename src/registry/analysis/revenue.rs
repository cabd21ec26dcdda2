//! Churn and net revenue retention: what recurring revenue gained and lost from one period to the next.

use super::Draft;
use super::event::Columns;
use super::made::{Number, Of, Rows, Shown, by_period, per_grain, view};
use crate::registry::diagnostic::Sink;

pub(super) fn rows<'a>(draft: &Draft<'a>, sink: &mut Sink) -> Option<Rows<'a>> {
    let who = draft.who(sink);
    let revenue = draft.event("revenue", draft.raw.revenue.as_ref(), sink);
    let grain = draft.grain(sink)?;
    let who = who?;
    let revenue = revenue?.with_plain_snapshots(sink)?;
    revenue.check(&[who], draft.known, sink)?;
    let columns = Columns {
        snapshot: Some(grain),
        ..Columns::of(&who.value)
    };
    let format = &revenue.raw.format;
    let amount = |suffix, label, description, column| Number {
        suffix,
        label,
        description,
        of: Of::Sum(column),
        format: Shown::Like(format.clone()),
        per: vec![per_grain(grain)],
    };
    let share = |suffix, label, description, upper, lower| Number {
        suffix,
        label,
        description,
        of: Of::Ratio(upper, lower),
        format: Shown::Percent,
        per: vec![per_grain(grain)],
    };
    let metrics = vec![
        share(
            "",
            "",
            "What is left of the revenue that the period opened with, after upgrades, downgrades and departures.",
            "opening + expansion - contraction - churned",
            "opening",
        ),
        share(
            "gross",
            "gross retention",
            "What is left of the revenue that the period opened with, without upgrades.",
            "opening - contraction - churned",
            "opening",
        ),
        share(
            "churn",
            "customer churn",
            "The share of the paying customers of the period before that pay nothing in this one.",
            "lost",
            "held",
        ),
        share(
            "revenue_churn",
            "revenue churn",
            "The share of the revenue that the period opened with whose payers left.",
            "churned",
            "opening",
        ),
        amount(
            "opening",
            "opening",
            "The revenue of the period before.",
            "opening",
        ),
        amount(
            "new",
            "new",
            "Revenue from those who pay for the first time.",
            "won",
        ),
        amount(
            "won_back",
            "won back",
            "Revenue from those who pay again after a pause.",
            "won_back",
        ),
        amount(
            "expansion",
            "expansion",
            "What existing payers pay more than in the period before.",
            "expansion",
        ),
        amount(
            "contraction",
            "contraction",
            "What existing payers pay less than in the period before.",
            "contraction",
        ),
        amount(
            "churned",
            "churned",
            "What those paid in the period before who pay nothing in this one.",
            "churned",
        ),
        amount(
            "closing",
            "closing",
            "The revenue of the period.",
            "closing",
        ),
    ];
    let name = &draft.name.value;
    let views = vec![
        view(
            "Retention and churn by period",
            format!("{name}, {name}_gross, {name}_churn, {name}_revenue_churn by {grain}"),
            None,
        ),
        view(
            "From opening to closing",
            format!(
                "{name}_opening, {name}_new, {name}_won_back, {name}_expansion, {name}_contraction, {name}_churned, {name}_closing by {grain}"
            ),
            None,
        ),
    ];
    Some(Rows {
        metrics,
        views,
        ..by_period("revenue", revenue, columns, grain)
    })
}
