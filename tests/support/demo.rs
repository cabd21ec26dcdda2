//! The demo database, made once per build and shared by all tests, also by those that run in processes of their own.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use jiff::civil::{Date, date};
use metrex::demo;

/// The day on which the demo of the tests is made.
pub const TODAY: Date = date(2026, 11, 20);

/// The demo made on [`TODAY`]. To be read only.
pub fn file() -> PathBuf {
    shared("demo", |path| {
        demo::create(path, TODAY, &mut |_, _| ()).unwrap()
    })
}

/// A file that `make` makes, unless this build of the tests has made it already.
pub fn shared(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    let program = std::env::current_exe().unwrap().metadata().unwrap();
    let built = program
        .modified()
        .unwrap()
        .duration_since(UNIX_EPOCH)
        .unwrap();
    let path = folder.join(format!("{name}-{}.db", built.as_micros()));
    if !path.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        for old in std::fs::read_dir(&folder).unwrap().flatten() {
            if old
                .metadata()
                .is_ok_and(|old| old.modified().unwrap() < program.modified().unwrap())
            {
                let _ = std::fs::remove_file(old.path());
            }
        }
        // Two tests may be first at the same time; the last one to finish wins, with the same content.
        let own = tempfile::tempdir_in(&folder).unwrap();
        let new = own.path().join("new.db");
        make(&new);
        std::fs::rename(&new, &path).unwrap();
    }
    path
}
