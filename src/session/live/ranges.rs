//! Rows that hold from one time to another: of one key, no two hold at the same time.

use super::joins::examples_of;
use super::{Finding, Probes};
use crate::compile::Statement;
use crate::model::{Dataset, Relation, Validity};
use crate::warehouse::Dialect;

pub(super) fn add(probes: &mut Probes) {
    let dialect = probes.session.dialect();
    for dataset in probes.registry().datasets.values() {
        if let (Some(valid), false) = (&dataset.valid, dataset.key.is_empty()) {
            overlaps(probes, dataset, valid, dialect);
        }
    }
}

fn overlaps(probes: &mut Probes, dataset: &Dataset, valid: &Validity, dialect: Dialect) {
    let keys: Vec<String> = dataset.key.iter().map(|key| dialect.name(key)).collect();
    let keys = keys.join(", ");
    let (from, to) = (dialect.name(&valid.from), dialect.name(&valid.to));
    let source = source(dataset, dialect);
    let sql = format!(
        "SELECT {keys}, COUNT(*) AS clashes\n\
         FROM (\n\
         SELECT {keys}, {to} AS ends, LEAD({from}) OVER (PARTITION BY {keys} ORDER BY {from}) AS next_starts\n\
         FROM {source}\n\
         ) AS ranges\n\
         WHERE next_starts IS NOT NULL AND (ends IS NULL OR next_starts < ends)\n\
         GROUP BY {keys}\n\
         ORDER BY clashes DESC\n\
         LIMIT 4"
    );
    let what = format!("ranges of {}", dataset.name);
    let statement = Statement {
        sql,
        lines: Vec::new(),
        columns: Vec::new(),
    };
    let (name, from, to) = (dataset.name.clone(), valid.from.clone(), valid.to.clone());
    let columns = dataset.key.join(", ");
    let example = examples_of(dataset, &dataset.key);
    probes.run(what, valid.place, vec![statement], move |answers| {
        let rows = answers.first()?;
        rows.first()?;
        let message = format!(
            "rows of {name} with the same {columns} hold at the same time ({from} to {to}){}",
            example(rows, 0)
        );
        let hint = "what happens in that time counts several times";
        Some(Finding::error("overlaps", message).hint(hint))
    });
}

/// What comes after `FROM`.
fn source(dataset: &Dataset, dialect: Dialect) -> String {
    match &dataset.relation {
        Relation::Table(table) => dialect.table(table),
        Relation::Sql(sql) => {
            let sql = sql.trim().trim_end_matches(';');
            format!("(\n{sql}\n) AS {}", dialect.name(&dataset.name))
        }
    }
}
