//! Charts as files: SVG and PNG.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::Chart;
use crate::session::files::Target;
use crate::session::png;

/// Pixels of a PNG for each of the drawing.
const SCALE: f32 = 2.0;

/// Most names that are tried for a file.
const NAMES: usize = 1000;

/// Forms a chart is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChartForm {
    /// Vector graphics.
    Svg,
    /// Pixels.
    Png,
}

impl ChartForm {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Svg, Self::Png];

    /// The word for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Svg => "SVG",
            Self::Png => "PNG",
        }
    }

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }

    /// The form that the ending of a file name stands for.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        let mut all = Self::ALL.into_iter();
        all.find(|form| form.ending().eq_ignore_ascii_case(ending))
    }
}

impl ChartForm {
    fn bytes(self, svg: String) -> Result<Vec<u8>, String> {
        match self {
            Self::Svg => Ok(svg.into_bytes()),
            Self::Png => png(&svg, SCALE),
        }
    }

    /// Writes a drawing to a file, which appears when it is complete and takes the place of one that is there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(self, svg: String, path: &Path) -> Result<(), String> {
        let bytes = self.bytes(svg)?;
        let write = || {
            let mut file = Target::create(path)?;
            file.write_all(&bytes)?;
            file.finish()
        };
        match write() {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }
}

impl Chart {
    /// Writes it to a file, see [`ChartForm::write`].
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, form: ChartForm, path: &Path) -> Result<(), String> {
        form.write(self.svg(), path)
    }

    /// Writes it to a new file in a folder; returns its name.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, form: ChartForm, folder: &Path) -> Result<String, String> {
        let bytes = form.bytes(self.svg())?;
        let (stem, ending) = (self.file_name(), form.ending());
        for number in 1..=NAMES {
            let name = match number {
                1 => format!("{stem}.{ending}"),
                number => format!("{stem}-{number}.{ending}"),
            };
            let path = folder.join(&name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    let written = file.write_all(&bytes);
                    return written
                        .map(|()| name)
                        .map_err(|error| format!("{}: {error}", path.display()));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(format!("{}: {error}", path.display())),
            }
        }
        Err(format!(
            "{stem}.{ending} and {NAMES} names like it are taken"
        ))
    }
}
