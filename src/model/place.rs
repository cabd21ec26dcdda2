//! Where a definition stands: file, line and column, so that every message and every SQL line can point at it.

use serde::{Deserialize, Serialize};

/// Index of a file in [`Registry::files`](super::Registry::files).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct FileId(pub u32);

/// A position in a project file; line and column count from 1.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// Line, from 1; 0 where a definition was not read from a file.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}
