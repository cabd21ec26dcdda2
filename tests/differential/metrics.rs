//! Random metrics of every kind over the facts of a model.

use crate::model::{MetricText, Model};
use crate::random::Random;

const FILTERS: [&str; 18] = [
    "cat = 'ads'",
    "cat <> 'ads'",
    "cat in ('ads', 'seo')",
    "cat not in ('seo')",
    "not (cat = 'ads' and qty > 0)",
    "qty > 1",
    "qty is not null",
    "amt between 1 and 5",
    "flag",
    "not flag",
    "hot",
    "amt > 2 or cat = 'seo'",
    "coalesce(qty, 0) = 0",
    "size = 'big'",
    "at >= '2024-02-29'",
    "case when qty > 1 then flag else amt > 1 end",
    "buyer.seg = 'smb' or buyer.seg is null",
    "place.zone <> 'north' or flag",
];

const NUMBERS: [&str; 9] = [
    "amt",
    "qty",
    "amt * qty",
    "coalesce(amt, 0)",
    "case when flag then amt end",
    "amt / 2",
    "amt - qty",
    "amt / qty",
    "nullif(qty, 0)",
];

const THINGS: [&str; 5] = ["cat", "p1", "amt", "code", "buyer.seg"];

pub fn metrics(random: &mut Random, model: &mut Model, facts: usize) {
    let mut taken = 0;
    let mut name = |random: &mut Random| {
        taken += 1;
        // Names that mean something in SQL are names like others.
        let odd = *random.pick(&["select", "Order", "group", "parts", "id"]);
        if random.percent(6) {
            format!("{odd}_{taken}")
        } else {
            format!("m{taken}")
        }
    };
    for fact in 0..facts {
        for _ in 0..random.between(3, 5) {
            let name = name(random);
            model.metrics.push(simple(random, name, fact));
        }
        if random.percent(70) {
            let name = name(random);
            model.metrics.push(ratio(random, name, fact));
        }
    }
    if facts > 1 && random.percent(50) {
        let name = name(random);
        let yaml = format!(
            "{{agg: count, sources: [{{base_table: f0, use_when: \"uses(channel) or grain < month\"}}, {{base_table: f1{}}}]}}",
            filters(random)
        );
        model.metrics.push(MetricText {
            name,
            yaml,
            is_number: true,
            is_plain: true,
        });
    }
    if random.percent(60) {
        let name = name(random);
        let fact = random.below(facts);
        let time = model.default_time;
        model.metrics.push(balance(random, name, fact, time));
    }
    // What accumulates is made of what does not.
    let plain: Vec<MetricText> = model
        .metrics
        .iter()
        .filter(|metric| metric.is_plain)
        .cloned()
        .collect();
    for _ in 0..random.between(1, 3) {
        let name = name(random);
        let fact = random.below(facts);
        model.metrics.push(cumulative(random, name, fact, &plain));
    }
    for _ in 0..random.between(3, 5) {
        let name = name(random);
        let derived = match random.below(3) {
            0 => derived(random, name, &model.metrics),
            1 => of_inputs(random, name, &model.metrics),
            _ => ratio_of_metrics(random, name, &model.metrics),
        };
        model.metrics.push(derived);
    }
}

/// Filters that hold for every fact.
const SHARED: [&str; 5] = [
    "cat = 'ads'",
    "qty > 0 or flag",
    "amt is not null",
    "not (cat = 'seo')",
    "buyer.seg <> 'smb'",
];

const WINDOWS: [&str; 11] = [
    "all_time",
    "1 day",
    "7 days",
    "1 week",
    "28 days",
    "1 month",
    "3 months",
    "week_to_date",
    "month_to_date",
    "quarter_to_date",
    "year_to_date",
];

