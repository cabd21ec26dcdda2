//! The folder of a package: whose the files are that stand there, and how new ones get into it, all of them or none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exchange::Note;
use crate::generate::Package;
use crate::registry::edit::hash;
use crate::session::SessionError;

/// The file that says which files metrex made, each with the hash of what it wrote.
const RECORD: &str = ".metrex.json";

const ABOUT: &str =
    "The files that metrex made, each with the hash of what it wrote; it writes over no others.";

#[derive(Serialize, Deserialize)]
struct Record {
    about: String,
    files: BTreeMap<String, String>,
}

/// What a folder holds already.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// What earlier runs wrote.
    made: BTreeMap<String, String>,
    /// Whether it is a dbt project of somebody.
    pub has_project: bool,
    /// Whether that project has a time spine.
    pub has_spine: bool,
    /// The models of that project.
    pub models: BTreeSet<String>,
    /// The metrics, in lower case, that metrex made models of.
    pub marts: BTreeSet<String>,
    /// The skills written down.
    pub skills: BTreeSet<String>,
}

/// What was done to a folder.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub files: Vec<String>,
    /// Those of an earlier run that are made no longer.
    pub removed: Vec<String>,
    pub notes: Vec<Note>,
}

impl Folder {
    pub fn read(path: &Path) -> Result<Self, SessionError> {
        let below = |folder: &str| {
            let folder = path.join(folder);
            files(&folder).map_err(|error| unwritable(&folder, &error))
        };
        let made = record(path)?;
        let is_made = |file: &Path| {
            let name = file.strip_prefix(path).ok().and_then(Path::to_str);
            name.is_some_and(|name| made.contains_key(name))
        };
        let project = path.join("dbt_project.yml");
        let mut models = BTreeSet::new();
        let mut marts = BTreeSet::new();
        let mut has_spine = false;
        for folder in ["models", "seeds", "snapshots"] {
            for file in below(folder)? {
                let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()) else {
                    continue;
                };
                let is_model = file.extension().is_some_and(|ending| {
                    ["sql", "py", "csv"].iter().any(|known| ending == *known)
                });
                match (is_model, is_made(&file)) {
                    (true, false) => drop(models.insert(stem.to_owned())),
                    (true, true) => marts.extend(stem.strip_prefix("mart_").map(str::to_owned)),
                    (false, true) => {}
                    (false, false) => {
                        let text = fs::read_to_string(&file).unwrap_or_default();
                        has_spine |= text.contains("time_spine:");
                    }
                }
            }
        }
        let skills = below("skills")?;
        let skills = skills
            .iter()
            .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()));
        Ok(Self {
            has_project: project.exists() && !is_made(&project),
            has_spine,
            models,
            marts,
            skills: skills.collect(),
            made,
            path: path.to_owned(),
        })
    }

    /// Puts a package into the folder. What somebody else made, or changed, is never written over.
    ///
    /// # Errors
    /// A file is somebody's own, or cannot be written; everything is as it was then.
    pub fn put(&self, package: &Package) -> Result<Written, SessionError> {
        let mut written = Written::default();
        let mut new = Vec::new();
        let mut record = BTreeMap::new();
        let (mut foreign, mut changed) = (Vec::new(), Vec::new());
        for (name, text) in &package.files {
            let made = hash(text);
            let before = self.made.get(name);
            match self.standing(name)? {
                Some(now) if now == made => {}
                Some(now) if before == Some(&now) => new.push((name, text)),
                // What it would say now is what it said before the change.
                Some(_) if before == Some(&made) => written.notes.push(Note {
                    at: name.clone(),
                    text: "stays as it was changed by hand".to_owned(),
                }),
                Some(_) if before.is_some() => changed.push(name.as_str()),
                Some(_) => foreign.push(name.as_str()),
                None => new.push((name, text)),
            }
            record.insert(name.clone(), made);
        }
        refuse(&self.path, &foreign, &changed)?;
        for (name, before) in self
            .made
            .iter()
            .filter(|(name, _)| !record.contains_key(*name))
        {
            match self.standing(name)? {
                Some(_) if name.starts_with("skills/") => {}
                Some(now) if now == *before => written.removed.push(name.clone()),
                Some(_) => written.notes.push(Note {
                    at: name.clone(),
                    text: "is made no longer, but was changed by hand, and stays".to_owned(),
                }),
                None => {}
            }
        }
        let kept = self
            .made
            .iter()
            .filter(|(name, _)| name.starts_with("skills/"));
        for (name, before) in kept {
            record.entry(name.clone()).or_insert_with(|| before.clone());
        }
        let record = Record {
            about: ABOUT.to_owned(),
            files: record,
        };
        let text = serde_json::to_string_pretty(&record).unwrap_or_default();
        let record = (RECORD.to_owned(), format!("{text}\n"));
        written.files = new.iter().map(|(name, _)| (*name).clone()).collect();
        new.push((&record.0, &record.1));
        self.replace(&new, &written.removed)?;
        Ok(written)
    }

    /// The hash of a file that stands there.
    fn standing(&self, name: &str) -> Result<Option<String>, SessionError> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(text) => Ok(Some(hash(&String::from_utf8_lossy(&text)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unwritable(&path, &error)),
        }
    }

    /// Writes all files into a folder beside their places first; putting them there is short, and undone where it fails.
    fn replace(&self, new: &[(&String, &String)], gone: &[String]) -> Result<(), SessionError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| unwritable(&path, &error)
        };
        let is_new = !self.path.exists();
        fs::create_dir_all(&self.path).map_err(failed(&self.path))?;
        let put = || {
            let beside = tempfile::Builder::new()
                .prefix(".metrex-")
                .tempdir_in(&self.path)
                .map_err(failed(&self.path))?;
            for (at, (name, text)) in new.iter().enumerate() {
                let path = beside.path().join(at.to_string());
                fs::write(path, text).map_err(failed(&self.path.join(name)))?;
            }
            let mut done = Vec::new();
            let ends = new
                .iter()
                .enumerate()
                .map(|(at, (name, _))| (*name, Some(at)));
            let ends = ends.chain(gone.iter().map(|name| (name, None)));
            for (name, from) in ends {
                let path = self.path.join(name);
                let old = fs::read(&path).ok();
                let moved = match from {
                    Some(at) => fs::create_dir_all(path.parent().unwrap_or(&self.path))
                        .and_then(|()| fs::rename(beside.path().join(at.to_string()), &path)),
                    None => fs::remove_file(&path),
                };
                if let Err(error) = moved {
                    undo(done);
                    return Err(unwritable(&path, &error));
                }
                done.push((path, old));
            }
            Ok(())
        };
        let result = put();
        if result.is_err() && is_new {
            // It holds nothing but folders.
            let _ = fs::remove_dir_all(&self.path);
        }
        result
    }
}

