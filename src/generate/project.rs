//! The dbt project itself: its settings, the tests that it brings along, how it is run.

use super::layers::Layers;
use super::text::MADE;
use super::{Package, Wanted};
use crate::warehouse::Dialect;

/// Adds what a project needs; to one that is there, only the tests.
pub(super) fn project(layers: &Layers<'_>, wanted: &Wanted<'_>, package: &mut Package) {
    package.add("tests/generic/metrex_unique_rows.sql", UNIQUE_ROWS);
    package.add("tests/generic/metrex_in_range.sql", IN_RANGE);
    package.add("macros/metrex_today.sql", TODAY);
    if wanted.has_project {
        return;
    }
    package.add("dbt_project.yml", PROJECT.replace("MADE", MADE));
    let adapter = match wanted.dialect {
        Dialect::Spark => "databricks",
        dialect => dialect.word(),
    };
    let models: Vec<&str> = layers
        .models
        .iter()
        .map(|model| model.name.as_str())
        .collect();
    let readme = README
        .replace("MADE", MADE)
        .replace("ADAPTER", adapter)
        .replace("TITLE", wanted.dialect.title())
        .replace("MODELS", &models.join("`, `"))
        .replace("METRICS", &package.metrics.join("`, `"));
    package.add("README.md", readme);
}

const PROJECT: &str = r#"# MADE
name: metrics
version: "1.0.0"
config-version: 2
profile: metrics
require-dbt-version: ">=1.12.0"

model-paths: [models]
test-paths: [tests]
macro-paths: [macros]
target-path: target
clean-targets: [target]

# vars:
#   source_schema: main    where the tables are that have no schema in the definitions; otherwise the target's
#   today: 2026-11-20      the day to take for today; otherwise the warehouse's

models:
  metrics:
    canonical: {+materialized: view}
    staging: {+materialized: view}
    intermediate: {+materialized: view}
    marts: {+materialized: table}
"#;

const README: &str = r#"<!-- MADE -->

# Metrics for dbt

A dbt project of `METRICS`, for TITLE. It needs dbt 1.12 or newer with `dbt-ADAPTER` and a profile called `metrics`.

```
dbt build                                   # makes the models and runs their tests
dbt build --vars '{source_schema: main}'    # where the tables are in another schema than the target's
```

| | |
|---|---|
| `models/canonical/`, `models/staging/`, `models/intermediate/` | what metrics are computed from: `MODELS` |
| `models/marts/` | one model per metric, with the figures that it is made of |
| `models/*/*.yml`, `models/metrics.yml` | tests, and the same definitions for dbt's semantic layer |
| `tests/` | the tests that stand with the metrics |
| `docs/metrics/` | a page per metric |
| `graph/graph.json` | everything above as nodes and relationships |
| `skills/` | how metrics of a kind are made |

A figure that does not add up (its page says so) is right at the grain of its model and at no other: group the rows below again, or ask the
semantic layer.
"#;

const UNIQUE_ROWS: &str = r#"{#- Made by metrex: no combination of these columns stands in two rows. -#}
{% test metrex_unique_rows(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
"#;

const IN_RANGE: &str = r#"{#- Made by metrex: no value lies outside; a missing value is for not_null. -#}
{% test metrex_in_range(model, column_name, at_least=none, at_most=none) %}
select {{ column_name }}
from {{ model }}
where
  {%- if at_least is not none %} {{ column_name }} < {{ at_least }}{% endif %}
  {%- if at_least is not none and at_most is not none %} or{% endif %}
  {%- if at_most is not none %} {{ column_name }} > {{ at_most }}{% endif %}
{% endtest %}
"#;

const TODAY: &str = r#"{#- Made by metrex: the day to take for today, which a variable may say. -#}
{% macro metrex_today() -%}
  {%- if var('today', none) is not none -%} cast('{{ var('today') }}' as date) {%- else -%} current_date {%- endif -%}
{%- endmacro %}
"#;
