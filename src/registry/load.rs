//! Loads a registry, from the compiled cache where no file has changed since.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use xxhash_rust::xxh3::Xxh3;

use super::build::build;
use super::{Config, Diagnostic, ProjectFiles};
use crate::model::Registry;

/// Grows whenever the shape of the cached data changes.
const FORMAT: u32 = 18;

/// A loaded registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Every definition without an error.
    pub registry: Registry,
    /// Every problem, by file and line.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the compiled cache answered.
    pub from_cache: bool,
}

/// What the cache holds.
#[derive(Serialize, Deserialize)]
struct Cached {
    registry: Registry,
    diagnostics: Vec<Diagnostic>,
}

/// Builds the registry from a project's files. With a `cache_dir`, the result is kept there for the next time; a cache
/// that cannot be read or written is only slower.
pub fn load(files: &ProjectFiles, config: &Config, cache_dir: Option<&Path>) -> Loaded {
    let cache = cache_dir.map(|dir| (dir, format!("registry-{:032x}.bin", key(files, config))));
    if let Some((dir, name)) = &cache
        && let Some(cached) = read(&dir.join(name))
    {
        return Loaded {
            registry: cached.registry,
            diagnostics: cached.diagnostics,
            from_cache: true,
        };
    }
    let (registry, diagnostics) = build(files, config);
    let built = Cached {
        registry,
        diagnostics,
    };
    if let Some((dir, name)) = &cache {
        write(dir, name, &built);
    }
    Loaded {
        registry: built.registry,
        diagnostics: built.diagnostics,
        from_cache: false,
    }
}

/// Hash of everything the result depends on.
fn key(files: &ProjectFiles, config: &Config) -> u128 {
    let mut hasher = Xxh3::new();
    // Each part goes with its length, so that no two lists of parts look the same.
    let mut add = |part: &str| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    };
    add(env!("CARGO_PKG_VERSION"));
    add(&FORMAT.to_string());
    add(&format!("{:?} {:?}", config.calendar, config.conventions));
    for group in [&files.metrics, &files.snippets] {
        add(&group.len().to_string());
        for file in group {
            add(&file.path);
            add(&file.text);
        }
    }
    for problem in &files.problems {
        add(&problem.to_string());
    }
    hasher.digest128()
}

fn read(path: &Path) -> Option<Cached> {
    postcard::from_bytes(&std::fs::read(path).ok()?).ok()
}

/// Writes the cache in one step and removes the ones it replaces; without success nothing changes.
fn write(dir: &Path, name: &str, cached: &Cached) {
    let Ok(bytes) = postcard::to_stdvec(cached) else {
        return;
    };
    let written = std::fs::create_dir_all(dir).and_then(|()| {
        let mut file = NamedTempFile::new_in(dir)?;
        file.write_all(&bytes)?;
        file.persist(dir.join(name))?;
        Ok(())
    });
    let Ok(entries) = written.and_then(|()| std::fs::read_dir(dir)) else {
        return;
    };
    for entry in entries.flatten() {
        let found = entry.file_name().to_string_lossy().into_owned();
        if found.starts_with("registry-") && found.ends_with(".bin") && found != name {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
