//! Attribution: each conversion shares its worth among the contacts before it, by six methods side by side.

use minijinja::context;

use super::Draft;
use super::event::Columns;
use super::made::{Number, Of, Own, Rows, Shown, lent, per, these, values_of, view};
use crate::model::{DimensionType, Grain};
use crate::registry::diagnostic::Sink;

/// How far back a contact counts, in days, where nothing is said.
const LOOKBACK: f64 = 30.0;
/// After how many days a contact has half the weight, where nothing is said.
const HALF_LIFE: f64 = 7.0;
/// What the first and the last contact get by position, each, where nothing is said.
const ENDS: f64 = 0.4;
/// How a conversion is shared.
const METHODS: [&str; 6] = [
    "first_touch",
    "last_touch",
    "linear",
    "position_based",
    "time_decay",
    "shapley",
];

pub(super) fn rows<'a>(draft: &Draft<'a>, sink: &mut Sink) -> Option<Rows<'a>> {
    let raw = draft.raw;
    let who = draft.who(sink);
    let channel = draft.needed("channel", raw.channel.as_ref(), sink);
    let touches = draft.event("touches", raw.touches.as_ref(), sink);
    let conversions = draft.event("conversions", raw.conversions.as_ref(), sink);
    let cost = match &raw.cost {
        Some(name) => Some(draft.known.event(name, sink)?.without_snapshots(sink)?),
        None => None,
    };
    let lookback = draft.days(raw.lookback.as_ref(), LOOKBACK, sink)?;
    let half_life = draft.days(raw.half_life.as_ref(), HALF_LIFE, sink)?;
    let ends = Draft::half_at_most(raw.ends, ENDS, sink)?;
    let (who, channel) = (who?, channel?);
    let touches = touches?.without_snapshots(sink)?;
    let conversions = conversions?.without_snapshots(sink)?;
    if let (Some(cost), Some(name)) = (&cost, &raw.cost)
        && (cost.dataset.name != touches.dataset.name || cost.time().name != touches.time().name)
    {
        let message = format!(
            "'{}' is counted in {} by {}, the contacts in {} by {}",
            name.value,
            cost.dataset.name,
            cost.time().name,
            touches.dataset.name,
            touches.time().name
        );
        let hint = Some("name a metric of what the contacts themselves cost".to_owned());
        sink.error("metric_kind", name.place, &name.value, message, hint);
        return None;
    }
    let by = draft.by();
    let mut names = vec![who, channel];
    if cost.is_some() {
        names.extend(by);
    }
    touches.check(&names, draft.known, sink)?;
    if let Some(cost) = &cost {
        cost.check(&[], draft.known, sink)?;
    }
    let names: Vec<_> = std::iter::once(who).chain(by).collect();
    conversions.check(&names, draft.known, sink)?;

    let name = &draft.name.value;
    let method = || vec![per("method")];
    let mut metrics = vec![
        Number {
            suffix: "",
            label: "credited",
            description: "What the conversions that are credited to it are worth.",
            of: Of::Sum("credited"),
            format: Shown::Like(conversions.raw.format.clone()),
            per: method(),
        },
        Number {
            suffix: "conversions",
            label: "conversions",
            description: "How many conversions are credited to it, in parts where several contacts share one.",
            of: Of::Sum("credit"),
            format: Shown::Decimal(1),
            per: method(),
        },
    ];
    let mut views = vec![view(
        "Credit by channel and method",
        format!("{name} by channel, method"),
        Some("method"),
    )];
    if let Some(cost) = &cost {
        let format = cost.raw.format.clone();
        metrics.extend([
            Number {
                suffix: "cost",
                label: "cost",
                description: "What the contacts cost.",
                of: Of::Sum("cost"),
                format: Shown::Like(format),
                per: method(),
            },
            Number {
                suffix: "roi",
                label: "return on investment",
                description: "What is left of the credited worth after the cost, for each unit of cost.",
                of: Of::Ratio("credited - cost", "cost"),
                format: Shown::Percent,
                per: method(),
            },
            Number {
                suffix: "roas",
                label: "worth per cost",
                description: "The credited worth for each unit of cost.",
                of: Of::Ratio("credited", "cost"),
                format: Shown::Decimal(2),
                per: method(),
            },
        ]);
        views.push(view(
            "Return on investment by channel and method",
            format!("{name}_roi by channel, method where channel is not null"),
            Some("method"),
        ));
        views.push(view(
            "Cost, credit and return by channel, true Shapley",
            format!(
                "{name}_cost, {name}, {name}_roas, {name}_roi by channel where method = shapley"
            ),
            None,
        ));
    }
    let channels = values_of(touches.dataset, &channel.value);
    let like = lent(touches.dataset, &channel.value, draft.name.place);
    let columns = Columns {
        by,
        ..Columns::of(&who.value)
    };
    let has_cost = cost.is_some();
    let is_timed = [&touches, &conversions]
        .iter()
        .any(|event| event.time().kind == DimensionType::Time);
    let of = std::iter::once(&conversions).chain([&touches]).chain(&cost);
    let of = of.map(|event| event.metric.value.clone()).collect();
    let lender = conversions.dataset;
    let by_names: Vec<String> = by.iter().map(|text| text.value.clone()).collect();
    let (who_name, channel) = (who.value.clone(), channel.value.as_str());
    Some(Rows {
        template: "attribution",
        of,
        lender,
        fill: Box::new(move |dialect| {
            let of_touches = Columns {
                by: if has_cost { columns.by } else { &[] },
                channel: Some(channel),
                cost: cost.as_ref(),
                ..columns
            };
            context! {
                touches => touches.select(of_touches, dialect),
                conversions => conversions.select(columns, dialect),
                by => by_names.clone(),
                who => who_name.clone(),
                has_cost,
                lookback,
                half_life,
                ends,
                // Written out, so that 1 - 2 * 0.4 is 0.2.
                middle => format!("1 - 2 * {ends}"),
            }
        }),
        has_who: true,
        time: (
            "credited_at".to_owned(),
            "Time of the conversion, or of the cost".to_owned(),
        ),
        is_timed,
        own: vec![
            Own {
                name: "method",
                kind: DimensionType::Text,
                description: "How a conversion is shared: first_touch, last_touch, linear, position_based, time_decay or shapley.",
                like: None,
                values: these(&METHODS),
            },
            Own {
                name: "channel",
                kind: DimensionType::Text,
                description: "What gets the credit; empty where no contact came before.",
                like: Some(like),
                values: channels,
            },
            Own {
                name: "channel_set",
                kind: DimensionType::Text,
                description: "Everything that came before the conversion, each once.",
                like: None,
                values: None,
            },
        ],
        grain: Grain::Day,
        metrics,
        views,
    })
}
