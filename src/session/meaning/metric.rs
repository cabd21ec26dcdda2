//! What differs between two definitions of a metric.

use super::{Difference, Differences, Touches, all_written, written};
use crate::compile::{aggregated, snapshots};
use crate::model::{
    Conversion, ConversionResult, Cumulative, Facets, Format, FormatKind, Input, Measure, Metric,
    MetricKind, MetricTest, Offset, Source, Window,
};

pub(super) fn differences(before: &Metric, after: &Metric) -> Vec<Difference> {
    let mut found = Differences::default();
    kinds(&before.kind, &after.kind, &mut found);
    let fill = |metric: &Metric| metric.fill.map(|fill| fill.to_string()).unwrap_or_default();
    found.was(
        Touches::Numbers,
        "the value where there are no rows",
        &fill(before),
        &fill(after),
    );
    defaults(before, after, &mut found);
    words(before, after, &mut found);
    found.0
}

fn kinds(before: &MetricKind, after: &MetricKind, found: &mut Differences) {
    match (before, after) {
        (MetricKind::Simple(before), MetricKind::Simple(after))
        | (MetricKind::Ratio(before), MetricKind::Ratio(after)) => sources(before, after, found),
        (
            MetricKind::Derived { expr, inputs },
            MetricKind::Derived {
                expr: new_expr,
                inputs: new_inputs,
            },
        ) => {
            let (before, after) = (written(expr), written(new_expr));
            found.was(Touches::Numbers, "the formula", &before, &after);
            of_inputs(inputs, new_inputs, found);
        }
        (MetricKind::Cumulative(before), MetricKind::Cumulative(after)) => {
            cumulative(before, after, found);
        }
        (MetricKind::Conversion(before), MetricKind::Conversion(after)) => {
            conversion(before, after, found);
        }
        (
            MetricKind::Complex {
                snippet,
                tables,
                facets: declared,
            },
            MetricKind::Complex {
                snippet: new_snippet,
                tables: new_tables,
                facets: new_declared,
            },
        ) => {
            found.was(Touches::Numbers, "the snippet", snippet, new_snippet);
            let words = ("the snippet may use", "the snippet may no longer use");
            found.lists(Touches::Numbers, tables, new_tables, words);
            match (declared, new_declared) {
                (Some(before), Some(after)) => facets(before, after, found),
                (None, Some(_)) => found.add(Touches::Numbers, "its snippet has facets"),
                (Some(_), None) => found.add(Touches::Numbers, "its snippet has no facets"),
                (None, None) => {}
            }
        }
        (before, after) => {
            let text = format!("the kind is {}, was {}", after.word(), before.word());
            found.add(Touches::Numbers, text);
        }
    }
}

fn sources(before: &[Source], after: &[Source], found: &mut Differences) {
    if before.len() != after.len() {
        let reads = |sources: &[Source]| {
            let first = sources.iter().filter_map(|source| source.measures.first());
            let first: Vec<_> = first.map(|measure| measure.dataset.as_str()).collect();
            first.join(", else ")
        };
        let (before, after) = (reads(before), reads(after));
        return found.was(
            Touches::Numbers,
            "what it is computed from",
            &before,
            &after,
        );
    }
    let several = after.len() > 1;
    for (old, new) in before.iter().zip(after) {
        let mut inner = Differences::default();
        let condition = |source: &Source| {
            let condition = source.use_when.as_ref();
            condition
                .map(|(text, _)| text.text.clone())
                .unwrap_or_default()
        };
        let (was, is) = (condition(old), condition(new));
        inner.was(Touches::Numbers, "the condition of use", &was, &is);
        measures(&old.measures, &new.measures, &mut inner);
        let dataset = new.measures.first().map(|measure| &measure.dataset);
        let named = dataset
            .filter(|_| several)
            .map(|name| format!("from {name}"));
        found.0.extend(inner.0.into_iter().map(|one| match &named {
            Some(named) => one.of(named),
            None => one,
        }));
    }
}

