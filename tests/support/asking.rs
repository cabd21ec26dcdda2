//! Questions to the demo, with its value index, at a fixed day.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jiff::civil::date;
use metrex::ask::{
    Choices, Clarification, Lexicon, Meaning, Reading, Refusal, Setting, Understanding, understand,
};
use metrex::index::ValueIndex;
use metrex::model::MetricQuery;
use metrex::session::{Catalog, OpenOptions, Session};

/// What users chose for words.
#[derive(Default)]
struct Chosen(HashMap<String, Meaning>);

impl Choices for Chosen {
    fn chosen(&self, words: &str) -> Option<Meaning> {
        self.0.get(words).cloned()
    }
}

/// Everything that a question is read against.
pub struct Asking {
    demo: &'static Demo,
    chosen: Chosen,
}

struct Demo {
    catalog: Arc<Catalog>,
    index: ValueIndex,
    lexicon: Lexicon,
}

impl Asking {
    /// The demo of 2026-11-20, made once per build of the tests.
    pub fn demo() -> Self {
        static DEMO: OnceLock<Demo> = OnceLock::new();
        Self {
            demo: DEMO.get_or_init(Demo::new),
            chosen: Chosen::default(),
        }
    }

    /// The same, where a user chose a meaning for words.
    pub fn chosen(&self, words: &str, meaning: Meaning) -> Self {
        Self {
            demo: self.demo,
            chosen: Chosen(HashMap::from([(words.to_owned(), meaning)])),
        }
    }

    pub fn ask(&self, question: &str) -> Understanding {
        self.read(question, None)
    }

    /// A question after another one, which is given as a query line.
    pub fn after(&self, previous: &str, question: &str) -> Understanding {
        self.read(question, Some(&previous.parse().unwrap()))
    }

    fn read(&self, question: &str, previous: Option<&MetricQuery>) -> Understanding {
        let setting = Setting {
            registry: &self.demo.catalog.registry,
            reach: &self.demo.catalog.reach,
            lexicon: &self.demo.lexicon,
            values: &self.demo.index,
            choices: &self.chosen,
            today: date(2026, 11, 20),
            previous,
        };
        understand(question, &setting)
    }
}

impl Demo {
    fn new() -> Self {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("asking");
        let session = Session::open(OpenOptions {
            project: None,
            state_dir: Some(state),
            today: Some(date(2026, 11, 20)),
            ..OpenOptions::default()
        })
        .unwrap();
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(session.prepare(|_| ()))
            .unwrap();
        let catalog = session.catalog();
        let lexicon = Lexicon::new(&catalog.registry, &catalog.reach);
        Self {
            index: ValueIndex::open(&index_of(session.state().path()).unwrap()).unwrap(),
            catalog,
            lexicon,
        }
    }
}

/// The value index somewhere below the state folder.
fn index_of(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.flatten();
    files.map(|file| file.path()).find_map(|path| {
        if path.is_dir() {
            return index_of(&path);
        }
        (path.file_name()? == "value_index.db").then_some(path)
    })
}

pub fn clear(understanding: &Understanding) -> Reading {
    match understanding {
        Understanding::Clear(reading) => (**reading).clone(),
        other => panic!("not clear: {other:?}"),
    }
}

pub fn asks(understanding: &Understanding) -> Clarification {
    match understanding {
        Understanding::Unsure(clarification) => (**clarification).clone(),
        other => panic!("not asked: {other:?}"),
    }
}

pub fn refused(understanding: &Understanding) -> Refusal {
    match understanding {
        Understanding::Refused(refusal) => (**refusal).clone(),
        other => panic!("not refused: {other:?}"),
    }
}

/// The query line that a question becomes.
pub fn line(asking: &Asking, question: &str) -> String {
    match asking.ask(question) {
        Understanding::Clear(reading) => reading.query().to_string(),
        other => panic!("{question}: {other:?}"),
    }
}
