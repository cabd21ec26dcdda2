//! The rules, each over what the walk has met.

use std::collections::{BTreeSet, HashMap};

use super::expr::{Column, MetricMeasure, column_of, measures};
use super::facts::{AggregateMet, JoinMet, ReadMet, Reading};
use super::finding::{At, COMPILED, Finding, ReadKind, Rule};
use super::known::{Known, Layer};
use super::template::Template;
use crate::model::{Aggregate, Attribute, Dimension, Status};
use crate::registry::Severity;

/// Everything that does not keep to a rule, in any order.
pub(super) fn check(reading: &Reading, template: &Template, known: &Known<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if known.layer != Layer::Staging {
        for read in &reading.reads {
            findings.extend(raw(read, known));
            findings.extend(agreed(read, known));
            findings.extend(status(read, known));
        }
        findings.extend(nothing_canonical(reading, known));
    }
    let tables = reading
        .reads
        .iter()
        .filter(|read| template.is_dbt && read.is_table);
    findings.extend(tables.filter_map(reference));
    findings.extend(renamed(reading, known));
    findings.extend(reading.joins.iter().map(join));
    findings.extend(numbered(reading));
    findings.extend(metrics(reading, known));
    findings.extend(values(reading, known));
    findings.extend(personal(reading, known));
    findings.extend(own_grain(reading, known));
    findings
}

/// Settings of an incremental model that do not fit together.
pub(super) fn incremental(template: &Template, known: &Known<'_>) -> Option<Finding> {
    let is_incremental = template.materialized.as_deref() == Some("incremental");
    let rule = Rule::Incremental;
    match (is_incremental, template.config, template.incremental) {
        (true, Some(at), None) => Some(
            Finding::warning(rule, at, "incremental", "every run reads all rows again").with_hint(
                "keep to the new ones: {% if is_incremental() %} where … > (select max(…) from {{ this }}) {% endif %}",
            ),
        ),
        (true, Some(at), Some(_)) if !template.has_unique_key && template.strategy.as_deref() != Some("insert_overwrite") => {
            let message = "rows that change are added once more: there is no unique_key";
            let grain = known.makes.map(|one| one.grain.as_slice()).unwrap_or_default();
            let hint = match grain {
                [] => "add unique_key to the config".to_owned(),
                [one] => format!("add unique_key='{one}' to the config: that is its grain"),
                many => format!("add unique_key=['{}'] to the config: that is its grain", many.join("', '")),
            };
            Some(Finding::warning(rule, at, "incremental", message).with_hint(hint))
        }
        // Where its config says nothing of it, the project's may.
        (false, _, Some(at)) if template.materialized.is_some() => Some(
            Finding::warning(rule, at, "is_incremental()", "this never holds: the model is not materialized as incremental")
                .with_hint("say config(materialized='incremental'), or leave the block out"),
        ),
        _ => None,
    }
}

/// Macros that write SQL, told once.
pub(super) fn unseen(template: &Template) -> Option<Finding> {
    let (first, at) = template.calls.first()?;
    let others = match template.calls.len() - 1 {
        0 => String::new(),
        1 => ", nor what another macro does".to_owned(),
        many => format!(", nor what {many} other macros do"),
    };
    let first: Vec<&str> = first.split_whitespace().collect();
    let first = first.join(" ");
    let message = format!("what {first} writes cannot be seen before dbt has run{others}");
    Some(Finding::warning(Rule::Unseen, *at, &first, message).with_hint(COMPILED))
}

fn place(read: &ReadMet) -> At {
    (read.told.line, read.told.column)
}

fn raw(read: &ReadMet, known: &Known<'_>) -> Option<Finding> {
    if read.told.kind != ReadKind::Raw {
        return None;
    }
    let name = &read.told.name;
    if let Some(makes) = known.makes {
        // What metrex wrote reads the table that the definitions say it is.
        if known.is_generated {
            return None;
        }
        let mut sources = makes.lineage.sources.iter();
        if sources.any(|source| source.eq_ignore_ascii_case(name)) {
            return None;
        }
        let message = format!("{name} is not among the sources of {}", makes.name);
        let finding = Finding::warning(Rule::RawSource, place(read), &read.written, message);
        return Some(finding.with_hint("name it there under lineage, or read a staging model"));
    }
    let message = format!("{} is a raw source", read.written);
    let finding = Finding::error(Rule::RawSource, place(read), &read.written, message);
    Some(match &read.makes {
        Some(makes) if known.layer == Layer::Using => finding.with_hint(format!(
            "{makes} is what has been agreed on of it: read {}",
            as_read(makes, read)
        )),
        _ => finding.with_hint("read it in a staging model, and that one here"),
    })
}