fn undo(done: Vec<(PathBuf, Option<Vec<u8>>)>) {
    for (path, old) in done.into_iter().rev() {
        let undone = match old {
            Some(old) => fs::write(&path, old),
            None => fs::remove_file(&path),
        };
        if let Err(error) = undone {
            tracing::error!(path = %path.display(), %error, "cannot be undone");
        }
    }
}

fn refuse(folder: &Path, foreign: &[&str], changed: &[&str]) -> Result<(), SessionError> {
    let mut all = Vec::new();
    if !foreign.is_empty() {
        all.push(format!("{}, which metrex did not make", foreign.join(", ")));
    }
    if !changed.is_empty() {
        all.push(format!(
            "{}, changed by hand since metrex made {}",
            changed.join(", "),
            if changed.len() == 1 { "it" } else { "them" }
        ));
    }
    if all.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} has {}; nothing was written",
        folder.display(),
        all.join("; and ")
    );
    let hint =
        "choose another folder, or move these files away and put your changes back in afterwards";
    Err(SessionError::usage("not_ours", message).with_hint(hint))
}

fn unwritable(path: &Path, error: &io::Error) -> SessionError {
    SessionError::usage("write_failed", format!("{}: {error}", path.display()))
}

/// What earlier runs say that they wrote.
fn record(folder: &Path) -> Result<BTreeMap<String, String>, SessionError> {
    let path = folder.join(RECORD);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(unwritable(&path, &error)),
    };
    let record = serde_json::from_str::<Record>(&text);
    record.map(|record| record.files).map_err(|error| {
        let message = format!("{} is not what metrex wrote: {error}", path.display());
        SessionError::usage("not_ours", message).with_hint("choose another folder")
    })
}

/// The files below a folder; none where there is no such folder.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => left.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    Ok(found)
}