fn measures(before: &[Measure], after: &[Measure], found: &mut Differences) {
    let halves = ["numerator", "denominator"];
    for (at, (old, new)) in before.iter().zip(after).enumerate() {
        let mut inner = Differences::default();
        measure(old, new, &mut inner);
        let half = halves.get(at).filter(|_| after.len() > 1);
        found.0.extend(inner.0.into_iter().map(|one| match half {
            Some(half) => one.of(half),
            None => one,
        }));
    }
}

fn measure(before: &Measure, after: &Measure, found: &mut Differences) {
    let numbers = Touches::Numbers;
    if before.dataset != after.dataset {
        let text = format!("reads {}, no longer {}", after.dataset, before.dataset);
        found.add(numbers, text);
    }
    let (was, is) = (aggregated(before), aggregated(after));
    if was != is {
        found.add(numbers, format!("{is}, no longer {was}"));
    } else {
        let own = |measure: &Measure| measure.expr.as_ref().map(written).unwrap_or_default();
        found.was(numbers, "the SQL of engines", &own(before), &own(after));
    }
    if before.agg != after.agg && was == is {
        found.add(numbers, "the aggregation is computed in another way");
    }
    let filters = (all_written(&before.filters), all_written(&after.filters));
    let words = ("now only where", "no longer only where");
    found.lists(numbers, &filters.0, &filters.1, words);
    let time = |measure: &Measure| measure.time.clone().unwrap_or_default();
    found.was(numbers, "the time", &time(before), &time(after));
    let over = |measure: &Measure| {
        measure
            .over_time
            .as_ref()
            .map(snapshots)
            .unwrap_or_default()
    };
    found.was(numbers, "the snapshot", &over(before), &over(after));
}

fn of_inputs(before: &[Input], after: &[Input], found: &mut Differences) {
    for new in after {
        let Some(old) = before.iter().find(|old| old.name == new.name) else {
            found.add(Touches::Numbers, format!("also made of {}", input(new)));
            continue;
        };
        let (was, is) = (input(old), input(new));
        found.was(Touches::Numbers, &format!("'{}'", new.name), &was, &is);
    }
    let has_gone = |old: &&Input| after.iter().all(|new| new.name != old.name);
    for gone in before.iter().filter(has_gone) {
        found.add(
            Touches::Numbers,
            format!("no longer made of {}", input(gone)),
        );
    }
}

fn input(input: &Input) -> String {
    let mut text = input.metric.clone();
    match &input.offset {
        None => {}
        Some(Offset::Ago(n, grain)) => text.push_str(&format!(" {n} {grain} before")),
        Some(Offset::AgoCustom(n, period)) => text.push_str(&format!(" {n} {period} before")),
        Some(Offset::StartOf(grain)) => text.push_str(&format!(" at the start of the {grain}")),
        Some(Offset::StartOfPeriod(period)) => {
            text.push_str(&format!(" at the start of the {period}"));
        }
    }
    let filters = all_written(&input.filters);
    if !filters.is_empty() {
        text.push_str(&format!(" where {}", filters.join(" and ")));
    }
    text
}

fn cumulative(before: &Cumulative, after: &Cumulative, found: &mut Differences) {
    let of = |cumulative: &Cumulative| cumulative.of.clone().unwrap_or_default();
    let (was, is) = (of(before), of(after));
    found.was(Touches::Numbers, "what is accumulated", &was, &is);
    sources(&before.sources, &after.sources, found);
    let (was, is) = (window(&before.window), window(&after.window));
    found.was(Touches::Numbers, "the window", &was, &is);
    if before.at_coarser_grain != after.at_coarser_grain {
        let text = "another value stands for a period longer than a day";
        found.add(Touches::Numbers, text);
    }
}

fn window(window: &Window) -> String {
    match window {
        Window::AllTime => "all time".to_owned(),
        Window::Trailing(n, grain) => format!("{n} {grain}s"),
        Window::ToDate(grain) => format!("{grain} to date"),
        Window::ToDateOf(period) => format!("{period} to date"),
    }
}

