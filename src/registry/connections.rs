//! `connections:` of `metrex.yaml`, and connections written as an address on the command line.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::config::{duration, resolve};
use super::diagnostic::{Sink, did_you_mean};
use super::read::{At, Entry, Named, Word, object};
use super::url::{Url, is_reference};
use super::yaml::Text;
use crate::model::{AdbcSettings, Connection, ConnectionKind, Dialect, PostgresSettings};

/// Rows after which a result is cut, where the connection says nothing.
const ROW_CAP: u64 = 1_000_000;

/// Rows in a step of a plan above which one is asked in production, where the connection says nothing.
const ASK_ABOVE: u64 = 10_000_000;

/// Kinds of warehouses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawType {
    /// The generated data of the demo project.
    Demo,
    /// An SQLite file.
    Sqlite,
    /// PostgreSQL or AlloyDB.
    Postgres,
    /// A DuckDB file, or Parquet and CSV files.
    Duckdb,
    /// Any engine with an ADBC driver.
    Adbc,
}

object! {
    /// A warehouse.
    struct RawConnection {
        /// Its kind.
        r#type: Option<Word<RawType>>,
        /// The file of SQLite or DuckDB, or a folder of data files, relative to the project.
        path: Option<Text>,
        /// `postgres://user@host:port/database`, without a password; `${NAME}` is taken from the environment.
        url: Option<Text>,
        /// Command whose first line of output is the password.
        password_command: Option<Text>,
        /// PEM file with root certificates, relative to the project.
        ssl_root_cert: Option<Text>,
        /// Server-side limit for one statement, such as `60s`.
        statement_timeout: Option<Text>,
        /// DuckDB's library, where it is in none of the usual places.
        library: Option<Text>,
        /// The ADBC driver: the path of its library or manifest, or the name of an installed one.
        driver: Option<Text>,
        /// The function that the driver's library begins with, where it is not the usual one.
        entrypoint: Option<Text>,
        /// The SQL that the engine behind the driver speaks.
        dialect: Option<Text>,
        /// Options of the driver, such as `uri`; `${NAME}` is taken from the environment.
        options: Named<Text>,
        /// Most rows a query returns.
        row_cap: Option<At<u64>>,
        /// Whether a mistake there costs most: shown in a colour of its own.
        production: Option<At<bool>>,
        /// Rows in a step of the engine's plan above which one is asked before a query runs; 10,000,000 in production.
        ask_above_rows: Option<At<u64>>,
    }
}

/// How carefully a connection is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Care {
    /// Whether a mistake there costs most.
    pub production: bool,
    /// Rows in a step of the engine's plan above which one is asked before a query runs; `None` never asks.
    pub ask_above_rows: Option<u64>,
}

/// Reads how carefully a connection is used.
pub(super) fn care(entry: &Entry<RawConnection>, sink: &mut Sink) -> Care {
    let Some(raw) = &entry.value else {
        return Care::default();
    };
    let production = raw.production.is_some_and(|is| is.value);
    let kind = raw.r#type.map(|kind| kind.value);
    let has_estimates = !matches!(kind, Some(RawType::Sqlite | RawType::Demo));
    if let (Some(rows), false) = (&raw.ask_above_rows, has_estimates) {
        let message = "'ask_above_rows' does not belong to a connection of this type";
        let hint = Some("SQLite's plans say nothing about rows".to_owned());
        sink.error("config", rows.place, "", message, hint);
    }
    let rows = raw.ask_above_rows.map(|rows| rows.value);
    let usual = (production && has_estimates).then_some(ASK_ABOVE);
    Care {
        production,
        ask_above_rows: rows.or(usual),
    }
}

/// An entry of `connections:`.
pub(super) enum Read {
    /// A connection.
    Usable(Connection),
    /// One to the demo's data.
    Demo {
        /// Most rows a query returns.
        row_cap: u64,
    },
    /// One that cannot be used now, and why.
    Unavailable(String),
}

