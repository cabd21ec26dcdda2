//! The project's folder: nothing that exists is touched, and what fails leaves nothing behind.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::InitError;

/// What a project consists of; the configuration comes last, since it is what makes a folder a project.
pub(super) const WAREHOUSE: &str = "warehouse.db";
const METRICS: &str = "metrics";
const CONFIG: &str = "metrex.yaml";

/// A project that is written beside its place and moved there when it is complete.
pub(super) struct Draft {
    target: PathBuf,
    folder: TempDir,
    files: Vec<String>,
}

impl Draft {
    /// Starts a project for `target`, which may exist but holds none of a project's files.
    ///
    /// # Errors
    /// There is a project already, or the folder cannot be written.
    pub(super) fn new(target: &Path) -> Result<Self, InitError> {
        let target = std::path::absolute(target).map_err(InitError::io(target))?;
        let found: Vec<String> = [CONFIG, METRICS, WAREHOUSE]
            .into_iter()
            .filter(|name| target.join(name).exists())
            .map(str::to_owned)
            .collect();
        if !found.is_empty() {
            return Err(InitError::Exists { target, found });
        }
        // Inside the target or its nearest existing parent: on the same disk, so that moving is a rename.
        let existing = target
            .ancestors()
            .find(|folder| folder.exists())
            .unwrap_or(Path::new("/"));
        let folder = tempfile::Builder::new()
            .prefix(".metrex-init-")
            .tempdir_in(existing);
        let folder = folder.map_err(InitError::io(existing))?;
        fs::create_dir(folder.path().join(METRICS)).map_err(InitError::io(folder.path()))?;
        Ok(Self {
            folder,
            target,
            files: Vec::new(),
        })
    }

    /// Where the embedded warehouse is built.
    pub(super) fn warehouse(&self) -> PathBuf {
        self.folder.path().join(WAREHOUSE)
    }

    /// Writes `metrex.yaml`.
    pub(super) fn config(&mut self, text: &str) -> Result<(), InitError> {
        self.write(CONFIG, text)
    }

    /// Writes a file of the registry.
    pub(super) fn metrics(&mut self, name: &str, text: &str) -> Result<(), InitError> {
        self.write(&format!("{METRICS}/{name}.yaml"), text)
    }

    fn write(&mut self, path: &str, text: &str) -> Result<(), InitError> {
        let full = self.folder.path().join(path);
        fs::write(&full, text).map_err(InitError::io(self.target.join(path)))?;
        self.files.push(path.to_owned());
        Ok(())
    }

    /// Moves everything into place; whatever was moved is taken away again when a later part fails.
    ///
    /// # Errors
    /// The folder cannot be written, or somebody else made a project meanwhile.
    pub(super) fn finish(self) -> Result<(PathBuf, Vec<String>), InitError> {
        let made = missing_folders(&self.target);
        fs::create_dir_all(&self.target).map_err(InitError::io(&self.target))?;
        let mut moved: Vec<PathBuf> = Vec::new();
        for name in [WAREHOUSE, METRICS, CONFIG] {
            let (from, to) = (self.folder.path().join(name), self.target.join(name));
            if !from.exists() {
                continue;
            }
            let result = if to.exists() {
                Err(InitError::Exists {
                    target: self.target.clone(),
                    found: vec![name.to_owned()],
                })
            } else {
                fs::rename(&from, &to).map_err(InitError::io(&to))
            };
            if let Err(error) = result {
                for path in moved {
                    // The first error is the one to report; a leftover would be named by the next run.
                    let _ = if path.is_dir() {
                        fs::remove_dir_all(path)
                    } else {
                        fs::remove_file(path)
                    };
                }
                for folder in made {
                    let _ = fs::remove_dir(folder);
                }
                return Err(error);
            }
            moved.push(to);
        }
        Ok((self.target, self.files))
    }
}

/// The folders that have to be made for `target`, the deepest first.
fn missing_folders(target: &Path) -> Vec<PathBuf> {
    target
        .ancestors()
        .take_while(|folder| !folder.exists())
        .map(Path::to_owned)
        .collect()
}
