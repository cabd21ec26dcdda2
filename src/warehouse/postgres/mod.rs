//! PostgreSQL and AlloyDB: every statement in its own read-only transaction, streamed, cancelled on the server.

mod connect;
mod decode;
mod error;
mod loader;
mod password;
mod query;
mod schema;
mod settings;
mod tls;
mod write;

pub(super) use loader::PostgresLoader;

use std::sync::{Mutex, PoisonError};

use arrow_array::RecordBatch;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Dialect, Finished, Request, TableInfo, WarehouseError};
use crate::model::PostgresSettings;
use connect::Session;
use settings::Target;

/// Connections kept open between statements.
const IDLE: usize = 4;

/// A PostgreSQL server.
#[derive(Debug)]
pub(super) struct Postgres {
    target: Target,
    zone: TimeZone,
    /// Begins the transaction of every statement. Settings are local to it, so that a pooler in between cannot mix
    /// them up with those of others.
    begin: String,
    idle: Mutex<Vec<Session>>,
}

impl Postgres {
    pub(super) fn new(settings: &PostgresSettings, timezone: &str) -> Result<Self, WarehouseError> {
        let target = Target::resolve(settings, |name| std::env::var_os(name))?;
        let zone = TimeZone::get(timezone)
            .map_err(|_| WarehouseError::settings(format!("unknown time zone {timezone:?}")))?;
        let mut begin = format!(
            // A backslash in a text is a backslash, whatever the server's setting.
            "BEGIN READ ONLY; SET LOCAL standard_conforming_strings = on; SET LOCAL TIME ZONE {}",
            Dialect::Postgres.text(timezone)
        );
        if let Some(limit) = target.statement_timeout {
            begin.push_str(&format!(
                "; SET LOCAL statement_timeout = {}",
                limit.as_millis()
            ));
        }
        Ok(Self {
            target,
            zone,
            begin,
            idle: Mutex::default(),
        })
    }

    pub(super) fn target(&self) -> String {
        self.target.name.clone()
    }

    pub(super) async fn query(
        &self,
        request: Request,
        cancel: &CancellationToken,
        sink: &mpsc::Sender<RecordBatch>,
    ) -> Result<Finished, WarehouseError> {
        let session = match cancel.run_until_cancelled(self.begin()).await {
            Some(session) => session?,
            None => return Err(WarehouseError::cancelled()),
        };
        let statement = query::Query {
            target: &self.target,
            zone: &self.zone,
            request: &request,
            session: &session,
            sink,
            cancel,
            stop: cancel.child_token(),
        };
        let query::Ended { result, reusable } = statement.run().await;
        if reusable {
            self.end(session).await;
        }
        result
    }

    pub(super) async fn explain(
        &self,
        sql: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<String>, WarehouseError> {
        let work = async {
            let session = self.begin().await?;
            let plan = query::explain(&session.client, sql).await;
            let plan = plan.map_err(|error| error::running(&error, &self.target, sql));
            self.end(session).await;
            plan?.ok_or_else(|| WarehouseError::query("the statement returns no rows"))
        };
        match cancel.run_until_cancelled(work).await {
            Some(plan) => plan,
            // The session is dropped with its connection; nothing but a plan was being made.
            None => Err(WarehouseError::cancelled()),
        }
    }

    pub(super) async fn tables(&self) -> Result<Vec<TableInfo>, WarehouseError> {
        let session = self.begin().await?;
        let tables = schema::tables(&session.client).await;
        let tables = tables.map_err(|error| error::running(&error, &self.target, ""));
        self.end(session).await;
        tables
    }

    pub(super) async fn ping(&self) -> Result<String, WarehouseError> {
        let session = self.begin().await?;
        let version = session.client.query_one("SHOW server_version", &[]).await;
        let version = version.and_then(|row| row.try_get::<_, String>(0));
        self.end(session).await;
        match version {
            Ok(version) => Ok(format!("PostgreSQL {version}")),
            Err(error) => Err(error::running(&error, &self.target, "")),
        }
    }

    /// A session in a fresh read-only transaction; one that died while idle is replaced.
    async fn begin(&self) -> Result<Session, WarehouseError> {
        let failed = |error| error::running(&error, &self.target, "");
        while let Some(session) = self.take_idle() {
            match session.client.batch_execute(&self.begin).await {
                Ok(()) => return Ok(session),
                Err(error) if error.as_db_error().is_some() && !session.client.is_closed() => {
                    return Err(failed(error));
                }
                Err(_) => {}
            }
        }
        let session = Session::connect(&self.target).await?;
        session
            .client
            .batch_execute(&self.begin)
            .await
            .map_err(failed)?;
        Ok(session)
    }

    /// Ends the transaction and keeps the session for the next statement.
    async fn end(&self, session: Session) {
        if session.client.batch_execute("ROLLBACK").await.is_ok() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE {
                idle.push(session);
            }
        }
    }

    fn take_idle(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop()
    }
}
