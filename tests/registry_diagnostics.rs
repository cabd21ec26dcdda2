//! Every problem in a project is reported in one go, each at its place, with what would be right.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::registry::{CODES, Config, Loaded, ProjectFile, ProjectFiles, Severity, load};

const BASE: &str = "
datasets:
  orders:
    table: orders
    key: order_id
    time: created_at
    dimensions: {market: {}, channel: {aliases: [source]}, module: {}}
    joins: {buyer: {to: users, on: user_id}}
  users: {table: users, key: user_id, dimensions: {segment: {}, country: {expr: upper(iso)}}}
  islands: {table: islands, dimensions: {name: {}}}
metrics:
  gmv: {base_table: orders, agg: sum, expr: amount, aliases: [sales]}
  orders: {base_table: orders, agg: count}
  net: {snippet: net.sql, tables: [a]}
";

fn loaded(texts: &[&str]) -> Loaded {
    let file = |(at, text): (usize, &&str)| ProjectFile {
        path: format!("metrics/{}.yaml", (b'a' + at as u8) as char),
        text: (*text).to_owned(),
    };
    let files = ProjectFiles {
        metrics: texts.iter().enumerate().map(file).collect(),
        snippets: vec![ProjectFile {
            path: "snippets/net.sql".into(),
            text: "select 1".into(),
        }],
        ..ProjectFiles::default()
    };
    load(&files, &Config::default(), None)
}

