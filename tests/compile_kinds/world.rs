//! Small tables on every engine, and questions about them with the rows that are right.

use jiff::civil::{Date, date};
use metrex::compile::{CompileError, CompileOptions, Compiled};
use metrex::model::{NoValues, Registry};
use metrex::warehouse::Dialect;

use crate::engines::{Loaded, everywhere_in};
use crate::support::shop::{Engine, registry_of, rows};

pub const TODAY: Date = date(2025, 4, 15);

/// Tables and the registry over them.
pub struct World {
    engine: Engine,
    loaded: Vec<Loaded>,
}

impl World {
    /// Tables made by statements that every engine understands.
    pub fn new(sql: &str, yaml: &str) -> Self {
        Self::with(sql, registry_of(yaml))
    }

    pub fn with(sql: &str, registry: Registry) -> Self {
        Self {
            loaded: everywhere_in(&registry.calendar.timezone, sql),
            engine: Engine::new(registry),
        }
    }

    pub fn compile(&self, line: &str, dialect: Dialect) -> Result<Compiled, CompileError> {
        let options = CompileOptions {
            dialect,
            today: TODAY,
            values: &NoValues,
            passes: Default::default(),
        };
        self.engine.compile_by(line, &options)
    }

    /// Every question has these rows on every engine.
    pub async fn answers(&self, answers: &[(&str, &[&str])]) {
        let mut wrong = Vec::new();
        for Loaded {
            name, warehouse, ..
        } in &self.loaded
        {
            for (line, expected) in answers {
                let compiled = match self.compile(line, warehouse.dialect()) {
                    Ok(compiled) => compiled,
                    Err(error) => {
                        wrong.push(format!("{name}: {line}\n{error}"));
                        continue;
                    }
                };
                let found = rows(warehouse, &compiled.main).await;
                if found != *expected {
                    wrong.push(format!(
                        "{name}: {line}\nfound {found:#?}\nexpected {expected:#?}\n{}",
                        compiled.main.sql
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    /// The question is refused with this message.
    #[track_caller]
    pub fn refuses(&self, line: &str, message: &str) {
        match self.compile(line, Dialect::Sqlite) {
            Ok(compiled) => panic!("{line} is no refusal:\n{}", compiled.main.sql),
            Err(error) => assert_eq!(error.message, message, "{line}"),
        }
    }

    /// The reasons given for a question.
    pub fn reasons(&self, line: &str) -> Vec<String> {
        let compiled = self.compile(line, Dialect::Sqlite).unwrap();
        compiled
            .reasons
            .into_iter()
            .map(|reason| reason.text)
            .collect()
    }
}
