//! Random conversions, balances and figures over them, with formulas three deep.

use crate::model::{MetricText, Model};
use crate::random::Random;

/// Filters that hold for every dataset.
const SHARED: [&str; 8] = [
    "who <> 'u2'",
    "who = 'u1' or channel = 'ads'",
    "channel in ('ads', 'seo')",
    "flag",
    "not (flag and qty > 0)",
    "person.team = 'red'",
    "person.team is null or qty > 1",
    "person.site.country <> 'TH'",
];

const VALUES: [&str; 5] = [
    "amt",
    "qty",
    "amt * qty",
    "coalesce(amt, 0)",
    "person.grade",
];

const WITHIN: [&str; 9] = [
    "",
    ", within: 1 day",
    ", within: 7 days",
    ", within: 1 week",
    ", within: 1 month",
    ", within: 1 hour",
    ", within: 33 hours",
    ", within: 90 minutes",
    ", within: 1 quarter",
];

const SAME: [&str; 5] = [
    "",
    "",
    ", same: {product: item}",
    ", same: {product: item, channel: channel}",
    ", same: [channel]",
];

const WINDOWS: [&str; 6] = [
    "all_time",
    "1 day",
    "7 days",
    "1 month",
    "month_to_date",
    "year_to_date",
];

const COARSER: [&str; 3] = ["", ", at_coarser_grain: first", ", at_coarser_grain: last"];

pub fn metrics(random: &mut Random, model: &mut Model) {
    let mut names = Names::default();
    let mut events = Vec::new();
    for dataset in ["visits", "buys"] {
        for _ in 0..2 {
            let yaml = event(random, dataset);
            events.push(names.add(model, yaml, true));
        }
        let agg = aggregate(random);
        let yaml = format!(
            "{{base_table: {dataset}, {agg}{}{}}}",
            filters(random),
            fill(random)
        );
        names.add(model, yaml, true);
    }
    for _ in 0..random.between(2, 3) {
        let yaml = conversion(random, &events);
        names.add(model, yaml, true);
    }
    let mut snapshots = Vec::new();
    for _ in 0..random.between(2, 3) {
        let yaml = balance(random);
        snapshots.push(names.add(model, yaml, false));
    }
    for _ in 0..random.between(1, 2) {
        let of = random.pick(&events).clone();
        let window = random.pick(&WINDOWS);
        let coarser = random.pick(&COARSER);
        names.add(
            model,
            format!("{{cumulative: {{of: {of}, window: {window}{coarser}}}}}"),
            false,
        );
    }
    // Each over those before it, so that some are three deep.
    for _ in 0..random.between(3, 5) {
        let yaml = derived(random, &names.known);
        names.add(model, yaml, false);
    }
}

/// The metrics so far.
#[derive(Default)]
struct Names {
    known: Vec<String>,
}

impl Names {
    fn add(&mut self, model: &mut Model, yaml: String, is_plain: bool) -> String {
        let name = format!("m{}", self.known.len() + 1);
        self.known.push(name.clone());
        model.metrics.push(MetricText {
            name: name.clone(),
            yaml,
            is_number: true,
            is_plain,
        });
        name
    }
}

/// What counts or sums events.
fn event(random: &mut Random, dataset: &str) -> String {
    let agg = *random.pick(&[
        "agg: count",
        "agg: count",
        "agg: count, expr: amt",
        "agg: sum, expr: amt",
        "agg: sum_boolean, expr: \"flag or qty > 1\"",
        "agg: count_distinct, expr: who",
    ]);
    let time = if random.percent(12) {
        ", time: ond"
    } else {
        ""
    };
    format!("{{base_table: {dataset}, {agg}{}{time}}}", filters(random))
}

fn aggregate(random: &mut Random) -> String {
    let value = *random.pick(&VALUES);
    match random.below(8) {
        0 => format!("agg: median, expr: \"{value}\""),
        1 => format!("agg: percentile, percentile: 0.9, expr: \"{value}\""),
        2 => format!("agg: percentile, percentile: 0.5, percentile_type: discrete, expr: \"{value}\""),
        3 => format!("agg: {}, expr: \"{value}\"", random.pick(&["stddev", "variance_population"])),
        4 => format!("agg: avg, expr: \"{value}\""),
        5 => "agg: count_distinct, expr: person.team".to_owned(),
        6 => "agg: count_distinct, expr: {default: \"who || channel\", postgres: \"case when who is not null then who || channel end\"}".to_owned(),
        _ => format!("agg: sum, expr: \"{value}\""),
    }
}