fn problems(texts: &[&str]) -> Vec<String> {
    loaded(texts)
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// A second file beside [`BASE`], in which `▸` marks where each problem is expected, in order.
#[track_caller]
fn check(marked: &str, expected: &[&str]) {
    let mut text = String::new();
    let mut wanted = Vec::new();
    let mut messages = expected.iter();
    for c in marked.chars() {
        if c == '▸' {
            let line = text.matches('\n').count() + 1;
            let column = text.rsplit('\n').next().unwrap().chars().count() + 1;
            let message = messages.next().expect("a message for every mark");
            wanted.push(format!("metrics/b.yaml:{line}:{column}: {message}"));
        } else {
            text.push(c);
        }
    }
    assert!(messages.next().is_none(), "a mark for every message");
    assert_eq!(problems(&[BASE, &text]), wanted, "\nin\n{text}");
}

#[test]
fn the_base_of_these_tests_is_right() {
    assert_eq!(problems(&[BASE]), Vec::<String>::new());
}

#[test]
fn five_different_faults_in_three_files_are_all_listed() {
    let first = "datasets:\n  orders: {table: orders, tme: created_at}\n  users: {table: users, key: user_id}\n";
    let second = "
gmv: {base_table: ordes, agg: sum, expr: amount}
users: {base_table: users, agg: count, status: publish}
aov: {expr: gmv / order_count}
";
    let third = "metrics:\n  broken: [1, 2\n";
    assert_eq!(
        problems(&[first, second, third]),
        [
            "metrics/a.yaml:2:27: error: unknown key 'tme' — did you mean 'time'?",
            "metrics/b.yaml:2:19: error: unknown dataset 'ordes' — did you mean 'orders'?",
            "metrics/b.yaml:3:48: error: 'publish' is not one of draft, published, certified, deprecated — did you mean 'published'?",
            "metrics/b.yaml:4:19: error: unknown metric 'order_count'",
            "metrics/c.yaml:2:11: error: unclosed bracket '['",
        ]
    );
}

#[test]
fn unknown_keys() {
    check(
        "m: {base_table: orders, ▸agregate: sum, expr: amount}",
        &["error: unknown key 'agregate' — did you mean 'agg'?"],
    );
    check(
        "m: {base_table: orders, agg: count, ▸filter: [\"a = 1\"], ▸lable: M}",
        &[
            "error: unknown key 'filter' — did you mean 'filters'?",
            "error: unknown key 'lable' — did you mean 'label'?",
        ],
    );
    check(
        "▸metrcis:\n  m: {base_table: orders, agg: count}",
        &["error: unknown key 'metrcis' — did you mean 'metrics'?"],
    );
    check(
        "m: {expr: coalesce(gmv, ▸0)}",
        &["error: unknown key '0)' — inside { } or [ ], a text with a comma needs quotes"],
    );
    check(
        "calendar: {▸xyz: 1}",
        &[
            "error: unknown key 'xyz' — allowed here: week_start, fiscal_year_start, timezone, table, date, periods, spines",
        ],
    );
}

#[test]
fn values_that_do_not_fit() {
    check(
        "m: {base_table: orders, agg: ▸sun, expr: amount}",
        &[
            "error: 'sun' is not one of count, count_distinct, sum, avg, min, max, median, percentile, sum_boolean, stddev, stddev_population, variance, variance_population — did you mean 'sum'?",
        ],
    );
    check(
        "m: {base_table: orders, agg: count, status: ▸publishd, last_updated: ▸2025-13-01, fill: ▸x}",
        &[
            "error: 'publishd' is not one of draft, published, certified, deprecated — did you mean 'published'?",
            "error: '2025-13-01' is not a date such as 2025-11-03",
            "error: 'x' is not a whole number",
        ],
    );
    check(
        "m: ▸5",
        &["error: expected a map of keys and values, found a single value"],
    );
    check(
        "m: {base_table: ▸[orders], agg: count}",
        &["error: expected text, found a list"],
    );
    check("m: {base_table: orders, agg: count, aliases: }", &[]);
    check(
        "calendar: {week_start: ▸tuesday, fiscal_year_start: ▸13, timezone: ▸Mars/Base}",
        &[
            "error: 'tuesday' is not one of monday, sunday",
            "error: '13' is not a month such as april, or 1 to 12",
            "error: there is no time zone 'Mars/Base' — write it like Asia/Jakarta or UTC",
        ],
    );
    check(
        "m: {base_table: orders, agg: count, grain: [▸markt], window: last 7 ▸dys}",
        &[
            "error: unknown dimension of orders: 'markt' — did you mean 'market'?",
            "error: found 'dys' where days, weeks, months, quarters or years is expected",
        ],
    );
    check(
        "m: {base_table: orders, agg: percentile, percentile: ▸90, expr: amount}",
        &["error: a percentile is from 0 to 1, not 90 — the 95th percentile is 0.95"],
    );
}

#[test]
fn text_that_is_not_yaml() {
    check(
        "m:\n\t▸base_table: orders",
        &["error: tabs disallowed within this context (block indentation)"],
    );
    check(
        "m: ▸*x",
        &["error: while parsing node, found unknown anchor"],
    );
    check(
        "▸just text",
        &[
            "error: expected a map of keys and values, found a single value — write {datasets: …}, with the keys datasets, metrics, views, rollups, canonical_datasets, analyses, hypotheses, alerts, calendar",
        ],
    );
    check("m: !t ▸3", &["error: tags such as !t are not used here"]);
    check(
        "---\nm: {base_table: orders, agg: count}\n---\n▸n: 1",
        &["error: a file holds one YAML document; a second one starts here"],
    );
}

#[test]
fn names_that_are_taken() {
    check(
        "▸gmv: {base_table: orders, agg: count}",
        &[
            "error: metric 'gmv' is already defined at metrics/a.yaml:12 — rename one of the two, or leave one out",
        ],
    );
    check(
        "▸GMV: {base_table: orders, agg: count}",
        &[
            "error: metric 'GMV' is already defined at metrics/a.yaml:12 — rename one of the two, or leave one out",
        ],
    );
    check(
        "datasets: {▸users: {table: u}}",
        &[
            "error: dataset 'users' is already defined at metrics/a.yaml:9 — rename one of the two, or leave one out",
        ],
    );
    check(
        "m: {base_table: orders, agg: count, aliases: [▸Sales]}",
        &["error: 'Sales' already means 'gmv' (metrics/a.yaml:12)"],
    );
    check(
        "m: {base_table: orders, agg: count, synonyms: ▸gmv}",
        &["error: 'gmv' is already the name of a metric (metrics/a.yaml:12)"],
    );
    check(
        "m: {base_table: orders, agg: count, ▸agg: sum}",
        &["error: 'agg' stands twice, first at line 1"],
    );
    check(
        "m: {base_table: orders, agg: count}\nn: {base_table: orders, agg: count}\n▸m: {base_table: orders, agg: count}",
        &["error: 'm' stands twice, first at line 1"],
    );
    check(
        "datasets:\n  d: {table: d, dimensions: {a: {aliases: [▸b]}, b: {}}}",
        &["error: in d, 'b' is already the name of a dimension (line 2)"],
    );
    check(
        "▸m-x: {base_table: orders, agg: count}",
        &[
            "error: 'm-x' cannot name a metric — use letters, digits and _, starting with a letter; the name for people is `label`",
        ],
    );
    check(
        "datasets: {d: {table: d, dimensions: {▸month: {}}}}",
        &[
            "warning: 'month' is also a time grain — in a query, write \"month\" in double quotes to mean this dimension",
        ],
    );
}

#[test]
fn references_to_nothing() {
    check(
        "m: {base_table: ▸ordrs, agg: count}",
        &["error: unknown dataset 'ordrs' — did you mean 'orders'?"],
    );
    check(
        "m: {expr: gmv / ▸ordrs}",
        &["error: unknown metric 'ordrs' — did you mean 'orders'?"],
    );
    check(
        "m: {snippet: ▸nett.sql}",
        &["error: there is no snippets/nett.sql — did you mean 'net.sql'?"],
    );
    check(
        "m: {base_table: orders, agg: count, time: ▸market}",
        &["error: 'market' of orders is not of type time or date — times of orders: created_at"],
    );
    check(
        "m: {base_table: orders, agg: count, time: ▸create_at}",
        &["error: unknown time dimension of orders: 'create_at' — did you mean 'created_at'?"],
    );
    check(
        "m: {base_table: orders, agg: count, filters: [\"▸buyer.segmnt = 'x'\"]}",
        &["error: unknown dimension of users: 'segmnt' — did you mean 'segment'?"],
    );
    check(
        "m: {base_table: orders, agg: count, filters: ['a = ''b'' and ▸byer.segment = ''x''']}",
        &["error: unknown join of orders: 'byer' — did you mean 'buyer'?"],
    );
    check(
        "views: {v: \"gmv by market ▸where\"}"
            .replace('▸', "")
            .replace("where\"", "where▸\"")
            .as_str(),
        &["error: the line ends where a dimension is expected"],
    );
    check(
        "views: {w: 'gmv, ▸nosuch by market'}",
        &["error: unknown metric 'nosuch'"],
    );
}

#[test]
fn a_default_grouping_is_within_reach_of_one_source() {
    check(
        "m: {agg: count, grain: [module], sources: [{base_table: orders, use_when: uses(module)}, {base_table: users}]}",
        &[],
    );
    check(
        "m: {agg: count, grain: [▸name], base_table: orders}",
        &["error: unknown dimension of orders: 'name'"],
    );
    check(
        "m: {expr: gmv / 2, grain: [segment, ▸nme]}",
        &["error: unknown dimension 'nme' — did you mean 'name'?"],
    );
}

#[test]
fn expressions_that_mean_nothing_here() {
    let m = |rest: &str| format!("m: {{base_table: orders, agg: sum, expr: {rest}}}");
    check(
        &m("amount +▸"),
        &["error: the expression does not parse: expected an expression, found the end"],
    );
    check(
        &m("amount ▸b"),
        &["error: the expression does not parse: unexpected 'b'"],
    );
    check(
        &m("\"amount ▸; drop\""),
        &["error: the expression does not parse: unexpected ';'"],
    );
    check(
        &m("\"▸'abc\""),
        &["error: the expression does not parse: unterminated string literal"],
    );
    check(
        &m("'amount + (▸select 1)'"),
        &["error: a subquery cannot stand here — make it a dataset with `sql:`, or join a dataset"],
    );
    check(
        &m("1 + ▸sum(amount)"),
        &[
            "error: the aggregate function 'sum' cannot stand in an expression — the aggregate stands in `agg`, the expression is what one row contributes",
        ],
    );
    check(
        &m("▸lag(amount) over (partition by x)"),
        &[
            "error: a window function cannot stand here — metrics aggregate rows; write what one row contributes",
        ],
    );
    check(
        "m:\n  base_table: orders\n  agg: sum\n  expr: |\n    case when x\n      then (▸select 1)\n    end\n",
        &["error: a subquery cannot stand here — make it a dataset with `sql:`, or join a dataset"],
    );
    check(
        "m:\n  base_table: orders\n  agg: sum\n  expr: >-\n    a +\n    b +\n    ▸sum(c)\n",
        &[
            "error: the aggregate function 'sum' cannot stand in an expression — the aggregate stands in `agg`, the expression is what one row contributes",
        ],
    );
    check(
        "m: {base_table: orders, agg: sum, expr: \"'\\t' || 'ü' || ▸avg(b)\"}",
        &[
            "error: the aggregate function 'avg' cannot stand in an expression — the aggregate stands in `agg`, the expression is what one row contributes",
        ],
    );
    check(
        "m: {base_table: orders, ▸agg: sum}"
            .replace("▸agg: ", "agg: ▸")
            .as_str(),
        &["error: 'm' needs an expr: what is aggregated — only count works on rows alone"],
    );
    check(
        "datasets: {d: {sql: 'select 1▸; drop table x'}}",
        &["error: the query does not parse: unexpected ';'"],
    );
    check(
        "datasets: {d: {table: d, dimensions: {x: {expr: ▸buyer.segment}}}}",
        &[
            "error: 'buyer.segment': a dimension is made of its own dataset's columns — declare it in the dataset it belongs to; queries reach it over the join",
        ],
    );
}

#[test]
fn arithmetic_over_metrics() {
    check(
        "m: {expr: ▸sum(gmv)}",
        &[
            "error: 'sum' cannot be used over metrics — an expression without base_table is arithmetic over metrics; to aggregate a table, give base_table and agg",
        ],
    );
    check(
        "m: {expr: gmv / ▸net}",
        &[
            "error: 'net' is a complex metric, which has no compiled form to build on — declare the facets of its snippet",
        ],
    );
    check(
        "m: {expr: ▸1 + 1}",
        &[
            "error: the expression names no metric — to compute it from a table, give base_table and agg",
        ],
    );
    check(
        "m: {expr: gmv + ▸foo(gmv)}",
        &["error: 'foo' cannot be used over metrics — allowed: abs, coalesce, nullif, round, CASE"],
    );
    check(
        "m: {expr: ▸gmv || orders}",
        &["error: only arithmetic, comparisons and CASE can be used over metrics"],
    );
    check(
        "m: {expr: 'coalesce(round(sales / nullif(orders, 0), 2), case when gmv > 1 then 2 else abs(gmv) end)'}",
        &[],
    );
}

#[test]
fn cycles_are_reported_once() {
    check(
        "a: {expr: ▸b + 1}\nb: {expr: c + 1}\nc: {expr: a + gmv}",
        &[
            "error: these metrics need each other: a → b → c → a — take one of them out of the definition of another",
        ],
    );
    check(
        "a: {expr: ▸a + gmv}",
        &[
            "error: these metrics need each other: a → a — take one of them out of the definition of another",
        ],
    );
    check(
        "x: {expr: ▸a * 2}\na: {expr: ▸b + 1}\nb: {expr: a + gmv}",
        &[
            "error: depends on 'a', which has an error",
            "error: these metrics need each other: a → b → a — take one of them out of the definition of another",
        ],
    );
}

#[test]
fn kinds_and_their_keys() {
    check(
        "m: {base_table: orders, agg: count, type: ▸ratio}",
        &[
            "error: 'm' is said to be ratio, but its keys make it simple — leave type out, or correct the keys",
        ],
    );
    check(
        "▸m: {numerator: {agg: count}, base_table: orders}",
        &["error: 'm' is a ratio and needs both a numerator and a denominator"],
    );
    check(
        "▸m: {numerator: {agg: count}, denominator: {agg: count}}",
        &[
            "error: 'm' needs a base_table — add base_table: and the dataset whose rows are aggregated",
        ],
    );
    check(
        "m: {expr: gmv, time: ▸paid_at}",
        &["error: 'time' has no meaning for a derived metric"],
    );
    check(
        "▸m: {label: x}",
        &[
            "error: 'm' says nothing of how it is computed: give base_table and agg, numerator and denominator, expr, of, base and conversion, or snippet",
        ],
    );
    check(
        "▸m: {base_table: orders, expr: amount}",
        &["error: 'm' needs an agg"],
    );
    check(
        "m: {base_table: orders, agg: ▸percentile, expr: amount}",
        &["error: agg: percentile needs a percentile, 0 to 1 — add percentile: 0.9"],
    );
    check(
        "m: {agg: count, base_table: ▸orders, sources: [{base_table: users}]}",
        &[
            "error: a metric has either base_table or sources, not both — make it the last source, without use_when",
        ],
    );
}

#[test]
fn datasets_and_joins() {
    check(
        "datasets: {▸d: {label: d}}",
        &["error: dataset 'd' needs a table (or sql) — add table: with its name"],
    );
    check(
        "datasets: {d: {table: d, sql: ▸select 1}}",
        &["error: a dataset has either a table or sql, not both"],
    );
    check(
        "datasets: {d: {table: d, time: ▸market, dimensions: {market: {type: text}}}}",
        &[
            "error: the time of d must be of type time or date; 'market' is not — write {type: time} or {type: date} at the dimension",
        ],
    );
    let d = |join: &str| format!("datasets: {{d: {{table: d, joins: {{u: {join}}}}}}}");
    check(
        &d("{to: users, on: {email: ▸email}}"),
        &["error: a join must land on the key of users (user_id); 'email' is not its key"],
    );
    check(
        &d("{to: users, on: [▸a, b]}"),
        &["error: a join must land on the key of users (user_id): one column is needed here"],
    );
    check(
        &d("{to: ▸islands, on: a}"),
        &[
            "error: a join must land on the key of islands, which declares none — give islands a key",
        ],
    );
    check(
        &d("{to: ▸usrs, on: a}"),
        &["error: unknown dataset 'usrs' — did you mean 'users'?"],
    );
    check(
        &d("{to: users}").replace("u:", "▸u:"),
        &[
            "error: join 'u' needs to (a dataset) and on (a column) — write {to: users, on: user_id}",
        ],
    );
}

#[test]
fn conditions_of_sources() {
    let m = |sources: &str| format!("m: {{agg: count, sources: [{sources}]}}");
    check(
        &m("{base_table: orders, use_when: uses(▸segmnt)}, {base_table: users}"),
        &["error: unknown dimension 'segmnt' — did you mean 'segment'?"],
    );
    check(
        &m("{base_table: users, use_when: ▸uses(module)}, {base_table: orders}"),
        &["error: this condition can never be true: users cannot reach 'module'"],
    );
    check(
        &m("{base_table: users, use_when: not uses(module)}, {base_table: orders}"),
        &[],
    );
    check(
        &m(
            "{base_table: orders, use_when: uses(segment) and uses(buyer.country)}, {base_table: orders}",
        ),
        &[],
    );
    check(
        &m("{base_table: orders, use_when: ▸grain < day and grain > month}, {base_table: orders}"),
        &["error: this condition can never be true"],
    );
    check(
        &m(
            "{base_table: orders, use_when: ▸uses(market) and not (uses(market) or grain = day)}, {base_table: orders}",
        ),
        &["error: this condition can never be true"],
    );
    check(
        &m("{base_table: orders}, {base_table: ▸users}"),
        &[
            "error: this source can never be used: the ones before it take every query — put it before them",
        ],
    );
    check(
        &m(
            "{base_table: orders, use_when: grain <= week}, {base_table: orders, use_when: ▸grain = day}, {base_table: orders}",
        ),
        &[
            "error: this source can never be used: the ones before it take every query — put it before them",
        ],
    );
    check(
        &m("{base_table: orders, use_when: ▸uses(market)}"),
        &[
            "warning: queries that no use_when holds for have no source — leave use_when out of the last source",
        ],
    );
    check(
        &m(
            "{base_table: orders, use_when: grain < month}, {base_table: orders, use_when: not grain < month}",
        ),
        &[],
    );
    check(
        &m("{base_table: orders, use_when: uses(market) ▸nd}, {base_table: orders}"),
        &[
            "error: found 'nd' where and, or, or the end is expected — write uses(dimension), grain >= month, and, or, not, ( )",
        ],
    );
    check(
        &m("{base_table: orders, use_when: grain > ▸fortnight}, {base_table: orders}"),
        &[
            "error: found 'fortnight' where a grain (hour, day, week, month, quarter, year) is expected — write uses(dimension), grain >= month, and, or, not, ( )",
        ],
    );
}

#[test]
fn an_error_reaches_exactly_what_depends_on_it() {
    check(
        "m: {expr: gmv / ▸bad}\nbad: {base_table: orders, agg: ▸sum}\nfine: {base_table: orders, agg: count}",
        &[
            "error: depends on 'bad', which has an error",
            "error: 'bad' needs an expr: what is aggregated — only count works on rows alone",
        ],
    );
    check(
        "datasets:\n  d: {table: d, dimensions: {x: {▸colum: y}, z: {}}}\nmetrics:\n  m: {base_table: d, agg: sum, expr: ▸x}\n  n: {base_table: d, agg: count, grain: [z]}",
        &[
            "error: unknown key 'colum' — did you mean 'column'?",
            "error: depends on 'x', which has an error",
        ],
    );
    let text = "datasets:\n  d: {table: d, dimensions: {x: {colum: y}, z: {}}}\nmetrics:\n  n: {base_table: d, agg: count, grain: [z]}";
    let registry = loaded(&[BASE, text]).registry;
    assert!(registry.metric("n").is_some());
    assert_eq!(
        registry.datasets["d"].dimensions.keys().collect::<Vec<_>>(),
        ["z"]
    );
}

#[test]
fn a_file_that_cannot_be_read_does_not_take_the_others_down() {
    let broken = "metrics:\n  visits: {base_table: orders, agg: count\n  other: {";
    let text = "rate: {expr: orders / visits}\nmine: {base_table: orders, agg: count}";
    let loaded = loaded(&[BASE, text, broken]);
    let shown: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown[0],
        "metrics/b.yaml:1:23: error: depends on 'visits', which metrics/c.yaml seems to define, but that file has an error"
    );
    assert_eq!((shown.len(), loaded.diagnostics[1].code), (2, "yaml"));
    assert!(loaded.registry.metric("mine").is_some() && loaded.registry.metric("gmv").is_some());
}

