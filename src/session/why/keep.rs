//! Keeps investigations in the state folder, so that one that stopped can go on.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use xxhash_rust::xxh3::xxh3_64;

use super::Why;
use super::question::Asked;
use crate::session::whole_file::write_whole;
use crate::session::{Session, SessionError};

/// How a note begins that says why an investigation stopped.
const STOPPED: &str = "Stopped: ";

/// How a note begins that says what lies deeper.
const DEEPER: &str = "Deeper: ";

/// Whether a note says how far an investigation came.
pub(super) fn is_about_end(note: &str) -> bool {
    note.starts_with(STOPPED) || note.starts_with(DEEPER)
}

/// What was left because it lies too deep; nothing where nothing was.
pub(super) fn deeper(waiting: usize) -> Option<String> {
    (waiting > 0).then(|| {
        format!(
            "{DEEPER}{}; --resume with a larger --depth goes on.",
            left(waiting)
        )
    })
}

fn left(waiting: usize) -> String {
    match waiting {
        1 => "1 hypothesis is left".to_owned(),
        n => format!("{n} hypotheses are left"),
    }
}

/// Why an investigation stopped.
pub(super) fn stopped(why: &str, waiting: usize) -> String {
    format!("{STOPPED}{why}; {}. --resume goes on.", left(waiting))
}

impl Session {
    /// What is kept of an investigation of the same question: the same metric with the same meaning, in the same periods.
    pub(super) fn kept_why(&self, asked: &Asked) -> Result<Option<Why>, SessionError> {
        let Ok(text) = std::fs::read_to_string(self.place_of(asked)) else {
            return Ok(None);
        };
        // What an earlier version wrote otherwise is found out anew.
        Ok(serde_json::from_str(&text).ok())
    }

    /// Keeps an investigation. One that cannot be kept cannot be resumed, and is as good otherwise.
    pub(super) fn keep_why(&self, asked: &Asked, why: &Why) {
        // Whom a question is about is not kept, if that is personal.
        if self.harmless_line(&why.line) != why.line {
            return;
        }
        let path = self.place_of(asked);
        let Ok(text) = serde_json::to_string(why) else {
            return;
        };
        if let Err(error) = write_whole(&path, &text) {
            tracing::warn!(%error, "the investigation is not kept");
        }
        let days = u64::from(self.project().config.usage.keep_days);
        self.drop_investigations(Duration::from_secs(days * 86_400));
    }

    /// Drops kept investigations that are older, as far as they can be.
    pub(in crate::session) fn drop_investigations(&self, age: Duration) {
        let files = std::fs::read_dir(self.state().path().join("why"));
        for file in files.into_iter().flatten().flatten() {
            let written = file.metadata().and_then(|about| about.modified());
            let is_old = |written: SystemTime| written.elapsed().is_ok_and(|old| old >= age);
            if written.is_ok_and(is_old) {
                let _ = std::fs::remove_file(file.path());
            }
        }
    }

    fn place_of(&self, asked: &Asked) -> PathBuf {
        let meaning = self
            .catalog()
            .fingerprint(&asked.metric)
            .unwrap_or_default();
        let (connection, compared) = (self.connection(), asked.compared);
        let key = format!("{connection}\n{meaning}\n{}\n{compared:?}", asked.query);
        let name = format!("{:016x}.json", xxh3_64(key.as_bytes()));
        self.state().path().join("why").join(name)
    }
}
