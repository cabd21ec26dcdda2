//! Where a PostgreSQL server is and who asks: the configured URL, then the `PG*` variables, then libpq's defaults.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::password::PasswordSource;
use crate::model::PostgresSettings;
use crate::warehouse::WarehouseError;

/// Folders in which servers put their sockets, in the order libpq's builds know them.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];
/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence after which a connection is checked, so that a vanished server is noticed.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What is checked of the server's certificate, by libpq's rules for `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verify {
    /// Nothing: the connection is encrypted, but the server could be anyone.
    Nothing,
    /// It is signed by a trusted authority.
    Authority,
    /// It is signed by a trusted authority, for this host.
    Host,
}

/// A server, ready to connect to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) verify: Verify,
    pub(super) root_cert: Option<PathBuf>,
    pub(super) password: PasswordSource,
    pub(super) statement_timeout: Option<Duration>,
    /// `user@host:port/database`, for messages.
    pub(super) name: String,
}

impl Target {
    /// Puts the settings together; `env` answers for environment variables.
    pub(super) fn resolve(
        settings: &PostgresSettings,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, WarehouseError> {
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        let text = |name: &str| env(name).map(|value| value.to_string_lossy().into_owned());

        let mut ours = Ours::default();
        let rest = ours.take_from(settings.url.as_deref().unwrap_or_default())?;
        let mut config = parse::<Config>(&rest)?;

        if config.get_ports().is_empty() {
            config.port(match text("PGPORT") {
                None => 5432,
                Some(port) => port.parse().map_err(|_| {
                    WarehouseError::settings(format!("PGPORT is not a port number: {port:?}"))
                })?,
            });
        }
        let port = config.get_ports().first().copied().unwrap_or(5432);
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host(text("PGHOST").unwrap_or_else(|| default_host(port)));
        }
        if config.get_user().is_none()
            && let Some(user) = text("PGUSER")
        {
            config.user(user);
        }
        if config.get_dbname().is_none()
            && let Some(database) = text("PGDATABASE")
        {
            config.dbname(database);
        }
        if config.get_application_name().is_none() {
            config.application_name(text("PGAPPNAME").unwrap_or_else(|| "metrex".to_owned()));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config.keepalives_idle(KEEPALIVE);

        let root_cert = settings
            .ssl_root_cert
            .clone()
            .or(ours.sslrootcert.map(PathBuf::from))
            .or_else(|| env("PGSSLROOTCERT").map(PathBuf::from));
        let local = config
            .get_hosts()
            .iter()
            .all(|host| matches!(host, Host::Unix(_)))
            && config.get_hostaddrs().is_empty();
        let mode = ours.sslmode.or_else(|| text("PGSSLMODE"));
        let (mode, verify) = ssl(mode.as_deref(), root_cert.is_some())?;
        // Sockets of this machine are never encrypted; libpq ignores sslmode there as well.
        config.ssl_mode(if local { SslMode::Disable } else { mode });

        let password = PasswordSource::resolve(settings, &config, &env);
        let name = describe(&config, port);
        Ok(Self {
            config,
            verify,
            root_cert,
            password,
            statement_timeout: settings.statement_timeout,
            name,
        })
    }
}

/// Options that libpq knows and the driver does not, or knows less of.
#[derive(Debug, Default)]
struct Ours {
    sslmode: Option<String>,
    sslrootcert: Option<String>,
}

impl Ours {
    /// Takes these options out of a URL or a `key=value` string and returns the rest.
    fn take_from(&mut self, text: &str) -> Result<String, WarehouseError> {
        if !is_url(text) {
            let mut rest = Vec::new();
            for pair in pairs(text) {
                match pair.split_once('=') {
                    Some((key, value)) if self.take(key.trim(), value)? => {}
                    _ => rest.push(pair),
                }
            }
            return Ok(rest.join(" "));
        }
        let Some((before, parameters)) = text.split_once('?') else {
            return Ok(text.to_owned());
        };
        let mut rest = Vec::new();
        for pair in parameters.split('&') {
            match pair.split_once('=') {
                Some((key, value)) if self.take(key, value)? => {}
                _ => rest.push(pair),
            }
        }
        if rest.is_empty() {
            return Ok(before.to_owned());
        }
        Ok(format!("{before}?{}", rest.join("&")))
    }

    fn take(&mut self, key: &str, value: &str) -> Result<bool, WarehouseError> {
        let slot = match key {
            "sslmode" => &mut self.sslmode,
            "sslrootcert" => &mut self.sslrootcert,
            _ => return Ok(false),
        };
        // Quotes and percent signs are undone by the driver's own reader, through an option that takes any text.
        let config: Config = if value.contains('%') {
            parse(&format!("postgres://localhost?application_name={value}"))?
        } else {
            parse(&format!("application_name={value}"))?
        };
        *slot = config.get_application_name().map(str::to_owned);
        Ok(true)
    }
}

pub(super) fn is_url(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// The `key=value` pairs of a connection string; a quoted value may contain spaces.
fn pairs(text: &str) -> Vec<&str> {
    let mut pairs = Vec::new();
    let (mut start, mut quoted, mut escaped) = (None, false, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == '\'' {
            quoted = !quoted;
        } else if c.is_whitespace() && !quoted {
            pairs.extend(start.take().and_then(|start| text.get(start..at)));
            continue;
        }
        start = start.or(Some(at));
    }
    pairs.extend(start.and_then(|start| text.get(start..)));
    pairs
}

fn parse<T: FromStr<Err = tokio_postgres::Error>>(text: &str) -> Result<T, WarehouseError> {
    text.parse().map_err(|error: tokio_postgres::Error| {
        // The text itself may hold a password and is not repeated.
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let source = source.unwrap_or_else(|| error.to_string());
        WarehouseError::settings(format!(
            "the connection's url cannot be understood: {source}"
        ))
        .hint("postgres://user@host:5432/database?sslmode=verify-full, or host=… dbname=…")
    })
}

/// The socket of a server on this machine where there is one, else `localhost`.
fn default_host(port: u16) -> String {
    let socket = SOCKET_FOLDERS
        .into_iter()
        .find(|folder| Path::new(folder).join(format!(".s.PGSQL.{port}")).exists());
    socket.unwrap_or("localhost").to_owned()
}

fn ssl(mode: Option<&str>, root_cert: bool) -> Result<(SslMode, Verify), WarehouseError> {
    Ok(match mode {
        Some("disable") => (SslMode::Disable, Verify::Nothing),
        None | Some("prefer") => (SslMode::Prefer, Verify::Nothing),
        // As in libpq: with root certificates at hand, `require` checks the authority too.
        Some("require") if root_cert => (SslMode::Require, Verify::Authority),
        Some("require") => (SslMode::Require, Verify::Nothing),
        Some("verify-ca") => (SslMode::Require, Verify::Authority),
        Some("verify-full") => (SslMode::Require, Verify::Host),
        Some(other) => {
            return Err(
                WarehouseError::settings(format!("unknown sslmode {other:?}"))
                    .hint("one of disable, prefer, require, verify-ca, verify-full"),
            );
        }
    })
}

fn describe(config: &Config, port: u16) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        Some(Host::Unix(folder)) => folder.display().to_string(),
        None => config
            .get_hostaddrs()
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
    };
    let user = config
        .get_user()
        .map(|user| format!("{user}@"))
        .unwrap_or_default();
    let database = config
        .get_dbname()
        .map(|name| format!("/{name}"))
        .unwrap_or_default();
    format!("{user}{host}:{port}{database}")
}
