//! One call of a tool: the session it asks, and the token that ends it when the client cancels or goes away.

use std::sync::Arc;

use arrow_array::RecordBatch;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::error::ToolError;
use super::reply::{MAX_BYTES, QueryReply, Taken};
use crate::compile::Compiled;
use crate::model::MetricQuery;
use crate::session::{RunEvent, RunOptions, RunSummary, Session, SessionError};

/// What a tool works with.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) session: Session,
    pub(super) cancel: CancellationToken,
}

impl Call {
    /// Asks the session where it may take some milliseconds, off the runtime's threads.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session) -> T + Send + 'static,
    ) -> Result<T, ToolError> {
        let session = self.session.clone();
        spawn_blocking(move || work(&session))
            .await
            .map_err(ToolError::internal)
    }

    /// Waits until the demo and its index are made. A call that is cancelled meanwhile does not undo it.
    pub(super) async fn ready(&self) -> Result<(), ToolError> {
        let session = self.session.clone();
        let prepared = tokio::spawn(async move { session.prepare(|_| {}).await });
        tokio::select! {
            prepared = prepared => Ok(prepared.map_err(ToolError::internal)??),
            () = self.cancel.cancelled() => Err(SessionError::interrupted().into()),
        }
    }

    /// Compiles a query; a refusal lists what would be valid.
    pub(super) async fn compile(&self, query: MetricQuery) -> Result<Arc<Compiled>, ToolError> {
        self.ready().await?;
        self.ask(move |session| match session.compile(&query) {
            Ok(compiled) => Ok(Arc::new(compiled)),
            Err(error) => {
                let refusal = session.refusal(error);
                session.note_refused(&query, &refusal);
                Err(ToolError::of_query(session, &query, refusal))
            }
        })
        .await?
    }

    /// Compiles and runs a query.
    pub(super) async fn query(&self, query: MetricQuery) -> Result<QueryReply, ToolError> {
        let compiled = self.compile(query).await?;
        let connection = self.session.connection();
        self.run(compiled, &connection, MAX_BYTES).await
    }

    /// Runs what was compiled; the first rows become the reply, as many as fit into `room` bytes, the others are counted.
    pub(super) async fn run(
        &self,
        compiled: Arc<Compiled>,
        connection: &str,
        room: usize,
    ) -> Result<QueryReply, ToolError> {
        let mut taken = Taken::default();
        let summary = self
            .stream(compiled.clone(), connection, |batch| taken.add(&batch))
            .await?;
        let partial = self.session.partial_periods(&compiled);
        Ok(QueryReply::new(&compiled, taken, &summary, partial, room))
    }

    /// Runs what was compiled and hands over the rows as they arrive.
    pub(super) async fn stream(
        &self,
        compiled: Arc<Compiled>,
        connection: &str,
        mut take: impl FnMut(RecordBatch) + Send,
    ) -> Result<RunSummary, ToolError> {
        self.refuse_personal_data(&compiled)?;
        let (sender, mut events) = mpsc::channel(8);
        let run = self.session.run_compiled(
            compiled,
            connection,
            RunOptions::default(),
            self.cancel.clone(),
            sender,
        );
        let collect = async {
            while let Some(event) = events.recv().await {
                if let RunEvent::Batch(batch) = event {
                    take(batch);
                }
            }
        };
        let (summary, ()) = tokio::join!(run, collect);
        Ok(summary?)
    }

    /// Values of personal data are not for a model to read, also where the user may read them.
    fn refuse_personal_data(&self, compiled: &Compiled) -> Result<(), ToolError> {
        match self.session.personal_group(&compiled.query) {
            Some(name) => Err(ToolError::new(
                "personal_data",
                format!("'{name}' is personal data: its values are not given to agents"),
            )
            .with_hint("group by something else; a person can run this query")),
            None => Ok(()),
        }
    }
}
