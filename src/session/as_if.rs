//! The session as it would be with other texts in some files: everything can be asked of it, and nothing is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Session;
use super::catalog::Version;
use crate::registry::{Loaded, ProjectFile, ProjectFiles, load};

/// Generations of definitions that are in no file; no version of those in force comes so far.
static GENERATION: AtomicU64 = AtomicU64::new(1 << 32);

impl Session {
    /// The same session over the definitions as they would be with these texts in these files; `None` takes a file out.
    pub fn as_if(&self, texts: &[(&str, Option<&str>)]) -> Self {
        let version = self.version();
        let mut files = version.files().clone();
        for (path, text) in texts {
            put(&mut files, path, *text);
        }
        let loaded = load(&files, &self.project().config, None);
        self.supposing(loaded, files)
    }

    /// The same session over other definitions, read from these files.
    pub(super) fn supposing(&self, loaded: Loaded, files: ProjectFiles) -> Self {
        let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
        let version = Version::supposed(&self.version(), loaded, files, generation);
        self.with_version(Arc::new(version))
    }
}

/// Gives a file another text.
fn put(files: &mut ProjectFiles, path: &str, text: Option<&str>) {
    let group = match path.split_once('/') {
        Some(("metrics", _)) => &mut files.metrics,
        Some(("snippets", _)) => &mut files.snippets,
        _ => return,
    };
    let at = group.partition_point(|file| file.path.as_str() < path);
    let is_there = group.get(at).is_some_and(|file| file.path == path);
    let file = text.map(|text| ProjectFile {
        path: path.to_owned(),
        text: text.to_owned(),
    });
    group.splice(at..at + usize::from(is_there), file);
}
