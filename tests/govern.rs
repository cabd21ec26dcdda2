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

use metrex::govern::sql::{Model, ReadKind, Review, Rule, govern};
use metrex::model::{Dialect, Registry};
use metrex::registry::{Config, Governance, Project, load};

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
            "3:6: error: the join on user_id multiplies the rows of both sides: fct_orders has one row for each order_id, fct_touchpoints has one row for each touchpoint_id — join on touchpoint_id, or group one side by it first [grain]"
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
            "select order_id from {{ ref('fct_orders') }} {% if is_incremental() %} where 1=1 {% endif %}"
        ),
        [
            "1:46: warning: this never holds: the model is not materialized as incremental — say config(materialized='incremental'), or leave the block out [incremental]"
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
    assert_eq!(macro_only.findings.len(), 1);
    assert_eq!(macro_only.findings[0].rule, Rule::RawSource);
    let unclosed = found("select 1 from {{ ref('fct_orders')");
    assert_eq!(
        unclosed[0],
        "1:15: error: this tag does not end — close it with }} [syntax]"
    );
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
}