/// A canonical dataset as the model would read it.
fn as_read(canonical: &str, read: &ReadMet) -> String {
    match read.is_table {
        true => canonical.to_owned(),
        false => format!("{{{{ ref('{canonical}') }}}}"),
    }
}

fn agreed(read: &ReadMet, known: &Known<'_>) -> Option<Finding> {
    if known.layer != Layer::Using {
        return None;
    }
    let message = match read.told.kind {
        ReadKind::Unknown if read.told.name.is_empty() => {
            "what this reads cannot be seen before dbt has run".to_owned()
        }
        ReadKind::Unknown | ReadKind::Dataset => {
            format!("{} is no canonical dataset", read.told.name)
        }
        ReadKind::Model if read.is_staging => {
            format!(
                "{} is a staging model, which nobody has agreed on",
                read.told.name
            )
        }
        _ => return None,
    };
    let finding = Finding::warning(Rule::NotCanonical, place(read), &read.written, message);
    Some(match known.near(&read.told.name) {
        Some(near) if !read.told.name.is_empty() => {
            finding.with_hint(format!("did you mean {near}?"))
        }
        _ => finding.with_hint("`metrex suggest` ranks the canonical datasets for an intent"),
    })
}

fn status(read: &ReadMet, known: &Known<'_>) -> Option<Finding> {
    let canonical = read.told.canonical.as_ref()?;
    let one = known.registry.canonical.get(canonical)?;
    // What takes its place may be made from it.
    if one.successor.is_some() && one.successor == known.makes.map(|makes| makes.name.clone()) {
        return None;
    }
    let warning = |message| Finding::warning(Rule::Status, place(read), &read.written, message);
    match one.status {
        Status::Deprecated => {
            let finding = warning(format!("{canonical} is deprecated"));
            Some(match &one.successor {
                Some(successor) => finding.with_hint(format!("read {}", as_read(successor, read))),
                None => finding,
            })
        }
        Status::Draft => Some(warning(format!(
            "{canonical} is a draft: it may change without notice"
        ))),
        Status::Published | Status::Certified => None,
    }
}

fn nothing_canonical(reading: &Reading, known: &Known<'_>) -> Option<Finding> {
    // A raw source is refused by itself.
    let is_fine = |read: &ReadMet| match read.told.kind {
        ReadKind::Canonical | ReadKind::Itself | ReadKind::Raw => true,
        ReadKind::Model => !read.is_staging,
        ReadKind::Dataset | ReadKind::Unknown => false,
    };
    let first = reading.reads.first()?;
    // The definition of a metric is what has been agreed on then.
    let is_agreed = |status| matches!(status, Status::Published | Status::Certified);
    if known.mart.is_some_and(|metric| is_agreed(metric.status)) {
        return None;
    }
    if known.layer != Layer::Using || reading.reads.iter().any(is_fine) {
        return None;
    }
    let message = "nothing that it reads has been agreed on";
    Some(
        Finding::error(Rule::NotCanonical, place(first), &first.written, message)
            .with_hint("build on canonical datasets; `metrex suggest` ranks them for an intent"),
    )
}

fn reference(read: &ReadMet) -> Option<Finding> {
    let name = read.told.canonical.as_ref()?;
    let message = format!("dbt does not see that the model depends on {name}");
    let finding = Finding::warning(Rule::Reference, place(read), &read.written, message);
    Some(finding.with_hint(format!("write {{{{ ref('{name}') }}}}")))
}

/// CTEs that are called like a canonical dataset and are another thing.
fn renamed(reading: &Reading, known: &Known<'_>) -> Vec<Finding> {
    let others = reading.ctes.iter().filter_map(|cte| {
        let one = known.registry.canonical.get(&cte.name)?;
        if cte.canonical.as_ref() == Some(&one.name)
            || known.makes.is_some_and(|own| own.name == one.name)
        {
            return None;
        }
        let message = format!(
            "the CTE {} is not the canonical dataset of that name",
            cte.name
        );
        let finding = Finding::error(Rule::Rebuilt, cte.at, &cte.name, message);
        Some(finding.with_hint(format!(
            "read {} instead of making it again, or give the CTE another name",
            one.name
        )))
    });
    others.collect()
}

