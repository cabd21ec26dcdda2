//! One connection to a PostgreSQL server, with what is needed to cancel what it runs.

use tokio_postgres::config::SslMode;
use tokio_postgres::{CancelToken, Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error;
use super::settings::Target;
use super::tls;
use crate::warehouse::WarehouseError;

/// An open connection; dropping it closes it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) canceller: Canceller,
}

/// Stops what a session runs, over a connection of its own.
#[derive(Clone)]
pub(super) struct Canceller {
    token: CancelToken,
    tls: Option<MakeRustlsConnect>,
}

impl std::fmt::Debug for Canceller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Canceller")
    }
}

impl Session {
    /// Finds the password and connects.
    pub(super) async fn connect(target: &Target) -> Result<Self, WarehouseError> {
        let mut config = target.config.clone();
        if let Some(password) = target.password.password(&config).await? {
            config.password(password);
        }
        let failed = |error| error::connecting(&error, target);
        if config.get_ssl_mode() == SslMode::Disable {
            let (client, connection) = config.connect(NoTls).await.map_err(failed)?;
            tokio::spawn(connection);
            return Ok(Self::new(client, None));
        }
        let tls = tls::connector(target.verify, target.root_cert.as_deref())?;
        let (client, connection) = config.connect(tls.clone()).await.map_err(failed)?;
        tokio::spawn(connection);
        Ok(Self::new(client, Some(tls)))
    }

    fn new(client: Client, tls: Option<MakeRustlsConnect>) -> Self {
        let canceller = Canceller {
            token: client.cancel_token(),
            tls,
        };
        Self { client, canceller }
    }
}

impl Canceller {
    /// Asks the server to stop; the statement itself tells whether it did.
    pub(super) async fn cancel(&self) -> Result<(), tokio_postgres::Error> {
        match &self.tls {
            Some(tls) => self.token.cancel_query(tls.clone()).await,
            None => self.token.cancel_query(NoTls).await,
        }
    }
}