#[test]
fn a_diagnostic_says_what_was_found() {
    let loaded = loaded(&[BASE, "m: {base_table: ordrs, agg: count}"]);
    let one = &loaded.diagnostics[0];
    assert_eq!(
        (one.severity, one.code, one.found.as_str()),
        (Severity::Error, "unknown_dataset", "ordrs")
    );
    assert_eq!(
        (one.file.as_str(), one.line, one.column),
        ("metrics/b.yaml", 1, 17)
    );
    assert!(CODES.is_sorted());
}

#[test]
fn a_metric_as_a_dimension_names_a_metric_that_reaches_the_key() {
    check(
        "
datasets:
  shops:
    table: shops
    key: shop_id
    dimensions:
      a: {metric: ▸orders}
      b: {metric: ▸ordrs per channel}
      c: {metric: ▸orders per shop_id}
      d: {metric: ▸net per channel}
      e: {metric: ▸orders per channel, column: e}
  people: {table: people, key: id, time: born, dimensions: {often: {metric: orders per channel}}}
  pairs: {table: pairs, key: [one, other], dimensions: {f: {metric: ▸orders per channel}}}
metrics:
  people: {base_table: people, agg: count}
rollups:
  daily: {of: people, grain: day, by: [▸often], metrics: [people]}
",
        &[
            "error: 'orders' does not say of what — write: metric: orders per buyer_id, a metric and the dimension that holds the key of this dataset",
            "error: unknown metric 'ordrs' — did you mean 'orders'?",
            "error: unknown dimension of orders: 'shop_id'",
            "error: 'net' is SQL by hand, which has no value per row",
            "error: a dimension has a column, an expr or a metric, not two of them",
            "error: 'f' is of each pairs, whose key is of several columns (one, other) — give pairs a key of one column",
            "error: 'often' is a metric, whose value changes with every new row",
        ],
    );
}