fn conversion(before: &Conversion, after: &Conversion, found: &mut Differences) {
    let numbers = Touches::Numbers;
    found.was(numbers, "who converts", &before.entity, &after.entity);
    found.was(numbers, "the base", &before.base, &after.base);
    found.was(
        numbers,
        "the conversion",
        &before.conversion,
        &after.conversion,
    );
    let within = |conversion: &Conversion| match conversion.within {
        Some((n, grain)) => format!("{n} {grain}s"),
        None => "any time".to_owned(),
    };
    found.was(
        numbers,
        "the time to convert",
        &within(before),
        &within(after),
    );
    let same = |conversion: &Conversion| {
        let pairs = conversion.same.iter();
        let pairs: Vec<_> = pairs
            .map(|(one, other)| format!("{one} = {other}"))
            .collect();
        pairs.join(", ")
    };
    found.was(numbers, "what must be equal", &same(before), &same(after));
    let result = |conversion: &Conversion| match conversion.result {
        ConversionResult::Rate => "a rate",
        ConversionResult::Count => "a count",
    };
    found.was(numbers, "the result", result(before), result(after));
}

fn facets(before: &Facets, after: &Facets, found: &mut Differences) {
    measures(&before.source.measures, &after.source.measures, found);
    let (was, is) = (before.grain.word(), after.grain.word());
    found.was(Touches::Numbers, "how long one row is", was, is);
    let per = |facets: &Facets| {
        let per: Vec<_> = facets.per.iter().map(ToString::to_string).collect();
        per.join(", ")
    };
    let (was, is) = (per(before), per(after));
    found.was(Touches::Numbers, "what it does not add up over", &was, &is);
}

fn defaults(before: &Metric, after: &Metric, found: &mut Differences) {
    let grain = |metric: &Metric| {
        let groups: Vec<_> = metric.grain.iter().map(ToString::to_string).collect();
        groups.join(", ")
    };
    let asked = Touches::Defaults;
    found.was(asked, "the default grouping", &grain(before), &grain(after));
    let window = |metric: &Metric| {
        let window = metric.window.map(|window| window.to_string());
        window.unwrap_or_default()
    };
    found.was(
        asked,
        "the default time range",
        &window(before),
        &window(after),
    );
    if before.every_period != after.every_period {
        found.add(
            asked,
            match after.every_period {
                true => "periods without rows are rows of every result",
                false => "periods without rows are no longer rows of every result",
            },
        );
    }
    let grain = |metric: &Metric| metric.time_grain.map_or("", |grain| grain.word());
    found.was(asked, "the grain of its time", grain(before), grain(after));
}

fn words(before: &Metric, after: &Metric, found: &mut Differences) {
    let told = Touches::Words;
    found.was(told, "the label", &before.label, &after.label);
    found.was(told, "the category", &before.category, &after.category);
    if before.description != after.description {
        found.add(told, format!("described as: {}", after.description));
    }
    let words = ("a rule more:", "a rule less:");
    found.lists(told, &before.business_rules, &after.business_rules, words);
    let owner = |metric: &Metric| metric.owner.clone().unwrap_or_default();
    found.was(told, "the owner", &owner(before), &owner(after));
    let (was, is) = (before.status.word(), after.status.word());
    found.was(told, "the status", was, is);
    let words = ("is also called", "is no longer called");
    found.lists(told, &before.aliases, &after.aliases, words);
    found.lists(
        told,
        &before.tags,
        &after.tags,
        ("has the tag", "loses the tag"),
    );
    let (was, is) = (format(&before.format), format(&after.format));
    found.was(told, "the format", &was, &is);
    let titles = |tests: &[MetricTest]| tests.iter().map(MetricTest::title).collect::<Vec<_>>();
    let (was, is) = (titles(&before.tests), titles(&after.tests));
    found.lists(told, &was, &is, ("is tested:", "is no longer tested:"));
}

fn format(format: &Format) -> String {
    let kind = match format.kind {
        FormatKind::Number => "a number",
        FormatKind::Percent => "a percentage",
        FormatKind::Currency => "money",
        FormatKind::Duration => "a duration",
    };
    let mut text = kind.to_owned();
    if let Some(currency) = &format.currency {
        text.push_str(&format!(" in {currency}"));
    }
    if let Some(unit) = &format.unit {
        text.push_str(&format!(" of {unit}"));
    }
    if let Some(decimals) = format.decimals {
        text.push_str(&format!(" with {decimals} decimals"));
    }
    text
}
