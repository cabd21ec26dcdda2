//! `metrex govern`: what a model may build on, what it must not make again, and which joins multiply rows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use metrex::govern::sql::{Finding, Model, ReadKind, Review, Rule, govern};
use metrex::model::{Dialect, Registry};
use metrex::registry::{Config, Governance, Project, Severity, load};

fn demo() -> Registry {
    let project = Project::demo().unwrap();
    load(&project.files(), &project.config, None).registry
}

fn review_as(name: &str, text: &str) -> Review {
    let model = Model {
        name,
        text,
        beside: &[],
    };
    govern(&model, &demo(), &Governance::default(), Dialect::Sqlite)
}

/// What is found in a model that uses canonical datasets.
fn found(text: &str) -> Vec<String> {
    let review = review_as("weekly_report", text);
    review.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_raw_source_is_refused_with_what_to_read_instead() {
    assert_eq!(
        found("select order_id\nfrom raw.shop_orders"),
        [
            "2:6: error: raw.shop_orders is a raw source — fct_orders is what has been agreed on of it: read fct_orders [raw_source]"
        ]
    );
    // A source of dbt, a table of a raw schema that no definition names, and one behind a subquery.
    assert!(found("select * from {{ source('raw', 'shop_orders') }}")[0].starts_with(
        "1:15: error: {{ source('raw', 'shop_orders') }} is a raw source — fct_orders is what has been agreed on of it: read {{ ref('fct_orders') }}"
    ));
    let hidden = found(
        "with o as (select * from {{ ref('fct_orders') }})\nselect * from o where user_id in (\n  select id from warehouse.raw.people)",
    );
    assert_eq!(
        hidden,
        [
            "3:18: error: warehouse.raw.people is a raw source — read it in a staging model, and that one here [raw_source]"
        ]
    );
}

#[test]
fn staging_and_the_models_that_make_a_dataset_may_read_what_it_is_made_of() {
    let raw = "select order_id, amount from {{ source('raw', 'shop_orders') }}";
    assert!(review_as("stg_orders", raw).findings.is_empty());
    assert!(review_as("fct_orders", raw).findings.is_empty());
    let other = review_as(
        "fct_orders",
        "select order_id from {{ source('raw', 'accounts') }}",
    );
    assert_eq!(
        other.findings[0].to_string(),
        "1:22: warning: raw.accounts is not among the sources of fct_orders — name it there under lineage, or read a staging model [raw_source]"
    );
}

#[test]
fn canonical_datasets_are_known_by_every_name_they_have() {
    for name in [
        "{{ ref('fct_orders') }}",
        "{{ ref('package', 'fct_orders') }}",
        "{{ ref('orders', v=2) }}",
        "{{- ref(\"fct_orders\") -}}",
        "orders",
        "main.orders",
        "\"orders\"",
    ] {
        let review = review_as("report", &format!("select order_id from {name} o"));
        assert!(review.findings.is_empty(), "{name}: {:?}", review.findings);
        assert_eq!(review.reads[0].kind, ReadKind::Canonical, "{name}");
        assert_eq!(review.reads[0].canonical.as_deref(), Some("fct_orders"));
    }
    assert_eq!(
        found("select order_id from {{ ref('fct_ordres') }}"),
        [
            "1:22: error: nothing that it reads has been agreed on — build on canonical datasets; `metrex suggest` ranks them for an intent [not_canonical]",
            "1:22: warning: fct_ordres is no canonical dataset — did you mean fct_orders? [not_canonical]",
        ]
    );
    assert_eq!(
        found("select a.dt from {{ ref('ads_server_old') }} a"),
        ["1:18: warning: ads_server_old is deprecated — read {{ ref('fct_ads') }} [status]"]
    );
}

#[test]
fn joins_are_held_against_what_one_row_is() {
    // Onto the key of the other side: one row stays one row.
    for fine in [
        "select o.order_id from fct_orders o join dim_customers c on o.user_id = c.user_id",
        "select o.order_id from fct_orders o left join dim_customers c using (user_id)",
        "select sum(i.quantity) from fct_order_items i, fct_orders o where i.order_id = o.order_id",
        "with orders_of as (select * from {{ ref('fct_orders') }}), per as (select user_id, count(*) n from {{ ref('fct_touchpoints') }} group by 1)
         select o.order_id, p.n from orders_of o left join per p on p.user_id = o.user_id",
        // Items beside their order, where nothing of the order is added up.
        "select o.order_id, i.line from fct_orders o join fct_order_items i on i.order_id = o.order_id",
        // A single row.
        "select o.order_id, o.voucher_usd / t.total from fct_orders o cross join (select sum(shipping_usd) total from fct_orders) t",
    ] {
        let rules: Vec<_> = review_as("report", fine).findings;
        assert!(
            rules.iter().all(|one| one.rule != Rule::Grain),
            "{fine}\n{rules:?}"
        );
    }
    assert_eq!(
        found(
            "select o.grass_region, sum(o.voucher_usd)\nfrom fct_orders o\njoin fct_order_items i on i.order_id = o.order_id\ngroup by 1"
        ),
        [
            "1:24: error: sum(o.voucher_usd) counts a row of fct_orders once for each row of fct_order_items it is joined with — add fct_order_items up to order_id before the join (fct_orders has one row for each order_id, fct_order_items has one row for each order_id, line) [grain]"
        ]
    );
    assert_eq!(
        found(
            "select o.order_id, t.channel\nfrom {{ ref('fct_orders') }} as o\njoin {{ ref('fct_touchpoints') }} as t on t.user_id = o.user_id"
        ),
        [
            "3:6: warning: the join on user_id multiplies the rows of both sides: fct_orders has one row for each order_id, fct_touchpoints has one row for each touchpoint_id — count distinct what is joined, or make its rows distinct [grain]"
        ]
    );
    assert_eq!(
        found(
            "select t.channel, count(*)\nfrom {{ ref('fct_orders') }} as o\njoin {{ ref('fct_touchpoints') }} as t on t.user_id = o.user_id group by 1"
        ),
        [
            "3:6: error: the join on user_id multiplies the rows of both sides: fct_orders has one row for each order_id, fct_touchpoints has one row for each touchpoint_id — count(*) counts them all: join on touchpoint_id, or group one side by it first [grain]"
        ]
    );
    // The same through CTEs that hand the rows on under other names.
    let through = "with c as (select user_id as customer, segment from {{ ref('dim_customers') }}),
          t as (select user_id as who, channel from {{ ref('fct_touchpoints') }})
        select c.segment, count(c.customer) from c join t on t.who = c.customer group by c.segment";
    let review = review_as("report", through);
    assert!(
        review
            .findings
            .iter()
            .any(|one| one.rule == Rule::Grain && one.line == 3),
        "{:?}",
        review.findings
    );
}

#[test]
fn a_join_of_many_to_many_is_an_error_only_where_its_rows_are_added_up() {
    let joined = "select o.user_id as who, t.channel, o.amount_usd as amount from {{ ref('fct_orders') }} o join {{ ref('fct_touchpoints') }} t on t.user_id = o.user_id";
    let first = "with n as (select user_id as who, channel, row_number() over (partition by user_id order by happened_at) as place from {{ ref('fct_touchpoints') }}),
        f as (select who as customer, channel from n where place = 1)";
    for (text, expected) in [
        (joined.to_owned(), Some(Severity::Warning)),
        (joined.replacen("select", "select distinct", 1), None),
        (
            "select t.channel, count(distinct o.user_id) from {{ ref('fct_orders') }} o join {{ ref('fct_touchpoints') }} t on t.user_id = o.user_id group by 1".to_owned(),
            None,
        ),
        // The rows are added up further on.
        (
            format!("with j as ({joined}), k as (select * from j where amount > 0) select channel, sum(amount) from k group by 1"),
            Some(Severity::Error),
        ),
        (
            format!("with j as ({joined}) select channel, count(distinct who) from j group by 1"),
            Some(Severity::Warning),
        ),
        (
            format!("with j as ({joined}), d as (select distinct who, channel from j) select channel, count(who) from d group by 1"),
            Some(Severity::Warning),
        ),
        // Of numbered rows, the first is one for each.
        (
            format!("{first} select f.channel, sum(o.amount_usd) from {{{{ ref('fct_orders') }}}} o join f on f.customer = o.user_id group by 1"),
            None,
        ),
    ] {
        let review = review_as("report", &text);
        let found = review.findings.iter().find(|one| one.rule == Rule::Grain);
        let severity = found.map(|one| one.severity);
        assert_eq!(severity, expected, "{text}\n{:?}", review.findings);
    }
}

#[test]
fn what_metrex_wrote_for_a_metric_does_not_make_it_again() {
    let made = "-- Made by metrex: change the definitions, and make it again.\nselect sum(amount_usd) as gmv from {{ ref('fct_orders') }} where status <> 'CANCELLED'";
    let rebuilds = |name: &str, text: &str| {
        let review = review_as(name, text);
        review.findings.iter().any(|one| one.rule == Rule::Rebuilt)
    };
    assert!(!rebuilds("mart_gmv", made));
    // By its name or by its head alone, it is anybody's.
    assert!(rebuilds("report", made));
    assert!(rebuilds("mart_gmv", made.split_once('\n').unwrap().1));
}

#[test]
fn every_text_that_cannot_be_read_has_its_place() {
    let syntax = |text: &str| {
        let review = review_as("report", text);
        let found = review.findings.iter().find(|one| one.rule == Rule::Syntax);
        found.map(|one| (one.line, one.column))
    };
    assert_eq!(syntax("select 1 from\n  fct_orders where"), Some((2, 19)));
    assert_eq!(
        syntax("with days as (\n  {{ dbt.date_spine('day', 1, 2) }}\n)\nselect * from days"),
        None
    );
    let finding = Finding::no_text(b"select 1\n-- caf\xe9");
    assert_eq!((finding.line, finding.column), (2, 7));
}

#[test]
fn a_model_that_makes_a_dataset_has_the_rows_that_are_declared() {
    let made = |text: &str| {
        let review = review_as("fct_orders", text);
        let findings = review.findings.iter().map(ToString::to_string);
        findings.collect::<Vec<_>>()
    };
    assert!(made("select order_id, max(amount_usd) as amount_usd from {{ ref('stg_orders') }} group by order_id").is_empty());
    assert_eq!(
        made(
            "select user_id, max(amount_usd) as amount_usd from {{ ref('stg_orders') }} group by 1"
        ),
        [
            "error: fct_orders is to have one row for each order_id, and this gives one row for each user_id — group by its grain, or change the grain that is declared [grain]"
        ]
    );
}

#[test]
fn what_is_a_metric_already_is_not_made_again() {
    assert_eq!(
        found(
            "select sum(amount_usd) as gmv from {{ ref('fct_orders') }} where status <> 'CANCELLED'"
        ),
        [
            "1:8: warning: sum(amount_usd) is the metric gmv — `metrex sql gmv` writes it as it is defined [rebuilt]"
        ]
    );
    // The condition stands in a CTE, and the column has another name.
    assert_eq!(
        found(
            "with paid as (select amount_usd as amount, status from {{ ref('fct_orders') }} where status <> 'CANCELLED')\nselect sum(amount) from paid"
        ),
        [
            "2:8: warning: sum(amount) is the metric gmv — `metrex sql gmv` writes it as it is defined [rebuilt]"
        ]
    );
    let looks = found("select sum(o.amount_usd) from orders o");
    assert_eq!(looks.len(), 1);
    assert!(
        looks[0].starts_with("1:8: warning: sum(o.amount_usd) looks like the metric gmv, but without its condition status <> 'CANCELLED'"),
        "{looks:?}"
    );
    assert_eq!(
        found(
            "with fct_orders as (select 1 as order_id from {{ ref('dim_sellers') }}) select * from fct_orders"
        ),
        [
            "1:6: error: the CTE fct_orders is not the canonical dataset of that name — read fct_orders instead of making it again, or give the CTE another name [rebuilt]"
        ]
    );
    assert_eq!(
        found(
            "select order_id, row_number() over (partition by order_id order by created_at) n from {{ ref('fct_orders') }}"
        ),
        [
            "1:18: warning: fct_orders has one row for each order_id already — leave the numbering out: duplicates are removed where it is made [rebuilt]"
        ]
    );
}

#[test]
fn values_and_personal_data_are_held_against_the_definitions() {
    assert_eq!(
        found("select order_id from {{ ref('fct_orders') }} where status in ('COMPLETED', 'DONE')"),
        [
            "1:76: error: status of fct_orders is never 'DONE' — it is one of COMPLETED, SHIPPED, CANCELLED, RETURNED [value]"
        ]
    );
    assert_eq!(
        found("select user_id, email from {{ ref('dim_customers') }}"),
        ["1:17: warning: email of users is personal data — leave it out, or count it [personal]"]
    );
}

#[test]
fn the_tags_of_dbt_are_understood() {
    let model = "{{ config(materialized='incremental', unique_key='order_id', tags=['daily']) }}
{% set channels = ['ads', 'email'] %}
{%- set base = ref('fct_orders') -%}
with orders as (
  -- {{ ref('not_read') }}
  select * from {{ base }}
  {% if is_incremental() %}
  where created_at > (select max(created_at) from {{ this }})
  {% else %}
  where 1 = 1
  {% endif %}
)
select
  order_id,
  {% for channel in channels %}
  sum(case when channel = '{{ channel }}' then shipping_usd end) as {{ channel }}_usd{% if not loop.last %},{% endif %}
  {% endfor %}
from orders
where created_at >= '{{ var(\"start\") }}' {# and {{ nothing }} #}
group by order_id
";
    let review = review_as("report", model);
    assert!(review.findings.is_empty(), "{:#?}", review.findings);
    let read: Vec<_> = review
        .reads
        .iter()
        .map(|read| (read.name.as_str(), read.line))
        .collect();
    assert_eq!(read, [("fct_orders", 6), ("this", 8)]);

    assert_eq!(
        found(
            "{{ config(materialized='incremental') }}\nselect order_id from {{ ref('fct_orders') }}"
        ),
        [
            "1:1: warning: every run reads all rows again — keep to the new ones: {% if is_incremental() %} where … > (select max(…) from {{ this }}) {% endif %} [incremental]"
        ]
    );
    assert_eq!(
        found(
            "{{ config(materialized='table') }}\nselect order_id from {{ ref('fct_orders') }} {% if is_incremental() %} where 1=1 {% endif %}"
        ),
        [
            "2:46: warning: this never holds: the model is not materialized as incremental — say config(materialized='incremental'), or leave the block out [incremental]"
        ]
    );
    assert_eq!(
        found("{{ config(materialized='table') }}\nselect order_id from orders"),
        [
            "2:22: warning: dbt does not see that the model depends on fct_orders — write {{ ref('fct_orders') }} [reference]"
        ]
    );
    let macro_only = review_as(
        "report",
        "{{ dbt_utils.union_relations(relations=[ref('fct_orders'), source('raw', 'accounts')]) }}",
    );
    let rules: Vec<_> = macro_only
        .findings
        .iter()
        .map(|one| (one.rule, one.column))
        .collect();
    assert_eq!(rules, [(Rule::Unseen, 1), (Rule::RawSource, 60)]);
    let unclosed = found("select 1 from {{ ref('fct_orders')");
    assert_eq!(
        unclosed[0],
        "1:15: error: this tag does not end — close it with }} [syntax]"
    );
}

/// Where `§` stands in a text, and the text without it.
fn marked(text: &str) -> (String, u32, u32) {
    let (before, after) = text.split_once('§').unwrap();
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() as u32 + 1;
    (format!("{before}{after}"), line, column)
}

/// Holds that a rule, and no other at its severity or above, stands against the text at `§`, and what it says.
fn stands(text: &str, rule: Rule, says: &str) {
    let (text, line, column) = marked(text);
    let review = review_as("weekly_report", &text);
    let found = review.findings.iter().find(|one| one.rule == rule);
    let found = found.unwrap_or_else(|| panic!("{text}\n{:#?}", review.findings));
    assert_eq!(
        (found.line, found.column),
        (line, column),
        "{text}\n{found}"
    );
    assert!(found.to_string().contains(says), "{text}\n{found}");
}

#[test]
fn no_raw_source_hides_in_sql() {
    for text in [
        "select order_id from orders order by (select max(x) from §raw.people)",
        "select * from §raw.shop_orders pivot (sum(amount) for status in ('A', 'B'))",
        "select order_id from orders union all select id from §raw.people",
        "select order_id, (select max(id) from §raw.people) m from orders",
        "with a as (with b as (select id from §raw.people) select * from b) select * from a, orders",
        "select order_id from orders o right join §raw.people p on p.id in (select 1)",
        "select order_id from orders where exists (select 1 from §raw.people p where p.id = user_id)",
        // A CTE with the name of the raw table, that reads it.
        "with people as (select * from §raw.people) select p.id from people p, orders",
        "select x from \"warehouse\".§\"RAW\".\"people\", orders",
        "select order_id from `proj.raw.people`, orders -- §",
        // What only looks like one.
        "-- from raw.one\nselect order_id /* from raw.two */, 'from raw.three' from orders, §raw.people",
        "select order_id\r\nfrom orders -- from raw.other\r\nwhere user_id in (\r\n\tselect id from\t§raw.people)\r\n",
        "select 'Größe 日本語 🙂' as \"ä\" from orders, §raw.straße",
    ] {
        let (plain, ..) = marked(text);
        let of_raw = |plain: &str| {
            let findings = review_as("report", plain).findings;
            let mut of_raw = findings.into_iter();
            of_raw.find(|one| one.rule == Rule::RawSource)
        };
        let found = of_raw(&plain).unwrap_or_else(|| panic!("{plain}"));
        let (_, line, column) = marked(text);
        // A name in several quoted parts begins with its first.
        let is_exact = (found.line, found.column) == (line, column);
        assert!(is_exact || plain.contains(['`', '"']), "{plain}\n{found}");
    }
    let mark = review_as("report", "\u{feff}select order_id from raw.people, orders");
    assert_eq!((mark.findings[0].line, mark.findings[0].column), (1, 22));
}

#[test]
fn no_raw_source_hides_behind_dbt() {
    let raw = "is a raw source";
    for text in [
        // The other branch, in a part that is left out, among the arguments of a macro, in a list.
        "select order_id from\n{% if target.name == 'dev' %} {{ ref('fct_orders') }}\n{% else %}\n §{{ source('raw', 'people') }}\n{% endif %}",
        "select order_id from {% if x %} {{ ref('fct_orders') }} {% else %} §raw.people {% endif %}",
        "{% set q %} select max(x) from {{ §source('raw', 'people') }} {% endset %}\nselect order_id from {{ ref('fct_orders') }}",
        "select order_id from {{ ref('fct_orders') }}, {{ my.union([\n  §source('raw', 'people')]) }} u",
        "{% set all = [ref('fct_orders'), §source('raw', 'people')] %}\n{% for one in all %} select order_id from {{ one }} {% if not loop.last %} union all {% endif %} {% endfor %}",
        "select order_id from {{ ref('fct_orders') }}, §{{ target.database }}.raw.people",
        "select order_id from {{ ref('fct_orders') }}, §raw.{{ var('table') }}",
    ] {
        stands(text, Rule::RawSource, raw);
    }
    // The message has what the model has.
    stands(
        "select x from {{ ref('fct_orders') }}, §raw.{{ var('t') }} p",
        Rule::RawSource,
        "raw.{{ var('t') }} is a raw source",
    );
    // Nothing of it is read.
    for text in [
        "select order_id -- {{ source('raw', 'people') }}\nfrom {{ ref('fct_orders') }}",
        "select order_id {# {{ source('raw', 'people') }} #} from {{ ref('fct_orders') }}",
        "select order_id, '{% raw %}{{ source(\"raw\", \"people\") }}{% endraw %}' as t from {{ ref('fct_orders') }}",
    ] {
        assert!(found(text).is_empty(), "{text}\n{:?}", found(text));
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    stands(
        "select §{{ dbt_utils.star(from=ref('fct_orders')) }}, {{ my.key(['a']) }} as k from {{ ref('fct_orders') }}",
        Rule::Unseen,
        "what {{ dbt_utils.star(from=ref('fct_orders')) }} writes cannot be seen before dbt has run, nor what another macro does — `dbt compile` writes it out: govern target/compiled then",
    );
    stands(
        "select order_id from {{ ref('fct_orders') }}, §{{ var('schema') }}.orders o",
        Rule::NotCanonical,
        "what this reads cannot be seen before dbt has run",
    );
    let unclear = found("select {{ a }} {{ b }} x y z from {{ ref('fct_orders') }} (");
    assert!(
        unclear[0].contains("warning: it cannot be read before dbt has run, only what it refers to: the SQL does not parse"),
        "{unclear:?}"
    );
    let wrong = found("select order_id from {{ ref('fct_orders') }} where (");
    assert!(
        wrong[0].contains("error: the SQL does not parse"),
        "{wrong:?}"
    );
    // A name like those that stand for tags is no tag.
    let review = review_as("report", "select _j0 from {{ ref('fct_orders') }}, _j0");
    assert_eq!(
        review.findings[0].message, "_j0 is no canonical dataset",
        "{:?}",
        review.findings
    );
    // A value is no SQL.
    assert!(found("select order_id from {{ ref('fct_orders') }} where created_at > '{{ var(\"from\") }}' and x = {{ env_var('X') }}").is_empty());
}

#[test]
fn recursion_functions_and_windows_are_nothing_that_is_read() {
    for fine in [
        "with recursive t as (select 1 as n union all select n + 1 from t where n < 10) select t.n, o.order_id from fct_orders o cross join (select max(n) n from t) t",
        "select g.n, o.order_id from generate_series(1, 10) as g(n) join fct_orders o on o.order_id = g.n",
        "select order_id, sum(amount_usd) over (partition by user_id) s, rank() over (order by amount_usd) r from orders",
        "with orders as (select * from orders) select order_id from orders",
    ] {
        assert!(found(fine).is_empty(), "{fine}\n{:?}", found(fine));
    }
}

#[test]
fn a_metric_is_known_in_every_form() {
    for text in [
        "select §sum(case when status <> 'CANCELLED' then amount_usd else 0 end) from {{ ref('fct_orders') }}",
        "select §sum(amount_usd) filter (where status != 'CANCELLED') from {{ ref('fct_orders') }}",
        "select §sum(coalesce(o.amount_usd, 0)) from {{ ref('fct_orders') }} o where o.status <> 'CANCELLED'",
        "select channel, § SUM( \"amount_usd\" ) from {{ ref('fct_orders') }} where (status <> 'CANCELLED') group by 1"
            .replace("§ ", "§")
            .as_str(),
        "select user_id from {{ ref('fct_orders') }} where status <> 'CANCELLED' group by 1 having §sum(amount_usd) > 10",
    ] {
        stands(text, Rule::Rebuilt, "is the metric gmv");
    }
    // Other rows, chosen on purpose.
    for other in [
        "select sum(case when status = 'RETURNED' then amount_usd end) from {{ ref('fct_orders') }}",
        "select sum(amount_usd) from {{ ref('fct_orders') }} where status = 'RETURNED'",
        "select avg(coalesce(amount_usd, 0)) from {{ ref('fct_orders') }} where status <> 'CANCELLED'",
    ] {
        let rebuilt = found(other).into_iter().find(|one| one.contains("gmv"));
        assert_eq!(rebuilt, None, "{other}");
    }
}

#[test]
fn joins_that_cannot_be_judged_are_not() {
    let people =
        "(select user_id, valid_from, valid_to, max(x) as x from fct_touchpoints group by 1, 2, 3)";
    for (on, is_error) in [
        ("h.user_id = o.user_id", true),
        ("h.user_id = cast(o.user_id as text)", true),
        ("h.user_id = o.user_id and h.x > 3", true),
        (
            "h.user_id = o.user_id and o.created_at >= h.valid_from and o.created_at < h.valid_to",
            false,
        ),
        ("h.user_id = o.user_id and h.valid_to is null", false),
        ("h.user_id = o.user_id and h.is_current", false),
        ("h.user_id = o.user_id and h.is_current = 1", false),
        ("lower(h.user_id) = lower(o.user_id)", false),
        (
            "h.user_id = o.user_id and h.valid_from = date(o.created_at) and h.valid_to = '9999-12-31'",
            false,
        ),
    ] {
        let text = format!("select o.order_id, h.x from fct_orders o join {people} h on {on}");
        let review = review_as("report", &text);
        let has = review.findings.iter().any(|one| one.rule == Rule::Grain);
        assert_eq!(has, is_error, "{on}\n{:?}", review.findings);
    }
    stands(
        "select o.order_id, t.channel\nfrom {{ ref('fct_orders') }} o\nleft join §{{ ref('fct_touchpoints') }} t\n  on t.user_id = o.user_id and t.channel = 'email'",
        Rule::Grain,
        "multiplies the rows of both sides",
    );
}

#[test]
fn personal_data_does_not_leave_by_a_star_or_a_union() {
    let says = "email of users";
    for text in [
        "with c as (select * from {{ ref('dim_customers') }}), final as (select c.* from c)\nselect §* from final",
        "select user_id, §email from {{ ref('dim_customers') }} union all select 1, 'x'",
        "select c.user_id, §c.* from {{ ref('dim_customers') }} c",
    ] {
        stands(text, Rule::Personal, says);
    }
    for fine in [
        "select count(email) from {{ ref('dim_customers') }}",
        "with c as (select * from {{ ref('dim_customers') }}) select user_id from c",
    ] {
        let personal = found(fine).into_iter().find(|one| one.contains("personal"));
        assert_eq!(personal, None, "{fine}");
    }
}

#[test]
fn patterns_of_the_project_are_required_and_forbidden() {
    let config = Config::read(
        "governance:
  require:
    - {pattern: '^-- owner:', message: a model says who answers for it, models: [mart_*]}
  forbid:
    - {pattern: 'select\\s+\\*', message: name the columns, level: warning}
  raw: [lake.*]
",
        Path::new("."),
    )
    .unwrap();
    let review = |name: &str, text: &str| {
        let model = Model {
            name,
            text,
            beside: &[],
        };
        let review = govern(&model, &demo(), &config.governance, Dialect::Postgres);
        let findings = review.findings.iter().map(ToString::to_string);
        findings.collect::<Vec<_>>()
    };
    assert_eq!(
        review("mart_a", "SELECT  *\nfrom {{ ref('fct_orders') }}"),
        [
            "error: a model says who answers for it [required]",
            "1:1: warning: name the columns [forbidden]",
        ]
    );
    assert!(
        review(
            "a",
            "-- Owner: me\nselect order_id from {{ ref('fct_orders') }}"
        )
        .is_empty()
    );
    assert!(
        review("a", "select x from {{ ref('fct_orders') }}, lake.clicks")[0]
            .contains("lake.clicks is a raw source")
    );
    let broken = Config::read("governance: {forbid: [{pattern: '('}]}", Path::new("."));
    let error = broken.unwrap_err()[0].to_string();
    assert!(
        error.starts_with("metrex.yaml:1:33: error: '(' is no pattern:"),
        "{error}"
    );
}

#[test]
fn any_text_has_an_answer() {
    let deep = format!("select {}1{}", "(".repeat(3000), ")".repeat(3000));
    let long = format!("select {} from orders", vec!["1"; 20_000].join(" + "));
    for text in [
        "",
        "{{",
        "{% if %}",
        "select",
        "{{ }}{% endfor %}",
        "drop table orders",
        "select 1; select 2",
        "{{ref('a')}}{{ref('b')}}",
        "select '{{' from orders",
        deep.as_str(),
        long.as_str(),
    ] {
        let _ = review_as("report", text);
    }
}

fn metrex(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_metrex"))
        .args(args)
        .current_dir(folder)
        .env("METREX_STATE_DIR", folder.join("state"))
        .output()
        .unwrap()
}

#[test]
fn the_command_governs_files_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models/marts");
    fs::create_dir_all(&models).unwrap();
    fs::write(
        models.join("orders_by_week.sql"),
        "select order_id from {{ ref('fct_orders') }}",
    )
    .unwrap();
    fs::write(
        models.join("report.sql"),
        "select order_id from {{ ref('orders_by_week') }}",
    )
    .unwrap();
    let fine = metrex(folder.path(), &["govern", "models"]);
    assert_eq!(fine.status.code(), Some(0), "{fine:?}");
    assert_eq!(
        String::from_utf8_lossy(&fine.stderr),
        "2 models: nothing stands against it, 0 warnings\n"
    );
    fs::write(models.join("bad.sql"), "select *\nfrom raw.shop_orders\n").unwrap();
    let bad = metrex(folder.path(), &["govern", "models/marts/bad.sql"]);
    assert_eq!(bad.status.code(), Some(1));
    let out = String::from_utf8_lossy(&bad.stdout).into_owned();
    assert!(
        out.contains("models/marts/bad.sql:2:6: error: raw.shop_orders is a raw source — fct_orders is what has been agreed on of it: read fct_orders [raw_source]"),
        "{out}"
    );
    let json = metrex(folder.path(), &["govern", "models", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json[0]["file"], "models/marts/bad.sql");
    assert_eq!(json[0]["findings"][0]["rule"], "raw_source");
    assert_eq!(json[1]["reads"][0]["canonical"], "fct_orders");
    assert_eq!(json[1]["reads"][0]["status"], "certified");
    let missing = metrex(folder.path(), &["govern", "nothing.sql"]);
    assert_eq!(missing.status.code(), Some(2));
    // A folder without models is no folder of fine models.
    fs::create_dir(folder.path().join("empty")).unwrap();
    let empty = metrex(folder.path(), &["govern", "empty"]);
    assert_eq!(empty.status.code(), Some(2));
}
