//! Questions to the shop, asked on every engine that is there, against rows worked out by hand.

use metrex::model::NoValues;
use metrex::warehouse::Warehouse;

use crate::engines;
use crate::support::shop::{Engine, fill, rows};

/// A question with its rows; `-` is NULL.
pub type Answer = (&'static str, &'static [&'static str]);

/// Asks on every engine.
pub async fn check(engine: &Engine, answers: &[Answer]) {
    for loaded in engines::everywhere_filled(fill) {
        on(loaded.name, &loaded.warehouse, engine, answers).await;
    }
}

async fn on(name: &str, warehouse: &Warehouse, engine: &Engine, answers: &[Answer]) {
    let mut wrong = Vec::new();
    for (line, expected) in answers {
        let compiled = match engine.compile_with(line, warehouse.dialect(), &NoValues) {
            Ok(compiled) => compiled,
            Err(error) => {
                wrong.push(format!("{line}\n  refused: {error} {:?}", error.hint));
                continue;
            }
        };
        let found = rows(warehouse, &compiled.main).await;
        if found != *expected {
            wrong.push(format!(
                "{line}\n  expected {expected:?}\n  found    {found:?}\n{}",
                compiled.main.sql
            ));
        }
        if let Some(totals) = compiled.total() {
            let row = rows(warehouse, totals).await;
            assert_eq!(row.len(), 1, "{line}: a total is one row");
        }
    }
    assert!(
        wrong.is_empty(),
        "{name}: {} of {} answers differ\n{}",
        wrong.len(),
        answers.len(),
        wrong.join("\n\n")
    );
}

/// Questions that are refused, each with a part of the message.
pub fn refused(engine: &Engine, questions: &[(&str, &str)]) {
    for (line, part) in questions {
        match engine.compile(line) {
            Ok(compiled) => panic!("{line} is answered:\n{}", compiled.main.sql),
            Err(error) => assert!(
                error.message.contains(part),
                "{line}: {error} (wanted: {part})"
            ),
        }
    }
}
