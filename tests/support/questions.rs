//! The question sets with the café chain they ask about, in a folder of their own, ready to be run.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};

use metrex::init::from_csv;
use metrex::session::eval::{EvalOptions, Question, Report, evaluate, read};
use metrex::session::{OpenOptions, ReindexOptions, Session};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A copy of `tests/eval` whose café chain has its warehouse. Made on a thread of its own: loading blocks.
pub fn folder() -> TempDir {
    std::thread::spawn(make).join().unwrap()
}

fn make() -> TempDir {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/eval");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let made = folder.path().join("made");
    let cancel = CancellationToken::new();
    from_csv(&sources.join("jaffle/seeds"), &made, &mut |_| (), &cancel).unwrap();
    let jaffle = folder.path().join("jaffle");
    fs::create_dir_all(jaffle.join("metrics")).unwrap();
    for file in ["metrex.yaml", "metrics/orders.yaml"] {
        fs::copy(sources.join("jaffle").join(file), jaffle.join(file)).unwrap();
    }
    fs::copy(made.join("warehouse.db"), jaffle.join("warehouse.db")).unwrap();
    folder
}

/// The question sets of the repository.
pub fn sets() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/eval");
    let files = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"))
        .collect();
    files.sort();
    files
}

pub fn questions(path: &Path) -> Vec<Question> {
    read(path).unwrap_or_else(|error| panic!("{error}"))
}

/// Asks without any model.
pub async fn run(folder: &TempDir, questions: &[Question]) -> Report {
    let options = EvalOptions {
        folder: folder.path().to_owned(),
        state_dir: Some(folder.path().join("state")),
        model: metrex::session::UseModel::Never,
    };
    evaluate(questions, &options, CancellationToken::new(), |_| ())
        .await
        .unwrap()
}

/// The café chain, indexed.
pub async fn jaffle(folder: &TempDir) -> Session {
    let session = Session::open(OpenOptions {
        project: Some(folder.path().join("jaffle")),
        today: Some("2020-08-19".parse().unwrap()),
        state_dir: Some(folder.path().join("state")),
        ..OpenOptions::default()
    })
    .unwrap();
    session
        .reindex(&ReindexOptions::default(), |_| (), CancellationToken::new())
        .await
        .unwrap();
    session
}
