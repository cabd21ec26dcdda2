//! The connection of a project made from a live database: how it is used now, and what of it is written down.

use std::path::{Path, PathBuf};

use super::InitError;
use super::yaml::scalar;
use crate::model::{Connection, ConnectionKind, PostgresSettings};
use crate::registry::holds_password;

/// Rows after which a result is cut.
const ROW_CAP: u64 = 1_000_000;

/// A connection for now, and its entry in `metrex.yaml`.
#[derive(Debug)]
pub struct Target {
    /// The connection.
    pub connection: Connection,
    /// Lines below the connection's name.
    pub entry: Vec<String>,
    /// Where the password has to go, if there was one.
    pub note: Option<String>,
}

/// Understands `postgres://…`, `host=… dbname=…`, `sqlite:PATH`, `duckdb:PATH` and the path of an existing SQLite file.
///
/// # Errors
/// None of these.
pub fn read(url: &str) -> Result<Target, InitError> {
    let url = url.trim();
    let is_postgres = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    if is_postgres {
        return postgres(url, without_password_in_url(url));
    }
    let path_of = |schemes: [&str; 2]| {
        let mut schemes = schemes.iter();
        schemes.find_map(|scheme| url.strip_prefix(scheme))
    };
    if let Some(path) = path_of(["duckdb://", "duckdb:"]) {
        return duckdb(Path::new(path));
    }
    let path = path_of(["sqlite://", "sqlite:"]);
    if let Some(path) = path
        .map(Path::new)
        .or(Some(Path::new(url)).filter(|path| path.is_file()))
    {
        return sqlite(path);
    }
    let is_word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    if url.split_once('=').is_some_and(|(key, _)| is_word(key)) {
        return postgres(url, without_password_in_pairs(url));
    }
    // Nothing but the scheme is repeated: the rest may hold a password.
    let scheme = url
        .split_once(':')
        .map(|(scheme, _)| scheme)
        .filter(|scheme| is_word(scheme));
    let what = scheme.map_or("this is no connection".to_owned(), |scheme| {
        format!("'{scheme}:' is no connection that is known")
    });
    let message = format!(
        "{what}: write postgres://user@host:5432/database, sqlite:path/to/file.db, or duckdb:path of a file or a folder of Parquet and CSV files"
    );
    Err(InitError::Url { message })
}

fn connection(kind: ConnectionKind) -> Connection {
    Connection {
        name: "warehouse".to_owned(),
        kind,
        row_cap: ROW_CAP,
    }
}

fn sqlite(path: &Path) -> Result<Target, InitError> {
    at_path("sqlite", path, |path| ConnectionKind::Sqlite { path })
}

/// A DuckDB file, a file of data or a folder of them.
fn duckdb(path: &Path) -> Result<Target, InitError> {
    at_path("duckdb", path, |path| ConnectionKind::Duckdb {
        path,
        library: None,
    })
}

fn at_path(
    word: &str,
    path: &Path,
    kind: impl FnOnce(PathBuf) -> ConnectionKind,
) -> Result<Target, InitError> {
    let path: PathBuf = path.canonicalize().map_err(InitError::io(path))?;
    let entry = vec![
        format!("type: {word}"),
        format!("path: {}", scalar(&path.to_string_lossy())),
    ];
    Ok(Target {
        connection: connection(kind(path)),
        entry,
        note: None,
    })
}

fn postgres(url: &str, (written, had_password): (String, bool)) -> Result<Target, InitError> {
    if holds_password(&written) {
        let message = "the password cannot be told from the rest of the connection: percent-encode it, or leave it \
                       out and set PGPASSWORD"
            .to_owned();
        return Err(InitError::Url { message });
    }
    let settings = PostgresSettings {
        url: Some(url.to_owned()),
        ..PostgresSettings::default()
    };
    let note = had_password.then(|| {
        "The password was not written down, but the list of processes and the history of the shell show it. Set \
         PGPASSWORD, add a line to ~/.pgpass, or set password_command in metrex.yaml."
            .to_owned()
    });
    let mut entry = vec![
        "type: postgres".to_owned(),
        format!("url: {}", scalar(&written)),
    ];
    if had_password {
        entry.push("# The password comes from PGPASSWORD, ~/.pgpass or a password_command, never from this file.".to_owned());
    }
    Ok(Target {
        connection: connection(ConnectionKind::Postgres(settings)),
        entry,
        note,
    })
}

/// The URL without `:password` and without `password=…` among its parameters.
fn without_password_in_url(url: &str) -> (String, bool) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let (base, query) = rest
        .split_once('?')
        .map_or((rest, None), |(base, query)| (base, Some(query)));
    // A password may contain anything but an @ after which there is no other one.
    let (authority, path) = match base.rsplit_once('@') {
        Some((user, host)) => {
            let (host, path) = host
                .split_once('/')
                .map_or((host, None), |(host, path)| (host, Some(path)));
            let (user, password) = user
                .split_once(':')
                .map_or((user, false), |(user, _)| (user, true));
            ((format!("{user}@{host}"), password), path)
        }
        None => {
            let (host, path) = base
                .split_once('/')
                .map_or((base, None), |(host, path)| (host, Some(path)));
            ((host.to_owned(), false), path)
        }
    };
    let ((authority, mut had_password), mut written) = (authority, String::new());
    written.push_str(&format!("{scheme}://{authority}"));
    if let Some(path) = path {
        written.push_str(&format!("/{path}"));
    }
    let mut parameters: Vec<&str> = Vec::new();
    for pair in query.into_iter().flat_map(|query| query.split('&')) {
        if pair.to_ascii_lowercase().starts_with("password=") {
            had_password = true;
        } else if !pair.is_empty() {
            parameters.push(pair);
        }
    }
    if !parameters.is_empty() {
        written.push_str(&format!("?{}", parameters.join("&")));
    }
    (written, had_password)
}

/// `key=value` pairs without the password; a value in single quotes may contain spaces.
fn without_password_in_pairs(text: &str) -> (String, bool) {
    let (mut kept, mut had_password) = (Vec::new(), false);
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut quoted = false;
        let mut escaped = false;
        let end = rest.find(|c: char| {
            let ends = c.is_whitespace() && !quoted;
            quoted ^= c == '\'' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let (pair, after) = rest.split_at(end.unwrap_or(rest.len()));
        if pair.to_ascii_lowercase().starts_with("password=") {
            had_password = true
        } else {
            kept.push(pair)
        }
        rest = after.trim_start();
    }
    (kept.join(" "), had_password)
}
