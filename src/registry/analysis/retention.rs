//! Cohort retention: of those that came in one period, how many came again so many periods later.

use minijinja::context;

use super::Draft;
use super::event::Columns;
use super::made::{Number, Of, Own, Rows, Shown, per, view};
use crate::model::DimensionType;
use crate::registry::diagnostic::Sink;

pub(super) fn rows<'a>(draft: &Draft<'a>, sink: &mut Sink) -> Option<Rows<'a>> {
    let who = draft.who(sink);
    let activity = draft.event("activity", draft.raw.activity.as_ref(), sink);
    let grain = draft.grain(sink)?;
    let who = who?;
    let activity = activity?.without_snapshots(sink)?;
    let names: Vec<_> = std::iter::once(who).chain(draft.by()).collect();
    activity.check(&names, draft.known, sink)?;
    let columns = Columns {
        by: draft.by(),
        ..Columns::of(&who.value)
    };
    let name = &draft.name.value;
    let age = || vec![per("age")];
    let mut metrics = vec![
        Number {
            suffix: "",
            label: "",
            description: "The share of a cohort that was active so many periods after its first.",
            of: Of::Ratio("active", "size"),
            format: Shown::Percent,
            per: age(),
        },
        Number {
            suffix: "customers",
            label: "customers",
            description: "How many of the cohort were active so many periods after its first.",
            of: Of::Sum("active"),
            format: Shown::Decimal(0),
            per: age(),
        },
        Number {
            suffix: "size",
            label: "size of the cohort",
            description: "How many were active for the first time in the period of the cohort.",
            of: Of::Sum("size"),
            format: Shown::Decimal(0),
            per: age(),
        },
    ];
    if activity.is_sum() {
        metrics.push(Number {
            suffix: "value",
            label: "value per customer",
            description: "What the cohort brought in the period, for each customer it began with.",
            of: Of::Ratio("amount", "size"),
            format: Shown::Like(activity.raw.format.clone()),
            per: age(),
        });
    }
    let views = vec![
        view("Triangle", format!("{name} by {grain}, age"), Some("age")),
        view("Curve", format!("{name} by age"), None),
        view(
            "Sizes",
            format!("{name}_size by {grain} where age = 0"),
            None,
        ),
    ];
    let by: Vec<String> = draft.by().iter().map(|text| text.value.clone()).collect();
    Some(Rows {
        template: "retention",
        of: vec![activity.metric.value.clone()],
        lender: activity.dataset,
        fill: Box::new(move |dialect| {
            context! {
                events => activity.select(columns, dialect),
                by => by.clone(),
                grain => grain.word(),
            }
        }),
        has_who: false,
        time: ("cohort".to_owned(), "Cohort".to_owned()),
        is_timed: false,
        own: vec![
            Own {
                name: "age",
                kind: DimensionType::Number,
                description: "Periods since the first one, which is 0.",
                like: None,
                values: None,
            },
            Own {
                name: "period",
                kind: DimensionType::Date,
                description: "The first day of the period in which they were active.",
                like: None,
                values: None,
            },
        ],
        grain,
        metrics,
        views,
    })
}