fn join(join: &JoinMet) -> Finding {
    let one = |what: &str, grain: &[String]| match grain {
        [] => format!("{what} has one row"),
        keys => format!("{what} has one row for each {}", keys.join(", ")),
    };
    let (left, right) = (&join.left, &join.right);
    let grains = format!(
        "{}, {}",
        one(&left.what, &left.grain),
        one(&right.what, &right.grain)
    );
    match &join.aggregate {
        Some((text, at)) if !join.is_both => {
            let message = format!(
                "{text} counts a row of {} once for each row of {} it is joined with",
                left.what, right.what
            );
            let hint = format!(
                "add {} up to {} before the join ({grains})",
                right.what,
                left.grain.join(", ")
            );
            Finding::error(Rule::Grain, *at, text, message).with_hint(hint)
        }
        aggregate => {
            let on = match join.on.as_slice() {
                [] => "by no key".to_owned(),
                on => format!("on {}", on.join(", ")),
            };
            let message = format!("the join {on} multiplies the rows of both sides: {grains}");
            let finding = Finding::warning(Rule::Grain, join.at, &right.what, message);
            let Some((text, _)) = aggregate else {
                return finding
                    .with_hint("count distinct what is joined, or make its rows distinct");
            };
            let hint = format!(
                "{text} counts them all: join on {}, or group one side by it first",
                right.grain.join(" and ")
            );
            Finding {
                severity: Severity::Error,
                ..finding.with_hint(hint)
            }
        }
    }
}

fn numbered(reading: &Reading) -> impl Iterator<Item = Finding> + '_ {
    reading.numbered.iter().map(|met| {
        let (what, grain) = (&met.side.what, met.side.grain.join(", "));
        let message = format!("{what} has one row for each {grain} already");
        Finding::warning(Rule::Rebuilt, met.at, "row_number", message)
            .with_hint("leave the numbering out: duplicates are removed where it is made")
    })
}

/// Aggregates that are those of a metric.
fn metrics(reading: &Reading, known: &Known<'_>) -> Vec<Finding> {
    // What metrex wrote from the definitions is what they are.
    if known.layer == Layer::Staging || known.is_generated {
        return Vec::new();
    }
    let mut of_base: HashMap<&str, Vec<MetricMeasure>> = HashMap::new();
    let mut findings = Vec::new();
    for met in &reading.aggregates {
        let Some(dataset) = known.registry.datasets.get(&met.base) else {
            continue;
        };
        let all = of_base
            .entry(met.base.as_str())
            .or_insert_with(|| measures(known.registry, dataset));
        findings.extend(metric(met, all));
    }
    findings
}

fn metric(met: &AggregateMet, measures: &[MetricMeasure]) -> Option<Finding> {
    let is_same = |measure: &&MetricMeasure| {
        measure.argument == met.argument
            && match measure.agg {
                Aggregate::Sum => met.function == "sum",
                Aggregate::Avg => met.function == "avg",
                Aggregate::Min => met.function == "min",
                Aggregate::Max => met.function == "max",
                Aggregate::Count => met.function == "count" && !met.distinct,
                Aggregate::CountDistinct => met.function == "count" && met.distinct,
                _ => false,
            }
    };
    let holds = |measure: &MetricMeasure| {
        let mut filters = measure.filters.iter();
        filters.all(|(filter, _)| met.conditions.contains(filter))
    };
    // Counting rows is a metric only where it is said which rows.
    let is_said =
        |measure: &&MetricMeasure| measure.argument.is_some() || !measure.filters.is_empty();
    let same = || measures.iter().filter(is_same).filter(is_said);
    let whole = same()
        .filter(|one| holds(one))
        .max_by_key(|one| one.filters.len());
    if let Some(one) = whole {
        let message = format!("{} is the metric {}", met.text, one.metric);
        let finding = Finding::warning(Rule::Rebuilt, met.at, &met.text, message);
        return Some(finding.with_hint(format!(
            "`metrex sql {}` writes it as it is defined",
            one.metric
        )));
    }
    met.argument.as_ref()?;
    let one = same().next()?;
    // Rows that are chosen by the same column are others on purpose.
    let column = |condition: &str| {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let name = condition.split(|c| !is_name(c)).next();
        name.unwrap_or_default().to_owned()
    };
    let chosen: Vec<String> = met.conditions.iter().map(|one| column(one)).collect();
    let is_other = |filter: &String| chosen.contains(&column(filter));
    let mut filters = one.filters.iter();
    if filters.any(|(filter, _)| !met.conditions.contains(filter) && is_other(filter)) {
        return None;
    }
    let missing: Vec<&str> = one
        .filters
        .iter()
        .filter(|(filter, _)| !met.conditions.contains(filter))
        .map(|(_, written)| written.as_str())
        .collect();
    let missing = missing.join(" and ");
    let message = format!(
        "{} looks like the metric {}, but without its condition {missing}",
        met.text, one.metric
    );
    let finding = Finding::warning(Rule::Rebuilt, met.at, &met.text, message);
    Some(finding.with_hint(format!("add where {missing}, or say why not in a comment")))
}