fn cumulative(random: &mut Random, name: String, fact: usize, plain: &[MetricText]) -> MetricText {
    let window = *random.pick(&WINDOWS);
    let coarser = *random.pick(&[
        "",
        "",
        ", at_coarser_grain: first",
        ", at_coarser_grain: last",
    ]);
    let yaml = if random.percent(40) {
        let of = pick(random, plain);
        format!(
            "{{cumulative: {{of: {of}, window: {window}{coarser}}}{}}}",
            fill(random, true)
        )
    } else {
        let (agg, _) = aggregate(random, false);
        format!(
            "{{base_table: f{fact}, {agg}{}, cumulative: {{window: {window}{coarser}}}}}",
            filters(random)
        )
    };
    MetricText {
        name,
        yaml,
        is_number: true,
        is_plain: false,
    }
}

fn balance(random: &mut Random, name: String, fact: usize, time: &str) -> MetricText {
    let agg = *random.pick(&[
        "agg: sum, expr: amt",
        "agg: count",
        "agg: count_distinct, expr: cat",
    ]);
    let per = *random.pick(&["", "", ", per: [p1]", ", per: [channel]"]);
    let over = match random.below(3) {
        0 => format!("last_by: {{time: {time}{per}}}"),
        1 => format!("over_time: {{take: first, time: {time}{per}}}"),
        _ => format!(
            "over_time: {{take: {}, time: {time}}}",
            random.pick(&["min", "max", "avg"])
        ),
    };
    MetricText {
        name,
        yaml: format!("{{base_table: f{fact}, {agg}{}, {over}}}", filters(random)),
        is_number: true,
        is_plain: false,
    }
}

fn pick(random: &mut Random, known: &[MetricText]) -> String {
    let numbers: Vec<&MetricText> = known.iter().filter(|metric| metric.is_number).collect();
    random.pick(&numbers).name.clone()
}

/// A metric as an input: alone, filtered, or at another time.
fn input(random: &mut Random, known: &[MetricText]) -> String {
    let metric = pick(random, known);
    let plain: Vec<MetricText> = known
        .iter()
        .filter(|metric| metric.is_plain)
        .cloned()
        .collect();
    let earlier = if random.percent(70) {
        pick(random, &plain)
    } else {
        metric.clone()
    };
    let offsets = [
        "2 days",
        "1 week",
        "10 days",
        "1 month",
        "1 year",
        "1 quarter",
        "2 months",
        "{to: month}",
        "{to: week}",
    ];
    let filter = random.pick(&SHARED);
    let offset = random.pick(&offsets);
    match random.below(4) {
        0 => metric,
        1 => format!("{{metric: {metric}, filters: [\"{filter}\"]}}"),
        2 => format!("{{metric: {earlier}, offset: {offset}}}"),
        _ => format!("{{metric: {earlier}, offset: {offset}, filters: [\"{filter}\"]}}"),
    }
}

fn of_inputs(random: &mut Random, name: String, known: &[MetricText]) -> MetricText {
    let (now, other) = (input(random, known), input(random, known));
    let expr = *random.pick(&[
        "now - other",
        "now / other",
        "now / other - 1",
        "coalesce(other, now)",
    ]);
    MetricText {
        name,
        yaml: format!(
            "{{expr: \"{expr}\", inputs: {{now: {now}, other: {other}}}{}}}",
            fill(random, true)
        ),
        is_number: true,
        is_plain: false,
    }
}

fn ratio_of_metrics(random: &mut Random, name: String, known: &[MetricText]) -> MetricText {
    let half = |random: &mut Random| {
        let metric = pick(random, known);
        if random.percent(50) {
            metric
        } else {
            format!(
                "{{metric: {metric}, filters: [\"{}\"]}}",
                random.pick(&SHARED)
            )
        }
    };
    let (numerator, denominator) = (half(random), half(random));
    MetricText {
        name,
        yaml: format!("{{numerator: {numerator}, denominator: {denominator}}}"),
        is_number: true,
        is_plain: false,
    }
}

