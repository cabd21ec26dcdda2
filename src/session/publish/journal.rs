//! Notes what a publication is about to write, so that one that was killed half-way is taken back at the next start.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Publication;
use super::guard::is_place;
use crate::session::git::Repository;
use crate::session::whole_file::{self, write_whole};

/// The file of the notes, in the project's folder.
const FILE: &str = ".metrex-publishing.json";

/// What is being written.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Notes {
    files: Vec<Noted>,
    /// Folders that are not there without it.
    folders: Vec<String>,
    is_committed: bool,
}

/// A file as it was and as it will be; `None` where it is not there.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    path: String,
    old: Option<String>,
    new: Option<String>,
}

/// The notes of a publication; they go away with it.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    notes: Notes,
    stays: bool,
}

impl Journal {
    /// Notes what is to be written. Only who holds the lock of the folder may do so.
    pub(super) fn begin(folder: &Path, publication: &Publication) -> io::Result<Self> {
        let mut notes = Notes {
            is_committed: publication.commit.is_some(),
            ..Notes::default()
        };
        for file in &publication.files {
            let parents = Path::new(&file.path).ancestors().skip(1);
            let missing = parents.filter(|parent| !folder.join(parent).exists());
            let missing = missing.filter_map(Path::to_str).map(str::to_owned);
            notes.folders.extend(missing);
            notes.files.push(Noted {
                path: file.path.clone(),
                old: read(&folder.join(&file.path))?,
                new: file.text.clone(),
            });
        }
        write_whole(&folder.join(FILE), &serde_json::to_string(&notes)?)?;
        Ok(Self {
            folder: folder.to_owned(),
            notes,
            stays: false,
        })
    }

    /// Gives every file its old text back.
    pub(super) fn take_back(&mut self) {
        let left = self.notes.take_back(&self.folder);
        // What could not be done now is done at the next start.
        self.stays = !left.is_empty();
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if !self.stays {
            self.notes.close(&self.folder);
        }
    }
}

impl Notes {
    /// Gives the files their old texts back, and says which of them could not get it. What somebody has changed since is
    /// theirs.
    fn take_back(&self, folder: &Path) -> Vec<&str> {
        let mut left = Vec::new();
        for noted in &self.files {
            let path = folder.join(&noted.path);
            let done = read(&path).and_then(|now| match &noted.old {
                _ if now == noted.old => Ok(()),
                _ if now != noted.new => {
                    tracing::warn!(path = noted.path, "is left as somebody changed it");
                    Ok(())
                }
                Some(old) => write_whole(&path, old),
                None => fs::remove_file(&path),
            });
            if let Err(error) = done {
                tracing::error!(path = noted.path, %error, "cannot be taken back");
                left.push(noted.path.as_str());
            }
        }
        left
    }

    /// Takes away what is only there while something is written.
    fn close(&self, folder: &Path) {
        for noted in &self.files {
            whole_file::sweep(folder.join(&noted.path).parent().unwrap_or(folder));
        }
        for made in &self.folders {
            // One that is in use stays.
            let _ = fs::remove_dir(folder.join(made));
        }
        let _ = fs::remove_file(folder.join(FILE));
    }
}

/// Takes back what a publication left half-written when it was killed, and says so. Nothing where there is no such thing,
/// or where it is still at work.
pub(in crate::session) fn mend(folder: &Path) -> Option<String> {
    if !folder.join(FILE).exists() {
        return None;
    }
    let lock = File::open(folder).ok()?;
    lock.try_lock().ok()?;
    mend_locked(folder)
}

/// As [`mend`], for who holds the lock of the folder.
pub(super) fn mend_locked(folder: &Path) -> Option<String> {
    whole_file::sweep(folder);
    let text = fs::read_to_string(folder.join(FILE)).ok()?;
    let mut notes: Notes = match serde_json::from_str(&text) {
        Ok(notes) => notes,
        Err(error) => return Some(format!("{FILE} cannot be read: {error}")),
    };
    if let Some(other) = notes
        .files
        .iter()
        .find(|noted| !is_ours(folder, &noted.path))
    {
        let path = &other.path;
        return Some(format!(
            "{FILE} names {path}, which is no definition of this project; nothing was touched"
        ));
    }
    let files = &notes.files;
    let is_made = |made: &String| {
        files
            .iter()
            .any(|noted| Path::new(&noted.path).starts_with(made))
    };
    notes.folders.retain(is_made);
    let paths = || notes.files.iter().map(|noted| noted.path.as_str());
    // git goes on where metrex was killed: what it has committed is done.
    let repository = Repository::find(folder).filter(|_| notes.is_committed);
    let is_done =
        repository.is_some_and(|git| git.dirty(paths()).is_ok_and(|dirty| dirty.is_empty()));
    if !is_done {
        let left = notes.take_back(folder);
        if !left.is_empty() {
            let files = left.join(", ");
            return Some(format!(
                "publishing was interrupted, and {files} cannot be given the old text back"
            ));
        }
    }
    notes.close(folder);
    let files = paths().collect::<Vec<_>>().join(", ");
    Some(match is_done {
        true => format!("publishing was interrupted after its commit: {files}"),
        false => format!("publishing was interrupted; {files} are as they were before"),
    })
}

/// Whether a noted file is a definition of this project, with no link that leads out of it: the notes may have come with a
/// project of somebody else's.
fn is_ours(folder: &Path, path: &str) -> bool {
    let file = folder.join(path);
    let real = file
        .ancestors()
        .find_map(|part| fs::canonicalize(part).ok());
    let inside = real.zip(fs::canonicalize(folder).ok());
    is_place(path) && inside.is_some_and(|(real, folder)| real.starts_with(folder))
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