fn conversion(random: &mut Random, events: &[String]) -> String {
    // The first two are visits, the others buys; what converts may also be the base of its own kind.
    let base = events[random.below(2)].clone();
    let converted = events[2 + random.below(2)].clone();
    let within = random.pick(&WITHIN);
    let same = random.pick(&SAME);
    let result = *random.pick(&["", ", result: rate", ", result: count", ", result: count"]);
    format!(
        "{{entity: who, base: {base}, conversion: {converted}{within}{same}{result}{}}}",
        fill(random)
    )
}

fn balance(random: &mut Random) -> String {
    let agg = *random.pick(&[
        "agg: sum, expr: amt",
        "agg: sum, expr: amt",
        "agg: count",
        "agg: avg, expr: amt",
        "agg: count_distinct, expr: who",
        "agg: max, expr: qty",
    ]);
    let per = *random.pick(&[
        "",
        "",
        ", per: [account]",
        ", per: account",
        ", per: [account, who]",
        ", per: [person.team]",
    ]);
    let over = match random.below(5) {
        0 => format!("last_by: {{time: at{per}}}"),
        1 => format!("last_by: {{time: at{per}, carry_forward: true}}"),
        2 => format!("over_time: {{take: first, time: at{per}}}"),
        3 => format!("last_by: {{time: ond{per}}}"),
        _ => format!(
            "over_time: {{take: {}, time: at}}",
            random.pick(&["min", "max", "avg"])
        ),
    };
    format!(
        "{{base_table: balances, {agg}{}, {over}{}}}",
        filters(random),
        fill(random)
    )
}

/// A metric as an input: alone, filtered, or at another time.
fn input(random: &mut Random, known: &[String]) -> String {
    let metric = random.pick(known).clone();
    let offsets = [
        "1 month",
        "1 year",
        "1 quarter",
        "2 months",
        "{to: month}",
        "{to: week}",
    ];
    let filter = random.pick(&SHARED);
    let offset = random.pick(&offsets);
    match random.below(5) {
        0 | 1 => metric,
        2 => format!("{{metric: {metric}, filters: [\"{filter}\"]}}"),
        3 => format!("{{metric: {metric}, offset: {offset}}}"),
        _ => format!("{{metric: {metric}, offset: {offset}, filters: [\"{filter}\"]}}"),
    }
}

fn derived(random: &mut Random, known: &[String]) -> String {
    // Mostly over the latest ones, so that formulas stand on formulas.
    let late = &known[known.len().saturating_sub(4)..];
    let (now, other) = (input(random, late), input(random, known));
    if random.percent(25) {
        let own = if random.percent(40) {
            format!(", filters: [\"{}\"]", random.pick(&SHARED))
        } else {
            String::new()
        };
        let denominator = random.pick(known);
        return format!("{{numerator: {now}, denominator: {denominator}{own}}}");
    }
    let expr = *random.pick(&[
        "now - other",
        "now / other",
        "coalesce(other, now)",
        "now + other * 2",
        "case when now > other then now end",
    ]);
    let own = if random.percent(30) {
        format!(", filters: [\"{}\"]", random.pick(&SHARED))
    } else {
        String::new()
    };
    format!(
        "{{expr: \"{expr}\", inputs: {{now: {now}, other: {other}}}{own}{}}}",
        fill(random)
    )
}

fn filters(random: &mut Random) -> String {
    let n = *random.pick(&[0, 0, 0, 1, 1, 2]);
    let chosen = random.some(&SHARED, n);
    if chosen.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = chosen
        .iter()
        .map(|filter| format!("\"{filter}\""))
        .collect();
    format!(", filters: [{}]", quoted.join(", "))
}

fn fill(random: &mut Random) -> String {
    let fill = *random.pick(&[
        ", fill: 0",
        ", fill: 1",
        ", fill_nulls_with: -1",
        "",
        "",
        "",
        "",
        "",
    ]);
    let every = if random.percent(10) {
        ", every_period: true"
    } else {
        ""
    };
    format!("{fill}{every}")
}
