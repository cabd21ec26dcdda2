//! Exchanges as JSON lines: recorded while a model answers, or replayed without one.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{LlmError, Provider, Reply, Request};

/// One line of a recording. It holds the prompt, and never a key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    /// [`Request::hash`].
    hash: String,
    request: Request,
    reply: Reply,
}

/// Adds every exchange to a file.
pub(super) struct Recorder<P> {
    inner: P,
    path: PathBuf,
    file: Mutex<File>,
}

impl<P: Provider> Recorder<P> {
    pub(super) fn new(inner: P, path: &Path) -> Result<Self, LlmError> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let unusable = |error: std::io::Error| {
            LlmError::Recording(format!(
                "the recording {} cannot be written: {error}",
                path.display()
            ))
        };
        let file = options.open(path).map_err(unusable)?;
        keep_private(&file).map_err(unusable)?;
        Ok(Self {
            inner,
            path: path.to_owned(),
            file: Mutex::new(file),
        })
    }

    fn write(&self, request: &Request, reply: &Reply) -> Result<(), LlmError> {
        let failed = |error: std::io::Error| {
            LlmError::Recording(format!(
                "the recording {} cannot be written: {error}",
                self.path.display()
            ))
        };
        let exchange = Exchange {
            hash: request.hash(self.model()),
            request: request.clone(),
            reply: reply.clone(),
        };
        let mut line = serde_json::to_string(&exchange).map_err(|error| failed(error.into()))?;
        line.push('\n');
        self.file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write_all(line.as_bytes())
            .map_err(failed)
    }
}

impl<P: Provider> Provider for Recorder<P> {
    fn model(&self) -> &str {
        self.inner.model()
    }

    fn complete<'a>(
        &'a self,
        request: &'a Request,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, Result<Reply, LlmError>> {
        async move {
            let reply = self.inner.complete(request, cancel).await?;
            self.write(request, &reply)?;
            Ok(reply)
        }
        .boxed()
    }
}

/// Takes a file that was there before away from everybody else: prompts hold questions and values.
fn keep_private(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Answers from a recording; asks nobody.
pub(super) struct Replay {
    model: String,
    path: PathBuf,
    replies: HashMap<String, Reply>,
}

impl Replay {
    /// Reads a recording; of several replies to one request the last one counts.
    pub(super) fn open(model: &str, path: &Path) -> Result<Self, LlmError> {
        let unusable = |what: String| {
            LlmError::Recording(format!(
                "the recording {} cannot be replayed: {what}",
                path.display()
            ))
        };
        let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        let mut replies = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let exchange: Exchange = serde_json::from_str(line)
                .map_err(|error| unusable(format!("line {}: {error}", index + 1)))?;
            replies.insert(exchange.hash, exchange.reply);
        }
        Ok(Self {
            model: model.to_owned(),
            path: path.to_owned(),
            replies,
        })
    }
}

impl Provider for Replay {
    fn model(&self) -> &str {
        &self.model
    }

    fn complete<'a>(
        &'a self,
        request: &'a Request,
        _: CancellationToken,
    ) -> BoxFuture<'a, Result<Reply, LlmError>> {
        let hash = request.hash(&self.model);
        let reply = self.replies.get(&hash).cloned().ok_or_else(|| {
            LlmError::Recording(format!(
                "the recording {} has no reply to this request of {} (hash {hash}): definitions, prompts, dates and \
                 question must be those of the recording; record it again",
                self.path.display(),
                self.model
            ))
        });
        std::future::ready(reply).boxed()
    }
}
