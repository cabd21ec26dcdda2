//! Writes a file as a whole: whoever reads it sees the old text or the new one.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// How the names of texts that stand beside their files begin and end; no definitions are looked for under such names.
const PREFIX: &str = ".metrex-";
/// The end of names of texts that are to be published.
const STAGED: &str = ".new";

/// A text that stands beside its file, to be put in its place.
#[derive(Debug)]
pub(super) struct Staged {
    file: NamedTempFile,
    path: PathBuf,
}

/// Writes a file in one step, so that nobody ever reads half of it.
pub(super) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    beside(path, text, ".tmp")?.put()
}

/// Writes a text beside its file; it goes away again where it is not put in place.
pub(super) fn stage(path: &Path, text: &str) -> io::Result<Staged> {
    beside(path, text, STAGED)
}

fn beside(path: &Path, text: &str, suffix: &str) -> io::Result<Staged> {
    // What a link leads to is written, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    writable(&path)?;
    fs::create_dir_all(folder)?;
    let named = tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(suffix)
        .tempfile_in(folder);
    let mut file = named?;
    file.write_all(text.as_bytes())?;
    let permissions = match fs::metadata(&path) {
        Ok(old) => old.permissions(),
        Err(_) => fs::Permissions::from_mode(0o644),
    };
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    Ok(Staged { file, path })
}

/// Refuses a file that is not to be written, or is in a folder that is not: who may write everything could replace it all the
/// same.
pub(super) fn writable(path: &Path) -> io::Result<()> {
    let is_closed = |about: fs::Metadata| about.permissions().readonly();
    let folder = path.ancestors().skip(1).find(|folder| folder.exists());
    for known in [Some(path), folder].into_iter().flatten() {
        if fs::metadata(known).is_ok_and(is_closed) {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
    }
    Ok(())
}

/// Takes away texts beside their files that nobody has put in place: who wrote them was killed.
pub(super) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_left = name
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(STAGED));
        if is_left {
            let _ = fs::remove_file(entry.path());
        }
    }
}

impl Staged {
    /// Puts the text in the place of its file.
    pub(super) fn put(self) -> io::Result<()> {
        self.file.persist(&self.path)?;
        Ok(())
    }
}
