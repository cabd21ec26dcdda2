//! Funnels: how far people came in steps that follow each other within a limit.

use minijinja::context;

use super::Draft;
use super::event::Columns;
use super::made::{Number, Of, Own, Rows, Shown, per, view};
use crate::model::{AnalysisValues, DimensionType, Grain};
use crate::registry::diagnostic::Sink;
use crate::registry::yaml::Text;

/// How long after the first step the last may be, in days, where nothing is said.
const WITHIN: f64 = 30.0;
/// Most steps: their names begin with one digit, which keeps them in order.
const MOST: usize = 9;

pub(super) fn rows<'a>(draft: &Draft<'a>, sink: &mut Sink) -> Option<Rows<'a>> {
    let name = draft.name;
    let who = draft.who(sink);
    let grain = draft.grain(sink)?;
    let within = draft.days(draft.raw.within.as_ref(), WITHIN, sink)?;
    let who = who?;
    let steps = &draft.raw.steps.0;
    if !(2..=MOST).contains(&steps.len()) {
        let message = format!(
            "a funnel has 2 to {MOST} steps; this one has {}",
            steps.len()
        );
        let hint = "write steps: {seen: touches, ordered: orders}";
        let hint = Some(hint.to_owned());
        sink.error("missing_key", name.place, &name.value, message, hint);
        return None;
    }
    let mut events = Vec::new();
    let mut labels = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let event = draft.event("steps", step.value.as_ref(), sink)?;
        let event = event.without_snapshots(sink)?;
        let by: &[Text] = if at == 0 { draft.by() } else { &[] };
        let names: Vec<_> = std::iter::once(who).chain(by).collect();
        event.check(&names, draft.known, sink)?;
        labels.push(format!("{} {}", at + 1, step.name.value));
        events.push(event);
    }
    let first = events.first()?;
    let (lender, is_timed) = (first.dataset, first.time().kind == DimensionType::Time);
    let metrics = vec![
        Number {
            suffix: "",
            label: "",
            description: "The share of all that began who came to a step.",
            of: Of::Ratio("reached", "started"),
            format: Shown::Percent,
            per: vec![per("step")],
        },
        Number {
            suffix: "step_rate",
            label: "from the step before",
            description: "The share of those at the step before who came to a step.",
            of: Of::Ratio("reached", "entered"),
            format: Shown::Percent,
            per: vec![per("step")],
        },
        Number {
            suffix: "reached",
            label: "reached",
            description: "How many came to a step.",
            of: Of::Sum("reached"),
            format: Shown::Decimal(0),
            per: vec![per("step")],
        },
        Number {
            suffix: "days",
            label: "days",
            description: "How many days after the first step a step was reached, on average.",
            of: Of::Avg("days"),
            format: Shown::Decimal(1),
            per: vec![per("step")],
        },
    ];
    let of = &name.value;
    let views = vec![
        view(
            "Steps",
            format!("{of}_reached, {of}, {of}_step_rate, {of}_days by step"),
            None,
        ),
        view(
            "Steps by period",
            format!("{of} by {grain}, step"),
            Some("step"),
        ),
    ];
    let by: Vec<String> = draft.by().iter().map(|text| text.value.clone()).collect();
    let step_names = Some(AnalysisValues::These(labels.clone()));
    let (who, by_names) = (who.value.as_str(), draft.by());
    Some(Rows {
        template: "funnel",
        of: events
            .iter()
            .map(|event| event.metric.value.clone())
            .collect(),
        lender,
        fill: Box::new(move |dialect| {
            let metric = |at: usize| events.get(at).map(|event| event.metric.value.as_str());
            let steps: Vec<_> = events
                .iter()
                .zip(&labels)
                .enumerate()
                .map(|(at, (event, label))| {
                    let columns = Columns {
                        by: if at == 0 { by_names } else { &[] },
                        ..Columns::of(who)
                    };
                    let others = (0..events.len()).filter(|other| metric(*other) == metric(at));
                    // No event counts for two steps: it comes after the one of the latest step of the same metric.
                    let same = others.clone().filter(|other| *other < at).max();
                    context! {
                        events => event.select(columns, dialect),
                        label,
                        is_repeated => others.count() > 1,
                        same_as => same.map_or(0, |same| same + 1),
                    }
                })
                .collect();
            context! {
                steps,
                by => by.clone(),
                who,
                grain => grain.word(),
                within,
            }
        }),
        has_who: true,
        time: ("started_at".to_owned(), "Time of the first step".to_owned()),
        is_timed,
        own: vec![Own {
            name: "step",
            kind: DimensionType::Text,
            description: "The step, with its number.",
            like: None,
            values: step_names,
        }],
        grain: Grain::Day,
        metrics,
        views,
    })
}