/// Comparisons with what an attribute never is.
fn values(reading: &Reading, known: &Known<'_>) -> Vec<Finding> {
    let unknown = reading.comparisons.iter().filter_map(|met| {
        let (attribute, canonical) = attribute(&met.column, known)?;
        if attribute.values.is_empty() || attribute.values.contains(&met.value) {
            return None;
        }
        let message = format!("{} of {canonical} is never '{}'", attribute.name, met.value);
        let finding = Finding::error(Rule::Value, met.at, &met.value, message);
        Some(finding.with_hint(format!("it is one of {}", attribute.values.join(", "))))
    });
    unknown.collect()
}

fn attribute<'a>(column: &Column, known: &Known<'a>) -> Option<(&'a Attribute, &'a str)> {
    let registry = known.registry;
    let dataset = registry.datasets.get(&column.base);
    let one = match dataset {
        Some(dataset) => registry.canonical_of(&dataset.name)?,
        None => registry.canonical.get(&column.base)?,
    };
    let is = |attribute: &&Attribute| match dataset {
        Some(dataset) => column_of(dataset, &attribute.name) == column.name,
        None => attribute.name.eq_ignore_ascii_case(&column.name),
    };
    Some((one.attributes.values().find(is)?, one.name.as_str()))
}

fn personal(reading: &Reading, known: &Known<'_>) -> Vec<Finding> {
    let handed_on = reading.output.iter().filter_map(|(column, at)| {
        let dataset = known.registry.datasets.get(&column.base)?;
        let is_it = |one: &&Dimension| {
            let name = one.column.as_ref();
            column.name.is_empty()
                || name.is_some_and(|name| name.eq_ignore_ascii_case(&column.name))
        };
        let personal = dataset.dimensions.values().filter(|one| one.pii);
        let names: Vec<&str> = personal
            .filter(is_it)
            .map(|one| one.name.as_str())
            .collect();
        let (which, dataset) = (names.join(" and "), &dataset.name);
        let message = match (names.len(), column.name.is_empty()) {
            (0, _) => return None,
            (_, true) => format!("* hands on {which} of {dataset}: personal data"),
            (_, false) => format!("{which} of {dataset} is personal data"),
        };
        let finding = Finding::warning(Rule::Personal, *at, &column.name, message);
        Some(finding.with_hint("leave it out, or count it"))
    });
    handed_on.collect()
}

/// A model that makes a canonical dataset whose rows are not what is declared.
fn own_grain(reading: &Reading, known: &Known<'_>) -> Option<Finding> {
    let (makes, grain) = (known.makes?, reading.grain.as_ref()?);
    if makes.grain.is_empty() {
        return None;
    }
    let dataset = makes
        .dataset()
        .and_then(|name| known.registry.datasets.get(name));
    let declared = makes.grain.iter().map(|name| match dataset {
        Some(dataset) => column_of(dataset, name),
        None => name.to_lowercase(),
    });
    let declared: BTreeSet<String> = declared.collect();
    let made: BTreeSet<String> = grain.iter().map(|column| column.name.clone()).collect();
    let list = |keys: &BTreeSet<String>| match keys.is_empty() {
        true => "one row".to_owned(),
        false => format!(
            "one row for each {}",
            keys.iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    (made != declared).then(|| {
        let message = format!(
            "{} is to have {}, and this gives {}",
            makes.name,
            list(&declared),
            list(&made)
        );
        Finding::whole(Rule::Grain, message)
            .with_hint("group by its grain, or change the grain that is declared")
    })
}