fn simple(random: &mut Random, name: String, fact: usize) -> MetricText {
    let (agg, is_number) = aggregate(random, true);
    let time = if random.percent(12) {
        ", time: ond"
    } else {
        ""
    };
    let yaml = format!(
        "{{base_table: f{fact}, {agg}{}{time}{}}}",
        filters(random),
        fill(random, is_number)
    );
    MetricText {
        name,
        yaml,
        is_number,
        is_plain: true,
    }
}

fn ratio(random: &mut Random, name: String, fact: usize) -> MetricText {
    let part = |random: &mut Random| {
        let (agg, _) = aggregate(random, false);
        format!("{{{agg}{}}}", filters(random))
    };
    let (numerator, denominator) = (part(random), part(random));
    let yaml = format!(
        "{{base_table: f{fact}, numerator: {numerator}, denominator: {denominator}{}{}}}",
        filters(random),
        fill(random, true)
    );
    MetricText {
        name,
        yaml,
        is_number: true,
        is_plain: true,
    }
}

fn derived(random: &mut Random, name: String, known: &[MetricText]) -> MetricText {
    let (a, b, c) = (
        pick(random, known),
        pick(random, known),
        pick(random, known),
    );
    let expr = match random.below(8) {
        0 => format!("{a} / {b}"),
        1 => format!("{a} + {b}"),
        2 => format!("{a} - {b} * 2"),
        3 => format!("coalesce({a}, 0) + {b}"),
        4 => format!("({a} + {b}) / {c}"),
        5 => format!("{a} * 100 / {b}"),
        6 => format!("case when {a} > 2 then {b} else {c} end"),
        _ => format!("nullif({a}, 0) - ({b} - {c})"),
    };
    let yaml = format!("{{expr: \"{expr}\"{}}}", fill(random, true));
    MetricText {
        name,
        yaml,
        is_number: true,
        is_plain: false,
    }
}

/// An aggregate with its expression, and whether it is a number.
fn aggregate(random: &mut Random, any: bool) -> (String, bool) {
    let number = *random.pick(&NUMBERS);
    let thing = *random.pick(&THINGS);
    let text = match random.below(if any { 15 } else { 9 }) {
        0 => "agg: count".to_owned(),
        1 => format!("agg: count, expr: \"{thing}\""),
        2 | 3 => format!("agg: sum, expr: \"{number}\""),
        4 => format!("agg: avg, expr: \"{number}\""),
        5 => format!("agg: count_distinct, expr: \"{thing}\""),
        6 => format!("agg: min, expr: \"{number}\""),
        7 => format!("agg: max, expr: \"{number}\""),
        8 => "agg: sum_boolean, expr: \"flag or qty > 1\"".to_owned(),
        9 => format!("agg: median, expr: \"{number}\""),
        10 => format!("agg: percentile, percentile: 0.9, expr: \"{number}\""),
        11 => format!(
            "agg: {}, expr: \"{number}\"",
            random.pick(&[
                "stddev",
                "variance",
                "stddev_population",
                "variance_population"
            ])
        ),
        12 => format!(
            "agg: percentile, percentile: 0.25, percentile_type: discrete, expr: \"{number}\""
        ),
        13 => {
            let what = *random.pick(&["at", "ond", "channel"]);
            return (
                format!("agg: {}, expr: {what}", random.pick(&["min", "max"])),
                false,
            );
        }
        _ => "agg: sum, expr: buyer.home.rank".to_owned(),
    };
    (text, true)
}

fn filters(random: &mut Random) -> String {
    let n = *random.pick(&[0, 0, 0, 1, 1, 2]);
    let chosen = random.some(&FILTERS, n);
    if chosen.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = chosen
        .iter()
        .map(|filter| format!("\"{filter}\""))
        .collect();
    format!(", filters: [{}]", quoted.join(", "))
}

fn fill(random: &mut Random, is_number: bool) -> String {
    if is_number && random.percent(15) {
        format!(", fill: {}", random.pick(&[0, 1, -1]))
    } else {
        String::new()
    }
}
