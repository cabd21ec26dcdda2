//! A file that appears under its name only when it is complete.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that is being written beside the place where it will be.
pub struct Target {
    out: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl Target {
    /// Starts a file; what is there stays until [`Target::finish`].
    pub fn create(path: &Path) -> io::Result<Self> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let missing = "there is no such folder";
            return Err(io::Error::new(io::ErrorKind::NotFound, missing));
        }
        let file = tempfile::Builder::new()
            .prefix(".metrex-")
            .make_in(folder, |path| File::create_new(path))?;
        Ok(Self {
            out: BufWriter::new(file),
            path: path.to_owned(),
        })
    }

    /// Gives the file its name; its size.
    pub fn finish(self) -> io::Result<u64> {
        let file = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let kept = file.persist(&self.path).map_err(|error| error.error)?;
        Ok(kept.metadata()?.len())
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