/// Reads an entry; `None` where it is wrong, which the sink is told.
pub(super) fn read(entry: &Entry<RawConnection>, root: &Path, sink: &mut Sink) -> Option<Read> {
    let Entry {
        name,
        value: Some(raw),
        errors: 0,
    } = entry
    else {
        return None;
    };
    let missing = |what: &str, sink: &mut Sink| {
        let message = format!("connection '{}' needs {what}", name.value);
        sink.error("missing_key", name.place, &name.value, message, None);
        None
    };
    let Some(kind) = raw.r#type else {
        return missing("a type: sqlite, postgres, duckdb, adbc or demo", sink);
    };
    let kind = kind.value;
    refuse_foreign(raw, kind, sink);
    let row_cap = raw.row_cap.map_or(ROW_CAP, |cap| cap.value);
    let path = || Some(resolve(root, &raw.path.as_ref()?.value));
    let kind = match kind {
        RawType::Demo => return Some(Read::Demo { row_cap }),
        RawType::Sqlite => match path() {
            Some(path) => Ok(ConnectionKind::Sqlite { path }),
            None => return missing("a path", sink),
        },
        RawType::Duckdb => match path() {
            Some(path) => Ok(ConnectionKind::Duckdb {
                path,
                library: raw.library.as_ref().map(|text| resolve(root, &text.value)),
            }),
            None => return missing("a path", sink),
        },
        RawType::Postgres => postgres(raw, root, sink).map(ConnectionKind::Postgres),
        RawType::Adbc => {
            let Some(driver) = &raw.driver else {
                return missing("a driver", sink);
            };
            let Some(word) = &raw.dialect else {
                return missing("a dialect: the SQL that the engine speaks", sink);
            };
            let dialect = dialect(word, sink)?;
            adbc(raw, driver, dialect, root, sink).map(ConnectionKind::Adbc)
        }
    };
    Some(match kind {
        Err(reason) => Read::Unavailable(reason),
        Ok(kind) => Read::Usable(Connection {
            name: name.value.clone(),
            kind,
            row_cap,
        }),
    })
}

/// The connection that a text such as `duckdb:PATH` or `sqlite:PATH` leads to; paths are relative to the current folder.
pub fn of_address(address: &str) -> Option<Connection> {
    let (scheme, path) = address.split_once(':')?;
    let path = Path::new(path.strip_prefix("//").unwrap_or(path));
    let path = std::path::absolute(path).ok()?;
    let kind = match scheme {
        "duckdb" => ConnectionKind::Duckdb {
            path,
            library: None,
        },
        "sqlite" => ConnectionKind::Sqlite { path },
        _ => return None,
    };
    Some(Connection {
        name: address.to_owned(),
        kind,
        row_cap: ROW_CAP,
    })
}

/// Reports the keys that belong to connections of other types.
fn refuse_foreign(raw: &RawConnection, kind: RawType, sink: &mut Sink) {
    let option = raw.options.0.first().map(|entry| entry.name.clone());
    let keys: [(&str, &Option<Text>, &[RawType]); 10] = [
        ("path", &raw.path, &[RawType::Sqlite, RawType::Duckdb]),
        ("url", &raw.url, &[RawType::Postgres]),
        (
            "password_command",
            &raw.password_command,
            &[RawType::Postgres],
        ),
        ("ssl_root_cert", &raw.ssl_root_cert, &[RawType::Postgres]),
        (
            "statement_timeout",
            &raw.statement_timeout,
            &[RawType::Postgres],
        ),
        ("library", &raw.library, &[RawType::Duckdb]),
        ("driver", &raw.driver, &[RawType::Adbc]),
        ("entrypoint", &raw.entrypoint, &[RawType::Adbc]),
        ("dialect", &raw.dialect, &[RawType::Adbc]),
        ("options", &option, &[RawType::Adbc]),
    ];
    for (key, text, kinds) in keys {
        if let Some(text) = text
            && !kinds.contains(&kind)
        {
            let message = format!("'{key}' does not belong to a connection of this type");
            sink.error("config", text.place, &text.value, message, None);
        }
    }
}

