//! Writes a file as a whole: whoever reads it sees the old text or the new one.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A text that stands beside its file, to be put in its place.
#[derive(Debug)]
pub(super) struct Staged {
    file: NamedTempFile,
    path: PathBuf,
}

/// Writes a file in one step, so that nobody ever reads half of it.
pub(super) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    stage(path, text)?.put()
}

/// Writes a text beside its file; it goes away again where it is not put in place.
pub(super) fn stage(path: &Path, text: &str) -> io::Result<Staged> {
    // What a link leads to is written, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // A file or folder that is not to be written could be replaced all the same by those who may.
    for known in [path.as_path(), folder] {
        let is_closed = |about: fs::Metadata| about.permissions().readonly();
        if fs::metadata(known).is_ok_and(is_closed) {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
    }
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    let permissions = match fs::metadata(&path) {
        Ok(old) => old.permissions(),
        Err(_) => fs::Permissions::from_mode(0o644),
    };
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    Ok(Staged { file, path })
}

impl Staged {
    /// Puts the text in the place of its file.
    pub(super) fn put(self) -> io::Result<()> {
        self.file.persist(&self.path)?;
        Ok(())
    }
}
