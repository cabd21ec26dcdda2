//! Where the password comes from: a command, the URL, `PGPASSWORD` or `.pgpass`. It is never kept or written.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::settings::is_url;
use crate::model::PostgresSettings;
use crate::warehouse::{WarehouseError, WarehouseErrorKind};

/// How long `password_command` may take; a browser login would never end.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// A way to a password, followed at each connect.
#[derive(Clone)]
pub(super) enum PasswordSource {
    /// The first line that this command prints.
    Command(String),
    /// A text, with the name of where it came from.
    Given(Vec<u8>, &'static str),
    /// This password file, where it has a matching line.
    File(PathBuf),
    /// No home folder to look in.
    Nowhere,
}

impl fmt::Debug for PasswordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl PasswordSource {
    pub(super) fn resolve(
        settings: &PostgresSettings,
        config: &Config,
        env: &impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        if let Some(command) = &settings.password_command {
            return Self::Command(command.clone());
        }
        if let Some(password) = config.get_password() {
            let url = settings.url.as_deref().is_some_and(is_url);
            return Self::Given(
                password.to_owned(),
                if url {
                    "the url"
                } else {
                    "the connection string"
                },
            );
        }
        if let Some(password) = env("PGPASSWORD") {
            return Self::Given(password.into_encoded_bytes(), "PGPASSWORD");
        }
        let file = env("PGPASSFILE").map(PathBuf::from).or_else(|| {
            let home = env("HOME")
                .map(PathBuf::from)
                .or_else(|| etcetera::home_dir().ok());
            home.map(|home| home.join(".pgpass"))
        });
        file.map_or(Self::Nowhere, Self::File)
    }

    /// Where the password comes from, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Command(command) => name(command),
            Self::Given(_, from) => (*from).to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Nowhere => "nowhere".to_owned(),
        }
    }

    /// What helps where no password was found.
    pub(super) fn advice(&self) -> String {
        match self {
            Self::File(path) if path.is_file() && open_to_others(path) => {
                let path = path.display();
                format!("{path} is not used because others can read it: chmod 600 {path}")
            }
            _ => "set password_command, PGPASSWORD or a line in ~/.pgpass".to_owned(),
        }
    }

    /// The password, or `None` where there is none (which many servers accept).
    pub(super) async fn password(
        &self,
        config: &Config,
    ) -> Result<Option<Vec<u8>>, WarehouseError> {
        match self {
            Self::Command(command) => run(command).await.map(Some),
            Self::Given(password, _) => Ok(Some(password.clone())),
            Self::File(path) => from_file(path, config),
            Self::Nowhere => Ok(None),
        }
    }
}

async fn run(command: &str) -> Result<Vec<u8>, WarehouseError> {
    let failed = |what: String| {
        WarehouseError::new(
            WarehouseErrorKind::Auth,
            format!("{} {what}", name(command)),
        )
    };
    let output = tokio::time::timeout(COMMAND_TIMEOUT, process(command).output()).await;
    let output = output
        .map_err(|_| {
            failed(format!(
                "did not end within {} seconds",
                COMMAND_TIMEOUT.as_secs()
            ))
        })?
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let error = failed(format!("failed ({})", output.status));
        return Err(match stderr.trim() {
            "" => error,
            // Beside the message, which is also kept in the history.
            said => error.hint(format!("it said: {said}")),
        });
    }
    let line = output
        .stdout
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(failed("printed no password".to_owned()));
    }
    Ok(line.to_vec())
}

/// The command with its program only, since the rest may hold secrets.
fn name(command: &str) -> String {
    let plain = |word: &&str| {
        let harmless = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
        word.chars().all(harmless)
    };
    match command.split_whitespace().next().filter(plain) {
        Some(program) => format!("password_command `{program} …`"),
        None => "password_command".to_owned(),
    }
}

/// A shell only where the command needs one.
fn process(command: &str) -> Command {
    let plain = !command.contains(|c: char| "|&;<>()$`\\\"'*?[]#~={}!\n%".contains(c));
    let mut words = command.split_whitespace();
    let mut process = match words.next() {
        Some(program) if plain => {
            let mut process = Command::new(program);
            process.args(words);
            process
        }
        _ => {
            let mut process = Command::new("sh");
            process.arg("-c").arg(command);
            process
        }
    };
    process
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    process
}

/// The first matching line of a password file (<https://www.postgresql.org/docs/current/libpq-pgpass.html>).
fn from_file(path: &Path, config: &Config) -> Result<Option<Vec<u8>>, WarehouseError> {
    if !path.is_file() || open_to_others(path) {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        WarehouseError::new(
            WarehouseErrorKind::Auth,
            format!("cannot read {}: {error}", path.display()),
        )
    })?;
    let hosts = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => vec![host.clone()],
        Some(Host::Unix(folder)) => vec![folder.display().to_string(), "localhost".to_owned()],
        None => config
            .get_hostaddrs()
            .iter()
            .map(ToString::to_string)
            .collect(),
    };
    let port = config
        .get_ports()
        .first()
        .copied()
        .unwrap_or(5432)
        .to_string();
    let user = config
        .get_user()
        .map(str::to_owned)
        .or_else(|| std::env::var("USER").ok());
    let user = user.unwrap_or_default();
    let database = config.get_dbname().unwrap_or(&user);
    let matching = |line: &str| {
        let fields = fields(line);
        let [host, to_port, to_database, to_user, password] = fields.as_slice() else {
            return None;
        };
        let holds = |field: &Field, value: &str| field.any || field.text == value;
        let wanted = (host.any || hosts.contains(&host.text))
            && holds(to_port, &port)
            && holds(to_database, database)
            && holds(to_user, &user);
        wanted.then(|| password.text.clone().into_bytes())
    };
    Ok(text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(matching))
}

struct Field {
    text: String,
    /// A bare `*`.
    any: bool,
}

/// `host:port:database:user:password`, with `\:` and `\\` as escapes; the password may contain colons.
fn fields(line: &str) -> Vec<Field> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let last = fields.len() == 5;
        match c {
            ':' if !last => fields.push(String::new()),
            '\\' => {
                if let (Some(field), Some(next)) = (fields.last_mut(), chars.next()) {
                    field.push(next);
                }
            }
            c => {
                if let Some(field) = fields.last_mut() {
                    field.push(c);
                }
            }
        }
    }
    fields
        .into_iter()
        .map(|text| Field {
            any: text == "*",
            text,
        })
        .collect()
}

/// Whether other users can read the file; libpq leaves such a file alone, too.
#[cfg(unix)]
fn open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> bool {
    false
}
