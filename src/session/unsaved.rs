//! Texts of definitions that were typed and not saved: kept in the state folder, so that they do not end with the program.

use std::fs::DirBuilder;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use xxhash_rust::xxh3::xxh3_64;

use super::Session;

/// A text of a file that was not saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsaved {
    /// The file, relative to the project.
    pub path: String,
    /// What it was when it was opened.
    pub saved: String,
    /// What was typed.
    pub text: String,
    /// When it was kept.
    pub at: Timestamp,
}

impl Unsaved {
    /// When it was kept, for people: `14:02`, with the day where that is not today.
    pub fn when(&self) -> String {
        let zone = TimeZone::system();
        let (at, now) = [self.at, Timestamp::now()]
            .map(|at| at.to_zoned(zone.clone()))
            .into();
        match at.date() == now.date() {
            true => at.strftime("%H:%M").to_string(),
            false => at.strftime("%Y-%m-%d %H:%M").to_string(),
        }
    }
}

impl Session {
    /// The text of a file that was typed and not saved, where it is not what the file is by now.
    pub(super) fn unsaved(&self, path: &str, now: &str) -> Option<Unsaved> {
        let text = std::fs::read_to_string(self.unsaved_file(path)).ok()?;
        // Another version may have written something else.
        let unsaved: Unsaved = serde_json::from_str(&text).ok()?;
        if unsaved.text == now {
            self.drop_unsaved(path);
            return None;
        }
        (unsaved.path == path).then_some(unsaved)
    }

    /// Keeps a text of a file that is not saved, in the place of the one before and for nobody else to read.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub fn keep_unsaved(&self, path: &str, saved: &str, text: &str) -> std::io::Result<()> {
        let file = self.unsaved_file(path);
        let folder = file.parent().unwrap_or(Path::new("."));
        private_folder(folder)?;
        let unsaved = Unsaved {
            path: path.to_owned(),
            saved: saved.to_owned(),
            text: text.to_owned(),
            at: Timestamp::now(),
        };
        let mut new = NamedTempFile::new_in(folder)?;
        new.write_all(&serde_json::to_vec(&unsaved)?)?;
        new.as_file().sync_all()?;
        new.persist(file)?;
        Ok(())
    }

    /// Forgets the text of a file that was not saved.
    pub fn drop_unsaved(&self, path: &str) {
        // It may never have been kept.
        let _ = std::fs::remove_file(self.unsaved_file(path));
    }

    fn unsaved_file(&self, path: &str) -> PathBuf {
        let name = format!("{:016x}.json", xxh3_64(path.as_bytes()));
        self.state().unsaved().join(name)
    }
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