fn postgres(raw: &RawConnection, root: &Path, sink: &mut Sink) -> Result<PostgresSettings, String> {
    let url = raw
        .url
        .as_ref()
        .map(|url| filled_in(url, sink))
        .transpose()?;
    let timeout = raw.statement_timeout.as_ref();
    let certificate = raw.ssl_root_cert.as_ref();
    Ok(PostgresSettings {
        url: url.flatten(),
        password_command: raw.password_command.as_ref().map(|text| text.value.clone()),
        ssl_root_cert: certificate.map(|text| resolve(root, &text.value)),
        statement_timeout: timeout.and_then(|text| duration(text, sink)),
    })
}

fn adbc(
    raw: &RawConnection,
    driver: &Text,
    dialect: Dialect,
    root: &Path,
    sink: &mut Sink,
) -> Result<AdbcSettings, String> {
    let mut options = Vec::new();
    for Entry { name, value, .. } in &raw.options.0 {
        let Some(value) = value else { continue };
        if is_secret(&name.value) && !is_reference(&value.value) {
            let message = "a secret must not stand in a file";
            let hint = "write ${NAME}, which is taken from the environment";
            sink.error("config", value.place, "", message, Some(hint.to_owned()));
        } else if let Some(value) = filled_in(value, sink)? {
            options.push((name.value.clone(), value));
        }
    }
    // A path leads from the project; a bare word is the name of a driver.
    let is_path = driver.value.contains(std::path::is_separator);
    let library: PathBuf = match is_path {
        true => resolve(root, &driver.value),
        false => PathBuf::from(&driver.value),
    };
    Ok(AdbcSettings {
        driver: library.display().to_string(),
        entrypoint: raw.entrypoint.as_ref().map(|text| text.value.clone()),
        dialect,
        options,
    })
}

fn dialect(word: &Text, sink: &mut Sink) -> Option<Dialect> {
    let found = Dialect::of(&word.value);
    if found.is_none() {
        let words = Dialect::ALL.map(Dialect::word);
        let message = format!("'{}' is not one of {}", word.value, words.join(", "));
        let hint = did_you_mean(&word.value, words);
        sink.error("invalid_value", word.place, &word.value, message, hint);
    }
    found
}

/// Whether the value of an option of this name is a secret.
fn is_secret(option: &str) -> bool {
    let option = option.to_lowercase();
    [
        "password",
        "secret",
        "token",
        "credential",
        "api_key",
        "private_key",
    ]
    .iter()
    .any(|word| option.contains(word))
}

/// The text with `${NAME}` filled in, or why it cannot be used now. A password written out is an error.
fn filled_in(text: &Text, sink: &mut Sink) -> Result<Option<String>, String> {
    let url = &text.value;
    let written = Url(url);
    if !written.passwords().into_iter().all(is_reference) {
        let message = "a password must not stand in a file";
        let hint = "leave it out: it comes from the environment (PGPASSWORD, or ${NAME} here), .pgpass, \
                    password_command or a prompt";
        // The text found is not repeated: diagnostics are printed and logged.
        sink.error("config", text.place, "", message, Some(hint.to_owned()));
        return Ok(None);
    }
    let mut expanded = String::with_capacity(url.len());
    let mut rest = url.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            sink.error("config", text.place, "", "'${' is never closed", None);
            return Ok(None);
        };
        let value = std::env::var(name)
            .map_err(|_| format!("the environment variable {name} is not set"))?;
        expanded.push_str(before);
        expanded.push_str(&written.filled_in(name, &value));
        rest = after;
    }
    expanded.push_str(rest);
    Ok(Some(expanded))
}
